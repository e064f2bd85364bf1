"""Travel times between many points: the same numbers in whatever parts, on whatever threads, and what is refused."""

import json
from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point

from geoplan.errors import GeoplanError, InputError, OutputError
from geoplan.reach import (
    UNREACHED,
    filling,
    join_network,
    network as networks,
    read_streets,
    read_timetable,
    travel_times,
    window_profile,
)
from geoplan.reach.matrix import Job
from geoplan.sources import home, read_vector

DAY = "2012-10-09"
MORNING = {"departure": f"{DAY} 07:30"}


@pytest.fixture(scope="module")
def network():
    streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    return join_network(streets, read_timetable(home() / "data/nordhamra_gtfs.zip", date=DAY))


@pytest.fixture(scope="module")
def points():
    areas = read_vector(home() / "data/nordhamra.gpkg", "basomraden").set_index("area_id")
    return gpd.GeoDataFrame(geometry=areas.representative_point())


@pytest.fixture(scope="module")
def whole(network, points):
    return travel_times(points, points, network, **MORNING, percentiles=(0, 25, 50, 75, 100), threads=1)


def test_threads_and_parts_change_no_number(network, points, whole, monkeypatch):
    monkeypatch.setattr(filling, "_CHUNK", 7)
    again = travel_times(points, points, network, **MORNING, percentiles=whole.percentiles, threads=3)
    assert (again.seconds == whole.seconds).all()
    monkeypatch.setattr(filling, "_LEAST_STATE", 2**12)  # a sweep for each few departures
    again = travel_times(points, points, network, **MORNING, percentiles=whole.percentiles, memory_mb=0.2)
    assert (again.seconds == whole.seconds).all()


def test_a_window_is_its_departures_one_by_one(network, points):
    some = points.iloc[::13]
    window = {"window_min": 9, "step_min": 3}
    shares = (1, 50, 100)
    together = travel_times(some, points, network, **MORNING, **window, percentiles=shares)
    single = [
        travel_times(some, points, network, departure=f"{DAY} 07:{30 + 3 * step}", window_min=0).seconds[:, :, 0]
        for step in range(3)
    ]
    assert (together.seconds == np.sort(np.stack(single, axis=2), axis=2)).all()


def test_percentiles_rise_and_count_what_is_not_reached(network, points):
    short = travel_times(points, points, network, **MORNING, max_min=25, percentiles=(5, 50, 95))
    seconds = short.seconds.astype(int)
    assert (np.diff(seconds, axis=2) >= 0).all()
    some = (seconds[:, :, 0] != UNREACHED) & (seconds[:, :, 2] == UNREACHED)
    assert some.any()
    assert seconds[seconds != UNREACHED].max() <= 25 * 60


def test_arriving_by_a_time_is_no_slower_than_some_departure_that_is_there_in_time(network, points):
    some, goals = points.iloc[::11], points.iloc[::17]
    by = travel_times(some, goals, network, arrival=f"{DAY} 08:30", window_min=0)
    leave = travel_times(some, goals, network, departure=f"{DAY} 06:30", window_min=120, percentiles=0, max_min=120)
    assert by.seconds.shape == (len(some), len(goals), 1)
    reached = by.seconds != UNREACHED
    assert reached.mean() > 0.8
    # Nobody who is there by half past eight travels quicker than the quickest trip of the two hours before.
    assert (by.seconds[reached] >= leave.seconds[reached]).all()


def test_a_point_is_at_itself_at_once_and_two_points_at_one_place_too(network, points, whole):
    assert (np.diagonal(whole.seconds[:, :, 2]) == 0).all()
    twice = gpd.GeoDataFrame(geometry=[points.geometry.iloc[0]] * 2, index=["a", "b"], crs=points.crs)
    assert travel_times(twice, twice, network, **MORNING).seconds.max() == 0


def test_points_on_no_street_are_listed_with_the_reason_and_reach_nothing(network, points):
    far = Point(points.geometry.iloc[0].x + 60_000, points.geometry.iloc[0].y)
    lost = gpd.GeoDataFrame(geometry=[far, None, points.geometry.iloc[0]], index=["far", "none", "in"], crs=points.crs)
    times = travel_times(lost, points, network, **MORNING)
    assert times.unsnapped[["side", "id"]].to_numpy().tolist() == [["from", "far"], ["from", "none"]]
    assert "m from the nearest street" in times.unsnapped["reason"].iloc[0]
    assert times.unsnapped["reason"].iloc[1] == "no coordinates"
    assert (times.seconds[:2] == UNREACHED).all()
    nowhere = gpd.GeoDataFrame(geometry=[None], index=["also none"], crs=points.crs)
    assert (travel_times(lost, nowhere, network, **MORNING).seconds == UNREACHED).all()
    assert (times.seconds[2] != UNREACHED).any()


