"""Outliers and gaps: against scipy, by hand, and what a treatment must not do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from indexing import codes, counted, domain, index_spec, plain, several_years
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from geoplan.errors import SpecError
from geoplan.risk import risk_index
from geoplan.risk.treatment import Treatment, group_means, moments
from geoplan.specs import TreatmentSpec

WINSORISE, LOG, BOTH = (TreatmentSpec(outliers=name) for name in ("winsorise", "log", "winsorise_or_log"))
# Ten areas in a row and one far out; COINr's own test: 100 becomes 10, and then nothing is skewed.
ONE_OUT = np.array([*range(1, 11), 100], dtype=float)


def treated(column, spec):
    """Treat one indicator; return its values and what was said."""
    values = np.asarray(column, dtype=float)[:, None]
    made = Treatment.fit(values, ["x"], spec)
    return made.apply(values)[:, 0], dict(made.told).get("x", "")


# ---------------------------------------------------------------- against scipy, and by hand


@given(st.lists(st.integers(-50, 50).map(float), min_size=4, max_size=30).filter(lambda x: len(set(x)) > 1))
@settings(max_examples=50)
def test_moments_are_those_of_spreadsheets(column):
    # Excel's SKEW and KURT; pandas has the same formulas.
    assert_allclose(moments(np.array(column)), [pd.Series(column).skew(), pd.Series(column).kurt()], atol=1e-9)


def test_one_area_far_out_is_pulled_in_to_the_next():
    found, said = treated(ONE_OUT, WINSORISE)
    assert found.tolist() == [*range(1, 11), 10]
    before, after = (
        [stats.skew(x, bias=False), stats.kurtosis(x, bias=False)] for x in (ONE_OUT, np.array([*range(1, 11), 10]))
    )
    assert said == (
        f"skewness {before[0]:.2f}, kurtosis {before[1]:.2f} → "
        f"1 highest area winsorised; skewness {after[0]:.2f}, kurtosis {after[1]:.2f}"
    )


def test_the_lowest_area_far_out_is_pulled_in_as_well():
    found, said = treated(-ONE_OUT, WINSORISE)
    assert found.tolist() == [*range(-1, -11, -1), -10]
    assert "1 lowest area winsorised" in said


def test_no_more_areas_are_pulled_in_than_allowed():
    # 20 areas and two far out: with one allowed it stays skewed and gets a logarithm, as in COINr's own test.
    column = np.array([*range(1, 21), 100, 200], dtype=float)
    assert treated(column, TreatmentSpec(outliers="winsorise"))[0].max() == 20
    left, said = treated(column, TreatmentSpec(outliers="winsorise", most_areas=1))
    assert_array_equal(left, column)
    assert said.endswith("→ still skewed, left as it is")
    logged, said = treated(column, TreatmentSpec(outliers="winsorise_or_log", most_areas=1))
    assert_allclose(logged, np.log(column - 1 + 0.01 * 199))
    assert "→ logarithm; skewness" in said


def test_the_logarithm_is_taken_from_the_end_that_most_areas_are_at():
    # COINr's log_CT_plus: log(x - min + a) if skewed to the right, -log(max + a - x) if to the left, a = 1 % of range.
    right, _ = treated(ONE_OUT, LOG)
    left, said = treated(-ONE_OUT, LOG)
    assert_allclose(right, np.log(ONE_OUT - 1 + 0.99))
    assert_allclose(left, -right)
    assert "→ logarithm, mirrored; skewness" in said
    assert abs(moments(left)[0]) < abs(moments(-ONE_OUT)[0])


def test_what_is_not_skewed_is_left_alone():
    for spec in (WINSORISE, LOG, BOTH):
        found, said = treated(range(1, 12), spec)
        assert (found.tolist(), said) == (list(range(1, 12)), "")


# ---------------------------------------------------------------- what a treatment must not do


def test_winsorising_never_makes_an_indicator_the_same_everywhere():
    # 20 areas have none of it and one has 40: pulled in, that one would be like all others.
    column = [0.0] * 20 + [40.0]
    found, said = treated(column, WINSORISE)
    assert found.tolist() == column
    assert said.endswith("→ still skewed, left as it is")
    logged, said = treated(column, BOTH)
    assert_allclose(logged, [np.log(0.4)] * 20 + [np.log(40.4)])
    assert "→ logarithm; skewness" in said


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_draw_beyond_the_end_of_the_logarithm_stays_at_it(sign):
    values = (sign * ONE_OUT)[:, None]
    made = Treatment.fit(values, ["x"], LOG)
    draw = np.stack([values, values - sign * 500])  # all areas far below what was ever seen
    found = made.apply(draw)
    assert_allclose(found[1], sign * np.log(0.99))
    assert_allclose(found[0], made.apply(values))


@pytest.mark.parametrize("spec", [WINSORISE, LOG, BOTH])
@pytest.mark.parametrize("column", [[5.0] * 9, [0.1 + 0.2] * 8 + [0.3], [1.0, 2.0, 90.0], [np.nan] * 9, [7.0]])
def test_figures_without_a_shape_are_left_alone(column, spec):
    found, said = treated(column, spec)
    assert_array_equal(found, column)
    assert said == ""


@given(st.lists(st.integers(0, 1000).map(float), min_size=5, max_size=25), st.sampled_from([0.001, 40.0]))
@settings(max_examples=60)
def test_another_unit_winsorises_the_same_areas(column, unit):
    first, _ = treated(column, WINSORISE)
    assert_allclose(treated(np.array(column) * unit, WINSORISE)[0], first * unit, rtol=1e-9)


@given(st.lists(st.integers(0, 1000).map(float), min_size=5, max_size=25), st.sampled_from([WINSORISE, LOG, BOTH]))
@settings(max_examples=60)
def test_no_treatment_turns_two_areas_around(column, spec):
    found, _ = treated(column, spec)
    order = np.argsort(column, kind="stable")
    assert (np.diff(found[order]) >= -1e-12).all()


def test_the_certificate_names_what_was_treated():
    frame = plain(x=ONE_OUT, y=range(11))
    spec = index_spec(domain("one", ["x", "y"]), method="min_max", treatment={"outliers": "winsorise"})
    result = risk_index(frame, spec)
    assert list(result.certificate.treatment) == ["x"]
    # The scale ends at the tenth area: (5 - 1) / (10 - 1).
    assert result.relative.loc["E", "x"] == pytest.approx(100 * 4 / 9)
    assert result.relative.loc[["J", "K"], "x"].tolist() == [100, 100]


def test_the_certificate_states_the_rules_also_where_nothing_was_treated():
    frame = plain(x=range(11), y=range(11))
    rule = {"outliers": "winsorise_or_log", "most_areas": 3, "impute": "group_mean"}
    spec = index_spec(domain("one", ["x", "y"]), method="min_max", treatment=rule)
    found = risk_index(frame, spec).certificate
    assert found.treatment_rule == (
        "the 3 outermost areas at most are winsorised, and a logarithm is taken where that is not enough, of "
        "indicators whose skewness is above 2 in absolute value and kurtosis above 3.5"
    )
    assert found.imputation_rule == (
        "a gap gets the mean of all areas ranked, by counts where all are known, and is estimated"
    )
    assert (dict(found.treatment), dict(found.imputed)) == ({}, {})


def test_a_logarithm_is_not_relative_to_the_city():
    table = counted(plain(x=range(1, 12)))
    spec = index_spec(domain("one", ["x"]), treatment={"outliers": "log"})
    with pytest.raises(SpecError) as caught:
        risk_index(table, spec)
    assert str(caught.value) == (
        "key 'index.treatment.outliers': a logarithm is not relative to the city's value. Expected: none or winsorise."
    )


# ---------------------------------------------------------------- gaps


def test_gaps_are_filled_by_the_groups_counts_by_hand():
    # North: (10 · 100 + 20 · 300) / 400 = 17.5; south: 40, the only one; C lies in neither.
    values = np.array([[10.0], [20.0], [np.nan], [40.0], [np.nan], [np.nan]])
    bases = np.array([[100.0], [300.0], [50.0], [20.0], [80.0], [10.0]])
    filled = group_means(values, bases, np.array([0, 0, -1, 1, 1, 0]))
    assert_array_equal(filled[:, 0], [10, 20, np.nan, 40, 40, 17.5])


def test_without_bases_all_areas_of_a_group_count_the_same():
    values = np.array([[10.0], [20.0], [np.nan]])
    assert group_means(values, np.full((3, 1), np.nan), np.zeros(3, dtype=int))[2, 0] == 15


def test_a_filled_figure_is_estimated_and_listed():
    frame = plain(x=[1, 2, 3, np.nan], y=[4, 3, 2, 1])
    spec = index_spec(
        domain("one", ["x", "y"]), method="z_score", treatment={"impute": "group_mean", "groups": "kommun"}
    )
    groups = pd.Series({"A": "n", "B": "n", "C": "s", "D": "s"})
    result = risk_index(frame, spec, groups=groups)
    assert result.imputed.loc["D", "x"] == 3
    assert result.ranking.loc["D", ["status", "indicators", "indicators_estimated"]].tolist() == ["estimated", 2, 1]
    assert result.ranking.loc["A", "status"] == "observed"
    assert result.certificate.imputed == {"x": 1}
    # An area of no group is not made up from areas that have nothing in common but that.
    alone = risk_index(frame, spec, groups=groups.drop("D"))
    assert alone.imputed.isna().all(axis=None)
    assert alone.ranking.loc["D", "status"] == "observed"


def test_gaps_are_filled_only_where_enough_is_known():
    frame = plain(x=[1, 2, 3, np.nan], y=[4, 3, 2, np.nan], z=[1, 2, 3, 4])
    spec = index_spec(
        domain("one", ["x", "y"]), domain("two", ["z"]), method="z_score", treatment={"impute": "group_mean"}
    )
    row = risk_index(frame, spec).ranking.loc["D"]
    assert row[["reason", "reason_domain"]].tolist() == ["domain_not_known", "one"]


@pytest.mark.parametrize(
    ("treatment", "groups", "said"),
    [
        (
            {"impute": "group_mean", "groups": "kommun"},
            None,
            (
                "key 'index.treatment.groups': which area lies in which 'kommun' is not known. "
                "Hint: give `groups`, area → group"
            ),
        ),
        (
            {"impute": "group_mean", "groups": "kommun"},
            pd.Series(["n", "s", "s"], index=["A", "A", "B"]),
            "key 'index.treatment.groups', area 'A': the area lies in two groups. Expected: one group an area.",
        ),
        (
            {"groups": "kommun"},
            None,
            (
                "key 'index.treatment.groups': groups are named and nothing is imputed. "
                'Expected: impute = "group_mean", or no groups.'
            ),
        ),
    ],
)
def test_groups_that_do_not_fit_are_refused(treatment, groups, said):
    frame = plain(x=[1, 2, np.nan], y=[1, 2, 3])
    with pytest.raises(SpecError) as caught:
        risk_index(frame, index_spec(domain("one", ["x", "y"]), method="z_score", treatment=treatment), groups=groups)
    assert str(caught.value) == said


def test_limits_of_a_base_year_hold_in_later_years():
    # In 2010 the eleventh area is pulled in to 10; in 2012 all stand higher and meet the same ceiling.
    base = plain(x=ONE_OUT / 2)
    now = plain(x=np.append(np.arange(1.0, 11.0) / 2 + 3, 49.0))
    table = several_years(y2010=counted(base, period="2010"), y2012=counted(now, period="2012"))
    spec = index_spec(domain("one", ["x"]), method="min_max", base=2010, treatment={"outliers": "winsorise"})
    result = risk_index(table, spec, period="2012")
    expected = 100 * (np.minimum(now["x"].to_numpy(), 5.0) - 0.5) / 4.5
    assert_allclose(result.relative["x"].loc[codes(11)], expected)
