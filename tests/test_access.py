import tracemalloc

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from small_town import BOTH, HOMES, JOBS, MEDIAN, PEOPLE, PLACES, SCHOOLS, TIMES, as_times, off_the_street, towns

from geoplan.errors import IdError, InputError, TableError
from geoplan.reach import (
    UNREACHED,
    Decay,
    TravelTimes,
    access_status,
    beyond_reach,
    dual_access,
    gather_opportunities,
    gravity,
    jobs_by,
    matched_jobs,
    opportunities,
    population_balance,
    read_travel_times,
    time_to_nearest,
    time_to_share,
)

KINDS = pd.concat([JOBS, SCHOOLS], axis=1)
NO = np.nan

# ---------------------------------------------------------------- by hand


def test_cumulative_opportunities_are_as_worked_by_hand():
    found = opportunities(TIMES, JOBS, within_min=(15, 30, 45))
    assert found.columns.tolist() == [15, 30, 45]
    assert found.columns.name == "within_min"
    assert found.loc["a"].tolist() == [100 + 50, 100 + 50 + 200, 100 + 50 + 200 + 10]
    assert found.loc["b"].tolist() == [100, 100 + 50 + 200 + 40, 100 + 50 + 200 + 40]
    assert found.loc["c"].tolist() == [200 + 10, 50 + 200 + 10, 100 + 50 + 200 + 10]
    assert found.loc["d"].tolist() == [200 + 10, 200 + 10, 200 + 10 + 40]


def test_one_question_gives_a_series_and_each_several_a_level():
    one = opportunities(TIMES, JOBS, within_min=30)
    assert (one.name, one.index.name, one.tolist()) == ("jobs", "from_id", [350, 390, 260, 210])
    kinds = opportunities(TIMES, KINDS, within_min=30)
    assert kinds.columns.tolist() == ["jobs", "schools"]
    assert kinds["schools"].tolist() == [1 + 2, 1 + 2, 2 + 1, 2 + 1]
    everything = opportunities(BOTH, KINDS, within_min=(15, 30), percentile=(50, 90))
    assert everything.columns.names == ["opportunity", "within_min", "percentile"]
    assert everything["jobs", 30, 50].tolist() == one.tolist()
    # on a bad day: a 100 + 50; b 100 + 50 + 200; c 200 + 10; d 200 + 10
    assert everything["jobs", 30, 90].tolist() == [150, 350, 210, 210]
    assert everything["schools", 15, 90].tolist() == [1, 1, 1, 2]
    assert opportunities(BOTH, JOBS, within_min=30, percentile=[90]).columns.names == ["percentile"]


def test_a_place_at_the_very_minute_is_reached():
    times = as_times([[30, 30 + 1 / 60, 0.1]])
    amounts = JOBS[["v", "w", "x"]]
    assert opportunities(times, amounts, within_min=(0.1, 30, 30.5)).loc["a"].tolist() == [200, 300, 350]


def test_time_to_the_nearest_is_as_worked_by_hand():
    assert time_to_nearest(TIMES).tolist() == [5, 10, 5, 10]
    # schools are at v, x and y: a 5, 30, 45; b 10, 20, 60; c 5, 10, 40; d 10, 15 and no third
    assert time_to_nearest(TIMES, SCHOOLS).tolist() == [5, 10, 5, 10]
    assert time_to_nearest(TIMES, SCHOOLS, k=2).tolist() == [30, 20, 10, 15]
    third = time_to_nearest(TIMES, KINDS, k=3)
    assert third["schools"].tolist()[:3] == [45, 60, 40]
    assert np.isnan(third.loc["d", "schools"])
    assert third["jobs"].tolist() == [30, 20, 30, 35]


def test_dual_access_is_as_worked_by_hand():
    # 300 jobs. a: 100 at 5, 150 at 15, 350 at 30. b: 100 at 10, 350 at 20. c: 10 at 5, 210 at 10, 260 at 30, 360 at 40.
    # d: 10 at 10, 210 at 15, 250 at 35, 300 at 50.
    assert dual_access(TIMES, JOBS, needed=300).tolist() == [30, 20, 40, 50]
    found = dual_access(TIMES, JOBS, needed=301)
    assert found.tolist()[:3] == [30, 20, 40]
    assert np.isnan(found["d"])
    both = dual_access(BOTH, JOBS, needed=200, percentile=(50, 90))
    # on a bad day a has 350 at 40; b 100 at 10, 350 at 30; c 210 at 20; d 200 at 15
    assert both[90].tolist() == [40, 30, 20, 15]


