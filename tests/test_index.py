"""The index against a town worked by hand, and the laws it obeys."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

import geoplan as gp
from geoplan.errors import SpecError, TableError
from geoplan.places import IndicatorTable, unit_scale
from geoplan.risk import risk_index
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec

COLUMNS = ["area_id", "indicator", "numerator", "denominator"]


def definition(name, kind="share", unit="pct", direction="higher_is_worse", **more):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction, **more)


def table(rows, definitions, period="2012", status="observed"):
    """A tidy table from counts; a rate is made from them just as the reader does."""
    data = pd.DataFrame(rows, columns=COLUMNS).astype({"numerator": float, "denominator": float})
    by_id = {item.id: item for item in definitions}
    scale = data["indicator"].map(lambda name: unit_scale(by_id[name].unit))
    data["value"] = (data["numerator"] / data["denominator"] * scale).fillna(data["numerator"])
    data["period"], data["status"] = period, status
    return IndicatorTable(data, by_id)


def spec(*domains, **more):
    made = [DomainSpec(id=name, label=name, indicators=list(names), weight=weight) for name, weight, names in domains]
    return IndexSpec(domains=made, **more)


# ---------------------------------------------------------------- a town of four areas, worked by hand
#
#                    population  on assistance   in work (of 100/200/100/20)   crimes (per 1,000 residents)
#   A Alm                 1,000        100            50 of 100                     20
#   B Björk               2,000         50           160 of 200                     20
#   C Ceder               1,000         50            80 of 100                      5
#   D Den (too small)        50          0            10 of  20                      0
#   the town              4,050        200           300 of 420                     45
#
# The town's values: assistance 200/4,050 = 4.938272 %, work 300/420 = 71.428571 %, crimes 45/4,050 = 11.111111 ‰.
#
# Relative to the town, × 100, higher = worse:
#   assistance  A 10/4.938272   = 202.5      B 2.5/4.938272 = 50.625      C 5/4.938272 = 101.25
#   work        is better when higher, so the share without work counts: the town 120/420 = 28.571429 %
#               A 50/28.571429  = 175        B 20/28.571429 = 70          C 20/28.571429 = 70
#   crimes      A 20/11.111111  = 180        B 10/11.111111 = 90          C 5/11.111111 = 45
#
# Domains: livelihood (weight 2) = mean of assistance and work, safety (weight 1) = crimes:
#   livelihood  A (202.5 + 175)/2 = 188.75   B (50.625 + 70)/2 = 60.3125  C (101.25 + 70)/2 = 85.625
#   safety      A 180                        B 90                         C 45
# Index = (2 × livelihood + safety)/3:
#   A (377.5 + 180)/3 = 185.833333           B (120.625 + 90)/3 = 70.208333   C (171.25 + 45)/3 = 72.083333
# Ranks: A 1, C 2, B 3. D has fewer than 100 residents and is listed without a rank, but counts in the town.

TOWN = [
    ("A", "population", 1000, np.nan),
    ("B", "population", 2000, np.nan),
    ("C", "population", 1000, np.nan),
    ("D", "population", 50, np.nan),
    ("A", "assistance", 100, 1000),
    ("B", "assistance", 50, 2000),
    ("C", "assistance", 50, 1000),
    ("D", "assistance", 0, 50),
    ("A", "work", 50, 100),
    ("B", "work", 160, 200),
    ("C", "work", 80, 100),
    ("D", "work", 10, 20),
    ("A", "crimes", 20, 1000),
    ("B", "crimes", 20, 2000),
    ("C", "crimes", 5, 1000),
    ("D", "crimes", 0, 50),
]
TOWN_DEFINITIONS = [
    definition("population", kind="count", unit="persons", direction="neutral"),
    definition("assistance"),
    definition("work", direction="higher_is_better"),
    definition("crimes", kind="rate", unit="per_1000"),
]
TOWN_SPEC = spec(("livelihood", 2, ["assistance", "work"]), ("safety", 1, ["crimes"]), minimum_population=100)


@pytest.fixture
def town():
    return table(TOWN, TOWN_DEFINITIONS)


def test_four_areas_worked_by_hand(town):
    result = risk_index(town, TOWN_SPEC, period="2012")
    assert result.score.to_dict() == pytest.approx(
        {"A": 557.5 / 3, "B": 210.625 / 3, "C": 216.25 / 3, "D": np.nan}, nan_ok=True
    )
    assert result.ranking["rank"].dropna().to_dict() == {"A": 1, "C": 2, "B": 3}
    assert result.domains.loc["A"].to_dict() == pytest.approx({"livelihood": 188.75, "safety": 180})
    assert result.relative.loc["B"].to_dict() == pytest.approx({"assistance": 50.625, "work": 70, "crimes": 90})
    # Contributions: weight 2/3 × 1/2 for each of the two indicators of livelihood, 1/3 for crimes.
    assert result.contributions.loc["A"].to_dict() == pytest.approx({"assistance": 67.5, "work": 175 / 3, "crimes": 60})
    assert result.ranking.loc["A", "gap"] == pytest.approx(557.5 / 3 - 100)


def test_the_small_area_is_listed_with_its_reason(town):
    result = risk_index(town, TOWN_SPEC, period="2012")
    row = result.excluded.loc["D"]
    assert (row["population"], row["status"], row["reason"]) == (50, "out_of_scope", "small_population")
    assert result.certificate.excluded == 1


def test_rest_of_the_town_worked_by_hand(town):
    # Without A the town has assistance 100/3,050, out of work 70/320, crimes 25/3,050 per person. A against that:
    # 0.1 × 3,050/100 × 100 = 305; 0.5 × 320/70 × 100 = 228.571429; 0.02 × 3,050/25 × 100 = 244.
    # Index: (2 × (305 + 228.571429)/2 + 244)/3 = 259.190476.
    result = risk_index(town, TOWN_SPEC, period="2012")
    assert result.ranking.loc["A", "score_rest"] == pytest.approx((305 + 1600 / 7 + 244) / 3)


def test_weights_inside_a_domain(town):
    uneven = DomainSpec(id="livelihood", label="l", indicators={"assistance": 3.0, "work": 1.0})
    result = risk_index(town, IndexSpec(domains=[uneven]), period="2012")
    assert result.score["A"] == pytest.approx((3 * 202.5 + 175) / 4)
    assert result.certificate.indicator_weights == {"assistance": 3.0, "work": 1.0}


def test_reciprocal_turns_by_city_over_area(town):
    result = risk_index(town, TOWN_SPEC.model_copy(update={"favourable": "reciprocal"}), period="2012")
    assert result.relative.loc["A", "work"] == pytest.approx(100 * (300 / 420) / 0.5)
    assert result.certificate.direction["work"] == "reciprocal"


def test_another_reference_scores_100(town):
    # B and C alone: assistance 100/3,000, out of work 60/300, crimes 25/3,000; A: 300, 250 and 240.
    result = risk_index(town, TOWN_SPEC, period="2012", reference_ids=["B", "C"], reference_name="the south")
    assert result.relative.loc["A"].to_dict() == pytest.approx({"assistance": 300, "work": 250, "crimes": 240})
    assert (result.certificate.reference, result.certificate.reference_areas) == ("the south", 2)
    # A lies outside, so that the rest of the reference is all of it.
    assert result.ranking.loc["A", "score_rest"] == pytest.approx(result.ranking.loc["A", "score"])


def test_breakdown_and_explain_tell_every_figure(town):
    result = risk_index(town, TOWN_SPEC, period="2012")
    figures = gp.breakdown(result, town)
    assert len(figures) == 4 * 3
    own = gp.explain(result, town, "A")
    # Points from 100, weight × (relative - 100): assistance 102.5/3, crimes 80/3, work 75/3.
    assert own["indicator"].tolist() == ["assistance", "crimes", "work"]
    assert own["above_city"].tolist() == pytest.approx([102.5 / 3, 80 / 3, 25])
    assert own["above_city"].sum() == pytest.approx(result.ranking.loc["A", "gap"])
    assert own.set_index("indicator").loc["work", ["value", "denominator", "city"]].tolist() == pytest.approx(
        [50, 100, 300 / 4.2]
    )
    with pytest.raises(SpecError, match="no area is called 'E'"):
        gp.explain(result, town, "E")


# ---------------------------------------------------------------- missing values


def with_status(source, area, indicator, status):
    data = source.data.copy()
    cell = (data["area_id"] == area) & (data["indicator"] == indicator)
    data.loc[cell, ["numerator", "denominator", "value"]] = np.nan
    data.loc[cell, "status"] = status
    return dataclasses.replace(source, data=data)


def test_a_missing_figure_leaves_the_mean_of_the_others(town):
    result = risk_index(with_status(town, "A", "work", "suppressed"), TOWN_SPEC, period="2012")
    assert result.domains.loc["A", "livelihood"] == pytest.approx(202.5)
    assert result.weights.loc["A"].sum() == pytest.approx(1)
    assert (result.ranking.loc["A", "indicators"], result.ranking.loc["A", "indicators_total"]) == (2, 3)
    # The town's share is made from the areas that are known, and the certificate says how many are not.
    assert result.relative.loc["B", "work"] == pytest.approx(100 * 0.2 / (70 / 320))
    assert result.certificate.reference_gaps == {"work": 1}


@pytest.mark.parametrize("status", ["suppressed", "not_collected", "not_applicable", "out_of_scope"])
def test_an_area_without_a_domain_has_no_rank_and_keeps_the_reason(town, status):
    result = risk_index(with_status(town, "A", "crimes", status), TOWN_SPEC, period="2012")
    row = result.ranking.loc["A"]
    assert np.isnan(row["score"])
    assert (row["status"], row["reason"], row["reason_domain"]) == (status, "domain_not_known", "safety")


def test_minimum_available_is_a_share_of_the_domains_weight(town):
    lacking = with_status(town, "A", "work", "not_collected")
    strict = TOWN_SPEC.model_copy(update={"minimum_available": 0.51})
    assert risk_index(lacking, strict, period="2012").ranking.loc["A", "reason"] == "domain_not_known"
    assert risk_index(lacking, TOWN_SPEC, period="2012").ranking.loc["A", "reason"] == ""


def test_a_base_under_the_indicators_minimum_is_not_used(town):
    careful = dict(town.definitions) | {"work": definition("work", direction="higher_is_better", minimum_base=101)}
    result = risk_index(IndicatorTable(town.data, careful), TOWN_SPEC, period="2012")
    assert result.relative["work"].isna().to_dict() == {"A": True, "B": False, "C": True, "D": True}
    assert result.certificate.too_small_bases == {"work": 3}
    # The town's own value still stands on everyone.
    assert result.reference.loc["work", "denominator"] == 420


def test_an_area_that_the_table_does_not_know_is_listed(town):
    result = risk_index(town, TOWN_SPEC, period="2012", area_ids=["A", "B", "C", "D", "E"])
    assert result.ranking.loc["E", ["status", "reason"]].tolist() == ["not_collected", "population_not_known"]


def test_estimated_and_provisional_figures_mark_the_rank(town):
    data = town.data.copy()
    data.loc[(data["area_id"] == "A") & (data["indicator"] == "work"), "status"] = "provisional"
    data.loc[(data["area_id"] == "B") & (data["indicator"] == "work"), "status"] = "estimated"
    ranking = risk_index(dataclasses.replace(town, data=data), TOWN_SPEC, period="2012").ranking
    assert ranking.loc[["A", "B", "C"], "status"].tolist() == ["provisional", "estimated", "observed"]
    assert ranking.loc[["A", "B", "C"], "indicators_estimated"].tolist() == [1, 1, 0]


# ---------------------------------------------------------------- what is undefined is refused


def test_unknown_names_are_refused_together(town):
    wrong = spec(("livelihood", 1, ["assistans", "work"]), ("x", 1, ["population"]), population="residents")
    with pytest.raises(SpecError) as caught:
        risk_index(town, wrong, period="2013")
    assert str(caught.value).splitlines() == [
        "key 'index.domains.0.indicators': no indicator is called 'assistans'. Hint: did you mean 'assistance'?",
        (
            "key 'index.domains.1.indicators': 'population' is neutral: it is neither better nor worse when higher. "
            "Hint: leave it out of the index"
        ),
        (
            "key 'index.population': no indicator is called 'residents'. "
            "Hint: one of 'assistance', 'crimes', 'population', 'work'"
        ),
        "key 'period': no period of the table is called '2013'. Hint: did you mean '2012'?",
    ]


def test_an_indicator_nobody_has_is_refused(town):
    data = town.data.copy()
    data.loc[data["indicator"] == "assistance", ["numerator", "value"]] = 0.0
    with pytest.raises(TableError, match="the city's value of 'assistance' is 0, so nothing is relative to it"):
        risk_index(dataclasses.replace(town, data=data), TOWN_SPEC, period="2012")


def test_an_indicator_everybody_has_cannot_be_turned(town):
    data = town.data.copy()
    work = data["indicator"] == "work"
    data.loc[work, "numerator"], data.loc[work, "value"] = data.loc[work, "denominator"], 100.0
    with pytest.raises(TableError, match="the city's value of 'work' is 100: nobody is without it"):
        risk_index(dataclasses.replace(town, data=data), TOWN_SPEC, period="2012")


def test_a_zero_that_would_be_inverted_is_refused(town):
    data = town.data.copy()
    data.loc[(data["area_id"] == "D") & (data["indicator"] == "work"), ["numerator", "value"]] = 0.0
    inverted = TOWN_SPEC.model_copy(update={"favourable": "reciprocal"})
    with pytest.raises(TableError, match="area 'D': 'work' is 0 and is better when higher"):
        risk_index(dataclasses.replace(town, data=data), inverted, period="2012")


# ---------------------------------------------------------------- laws


@st.composite
def towns(draw):
    """Towns of 2 to 12 areas with one indicator of each way into the index."""
    size = draw(st.integers(2, 12))
    base = draw(arrays(np.int64, (3, size), elements=st.integers(50, 5000)))
    part = draw(arrays(np.float64, (3, size), elements=st.floats(0.02, 0.98)))
    people = draw(arrays(np.int64, size, elements=st.integers(1, 9000)))
    rows = []
    for area in range(size):
        name = f"{area:02}"
        rows.append((name, "population", people[area], np.nan))
        rows += [
            (name, indicator, max(1, round(part[place, area] * base[place, area])), base[place, area])
            for place, indicator in enumerate(["poor", "work", "income"])
        ]
    kinds = [
        definition("population", kind="count", unit="persons", direction="neutral"),
        definition("poor"),
        definition("work", direction="higher_is_better"),
        definition("income", kind="mean", unit="tkr", direction="higher_is_better"),
    ]
    weights = draw(st.tuples(*[st.floats(0.1, 10)] * 2))
    chosen = spec(("one", weights[0], ["poor", "work"]), ("two", weights[1], ["income"]))
    return table(rows, kinds), chosen


def nearly(first, second):
    pd.testing.assert_series_equal(first, second, check_names=False, rtol=1e-9)


@given(towns(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_row_order_changes_nothing(drawn, random):
    town, chosen = drawn
    order = list(range(len(town.data)))
    random.shuffle(order)
    shuffled = dataclasses.replace(town, data=town.data.iloc[order].reset_index(drop=True))
    before, after = (risk_index(item, chosen, period="2012") for item in (town, shuffled))
    pd.testing.assert_frame_equal(before.ranking, after.ranking)


@given(towns(), st.sampled_from([0.001, 1000.0]))
@settings(max_examples=25, deadline=None)
def test_the_unit_of_counting_changes_nothing(drawn, unit):
    town, chosen = drawn
    data = town.data.copy()
    data[["numerator", "denominator"]] *= unit
    data.loc[data["indicator"] == "population", "value"] *= unit
    data.loc[data["indicator"] == "population", "value"] += 1  # nobody falls under the least population of 1
    before = risk_index(town, chosen, period="2012")
    nearly(before.score, risk_index(dataclasses.replace(town, data=data), chosen, period="2012").score)


@given(towns(), st.data())
@settings(max_examples=40, deadline=None)
def test_worsening_an_indicator_never_lowers_the_risk(drawn, data):
    town, chosen = drawn
    name = data.draw(st.sampled_from(["poor", "work", "income"]))
    area = data.draw(st.sampled_from(sorted(set(town.data["area_id"]))))
    rows = town.data.copy()
    cell = (rows["area_id"] == area) & (rows["indicator"] == name)
    before_count, base = rows.loc[cell, "numerator"].iloc[0], rows.loc[cell, "denominator"].iloc[0]
    if name == "poor":
        after_count = data.draw(st.floats(before_count, base))
    else:
        after_count = data.draw(st.floats(1e-3, before_count))
    rows.loc[cell, "numerator"] = after_count
    rows.loc[cell, "value"] = after_count / base * unit_scale(town.definitions[name].unit)
    before = risk_index(town, chosen, period="2012").score[area]
    after = risk_index(dataclasses.replace(town, data=rows), chosen, period="2012").score[area]
    assert after >= before - 1e-9 * before


@given(towns())
@settings(max_examples=25, deadline=None)
def test_an_area_equal_to_the_town_scores_100(drawn):
    town, chosen = drawn
    # A twin with the same rates as the town leaves the town's rates as they are, and scores 100.
    sums = town.data.groupby("indicator")[["numerator", "denominator"]].sum()
    twin = [("twin", name, row["numerator"], row["denominator"] or np.nan) for name, row in sums.iterrows()]
    both = table([*town.data[COLUMNS].itertuples(index=False, name=None), *twin], town.definitions.values())
    result = risk_index(both, chosen, period="2012")
    assert result.score["twin"] == pytest.approx(100)
    assert result.relative.loc["twin"].tolist() == pytest.approx([100, 100, 100])


@given(towns())
@settings(max_examples=25, deadline=None)
def test_contributions_add_up_to_the_score(drawn):
    result = risk_index(*drawn, period="2012")
    nearly(result.contributions.sum(axis=1), result.score)
    nearly(result.weights.sum(axis=1), pd.Series(1.0, index=result.score.index))
    certificate = result.certificate
    total = sum(result.domains[name] * weight for name, weight in certificate.domain_weights.items())
    nearly(total / certificate.domain_weight_sum, result.score)


@given(towns())
@settings(max_examples=25, deadline=None)
def test_ranks_follow_the_scores(drawn):
    ranking = risk_index(*drawn, period="2012").ranking
    assert ranking["score"].is_monotonic_decreasing
    for rank, score in zip(ranking["rank"], ranking["score"], strict=True):
        assert rank == 1 + (ranking["score"].round(9) > round(score, 9)).sum()


@given(towns())
@settings(max_examples=25, deadline=None)
def test_the_town_against_a_plain_numpy_calculation(drawn):
    town, chosen = drawn
    wide = {name: town.wide("2012", name) for name in ("numerator", "denominator")}
    share = {n: wide["numerator"][n] / wide["denominator"][n] for n in ("poor", "work", "income")}
    whole = {n: wide["numerator"][n].sum() / wide["denominator"][n].sum() for n in share}
    relative = [
        share["poor"] / whole["poor"],
        (1 - share["work"]) / (1 - whole["work"]),
        whole["income"] / share["income"],
    ]
    one, two = (domain.weight for domain in chosen.domains)
    expected = 100 * (one * (relative[0] + relative[1]) / 2 + two * relative[2]) / (one + two)
    nearly(risk_index(town, chosen, period="2012").score, expected)


# ---------------------------------------------------------------- merged areas
#
# Two districts of two blocks. North: N1 has 10 of 100, N2 is hidden. South: S1 has 30 of 100, S2 60 of 300.
# With a coverage of 0.8, north (half its base hidden) has no figure of its own, and N1 must still count in the town:
#   the town  (10 + 30 + 60) / (100 + 100 + 300) = 100/500 = 20 %
#   south     90/400 = 22.5 %, relative 112.5; against the rest (10/100 = 10 %) 225


def test_what_is_known_inside_a_hidden_district_counts_in_the_town():
    rows = [("N1", "poor", 10, 100), ("N2", "poor", 1, 100), ("S1", "poor", 30, 100), ("S2", "poor", 60, 300)]
    rows += [(name, "population", 500, np.nan) for name in ("N1", "N2", "S1", "S2")]
    blocks = table(
        rows, [definition("population", kind="count", unit="persons", direction="neutral"), definition("poor")]
    )
    hidden = (blocks.data["area_id"] == "N2") & (blocks.data["indicator"] == "poor")
    blocks.data.loc[hidden, ["numerator", "value"]] = np.nan
    blocks.data.loc[hidden, "status"] = "suppressed"
    parents = pd.Series({"N1": "north", "N2": "north", "S1": "south", "S2": "south"})
    districts = gp.roll_up(blocks, parents, minimum_coverage=0.8)
    result = risk_index(districts, spec(("livelihood", 1, ["poor"])), period="2012")
    assert result.reference.loc["poor", "value"] == pytest.approx(20)
    assert result.relative["poor"].to_dict() == pytest.approx({"north": np.nan, "south": 112.5}, nan_ok=True)
    assert result.ranking.loc["south", "score_rest"] == pytest.approx(225)
    assert result.ranking.loc["north", "status"] == "suppressed"
    assert result.certificate.reference_gaps == {"poor": 1}
    assert result.certificate.reference_coverage == {"poor": 0.8333}  # 500 of 600


def test_merging_twice_keeps_the_smallest_parts():
    rows = [("a", "poor", 1, 10), ("b", "poor", 2, 10), ("c", "poor", 3, 10)]
    blocks = table(rows, [definition("poor")])
    once = gp.roll_up(blocks, pd.Series({"a": "x", "b": "x", "c": "y"}))
    twice = gp.roll_up(once, pd.Series({"x": "town", "y": "town"}))
    assert sorted(twice.finest["area_id"]) == ["a", "b", "c"]
    assert set(twice.finest["parent"]) == {"town"}


def test_no_score_against_a_rest_that_has_nothing_to_compare_with(town):
    data = town.data.copy()
    crimes = (data["indicator"] == "crimes") & (data["area_id"] != "A")
    data.loc[crimes, ["numerator", "value"]] = 0.0  # all crimes of the town are in A
    ranking = risk_index(dataclasses.replace(town, data=data), TOWN_SPEC, period="2012").ranking
    assert np.isnan(ranking.loc["A", "score_rest"])
    assert ranking.loc["B", "score_rest"] > 0


def test_a_count_is_no_indicator_of_an_index(town):
    counted = dict(town.definitions) | {"crimes": definition("crimes", kind="count", unit="persons")}
    with pytest.raises(SpecError, match="'crimes' is a count: it grows with the area"):
        risk_index(IndicatorTable(town.data, counted), TOWN_SPEC, period="2012")


def test_an_estimate_that_is_not_used_does_not_mark_the_rank(town):
    careful = dict(town.definitions) | {"work": definition("work", direction="higher_is_better", minimum_base=150)}
    data = town.data.copy()
    data.loc[(data["area_id"] == "A") & (data["indicator"] == "work"), "status"] = "estimated"
    ranking = risk_index(IndicatorTable(data, careful), TOWN_SPEC, period="2012").ranking
    assert ranking.loc["A", ["status", "indicators_estimated"]].tolist() == ["observed", 0]
