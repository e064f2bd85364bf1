"""Centres of gravity: worked by hand, held against pointpats, and by laws."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from shapely import LineString, Point

import geoplan as gp
from geoplan.errors import CrsError, InputError
from geoplan.reach import (
    centre_shift,
    standard_distance,
    standard_ellipse,
    weighted_mean_centre,
    weighted_median_centre,
)

EAST, NORTH = 674_000.0, 6_580_000.0


def at(*places, ids=None):
    """Return points at metres from a place near Stockholm."""
    shapes = [Point(EAST + x, NORTH + y) for x, y in places]
    names = [f"p{number}" for number in range(len(places))] if ids is None else ids
    return gpd.GeoSeries(shapes, index=names, crs=3006)


def xy(point):
    return round(point.x - EAST, 6), round(point.y - NORTH, 6)


def weighed(*values):
    return pd.Series(values, index=[f"p{number}" for number in range(len(values))])


# ---------------------------------------------------------------- mean and median


def test_a_mean_centre_worked_by_hand():
    # Of x it is (2 times 0, 300 and 900) by 4, of y (2 times 0, 400 and 0) by 4
    assert xy(weighted_mean_centre(at((0, 0), (300, 400), (900, 0)), weighed(2, 1, 1))) == (300, 100)
    assert xy(weighted_mean_centre(at((0, 0), (300, 400), (900, 0)))) == (400, round(400 / 3, 6))


def test_weights_may_be_a_column():
    frame = gpd.GeoDataFrame({"jobs": weighed(1, 3)}, geometry=at((0, 0), (400, 0)))
    assert xy(weighted_mean_centre(frame, "jobs")) == (300, 0)


def test_the_median_of_a_square_is_where_its_diagonals_cross():
    assert xy(weighted_median_centre(at((0, 0), (800, 0), (800, 600), (0, 600)))) == (400, 300)


def test_the_median_of_a_triangle_sees_its_corners_120_degrees_apart():
    # Corners of an equilateral triangle of side 600: Fermat's point is the middle, at a third of its height 519.615
    high = 300 * np.sqrt(3)
    found = weighted_median_centre(at((0, 0), (600, 0), (300, high)), tolerance_m=1e-6)
    assert found.x - EAST == pytest.approx(300, abs=0.01)
    assert found.y - NORTH == pytest.approx(high / 3, abs=0.01)


def test_a_corner_of_120_degrees_or_more_is_itself_the_median():
    wide = at((0, 0), (600, 0), (-600 * np.cos(np.radians(50)), 600 * np.sin(np.radians(50))))  # 130 degrees at p0
    assert xy(weighted_median_centre(wide)) == (0, 0)
    # just under 120 degrees it is not, but near to it
    narrow = at((0, 0), (600, 0), (-600 * np.cos(np.radians(62)), 600 * np.sin(np.radians(62))))  # 118 degrees
    found = weighted_median_centre(narrow)
    assert 0 < np.hypot(found.x - EAST, found.y - NORTH) < 30


@pytest.mark.parametrize(
    ("places", "weights", "expected"),
    [
        ([(0, 0), (100, 0), (1000, 0)], (1, 1, 1), (100, 0)),
        ([(0, 0), (300, 400), (600, 800)], (5, 1, 1), (0, 0)),
        ([(0, 0), (100, 0), (500, 0), (1000, 0)], (1, 1, 1, 1), (300, 0)),  # all between 100 and 500 are as good
        ([(0, 0), (1000, 0)], (1, 1), (500, 0)),
        ([(0, 0), (1000, 0)], (2, 1), (0, 0)),
        ([(70, 30)], (4,), (70, 30)),
        ([(70, 30), (70, 30)], (4, 1), (70, 30)),
        ([(0, 0), (0, 0), (1000, 0)], (1, 1, 1.5), (0, 0)),  # two in one place outweigh one elsewhere
        ([(0, 0), (500, 0), (500, 700)], (1, 0, 1), (250, 350)),  # without weight a point has no say
    ],
)
def test_medians_on_a_line_and_at_a_point(places, weights, expected):
    assert xy(weighted_median_centre(at(*places), weighed(*weights))) == expected


def test_the_search_leaves_a_point_that_it_starts_on():
    # The mean of these is p0, which is not the median: Weiszfeld's own step would divide by 0 there
    places = at((0, 0), (-300, 100), (-300, -100), (600, 0))
    assert xy(weighted_mean_centre(places)) == (0, 0)
    found = weighted_median_centre(places, weighed(0.1, 1, 1, 1), tolerance_m=1e-6)
    assert found.x < EAST - 10
    assert found.y == pytest.approx(NORTH, abs=0.01)


coordinates = st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000))
clouds = st.lists(st.tuples(coordinates, st.integers(1, 50)), min_size=1, max_size=25)


def way(places, weights, point):
    return float(sum(w * np.hypot(p.x - point.x, p.y - point.y) for p, w in zip(places, weights, strict=True)))


@settings(deadline=None, max_examples=150)
@given(clouds)
def test_nowhere_is_better_than_the_median(cloud):
    places, weights = at(*[place for place, _ in cloud]), weighed(*[weight for _, weight in cloud])
    found = weighted_median_centre(places, weights)
    least, total = way(places, weights, found), weights.sum()
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        for step in (0.1, 10, 500):
            other = Point(found.x + step * np.cos(angle), found.y + step * np.sin(angle))
            assert least <= way(places, weights, other) + 0.001 * total
    assert least <= min(way(places, weights, point) for point in places) + 0.001 * total


@settings(deadline=None, max_examples=50)
@given(clouds, st.integers(2, 9))
def test_the_unit_of_weights_makes_no_difference(cloud, factor):
    places, weights = at(*[place for place, _ in cloud]), weighed(*[weight for _, weight in cloud])
    mean, more = weighted_mean_centre(places, weights), weighted_mean_centre(places, weights * factor)
    assert mean.distance(more) < 1e-6
    assert standard_distance(places, weights) == pytest.approx(standard_distance(places, weights * factor), abs=1e-6)
    one, other = (way(places, weights, weighted_median_centre(places, weights * k)) for k in (1, factor))
    assert abs(one - other) <= 0.002 * weights.sum()


# ---------------------------------------------------------------- spread


def test_a_standard_distance_worked_by_hand():
    # Mean (400, 300); each of the corners is 500 m away
    assert standard_distance(at((0, 0), (800, 0), (800, 600), (0, 600))) == pytest.approx(500)
    # Mean at 300: (3 * 300² + 1 * 900²) / 4 = 270,000
    assert standard_distance(at((0, 0), (1200, 0)), weighed(3, 1)) == pytest.approx(np.sqrt(270_000))


def test_an_ellipse_worked_by_hand_in_three_variants():
    # Variances: (4 * 400²) / 4 along east, (4 * 300²) / 4 along north
    places = at((0, 0), (800, 0), (800, 600), (0, 600))
    yuill = standard_ellipse(places)
    assert (yuill.semi_major_m, yuill.semi_minor_m) == pytest.approx((400, 300))
    assert yuill.bearing_deg == pytest.approx(90)
    assert yuill.area_km2 == pytest.approx(np.pi * 0.4 * 0.3)
    arcgis = standard_ellipse(places, variant="arcgis")
    assert arcgis.semi_major_m == pytest.approx(400 * np.sqrt(2))
    crimestat = standard_ellipse(places, variant="crimestat")  # 4 - 2 in place of 4
    assert crimestat.semi_major_m == pytest.approx(400 * np.sqrt(2) * np.sqrt(4 / 2))


def test_bearings_are_clockwise_from_north():
    line = [(0, 0), (100, 100), (200, 200)]
    assert standard_ellipse(at(*line)).bearing_deg == pytest.approx(45)
    assert standard_ellipse(at(*[(-x, y) for x, y in line])).bearing_deg == pytest.approx(135)
    flat = standard_ellipse(at(*line))
    assert flat.semi_minor_m == pytest.approx(0, abs=1e-3)
    assert flat.polygon.length > 0
    round_one = standard_ellipse(at((0, 0), (100, 0), (100, 100), (0, 100)))
    assert np.isnan(round_one.bearing_deg)
    assert round_one.polygon.is_valid


def test_the_outline_lies_along_the_axes():
    ellipse = standard_ellipse(at((0, 0), (300, 300), (600, 600), (100, 200)))
    box = ellipse.polygon.minimum_rotated_rectangle
    sides = sorted({round(length) for length in LineString(box.exterior.coords[:3]).length * np.ones(1)})
    assert sides == [round(2 * (ellipse.semi_major_m + ellipse.semi_minor_m))]
    assert ellipse.polygon.area / 1e6 == pytest.approx(ellipse.area_km2, rel=0.01)
    tip = Point(
        ellipse.centre.x + ellipse.semi_major_m * np.sin(np.radians(ellipse.bearing_deg)),
        ellipse.centre.y + ellipse.semi_major_m * np.cos(np.radians(ellipse.bearing_deg)),
    )
    assert tip.distance(ellipse.polygon.exterior) < 0.5


@settings(deadline=None, max_examples=50)
@given(clouds)
def test_the_axes_add_up_to_the_standard_distance(cloud):
    places, weights = at(*[place for place, _ in cloud]), weighed(*[weight for _, weight in cloud])
    ellipse = standard_ellipse(places, weights)
    both = np.hypot(ellipse.semi_major_m, ellipse.semi_minor_m)
    assert both == pytest.approx(standard_distance(places, weights), rel=1e-6, abs=1e-3)


def test_pointpats_agrees():
    centrography = pytest.importorskip("pointpats.centrography", reason="pointpats is a peer, not installed here")
    rng = np.random.default_rng(7)
    spots = rng.normal((0, 0), (900, 400), (60, 2)) @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    places, weights = at(*spots), rng.integers(1, 40, 60).astype(float)
    theirs = spots + np.array([EAST, NORTH])
    ours = weighted_mean_centre(places, weighed(*weights))
    assert (ours.x, ours.y) == pytest.approx(tuple(centrography.weighted_mean_center(theirs, weights)))
    assert standard_distance(places) == pytest.approx(centrography.std_distance(spots), rel=1e-9)
    median = weighted_median_centre(places)
    assert (median.x, median.y) == pytest.approx(tuple(centrography.euclidean_median(theirs)), abs=0.5)
    one, other, _ = centrography.ellipse(spots)
    ellipse = standard_ellipse(places, variant="crimestat")
    assert (ellipse.semi_major_m, ellipse.semi_minor_m) == pytest.approx((max(one, other), min(one, other)), rel=1e-6)


# ---------------------------------------------------------------- shift


def moving():
    places = at((0, 0), (1000, 0), (0, 1000), ids=["a", "b", "c"])
    people = pd.DataFrame(
        {2006: [100, 100, 50.0], 2008: [100, 100, np.nan], 2010: [np.nan] * 3, 2012: [50, 150, 200]},
        index=["a", "b", "c"],
    )
    return places, people


def test_a_shift_is_of_the_points_known_every_year():
    places, people = moving()
    found = centre_shift(places, people)
    # Of a and b: at 500 in 2006 and 2008, at (50*0 + 150*1000) / 200 = 750 in 2012; c is missing in 2008
    assert found["points"].to_list() == [2, 2, 0, 2]
    assert found["shift_m"].to_list() == pytest.approx([np.nan, 0, np.nan, 250], nan_ok=True)
    assert found.loc["2012", ["bearing_deg", "per_year_m", "from_first_m"]].to_list() == [90, 250 / 4, 250]
    assert np.isnan(found.loc["2008", "bearing_deg"])
    assert found["missing_share"].to_list() == pytest.approx([0, 1 / 3, 1, 0])
    assert found["left_out_share"].to_list() == pytest.approx([50 / 250, 0, np.nan, 200 / 400], nan_ok=True)
    assert found["status"].to_list() == ["observed", "observed", "not_collected", "observed"]
    assert found.geometry["2010"] is None
    assert found.crs == places.crs


def test_each_year_may_have_its_own_points():
    places, people = moving()
    found = centre_shift(places, people, same_points=False)
    assert found["points"].to_list() == [3, 2, 0, 3]
    # 2006: y = 50 * 1000 / 250 = 200; 2008 without c: 0, although nobody moved
    assert found.geometry["2006"].y - NORTH == pytest.approx(200)
    assert found.loc["2008", "shift_m"] > 100


def test_a_median_centre_stays_while_a_few_move_far():
    places = at((0, 0), (10, 0), (5000, 0), ids=["a", "b", "c"])
    people = pd.DataFrame({2006: [60, 30, 0], 2012: [60, 0, 30]}, index=["a", "b", "c"])
    assert centre_shift(places, people, centre="median")["shift_m"]["2012"] == 0
    assert centre_shift(places, people)["shift_m"]["2012"] > 1000


def test_the_sample_towns_unemployed():
    run = gp.open_run(gp.home() / "scenarios/baseline.toml")
    table = run.indicators()
    areas = run.areas()
    points = areas.set_geometry(areas.representative_point())
    ids = list(table.definitions)
    found = centre_shift(points, table, indicator="population")
    assert (found["missing"] == 0).all()
    assert found["from_first_m"].iloc[-1] > 0
    survey = next(name for name in ids if table.data.loc[table.data["indicator"] == name, "numerator"].isna().all())
    with pytest.raises(InputError, match="no point has a figure in any year"):
        centre_shift(points, table, indicator=survey)


# ---------------------------------------------------------------- bad inputs


def test_every_fault_of_points_and_weights_is_told():
    with pytest.raises(CrsError, match="no coordinate system"):
        weighted_mean_centre(gpd.GeoSeries([Point(0, 0)]))
    with pytest.raises(CrsError, match="not in metres"):
        weighted_mean_centre(gpd.GeoSeries([Point(18, 59)], crs=4326))
    with pytest.raises(InputError, match="no points"):
        weighted_mean_centre(at())
    with pytest.raises(InputError, match="points cannot be a list"):
        weighted_mean_centre([1, 2])
    twice = at((0, 0), (1, 1), ids=["a", "a"])
    with pytest.raises(InputError, match="occur more than once: 'a'"):
        weighted_mean_centre(twice)
    with pytest.raises(InputError, match="no place"):
        weighted_mean_centre(gpd.GeoSeries([Point(EAST, NORTH), None], crs=3006))
    with pytest.raises(InputError, match=r"no point but .LineString"):
        weighted_mean_centre(gpd.GeoSeries([LineString([(EAST, NORTH), (EAST + 1, NORTH)])], crs=3006))


def test_missing_weights_are_no_zeros():
    places = at((0, 0), (1, 1), (2, 2))
    with pytest.raises(InputError) as caught:
        weighted_mean_centre(places, pd.Series({"p0": np.nan, "p1": -3, "x": 2}))
    said = str(caught.value)
    assert "2 point(s) have no weight: 'p0', 'p2'" in said
    assert "1 weight(s) are below 0: 'p1'" in said
    assert "not among" in said
    with pytest.raises(InputError, match="all weights are 0"):
        weighted_median_centre(places, weighed(0, 0, 0))
    with pytest.raises(InputError, match="no column 'people'"):
        weighted_mean_centre(places, "people")


def test_options_out_of_bounds_are_told():
    places = at((0, 0), (10, 0))
    with pytest.raises(InputError, match="did you mean 'yuill'"):
        standard_ellipse(places, variant="yuil")
    with pytest.raises(InputError, match="divides by 2 less"):
        standard_ellipse(places, variant="crimestat")
    with pytest.raises(InputError, match="not a tolerance"):
        weighted_median_centre(places, tolerance_m=0)
    people = pd.DataFrame({"2006": [1, 2], "spring": [3, 4]}, index=places.index)
    with pytest.raises(InputError, match="'spring' is no year"):
        centre_shift(places, people)
    with pytest.raises(InputError, match="no figures of '2007'"):
        centre_shift(places, people[["2006"]], years=[2007])
    with pytest.raises(InputError, match="below 0"):
        centre_shift(places, people[["2006"]] * -1)
    with pytest.raises(InputError, match="no point has a figure in each"):
        centre_shift(places, pd.DataFrame({2006: [1, np.nan], 2007: [np.nan, 2]}, index=places.index))
    with pytest.raises(InputError, match="'mean'"):
        centre_shift(places, people[["2006"]], centre="men")
