"""Lay out the streets of Nordhamra: main roads, links, the pattern of each district, paths, boats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import _plan as plan
import _streets_plan as drawn
import numpy as np
import shapely
from _lines import (
    NOTHING,
    ON_FOOT,
    Way,
    bridges_kept,
    clipped,
    components,
    led_on,
    noded,
    parts,
    reached_by_car,
    split_at,
    without_stubs,
)
from _shapes import Wobble, curve
from _town import Town, metres
from shapely.affinity import rotate
from shapely.ops import substring

if TYPE_CHECKING:
    from _people import Grid
    from _relief import Relief

SPEEDS = {
    "motorway": "100", "motorway_link": "70", "trunk": "80", "primary": "60", "secondary": "50", "tertiary": "50",
    "unclassified": "70", "residential": "40", "living_street": "20", "service": "30",
}  # fmt: skip
SURFACES = {
    "footway": "asphalt", "cycleway": "asphalt", "pedestrian": "paving_stones", "path": "ground",
    "track": "gravel", "steps": "concrete",
}  # fmt: skip
LOCAL = frozenset({"residential", "living_street", "service", "unclassified", "footway", "path", "track"})
STEPS = 24
ESTATE_M = 720
"""Radius of the middle of an estate, with its ring road."""
SQUARE = (6.08, 4.85)
"""The middle of the old town, in kilometres on the plan; streets round it are for walkers."""

_FIRST = [
    "Lykt", "Sländ", "Kärr", "Moss", "Tjär", "Barr", "Näver", "Ljung", "Starr", "Vass", "Klipp", "Sot", "Järn", "Tegel",
    "Rör", "Kvast", "Segel", "Märl", "Ankar", "Ponton", "Pumla", "Halm", "Råg", "Linne", "Spån", "Flis", "Glöd",
    "Slagg", "Malm", "Hyvel", "Nål", "Tråd", "Sikt", "Mjöl", "Ister", "Vax", "Talg", "Horn", "Läst", "Sadel", "Betsel",
    "Kimrök", "Ockra", "Krapp", "Indigo", "Alun", "Potask", "Bläck", "Perm", "Sigill",
]  # fmt: skip
_SECOND = [
    "brännar", "vävar", "bindar", "slipar", "sjudar", "krok", "hake", "låda", "kista", "tunna", "balja", "skopa",
    "nyckel", "stol", "bänk", "vagn", "släde", "kälke", "åre", "toft", "krans", "kvist", "knopp", "tova", "harka",
    "räfsa", "lie", "tratt", "filter", "ring",
]  # fmt: skip
_ENDINGS = ["gatan", "vägen", "stigen", "gränd"]


@dataclass
class Names:
    """Hands out invented names of streets, each once."""

    rng: np.random.Generator
    given: set[str]

    def next(self, kind: str) -> str:
        """Return a new name."""
        endings = [e for e in _ENDINGS if (e == "stigen") == (kind in ON_FOOT or kind == "track")]
        while True:
            first, second = self.rng.choice(_FIRST), self.rng.choice(_SECOND)
            name = f"{first}{second}{self.rng.choice(endings)}"
            if name not in self.given and not name.startswith(second[:4].capitalize()):
                self.given.add(name)
                return name


@dataclass(frozen=True)
class Ground:
    """What streets keep clear of."""

    water: shapely.Geometry
    rail: shapely.Geometry
    motorway: shapely.Geometry
    road: shapely.Geometry = NOTHING

    @property
    def all(self) -> shapely.Geometry:
        """Return every barrier at once."""
        return shapely.union_all([self.water, self.rail, self.motorway, self.road])


def tags_of(kind: str, name: str = "", **more: str) -> dict[str, str]:
    """Return the tags of a street of a class."""
    tags = {"highway": kind, **({"name": name} if name else {}), **more}
    if kind in SPEEDS:
        tags.setdefault("maxspeed", SPEEDS[kind])
    tags.setdefault("surface", SURFACES.get(kind, "asphalt"))
    if kind == "cycleway":
        tags.setdefault("foot", "designated")
    return tags


def line_of(points: list[tuple[float, float]]) -> shapely.LineString:
    """Return a smooth line through points of the plan."""
    return shapely.simplify(shapely.LineString(curve(metres(points))), 1.5)


def barriers_of(town: Town) -> Ground:
    """Return the barriers with the room that they need."""
    rail = town.rail.set_index("kind").geometry
    motorway = town.roads.set_index("kind").geometry["motorway"]
    return Ground(
        water=shapely.union_all(town.water.geometry.to_numpy()).buffer(7),
        rail=shapely.union_all([rail["main_line"].buffer(16), rail["freight_branch"].buffer(9)]),
        motorway=motorway.buffer(30),
    )


def drawn_ways(town: Town, ground: Ground, outside: shapely.Geometry) -> tuple[list[Way], list[Way]]:
    """Return main roads with the links for cars, and the links for walkers and cyclists."""
    roads = town.roads.set_index("name").geometry
    shapes = [(n, k, parts(roads[n])[0]) for n, k in drawn.MAIN_ROADS.items()]
    shapes += [(name, kind, line_of(points)) for name, kind, points in drawn.LINKS]
    ways = [Way(line, tags_of(kind, name), group) for group, (name, kind, line) in enumerate(shapes, start=1)]
    ways = clipped(ways, outside, 30)
    small = ON_FOOT | {"track"}
    large = noded([way for way in ways if way.kind not in small])
    # what runs on beyond the street that it is to meet goes, what falls short of it is led on
    kinds = frozenset(way.kind for way in large) - {"trunk"}
    large = without_stubs(large, 170, kinds)
    large = crossings(noded(led_on(large, large, 170)), ground)
    closed = closed_to_walkers(large)
    return large, crossings([way for way in ways if way.kind in small], replace(ground, road=closed))


def closed_to_walkers(ways: list[Way]) -> shapely.Geometry:
    """Return the room of roads that nobody may walk along; a path goes under them."""
    return shapely.union_all([way.line for way in ways if way.tags.get("foot") == "no"]).buffer(14)


def crossings(ways: list[Way], ground: Ground) -> list[Way]:
    """Tag what leads over water and over or under the railway and the motorway."""
    for barrier in ("water", "rail", "motorway", "road"):
        ways = split_at(ways, getattr(ground, barrier))
    result = []
    for way in ways:
        middle = way.line.interpolate(0.5, normalized=True)
        over = [name for name in ("water", "rail", "motorway", "road") if getattr(ground, name).contains(middle)]
        more = {}
        if over:
            under = over[0] != "water" and way.kind in ON_FOOT
            more = {"tunnel": "yes", "layer": "-1"} if under else {"bridge": "yes", "layer": "1"}
        if way.kind == "trunk":
            closed = middle.y > metres((0, 6.75))[1]
            more |= {"foot": "no", "bicycle": "no"} if closed else {"maxspeed": "50", "highway": "primary"}
        result.append(replace(way, tags={**way.tags, **more}))
    return result


def motorway_ways(town: Town, ground: Ground, outside: shapely.Geometry, ways: list[Way]) -> list[Way]:
    """Return both carriageways and the ramps; they meet other streets at the ends of ramps alone."""
    middle = parts(town.roads.set_index("kind").geometry["motorway"].difference(outside))[0]
    right, left = shapely.offset_curve(middle, -11), shapely.reverse(shapely.offset_curve(middle, 11))
    cuts: dict[int, list[float]] = {0: [], 1: []}
    ramps = []
    for name in drawn.INTERCHANGES:
        road = shapely.union_all([w.line for w in ways if w.tags.get("name") in {name, LEADS_ON.get(name, name)}])
        cross = shapely.intersection(road, middle).centroid
        for side, lane in enumerate((right, left)):
            at = lane.project(cross)
            yard = nearest_on(road, lane.interpolate(at), middle, 75)
            for way in (-1, 1):
                tip = lane.interpolate(at + way * 330)
                cuts[side].append(at + way * 330)
                bend = lane.interpolate(at + way * 150)
                away = np.array([bend.x, bend.y]) + outward(lane, at + way * 150) * 32
                points = [(tip.x, tip.y), tuple(away), (yard.x, yard.y)]
                ramps.append(shapely.LineString(points if way < 0 else points[::-1]))
    tags = tags_of("motorway", "Riksleden", oneway="yes", foot="no", bicycle="no")
    below = shapely.union_all([ground.water, ground.rail])
    result = []
    for side, lane in enumerate((right, left)):
        marks = [0.0, *sorted(cuts[side]), lane.length]
        pieces = [substring(lane, a, b) for a, b in pairwise(marks)]
        for way in split_at([Way(p, tags, 900 + side) for p in pieces], below):
            over = below.contains(way.line.interpolate(0.5, normalized=True))
            result.append(replace(way, tags={**tags, **({"bridge": "yes", "layer": "1"} if over else {})}))
    link = tags_of("motorway_link", oneway="yes", foot="no", bicycle="no")
    return result + [Way(line, link, 910 + k) for k, line in enumerate(ramps)]


LEADS_ON = {"Sjövägen": "Lertagsvägen"}
"""Which street goes on where a main road ends at the motorway."""


def nearest_on(
    road: shapely.Geometry, lane_at: shapely.Point, middle: shapely.LineString, away_m: float
) -> shapely.Point:
    """Return the point of a road beside the motorway, on the carriageway's own side."""
    rim = shapely.intersection(road, middle.buffer(away_m).boundary)
    spots = [p for p in shapely.get_parts(rim) if p.geom_type == "Point"]
    at = middle.project(lane_at)
    ahead, here = middle.interpolate(at + 5), middle.interpolate(at)
    along = np.array([ahead.x - here.x, ahead.y - here.y])

    def side(p: shapely.Point) -> float:
        return float(along[0] * (p.y - here.y) - along[1] * (p.x - here.x))

    mine = [p for p in spots if side(p) * side(lane_at) > 0]
    return min(mine, key=lambda p: round(p.distance(lane_at), 3))


