"""Isochrones: a grid worked by hand, the laws, and what travel times say of points along the streets."""

import datetime as dt
import math
from itertools import pairwise

import feeds
import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings, strategies as st
from shapely import Point, box
from streets import SOUTH, WEST, layer

from geoplan.errors import GeoplanError, IdError, InputError, OutputError, SpecError
from geoplan.reach import (
    UNREACHED,
    isochrone_notes,
    isochrones,
    join_network,
    read_streets,
    read_timetable,
    travel_times,
)
from geoplan.reach.frontier import _reached
from geoplan.show import explore_isochrones, outside_requests, plot_isochrones, write_isochrones
from geoplan.sources import home

DAY = "2012-10-09"
QUARTER = 16 * 2 * math.sin(math.pi / 16) / 2  # area of a circle of radius 1, drawn with 8 corners a quarter


def grid(*, side=100, count=3, without=(), oneway=None, kmh=3.6):
    """Return streets of a grid, a metre a second unless told; one goes off them as fast."""
    lines, ways = [], []
    for i in range(count):
        for j in range(count):
            for end in ((i + 1, j), (i, j + 1)):
                if max(end) < count and ((i, j), end) not in without:
                    lines.append([(i * side, j * side), (end[0] * side, end[1] * side)])
                    ways.append((oneway or {}).get(((i, j), end), "no"))
    return made(lines, kmh=[kmh] * len(lines), way=ways)


def made(lines, **columns):
    frame = layer(lines, **columns)
    frame["m"] = frame.length
    options = {"speed": "kmh" if "kmh" in frame else None, "oneway": "way" if "way" in frame else None, "length": "m"}
    return join_network(read_streets(frame, min_subgraph=1, **options), off_street_kmh=3.6)


def at(*places, ids=None):
    shapes = [Point(WEST + x, SOUTH + y) for x, y in places]
    return gpd.GeoDataFrame(geometry=shapes, index=ids or list("abcdef")[: len(shapes)], crs=3006)


def covers(frame, row, x, y):
    return bool(frame.geometry.iloc[row].covers(Point(WEST + x, SOUTH + y)))


# ---------------------------------------------------------------- by hand


def test_a_grid_of_nine_junctions_from_its_middle():
    """100 s: the four arms. 150 s: and half of each of the eight sides' pieces. 200 s: all twelve hundred metres."""
    found = isochrones(at((100, 100)), grid(), bands_min=(100 / 60, 150 / 60, 200 / 60), fill_m2=0)
    assert found["streets_km"].round(4).tolist() == [0.4, 0.8, 1.2]
    assert (found["place_id"] == "a").all()
    assert found["name"].tolist() == found.index.tolist()
    assert found.index.name == "area_id"
    assert found.crs == "EPSG:3006"
    assert set(found.geom_type) == {"MultiPolygon"}


def test_the_area_of_a_straight_street():
    """250 m either way with time for 50 m more: 500 m × 100 m, and half a circle at both ends, as far as 300 m."""
    street = made([[(0, 0), (2000, 0)]], kmh=[3.6])
    found = isochrones(at((1000, 0)), street, bands_min=5)
    assert found["area_km2"].item() * 1e6 == pytest.approx(500 * 100 + QUARTER * 50**2, rel=3e-5)
    assert found["streets_km"].item() == pytest.approx(0.6, rel=1e-5)
    west, south, east, north = found.total_bounds
    assert (west - WEST, east - WEST) == (pytest.approx(700, abs=0.02), pytest.approx(1300, abs=0.02))
    assert (south - SOUTH, north - SOUTH) == (pytest.approx(-50), pytest.approx(50))


def test_the_way_to_the_street_is_counted():
    """100 m off the street leave 200 s of 300; the street is reached 200 m either way."""
    street = made([[(0, 0), (2000, 0)]], kmh=[3.6])
    found = isochrones(at((1000, 100)), street, bands_min=(1, 5))
    assert found["streets_km"].round(4).tolist() == [0, 0.4]
    assert found["area_km2"].iloc[0] == 0
    assert found.geometry.iloc[0].is_empty
    assert found["place_m"].tolist() == pytest.approx([100, 100])


