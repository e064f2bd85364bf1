import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import binom
from strategies import DEFINITIONS, tables

from geoplan.errors import IdError, SpecError
from geoplan.places import IndicatorTable, parents_at, roll_up
from geoplan.run import open_run
from geoplan.specs import IndicatorSpec, RuleSpec
from geoplan.targeting.counters import policy_counters
from geoplan.targeting.needs import tail_of
from geoplan.targeting.reached import compare_reached, who_is_reached
from geoplan.targeting.rules import select

WORK = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better")
COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]


def figures(*rows, period="2012"):
    """Make a table of (area, residents, poor, base of poor); None for poor is hidden, None for its base unknown."""
    found = []
    for area, residents, poor, base in rows:
        found.append((area, "population", period, residents, np.nan, residents, "observed"))
        status = "suppressed" if poor is None else "observed"
        top, whole = (np.nan if number is None else number for number in (poor, base))
        found.append((area, "poor", period, top, whole, 100 * top / whole, status))
    return IndicatorTable(pd.DataFrame(found, columns=COLUMNS).astype({"value": float}), DEFINITIONS)


#: Five small areas in two districts. Of 100 poor, 30 + 20 live in north.
TOWN = figures(("a", 120, 30, 100), ("b", 130, 20, 100), ("c", 140, 25, 100), ("d", 250, 20, 200), ("e", 600, 5, 500))
DISTRICTS = pd.Series({"a": "north", "b": "north", "c": "south", "d": "south", "e": "south"})
MERGED = roll_up(TOWN, DISTRICTS)


# ---------------------------------------------------------------- completeness and efficiency


def test_completeness_and_efficiency_are_as_worked_by_hand():
    reached = who_is_reached(TOWN, ["b", "a"], "poor")
    assert reached.completeness == pytest.approx(50 / 100)
    assert reached.efficiency == pytest.approx(50 / 200)
    assert (reached.completeness_low, reached.completeness_high) == (0.5, 0.5)
    assert reached.status == "observed"
    assert reached.chosen == ("a", "b")
    assert reached.figures.loc["chosen", ["areas", "residents", "base", "need"]].tolist() == [2, 250, 200, 50]
    assert reached.figures.loc["whole", ["areas", "residents", "base", "need"]].tolist() == [5, 1240, 1000, 100]


def test_efficiency_may_be_of_all_residents():
    assert who_is_reached(TOWN, ["a", "b"], "poor", per="residents").efficiency == pytest.approx(50 / 250)


def test_a_share_that_is_better_when_higher_counts_those_who_are_not_in_it():
    rows = [("a", "work", "2012", 60.0, 100.0, 60.0, "observed"), ("b", "work", "2012", 90.0, 100.0, 90.0, "observed")]
    people = [(area, "population", "2012", 150.0, np.nan, 150.0, "observed") for area in "ab"]
    table = IndicatorTable(pd.DataFrame([*rows, *people], columns=COLUMNS), {**DEFINITIONS, "work": WORK})
    reached = who_is_reached(table, ["a"], "work")
    assert reached.completeness == pytest.approx(40 / 50)
    assert reached.efficiency == pytest.approx(40 / 100)
    assert reached.lines()[0].startswith("not in: In work, 2012: 40 of 50 live in the 1 chosen of 2 areas: 80.0 %")


def test_a_count_has_residents_as_its_base():
    poor = DEFINITIONS["population"].model_copy(update={"id": "poor", "direction": "higher_is_worse"})
    data = TOWN.data.assign(denominator=np.nan, value=TOWN.data["numerator"])
    reached = who_is_reached(IndicatorTable(data, {**DEFINITIONS, "poor": poor}), ["a", "b"], "poor")
    assert (reached.completeness, reached.efficiency) == (pytest.approx(0.5), pytest.approx(50 / 250))


def test_a_share_without_counts_is_counted_from_its_base():
    data = TOWN.data.assign(numerator=TOWN.data["numerator"].where(TOWN.data["indicator"] == "population"))
    reached = who_is_reached(IndicatorTable(data, DEFINITIONS), ["a", "b"], "poor")
    assert (reached.completeness, reached.status) == (pytest.approx(0.5), "estimated")
    bare = data.assign(denominator=np.nan)
    reached = who_is_reached(IndicatorTable(bare, DEFINITIONS), ["a", "b"], "poor")
    assert set(reached.missing["reason"]) == {"no_counts"}
    assert (reached.completeness_low, reached.completeness_high) == (0.0, 1.0)


