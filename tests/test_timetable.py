"""The timetable of a day: connections, patterns, headways, blank times, staying seated, transfers, filters."""

import dataclasses
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from feeds import DATE, TIMES, clock, town, trips, write
from hypothesis import example, given, settings, strategies as st
from pyproj import Geod

from geoplan.errors import InputError, SpecError
from geoplan.reach.feed_report import feed_report
from geoplan.reach.headways import repeats
from geoplan.reach.staying import seats
from geoplan.reach.stop_times import gather, same_sequences, spans, without_overtaking
from geoplan.reach.timetable import read_timetable
from geoplan.sources.gtfs import read_gtfs

HALL = (
    "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code\n"
    "hall,Hall,59.31,18.00,1,,\na,Alpha,59.30,18.00,0,,\nb1,Hall,59.31,18.00,0,hall,1\nb2,Hall,59.31,18.00,0,hall,2\n"
    "c,Gamma,59.33,18.00,0,,\ndoor,Hall,59.31,18.00,2,hall,\nd,Delta,59.34,18.00,0,,\n"
)


def timed(tmp_path, options=None, **changes):
    return read_timetable(write(tmp_path / "town.zip", town(**changes)), date=DATE, **(options or {}))


def call(stop, time, leave=None):
    """A call as the helpers want it; numbers are minutes past eight."""
    arrive, depart = (
        time if isinstance(time, str) else clock(8 * 3600 + 60 * time)
        for time in (time, time if leave is None else leave)
    )
    return stop, arrive, depart


def rides(timetable, **options):
    """Connections as readable rows: trip, from, to, departure and arrival in minutes past eight, seat."""
    made = timetable.connections(**options)
    names, ids = timetable.stops["stop_id"].to_numpy(), timetable.trips["trip_id"].to_numpy()
    return [
        (ids[trip], names[start], names[end], (leaves - 28800) / 60, (arrives - 28800) / 60)
        for trip, start, end, leaves, arrives in zip(
            made.trip, made.from_stop, made.to_stop, made.depart_s, made.arrive_s, strict=True
        )
    ]


# ---------------------------------------------------------------- connections


def test_connections_are_the_rides_between_stops_sorted_by_departure(tmp_path):
    timetable = timed(tmp_path)
    assert rides(timetable) == [
        ("t1", "a", "b", 0, 5), ("t1", "b", "c", 6, 15), ("t2", "a", "b", 60, 65), ("t2", "b", "c", 66, 75),
    ]  # fmt: skip
    made = timetable.connections()
    assert made.seat.tolist() == [0, 0, 1, 1]
    assert (made.seats, len(made)) == (2, 4)
    assert made.may_board.all()
    assert not made.wait_s.any()
    for name in ("depart_s", "arrive_s", "from_stop", "to_stop", "trip", "seat", "wait_s"):
        assert getattr(made, name).dtype == np.int32, name
    assert made.may_board.dtype == made.may_alight.dtype == bool


def test_stops_without_service_are_left_out_and_the_others_are_points(tmp_path):
    stops = timed(tmp_path).stops
    assert stops["stop_id"].tolist() == ["a", "b", "c"]
    assert stops.crs.to_epsg() == 4326
    assert stops.geometry[1].coords[0] == (18.00, 59.31)
    assert list(stops.columns) == ["stop_id", "name", "feed", "parent_id", "platform", "wheelchair", "geometry"]


def test_rights_to_board_and_alight_follow_pickup_and_drop_off(tmp_path):
    times = TIMES.replace("\n", ",pickup_type,drop_off_type\n") + (
        "t1,08:00:00,08:00:00,a,1,0,1\nt1,08:05:00,08:06:00,b,2,1,0\nt1,08:15:00,08:15:00,c,3,,1\n"
        "t2,09:00:00,09:00:00,a,1,0,1\nt2,09:05:00,09:06:00,b,2,,\nt2,09:15:00,09:15:00,c,3,2,3\n"
    )
    timetable = timed(tmp_path, stop_times=times)
    made = timetable.connections()
    assert made.may_board.tolist() == [True, False, True, True]
    assert made.may_alight.tolist() == [True, False, True, True]
    assert timetable.trips["pattern"].tolist() == [0, 1]  # one sequence of stops, two of rights


def test_a_loop_passes_a_stop_twice(tmp_path):
    loop = trips(("t1", [call("a", 0), call("b", 5), call("c", 9), call("b", 12), call("a", 20)]))
    timetable = timed(tmp_path, **loop)
    assert [ride[1:3] for ride in rides(timetable)] == [("a", "b"), ("b", "c"), ("c", "b"), ("b", "a")]
    assert timetable.pattern_stops.tolist() == [0, 1, 2, 1, 0]


