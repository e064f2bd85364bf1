"""The main job on real figures: SCB's DeSO 2022, Stockholm county and Sweden.

Expected figures are made here from the files by plain pandas, not by geoplan.
"""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import IdError

pytestmark = pytest.mark.real

AREAS, IN_CITY, STADSDELAR, REGSO = 1287, 544, 117, 3363
AGREEMENT = 0.80  # Spearman against SCB's area types; measured 0.896, of at most 0.914 with five classes


@pytest.fixture(scope="module")
def runs(project):
    names = ("deso_stockholm", "deso_county", "stadsdelar")
    return {name: gp.open_run(project / "scenarios" / f"{name}.toml") for name in names}


@pytest.fixture(scope="module")
def scb(real):
    """SCB's table as it is, DeSO × columns."""
    return pd.read_csv(real / "sweden/scb_deso2018_indicators_2022.csv", dtype={"deso": str}).set_index("deso")


@pytest.fixture(scope="module")
def nesting(real):
    return pd.read_csv(real / "sweden/deso2018_regso2020.csv", dtype=str, encoding="utf-8-sig")


@pytest.fixture(scope="module")
def deso(runs):
    """SCB's table as geoplan reads it, all of Sweden."""
    layer = runs["deso_county"].catalogue.layer("scb_2022")
    return gp.as_indicators(gp.read_table(layer.verified()), layer.spec)


@pytest.fixture(scope="module")
def membership(runs):
    return runs["deso_county"].membership()


def test_every_deso_of_the_county_is_there(runs):
    for name in ("deso_stockholm", "deso_county"):
        index = runs[name].index()
        assert len(runs[name].areas()) == len(index.ranking) == AREAS
        assert runs[name].join_report().without_data == ()
        # The two without a rank are student areas with almost no families.
        assert list(index.excluded.index) == ["0180C5900", "0184C1400"]
        assert set(index.excluded["reason"]) == {"domain_not_known"}


def test_the_city_is_the_reference_or_the_county_is(runs, scb):
    city, county = runs["deso_stockholm"].index(), runs["deso_county"].index()
    assert city.certificate.reference_areas == IN_CITY
    assert county.certificate.reference_areas == AREAS
    own = scb[scb.index.str.startswith("0180")]
    assert city.reference.loc["employment", "value"] == pytest.approx(
        100 * own["employed"].sum() / own["pop_16_64"].sum(), rel=1e-12
    )
    everyone = scb.loc[runs["deso_county"].areas().index]
    assert county.reference.loc["employment", "value"] == pytest.approx(
        100 * everyone["employed"].sum() / everyone["pop_16_64"].sum(), rel=1e-12
    )


def test_scores_are_those_of_the_formula_done_by_pandas(runs, scb):
    own = scb.loc[runs["deso_stockholm"].areas().index]
    city = own[own.index.str.startswith("0180")]

    def rate(part, whole, better=False):
        p, c = own[part] / own[whole].sum(axis=1), city[part].sum() / city[whole].sum().sum()
        return 100 * (1 - p) / (1 - c) if better else 100 * p / c

    def mean(value, base):
        return own[value], (city[value] * city[base]).sum() / city[base].sum()

    low, low_city = mean("low_econ_std_pct", "econ_n")
    income, income_city = mean("net_income_mean_tkr", "net_income_n")
    school = ["edu_pre", "edu_upper", "edu_post_lt3", "edu_post_ge3"]
    livelihood = (
        rate("employed", ["pop_16_64"], better=True)
        + rate("unemployed", ["labour_force"])
        + 100 * low / low_city
        + 100 * income_city / income
    ) / 4
    education = (rate("edu_pre", school) + rate("edu_post_ge3", school, better=True)) / 2
    households = rate("hh_single_kids", ["hh_couple_kids", "hh_single_kids"])
    expected = (2 * livelihood + 2 * education + households) / 5

    score = runs["deso_stockholm"].index().score.dropna()
    np.testing.assert_allclose(score, expected[score.index], rtol=1e-12)


def test_the_city_as_one_area_scores_100_on_everything(runs, deso):
    index = runs["deso_stockholm"].index()
    members = [code for code in index.ranking.index if code.startswith("0180")]
    assert len(members) == IN_CITY
    city = gp.roll_up(deso, pd.Series("0180", index=pd.Index(members, name="area_id"), dtype=object))
    alone = gp.risk_index(city, index.spec, period="2022")
    np.testing.assert_allclose(alone.relative.loc["0180"], 100)
    np.testing.assert_allclose(alone.domains.loc["0180"], 100)
    assert alone.score["0180"] == pytest.approx(100)
    # and the city's values are those that the DeSO were measured by
    np.testing.assert_allclose(alone.reference["value"], index.reference["value"])


def test_rates_of_kommuner_climb_over_regso_and_equal_plain_sums(deso, membership, nesting, scb):
    kommuner = sorted(set(nesting["Kommun"]))
    parents = gp.places.parents_at(membership, sorted(set(nesting["DeSO_2018"])), kommuner)
    merged = gp.roll_up(deso, parents).wide("2022")
    assert len(merged) == 290

    plain = scb.join(nesting.set_index("DeSO_2018")["Kommun"])
    sums = plain.groupby("Kommun").sum(numeric_only=True)
    pairs = {
        "population": sums["pop_2023"],
        "employment": 100 * sums["employed"] / sums["pop_16_64"],
        "unemployment": 100 * sums["unemployed"] / sums["labour_force"],
        "single_parent_households": 100 * sums["hh_single_kids"] / (sums["hh_couple_kids"] + sums["hh_single_kids"]),
    }
    weighted = (plain["low_econ_std_pct"] * plain["econ_n"]).groupby(plain["Kommun"]).sum()
    pairs["low_economic_standard"] = weighted / sums["econ_n"]
    for name, expected in pairs.items():
        np.testing.assert_allclose(merged[name], expected.loc[merged.index], rtol=1e-12, err_msg=name)