def test_where_one_is_quicker_on_the_street_the_strip_narrows_and_ends_as_the_street():
    """10 m/s on the street, 1 m/s off it: with 30 s left, 300 m before the end, the strip is 30 m wide."""
    street = made([[(0, 0), (4000, 0)]], kmh=[36])
    found = isochrones(at((2000, 0)), street, bands_min=2)
    outline = found.geometry.item()
    assert found["streets_km"].item() == pytest.approx(2.4, rel=1e-4)
    for x in range(0, 1200, 10):
        left = (1200 - x) / 10
        across = box(WEST + 2000 + x - 1e-3, SOUTH - 100, WEST + 2000 + x + 1e-3, SOUTH + 100)
        width = outline.intersection(across).area / 2e-3 / 2
        assert width >= 2 - 1e-3
        assert width <= max(2, min(50, left + 1)) + 0.1  # a disc reaches a little ahead of its middle
        assert width >= min(50, 10 * math.floor(left / 10)) - 0.5
    assert found.total_bounds[2] - WEST == pytest.approx(3200, abs=0.1)


def test_one_way_streets_are_entered_from_their_beginning():
    """A ring of 400 m, one way: 150 s lead 150 m onwards, and no metre back."""
    ring = [[(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]]
    streets = made(ring, kmh=[3.6] * 4, way=["yes"] * 4)
    onwards = isochrones(at((50, 0)), streets, bands_min=2.5, off_street_m=1, fill_m2=0)
    assert onwards["streets_km"].item() == pytest.approx(0.15, rel=1e-4)
    assert covers(onwards, 0, 100, 90)
    assert not covers(onwards, 0, 40, 0)
    back = isochrones(at((50, 0)), streets, bands_min=2.5, off_street_m=1, fill_m2=0, towards=True)
    assert back["streets_km"].item() == pytest.approx(0.15, rel=1e-4)
    assert covers(back, 0, 0, 90)
    assert not covers(back, 0, 60, 0)
    assert (onwards["towards"].item(), back["towards"].item()) == (False, True)


def test_a_piece_is_reached_from_both_ends_up_to_where_they_meet():
    """A block round which one walks 200 m either way meets itself at the far side; 190 s leave 20 m out."""
    ring = [[(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]]
    streets = made(ring, kmh=[3.6] * 4)
    found = isochrones(at((50, 0)), streets, bands_min=(190 / 60, 201 / 60), off_street_m=1, fill_m2=0)
    assert found["streets_km"].round(4).tolist() == [0.38, 0.4]
    assert [covers(found, row, 50, 100) for row in (0, 1)] == [False, True]
    assert covers(found, 0, 39, 100)


def test_what_is_not_joined_is_not_reached():
    streets = made([[(0, 0), (500, 0)], [(0, 300), (500, 300)]], kmh=[3.6, 3.6])
    found = isochrones(at((250, 0)), streets, bands_min=60)
    assert found["streets_km"].item() == pytest.approx(0.5, rel=1e-4)
    assert not covers(found, 0, 250, 300)


def test_streets_that_one_cannot_step_off_have_no_strip(tmp_path):
    from streets import osm  # noqa: PLC0415

    ways = [
        ([(0, 0), (500, 0)], {"highway": "residential"}),
        ([(500, 0), (1500, 0)], {"route": "ferry", "duration": "00:05"}),
        ([(1500, 0), (2000, 0)], {"highway": "residential"}),
    ]
    streets = read_streets(osm(tmp_path / "a.osm", ways), min_subgraph=1)
    found = isochrones(at((250, 0)), streets, bands_min=30)
    assert found["streets_km"].item() == pytest.approx(1.0, rel=1e-3)
    shape = found.to_crs(3006).geometry.item()
    assert [shape.covers(Point(WEST + x, SOUTH)) for x in (100, 1000, 1900)] == [True, False, True]


def test_small_holes_are_closed_and_larger_ones_kept():
    """With strips of 20 m each of the four blocks of the grid has a yard of 60 × 60 m."""
    asked = {"bands_min": 10, "off_street_m": 20}
    kept = isochrones(at((100, 100)), grid(), **asked, fill_m2=3599).geometry.item()
    closed = isochrones(at((100, 100)), grid(), **asked, fill_m2=3601).geometry.item()
    assert [len(shape.geoms[0].interiors) for shape in (kept, closed)] == [4, 0]
    assert closed.area - kept.area == pytest.approx(4 * 3600, rel=1e-3)


def test_water_is_not_covered_but_by_the_bridge():
    street = made([[(0, 0), (1000, 0)], [(1000, 0), (1000, 300)]], kmh=[3.6, 3.6])
    river = gpd.GeoDataFrame(geometry=[box(WEST + 400, SOUTH - 500, WEST + 600, SOUTH + 500)], crs=3006)
    dry = isochrones(at((200, 0)), street, bands_min=60)
    wet = isochrones(at((200, 0)), street, bands_min=60, water=river.to_crs(4326))
    lost = dry["area_km2"].item() - wet["area_km2"].item()
    assert lost * 1e6 == pytest.approx(200 * 96, rel=1e-3)  # 100 m but for the 4 m of the bridge
    assert covers(wet, 0, 500, 0)
    assert not covers(wet, 0, 500, 10)
    assert dry["streets_km"].item() == wet["streets_km"].item()


def test_a_hole_over_water_stays_open():
    pond = gpd.GeoDataFrame(geometry=[Point(WEST + 50, SOUTH + 50).buffer(20)], crs=3006)
    found = isochrones(at((100, 100)), grid(), bands_min=10, off_street_m=20, fill_m2=1e6, water=pond)
    assert [covers(found, 0, x, 50) for x in (50, 150)] == [False, True]


# ---------------------------------------------------------------- who is there


def test_people_are_counted_by_their_own_travel_time():
    """At 60 m: off the strip and in time. Near the end: in the strip by a way across, late by the nearest street."""
    street = made([[(0, 0), (2000, 0)]], kmh=[3.6])
    homes = at((1100, 60), (1280, 30), (1400, 0), (1000, 5000), ids=list("pqrs")).assign(population=[10, 20, 40, 80])
    found = isochrones(at((1000, 0)), street, bands_min=(5, 10), residents=homes)
    assert found["residents"].tolist() == [10, 70]  # 280 + 30 s are over 300
    assert found["residents_points"].tolist() == [1, 3]
    assert found["residents_inside"].tolist() == [20, 60]  # 250 + 42 s
    assert found["residents_off"].tolist() == [80, 80]
    assert isochrone_notes(found) == [
        "a 5 min: 10 residents are reached by their own travel time, and 20 live in the polygon",
        "a 10 min: 70 residents are reached by their own travel time, and 60 live in the polygon",
        "80 residents are at points near no street: in no band",
    ]
    assert "jobs" not in found


def test_jobs_have_a_column_of_their_own_name():
    street = made([[(0, 0), (2000, 0)]], kmh=[3.6])
    work = at((1100, 0), (1500, 0)).assign(seats=[3.5, 4])
    found = isochrones(at((1000, 0)), street, bands_min=(2, 9), jobs=work, jobs_column="seats")
    assert found["jobs"].tolist() == [3.5, 7.5]
    assert "residents" not in found


def test_who_comes_to_a_place_is_counted_towards_it():
    ring = [[(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]]
    streets = made(ring, kmh=[3.6] * 4, way=["yes"] * 4)
    homes = at((100, 50), (0, 50)).assign(population=[1, 2])
    asked = {"bands_min": 2.5, "residents": homes}
    assert isochrones(at((50, 0)), streets, **asked)["residents"].item() == 1
    assert isochrones(at((50, 0)), streets, **asked, towards=True)["residents"].item() == 2


def test_nobody_is_no_fault():
    street = made([[(0, 0), (2000, 0)]], kmh=[3.6])
    nobody = at((0, 0)).assign(population=[1]).iloc[:0]
    found = isochrones(at((1000, 0)), street, residents=nobody)
    assert found["residents"].tolist() == [0, 0, 0]


# ---------------------------------------------------------------- several places, and what is refused


def test_several_places_are_those_one_by_one():
    together = isochrones(at((0, 0), (200, 100)), grid(), bands_min=(2, 1), threads=2)
    assert together.index.tolist() == ["a 1 min", "a 2 min", "b 1 min", "b 2 min"]
    for name in ("a", "b"):
        alone = isochrones(at((0, 0), (200, 100)).loc[[name]], grid(), bands_min=(1, 2))
        assert alone.geometry.tolist() == together.geometry[together["place_id"] == name].tolist()
        assert alone["streets_km"].tolist() == together["streets_km"][together["place_id"] == name].tolist()


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        ((15, 15.0), "band of 15 minutes is asked for twice"),
        ((-5, 30), "band of -5 minutes cannot be drawn"),
        ((0,), "band of 0 minutes"),
        ((float("nan"),), "band of nan minutes"),
        ((True,), "band of True minutes"),
        (("15",), "band of '15' minutes"),
        ((1093,), "band of 1093 minutes"),
        ((), "no band is asked for"),
    ],
)
def test_bands_that_are_none(bands, said):
    with pytest.raises(InputError, match=said):
        isochrones(at((0, 0)), grid(), bands_min=bands)


def test_bands_come_in_any_order():
    assert isochrones(at((0, 0)), grid(), bands_min=(3, 1, 2))["band_min"].tolist() == [1, 2, 3]


def test_a_place_off_the_streets_is_named():
    with pytest.raises(InputError, match=r"'b' is on no street: 5,000 m from the nearest street.*radius_m"):
        isochrones(at((0, 0), (0, -5000)), grid())


def test_no_place_and_a_place_twice():
    with pytest.raises(InputError, match="no place to start from"):
        isochrones(at((0, 0)).iloc[:0], grid())
    with pytest.raises(IdError, match="1"):
        isochrones(at((0, 0), (1, 1), ids=[1, "1"]), grid())


@pytest.mark.parametrize("key", ["departure", "arrival"])
def test_streets_alone_know_no_moment(key):
    with pytest.raises(InputError, match=f"same at any time, and {key} is given"):
        isochrones(at((0, 0)), grid(), **{key: "2024-02-06 07:00"})


def test_all_faults_at_once():
    homes = at((0, 0), (1, 1)).assign(population=[1, -1]).set_crs(None, allow_override=True)
    work = at((0, 0)).assign(jobs=[float("nan")])
    lines = layer([[(0, 0), (1, 1)]])
    with pytest.raises(InputError) as raised:
        isochrones(
            at((0, 0)),
            grid(),
            departure="now",
            bands_min=(1, 1),
            percentile=101,
            off_street_m=0,
            fill_m2=-1,
            residents=homes,
            jobs=work,
            water=lines,
            max_walk_min=-1,
        )
    keys = [fault.key for fault in raised.value.faults]
    assert keys[:5] == ["bands_min", "percentiles", "off_street_m", "fill_m2", "departure"]
    assert keys[5:] == ["residents", "jobs", "water", "max_walk_min"]


@pytest.mark.parametrize(
    ("homes", "error", "said"),
    [
        (lambda: at((0, 0)), SpecError, "population"),
        (lambda: at((0, 0)).assign(population=1).geometry, SpecError, "cannot be a GeoSeries"),
        (lambda: at((0, 0)).assign(population="many"), InputError, "1 of 1 points have no number of residents: 'a'"),
        (lambda: gpd.GeoDataFrame({"population": [1]}, geometry=[box(0, 0, 1, 1)], crs=3006), InputError, "Polygon"),
    ],
)
def test_people_that_are_none(homes, error, said):
    with pytest.raises(error, match=said):
        isochrones(at((0, 0)), grid(), residents=homes())


# ---------------------------------------------------------------- laws


@st.composite
def towns(draw):
    """A grid with some links left out, some one-way, of any speed."""
    edges = [((i, j), end) for i in range(4) for j in range(4) for end in ((i + 1, j), (i, j + 1)) if max(end) < 4]
    without = draw(st.sets(st.sampled_from(edges), max_size=8))
    oneway = draw(st.dictionaries(st.sampled_from(edges), st.sampled_from(["yes", "-1"]), max_size=6))
    kept = [edge for edge in edges if edge not in without]
    lines = [[(i * 100, j * 100), (k * 100, m * 100)] for (i, j), (k, m) in kept]
    speeds = [draw(st.sampled_from([2.0, 3.6, 10.0])) for _ in lines]
    return lines, speeds, [oneway.get(edge, "no") for edge in kept]


def network_of(lines, speeds, ways):
    return made(lines, kmh=speeds, way=ways)


@given(towns(), st.tuples(st.integers(0, 300), st.integers(0, 300)), st.booleans())
@settings(max_examples=25)
def test_a_band_covers_the_one_before_and_no_more_street_than_there_is(town, place, towards):
    network = network_of(*town)
    found = isochrones(at(place), network, bands_min=(0.5, 1, 2, 4), off_street_m=15, fill_m2=900, towards=towards)
    shapes = found.geometry.tolist()
    assert all(inner.is_empty or outer.covers(inner) for inner, outer in pairwise(shapes))
    assert all(shape.is_valid for shape in shapes)
    assert found["streets_km"].is_monotonic_increasing
    assert found["streets_km"].max() <= network.streets.length_m.sum() / 1000 + 1e-9


@given(towns(), st.tuples(st.integers(0, 3), st.integers(0, 3)), st.data())
@settings(max_examples=25)
def test_an_added_link_never_shrinks_a_band(town, corner, data):
    lines, speeds, ways = town
    more = data.draw(st.sampled_from([(a, b) for a in range(4) for b in range(4)]).filter(lambda end: end != corner))
    place = (100 * corner[0], 100 * corner[1])
    if not any(place in line for line in lines):
        return
    before = isochrones(at(place), network_of(lines, speeds, ways), bands_min=(1, 3), off_street_m=15)
    # Over the others and touching them at its ends alone, from another corner than the place's to anywhere.
    start = data.draw(st.sampled_from([line[0] for line in lines]))
    end = (100 * more[0], 100 * more[1])
    if start in {end, place} or place == end:
        return
    after_town = [*lines, [start, end]], [*speeds, 5.0], [*ways, "no"]
    after = isochrones(at(place), network_of(*after_town), bands_min=(1, 3), off_street_m=15)
    for one, other in zip(before.geometry, after.geometry, strict=True):
        assert one.difference(other.buffer(0.05)).area < 1e-6  # times are kept in whole milliseconds of each link
    assert (after["streets_km"] >= before["streets_km"] - 1e-4).all()


def agrees(network, place, found, *, spots, slack_s=3, **asked):
    """Hold points on the streets to the polygons: inside if their travel time is within the band, else outside."""
    rng = np.random.default_rng(3)
    streets = network.streets
    piece = rng.choice(np.flatnonzero(streets.linkable & (streets.length_m > 20)), spots)
    shapes = shapely.line_interpolate_point(streets.shapes[piece], rng.uniform(0.1, 0.9, spots), normalized=True)
    points = gpd.GeoDataFrame(geometry=shapes, crs=streets.crs)
    ends = (points, place) if asked.pop("towards", False) or "arrival" in asked else (place, points)
    seconds = travel_times(*ends, network, **asked).seconds.ravel()
    reached, alike = 0, np.ones(spots, dtype=bool)
    if "max_walk_min" in asked:  # what is reached by a walk of just the longest is left out
        for more in (-0.05, 0.05):
            limit = {"max_walk_min": asked["max_walk_min"] + more}
            alike &= travel_times(*ends, network, **asked | limit).seconds.ravel() == seconds
    seconds = np.where(seconds == UNREACHED, np.inf, seconds)
    for band, shape in zip(found["band_min"], found.geometry, strict=True):
        sure = alike & (np.abs(seconds - band * 60) > slack_s)
        # Another street may run so close that the point lies in its strip.
        beside = shapely.STRtree(streets.shapes).query(shapes, predicate="dwithin", distance=3)[0]
        sure &= np.bincount(beside, minlength=spots) == 1
        inside = shapely.covers(shape, shapes)
        assert (inside == (seconds <= band * 60))[sure].all()
        reached += int(inside[sure].sum())
    return reached


@given(towns(), st.tuples(st.integers(0, 300), st.integers(0, 300)), st.booleans())
@settings(max_examples=25)
def test_points_of_any_grid_lie_inside_if_and_only_if_they_are_in_time(town, place, towards):
    network = network_of(*town)
    streets = network.streets
    asked = {"towards": towards}
    found = isochrones(at(place), network, bands_min=(1, 2, 4), off_street_m=0.5, fill_m2=0, **asked)
    assert len(streets.start)
    agrees(network, at(place), found, spots=60, max_min=5, **asked)


@pytest.fixture(scope="module")
def sample():
    streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    return join_network(streets, read_timetable(home() / "data/nordhamra_gtfs.zip", date=DAY))


@pytest.fixture(scope="module")
def station(sample):
    stops = sample.timetable.stops.drop_duplicates("name").set_index("name")
    return stops.loc[["Hamra central"], ["geometry"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"departure": f"{DAY} 07:30", "percentile": 50},
        {"departure": f"{DAY} 07:30", "percentile": 90, "window_min": 17, "max_walk_min": 8},
        pytest.param({"arrival": f"{DAY} 08:30", "percentile": 25, "window_min": 30}, marks=pytest.mark.slow),
        pytest.param({"departure": f"{DAY} 07:30", "window_min": 0, "rides": 1}, marks=pytest.mark.slow),
        pytest.param(
            {"departure": f"{DAY} 07:30", "headways": "drawn", "draws": 3, "window_min": 20}, marks=pytest.mark.slow
        ),
        {"departure": f"{DAY} 07:30", "rides": 0, "max_walk_min": 20},
    ],
)
def test_points_of_the_sample_lie_inside_if_and_only_if_they_are_in_time(sample, station, asked):
    """Every departure counts by itself: along one street, some come from one end and some from the other."""
    bands = (10, 20, 30)
    found = isochrones(station, sample, bands_min=bands, off_street_m=0.5, fill_m2=0, **asked)
    options = {"percentiles": asked.pop("percentile", 50), **asked, "max_min": max(bands) + 1}
    assert agrees(sample, station, found, spots=3000, **options) > 100


