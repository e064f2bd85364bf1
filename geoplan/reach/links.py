"""Links between neighbouring districts: how near they are, how near they could be, and what parts them.

*Link* and *connectivity* are Swedish *samband*: what a plan means that wants more of it between districts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.errors import Fault, Faults, SpecError, listed
from geoplan.reach.barriers import MET_COLUMNS, Met, as_barriers
from geoplan.reach.link_borders import Border, Passages, longest_gap, passages, shared_borders, usable
from geoplan.reach.link_graph import cut_links
from geoplan.reach.link_pairs import Residents
from geoplan.reach.link_tables import Modes, Town, index_columns, isolation_of, points_table, samples_of, town_of
from geoplan.reach.network import Network
from geoplan.reach.streets import Snapped, Streets
from geoplan.reach.times import TravelTimes

__all__ = ["Links", "links"]

_HUNDRED = 100
_SHORTEST_M = 50.0  # of a border: less is a corner
_NO_WAY_M = 78.0  # metres in a minute on foot: how far one might have gone who finds no way


@dataclass(frozen=True, eq=False)
class Links:
    """Links between neighbouring districts.

    Attributes
    ----------
    pairs
        A row for each pair of neighbours, its geometry the border between them. Columns:

        ``area_a, area_b, name_a, name_b`` (text), ``residents_a, residents_b`` (persons), ``how`` (``border``, or
        ``gap`` where the border is the middle of what parts them);
        ``border_m``, ``crossings`` (number), ``spacing_m`` (border for each crossing), ``longest_gap_m`` (longest
        stretch of border without one);
        between the *people-weighted points* (the mean of where people live): ``straight_m``, ``walk_min``,
        ``walk_m``, ``detour`` (walked metres by straight ones), ``cycle_min``, ``transit_min`` (by public transport, or
        on foot all the way where that is quicker), with ``status`` (``observed``; else ``not_applicable`` or
        ``out_of_scope``) and ``reason``;
        between *people opposite each other*, as means over pairs of people near the border: ``people_pairs``
        (number), ``people_reached_share`` (of the pairs, with a way on foot), ``people_straight_m``,
        ``people_walk_min``, ``people_walk_m``, ``people_detour`` (sum of walked metres by sum of straight ones, of the
        pairs that have a way), ``people_cycle_min``, ``people_transit_min``, ``people_status``, ``people_reason``;
        ``connectivity`` (straight by walked metres between people, 0–1; 0 where there is no way on foot);
        ``cause, cause_kind`` (text; empty where there is no great detour, or no barrier in the way),
        ``cause_cut_share`` (of the straight lines that meet it), ``cause_excess_share`` (of the extra metres that fall
        to those), ``cause_along_m`` (metres of the border beside it);
        ``index_a, index_b, index_difference`` (b less a), ``index_status``;
        ``only_link`` (whether the districts fall in two groups without it).
    isolation
        A row for each district (``area_id``), its geometry the people-weighted point: ``name``, ``residents``,
        ``neighbours``, ``links`` (neighbours with a crossing), ``crossings``, ``min_cut`` (crossings; see
        :func:`links`), ``group`` (number of the group that crossings hold together), ``only_way`` (whether others are
        held together by this district alone), ``walk_nearest_min`` (mean to the nearest other districts),
        ``walk_share`` (of the residents of all districts, within reach on foot), ``cycle_share``, ``transit_share``,
        ``status``, ``reason``.
    barriers
        A row for each pair and barrier: ``area_a, area_b, name, kind, along_m, gap_m, cut_share, excess_share,
        to_crossing_m``; the likeliest cause of a pair comes first.
    crossings
        Points: ``area_a, area_b``, and the place on the border.
    samples
        Lines from people to people: ``area_a, area_b, from_id, to_id, straight_m, walk_min, walk_m, cycle_min,
        transit_min``.
    areas
        The districts: ``name`` and polygons.
    people
        Places where people live, in the streets' system.
    record
        Sources, options, percentile and window.
    notes
        What a reader should know, as sentences.
    """

    pairs: gpd.GeoDataFrame
    isolation: gpd.GeoDataFrame
    barriers: pd.DataFrame
    crossings: gpd.GeoDataFrame
    samples: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    people: Residents = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what was found as sentences, the worst detour first."""
        said = []
        known = self.pairs[self.pairs["people_detour"].notna()]
        if len(known):
            worst = known.loc[known["people_detour"].idxmax()]
            cause = f", {worst['cause']} ({worst['cause_kind']}) lies between them" if worst["cause"] else ""
            said.append(
                f"{worst['name_a']} and {worst['name_b']}: people opposite each other walk "
                f"{worst['people_detour']:.1f} times as far as the straight line "
                f"({worst['people_walk_m']:,.0f} m for {worst['people_straight_m']:,.0f} m){cause}"
            )
        return [*said, *self.notes]

    def straight(self) -> gpd.GeoDataFrame:
        """Return the pairs with the straight line between the people-weighted points as geometry, for maps."""
        at = self.isolation.geometry
        shapes = [
            None if at[one] is None or at[other] is None else shapely.LineString([at[one], at[other]])
            for one, other in zip(self.pairs["area_a"], self.pairs["area_b"], strict=True)
        ]
        return self.pairs.set_geometry(gpd.GeoSeries(shapes, index=self.pairs.index, crs=self.pairs.crs))


