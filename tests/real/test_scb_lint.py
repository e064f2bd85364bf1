"""The linter on Statistics Sweden's DeSO tables and on Statistics Finland's postal areas.

What it should find is counted here from the files by plain pandas.
"""

from __future__ import annotations

import pandas as pd
import pytest

import geoplan as gp
from geoplan.places import as_indicators, lint_bases, lint_table
from geoplan.sources import read_table
from geoplan.specs import parse_layer

pytestmark = pytest.mark.real

AREAS, RESIDENTS, LARGEST = 5984, 10_551_707, 9
LAYER = {
    "kind": "indicators",
    "title": "SCB",
    "path": "x",
    "source": "SCB",
    "licence": "CC0",
    "vintage": "2023",
    "level": "deso",
    "shape": "wide",
    "period": 2022,
    "id_column": "deso",
    "id_width": 9,
}
TENURE = ["ten_rent", "ten_coop", "ten_own", "ten_unknown"]
BORN = ["born_se", "born_eur", "born_other"]
HOUSES = ["house_small", "house_multi", "house_other", "house_special", "house_unknown"]


def count(column, **more):
    definition = {"id": column, "label": column, "kind": "count", "unit": "persons", "direction": "neutral"}
    return {**definition, "numerator": column, **more}


def share(name, part, whole, **more):
    return {**count(part, **more), "id": name, "kind": "share", "unit": "pct", "denominator": whole}


def spec(*indicators, **keys):
    return parse_layer({**LAYER, **keys, "indicators": list(indicators)})


@pytest.fixture(scope="module")
def raw(real):
    return read_table(real / "sweden/scb_deso2018_indicators_2022.csv")


@pytest.fixture(scope="module")
def scb(real):
    return pd.read_csv(real / "sweden/scb_deso2018_indicators_2022.csv", dtype={"deso": str}).set_index("deso")


def linted(raw, layer):
    return lint_table(as_indicators(raw, layer), layer, raw=raw)


def test_the_example_has_no_faults_and_its_notes_are_true(project, scb):
    report = gp.check_project(project)
    assert report.faults == []
    parts = {
        "employment + unemployment": scb["employed"] + scb["unemployed"] - scb["labour_force"],
        "unemployment.denominator + outside_labour_force": scb["labour_force"] + scb["outside_lf"] - scb["pop_16_64"],
    }
    assert [item.kind for item in report.findings] == ["L07 parts and whole"] * 2
    for item, (words, difference) in zip(report.findings, parts.items(), strict=True):
        assert difference.abs().max() == LARGEST
        told = f"in {(difference != 0).sum():,} of {AREAS:,} cases, by at most 9, which noise of 3 a count explains"
        assert item.what.startswith(words)
        assert item.what.endswith(told)


def test_every_column_as_an_indicator_gives_only_what_is_true(raw, scb):
    columns = [name for name in scb.columns if scb[name].dtype.kind == "i" and not name.endswith("_pct")]
    layer = spec(
        *map(count, columns),
        stated_areas=AREAS,
        stated_sum={"pop_2023": RESIDENTS},
        sums=[{"parts": BORN, "whole": "born_total"}, {"parts": HOUSES, "whole": "house_total"}],
    )
    assert linted(raw, layer) == []  # these tables add up to the person


def test_without_a_word_of_noise_the_parts_are_faults_as_many_as_there_are(raw, scb):
    sums = [{"parts": ["employed", "unemployed"], "whole": "labour_force"}]
    found = linted(raw, spec(*map(count, ("employed", "unemployed", "labour_force")), sums=sums))
    differ = scb["employed"] + scb["unemployed"] != scb["labour_force"]
    assert {item.area for item in found} == set(scb.index[differ])
    assert {item.severity for item in found} == {"fault"}
    first = scb.index.get_loc(found[0].area)
    assert found[0].row == first + 2


def test_a_slip_beyond_the_noise_is_found_in_its_row(raw):
    changed = raw.copy()
    row = changed.index[3000]
    changed.loc[row, "employed"] = str(int(changed.loc[row, "labour_force"]) - int(changed.loc[row, "unemployed"]) + 10)
    noise = {"method": "cell_key", "size": 3}
    sums = [{"parts": ["employed", "unemployed"], "whole": "labour_force"}]
    found = linted(changed, spec(*map(count, ("employed", "unemployed", "labour_force")), sums=sums, noise=noise))
    assert [(item.severity, item.row) for item in found] == [("fault", row), ("note", None)]


def test_a_total_of_sweden_is_compared_and_never_an_area(raw, scb):
    total = {name: str(scb[name].sum()) for name in ("pop_2023", *TENURE)}
    with_total = pd.concat([raw, pd.DataFrame({"deso": "Riket", **total}, index=[AREAS + 2])]).fillna("")
    layer = spec(*map(count, total), total_row="Riket", stated_areas=AREAS)
    assert linted(with_total, layer) == []
    with_total.loc[AREAS + 2, "ten_rent"] = str(int(total["ten_rent"]) + 1)
    found = linted(with_total, layer)
    assert [(item.kind, item.severity) for item in found] == [("L01 sums", "fault")]
    assert "(difference -1)" in found[0].what


def test_the_same_base_in_two_tables_of_two_years(raw, scb):
    residents = {"base": "Residents"}
    layer = spec(count("pop_2023", **residents), share("flats", "house_multi", "house_total", **residents))
    (found,) = lint_bases({"scb": as_indicators(raw, layer)})
    gap = (scb["pop_2023"] - scb["house_total"]).abs()
    area = gap.idxmax()
    assert (found.area, found.severity) == (area, "note")
    assert f"{(gap > 0).sum():,} of {AREAS:,} cases differ" in found.what
    assert f"flats has {scb.loc[area, 'house_total']:,} and pop_2023 {scb.loc[area, 'pop_2023']:,}" in found.what


ACTIVITY = ["employed", "unemployed", "students", "pensioners", "children_0_14", "others"]


def test_helsinki_adds_up_to_what_statistics_finland_states(real):
    raw = read_table(real / "helsinki/indicators_postal_2023.csv")
    school = [name for name in raw if name.startswith("edu_")]
    sums = [{"parts": ACTIVITY, "whole": "population"}, {"parts": school, "whole": "adults_18plus"}]
    names = ("population", "adults_18plus", *ACTIVITY, *school)
    keys = {"id_column": "area_id", "id_width": 5, "period": 2023, "level": "postal", "sums": sums}
    layer = spec(*map(count, names), **keys, stated_areas=84, stated_sum={"population": 663237})
    assert linted(raw, layer) == []
    short = linted(raw.iloc[1:], layer)
    assert [item.what for item in short] == [
        "83 areas are listed, the publisher states 84",
        ("population 2023: the counts of 83 areas add up to 644,775, the sum stated is 663,237 (difference -18,462)"),
    ]
