"""Every method of the index against a calculation written in another way, and small tables worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from indexing import WITHOUT_CITY, counted, domain, index_spec, part, plain, several_years, towns_spec
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.preprocessing import minmax_scale

from geoplan.risk import risk_index
from geoplan.risk.classes import class_of
from geoplan.specs import ClassesSpec

DOMAINS = domain("one", {"a": 2.0, "b": 1.0}, 3.0), domain("two", {"c": 1.0, "d": 1.0}, 1.0)


@st.composite
def frames(draw, least=1):
    """Draw 2 to 10 areas × 4 indicators of whole numbers, ties among them."""
    size = draw(st.integers(2, 10))
    values = draw(arrays(float, (size, 4), elements=st.integers(least, 15).map(float)))
    return pd.DataFrame(values, columns=list("abcd"), index=[f"{n:02}" for n in range(size)])


def score(frame, method, **more):
    return risk_index(frame, towns_spec(method, *DOMAINS, **more)).score


def nearly(found, expected):
    assert_allclose(found.to_numpy(dtype=float), np.asarray(expected, dtype=float), rtol=1e-9, atol=1e-9)


def by_domain(x):
    """Weigh columns as DOMAINS does: pairs of figures and weights, by domain."""
    return (x[["a", "b"]], [2, 1]), (x[["c", "d"]], [1, 1])


# ---------------------------------------------------------------- each method, written differently


@given(frames())
@settings(max_examples=12)
def test_z_scores_against_scipy(frame):
    z = frame.apply(lambda x: 0 * x if x.max() == x.min() else stats.zscore(x))
    nearly(score(frame, "z_score"), 3 * (2 * z["a"] + z["b"]) + z["c"] + z["d"])
    z = frame.apply(lambda x: 0 * x if x.max() == x.min() else stats.zscore(x, ddof=1))
    nearly(score(frame, "z_score", inside={"deviation": "sample"}), 3 * (2 * z["a"] + z["b"]) + z["c"] + z["d"])


@given(frames())
@settings(max_examples=12)
def test_min_max_against_scikit_learn(frame):
    x = frame.apply(lambda x: 0 * x + 50 if x.max() == x.min() else minmax_scale(x, (0, 100)))
    nearly(score(frame, "min_max"), (3 * (2 * x["a"] + x["b"]) / 3 + (x["c"] + x["d"]) / 2) / 4)


@given(frames())
@settings(max_examples=12)
def test_percentile_ranks_against_pandas(frame):
    many = max(len(frame) - 1, 1)
    p = (frame.rank(method="min") - 1) / many
    themes = pd.DataFrame({"one": 2 * p["a"] + p["b"], "two": p["c"] + p["d"]})
    whole = (3 * themes["one"] + themes["two"]).round(9)
    result = risk_index(frame, towns_spec("percentile", *DOMAINS))
    nearly(result.score, (whole.rank(method="min") - 1) / many)
    nearly(result.domains["one"], (themes["one"].round(9).rank(method="min") - 1) / many)
    nearly(result.ranking["composite"].sort_index(), whole)


@given(frames())
@settings(max_examples=12)
def test_borda_against_pairs(frame):
    # A point for each area that is less at risk, half a point for each other that is as much.
    points = frame.apply(lambda x: [(x < own).sum() + ((x == own).sum() - 1) / 2 for own in x])
    nearly(score(frame, "borda"), 3 * (2 * points["a"] + points["b"]) + points["c"] + points["d"])


@given(frames(), st.sampled_from(["average", "lowest", "highest"]), st.sampled_from(["at_or_below", "below"]))
@settings(max_examples=15)
def test_rank_exponential_against_its_formula(frame, ties, share):
    one, two = (2 * frame["a"] + frame["b"]) / 3, (frame["c"] + frame["d"]) / 2
    number = {"average": "average", "lowest": "min", "highest": "max"}[ties]
    expected = 0
    for weight, x in ((3, one), (1, two)):
        r = stats.rankdata(-x.round(9), method=number)  # 1 the highest risk
        big = (len(x) + 1 - r if share == "at_or_below" else len(x) - r) / len(x)
        expected += weight * -23 * np.log(1 - big * (1 - np.exp(-100 / 23)))
    nearly(score(frame, "rank_exponential", ranks={"ties": ties, "share": share}), expected)


@given(frames())
@settings(max_examples=12)
def test_means_of_shares_with_classes_against_pandas(frame):
    spec = towns_spec("sd_classes", *DOMAINS, classes={})
    result = risk_index(frame, spec)
    whole = (3 * (2 * frame["a"] + frame["b"]) / 3 + (frame["c"] + frame["d"]) / 2) / 4
    nearly(result.score, whole)
    spread = whole.std(ddof=0)
    z = ((whole - whole.mean()) / spread if spread > 1e-9 else whole * 0).round(9)
    cut = pd.cut(z, [-np.inf, -1, 0, 1, 2, np.inf], right=False, labels=["5", "4", "3", "2", "1"])
    assert result.ranking["class"].sort_index().tolist() == cut.tolist()


@given(frames(), st.tuples(*[st.integers(0, 12).map(float)] * 4))
@settings(max_examples=12)
def test_distance_to_target_against_pandas(frame, targets):
    aims = pd.Series(targets, index=list("abcd"))
    worst = (frame.max() - aims).clip(lower=0)
    x = 100 * (frame - aims).clip(lower=0) / worst.where(worst > 0, np.inf)  # 0 where all have reached it
    found = score(frame, "distance_to_target", targets=aims.to_dict())
    nearly(found, (3 * (2 * x["a"] + x["b"]) / 3 + (x["c"] + x["d"]) / 2) / 4)


@given(frames(), st.sampled_from(["geometric", "harmonic"]), st.sampled_from(["geometric", "harmonic", "arithmetic"]))
@settings(max_examples=12)
def test_other_means_against_scipy(frame, inside, between):
    means = {"geometric": stats.gmean, "harmonic": stats.hmean, "arithmetic": np.average}
    parts = [means[inside](x, axis=1, weights=w) for x, w in by_domain(frame)]
    expected = means[between](np.column_stack(parts), axis=1, weights=[3, 1])
    steps = {"inside": {"aggregation": inside}, "between": {"aggregation": between}}
    nearly(score(frame, "sd_classes", **steps), expected)


@given(frames())
@settings(max_examples=12)
def test_normal_scores_against_scipy(frame):
    x = frame.apply(lambda column: stats.norm.ppf(stats.rankdata(column) / (len(column) + 1)))
    found = score(frame, "z_score", inside={"normalisation": "normal_scores"})
    nearly(found, 3 * (2 * x["a"] + x["b"]) + x["c"] + x["d"])


@given(frames())
@settings(max_examples=12)
def test_relative_to_the_city_against_pandas(frame):
    # Shares of 100 people in each area: the city's share is the mean.
    x = 100 * frame / frame.mean()
    nearly(risk_index(counted(frame), towns_spec("relative", *DOMAINS)).score,
           (3 * (2 * x["a"] + x["b"]) / 3 + (x["c"] + x["d"]) / 2) / 4)  # fmt: skip


@given(frames(), st.sampled_from(WITHOUT_CITY))
@settings(max_examples=15)
def test_equal_weights_are_given_weights_of_one(frame, method):
    same = domain("one", ["a", "b"]), domain("two", ["c", "d"])
    uneven = domain("one", {"a": 7.0, "b": 1.0}, 5.0), domain("two", ["c", "d"])
    steps = {"inside": {"weighting": "equal"}, "between": {"weighting": "equal"}}
    first, second = (risk_index(frame, towns_spec(method, *d, **m)) for d, m in ((same, {}), (uneven, steps)))
    pd.testing.assert_series_equal(first.score, second.score)


# ---------------------------------------------------------------- by hand


def test_rank_exponential_with_ties_by_hand():
    # Four areas, domain values 40, 30, 30, 10. Places of the tied from the highest: average 2.5, lowest 2, highest 3.
    # R = (N + 1 - r) / N: 1, (5 - 2.5)/4 = 0.625, 0.25; below: (4 - 2.5)/4 = 0.375.
    # E(1) = 100, E(0.625) = -23 ln(1 - 0.625 · 0.987069) = 22.0685, E(0.25) = 6.5177, E(0.375) = 10.6323.
    frame = plain(income=[40, 30, 30, 10])
    found = {
        (ties, share): risk_index(
            frame,
            index_spec(domain("income", ["income"]), method="rank_exponential", ranks={"ties": ties, "share": share}),
        ).score.tolist()
        for ties, share in [("average", "at_or_below"), ("average", "below"), ("lowest", "below"), ("highest", "below")]
    }

    def e(r):
        return -23 * np.log(1 - r * (1 - np.exp(-100 / 23)))

    assert [round(e(r), 4) for r in (0.25, 0.375, 0.625)] == [6.5177, 10.6323, 22.0685]
    assert found["average", "at_or_below"] == pytest.approx([100, e(0.625), e(0.625), e(0.25)])
    assert found["average", "below"] == pytest.approx([e(0.75), e(0.375), e(0.375), 0])
    assert found["lowest", "below"] == pytest.approx([e(0.75), e(0.5), e(0.5), 0])
    assert found["highest", "below"] == pytest.approx([e(0.75), e(0.25), e(0.25), 0])


def test_sub_domains_by_hand():
    # England 2025's living environment: 70 % indoors, 30 % outdoors, each by E of its rank, and both ranked again.
    frame = plain(homes=[3, 2, 1, 0], air=[1, 4, 2, 3], income=[9, 7, 8, 6])
    living = domain("living", [part("indoors", ["homes"], 70.0), part("outdoors", ["air"], 30.0)])
    spec = index_spec(domain("income", ["income"]), living, method="rank_exponential")

    def e(r):
        return -23 * np.log(1 - r * (1 - np.exp(-100 / 23)))

    homes, air = e(np.array([1, 0.75, 0.5, 0.25])), e(np.array([0.25, 1, 0.5, 0.75]))
    inner = 0.7 * homes + 0.3 * air
    # 71.96, 53.23, 15.65, 14.68: in the order of the areas, so that the domain's E is that of its homes.
    assert (np.diff(inner) < 0).all()
    result = risk_index(frame, spec)
    nearly(result.parts["indoors"], frame["homes"])  # as they come, before they are ranked
    nearly(result.domains["living"], homes)
    nearly(result.score, homes + e(np.array([1, 0.5, 0.75, 0.25])))
    # A domain's points are divided among its indicators by weight.
    assert result.contributions.loc["A", ["homes", "air"]].tolist() == pytest.approx([70, 30])


def test_sub_domains_without_ranks_by_hand():
    # Means of means: ((2 · 10 + 1 · 40) / 3 · 1 + 30 · 3) / 4 = 27.5 beside a domain of 50: (27.5 + 50) / 2.
    frame = plain(a=[10, 0], b=[40, 0], c=[30, 0], d=[50, 0])
    parts = [part("x", {"a": 2.0, "b": 1.0}), part("y", ["c"], 3.0)]
    spec = index_spec(domain("one", parts), domain("two", ["d"]), method="sd_classes")
    result = risk_index(frame, spec)
    assert result.score.tolist() == [38.75, 0]
    assert result.parts.loc["A"].to_dict() == {"x": 20, "y": 30}
    assert result.weights.loc["A"].to_dict() == pytest.approx({"a": 1 / 12, "b": 1 / 24, "c": 3 / 8, "d": 1 / 2})


def test_each_level_and_domain_has_its_own_way_by_hand():
    # One: geometric mean of 2 and 8 = 4; two: harmonic mean of 3 and 6 = 4; three: 10. Sum with weights 1, 2, 0.5 = 17.
    frame = plain(a=[2, 1], b=[8, 1], c=[3, 1], d=[6, 1], e=[10, 1])
    spec = index_spec(
        domain("one", ["a", "b"], combine={"aggregation": "geometric"}),
        domain("two", ["c", "d"], 2.0, combine={"aggregation": "harmonic"}),
        domain("three", ["e"], 0.5),
        method="sd_classes", between={"aggregation": "sum"},
    )  # fmt: skip
    result = risk_index(frame, spec)
    assert result.score.tolist() == pytest.approx([17, 3.5])
    assert result.domains.loc["A"].to_dict() == pytest.approx({"one": 4, "two": 4, "three": 10})
    # Euler: of a geometric mean each brings mean × weight, of a harmonic one mean² × weight / value.
    assert result.contributions.loc["A"].to_dict() == pytest.approx(
        {"a": 2, "b": 2, "c": 2 * 16 / 2 / 3, "d": 2 * 16 / 2 / 6, "e": 5}
    )


def test_classes_lie_at_their_limits_by_hand():
    # 2 lies on m - s and 6 on m + s: each counts as above the limit.
    even = pd.Series([2.0, 2, 2, 2, 6, 6, 6, 6], index=list("ABCDEFGH"))  # m = 4, s = 2
    assert class_of(even, ClassesSpec()).tolist() == [4] * 4 + [2] * 4
    assert class_of(even, ClassesSpec(first="lowest")).tolist() == [2] * 4 + [4] * 4
    # By N - 1 the standard deviation is 2.14, and nobody reaches ± 1.
    assert class_of(even, ClassesSpec(deviation="sample")).tolist() == [4] * 4 + [3] * 4


def test_flags_by_hand():
    # Eleven areas: percentile ranks 0, 0.1 … 1; at 0.9 the two highest are flagged, the lowest ones where turned.
    frame = plain(a=range(11), b=range(11), c=[5] * 11)
    spec = index_spec(
        domain("one", ["a", "b"]), domain("two", ["c"]),
        method="percentile", flags=0.9, favourable="after", directions={"b": "higher_is_better"},
    )  # fmt: skip
    result = risk_index(frame, spec)
    flags = result.flags.sort_index()
    assert flags["one"].tolist() == [1, 1, *[0] * 7, 1, 1]
    assert flags["two"].tolist() == [0] * 11  # the same everywhere: percentile rank 0
    assert flags["total"].tolist() == flags["one"].tolist()
    assert result.ranking["flags"].sort_index().tolist() == flags["total"].tolist()


def test_turning_after_and_before_differ_at_ties_by_hand():
    # 10, 20, 20: turned after: 1 - (0, 0.5, 0.5) = 1, 0.5, 0.5; before: ranks of -10, -20, -20: 1, 0, 0.
    frame = plain(a=[10, 20, 20])
    more = {"method": "percentile", "directions": {"a": "higher_is_better"}}
    after = risk_index(frame, index_spec(domain("one", ["a"]), favourable="after", **more))
    before = risk_index(frame, index_spec(domain("one", ["a"]), **more))
    assert after.relative["a"].tolist() == [1, 0.5, 0.5]
    assert before.relative["a"].tolist() == [1, 0, 0]


def test_status_and_dynamics_by_hand():
    # Level now: 10, 20, 30, 40, 50; mean 30, s = √200 = 14.1421. Change since 2010: 0, 0, 0, 0, +10: mean 2, s 4,
    # z = -0.5 for four and 2 for E. Status by limits -1, 1: A is class 1 (lowest first), E class 3.
    now, then = plain(a=[10, 20, 30, 40, 50]), plain(a=[10, 20, 30, 40, 40])
    table = several_years(y2010=counted(then, period="2010"), y2012=counted(now, period="2012"))
    more = {"classes": {"limits": [-1.0, 1.0], "first": "lowest"}, "dynamics": {"years": 2, "limits": [-0.5, 0.5]}}
    result = risk_index(table, index_spec(domain("one", ["a"]), method="z_score", **more), period="2012")
    ranking = result.ranking.sort_index()
    assert ranking["dynamics"].tolist() == [-0.5, -0.5, -0.5, -0.5, 2.0]
    # On a limit there is no change worth a sign: the limits are the same to both sides.
    assert ranking["dynamics_class"].tolist() == ["±", "±", "±", "±", "−"]
    assert ranking["class"].tolist() == ["1±", "2±", "2±", "2±", "3−"]


def test_dynamics_on_either_limit_is_no_change():
    # Changes -1, 1 (× 2): z is exactly ∓1.
    now, then = plain(a=[9, 11, 9, 11]), plain(a=[10, 10, 10, 10])
    table = several_years(y2010=counted(then, period="2010"), y2012=counted(now, period="2012"))
    result = risk_index(table, index_spec(domain("one", ["a"]), method="z_score", dynamics={}), period="2012")
    assert result.ranking["dynamics"].sort_index().tolist() == [-1, 1, -1, 1]
    assert set(result.ranking["dynamics_class"]) == {"±"}


def test_dynamics_are_those_of_figures_that_were_not_treated():
    # One area changes by 100, all others by less than a tenth of it; the treatment of levels does not reach it.
    change = [*range(1, 11), 100]
    now, then = plain(a=[300.0 + x for x in change]), plain(a=[300.0] * 11)
    table = several_years(y2010=counted(then, period="2010"), y2012=counted(now, period="2012"))
    more = {"treatment": {"outliers": "winsorise"}, "dynamics": {"years": 2}}
    result = risk_index(table, index_spec(domain("one", ["a"]), method="z_score", **more), period="2012")
    nearly(result.ranking["dynamics"].sort_index(), stats.zscore(change))


def test_a_base_year_keeps_its_measure_by_hand():
    # 2010: 10, 20, 30 (mean 20, s 8.1650, lowest 10, highest 30). 2012: 20, 30, 50.
    now, then = plain(a=[20, 30, 50]), plain(a=[10, 20, 30])
    table = several_years(y2010=counted(then, period="2010"), y2012=counted(now, period="2012"))

    def scores(method, **more):
        spec = towns_spec(method, domain("one", ["a"]), base=2010, **more)
        return risk_index(table, spec, period="2012").score.tolist()

    assert scores("z_score") == pytest.approx([0, 10 / np.sqrt(200 / 3), 30 / np.sqrt(200 / 3)])
    assert scores("min_max") == pytest.approx([50, 100, 200])
    assert scores("relative") == pytest.approx([100, 150, 250])  # the city of 2010 had 20 %
    assert scores("distance_to_target", targets={"a": 10.0}) == pytest.approx([50, 100, 200])


def test_a_small_area_counts_in_the_city_and_not_among_the_areas():
    # C has 5 residents and 90 %. The city: (10 + 20 + 90) / 300 = 40 %; mean and spread of A and B alone: 15 and 5.
    table = counted(plain(a=[10, 20, 90]), people={"A": 500, "B": 500, "C": 5})
    spec = {
        name: towns_spec(name, domain("one", ["a"]), minimum_population=100)
        for name in ("relative", "z_score", "borda")
    }
    assert risk_index(table, spec["relative"]).score.tolist() == pytest.approx([25, 50, np.nan], nan_ok=True)
    assert risk_index(table, spec["z_score"]).score.tolist() == pytest.approx([-1, 1, np.nan], nan_ok=True)
    assert risk_index(table, spec["borda"]).score.tolist() == pytest.approx([0, 1, np.nan], nan_ok=True)
    ranking = risk_index(table, spec["borda"]).ranking
    assert ranking["rank"].astype(object).where(ranking["rank"].notna(), None).tolist() == [1, 2, None]


def test_the_certificate_names_denominators_and_who_is_too_small(sample_run):
    found = sample_run.index().certificate
    assert found.denominators["overcrowded_households"] == "All households (at least 50)"
    assert found.denominators["youth_neet_20_24"] == "Residents aged 20–24 (at least 30)"
    assert found.exclusion == "under 200 residents: listed, not ranked, counted in the city's value"
    bare = risk_index(plain(x=[1, 2, 3]), index_spec(domain("one", ["x"]), method="z_score")).certificate
    assert bare.denominators == {"x": "not known: figures without counts"}
    # An area in which nobody lives is never ranked.
    assert bare.exclusion == "without residents: listed, not ranked, counted in the city's value"


def test_the_city_is_that_of_all_areas_of_the_table_whichever_are_ranked():
    table = counted(plain(a=[10, 20, 60]))
    result = risk_index(table, index_spec(domain("one", ["a"])), area_ids=["A", "B"])
    assert result.reference.loc["a", "value"] == 30
    assert result.score.to_dict() == pytest.approx({"A": 100 / 3, "B": 200 / 3})
    # A reference outside the ranked areas is a reference still.
    other = risk_index(table, index_spec(domain("one", ["a"])), area_ids=["A", "B"], reference_ids=["C"])
    assert other.score.to_dict() == pytest.approx({"A": 100 / 6, "B": 100 / 3})
    assert other.certificate.reference_areas == 1


def test_ties_are_not_broken_by_arithmetic_nor_made_of_small_numbers():
    # 0.1 + 0.2 + 0.3 in three orders differs in the sixteenth digit; incomes by their reciprocals in the fourth.
    mixed = plain(a=[0.1, 0.3, 0.2], b=[0.2, 0.2, 0.3], c=[0.3, 0.1, 0.1])
    spec = index_spec(
        domain("one", ["a", "b", "c"]), method="sd_classes", between={"normalisation": "z_score"}, classes={}
    )
    result = risk_index(mixed, spec)
    assert (set(result.score), set(result.ranking["class"])) == ({0.0}, {"3"})
    income = plain(a=[300_000, 300_050, 300_100], b=[300_000, 300_050, 300_100])
    turned = dict.fromkeys("ab", "higher_is_better")
    spec = index_spec(domain("one", ["a", "b"]), method="rank_exponential", favourable="reciprocal", directions=turned)
    assert risk_index(income, spec).ranking["rank"].sort_index().tolist() == [1, 2, 3]
    spec = index_spec(domain("one", ["a", "b"]), method="sd_classes", favourable="reciprocal", directions=turned)
    assert risk_index(income, spec).ranking["rank"].sort_index().tolist() == [1, 2, 3]
