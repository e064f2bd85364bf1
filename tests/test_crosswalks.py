"""Crosswalks made from maps: three by three squares worked by hand, an independent library, and laws."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from exactextract import exact_extract
from hypothesis import given, settings, strategies as st
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from shapely import Point, box
from strategies import SOUTH, WEST, boxes
from tobler.area_weighted import area_interpolate
from tobler.dasymetric import masked_area_interpolate

from geoplan.errors import CrsError, GeometryError, IdError, InputError, SpecError, TableError
from geoplan.places import Grid, crosswalk
from geoplan.sources import home, read_grid, read_vector

CELL = 100


def at(west, south, east, north):
    """Return a box in metres from the corner of the test ground."""
    return box(WEST + west, SOUTH + south, WEST + east, SOUTH + north)


def framed(shapes, crs=3006):
    index = pd.Index(list(shapes), name="area_id", dtype=object)
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs=crs)


def nine(shift=0):
    """Return three by three squares, a1 in the south-west, c3 in the north-east."""
    return framed(
        {
            f"{column}{row + 1}": at(x * CELL + shift, row * CELL, (x + 1) * CELL + shift, (row + 1) * CELL)
            for row in range(3)
            for x, column in enumerate("abc")
        }
    )


def shares(found):
    return {(row.from_id, row.to_id): row.share for row in found.data.itertuples()}


def grid(cells, west=0, north=3 * CELL, side=CELL):
    return Grid(np.array(cells, dtype=float), WEST + west, SOUTH + north, side, side, "EPSG:3006")


def points(*rows, column="jobs"):
    places = [Point(WEST + x, SOUTH + y) for x, y, _ in rows]
    return gpd.GeoDataFrame({column: [weight for *_, weight in rows]}, geometry=places, crs=3006)


# ---------------------------------------------------------------- by surface


def test_squares_are_divided_by_their_surface():
    # Two halves of the nine squares, parted at 125 m: column a is west, b a quarter west and three quarters east.
    halves = framed({"west": at(0, 0, 125, 300), "east": at(125, 0, 300, 300)})
    found = crosswalk(nine(), halves)
    assert shares(found) == {
        **{(f"a{row}", "west"): 1 for row in (1, 2, 3)},
        **{(f"b{row}", "west"): 0.25 for row in (1, 2, 3)},
        **{(f"b{row}", "east"): 0.75 for row in (1, 2, 3)},
        **{(f"c{row}", "east"): 1 for row in (1, 2, 3)},
    }
    assert list(found.data.columns) == ["from_id", "to_id", "share", "method"]
    assert set(found.data["method"]) == {"area"}
    assert found.report.lines() == ["figures are moved from 9 areas to 2 by surface; 3 of them are split"]


def test_what_lies_outside_is_spread_in_proportion():
    # Of a 100 m square 20 m lie outside; of the 80 m inside, 60 are x and 20 are y: 3/4 and 1/4.
    source = framed({"s": at(0, 0, 100, 100)})
    target = framed({"x": at(20, 0, 80, 100), "y": at(80, 0, 200, 100)})
    found = crosswalk(source, target)
    assert shares(found) == pytest.approx({("s", "x"): 0.75, ("s", "y"): 0.25})
    assert found.report.lines()[1:] == [
        "2,000 m² of 10,000 m² lies outside the new areas and was spread over those that get the rest"
    ]


def test_what_lies_outside_is_kept_in_a_row_of_its_own_when_asked():
    source = framed({"s": at(0, 0, 100, 100)})
    target = framed({"x": at(20, 0, 80, 100), "y": at(80, 0, 200, 100)})
    found = crosswalk(source, target, outside="keep")
    assert shares(found) == pytest.approx({("s", "x"): 0.6, ("s", "y"): 0.2, ("s", None): 0.2})
    assert found.report.lines()[1:] == [
        "1 area lies partly or wholly outside the new areas; 2,000 m² was left out: 's'"
    ]


def test_a_neighbour_does_not_bring_all_of_its_people():
    # n lies a tenth inside: it is a neighbour, not an area with a sliver outside, and brings a tenth.
    source = framed({"s": at(0, 0, 100, 100), "n": at(90, 100, 190, 200), "far": at(500, 500, 600, 600)})
    target = framed({"x": at(0, 0, 100, 200), "empty": at(300, 300, 310, 310)})
    found = crosswalk(source, target)
    assert shares(found) == pytest.approx({("s", "x"): 1, ("n", "x"): 0.1, ("n", None): 0.9, ("far", None): 1})
    assert crosswalk(source, target, minimum_inside=0.1).data["share"].tolist() == [1, 1, 1]
    assert found.report.lines() == [
        "figures are moved from 3 areas to 2 by surface; 1 of them are split",
        "2 areas lie partly or wholly outside the new areas; 19,000 m² was left out: 'n', 'far'",
        "1 new area gets nothing: 'empty'",
    ]


def test_ground_that_two_targets_claim_is_divided_in_proportion_to_their_claims():
    # x claims all of s, y its eastern half: 100 and 50 of 150, that is two thirds and one third.
    source = framed({"s": at(0, 0, 100, 100)})
    target = framed({"x": at(0, 0, 100, 100), "y": at(50, 0, 100, 100)})
    found = crosswalk(source, target)
    assert shares(found) == pytest.approx({("s", "x"): 2 / 3, ("s", "y"): 1 / 3})
    assert found.report.lines()[1:] == [
        "1 pair of new areas overlaps by 5,000 m²; what lies there is divided, not counted twice"
    ]


def test_overlap_and_outside_are_told_apart():
    # x and y both claim the western half of s; nobody the eastern one.
    source = framed({"s": at(0, 0, 100, 100)})
    target = framed({"x": at(0, 0, 50, 100), "y": at(0, 0, 50, 100)})
    found = crosswalk(source, target, outside="keep")
    assert shares(found) == pytest.approx({("s", "x"): 0.25, ("s", "y"): 0.25, ("s", None): 0.5})


def test_pieces_that_are_differences_of_drawing_go_to_the_rest():
    source = framed({"s": at(0, 0, 100, 100)})
    target = framed({"x": at(0, 0, 99, 100), "y": at(99, 0, 200, 100)})
    assert shares(crosswalk(source, target, minimum_piece=0.02)) == {("s", "x"): 1}
    assert shares(crosswalk(source, target)) == pytest.approx({("s", "x"): 0.99, ("s", "y"): 0.01})


# ---------------------------------------------------------------- by grid, points and buildings


def test_a_grid_moves_people_to_where_they_live():
    # s covers two cells of 30 and 10 people and is parted down the middle: 3/4 and 1/4, whatever the surface says.
    source = framed({"s": at(0, 200, 200, 300)})
    target = framed({"x": at(0, 0, 100, 300), "y": at(100, 0, 300, 300)})
    found = crosswalk(source, target, weights=grid([[30, 10, 5], [0, 0, 0], [0, 0, 0]]))
    assert shares(found) == {("s", "x"): 0.75, ("s", "y"): 0.25}
    assert found.report.total == 40


def test_a_cell_counts_by_the_part_that_is_covered():
    # The border runs at 125 m: x has cell 1 (30) and a quarter of cell 2 (10/4): 32.5 of 40.
    source = framed({"s": at(0, 200, 200, 300)})
    target = framed({"x": at(0, 0, 125, 300), "y": at(125, 0, 300, 300)})
    found = crosswalk(source, target, weights=grid([[30, 10, 5], [0, 0, 0], [0, 0, 0]]))
    assert shares(found) == pytest.approx({("s", "x"): 32.5 / 40, ("s", "y"): 7.5 / 40})


def test_the_first_row_of_a_grid_is_the_northernmost_and_no_data_is_nothing():
    source = framed({"north": at(0, 200, 300, 300), "south": at(0, 0, 300, 100)})
    target = framed({"x": at(0, 0, 150, 300), "y": at(150, 0, 300, 300)})
    found = crosswalk(source, target, weights=grid([[1, np.nan, 3], [0, 0, 0], [2, 0, 0]]))
    assert shares(found) == {("north", "x"): 0.25, ("north", "y"): 0.75, ("south", "x"): 1}


def test_a_source_without_weight_goes_by_surface_and_is_listed():
    source = framed({"s": at(0, 200, 200, 300), "empty": at(0, 0, 100, 100)})
    target = framed({"x": at(0, 0, 25, 300), "y": at(25, 0, 300, 300)})
    found = crosswalk(source, target, weights=grid([[8, 0, 0], [0, 0, 0], [0, 0, 0]]))
    assert shares(found) == {("s", "x"): 0.25, ("s", "y"): 0.75, ("empty", "x"): 0.25, ("empty", "y"): 0.75}
    assert found.data.set_index("from_id")["method"].to_dict() == {"s": "raster", "empty": "area"}
    assert found.report.lines()[1:] == ["1 area has no weight and went by surface: 'empty'"]


def test_a_grid_beyond_all_areas_moves_everything_by_surface():
    target = framed({"x": at(0, 0, 125, 300), "y": at(125, 0, 300, 300)})
    far = crosswalk(nine(), target, weights=grid([[5]], west=50_000))
    assert shares(far) == shares(crosswalk(nine(), target))
    assert far.report.fallbacks == tuple(nine().index)


def test_a_grid_may_be_in_another_system():
    # One cell of a degree and a half around the test ground is uniform: as by surface.
    wide = Grid(np.array([[7.0]]), west=17, north=60, width=3, height=2, crs="EPSG:4326")
    halves = framed({"west": at(0, 0, 125, 300), "east": at(125, 0, 300, 300)})
    assert shares(crosswalk(nine(), halves, weights=wide)) == pytest.approx(shares(crosswalk(nine(), halves)), rel=1e-5)


def test_points_move_jobs_to_where_they_are():
    target = framed({"x": at(0, 0, 150, 300), "y": at(150, 0, 300, 300)})
    source = framed({"s": at(0, 0, 300, 300)})
    places = points((10, 10, 60), (160, 10, 15), (290, 290, 5), (999, 999, 1000))
    assert shares(crosswalk(source, target, weights=places, weight_column="jobs")) == {
        ("s", "x"): 0.75,
        ("s", "y"): 0.25,
    }
    assert shares(crosswalk(source, target, weights=places)) == pytest.approx({("s", "x"): 1 / 3, ("s", "y"): 2 / 3})


def test_a_point_on_a_border_is_divided_and_not_counted_twice():
    target = framed({"x": at(0, 0, 150, 300), "y": at(150, 0, 300, 300)})
    found = crosswalk(framed({"s": at(0, 0, 300, 300)}), target, weights=points((150, 10, 4)), outside="keep")
    assert shares(found) == {("s", "x"): 0.5, ("s", "y"): 0.5}


def test_points_outside_every_target_are_spread_or_kept():
    source, target = framed({"s": at(0, 0, 300, 300)}), framed({"x": at(0, 0, 150, 300)})
    places = points((10, 10, 3), (290, 10, 1))
    assert shares(crosswalk(source, target, weights=places, weight_column="jobs")) == {("s", "x"): 1}
    kept = crosswalk(source, target, weights=places, weight_column="jobs", outside="keep")
    assert shares(kept) == {("s", "x"): 0.75, ("s", None): 0.25}
    assert kept.report.lines()[1:] == ["1 area lies partly or wholly outside the new areas; 1 was left out: 's'"]


def test_a_building_across_the_border_is_divided_by_its_surface():
    # A house of 90 homes lies two thirds in x; another of 10 in y.
    houses = gpd.GeoDataFrame({"homes": [90, 10]}, geometry=[at(130, 0, 160, 10), at(200, 0, 210, 10)], crs=3006)
    target = framed({"x": at(0, 0, 150, 300), "y": at(150, 0, 300, 300)})
    found = crosswalk(framed({"s": at(0, 0, 300, 300)}), target, weights=houses, weight_column="homes")
    assert shares(found) == pytest.approx({("s", "x"): 0.6, ("s", "y"): 0.4})
    assert set(found.data["method"]) == {"buildings"}


def test_the_grid_way_agrees_with_sums_taken_from_a_file_of_the_grid():
    """Cut the sample's basområden by a shifted net and let exactextract read the file itself, through GDAL."""
    units = read_vector(home() / "data/nordhamra.gpkg", "basomraden").set_index("area_id")
    west, south, east, north = units.total_bounds
    net = {
        f"{x:.0f}-{y:.0f}": box(x, y, x + 900, y + 900)
        for x in np.arange(west - 70, east + 900, 900)
        for y in np.arange(south - 70, north + 900, 900)
    }
    squares = gpd.GeoDataFrame(geometry=list(net.values()), index=pd.Index(net, name="area_id"), crs=units.crs)
    path = home() / "data/nordhamra_population_100m.tif"
    values, corner = read_grid(path, crs="EPSG:3006")
    people = Grid(values, *corner, crs="EPSG:3006")
    found = crosswalk(units, squares, weights=people, minimum_piece=0).data
    pieces = gpd.overlay(units[["geometry"]].reset_index(), squares.reset_index(names="to_id"), how="intersection")
    pieces = pieces.merge(exact_extract(str(path), pieces, ["sum"], output="pandas"), left_index=True, right_index=True)
    expected = pieces.groupby(["area_id", "to_id"])["sum"].sum()
    expected = expected / expected.groupby("area_id").transform("sum")
    ours = found[found["method"] == "raster"].set_index(["from_id", "to_id"])["share"]
    expected = expected[expected > 0].rename_axis(["from_id", "to_id"])
    pd.testing.assert_series_equal(
        ours.sort_index(), expected.sort_index(), rtol=1e-5, atol=1e-9, check_names=False, check_index_type=False
    )


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # inside tobler's call
@pytest.mark.filterwarnings("ignore:`keep_geom_type=True` in overlay:UserWarning")  # as well
def test_homes_in_a_mask_agree_with_toblers_dasymetric_way():
    """Where cells are either lived in, evenly, or empty, tobler's masked way is ours with a grid of ones and zeros."""
    lived = np.array([[1, 1, 0, 1, 0, 1], [0, 1, 1, 0, 1, 1], [1, 0, 0, 1, 1, 0]] * 2, dtype="uint8")
    side, source, target = 50, nine(), nine(shift=50)
    with MemoryFile() as memory:
        profile = {"driver": "GTiff", "width": 6, "height": 6, "count": 1, "dtype": "uint8", "crs": "EPSG:3006"}
        with memory.open(**profile, transform=Affine(side, 0, WEST, 0, -side, SOUTH + 300)) as file:
            file.write(lived, 1)
        people = pd.Series(np.arange(1.0, 10), index=source.index)
        theirs = masked_area_interpolate(
            source.assign(people=people), target, memory.name, [1], extensive_variables=["people"], n_jobs=1
        )
    found = crosswalk(source, target, weights=grid(lived, side=side), minimum_inside=0).data
    ours = (found["share"] * found["from_id"].map(people)).groupby(found["to_id"]).sum()
    reached = theirs["people"].fillna(0)
    assert ours.reindex(reached.index).fillna(0).to_numpy() == pytest.approx(reached.to_numpy(), rel=1e-6)


