"""Shrinkage against esda, against a hand calculation, and the laws it obeys."""

import warnings

import numpy as np
import pandas as pd
import pytest
from esda.smoothing import Empirical_Bayes, Spatial_Empirical_Bayes
from hypothesis import given, settings, strategies as st
from libpysal.graph import Graph
from libpysal.weights import lat2W
from scipy.integrate import quad
from scipy.special import betaln

from geoplan.errors import IdError, SpecError, TableError
from geoplan.places import IndicatorTable, roll_up, totals
from geoplan.risk import Neighbours, shrink
from geoplan.risk.shrinkage import believed_strength
from geoplan.specs import IndicatorSpec

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]


def counts(cases, base, *, kind="share", scale=100.0, unit="pct", **more):
    ids = [f"A{number:04}" for number in range(len(cases))]
    frame = pd.DataFrame({"area_id": ids, "indicator": "poor", "period": "2012"})
    frame["numerator"], frame["denominator"] = np.asarray(cases, dtype=float), np.asarray(base, dtype=float)
    frame["value"] = frame["numerator"] / frame["denominator"] * scale
    frame["status"] = "observed"
    item = IndicatorSpec(id="poor", label="Poor", kind=kind, unit=unit, direction="higher_is_worse")
    return IndicatorTable(frame.assign(**more), {"poor": item})


def rates(cases, base):
    return counts(cases, base, kind="rate", unit="per_1000", scale=1000.0)


def values(table, **options):
    return shrink(table, **options).data["value"].to_numpy()


RNG = np.random.default_rng(7)
BASE = RNG.integers(50, 3000, 36).astype(float)
CASES = RNG.poisson(BASE * RNG.gamma(4, 0.02 / 4, 36)).astype(float)


# ---------------------------------------------------------------- what others wrote


def test_moments_are_marshalls_as_esda_has_them():
    expected = 1000 * Empirical_Bayes(CASES, BASE).r.ravel()
    assert values(rates(CASES, BASE), strength="moments") == pytest.approx(expected, rel=1e-12)


def test_local_moments_are_marshalls_as_esda_has_them():
    weights = lat2W(6, 6, rook=False)
    if not weights.id_order_set:
        weights.id_order = list(range(36))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # esda divides 0 by 0 in a neighbourhood without scatter
        expected = 1000 * Spatial_Empirical_Bayes(CASES, BASE, weights).r.ravel()
    pairs = [(f"A{one:04}", f"A{other:04}") for one in range(36) for other in weights[one]]
    frame = pd.DataFrame(pairs, columns=["area_id", "neighbour_id"])
    found = values(rates(CASES, BASE), towards="neighbours", neighbours=frame, strength="moments")
    assert found == pytest.approx(expected, rel=1e-12)
    graph = Graph.from_adjacency(
        frame.set_axis(["focal", "neighbor"], axis=1).assign(weight=1.0), focal_col="focal", neighbor_col="neighbor"
    )
    again = values(rates(CASES, BASE), towards="neighbours", neighbours=graph, strength="moments")
    assert again == pytest.approx(found, rel=1e-15)
    known = Neighbours(graph.unique_ids, frame.assign(how="contiguity"), (), "contiguity", "keep")
    once_more = values(rates(CASES, BASE), towards="neighbours", neighbours=known, strength="moments")
    assert once_more == pytest.approx(found, rel=1e-15)


def test_the_weight_is_the_mean_over_the_strength_by_quadrature():
    """The grid's mean weight of the centre against scipy's quadrature over w = M/(M + n0), which is uniform."""
    cases, base = np.array([0.0, 12, 40, 7, 90]), np.array([20.0, 60, 100, 70, 300])
    centre = cases.sum() / base.sum()
    middle = np.median(base)

    def density(weight):
        strength = middle * weight / (1 - weight)
        one, other = strength * centre, strength * (1 - centre)
        return np.exp((betaln(one + cases, other + base - cases) - betaln(one, other)).sum() + 280)

    def of_first(weight):
        strength = middle * weight / (1 - weight)
        return density(weight) * base[0] / (base[0] + strength)

    expected = quad(of_first, 0, 1, epsabs=0, epsrel=1e-8)[0] / quad(density, 0, 1, epsabs=0, epsrel=1e-8)[0]
    strength, chance = believed_strength(cases, base, np.full(5, centre), is_share=True)
    assert (base[0] / (base[0] + strength)) @ chance == pytest.approx(expected, rel=1e-4)
    assert chance.sum() == pytest.approx(1)