def test_nobody_of_the_kind_is_nobody_in_need():
    data = TOWN.data.copy()
    none = (data["area_id"] == "e") & (data["indicator"] == "poor")
    data.loc[none, ["numerator", "denominator", "value"]] = np.nan
    data.loc[none, "status"] = "not_applicable"
    reached = who_is_reached(IndicatorTable(data, DEFINITIONS), ["a", "b"], "poor")
    assert reached.completeness == pytest.approx(50 / 95)
    assert reached.missing.empty
    assert reached.status == "observed"


# ---------------------------------------------------------------- what is not known


def test_a_hidden_count_is_no_zero():
    # c is hidden: from 0 to 100 of its people. Known is 10 % of d and e's 700 (25), so that 100 × 25 / 700 are guessed.
    table = figures(("a", 120, 30, 100), ("b", 130, 20, 100), ("c", 140, None, 100), ("d", 250, 20, 200),
                    ("e", 600, 5, 500))  # fmt: skip
    reached = who_is_reached(table, ["a", "b"], "poor")
    assert reached.completeness_low == pytest.approx(50 / (75 + 100))
    assert reached.completeness_high == pytest.approx(50 / 75)
    # Alone in its area, c is guessed at the share of all that is known: 75 of 900.
    assert reached.completeness == pytest.approx(50 / (75 + 100 * 75 / 900))
    in_south = who_is_reached(roll_up(table, DISTRICTS, minimum_coverage=0.1), ["north"], "poor")
    assert in_south.completeness == pytest.approx(50 / (75 + 100 * 25 / 700))
    assert reached.missing.loc["c", ["status", "need_low", "need_high"]].tolist() == ["suppressed", 0.0, 100.0]
    assert "1 small area has no count (140 residents), hence the range: 'c'" in reached.lines()
    assert "(from 28.6 to 66.7 %)" in reached.lines()[0]


def test_a_count_hidden_in_a_chosen_area_widens_efficiency():
    table = figures(("a", 120, None, 100), ("b", 130, 20, 100), ("c", 140, 30, 100))
    reached = who_is_reached(table, ["a", "b"], "poor")
    assert (reached.efficiency_low, reached.efficiency_high) == (pytest.approx(20 / 200), pytest.approx(120 / 200))
    assert (reached.completeness_low, reached.completeness_high) == (pytest.approx(20 / 50), pytest.approx(120 / 150))


def test_how_small_a_hidden_count_is_narrows_the_range():
    table = figures(("a", 120, 30, 100), ("b", 130, None, 100))
    reached = who_is_reached(table, ["a"], "poor", hidden_at_most=4)
    assert (reached.completeness_low, reached.completeness_high) == (pytest.approx(30 / 34), 1.0)
    assert reached.completeness == pytest.approx(30 / 34)  # 30 of 100 would be guessed, and 4 is the most


def test_a_hidden_base_is_at_most_all_residents():
    table = figures(("a", 100, 30, 50), ("b", 130, None, None))
    reached = who_is_reached(table, ["a"], "poor")
    assert reached.completeness_low == pytest.approx(30 / 160)
    # A half of the residents of a are the base, and 30 of 50 of these are poor.
    assert reached.completeness == pytest.approx(30 / (30 + 130 * 0.5 * 0.6))
    assert who_is_reached(table, ["b"], "poor").efficiency_high == 1.0


def test_an_area_without_any_figure_may_hold_anybody():
    data = TOWN.data[~((TOWN.data["area_id"] == "c") & (TOWN.data["period"] == "2012"))]
    extra = TOWN.data[TOWN.data["area_id"] == "c"].assign(period="2011")
    table = IndicatorTable(pd.concat([data, extra], ignore_index=True), DEFINITIONS)
    reached = who_is_reached(table, ["a"], "poor", period=2012)
    assert (reached.completeness_low, reached.completeness_high) == (0.0, pytest.approx(30 / 75))
    inside = who_is_reached(table, ["c"], "poor", period=2012)
    assert (inside.completeness_low, inside.completeness_high) == (0.0, 1.0)