def test_time_to_a_share_is_as_worked_by_hand():
    # Half of the 400 jobs is 200: a 30, b 20, c 10 (210), d 15 (210).
    # Nine tenths are 360: a 45, b 25 (390), c 40, d never.
    assert time_to_share(TIMES, JOBS).tolist() == [30, 20, 10, 15]
    most = time_to_share(TIMES, JOBS, share=0.9)
    assert most.tolist()[:3] == [45, 25, 40]
    assert np.isnan(most["d"])
    # Half of the 4 schools: a 3 at 30, b 3 at 20, c 1 at 5 and 3 at 10, d 1 at 10 and 3 at 15.
    assert time_to_share(TIMES, KINDS)["schools"].tolist() == [30, 20, 10, 15]


def test_all_of_many_fractions_can_be_reached():
    # in binary, 0.1 + 0.1 + 0.1 + 0.2 + 0.1, as b meets them, is less than 0.1 + 0.1 + 0.1 + 0.1 + 0.2
    tenths = pd.Series([0.1, 0.1, 0.1, 0.1, 0.2], index=PLACES)
    assert time_to_share(TIMES, tenths, share=1)["b"] == 60


def test_population_balance_is_as_worked_by_hand():
    # Within 15 minutes v is reached by a and b (50), w by a (30), x by c and d (50), y by c and d (50), z by nobody.
    found = population_balance(TIMES, JOBS, PEOPLE, within_min=15)
    assert found["people"].tolist() == [30, 20, 40, 10]
    assert found["opportunities"].tolist() == [150, 100, 210, 210]
    # a: (100 · 50 + 50 · 30) / 150; b: 50; c and d: (200 · 50 + 10 · 50) / 210
    assert found["rivals"].tolist() == pytest.approx([6500 / 150, 50, 50, 50])
    assert found["opportunities_per_rival"].tolist() == pytest.approx([150 / (6500 / 150), 2, 4.2, 4.2])
    # As many jobs as people: a 30 of v at 5; b 20 of v at 10; c 10 of y at 5, then x at 10; d 10 of y at 10.
    assert found["balancing_min"].tolist() == [5, 10, 10, 10]
    assert set(found["status"]) == {"observed"}


def test_population_balance_of_those_who_reach_nothing_and_of_nobody():
    found = population_balance(TIMES, JOBS, PEOPLE * [0, 1, 1, 1], within_min=4)
    assert found["opportunities"].tolist() == [0, 0, 0, 0]
    assert found["rivals"].isna().all()
    assert found["opportunities_per_rival"].tolist() == [0, 0, 0, 0]
    assert np.isnan(found.loc["a", "balancing_min"])
    nobody = population_balance(TIMES, JOBS, PEOPLE * 0, within_min=15)
    assert nobody["opportunities_per_rival"].isna().all()


