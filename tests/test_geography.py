"""What a run says of its levels: ``geoplan areas``, overlapping plans, and what stands behind merged figures."""

from __future__ import annotations

import json

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import geoplan as gp
from geoplan import cli
from geoplan.cli import telling
from geoplan.cli.telling import _certainty

FJORDBO = "scenarios/fjordbo.toml"


@pytest.fixture(scope="module")
def fjordbo():
    return gp.open_run(FJORDBO)


@pytest.fixture
def plans(tmp_path):
    """Return Fjordbo with its three plans ranked, two of which cover the same estate."""
    home = gp.home()
    for name in ("layers", "maps", "data"):
        (tmp_path / name).symlink_to(home / name)
    (tmp_path / "scenarios").mkdir()
    text = (home / FJORDBO).read_text(encoding="utf-8").replace('level = "boligafdeling"', 'level = "helhedsplan"')
    (tmp_path / "scenarios/plans.toml").write_text(text, encoding="utf-8")
    return tmp_path / "scenarios/plans.toml"


def test_areas_prints_levels_nesting_and_extent(geoplan, tmp_path):
    ended = geoplan("areas", FJORDBO, cwd=tmp_path)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[:4] == [
        "level          areas   km²",
        "boligafdeling     14  0.82",
        "boligomrade        6  1.01",
        "helhedsplan        3  1.01",
    ]
    nests = lines.index("boligomrade in helhedsplan (part_of)")
    assert lines[nests + 1] == "  nests: no gaps, no overlaps, nothing outside its parent."
    shared = lines.index("boligafdeling in helhedsplan (covered_by)")
    assert lines[shared + 1] == (
        "  1 area lies wholly or partly outside its parent: 'FB-06' beyond 'FBH-2', 33,621 m², 412 people."
    )
    assert "Extent: governed_by, each made of its areas of level boligafdeling" in lines
    assert [line.split()[:5] for line in lines if line.startswith(("FBH", "FBA"))] == [
        ["FBH-1", "Helhedsplan", "Fjordvest", "6", "1,791"],
        ["FBH-2", "Helhedsplan", "Midt", "og", "Havn"],
        ["FBH-3", "Helhedsplan", "Sydkanten", "4", "1,438"],
        ["FBA-1", "6", "1,929", "4,145", "0.37"],  # nobody draws them, so they have no name
        ["FBA-2", "8", "2,354", "4,954", "0.45"],
    ]


def test_areas_as_json_is_what_python_gives(geoplan, tmp_path, fjordbo):
    ended = geoplan("areas", FJORDBO, "--level", "helhedsplan", "--json", cwd=tmp_path)
    told = json.loads(ended.out)
    assert [row["level"] for row in told["levels"]] == ["boligafdeling", "boligomrade", "helhedsplan"]
    assert [(tie["lower"], tie["upper"], tie["relation"]) for tie in told["nesting"]] == [
        ("boligafdeling", "boligomrade", "part_of"),
        ("boligafdeling", "helhedsplan", "covered_by"),
        ("boligomrade", "helhedsplan", "part_of"),
    ]
    assert list(told["extents"]) == ["helhedsplan"]
    expected = fjordbo.extent("helhedsplan").reset_index()
    pd.testing.assert_frame_equal(pd.DataFrame(told["extents"]["helhedsplan"]), expected, check_dtype=False)


def test_areas_of_a_level_that_is_not_there(geoplan, tmp_path):
    ended = geoplan("areas", FJORDBO, "--level", "helhedsplaner", cwd=tmp_path)
    assert ended.code == 2
    (fault,) = ended.faults
    assert fault == (
        "no level, or relation to areas without a layer, is called 'helhedsplaner'. Hint: did you mean 'helhedsplan'?"
    )


