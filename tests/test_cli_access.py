"""``geoplan access`` on the sample, and what it says of bad input: exit code 2, no traceback."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import geoplan as gp
from geoplan.reach import TravelTimes
from geoplan.show import outside_requests

DATA = gp.home() / "data"
STREETS, FEED = DATA / "nordhamra_streets.osm.pbf", DATA / "nordhamra_gtfs.zip"
WORK = ("--to", "nordhamra_workplaces", "--value", "jobs")


@pytest.fixture
def here(tmp_path):
    """Give a folder with travel times from two homes to every workplace: 10 and 40 minutes; one home is off."""
    ids = gp.read_vector(DATA / "nordhamra_workplaces.gpkg")["workplace_id"].tolist()
    seconds = np.full((3, len(ids), 1), 600, dtype=np.uint16)
    seconds[1], seconds[2] = 2400, 65_535
    left = pd.DataFrame({"side": ["from"], "id": ["off"], "reason": ["no street within 1,600 m"]})
    TravelTimes(["near", "far", "off"], ids, (50,), seconds, left).write(tmp_path / "times.parquet")
    return tmp_path


def test_measures_of_a_matrix(geoplan, here):
    words = (*WORK, "--within", "30", "--within", "60", "--half-time", "10", "--nearest", "--out", "found.csv")
    ended = geoplan("access", "measure", "times.parquet", *words, cwd=here)
    assert ended.code == 0, ended.err
    assert "1 of 3 origins are on no street" in ended.out
    table = pd.read_csv(here / "found.csv").set_index("from_id")
    total = gp.read_vector(DATA / "nordhamra_workplaces.gpkg")["jobs"].sum()
    assert table.loc["near"].tolist() == [total, total, total / 2, 10, "observed"]
    assert table.loc["far", ["jobs_30", "jobs_60", "jobs_nearest_min"]].tolist() == [0, total, 40]
    assert table.loc["far", "jobs_half_10"] == pytest.approx(total / 16)
    assert table.loc["off", ["jobs_30", "jobs_60"]].isna().all()
    assert table.loc["off", "status"] == "out_of_scope"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*WORK,), "what to measure is not said"),
        (("--to", "nordhamra_workplaces", "--value", "jbs", "--nearest"), "did you mean 'jobs'"),
        ((*WORK, "--within", "-5"), "--within"),
        ((*WORK, "--half-time", "0"), "--half-time"),
        ((*WORK, "--nearest", "--percentile", "75"), "75"),
        ((*WORK, "--nearest", "--out", "found.pdf"), "'found.pdf' names no format"),
        (("--to", "nordhamra_culture", "--value", "visits_per_day", "--nearest"), "604"),
    ],
)
def test_bad_input_to_measure(geoplan, here, words, told):
    ended = geoplan("access", "measure", "times.parquet", *words, cwd=here)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert [path.name for path in here.iterdir()] == ["times.parquet"]


def test_isochrones_are_written_and_drawn(geoplan, tmp_path):
    ended = geoplan(
        "access", "isochrone", "--streets", STREETS, "--feed", FEED, "--departure", "2012-10-09 07:00", "--window", "5",
        "--from", "K002", "--points", "nordhamra_regional_cores", "--jobs", "nordhamra_workplaces", "--band", "20",
        "--band", "10", "--out", "reach.gpkg", "--map", "reach.html", "--backdrop", "nordhamra_water", cwd=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    bands = gpd.read_file(tmp_path / "reach.gpkg", layer="isochrones").sort_values("band_min")
    assert bands["band_min"].tolist() == [10, 20]
    assert bands["jobs"].is_monotonic_increasing
    assert outside_requests((tmp_path / "reach.html").read_text(encoding="utf-8")) == []
    assert re.search(r"^10 +\d", ended.out, re.MULTILINE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reach.gpkg", "reach.html"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "59.3,18.1"), "the point is not near any street"),
        (("--from", "Klockartorget"), "is no place"),
        (("--from", "59.77,17.12", "--departure", "2012-10-09 07:00"), "on streets alone"),
        (("--from", "59.77,17.12", "--band", "0"), "--band"),
        (("--from", "59.77,17.12", "--out", "x.shp"), "'x.shp' names no format"),
    ],
)
def test_bad_input_to_isochrone(geoplan, tmp_path, words, told):
    ended = geoplan("access", "isochrone", "--streets", STREETS, *words, cwd=tmp_path)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.iterdir())


def test_areas_of_a_scenario(geoplan, tmp_path):
    ended = geoplan("access", "areas", "scenarios/access.toml", "--json", "--out", "access.csv", cwd=tmp_path)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert len(told["areas"]) == 32
    assert told["measures"]["work_30"] == "Arbetstillfällen inom 30 min"
    assert any("2 of 4,122 points are not scored" in note for note in told["notes"])
    assert len(pd.read_csv(tmp_path / "access.csv")) == 32


def test_areas_of_a_scenario_without_access(geoplan, tmp_path):
    ended = geoplan("access", "areas", "scenarios/fjordbo.toml", cwd=tmp_path)
    assert ended.code == 2
    assert "the scenario says nothing of travel" in ended.err
