"""A folder that is either the old one, whole, or the new one, whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geoplan.errors import OutputError

__all__ = ["INDEX_FILE", "MANIFEST", "atomic_folder"]

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
    target = target.absolute()
    if target.exists() and not _replaceable(target):
        raise OutputError(
            f"{target}: this is not a folder that geoplan wrote. Expected: a new or empty folder, or an earlier run. "
            "Hint: choose another with --out"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".partial", dir=target.parent))
    except OSError as error:
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


def _replaceable(target: Path) -> bool:
    return target.is_dir() and ((target / MANIFEST).is_file() or not any(target.iterdir()))


def _put_in_place(work: Path, target: Path) -> None:
    work.chmod(0o755)  # mkdtemp makes folders for one user; a run is meant to be shared
    old = work.with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        work.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _not_writable(target: Path, error: OSError) -> OutputError:
    reason = (error.strerror or str(error)).lower()
    return OutputError(
        f"{target}: the folder cannot be written ({reason}). Expected: a place with room that you may write to. "
        "Hint: choose another with --out"
    )
