"""The choice of areas in a scenario, in a run folder and at the command line."""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile

import geopandas as gpd
import openpyxl
import pandas as pd
import pypdf
import pytest
from strategies import squares

import geoplan as gp
from geoplan.errors import DisclosureError, InputError
from geoplan.run.choosing import choice_of, selection_for
from geoplan.run.designating import outcomes_of
from geoplan.run.publishing import rules_must_be_public
from geoplan.sources import home

TARGETING = """\
[targeting]
rule = "own"
need = "poor"
nominated = [{ area_id = "0101", by = "The town", on = 2013-02-01, note = "as agreed" }]

[output]"""
OWN = """\
title = { sv = "Egen regel", da = "Egen regel", en = "A rule of our own" }
family = "own"
law = "Decision 7"
authority = "The town"
since = 2013-01-01
source = "Minutes of the board"

[[criteria]]
id = "poor"
label = { sv = "Låg inkomst", da = "Lav indkomst", en = "Low income above 20 per cent" }
indicator = "poor"
compare = "above"
limit = 20

[[criteria]]
id = "crime"
label = { sv = "Brott", da = "Lovbrud", en = "Crimes above the town's" }
indicator = "crime"
compare = "above"
factor = 1
of = "city"

[[statuses]]
id = "chosen"
label = { sv = "Uppfyller regeln", da = "Opfylder reglen", en = "Meets the rule" }
term = { en = "special area" }
minimum_population = 1500
criteria = ["poor"]
"""


TIES = """\
kind = "membership"
title = "Squares and towns"
path = "../data/ties.csv"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
child_column = "child"
parent_column = "parent"
relation_column = "relation"
"""


@pytest.fixture
def said(geoplan, choosing):
    """Run ``geoplan rules …`` in the project; returns what was printed."""

    def run(*words):
        done = geoplan("rules", *words, cwd=choosing.root)
        assert done.code == 0, done.err
        return done.out

    return run


@pytest.fixture
def choosing(project):
    """The four squares with a rule of their own: shares of 10, 15, 20 and 25 % in areas of 1,000 to 4,000."""
    (project / "rules").mkdir()
    (project / "rules" / "own.toml").write_text(OWN, encoding="utf-8")
    project.edit(project.scenario, "[output]", TARGETING)
    return project


def test_a_rule_of_ones_own_without_code(choosing):
    run = gp.open_run(choosing / choosing.scenario)
    found = run.chosen_rule()
    assert found.chosen == ["0104"]  # 0103 has 20 %, which is not above 20
    rows = found.criteria.set_index(["area_id", "criterion"])
    assert rows.loc[("0103", "poor"), "margin"] == 1  # 601 of 3,000
    assert rows.loc[("0104", "poor"), "margin"] == -200  # 800 of 4,000
    assert rows.loc[("0101", "population"), "margin"] == 500
    assert rows.loc[("0101", "crime"), "limit"] == 30  # 300 crimes of 10,000 residents
    assert found.table.loc["0101", ["nominated_by", "reason"]].tolist() == ["The town", "small_population"]


