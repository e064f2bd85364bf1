"""Surfaces: values of points laid out on cells and written as a file, and populated cells made into points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError, TableError
from geoplan.places import working_crs
from geoplan.places.areas import crs_name, measurable
from geoplan.reach.rasters import (
    AnyRaster,
    Lattice,
    RasterFile,
    Surface,
    as_raster,
    lattice_over,
    must_have_unit,
    must_not_be_negative,
    opened,
    sized,
    windows,
)
from geoplan.reach.rasters_file import write_raster
from geoplan.reach.zonal import all_outside, moved_to

__all__ = ["access_raster", "cell_points"]

_POINT = 0


def access_raster(
    values: pd.Series | pd.DataFrame,
    points: gpd.GeoDataFrame,
    path: Path | str,
    *,
    unit: str | Mapping[str, str],
    source: str,
    date: str | dt.date,
    method: str,
    cell_m: float = 100.0,
    like: AnyRaster | Lattice | None = None,
    resampling: str = "average",
) -> RasterFile:
    """Write what can be reached from points as a raster, a Cloud-Optimised GeoTIFF.

    Parameters
    ----------
    values
        Minutes, jobs within reach … by the id of a point, from any measure of accessibility; a frame has a band for
        each column, called after it. NaN, such as a place that is not reached, has no data, never 0.
    points
        The points in a metric system, their ids in the index: places on a grid, or :func:`cell_points`.
    path
        Where to; what is there stays until the new file is whole.
    unit
        What the numbers count, such as ``"min"`` or ``"jobs"``; for several bands of several units, by column.
    source, date, method
        Whose figures, of when, and how they were made: the measure, the modes, the departure and the percentile.
    cell_m
        Side of a cell in metres; cells lie on whole multiples of it.
    like
        A raster with the cells wanted, in place of ``cell_m``; the one that :func:`cell_points` had, for instance.
    resampling
        How overviews are made; see :func:`write_raster`.

    Returns
    -------
    RasterFile
        The first band; ``open_raster(path, band=2)`` is the second. Of several points in a cell the mean of those whose
        value is known is written, and the notes say how many cells that holds for, and how many points have no value.

    Raises
    ------
    InputError
        When points are no points, an id occurs twice, values are of no point or points have no row among the values;
        when a value is infinite or no number; when a unit is missing, or a point lies outside the cells of ``like``; as
        :func:`write_raster`.

    Examples
    --------
    >>> import tempfile
    >>> where = gpd.points_from_xy([674050, 674150, 674050], [6580150, 6580150, 6580050])
    >>> homes = gpd.GeoDataFrame(geometry=where, index=["a", "b", "c"], crs=3006)
    >>> minutes = pd.Series([12.0, 31.5, np.nan], index=homes.index, name="to a school")
    >>> told = {"source": "Made up", "date": "2012-10-09", "method": "walking, 07:30"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stored = access_raster(minutes, homes, Path(folder) / "school.tif", unit="min", **told)
    ...     stored.read().tolist(), stored.title, stored.unit
    ([[12.0, 31.5], [nan, nan]], 'to a school', 'min')
    """
    table = values.to_frame() if isinstance(values, pd.Series) else values
    titles = [_title(column) for column in table.columns]
    xy, crs = _places(points)
    number, units = _figures(table, points.index, titles, unit)
    if like is None:
        lattice = lattice_over(gpd.GeoSeries(points.geometry), cell_m)
    else:
        lattice = like if isinstance(like, Lattice) else as_raster(like).lattice
    if lattice.crs != crs:
        raise checks.crs_differ(crs_name(crs), crs_name(lattice.crs))
    cell = _cells_under(xy, points.index, sized(lattice))
    notes = _notes(number, cell, titles)
    surfaces = [
        Surface(_means(number[:, at], cell, lattice), lattice, units[at], title, method, notes)
        for at, title in enumerate(titles)
    ]
    return write_raster(surfaces, path, source=source, date=date, resampling=resampling)


def _title(column: object) -> str:
    """Name a band after its column; one of several levels by all of them."""
    if isinstance(column, tuple):
        return ", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in column)
    return "" if column is None or column == 0 else str(column)


def _places(points: gpd.GeoDataFrame) -> tuple[np.ndarray, pyproj.CRS]:
    if points.empty:
        raise checks.empty_layer("there are no points", expected="at least one")
    twice = points.index[points.index.duplicated()]
    if len(twice):
        raise checks.duplicate_points([str(code) for code in twice.unique()])
    shapes = points.geometry.to_numpy()
    odd = shapely.is_missing(shapes) | shapely.is_empty(shapes) | (shapely.get_type_id(shapes) != _POINT)
    if odd.any():
        raise checks.not_points([str(code) for code in points.index[odd]], points.geom_type[odd].fillna("nothing"))
    return shapely.get_coordinates(working_crs(points).geometry.to_numpy()), points.crs


def _figures(
    table: pd.DataFrame, ids: pd.Index, titles: list[str], unit: str | Mapping[str, str]
) -> tuple[np.ndarray, list[str]]:
    """Return values in the order of the points, and the unit of each band; or all faults at once."""
    faults = Faults()
    twice = table.index[table.index.duplicated()]
    if len(twice):
        faults.add(checks.duplicate_points([str(code) for code in twice.unique()]))
    lacking, besides = ids.difference(table.index), table.index.difference(ids)
    for some, what in ((lacking, "point(s) have no value"), (besides, "value(s) are of no point")):
        if len(some):
            expected = "a row for each point, NaN where nothing is known, and no others"
            faults.add(IdError(Fault(what=f"{len(some):,} {what}: {checks.listed(some)}", expected=expected)))
    number = table.apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = (number.isna() & table.notna()) | np.isinf(number)
    if wrong.to_numpy().any():
        what = f"{int(wrong.to_numpy().sum()):,} value(s) are infinite or no number"
        hint = "a place that is not reached is NaN"
        faults.add(TableError(Fault(what=what, row=None, expected="numbers, or NaN", hint=hint)))
    units = [unit if isinstance(unit, str) else str(unit.get(title, "")) for title in titles]
    for title, own in zip(titles, units, strict=True):
        with faults.catch(column=title):
            must_have_unit(own)
    faults.raise_any()
    return np.asarray(number.reindex(ids)), units


def _cells_under(xy: np.ndarray, ids: pd.Index, lattice: Lattice) -> np.ndarray:
    row, column = lattice.cells_of(*xy.T)
    outside = (row < 0) | (row >= lattice.rows) | (column < 0) | (column >= lattice.columns)
    if outside.any():
        what = f"{int(outside.sum()):,} point(s) lie outside the raster: {checks.listed(ids[outside])}"
        raise SpecError(Fault(what=what, key="like", expected="a raster that all points lie on"))
    return np.asarray(row * lattice.columns + column)


def _notes(number: np.ndarray, cell: np.ndarray, titles: list[str]) -> tuple[str, ...]:
    said = []
    shared = int((np.unique(cell, return_counts=True)[1] > 1).sum())
    if shared:
        said.append(f"{shared:,} cell(s) hold several points and show their mean")
    for title, gaps in zip(titles, np.isnan(number).sum(axis=0), strict=True):
        if gaps:
            said.append(f"{title + ': ' if title else ''}{gaps:,} of {len(number):,} points have no value")
    return tuple(said)


def _means(number: np.ndarray, cell: np.ndarray, lattice: Lattice) -> np.ndarray:
    known = np.isfinite(number)
    total = np.bincount(cell[known], number[known], minlength=lattice.size)
    many = np.bincount(cell[known], minlength=lattice.size)
    means = np.divide(total, many, out=np.full(lattice.size, np.nan), where=many > 0)
    return np.asarray(means.reshape(lattice.rows, lattice.columns))


def cell_points(raster: AnyRaster, areas: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame:
    """Make a point of every populated cell, as an origin of trips.

    Parameters
    ----------
    raster
        A file, which is read window by window, or a surface, with how many live in a cell. What is in memory at once
        is as much as there are populated cells.
    areas
        Take only cells whose middle lies in one of these areas; of several the first.

    Returns
    -------
    geopandas.GeoDataFrame
        In the raster's system, from north to south: index ``id`` (str, ``"r<row>c<col>"``, both counted from 0 at the
        north-west corner), ``population`` (float, above 0), with ``areas`` also ``area_id`` (object), and ``geometry``
        (Point, the cell's middle).

    Raises
    ------
    InputError
        When a cell is negative, no cell is populated, or none of the areas lies on the raster; as :func:`open_raster`.

    Examples
    --------
    >>> squares = Lattice(674000, 6580200, 100, 100, rows=2, columns=2, crs=pyproj.CRS(3006))
    >>> people = Surface(np.array([[0.0, 7.0], [np.nan, 5.0]]), squares, unit="persons")
    >>> cells = cell_points(people)
    >>> cells["population"].to_dict(), cells.geometry.iloc[0].wkt
    ({'r0c1': 7.0, 'r1c1': 5.0}, 'POINT (674150 6580150)')
    """
    raster = as_raster(raster)
    shapes = None if areas is None else moved_to(measurable(areas), raster.lattice)
    rows, columns, people = [], [], []
    with opened(raster) as read:
        for core, _ in windows(raster):
            cells = read(core)
            must_not_be_negative(cells, "population raster")
            row, column = np.nonzero(np.nan_to_num(cells) > 0)
            rows.append(row + core.row)
            columns.append(column + core.column)
            people.append(cells[row, column])
    row, column, number = np.concatenate(rows), np.concatenate(columns), np.concatenate(people)
    if not len(row):
        raise TableError(Fault(what="no cell of the raster is populated", expected="a raster of residents"))
    order = np.lexsort((column, row))  # windows come one by one, cells row by row
    row, column, number = row[order], column[order], number[order]
    ids = pd.Index([f"r{r}c{c}" for r, c in zip(row, column, strict=True)], name="id", dtype=object)
    spots = shapely.points(*raster.lattice.middles(row, column))
    frame = gpd.GeoDataFrame({"population": number}, geometry=spots, index=ids, crs=raster.lattice.crs)
    if areas is None or shapes is None:
        return frame
    spot, area = shapely.STRtree(shapes).query(spots, predicate="intersects")
    if not len(spot):
        raise all_outside(raster.lattice, shapes)
    first = pd.Series(area).groupby(spot).min()
    chosen = frame.iloc[first.index]
    chosen.insert(1, "area_id", areas.index.to_numpy(dtype=object)[first])
    return chosen