# ---------------------------------------------------------------- worked by hand
#
# Two parents, Marshall's moments, rates per 1,000. North: A0000 2 of 100, A0001 18 of 300; together 20/400 = 0.05.
#   scatter  s² = (2²/100 + 18²/300)/400 - 0.05² = (0.04 + 1.08)/400 - 0.0025 = 0.0003
#   chance   m/n̄ = 0.05/200 = 0.00025, so the scatter between them is 0.0003 - 0.00025 = 0.00005
#   weights  0.00005/(0.00005 + 0.05/100) = 1/11 and 0.00005/(0.00005 + 0.05/300) = 3/13
#   A0000    50 + 1/11 × (20 - 50) = 47.2727   A0001  50 + 3/13 × (60 - 50) = 52.3077
# South: one area alone stays at its own rate, 10/100. The one without parent is drawn towards the city, as all are in
# a run without parents.


def test_parents_by_hand():
    table = rates([2, 18, 10, 11], [100, 300, 100, 200])
    parents = pd.Series({"A0000": "north", "A0001": "north", "A0002": "south", "A0003": None})
    found = values(table, towards="parent", parents=parents, strength="moments")
    assert found[:3] == pytest.approx([50 - 30 / 11, 50 + 30 / 13, 100])
    assert found[3] == pytest.approx(values(table, strength="moments")[3])


def test_no_scatter_beyond_chance_draws_everything_to_the_centre_by_moments():
    # 10, 11 and 9 of 100 scatter less than chance makes them: all become 30/300.
    assert values(rates([10, 11, 9], [100, 100, 100]), strength="moments") == pytest.approx([100, 100, 100])


def test_a_small_area_moves_more_than_a_large_one_with_the_same_rate():
    found = values(counts([10, 1000, 20, 2000, 100], [20, 2000, 100, 10_000, 1000]))
    centre = 100 * 3130 / 13_120
    assert found[0] < found[1] <= 50
    assert centre < found[0] < 48
    assert found[1] > 49.5


# ---------------------------------------------------------------- the table


def test_a_shrunk_table_says_so_and_keeps_its_counts_for_merging():
    table = counts([0, 20, 30], [20, 100, 300], method="from_counts")
    shrunk = shrink(table)
    assert shrunk.data["status"].tolist() == ["estimated"] * 3
    assert shrunk.data["method"].tolist() == ["from_counts; shrunk"] * 3
    assert shrunk.data["numerator"].isna().all()
    assert shrunk.data["denominator"].tolist() == [20, 100, 300]
    assert totals(shrunk).loc[("poor", "2012"), "value"] == pytest.approx(100 * 50 / 420)
    town = roll_up(shrunk, pd.Series("town", index=["A0000", "A0001", "A0002"]))
    assert town.data["value"].tolist() == pytest.approx([100 * 50 / 420])


def test_missing_figures_means_and_bare_rates_stay_as_they_are():
    table = counts([0, 20, 30, 5], [20, 100, 300, 50])
    data = table.data
    data.loc[0, ["numerator", "value", "status"]] = [np.nan, np.nan, "suppressed"]
    data.loc[1, "numerator"] = np.nan
    income = data.assign(indicator="income", value=[1.0, 2, 3, 4], numerator=[20.0, 200, 900, 200], status="observed")
    item = IndicatorSpec(id="income", label="Income", kind="mean", unit="tkr", direction="higher_is_better")
    both = IndicatorTable(pd.concat([data, income], ignore_index=True), {**table.definitions, "income": item})
    found = shrink(both).data
    kept = [0, 1, 4, 5, 6, 7]
    pd.testing.assert_frame_equal(found.loc[kept, COLUMNS], both.data.loc[kept, COLUMNS])
    assert found["method"].tolist() == ["", "", "shrunk", "shrunk", "", "", "", ""]


def test_each_period_by_itself_and_only_those_named():
    table = counts([0, 20, 30], [20, 100, 300])
    later = table.data.assign(period="2013", numerator=table.data["numerator"] * 2, value=table.data["value"] * 2)
    both = IndicatorTable(pd.concat([table.data, later], ignore_index=True), table.definitions)
    found = shrink(both, periods=["2012"]).data
    assert found["value"][:3].tolist() == pytest.approx(values(table).tolist())
    assert found["value"][3:].tolist() == later["value"].tolist()


# ---------------------------------------------------------------- the ends