def outward(lane: shapely.LineString, at: float) -> np.ndarray:
    """Return the unit vector to the right of a carriageway."""
    a, b = lane.interpolate(at - 5), lane.interpolate(at + 5)
    along = np.array([b.x - a.x, b.y - a.y])
    return np.array([along[1], -along[0]]) / np.hypot(*along)


# ---------------------------------------------------------------- districts


def built_up(town: Town, grid: Grid, workplaces: np.ndarray) -> shapely.Geometry:
    """Return where there are homes or workplaces, without the gaps between them."""
    homes = np.unique(grid_points(grid), axis=0)
    cells = shapely.box(*(homes - 50).T, *(homes + 50).T)
    near_jobs = shapely.buffer(shapely.points(workplaces), 90)
    whole = shapely.union_all([*cells, *near_jobs]).buffer(75).buffer(-45)
    return whole.intersection(town.kommun.geometry.iloc[0])


def grid_points(grid: Grid) -> np.ndarray:
    """Return the middles of the cells where somebody lives, each the oftener the more do."""
    row, column = np.nonzero(grid.residents > 0)
    middles = np.column_stack([grid.west + column * 100.0 + 50, grid.north - row * 100.0 - 50])
    return np.repeat(middles, np.ceil(grid.residents[row, column] / 25).astype(int), axis=0)