@dataclass(frozen=True, eq=False)
class _Asked:
    """What was asked for, checked."""

    gap_m: float
    tolerance_m: float
    near_m: float
    samples: int
    strip_m: float
    merge_m: float
    along_m: float
    detour_from: float
    nearest: int
    within_min: float
    max_min: float
    percentile: float
    departure: str | datetime | None
    window_min: float

    def __post_init__(self) -> None:
        faults = Faults()
        whole = ("samples", "nearest")
        for key in whole:
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                fault = Fault(what=f"{value!r} is not a number of them", key=key, expected="a whole number from 1")
                faults.add(SpecError(fault))
        for key in ("tolerance_m", "near_m", "strip_m", "merge_m", "along_m", "within_min", "max_min", "gap_m"):
            value = getattr(self, key)
            least = 0 if key in {"gap_m", "merge_m"} else np.finfo(float).tiny
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not least <= value < np.inf:
                unit = "minutes" if key.endswith("_min") else "metres"
                fault = Fault(what=f"{value!r} is not a number of {unit}", key=key, expected=f"{unit} above 0")
                faults.add(SpecError(fault))
        if not 0 <= self.percentile <= _HUNDRED:
            fault = Fault(what=f"{self.percentile!r} is no percentile", key="percentile", expected="0 to 100")
            faults.add(SpecError(fault))
        if not self.detour_from >= 1:
            fault = Fault(what=f"{self.detour_from!r} is no detour factor", key="detour_from", expected="1 or more")
            faults.add(SpecError(fault))
        faults.raise_any()