@given(st.integers(1, 6), st.data())
def test_parts_reached_by_enough_departures(trips, data):
    """Against counting, place by place along a section, the departures that are there."""
    left = st.sampled_from([-1.0, 0.0, 10.0, 25.0, 50.0, 75.0, 100.0, 130.0])
    one, two = (np.array([data.draw(st.lists(left, min_size=trips, max_size=trips))]) for _ in range(2))
    onward, back = (np.array([data.draw(st.sampled_from([100.0, 60.0, np.inf, 0.0]))]) for _ in range(2))
    enough = data.draw(st.integers(1, trips))
    whole, section, low, high = _reached(one, two, onward, back, enough)
    assert (section == 0).all()
    for place in np.linspace(0.005, 0.995, 34):
        with np.errstate(invalid="ignore"):
            there = (one[0] >= np.nan_to_num(onward[0] * place)) & (one[0] >= 0)
            there |= (two[0] >= np.nan_to_num(back[0] * (1 - place))) & (two[0] >= 0)
        edges = np.concatenate([one[0] / max(onward[0], 1e-9), 1 - two[0] / max(back[0], 1e-9)])
        if np.abs(edges - place).min() < 1e-6:
            continue
        assert bool(((low <= place) & (place <= high)).any()) == (there.sum() >= enough)
    assert not whole[0] or (low.tolist(), high.tolist()) == ([0.0], [1.0])


