"""Zonal statistics: what the cells of a raster come to in each area, every cell by the exact part that is covered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from exactextract import Operation, exact_extract
from exactextract.raster import RasterSource

from geoplan import checks
from geoplan.errors import Fault, GeometryError, SpecError
from geoplan.places.areas import crs_name, measurable
from geoplan.reach.rasters import (
    AnyRaster,
    Lattice,
    Raster,
    Read,
    Window,
    as_raster,
    must_not_be_negative,
    opened,
)

__all__ = ["fractions", "moved_to", "zonal_statistics"]

_WHOLE = 1e-6  # parts of a cell are single-precision numbers
_CELLS_AT_ONCE = 4_000_000
_COLUMNS = ["sum", "mean", "min", "max", "count", "coverage", "nodata_share"]


class Source(RasterSource):  # type: ignore[misc]  # exactextract ships no types
    """A raster as exactextract asks for it: by windows."""

    def __init__(self, lattice: Lattice, read: Read, *, fill: float | None = None) -> None:
        super().__init__()
        self.set_name("weights" if fill is not None else "values")  # exactextract tells sources apart by their names
        self._lattice, self._read, self._fill = lattice, read, fill

    def res(self) -> tuple[float, float]:
        """Size of a cell."""
        return self._lattice.width, self._lattice.height

    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self._lattice.bounds

    def srs_wkt(self) -> None:
        """Nothing: the shapes are brought into the raster's system beforehand."""

    def nodata_value(self) -> None:
        """Nothing: NaN says it."""

    def read_window(self, column: int, row: int, columns: int, rows: int) -> np.ndarray:
        """Return the cells of a window."""
        cells = self._read(Window(row, column, rows, columns))
        return cells if self._fill is None else np.nan_to_num(cells, nan=self._fill)


def zonal_statistics(
    raster: AnyRaster,
    areas: gpd.GeoDataFrame,
    *,
    weights: AnyRaster | None = None,
    minimum_coverage: float = 0.8,
) -> pd.DataFrame:
    r"""Summarise the cells of a raster in each area, each by the exact part of it that the area covers.

    With *v* the value of a cell and *f* the part of it (0-1) that lies in the area, over the cells that have data:

    .. math:: \text{sum} = \sum_c f_c v_c, \qquad \text{count} = \sum_c f_c

    :math:`\text{mean} = \text{sum} / \text{count}`

    and, with a second raster *w*, :math:`\text{weighted mean} = \sum_c f_c w_c v_c / \sum_c f_c w_c`.

    Parameters
    ----------
    raster
        A file, which is read window by window and never held as a whole; or a surface. In any system; the areas are
        brought into it by their corners.
    areas
        Areas in a metric system, their codes in the index. They may overlap; each is counted for itself.
    weights
        What the cells count for in ``weighted_mean``, such as residents, 0 or more; a cell without data counts nothing.
        It has the same cells as the raster, or cells that its cells can be divided into.
    minimum_coverage
        The part of an area's surface (0-1) that has to lie on the raster; below it its figures are missing.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id``, as in ``areas``, and

        ``sum, mean, min, max`` (float)
            in the raster's unit; of cells with data. Cells that are merely touched count for ``min`` and ``max`` too;
        ``count`` (float)
            cells with data, parts of cells counted as such;
        ``coverage`` (float)
            part of the area's surface that lies on the raster, 0-1;
        ``nodata_share`` (float)
            part of that which has no data, 0-1; NaN for an area that is not on the raster;
        ``weighted_mean`` (float)
            with ``weights``; NaN where they come to 0;
        ``status``, ``reason`` (str)
            ``observed``; ``not_collected`` where no cell has data; ``out_of_scope`` where the area is not, or not
            enough, on the raster. The last two have no figures, never 0.

    Raises
    ------
    InputError
        As :func:`open_raster`; when the areas cannot be measured, or none of them lies on the raster; when weights are
        negative or their cells do not fit.

    Notes
    -----
    The parts of cells are found by exactextract, with 7 digits. Of a raster of any size some 4 million cells are in
    memory at once.

    Examples
    --------
    An area over the first cell and the western half of the second:

    >>> import pyproj
    >>> from geoplan.reach import Lattice, Surface
    >>> squares = Lattice(674000, 6580100, 100, 100, rows=1, columns=3, crs=pyproj.CRS(3006))
    >>> people = Surface(np.array([[10.0, 4.0, np.nan]]), squares, unit="persons")
    >>> shapes = [shapely.box(674000, 6580000, 674150, 6580100)]
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(["a"], name="area_id"), crs=3006)
    >>> zonal_statistics(people, areas).loc["a", ["sum", "mean", "min", "max", "count"]].tolist()
    [12.0, 8.0, 4.0, 10.0, 1.5]
    """
    areas = measurable(areas)
    raster = as_raster(raster)
    weighing = None if weights is None else as_raster(weights)
    if weighing is not None and weighing.lattice.crs != raster.lattice.crs:
        raise checks.crs_differ(crs_name(raster.lattice.crs), crs_name(weighing.lattice.crs))
    shapes = moved_to(areas, raster.lattice)
    found = _extracted(raster, weighing, shapes)
    cell = raster.lattice.width * raster.lattice.height
    found["coverage"] = _clean(found["cells"] * cell / shapely.area(shapes))
    if not (found["coverage"] > 0).any():
        raise all_outside(raster.lattice, shapes)
    with np.errstate(invalid="ignore"):
        found["nodata_share"] = 1 - _clean(found["count"] / found["cells"].where(found["cells"] > 0))
    found.index = pd.Index(areas.index.to_numpy(dtype=object), name="area_id")
    return _told(found, minimum_coverage, with_weights=weights is not None)


