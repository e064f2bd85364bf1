"""Small street networks for tests: OpenStreetMap written by hand, and shortest ways by scipy."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely import LineString

from geoplan.reach import NEVER

WEST, SOUTH = 674_000, 6_580_000  # EPSG:3006, in Stockholm
_TO_LONLAT = pyproj.Transformer.from_crs(3006, 4326, always_xy=True).transform


def osm(path, ways, *, absent=(), order="nodes first", extra=""):
    """Write an OpenStreetMap file: each way is (list of places in metres from the corner, tags)."""
    places = sorted({place for along, _ in ways for place in along})
    number = {place: row for row, place in enumerate(places, start=1)}
    nodes = []
    for (x, y), row in number.items():
        if (x, y) not in absent:
            lon, lat = _TO_LONLAT(WEST + x, SOUTH + y)
            nodes.append(f'<node id="{row}" lat="{lat:.7f}" lon="{lon:.7f}" version="1"/>')
    lines = []
    for row, (along, tags) in enumerate(ways, start=1):
        refs = "".join(f'<nd ref="{number[place]}"/>' for place in along)
        said = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        lines.append(f'<way id="{row}" version="1">{refs}{said}</way>')
    parts = nodes + lines if order == "nodes first" else lines + nodes
    path.write_text(f'<osm version="0.6">{"".join(parts)}{extra}</osm>', encoding="utf-8")
    return path


def layer(lines, **columns):
    """Return a layer of lines; places are metres from the corner."""
    shapes = [LineString([(WEST + x, SOUTH + y) for x, y in line]) for line in lines]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=3006)


def between(size, tail, head, cost):
    """Return the least cost between all nodes, of arcs that may run side by side."""
    kept = tail != head
    tail, head, cost = tail[kept], head[kept], np.asarray(cost, dtype=float)[kept]
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    first = np.concatenate([[True], (np.diff(tail) != 0) | (np.diff(head) != 0)]) if len(tail) else []
    matrix = csr_array((cost[first], (tail[first], head[first])), shape=(size, size))
    return dijkstra(matrix)


def all_times(streets):
    """Return the time between all junctions, in milliseconds."""
    graph = streets.graph
    tail = np.repeat(np.arange(len(streets.xy)), np.diff(graph.indptr))
    return between(len(streets.xy), tail, graph.to, graph.cost_ms)


def open_ways(streets):
    """Return each piece as (ends in metres from the corner, forward allowed, backward allowed), sorted."""
    corner = np.array([WEST, SOUTH])
    xy = pyproj.Transformer.from_crs(streets.crs, 3006, always_xy=True).transform(*streets.xy.T)
    at = [tuple(place) for place in np.rint(np.column_stack(xy) - corner).astype(int).tolist()]
    ways = []
    for row in range(len(streets.start)):
        there, back = streets.forward_ms[row] != NEVER, streets.backward_ms[row] != NEVER
        ends = (at[streets.start[row]], at[streets.end[row]])
        ways.append((ends, bool(there), bool(back)) if ends[0] <= ends[1] else (ends[::-1], bool(back), bool(there)))
    return sorted(ways)
