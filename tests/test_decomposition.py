"""The change of a score and its parts: worked by hand, against all orders one by one, and the laws they obey."""

import dataclasses
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from strategies import tables

from geoplan.errors import SpecError, TableError
from geoplan.places import IndicatorTable, roll_up, unit_scale
from geoplan.places.indicators import COLUMNS
from geoplan.risk import CHANGE_PARTS, decompose_change, decomposition, risk_index
from geoplan.risk.decomposition import _Rerun
from geoplan.risk.switches import both_figures, closed_states, shapley
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec

YEARS = ("2006", "2012")
NAMES = list(CHANGE_PARTS)


def definition(name, kind="share", unit="pct", direction="higher_is_worse", **more):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction, **more)


def made(rows, definitions):
    """A tidy table from counts; NaN is a suppressed figure."""
    by_id = {item.id: item for item in definitions}
    data = pd.DataFrame(rows, columns=["area_id", "indicator", "period", "numerator", "denominator"])
    data[["numerator", "denominator"]] = data[["numerator", "denominator"]].astype(float)
    scale = data["indicator"].map(lambda name: unit_scale(by_id[name].unit))
    data["value"] = (data["numerator"] / data["denominator"] * scale).fillna(data["numerator"])
    data["status"] = np.where(data["value"].isna(), "suppressed", "observed")
    return IndicatorTable(data[COLUMNS], by_id)


def spec(*domains, **more):
    return IndexSpec(domains=[DomainSpec(id=name, label=name, indicators=inside) for name, inside in domains], **more)


def with_figure(table, area, name, year, numerator, denominator):
    data = table.data.copy()
    cell = (data["area_id"] == area) & (data["indicator"] == name) & (data["period"] == year)
    value = numerator / denominator * unit_scale(table.definitions[name].unit)
    data.loc[cell, ["numerator", "denominator", "value"]] = [numerator, denominator, value]
    data.loc[cell, "status"] = "suppressed" if np.isnan(value) else "observed"
    return dataclasses.replace(table, data=data)


def parts_of(found, area):
    return found.parts.loc[area, NAMES].fillna(0).astype(float).round(4).to_dict()


def only(**parts):
    return pytest.approx({**dict.fromkeys(NAMES, 0.0), **parts}, abs=1e-4)


def assert_adds_up(found):
    known = found.parts["change"].notna()
    np.testing.assert_allclose(
        found.parts.loc[known, NAMES].sum(axis=1), found.parts.loc[known, "change"], atol=1e-9, rtol=1e-12
    )
    change = found.parts["score_after"] - found.parts["score_before"]
    np.testing.assert_allclose(found.parts.loc[known, "change"], change[known], atol=1e-9, rtol=1e-12)
    rows = found.by_indicator.dropna(subset="change")
    np.testing.assert_allclose(rows[NAMES].sum(axis=1), rows["change"], atol=1e-9, rtol=1e-12)
    sums = found.by_indicator.groupby("area_id")[["change", *NAMES]].sum(min_count=1)
    pd.testing.assert_frame_equal(sums, found.parts[["change", *NAMES]], check_exact=False, atol=1e-9)


# ---------------------------------------------------------------- a town worked by hand
#
#            residents    poor 2006   poor 2012     crimes 2006   crimes 2012 (per 1,000 residents)
#   A           100          20          15              4             4
#   B           300          20          15              4            12
#   the town    400       40 = 10 %  30 = 7.5 %      8 = 20 ‰     16 = 40 ‰
#
# A relative to the town:  poor 20/10 = 200 and 15/7.5 = 200;  crimes 40/20 = 200 and 40/40 = 100.
# Score of A: (200 + 200)/2 = 200 before, (200 + 100)/2 = 150 after; change -50.
#
# poor, half the weight: own before or after the town's: (15 - 20)/10 = -50 or (15 - 20)/7.5 = -66.667, the mean
#   -58.333, × 1/2 = -29.1667; the town's: the same with the other sign, as the relative figure did not change.
# crimes: A's own did not change; the town's -100 × 1/2 = -50.
# own = -29.1667, reference = 29.1667 - 50 = -20.8333; together -50.

