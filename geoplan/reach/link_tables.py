"""The tables on links between districts: of pairs, of people opposite each other, of how far from all each one is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, GeometryError, IdError, SpecError, TableError
from geoplan.places.areas import as_crs, measurable
from geoplan.reach.link_borders import Border
from geoplan.reach.link_graph import cut_districts, groups, least_cuts, weighted_median
from geoplan.reach.link_pairs import (
    Residents,
    Ways,
    opposite,
    residents_of,
    straight_m,
    ways_between,
    ways_opposite,
    weighted_points,
)
from geoplan.reach.linking import near
from geoplan.reach.matrix import travel_times
from geoplan.reach.network import Network
from geoplan.reach.snapping import snap
from geoplan.reach.streets import Snapped, Streets
from geoplan.reach.times import TravelTimes

__all__ = ["Modes", "Town", "index_columns", "isolation_of", "points_table", "samples_of", "town_of"]

_MISSING = ("suppressed", "not_collected", "not_applicable", "out_of_scope")


@dataclass(frozen=True, eq=False)
class Town:
    """Districts, the people in them, and the point in the middle of these; all in the streets' system."""

    ids: list[str]
    names: list[str]
    shapes: np.ndarray
    people: Residents
    residents: np.ndarray
    middle: np.ndarray
    crs: str

    def frame(self, rows: np.ndarray) -> gpd.GeoDataFrame:
        """Return the people-weighted points of some districts."""
        return gpd.GeoDataFrame(
            geometry=shapely.points(self.middle[rows]), index=[self.ids[r] for r in rows], crs=self.crs
        )


@dataclass(frozen=True, eq=False)
class Modes:
    """On what one gets about."""

    walk: Streets
    cycle: Streets | None
    network: Network | None
    transit: TravelTimes | None
    departure: str | datetime | None
    window_min: float
    percentile: float
    max_min: float
    threads: int | None

    def ride(self, origins: gpd.GeoDataFrame, goals: gpd.GeoDataFrame) -> np.ndarray:
        """Return minutes by public transport or on foot, whichever is quicker, origins by goals."""
        assert self.network is not None  # noqa: S101  asked for where there is one
        times = travel_times(
            origins,
            goals,
            self.network,
            departure=self.departure,
            window_min=self.window_min,
            percentiles=self.percentile,
            max_min=self.max_min,
            threads=self.threads,
        )
        return np.asarray(times.minutes(), dtype=float)


def town_of(areas: gpd.GeoDataFrame, people: gpd.GeoDataFrame, population: str, crs: str) -> Town:
    """Check districts and people, and bring them into the streets' system.

    Raises
    ------
    InputError
        For districts or people that cannot be used; all faults at once.
    """
    faults = Faults()
    for key, given in (("areas", areas), ("people", people)):
        if not isinstance(given, gpd.GeoDataFrame):
            what = f"{key} cannot be a {type(given).__name__}"
            faults.add(SpecError(Fault(what=what, key=key, expected="a GeoDataFrame")))
    faults.raise_any()
    with faults.catch(key="areas"):
        areas = measurable(areas)
        flat = areas.geom_type.isin(["Polygon", "MultiPolygon"])
        if not flat.all():
            raise checks.not_polygons([str(code) for code in areas.index[~flat]], areas.geom_type[~flat])
        broken = ~areas.is_valid
        if broken.any():
            what = f"{int(broken.sum())} area(s) have an invalid geometry: {checks.listed(areas.index[broken])}"
            raise GeometryError(Fault(what=what, hint="`as_areas` mends and lists them"))
    found: Residents | None = None
    with faults.catch(key="people"):
        found = residents_of(people, population, areas, crs)
    faults.raise_any()
    assert found is not None  # noqa: S101  else the faults were raised
    ids = [str(code) for code in areas.index]
    names = [str(name) for name in areas["name"]] if "name" in areas else ids
    shapes = areas.geometry.to_crs(as_crs(crs)).to_numpy()
    return Town(ids, names, shapes, found, found.of_areas(len(ids)), weighted_points(found, len(ids)), crs)


# ---------------------------------------------------------------- between the people-weighted points