def test_a_run_writes_map_margins_and_log(choosing, tmp_path):
    folder = gp.write_run(gp.open_run(choosing / choosing.scenario), tmp_path / "run")
    assert {"designations.png", "designations.svg", "designations.pdf", "choice.xlsx"} <= {
        p.name for p in folder.iterdir()
    }
    with (folder / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        log = {row["Code"]: row for row in csv.DictReader(file)}
    assert log["0104"]["Outcome"] == "Meets the conditions"
    assert log["0101"]["Outcome"] == "Nominated, does not meet the conditions"
    assert [log["0101"][head] for head in ("Nominated by", "Nominated on", "Note")] == [
        "The town",
        "2013-02-01",
        "as agreed",
    ]
    assert {row["Act or decision"] for row in log.values()} == {"Decision 7"}
    assert {row["In force"] for row in log.values()} == {"2013-01-01 –"}
    book = openpyxl.load_workbook(folder / "choice.xlsx")
    assert book.sheetnames[:2] == ["Choice of areas", "Margins"]
    rows = list(book["Margins"].iter_rows(values_only=True))
    heads = rows[0]
    own = next(
        row for row in rows if row[0] == "0103" and row[heads.index("Criterion")] == "Low income above 20 per cent"
    )
    assert own[heads.index("Change that would alter it")] == 1
    assert own[heads.index("Met")] == "no"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["targeting"]["own"]
    assert manifest["chosen"] == ["0104"]
    assert manifest["rule"]["law"] == "Decision 7"


def test_explain_says_what_the_rule_makes_of_an_area(geoplan, choosing):
    assert geoplan("run", choosing.scenario, cwd=choosing.root).code == 0
    told = geoplan("explain", "build/four", "Square 3", cwd=choosing.root).out
    assert "A rule of our own: Does not meet the conditions (too few criteria are met)." in told
    assert "It does not qualify; it would with 1 more (Low income above 20 per cent)." in told
    data = json.loads(geoplan("explain", "build/four", "0104", "--json", cwd=choosing.root).out)
    assert data["decision"] == "Meets the conditions"


def test_rule_of_a_file_and_json(said, choosing):
    data = json.loads(said("apply", "rules/own.toml", choosing.scenario, "--json"))
    assert [row["area_id"] for row in data["areas"] if row["qualified"]] == ["0104"]
    assert {row["criterion"] for row in data["criteria"]} == {"poor", "crime", "population"}
    assert json.loads(said("show", "own", "--json"))["law"] == "Decision 7"
    assert set(json.loads(said("list", "--json"))) > {"own", "se_2012"}


def test_rules_at_the_command_line(said, choosing):
    listed = said("list")
    assert "own" in listed
    assert "dk_2018" in listed
    assert 'in the statute: "special area"' in said("show", "own")
    assert "1 of 4 areas qualifies (Meets the rule)" in said("apply", "own", choosing.scenario)
    why = said("apply", "own", choosing.scenario, "--area", "square 3")
    assert "20 % of 3,000, limit 20 %: not met; 1 more would change that" in why
    differ = said("diff", "own", "index_quintile", choosing.scenario)
    assert "criterion falls away: poor above 20" in differ
    assert "criterion is new: index score among the 20 % highest" in differ
    said("apply", "own", choosing.scenario, "--out", "margins.csv")
    assert "0103" in (choosing / "margins.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("apply se_2013 SCENARIO", "no rule book is called 'se_2013'. Hint: did you mean 'se_2012'?"),
        ("apply own SCENARIO --reference national=x", "key '--reference': 'national=x' is no value"),
        ("apply own SCENARIO --reference city=3", "no reference that the rule asks for is called 'city.city'"),
        ("apply own SCENARIO --use por=poor", "key '--use': no indicator of the rule is called 'por'"),
        ("diff own se_2012 SCENARIO --use por=poor", "key '--use': no indicator of the rule is called 'por'"),
        ("apply own SCENARIO --listed North", "key '--listed': the rule holds everywhere"),
        ("apply scb_area_types SCENARIO", "key 'preset': no indicator of the table is called 'low_education'"),
        ("list --language xx", "no language is called 'xx'"),
        ("show own --language xx", "no language is called 'xx'"),
        ("apply own SCENARIO --use poor", "key '--use': 'poor' names no indicator"),
        ("apply own SCENARIO --period 1999", "no period of the table is called '1999'"),
        ("apply own SCENARIO --area 0109", "no area of the run is called '0109'"),
        ("show no.toml", "no.toml: there is no such file"),
        ("apply own SCENARIO --out no/where.csv", "no/where.csv: the file cannot be written"),
    ],
)
def test_bad_words_are_told(geoplan, choosing, words, line):
    done = geoplan("rules", *words.replace("SCENARIO", choosing.scenario).split(), cwd=choosing.root)
    assert done.code == 2
    assert line in done.err


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'rule = "own"',
            'rule = "ovn"',
            "key 'targeting.rule': no rule book is called 'ovn'. Hint: did you mean 'own'?",
        ),
        ('area_id = "0101"', 'area_id = "0109"', "key 'targeting.nominated': no area is called '0109'"),
        ('need = "poor"', 'need = "poor"\ncompare = ["own"]', "each rule once; twice: 'own'"),
        ('need = "poor"', 'ned = "poor"', "unknown key 'ned'. Hint: did you mean 'need'?"),
        (
            'need = "poor"',
            'compare = ["stockholm_2014"]',
            "no level of the scenario, or relation, is called 'stadsdelsnamnd'",
        ),
        (
            'need = "poor"',
            'earlier = [{ period = 2011, status = "chose", areas = ["0101"] }]',
            "key 'targeting.earlier': no status of the rules is called 'chose'. Hint: did you mean 'chosen'?",
        ),
        (
            'need = "poor"',
            'earlier = [{ period = 2011, status = "chosen", areas = ["0109"] }]',
            "key 'targeting.earlier': no area is called '0109'",
        ),
        (
            'need = "poor"',
            'references = [{ reference = "city", indicator = "crimes", value = 3, source = "S" }]',
            "key 'targeting.references': no reference that the rules ask for is called 'city.crimes'",
        ),
        ('need = "poor"', 'indicators = { por = "poor" }', "no indicator of the rules is called 'por'"),
        ('need = "poor"', 'listed = ["North"]', "no rule of the scenario holds in listed areas only"),
        ('need = "poor"', 'named_from = "kommun"', "no level of the scenario is called 'kommun'"),
    ],
)
def test_faulty_scenarios_are_told(choosing, old, new, line):
    choosing.edit(choosing.scenario, old, new)
    with pytest.raises(InputError) as caught:
        gp.open_run(choosing / choosing.scenario).selections()
    assert line in str(caught.value)


