"""Accounts of a grant: every krona found, and every krona that is missing said."""

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import InputError, SpecError, TableError
from geoplan.targeting.accounts import programme_accounts

COLUMNS = ["area_id", "year", "paid", "used", "returned", "advanced", "carried_over"]
REACHED = "the envelope to the krona"
USED = (
    "200,000 kr used, 30,000 kr carried in, 20,000 kr advanced from the next year",
    "110,000 kr used, 10,000 kr carried over, 20,000 kr settled for the year before, 10,000 kr returned",
    "120,000 kr used, 30,000 kr carried over",
)
MORE = "103 kr were used or returned in 2013, 3 kr more than the 100 kr there are. Hint: money of the next year used"


def book(*rows, columns=COLUMNS):
    return pd.DataFrame([dict(zip(columns, row, strict=False)) for row in rows], columns=columns)


def faults_of(rows, **more):
    with pytest.raises(InputError) as caught:
        programme_accounts(rows, **more)
    return caught.value.faults


def test_worked_by_hand():
    # A: 100 paid, 70 used, 30 over; then 30 + 100 + 20 advanced = 150 used; then 100 − 20 settled = 60 used, 10
    # returned, 10 over.
    rows = book(
        ("A", 2013, 100, 70),
        ("A", 2014, 100, 150, 0, 20, 0),
        ("A", 2015, 100, 60, 10, None, 10),
        ("B", 2013, 50, 50),
        ("B", 2014, 50, 50),
        ("B", 2015, 50, 50),
    )
    made = programme_accounts(rows[::-1], unit="tkr", envelopes={2013: 150, 2014: 150, 2015: 150}, lag=2)
    assert (made.table.loc["A"].drop(columns="measured") // 1000).to_numpy().tolist() == [
        # carried in, paid, advanced, settled, used, returned, carried over
        [0, 100, 0, 0, 70, 0, 30],
        [30, 100, 20, 0, 150, 0, 0],
        [0, 100, 0, 20, 60, 10, 10],
    ]
    assert made.table["measured"].loc["B"].tolist() == ["2010–2011", "2011–2012", "2012–2013"]
    assert made.by_year["paid"].tolist() == made.by_year["envelope"].tolist() == [150_000] * 3
    assert made.by_area.loc["A"].to_dict() == {
        "paid": 300_000,
        "used": 280_000,
        "returned": 10_000,
        "carried_over": 10_000,
        "advanced": 0,
    }
    assert made.lines(names={"A": "Araby"}) == [
        f"2013: 150,000 kr paid to 2 areas for what changed 2010–2011, {REACHED}; {USED[2]}.",
        f"2014: 150,000 kr paid to 2 areas for what changed 2011–2012, {REACHED}; {USED[0]}.",
        f"2015: 150,000 kr paid to 2 areas for what changed 2012–2013, {REACHED}; {USED[1]}.",
        "Araby has 10,000 kr left at the end.",
    ]


def test_an_advance_that_is_still_open_at_the_end():
    made = programme_accounts(book(("A", 2013, 100, 120, 0, 20)))
    assert made.by_area["advanced"].to_dict() == {"A": 20}
    assert made.lines() == [
        "2013: 100 kr paid to 1 area; 120 kr used, 20 kr advanced from the next year.",
        "A has used 20 kr of a payment that is still to come.",
    ]
    assert made.conventions["lag"] == "not stated"
    assert made.by_year["envelope"].isna().all()


def test_units_are_turned_exactly_and_may_differ_by_row():
    rows = pd.DataFrame(
        {
            "area_id": ["A", "B", "C"],
            "year": [2013] * 3,
            "paid": [4.35, "6600.001", 49_999_999_000],
            "used": [0.000001, 0, 0],
            "unit": ["Mkr", "tkr", "kr"],
        }
    )
    made = programme_accounts(rows, envelopes={2013: 50_010_949.001}, envelope_unit="tkr")
    assert made.table["paid"].tolist() == [4_350_000, 6_600_001, 49_999_999_000]
    assert made.table["used"].tolist() == [1, 0, 0]
    assert made.conventions["unit"] == "as stated in each row"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("A", 2013, -1, 0)], "row 2, column 'paid', area 'A': -1 kr is negative. Expected: an amount from 0"),
        ([("A", 2013, 0.5, 0)], "row 2, column 'paid', area 'A': 0.5 kr is no whole number of kronor"),
        ([("A", 2013, 1, "x")], "row 2, column 'used', area 'A': 'x' is not an amount of money"),
        ([("A", 2013, None, 0)], "row 2, column 'paid', area 'A': there is no amount 'paid'. Expected: an amount in"),
        ([("A", 2013.5, 1, 1)], "row 2, column 'year': '2013.5' is no year"),
        ([("", 2013, 1, 1)], "row 2, column 'area_id': 1 row(s) have no area code"),
        ([("A", 2013, 1, 1), ("A", 2013, 1, 1)], "row 3, area 'A': 2013 is stated twice"),
        ([("A", 2013, 1, 1), ("A", 2016, 1, 1)], "area 'A': there is no row of 2014, 2015"),
        (
            [("A", 2013, 100, 103)],
            f"row 2, column 'used', area 'A': {MORE} before it is paid is stated as `advanced`",
        ),
        (
            [("A", 2013, 100, 130, 0, 30), ("A", 2014, 20, 0)],
            "20 kr were paid: 10 kr too much was advanced",
        ),
        ([("A", 2013, 100, 90, 0, 30)], "30 kr were advanced in 2013 although 40 kr are left over"),
        ([("A", 2013, 100, 90, 0, 0, 17)], "17 kr are carried over from 2013, 7 kr more than 10 kr left"),
        ([("A", 2013, 100, 90, 0, 0, 7)], "7 kr are carried over from 2013, 3 kr less than 10 kr left"),
        ([("A", 2013, 0, 0, 0, 0, 7)], "7 kr are carried over from 2013, in which nothing was paid or carried in"),
    ],
)
def test_each_fault(rows, words):
    found = faults_of(book(*rows))
    assert len(found) == 1
    assert words in str(found[0])


