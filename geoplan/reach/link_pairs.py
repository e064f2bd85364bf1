"""From people to people: who lives on either side of a border, and how long and how far it is between them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.places.areas import as_crs
from geoplan.reach.linking import near
from geoplan.reach.streets import Snapped, Streets

__all__ = [
    "Residents",
    "Ways",
    "opposite",
    "residents_of",
    "straight_m",
    "taken",
    "ways_between",
    "ways_opposite",
    "weighted_points",
]

_FIRST_MIN = 40.0


@dataclass(frozen=True, eq=False)
class Residents:
    """Where people live: places in the streets' system, how many at each, and the number of their district, or -1."""

    ids: np.ndarray
    xy: np.ndarray
    number: np.ndarray
    area: np.ndarray
    crs: str

    def __len__(self) -> int:
        return len(self.number)

    def of_areas(self, size: int) -> np.ndarray:
        """Return the residents of each district."""
        inside = self.area >= 0
        return np.bincount(self.area[inside], weights=self.number[inside], minlength=size)

    def points(self, rows: np.ndarray) -> gpd.GeoSeries:
        """Return some of the places as points."""
        return gpd.GeoSeries(shapely.points(self.xy[rows]), index=pd.Index(rows), crs=self.crs)


def residents_of(people: gpd.GeoDataFrame, population: str, areas: gpd.GeoDataFrame, crs: str) -> Residents:
    """Read where people live; whoever lives on a border belongs to the district that comes first.

    Raises
    ------
    InputError
        For people that are no points, have no stated system, no numbers, or an id twice; all faults at once.
    """
    faults = Faults()
    number = np.zeros(len(people))
    if people.crs is None:
        faults.add(checks.crs_missing(hint='say which it is with `.set_crs("EPSG:…")`'))
    repeated = people.index[people.index.duplicated()]
    if len(repeated):
        faults.add(checks.duplicate_points(sorted({str(name) for name in repeated})))
    shapes = np.asarray(people.geometry.array)
    nowhere = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    other = (shapely.get_type_id(shapes) != 0) & ~nowhere
    if other.any():
        faults.add(checks.not_points([str(name) for name in people.index[other]], people.geom_type[other].unique()))
    if population in people.columns:
        with faults.catch(column=population):
            number = _counts(people[population])
    else:
        for error in checks.absent_columns([population], [str(name) for name in people.columns], key="population"):
            faults.add(error)
    faults.raise_any()
    placed = ~nowhere & (number > 0)
    points = people.geometry[placed].to_crs(as_crs(crs))
    polygons = areas.geometry.to_crs(as_crs(crs)).to_numpy()
    row, area = shapely.STRtree(polygons).query(points.to_numpy(), predicate="intersects")
    own = np.full(len(points), len(polygons))
    np.minimum.at(own, row, area)
    own[own == len(polygons)] = -1
    xy = shapely.get_coordinates(points.to_numpy())
    return Residents(np.asarray(people.index[placed].astype(str), dtype=object), xy, number[placed], own, crs)


def _counts(column: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        first = column[wrong]
        what = f"{int(wrong.sum())} point(s) have no number of people, such as '{first.index[0]}': '{first.iloc[0]}'"
        raise TableError(Fault(what=what, expected="numbers from 0"))
    return np.asarray(numbers)


def weighted_points(people: Residents, size: int) -> np.ndarray:
    """Return the mean of where the people of each district live, two columns; NaN where nobody lives."""
    inside = people.area >= 0
    total = people.of_areas(size)
    middle = np.full((size, 2), np.nan)
    for axis in (0, 1):
        weight = people.number[inside] * people.xy[inside, axis]
        summed = np.bincount(people.area[inside], weights=weight, minlength=size)
        np.divide(summed, total, out=middle[:, axis], where=total > 0)
    return middle


def opposite(
    people: Residents, one: int, other: int, border: shapely.Geometry, near_m: float, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose people who live opposite each other: rows of one district and, beside each, of the other.

    Those within ``near_m`` of the border are put in order along it, on both sides. Of the people (not the places), as
    many as there are to be pairs are taken at equal steps, and the first is paired with the first: each pair stands
    for as many people of its side. Nobody near on one side: no pairs.
    """
    chosen = []
    for area in (one, other):
        rows = np.flatnonzero(people.area == area)
        points = shapely.points(people.xy[rows])
        rows = rows[shapely.distance(points, border) <= near_m]
        if not len(rows):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        at = shapely.line_locate_point(border, shapely.points(people.xy[rows]))
        rows = rows[np.lexsort((rows, at))]
        total = np.cumsum(people.number[rows])
        steps = (np.arange(number) + 0.5) / number * total[-1]
        chosen.append(rows[np.searchsorted(total, steps)])
    return chosen[0], chosen[1]


def straight_m(one: np.ndarray, other: np.ndarray, crs: str) -> np.ndarray:
    """Return metres on the ground between places, row by row."""
    back = pyproj.Transformer.from_crs(as_crs(crs), 4326, always_xy=True).transform
    (lon, lat), (lon_to, lat_to) = back(*one.T), back(*other.T)
    known = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    metres = np.full(len(one), np.nan)
    found = pyproj.Geod(ellps="WGS84").inv(*(np.asarray(part)[known] for part in (lon, lat, lon_to, lat_to)))[2]
    metres[known] = found
    return metres


# ---------------------------------------------------------------- ways


@dataclass(frozen=True, eq=False)
class Ways:
    """Minutes and metres between points, one row and one column each; NaN where there is no way in time."""

    minutes: np.ndarray
    metres: np.ndarray

    def both(self, one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of there and back for pairs; NaN where there is no way in one of the two directions."""
        return tuple((part[one, other] + part[other, one]) / 2 for part in (self.minutes, self.metres))


def ways_between(streets: Streets, points: Snapped, *, max_min: float, threads: int | None = None) -> Ways:
    """Find the quickest way between all points; its metres are those of the way, off the street included."""
    size = len(points.piece)
    minutes, metres = np.full((size, size), np.nan), np.full((size, size), np.nan)
    found = near(streets, points, points, max_s=max_min * 60, threads=threads)
    minutes[found.rows, found.other] = found.seconds / 60
    metres[found.rows, found.other] = found.metres
    return Ways(minutes, metres)


def ways_opposite(
    streets: Streets,
    points: Snapped,
    one: np.ndarray,
    other: np.ndarray,
    *,
    max_min: float,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes and metres between points of one list and of another, row by row, as the mean of there and back.

    Most who live opposite each other are near: only where that fails is the search as wide as it may be.
    """
    minutes, metres = np.full(len(one), np.nan), np.full(len(one), np.nan)
    limits = sorted({min(_FIRST_MIN, max_min), max_min})
    for limit in limits:
        left = np.flatnonzero(np.isnan(minutes))
        if not len(left):
            break
        found = []
        for start, goal in ((one[left], other[left]), (other[left], one[left])):
            ways = near(streets, taken(points, start), taken(points, goal), max_s=limit * 60, threads=threads)
            own = ways.rows == ways.other
            both = np.full((2, len(left)), np.nan)
            both[:, ways.rows[own]] = ways.seconds[own] / 60, ways.metres[own]
            found.append(both)
        minutes[left], metres[left] = (found[0] + found[1]) / 2
    return minutes, metres


def taken(points: Snapped, rows: Any) -> Snapped:
    """Return some of the points."""
    each = [item.name for item in fields(points) if item.name != "near_m"]
    return replace(points, **{name: getattr(points, name)[rows] for name in each})
