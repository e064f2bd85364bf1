"""Ways by street: those of scipy on a network that is cut wherever a point stands."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from shapely import Point
from streets import SOUTH, WEST, between, layer

import geoplan as gp
from geoplan.reach.kernels import NEVER
from geoplan.reach.linking import costs, near, seconds_of
from geoplan.reach.snapping import snap
from geoplan.reach.streets import read_streets
from geoplan.reach.timetable import read_timetable

ROUNDED = 2  # milliseconds: the way to a point, from another and along a piece are each rounded to whole ones


def cut_up(streets, points):
    """Return the milliseconds between all points by scipy: pieces cut at each of them, a spur from there to the point.

    From a point to itself is to the street and back: that one is there already is for others to say.
    """
    junctions, count = len(streets.xy), len(points)
    tail, head, cost = [], [], []

    def arc(one, other, milliseconds):
        tail.append(one)
        head.append(other)
        cost.append(milliseconds)

    on = np.flatnonzero(points.piece >= 0)
    for piece in range(len(streets.start)):
        here = on[points.piece[on] == piece]
        here = here[np.argsort(points.along[here], kind="stable")]
        nodes = [streets.start[piece], *(junctions + here), streets.end[piece]]
        shares = np.diff([0.0, *points.along[here], 1.0])
        for one, other, share in zip(nodes, nodes[1:], shares, strict=False):
            for start, end, whole in (
                (one, other, streets.forward_ms[piece]),
                (other, one, streets.backward_ms[piece]),
            ):
                if share == 0:
                    arc(start, end, 0.0)  # the same place
                elif whole != NEVER:
                    arc(start, end, float(whole) * share)
    off_ms = np.nan_to_num(points.off_m) / (4.68 / 3.6) * 1000
    for point in on:
        arc(junctions + point, junctions + count + point, off_ms[point])
        arc(junctions + count + point, junctions + point, off_ms[point])
    found = between(junctions + 2 * count, np.array(tail, int), np.array(head, int), np.array(cost))
    found = found[junctions + count :, junctions + count :]
    np.fill_diagonal(found, 2 * off_ms)
    off = points.piece < 0  # on no street: no way to others, nor to themselves
    found[off], found[:, off] = np.inf, np.inf
    return found


def check(found, expected):
    """Hold milliseconds, NEVER where there is no way, against scipy's."""
    assert np.array_equal(found < NEVER, np.isfinite(expected))
    there = found < NEVER
    assert (np.abs(found[there] - expected[there]) <= ROUNDED).all()


@st.composite
def towns(draw):
    """Lines on a grid with points among them: loops, twins, one-way streets, two speeds, points too far off."""
    place = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda at: (at[0] * 100, at[1] * 100))
    line = st.lists(place, min_size=2, max_size=5).filter(
        lambda along: all(one != other for one, other in pairwise(along))
    )
    lines = draw(st.lists(line, min_size=1, max_size=12))
    size = len(lines)
    columns = {
        "kmh": draw(st.lists(st.sampled_from([3.6, 3.6, 7.2]), min_size=size, max_size=size)),
        "way": draw(st.lists(st.sampled_from(["", "", "yes", "-1"]), min_size=size, max_size=size)),
    }
    spot = st.tuples(st.integers(-90, 390), st.integers(-90, 390))
    on_line = st.tuples(st.integers(0, 300), st.sampled_from([0, 100, 200, 300]))
    spots = draw(st.lists(spot | on_line, min_size=1, max_size=9))
    streets = read_streets(layer(lines, **columns), speed="kmh", oneway="way", min_subgraph=1)
    shapes = [Point(WEST + x, SOUTH + y) for x, y in spots]
    return streets, snap(streets, gpd.GeoSeries(shapes, crs=3006), radius_m=(40, 60))


def some(points, rows):
    """Return some of the points."""
    fields = {name: value[rows] for name, value in vars(points).items() if isinstance(value, np.ndarray)}
    return type(points)(**fields, near_m=points.near_m)


@given(towns())
@settings(max_examples=100)
def test_ways_between_points_are_those_of_scipy(town):
    streets, points = town
    every = np.arange(len(points))
    found = costs(streets, points, points, every)
    check(found, cut_up(streets, points))
    back = costs(streets, points, points, every, turned=True)
    assert np.array_equal(back, found.T)


