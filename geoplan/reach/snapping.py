"""Points linked to the nearest place on a street, wherever on a piece it lies, and the way there counted."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from scipy.spatial import cKDTree

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.reach.streets import NEVER, Snapped, Streets

__all__ = ["snap"]

_ALIKE = 1e-6  # metres: what is this little nearer is as near
_POINT = 0
_MOST = NEVER - 1


def snap(
    streets: Streets,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    radius_m: float | Sequence[float] = (300.0, 1600.0),
    off_street_kmh: float = 4.68,
) -> Snapped:
    """Link points to the nearest place on a street.

    Parameters
    ----------
    streets
        The network.
    points
        Points in any coordinate system that is stated; their index is their ids.
    radius_m
        How far from a street a point may lie, in metres. Of two radii the second counts, and points beyond the first
        are listed by :meth:`Snapped.far`.
    off_street_kmh
        Speed on the way from a point to the street, in a straight line.

    Returns
    -------
    Snapped
        One row per point. A point without a place, or too far from every street, is linked to nothing and says why.
        Of streets that are equally near, the one that comes first in the network is taken.

    Raises
    ------
    InputError
        When the points state no coordinate system, are no points, or an id occurs twice or is missing; or when a
        radius or the speed is none.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> from geoplan.reach import read_streets
    >>> lines = [LineString([(674_000, 6_580_000), (674_100, 6_580_000)])]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    >>> homes = gpd.GeoSeries([Point(674_025, 6_580_013), Point(674_000, 6_590_000)], index=["a", "b"], crs=3006)
    >>> snapped = snap(streets, homes)
    >>> snapped.along.round(3).tolist(), snapped.off_m.round(1).tolist()
    ([0.25, nan], [13.0, nan])
    >>> snapped.unsnapped()["reason"].item()
    '10,000 m from the nearest street, farther than 1,600 m'
    """
    near, far = _radii(radius_m)
    if not _positive(off_street_kmh):
        what = f"{off_street_kmh!r} is not a speed"
        raise SpecError(Fault(what=what, key="off_street_kmh", expected="a speed in km/h, above 0"))
    geometry = _checked(points)
    placed, xy, reason = _placed(geometry, streets.crs)
    piece, off = _nearest(streets, xy, placed, far)
    nearest = off.copy()
    lost = placed & (piece < 0)
    if lost.any() and streets.linkable.any():
        nearest[lost] = _nearest(streets, xy, lost, None)[1][lost]
    for row in np.flatnonzero(lost):
        reason[row] = f"{nearest[row]:,.0f} m from the nearest street, farther than {far:,.0f} m"
    if lost.any() and not streets.linkable.any():
        reason[lost] = "no piece of the network may be linked to"
    return _timed(
        streets, np.asarray(points.index, dtype=object), xy, piece, off, off_street_kmh, reason, near, nearest
    )


def _radii(radius_m: float | Sequence[float]) -> tuple[float, float]:
    radii = list(radius_m) if isinstance(radius_m, Sequence) else [radius_m]
    sound = all(_positive(radius) for radius in radii)
    if not sound or not 1 <= len(radii) <= 2 or radii != sorted(radii):  # noqa: PLR2004  near and far
        what = f"{radius_m!r} is not a link radius"
        expected = "metres above 0: one number, or a near and a far one"
        raise SpecError(Fault(what=what, key="radius_m", expected=expected))
    return float(radii[0]), float(radii[-1])


def _positive(number: Any) -> bool:
    fit = isinstance(number, int | float | np.number) and not isinstance(number, bool)
    return fit and isfinite(number) and bool(number > 0)


def _checked(points: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """Refuse what is no set of points; all faults at once."""
    if not isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        what = f"points cannot be a {type(points).__name__}"
        raise SpecError(Fault(what=what, expected="a GeoDataFrame or GeoSeries of points, their index being their ids"))
    geometry, faults = points.geometry, Faults()
    if geometry.crs is None:
        faults.add(checks.crs_missing(hint='say which it is with `.set_crs("EPSG:…")`'))
    ids = points.index
    if len(ids) and pd.isna(ids).any():
        faults.add(checks.points_without_id(int(pd.isna(ids).sum())))
    repeated = ids[ids.duplicated()]
    if len(repeated):
        faults.add(checks.duplicate_points(sorted({str(name) for name in repeated})))
    kind = shapely.get_type_id(np.asarray(geometry.array))
    other = ~np.isin(kind, [-1, _POINT]) & ~np.asarray(geometry.is_empty)
    if other.any():
        names = [str(name) for name in ids[other]]
        faults.add(checks.not_points(names, geometry[other].geom_type.unique()))
    faults.raise_any()
    return geometry


def _placed(geometry: gpd.GeoSeries, crs: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which points have a place, their places in a system, and why the others have none."""
    reason = np.full(len(geometry), "", dtype=object)
    xy = np.full((len(geometry), 2), np.nan)
    shapes = np.asarray(geometry.array)
    given = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    there = shapely.get_coordinates(shapes[given])
    sound = np.isfinite(there).all(axis=1)
    given[given] = sound
    reason[~given] = "no coordinates"
    if given.any():
        project = pyproj.Transformer.from_crs(geometry.crs, crs, always_xy=True).transform
        xy[given] = np.column_stack(project(*there[sound].T))
    outside = given & ~np.isfinite(xy).all(axis=1)
    reason[outside] = f"outside the region of {crs}"
    xy[outside] = np.nan
    return given & ~outside, xy, reason


