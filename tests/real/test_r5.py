"""Travel times against R5's, with R5's constants, on Porto Alegre: 300 origins × 1,227 hexagons.

R5 gives whole minutes, rounded down. Shares are told of two bases: the pairs that both reach, and the pairs that either
reaches, where one that is reached by one alone counts as wrong. Why they differ, and by how much, is on the page on
travel times and measured by benchmarks/r5_differences.py.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geoplan.reach import UNREACHED, explain_trip, join_network, read_streets, read_timetable, travel_times

pytestmark = pytest.mark.real

BYTE = 255
LINKS = {"nearest_per_line": True, "stop_link_kmh": 3.6}
ASKED = {"departure": "2019-05-13 14:00", "window_min": 60, "max_min": 120, "max_walk_min": 30}
R5 = {**ASKED, "slack_s": 61, "max_egress_m": 2000}  # R5 boards what leaves later than 60 s after one is at the stop


@pytest.fixture(scope="module")
def reference(real):
    with np.load(real / "portoalegre/r5_reference.npz") as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def places(real, reference):
    table = pd.read_csv(real / "portoalegre/poa_hexgrid.csv").set_index("id").loc[reference["to_ids"]]
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"], crs=4326))


@pytest.fixture(scope="module")
def streets(real):
    return read_streets(real / "portoalegre/poa_osm.pbf", speed_kmh=3.6, speeds={"steps": 3.6, "ferry": 0})


@pytest.fixture(scope="module")
def timetable(real):
    feeds = [real / f"portoalegre/poa_{name}.zip" for name in ("eptc", "trensurb")]
    return read_timetable(feeds, date="2019-05-13")


@pytest.fixture(scope="module")
def network(streets, timetable):
    return join_network(streets, timetable, **LINKS)


def minutes_of(times):
    return np.where(times.seconds[:, :, 0] == UNREACHED, BYTE, times.seconds[:, :, 0] // 60).astype(int)


def apart(ours, theirs):
    """Return minutes apart of the pairs that both reach, and how many pairs either reaches."""
    both = (ours != BYTE) & (theirs != BYTE)
    return np.abs(ours - theirs)[both], int(((ours != BYTE) | (theirs != BYTE)).sum())


def shares(ours, theirs):
    """Return the share of pairs within 1 and within 5 minutes, of those both reach and of those either reaches."""
    off, either = apart(ours, theirs)
    near = np.array([(off <= most).sum() for most in (1, 5)])
    return *(near / len(off)), *(near / either)


def jobs_correlation(ours, theirs, places):
    jobs = places["jobs"].fillna(0).to_numpy()
    return np.corrcoef((ours <= 45) @ jobs, (theirs <= 45) @ jobs)[0, 1]


@pytest.fixture(scope="module")
def door_to_door(network, places, reference):
    origins = places.loc[reference["from_ids"]]
    return {rides: minutes_of(travel_times(origins, places, network, rides=rides, **R5)) for rides in (3, 8)}


@pytest.mark.parametrize("rides", [3, 8])
def test_door_to_door(door_to_door, places, reference, rides):
    """Measured: 97.16 % and 99.59 % of both's pairs, 97.05 % and 99.47 % of either's, correlation 0.9996 (3 rides)."""
    ours, theirs = door_to_door[rides], reference[f"w60_walk30_p50_rides{rides}"].astype(int)
    one, five, one_of_either, five_of_either = shares(ours, theirs)
    assert one >= 0.97
    assert five >= 0.995
    assert one_of_either >= 0.965
    assert five_of_either >= 0.994
    assert jobs_correlation(ours, theirs, places) >= 0.999


def test_on_foot(streets, places, reference):
    """Measured: 99.45 % and 99.99 % of both's pairs, 97.92 % and 98.45 % of either's, correlation 0.9997.

    R5 asks whether the last junction is within the hour, and so goes on to 60:59: nearly all that only one reaches.
    """
    origins = places.loc[reference["from_ids"]]
    theirs = reference["walkonly60"].astype(int)
    ours = minutes_of(travel_times(origins, places, streets, max_min=60))
    one, five, one_of_either, five_of_either = shares(ours, theirs)
    assert one >= 0.99
    assert five >= 0.999
    assert one_of_either >= 0.975
    assert five_of_either >= 0.98
    assert jobs_correlation(ours, theirs, places) >= 0.999
    alone = (ours == BYTE) & (theirs != BYTE)
    assert (theirs[alone] >= 59).mean() > 0.99
    # With the same question, whether it takes less than an hour, and geoplan's minute for whatever R5 reaches:
    farther = minutes_of(travel_times(origins, places, streets, max_min=75))
    off = np.abs(farther - theirs)[theirs != BYTE]
    assert (off <= 1).mean() >= 0.99
    assert (off <= 5).mean() >= 0.999
    assert ((farther < 60) & (theirs == BYTE)).sum() <= 0.001 * (farther < 60).sum()


def test_each_constant_brings_the_times_nearer(streets, timetable, network, places, reference, door_to_door):
    """R5's constants that geoplan has parameters for: without any one of them fewer pairs agree."""
    origins = places.loc[reference["from_ids"]]
    theirs = reference["w60_walk30_p50_rides3"].astype(int)
    with_all = shares(door_to_door[3], theirs)[0]
    joined = {
        "stop_link_kmh": join_network(streets, timetable, nearest_per_line=True),
        "nearest_per_line": join_network(streets, timetable, stop_link_kmh=3.6),
    }
    without = {name: travel_times(origins, places, other, rides=3, **R5) for name, other in joined.items()}
    without["slack_s"] = travel_times(origins, places, network, rides=3, **{**R5, "slack_s": 60})
    measured = {"stop_link_kmh": 0.9475, "nearest_per_line": 0.9641, "slack_s": 0.9672}
    for name, times in without.items():
        share = shares(minutes_of(times), theirs)[0]
        assert share < with_all
        assert share == pytest.approx(measured[name], abs=0.003)
    unlimited = minutes_of(travel_times(origins, places, network, rides=3, **{**R5, "max_egress_m": None}))
    assert ((unlimited != BYTE) & (theirs == BYTE)).sum() > 2 * ((door_to_door[3] != BYTE) & (theirs == BYTE)).sum()


