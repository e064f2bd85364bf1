"""Line helpers for the streets: cut, lead to the next street, node, prune."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from _shapes import GRID_M
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOTHING = shapely.Polygon()
ON_FOOT = frozenset({"footway", "cycleway", "path", "steps", "pedestrian"})


@dataclass(frozen=True)
class Way:
    """One line with its tags, as OpenStreetMap has them.

    Parameters
    ----------
    line
        Its course, in the direction of travel where ``oneway`` is among the tags.
    tags
        Keys and values.
    group
        What it was cut from; pieces of a group with equal tags become one way again.
    loose
        Whether a piece of it may be left out without breaking the network.
    """

    line: shapely.LineString
    tags: dict[str, str] = field(hash=False)
    group: int = 0
    loose: str = ""

    @property
    def kind(self) -> str:
        """Return the value of ``highway`` (or ``route``)."""
        return self.tags.get("highway", self.tags.get("route", ""))


def parts(geometry: shapely.Geometry) -> list[shapely.LineString]:
    """Return the lines of a geometry, longest pieces merged."""
    merged = shapely.line_merge(geometry) if geometry.geom_type != "LineString" else geometry
    return [p for p in shapely.get_parts(merged) if p.geom_type == "LineString" and p.length > GRID_M]


def clipped(ways: Iterable[Way], away_from: shapely.Geometry, shortest_m: float) -> list[Way]:
    """Cut out what lies in a polygon and drop the scraps."""
    shapely.prepare(away_from)
    kept = []
    for way in ways:
        if not shapely.intersects(away_from, way.line):
            kept.append(way)
            continue
        kept += [replace(way, line=p) for p in parts(way.line.difference(away_from)) if p.length >= shortest_m]
    return kept


def split_at(ways: Iterable[Way], polygon: shapely.Geometry) -> list[Way]:
    """Cut every way where it enters or leaves a polygon."""
    shapely.prepare(polygon)
    kept = []
    for way in ways:
        if not shapely.intersects(polygon, way.line):
            kept.append(way)
            continue
        for piece in (way.line.difference(polygon), way.line.intersection(polygon)):
            kept += [replace(way, line=p) for p in parts(piece)]
    return kept


def led_on(
    ways: Sequence[Way], targets: Sequence[Way], reach_m: float, barriers: shapely.Geometry = NOTHING
) -> list[Way]:
    """Lead each loose end to the nearest street within reach, unless a barrier is between."""
    shapely.prepare(barriers)
    lines = np.array([way.line for way in targets])
    tree = shapely.STRtree(lines)
    result = []
    for way in ways:
        points = shapely.get_coordinates(way.line)
        for end in (0, -1):
            tip = shapely.Point(points[end])
            near = [k for k in tree.query(tip, predicate="dwithin", distance=reach_m) if targets[k] is not way]
            gaps = sorted((round(float(lines[k].distance(tip)), 3), int(k)) for k in near)
            if not gaps or gaps[0][0] < GRID_M / 2:
                continue
            line = lines[gaps[0][1]]
            onto = line.interpolate(line.project(tip))
            if shapely.intersects(barriers, shapely.LineString([tip, onto])):
                continue
            xy = np.array([[onto.x, onto.y]])
            points = np.vstack([xy, points]) if end == 0 else np.vstack([points, xy])
        result.append(replace(way, line=shapely.LineString(points)))
    return result


def noded(ways: Sequence[Way]) -> list[Way]:
    """Cut all ways where they meet; of ways that lie on each other the first stays."""
    lines = np.array([way.line for way in ways])
    pieces = shapely.get_parts(shapely.union_all(lines, grid_size=GRID_M))
    order = np.lexsort(shapely.bounds(pieces).T[::-1])
    pieces = pieces[order]
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece, source = shapely.STRtree(lines).query(middle, predicate="dwithin", distance=0.5)
    first = np.full(len(pieces), len(ways))
    np.minimum.at(first, piece, source)
    result = []
    for line, owner in zip(pieces, first, strict=True):
        if owner == len(ways) or line.length < GRID_M:
            continue
        result.append(replace(ways[owner], line=directed(line, ways[owner].line)))
    return result


def directed(piece: shapely.LineString, source: shapely.LineString) -> shapely.LineString:
    """Turn a piece the way its source runs."""
    a, b = (source.project(shapely.Point(piece.coords[k])) for k in (0, -1))
    return piece if a <= b else shapely.LineString(list(piece.coords)[::-1])


def ends(ways: Sequence[Way]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the junctions and the numbers of each way's first and last one."""
    tips = np.array([[way.line.coords[0], way.line.coords[-1]] for way in ways])
    keys = np.round(tips.reshape(-1, 2) / GRID_M).astype(np.int64)
    nodes, number = np.unique(keys, axis=0, return_inverse=True)
    number = number.reshape(-1, 2)
    return nodes * GRID_M, number[:, 0], number[:, 1]