def points_table(town: Town, edges: list[Border], modes: Modes) -> tuple[pd.DataFrame, Ways, Snapped]:
    """Return what lies between the people-weighted points of each pair; all their ways on foot; and the points."""
    ends = np.array([(edge.one, edge.other) for edge in edges], dtype=np.int64).reshape(-1, 2)
    points = snap(modes.walk, gpd.GeoSeries(_points(town.middle), index=town.ids, crs=town.crs))
    ways = ways_between(modes.walk, points, max_min=modes.max_min, threads=modes.threads)
    minutes, metres = ways.both(*ends.T)
    straight = straight_m(town.middle[ends[:, 0]], town.middle[ends[:, 1]], town.crs)
    table = {"straight_m": straight, "walk_min": minutes, "walk_m": metres}
    with np.errstate(invalid="ignore", divide="ignore"):
        table["detour"] = np.where(straight > 0, metres / straight, np.nan)
    table["cycle_min"] = np.full(len(ends), np.nan)
    if modes.cycle is not None:
        there = snap(modes.cycle, gpd.GeoSeries(_points(town.middle), index=town.ids, crs=town.crs))
        cycled = ways_between(modes.cycle, there, max_min=modes.max_min, threads=modes.threads)
        table["cycle_min"] = cycled.both(*ends.T)[0]
    ridden = ridden_between(town, modes)
    table["transit_min"] = np.full(len(ends), np.nan) if ridden is None else _both(ridden, ends)
    if modes.transit is None and modes.network is not None:  # a ride walks so far to a stop; one may walk all the way
        table["transit_min"] = np.fmin(table["transit_min"], minutes)
    whole = pd.DataFrame(table)
    status, reason = _why(town, points, ends, minutes, modes.max_min)
    return whole.assign(status=status, reason=reason), ways, points


def ridden_between(town: Town, modes: Modes) -> np.ndarray | None:
    """Return minutes by public transport between all districts; None where there is none."""
    size = len(town.ids)
    if modes.transit is not None:
        found = modes.transit.between(town.ids, town.ids)
        percentile = None if len(found.percentiles) == 1 else modes.percentile
        return np.asarray(found.minutes(percentile), dtype=float)
    if modes.network is None:
        return None
    rows = np.flatnonzero(np.isfinite(town.middle).all(axis=1))
    whole = np.full((size, size), np.nan)
    if len(rows):
        points = town.frame(rows)
        whole[np.ix_(rows, rows)] = modes.ride(points, points)
    return whole


def _both(minutes: np.ndarray, ends: np.ndarray) -> np.ndarray:
    one, other = ends.T
    return np.asarray((minutes[one, other] + minutes[other, one]) / 2)


def _points(xy: np.ndarray) -> list[shapely.Point | None]:
    return [shapely.Point(x, y) if np.isfinite(x) else None for x, y in xy]


def _why(
    town: Town, points: Snapped, ends: np.ndarray, minutes: np.ndarray, max_min: float
) -> tuple[np.ndarray, np.ndarray]:
    """Say why there is no figure between the points of a pair."""
    status, reason = np.full(len(ends), "observed", dtype=object), np.full(len(ends), "", dtype=object)
    for row, pair in enumerate(ends.tolist()):
        empty = [town.names[area] for area in pair if not town.residents[area] > 0]
        lost = [f"{town.names[area]}: {points.reason[area]}" for area in pair if points.piece[area] < 0]
        if empty:
            status[row], reason[row] = "not_applicable", f"nobody lives in {' or '.join(empty)}"
        elif lost:
            status[row], reason[row] = "out_of_scope", "; ".join(lost)
        elif np.isnan(minutes[row]):
            status[row], reason[row] = "not_applicable", f"no way on foot within {max_min:g} minutes"
    return status, reason