def test_a_trip_of_one_stop_takes_no_one_anywhere(tmp_path):
    timetable = timed(tmp_path, **trips(("t1", [call("a", 0), call("b", 5)]), ("t2", [call("d", 0)])))
    assert timetable.trips["trip_id"].tolist() == ["t1"]
    assert timetable.stops["stop_id"].tolist() == ["a", "b"]


# ---------------------------------------------------------------- patterns


def test_a_trip_that_is_overtaken_gets_a_pattern_of_its_own(tmp_path):
    made = trips(
        ("slow", [call("a", 0), call("b", 20), call("c", 40)]),
        ("fast", [call("a", 5), call("b", 10), call("c", 15)]),
        ("next", [call("a", 10), call("b", 30), call("c", 50)]),
        ("same", [call("a", 10), call("b", 30), call("c", 50)]),
    )
    timetable = timed(tmp_path, **made)
    patterns = timetable.trips.groupby("pattern")["trip_id"].apply(list)
    assert patterns.tolist() == [["slow"], ["fast", "next", "same"]]
    assert np.diff(timetable.pattern_at).tolist() == [3, 3]


times = st.lists(st.lists(st.integers(0, 12), min_size=6, max_size=6), min_size=1, max_size=9)


def chain(rows):
    """Whether each row is nowhere before the one above."""
    return bool((np.diff(rows, axis=0) >= 0).all())


@given(times, st.lists(st.integers(0, 2), min_size=9, max_size=9))
@settings(max_examples=150, deadline=None)
@example([[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]], [0] * 9)  # alike at first departure and last arrival
@example([[0, 1, 3, 3, 9, 9], [0, 1, 2, 2, 9, 9]], [0] * 9)
def test_no_trip_overtakes_another_in_its_pattern(drawn, groups):
    calls = np.sort(np.array(drawn), axis=1)
    group = np.array(groups[: len(drawn)])
    arrive, depart = calls[:, ::2], calls[:, 1::2]
    pattern, order = without_overtaking(group, spans(np.full(len(drawn), 3)), arrive.ravel(), depart.ravel())
    assert (np.diff(pattern[order]) >= 0).all()
    for number in np.unique(pattern):
        assert len(set(group[pattern == number])) == 1
        assert chain(calls[order][pattern[order] == number])
    together = [calls[group == number] for number in np.unique(group)]
    needless = [chain(own[np.argsort(own.sum(axis=1))]) for own in together]
    assert len(np.unique(pattern)) >= len(together)
    assert not all(needless) or len(np.unique(pattern)) == len(together)  # split only where one overtakes


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_sequences_have_one_number_where_they_are_equal(drawn):
    number = same_sequences(spans(np.array([len(own) for own in drawn])), np.array([n for own in drawn for n in own]))
    seen = {}
    assert number.tolist() == [seen.setdefault(tuple(own), len(seen)) for own in drawn]


# ---------------------------------------------------------------- blank times


def geodesic(stops):
    """Straight lines between stops along a list of (lat, lon)."""
    return [Geod(ellps="WGS84").inv(a[1], a[0], b[1], b[0])[2] for a, b in pairwise(stops)]


def test_blank_times_are_filled_by_the_straight_line_rounded_down(tmp_path):
    made = trips(("t1", [call("a", 0), ("b", "", ""), ("c", "", ""), call("d", "08:10:07", "08:12:00")]))
    timetable = timed(tmp_path, **made)
    one, two, three = geodesic([(59.30, 18), (59.31, 18), (59.33, 18), (59.34, 18)])
    whole = one + two + three
    expected = [28800 + int(607 * one / whole), 28800 + int(607 * (one + two) / whole), 28800 + 607]
    assert timetable.connections().arrive_s.tolist() == expected
    assert timetable.record["feeds"][0]["blank_times"] == {
        "blank": 2, "by_shape_distance": 0, "by_straight_line": 2, "about": 0,
    }  # fmt: skip


