"""From lines to a network: cut at junctions, freed of islands, and joined where nothing happens between two lines.

A *link* is a stretch of a line between two places where lines meet; a *dart* is a link with a direction, so that link
*i* has the darts 2 *i* (as drawn) and 2 *i* + 1. All steps are whole-array: a city's links are joined by following all
darts at once, twice as far in each round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyproj
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geoplan.reach.lines import Lines, numbered
from geoplan.reach.stop_times import gather

__all__ = ["Links", "Pieces", "by_place", "cut", "islands", "join"]

_GEOD = pyproj.Geod(ellps="WGS84")
_MS_PER_H = 3_600_000.0


@dataclass(frozen=True, eq=False)
class Links:
    """Stretches of lines between places where lines meet.

    Attributes
    ----------
    start, end
        Nodes, numbered from 0 without gaps, int64.
    first, size
        First vertex and number of vertices of each, among those of the lines.
    length_m
        Length on the ground.
    forward_ms, backward_ms
        Time in milliseconds, int64; -1 where one may not go that way.
    kind
        Number of what may be joined: same speeds, same rights, int64; links of kind -1 are never joined.
    turned
        The kind that the link is when drawn the other way round.
    linkable
        Whether points may be linked to it.
    node_lonlat
        Place of each node.
    counts
        Vertices missing and lines cut there.
    """

    start: np.ndarray
    end: np.ndarray
    first: np.ndarray
    size: np.ndarray
    length_m: np.ndarray
    forward_ms: np.ndarray
    backward_ms: np.ndarray
    kind: np.ndarray
    turned: np.ndarray
    linkable: np.ndarray
    node_lonlat: np.ndarray
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.start)


_PER_LINK = ("start", "end", "first", "size", "length_m", "forward_ms", "backward_ms", "kind", "turned", "linkable")


def cut(lines: Lines, slopes: tuple[np.ndarray, np.ndarray] | None = None) -> Links:
    """Cut lines where they meet, and where a vertex has no place.

    Parameters
    ----------
    lines
        The lines.
    slopes
        For each vertex, by how much the speed changes from it to the next one, forward and backward (1 on the flat).
    """
    vertex = np.arange(len(lines.node))
    line = np.repeat(np.arange(len(lines)), np.diff(lines.at))
    placed = np.isfinite(lines.lonlat).all(axis=1)
    inner = np.ones(len(vertex), dtype=bool)
    inner[lines.last] = False  # the last vertex of a line begins no step
    step = vertex[:-1][inner[:-1] & placed[:-1] & placed[1:]]
    if not len(step):
        return _no_links(lines)
    (lon, lat), (lon_to, lat_to) = lines.lonlat[step].T, lines.lonlat[step + 1].T
    metres = _GEOD.inv(lon, lat, lon_to, lat_to)[2]
    on = line[step]
    of_line = np.bincount(on, weights=metres, minlength=len(lines))
    stated = np.divide(lines.length_m, of_line, out=np.full(len(lines), np.nan), where=of_line > 0)
    metres = metres * np.where(np.isfinite(stated), stated, 1.0)[on]
    of_line = np.where(np.isfinite(lines.length_m), lines.length_m, of_line)
    # A link begins where its line does, behind a vertex without a place, and where lines meet.
    begins = np.concatenate([[True], (np.diff(step) != 1) | lines.shared[step[1:]]])
    link = np.cumsum(begins) - 1
    at = np.flatnonzero(begins)
    size = np.diff(np.append(at, len(step)))
    on = on[at]
    first, last = step[at], step[at] + size
    places, ends = np.unique(lines.node[np.concatenate([first, last])], return_index=True, return_inverse=True)[1:]
    forward, backward = (
        _milliseconds(metres, speed, lines, of_line, on, link, None if slopes is None else slopes[way][step])
        for way, speed in enumerate((lines.forward_kmh, lines.backward_kmh))
    )
    kind, turned = _kinds(lines, on)
    missing = np.bincount(line[~placed], minlength=len(lines)) > 0
    return Links(
        start=ends[: len(at)],
        end=ends[len(at) :],
        first=first,
        size=size + 1,
        length_m=np.bincount(link, weights=metres),
        forward_ms=forward,
        backward_ms=backward,
        kind=kind,
        turned=turned,
        linkable=lines.linkable[on],
        node_lonlat=lines.lonlat[np.concatenate([first, last])[places]],
        counts={"lines cut where a vertex has no place": int(missing.sum()), "links": len(at)},
    )


def _no_links(lines: Lines) -> Links:
    none = np.empty(0, dtype=np.int64)
    empty = dict.fromkeys(_PER_LINK, none)
    counts = {"lines cut where a vertex has no place": len(lines), "links": 0}
    return Links(**empty, node_lonlat=np.empty((0, 2)), counts=counts)


def _milliseconds(
    metres: np.ndarray,
    kmh: np.ndarray,
    lines: Lines,
    of_line: np.ndarray,
    on: np.ndarray,
    link: np.ndarray,
    slope: np.ndarray | None,
) -> np.ndarray:
    """Return the time of each link; steps are summed before anything is rounded."""
    effort = np.bincount(link, weights=metres if slope is None else metres / slope)
    plain = effort / np.where(kmh > 0, kmh, 1.0)[on] / 1000 * _MS_PER_H
    share = np.divide(effort, of_line[on], out=np.zeros(len(effort)), where=of_line[on] > 0)
    timed = np.isfinite(lines.duration_s[on])
    whole = np.where(timed, share * np.nan_to_num(lines.duration_s[on]) * 1000, plain)
    return np.where(np.isfinite(kmh[on]), np.rint(whole), -1).astype(np.int64)


def _kinds(lines: Lines, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give links of the same speeds and rights one number; those whose time is not a matter of speed get none."""
    ahead, back = (np.nan_to_num(kmh, nan=-1.0)[on] for kmh in (lines.forward_kmh, lines.backward_kmh))
    linkable = np.tile(lines.linkable[on], 2)
    number = numbered(np.concatenate([ahead, back]), np.concatenate([back, ahead]), linkable).reshape(2, -1)
    single = np.isfinite(lines.duration_s[on])
    return np.where(single, -1, number[0]), np.where(single, -1, number[1])