# ---------------------------------------------------------------- with a timetable


def test_a_bus_opens_an_island_round_its_stop(tmp_path):
    """A bus from a at 8:00 is at b at 8:05: leaving at 7:58, 8 of 15 minutes are left there, less the walk."""
    timetable = read_timetable(feeds.write(tmp_path / "feed.zip", feeds.town()), date=feeds.DATE)
    stops = timetable.stops.to_crs(3006).set_index("stop_id").geometry
    place = {name: (stops[name].x - WEST, stops[name].y - SOUTH) for name in ("a", "b")}
    lines = [[(x - 1000, y), (x, y), (x + 1000, y)] for x, y in place.values()]
    frame = layer(lines, kmh=[3.6, 3.6])
    network = join_network(read_streets(frame, speed="kmh", min_subgraph=1), timetable, off_street_kmh=3.6)
    found = isochrones(at(place["a"]), network, departure="2024-02-06 07:58", window_min=0, bands_min=(5, 15))
    # On foot 300 m and 900 m either way; at b 15 - 7 = 8 minutes are left.
    assert found["streets_km"].iloc[0] == pytest.approx(0.6, abs=2e-3)
    assert found["streets_km"].iloc[1] == pytest.approx(1.8 + 0.96, abs=4e-3)
    assert found["stops"].tolist() == [0, 1]
    assert (found["mode"].iloc[0], found["moment"].iloc[0]) == ("transit", "2024-02-06 07:58")
    # Of ten departures from 7:55 each minute, those up to 7:59 catch the bus: half of them.
    asked = {"departure": "2024-02-06 07:55", "window_min": 10, "bands_min": 15}
    half, more = (isochrones(at(place["a"]), network, percentile=share, **asked) for share in (50, 51))
    assert (half["stops"].item(), more["stops"].item()) == (1, 0)
    assert half["streets_km"].item() == pytest.approx(1.8 + 0.6, abs=4e-3)  # the fifth best left at 7:55
    assert more["streets_km"].item() == pytest.approx(1.8, abs=4e-3)


