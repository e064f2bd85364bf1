"""`geoplan check` with the linter: exit codes, lists in short and in full, and JSON."""

from __future__ import annotations

import json

import pytest
from strategies import CODES

from geoplan.run import check_project

TOTAL = 'id_width = 4\ntotal_row = "Total"\n'


def _append(project, *rows):
    path = project / project.figures
    path.write_text(path.read_text(encoding="utf-8") + "".join(f"{row}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def wrong_total(project):
    project.edit("layers/figures.toml", "id_width = 4\n", TOTAL)
    _append(project, "Total,population,2012,10001,,,")
    return project


@pytest.fixture
def copied(project):
    """Figures of 2010 and 2011 that are those of 2012, in two areas."""
    _append(project, *[f"{code},population,{year},{code[-1]}000,,," for code in CODES[:2] for year in (2010, 2011)])
    return project


COPIED = "population: the very same figure in every year from 2010 to 2012 in 2 of 2 areas. [L13 copied forward]"


def test_a_fault_of_the_linter_is_told_with_its_rule_and_exit_code_2(wrong_total, geoplan):
    before = wrong_total.snapshot()
    ended = geoplan("check", cwd=wrong_total.root)
    assert ended.code == 2
    assert ended.err.splitlines()[0] == "geoplan found 1 fault:"
    assert ended.faults == [
        (
            "data/figures.csv: population 2012: the counts of 4 areas add up to 10,000, the total in the file is "
            "10,001 (difference -1). [L01 sums]"
        )
    ]
    assert "no faults" not in ended.out
    assert wrong_total.snapshot() == before


def test_a_total_that_is_right_is_taken_out_and_nothing_is_said(project, geoplan):
    project.edit("layers/figures.toml", "id_width = 4\n", TOTAL)
    _append(project, "Total,population,2012,10000,,,")
    ended = geoplan("check", cwd=project.root)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == "4 files checked, no faults."


def test_a_total_that_is_no_number_is_told_with_its_row(wrong_total, geoplan):
    wrong_total.edit(wrong_total.figures, "10001", "many")
    ended = geoplan("check", cwd=wrong_total.root)
    assert ended.code == 2
    assert ended.faults[0].startswith("data/figures.csv, row 14, column 'numerator': 'many' is not a number.")


def test_a_key_at_fault_names_the_toml(project, geoplan):
    project.edit("layers/figures.toml", "id_width = 4\n", "id_width = 4\nstated_areas = 5\n")
    ended = geoplan("check", cwd=project.root)
    assert ended.faults[0].startswith("layers/figures.toml, key 'stated_areas': 4 areas are listed, the publisher")


def test_notes_are_told_by_file_and_are_no_fault_unless_strict(copied, geoplan):
    ended = geoplan("check", cwd=copied.root)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[-3:] == [
        "data/figures.csv: 1 note of the linter",
        f"  area '0101': {COPIED}",
        "4 files checked, no faults, 1 note of the linter.",
    ]
    strict = geoplan("check", "--strict", cwd=copied.root)
    assert (strict.code, strict.out) == (2, ended.out)


def test_faults_come_before_notes(wrong_total, geoplan):
    wrong_total.edit("layers/figures.toml", 'subject = "safety"\n', "")
    ended = geoplan("check", cwd=wrong_total.root)
    assert ended.code == 2
    assert "scenarios/four.toml: 1 note of the linter" in ended.out
    assert "2 of 2 indicators of the index do not say what they are about" in ended.out


def test_a_narrow_index_and_a_year_after_the_report_are_told_of_the_scenario(project, geoplan):
    project.edit("layers/figures.toml", 'subject = "safety"', 'subject = "work"')
    project.edit("layers/figures.toml", 'label = "Low income"\n', 'label = "Low income"\nsubject = "income"\n')
    project.edit(project.scenario, "date = 2013-03-15", "date = 2011-03-15")
    ended = geoplan("check", cwd=project.root)
    assert ended.faults == [
        (
            "scenarios/four.toml, key 'period': the period 2012 lies after the report's date, 2011-03-15. "
            "[L19 after the report]"
        )
    ]
    assert "the index stands on work and income only: it cannot see safety, health or housing" in ended.out


def test_long_lists_are_cut_and_told_in_full_when_asked(project, geoplan):
    _append(project, *[f"{code},poor,{year},1,100,1.4," for code in CODES for year in (2010, 2011)])
    ended = geoplan("check", cwd=project.root)
    assert ended.code == 2
    assert ended.err.splitlines()[0] == "geoplan found 8 faults:"
    assert len(ended.faults) == 6
    assert ended.faults[-1] == "data/figures.csv: and 3 more [L04 rates]; --all shows them"
    full = geoplan("check", "--all", cwd=project.root)
    assert len(full.faults) == 8
    assert all(line.endswith("[L04 rates]") for line in full.faults)


@pytest.mark.usefixtures("copied")
def test_json_holds_everything_and_the_exit_code_is_the_same(wrong_total, geoplan):
    ended = geoplan("check", "--json", cwd=wrong_total.root)
    assert (ended.code, ended.err) == (2, "")
    told = json.loads(ended.out)
    assert told["checked"] == ["layers/districts.toml", "layers/figures.toml", "maps/plain.toml", "scenarios/four.toml"]
    (fault,) = told["faults"]
    assert (fault["kind"], fault["severity"], fault["file"]) == ("L01 sums", "fault", "data/figures.csv")
    (note,) = told["findings"]
    assert (note["kind"], note["severity"], note["area"]) == ("L13 copied forward", "note", "0101")
    assert {"file": "scenarios/four.toml", "what": "4 areas ranked, 0 listed without a rank"} in told["notes"]


def test_json_of_a_plain_fault_has_no_rule(project, geoplan):
    project.edit(project.figures, "0102,poor,2012,300", "0102,poor,2012,x")
    told = json.loads(geoplan("check", "--json", cwd=project.root).out)
    assert [(item["kind"], item["row"], item["column"]) for item in told["faults"]] == [(None, 7, "numerator")]


LARGER = """\
kind = "indicators"
title = "Figures of the town"
path = "../data/town.csv"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
level = "kommun"
id_column = "code"

[[indicators]]
id = "population"
label = "Residents"
kind = "count"
unit = "persons"
direction = "neutral"
"""
MEMBERSHIP = """\
kind = "membership"
title = "Districts of the town"
path = "../data/membership.csv"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
"""


def test_a_town_that_is_not_the_sum_of_its_districts_is_told(project, geoplan):
    (project / "layers/town.toml").write_text(LARGER, encoding="utf-8")
    (project / "layers/membership.toml").write_text(MEMBERSHIP, encoding="utf-8")
    (project / "data/town.csv").write_text("code,indicator,period,value\n01,population,2012,10007\n", encoding="utf-8")
    rows = "".join(f"{code},01\n" for code in CODES)
    (project / "data/membership.csv").write_text(f"child_id,parent_id\n{rows}", encoding="utf-8")
    ended = geoplan("check", cwd=project.root)
    assert ended.faults == [
        (
            "data/town.csv, area '01': population 2012: the counts of 4 smaller areas add up to 10,000, the area's own "
            "is 10,007 (difference -7). Hint: the smaller areas' figures are in data/figures.csv [L16 two levels]"
        )
    ]
    (project / "layers/membership.toml").unlink()
    assert geoplan("check", cwd=project.root).code == 0


def test_bases_are_compared_among_the_tables_of_a_scenario_and_told_once(project):
    text = (project / "layers/figures.toml").read_text(encoding="utf-8")
    for name, indicator in (("poor", "Low income"), ("crime", "Reported crimes")):
        text = text.replace(f'label = "{indicator}"\n', f'label = "{indicator}"\nbase = "Residents"\n')
        assert f'id = "{name}"' in text
    (project / "layers/figures.toml").write_text(text, encoding="utf-8")
    project.edit(project.figures, "0102,crime,2012,80,2000", "0102,crime,2012,80,2100")
    report = check_project(project.root)
    assert report.faults == []
    assert [(item.file, item.kind, item.area) for item in report.findings] == [
        ("data/figures.csv", "L08 base between tables", "0102")
    ]