def test_faults_of_a_rule_book_name_its_file(choosing):
    choosing.edit("rules/own.toml", 'compare = "above"\nlimit = 20', 'compare = "abov"\nlimit = "x"')
    with pytest.raises(InputError) as caught:
        gp.open_run(choosing / choosing.scenario).selections()
    assert str(caught.value).count("rules/own.toml, key 'criteria.0.") == 2


def test_check_reads_rules_and_applies_those_of_scenarios(choosing):
    assert gp.check_project(choosing.root).checked.count("rules/own.toml") == 1
    choosing.edit(choosing.scenario, 'area_id = "0101"', 'area_id = "0109"')
    assert any("no area is called '0109'" in str(fault) for fault in gp.check_project(choosing.root).faults)
    choosing.edit("rules/own.toml", 'compare = "above"\nlimit = 20', 'compare = "abov"\nlimit = "x"')
    told = [str(fault) for fault in gp.check_project(choosing.root).faults]
    assert sum("rules/own.toml, key 'criteria.0." in text for text in told) == 2
    assert len(told) == 2


def test_all_that_no_rule_asks_for_is_told_at_once(choosing):
    choosing.edit(choosing.scenario, 'need = "poor"', 'listed = ["North"]\nindicators = { por = "poor" }')
    choosing.edit(choosing.scenario, 'area_id = "0101"', 'area_id = "0109"')
    with pytest.raises(InputError) as caught:
        gp.open_run(choosing / choosing.scenario).selections()
    assert {fault.key for fault in caught.value.faults} == {
        "targeting.listed",
        "targeting.indicators",
        "targeting.nominated",
    }


def test_earlier_years_without_a_version_of_the_rule_are_left_out(choosing):
    path = choosing / choosing.figures
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if ",2012," in line]
    older = [line.replace(",2012,", f",{year},") for line in rows for year in ("2011", "2013", "2012-2014")]
    path.write_text("\n".join([path.read_text(encoding="utf-8").rstrip(), *older, ""]), encoding="utf-8")
    choosing.edit(choosing.scenario, "period = 2012", "period = 2013")
    choosing.edit(choosing.scenario, "\n[output]", "\n[targeting.history]\nversions = true\n\n[output]")
    first = OWN.replace("since = 2013-01-01", "since = 2012-01-01\nuntil = 2012-12-31")
    (choosing / "rules/first.toml").write_text(first, encoding="utf-8")
    found = choice_of(gp.open_run(choosing / choosing.scenario))
    assert sorted(set(found.history.table["period"])) == ["2012", "2013"]
    assert found.left_out == ("years for which the index or the rule is not defined: 2011, 2012-2014",)


def test_met_is_of_the_criteria_of_the_chief_status(said, choosing):
    row = next(line.split() for line in said("apply", "own", choosing.scenario).splitlines() if "0104" in line)
    assert row[-4:] == ["yes", "1", "1", "4,000"]  # the rule has two criteria, and the status counts one


