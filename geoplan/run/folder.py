"""A folder, or a file, that is either the old one, whole, or the new one, whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geoplan.errors import OutputError

__all__ = ["INDEX_FILE", "MANIFEST", "atomic_file", "atomic_folder"]

INDEX_FILE = "index.parquet"
MANIFEST = "manifest.json"


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder to write to, and put it in the place of ``target`` when all went well.

    Whatever ends the block otherwise, Ctrl-C included, leaves ``target`` as it was and nothing beside it.

    Raises
    ------
    OutputError
        When the place cannot be written, or ``target`` holds something that is not a geoplan run.
    """
    target = target.resolve()
    if target.exists() and not _replaceable(target):
        raise OutputError(
            f"{target}: this is not a folder that geoplan wrote. Expected: a new or empty folder, or an earlier run. "
            "Hint: choose another with --out"
        )
    made = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".partial", dir=target.parent))
    except OSError as error:
        _remove_empty(made)
        raise _not_writable(target, error) from error
    try:
        yield work
        _put_in_place(work, target)
    except OutputError:
        raise
    except OSError as error:
        raise _not_writable(target, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        _remove_empty(made)


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Give a temporary file to write to, and put it in the place of ``target`` when all went well.

    Raises
    ------
    OutputError
        When the file cannot be written; what was there stays.
    """
    try:
        ending = f".partial{target.suffix}"  # writers go by the ending
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=ending, dir=target.resolve().parent)
    except OSError as error:
        raise _file_not_writable(target, error) from error
    os.close(handle)
    try:
        yield Path(name)
        Path(name).chmod(0o644)  # mkstemp makes files for one user
        Path(name).replace(target)
    except OSError as error:
        raise _file_not_writable(target, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _file_not_writable(target: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    return OutputError(f"{target}: the file cannot be written ({reason}). Hint: choose another with --out")


def _replaceable(target: Path) -> bool:
    """Tell whether nothing is lost when a folder is replaced: it is empty, or its manifest is one of geoplan's."""
    if not target.is_dir():
        return False
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return not any(target.iterdir())
    return isinstance(manifest, dict) and "geoplan" in manifest


def _put_in_place(work: Path, target: Path) -> None:
    work.chmod(0o755)  # mkdtemp makes folders for one user; a run is meant to be shared
    old = work.with_suffix(".old")
    try:
        if target.exists():
            target.rename(old)
        work.rename(target)
    finally:  # whatever happened between the two, Ctrl-C included, one of them stands in the end
        if not target.exists() and old.exists():
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _remove_empty(folders: list[Path]) -> None:
    """Take back the folders made on the way, innermost first, as far as nothing stands in them."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _not_writable(target: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    file = next((folder for folder in target.parents if folder.is_file()), None)
    if file is not None:
        reason = f"'{file.name}' on the way is a file"
    return OutputError(
        f"{target}: the folder cannot be written ({reason}). Expected: a place with room that you may write to. "
        "Hint: choose another with --out"
    )
