"""The way along the streets from one point to another, as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import LineString

from geoplan.reach.kernels import NEVER, spread
from geoplan.reach.linking import costs, lines

if TYPE_CHECKING:
    from geoplan.reach.streets import Snapped, Streets

__all__ = ["traced"]


def traced(streets: Streets, here: Snapped, one: int, there: Snapped, other: int) -> tuple[LineString, float]:
    """Return the way from a point to another, EPSG:4326, and its metres; as the crow flies where no street leads."""
    points = _way(streets, here, one, there, other)
    if points is None:
        points = np.array([here.xy[one], there.xy[other]])
    line = LineString(points)
    to_degrees = Transformer.from_crs(streets.crs, "EPSG:4326", always_xy=True)
    degrees = np.column_stack(to_degrees.transform(*np.asarray(line.coords).T))
    return LineString(degrees), float(line.length)


def _way(streets: Streets, here: Snapped, one: int, there: Snapped, other: int) -> np.ndarray | None:
    """Return the vertices of the way in the streets' coordinates; None where no street leads."""
    if here.piece[one] < 0 or there.piece[other] < 0:
        return None
    most = costs(streets, here, there, np.array([one]))[0, other]
    if most == NEVER:
        return None
    graph, _ = lines(streets, turned=False)
    size = len(streets.xy)
    seeds = np.zeros((2, 3), np.int64)
    seeds[:, 0], seeds[:, 1] = (here.start[one], here.end[one]), (here.to_start_ms[one], here.to_end_ms[one])
    found, passed, touched = np.full(size, NEVER, np.int32), np.zeros(size, np.int32), np.empty(size, np.int32)
    heap = np.empty(len(graph[1]) + 4, np.int64)
    spread(graph[0], graph[1], graph[2], graph[3], seeds, int(most), int(NEVER) - 1, found, passed, heap, touched)
    reached = found.astype(np.int64)
    junctions, costs_on = (there.start, there.end), (there.from_start_ms, there.from_end_ms)
    ends = [(int(junction[other]), int(cost[other])) for junction, cost in zip(junctions, costs_on, strict=True)]
    goal = next(
        ((junction, cost) for junction, cost in ends if reached[junction] + cost == most and cost < NEVER), None
    )
    tail = there.xy[other][None]
    if goal is None:  # along the piece that both lie on
        part = _part(streets, int(here.piece[one]), here.along[one], there.along[other])
        return np.concatenate([here.xy[one][None], part, tail])
    junction = goal[0]
    share = 0.0 if junction == there.start[other] and goal == ends[0] else 1.0
    parts = [_part(streets, int(there.piece[other]), share, there.along[other]), tail]
    begun = ((here.end, here.to_end_ms), (here.start, here.to_start_ms))
    starts = {int(junction[one]): int(cost[one]) for junction, cost in begun if cost[one] < NEVER}
    back = streets.reverse
    while not (junction in starts and reached[junction] == starts[junction]):
        arcs = np.arange(back.indptr[junction], back.indptr[junction + 1])
        before = back.to[arcs]
        arc = arcs[np.argmax((reached[before] + back.cost_ms[arcs] == reached[junction]) & (before != junction))]
        piece, previous = int(back.piece[arc]), int(back.to[arc])
        forward = streets.start[piece] == previous and streets.end[piece] == junction
        parts.insert(0, _part(streets, piece, *((0.0, 1.0) if forward else (1.0, 0.0))))
        junction = previous
    first = 0.0 if junction == here.start[one] and starts[junction] == here.to_start_ms[one] else 1.0
    parts.insert(0, _part(streets, int(here.piece[one]), here.along[one], first))
    return np.concatenate([here.xy[one][None], *parts])


def _part(streets: Streets, piece: int, start: float, end: float) -> np.ndarray:
    """Return the vertices of a piece from a share of its length to another, turned round if that is before."""
    line = LineString(streets.shape_xy[streets.shape_at[piece] : streets.shape_at[piece + 1]])
    if start > end:
        return _part(streets, piece, end, start)[::-1]
    cut = shapely.ops.substring(line, start, end, normalized=True)
    return np.asarray(cut.coords)