TOWN = [
    *[(area, "population", year, n, np.nan) for year in YEARS for area, n in (("A", 100), ("B", 300))],
    ("A", "poor", "2006", 20, 100), ("B", "poor", "2006", 20, 300),
    ("A", "poor", "2012", 15, 100), ("B", "poor", "2012", 15, 300),
    ("A", "crimes", "2006", 4, 100), ("B", "crimes", "2006", 4, 300),
    ("A", "crimes", "2012", 4, 100), ("B", "crimes", "2012", 12, 300),
]  # fmt: skip
DEFINITIONS = [
    definition("population", kind="count", unit="persons", direction="neutral"),
    definition("poor"),
    definition("crimes", kind="rate", unit="per_1000"),
]
BOTH = spec(("livelihood", ["poor", "crimes"]))
POOR = spec(("livelihood", ["poor"]))


@pytest.fixture
def town():
    return made(TOWN, DEFINITIONS)


def broken(table, year=2010):
    return dataclasses.replace(table, definitions={**table.definitions, "poor": definition("poor", breaks=(year,))})


def test_two_areas_two_indicators_two_years_worked_by_hand(town):
    found = decompose_change(town, BOTH, periods=YEARS)
    assert found.parts.loc["A", ["score_before", "score_after", "change"]].tolist() == pytest.approx([200, 150, -50])
    assert parts_of(found, "A") == only(own=-29.1667, reference=-20.8333)
    rows = found.by_indicator.set_index(["area_id", "indicator"])
    assert rows.loc[("A", "poor"), ["own", "reference", "change"]].tolist() == pytest.approx([-29.16667, 29.16667, 0])
    assert rows.loc[("A", "crimes"), ["own", "reference", "change"]].tolist() == pytest.approx([0, -50, -50])
    assert rows.loc[("A", "poor"), ["value_before", "value_after", "city_before", "city_after"]].tolist() == [
        20, 15, 10, 7.5,
    ]  # fmt: skip
    assert (found.method, found.base, found.parts.loc["A", "status"]) == ("closed form", "moving", "observed")
    assert_adds_up(found)
    assert found.lines("A") == [
        "The score fell by 50.0 points, from 200.0 in 2006 to 150.0 in 2012.",
        "-29.2 points: the area's own figures (poor -29.2).",
        "-20.8 points: the figures of the city that it is compared with (crimes -50.0, poor +29.2).",
        "How much of it people who moved in or out make is not known; it is part of the own figures.",
    ]
    assert found.lines("A", labels=pd.Series({"poor": "Low income"}))[1:3] == [
        "-29.2 points: the area's own figures (Low income -29.2).",
        "-20.8 points: the figures of the city that it is compared with (crimes -50.0, Low income +29.2).",
    ]


def test_a_fixed_base_leaves_the_reference_out(town):
    found = decompose_change(town, BOTH, periods=YEARS, base="fixed")
    # Against the town of 2006: poor 200 and 150, crimes 200 and 200.
    assert found.parts.loc["A", ["score_before", "score_after"]].tolist() == pytest.approx([200, 175])
    assert parts_of(found, "A") == only(own=-25)
    assert found.lines("A")[1] == "Both years are compared with the city of 2006."
    assert_adds_up(found)


def test_a_figure_known_in_one_year_only_worked_by_hand(town):
    # A's crimes of 2012 are hidden: its score is then its poor alone, 200 both years; crimes stay at 200 of 2006.
    # With p = 200, 150 (own), 266.667 (reference) or 200 (both) the score is (p + 200)/2, or p without crimes.
    # availability: (p - 200)/2 = 0, -25, 33.333, 0 weighted 1/3, 1/6, 1/6, 1/3 = 1.3889;
    # own: -25/3 - 33.333/6 - 50/6 - 66.667/3 = -44.4444; reference: 33.333/3 + 25/6 + 66.667/6 + 50/3 = 43.0556.
    found = decompose_change(with_figure(town, "A", "crimes", "2012", np.nan, np.nan), BOTH, periods=YEARS)
    assert found.parts.loc["A", ["score_before", "score_after"]].tolist() == pytest.approx([200, 200])
    assert parts_of(found, "A") == only(own=-44.4444, reference=43.0556, availability=1.3889)
    rows = found.by_indicator.set_index(["area_id", "indicator"])
    assert rows.loc[("A", "crimes"), "split"] == "known_before_only"
    # What hangs on the hidden figure is availability alone: it held 100 of the 200 points.
    assert rows.loc[("A", "crimes"), ["own", "reference", "availability"]].tolist() == pytest.approx([0, 0, -100])
    assert_adds_up(found)
    assert found.lines("A")[0] == "The score is the same: 200.0 in 2006 and in 2012."


