"""Barriers between districts: which of them the straight line from people to people meets, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, GeometryError, SpecError
from geoplan.places.areas import working_crs
from geoplan.reach.link_borders import longest_gap, usable
from geoplan.reach.streets import Streets

__all__ = ["MET_COLUMNS", "Met", "as_barriers", "gather_barriers"]

_LINES, _AREAS = [1, 2, 5], [3, 6]
_ROOM_M = 2000.0  # around a border: no farther is a crossing looked for
_COLUMNS = ["name", "kind", "geometry"]
MET_COLUMNS = ("name", "kind", "along_m", "gap_m", "cut_share", "excess_share", "to_crossing_m")


def gather_barriers(layers: Mapping[str, gpd.GeoDataFrame], *, name: str = "name") -> gpd.GeoDataFrame:
    """Put layers of barriers into one.

    Parameters
    ----------
    layers
        Lines or polygons by kind: ``{"railway": tracks, "water": lakes}``. The kinds are yours; a motorway, a railway,
        water and large areas of a single use are what usually parts districts. The system of the first layer is that
        of the whole.
    name
        Column with the name of each barrier; its kind where a layer has no such column, or the name is empty.

    Returns
    -------
    geopandas.GeoDataFrame
        ``name``, ``kind`` and ``geometry``; a row for each name within a kind, all its parts together.

    Raises
    ------
    InputError
        When there are no layers, or one has no stated coordinate system or other shapes than lines and polygons.

    Examples
    --------
    >>> from shapely import LineString
    >>> rails = gpd.GeoDataFrame({"name": ["Main line"]}, geometry=[LineString([(0, 0), (0, 900)])], crs=3006)
    >>> gather_barriers({"railway": rails})[["name", "kind"]].values.tolist()
    [['Main line', 'railway']]
    """
    faults, parts = Faults(), []
    if not layers:
        raise SpecError(
            Fault(what="there are no layers of barriers", key="layers", expected="lines or polygons by kind")
        )
    crs = next(iter(layers.values())).crs
    for kind, layer in layers.items():
        with faults.catch(key=f"layers.{kind}"):
            checked = _checked(layer, [f"{kind} {row}" for row in layer.index])
            called = layer[name].fillna("").astype(str).str.strip() if name in layer else pd.Series("", layer.index)
            frame = checked.to_crs(crs) if crs is not None else checked
            parts.append(pd.DataFrame({"name": called.where(called != "", kind), "kind": kind, "geometry": frame}))
    faults.raise_any()
    whole = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=crs)
    whole = whole[~(whole.geometry.isna() | whole.geometry.is_empty)]
    return whole.dissolve(["kind", "name"], sort=False).reset_index()[_COLUMNS]


def _checked(layer: gpd.GeoDataFrame, names: list[str]) -> gpd.GeoSeries:
    if layer.crs is None:
        raise checks.crs_missing(hint='say which it is with `.set_crs("EPSG:…")`')
    shapes = np.asarray(layer.geometry.array)
    other = ~np.isin(shapely.get_type_id(shapes), [*_LINES, *_AREAS, -1])
    if other.any():
        kinds = checks.listed(sorted(set(layer.geom_type[other])))
        bad = [name for name, wrong in zip(names, other, strict=True) if wrong]
        what = f"{len(bad)} barrier(s) are {kinds}: {checks.listed(bad)}"
        raise GeometryError(Fault(what=what, expected="lines or polygons"))
    return layer.geometry


def as_barriers(barriers: gpd.GeoDataFrame | None, crs: str) -> gpd.GeoDataFrame:
    """Bring barriers into the streets' system, each with a name and a kind.

    Raises
    ------
    InputError
        For barriers without ``kind``, without a stated system, or that are neither lines nor polygons.
    """
    if barriers is None:
        return gpd.GeoDataFrame({"name": [], "kind": []}, geometry=[], crs=crs)
    faults = Faults()
    if "kind" not in barriers:
        for error in checks.absent_columns(["kind"], [str(name) for name in barriers.columns]):
            faults.add(error)
    with faults.catch():
        _checked(barriers, [str(row) for row in barriers.index])
    faults.raise_any()
    kept = barriers[~(barriers.geometry.isna() | barriers.geometry.is_empty)]
    moved = working_crs(kept, crs) if len(kept) else kept.to_crs(crs)
    kind = moved["kind"].astype(str)
    name = moved["name"].fillna("").astype(str) if "name" in moved else pd.Series("", moved.index)
    shapes = shapely.make_valid(moved.geometry.to_numpy())
    return gpd.GeoDataFrame(
        {"name": name.where(name.str.strip() != "", kind).to_numpy(object), "kind": kind.to_numpy(object)},
        geometry=shapes,
        crs=moved.crs,
    )


@dataclass(frozen=True, eq=False)
class Met:
    """Barriers, ready to be held against borders and straight lines."""

    barriers: gpd.GeoDataFrame
    tree: shapely.STRtree
    ways: tuple[shapely.STRtree, np.ndarray]
    streets: Streets
    along_m: float

    @staticmethod
    def made(barriers: gpd.GeoDataFrame, streets: Streets, along_m: float) -> Met:
        """Make barriers ready."""
        return Met(barriers, shapely.STRtree(barriers.geometry.to_numpy()), usable(streets), streets, along_m)

    def between(
        self, border: shapely.Geometry, crossings: np.ndarray, straight: np.ndarray, excess: np.ndarray
    ) -> pd.DataFrame:
        """Return what each barrier does between two districts, the likeliest cause of their detour first.

        Parameters
        ----------
        border
            The border.
        crossings
            Places on it where ways cross.
        straight
            Lines from people to people.
        excess
            Metres that the way of each pair is longer than its line.

        Returns
        -------
        pandas.DataFrame
            ``name, kind, along_m`` (of the border within ``along_m`` of the barrier), ``gap_m`` (the longest stretch
            of that without a crossing), ``cut_share`` (of the straight lines that meet the barrier), ``excess_share``
            (of the extra metres, that fall to pairs whose line meets it), ``to_crossing_m`` (mean along the ground
            from where the lines meet it to the nearest way across it).
        """
        here = shapely.union_all([border, *straight])
        west, south, east, north = shapely.bounds(here)
        room = (west - _ROOM_M, south - _ROOM_M, east + _ROOM_M, north + _ROOM_M)
        numbers = np.unique(self.tree.query(here, "dwithin", distance=self.along_m))
        shapes = shapely.clip_by_rect(self.barriers.geometry.to_numpy(), *room)
        rows = []
        for number in numbers.tolist():
            shape = shapes[number]
            beside = shapely.intersection(border, shapely.buffer(shape, self.along_m))
            beside = shapely.line_merge(beside) if beside.geom_type == "MultiLineString" else beside
            meets = shapely.intersects(shape, straight) if len(straight) else np.empty(0, dtype=bool)
            if beside.length <= 0 and not meets.any():
                continue
            on = crossings[shapely.dwithin(shapely.points(crossings), beside, 1.0)] if len(crossings) else crossings
            rows.append(
                {
                    "name": self.barriers["name"].iloc[number],
                    "kind": self.barriers["kind"].iloc[number],
                    "along_m": float(beside.length),
                    "gap_m": longest_gap(beside, on) if beside.length > 0 else 0.0,
                    "cut_share": float(meets.mean()) if len(meets) else np.nan,
                    "excess_share": float(excess[meets].sum() / excess.sum()) if excess.sum() > 0 else np.nan,
                    "to_crossing_m": self._to_crossing(shape, straight[meets]),
                }
            )
        found = pd.DataFrame(rows, columns=list(MET_COLUMNS))
        return found.sort_values(
            ["excess_share", "gap_m", "cut_share", "name"], ascending=[False, False, False, True], ignore_index=True
        )

    def _to_crossing(self, shape: shapely.Geometry, straight: np.ndarray) -> float:
        """Return the mean metres from where lines meet a barrier to the nearest way across it."""
        if not len(straight):
            return float("nan")
        tree, _ = self.ways
        number = tree.query(shape, predicate="intersects")
        if not len(number):
            return float("nan")
        across = shapely.union_all(shapely.intersection(self.streets.shapes[number], shape))
        return float(shapely.distance(shapely.intersection(straight, shape), across).mean())
