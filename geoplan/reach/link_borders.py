"""Where districts meet: shared borders, borders in the middle of a gap, and the ways across them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Voronoi

from geoplan.reach.streets import NEVER, Streets

__all__ = ["Border", "Passages", "longest_gap", "passages", "shared_borders"]

_LINE = 1
_OPPOSITE = -0.5  # cosine: what lies beyond a gap is seen under an angle of 120 degrees or more
_STEP_M = 10.0
_WALLS_M = 0.01  # how far from the wall of the strip its wall may lie, as computers reckon
_SAME_M = 1e-6


@dataclass(frozen=True, eq=False)
class Border:
    """The border between two districts, by number: ``line`` is what they share, and the middle of what parts them."""

    one: int
    other: int
    how: str
    line: shapely.Geometry


# ---------------------------------------------------------------- borders


def shared_borders(shapes: np.ndarray, *, tolerance_m: float, gap_m: float, least_m: float) -> list[Border]:
    """Find the borders of polygons that touch, or face each other over a gap with no third one between.

    Parameters
    ----------
    shapes
        Polygons.
    tolerance_m
        Borders no farther apart than this are drawn twice and touch.
    gap_m
        Widest gap; the border then is the line in its middle.
    least_m
        Shorter borders, such as corners, do not count.
    """
    reach = max(gap_m, tolerance_m)
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="dwithin", distance=reach)
    found = []
    order = np.lexsort((second, first))
    for one, other in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if one >= other:
            continue
        touching = _touching(shapes[one], shapes[other], tolerance_m, reach)
        between = shapely.GeometryCollection()
        if gap_m > tolerance_m:
            middle = _middle(shapes[one], shapes[other], touching, tolerance_m, gap_m)
            if not middle.is_empty:
                near = np.setdiff1d(tree.query(middle, predicate="intersects"), (one, other))
                between = _lines(shapely.difference(middle, shapely.union_all(shapes[near])))
        apart = shapely.distance(shapes[one], shapes[other])
        if touching.is_empty and between.length < apart:
            continue  # corner to corner over a gap
        line = _joined(touching, between)
        if line.length >= least_m:
            how = "border" if touching.length >= between.length else "gap"
            found.append(Border(one, other, how, line))
    return found


def _lines(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the lines of whatever an overlay leaves."""
    parts = shapely.get_parts(shape)
    parts = np.concatenate([shapely.get_parts(parts), parts[:0]])
    return shapely.MultiLineString([part for part in parts if shapely.get_type_id(part) == _LINE and part.length > 0])


def _joined(*lines: shapely.Geometry) -> shapely.Geometry:
    """Return one line of as few parts as there can be."""
    parts = np.concatenate([shapely.get_parts(line) for line in lines])
    whole = shapely.line_merge(shapely.MultiLineString([part for part in parts if part.length > 0]))
    return shapely.MultiLineString(list(shapely.get_parts(whole)))


def _clipped(one: shapely.Geometry, other: shapely.Geometry, reach: float) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Return both outlines where they can be near each other."""
    west, south, east, north = (
        pick(a, b) for pick, a, b in zip((max, max, min, min), shapely.bounds(one), shapely.bounds(other), strict=True)
    )
    room = (west - reach, south - reach, east + reach, north + reach)
    return tuple(shapely.clip_by_rect(shapely.boundary(shape), *room) for shape in (one, other))


def _touching(one: shapely.Geometry, other: shapely.Geometry, tolerance_m: float, reach: float) -> shapely.Geometry:
    """Return what two polygons share of their outlines; drawn twice within the tolerance, the first one's."""
    mine, theirs = _clipped(one, other, reach)
    exact = _lines(shapely.intersection(mine, theirs))
    loose = shapely.intersection(mine, shapely.buffer(theirs, tolerance_m))
    if not exact.is_empty:
        loose = shapely.difference(loose, shapely.buffer(exact, 2 * tolerance_m))
    merged = shapely.get_parts(shapely.line_merge(_lines(loose)))
    kept = [part for part in merged if part.length > 4 * tolerance_m]  # else the two only pass each other
    return _joined(exact, shapely.MultiLineString(kept))