def test_jobs_matched_to_schooling_are_as_worked_by_hand():
    levels = ["basic", "upper", "higher"]
    jobs = pd.DataFrame([[20, 50, 30], [50, 0, 0], [10, 40, 150], [10, 0, 0], [0, 40, 0]], index=PLACES, columns=levels)
    jobless = pd.DataFrame([[6, 3, 1], [0, 0, 0], [0, 0, 5], [4, 0, 0]], index=HOMES, columns=levels)
    found = matched_jobs(TIMES, jobs, jobless, within_min=15)
    # a reaches v and w: 70 basic, 50 upper, 30 higher. Open to basic 70, to upper 120, to higher 150.
    assert found.loc["a", ["jobless", "jobs", "jobs_basic", "jobs_upper", "jobs_higher"]].tolist() == [
        10,
        150,
        70,
        120,
        150,
    ]
    # the mean over the jobless: (6 · 70 + 3 · 120 + 1 · 150) / 10 = 93, of 150
    assert found.loc["a", ["matched_jobs", "matched_share"]].tolist() == pytest.approx([93, 0.62])
    # c reaches x and y: higher may take all 210; d the same, but basic may take 10 + 10 of them
    assert found.loc["c", ["matched_jobs", "matched_share"]].tolist() == pytest.approx([210, 1])
    assert found.loc["d", ["matched_jobs", "matched_share"]].tolist() == pytest.approx([20, 20 / 210])
    # Rivals of d for the 20 basic jobs at x and y: c's 5 and d's own 4, everybody may take them.
    assert found.loc["d", "rivals"] == pytest.approx(9)
    # Of c, for 20 basic jobs 9, for 40 upper and 150 higher at x only c's own 5: (20 · 9 + 190 · 5) / 210
    assert found.loc["c", "rivals"] == pytest.approx((20 * 9 + 190 * 5) / 210)
    assert found["status"].tolist() == ["observed", "not_applicable", "observed", "observed"]
    assert np.isnan(found.loc["b", "matched_jobs"])
    assert found.loc["b", "jobs"] == 100
    # If nobody takes a job below their level, c has the 150 at x; d the 20 as before.
    strict = matched_jobs(TIMES, jobs, jobless, within_min=15, downward=False)
    assert strict.loc["c", ["matched_jobs", "rivals"]].tolist() == [150, 5]
    assert strict.loc["d", ["matched_jobs", "rivals"]].tolist() == [20, 4]


def test_levels_in_another_order_are_refused():
    jobs = pd.DataFrame(1, index=PLACES, columns=["basic", "higher"])
    jobless = pd.DataFrame(1, index=HOMES, columns=["higher", "basic"])
    with pytest.raises(InputError, match="jobs are by 'basic', 'higher', the jobless by 'higher', 'basic'"):
        matched_jobs(TIMES, jobs, jobless, within_min=15)
    with pytest.raises(InputError, match="several matches"):
        matched_jobs(TIMES, jobs, jobless[jobs.columns], within_min=(15, 30))


# ---------------------------------------------------------------- who is left out


def with_outsider():
    """Home d and place z are on no street; d reaches a point of its own name at once."""
    minutes = [[*row[:4], NO] for row in MEDIAN[:3]] + [[0, NO, NO, NO, NO]]
    return as_times(minutes, unsnapped=off_the_street(("from", "d"), ("to", "z")))


def test_homes_on_no_street_are_not_known_in_any_measure():
    times = with_outsider()
    levels = pd.DataFrame(1, index=PLACES, columns=["basic", "higher"])
    jobless = pd.DataFrame(1, index=HOMES, columns=["basic", "higher"])
    found = [
        opportunities(times, JOBS, within_min=30),
        opportunities(times, KINDS, within_min=(30, 45)),
        gravity(times, JOBS, Decay.halving("exponential", 20)),
        time_to_nearest(times),
        dual_access(times, JOBS, needed=10),
        time_to_share(times, JOBS, share=0.1),
        population_balance(times, JOBS, PEOPLE, within_min=30).drop(columns=["people", "status"]),
        matched_jobs(times, levels, jobless, within_min=30).drop(columns=["jobless", "status"]),
    ]
    for result in found:
        assert np.isnan(np.asarray(result.loc["d"], dtype=float)).all()
        assert np.isfinite(np.asarray(result.drop("d"), dtype=float)).all()
    balance = population_balance(times, JOBS, PEOPLE, within_min=30)
    assert balance.loc["d", ["people", "status"]].tolist() == [10, "out_of_scope"]
    # d's ten are no rivals, though d is at v: nothing is known of them. v: a and b (50), w and x: a, b, c (90).
    assert balance.loc["a", "rivals"] == pytest.approx((100 * 50 + 50 * 90 + 200 * 90) / 350)
    matched = matched_jobs(times, levels, jobless, within_min=30)
    assert matched.loc["d", "status"] == "out_of_scope"
    # At v a and b, at w and x a, b, c, of each level one. All compete for a basic job, the higher alone for a higher:
    # a's basic have (4 + 6 + 6) / 3, a's higher (4 + 6 + 6 + 2 + 3 + 3) / 6, of 3 and 6 jobs.
    assert matched.loc["a", "rivals"] == pytest.approx((16 + 24) / (3 + 6))