def _nearest(
    streets: Streets, xy: np.ndarray, wanted: np.ndarray, radius: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest piece of each point and the metres to it; -1 and NaN where there is none within the radius."""
    piece, off = np.full(len(xy), -1, dtype=np.int32), np.full(len(xy), np.nan)
    rows, number = np.flatnonzero(wanted), np.flatnonzero(streets.linkable)
    if not len(rows) or not len(number):
        return piece, off
    # The nearest vertex is no nearer than the nearest street: no street beyond it need be looked at.
    vertices = shapely.get_coordinates(streets.shapes[number])
    most = np.inf if radius is None else radius
    bound = np.minimum(cKDTree(vertices).query(xy[rows], distance_upper_bound=most)[0], most)
    shapes = shapely.points(xy[rows])
    point, match = streets.index.query(shapes, predicate="dwithin", distance=bound + _ALIKE)
    metres = shapely.distance(shapes[point], streets.shapes[number[match]])
    least = np.full(len(rows), np.inf)
    np.minimum.at(least, point, metres)
    # Whatever is as near, to a thousandth of a millimetre, takes part; the first of the network is taken.
    alike = metres <= least[point] + _ALIKE
    first = np.full(len(rows), len(number))
    np.minimum.at(first, point[alike], match[alike])
    point = np.flatnonzero(np.isfinite(least) & (least <= most))
    first, metres = first[point], least[point]
    piece[rows[point]] = number[first]
    off[rows[point]] = metres
    return piece, off


def _timed(
    streets: Streets,
    ids: np.ndarray,
    xy: np.ndarray,
    piece: np.ndarray,
    off: np.ndarray,
    off_street_kmh: float,
    reason: np.ndarray,
    near: float,
    nearest: np.ndarray,
) -> Snapped:
    """Find the place along the piece, and the times and lengths to both its ends."""
    on = piece >= 0
    which = piece[on]
    along = np.full(len(ids), np.nan)
    along[on] = shapely.line_locate_point(streets.shapes[which], shapely.points(xy[on]), normalized=True)
    share, walk_ms = along[on], off[on] / (off_street_kmh / 3.6) * 1000

    def time(milliseconds: np.ndarray, part: np.ndarray) -> np.ndarray:
        whole = np.full(len(ids), NEVER, dtype=np.int32)
        taken = np.minimum(np.rint(walk_ms + milliseconds[which] * part), _MOST)
        # Who is at the junction itself has no way to go to it, whichever ways are allowed.
        whole[on] = np.where((milliseconds[which] == NEVER) & (part > 0), NEVER, taken)
        return whole

    off_ms = np.zeros(len(ids), dtype=np.int32)
    off_ms[on] = np.minimum(np.rint(walk_ms), _MOST)

    def length(part: np.ndarray) -> np.ndarray:
        whole = np.full(len(ids), NEVER, dtype=np.int32)
        whole[on] = np.minimum(np.rint((off[on] + streets.length_m[which] * part) * 1000), _MOST)
        return whole

    def junction(ends: np.ndarray) -> np.ndarray:
        found = np.full(len(ids), -1, dtype=np.int32)
        found[on] = ends[which]
        return found

    return Snapped(
        ids=ids,
        xy=xy,
        piece=piece,
        along=along,
        off_m=off,
        off_ms=off_ms,
        start=junction(streets.start),
        end=junction(streets.end),
        to_start_ms=time(streets.backward_ms, share),
        to_end_ms=time(streets.forward_ms, 1 - share),
        from_start_ms=time(streets.forward_ms, share),
        from_end_ms=time(streets.backward_ms, 1 - share),
        to_start_mm=length(share),
        to_end_mm=length(1 - share),
        reason=reason,
        near_m=near,
        nearest_m=nearest,
    )