def index_columns(
    town: Town, ends: np.ndarray, index: pd.Series | None, index_status: pd.Series | None
) -> dict[str, np.ndarray]:
    """Return the index on both sides, its difference, and why it is missing.

    Raises
    ------
    InputError
        When the index is no Series of numbers by area, names areas that are not there, or names one twice.
    """
    values = np.full(len(town.ids), np.nan)
    status = np.full(len(town.ids), "not_collected", dtype=object)
    if index is not None:
        _must_be_index(index, town)
        numbers = pd.to_numeric(index, errors="coerce").astype(float)
        numbers.index = numbers.index.astype(str)
        values = numbers.reindex(town.ids).to_numpy()
        status = np.where(np.isfinite(values), "observed", "not_collected").astype(object)
        if index_status is not None:
            given = pd.Series(index_status.to_numpy(object), index=index_status.index.astype(str)).reindex(town.ids)
            told = given.isin(_MISSING).to_numpy()
            status = np.where(told | np.isfinite(values), given.fillna("observed").to_numpy(object), status)
            values = np.where(told, np.nan, values)
    one, other = values[ends[:, 0]], values[ends[:, 1]]
    first, second = status[ends[:, 0]], status[ends[:, 1]]
    missing = np.where(np.isfinite(one), second, first)
    known = np.isfinite(one) & np.isfinite(other)
    return {
        "index_a": one,
        "index_b": other,
        "index_difference": other - one,
        "index_status": np.where(known, "observed", missing).astype(object),
    }


def _must_be_index(index: Any, town: Town) -> None:
    if not isinstance(index, pd.Series):
        what = f"an index cannot be a {type(index).__name__}"
        raise SpecError(Fault(what=what, key="index", expected="a Series of numbers by area, such as `result.score`"))
    faults, codes = Faults(), index.index.astype(str)
    unknown = [code for code in codes if code not in set(town.ids)]
    if unknown:
        faults.add(checks.ids_not_among(unknown, town.ids).located(key="index"))
    if codes.has_duplicates:
        twice = sorted(set(codes[codes.duplicated()]))
        faults.add(IdError(Fault(what=f"{len(twice)} area(s) stand twice in it: {checks.listed(twice)}", key="index")))
    wrong = pd.to_numeric(index, errors="coerce").isna() & index.notna()
    if wrong.any():
        what = f"'{index[wrong].iloc[0]}' is not a number"
        faults.add(
            TableError(Fault(what=what, key="index", area=str(index.index[wrong][0]), expected="numbers, or nothing"))
        )
    faults.raise_any()


# ---------------------------------------------------------------- between people opposite each other


