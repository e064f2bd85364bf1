"""The street network of one mode: junctions, pieces between them, and the time to pass along.

A *piece* is the line between two junctions, with its shape. Streets are read from a local OpenStreetMap file, a graph
of osmnx or any layer of lines; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan.errors import Fault, Faults, InputError, SourceError, SpecError
from geoplan.places.areas import as_crs, working_crs
from geoplan.reach.contraction import Links, by_place, cut, islands, join
from geoplan.reach.layers import lines_of_graph, lines_of_layer
from geoplan.reach.lines import Lines, lines_of_ways
from geoplan.reach.slopes import slope_factors
from geoplan.reach.stop_times import gather
from geoplan.reach.ways import Rules, rules_for
from geoplan.sources import read_vector
from geoplan.sources.osm import read_graphml, read_osm_ways

__all__ = ["NEVER", "Graph", "Snapped", "Streets", "read_streets"]

NEVER = 2_147_483_647
"""Milliseconds that stand for "not allowed"; the largest number of 32 bits."""

_OSM = (".pbf", ".osm", ".osm.gz", ".osm.bz2")


@dataclass(frozen=True, eq=False)
class Graph:
    """Directed arcs, those of a junction one after the other (compressed rows).

    Attributes
    ----------
    indptr
        The arcs of junction *j* are ``indptr[j]`` up to ``indptr[j + 1]``, int32.
    to
        Junction at the other end of each arc, int32.
    cost_ms, length_mm
        Time in milliseconds and length in millimetres, int32.
    piece
        The piece each arc runs along, int32.
    """

    indptr: np.ndarray
    to: np.ndarray
    cost_ms: np.ndarray
    piece: np.ndarray
    length_mm: np.ndarray


@dataclass(frozen=True, eq=False)
class Streets:
    """A street network of one mode.

    Attributes
    ----------
    mode
        ``"walk"``, ``"cycle"``, ``"drive"``, or ``"line"`` for a layer with its own speeds.
    crs
        Metric system of all coordinates.
    xy
        Junctions, float64, two columns. Neighbours on the map stand near each other.
    start, end
        Junctions of each piece, int32; a blind loop begins and ends at the same.
    length_m
        Length of each piece on the ground (not in the projection), float64.
    forward_ms, backward_ms
        Time along each piece from start to end and back, milliseconds, int32; ``NEVER`` where it is not allowed.
        Along a piece, time is proportional to length.
    shape_at, shape_xy
        Vertices of piece *p*, from start to end: rows ``shape_at[p]`` up to ``shape_at[p + 1]`` of ``shape_xy``.
    linkable
        Whether points may be linked to each piece.
    dropped
        Islands that were left out: ``component, nodes, length_m, x, y``, largest first.
    record
        Sources with checksums, vintage, mode, speeds, options, counts and notes.
    """

    mode: str
    crs: str
    xy: np.ndarray
    start: np.ndarray
    end: np.ndarray
    length_m: np.ndarray
    forward_ms: np.ndarray
    backward_ms: np.ndarray
    shape_at: np.ndarray
    shape_xy: np.ndarray
    linkable: np.ndarray
    dropped: pd.DataFrame
    record: Mapping[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what can be worked out again, so that workers get the streets quickly."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @cached_property
    def graph(self) -> Graph:
        """Arcs in the direction of travel."""
        return self._arcs(turned=False)

    @cached_property
    def reverse(self) -> Graph:
        """The same arcs, each turned round: what leads to a junction."""
        return self._arcs(turned=True)

    @cached_property
    def shapes(self) -> np.ndarray:
        """The shape of each piece, as shapely's lines."""
        indices = np.repeat(np.arange(len(self.start)), np.diff(self.shape_at))
        return np.asarray(shapely.linestrings(self.shape_xy, indices=indices))

    @cached_property
    def index(self) -> shapely.STRtree:
        """Tree of the pieces that points may be linked to, in their order."""
        return shapely.STRtree(self.shapes[self.linkable])

    def _arcs(self, *, turned: bool) -> Graph:
        ahead, back = self.forward_ms != NEVER, self.backward_ms != NEVER
        loop = self.start == self.end  # never part of a shortest way from junction to junction
        ahead, back = np.flatnonzero(ahead & ~loop), np.flatnonzero(back & ~loop)
        tail = np.concatenate([self.start[ahead], self.end[back]])
        head = np.concatenate([self.end[ahead], self.start[back]])
        cost = np.concatenate([self.forward_ms[ahead], self.backward_ms[back]])
        piece = np.concatenate([ahead, back]).astype(np.int32)
        if turned:
            tail, head = head, tail
        order = np.lexsort((piece, cost, head, tail))
        counts = np.bincount(tail, minlength=len(self.xy))
        return Graph(
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            to=head[order].astype(np.int32),
            cost_ms=cost[order].astype(np.int32),
            piece=piece[order],
            length_mm=np.rint(self.length_m[piece[order]] * 1000).astype(np.int32),
        )

    def lines(self) -> list[str]:
        """Return what a reader should know about the network, as sentences.

        Examples
        --------
        >>> from shapely import LineString
        >>> lines = [LineString([(674_000, 6_580_000), (674_100, 6_580_000)])]
        >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
        >>> streets.lines()[0]
        'walk: 2 junctions, 1 piece, 0.1 km'
        """
        pieces = f"{len(self.start):,} piece{'' if len(self.start) == 1 else 's'}"
        said = [f"{self.mode}: {len(self.xy):,} junctions, {pieces}, {self.length_m.sum() / 1000:,.1f} km"]
        return [*said, *self.record["notes"]]


