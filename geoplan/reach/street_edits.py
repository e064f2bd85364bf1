"""Streets with new ways added to them: pieces are split where a new way meets them, as points are linked."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.ops import substring

from geoplan import checks
from geoplan.errors import Fault, Faults, InputError, SpecError
from geoplan.places.areas import as_crs
from geoplan.reach.snapping import snap
from geoplan.reach.stop_times import gather
from geoplan.reach.streets import NEVER, Snapped, Streets

__all__ = ["Added", "added_ways", "speed_of", "with_crossings"]

_END = 1e-9  # share of a piece that is its end
_LINE = 1


class Added:
    """New ways, ready to be added: both ends on the streets, and how long and for how long each is."""

    def __init__(self, ids: list[str], lines: np.ndarray, ends: Snapped, length_m: np.ndarray, ms: np.ndarray) -> None:
        self.ids, self.lines, self.ends, self.length_m, self.ms = ids, lines, ends, length_m, ms

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of ``ends`` of where each way begins and ends."""
        return np.arange(len(self)) * 2, np.arange(len(self)) * 2 + 1

    @property
    def on_streets(self) -> np.ndarray:
        """Whether both ends of each way are on the streets."""
        one, other = self.rows
        return np.asarray((self.ends.piece[one] >= 0) & (self.ends.piece[other] >= 0))


def speed_of(streets: Streets, kmh: float | None) -> float:
    """Return the speed on a new way: as told, or the mode's own on a usual way; of a layer of lines, its mean.

    Raises
    ------
    SpecError
        When the speed is none.
    """
    if kmh is not None:
        if isinstance(kmh, bool) or not isinstance(kmh, int | float | np.number) or not 0 < kmh < np.inf:
            raise SpecError(Fault(what=f"{kmh!r} is not a speed", key="kmh", expected="a speed in km/h, above 0"))
        return float(kmh)
    table = streets.record.get("speeds_kmh") or {}
    if streets.mode in {"walk", "cycle"} and table:
        return float(table.get("cycleway", table["other"]) if streets.mode == "cycle" else table["other"])
    open_ = streets.forward_ms != NEVER
    return float(streets.length_m[open_].sum() / max(1.0, float(streets.forward_ms[open_].sum())) * 3600)


def added_ways(
    streets: Streets, lines: gpd.GeoDataFrame | gpd.GeoSeries, *, kmh: float | None = None, radius_m: float = 100.0
) -> Added:
    """Link the ends of new ways to the streets.

    Raises
    ------
    InputError
        For lines that state no coordinate system, are no single lines, or have an id twice; and a speed that is none.
    """
    speed, faults = speed_of(streets, kmh), Faults()
    if not isinstance(lines, gpd.GeoDataFrame | gpd.GeoSeries):
        what = f"crossings cannot be a {type(lines).__name__}"
        raise SpecError(Fault(what=what, key="lines", expected="a GeoDataFrame of lines"))
    geometry = lines.geometry
    if geometry.crs is None:
        faults.add(checks.crs_missing(hint='say which it is with `.set_crs("EPSG:…")`'))
    ids = [str(name) for name in lines.index]
    if len(set(ids)) < len(ids):
        faults.add(checks.duplicate_points(sorted({name for name in ids if ids.count(name) > 1})))
    other = shapely.get_type_id(np.asarray(geometry.array)) != _LINE
    if other.any():
        faults.add(
            checks.not_lines(
                [name for name, bad in zip(ids, other, strict=True) if bad], geometry[other].geom_type.unique()
            )
        )
    faults.raise_any()
    moved = shapely.force_2d(geometry.to_crs(as_crs(streets.crs)).to_numpy())
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise InputError(Fault(what="a crossing lies outside the region of the streets' system", key="lines"))
    tips = [shapely.get_point(line, at) for line in moved for at in (0, -1)]
    ends = snap(streets, gpd.GeoSeries(tips, crs=streets.crs), radius_m=radius_m)
    geod = pyproj.Geod(ellps="WGS84")
    lonlat = shapely.transform(
        moved,
        lambda xy: np.column_stack(
            pyproj.Transformer.from_crs(as_crs(streets.crs), 4326, always_xy=True).transform(*xy.T)
        ),
    )
    metres = np.array([geod.line_length(*np.asarray(line.coords).T) for line in lonlat], dtype=float)
    return Added(ids, moved, ends, metres, np.rint(metres / speed * 3600).astype(np.int64))


