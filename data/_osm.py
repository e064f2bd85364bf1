"""Write the streets as an OpenStreetMap file: pieces joined to ways again, nodes shared where ways meet."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import _plan as plan
import numpy as np
import osmium
import pyproj
import shapely

if TYPE_CHECKING:
    from pathlib import Path

    from _lines import Way

STAMP = "2013-03-01T00:00:00Z"


def joined_ways(ways: list[Way]) -> list[tuple[dict[str, str], np.ndarray]]:
    """Join the pieces of a street that have the same tags; return tags and vertices of each way."""

    def key(way: Way) -> tuple[int, list[tuple[str, str]]]:
        return way.group, sorted(way.tags.items())

    result = []
    for (_, tags), same in groupby(sorted(ways, key=key), key=key):
        lines = shapely.MultiLineString([way.line for way in same])
        directed = "oneway" in dict(tags) or "incline" in dict(tags)
        merged = shapely.get_parts(shapely.line_merge(lines, directed=directed))
        ordered = sorted(merged, key=lambda part: part.coords[0])
        result += [(dict(tags), np.round(line.coords, 1)) for line in ordered]
    return result


def write_osm(ways: list[Way], path: Path) -> tuple[int, int]:
    """Write nodes and ways in the order of their numbers; return how many there are."""
    path.unlink(missing_ok=True)
    found = joined_ways(ways)
    vertices = np.vstack([line for _, line in found])
    spots, first, number = np.unique(vertices, axis=0, return_index=True, return_inverse=True)
    # numbered as they first come, so that neighbours in the file are neighbours on the map
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    to_degrees = pyproj.Transformer.from_crs(plan.CRS, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(*spots[order].T)
    header = osmium.io.Header()
    header.set("generator", "geoplan data/generate.py")
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf,add_metadata=false"), header=header) as out:
        for node, where in enumerate(zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True), start=1):
            out.add_node(osmium.osm.mutable.Node(id=node, location=where))
        at = 0
        for way, (tags, line) in enumerate(found, start=1):
            nodes = (rank[number.ravel()[at : at + len(line)]] + 1).tolist()
            at += len(line)
            out.add_way(osmium.osm.mutable.Way(id=way, nodes=nodes, tags=tags))
    return len(spots), len(found)
