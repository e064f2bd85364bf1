"""Writing rasters: Cloud-Optimised GeoTIFFs that say what they show, in which unit, from where and how.

A file is written window by window beside its place, turned into its final form, and moved there when all went well.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from geoplan import checks
from geoplan.errors import Fault, Faults, OutputError, SpecError
from geoplan.reach.rasters import CACHE_MB, Lattice, RasterFile, Surface, Window, must_have_unit, open_raster, windows

__all__ = ["RESAMPLINGS", "Origin", "Put", "write_raster", "writing"]

#: How the coarser copies in a file are made from its cells.
RESAMPLINGS = ("average", "nearest", "mode", "rms", "bilinear", "cubic")
_BLOCK = 256
_NODATA = {"float32": float("nan"), "float64": float("nan"), "int32": -1.0}

Put = Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a file tells of itself.

    Attributes
    ----------
    source
        Whose figures they are.
    date
        Which day or period they are of.
    method
        How they were made.
    """

    source: str
    date: str
    method: str

    def __post_init__(self) -> None:
        faults = Faults()
        for name, text in (("source", self.source), ("date", self.date), ("method", self.method)):
            if not str(text).strip():
                what = f"the raster does not say its {name}"
                faults.add(
                    SpecError(Fault(what=what, key=name, expected="a text; whoever opens the file has no other"))
                )
        faults.raise_any()


def write_raster(
    surfaces: Surface | Sequence[Surface],
    path: Path | str,
    *,
    source: str,
    date: str | dt.date,
    method: str | None = None,
    resampling: str = "average",
    dtype: str = "float32",
) -> RasterFile:
    """Write surfaces as the bands of a Cloud-Optimised GeoTIFF.

    Parameters
    ----------
    surfaces
        One, or several with the same cells. A band has the unit and the title of its surface.
    path
        Where to; what is there stays until the new file is whole.
    source, date, method
        Whose figures, of which day or period, and how they were made; written into the file. The method is the first
        surface's when left out.
    resampling
        How overviews, the coarser copies inside, are made: ``"average"`` (the mean of the cells that have data: right
        for densities, minutes and shares), ``"nearest"``, ``"mode"`` (for classes), ``"rms"``, ``"bilinear"``,
        ``"cubic"``.
    dtype
        ``"float32"`` (seven digits; no data is NaN), ``"float64"``, or ``"int32"`` (no data is -1).

    Returns
    -------
    RasterFile
        The first band. Tags of the file: ``source``, ``date``, ``method``, ``overview_resampling``, ``software``, and
        ``notes`` where there are any. Blocks of 256 × 256 cells, deflated; overviews until one block holds all.

    Raises
    ------
    InputError
        When there is no surface, their cells differ, or source, date or method is empty; when ``dtype`` or
        ``resampling`` is none of these, or a number does not fit.
    OutputError
        When the file cannot be written.

    Examples
    --------
    >>> import pyproj
    >>> squares = Lattice(674000, 6580100, 100, 100, rows=1, columns=2, crs=pyproj.CRS(3006))
    >>> people = Surface(np.array([[3.0, np.nan]]), squares, unit="persons", title="Residents", method="counted")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stored = write_raster(people, Path(folder) / "people.tif", source="Made up", date="2012-12-31")
    ...     stored.read().tolist(), stored.unit, stored.tags["source"]
    ([[3.0, nan]], 'persons', 'Made up')
    """
    bands = [surfaces] if isinstance(surfaces, Surface) else list(surfaces)
    if not bands:
        raise checks.empty_layer("there is no surface to write", expected="at least one")
    lattice = bands[0].lattice
    odd = [band.title for band in bands if not lattice.same_as(band.lattice)]
    if odd:
        raise SpecError(Fault(what=f"{len(odd)} surface(s) have other cells than the first: {checks.listed(odd)}"))
    origin = Origin(source=source, date=str(date), method=method if method is not None else bands[0].method)
    notes = tuple(dict.fromkeys(note for band in bands for note in band.notes))
    named = [(band.title, band.unit) for band in bands]
    with writing(Path(path), lattice, named, origin, notes=notes, resampling=resampling, dtype=dtype) as put:
        for core, _ in windows(lattice, side=4 * _BLOCK):
            for number, band in enumerate(bands, start=1):
                put(core, band.read(core), number)
    return replace(open_raster(path), notes=notes)


