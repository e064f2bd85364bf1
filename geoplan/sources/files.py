"""Readers of polygons, lines, points and tables; nothing is guessed that a later step could not undo.

fiona lists layers and drivers, pyogrio reads vectors, pyarrow reads GeoParquet and Parquet, openpyxl reads
workbooks. Text tables are read as text: codes keep their leading zeros, and a number that is not one is
found later with its row. The index of a table is the row number a spreadsheet shows (header = 1).
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import warnings
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SourceError, SpecError

__all__ = ["check_raster", "formats", "index_as_columns", "list_layers", "read_grid", "read_table", "read_vector"]

_VECTOR = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".shp": "ESRI Shapefile",
    ".fgb": "FlatGeobuf",
    ".parquet": "GeoParquet",
    ".geoparquet": "GeoParquet",
}
_TABLE = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".parquet")
_EXACT = 2.0**53  # up to here a float holds every whole number
_SQLITE_HEADER = _SHAPE_HEADER = 100


def formats() -> dict[str, str]:
    """Return the polygon formats this installation reads: file ending → driver.

    Examples
    --------
    >>> formats()[".gpkg"]
    'GPKG'
    """
    import fiona  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load

    drivers = fiona.supported_drivers
    return {
        ending: driver for ending, driver in _VECTOR.items() if driver == "GeoParquet" or "r" in drivers.get(driver, "")
    }


def list_layers(path: Path) -> list[str]:
    """Return the names of the layers in a vector file.

    Raises
    ------
    SourceError
        When the file is missing or cannot be opened.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> list_layers(home() / "data" / "nordhamra.gpkg")[:2]
    ['basomraden', 'stadsdelar']
    """
    import fiona  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load

    must_exist(path)
    if _VECTOR.get(path.suffix.lower()) == "GeoParquet":
        return [path.stem]
    try:
        return [str(name) for name in fiona.listlayers(path)]
    except (fiona.errors.FionaError, ValueError, RuntimeError, OSError) as error:
        raise _unopened(path) from error


def read_vector(path: Path, layer: str | None = None) -> gpd.GeoDataFrame:
    """Read a layer of polygons, lines or points as it stands in the file.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile, FlatGeobuf or GeoParquet.
    layer
        The layer; may be left out when there is just one.

    Returns
    -------
    geopandas.GeoDataFrame
        All columns of the file; the index is the row number (first feature = 1). CRS as in the file, or None.

    Raises
    ------
    SourceError
        When the file is missing, of another format, damaged, empty, or holds fewer features than it promises.
    SpecError
        When the layer does not exist, or there are several and none was named.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> districts = read_vector(home() / "data" / "nordhamra.gpkg", "stadsdelar")
    >>> len(districts), districts.crs.to_string()
    (32, 'EPSG:3006')
    """
    must_exist(path)
    driver = _VECTOR.get(path.suffix.lower())
    if driver is None:
        raise SourceError(
            Fault(what=f"'{path.suffix}' is not a format of map layers", expected=checks.listed(_VECTOR, shown=9))
        )
    if driver in _WHOLE:
        _WHOLE[driver](path)
    frame = _read_geoparquet(path) if driver == "GeoParquet" else _read_ogr(path, _choose_layer(path, layer))
    if frame.empty:
        raise checks.empty_layer()
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def read_table(
    path: Path,
    *,
    sheet: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Read a table with every value as the file writes it.

    Parameters
    ----------
    path
        CSV or other separated text (comma, semicolon or tab; UTF-8 with or without BOM, UTF-16 or Latin-1),
        Excel (.xlsx) or Parquet.
    sheet
        Sheet of a workbook; the first when left out.
    separator, encoding
        Found from the file when left out.

    Returns
    -------
    pandas.DataFrame
        Text columns (numbers too, except in Parquet, which knows its types); an empty cell is ``""``. The
        index is the row number as a spreadsheet shows it.

    Raises
    ------
    SourceError
        When the file is missing, of another format, damaged, empty, or has rows of different lengths.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> read_table(home() / "data" / "nordhamra_membership.csv").columns.tolist()
    ['child_id', 'parent_id', 'relation', 'share']
    """
    must_exist(path)
    ending = path.suffix.lower()
    if ending not in _TABLE:
        raise SourceError(
            Fault(
                what=f"'{path.suffix}' is not a format of tables",
                expected=checks.listed(_TABLE, shown=9),
                hint="save an old .xls workbook as .xlsx" if ending == ".xls" else None,
            )
        )
    if ending == ".parquet":
        frame = _read_parquet_table(path)
    elif ending in {".xlsx", ".xlsm"}:
        frame = _read_workbook(path, sheet)
    else:
        frame = _read_text(path, separator, encoding)
    if frame.empty:
        raise checks.empty_layer("the table has no rows", expected="at least one row below the header")
    return frame


