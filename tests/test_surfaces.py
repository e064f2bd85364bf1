"""Zonal statistics and contours: by hand, by other programs, and by laws."""

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, strategies as st
from rasters import NONE, NORTH, PEOPLE, SIDE, WEST, areas_of, lattice, rectangle, stored, surface

from geoplan import home
from geoplan.errors import CrsError, GeometryError, SpecError, TableError
from geoplan.reach import contours, kernel_density, open_raster, zonal_statistics
from geoplan.reach.rasters import Window
from geoplan.reach.zonal import Source
from geoplan.sources import read_vector

AREAS = {
    "whole": rectangle(0, 200, 0, 200),  # 1 2 / 6 7
    "parts": rectangle(250, 450, 100, 300),  # ½·8 9 ½·10 / no data, 3, ½·4
    "leaving": rectangle(350, 550, 300, 400),  # ½·2 2, and a quarter of it beyond the raster
    "dry": rectangle(210, 290, 210, 290),
    "away": rectangle(900, 950, 0, 50),
}


# ---------------------------------------------------------------- by hand


def test_the_raster_of_four_by_five():
    found = zonal_statistics(surface(PEOPLE), areas_of(**AREAS))
    figures = ["sum", "mean", "min", "max", "count", "coverage", "nodata_share"]
    assert found.loc["whole", figures].tolist() == [16, 4, 1, 7, 4, 1, 0]
    assert found.loc["parts", figures].tolist() == pytest.approx([23, 23 / 3.5, 3, 10, 3.5, 1, 1 / 8])
    assert found["status"].tolist() == ["observed", "observed", "out_of_scope", "not_collected", "out_of_scope"]
    assert found["reason"].tolist()[2:] == [
        "only 75 % of it is on the raster", "no cell in it has data", "not on the raster",
    ]  # fmt: skip
    assert found.loc[["leaving", "dry", "away"], ["sum", "mean", "min", "max"]].isna().all(axis=None)
    assert found.loc["dry", ["count", "coverage", "nodata_share"]].tolist() == [0, 1, 1]
    assert found.loc["leaving", "coverage"] == 0.75
    assert found.index.name == "area_id"


def test_an_area_that_leaves_the_raster_counts_where_that_is_allowed():
    found = zonal_statistics(surface(PEOPLE), areas_of(**AREAS), minimum_coverage=0.7)
    assert found.loc["leaving", ["sum", "mean", "status"]].tolist() == [3, 2, "observed"]


def test_a_mean_weighted_by_a_second_raster():
    rows = np.repeat([[0.0], [1.0], [3.0], [NONE]], 5, axis=1)
    found = zonal_statistics(surface(PEOPLE), areas_of(**AREAS), weights=surface(rows), minimum_coverage=0.7)
    assert found.loc["whole", "weighted_mean"] == 6.5  # the second row alone
    assert found.loc["parts", "weighted_mean"] == pytest.approx((18 * 1 + 5 * 3) / (2 * 1 + 1.5 * 3))
    assert np.isnan(found.loc["leaving", "weighted_mean"])  # nobody there to weigh by
    assert found.loc["leaving", "mean"] == 2


def test_weights_of_finer_cells():
    finer = np.kron(np.arange(20.0).reshape(4, 5), np.ones((2, 2)))
    one = zonal_statistics(surface(PEOPLE), areas_of(**AREAS), weights=surface(finer, side=50))
    other = zonal_statistics(surface(PEOPLE), areas_of(**AREAS), weights=surface(np.arange(20.0).reshape(4, 5)))
    pd.testing.assert_frame_equal(one, other)


def test_a_file_in_degrees_is_summed_too(tmp_path):
    areas = areas_of(a=rectangle(0, 300, 0, 300))
    west, south, east, north = areas.to_crs(4326).total_bounds
    at = rasterio.Affine((east - west) / 50, 0, west, 0, (south - north) / 50, north)
    path = stored(tmp_path / "degrees.tif", np.ones((50, 50)), crs="EPSG:4326", at=at)
    found = zonal_statistics(path, areas).loc["a"]
    assert found["coverage"] == 1
    assert found["mean"] == 1


# ---------------------------------------------------------------- what is refused


def test_areas_that_are_all_elsewhere():
    with pytest.raises(
        GeometryError, match=r"none of the 1 areas lies on the raster; they lie at 674,900–674,950 east"
    ):
        zonal_statistics(surface(PEOPLE), areas_of(away=AREAS["away"]))


def test_weights_that_cannot_be():
    areas = areas_of(**AREAS)
    with pytest.raises(TableError, match=r"1 cell\(s\) of the weights are negative, the first of them -1"):
        zonal_statistics(surface(PEOPLE), areas, weights=surface(np.where(PEOPLE == 7, -1, 1.0)))
    with pytest.raises(SpecError, match="the cells of the weights do not fit those of the raster"):
        zonal_statistics(surface(PEOPLE), areas, weights=surface(PEOPLE, side=70))
    with pytest.raises(CrsError, match="have no coordinate system"):
        zonal_statistics(surface(PEOPLE), areas.set_crs(None, allow_override=True))