# ---------------------------------------------------------------- beside tobler


def extensive(found, values):
    """Add up values by the shares of a crosswalk."""
    rows = found.data[found.data["to_id"].notna()]
    return (rows["share"] * rows["from_id"].map(values)).groupby(rows["to_id"]).sum()


def test_tobler_and_we_agree_where_targets_cover_all_and_do_not_overlap():
    rng = np.random.default_rng(1)
    cover = framed(
        {f"{x}{y}": at(x - 10, y - 10, x + 127, y + 127) for x in range(0, 400, 137) for y in range(0, 400, 137)}
    )
    source = nine().assign(people=rng.integers(1, 1000, 9).astype(float), rate=rng.uniform(0, 100, 9))
    theirs = area_interpolate(source, cover, extensive_variables=["people"], intensive_variables=["rate"])
    found = crosswalk(source, cover, minimum_piece=0)
    ours = extensive(found, source["people"]).reindex(cover.index).fillna(0)
    assert ours.to_numpy() == pytest.approx(theirs["people"].to_numpy(), rel=1e-6)
    # tobler's mean of an intensive variable is weighted by surface: a rate whose base is the surface of its area.
    surface = source.area
    mean = extensive(found, source["rate"] * surface) / extensive(found, surface)
    assert mean.reindex(cover.index).fillna(0).to_numpy() == pytest.approx(theirs["rate"].to_numpy(), rel=1e-6)


