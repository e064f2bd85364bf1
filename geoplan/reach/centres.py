"""Centres of gravity (``tyngdpunkt`` as statisticians mean it): mean and median centre, spread, and shift over years.

A strategic node (``tyngdpunkt`` as planners mean it) is another thing: see :mod:`geoplan.reach.nodes`.

Lengths are measured in the points' own metric system, in which a metre is a metre within 1 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import Point, Polygon

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import working_crs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Ellipse",
    "placed",
    "standard_distance",
    "standard_ellipse",
    "weighted_mean_centre",
    "weighted_median_centre",
]

Points: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries
Weights: TypeAlias = pd.Series | str | None
Variant = Literal["yuill", "arcgis", "crimestat"]
_FLAT = 1e-10  # width of a cloud of points against its length: below, they lie on a line
_ROUND = 1e-9  # difference of two variances against the larger: below, the cloud is as wide as long
_ALIKE = 1e-12  # of a sum of weights
_CORNERS = 32  # of a quarter of an ellipse drawn as a polygon
_STEPS = 1000


@dataclass(frozen=True)
class Ellipse:
    """A standard ellipse.

    Attributes
    ----------
    centre
        The weighted mean centre.
    semi_major_m, semi_minor_m
        Half the longer and the shorter axis.
    bearing_deg
        Direction of the longer axis, clockwise from the grid's north, from 0 to below 180; NaN where the axes are of
        one length, so that no direction is the longer.
    variant
        By which formula.
    crs
        The system that it is measured in.
    """

    centre: Point
    semi_major_m: float
    semi_minor_m: float
    bearing_deg: float
    variant: str
    crs: str

    @property
    def area_km2(self) -> float:
        """Its area."""
        return float(np.pi * self.semi_major_m * self.semi_minor_m / 1e6)

    @property
    def polygon(self) -> Polygon:
        """Its outline, for a map; of points on a line, or in one place, the polygon has no area."""
        turn = np.radians(0.0 if np.isnan(self.bearing_deg) else self.bearing_deg)
        angle = np.linspace(0, 2 * np.pi, 4 * _CORNERS, endpoint=False)
        along, across = self.semi_major_m * np.cos(angle), self.semi_minor_m * np.sin(angle)
        x = self.centre.x + along * np.sin(turn) + across * np.cos(turn)
        y = self.centre.y + along * np.cos(turn) - across * np.sin(turn)
        return Polygon(np.column_stack([x, y]))


def weighted_mean_centre(points: Points, weights: Weights = None) -> Point:
    r"""Return the centre of gravity.

    .. math:: \bar{x} = \frac{\sum_i w_i x_i}{\sum_i w_i}, \quad \bar{y} = \frac{\sum_i w_i y_i}{\sum_i w_i}

    It makes the weighted sum of *squared* distances least, so that a few people far out pull it their way.

    Parameters
    ----------
    points
        Points in a metric system; the index is their ids.
    weights
        Residents, jobs …: a Series by the same ids, or the name of a column; 1 each when left out. None is missing: a
        point whose figure is not known has no weight of 0. :func:`centre_shift` leaves such points out and says so.

    Returns
    -------
    shapely.Point
        In the system of the points.

    Raises
    ------
    InputError
        When the points are none, state no metric system, or their ids occur twice; when a weight is missing, below 0,
        or no number, or all are 0. All faults at once.

    Examples
    --------
    Three people in the one place and one in the other, 400 m to the east:

    >>> homes = gpd.GeoSeries([Point(674_000, 6_580_000), Point(674_400, 6_580_000)], index=["a", "b"], crs=3006)
    >>> weighted_mean_centre(homes, pd.Series({"a": 3, "b": 1}))
    <POINT (674100 6580000)>
    """
    xy, weight, _ = placed(points, weights)
    return Point(mean_of(xy, weight))


def weighted_median_centre(points: Points, weights: Weights = None, *, tolerance_m: float = 0.001) -> Point:
    r"""Return the place from which the way to all is shortest, as the crow flies.

    It is the point *m* that makes :math:`f(m) = \sum_i w_i \lVert p_i - m \rVert` least (the geometric or spatial
    median, the Weber point). Unlike the mean centre it does not follow a few people who move far.

    Weiszfeld's steps with the correction of Vardi & Zhang (2000, *The multivariate L1-median and associated data
    depth*, PNAS 97:4), by which a step that lands on one of the points leaves it again, and Newton's step wherever it
    brings more. A point :math:`p_k` is itself the median exactly where the pulls of the others do not outweigh it:

    .. math:: \Bigl\lVert \sum_{i \ne k} w_i \frac{p_i - p_k}{\lVert p_i - p_k \rVert} \Bigr\rVert \le w_k

    That is tested, and the point then returned to the digit. Points on a line have the median of their places on it; if
    half of the weight lies on either side, all places between two points are as good, and the middle of them is taken.

    Parameters
    ----------
    points, weights
        As for :func:`weighted_mean_centre`.
    tolerance_m
        When it has converged: *f* is convex and the median lies among the points, so that the mean distance exceeds
        the least one by at most :math:`\lVert \nabla f(m) \rVert \, D / \sum_i w_i` with *D* the distance from *m* to
        the farthest point. The search ends when that is at most so many metres.

    Returns
    -------
    shapely.Point
        In the system of the points.

    Raises
    ------
    InputError
        As :func:`weighted_mean_centre`; when the tolerance is no length, or so small that it is not reached.

    Examples
    --------
    Two of three people live in one place, and nobody who moves elsewhere changes that:

    >>> homes = gpd.GeoSeries([Point(0, 0), Point(300, 0), Point(0, 9000)], crs=3006).translate(674_000, 6_580_000)
    >>> weighted_median_centre(homes, pd.Series([2, 0.5, 0.5]))
    <POINT (674000 6580000)>
    """
    if not np.isfinite(tolerance_m) or tolerance_m <= 0:
        what = f"{tolerance_m!r} is not a tolerance"
        raise SpecError(Fault(what=what, key="tolerance_m", expected="metres above 0"))
    xy, weight, _ = placed(points, weights)
    return Point(median_of(xy, weight, tolerance_m))


def standard_distance(points: Points, weights: Weights = None) -> float:
    r"""Return how far people are spread around the mean centre, in metres.

    .. math:: S = \sqrt{\frac{\sum_i w_i \left[(x_i - \bar{x})^2 + (y_i - \bar{y})^2\right]}{\sum_i w_i}}

    The root of the mean squared distance to the mean centre (Bachi 1963, *Standard distance measures and related
    methods for spatial analysis*), as ``pointpats.std_distance`` has it: divided by all the weight, neither by *n* − 1
    nor, as CrimeStat does, by *n* − 2.

    Parameters
    ----------
    points, weights
        As for :func:`weighted_mean_centre`.

    Raises
    ------
    InputError
        As :func:`weighted_mean_centre`.

    Examples
    --------
    Two places, 300 m to either side of the middle:

    >>> homes = gpd.GeoSeries([Point(674_000, 6_580_000), Point(674_600, 6_580_000)], crs=3006)
    >>> standard_distance(homes)
    300.0
    """
    xy, weight, _ = placed(points, weights)
    return float(np.sqrt(np.trace(_covariance(xy, weight))))


def standard_ellipse(points: Points, weights: Weights = None, *, variant: Variant = "yuill") -> Ellipse:
    r"""Return the ellipse of people's spread: how far, and in which direction farthest.

    The axes lie along the eigenvectors of the weighted covariance

    .. math:: C = \frac{1}{\sum_i w_i} \sum_i w_i (p_i - \bar{p})(p_i - \bar{p})^T

    with eigenvalues :math:`\lambda_1 \ge \lambda_2`. Programs agree on the directions and not on the lengths:

    ``yuill`` (the default)
        Semi-axes :math:`\sqrt{\lambda_1}, \sqrt{\lambda_2}`: the standard deviations along the axes (Yuill 1971, *The
        standard deviational ellipse*, Geografiska Annaler B 53:1). Of a normal spread it holds
        :math:`1 - e^{-1/2}`, 39 %.
    ``arcgis``
        :math:`\sqrt{2}` times as long: holds :math:`1 - e^{-1}`, 63 %.
    ``crimestat``
        :math:`\sqrt{2}` times as long, with the sum of weights less 2 in place of the sum (as ``pointpats.ellipse``
        with *n* − 2). It is for counts alone: weights are taken as numbers of people.

    Parameters
    ----------
    points, weights
        As for :func:`weighted_mean_centre`.
    variant
        The formula.

    Returns
    -------
    Ellipse

    Raises
    ------
    InputError
        As :func:`weighted_mean_centre`; when no variant has the name, or all weight is 2 or less for ``crimestat``.

    Examples
    --------
    Four corners of a rectangle 800 m by 600 m, longer from west to east:

    >>> corners = [Point(0, 0), Point(800, 0), Point(800, 600), Point(0, 600)]
    >>> homes = gpd.GeoSeries(corners, crs=3006).translate(674_000, 6_580_000)
    >>> ellipse = standard_ellipse(homes)
    >>> round(ellipse.semi_major_m), round(ellipse.semi_minor_m), round(ellipse.bearing_deg)
    (400, 300, 90)
    """
    if variant not in get_args(Variant):
        raise checks.unknown_name("variant", str(variant), get_args(Variant), key="variant")
    xy, weight, crs = placed(points, weights)
    total = float(weight.sum())
    scale = 1.0
    if variant == "crimestat":
        if total <= 2:  # noqa: PLR2004  as the formula has it
            what = f"all weight is {total:g}, and the formula divides by 2 less"
            raise SpecError(Fault(what=what, key="variant", expected="more than 2 points or people, or 'yuill'"))
        scale = total / (total - 2)
    values, vectors = np.linalg.eigh(_covariance(xy, weight) * scale)
    long, short = (float(np.sqrt(max(value, 0.0))) for value in values[::-1])
    stretch = 1.0 if variant == "yuill" else float(np.sqrt(2))
    east, north = vectors[:, 1]
    alike = values[1] - values[0] <= _ROUND * max(values[1], np.finfo(float).tiny)
    bearing = float("nan") if alike else float(np.degrees(np.arctan2(east, north)) % 180)
    return Ellipse(Point(mean_of(xy, weight)), stretch * long, stretch * short, bearing, variant, crs)


# ---------------------------------------------------------------- points and weights


def placed(points: Any, weights: Weights = None) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return places, weights and the name of the system; refuse what cannot be, all faults at once."""
    geometry = must_be_points(points)
    faults = Faults()
    weight = np.ones(len(geometry))
    with faults.catch():
        geometry = working_crs(geometry.to_frame("geometry")).geometry
    with faults.catch():
        if weights is not None:
            weight = _weighed(points, weights)
    faults.raise_any()
    return shapely.get_coordinates(geometry.array), weight, geometry.crs.to_string()