def test_a_fault_in_the_cells_is_told_while_they_are_summed(tmp_path):
    path = stored(tmp_path / "quiet.tif", np.where(np.isnan(PEOPLE), -9999, PEOPLE))
    with pytest.raises(TableError, match="hold -9999, and the file declares no number for no data"):
        zonal_statistics(path, areas_of(**AREAS))


# ---------------------------------------------------------------- by other programs


def shapes_for(seed, number=12):
    """Return areas that divide a square kilometre with crooked borders."""
    frame = rectangle(0, 1000, 0, 1000)
    seeds = np.random.default_rng(seed).uniform((WEST, NORTH - 1000), (WEST + 1000, NORTH), (number, 2))
    parts = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=frame))
    return {f"a{at}": shape for at, shape in enumerate(shapely.intersection(parts, frame))}


@pytest.fixture
def peer():
    return pytest.importorskip("rasterstats", reason="rasterstats is not installed; it is a peer to compare with")


PEER_WARNS = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")


def by_peer(peer, path, areas):
    """Return what rasterstats finds: whole cells, by their middles."""
    stats = ["sum", "mean", "min", "max", "count", "nodata"]
    return pd.DataFrame(peer.zonal_stats(areas, str(path), stats=stats), index=areas.index)


@PEER_WARNS
def test_on_borders_of_cells_rasterstats_finds_the_same(tmp_path, peer):
    cells = np.random.default_rng(2).integers(0, 50, (10, 10)).astype(float)
    cells[cells > 45] = -1
    path = stored(tmp_path / "people.tif", cells, nodata=-1)
    areas = areas_of(a=rectangle(0, 300, 100, 900), b=rectangle(300, 1000, 0, 600), c=rectangle(600, 700, 900, 1000))
    ours, theirs = zonal_statistics(path, areas), by_peer(peer, path, areas)
    for name in ("sum", "mean", "min", "max", "count"):
        assert ours[name].tolist() == pytest.approx(theirs[name].tolist())
    assert (ours["nodata_share"] * areas.area / SIDE**2).tolist() == pytest.approx(theirs["nodata"].tolist())


@PEER_WARNS
def test_finer_and_finer_cells_bring_rasterstats_to_the_exact_sum(tmp_path, peer):
    cells = np.random.default_rng(4).random((10, 10))
    ours = zonal_statistics(surface(cells), areas_of(**shapes_for(5)))
    gaps = []
    for times in (4, 40):
        at = rasterio.Affine(SIDE / times, 0, WEST, 0, -SIDE / times, NORTH)
        finer = stored(
            tmp_path / f"{times}.tif", np.kron(cells, np.ones((times, times))), at=at, dtype="float64", nodata=-1
        )
        theirs = by_peer(peer, finer, areas_of(**shapes_for(5)))
        gaps.append(np.abs(ours["sum"] - theirs["sum"] / times**2).max())
        assert np.abs(ours["mean"] - theirs["mean"]).max() < 0.1 / times
    assert gaps[1] < gaps[0] / 5
    assert gaps[1] < 0.01


# ---------------------------------------------------------------- by laws


@st.composite
def rasters(draw):
    """Draw ten rows of ten cells, some of them without data."""
    cells = draw(st.lists(st.one_of(st.none(), st.integers(0, 1000)), min_size=100, max_size=100))
    return np.array([NONE if cell is None else cell for cell in cells], dtype=float).reshape(10, 10)


@given(rasters(), st.integers(0, 1000))
def test_areas_that_divide_a_raster_divide_its_sum(cells, seed):
    found = zonal_statistics(surface(cells), areas_of(**shapes_for(seed)))
    assert np.nansum(found["sum"]) == pytest.approx(np.nansum(cells), rel=1e-6)
    assert found["count"].sum() == pytest.approx(np.isfinite(cells).sum(), rel=1e-6)
    assert (found["coverage"] == 1).all()
    known = found[found["status"] == "observed"]
    assert ((known["min"] <= known["mean"] + 1e-9) & (known["mean"] <= known["max"] + 1e-9)).all()


@given(rasters(), st.integers(0, 1000))
def test_how_a_raster_is_gone_through_changes_nothing(cells, seed):
    areas = areas_of(**shapes_for(seed, 5))
    whole = zonal_statistics(surface(cells), areas)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geoplan.reach.zonal._CELLS_AT_ONCE", 7)
        parts = zonal_statistics(surface(cells), areas)
        patch.setattr("geoplan.reach.zonal._strategy", lambda *_: "feature-sequential")
        single = zonal_statistics(surface(cells), areas)
    pd.testing.assert_frame_equal(whole, parts)
    pd.testing.assert_frame_equal(whole, single)