def test_all_faults_at_once():
    rows = book(
        ("A", 2013, 100, 130), ("A", 2014, 100, 0), ("B", 2013, -5, 0), ("C", 2013, "1 0", 0), ("D", 2013, 100, 90)
    ).assign(unit=["kr", "kr", "kr", "kr", "tkkr"])
    found = "\n".join(map(str, faults_of(rows, envelopes={2013: 0.5, 2014: 101}, lag=1)))
    for words in (
        "30 kr more than the 100 kr there are",
        "-5 kr is negative",
        "'1 0' is not an amount",
        "row 6, column 'paid', area 'D': no unit of money is called 'tkkr'",
        "key 'envelopes.2013': 0.5 kr is no whole number",
        "key 'envelopes.2014': the payments of 2014 add up to 100 kr, 1 kr less than the envelope of 101 kr",
    ):
        assert words in found
    # What hangs on a wrong figure is not said again.
    assert found.count("area 'A'") == 1


def test_the_envelope_is_met_to_the_krona():
    rows = book(*((f"D{number}", 2013, 6_600_000, 0) for number in range(15)))
    assert programme_accounts(rows, envelopes={2013: 99}, envelope_unit="Mkr").by_year["areas"].tolist() == [15]
    rows.loc[3, "paid"] += 2
    found = faults_of(rows, envelopes={2013: 99}, envelope_unit="Mkr")
    words = "the payments of 2013 add up to 99,000,002 kr, 2 kr more than the envelope of 99,000,000 kr"
    assert [fault.what for fault in found] == [words]
    assert "there is no envelope for 2013" in str(faults_of(book(("A", 2013, 1, 1)), envelopes={2014: 0})[0])


def test_frames_that_are_none():
    with pytest.raises(SpecError, match="there is no column 'paid' in the data") as caught:
        programme_accounts(pd.DataFrame({"area_id": ["A"], "year": [2013]}), lag=-1)
    assert len(caught.value.faults) == 3
    with pytest.raises(TableError, match="there are no rows"):
        programme_accounts(book())


@st.composite
def histories(draw):
    """Areas that use what they have, now and then a part of the next payment."""
    rows = []
    for area in range(draw(st.integers(1, 4))):
        paid = draw(st.lists(st.integers(0, 10**7), min_size=1, max_size=5))
        carried, owed = 0, 0
        for year, amount in enumerate(paid):
            here = carried + amount - owed
            following = paid[year + 1] if year + 1 < len(paid) else 10**7
            advanced = draw(st.one_of(st.just(0), st.integers(0, following)))
            gone = here + advanced if advanced else draw(st.integers(0, here))
            returned = draw(st.integers(0, gone))
            rows.append((f"A{area}", 2013 + year, amount, gone - returned, returned, advanced))
            carried, owed = here + advanced - gone, advanced
    return book(*rows)


@settings(max_examples=30)
@given(histories(), st.randoms(use_true_random=False))
def test_every_krona_is_found(rows, random):
    made = programme_accounts(rows)
    t = made.table
    assert (t["carried_in"] + t["paid"] + t["advanced"]).equals(
        t["settled"] + t["used"] + t["returned"] + t["carried_over"]
    )
    by = t.groupby(level="area_id")
    assert (by["carried_over"].shift(fill_value=0) == t["carried_in"]).all()
    assert (by["advanced"].shift(fill_value=0) == t["settled"]).all()
    a = made.by_area
    assert (a["paid"] + a["advanced"] == a["used"] + a["returned"] + a["carried_over"]).all()
    assert made.by_year["paid"].sum() == a["paid"].sum() == rows["paid"].sum()
    order = list(range(len(rows)))
    random.shuffle(order)
    assert programme_accounts(rows.iloc[order]).table.equals(t)
    # Stated as it was worked out it is the same, in any unit.
    money = ["paid", "used", "returned", "advanced", "carried_over"]
    whole = t.reset_index()[["area_id", "year", *money]].astype(dict.fromkeys(money, float))
    whole[money] = whole[money] / 1_000_000
    assert programme_accounts(whole, unit="Mkr").table.equals(t)


@settings(max_examples=30)
@given(histories(), st.data())
def test_a_krona_that_is_missing_is_said(rows, data):
    made = programme_accounts(rows)
    stated = rows.assign(carried_over=made.table["carried_over"].to_numpy())
    place = data.draw(st.integers(0, len(rows) - 1))
    by = data.draw(st.sampled_from([-3, -1, 1, 2]))
    stated.loc[place, "carried_over"] += by
    if stated.loc[place, "carried_over"] < 0:
        return
    found = faults_of(stated)
    assert len(found) == 1
    assert found[0].column == "carried_over"
    envelopes = made.by_year["paid"].to_dict()
    assert programme_accounts(rows, envelopes=envelopes).by_year["envelope"].tolist() == list(envelopes.values())
    envelopes[2013] += abs(by)
    assert f"{abs(by)} kr less than the envelope" in str(faults_of(rows, envelopes=envelopes)[0])
