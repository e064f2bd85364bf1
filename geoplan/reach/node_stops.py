"""Stations and departures: stops that are one place to passengers, and how often something leaves from there."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import working_crs
from geoplan.reach.network import Network
from geoplan.reach.timetable import Timetable

if TYPE_CHECKING:
    from geoplan.reach.linking import Near

__all__ = ["node_departures", "stations"]


def stations(
    timetable: Timetable,
    *,
    crs: str,
    kinds: Collection[str] | None = None,
    least_per_hour: float = 0.0,
    start: str = "06:00",
    end: str = "20:00",
    apart_m: float = 250.0,
) -> gpd.GeoDataFrame:
    """Group the stops of a timetable into stations.

    Stops of one parent station are one, and so are stops of the same name within ``apart_m`` of each other: the two
    sides of a street, a bus stop before a metro entrance.

    Parameters
    ----------
    timetable
        Of :func:`read_timetable`, best of a typical weekday, which is the one it takes by itself.
    crs
        The metric system to measure in and to return, such as ``"EPSG:3006"``.
    kinds
        Keep stations where something of these kinds leaves (``"rail"``, ``"metro"`` …); all when left out.
    least_per_hour
        Keep stations with at least so many departures an hour.
    start, end
        The hours that are counted, on the timetable's day.
    apart_m
        How far apart stops of the same name may lie.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``station_id`` (the parent's id, else that of the first stop), the busiest first. Columns ``name``,
        ``kind`` (of vehicles, by number of departures), ``departures_per_hour``, ``stops`` (their ids), and the middle
        of the stops.

    Raises
    ------
    InputError
        When the system is not metric, a time is none, the hours end before they begin, or no station is left.

    Examples
    --------
    >>> from geoplan.reach import read_timetable
    >>> from geoplan.sources import home
    >>> timetable = read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09")
    >>> stations(timetable, crs="EPSG:3006", kinds=["metro"])[["name", "departures_per_hour"]].head(2).round(1)
                         name  departures_per_hour
    station_id
    S10            Hamra torg                 62.1
    S04         Hamra central                 57.2
    """
    hours = _hours(timetable, start, end)
    frame = working_crs(timetable.stops, crs)
    group, names = _grouped(frame, apart_m)
    calls = _calls(timetable)
    served = _vehicles(calls, np.arange(len(frame)), group)
    rate = _rates(served, timetable, *hours)
    per_hour = np.bincount(served["group"], weights=rate, minlength=len(names))
    kind = timetable.trips["kind"].to_numpy()[served["trip"]]
    told = _kinds(served["group"], kind, rate, len(names))
    xy = shapely.get_coordinates(frame.geometry.array)
    size = np.bincount(group)
    middle = np.column_stack([np.bincount(group, weights=axis) / size for axis in xy.T])
    first = pd.Series(np.arange(len(group))).groupby(group).first().to_numpy()
    listed = pd.Series(frame["stop_id"].astype(str).to_numpy()).groupby(group).agg(" ".join)
    found = gpd.GeoDataFrame(
        {
            "name": frame["name"].to_numpy()[first],
            "kind": told,
            "departures_per_hour": per_hour,
            "stops": listed.to_numpy(),
        },
        geometry=shapely.points(middle),
        crs=frame.crs,
        index=pd.Index(names, name="station_id"),
    )
    wanted = found["kind"].map(lambda text: kinds is None or bool(set(text.split(", ")) & set(kinds)))
    found = found[wanted.astype(bool) & (found["departures_per_hour"] >= least_per_hour)]
    if found.empty:
        known = sorted(set(timetable.trips["kind"]))
        what = f"no station has {least_per_hour:g} departures an hour" + (
            f" and {checks.listed(kinds)}" if kinds else ""
        )
        raise SpecError(Fault(what=what, key="kinds" if kinds else "least_per_hour", expected=f"of {known}"))
    order = np.lexsort((found.index, -found["departures_per_hour"].round(9)))
    return found.iloc[order]


def node_departures(
    nodes: gpd.GeoDataFrame | gpd.GeoSeries,
    network: Network,
    *,
    walk_min: float = 5.0,
    start: str = "06:00",
    end: str = "20:00",
) -> pd.Series:
    """Count departures an hour within a walk of each node.

    A vehicle counts once, however many stops it makes there, and a line with a headway by its hours over the headway.
    The last call of a trip is no departure, nor is one where nobody may board.

    Parameters
    ----------
    nodes
        Points; the index is their ids.
    network
        Of :func:`join_network`, with a timetable, best of a typical weekday.
    walk_min
        Longest walk to a stop.
    start, end
        The hours that are counted, on the timetable's day.

    Returns
    -------
    pandas.Series
        Departures an hour by node; 0 where no stop is near, NaN where the node itself is on no street.

    Raises
    ------
    InputError
        When the network has no timetable, or the hours end before they begin.

    Examples
    --------
    >>> from geoplan.reach import join_network, read_streets, read_timetable
    >>> from geoplan.sources import home
    >>> streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    >>> network = join_network(streets, read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09"))
    >>> places = gpd.GeoSeries([shapely.Point(618_000, 6_627_400)], index=["centre"], crs=3006)
    >>> bool(node_departures(places, network)["centre"] > 40)
    True
    """
    timetable = network.timetable
    if timetable is None or network.stops is None:
        what = "the network has no timetable, so that nothing departs"
        raise SpecError(Fault(what=what, key="network", hint="join_network(streets, timetable)"))
    hours = _hours(timetable, start, end)
    snapped = network.snapped(nodes)
    near: Near = network.stops_near(snapped, max_s=walk_min * 60)
    served = _vehicles(_calls(timetable), near.other, near.rows)
    rate = _rates(served, timetable, *hours)
    found = np.bincount(served["group"], weights=rate, minlength=len(snapped.piece)).astype(float)
    found[snapped.piece < 0] = np.nan
    return pd.Series(found, index=pd.Index(nodes.index, name="node_id"), name="departures_per_hour")


def _hours(timetable: Timetable, start: str, end: str) -> tuple[int, int]:
    faults = Faults()
    seconds = [0, 0]
    for place, clock in enumerate((start, end)):
        with faults.catch():
            seconds[place] = timetable.seconds(clock)
    faults.raise_any()
    if seconds[0] >= seconds[1]:
        raise SpecError(Fault(what=f"the hours from {start} end at {end}, before they begin", key="end"))
    return seconds[0], seconds[1]


def _calls(timetable: Timetable) -> dict[str, np.ndarray]:
    """Return the calls where one may board and the vehicle goes on: stop, trip, second."""
    count = np.diff(timetable.call_at)
    trip = np.repeat(np.arange(len(count)), count)
    last = np.zeros(len(trip), dtype=bool)
    last[timetable.call_at[1:][count > 0] - 1] = True
    kept = timetable.may_board & ~last
    return {"stop": timetable.call_stops[kept], "trip": trip[kept], "depart_s": timetable.depart_s[kept]}


def _vehicles(calls: dict[str, np.ndarray], stops: np.ndarray, groups: np.ndarray) -> dict[str, np.ndarray]:
    """Return each vehicle once for each group of stops that it leaves from: group, trip, second of its first call."""
    pairs = pd.DataFrame({"stop": stops, "group": groups}).merge(pd.DataFrame(calls), on="stop")
    first = pairs.groupby(["group", "trip"], sort=True)["depart_s"].min().reset_index()
    return {name: first[name].to_numpy(np.int64) for name in ("group", "trip", "depart_s")}


def _rates(served: dict[str, np.ndarray], timetable: Timetable, start: int, end: int) -> np.ndarray:
    """Return departures an hour that each vehicle stands for: a headway trip for all of its interval."""
    trips = timetable.trips
    headway = trips["headway_s"].to_numpy()[served["trip"]].astype(float)
    span = (trips["until_s"] - trips["first_s"]).to_numpy()[served["trip"]]
    leave = served["depart_s"]
    within = np.minimum(leave + span, end) - np.maximum(leave, start)
    often = np.maximum(within, 0) / np.where(headway > 0, headway, 1.0)
    once = ((leave >= start) & (leave < end)).astype(float)
    return np.asarray(np.where(headway > 0, often, once) / ((end - start) / 3600))


def _kinds(group: np.ndarray, kind: np.ndarray, rate: np.ndarray, size: int) -> list[str]:
    table = pd.DataFrame({"group": group, "kind": kind, "rate": rate}).groupby(["group", "kind"])["rate"].sum()
    told = [""] * size
    for number, part in table.groupby(level="group"):
        ordered = part.droplevel("group").sort_index().sort_values(ascending=False, kind="stable")
        told[int(number)] = ", ".join(str(name) for name in ordered.index)
    return told


def _grouped(stops: gpd.GeoDataFrame, apart_m: float) -> tuple[np.ndarray, list[str]]:
    """Return the number of each stop's group, and the groups' ids, in the order of the stops."""
    parent = stops["parent_id"].fillna("").astype(str).to_numpy()
    name = stops["name"].fillna("").astype(str).str.strip().to_numpy()
    feed = stops["feed"].astype(str).to_numpy()
    xy = shapely.get_coordinates(stops.geometry.array)
    head = np.arange(len(stops))

    def root(place: int) -> int:
        while head[place] != place:
            place = head[place]
        return place

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        head[high] = low

    by_parent: dict[tuple[str, str], int] = {}
    by_name: dict[str, list[int]] = {}
    for place in range(len(stops)):
        if parent[place]:
            join(by_parent.setdefault((feed[place], parent[place]), place), place)
        if name[place]:
            same = by_name.setdefault(name[place], [])
            for other in same:
                if np.hypot(*(xy[place] - xy[other])) <= apart_m:
                    join(other, place)
            same.append(place)
    roots = [root(place) for place in range(len(stops))]
    number = {place: count for count, place in enumerate(dict.fromkeys(roots))}
    ids = stops["stop_id"].astype(str).to_numpy()
    named = [
        next((parent[k] for k, top in enumerate(roots) if top == place and parent[k]), ids[place]) for place in number
    ]
    several = len(set(feed)) > 1
    return (
        np.array([number[place] for place in roots]),
        [f"{feed[place]}:{text}" if several else text for place, text in zip(number, named, strict=True)],
    )
