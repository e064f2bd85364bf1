"""Bad input at the command line: its own message, exit code 2, and nothing written.

Every case breaks one thing in a valid project of four squares (see conftest) and names the lines that must be said.
All run inside this process; those of :data:`REAL` run as their user runs them, too.
"""

from __future__ import annotations

import os
import signal
import time

import pytest
from strategies import squares

from geoplan.errors import InputError
from geoplan.run import check_project

SHORTENED = (
    "Expected: codes of 4 characters; their leading zeros are probably lost. Hint: export the column as text from the "
    "source; if you are sure, `id_pad = true` in the layer's TOML puts the zeros back"
)
NO_SYSTEM = "'EPSG:30066' is not a coordinate system. Expected: a code such as EPSG:3006."
DAMAGED = "Hint: it may be damaged or only partly copied; fetch it again"


def _areas(**changes):
    return lambda project: project.put_areas(squares(**changes))


def _edit(name, old, new):
    return lambda project: project.edit(name, old, new)


def _figure(old, new):
    return lambda project: project.edit(project.figures, old, new)


def _cut(length):
    return lambda project: project.cut(project.areas, length)


def _geojson(content):
    def alter(project):
        (project / "data/areas.geojson").write_bytes(content)
        project.edit("layers/districts.toml", "areas.gpkg", "areas.geojson")

    return alter


def _web_mercator(project):
    project.put_areas(squares().to_crs(3857))
    project.edit("layers/districts.toml", "EPSG:3006", "EPSG:3857")


def _degrees_called_metres(project):
    project.put_areas(squares().to_crs(4326).set_crs(3006, allow_override=True))


def _no_polygons(project):
    frame = squares()
    project.put_areas(frame.set_geometry(frame.centroid))


