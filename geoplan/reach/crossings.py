"""What a crossing here would do: candidates along a barrier, who comes within a quarter of an hour, what is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places.areas import as_crs
from geoplan.reach.kernels import NEVER
from geoplan.reach.link_pairs import Residents, taken
from geoplan.reach.linking import costs
from geoplan.reach.links import Links
from geoplan.reach.snapping import snap
from geoplan.reach.street_edits import Added, added_ways, speed_of
from geoplan.reach.streets import Snapped, Streets

__all__ = ["CrossingEffects", "candidate_crossings", "crossing_effects"]

_FAR = np.iinfo(np.int64).max // 8  # milliseconds that stand for no way, and may be added up
_TANGENT_M = 10.0


# ---------------------------------------------------------------- candidates


def candidate_crossings(
    along: gpd.GeoDataFrame | gpd.GeoSeries, streets: Streets, *, spacing_m: float = 200, reach_m: float = 300
) -> gpd.GeoDataFrame:
    """Lay out crossings along borders or barriers, straight across, from the first street on one side to the other.

    Parameters
    ----------
    along
        Lines (a border, a railway) or polygons (a river), in any stated system. For points, a crossing is laid out
        where it is asked for: give a line through each, or the crossings themselves to :func:`crossing_effects`.
    streets
        What is to be linked.
    spacing_m
        From one to the next.
    reach_m
        How far from the line, or from the rim of the polygon, a street is looked for.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``crossing_id`` (``"1"``, ``"2"`` …), columns ``along`` (row of what it crosses), ``length_m``, lines.
        Where there is no street on one side there is no candidate.

    Raises
    ------
    InputError
        When there is no stated coordinate system, or a spacing or a reach is none.

    Examples
    --------
    >>> from shapely import LineString
    >>> from geoplan.reach import read_streets
    >>> banks = [LineString([(674_000 + x, 6_580_000), (674_000 + x, 6_580_400)]) for x in (0, 100)]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=banks, crs=3006), min_subgraph=1)
    >>> river = gpd.GeoSeries([LineString([(674_050, 6_580_000), (674_050, 6_580_400)])], crs=3006)
    >>> candidate_crossings(river, streets)["length_m"].round().tolist()
    [100.0, 100.0]
    """
    faults = Faults()
    for key, value in (("spacing_m", spacing_m), ("reach_m", reach_m)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
            faults.add(
                SpecError(Fault(what=f"{value!r} is not a number of metres", key=key, expected="metres above 0"))
            )
    if along.crs is None:
        faults.add(checks.crs_missing(hint='say which it is with `.set_crs("EPSG:…")`'))
    faults.raise_any()
    moved = along.geometry.to_crs(as_crs(streets.crs))
    found: list[tuple[str, shapely.LineString]] = []
    taken_places: list[np.ndarray] = []
    for row, shape in zip(along.index, moved, strict=True):
        if shape is None or shape.is_empty:
            continue
        for line in _across(shape, streets, float(spacing_m), float(reach_m)):
            middle = np.asarray(line.interpolate(0.5, normalized=True).coords[0])
            if taken_places and np.hypot(*(np.array(taken_places) - middle).T).min() < spacing_m / 2:
                continue  # a river has two banks
            taken_places.append(middle)
            found.append((str(row), line))
    table = {"along": [row for row, _ in found], "length_m": [line.length for _, line in found]}
    index = pd.Index([str(number + 1) for number in range(len(found))], name="crossing_id", dtype=object)
    lines = gpd.GeoSeries([line for _, line in found], index=index, crs=streets.crs)
    return gpd.GeoDataFrame(table, index=index, geometry=lines).to_crs(along.crs)


def _across(shape: shapely.Geometry, streets: Streets, spacing_m: float, reach_m: float) -> list[shapely.LineString]:
    """Return lines straight across a line or polygon."""
    solid = shapely.get_dimensions(shape) == 2  # noqa: PLR2004  a surface
    lines = []
    for part in shapely.get_parts(shapely.boundary(shape) if solid else shapely.line_merge(shape)):
        number = max(1, int(part.length // spacing_m))
        for at in (np.arange(number) + 0.5) * part.length / number:
            here = np.asarray(part.interpolate(at).coords[0])
            before, behind = (
                np.asarray(part.interpolate(np.clip(at + step, 0, part.length)).coords[0])
                for step in (-_TANGENT_M, _TANGENT_M)
            )
            way = (behind - before) / max(float(np.hypot(*(behind - before))), 1e-9)
            normal = np.array([-way[1], way[0]])
            ends = [_first(here, side * normal, shape if solid else None, streets, reach_m) for side in (1, -1)]
            if ends[0] is not None and ends[1] is not None:
                lines.append(shapely.LineString(ends))
    return lines


def _first(
    here: np.ndarray, way: np.ndarray, solid: shapely.Geometry | None, streets: Streets, reach_m: float
) -> np.ndarray | None:
    """Return the first place on a street in some direction, beyond the polygon if there is one."""
    ray: shapely.Geometry = shapely.LineString([here, here + reach_m * way])
    if solid is not None:
        ray = shapely.difference(ray, solid)
    if ray.is_empty:
        return None
    number = streets.index.query(ray, predicate="intersects")
    if not len(number):
        return None
    hits = shapely.get_coordinates(shapely.intersection(streets.shapes[streets.linkable][number], ray))
    if not len(hits):
        return None
    return np.asarray(hits[np.argmin(np.hypot(*(hits - here).T))])


# ---------------------------------------------------------------- effects


@dataclass(frozen=True, eq=False)
class CrossingEffects:
    """What crossings would do, each by itself.

    Attributes
    ----------
    frame
        A row for each candidate (``crossing_id``), the best first; lines. Columns: ``rank``; ``area_a, area_b, name_a,
        name_b`` (the districts at its ends; if these lie in one, this and the neighbour for which it does most);
        ``length_m``; ``crossing_min``; ``people`` (residents newly within reach, see :func:`crossing_effects`),
        ``people_a, people_b`` (of either district); ``pairs_gained`` (pairs of people, one of each district, newly
        within reach of each other) and ``others_gained`` (how many residents of the other district each resident of
        either newly has within reach, on average); ``residents_gaining`` (whose way to what counts gets shorter),
        ``minutes_saved`` (each of these, on average) and ``hours_saved`` (all of them, one way once);
        ``points_min_before, points_min_after`` (between the people-weighted points), ``people_min_before,
        people_min_after`` (between people opposite each other), both as means of there and back;
        ``index_difference`` (of the districts, b less a) and ``rank_difference`` (by what ranks, times the size of it);
        ``status`` and ``reason``.
    within_min
        What counts as within reach, minutes.
    record
        Streets, speed, and what was asked for.
    notes
        What a reader should know, as sentences.
    """

    frame: gpd.GeoDataFrame
    within_min: float
    record: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what was found as sentences, the best crossing first."""
        known = self.frame[self.frame["status"] == "observed"]
        if not len(known):
            return ["no candidate links two districts", *self.notes]
        best = known.iloc[0]
        near = f", {best['people']:,.0f} residents within that time of {self.record['goal']}" if best["people"] else ""
        first = (
            f"crossing {known.index[0]} between {best['name_a']} and {best['name_b']} brings "
            f"{best['pairs_gained']:,.0f} pairs of people within {self.within_min:g} minutes of each other{near}, "
            f"and saves {best['residents_gaining']:,.0f} residents {best['minutes_saved']:.1f} minutes each on the way"
        )
        return [first, *self.notes]


