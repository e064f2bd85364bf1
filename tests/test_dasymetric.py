"""Dasymetric population: by hand, and that every area keeps its people."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from rasters import NONE, PEOPLE, areas_of, lattice, rectangle, surface
from test_surfaces import shapes_for

from geoplan.errors import GeometryError, InputError, TableError
from geoplan.reach import dasymetric, open_raster, zonal_statistics

TWO = areas_of(west=rectangle(0, 250, 0, 400), east=rectangle(250, 500, 0, 400))


def counts_of(**number):
    """Return counts by area."""
    return pd.Series(number, index=pd.Index(list(number), name="area_id", dtype=object), dtype=float)


# ---------------------------------------------------------------- by hand


def test_the_raster_of_four_by_five():
    found = dasymetric(counts_of(west=385, east=480), TWO, surface(PEOPLE), unit="persons")
    # West weighs 3+13+1+4 and half of 3, 8, no data, 2: 27.5; east 9+19+7+4 and the other halves: 45.5.
    wanted = PEOPLE * np.array([385 / 27.5, 385 / 27.5, 385 / 55 + 480 / 91, 480 / 45.5, 480 / 45.5])
    assert found.raster.cells == pytest.approx(np.nan_to_num(wanted))  # without a weight nobody lives there
    assert found.areas["placed"].tolist() == pytest.approx([385, 480])
    assert found.lines() == ["865 of 865 persons were placed in cells"]


def test_whole_persons_go_to_the_largest_remainders():
    cells = surface([[1.0, 2.0, 2.0, 0.0]])
    areas = areas_of(a=rectangle(0, 400, 0, 100))
    # Of 8: 1.6, 3.2, 3.2, 0; the odd one goes to the first.
    # Of 9: 1.8, 3.6, 3.6; one to the first, and one to the first of two equals.
    for number, wanted in ((8, [2, 3, 3, 0]), (9, [2, 4, 3, 0])):
        found = dasymetric(counts_of(a=number), areas, cells, unit="persons", integers=True)
        assert found.raster.cells.tolist() == [wanted]


def test_land_use_with_rates():
    use = areas_of(
        houses=rectangle(0, 150, 0, 400), flats=rectangle(200, 250, 0, 400), park=rectangle(250, 500, 0, 400)
    )
    use["rate"] = [1.0, 3.0, 0.0]
    found = dasymetric(counts_of(west=600, east=50), TWO, use, rate_column="rate", unit="persons", cell_m=100)
    # 150 m of houses and 50 m of flats at three times the rate: 300 each, in four rows; nobody in the park but evenly.
    assert found.raster.cells[0].tolist() == pytest.approx([50, 25, 75 + 2.5, 5, 5])
    assert found.areas["how"].tolist() == ["weights", "evenly"]
    assert found.lines()[1] == "1 area with 50 persons has no weight and went evenly over the surface: 'east'"
    assert found.raster.method == "dasymetric, by land use (rate)"


def test_a_border_inside_a_cell_is_kept_to_by_land_use():
    """Houses lie in the western half of a cell whose eastern half is another area."""
    areas = areas_of(a=rectangle(0, 50, 0, 100), b=rectangle(50, 200, 0, 100))
    use = areas_of(houses=rectangle(0, 50, 0, 100), more=rectangle(150, 200, 0, 100))
    found = dasymetric(counts_of(a=10, b=7), areas, use, unit="persons")
    assert found.raster.cells.tolist() == [[10, 7]]


# ---------------------------------------------------------------- nobody is lost


def test_areas_without_weight_without_cells_and_without_a_count():
    areas = areas_of(
        dry=rectangle(200, 300, 200, 300), far=rectangle(900, 950, 0, 50), some=rectangle(0, 100, 0, 200),
        unknown=rectangle(100, 200, 0, 200), edge=rectangle(450, 550, 0, 100),
    )  # fmt: skip
    counts = counts_of(dry=40, far=7, some=10, unknown=NONE, edge=5)
    found = dasymetric(counts, areas, surface(PEOPLE), unit="persons")
    table = found.areas
    assert table["how"].to_dict() == {
        "dry": "evenly", "far": "nowhere", "some": "weights", "unknown": "weights", "edge": "weights",
    }  # fmt: skip
    assert table["status"].to_dict() == {
        "dry": "observed", "far": "out_of_scope", "some": "observed", "unknown": "not_collected", "edge": "observed",
    }  # fmt: skip
    assert (table["placed"] + table["unplaced"]).dropna().tolist() == [40, 7, 10, 5]
    assert found.raster.total == 55
    assert found.raster.cells[2, 2] == 40
    assert np.isnan(found.raster.cells[0, 1])  # not known is not 0
    assert (
        found.raster.notes
        == tuple(found.lines())
        == (
            "55 of 62 persons were placed in cells",
            "1 area with 40 persons has no weight and went evenly over the surface: 'dry'",
            "1 area with 7 persons has no cell, left out: 'far'",
            "1 area lies partly outside; all went to what is inside: 'edge'",
            "1 area has no count, and no data: 'unknown'",
        )
    )


@given(
    st.lists(st.integers(0, 5), min_size=100, max_size=100),
    st.lists(st.integers(0, 10_000), min_size=8, max_size=8),
    st.integers(0, 500),
    st.booleans(),
)
def test_every_area_keeps_its_people(weights, counts, seed, integers):
    areas = areas_of(**shapes_for(seed, 8))
    number = pd.Series(counts, index=areas.index, dtype=float)
    found = dasymetric(number, areas, surface(np.reshape(weights, (10, 10))), unit="persons", integers=integers)
    assert found.areas["placed"].tolist() == pytest.approx(counts, rel=1e-12, abs=0)
    assert found.raster.total == pytest.approx(sum(counts), rel=1e-12)
    assert np.nanmin(found.raster.cells) >= 0
    if integers:
        assert (found.raster.cells % 1 == 0).all()
        assert found.areas["placed"].tolist() == counts


@given(st.integers(0, 500), st.integers(1, 9))
def test_areas_of_whole_cells_are_summed_back(seed, parts):
    rng = np.random.default_rng(seed)
    edges = [0, *sorted(rng.choice(np.arange(1, 10), parts, replace=False).tolist()), 10]
    pairs = pairwise(edges)
    areas = areas_of(**{f"a{low}": rectangle(100 * low, 100 * high, 0, 1000) for low, high in pairs})
    number = pd.Series(rng.integers(0, 1000, len(areas)), index=areas.index, dtype=float)
    found = dasymetric(number, areas, surface(rng.random((10, 10))), unit="persons")
    assert zonal_statistics(found.raster, areas)["sum"].tolist() == pytest.approx(number.tolist(), rel=1e-12)


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("by_use", [False, True])
def test_windows_change_nothing_and_neither_does_a_file(monkeypatch, tmp_path, integers, by_use):
    areas = areas_of(**shapes_for(3, 6))
    number = pd.Series([10.0, 200, 3, 55, NONE, 7], index=areas.index)
    cells = surface(np.random.default_rng(1).random((10, 10)))
    weights = areas_of(a=rectangle(0, 530, 0, 710), b=rectangle(500, 1000, 333, 1000)) if by_use else cells
    asked = {"unit": "persons", "integers": integers}
    whole = dasymetric(number, areas, weights, **asked)
    monkeypatch.setattr("geoplan.reach.dasymetry._SIDE", 3)
    parts = dasymetric(number, areas, weights, **asked)
    assert parts.raster.cells == pytest.approx(whole.raster.cells, rel=1e-12, nan_ok=True)
    told = {"path": tmp_path / "people.tif", "source": "Made up", "date": "2012", "title": "Residents"}
    file = dasymetric(number, areas, weights, **asked, **told).raster
    assert np.array_equal(open_raster(file.path).read(), parts.raster.cells, equal_nan=True)
    assert (file.unit, file.title, file.notes) == ("persons", "Residents", parts.raster.notes)


# ---------------------------------------------------------------- what is refused


def test_counts_that_cannot_be():
    with pytest.raises(InputError) as caught:
        dasymetric(counts_of(west=-1, other=2.5), TWO, surface(PEOPLE), unit="persons", integers=True)
    assert [fault.what for fault in caught.value.faults] == [
        "1 area(s) have no count: 'east'",
        "1 count(s) are of no area: 'other'",
        "2 count(s) are no quantity, the first of them '-1.0'",
    ]


def test_weights_that_cannot_be():
    counts = counts_of(west=1, east=2)
    with pytest.raises(TableError, match="of the weights are negative"):
        dasymetric(counts, TWO, surface(np.where(PEOPLE == 3, -3, PEOPLE)), unit="persons")
    with pytest.raises(TableError, match=r"1 rate\(s\) are no quantity, the first of them '-2'"):
        dasymetric(counts, TWO, TWO.assign(rate=[1, -2]), rate_column="rate", unit="persons")
    with pytest.raises(InputError, match="there is no column 'rates'"):
        dasymetric(counts, TWO, TWO.assign(rate=1), rate_column="rates", unit="persons")
    with pytest.raises(GeometryError, match="are no polygons but 'Point'"):
        dasymetric(counts, TWO, gpd.GeoDataFrame(geometry=TWO.centroid, crs=3006), unit="persons")
    away = areas_of(west=rectangle(5000, 5100, 0, 100), east=rectangle(6000, 6100, 0, 100))
    with pytest.raises(GeometryError, match="none of the 2 areas lies on the raster"):
        dasymetric(counts, away, surface(PEOPLE), unit="persons")
    with pytest.raises(InputError, match="the raster has no unit"):
        dasymetric(counts, TWO, surface(PEOPLE), unit="")


def test_cells_of_another_raster():
    found = dasymetric(counts_of(west=5, east=5), TWO, TWO, unit="persons", like=lattice(6, 7))
    assert found.raster.cells.shape == (6, 7)
    assert np.isnan(found.raster.cells[:, 5:]).all()
    assert found.raster.total == 10
