"""Streets in one file: written once, loaded in an instant, and known by what is in it.

The file is a zip of plain arrays (NumPy's format, never pickled) and a JSON record, stored without compression and
with a fixed date, so that the same streets give the same bytes anywhere. The SHA-256 of its content stands in it and is
made sure of on loading. What the file is called says nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, OutputError, SourceError
from geoplan.reach.streets import Streets
from geoplan.sources.files import must_exist, unreadable

__all__ = ["VERSION", "load_streets", "write_streets"]

VERSION = 1
_FORMAT = "geoplan streets"
_BROKEN = (struct.error, zlib.error, OverflowError, MemoryError)  # what else a zip with wrong bytes may end in
_HEAD = "streets.json"
_DATE = (1980, 1, 1, 0, 0, 0)
_ARRAYS = {
    "xy": "<f8",
    "start": "<i4",
    "end": "<i4",
    "length_m": "<f8",
    "forward_ms": "<i4",
    "backward_ms": "<i4",
    "shape_at": "<i8",
    "shape_xy": "<f8",
    "linkable": "|b1",
}
_DROPPED = {"component": "<i8", "nodes": "<i8", "length_m": "<f8", "x": "<f8", "y": "<f8"}


def write_streets(streets: Streets, path: Path | str) -> Path:
    """Write streets to one file, as a whole or not at all.

    Parameters
    ----------
    streets
        The network.
    path
        Where to; a file that is there is replaced. ``.streets`` is a fitting ending.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    OutputError
        When the folder does not exist or cannot be written to.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> from geoplan.reach import read_streets
    >>> lines = [LineString([(674_000, 6_580_000), (674_100, 6_580_000)])]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_streets(write_streets(streets, Path(folder) / "town.streets"))
    >>> again.length_m.round(1).tolist(), again.crs
    ([100.0], 'EPSG:3006')
    """
    path = Path(path)
    arrays = _arrays_of(streets)
    head = {"format": _FORMAT, "version": VERSION, "mode": streets.mode, "crs": streets.crs}
    record = _plain(streets.record)
    head |= {"record": record, "sha256": _sha256(head, record, arrays)}
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                _pack(stream, head, arrays)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:  # also when interrupted: nothing half-written stays behind
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{path.name}: the streets cannot be written ({reason})") from error
    return path


def load_streets(path: Path | str) -> Streets:
    """Load streets that :func:`write_streets` has written.

    Raises
    ------
    SourceError
        When the file is missing, of another kind or version, damaged, or not what its checksum says.

    Examples
    --------
    >>> load_streets("nowhere.streets")
    Traceback (most recent call last):
    geoplan.errors.SourceError: nowhere.streets: there is no such file.
    """
    path = Path(path)
    with Faults.located_at(path.name):
        must_exist(path)
        try:
            with zipfile.ZipFile(path) as packed:
                head = _head(packed)
                arrays = {name: _unpacked(packed, name) for name in _expected()}
        except (zipfile.BadZipFile, ValueError, LookupError, OSError, EOFError, RuntimeError, *_BROKEN) as error:
            if isinstance(error, SourceError):
                raise
            raise _not_streets(path, error) from error
        stated = {key: head.get(key) for key in ("format", "version", "mode", "crs")}
        if _sha256(stated, head.get("record"), arrays) != head.get("sha256"):
            raise unreadable(path, "its content is not what its checksum says")
        dropped = pd.DataFrame({name: arrays[f"dropped/{name}"].astype(kind[1:]) for name, kind in _DROPPED.items()})
        kept = {name: arrays[name] for name in _ARRAYS}
        return Streets(mode=head["mode"], crs=head["crs"], **kept, dropped=dropped, record=head["record"])


def _expected() -> dict[str, str]:
    return {**_ARRAYS, **{f"dropped/{name}": kind for name, kind in _DROPPED.items()}}


def _arrays_of(streets: Streets) -> dict[str, np.ndarray]:
    arrays = {name: getattr(streets, name) for name in _ARRAYS}
    arrays |= {f"dropped/{name}": streets.dropped[name].to_numpy() for name in _DROPPED}
    return {name: np.ascontiguousarray(arrays[name], dtype=kind) for name, kind in _expected().items()}


def _plain(value: Any) -> Any:
    """Return a record as JSON knows it, so that what is loaded equals what was written."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _sha256(head: Mapping[str, Any], record: Any, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps([head, record], sort_keys=True).encode())
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _pack(stream: Any, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr(zipfile.ZipInfo(_HEAD, _DATE), json.dumps(head, sort_keys=True, indent=1))
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            packed.writestr(zipfile.ZipInfo(f"{name}.npy", _DATE), content.getvalue())


def _head(packed: zipfile.ZipFile) -> dict[str, Any]:
    head = json.loads(packed.read(_HEAD))
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise ValueError
    if head.get("version") != VERSION:
        raise SourceError(
            Fault(
                what=f"the streets are of version {head.get('version')} of the format",
                expected=f"version {VERSION}",
                hint="read them from their source again, with `read_streets`",
            )
        )
    return head


def _unpacked(packed: zipfile.ZipFile, name: str) -> np.ndarray:
    array = np.lib.format.read_array(io.BytesIO(packed.read(f"{name}.npy")), allow_pickle=False)
    if array.dtype.str != _expected()[name]:
        raise ValueError
    return np.asarray(array)


def _not_streets(path: Path, error: Exception) -> SourceError:
    with path.open("rb") as stream:
        begins = stream.read(2)
    if begins != b"PK" or isinstance(error, KeyError):
        hint = "`write_streets` makes such a file; OpenStreetMap and layers of lines are for `read_streets`"
        return SourceError(Fault(what="this is not a file of streets", hint=hint))
    return unreadable(path, "it is damaged or was cut short")
