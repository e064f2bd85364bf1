"""Lead the lines of public transport along streets and tracks, and set their stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import _transit_plan as timetable
import numpy as np
import shapely
from _lines import Way, ends
from _shapes import curve
from _town import Town, metres
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from shapely.ops import substring

if TYPE_CHECKING:
    from collections.abc import Iterable

DEAR = {
    "trunk": 0.8, "primary": 0.85, "secondary": 0.9, "tertiary": 1.0, "unclassified": 1.1, "residential": 1.7,
    "living_street": 3.0,
}  # fmt: skip
"""Where buses go, and how much they would rather go elsewhere."""

KERB_M = 6.0
SAME_STOP_M = 160.0


@dataclass(frozen=True)
class Roads:
    """The streets on which a bus can go and come back."""

    xy: np.ndarray
    graph: coo_matrix
    detour: np.ndarray
    lines: dict[tuple[int, int], shapely.LineString]

    @classmethod
    def of(cls, ways: list[Way]) -> Roads:
        """Take from all ways those for buses."""
        mine = [way for way in ways if way.kind in DEAR and way.tags.get("access") != "private"]
        xy, start, end = ends(mine)
        arcs: dict[tuple[int, int], tuple[float, shapely.LineString]] = {}
        for way, a, b in zip(mine, start.tolist(), end.tolist(), strict=True):
            price = way.line.length * DEAR[way.kind]
            both = [(a, b, way.line)] + ([] if way.tags.get("oneway") == "yes" else [(b, a, way.line.reverse())])
            for one, other, line in both:
                if one != other and price < arcs.get((one, other), (np.inf, line))[0]:
                    arcs[one, other] = price, line
        keys = np.array(list(arcs))
        prices = np.array([price for price, _ in arcs.values()])
        graph = coo_matrix((prices, keys.T), shape=(len(xy), len(xy))).tocsr()
        _, label = connected_components(graph, connection="strong")
        main = label == np.bincount(label).argmax()
        keep = main[keys].all(axis=1)
        graph = coo_matrix((prices[keep], keys[keep].T), shape=graph.shape).tocsr()
        xy = np.where(main[:, None], xy, np.inf)
        best = np.full(len(xy), np.inf)
        for way, a, b in zip(mine, start, end, strict=True):
            best[[a, b]] = np.minimum(best[[a, b]], DEAR[way.kind])
        # a named stop is on the larger street, if that is almost as near
        detour = np.where(best >= DEAR["residential"], 130.0, np.where(best >= 1.0, 45.0, 0.0))
        return cls(xy, graph, detour, {key: line for key, (_, line) in arcs.items()})

    def near(self, spot: np.ndarray) -> int:
        """Return the nearest junction."""
        return int(np.argmin(np.round(np.hypot(*(self.xy - spot).T) + self.detour, 2)))

    def way(self, spots: Iterable[np.ndarray]) -> tuple[shapely.LineString, list[float]]:
        """Return the cheapest way along all spots and how far along it each lies."""
        stops = [self.near(spot) for spot in spots]
        course = [self.xy[stops[0]]]
        marks = [0.0]
        for a, b in pairwise(stops):
            _, before = dijkstra(self.graph, indices=a, return_predecessors=True)
            nodes = [b]
            while nodes[-1] != a:
                nodes.append(int(before[nodes[-1]]))
            nodes.reverse()
            for pair in pairwise(nodes):
                course.extend(np.array(self.lines[pair].coords)[1:])
            marks.append(float(np.hypot(*np.diff(course, axis=0).T).sum()))
        return shapely.LineString(course), marks


@dataclass
class Stop:
    """One platform, or a place where a bus stops in one direction."""

    stop_id: str
    name: str
    xy: np.ndarray
    station: str = ""
    platform: str = ""
    wheelchair: int = 1


@dataclass
class Place:
    """Both sides of a street where buses stop."""

    number: int
    name: str
    xy: np.ndarray
    heading: np.ndarray
    sides: dict[str, Stop] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """One direction of a line: its shape, and how far along it each stop lies."""

    line: timetable.Line
    shape_id: str
    direction: int
    shape: shapely.LineString
    stops: list[Stop]
    at_m: list[float]
    named: list[bool]


class Network:
    """All stops and courses, in the order in which they were set."""

    def __init__(self, town: Town, ways: list[Way]) -> None:
        self.roads = Roads.of(ways)
        streets = [way for way in ways if way.tags.get("name") and way.kind in DEAR]
        self._street_names = [way.tags["name"] for way in streets]
        self._streets = shapely.STRtree([way.line for way in streets])
        self._areas = town.basomraden
        self._area_tree = shapely.STRtree(town.basomraden.geometry.to_numpy())
        walked = [way.line for way in ways if way.tags.get("foot") != "no" and way.kind != "ferry"]
        self._ground = np.array(walked)
        self._ground_tree = shapely.STRtree(self._ground)
        self.stations: dict[str, np.ndarray] = {}
        self.stops: dict[str, Stop] = {}
        self.places: list[Place] = []
        self.courses: list[Course] = []
        self._names = {name for line in timetable.LINES for name, _ in line.stops}
        self._closed = shapely.union_all([way.line for way in ways if way.tags.get("foot") == "no"])

    # ------------------------------------------------------------ rails and boats

    def station(self, name: str, spot: np.ndarray) -> str:
        """Return the id of a station; made when it is named for the first time."""
        if name not in self.stations:
            self.stations[name] = np.round(spot, 1)
            self._names.add(name)
        return f"S{list(self.stations).index(name) + 1:02d}"

    def platform(self, name: str, spot: np.ndarray, across: np.ndarray, label: str) -> Stop:
        """Return a platform of a station."""
        station = self.station(name, spot)
        stop_id = f"{station}{label}"
        if stop_id not in self.stops:
            # one station waits for its lift
            wheelchair = 2 if name == "Norrbrinken" else 1
            self.stops[stop_id] = Stop(stop_id, name, np.round(spot + across, 1), station, label, wheelchair)
        return self.stops[stop_id]

    def add_rail(
        self, line: timetable.Line, stations: list[tuple[str, np.ndarray]], shape: shapely.LineString, mark: str
    ) -> None:
        """Set both directions of a line on tracks."""
        at = [shape.project(shapely.Point(spot)) for _, spot in stations]
        for direction in (0, 1):
            course = shape if direction == 0 else shape.reverse()
            order = range(len(stations)) if direction == 0 else reversed(range(len(stations)))
            stops, along = [], []
            for k in order:
                name, spot = stations[k]
                step = 9.0 if direction == 0 else -9.0
                across = right_of(shape, at[k]) * step
                stops.append(self.platform(name, spot, across, f"{mark}{direction + 1}"))
                along.append(at[k] if direction == 0 else shape.length - at[k])
            self._add(line, direction, course, stops, along, [True] * len(stops))

    def add_boat(self, line: timetable.Line, quays: list[tuple[str, np.ndarray]], shape: shapely.LineString) -> None:
        """Set both directions of a boat; it calls at one quay each way."""
        for name, spot in quays:
            self._names.add(name)
            self.stops[f"Q{name[:2].upper()}"] = Stop(f"Q{name[:2].upper()}", name, np.round(spot, 1), wheelchair=0)
        at = [shape.project(shapely.Point(spot)) for _, spot in quays]
        stops = [self.stops[f"Q{name[:2].upper()}"] for name, _ in quays]
        self._add(line, 0, shape, stops, at, [True] * 3)
        self._add(line, 1, shape.reverse(), stops[::-1], [shape.length - a for a in at[::-1]], [True] * 3)

    def _add(
        self, line: timetable.Line, direction: int, shape: shapely.LineString, stops: list[Stop], at: list[float],
        named: list[bool],
    ) -> None:  # fmt: skip
        shape_id = f"{line.number}-{len(self.courses) + 1:02d}"
        self.courses.append(Course(line, shape_id, direction, shape, stops, at, named))

    # ------------------------------------------------------------ buses

    def add_bus(self, line: timetable.Line) -> None:
        """Set a bus line along the streets, with stops between those that are named."""
        spots = [metres(spot) for _, spot in line.stops]
        course, marks = self.roads.way(spots)
        places = self._places(line, course, marks)
        self._add_course(line, 0, course, places)
        if line.back is not None:
            course, _ = self.roads.way(spots[::-1])
            share = course.length / places[-1][2]
            back = [(place, named, course.length - at * share) for place, named, at in reversed(places)]
            self._add_course(line, 1, course, back)

    def _add_course(
        self, line: timetable.Line, direction: int, course: shapely.LineString, places: list[tuple[Place, bool, float]]
    ) -> None:
        """Set the stops of one direction: each place where the course passes it, about where it is expected."""
        stops: list[Stop] = []
        at: list[float] = []
        flags = []
        for k, (place, named, expected) in enumerate(places):
            where = self._along(course, place, expected)
            if k in {0, len(places) - 1}:
                where = 0.0 if k == 0 else course.length
            if where is None or (at and where < at[-1] + 60):
                continue
            stops.append(self._side(place, course, where))
            at.append(where)
            flags.append(named)
        self._add(line, direction, course, stops, at, flags)

    @staticmethod
    def _along(course: shapely.LineString, place: Place, expected: float) -> float | None:
        """Return how far along a course a place lies, or None where the course leaves it aside."""
        spot = shapely.Point(place.xy)
        low = max(0.0, expected - 450)
        near = substring(course, low, min(course.length, expected + 450))
        return low + near.project(spot) if near.distance(spot) < 40 else None

    def _places(
        self, line: timetable.Line, course: shapely.LineString, marks: list[float]
    ) -> list[tuple[Place, bool, float]]:
        """Return the places where a line stops, whether each is a named one, and how far along it is expected."""
        result: list[tuple[Place, bool, float]] = []
        for k, (name, _) in enumerate(line.stops):
            result.append((self._place(course, marks[k], name), True, marks[k]))
            if k + 1 == len(marks):
                break
            gap = marks[k + 1] - marks[k]
            between = max(0, round(gap / line.spacing) - 1)
            for j in range(between):
                at = marks[k] + gap * (j + 1) / (between + 1)
                if shapely.dwithin(self._closed, course.interpolate(at), 20):
                    continue  # nobody may walk to a stop there
                place = self._place(course, at, "")
                if place not in [known for known, _, _ in result[-2:]]:
                    result.append((place, False, at))
            ahead = self._spot(course, marks[k + 1])
            if not result[-1][1] and np.hypot(*(result[-1][0].xy - ahead)) < SAME_STOP_M:
                result.pop()
        return result

    @staticmethod
    def _spot(course: shapely.LineString, at: float) -> np.ndarray:
        point = course.interpolate(at)
        return np.array([point.x, point.y])

    def _place(self, course: shapely.LineString, at: float, name: str) -> Place:
        """Return the place of a stop, one that is there already where it lies on the way."""
        spot = self._spot(course, at)
        near = []
        for place in self.places:
            away = float(np.hypot(*(place.xy - spot)))
            if name and place.name == name and away < 350:
                return place
            if not name and away < SAME_STOP_M and course.distance(shapely.Point(place.xy)) < 15:
                near.append((round(away, 2), place.number, place))
        if near:
            return min(near)[2]
        across = right_of(course, at)
        place = Place(len(self.places) + 1, name or self._name(spot), spot, np.array([-across[1], across[0]]))
        self._names.add(place.name)
        self.places.append(place)
        return place

    def _name(self, spot: np.ndarray) -> str:
        point = shapely.Point(spot)
        area = self._area_tree.query_nearest(point)[0]
        names = [self._areas["name"].iloc[area]]
        near = self._streets.query(point, predicate="dwithin", distance=60)
        names += sorted({self._street_names[k] for k in near})
        streets = list(names[1:]) or names
        names += [f"{streets[0]} {label}" for label in ("norra", "södra", "östra", "västra", "mitten", "övre", "nedre")]
        return next(name for name in names if name not in self._names)

    def _side(self, place: Place, course: shapely.LineString, at: float) -> Stop:
        across = right_of(course, at)
        ahead = np.array([-across[1], across[0]])
        side = "A" if float(ahead @ place.heading) >= 0 else "B"
        if side not in place.sides:
            station, platform = "", ""
            hall = self.stations.get(place.name)
            if hall is not None and np.hypot(*(hall - place.xy)) < 420:
                station, platform = self.station(place.name, hall), f"bus {side}"
            stop = Stop(
                f"{1000 + place.number}{side}", place.name, np.round(place.xy + across * KERB_M, 1), station, platform
            )
            place.sides[side] = stop
            self.stops[stop.stop_id] = stop
        return place.sides[side]

    # ------------------------------------------------------------ where they stand

    def beside_street(self, spot: np.ndarray) -> np.ndarray:
        """Return the nearest spot on a street that one may walk on."""
        point = shapely.Point(spot)
        line = self._ground[self._ground_tree.query_nearest(point)[0]]
        onto = line.interpolate(line.project(point))
        return np.array([onto.x, onto.y])


def right_of(line: shapely.LineString, at: float) -> np.ndarray:
    """Return the unit vector to the right of a line's direction."""
    # of what has been travelled: beyond the stop a bus may turn
    a, b = (line.interpolate(max(0.0, at - 8)), line.interpolate(max(at, 8.0)))
    along = np.array([b.x - a.x, b.y - a.y])
    return np.array([along[1], -along[0]]) / np.hypot(*along)