def test_a_plan_is_made_of_the_estates_that_it_covers(fjordbo):
    found = fjordbo.extent("helhedsplan")
    estates = fjordbo.areas()
    members = gp.members(fjordbo.membership(), "FBH-2", of=estates.index)
    assert members == ["FB-06", "FB-07", "FB-08", "FB-09", "FB-10"]
    row = found.loc["FBH-2"]
    assert row["estates"] == 5
    assert row["homes"] == estates.loc[members, "homes"].sum()
    assert row["residents"] == fjordbo.population()[members].sum()
    assert row["area_m2"] == pytest.approx(estates.loc[members].union_all().area)
    # Six and five and four are fifteen of fourteen estates; the board that governs all plans counts each once.
    assert found["estates"].sum() == 15
    assert fjordbo.extent("governed_by").loc["FBB-1", ["estates", "residents"]].tolist() == [
        14,
        fjordbo.population().sum(),
    ]
    assert fjordbo.extent("administered_by")["estates"].sum() == 14


def test_levels_that_are_drawn_and_not_made_of_others_are_measured_as_drawn(fjordbo, sample_run):
    assert fjordbo.extent().loc["FB-06", ["name", "estates", "parts"]].tolist() == ["Rylekrogen", 1, 3]
    small = sample_run.extent("basomrade")
    assert (small["estates"] == 1).all()
    assert small["residents"].sum() == sample_run.population().sum()


def test_police_areas_take_their_figures_from_the_smallest_areas(sample_run):
    assert sample_run.levels_above() == ["stadsdelsnamnd", "kommun", "in_labour_market_area", "in_police_area"]
    police = sample_run.extent("in_police_area")
    assert police["estates"].sum() == 128
    assert police["residents"].sum() == sample_run.population("kommun")["0099"]
    assert police["area_m2"].sum() == pytest.approx(sample_run.areas("kommun").area.sum())
    # They overlap with the boards but do not nest in them.
    boards = {code: gp.places.belongs_to(sample_run.membership(), code) for code in sample_run.areas("basomrade").index}
    for code in police.index:
        own = gp.members(sample_run.membership(), code)
        assert len({next(up for up in boards[area] if up.startswith("0099N")) for area in own}) > 1


def test_overlapping_plans_are_ranked_each_with_its_figure_and_the_whole_counts_once(plans, geoplan):
    ended = geoplan("run", plans, "--out", plans.parents[1] / "build", cwd=plans.parents[1])
    assert ended.code == 0
    assert (
        "Note: 1 area of the tables lies in several ranked areas, in the whole only once: 'FB-06'."
        in ended.out.splitlines()
    )
    run, estates = gp.open_run(plans), gp.open_run(FJORDBO)
    ranking = run.index().ranking
    assert ranking["population"].sum() == estates.population().sum() + estates.population()["FB-06"]
    # What scores 100 is the same fourteen estates, however they are put together.
    city, expected = run.index().reference, estates.index().reference
    pd.testing.assert_series_equal(city["value"], expected["value"])


def test_outputs_tell_what_stands_behind_a_merged_figure(sample_folder, sample_run, geoplan):
    figures = gp.breakdown(sample_run.index(), sample_run.indicators())
    own = figures[(figures["area_id"] == "0099S18") & (figures["indicator"] == "child_poverty")].iloc[0]
    assert own["children"] == 5
    assert own["minimum"] < own["value"] < own["maximum"]
    long = pd.read_parquet(sample_folder / "index.parquet")
    stored = long[(long["area_id"] == "0099S18") & (long["id"] == "child_poverty")].iloc[0]
    names = ["children", "minimum", "maximum", "spread"]
    assert stored[names].tolist() == own[names].tolist()
    book = openpyxl.load_workbook(sample_folder / "ranking.xlsx")
    head = [cell.value for cell in book["Indikatorer"][1]]
    assert head[8:12] == ["Antal delområden", "Lägsta delområde", "Högsta delområde", "Spridning"]
    told = geoplan("explain", sample_folder, "0099S18", cwd=sample_folder)
    assert f"{own['minimum']:.1f}–{own['maximum']:.1f} (5)" in told.out
    assert "lowest–highest: of the smallest areas behind the figure, their number in brackets." in told.out


