"""Grants in a scenario: payments to the krona, added up to an area above, and what of them follows chance."""

from __future__ import annotations

import json
import re

import openpyxl
import pytest

import geoplan as gp
from geoplan.errors import InputError
from geoplan.run.granting import grant_sheets, grants_of

CHOICE = """\
[targeting]
rule = "index_quintile"
need = "poor"

[[targeting.grants]]
id = "g"
kind = "need"
paid = "all"
measure = "need_count"
envelope = 10
unit = "tkr"

[output]"""
BY_CHANGE = """\
id = "change"
kind = "performance"
paid = "all"
envelope = 8000
guaranteed = 0.5
lag = 1
indicators = [{ indicator = "poor" }]
"""


@pytest.fixture
def granting(project):
    """The four squares, of which 100, 300, 600 and 1,000 people are poor, and a grant by their number."""
    project.edit(project.scenario, "[output]", CHOICE)
    return project


def paid_in(project, **options):
    return grants_of(gp.open_run(project / project.scenario), **options)


def test_by_the_number_in_need_to_the_krona(granting):
    paid = paid_in(granting)["g"]
    assert paid.grants.table["payment"].tolist() == [500, 1500, 3000, 5000]
    assert (paid.noise, paid.received) == (None, None)


def test_who_gets_nothing_is_told_why(granting):
    granting.edit(granting.scenario, 'unit = "tkr"', 'unit = "tkr"\nthreshold = 200\nminimum_population = 2500')
    run = gp.open_run(granting / granting.scenario)
    (sheet,) = grant_sheets(run, grants_of(run))
    rows = sheet.table.set_index("area_id")
    assert rows["payment"].tolist() == [0, 0, 3750, 6250]
    assert rows["reason"].tolist() == ["below the threshold", "too few residents", "", ""]
    assert rows["name"].tolist() == ["Square 1", "Square 2", "Square 3", "Square 4"]


def test_those_who_are_better_when_higher_are_the_others(granting):
    granting.edit("layers/figures.toml", 'id = "poor"\nlabel = "Low income"', 'id = "poor"\nlabel = "In work"')
    text = (granting / "layers/figures.toml").read_text(encoding="utf-8")
    text = text.replace('unit = "pct"\ndirection = "higher_is_worse"', 'unit = "pct"\ndirection = "higher_is_better"')
    (granting / "layers/figures.toml").write_text(text, encoding="utf-8")
    table = paid_in(granting)["g"].grants.table
    assert table["need"].tolist() == [900, 1700, 2400, 3000]


def test_by_what_changed(granting):
    head, tail = (granting / granting.scenario).read_text(encoding="utf-8").split('id = "g"')
    (granting / granting.scenario).write_text(
        f"{head}{BY_CHANGE}\n[output]{tail.split('[output]')[1]}", encoding="utf-8"
    )
    path = granting / granting.figures
    # 12, 15, 21 and 25 % the year before: better by 2, 0, 1 and 0 points.
    before = ["0101,poor,2011,120,1000,,", "0102,poor,2011,300,2000,,", "0103,poor,2011,630,3000,,"]
    rows = [path.read_text(encoding="utf-8").rstrip(), *before, "0104,poor,2011,1000,4000,,", ""]
    path.write_text("\n".join(rows), encoding="utf-8")
    paid = paid_in(granting)["change"]
    assert (paid.grants.payment_year, paid.grants.periods) == (2013, ("2011", "2012"))
    assert paid.grants.table["guaranteed"].tolist() == [1000] * 4
    assert paid.grants.table["performance"].tolist() == [2667, 0, 1333, 0]
    assert paid.noise is not None
    assert paid.noise.warn
    assert paid_in(granting, noise=False)["change"].noise is None
    for language in ("sv", "da", "en"):
        granting.edit(granting.scenario, re.search(r'language = "\w+"', (granting / granting.scenario).read_text())[0],
                      f'language = "{language}"')  # fmt: skip
        run = gp.open_run(granting / granting.scenario)
        (sheet,) = grant_sheets(run, {"change": paid})
        assert sheet.table["for_poor"].tolist() == [2667, 0, 1333, 0]
        assert [name for name in sheet.table if name not in sheet.headings] == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('unit = "tkr"', 'unit = "tkr"\nroll_up = "komun"', "key 'targeting.grants.0': no level of the scenario, or"),
        ('unit = "tkr"', 'unit = "tkr"\nneed = "crime"', "'crime' does not say how many people are in need"),
        ('unit = "tkr"', 'unit = "tkr"\nneed = "por"', "no indicator of the scenario is called 'por'"),
        ('need = "poor"\n', "", "need_count asks who is in need"),
        ('unit = "tkr"', 'unit = "tkr"\nfloor = 3', "floor"),
        (
            'kind = "need"',
            'kind = "needs"',
            "key 'targeting.grants.0.kind': no kind is called 'needs'. Hint: did you mean 'need'?",
        ),
        ('kind = "need"\n', "", "key 'targeting.grants.0.kind': the key is missing"),
        (
            'unit = "tkr"',
            'units = "tkr"',
            "key 'targeting.grants.0.units': unknown key 'units'. Hint: did you mean 'unit'?",
        ),
        (
            "envelope = 10\n",
            "",
            "key 'targeting.grants.0.envelope': the key is missing. Expected: The money of one year",
        ),
        (
            "\n[output]",
            '\n[[targeting.grants]]\nid = "g"\nkind = "need"\nenvelope = 1\n\n[output]',
            "each grant with an id of its own; twice: 'g'",
        ),
    ],
)
def test_faulty_grants_are_told_by_a_run_and_by_check(granting, geoplan, old, new, line):
    granting.edit(granting.scenario, old, new)
    with pytest.raises(InputError) as caught:
        paid_in(granting)
    assert line in str(caught.value)
    ended = geoplan("check", cwd=granting.root)
    assert ended.code == 2
    assert line in "\n".join(ended.faults)


