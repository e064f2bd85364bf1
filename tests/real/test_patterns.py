"""Neighbours, patterns and segregation on real areas: Stockholm county's DeSO and Helsinki's postal areas."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from esda.moran import Moran
from libpysal.graph import Graph

import geoplan as gp
from geoplan.errors import TableError
from geoplan.risk import global_pattern, local_pattern, neighbours, segregation

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def deso(project):
    return gp.open_run(project / "scenarios/deso_county.toml")


@pytest.fixture(scope="module")
def county(deso):
    """The neighbours of the county's DeSO."""
    return neighbours(deso.areas())


@pytest.fixture(scope="module")
def low_standard(deso):
    return deso.indicators().wide("2022")["low_economic_standard"].reindex(deso.areas().index)


@pytest.fixture(scope="module")
def helsinki(real):
    areas = gpd.read_file(real / "helsinki/boundaries_postal_2023.gpkg").set_index("area_id")
    return areas.assign(low=areas["low_income"] / areas["adults_18plus"])


def test_areas_drawn_over_each_other_find_their_neighbours(deso, county):
    # The polygons are simplified one by one, so that no border is drawn alike from both sides.
    assert len(county.graph.unique_ids) == 1287
    assert county.islands == ()
    assert county.graph.asymmetry().empty
    assert 5.5 < len(county.pairs) / 1287 < 6.0  # what areas in a plane have; 6 is the most on average without corners
    assert county.lines() == [
        "1,287 areas have 5.8 neighbours on average (they touch within 5 m)",
    ]
    strict = Graph.build_contiguity(deso.areas(), rook=False)
    assert strict.n_edges < 0.8 * len(county.pairs)


def test_helsinki_has_islands(helsinki):
    found = neighbours(helsinki)
    names = helsinki.loc[list(found.islands), "name"].tolist()
    assert names == [
        "Katajanokka", "Suomenlinna", "Kuusisaari - Lehtisaari", "Kulosaari", "Tammisalo", "Santahamina"
    ]  # fmt: skip
    joined = found.pairs[(found.pairs["how"] == "island") & found.pairs["area_id"].isin(found.islands)]
    to = helsinki["name"].reindex(joined["neighbour_id"]).tolist()
    assert to == [
        "Kaivopuisto - Ullanlinna",
        "Santahamina",
        "Munkkiniemi",
        "Kalasatama - Sompasaari",
        "Roihuvuori",
        "Suomenlinna",
    ]


def test_streets_are_bridges_to_helsinkis_islands(real, helsinki):
    streets = gpd.read_file(real / "helsinki/streets_metropaccess.gpkg")
    found = neighbours(helsinki, bridges=streets.to_crs(4326))
    over = found.pairs[(found.pairs["how"] == "bridge") & (found.pairs["area_id"] < found.pairs["neighbour_id"])]
    pairs = set(zip(helsinki["name"][over["area_id"]], helsinki["name"][over["neighbour_id"]], strict=True))
    assert pairs == {("Katajanokka", "Kruununhaka"), ("Kamppi - Ruoholahti", "Pohjois-Lauttasaari")}
    # The streets end at the inner city; Suomenlinna, which only a ferry reaches, stays an island.
    ferry = [("00190", "00170")]
    assert "00190" in found.islands
    assert "00190" not in neighbours(helsinki, bridges=ferry).islands


def test_low_economic_standard_lies_together(county, low_standard):
    found = global_pattern(low_standard, county)
    moran = found.measures.loc["moran"]
    assert moran["statistic"] == pytest.approx(0.527, abs=0.001)
    assert moran["z"] > 25
    assert moran["p"] == 2 / 1000
    assert found.measures.loc["geary", "statistic"] < 0.5
    known = low_standard.dropna()
    assert moran["statistic"] == pytest.approx(
        Moran(known, county.graph.subgraph(known.index.to_list()), permutations=0).I
    )


