"""From points where people live to areas: the share of residents that reach a standard, the spread, the centroid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, GeometryError, IdError, SpecError, TableError, listed

__all__ = ["Standard", "area_access", "area_of_points", "weighted_points", "weighted_quantile"]

_OBSERVED = "observed"
_SCORED = (_OBSERVED, "not_reached")
_SHARES = {"p10": 0.1, "median": 0.5, "p90": 0.9}
_COLUMNS = (
    "area_id", "measure", "residents", "scored", "not_scored", "not_reached", "points", "mean", "minimum", "p10",
    "median", "p90", "maximum", "standard", "meeting", "share_meeting", "centroid", "centroid_difference", "status",
    "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Standard:
    """What residents should have: at least so many opportunities, or at most so many minutes.

    Attributes
    ----------
    measure
        Column of the accessibility it speaks of.
    at_least, at_most
        One of the two; a figure equal to it meets the standard.

    Raises
    ------
    SpecError
        When neither or both are given, or one is no number.

    Examples
    --------
    >>> Standard("jobs_45", at_least=50_000).words
    'jobs_45 ≥ 50,000'
    """

    measure: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        """Refuse a standard that says nothing, or two things."""
        given = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        if len(given) != 1 or not isfinite(given[0]):
            what = f"a standard for '{self.measure}' is not one limit"
            raise SpecError(Fault(what=what, key="standards", expected="a number in at_least, or in at_most"))

    @property
    def words(self) -> str:
        """The standard as text."""
        return (
            f"{self.measure} ≥ {self.at_least:,g}"
            if self.at_least is not None
            else f"{self.measure} ≤ {self.at_most:,g}"
        )

    def met(self, values: np.ndarray) -> np.ndarray:
        """Tell which values meet it; a time that is not reached, NaN, does not."""
        with np.errstate(invalid="ignore"):
            return np.asarray(values >= self.at_least if self.at_least is not None else values <= self.at_most)


def weighted_quantile(values: np.ndarray, weights: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Return the least value that at least such a share of the weight has or is below.

    Parameters
    ----------
    values, weights
        Float arrays of one length; weights of 0 or more that do not sum to 0. A value may be infinite, not NaN.
    shares
        Between 0 and 1.

    Returns
    -------
    numpy.ndarray
        A value for each share. No mean of two is ever taken, so that the answer is a figure somebody has.

    Examples
    --------
    >>> weighted_quantile(np.array([10.0, 20.0, 30.0]), np.array([5.0, 4.0, 1.0]), [0.5, 0.9, 0.91])
    array([10., 20., 30.])
    """
    counted = weights > 0
    order = np.argsort(values[counted], kind="stable")
    held, upto = values[counted][order], np.cumsum(weights[counted][order])
    # A share that falls on a step belongs to the lower value, whatever the last digits of the sum are.
    place = np.searchsorted(upto, np.asarray(shares) * upto[-1] * (1 - 1e-12), side="left")
    return np.asarray(held[np.minimum(place, len(held) - 1)])