def test_the_longest_walk_holds_from_a_stop_too(tmp_path):
    timetable = read_timetable(feeds.write(tmp_path / "feed.zip", feeds.town()), date=feeds.DATE)
    stops = timetable.stops.to_crs(3006).set_index("stop_id").geometry
    place = {name: (stops[name].x - WEST, stops[name].y - SOUTH) for name in ("a", "b")}
    lines = [[(x - 1000, y), (x, y), (x + 1000, y)] for x, y in place.values()]
    network = join_network(read_streets(layer(lines, kmh=[3.6, 3.6]), speed="kmh", min_subgraph=1), timetable)
    found = isochrones(
        at(place["a"]), network, departure="2024-02-06 07:58", window_min=0, bands_min=(15, 30), max_walk_min=4
    )
    assert found["streets_km"].tolist() == pytest.approx([0.48 + 0.48] * 2, abs=4e-3)


def test_a_timetable_asks_for_a_moment_and_for_no_direction_besides(sample, station):
    with pytest.raises(InputError, match="neither departure nor arrival"):
        isochrones(station, sample)
    with pytest.raises(InputError, match="towards is for streets"):
        isochrones(station, sample, departure=f"{DAY} 07:30", towards=True)
    with pytest.raises(InputError, match=r"memory_mb is 0\.01"):
        isochrones(station, sample, departure=f"{DAY} 07:30", memory_mb=0.01)