def test_a_file_is_read_in_windows_and_never_as_a_whole(tmp_path, monkeypatch):
    path = stored(tmp_path / "people.tif", np.ones((400, 300)), tiled=True, blockxsize=64, blockysize=64)
    largest = []
    read = Source.read_window

    def watched(self, column, row, columns, rows):
        largest.append(columns * rows)
        return read(self, column, row, columns, rows)

    monkeypatch.setattr(Source, "read_window", watched)
    monkeypatch.setattr("geoplan.reach.zonal._CELLS_AT_ONCE", 6_000)
    found = zonal_statistics(path, areas_of(a=rectangle(0, 30_000, 0, 40_000)))
    assert found.loc["a", "sum"] == 120_000
    assert max(largest) <= 6_000


def test_the_sample_town_holds_its_people():
    areas = read_vector(home() / "data" / "nordhamra.gpkg", "basomraden")
    areas = areas.set_index(next(name for name in areas.columns if "id" in name or "kod" in name or "code" in name))
    people = home() / "data" / "nordhamra_population_100m.tif"
    found = zonal_statistics(people, areas)
    assert np.nansum(found["sum"]) == pytest.approx(np.nansum(open_raster(people).read()), rel=0.02)


# ---------------------------------------------------------------- contours

HILL = np.array([[0, 0, 0, 0, 0], [0, 8, 8, 8, 0], [0, 8, 0, 8, 0], [0, 8, 8, 8, 0], [0, 0, 0, 0, 0]], dtype=float)


def test_a_ring_of_hills_has_a_hole():
    found = contours(surface(HILL), [4, np.inf], filled=True)
    assert found[["low", "high"]].to_numpy().tolist() == [[4, np.inf]]
    (ring,) = found.geometry.iloc[0].geoms
    assert len(ring.interiors) == 1
    # Half-way between middles: a square of 300 m without its corners, less a square stood on its corner.
    assert ring.area == pytest.approx(300**2 - 4 * 50**2 / 2 - 100**2 / 2)
    lines = contours(surface(HILL), [4])
    assert lines.geometry.iloc[0].length == pytest.approx(ring.length)


def test_higher_ground_is_on_the_left():
    (outer, inner) = sorted(contours(surface(HILL), [4]).geometry.iloc[0].geoms, key=lambda line: -line.length)
    assert shapely.is_ccw(shapely.linearrings(outer.coords))
    assert not shapely.is_ccw(shapely.linearrings(inner.coords))


def test_contours_keep_away_from_what_has_no_data():
    cells = HILL.copy()
    cells[1, 3] = NONE
    found = contours(surface(cells), [-1, 4, 9], filled=True)
    gap = shapely.Point(*(part[0] for part in lattice().middles(np.array([1]), np.array([3]))))
    assert not found.intersects(gap.buffer(1)).any()
    middles = rectangle(50, 450, 50, 450)
    assert found.area.sum() == pytest.approx(middles.area - 4 * 100**2 / 2)  # a triangle in each square around it
    assert found.geometry.iloc[0].intersection(found.geometry.iloc[1]).area == pytest.approx(0, abs=1e-6)
    ends = [shapely.Point(end) for line in contours(surface(cells), [4]).geometry.iloc[0].geoms for end in line.coords]
    assert min(end.distance(gap) for end in ends) > 50


def test_windows_leave_no_seam(monkeypatch):
    people = kernel_density(home() / "data" / "nordhamra_population_100m.tif", unit="persons", bandwidth_m=500)
    levels = [500, 1000, 2000]
    whole, filled = contours(people, levels), contours(people, levels, filled=True)
    monkeypatch.setattr("geoplan.reach.contouring._SIDE", 17)
    parts, pieces = contours(people, levels), contours(people, levels, filled=True)
    assert whole.geometry.normalize().geom_equals_exact(parts.geometry.normalize(), 1e-6).all()
    assert pieces.area.tolist() == pytest.approx(filled.area.tolist())
    assert [len(shape.geoms) for shape in pieces.geometry] == [len(shape.geoms) for shape in filled.geometry]
    assert pieces.is_valid.all()


def test_levels_that_are_none():
    for levels, filled in (([], False), ([2, 1], False), ([1], True), ([1, np.nan], True)):
        with pytest.raises(SpecError, match="are too few or do not ascend"):
            contours(surface(HILL), levels, filled=filled)
    with pytest.raises(SpecError, match="there is no line at infinity"):
        contours(surface(HILL), [1, np.inf])
    assert contours(surface(HILL), [99]).empty


def test_a_window_of_a_surface_is_a_view():
    assert surface(PEOPLE).read(Window(3, 0, 1, 2)).tolist() == [[2, 2]]