def test_merged_areas_do_not_swallow_what_is_hidden_in_them():
    # The merged table itself says that 20 of 100 in north are poor: b, half of its base, is hidden.
    table = figures(("a", 120, 20, 100), ("b", 130, None, 100), ("c", 140, 30, 100))
    merged = roll_up(table, pd.Series({"a": "north", "b": "north", "c": "south"}), minimum_coverage=0.5)
    assert merged.wide("2012", "numerator").loc["north", "poor"] == 20
    reached = who_is_reached(merged, ["south"], "poor")
    assert (reached.completeness_low, reached.completeness_high) == (pytest.approx(30 / 150), pytest.approx(30 / 50))


# ---------------------------------------------------------------- what a rule says


RULE = RuleSpec.model_validate(
    {
        "title": "A test", "family": "test", "law": "none", "authority": "none", "source": "none",
        "criteria": [{"id": "poor", "label": "Poor", "indicator": "poor", "compare": "above", "limit": 19}],
        "statuses": [{"id": "chosen", "label": "Chosen", "criteria": ["poor"]}],
    }
)  # fmt: skip


def test_a_selection_brings_its_areas_its_period_and_its_doubts():
    table = figures(("a", 120, 30, 100), ("b", 130, 20, 100), ("c", 140, None, 100), ("d", 250, 20, 200))
    selection = select(table, RULE)
    reached = who_is_reached(table, selection, "poor")
    assert (reached.chosen, reached.undecided, reached.period) == (("a", "b"), ("c",), "2012")
    assert "Counted as not chosen, since the rule cannot tell: 'Centre'" in reached.lines(names={"c": "Centre"})


def test_choices_stand_side_by_side():
    found = compare_reached(TOWN, {"rule": select(TOWN, RULE), "list": ["c", "d"]}, "poor")
    # Above 19 %: a (30), b (20) and c (25 of 100); the list has c in common with it.
    assert found.table["areas"].tolist() == [3, 2]
    assert found.table["completeness"].tolist() == [pytest.approx(0.75), pytest.approx(0.45)]
    assert found.table["efficiency"].tolist() == [pytest.approx(75 / 300), pytest.approx(45 / 300)]
    columns = ["both", "only_first", "only_this", "need_only_first", "need_only_this"]
    assert found.table.loc["list", columns].tolist() == [1, 2, 1, 50, 20]
    assert found.lines() == [
        "rule: 3 areas, 75.0 % of all in need (Low income), 25.0 % of those inside are",
        (
            "list: 2 areas, 45.0 % of all in need (Low income), 15.0 % of those inside are; 1 area as in rule, "
            "1 other, without 2 of its areas"
        ),
    ]


# ---------------------------------------------------------------- along a ranking


def test_the_curve_adds_areas_up_in_order():
    # In order c, a, e, b, d of 100 poor: 25, 55, 60, 80, 100; of 1,000 people: 100, 200, 700, 800, 1,000.
    order = pd.Series({"c": 9.0, "a": 8.0, "e": 7.0, "b": 6.0})
    reached = who_is_reached(TOWN, ["a"], "poor", order=order)
    curve = reached.curve
    assert curve.index.tolist() == ["c", "a", "e", "b", "d"]
    assert curve["need"].tolist() == [25, 55, 60, 80, 100]
    assert curve["completeness"].tolist() == pytest.approx([0.25, 0.55, 0.6, 0.8, 1.0])
    assert curve["reach"].tolist() == pytest.approx([0.1, 0.2, 0.7, 0.8, 1.0])
    assert curve["efficiency"].tolist() == pytest.approx([0.25, 55 / 200, 60 / 700, 0.1, 0.1])
    # Best: a (30 %), c (25), b (20), d (10), e (1): 0.30, 0.55, 0.75, 0.95, 1 at 0.1, 0.2, 0.3, 0.5, 1.
    assert reached.best.index.tolist() == ["a", "c", "b", "d", "e"]
    assert reached.best["completeness"].tolist() == pytest.approx([0.3, 0.55, 0.75, 0.95, 1.0])
    assert curve["best"].tolist() == pytest.approx([0.3, 0.55, 0.95 + 0.05 * 0.2 / 0.5, 0.95 + 0.05 * 0.3 / 0.5, 1.0])
    # 0.1 × 0.125 + 0.1 × 0.4 + 0.5 × 0.575 + 0.1 × 0.7 + 0.2 × 0.9
    assert reached.area_under == pytest.approx(0.59)
    # 0.1 × 0.15 + 0.1 × 0.425 + 0.1 × 0.65 + 0.2 × 0.85 + 0.5 × 0.975
    assert reached.area_under_best == pytest.approx(0.78)
    assert reached.of_best == pytest.approx(0.09 / 0.28)
    assert "The order reaches 32 % of what the best order gains over a choice by lot" in reached.lines()