def test_most_pairs_far_apart_end_near_two_stops_outside_the_extract(network, reference, door_to_door):
    """Of the pairs over 5 minutes apart, most have one of a few ends, near stops that lie beyond the streets."""
    theirs = reference["w60_walk30_p50_rides3"].astype(int)
    ours = door_to_door[3]
    far = (np.abs(ours - theirs) > 5) & (ours != BYTE) & (theirs != BYTE)
    ends = np.sort(far.sum(axis=0))[::-1]
    assert far.sum() < 0.005 * far.size
    assert ends[:6].sum() > 0.6 * far.sum()
    names = network.timetable.stops["stop_id"].astype(str).tolist()
    for name in ("965", "4082"):
        assert network.stops.off_m[names.index(name)] > 200


@pytest.mark.parametrize(
    ("ends", "other", "minutes"),
    [
        (("89a90129c17ffff", "89a9012b06bffff", "14:27"), "off_street", (68.5, 69.2)),
        (("89a9012b1afffff", "89a90128a63ffff", "14:00"), "slack", (89.3, 79.7)),
        (("89a9012854fffff", "89a90128387ffff", "14:26"), "transfers", (33.0, 30.5)),
        (("89a90e93453ffff", "89a90128e73ffff", "14:58"), "stop_link", (56.2, 52.0)),
    ],
)
def test_trips_that_show_a_cause(streets, timetable, network, places, ends, other, minutes):
    """The examples of the page on travel times, under both assumptions."""
    origin, destination, at = ends
    changed = {
        "off_street": join_network(streets, timetable, **LINKS, off_street_kmh=3.6),
        "slack": network,
        "transfers": join_network(streets, timetable, stop_link_kmh=3.6),
        "stop_link": join_network(streets, timetable, nearest_per_line=True),
    }[other]
    asked = {"departure": f"2019-05-13 {at}", "rides": 3, "max_egress_m": 2000}
    points = places.loc[[origin]], places.loc[[destination]]
    one = explain_trip(*points, network, slack_s=61, **asked)
    two = explain_trip(*points, changed, slack_s=60 if other == "slack" else 61, **asked)
    assert (one.minutes, two.minutes) == (pytest.approx(minutes[0], abs=0.06), pytest.approx(minutes[1], abs=0.06))