# ---------------------------------------------------------------- islands


def islands(links: Links, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the links from which one cannot get about: those outside every part of ``least`` nodes or more.

    A part is a set of nodes of which each can be reached from each (strongly connected), as R5 counts.

    Returns
    -------
    kept : numpy.ndarray
        Whether each link is kept.
    island : numpy.ndarray
        The island each link belongs to, numbered from 1 by falling number of nodes; 0 for links that are kept.
    """
    size = len(links.node_lonlat)
    ahead, back = links.forward_ms >= 0, links.backward_ms >= 0
    tail = np.concatenate([links.start[ahead], links.end[back]])
    head = np.concatenate([links.end[ahead], links.start[back]])
    part = _components(tail, head, size, "strong")
    large = np.bincount(part)[part] >= least
    kept = large[links.start] & large[links.end]
    out = ~kept
    # Islands are told apart as one sees them on a map, however they are one-way within.
    lone = ~large
    inside = lone[links.start] & lone[links.end]
    group = _components(links.start[inside], links.end[inside], size, "weak")
    at = np.where(lone[links.start[out]], links.start[out], links.end[out])
    found, which = np.unique(group[at], return_inverse=True)
    nodes = np.bincount(group[lone], minlength=size)[found] if len(found) else np.empty(0, dtype=np.int64)
    rank = np.empty(len(found), dtype=np.int64)
    rank[np.lexsort((found, -nodes))] = np.arange(1, len(found) + 1)
    island = np.zeros(len(links), dtype=np.int64)
    island[out] = rank[which]
    return kept, island


def _components(tail: np.ndarray, head: np.ndarray, size: int, connection: str) -> np.ndarray:
    graph = coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(size, size)).tocsr()
    return np.asarray(connected_components(graph, directed=True, connection=connection)[1])


# ---------------------------------------------------------------- joining


@dataclass(frozen=True, eq=False)
class Pieces:
    """Links joined to pieces between junctions.

    Attributes
    ----------
    node
        Nodes of the links that are junctions.
    start, end
        Numbers of junctions, int32.
    length_m, forward_ms, backward_ms, linkable
        As the links have them, summed.
    shape_at, vertex
        Vertices of the lines along each piece, from start to end.
    """

    node: np.ndarray
    start: np.ndarray
    end: np.ndarray
    length_m: np.ndarray
    forward_ms: np.ndarray
    backward_ms: np.ndarray
    linkable: np.ndarray
    shape_at: np.ndarray
    vertex: np.ndarray


def join(links: Links, kept: np.ndarray, *, joined: bool = True) -> Pieces:
    """Join links that pass on to just one other of the same kind; ``joined=False`` leaves every link by itself."""
    some = {name: getattr(links, name)[kept] for name in _PER_LINK}
    count = len(some["start"])
    tail = np.column_stack([some["start"], some["end"]]).ravel()
    follows = np.arange(2 * count)
    if joined and count:
        follows = _followers(tail, some["kind"], some["turned"], len(links.node_lonlat))
    last, behind = _ends(follows)
    ring = follows[last] != last
    if ring.any():  # a ring that nothing else touches: it is opened at the beginning of its first link
        follows = _opened(follows, ring)
        last, behind = _ends(follows)
    # Each link lies on two chains of darts, there and back; the one with the smaller last dart is kept.
    dart = np.flatnonzero(last < last[np.arange(2 * count) ^ 1])
    dart = dart[np.lexsort((-behind[dart], last[dart]))]
    heads = np.flatnonzero(np.concatenate([[True], np.diff(last[dart]) != 0])) if count else np.empty(0, dtype=np.int64)
    chain = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(dart))))
    link, back = dart >> 1, (dart & 1).astype(bool)
    node, ends = np.unique(np.concatenate([tail[dart[heads]], tail[last[dart[heads]] ^ 1]]), return_inverse=True)
    along, against = (
        np.where(back, some[one][link], some[other][link])
        for one, other in (("backward_ms", "forward_ms"), ("forward_ms", "backward_ms"))
    )
    shape_at, vertex = _shapes(some["first"][link], some["size"][link], back, heads, chain)
    return Pieces(
        node=node,
        start=ends[: len(heads)].astype(np.int32),
        end=ends[len(heads) :].astype(np.int32),
        length_m=np.bincount(chain, weights=some["length_m"][link], minlength=len(heads)),
        forward_ms=_summed(along, chain, heads),
        backward_ms=_summed(against, chain, heads),
        linkable=some["linkable"][link[heads]].astype(bool),
        shape_at=shape_at,
        vertex=vertex,
    )


def _followers(tail: np.ndarray, kind: np.ndarray, turned: np.ndarray, nodes: int) -> np.ndarray:
    """Return the dart that each dart passes on to, itself where it ends at a junction."""
    count = len(tail)
    follows = np.arange(count)
    order = np.argsort(tail, kind="stable")
    degree = np.bincount(tail, minlength=nodes)
    at = (np.cumsum(degree) - degree)[degree == 2]  # noqa: PLR2004  one comes, one goes
    one, other = order[at], order[at + 1]
    ahead = np.column_stack([kind, turned]).ravel()  # the kind of each dart as one goes along it
    alike = (one ^ 1 != other) & (ahead[one ^ 1] == ahead[other]) & (ahead[other] >= 0)
    one, other = one[alike], other[alike]
    follows[one ^ 1] = other
    follows[other ^ 1] = one
    return follows


def _ends(follows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the last dart of each chain and how many darts come before it, by jumps that double."""
    jump, steps = follows.copy(), (follows != np.arange(len(follows))).astype(np.int64)
    for _ in range(len(follows).bit_length()):
        onward = jump[jump]
        if (onward == jump).all():
            break
        steps = steps + steps[jump]
        jump = onward
    return jump, steps


def _opened(follows: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Let each ring end before its smallest dart, and its counterpart the other way at the same place."""
    dart = np.arange(len(follows))
    least, jump = dart.copy(), follows.copy()
    for _ in range(len(follows).bit_length()):
        least = np.minimum(least, least[jump])
        jump = jump[jump]
    before = np.zeros(len(follows), dtype=np.int64)
    before[follows] = dart
    first = dart[ring & (least == dart) & (dart & 1 == 0)]
    opened = follows.copy()
    opened[before[first]] = before[first]
    opened[first ^ 1] = first ^ 1
    return opened


def _summed(milliseconds: np.ndarray, chain: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Sum times over chains; a chain is closed as a whole, for its links are of one kind."""
    total = np.zeros(len(heads), dtype=np.int64)
    np.add.at(total, chain, np.maximum(milliseconds, 0))
    return np.where(milliseconds[heads] < 0, -1, total)


def _shapes(
    first: np.ndarray, size: np.ndarray, back: np.ndarray, heads: np.ndarray, chain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where each piece's shape begins, and its vertices; where links meet, the vertex is listed once."""
    leads = np.zeros(len(first), dtype=bool)
    leads[heads] = True
    skip = (~leads).astype(np.int64)
    number = size - skip
    place = gather(skip, number)
    step = np.repeat(np.where(back, -1, 1), number)
    origin = np.repeat(np.where(back, first + size - 1, first), number)
    shape_at = np.concatenate([[0], np.cumsum(np.bincount(chain, weights=number, minlength=len(heads)))])
    return shape_at.astype(np.int64), origin + step * place


def by_place(xy: np.ndarray) -> np.ndarray:
    """Return an order of points in which neighbours on the map stand near each other (Morton's).

    What is searched together then lies together in memory.
    """
    if not len(xy):
        return np.empty(0, dtype=np.int64)
    low = xy.min(axis=0)
    extent = max(float((xy.max(axis=0) - low).max()), 1.0)
    cell = ((xy - low) / extent * 65535).astype(np.uint64)
    code = np.zeros(len(xy), dtype=np.uint64)
    for bit in range(16):
        for axis in (0, 1):
            code |= ((cell[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return np.lexsort((xy[:, 1], xy[:, 0], code))