def test_a_home_that_reaches_nothing_is_0_and_known():
    times = as_times([[NO, NO], [10, NO]])
    assert opportunities(times, JOBS[["v", "w"]], within_min=30).tolist() == [0, 100]


def test_homes_that_are_not_in_the_matrix_are_not_known_either():
    matrix = pd.DataFrame({"from_id": ["a"], "to_id": ["v"], "minutes": [10.0]})
    times = read_travel_times(matrix, from_ids=["a", "b"], to_ids=["v", "w"], unreached=())
    found = opportunities(times, JOBS[["v", "w"]], within_min=30)
    assert found["a"] == 100
    assert np.isnan(found["b"])
    assert access_status(times).loc["b"].tolist() == ["out_of_scope", "not in the matrix"]
    assert beyond_reach(times, JOBS[["v", "w"]]).loc["jobs", "out_of_scope"] == 50


def test_who_is_left_out_is_said_with_the_reason():
    times = with_outsider()
    told = access_status(times)
    assert told["status"].tolist() == ["observed"] * 3 + ["out_of_scope"]
    assert told.loc["d", "reason"] == "no street within 1,600 m"
    told = access_status(TIMES, dual_access(TIMES, JOBS, needed=301))
    assert told["status"].tolist() == ["observed"] * 3 + ["not_reached"]
    with pytest.raises(InputError, match="not by the origins of these"):
        access_status(times, pd.Series([1.0]))


def test_what_nobody_can_reach_is_said():
    times = with_outsider()
    told = beyond_reach(times, KINDS)
    assert told.index.name == "opportunity"
    # z holds 40 of the 400 jobs and no school
    assert told.loc["jobs"].tolist() == [400, 40, 0.1, 0, 0]
    assert told.loc["schools"].tolist() == [4, 0, 0, 0, 0]
    alone = as_times([[5, NO], [NO, 0]], unsnapped=off_the_street(("from", "b")))
    assert beyond_reach(alone, JOBS[["v", "w"]]).loc["jobs", "unreached"] == 50
    assert np.isnan(beyond_reach(alone, JOBS[["v", "w"]] * 0).loc["jobs", "unreached_share"])


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("given_amounts", "kind", "words"),
    [
        (JOBS.drop("z"), IdError, "1 of the 5 destinations have no amount; their ids: 'z'"),
        (JOBS.drop("z"), IdError, "opportunities.reindex(times.to_ids, fill_value=0)"),
        (
            pd.concat([JOBS, pd.Series({"q": 1})]),
            IdError,
            "1 id(s) are not among the destinations of the travel times: 'q'",
        ),
        (pd.concat([JOBS, JOBS[["v"]]]), IdError, "1 id(s) occur more than once: 'v'"),
        (JOBS.where(JOBS != 50), TableError, "1 amount(s) are not known or not finite: 'w'"),
        (JOBS * [1, -1, 1, 1, 1], TableError, "1 amount(s) are below 0: 'w'"),
        (JOBS.astype(object).replace(50, "many"), TableError, "amounts are object, not numbers"),
        (JOBS.astype("Int64").where(JOBS != 50), TableError, "not known or not finite: 'w'"),
        (JOBS.to_numpy(), InputError, "opportunities is a ndarray"),
        (JOBS.to_frame()[[]], InputError, "there is no column of amounts"),
        (pd.concat([JOBS, JOBS], axis=1), InputError, "1 column(s) occur more than once: 'jobs'"),
    ],
)
def test_amounts_that_do_not_fit_are_refused_in_words(given_amounts, kind, words):
    with pytest.raises(kind) as caught:
        opportunities(TIMES, given_amounts, within_min=30)
    assert words in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once():
    wrong = pd.DataFrame({"jobs": [1, np.nan, -3]}, index=["v", "w", "q"])
    with pytest.raises(InputError) as caught:
        opportunities(BOTH, wrong, within_min=-1)
    told = str(caught.value)
    for words in ("within_min cannot be -1", "which percentile", "'x', 'y', 'z'", "'q'", "not finite", "below 0"):
        assert words in told


