"""The linter: each rule finds what it is for, in its own words, and is silent about tables that are true."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import SpecError
from geoplan.places import (
    RULES,
    Finding,
    IndicatorTable,
    as_indicators,
    as_membership,
    lint_bases,
    lint_index,
    lint_levels,
    lint_periods,
    lint_table,
    parents_at,
)
from geoplan.places.indicators import COLUMNS
from geoplan.specs import IndexSpec, IndicatorSpec, parse_layer

LAYER = {
    "kind": "indicators",
    "title": "Figures",
    "path": "x",
    "source": "s",
    "licence": "MIT",
    "vintage": "2012",
    "level": "stadsdel",
    "id_column": "code",
}
NOISE = {"method": "cell_key", "size": 2}


def indicator(name, kind="share", unit="pct", **more):
    return {"id": name, "label": name, "kind": kind, "unit": unit, "direction": "neutral", **more}


PEOPLE = indicator("people", "count", "persons")


def layer(*indicators, **keys):
    return parse_layer({**LAYER, **keys, "indicators": list(indicators)})


def tidy(*rows):
    """Return a long table as a CSV reader does: text, rows numbered from 2."""
    names = ["code", "indicator", "period", "numerator", "denominator", "value", "status"]
    frame = pd.DataFrame([(*row, *[""] * (len(names) - len(row))) for row in rows], columns=names, dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame


def linted(raw, spec):
    return lint_table(as_indicators(raw, spec), spec, raw=raw)


def said(findings):
    return [f"{item.severity}: {item}" for item in findings]


def finished(rows, *definitions):
    """Return a finished table of (area, indicator, period, numerator, denominator, value, status)."""
    data = pd.DataFrame(rows, columns=COLUMNS).astype({"numerator": float, "denominator": float, "value": float})
    return IndicatorTable(data, {item["id"]: IndicatorSpec(**item) for item in definitions})


def counts(name, numbers, period="2012"):
    return [(f"{place:02d}", name, period, str(number)) for place, number in enumerate(numbers, start=1)]


# ---------------------------------------------------------------- the rules


def test_every_rule_has_a_number_a_severity_and_says_what_it_finds():
    ids = [rule.id for rule in RULES]
    assert [name[:3] for name in ids] == [f"L{number:02d}" for number in range(1, 20)]
    assert {rule.severity for rule in RULES} == {"fault", "note", "fault or note"}
    assert all(rule.says.startswith("Find ") for rule in RULES)


def test_a_clean_table_gives_nothing():
    spec = layer(
        PEOPLE,
        indicator("poor", base="Residents"),
        indicator("rich", base="Residents"),
        total_row="Total",
        stated_areas=2,
        stated_sum={"people": 300, "poor.denominator": 300},
        sums=[{"parts": ["poor", "rich"], "whole": "people"}, {"parts": ["poor", "rich"], "whole": 100}],
    )
    raw = tidy(
        ("01", "people", "2011", "100"),
        ("02", "people", "2011", "190"),
        ("01", "people", "2012", "99"),
        ("02", "people", "2012", "201"),
        ("Total", "people", "2012", "300"),
        ("01", "poor", "2012", "9", "99", "9.1"),
        ("02", "poor", "2012", "101", "201", "50.2"),
        ("Total", "poor", "2012", "110", "300", "36.7"),
        ("01", "rich", "2012", "90", "99"),
        ("02", "rich", "2012", "100", "201"),
    )
    assert linted(raw, spec) == []
    assert lint_table(as_indicators(raw, spec), spec) == []


def test_a_total_is_no_area():
    spec = layer(PEOPLE, total_row=["0099", "Total"], id_width=4)
    raw = tidy(("0101", "people", "2012", "5"), ("0099", "people", "2012", "5"), ("Total", "people", "2012", "5"))
    assert list(as_indicators(raw, spec).data["area_id"]) == ["0101"]
    wide = layer({**PEOPLE, "numerator": "n"}, total_row="Total", shape="wide", period=2012)
    frame = pd.DataFrame({"code": ["01", "Total"], "n": ["5", "6"]}, index=[2, 3])
    assert list(as_indicators(frame, wide).data["area_id"]) == ["01"]
    assert [item.kind for item in linted(frame, wide)] == ["L01 sums"]


def test_l01_sums_that_do_not_tally_with_the_stated_total():
    raw = tidy(
        ("01", "poor", "2012", "10", "100"),
        ("02", "poor", "2012", "20", "200"),
        ("Total", "poor", "2012", "31", "300"),
    )
    assert said(linted(raw, layer(indicator("poor"), total_row="Total"))) == [
        "fault: poor 2012: the counts of 2 areas add up to 30, the total in the file is 31 (difference -1). [L01 sums]"
    ]
    raw.loc[4, ["numerator", "denominator"]] = ["30", "290"]
    assert said(linted(raw, layer(indicator("poor"), total_row="Total"))) == [
        (
            "fault: poor 2012: the bases of 2 areas add up to 300, the total in the file is 290 (difference +10). "
            "[L01 sums]"
        )
    ]


def test_l01_a_total_that_is_not_there():
    raw = tidy(("01", "people", "2012", "5"), ("total", "people", "2012", "5"))
    assert said(linted(raw, layer(PEOPLE, total_row="Total"))) == [
        "fault: key 'total_row': no row of the file has the code 'Total'. Hint: did you mean 'total'? [L01 sums]"
    ]


def test_l01_a_total_may_be_blank_where_the_file_states_none():
    spec = layer({**PEOPLE, "numerator": "n"}, indicator("poor", value="p"), total_row="T", shape="wide", period=2012)
    frame = pd.DataFrame({"code": ["01", "T"], "n": ["5", "5"], "p": ["20", ""]}, index=[2, 3])
    assert linted(frame, spec) == []


def test_l01_hidden_areas_are_allowed_for_and_their_part_is_told():
    rows = [("01", "people", "2012", "80"), ("02", "people", "2012", "", "", "", "suppressed")]
    spec = layer(PEOPLE, total_row="Total")
    assert said(linted(tidy(*rows, ("Total", "people", "2012", "100")), spec)) == [
        (
            "note: people: 1 areas without a figure hide 20.0% of the total in the file (2012: counts of 80 of 100). "
            "[L01 sums]"
        )
    ]
    assert said(linted(tidy(*rows, ("Total", "people", "2012", "79")), spec)) == [
        (
            "fault: people 2012: the counts of 1 areas add up to 80; 1 more are hidden or missing, the total in the "
            "file is 79 (difference +1). [L01 sums]"
        )
    ]


def test_l01_noise_explains_small_differences_and_no_others():
    rows = counts("people", [100, 200])  # two counts and their total: up to 3 · 2 = 6
    spec = layer(PEOPLE, total_row="Total", noise=NOISE)
    assert said(linted(tidy(*rows, ("Total", "people", "2012", "306")), spec)) == [
        (
            "note: people: the counts and the total in the file differ by at most 6 (2012), which noise of 2 a count "
            "explains. [L01 sums]"
        )
    ]
    assert said(linted(tidy(*rows, ("Total", "people", "2012", "307")), spec)) == [
        (
            "fault: people 2012: the counts of 2 areas add up to 300, the total in the file is 307 (difference -7). "
            "[L01 sums]"
        )
    ]


def test_l02_stated_against_listed_counts():
    raw = tidy(*counts("people", [100, 200], "2011"), *counts("people", [100, 201]))
    assert said(linted(raw, layer(PEOPLE, stated_areas=3, stated_sum={"people": 300}))) == [
        (
            "fault: key 'stated_areas': 2 areas are listed, the publisher states 3. Hint: look for rows that were cut "
            "off or listed twice, or for another vintage [L02 stated counts]"
        ),
        (
            "fault: key 'stated_sum.people': people 2012: the counts of 2 areas add up to 301, the sum stated is 300 "
            "(difference +1). [L02 stated counts]"
        ),
    ]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("12", "fault: row 2, area '01': '12' is no year. Expected: four digits, such as 2012. [L03 years]"),
        ("20122", "fault: row 2, area '01': '20122' is no year. Expected: four digits, such as 2012. [L03 years]"),
        ("1812", "fault: row 2, area '01': the year 1812 lies before 1900. [L03 years]"),
        (
            "2021",
            (
                "fault: row 2, area '01': the year 2021 lies after the layer's vintage, 2012. Hint: correct the year "
                "or `vintage`; a forecast has the status estimated [L03 years]"
            ),
        ),
        ("spring", "note: periods that are no years cannot be put in order: 'spring'. [L03 years]"),
        (
            "2003",
            (
                "fault: row 2, area '01': people 2003: the indicator exists since 2004. Hint: correct the year, or "
                "`since` in the indicator's definition [L03 years]"
            ),
        ),
    ],
)
def test_l03_impossible_years(period, expected):
    definition = {**PEOPLE, "since": 2004} if period == "2003" else PEOPLE
    assert said(linted(tidy(("01", "people", period, "5")), layer(definition))) == [expected]


@pytest.mark.parametrize("period", ["2012", "2010-2012", "2010\u20132012", "2011/12", "2012-03", "2012Q1", "2012M03"])
def test_l03_years_and_spans_of_years_are_periods(period):
    assert linted(tidy(("01", "people", period, "5")), layer(PEOPLE)) == []


def test_l03_a_forecast_may_lie_after_the_vintage():
    assert linted(tidy(("01", "people", "2030", "5", "", "", "estimated")), layer(PEOPLE)) == []


def test_l03_a_year_left_out_of_a_series():
    rows = [row for year in (2006, 2007, 2009, 2010) for row in counts("people", [year % 7], str(year))]
    assert said(linted(tidy(*rows), layer(PEOPLE))) == [
        "note: the series from 2006 to 2010 lacks 2008: 'people'. [L03 years]"
    ]
    every_fourth = [row for year in (1998, 2002, 2006, 2010) for row in counts("people", [year % 7], str(year))]
    assert linted(tidy(*every_fourth), layer(PEOPLE)) == []


@pytest.mark.parametrize(("part", "base", "rate"), [(7, 56, "13"), (35, 56, "63"), (29, 40, "73"), (1, 8, "12.5")])
def test_l04_halves_are_rounded_up(part, base, rate):
    assert linted(tidy(("01", "poor", "2012", str(part), str(base), rate)), layer(indicator("poor"))) == []


def test_l04_a_rate_that_does_not_follow_from_its_counts():
    raw = tidy(
        ("01", "poor", "2012", "7", "56", "13"),
        ("02", "poor", "2012", "11", "20", "54.8"),  # 55.0
        ("03", "poor", "2012", "10", "30", "33"),
    )
    assert said(linted(raw, layer(indicator("poor")))) == [
        (
            "fault: row 3, area '02': poor 2012: 54.8 does not follow from 11 of 20, which makes 55. Expected: the "
            "rate that the counts make, rounded half-up. Hint: correct the count, the base or the rate; geoplan makes "
            "rates from counts [L04 rates]"
        )
    ]


MANNERS = {
    "rounded half to even, not half-up": [("7", "56", "12"), ("35", "56", "62"), ("2", "3", "67")],
    "cut off, not rounded": [("2", "3", "66"), ("5", "9", "55"), ("1", "10", "10")],
    "rounded to fewer decimals than the rest of the column": [
        ("20", "30", "67"),
        ("1", "8", "12.5"),
        ("5", "9", "55.6"),
    ],
}


@pytest.mark.parametrize("words", MANNERS)
def test_l04_other_ways_of_rounding_are_notes(words):
    raw = tidy(*[(f"{place:02d}", "poor", "2012", *row) for place, row in enumerate(MANNERS[words], start=1)])
    found = linted(raw, layer(indicator("poor")))
    assert [(item.severity, item.kind) for item in found] == [("note", "L04 rates")]
    assert words in found[0].what


def test_l04_the_words_of_a_note():
    raw = tidy(("01", "poor", "2012", "7", "56", "12"), ("02", "poor", "2012", "2", "3", "67"))
    assert said(linted(raw, layer(indicator("poor")))) == [
        (
            "note: row 2, area '01': poor 2012: 1 rate(s) seem rounded half to even, not half-up, such as 12 for "
            "12.5. [L04 rates]"
        )
    ]


def test_l04_a_rate_cut_off_among_rounded_ones_is_wrong():
    raw = tidy(("01", "poor", "2012", "2", "3", "66.5"), ("02", "poor", "2012", "5", "9", "55.6"))
    assert [item.severity for item in linted(raw, layer(indicator("poor")))] == ["fault"]


def test_l04_noise_in_the_counts_may_explain_a_rate():
    raw = tidy(("01", "poor", "2012", "300", "1000", "30.3"))
    assert [item.severity for item in linted(raw, layer(indicator("poor")))] == ["fault"]
    found = linted(raw, layer(indicator("poor"), noise=NOISE))
    assert [(item.severity, item.what) for item in found] == [
        (
            "note",
            (
                "poor 2012: 1 rate(s) seem other than their counts make, as noise in the counts can explain, such as "
                "30.3 for 30"
            ),
        )
    ]


def test_l04_numbers_as_computers_hold_them_are_not_wrong():
    rows = [
        ("01", "poor", "2012", "1230004", "10000000", "12.299999999999999"),
        ("02", "poor", "2012", "1", "8", "12.5"),
    ]
    assert linted(tidy(*rows), layer(indicator("poor"))) == []
    full = [("01", "poor", "2012", "1", "3", "33.333333333333336"), ("02", "poor", "2012", "1", "2", "50.0")]
    assert linted(tidy(*full), layer(indicator("poor"))) == []


def test_l05_a_share_that_its_base_cannot_give():
    raw = tidy(("01", "poor", "2012", "", "8", "12.3"), ("02", "poor", "2012", "", "8", "12.5"))
    assert said(linted(raw, layer(indicator("poor")))) == [
        (
            "note: row 2, area '01': poor 2012: 1 share(s) cannot come from their base, such as 12.3 of 8. [L05 base "
            "of a share]"
        )
    ]


def shares(*values):
    names = [f"s{place}" for place, _ in enumerate(values)]
    rows = [("01", name, "2012", "", "1000", value) for name, value in zip(names, values, strict=True)]
    return tidy(*rows), layer(*map(indicator, names), sums=[{"parts": names, "whole": 100}])


def test_l06_shares_that_should_make_a_hundred():
    assert linted(*shares("33", "33", "33")) == []
    assert linted(*shares("34", "34", "34")) == []
    assert said(linted(*shares("33", "33", "31"))) == [
        "fault: row 2, area '01': s0 + s1 + s2 2012 make 97, not 100. Expected: 98 to 102. [L06 shares of a whole]"
    ]
    assert said(linted(*shares("33.3", "33.3", "33.1"))) == [
        (
            "fault: row 2, area '01': s0 + s1 + s2 2012 make 99.7, not 100. Expected: 99.85 to 100.15. [L06 shares of "
            "a whole]"
        )
    ]


def test_l06_shares_of_merged_areas_are_not_judged_by_their_many_decimals():
    names = ("s0", "s1", "s2")
    rows = [("01", name, "2012", None, 900, 33.1234567, "observed") for name in names]
    spec = layer(*map(indicator, names), sums=[{"parts": names, "whole": 100}])
    assert lint_table(finished(rows, *map(indicator, names)), spec) == []


def test_l06_shares_made_from_counts_make_the_whole_but_for_noise():
    raw = tidy(("01", "own", "2012", "40", "100"), ("01", "rent", "2012", "58", "100"))
    sums = [{"parts": ["own", "rent"], "whole": 100}]
    spec = layer(indicator("own"), indicator("rent"), sums=sums)
    assert said(linted(raw, spec)) == [
        "fault: row 2, area '01': own + rent 2012 make 98, not 100. Expected: 100 to 100. [L06 shares of a whole]"
    ]
    noisy = layer(indicator("own"), indicator("rent"), sums=sums, noise=NOISE)
    assert said(linted(raw, noisy)) == [
        (
            "note: own + rent differ from 100 in 1 of 1 cases, by at most 2, which noise of 2 a count explains. [L06 "
            "shares of a whole]"
        )
    ]


def tenure(own, rent, homes, **keys):
    kinds = [indicator(name, "count", "homes") for name in ("own", "rent", "homes")]
    rows = [("01", name, "2012", number) for name, number in (("own", own), ("rent", rent), ("homes", homes))]
    return tidy(*rows), layer(*kinds, sums=[{"parts": ["own", "rent"], "whole": "homes"}], **keys)


def test_l07_parts_that_do_not_make_their_whole():
    hint = "Hint: if the publisher adds noise or rounds, say so as `noise` in the layer's TOML [L07 parts and whole]"
    assert linted(*tenure("60", "40", "100")) == []
    assert said(linted(*tenure("60", "40", "101"))) == [
        f"fault: row 2, area '01': own + rent 2012 make 100, their whole homes is 101. {hint}"
    ]
    assert said(linted(*tenure("60", "40", "99"))) == [
        f"fault: row 2, area '01': own + rent 2012 make 100, more than their whole homes, 99. {hint}"
    ]


@pytest.mark.parametrize(
    ("noise", "words"),
    [(NOISE, "noise of 2 a count explains"), ({"method": "rounding", "size": 2.5}, "rounding of 2.5 a count explains")],
)
def test_l07_parts_against_their_whole_under_noise(noise, words):
    most = int(3 * noise["size"])  # two parts and a whole
    assert said(linted(*tenure("60", "40", str(100 + most), noise=noise))) == [
        f"note: own + rent differ from homes in 1 of 1 cases, by at most {most}, which {words}. [L07 parts and whole]"
    ]
    assert [item.severity for item in linted(*tenure("60", "40", str(101 + most), noise=noise))] == ["fault"]


def test_l07_a_base_can_be_a_part_or_a_whole():
    jobs, out = indicator("jobs", base="a"), indicator("out", base="b")
    sums = [{"parts": ["jobs.denominator", "out"], "whole": "out.denominator"}]
    raw = tidy(("01", "jobs", "2012", "1", "70"), ("01", "out", "2012", "30", "100"))
    assert linted(raw, layer(jobs, out, sums=sums)) == []
    raw.loc[3, "numerator"] = "31"
    assert [item.kind for item in linted(raw, layer(jobs, out, sums=sums))] == ["L07 parts and whole"]


def test_l07_a_part_that_is_hidden_lets_the_others_make_less():
    raw, spec = tenure("60", "..", "100", missing_codes={"..": "suppressed"})
    assert [item.kind for item in linted(raw, spec)] == ["L17 no rows"]
    raw, spec = tenure("101", "..", "100", missing_codes={"..": "suppressed"})
    assert [item.kind for item in linted(raw, spec)] == ["L07 parts and whole", "L17 no rows"]


def test_sums_of_indicators_that_are_not_there_are_refused():
    with pytest.raises(SpecError, match="sums of the layer's own indicators; there is no 'rent'"):
        layer(PEOPLE, sums=[{"parts": ["rent"], "whole": 100}])
    with pytest.raises(SpecError, match=r"key 'sums.0.whole': \['people'\] does not fit. Expected: a number such as"):
        layer(PEOPLE, sums=[{"parts": ["people"], "whole": ["people"]}])
    with pytest.raises(SpecError, match=r"'people.denominator' is no share"):
        layer(PEOPLE, sums=[{"parts": ["people.denominator"], "whole": 100}])
    later = layer(PEOPLE, registry="core", stated_sum={"peoples": 3}, sums=[{"parts": ["rent"], "whole": 100}])
    assert said(linted(tidy(("01", "people", "2012", "5")), later)) == [
        "fault: key 'stated_sum': no indicator is called 'peoples'. Hint: did you mean 'people'? [L02 stated counts]",
        "fault: key 'sums.0': no indicator is called 'rent'. Hint: one of 'people' [L07 parts and whole]",
    ]


def test_l08_a_base_that_is_another_from_table_to_table():
    adults = {"base": {"sv": "Vuxna", "en": "Adults"}, "ages": [18, 64]}
    rows = [
        ("01", "poor", "2012", 5, 100, 5, "observed"),
        ("01", "sick", "2012", 5, 100, 5, "observed"),
        ("02", "poor", "2012", 5, 100, 5, "observed"),
        ("02", "sick", "2012", 5, 125, 4, "observed"),
    ]
    both = finished(rows, indicator("poor", **adults), indicator("sick", **adults))
    assert said(lint_bases({"figures": both})) == [
        (
            "note: area '02': the base 'Adults' is not the same in 'poor', 'sick': 1 of 2 cases differ; most in 2012, "
            "where poor has 100 and sick 125. [L08 base between tables]"
        )
    ]
    first, second = finished(rows[::2], indicator("poor", **adults)), finished(rows[1::2], indicator("sick", **adults))
    assert said(lint_bases({"first": first, "second": second})) == [
        (
            "note: area '02': the base 'Adults' is not the same in 'poor (first)', 'sick (second)': 1 of 2 cases "
            "differ; most in 2012, where poor has 100 and sick 125. [L08 base between tables]"
        )
    ]
    other = {**adults, "ages": [20, 64]}
    assert lint_bases({"figures": finished(rows, indicator("poor", **adults), indicator("sick", **other))}) == []


def test_l09_a_base_that_jumps_between_years():
    def rows(*bases):
        return tidy(*[("01", "poor", str(2010 + step), "9", str(base)) for step, base in enumerate(bases)])

    assert said(linted(rows(200, 210, 290), layer(indicator("poor")))) == [
        (
            "note: area '01': poor: the base changes by more than 30 % and 50 persons from one year to the next in 1 "
            "case(s); most in 2012, from 210 to 290. [L09 base over the years]"
        )
    ]
    assert linted(rows(200, 250, 300), layer(indicator("poor"))) == []  # 25 %
    assert linted(rows(20, 40, 60), layer(indicator("poor"))) == []  # 20 persons
    assert linted(rows(200, 210, 290), layer(indicator("poor", breaks=[2012]))) == []


def test_l10_an_indicator_that_two_layers_define_otherwise():
    def table(**more):
        return finished([("01", "poor", "2012", 5, 100, 5, "observed")], indicator("poor", **more))

    first, second = table(base="Adults", ages=[18, 64]), table(base="Adults", ages=[20, 64])
    assert said(lint_bases({"first": first, "second": second})) == [
        (
            "fault: the indicator 'poor' is of ages 18-64 in first and of ages 20-64 in second. Expected: one "
            "definition for each id. Hint: give one of them another id [L10 defined otherwise]"
        )
    ]
    second = table(base="Persons in households", ages=[18, 64])
    assert said(lint_bases({"first": first, "second": second})) == [
        (
            "note: the indicator 'poor' stands on 'Adults' in first and on 'Persons in households' in second. [L10 "
            "defined otherwise]"
        )
    ]
    assert lint_bases({"first": first, "second": first}) == []


def test_l11_an_index_of_work_and_school_only():
    index = IndexSpec(domains=[{"id": "d", "label": "D", "indicators": ["job", "marks"]}])

    def of(**subjects):
        return {name: IndicatorSpec(**indicator(name, subject=subject)) for name, subject in subjects.items()}

    assert said(lint_index(index, of(job="work", marks="school"))) == [
        (
            "note: the index stands on work and school only: it cannot see safety, health or housing. Hint: add a "
            "domain on what residents live with, or say in the note that it is missing [L11 narrow index]"
        )
    ]
    assert said(lint_index(index, of(job="work", marks=None))) == [
        (
            "note: 1 of 2 indicators of the index do not say what they are about, so nobody can tell whether it sees "
            "more than work, school and income: 'marks'. Hint: give each a `subject` [L11 narrow index]"
        )
    ]
    assert lint_index(index, of(job="work", marks="health")) == []
    assert lint_index(index, of(job=None, marks="health")) == []


def test_l12_rows_that_differ_only_in_their_value():
    rows = [("01", "people", "2012", number, None, number, "observed") for number in (5, 6)]
    table = finished(rows, PEOPLE)
    assert said(lint_table(table, layer(PEOPLE))) == [
        (
            "fault: area '01': people 2012 stands 2 times, with other values: 5 and 6. Expected: one row for each "
            "area, indicator and period. [L12 stands twice]"
        )
    ]
    same = IndicatorTable(table.data.iloc[[0, 0]], table.definitions)
    assert lint_table(same, layer(PEOPLE))[0].what == "people 2012 stands 2 times, with the same value"


def test_l13_a_figure_copied_forward():
    rows = [row for year in (2010, 2011, 2012) for row in counts("people", [258, year], str(year))]
    assert said(linted(tidy(*rows), layer(PEOPLE))) == [
        (
            "note: area '01': people: the very same figure in every year from 2010 to 2012 in 1 of 2 areas. [L13 "
            "copied forward]"
        )
    ]
    small = [row for year in (2010, 2011, 2012) for row in counts("people", [3, year], str(year))]
    assert linted(tidy(*small), layer(PEOPLE)) == []  # so few repeat by chance


INCOME = indicator("income", "mean", "tkr")


def incomes(changes=(), years=(2009, 2010, 2011, 2012), areas=12):
    """Return incomes of about 250 tkr that grow by 2 % a year, one or another multiplied by a factor."""
    factors = dict(changes)
    rows = []
    for area in range(areas):
        for step, year in enumerate(years):
            income = (230 + 4 * area) * 1.02**step * factors.get((area, year), factors.get(year, 1))
            rows.append((f"{area:02d}", "income", str(year), "", "900", f"{income:.1f}"))
    return tidy(*rows)


def test_l14_a_unit_slip_in_one_area_and_year():
    assert linted(incomes(), layer(INCOME)) == []
    assert said(linted(incomes({(3, 2010): 1000}), layer(INCOME))) == [
        (
            "note: row 15, area '03': income 2010: 246,840 is about 1,000 times the median in its other years. Hint: "
            "look at the unit and the decimal sign [L14 unit slip]"
        )
    ]
    assert said(linted(incomes({(3, 2012): 0.1}, years=(2012,)), layer(INCOME))) == [
        (
            "note: row 5, area '03': income 2012: 24.2 is about 1/10 of the median in the other areas. Hint: look at "
            "the unit and the decimal sign [L14 unit slip]"
        )
    ]


def test_l14_a_unit_slip_of_a_whole_year():
    assert said(linted(incomes({2010: 1000}), layer(INCOME))) == [
        (
            "note: income 2010: the median of all areas is 257,031.905, about 1,000 times the median in the other "
            "years. [L14 unit slip]"
        )
    ]


def test_l14_what_merely_varies_is_no_slip():
    wide = [(f"{place:02d}", "income", "2012", "", "900", str(20 * 1.4**place)) for place in range(20)]
    assert linted(tidy(*wide), layer(INCOME)) == []


def test_l15_codes_of_two_lengths():
    raw = tidy(("0101", "people", "2012", "5"), ("0102", "people", "2012", "6"), ("103", "people", "2012", "7"))
    assert said(linted(raw, layer(PEOPLE))) == [
        (
            "note: area codes have several lengths (1 of 3, 2 of 4 characters): '103'. Hint: say `id_width` in the "
            "layer's TOML; leading zeros may be lost, or two levels are in one table [L15 lengths of codes]"
        )
    ]
    names = tidy(("KISTA", "people", "2012", "5"), ("HUSBY 2", "people", "2012", "6"))
    assert linted(names, layer(PEOPLE)) == []


def test_l16_a_larger_area_that_is_not_the_sum_of_its_smaller_ones():
    fine = finished([(area, "people", "2012", n, None, n, "observed") for area, n in (("a", 10), ("b", 20))], PEOPLE)
    coarse = finished([("town", "people", "2012", 33, None, 33, "observed")], PEOPLE)
    membership = as_membership(pd.DataFrame({"child_id": ["a", "b"], "parent_id": ["town", "town"]}))
    parents = parents_at(membership, ["a", "b"], ["town"])
    assert said(lint_levels(fine, coarse, parents)) == [
        (
            "fault: area 'town': people 2012: the counts of 2 smaller areas add up to 30, the area's own is 33 "
            "(difference -3). [L16 two levels]"
        )
    ]
    assert lint_levels(fine, coarse, parents, noise=1) == []
    hidden = IndicatorTable(fine.data.assign(status=["observed", "suppressed"]), fine.definitions)
    assert lint_levels(hidden, coarse, parents) == []


def test_l17_an_indicator_without_rows_or_figures():
    raw = tidy(("01", "people", "2012", "5"), ("01", "sick", "2012", "", "", "", "not_collected"))
    assert said(linted(raw, layer(PEOPLE, indicator("poor"), indicator("sick")))) == [
        "note: the indicator 'poor' is defined and has no row. [L17 no rows]",
        "note: the indicator 'sick' has rows but not one known figure. [L17 no rows]",
    ]


def test_l18_not_applicable_where_the_base_is_counted():
    raw = tidy(
        ("01", "poor", "2012", "5", "100"),
        ("01", "sick", "2012", "", "", "", "not_applicable"),
        ("02", "sick", "2012", "1", "50"),
    )
    spec = layer(indicator("poor", base="Adults"), indicator("sick", base="Adults"))
    assert said(linted(raw, spec)) == [
        (
            "note: row 3, area '01': sick 2012: not applicable in 1 area(s) where another figure of that base counts, "
            "such as 100. [L18 not applicable]"
        )
    ]


def test_l19_a_scenario_that_ranks_a_year_after_its_report():
    assert said(lint_periods(["2014"], dt.date(2013, 3, 15))) == [
        "fault: key 'period': the period 2014 lies after the report's date, 2013-03-15. [L19 after the report]"
    ]
    assert lint_periods(["2010-2012", "before"], dt.date(2013, 3, 15)) == []


def test_a_finding_is_a_fault_with_its_rule():
    found = Finding(kind="L01 sums", severity="note", what="x", file="a.csv", row=3)
    assert str(found) == "a.csv, row 3: x. [L01 sums]"


# ---------------------------------------------------------------- laws

few = settings(max_examples=20)  # each reads and judges a whole table


def half_up(part, base, decimals):
    """Return a percentage as text, rounded half-up by Python's own decimal arithmetic."""
    return str((Decimal(100 * part) / Decimal(base)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


@st.composite
def true_tables(draw):
    """Draw a table of areas whose parts make their base, with percentages half-up, and true totals."""
    areas, decimals = draw(st.integers(1, 6)), draw(st.integers(0, 3))
    names = [f"p{place}" for place in range(draw(st.integers(1, 12)))]
    rows, sums = [], dict.fromkeys((*names, "all"), 0)
    for area in range(areas):
        cuts = sorted(draw(st.lists(st.integers(0, 5000), min_size=len(names) - 1, max_size=len(names) - 1)))
        base = draw(st.integers(max([1, *cuts]), 5000))
        parts = np.diff([0, *cuts, base])
        rows.append((f"{area:02d}", "all", "2012", str(base)))
        sums["all"] += base
        for name, part in zip(names, map(int, parts), strict=True):
            rows.append((f"{area:02d}", name, "2012", str(part), str(base), half_up(part, base, decimals)))
            sums[name] += part
    rows += [("Total", name, "2012", str(sums[name]), str(sums["all"])) for name in names]
    rows.append(("Total", "all", "2012", str(sums["all"])))
    return names, decimals, rows


def specified(names, **keys):
    parts = [{"parts": names, "whole": "all"}, {"parts": names, "whole": 100}]
    return layer(indicator("all", "count", "persons"), *map(indicator, names), total_row="Total", sums=parts, **keys)


def faults(raw, spec):
    return [item for item in linted(raw, spec) if item.severity == "fault"]


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_every_part_of_every_small_base_may_be_published_half_up(decimals):
    pairs = [(part, base) for base in range(1, 101) for part in range(base + 1)]
    rows = [
        (f"{place:05d}", "poor", "2012", str(part), str(base), half_up(part, base, decimals))
        for place, (part, base) in enumerate(pairs)
    ]
    assert linted(tidy(*rows), layer(indicator("poor"))) == []
    bare = [(*row[:3], "", *row[4:]) for row in rows]
    assert linted(tidy(*bare), layer(indicator("poor"))) == []


@few
@given(true_tables())
def test_a_true_table_never_gives_a_fault(drawn):
    names, _, rows = drawn
    spec = specified(names, stated_areas=len({row[0] for row in rows}) - 1)
    assert linted(tidy(*rows), spec) == []


@few
@given(true_tables())
def test_true_percentages_without_their_counts_never_give_a_fault(drawn):
    names, _, rows = drawn
    bare = [(*row[:3], "", *row[4:]) if len(row) == 6 else row for row in rows]
    assert linted(tidy(*bare), specified(names)) == []


@few
@given(true_tables(), st.data())
def test_a_rate_that_is_a_unit_off_is_always_found(drawn, data):
    names, decimals, rows = drawn
    place = data.draw(st.sampled_from([place for place, row in enumerate(rows) if len(row) == 6]))
    rate, unit = Decimal(rows[place][5]), Decimal(1).scaleb(-decimals)
    wrong = rate + unit if rate + unit <= 100 else rate - unit
    planted = [*rows[:place], (*rows[place][:5], str(wrong)), *rows[place + 1 :]]
    raw, spec = tidy(*planted), specified(names)
    # Reading refuses what is far off, so the table is read without its rates and judged beside them.
    table = as_indicators(raw.assign(value=""), spec)
    found = lint_table(table, spec, raw=raw)
    assert [item.kind for item in found if item.row == place + 2] == ["L04 rates"]


@few
@given(true_tables(), st.data())
def test_a_count_that_is_one_off_is_always_found(drawn, data):
    names, _, rows = drawn
    place = data.draw(st.sampled_from([place for place, row in enumerate(rows) if row[1] == "all"]))
    planted = [*rows[:place], (*rows[place][:3], str(int(rows[place][3]) + 1)), *rows[place + 1 :]]
    found = faults(tidy(*planted), specified(names))
    assert "L01 sums" in {item.kind for item in found}
    if rows[place][0] != "Total":
        assert "L07 parts and whole" in {item.kind for item in found}


@few
@given(true_tables(), st.integers(1, 5), st.data())
def test_noise_within_its_size_is_never_a_fault(drawn, size, data):
    names, _, rows = drawn
    noisy = []
    for row in rows:
        shift = data.draw(st.integers(-size, size))
        noisy.append((*row[:3], str(max(0, int(row[3]) + shift)), *row[4:5]) if row[1] != "all" else row[:4])
    bases = {row[0]: 10**6 for row in noisy}  # shares are not what this is about
    noisy = [(*row[:4], str(bases[row[0]])) if len(row) == 5 else row for row in noisy]
    spec = layer(
        indicator("all", "count", "persons"),
        *map(indicator, names),
        sums=[{"parts": names, "whole": "all"}],
        noise={"method": "cell_key", "size": size},
    )
    assert faults(tidy(*[row for row in noisy if row[0] != "Total"]), spec) == []


# ---------------------------------------------------------------- tables of years, signs and units of totals


def years_table(*rows):
    frame = pd.DataFrame(rows, columns=["code", "what", "2011", "2012*"], dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame


YEARS = {"shape": "years", "indicator_column": "what", "total_row": "Total"}


def test_totals_of_a_table_of_years_are_compared():
    spec = layer(
        {**PEOPLE, "numerator": "folk"}, indicator("poor", numerator=["young", "old"], denominator="folk"), **YEARS
    )
    raw = years_table(
        ("01", "folk", "100", "110"),
        ("02", "folk", "200", "210"),
        ("Total", "folk", "300", "327"),
        ("01", "young", "10", "10"),
        ("02", "young", "10", "10"),
        ("Total", "young", "20", "20"),
        ("01", "old", "5", "5"),
        ("02", "old", "5", "5"),
        ("Total", "old", "11", "10"),
    )
    assert said(linted(raw, spec)) == [
        (
            "fault: people 2012: the counts of 2 areas add up to 320, the total in the file is 327 (difference -7). "
            "[L01 sums]"
        ),
        "fault: poor 2011: the counts of 2 areas add up to 30, the total in the file is 31 (difference -1). [L01 sums]",
        (
            "fault: poor 2012: the bases of 2 areas add up to 320, the total in the file is 327 (difference -7). "
            "[L01 sums]"
        ),
    ]
    without_old = raw[~((raw["code"] == "Total") & (raw["what"] == "old"))]  # a sum of which a part is not stated
    assert not any("poor 2011" in line for line in said(linted(without_old, spec)))


def test_a_table_of_years_tells_the_row_of_a_rate_that_cannot_be():
    spec = layer(indicator("poor", value="andel", denominator="folk"), **{**YEARS, "total_row": None})
    raw = years_table(("01", "folk", "8", "8"), ("01", "andel", "12.5", "12.3*"))
    assert said(linted(raw, spec)) == [
        (
            "note: row 3, area '01': poor 2012: 1 share(s) cannot come from their base, such as 12.3 of 8. [L05 base "
            "of a share]"
        )
    ]


def test_a_total_is_read_as_the_figures_are():
    spec = layer(PEOPLE, total_row="Total", missing_signs="scb", missing_codes={"x": "not_collected"})
    raw = tidy(
        ("01", "people", "2011", "-"), ("01", "people", "2012", "100*"), ("01", "people", "2010", "7"),
        ("Total", "people", "2011", "-"), ("Total", "people", "2012", "100*"), ("Total", "people", "2010", ".."),
    )  # fmt: skip
    assert said(linted(raw, spec)) == []


def test_a_total_stands_in_the_unit_of_the_file():
    thousands = {**PEOPLE, "published_unit": "thousands"}
    spec = layer(thousands, total_row="Total")
    raw = tidy(("01", "people", "2012", "1.5"), ("02", "people", "2012", "2.5"), ("Total", "people", "2012", "4.0"))
    assert said(linted(raw, spec)) == []


def test_a_published_rate_with_a_mark_is_compared_with_its_counts():
    raw = tidy(("01", "poor", "2012", "7", "56", "12.9*"))
    assert said(linted(raw, layer(indicator("poor")))) == [
        (
            "fault: row 2, area '01': poor 2012: 12.9 does not follow from 7 of 56, which makes 12.5. Expected: the "
            "rate that the counts make, rounded half-up. Hint: correct the count, the base or the rate; geoplan makes "
            "rates from counts [L04 rates]"
        )
    ]
