import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from small_town import JOBS, MEDIAN, PEOPLE, TIMES, as_times, off_the_street

from geoplan.errors import InputError
from geoplan.reach import DECAYS, UNREACHED, Decay, calibrate, gravity, mean_trip_min

NOT = np.nan
CURVES = [
    Decay.halving("exponential", 20),
    Decay.halving("power", 20, floor_min=2),
    Decay.halving("log_logistic", 20, shape=2.326),
    Decay.halving("gaussian", 20),
]

# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("decay", CURVES, ids=lambda decay: decay.kind)
def test_half_is_left_at_the_half_time_and_all_at_once(decay):
    assert decay.weight([0, 20]) == pytest.approx([1, 0.5])
    assert decay.weight(np.nan) == 0


def test_weights_are_as_worked_by_hand():
    # 40 minutes are two half-times
    assert Decay.halving("exponential", 20).weight(40) == pytest.approx(1 / 4)  # 2^-2
    assert Decay.halving("gaussian", 20).weight(40) == pytest.approx(1 / 16)  # 2^-(2²)
    assert Decay.halving("log_logistic", 20, shape=3).weight(40) == pytest.approx(1 / 9)  # 1/(1 + 2³)
    # from 2 to 20 minutes, ten times as long, halves; so does every further tenfold
    assert Decay.halving("power", 20, floor_min=2).weight([1, 2, 20, 200]) == pytest.approx([1, 1, 1 / 2, 1 / 4])
    assert Decay.step(30).weight([30, 30.01]).tolist() == [1, 0]
    assert Decay.step({10: 1, 20: 0.68, 30: 0.22}).weight([0, 10, 20, 21, 31]).tolist() == [1, 1, 0.68, 0.22, 0]


def test_published_parameters_give_the_published_formula():
    minutes = np.arange(1.0, 120)
    for decay, formula in (
        (Decay.exponential(0.05), np.exp(-0.05 * minutes)),
        (Decay.power(1.5), minutes**-1.5),
        (Decay.power(2, floor_min=5), (np.maximum(minutes, 5) / 5) ** -2),
        (Decay.log_logistic(-6.899, 2.326), 1 / (1 + np.exp(-6.899 + 2.326 * np.log(minutes)))),
        (Decay.gaussian(25), np.exp(-(minutes**2) / (2 * 25**2))),
    ):
        assert decay.weight(minutes) == pytest.approx(formula)


def test_a_cut_takes_all_weight_beyond():
    assert Decay.halving("exponential", 20, within_min=40).weight([40, 41]) == pytest.approx([0.25, 0])
    assert Decay.exponential(0.1, within_min=5).within_min == 5


@pytest.mark.parametrize("decay", [*CURVES, Decay.step(20), Decay.step({5: 0.9, 20: 0})], ids=str)
def test_the_table_says_the_same_as_the_weight(decay):
    table = decay.table()
    assert len(table) == UNREACHED + 1
    assert table[UNREACHED] == 0
    assert table[[0, 600, 1200, 1201]] == pytest.approx(decay.weight(np.array([0, 600, 1200, 1201]) / 60))
    assert (np.diff(table) <= 0).all()


@given(
    st.sampled_from(sorted(set(DECAYS) - {"step"})),
    st.floats(1.5, 500),
    st.floats(0.1, 20),
    st.lists(st.floats(0, 1000), min_size=2, max_size=2),
)
def test_a_longer_time_never_counts_for_more(kind, half, shape, minutes):
    decay = Decay.halving(kind, half, shape=shape if kind == "log_logistic" else None)
    near, far = decay.weight(sorted(minutes))
    assert 0 <= far <= near <= 1


def test_words_say_kind_half_time_and_formula():
    assert str(CURVES[0]) == "negative exponential, half at 20 min: exp(-0.0347 t)"
    assert str(CURVES[1]) == "power, half at 20 min: (t/2)^-0.301, 1 up to 2 min"
    assert str(CURVES[2]) == "log-logistic, half at 20 min: 1/(1 + (t/20)^2.326)"
    assert str(CURVES[3]) == "Gaussian, half at 20 min: exp(-t²/2s²), s = 17 min"
    assert str(Decay.exponential(0.1, within_min=30)).endswith("; 0 beyond 30 min")
    assert str(Decay.step(30)) == "steps: 1 up to 30 min, then 0"