def links(
    areas: gpd.GeoDataFrame,
    people: gpd.GeoDataFrame,
    walk: Streets,
    *,
    cycle: Streets | None = None,
    network: Network | None = None,
    transit: TravelTimes | None = None,
    departure: str | datetime | None = None,
    window_min: float = 60,
    percentile: float = 50,
    barriers: gpd.GeoDataFrame | None = None,
    index: pd.Series | None = None,
    index_status: pd.Series | None = None,
    population: str = "population",
    gap_m: float = 250,
    tolerance_m: float = 5,
    near_m: float = 800,
    samples: int = 24,
    strip_m: float = 15,
    merge_m: float = 50,
    along_m: float = 60,
    detour_from: float = 1.5,
    nearest: int = 3,
    within_min: float = 30,
    max_min: float = 120,
    threads: int | None = None,
) -> Links:
    r"""Find the links between neighbouring districts, and what parts them.

    Parameters
    ----------
    areas
        Index ``area_id``, polygons in a metric system; ``name`` if there is one.
    people
        Points where people live, with their number; in any stated system.
    walk, cycle
        Streets on which one walks and cycles.
    network, departure, window_min, percentile
        Public transport on the streets, the first departure, for how many minutes, and which percentile of the window.
    transit
        Times by public transport between the districts in place of those of ``network``, such as another router's;
        its ids are those of the areas.
    barriers
        Lines and polygons with ``kind`` and, if there is one, ``name``; see :func:`gather_barriers`.
    index, index_status
        A figure for each district, and why it is missing where it is.
    population
        Column of ``people`` with how many they are.
    gap_m, tolerance_m
        Districts are neighbours that share a border, drawn no more than ``tolerance_m`` apart, or face each other over
        a gap of at most ``gap_m`` with no third between.
    near_m, samples
        Pairs of people who live opposite each other, both within ``near_m`` of the border: how many pairs.
    strip_m, merge_m
        A way crosses a border if it leads through the strip of ``strip_m`` on either side; crossings closer than
        ``merge_m`` are one.
    along_m
        A barrier lies along a border within this distance.
    detour_from
        Detour factor from which a cause is named.
    nearest, within_min, max_min
        For isolation: to how many other districts, and within how many minutes of the people-weighted point; and the
        longest walk or ride that is looked for.
    threads
        As many as there are processors, unless told.

    Returns
    -------
    Links
        Times there and back are averaged.

    Raises
    ------
    InputError
        For areas, people, barriers or an index that cannot be used, and arguments out of range.

    Notes
    -----
    *Detour factor* between people: :math:`\sum w_k / \sum s_k` over pairs *k* with a way, where *w* is the length of
    the quickest way (from the door to the street included) and *s* the straight line on the ground. Who is paired with
    whom: on either side, people near the border are put in order along it; the pairs are at equal steps of people. So
    each pair stands for as many, and pairs live opposite each other, not at two ends of their districts.

    *Cause*: the barrier that the straight lines meet which have most of the extra metres :math:`w_k - s_k`; among
    equals, the one with the longest stretch of border without a crossing. Pairs without any way count as the longest.

    *Least cut* of a district: how many crossings would have to be closed to cut it off from the others; to each other
    district the least number differs, and ``min_cut`` is the one that half of the residents of all other districts
    are behind (their weighted median).

    Examples
    --------
    Two districts on either side of a river, with one bridge at its end. Between the homes it is 200 m, and 1,000 m on
    foot:

    >>> from shapely import LineString, Point, box
    >>> from geoplan.reach import read_streets
    >>> x, y = 674_000, 6_580_000
    >>> def line(*points):
    ...     return LineString([(x + a, y + b) for a, b in points])
    >>> streets = gpd.GeoDataFrame(geometry=[line((0, 0), (0, 400)), line((0, 400), (200, 400)),
    ...                                      line((200, 400), (200, 0))], crs=3006)
    >>> areas = gpd.GeoDataFrame({"name": ["West", "East"]}, index=["w", "e"], crs=3006,
    ...                          geometry=[box(x - 9, y - 9, x + 100, y + 409), box(x + 100, y - 9, x + 209, y + 409)])
    >>> homes = gpd.GeoDataFrame({"population": [30, 20]}, geometry=[Point(x, y), Point(x + 200, y)], crs=3006)
    >>> river = gpd.GeoDataFrame({"name": ["Ån"], "kind": ["water"]}, geometry=[line((100, -9), (100, 409))], crs=3006)
    >>> found = links(areas, homes, read_streets(streets, min_subgraph=1), barriers=river)
    >>> found.pairs[["name_a", "name_b", "crossings", "people_detour", "cause"]].round(2).values.tolist()
    [['West', 'East', 1, 5.0, 'Ån']]
    """
    asked = _Asked(
        gap_m, tolerance_m, near_m, samples, strip_m, merge_m, along_m, detour_from, nearest, within_min, max_min,
        percentile, departure, window_min,
    )  # fmt: skip
    if transit is None and network is not None and network.timetable is None:
        raise SpecError(Fault(what="the network has no timetable", key="network", expected="one of `join_network`"))
    lines_ = as_barriers(barriers, walk.crs)
    town = town_of(areas, people, population, walk.crs)
    edges = _edges(areas, town, asked)
    ends = np.array([(each.one, each.other) for each in edges], dtype=np.int64).reshape(-1, 2)
    sides = pd.DataFrame(index_columns(town, ends, index, index_status))
    modes = Modes(walk, cycle, network, transit, departure, window_min, percentile, max_min, threads)
    found, ways, points = points_table(town, edges, modes)
    opposite, edge = samples_of(town, edges, modes, near_m=near_m, number=samples)
    across = _crossings(town, edges, walk, asked)
    counted = np.array([len(each) for each in across], dtype=np.int64)
    between = _between_people(opposite, edge, len(edges), asked)
    table = pd.concat([_named(town, edges), _along(edges, across), found, between, sides], axis=1)
    table["connectivity"] = np.where(
        table["people_reached_share"] == 0, 0.0, np.minimum(1.0, 1 / table["people_detour"].to_numpy())
    )
    table["only_link"] = False
    table.loc[counted > 0, "only_link"] = cut_links(ends[counted > 0], len(town.ids))
    obstacles, causes = _causes(town, edges, across, opposite, edge, lines_, walk, table, asked)
    table = pd.concat([table, causes], axis=1)
    alone = isolation_of(town, ends, counted, ways, points, modes, nearest=nearest, within_min=within_min)
    own = areas.crs
    places = [(e.one, e.other, *xy) for e, passage in zip(edges, across, strict=True) for xy in passage.xy]
    return Links(
        pairs=gpd.GeoDataFrame(table, geometry=[each.line for each in edges], crs=walk.crs).to_crs(own),
        isolation=alone.to_crs(own),
        barriers=obstacles,
        crossings=_places(town, places).to_crs(own),
        samples=opposite.to_crs(own),
        areas=gpd.GeoDataFrame({"name": town.names}, index=alone.index, geometry=areas.geometry.to_numpy(), crs=own),
        people=town.people,
        record=_record(asked, modes),
        notes=(*_notes(town, table, opposite, points), *_unreached(table, modes)),
    )