@pytest.mark.parametrize("within_min", [-1, "soon", None, True, np.nan, (30, 30), (), [15, "x"], 1093])
def test_times_that_are_none_are_refused(within_min):
    with pytest.raises(InputError, match="within_min cannot be"):
        opportunities(TIMES, JOBS, within_min=within_min)


def test_a_time_beyond_what_was_computed_is_refused():
    times = as_times(MEDIAN, record={"asked": {"most_s": 3600}})
    assert opportunities(times, JOBS, within_min=60)["a"] == 360
    with pytest.raises(InputError, match=r"computed up to 60 minutes only, not '61'.*max_min=90"):
        opportunities(times, JOBS, within_min=(30, 61, 90))


def test_percentiles_that_were_not_computed_are_refused():
    with pytest.raises(InputError, match="the 75th percentile was not computed"):
        opportunities(BOTH, JOBS, within_min=30, percentile=(50, 75))
    with pytest.raises(InputError, match="percentile cannot be"):
        opportunities(BOTH, JOBS, within_min=30, percentile=(50, 50))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: time_to_nearest(TIMES, SCHOOLS, k=4), "there are 3 place(s) with any 'schools', not 4"),
        (lambda: time_to_nearest(TIMES, k=0), "k cannot be 0. Expected: a whole number over 0"),
        (lambda: time_to_nearest(TIMES, k=1.5), "k cannot be 1.5"),
        (lambda: dual_access(TIMES, JOBS, needed=401), "there are 400 'jobs' in all, not 401"),
        (lambda: dual_access(TIMES, JOBS, needed=0), "needed cannot be 0"),
        (lambda: time_to_share(TIMES, JOBS, share=1.1), "share cannot be 1.1. Expected: a number over 0 and at most 1"),
        (lambda: time_to_share(TIMES, JOBS * 0), "there is nothing to reach of 'jobs'"),
        (lambda: population_balance(TIMES, KINDS, PEOPLE, within_min=30), "opportunities has 2 columns"),
        (lambda: population_balance(TIMES, JOBS, PEOPLE, within_min=(30, 45)), "several balances"),
        (lambda: population_balance(TIMES, JOBS, JOBS, within_min=30), "not among the origins"),
        (lambda: beyond_reach(BOTH, JOBS, percentile=(50, 90)), "several percentiles"),
    ],
)
def test_questions_without_an_answer_are_refused_in_words(ask, words):
    with pytest.raises(InputError) as caught:
        ask()
    assert words in str(caught.value)


# ---------------------------------------------------------------- laws


@given(towns(), st.lists(st.integers(0, 120), min_size=2, max_size=2, unique=True))
def test_a_wider_threshold_never_reaches_less(town, minutes):
    times, supply, _ = town
    found = opportunities(times, supply, within_min=sorted(minutes))
    assert (found.iloc[:, 0] <= found.iloc[:, 1]).all()
    assert (found.iloc[:, 1] <= supply.sum()).all()


@given(towns(), st.data())
def test_one_more_opportunity_never_lowers_access(town, data):
    times, supply, _ = town
    more = supply.copy()
    more[data.draw(st.sampled_from(list(supply.index)))] += data.draw(st.integers(1, 100))
    decay = Decay.halving("exponential", 20)
    assert (opportunities(times, supply, within_min=30) <= opportunities(times, more, within_min=30)).all()
    assert (gravity(times, supply, decay) <= gravity(times, more, decay) + 1e-9).all()
    needed = max(1.0, supply.sum() / 2)
    if supply.sum() >= needed:
        before = dual_access(times, supply, needed=needed).fillna(np.inf)
        assert (dual_access(times, more, needed=needed).fillna(np.inf) <= before).all()
        assert (time_to_nearest(times, more).fillna(np.inf) <= time_to_nearest(times, supply).fillna(np.inf)).all()


