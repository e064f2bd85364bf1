"""Boundaries that change: a register of changes, worked by hand, forwards and backwards."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal
from strategies import DEFINITIONS, tables

from geoplan.errors import InputError, SpecError, TableError
from geoplan.places import IndicatorTable, as_crosswalk, carry, change_lines, roll_up, transfer
from geoplan.places.indicators import COLUMNS

NUMBERS = ["area_id", "indicator", "period", "numerator", "denominator", "value"]


def changes_of(*rows, dated=True):
    """Return a dated crosswalk of rows (from, to, share, date)."""
    frame = pd.DataFrame(rows, columns=["from_id", "to_id", "share", "date"][: 3 + dated])
    return as_crosswalk(frame, date_column="date" if dated else None)


def people(**periods):
    """Return a table of residents by period (p2012=…): {area: number, or a status}."""
    rows = []
    for period, areas in periods.items():
        for area, number in areas.items():
            known = not isinstance(number, str)
            value = number if known else np.nan
            status = "observed" if known else number
            rows.append((area, "population", period.removeprefix("p"), value, np.nan, value, status))
    data = pd.DataFrame(rows, columns=COLUMNS).astype({"numerator": float, "denominator": float, "value": float})
    return IndicatorTable(data, DEFINITIONS)


def residents(table, period):
    return table.wide(period)["population"].dropna().to_dict()


def statuses(table, period):
    return table.wide(period, "status")["population"].dropna().to_dict()


#: On New Year's Day 2010 A is split: three quarters stay A, a quarter becomes N. In 2012 B and N become M.
REFORM = changes_of(
    ("A", "A", 0.75, "2010-01-01"),
    ("A", "N", 0.25, "2010-01-01"),
    ("B", "M", 1, "2012-01-01"),
    ("N", "M", 1, "2012-01-01"),
)
TOWN = people(p2009={"A": 400, "B": 50, "C": 7}, p2010={"A": 310, "N": 90, "B": 60, "C": 8}, p2012={"A": 320, "M": 160})


# ---------------------------------------------------------------- forwards


def test_figures_of_every_period_come_to_the_areas_after_the_last_change():
    now = carry(TOWN, REFORM)
    assert residents(now, "2009") == {"A": 300, "C": 7, "M": 100 + 50}
    assert residents(now, "2010") == {"A": 310, "C": 8, "M": 90 + 60}
    assert residents(now, "2012") == {"A": 320, "M": 160}


def test_what_went_over_a_split_is_an_estimate_and_the_rest_is_not():
    now = carry(TOWN, REFORM)
    assert statuses(now, "2009") == {"A": "estimated", "C": "observed", "M": "estimated"}
    assert statuses(now, "2010") == {"A": "observed", "C": "observed", "M": "observed"}  # a merger is exact
    moved = now.wide("2009", "moved_share")["population"].to_dict()
    assert moved == pytest.approx({"A": 1, "C": 0, "M": 100 / 150})
    assert now.wide("2010", "moved_share")["population"].to_dict() == {"A": 0, "C": 0, "M": 0}


def test_the_day_decides_which_changes_apply():
    then = carry(TOWN, REFORM, to="2011-06-30")
    assert residents(then, "2009") == {"A": 300, "B": 50, "C": 7, "N": 100}
    assert residents(then, "2010") == {"A": 310, "B": 60, "C": 8, "N": 90}
    assert carry(TOWN, REFORM, to=dt.date(2011, 6, 30)).data.equals(then.data)


def test_a_change_on_the_day_itself_has_taken_place():
    old = people(p2009={"A": 400, "B": 50})
    assert residents(carry(old, REFORM, to="2010-01-01"), "2009") == {"A": 300, "B": 50, "N": 100}
    assert carry(old, REFORM, to="2009-12-31") is old


def test_changes_without_a_date_come_before_every_period():
    renamed = changes_of(("old", "new", 1), dated=False)
    now = carry(people(spring={"old": 5, "C": 7}), renamed)  # and a period need not be one of the calendar
    assert residents(now, "spring") == {"new": 5, "C": 7}
    assert statuses(now, "spring") == {"new": "observed", "C": "observed"}


def test_codes_that_are_exchanged_on_one_day_do_not_run_into_each_other():
    exchanged = changes_of(("A", "B", 1, "2010-01-01"), ("B", "A", 1, "2010-01-01"))
    assert residents(carry(people(p2009={"A": 1, "B": 2}), exchanged), "2009") == {"A": 2, "B": 1}


def test_an_area_that_others_are_merged_into_need_not_be_mentioned():
    absorbed = changes_of(("A", "B", 1, "2010-01-01"))
    now = carry(people(p2009={"A": 1, "B": 2}), absorbed)
    assert residents(now, "2009") == {"B": 3}


def test_a_table_that_no_change_concerns_stays_as_it_is():
    other = people(p2009={"X": 1})
    assert carry(other, REFORM) is other


def test_a_part_that_the_table_lacks_leaves_a_gap():
    # M is made of B and N, and 2010 has no figure of N.
    now = carry(people(p2010={"A": 310, "B": 60}), REFORM)
    assert statuses(now, "2010") == {"A": "observed", "M": "not_collected"}
    hidden = carry(people(p2010={"A": 310, "B": 60, "N": "suppressed"}), REFORM)
    assert statuses(hidden, "2010") == {"A": "observed", "M": "suppressed"}


def test_rates_are_carried_by_their_counts():
    rows = [("A", "poor", "2009", 40.0, 400.0, 10.0, "observed"), ("B", "poor", "2009", 30.0, 50.0, 60.0, "observed")]
    now = carry(IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), DEFINITIONS), REFORM)
    # M: 10 of 100 from A, 30 of 50 from B
    assert now.data[["area_id", "numerator", "denominator"]].to_numpy().tolist() == [["A", 30, 300], ["M", 40, 150]]
    assert now.data["value"].tolist() == pytest.approx([10, 100 * 40 / 150])


def test_the_pieces_are_kept_for_merging_further():
    now = carry(TOWN, REFORM)
    town = roll_up(now, pd.Series({"A": "town", "M": "town", "C": "town"}))
    assert residents(town, "2009") == {"town": 457}
    assert residents(town, "2010") == {"town": 468}


# ---------------------------------------------------------------- backwards


def test_new_areas_are_divided_among_the_old_by_share_and_base():
    # M was made of B (60 in 2010) and N (90): 0.4 and 0.6 of its 160.
    then = carry(TOWN, REFORM, to="2011-01-01")
    assert residents(then, "2012") == pytest.approx({"A": 320, "B": 64, "N": 96})
    assert statuses(then, "2012") == {"A": "observed", "B": "estimated", "N": "estimated"}


def test_over_two_changes_back():
    # N came from A alone, and A is what stayed of it: both go back whole.
    then = carry(TOWN, REFORM, to="2009-12-31")
    assert residents(then, "2012") == pytest.approx({"A": 320 + 96, "B": 64})
    assert residents(then, "2010") == {"A": 400, "B": 60, "C": 8}
    assert statuses(then, "2010") == {"A": "observed", "B": "observed", "C": "observed"}
    assert residents(then, "2009") == {"A": 400, "B": 50, "C": 7}


def test_an_area_that_took_in_another_is_divided_on_the_way_back():
    absorbed = changes_of(("A", "B", 1, "2010-01-01"))
    both = people(p2009={"A": 1, "B": 3}, p2010={"B": 8})
    assert residents(carry(both, absorbed, to="2009-12-31"), "2010") == {"A": 2, "B": 6}


def test_the_base_may_be_handed_over():
    after = people(p2012={"M": 100})
    base = pd.Series({"B": 1.0, "N": 3.0})
    assert residents(carry(after, REFORM, to="2011-12-31", base=base), "2012") == {"B": 25, "N": 75}


def test_without_residents_in_any_of_them_the_shares_alone_decide():
    base = pd.Series({"B": 0.0, "N": 0.0})
    assert residents(carry(people(p2012={"M": 100}), REFORM, to="2011-12-31", base=base), "2012") == {"B": 50, "N": 50}


def test_an_old_area_of_which_a_part_is_not_in_the_table_is_not_complete():
    split = changes_of(("A", "X", 0.5, "2010-01-01"), ("A", "Y", 0.5, "2010-01-01"))
    back = carry(people(p2010={"X": 10}), split, to="2009-12-31")
    assert statuses(back, "2010") == {"A": "not_collected"}


# ---------------------------------------------------------------- laws

few = settings(max_examples=12)  # a transfer takes some 50 ms


@st.composite
def steps(draw, day, sources, targets):
    rows = []
    for source in sources:
        weights = draw(st.lists(st.integers(0, 4), min_size=len(targets), max_size=len(targets)).filter(any))
        rows += [(source, t, w / sum(weights), day) for t, w in zip(targets, weights, strict=True) if w]
    return rows


FIRST = steps("2013-01-01", [f"A{number}" for number in range(6)], ["B0", "B1", "B2"])
SECOND = steps("2014-01-01", ["B0", "B1", "B2"], ["C0", "C1"])


@few
@given(tables(missing=False), FIRST, SECOND)
def test_two_changes_are_one_after_the_other(table, first, second):
    in_one = carry(table, changes_of(*first, *second)).data
    pairs = [changes_of(*rows).drop(columns="date") for rows in (first, second)]
    in_two = transfer(transfer(table, pairs[0]), pairs[1]).data
    assert_frame_equal(in_one[NUMBERS], in_two[NUMBERS], rtol=1e-9)


@few
@given(tables(missing=False), FIRST)
def test_forwards_and_back_conserves_totals(table, first):
    changes = changes_of(*first)
    there = carry(table, changes)
    later = IndicatorTable(there.data.assign(period="2013")[COLUMNS], table.definitions)
    base = table.wide("2012")["population"]
    back = carry(later, changes, to="2012-12-31", base=base)
    for moved in (there, back):
        sums = moved.data.groupby("indicator")[["numerator", "denominator"]].sum()
        before = table.data.groupby("indicator")[["numerator", "denominator"]].sum()
        assert_frame_equal(sums, before, rtol=1e-9, check_dtype=False)
    # Residents went over by the shares, so that the base brings everybody home.
    assert residents(back, "2013") == pytest.approx(residents(table, "2012"), rel=1e-9)


# ---------------------------------------------------------------- reading


def test_a_register_is_read_with_its_own_words():
    frame = pd.DataFrame({"gammal": ["0101", "0101"], "ny": ["0201", "0202"], "andel": ["0,4", "0,6"], "datum": "2013"})
    found = as_crosswalk(
        frame,
        from_column="gammal",
        to_column="ny",
        share_column="andel",
        date_column="datum",
        decimal=",",
        from_width=4,
    )
    assert found.columns.tolist() == ["from_id", "to_id", "share", "date"]
    assert found["share"].tolist() == [0.4, 0.6]
    assert set(found["date"]) == {pd.Timestamp("2013-01-01")}
    assert change_lines(found) == ["1 area changed on 2013-01-01, 1 of them split"]
    assert change_lines(changes_of(("a", "b", 1), ("c", "b", 1), dated=False)) == [
        "2 areas changed without a date, 0 of them split"
    ]


def test_an_area_may_give_something_away_and_get_it_back():
    border = changes_of(
        ("A", "A", 0.9, "2010-01-01"), ("A", "B", 0.1, "2010-01-01"),
        ("B", "B", 0.9, "2015-01-01"), ("B", "A", 0.1, "2015-01-01"),
    )  # fmt: skip
    assert len(border) == 4


def refused(*rows, kind=TableError, **options):
    frame = pd.DataFrame(rows, columns=["from_id", "to_id", "share", "date"])
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    with pytest.raises(kind) as caught:
        as_crosswalk(frame, **{"date_column": "date", **options})
    return str(caught.value).splitlines()


def test_shares_that_do_not_add_up_are_refused_with_area_and_sum():
    assert refused(("A", "X", "0.5", "2010-01-01"), ("A", "Y", "0.4", "2010-01-01"), ("B", "X", "1", "2010-01-01")) == [
        (
            "area 'A': the shares add up to 0.9 on 2010-01-01. Expected: 1. "
            "Hint: list what the area keeps, too; figures must not get lost"
        )
    ]
    many = [(f"A{number}", "X", "0.5", "2010-01-01") for number in range(8)]
    assert refused(*many)[-1] == "the shares of 3 more areas do not add up to 1."


def test_shares_and_dates_that_are_none_are_refused_all_at_once():
    assert refused(("A", "X", "-0.5", "2010-01-01"), ("A", "Y", "half", "2010-13-01"), ("B", "Y", "1.5", "")) == [
        "row 2, column 'share': '-0.5' is not a share. Expected: a number above 0, at most 1.",
        "row 3, column 'share': 'half' is not a share. Expected: a number above 0, at most 1.",
        "row 4, column 'share': '1.5' is not a share. Expected: a number above 0, at most 1.",
        "row 3, column 'date': '2010-13-01' is not a date. Expected: a day such as 2013-01-01, or a year.",
        "row 4, column 'date': '' is not a date. Expected: a day such as 2013-01-01, or a year.",
    ]


def test_missing_and_shortened_codes_are_refused():
    said = refused(("101", "0201", "1", "2010"), ("0102", "", "1", "2010"), kind=InputError, from_width=4, to_width=4)
    assert said[0].startswith("row 2, column 'from_id': 1 area code(s)")
    assert said[1] == "row 3, column 'to_id': 1 row(s) have no area code. Expected: a code in every row."


def test_absent_columns_are_refused():
    frame = pd.DataFrame({"from_id": ["A"], "to": ["B"]})
    with pytest.raises(InputError) as caught:
        as_crosswalk(frame, date_column="day")
    assert [fault.key for fault in caught.value.faults] == ["to_column", "share_column", "date_column"]


def test_an_area_that_ceases_and_comes_back_is_refused():
    assert refused(("A", "B", "1", "2010-01-01"), ("B", "C", "1", "2012-01-01"), ("C", "A", "1", "2015-01-01")) == [
        (
            "area 'A': the area ceases and comes back: 'A' becomes 'B' (2010-01-01), 'B' becomes 'C' (2012-01-01), "
            "'C' becomes 'A' (2015-01-01). Expected: a code that means one area. "
            "Hint: call the area that comes back otherwise, such as 'A-2015'"
        )
    ]


def test_a_base_that_is_not_known_is_refused():
    with pytest.raises(TableError) as caught:
        carry(people(p2012={"M": 100}), REFORM, to="2011-12-31")
    assert str(caught.value) == (
        "figures cannot be taken back before 2012-01-01: no base is known for 'B', 'N'. "
        "Expected: the base of every area before the change. "
        "Hint: let `base` be an indicator that the table counts before the change, or a Series of residents"
    )


def test_a_day_that_is_none_is_refused():
    with pytest.raises(SpecError) as caught:
        carry(TOWN, REFORM, to="next year")
    assert str(caught.value) == "key 'to': 'next year' is not a date. Expected: a day such as 2013-01-01."


def test_periods_that_are_not_of_the_calendar_are_refused():
    with pytest.raises(TableError) as caught:
        carry(people(spring={"A": 1}, p2012={"A": 1}), REFORM)
    assert str(caught.value) == (
        "column 'period': 'spring' cannot be told to be before or after a change. "
        "Expected: a year, a span of years such as 2010-2012, a quarter (2012Q3), a month or a day."
    )


@pytest.mark.parametrize(
    ("period", "carried"),
    [
        ("2009", True), ("2010", False), ("2008-2009", True), ("2009-2010", False), ("2009Q4", True), ("2010Q1", False),
        ("2009-12", True), ("2010-01", False), ("2009-12-31", True), ("2010-01-01", False),
    ],
)  # fmt: skip
def test_a_period_belongs_to_the_areas_of_its_last_day(period, carried):
    now = carry(people(**{period: {"A": 4}}), REFORM, to="2010-12-31")
    assert residents(now, period) == ({"A": 3, "N": 1} if carried else {"A": 4})