def test_tobler_takes_a_neighbour_whole_or_loses_what_lies_outside_and_we_do_neither():
    # s lies 95 % inside, the rest is water; n is a neighbour of whom 5 m are drawn inside.
    source = framed({"s": at(0, 0, 100, 100), "n": at(90, 100, 190, 200)}).assign(people=[1000.0, 1000.0])
    target = framed({"x": at(0, 0, 95, 200)})
    whole = area_interpolate(source, target, extensive_variables=["people"])["people"].sum()
    cut = area_interpolate(source, target, extensive_variables=["people"], allocate_total=False)["people"].sum()
    found = crosswalk(source, target)
    assert whole == pytest.approx(2000)  # all of the neighbour's people are in the town
    assert cut == pytest.approx(950 + 50)  # fifty people of s live in the water
    assert extensive(found, source["people"]).sum() == pytest.approx(1000 + 50)
    left = found.data[found.data["to_id"].isna()]
    assert (left["share"] * 1000).tolist() == pytest.approx([950])  # and who is not in the town is listed


def test_tobler_counts_overlapped_ground_twice_when_it_does_not_rescale_and_we_do_not():
    source = framed({"s": at(0, 0, 100, 100)}).assign(people=[900.0])
    target = framed({"x": at(0, 0, 100, 100), "y": at(50, 0, 100, 100)})
    doubled = area_interpolate(source, target, extensive_variables=["people"], allocate_total=False)["people"].sum()
    assert doubled == pytest.approx(1350)
    assert extensive(crosswalk(source, target, outside="keep"), source["people"]).sum() == pytest.approx(900)


