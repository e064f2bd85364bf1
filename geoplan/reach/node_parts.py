"""What lies around a node: amounts within a walk or a ride, how mixed they are, how much of the circle one can walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, InputError, SpecError, TableError
from geoplan.places import working_crs
from geoplan.reach.linking import near
from geoplan.reach.matrix import travel_times
from geoplan.reach.network import Network
from geoplan.reach.snapping import snap
from geoplan.reach.streets import Streets
from geoplan.reach.times import TravelTimes

__all__ = ["Nearby", "balance", "entropy", "nearby", "spread_land", "walkable_share"]

_LATTICE = 1e-6  # metres by which a lattice starts inside the corner of what it covers


@dataclass(frozen=True, eq=False)
class Nearby:
    """Amounts at places, and how long it is between the places and the nodes.

    Attributes
    ----------
    amounts
        By id of place: residents, jobs, square metres …; a column a class where there are several. Every place once,
        finite, 0 or more.
    times
        Between the places and the nodes, whichever side the nodes are on. Of several percentiles name one.
    percentile
        Which.

    Raises
    ------
    InputError
        When amounts and times are not of the same places, or an amount is missing or below 0; all faults at once.

    Examples
    --------
    >>> seconds = np.array([[[300], [1200]]], dtype=np.uint16)
    >>> times = TravelTimes(["n"], ["shop", "mall"], (50,), seconds)
    >>> Nearby(pd.Series({"shop": 2, "mall": 30}, name="floor"), times).within(["n"], 10)
             floor
    node_id
    n          2.0
    """

    amounts: pd.Series | pd.DataFrame
    times: TravelTimes
    percentile: float | None = None

    def __post_init__(self) -> None:
        """Make amounts a frame by text ids, and refuse what does not fit."""
        frame = self.amounts
        frame = frame.to_frame(frame.name if frame.name is not None else "amount") if frame.ndim == 1 else frame
        frame = frame.rename(index=str, columns=str)
        object.__setattr__(self, "amounts", frame)
        faults = Faults()
        ids = set(frame.index)
        sides = [side for side in (self.times.from_ids, self.times.to_ids) if ids == set(side)]
        if frame.index.has_duplicates:
            faults.add(checks.duplicate_points(sorted(set(frame.index[frame.index.duplicated()]))))
        elif not sides:
            faults.add(self._of_others(ids))
        values = frame.apply(pd.to_numeric, errors="coerce").astype(float)
        wrong = values.index[(~np.isfinite(values) | (values < 0)).any(axis=1)]
        if len(wrong):
            what = f"{len(wrong)} place(s) have an amount that is missing or below 0: {checks.listed(list(wrong))}"
            hint = "leave such places out, and say so: what is not known is not 0"
            faults.add(TableError(Fault(what=what, key="amounts", expected="numbers, 0 or more", hint=hint)))
        faults.raise_any()
        self.times._place(self.percentile)  # noqa: SLF001  says which percentiles there are
        object.__setattr__(self, "amounts", values)

    def _of_others(self, ids: set[str]) -> IdError:
        sides = [set(self.times.from_ids), set(self.times.to_ids)]
        side = max(sides, key=lambda known: len(known & ids))
        beyond, gone = sorted(ids - side), sorted(side - ids)
        told = [f"{len(beyond)} not in the times: {checks.listed(beyond)}"] if beyond else []
        told += [f"{len(gone)} of the times without an amount: {checks.listed(gone)}"] if gone else []
        what = f"amounts and travel times are not of the same places ({'; '.join(told)})"
        return IdError(Fault(what=what, key="amounts", expected="every place of the times once, and no others"))

    def minutes(self, node_ids: Sequence[str]) -> pd.DataFrame:
        """Return minutes, places × nodes; NaN where not reached.

        Raises
        ------
        IdError
            When a node is not among the times.
        """
        frame = self.times.minutes(self.percentile)
        places, wanted = list(self.amounts.index), [str(name) for name in node_ids]
        for one in (frame, frame.T):
            if set(places) == set(one.index) and set(wanted) <= set(one.columns):
                return one.loc[places, wanted].rename_axis(index="place_id", columns="node_id")
        known = set(self.times.from_ids) | set(self.times.to_ids)
        gone = sorted(set(wanted) - known) or wanted
        what = f"{len(gone)} node(s) are not among the travel times: {checks.listed(gone)}"
        raise IdError(Fault(what=what, expected="times between every place and every node"))

    def within(self, node_ids: Sequence[str], limit_min: float) -> pd.DataFrame:
        """Return the amounts within so many minutes, nodes × classes; NaN for a node that is on no street.

        Raises
        ------
        InputError
            When the times were not computed as far as that.
        """
        self.must_reach(limit_min)
        minutes = self.minutes(node_ids)
        inside = (minutes.to_numpy() <= limit_min).astype(float)
        found = inside.T @ self.amounts.to_numpy()
        found[np.isin(minutes.columns, list(self.off_street()))] = np.nan
        return pd.DataFrame(found, index=minutes.columns, columns=self.amounts.columns)

    def must_reach(self, limit_min: float) -> None:
        """Refuse times that were cut off before a limit: what lies beyond would seem to be out of reach."""
        asked = self.times.record.get("asked")
        most = asked.get("most_s") if isinstance(asked, Mapping) else None
        if isinstance(most, int | float) and most < limit_min * 60:
            what = f"the travel times end at {most / 60:g} minutes, and {limit_min:g} are asked for"
            raise InputError(Fault(what=what, key="max_min", hint=f"compute them with max_min={limit_min:g} or more"))

    def off_street(self) -> set[str]:
        """Return the ids, of places and nodes, that are on no street."""
        left = self.times.unsnapped
        return {str(name) for name in left["id"]} if len(left) else set()

    def lost(self) -> pd.Series:
        """Return the share of each class's amount that lies at places on no street."""
        off = self.amounts.index.isin(list(self.off_street()))
        total = self.amounts.sum()
        return (self.amounts[off].sum() / total.where(total > 0)).fillna(0.0)