def grid_lines(
    region: shapely.Geometry, pattern: drawn.Pattern, turn: float, wobble: Wobble, rng: np.random.Generator
) -> list[tuple[bool, int, shapely.LineString]]:
    """Return the streets of a region: whether across, their number, and their course."""
    middle = region.centroid
    flat = rotate(region, -turn, origin=middle)
    west, south, east, north = flat.bounds
    result = []
    for across, step in ((True, pattern.across), (False, pattern.along)):
        low, high, start, stop = (west, east, south, north) if across else (south, north, west, east)
        places = np.arange(low + step * rng.uniform(0.3, 0.7), high, step)
        for number, place in enumerate(places + rng.uniform(-0.12, 0.12, len(places)) * step):
            run = np.arange(start - 40, stop + 60, 20)
            fixed = np.full(len(run), place)
            line = shapely.LineString(np.column_stack([fixed, run] if across else [run, fixed]))
            line = wobble(rotate(line, turn, origin=middle))
            line = shapely.simplify(line, 1.2)
            result += [(across, number, piece) for piece in parts(line.intersection(region))]
    return result


def street_kind(kind: str, across: bool, number: int, line: shapely.LineString) -> tuple[str, dict[str, str]]:
    """Return the class of a street of a district and what is special about it."""
    if kind in {"centre", "inner"}:
        if shapely.Point(metres(SQUARE)).distance(line) < 130 and kind == "centre":
            return "pedestrian", {"bicycle": "yes"}
        more = {"oneway": "yes"} if not across and number % 3 else {}
        if more and number % 2:
            more |= {"oneway:bicycle": "no"}
        return "residential", more
    if kind == "waterfront":
        return ("living_street" if number % 3 == 1 else "residential"), {}
    if kind == "rural":
        return ("unclassified" if across and number % 2 else "track"), {"maxspeed": "50"} if across else {}
    if kind == "industry":
        return ("unclassified" if across else "service"), {"maxspeed": "40"}
    return "residential", {"maxspeed": "30"} if kind == "villas" else {}


