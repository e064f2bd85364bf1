"""What a run says of access: measures by point and area, standards, files, words."""

import json
import re
import shutil

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import InputError
from geoplan.run.access_outputs import access_style, isochrones_of, measure_label, readable_access


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the sample's project, so that its scenario can be changed."""
    root = tmp_path_factory.mktemp("project")
    for name in ("layers", "maps", "scenarios", "data"):
        shutil.copytree(gp.home() / name, root / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (root / "scenarios/access.toml").read_text(encoding="utf-8")
    text = text.replace("within_min = [15, 30, 45]", "within_min = [30]")
    text = text.replace("percentiles = [50, 90]", "percentiles = [50]")
    text = re.sub(r"(?ms)^\[(nodes|links|\[surfaces\])\b.*?(?=^\[|\Z)", "", text)  # they have tests of their own
    (root / "scenarios/access.toml").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def run(project):
    return gp.open_run(project / "scenarios/access.toml")


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    return gp.write_run(run, tmp_path_factory.mktemp("out") / "access")


def test_five_classes_and_the_cores_are_present(run):
    assert list(run.reach.places.columns) == [
        "work", "education", "culture", "leisure", "retail", "regional_cores", "geometry",
    ]  # fmt: skip
    assert (run.reach.places.drop(columns="geometry").sum() > 0).all()


def test_everybody_is_counted_once(run):
    people = run.reach.people
    assert people["residents"].sum() == 96_034  # as the raster has it
    table = run.reach.by_area()
    own = table[table["measure"] == "work_30"]
    outside = people.loc[people["area"].isna(), "residents"].sum()
    assert own["residents"].sum() + outside == 96_034


def test_an_area_is_the_mean_of_its_people(run):
    """By hand, with numpy, from the travel times themselves."""
    times, people, places = run.reach.times, run.reach.people, run.reach.places
    inside = (people["area"] == "0099S18").to_numpy()
    seconds = times.seconds[inside, :, 0].astype(float)
    jobs = (seconds <= 30 * 60) @ places["work"].to_numpy()
    row = run.reach.by_area().query("area_id == '0099S18' and measure == 'work_30'").iloc[0]
    weights = people.loc[inside, "residents"].to_numpy()
    assert row["mean"] == pytest.approx(np.average(jobs, weights=weights))
    assert row["share_meeting"] == pytest.approx(weights[jobs >= 20_000].sum() / weights.sum())
    assert row["centroid_difference"] == pytest.approx(row["mean"] - row["centroid"])


def test_two_points_whose_stops_have_no_service_are_not_scored(run):
    frame = run.reach.scope.frame
    silent = frame.index[frame["status"] == "not_collected"]
    assert len(silent) == 2
    assert run.reach.by_point().loc[silent].isna().all(axis=None)
    assert any("2 of 4,122 points are not scored" in line for line in run.reach.notes())


def test_files(folder):
    names = {path.name for path in folder.iterdir()}
    wanted = {f"access.{ending}" for ending in ("xlsx", "csv", "gpkg", "png", "svg", "pdf", "html")}
    wanted |= {f"isochrone_centralen.{ending}" for ending in ("gpkg", "png", "svg", "pdf", "html")}
    assert wanted <= names
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["access"]["service_day"] == "2012-10-09"
    assert manifest["access"]["residents"]["observed"] > 90_000
    assert "nordhamra_timetable" in {item["id"] for item in manifest["inputs"]}
    bands = gpd.read_file(folder / "isochrone_centralen.gpkg", layer="isochrones")
    assert sorted(bands["band_min"]) == [15, 30, 45]
    ordered = bands.sort_values("band_min")
    assert ordered["residents"].is_monotonic_increasing


def test_the_workbook_speaks_swedish(folder):
    book = openpyxl.load_workbook(folder / "access.xlsx", read_only=True)
    assert book.sheetnames == ["Tillgänglighet", "Spridning", "Efter riskindex", "Anteckningar"]
    heads = [cell.value for cell in next(book["Tillgänglighet"].iter_rows(max_row=1))]
    assert heads[:4] == ["Kod", "Namn", "Invånare", "varav med uppgift"]
    assert "Andel invånare: Arbetstillfällen inom 30 min: minst 20\u00a0000" in heads
    assert not [head for head in heads if head is None or "_" in str(head)]
    spread = [cell.value for cell in next(book["Spridning"].iter_rows(max_row=1))]
    assert not [head for head in spread if head is None or "_" in str(head)]
    notes = [row[1].value for row in book["Anteckningar"].iter_rows() if row[1].value]
    assert any("9 oktober 2012" in str(note) for note in notes)


def test_the_map_says_what_it_shows(run):
    values, style = access_style(run)
    assert style.title == "Arbetstillfällen inom 30 min: minst 20\u00a0000"
    assert values.between(0, 100).all()


def test_groups_are_shares_of_the_residents_of_their_area(run):
    """By hand, area by area: so many of the residents at each point that has a figure and an index."""
    data = run.indicators().data
    rows = data[(data["indicator"] == "unemployment_18_64") & (data["period"] == "2012")].set_index("area_id")
    share = rows["numerator"].astype(float) / rows["denominator"].astype(float)
    jobs = run.reach.by_point()["work_30"]
    people = run.reach.people.assign(jobs=jobs)
    known = people[people["area"].map(run.index().score).notna() & jobs.notna()]
    weight = known["residents"] * known["area"].map(share)
    own = run.reach.equity("work_30").by_group.loc["unemployment_18_64"]
    assert own["residents"] == pytest.approx(weight.sum())
    assert own["mean"] == pytest.approx((weight * known["jobs"]).sum() / weight.sum())


def test_labels_in_every_language(run):
    labels = {
        language: [measure_label(run, measure, language) for measure in run.reach.measures()]
        for language in ("sv", "da", "en")
    }
    assert labels["en"][0] == "Jobs within 30 min"
    assert labels["da"][0] == "Arbejdspladser inden for 30 min"
    assert len({len(set(own)) for own in labels.values()}) == 1  # no two measures are called alike


def test_the_public_does_not_see_where_few_live(project):
    public = gp.open_run(project / "scenarios/access.toml", profile="public")
    spec = public.spec.model_copy(
        update={"disclosure": public.spec.disclosure.model_copy(update={"minimum_base": 1000})}
    )
    object.__setattr__(public, "spec", spec)
    table = readable_access(public)[0]
    few = public.reach.by_area().drop_duplicates("area_id").set_index("area_id")["residents"].between(1, 999)
    assert few.any()
    assert table.loc[few[few].index, "status"].eq("suppressed").all()
    assert table.loc[few[few].index, "work_30"].isna().all()


def everything(path):
    """Open a scenario and what access stands on."""
    run = gp.open_run(path)
    assert run.datasets
    assert run.reach.network
    assert len(run.reach.people)
    for item in run.reach.asked.isochrones:
        isochrones_of(run, item)
    _ = run.reach.groups()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('people = "nordhamra_population"', 'people = "nordhamra_streets"', "a layer of kind 'raster' or 'points'"),
        ('streets = "nordhamra_streets"', 'streets = "nordhamra_street"', "did you mean 'nordhamra_streets'"),
        ("date = 2012-10-09\ndeparture", "date = 2019-10-09\ndeparture", "2012"),
        (
            'opportunity = "work", within_min = 30, at_least',
            'opportunity = "works", within_min = 30, at_least',
            "not works",
        ),
        ("percentiles = [50]", "percentiles = [0]", "above 0, up to 100"),
        ("within_min = [30]", "within_min = [30, 15]", "rising numbers"),
        ('groups = ["unemployment_18_64"', 'groups = ["unemployment_18_46"', "did you mean 'unemployment_18_64'"),
        ('groups = ["unemployment_18_64"', 'groups = ["mean_disposable_income"', "no counts of people"),
        ('place = "K002"', 'place = "K999"', "K999"),
        ("[access]", "[accessible]", "accessible"),
    ],
)
def test_faults_of_the_scenario_are_worded(project, old, new, words):
    text = (project / "scenarios/access.toml").read_text(encoding="utf-8")
    assert old in text
    (project / "scenarios/faulty.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        everything(project / "scenarios/faulty.toml")
    assert words in str(caught.value)
    (project / "scenarios/faulty.toml").unlink()


def test_on_foot_alone(project):
    text = (project / "scenarios/access.toml").read_text(encoding="utf-8")
    text = text.replace('timetable = ["nordhamra_timetable"]\n', "")
    (project / "scenarios/foot.toml").write_text(text, encoding="utf-8")
    run = gp.open_run(project / "scenarios/foot.toml")
    assert run.reach.percentiles == (50,)
    by_area = run.reach.by_area()
    assert pd.api.types.is_numeric_dtype(by_area["mean"])
    assert "till fots" in access_style(run)[1].note