# What is broken → how, and the line that is said (from the size of the whole GeoPackage where it names that).
CASES = {
    "no coordinate system": (
        _areas(crs=None),
        (
            "data/areas.gpkg: the geometries have no coordinate system. Expected: one written in the file; geoplan "
            "never guesses it. Hint: write it into the file (QGIS: Export, or `ogr2ogr -a_srs EPSG:3006`); if you know "
            'which one it is, the layer\'s TOML may say `crs = "EPSG:…"` with `assign_crs = true`'
        ),
    ),
    "web mercator": (
        _web_mercator,
        (
            "data/areas.gpkg: EPSG:3857 stretches lengths by 1.96 at latitude 59.3. Expected: a linear scale within 1 "
            "% of true at the centre of the data. Hint: reproject to the national grid, such as EPSG:3006 (Sweden) or "
            "EPSG:25832 (Denmark)"
        ),
    ),
    "another system than declared": (
        _edit("layers/districts.toml", "EPSG:3006", "EPSG:25832"),
        (
            "data/areas.gpkg: the file is in EPSG:3006 but the layer declares EPSG:25832. Hint: correct `crs` in the "
            "layer's TOML, or fetch the file in the declared system"
        ),
    ),
    "no such system": (
        _edit("layers/districts.toml", "EPSG:3006", "EPSG:30066"),
        f"layers/districts.toml, key 'crs': {NO_SYSTEM}",
    ),
    "no such system in the scenario": (
        _edit("scenarios/four.toml", 'layers = ["districts"]', 'layers = ["districts"]\ncrs = "EPSG:30066"'),
        f"scenarios/four.toml, key 'areas.crs': {NO_SYSTEM}",
    ),
    "degrees called metres": (
        _degrees_called_metres,
        (
            "data/areas.gpkg: read as EPSG:3006, the data lie at longitude 10.5, latitude 0.0. Expected: coordinates "
            "in the region of the system (Sweden - onshore and offshore). Hint: the file states another system than "
            "its coordinates are in, or easting and northing are swapped"
        ),
    ),
    "duplicate codes": (
        _areas(codes=("0101", "0102", "0102", "0104")),
        (
            "data/areas.gpkg, row 3, column 'code': 1 area code(s) occur more than once: '0102'. Expected: each area "
            "once. Hint: merge the parts into one multipart area, or qualify the code by municipality"
        ),
    ),
    "leading zeros lost in the areas": (
        _areas(codes=(101, 102, 103, 104)),
        (
            "data/areas.gpkg, row 1, column 'code': 4 area code(s) are shorter than 4 characters: '101', '102', '103', "
            f"'104'. {SHORTENED}"
        ),
    ),
    "leading zeros lost in the table": (
        _figure("\n0101,poor", "\n101,poor"),
        f"data/figures.csv, row 6, column 'code': 1 area code(s) are shorter than 4 characters: '101'. {SHORTENED}",
    ),
    "codes that match nothing": (
        _areas(codes=("9901", "9902", "9903", "9904")),
        (
            "data/figures.csv: none of the 4 area codes of the table ('0101', '0102', '0103' and 1 more) is among the "
            "4 areas ('9901', '9902', '9903' and 1 more). Hint: look at the id columns, the level and the leading "
            "zeros of both layers"
        ),
    ),
    "text in a number column": (
        _figure("0102,poor,2012,300", "0102,poor,2012,three hundred"),
        (
            "data/figures.csv, row 7, column 'numerator': 'three hundred' is not a number. Hint: if it is a code for a "
            "missing value, list it under `missing_codes` in the layer's TOML"
        ),
    ),
    "a decimal comma nobody declared": (
        _figure("0102,poor,2012,300,", '0102,poor,2012,"300,5",'),
        (
            "data/figures.csv, row 7, column 'numerator': '300,5' is not a number. Hint: if the comma is the decimal "
            'sign, write `decimal = ","` in the layer\'s TOML'
        ),
    ),
    "a base of 0": (
        _figure("0102,poor,2012,300,2000", "0102,poor,2012,300,0"),
        (
            "data/figures.csv, row 7, column 'denominator', area '0102': the base is 0 (poor 2012: numerator 300, "
            "denominator 0). Expected: a base above 0. Hint: where nobody lives the status is not_applicable; in a "
            'wide table `empty_base = "not_applicable"` says so'
        ),
    ),
    "a base smaller than its part": (
        _figure("0102,poor,2012,300,2000", "0102,poor,2012,300,299"),
        (
            "data/figures.csv, row 7, column 'denominator', area '0102': the base is smaller than its part (poor 2012: "
            "numerator 300, denominator 299). Expected: a numerator no larger than its denominator. Hint: a figure "
            "that may exceed its base is of kind rate, not share"
        ),
    ),
    "an empty figure without a reason": (
        _figure("0102,poor,2012,300,2000", "0102,poor,2012,,2000"),
        (
            "data/figures.csv, row 7, column 'numerator', area '0102': there is neither a number nor a reason why it "
            "is missing (poor 2012: denominator 2000). Expected: a number, or a status such as suppressed or "
            "not_collected. Hint: name what stands there under `missing_codes` in the layer's TOML, such as "
            '"" = "not_collected"'
        ),
    ),
    "a row too long": (
        _figure("0102,poor,2012,300,2000,,", "0102,poor,2012,300,5,2000,,"),
        (
            "data/figures.csv, row 7: the row has 8 values but the header has 7. Hint: a value that contains ',' must "
            "stand in quotation marks"
        ),
    ),
    "no polygons in the file": (
        lambda project: project.put_areas(squares().iloc[:0]),
        "data/areas.gpkg: the layer has no rows. Expected: at least one feature.",
    ),
    "points instead of polygons": (
        _no_polygons,
        (
            "data/areas.gpkg: 4 area(s) are no polygons but 'Point': '0101', '0102', '0103', '0104'. Expected: Polygon "
            "or MultiPolygon."
        ),
    ),
    "a GeoPackage of 0 bytes": (
        _cut(0),
        "data/areas.gpkg: the file is empty: it has 0 bytes. Hint: fetch it again",
    ),
    "a GeoPackage cut in its header": (
        _cut(20),
        f"data/areas.gpkg: the file cannot be read: it ends after 20 of 100 bytes of its header. {DAMAGED}",
    ),
    "a GeoPackage cut after its header": (
        _cut(100),
        lambda size: f"data/areas.gpkg: the file cannot be read: it ends after 100 of {size} bytes. {DAMAGED}",
    ),
    "half a GeoPackage": (
        _cut(49152),
        lambda size: f"data/areas.gpkg: the file cannot be read: it ends after 49152 of {size} bytes. {DAMAGED}",
    ),
    "a GeoPackage without its last page": (
        _cut(-4096),
        lambda size: (
            f"data/areas.gpkg: the file cannot be read: it ends after {size - 4096} of {size} bytes. {DAMAGED}"
        ),
    ),
    "a GeoPackage without its last byte": (
        _cut(-1),
        lambda size: f"data/areas.gpkg: the file cannot be read: it ends after {size - 1} of {size} bytes. {DAMAGED}",
    ),
    "a GeoPackage that is none": (
        lambda project: (project / project.areas).write_text("404 Not Found" * 20),
        f"data/areas.gpkg: the file cannot be read: this is not a GeoPackage. {DAMAGED}",
    ),
    "a truncated GeoJSON": (
        _geojson(b'{"type": "FeatureCollection", "features": [{"type": "Fea'),
        (
            "data/areas.geojson: the file cannot be read: this is not valid JSON (Unterminated string starting at: "
            f"line 1 column 53 (char 52)). {DAMAGED}"
        ),
    ),
    "a GeoJSON of garbage": (
        _geojson(b"<html>Sign in</html>"),
        (
            "data/areas.geojson: the file cannot be read: this is not valid JSON (Expecting value: line 1 column 1 "
            f"(char 0)). {DAMAGED}"
        ),
    ),
    "an unknown key in a layer": (
        _edit("layers/districts.toml", "id_width", "idwidth"),
        "layers/districts.toml, key 'idwidth': unknown key 'idwidth'. Hint: did you mean 'id_width'?",
    ),
    "an unknown key in a scenario": (
        _edit("scenarios/four.toml", "[index]", "[index]\nminimum_populaton = 3"),
        (
            "scenarios/four.toml, key 'index.minimum_populaton': unknown key 'minimum_populaton'. Hint: did you mean "
            "'minimum_population'?"
        ),
    ),
    "an unknown key in a map": (
        _edit("maps/plain.toml", "k = 3", "classes = 3"),
        (
            "maps/plain.toml, key 'classes': unknown key 'classes'. Hint: one of 'breaks', 'k', 'midpoint', 'note', "
            "'palette', 'scheme', 'title', 'value'"
        ),
    ),
    "a key that must be there": (
        _edit("layers/districts.toml", 'level = "stadsdel"\n', ""),
        (
            "layers/districts.toml, key 'level': the key is missing. Expected: What kind of area it is: basomrade, "
            "stadsdel, deso, boligafdeling …."
        ),
    ),
    "a value of the wrong type": (
        _edit("scenarios/four.toml", "[index]", '[index]\nminimum_population = "many"'),
        "scenarios/four.toml, key 'index.minimum_population': 'many' does not fit. Expected: a whole number.",
    ),
    "no TOML": (
        _edit("layers/figures.toml", "id_width = 4", "id_width 4"),
        (
            "layers/figures.toml: this is not valid TOML: Expected '=' after a key in a key/value pair (at line 9, "
            "column 10)."
        ),
    ),
    "a layer of an unknown kind": (
        _edit("layers/districts.toml", 'kind = "areas"', 'kind = "area"'),
        "layers/districts.toml, key 'kind': no kind of layer is called 'area'. Hint: did you mean 'areas'?",
    ),
    "a layer that is not there": (
        _edit("scenarios/four.toml", '["figures"]', '["figurs"]'),
        "scenarios/four.toml, key 'indicators.layers': no layer is called 'figurs'. Hint: did you mean 'figures'?",
    ),
    "a layer of the wrong kind": (
        _edit("scenarios/four.toml", '["districts"]', '["figures"]'),
        (
            "scenarios/four.toml, key 'areas.layers': the layer 'figures' is of kind 'indicators'. Expected: a layer "
            "of kind 'areas'."
        ),
    ),
    "a map that is not there": (
        _edit("scenarios/four.toml", '["plain"]', '["plane"]'),
        "scenarios/four.toml, key 'output.maps': no map is called 'plane'. Hint: did you mean 'plain'?",
    ),
    "an indicator that is not there": (
        _edit("scenarios/four.toml", '["crime"]', '["crimes"]'),
        (
            "scenarios/four.toml, key 'index.domains.1.indicators': no indicator is called 'crimes'. Hint: did you "
            "mean 'crime'?"
        ),
    ),
    "a file that is not there": (
        lambda project: (project / project.figures).unlink(),
        "data/figures.csv: there is no such file. Hint: `path` in layers/figures.toml points there",
    ),
    "a file that changed": (
        _edit("layers/figures.toml", "id_width = 4", f'id_width = 4\nsha256 = "{"0" * 64}"'),
        (
            "data/figures.csv: the file is not the one the catalogue describes: its SHA-256 differs. Hint: fetch it "
            "again, or update `sha256` and `vintage` in layers/figures.toml if it was renewed"
        ),
    ),
    "a file of another format": (
        lambda project: (
            (project / project.figures).rename(project / "data/figures.xls"),
            project.edit("layers/figures.toml", "figures.csv", "figures.xls"),
        ),
        (
            "data/figures.xls: '.xls' is not a format of tables. Expected: '.csv', '.txt', '.tsv', '.xlsx', '.xlsm', "
            "'.parquet'. Hint: save an old .xls workbook as .xlsx"
        ),
    ),
    "a column of the areas that is not there": (
        _edit("layers/districts.toml", '"name"', '"namn"'),
        "layers/districts.toml, key 'name_column': there is no column 'namn' in the data. Hint: did you mean 'name'?",
    ),
    "a column of the table that is not there": (
        _edit("layers/figures.toml", '"code"', '"kod"'),
        (
            "layers/figures.toml, key 'id_column': there is no column 'kod' in the data. Hint: one of 'code', "
            "'denominator', 'indicator', 'numerator', 'period', 'status', 'value'"
        ),
    ),
    "a variable that is not set": (
        _edit("layers/figures.toml", "../data", "${GEOPLAN_NOT_SET}"),
        (
            "layers/figures.toml, key 'path': the environment variable GEOPLAN_NOT_SET is not set. Hint: export "
            "GEOPLAN_NOT_SET=/folder/with/the/data"
        ),
    ),
}

