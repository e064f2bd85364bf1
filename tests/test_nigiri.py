"""Earliest arrivals and latest departures on the sample town, stop to stop, equal those of nigiri."""

import numpy as np
import pytest
from nigiri import Peers, differences, differences_arriving

import geoplan as gp
from geoplan.reach.streets import read_streets
from geoplan.reach.timetable import read_timetable

pynigiri = pytest.importorskip("pynigiri", reason="pynigiri has wheels for Linux and Python 3.11 alone")


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    data = gp.home() / "data"
    timetable = read_timetable(data / "nordhamra_gtfs.zip", date="2012-10-09")
    streets = read_streets(data / "nordhamra_streets.osm.pbf")
    path = tmp_path_factory.mktemp("nigiri") / "feed.zip"
    return Peers.of(path, streets, timetable, pynigiri, walk_m=600, walk_min=10)


def test_the_feed_has_what_makes_it_hard(peers):
    timetable = peers.network.timetable
    assert timetable.record["counts"]["seats_joined"] > 20
    assert timetable.trips["last_s"].max() > 86_400
    made = timetable.connections()
    assert not made.may_board.all()
    assert not made.may_alight.all()
    assert len(peers.walks.other) > 4 * len(peers.names)


@pytest.mark.parametrize("rides", range(1, 9))
def test_earliest_arrivals_of_every_minute(peers, rides):
    rng = np.random.default_rng(rides)
    pairs = 0
    for origin in rng.choice(len(peers.names), 16, replace=False).tolist():
        goals = peers.far_from(origin, rng.choice(len(peers.names), 40, replace=False))
        first = 60 * int(rng.integers(0, 25))
        assert not differences(peers, origin, goals, first, first + 60, rides=rides)
        pairs += len(goals)
    assert pairs > 500


@pytest.mark.parametrize("rides", range(1, 9))
def test_latest_departures_for_every_minute(peers, rides):
    rng = np.random.default_rng(100 + rides)
    for goal in rng.choice(len(peers.names), 10, replace=False).tolist():
        origins = peers.far_from(goal, rng.choice(len(peers.names), 20, replace=False))
        first = 60 * int(rng.integers(0, 25))
        assert not differences_arriving(peers, goal, origins, first, first + 60, rides=rides)


def test_a_shorter_window_with_little_time(peers):
    rng = np.random.default_rng(3)
    for origin in rng.choice(len(peers.names), 30, replace=False).tolist():
        goals = peers.far_from(origin, rng.choice(len(peers.names), 40, replace=False))
        assert not differences(peers, origin, goals, 450, 465, rides=4, most=25)
