"""Earliest arrivals and latest departures in Porto Alegre, stop to stop, equal those of nigiri."""

import numpy as np
import pytest
from nigiri import Peers, differences, differences_arriving

from geoplan.reach.streets import read_streets
from geoplan.reach.timetable import read_timetable

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real")]

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