@dataclass(frozen=True, eq=False)
class Snapped:
    """Points linked to the nearest place on a street; one row per point.

    Attributes
    ----------
    ids
        Index of the points, as handed in.
    xy
        The points in the streets' system, float64, two columns; NaN without a place.
    piece
        The piece each point is linked to, int32; -1 where it is linked to none.
    along
        Where on the piece: share of its length from its start, 0–1; NaN where linked to none.
    off_m
        Metres from the point to the street; NaN where linked to none.
    off_ms
        Time on the way from the point to the street, int32; 0 where linked to none.
    start, end
        Junctions of the piece, int32; -1 where linked to none.
    to_start_ms, to_end_ms
        Time from the point to either junction, off the street and along it, int32; ``NEVER`` where not allowed.
    from_start_ms, from_end_ms
        Time from either junction to the point.
    to_start_mm, to_end_mm
        Length between the point and either junction, millimetres, int32.
    reason
        Why a point is linked to nothing, in words; empty where it is.
    near_m
        The first link radius: points linked over a longer way are listed by :meth:`far`.
    nearest_m
        Metres to the nearest street, also where that is too far; NaN without a place.
    """

    ids: np.ndarray
    xy: np.ndarray
    piece: np.ndarray
    along: np.ndarray
    off_m: np.ndarray
    off_ms: np.ndarray
    start: np.ndarray
    end: np.ndarray
    to_start_ms: np.ndarray
    to_end_ms: np.ndarray
    from_start_ms: np.ndarray
    from_end_ms: np.ndarray
    to_start_mm: np.ndarray
    to_end_mm: np.ndarray
    reason: np.ndarray
    near_m: float
    nearest_m: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def unsnapped(self) -> pd.DataFrame:
        """Return the points that are linked to nothing: ``id, x, y, nearest_m, reason``."""
        return self._listed(self.piece < 0)[["id", "x", "y", "nearest_m", "reason"]]

    def far(self) -> pd.DataFrame:
        """Return the points linked from farther away than the first radius: ``id, x, y, nearest_m``."""
        return self._listed((self.piece >= 0) & (self.nearest_m > self.near_m))[["id", "x", "y", "nearest_m"]]

    def _listed(self, mask: np.ndarray) -> pd.DataFrame:
        table = {"id": self.ids, "x": self.xy[:, 0], "y": self.xy[:, 1], "nearest_m": self.nearest_m}
        return pd.DataFrame({**table, "reason": self.reason})[mask].reset_index(drop=True)


