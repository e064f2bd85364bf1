"""Rasters: reading by windows, what is refused, and the files that are written."""

import struct

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasters import NORTH, PEOPLE, SIDE, WEST, areas_of, lattice, rectangle, stored, surface

from geoplan import home
from geoplan.errors import CrsError, InputError, OutputError, SourceError, SpecError, TableError
from geoplan.places import Grid
from geoplan.reach import Surface, access_raster, cell_points, open_raster, windows, write_raster
from geoplan.reach.rasters import Window, as_raster

TOLD = {"source": "Made up", "date": "2012-12-31"}


# ---------------------------------------------------------------- reading


def test_a_file_is_read_as_it_was_written(tmp_path):
    path = stored(tmp_path / "people.tif", np.where(np.isnan(PEOPLE), -1, PEOPLE), nodata=-1)
    raster = open_raster(path, unit="persons")
    assert np.array_equal(raster.read(), PEOPLE, equal_nan=True)
    assert np.array_equal(raster.read(Window(1, 2, 2, 3)), PEOPLE[1:3, 2:5], equal_nan=True)
    assert raster.lattice.same_as(lattice())
    assert raster.lattice.crs == 3006


def test_scale_and_offset_are_applied_after_no_data_is_known(tmp_path):
    path = tmp_path / "scaled.tif"
    profile = {
        "driver": "GTiff",
        "height": 1,
        "width": 2,
        "count": 1,
        "dtype": "int16",
        "crs": "EPSG:3006",
        "nodata": -1,
    }
    with rasterio.open(path, "w", transform=rasterio.Affine(100, 0, WEST, 0, -100, NORTH), **profile) as file:
        file.write(np.array([[[5, -1]]], dtype="int16"))
        file.scales, file.offsets = (0.1,), (100.0,)
    assert open_raster(path).read()[0].tolist() == pytest.approx([100.5, np.nan], nan_ok=True)


@pytest.mark.parametrize("side", [1, 2, 3, 7])
@pytest.mark.parametrize("overlap", [0, 1, 4])
def test_windows_cover_every_cell_once_and_see_what_is_around(side, overlap):
    seen = np.zeros((4, 5), dtype=int)
    for core, wide in windows(lattice(), side=side, overlap=overlap):
        seen[core.row : core.row + core.rows, core.column : core.column + core.columns] += 1
        assert wide == core.grown(overlap).within(4, 5)
    assert (seen == 1).all()


def test_a_grid_of_people_and_back():
    raster = as_raster(Grid(PEOPLE, WEST, NORTH, SIDE, SIDE, crs="EPSG:3006"))
    assert raster.grid().total == raster.total == np.nansum(PEOPLE)


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ({"crs": None}, CrsError, "the raster has no coordinate system"),
        ({"at": rasterio.Affine(100, 9, WEST, -9, -100, NORTH)}, SourceError, "the raster is rotated"),
        ({"at": rasterio.Affine(100, 0, WEST, 0, 100, NORTH)}, SourceError, "the raster stands on its head"),
    ],
)
def test_what_cannot_be_placed_is_refused(tmp_path, how, kind, words):
    with pytest.raises(kind, match=f"bad.tif: {words}"):
        open_raster(stored(tmp_path / "bad.tif", np.ones((4, 5)), **how))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_picture_without_a_place_is_refused_for_both_reasons(tmp_path):
    path = stored(tmp_path / "photo.tif", np.ones((4, 5)), crs=None, at=rasterio.Affine.identity())
    with pytest.raises(InputError) as caught:
        open_raster(path)
    assert [fault.what for fault in caught.value.faults] == [
        "the raster lies nowhere: the file states no place and size of cells",
        "the raster has no coordinate system",
    ]


