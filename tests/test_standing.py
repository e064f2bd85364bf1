"""Strengths, weaknesses and neighbours in what a run writes: the same everywhere, typed where nothing is compared."""

import json
import re

import numpy as np
import openpyxl
import pandas as pd
import pytest

import geoplan as gp
from geoplan.places import totals
from geoplan.run.standing import named_sides, shown_sides, standing_sheet
from geoplan.show import texts

SHEETS = {"sv": "Styrkor och svagheter", "da": "Styrker og svagheder", "en": "Strengths and weaknesses"}


def rows_of(folder, sheet):
    head, *rows = openpyxl.load_workbook(folder / "ranking.xlsx")[sheet].iter_rows(values_only=True)
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


@pytest.fixture
def opened(project):
    """Open the project of four squares as it stands by now."""
    return lambda: gp.open_run(project / project.scenario)


@pytest.fixture(scope="module")
def published():
    return gp.open_run("scenarios/baseline.toml", profile="public")


@pytest.fixture(scope="module")
def public_folder(published, tmp_path_factory):
    return gp.write_run(published, tmp_path_factory.mktemp("public") / "run")


# ---------------------------------------------------------------- the same everywhere


def test_only_what_is_clear_is_named_by_the_rule_of_strengths(sample_run):
    areas, labels = sample_run.areas(), gp.sheets(sample_run.indicators().definitions, "sv")["label"]
    profile = gp.profile(
        sample_run.indicators(),
        period="2012",
        area_ids=areas.index,
        indicators=sample_run.spec.index.indicators,
        level=0.99,
    )
    found = named_sides(sample_run)
    clear = profile[profile["clear"].fillna(value=False)]
    for area in found.index[found["reason"] == ""]:
        own = [part["indicator"].map(labels).tolist() for part in gp.risk.strengths(clear, area)]
        told = [[] if text == "inga tydliga" else text.split("; ") for text in found.loc[area].iloc[:2]]
        assert told == own


def test_workbook_analysis_table_and_explanation_name_the_same(sample_run, sample_folder, geoplan, tmp_path):
    rows, sides = rows_of(sample_folder, SHEETS["sv"]), named_sides(sample_run)
    assert list(rows) == list(sample_run.index().ranking.index)
    for area, row in rows.items():
        assert (row["Styrkor"] or "", row["Svagheter"] or "") == tuple(sides.loc[area].iloc[:2])
    both = sides[(sides.iloc[:, :2] != "inga tydliga").all(axis=1) & (sides["reason"] == "")].index[0]
    found = gp.explain_run(sample_folder, both)
    assert "; ".join(found.strengths) == rows[both]["Styrkor"]
    assert "; ".join(found.weaknesses) == rows[both]["Svagheter"]
    said = geoplan("explain", sample_folder, both, cwd=tmp_path).out
    assert f"Strengths: {rows[both]['Styrkor']}." in " ".join(said.split())
    assert f"Weaknesses: {rows[both]['Svagheter']}." in " ".join(said.split())
    told = json.loads(geoplan("explain", sample_folder, "Granhöjden", "--json", cwd=tmp_path).out)
    assert (told["strengths"], len(told["weaknesses"])) == ([], 3)
    assert "Strengths: none clear." in geoplan("explain", sample_folder, "Granhöjden", cwd=tmp_path).out


def test_scores_stand_beside_those_of_neighbours_and_the_rest(sample_run, sample_folder):
    rows = rows_of(sample_folder, SHEETS["sv"])
    scores = gp.risk.contrast_scores(
        sample_run.index().score, gp.neighbours(sample_run.areas()), sample_run.index().ranking["population"]
    )
    for area, row in rows.items():
        for column, name in (("difference", "grannarna"), ("difference_rest", "övriga staden")):
            found, clear = row[f"Skillnad mot {name}"], row[f"Tydlig skillnad mot {name}"]
            assert found == pytest.approx(scores.loc[area, column]) if found is not None else not clear
            assert clear in {None, "", "ja", "nej"}
    assert rows["0099S18"]["Tydlig skillnad mot grannarna"] == "ja"
    assert rows["0099S02"]["Tydlig skillnad mot grannarna"] == "nej"  # half a point