def read_streets(
    source: Path | str | gpd.GeoDataFrame | Any,
    *,
    mode: str = "walk",
    crs: str | None = None,
    speed_kmh: float | None = None,
    speeds: Mapping[str, float] | None = None,
    destination: bool = False,
    maxspeed: bool = True,
    elevation: Path | str | None = None,
    min_subgraph: int = 40,
    layer: str | None = None,
    length: str | None = None,
    speed: str | None = None,
    oneway: str | None = None,
    meet: str = "ends",
) -> Streets:
    """Read a street network of one mode.

    Parameters
    ----------
    source
        A local OpenStreetMap file (``.osm.pbf``, ``.osm``, ``.osm.gz``), a graph of osmnx or its GraphML file, or a
        layer of lines: a frame, or a file that :func:`geoplan.read_vector` reads.
    mode
        ``"walk"``, ``"cycle"`` or ``"drive"`` (streets without traffic).
    crs
        Metric system wanted; a layer's own when it is metric, else the zone of UTM in which the streets lie.
    speed_kmh
        Speed of walking, or of cycling on a usual street, on the flat.
    speeds
        Speeds in km/h by kind of way (values of ``highway``; ``"other"``, ``"steps"``, ``"ferry"``; ``"pushed"`` for a
        bicycle where one may not ride); they replace those of ``geoplan.reach.CUSTOMARY_KMH``. 0 leaves a kind out.
    destination
        Whether streets for residents, customers and the like may be used as others are; R5 leaves them out.
    maxspeed
        Whether a speed limit in the tags wins over the table (driving).
    elevation
        A raster of heights in metres; slope then changes the speed of walking (Tobler) and of cycling.
    min_subgraph
        Parts of the network with fewer nodes are left out and listed in ``dropped``. Nodes are the ends of ways and
        the places where ways meet, before pieces are joined, as R5 counts them.
    layer
        Layer of a file that has several.
    length, speed, oneway
        Columns of a layer of lines: length in metres, speed in km/h, and whether a line is one-way (true, ``yes``,
        ``F``: as drawn; -1, ``T``: against; else both ways, which ``record["notes"]`` says of words that are not
        known). Without ``speed`` the mode's own speed holds.
    meet
        Whether lines of a layer meet at their ``"ends"`` only or at any of their ``"vertices"``.

    Returns
    -------
    Streets

    Raises
    ------
    InputError
        When a file cannot be read, an argument or a column is unfit, the coordinate system is missing or does not
        measure in metres, or nothing of the network is left.

    Examples
    --------
    >>> from shapely import LineString
    >>> lines = [LineString([(674_000, 6_580_000), (674_120, 6_580_000)])]
    >>> frame = gpd.GeoDataFrame({"kmh": [3.6]}, geometry=lines, crs=3006)
    >>> streets = read_streets(frame, speed="kmh", min_subgraph=1)
    >>> streets.mode, streets.forward_ms.tolist()
    ('line', [120003])
    """
    asked = {"length": length, "speed": speed, "oneway": oneway}
    faults = Faults()
    rules: Rules | None = None
    with faults.catch():
        rules = rules_for(mode, speed_kmh=speed_kmh, speeds=speeds, destination=destination, maxspeed=maxspeed)
    _check_options(faults, min_subgraph=min_subgraph, meet=meet)
    if crs is not None:
        with faults.catch(key="crs"):
            as_crs(crs)
    faults.raise_any()
    assert rules is not None  # noqa: S101  else the faults were raised
    with Faults.located_at(_named(source)):
        lines, own, record = _lines(source, rules, asked, layer=layer, meet=meet)
        target = _target(lines, crs or own, given=crs is not None)
        slopes, heights = None, None
        if elevation is not None and mode != "drive":
            with Faults.located_at(Path(elevation).name):
                slopes, heights = slope_factors(lines, Path(elevation), rules)
        links = cut(lines, slopes)
        if not len(links):
            raise SourceError(Fault(what="no line of the file has two vertices with a place"))
        shown = {
            "mode": "line" if speed else mode,
            "sources": [record, *([heights] if heights else [])],
            "vintage": record.get("vintage"),
            "speeds_kmh": dict(rules.kmh),
            "options": {
                "destination": destination,
                "maxspeed": maxspeed,
                "min_subgraph": min_subgraph,
                "meet": meet,
                "elevation": elevation is not None,
                **asked,
            },
        }
        return _assembled(lines, links, target, shown, min_subgraph)