def samples_of(
    town: Town, edges: list[Border], modes: Modes, *, near_m: float, number: int
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Return pairs of people opposite each other with the ways between them, and the edge of each by number."""
    chosen = [opposite(town.people, edge.one, edge.other, edge.line, near_m, number) for edge in edges]
    edge = np.repeat(np.arange(len(edges)), [len(one) for one, _ in chosen])
    one, other = (
        np.concatenate([pair[side] for pair in chosen]) if chosen else np.empty(0, np.int64) for side in (0, 1)
    )
    rows, place = np.unique(np.concatenate([one, other]), return_inverse=True)
    here, there = place[: len(one)], place[len(one) :]
    points = town.people.points(rows)
    minutes, metres = _opposite(modes.walk, points, here, there, edge, modes)
    cycled = (
        np.full(len(one), np.nan)
        if modes.cycle is None
        else _opposite(modes.cycle, points, here, there, edge, modes)[0]
    )
    ridden = np.full(len(one), np.nan)
    if modes.network is not None and len(rows):
        frame = gpd.GeoDataFrame(geometry=points)
        ridden = np.fmin(_both(modes.ride(frame, frame), np.column_stack([here, there])), minutes)
    xy = town.people.xy
    table = {
        "area_a": [town.ids[edges[e].one] for e in edge],
        "area_b": [town.ids[edges[e].other] for e in edge],
        "from_id": town.people.ids[one],
        "to_id": town.people.ids[other],
        "straight_m": straight_m(xy[one], xy[other], town.crs),
        "walk_min": minutes,
        "walk_m": metres,
        "cycle_min": cycled,
        "transit_min": ridden,
    }
    lines = shapely.linestrings(np.stack([xy[one], xy[other]], axis=1)) if len(one) else []
    return gpd.GeoDataFrame(table, geometry=lines, crs=town.crs), edge


def _opposite(
    streets: Streets, points: gpd.GeoSeries, here: np.ndarray, there: np.ndarray, edge: np.ndarray, modes: Modes
) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes and metres pair by pair; each border is searched by itself, for its people are near."""
    on = snap(streets, points) if len(points) else None
    minutes, metres = np.full(len(here), np.nan), np.full(len(here), np.nan)
    for number in np.unique(edge):
        assert on is not None  # noqa: S101  there are points where there are pairs
        own = edge == number
        minutes[own], metres[own] = ways_opposite(
            streets, on, here[own], there[own], max_min=modes.max_min, threads=modes.threads
        )
    return minutes, metres


# ---------------------------------------------------------------- isolation


def isolation_of(
    town: Town,
    ends: np.ndarray,
    crossings: np.ndarray,
    ways: Ways,
    points: Snapped,
    modes: Modes,
    *,
    nearest: int,
    within_min: float,
) -> gpd.GeoDataFrame:
    """Return how far from the others each district is; see :class:`geoplan.reach.Links`."""
    size = len(town.ids)
    open_ = crossings > 0
    cuts = least_cuts(ends, crossings, size)
    others = ~np.eye(size, dtype=bool)
    table: dict[str, Any] = {
        "name": town.names,
        "residents": town.residents,
        "neighbours": np.bincount(ends.ravel(), minlength=size),
        "links": np.bincount(ends[open_].ravel(), minlength=size),
        "crossings": np.bincount(ends.ravel(), weights=np.repeat(crossings, 2), minlength=size).astype(np.int64),
        "min_cut": [weighted_median(cuts[row, others[row]], town.residents[others[row]]) for row in range(size)],
        "group": groups(ends[open_], size),
        "only_way": cut_districts(ends[open_], size),
    }
    apart = np.sort(np.where(others, ways.minutes, np.nan), axis=1)[:, :nearest]  # those not reached stand last
    enough = np.isfinite(apart).all(axis=1) & (apart.shape[1] == nearest)
    table["walk_nearest_min"] = np.where(enough, apart.mean(axis=1), np.nan)
    people = town.people
    everyone = np.flatnonzero(people.area >= 0)
    goals = people.points(everyone)
    weight = people.number[everyone]
    table["walk_share"] = _within(modes.walk, town, goals, weight, within_min, modes.threads)
    table["cycle_share"] = np.nan
    if modes.cycle is not None:
        table["cycle_share"] = _within(modes.cycle, town, goals, weight, within_min, modes.threads)
    table["transit_share"] = _ridden_share(town, goals, weight, within_min, modes)
    status, reason = np.full(size, "observed", dtype=object), np.full(size, "", dtype=object)
    empty, lost = town.residents <= 0, points.piece < 0
    status[lost], reason[lost] = "out_of_scope", points.reason[lost]
    status[empty], reason[empty] = "not_applicable", "nobody lives here"
    back = pyproj.CRS(as_crs(town.crs))
    index = pd.Index(town.ids, name="area_id")
    return gpd.GeoDataFrame(
        pd.DataFrame(table, index=index).assign(status=status, reason=reason),
        geometry=gpd.GeoSeries(_points(town.middle), index=index, crs=back),
    )


def _within(
    streets: Streets, town: Town, goals: gpd.GeoSeries, weight: np.ndarray, within_min: float, threads: int | None
) -> np.ndarray:
    """Return the share of all residents within some minutes of each people-weighted point; NaN where it is nowhere."""
    known = np.isfinite(town.middle).all(axis=1)
    share = np.full(len(town.ids), np.nan)
    if not known.any() or not len(goals):
        return share
    points = snap(streets, gpd.GeoSeries(_points(town.middle), index=town.ids, crs=town.crs))
    found = near(streets, points, snap(streets, goals), max_s=within_min * 60, threads=threads)
    reached = np.bincount(found.rows, weights=weight[found.other], minlength=len(share))
    return np.where(points.piece >= 0, reached / weight.sum(), np.nan)


def _ridden_share(town: Town, goals: gpd.GeoSeries, weight: np.ndarray, within_min: float, modes: Modes) -> np.ndarray:
    share = np.full(len(town.ids), np.nan)
    rows = np.flatnonzero(np.isfinite(town.middle).all(axis=1))
    if modes.network is None or not len(rows) or not len(goals):
        return share
    minutes = modes.ride(town.frame(rows), gpd.GeoDataFrame(geometry=goals))
    share[rows] = (minutes <= within_min) @ weight / weight.sum()
    lost = modes.network.snapped(town.frame(rows)).piece < 0
    share[rows[lost]] = np.nan
    return share