def must_be_points(points: Any) -> gpd.GeoSeries:
    """Return the geometry of points that have a place each and an id each."""
    if not isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        what = f"points cannot be a {type(points).__name__}"
        raise SpecError(Fault(what=what, expected="a GeoDataFrame or GeoSeries of points, their index being their ids"))
    geometry, faults, ids = points.geometry, Faults(), points.index
    if geometry.empty:
        raise checks.empty_layer("there are no points", expected="at least one")
    if pd.isna(ids).any():
        faults.add(checks.points_without_id(int(pd.isna(ids).sum())))
    if ids.has_duplicates:
        faults.add(checks.duplicate_points(sorted({str(name) for name in ids[ids.duplicated()]})))
    nowhere = geometry.isna() | geometry.is_empty
    if nowhere.any():
        what = f"{int(nowhere.sum())} point(s) have no place: {checks.listed([str(name) for name in ids[nowhere]])}"
        faults.add(SpecError(Fault(what=what, expected="a place for every point", hint="drop them, and say so")))
    other = ~nowhere & (geometry.geom_type != "Point")
    if other.any():
        faults.add(checks.not_points([str(name) for name in ids[other]], geometry[other].geom_type.unique()))
    faults.raise_any()
    return geometry


def _weighed(points: Points, weights: pd.Series | str) -> NDArray[np.float64]:
    if isinstance(weights, str):
        present = [str(name) for name in points.columns] if isinstance(points, gpd.GeoDataFrame) else []
        if weights not in present:
            raise checks.absent_columns([weights], present, key="weights")[0]
        weights = points[weights]
    faults = Faults()
    if weights.index.has_duplicates:
        repeated = sorted({str(name) for name in weights.index[weights.index.duplicated()]})
        raise checks.duplicate_points(repeated)
    beyond = weights.index.difference(points.index)
    if len(beyond):
        faults.add(checks.ids_not_among([str(name) for name in beyond], [str(name) for name in points.index]))
    values = pd.to_numeric(weights.reindex(points.index), errors="coerce").astype(float)
    missing = values.index[~np.isfinite(values)]
    if len(missing):
        what = f"{len(missing)} point(s) have no weight: {checks.listed([str(name) for name in missing])}"
        hint = "what is not known is not 0: leave such points out and say so, or ask `centre_shift`, which does"
        faults.add(TableError(Fault(what=what, key="weights", expected="a number for every point", hint=hint)))
    below = values.index[values < 0]
    if len(below):
        what = f"{len(below)} weight(s) are below 0: {checks.listed([str(name) for name in below])}"
        faults.add(TableError(Fault(what=what, key="weights", expected="0 or more")))
    if not faults and not values.sum() > 0:
        faults.add(TableError(Fault(what="all weights are 0", key="weights", expected="some above 0")))
    faults.raise_any()
    return np.asarray(values)


