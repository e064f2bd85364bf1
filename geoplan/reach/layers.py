"""Lines of a network from a layer of lines or from a graph of osmnx."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, SourceError, SpecError, TableError
from geoplan.places.areas import as_crs, must_have, must_lie_in
from geoplan.reach.lines import Lines, numbered, rated
from geoplan.reach.ways import Rate, Rules
from geoplan.sources import sha256_of

__all__ = ["lines_of_graph", "lines_of_layer"]

_NAME = "name the column of speeds in km/h, `speed=`"
_LINE, _MULTILINE = 1, 5
_AS_DRAWN = {"true", "yes", "y", "1", "1.0", "f", "ft"}
_AGAINST = {"-1", "-1.0", "reverse", "t", "tf"}
_BOTH = {"false", "no", "n", "0", "0.0", "b", "both", ""}


# ---------------------------------------------------------------- a layer


def lines_of_layer(
    frame: gpd.GeoDataFrame, rules: Rules, asked: Mapping[str, str | None], *, meet: str, path: Path | None
) -> tuple[Lines, str | None, dict[str, Any]]:
    """Return the lines of a layer, its own system and what is known of it.

    Raises
    ------
    InputError
        All faults of the layer at once: no coordinate system, other shapes than lines, columns that are absent or hold
        no lengths or speeds.
    """
    must_have(frame, asked)
    faults = Faults()
    if rules.mode == "drive" and not asked["speed"]:
        faults.add(
            SpecError(Fault(what="a layer of lines does not tell how fast one may drive", key="speed", hint=_NAME))
        )
    if frame.crs is None:
        faults.add(checks.crs_missing())
    shapes = np.asarray(frame.geometry.array)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    other = ~np.isin(shapely.get_type_id(shapes), [_LINE, _MULTILINE]) & ~empty
    if other.any():
        rows = [str(row) for row in frame.index[other]]
        faults.add(checks.not_lines(rows, frame.geometry[other].geom_type.unique()))
    metres, kmh, way = np.full(len(frame), np.nan), np.full(len(frame), rules.kmh["other"]), np.zeros(len(frame))
    odd = np.zeros(len(frame), dtype=bool)
    if asked["length"]:
        with faults.catch(column=asked["length"]):
            metres = _numbers(frame[asked["length"]], "length in metres", zero=True)
    if asked["speed"]:
        with faults.catch(column=asked["speed"]):
            kmh = _numbers(frame[asked["speed"]], "speed in km/h", zero=False)
    if asked["oneway"]:
        said = frame[asked["oneway"]].astype(object)
        words = said.where(said.notna(), "").astype(str).str.strip().str.lower()
        way = np.where(words.isin(_AS_DRAWN), 1, np.where(words.isin(_AGAINST), -1, 0))
        odd = ~words.isin(_AS_DRAWN | _AGAINST | _BOTH).to_numpy()
    faults.raise_any()
    whole = ~empty & np.isfinite(kmh)
    if not whole.any():
        raise checks.empty_layer("no row has a line and a speed")
    part, row = shapely.get_parts(shapes[whole], return_index=True)
    feature = np.flatnonzero(whole)[row]
    planar = shapely.length(part)
    total = np.bincount(feature, weights=planar, minlength=len(frame))[feature]
    share = np.divide(planar, total, out=np.ones(len(part)), where=total > 0)
    ahead, back = np.where(way >= 0, kmh, np.nan)[feature], np.where(way <= 0, kmh, np.nan)[feature]
    length, every = metres[feature] * share, len(part)
    part, kept, ahead, back = _once(part, length, ahead, back)
    lines = _of_shapes(part, frame.crs, meet=meet)
    counts = {
        "lines": every,
        "line(s) drawn twice were taken as one": every - len(part),
        "row(s) without a line were left out": int(empty.sum()),
        "row(s) without a speed were left out": int((~empty & ~whole).sum()),
        "row(s) with another word for their direction were taken as open both ways": int((whole & odd).sum()),
        "line(s) without a stated length were measured": int(np.isnan(metres[feature]).sum()) if asked["length"] else 0,
    }
    lines = replace(
        lines,
        forward_kmh=ahead,
        backward_kmh=back,
        length_m=length[kept],
        sloped=np.full(len(part), rules.mode != "drive"),
        counts=counts,
    )
    return lines, frame.crs.to_string(), _record_of(frame, path)


def _once(
    part: np.ndarray, length: np.ndarray, ahead: np.ndarray, back: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Take lines of one shape and length as one: many layers draw a street once in each direction.

    The one may do all that the several may, at the greatest of their speeds.
    """
    flat = shapely.force_2d(part)
    extent = shapely.bounds(flat)
    alike = numbered(*extent.T, np.round(np.nan_to_num(length, nan=-1.0), 3))
    often = np.flatnonzero(np.bincount(alike)[alike] > 1)  # only lines with the extent of another are looked at
    canonical = shapely.normalize(flat[often])
    turned, shape = np.zeros(len(part), dtype=bool), np.zeros(len(part), dtype=object)
    turned[often] = ~shapely.equals_exact(flat[often], canonical)
    shape[often] = shapely.to_wkb(canonical)
    group = numbered(alike, shape)
    kept = np.unique(group, return_index=True)[1]  # numbered as they come, so the first of each
    turned ^= turned[kept][group]  # drawn against the one that is kept
    speeds = (np.where(turned, back, ahead), np.where(turned, ahead, back))
    ahead, back = (pd.Series(speed).groupby(group).max().to_numpy() for speed in speeds)
    return flat[kept], kept, ahead, back