def test_nobody_chosen_is_nobody_paid(granting, tmp_path):
    granting.edit(granting.scenario, 'paid = "all"\n', "")
    granting.edit(granting.scenario, 'rule = "index_quintile"', 'rule = "nobody"')
    (granting / "rules").mkdir()
    (granting / "rules/nobody.toml").write_text(
        'title = "Nobody"\nfamily = "f"\nlaw = "l"\nauthority = "a"\nsource = "s"\n'
        '[[criteria]]\nid = "poor"\nlabel = "P"\nindicator = "poor"\ncompare = "above"\nlimit = 99\n'
        '[[statuses]]\nid = "chosen"\nlabel = "C"\ncriteria = ["poor"]\n',
        encoding="utf-8",
    )
    folder = gp.write_run(gp.open_run(granting / granting.scenario), tmp_path / "run")
    assert "grants" not in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    notes = list(openpyxl.load_workbook(folder / "choice.xlsx")["Notes"].iter_rows(values_only=True))
    assert ("not shown", "grant g: no area is to be paid") in notes


def test_the_public_is_told_of_no_payment(granting, tmp_path):
    granting.edit(granting.scenario, "\n[output]", "\n[disclosure]\n\n[output]")
    run = gp.open_run(granting / granting.scenario, profile="public")
    assert grants_of(run) == {}
    folder = gp.write_run(run, tmp_path / "run")
    book = openpyxl.load_workbook(folder / "choice.xlsx")
    assert not [name for name in book.sheetnames if name.startswith("Grant")]
    assert ("not shown", "to the public: grants") in list(book["Notes"].iter_rows(values_only=True))


def test_the_sample_pays_its_envelopes(sample_run, sample_folder):
    manifest = json.loads((sample_folder / "manifest.json").read_text(encoding="utf-8"))["grants"]
    assert set(manifest) == {"behov", "resultat"}
    book = openpyxl.load_workbook(sample_folder / "choice.xlsx", read_only=True)
    for name, told in manifest.items():
        assert sum(told["payments_kr"].values()) == sum(told["received_kr"].values()) == told["envelope_kr"]
        assert set(told["payments_kr"]) == set(sample_run.chosen_rule().chosen)
        for title, key in ((f"Bidrag {name}", "payments_kr"), (f"Bidrag {name} Σ", "received_kr")):
            heads, *rows = book[title].iter_rows(values_only=True)
            assert {row[0]: row[heads.index("Belopp (kr)")] for row in rows} == told[key]
    assert manifest["resultat"]["paid_for_chance"]["warning"]
    notes = [row[1] for row in book["Anteckningar"].iter_rows(values_only=True)]
    assert any(text.startswith("Warning: this payment rewards noise. Up to ") for text in notes)


def test_sheets_of_grants_say_of_when_of_how_many_and_by_whom(sample_run, sample_folder):
    book = openpyxl.load_workbook(sample_folder / "choice.xlsx")
    for name, told in (("behov", "30 Mkr · 2012 · N = 7"), ("resultat", "20 Mkr · 2011–2012 → 2014 · N = 7")):
        for sheet in (book[f"Bidrag {name}"], book[f"Bidrag {name} Σ"]):
            assert f"{told} · {sample_run.sources()}" in sheet.oddFooter.left.text