def area_access(
    access: pd.Series | pd.DataFrame,
    residents: pd.Series,
    area_of: pd.Series,
    *,
    standards: Sequence[Standard] = (),
    status: pd.Series | None = None,
    at_centroid: pd.Series | pd.DataFrame | None = None,
    minimum_coverage: float = 0.5,
) -> pd.DataFrame:
    """Sum up what residents have, area by area: averages, spread, and the share that meets a standard.

    Parameters
    ----------
    access
        What each point has, by ``from_id``: one measure, or a column each.
    residents
        People at each point; the same points.
    area_of
        The area of each point, of any level; missing where a point lies in none.
    standards
        What residents should have. A measure may have several.
    status
        Of each point (:func:`service_scope`, :func:`access_status`): only those ``observed`` or ``not_reached`` are
        scored, and among these NaN is a time that was not reached, which meets no standard. Left out, NaN counts as
        not known.
    at_centroid
        The same measures at one point of each area, by ``area_id``, to show what a plain centroid would have said.
    minimum_coverage
        Of an area of which a smaller share of the residents is scored, nothing is said.

    Returns
    -------
    pandas.DataFrame
        A row for each area, measure and standard (one with an empty ``standard`` where a measure has none):

        - ``residents`` of the area; ``scored``, those at points with a known figure; ``not_scored``, the others;
          ``not_reached``, those scored who do not reach it in time; ``points`` scored
        - ``mean`` over the scored residents who reach it; ``minimum``, ``p10``, ``median``, ``p90``, ``maximum`` over
          the scored residents, NaN where it falls on those who do not
        - ``standard`` in words, ``meeting``, residents who meet it, ``share_meeting`` (0-1 of the scored)
        - ``centroid``, the figure at the area's centroid, and ``centroid_difference`` = ``mean`` − ``centroid``
        - ``status`` (``observed``; ``not_collected`` where too few are scored, ``not_applicable`` where nobody lives)
          and ``reason``

    Raises
    ------
    InputError
        When points of the three differ, figures are infinite, residents are negative or missing, a standard speaks of
        a measure that is not there; all at once.

    Examples
    --------
    >>> points = pd.Index(["a", "b", "c"], name="from_id")
    >>> jobs = pd.Series([60_000.0, 20_000.0, 80_000.0], index=points, name="jobs_45")
    >>> people, area = pd.Series([700, 300, 50], index=points), pd.Series(["N", "N", "S"], index=points)
    >>> table = area_access(jobs, people, area, standards=[Standard("jobs_45", at_least=50_000)])
    >>> table[["area_id", "residents", "mean", "p10", "share_meeting"]]
      area_id  residents     mean      p10  share_meeting
    0       N     1000.0  48000.0  20000.0            0.7
    1       S       50.0  80000.0  80000.0            1.0
    """
    frame = access.to_frame(access.name or "access") if isinstance(access, pd.Series) else access
    frame = _named(frame)
    _check(frame, residents, area_of, standards, status)
    places = frame.index
    people = residents.reindex(places).to_numpy(float)
    area = area_of.reindex(places)
    known = np.ones(len(places), dtype=bool) if status is None else status.reindex(places).isin(_SCORED).to_numpy()
    centroid = None if at_centroid is None else _named(
        at_centroid.to_frame(frame.columns[0]) if isinstance(at_centroid, pd.Series) else at_centroid
    )  # fmt: skip
    rows = []
    for name in frame.columns:
        values = frame[name].to_numpy(float)
        scored = known & ~np.isnan(values) if status is None else known
        asked: list[Standard | None] = [standard for standard in standards if standard.measure == name]
        for code, at in area.groupby(area, sort=True).indices.items():
            told = _summed(values[at], people[at], scored[at], minimum_coverage)
            told |= {"area_id": str(code), "measure": name, "centroid": np.nan}
            if centroid is not None and name in centroid and code in centroid.index:
                told["centroid"] = float(centroid.loc[code, name])
            rows += [
                told | _standing(own, values[at], people[at], scored[at], told["status"]) for own in asked or [None]
            ]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table["centroid_difference"] = table["mean"] - table["centroid"]
    return table


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Call columns of several levels by one name, such as ``work, 45``."""
    if isinstance(frame.columns, pd.MultiIndex):
        return frame.set_axis([", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in column)
                               for column in frame.columns], axis=1)  # fmt: skip
    return frame.set_axis([str(column) for column in frame.columns], axis=1)


def _check(
    frame: pd.DataFrame,
    residents: pd.Series,
    area_of: pd.Series,
    standards: Sequence[Standard],
    status: pd.Series | None,
) -> None:
    faults = Faults()
    sides = {"access": frame.index, "residents": residents.index, "area_of": area_of.index}
    sides |= {} if status is None else {"status": status.index}
    for name, index in sides.items():
        _check_points(name, index, frame.index, faults)
    numbers = pd.to_numeric(residents, errors="coerce")
    bad = residents.index[numbers.isna() | (numbers < 0) | np.isinf(numbers)]
    if len(bad):
        what = f"residents of {len(bad):,} point(s) are missing or negative: {listed(bad)}"
        faults.add(TableError(Fault(what=what, key="residents", expected="0 or more at every point")))
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            faults.add(TableError(Fault(what=f"'{name}' is no number", column=name)))
        elif np.isinf(frame[name].to_numpy(float)).any():
            faults.add(TableError(Fault(what=f"'{name}' is infinite somewhere", column=name, expected="NaN instead")))
    for standard in standards:
        if standard.measure not in frame:
            faults.add(checks.unknown_name("measure", standard.measure, frame.columns, key="standards"))
    faults.raise_any()


def _check_points(name: str, index: pd.Index, points: pd.Index, faults: Faults) -> None:
    twice = index[index.duplicated()].unique()
    if len(twice):
        what = f"{len(twice):,} point(s) occur more than once: {listed(twice)}"
        faults.add(IdError(Fault(what=what, key=name, expected="each point once")))
    for sign, some in (("lacks", points.difference(index)), ("has more:", index.difference(points))):
        if len(some):
            what = f"{name} {sign} {len(some):,} point(s): {listed(some)}"
            faults.add(IdError(Fault(what=what, key=name, expected="the points of `access`")))


def _summed(values: np.ndarray, people: np.ndarray, scored: np.ndarray, minimum: float) -> dict[str, object]:
    """Sum up one measure in one area."""
    whole, part = float(people.sum()), float(people[scored].sum())
    told: dict[str, object] = {
        "residents": whole,
        "scored": part,
        "not_scored": whole - part,
        "not_reached": float(people[scored & np.isnan(values)].sum()),
        "points": int(np.count_nonzero(scored & (people > 0))),
        "mean": np.nan,
        **dict.fromkeys(["minimum", *_SHARES, "maximum"], np.nan),
        "status": _OBSERVED,
        "reason": "",
    }
    if whole == 0:
        return told | {"status": "not_applicable", "reason": "nobody lives there"}
    if part == 0 or part < minimum * whole:
        return told | {"status": "not_collected", "reason": f"{part / whole:.0%} of the residents are scored"}
    own, weight = values[scored], people[scored]
    there = ~np.isnan(own) & (weight > 0)
    if there.any():
        told["mean"] = float(np.average(own[there], weights=weight[there]))
    marks = {"minimum": 0.0, **_SHARES, "maximum": 1.0}
    found = weighted_quantile(np.where(np.isnan(own), np.inf, own), weight, list(marks.values()))
    return told | {
        name: float(value) if np.isfinite(value) else np.nan for name, value in zip(marks, found, strict=True)
    }


def _standing(
    standard: Standard | None, values: np.ndarray, people: np.ndarray, scored: np.ndarray, status: object
) -> dict[str, object]:
    """Count who meets a standard."""
    if standard is None:
        return {"standard": "", "meeting": np.nan, "share_meeting": np.nan}
    if status != _OBSERVED:
        return {"standard": standard.words, "meeting": np.nan, "share_meeting": np.nan}
    meeting = float(people[scored & standard.met(values)].sum())
    return {"standard": standard.words, "meeting": meeting, "share_meeting": meeting / float(people[scored].sum())}


def area_of_points(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.Series:
    """Return the area in which each point lies.

    Parameters
    ----------
    points
        Points in any stated coordinate system; the index names them.
    areas
        Polygons, indexed by ``area_id``, in a stated coordinate system.

    Returns
    -------
    pandas.Series
        ``area_id`` by ``from_id``; missing where a point lies in no area. A point on a border belongs to the area whose
        code comes first.

    Raises
    ------
    InputError
        When either has no coordinate system, or a point has no place.

    Examples
    --------
    >>> from shapely import Point, box
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], index=["N", "S"], crs=3006)
    >>> area_of_points(gpd.GeoDataFrame(geometry=[Point(0.5, 0.5), Point(1, 0.5)], index=["a", "b"], crs=3006), areas)
    from_id
    a    N
    b    N
    Name: area_id, dtype: object
    """
    faults = Faults()
    for frame, key in ((points, "points"), (areas, "areas")):
        if frame.crs is None:
            faults.add(checks.crs_missing().located(key=key))
    empty = points.geometry.isna() | points.geometry.is_empty
    if empty.any():
        what = f"{int(empty.sum()):,} point(s) have no place: {listed(points.index[empty])}"
        faults.add(GeometryError(Fault(what=what, key="points")))
    faults.raise_any()
    placed = points[[points.geometry.name]].to_crs(areas.crs)
    shapes = areas[[areas.geometry.name]].sort_index()
    where, inside = shapes.sindex.query(placed.geometry, predicate="intersects")
    first = pd.Series(inside).groupby(where).min()
    found = np.full(len(points), None, dtype=object)
    found[first.index.to_numpy()] = shapes.index.to_numpy(dtype=object)[first.to_numpy()]
    index = pd.Index([str(name) for name in points.index], name="from_id", dtype=object)
    return pd.Series(found, index=index, name="area_id", dtype=object)


def weighted_points(points: gpd.GeoDataFrame, residents: pd.Series, area_of: pd.Series) -> gpd.GeoDataFrame:
    """Return a point for each area where its residents are on average, moved to the nearest of its populated points.

    The mean itself can fall into a lake, or into another area.

    Parameters
    ----------
    points, residents, area_of
        Where people live, how many, and in which area, by the same ids; points in a metric coordinate system.

    Returns
    -------
    geopandas.GeoDataFrame
        By ``area_id``: ``residents``, ``from_id`` of the point taken, ``moved_m`` from the mean, ``geometry``. Areas in
        which nobody lives are left out.

    Raises
    ------
    InputError
        When the coordinate system is missing or not metric.

    Examples
    --------
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(geometry=[Point(0, 0), Point(90, 0)], index=["a", "b"], crs=3006)
    >>> people, area = pd.Series([10, 80], index=homes.index), pd.Series(["N", "N"], index=homes.index)
    >>> weighted_points(homes, people, area).drop(columns="geometry").to_dict("index")
    {'N': {'residents': 90.0, 'from_id': 'b', 'moved_m': 10.0}}
    """
    if points.crs is None:
        raise checks.crs_missing()
    if not points.crs.is_projected:
        raise checks.crs_not_metric(points.crs.name, points.crs.axis_info[0].unit_name)
    ids = [str(name) for name in points.index]
    frame = pd.DataFrame({
        "from_id": ids, "x": points.geometry.x.to_numpy(), "y": points.geometry.y.to_numpy(),
        "people": residents.set_axis(residents.index.astype(str)).reindex(ids).to_numpy(float),
        "area": area_of.set_axis(area_of.index.astype(str)).reindex(ids).to_numpy(),
    })  # fmt: skip
    frame = frame[frame["people"] > 0].dropna(subset=["area", "x", "y"])
    rows = []
    for code, own in frame.groupby("area", sort=True):
        x, y = (float(np.average(own[axis], weights=own["people"])) for axis in ("x", "y"))
        away = np.hypot(own["x"] - x, own["y"] - y)
        nearest = own.loc[away.idxmin()]
        rows.append((str(code), own["people"].sum(), nearest["from_id"], away.min(), nearest["x"], nearest["y"]))
    table = pd.DataFrame(rows, columns=["area_id", "residents", "from_id", "moved_m", "x", "y"]).set_index("area_id")
    shapes = gpd.points_from_xy(table["x"], table["y"], crs=points.crs)
    return gpd.GeoDataFrame(table.drop(columns=["x", "y"]), geometry=shapes)