# ---------------------------------------------------------------- parts of the table of pairs


def _edges(areas: gpd.GeoDataFrame, town: Town, asked: _Asked) -> list[Border]:
    """Return the borders, found in the areas' own system (where they meet to the millimetre), in the streets'."""
    least = max(_SHORTEST_M, 4 * asked.tolerance_m)
    found = shared_borders(
        areas.geometry.to_numpy(), tolerance_m=asked.tolerance_m, gap_m=asked.gap_m, least_m=least
    )  # fmt: skip
    moved = gpd.GeoSeries([edge.line for edge in found], crs=areas.crs).to_crs(town.crs)
    return [replace(edge, line=line) for edge, line in zip(found, moved, strict=True)]


def _crossings(town: Town, edges: Sequence[Border], walk: Streets, asked: _Asked) -> list[Passages]:
    tree, _ = usable(walk)
    given = {"strip_m": asked.strip_m, "merge_m": asked.merge_m}
    return [passages(edge, town.shapes, walk, tree, **given) for edge in edges]


def _named(town: Town, edges: Sequence[Border]) -> pd.DataFrame:
    sides = {"a": [edge.one for edge in edges], "b": [edge.other for edge in edges]}
    texts = (("area", town.ids), ("name", town.names))
    called = {f"{what}_{side}": [names[row] for row in rows] for what, names in texts for side, rows in sides.items()}
    living = {f"residents_{side}": town.residents[rows] for side, rows in sides.items()}
    return pd.DataFrame({**called, **living, "how": [edge.how for edge in edges]})


def _along(edges: Sequence[Border], across: Sequence[Passages]) -> pd.DataFrame:
    metres = np.array([edge.line.length for edge in edges], dtype=float)
    number = np.array([len(each) for each in across], dtype=np.int64)
    spacing = np.divide(metres, number, out=np.full(len(metres), np.nan), where=number > 0)
    gaps = [longest_gap(edge.line, each.xy) for edge, each in zip(edges, across, strict=True)]
    return pd.DataFrame(
        {"border_m": metres, "crossings": number, "spacing_m": spacing, "longest_gap_m": np.array(gaps, dtype=float)}
    )


def _between_people(opposite: pd.DataFrame, edge: np.ndarray, size: int, asked: _Asked) -> pd.DataFrame:
    """Return means over the pairs of people of each border; ways only over those that have one."""
    number = np.bincount(edge, minlength=size)
    reached = opposite["walk_m"].notna().to_numpy()
    ways = np.bincount(edge[reached], minlength=size)

    def mean(column: str, rows: np.ndarray) -> Any:
        values = opposite[column].to_numpy()
        rows = rows & np.isfinite(values)
        count = np.bincount(edge[rows], minlength=size)
        total = np.bincount(edge[rows], weights=values[rows], minlength=size)
        return np.divide(total, count, out=np.full(size, np.nan), where=count > 0)

    straight, walked = mean("straight_m", reached), mean("walk_m", reached)
    everyone = np.ones(len(edge), dtype=bool)
    status = np.where(number == 0, "not_applicable", np.where(ways == 0, "not_applicable", "observed")).astype(object)
    nobody = f"nobody lives within {asked.near_m:g} m of the border on one side"
    cut = f"no way on foot within {asked.max_min:g} minutes"
    reason = np.where(number == 0, nobody, np.where(ways == 0, cut, "")).astype(object)
    return pd.DataFrame(
        {
            "people_pairs": number,
            "people_reached_share": np.divide(ways, number, out=np.full(size, np.nan), where=number > 0),
            "people_straight_m": mean("straight_m", everyone),
            "people_walk_min": mean("walk_min", reached),
            "people_walk_m": walked,
            "people_detour": np.divide(walked, straight, out=np.full(size, np.nan), where=straight > 0),
            "people_cycle_min": mean("cycle_min", everyone),
            "people_transit_min": mean("transit_min", everyone),
            "people_status": status,
            "people_reason": reason,
        }
    )


