"""Candidates for strategic nodes: stations, centres that a plan names, and peaks of density, each place once."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError
from geoplan.reach.centres import Weights, placed

__all__ = ["density_peaks", "node_candidates"]

_AT_ONCE = 2000  # points whose neighbours are looked up together
_SAME = 1e-9  # of a density: what is so little higher is as high


def density_peaks(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    weights: Weights = None,
    *,
    radius_m: float = 600.0,
    apart_m: float = 1000.0,
    least_per_km2: float,
) -> gpd.GeoDataFrame:
    r"""Find the peaks of density among points: where people and jobs are thickest around.

    The density at a point is the quartic kernel's,

    .. math:: d_j = \frac{3}{\pi r^2} \sum_{i : d_{ij} < r} w_i \left(1 - \frac{d_{ij}^2}{r^2}\right)^2,

    and a peak is a point that no other within ``apart_m`` exceeds (of equal ones the first by id).

    Parameters
    ----------
    points, weights
        Cells, addresses or workplaces in a metric system, and their residents, jobs or both; as for
        :func:`weighted_mean_centre`.
    radius_m
        The kernel's radius *r*.
    apart_m
        Within it there is one peak.
    least_per_km2
        Density that a peak must have.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``peak_id``, the highest first; ``per_km2`` and the point.

    Raises
    ------
    InputError
        As :func:`weighted_mean_centre`; when a length or the density is none.

    Examples
    --------
    >>> homes = gpd.GeoSeries([shapely.Point(674_000 + x, 6_580_000) for x in (0, 100, 3000)], index=[*"abc"], crs=3006)
    >>> density_peaks(homes, pd.Series({"a": 200, "b": 300, "c": 90}), least_per_km2=50).round().iloc[:, 0]
    peak_id
    b    1297.0
    c     239.0
    Name: per_km2, dtype: float64
    """
    faults = Faults()
    for key, number in (("radius_m", radius_m), ("apart_m", apart_m), ("least_per_km2", least_per_km2)):
        if not np.isfinite(number) or number <= 0:
            faults.add(SpecError(Fault(what=f"{number!r} cannot be", key=key, expected="a number above 0")))
    with faults.catch():
        xy, weight, crs = placed(points, weights)
    faults.raise_any()
    tree = cKDTree(xy)
    density = _kernel(tree, weight, radius_m)
    high = np.flatnonzero(density >= least_per_km2)
    ids = np.array([str(name) for name in points.index], dtype=object)
    order = np.lexsort((ids[high], -density[high]))
    found = [place for place in high[order] if _is_peak(place, tree, density, ids, apart_m)]
    return gpd.GeoDataFrame(
        {"per_km2": density[found]},
        geometry=shapely.points(xy[found]),
        crs=crs,
        index=pd.Index(ids[found], name="peak_id"),
    )


def _kernel(tree: cKDTree, weight: np.ndarray, radius_m: float) -> np.ndarray:
    xy = np.asarray(tree.data)
    density = np.zeros(len(xy))
    for start in range(0, len(xy), _AT_ONCE):
        part = np.arange(start, min(start + _AT_ONCE, len(xy)))
        near = tree.query_ball_point(xy[part], radius_m)
        row = np.repeat(part, [len(one) for one in near])
        other = np.concatenate([np.asarray(one, dtype=np.int64) for one in near])
        share = ((xy[row] - xy[other]) ** 2).sum(axis=1) / radius_m**2
        part_of = weight[other] * (1 - np.minimum(share, 1)) ** 2
        density[part] = np.bincount(row - start, weights=part_of, minlength=len(part))
    return np.asarray(density * 3 / (np.pi * radius_m**2) * 1e6)


def _is_peak(place: int, tree: cKDTree, density: np.ndarray, ids: np.ndarray, apart_m: float) -> bool:
    others = [other for other in tree.query_ball_point(tree.data[place], apart_m) if other != place]
    mine, theirs = density[place], density[others]
    higher = theirs > mine * (1 + _SAME)
    equal = ~higher & (theirs >= mine * (1 - _SAME))
    return not higher.any() and not (equal & (ids[others] < ids[place])).any()


def node_candidates(
    *,
    centres: gpd.GeoDataFrame | None = None,
    stations: gpd.GeoDataFrame | None = None,
    peaks: gpd.GeoDataFrame | None = None,
    merge_m: float = 500.0,
) -> gpd.GeoDataFrame:
    """Gather the places that could grow into nodes, each once.

    They are taken in order: centres as given, then stations, the busiest first, then peaks, the highest first. What
    lies within ``merge_m`` of a place that is taken is merged into it, and does not move it. So a chain of stops along
    a street does not run together into one place.

    Parameters
    ----------
    centres
        Places that a plan names: points with a column ``name``, the index being their ids.
    stations, peaks
        Of :func:`stations` and :func:`density_peaks`, or frames alike.
    merge_m
        Within it two candidates are one, as the crow flies. The larger, the fewer nodes.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``node_id``, the id of the place that was taken first. Columns ``name`` (the id where there is none),
        ``kinds`` (``centre``, ``station``, ``peak``: all that are there), ``members`` (ids of all that are there) and
        the point, in the system of the first frame.

    Raises
    ------
    InputError
        When no frame is given, one states no metric system or holds what are no points, an id occurs in two of them,
        or ``merge_m`` is no length.

    Examples
    --------
    >>> spot = shapely.Point(674_000, 6_580_000)
    >>> halt = gpd.GeoDataFrame({"name": ["Halt"]}, geometry=[spot], index=["S1"], crs=3006)
    >>> peak = gpd.GeoDataFrame(geometry=[shapely.Point(674_300, 6_580_000)], index=["r1c1"], crs=3006)
    >>> node_candidates(stations=halt, peaks=peak)[["name", "kinds", "members"]]
             name          kinds  members
    node_id
    S1       Halt  station, peak  S1 r1c1
    """
    if not np.isfinite(merge_m) or merge_m < 0:
        raise SpecError(Fault(what=f"{merge_m!r} cannot be", key="merge_m", expected="metres, 0 or more"))
    given = {"centre": centres, "station": stations, "peak": peaks}
    frames = {kind: frame for kind, frame in given.items() if frame is not None and len(frame)}
    if not frames:
        what = "there are no candidates: no centres, stations or peaks"
        raise SpecError(Fault(what=what, key="stations", expected="at least one of them"))
    every = _gathered(frames)
    xy = shapely.get_coordinates(every.geometry.array)
    taken: list[int] = []
    belongs = np.empty(len(every), dtype=np.int64)
    for place, spot in enumerate(xy):
        apart = np.hypot(*(xy[taken] - spot).T) if taken else np.empty(0)
        if len(apart) and apart.min() <= merge_m:
            belongs[place] = taken[int(apart.argmin())]
        else:
            belongs[place] = place
            taken.append(place)
    together = every.groupby(belongs)
    found = every.iloc[taken].copy()
    found["kinds"] = [", ".join(dict.fromkeys(together.get_group(place)["kind"])) for place in taken]
    found["members"] = [" ".join(together.get_group(place).index) for place in taken]
    return found[["name", "kinds", "members", "geometry"]].rename_axis("node_id")


def _gathered(frames: dict[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    faults, parts = Faults(), []
    crs: Any = None
    for kind, frame in frames.items():
        with faults.catch(key=f"{kind}s"):
            xy, _, own = placed(frame)
            crs = crs or own
            names = frame["name"] if "name" in frame else pd.Series("", index=frame.index)
            ids = [str(name) for name in frame.index]
            called = [str(name) if pd.notna(name) and str(name) else one for name, one in zip(names, ids, strict=True)]
            part = gpd.GeoDataFrame({"name": called, "kind": kind}, geometry=shapely.points(xy), crs=own, index=ids)
            parts.append(part.to_crs(crs))
    faults.raise_any()
    every = gpd.GeoDataFrame(pd.concat(parts), crs=crs)
    twice = sorted(set(every.index[every.index.duplicated()]))
    if twice:
        what = f"{len(twice)} id(s) stand in two of the frames: {checks.listed(twice)}"
        raise IdError(
            Fault(what=what, expected="an id of its own for every candidate", hint="put a letter before them")
        )
    return every