REAL = [
    "no coordinate system",
    "web mercator",
    "duplicate codes",
    "leading zeros lost in the table",
    "text in a number column",
    "a GeoPackage without its last page",
    "an unknown key in a scenario",
]


def _broken(project, case):
    """Break the project and return what must be said about it."""
    alter, said = CASES[case]
    size = (project / project.areas).stat().st_size
    alter(project)
    return said(size) if callable(said) else said


def _nothing_was_written(project, before):
    assert project.snapshot() == before


@pytest.mark.parametrize("case", CASES)
def test_bad_input_says_what_is_wrong_and_writes_nothing(case, project, geoplan):
    said = _broken(project, case)
    before = project.snapshot()
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert ended.faults == [said]
    assert ended.err.splitlines()[0] == "geoplan found 1 fault:"
    assert (ended.code, ended.out) == (2, "")
    _nothing_was_written(project, before)


@pytest.mark.parametrize("case", REAL)
def test_bad_input_ends_the_real_command_with_exit_code_2_and_no_traceback(case, project, command):
    said = _broken(project, case)
    before = project.snapshot()
    process = command("run", project.scenario, cwd=project.root)
    out, err = process.communicate(timeout=60)
    assert err.splitlines() == ["geoplan found 1 fault:", f"  {said}"]
    assert "Traceback" not in err
    assert (process.returncode, out) == (2, "")
    _nothing_was_written(project, before)


