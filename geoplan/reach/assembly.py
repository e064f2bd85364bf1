"""Putting the trips of all feeds into one timetable: stops, patterns, seats and transfers, by row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.reach.runs import Filters, Runs, route_kind
from geoplan.reach.staying import expanded, followers, seats
from geoplan.reach.stop_times import gather, same_sequences, spans, without_overtaking
from geoplan.sources.gtfs_places import PLATFORM, STATION

_NOT_HERE = 1  # pickup_type and drop_off_type: none


@dataclass(frozen=True, eq=False)
class _Calls:
    """The calls of all trips of all feeds, whether they run or not; a template is a trip of a feed."""

    begins: np.ndarray
    stop: np.ndarray
    arrive_s: np.ndarray
    depart_s: np.ndarray
    may_board: np.ndarray
    may_alight: np.ndarray


def assembled(runs: Sequence[Runs], filters: Filters, *, in_seat: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the parts of a timetable, and what is to be noted of them."""
    stop_base = spans(np.array([len(own.feed.stops) for own in runs]))
    trip_base = spans(np.array([len(own.feed.trips) for own in runs]))
    calls, notes = _all_calls(runs, stop_base, filters)
    rows = pd.concat(
        [own.frame.assign(feed=np.int16(number)) for number, own in enumerate(runs)], ignore_index=True
    ).astype({"trip": np.int64, "offset_s": np.int64, "headway_s": np.int64, "feed": np.int16, "day": np.int16})
    template = rows["trip"].to_numpy() + trip_base[rows["feed"].to_numpy()]
    pattern, order = _patterns(rows, template, calls)
    rows, template, pattern = rows.iloc[order].reset_index(drop=True), template[order], pattern[order]
    counts = np.diff(calls.begins)[template]
    flat = gather(calls.begins[:-1][template], counts)
    offset = np.repeat(rows["offset_s"].to_numpy(), counts)
    call_at = spans(counts)
    used, stop = np.unique(calls.stop[flat], return_inverse=True)
    leads = np.flatnonzero(np.diff(pattern, prepend=-1) > 0)
    stops = _stops(runs, used, stop_base)
    trips = _trips(runs, rows, template - trip_base[rows["feed"].to_numpy()], pattern)
    transfers = _transfers(runs, rows, stops, used, stop_base)
    ends = _ends(runs, rows, stop, used, call_at, stop_base)
    transfers = _with_ends(transfers, ends)
    repeated = np.concatenate([np.isin(np.arange(len(own.feed.trips)), own.feed.frequencies["trip"]) for own in runs])
    blocks = np.concatenate([own.feed.trips["block_id"].to_numpy() for own in runs])
    sat = trips[["feed", "day"]].assign(block_id=blocks[template], repeated=repeated[template])
    follower = followers(sat, ends, transfers) if in_seat else np.full(len(trips), -1)
    trips["seat"], seat_place = seats(follower, counts)
    made = {
        "stops": stops.drop(columns="station"),
        "idle": _idle(runs, used, stop_base),
        "trips": trips,
        "pattern_at": spans(counts[leads]).astype(np.int32),
        "pattern_stops": stop[gather(call_at[:-1][leads], counts[leads])].astype(np.int32),
        "transfers": transfers,
        "call_at": call_at,
        "arrive_s": (calls.arrive_s[flat] + offset).astype(np.int32),
        "depart_s": (calls.depart_s[flat] + offset).astype(np.int32),
        "may_board": calls.may_board[flat],
        "may_alight": calls.may_alight[flat],
        "seat_place": seat_place,
    }
    return made, notes