def _numbers(column: pd.Series, what: str, *, zero: bool) -> np.ndarray:
    """Read a column of numbers; an empty cell is NaN."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    filled = column.notna().to_numpy() & (column.astype(str).str.strip() != "").to_numpy()
    wrong = filled & ~(np.isfinite(numbers) & ((numbers > 0) | (zero & (numbers == 0))))
    if wrong.any():
        first = column[wrong]
        raise TableError(
            Fault(
                what=f"{int(wrong.sum())} value(s) are no {what}, such as '{first.iloc[0]}'",
                row=int(first.index[0]) if isinstance(first.index[0], int | np.integer) else None,
                expected="numbers above 0" + (", or 0" if zero else ""),
            )
        )
    return np.asarray(numbers)


def _of_shapes(part: np.ndarray, crs: pyproj.CRS, *, meet: str) -> Lines:
    """Return lines of which only the shape is known; they meet at their ends, or wherever they share a vertex."""
    xy, row = shapely.get_coordinates(part, return_index=True)
    at = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(part)))]).astype(np.int64)
    lonlat = np.column_stack(pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(*xy.T))
    lonlat[~np.isfinite(lonlat).all(axis=1) | (np.abs(lonlat) > (180, 90)).any(axis=1)] = np.nan
    known = lonlat[np.isfinite(lonlat).all(axis=1)]
    must_lie_in(crs, *(known.min(axis=0) + known.max(axis=0)) / 2 if len(known) else (np.nan, np.nan))
    ends = np.zeros(len(xy), dtype=bool)
    ends[at[:-1]] = ends[at[1:] - 1] = True
    meets = ends if meet == "ends" else np.ones(len(xy), dtype=bool)
    # A millimetre, or a hundred-millionth of a degree: what computers make of one place in two lines.
    digits = 8 if crs.is_geographic else 3
    number = numbered(*(np.round(xy[meets], digits) + 0.0).T)
    count = np.bincount(number)
    node = np.arange(len(count), len(count) + len(xy))
    node[meets] = number
    shared = np.zeros(len(xy), dtype=bool)
    shared[meets] = count[number] > 1
    flat = np.full(len(part), np.nan)
    sure = np.ones(len(part), dtype=bool)
    return Lines(
        at=at,
        node=node,
        lonlat=lonlat,
        shared=shared,
        forward_kmh=flat,
        backward_kmh=flat,
        linkable=sure,
        level=~sure,
        sloped=sure,
        duration_s=flat,
        length_m=flat,
    )


def _record_of(frame: gpd.GeoDataFrame, path: Path | None) -> dict[str, Any]:
    if path is not None:
        return {"kind": "lines", "name": path.name, "sha256": sha256_of(path), "bytes": path.stat().st_size}
    shapes = shapely.to_wkb(np.asarray(frame.geometry.array), byte_order=1)
    content = b"".join(shape or b"" for shape in shapes.tolist())  # a row may have no shape at all
    others = pd.DataFrame(frame.drop(columns=frame.geometry.name)).astype(str)
    content += pd.util.hash_pandas_object(others, index=False).to_numpy().astype("<u8").tobytes()
    return {"kind": "lines", "name": "a frame", "sha256": hashlib.sha256(content).hexdigest(), "rows": len(frame)}


# ---------------------------------------------------------------- a graph of osmnx


def lines_of_graph(graph: Any, rules: Rules, path: Path | None) -> tuple[Lines, str | None, dict[str, Any]]:
    """Return the edges of a graph of osmnx; an edge and its counterpart back are one line.

    Raises
    ------
    SourceError
        When the graph has no edges, no coordinate system, or nodes without a place.
    """
    nodes = {node: row for row, node in enumerate(graph.nodes)}
    if not nodes or not graph.number_of_edges():
        raise checks.empty_layer("the graph has no edges", expected="nodes and edges, as osmnx makes them")
    if "crs" not in graph.graph:
        raise checks.crs_missing(hint="osmnx writes it: `graph.graph['crs']`")
    crs = as_crs(graph.graph["crs"])
    try:
        places = np.array([(float(data["x"]), float(data["y"])) for _, data in graph.nodes(data=True)])
    except (KeyError, TypeError, ValueError) as error:
        what = "a node of the graph has no place"
        raise SourceError(
            Fault(what=what, expected="numbers 'x' and 'y' at every node, as osmnx makes them")
        ) from error
    edges, several = _edges(graph, nodes)
    shapes = [_shape(edge, places) for edge in edges]
    lines = _of_shapes(np.array(shapes, dtype=object), crs, meet="ends")
    first, last = (np.array([edge[end] for edge in edges]) for end in ("tail", "head"))
    node = lines.node + len(nodes)  # the graph says what meets, not the shapes
    node[lines.first], node[lines.last] = first, last
    rates = [_rate(edge, rules) for edge in edges]
    used = np.array([not rate.closed for rate in rates])
    metres = np.array([edge["length"] for edge in edges])
    counts = {
        "lines": len(edges),
        "edge(s) of several kinds were taken by the first": several,
        "edge(s) without a stated length were measured": int(np.isnan(metres).sum()),
    }
    shared = np.zeros(len(node), dtype=bool)
    lines = replace(
        lines, node=node, shared=shared, length_m=metres, counts=counts, **rated(rates, np.arange(len(edges)))
    )
    record: dict[str, Any] = {"kind": "osmnx", "name": path.name if path else "a graph"}
    record["sha256"] = sha256_of(path) if path else _sha256_of_graph(lines)
    record["vintage"] = str(graph.graph.get("created_date", ""))[:10] or None
    return lines.kept(used), None if crs.is_geographic else crs.to_string(), record


def _edges(graph: Any, nodes: dict[Any, int]) -> tuple[list[dict[str, Any]], int]:
    """Return one row per edge that is not the way back along another, and how many were of several kinds."""
    rows: list[dict[str, Any]] = []
    open_ends: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    several = 0
    for tail, head, data in graph.edges(data=True):
        first, last = nodes[tail], nodes[head]
        length = _number(data.get("length"))
        alike = (str(sorted(_all(data.get("osmid")), key=str)), round(length, 2) if length == length else None)  # noqa: PLR0124
        waiting = open_ends.get((last, first, alike))
        if waiting:
            waiting.pop()["both"] = True
            continue
        several += isinstance(data.get("highway"), list)
        row = {"tail": first, "head": last, "length": length, "both": False, "data": data}
        rows.append(row)
        open_ends.setdefault((first, last, alike), []).append(row)
    return rows, several


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return float("nan")
    return number if np.isfinite(number) and number >= 0 else float("nan")


def _shape(edge: dict[str, Any], places: np.ndarray) -> Any:
    shape = edge["data"].get("geometry")
    ends = places[[edge["tail"], edge["head"]]]
    if shape is None or shape.geom_type != "LineString" or shape.is_empty:
        return shapely.LineString(ends)
    whole = shapely.force_2d(shape)
    begin = np.asarray(whole.coords[0])
    far, near = np.abs(begin - ends[0]).max(), np.abs(begin - ends[1]).max()
    return whole.reverse() if near < far else whole


def _rate(edge: dict[str, Any], rules: Rules) -> Rate:
    """Rate an edge by its tags; its direction is what the graph says, and binds nobody on foot."""
    tags = {key: str(_all(value)[0]) for key, value in edge["data"].items() if isinstance(value, str | int | list)}
    for key in ("oneway", "junction", "oneway:bicycle"):
        tags.pop(key, None)
    tags.setdefault("highway", "road")
    if not edge["both"]:
        tags["oneway"] = "yes"
    elif tags["highway"] == "motorway":
        tags["oneway"] = "no"
    return rules.rate(tags)


def _sha256_of_graph(lines: Lines) -> str:
    digest = hashlib.sha256()
    for name in ("at", "node", "lonlat", "length_m", "forward_kmh", "backward_kmh"):
        digest.update(np.ascontiguousarray(getattr(lines, name)).tobytes())
    return digest.hexdigest()
