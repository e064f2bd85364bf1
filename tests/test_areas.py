"""Areas: where they may be measured, what is mended, who overlaps whom, and who belongs where."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
from hypothesis import given, strategies as st
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box, union_all
from strategies import SIDE, SOUTH, WEST, boxes, square, squares

from geoplan.errors import CrsError, GeometryError, IdError, InputError, SourceError, SpecError, TableError
from geoplan.places import as_areas, as_membership, assign_largest_overlap, find_overlaps, parents_at, working_crs


def _areas(frame, **options):
    return as_areas(frame, **{"id_column": "code", "level": "stadsdel", **options})


def _frame(*shapes, crs=3006):
    codes = [f"{number:02d}" for number, _ in enumerate(shapes, start=1)]
    return gpd.GeoDataFrame({"code": codes}, geometry=list(shapes), crs=crs)


def _framed(**shapes):
    """Return areas by name, as assigning and overlapping want them."""
    return gpd.GeoDataFrame(index=pd.Index(list(shapes), name="area_id"), geometry=list(shapes.values()), crs=3006)


def _box(west, south, east, north):
    """Return a box in metres from the corner of the squares."""
    return box(WEST + west, SOUTH + south, WEST + east, SOUTH + north)


# ---------------------------------------------------------------- the frame


def test_areas_are_sorted_multipolygons_under_their_codes():
    areas, report = _areas(squares().iloc[::-1], name_column="name")
    assert list(areas.index) == ["0101", "0102", "0103", "0104"]
    assert areas.index.name == "area_id"
    assert list(areas.columns) == ["name", "level", "geometry"]
    assert areas["name"].tolist() == ["Square 1", "Square 2", "Square 3", "Square 4"]
    assert set(areas.geom_type) == {"MultiPolygon"}
    assert (report.areas, report.crs, report.total_m2) == (4, "EPSG:3006", 4 * SIDE**2)
    assert report.lines() == []


def test_the_frame_handed_in_is_left_as_it_was():
    frame = squares()
    before = frame.copy()
    _areas(frame, crs="EPSG:25832")
    pd.testing.assert_frame_equal(frame, before)
    assert frame.crs == before.crs


def test_only_the_rows_wanted_are_kept():
    frame = squares().assign(kommun=["0180", "0180", "0181", "0180"])
    assert len(_areas(frame, where={"kommun": "0180"})[0]) == 3
    with pytest.raises(SourceError, match=r"no row fulfils \{'kommun': '9999'\}"):
        _areas(frame, where={"kommun": "9999"})


def test_every_absent_column_is_told_with_the_key_that_names_it():
    with pytest.raises(SpecError) as caught:
        _areas(squares(), id_column="kod", name_column="namn", where={"komun": "0180"})
    assert [fault.key for fault in caught.value.faults] == ["id_column", "name_column", "where.komun"]
    assert str(caught.value.faults[1]) == (
        "key 'name_column': there is no column 'namn' in the data. Hint: did you mean 'name'?"
    )


def test_faults_of_codes_and_of_the_system_are_told_together():
    with pytest.raises(InputError) as caught:
        _areas(squares(codes=("01", "01", "02", "03"), crs=None))
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("missing", [None, "", "  "])
def test_a_missing_code_is_told_with_its_row(missing):
    frame = squares()
    frame.index = range(1, 5)
    frame["code"] = frame["code"].astype(object)
    frame.loc[3, "code"] = missing
    with pytest.raises(IdError, match=r"row 3, column 'code': 1 row\(s\) have no area code. Expected: a code in every"):
        _areas(frame)


@pytest.mark.parametrize("codes", [(101, 102, 103, 104), (101.0, 102.0, 103.0, 104.0)])
def test_codes_read_as_numbers_get_their_zeros_back_when_asked_for(codes):
    areas, _ = _areas(squares(codes=codes), id_width=4, id_pad=True)
    assert list(areas.index) == ["0101", "0102", "0103", "0104"]


# ---------------------------------------------------------------- coordinate systems


def test_web_mercator_is_refused_for_it_nearly_doubles_lengths_at_stockholm():
    with pytest.raises(CrsError, match=r"EPSG:3857 stretches lengths by 1\.96 at latitude 59\.3"):
        _areas(squares().to_crs(3857))


@pytest.mark.parametrize(
    ("crs", "name"),
    [("EPSG:3006", "Sweden"), ("EPSG:3011", "Stockholm's own"), ("EPSG:25832", "Denmark"), ("EPSG:3067", "Finland")],
)
def test_national_systems_pass_and_agree_on_lengths_within_1_percent(crs, name):
    del name
    if crs == "EPSG:25832":
        frame = gpd.GeoDataFrame({"code": ["0101"]}, geometry=[box(720_000, 6_170_000, 720_500, 6_170_500)], crs=crs)
    elif crs == "EPSG:3067":
        frame = gpd.GeoDataFrame({"code": ["0101"]}, geometry=[box(385_000, 6_672_000, 385_500, 6_672_500)], crs=crs)
    else:
        frame = squares().to_crs(crs)
    assert working_crs(frame).area.iloc[0] == pytest.approx(SIDE**2, rel=0.02)


def test_bornholm_passes_in_denmarks_system_though_outside_its_zone():
    frame = gpd.GeoDataFrame(geometry=[box(14.7, 55.09, 14.72, 55.1)], crs=4326).to_crs(25832)
    assert working_crs(frame) is frame


@pytest.mark.parametrize(
    ("crs", "unit"), [("EPSG:4326", "degree"), ("EPSG:4619", "degree"), ("EPSG:2263", "US survey foot")]
)
def test_degrees_and_feet_are_no_metres(crs, unit):
    frame = squares().to_crs(4326) if unit == "degree" else squares().set_crs(crs, allow_override=True)
    frame = frame.set_crs(crs, allow_override=True)
    with pytest.raises(CrsError, match=f"{crs} measures in {unit}, not in metres. Expected: a projected metric system"):
        working_crs(frame)


def test_degrees_pass_when_a_metric_system_is_named():
    assert _areas(squares().to_crs(4326), crs="EPSG:3006")[0].crs == "EPSG:3006"


def test_a_missing_system_is_never_guessed():
    with pytest.raises(CrsError, match="the geometries have no coordinate system"):
        _areas(squares(crs=None))
    with pytest.raises(CrsError, match="the geometries have no coordinate system"):
        _areas(squares(crs=None), published_crs="EPSG:3006")
    with pytest.raises(CrsError, match="the geometries have no coordinate system"):
        working_crs(squares(crs=None), "EPSG:3006")


def test_a_missing_system_is_assigned_only_when_the_layer_says_so():
    areas, _ = _areas(squares(crs=None), published_crs="EPSG:3006", assign_crs=True)
    assert areas.crs == "EPSG:3006"


def test_assigning_never_overrides_a_system_the_file_states():
    with pytest.raises(CrsError, match="the file is in EPSG:3006 but the layer declares EPSG:25832"):
        _areas(squares(), published_crs="EPSG:25832", assign_crs=True)


@pytest.mark.parametrize(
    ("shape", "where"),
    [
        (box(18.0, 59.3, 18.1, 59.4), "longitude 10.5, latitude 0.0"),  # degrees said to be metres
        (box(SOUTH, WEST, SOUTH + 500, WEST + 500), "longitude"),  # easting and northing swapped
    ],
)
def test_coordinates_that_cannot_be_in_their_system_are_refused(shape, where):
    with pytest.raises(CrsError, match=f"read as EPSG:3006, the data lie at {where}") as caught:
        working_crs(_frame(shape))
    assert "easting and northing are swapped" in str(caught.value)


def test_metres_said_to_be_degrees_lie_nowhere_on_earth():
    with pytest.raises(CrsError, match="read as EPSG:3006, the data lie nowhere on Earth"):
        working_crs(squares().set_crs(4326, allow_override=True), "EPSG:3006")


def test_a_system_without_a_stated_region_is_judged_by_its_scale():
    local = pyproj.CRS("+proj=tmerc +lat_0=0 +lon_0=18 +k=1 +x_0=150000 +ellps=GRS80 +units=m")
    assert len(working_crs(squares().to_crs(local))) == 4


def test_a_word_that_is_no_system_is_refused_under_its_key():
    with pytest.raises(CrsError, match="key 'crs': 'EPSG:30066' is not a coordinate system"):
        _areas(squares(), published_crs="EPSG:30066")


# ---------------------------------------------------------------- geometry


def test_a_bow_tie_is_mended_and_the_repair_reported_in_square_metres():
    # Two triangles of base 100 m and height 50 m that touch in a point: 2 × 100·50/2 = 5 000 m². Taken as one ring
    # they turn opposite ways, so that the invalid shape's own area is 0: the repair changes 5 000 m².
    tie = Polygon([(WEST, SOUTH), (WEST + 100, SOUTH + 100), (WEST + 100, SOUTH), (WEST, SOUTH + 100)])
    areas, report = _areas(_frame(square(3), tie))
    assert areas.is_valid.all()
    assert areas.area["02"] == pytest.approx(5000)
    assert report.repaired["area_id"].tolist() == ["02"]
    assert report.repaired["change_m2"].tolist() == pytest.approx([5000])
    (said,) = report.lines()
    assert said.startswith("1 invalid geometry was repaired, changing 5,000.0 m² (first: area '02', Self-intersection")


def test_a_repair_keeps_surfaces_and_drops_the_lines_it_finds():
    # A square with a spike of no width: the spike goes, the square stays.
    spiked = Polygon(
        [(WEST + east, SOUTH + north) for east, north in [(0, 0), (10, 0), (10, 10), (20, 10), (10, 10), (0, 10)]]
    )
    areas, report = _areas(_frame(spiked))
    assert areas.area["01"] == pytest.approx(100)
    assert len(report.repaired) == 1


def test_a_polygon_without_surface_is_beyond_repair():
    line = Polygon([(WEST, SOUTH), (WEST + 10, SOUTH), (WEST, SOUTH)])
    with pytest.raises(GeometryError, match=r"1 area\(s\) have no surface that could be repaired: '02'"):
        _areas(_frame(square(0), line))


@pytest.mark.parametrize("empty", [None, Polygon(), MultiPolygon()])
def test_an_area_without_geometry_is_named(empty):
    with pytest.raises(GeometryError, match=r"1 area\(s\) have no geometry: '02'. Expected: a polygon for every area"):
        _areas(_frame(square(0), empty))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (Point(WEST, SOUTH), "Point"),
        (LineString([(WEST, SOUTH), (WEST + 9, SOUTH)]), "LineString"),
        (GeometryCollection([square(1), Point(WEST, SOUTH)]), "GeometryCollection"),
    ],
)
def test_what_is_no_polygon_is_refused_by_its_kind(shape, kind):
    with pytest.raises(GeometryError, match=rf"1 area\(s\) are no polygons but '{kind}': '02'. Expected: Polygon or"):
        _areas(_frame(square(0), shape))


# ---------------------------------------------------------------- overlaps


def test_squares_that_share_borders_do_not_overlap():
    assert find_overlaps(_areas(squares())[0]).empty


def test_overlaps_are_found_with_their_square_metres_largest_first():
    # a: 0–100 × 0–100; b: 90–200 × 0–100, 10 × 100 = 1 000 m² of a; c: 0–100 × 95–200, 100 × 5 = 500 m² of a and
    # 10 × 5 = 50 m² of b.
    areas = _framed(a=_box(0, 0, 100, 100), b=_box(90, 0, 200, 100), c=_box(0, 95, 100, 200))
    found = find_overlaps(areas)
    assert found.to_dict("list") == {
        "area_a": ["a", "a", "b"],
        "area_b": ["b", "c", "c"],
        "overlap_m2": [1000.0, 500.0, 50.0],
    }


def test_overlaps_up_to_a_square_metre_are_rounding():
    areas = _framed(a=_box(0, 0, 100, 100), b=_box(99.99, 0, 200, 100))  # 0.01 × 100 = 1 m²
    assert find_overlaps(areas, tolerance_m2=1.001).empty
    assert len(find_overlaps(areas, tolerance_m2=0.9)) == 1


def test_overlaps_are_reported_with_the_areas():
    _, report = _areas(_frame(_box(0, 0, 1000, 1000), _box(900, 0, 2000, 1000)))  # 100 × 1 000 = 0.1 km² of 2.1
    assert report.overlap_m2 == 100_000
    assert report.lines() == [
        "1 pair of areas overlaps by 0.10 km² of 2 km² in all (largest: '01' and '02', 100,000 m²)"
    ]


@given(boxes(), boxes())
def test_overlap_of_two_areas_is_their_sum_less_their_union(first, second):
    found = find_overlaps(_framed(a=first, b=second), tolerance_m2=0)["overlap_m2"].sum()
    assert found == pytest.approx(first.area + second.area - union_all([first, second]).area, abs=1e-6)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=6))
def test_overlap_of_areas_in_a_row_is_their_sum_less_their_union(steps):
    # Each reaches at most 30 m into the next of 100 m: no place is claimed three times.
    shapes, west = {}, 0
    for number, overlap in enumerate(steps):
        shapes[f"A{number}"] = _box(west, 0, west + 100, 100)
        west += 100 - overlap
    areas = _framed(**shapes)
    found = find_overlaps(areas, tolerance_m2=0)["overlap_m2"].sum()
    assert found == pytest.approx(areas.area.sum() - areas.union_all().area, abs=1e-6)


# ---------------------------------------------------------------- belonging


def test_each_child_goes_to_the_parent_that_covers_most_of_it():
    # x lies whole in west; y is 30 % in west and 70 % in east; z is half in each and goes to the first by code; far
    # meets nobody.
    parents = _framed(west=_box(0, 0, 100, 100), east=_box(100, 0, 200, 100))
    children = _framed(
        x=_box(10, 10, 20, 20), y=_box(97, 0, 107, 10), z=_box(95, 50, 105, 60), far=_box(900, 900, 910, 910)
    )
    found = assign_largest_overlap(children, parents)
    assert found.to_dict("list") == {
        "child_id": ["x", "y", "z"],
        "parent_id": ["west", "east", "east"],
        "relation": ["largest_overlap"] * 3,
        "share": pytest.approx([1.0, 0.7, 0.5]),
    }


def test_a_neighbour_that_only_touches_is_no_parent():
    found = assign_largest_overlap(_framed(x=_box(0, 0, 10, 10)), _framed(a=_box(10, 0, 20, 10)))
    assert found.empty


def test_areas_in_different_systems_are_not_laid_over_each_other():
    with pytest.raises(CrsError, match="the first areas are in EPSG:3006, the second in EPSG:25832"):
        assign_largest_overlap(_framed(x=square(0)), _framed(a=square(0)).to_crs(25832))


def _membership(*pairs):
    return pd.DataFrame(
        [(child, parent, "part_of", share) for child, parent, share in pairs],
        columns=["child_id", "parent_id", "relation", "share"],
    )


def test_parents_are_found_over_two_steps():
    # deso → regso → kommun
    table = _membership(("d1", "r1", 1), ("d2", "r1", 1), ("d3", "r2", 1), ("r1", "k1", 1), ("r2", "k2", 1))
    found = parents_at(table, ["d1", "d2", "d3"], ["k1", "k2"])
    assert found.to_dict() == {"d1": "k1", "d2": "k1", "d3": "k2"}
    assert parents_at(table, ["d1"], ["r1"]).to_dict() == {"d1": "r1"}


def test_two_ways_to_the_same_parent_are_no_doubt():
    table = _membership(("d1", "r1", 1), ("d1", "plan", 1), ("r1", "k1", 1), ("plan", "k1", 1))
    assert parents_at(table, ["d1"], ["k1"]).to_dict() == {"d1": "k1"}


def test_an_area_is_its_own_parent_and_one_that_belongs_nowhere_has_none():
    found = parents_at(_membership(("d1", "r1", 1)), ["r1", "d9"], ["r1"])
    assert found.to_dict() == {"r1": "r1", "d9": None}


def test_a_circle_in_the_membership_ends():
    assert parents_at(_membership(("a", "b", 1), ("b", "a", 1)), ["a"], ["k"]).to_dict() == {"a": None}


@pytest.mark.parametrize(
    "pairs",
    [
        [("d1", "k1", 1), ("d1", "k2", 1)],  # two whole parents
        [("d1", "k1", 0.6), ("d1", "k2", 0.4)],  # split between two
        [("d1", "k1", 0.6)],  # only partly in one
        [("d1", "r1", 1), ("r1", "k1", 0.6)],  # partly, a step higher
    ],
)
def test_a_doubtful_parent_is_refused(pairs):
    said = r"1 area\(s\) belong to several parents, or only partly to one: 'd1'. Expected: one whole parent"
    with pytest.raises(IdError, match=said):
        parents_at(_membership(*pairs), ["d1"], ["k1", "k2"])


def test_membership_keeps_each_pair_once_and_fills_what_is_not_given():
    frame = pd.DataFrame({"child_id": ["0101", "0101", "0102"], "parent_id": ["01", "01", "01"]})
    assert as_membership(frame).to_dict("list") == {
        "child_id": ["0101", "0102"],
        "parent_id": ["01", "01"],
        "relation": ["part_of", "part_of"],
        "share": [1.0, 1.0],
    }


def test_shares_may_be_written_with_a_decimal_comma():
    frame = pd.DataFrame({"child_id": ["a"], "parent_id": ["b"], "andel": ["0,25"]})
    assert as_membership(frame, share_column="andel", decimal=",")["share"].tolist() == [0.25]


@pytest.mark.parametrize("share", ["0", "1.01", "-0.5", "half", "", "nan", "inf"])
def test_a_share_that_is_none_is_told_with_its_row(share):
    frame = pd.DataFrame({"child_id": ["a", "c"], "parent_id": ["b", "b"], "share": ["1", share]}, index=[2, 3])
    with pytest.raises(TableError) as caught:
        as_membership(frame, share_column="share")
    assert str(caught.value) == (
        f"row 3, column 'share': '{share}' is not a share. Expected: a number above 0, at most 1."
    )


def test_all_faults_of_a_membership_are_told_at_once():
    frame = pd.DataFrame({"child_id": ["", "c"], "parent_id": ["b", ""], "share": ["1", "2"]}, index=[2, 3])
    with pytest.raises(InputError) as caught:
        as_membership(frame, share_column="share")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (3, "share"),
        (2, "child_id"),
        (3, "parent_id"),
    ]
    with pytest.raises(SpecError) as caught:
        as_membership(frame, child_column="child", parent_column="parent")
    assert [fault.key for fault in caught.value.faults] == ["child_column", "parent_column"]


def test_a_child_that_hardly_reaches_into_a_parent_stays_outside():
    # x lies with 4 of its 100 m² in the only parent there is: a border drawn otherwise, not a part of it.
    parents, children = _framed(city=_box(0, 0, 100, 100)), _framed(x=_box(96, 40, 196, 41))
    assert assign_largest_overlap(children, parents).empty
    assert assign_largest_overlap(children, parents, minimum_share=0.04)["share"].tolist() == pytest.approx([0.04])


def test_shortened_codes_of_a_membership_are_told():
    table = pd.DataFrame({"child_id": ["0101"], "parent_id": ["180"]})
    with pytest.raises(IdError, match="1 area code\\(s\\) are shorter than 4 characters: '180'"):
        as_membership(table, child_width=4, parent_width=4)