def district_ways(
    district: plan.District, region: shapely.Geometry, turn: float, names: Names, group: int,
    rng: np.random.Generator,
) -> list[Way]:  # fmt: skip
    """Return the streets that fill a district, before they are fitted in."""
    pattern = drawn.PATTERNS[district.kind]
    wobble = Wobble.draw(rng, [(720, pattern.sway), (260, pattern.sway / 5)])
    called: dict[tuple[bool, int], str] = {}
    result = []
    for across, number, line in grid_lines(region, pattern, turn, wobble, rng):
        if line.length < 0.35 * pattern.along:
            continue
        kind, more = street_kind(district.kind, across, number, line)
        name = called.setdefault((across, number), names.next(kind)) if kind not in {"service", "track"} else ""
        same = group + 2 * number + int(across)
        course = shapely.reverse(line) if "oneway" in more and number % 3 == 2 else line
        result.append(Way(course, tags_of(kind, name, **more), same, loose=district.kind))
    return result


def estate_core(region: shapely.Geometry, homes: np.ndarray, barriers: shapely.Geometry) -> shapely.Geometry:
    """Return the middle of an estate, round which its ring road runs."""
    inside = homes[shapely.contains_xy(region, *homes.T)]
    disc = shapely.Point(np.median(inside, axis=0)).buffer(ESTATE_M)
    core = region.intersection(disc).buffer(200).buffer(-260).buffer(60)
    core = core.difference(barriers.buffer(25)).buffer(-70).buffer(70)
    core = max(shapely.get_parts(core), key=lambda p: round(p.area))
    return shapely.Polygon(core.exterior)