# ---------------------------------------------------------------- vectors


def must_exist(path: Path) -> None:
    if not path.is_file():
        what = "this is a folder, not a file" if path.is_dir() else "there is no such file"
        raise SourceError(Fault(what=what))
    try:
        with path.open("rb") as stream:
            first = stream.read(1)
    except OSError as error:
        raise SourceError(
            Fault(what=f"the file cannot be opened ({(error.strerror or str(error)).lower()})")
        ) from error
    if not first:
        raise SourceError(Fault(what="the file is empty: it has 0 bytes", hint="fetch it again"))


def _unopened(path: Path) -> SourceError:
    """Say why a vector file does not open; of text, where it stops being what it should be."""
    driver = _VECTOR.get(path.suffix.lower(), path.suffix)
    if driver == "GeoJSON":
        try:
            json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            return unreadable(path, f"this is not valid JSON ({error})")
    return unreadable(path, f"it does not open as {driver}")


def unreadable(path: Path, error: BaseException | str) -> SourceError:
    reason = str(error).strip().splitlines()
    detail = reason[0].replace(str(path), path.name).replace(str(path.parent), "…") if reason else "unknown reason"
    detail = detail.rstrip(".")
    return SourceError(
        Fault(
            what=f"the file cannot be read: {detail}",
            hint="it may be damaged or only partly copied; fetch it again",
        )
    )


def _choose_layer(path: Path, layer: str | None) -> str:
    names = list_layers(path)
    if not names:
        raise checks.empty_layer("the file has no layers", expected="a layer of areas, lines or points")
    if layer is None:
        if len(names) > 1:
            raise SpecError(
                Fault(
                    what=f"the file has several layers: {checks.listed(names, shown=12)}",
                    key="layer",
                    expected="the layer's name",
                )
            )
        return names[0]
    if layer not in names:
        raise checks.unknown_name("layer of the file", layer, names, key="layer")
    return layer


def _read_ogr(path: Path, layer: str) -> gpd.GeoDataFrame:
    import pyogrio  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load

    try:
        # GDAL tells of minor oddities by warnings; what matters is found by the checks that follow.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            promised = pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"]
            frame = gpd.read_file(path, layer=layer, engine="pyogrio")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError, ValueError) as error:
        raise unreadable(path, error) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(Fault(what=f"layer '{layer}' has no geometry", expected="a layer with geometries"))
    if promised >= 0 and len(frame) != promised:
        raise unreadable(path, f"{len(frame)} of {promised} features could be read")
    return frame


def _whole_geopackage(path: Path) -> None:
    """Refuse a GeoPackage whose pages are missing or broken; GDAL would read what is left of it."""
    try:
        with path.open("rb") as stream:
            header = stream.read(_SQLITE_HEADER)
        size, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
        size = 65536 if size == 1 else size
        if not header.startswith(b"SQLite format 3\0"):
            raise unreadable(path, "this is not a GeoPackage")
        if len(header) < _SQLITE_HEADER:
            raise unreadable(path, f"it ends after {len(header)} of {_SQLITE_HEADER} bytes of its header")
        if path.stat().st_size < size * pages:
            raise unreadable(path, f"it ends after {path.stat().st_size} of {size * pages} bytes")
        place = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(place, uri=True)) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", errors="replace")
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    if verdict != "ok":
        raise unreadable(path, str(verdict))