# ---------------------------------------------------------------- laws

few = settings(max_examples=40)


def layers(name):
    return st.lists(boxes(), min_size=1, max_size=6).map(
        lambda shapes: framed({f"{name}{number}": shape for number, shape in enumerate(shapes)})
    )


@few
@given(layers("s"), layers("t"), st.sampled_from(["spread", "keep"]))
def test_shares_are_positive_and_add_up_to_one_for_every_source(source, target, outside):
    found = crosswalk(source, target, outside=outside)
    assert (found.data["share"] > 0).all()
    total = found.data.groupby("from_id")["share"].sum()
    assert total.to_dict() == pytest.approx(dict.fromkeys(source.index, 1.0), abs=1e-12)
    assert set(found.data["to_id"].dropna()) | set(found.report.without_source) == set(target.index)
    assert set(found.data.loc[found.data["to_id"].isna(), "from_id"]) == set(found.report.neighbours)


@few
@given(layers("s"), layers("t"), st.sampled_from(["spread", "keep"]))
def test_an_even_grid_is_as_by_surface(source, target, outside):
    even = Grid(np.full((12, 12), 3.5), WEST - 100, SOUTH + 1100, 100, 100, "EPSG:3006")
    by_grid = shares(crosswalk(source, target, weights=even, outside=outside, minimum_inside=0))
    by_surface = shares(crosswalk(source, target, outside=outside, minimum_inside=0))
    for pair in by_grid.keys() | by_surface.keys():
        assert by_grid.get(pair, 0.0) == pytest.approx(by_surface.get(pair, 0.0), abs=1e-5)


