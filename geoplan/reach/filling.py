"""Filling a matrix in parts: on threads or a cluster, with progress, in memory or in a folder that can be resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geoplan.errors import Fault, InputError, OutputError
from geoplan.reach.fingerprints import fingerprint
from geoplan.reach.routing import Scratch, Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fill", "progress_bar", "room_of"]

_CHUNK = 32  # origins of a part: small enough to be stopped soon, large enough to cost nothing
_LEAST_STATE = 2**20
_MOST_STATE = 256 * 2**20
_SHARE = 0.5  # of the memory that is left, for the state of searches


class Work(Protocol):
    """What can be filled in parts."""

    @property
    def search(self) -> Search: ...

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def run(self, numbers: NDArray[np.int64], scratch: Scratch | None = None) -> NDArray[np.uint16]: ...


def room_of(size: int, memory_mb: float, threads: int, *, on_disk: bool) -> int:
    """Return how many bytes the state of one search may take; refuse an answer that does not fit in memory."""
    most = int(memory_mb * 2**20)
    if size > most and not on_disk:
        what = f"the answer alone takes {size / 2**20:,.0f} MB, and memory_mb is {memory_mb:g}"
        hint = "give a folder to write it to, ask for fewer percentiles, or raise memory_mb"
        raise InputError(Fault(what=what, key="memory_mb", hint=hint))
    left = most - (0 if on_disk else size)
    return max(_LEAST_STATE, min(_MOST_STATE, int(left * _SHARE / threads)))


def fill(work: Work, *, threads: int, progress: bool, folder: str | Path | None, workers: Any) -> NDArray[np.uint16]:
    """Do all of the work; return the answer, from the folder if there is one."""
    if workers is not None and not all(hasattr(workers, name) for name in ("scatter", "submit", "cancel")):
        what, expected = f"workers cannot be {workers!r}", "a Dask client, as distributed.Client(…)"
        raise InputError(Fault(what=what, key="workers", expected=expected, hint="threads are given by threads="))
    shape = work.shape
    parts = [np.arange(start, min(start + _CHUNK, shape[0])) for start in range(0, shape[0], _CHUNK)]
    store = _Store(Path(folder), work, parts) if folder is not None else None
    out = np.empty(shape, np.uint16) if store is None else store.open()
    todo = [number for number in range(len(parts)) if store is None or not store.done[number]]
    with progress_bar(len(parts), len(parts) - len(todo), shown=progress) as step:
        run = _on_cluster if workers is not None else _on_threads
        for number, found in run(work, parts, todo, workers if workers is not None else threads):
            out[parts[number]] = found
            if store is not None:
                store.finish(number)
            step()
    return out


@contextmanager
def progress_bar(total: int, before: int = 0, *, shown: bool, label: str = "travel times") -> Iterator[Any]:
    """Show how far it is, on a terminal or in a notebook."""
    if not shown:
        yield lambda: None
        return
    from rich.progress import Progress  # noqa: PLC0415  who shows nothing need not load it

    with Progress(transient=True) as bar:
        task = bar.add_task(label, total=total, completed=before)
        yield lambda: bar.advance(task)


def _on_threads(
    work: Work, parts: list[NDArray[np.int64]], todo: list[int], threads: int
) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Hand on the parts as they are done; at most a few are under way, so that Ctrl-C is heard soon."""
    own = local()

    def run(number: int) -> tuple[int, NDArray[np.uint16]]:
        if not hasattr(own, "scratch"):
            own.scratch = Scratch(work.search)
        return number, work.run(parts[number], own.scratch)

    if threads == 1 or len(todo) == 1:
        yield from map(run, todo)
        return
    waiting = iter(todo)
    with ThreadPoolExecutor(threads) as pool:
        under_way: set[Future[tuple[int, NDArray[np.uint16]]]] = set()
        try:
            for number in waiting:
                under_way.add(pool.submit(run, number))
                if len(under_way) >= 2 * threads:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            yield from (future.result() for future in under_way)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _on_cluster(
    work: Work, parts: list[NDArray[np.int64]], todo: list[int], client: Any
) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Send the work to the workers of a Dask client once, and the numbers of each part after it."""
    import dask.distributed as cluster  # noqa: PLC0415  of the extra `cluster`

    sent = client.scatter(work, broadcast=True, hash=False)
    futures = {client.submit(_remotely, sent, parts[number], pure=False): number for number in todo}
    try:
        done: Any = cluster.as_completed  # untyped
        for future, found in done(list(futures), with_results=True):
            yield futures.pop(future), found
    finally:
        client.cancel([*futures, sent])


def _remotely(work: Work, numbers: NDArray[np.int64]) -> NDArray[np.uint16]:
    return work.run(numbers)


class _Store:
    """A folder with the answer as far as it goes: ``seconds.npy``, ``done.npy`` and whose answer it is."""

    def __init__(self, folder: Path, work: Work, parts: list[NDArray[np.int64]]) -> None:
        self.folder, self.work, self.parts = folder, work, parts
        self.done = np.zeros(len(parts), dtype=bool)

    @cached_property
    def mark(self) -> str:
        return fingerprint(self.work)

    def open(self) -> NDArray[np.uint16]:
        """Open the answer so far; begin one in an empty or new folder, refuse that of another question."""
        about = self.folder / "question.json"
        try:
            if about.exists():
                self._must_be_the_same(about)
                return self._resumed()
            if self.folder.exists() and any(self.folder.iterdir()):
                raise self._strange()
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / "seconds.npy"
            out = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=self.work.shape)
            np.save(self.folder / "done.npy", self.done)
            about.write_text(json.dumps({"question": self.mark, "shape": self.work.shape}), encoding="utf-8")
        except (EOFError, OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise OutputError(f"{self.folder}: the travel times cannot be kept there: {error}") from error
        return out

    def _resumed(self) -> NDArray[np.uint16]:
        done = np.load(self.folder / "done.npy")
        path = self.folder / "seconds.npy"
        kept = np.load(path, mmap_mode="r")  # refuses a file that is too short, which to write in would fill with zeros
        like = (kept.shape, kept.dtype) == (self.work.shape, np.uint16)
        if not like or (done.shape, done.dtype) != (self.done.shape, self.done.dtype):
            raise OSError("its files do not fit each other")
        seconds: NDArray[np.uint16] = np.load(path, mmap_mode="r+")
        self.done = done
        return seconds

    def _strange(self) -> InputError:
        what, hint = f"the folder {self.folder} holds something else", "name a new or empty folder"
        return InputError(Fault(what=what, key="folder", hint=hint))

    def _must_be_the_same(self, about: Path) -> None:
        try:
            known = json.loads(about.read_text(encoding="utf-8"))["question"]
        except (ValueError, KeyError, TypeError):
            raise self._strange() from None
        if known != self.mark:
            what = f"the folder {self.folder} holds the answer to another question"
            hint = "points, network or options differ; name another folder, or delete this one"
            raise InputError(Fault(what=what, key="folder", hint=hint))

    def finish(self, number: int) -> None:
        """Note that a part is done; the list is replaced at once, so that it is whole whenever one stops."""
        self.done[number] = True
        beside = self.folder / "done.part.npy"
        np.save(beside, self.done)
        beside.replace(self.folder / "done.npy")