def _whole_shapefile(path: Path) -> None:
    """Refuse a Shapefile whose parts are missing or cut; GDAL would read areas without geometry or without codes."""
    for ending in (".shx", ".dbf"):
        if not any(path.with_suffix(same).is_file() for same in (ending, ending.upper())):
            what = f"the file {path.stem}{ending} is not beside it"
            raise SourceError(Fault(what=what, hint="a Shapefile is several files; copy all of them"))
    with path.open("rb") as stream:
        header = stream.read(_SHAPE_HEADER)
    promised = 2 * int.from_bytes(header[24:28], "big")  # the format counts in words of 16 bits
    if not header.startswith(b"\x00\x00\x27\x0a"):
        raise unreadable(path, "this is not a Shapefile")
    if path.stat().st_size < promised:
        raise unreadable(path, f"it ends after {path.stat().st_size} of {promised} bytes")


# What GDAL would read in part and without a word is made sure of here first.
_WHOLE = {"GPKG": _whole_geopackage, "ESRI Shapefile": _whole_shapefile}


def _read_geoparquet(path: Path) -> gpd.GeoDataFrame:
    try:
        return gpd.read_parquet(path)
    except (ValueError, OSError, KeyError) as error:
        raise unreadable(path, error) from error


# ---------------------------------------------------------------- tables