def test_islands_without_a_way_between_them_are_not_reached():
    lines = [LineString([(0, 0), (500, 0)]), LineString([(0, 900), (500, 900)])]
    place = [(674_000, 6_580_000)]
    moved = [LineString([(x + place[0][0], y + place[0][1]) for x, y in line.coords]) for line in lines]
    streets = read_streets(gpd.GeoDataFrame(geometry=moved, crs=3006), min_subgraph=1)
    ends = gpd.GeoDataFrame(geometry=[Point(674_100, 6_580_000), Point(674_100, 6_580_900)], crs=3006)
    seconds = travel_times(ends, ends, streets).seconds[:, :, 0]
    assert seconds.tolist() == [[0, UNREACHED], [UNREACHED, 0]]


def test_one_way_streets_are_driven_one_way():
    around = [(0, 0), (800, 0), (800, 800), (0, 800), (0, 0)]
    lines = [LineString([(674_000 + x, 6_580_000 + y) for x, y in pair]) for pair in pairwise(around)]
    frame = gpd.GeoDataFrame({"kmh": 36.0, "way": "yes"}, geometry=lines, crs=3006, index=range(4))
    streets = read_streets(frame, mode="drive", speed="kmh", oneway="way", min_subgraph=1)
    ends = gpd.GeoDataFrame(geometry=[Point(674_000, 6_580_000), Point(674_800, 6_580_000)], crs=3006)
    assert travel_times(ends, ends, streets).seconds[:, :, 0].tolist() == [[0, 80], [240, 0]]