@contextmanager
def writing(
    path: Path,
    lattice: Lattice,
    bands: Sequence[tuple[str, str]],
    origin: Origin,
    *,
    notes: Sequence[str] = (),
    resampling: str = "average",
    dtype: str = "float32",
) -> Iterator[Put]:
    """Give the function ``put(window, cells, band=1)`` that writes a window; at the end the file is in its place.

    ``bands`` are titles and units; ``notes`` may grow while cells are written.
    """
    import rasterio  # noqa: PLC0415  a GDAL of its own, 20 MB that only those who need it should load
    import rasterio.shutil  # noqa: PLC0415  as above

    _must_be_known(bands, resampling, dtype)
    try:
        with tempfile.TemporaryDirectory(dir=path.resolve().parent, prefix=f".{path.name}-", suffix=".partial") as work:
            plain, final = Path(work) / "plain.tif", Path(work) / "final.tif"
            with rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
                with rasterio.open(plain, "w", **_profile(lattice, len(bands), dtype)) as stored:
                    yield _putter(stored, dtype)
                    _describe(stored, bands, origin, notes, resampling)
                rasterio.shutil.copy(plain, final, **_form(resampling, dtype))
            final.chmod(0o644)
            final.replace(path)
    except (OSError, rasterio.errors.RasterioError) as error:
        if isinstance(error, OutputError):
            raise
        reason = (getattr(error, "strerror", None) or str(error)).lower().replace(str(path.resolve().parent), "…")
        raise OutputError(f"{path.name}: the raster cannot be written ({reason})") from error


def _must_be_known(bands: Sequence[tuple[str, str]], resampling: str, dtype: str) -> None:
    faults = Faults()
    for _, unit in bands:
        with faults.catch():
            must_have_unit(unit)
    for kind, name, known in (("resampling", resampling, RESAMPLINGS), ("dtype", dtype, tuple(_NODATA))):
        if name not in known:
            faults.add(checks.unknown_name(kind, name, known, key=kind))
    faults.raise_any()


def _profile(lattice: Lattice, bands: int, dtype: str) -> dict[str, object]:
    from rasterio import Affine  # noqa: PLC0415  as in `writing`

    return {
        "driver": "GTiff",
        "height": lattice.rows,
        "width": lattice.columns,
        "count": bands,
        "dtype": dtype,
        "crs": lattice.crs.to_wkt(),
        "transform": Affine(lattice.width, 0.0, lattice.west, 0.0, -lattice.height, lattice.north),
        "nodata": _NODATA[dtype],
        "tiled": True,
        "blockxsize": _BLOCK,
        "blockysize": _BLOCK,
        "compress": "deflate",
        "zlevel": 1,
        "bigtiff": "if_safer",
    }


def _form(resampling: str, dtype: str) -> dict[str, object]:
    return {
        "driver": "COG",
        "COMPRESS": "DEFLATE",
        "PREDICTOR": "STANDARD" if dtype == "int32" else "FLOATING_POINT",
        "BLOCKSIZE": _BLOCK,
        "OVERVIEWS": "AUTO",
        "OVERVIEW_RESAMPLING": resampling.upper(),
        "BIGTIFF": "IF_SAFER",
    }


def _putter(stored: Any, dtype: str) -> Put:
    """Return the function that writes a window in the file's kind of number."""
    from rasterio.windows import Window as Cut  # noqa: PLC0415  as in `writing`

    def put(window: Window, cells: np.ndarray, band: int = 1) -> None:
        known = np.isfinite(cells)
        if dtype == "int32":
            most = np.iinfo(np.int32).max
            odd = known & ((cells != np.round(cells)) | (cells < 0) | (cells > most))
            if odd.any():
                what = f"{cells[odd][0]:g} cannot be written as a whole number"
                raise SpecError(Fault(what=what, key="dtype", expected=f"0 to {most:,}", hint='`dtype="float32"`'))
        cut = Cut(window.column, window.row, window.columns, window.rows)
        stored.write(np.where(known, cells, _NODATA[dtype]).astype(dtype), band, window=cut)

    return put


def _describe(
    stored: Any, bands: Sequence[tuple[str, str]], origin: Origin, notes: Sequence[str], resampling: str
) -> None:
    told = {"source": origin.source, "date": origin.date, "method": origin.method, "software": "geoplan"}
    told |= {"overview_resampling": resampling}
    if notes:
        told["notes"] = "; ".join(notes)
    stored.update_tags(**told)
    for number, (title, unit) in enumerate(bands, start=1):
        stored.set_band_unit(number, unit)
        stored.set_band_description(number, title or unit)