def test_other_weights_are_a_change_of_definition(town):
    same = with_figure(with_figure(town, "B", "crimes", "2012", 4, 300), "A", "poor", "2012", 20, 100)
    same = with_figure(same, "B", "poor", "2012", 20, 300)  # every figure of 2012 as in 2006
    same = with_figure(with_figure(same, "A", "crimes", "2006", 2, 100), "A", "crimes", "2012", 2, 100)
    # The town has 6 of 400 = 15 ‰, A 20 ‰: 133.333; (200 + 133.333)/2 = 166.667 and (3 × 200 + 133.333)/4 = 183.333.
    heavy = spec(("livelihood", {"poor": 3.0, "crimes": 1.0}))
    found = decompose_change(same, BOTH, periods=YEARS, spec_after=heavy)
    assert found.parts.loc["A", ["score_before", "score_after"]].tolist() == pytest.approx([500 / 3, 550 / 3])
    assert parts_of(found, "A") == only(definition=50 / 3)


def test_an_indicator_of_one_index_only_is_a_change_of_definition(town):
    # crimes enter in 2012 only and were not collected before: poor 200 → (200 + 100)/2.
    late = with_figure(with_figure(town, "A", "crimes", "2006", np.nan, np.nan), "B", "crimes", "2006", np.nan, np.nan)
    late = with_figure(with_figure(late, "A", "poor", "2012", 20, 100), "B", "poor", "2012", 20, 300)
    found = decompose_change(late, POOR, periods=YEARS, spec_after=BOTH)
    assert parts_of(found, "A") == only(definition=-50)
    assert found.by_indicator.set_index(["area_id", "indicator"]).loc[("A", "crimes"), "split"] == "known_after_only"


def test_domains_that_only_one_index_has(town):
    # Before: livelihood alone; after: safety alone. Half way, neither index lacks a domain.
    found = decompose_change(town, POOR, periods=YEARS, spec_after=spec(("safety", ["crimes"])))
    assert found.parts.loc["A", ["score_before", "score_after"]].tolist() == pytest.approx([200, 100])
    assert_adds_up(found)


def test_an_index_that_lacks_a_domain_with_the_other_years_figures_changes_with_them(town):
    # Before: poor or crimes will do, and only crimes are known; after: poor and crimes are a domain each.
    gap = with_figure(town, "A", "poor", "2006", np.nan, np.nan)
    found = decompose_change(
        gap, BOTH, periods=YEARS, spec_after=spec(("livelihood", ["poor"]), ("safety", ["crimes"]))
    )
    assert found.parts.loc["A", "availability"] == 0
    assert found.parts.loc["A", "definition"] != 0
    assert_adds_up(found)


# ---------------------------------------------------------------- breaks and what bridges them


def test_across_a_break_nothing_is_told_apart(town):
    found = decompose_change(broken(town), BOTH, periods=YEARS)
    assert parts_of(found, "A") == only(reference=-50)  # crimes; of poor 0 points in all
    rows = found.by_indicator.set_index(["area_id", "indicator"])
    assert rows.loc[("A", "poor"), "split"] == "break"
    assert rows.loc[("B", "poor"), "not_separable"] == pytest.approx(rows.loc[("B", "poor"), "change"])
    assert_adds_up(found)
    worse = decompose_change(broken(with_figure(town, "A", "poor", "2012", 25, 100)), POOR, periods=YEARS)
    # 25 % against 40 of 400: 250. From 200 to 250, by whatever.
    assert parts_of(worse, "A") == only(not_separable=50)
    assert worse.lines("A")[1] == (
        "+50.0 points: not separable, a break in the definition lies between the years (poor +50.0)."
    )


@pytest.mark.parametrize(("year", "kind"), [(2006, "separable"), (2007, "break"), (2012, "break"), (2013, "separable")])
def test_a_break_lies_between_the_years_from_the_year_after_the_first(town, year, kind):
    for periods in (YEARS, YEARS[::-1]):
        found = decompose_change(broken(town, year), POOR, periods=periods)
        assert set(found.by_indicator["split"]) == {kind}


def bridge_of(table, rows):
    return made([(area, "poor", year, n, base) for area, year, n, base in rows], table.definitions.values())