def _all_calls(runs: Sequence[Runs], stop_base: np.ndarray, filters: Filters) -> tuple[_Calls, list[str]]:
    def joined(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(values)

    feeds = [own.feed for own in runs]
    stop = joined([feed.calls["stop"].to_numpy(np.int64) + base for feed, base in zip(feeds, stop_base, strict=False)])
    board = joined([feed.calls["pickup_type"].to_numpy() != _NOT_HERE for feed in feeds])
    alight = joined([feed.calls["drop_off_type"].to_numpy() != _NOT_HERE for feed in feeds])
    notes: list[str] = []
    if filters.wheelchair:
        flags = joined([feed.stops["wheelchair_boarding"].to_numpy() for feed in feeds])
        allowed = filters.allows(flags)[stop]
        board, alight = board & allowed, alight & allowed
        called = np.unique(stop)
        unknown, no = (int(np.count_nonzero(flags[called] == value)) for value in (0, 2))
        fate = "used" if filters.keep_unknown else "passed by"
        notes.append(
            f"of {len(called):,} stops {no:,} are not accessible to wheelchairs and are passed by, and {unknown:,} do "
            f"not say and are {fate}"
        )
    calls = _Calls(
        spans(joined([np.diff(own.call_at) for own in runs])),
        stop,
        joined([own.arrive_s for own in runs]).astype(np.int64),
        joined([own.depart_s for own in runs]).astype(np.int64),
        board,
        alight,
    )
    return calls, notes


def _patterns(rows: pd.DataFrame, template: np.ndarray, calls: _Calls) -> tuple[np.ndarray, np.ndarray]:
    """Return the pattern of each row, and the order of rows by pattern and time; patterns by first appearance."""
    own, which = np.unique(template, return_inverse=True)
    counts = np.diff(calls.begins)[own]
    flat = gather(calls.begins[:-1][own], counts)
    rights = calls.may_board[flat] * 2 + calls.may_alight[flat]
    group = same_sequences(spans(counts), calls.stop[flat] * 4 + rights)[which].astype(np.int64)
    headway = rows["headway_s"].to_numpy() > 0
    group = np.where(headway, len(own) + which, group)  # offset at random, two such trips may overtake each other
    counts = np.diff(calls.begins)[template]
    flat = gather(calls.begins[:-1][template], counts)
    offset = np.repeat(rows["offset_s"].to_numpy(), counts)
    return without_overtaking(group, spans(counts), calls.arrive_s[flat] + offset, calls.depart_s[flat] + offset)


def _stops(runs: Sequence[Runs], used: np.ndarray, stop_base: np.ndarray) -> gpd.GeoDataFrame:
    feed = np.searchsorted(stop_base, used, side="right") - 1
    whole = pd.concat([own.feed.stops for own in runs], ignore_index=True).iloc[used].reset_index(drop=True)
    station = whole["station"].to_numpy(np.int64)
    frame = pd.DataFrame(
        {
            "stop_id": whole["stop_id"],
            "name": whole["stop_name"],
            "feed": feed.astype(np.int16),
            "parent_id": whole["parent_station"],
            "platform": whole["platform_code"],
            "wheelchair": whole["wheelchair_boarding"],
            "station": np.where(station >= 0, station + stop_base[feed], used),
        }
    )
    points = gpd.points_from_xy(whole["stop_lon"], whole["stop_lat"], crs="EPSG:4326")
    return gpd.GeoDataFrame(frame, geometry=points)


def _idle(runs: Sequence[Runs], used: np.ndarray, stop_base: np.ndarray) -> gpd.GeoDataFrame:
    """Return the stops of the feeds at which nothing calls on the day; stations and their entrances are no stops."""
    kind = np.concatenate([own.feed.stops["location_type"].to_numpy() for own in runs])
    kind[used] = STATION
    return _stops(runs, np.flatnonzero(kind == PLATFORM), stop_base)[["stop_id", "name", "feed", "geometry"]]


def _trips(runs: Sequence[Runs], rows: pd.DataFrame, own_trip: np.ndarray, pattern: np.ndarray) -> pd.DataFrame:
    parts = []
    for number, own in enumerate(runs):
        at = np.flatnonzero(rows["feed"].to_numpy() == number)
        trips = own.feed.trips.iloc[own_trip[at]]
        routes = own.feed.routes.iloc[trips["route"].to_numpy()]
        parts.append(
            pd.DataFrame(
                {
                    "trip_id": trips["trip_id"].to_numpy(),
                    "feed": np.int16(number),
                    "route_id": routes["route_id"].to_numpy(),
                    "line": _lines(routes),
                    "route_type": routes["route_type"].to_numpy(),
                    "headsign": trips["trip_headsign"].to_numpy(),
                    "service_id": own.feed.services.to_numpy()[trips["service"].to_numpy()],
                    "bikes": trips["bikes_allowed"].to_numpy(),
                    "wheelchair": trips["wheelchair_accessible"].to_numpy(),
                },
                index=at,
            )
        )
    frame = pd.concat(parts).sort_index()
    kinds = {number: route_kind(int(number)) for number in frame["route_type"].unique()}
    headway = rows["headway_s"].to_numpy(np.int64)
    frame["kind"] = frame["route_type"].map(kinds)
    frame["pattern"] = pattern.astype(np.int32)
    frame["headway_s"] = headway.astype(np.int32)
    frame["until_s"] = np.where(headway > 0, rows["until_s"].to_numpy(np.int64), 0).astype(np.int32)
    frame["day"] = rows["day"].to_numpy(np.int16)
    for name in ("first_s", "last_s"):
        frame[name] = rows[name].to_numpy(np.int32)
    return frame


def _lines(routes: pd.DataFrame) -> np.ndarray:
    """Return what a line is called: its short name, else its long one, else its id."""
    short, long, own = (routes[name].to_numpy() for name in ("route_short_name", "route_long_name", "route_id"))
    lines: np.ndarray = np.where(short != "", short, np.where(long != "", long, own))
    return lines


def _ends(
    runs: Sequence[Runs], rows: pd.DataFrame, stop: np.ndarray, used: np.ndarray, call_at: np.ndarray,
    stop_base: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """Return where and when each trip begins and ends; a place is the station, where a stop has one."""
    station = np.concatenate([own.feed.stops["station"].to_numpy(np.int64) for own in runs])
    feed = np.searchsorted(stop_base, used, side="right") - 1
    place = np.where(station[used] >= 0, station[used] + stop_base[feed], used)
    first, last = stop[call_at[:-1]], stop[call_at[1:] - 1]
    return pd.DataFrame(
        {
            "first_stop": first,
            "last_stop": last,
            "first_place": place[first],
            "last_place": place[last],
            "first_s": rows["first_s"].to_numpy(np.int64),
            "last_s": rows["last_s"].to_numpy(np.int64),
        }
    )


def _transfers(
    runs: Sequence[Runs], rows: pd.DataFrame, stops: gpd.GeoDataFrame, used: np.ndarray, stop_base: np.ndarray
) -> pd.DataFrame:
    parts = []
    for number, own in enumerate(runs):
        feed = own.feed
        here = np.flatnonzero(stops["feed"].to_numpy() == number)
        given = used[here] - stop_base[number]
        station = feed.stops["station"].to_numpy()[given]
        kind = feed.stops["location_type"].to_numpy()
        whole = (station >= 0) & (kind[np.maximum(station, 0)] == STATION)
        members = pd.DataFrame(
            {
                "given": np.concatenate([given, station[whole]]).astype(np.int64),
                "stop": np.concatenate([here, here[whole]]),
                "own": np.concatenate([kind[given] == PLATFORM, np.zeros(np.count_nonzero(whole), dtype=bool)]),
            }
        )
        at = np.flatnonzero(rows["feed"].to_numpy() == number)
        running = pd.DataFrame({"given": rows["trip"].to_numpy()[at], "trip": at, "day": rows["day"].to_numpy()[at]})
        part = expanded(feed.transfers, members, running)
        names = np.append(feed.routes["route_id"].to_numpy(dtype=object), "")
        parts.append(part.assign(**{side: names[part[side].to_numpy(int)] for side in ("from_route", "to_route")}))
    frame = pd.concat(parts, ignore_index=True)
    whole_numbers = dict.fromkeys(("from_stop", "to_stop", "min_s", "from_trip", "to_trip"), np.int32)
    return frame.astype({**whole_numbers, "kind": np.int8})


def _with_ends(transfers: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Fill in the stops of transfers that name two trips only: where the first ends and the second begins."""
    for side, end in (("from", "last_stop"), ("to", "first_stop")):
        trip = transfers[f"{side}_trip"].to_numpy()
        stop = transfers[f"{side}_stop"].to_numpy()
        own = ends[end].to_numpy()[np.maximum(trip, 0)]
        transfers[f"{side}_stop"] = np.where((stop < 0) & (trip >= 0), own, stop).astype(np.int32)
    return transfers[(transfers["from_stop"] >= 0) & (transfers["to_stop"] >= 0)].reset_index(drop=True)