def test_several_criteria_of_one_indicator_are_compared_each(said, choosing):
    second = """[[criteria]]
id = "poor_milder"
label = "Low income above 15 per cent"
indicator = "poor"
compare = "above"
limit = 15

[[statuses]]"""
    text = (choosing / "rules/own.toml").read_text(encoding="utf-8")
    (choosing / "rules/milder.toml").write_text(text.replace("[[statuses]]", second), encoding="utf-8")
    assert said("diff", "own", "milder").splitlines()[1:] == ["criterion is new: poor above 15"]
    stricter = text.replace("[[statuses]]", second).replace("limit = 20", "limit = 25")
    (choosing / "rules/stricter.toml").write_text(stricter, encoding="utf-8")
    assert said("diff", "milder", "stricter").splitlines()[1:] == ["criterion changes: poor above 20 → poor above 25"]
    found = gp.open_run(choosing / choosing.scenario)
    rows = selection_for(found, found.catalogue.rule("milder")).criteria.set_index(["area_id", "criterion"])
    assert rows.loc[("0103", "poor"), "margin"] == 1
    assert rows.loc[("0103", "poor_milder"), "margin"] == -150


# ---------------------------------------------------------------- geoplan check


def test_check_reads_rules_and_applies_them(geoplan, choosing):
    ended = geoplan("check", cwd=choosing.root)
    assert (ended.code, ended.err) == (0, "")
    assert "scenarios/four.toml: own: 1 of 4 areas qualify." in ended.out.splitlines()
    assert ended.out.splitlines()[-1] == "5 files checked, no faults."


def test_check_tells_all_faults_of_rules_and_choice_at_once(geoplan, choosing):
    (choosing / "rules/unused.toml").write_text(OWN.replace("limit = 20", "limits = 20"), encoding="utf-8")
    choosing.edit("rules/own.toml", 'family = "own"', 'family = "own"\npreset = "imd_2091"')
    (choosing / "scenarios/other.toml").write_text(
        (choosing / choosing.scenario)
        .read_text(encoding="utf-8")
        .replace('rule = "own"\nneed = "poor"', 'rule = "se_2012"\nneed = "por"\nlisted = ["North"]'),
        encoding="utf-8",
    )
    ended = geoplan("check", cwd=choosing.root)
    assert ended.code == 2
    told = "\n".join(ended.faults)
    for line in (
        "rules/own.toml, key 'preset': no preset is called 'imd_2091'. Hint: did you mean 'imd_2019'?",
        "rules/unused.toml, key 'criteria.0.limits': unknown key 'limits'. Hint: did you mean 'limit'?",
        "scenarios/other.toml, key 'targeting.listed': areas are listed",
        "scenarios/other.toml, key 'criteria.employment': no indicator of the table is called 'employment_20_64'",
    ):
        assert line in told
    assert told.count("imd_2091") == 1


def test_check_tells_what_index_and_rules_stumble_over_once(geoplan, choosing):
    choosing.edit(choosing.figures, "0104,population,2012,4000,,,", "0104,population,2012,many,,,")
    ended = geoplan("check", cwd=choosing.root)
    assert [line for line in ended.faults if "'many' is not a number" in line] == ended.faults
    assert len(ended.faults) == 1


def test_check_tells_who_cannot_be_in_need(geoplan, choosing):
    choosing.edit(choosing.scenario, 'need = "poor"', 'need = "por"')
    ended = geoplan("check", cwd=choosing.root)
    assert ended.faults[0].startswith(
        "scenarios/four.toml, key 'targeting.need': no indicator of the scenario is called 'por'. Hint: did you mean"
    )


# ---------------------------------------------------------------- to the public