def test_a_break_measured_both_ways_worked_by_hand(town):
    # 2012 by the definition of 2006: A 10, B 20 of the poor; the town 30 of 400 by either. A's 20 % of 2006 would be
    # 20 × 15/10 = 30 % by that of 2012. With own, reference and definition before or after, A is
    #   200, own 100, ref 266.67, own + ref 133.33; by the new definition 300, 150, 400, 200.
    # The part of the definition is 100/3 + 50/6 + 133.33/6 + 66.67/3 = 86.1111, the area's own
    # -100/3 - 133.33/6 - 150/6 - 200/3 = -147.2222, and that of the reference 66.67/3 +
    # 33.33/6 + 100/6 + 50/3 = 61.1111.
    bridge = bridge_of(town, [("A", "2012", 10, 100), ("B", "2012", 20, 300)])
    found = decompose_change(broken(town), POOR, periods=YEARS, table_bridge=bridge)
    assert parts_of(found, "A") == only(own=-147.2222, reference=61.1111, definition=86.1111)
    assert set(found.by_indicator["split"]) == {"separable"}
    assert_adds_up(found)
    # The same known for 2006 by the definition of 2012 (30 of 100; the town 40 of 400) says the same.
    both = bridge_of(
        town, [("A", "2012", 10, 100), ("B", "2012", 20, 300), ("A", "2006", 30, 100), ("B", "2006", 10, 300)]
    )
    again = decompose_change(broken(town), POOR, periods=YEARS, table_bridge=both)
    assert parts_of(again, "A") == parts_of(found, "A")
    # With time reversed every sign turns, bridge and all.
    back = decompose_change(broken(town), POOR, periods=YEARS[::-1], table_bridge=bridge)
    assert parts_of(back, "A") == only(own=147.2222, reference=-61.1111, definition=-86.1111)


def test_a_bridge_that_lacks_an_area_or_a_ratio_separates_nothing(town):
    half = bridge_of(town, [("A", "2012", 10, 100)])
    found = decompose_change(broken(town), POOR, periods=YEARS, table_bridge=half)
    assert set(found.by_indicator["split"]) == {"break"}  # the town by the other definition is not known
    zero = bridge_of(town, [("A", "2012", 0, 100), ("B", "2012", 20, 300)])
    found = decompose_change(broken(town), POOR, periods=YEARS, table_bridge=zero)
    assert found.by_indicator.set_index("area_id")["split"].to_dict() == {"A": "break", "B": "separable"}
    assert_adds_up(found)


def test_a_fixed_base_with_a_bridge_compares_with_the_first_town_by_the_new_definition(town):
    # The town of 2006 by the definition of 2012: 10 % × 30/20 = 15 %; A 15 % of 2012 is then 100.
    bridge = bridge_of(town, [("A", "2012", 10, 100), ("B", "2012", 10, 300)])
    found = decompose_change(broken(town), POOR, periods=YEARS, table_bridge=bridge, base="fixed")
    assert found.parts.loc["A", ["score_before", "score_after"]].tolist() == pytest.approx([200, 100])
    # Every figure is half as high again by the new definition, so that it makes no difference: 20 → 10 of 10 %.
    assert parts_of(found, "A") == only(own=-100)


def test_a_break_between_periods_that_are_no_years_is_refused(town):
    data = town.data.replace({"period": {"2006": "spring", "2012": "autumn"}})
    with pytest.raises(TableError) as caught:
        decompose_change(broken(dataclasses.replace(town, data=data)), POOR, periods=("spring", "autumn"))
    assert str(caught.value) == (
        "key 'periods': 'poor' has a break, and these periods are no years: 'spring', 'autumn'. "
        "Expected: four digits, such as 2012."
    )
    assert len(decompose_change(dataclasses.replace(town, data=data), POOR, periods=("spring", "autumn")).parts) == 2


# ---------------------------------------------------------------- turnover


def test_turnover_worked_by_hand(town):
    # The town stays at 10 %: A 20 → 15, B 20 → 25. Of those who stayed in A, 9 of 50 were poor and 6 of 50 are:
    # 18 → 12 %, their own change -6 points, -60 relative; all of A -5 points, so that turnover is +1 point, +10.
    even = with_figure(town, "B", "poor", "2012", 25, 300)
    stayed = made([("A", "poor", "2006", 9, 50), ("A", "poor", "2012", 6, 50)], town.definitions.values())
    found = decompose_change(even, POOR, periods=YEARS, stayers=stayed)
    assert parts_of(found, "A") == only(own=-60, turnover=10)
    assert found.lines("A")[2] == "+10.0 points: people who moved in or out (poor +10.0)."
    # Nothing is known of those who stayed in B.
    assert np.isnan(found.parts.loc["B", "turnover"])
    assert parts_of(found, "B") == only(own=100 * 5 / 300 / 0.1)
    assert_adds_up(found)


