"""Residents, their areas, and who is not scored."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from shapely import Point, box

from geoplan.errors import InputError
from geoplan.reach import Standard, area_access, area_of_points, weighted_points, weighted_quantile

# Two areas. N: 700 people reach 60,000 jobs, 300 reach 20,000. S: 50 reach 80,000, 150 are off the streets.
POINTS = pd.Index(["a", "b", "c", "d"], name="from_id")
JOBS = pd.Series([60_000, 20_000, 80_000, np.nan], index=POINTS, name="jobs_45")
PEOPLE = pd.Series([700, 300, 50, 150], index=POINTS)
AREA = pd.Series(["N", "N", "S", "S"], index=POINTS)


def one(table, area, measure="jobs_45"):
    return table[(table["area_id"] == area) & (table["measure"] == measure)].iloc[0]


def test_hand_worked_area():
    table = area_access(JOBS, PEOPLE, AREA, standards=[Standard("jobs_45", at_least=50_000)])
    north = one(table, "N")
    assert north["mean"] == (700 * 60_000 + 300 * 20_000) / 1000 == 48_000
    assert north[["minimum", "p10", "median", "p90", "maximum"]].tolist() == [20_000, 20_000, 60_000, 60_000, 60_000]
    assert (north["meeting"], north["share_meeting"], north["standard"]) == (700, 0.7, "jobs_45 ≥ 50,000")
    assert (north["residents"], north["scored"], north["not_scored"], north["points"]) == (1000, 1000, 0, 2)


def test_too_few_scored_says_so_and_gives_no_figure():
    south = one(area_access(JOBS, PEOPLE, AREA), "S")
    assert (south["scored"], south["not_scored"]) == (50, 150)
    assert south["status"] == "not_collected"
    assert south["reason"] == "25% of the residents are scored"
    assert np.isnan(south["mean"])
    assert one(area_access(JOBS, PEOPLE, AREA, minimum_coverage=0.25), "S")["mean"] == 80_000


def test_not_reached_is_not_the_same_as_not_known():
    minutes = pd.Series([10, np.nan, np.nan, 5], index=POINTS, name="school")
    status = pd.Series(["observed", "observed", "out_of_scope", "observed"], index=POINTS)
    table = area_access(minutes, PEOPLE, AREA, status=status, standards=[Standard("school", at_most=10)])
    north, south = one(table, "N", "school"), one(table, "S", "school")
    assert (north["not_reached"], north["not_scored"]) == (300, 0)
    assert north["share_meeting"] == 0.7
    assert north["mean"] == 10
    assert np.isnan(north["maximum"])  # the last to be counted do not reach it
    assert (south["not_reached"], south["not_scored"], south["share_meeting"]) == (0, 50, 1)


def test_nobody_lives_there():
    empty = one(area_access(JOBS, PEOPLE * [1, 1, 0, 0], AREA), "S")
    assert (empty["status"], empty["reason"]) == ("not_applicable", "nobody lives there")


def test_the_plain_centroid_beside_it():
    table = area_access(JOBS, PEOPLE, AREA, at_centroid=pd.Series({"N": 50_000.0}, name="jobs_45"))
    assert one(table, "N")["centroid_difference"] == 48_000 - 50_000
    assert np.isnan(one(table, "S")["centroid_difference"])


def test_several_measures_and_standards():
    frame = pd.DataFrame({("work", 30): JOBS, ("work", 45.0): JOBS * 2})
    table = area_access(
        frame, PEOPLE, AREA, standards=[Standard("work, 30", at_least=1), Standard("work, 30", at_least=9e9)]
    )
    assert table.groupby("measure").size().to_dict() == {"work, 30": 4, "work, 45": 2}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"residents": PEOPLE.drop("a")}, "residents lacks 1 point(s): 'a'"),
        ({"residents": pd.concat([PEOPLE, pd.Series({"z": 1})])}, "residents has more: 1 point(s): 'z'"),
        ({"area_of": pd.concat([AREA, AREA[:1]])}, "occur more than once: 'a'"),
        ({"residents": PEOPLE.astype(float).mask(PEOPLE == 50)}, "missing or negative: 'c'"),
        ({"access": JOBS.replace(60_000, np.inf)}, "infinite"),
        ({"access": JOBS.astype(str)}, "no number"),
        ({"standards": [Standard("jobs_54", at_least=1)]}, "did you mean 'jobs_45'"),
    ],
)
def test_faults_are_worded(change, words):
    asked = {"access": JOBS, "residents": PEOPLE, "area_of": AREA} | change
    with pytest.raises(InputError) as caught:
        area_access(asked.pop("access"), asked.pop("residents"), asked.pop("area_of"), **asked)
    assert words in str(caught.value)


@pytest.mark.parametrize("limits", [{}, {"at_least": 1, "at_most": 2}, {"at_least": np.nan}])
def test_a_standard_is_one_limit(limits):
    with pytest.raises(InputError, match="not one limit"):
        Standard("jobs", **limits)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), min_size=1, max_size=30), st.floats(0, 1))
@settings(deadline=None)
def test_weighted_quantile_is_that_of_single_people(rows, share):
    values, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    if weights.sum() == 0:
        return
    people = np.repeat(values, weights.astype(int))
    assert weighted_quantile(values, weights, [share])[0] == np.quantile(people, share, method="inverted_cdf")


def test_points_in_areas_and_on_borders():
    areas = gpd.GeoDataFrame(geometry=[box(1, 0, 2, 1), box(0, 0, 1, 1)], index=["S", "N"], crs=3006)
    points = gpd.GeoDataFrame(geometry=[Point(0.5, 0.5), Point(1, 0.5), Point(9, 9)], index=list("abc"), crs=3006)
    assert area_of_points(points, areas).tolist() == ["N", "N", None]
    with pytest.raises(InputError, match="have no place: 'b'"):
        area_of_points(gpd.GeoDataFrame(geometry=[Point(0, 0), None], index=["a", "b"], crs=3006), areas)


def test_a_weighted_point_is_one_where_people_live():
    places = gpd.GeoDataFrame(geometry=[Point(0, 0), Point(100, 0), Point(100, 90)], index=list("abc"), crs=3006)
    found = weighted_points(places, pd.Series([10, 10, 10], index=list("abc")), pd.Series(["N"] * 3, index=list("abc")))
    assert found.loc["N", "from_id"] == "b"  # the mean is (66.7, 30): 45 m from b, 68 m from c, 73 m from a
    assert found.loc["N", "moved_m"] == pytest.approx(np.hypot(100 / 3, 30))
    with pytest.raises(InputError, match="metre"):
        weighted_points(places.set_crs(4326, allow_override=True), PEOPLE, AREA)
