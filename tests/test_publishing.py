import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import DisclosureError, SpecError
from geoplan.places import attack
from geoplan.run.publishing import levels_of, must_be_public

KEYS = ["area_id", "indicator"]


@pytest.fixture(scope="module")
def published():
    """The two rankings of the sample as they would be published."""
    return {name: gp.open_run(f"scenarios/{name}.toml", profile="public") for name in ("baseline", "basomraden")}


@pytest.fixture(scope="module")
def folder(published, tmp_path_factory):
    return gp.write_run(published["baseline"], tmp_path_factory.mktemp("public") / "run")


def hidden_cells(run):
    """What the run hides on its ranked level: (area, indicator) with the truth."""
    truth = gp.open_run(run.path).indicators().data.query("period == '2012'").set_index(KEYS)
    shown = run.indicators().data.set_index(KEYS)
    gone = shown.index[shown["value"].isna() & truth["value"].reindex(shown.index).notna()]
    return truth.loc[gone]


@pytest.fixture
def open_to_all(project):
    """The four squares, with few people in one and rules for the public."""
    project.edit(project.figures, "0101,poor,2012,100,1000,,", "0101,poor,2012,3,1000,,")
    project.edit(project.scenario, "[output]", "[disclosure]\n\n[output]")
    return project


# ---------------------------------------------------------------- what leaves the run


def test_a_public_run_hides_what_its_internal_one_shows(published):
    hidden = hidden_cells(published["baseline"])
    assert len(hidden) > 100
    rows = published["baseline"].indicators().data
    assert set(rows["period"]) == {"2012"}
    assert (rows["status"][rows["value"].isna()] != "observed").all()


def test_no_hidden_figure_is_in_any_output(published, folder):
    hidden = hidden_cells(published["baseline"])
    written = pd.read_parquet(folder / "index.parquet")
    own = written[written["component"] == "indicator"].rename(columns={"id": "indicator"}).set_index(KEYS)
    own = own.loc[own.index.intersection(hidden.index)]
    assert len(own) > 100
    assert own[["value", "numerator", "relative", "contribution", "above_city"]].isna().all(axis=None)
    assert (own["status"] == "suppressed").all()

    book = openpyxl.load_workbook(folder / "ranking.xlsx", read_only=True)
    rows = list(book["Indikatorer"].iter_rows(values_only=True))
    heads = {name: place for place, name in enumerate(rows[0])}
    labels = {item.label.to("sv"): name for name, item in published["baseline"].indicators().definitions.items()}
    seen = {(row[0], labels[row[heads["Indikator"]]]): row[heads["Värde"]] for row in rows[1:]}
    assert all(seen[key] is None for key in hidden.index.intersection(list(seen)))

    areas = gpd.read_file(folder / "areas.gpkg", layer="areas")
    assert not {"numerator", "denominator"} & set(areas.columns)


def test_what_stands_behind_a_figure_tells_only_of_areas_that_are_shown(published):
    run = published["baseline"]
    shown = run.indicators().data.set_index(KEYS)
    small = run.protection().tables["basomrade"].data
    parents = levels_of(run, gp.open_run(run.path).indicators())["stadsdel"].set_index("child_id")["parent_id"]
    open_values = small.assign(parent=small["area_id"].map(parents)).groupby(["parent", "indicator"])["value"]
    lowest, highest = open_values.min(), open_values.max()
    told = shown[shown["minimum"].notna()]
    assert len(told) > 300
    assert np.allclose(told["minimum"], lowest.reindex(told.index))
    assert np.allclose(told["maximum"], highest.reindex(told.index))


def test_the_smallest_areas_figures_do_not_leave_the_run(published):
    parts = published["baseline"].indicators().parts
    assert parts[["numerator", "denominator", "value"]].isna().all(axis=None)


def test_the_whole_still_counts_what_is_hidden(published):
    inside = gp.open_run("scenarios/baseline.toml").index().reference["value"]
    assert np.allclose(published["baseline"].index().reference["value"], inside, equal_nan=True)