def test_turnover_across_a_break_or_from_one_year_alone_is_not_known(town):
    stayed = made([("A", "poor", "2006", 9, 50), ("A", "poor", "2012", 6, 50)], town.definitions.values())
    found = decompose_change(broken(town), POOR, periods=YEARS, stayers=stayed)
    assert found.parts["turnover"].isna().all()
    late = IndicatorTable(stayed.data[stayed.data["period"] == "2012"], stayed.definitions)
    assert decompose_change(town, POOR, periods=YEARS, stayers=late).parts["turnover"].isna().all()


def test_stayers_that_an_inverted_indicator_cannot_take_are_left_out():
    # Work inverted: A 10 → 5 %, those who stayed 80 → 0 %: 10 - 80 % in work has no reciprocal worth the name.
    rows = [(area, "population", year, n, np.nan) for year in YEARS for area, n in (("A", 100), ("B", 300))]
    rows += [("A", "work", "2006", 80, 100), ("B", "work", "2006", 150, 300)]
    rows += [("A", "work", "2012", 80, 100), ("B", "work", "2012", 150, 300)]
    definitions = [DEFINITIONS[0], definition("work", direction="higher_is_better")]
    stayed = made([("A", "work", "2006", 40, 50), ("A", "work", "2012", 0, 50)], definitions)
    inverted = spec(("livelihood", ["work"]), favourable="reciprocal")
    found = decompose_change(made(rows, definitions), inverted, periods=YEARS, stayers=stayed)
    assert np.isnan(found.parts.loc["A", "turnover"])
    assert parts_of(found, "A") == only()


# ---------------------------------------------------------------- areas without a rank, and what is refused


def test_areas_ranked_in_one_year_only_have_no_numbers(town):
    gap = with_figure(town, "A", "poor", "2006", np.nan, np.nan)
    found = decompose_change(gap, POOR, periods=YEARS, area_ids=["A", "B", "C"])
    assert found.parts.loc["A", ["status", "reason", "reason_period"]].tolist() == [
        "suppressed", "domain_not_known", "2006",
    ]  # fmt: skip
    assert found.parts.loc["C", ["status", "reason", "reason_period"]].tolist() == [
        "not_collected", "population_not_known", "2006 and 2012",
    ]  # fmt: skip
    assert found.parts.loc[["A", "C"], ["score_before", "score_after", "change", *NAMES]].isna().all(axis=None)
    assert found.by_indicator.set_index("area_id").loc[["A", "C"], "split"].tolist() == ["no_rank"] * 2
    assert found.lines("A") == ["No change is told: the area has no rank in 2006 (domain_not_known)."]
    assert_adds_up(found)


def test_the_less_sure_end_is_the_status(town):
    data = town.data.copy()
    data.loc[(data["area_id"] == "A") & (data["period"] == "2006"), "status"] = "provisional"
    data.loc[(data["area_id"] == "A") & (data["period"] == "2012"), "status"] = "estimated"
    data.loc[(data["area_id"] == "B") & (data["period"] == "2012"), "status"] = "provisional"
    found = decompose_change(dataclasses.replace(town, data=data), POOR, periods=YEARS)
    assert found.parts["status"].to_dict() == {"A": "estimated", "B": "provisional"}


def test_only_the_areas_asked_for_are_decomposed(town):
    whole = decompose_change(town, BOTH, periods=YEARS)
    found = decompose_change(town, BOTH, periods=YEARS, only=["B"])
    pd.testing.assert_frame_equal(found.parts, whole.parts.loc[["B"]])
    assert set(found.by_indicator["area_id"]) == {"B"}


def test_what_cannot_be_decomposed_is_refused(town):
    with pytest.raises(SpecError) as caught:
        decompose_change(town, BOTH, periods=("2012", "2012"))
    assert str(caught.value) == "key 'periods': the change from 2012 to 2012. Expected: two."
    with pytest.raises(SpecError, match="key 'period': no period of the table is called '2013'"):
        decompose_change(town, BOTH, periods=("2006", "2013"))
    with pytest.raises(SpecError, match="key 'only': no area is called 'Q'"):
        decompose_change(town, BOTH, periods=YEARS, only=["Q"])
    with pytest.raises(SpecError, match="no area is called 'Q'"):
        decompose_change(town, BOTH, periods=YEARS).lines("Q")