def test_what_it_was_made_of_makes_it_again():
    for decay in (*CURVES, Decay.step({10: 1, 20: 0.5})):
        assert Decay(**decay.to_dict()) == decay


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Decay("linear", 20), "there is no decay called 'linear'. Expected: one of"),
        (lambda: Decay("Step", 20), "did you mean 'step'?"),
        (lambda: Decay("exponential"), "'exponential' needs half_time_min"),
        (lambda: Decay("power", 20), "'power' needs floor_min"),
        (lambda: Decay("log_logistic", 20), "'log_logistic' needs shape"),
        (lambda: Decay("gaussian", 20, shape=2), "shape is no parameter of 'gaussian'"),
        (lambda: Decay("step"), "'step' needs steps"),
        (lambda: Decay.halving("exponential", 0), "half_time_min cannot be 0. Expected: a number over 0"),
        (lambda: Decay.halving("exponential", math.inf), "half_time_min cannot be inf"),
        (lambda: Decay.halving("power", 1), "half_time_min cannot be 1. Expected: a number over 1"),
        (lambda: Decay.halving("power", 9, floor_min=-1), "floor_min cannot be -1"),
        (lambda: Decay.halving("log_logistic", 9, shape=0), "shape cannot be 0"),
        (lambda: Decay.halving("gaussian", 9, within_min=True), "within_min cannot be True"),
        (lambda: Decay.exponential(-0.1), "rate cannot be -0.1"),
        (lambda: Decay.power("2"), "exponent cannot be '2'"),
        (lambda: Decay.step({20: 1, 10: 0.5}), "steps end at '20', '10' minutes. Expected: rising minutes"),
        (lambda: Decay.step({10: 0.5, 20: 1}), "weights of the steps are '0.5', '1'. Expected: falling weights"),
        (lambda: Decay.step({10: 2}), "weights of the steps are '2'"),
        (lambda: Decay.step("soon"), "steps cannot be (('soon', 1.0),). Expected: minutes and weights"),
    ],
)
def test_what_makes_no_decay_is_refused_in_words(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InputError) as caught:
        Decay("power", -3, shape=2, within_min=0)
    assert len(caught.value.faults) == 4  # shape of another, no floor, no half-time, no cut


# ---------------------------------------------------------------- calibration

#: From one home: 300 jobs at 10 minutes, 100 at 30.
NEAR_AND_FAR = as_times([[10, 30]])
FEW = JOBS.iloc[:2].set_axis(["v", "w"]) * [3, 2]  # 300 and 100


def test_a_calibrated_half_time_is_as_worked_by_hand():
    # A share s of trips goes far: 10 + 20 s = 12 minutes on average, s = 1/10. As 300 f(10) : 100 f(30) = 9 : 1,
    # f(30)/f(10) = 1/3.
    one = PEOPLE[["a"]]
    decay = calibrate(NEAR_AND_FAR, one, FEW, kind="exponential", mean_min=12)
    # 2^(-20/h) = 1/3, so h = 20 ln 2 / ln 3
    assert decay.half_time_min == pytest.approx(20 * math.log(2) / math.log(3))
    # Gaussian: 2^(-(900 - 100)/h²) = 1/3
    decay = calibrate(NEAR_AND_FAR, one, FEW, kind="gaussian", mean_min=12)
    assert decay.half_time_min == pytest.approx(math.sqrt(800 * math.log(2) / math.log(3)))
    # Power: 3^-β = 1/3, β = 1: half of what is at 1 minute is left at 2
    decay = calibrate(NEAR_AND_FAR, one, FEW, kind="power", mean_min=12)
    assert decay.half_time_min == pytest.approx(2)
    # Log-logistic, b = 2: (h² + 100)/(h² + 900) = 1/3, so 3h² + 300 = h² + 900
    decay = calibrate(NEAR_AND_FAR, one, FEW, kind="log_logistic", shape=2, mean_min=12)
    assert decay.half_time_min == pytest.approx(math.sqrt(300))


def test_with_every_job_taken_the_mean_is_as_worked_by_hand():
    # Two homes of 1, two jobs of 1; 10 minutes to one's own, 20 to the other's. By symmetry the share s that goes to
    # the other's is f(20)/(f(10) + f(20)), doubly or not. A mean of 12 is s = 1/5: f(20)/f(10) = 1/4 = 2^(-10/5).
    times = as_times([[10, 20], [20, 10]])
    people, jobs = PEOPLE[["a", "b"]] * 0 + 1, FEW * 0 + 1
    for model in ("production", "doubly"):
        decay = calibrate(times, people, jobs, kind="exponential", mean_min=12, model=model)
        assert decay.half_time_min == pytest.approx(5)
    # With all jobs at v, every one taken, nobody chooses: 30 people at 10 minutes and 20 at 20 are 14 on average.
    there = as_times([[10], [20]])
    assert mean_trip_min(there, PEOPLE[["a", "b"]], JOBS[["v"]], decay, model="doubly") == pytest.approx(14)


def test_a_doubly_constrained_model_takes_every_job():
    # v is next door to both homes, but has 30 jobs for 50 people: 20 have to go on to w.
    times = as_times([[1, 60], [1, 60]])
    people, jobs = PEOPLE[["a", "b"]], FEW * 0 + [30, 20]
    steep = Decay.halving("exponential", 5)
    assert mean_trip_min(times, people, jobs, steep) == pytest.approx(1, abs=0.02)
    assert mean_trip_min(times, people, jobs, steep, model="doubly") == pytest.approx((30 * 1 + 20 * 60) / 50)