def test_the_share_in_need_is_the_order_when_none_is_given():
    reached = who_is_reached(TOWN, ["a"], "poor")
    assert reached.curve.index.tolist() == reached.best.index.tolist()
    assert reached.of_best == pytest.approx(1.0)
    assert reached.curve["chosen"].tolist() == [True, False, False, False, False]


def test_an_area_in_two_plans_counts_once():
    pairs = pd.DataFrame({"child_id": ["a", "b", "b", "c"], "parent_id": ["p", "p", "q", "q"], "share": 1.0})
    plans = roll_up(TOWN, pairs)
    both = who_is_reached(plans, ["p", "q"], "poor")
    assert both.figures.loc["chosen", "need"] == 75
    assert both.curve["need"].tolist() == [50, 75]
    assert who_is_reached(plans, ["q"], "poor").completeness == pytest.approx(45 / 75)


# ---------------------------------------------------------------- levels


def test_levels_are_compared_for_as_many_people():
    # South is chosen: 50 of 800. As many people by small areas: all but 200 of the 500 in e, so 95 + 5 × 3 / 5.
    reached = who_is_reached(MERGED, ["south"], "poor", levels={"city": pd.Series({"north": "x", "south": "x"})})
    assert reached.levels.index.tolist() == ["the areas", "city", "smallest areas"]
    assert reached.levels["areas"].tolist() == [2, 1, 5]
    assert reached.levels["chosen"].tolist() == [1, 1, 3]
    assert reached.levels["completeness"].tolist() == pytest.approx([0.5, 1.0, 0.5])
    assert reached.levels.loc["smallest areas", "best_completeness"] == pytest.approx(0.98)
    assert reached.levels.loc["city", "best_completeness"] == pytest.approx(0.8)
    assert reached.levels.loc["the areas", "best_completeness"] == pytest.approx(0.5 + 0.5 * 600 / 800)
    assert any(text.startswith("city: 1 of 1 hold a chosen one; whole, they reach 100.0 %") for text in reached.lines())


def test_a_level_may_be_a_table_or_start_from_the_smallest_areas():
    by_unit = who_is_reached(TOWN, ["c"], "poor", levels={"district": DISTRICTS}).levels
    by_table = who_is_reached(TOWN, ["c"], "poor", levels={"district": MERGED}).levels
    pd.testing.assert_frame_equal(by_unit, by_table)
    assert by_unit.loc["district", ["chosen", "need"]].tolist() == [1, 50]
    from_below = who_is_reached(MERGED, ["north"], "poor", levels={"half": pd.Series({"a": "x", "b": "y"})}).levels
    assert from_below.loc["half", ["areas", "chosen"]].tolist() == [2, 2]


# ---------------------------------------------------------------- pockets


