"""Rasters: where the cells of a grid lie, what they hold and in which unit, read window by window.

A raster is either a :class:`Surface`, whose cells are in memory, or a :class:`RasterFile`, which is read where it is
asked about. Both have a :class:`Lattice`, a unit and notes, and are read alike: decimal numbers, NaN where there is no
data. Files are opened here and written in :mod:`geoplan.reach.rasters_file`, and nowhere else in this room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geoplan.errors import CrsError, Fault, Faults, InputError, SourceError, SpecError, TableError
from geoplan.places import Grid, working_crs
from geoplan.places.areas import as_crs, crs_name
from geoplan.sources.files import must_exist, unreadable

__all__ = [
    "AnyRaster",
    "Lattice",
    "Raster",
    "RasterFile",
    "Read",
    "Surface",
    "Window",
    "as_raster",
    "lattice_over",
    "open_raster",
    "sized",
    "windows",
]

CACHE_MB = 128  # GDAL's own choice is a twentieth of the machine's memory
AT_ONCE = 30_000_000  # cells that may be held in memory; beyond it a result goes to a file
_SIDE = 1024
#: Numbers that stand for a missing value in files that do not say so.
SUSPECTS = (-999.0, -9999.0, -99999.0, -32768.0, -2147483648.0, -3.4028234663852886e38, -1.7976931348623157e308)
_ROUNDING = 1e-9  # of a cell


class Window(NamedTuple):
    """A rectangle of cells: its first row and column, and how many of each."""

    row: int
    column: int
    rows: int
    columns: int

    def grown(self, by: int) -> Window:
        """Return the window with so many more cells on every side, beyond the raster's own too."""
        return Window(self.row - by, self.column - by, self.rows + 2 * by, self.columns + 2 * by)

    def within(self, rows: int, columns: int) -> Window:
        """Return the part that lies in a raster of so many rows and columns; it may have no cells."""
        top, left = np.clip(self.row, 0, rows), np.clip(self.column, 0, columns)
        bottom = np.clip(self.row + self.rows, top, rows)
        right = np.clip(self.column + self.columns, left, columns)
        return Window(int(top), int(left), int(bottom - top), int(right - left))


Read = Callable[[Window], np.ndarray]


