"""Earliest arrivals and latest departures, stop to stop, equal those of nigiri: Porto Alegre, Helsinki, Kuopio."""

import geopandas as gpd
import numpy as np
import pytest
from nigiri import Peers, differences, differences_arriving

from geoplan.reach.streets import read_streets
from geoplan.reach.timetable import read_timetable

pytestmark = pytest.mark.real

pynigiri = pytest.importorskip("pynigiri", reason="pynigiri has wheels for Linux and Python 3.11 alone")


@pytest.fixture(scope="module")
def peers(real, tmp_path_factory):
    folder = real / "portoalegre"
    timetable = read_timetable([folder / "poa_eptc.zip", folder / "poa_trensurb.zip"], date="2019-05-13")
    streets = read_streets(folder / "poa_osm.pbf")
    path = tmp_path_factory.mktemp("nigiri") / "feed.zip"
    return Peers.of(path, streets, timetable, pynigiri, walk_m=500, walk_min=8)


def test_the_feed_holds_both_lines(peers):
    timetable = peers.network.timetable
    assert timetable.trips["kind"].nunique() > 1
    assert len(timetable.trips) > 2_900
    assert len(peers.walks.other) > 8 * len(peers.names)


@pytest.mark.parametrize("rides", [1, 2, 3, 4, 8])
def test_earliest_arrivals_of_every_minute(peers, rides):
    rng = np.random.default_rng(rides)
    pairs = 0
    for origin in rng.choice(len(peers.names), 25, replace=False).tolist():
        goals = peers.far_from(origin, rng.choice(len(peers.names), 12, replace=False))
        first = 60 * int(rng.integers(4, 24))
        assert not differences(peers, origin, goals, first, first + 60, rides=rides)
        pairs += len(goals)
    assert pairs > 250


@pytest.mark.parametrize("rides", [1, 2, 3, 8])
def test_latest_departures_for_every_minute(peers, rides):
    rng = np.random.default_rng(100 + rides)
    for goal in rng.choice(len(peers.names), 8, replace=False).tolist():
        origins = peers.far_from(goal, rng.choice(len(peers.names), 12, replace=False))
        first = 60 * int(rng.integers(6, 24))
        assert not differences_arriving(peers, goal, origins, first, first + 60, rides=rides)


@pytest.fixture(scope="module")
def helsinki_streets(real):
    lines = gpd.read_file(real / "helsinki" / "streets_metropaccess.gpkg")
    return read_streets(lines.assign(kmh=4.68), speed="kmh", min_subgraph=1)


def sampled(peers, seed, *, origins, goals, hours):
    """Compare some pairs of stops for an hour each; return how many, and the differences."""
    rng, pairs, wrong = np.random.default_rng(seed), 0, []
    for origin in rng.choice(len(peers.names), origins, replace=False).tolist():
        others = peers.far_from(origin, rng.choice(len(peers.names), goals, replace=False))
        first = 60 * int(rng.integers(*hours))
        wrong += differences(peers, origin, others, first, first + 60, rides=4)
        wrong += differences_arriving(peers, origin, others[:3], first, first + 60, rides=4)
        pairs += len(others)
    return pairs, wrong


def test_helsinki_with_its_rhythms_written_out(real, helsinki_streets, tmp_path):
    timetable = read_timetable(real / "helsinki" / "gtfs_hsl_2022-02-22.zip")
    peers = Peers.of(tmp_path / "feed.zip", helsinki_streets, timetable, pynigiri, walk_m=300, walk_min=6)
    assert len(peers.network.timetable.trips) > 10_000  # of 3,195 in the feed: exact_times = 1
    pairs, wrong = sampled(peers, 1, origins=15, goals=10, hours=(5, 23))
    assert pairs > 100
    assert not wrong


def test_kuopio_without_a_walk(real, helsinki_streets, tmp_path):
    timetable = read_timetable(real / "gtfs" / "kuopio.zip")
    # No stop is near a street of another city: one changes where one gets off.
    peers = Peers.of(tmp_path / "feed.zip", helsinki_streets, timetable, pynigiri, walk_m=300, walk_min=6)
    assert len(peers.walks.other) == len(peers.names)
    pairs, wrong = sampled(peers, 2, origins=20, goals=12, hours=(5, 22))
    assert pairs > 200
    assert not wrong