def test_what_was_done_is_not_done_again(network, points, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "_CHUNK", 16)
    run, asked = Job.run, []

    def stopped(job, numbers, scratch=None):
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(numbers[0])
        return run(job, numbers, scratch)

    question = {**MORNING, "percentiles": whole.percentiles, "folder": tmp_path / "times", "threads": 1}
    monkeypatch.setattr(Job, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        travel_times(points, points, network, **question)
    asked.clear()
    monkeypatch.setattr(Job, "run", lambda job, numbers, scratch=None: asked.append(0) or run(job, numbers, scratch))
    found = travel_times(points, points, network, **question)
    assert len(asked) == -(-len(points) // 16) - 3
    assert (found.seconds == whole.seconds).all()
    asked.clear()
    assert (travel_times(points, points, network, **question).seconds == whole.seconds).all()
    assert not asked


def test_a_folder_of_something_else_is_left_alone(network, points, tmp_path):
    some, folder = points.iloc[:3], tmp_path / "times"
    travel_times(some, some, network, **MORNING, folder=folder)
    with pytest.raises(InputError, match=r"holds the answer to another question.*Hint: points, network or options"):
        travel_times(some, some, network, **MORNING, folder=folder, rides=1)
    (folder / "question.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match=r"holds something else"):
        travel_times(some, some, network, **MORNING, folder=folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"holds something else.*Hint: name a new or empty folder"):
        travel_times(some, some, network, **MORNING, folder=other)
    with pytest.raises(OutputError, match=r"cannot be kept there"):
        travel_times(some, some, network, **MORNING, folder=other / "letter.txt")


def test_a_damaged_folder_is_a_fault_in_words(network, points, tmp_path):
    some, folder = points.iloc[:3], tmp_path / "times"
    travel_times(some, some, network, **MORNING, folder=folder)
    (folder / "done.npy").write_bytes(b"")
    with pytest.raises(GeoplanError, match=r"times: the travel times cannot be kept there"):
        travel_times(some, some, network, **MORNING, folder=folder)


@pytest.mark.parametrize("lost", [1, 400])
def test_an_answer_that_was_cut_short_is_not_filled_with_zeros(network, points, tmp_path, lost):
    some, folder = points.iloc[:40], tmp_path / "times"
    travel_times(some, some, network, **MORNING, folder=folder)
    kept = (folder / "seconds.npy").read_bytes()
    (folder / "seconds.npy").write_bytes(kept[:-lost])
    with pytest.raises(GeoplanError, match=r"times: the travel times cannot be kept there"):
        travel_times(some, some, network, **MORNING, folder=folder)
    assert (folder / "seconds.npy").read_bytes() == kept[:-lost]
    np.save(folder / "seconds.npy", np.zeros((40, 40, 1)))
    with pytest.raises(GeoplanError, match=r"its files do not fit each other"):
        travel_times(some, some, network, **MORNING, folder=folder)


def test_an_answer_that_does_not_fit_in_memory_is_refused_unless_a_folder_takes_it(network, points, tmp_path):
    with pytest.raises(InputError, match=r"memory_mb.*Hint: give a folder to write it to"):
        travel_times(points, points, network, **MORNING, memory_mb=0.01)
    times = travel_times(points, points, network, **MORNING, memory_mb=0.01, folder=tmp_path / "times")
    assert times.seconds.shape == (len(points), len(points), 1)


def test_every_fault_of_a_question_is_told_at_once(network, points):
    with pytest.raises(InputError) as error:
        travel_times(
            points, points, network, departure="tomorrow", rides=2.5, max_min=0.5e9, headways="guessed", slack_s=-1
        )
    told = [str(fault) for fault in error.value.faults]
    assert len(told) == 5
    assert "key 'rides': rides cannot be 2.5. Expected: a whole number from 0 to 20." in told
    assert any("'tomorrow' is no moment. Expected: a date and a time of day" in line for line in told)
    assert any("headways cannot be 'guessed'" in line for line in told)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, r"neither departure nor arrival is given"),
        ({"departure": f"{DAY} 07:00", "arrival": f"{DAY} 08:00"}, r"departure and arrival are both given"),
        ({"departure": "2012-10-12 07:00"}, r"made for 2012-10-09, not for 2012-10-12.*date='2012-10-12'"),
        ({**MORNING, "percentiles": ()}, r"percentiles cannot be \(\)"),
        ({**MORNING, "percentiles": (50, 50)}, r"percentiles cannot be \(50, 50\)"),
        ({**MORNING, "percentiles": 101}, r"percentiles cannot be 101"),
        ({**MORNING, "percentiles": True}, r"percentiles cannot be True"),
        ({**MORNING, "percentiles": None}, r"percentiles cannot be None"),
        ({**MORNING, "step_min": 0}, r"step_min cannot be 0"),
        ({**MORNING, "max_egress_m": -1}, r"max_egress_m cannot be -1"),
        ({**MORNING, "max_egress_m": float("nan")}, r"max_egress_m cannot be nan"),
        ({**MORNING, "memory_mb": float("nan")}, r"memory_mb cannot be nan"),
        ({**MORNING, "threads": 0}, r"threads cannot be 0. Expected: a whole number from 1"),
        ({**MORNING, "workers": 4}, r"workers cannot be 4. Expected: a Dask client"),
        ({"departure": DAY}, r"'2012-10-09' has no time of day"),
        ({"departure": "2012-10-10 05:30"}, r"2012-10-09 ends at 06:00 \(\+1 d\), the last departure is at 06:29"),
        ({"arrival": "2012-10-10 06:00", "window_min": 2}, r"key 'arrival': .*the last deadline is at 06:01"),
    ],
)
def test_a_question_out_of_bounds_is_refused(network, points, question, message):
    with pytest.raises(InputError, match=message):
        travel_times(points, points, network, **question)


def test_numbers_of_numpy_are_numbers(network, points):
    some, asked = points.iloc[:3], {"window_min": np.int64(5), "max_walk_min": np.float32(20), "rides": np.int8(3)}
    found = travel_times(some, some, network, **MORNING, **asked, percentiles=np.array([75, 25]), threads=np.int64(1))
    plain = travel_times(some, some, network, **MORNING, window_min=5, max_walk_min=20, rides=3, percentiles=(25, 75))
    assert (found.seconds == plain.seconds).all()
    assert found.percentiles == (25, 75)


def test_what_is_no_network_is_refused(network, points):
    with pytest.raises(InputError, match=r"the network is a Timetable.*Hint: join_network"):
        travel_times(points, points, network.timetable, **MORNING)


