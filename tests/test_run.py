"""The main job from end to end on the shipped sample."""

import json
import os
import re
import subprocess
import sys

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import SpecError
from geoplan.places import find_overlaps
from geoplan.sources import sha256_of

FILES = {
    "areas.gpkg",
    "choice.xlsx",
    "decisions.csv",
    "designations.pdf",
    "designations.png",
    "designations.svg",
    "reached.pdf",
    "reached.png",
    "reached.svg",
    "index.parquet",
    "manifest.json",
    "map.html",
    "map.pdf",
    "map.png",
    "map.svg",
    "map_livelihood.html",
    "map_livelihood.pdf",
    "map_livelihood.png",
    "map_livelihood.svg",
    "ranking.csv",
    "ranking.xlsx",
    "ranks.pdf",
    "ranks.png",
    "ranks.svg",
}


def command(*words, cwd, **environment):
    """Run the command line as its user does."""
    return subprocess.run(
        [sys.executable, "-m", "geoplan.cli", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def test_a_run_writes_everything(sample_folder):
    assert {path.name for path in sample_folder.iterdir()} == FILES


def test_two_runs_are_the_same_to_the_byte(tmp_path):
    for name in ("first", "second"):
        # Another seed of Python's hashes each time: no result may hang on the order of a set.
        done = command("demo", "--out", tmp_path / name, cwd=tmp_path, PYTHONHASHSEED=str(len(name)))
        assert done.returncode == 0, done.stderr
    for name in sorted(FILES - {"manifest.json"}):
        first, second = ((tmp_path / run / name).read_bytes() for run in ("first", "second"))
        assert first == second, name
    manifests = [json.loads((tmp_path / run / "manifest.json").read_text()) for run in ("first", "second")]
    assert all(manifest.pop("timings") for manifest in manifests)
    assert manifests[0] == manifests[1]


def test_the_demo_says_where_the_map_is_and_explain_follows(tmp_path):
    done = command("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Open build/demo/map.html in a browser" in done.stdout
    assert "29 areas ranked, 3 listed without a rank; 100 = Nordhamra stad." in done.stdout
    hint = re.search(r"geoplan explain (\S+) '(.+)'", done.stdout)
    told = command("explain", hint[1], hint[2].upper(), cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "rank 1 of 29" in told.stdout


def test_the_manifest_describes_the_run(sample_folder, sample_run):
    manifest = json.loads((sample_folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["scenario"]["text"] == sample_run.path.read_text(encoding="utf-8")
    assert {item["id"] for item in manifest["inputs"]} >= {"nordhamra_indicators", "nordhamra_stadsdelar"}
    for item in manifest["inputs"]:
        assert item["sha256"] == sha256_of((gp.home() / item["file"]).resolve())
        assert item["source"]
        assert item["licence"]
    for name, digest in manifest["outputs"].items():
        assert sha256_of(sample_folder / name) == digest
    assert manifest["certificate"]["reference"] == "Nordhamra stad"


def test_every_output_tells_the_same_ranking(sample_folder, sample_run):
    ranking = sample_run.index().ranking
    book = openpyxl.load_workbook(sample_folder / "ranking.xlsx")
    assert book.sheetnames == ["Rangordning", "Styrkor och svagheter", "Indikatorer", "Utbredning", "Anteckningar"]
    sheet = book["Rangordning"]
    assert sheet.freeze_panes == "D2"
    head = [cell.value for cell in sheet[1]]
    rows = [dict(zip(head, (cell.value for cell in row), strict=True)) for row in sheet.iter_rows(min_row=2)]
    scores = {row["Kod"]: row["Riskindex"] for row in rows}
    assert {code: score for code, score in scores.items() if score is not None} == pytest.approx(
        ranking["score"].dropna().to_dict()
    )
    table = pd.read_csv(sample_folder / "ranking.csv", sep=";", decimal=",", encoding="utf-8-sig", dtype={"Kod": str})
    assert table.set_index("Kod")["Riskindex"].to_dict() == pytest.approx(
        ranking["score"].round(1).to_dict(), nan_ok=True, abs=0.051
    )
    package = gpd.read_file(sample_folder / "areas.gpkg", layer="areas").set_index("area_id")
    assert package["score"].to_dict() == pytest.approx(ranking["score"].to_dict(), nan_ok=True)
    long = pd.read_parquet(sample_folder / "index.parquet")
    parts = long[long["component"] == "indicator"].groupby("area_id")["contribution"].sum(min_count=1)
    assert parts.to_dict() == pytest.approx(ranking["score"].to_dict(), nan_ok=True)


def test_every_figure_carries_source_year_n_and_method(sample_folder):
    table = pd.read_csv(sample_folder / "ranking.csv", sep=";", encoding="utf-8-sig", dtype=str)
    for column in ("År", "Metod", "Källa", "Befolkning", "Status"):
        assert table[column].notna().all()
    without = table[table["Plats"].isna()]
    assert without["Varför utan plats"].notna().all()
    notes = openpyxl.load_workbook(sample_folder / "ranking.xlsx")["Anteckningar"]
    said = " ".join(str(cell.value) for row in notes.iter_rows() for cell in row)
    assert "certificate: formula" in said
    assert "Källa: nordhamra_indicators" in said


def test_a_run_in_each_language(tmp_path, sample_run):
    home = sample_run.catalogue.root
    for name in ("layers", "maps", "data"):
        (tmp_path / name).symlink_to(home / name)
    (tmp_path / "scenarios").mkdir()
    text = sample_run.path.read_text(encoding="utf-8")
    for language, heading in (("da", "Risikoindeks"), ("en", "Risk index")):
        path = tmp_path / "scenarios" / f"{language}.toml"
        path.write_text(text.replace('language = "sv"', f'language = "{language}"'), encoding="utf-8")
        folder = gp.write_run(gp.open_run(path), tmp_path / language)
        assert heading in (folder / "map.html").read_text(encoding="utf-8")
        assert heading in (folder / "ranking.csv").read_text(encoding="utf-8-sig").splitlines()[0]


def test_the_levels_of_the_sample_nest_exactly(sample_run):
    whole = sample_run.areas("kommun").union_all()
    for level, count in (("basomrade", 128), ("stadsdel", 32), ("stadsdelsnamnd", 6), ("kommun", 1)):
        areas = sample_run.areas(level)
        assert len(areas) == count
        assert find_overlaps(areas).empty
        assert areas.union_all().symmetric_difference(whole).area < 1e-3


def test_the_reference_itself_scores_100(sample_run):
    """Merge the town's areas into one and index it against the town: everything is 100."""
    table = sample_run.indicators()
    town = pd.Series("town", index=pd.Index(sorted(set(table.data["area_id"])), name="area_id"))
    merged = gp.roll_up(table, town, minimum_coverage=1e-9)
    result = gp.risk_index(merged, sample_run.spec.index, period="2012")
    assert result.score.tolist() == pytest.approx([100])


def test_explain_as_json(sample_folder, tmp_path):
    done = command("explain", sample_folder, "0099S18", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert (told["area_id"], told["rank"], told["ranked"]) == ("0099S18", 1, 29)
    assert sum(row["above_city"] for row in told["indicators"]) == pytest.approx(told["gap"])


def test_an_area_without_a_rank_is_explained(sample_folder, tmp_path):
    done = command("explain", sample_folder, "Slaggmarken", cwd=tmp_path)
    assert "No rank: färre än 200 invånare (out of scope)." in done.stdout


def test_check_finds_the_shipped_project_whole(tmp_path):
    done = command("check", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no faults" in done.stdout


def test_layers_lists_what_a_file_holds(tmp_path):
    done = command("layers", gp.home() / "data" / "nordhamra.gpkg", cwd=tmp_path)
    assert {"basomraden", "stadsdelar", "water"} <= set(done.stdout.split())


def test_a_five_line_notebook_works(sample_run):
    areas = sample_run.areas()
    index = gp.risk_index(
        sample_run.indicators(), sample_run.spec.index, period="2012", area_ids=areas.index, reference_ids=areas.index
    )
    pd.testing.assert_frame_equal(index.ranking, sample_run.index().ranking)
    shown = gp.explore(areas, index.score, title="Risk index 2012", unit="index", midpoint=100, cmap="PuOr_r")
    assert "Granh\\u00f6jden: 164" in shown.to_html()


def test_groups_of_a_level_that_is_not_there_are_refused_by_their_key(project):
    project.edit(
        project.scenario, "[index]", '[index]\ntreatment = { impute = "group_mean", groups = "stadsdelsnamn" }'
    )
    with pytest.raises(SpecError) as caught:
        gp.open_run(project / project.scenario).index()
    assert str(caught.value) == (
        "scenarios/four.toml, key 'index.treatment.groups': no level of the scenario is called 'stadsdelsnamn'. Hint: "
        "did you mean 'stadsdel'?"
    )
