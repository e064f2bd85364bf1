"""Areas against their neighbours and the rest of the city: by hand, against scipy, and the laws they obey."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from libpysal.graph import Graph
from scipy import stats
from strategies import tables

from geoplan.errors import IdError, SpecError, TableError
from geoplan.places import IndicatorTable, roll_up, totals, unit_scale
from geoplan.places.indicators import COLUMNS
from geoplan.risk import (
    contrast,
    contrast_scores,
    index_series,
    profile,
    risk_index,
    segregation,
    shrink,
    strengths,
)
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec


def definition(name, kind="share", unit="pct", direction="higher_is_worse", **more):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction, **more)


def made(rows, definitions):
    """A tidy table of 2012 from counts; NaN is a suppressed figure."""
    by_id = {item.id: item for item in definitions}
    data = pd.DataFrame(rows, columns=["area_id", "indicator", "numerator", "denominator"])
    data[["numerator", "denominator"]] = data[["numerator", "denominator"]].astype(float)
    scale = data["indicator"].map(lambda name: unit_scale(by_id[name].unit))
    data["value"] = (data["numerator"] / data["denominator"] * scale).fillna(data["numerator"])
    data["period"] = "2012"
    data["status"] = np.where(data["value"].isna(), "suppressed", "observed")
    return IndicatorTable(data[COLUMNS], by_id)


def pairs(*ties):
    """Neighbours both ways: ``"AB"`` makes A a neighbour of B and B of A."""
    both = [(one, other) for tie in ties for one, other in (tie, tie[::-1])]
    return pd.DataFrame(both, columns=["area_id", "neighbour_id"])


def row(frame, area, indicator):
    return frame.set_index(["area_id", "indicator"]).loc[(area, indicator)]


# ---------------------------------------------------------------- a town worked by hand
#
#            poor            crimes per 1,000      work (better when higher)    mean income (tkr; no variance known)
#   A    200 of 1,000            20 of 1,000         400 of   500                 150,000 over 1,000 = 150
#   B    100 of 1,000            10 of 1,000         450 of   500                 200,000 over 1,000 = 200
#   C     90 of   900            45 of   900         360 of   450                 225,000 over   900 = 250
#   D    suppressed               0 of   100          90 of   100                  20,000 over   100 = 200
#   the town 390 of 2,900        75 of 3,000       1,300 of 1,550                 595,000 over 3,000
#
# A–B–C–D in a row, and A–C: the neighbours of A are B and C, those of D are C alone; E stands alone and unknown.
#
# A against B and C: poor 190 of 1,900 = 10 %, so the difference is 10 percentage points. Pooled share 390/2,900 =
#   0.1344828; standard error √(0.1344828 × 0.8655172 × (1/1,000 + 1/1,900)) = 0.0133290, 1.3329 points: clear.
# A's crimes: 20 ‰ against 55 of 1,900 = 28.947 ‰: difference -8.947; pooled 75/2,900, standard error
#   √(0.0258621 × (1/1,000 + 1/1,900)) = 0.0062828, 6.283 ‰; 8.947 < 1.96 × 6.283: not clear.

TOWN = [
    ("A", "poor", 200, 1000), ("B", "poor", 100, 1000), ("C", "poor", 90, 900), ("D", "poor", np.nan, np.nan),
    ("A", "crimes", 20, 1000), ("B", "crimes", 10, 1000), ("C", "crimes", 45, 900), ("D", "crimes", 0, 100),
    ("A", "work", 400, 500), ("B", "work", 450, 500), ("C", "work", 360, 450), ("D", "work", 90, 100),
    ("A", "income", 150_000, 1000), ("B", "income", 200_000, 1000), ("C", "income", 225_000, 900),
    ("D", "income", 20_000, 100),
    ("A", "population", 1000, np.nan), ("B", "population", 1000, np.nan), ("C", "population", 900, np.nan),
    ("D", "population", 100, np.nan),
]  # fmt: skip
DEFINITIONS = [
    definition("poor"),
    definition("crimes", kind="rate", unit="per_1000"),
    definition("work", direction="higher_is_better"),
    definition("income", kind="mean", unit="tkr", direction="higher_is_better"),
    definition("population", kind="count", unit="persons", direction="neutral"),
]
NEXT = pairs("AB", "BC", "CD", "AC")


@pytest.fixture
def town():
    return made(TOWN, DEFINITIONS)


def test_an_area_against_its_neighbours_worked_by_hand(town):
    found = row(contrast(town, NEXT, period="2012"), "A", "poor")
    assert found[["value", "denominator", "neighbours", "neighbours_total"]].tolist() == [20, 1000, 2, 2]
    assert found[["neighbours_value", "neighbours_denominator"]].tolist() == [10, 1900]
    assert found["difference"] == pytest.approx(10)
    assert found["standard_error"] == pytest.approx(1.3329, abs=5e-5)
    assert (found["clear"], found["worse"], found["reason"], found["level"]) == (True, True, "", 0.95)
    crimes = row(contrast(town, NEXT, period="2012"), "A", "crimes")
    assert crimes["difference"] == pytest.approx(20 - 1000 * 55 / 1900)
    assert crimes["standard_error"] == pytest.approx(6.2828, abs=5e-5)
    assert (crimes["clear"], crimes["worse"]) == (False, False)


def test_an_area_against_the_rest_of_the_town_worked_by_hand(town):
    frame = contrast(town, NEXT, period="2012")
    # Without A: crimes 55 of 2,000 = 27.5, work 900 of 1,050 = 85.714, income 445,000 over 2,000 = 222.5.
    names = ["crimes", "work", "income"]
    rest = [row(frame, "A", name)["rest_value"] for name in names]
    assert rest == pytest.approx([27.5, 100 * 900 / 1050, 222.5])
    assert [row(frame, "A", name)["worse_rest"] for name in names] == [False, True, True]
    # Of a sum over people the variance is not known: the difference stands, its noise does not.
    income = row(frame, "A", "income")
    assert income["difference_rest"] == pytest.approx(-72.5)
    assert np.isnan(income["standard_error_rest"])
    assert income["clear_rest"] is pd.NA


@pytest.mark.parametrize(("name", "side"), [("poor", ""), ("poor", "_rest"), ("work", ""), ("work", "_rest")])
def test_noise_of_shares_is_that_of_the_chi_square_test(town, name, side):
    frame = contrast(town, NEXT, period="2012")
    other = "rest" if side else "neighbours"
    for area in "ABC":
        found = row(frame, area, name)
        ours, theirs = (found["value"], found["denominator"]), (found[f"{other}_value"], found[f"{other}_denominator"])
        counts = [[value * base / 100, (100 - value) * base / 100] for value, base in (ours, theirs)]
        expected = stats.chi2_contingency(counts, correction=False).statistic
        assert (found[f"difference{side}"] / found[f"standard_error{side}"]) ** 2 == pytest.approx(expected)


def test_noise_of_rates_is_that_of_events_dealt_out_by_base(town):
    frame = contrast(town, NEXT, period="2012")
    for area in "ABCD":
        found = row(frame, area, "crimes")
        base, others = found["denominator"], found["rest_denominator"]
        events = np.array([found["value"] * base / 1000, found["rest_value"] * others / 1000])
        fair = events.sum() * np.array([base, others]) / (base + others)
        expected = stats.chisquare(events, fair).statistic
        assert (found["difference_rest"] / found["standard_error_rest"]) ** 2 == pytest.approx(expected)


def test_what_is_missing_says_why_and_is_never_zero(town):
    frame = contrast(town, NEXT, period="2012", area_ids=["A", "C", "D", "E"])
    lacking = row(frame, "D", "poor")
    assert (lacking["status"], lacking["reason"], lacking["reason_rest"]) == ("suppressed", *["figure_not_known"] * 2)
    assert np.isnan(lacking[["value", "difference", "difference_rest"]].astype(float)).all()
    # C has three neighbours; D says nothing of the poor, and the other two have 300 of 2,000.
    partly = row(frame, "C", "poor")
    assert partly[["neighbours", "neighbours_total", "neighbours_value"]].tolist() == [2, 3, 15]
    assert partly["neighbours_status"] == "estimated"
    unknown = row(frame, "E", "work")
    assert (unknown["status"], unknown["reason"]) == ("not_collected", "figure_not_known")
    assert unknown["rest_value"] == pytest.approx(100 * 1300 / 1550)  # the whole town


def test_an_area_alone_and_one_whose_neighbours_are_unknown_say_so(town):
    frame = contrast(town, pairs("AB", "CD"), period="2012")
    only = row(frame, "C", "poor")  # its one neighbour is D
    assert only[["neighbours", "neighbours_total"]].tolist() == [0, 1]
    assert (only["reason"], only["neighbours_status"], only["reason_rest"]) == (
        "neighbours_not_known",
        "suppressed",
        "",
    )
    assert only["rest_value"] == 15
    alone = row(contrast(town, pairs("AB"), period="2012"), "C", "work")
    assert (alone["reason"], alone["neighbours_status"], alone["neighbours_total"]) == (
        "no_neighbours",
        "not_applicable",
        0,
    )
    assert alone["difference_rest"] == pytest.approx(80 - 100 * 940 / 1100)


def test_a_town_of_one_area_has_no_rest():
    frame = contrast(made([("A", "poor", 3, 10)], [definition("poor")]), pairs(), period="2012")
    assert frame[["reason", "reason_rest"]].to_numpy().tolist() == [["no_neighbours", "no_rest"]]
    assert np.isnan(frame["rest_value"]).all()


def test_the_rest_is_of_the_reference_alone(town):
    frame = contrast(town, NEXT, period="2012", reference_ids=["B", "C"])
    assert row(frame, "A", "poor")["rest_value"] == 10  # A lies outside: the whole reference, 190 of 1,900
    assert row(frame, "B", "poor")["rest_value"] == 10  # C alone, 90 of 900


def test_a_base_under_the_minimum_is_shown_and_not_compared(town):
    careful = dict(town.definitions) | {"work": definition("work", direction="higher_is_better", minimum_base=101)}
    found = row(contrast(IndicatorTable(town.data, careful), NEXT, period="2012"), "D", "work")
    assert found[["value", "denominator", "status", "reason", "reason_rest"]].tolist() == [
        90, 100, "observed", "small_base", "small_base",
    ]  # fmt: skip
    assert np.isnan(found["difference"])


def test_neutral_indicators_are_neither_better_nor_worse():
    town = made([("A", "rented", 9, 10), ("B", "rented", 1, 10)], [definition("rented", direction="neutral")])
    frame = contrast(town, pairs("AB"), period="2012")
    assert frame["difference"].tolist() == pytest.approx([80, -80])
    assert frame["worse"].isna().all()


def test_no_case_anywhere_is_no_difference():
    town = made([(area, "poor", 0, 10) for area in "AB"], [definition("poor")])
    frame = contrast(town, pairs("AB"), period="2012")
    assert frame[["difference", "standard_error"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    assert frame["clear"].tolist() == frame["worse"].tolist() == [False, False]


def test_rates_without_counts_are_weighted_by_base():
    rows = [("A", 10.0, 50.0), ("B", 20.0, 100.0), ("C", 50.0, 300.0)]
    data = pd.DataFrame([(a, "poor", "2012", np.nan, n, v, "observed") for a, v, n in rows], columns=COLUMNS)
    frame = contrast(IndicatorTable(data, {"poor": definition("poor")}), pairs("AB", "AC"), period="2012")
    found = row(frame, "A", "poor")
    assert found[["neighbours_value", "rest_value"]].tolist() == pytest.approx([42.5, 42.5])  # (2,000 + 15,000)/400
    assert np.isnan(found["standard_error"])
    assert found["clear"] is pd.NA
    bare = IndicatorTable(data.assign(denominator=np.nan), {"poor": definition("poor")})
    with pytest.raises(TableError, match="rates without counts cannot be added up: 'poor'"):
        contrast(bare, pairs("AB"), period="2012")


def test_overlapping_areas_count_a_common_part_once_and_never_against_itself():
    # Two plans share the estate b; X is a with b, Y is b with c, Z is d. X's neighbours Y and Z bring c and d alone.
    estates = made(
        [("a", "poor", 10, 100), ("b", "poor", 40, 100), ("c", "poor", 20, 100), ("d", "poor", 60, 200)],
        [definition("poor")],
    )
    ties = pd.DataFrame(
        [("a", "X"), ("b", "X"), ("b", "Y"), ("c", "Y"), ("d", "Z")], columns=["child_id", "parent_id"]
    ).assign(share=1.0)
    frame = contrast(roll_up(estates, ties), pairs("XY", "XZ", "YZ"), period="2012")
    x = row(frame, "X", "poor")
    assert x[["neighbours_value", "neighbours_denominator"]].tolist() == pytest.approx([100 * 80 / 300, 300])
    z = row(frame, "Z", "poor")  # X and Y together: 70 of 300, b once
    assert z[["neighbours_value", "rest_value"]].tolist() == pytest.approx([100 * 70 / 300] * 2)


@pytest.mark.parametrize("form", ["frame", "pairs", "graph"])
def test_neighbours_in_every_form_say_the_same(town, form):
    weights = {"A": {"B": 1, "C": 1}, "B": {"A": 1, "C": 1}, "C": {"A": 1, "B": 1, "D": 1}, "D": {"C": 1}, "E": {}}
    handed = {"frame": NEXT, "pairs": SimpleNamespace(pairs=NEXT), "graph": Graph.from_weights_dict(weights)}[form]
    pd.testing.assert_frame_equal(contrast(town, handed, period="2012"), contrast(town, NEXT, period="2012"))


def test_what_cannot_be_compared_is_refused_in_words(town):
    with pytest.raises(SpecError) as caught:
        contrast(town, NEXT, period="2013", indicators=["por", "population"])
    assert str(caught.value).splitlines() == [
        "key 'period': no period of the table is called '2013'. Hint: did you mean '2012'?",
        "key 'indicators': no indicator is called 'por'. Hint: did you mean 'poor'?",
        (
            "key 'indicators': 'population' is a count: it grows with the area, and no area is near the city's. "
            "Hint: give it a base, as a share or a rate"
        ),
    ]
    with pytest.raises(SpecError) as caught:
        contrast(town, {"A": ["B"]}, period="2012")
    assert str(caught.value) == (
        "neighbours of type dict. Expected: a frame with the columns area_id and neighbour_id, or a libpysal Graph."
    )
    with pytest.raises(SpecError) as caught:
        contrast(town, NEXT.rename(columns={"neighbour_id": "neighbor_id"}), period="2012")
    assert str(caught.value) == (
        "key 'neighbours.neighbour_id': there is no column 'neighbour_id' in the data. "
        "Hint: did you mean 'neighbor_id'?"
    )
    with pytest.raises(IdError) as caught:
        contrast(town, pairs("AA", "AB"), period="2012")
    assert str(caught.value) == "1 area(s) are neighbours of themselves: 'A'. Expected: pairs of two areas."
    with pytest.raises(IdError, match=r"none of the 4 area codes of the table .* is among the 2 areas \('X', 'Y'\)"):
        contrast(town, pairs("XY"), period="2012")
    with pytest.raises(SpecError, match=r"key 'level': a level of 95. Expected: between 0 and 1, such as 0.95."):
        contrast(town, NEXT, period="2012", level=95)
    with pytest.raises(SpecError, match="no area of the table lies in the reference area"):
        contrast(town, NEXT, period="2012", reference_ids=["X"])


ROW_OF_SIX = pairs(*[(f"A{number}", f"A{number + 1}") for number in range(5)])


@settings(max_examples=40)
@given(tables())
def test_everybody_as_neighbour_is_the_rest_of_the_town(table):
    areas = [f"A{number}" for number in range(6)]
    every = pairs(*[(one, other) for one in areas for other in areas if one < other])
    frame = contrast(table, every, period="2012")
    for ours, theirs in (("neighbours_value", "rest_value"), ("standard_error", "standard_error_rest")):
        np.testing.assert_allclose(frame[ours].astype(float), frame[theirs].astype(float), atol=1e-6, equal_nan=True)


@settings(max_examples=40)
@given(tables(missing=False))
def test_what_lies_above_the_neighbours_is_the_other_way_round_for_the_good(table):
    good = {name: item.model_copy(update={"direction": "higher_is_better"}) for name, item in table.definitions.items()}
    one = contrast(table, ROW_OF_SIX, period="2012", indicators=["poor", "crime"])
    other = contrast(
        dataclasses.replace(table, definitions=good), ROW_OF_SIX, period="2012", indicators=["poor", "crime"]
    )
    pd.testing.assert_series_equal(one["difference"], other["difference"])
    assert not (one["worse"] & other["worse"]).any()
    assert ((one["worse"] | other["worse"]) == (one["difference"].abs() > 1e-9)).all()


def test_chance_alone_is_clear_in_about_five_of_a_hundred():
    random = np.random.default_rng(1)
    rows = [(f"{number:04d}", "poor", random.binomial(400, 0.2), 400) for number in range(2000)]
    frame = contrast(made(rows, [definition("poor")]), pairs(), period="2012")
    assert 0.04 <= frame["clear_rest"].mean() <= 0.06


# ---------------------------------------------------------------- scores

SCORES = pd.Series({"A": 150.0, "B": 90.0, "C": 120.0, "D": np.nan, "E": 80.0}, name="score").rename_axis("area_id")


def test_scores_against_neighbours_worked_by_hand():
    found = contrast_scores(SCORES, NEXT)
    # C: neighbours A 150, B 90 and D unknown; their mean 120. B: A 150 and C 120, mean 135, A is furthest.
    assert found.loc["C", ["neighbours", "neighbours_total", "neighbours_score", "difference"]].tolist() == [
        2,
        3,
        120,
        0,
    ]
    assert found.loc["B", ["difference", "largest_difference", "largest_neighbour"]].tolist() == [-45, -60, "A"]
    assert found["reason"].to_dict() == {"A": "", "B": "", "C": "", "D": "score_not_known", "E": "no_neighbours"}
    # Of two neighbours as far the first: A lies 30 above C, C 30 below A and 30 above B.
    assert found.loc["C", ["largest_difference", "largest_neighbour"]].tolist() == [-30, "A"]


def test_scores_against_the_rest_of_the_city_worked_by_hand():
    people = pd.Series({"A": 100, "B": 300, "C": 100, "D": 0, "E": 50})
    found = contrast_scores(SCORES, NEXT, people)
    # Without A: (90 × 300 + 120 × 100 + 80 × 50) / 450.
    assert found.loc["A", "rest_score"] == pytest.approx(43_000 / 450)
    assert found.loc["A", "difference_rest"] == pytest.approx(150 - 43_000 / 450)
    assert found["reason_rest"].to_dict() == {"A": "", "B": "", "C": "", "D": "score_not_known", "E": ""}
    # Of a city of A and B the rest for A is B, and for C, which lies outside, both.
    found = contrast_scores(SCORES, NEXT, reference_ids=["A", "B"])
    assert found["rest_score"].to_dict() == {"A": 90, "B": 150, "C": 120, "D": 120, "E": 120}
    assert contrast_scores(SCORES.loc[["A"]], pairs())["reason_rest"].tolist() == ["no_rest"]


def test_draws_say_whether_a_difference_of_scores_is_clear():
    # A is above B in all of 20 draws, by 60 ± 10; C above E in 19, and by less than the draws scatter.
    wave = np.tile([-10.0, 10.0], 10)
    drawn = pd.DataFrame(
        [150 + wave, np.full(20, 90.0), np.r_[-500.0, np.full(19, 100.0)], np.full(20, 80.0)], index=list("ABCE")
    )
    found = contrast_scores(SCORES, pairs("AB", "CE"), draws=drawn)
    assert found["above"].round(2).dropna().to_dict() == {"A": 1.0, "B": 0.0, "C": 0.95, "E": 0.05}
    assert found["clear"].dropna().to_dict() == {"A": True, "B": True, "C": False, "E": False}
    assert found["clear"].isna().to_dict()["D"]
    # Without draws nothing is known of it.
    assert contrast_scores(SCORES, NEXT)[["clear", "clear_rest"]].isna().all(axis=None)
    with pytest.raises(SpecError, match=r"a level of 1\. Expected: between 0 and 1, such as 0\.90"):
        contrast_scores(SCORES, NEXT, draws=drawn, level=1)


def test_a_difference_that_chance_makes_is_seldom_clear():
    random = np.random.default_rng(2)
    truth = 100 + random.normal(0, 3, size=(400, 1))  # what draws scatter around, where nobody differs in truth
    drawn = pd.DataFrame(truth + random.normal(0, 3, size=(400, 500)))
    scores = pd.Series(truth[:, 0])
    scores.index = drawn.index = [f"{number:03d}" for number in range(400)]
    found = contrast_scores(scores, pairs(), draws=drawn)
    assert 0.06 <= found["clear_rest"].mean() <= 0.14


def test_draws_of_many_and_of_few_at_once_are_the_same():
    random = np.random.default_rng(3)
    drawn = pd.DataFrame(random.normal(100, 10, size=(5, 1300)), index=list("ABCDE"))
    drawn.iloc[2, ::7] = np.nan
    found = contrast_scores(SCORES, NEXT, draws=drawn)
    around = drawn.loc[["B", "C"]].mean()
    assert found.loc["A", "above"] == pytest.approx((drawn.loc["A"] > around).mean())
    rest = drawn.drop("C").mean()
    known = drawn.loc["C"].notna()
    assert found.loc["C", "above_rest"] == pytest.approx((drawn.loc["C"] > rest)[known].mean())


def test_what_the_city_has_may_come_from_elsewhere(town):
    whole = totals(town).xs("2012", level="period")
    pd.testing.assert_frame_equal(profile(town, period="2012"), profile(town, period="2012", city=whole))
    # Of a table that hides A's poor the city still has them: 390 of 2,900.
    hidden = dataclasses.replace(town, data=town.data.copy())
    at = (hidden.data["area_id"] == "A") & (hidden.data["indicator"] == "poor")
    hidden.data.loc[at, ["value", "numerator", "denominator"]] = np.nan
    hidden.data.loc[at, "status"] = "suppressed"
    found = profile(hidden, period="2012", city=whole)
    assert row(found, "B", "poor")["city"] == pytest.approx(100 * 390 / 2900)
    assert row(found, "A", "poor")[["kind", "reason"]].tolist() == ["not comparable", "figure_not_known"]


def test_scores_weighted_by_residents():
    people = pd.Series({"A": 100, "B": 300, "C": 100, "D": 0, "E": 50})
    found = contrast_scores(SCORES, NEXT, people)
    assert found.loc["C", "neighbours_score"] == (150 * 100 + 90 * 300) / 400
    with pytest.raises(TableError) as caught:
        contrast_scores(SCORES, NEXT, people.drop("B"))
    assert str(caught.value) == (
        "1 area(s) with a score have no weight above 0: 'B'. Hint: give every area with a score its residents, or "
        "leave `weights` out"
    )


def test_scores_of_areas_without_a_known_neighbour():
    found = contrast_scores(SCORES.loc[["C", "D"]], pairs("CD"))
    assert found.loc["C", ["neighbours", "neighbours_total", "reason"]].tolist() == [0, 1, "neighbours_not_known"]
    assert np.isnan(found.loc["C", "difference"])
    assert found.loc["C", "largest_neighbour"] == ""
    assert contrast_scores(SCORES, pairs())["reason"].tolist() == ["no_neighbours"] * 3 + [
        "score_not_known",
        "no_neighbours",
    ]


def test_scores_where_nobody_has_a_neighbour():
    apart = Graph.from_weights_dict({area: {} for area in SCORES.index})
    pd.testing.assert_frame_equal(contrast_scores(SCORES, apart), contrast_scores(SCORES, pairs()))


def test_scores_of_other_areas_and_areas_named_twice_are_refused():
    with pytest.raises(IdError, match="none of the 5 area codes"):
        contrast_scores(SCORES, pairs("XY"))
    with pytest.raises(IdError, match=r"1 area code\(s\) occur more than once: 'A'"):
        contrast_scores(pd.concat([SCORES, SCORES.iloc[:1]]), NEXT)


# ---------------------------------------------------------------- the profile


def test_a_profile_worked_by_hand(town):
    found = profile(town, period="2012", area_id="A")
    by = found.set_index("indicator")
    # poor 20 % against the town's 390 of 2,900; without work 20 % against 250 of 1,550; income inverted: 198.33/150.
    assert by["relative"].to_dict() == pytest.approx({
        "poor": 100 * 0.2 * 2900 / 390, "work": 100 * 0.2 * 1550 / 250,
        "income": 100 * (595 / 3) / 150, "crimes": 100 * 0.02 * 3000 / 75,
    })  # fmt: skip
    assert by["kind"].to_dict() == {
        "poor": "weakness",  # 49 above, and 20 % against 10 % of 1,900 is clear
        "income": "weakness",  # 32 above; its noise is not known
        "work": "weakness",  # 24 above; 80 % against 85.7 % of 1,050: z = 2.84
        "crimes": "as the city",  # 20 below, but 20 against 55 of 2,000 events: z = -1.23
    }
    assert found["indicator"].tolist() == ["poor", "income", "work", "crimes"]
    assert by["reason"].to_dict() == {"poor": "", "income": "noise_not_known", "work": "", "crimes": ""}
    assert by.loc["crimes", ["place", "among", "less_unfavourable_share", "minimum", "maximum"]].tolist() == [
        2, 4, pytest.approx(2 / 3), 0, 50,
    ]  # fmt: skip
    assert by.loc["poor", ["place", "among", "city"]].tolist() == [1, 3, pytest.approx(100 * 390 / 2900)]


def test_places_are_shared_and_the_best_has_the_highest(town):
    work = profile(town, period="2012", indicators=["work"]).set_index("area_id")
    # A and C have 80 % in work, B and D 90 %.
    assert work["place"].to_dict() == {"A": 1, "C": 1, "B": 3, "D": 3}
    assert work["less_unfavourable_share"].to_dict() == pytest.approx({"A": 2 / 3, "C": 2 / 3, "B": 0, "D": 0})


def test_the_profile_is_relative_as_the_index_is(town):
    areas = DomainSpec(id="all", label="all", indicators=["poor", "crimes", "work", "income"])
    for favourable in ("complement", "reciprocal"):
        result = risk_index(town, IndexSpec(domains=[areas], favourable=favourable), period="2012")
        wide = profile(town, period="2012", favourable=favourable).pivot(
            index="area_id", columns="indicator", values="relative"
        )
        pd.testing.assert_frame_equal(wide[list(result.relative)], result.relative, check_names=False)


def test_what_is_not_comparable_stands_last_with_its_reason(town):
    careful = dict(town.definitions) | {
        "crimes": definition("crimes", kind="rate", unit="per_1000", minimum_base=101),
        "income": definition("income", kind="mean", unit="tkr", direction="neutral"),
    }
    found = profile(IndicatorTable(town.data, careful), period="2012", area_id="D")
    assert found["kind"].tolist() == ["as the city", "not comparable", "not comparable", "not comparable"]
    assert dict(zip(found["indicator"], found["reason"], strict=True)) == {
        "work": "", "poor": "figure_not_known", "crimes": "small_base", "income": "neutral",
    }  # fmt: skip
    assert found.set_index("indicator")["place"].isna().to_dict() == {
        "work": False, "poor": True, "crimes": True, "income": True,
    }  # fmt: skip


def test_an_indicator_that_nobody_has_or_nobody_knows_is_not_comparable():
    rows = [(area, name, number, 100) for area in "AB" for name, number in (("poor", 0), ("ill", np.nan))]
    found = profile(made(rows, [definition("poor"), definition("ill")]), period="2012")
    assert found["kind"].unique().tolist() == ["not comparable"]
    assert found.groupby("indicator")["reason"].first().to_dict() == {
        "ill": "figure_not_known",
        "poor": "relative_undefined",
    }


def test_a_table_in_which_nobody_knows_anything_is_compared_to_nothing():
    poor = definition("poor")
    rows = [(area, "poor", "2012", None, None, None, "suppressed") for area in "AB"]
    table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor})  # its figures are objects, not numbers
    found = contrast(table, pairs("AB"), period="2012")
    assert found[["reason", "reason_rest"]].eq("figure_not_known").all(axis=None)
    assert profile(table, period="2012")["kind"].tolist() == ["not comparable"] * 2


def test_one_area_is_as_the_city():
    found = profile(made([("A", "poor", 3, 10)], [definition("poor")]), period="2012")
    assert found[["relative", "kind", "place", "among"]].to_numpy().tolist() == [[100, "as the city", 1, 1]]
    assert np.isnan(found["less_unfavourable_share"][0])


def test_the_gap_and_the_level_decide_together():
    # A 22 % of 10,000 against 20 % of 90,000: clear, and 8.9 points above the town's 20.2 %.
    town = made([("A", "poor", 2200, 10_000), ("B", "poor", 18_000, 90_000)], [definition("poor")])
    kinds = [profile(town, period="2012", minimum_gap=gap)["kind"].tolist()[0] for gap in (10, 8, 0)]
    assert kinds == ["as the city", "weakness", "weakness"]
    # 30 of 100 against 20 % of 90,000: 49 above and z = 2.50, clear at 95 % and not at 99 %.
    town = made([("A", "poor", 30, 100), ("B", "poor", 18_000, 90_000)], [definition("poor")])
    assert [profile(town, period="2012", level=level)["kind"].iloc[0] for level in (0.95, 0.99)] == [
        "weakness",
        "as the city",
    ]


def test_the_strongest_and_the_weakest_points(town):
    found = profile(town, period="2012")
    strong, weak = strengths(found, "A", most=2)
    assert strong.empty
    assert weak["indicator"].tolist() == ["poor", "income"]
    # B: work 62, crimes 40, poor 75; its income is as the city's (99).
    strong, weak = strengths(found, "B")
    assert strong["indicator"].tolist() == ["crimes", "work", "poor"]
    assert weak.empty


def test_areas_are_placed_among_those_named_and_against_the_whole_city(town):
    work = ["work"]
    every = profile(town, period="2012", indicators=work).set_index("area_id")
    two = profile(town, period="2012", indicators=work, area_ids=["A", "B"]).set_index("area_id")
    assert sorted(two.index) == ["A", "B"]
    assert set(two["among"]) == {2}
    assert two["relative"].to_dict() == every.loc[two.index, "relative"].to_dict()


def test_a_profile_of_nothing_is_refused_in_words(town):
    with pytest.raises(SpecError, match="no area is called 'Q'"):
        profile(town, period="2012", area_id="Q")
    with pytest.raises(SpecError, match="no area is called 'Q'"):
        strengths(profile(town, period="2012"), "Q")
    with pytest.raises(SpecError, match=r"key 'most': at most 0 points. Expected: 1 or more."):
        strengths(profile(town, period="2012"), "A", most=0)
    with pytest.raises(SpecError, match=r"key 'minimum_gap': a gap of -1 points. Expected: 0 or more."):
        profile(town, period="2012", minimum_gap=-1)
    with pytest.raises(SpecError, match="there is no indicator to compare"):
        profile(town, period="2012", indicators=[])


@settings(max_examples=40)
@given(tables(), st.floats(0, 50))
def test_every_figure_of_a_profile_has_one_place_and_one_kind(table, gap):
    found = profile(table, period="2012", minimum_gap=gap)
    assert len(found) == 12
    known = found["status"] == "observed"
    assert (found["place"].notna() == known).all()
    assert (found.loc[~known, "kind"] == "not comparable").all()
    assert (found.loc[found["kind"] == "weakness", "relative"] >= 100 + gap - 1e-6).all()
    assert (found.loc[found["kind"] == "strength", "relative"] <= 100 - gap + 1e-6).all()
    assert found.loc[found["kind"].isin(["weakness", "strength"]), "clear"].all()


def test_the_sample_has_a_profile_for_every_area(sample_run):
    table = sample_run.indicators()
    found = profile(table, period="2012", reference_ids=sample_run.reference_members())
    index = sample_run.index().relative.stack().dropna()
    mine = found.set_index(["area_id", "indicator"])["relative"].dropna()
    np.testing.assert_allclose(mine.loc[index.index], index)
    assert set(found["kind"]) == {"weakness", "as the city", "strength", "not comparable"}


@pytest.mark.parametrize(
    "measure",
    [
        lambda rows: contrast(rows, NEXT, period="2012"),
        lambda rows: profile(rows, period="2012"),
        lambda rows: segregation(rows, "poor"),
        shrink,
        lambda rows: index_series(rows, IndexSpec(domains=[{"id": "d", "label": "D", "indicators": ["poor"]}])),
    ],
)
def test_the_rows_of_a_table_are_no_table(town, measure):
    with pytest.raises(SpecError) as caught:
        measure(town.data)
    assert str(caught.value) == (
        "key 'table': DataFrame is no table of indicators. Expected: an IndicatorTable. Hint: hand in the table "
        "itself, not its `.data`"
    )


def test_a_whole_result_is_no_score():
    with pytest.raises(SpecError) as caught:
        contrast_scores(pd.DataFrame({"score": [1.0]}), pd.DataFrame({"area_id": ["A"], "neighbour_id": ["B"]}))
    assert str(caught.value) == (
        "key 'scores': these are no scores: DataFrame. Expected: a series by area, such as `index.score`."
    )