@dataclass(frozen=True)
class Lattice:
    """Where the cells of a raster lie: rows from north to south, columns from west to east.

    Attributes
    ----------
    west, north
        The outer corner of the first cell, in units of ``crs``.
    width, height
        Size of a cell, in units of ``crs``.
    rows, columns
        How many there are.
    crs
        The coordinate system.

    Examples
    --------
    >>> squares = Lattice(674000, 6581000, 100, 100, rows=10, columns=5, crs=pyproj.CRS(3006))
    >>> squares.bounds
    (674000.0, 6580000.0, 674500.0, 6581000.0)
    """

    west: float
    north: float
    width: float
    height: float
    rows: int
    columns: int
    crs: pyproj.CRS = field(repr=False)

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1 or not (self.width > 0 and self.height > 0):
            size = f"cells of {self.width:g} by {self.height:g}"
            what = f"the raster has {self.rows} rows, {self.columns} columns and {size}"
            raise SpecError(Fault(what=what, expected="rows and columns of cells that have a size"))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of all cells."""
        east, south = self.west + self.columns * self.width, self.north - self.rows * self.height
        return float(self.west), float(south), float(east), float(self.north)

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.rows * self.columns

    @property
    def cell_km2(self) -> float:
        """Surface of a cell, in km²; of use where the system is in metres."""
        return self.width * self.height / 1e6

    def part(self, window: Window) -> Lattice:
        """Return the lattice of a window."""
        west, north = self.west + window.column * self.width, self.north - window.row * self.height
        return replace(self, west=west, north=north, rows=window.rows, columns=window.columns)

    def whole(self) -> Window:
        """Return the window of all cells."""
        return Window(0, 0, self.rows, self.columns)

    def window_over(self, west: float, south: float, east: float, north: float) -> Window:
        """Return the window of the cells that a rectangle touches; it may have no cells."""
        top, left = (self.north - north) / self.height, (west - self.west) / self.width
        bottom, right = (self.north - south) / self.height, (east - self.west) / self.width
        row, column = int(np.floor(top + _ROUNDING)), int(np.floor(left + _ROUNDING))
        wanted = Window(row, column, int(np.ceil(bottom - _ROUNDING)) - row, int(np.ceil(right - _ROUNDING)) - column)
        return wanted.within(self.rows, self.columns)

    def cells_of(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the row and the column of places, which may lie outside: north and west borders belong to a cell."""
        row = np.floor((self.north - np.asarray(y)) / self.height)
        return row.astype(np.int64), np.floor((np.asarray(x) - self.west) / self.width).astype(np.int64)

    def middles(self, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of the middles of cells."""
        return self.west + (np.asarray(column) + 0.5) * self.width, self.north - (np.asarray(row) + 0.5) * self.height

    def same_as(self, other: Lattice) -> bool:
        """Tell whether two rasters have the same cells."""
        close = np.allclose(self.bounds, other.bounds, rtol=0, atol=1e-6 * min(self.width, self.height))
        return bool(close) and (self.rows, self.columns, self.crs) == (other.rows, other.columns, other.crs)


@dataclass(frozen=True, eq=False)
class Surface:
    """A raster whose cells are in memory.

    Attributes
    ----------
    cells
        Rows × columns, the northernmost row first; NaN where there is no data.
    lattice
        Where the cells lie.
    unit
        What a cell's number counts, such as ``"persons per km²"``.
    title, method
        What it shows, and how it was made.
    notes
        What was left out, and what else has to be known beside the figures; sentences.

    Raises
    ------
    InputError
        When the shape is not the lattice's, a cell is infinite, or there is no unit.

    Examples
    --------
    >>> squares = Lattice(674000, 6580100, 100, 100, rows=1, columns=2, crs=pyproj.CRS(3006))
    >>> Surface(np.array([[3.0, np.nan]]), squares, unit="persons").total
    3.0
    """

    cells: np.ndarray
    lattice: Lattice
    unit: str
    title: str = ""
    method: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        if self.cells.shape != (self.lattice.rows, self.lattice.columns):
            what = (
                f"the cells have the shape {self.cells.shape}, the lattice {self.lattice.rows} × {self.lattice.columns}"
            )
            faults.add(TableError(Fault(what=what)))
        with faults.catch():
            must_be_finite(self.cells)
        with faults.catch():
            must_have_unit(self.unit)
        faults.raise_any()

    @property
    def total(self) -> float:
        """The sum of all cells."""
        return float(np.nansum(self.cells))

    @contextmanager
    def opened(self) -> Iterator[Read]:
        """Give the function that reads a window."""
        yield self.read

    def read(self, window: Window | None = None) -> np.ndarray:
        """Return the cells of a window (float, NaN where there is no data), or all of them."""
        at = window or self.lattice.whole()
        part = self.cells[at.row : at.row + at.rows, at.column : at.column + at.columns]
        return np.asarray(part, dtype=float)

    def grid(self) -> Grid:
        """Return the surface as the weights of :func:`~geoplan.places.crosswalk`."""
        at = self.lattice
        return Grid(self.read(), at.west, at.north, at.width, at.height, crs=crs_name(at.crs))


@dataclass(frozen=True, eq=False)
class RasterFile:
    """A band of a raster file, read where it is asked about.

    Attributes
    ----------
    path, band
        The file, and its band, counted from 1.
    lattice
        Where the cells lie.
    unit, title
        As the file states them, or as given; ``""`` where neither says.
    nodata
        The number that stands for no data, or None.
    tags
        What else the file states about itself, such as source, date and method.
    notes
        What has to be known beside the figures.
    """

    path: Path
    band: int
    lattice: Lattice
    unit: str
    title: str
    nodata: float | None
    tags: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[Read]:
        """Keep the file open and give the function that reads a window."""
        import rasterio  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load
        from rasterio.windows import Window as Cut  # noqa: PLC0415  as above

        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB), rasterio.open(self.path) as stored:
            scale, offset = stored.scales[self.band - 1], stored.offsets[self.band - 1]
            declared = self.nodata is not None or stored.nodata is not None

            def read(window: Window) -> np.ndarray:
                if window.rows == 0 or window.columns == 0:
                    return np.empty((window.rows, window.columns))
                cut = Cut(window.column, window.row, window.columns, window.rows)
                try:
                    raw = stored.read(self.band, window=cut, masked=True)
                except rasterio.errors.RasterioError as error:
                    raise unreadable(self.path, error) from error
                cells = raw.astype(float).filled(np.nan)
                if self.nodata is not None:
                    cells[cells == self.nodata] = np.nan
                with Faults.located_at(self.path.name):
                    must_be_finite(cells)
                    if not declared:
                        _no_suspects(cells)
                return np.asarray(cells if scale == 1 and offset == 0 else cells * scale + offset)

            yield read

    def read(self, window: Window | None = None) -> np.ndarray:
        """Return the cells of a window (float, NaN where there is no data), or all of them."""
        at = window or self.lattice.whole()
        if window is None:
            sized(self.lattice)
        with self.opened() as read:
            return read(at)


Raster = Surface | RasterFile
AnyRaster = Raster | Grid | Path | str


def open_raster(
    path: Path | str, *, band: int = 1, unit: str | None = None, nodata: float | None = None, metric: bool = False
) -> RasterFile:
    """Open a band of a raster file; its cells are read later, where they are asked about.

    Parameters
    ----------
    path
        A GeoTIFF or another raster that GDAL reads, rows from north to south.
    band
        The band, counted from 1.
    unit
        What a cell's number counts; as the file states it when left out.
    nodata
        A number that stands for no data, for a file that does not say so. ``nan`` says that every number is one.
    metric
        Whether one has to be able to measure in its system.

    Returns
    -------
    RasterFile

    Raises
    ------
    InputError
        ``SourceError`` when the file is missing, damaged, no raster, turned or upside down; ``CrsError`` when it
        states no system, or with ``metric`` one that does not measure in metres; ``SpecError`` when it has no such
        band. When cells are read, ``TableError`` if they hold a number such as -9999 and the file declares no number
        for no data.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> people = open_raster(home() / "data" / "nordhamra_population_100m.tif", unit="persons")
    >>> people.lattice.rows, people.lattice.columns, float(np.nansum(people.read()))
    (105, 137, 96034.0)
    """
    import rasterio  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load

    path = Path(path)
    with Faults.located_at(path.name):
        must_exist(path)
        try:
            with rasterio.Env(GDAL_CACHEMAX=CACHE_MB), rasterio.open(path) as stored:
                crs, at, shape, bands = stored.crs, stored.transform, stored.shape, stored.count
                own = (stored.units, stored.descriptions)
                tags = {str(key): str(value) for key, value in stored.tags().items()}
        except rasterio.errors.RasterioError as error:
            raise unreadable(path, error) from error
        faults = Faults()
        with faults.catch():
            _must_be_upright(at)
        if crs is None:
            faults.add(_without_crs())
        if not 1 <= band <= bands:
            has = f"the raster has {bands} band{'' if bands == 1 else 's'}, not a band {band}"
            faults.add(SpecError(Fault(what=has, key="band", expected=f"1 to {bands}")))
        faults.raise_any()
        lattice = Lattice(
            at.c, at.f, at.a, -at.e, rows=shape[0], columns=shape[1], crs=pyproj.CRS.from_wkt(crs.to_wkt())
        )
        lattice = replace(lattice, crs=_with_code(lattice.crs))
        if metric:
            must_measure(lattice)
    stated_unit, title = own[0][band - 1] or "", own[1][band - 1] or ""
    return RasterFile(path, band, lattice, unit or stated_unit, title, nodata, tags)


def as_raster(raster: AnyRaster, *, metric: bool = False) -> Raster:
    """Take a path, a grid of people, a surface or an opened file as a raster.

    Examples
    --------
    >>> as_raster(Grid(np.array([[3.0, 1.0]]), 674000, 6580100, 100, 100, crs="EPSG:3006")).lattice.columns
    2
    """
    if isinstance(raster, Path | str):
        return open_raster(raster, metric=metric)
    if isinstance(raster, Grid):
        rows, columns = raster.cells.shape
        at = Lattice(raster.west, raster.north, raster.width, raster.height, rows, columns, as_crs(raster.crs))
        raster = Surface(raster.cells, at, unit="persons")
    if not isinstance(raster, Surface | RasterFile):
        what = f"a {type(raster).__name__} is no raster"
        raise SpecError(Fault(what=what, expected="a path, or what `open_raster` or a measure returns"))
    if metric:
        must_measure(raster.lattice)
    return raster


def windows(raster: AnyRaster | Lattice, *, side: int = _SIDE, overlap: int = 0) -> Iterator[tuple[Window, Window]]:
    """Divide a raster into windows that are read and done with one by one, row by row.

    Parameters
    ----------
    raster
        The raster, or where its cells lie.
    side
        Rows and columns of a window.
    overlap
        By how many cells a window looks over its borders, for what depends on the surroundings of a cell.

    Yields
    ------
    core, seen : Window
        The cells that are the window's own, each cell of the raster once; and those with the ``overlap`` around, as
        far as the raster goes.

    Raises
    ------
    InputError
        As :func:`open_raster`; and when ``side`` is less than 1 or ``overlap`` less than 0.

    Examples
    --------
    >>> squares = Lattice(674000, 6581000, 100, 100, rows=3, columns=5, crs=pyproj.CRS(3006))
    >>> [tuple(core) for core, _ in windows(squares, side=3)]
    [(0, 0, 3, 3), (0, 3, 3, 2)]
    """
    if side < 1 or overlap < 0:
        what = f"windows of {side} cells that overlap by {overlap} cannot be"
        raise SpecError(Fault(what=what, expected="a side of 1 or more, an overlap of 0 or more"))
    at = raster if isinstance(raster, Lattice) else as_raster(raster).lattice
    for row in range(0, at.rows, side):
        for column in range(0, at.columns, side):
            core = Window(row, column, side, side).within(at.rows, at.columns)
            yield core, core.grown(overlap).within(at.rows, at.columns)


def lattice_over(frame: gpd.GeoDataFrame | gpd.GeoSeries, cell_m: float, *, margin_m: float = 0.0) -> Lattice:
    """Return square cells over everything in a frame, on whole multiples of their side, as national grids are.

    Examples
    --------
    >>> frame = gpd.GeoSeries([shapely.box(674010, 6580020, 674150, 6580180)], crs=3006)
    >>> lattice_over(frame, 100).bounds
    (674000.0, 6580000.0, 674200.0, 6580200.0)
    """
    if not (np.isfinite(cell_m) and cell_m > 0):
        raise SpecError(Fault(what=f"a cell of {cell_m} m has no size", key="cell_m", expected="more than 0"))
    west, south, east, north = frame.total_bounds
    left, top = (np.floor((west - margin_m) / cell_m), np.ceil((north + margin_m) / cell_m))
    columns = max(int(np.ceil((east + margin_m) / cell_m) - left), 1)
    rows = max(int(top - np.floor((south - margin_m) / cell_m)), 1)
    return Lattice(float(left * cell_m), float(top * cell_m), float(cell_m), float(cell_m), rows, columns, frame.crs)


def sized(lattice: Lattice) -> Lattice:
    """Refuse to hold a raster in memory that is too large for it."""
    if lattice.size > AT_ONCE:
        what = f"{lattice.size:,} cells are too many to be held in memory at once"
        hint = "give a `path` to write to, or read windows of it; or make the cells larger"
        raise SpecError(Fault(what=what, expected=f"{AT_ONCE:,} at most", hint=hint))
    return lattice


def must_have_unit(unit: str | None) -> None:
    if not unit or not str(unit).strip():
        hint = 'say what a cell counts: `unit="persons"`'
        raise SpecError(Fault(what="the raster has no unit", key="unit", expected="a unit in words", hint=hint))


def must_be_finite(cells: np.ndarray) -> None:
    wrong = int(np.isinf(cells).sum())
    if wrong:
        what = f"{wrong:,} cell(s) of the raster are infinite"
        raise TableError(Fault(what=what, expected="numbers, or no data", hint="look at how the raster was made"))


def must_not_be_negative(cells: np.ndarray, what: str) -> None:
    with np.errstate(invalid="ignore"):
        below = cells < 0
    if below.any():
        told = f"{int(below.sum()):,} cell(s) of the {what} are negative, the first of them {cells[below][0]:g}"
        hint = "if the number stands for no data, `open_raster(path, nodata=…)` says so"
        raise TableError(Fault(what=told, expected="0 or more, or no data", hint=hint))


def must_measure(lattice: Lattice) -> None:
    """Make sure that one may measure in a raster's system, by the rule that holds for areas."""
    frame = gpd.GeoDataFrame(geometry=[shapely.box(*lattice.bounds)], crs=lattice.crs)
    try:
        working_crs(frame)
    except CrsError as error:
        hint = "warp the raster to a metric system: `rio warp in.tif out.tif --dst-crs EPSG:3006`"
        raise CrsError(replace(fault, hint=hint) for fault in error.faults) from error


def opened(raster: Raster) -> AbstractContextManager[Read]:
    """Open a raster of either kind."""
    return raster.opened()


def _must_be_upright(at: Any) -> None:
    if at.b or at.d:
        what, hint = "the raster is rotated", "warp it to an upright one: `rio warp in.tif out.tif --dst-crs EPSG:3006`"
    elif at.a <= 0 or at.e >= 0:
        what, hint = "the raster stands on its head", "warp it: `rio warp in.tif out.tif --dst-crs EPSG:3006`"
    else:
        return
    if at.is_identity:
        what, hint = "the raster lies nowhere: the file states no place and size of cells", "georeference it in QGIS"
    raise SourceError(Fault(what=what, expected="rows from north to south, columns from west to east", hint=hint))


def _without_crs() -> InputError:
    return CrsError(
        Fault(
            what="the raster has no coordinate system",
            expected="one written in the file; geoplan never guesses it",
            hint="write it into the file: `rio edit-info --crs EPSG:3006 in.tif`, or QGIS: Assign projection",
        )
    )


def _no_suspects(cells: np.ndarray) -> None:
    if np.fmin.reduce(cells.ravel(), initial=0.0) > max(SUSPECTS):
        return
    for number in SUSPECTS:
        found = int((cells == number).sum())
        if found:
            shown = f"{number:g}"
            what = f"{found:,} cell(s) hold {shown}, and the file declares no number for no data"
            hint = f"`open_raster(path, nodata={shown})` takes it as no data, `nodata=nan` as a number"
            raise TableError(Fault(what=what, expected="a declared number for no data", hint=hint))


def _with_code(crs: pyproj.CRS) -> pyproj.CRS:
    """Return the same system by its code where there is one: a GeoTIFF's text of it need not be the registry's."""
    code = crs.to_authority(min_confidence=100) or crs.to_authority()
    if code is None:
        return crs
    registered = pyproj.CRS.from_authority(*code)
    return registered if registered.equals(crs, ignore_axis_order=True) else crs