def test_people_who_reach_too_few_jobs_are_balanced_as_far_as_it_goes():
    # c reaches z alone, which has 1 job for its 2 people; a and b reach v and w. 1 of 100 finds none: all still go.
    times = as_times([[10, 20, NOT], [20, 10, NOT], [NOT, NOT, 30]], places=["v", "w", "z"])
    people, jobs = PEOPLE[["a", "b", "c"]] * 0 + [49, 49, 2], JOBS[["v", "w", "z"]] * 0 + [49.5, 49.5, 1]
    steep = Decay.halving("exponential", 5)
    # each of a and b: a fifth to the other's, four fifths to their own (2^-2 : 1)
    assert mean_trip_min(times, people, jobs, steep, model="doubly") == pytest.approx((98 * 12 + 2 * 30) / 100)
    with pytest.raises(InputError, match=r"9\.0% of people find no opportunity left among those that they reach"):
        mean_trip_min(
            times, people * [44 / 49, 44 / 49, 6], jobs * [47.5 / 49.5, 49.5 / 49.5, 3], steep, model="doubly"
        )


@settings(max_examples=25, deadline=None)
@given(st.floats(3, 200), st.sampled_from(sorted(set(DECAYS) - {"step"})), st.sampled_from(("production", "doubly")))
def test_calibration_finds_again_the_half_time_that_made_the_mean(half, kind, model):
    options = {"shape": 2.0} if kind == "log_logistic" else {}
    decay = Decay.halving(kind, half, **options)
    mean = mean_trip_min(TIMES, PEOPLE, JOBS, decay, model=model)
    found = calibrate(TIMES, PEOPLE, JOBS, kind=kind, mean_min=mean, model=model, **options)
    assert mean_trip_min(TIMES, PEOPLE, JOBS, found, model=model) == pytest.approx(mean, abs=1e-4)


def test_those_on_no_street_do_not_travel():
    outside = as_times([*MEDIAN[:3], [0, NOT, NOT, NOT, NOT]], unsnapped=off_the_street(("from", "d")))
    decay = Decay.halving("exponential", 10)
    without = TIMES.between(["a", "b", "c"])
    assert mean_trip_min(outside, PEOPLE, JOBS, decay) == mean_trip_min(without, PEOPLE[["a", "b", "c"]], JOBS, decay)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mean_min": 9}, "no half-time makes the mean trip 9 minutes long. Expected: at least 10."),
        ({"mean_min": 15.5}, "Expected: at most 15.0 minutes"),
        ({"kind": "step"}, "kind cannot be 'step'"),
        ({"kind": "log_logistic"}, "'log_logistic' needs shape"),
        ({"mean_min": -1}, "mean_min cannot be -1"),
        ({"model": "attraction"}, "model cannot be 'attraction'"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_in_words(options, words):
    with pytest.raises(InputError) as caught:
        calibrate(NEAR_AND_FAR, PEOPLE[["a"]], FEW, **({"kind": "exponential", "mean_min": 12} | options))
    assert words in str(caught.value)


def test_nobody_who_reaches_anything_is_a_fault():
    with pytest.raises(InputError, match="nobody reaches any opportunity"):
        mean_trip_min(as_times([[NOT]]), PEOPLE[["a"]], JOBS[["v"]], CURVES[0])
    with pytest.raises(InputError, match="nobody goes anywhere"):
        mean_trip_min(as_times([[600]]), PEOPLE[["a"]], JOBS[["v"]], Decay.halving("gaussian", 1))


# ---------------------------------------------------------------- gravity


def test_gravity_is_as_worked_by_hand():
    # Half after 10 minutes. a: 100·2^-0.5 + 50·2^-1.5 + 200·2^-3 + 10·2^-4.5
    found = gravity(TIMES, JOBS, Decay.halving("exponential", 10))
    by_hand = {
        "a": 100 * 2**-0.5 + 50 * 2**-1.5 + 200 / 8 + 10 * 2**-4.5,
        "b": 100 / 2 + 50 / 4 + 200 / 4 + 10 / 64 + 40 * 2**-2.5,
        "c": 100 / 16 + 50 / 8 + 200 / 2 + 10 * 2**-0.5,
        "d": 50 / 32 + 200 * 2**-1.5 + 10 / 2 + 40 * 2**-3.5,
    }
    assert found.to_dict() == pytest.approx(by_hand)
    assert found.name == "jobs"
    # The other kinds, for a alone.
    minutes, jobs = np.array([5, 15, 30, 45]), np.array([100, 50, 200, 10])
    for decay, weights in (
        (Decay.power(1, floor_min=5), 5 / minutes),  # 100 + 50/3 + 200/6 + 10/9
        (Decay.log_logistic(0, 1), 1 / (1 + minutes)),
        (Decay.gaussian(15), np.exp(-((minutes / 15) ** 2) / 2)),
        (Decay.step({15: 1, 30: 0.5}), np.array([1, 1, 0.5, 0])),  # 100 + 50 + 100
    ):
        assert gravity(TIMES, JOBS, decay)["a"] == pytest.approx((weights * jobs).sum())


def test_gravity_asks_for_a_decay():
    with pytest.raises(InputError, match="decay is a str"):
        gravity(TIMES, JOBS, "exponential")