def test_what_is_not_compared_says_why(sample_run, sample_folder):
    rows = rows_of(sample_folder, SHEETS["sv"])
    small = rows["0099S23"]
    assert (small["Styrkor"] or "", small["Varför inte jämfört"]) == ("", "färre än 200 invånare")
    assert shown_sides(sample_run).loc["0099S23"].tolist() == ["färre än 200 invånare"] * 2
    assert rows["0099S17"]["Varför inte jämfört"] == "för få kända uppgifter om Hälsa"
    assert rows["0099S17"]["Styrkor"]  # its figures are known, its score is not
    assert gp.explain_run(sample_folder, "0099S23").strengths is None


def test_an_older_run_is_explained_without_sides(sample_folder, geoplan, tmp_path):
    for name in ("manifest.json", "index.parquet"):
        (tmp_path / name).write_bytes((sample_folder / name).read_bytes())
    table = pd.read_parquet(tmp_path / "index.parquet")
    table[[name for name in table if not name.startswith("profile_")]].to_parquet(tmp_path / "index.parquet")
    said = geoplan("explain", tmp_path, "Granhöjden", cwd=tmp_path).out
    assert "rank 1 of 29" in said
    assert "Strengths" not in said
    assert json.loads(geoplan("explain", tmp_path, "Granhöjden", "--json", cwd=tmp_path).out)["strengths"] is None


@pytest.mark.parametrize("language", SHEETS)
def test_every_language_has_the_words(project, opened, language):
    project.edit(project.scenario, 'language = "en"', f'language = "{language}"')
    sheet, words = standing_sheet(opened()), texts(language)
    assert sheet.name == SHEETS[language]
    assert set(sheet.table) <= {*sheet.headings}
    assert set(words.contrasts) == set(texts("en").contrasts)


# ---------------------------------------------------------------- to the public


def test_a_hidden_figure_is_not_named_to_the_public(published, public_folder, sample_run):
    inside = sample_run.standing().profile.set_index(["area_id", "indicator"])
    outside = published.standing().profile.set_index(["area_id", "indicator"])
    shown = published.indicators().data.set_index(["area_id", "indicator"])["value"].reindex(outside.index)
    assert (outside["kind"][shown.isna()] == "not comparable").all()
    assert outside["clear"][shown.isna()].isna().all()
    # Some of those that are hidden are named inside; each place goes to the next one that may be shown.
    hidden = inside.index[inside["named"].notna()].intersection(shown.index[shown.isna()])
    assert len(hidden) > 5
    labels = {name: item.label.to("sv") for name, item in published.indicators().definitions.items()}
    rows = rows_of(public_folder, SHEETS["sv"])
    page = (public_folder / "map.html").read_text(encoding="utf-8")
    said = json.loads(re.search(r"\}\)\(map_\d+, geo_json_\d+, (\[\[.+\]\])\);", page)[1])
    popups = {line.split(": ")[0]: popup for _, line, popup in said}
    for area, name in hidden:
        told = f"{rows[area]['Styrkor']}; {rows[area]['Svagheter']}".split("; ")
        assert labels[name] not in told
        popup = popups[rows[area]["Namn"]]
        assert labels[name] not in popup
        found = gp.explain_run(public_folder, area)
        assert labels[name] not in {*(found.strengths or ()), *(found.weaknesses or ())}
    stored = pd.read_parquet(public_folder / "index.parquet").query("component == 'indicator'")
    stored = stored.set_index(["area_id", "id"]).loc[shown.index[shown.isna()]]
    assert stored[["profile_clear", "profile_named"]].isna().all(axis=None)


def test_the_public_is_told_the_same_of_figures_that_are_shown(published, sample_run):
    inside = sample_run.standing().profile.set_index(["area_id", "indicator"])["kind"]
    outside = published.standing().profile.set_index(["area_id", "indicator"])["kind"]
    told = outside[outside != "not comparable"]
    assert len(told) > 600
    assert (told == inside.reindex(told.index)).all()