def _read_parquet_table(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
        frame = index_as_columns(frame)
    except (ValueError, OSError) as error:
        raise unreadable(path, error) from error
    frame.index = _numbered(frame)
    return frame


def index_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Make columns of an index that is more than row numbers; pandas keeps there what a file has as columns.

    Examples
    --------
    >>> index_as_columns(pd.DataFrame({"value": [1]}, index=pd.Index(["01"], name="code"))).columns.tolist()
    ['code', 'value']
    """
    there_already = [name for name in frame.index.names if name in frame.columns]
    if there_already:
        frame = frame.reset_index(level=there_already, drop=True)
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _numbered(frame: pd.DataFrame) -> pd.RangeIndex:
    """Return row numbers as a spreadsheet shows them: the header is row 1."""
    return pd.RangeIndex(2, len(frame) + 2, name="row")


def _read_workbook(path: Path, sheet: str | None) -> pd.DataFrame:
    import openpyxl  # noqa: PLC0415  only those who read a workbook need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and drop-down lists that it does not keep
            with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
                names = [str(name) for name in book.sheetnames]
                wanted = sheet or names[0]
                rows = list(book[wanted].iter_rows(values_only=True)) if wanted in names else []
    except Exception as error:  # openpyxl lets zip, XML and key errors of a broken workbook through
        raise unreadable(path, error) from error
    if wanted not in names:
        raise checks.unknown_name("sheet of the workbook", wanted, names, key="sheet")
    width = max((len(row) for row in rows), default=0)
    texts = [[_cell(value) for value in row] + [""] * (width - len(row)) for row in rows]
    numbered = {number: row for number, row in enumerate(texts, start=1) if any(row)}
    if not numbered:
        raise checks.empty_layer("the sheet is empty", expected="a header and rows")
    return _framed(numbered, Faults())


def _cell(value: object) -> str:
    """Write a workbook's value as the sheet shows it: whole numbers without decimals, text without blanks around."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    return str(value).strip()


def _read_text(path: Path, separator: str | None, encoding: str | None) -> pd.DataFrame:
    text = _decoded(path.read_bytes(), encoding)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise checks.empty_layer("the file has no text", expected="a header and rows")
    sign = separator or max((";", "\t", ","), key=first.count)
    # Strict, so that a quotation mark that is never closed does not swallow the rows after it.
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        numbered = {number: [cell.strip() for cell in row] for number, row in enumerate(lines, start=1)}
    except csv.Error as error:
        raise unreadable(path, f"line {lines.line_num}: {error}") from error
    numbered = {number: row for number, row in numbered.items() if any(row)}
    faults = Faults()
    width = len(next(iter(numbered.values()), []))
    for number, row in numbered.items():
        if len(row) != width:
            faults.add(_ragged(number, len(row), width, sign))
    return _framed({number: row for number, row in numbered.items() if len(row) == width}, faults)


def _framed(numbered: Mapping[int, list[str]], faults: Faults) -> pd.DataFrame:
    """Make a frame of rows under their numbers, the first being the header.

    A column without a name is called after its place (``column 1``), or left out when it is empty as well.
    """
    header, *body = numbered.values()
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        faults.add(SourceError(Fault(what=f"columns occur twice in the header: {checks.listed(twice)}", row=1)))
    faults.raise_any()
    names = [name or f"column {place}" for place, name in enumerate(header, start=1)]
    frame = pd.DataFrame(body, columns=names, dtype=object, index=pd.Index(list(numbered)[1:], name="row"))
    kept = [name != "" or any(row[place] for row in body) for place, name in enumerate(header)]
    return frame.loc[:, kept]


def _ragged(line: int, found: int, expected: int, separator: str) -> SourceError:
    return SourceError(
        Fault(
            what=f"the row has {found} values but the header has {expected}",
            row=line,
            hint=f"a value that contains '{separator}' must stand in quotation marks",
        )
    )


def _decoded(content: bytes, encoding: str | None) -> str:
    if encoding is not None:
        try:
            return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError as error:
            raise SourceError(
                Fault(
                    what=f"the file is not {encoding} (byte {error.start})",
                    hint="leave `encoding` out of the layer",
                )
            ) from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Windows exports are cp1252: Latin-1, with dashes and quotation marks where that has control codes.
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            return content.decode("latin-1")


def check_raster(path: Path, *, crs: str, band: int) -> None:
    """Make sure that a grid can be read, lies in the system declared, and has the band.

    Raises
    ------
    InputError
        ``SourceError``, ``CrsError`` or ``SpecError``.
    """
    import rasterio  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load

    must_exist(path)
    try:
        declared = rasterio.crs.CRS.from_user_input(crs)
    except rasterio.errors.CRSError as error:
        raise checks.crs_unknown(crs) from error
    try:
        with rasterio.open(path) as grid:
            found, bands = grid.crs, grid.count
            grid.read(min(band, bands), window=((0, 1), (0, 1)))
            grid.checksum(min(band, bands))  # reads every block, so that a cut file is found
    except rasterio.errors.RasterioError as error:
        raise unreadable(path, error) from error
    if found is None:
        raise checks.crs_missing()
    if found != declared:
        raise checks.crs_mismatch(found.to_string(), crs)
    if band > bands:
        raise SpecError(Fault(what=f"the grid has {bands} band(s)", key="band", expected=f"1 to {bands}"))


def read_grid(path: Path, *, crs: str, band: int = 1) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Read a grid whose rows run from north to south.

    Parameters
    ----------
    path
        A GeoTIFF or another raster that GDAL reads.
    crs
        The system that the grid must be in.
    band
        The band, counted from 1.

    Returns
    -------
    values : numpy.ndarray
        Rows × columns (float), the northernmost row first; NaN where there is no data.
    corner : tuple
        West and north of the first cell's outer corner, width and height of a cell, in units of ``crs``.

    Raises
    ------
    InputError
        As :func:`check_raster`; and when the grid is turned or stands on its head.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> values, corner = read_grid(home() / "data" / "nordhamra_population_100m.tif", crs="EPSG:3006")
    >>> values.shape, corner[2:]
    ((105, 137), (100.0, 100.0))
    """
    import rasterio  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load

    check_raster(path, crs=crs, band=band)
    with rasterio.open(path) as grid:
        at = grid.transform
        values = grid.read(band, masked=True).astype(float).filled(np.nan)
    if at.b or at.d or at.a <= 0 or at.e >= 0:
        raise SourceError(Fault(what="the grid is turned", expected="rows from north to south, columns west to east"))
    return values, (at.c, at.f, at.a, -at.e)