def with_crossings(
    streets: Streets, lines: gpd.GeoDataFrame | gpd.GeoSeries, *, kmh: float | None = None, radius_m: float = 100.0
) -> Streets:
    """Add new ways to streets, such as a bridge that is planned.

    Pieces are split where a new way begins or ends, so that nothing else changes: no time between two places gets
    longer, but for a millisecond of rounding where a piece is split. Points are not linked to the new way itself: a
    bridge has doors at its ends.

    Parameters
    ----------
    streets
        A network of any mode.
    lines
        The new ways, open in both directions, in any stated system. Their ends are linked to the nearest street.
    kmh
        Speed on them; the mode's own if left out (of a layer with speeds of its own, its mean).
    radius_m
        How far an end may lie from the nearest street; the way there is walked at 4.68 km/h.

    Returns
    -------
    Streets
        New streets; the old ones stay as they are.

    Raises
    ------
    InputError
        When a line is none, or an end of it is too far from every street.

    Examples
    --------
    >>> from shapely import LineString
    >>> from geoplan.reach import read_streets
    >>> banks = [LineString([(674_000 + x, 6_580_000), (674_000 + x, 6_580_200)]) for x in (0, 100)]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=banks, crs=3006), min_subgraph=1)
    >>> bridge = gpd.GeoSeries([LineString([(674_000, 6_580_050), (674_100, 6_580_050)])], crs=3006)
    >>> wider = with_crossings(streets, bridge)
    >>> len(streets.start), len(wider.start), wider.length_m.round(1).tolist()
    (2, 5, [50.0, 150.0, 50.0, 150.0, 100.0])
    """
    ways = added_ways(streets, lines, kmh=kmh, radius_m=radius_m)
    lost = ways.ends.unsnapped()
    if len(lost):
        names = [ways.ids[int(row) // 2] for row in lost["id"]]
        what = f"{len(set(names))} crossing(s) do not reach the streets: {checks.listed(dict.fromkeys(names))}"
        raise InputError(
            Fault(what=what, key="lines", hint=f"{lost['reason'].iloc[0]}; raise `radius_m`, or lengthen the line")
        )
    return _split(streets, ways)


def _split(streets: Streets, ways: Added) -> Streets:
    """Split the pieces at the ends of new ways, and add these."""
    ends = ways.ends
    junction, cuts, xy = _junctions(streets, ends)
    at = streets.shape_at
    rows: list[tuple[int, int, float, int, int, bool, np.ndarray]] = []
    for piece, where in sorted(cuts.items()):
        rows += _pieces(streets, piece, where, streets.shape_xy[at[piece] : at[piece + 1]])
    one, other = ways.rows
    for way in range(len(ways)):
        first, last = int(one[way]), int(other[way])
        took = int(ways.ms[way] + ends.off_ms[first] + ends.off_ms[last])
        long = float(ways.length_m[way] + ends.off_m[first] + ends.off_m[last])
        shape = np.concatenate(
            [xy[junction[first]][None], shapely.get_coordinates(ways.lines[way]), xy[junction[last]][None]]
        )
        rows.append((int(junction[first]), int(junction[last]), long, took, took, False, shape))
    kept = np.setdiff1d(np.arange(len(streets.start)), list(cuts))
    size = np.diff(at)[kept]
    vertices = gather(at[:-1][kept], size)
    new = list(zip(*rows, strict=True))
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(streets, name)[kept], np.array(column, dtype=getattr(streets, name).dtype)])
        for name, column in zip(
            ("start", "end", "length_m", "forward_ms", "backward_ms", "linkable"), new, strict=False
        )
    }
    count = np.concatenate([size, [len(shape) for shape in new[-1]]])
    notes = [*streets.record.get("notes", ()), f"{len(ways):,} crossing(s) were added: {checks.listed(ways.ids)}"]
    return replace(
        streets,
        xy=xy,
        **joined,
        shape_at=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        shape_xy=np.concatenate([streets.shape_xy[vertices], *new[-1]]),
        record={**streets.record, "notes": notes},
    )


def _junctions(streets: Streets, ends: Snapped) -> tuple[np.ndarray, dict[int, list[tuple[float, int]]], np.ndarray]:
    """Return the junction at each end of a way, where pieces are cut (share and junction), and all junctions."""
    junction = np.empty(len(ends.piece), dtype=np.int64)
    known: dict[tuple[int, float], int] = {}
    cuts: dict[int, list[tuple[float, int]]] = {}
    places = [streets.xy]
    for row, (piece, along) in enumerate(zip(ends.piece.tolist(), ends.along.tolist(), strict=True)):
        if along <= _END or along >= 1 - _END:
            junction[row] = streets.start[piece] if along <= _END else streets.end[piece]
            continue
        key = (piece, along)
        if key not in known:
            known[key] = len(streets.xy) + len(known)
            cuts.setdefault(piece, []).append((along, known[key]))
            spot = shapely.line_interpolate_point(streets.shapes[piece], along, normalized=True)
            places.append(shapely.get_coordinates(spot))
        junction[row] = known[key]
    return junction, {piece: sorted(found) for piece, found in cuts.items()}, np.concatenate(places)


def _pieces(
    streets: Streets, piece: int, cuts: list[tuple[float, int]], shape: np.ndarray
) -> list[tuple[int, int, float, int, int, bool, np.ndarray]]:
    """Cut a piece; lengths and times of the parts add up to its own."""
    shares = [0.0, *(along for along, _ in cuts), 1.0]
    ends = [int(streets.start[piece]), *(number for _, number in cuts), int(streets.end[piece])]
    line = shapely.LineString(shape)
    times = []
    for whole in (int(streets.forward_ms[piece]), int(streets.backward_ms[piece])):
        marks = [round(whole * share) for share in shares]
        times.append([NEVER if whole == NEVER else b - a for a, b in pairwise(marks)])
    return [
        (
            ends[number],
            ends[number + 1],
            float(streets.length_m[piece] * (high - low)),
            times[0][number],
            times[1][number],
            bool(streets.linkable[piece]),
            np.asarray(substring(line, low, high, normalized=True).coords),
        )
        for number, (low, high) in enumerate(pairwise(shares))
    ]
