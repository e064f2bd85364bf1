"""Indicators: rates made from counts, merged without losing what is missing, and faults by the cell."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal
from strategies import DEFINITIONS, tables

from geoplan.errors import IdError, InputError, SpecError, TableError
from geoplan.places import (
    MISSING,
    STATUSES,
    IndicatorTable,
    as_indicators,
    as_membership,
    join_report,
    known_sums,
    pairs_at,
    roll_up,
    totals,
    unit_scale,
)
from geoplan.specs import IndicatorsLayer, IndicatorSpec, parse_layer

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
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


def _layer(*indicators, **changes):
    return IndicatorsLayer(**{**LAYER, "indicators": indicators or tuple(DEFINITIONS.values()), **changes})


def _indicator(name, kind="share", unit="pct", **columns):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction="higher_is_worse", **columns)


def _tidy(*rows):
    """Return a long table as a CSV reader does: text, rows numbered from 2."""
    frame = pd.DataFrame(rows, columns=["code", *COLUMNS[1:]], dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame


def _table(*rows, definitions=None):
    """Return a finished table of (area, indicator, numerator, denominator, value, status), all of 2012."""
    data = pd.DataFrame([(*row[:2], "2012", *row[2:]) for row in rows], columns=COLUMNS)
    data = data.astype({"numerator": float, "denominator": float, "value": float})
    return IndicatorTable(data, definitions or DEFINITIONS)


def _parents(**children):
    return pd.Series(children, dtype=object)


def _figure(table, area, indicator):
    return table.data.set_index(["area_id", "indicator"]).loc[(area, indicator)]


# ---------------------------------------------------------------- reading


def test_rates_are_made_from_counts_in_the_unit_of_the_indicator():
    table = as_indicators(
        _tidy(
            ("01", "population", "2012", "1 000", "", "", ""),
            ("01", "poor", "2012", "100", "1000", "", ""),  # 100 of 1 000 = 10 %
            ("01", "crime", "2012", "50", "1000", "", ""),  # 50 on 1 000 = 50 per 1 000
        ),
        _layer(),
    )
    assert table.wide("2012").loc["01"].to_dict() == {"crime": 50.0, "poor": 10.0, "population": 1000.0}
    assert set(table.data["status"]) == {"observed"}
    assert list(table.data.columns) == [*COLUMNS, "source", "method", "reason"]
    assert table.periods() == ["2012"]


def test_a_rounded_rate_beside_its_counts_is_made_anew():
    table = as_indicators(_tidy(("01", "poor", "2012", "123", "1000", "12", "")), _layer())
    assert table.data["value"].tolist() == [12.3]


@pytest.mark.parametrize(
    ("unit", "scale"), [("pct", 100), ("per_mille", 1e3), ("per_1000", 1e3), ("per_100000", 1e5), ("tkr", 1)]
)
def test_units_scale_shares(unit, scale):
    assert unit_scale(unit) == scale


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1234.5", ".", 1234.5),
        ("1234,5", ",", 1234.5),
        ("1 234,5", ",", 1234.5),
        ("1\u00a0234,5", ",", 1234.5),  # the no-break space that Excel and SCB part thousands with
        ("1\u202f234\u202f567,5", ",", 1234567.5),  # the narrow one
        ("1 234.5", ".", 1234.5),
        ("12 345", ".", 12345),
        (" 7 ", ".", 7),
        ("-3", ".", -3),
        ("\u22123,5", ",", -3.5),  # a true minus sign
        ("1e3", ".", 1000),
        ("12.5", ",", 12.5),
        ("0,125", ",", 0.125),
    ],
)
def test_numbers_are_read_as_people_write_them(text, decimal, number):
    layer = _layer(_indicator("balance", kind="mean", unit="tkr"), decimal=decimal)
    assert as_indicators(_tidy(("01", "balance", "2012", "", "", text, "")), layer).data["value"].tolist() == [number]


@pytest.mark.parametrize("text", ["three", "1,5", "1 23", "12 34", "1.2.3", "inf", "nan", "1e999", "0x10", "True", "-"])
def test_what_is_no_number_is_told_with_row_and_column(text):
    with pytest.raises(TableError) as caught:
        as_indicators(_tidy(("01", "poor", "2012", text, "100", "", "")), _layer())
    (fault,) = caught.value.faults
    assert (fault.what, fault.row, fault.column) == (f"'{text}' is not a number", 2, "numerator")


@pytest.mark.parametrize("text", ["1.234", "12.345", "1.234.567", "-1.234"])
def test_a_point_that_may_part_thousands_or_decimals_is_not_guessed(text):
    # 1.234 is one thousand in Danish and one and a quarter in English: a slip of a factor 1 000.
    with pytest.raises(TableError, match="the point may part thousands or decimals; write 1234, 1 234 or 1,234"):
        as_indicators(_tidy(("01", "poor", "2012", text, "5000", "", "")), _layer(decimal=","))


def test_a_column_of_wrong_values_tells_three_and_counts_the_rest():
    rows = [(f"{n:02d}", "poor", "2012", "x", "100", "", "") for n in range(10)]
    with pytest.raises(TableError) as caught:
        as_indicators(_tidy(*rows), _layer())
    assert [fault.row for fault in caught.value.faults] == [2, 3, 4, None]
    assert str(caught.value.faults[-1]) == "column 'numerator': 7 more values are not numbers."


@pytest.mark.parametrize("code", ["..", "", "-"])
def test_a_code_for_a_missing_value_becomes_its_status_and_never_zero(code):
    layer = _layer(missing_codes={code: "suppressed"})
    row = as_indicators(_tidy(("01", "poor", "2012", code, "1000", "", "")), layer).data.iloc[0]
    assert row["status"] == "suppressed"
    assert np.isnan(row["value"])
    assert np.isnan(row["numerator"])


@pytest.mark.parametrize("status", MISSING)
def test_a_stated_status_says_why_a_cell_is_empty(status):
    row = as_indicators(_tidy(("01", "poor", "2012", "", "", "", status)), _layer()).data.iloc[0]
    assert row["status"] == status
    assert np.isnan(row["value"])


FAULTS = {
    "an unknown status": (
        ("01", "poor", "2012", "1", "10", "", "hidden"),
        (
            "row 2, column 'status', area '01': the status is not one geoplan knows (poor 2012: numerator 1, "
            "denominator 10, status 'hidden'). Expected: one of 'observed', 'estimated', 'provisional', 'suppressed', "
            "'not_collected', 'not_applicable', 'out_of_scope'."
        ),
    ),
    "a number that is said to be missing": (
        ("01", "poor", "2012", "1", "10", "", "suppressed"),
        (
            "row 2, column 'status', area '01': there is a number, but the status says that it is missing (poor 2012: "
            "numerator 1, denominator 10, status 'suppressed'). Expected: an empty cell, or the status observed."
        ),
    ),
    "a count without a base": (
        ("01", "poor", "2012", "1", "", "", ""),
        (
            "row 2, column 'denominator', area '01': there is a count but no base (poor 2012: numerator 1). Expected: "
            "a denominator."
        ),
    ),
    "a negative base": (
        ("01", "crime", "2012", "1", "-10", "", ""),
        (
            "row 2, column 'denominator', area '01': the base is negative (crime 2012: numerator 1, denominator -10). "
            "Expected: a base above 0."
        ),
    ),
    "a negative count": (
        ("01", "poor", "2012", "-1", "10", "", ""),
        (
            "row 2, column 'numerator', area '01': the count is negative (poor 2012: numerator -1, denominator 10). "
            "Expected: 0 or more."
        ),
    ),
    "no period": (
        ("01", "poor", "", "1", "10", "", ""),
        (
            "row 2, column 'period', area '01': there is no period (poor: numerator 1, denominator 10). Expected: a "
            "year, or the name of a period."
        ),
    ),
    "an unknown indicator": (
        ("01", "pour", "2012", "1", "10", "", ""),
        "row 2, column 'indicator': the indicator 'pour' is not defined. Hint: did you mean 'poor'?",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_cell_that_cannot_be_true_is_told(case):
    row, said = FAULTS[case]
    with pytest.raises(TableError) as caught:
        as_indicators(_tidy(row), _layer())
    assert str(caught.value) == said


def test_a_base_equal_to_its_part_is_everybody_and_a_rate_may_exceed_its_base():
    table = as_indicators(
        _tidy(("01", "poor", "2012", "10", "10", "", ""), ("01", "crime", "2012", "30", "10", "", "")), _layer()
    )
    assert table.wide("2012").loc["01"].to_dict() == {"crime": 3000.0, "poor": 100.0}


def test_a_figure_that_stands_twice_is_told_at_its_second_row():
    row = ("01", "poor", "2012", "1", "10", "", "")
    with pytest.raises(TableError, match="row 3, area '01': the area, indicator and period occur a second time"):
        as_indicators(_tidy(row, row), _layer())


def test_faults_of_several_rows_and_columns_are_told_together():
    with pytest.raises(InputError) as caught:
        as_indicators(
            _tidy(("1", "poor", "2012", "x", "10", "", ""), ("02", "poor", "2012", "1", "y", "", "")),
            _layer(id_width=2),
        )
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (2, "code"),
        (2, "numerator"),
        (3, "denominator"),
    ]


def test_a_long_table_without_its_columns_is_told_with_a_hint_at_wide_ones():
    frame = pd.DataFrame({"code": ["01"], "poor": ["1"]})
    with pytest.raises(InputError) as caught:
        as_indicators(frame, _layer())
    assert [fault.what for fault in caught.value.faults] == [
        "there is no column 'indicator' in the data",
        "there is no column 'period' in the data",
        "there is neither a column 'numerator' nor a column 'value' in the data",
    ]
    assert caught.value.faults[-1].hint == (
        'a table with a column for each indicator needs `shape = "wide"` in the layer\'s TOML'
    )


# ---------------------------------------------------------------- wide tables


def _wide(**columns):
    frame = pd.DataFrame(columns, dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame


def test_columns_of_a_wide_table_may_be_added_up():
    layer = _layer(_indicator("poor", numerator=("women", "men"), denominator="all"), shape="wide", period="2012")
    table = as_indicators(_wide(code=["01"], women=["20"], men=["30"], all=["200"]), layer)
    row = table.data.iloc[0]
    assert (row["numerator"], row["denominator"], row["value"]) == (50, 200, 25.0)  # (20 + 30) / 200


def test_a_sum_with_a_hidden_part_is_hidden():
    layer = _layer(
        _indicator("poor", numerator=("women", "men"), denominator="all"),
        shape="wide",
        period="2012",
        missing_codes={"..": "suppressed"},
    )
    row = as_indicators(_wide(code=["01"], women=["20"], men=[".."], all=["200"]), layer).data.iloc[0]
    assert row["status"] == "suppressed"
    assert np.isnan(row["numerator"])
    assert np.isnan(row["value"])


def test_an_area_without_such_residents_is_a_fault_unless_the_layer_says_otherwise():
    item = _indicator("poor", numerator="n", denominator="all")
    frame = _wide(code=["01", "02"], n=["0", "5"], all=["0", "10"])
    with pytest.raises(TableError) as caught:
        as_indicators(frame, _layer(item, shape="wide", period="2012"))
    assert str(caught.value).startswith(
        "row 2, column 'n/all', area '01': the base is 0 (poor 2012: numerator 0, denominator 0). Expected: a base"
    )
    table = as_indicators(frame, _layer(item, shape="wide", period="2012", empty_base="not_applicable"))
    assert table.data["status"].tolist() == ["not_applicable", "observed"]
    assert np.isnan(table.data["value"][0])


def test_absent_columns_of_a_wide_table_are_told_with_their_keys():
    layer = _layer(_indicator("poor", numerator="lag_inkomst", denominator="alla"), shape="wide", period="2012")
    with pytest.raises(SpecError) as caught:
        as_indicators(_wide(kod=["01"], lag_inkomster=["1"]), layer)
    assert [(fault.key, fault.hint) for fault in caught.value.faults] == [
        ("id_column", "one of 'kod', 'lag_inkomster'"),
        ("indicators.0.numerator", "did you mean 'lag_inkomster'?"),
        ("indicators.0.denominator", "one of 'kod', 'lag_inkomster'"),
    ]


def test_an_area_that_stands_twice_in_a_wide_table_is_told():
    layer = _layer(_indicator("poor", numerator="n", denominator="all"), shape="wide", period="2012")
    with pytest.raises(IdError, match=r"row 3, column 'code': 1 area code\(s\) occur more than once: '01'"):
        as_indicators(_wide(code=["01", "01"], n=["1", "2"], all=["9", "9"]), layer)


# ---------------------------------------------------------------- joining


def test_a_join_lists_what_has_no_partner():
    table = _table(("01", "population", 5, None, 5, "observed"), ("09", "population", 5, None, 5, "observed"))
    report = join_report(["01", "02"], table)
    assert (report.matched, report.without_data, report.without_area) == (("01",), ("02",), ("09",))
    assert report.lines() == [
        "1 area has data",
        "1 area has no data: '02'",
        "1 code of the table has no area: '09'",
    ]


def test_a_join_without_a_single_match_is_refused():
    with pytest.raises(IdError, match=r"none of the 1 area codes of the table \('1'\) is among the 1 areas \('01'\)"):
        join_report(["01"], _table(("1", "population", 5, None, 5, "observed")))


# ---------------------------------------------------------------- merging


def test_a_merged_rate_is_made_from_counts_and_is_not_the_mean_of_rates():
    # a: 100 of 1 000 = 10 %; b: 900 of 3 000 = 30 %. Together (100 + 900) / (1 000 + 3 000) = 25 %, not 20 %.
    # Crimes: 50 + 30 = 80 on 4 000 residents = 20 per 1 000.
    table = _table(
        ("a", "poor", 100, 1000, 10, "observed"),
        ("b", "poor", 900, 3000, 30, "observed"),
        ("a", "crime", 50, 1000, 50, "observed"),
        ("b", "crime", 30, 3000, 10, "observed"),
        ("a", "population", 1000, None, 1000, "observed"),
        ("b", "population", 3000, None, 3000, "observed"),
    )
    merged = roll_up(table, _parents(a="K", b="K"))
    assert _figure(merged, "K", "poor")[["numerator", "denominator", "value"]].tolist() == [1000, 4000, 25]
    assert _figure(merged, "K", "crime")["value"] == 20
    assert _figure(merged, "K", "population")["value"] == 4000
    assert set(merged.data["status"]) == {"observed"}


def test_a_rate_without_counts_is_merged_by_its_base():
    # (200 · 1 000 + 300 · 3 000) / 4 000 = 275
    income = {"income": _indicator("income", kind="mean", unit="tkr")}
    table = _table(
        ("a", "income", None, 1000, 200, "observed"), ("b", "income", None, 3000, 300, "observed"), definitions=income
    )
    row = _figure(roll_up(table, _parents(a="K", b="K")), "K", "income")
    assert row["value"] == 275
    assert np.isnan(row["numerator"])
    assert row["denominator"] == 4000


def test_a_rate_without_counts_and_without_a_base_cannot_be_merged():
    income = {"income": _indicator("income", kind="mean", unit="tkr")}
    table = _table(("a", "income", None, None, 200, "observed"), definitions=income)
    with pytest.raises(TableError) as caught:
        roll_up(table, _parents(a="K"))
    assert str(caught.value) == (
        "rates without counts cannot be added up: 'income'. Expected: a base to weigh them by. Hint: name the column "
        "of the base as `denominator`"
    )


def test_counts_and_bare_rates_under_one_parent_are_weighted_alike():
    # a has counts (10 of 100 = 10 %), b only its rate (30 % of 300): (10 · 100 + 30 · 300) / 400 = 25 %.
    table = _table(("a", "poor", 10, 100, 10, "observed"), ("b", "poor", None, 300, 30, "observed"))
    row = _figure(roll_up(table, _parents(a="K", b="K")), "K", "poor")
    assert row["value"] == 25
    assert np.isnan(row["numerator"])


@pytest.mark.parametrize("status", ["suppressed", "not_collected", "out_of_scope"])
def test_a_missing_part_below_the_coverage_leaves_the_merged_figure_missing_with_its_reason(status):
    table = _table(("a", "poor", 100, 1000, 10, "observed"), ("b", "poor", None, 1000, None, status))
    row = _figure(roll_up(table, _parents(a="K", b="K"), minimum_coverage=0.8), "K", "poor")
    assert row["status"] == status
    assert row[["numerator", "denominator", "value"]].isna().all()


@pytest.mark.parametrize(
    ("hidden", "status"),
    [(250, "estimated"), (251, "suppressed")],  # 1000 / 1250 = 0.8 is enough; 1000 / 1251 is not
)
def test_the_coverage_needed_is_met_at_its_limit_and_not_below(hidden, status):
    table = _table(("a", "poor", 100, 1000, 10, "observed"), ("b", "poor", None, hidden, None, "suppressed"))
    row = _figure(roll_up(table, _parents(a="K", b="K"), minimum_coverage=0.8), "K", "poor")
    assert row["status"] == status
    if status == "estimated":
        assert row[["numerator", "denominator", "value"]].tolist() == [100, 1000, 10]  # of those who are known
    else:
        assert np.isnan(row["value"])


def test_a_hidden_base_is_weighed_like_its_siblings_mean():
    # Known bases 1 000 and 3 000 have the mean 2 000; the hidden third counts as 2 000: 4 000 / 6 000 = 0.67.
    table = _table(
        ("a", "poor", 100, 1000, 10, "observed"),
        ("b", "poor", 300, 3000, 10, "observed"),
        ("c", "poor", None, None, None, "suppressed"),
    )
    parents = _parents(a="K", b="K", c="K")
    assert _figure(roll_up(table, parents, minimum_coverage=0.66), "K", "poor")["status"] == "estimated"
    assert _figure(roll_up(table, parents, minimum_coverage=0.67), "K", "poor")["status"] == "suppressed"


def test_parts_that_do_not_apply_weigh_nothing():
    # Nobody lives in b: the merged figure is a's, whole and observed.
    table = _table(("a", "poor", 100, 1000, 10, "observed"), ("b", "poor", None, None, None, "not_applicable"))
    row = _figure(roll_up(table, _parents(a="K", b="K"), minimum_coverage=1.0), "K", "poor")
    assert (row["status"], row["value"]) == ("observed", 10)


def test_a_parent_whose_parts_all_do_not_apply_does_not_apply():
    table = _table(*[(area, "poor", None, None, None, "not_applicable") for area in "ab"])
    assert _figure(roll_up(table, _parents(a="K", b="K")), "K", "poor")["status"] == "not_applicable"


@pytest.mark.parametrize("status", ["suppressed", "not_collected", "out_of_scope"])
def test_a_count_needs_all_of_its_parts(status):
    # A rate can be estimated from most of its base; a number of residents without some of them is wrong.
    table = _table(("a", "population", 9999, None, 9999, "observed"), ("b", "population", None, None, None, status))
    row = _figure(roll_up(table, _parents(a="K", b="K"), minimum_coverage=0.01), "K", "population")
    assert row["status"] == status
    assert np.isnan(row["value"])


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ("observed", "provisional", "provisional"),
        ("observed", "estimated", "estimated"),
        ("provisional", "estimated", "estimated"),
    ],
)
def test_the_less_certain_status_holds_for_the_merged_figure(first, second, merged):
    table = _table(("a", "poor", 10, 100, 10, first), ("b", "poor", 10, 100, 10, second))
    assert _figure(roll_up(table, _parents(a="K", b="K")), "K", "poor")["status"] == merged


def test_merging_by_overlap_marks_every_figure_estimated():
    table = _table(("a", "poor", 10, 100, 10, "observed"))
    assert _figure(roll_up(table, _parents(a="K"), estimated=True), "K", "poor")["status"] == "estimated"


def test_children_without_a_parent_are_left_out():
    table = _table(("a", "poor", 10, 100, 10, "observed"), ("b", "poor", 90, 100, 90, "observed"))
    merged = roll_up(table, _parents(a="K", b=None))
    assert _figure(merged, "K", "poor")["value"] == 10
    assert set(merged.data["area_id"]) == {"K"}


# ---------------------------------------------------------------- laws

few = settings(max_examples=20)  # a merge takes some 15 ms
HALVES = {f"A{number}": f"H{number % 2}" for number in range(6)}


def _sorted(table):
    return table.data.sort_values(["area_id", "indicator", "period"], ignore_index=True)


@few
@given(tables(missing=False))
def test_merging_in_two_steps_is_merging_in_one(table):
    halves = roll_up(table, _parents(**HALVES))
    in_two = roll_up(halves, _parents(H0="K", H1="K"))
    in_one = roll_up(table, _parents(**dict.fromkeys(HALVES, "K")))
    assert_frame_equal(_sorted(in_two), _sorted(in_one))


@few
@given(tables(), st.permutations(range(18)))
def test_the_order_of_rows_changes_nothing(table, order):
    shuffled = IndicatorTable(table.data.iloc[list(order)].reset_index(drop=True), table.definitions)
    for parents in (_parents(**HALVES), _parents(**dict.fromkeys(HALVES, "K"))):
        assert_frame_equal(_sorted(roll_up(shuffled, parents)), _sorted(roll_up(table, parents)))


@few
@given(tables())
def test_totals_of_all_areas_are_the_merge_into_one_of_what_is_known(table):
    all_in_one = roll_up(table, _parents(**dict.fromkeys(HALVES, "K")), minimum_coverage=0.0)
    expected = all_in_one.data.set_index(["indicator", "period"])
    found = totals(table)
    columns = ["numerator", "denominator", "value", "status"]
    assert_frame_equal(found[columns], expected[columns])


@few
@given(tables())
def test_totals_count_the_areas_known_and_missing(table):
    found = totals(table)
    data = table.data.groupby("indicator")["status"]
    assert found["areas"].droplevel("period").to_dict() == data.apply(lambda s: int((s == "observed").sum())).to_dict()
    gone = data.apply(lambda s: int(s.isin({"suppressed", "not_collected", "out_of_scope"}).sum()))
    assert found["areas_missing"].droplevel("period").to_dict() == gone.to_dict()


@few
@given(tables(), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_missing_never_becomes_zero_and_known_never_becomes_missing_values(table, coverage):
    merged = roll_up(table, _parents(**HALVES), minimum_coverage=coverage).data
    missing = merged["status"].isin(MISSING)
    assert merged.loc[missing, ["numerator", "denominator", "value"]].isna().all(axis=None)
    assert merged.loc[~missing, "value"].notna().all()
    assert merged["status"].isin(STATUSES).all()


@few
@given(tables(), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_a_merged_rate_lies_between_the_rates_of_its_parts(table, coverage):
    merged = roll_up(table, _parents(**HALVES), minimum_coverage=coverage).data
    parts = table.data.assign(area_id=table.data["area_id"].map(HALVES)).groupby(["area_id", "indicator"])["value"]
    for row in merged[(merged["indicator"] != "population") & merged["value"].notna()].itertuples():
        lowest, highest = parts.min()[row.area_id, row.indicator], parts.max()[row.area_id, row.indicator]
        assert lowest - 1e-9 <= row.value <= highest + 1e-9


# ---------------------------------------------------------------- what stands behind a merged figure


def _behind(table, area, indicator):
    return _figure(table, area, indicator)[["children", "minimum", "maximum", "spread"]].tolist()


def test_a_merged_rate_carries_lowest_highest_and_spread():
    # 10 % of 1 000 and 30 % of 3 000: mean 25 %; (1 000 · 15² + 3 000 · 5²) / 4 000 = 75, root 8.66.
    table = _table(
        ("a", "poor", 100, 1000, 10, "observed"),
        ("b", "poor", 900, 3000, 30, "observed"),
        ("c", "poor", None, 500, None, "suppressed"),
        ("d", "poor", None, None, None, "not_applicable"),
    )
    merged = roll_up(table, _parents(**dict.fromkeys("abcd", "K")))
    assert _behind(merged, "K", "poor") == [2, 10, 30, pytest.approx(75**0.5)]
    assert list(merged.data.columns) == [*COLUMNS, "children", "minimum", "maximum", "spread"]
    assert merged.wide("2012", "minimum").loc["K", "poor"] == 10


def test_counts_weigh_the_same_in_their_spread():
    # 10 and 30 residents: mean 20, both 10 from it.
    table = _table(("a", "population", 10, None, 10, "observed"), ("b", "population", 30, None, 30, "observed"))
    assert _behind(roll_up(table, _parents(a="K", b="K")), "K", "population") == [2, 10, 30, 10]


def test_a_bare_rate_spreads_by_its_base():
    income = {"income": _indicator("income", kind="mean", unit="tkr")}
    rows = [("a", "income", None, 1000, 200, "observed"), ("b", "income", None, 3000, 300, "observed")]
    merged = roll_up(_table(*rows, definitions=income), _parents(a="K", b="K"))
    # Mean 275: (1 000 · 75² + 3 000 · 25²) / 4 000 = 1 875.
    assert _behind(merged, "K", "income") == [2, 200, 300, pytest.approx(1875**0.5)]


def test_a_missing_figure_hides_the_values_behind_it():
    table = _table(("a", "poor", 100, 1000, 10, "observed"), ("b", "poor", None, 9000, None, "suppressed"))
    row = _figure(roll_up(table, _parents(a="K", b="K")), "K", "poor")
    assert row["status"] == "suppressed"
    assert row["children"] == 1
    assert row[["minimum", "maximum", "spread"]].isna().all()


def test_an_area_alone_has_no_spread():
    table = _table(("a", "poor", 100, 1000, 10, "observed"))
    assert _behind(roll_up(table, _parents(a="K")), "K", "poor") == [1, 10, 10, 0]


def test_nothing_to_merge_gives_an_empty_table():
    table = _table(("a", "poor", 100, 1000, 10, "observed"))
    merged = roll_up(table, _parents(a=None))
    assert merged.data.empty
    assert list(merged.data.columns) == [*COLUMNS, "children", "minimum", "maximum", "spread"]


def test_what_was_moved_between_boundaries_is_kept_by_its_base():
    table = _table(
        ("a", "poor", 100, 1000, 10, "observed"),
        ("b", "poor", 300, 3000, 10, "estimated"),
        ("c", "poor", 300, 3000, 10, "observed"),
    )
    table = IndicatorTable(table.data.assign(moved_share=[0.0, 0.4, np.nan]), DEFINITIONS)
    merged = roll_up(table, _parents(a="K", b="K", c="L"))
    # 3 000 of the base of 4 000 were moved to 40 %.
    assert merged.data.set_index("area_id")["moved_share"].to_dict() == {"K": pytest.approx(0.3), "L": 0}
    again = roll_up(merged, _parents(K="T", L="T")).data.iloc[0]
    assert again["moved_share"] == pytest.approx(1200 / 7000)


# ---------------------------------------------------------------- overlapping parents


def _pairs(**children):
    rows = [(child, parent, 1.0) for child, parents in children.items() for parent in parents]
    return pd.DataFrame(rows, columns=["child_id", "parent_id", "share"])


def test_an_area_of_two_plans_counts_in_each_and_once_in_the_city():
    table = _table(
        ("a", "poor", 100, 1000, 10, "observed"),
        ("b", "poor", 200, 1000, 20, "observed"),
        ("c", "poor", 600, 2000, 30, "observed"),
    )
    plans = roll_up(table, _pairs(a=["p"], b=["p", "q"], c=["q"]))
    assert _figure(plans, "p", "poor")[["numerator", "denominator", "value"]].tolist() == [300, 2000, 15]
    assert _figure(plans, "q", "poor")[["numerator", "denominator"]].tolist() == [800, 3000]
    city = roll_up(plans, _parents(p="city", q="city"))
    assert _figure(city, "city", "poor")[["numerator", "denominator", "value"]].tolist() == [900, 4000, 22.5]
    assert _behind(city, "city", "poor")[:3] == [3, 10, 30]
    together = totals(plans).loc[("poor", "2012")]
    assert together[["numerator", "denominator", "areas"]].tolist() == [900, 4000, 3]
    assert totals(plans, ["q"]).loc[("poor", "2012"), "numerator"] == 800
    assert _figure(known_sums(plans), "p", "poor")["numerator"] == 300


def test_areas_that_are_partly_in_a_parent_are_not_merged():
    table = _table(("a", "poor", 100, 1000, 10, "observed"))
    with pytest.raises(IdError) as caught:
        roll_up(table, _pairs(a=["p"]).assign(share=0.5))
    assert str(caught.value) == (
        "1 area(s) belong only partly to a parent: 'a'. Expected: whole parents for every area that is merged. "
        "Hint: `transfer` divides the figures of areas that borders cut through"
    )


@st.composite
def _overlapping(draw):
    """Draw a membership of six areas: one whole level of three, and plans that overlap; all in one city."""
    areas = [f"A{number}" for number in range(6)]
    plans = [f"P{number}" for number in range(draw(st.integers(1, 4)))]
    rows = []
    for area in areas:
        rows.append((area, draw(st.sampled_from(["M0", "M1", "M2"])), "part_of"))
        own = draw(st.lists(st.sampled_from(plans), min_size=1, max_size=3, unique=True))
        rows += [(area, plan, "covered_by") for plan in own]
    rows += [(upper, "city", "part_of") for upper in ("M0", "M1", "M2", *plans)]
    frame = pd.DataFrame(rows, columns=["child_id", "parent_id", "relation"])
    return as_membership(frame, relation_column="relation"), areas, plans


@few
@given(tables(), _overlapping(), st.sampled_from([0.0, 0.8]))
def test_rolled_up_three_ways_a_figure_is_the_same_and_counts_nobody_twice(table, drawn, coverage):
    membership, areas, plans = drawn

    def climb(start, *levels):
        for lower, upper in itertools.pairwise(levels):
            start = roll_up(start, pairs_at(membership, lower, upper), minimum_coverage=coverage)
        return _sorted(start)

    directly = climb(table, areas, ["city"])
    assert_frame_equal(climb(table, areas, ["M0", "M1", "M2"], ["city"]), directly)
    assert_frame_equal(climb(table, areas, plans, ["city"]), directly)
    known = table.data[table.data["status"] == "observed"].groupby("indicator")
    for row in directly[directly["value"].notna()].itertuples():
        own = known.get_group(row.indicator)
        assert row.children == len(own)
        assert row.numerator == own["numerator"].sum()
        assert (row.minimum, row.maximum) == (own["value"].min(), own["value"].max())
        weight = None if row.indicator == "population" else own["denominator"]
        mean = np.average(own["value"], weights=weight)
        assert row.spread == pytest.approx(np.average((own["value"] - mean) ** 2, weights=weight) ** 0.5, abs=1e-6)


@few
@given(tables(missing=False), _overlapping())
def test_each_overlapping_plan_is_the_sum_of_its_areas(table, drawn):
    membership, areas, plans = drawn
    pairs = pairs_at(membership, areas, plans)
    merged = roll_up(table, pairs).wide("2012", "numerator")
    own = table.wide("2012", "numerator")
    for plan, among in pairs.groupby("parent_id")["child_id"]:
        assert merged.loc[plan].to_dict() == own.loc[list(among)].sum().to_dict()


def test_every_status_pair_merges_into_a_status():
    for first, second in itertools.product(STATUSES, repeat=2):
        rows = [
            (area, "poor", *((10, 100, 10) if status not in MISSING else (None, None, None)), status)
            for area, status in (("a", first), ("b", second))
        ]
        merged = roll_up(_table(*rows), _parents(a="K", b="K"))
        assert _figure(merged, "K", "poor")["status"] in STATUSES


def _refused(rows, *indicators, **layer):
    columns = ["code", "indicator", "period", "numerator", "denominator", "value"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    content = {
        "kind": "indicators",
        "title": "t",
        "path": "t.csv",
        "source": "s",
        "licence": "MIT",
        "vintage": "2012",
        "level": "stadsdel",
        "id_column": "code",
        "indicators": list(indicators),
    } | layer
    with pytest.raises(TableError) as caught:
        as_indicators(frame, parse_layer(content))
    return str(caught.value).splitlines()


_SHARE = {"id": "poor", "label": "p", "kind": "share", "unit": "pct", "direction": "higher_is_worse"}
_COUNT = {"id": "population", "label": "p", "kind": "count", "unit": "persons", "direction": "neutral"}


def test_a_share_beyond_its_base_is_refused_without_counts_too():
    rows = [("1", "poor", "2012", "", "100", "155"), ("2", "poor", "2012", "", "100", "-10")]
    said = _refused(rows, _SHARE)
    assert len(said) == 2
    assert said[0].startswith("row 2, column 'value', area '1': the rate cannot be (poor 2012:")


def test_a_rate_that_does_not_follow_from_its_counts_is_refused():
    said = _refused([("1", "poor", "2012", "10", "100", "55")], _SHARE)
    assert said[0].startswith("row 2, column 'value', area '1': the rate does not follow from its counts")


def test_points_that_part_thousands_are_not_read_as_decimals():
    rows = [("1", "population", "2012", "1.000", "", ""), ("2", "population", "2012", "12.345", "", "")]
    said = _refused(rows, _COUNT)
    assert said[0].startswith(
        "row 2, column 'numerator': '1.000' is not a number. Hint: the point seems to part thousands"
    )
