"""Travel times by timetable: every arrival equals that of a search that knows nothing but single journeys."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.reach.kernels import NEVER, UNREACHED
from geoplan.reach.linking import Near
from geoplan.reach.network import laid_out
from geoplan.reach.routing import Scratch, Search, Window, ranks_of, stop_times, with_walks

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