# ---------------------------------------------------------------- the laws

CRIME_AND_POOR = spec(("livelihood", ["poor"]), ("safety", ["crime"]), minimum_available=0.5)
ONE_DOMAIN = spec(("all", {"poor": 2.0, "crime": 1.0}), minimum_available=0.3)


@st.composite
def changes(draw, *, missing=True):
    """Draw a table of two years; an index of both is defined."""
    first, last = draw(tables(missing=missing)), draw(tables(missing=missing))
    data = pd.concat([first.data.assign(period="2006"), last.data], ignore_index=True)
    # An indicator that only areas without known residents have is a fault, and not what is tried here.
    counted = (data["indicator"] == "population") & data["value"].isna()
    data.loc[counted, ["numerator", "value", "status"]] = [100.0, 100.0, "observed"]
    for name in ("poor", "crime"):
        for period in YEARS:
            rows = data[(data["indicator"] == name) & (data["period"] == period)]
            assume(rows["numerator"].sum() > 0)
    good = draw(st.booleans())
    poor = first.definitions["poor"]
    if good:
        poor = poor.model_copy(update={"direction": "higher_is_better"})
        for period in YEARS:
            rows = data[(data["indicator"] == "poor") & (data["period"] == period)]
            assume(rows["numerator"].sum() < rows["denominator"].sum())
    if draw(st.booleans()):
        poor = poor.model_copy(update={"breaks": (2010,)})
    return IndicatorTable(data, {**first.definitions, "poor": poor})


@settings(max_examples=12)
@given(changes(), st.sampled_from([CRIME_AND_POOR, ONE_DOMAIN]), st.sampled_from([None, ONE_DOMAIN]))
def test_the_parts_add_up_whatever_is_missing(table, one, other):
    found = decompose_change(table, one, periods=YEARS, spec_after=other)
    assert found.method == "closed form"
    assert_adds_up(found)
    before, after = risk_index(table, one, period="2006").score, risk_index(table, other or one, period="2012").score
    told = found.parts["change"].notna()
    assert told.equals((before.notna() & after.notna()).rename("change"))
    np.testing.assert_allclose(found.parts.loc[told, "score_before"], before[told])
    np.testing.assert_allclose(found.parts.loc[told, "score_after"], after[told])
    assert_adds_up(decompose_change(table, one, periods=YEARS, spec_after=other, base="fixed"))


@settings(max_examples=12)
@given(changes(), st.sampled_from([None, CRIME_AND_POOR]))
def test_with_time_reversed_every_sign_turns(table, other):
    there = decompose_change(table, ONE_DOMAIN, periods=YEARS, spec_after=other)
    back = decompose_change(table, other or ONE_DOMAIN, periods=YEARS[::-1], spec_after=ONE_DOMAIN)
    columns = ["change", *NAMES]
    pd.testing.assert_frame_equal(there.parts[columns], -back.parts[columns], atol=1e-9)
    pd.testing.assert_frame_equal(there.by_indicator[columns], -back.by_indicator[columns], atol=1e-9)


@settings(max_examples=12)
@given(changes(missing=False), st.permutations(range(6)))
def test_a_town_that_did_not_change_has_no_part_in_it(table, order):
    # The areas of 2012 are those of 2006 under other names: the town is the same.
    data = table.data[table.data["period"] == "2006"]
    moved = data.assign(area_id=data["area_id"].map({f"A{n}": f"A{to}" for n, to in enumerate(order)}), period="2012")
    whole = dataclasses.replace(table, data=pd.concat([data, moved], ignore_index=True))
    found = decompose_change(whole, CRIME_AND_POOR, periods=YEARS)
    np.testing.assert_allclose(found.parts["reference"], 0, atol=1e-9)
    assert_adds_up(found)