def _middle(
    one: shapely.Geometry, other: shapely.Geometry, touching: shapely.Geometry, tolerance_m: float, gap_m: float
) -> shapely.Geometry:
    """Return the line as far from one polygon as from another, where they face each other within a gap."""
    nothing = shapely.MultiLineString()
    outlines = _clipped(one, other, gap_m)
    faces = []
    for mine, theirs in (outlines, outlines[::-1]):
        face = shapely.intersection(mine, shapely.buffer(theirs, gap_m))
        if not touching.is_empty:
            face = shapely.difference(face, shapely.buffer(touching, 2 * tolerance_m))
        faces.append(_lines(face))
    if any(face.is_empty for face in faces):
        return nothing
    spots = [np.unique(shapely.get_coordinates(shapely.segmentize(face, _STEP_M)), axis=0) for face in faces]
    if sum(map(len, spots)) < 4 or min(map(len, spots)) < 2:  # noqa: PLR2004  what makes a diagram
        return nothing
    points = np.concatenate(spots)
    diagram = Voronoi(points - points[0])
    side = np.arange(len(points)) < len(spots[0])
    edges = np.array(diagram.ridge_vertices)
    across = (side[diagram.ridge_points[:, 0]] != side[diagram.ridge_points[:, 1]]) & (edges >= 0).all(axis=1)
    ends = diagram.vertices[edges[across]] + points[0]
    return shapely.line_merge(shapely.MultiLineString(list(_facing(ends, one, other, gap_m))))


def _facing(ends: np.ndarray, one: shapely.Geometry, other: shapely.Geometry, gap_m: float) -> np.ndarray:
    """Keep the stretches that lie between two polygons and not beside them."""
    short = np.hypot(*(ends[:, 1] - ends[:, 0]).T) < 2 * gap_m
    lines = shapely.linestrings(ends[short])
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    here = shapely.get_coordinates(middle)
    ways = [
        shapely.get_coordinates(shapely.shortest_line(middle, shapely.boundary(shape))).reshape(-1, 2, 2)[:, 1] - here
        for shape in (one, other)
    ]
    long = [np.hypot(*way.T) for way in ways]
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (ways[0] * ways[1]).sum(axis=1) / (long[0] * long[1])
    outside = ~shapely.intersects(middle, one) & ~shapely.intersects(middle, other)
    kept = outside & (long[0] + long[1] <= gap_m) & (cosine <= _OPPOSITE)
    return np.asarray(lines[kept])


# ---------------------------------------------------------------- crossings


@dataclass(frozen=True, eq=False)
class Passages:
    """Where ways cross a border: places on it, two columns, in their order along it."""

    xy: np.ndarray

    def __len__(self) -> int:
        return len(self.xy)


def passages(
    border: Border, shapes: np.ndarray, streets: Streets, tree: shapely.STRtree, *, strip_m: float, merge_m: float
) -> Passages:
    """Find the ways across a border.

    In the strip along the border, ways that hang together make a group. A group that leaves the strip at *a* places
    on one side and *b* on the other makes ``min(a, b)`` crossings: a street along the border counts once for every
    street that joins it, on the side where fewer do, and not at all if none does on one side. What lies above or
    below without a way up or down is no part of the group. Places closer than ``merge_m`` are one.
    """
    strip = shapely.buffer(border.line, strip_m, cap_style="flat")
    number = np.sort(tree.query(strip, predicate="intersects"))
    if not len(number):
        return Passages(np.empty((0, 2)))
    part, row = shapely.get_parts(shapely.intersection(streets.shapes[number], strip), return_index=True)
    line = (shapely.get_type_id(part) == _LINE) & (shapely.length(part) > 0)
    part, piece = part[line], number[row[line]]
    if not len(part):
        return Passages(np.empty((0, 2)))
    exits, of_exit = _groups(part, piece, streets)
    side = _side(exits, border, shapes, strip_m)
    found = []
    for each in np.unique(of_exit):
        sides = [_clusters(exits[(of_exit == each) & (side == which)], border.line, merge_m) for which in (0, 1)]
        found.append(min(sides, key=len))
    places = np.concatenate(found) if found else np.empty((0, 2))
    return Passages(_clusters(places, border.line, merge_m))


