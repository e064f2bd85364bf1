"""OpenStreetMap files: the ways one may move on, with their nodes and the tags that rule movement.

Nothing else in geoplan reads OpenStreetMap files. What a tag means is not decided here but in the wing that uses it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely

from geoplan import checks
from geoplan.errors import Fault, SourceError
from geoplan.sources.catalogue import sha256_of
from geoplan.sources.files import must_exist, unreadable

__all__ = ["OsmWays", "read_graphml", "read_osm_ways"]

_ENDINGS = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
_MAIN = ("highway", "route", "railway", "public_transport")
_TAGS = (
    *_MAIN,
    *("access", "foot", "vehicle", "bicycle", "motor_vehicle", "motorcar", "sidewalk"),
    *("oneway", "oneway:vehicle", "oneway:motorcar", "oneway:bicycle", "oneway:foot", "junction"),
    *("cycleway", "cycleway:left", "cycleway:right", "cycleway:both", "bicycle:forward", "bicycle:backward"),
    *("maxspeed", "maxspeed:forward", "maxspeed:backward", "maxspeed:motorcar", "duration"),
    *("bridge", "tunnel", "covered", "construction", "proposed", "usage"),
)
_ROUTES = ("ferry", "shuttle_train")


@dataclass(frozen=True, eq=False)
class OsmWays:
    """The ways of a file, in its order.

    Attributes
    ----------
    way
        Numbers of the ways in OpenStreetMap, int64.
    kind
        Row of ``tags`` for each way, int32: ways tagged alike share one.
    tags
        The distinct sets of tags, only those that rule movement.
    at
        Where each way begins in ``node`` and ``lonlat``, and the end of the last, int64.
    node
        Numbers of the nodes along the ways, int64.
    lonlat
        Longitude and latitude of each node (float64, two columns); NaN where the file lacks it or it is nonsense.
    counts
        Ways read, nodes without a place, with an impossible place, ways left out because they came twice or have
        fewer than two nodes.
    record
        Name, SHA-256, size and vintage of the file.
    """

    way: np.ndarray
    kind: np.ndarray
    tags: tuple[dict[str, str], ...]
    at: np.ndarray
    node: np.ndarray
    lonlat: np.ndarray
    counts: dict[str, int]
    record: dict[str, object]


def read_osm_ways(path: Path) -> OsmWays:
    """Read the ways of a local OpenStreetMap file that are streets, paths, platforms or ferries.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``.

    Returns
    -------
    OsmWays

    Raises
    ------
    SourceError
        When the file is missing, empty, damaged, cut short, of another format, a file of changes or of history, or
        holds no such way.

    Examples
    --------
    >>> import tempfile
    >>> text = '''<osm version="0.6"><node id="1" lat="59.3" lon="18.0"/><node id="2" lat="59.3" lon="18.1"/>
    ... <way id="7"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/></way></osm>'''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.osm"
    ...     _ = path.write_text(text)
    ...     ways = read_osm_ways(path)
    >>> ways.tags, ways.node.tolist()
    (({'highway': 'footway'},), [1, 2])
    """
    must_exist(path)
    if not path.name.lower().endswith(_ENDINGS):
        expected = checks.listed(_ENDINGS, shown=len(_ENDINGS))
        raise SourceError(Fault(what=f"'{path.suffix}' is not a format of OpenStreetMap files", expected=expected))
    gathered = _Gathered()
    try:
        vintage = _read(path, gathered)
    except SourceError:  # a ValueError too, and said in words already
        raise
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        raise unreadable(path, error) from error
    if not gathered.way:
        raise checks.empty_layer("the file holds no street, path or ferry", expected="ways with the tag 'highway'")
    lonlat, missing, impossible = gathered.places()
    counts = {
        "ways": len(gathered.way),
        "nodes without a place": missing,
        "nodes with an impossible place": impossible,
        "ways that came twice": gathered.twice,
        "ways of fewer than two nodes": gathered.short,
    }
    record: dict[str, object] = {
        "name": path.name,
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
        "vintage": vintage or gathered.vintage(),
    }
    return OsmWays(
        way=np.array(gathered.way, dtype=np.int64),
        kind=np.array(gathered.kind, dtype=np.int32),
        tags=tuple({key: value for key, value in zip(_TAGS, tags, strict=True) if value} for tags in gathered.kinds),
        at=np.concatenate([[0], np.cumsum(gathered.length)]).astype(np.int64),
        node=np.array(gathered.node, dtype=np.int64),
        lonlat=lonlat,
        counts=counts,
        record=record,
    )


class _Gathered:
    """Ways as they come out of the file, one after the other."""

    def __init__(self) -> None:
        self.way = array("q")
        self.kind = array("i")
        self.kinds: dict[tuple[str | None, ...], int] = {}
        self.length = array("q")
        self.node = array("q")
        self.lost: dict[int, list[tuple[float, float]]] = {}  # ways with a node that has no place, by their row
        self.twice = self.short = 0
        self._whole: list[np.ndarray] = []  # places along the other ways
        self._shapes: list[str] = []  # those not turned into places yet
        self._seen: set[int] = set()
        self._newest = (-1, "")
        self._line = osmium.geom.WKBFactory().create_linestring
        self._all = osmium.geom.use_nodes.ALL

    def add(self, way: Any) -> None:
        """Keep a way; osmium's object is gone when the next one is read."""
        nodes = [node.ref for node in way.nodes]
        if len(nodes) < 2:  # noqa: PLR2004  a line has two ends
            self.short += 1
            return
        if way.id in self._seen:
            self.twice += 1
            return
        self._seen.add(way.id)
        tags = tuple([way.tags.get(key) for key in _TAGS])
        if way.changeset > self._newest[0]:
            self._newest = (way.changeset, way.timestamp.date().isoformat())
        try:
            self._shapes.append(self._line(way, self._all))
        except osmium.InvalidLocationError:  # a node of it has no place
            self.lost[len(self.way)] = [(node.location.x / 1e7, node.location.y / 1e7) for node in way.nodes]
        self.way.append(way.id)
        self.kind.append(self.kinds.setdefault(tags, len(self.kinds)))
        self.length.append(len(nodes))
        self.node.extend(nodes)
        if len(self._shapes) >= _MANY:
            self._settle()

    def _settle(self) -> None:
        self._whole.append(shapely.get_coordinates(shapely.from_wkb(self._shapes)))
        self._shapes = []

    def fill(self, known: Any, drawn: dict[int, tuple[float, float]]) -> None:
        """Look up once more what was not known when the way came.

        In a file that lists ways before their nodes they are ``known`` by now; osmium does not keep the places of
        nodes with negative numbers, which are those that were ``drawn`` in an editor and never uploaded.
        """
        starts = np.concatenate([[0], np.cumsum(self.length)])
        for row, places in self.lost.items():
            for number, node in enumerate(self.node[starts[row] : starts[row + 1]]):
                if places[number][0] <= _UNDEFINED:
                    continue
                if node in drawn:
                    places[number] = drawn[node]
                elif node > 0:
                    with suppress(KeyError):
                        found = known.get(node)
                        places[number] = (found.x / 1e7, found.y / 1e7)

    def places(self) -> tuple[np.ndarray, int, int]:
        """Return all places, how many are missing and how many are impossible; both become NaN."""
        self._settle()
        lengths = np.array(self.length)
        lonlat = np.full((len(self.node), 2), np.nan)
        whole = np.ones(len(self.way), dtype=bool)
        whole[list(self.lost)] = False
        lonlat[np.repeat(whole, lengths)] = np.concatenate(self._whole)
        if self.lost:
            lonlat[np.repeat(~whole, lengths)] = np.concatenate([self.lost[row] for row in sorted(self.lost)])
        absent = lonlat[:, 0] > _UNDEFINED
        outside = ~absent & ((np.abs(lonlat[:, 0]) > 180) | (np.abs(lonlat[:, 1]) > 90))  # noqa: PLR2004  degrees
        nowhere = ~absent & (lonlat == 0).all(axis=1)  # 0° N 0° E is what a lost place becomes; it lies in the sea
        nodes = np.array(self.node)
        lonlat[absent | outside | nowhere] = np.nan
        return lonlat, len(np.unique(nodes[absent])), len(np.unique(nodes[outside | nowhere]))

    def vintage(self) -> str | None:
        """Return the day of the newest change; None where the file does not tell."""
        changeset, day = self._newest
        return day if changeset > 0 else None