# ---------------------------------------------------------------- whatever the scenario


def test_without_draws_nothing_says_whether_a_difference_is_clear(opened):
    table = standing_sheet(opened()).table
    assert set(table["clear"]) == set(table["clear_rest"]) == {"cannot be told"}
    assert set(table["why_uncompared"]) == {"the noise of the index was not drawn"}


def test_one_area_has_nobody_beside_it(project, opened):
    areas = gp.open_run(project / project.scenario).areas().iloc[:1]
    project.put_areas(areas.reset_index().rename(columns={"area_id": "code"})[["code", "name", "geometry"]])
    rows = [line for line in (project / project.figures).read_text().splitlines() if not line.startswith("01")]
    own = [line for line in (project / project.figures).read_text().splitlines() if line.startswith("0101")]
    (project / project.figures).write_text("\n".join([*rows, *own]) + "\n")
    table = standing_sheet(opened()).table
    assert table["why_uncompared"].tolist() == [
        "the noise of the figures is not known; no neighbours; no other areas to compare with"
    ]
    assert (table["clear"] == "").all()


def test_areas_that_are_all_alike_have_neither_strengths_nor_clear_differences(project, opened):
    lines = ["code,indicator,period,numerator,denominator,value,status"]
    for code in ("0101", "0102", "0103", "0104"):
        lines += [f"{code},population,2012,1000,,,", f"{code},poor,2012,100,1000,,", f"{code},crime,2012,50,1000,,"]
    (project / project.figures).write_text("\n".join(lines) + "\n")
    project.edit(project.scenario, "[output]", "[uncertainty]\ndraws = 100\n\n[output]")
    table = standing_sheet(opened()).table
    assert set(table["strengths"]) == set(table["weaknesses"]) == {"none clear"}
    assert set(table["clear"]) == set(table["clear_rest"]) == {"no"}
    assert table["difference"].abs().max() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", ["z_score", "percentile", "min_max"])
def test_other_methods_are_compared_on_their_own_scale(project, opened, method):
    project.edit(project.scenario, "[index]", f'[index]\nmethod = "{method}"')
    run = opened()
    scores, index = run.standing().scores, run.index().score
    rest = {code: np.average(index.drop(code), weights=run.population().drop(code)) for code in index.index}
    assert scores["rest_score"].to_dict() == pytest.approx(rest)
    assert set(run.standing().profile["kind"]) <= {"strength", "weakness", "as the city"}


def test_sides_are_of_the_year_itself_where_the_index_is_relative_to_another(project, opened):
    text = (project / project.figures).read_text()
    earlier = [line.replace(",2012,", ",2011,").replace(",100,1000", ",400,1000") for line in text.splitlines()[1:]]
    (project / project.figures).write_text("\n".join([text.strip(), *earlier]) + "\n")
    project.edit(project.scenario, "[index]", '[index]\nbase = "2011"')
    run = opened()
    city = totals(run.indicators()).xs("2012", level="period")["value"]
    found = run.standing().profile.drop_duplicates("indicator").set_index("indicator")["city"]
    assert found.to_dict() == pytest.approx(city[found.index].to_dict())
    assert run.index().reference.loc["poor", "value"] > city["poor"]


def test_a_direction_that_the_scenario_turns_turns_the_sides(project, opened):
    before = opened().standing().profile.set_index(["area_id", "indicator"])["kind"]
    project.edit(project.scenario, "[index]", '[index]\ndirections = { crime = "higher_is_better" }')
    after = opened().standing().profile.set_index(["area_id", "indicator"])["kind"]
    other = {"strength": "weakness", "weakness": "strength"}
    assert {"strength", "weakness"} <= set(before.xs("crime", level=1))
    assert (after.xs("crime", level=1) == before.xs("crime", level=1).map(lambda kind: other.get(kind, kind))).all()
    assert (after.xs("poor", level=1) == before.xs("poor", level=1)).all()