def test_degrees_are_refused_where_metres_are_needed(tmp_path):
    at = rasterio.Affine(0.01, 0, 18, 0, -0.01, 59.5)
    path = stored(tmp_path / "degrees.tif", np.ones((4, 5)), crs="EPSG:4326", at=at)
    assert open_raster(path).lattice.bounds == pytest.approx((18, 59.46, 18.05, 59.5))
    with pytest.raises(CrsError, match="measures in degree, not in metres") as caught:
        open_raster(path, metric=True)
    assert "rio warp" in str(caught.value)


def test_a_band_that_is_not_there(tmp_path):
    path = stored(tmp_path / "one.tif", np.ones((4, 5)))
    with pytest.raises(SpecError, match="the raster has 1 band, not a band 2"):
        open_raster(path, band=2)


@pytest.mark.parametrize(
    ("number", "dtype"), [(-9999, "float32"), (-32768, "int16"), (-3.4028234663852886e38, "float32")]
)
def test_a_number_for_no_data_that_the_file_does_not_declare(tmp_path, number, dtype):
    path = stored(tmp_path / "quiet.tif", np.where(np.isnan(PEOPLE), number, PEOPLE), dtype=dtype)
    with pytest.raises(
        TableError, match=r"quiet.tif: 1 cell\(s\) hold -.* and the file declares no number for no data"
    ):
        open_raster(path).read()
    assert np.array_equal(open_raster(path, nodata=number).read(), PEOPLE, equal_nan=True)
    assert open_raster(path, nodata=np.nan).read()[2, 2] == number


def test_infinite_cells_and_files_that_are_none(tmp_path):
    with pytest.raises(TableError, match=r"1 cell\(s\) of the raster are infinite"):
        open_raster(stored(tmp_path / "inf.tif", np.array([[1.0, np.inf]]))).read()
    with pytest.raises(SourceError, match=r"nothing\.tif: there is no such file"):
        open_raster(tmp_path / "nothing.tif")
    (tmp_path / "text.tif").write_text("not a raster")
    with pytest.raises(SourceError, match="the file cannot be read"):
        open_raster(tmp_path / "text.tif")
    with pytest.raises(SpecError, match="a list is no raster"):
        as_raster([1, 2])


def test_a_cut_file_is_found_when_it_is_read(tmp_path):
    path = stored(
        tmp_path / "cut.tif", np.random.default_rng(1).random((300, 300)), tiled=True, blockxsize=64, blockysize=64
    )
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(SourceError, match="the file cannot be read"):
        open_raster(path).read()


def test_a_surface_says_all_that_is_wrong():
    with pytest.raises(InputError) as caught:
        Surface(np.array([[np.inf, 1.0]]), lattice(), unit=" ")
    assert len(caught.value.faults) == 3


# ---------------------------------------------------------------- writing


def directories(path):
    """Return the directories of a classic little-endian TIFF: place in the file, width, and places of its tiles."""
    data = path.read_bytes()
    assert data[:4] == b"II*\0"
    found, place = [], struct.unpack_from("<I", data, 4)[0]
    while place:
        tags = {}
        number = struct.unpack_from("<H", data, place)[0]
        for entry in range(number):
            code, kind, count = struct.unpack_from("<HHI", data, place + 2 + 12 * entry)
            size = {1: 1, 2: 1, 3: 2, 4: 4}.get(kind, 8) * count
            at = place + 10 + 12 * entry
            at = at if size <= 4 else struct.unpack_from("<I", data, at)[0]
            if kind in (3, 4):
                tags[code] = struct.unpack_from(f"<{count}{'H' if kind == 3 else 'I'}", data, at)
        found.append((place, tags[256][0], tags[324]))
        place = struct.unpack_from("<I", data, place + 2 + 12 * number)[0]
    return data, found


@pytest.fixture
def large(tmp_path):
    """Give a file of 900 × 700 cells with a strip without data."""
    cells = np.random.default_rng(1).random((700, 900))
    cells[:64] = np.nan
    made = surface(cells, unit="persons per km²", title="Density", method="drawn by lot", notes=("one was left out",))
    return cells, write_raster(made, tmp_path / "large.tif", **TOLD)


