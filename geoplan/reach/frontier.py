"""How far along each piece of street one gets in a time: to the metre, not to the last junction.

Streets are cut at junctions and wherever a way begins or a ride ends, so that a *section* is entered at its ends only.
What time is left at its ends then says how far one gets into it from either side, for every departure of a window, and
how many of them are enough for a percentile says which part of it counts as reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geoplan.reach.kernels import propagate
from geoplan.reach.linking import costs
from geoplan.reach.routing import Scratch, ranks_of, short, stop_times
from geoplan.reach.streets import NEVER, Snapped, Streets

if TYPE_CHECKING:
    from geoplan.reach.matrix import Job

__all__ = ["Frontier", "Parts", "Sections", "cut_at", "frontiers", "nodes_of"]

_CELLS = 2**21  # sections times departures that are looked at together
_ALIKE = 1e-9  # of a section
_BEFORE, _BEYOND = -1.0, 2.0  # of a section that runs from 0 to 1
_LATE = -1.0  # milliseconds left where a node is not reached in time


@dataclass(frozen=True, eq=False)
class Sections:
    """Stretches of street that are entered at their ends only.

    Of which piece, from where to where (0-1), between which nodes, and the milliseconds along them either way, infinite
    where that is not allowed.
    """

    piece: np.ndarray
    start: np.ndarray
    end: np.ndarray
    one: np.ndarray
    two: np.ndarray
    onward_ms: np.ndarray
    back_ms: np.ndarray

    def __len__(self) -> int:
        return len(self.piece)


@dataclass(frozen=True, eq=False)
class Parts:
    """Stretches of pieces that are reached, in order: of which piece, and from where to where (0-1)."""

    piece: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.piece)

    def metres(self, streets: Streets) -> float:
        """Return their length on the ground."""
        return float(((self.end - self.start) * streets.length_m[self.piece]).sum())

    def kept(self, mask: np.ndarray) -> Parts:
        """Return some of them."""
        return Parts(self.piece[mask], self.start[mask], self.end[mask])


@dataclass(frozen=True, eq=False)
class Frontier:
    """What time is left at every node after the way there, by departure: negative where it is not reached in time.

    ``left_ms`` is [node, departure], ``enough`` how many departures a percentile asks for, ``stops`` the rows of stops
    that are ridden to in time by as many.
    """

    left_ms: np.ndarray
    enough: int
    stops: np.ndarray

    def parts(self, sections: Sections, spare_ms: float) -> tuple[Parts, np.ndarray]:
        """Return what is reached with some time to spare, and which sections are reached from end to end."""
        whole = np.zeros(len(sections), dtype=bool)
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for rows in _blocks(len(sections), self.left_ms.shape[1]):
            ends = self.left_ms[sections.one[rows]] - spare_ms, self.left_ms[sections.two[rows]] - spare_ms
            ways = sections.onward_ms[rows], sections.back_ms[rows]
            whole[rows], section, low, high = _reached(*ends, *ways, self.enough)
            found.append((section + rows.start, low, high))
        section, low, high = (np.concatenate(column) for column in zip(*found, strict=True)) if found else _NOTHING
        size = sections.end[section] - sections.start[section]
        ends_at = np.where(high == 1, sections.end[section], sections.start[section] + high * size)
        return _joined(sections.piece[section], sections.start[section] + low * size, ends_at), whole


_NOTHING = (np.empty(0, np.int64), np.empty(0), np.empty(0))


def _blocks(count: int, width: int) -> Iterator[slice]:
    step = max(1, _CELLS // max(1, width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _reached(
    left: np.ndarray, right: np.ndarray, onward: np.ndarray, back: np.ndarray, enough: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return which sections are whole, and the stretches of sections (row, from, to) that enough departures reach.

    A departure leaves a gap open between how far it gets from one end and from the other; what is reached lies in as
    few gaps as there may be.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(left >= 0, np.minimum(np.nan_to_num(left / onward[:, None], nan=1.0), 1), _BEFORE)
        high = np.where(right >= 0, 1 - np.minimum(np.nan_to_num(right / back[:, None], nan=1.0), 1), _BEYOND)
    trips = left.shape[1]
    whole = (low >= high).sum(axis=1) >= enough
    some = ~whole & (((low >= 0) | (high <= 1)).sum(axis=1) >= enough)
    rows = np.flatnonzero(some)
    low, high = low[rows], high[rows]
    closed = low >= high
    low[closed] = high[closed] = _BEYOND
    place = np.concatenate([low, high], axis=1)
    step = np.concatenate([np.ones_like(low, np.int32), np.full_like(high, -1, np.int32)], axis=1)
    order = np.argsort(place, axis=1, kind="stable")
    place = np.clip(np.take_along_axis(place, order, axis=1), 0, 1)
    gaps = np.cumsum(np.take_along_axis(step, order, axis=1), axis=1)
    edge = np.zeros((len(rows), 1))
    starts, ends = np.concatenate([edge, place], axis=1), np.concatenate([place, edge + 1], axis=1)
    gaps = np.concatenate([edge, gaps], axis=1)
    row, column = np.nonzero((gaps <= trips - enough) & (ends - starts > _ALIKE))
    all_of = np.flatnonzero(whole)
    section = np.concatenate([all_of, rows[row]])
    begin = np.concatenate([np.zeros(len(all_of)), starts[row, column]])
    stop = np.concatenate([np.ones(len(all_of)), ends[row, column]])
    order = np.lexsort((begin, section))
    return whole, section[order], begin[order], stop[order]


def _joined(piece: np.ndarray, start: np.ndarray, end: np.ndarray) -> Parts:
    """Put stretches together that go on where the one before ends; they come in order."""
    if not len(piece):
        return Parts(piece.astype(np.int32), start, end)
    fresh = np.ones(len(piece), dtype=bool)
    fresh[1:] = (piece[1:] != piece[:-1]) | (start[1:] > end[:-1] + _ALIKE)
    first = np.flatnonzero(fresh)
    return Parts(piece[first], start[first], end[np.append(first[1:], len(piece)) - 1])


def nodes_of(streets: Streets, stops: Snapped | None) -> Snapped:
    """Return the junctions, and after them the places on the streets where stops stand, as points to be reached."""
    size = len(streets.xy)
    piece, along = np.full(size, -1, np.int32), np.zeros(size)
    number = np.arange(len(streets.start), dtype=np.int32)
    piece[streets.end], along[streets.end] = number, 1.0
    piece[streets.start], along[streets.start] = number, 0.0
    at = np.arange(size, dtype=np.int32)
    found: dict[str, np.ndarray] = {"piece": piece, "along": along, "start": at, "end": at}
    found |= dict.fromkeys(_TIMES, np.zeros(size, np.int32))
    if stops is not None:
        on = stops.piece >= 0
        feet = _feet(streets, stops.piece[on], stops.along[on])
        found = {name: np.concatenate([found[name], feet[name]]) for name in found}
    count = len(found["piece"])
    xy = np.full((count, 2), np.nan)
    xy[:size] = streets.xy
    return Snapped(
        ids=np.arange(count).astype(object),
        xy=xy,
        off_m=np.zeros(count),
        off_ms=np.zeros(count, np.int32),
        reason=np.full(count, "", dtype=object),
        near_m=0.0,
        nearest_m=np.zeros(count),
        **found,
    )


_TIMES = ("to_start_ms", "to_end_ms", "from_start_ms", "from_end_ms", "to_start_mm", "to_end_mm")


def _feet(streets: Streets, piece: np.ndarray, along: np.ndarray) -> dict[str, np.ndarray]:
    """Return places on pieces as points that are on the street itself."""

    def part(whole: np.ndarray, share: np.ndarray) -> np.ndarray:
        time = whole[piece]
        # Who is at the junction itself has no way to go to it, whichever ways are allowed.
        return np.where((time == NEVER) & (share > 0), NEVER, np.rint(time * share)).astype(np.int32)

    millimetres = streets.length_m * 1000
    return {
        "piece": piece,
        "along": along,
        "start": streets.start[piece],
        "end": streets.end[piece],
        "to_start_ms": part(streets.backward_ms, along),
        "to_end_ms": part(streets.forward_ms, 1 - along),
        "from_start_ms": part(streets.forward_ms, along),
        "from_end_ms": part(streets.backward_ms, 1 - along),
        "to_start_mm": np.rint(millimetres[piece] * along).astype(np.int32),
        "to_end_mm": np.rint(millimetres[piece] * (1 - along)).astype(np.int32),
    }


def cut_at(streets: Streets, nodes: Snapped, place: Snapped, number: int, *, turned: bool) -> Sections:
    """Cut streets at the nodes and at one more: the place on the streets where a way begins.

    Pieces that points may not be linked to are left out: who passes along cannot step off. If ``turned``, times are
    those towards the place.
    """
    junctions, count = len(streets.xy), len(nodes)
    here, along = int(place.piece[number]), float(place.along[number])
    every = np.arange(len(streets.start))
    piece = np.concatenate([every, every, nodes.piece[junctions:], [here]])
    share = np.concatenate([np.zeros(len(every)), np.ones(len(every)), nodes.along[junctions:], [along]])
    node = np.concatenate([streets.start, streets.end, np.arange(junctions, count + 1)])
    order = np.lexsort((share, piece))
    piece, share, node = piece[order], share[order], node[order]
    kept = np.flatnonzero((piece[1:] == piece[:-1]) & (share[1:] > share[:-1]) & streets.linkable[piece[1:]])
    piece, size = piece[kept], share[kept + 1] - share[kept]
    ways = (streets.backward_ms, streets.forward_ms) if turned else (streets.forward_ms, streets.backward_ms)
    onward, back = (np.where(way[piece] == NEVER, np.inf, way[piece] * size) for way in ways)
    return Sections(piece.astype(np.int32), share[kept], share[kept + 1], node[kept], node[kept + 1], onward, back)


def frontiers(job: Job, number: int, bands_s: list[int], percentile: float) -> list[Frontier]:
    """Return what time is left at the nodes, the place's own last, for each band in rising order.

    A walk to a place off the streets, and along them from a stop, may be no longer than the window says. That holds if
    a stop counts as reached no sooner than so long before the time is up.
    """
    window = job.search.window
    own = int(job.sources.off_ms[number])
    access = job.near(number)
    if not job.search.lines or job.egress is None or not len(access[0]):
        walk = costs(job.streets, job.sources, job.sinks, np.array([number]), max_s=window.walk_s, turned=window.arrive)
        spent = np.append(np.where(walk[0] == NEVER, np.inf, walk[0]), own)[:, None]
        none = np.empty(0, np.int64)
        return [Frontier(_left(spent, min(band, window.walk_s)), 1, none) for band in bands_s]
    return _ridden(job, number, bands_s, percentile, access)


def _ridden(
    job: Job, number: int, bands_s: list[int], percentile: float, access: tuple[np.ndarray, np.ndarray]
) -> list[Frontier]:
    """Search the timetable once, and go on from the stops for each band."""
    search, size = job.search, len(job.sinks)
    scratch, walk = Scratch(search), job.walks(np.array([number]))[0].astype(np.int64)
    assert job.egress is not None  # noqa: S101  else nobody rides
    reach = (job.egress.first, job.egress.other, job.egress.seconds)
    spent = np.empty((len(bands_s), size + 1, search.trips), np.uint16)
    met = np.zeros((len(bands_s), search.stops), np.int64)
    late = [max(0, band - search.window.walk_s) for band in bands_s]
    at = 0
    for lines in search.lines:
        for part in search.parts:
            times, soonest = stop_times(search, lines, part, access, scratch)
            numbers, found = np.empty(len(part), np.uint16), np.empty((size, len(part)), np.uint16)
            for row, (band, least) in enumerate(zip(bands_s, late, strict=True)):
                met[row] += (times <= band).sum(axis=1)
                np.maximum(times, least, out=times)  # bands rise: what was raised before is not above
                np.maximum(soonest, least, out=soonest)
                propagate(times, soonest, reach, short(walk + least, band), band, numbers, *_NO_RANKS, found)
                spent[row, :size, at : at + len(part)] = found
            at += len(part)
    spent[:, size] = np.add(late, round(int(job.sources.off_ms[number]) / 1000))[:, None]
    enough = int(ranks_of((percentile,), search.trips)[0]) + 1
    return [
        Frontier(_left(each.astype(np.float32) * 1000, band), enough, np.flatnonzero(stops >= enough))
        for each, band, stops in zip(spent, bands_s, met, strict=True)
    ]


_NO_RANKS = np.empty(0, np.int64), np.empty((0, 0), np.uint16)


def _left(spent_ms: np.ndarray, band_s: int) -> np.ndarray:
    left = band_s * 1000 - spent_ms
    return np.where(left < 0, _LATE, left)