@pytest.mark.parametrize("options", [{}, {"strength": "moments"}])
@pytest.mark.parametrize("make", [counts, rates])
@pytest.mark.parametrize(
    ("cases", "base"),
    [([3], [40]), ([0], [40]), ([40], [40]), ([0, 0, 0], [5, 50, 500]), ([5, 50], [5, 50]), ([1, 1], [10, 10])],
)
def test_one_area_no_cases_and_full_counts_have_an_answer(make, cases, base, options):
    table = make(cases, base)
    found = values(table, **options)
    scale = table.data["value"].to_numpy() / np.maximum(np.array(cases) / np.array(base), 1e-300)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (make is rates) or (found <= 100).all()
    if 0 < sum(cases) < sum(base) and len(cases) == 1:
        assert found == pytest.approx(scale * cases[0] / base[0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 400)), min_size=1, max_size=12),
    st.sampled_from(["likelihood", "moments"]),
    st.booleans(),
)
def test_between_the_raw_rate_and_the_centre(pairs, strength, is_share):
    base = np.array([n for _, n in pairs], dtype=float)
    cases = np.array([min(y, n) if is_share else y for y, n in pairs], dtype=float)
    found = values((counts if is_share else rates)(cases, base), strength=strength) / (100 if is_share else 1000)
    raw, centre = cases / base, cases.sum() / base.sum()
    if cases.sum() == 0 or (is_share and cases.sum() == base.sum()):
        centre = (cases.sum() + 0.5) / (base.sum() + 1)
    low, high = np.minimum(raw, centre), np.maximum(raw, centre)
    assert (found >= low - 1e-12).all()
    assert (found <= high + 1e-12).all()


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_areas_does_not_matter(order):
    table = counts([0, 5, 9, 30, 2, 60], [10, 50, 40, 200, 90, 300])
    moved = IndicatorTable(table.data.iloc[list(order)], table.definitions)
    found = shrink(moved).data["value"].sort_index().to_numpy()
    assert found == pytest.approx(values(table), rel=1e-9)


# ---------------------------------------------------------------- is it better?


def test_shrinkage_beats_raw_rates_in_small_areas():
    """Thirty towns of 60 areas: mean squared error of the areas under 300 people, and of all."""
    rng = np.random.default_rng(20)
    errors = []
    for _ in range(30):
        base = np.exp(rng.uniform(np.log(30), np.log(5000), 60)).round()
        # Half of the towns are not what the prior says: the logit of the rate is normal and skewed by a few high areas.
        beta = rng.beta(6, 54, 60)
        other = 1 / (1 + np.exp(2.4 - 0.6 * rng.standard_normal(60) - 0.8 * (rng.random(60) < 0.1)))
        true = beta if rng.random() < 0.5 else other
        cases = rng.binomial(base.astype(int), true)
        raw = cases / base
        for weight, kept in (("small", base < 300), ("all", base > 0)):
            for strength in ("likelihood", "moments"):
                found = values(counts(cases, base), strength=strength) / 100
                gain = ((found - true)[kept] ** 2).mean() / ((raw - true)[kept] ** 2).mean()
                errors.append((weight, strength, gain))
    mean = pd.DataFrame(errors, columns=["areas", "strength", "gain"]).groupby(["areas", "strength"])["gain"].mean()
    assert mean["small", "likelihood"] < 0.75
    assert mean["all", "likelihood"] < 0.75
    assert mean["small", "likelihood"] <= mean["small", "moments"] + 0.01


# ---------------------------------------------------------------- faults


def test_what_cannot_be_shrunk_is_said():
    table = counts([0, 20], [20, 100])
    with pytest.raises(
        SpecError, match=r"^key 'indicators': no indicator is called 'por'\. Hint: did you mean 'poor'\?$"
    ):
        shrink(table, "por")
    with pytest.raises(SpecError, match="areas are to be drawn towards their parents, which are not given"):
        shrink(table, towards="parent")
    with pytest.raises(SpecError, match=r"no whole to draw towards is called 'cit'\. Hint: did you mean 'city'"):
        shrink(table, towards="cit")
    with pytest.raises(SpecError, match="no period of the table is called '2013'"):
        shrink(table, periods=["2013"])
    with pytest.raises(
        SpecError, match=r"no way to find the strength is called 'moment'\. Hint: did you mean 'moments'"
    ):
        shrink(table, strength="moment")
    with pytest.raises(IdError, match="none of the 1 area codes of the table"):
        shrink(table, towards="parent", parents=pd.Series({"x": "north"}))
    bare = counts([np.nan, np.nan], [20, 100])
    with pytest.raises(SpecError, match="no share or rate of the table has counts"):
        shrink(bare)
    with pytest.raises(SpecError, match="'poor' has no counts, so nothing says how far chance can move it"):
        shrink(bare, "poor")
    with pytest.raises(TableError, match=r"^area 'A0000': 'poor' has 30 cases of 20\. Expected: a part of the base\.$"):
        shrink(counts([30, 20], [20, 100]))