def estate_ways(
    name: str, core: shapely.Geometry, turn: float, names: Names, group: int, rng: np.random.Generator
) -> tuple[list[Way], list[Way]]:
    """Return the streets of an estate and, apart, its footpaths: cars outside, people inside.

    A ring road with dead ends leads to the homes; a net of footpaths links them and dives under the ring.
    """
    ring = shapely.simplify(core.exterior, 3)
    loop = Way(ring, tags_of("tertiary", f"{name}s ring", maxspeed="50"), group)
    wobble = Wobble.draw(rng, [(500, 10)])
    inside = core.buffer(-22)
    net = grid_lines(inside, drawn.Pattern(120, 105, 6, 0, 0, 0), turn, wobble, rng)
    paths = []
    for across, number, line in net:
        kind = "cycleway" if number % 3 == 1 else "footway"
        title = names.next(kind) if kind == "cycleway" else ""
        paths.append(Way(line, tags_of(kind, title), group + 10 + 2 * number + int(across)))
    dead_ends = []
    goals = shapely.union_all([w.line for w in paths])
    for k, at in enumerate(np.arange(120, ring.length - 60, 210)):
        start = ring.interpolate(at)
        towards = core.centroid
        deep = 95 + 60 * (k % 3)
        share = min(0.8, deep / start.distance(towards))
        tip = shapely.Point(start.x + share * (towards.x - start.x), start.y + share * (towards.y - start.y))
        onto = shapely.shortest_line(tip, goals).coords[-1]
        line = shapely.LineString([start, tip, onto]) if tip.distance(shapely.Point(onto)) > 5 else None
        line = line or shapely.LineString([start, onto])
        dead_ends.append(Way(line, tags_of("residential", names.next("residential"), maxspeed="30"), group + 300 + k))
    dead_ends = [way for way in dead_ends if way.line.length < 330]
    return [loop, *dead_ends], paths


def underpasses(
    core: shapely.Geometry, paths: list[Way], streets: list[Way], barriers: shapely.Geometry, group: int
) -> tuple[list[Way], list[Way]]:
    """Return tunnels under a ring road, and the ways on to the next street outside; every third path has one."""
    ring = core.exterior
    lines = np.array([w.line for w in streets if w.line.distance(ring) > 12])
    tree = shapely.STRtree(lines)
    tunnels, ways_on = [], []
    for number, way in enumerate(paths):
        points = shapely.get_coordinates(way.line)
        for tip, inner in ((points[0], points[1]), (points[-1], points[-2])):
            if (number + int(tip[0])) % 3 or ring.distance(shapely.Point(tip)) > 40:
                continue
            ahead = (tip - inner) / np.hypot(*(tip - inner))
            out = tip + ahead * (2 * ring.distance(shapely.Point(tip)) + 6)
            spot = shapely.Point(out)
            if core.contains(spot) or spot.distance(ring) < 12:
                continue
            near = tree.query_nearest(spot)[0]
            onto = shapely.shortest_line(spot, lines[near]).coords[-1]
            last = shapely.LineString([out, onto])
            if not 0.5 < last.length < 260 or barriers.intersects(last) or last.intersects(core):
                continue
            tags = {k: v for k, v in way.tags.items() if k != "name"}
            tunnels.append(Way(shapely.LineString([tip, out]), {**tags, "tunnel": "yes", "layer": "-1"}, group + 600))
            ways_on.append(Way(last, tags, group + 601 + len(ways_on)))
    return tunnels, ways_on


def thinned(ways: list[Way], rng: np.random.Generator) -> list[Way]:
    """Leave out some streets that no plot needs; footpaths take the place of a few."""
    needed = bridges_kept(ways, rng)
    lots = rng.uniform(size=(len(ways), 2))
    result = []
    for way, stays, (first, second) in zip(ways, needed, lots, strict=True):
        pattern = drawn.PATTERNS.get(way.loose)
        if pattern is None or stays or first >= pattern.gaps:
            result.append(way)
        elif second < pattern.paths:
            path = "path" if way.loose == "rural" else "footway"
            result.append(replace(way, tags=tags_of(path), group=-1))
    return result


def promenades(town: Town, ground: Ground) -> list[Way]:
    """Return the walks along the shore in the inner town."""
    near = shapely.Point(metres(plan.CENTRE)).buffer(2100)
    river, sea = (town.water.set_index("name").geometry[n] for n in ("Hamraån", "Hamrafjärden"))
    mainland = max(shapely.get_parts(town.kommun.geometry.iloc[0]), key=lambda p: round(p.area))
    shore = shapely.union_all([river, sea]).buffer(45).buffer(-25).boundary
    keep = near.intersection(mainland.buffer(40))
    pieces = parts(shore.intersection(keep).difference(ground.all))
    tags = tags_of("footway", surface="gravel")
    return [Way(shapely.simplify(p, 4), tags, 800 + k) for k, p in enumerate(pieces) if p.length > 150]


