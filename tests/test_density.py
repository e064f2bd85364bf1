"""Kernel density: by hand, by scipy, and that nobody is lost at the edge."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, strategies as st
from rasters import NORTH, PEOPLE, WEST, areas_of, lattice, rectangle, stored, surface
from scipy import ndimage
from scipy.stats import gaussian_kde

from geoplan import home
from geoplan.errors import CrsError, GeometryError, InputError, SpecError, TableError
from geoplan.reach import cell_points, kernel_density, open_raster, zonal_statistics

KERNELS = ("quartic", "gaussian", "epanechnikov")


def points_of(places, weights=None):
    """Return points in metres from the north-west corner, to the east and to the south."""
    x, y = np.array(places, dtype=float).T
    columns = {} if weights is None else {"people": weights}
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(WEST + x, NORTH - y), crs=3006)


@pytest.fixture(scope="module")
def some():
    rng = np.random.default_rng(0)
    return points_of(rng.uniform(0, 3000, (200, 2)), rng.integers(1, 50, 200))


# ---------------------------------------------------------------- by hand and by scipy


@pytest.mark.parametrize(
    ("kernel", "at_home", "beside", "beyond"),
    [
        ("quartic", 3 / (np.pi * 0.04), 3 / (np.pi * 0.04) * 0.75**2, 0.0),
        ("epanechnikov", 2 / (np.pi * 0.04), 2 / (np.pi * 0.04) * 0.75, 0.0),
        ("gaussian", 1 / (2 * np.pi * 0.04), np.exp(-1 / 8) / (2 * np.pi * 0.04), np.exp(-1 / 2) / (2 * np.pi * 0.04)),
    ],
)
def test_one_person_in_the_middle_of_a_cell(kernel, at_home, beside, beyond):
    found = kernel_density(points_of([(250, 150)]), unit="persons", bandwidth_m=200, kernel=kernel, like=lattice())
    assert found.unit == "persons per km²"
    # per km²: bandwidth 0.2 km; the cells 0, 100 and 200 m away
    assert found.cells[1, 2:].tolist() == pytest.approx([at_home, beside, beyond], rel=1e-5)


def test_gaussian_kernels_are_scipys(some):
    ours = kernel_density(some, weight="people", unit="persons", bandwidth_m=300, kernel="gaussian")
    xy = shapely.get_coordinates(some.geometry).T
    theirs = gaussian_kde(xy, weights=some["people"])
    theirs.covariance = np.eye(2) * 300.0**2  # scipy scales the spread of the data; ours is the bandwidth itself
    theirs.cho_cov = np.linalg.cholesky(theirs.covariance)
    theirs.log_det = 2 * np.log(np.diag(theirs.cho_cov * np.sqrt(2 * np.pi))).sum()
    row, column = np.mgrid[: ours.lattice.rows, : ours.lattice.columns]
    middles = np.array(ours.lattice.middles(row.ravel(), column.ravel()))
    wanted = theirs(middles) * some["people"].sum() * 1e6
    assert np.abs(ours.cells.ravel() - wanted).max() < 5e-6 * wanted.max()  # what lies beyond 5 bandwidths


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_raster_of_counts_is_convolved_as_scipy_does(kernel):
    counts = np.random.default_rng(1).integers(0, 9, (40, 30)).astype(float)
    ours = kernel_density(surface(counts), unit="persons", bandwidth_m=250, kernel=kernel, like=lattice(40, 30))
    down, over = np.mgrid[-15:16, -15:16] * 100.0
    part = (down**2 + over**2) / 250**2
    weights = {
        "quartic": 3 / np.pi * np.clip(1 - part, 0, None) ** 2,
        "epanechnikov": 2 / np.pi * np.clip(1 - part, 0, None),
        "gaussian": np.where(part < 25, np.exp(-part / 2), 0) / (2 * np.pi * (1 - np.exp(-12.5))),
    }[kernel] / 0.25**2
    assert ours.cells == pytest.approx(ndimage.convolve(counts, weights, mode="constant"), rel=1e-9, abs=1e-9)


def test_a_raster_and_its_cells_as_points_are_the_same():
    raster = home() / "data" / "nordhamra_population_100m.tif"
    one = kernel_density(raster, unit="persons", bandwidth_m=400, like=raster)
    points = cell_points(raster)
    other = kernel_density(points, weight="population", unit="persons", bandwidth_m=400, like=raster)
    assert np.allclose(one.cells, other.cells, rtol=1e-12, atol=1e-9)


# ---------------------------------------------------------------- the edge

LAND = shapely.Polygon(
    [(WEST + x, NORTH - y) for x, y in ((300, 250), (2800, 130), (2600, 2900), (900, 2400))],
    [[(WEST + x, NORTH - y) for x, y in ((1200, 1000), (1800, 1100), (1500, 1700))]],
)


def held(found, land):
    """Return how many a density holds over an area, by the exact parts of its cells."""
    areas = areas_of(land=land)
    return float(zonal_statistics(found, areas)["sum"].iloc[0]) * found.lattice.cell_km2


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("bandwidth", [100, 430, 1500])
def test_what_would_lie_in_the_water_is_given_back_to_the_land(some, kernel, bandwidth):
    shore = gpd.GeoSeries([LAND], crs=3006)
    found = kernel_density(
        some, weight="people", unit="persons", bandwidth_m=bandwidth, kernel=kernel, cell_m=90, within=shore
    )
    inside = some["people"][some.within(LAND)].sum()
    assert held(found, LAND) == pytest.approx(inside, rel=1e-9)
    out, left = (~some.within(LAND)).sum(), some["people"].sum() - inside
    assert found.notes == (f"{out} points outside the area were left out, with {left:,} persons",)
    far = found.lattice.cells_of(np.array([WEST + 1500.0]), np.array([NORTH - 1250.0]))  # in the lake
    assert np.isnan(found.cells[far]).all()


def test_far_from_the_edge_nothing_is_corrected(some):
    asked = {"weight": "people", "unit": "persons", "bandwidth_m": 300, "like": lattice(30, 30)}
    plain = kernel_density(some, **asked)
    corrected = kernel_density(some, **asked, within=gpd.GeoSeries([rectangle(-5000, 8000, -5000, 8000)], crs=3006))
    # but for what sums over cells miss of an integral
    dense = plain.cells > 100
    assert np.abs(corrected.cells[dense] / plain.cells[dense] - 1).max() < 0.02


@st.composite
def towns(draw):
    """Draw some land with a shore, and people on it and off it."""
    corners = draw(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=3, max_size=8, unique=True))
    people = st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(0, 100))
    return corners, draw(st.lists(people, min_size=1, max_size=15))


@given(towns(), st.sampled_from(KERNELS), st.integers(50, 800))
def test_a_density_holds_as_many_as_there_are(town, kernel, bandwidth):
    corners, people = town
    land = shapely.MultiPoint([(WEST + x, NORTH - y) for x, y in corners]).convex_hull
    points = points_of([place[:2] for place in people], [place[2] for place in people])
    inside = points[points.intersects(land)]
    if land.area < 1 or not inside["people"].sum():
        return
    found = kernel_density(
        points, weight="people", unit="persons", bandwidth_m=bandwidth, kernel=kernel, cell_m=50,
        within=gpd.GeoSeries([land], crs=3006),
    )  # fmt: skip
    lost = sum("strip of land" in note for note in found.notes)
    assert lost or held(found, land) == pytest.approx(inside["people"].sum(), rel=1e-6)
    assert np.nanmin(found.cells) >= 0


@pytest.mark.parametrize("within", [None, gpd.GeoSeries([LAND], crs=3006)])
def test_windows_change_nothing_and_neither_does_a_file(some, monkeypatch, tmp_path, within):
    asked = {"weight": "people", "unit": "persons", "bandwidth_m": 300, "kernel": "gaussian", "within": within}
    whole = kernel_density(some, **asked, title="Residents")
    monkeypatch.setattr("geoplan.reach.density._SIDE", 7)
    parts = kernel_density(some, **asked)
    assert np.array_equal(whole.cells, parts.cells, equal_nan=True) or np.allclose(
        whole.cells, parts.cells, rtol=1e-12, equal_nan=True
    )
    told = {"path": tmp_path / "dense.tif", "source": "Made up", "date": "2012"}
    file = kernel_density(some, **asked, title="Residents", **told)
    assert np.allclose(file.read(), whole.cells, rtol=1e-6, equal_nan=True)
    assert (file.unit, file.title, file.notes) == (whole.unit, "Residents", whole.notes)
    assert file.tags["method"] == whole.method
    assert file.tags.get("notes", "") == "; ".join(whole.notes)


# ---------------------------------------------------------------- what is refused


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as caught:
        kernel_density(
            points_of([(0, 0), (9, 9)], [-1, np.nan]), weight="people", unit="", bandwidth_m=0, kernel="quart"
        )
    assert [fault.what for fault in caught.value.faults] == [
        "the raster has no unit",
        "no kernel is called 'quart'",
        "a bandwidth of 0 m is none",
        "2 weight(s) are no quantity, the first of them '-1.0'",
    ]


def test_points_that_are_none_or_not_in_metres(some):
    asked = {"unit": "persons", "bandwidth_m": 300}
    with pytest.raises(CrsError, match="measures in degree, not in metres"):
        kernel_density(some.to_crs(4326), **asked)
    with pytest.raises(GeometryError, match="is no point but 'Polygon'"):
        kernel_density(gpd.GeoDataFrame(geometry=[LAND], crs=3006), **asked)
    with pytest.raises(InputError, match="there is no column 'jobs'"):
        kernel_density(some, weight="jobs", **asked)
    with pytest.raises(TableError, match="no point with a weight lies in the area"):
        kernel_density(some, **asked, within=gpd.GeoSeries([rectangle(9000, 9500, 0, 500)], crs=3006))
    with pytest.raises(GeometryError, match="are no polygons but 'Point'"):
        kernel_density(some, **asked, within=some)
    with pytest.raises(SpecError, match="a bandwidth of 300 m is less than a cell of 500 m"):
        kernel_density(some, **asked, cell_m=500)
    with pytest.raises(SpecError, match="cells are too many to be held in memory at once"):
        kernel_density(some, **asked, cell_m=0.5)


def test_a_raster_of_counts_that_cannot_be(tmp_path):
    asked = {"unit": "persons", "bandwidth_m": 300}
    with pytest.raises(TableError, match=r"of the raster of weights are negative"):
        kernel_density(surface(np.where(PEOPLE == 3, -3, PEOPLE)), **asked)
    degrees = stored(tmp_path / "d.tif", np.ones((3, 3)), crs="EPSG:4326", at=rasterio.Affine(1, 0, 18, 0, -1, 60))
    with pytest.raises(CrsError, match=r"d\.tif: EPSG:4326 measures in degree"):
        kernel_density(degrees, **asked)


def test_jobs_of_the_sample_town_stay_jobs():
    places = gpd.read_file(home() / "data" / "nordhamra_workplaces.gpkg")
    column = next(name for name in places.columns if name.startswith("jobs"))
    people = open_raster(home() / "data" / "nordhamra_population_100m.tif")
    found = kernel_density(places, weight=column, unit="jobs", bandwidth_m=500, like=people)
    assert np.nansum(found.cells) * found.lattice.cell_km2 == pytest.approx(places[column].sum(), rel=0.02)