_UNDEFINED = 214.0  # degrees; osmium's mark of an unknown place is 2**31 − 1 ten-millionths of a degree
_MANY = 50_000  # ways whose shapes are held as text before they become numbers


def _read(path: Path, gathered: _Gathered) -> str | None:
    """Read a file; return the vintage that its header states."""
    bits = osmium.osm.osm_entity_bits
    with osmium.io.Reader(str(path), bits.NOTHING) as reader:
        header = reader.header()
    if header.has_multiple_object_versions:
        raise SourceError(
            Fault(
                what="this is a file of changes or of history",
                expected="a file of the map at one time",
                hint="`osmium time-filter` takes one time out of a history",
            )
        )
    ways = (
        osmium.FileProcessor(str(path), bits.NODE | bits.WAY)
        .with_locations("flex_mem")
        .with_filter(osmium.filter.EntityFilter(bits.WAY))
        .with_filter(osmium.filter.KeyFilter(*_MAIN))
    )
    for way in _movable(ways):
        gathered.add(way)
    if gathered.lost:
        drawn = {}
        if min(gathered.node) < 0:
            nodes: Any = osmium.FileProcessor(str(path), bits.NODE)
            drawn = {node.id: (node.location.x / 1e7, node.location.y / 1e7) for node in nodes if node.id < 0}
        gathered.fill(ways.node_location_storage, drawn)
    stamp = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    return stamp[:10] or None


def _movable(ways: Any) -> Iterator[Any]:
    """Leave out rails and routes of buses, which share keys with platforms and ferries."""
    for way in ways:
        tags = way.tags
        if way.deleted:
            continue
        if (
            "highway" in tags
            or tags.get("route") in _ROUTES
            or tags.get("public_transport") == "platform"
            or tags.get("railway") == "platform"
        ):
            yield way


def read_graphml(path: Path) -> Any:
    """Read a graph that osmnx has saved.

    Parameters
    ----------
    path
        ``.graphml``, as ``osmnx.save_graphml`` writes it.

    Returns
    -------
    networkx.MultiDiGraph

    Raises
    ------
    SourceError
        When the file is missing, empty, damaged or not a graph of streets.
    """
    from osmnx import load_graphml  # noqa: PLC0415  slow to import, and only this needs it

    must_exist(path)
    try:
        return load_graphml(path)
    except Exception as error:  # XML, type and key errors of whatever the file is
        raise unreadable(path, error) from error
