"""Overlapping geographies on real borders: Sweden's NUTS 2, DeSO over RegSO, Copenhagen and Aarhus.

Expected figures are made here from the files by plain pandas and geopandas, or stand in a published list.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import geoplan as gp
from geoplan.places import check_membership, find_overlaps
from geoplan.specs import IndicatorsLayer, IndicatorSpec

pytestmark = pytest.mark.real

# Source: Eurostat, NUTS 2016 and 2021 (the Swedish regions are the same in both); regions from north to south,
# counties by SCB's codes.
NUTS_2 = {
    "SE33": ["25", "24"],  # Övre Norrland: Norrbotten, Västerbotten
    "SE32": ["23", "22"],  # Mellersta Norrland: Jämtland, Västernorrland
    "SE31": ["21", "20", "17"],  # Norra Mellansverige: Gävleborg, Dalarna, Värmland
    "SE11": ["01"],  # Stockholm
    "SE12": [
        "03",
        "04",
        "05",
        "18",
        "19",
    ],  # Östra M.: Uppsala, Södermanland, Östergötland, Örebro, Västmanland
    "SE23": ["13", "14"],  # Västsverige: Halland, Västra Götaland
    "SE21": ["06", "07", "08", "09"],  # Småland med öarna: Jönköping, Kronoberg, Kalmar, Gotland
    "SE22": ["10", "12"],  # Sydsverige: Blekinge, Skåne
}
COUNTS = ["pop_2023", "employed", "hh_single_kids"]


@pytest.fixture(scope="module")
def scb(real):
    return pd.read_csv(real / "sweden/scb_deso2018_indicators_2022.csv", dtype={"deso": str})


@pytest.fixture(scope="module")
def nesting(real):
    return pd.read_csv(real / "sweden/deso2018_regso2020.csv", dtype=str, encoding="utf-8-sig")


@pytest.fixture(scope="module")
def membership(nesting):
    counties = pd.DataFrame({"child_id": nesting["Kommun"], "parent_id": nesting["Kommun"].str[:2]})
    regions = pd.DataFrame([(c, r) for r, own in NUTS_2.items() for c in own], columns=["child_id", "parent_id"])
    return pd.concat(
        [
            gp.places.as_membership(nesting, child_column="DeSO_2018", parent_column="RegSOkod_2020"),
            gp.places.as_membership(nesting, child_column="RegSOkod_2020", parent_column="Kommun"),
            gp.places.as_membership(counties),
            gp.places.as_membership(regions),
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def table(scb):
    """Counts, two rates made from them, and a rate published with its base."""

    def one(name, kind, unit, **columns):
        return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction="neutral", **columns)

    layer = IndicatorsLayer(
        kind="indicators",
        title="SCB",
        path="none",
        source="SCB",
        licence="CC0",
        vintage="2022",
        level="deso",
        shape="wide",
        period="2022",
        id_column="deso",
        id_width=9,
        empty_base="not_applicable",
        missing_codes={"": "suppressed"},
        indicators=[
            *(one(name, "count", "persons", numerator=name) for name in COUNTS),
            one("employment", "share", "pct", numerator="employed", denominator="pop_16_64"),
            one("unemployment", "share", "pct", numerator="unemployed", denominator="labour_force"),
            one("income", "mean", "tkr", value="net_income_mean_tkr", denominator="net_income_n"),
        ],
    )
    return gp.as_indicators(scb, layer)


def test_nuts_2_has_eight_regions_over_21_counties_each_once(nesting, membership):
    assert [len(counties) for counties in NUTS_2.values()] == [2, 2, 3, 1, 5, 2, 4, 2]
    counties = sorted(set(nesting["DeSO_2018"].str[:2]))
    assert sorted(county for own in NUTS_2.values() for county in own) == counties
    assert len(counties) == 21
    found = gp.places.pairs_at(membership, counties, NUTS_2)
    assert len(found) == 21
    assert found["child_id"].is_unique
    assert check_membership(membership, exclusive=["part_of"]) == []
    assert gp.members(membership, "SE22", of=counties) == ["10", "12"]


def test_the_population_of_nuts_2_adds_up_to_the_nations(scb, table, membership):
    regions = gp.roll_up(table, gp.places.pairs_at(membership, scb["deso"], NUTS_2)).wide("2022")["pop_2023"]
    assert len(regions) == 8
    assert regions.sum() == scb["pop_2023"].sum()
    county = scb["deso"].str[:2]
    for code, own in NUTS_2.items():
        assert regions[code] == scb.loc[county.isin(own), "pop_2023"].sum()


def test_rates_of_kommuner_are_those_of_their_counts_by_either_way(scb, table, membership, nesting):
    kommuner, regso = sorted(set(nesting["Kommun"])), sorted(set(nesting["RegSOkod_2020"]))
    directly = gp.roll_up(table, gp.places.pairs_at(membership, scb["deso"], kommuner)).data
    middle = gp.roll_up(table, gp.places.pairs_at(membership, scb["deso"], regso))
    stepwise = gp.roll_up(middle, gp.places.pairs_at(membership, regso, kommuner)).data
    pd.testing.assert_frame_equal(stepwise, directly)

    of = nesting.set_index("DeSO_2018")["Kommun"].reindex(scb["deso"]).to_numpy()
    sums = scb.groupby(of)[["employed", "pop_16_64", "unemployed", "labour_force"]].sum()
    wide = directly.pivot_table(index="area_id", columns="indicator", values="value")
    np.testing.assert_allclose(wide["employment"], 100 * sums["employed"] / sums["pop_16_64"], rtol=1e-12)
    np.testing.assert_allclose(wide["unemployment"], 100 * sums["unemployed"] / sums["labour_force"], rtol=1e-12)

    own = directly[directly["indicator"] == "employment"].set_index("area_id")
    rates = (100 * scb["employed"] / scb["pop_16_64"]).groupby(of)
    np.testing.assert_allclose(own["minimum"], rates.min())
    np.testing.assert_allclose(own["maximum"], rates.max())
    assert own["children"].to_dict() == rates.count().to_dict()
    stockholm = scb[of == "0180"]
    values, weights = 100 * stockholm["employed"] / stockholm["pop_16_64"], stockholm["pop_16_64"]
    mean = np.average(values, weights=weights)
    spread = np.sqrt(np.average((values - mean) ** 2, weights=weights))
    assert own.loc["0180", "spread"] == pytest.approx(spread)
    assert own.loc["0180", "value"] == pytest.approx(mean)


# ---------------------------------------------------------------- borders


def _areas(path, crs, **columns):
    return gp.as_areas(gp.read_vector(path), level="area", crs=crs, **columns)[0]


def test_copenhagens_deprived_urban_areas_cross_the_borders_of_its_bydele(real):
    folder = real / "copenhagen"
    small = _areas(folder / "udsatte_byomraader.geojson", "EPSG:25832", id_column="id")
    large = _areas(folder / "bydele.geojson", "EPSG:25832", id_column="navn")
    assert (len(small), len(large)) == (17, 10)
    report = gp.check_nesting(small, large)
    outside = report.pieces[(report.pieces["kind"] == "outside") & ~report.pieces["sliver"]]

    # geopandas: the ground of each area that its main bydel does not cover
    cut = gpd.overlay(
        small.rename_axis("area_id").reset_index()[["area_id", "geometry"]],
        large.rename_axis("bydel").reset_index()[["bydel", "geometry"]],
    )
    cut["m2"] = cut.area
    main = cut.sort_values("m2").drop_duplicates("area_id", keep="last").set_index("area_id")
    beyond = small.area - main["m2"]
    assert len(outside) == 12
    found = report.pieces[report.pieces["kind"] == "outside"].groupby("area_id")["m2"].sum()
    np.testing.assert_allclose(found, beyond[found.index], rtol=1e-6)
    assert outside["m2"].sum() == pytest.approx(1.61e6, rel=0.01)
    # Two of the bydele hold none of them.
    assert sorted(report.pieces.loc[report.pieces["kind"] == "no_child", "parent_id"]) == sorted(
        set(large.index) - set(main["bydel"])
    )


def test_aarhus_two_zonings_do_not_nest(real):
    folder = real / "aarhus"
    small = _areas(folder / "statistics_districts.geojson", "EPSG:25832", id_column="prog_distrikt_nr")
    large = _areas(folder / "local_community.geojson", "EPSG:25832", id_column="lokalsamfund")
    report = gp.check_nesting(small, large)
    m2 = report.pieces.groupby("kind")["m2"].sum()
    city = large.union_all()
    assert m2["gap"] == pytest.approx(city.difference(small.union_all()).area, rel=1e-3)
    whole = small.area.sum()
    assert report.misplaced == pytest.approx(m2["outside"] / whole)
    assert 0.005 < report.misplaced < 0.02  # 3.5 of some 470 km²
    assert report.lines()[0].startswith("61 times an area lies wholly or partly outside its parent: 3.44 km² in all")


def test_the_simplified_deso_of_stockholm_overlap_and_cross_no_kommun(real, nesting):
    """SCB's county file: the 8.6 km² that its README speaks of, as pieces and slivers, with people."""
    frame = gp.read_vector(real / "stockholm/deso2018_stockholm_county.gpkg")
    deso = gp.as_areas(frame, id_column="deso", level="deso", crs="EPSG:3006")[0]
    people = frame.set_index("deso")["pop_2023"]
    kommun = deso.index.str[:4]
    large = gpd.GeoDataFrame(deso[["geometry"]].assign(kommun=kommun).dissolve("kommun"))
    key = gp.places.as_membership(nesting, child_column="DeSO_2018", parent_column="Kommun")
    report = gp.check_nesting(deso, large, key, population=people)
    m2 = report.pieces.groupby("kind")["m2"].sum()
    assert set(m2.index) == {"overlap", "parent_overlap"}
    assert m2["overlap"] == pytest.approx(8.6e6, rel=0.005)
    assert m2["parent_overlap"] == pytest.approx(find_overlaps(large)["overlap_m2"].sum(), rel=1e-3)
    assert report.misplaced == 0
    # Nobody counts in two kommuner all the same: the register says where an area belongs.
    assert report.people == people.sum()


def test_the_extent_of_stockholms_kommuner(real):
    frame = gp.read_vector(real / "stockholm/deso2018_stockholm_county.gpkg")
    deso = gp.as_areas(frame, id_column="deso", level="deso", crs="EPSG:3006")[0]
    people = frame.set_index("deso")["pop_2023"]
    found = gp.extent(deso, parents=pd.Series(deso.index.str[:4], index=deso.index), population=people)
    merged = deso.assign(kommun=deso.index.str[:4]).dissolve("kommun")
    assert len(found) == 26
    np.testing.assert_allclose(found["area_m2"], merged.area)
    np.testing.assert_allclose(found["hull_km2"], merged.convex_hull.area / 1e6)
    assert found["residents"].sum() == people.sum()
    # Norrtälje is the widest of the county, and Sundbyberg the narrowest.
    assert found["standard_distance_m"].idxmax() == "0188"
    assert found["standard_distance_m"].idxmin() == "0183"
