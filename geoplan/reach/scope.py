"""What streets and timetable do not cover: where a poor figure would say more of the data than of the place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.reach.linking import near

if TYPE_CHECKING:
    import geopandas as gpd

    from geoplan.reach.network import Network
    from geoplan.reach.timetable import Timetable

__all__ = ["Scope", "cut_edges", "service_scope"]

_BAND_M = 500  # how near to a side of the timetable's stops a line must end to count as ending there
_LINES, _STOPS, _SPREAD, _SHARE = 6, 6, 0.4, 0.75
_DEGREE_M = 111_195.0  # of latitude, on a sphere of the earth's mean radius
_SIDES = ("west", "east", "south", "north")
_LETTER = {"west": "E", "east": "E", "south": "N", "north": "N"}  # of the coordinate that is constant along a side


@dataclass(frozen=True, eq=False)
class Scope:
    """Which points the streets and the timetable speak of.

    Attributes
    ----------
    frame
        By point (``from_id``): ``status`` (``observed``; ``out_of_scope`` where there is no street near;
        ``not_collected`` where the timetable says nothing of the stops near), ``reason`` in words, empty where all is
        well; ``stops_with_service`` and ``stops_without`` within the walk (nullable integers); ``near_edge`` (bool):
        within the walk of a side at which the timetable seems to be cut off, so that its figure may be too poor.
    edges
        The sides at which the timetable seems to be cut off, see :func:`cut_edges`.
    max_walk_min
        The walk to a stop, minutes.
    """

    frame: pd.DataFrame
    edges: pd.DataFrame = field(repr=False)
    max_walk_min: float = 30

    def lines(self) -> list[str]:
        """Say in sentences what is left out, and why."""
        said = [
            f"the timetable seems to be cut off at {row.degrees:.2f}° {_LETTER[row.side]} in the {row.side}: "
            f"{row.lines} of the {row.lines_there} lines there end within {_BAND_M} m of it, at {row.stops} stops; "
            "what lies beyond is not in it"
            for row in self.edges.itertuples()
        ]
        kinds = self.frame["reason"].where(self.frame["status"] != "out_of_scope", "no street is near enough")
        counts = kinds[self.frame["status"] != "observed"].value_counts()
        said += [f"{number:,} of {len(self.frame):,} points are not scored: {kind}" for kind, number in counts.items()]
        alone = int((self.frame["reason"].ne("") & self.frame["status"].eq("observed")).sum())
        if alone:
            who = "1 point has" if alone == 1 else f"{alone:,} points have"
            said.append(f"{who} no stop within {self.max_walk_min:g} min: access there is that on foot")
        edge = int((self.frame["near_edge"] & self.frame["status"].eq("observed")).sum())
        if edge:
            who = "1 point that is scored lies" if edge == 1 else f"{edge:,} points that are scored lie"
            where = f"within {self.max_walk_min:g} min of where the timetable is cut off"
            said.append(f"{who} {where}: figures there may be too poor")
        return said


def service_scope(
    points: gpd.GeoDataFrame, network: Network, *, max_walk_min: float = 30, walk_kmh: float = 4.68
) -> Scope:
    """Find the points that streets and timetable say too little of to be scored.

    A place without public transport has poor access, and that is an answer. A place whose stops have no trips in the
    timetable, or that lies where the timetable is cut off, has an unknown one.

    Parameters
    ----------
    points
        Points in any stated coordinate system; the index names them.
    network
        Streets with or without a timetable.
    max_walk_min
        Longest walk to a stop, as in :func:`travel_times`.
    walk_kmh
        How far that is as the crow flies, for the sides at which the timetable is cut off.

    Returns
    -------
    Scope

    Raises
    ------
    InputError
        When points have no coordinate system, are no points, or an id is missing or occurs twice; when the walk is not
        above 0.

    Notes
    -----
    In turn: no street near → ``out_of_scope``. A stop with service within the walk → ``observed``. Stops without
    service only → ``not_collected``. No stop at all: within the walk of, or beyond, a side at which the timetable is
    cut off → ``not_collected``; else ``observed``, with a reason that says it is on foot.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geoplan.reach import join_network, read_streets, read_timetable, service_scope
    >>> from geoplan.sources import home
    >>> streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    >>> network = join_network(streets, read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09"))
    >>> work = gpd.read_file(home() / "data/nordhamra_workplaces.gpkg").set_index("workplace_id")
    >>> scope = service_scope(work, network)
    >>> scope.frame["status"].value_counts().to_dict(), scope.lines()
    ({'observed': 604}, ['1 point has no stop within 30 min: access there is that on foot'])
    """
    if not (np.isfinite(max_walk_min) and max_walk_min > 0 and np.isfinite(walk_kmh) and walk_kmh > 0):
        what = f"a walk of {max_walk_min} min at {walk_kmh} km/h leads nowhere"
        raise SpecError(Fault(what=what, key="max_walk_min", expected="minutes and a speed above 0"))
    snapped = network.snapped(points)
    size = len(snapped.piece)
    status = np.full(size, "observed", dtype=object)
    reason = np.full(size, "", dtype=object)
    lost = snapped.piece < 0
    status[lost], reason[lost] = "out_of_scope", snapped.reason[lost]
    frame = pd.DataFrame(
        {"status": status, "reason": reason},
        index=pd.Index([str(name) for name in snapped.ids], name="from_id", dtype=object),
    )
    timetable = network.timetable
    if timetable is None:
        none = pd.array([pd.NA] * size, dtype="Int64")
        frame["stops_with_service"], frame["stops_without"], frame["near_edge"] = none, none, False
        return Scope(frame, cut_edges(None), max_walk_min)
    served = np.bincount(network.stops_near(snapped, max_s=max_walk_min * 60).rows, minlength=size)
    idle = near(network.streets, snapped, network.snapped(timetable.idle), max_s=max_walk_min * 60)
    silent = np.bincount(idle.rows, minlength=size)
    edges = cut_edges(timetable)
    beyond = _beyond(points, edges, timetable, max_walk_min / 60 * walk_kmh * 1000)
    without = ~lost & (served == 0)
    frame.loc[without & (silent > 0), ["status", "reason"]] = ["not_collected", _NO_SERVICE]
    frame.loc[without & (silent == 0) & beyond, ["status", "reason"]] = ["not_collected", _CUT_OFF]
    frame.loc[without & (silent == 0) & ~beyond, "reason"] = f"no stop within {max_walk_min:g} min"
    for name, count in (("stops_with_service", served), ("stops_without", silent)):
        frame[name] = pd.array(np.where(lost, -1, count), dtype="Int64")
        frame.loc[lost, name] = pd.NA
    frame["near_edge"] = beyond
    return Scope(frame, edges, max_walk_min)


_NO_SERVICE = "the stops near have no service in the timetable"
_CUT_OFF = "the timetable is cut off before it"


def cut_edges(timetable: Timetable | None) -> pd.DataFrame:
    """Find the sides at which a timetable has been cut to a rectangle.

    Where a region ends, few lines do so at the very same longitude. A side (west, east, south, north) of the stops in
    use counts as cut if, within 500 m of it, six lines or more end, at six stops or more, spread over at least 40 % of
    its length, and three in four of the lines that come there end there. The limits are geoplan's own: of the feeds
    tried, they part one that is known to have been cropped from three that are not.

    Parameters
    ----------
    timetable
        Of :func:`read_timetable`.

    Returns
    -------
    pandas.DataFrame
        A row a side that is cut: ``side``; ``degrees``, longitude or latitude of the outermost stop; ``lines`` that end
        there, ``lines_there``, ``stops`` at which they end, ``spread`` (0-1 of the side's length).

    Examples
    --------
    >>> from geoplan.reach import read_timetable
    >>> from geoplan.sources import home
    >>> len(cut_edges(read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09")))
    0
    """
    found = [] if timetable is None else [_side(timetable, side) for side in _SIDES]
    table = pd.DataFrame(found, columns=["side", "degrees", "lines", "lines_there", "stops", "spread"])
    many = (table["lines"] >= _LINES) & (table["stops"] >= _STOPS)
    wide = (table["spread"] >= _SPREAD) & (table["lines"] >= _SHARE * table["lines_there"])
    return table[many & wide].reset_index(drop=True)


def _side(timetable: Timetable, side: str) -> tuple[str, float, int, int, int, float]:
    """Count the lines that end close to one side of the stops."""
    across, along, edge = _coordinates(timetable.stops, timetable, side)
    near_it = np.abs(across) <= _BAND_M
    pattern_at, stops = timetable.pattern_at, timetable.pattern_stops
    trips = timetable.trips.drop_duplicates("pattern").sort_values("pattern")
    line = (trips["feed"].astype(str) + " " + trips["line"].astype(str)).to_numpy()
    number = np.repeat(np.arange(len(line)), np.diff(pattern_at))
    first, last = stops[pattern_at[:-1]], stops[pattern_at[1:] - 1]
    ends = np.unique(np.concatenate([first[near_it[first]], last[near_it[last]]]))
    ending = {*line[near_it[first]], *line[near_it[last]]}
    there = set(line[np.unique(number[near_it[stops]])])
    spread = float(np.ptp(along[ends]) / np.ptp(along)) if len(ends) and np.ptp(along) > 0 else 0.0
    return side, edge, len(ending), len(there), len(ends), spread


def _coordinates(points: gpd.GeoDataFrame, timetable: Timetable, side: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return metres inside a side (negative beyond it), metres along it, and the side's own degrees."""
    stops = timetable.stops.geometry
    shrink = np.cos(np.radians(float(stops.y.mean())))
    degrees = points.geometry.to_crs("EPSG:4326")
    lon, lat = degrees.x.to_numpy() * shrink * _DEGREE_M, degrees.y.to_numpy() * _DEGREE_M
    if side in {"west", "east"}:
        edge = float(stops.x.min() if side == "west" else stops.x.max())
        across, along = lon - edge * shrink * _DEGREE_M, lat
    else:
        edge = float(stops.y.min() if side == "south" else stops.y.max())
        across, along = lat - edge * _DEGREE_M, lon
    return (across if side in {"west", "south"} else -across), along, edge


def _beyond(points: gpd.GeoDataFrame, edges: pd.DataFrame, timetable: Timetable, margin_m: float) -> np.ndarray:
    """Tell which points lie beyond a side that is cut, or within a walk of it."""
    out = np.zeros(len(points), dtype=bool)
    for side in edges["side"]:
        across = _coordinates(points, timetable, side)[0]
        out |= np.nan_to_num(across, nan=np.inf) <= margin_m
    return out