def _everything(folder):
    """Return file → all text in it: sheets, tables, the text of PDF pages, and whatever else the bytes hold."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                text = "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
        elif path.suffix == ".parquet":
            text = pd.read_parquet(path).to_csv()
        elif path.suffix == ".pdf":
            text = "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
        else:
            text = path.read_bytes().decode("utf-8", "replace")
        yield path.name, text


@pytest.fixture(scope="module")
def of_codes(tmp_path_factory):
    """The sample to the public, with names from the municipality up; returns the folder and names not to be told."""
    root = tmp_path_factory.mktemp("codes")
    for name in ("layers", "scenarios", "maps", "data"):
        shutil.copytree(home() / name, root / name)
    path = root / "scenarios/baseline.toml"
    text = path.read_text(encoding="utf-8").replace("draws = 2000", "draws = 100")
    text = text.replace("[targeting]\n", '[targeting]\nnamed_from = "kommun"\n').replace(
        'note = "Påhittat"', 'note = "Tegelvreten and Norrhamra agree"'
    )
    path.write_text(text.replace('"risk_index", "livelihood"', '"risk_index"'), encoding="utf-8")
    run = gp.open_run(path, profile="public")
    inside = gp.open_run(path)
    names = {name for level in inside.levels()[:3] for name in inside.areas(level)["name"]}
    return gp.write_run(run, root / "build"), names


def test_areas_below_named_from_are_named_in_no_file_of_a_public_run(of_codes):
    folder, names = of_codes
    assert {"Tegelvreten", "Norrhamra", "Björkhamra norra"} <= names
    words = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")
    told = {name: sorted(set(words.findall(text))) for name, text in _everything(folder)}
    assert {name: found for name, found in told.items() if found} == {}
    assert len(told) > 15


def test_a_public_run_of_codes_says_all_the_rest(of_codes):
    folder, _ = of_codes
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert 'listed = ["0099N' in manifest["scenario"]["text"]
    with (folder / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        log = {row["Kod"]: row for row in csv.DictReader(file, delimiter=";")}
    assert log["0099S08"]["Namn"] == "0099S08"
    assert log["0099S08"]["Anmärkning"] == "0099S08 and 0099N4 agree"
    assert manifest["targeting"]["stockholm_2014"]["chosen"]


@pytest.fixture
def in_towns(choosing):
    """The four squares in two towns, with three people in one of them, whom the public must not count."""
    choosing.edit(choosing.figures, "0101,poor,2012,100,1000,,", "0101,poor,2012,3,1000,,")
    two = squares().assign(town=[1, 1, 2, 2]).dissolve(by="town").reset_index(drop=True)
    two = two.assign(code=["01", "02"], name=["West", "East"])
    choosing.put_areas(two, "data/towns.gpkg")
    areas = (choosing / "layers/districts.toml").read_text(encoding="utf-8")
    areas = (
        areas.replace("areas.gpkg", "towns.gpkg").replace('"stadsdel"', '"kommun"').replace("width = 4", "width = 2")
    )
    (choosing / "layers/towns.toml").write_text(areas, encoding="utf-8")
    (choosing / "data/ties.csv").write_text(
        "child,parent,relation\n" + "".join(f"010{n},0{(n + 1) // 2},part_of\n" for n in range(1, 5)), encoding="utf-8"
    )
    (choosing / "layers/ties.toml").write_text(TIES, encoding="utf-8")
    choosing.edit(choosing.scenario, 'layers = ["districts"]', 'layers = ["districts", "towns"]\nmembership = ["ties"]')
    choosing.edit(choosing.scenario, "\n[output]", '\n[disclosure]\nlevels = ["stadsdel", "kommun"]\n\n[output]')
    return choosing


def test_what_a_rule_compares_with_must_have_passed_too(in_towns, tmp_path):
    in_towns.edit("rules/own.toml", 'of = "city"', 'of = "kommun"')
    run = gp.open_run(in_towns / in_towns.scenario, profile="public")
    assert set(run.protection().cells["area_id"]) == {"0101", "0102"}
    rules_must_be_public(run)  # the towns are shown
    in_towns.edit(in_towns.scenario, ', "kommun"]\n\n', "]\n\n")
    with pytest.raises(DisclosureError) as caught:
        gp.write_run(gp.open_run(in_towns / in_towns.scenario, profile="public"), tmp_path / "run")
    assert "the rule 'own' compares with 'crime' of an area of level 'kommun'" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_hidden_value_of_the_whole_is_no_limit(in_towns, tmp_path):
    """One of each 1,000 is poor: four in all, which the public may not count."""
    for row in ("0101,poor,2012,3,1000,,", "0102,poor,2012,300,2000,,", "0103,poor,2012,600,3000,,"):
        in_towns.edit(in_towns.figures, row, ",".join([*row.split(",")[:3], "1", *row.split(",")[4:]]))
    in_towns.edit(in_towns.figures, "0104,poor,2012,1000,4000,,", "0104,poor,2012,1,4000,,")
    in_towns.edit(in_towns.scenario, 'indicators = ["poor"]', 'indicators = ["crime"]')
    in_towns.edit(in_towns.scenario, '[[index.domains]]\nid = "safety"\nlabel = "Safety"\nindicators = ["crime"]\n', "")
    in_towns.edit("rules/own.toml", 'compare = "above"\nlimit = 20', 'compare = "above"\nfactor = 2\nof = "city"')
    with pytest.raises(DisclosureError) as caught:
        gp.write_run(gp.open_run(in_towns / in_towns.scenario, profile="public"), tmp_path / "run")
    assert "the rule 'own' compares with 'poor' of the whole, which is hidden" in str(caught.value)
    value = '[[targeting.references]]\nreference = "city"\nindicator = "poor"\nvalue = 0.1\nsource = "S"\n'
    in_towns.edit(in_towns.scenario, "[disclosure]", f"{value}\n[disclosure]")
    rules_must_be_public(gp.open_run(in_towns / in_towns.scenario, profile="public"))


# ---------------------------------------------------------------- in the language of the run


def _cells_of(folder, notes):
    """Return sheet → column → texts of a run's workbook, but for its notes."""
    book = openpyxl.load_workbook(folder / "choice.xlsx", read_only=True)
    for sheet in book:
        if sheet.title != notes:
            heads, *rows = sheet.iter_rows(values_only=True)
            for place, head in enumerate(heads):
                yield sheet.title, str(head), {row[place] for row in rows if isinstance(row[place], str)}