def _check_options(faults: Faults, *, min_subgraph: int, meet: str) -> None:
    if isinstance(min_subgraph, bool) or not isinstance(min_subgraph, int | np.integer) or min_subgraph < 1:
        what = f"{min_subgraph!r} is not a number of nodes"
        faults.add(SpecError(Fault(what=what, key="min_subgraph", expected="a whole number from 1")))
    if meet not in {"ends", "vertices"}:
        faults.add(SpecError(Fault(what=f"lines cannot meet at '{meet}'", key="meet", expected="'ends' or 'vertices'")))


def _named(source: Any) -> str:
    if isinstance(source, str | Path):
        return Path(source).name
    return "the layer of lines" if isinstance(source, gpd.GeoDataFrame) else "the graph"


def _lines(
    source: Any, rules: Rules, asked: dict[str, str | None], *, layer: str | None, meet: str
) -> tuple[Lines, str | None, dict[str, Any]]:
    """Return the lines of a source, its own metric system and what is known of it."""
    if isinstance(source, str | Path):
        path = Path(source)
        name = path.name.lower()
        if name.endswith(_OSM):
            ways = read_osm_ways(path)
            return lines_of_ways(ways, rules), None, {"kind": "OpenStreetMap", **ways.record}
        if name.endswith(".graphml"):
            return lines_of_graph(read_graphml(path), rules, path)
        return lines_of_layer(read_vector(path, layer), rules, asked, meet=meet, path=path)
    if isinstance(source, gpd.GeoDataFrame):
        return lines_of_layer(source, rules, asked, meet=meet, path=None)
    if hasattr(source, "edges") and hasattr(source, "nodes") and hasattr(source, "graph"):
        return lines_of_graph(source, rules, None)
    what = f"streets cannot be read from a {type(source).__name__}"
    raise SpecError(Fault(what=what, expected="a path, a frame of lines or a graph of osmnx"))


def _target(lines: Lines, crs: str | None, *, given: bool) -> Any:
    """Return the metric system of the network; the zone of UTM where none is given or the layer's own will not do."""
    lonlat = lines.lonlat[np.isfinite(lines.lonlat).all(axis=1)]
    if not len(lonlat):
        raise SourceError(
            Fault(
                what="there is no line that one may use",
                expected="lines that are open to the mode, with coordinates",
                hint="look at the mode, its tags of access, and at `speeds`",
            )
        )
    corners = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.array([lonlat.min(axis=0), lonlat.max(axis=0)]).T))
    corners = corners.set_crs(4326)
    if crs is not None:
        try:
            return working_crs(corners, crs).crs
        except InputError as error:
            if given:
                raise error.located(key="crs") from error
    return working_crs(corners, corners.estimate_utm_crs().to_string()).crs