def without_stubs(ways: list[Way], shortest_m: float, kinds: frozenset[str]) -> list[Way]:
    """Take away dead ends shorter than a length, again and again."""
    while True:
        nodes, start, end = ends(ways)
        degree = np.bincount(np.concatenate([start, end]), minlength=len(nodes))
        kept = [
            way
            for way, a, b in zip(ways, start, end, strict=True)
            if way.kind not in kinds or way.line.length >= shortest_m or min(degree[a], degree[b]) > 1
        ]
        if len(kept) == len(ways):
            return kept
        ways = kept


def components(ways: Sequence[Way]) -> np.ndarray:
    """Return for each way the number of the network that it belongs to, 0 the longest."""
    nodes, start, end = ends(ways)
    graph = coo_matrix((np.ones(len(ways)), (start, end)), shape=(len(nodes), len(nodes)))
    _, label = connected_components(graph, directed=False)
    length = np.bincount(label[start], weights=[way.line.length for way in ways])
    rank = np.empty(len(length), dtype=int)
    rank[np.argsort(-length, kind="stable")] = np.arange(len(length))
    return rank[label[start]]


def bridges_kept(ways: Sequence[Way], rng: np.random.Generator) -> np.ndarray:
    """Return which ways a random tree needs to hold the network together; fixed ways go first."""
    nodes, start, end = ends(ways)
    # by car first: a street is not left out because there is a footpath round it
    price = np.where([bool(way.loose) for way in ways], rng.uniform(1, 2, len(ways)), 0.01)
    price[[way.kind in ON_FOOT for way in ways]] += 10
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((price, high, low))
    twin = np.zeros(len(ways), dtype=bool)
    twin[1:] = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    only = order[~twin]
    only = only[low[only] != high[only]]
    size = (len(nodes), len(nodes))
    tree = minimum_spanning_tree(coo_matrix((price[only], (low[only], high[only])), shape=size)).tocoo()
    chosen = set(zip(tree.row.tolist(), tree.col.tolist(), strict=True))
    kept = np.zeros(len(ways), dtype=bool)
    for k in only:
        kept[k] = (int(low[k]), int(high[k])) in chosen or (int(high[k]), int(low[k])) in chosen
    return kept


def reached_by_car(ways: list[Way], farthest_m: float = 500.0) -> list[Way]:
    """Let cars reach every street: one-way streets that would trap them go both ways, footpaths become lanes."""
    nodes, start, end = ends(ways)
    size = (len(nodes), len(nodes))
    cars = np.array([way.kind not in ON_FOOT and way.kind != "ferry" for way in ways])
    both = np.array([way.tags.get("oneway") != "yes" for way in ways])
    rows = np.concatenate([start[cars], end[cars & both]])
    columns = np.concatenate([end[cars], start[cars & both]])
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=size)
    _, loop = connected_components(graph, connection="strong")
    main = np.bincount(loop).argmax()
    trapped = cars & ~both & ((loop[start] != main) | (loop[end] != main))
    ways = [
        replace(way, tags={k: v for k, v in way.tags.items() if "oneway" not in k})
        if traps and way.kind not in {"motorway", "motorway_link"}
        else way
        for way, traps in zip(ways, trapped, strict=True)
    ]
    _, part = connected_components(graph, directed=False)
    main = np.bincount(part).argmax()
    # a way on foot costs what it is long, a street nearly nothing; tunnels and bridges are not for cars
    price = np.array([0.01 if car else way.line.length for car, way in zip(cars, ways, strict=True)])
    closed = np.array([way.kind in {"ferry", "steps"} or "layer" in way.tags for way in ways])
    price[closed & ~cars] = 1e6
    links = coo_matrix((price, (start, end)), shape=size).tocsr()
    origins = np.flatnonzero(part == main)
    far, before, _ = dijkstra(links, directed=False, indices=origins, min_only=True, return_predecessors=True)
    pairs = {frozenset((int(a), int(b))): k for k, (a, b) in enumerate(zip(start, end, strict=True))}
    on_street = np.unique(np.concatenate([start[cars], end[cars]]))
    for island in np.unique(part[on_street]):
        mine = on_street[part[on_street] == island]
        node = int(mine[np.argmin(np.round(far[mine], 2))])
        if island == main or far[node] > farthest_m:
            continue
        while before[node] >= 0:
            k = pairs[frozenset((node, int(before[node])))]
            if ways[k].kind in ON_FOOT:
                tags = {"highway": "service", "maxspeed": "30", "surface": "asphalt"}
                ways[k] = replace(ways[k], tags=tags, group=-2)
            node = int(before[node])
    return ways