def test_pockets_are_named_only_where_it_is_no_chance():
    # Chosen: north, 50 of 200. Outside at 25 % or more: f surely (60 of 150), g by chance (1 of 3), c just (25 of 100).
    rows = [("a", 120, 30, 100), ("b", 130, 20, 100), ("c", 140, 25, 100), ("f", 180, 60, 150), ("g", 5, 1, 3)]
    south = roll_up(figures(*rows), pd.Series({"a": "north", "b": "north", "c": "south", "f": "south", "g": "south"}))
    reached = who_is_reached(south, ["north"], "poor")
    assert reached.pocket_limit == pytest.approx(0.25)
    assert reached.pockets.index.tolist() == ["f", "c", "g"]
    assert reached.pockets["chance"].tolist() == pytest.approx(
        [binom.sf(59, 150, 0.25), binom.sf(24, 100, 0.25), 1 - 0.75**3]
    )
    assert reached.pockets["sure"].tolist() == [True, False, False]
    lines = reached.lines(names={"f": "Hill", "south": "South"})
    assert "Pockets outside, at 25.0 % or more: 3 of 3 small areas, 1 of them surely" in lines
    assert "Pocket: Hill in South, 60 of 150 (40.0 %)" in lines
    assert lines[-1] == "2 more lie as high, but with so few people that it may be chance"
    assert not any("'g'" in text for text in lines)


def test_people_made_from_a_share_without_counts_are_whole_people():
    data = TOWN.data.assign(numerator=TOWN.data["numerator"].where(TOWN.data["indicator"] != "poor"))
    data["value"] = data["value"].mask((data["indicator"] == "poor") & (data["area_id"] == "c"), 31.3)
    lines = who_is_reached(IndicatorTable(data, DEFINITIONS), ["a"], "poor", pocket_limit=0.2).lines()
    assert "Pocket: c, 31 of 100 (31.3 %)" in lines


def test_the_limit_of_pockets_may_be_given():
    reached = who_is_reached(TOWN, ["a"], "poor", pocket_limit=0.15)
    assert reached.pockets.index.tolist() == ["c", "b"]
    none = who_is_reached(TOWN, [], "poor")
    assert not any("nan" in line for line in none.lines())
    none_above = who_is_reached(TOWN, [], "poor", levels={"district": DISTRICTS})
    assert "district: none of 2 holds a chosen one" in none_above.lines()
    assert (none.completeness, none.pockets.empty) == (0.0, True)
    assert math.isnan(none.efficiency)
    assert none.lines()[-1] == "No pockets were looked for: no area is chosen to compare with"
    assert len(who_is_reached(TOWN, [], "poor", pocket_limit=0.15).pockets) == 3


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.01, 0.99))
def test_the_tail_is_the_binomial_one(many, count, share):
    y = min(count, many)
    tail = tail_of(np.array([float(y)]), np.array([float(many)]), share)[0]
    assert tail == pytest.approx(binom.sf(y - 1, many, share), abs=1e-9)


# ---------------------------------------------------------------- what always holds


@settings(max_examples=15)
@given(tables(missing=True), st.sets(st.integers(0, 5)))
def test_shares_are_ranges_and_everything_is_complete(table, numbers):
    codes = sorted(table.data["area_id"].unique())
    some = [codes[number] for number in numbers]
    whole = who_is_reached(table, codes, "poor")
    if whole.figures.loc["whole", "need"] > 0:
        assert whole.completeness == pytest.approx(1.0)
    reached = who_is_reached(table, some, "poor")
    for what in ("completeness", "efficiency"):
        low, mid, high = (getattr(reached, f"{what}{end}") for end in ("_low", "", "_high"))
        if not math.isnan(low) and not math.isnan(high):
            assert -1e-9 <= low <= high + 1e-9 <= 1 + 2e-9
            assert math.isnan(mid) or low - 1e-9 <= mid <= high + 1e-9
    curve = reached.curve
    for column in ("residents", "base", "need", "reach", "completeness", "completeness_low"):
        assert (curve[column].diff().dropna() >= -1e-9).all()
    if not curve["completeness"].isna().any():
        assert (curve["best"] >= curve["completeness"] - 1e-9).all()
        assert curve["completeness"].iloc[-1] == pytest.approx(1.0)


@settings(max_examples=8)
@given(tables(missing=True), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, random):
    rows = list(range(len(table.data)))
    random.shuffle(rows)
    mixed = IndicatorTable(table.data.iloc[rows].reset_index(drop=True), table.definitions)
    one, other = (who_is_reached(own, ["A0", "A3"], "poor") for own in (table, mixed))
    pd.testing.assert_frame_equal(one.curve, other.curve)
    pd.testing.assert_frame_equal(one.figures, other.figures)
    pd.testing.assert_frame_equal(one.pockets, other.pockets)


