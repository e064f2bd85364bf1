"""``geoplan nodes``, ``links`` and ``surface`` on the sample; bad input: exit code 2, no traceback, no file."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from shapely import box

import geoplan as gp
from geoplan.run import link_outputs, node_outputs

DATA = gp.home() / "data"
PEOPLE, TOWN = DATA / "nordhamra_population_100m.tif", DATA / "nordhamra.gpkg"
JOBS = DATA / "nordhamra_workplaces.gpkg"
DISTRICTS = ("--layer", "stadsdelar")


@pytest.mark.parametrize(
    "words",
    [("nodes",), ("links",), ("surface",), ("surface", "density"), ("surface", "zonal"), ("surface", "contours")],
)
def test_help(geoplan, tmp_path, words):
    ended = geoplan(*words, "--help", cwd=tmp_path)
    assert ended.code == 0
    assert "Usage" in ended.out


# ---------------------------------------------------------------- surfaces


def test_density_of_points_and_of_a_raster(geoplan, tmp_path):
    words = ("--weight", "jobs", "--unit", "jobs", "--bandwidth", "600", "--out", "jobs.tif")
    ended = geoplan("surface", "density", JOBS, *words, "--within", TOWN, "--within-layer", "stadsdelar", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "jobs per km²" in ended.out
    ended = geoplan("surface", "density", PEOPLE, "--unit", "persons", "--out", "people.tif", "--json", cwd=tmp_path)
    assert json.loads(ended.out)["unit"] == "persons per km²"
    with rasterio.open(tmp_path / "people.tif") as stored:
        assert np.nansum(stored.read(1)) * 0.01 == pytest.approx(
            96_034, rel=1e-3
        )  # a kernel is read at the cells' middles
        assert stored.tags()["source"] == PEOPLE.name


def test_zonal_statistics(geoplan, tmp_path):
    ended = geoplan("surface", "zonal", PEOPLE, TOWN, *DISTRICTS, "--out", "found.csv", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "20 more with --all" in ended.out
    table = pd.read_csv(tmp_path / "found.csv", dtype={"area_id": str}).set_index("area_id")
    assert len(table) == 32
    assert table["sum"].sum() == pytest.approx(96_034, rel=0.02)
    told = json.loads(geoplan("surface", "zonal", PEOPLE, TOWN, *DISTRICTS, "--json", cwd=tmp_path).out)
    assert told["areas"][0]["area_id"] == table.index[0]


@pytest.mark.parametrize("name", ["lines.gpkg", "lines.geojson"])
def test_contours(geoplan, tmp_path, name):
    words = ("--level", "40", "--level", "20", "--out", name)
    ended = geoplan("surface", "contours", PEOPLE, *words, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert gpd.read_file(tmp_path / name)["level"].tolist() == [20, 40]
    first = (tmp_path / name).read_bytes()
    assert geoplan("surface", "contours", PEOPLE, *words, cwd=tmp_path).code == 0
    assert (tmp_path / name).read_bytes() == first
    assert geoplan("surface", "contours", PEOPLE, *words, "--filled", cwd=tmp_path).code == 0
    assert gpd.read_file(tmp_path / name)[["low", "high"]].to_numpy().tolist() == [[20, 40]]


DENSITY = ("surface", "density")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*DENSITY, "none.gpkg", "--unit", "jobs", "--out", "a.tif"), "none.gpkg"),
        ((*DENSITY, JOBS, "--unit", "jobs", "--weight", "jbs", "--out", "a.tif"), "jbs"),
        ((*DENSITY, JOBS, "--unit", "jobs", "--bandwidth", "20", "--out", "a.tif"), "bandwidth"),
        ((*DENSITY, JOBS, "--unit", "jobs", "--bandwidth", "nan", "--out", "a.tif"), "bandwidth"),
        ((*DENSITY, JOBS, "--unit", "jobs", "--cell", "-1", "--out", "a.tif"), "cell"),
        ((*DENSITY, JOBS, "--unit", " ", "--out", "a.tif"), "unit"),
        ((*DENSITY, JOBS, "--unit", "jobs", "--out", "a.png"), "'a.png' names no format"),
        ((*DENSITY, JOBS, "--unit", "jobs", "--out", "no/a.tif"), "does not exist"),
        ((*DENSITY, PEOPLE, "--unit", "jobs", "--band", "7", "--out", "a.tif"), "band"),
        (("surface", "zonal", PEOPLE, TOWN), "layer"),
        (("surface", "zonal", PEOPLE, TOWN, *DISTRICTS, "--id", "kod"), "kod"),
        (("surface", "zonal", JOBS, TOWN, *DISTRICTS), JOBS.name),
        (("surface", "zonal", PEOPLE, TOWN, *DISTRICTS, "--minimum-coverage", "7"), "coverage"),
        (("surface", "zonal", PEOPLE, "far.gpkg"), "none of the 1 areas lies on the raster"),
        (("surface", "contours", PEOPLE, "--out", "a.gpkg"), "no level is given"),
        (("surface", "contours", PEOPLE, "--level", "1e9", "--out", "a.gpkg"), "does not come to any"),
        (("surface", "contours", PEOPLE, "--level", "nan", "--out", "a.gpkg"), "level"),
        (("surface", "contours", PEOPLE, "--level", "5", "--filled", "--out", "a.gpkg"), "level"),
        (("nodes", "scenarios/none.toml"), "none.toml"),
        (("links", "scenarios/baseline.toml"), "says nothing of links"),
        (("nodes", "scenarios/baseline.toml"), "says nothing of nodes"),
        (("links", "scenarios/access.toml", "--out", "far.gpkg"), "this is a file"),
    ],
)
def test_bad_input(geoplan, tmp_path, words, told):
    far = gpd.GeoDataFrame({"area_id": ["x"]}, geometry=[box(100_000, 6_000_000, 101_000, 6_001_000)], crs=3006)
    far.to_file(tmp_path / "far.gpkg")
    ended = geoplan(*words, cwd=tmp_path)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["far.gpkg"]


# ---------------------------------------------------------------- scenarios


@pytest.mark.parametrize(("name", "module", "writes"), [("nodes", node_outputs, "write_nodes"),
                                                         ("links", link_outputs, "write_links")])  # fmt: skip
def test_a_fault_while_writing_leaves_nothing(geoplan, tmp_path, monkeypatch, name, module, writes):
    def broken(_run, folder, _plan):
        (folder / "half.xlsx").write_text("half")
        raise gp.errors.OutputError("no room")

    find = "strategic_nodes_of" if name == "nodes" else "links_of"
    monkeypatch.setattr(module, find, lambda _: None)
    monkeypatch.setattr(module, writes, broken)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    ended = geoplan(name, "scenarios/access.toml", "--out", "out", cwd=tmp_path)
    assert ended.code == 2
    assert "no room" in ended.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_nodes_and_links_of_the_sample(geoplan, tmp_path):
    ended = geoplan("nodes", "scenarios/access.toml", "--out", "out", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "Hamra torg" in ended.out
    assert "draws of the weights" in ended.out
    assert (tmp_path / "out/nodes.xlsx").is_file()
    ended = geoplan("links", "scenarios/access.toml", "--json", cwd=tmp_path)
    told = json.loads(ended.out)
    assert told["pairs"][0]["cause"] == "Hamraån"
    assert told["crossings"][0]["rank"] == 1