def test_bad_input_leaves_no_folders_made_on_the_way_to_the_output(project, geoplan):
    (project / project.figures).unlink()
    before = project.snapshot()
    assert geoplan("run", project.scenario, "--out", "a/b/c", cwd=project.root).code == 2
    _nothing_was_written(project, before)


def _earlier_run(project):
    """Put a run where the next one goes: what counts is its manifest, and that its files are not touched."""
    folder = project / "build/four"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"geoplan": "0.0.1"}', encoding="utf-8")
    (folder / "ranking.csv").write_text("rank,area_id\n", encoding="utf-8")


def test_bad_input_leaves_an_earlier_run_as_it_was(project, geoplan):
    _earlier_run(project)
    project.edit(project.figures, "0102,poor,2012,300", "0102,poor,2012,x")
    before = project.snapshot()
    assert geoplan("run", project.scenario, cwd=project.root).code == 2
    _nothing_was_written(project, before)


def test_a_scenario_that_is_not_there_is_named(project, geoplan):
    ended = geoplan("run", "scenarios/fore.toml", cwd=project.root)
    assert ended.faults == ["scenarios/fore.toml: there is no such scenario. Hint: did you mean 'scenarios/four.toml'?"]
    assert ended.code == 2


# ---------------------------------------------------------------- all at once