def test_a_file_is_laid_out_for_reading_from_afar(large):
    data, found = directories(large[1].path)
    assert b"LAYOUT=IFDS_BEFORE_DATA" in data[8:300]
    places, sides, tiles = zip(*found, strict=True)
    assert list(sides) == [900, 450, 225]  # from the finest to the coarsest
    assert list(places) == sorted(places)
    first = [min(place for place in own if place) for own in tiles]
    assert max(places) < min(first)  # all directories stand before any cell
    assert first == sorted(first, reverse=True)  # and coarser cells before finer ones


def test_another_judge_finds_it_valid(large):
    cogeo = pytest.importorskip("rio_cogeo", reason="rio-cogeo is not installed; it judges layouts of files")
    assert cogeo.cog_validate(large[1].path, strict=True) == (True, [], [])


def test_a_file_says_what_it_is(large):
    cells, made = large
    assert (made.unit, made.title, made.notes) == ("persons per km²", "Density", ("one was left out",))
    with rasterio.open(made.path) as file:
        assert np.isnan(file.nodata)
        assert file.crs.to_epsg() == 3006
        assert file.block_shapes == [(256, 256)]
        tags = file.tags()
        coarse = file.read(1, out_shape=(350, 450))
    assert (
        tags | {**TOLD, "method": "drawn by lot", "overview_resampling": "average", "notes": "one was left out"} == tags
    )
    assert np.allclose(made.read(), cells, atol=1e-6, equal_nan=True)
    assert np.isnan(coarse[:32]).all()  # the mean of no data is none
    assert coarse[40, 40] == pytest.approx(cells[80:82, 80:82].mean(), abs=1e-6)


def test_the_same_surface_makes_the_same_bytes(large, tmp_path):
    cells, made = large
    again = surface(cells, unit="persons per km²", title="Density", method="drawn by lot", notes=("one was left out",))
    assert write_raster(again, tmp_path / "again.tif", **TOLD).path.read_bytes() == made.path.read_bytes()


def test_whole_numbers_have_another_no_data(tmp_path):
    made = write_raster(surface(PEOPLE, method="counted"), tmp_path / "whole.tif", dtype="int32", **TOLD)
    assert np.array_equal(made.read(), PEOPLE, equal_nan=True)
    with rasterio.open(made.path) as file:
        assert (file.dtypes[0], file.nodata) == ("int32", -1)
    with pytest.raises(SpecError, match=r"0\.5 cannot be written as a whole number"):
        write_raster(surface([[0.5]], method="m"), tmp_path / "whole.tif", dtype="int32", **TOLD)
    assert made.read()[0, 0] == 1  # what was there has stayed
    assert [path.name for path in tmp_path.iterdir()] == ["whole.tif"]


def test_what_a_file_does_not_say_is_asked_for(tmp_path):
    with pytest.raises(SpecError) as caught:
        write_raster(surface(PEOPLE), tmp_path / "mute.tif", source="", date=" ")
    assert [fault.key for fault in caught.value.faults] == ["source", "date", "method"]
    with pytest.raises(SpecError, match=r"no resampling is called 'averag'.*did you mean 'average'"):
        write_raster(surface(PEOPLE, method="m"), tmp_path / "mute.tif", resampling="averag", **TOLD)
    with pytest.raises(SpecError, match="have other cells than the first: 'b'"):
        write_raster([surface(PEOPLE), surface(PEOPLE[:2], title="b")], tmp_path / "two.tif", method="m", **TOLD)
    with pytest.raises(OutputError, match="the raster cannot be written"):
        write_raster(surface(PEOPLE, method="m"), tmp_path / "nowhere" / "x.tif", **TOLD)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- accessibility


def points_of(*cells):
    """Return points in the middles of cells of the small raster."""
    x, y = lattice().middles(*np.array(cells, dtype=float).T)
    ids = pd.Index([f"r{row}c{column}" for row, column in cells], name="from_id")
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), index=ids, crs=3006)