def test_stops_off_the_streets_are_told(sample, station):
    lines = gpd.GeoDataFrame(geometry=list(sample.streets.shapes), crs=sample.streets.crs)
    near = lines[lines.intersects(station.to_crs(lines.crs).buffer(1500).item())]
    small = join_network(read_streets(near), sample.timetable)
    found = isochrones(station, small, departure=f"{DAY} 07:30", bands_min=30)
    assert 0 < found["stops_off"].item() < found["stops"].item()
    assert "ridden to in time are near no street" in isochrone_notes(found, small)[0]


# ---------------------------------------------------------------- drawn and written


@pytest.fixture(scope="module")
def drawn(sample, station):
    work = gpd.read_file(home() / "data/nordhamra_workplaces.gpkg")
    asked = {"departure": dt.datetime.fromisoformat("2012-10-09 07:30"), "bands_min": (10, 20)}
    return isochrones(station, sample, jobs=work, residents=work.rename(columns={"jobs": "population"}), **asked)


@pytest.mark.parametrize(
    ("language", "below"),
    [
        ("en", "on foot and by public transport · leaving 9 October 2012, 07:30–08:30"),
        ("sv", "till fots och med kollektivtrafik · avgång 9 oktober 2012, 07:30–08:30"),
        ("da", "til fods og med kollektiv trafik · afgang 9. oktober 2012, 07:30–08:30"),
    ],
)
def test_maps_say_when_and_for_how_many(drawn, station, language, below):
    shown = explore_isochrones(drawn, places=station, source="Nordhamra {{ 7 }}", language=language).to_html()
    assert not outside_requests(shown.split("</head>")[1])
    assert below in shown
    assert "Nordhamra {{ 7 }}" in shown
    assert "Hamra central" in shown
    figure = plot_isochrones(drawn, places=station, source="Nordhamra", language=language)
    texts = [text.get_text() for text in figure.texts]
    assert any(below in text.replace("\n", " ") for text in texts)
    assert any("Nordhamra" in text for text in texts)