def test_the_record_has_all_that_was_asked_and_what_the_day_lacks(network, points):
    some = points.iloc[:2]
    record = travel_times(some, some, network, **MORNING, window_min=0, max_egress_m=700).record
    assert (record["asked"]["max_egress_m"], record["notes"]) == (700, [])
    late = travel_times(some, some, network, departure=f"{DAY} 23:00", window_min=0, max_min=421).record["notes"]
    assert late[0].startswith("vehicles of the next day that set out after 06:00 (+1 d) are not in the timetable")
    early = travel_times(some, some, network, arrival=f"{DAY} 00:30", window_min=0).record["notes"]
    assert early[0].startswith("vehicles that were there before 2012-10-09 began are not in the timetable")
    for moment in ({"departure": f"{DAY} 23:00", "max_min": 420}, {"arrival": f"{DAY} 02:00"}):
        assert travel_times(some, some, network, **moment, window_min=0).record["notes"] == []


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"transfer_m": -1}, r"transfer_m cannot be -1"),
        ({"transfer_min": float("nan")}, r"transfer_min cannot be nan"),
        ({"stop_link_kmh": 0}, r"stop_link_kmh cannot be 0. Expected: a speed above 0"),
        ({"radius_m": -1}, r"is not a link radius"),
        ({"threads": -1}, r"threads cannot be -1"),
    ],
)
def test_a_network_is_joined_by_limits_that_are_some(network, option, message):
    with pytest.raises(InputError, match=message):
        join_network(network.streets, network.timetable, **option)


def test_one_radius_is_the_far_one(network):
    assert join_network(network.streets, network.timetable, radius_m=500).radius_m == (500,)


def test_points_without_a_coordinate_system_are_refused(network, points):
    bare = points.set_crs(None, allow_override=True)
    with pytest.raises(InputError, match=r"coordinate"):
        travel_times(bare, points, network, **MORNING)


def test_draws_are_the_same_for_a_seed_and_differ_without(network, points):
    some = points.iloc[::9]
    question = {**MORNING, "headways": "drawn", "draws": 4, "window_min": 10, "percentiles": (10, 50, 90)}
    first, again, other = (travel_times(some, some, network, **question, seed=seed).seconds for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    fewer = travel_times(some, some, network, **(question | {"draws": 1}), seed=1)
    assert fewer.record["trips"] == 10
    assert travel_times(some, some, network, **question, seed=1).record["trips"] == 40


def test_no_rides_is_walking_alone(network, points):
    walked = travel_times(points, points, network, **MORNING, rides=0)
    streets = travel_times(points, points, network.streets, max_min=30)
    assert (walked.seconds == streets.seconds).all()


def test_no_points_are_no_fault(network, points):
    none = points.iloc[:0]
    assert travel_times(none, points, network, **MORNING).seconds.shape == (0, len(points), 1)
    assert travel_times(points, none, network, **MORNING).seconds.shape == (len(points), 0, 1)


def test_a_cluster_gives_the_same_numbers(network, points, whole):
    distributed = pytest.importorskip("dask.distributed", reason="the extra `cluster` is not installed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = travel_times(points, points, network, **MORNING, percentiles=whole.percentiles, workers=client)
    assert (found.seconds == whole.seconds).all()


def test_a_network_of_streets_alone_needs_no_moment(network, points):
    alone = replace(network, timetable=None, stops=None, paths=None)
    assert (travel_times(points, points, alone, max_min=40).seconds != UNREACHED).any()


def test_a_profile_is_what_the_percentiles_are_taken_from(network, points, whole):
    goals = points.iloc[::8]
    profile = window_profile(points.iloc[[4]], goals, network, **MORNING)
    assert profile.shape == (60, len(goals))
    found = np.nanquantile(profile.to_numpy(float), 0.5, axis=0, method="inverted_cdf")
    known = profile.notna().all().to_numpy()
    assert known.any()
    assert np.allclose(found[known], whole.minutes(50).iloc[4, ::8].to_numpy()[known])
    # Leaving a minute later, one is never there before.
    arrival = profile.to_numpy() + np.arange(60)[:, None]
    assert (np.diff(arrival[:, known], axis=0) > -1e-4).all()


def test_the_links_of_points_to_stops_are_kept_and_let_go(network, points, monkeypatch):
    asked, near = [], networks.near
    monkeypatch.setattr(networks, "near", lambda *points, **limits: asked.append(limits) or near(*points, **limits))
    some = points.iloc[::30]
    fresh = replace(network, _known={})
    first = travel_times(some, some, fresh, **MORNING)
    assert len(asked) == 2  # to the stops, and from them
    again = travel_times(some, some, fresh, departure=f"{DAY} 08:00")
    assert len(asked) == 2
    assert (first.seconds != again.seconds).any()
    for number in range(9):
        travel_times(some, some, fresh, **MORNING, max_walk_min=20 + number, window_min=0)
    assert len(fresh._known) == 8