def test_the_manifest_says_to_whom_and_by_which_rules(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["profile"] == "public"
    assert manifest["disclosure"]["rules"]["minimum_base"] == 30
    assert manifest["disclosure"]["attack"]["worked_out"] == 0
    assert manifest["disclosure"]["figures"]["secondary"] > 0


def test_two_runs_of_the_same_figures_hide_the_same_and_do_not_give_each_other_away(published):
    first, second = (run.protection() for run in published.values())
    for level in ("basomrade", "stadsdel", "stadsdelsnamnd", "kommun"):
        pd.testing.assert_frame_equal(first.tables[level].data, second.tables[level].data)
    # The stadsdelar as one run shows them beside the basområden as the other does:
    together = {
        "stadsdel": published["baseline"].indicators(),
        "basomrade": published["basomraden"].indicators(),
    }
    inside = gp.open_run("scenarios/baseline.toml")
    levels = {name: levels_of(inside, inside.indicators())[name] for name in together}
    found = attack(inside.indicators(), together, levels=levels, minimum_coverage=0.6)
    assert found.hidden > 1000
    assert found.recovered.empty


# ---------------------------------------------------------------- rules that must be there and hold


def test_a_public_run_without_rules_is_refused(project):
    project.edit(project.scenario, 'language = "en"', 'language = "en"\nprofile = "public"')
    with pytest.raises(SpecError) as caught:
        gp.open_run(project / project.scenario).indicators()
    assert str(caught.value) == (
        f"{project.scenario}, key 'disclosure': the profile is \"public\", and the scenario does not say what may be "
        "shown. Expected: a table [disclosure] with minimum_cell, minimum_base, rounding …. "
        "Hint: an empty [disclosure] takes the usual rules: counts of 1-4 are hidden"
    )


def test_a_level_of_the_rules_that_is_not_there_is_refused(open_to_all):
    open_to_all.edit(open_to_all.scenario, "[disclosure]", '[disclosure]\nlevels = ["quarter"]')
    with pytest.raises(SpecError) as caught:
        gp.open_run(open_to_all / open_to_all.scenario, profile="public").indicators()
    assert "key 'disclosure.levels': no level of the scenario is called 'quarter'. Expected: some of stadsdel." in str(
        caught.value
    )


def test_a_run_that_gives_figures_away_writes_nothing(open_to_all, geoplan):
    open_to_all.edit(open_to_all.scenario, "[disclosure]", "[disclosure]\nsecondary = false")
    ended = geoplan("run", open_to_all.scenario, "--profile", "public", cwd=open_to_all.root)
    assert ended.code == 2
    assert "geoplan cannot go on: the attack check tried 1 hidden figure in 1 table and could work out 1" in ended.err
    assert "Traceback" not in ended.out + ended.err
    assert not (open_to_all / "build").exists() or not list((open_to_all / "build").iterdir())


def test_a_public_run_from_the_command_line(open_to_all, geoplan):
    ended = geoplan("run", open_to_all.scenario, "--profile", "public", cwd=open_to_all.root)
    assert ended.code == 0
    assert "Note: 2 figures are hidden: 1 for a count of 1-4, 1 so that sums do not give others away." in ended.out
    assert "could work out none of them" in ended.out


def test_an_unprotected_table_is_refused(open_to_all):
    run = gp.open_run(open_to_all / open_to_all.scenario, profile="public")
    inside = gp.open_run(open_to_all / open_to_all.scenario).indicators()
    with pytest.raises(DisclosureError) as caught:
        must_be_public(run.spec, inside, run.index(), run.protection())
    assert str(caught.value) == (
        "the figures have not been through disclosure control, and the profile is public. Nothing was written"
    )


def test_a_score_that_stands_on_a_hidden_figure_is_refused(open_to_all):
    run = gp.open_run(open_to_all / open_to_all.scenario, profile="public")
    inside = gp.open_run(open_to_all / open_to_all.scenario).index()
    with pytest.raises(DisclosureError) as caught:
        must_be_public(run.spec, run.indicators(), inside, run.protection())
    assert str(caught.value) == (
        "the score of area '0101' stands on 'poor', which is hidden: the rest of the score would give it away. "
        "Nothing was written"
    )


def test_a_figure_filled_in_where_one_is_hidden_is_refused_with_the_way_out(open_to_all, geoplan):
    treated = '[index]\ntreatment = { impute = "group_mean" }\nminimum_available = 0.1\n'
    domains = '[[index.domains]]\nid = "both"\nlabel = "Both"\nindicators = ["poor", "crime"]\n\n[disclosure]'
    text = (open_to_all / open_to_all.scenario).read_text(encoding="utf-8")
    head, tail = text.split("[index]")[0], text.split("[disclosure]")[1]
    (open_to_all / open_to_all.scenario).write_text(head + treated + domains + tail, encoding="utf-8")
    ended = geoplan("run", open_to_all.scenario, "--profile", "public", cwd=open_to_all.root)
    assert ended.code == 2
    assert ended.err.strip() == (
        "geoplan cannot go on: a figure was filled in for 'poor' of area '0101' where one is hidden, and it would "
        'stand in its place. Nothing was written. Hint: treatment = { impute = "none" } under [index]'
    )
    assert not (open_to_all / "build" / "four").exists()


@pytest.mark.parametrize("addition", ['method = "z_score"\ndynamics = { years = 2 }', "base = 2010"])
def test_a_public_index_that_needs_two_years_protects_and_keeps_both(addition, open_to_all):
    figures = open_to_all / open_to_all.figures
    text = figures.read_text(encoding="utf-8")
    earlier = [line.replace(",2012,", ",2010,") for line in text.splitlines()[1:]]
    figures.write_text(text + "\n".join(earlier) + "\n", encoding="utf-8")
    open_to_all.edit(open_to_all.figures, "0102,poor,2010,300,2000,,", "0102,poor,2010,2,2000,,")
    open_to_all.edit(open_to_all.scenario, "[index]", f"[index]\n{addition}")
    run = gp.open_run(open_to_all / open_to_all.scenario, profile="public")
    rows = run.indicators().data.set_index(["area_id", "indicator", "period"])
    assert set(rows.index.get_level_values("period")) == {"2010", "2012"}
    assert rows.loc[[("0101", "poor", "2012"), ("0102", "poor", "2010")], "status"].tolist() == ["suppressed"] * 2
    # 0102 is hidden in 2012 too, or the town's sum would give 0101 away.
    ranking = run.index().ranking
    assert set(ranking.index[ranking["rank"].notna()]) == {"0103", "0104"}
    must_be_public(run.spec, run.indicators(), run.index(), run.protection())


def test_a_whole_that_is_hidden_is_refused(open_to_all):
    for area, count in (("0102", "300"), ("0103", "600"), ("0104", "1000")):
        base = {"0102": 2000, "0103": 3000, "0104": 4000}[area]
        open_to_all.edit(open_to_all.figures, f"{area},poor,2012,{count},{base},,", f"{area},poor,2012,0,{base},,")
    run = gp.open_run(open_to_all / open_to_all.scenario, profile="public")
    with pytest.raises(DisclosureError) as caught:
        gp.write_run(run, open_to_all / "build" / "run")
    assert str(caught.value) == (
        "the value of the whole for 'poor' is hidden, and every score is relative to it. Nothing was written. "
        "Hint: leave the indicator out of the index"
    )
    assert not (open_to_all / "build" / "run").exists()


def test_where_sources_disagree_is_not_told_to_the_public(open_to_all):
    run = gp.open_run(open_to_all / open_to_all.scenario, profile="public")
    both = run.combination()
    rows = pd.DataFrame(
        {
            "area_id": ["0101"], "indicator": ["poor"], "period": ["2012"], "kept": [0.3], "kept_source": ["a"],
            "other": [0.4], "other_source": ["b"], "difference": [0.1],
        }
    )  # fmt: skip
    told = replace(both, disagreements=rows)
    assert told.lines(figures=False) == ["sources disagree in 1 figure, and the one named first counts"]
    assert "0.3 (a), not 0.4 (b)" in told.lines()[0]
