"""Extent: how large, how scattered and how far apart the ground of areas and plans is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from geoplan import checks
from geoplan.places.areas import measurable, unite
from geoplan.places.membership import whole_pairs

__all__ = ["extent"]

_M2_PER_KM2 = 1e6
_AT_ONCE = 2_000


def extent(
    areas: gpd.GeoDataFrame,
    *,
    parents: pd.Series | pd.DataFrame | None = None,
    population: pd.Series | None = None,
    homes: pd.Series | None = None,
    join_m: float = 10.0,
) -> pd.DataFrame:
    r"""Measure the ground of areas, or of plans that are made of them.

    Parameters
    ----------
    areas
        Areas in a metric system.
    parents
        Which plan each area belongs to, from :func:`~geoplan.places.pairs_at` (an area may belong to several) or
        :func:`~geoplan.places.parents_at`. A plan's ground is its areas' together. Without it each area is measured.
    population, homes
        Residents and homes of the areas, by code.
    join_m
        Parts no farther apart than this, such as the two sides of a street, count as one, m.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id`` (the plans, sorted; or the areas as given), and

        ``estates`` (int)
            number of areas the plan is made of;
        ``homes``, ``residents`` (float)
            their sums; NaN where the number of one of the areas is not known;
        ``area_m2``, ``area_km2`` (float)
            surface; ground that two areas claim counts once;
        ``hull_km2`` (float)
            surface of the convex hull;
        ``compactness`` (float)
            surface / surface of the convex hull, 1 for a plan without dents and gaps;
        ``parts`` (int)
            number of separate parts;
        ``largest_distance_m`` (float)
            distance between the nearest edges of the two parts that lie farthest apart; 0 for a single part;
        ``standard_distance_m`` (float)
            how far from the common centre people live,

            .. math::

                d = \sqrt{\frac{\sum_k w_k\,\bigl((x_k - \bar x)^2 + (y_k - \bar y)^2\bigr)}{\sum_k w_k}}

            with *x*, *y* the centroid and *w* the residents of area *k*, and :math:`\bar x, \bar y` the mean weighted
            by *w*; over the areas whose residents are known, NaN without any. Where each area is measured alone it is
            0. Source: R. Bachi, Standard distance measures and related methods for spatial analysis, Papers of the
            Regional Science Association 10 (1963).

    Raises
    ------
    InputError
        When there are no areas, a code occurs twice, an area has no geometry, or they are in a system that one may not
        measure in.
    IdError
        When an area belongs to a plan only in part, or the plans name areas that are not among ``areas``.

    Examples
    --------
    Two squares of 100 m, 300 m apart from edge to edge, the eastern one with three times as many people:

    >>> from shapely import box
    >>> shapes = [box(x, 6580000, x + 100, 6580100) for x in (674000, 674400)]
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(["a", "b"], name="area_id"), crs="EPSG:3006")
    >>> plans = pd.Series({"a": "plan", "b": "plan"})
    >>> found = extent(areas, parents=plans, population=pd.Series({"a": 100, "b": 300})).loc["plan"]
    >>> found[["estates", "residents", "area_m2", "parts", "largest_distance_m"]].tolist()
    [2.0, 400.0, 20000.0, 2.0, 300.0]
    >>> float(round(found["standard_distance_m"], 1))  # 400 · √(1/4 · 3/4)
    173.2
    """
    areas = measurable(areas)
    ids = areas.index.to_series()
    pairs = whole_pairs(ids if parents is None else parents)
    place = areas.index.get_indexer(pairs["child_id"])
    if (place < 0).any():
        raise checks.ids_not_among(sorted(set(pairs["child_id"][place < 0])), list(areas.index))
    plan, names = pd.factorize(pairs["parent_id"], sort=parents is not None)
    shapes = areas.geometry.to_numpy()[place]
    merged = shapes if parents is None else unite(shapes, plan, len(names))
    table = pd.DataFrame(index=pd.Index(names, name="area_id"))
    table["estates"] = np.bincount(plan, minlength=len(names))
    for name, column in (("homes", homes), ("residents", population)):
        numbers = _numbers(column, pairs["child_id"])
        table[name] = np.bincount(plan, weights=numbers, minlength=len(names))
    hull = shapely.area(shapely.convex_hull(merged))
    table["area_m2"] = shapely.area(merged)
    table["area_km2"] = table["area_m2"] / _M2_PER_KM2
    table["hull_km2"] = hull / _M2_PER_KM2
    table["compactness"] = table["area_m2"] / hull
    table["parts"], table["largest_distance_m"] = _parts(merged, join_m)
    table["standard_distance_m"] = _standard_distance(shapes, _numbers(population, pairs["child_id"]), plan, len(names))
    return table


def _numbers(column: pd.Series | None, ids: pd.Series) -> np.ndarray:
    if column is None:
        return np.full(len(ids), np.nan)
    return np.asarray(column.reindex(ids).to_numpy(dtype=float, na_value=np.nan))


def _parts(shapes: np.ndarray, join_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Count the parts of each shape, those near each other as one, and measure how far apart they lie at most."""
    pieces, of = shapely.get_parts(shapes, return_index=True)
    one, other = shapely.STRtree(pieces).query(pieces, predicate="dwithin", distance=join_m)
    same = of[one] == of[other]
    size = len(pieces)
    near = sparse.csr_array((np.ones(same.sum()), (one[same], other[same])), shape=(size, size))
    part = connected_components(near, directed=False)[1]
    owner = pd.Series(of).groupby(part).first()
    parts = np.bincount(owner, minlength=len(shapes))
    farthest = np.zeros(len(shapes))
    for shape in np.flatnonzero(parts > 1):
        inside = np.flatnonzero(of == shape)
        joined = [shapely.multipolygons(pieces[inside[part[inside] == name]]) for name in np.unique(part[inside])]
        farthest[shape] = _farthest(np.array(joined, dtype=object))
    return parts, farthest


def _farthest(parts: np.ndarray) -> float:
    """Return the largest distance between any two of the parts."""
    one, other = np.triu_indices(len(parts), k=1)
    spots = shapely.point_on_surface(parts)
    # No two parts are farther apart than a point of each: begin with the likeliest, and stop when none can be farther.
    at_most = shapely.distance(spots[one], spots[other])
    order = np.argsort(-at_most, kind="stable")
    largest = 0.0
    for start in range(0, len(order), _AT_ONCE):
        chunk = order[start : start + _AT_ONCE]
        if at_most[chunk[0]] <= largest:
            break
        largest = max(largest, float(shapely.distance(parts[one[chunk]], parts[other[chunk]]).max()))
    return largest


def _standard_distance(shapes: np.ndarray, people: np.ndarray, plan: np.ndarray, size: int) -> np.ndarray:
    spots = shapely.get_coordinates(shapely.centroid(shapes))
    weight = np.nan_to_num(people)
    whole = np.bincount(plan, weights=weight, minlength=size)
    whole = np.where(whole > 0, whole, np.nan)
    square = np.zeros(size)
    for axis in (0, 1):
        centre = np.bincount(plan, weights=weight * spots[:, axis], minlength=size) / whole
        square += np.bincount(plan, weights=weight * (spots[:, axis] - centre[plan]) ** 2, minlength=size) / whole
    return np.sqrt(square)