@few
@given(layers("s"), layers("t"))
def test_even_buildings_are_as_by_surface(source, target):
    cover = gpd.GeoDataFrame(geometry=[at(-100, -100, 1100, 1100)], crs=3006)
    by_building = shares(crosswalk(source, target, weights=cover, outside="keep"))
    assert by_building == pytest.approx(shares(crosswalk(source, target, outside="keep")), abs=1e-6)


def test_areas_laid_over_themselves_stay_whole():
    assert shares(crosswalk(nine(), nine())) == {(code, code): 1 for code in nine().index}


# ---------------------------------------------------------------- faults


def refused(kind, *args, **options):
    with pytest.raises(kind) as caught:
        crosswalk(*args, **options)
    return str(caught.value)


def test_layers_in_two_systems_are_refused():
    assert refused(CrsError, nine(), nine().to_crs(25832)) == (
        "the first areas are in EPSG:3006, the second in EPSG:25832. "
        "Expected: both in the same metric system. Hint: reproject one with `.to_crs(…)`"
    )


def test_layers_in_degrees_are_refused():
    assert refused(CrsError, nine().to_crs(4326), nine().to_crs(4326)).startswith(
        "EPSG:4326 measures in degree, not in metres."
    )


def test_a_code_that_occurs_twice_is_refused():
    twice = pd.concat([nine(), nine().loc[["a1"]]])
    assert refused(IdError, nine(), twice) == (
        "column 'area_id': 1 area code(s) occur more than once: 'a1'. Expected: each area once. "
        "Hint: merge the parts into one multipart area, or qualify the code by municipality"
    )


