"""Scenarios whose table speaks of other areas than the ranked ones, or of those before a reform."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from shapely import Point
from strategies import SIDE, SOUTH, WEST, squares

import geoplan as gp
from geoplan.errors import InputError, SpecError

_UNITS = """\
kind = "areas"
title = "Units"
path = "../data/units.gpkg"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
crs = "EPSG:3006"
level = "basomrade"
id_column = "code"
"""
_PEOPLE = """\
kind = "raster"
title = "Residents per cell"
path = "../data/people.tif"
source = "Made up for a test"
licence = "MIT"
vintage = "2012"
crs = "EPSG:3006"
unit = "persons"
period = "2012"
"""
_JOBS = """\
kind = "points"
title = "Jobs"
path = "../data/jobs.gpkg"
source = "Made up for a test"
licence = "MIT"
vintage = "2012"
crs = "EPSG:3006"
id_column = "id"
value_column = "jobs"
"""
_REFORM = """\
kind = "crosswalk"
title = "The reform of 2013"
path = "../data/reform.csv"
source = "Made up for a test"
licence = "MIT"
vintage = "2013"
from_width = 4
to_width = 4
date_column = "date"
"""


def put(project, name, text):
    (project / name).write_text(text, encoding="utf-8")


@pytest.fixture
def divided(project):
    """Let the table speak of units that lie a quarter of a square farther east than the districts."""
    put(project, "layers/units.toml", _UNITS)
    units = squares()
    units.set_geometry(units.translate(SIDE / 4, 0)).to_file(project / "data/units.gpkg")
    project.edit("layers/figures.toml", 'level = "stadsdel"', 'level = "basomrade"')

    def by(method, weights=""):
        assign = f'layers = ["districts"]\n\n[areas.assign]\nlayer = "units"\nmethod = "{method}"\n{weights}'
        project.edit(project.scenario, 'layers = ["districts"]\n', assign)
        return gp.open_run(project / project.scenario)

    return by


def population(run):
    return run.indicators().wide("2012")["population"].to_dict()


def test_figures_are_divided_by_surface(divided):
    # Three quarters of 0101's 1 000 stay, a quarter goes to 0102; what of 0102 lies outside the town is spread.
    run = divided("area")
    assert population(run) == {"0101": 750, "0102": 2250, "0103": 2250, "0104": 4750}
    table = run.indicators().data
    assert table.loc[table["area_id"] == "0101", "status"].unique().tolist() == ["estimated"]
    assert run.notes()[:3] == [
        "figures are moved from 4 areas to 4 by surface; 2 of them are split",
        "0.12 km² of 1.00 km² lies outside the new areas and was spread over those that get the rest",
        (
            "12 of 12 figures hold parts of areas that were split, and are estimates: "
            "on average 57% of such a figure, at most 100%"
        ),
    ]
    assert run.index().certificate.ranked == 4


def test_figures_are_divided_by_the_residents_of_a_grid(divided, project):
    # Cells of 125 m: all of 0101's people live in its easternmost column, which lies in district 0102.
    cells = np.zeros((8, 9))
    cells[:, 4] = 1  # 500-625 m east: the part of the western units that lies in the eastern districts
    cells[:, 5:] = 2
    profile = {"driver": "GTiff", "width": 9, "height": 8, "count": 1, "dtype": "float64", "crs": "EPSG:3006"}
    at = Affine(125, 0, WEST, 0, -125, SOUTH + 1000)
    with rasterio.open(project / "data/people.tif", "w", transform=at, **profile) as grid:
        grid.write(cells, 1)
    put(project, "layers/people.toml", _PEOPLE)
    run = divided("raster", 'weights = "people"')
    assert population(run) == {"0102": 3000, "0104": 7000}
    assert run.join_report().without_data == ("0101", "0103")
    assert run.notes()[:2] == [
        "2 areas have no data: '0101', '0103'",
        "figures are moved from 4 areas to 4 by the grid; 0 of them are split",
    ]


def test_figures_are_divided_by_points(divided, project):
    put(project, "layers/jobs.toml", _JOBS)
    places = squares().iloc[:2].assign(id=["1", "2"], jobs=[1, 3])
    places = places.set_geometry([Point(WEST + 200, SOUTH + 100), Point(WEST + 550, SOUTH + 100)])
    places.to_file(project / "data/jobs.gpkg")
    run = divided("points", 'weights = "jobs"')
    # Unit 0101 has one of its four jobs in district 0101; the others have none and go by surface.
    assert population(run) == {"0101": 250, "0102": 2750, "0103": 2250, "0104": 4750}
    assert "3 areas have no weight and went by surface: '0102', '0103', '0104'" in run.notes()


def test_a_divided_run_is_written(divided, tmp_path):
    folder = gp.write_run(divided("area"), tmp_path / "run")
    assert (folder / "ranking.xlsx").is_file()


@pytest.fixture
def reformed(project):
    """Let the districts be those after a reform in which 0100 was divided into 0101 and 0102."""
    put(project, "layers/reform.toml", _REFORM)
    put(project, "data/reform.csv", "from_id,to_id,share,date\n0100,0101,0.25,2013-01-01\n0100,0102,0.75,2013-01-01\n")
    figures = (project / project.figures).read_text(encoding="utf-8").splitlines()
    old = ["0100,population,2012,4000,,,", "0100,poor,2012,400,4000,,", "0100,crime,2012,80,4000,,"]
    put(project, project.figures, "\n".join([line for line in figures if line[:4] not in {"0101", "0102"}] + old))
    project.edit(project.scenario, 'layers = ["districts"]', 'layers = ["districts"]\ncrosswalk = ["reform"]')
    return project


def test_figures_from_before_a_reform_are_brought_to_the_areas_after_it(reformed):
    run = gp.open_run(reformed / reformed.scenario)
    assert population(run) == {"0101": 1000, "0102": 3000, "0103": 3000, "0104": 4000}
    table = run.indicators().data.set_index(["area_id", "indicator"])
    assert table.loc[("0101", "poor"), ["status", "moved_share", "method"]].tolist() == [
        "estimated",
        1,
        "from_counts; moved; rolled_up",
    ]
    assert table.loc[("0103", "poor"), ["status", "moved_share"]].tolist() == ["observed", 0]
    assert run.join_report().lines() == ["4 areas have data"]
    assert run.notes()[0].startswith("6 of 12 figures hold parts of areas that were split, and are estimates")


def test_a_scenario_of_a_day_before_the_reform_leaves_the_old_areas(reformed):
    reformed.edit(reformed.scenario, "date = 2013-03-15", "date = 2012-12-31")
    run = gp.open_run(reformed / reformed.scenario)
    assert run.join_report().without_area == ("0100",)


def test_check_tells_of_changes_and_of_their_faults(reformed, geoplan):
    said = geoplan("check", ".", cwd=reformed.root)
    assert said.code == 0, said.err
    assert "1 area changed on 2013-01-01, 1 of them split" in " ".join(said.out.split())
    reformed.edit("data/reform.csv", "0.75", "0.5")
    said = geoplan("check", ".", cwd=reformed.root)
    assert said.code == 2
    assert said.faults[0] == (
        "data/reform.csv, area '0100': the shares add up to 0.75 on 2013-01-01. Expected: 1. "
        "Hint: list what the area keeps, too; figures must not get lost"
    )


@pytest.mark.parametrize(
    ("method", "weights", "fault"),
    [
        ("raster", "", "expected: `weights`, the raster layer to weigh by"),
        ("points", "", "expected: `weights`, the points layer to weigh by"),
        ("area", 'weights = "people"', "expected: no `weights`, or `method` raster or points"),
    ],
)
def test_weights_stand_where_they_are_needed_and_nowhere_else(divided, method, weights, fault):
    with pytest.raises(SpecError) as caught:
        divided(method, weights)
    assert fault.removeprefix("expected: ") in str(caught.value)
    assert caught.value.faults[0].key == "areas.assign"


def test_weights_of_another_kind_are_refused(divided):
    with pytest.raises(InputError) as caught:
        divided("raster", 'weights = "units"').indicators()
    assert str(caught.value) == (
        "scenarios/four.toml, key 'areas.assign.weights': the layer 'units' is of kind 'areas'. "
        "Expected: a layer of kind 'raster'."
    )


def test_a_grid_that_is_turned_is_refused(divided, project):
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1, "dtype": "float64", "crs": "EPSG:3006"}
    with rasterio.open(project / "data/people.tif", "w", transform=Affine(9, 4, WEST, 4, -9, SOUTH), **profile) as grid:
        grid.write(np.ones((2, 2)), 1)
    put(project, "layers/people.toml", _PEOPLE)
    with pytest.raises(InputError) as caught:
        divided("raster", 'weights = "people"').indicators()
    assert str(caught.value) == (
        "data/people.tif: the grid is turned. Expected: rows from north to south, columns west to east."
    )