FIVE = [
    "layers/districts.toml, key 'idwidth': unknown key 'idwidth'. Hint: did you mean 'id_width'?",
    "data/figures.csv, row 6, column 'code': 1 area code(s) are shorter than 4 characters: '101'. " + SHORTENED,
    (
        "data/figures.csv, row 7, column 'numerator': 'x' is not a number. Hint: if it is a code for a missing value, "
        "list it under `missing_codes` in the layer's TOML"
    ),
    "maps/plain.toml, key 'k': 'three' does not fit. Expected: a whole number.",
    (
        "scenarios/four.toml, key 'index.minimum_populaton': unknown key 'minimum_populaton'. Hint: did you mean "
        "'minimum_population'?"
    ),
]


@pytest.fixture
def five_faults(project):
    project.edit("layers/districts.toml", "id_width", "idwidth")
    project.edit(project.figures, "\n0101,poor", "\n101,poor")
    project.edit(project.figures, "0102,poor,2012,300", "0102,poor,2012,x")
    project.edit("maps/plain.toml", "k = 3", 'k = "three"')
    project.edit("scenarios/four.toml", "[index]", "[index]\nminimum_populaton = 3")
    return project


def test_check_tells_every_fault_of_a_project_at_once_and_in_order(five_faults, geoplan):
    ended = geoplan("check", cwd=five_faults.root)
    assert ended.err.splitlines()[0] == "geoplan found 5 faults:"
    assert ended.faults == FIVE
    assert ended.code == 2


def test_check_from_python_returns_the_same_faults_as_data(five_faults):
    report = check_project(five_faults.root)
    assert [str(fault) for fault in report.faults] == FIVE
    assert [fault.key for fault in report.faults] == ["idwidth", None, None, "k", "index.minimum_populaton"]


def test_check_tells_a_fault_of_a_layer_once_though_the_scenario_meets_it_too(project, geoplan):
    project.edit("layers/figures.toml", "id_width = 4", "id_width 4")
    ended = geoplan("check", cwd=project.root)
    assert len(ended.faults) == 1


def test_check_of_a_sound_project_finds_nothing_and_writes_nothing(project, geoplan):
    before = project.snapshot()
    ended = geoplan("check", cwd=project.root)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == "4 files checked, no faults."
    _nothing_was_written(project, before)