def test_an_unknown_way_with_the_outside_is_refused():
    assert refused(SpecError, nine(), nine(), outside="sprad") == (
        "key 'outside': no way with what lies outside is called 'sprad'. Hint: did you mean 'spread'?"
    )


def test_weights_that_are_no_quantity_are_refused():
    said = refused(TableError, nine(), nine(), weights=points((1, 1, -2), (2, 2, 3)), weight_column="jobs")
    assert said == (
        "column 'jobs': 1 weight(s) are no quantity, the first of them '-2'. Expected: a number, 0 or more."
    )
    said = refused(TableError, nine(), nine(), weights=points((1, 1, "x"), (2, 2, None)), weight_column="jobs")
    assert said.startswith("column 'jobs': 2 weight(s) are no quantity, the first of them 'x'.")


def test_a_weight_column_that_is_not_there_is_refused():
    said = refused(InputError, nine(), nine(), weights=points((1, 1, 1)), weight_column="job")
    assert said == "key 'weight_column': there is no column 'job' in the data. Hint: did you mean 'jobs'?"


def test_weights_that_are_neither_points_nor_polygons_are_refused():
    mixed = pd.concat([points((1, 1, 1)), gpd.GeoDataFrame(geometry=[at(0, 0, 1, 1)], crs=3006)])
    assert refused(GeometryError, nine(), nine(), weights=mixed) == (
        "the weights are 'Point', 'Polygon'. Expected: all points, or all polygons."
    )


def test_weights_without_a_place_are_refused():
    lost = gpd.GeoDataFrame(geometry=[Point(), Point(WEST, SOUTH)], crs=3006)
    assert refused(GeometryError, nine(), nine(), weights=lost) == (
        "1 of the weights have an empty geometry, or one without surface. Expected: points or polygons."
    )


def test_weights_without_a_system_are_refused():
    bare = gpd.GeoDataFrame(geometry=[Point(WEST, SOUTH)])
    assert refused(CrsError, nine(), nine(), weights=bare).startswith("the geometries have no coordinate system.")


def test_a_grid_with_negative_cells_is_refused():
    with pytest.raises(TableError) as caught:
        grid([[1, -9999], [0, -9999]])
    assert str(caught.value) == (
        "2 cell(s) of the grid are negative or infinite. Expected: a quantity: 0 or more, or no data. "
        "Hint: if the number stands for a missing value, declare it as no data in the file"
    )


def test_a_grid_without_cells_is_refused():
    with pytest.raises(TableError) as caught:
        Grid(np.empty((0, 3)), 0, 0, 100, 100, "EPSG:3006")
    assert str(caught.value) == (
        "the grid has the shape (0, 3) and cells of 100 by 100. Expected: rows and columns of cells that have a size."
    )