def drives(ways: list[Way], barriers: shapely.Geometry, rng: np.random.Generator) -> list[Way]:
    """Return private drives: short dead ends square to a street."""
    shapely.prepare(barriers)
    tree = shapely.STRtree([way.line for way in ways])
    result = []
    for way in ways:
        pattern = drawn.PATTERNS.get(way.loose)
        if pattern is None or way.kind not in {"residential", "unclassified", "track"}:
            continue
        for _ in range(rng.poisson(pattern.private * way.line.length / 1000)):
            at, side, deep = rng.uniform(0.3, 0.7), rng.choice([-1, 1]), rng.uniform(35, 70)
            start = way.line.interpolate(at, normalized=True)
            across = outward(way.line, at * way.line.length) * side * deep
            line = shapely.LineString([(start.x, start.y), (start.x + across[0], start.y + across[1])])
            beyond = substring(line, 16, line.length).buffer(10)
            if not barriers.intersects(beyond) and len(tree.query(beyond, predicate="intersects")) == 0:
                tags = tags_of("service", service="driveway", access="private", surface="gravel")
                result.append(Way(line, tags, 20_000 + len(result)))
    return result


def steps_for(ways: list[Way], relief: Relief) -> list[Way]:
    """Turn the steepest short footpaths into flights of steps."""
    tips = np.array([[way.line.coords[0], way.line.coords[-1]] for way in ways])
    rise = np.abs(relief(tips[:, 0]) - relief(tips[:, 1]))
    steepness = [
        -rise[k] / way.line.length if way.kind == "footway" and 25 < way.line.length < 95 else 0.0
        for k, way in enumerate(ways)
    ]
    for k in np.argsort(np.round(steepness, 4), kind="stable")[:STEPS]:
        ways[k] = replace(ways[k], tags=tags_of("steps", incline="up", surface="concrete"), group=21_000 + int(k))
    return ways


def extras() -> tuple[list[Way], list[Way]]:
    """Return boats, and the paths of an islet that nobody reaches."""
    boats = []
    for k, (name, points, duration) in enumerate(drawn.FERRIES):
        tags = {"route": "ferry", "name": name, "duration": duration, "foot": "yes", "bicycle": "yes"}
        boats.append(Way(line_of(points), {**tags, "motor_vehicle": "no"}, 720 + k))
    lonely = [Way(line_straight(p), tags_of("path"), 730 + k) for k, p in enumerate(drawn.LONELY_PATHS)]
    return boats, lonely


def line_straight(points: list[tuple[float, float]]) -> shapely.LineString:
    """Return a line from point to point of the plan."""
    return shapely.LineString(metres(points))


def fill_districts(
    town: Town, ground: Ground, main: list[Way], built: shapely.Geometry, grid: Grid, rng: np.random.Generator
) -> tuple[list[Way], list[Way], list[tuple[shapely.Geometry, list[Way], int]]]:
    """Return the streets of all districts, their footpaths, and the estates with theirs."""
    names = Names(rng, set())
    free = shapely.union_all([ground.all, shapely.union_all(town.parks.geometry.to_numpy()).buffer(8)])
    streets, paths, estates = [], [], []
    homes = grid_points(grid)
    turns = rng.uniform(-24, 24, len(plan.DISTRICTS))
    for number, district in enumerate(plan.DISTRICTS):
        if district.kind == "islands":
            continue
        shape = town.stadsdelar.geometry.iloc[number]
        region = shape.buffer(-12).intersection(built).difference(free)
        group = 1000 * (number + 1)
        room = region.difference(shapely.union_all([w.line for w in main]).buffer(20))
        if district.kind == "estate":
            core = estate_core(room, homes, ground.all)
            roads, walks = estate_ways(district.name, core, float(turns[number]), names, group, rng)
            streets += roads
            paths += walks
            estates.append((core, walks, group))
            room = room.difference(core.buffer(28))
        turn = 6.0 if district.kind in {"centre", "waterfront"} else float(turns[number])
        streets += district_ways(district, room, turn, names, group + 400, rng)
    return streets, paths, estates