def moved_to(areas: gpd.GeoDataFrame, lattice: Lattice) -> np.ndarray:
    """Return the shapes of areas in a raster's system."""
    frame = areas.geometry
    return np.asarray((frame if frame.crs == lattice.crs else frame.to_crs(lattice.crs)).to_numpy())


def fractions(shapes: np.ndarray, lattice: Lattice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which cells shapes cover and by how much: the place of the shape, of the cell (row by row), and the part.

    Examples
    --------
    >>> import pyproj
    >>> squares = Lattice(0, 10, 10, 10, rows=1, columns=2, crs=pyproj.CRS(3006))
    >>> [part.tolist() for part in fractions(np.array([shapely.box(5, 0, 20, 10)]), squares)]
    [[0, 0], [0, 1], [0.5, 1.0]]
    """
    near = shapely.clip_by_rect(shapes, *lattice.bounds)
    parts, place = shapely.get_parts(near, return_index=True)
    solid = shapely.area(parts) > 0
    parts, place = parts[solid], place[solid]
    if not len(parts):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)

    def nothing(window: Window) -> np.ndarray:
        return np.zeros((window.rows, window.columns))

    source = Source(lattice, nothing)
    wanted = [Operation("cell_id", "cell", source), Operation("coverage", "part", source)]
    frame = gpd.GeoDataFrame(geometry=parts, crs=lattice.crs)
    found = exact_extract(source, frame, wanted, output="pandas", max_cells_in_memory=_CELLS_AT_ONCE)
    sizes = found["cell"].map(len).to_numpy()
    cell = np.concatenate(found["cell"].to_list()).astype(np.int64)
    return np.repeat(place, sizes), cell, np.concatenate(found["part"].to_list()).astype(float)


def _extracted(raster: Raster, weights: Raster | None, shapes: np.ndarray) -> pd.DataFrame:
    frame = gpd.GeoDataFrame(geometry=shapes, crs=raster.lattice.crs)
    how = {"strategy": _strategy(shapes, raster.lattice), "max_cells_in_memory": _CELLS_AT_ONCE, "output": "pandas"}
    with ExitStack() as stack:
        source = Source(raster.lattice, stack.enter_context(opened(raster)))
        wanted = [Operation(name, name, source) for name in ("sum", "mean", "min", "max", "count")]
        wanted.append(Operation("count", "cells", source, options={"default_value": 0}))
        found: pd.DataFrame = exact_extract(source, frame, wanted, **how)
        if weights is not None:
            # Apart from the others: with finer weights exactextract counts and sums finer cells.
            read = _checked(stack.enter_context(opened(weights)))
            weighing = Source(weights.lattice, read, fill=0.0)  # NaN would spoil the whole mean
            mean = Operation("weighted_mean", "weighted_mean", source, weighing)
            try:
                found["weighted_mean"] = exact_extract(source, frame, [mean], **how)["weighted_mean"]
            except RuntimeError as error:
                if "ncompatible" not in str(error):
                    raise
                what = "the cells of the weights do not fit those of the raster"
                expected = "the same cells, or cells that those of the other are divided into"
                raise SpecError(Fault(what=what, key="weights", expected=expected)) from error
    return found.astype(float)


def _checked(read: Read) -> Read:
    def checked(window: Window) -> np.ndarray:
        cells = read(window)
        must_not_be_negative(cells, "weights")
        return cells

    return checked


def _strategy(shapes: np.ndarray, lattice: Lattice) -> str:
    """Go through the raster once, or, where the areas are few and far apart, through one area after the other."""
    cell = lattice.width * lattice.height
    west, south, east, north = shapely.bounds(shapes).T
    each = float(np.sum((east - west) * (north - south))) / cell
    whole = (np.max(east) - np.min(west)) * (np.max(north) - np.min(south)) / cell
    return "raster-sequential" if each >= min(whole, lattice.size) / 2 else "feature-sequential"


def _clean(share: pd.Series) -> pd.Series:
    """Take shares for 0 or 1 that are that but for rounding."""
    return share.clip(0, 1).where(share > _WHOLE, share * 0).where(share < 1 - _WHOLE, share * 0 + 1)


def _told(found: pd.DataFrame, minimum: float, *, with_weights: bool) -> pd.DataFrame:
    """Say which figures hold, and take out those that do not."""
    outside, bare = found["coverage"] == 0, found["count"] == 0
    little = ~outside & (found["coverage"] < minimum)
    found["status"] = np.select([outside | little, bare], ["out_of_scope", "not_collected"], default="observed")
    share = (100 * found["coverage"]).map("{:.0f}".format)
    reasons = ["not on the raster", "only " + share + " % of it is on the raster", "no cell in it has data"]
    found["reason"] = np.select([outside, little, bare], reasons, default="")
    figures = ["sum", "mean", "min", "max", *(["weighted_mean"] if with_weights else [])]
    found[figures] = found[figures].where(found["status"] == "observed")
    columns = [*_COLUMNS, *(["weighted_mean"] if with_weights else []), "status", "reason"]
    return found[columns]


def all_outside(lattice: Lattice, shapes: np.ndarray) -> GeometryError:
    """Word the fault of areas of which none lies on a raster."""

    def shown(bounds: Any) -> str:
        return f"{bounds[0]:,.0f}–{bounds[2]:,.0f} east, {bounds[1]:,.0f}–{bounds[3]:,.0f} north"

    what = f"none of the {len(shapes):,} areas lies on the raster; they lie at {shown(shapely.total_bounds(shapes))}"
    expected = f"areas within {shown(lattice.bounds)} in {crs_name(lattice.crs)}"
    hint = "look at whether the raster is of this region, and at the systems of both"
    return GeometryError(Fault(what=what, expected=expected, hint=hint))


def pieces_by_window(shapes: np.ndarray, lattice: Lattice, cores: Iterator[Window]) -> Iterator[Any]:
    """Yield each window with the parts of its cells that shapes cover: window, shape, cell of the window, part."""
    tree = shapely.STRtree(shapes)
    for core in cores:
        here = lattice.part(core)
        near = np.sort(tree.query(shapely.box(*here.bounds), predicate="intersects"))
        shape, cell, part = fractions(shapes[near], here)
        yield core, near[shape], cell, part
