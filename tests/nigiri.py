"""The same stops, trips and walks for geoplan and for nigiri, and what both say of them.

nigiri counts in whole minutes, and asks of its feed what a real one does not hold to. So a feed is derived that both
read: the trips of one day as timetabled ones, each hop a minute at least, and walks in transfers.txt that are closed
(no two of them make a shorter way, or a way within the limit that is not there) and as long there as back.

What else has to be so that both answer the same question, all of it found by tracing differences by hand:

- ``load_timetable`` wants days beyond the last, or it leaves out journeys of the first hours (UTC);
- nigiri closes walks itself, keeps those *below* ``max_footpath_length``, and adds the way back where it is missing;
- a window holds its first minute and not its last;
- ``flip_dir`` exchanges start and destination but does not search backwards, so arriving by a time is compared with
  the best of all journeys that leave early enough;
- a walk alone is answered in another way, so pairs within a walk are left out.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from feeds import WEEK, clock, write
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geoplan.reach.linking import Near, near
from geoplan.reach.network import Network, join_network
from geoplan.reach.routing import Scratch, Window, prepared, stop_times
from geoplan.reach.runs import noon_minus_12
from geoplan.reach.snapping import snap
from geoplan.reach.timetable import read_timetable

NONE = 10**6  # minutes at which nobody arrives


def derived(path, streets, timetable, *, walk_m, walk_min):
    """Write a feed for both, and return the network that geoplan makes of it.

    Stops, trips and lines keep nothing but numbers for names. ``walk_m`` is how far one walks between stops,
    ``walk_min`` the longest of the walks that come of them, one after another.
    """
    stops = timetable.stops
    points = "".join(
        f"s{row},S{row},{point.y:.7f},{point.x:.7f}\n" for row, point in enumerate(stops.geometry)
    )  # names are unique: nigiri takes stops of one name that are near for one
    trips, times = ["route_id,service_id,trip_id,block_id\n"], []
    kinds = timetable.trips["route_type"].to_numpy()
    made = timetable.connections(headways="drawn")
    blocks = _joined(made)
    for number, hops in enumerate(_hops(made)):
        calls = _calls(made, hops)
        if calls is None:
            continue
        seat = int(made.seat[hops[0]])
        block = f"b{seat}" if seat in blocks else ""
        trips.append(f"r{kinds[made.trip[hops[0]]]},day,t{number},{block}\n")
        times.extend(f"t{number},{arrive},{depart},s{stop},{place},{pick},{drop}\n"
                     for place, (stop, arrive, depart, pick, drop) in enumerate(calls))  # fmt: skip
    day = f"{timetable.date:%Y%m%d}"
    walks = _closed(streets, stops, walk_m, walk_min)
    texts = {
        "agency": f"agency_id,agency_name,agency_url,agency_timezone\na,A,https://example.org,{timetable.zone}\n",
        "stops": "stop_id,stop_name,stop_lat,stop_lon\n" + points,
        "routes": "route_id,agency_id,route_short_name,route_type\n"
        + "".join(f"r{kind},a,{kind},{kind}\n" for kind in np.unique(kinds)),
        "trips": "".join(trips),
        "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
        + "".join(times),
        "calendar": WEEK + f"day,1,1,1,1,1,1,1,{day},{day}\n",
        "transfers": "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"
        + "".join(f"s{one},s{other},2,{60 * minutes}\n" for one, other, minutes in walks),
    }
    again = read_timetable(write(path, texts), date=timetable.date)
    return join_network(streets, again, transfer_m=0)


def _hops(made):
    """Return the rows of the connections of each vehicle, in order."""
    order = np.lexsort((made.trip, made.seat))
    return np.split(order, np.flatnonzero(np.diff(made.seat[order]) | np.diff(made.trip[order])) + 1)


def _joined(made):
    """Return the seats of several trips, one after another: blocks."""
    pairs = np.unique(np.stack([made.seat, made.trip]), axis=1)
    seats, counts = np.unique(pairs[0], return_counts=True)
    return set(seats[counts > 1].tolist())


def _calls(made, hops):
    """Return (stop, arrival, departure, pickup, drop off) of each call in whole minutes, each hop a minute at least."""
    if made.depart_s[hops[0]] < 0:
        return None  # left the day before
    now, calls = 0, []
    arrive, drop = None, 1
    for hop in hops:
        depart = max(now, int(made.depart_s[hop]) // 60)
        pick = 0 if made.may_board[hop] else 1
        calls.append(
            (made.from_stop[hop], clock(60 * (depart if arrive is None else arrive)), clock(60 * depart), pick, drop)
        )
        now = arrive = max(depart + 1, int(made.arrive_s[hop]) // 60)
        drop = 0 if made.may_alight[hop] else 1
    return [*calls, (made.to_stop[hops[-1]], clock(60 * now), clock(60 * now), 1, drop)]


def _closed(streets, stops, metres, most):
    """Return (stop, other, minutes) of all walks between stops, in one or more parts, within so many minutes."""
    points = snap(streets, stops.geometry)
    walks = near(streets, points, points, max_m=metres)
    minutes = np.ceil(np.maximum(walks.seconds, 1) / 60)
    apart = walks.rows != walks.other
    graph = csr_array((minutes[apart], (walks.rows[apart], walks.other[apart])), shape=(len(walks), len(walks)))
    found = dijkstra(graph, directed=False, limit=most)  # nigiri takes walks for as long there as back
    one, other = np.nonzero(np.isfinite(found))
    return zip(one.tolist(), other.tolist(), found[one, other].astype(int).tolist(), strict=True)


@dataclass(frozen=True)
class Peers:
    """One feed, read by both; stops are numbered as nigiri's names have them, times are minutes of the service day."""

    path: object
    network: Network
    pynigiri: object
    walk_min: int

    @classmethod
    def of(cls, path, streets, timetable, pynigiri, *, walk_m, walk_min):
        return cls(path, derived(path, streets, timetable, walk_m=walk_m, walk_min=walk_min), pynigiri, walk_min)

    @cached_property
    def names(self):
        return self.network.timetable.stops["stop_id"].to_numpy()

    @cached_property
    def walks(self):
        """Every walk of the feed: from a stop to those near to it, itself among them."""
        rules, size = self.network.timetable.transfers, len(self.names)
        row, other = (rules[name].to_numpy(np.int64) for name in ("from_stop", "to_stop"))
        assert (rules["kind"] == 2).all()
        return Near.made(row, other, rules["min_s"].to_numpy().astype(np.int32), np.zeros(len(row), np.float32), size)

    @cached_property
    def nigiri(self):
        """nigiri's timetable and its numbers of the stops."""
        own = self.pynigiri
        config, options = own.LoaderConfig(), own.FinalizeOptions()
        config.link_stop_distance = 0
        options.adjust_footpaths = options.merge_dupes_intra_src = False
        options.max_footpath_length = self.walk_min + 1  # below which it keeps them
        days = (self.network.timetable.date + dt.timedelta(days=more) for more in (0, 2))
        source = own.TimetableSource("x", str(self.path), config)
        made = own.load_timetable([source], *(day.isoformat() for day in days), options)
        return made, [made.find_location(name) for name in self.names]

    @cached_property
    def midnight(self):
        """Minutes from 1970 in UTC to the start of the service day."""
        return noon_minus_12(self.network.timetable.date, self.network.timetable.zone) // 60

    def journeys(self, origin, goal, first, last, *, rides, most):
        """Return nigiri's best journeys: departures, from the first minute to below the last, and arrivals."""
        own, (made, places) = self.pynigiri, self.nigiri
        query = own.Query()
        query.start, query.destination = [own.Offset(places[origin], 0, 0)], [own.Offset(places[goal], 0, 0)]
        query.start_time = (self.midnight + first, self.midnight + last)
        query.max_transfers, query.max_travel_time = rides - 1, most
        query.use_start_footpaths = True
        query.start_match_mode = query.dest_match_mode = own.LocationMatchMode.EXACT
        pairs = [(found.start_time, found.dest_time) for found in own.route(made, query)]
        return np.array(pairs, np.int64).reshape(-1, 2) - self.midnight

    def scanned(self, stop, moments, *, rides, most, arrive=False):
        """Return geoplan's minutes from a stop, or to it, for every moment: [other stop, moment]; NONE if over."""
        window = Window(tuple(60 * minute for minute in moments), 60 * most, 60 * most, rides, 0, arrive=arrive)
        search = prepared(self.network, window)
        walks = self.walks.turned(len(self.names)) if arrive else self.walks
        near = walks.row(stop)
        found = []
        for part in search.parts:
            access = walks.other[near], walks.seconds[near]
            found.append(stop_times(search, search.lines[0], part, access, Scratch(search))[0].copy())
        to_stops = np.concatenate(found, axis=1).astype(np.int64)
        out = np.full_like(to_stops, 60 * NONE)
        np.minimum.at(out, walks.other, to_stops[walks.rows] + walks.seconds[:, None])
        out = np.where(out <= 60 * most, out, 60 * NONE)
        assert not (out % 60).any()
        return (out // 60)[:, ::-1] if arrive else out // 60

    def far_from(self, stop, others):
        """Leave out stops that one walks to: nigiri answers those in a way of its own."""
        return np.setdiff1d(others, self.walks.other[self.walks.row(stop)]).tolist()


def differences(peers, origin, goals, first, last, *, rides=8, most=120):
    """Compare the earliest arrival of each minute of a window; return (origin, goal, minute, geoplan's, nigiri's)."""
    minutes = np.arange(first, last + 1)
    arrivals = peers.scanned(origin, minutes, rides=rides, most=most) + minutes
    wrong = []
    for goal in goals:
        found = peers.journeys(origin, goal, first, last, rides=rides, most=most)
        latest = min(NONE, arrivals[goal, -1])  # by a departure after the window
        for lane, minute in enumerate(minutes[:-1]):
            there = min(found[found[:, 0] >= minute, 1].min(initial=NONE), latest)
            there = NONE if there > minute + most else there
            mine = min(arrivals[goal, lane], NONE)
            if mine != there:
                wrong.append((origin, goal, int(minute), int(mine), int(there)))
    return wrong


def differences_arriving(peers, goal, origins, first, last, *, rides=8, most=120):
    """Compare the latest departure that is in time for each minute of a window, from all journeys that might be."""
    minutes = np.arange(first, last)
    took = peers.scanned(goal, minutes, rides=rides, most=most, arrive=True)
    wrong = []
    for origin in origins:
        found = peers.journeys(origin, goal, first - most, last, rides=rides, most=most)
        for lane, minute in enumerate(minutes):
            left = found[found[:, 1] <= minute, 0].max(initial=-NONE)
            other = minute - left if minute - left <= most else NONE
            mine = took[origin, lane]
            if mine != other:
                wrong.append((origin, goal, int(minute), int(mine), int(other)))
    return wrong