def nearby(
    points: gpd.GeoDataFrame,
    value: str | Sequence[str] | None,
    nodes: gpd.GeoDataFrame | gpd.GeoSeries,
    network: Network | Streets,
    *,
    from_nodes: bool = False,
    percentile: float | None = None,
    **options: Any,
) -> Nearby:
    """Find how long it is between places and nodes, and keep it with the amounts at the places.

    Parameters
    ----------
    points
        Places; the index is their ids.
    value
        The column of the amount, or several, a class each; None counts places.
    nodes
        Of :func:`node_candidates`.
    network
        Streets for walking times; a network with a timetable for times by public transport.
    from_nodes
        Measure from the nodes to the places: for what can be reached from a node. Otherwise to the nodes.
    percentile
        Which of the percentiles that are asked for.
    options
        Of :func:`travel_times`: ``max_min``, ``departure`` …

    Returns
    -------
    Nearby

    Raises
    ------
    InputError
        As :func:`travel_times`; when a column is missing.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> from geoplan.reach import read_streets
    >>> lines = gpd.GeoDataFrame(geometry=[LineString([(674_000, 6_580_000), (676_000, 6_580_000)])], crs=3006)
    >>> streets = read_streets(lines, min_subgraph=1)
    >>> homes = gpd.GeoDataFrame({"people": [40, 60]}, index=["a", "b"], crs=3006,
    ...                          geometry=[Point(674_390, 6_580_000), Point(675_900, 6_580_000)])
    >>> node = gpd.GeoSeries([Point(674_000, 6_580_000)], index=["n"], crs=3006)
    >>> nearby(homes, "people", node, streets, max_min=30).within(["n"], 10)["people"].item()
    40.0
    """
    columns = [value] if isinstance(value, str) else list(value or [])
    present = [str(name) for name in points.columns]
    absent = checks.absent_columns([name for name in columns if name not in present], present, key="value")
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    places, spots = points.geometry, nodes.geometry
    times = (
        travel_times(spots, places, network, **options)
        if from_nodes
        else travel_times(places, spots, network, **options)
    )
    amounts = points[columns] if columns else pd.Series(1.0, index=points.index, name="places")
    return Nearby(pd.DataFrame(amounts) if columns else amounts, times, percentile)


# ---------------------------------------------------------------- formulas


def entropy(uses: pd.DataFrame, totals: pd.Series) -> pd.Series:
    r"""Return how evenly uses are mixed, 0 (one use alone) to 1 (as in the city as a whole).

    .. math:: H = -\frac{1}{\ln K} \sum_{k=1}^{K} p_k \ln p_k, \quad
              p_k = \frac{x_k / X_k}{\sum_j x_j / X_j}

    The entropy of land-use mix (Cervero & Kockelman 1997, *Travel demand and the 3Ds*, Transportation Research D 2:3).
    Homes, jobs and floors of shops have no unit in common, so that each use counts as its share of the city's total
    :math:`X_k`. NaN where there is nothing at all.

    Examples
    --------
    >>> uses = pd.DataFrame({"homes": [10, 10, 0], "jobs": [20, 0, 0]}, index=["even", "homes", "empty"])
    >>> entropy(uses, pd.Series({"homes": 100, "jobs": 200})).to_list()
    [1.0, 0.0, nan]
    """
    share = uses / totals[uses.columns].where(totals[uses.columns] > 0)
    part = share.div(share.sum(axis=1).where(lambda total: total > 0), axis=0)
    counted = totals[uses.columns].gt(0).sum()
    if counted < 2:  # noqa: PLR2004  of one use there is no mix
        return pd.Series(np.nan, index=uses.index)
    terms = part * np.log(part.where(part > 0, 1.0))
    return (-terms.sum(axis=1, min_count=1) / np.log(counted)).abs().clip(upper=1.0)


