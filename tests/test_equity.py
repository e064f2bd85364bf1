"""How access is shared out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import InputError
from geoplan.reach import Standard, access_equity, deprivation_access_classes

# Four districts, 400 people: 100 each, the most deprived first.
UNITS = pd.Index(["A", "B", "C", "D"], name="area_id")
PEOPLE = pd.Series(100, index=UNITS)
SCORE = pd.Series([160, 120, 90, 60], index=UNITS)
JOBS = pd.Series([10, 20, 30, 40], index=UNITS)


def test_hand_worked():
    found = access_equity(JOBS, PEOPLE, SCORE, quantiles=4, standard=Standard("jobs", at_least=25))
    told = found.measures
    assert told["mean"] == 25
    # The least deprived tenth are 40 people of D (40 jobs); the most deprived 40 % are A and 60 people of B:
    assert told["palma"] == pytest.approx(40 / ((100 * 10 + 60 * 20) / 160))
    # Pairs of people: |10-20| three times, |10-30| twice, |10-40| once, each twice over: 2(3*10+2*20+30) = 200 of 16
    assert told["gini"] == pytest.approx(200 / 16 / 2 / 25)
    # Ranks 1/8, 3/8, 5/8, 7/8: 2/(4*25) * (10/8 + 60/8 + 150/8 + 280/8) - 1
    assert told["concentration"] == pytest.approx(2 / 100 * 500 / 8 - 1)
    assert (told["gap"], told["gap_ratio"]) == (-15, 0.4)
    assert (told["best_decile"], told["gap_to_best"]) == (40, 0.25)
    assert (told["below"], told["share_below"]) == (200, 0.5)
    assert told["shortfall"] == pytest.approx((15 / 25 + 5 / 25) / 4)
    assert found.by_quantile["mean"].tolist() == [10, 20, 30, 40, 25]
    assert found.by_quantile.loc["all", "residents"] == 400


def test_minutes_are_better_when_fewer():
    found = access_equity(50 - JOBS, PEOPLE, SCORE, higher_is_better=False, standard=Standard("min", at_most=30))
    assert found.measures["best_decile"] == 10
    assert found.measures["below"] == 100  # only A's 40 minutes are more than 30
    assert found.measures["palma"] == pytest.approx(10 / ((100 * 40 + 60 * 30) / 160))


def test_groups_and_what_is_left_out():
    groups = pd.DataFrame({"born abroad": [60, 20, 10, 0], "other": [40, 80, 90, 100]}, index=UNITS)
    score = SCORE.astype(float).mask(SCORE == 90)
    found = access_equity(JOBS, PEOPLE, score, groups=groups)
    assert found.left_out["reason"].to_dict() == {"C": "no score"}
    assert found.by_group.loc["born abroad", "mean"] == (60 * 10 + 20 * 20) / 80
    assert found.by_group.loc["all", "residents"] == 300
    assert "1 unit(s) with 100 residents are left out: no score 1" in found.notes


def test_even_access_is_even():
    told = access_equity(JOBS * 0 + 7, PEOPLE, SCORE).measures
    assert (told["gini"], told["concentration"], told["gap"]) == (0, 0, 0)
    assert told["palma"] == told["gap_to_best"] == 1


def test_no_access_at_all_has_no_ratio():
    told = access_equity(JOBS * 0, PEOPLE, SCORE).measures
    assert np.isnan([told["gini"], told["concentration"], told["palma"], told["gap_ratio"]]).all()


units_of = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 40), st.integers(0, 5)), min_size=2, max_size=12)


@given(units_of)
@settings(deadline=None)
def test_gini_and_concentration_are_those_of_single_people(rows):
    people, access, score = (np.array(column, float) for column in zip(*rows, strict=True))
    if not access.sum():
        return
    index = pd.Index([str(number) for number in range(len(rows))])
    found = access_equity(*(pd.Series(values, index=index) for values in (access, people, score)))
    own = np.repeat(access, people.astype(int))
    apart = np.abs(own[:, None] - own[None, :]).mean()
    assert found.measures["gini"] == pytest.approx(apart / 2 / own.mean())
    worse = np.repeat(score, people.astype(int))
    rank = ((worse[None, :] > worse[:, None]).sum(1) + (worse[None, :] == worse[:, None]).sum(1) / 2) / len(own)
    covariance = 2 * np.cov(own, rank, bias=True)[0, 1] / own.mean()
    assert found.measures["concentration"] == pytest.approx(covariance, abs=1e-9)
    curve = found.curve  # the area between curve and diagonal is half the index
    for name, measure in (("access", "concentration"), ("ranked", "gini")):
        assert 1 - 2 * np.trapezoid(curve[name], curve["people"]) == pytest.approx(found.measures[measure], abs=1e-9)


@given(units_of, st.randoms())
@settings(deadline=None)
def test_order_of_units_does_not_matter(rows, random):
    index = pd.Index([str(number) for number in range(len(rows))])
    people, access, score = (pd.Series(column, index=index, dtype=float) for column in zip(*rows, strict=True))
    shuffled = list(index)
    random.shuffle(shuffled)
    one = access_equity(access, people, score)
    other = access_equity(access[shuffled], people, score)
    pd.testing.assert_series_equal(pd.Series(one.measures), pd.Series(other.measures))
    pd.testing.assert_frame_equal(one.by_quantile, other.by_quantile)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((JOBS, PEOPLE, SCORE.set_axis(list("wxyz"))), "no unit has access, residents and a score"),
        ((-JOBS, PEOPLE, SCORE), "below 0"),
        ((JOBS, pd.concat([PEOPLE, PEOPLE]), SCORE), "occur more than once: 'A'"),
        ((JOBS.astype(float).replace(10, np.inf), PEOPLE, SCORE), "infinite"),
    ],
)
def test_faults_are_worded(asked, words):
    with pytest.raises(InputError) as caught:
        access_equity(*asked)
    assert words in str(caught.value)


def test_classes_by_both():
    table = deprivation_access_classes(JOBS.astype(float).mask(JOBS == 20), SCORE)
    assert table["class"].tolist() == ["3-3", None, "2-2", "1-1"]
    assert table["status"].tolist() == ["observed", "not_collected", "observed", "observed"]
    again = deprivation_access_classes(JOBS, SCORE, limits=((100, 150), (15, 35)))
    assert again["class"].tolist() == ["3-3", "2-2", "1-2", "1-1"]
    with pytest.raises(InputError, match="at least three"):
        deprivation_access_classes(JOBS[:2], SCORE[:2])
