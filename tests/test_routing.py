"""Travel times by timetable: every arrival equals that of a search that knows nothing but single journeys."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from feeds import DATE, clock, town, write
from hypothesis import given, settings, strategies as st

from geoplan.reach.kernels import NEVER, UNREACHED, percentiles
from geoplan.reach.linking import Near
from geoplan.reach.network import laid_out
from geoplan.reach.routing import Scratch, Search, Window, prepared, ranks_of, stop_times, with_walks
from geoplan.reach.timetable import read_timetable

STOPS = 6


@st.composite
def timetables(draw):
    """A few trips among a few stops: loops, overtaking, hops that take no time, times past midnight."""
    rows = []
    start = draw(st.sampled_from([0, 86_400 - 300]))
    for trip in range(draw(st.integers(1, 7))):
        when = start + draw(st.integers(0, 20)) * 30
        stops = draw(st.lists(st.integers(0, STOPS - 1), min_size=2, max_size=5))
        seat = draw(st.integers(0, trip))  # trips that share a seat are joined: one stays in the vehicle
        if any(row[4] == seat for row in rows):
            when = max(when, *(row[1] for row in rows if row[4] == seat))
        for here, there in pairwise(stops):
            depart = when + draw(st.integers(0, 2)) * 30
            when = depart + draw(st.integers(0, 6)) * 30
            wait = draw(st.sampled_from([0, 0, 45]))
            rows.append((depart, when, here, there, seat, draw(st.booleans()), draw(st.booleans()), wait, len(rows)))
    rows.sort(key=lambda row: (row[0], row[8]))
    columns = list(zip(*rows, strict=True))
    names = ("depart_s", "arrive_s", "from_stop", "to_stop", "seat", "may_board", "may_alight", "wait_s")
    made = {name: np.array(column, np.int32) for name, column in zip(names, columns, strict=False)}
    made |= {name: made[name].astype(bool) for name in ("may_board", "may_alight")}
    return SimpleNamespace(**made, trip=made["seat"], seats=int(made["seat"].max()) + 1), start


@st.composite
def walks(draw):
    """Walks between stops, in no way closed: what is near to what is near need not be near."""
    pairs = draw(st.lists(st.tuples(st.integers(0, STOPS - 1), st.integers(0, STOPS - 1)), max_size=8, unique=True))
    seconds = [draw(st.integers(0, 5)) * 30 for _ in pairs]
    row, other = (np.array([pair[side] for pair in pairs], np.int32) for side in (0, 1))
    return Near.made(row, other, np.array(seconds, np.int32), np.zeros(len(pairs), np.float32), STOPS)


def one_by_one(made, paths, access, leave, *, slack, rides):  # noqa: C901  plain on purpose
    """Correct labels until nothing changes: when one is at a stop after a number of rides, by plain loops."""
    at = {
        (stop, 0): leave + seconds for stop, seconds in sorted(access, reverse=True)
    }  # the least of each stop is last
    off = {}
    aboard = {}  # (seat, place in the seat's row of connections, rides) once one sits in it
    rows = range(len(made.seat))
    follows = {}
    for row in rows:
        later = [other for other in rows if made.seat[other] == made.seat[row] and other > row]
        follows[row] = later[0] if later else None
    changed = True
    while changed:
        changed = False
        for row in rows:
            for ride in range(rides):
                here = at.get((int(made.from_stop[row]), ride), 10**9)
                boards = made.may_board[row] and here + slack + int(made.wait_s[row]) <= made.depart_s[row]
                if boards and not aboard.get((row, ride)):
                    aboard[row, ride] = changed = True
                if not aboard.get((row, ride)):
                    continue
                then = follows[row]
                if then is not None and not aboard.get((then, ride)):
                    aboard[then, ride] = changed = True
                if made.may_alight[row]:
                    stop, when = int(made.to_stop[row]), int(made.arrive_s[row])
                    off[stop] = min(off.get(stop, NEVER), when)
                    place = paths.row(stop)
                    for other, seconds in zip(paths.other[place], paths.seconds[place], strict=True):
                        if when + seconds < at.get((int(other), ride + 1), 10**9):
                            at[int(other), ride + 1] = when + int(seconds)
                            changed = True
    return off


def searched(made, paths, access, leave, *, slack, rides, arrive=False):
    """Ask the compiled search for the same."""
    window = Window(tuple(leave), 10_000, 0, rides, slack, arrive=arrive)
    part = window.lanes
    paths = paths.turned(STOPS) if arrive else paths
    lines = with_walks(laid_out(made, slack_s=slack, turned=arrive), paths, part, window.most_s)
    search = Search(window, (lines,), (part,), STOPS)
    scratch = Scratch(search)
    stops, seconds = (np.array(values, np.int32) for values in zip(*access, strict=True))
    found = []
    for _ in range(2):  # the second time with what the first has left behind
        times, soonest = stop_times(search, lines, part, (stops, seconds), scratch)
        assert (soonest == times.min(axis=1)).all()
        found.append(np.where((soonest < UNREACHED)[:, None], times, UNREACHED))
    return found


accesses = st.lists(
    st.tuples(st.integers(0, STOPS - 1), st.integers(0, 4).map(lambda number: 30 * number)), min_size=1, max_size=3
)


@settings(max_examples=500)
@given(timetables(), walks(), accesses, st.integers(1, 4), st.sampled_from([0, 30, 60]))
def test_every_arrival_equals_that_of_single_journeys(timetable, paths, access, rides, slack):
    made, start = timetable
    leave = [start + 60 * minute for minute in range(-1, 6)]
    first, again = searched(made, paths, access, leave, slack=slack, rides=rides)
    assert (first == again).all()
    for lane, moment in enumerate(leave):
        off = one_by_one(made, paths, access, moment, slack=slack, rides=rides)
        for stop in range(STOPS):
            expected = off.get(stop, NEVER)
            assert first[stop, lane] == (expected - moment if expected < NEVER else UNREACHED)


@settings(max_examples=200)
@given(timetables(), walks(), st.integers(1, 3), st.sampled_from([0, 60]), st.integers(0, STOPS - 1))
def test_arriving_by_a_time_is_leaving_as_late_as_one_can(timetable, paths, rides, slack, goal):
    made, start = timetable
    by = [start + 120 * number for number in range(2, 8)]
    times, _ = searched(made, paths, [(goal, 0)], by, slack=slack, rides=rides, arrive=True)
    # One leaves a stop in vain but just in time for something that one boards there.
    seconds = sorted({int(second) for second in made.depart_s - slack - made.wait_s})
    offs = {
        (stop, second): one_by_one(made, paths, [(stop, 0)], second, slack=slack, rides=rides).get(goal, NEVER)
        for stop in range(STOPS)
        for second in seconds
    }
    for lane, limit in enumerate(by[::-1]):
        for stop in range(STOPS):
            latest = max((second for second in seconds if offs[stop, second] <= limit), default=None)
            assert times[stop, lane] == (UNREACHED if latest is None else limit - latest)


@pytest.mark.parametrize(("share", "rank"), [(0, 0), (1, 0), (50, 29), (50.1, 30), (90, 53), (100, 59)])
def test_a_percentile_is_the_least_time_that_so_many_keep(share, rank):
    assert ranks_of((share,), 60)[0] == rank


@given(
    st.lists(st.integers(0, 7000) | st.just(UNREACHED), min_size=1, max_size=70),
    st.sets(st.integers(0, 100) | st.sampled_from([0.5, 2.5, 12.5, 62.5, 99.5]), min_size=1, max_size=5).map(sorted),
)
def test_percentiles_are_those_of_numpy_by_the_inverse_of_the_distribution(numbers, shares):
    expected = np.percentile(np.array(numbers), shares, method="inverted_cdf")
    out = np.empty((1, len(shares)), np.uint16)
    percentiles(np.array(numbers, np.uint16), ranks_of(tuple(shares), len(numbers)), 7200, out, 0)
    assert out[0].tolist() == expected.tolist()


# ---------------------------------------------------------------- larger timetables


def larger(rng, stops=25, trips=60):
    """Sixty trips among 25 stops, about as real ones are but for what is rare there: all of it often here."""
    start = int(rng.choice([0, 28_800, 86_400 - 1800]))
    beats, at_once = (12, 4) if rng.random() < 0.5 else (120, 1)  # half of them crowded, much of it in the same second
    rows, free = [], {}
    lines = [rng.choice(stops, rng.integers(2, 11)) for _ in range(12)]  # stops may come again: loops
    for trip in range(trips):
        when = start + 3600 // beats * int(rng.integers(0, beats))
        seat = trip
        if free and rng.random() < 0.3:  # goes on from a trip before, from whatever stop
            seat = int(rng.choice(list(free)))
            when = max(when, free[seat])
        place = sum(row[4] == seat for row in rows)
        line = lines[rng.integers(0, len(lines))]
        for number, (here, there) in enumerate(pairwise(line.tolist())):
            depart = when + 30 * int(rng.choice([*[0] * 3 * at_once, 1, 4]))
            when = depart + 30 * int(rng.choice([*[0] * at_once, 1, 2, 2, 3, 4, 12]))  # fast and slow ones overtake
            rights, wait = rng.random(2) < 0.85, int(rng.choice([0, 0, 0, 45, 300]))
            rows.append((depart, when, here, there, seat, *rights, wait, place + number))
        free[seat] = when
    rows.sort(key=lambda row: (row[0], row[1], row[8]))
    columns = [np.array(column, np.int32) for column in zip(*rows, strict=True)]
    names = ("depart_s", "arrive_s", "from_stop", "to_stop", "seat", "may_board", "may_alight", "wait_s")
    made = dict(zip(names, columns, strict=False))
    made |= {name: made[name].astype(bool) for name in ("may_board", "may_alight")}
    return SimpleNamespace(**made, trip=made["seat"], seats=trips), start


def larger_walks(rng, stops=25):
    """Changing at most of the stops, walks between some: one way, not closed, longer than by another stop."""
    there = rng.random((stops, stops)) < 0.08
    np.fill_diagonal(there, rng.random(stops) < 0.8)
    row, other = np.nonzero(there)
    seconds = np.where(row == other, rng.choice([0, 30], len(row)), 30 * rng.integers(0, 12, len(row)))
    return Near.made(row, other.astype(np.int32), seconds, np.zeros(len(row), np.float32), stops)


def hops_by_seat(made):
    """Return the rows of each seat, in order."""
    return [np.flatnonzero(made.seat == seat) for seat in range(made.seats)]


def by_rounds(made, paths, access, leave, *, slack, rides):
    """Arrivals [stop, departure], one ride after another: each departure by itself, whatever the others find."""
    size, leave = len(paths), np.array(leave)
    never = np.int64(10**9)
    at = np.full((size, len(leave)), never)
    for stop, seconds in access:
        at[stop] = np.minimum(at[stop], leave + seconds)
    off = np.full_like(at, never)
    for _ in range(rides):
        now = np.full_like(at, never)
        for rows in hops_by_seat(made):
            aboard = np.zeros(len(leave), bool)
            for row in rows:
                if made.may_board[row]:
                    aboard |= at[made.from_stop[row]] + slack + made.wait_s[row] <= made.depart_s[row]
                if made.may_alight[row]:
                    stop = made.to_stop[row]
                    now[stop] = np.where(aboard, np.minimum(now[stop], made.arrive_s[row]), now[stop])
        off = np.minimum(off, now)
        at = np.full_like(at, never)
        np.minimum.at(at, paths.other, now[paths.rows] + paths.seconds[:, None])
    return np.where(off < never, off, NEVER)


def by_rounds_back(made, paths, access, by, *, slack, rides):
    """Latest departures [stop, deadline], one ride before another."""
    size, by = len(paths), np.array(by)
    never = -np.int64(10**9)
    at = np.full((size, len(by)), never)
    for stop, seconds in access:
        at[stop] = np.maximum(at[stop], by - seconds)
    left = np.full_like(at, never)
    for _ in range(rides):
        now = np.full_like(at, never)
        for rows in hops_by_seat(made):
            in_time = np.zeros(len(by), bool)
            for row in rows[::-1]:
                if made.may_alight[row]:
                    in_time |= made.arrive_s[row] <= at[made.to_stop[row]]
                if made.may_board[row]:
                    stop, ready = made.from_stop[row], made.depart_s[row] - slack - made.wait_s[row]
                    now[stop] = np.where(in_time, np.maximum(now[stop], ready), now[stop])
        left = np.maximum(left, now)
        at = np.full_like(at, never)
        np.maximum.at(at, paths.rows, now[paths.other] - paths.seconds[:, None])
    return left


def network_of(made, paths):
    """Return what a search is prepared for, of a timetable that no feed has."""
    trips = pd.DataFrame({"headway_s": np.zeros(1, int)})
    timetable = SimpleNamespace(trips=trips, stops=range(len(paths)), connections=lambda **_: made)
    return SimpleNamespace(timetable=timetable, paths=paths)


def all_parts(search, access):
    """Search part by part, on one scratch; return seconds [stop, lane] and how many parts there were."""
    stops, seconds = (np.array(values, np.int32) for values in zip(*access, strict=True))
    scratch = Scratch(search)
    found = [stop_times(search, search.lines[0], part, (stops, seconds), scratch)[0].copy() for part in search.parts]
    return np.concatenate(found, axis=1), len(found)


def drawn_case(seed):
    """Return a timetable, walks, stops near the origin, moments in order, and options."""
    rng = np.random.default_rng(seed)
    made, start = larger(rng)
    paths = larger_walks(rng)
    near = rng.choice(np.unique(made.from_stop[made.may_board]), rng.integers(2, 6), replace=False).tolist()
    access = [(stop, 30 * int(rng.integers(0, 6))) for stop in near]
    lanes, step = int(rng.integers(10, 61)), int(rng.choice([30, 60, 61, 90]))
    moments = list(range(start, start + lanes * step, step))
    options = {"rides": 1 + seed % 5, "slack": int(rng.choice([0, 0, 30, 60]))}
    return made, paths, access, moments, options


@pytest.mark.parametrize("seed", range(40))
def test_larger_timetables_equal_single_rounds(seed):
    made, paths, access, leave, options = drawn_case(seed)
    most = 1800 if seed % 4 == 0 else 30_000
    window = Window(tuple(leave), most, 0, options["rides"], options["slack"])
    expected = by_rounds(made, paths, access, leave, **options) - leave
    expected = np.where(expected <= most, expected, UNREACHED)
    width = len(paths) * (4 * options["rides"] + 2)  # bytes of one departure
    for parts in (1, 2, 5):
        search = prepared(network_of(made, paths), window, state_bytes=width * -(-len(leave) // parts))
        found, count = all_parts(search, access)
        assert count >= min(parts, len(leave)) - 1
        assert np.array_equal(found, expected)
    assert (expected < UNREACHED).mean() > 0.01


@pytest.mark.parametrize("seed", range(40))
def test_larger_timetables_backwards_equal_single_rounds(seed):
    made, paths, access, by, options = drawn_case(1000 + seed)
    by = [moment + 1800 for moment in by]
    most = 1800 if seed % 4 == 0 else 30_000
    window = Window(tuple(by), most, 0, options["rides"], options["slack"], arrive=True)
    search = prepared(network_of(made, paths), window, state_bytes=1 if seed % 5 == 0 else 2**26)
    expected = by - by_rounds_back(made, paths, access, by, **options)
    expected = np.where(expected <= most, expected, UNREACHED)[:, ::-1]
    assert np.array_equal(all_parts(search, access)[0], expected)


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_sooner_there_who_leaves_later_or_may_ride_less(seed):
    made, paths, access, leave, options = drawn_case(2000 + seed)
    before = None
    for rides in range(1, 7):
        search = prepared(network_of(made, paths), Window(tuple(leave), 30_000, 0, rides, options["slack"]))
        found = all_parts(search, access)[0].astype(np.int64)
        arrivals = np.where(found < UNREACHED, found + leave, NEVER)
        assert (np.diff(arrivals, axis=1) >= 0).all()
        assert before is None or (arrivals <= before).all()
        before = arrivals


# ---------------------------------------------------------------- lines at a headway


def headway_town(tmp_path):
    """Two lines at a headway from a by b to c, one in two intervals, and the timetabled bus."""
    texts = town()
    texts["trips"] += "1,week,h1\n1,week,h2\n"
    for name, hops in {"h1": (0, 300, 900), "h2": (0, 240, 780)}.items():
        for place, (stop, seconds) in enumerate(zip("abc", hops, strict=True), 1):
            texts["stop_times"] += f"{name},{clock(seconds)},{clock(seconds)},{stop},{place}\n"
    texts["frequencies"] = "trip_id,start_time,end_time,headway_secs,exact_times\n" + "".join(
        f"{name},{clock(start)},{clock(end)},{every},0\n" for name, start, end, every, _ in INTERVALS
    )
    return read_timetable(write(tmp_path / "feed.zip", texts), date=DATE)


INTERVALS = [
    ("h1", 7 * 3600, 9 * 3600, 600, (300, 600)),
    ("h1", 9 * 3600, 10 * 3600, 1200, (300, 600)),
    ("h2", 7 * 3600, 23 * 3600, 420, (240, 540)),
]


@pytest.mark.parametrize("draw", range(8))
def test_drawn_vehicles_are_those_that_one_writes_out_by_hand(tmp_path, draw):
    timetable = headway_town(tmp_path)
    made = timetable.connections(headways="drawn", seed=5, draw=draw)
    rows = {(int(trip), int(when)) for trip, when in zip(made.trip, made.depart_s, strict=True)}
    for name, start, end, every, hops in INTERVALS:
        trips = timetable.trips
        (trip,) = np.flatnonzero((trips["trip_id"] == name) & (trips["first_s"] == start))
        own = sorted(when for number, when in rows if number == trip)
        first = own[0]
        assert start <= first < start + every
        by_hand = {when + late for when in range(first, end, every) for late in (0, hops[0])}
        assert set(own) == by_hand
    assert not made.wait_s.any()
    assert np.array_equal(made.depart_s, timetable.connections(headways="drawn", seed=5, draw=draw).depart_s)


def test_half_a_headway_is_waited_on_average(tmp_path):
    timetable = headway_town(tmp_path)
    trips = timetable.trips
    moments = np.arange(7 * 3600, 7 * 3600 + 4200)
    for name, start, _, every, _ in INTERVALS[::2]:
        (trip,) = np.flatnonzero((trips["trip_id"] == name) & (trips["first_s"] == start))
        waits = {}
        for way, draws in (("expected", 1), ("drawn", 400)):
            found = []
            for draw in range(draws):
                made = timetable.connections(headways=way, draw=draw)
                own = (made.trip == trip) & (made.from_stop == made.from_stop[made.trip == trip][0])
                ready = made.depart_s[own] - made.wait_s[own]
                at = np.searchsorted(ready, moments)
                found.append((made.depart_s[own][at] - moments).mean())
            waits[way] = np.mean(found)
        assert waits["expected"] == pytest.approx(every / 2, abs=1)  # a second, since time is whole seconds
        assert waits["drawn"] == pytest.approx(every / 2, rel=0.02)
