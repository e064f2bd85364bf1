"""Who is near whom on the streets: points and stops, within a time and a length."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from geoplan.errors import Fault, InputError
from geoplan.reach.kernels import NEVER, sweep_near, sweep_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.reach.streets import Snapped, Streets

__all__ = ["Near", "costs", "near", "threads_of"]

_CHUNK = 64  # points a thread takes at a time: small enough to be stopped soon, large enough to cost nothing
_CHUNKS = 64  # at most for links: each clears what it knows of every junction, which must not be done for every point
_MOST = int(NEVER) - 1


@dataclass(frozen=True, eq=False)
class Near:
    """Points near to points: those of row *i* are ``other[first[i]:first[i + 1]]``, with seconds and metres."""

    first: np.ndarray
    other: np.ndarray
    seconds: np.ndarray
    metres: np.ndarray

    def __len__(self) -> int:
        return len(self.first) - 1

    def row(self, number: int) -> slice:
        """Return where the points near to one stand."""
        return slice(int(self.first[number]), int(self.first[number + 1]))

    @property
    def rows(self) -> np.ndarray:
        """The row of every entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    def kept(self, mask: np.ndarray) -> Near:
        """Return some of the entries."""
        return self.made(self.rows[mask], self.other[mask], self.seconds[mask], self.metres[mask], len(self))

    def turned(self, size: int) -> Near:
        """Return the same the other way round: for each of ``size`` points, the rows that it is near to."""
        return self.made(self.other, self.rows, self.seconds, self.metres, size)

    @staticmethod
    def made(row: np.ndarray, other: np.ndarray, seconds: np.ndarray, metres: np.ndarray, size: int) -> Near:
        """Put entries in order: by row, then by time, then by number."""
        order = np.lexsort((other, seconds, row))
        first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=size))]).astype(np.int64)
        return Near(
            first,
            np.ascontiguousarray(other[order], np.int32),
            np.ascontiguousarray(seconds[order], np.int32),
            np.ascontiguousarray(metres[order], np.float32),
        )


def threads_of(threads: int | None) -> int:
    """Return how many threads to use: as many as there are processors this process may use unless told.

    Raises
    ------
    InputError
        For what is no number of threads.
    """
    if threads is not None:
        if not isinstance(threads, Integral) or isinstance(threads, bool) or threads < 1:
            expected = "a whole number from 1, or None for as many as there are processors"
            raise InputError(Fault(what=f"threads cannot be {threads!r}", key="threads", expected=expected))
        return int(threads)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_chunks(count: int, work: Callable[[np.ndarray], Any], threads: int, chunk: int = _CHUNK) -> Iterator[Any]:
    """Do work on numbers 0 to ``count``, a chunk at a time, on threads; hand on the answers in order."""
    parts = [np.arange(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    if threads == 1 or len(parts) <= 1:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(work, parts)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def ends(points: Snapped, *, turned: bool) -> tuple[np.ndarray, ...]:
    """Lay out points as the kernels read them; with the way to and from a point exchanged if ``turned``."""
    to = (points.to_start_ms, points.to_end_ms)
    back = (points.from_start_ms, points.from_end_ms)
    if turned:
        to, back = back, to
    return (
        points.piece,
        points.along,
        points.off_ms,
        _mm(points.off_m),
        points.start,
        points.end,
        *to,
        *back,
        points.to_start_mm,
        points.to_end_mm,
    )


def _mm(metres: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.nan_to_num(metres) * 1000), np.int32)


def lines(streets: Streets, *, turned: bool) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Lay out streets as the kernels read them: arcs, and pieces for points that lie on the same one."""
    graph = streets.reverse if turned else streets.graph
    both = (streets.backward_ms, streets.forward_ms) if turned else (streets.forward_ms, streets.backward_ms)
    return (graph.indptr, graph.to, graph.cost_ms, graph.length_mm), (*both, _mm(streets.length_m))


def limits_of(max_s: float | None, max_m: float | None) -> tuple[int, int]:
    """Turn limits into whole milliseconds and millimetres; a time of exactly the limit is within it."""
    cost = _MOST if max_s is None else min(round(max_s * 1000), _MOST)
    length = _MOST if max_m is None else min(round(max_m * 1000), _MOST)
    return cost, length


def costs(
    streets: Streets,
    origins: Snapped,
    targets: Snapped,
    numbers: np.ndarray,
    *,
    max_s: float | None = None,
    max_m: float | None = None,
    turned: bool = False,
) -> np.ndarray:
    """Return whole milliseconds, int32, from origins of some numbers to all targets; NEVER where not reached.

    If ``turned``, from the targets to the origins; the answer is [origin, target] all the same.
    """
    graph, pieces = lines(streets, turned=turned)
    out = np.empty((len(numbers), len(targets.piece)), np.int32)
    limits = limits_of(max_s, max_m)
    sweep_to(graph, pieces, ends(origins, turned=turned), ends(targets, turned=turned), numbers, *limits, out)
    return out


def seconds_of(cost_ms: np.ndarray) -> np.ndarray:
    """Turn milliseconds into whole seconds, rounded to the nearest; NEVER stays what it is."""
    whole = (cost_ms.astype(np.int64) + 500) // 1000
    return np.asarray(np.where(cost_ms == NEVER, NEVER, whole), np.int32)


def near(
    streets: Streets,
    origins: Snapped,
    targets: Snapped,
    *,
    max_s: float | None = None,
    max_m: float | None = None,
    threads: int | None = None,
) -> Near:
    """Return the targets near to each origin. Of origins and targets, the fewer are searched from."""
    turned = len(targets.piece) < len(origins.piece)
    one, other = (targets, origins) if turned else (origins, targets)
    graph, pieces = lines(streets, turned=turned)
    sources, sinks = ends(one, turned=turned), ends(other, turned=turned)
    at = _by_junction(other, len(streets.xy))
    limits = limits_of(max_s, max_m)

    def work(numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        stops, found = sweep_near(graph, pieces, sources, sinks, numbers, *limits, at)
        return np.repeat(numbers, np.diff(stops, prepend=0)), *found.T

    chunk = max(_CHUNK, -(-len(one.piece) // _CHUNKS))
    parts = list(in_chunks(len(one.piece), work, threads_of(threads), chunk))
    if not parts:
        empty = np.empty(0, np.int32)
        return Near.made(empty, empty, empty, empty.astype(np.float32), len(origins.piece))
    row, found, cost, length = (np.concatenate(part) for part in zip(*parts, strict=True))
    if turned:
        row, found = found, row
    return Near.made(row, found, seconds_of(cost), (length / 1000).astype(np.float32), len(origins.piece))


def _by_junction(points: Snapped, junctions: int) -> tuple[np.ndarray, np.ndarray]:
    """List the points at each junction: at both ends of the piece each lies on."""
    known = np.flatnonzero(points.piece >= 0)
    both = np.concatenate([points.start[known], points.end[known]])
    number = np.concatenate([known, known]).astype(np.int32)
    order = np.lexsort((number, both))
    first = np.concatenate([[0], np.cumsum(np.bincount(both, minlength=junctions))]).astype(np.int64)
    return first, number[order]