def _causes(
    town: Town,
    edges: Sequence[Border],
    across: Sequence[Passages],
    opposite: gpd.GeoDataFrame,
    edge: np.ndarray,
    barriers: gpd.GeoDataFrame,
    walk: Streets,
    table: pd.DataFrame,
    asked: _Asked,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what each barrier does to each pair, and the cause of each pair's detour."""
    met = Met.made(barriers, walk, asked.along_m)
    longer = (opposite["walk_m"] - opposite["straight_m"]).clip(lower=0).to_numpy()
    longer = np.where(np.isnan(longer), asked.max_min * _NO_WAY_M, longer)
    lines_ = opposite.geometry.to_numpy()
    parts, causes = [], []
    for number, (each, passage) in enumerate(zip(edges, across, strict=True)):
        own = edge == number
        found = met.between(each.line, passage.xy, lines_[own], longer[own])
        found.insert(0, "area_a", town.ids[each.one])
        found.insert(1, "area_b", town.ids[each.other])
        parts.append(found)
        far = (
            table["people_detour"].iloc[number] >= asked.detour_from or table["people_reached_share"].iloc[number] == 0
        )
        first = found.iloc[0] if far and len(found) and found["excess_share"].iloc[0] > 0 else None
        causes.append(
            {
                "cause": "" if first is None else first["name"],
                "cause_kind": "" if first is None else first["kind"],
                "cause_cut_share": np.nan if first is None else first["cut_share"],
                "cause_excess_share": np.nan if first is None else first["excess_share"],
                "cause_along_m": np.nan if first is None else first["along_m"],
            }
        )
    columns = ["cause", "cause_kind", "cause_cut_share", "cause_excess_share", "cause_along_m"]
    filled = [part for part in parts if len(part)]
    whole = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=["area_a", "area_b", *MET_COLUMNS])
    return whole, pd.DataFrame(causes, columns=columns)


def _places(town: Town, places: Sequence[tuple[Any, ...]]) -> gpd.GeoDataFrame:
    one, other, x, y = zip(*places, strict=True) if places else ((), (), (), ())
    ids = {"area_a": [town.ids[row] for row in one], "area_b": [town.ids[row] for row in other]}
    return gpd.GeoDataFrame(ids, geometry=gpd.points_from_xy(x, y), crs=town.crs)


def _record(asked: _Asked, modes: Modes) -> dict[str, Any]:
    """Tell how the links came about."""
    transit: Any = None
    if modes.transit is not None:
        transit = dict(modes.transit.record)
    elif modes.network is not None:
        transit = dict(modes.network.record)
    return {
        "asked": asdict(asked),
        "walk": dict(modes.walk.record),
        "cycle": None if modes.cycle is None else dict(modes.cycle.record),
        "transit": transit,
    }


def _unreached(table: pd.DataFrame, modes: Modes) -> list[str]:
    """Say how many pairs have no time by bicycle or public transport, though both points are on the streets."""
    asked = {
        "by bicycle": ("cycle_min", modes.cycle),
        "by public transport": ("transit_min", modes.network or modes.transit),
    }
    said = []
    for how, (column, given) in asked.items():
        lost = int((table[column].isna() & (table["status"] == "observed")).sum()) if given is not None else 0
        if lost:
            said.append(
                f"{lost:,} of {len(table):,} pairs of districts have no way {how} within {modes.max_min:g} minutes"
            )
    return said


def _notes(town: Town, table: pd.DataFrame, opposite: pd.DataFrame, points: Snapped) -> list[str]:
    """Say who and what is left out."""
    said = []
    outside = town.people.number[town.people.area < 0].sum()
    if outside:
        said.append(f"{outside:,.0f} residents live outside every district and are left out")
    empty = [name for name, living in zip(town.names, town.residents, strict=True) if not living > 0]
    if empty:
        said.append(f"nobody lives in {len(empty)} district(s), which have no point: {listed(empty)}")
    lost = [town.names[row] for row in np.flatnonzero((points.piece < 0) & (town.residents > 0))]
    if lost:
        said.append(f"the people-weighted point of {len(lost)} district(s) is on no street: {listed(lost)}")
    shapes = town.shapes[town.residents > 0]
    beside = ~shapely.intersects(shapes, shapely.points(town.middle[town.residents > 0]))
    if beside.any():
        names = [name for name, living in zip(town.names, town.residents, strict=True) if living > 0]
        out = [name for name, away in zip(names, beside, strict=True) if away]
        said.append(f"the people-weighted point of {len(out)} district(s) lies outside it: {listed(out)}")
    away = int(opposite["walk_m"].isna().sum())
    if away:
        said.append(f"{away:,} of {len(opposite):,} pairs of people have no way on foot and are in no mean")
    few = int((table["people_pairs"] == 0).sum())
    if few:
        said.append(f"{few:,} of {len(table):,} pairs of districts have nobody near the border on one side")
    return said
