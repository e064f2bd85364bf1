"""Neighbours, by hand on squares, against libpysal, and their laws."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import areas_of, grid, row_of, square_at
from hypothesis import given, settings, strategies as st
from libpysal.graph import Graph
from shapely import LineString, MultiLineString, Point, Polygon
from strategies import SOUTH, WEST, boxes

from geoplan.errors import CrsError, GeometryError, IdError, InputError, SourceError, SpecError
from geoplan.risk import neighbours


def near(found, code):
    """Return the neighbours of an area."""
    return sorted(found.pairs.loc[found.pairs["area_id"] == code, "neighbour_id"])


def once(found, how=None):
    """Return each pair once, as text."""
    rows = found.pairs if how is None else found.pairs[found.pairs["how"] == how]
    return sorted({"-".join(sorted(pair)) for pair in rows[["area_id", "neighbour_id"]].to_numpy()})


def line(*points):
    """Return a line through points given in squares of 100 m from the south-west corner."""
    return LineString([(WEST + 100 * x, SOUTH + 100 * y) for x, y in points])


def lines(*shapes, crs="EPSG:3006"):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


# ---------------------------------------------------------------- contiguity


def test_nine_squares_touch_at_sides_and_corners():
    found = neighbours(grid(3, 3))
    assert near(found, "r0c0") == ["r0c1", "r1c0", "r1c1"]
    assert near(found, "r0c1") == ["r0c0", "r0c2", "r1c0", "r1c1", "r1c2"]
    assert len(near(found, "r1c1")) == 8
    assert set(found.pairs["how"]) == {"contiguity"}
    assert found.lines() == ["9 areas have 4.4 neighbours on average (they touch within 5 m)"]


def test_areas_that_overlap_or_leave_a_sliver_are_neighbours():
    areas = areas_of(a=square_at(0, 0), b=square_at(0.97, 0), c=square_at(2.01, 0), d=square_at(3.12, 0))
    found = neighbours(areas, islands="keep")  # b overlaps a by 3 m; c is 4 m from b; d is 11 m from c
    assert once(found) == ["a-b", "b-c"]
    assert once(neighbours(areas, tolerance_m=0, islands="keep")) == ["a-b"]
    assert once(neighbours(areas, tolerance_m=11)) == ["a-b", "b-c", "c-d"]


def test_an_area_inside_another_is_its_neighbour():
    ring = Polygon(square_at(0, 0, wide=3, high=3).exterior, [square_at(1, 1).exterior])
    assert once(neighbours(areas_of(ring=ring, hole=square_at(1, 1)))) == ["hole-ring"]


def test_contiguity_is_libpysals_where_nothing_overlaps():
    areas = grid(5, 4)
    ours, theirs = neighbours(areas, tolerance_m=0).graph, Graph.build_contiguity(areas, rook=False)
    pd.testing.assert_series_equal(ours.adjacency, theirs.adjacency, check_dtype=False)
    assert list(ours.unique_ids) == list(areas.index)


def test_the_graph_keeps_the_order_of_the_areas_and_islands_in_it():
    areas = areas_of(z=square_at(0, 0), m=square_at(9, 0), a=square_at(1, 0))
    found = neighbours(areas, islands="keep")
    assert list(found.graph.unique_ids) == ["z", "m", "a"]
    assert list(found.graph.isolates) == ["m"]
    assert found.pairs[["area_id", "neighbour_id"]].to_numpy().tolist() == [["z", "a"], ["a", "z"]]


# ---------------------------------------------------------------- nearest, distance


@given(st.lists(boxes(), min_size=4, max_size=12, unique_by=lambda shape: shape.centroid.coords[0]), st.integers(1, 3))
@settings(max_examples=25)
def test_nearest_and_distance_are_libpysals(shapes, k):
    areas = areas_of(**{f"A{place}": shape for place, shape in enumerate(shapes)})
    centres = areas.centroid
    gaps = np.sort(np.array([centres.distance(point).to_numpy() for point in centres]), axis=1)
    if (np.diff(gaps, axis=1) > 1e-6).all():  # no ties, which each may break in its own way
        ours, theirs = neighbours(areas, method="nearest", k=k).graph, Graph.build_knn(centres, k=k)
        pd.testing.assert_series_equal(ours.adjacency, theirs.adjacency, check_dtype=False)
    ours = neighbours(areas, method="distance", distance_m=250.5, islands="keep").graph
    theirs = Graph.build_distance_band(centres, 250.5)
    pd.testing.assert_series_equal(
        ours.adjacency.sort_index(), theirs.adjacency.sort_index(), check_dtype=False, check_index_type=False
    )


def test_nearest_needs_not_be_mutual():
    found = neighbours(areas_of(a=square_at(0, 0), b=square_at(1, 0), c=square_at(3, 0)), method="nearest", k=1)
    assert found.pairs.to_numpy().tolist() == [["a", "b", "nearest"], ["b", "a", "nearest"], ["c", "b", "nearest"]]
    assert found.lines() == ["3 areas have 1.0 neighbours on average (the 1 with the nearest centres)"]


def test_areas_with_the_same_centre_are_nearest_to_each_other_and_not_to_themselves():
    rings = {name: square_at(-n, -n, wide=1 + 2 * n, high=1 + 2 * n) for n, name in enumerate("abc")}
    found = neighbours(areas_of(**rings, d=square_at(20, 0)), method="nearest", k=2)
    assert near(found, "a") == ["b", "c"]
    assert near(found, "b") == ["a", "c"]
    assert (found.pairs["area_id"] != found.pairs["neighbour_id"]).all()


def test_distance_counts_the_limit_itself():
    found = neighbours(row_of(3), method="distance", distance_m=100)
    assert once(found) == ["a-b", "b-c"]
    assert found.lines()[0] == "3 areas have 1.3 neighbours on average (centres within 100 m)"


# ---------------------------------------------------------------- islands


ISLANDS = {"a": square_at(0, 0), "b": square_at(1, 0), "c": square_at(4, 0), "d": square_at(20, 0)}


def test_islands_are_joined_to_the_nearest_area_and_named():
    found = neighbours(areas_of(**ISLANDS))
    assert once(found, "island") == ["b-c", "c-d"]
    assert found.islands == ("c", "d")
    assert found.lines() == [
        "4 areas have 1.5 neighbours on average (they touch within 5 m)",
        "2 areas have no neighbour by this rule and were joined to the nearest: 'c', 'd'",
    ]


def test_islands_may_stay_alone():
    found = neighbours(areas_of(**ISLANDS), islands="keep")
    assert once(found) == ["a-b"]
    assert found.lines() == [
        "4 areas have 0.5 neighbours on average (they touch within 5 m)",
        "2 areas have no neighbour by this rule and stay so: 'c', 'd'",
        "the areas form 3 groups with no link between them",
    ]


def test_islands_may_be_refused():
    with pytest.raises(GeometryError) as caught:
        neighbours(areas_of(**ISLANDS), islands="refuse")
    assert str(caught.value) == (
        "2 area(s) have no neighbour: 'c', 'd'. Expected: a neighbour for every area. "
        'Hint: give `bridges`, or let `islands="join"` take the nearest area'
    )


def test_an_island_equally_near_to_two_areas_joins_both():
    areas = areas_of(a=square_at(0, 0), b=square_at(0, 1), c=square_at(2, 0, high=2), d=square_at(3, 0))
    found = neighbours(areas)
    assert once(found, "island") == []  # c touches d, so that the two make a group and no island
    assert "the areas form 2 groups with no link between them" in found.lines()
    assert once(neighbours(areas.drop(index="d")), "island") == ["a-c", "b-c"]


@pytest.mark.parametrize("method", ["contiguity", "nearest", "distance"])
def test_one_area_alone_has_no_neighbours(method):
    found = neighbours(row_of(1), method=method, distance_m=100)
    assert found.pairs.empty
    assert found.islands == ("a",)
    assert found.lines() == [
        "1 area has 0.0 neighbours on average (one area alone)",
        "1 area has no neighbour by this rule and stays so: 'a'",
    ]


# ---------------------------------------------------------------- bridges


SHORES = {"a": square_at(0, 0), "b": square_at(2, 0), "c": square_at(4, 0)}  # 100 m of water between


def test_bridges_by_codes():
    found = neighbours(areas_of(**SHORES), bridges=[("a", "b"), ("b", "c")])
    assert found.pairs["how"].tolist() == ["bridge"] * 4
    assert found.islands == ()
    assert found.lines()[1] == "2 pairs are neighbours by a bridge"


def test_a_line_joins_the_areas_it_touches_in_a_row():
    found = neighbours(areas_of(**SHORES), bridges=lines(line((0.5, 0.5), (4.5, 0.5))))
    assert once(found, "bridge") == ["a-b", "b-c"]  # and not a-c: b lies between


def test_a_line_may_be_in_degrees():
    found = neighbours(areas_of(**SHORES), bridges=lines(line((0.5, 0.5), (2.5, 0.5))).to_crs(4326))
    assert once(found, "bridge") == ["a-b"]


def test_a_line_that_ends_at_the_shore_reaches_the_area():
    short = lines(line((1.03, 0.5), (1.97, 0.5)))  # 3 m off on both sides
    assert once(neighbours(areas_of(**SHORES), bridges=short), "bridge") == ["a-b"]
    found = neighbours(areas_of(**SHORES), bridges=short, tolerance_m=1, islands="keep")
    assert once(found) == []
    assert found.lines()[1] == "1 line crosses no gap between two areas"


def test_lines_that_meet_in_the_gap_lead_on():
    parts = [line((0.5, 0.5), (1.3, 0.5)), line((1.3, 0.5), (1.6, 0.9)), line((1.6, 0.9), (2.5, 0.5))]
    dead_end = line((1.3, 0.5), (1.3, 0.9))
    found = neighbours(areas_of(**SHORES), bridges=lines(*parts, dead_end), islands="keep")
    assert once(found) == ["a-b"]
    assert found.unused == 0  # the dead end hangs on the bridge
    apart = neighbours(areas_of(**SHORES), bridges=lines(parts[0], parts[2]), islands="keep")
    assert once(apart) == []
    assert apart.lines()[1] == "2 lines cross no gap between two areas"


def test_lines_that_cross_without_meeting_do_not_join():
    shores = areas_of(a=square_at(0, 1), b=square_at(2, 1), c=square_at(1, 0), d=square_at(1, 2))
    crossing = [line((0.5, 1.5), (2.5, 1.5)), line((1.5, 0.5), (1.5, 2.5))]
    found = neighbours(shores, bridges=MultiLineString_frame(crossing), tolerance_m=0, islands="keep")
    assert once(found, "bridge") == ["a-b", "c-d"]


def MultiLineString_frame(shapes):  # noqa: N802  named after what it makes
    return lines(MultiLineString(shapes))


def test_a_road_from_area_to_area_is_no_bridge():
    found = neighbours(row_of(2), method="nearest", k=1, bridges=lines(line((0.5, 0.5), (1.5, 0.5))))
    assert set(found.pairs["how"]) == {"nearest"}
    assert found.unused == 1


def test_a_road_out_to_the_water_and_back_joins_nothing():
    found = neighbours(areas_of(**SHORES), bridges=lines(line((0.5, 0.2), (1.5, 0.5), (0.5, 0.8))), islands="keep")
    assert once(found) == []


def test_bridges_add_to_any_method():
    found = neighbours(areas_of(**SHORES), method="distance", distance_m=200, bridges=[("a", "c"), ("a", "b")])
    assert once(found, "bridge") == ["a-c"]
    assert once(found, "distance") == ["a-b", "b-c"]


def test_no_lines_are_no_bridges():
    found = neighbours(areas_of(**SHORES), bridges=lines(), islands="keep")
    assert once(found) == []
    assert len(found.lines()) == 3


# ---------------------------------------------------------------- what is refused


def test_unknown_codes_of_bridges_are_named():
    with pytest.raises(IdError) as caught:
        neighbours(areas_of(**SHORES), bridges=[("a", "x"), ("y", "b")])
    assert str(caught.value) == (
        "key 'bridges': 2 code(s) are not among the areas: 'x', 'y'. Expected: codes such as 'a', 'b', 'c'. "
        "Hint: look at the level and the leading zeros of both"
    )


@pytest.mark.parametrize(
    ("bridge", "said"),
    [(("a", "a"), "'a', 'a'"), (("a", "b", "c"), "'a', 'b', 'c'"), ("ab", "'ab'"), (("a",), "'a'")],
)
def test_a_bridge_joins_two_different_areas(bridge, said):
    with pytest.raises(InputError) as caught:
        neighbours(areas_of(**SHORES), bridges=[bridge])
    assert str(caught.value).startswith(f"key 'bridges': a bridge joins {said}. Expected: two different areas.")


def test_bridges_that_are_points_or_state_no_system_are_refused():
    with pytest.raises(GeometryError) as caught:
        neighbours(areas_of(**SHORES), bridges=lines(Point(WEST, SOUTH)))
    assert str(caught.value) == (
        "key 'bridges': 1 bridge(s) are no lines but 'Point'. Expected: lines, or pairs of codes."
    )
    with pytest.raises(CrsError, match="key 'bridges': read as EPSG:3006, the data lie at longitude"):
        neighbours(areas_of(**SHORES), bridges=lines(LineString([(0, 0), (60, 18)])))  # degrees said to be metres
    with pytest.raises(CrsError, match="key 'bridges': the geometries have no coordinate system"):
        neighbours(areas_of(**SHORES), bridges=lines(line((0, 0), (1, 1)), crs=None))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"method": "queen"},
            "key 'method': no method is called 'queen'. Hint: one of 'contiguity', 'distance', 'nearest'",
        ),
        (
            {"islands": "joined"},
            "key 'islands': no rule for islands is called 'joined'. Hint: did you mean 'join'?",
        ),
        *(
            (
                {"method": "nearest", "k": k},
                f"key 'k': {k} nearest of 3 areas cannot be found. Expected: a whole number from 1 to 2.",
            )
            for k in (3, 0, 1.5)
        ),
        ({"method": "distance"}, "key 'distance_m': no distance is given. Expected: a number of metres above 0."),
        (
            {"method": "distance", "distance_m": -5},
            "key 'distance_m': -5 m is no distance. Expected: a number of metres above 0.",
        ),
        ({"tolerance_m": -1}, "key 'tolerance_m': -1 m is no tolerance. Expected: 0 or a number of metres above."),
    ],
)
def test_arguments_out_of_range(arguments, said):
    with pytest.raises(SpecError) as caught:
        neighbours(areas_of(**SHORES), **arguments)
    assert str(caught.value) == said


def test_all_arguments_out_of_range_are_said_at_once():
    with pytest.raises(SpecError) as caught:
        neighbours(areas_of(**SHORES), method="queen", islands="x", tolerance_m=np.nan)
    assert len(caught.value.faults) == 3


def test_areas_that_cannot_be_measured_are_refused():
    areas = areas_of(**SHORES)
    with pytest.raises(SourceError, match="there are no areas"):
        neighbours(areas.iloc[:0])
    with pytest.raises(IdError, match=r"1 area code\(s\) occur more than once: 'a'"):
        neighbours(areas.rename(index={"b": "a"}))
    with pytest.raises(CrsError, match="measures in degree"):
        neighbours(areas.to_crs(4326))
    with pytest.raises(CrsError, match="no coordinate system"):
        neighbours(gpd.GeoDataFrame(geometry=list(areas.geometry), index=areas.index))
    with pytest.raises(GeometryError, match=r"1 area\(s\) have no geometry: 'b'"):
        neighbours(areas.assign(geometry=areas.geometry.where(areas.index != "b", None)))
    with pytest.raises(GeometryError, match=r"3 area\(s\) are no polygons but 'Point'"):
        neighbours(areas.assign(geometry=areas.centroid))
    bow = Polygon([(WEST, SOUTH), (WEST + 9, SOUTH + 9), (WEST + 9, SOUTH), (WEST, SOUTH + 9)])
    with pytest.raises(GeometryError) as caught:
        neighbours(areas_of(bow=bow, a=square_at(3, 0)))
    assert str(caught.value) == "1 area(s) have an invalid geometry: 'bow'. Hint: `as_areas` mends and lists them"


# ---------------------------------------------------------------- laws


@given(st.lists(boxes(), min_size=1, max_size=10), st.randoms(use_true_random=False), st.sampled_from(["join", "keep"]))
@settings(max_examples=50)
def test_contiguity_is_mutual_and_knows_no_order(shapes, random, islands):
    areas = areas_of(**{f"A{place}": shape for place, shape in enumerate(shapes)})
    found = neighbours(areas, islands=islands)
    pairs = set(map(tuple, found.pairs.to_numpy()))
    assert {(b, a, how) for a, b, how in pairs} == pairs
    assert found.graph.asymmetry().empty
    order = list(areas.index)
    random.shuffle(order)
    again = neighbours(areas.loc[order], islands=islands)
    assert set(map(tuple, again.pairs.to_numpy())) == pairs
    assert sorted(again.islands) == sorted(found.islands)
    if islands == "join" and len(areas) > 1:
        assert set(found.pairs["area_id"]) == set(areas.index)