@given(towns(), st.data())
def test_a_new_link_never_lowers_access_and_never_lengthens_a_time(town, data):
    times, supply, _ = town
    saved = data.draw(st.lists(st.integers(0, 3000), min_size=times.seconds.size, max_size=times.seconds.size))
    before = times.seconds.astype(int)
    after = np.maximum(before - np.array(saved).reshape(before.shape), 0).astype(np.uint16)
    linked = TravelTimes(times.from_ids, times.to_ids, (50,), after)
    decay = Decay.halving("log_logistic", 20, shape=2)
    assert (opportunities(times, supply, within_min=30) <= opportunities(linked, supply, within_min=30)).all()
    assert (gravity(times, supply, decay) <= gravity(linked, supply, decay) + 1e-9).all()
    assert (time_to_nearest(linked).fillna(np.inf) <= time_to_nearest(times).fillna(np.inf)).all()
    if supply.sum() > 0:
        half = [time_to_share(town_times, supply).fillna(np.inf) for town_times in (times, linked)]
        assert (half[1] <= half[0]).all()


@given(towns(), st.integers(1, 120))
def test_dual_access_turns_cumulative_opportunities_round(town, minutes):
    times, supply, _ = town
    reached = opportunities(times, supply, within_min=minutes)
    for home, number in reached[reached > 0].items():
        assert dual_access(times, supply, needed=number)[home] <= minutes
    if supply.sum() > 0:
        needed = max(1.0, supply.sum() // 2)
        soonest = dual_access(times, supply, needed=needed)
        for home, limit in soonest.dropna().items():
            assert opportunities(times, supply, within_min=limit)[home] >= needed


@given(towns())
def test_steps_of_one_are_cumulative_opportunities(town):
    times, supply, _ = town
    assert gravity(times, supply, Decay.step(25)).tolist() == opportunities(times, supply, within_min=25).tolist()


@settings(deadline=None)
@given(towns(), st.randoms(use_true_random=False))
def test_the_order_of_ids_does_not_matter(town, random):
    times, supply, people = town
    homes, places = list(times.from_ids), list(times.to_ids)
    random.shuffle(homes)
    random.shuffle(places)
    turned = times.between(homes, places)
    decay = Decay.halving("gaussian", 20)
    for measure in (
        lambda one: opportunities(one, supply, within_min=(10, 30)),
        lambda one: gravity(one, supply, decay),
        time_to_nearest,
        lambda one: population_balance(one, supply, people, within_min=30).drop(columns="status"),
    ):
        pd.testing.assert_frame_equal(
            pd.DataFrame(measure(times)), pd.DataFrame(measure(turned)).loc[times.from_ids], check_names=False
        )


def test_numbers_as_ids_are_text():
    times = as_times([[5, 10]], homes=[1], places=[7, 8])
    assert opportunities(times, pd.Series({8: 3, 7: 4}), within_min=6).to_dict() == {"1": 4}


def test_a_large_matrix_takes_little_memory_beside_itself():
    rng = np.random.default_rng(7)
    size = 3000
    seconds = rng.integers(0, 9000, (size, size, 1)).astype(np.uint16)
    ids = [str(number) for number in range(size)]
    times = TravelTimes(ids, ids, (50,), seconds)
    jobs = pd.Series(rng.integers(0, 50, size), index=ids)
    decay = Decay.halving("exponential", 20)
    opportunities(times, jobs, within_min=30)
    for measure in (
        lambda: opportunities(times, jobs, within_min=(15, 30, 45)),
        lambda: gravity(times, jobs, decay),
        lambda: dual_access(times, jobs, needed=500),
        lambda: time_to_nearest(times, jobs, k=3),
        lambda: population_balance(times, jobs, jobs, within_min=30),
    ):
        tracemalloc.start()
        measure()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 60 * 2**20  # all pairs as float64 would be 69 MiB for a single one of the arrays needed


# ---------------------------------------------------------------- destinations


def points(ids, *, crs=3006, **columns):
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(range(len(ids)), [0] * len(ids)), index=ids, crs=crs)