def test_measures_become_bands(tmp_path):
    points = points_of((0, 0), (3, 4), (1, 2))
    columns = pd.MultiIndex.from_product([["work"], [30.0, 45.0]], names=["opportunity", "within_min"])
    values = pd.DataFrame([[5.0, 9.0], [0.0, np.nan], [7.0, 8.0]], index=points.index[::-1], columns=columns)
    made = access_raster(values, points, tmp_path / "jobs.tif", unit="jobs", method="transit", like=lattice(), **TOLD)
    both = [open_raster(made.path, band=band) for band in (1, 2)]
    assert [(band.title, band.unit) for band in both] == [("work, 30", "jobs"), ("work, 45", "jobs")]
    first, second = (band.read() for band in both)
    assert (first[1, 2], first[3, 4], first[0, 0]) == (5, 0, 7)
    assert np.isfinite(first).sum() == 3
    assert np.isnan(second[3, 4])  # not reached is not 0
    assert made.notes == ("work, 45: 1 of 3 points have no value",)


def test_points_that_share_a_cell_show_their_mean(tmp_path):
    points = points_of((0, 0), (0, 1), (0, 4))
    minutes = pd.Series([10.0, 20.0, 60.0], index=points.index, name="minutes")
    told = {"unit": "min", "method": "walking", "cell_m": 200, **TOLD}
    made = access_raster(minutes, points, tmp_path / "min.tif", **told)
    assert made.read()[0].tolist() == pytest.approx([15.0, np.nan, 60.0], nan_ok=True)
    assert made.notes == ("1 cell(s) hold several points and show their mean",)


def test_values_and_points_that_do_not_fit(tmp_path):
    points = points_of((0, 0), (0, 1))
    told = {"method": "walking", "path": tmp_path / "x.tif", **TOLD}
    with pytest.raises(InputError) as caught:
        access_raster(pd.Series([np.inf, 1.0], index=["r0c0", "other"]), points, unit="", **told)
    said = [fault.what for fault in caught.value.faults]
    assert said == [
        "1 point(s) have no value: 'r0c1'",
        "1 value(s) are of no point: 'other'",
        "1 value(s) are infinite or no number",
        "the raster has no unit",
    ]
    with pytest.raises(SpecError, match=r"1 point\(s\) lie outside the raster: 'r0c1'"):
        access_raster(pd.Series(1.0, index=points.index), points, unit="min", like=lattice(columns=1), **told)


def test_populated_cells_are_points(monkeypatch):
    cells = cell_points(surface(PEOPLE))
    assert len(cells) == 18  # 20, without the one that is 0 and the one without data
    assert cells["population"].sum() == np.nansum(PEOPLE)
    assert cells.loc["r1c4", "population"] == 10
    assert tuple(cells.loc["r1c4"].geometry.coords[0]) == (WEST + 450, NORTH - 150)
    assert list(cells.index[:3]) == ["r0c0", "r0c1", "r0c2"]
    monkeypatch.setattr("geoplan.reach.rasters._SIDE", 2)
    assert cell_points(surface(PEOPLE)).equals(cells)


def test_populated_cells_belong_to_the_area_of_their_middle():
    areas = areas_of(a=rectangle(0, 160, 0, 100), b=rectangle(140, 500, 0, 100))
    cells = cell_points(surface(PEOPLE), areas)
    assert cells["area_id"].to_dict() == {"r0c0": "a", "r0c1": "a", "r0c2": "b", "r0c3": "b", "r0c4": "b"}
    with pytest.raises(TableError, match=r"1 cell\(s\) of the population raster are negative, the first of them -2"):
        cell_points(surface([[1.0, -2.0]]))
    with pytest.raises(TableError, match="no cell of the raster is populated"):
        cell_points(surface([[0.0, np.nan]]))


def test_the_sample_has_as_many_people_in_cells_as_in_its_raster():
    people = home() / "data" / "nordhamra_population_100m.tif"
    assert cell_points(people)["population"].sum() == np.nansum(open_raster(people).read())