def usable(streets: Streets) -> tuple[shapely.STRtree, np.ndarray]:
    """Return a tree of the shapes that may be used at all, and their numbers."""
    open_ = (streets.forward_ms != NEVER) | (streets.backward_ms != NEVER)
    shapes = streets.shapes.copy()
    shapes[~open_] = None
    return shapely.STRtree(shapes), np.flatnonzero(open_)


def _groups(part: np.ndarray, piece: np.ndarray, streets: Streets) -> tuple[np.ndarray, np.ndarray]:
    """Return the places where parts of pieces leave the strip, and of each the group of parts that hang together."""
    ends = np.stack([shapely.get_coordinates(shapely.get_point(part, at)) for at in (0, -1)])
    junctions = np.stack([streets.start[piece], streets.end[piece]])
    rows = np.arange(len(part))
    ties, leaving = [], []
    for end in ends:
        apart = np.stack([np.hypot(*(end - streets.xy[junction]).T) for junction in junctions])
        which = np.argmin(apart, axis=0)
        inside = apart[which, rows] <= _SAME_M
        ties.append(np.column_stack([rows[inside], junctions[which, rows][inside]]))
        leaving.append(~inside)
    tie = np.concatenate(ties)
    nodes, node = np.unique(tie[:, 1], return_inverse=True)
    size = len(part) + len(nodes)
    graph = coo_array((np.ones(len(tie), np.int8), (tie[:, 0], len(part) + node)), shape=(size, size)).tocsr()
    group = connected_components(graph, directed=False)[1][: len(part)]
    exits = np.concatenate([end[out] for end, out in zip(ends, leaving, strict=True)])
    return exits, np.concatenate([group[out] for out in leaving])


def _side(exits: np.ndarray, border: Border, shapes: np.ndarray, strip_m: float) -> np.ndarray:
    """Say on which side of the border each place lies: 0 or 1; -1 at the ends of the strip."""
    points = shapely.points(exits)
    wall = shapely.distance(points, border.line) >= strip_m - max(_WALLS_M, strip_m / 100)
    apart = np.stack([shapely.distance(points, shapes[number]) for number in (border.one, border.other)])
    side = np.argmin(apart, axis=0)
    return np.where(wall & (apart[0] != apart[1]), side, -1)


def _clusters(places: np.ndarray, line: shapely.Geometry, merge_m: float) -> np.ndarray:
    """Put places on the border, in order along it, those closer than a distance as one in their middle."""
    if not len(places):
        return np.empty((0, 2))
    points = shapely.points(places)
    at = shapely.line_locate_point(line, points)
    on = shapely.get_coordinates(shapely.line_interpolate_point(line, at))
    order = np.argsort(at, kind="stable")
    number, first = np.zeros(len(order), dtype=np.int64), on[order[0]]
    for before, row in enumerate(order[1:]):
        new = float(np.hypot(*(on[row] - first))) > merge_m
        number[before + 1] = number[before] + new
        first = on[row] if new else first
    middle = np.bincount(number, weights=at[order]) / np.bincount(number)
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(line, middle)))


def longest_gap(line: shapely.Geometry, places: np.ndarray) -> float:
    """Return the longest stretch of a line without any of the places on it; the ends of the line are ends of it."""
    worst = 0.0
    parts = shapely.get_parts(line)
    points = shapely.points(places)
    nearest = np.argmin([shapely.distance(part, points) for part in parts], axis=0) if len(places) else np.empty(0)
    for number, part in enumerate(parts):
        at = np.sort(shapely.line_locate_point(part, points[nearest == number])) if len(places) else np.empty(0)
        worst = max(worst, *(b - a for a, b in pairwise([0.0, *at.tolist(), part.length])))
    return float(worst)
