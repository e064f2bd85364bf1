"""What a run writes of nodes, links and surfaces: files, sheets, words, the same bytes, nothing of the few."""

import re
import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio

import geoplan as gp
from geoplan.errors import InputError
from geoplan.run.link_outputs import link_table, links_of, write_links
from geoplan.run.node_outputs import node_table, strategic_nodes_of, write_nodes
from geoplan.run.surface_outputs import write_surfaces
from geoplan.show import outside_requests

pytestmark = pytest.mark.xdist_group("reach_outputs")

SHEETS = {
    "nodes": ["Tyngdpunkter", "Delar", "Betjänade stadsdelar", "Anteckningar"],
    "links": ["Samband", "Avskildhet", "Barriärer", "Möjliga passager", "Anteckningar"],
}
FILES = {
    *(f"{name}.{ending}" for name in ("nodes", "links") for ending in ("xlsx", "gpkg", "png", "svg", "pdf", "html")),
    *(f"nodes_parts.{ending}" for ending in ("png", "svg", "pdf")),
    *(f"surface_{name}.{ending}" for name in ("residents", "jobs", "jobs_30_min") for ending in ("tif", "png")),
}


def _reduced(text):
    """Return the sample's scenario with less to compute."""
    changes = {
        "within_min = [15, 30, 45]": "within_min = [30]",
        "percentiles = [50, 90]": "percentiles = [50]\nwindow_min = 5",
        "competition = [{": "# competition = [{",
        "decay = {": "# decay = {",
        "top = 8\n": "top = 8\ndraws = 200\n",
        "most_crossings = 40": "most_crossings = 6",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the sample's project, so that its scenario can be changed."""
    root = tmp_path_factory.mktemp("project")
    for name in ("layers", "maps", "scenarios", "data"):
        shutil.copytree(gp.home() / name, root / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = root / "scenarios/access.toml"
    path.write_text(_reduced(path.read_text(encoding="utf-8")), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def run(project):
    return gp.open_run(project / "scenarios/access.toml")


@pytest.fixture(scope="module")
def nodes(run):
    return strategic_nodes_of(run)


@pytest.fixture(scope="module")
def links(run):
    return links_of(run)


@pytest.fixture(scope="module")
def folder(run, nodes, links, tmp_path_factory):
    """A folder with all that is written of the sample."""
    found = tmp_path_factory.mktemp("out")
    write_nodes(run, found, nodes)
    write_links(run, found, links)
    write_surfaces(run, found)
    return found


def _rows(path, sheet):
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))


# ---------------------------------------------------------------- files


def test_everything_is_written(folder):
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_same_run_gives_the_same_bytes(run, nodes, links, folder, tmp_path):
    write_nodes(run, tmp_path, nodes)
    write_links(run, tmp_path, links)
    write_surfaces(run, tmp_path)
    assert [name for name in sorted(FILES) if (folder / name).read_bytes() != (tmp_path / name).read_bytes()] == []


@pytest.mark.parametrize("name", SHEETS)
def test_sheets_are_in_the_language_of_the_run(folder, name):
    book = openpyxl.load_workbook(folder / f"{name}.xlsx")
    assert book.sheetnames == SHEETS[name]
    heads = [cell for sheet in book.worksheets[:-1] for cell in next(sheet.iter_rows(max_row=1, values_only=True))]
    assert [head for head in heads if not head or re.search(r"_|\{", head)] == []
    assert {"Status", "Varför"} <= set(heads)


@pytest.mark.parametrize("name", SHEETS)
def test_notes_say_source_day_number_and_method(folder, name):
    told = {str(one): str(other) for one, other, *_ in _rows(folder / f"{name}.xlsx", "Anteckningar")}
    assert "fictional" in told["Källa"]
    assert told["Avgångar"].startswith("9 oktober 2012 kl. 07:00–07:05")
    assert {"N", "Metod", "År"} <= set(told)


@pytest.mark.parametrize("name", SHEETS)
def test_pages_ask_for_nothing(folder, name):
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    assert outside_requests(text.split("leaflet_js")[0]) == []


# ---------------------------------------------------------------- nodes


def test_nodes_add_up_and_serve_everybody_once(run, nodes):
    table = node_table(nodes)
    themes = [name for name in table if name.startswith("theme_")]
    assert len(themes) == 8
    assert np.allclose(table[themes].sum(axis=1), table["score"])
    assert table["chosen"].sum() == 8
    assert (table["rank_low"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_high"]).all()
    people = nodes.found.residents
    assert (
        people["residents"]
        == run.reach.people["residents"].sum()
        == people[["served", "outside", "out_of_scope"]].sum()
    )
    assert table["residents"].sum() == people["served"]
    assert set(nodes.deprived["score"] >= 120) == {True}


def test_layers_of_nodes(folder, nodes):
    points = gpd.read_file(folder / "nodes.gpkg", layer="nodes")
    assert points["node_id"].tolist() == nodes.found.nodes.index.tolist()
    areas = gpd.read_file(folder / "nodes.gpkg", layer="catchments")
    served = areas[areas["node_id"] != ""].set_index("node_id")["residents"]
    assert served.sum() == nodes.found.residents["served"]
    assert areas.geom_type.isin(["Polygon", "MultiPolygon"]).all()


# ---------------------------------------------------------------- links


def test_the_planted_barrier_parts_the_worst_pair(links):
    worst = link_table(links).iloc[0]
    assert {worst["name_a"], worst["name_b"]} == {"Tallmohöjden", "Åkersvallen"}
    assert (worst["cause"], worst["cause_kind"]) == ("Hamraån", "water")
    detours = link_table(links)["people_detour"].dropna()
    assert detours.is_monotonic_decreasing
    assert set(links.barriers["kind"]) == {"water", "railway", "motorway"}


def test_riding_is_never_slower_than_walking_all_the_way(links):
    pairs = links.found.pairs
    both = pairs["walk_min"].notna()
    assert both.any()
    assert (pairs.loc[both, "transit_min"] <= pairs.loc[both, "walk_min"] + 1e-9).all()
    assert pairs["people_cycle_min"].median() < pairs["people_walk_min"].median() / 2


def test_crossings_are_tried_where_the_detour_is_greatest(links):
    assert len(links.effects.frame) == 6 <= links.laid
    assert "Hamraån" in links.lines()[0]
    gained = links.effects.frame["pairs_gained"].to_numpy()
    assert (np.diff(gained[~np.isnan(gained)]) <= 0).all()


def test_layers_of_links(folder):
    layers = gpd.list_layers(folder / "links.gpkg")["name"].tolist()
    assert layers == ["links", "borders", "crossings", "districts", "barriers", "possible_crossings"]
    lines = gpd.read_file(folder / "links.gpkg", layer="links")
    assert set(lines.geom_type) == {"LineString"}


# ---------------------------------------------------------------- surfaces


@pytest.mark.parametrize(
    ("name", "unit"), [("residents", "persons per km²"), ("jobs", "jobs per km²"), ("jobs_30_min", "antal")]
)
def test_surfaces_are_cloud_optimised_and_say_what_they_are(folder, name, unit):
    with rasterio.open(folder / f"surface_{name}.tif") as stored:
        assert stored.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert stored.units == (unit,)
        assert np.isnan(stored.nodata)
        assert stored.crs.to_epsg() == 3006
        tags = stored.tags()
    assert "fictional" in tags["source"]
    assert tags["date"]
    assert tags["method"]


def test_densities_hold_as_many_as_live_there(folder, run):
    with rasterio.open(folder / "surface_residents.tif") as stored:
        cells, km2 = stored.read(1), stored.res[0] * stored.res[1] / 1e6
    inside = run.reach.people.loc[run.reach.people["area"].notna(), "residents"].sum()
    assert np.nansum(cells) * km2 == pytest.approx(inside, rel=0.1)  # cells at the shore count whole


def test_access_is_written_where_people_live_and_nowhere_else(folder, run):
    with rasterio.open(folder / "surface_jobs_30_min.tif") as stored:
        known = int(np.isfinite(stored.read(1)).sum())
    assert known == run.reach.by_point()["work_30"].notna().sum()


# ---------------------------------------------------------------- the public


@pytest.fixture(scope="module")
def shown(run, nodes, tmp_path_factory):
    """What is written to the public, of the same figures; nothing is computed again that need not be."""
    spec = run.spec.model_copy(update={"profile": "public"})
    found, open_to_all = tmp_path_factory.mktemp("public"), replace(run, spec=spec)
    open_to_all.__dict__.update({key: value for key, value in run.__dict__.items() if key not in {"spec", "reach"}})
    open_to_all.reach.__dict__.update({key: value for key, value in run.reach.__dict__.items() if key != "run"})
    write_nodes(open_to_all, found, nodes)
    write_links(open_to_all, found, links_of(open_to_all))
    write_surfaces(open_to_all, found)
    return found


def test_the_public_sees_no_cell_where_few_live(shown, run):
    people = run.reach.people
    with rasterio.open(shown / "surface_jobs_30_min.tif") as stored:
        values = [value[0] for value in stored.sample(zip(people.geometry.x, people.geometry.y, strict=True))]
    seen = people["residents"].to_numpy()[np.isfinite(values)]
    assert len(seen) > 100
    assert seen.min() >= 30
    areas = gpd.read_file(shown / "nodes.gpkg", layer="catchments")
    few = people[(people["residents"] < 30)]
    assert not few.within(areas.union_all()).any()


def test_the_public_sees_no_density_of_a_few(shown, folder):
    with (
        rasterio.open(shown / "surface_residents.tif") as stored,
        rasterio.open(folder / "surface_residents.tif") as all_,
    ):
        some, everything = stored.read(1), all_.read(1)
    enough = 3 * 30 / (np.pi * 500**2) * 1e6
    assert np.nanmin(some) >= enough - 1e-3
    assert np.isfinite(some).sum() < np.isfinite(everything).sum()


def test_the_public_sees_no_district_of_a_few(shown, run):
    residents = run.reach.people.groupby("area")["residents"].sum()
    small = set(residents.index[residents < 30])
    rows = _rows(shown / "links.xlsx", "Samband")
    place = [rows[0].index(name) for name in ("Kod A", "Kod B")]
    assert not small & {row[column] for row in rows[1:] for column in place}
    served = _rows(shown / "nodes.xlsx", "Betjänade stadsdelar")
    assert all(row[2] == 0 or row[2] >= 30 for row in served[1:])


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('services = ["culture"', 'services = ["cultur"', "cultur"),
        ("density = 3", "densty = 3", "densty"),
        ('parks = "nordhamra_parks"', 'parks = "nordhamra_land"', "nordhamra_land"),
        ('barriers = ["nordhamra_water"', 'barriers = ["nordhamra_watr"', "nordhamra_watr"),
        ("most_crossings = 6", "most_crossings = -1", "most_crossings"),
        ("peak_per_km2 = 3500", "peak_per_km2 = 0", "peak_per_km2"),
        ('of = "nordhamra_population"', 'of = "nordhamra_populatio"', "nordhamra_populatio"),
        ('id = "jobs"\n', 'id = "residents"\n', "twice: residents"),
        ('of = "work_30"', 'of = "work_31"', "did you mean 'work_30'"),
        ('unit = "jobs"\n', 'unit = "jobs"\nbandwidth_m = 20\n', "bandwidth_m"),
    ],
)
def test_faults_of_the_sections_are_told_before_anything_is_computed(project, old, new, told):
    text = (project / "scenarios/access.toml").read_text(encoding="utf-8")
    assert old in text
    path = project / "scenarios/broken.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        with pytest.raises(InputError, match=told):
            gp.open_run(path).datasets  # noqa: B018  what opening does not see, finding the layers does
    finally:
        path.unlink()


def test_a_surface_without_a_unit_and_of_no_measure(run, tmp_path):
    for index, change, told in ((1, {"unit": None}, "does not say what it counts"), (2, {"of": "work_31"}, "work_30")):
        item = run.spec.surfaces[index].model_copy(update=change)
        other = replace(run, spec=run.spec.model_copy(update={"surfaces": (item,)}))
        other.__dict__.update({key: value for key, value in run.__dict__.items() if key not in {"spec", "reach"}})
        other.reach.__dict__.update({key: value for key, value in run.reach.__dict__.items() if key != "run"})
        with pytest.raises(InputError, match=told):
            write_surfaces(other, tmp_path)


def test_sections_that_are_not_there(run):
    bare = replace(run, spec=run.spec.model_copy(update={"nodes": None, "links": None}))
    with pytest.raises(InputError, match="says nothing of nodes"):
        strategic_nodes_of(bare)
    with pytest.raises(InputError, match="says nothing of links"):
        links_of(bare)
