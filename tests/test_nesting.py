"""Nesting: what of two levels does not fit together, in square metres and in people, worked on squares by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from shapely import affinity, box, union_all
from strategies import SOUTH, WEST, boxes

from geoplan.errors import CrsError
from geoplan.places import as_membership, check_nesting, find_overlaps

KINDS = ["no_parent", "no_child", "outside", "gap", "overlap", "parent_overlap"]


def _areas(**sides):
    """Return areas from west, south, east, north in metres, set down in Stockholm."""
    shapes = [affinity.translate(box(*corners), WEST, SOUTH) for corners in sides.values()]
    return gpd.GeoDataFrame(geometry=shapes, index=pd.Index(list(sides), name="area_id"), crs=3006)


def _in(**parents):
    return as_membership(pd.DataFrame({"child_id": list(parents), "parent_id": list(parents.values())}))


def _pieces(report):
    columns = ["kind", "area_id", "parent_id", "other_id", "sliver", "m2"]
    return list(report.pieces[columns].round(6).itertuples(index=False, name=None))


QUARTERS = {"a": (0, 0, 100, 100), "b": (100, 0, 200, 100), "c": (0, 100, 100, 200), "d": (100, 100, 200, 200)}
TOWN = _areas(town=(0, 0, 200, 200))


def test_levels_that_nest_have_nothing_to_tell():
    report = check_nesting(_areas(**QUARTERS), TOWN, _in(**dict.fromkeys("abcd", "town")))
    assert report.lines() == []
    assert report.pieces.empty
    assert (report.areas, report.parents, report.areas_m2, report.misplaced) == (4, 1, 40_000, 0)


def test_a_gap_is_ground_of_a_parent_that_no_area_covers():
    # b ends 20 m short of the border: 20 m × 100 m. Nobody knows who lives there.
    areas = _areas(**QUARTERS | {"b": (100, 0, 180, 100)})
    report = check_nesting(areas, TOWN, population=pd.Series({"a": 100, "b": 80}))
    assert _pieces(report) == [("gap", "", "town", "", False, 2000.0)]
    assert report.pieces["people"].isna().all()
    assert report.lines() == ["1 parent has ground that no area covers: 'town', 2,000 m²"]


def test_an_overlap_counts_the_people_of_both():
    # b reaches 10 m into a: 1 000 m². Of a's 100 people on 10 000 m² 10 live there, of b's 220 on 11 000 m² 20.
    areas = _areas(**QUARTERS | {"b": (90, 0, 200, 100)})
    report = check_nesting(areas, TOWN, population=pd.Series({"a": 100, "b": 220, "c": 1, "d": 1}))
    assert _pieces(report) == [("overlap", "a", "", "b", False, 1000.0)]
    assert report.pieces["people"].tolist() == [pytest.approx(30)]
    assert report.lines() == ["1 pair of areas overlaps: 'a' and 'b', 1,000 m², 30 people"]


def test_parents_that_overlap_count_the_people_on_the_ground_they_share():
    # Two plans share 50 m × 100 m: half of b, in which 80 of its 160 people live.
    plans = _areas(west=(0, 0, 150, 100), east=(100, 0, 300, 100))
    areas = _areas(a=(0, 0, 100, 100), b=(100, 0, 200, 100), c=(200, 0, 300, 100))
    report = check_nesting(areas, plans, _in(a="west", b="east", c="east"), population=pd.Series({"b": 160, "c": 9}))
    assert _pieces(report) == [("parent_overlap", "", "west", "east", False, 5000.0)]
    assert report.pieces["people"].tolist() == [pytest.approx(80)]
    assert report.lines() == ["1 pair of parents overlaps: 'west' and 'east', 5,000 m², 80 people"]


def test_an_area_outside_its_parent_is_measured_against_the_membership():
    # b stands in the register under west and lies in east; half of c sticks out of east.
    areas = _areas(a=(0, 0, 100, 100), b=(100, 0, 200, 100), c=(200, 0, 300, 100))
    parents = _areas(west=(0, 0, 100, 100), east=(100, 0, 250, 100))
    people = pd.Series({"a": 500, "b": 300, "c": 200})
    report = check_nesting(areas, parents, _in(a="west", b="west", c="east"), population=people)
    assert _pieces(report) == [
        ("outside", "b", "west", "", False, 10_000.0),
        ("outside", "c", "east", "", False, 5000.0),
    ]
    assert report.pieces["people"].tolist() == [300, 100]
    assert report.misplaced == 0.4
    (line,) = report.lines()
    assert line == (
        "2 times an area lies wholly or partly outside its parent: 15,000 m², 400 people in all "
        "(largest: 'b' beyond 'west', 10,000 m², 300 people)"
    )
    # Without a register b belongs where it lies.
    assert _pieces(check_nesting(areas, parents)) == [("outside", "c", "east", "", False, 5000.0)]


def test_an_area_in_two_plans_is_measured_against_each_and_a_divided_one_against_both_together():
    areas = _areas(a=(0, 0, 120, 100))
    plans = _areas(west=(0, 0, 50, 100), east=(50, 0, 100, 100))
    whole = as_membership(pd.DataFrame({"child_id": ["a", "a"], "parent_id": ["west", "east"]}))
    assert _pieces(check_nesting(areas, plans, whole)) == [
        ("outside", "a", "east", "", False, 7000.0),
        ("outside", "a", "west", "", False, 7000.0),
    ]
    divided = check_nesting(areas, plans, whole.assign(share=0.5), population=pd.Series({"a": 240}))
    assert _pieces(divided) == [("outside", "a", "", "", False, 2000.0)]
    assert divided.lines() == ["1 area lies wholly or partly outside its parent: 'a', 2,000 m², 40 people"]


def test_areas_and_parents_without_partner_are_listed():
    areas = _areas(a=(0, 0, 100, 100), island=(500, 0, 550, 100))
    parents = _areas(town=(0, 0, 100, 100), empty=(1000, 0, 2000, 1000))
    report = check_nesting(areas, parents, population=pd.Series({"a": 9, "island": 1}))
    assert _pieces(report) == [
        ("gap", "", "empty", "", False, 1e6),
        ("no_child", "", "empty", "", False, 1e6),
        ("no_parent", "island", "", "", False, 5000.0),
    ]
    assert report.misplaced == 0.1
    assert report.lines() == [
        "1 area has no parent: 'island', 5,000 m², 1 person",
        "1 parent has no area: 'empty', 1.00 km²",
        "1 parent has ground that no area covers: 'empty', 1.00 km²",
    ]
    assert report.misplaced_lines() == report.lines()[:1]


@pytest.mark.parametrize(("width", "sliver"), [(4.9, True), (5.1, False)])
def test_a_sliver_is_a_piece_that_no_circle_of_the_width_fits_into(width, sliver):
    areas = _areas(a=(0, 0, 100 + width, 100), b=(100, 0, 200, 100))
    report = check_nesting(areas, _areas(town=(0, 0, 200, 100)), sliver_m=5)
    ((kind, *_, thin, m2),) = _pieces(report)
    assert (kind, thin, m2) == ("overlap", sliver, pytest.approx(100 * width))
    if sliver:
        assert report.lines() == ["1 sliver is thinner than 5 m: 490 m² in all"]


def test_slivers_and_pieces_of_one_pair_are_told_apart():
    # c is b's neighbour and laps over it twice: along 4 m × 100 m, and in a corner of 20 m × 20 m.
    lap = union_all([box(96, 0, 200, 100), box(60, 40, 80, 60), box(79, 49, 97, 50)])
    areas = _areas(b=(0, 0, 100, 100), c=(100, 0, 200, 100))
    areas.loc["c", "geometry"] = affinity.translate(lap, WEST, SOUTH)
    found = check_nesting(areas, _areas(town=(0, 0, 200, 100)), sliver_m=5).pieces
    assert found["kind"].tolist() == ["overlap"]
    assert found["sliver"].tolist() == [False]  # tied together by a strip they are one piece, and no sliver
    lap = union_all([box(96, 0, 200, 100), box(60, 40, 80, 60)])
    areas.loc["c", "geometry"] = affinity.translate(lap, WEST, SOUTH)
    found = check_nesting(areas, _areas(town=(0, 0, 200, 100)), sliver_m=5).pieces
    by_sliver = found.set_index("sliver")["m2"].to_dict()
    assert by_sliver == {False: pytest.approx(400), True: pytest.approx(400)}


def test_less_than_a_square_metre_is_rounding():
    areas = _areas(a=(0, 0, 100.009, 100), b=(100, 0, 200, 100))
    town = _areas(town=(0, 0, 200, 100))
    assert check_nesting(areas, town).pieces.empty
    assert len(check_nesting(areas, town, minimum_m2=0.5).pieces) == 1


def test_two_systems_and_degrees_are_refused():
    areas = _areas(**QUARTERS)
    with pytest.raises(CrsError, match="the first areas are in EPSG:3006, the second in EPSG:25833"):
        check_nesting(areas, TOWN.to_crs(25833))
    with pytest.raises(CrsError, match="EPSG:4326 measures in degree, not in metres"):
        check_nesting(areas.to_crs(4326), TOWN)


@settings(max_examples=40)
@given(st.lists(boxes(), min_size=1, max_size=5), st.lists(boxes(), min_size=1, max_size=3))
def test_pieces_are_what_unions_and_differences_say(small, large):
    areas = gpd.GeoDataFrame(geometry=small, index=pd.Index([f"a{n}" for n, _ in enumerate(small)]), crs=3006)
    parents = gpd.GeoDataFrame(geometry=large, index=pd.Index([f"p{n}" for n, _ in enumerate(large)]), crs=3006)
    everywhere = pd.DataFrame([(a, p) for a in areas.index for p in parents.index], columns=["child_id", "parent_id"])
    people = areas.area * 0.01  # one on each 100 m²
    report = check_nesting(areas, parents, as_membership(everywhere), population=people, minimum_m2=0)
    m2 = report.pieces.groupby("kind")["m2"].sum().reindex(KINDS).fillna(0)
    cover = union_all(small)
    assert m2["gap"] == pytest.approx(sum(shape.difference(cover).area for shape in large))
    assert m2["outside"] == pytest.approx(sum(one.difference(other).area for one in small for other in large))
    assert m2["overlap"] == pytest.approx(find_overlaps(areas, tolerance_m2=0)["overlap_m2"].sum())
    assert m2["parent_overlap"] == pytest.approx(find_overlaps(parents, tolerance_m2=0)["overlap_m2"].sum())
    outside = report.pieces[report.pieces["kind"] == "outside"]
    np.testing.assert_allclose(outside["people"], outside["m2"] * 0.01)


# ---------------------------------------------------------------- in a project


def test_geoplan_check_tells_how_the_levels_nest(project, geoplan):
    """A kommun that ends 100 m short of the eastern squares: 2 × 100 m × 500 m, in which 1 200 of 10 000 live."""
    text = (project / "layers/districts.toml").read_text(encoding="utf-8")
    text = text.replace("areas.gpkg", "kommun.gpkg").replace('"stadsdel"', '"kommun"').replace("id_width = 4\n", "")
    (project / "layers/kommun.toml").write_text(text, encoding="utf-8")
    shape = box(WEST, SOUTH, WEST + 900, SOUTH + 1000)
    kommun = gpd.GeoDataFrame({"code": ["K"], "name": ["Kommunen"]}, geometry=[shape], crs=3006)
    kommun.to_file(project / "data/kommun.gpkg", layer="districts")
    rows = "".join(f"010{number},K\n" for number in (1, 2, 3, 4))
    (project / "data/steps.csv").write_text("child_id,parent_id\n" + rows, encoding="utf-8")
    (project / "layers/steps.toml").write_text(
        'kind = "membership"\ntitle = "Steps"\npath = "../data/steps.csv"\nsource = "Made up for a test"\n'
        'licence = "MIT"\nvintage = "2012-12-31"\n',
        encoding="utf-8",
    )
    project.edit(project.scenario, 'layers = ["districts"]', 'layers = ["districts", "kommun"]\nmembership = ["steps"]')
    told = (
        "stadsdel in kommun (part_of): 2 times an area lies wholly or partly outside its parent: 0.10 km², "
        "1,200 people in all (largest: '0102' beyond 'K', 50,000 m², 400 people)."
    )
    ended = geoplan("check", ".", cwd=project.root)
    assert ended.code == 0
    assert [line for line in ended.out.splitlines() if "outside" in line] == [f"scenarios/four.toml: {told}"]
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert f"Note: {told}" in ended.out.splitlines()
