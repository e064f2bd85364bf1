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
    junction, pieces = _followed(streets, reached, starts, junction)
    first = 0.0 if junction == here.start[one] and starts[junction] == here.to_start_ms[one] else 1.0
    way = [here.xy[one][None], _part(streets, int(here.piece[one]), here.along[one], first)]
    for piece, after in pieces:
        forward = streets.start[piece] == junction and streets.end[piece] == after
        way.append(_part(streets, piece, *((0.0, 1.0) if forward else (1.0, 0.0))))
        junction = after
    return np.concatenate([*way, *parts])


def _followed(
    streets: Streets, reached: np.ndarray, starts: dict[int, int], goal: int
) -> tuple[int, list[tuple[int, int]]]:
    """Follow a way back from a junction; return where it begins, and each piece with the junction it leads to.

    Pieces that take no time lead back and forth between junctions that are reached at once: none is looked at twice.
    """
    back, leads, waiting = streets.reverse, {goal: (-1, -1)}, [goal]
    junction = goal
    while waiting:
        junction = waiting.pop()
        if starts.get(junction) == reached[junction]:
            break
        arcs = np.arange(back.indptr[junction], back.indptr[junction + 1])
        for arc in arcs[reached[back.to[arcs]] + back.cost_ms[arcs] == reached[junction]][::-1]:
            before = int(back.to[arc])
            if before not in leads:
                leads[before] = int(back.piece[arc]), junction
                waiting.append(before)
    begins, pieces = junction, []
    while junction != goal:
        pieces.append(leads[junction])
        junction = leads[junction][1]
    return begins, pieces


def _part(streets: Streets, piece: int, start: float, end: float) -> np.ndarray:
    """Return the vertices of a piece from a share of its length to another, turned round if that is before."""
    line = LineString(streets.shape_xy[streets.shape_at[piece] : streets.shape_at[piece + 1]])
    if start > end:
        return _part(streets, piece, end, start)[::-1]
    cut = shapely.ops.substring(line, start, end, normalized=True)
    return np.asarray(cut.coords)
