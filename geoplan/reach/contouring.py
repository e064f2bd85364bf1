"""Contours: lines where a surface has a level, and the ground between two levels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geoplan.errors import Fault, SpecError
from geoplan.reach.rasters import AnyRaster, Lattice, Window, as_raster, opened, windows

__all__ = ["contours"]

_SIDE = 2048


def contours(raster: AnyRaster, levels: Sequence[float], *, filled: bool = False) -> gpd.GeoDataFrame:
    """Draw the lines of a surface at given levels, or the ground between one level and the next.

    A cell's value stands at its middle, and goes straight to that of its neighbours. So contours reach to the middles
    of the outermost cells that have data and no farther: they end there, and round holes without data.

    Parameters
    ----------
    raster
        A surface or a file, which is read window by window.
    levels
        Ascending, in the raster's unit. With ``filled`` the last one may be ``inf``: everything above the one before.
    filled
        Polygons in place of lines.

    Returns
    -------
    geopandas.GeoDataFrame
        In the raster's system; a row for each level that occurs, ascending. Lines: ``level`` (float), ``geometry``
        (MultiLineString; higher ground is on the left). Filled: ``low``, ``high`` (float), ``geometry`` (MultiPolygon,
        with holes where it is higher, lower, or there is no data).

    Raises
    ------
    InputError
        When there are no levels (with ``filled`` fewer than two), or they do not ascend; as :func:`open_raster`.

    Examples
    --------
    >>> import pyproj
    >>> from geoplan.reach import Surface
    >>> squares = Lattice(674000, 6580300, 100, 100, rows=3, columns=3, crs=pyproj.CRS(3006))
    >>> hill = Surface(np.array([[0.0, 0, 0], [0, 8, 0], [0, 0, 0]]), squares, unit="persons per km²")
    >>> contours(hill, [2, 4])["geometry"].length.round(1).tolist()  # squares with corners 75 and 50 m from the top
    [424.3, 282.8]
    """
    asked = _ascending(levels, filled=filled)
    raster = as_raster(raster)
    found: list[tuple[int, shapely.Geometry]] = []
    with opened(raster) as read:
        for core, _ in windows(raster, side=_SIDE):
            seen = Window(
                core.row, core.column, core.rows + 1, core.columns + 1
            )  # the middles that the next begins with
            seen = seen.within(raster.lattice.rows, raster.lattice.columns)
            found += _drawn(read(seen), raster.lattice.part(seen), asked, filled=filled)
    joined = [(number, [shape for at, shape in found if at == number]) for number in sorted({at for at, _ in found})]
    if filled:
        shapes = [_as_ground(parts) for _, parts in joined]
        columns = {"low": [asked[at] for at, _ in joined], "high": [asked[at + 1] for at, _ in joined]}
    else:
        shapes = [_as_lines(parts) for _, parts in joined]
        columns = {"level": [asked[at] for at, _ in joined]}
    return gpd.GeoDataFrame({**columns, "geometry": shapes}, geometry="geometry", crs=raster.lattice.crs)


def _ascending(levels: Sequence[float], *, filled: bool) -> list[float]:
    asked = [float(level) for level in levels]
    least = 2 if filled else 1
    if len(asked) < least or np.isnan(asked).any() or (np.diff(asked) <= 0).any():
        what = f"the levels {asked} are too few or do not ascend"
        raise SpecError(Fault(what=what, key="levels", expected=f"{least} or more, each above the one before"))
    if not filled and np.isinf(asked).any():
        raise SpecError(Fault(what="there is no line at infinity", key="levels", hint="`filled=True` takes it"))
    return asked


def _drawn(
    cells: np.ndarray, lattice: Lattice, levels: Sequence[float], *, filled: bool
) -> list[tuple[int, shapely.Geometry]]:
    """Return the shapes of one window, each with the number of its level."""
    import contourpy  # noqa: PLC0415  comes with matplotlib; only those who draw contours need it

    if min(cells.shape) < 2 or np.isnan(cells).all():  # noqa: PLR2004  from one middle to another
        return []
    first = np.zeros(1)
    x = lattice.middles(first, np.arange(lattice.columns))[0]
    y = lattice.middles(np.arange(lattice.rows), first)[1]
    known = np.ma.masked_invalid(cells[::-1])  # from south to north, as contourpy turns its lines
    line, fill = contourpy.LineType.Separate, contourpy.FillType.OuterOffset
    maker: Any = contourpy.contour_generator(
        x, y[::-1], known, name="serial", corner_mask=True, line_type=line, fill_type=fill
    )
    if not filled:
        drawn = [(at, points) for at, level in enumerate(levels) for points in maker.lines(level)]
        return [(at, shapely.linestrings(points)) for at, points in drawn]
    made = []
    for at, (low, high) in enumerate(pairwise(levels)):
        for points, ends in zip(*maker.filled(low, high), strict=True):
            rings = [points[start:end] for start, end in pairwise(ends)]
            made.append((at, shapely.Polygon(rings[0], rings[1:])))
    return made


def _as_lines(parts: list[shapely.Geometry]) -> shapely.Geometry:
    """Join what windows have cut, keeping the direction."""
    merged = shapely.line_merge(shapely.multilinestrings(parts), directed=True)
    return shapely.multilinestrings(shapely.get_parts(merged))


def _as_ground(parts: list[shapely.Geometry]) -> shapely.Geometry:
    merged = shapely.union_all(shapely.make_valid(np.array(parts, dtype=object)))
    solid = shapely.get_parts(merged)
    return shapely.multipolygons(solid[shapely.area(solid) > 0])
