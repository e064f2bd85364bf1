"""Steps after each other: what a figure says of itself is not lost on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geoplan.places import IndicatorTable, multi_year_mean, roll_up, transfer
from geoplan.places.indicators import COLUMNS
from geoplan.specs import IndicatorSpec

DEFINITIONS = {
    "poor": IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse", mean_years=2),
    "people": IndicatorSpec(id="people", label="People", kind="count", unit="persons", direction="neutral"),
}
SPLIT = pd.DataFrame(
    {"from_id": ["a", "b", "b", "c"], "to_id": ["x", "x", "y", "y"], "share": [1.0, 1 / 3, 2 / 3, 1.0]}
)


@pytest.fixture
def two_years():
    """Three areas, two years; in the second a is twice as poor, and its base three times as large."""
    rows = []
    for year, a, base in (("2011", 10.0, 100.0), ("2012", 60.0, 300.0)):
        for area, top, bottom in (("a", a, base), ("b", 90.0, 300.0), ("c", 20.0, 50.0)):
            rows.append((area, "poor", year, top, bottom, 100 * top / bottom, "observed"))
            rows.append((area, "people", year, bottom, np.nan, bottom, "observed"))
    data = pd.DataFrame(rows, columns=COLUMNS).assign(source="register", method="from_counts", reason="")
    return IndicatorTable(data, DEFINITIONS)


def figure(table, area, indicator, period="2012"):
    return table.data.set_index(["area_id", "indicator", "period"]).loc[(area, indicator, period)]


def test_a_mean_of_years_of_moved_figures_says_how_much_was_moved(two_years):
    mean = multi_year_mean(transfer(two_years, SPLIT))
    # x has a whole (100 and 300) and a third of b (100 and 100): 200 of 600 were moved.
    assert figure(mean, "x", "poor")[["value", "status", "moved_share", "method"]].tolist() == [
        pytest.approx(100 * (40 + 90) / 600), "estimated", pytest.approx(1 / 3),
        "from_counts; moved; rolled_up; mean_of_2_years",
    ]  # fmt: skip
    assert figure(mean, "x", "people")["moved_share"] == pytest.approx(100 / 400)  # no mean is made of it
    assert np.isnan(figure(mean, "x", "poor", "2011")["moved_share"])  # too few years


def test_a_mean_of_years_of_merged_figures_tells_what_it_hides(two_years):
    mean = multi_year_mean(roll_up(two_years, pd.Series({"a": "n", "b": "n", "c": "m"})))
    # a: (10 + 60) / (100 + 300) = 17.5; b: 180 / 600 = 30, bases 200 and 300
    hidden = ["children", "minimum", "maximum", "spread"]
    middle = (200 * 17.5 + 300 * 30) / 500
    spread = ((200 * (17.5 - middle) ** 2 + 300 * (30 - middle) ** 2) / 500) ** 0.5
    assert figure(mean, "n", "poor")[hidden].tolist() == pytest.approx([2, 17.5, 30, spread])
    assert figure(mean, "n", "people")[hidden].tolist() == [2, 300, 300, 0]
    assert figure(mean, "n", "poor", "2011")[hidden].tolist()[0] == 0
    assert figure(mean, "n", "poor", "2011")[hidden[1:]].isna().all()


def test_it_is_the_same_whether_years_or_areas_come_first(two_years):
    parents = pd.Series({"a": "n", "b": "n", "c": "m"})
    one = multi_year_mean(roll_up(two_years, parents)).data
    other = roll_up(multi_year_mean(two_years), parents).data
    numbers = ["numerator", "denominator", "value", "minimum", "maximum", "spread", "children"]
    both = one.merge(other, on=["area_id", "indicator", "period"], suffixes=("", "_other"), validate="1:1")
    assert len(both) == len(one) == len(other)
    known = both["status"] == "observed"
    for name in numbers:
        assert both.loc[known, name].to_numpy() == pytest.approx(
            both.loc[known, f"{name}_other"].to_numpy(), nan_ok=True
        )


def test_figures_merged_after_a_transfer_say_how_much_was_moved(two_years):
    whole = roll_up(transfer(two_years, SPLIT), pd.Series({"x": "T", "y": "T"}))
    # All of b was split, 300 of 650.
    assert figure(whole, "T", "poor")[["numerator", "denominator", "status", "moved_share", "method"]].tolist() == [
        170, 650, "estimated", pytest.approx(300 / 650), "from_counts; moved; rolled_up",
    ]  # fmt: skip
    assert figure(whole, "T", "people")["moved_share"] == pytest.approx(300 / 650)


def test_a_merged_figure_that_is_missing_was_not_moved():
    rows = [
        ("a", "people", "2012", 10.0, np.nan, 10.0, "observed"),
        ("b", "people", "2012", *[np.nan] * 3, "suppressed"),
    ]
    table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS).assign(moved_share=[0.5, np.nan]), DEFINITIONS)
    merged = roll_up(table, pd.Series({"a": "n", "b": "n"})).data.iloc[0]
    assert (merged["status"], np.isnan(merged["moved_share"])) == ("suppressed", True)