def _assembled(lines: Lines, links: Links, target: pyproj.CRS, shown: dict[str, Any], least: int) -> Streets:
    kept, island = islands(links, least)
    project = pyproj.Transformer.from_crs(4326, target, always_xy=True).transform
    node_xy = np.column_stack(project(*links.node_lonlat.T))
    dropped = _dropped(links, island, node_xy)
    if not kept.any():
        raise SourceError(
            Fault(
                what=f"no part of the network has {least} nodes; the largest has {dropped['nodes'].iloc[0]}",
                key="min_subgraph",
                hint="lower `min_subgraph`, or look whether the lines meet where they should",
            )
        )
    pieces = join(links, kept)
    order = by_place(node_xy[pieces.node])
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    start, end = rank[pieces.start], rank[pieces.end]
    row = np.lexsort((np.arange(len(start)), end, start))
    size = np.diff(pieces.shape_at)[row]
    vertex = pieces.vertex[gather(pieces.shape_at[:-1][row], size)]
    notes = _notes(lines, links, dropped, shown)
    counts = {**lines.counts, **links.counts, "junctions": len(order), "pieces": len(row)}
    return Streets(
        mode=shown["mode"],
        crs=target.to_string(),
        xy=node_xy[pieces.node][order],
        start=start[row],
        end=end[row],
        length_m=pieces.length_m[row],
        forward_ms=_stored(pieces.forward_ms[row]),
        backward_ms=_stored(pieces.backward_ms[row]),
        shape_at=np.concatenate([[0], np.cumsum(size)]).astype(np.int64),
        shape_xy=np.column_stack(project(*lines.lonlat[vertex].T)),
        linkable=pieces.linkable[row],
        dropped=dropped,
        record={**shown, "crs": target.to_string(), "counts": counts, "notes": notes},
    )


def _stored(milliseconds: np.ndarray) -> np.ndarray:
    return np.where(milliseconds < 0, NEVER, np.minimum(milliseconds, NEVER - 1)).astype(np.int32)


def _dropped(links: Links, island: np.ndarray, node_xy: np.ndarray) -> pd.DataFrame:
    """Return the islands: their nodes, length and middle."""
    out = np.flatnonzero(island)
    count = int(island.max(initial=0))
    ends = np.unique(
        np.column_stack([np.tile(island[out], 2), np.concatenate([links.start[out], links.end[out]])]), axis=0
    )
    nodes = np.bincount(ends[:, 0], minlength=count + 1)[1:]
    middle = [
        np.bincount(ends[:, 0], weights=node_xy[ends[:, 1], axis], minlength=count + 1)[1:] / np.maximum(nodes, 1)
        for axis in (0, 1)
    ]
    metres = np.bincount(island[out], weights=links.length_m[out], minlength=count + 1)[1:]
    numbers = np.arange(1, count + 1)
    return pd.DataFrame(
        {
            "component": numbers.astype(np.int64),
            "nodes": nodes.astype(np.int64),
            "length_m": metres.astype(float),
            "x": middle[0].astype(float),
            "y": middle[1].astype(float),
        }
    )


def _notes(lines: Lines, links: Links, dropped: pd.DataFrame, shown: dict[str, Any]) -> list[str]:
    """Say what was left out and what is not in the times."""
    notes = []
    cuts = links.counts["lines cut where a vertex has no place"]
    if cuts:
        notes.append(f"{cuts:,} line(s) were cut where a vertex has no place, as at the edge of an extract")
    if len(dropped):
        notes.append(
            f"{len(dropped):,} island(s) of fewer than {shown['options']['min_subgraph']} nodes were left out, "
            f"{dropped['length_m'].sum() / 1000:,.1f} km"
        )
    for source in shown["sources"]:
        if unknown := source.get("vertices without a height"):
            total = source["vertices"]
            notes.append(f"{unknown:,} of {total:,} vertices have no height in {source['name']}: taken as flat there")
    if shown["options"]["elevation"] and len(shown["sources"]) == 1:
        notes.append("slope does not change the speed of driving: the heights were not read")
    if lines.counts.get("ferries"):
        notes.append("waiting for a ferry is not counted")
    notes += [f"{number:,} {what}" for what, number in lines.counts.items() if number and not _silent(what)]
    return notes


def _silent(what: str) -> bool:
    return what in {"ways", "ways used", "lines", "ferries"} or what.startswith("left out: ")
