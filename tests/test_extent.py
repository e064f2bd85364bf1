"""Extent: squares worked by hand, and geopandas as the judge of unions."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from shapely import MultiPolygon, affinity, box
from strategies import SOUTH, WEST, boxes

from geoplan.errors import CrsError, IdError
from geoplan.places import as_membership, extent, pairs_at


def _areas(**sides):
    shapes = [affinity.translate(box(*corners), WEST, SOUTH) for corners in sides.values()]
    return gpd.GeoDataFrame(geometry=shapes, index=pd.Index(list(sides), name="area_id"), crs=3006)


# Three squares of 100 m in a row, with gaps of 100 m and 200 m between them, and one that touches the first.
ROW = _areas(a=(0, 0, 100, 100), b=(200, 0, 300, 100), c=(500, 0, 600, 100), d=(0, 100, 100, 200))
PEOPLE = pd.Series({"a": 100, "b": 300, "c": 200, "d": 400})
HOMES = pd.Series({"a": 50.0, "b": 150.0, "c": 90.0, "d": np.nan})


def _plan(*codes, name="plan"):
    return pd.Series(name, index=list(codes), dtype=object)


def test_a_plan_is_its_areas_together():
    found = extent(ROW, parents=_plan("a", "b", "c"), population=PEOPLE, homes=HOMES)
    assert list(found.columns) == [
        "estates",
        "homes",
        "residents",
        "area_m2",
        "area_km2",
        "hull_km2",
        "compactness",
        "parts",
        "largest_distance_m",
        "standard_distance_m",
    ]
    row = found.loc["plan"]
    assert row[["estates", "homes", "residents"]].tolist() == [3, 290, 600]
    # The hull of the row is 600 m × 100 m.
    assert row[["area_m2", "area_km2", "hull_km2"]].tolist() == [30_000, 0.03, 0.06]
    assert row["compactness"] == 0.5
    # From a's eastern edge to c's western one: 500 - 100 m.
    assert row[["parts", "largest_distance_m"]].tolist() == [3, 400]


def test_the_standard_distance_by_hand():
    # Centroids at x = 50, 250, 550 with 100, 300, 200 people: mean (5 000 + 75 000 + 110 000) / 600 = 316.67.
    # Squares 71 111.1, 4 444.4, 54 444.4: (100 · 71 111.1 + 300 · 4 444.4 + 200 · 54 444.4) / 600 = 32 222.2.
    found = extent(ROW, parents=_plan("a", "b", "c"), population=PEOPLE).loc["plan", "standard_distance_m"]
    assert found == pytest.approx(math.sqrt(32_222.2222), rel=1e-6)
    # In two directions: a and d, centroids 100 m apart north to south, weights 1 to 4: 100 · √(0.2 · 0.8) = 40.
    found = extent(ROW, parents=_plan("a", "d"), population=PEOPLE).loc["plan", "standard_distance_m"]
    assert found == pytest.approx(40)


def test_each_area_alone_is_as_it_is_drawn():
    found = extent(ROW, population=PEOPLE)
    assert list(found.index) == ["a", "b", "c", "d"]
    assert found["estates"].tolist() == [1, 1, 1, 1]
    assert found["residents"].tolist() == [100, 300, 200, 400]
    assert found["standard_distance_m"].tolist() == [0, 0, 0, 0]
    assert found["parts"].tolist() == [1, 1, 1, 1]
    assert found["largest_distance_m"].tolist() == [0, 0, 0, 0]
    assert found["compactness"].tolist() == [1, 1, 1, 1]


def test_an_estate_in_two_plans_counts_in_each_and_once_in_the_board():
    steps = {"child_id": ["a", "b", "b", "c", "p", "q"], "parent_id": ["p", "p", "q", "q", "board", "board"]}
    membership = as_membership(pd.DataFrame(steps))
    pairs = pairs_at(membership, ROW.index, ["p", "q", "board"])
    found = extent(ROW, parents=pairs, population=PEOPLE)
    assert found["estates"].to_dict() == {"board": 3, "p": 2, "q": 2}
    assert found["residents"].to_dict() == {"board": 600, "p": 400, "q": 500}
    assert found["area_m2"].to_dict() == {"board": 30_000, "p": 20_000, "q": 20_000}


def test_what_is_not_known_is_missing_and_not_zero():
    found = extent(ROW, parents=_plan("a", "d"), homes=HOMES).loc["plan"]
    assert np.isnan(found["homes"])
    assert np.isnan(found["residents"])
    assert np.isnan(found["standard_distance_m"])
    # Of the areas whose residents are known: a alone.
    some = extent(ROW, parents=_plan("a", "d"), population=PEOPLE.drop("d")).loc["plan"]
    assert np.isnan(some["residents"])
    assert some["standard_distance_m"] == 0


def test_ground_that_two_areas_claim_counts_once():
    areas = _areas(a=(0, 0, 100, 100), b=(50, 0, 150, 100))
    assert extent(areas, parents=_plan("a", "b")).loc["plan", "area_m2"] == 15_000


@pytest.mark.parametrize(
    ("join_m", "parts", "apart"),
    [
        (10, 3, 400),
        (99.9, 3, 400),
        (100, 2, 200),  # a and b become one, 200 m from c
        (200, 1, 0),
    ],
)
def test_parts_near_each_other_are_one(join_m, parts, apart):
    found = extent(ROW, parents=_plan("a", "b", "c"), join_m=join_m).loc["plan"]
    assert found[["parts", "largest_distance_m"]].tolist() == [parts, apart]


def test_the_parts_of_one_area_and_those_of_a_plan_are_counted_alike():
    shape = affinity.translate(MultiPolygon([box(0, 0, 100, 100), box(0, 400, 100, 500)]), WEST, SOUTH)
    areas = gpd.GeoDataFrame(geometry=[shape], index=pd.Index(["a"], name="area_id"), crs=3006)
    assert extent(areas).loc["a", ["parts", "largest_distance_m"]].tolist() == [2, 300]
    assert extent(areas, parents=_plan("a")).loc["plan", ["parts", "largest_distance_m"]].tolist() == [2, 300]


def test_parts_of_different_plans_do_not_join():
    # b lies between the two parts of the plan, and in another one.
    areas = _areas(a=(0, 0, 100, 100), b=(100, 0, 105, 100), c=(105, 0, 200, 100))
    plans = pd.Series({"a": "p", "b": "q", "c": "p"})
    assert extent(areas, parents=plans, join_m=1)["parts"].to_dict() == {"p": 2, "q": 1}
    assert extent(areas, parents=plans, join_m=5)["parts"].to_dict() == {"p": 1, "q": 1}


def test_only_whole_areas_make_a_plan():
    pairs = pd.DataFrame({"child_id": ["a"], "parent_id": ["plan"], "share": [0.4]})
    with pytest.raises(IdError, match=r"1 area\(s\) belong only partly to a parent: 'a'"):
        extent(ROW, parents=pairs)


def test_a_plan_of_areas_that_are_not_there_is_told():
    with pytest.raises(IdError) as caught:
        extent(ROW, parents=_plan("a", "A"))
    assert str(caught.value) == (
        "1 code(s) are not among the areas: 'A'. Expected: codes such as 'a', 'b', 'c' and 1 more. "
        "Hint: look at the level and the leading zeros of both"
    )


def test_degrees_are_refused():
    with pytest.raises(CrsError, match="EPSG:4326 measures in degree, not in metres"):
        extent(ROW.to_crs(4326))


@settings(max_examples=40)
@given(st.lists(boxes(), min_size=1, max_size=12), st.data())
def test_plans_are_what_geopandas_dissolves(shapes, data):
    ids = pd.Index([f"a{number:02}" for number, _ in enumerate(shapes)], name="area_id")
    areas = gpd.GeoDataFrame(geometry=shapes, index=ids, crs=3006)
    plans = pd.Series([data.draw(st.sampled_from("pqr")) for _ in shapes], index=ids)
    people = pd.Series([data.draw(st.integers(1, 1000)) for _ in shapes], index=ids)
    found = extent(areas, parents=plans, population=people, join_m=0)
    merged = areas.assign(plan=plans).dissolve("plan")
    np.testing.assert_allclose(found["area_m2"], merged.area)
    np.testing.assert_allclose(found["hull_km2"], merged.convex_hull.area / 1e6)
    single = merged.explode(index_parts=True)
    for plan, parts in single.geometry.groupby(level=0):
        # Parts that touch in a corner are one here and two to geopandas.
        assert found.loc[plan, "parts"] <= len(parts)
        farthest = max(one.distance(other) for one in parts for other in parts)
        assert found.loc[plan, "largest_distance_m"] == pytest.approx(farthest, abs=1e-6)
    for plan, own in areas.centroid.groupby(plans):
        weight = people[own.index]
        x, y = np.average(own.x, weights=weight), np.average(own.y, weights=weight)
        square = np.average((own.x - x) ** 2 + (own.y - y) ** 2, weights=weight)
        assert found.loc[plan, "standard_distance_m"] == pytest.approx(math.sqrt(square), abs=1e-6)