def test_no_english_in_the_workbook_of_a_swedish_run(sample_folder):
    english = re.compile(
        r"\b(the|of|and|areas?|merged|split|shifted|north|south|east|west|relative|yes|above|rule)\b|_"
    )
    found = {
        (sheet, head): sorted(text for text in texts if english.search(text))
        for sheet, head, texts in _cells_of(sample_folder, "Anteckningar")
        if head != "Källa"  # as their publishers call them
    }
    assert {key: told for key, told in found.items() if told} == {}
    assert len(found) > 80


def test_gpkg_log_and_workbook_tell_one_outcome(sample_run, sample_folder):
    with (sample_folder / "decisions.csv").open(encoding="utf-8-sig", newline="") as file:
        log = {row["Kod"]: row["Utfall"] for row in csv.DictReader(file, delimiter=";")}
    areas = gpd.read_file(sample_folder / "areas.gpkg", layer="areas")
    assert dict(zip(areas["area_id"], areas["decision"], strict=True)) == log
    book = openpyxl.load_workbook(sample_folder / "choice.xlsx", read_only=True)
    assert {row[0]: row[3] for row in list(book["Val av områden"].iter_rows(values_only=True))[1:]} == log
    manifest = json.loads((sample_folder / "manifest.json").read_text(encoding="utf-8"))["targeting"]
    chosen = {code for code, told in log.items() if told.startswith("Uppfyller villkoren")}
    assert chosen == set(manifest["stockholm_2014"]["chosen"])
    kinds = outcomes_of(sample_run, sample_run.chosen_rule())
    assert set(kinds.index[kinds.str.startswith("designation_yes")]) == chosen


def test_no_hidden_figure_is_in_what_rules_say():
    run = gp.open_run("scenarios/baseline.toml", profile="public")
    cells = run.protection().cells
    hidden = cells[(cells["level"] == run.spec.areas.level) & (cells["why"] != "rounded")]
    gone = set(zip(hidden["area_id"], hidden["indicator"], hidden["period"], strict=True))
    seen = 0
    for found in run.selections().values():
        uses, year = found.given.uses, int(found.period)
        for item in [item for item in found.rule.criteria if item.index is None]:
            key = uses[item.key].indicator if item.key in uses else item.key
            rows = found.criteria[found.criteria["criterion"] == item.id].set_index("area_id")
            for code, row in rows.iterrows():
                if any((code, key, str(year - back)) in gone for back in range(item.mean_years)):
                    seen += 1
                    assert row[["value", "numerator", "gap", "margin", "margin_total"]].isna().all()
                    assert pd.isna(row["meets"])
    assert seen > 5