def balance(residents: pd.Series, jobs: pd.Series, jobs_per_resident: float) -> pd.Series:
    r"""Return how well jobs and residents balance, 0 (one of them alone) to 1 (as in the city as a whole).

    .. math:: B = 1 - \frac{\lvert J - aP \rvert}{J + aP}

    with *a* the city's jobs per resident: the balance of jobs and population that studies of travel use (Ewing &
    Cervero 2010, *Travel and the built environment*, name it among measures of diversity). NaN where there is neither.

    Examples
    --------
    >>> people, jobs = pd.Series([100, 100, 0]), pd.Series([50, 0, 0])
    >>> balance(people, jobs, 0.5).to_list()
    [1.0, 0.0, nan]
    """
    expected = jobs_per_resident * residents
    both = jobs + expected
    return 1 - (jobs - expected).abs() / both.where(both > 0)


# ---------------------------------------------------------------- ground


def spread_land(land: gpd.GeoDataFrame, columns: Sequence[str], *, spacing_m: float = 50.0) -> gpd.GeoDataFrame:
    """Spread what polygons have room for over points inside them, so that a part within reach counts as a part.

    Parameters
    ----------
    land
        Polygons in a metric system; the index is their ids.
    columns
        Amounts, such as ``["homes", "floor_m2"]``.
    spacing_m
        Distance of the points of the lattice; a polygon that holds none has one point of its own.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``place_id`` (id of the polygon, a point, a number); the columns, which add up to the polygon's amounts.

    Raises
    ------
    InputError
        When a column is missing or an amount is missing or below 0; the system is not metric; the spacing is none.

    Examples
    --------
    >>> field = gpd.GeoDataFrame({"homes": [80]}, geometry=[shapely.box(674_000, 6_580_000, 674_100, 6_580_100)],
    ...                          index=["M1"], crs=3006)
    >>> spread_land(field, ["homes"])["homes"].to_dict()
    {'M1.1': 20.0, 'M1.2': 20.0, 'M1.3': 20.0, 'M1.4': 20.0}
    """
    if not np.isfinite(spacing_m) or spacing_m <= 0:
        raise SpecError(Fault(what=f"{spacing_m!r} cannot be", key="spacing_m", expected="metres above 0"))
    present = [str(name) for name in land.columns]
    absent = checks.absent_columns([name for name in columns if name not in present], present, key="columns")
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    frame = working_crs(land)
    values = frame[list(columns)].apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = values.index[(~np.isfinite(values) | (values < 0)).any(axis=1)]
    if len(wrong):
        what = f"{len(wrong)} polygon(s) have an amount that is missing or below 0: {checks.listed(list(wrong))}"
        raise TableError(Fault(what=what, key="columns", expected="numbers, 0 or more", hint="leave them out"))
    ids, rows, spots = [], [], []
    for name, shape, amounts in zip(frame.index, frame.geometry, values.to_numpy(), strict=True):
        inside = _lattice(shape, spacing_m)
        ids += [f"{name}.{number}" for number in range(1, len(inside) + 1)]
        rows += [amounts / len(inside)] * len(inside)
        spots.append(inside)
    table = pd.DataFrame(rows, columns=list(columns), index=pd.Index(ids, name="place_id"))
    return gpd.GeoDataFrame(table, geometry=shapely.points(np.concatenate(spots)), crs=frame.crs)


def _lattice(shape: shapely.Geometry, spacing_m: float) -> np.ndarray:
    """Return the middles of the squares of a lattice, from the shape's own corner, that lie inside; or one point."""
    west, south, east, north = shape.bounds
    x = np.arange(west + spacing_m / 2, east - _LATTICE, spacing_m)
    y = np.arange(south + spacing_m / 2, north - _LATTICE, spacing_m)
    spots = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    shapely.prepare(shape)
    inside = spots[shapely.contains_xy(shape, *spots.T)] if len(spots) else spots
    return inside if len(inside) else shapely.get_coordinates(shape.representative_point())