@settings(max_examples=12)
@given(changes(missing=False), st.integers(2, 5))
def test_what_rises_everywhere_alike_leaves_no_change(table, factor):
    data = table.data[table.data["period"] == "2006"]
    crime = data["indicator"] == "crime"
    later = data.assign(period="2012")
    later.loc[crime, ["numerator", "value"]] *= factor
    whole = dataclasses.replace(table, data=pd.concat([data, later], ignore_index=True))
    found = decompose_change(whole, CRIME_AND_POOR, periods=YEARS)
    np.testing.assert_allclose(found.parts["change"], 0, atol=1e-9)
    np.testing.assert_allclose(found.parts["own"], -found.parts["reference"], atol=1e-9)
    has = found.parts["score_before"].index[data.loc[crime, "numerator"].to_numpy() > 0]
    assert (found.parts.loc[has, "own"] > 0).all()


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_shapley_is_the_mean_over_all_orders(count, seed):
    states = np.random.default_rng(seed).normal(size=(2**count, 3, 2))
    expected = np.zeros((count, 3, 2))
    orders = list(permutations(range(count)))
    for order in orders:
        number = 0
        for switch in order:
            expected[switch] += (states[number | 1 << switch] - states[number]) / len(orders)
            number |= 1 << switch
    np.testing.assert_allclose(shapley(states), expected, atol=1e-12)


# ---------------------------------------------------------------- other methods, by runs of the index


def rerun_of(table, specs, *, bridge=None, base="moving", reference=None):
    """Settings of the switches and contributions in closed form, and by runs of the index."""
    ends = [
        risk_index(table, one, period=period, reference_ids=reference) for one, period in zip(specs, YEARS, strict=True)
    ]
    figures = both_figures(table, specs, YEARS, ends, reference, bridge, None, base)
    both = [end.ranking["rank"].reindex(figures.areas).notna() for end in ends]
    chosen = figures.areas[(both[0] & both[1]).to_numpy()]
    chosen = chosen.difference(reference) if reference else chosen
    rerun = _Rerun(table, bridge, figures, specs, YEARS, None, reference, base)
    return closed_states(figures, specs, chosen), rerun.states(chosen)


@settings(max_examples=8)
@given(changes(), st.sampled_from(["moving", "fixed"]))
def test_runs_of_the_index_agree_with_the_closed_form_outside_the_reference(table, base):
    # Of an area that is no part of the city the two are the same; of others the city changes with the area.
    reference = ["A1", "A2", "A3", "A4", "A5"]
    known = table.data[table.data["area_id"].isin(reference)].groupby(["indicator", "period"])["numerator"].sum()
    base_sum = table.data[table.data["area_id"].isin(reference)].groupby(["indicator", "period"])["denominator"].sum()
    assume((known.drop("population") > 0).all() and (known["poor"] < base_sum["poor"]).all())
    (names, closed), (others, run) = rerun_of(table, (ONE_DOMAIN, ONE_DOMAIN), base=base, reference=reference)
    # What one area lacks switches for all in the one way, and for that area alone in the other.
    assert set(names) == set(others)
    np.testing.assert_allclose(run, closed, atol=1e-9)


def test_runs_of_the_index_agree_with_the_closed_form_on_both_definitions(town):
    three = dataclasses.replace(
        town,
        data=pd.concat([
            town.data,
            town.data[town.data["area_id"] == "A"].assign(area_id="C"),
        ], ignore_index=True),
    )  # fmt: skip
    rows = [("A", "2012", 10, 100), ("B", "2012", 20, 300), ("C", "2012", 12, 100)]
    rows += [("A", "2006", 30, 100), ("B", "2006", 10, 300), ("C", "2006", 28, 100)]
    (names, closed), (others, run) = rerun_of(
        broken(three), (BOTH, spec(("livelihood", {"poor": 3.0, "crimes": 1.0}))),
        bridge=bridge_of(town, rows), reference=["A", "B"],
    )  # fmt: skip
    assert names == others == ["own", "reference", "definition"]
    np.testing.assert_allclose(run, closed, atol=1e-9)


@pytest.fixture
def runs_only(monkeypatch):
    """Let the closed form pass for wrong, as it is for every other method; the index has no other one to ask here."""
    monkeypatch.setattr(decomposition, "reproduces", lambda *_: False)


def test_runs_of_the_index_add_up(runs_only, town):
    assert runs_only is None
    gap = with_figure(town, "A", "crimes", "2012", np.nan, np.nan)
    for table, bridge in (
        (town, None),
        (broken(town), None),
        (gap, None),
        (broken(town), bridge_of(town, [("A", "2012", 10, 100), ("B", "2012", 20, 300)])),
    ):
        found = decompose_change(table, BOTH, periods=YEARS, table_bridge=bridge)
        assert found.method == "runs of the index"
        assert_adds_up(found)
    assert set(found.by_indicator["split"]) == {"break", "separable"}  # linked by ratio is not enough here
    with pytest.raises(SpecError, match="turnover can be told for the relative method only"):
        decompose_change(town, BOTH, periods=YEARS, stayers=town)