@dataclass(frozen=True, eq=False)
class _Side:
    """The people of a pair of districts, and the ways between them as they are: milliseconds."""

    rows: np.ndarray
    area: np.ndarray
    weight: np.ndarray
    points: Snapped
    to_goal: np.ndarray  # from each person to what is counted: the other district's point, or the nearest destination
    to_others: np.ndarray  # from people of the first district to those of the other
    from_others: np.ndarray
    middle: np.ndarray  # between the two points, there and back
    opposite: tuple[np.ndarray, np.ndarray]  # rows of people opposite each other
    apart: np.ndarray  # between these, there and back


def crossing_effects(
    found: Links,
    candidates: gpd.GeoDataFrame,
    streets: Streets,
    *,
    destinations: gpd.GeoDataFrame | None = None,
    by: Literal["pairs", "people", "minutes"] | None = None,
    within_min: float = 15,
    max_min: float = 120,
    kmh: float | None = None,
    radius_m: float = 100,
) -> CrossingEffects:
    r"""Find what each of several crossings would do by itself, and rank them.

    Parameters
    ----------
    found
        The links as they are.
    candidates
        Lines, each a crossing; in any stated system. Their ends are linked to the nearest street.
    streets
        On which one walks (or cycles): the network without the crossings.
    destinations
        Points that count as reached, such as workplaces or schools, in place of the other district.
    by
        What ranks: ``"pairs"`` (``pairs_gained``), ``"people"`` or ``"minutes"`` (``hours_saved``); people if there
        are ``destinations``, else pairs. The others decide among equals.
    within_min
        What is within reach.
    max_min
        Longest way that is looked for.
    kmh
        Speed on the crossing; the mode's own if left out.
    radius_m
        How far an end may lie from the nearest street.

    Returns
    -------
    CrossingEffects
        The best first.

    Raises
    ------
    InputError
        For candidates or destinations that cannot be used, and arguments out of range.

    Notes
    -----
    ``people`` are the residents of the two districts at the ends of the crossing who have the other district's
    people-weighted point, or the nearest of the ``destinations``, newly within ``within_min``: after and not before.
    Districts are often larger than a quarter of an hour, so that few have the other's *point* within it whatever is
    built; ``pairs_gained`` has no such point in it. It counts pairs of people, one of each district, who are newly
    within that time of each other.

    With one new link *e–f* that takes *c*, a time is

    .. math:: t'(i, j) = \min\{t(i, j),\ t(i, e) + c + t(f, j),\ t(i, f) + c + t(e, j)\}

    so that no time gets longer and nothing that was within reach is lost. :func:`with_crossings` builds the streets
    themselves, for whatever else is to be asked of them.

    Who had no way before has no minutes to save; they count among ``people``, and not in ``minutes_saved``.

    Examples
    --------
    >>> from shapely import LineString, Point, box
    >>> from geoplan.reach import links, read_streets
    >>> x, y = 674_000, 6_580_000
    >>> def line(*points):
    ...     return LineString([(x + a, y + b) for a, b in points])
    >>> banks = [line((0, 0), (0, 800)), line((0, 800), (200, 800)), line((200, 800), (200, 0))]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=banks, crs=3006), min_subgraph=1)
    >>> areas = gpd.GeoDataFrame({"name": ["West", "East"]}, index=["w", "e"], crs=3006,
    ...                          geometry=[box(x - 9, y - 9, x + 100, y + 809), box(x + 100, y - 9, x + 209, y + 809)])
    >>> homes = gpd.GeoDataFrame({"population": [30, 20]}, geometry=[Point(x, y), Point(x + 200, y)], crs=3006)
    >>> bridge = gpd.GeoDataFrame(geometry=[line((0, 0), (200, 0))], index=["new"], crs=3006)
    >>> effects = crossing_effects(links(areas, homes, streets), bridge, streets)
    >>> effects.frame[["people", "residents_gaining", "minutes_saved"]].round(1).values.tolist()
    [[50.0, 50.0, 20.5]]
    """
    faults = Faults()
    for key, value in (("within_min", within_min), ("max_min", max_min), ("radius_m", radius_m)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
            faults.add(SpecError(Fault(what=f"{value!r} is none", key=key, expected="a number above 0")))
    by = by or ("pairs" if destinations is None else "people")
    if by not in _BY:
        faults.add(checks.unknown_name("measure", str(by), _BY, key="by"))
    if not isinstance(found, Links):
        what = f"links of type {type(found).__name__}"
        faults.add(SpecError(Fault(what=what, key="found", expected="what `links(…)` returns")))
    faults.raise_any()
    speed = speed_of(streets, kmh)
    ways = added_ways(streets, candidates, kmh=speed, radius_m=radius_m)
    ready = _Ready(found, streets, ways, destinations, round(within_min * 60_000), max_min)
    rows = [ready.effect(number) for number in range(len(ways))]
    index = pd.Index(ways.ids, name="crossing_id", dtype=object)
    frame = _ranked(pd.DataFrame(rows, columns=_COLUMNS, index=index), by)
    lines = gpd.GeoSeries(ways.lines, index=ways.ids, crs=streets.crs).to_crs(found.areas.crs)
    record = {
        "streets": dict(streets.record),
        "kmh": speed,
        "by": by,
        "within_min": within_min,
        "max_min": max_min,
        "goal": "the other district's people-weighted point" if destinations is None else "the nearest destination",
        "destinations": None if destinations is None else len(destinations),
    }
    unknown = int((frame["status"] != "observed").sum())
    notes = (f"{unknown:,} of {len(frame):,} candidates have no effect that can be told",) if unknown else ()
    return CrossingEffects(gpd.GeoDataFrame(frame, geometry=lines.reindex(frame.index)), within_min, record, notes)


_COLUMNS = (
    "area_a", "area_b", "name_a", "name_b", "length_m", "crossing_min", "people", "people_a", "people_b",
    "pairs_gained", "others_gained", "residents_gaining", "minutes_saved", "hours_saved",
    "points_min_before", "points_min_after", "people_min_before", "people_min_after", "index_difference",
    "status", "reason",
)  # fmt: skip


_BY = {"pairs": "pairs_gained", "people": "people", "minutes": "hours_saved"}


def _ranked(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """Put the best first; what has no effect that can be told has no rank."""
    keys = [_BY[by], *(key for key in _BY.values() if key != _BY[by])]
    frame = frame.sort_values(keys, ascending=False, kind="stable", na_position="last")
    known = frame["status"] == "observed"
    weighed = (frame[keys[0]] * frame["index_difference"].abs()).astype(float)
    ranks = weighed.rank(ascending=False, method="min")
    frame.insert(0, "rank", known.cumsum().where(known).astype("Int64"))
    frame.insert(list(frame.columns).index("index_difference") + 1, "rank_difference", ranks.astype("Int64"))
    return frame


class _Ready:
    """What is known before any crossing is looked at; the ways of a pair of districts are found once."""

    def __init__(
        self,
        found: Links,
        streets: Streets,
        ways: Added,
        destinations: gpd.GeoDataFrame | None,
        limit: int,
        max_min: float,
    ) -> None:
        self.found, self.streets, self.ways, self.limit = found, streets, ways, limit
        self.max_s = max_min * 60
        crs = as_crs(streets.crs)
        self.ids = [str(code) for code in found.areas.index]
        self.shapes = found.areas.geometry.to_crs(crs).to_numpy()
        self.tree = shapely.STRtree(self.shapes)
        self.middle = snap(streets, found.isolation.geometry)
        self.goals = None if destinations is None else snap(streets, destinations)
        self.sides: dict[tuple[int, int], _Side] = {}

    def effect(self, number: int) -> dict[str, Any]:
        """Return what one crossing would do."""
        way = self.ways
        row: dict[str, Any] = dict.fromkeys(_COLUMNS, np.nan) | dict.fromkeys(_COLUMNS[:4], "")
        row |= {
            "length_m": way.length_m[number],
            "crossing_min": way.ms[number] / 60_000,
            "status": "observed",
            "reason": "",
        }
        if not way.on_streets[number]:
            lost = [way.ends.reason[2 * number + end] for end in (0, 1) if way.ends.piece[2 * number + end] < 0]
            return row | {"status": "out_of_scope", "reason": "; ".join(dict.fromkeys(lost))}
        tips = shapely.points(way.ends.xy[[2 * number, 2 * number + 1]])
        near = self.tree.query_nearest(tips)
        one, other = (int(near[1][near[0] == end].min()) for end in (0, 1))
        one, other = min(one, other), max(one, other)  # as in the pairs
        ends = [(one, other)] if one != other else self.neighbours(one)
        known = [pair for pair in ends if len(self.side(*pair).rows)]
        if not known:
            nobody = "nobody lives in the districts at its ends"
            alone = "both ends lie in one district, which has no neighbour"
            return row | self.called(one, other) | {"status": "not_applicable", "reason": nobody if ends else alone}
        changes = [(self.change(number, self.side(*pair), *pair), pair) for pair in known]
        best, (one, other) = max(changes, key=lambda each: [each[0][measure] for measure in _BY.values()])
        return row | self.called(one, other) | best | {"index_difference": self.difference(one, other)}

    def called(self, one: int, other: int) -> dict[str, str]:
        """Return codes and names of two districts."""
        names = self.found.areas["name"]
        codes = {"area_a": self.ids[one], "area_b": self.ids[other]}
        return codes | {"name_a": names.iloc[one], "name_b": names.iloc[other]}

    def neighbours(self, area: int) -> list[tuple[int, int]]:
        """Return the pairs of neighbours that a district belongs to."""
        pairs = self.found.pairs
        own = pairs[(pairs["area_a"] == self.ids[area]) | (pairs["area_b"] == self.ids[area])]
        number = {code: row for row, code in enumerate(self.ids)}
        return [(number[a], number[b]) for a, b in zip(own["area_a"], own["area_b"], strict=True)]

    def difference(self, one: int, other: int) -> float:
        """Return how the index of two districts differs, where they are neighbours."""
        pairs = self.found.pairs
        own = (pairs["area_a"] == self.ids[one]) & (pairs["area_b"] == self.ids[other])
        return float(pairs.loc[own, "index_difference"].iloc[0]) if own.any() else float("nan")

    def side(self, one: int, other: int) -> _Side:
        """Return the people of two districts and the ways between them as they are."""
        if (one, other) not in self.sides:
            self.sides[one, other] = self.between(one, other)
        return self.sides[one, other]

    def between(self, one: int, other: int) -> _Side:
        """Find the people of two districts and the ways between them."""
        people: Residents = self.found.people
        rows = np.flatnonzero(np.isin(people.area, [one, other]))
        area = people.area[rows]
        points = snap(self.streets, people.points(rows))
        first, second = np.flatnonzero(area == one), np.flatnonzero(area == other)
        pair = taken(self.middle, np.array([one, other]))
        to_points, middle = self.time(points, pair), self.time(pair, pair)
        to_goal = (
            np.where(area == one, to_points[:, 1], to_points[:, 0]) if self.goals is None else self.nearest(points)
        )
        samples = self.found.samples
        own = (samples["area_a"] == self.ids[one]) & (samples["area_b"] == self.ids[other])
        place = pd.Series(np.arange(len(rows)), index=people.ids[rows])
        here, there = (place[samples.loc[own, side]].to_numpy() for side in ("from_id", "to_id"))
        return _Side(
            rows=rows,
            area=area,
            weight=people.number[rows],
            points=points,
            to_goal=to_goal,
            to_others=self.time(taken(points, first), taken(points, second), self.limit / 1000),
            from_others=self.time(taken(points, second), taken(points, first), self.limit / 1000).T,
            middle=np.array([middle[0, 1], middle[1, 0]]),
            opposite=(here, there),
            apart=np.stack([self.row_by_row(points, here, there), self.row_by_row(points, there, here)]),
        )

    def time(self, origins: Snapped, goals: Snapped, max_s: float | None = None) -> np.ndarray:
        """Return milliseconds from all origins to all goals."""
        numbers = np.arange(len(origins.piece))
        found = costs(self.streets, origins, goals, numbers, max_s=self.max_s if max_s is None else max_s)
        return _wide(found)

    def row_by_row(self, points: Snapped, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Return milliseconds between points of two lists, row by row."""
        return np.diagonal(self.time(taken(points, one), taken(points, other))).copy()

    def nearest(self, points: Snapped) -> np.ndarray:
        """Return milliseconds from each point to the nearest destination."""
        assert self.goals is not None  # noqa: S101  asked for where there are some
        numbers = np.arange(len(self.goals.piece))
        back = costs(self.streets, self.goals, points, numbers, max_s=self.max_s, turned=True)
        return np.asarray(_wide(back).min(axis=0, initial=_FAR))

    def change(self, number: int, side: _Side, one: int, other: int) -> dict[str, Any]:
        """Return what changes for two districts."""
        tips = taken(self.ways.ends, np.array([2 * number, 2 * number + 1]))
        took = int(self.ways.ms[number])
        numbers = np.arange(2)
        away = _wide(costs(self.streets, tips, side.points, numbers, max_s=self.max_s))
        back = _wide(costs(self.streets, tips, side.points, numbers, max_s=self.max_s, turned=True))
        pair = taken(self.middle, np.array([one, other]))
        out, home = self.time(tips, pair), self.time(pair, tips)
        # From a person over the crossing, one way and the other, to what counts.
        beyond = (
            out[:, (side.area == one).astype(int)]
            if self.goals is None
            else self.time(tips, self.goals).min(axis=1)[:, None]
        )
        after = np.minimum(side.to_goal, np.minimum(back[0] + took + beyond[1], back[1] + took + beyond[0]))
        newly = (after <= self.limit) & (side.to_goal > self.limit)
        saved = np.where(side.to_goal < _FAR, side.to_goal - after, 0)
        gaining = side.weight[saved > 0].sum()
        total = (saved * side.weight).sum() / 60_000
        middle = np.minimum(side.middle, [_over(home[0], out[:, 1], took), _over(home[1], out[:, 0], took)])
        here, there = side.opposite
        apart = np.minimum(
            side.apart,
            np.stack([_over(back[:, a], away[:, b], took) for a, b in ((here, there), (there, here))]),
        )
        return {
            "people": side.weight[newly].sum(),
            "people_a": side.weight[newly & (side.area == one)].sum(),
            "people_b": side.weight[newly & (side.area == other)].sum(),
            **self.pairs(side, one, away, back, took),
            "residents_gaining": gaining,
            "minutes_saved": total / gaining if gaining else 0.0,
            "hours_saved": total / 60,
            "points_min_before": _mean(side.middle),
            "points_min_after": _mean(middle),
            **self.opposite_means(side.apart, apart),
        }

    def opposite_means(self, before: np.ndarray, after: np.ndarray) -> dict[str, float]:
        """Return the mean way between people opposite each other, over pairs that had one before."""
        known = (before < _FAR).all(axis=0)
        means = [float(part[:, known].mean() / 60_000) if known.any() else np.nan for part in (before, after)]
        return {"people_min_before": means[0], "people_min_after": means[1]}

    def pairs(self, side: _Side, one: int, away: np.ndarray, back: np.ndarray, took: int) -> dict[str, float]:
        """Return how many pairs of people are newly within reach, and how many others that is for each."""
        first, second = side.area == one, side.area != one
        gained = 0.0
        for mine, theirs, before in ((first, second, side.to_others), (second, first, side.from_others.T)):
            over = np.minimum(
                back[0, mine][:, None] + took + away[1, theirs][None, :],
                back[1, mine][:, None] + took + away[0, theirs][None, :],
            )
            new = (over <= self.limit) & (before > self.limit)
            gained += float(side.weight[mine] @ new @ side.weight[theirs])
        return {"pairs_gained": gained / 2, "others_gained": gained / float(side.weight.sum())}


def _over(back: np.ndarray, away: np.ndarray, took: int) -> Any:
    """Return the way over a crossing, whichever end comes first."""
    return np.minimum(back[0] + took + away[1], back[1] + took + away[0])


def _mean(both: np.ndarray) -> float:
    return float(both.mean() / 60_000) if (both < _FAR).all() else float("nan")


def _wide(cost_ms: np.ndarray) -> np.ndarray:
    return np.where(cost_ms == NEVER, _FAR, cost_ms.astype(np.int64))