def test_leading_zeros_survive(membership):
    assert "0180" in set(membership["parent_id"])
    assert membership["parent_id"].str.len().min() == 4


def with_file(project, tmp_path, layer, table):
    """Copy the project and give a layer another file."""
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    table.to_csv(tmp_path / "changed.csv", index=False)
    toml = copy / "layers" / f"{layer}.toml"
    text = re.sub(r"(?m)^sha256 = .*$", "", toml.read_text(encoding="utf-8"))
    text = re.sub(r"(?m)^path = .*$", 'path = "../../changed.csv"', text)
    toml.write_text(text, encoding="utf-8")
    return gp.open_run(copy / "scenarios/deso_stockholm.toml")


def test_deso_codes_that_lost_their_zero_are_found(real, project, tmp_path):
    table = pd.read_csv(real / "sweden/scb_deso2018_indicators_2022.csv", dtype=str)
    table["deso"] = table["deso"].str.removeprefix("0")
    run = with_file(project, tmp_path, "scb_2022", table)
    with pytest.raises(
        IdError, match=r"shorter than 9 characters: '114A0010'.*leading zeros are probably lost"
    ) as found:
        run.index()
    assert "changed.csv" in str(found.value)
    assert "column 'deso'" in str(found.value)


def test_kommun_codes_read_as_numbers_are_refused(real, project, tmp_path):
    table = pd.read_csv(real / "sweden/deso2018_regso2020.csv", encoding="utf-8-sig")  # 0180 becomes 180
    run = with_file(project, tmp_path, "regso_kommun", table)
    with pytest.raises(IdError, match=r"column 'Kommun': .*shorter than 4 characters: '114'"):
        run.index()


def test_check_reports_the_overlaps_and_no_faults(project):
    report = gp.check_project(project)
    assert report.faults == []
    notes = dict(report.notes)
    assert "overlap by 8.60 km² of 11,556 km²" in notes["layers/deso.toml"]


def test_stadsdelar_get_their_figures_by_overlap_and_say_so(runs, scb):
    run = runs["stadsdelar"]
    ranking = run.index().ranking
    assert len(ranking) == STADSDELAR
    assert ranking["rank"].notna().sum() == 111
    assert set(ranking.loc[ranking["rank"].notna(), "status"]) == {"estimated"}
    assert set(run.index().excluded["reason"]) == {"population_not_known"}
    # nobody of the municipality is lost and nobody of its neighbours is counted
    placed = run.membership()
    assert placed["child_id"].is_unique
    assert len(placed) == IN_CITY
    assert ranking["population"].sum() == scb[scb.index.str.startswith("0180")]["pop_2023"].sum()
    assert list(ranking.index[:3]) == ["RINKEBY", "TENSTA", "HUSBY"]


def test_sweden_agrees_with_the_published_area_types(real, runs, deso, nesting):
    membership = gp.places.as_membership(nesting, child_column="DeSO_2018", parent_column="RegSOkod_2020")
    parents = gp.places.parents_at(membership, sorted(set(nesting["DeSO_2018"])), sorted(set(nesting["RegSOkod_2020"])))
    score = gp.risk_index(gp.roll_up(deso, parents), runs["deso_county"].spec.index, period="2022").score
    assert len(score) == REGSO

    published = pd.read_csv(real / "sweden/regso_socioekonomisk_index_2022.csv", names=["key", "type"], header=0)
    published = published.dropna().set_index("key")["type"]
    keys = nesting.drop_duplicates("RegSOkod_2020").set_index("RegSOkod_2020")
    types = (keys["Kommunnamn"] + " (" + keys["RegSO_2020"] + ")").map(published)
    assert types.notna().all()

    both = pd.DataFrame({"score": score, "type": types}).dropna()
    assert both["score"].corr(-both["type"], method="spearman") > AGREEMENT
    quintile = pd.qcut(both["score"].rank(method="first", ascending=False), 5, labels=[1, 2, 3, 4, 5]).astype(int)
    assert (quintile[both["type"] == 1] == 1).mean() > 0.95
    assert not (quintile[both["type"] == 5] <= 3).any()


def test_a_run_on_real_data_writes_its_folder(runs, tmp_path):
    folder = gp.write_run(runs["stadsdelar"], tmp_path / "stadsdelar")
    stems = {f"map.{ending}" for ending in ("png", "svg", "pdf", "html")}
    expected = stems | {"ranking.xlsx", "ranking.csv", "areas.gpkg", "index.parquet", "manifest.json"}
    assert {path.name for path in folder.iterdir()} == expected
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {item["id"] for item in manifest["inputs"]} == {"stadsdelar", "water", "scb_2022", "deso"}
    assert len(gp.read_vector(folder / "areas.gpkg", "areas")) == STADSDELAR
    assert gp.explain_run(folder, "rinkeby").area["rank"] == 1