def test_runs_of_the_index_divide_the_change_of_merged_areas(runs_only, town):
    assert runs_only is None
    children = pd.Series({"A": "west", "B": "east"})
    found = decompose_change(roll_up(town, children), BOTH, periods=YEARS)
    assert_adds_up(found)
    assert found.parts["change"].to_dict() == pytest.approx({"west": -50, "east": 50 / 3})


def test_gaps_are_filled_by_groups_at_both_ends(town):
    gap = with_figure(town, "A", "crimes", "2012", np.nan, np.nan)
    index = spec(("all", ["poor", "crimes"]), method="z_score", treatment={"impute": "group_mean", "groups": "plan"})
    with pytest.raises(SpecError, match="give `groups`, area → group"):
        decompose_change(gap, index, periods=YEARS)
    groups = pd.Series({"A": "west", "B": "west"})
    found = decompose_change(gap, index, periods=YEARS, groups=groups)
    assert_adds_up(found)
    last = risk_index(gap, index, period="2012", groups=groups).score
    assert found.parts["score_after"].to_dict() == pytest.approx(last.to_dict())


def test_a_score_that_is_a_percentile_rank_is_not_what_is_divided(town):
    index = spec(("all", ["poor", "crimes"]), method="percentile")
    found = decompose_change(town, index, periods=YEARS)
    assert_adds_up(found)
    assert (found.divided, decompose_change(town, BOTH, periods=YEARS).divided) == ("composite", "score")
    ends = [risk_index(town, index, period=year).ranking for year in YEARS]
    for when, end in zip(("before", "after"), ends, strict=True):
        assert found.parts[f"score_{when}"].to_dict() == pytest.approx(end["composite"].to_dict())
    assert found.lines("A")[0].startswith("The sum whose percentile rank the score is ")


def test_a_score_that_is_undefined_half_way_says_so(runs_only):
    assert runs_only is None
    # The poor have moved: all in A before, all in B after. A as before in the town of after leaves some; A as after in
    # the town of before leaves none, and nothing is relative to that.
    rows = [(area, "population", year, 100, np.nan) for year in YEARS for area in "AB"]
    rows += [("A", "poor", "2006", 10, 100), ("B", "poor", "2006", 0, 100)]
    rows += [("A", "poor", "2012", 0, 100), ("B", "poor", "2012", 10, 100)]
    found = decompose_change(made(rows, DEFINITIONS), POOR, periods=YEARS)
    assert found.parts["reason"].tolist() == ["undefined_between"] * 2
    assert parts_of(found, "A") == only(not_separable=-200)
    assert_adds_up(found)


# ---------------------------------------------------------------- the sample


@pytest.mark.parametrize("base", ["moving", "fixed"])
def test_the_sample_from_2006_to_2012(sample_run, base):
    table, index = sample_run.indicators(), sample_run.spec.index
    members = sample_run.reference_members()
    found = decompose_change(table, index, periods=YEARS, reference_ids=members, base=base)
    assert_adds_up(found)
    before, after = (risk_index(table, index, period=year, reference_ids=members).score for year in YEARS)
    told = found.parts["change"].notna()
    assert told.sum() == 29
    np.testing.assert_allclose(found.parts.loc[told, "score_before"], before[told])
    if base == "moving":
        np.testing.assert_allclose(found.parts.loc[told, "score_after"], after[told])
    else:
        assert (found.parts.loc[told, "reference"] == 0).all()
    # The two indicators with a break in 2009 and 2010, in all 29 areas.
    split = found.by_indicator[found.by_indicator["split"] == "break"]
    assert split["indicator"].value_counts().to_dict() == {"employment_20_64": 29, "sickness_days": 29}
    assert all(len(found.lines(area)) >= 1 for area in found.parts.index)


def test_no_area_with_a_rank_in_both_years_leaves_no_numbers(town):
    high = POOR.model_copy(update={"minimum_population": 1000})
    for found in (
        decompose_change(town, high, periods=YEARS),
        decompose_change(town, POOR, periods=YEARS, spec_after=high),
    ):
        assert found.parts["change"].isna().all()
        assert set(found.by_indicator["split"]) == {"no_rank"}
    assert decompose_change(town, POOR, periods=YEARS, only=[]).parts.empty