def build_streets(
    town: Town, grid: Grid, workplaces: np.ndarray, relief: Relief, rng: np.random.Generator
) -> list[Way]:
    """Return every way of the town, cut at junctions."""
    ground = barriers_of(town)
    outside = shapely.box(*town.kommun.total_bounds).buffer(9000).difference(shapely.box(*frame_of()))
    main, small = drawn_ways(town, ground, outside)
    highway = motorway_ways(town, ground, outside, main)
    ramps = [way for way in highway if way.kind == "motorway_link"]
    yards = shapely.union_all([way.line for way in ramps]).buffer(16)
    barred = replace(ground, road=closed_to_walkers(main).union(yards)).all
    built = built_up(town, grid, workplaces)
    streets, walks, estates = fill_districts(town, ground, main, built.difference(yards), grid, rng)
    spans = [way for way in [*main, *small] if "bridge" in way.tags or "tunnel" in way.tags]
    on_ground = [way for way in main if way not in spans]
    open_ends = [way for way in on_ground if way.tags.get("foot") != "no"]
    streets = led_on(streets, [*open_ends, *streets], 95, barred)
    tunnels: list[Way] = []
    for core, paths, group in estates:
        dives, ways_on = underpasses(core, paths, [*open_ends, *streets], barred, group)
        tunnels += dives
        walks += ways_on
    shore = led_on(promenades(town, ground), [*open_ends, *streets], 90, barred)
    small = [way for way in small if way not in spans]
    small = led_on(small, [*spans, *small, *open_ends, *streets], 150, barred)
    boats, lonely = extras()
    base = noded([*on_ground, *ramps, *streets, *walks, *small, *shore])
    base = without_stubs(base, 45, LOCAL)
    base = thinned(base, rng)
    base = without_stubs(base, 45, frozenset({"footway", "path"}))
    base = steps_for(base, relief)
    base += drives(base, shapely.union_all([barred, *(way.line.buffer(3) for way in tunnels)]), rng)
    base = noded([*base, *lonely])
    lanes = [way for way in highway if way.kind == "motorway"]
    return settled(reached_by_car([*base, *spans, *tunnels, *lanes, *joined(boats, base)]))


def frame_of() -> tuple[float, float, float, float]:
    """Return the part of the map that has streets: the frame, but not far beyond the border."""
    west, south, east, north = plan.FRAME
    return (*metres((west + 0.4, south)), *metres((east - 0.4, north - 0.4)))


def joined(boats: list[Way], ways: list[Way]) -> list[Way]:
    """Lead the ends of the boats' courses to the nearest junction."""
    reached = [way.line.coords for way in ways if way.kind != "motorway_link"]
    tips = np.array([line[end] for line in reached for end in (0, -1)])
    result = []
    for boat in boats:
        points = shapely.get_coordinates(boat.line)
        for end in (0, -1):
            points[end] = tips[np.argmin(np.round(np.hypot(*(tips - points[end]).T), 2))]
        result.append(replace(boat, line=shapely.LineString(points)))
    return result


def settled(ways: list[Way]) -> list[Way]:
    """Keep the town's network and the islet's paths; round to the grid."""
    ways = [replace(way, line=shapely.LineString(np.round(way.line.coords, 1))) for way in ways]
    ways = [way for way in ways if way.line.length > 0]
    label = components(ways)
    islet = shapely.MultiLineString([line_straight(p) for p in drawn.LONELY_PATHS])
    return [
        way
        for way, network in zip(ways, label, strict=True)
        if network == 0 or (way.kind == "path" and way.line.distance(islet) < 1)
    ]