def walkable_share(
    nodes: gpd.GeoDataFrame | gpd.GeoSeries,
    streets: Streets,
    *,
    walk_min: float = 10.0,
    spacing_m: float = 50.0,
    off_street_m: float = 75.0,
    speed_kmh: float | None = None,
) -> pd.Series:
    r"""Return how much of the circle around a node one can walk to: walked ground over the ideal circle.

    The circle has the radius that one walks in ``walk_min`` minutes as the crow flies. Of the points of a lattice in
    it, those count that are reached in the time along the streets, the last metres from the street included. Water,
    railways, motorways and large closed sites cut off what lies beyond them; so does a sparse or crooked net. With
    streets in a square grid and no barrier at all it is about :math:`2 / \pi = 0.64`, not 1.

    Parameters
    ----------
    nodes
        Points; the index is their ids.
    streets
        To walk on.
    walk_min
        Minutes.
    spacing_m
        Distance of the points of the lattice: half of it is how exact the edge of the ground is.
    off_street_m
        Ground farther than that from any street one may walk on is not walked.
    speed_kmh
        Of the ideal circle; that of the streets when left out.

    Returns
    -------
    pandas.Series
        Share by node, 0 to 1; NaN where the node is on no street.

    Raises
    ------
    InputError
        When points or streets are not what they must be, or a number is not above 0.

    Examples
    --------
    One street of 2 km and nothing else: 75 m to either side of it are walked.

    >>> from shapely import LineString, Point
    >>> from geoplan.reach import read_streets
    >>> lines = gpd.GeoDataFrame(geometry=[LineString([(674_000, 6_580_000), (676_000, 6_580_000)])], crs=3006)
    >>> node = gpd.GeoSeries([Point(675_000, 6_580_000)], index=["n"], crs=3006)
    >>> walkable_share(node, read_streets(lines, min_subgraph=1)).round(2)
    node_id
    n    0.11
    Name: walkable_share, dtype: float64
    """
    faults = Faults()
    for key, number in (("walk_min", walk_min), ("spacing_m", spacing_m), ("off_street_m", off_street_m)):
        if not np.isfinite(number) or number <= 0:
            faults.add(SpecError(Fault(what=f"{number!r} cannot be", key=key, expected="a number above 0")))
    faults.raise_any()
    radius = (speed_kmh or _walking_kmh(streets)) / 0.06 * walk_min
    snapped = snap(streets, nodes)
    known = np.flatnonzero(snapped.piece >= 0)
    row, cell, spots = _cells_around(snapped.xy[known], radius, spacing_m)
    lattice = snap(streets, gpd.GeoSeries(shapely.points(spots), crs=streets.crs), radius_m=off_street_m)
    reached = near(streets, snapped, lattice, max_s=walk_min * 60)
    walked = pd.MultiIndex.from_arrays([reached.rows, reached.other])
    wanted = pd.MultiIndex.from_arrays([known[row], cell])
    hits = np.bincount(known[row], weights=wanted.isin(walked), minlength=len(snapped.piece))
    every = np.bincount(known[row], minlength=len(snapped.piece))
    share = np.divide(hits, every, out=np.full(len(hits), np.nan), where=every > 0)
    return pd.Series(share, index=pd.Index(nodes.index, name="node_id"), name="walkable_share")


def _walking_kmh(streets: Streets) -> float:
    speeds = streets.record.get("speeds_kmh")
    found = speeds.get("other") if isinstance(speeds, Mapping) else None
    if isinstance(found, int | float):
        return float(found)
    what = "the streets do not say how fast one walks on them"
    raise SpecError(Fault(what=what, key="speed_kmh", expected="km/h, such as 4.68"))


def _cells_around(xy: np.ndarray, radius: float, spacing: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of a place and a cell of one lattice within a radius of it, and where the cells are."""
    reach = int(np.ceil(radius / spacing)) + 1
    steps = np.arange(-reach, reach + 1)
    offsets = np.column_stack([axis.ravel() for axis in np.meshgrid(steps, steps)])
    corner = np.floor(xy / spacing).astype(np.int64)
    cells = corner[:, None, :] + offsets[None]
    inside = np.hypot(*np.moveaxis((cells + 0.5) * spacing - xy[:, None, :], 2, 0)) <= radius
    row, place = np.nonzero(inside)
    picked, number = np.unique(cells[row, place], axis=0, return_inverse=True)
    return row, number.ravel(), (picked + 0.5) * spacing