def test_check_of_a_folder_that_is_no_project_says_so(project, geoplan):
    ended = geoplan("check", "data", cwd=project.root)
    expected = "Expected: a folder with layers/*.toml, scenarios/*.toml and maps/*.toml."
    assert ended.faults == [f"data: this is not a project of geoplan. {expected}"]
    assert ended.code == 2


def test_errors_can_be_caught_as_value_errors_in_a_notebook(five_faults):
    report = check_project(five_faults.root)
    with pytest.raises(ValueError, match="unknown key 'idwidth'"):
        raise InputError(report.faults)


# ---------------------------------------------------------------- where it cannot be written

NO_PLACE = "Expected: a place with room that you may write to. Hint: choose another with --out"
NO_RUN = "this is not a folder that geoplan wrote. Expected: a new or empty folder, or an earlier run. Hint: choose"


def _fails_to_write(project, geoplan, out, said):
    before = project.snapshot()
    ended = geoplan("run", project.scenario, "--out", out, cwd=project.root)
    assert ended.err == f"geoplan cannot go on: {said}\n"
    assert (ended.code, ended.out) == (2, "")
    _nothing_was_written(project, before)


def test_output_below_a_file_is_refused(project, geoplan):
    (project / "note").write_text("kept", encoding="utf-8")
    said = f"{project / 'note/run'}: the folder cannot be written ('note' on the way is a file). {NO_PLACE}"
    _fails_to_write(project, geoplan, "note/run", said)


def test_output_that_is_a_file_is_refused(project, geoplan):
    (project / "note").write_text("kept", encoding="utf-8")
    _fails_to_write(project, geoplan, "note", f"{project / 'note'}: {NO_RUN} another with --out")


def test_output_folder_with_something_else_in_it_is_refused(project, geoplan):
    _fails_to_write(project, geoplan, "data", f"{project / 'data'}: {NO_RUN} another with --out")


def test_output_folder_with_the_manifest_of_another_program_is_refused(project, geoplan):
    (project / "site").mkdir()
    (project / "site/manifest.json").write_text('{"name": "A web page"}', encoding="utf-8")
    _fails_to_write(project, geoplan, "site", f"{project / 'site'}: {NO_RUN} another with --out")


def test_output_on_a_file_system_that_takes_no_folders_is_refused(project, geoplan):
    # /proc refuses root, too, which no mode bits do.
    said = f"/proc/geoplan: the folder cannot be written (no such file or directory). {NO_PLACE}"
    _fails_to_write(project, geoplan, "/proc/geoplan", said)


def test_output_folder_not_writable_is_refused_by_the_real_command(project, command):
    if os.geteuid() == 0:
        out, reason = "/proc/geoplan", "no such file or directory"  # mode bits do not bind root
    else:
        (project / "closed").mkdir(mode=0o500)
        out, reason = project / "closed/run", "permission denied"
    before = project.snapshot()
    process = command("run", project.scenario, "--out", out, cwd=project.root)
    _, err = process.communicate(timeout=60)
    assert err == f"geoplan cannot go on: {out}: the folder cannot be written ({reason}). {NO_PLACE}\n"
    assert process.returncode == 2
    _nothing_was_written(project, before)


# ---------------------------------------------------------------- interrupted


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_leaves_the_old_one_as_it_was_and_nothing_beside_it(name, project, command):
    _earlier_run(project)
    before = project.snapshot()
    process = command("run", project.scenario, cwd=project.root)
    _wait_for_half_output(project / "build", process)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Interrupted; nothing was written.\n")
    _nothing_was_written(project, before)


@pytest.mark.parametrize("words", [["run"], ["run", "--output", "x"], ["rum"], ["explain", "build/four"]])
def test_a_misspelt_command_line_ends_with_exit_code_2_and_no_traceback(words, project, command):
    process = command(*words, cwd=project.root)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (2, False)