def test_a_choice_by_lot_reaches_about_its_share_of_people():
    rng = np.random.default_rng(7)
    bases = rng.integers(200, 2000, size=60)
    rows = [(f"z{k:02}", int(n), int(rng.binomial(n, rng.uniform(0.02, 0.4))), int(n)) for k, n in enumerate(bases)]
    table = figures(*rows)
    codes = [row[0] for row in rows]
    gaps, areas_under = [], []
    for _ in range(20):
        lot = list(rng.choice(codes, size=20, replace=False))
        reached = who_is_reached(table, lot, "poor", order=pd.Series(rng.random(60), index=codes))
        gaps.append(reached.completeness - reached.figures.loc["chosen", "base"] / bases.sum())
        areas_under.append(reached.area_under)
    assert abs(np.mean(gaps)) < 0.02
    assert np.mean(areas_under) == pytest.approx(0.5, abs=0.02)


# ---------------------------------------------------------------- three counters


def years():
    """Two years: a grows from 30 to 60, b from 20 to 22, c falls, d is hidden in the second, e stays as it was."""
    first = [("a", 120, 30, 100), ("b", 130, 20, 100), ("c", 140, 25, 100), ("d", 90, 5, 50), ("e", 600, 5, 500)]
    second = [("a", 150, 60, 130), ("b", 130, 22, 100), ("c", 140, 20, 100), ("d", 90, None, 50), ("e", 600, 5, 500)]
    both = [figures(*first, period="2008").data, figures(*second, period="2010").data]
    return IndicatorTable(pd.concat(both, ignore_index=True), DEFINITIONS)


def test_the_three_counters_stand_beside_the_city():
    found = policy_counters(years(), {"2008": ["a", "b", "c"], 2010: ["a", "b"]}, "poor")
    table = found.table
    assert table["people_flagged"].tolist() == [75, 82]
    assert table.loc["2008", "people_city"] == 85
    assert table.loc["2010", ["people_city_low", "people_city_high"]].tolist() == [107, 157]
    assert table["flagged"].tolist() == [3, 2]
    assert table["areas"].tolist() == [5, 5]
    # Grew: a and b, both flagged; 60 against 30 is no chance, 22 against 20 is. Of d nobody can tell.
    columns = ["growing_flagged", "growing_flagged_sure", "growing_city", "growing_city_sure", "unknown_city"]
    assert table.loc["2010", columns].tolist() == [2, 1, 2, 1, 1]
    assert table.loc["2008", columns].isna().all()
    own = found.areas.set_index("area_id")
    assert own["grew"].astype(object).where(own["grew"].notna(), None).tolist() == [True, True, False, None, False]
    assert own.loc["a", "chance"] == pytest.approx(binom.sf(59, 90, 0.5))
    assert own.loc["b", "chance"] == pytest.approx(binom.sf(21, 42, 0.5))
    lines = found.lines(names={"a": "Hill"})
    assert lines[1] == "2008: 75 of the city's 85 below the line live in 3 flagged of 5 areas"
    assert "of 1 areas nobody can tell" not in lines[1]
    assert lines[-1] == "Flagged and growing by more than chance: 'Hill'"


def test_what_is_hidden_grows_when_it_must():
    # d hid at most 4 in 2008 and has 5 in 2010: it has grown, but perhaps by one.
    first, second = figures(("d", 90, None, 50), period="2008"), figures(("d", 90, 5, 50), period="2010")
    table = IndicatorTable(pd.concat([first.data, second.data], ignore_index=True), DEFINITIONS)
    assert policy_counters(table, ["d"], "poor").areas["grew"].isna().all()
    own = policy_counters(table, ["d"], "poor", hidden_at_most=4).areas
    assert own.loc[0, ["grew", "sure"]].tolist() == [True, False]