def test_the_nearest_band_lies_on_top(drawn):
    shown = explore_isochrones(drawn)
    layers = [child for child in shown._children.values() if hasattr(child, "data")]
    areas = [shapely.geometry.shape(feature["geometry"]).area for feature in layers[0].data["features"]]
    assert areas == sorted(areas, reverse=True)


def test_many_places_have_a_key_of_bands_alone():
    places = at((0, 0), (50, 0), (100, 0), (150, 0), (200, 0))
    found = isochrones(places, grid(), bands_min=(1, 2, 2.5))
    page = explore_isochrones(found, language="da").to_html()
    assert "Nås fra 5 steder" in page
    assert "2,5 min." in page
    assert "til fods" not in page  # a layer of lines says not how one goes
    few = explore_isochrones(found[found["place_id"].isin(["a", "b"])]).to_html()
    assert "Reached from a, b" in few
    assert "b, 2.5 min" in few


def test_a_geopackage_with_its_style_and_how_it_came_about(drawn, tmp_path):
    asked = {"date": dt.date(2013, 3, 15), "source": "Nordhamra"}
    path = write_isochrones(tmp_path / "reach.gpkg", drawn, **asked)
    back = gpd.read_file(path, layer="isochrones")
    assert back["band_min"].tolist() == [20, 10]  # the nearest is drawn last
    assert back["moment"].unique().tolist() == ["2012-10-09 07:30"]
    assert back["jobs"].tolist() == drawn["jobs"].tolist()[::-1]
    styles = pyogrio.read_dataframe(path, layer="layer_styles")
    assert "10 min" in styles["styleQML"].item()
    about = pyogrio.read_dataframe(path, sql="SELECT description FROM gpkg_contents WHERE table_name = 'isochrones'")
    assert "leaving 9 October 2012, 07:30–08:30" in about["description"].item()
    assert path.read_bytes() == write_isochrones(tmp_path / "again.gpkg", drawn, **asked).read_bytes()
    with pytest.raises(OutputError, match="there already"):
        write_isochrones(path, drawn, **asked)


def test_one_band_has_a_style_too(tmp_path):
    found = isochrones(at((0, 0)), grid(), bands_min=1)
    write_isochrones(tmp_path / "one.gpkg", found, date=dt.date(2013, 3, 15), language="sv")
    assert len(gpd.read_file(tmp_path / "one.gpkg", layer="isochrones")) == 1


def test_maps_refuse_what_they_cannot_draw(drawn):
    with pytest.raises(SpecError, match="band_min"):
        explore_isochrones(drawn.drop(columns="band_min"))
    with pytest.raises(GeoplanError, match="coordinate system"):
        plot_isochrones(drawn.set_crs(None, allow_override=True))
    with pytest.raises(SpecError, match="no band has a place"):
        plot_isochrones(drawn.iloc[:0])