@given(towns(), st.data())
@settings(max_examples=50)
def test_a_limit_leaves_out_what_is_beyond_it_and_nothing_else(town, data):
    streets, points = town
    every = np.arange(len(points))
    found = costs(streets, points, points, every)
    limit = data.draw(st.sampled_from([*found[found < NEVER].tolist(), 70_000]))
    for most in (limit, limit - 1):
        expected = np.where(found <= most, found, NEVER)
        assert np.array_equal(costs(streets, points, points, every, max_s=most / 1000), expected)
        for rows in (every, every[: 1 + len(every) // 3]):  # the fewer are searched from, forwards or backwards
            for origins, targets in ((rows, every), (every, rows)):
                entries = near(streets, some(points, origins), some(points, targets), max_s=most / 1000, threads=1)
                again = np.full((len(origins), len(targets)), NEVER)
                again[entries.rows, entries.other] = entries.seconds
                assert np.array_equal(again, seconds_of(expected[np.ix_(origins, targets)]))
                assert len(entries.other) == (again < NEVER).sum()


@given(towns())
@settings(max_examples=50)
def test_at_one_speed_metres_are_as_good_a_limit_as_minutes(town):
    streets, points = town
    slow = streets.forward_ms // np.maximum(streets.length_m, 1) > 900  # at 3.6 km/h a metre is a second
    if not slow.all() or (streets.backward_ms[streets.backward_ms != NEVER] == 0).any():
        return
    entries = near(streets, points, points, threads=1)
    for most in np.unique(entries.metres)[:4]:
        within = near(streets, points, points, max_m=float(most) + 0.001, threads=1)
        assert len(within.other) == (entries.metres <= most + 0.001).sum()


@pytest.mark.parametrize("way", ["yes", "-1"])
def test_two_points_at_one_place_of_a_one_way_street_are_together(way):
    streets = read_streets(layer([[(0, 0), (100, 0)]], way=[way]), oneway="way", min_subgraph=1)
    at = gpd.GeoSeries([Point(WEST + 50, SOUTH + 13), Point(WEST + 50, SOUTH - 13)], crs=3006)
    found = costs(streets, *[snap(streets, at)] * 2, np.arange(2))
    assert found.tolist() == [[20_000, 20_000]] * 2


def test_a_point_at_a_junction_may_leave_it_by_any_street():
    lines = [[(0, 0), (100, 0)], [(0, 0), (0, 100)]]
    for lines_now in (lines, lines[::-1]):
        streets = read_streets(layer(lines_now, way=["yes", "-1"]), oneway="way", min_subgraph=1)
        at = gpd.GeoSeries([Point(WEST, SOUTH), Point(WEST + 100, SOUTH), Point(WEST, SOUTH + 100)], crs=3006)
        found = costs(streets, *[snap(streets, at)] * 2, np.arange(3)) < NEVER
        leaves, comes = (1, 2) if lines_now is lines else (2, 1)
        assert found[0].tolist() == [True, leaves == 1, leaves == 2]
        assert found[:, 0].tolist() == [True, comes == 1, comes == 2]


# ---------------------------------------------------------------- the sample town


@pytest.fixture(scope="module")
def sample():
    data = gp.home() / "data"
    streets = read_streets(data / "nordhamra_streets.osm.pbf")
    stops = read_timetable(data / "nordhamra_gtfs.zip", date="2012-10-09").stops.geometry
    points = gpd.GeoSeries(stops.to_numpy()[:160], crs=stops.crs)
    points = snap(streets, points)
    return streets, points, cut_up(streets, points)


def test_the_sample_town_is_walked_as_scipy_walks_it(sample):
    streets, points, expected = sample
    every = np.arange(len(points))
    found = costs(streets, points, points, every)
    check(found, expected)
    assert (found < NEVER).mean() > 0.5
    assert np.array_equal(costs(streets, points, points, every, turned=True), found.T)


@pytest.mark.parametrize("minutes", [1, 5, 15, 30])
def test_the_sample_town_within_limits(sample, minutes):
    streets, points, expected = sample
    every = np.arange(len(points))
    found = costs(streets, points, points, every, max_s=60 * minutes)
    clear = np.abs(expected - 60_000 * minutes) > ROUNDED
    within = expected <= 60_000 * minutes
    assert np.array_equal((found < NEVER)[clear], within[clear])
    check(found[within & clear], expected[within & clear])
    for threads in (1, 2):
        entries = near(streets, points, some(points, every[:70]), max_s=60 * minutes, threads=threads)
        dense = np.full((len(points), 70), NEVER)
        dense[entries.rows, entries.other] = entries.seconds
        assert np.array_equal(dense, seconds_of(found[:, :70]))


def test_metres_of_the_sample_are_those_of_the_way(sample):
    streets, points, _ = sample
    entries = near(streets, points, points, max_m=800, threads=1)
    assert entries.metres.max() <= 800
    # 4.68 km/h on all but steps and ferries, which the metres are the fewer for
    assert (entries.seconds + 1 >= entries.metres / (4.68 / 3.6)).all()
    whole = near(streets, points, points, max_s=3600, threads=1)
    level = np.abs(whole.seconds - whole.metres / (4.68 / 3.6)) <= 1
    assert level.mean() > 0.9