@pytest.fixture(scope="module")
def regso(real, deso):
    """The RegSO each DeSO lies in, and the area type SCB published for it (1 = greatest challenges … 5)."""
    keys = pd.read_csv(real / "sweden/deso2018_regso2020.csv", dtype=str, encoding="utf-8-sig").set_index("DeSO_2018")
    types = pd.read_csv(real / "sweden/regso_socioekonomisk_index_2022.csv", names=["key", "type"], header=0).dropna()
    names = (keys["Kommunnamn"] + " (" + keys["RegSO_2020"] + ")").reindex(deso.areas().index)
    return pd.DataFrame({"name": keys["RegSO_2020"], "type": names.map(types.set_index("key")["type"])}).reindex(
        names.index
    )


@pytest.mark.parametrize("method", ["moran", "gi_star"])
def test_clusters_of_low_standard_are_where_scb_has_its_types(county, low_standard, regso, method):
    found = local_pattern(low_standard, county, method=method)
    high = found.index[found["class"].isin(["high among high", "hot"])]
    low = found.index[found["class"].isin(["low among low", "cold"])]
    assert 35 <= len(high) <= 50
    assert 35 <= len(low) <= 50
    assert regso.loc[high, "name"].value_counts()[["Rinkeby", "Tensta", "Husby"]].tolist() == [8, 8, 3]
    assert (regso.loc[high, "type"] <= 2).mean() >= (0.9 if method == "moran" else 0.8)
    assert (regso.loc[low, "type"] >= 4).mean() >= 0.9
    clear = 0.5 * low_standard.std(ddof=0)
    if method == "moran":
        assert low_standard[high].min() >= low_standard.mean() + clear
        assert low_standard[low].max() <= low_standard.mean() - clear
    pd.testing.assert_frame_equal(found, local_pattern(low_standard[::-1], county, method=method))


def test_gaps_have_no_class(county, low_standard):
    gappy = low_standard.mask(np.random.default_rng(1).random(len(low_standard)) < 0.2)
    found = local_pattern(gappy, county, permutations=999)
    assert set(found.loc[gappy.isna(), "class"]) == {"no class"}
    assert set(found.loc[gappy.isna(), "reason"]) == {"value_missing"}
    alone = found.index[gappy.notna() & (found["class"] == "no class")]
    assert set(found.loc[alone, "reason"]) == {"no_neighbour"}
    around = county.pairs[county.pairs["area_id"].isin(alone)]["neighbour_id"]
    assert gappy[around].isna().all()


def test_helsinkis_low_incomes_lie_together(helsinki):
    found = global_pattern(helsinki["low"], neighbours(helsinki))
    assert found.measures.loc["moran", "statistic"] > 0.3
    assert found.measures.loc["moran", "p"] < 0.01


def test_segregation_shrinks_with_the_size_of_areas(deso, county, real):
    keys = pd.read_csv(real / "sweden/deso2018_regso2020.csv", dtype=str, encoding="utf-8-sig").set_index("DeSO_2018")
    ids = deso.areas().index
    parents = {"regso": keys["RegSOkod_2020"].reindex(ids), "kommun": keys["Kommun"].reindex(ids)}
    table = deso.indicators()
    found = segregation(table, "unemployment", parents=parents, neighbours=county).set_index("level")
    d = found["dissimilarity"]
    assert d["areas"] > d["regso"] > d["kommun"] > 0
    counts = table.wide("2022", "numerator")["unemployment"], table.wide("2022", "denominator")["unemployment"]
    x, y = counts[0].dropna(), (counts[1] - counts[0]).dropna()
    assert d["areas"] == pytest.approx((x / x.sum() - y / y.sum()).abs().sum() / 2, rel=1e-9)
    corrected = found["dissimilarity_corrected"]
    assert d["areas"] - corrected["areas"] > 0.003 > d["kommun"] - corrected["kommun"]
    assert found.loc["areas", "spatial_dissimilarity"] < d["areas"]
    with pytest.raises(TableError, match="figures of 'low_economic_standard' have no counts"):
        segregation(table, "low_economic_standard")