def test_blank_times_are_filled_by_the_distance_along_the_shape_where_every_stop_has_it(tmp_path):
    times = TIMES.replace("\n", ",shape_dist_traveled\n")
    whole = "t1,08:00:00,08:00:00,a,1,1.5\nt1,,,b,2,2.5\nt1,08:10:00,08:10:00,c,3,5.5\n"
    holes = "t2,09:00:00,09:00:00,a,1,\nt2,,,b,2,2.5\nt2,09:10:00,09:10:00,c,3,5.5\n"
    timetable = timed(tmp_path, stop_times=times + whole + holes)
    line = geodesic([(59.30, 18), (59.31, 18), (59.33, 18)])
    assert timetable.connections().arrive_s.tolist() == [
        28800 + 150, 29400, 32400 + int(600 * line[0] / sum(line)), 33000,
    ]  # fmt: skip
    back = whole.replace("2.5", "9.5").replace("t1", "t2")  # a distance that decreases is no measure
    assert timed(tmp_path, stop_times=times + whole + back).record["feeds"][0]["blank_times"] == {
        "blank": 2, "by_shape_distance": 1, "by_straight_line": 1, "about": 0,
    }  # fmt: skip


def test_one_time_stands_for_both_and_stops_on_one_spot_share_the_time_evenly(tmp_path):
    made = trips(
        ("t1", [("a", "", "08:00:00"), ("b", "08:05:00", ""), ("c", "08:10:00", "")]),
        ("t2", [call("a", 60), ("a", "", ""), ("a", "", ""), call("a", 63)]),
    )
    connections = timed(tmp_path, **made).connections()
    assert connections.depart_s.tolist() == [28800, 29100, 32400, 32460, 32520]
    assert connections.arrive_s.tolist() == [29100, 29400, 32460, 32520, 32580]


def test_times_called_approximate_are_used_and_counted(tmp_path):
    text = town()["stop_times"].replace("sequence\n", "sequence,timepoint\n").replace(",b,2\n", ",b,2,0\n")
    text = text.replace(",a,1\n", ",a,1,1\n").replace(",c,3\n", ",c,3,\n")
    timetable = timed(tmp_path, stop_times=text)
    assert timetable.record["feeds"][0]["blank_times"]["about"] == 2
    assert timetable.connections().arrive_s[0] == 29100


@st.composite
def blanked(draw):
    """A trip with times that never decrease, some of them blank, at stops a to d in any order."""
    size = draw(st.integers(2, 7))
    moments = sorted(draw(st.lists(st.integers(0, 90_000), min_size=2 * size, max_size=2 * size)))
    blank = [False, *(draw(st.booleans()) for _ in range(size - 2)), False]
    stops = [draw(st.sampled_from("abcd")) for _ in range(size)]
    return stops, moments, blank