# ---------------------------------------------------------------- the arithmetic


def mean_of(xy: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of places; relative to the first, so that large coordinates cost no digits."""
    return np.asarray(xy[0] + weight @ (xy - xy[0]) / weight.sum())


def _covariance(xy: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    away = xy - mean_of(xy, weight)
    return np.asarray((away * weight[:, None]).T @ away / weight.sum())


def median_of(xy: NDArray[np.float64], weight: NDArray[np.float64], tolerance_m: float) -> NDArray[np.float64]:
    """Return the geometric median; see :func:`weighted_median_centre`."""
    heavy = weight > 0
    places, which = np.unique(xy[heavy], axis=0, return_inverse=True)
    weight = np.asarray(np.bincount(which.ravel(), weights=weight[heavy]), dtype=np.float64)
    middle = mean_of(places, weight)
    away = places - middle
    _, spread, axes = np.linalg.svd(away * np.sqrt(weight)[:, None], full_matrices=False)
    if spread[-1] <= _FLAT * spread[0]:
        return _median_on_a_line(places, away @ axes[0], weight)
    return np.asarray(middle + _searched(away, weight, tolerance_m))


def _median_on_a_line(
    places: NDArray[np.float64], along: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    order = np.argsort(along)
    upto, half = np.cumsum(weight[order]), weight.sum() / 2
    first = int(np.searchsorted(upto, half * (1 - _ALIKE)))
    even = abs(upto[first] - half) <= _ALIKE * half  # as much on either side: every place up to the next is as good
    last = min(first + 1, len(order) - 1) if even else first
    return np.asarray((places[order[first]] + places[order[last]]) / 2)


def _searched(away: NDArray[np.float64], weight: NDArray[np.float64], tolerance_m: float) -> NDArray[np.float64]:
    at = np.zeros(2)
    total = weight.sum()
    for _ in range(_STEPS):
        apart = np.hypot(*(away - at).T)
        nearest = int(apart.argmin())
        if _holds(away, weight, nearest):
            return np.asarray(away[nearest])
        pull, there = _pull(away, weight, at)
        strength = float(np.hypot(*pull))
        if not there and strength * apart.max() / total <= tolerance_m:
            return at
        at = _stepped(away, weight, at, apart, pull, there)
    what = f"the median centre is not known to {tolerance_m:g} m after {_STEPS:,} steps"
    raise SpecError(Fault(what=what, key="tolerance_m", hint="ask for fewer digits, such as 0.01"))


def _pull(away: NDArray[np.float64], weight: NDArray[np.float64], at: NDArray[np.float64]) -> tuple[Any, float]:
    """Return the sum of pulls of the points elsewhere, and the weight of the point that is here."""
    apart = np.hypot(*(away - at).T)
    elsewhere = apart > 0
    pull = (weight[elsewhere] / apart[elsewhere]) @ (away[elsewhere] - at)
    return pull, float(weight[~elsewhere].sum())


def _holds(away: NDArray[np.float64], weight: NDArray[np.float64], number: int) -> bool:
    """Tell whether a point is the median itself."""
    pull, here = _pull(away, weight, away[number])
    return bool(np.hypot(*pull) <= here * (1 + _ALIKE))


def _stepped(
    away: NDArray[np.float64],
    weight: NDArray[np.float64],
    at: NDArray[np.float64],
    apart: NDArray[np.float64],
    pull: NDArray[np.float64],
    there: float,
) -> NDArray[np.float64]:
    """Return the better of two steps: Weiszfeld's, which never makes it worse, and Newton's, which is soon there."""
    elsewhere = apart > 0
    near = weight[elsewhere] / apart[elsewhere]
    damped = max(0.0, 1 - there / float(np.hypot(*pull))) if there else 1.0
    sure = at + damped * pull / near.sum()
    if there:
        return np.asarray(sure)
    unit = (away - at) / apart[:, None]
    bend = near.sum() * np.eye(2) - (unit * near[:, None]).T @ unit
    if np.linalg.det(bend) <= _ALIKE * near.sum() ** 2:
        return np.asarray(sure)
    bold = at + np.linalg.solve(bend, pull)
    ways = [float(weight @ np.hypot(*(away - place).T)) for place in (sure, bold)]
    return np.asarray(bold if ways[1] <= ways[0] * (1 + 1e-14) else sure)