def test_an_explained_rank_says_its_interval_and_rounds_no_chance_to_nothing(sample_folder, geoplan):
    """The interval holds 90 of 100 draws only about, and nine of 2,000 draws are not none."""
    first = " ".join(geoplan("explain", sample_folder, "0099S18", cwd=sample_folder).out.split())
    assert "90 % interval: rank 1; among the 8 highest in 100 of 100 draws, above 100 in 100 of 100 draws." in first
    asked = {"uncertainty": {"level": 0.9, "top": 8, "line": None}}
    said = _certainty({"rank_low": 10.0, "rank_high": 12.0, "p_top": 0.0045, "p_above": None}, asked)
    assert said == "90 % interval: rank 10 to 12; among the 8 highest in fewer than 1 of 100 draws."


def test_a_run_that_merges_nothing_has_nothing_behind_its_figures(project, geoplan):
    geoplan("run", project.scenario, cwd=project.root)
    told = geoplan("explain", "build/four", "0101", cwd=project.root)
    assert "lowest–highest" not in told.out
    book = openpyxl.load_workbook(project / "build/four/ranking.xlsx")
    assert book.sheetnames == ["Ranking", "Strengths and weaknesses", "Indicators", "Notes"]
    assert "Spread" not in [cell.value for cell in book["Indicators"][1]]


def test_a_run_written_before_figures_had_a_spread_is_explained(sample_folder, tmp_path, geoplan):
    table = pd.read_parquet(sample_folder / "index.parquet")
    older = tmp_path / "older"
    older.mkdir()
    table.drop(columns=["children", "minimum", "maximum", "spread"]).to_parquet(older / "index.parquet")
    (older / "manifest.json").write_bytes((sample_folder / "manifest.json").read_bytes())
    told = geoplan("explain", older, "0099S18", cwd=tmp_path)
    assert told.code == 0
    assert "lowest–highest" not in told.out


def test_areas_of_a_scenario_with_one_level(project, geoplan):
    ended = geoplan("areas", project.scenario, cwd=project.root)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[:4] == ["level     areas   km²", "stadsdel      4  1.00", "", "Extent: stadsdel"]
    assert lines[6].split() == ["0101", "Square", "1", "1", "1,000", "0.25", "0.25", "1.00", "1", "0", "0"]


def test_the_workbook_lists_the_extent_of_what_lies_above(sample_folder, sample_run):
    sheet = openpyxl.load_workbook(sample_folder / "ranking.xlsx")["Utbredning"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:6] == ("Nivå", "Kod", "Namn", "Antal områden", "Invånare", "Yta (km²)")
    expected = sample_run.extent("stadsdelsnamnd")
    assert [row[1] for row in rows[1:7]] == list(expected.index)
    assert [row[5] for row in rows[1:7]] == pytest.approx(expected["area_km2"].tolist())
    assert len(rows) == 1 + 6 + 1 + 1 + 4


def test_homes_are_read_and_checked(project, geoplan):
    frame = gp.read_vector(project / project.areas)
    project.put_areas(frame.assign(homes=["100", "", "3 rooms", "50"]))
    project.edit("layers/districts.toml", 'name_column = "name"', 'name_column = "name"\nhomes_column = "homes"')
    ended = geoplan("check", ".", cwd=project.root)
    assert ended.code == 2
    (fault,) = ended.faults
    assert fault.startswith("data/areas.gpkg, row 3, column 'homes': '3 rooms' is not a number.")
    project.put_areas(frame.assign(homes=[100, None, 20, 50]))
    run = gp.open_run(project / project.scenario)
    assert run.areas()["homes"].tolist()[::2] == [100, 20]
    assert pd.isna(run.extent()["homes"].iloc[1])


@pytest.mark.parametrize("words", [["areas", FJORDBO], ["indicators"], ["indicators", "--differences"]])
def test_tables_fit_a_terminal_of_80_columns_and_lose_nothing(words, monkeypatch):
    monkeypatch.setattr(telling.stdout, "width", 80)
    ended = CliRunner().invoke(cli.app, words)
    assert ended.exit_code == 0, ended.output
    assert "…" not in ended.output.replace("unit … ;", "")
    if words[0] == "areas":
        assert [line.rstrip() for line in ended.output.splitlines()[-4:]] == [
            "Extent: part_of, each made of its areas of level boligafdeling",
            "                              hull com-       apart    std",
            "code areas homes people  km²   km² pact parts     m dist m",
            "VV      14 4,283  9,099 0.82 12.27 0.07    15 6,055  2,409",
        ]