def test_classes_are_put_into_one_layer():
    work = points(["W1", "W2"], jobs=[80, 12])
    libraries = points(["C1"]).to_crs(4326)
    found = gather_opportunities({"work": (work, "jobs"), "culture": libraries.geometry, "retail": work}, "EPSG:3006")
    assert found.index.tolist() == ["work:W1", "work:W2", "culture:C1", "retail:W1", "retail:W2"]
    assert found.index.name == "to_id"
    assert found["work"].tolist() == [80, 12, 0, 0, 0]
    assert found["culture"].tolist() == [0, 0, 1, 0, 0]
    assert found["retail"].tolist() == [0, 0, 0, 1, 1]
    assert found.crs == "EPSG:3006"
    assert found.geometry.iloc[2].distance(work.geometry.iloc[0]) < 1e-6
    # and can be handed over as it is
    times = as_times([[5, 10, 15, 20, 25]], places=list(found.index))
    assert opportunities(times, found, within_min=15).loc["a"].to_dict() == {"work": 92, "culture": 1, "retail": 0}


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ({}, "there is no class of opportunities"),
        ({"work": 3}, "key 'work': the class is a int"),
        ({"work": points([])}, "key 'work': the class has no points"),
        ({"work": points(["a"], crs=None)}, "the geometries have no coordinate system"),
        ({"work": points(["a", "a"])}, "1 id(s) of points occur more than once: 'a'"),
        ({"work": points(["a", None])}, "1 point(s) have no id"),
        (
            {"work": (points(["a"], jobs=[1]), "job")},
            "there is no column 'job' in the data. Hint: did you mean 'jobs'?",
        ),
        ({"work": (points(["a"], jobs=[-1]), "jobs")}, "below 0: 'a'"),
        ({"work": (points(["a"], jobs=["x"]), "jobs")}, "not numbers"),
        ({"work": points(["a"]).buffer(1)}, "1 geometry is no point but 'Polygon': 'a'"),
        ({"work": gpd.GeoSeries([None], index=["a"], crs=3006)}, "1 place(s) have no geometry: 'a'"),
        ({"geometry": points(["a"])}, "a class cannot be called 'geometry'"),
    ],
)
def test_classes_that_are_none_are_refused_in_words(classes, words):
    with pytest.raises(InputError) as caught:
        gather_opportunities(classes)
    assert words in str(caught.value)


def test_faults_of_all_classes_are_said_at_once():
    with pytest.raises(InputError) as caught:
        gather_opportunities({"work": points([]), "culture": 3}, crs="EPSG:nothing")
    assert {fault.key for fault in caught.value.faults} == {None, "work", "culture"}


def test_jobs_are_spread_over_sectors_and_unknown_ones_kept_apart():
    places = pd.DataFrame({"sector": ["retail", None, "office"], "jobs": [12, 5, 84]}, index=["W1", "W2", "W3"])
    found = jobs_by(places, "sector")
    assert found.columns.tolist() == ["office", "retail", "not_collected"]
    assert found.sum().tolist() == [84, 12, 5]
    assert (found.sum(axis=1) == places["jobs"]).all()
    order = pd.CategoricalDtype(["upper", "basic"], ordered=True)
    schooling = pd.DataFrame({"level": pd.Series(["basic", "upper"], dtype=order), "posts": [3, 4]})
    assert jobs_by(schooling, "level", "posts").columns.tolist() == ["upper", "basic"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (3, "workplaces is a int"),
        (
            pd.DataFrame({"sektor": ["a"], "jobs": [1]}),
            "there is no column 'sector' in the data. Hint: did you mean 'sektor'?",
        ),
        (pd.DataFrame({"sector": ["a"]}), "there is no column 'jobs'"),
        (
            pd.DataFrame({"sector": ["a", "b"], "jobs": [1, 2]}, index=["W", "W"]),
            "1 workplace(s) occur more than once: 'W'",
        ),
        (pd.DataFrame({"sector": ["a"], "jobs": [np.nan]}), "not known"),
    ],
)
def test_workplaces_that_cannot_be_spread_are_refused_in_words(table, words):
    with pytest.raises(InputError) as caught:
        jobs_by(table, "sector")
    assert words in str(caught.value)


def test_the_marker_of_unreached_is_never_a_time():
    times = TravelTimes(["a"], ["v"], (50,), np.array([[[UNREACHED - 1]]], dtype=np.uint16))
    longest = (UNREACHED - 1) / 60
    assert opportunities(times, JOBS[["v"]], within_min=longest)["a"] == 100
    never = TravelTimes(["a"], ["v"], (50,), np.array([[[UNREACHED]]], dtype=np.uint16))
    assert opportunities(never, JOBS[["v"]], within_min=longest)["a"] == 0
    assert gravity(never, JOBS[["v"]], Decay.halving("power", 1e6))["a"] == 0