def test_counters_take_what_rules_say():
    table = years()
    flags = {period: select(table, RULE, period=period) for period in ("2008", "2010")}
    found = policy_counters(table, flags, "poor").table
    assert found["flagged"].tolist() == [3, 3]  # above 19 %: a, b and c; then a, b and c again, d is not known
    assert found["undecided"].tolist() == [0, 1]


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"need": "crimes"}, "no indicator of the table is called 'crimes'"),
        ({"need": "poor", "period": 1999}, "no period of the table is called '1999'"),
        ({"need": "poor", "chosen": ["a", "x"]}, "no area of the table is called 'x'"),
        ({"need": "poor", "chosen": "a"}, "one text is no list of areas"),
        ({"need": "poor", "per": "people"}, "no base of efficiency is called 'people'"),
        ({"need": "poor", "pocket_limit": 25}, "25 is no share of people in need"),
        ({"need": "poor", "pocket_chance": 0}, "0 is no probability"),
        ({"need": "poor", "hidden_at_most": -1}, "a hidden count of at most -1"),
        ({"need": "poor", "population": "residents"}, "no indicator of the table is called 'residents'"),
    ],
)
def test_faults_are_said(arguments, message):
    options = {"chosen": ["a"], **arguments}
    with pytest.raises(SpecError, match=message):
        who_is_reached(TOWN, options.pop("chosen"), options.pop("need"), **options)


def test_rates_and_the_well_off_are_not_counted():
    rows = pd.DataFrame([("a", "crime", "2012", 3.0, 100.0, 30.0, "observed")], columns=COLUMNS)
    with pytest.raises(SpecError, match="'crime' is a rate: it does not say how many people"):
        who_is_reached(IndicatorTable(rows, DEFINITIONS), ["a"], "crime")
    well = DEFINITIONS["population"].model_copy(update={"direction": "higher_is_better"})
    with pytest.raises(SpecError, match="counts people who are well off"):
        who_is_reached(IndicatorTable(TOWN.data, {"population": well}), ["a"], "population")


def test_levels_orders_and_choices_must_fit():
    with pytest.raises(IdError):
        who_is_reached(TOWN, ["a"], "poor", levels={"board": pd.Series({"x": "y"})})
    with pytest.raises(IdError):
        who_is_reached(TOWN, ["a"], "poor", order=pd.Series({"x": 1.0}))
    with pytest.raises(IdError, match="'a'"):
        who_is_reached(TOWN, ["a"], "poor", order=pd.Series([1.0, 2.0], index=["a", "a"]))
    with pytest.raises(SpecError, match="there is no choice to compare"):
        compare_reached(TOWN, {}, "poor")
    with pytest.raises(SpecError, match="the table has 2 periods"):
        who_is_reached(years(), ["a"], "poor")
    with pytest.raises(SpecError, match="no areas are flagged for '2010'"):
        policy_counters(years(), {"2008": ["a"]}, "poor", periods=["2008", "2010"])
    with pytest.raises(SpecError, match="no area of the table is called 'x'"):
        policy_counters(years(), ["x"], "poor")
    with pytest.raises(SpecError, match="1 is no probability"):
        policy_counters(years(), ["a"], "poor", chance=1)


# ---------------------------------------------------------------- the sample


def test_the_sample_town_is_reached_by_its_six_weakest_districts():
    run = open_run("scenarios/baseline.toml")
    table = run.indicators()
    codes = [f"0099S{number}" for number in ("09", "10", "18", "19", "24", "25")]
    boards = parents_at(run.membership(), run.areas("stadsdel").index, run.areas("stadsdelsnamnd").index)
    reached = who_is_reached(table, codes, "employment_20_64", period=2012, levels={"stadsdelsnamnd": boards})
    assert reached.completeness == pytest.approx(6881 / 13666)
    assert reached.efficiency == pytest.approx(6881 / 16678)
    levels = reached.levels
    assert levels["areas"].tolist() == [32, 6, 128]
    best = levels["best_completeness"]
    assert best["stadsdelsnamnd"] < best["the areas"] < best["smallest areas"]
    assert reached.pockets["sure"].sum() == 1
    hidden = who_is_reached(table, codes, "long_term_assistance", period=2012)
    assert len(hidden.missing) == 38
    assert hidden.completeness_low < 0.1
    assert 0.5 < hidden.completeness < hidden.completeness_high
    narrow = who_is_reached(table, codes, "long_term_assistance", period=2012, hidden_at_most=4)
    assert narrow.completeness_high - narrow.completeness_low < 0.06