def _wait_for_half_output(folder, process):
    """Wait until the new run's temporary folder holds its first file: the writing is under way."""
    until = time.monotonic() + 60
    while not any(folder.glob(".*.partial/*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "the run never began to write"
        time.sleep(0.005)


# ---------------------------------------------------------------- what a review found: odd but ordinary input


def test_two_layers_of_one_level_are_told(project, geoplan):
    text = (project / "layers/districts.toml").read_text(encoding="utf-8")
    (project / "layers/more.toml").write_text(text, encoding="utf-8")
    project.edit(project.scenario, 'layers = ["districts"]', 'layers = ["districts", "more"]')
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert ended.code == 2
    assert ended.faults == [
        "scenarios/four.toml, key 'areas.layers': several layers are of level 'stadsdel'. Expected: one layer a level."
    ]


def test_a_domain_cannot_be_called_as_a_column_of_the_ranking_is(project, geoplan):
    project.edit(project.scenario, 'id = "safety"', 'id = "rank"')
    ended = geoplan("check", cwd=project.root)
    assert ended.code == 2
    assert "the ranked list has columns called 'rank'" in ended.faults[0]


def test_a_run_without_maps_is_refused(project, geoplan):
    project.edit(project.scenario, 'maps = ["plain"]', "maps = []")
    ended = geoplan("check", cwd=project.root)
    assert ended.code == 2
    assert ended.faults[0].startswith("scenarios/four.toml, key 'output.maps'")


def test_a_single_area_is_run_and_explained(project, geoplan):
    squares_of_one = squares(codes=("0101",))
    project.put_areas(squares_of_one)
    lines = (project / project.figures).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("code", "0101"))]
    (project / project.figures).write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert geoplan("run", project.scenario, cwd=project.root).code == 0
    told = geoplan("explain", "build/four", "0101", cwd=project.root)
    assert told.code == 0
    assert "rank 1 of 1; the same as the city. The rest of the city has nothing to compare with." in " ".join(
        told.out.split()
    )


def test_points_and_rasters_are_checked(project, geoplan):
    common = 'title = "t"\nsource = "s"\nlicence = "MIT"\nvintage = "2012"\n'
    columns = 'id_column = "cod"\nvalue_column = "jobs"\n'
    points = f'kind = "points"\npath = "../data/areas.gpkg"\ncrs = "EPSG:3006"\n{columns}{common}'
    raster = (
        f'kind = "raster"\npath = "../data/areas.gpkg"\ncrs = "EPSG:99999"\nunit = "persons"\nperiod = 2012\n{common}'
    )
    (project / "layers/points.toml").write_text(points, encoding="utf-8")
    (project / "layers/raster.toml").write_text(raster, encoding="utf-8")
    ended = geoplan("check", cwd=project.root)
    assert ended.code == 2
    said = "\n".join(ended.faults)
    assert "there is no column 'cod'" in said
    assert "there is no column 'jobs'" in said
    assert "'EPSG:99999' is not a coordinate system" in said


def test_areas_without_a_name_go_by_their_code(project, geoplan):
    unnamed = squares()
    unnamed.loc[0, "name"] = None
    project.put_areas(unnamed)
    ended = geoplan("check", cwd=project.root)
    assert ended.code == 0
    assert "1 area has no name; the code stands in for it" in ended.out


def test_a_map_of_something_that_is_not_there_is_told_with_its_file(project, geoplan):
    project.edit("maps/plain.toml", 'value = "score"', 'value = "scor"')
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert ended.faults == [
        "maps/plain.toml, key 'value': no figure of the run is called 'scor'. Hint: did you mean 'score'?"
    ]


def test_another_scenarios_run_is_not_replaced_without_a_word(project, geoplan):
    assert geoplan("run", project.scenario, cwd=project.root).code == 0
    project.edit(project.scenario, 'title = "Four squares"', 'title = "Four other squares"')
    again = geoplan("run", project.scenario, cwd=project.root)
    assert "this replaced an earlier run of another scenario: Four squares" in again.out
