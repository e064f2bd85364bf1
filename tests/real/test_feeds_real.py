"""Real feeds: counts against the csv module, blank times against the rule of R5 written out trip by trip."""

import csv
import datetime as dt
import io
import time
import zipfile
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from pyproj import Geod

from geoplan.reach.feed_report import feed_report
from geoplan.reach.timetable import read_timetable
from geoplan.sources.gtfs import read_gtfs

pytestmark = pytest.mark.real

FEEDS = {
    "eptc": ("portoalegre/poa_eptc.zip", "2019-05-13"),
    "trensurb": ("portoalegre/poa_trensurb.zip", "2019-05-13"),
    "helsinki": ("helsinki/gtfs_hsl_2022-02-22.zip", "2022-02-22"),
    "kuopio": ("gtfs/kuopio.zip", "2017-03-07"),
    "kuopio, a holiday": ("gtfs/kuopio.zip", "2016-12-26"),
    "kuopio, a Saturday": ("gtfs/kuopio.zip", "2017-03-11"),
}
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def rows(path, name):
    with zipfile.ZipFile(path) as archive:
        if name not in archive.namelist():
            return []
        text = archive.read(name).decode("utf-8-sig")
    return [{key.strip(): value.strip() for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def seconds(clock):
    hour, minute, second = map(int, clock.split(":"))
    return 3600 * hour + 60 * minute + second


def services_on(path, date):
    day, code = dt.date.fromisoformat(date), date.replace("-", "")
    runs = {
        row["service_id"]
        for row in rows(path, "calendar.txt")
        if row["start_date"] <= code <= row["end_date"] and row[WEEK[day.weekday()]] == "1"
    }
    for row in rows(path, "calendar_dates.txt"):
        if row["date"] == code:
            (runs.add if row["exception_type"] == "1" else runs.discard)(row["service_id"])
    return runs


def by_hand(path, date):
    """Departures of each trip from its first stop, and of each stop, counted row by row."""
    runs = services_on(path, date)
    trips = {row["trip_id"] for row in rows(path, "trips.txt") if row["service_id"] in runs}
    calls = defaultdict(list)
    for row in rows(path, "stop_times.txt"):
        if row["trip_id"] in trips:
            calls[row["trip_id"]].append(row)
    often = defaultdict(list)
    for row in rows(path, "frequencies.txt"):
        start, end, headway = seconds(row["start_time"]), seconds(row["end_time"]), int(row["headway_secs"])
        often[row["trip_id"]] += range(start, end, headway)
    first, stops = [], Counter()
    for trip, own in calls.items():
        own.sort(key=lambda row: int(row["stop_sequence"]))
        if len(own) > 1:
            times = often[trip] if trip in often else [seconds(own[0]["departure_time"])]
            first += [(trip, moment) for moment in times]
            for row in own[:-1]:
                if row.get("pickup_type") != "1":
                    stops[row["stop_id"]] += len(times)
    return sorted(first), stops


@pytest.fixture(scope="module", params=FEEDS)
def case(request, real):
    file, date = FEEDS[request.param]
    return real / file, date


def test_departures_equal_an_independent_count(case):
    path, date = case
    first, stops = by_hand(path, date)
    timetable = read_timetable(path, date=date)
    own = timetable.trips[timetable.trips["day"] == 0]
    assert sorted(zip(own["trip_id"], own["first_s"], strict=True)) == first
    made = timetable.connections()
    today = (timetable.trips["day"].to_numpy() == 0)[made.trip] & made.may_board
    counted = np.bincount(made.from_stop[today], minlength=len(timetable.stops))
    assert {stop: n for stop, n in zip(timetable.stops["stop_id"], counted, strict=True) if n} == dict(stops)
    assert made.seats == len(timetable.trips)


def test_connections_are_sorted_and_patterns_free_of_overtaking(case):
    path, date = case
    timetable = read_timetable(path, date=date)
    made = timetable.connections()
    assert (np.diff(made.depart_s) >= 0).all()
    assert (made.arrive_s >= made.depart_s).all()
    counts = np.diff(timetable.call_at)
    pattern = timetable.trips["pattern"].to_numpy()
    for number in range(len(timetable.pattern_at) - 1):
        own = np.flatnonzero(pattern == number)
        span = timetable.call_at[own[0]], timetable.call_at[own[-1] + 1]
        shape = (len(own), counts[own[0]])
        for moments in (timetable.arrive_s, timetable.depart_s):
            assert (np.diff(moments[slice(*span)].reshape(shape), axis=0) >= 0).all()


def test_helsinki_holds_what_it_is_known_to_hold(real):
    report = feed_report(real / FEEDS["helsinki"][0], strict=True)
    figures = report.feeds.loc[0]
    assert figures[["routes", "trips", "stop_times"]].tolist() == [200, 3195, 62485]
    assert figures["stops"] + figures["stations"] == 1388
    assert set(report.routes["kind"]) == {"bus", "ferry", "metro", "rail", "tram"}
    assert report.date == dt.date(2022, 2, 22)


def test_kuopio_and_porto_alegre_hold_what_they_are_known_to_hold(real):
    kuopio = feed_report(real / FEEDS["kuopio"][0], strict=True)
    assert kuopio.feeds["stop_times"].tolist() == [79123]
    assert kuopio.date.weekday() == 1
    both = feed_report([real / FEEDS["eptc"][0], real / FEEDS["trensurb"][0]], strict=True)
    assert both.feeds["stops"].sum() == 4010
    assert both.feeds["blank_share"].round(2).tolist() == [0.96, 0.0]


def test_blank_times_of_porto_alegre_equal_the_rule_of_r5_trip_by_trip(real):
    path = real / FEEDS["eptc"][0]
    where = {row["stop_id"]: (float(row["stop_lon"]), float(row["stop_lat"])) for row in rows(path, "stops.txt")}
    geod = Geod(ellps="WGS84")

    @cache
    def metres(one, other):
        return geod.inv(*where[one], *where[other])[2]

    calls = defaultdict(list)
    for row in rows(path, "stop_times.txt"):
        calls[row["trip_id"]].append(row)
    timetable = read_timetable(path, date="2019-05-13")
    names = timetable.stops["stop_id"].to_numpy()[timetable.call_stops]
    compared = off = 0
    for row, trip in timetable.trips[timetable.trips["day"] == 0]["trip_id"].items():
        own = sorted(calls[trip], key=lambda call: int(call["stop_sequence"]))
        span = slice(timetable.call_at[row], timetable.call_at[row + 1])
        assert names[span].tolist() == [call["stop_id"] for call in own]
        expected, made = r5_times(own, metres), timetable.arrive_s[span].tolist()
        compared += len(own)
        off += sum(a != b for a, b in zip(expected, made, strict=True))
        assert max(abs(a - b) for a, b in zip(expected, made, strict=True)) <= 1
    assert compared == 130019
    assert off == 0


def r5_times(calls, metres):
    """Fill blank times as R5 does: by straight lines, cut off to whole seconds."""
    times = [seconds(call["arrival_time"]) if call["arrival_time"] else None for call in calls]
    known = [place for place, moment in enumerate(times) if moment is not None]
    for start, end in pairwise(known):
        legs = [metres(calls[k]["stop_id"], calls[k + 1]["stop_id"]) for k in range(start, end)]
        whole, gone = sum(legs), 0.0
        for place in range(start + 1, end):
            gone += legs[place - start - 1]
            times[place] = int(times[start] + (times[end] - times[start]) * (gone / whole))
    return times


def test_porto_alegre_is_read_well_under_two_seconds(real):
    paths = [real / FEEDS["eptc"][0], real / FEEDS["trensurb"][0]]
    took = []
    for _ in range(3):
        began = time.perf_counter()
        made = read_timetable(paths, date="2019-05-13").connections()
        took.append(time.perf_counter() - began)
    assert len(made) > 130_000
    assert min(took) < 2


def test_real_feeds_have_no_fault_and_one_content(real):
    for file, _ in FEEDS.values():
        gtfs = read_gtfs(real / file)
        again = read_gtfs(real / file, strict=False)
        assert gtfs.feeds[0].sha256 == again.feeds[0].sha256
        assert not again.dropped["rows"].sum()