@given(st.lists(blanked(), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_filled_times_never_run_back_and_equal_the_given_ones(tmp_path_factory, drawn):
    made = trips(*[
        (f"t{n}", [
            (stop, "", "") if hole else (stop, clock(moments[2 * i]), clock(moments[2 * i + 1]))
            for i, (stop, hole) in enumerate(zip(stops, blank, strict=True))
        ])
        for n, (stops, moments, blank) in enumerate(drawn)
    ])  # fmt: skip
    path = write(tmp_path_factory.mktemp("drawn") / "town.zip", town(**made))
    timetable = read_timetable(path, date=DATE, until_s=0)
    own = timetable.trips[timetable.trips["day"] == 0]
    for row, name in own["trip_id"].items():
        _, moments, blank = drawn[int(name[1:])]
        span = slice(timetable.call_at[row], timetable.call_at[row + 1])
        both = np.column_stack([timetable.arrive_s[span], timetable.depart_s[span]])
        assert (np.diff(both.ravel()) >= 0).all()
        assert (both[~np.array(blank)] == np.array(moments).reshape(-1, 2)[~np.array(blank)]).all()
        assert (both[:, 0] == both[:, 1])[np.array(blank)].all()


# ---------------------------------------------------------------- headways

FREQUENCIES = "trip_id,start_time,end_time,headway_secs,exact_times\n"


def test_exact_headways_are_written_out_below_the_end(tmp_path):
    rows = "t1,06:00:00,06:20:00,600,1\nt1,06:20:00,06:31:00,300,1\n"
    timetable = timed(tmp_path, frequencies=FREQUENCIES + rows)
    own = timetable.trips[timetable.trips["trip_id"] == "t1"]
    minutes = [0, 10, 20, 25, 30]
    assert own["first_s"].tolist() == [6 * 3600 + 60 * minute for minute in minutes]
    assert own["headway_s"].tolist() == [0] * 5
    assert rides(timetable)[:2] == [("t1", "a", "b", -120, -115), ("t1", "b", "c", -114, -105)]
    assert timetable.connections().seats == 6
    assert set(timetable.trips["pattern"]) == {0}


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 900), st.integers(1, 400)), min_size=1, max_size=5),
)
@settings(max_examples=100, deadline=None)
def test_repeats_equal_a_list_made_by_hand(intervals):
    start, length, every = (np.array(column) for column in zip(*intervals, strict=True))
    row, sets_out = repeats(start, start + length, every)
    by_hand = [
        (number, begin + k * step)
        for number, (begin, span, step) in enumerate(intervals)
        for k in range(1 + span // step)
        if begin + k * step < begin + span
    ]
    assert list(zip(row.tolist(), sets_out.tolist(), strict=True)) == by_hand


def test_drawn_headways_have_one_offset_an_interval_and_the_seed_decides_it(tmp_path):
    rows = "t1,06:00:00,08:00:00,600,0\nt1,08:00:00,10:00:00,1200,\n"
    timetable = timed(tmp_path, frequencies=FREQUENCIES + rows)
    assert timetable.trips["headway_s"].tolist() == [0, 600, 1200]
    assert timetable.trips["until_s"].tolist() == [0, 8 * 3600, 10 * 3600]
    first, again = (timetable.connections(headways="drawn", seed=4, draw=2) for _ in range(2))
    for name in ("depart_s", "arrive_s", "seat", "trip"):
        assert (getattr(first, name) == getattr(again, name)).all()
    for row, (start, headway) in {1: (6 * 3600, 600), 2: (8 * 3600, 1200)}.items():
        leaves = np.sort(first.depart_s[(first.trip == row) & (first.from_stop == 0)])
        assert (np.diff(leaves) == headway).all()
        assert start <= leaves[0] < start + headway
        assert leaves[-1] < start + 7200 <= leaves[-1] + headway
    assert not first.wait_s.any()
    offsets = {
        int(timetable.connections(headways="drawn", seed=seed, draw=draw).depart_s.min())
        for seed in range(6)
        for draw in range(6)
    }
    assert len(offsets) > 20
    many = [timetable.connections(headways="drawn", draw=draw).depart_s.min() - 6 * 3600 for draw in range(400)]
    assert abs(np.mean(many) - 300) < 30  # uniform from 0 to the headway


def test_a_line_is_drawn_alike_whatever_else_runs(tmp_path):
    rows = "t1,06:00:00,08:00:00,600,0\nt2,08:00:00,10:00:00,1200,\n"
    both = timed(tmp_path, frequencies=FREQUENCIES + rows).connections(headways="drawn", seed=1)
    alone = timed(tmp_path, frequencies=FREQUENCIES + rows, trips="route_id,service_id,trip_id\n1,none,t1\n1,week,t2\n",
                  calendar=town()["calendar"] + "none,0,0,0,0,0,0,0,20240101,20240630\n")  # fmt: skip
    alone = alone.connections(headways="drawn", seed=1)
    assert len(alone) < len(both)
    assert set(alone.depart_s) <= set(both.depart_s)


def test_an_expected_headway_waits_half_of_it_on_average(tmp_path):
    rows = "t1,06:00:00,08:00:00,600,0\nt2,06:00:00,08:00:00,45,0\n"
    timetable = timed(tmp_path, frequencies=FREQUENCIES + rows)
    made = timetable.connections(headways="expected", step_s=60)
    boards = (made.trip == 0) & (made.from_stop == 0)
    leaves = np.sort(made.depart_s[boards])
    assert leaves.tolist() == list(range(6 * 3600, 8 * 3600, 60))
    assert set(made.wait_s[made.trip == 0]) == {270}
    moments = np.arange(6 * 3600, 7 * 3600)
    waits = leaves[np.searchsorted(leaves, moments)] - moments + 270
    assert waits.mean() == pytest.approx(300, abs=1)
    assert set(made.wait_s[made.trip == 1]) == {0}  # oftener than every step: vehicles at the headway itself
    assert np.diff(np.sort(made.depart_s[(made.trip == 1) & (made.from_stop == 0)])).max() == 45
    assert len(np.unique(made.seat)) == made.seats == 120 + 160


def test_a_headway_line_keeps_its_own_pattern_and_other_words_are_refused(tmp_path):
    timetable = timed(tmp_path, frequencies=FREQUENCIES + "t1,06:00:00,08:00:00,600,0\n")
    assert timetable.trips["pattern"].tolist() == [0, 1]
    with pytest.raises(InputError, match="no treatment of headways is called 'mean'"):
        timetable.connections(headways="mean")


@pytest.mark.parametrize(
    "asked", [{"seed": "a"}, {"seed": -1}, {"draw": 2**70}, {"draw": 0.5}, {"step_s": 0}, {"step_s": "60"}]
)
def test_unfit_numbers_are_refused_in_words(tmp_path, asked):
    timetable = timed(tmp_path)
    (name,) = asked
    with pytest.raises(SpecError, match=f"key '{name}': {name} cannot be"):
        timetable.connections(headways="drawn", **asked)


@pytest.mark.parametrize("until_s", ["x", float("nan"), -1, True])
def test_an_unfit_limit_is_refused_in_words(tmp_path, until_s):
    with pytest.raises(SpecError, match="key 'until_s': until_s cannot be"):
        timed(tmp_path, {"until_s": until_s})


def test_yesterdays_headway_reaches_into_the_day(tmp_path):
    rows = "t1,22:00:00,25:00:00,600,0\n"
    timetable = timed(tmp_path, frequencies=FREQUENCIES + rows)
    own = timetable.trips[timetable.trips["trip_id"] == "t1"]
    assert own[["day", "first_s", "until_s"]].to_numpy().tolist() == [
        [-1, -7200, 3600], [0, 79200, 90000], [1, 165600, 176400],
    ][:2]  # fmt: skip


# ---------------------------------------------------------------- staying seated


def blocks(made, **block):
    """Give trips blocks."""
    head, *rows = made["trips"].splitlines()
    rows = [f"{row},{block.get(row.rsplit(',', 1)[1], '')}" for row in rows]
    return made | {"trips": "\n".join([f"{head},block_id", *rows]) + "\n"}


CHAIN = trips(
    ("t1", [call("a", 0), call("b", 5)]),
    ("t2", [call("b", 5), call("c", 9)]),
    ("t3", [call("c", 12), call("d", 20)]),
    ("t4", [call("d", 60), call("a", 70)]),
    ("t5", [call("a", 65), call("b", 75)]),
)


def test_passengers_stay_seated_while_a_vehicle_goes_on_in_its_block(tmp_path):
    chained = blocks(CHAIN, t1="x", t2="x", t3="x", t4="y", t5="y")
    timetable = timed(tmp_path, **chained)
    made = timetable.connections()
    seat = dict(zip(timetable.trips["trip_id"].to_numpy()[made.trip], made.seat, strict=True))
    assert seat["t1"] == seat["t2"] == seat["t3"]
    assert len({seat["t1"], seat["t4"], seat["t5"]}) == made.seats == 3  # t5 leaves a before t4 arrives there
    assert timetable.record["counts"]["seats_joined"] == 2
    place = dict(zip(timetable.trips["trip_id"], timetable.seat_place, strict=True))
    assert [place[f"t{n}"] for n in range(1, 6)] == [0, 2, 4, 0, 0]
    apart = timed(tmp_path, {"in_seat": False}, **chained)
    assert apart.connections().seats == 5


def test_a_vehicle_that_goes_on_elsewhere_is_left_unless_it_is_the_same_station(tmp_path):
    made = trips(("t1", [call("a", 0), call("b1", 5)]), ("t2", [call("b2", 7), call("c", 9)]),
                 ("t3", [call("d", 12), call("a", 20)]))  # fmt: skip
    timetable = timed(tmp_path, stops=HALL, **blocks(made, t1="x", t2="x", t3="x"))
    assert timetable.connections().seat.tolist() == [0, 0, 1]


def test_trips_without_duration_stay_in_order(tmp_path):
    made = trips(("t2", [call("b", 5), call("c", 5), call("d", 9)]), ("t1", [call("a", 5), call("b", 5)]),
                 ("t0", [call("d", 4), call("a", 5)]))  # fmt: skip
    timetable = timed(tmp_path, **blocks(made, t0="x", t1="x", t2="x"))
    assert [ride[:3] for ride in rides(timetable)] == [
        ("t0", "d", "a"), ("t1", "a", "b"), ("t2", "b", "c"), ("t2", "c", "d"),
    ]  # fmt: skip


STAY = "from_stop_id,to_stop_id,transfer_type,from_trip_id,to_trip_id\n"


def test_transfer_type_4_joins_trips_and_type_5_parts_those_of_a_block(tmp_path):
    chained = blocks(CHAIN, t1="x", t2="x")
    timetable = timed(tmp_path, **chained, transfers=STAY + "b,b,5,t1,t2\n,,4,t2,t3\n")
    made = timetable.connections()
    seat = dict(zip(timetable.trips["trip_id"].to_numpy()[made.trip], made.seat, strict=True))
    assert seat["t2"] == seat["t3"] != seat["t1"]
    names, ids = timetable.stops["stop_id"], timetable.trips["trip_id"]
    told = [
        (names[row.from_stop], names[row.to_stop], row.kind, ids[row.from_trip], ids[row.to_trip])
        for row in timetable.transfers.itertuples()
    ]
    assert told == [("b", "b", 5, "t1", "t2"), ("c", "c", 4, "t2", "t3")]


def test_trips_kept_apart_by_type_5_need_no_trips_that_stay(tmp_path):
    timetable = timed(tmp_path, **blocks(CHAIN), transfers=STAY + ",,5,t1,t2\n")
    assert timetable.record["counts"]["seats_joined"] == 0
    assert timetable.transfers["kind"].tolist() == [5]


def test_blocks_of_trips_with_a_headway_are_ignored_and_said(tmp_path):
    chained = blocks(CHAIN, t1="x", t2="x")
    timetable = timed(tmp_path, **chained, frequencies=FREQUENCIES + "t1,08:00:00,09:00:00,600,1\n")
    assert timetable.record["notes"] == ["town.zip: blocks of 1 trips with a headway are ignored"]
    assert timetable.record["counts"]["seats_joined"] == 0


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_seats_follow_chains_of_any_length(data):
    size = data.draw(st.integers(1, 12))
    order = data.draw(st.permutations(range(size)))
    cuts = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    calls = np.array(data.draw(st.lists(st.integers(2, 9), min_size=size, max_size=size)))
    follower, leader, passed = np.full(size, -1), {}, {}
    for place, (trip, cut) in enumerate(zip(order, cuts, strict=True)):
        before = order[place - 1]
        if cut or not place:
            leader[trip], passed[trip] = trip, 0
        else:
            follower[before] = trip
            leader[trip], passed[trip] = leader[before], passed[before] + calls[before]
    seat, place = seats(follower, calls)
    assert place.tolist() == [passed[trip] for trip in range(size)]
    for one in range(size):
        for other in range(size):
            assert (seat[one] == seat[other]) == (leader[one] == leader[other])


# ---------------------------------------------------------------- transfers.txt

AT_HALL = trips(("t1", [call("a", 0), call("b1", 5)]), ("t2", [call("b2", 7), call("c", 9)]))


def told(timetable):
    names = timetable.stops["stop_id"].to_numpy()
    table = timetable.transfers
    return sorted(zip(names[table["from_stop"]], names[table["to_stop"]], table["kind"], table["min_s"], strict=True))


def test_transfers_of_a_station_hold_for_its_platforms_and_those_of_platforms_come_first(tmp_path):
    rows = "hall,hall,2,120\na,hall,1,\nb1,b2,3,\ndoor,a,2,60\nc,d,0,\n"
    text = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n" + rows
    assert told(timed(tmp_path, stops=HALL, transfers=text, **AT_HALL)) == [
        ("a", "b1", 1, 0), ("a", "b2", 1, 0), ("b1", "b1", 2, 120), ("b1", "b2", 3, 0), ("b2", "b1", 2, 120),
        ("b2", "b2", 2, 120),
    ]  # fmt: skip


def test_transfers_of_trips_and_routes_keep_them(tmp_path):
    text = (
        "from_stop_id,to_stop_id,transfer_type,from_trip_id,to_trip_id,from_route_id,to_route_id\n"
        "b1,b2,1,t1,t2,,\nb1,b2,3,,,1,\nb1,b2,0,,,,\n"
    )
    table = timed(tmp_path, stops=HALL, transfers=text, **AT_HALL).transfers
    assert table[["kind", "from_trip", "to_trip", "from_route", "to_route"]].to_numpy().tolist() == [
        [1, 0, 1, "", ""], [3, -1, -1, "1", ""], [0, -1, -1, "", ""],
    ]  # fmt: skip


# ---------------------------------------------------------------- filters

ACCESS = "route_id,service_id,trip_id,wheelchair_accessible,bikes_allowed\n1,week,t1,1,2\n1,week,t2,,1\n"


def test_wheelchairs_need_trips_and_stops_that_take_them_and_the_unknown_are_counted(tmp_path):
    stops = "stop_id,stop_lat,stop_lon,wheelchair_boarding\na,59.30,18.00,1\nb,59.31,18.00,2\nc,59.33,18.00,\n"
    timetable = timed(tmp_path, {"wheelchair": True}, trips=ACCESS, stops=stops)
    made = timetable.connections()
    assert timetable.trips["trip_id"].tolist() == ["t1"]
    assert made.may_board.tolist() == [True, False]
    assert made.may_alight.tolist() == [False, False]
    assert timetable.record["notes"] == [
        "town.zip: of 2 trips 0 take no wheelchairs and are left out, and 1 do not say and are left out",
        "of 3 stops 1 are not accessible to wheelchairs and are passed by, and 1 do not say and are passed by",
    ]
    lenient = timed(tmp_path, {"wheelchair": True, "keep_unknown": True}, trips=ACCESS, stops=stops)
    assert lenient.trips["trip_id"].tolist() == ["t1", "t2"]
    assert lenient.connections().may_alight.tolist() == [False, True, False, True]


def test_bicycles_need_trips_that_take_them(tmp_path):
    assert timed(tmp_path, {"bikes": True}, trips=ACCESS).trips["trip_id"].tolist() == ["t2"]
    none = ACCESS.replace(",1\n", ",\n")
    with pytest.raises(InputError) as error:
        timed(tmp_path, {"bikes": True}, trips=none)
    assert str(error.value) == (
        f"no trip is left on {DATE}. Expected: at least one that passes the filters. "
        "Hint: keep_unknown=True counts trips that do not say as fit"
    )


def test_kinds_and_routes_are_chosen_by_name(tmp_path):
    routes = "route_id,route_short_name,route_type\n1,17,109\n2,18,704\n"
    both = ACCESS.replace("1,week,t2", "2,week,t2")
    for options, left in (
        ({"kinds": ["rail"]}, ["t1"]), ({"kinds": {"bus", "tram"}}, ["t2"]), ({"kinds": "bus"}, ["t2"]),
        ({"routes": ["17"]}, ["t1"]),
        ({"routes": ["2"]}, ["t2"]), ({"routes": ["1", "18"]}, ["t1", "t2"]),
    ):  # fmt: skip
        timetable = timed(tmp_path, options, routes=routes, trips=both)
        assert timetable.trips["trip_id"].tolist() == left
    assert timetable.trips[["line", "kind"]].to_numpy().tolist() == [["17", "rail"], ["18", "bus"]]
    with pytest.raises(InputError, match="no kind of route is called 'train'"):
        timed(tmp_path, {"kinds": ["train"]})
    with pytest.raises(InputError, match=r"no route is called '171'\. Hint: did you mean '17'\?"):
        timed(tmp_path, {"routes": ["171"]}, routes=routes, trips=both)


# ---------------------------------------------------------------- the whole


def test_what_is_not_given_by_name_is_named_by_what_there_is(tmp_path):
    routes = "route_id,route_short_name,route_long_name,route_type\n1,,The Long Line,3\n2,,,3\n"
    made = timed(tmp_path, routes=routes, trips=ACCESS.replace("1,week,t2", "2,week,t2"))
    assert made.trips["line"].tolist() == ["The Long Line", "2"]


def test_the_record_says_what_went_in(tmp_path):
    record = timed(tmp_path).record
    assert record["date"] == DATE
    assert record["reason"] == "asked for"
    assert record["counts"] == {
        "stops": 3, "trips": 2, "headway_trips": 0, "patterns": 1, "calls": 6, "transfers": 0, "seats_joined": 0,
    }  # fmt: skip
    assert record["feeds"][0]["sha256"] == read_gtfs(tmp_path / "town.zip").feeds[0].sha256
    assert record["filters"]["wheelchair"] is False


def test_two_feeds_may_use_the_same_ids(tmp_path):
    one, two = write(tmp_path / "one.zip", town()), write(tmp_path / "two.zip", town())
    timetable = read_timetable([one, two], date=DATE)
    assert timetable.stops["feed"].tolist() == [0, 0, 0, 1, 1, 1]
    assert timetable.trips["feed"].tolist() == [0, 0, 1, 1]
    assert timetable.connections().from_stop.tolist() == [0, 3, 1, 4, 0, 3, 1, 4]


@st.composite
def networks(draw):
    """Some trips over stops a to d, in blocks or not."""
    made, block = [], {}
    for number in range(draw(st.integers(1, 6))):
        size = draw(st.integers(2, 5))
        moments = sorted(draw(st.lists(st.integers(0, 60), min_size=size, max_size=size)))
        made.append((f"t{number}", [call(draw(st.sampled_from("abcd")), moment) for moment in moments]))
        block[f"t{number}"] = draw(st.sampled_from(["", "x", "y"]))
    return blocks(trips(*made), **block), dict(made)


def test_rows_of_a_pattern_are_in_order_at_every_stop_also_where_both_ends_are_alike(tmp_path):
    late = [call("a", 0), call("b", 6), call("c", 15)]
    timetable = timed(tmp_path, **trips(("late", late), ("early", [call("a", 0), call("b", 5), call("c", 15)])))
    assert timetable.trips["trip_id"].tolist() == ["early", "late"]
    assert timetable.trips["pattern"].tolist() == [0, 0]


@given(networks())
@settings(max_examples=20, deadline=None)
def test_connections_are_sorted_and_every_trips_follow_one_another(tmp_path_factory, drawn):
    texts, made = drawn
    timetable = read_timetable(write(tmp_path_factory.mktemp("drawn") / "town.zip", town(**texts)), date=DATE)
    connections = timetable.connections()
    assert (np.diff(connections.depart_s) >= 0).all()
    assert (connections.arrive_s >= connections.depart_s).all()
    names = timetable.stops["stop_id"].to_numpy()
    for row, trip in enumerate(timetable.trips["trip_id"]):
        own = np.flatnonzero(connections.trip == row)
        assert len(own) == len(made[trip]) - 1
        assert (connections.to_stop[own][:-1] == connections.from_stop[own][1:]).all()
        assert (connections.arrive_s[own][:-1] <= connections.depart_s[own][1:]).all()
        assert names[np.append(connections.from_stop[own], connections.to_stop[own[-1]])].tolist() == [
            stop for stop, *_ in made[trip]
        ]
    for seat in range(connections.seats):
        own = np.flatnonzero(connections.seat == seat)
        assert (connections.to_stop[own][:-1] == connections.from_stop[own][1:]).all()
        assert (connections.arrive_s[own][:-1] <= connections.depart_s[own][1:]).all()
    pattern = timetable.trips["pattern"].to_numpy()
    assert (np.diff(pattern) >= 0).all()
    assert (np.diff(timetable.call_at) == np.diff(timetable.pattern_at)[pattern]).all()


def test_gathering_runs():
    assert gather(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
    assert spans(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]


# ---------------------------------------------------------------- the report


def test_the_report_counts_by_hand(tmp_path):
    path = write(
        tmp_path / "town.zip",
        town(
            frequencies=FREQUENCIES + "t2,10:00:00,11:00:00,600,0\n",
            stop_times=town()["stop_times"].replace("08:05:00,08:06:00", ",") + "t9,08:00:00,08:00:00,a,1\n",
            routes="route_id,route_type\n1,3\n2,0\n3,900\n",
        ),
    )
    report = feed_report(path, date=DATE)
    figures = report.feeds.loc[0].drop("sha256").to_dict()
    assert figures == {
        "feed": "town.zip", "zone": "Europe/Stockholm", "agencies": 1, "routes": 3, "stops": 4, "stations": 0,
        "trips": 2, "stop_times": 6, "blank_share": pytest.approx(1 / 6),
        "first_day": pd.Timestamp("2024-01-01").date(), "last_day": pd.Timestamp("2024-06-28").date(),
        "usual_departures": 7,
    }  # fmt: skip
    assert report.routes.to_numpy().tolist() == [["town.zip", "bus", 1, 2], ["town.zip", "tram", 2, 0]]
    assert report.stops["departures"].tolist() == [7, 7, 0, 0]
    assert report.extent == (18.0, 59.30, 18.0, 59.34)
    assert len(report.dropped) == 1
    assert set(report.thin_days["weekday"]) == {"Saturday", "Sunday"}
    assert len(report.service) == 180
    frame = report.to_frame().set_index("figure")["value"]
    assert frame["departures from stops on the date"] == "14"
    assert frame["routes: tram"] == "2"
    assert "left out: 1 rows, 1 kinds of fault" in str(report)
    with pytest.raises(InputError, match="unknown trip_id 't9'"):
        feed_report(path, strict=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.date = None


def test_a_report_of_a_station_counts_its_platforms(tmp_path):
    report = feed_report(write(tmp_path / "town.zip", town(stops=HALL, **AT_HALL)), date=DATE)
    assert report.feeds.loc[0, ["stops", "stations"]].tolist() == [5, 1]
    assert dict(zip(report.stops["stop_id"], report.stops["departures"], strict=True)) == {
        "a": 1, "b1": 0, "b2": 1, "c": 0, "d": 0,
    }  # fmt: skip