def build_network(town: Town, ways: list[Way]) -> Network:
    """Set every line of the town."""
    network = Network(town, ways)
    lines = {(line.mode, line.number): line for line in timetable.LINES}
    track = shapely.line_merge(town.rail.set_index("kind").geometry["main_line"])
    rail = []
    for name, street in timetable.RAIL:
        road = shapely.union_all([way.line for way in ways if way.tags.get("name") == street])
        cross = shapely.intersection(road, track).centroid
        rail.append((name, np.array([cross.x, cross.y])))
    metro = [(name, network.beside_street(metres(spot))) for name, spot in timetable.METRO]
    tunnel = shapely.LineString(curve(np.array([spot for _, spot in metro])))
    network.add_rail(lines["rail", "J"], rail, substring(track, *span(track, rail)), "J")
    network.add_rail(lines["metro", "T1"], metro, tunnel, "T")
    for line in timetable.LINES:
        if line.mode in {"bus", "express", "night"}:
            network.add_bus(line)
    boats = [way for way in ways if way.kind == "ferry"]
    first, second = sorted(boats, key=lambda way: -way.line.coords[0][1])
    quays = [
        ("Skeppsbryggan", np.array(first.line.coords[0])),
        ("Vretholmen", np.array(first.line.coords[-1])),
        ("Storhamraholmen", np.array(second.line.coords[-1])),
    ]
    course = shapely.LineString([*first.line.coords, *second.line.coords])
    network.add_boat(lines["boat", "F"], quays, course)
    return network


def span(track: shapely.LineString, stations: list[tuple[str, np.ndarray]]) -> tuple[float, float]:
    """Return the part of a track that trains of the town use."""
    at = [track.project(shapely.Point(spot)) for _, spot in stations]
    return min(at), max(at)
