import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from small_town import JOBS, MEDIAN, PEOPLE, TIMES, as_times, off_the_street, towns

from geoplan.errors import InputError
from geoplan.reach import CATCHMENTS, Decay, TravelTimes, floating_catchment, gravity

NO = np.nan
BANDS = {10: 1, 20: 0.5, 30: 0.2}
#: Weights of the bands, by hand from the minutes.
WEIGHTS = np.array([[1, 0.5, 0.2, 0, 0], [1, 0.5, 0.5, 0, 0.2], [0, 0.2, 1, 1, 0], [0, 0, 0.5, 1, 0]])

# ---------------------------------------------------------------- by hand


def test_two_steps_are_as_worked_by_hand():
    # Within 15 minutes v serves a and b (30 + 20), w a (30), x and y serve c and d (40 + 10), z nobody.
    found = floating_catchment(TIMES, JOBS, PEOPLE, within_min=15)
    assert found.catchment.to_dict() == {"v": 50, "w": 30, "x": 50, "y": 50, "z": 0}
    assert found.ratio.drop("z").to_dict() == pytest.approx({"v": 100 / 50, "w": 50 / 30, "x": 200 / 50, "y": 10 / 50})
    assert np.isnan(found.ratio["z"])
    # a reaches v and w, b v, c and d x and y
    assert found.access.to_dict() == pytest.approx({"a": 2 + 5 / 3, "b": 2, "c": 4.2, "d": 4.2})
    assert (found.access.index.name, found.ratio.index.name) == ("from_id", "to_id")
    # 30 (2 + 5/3) + 20 · 2 + 50 · 4.2 = 360: all jobs but z's 40
    assert (found.access * PEOPLE).sum() == pytest.approx(360)
    assert (found.supply, found.supply_met, found.supply_unused) == (400, 360, 40)
    assert (found.demand, found.demand_met, found.demand_unserved) == (100, 100, 0)


def test_enhanced_two_steps_are_as_worked_by_hand():
    found = floating_catchment(TIMES, JOBS, PEOPLE, method="e2sfca", bands=BANDS)
    # v: 30 + 20. w: 30/2 + 20/2 + 40/5. x: 30/5 + 20/2 + 40 + 10/2. y: 40 + 10. z: 20/5.
    assert found.catchment.to_dict() == pytest.approx({"v": 50, "w": 33, "x": 61, "y": 50, "z": 4})
    w, x = 50 / 33, 200 / 61
    assert found.access.to_dict() == pytest.approx(
        {
            "a": 2 + w / 2 + x / 5,
            "b": 2 + w / 2 + x / 2 + (40 / 4) / 5,
            "c": w / 5 + x + 10 / 50,
            "d": x / 2 + 10 / 50,
        }
    )


def test_three_steps_are_as_worked_by_hand():
    found = floating_catchment(TIMES, JOBS, PEOPLE, method="3sfca", bands=BANDS)
    # What each may choose from: a 1 + 0.5 + 0.2 = 1.7; b 2.2; c 2.2; d 1.5. a goes to v with 1/1.7 of its choice.
    # v: 30 · (1/1.7) · 1 + 20 · (1/2.2) · 1. z: 20 · (0.2/2.2) · 0.2.
    assert found.catchment["v"] == pytest.approx(30 / 1.7 + 20 / 2.2)
    assert found.catchment["z"] == pytest.approx(20 * 0.2 / 2.2 * 0.2)
    # y: 40 · (1/2.2) + 10 · (1/1.5). x: 30 · 0.2²/1.7 + 20 · 0.5²/2.2 + 40/2.2 + 10 · 0.5²/1.5.
    x = 200 / (30 * 0.04 / 1.7 + 20 * 0.25 / 2.2 + 40 / 2.2 + 10 * 0.25 / 1.5)
    y = 10 / (40 / 2.2 + 10 / 1.5)
    assert found.access["d"] == pytest.approx(x * 0.25 / 1.5 + y / 1.5)
    assert (found.access * PEOPLE).sum() == pytest.approx(400)


def test_larger_places_draw_more_as_worked_by_hand():
    found = floating_catchment(TIMES, JOBS, PEOPLE, method="3sfca", within_min=15, attraction=1)
    # a chooses v (100) and w (50) by 2/3 and 1/3; c and d x (200) and y (10) by 20/21 and 1/21.
    assert found.catchment.to_dict() == pytest.approx(
        {"v": 30 * 2 / 3 + 20, "w": 30 / 3, "x": 50 * 20 / 21, "y": 50 / 21, "z": 0}
    )
    # a: (100/40) · 2/3 + (50/10) · 1/3; c and d: 4.2 in both, as the choice follows supply
    assert found.access.to_dict() == pytest.approx({"a": 5 / 3 + 5 / 3, "b": 2.5, "c": 4.2, "d": 4.2})


def test_balanced_is_as_worked_by_hand():
    found = floating_catchment(TIMES, JOBS, PEOPLE, method="balanced", within_min=15)
    # a's 30 go to v and w in halves, b's 20 to v; c's 40 and d's 10 to x and y in halves.
    assert found.catchment.to_dict() == {"v": 35, "w": 15, "x": 25, "y": 25, "z": 0}
    # v's level of service is for a and b in halves, w's for a; x's and y's for c and d in halves
    by_hand = {"a": 100 / 35 / 2 + 50 / 15, "b": 100 / 35 / 2, "c": 8 / 2 + 0.4 / 2, "d": 8 / 2 + 0.4 / 2}
    assert found.access.to_dict() == pytest.approx(by_hand)


def test_balanced_with_weights_is_as_worked_by_hand():
    found = floating_catchment(TIMES, JOBS, PEOPLE, method="balanced", bands=BANDS)
    # z is chosen by b alone, with 0.2 of 2.2: 20/11 people for 40 jobs, and only b has a claim on it
    assert found.catchment["z"] == pytest.approx(20 / 11)
    # v: a 30/1.7, b 20/2.2, each with half a claim
    v = 100 / (30 / 1.7 + 20 / 2.2)
    shares = WEIGHTS / WEIGHTS.sum(axis=0)
    chosen = (WEIGHTS / WEIGHTS.sum(axis=1, keepdims=True) * PEOPLE.to_numpy()[:, None]).sum(axis=0)
    assert found.ratio["v"] == pytest.approx(v)
    assert found.access.tolist() == pytest.approx((shares * (JOBS.to_numpy() / chosen)).sum(axis=1))


def test_a_decay_may_be_cut_off():
    decay = Decay.halving("exponential", 10)
    cut = floating_catchment(TIMES, JOBS, PEOPLE, method="e2sfca", decay=decay, within_min=15)
    # y: 40 · 2^-0.5 + 10/2; w is 15 from a and too far from the others
    assert cut.catchment[["w", "y"]].tolist() == pytest.approx([30 * 2**-1.5, 40 * 2**-0.5 + 5])
    assert cut.weights.endswith("; 0 beyond 15 min")
    shorter = Decay.halving("exponential", 10, within_min=10)
    both = floating_catchment(TIMES, JOBS, PEOPLE, method="e2sfca", decay=shorter, within_min=15)
    assert both.catchment["w"] == 0


def test_places_of_nothing_and_homes_of_nobody_take_no_share():
    jobs, people = JOBS * [1, 1, 1, 0, 1], PEOPLE * [1, 0, 1, 1]
    for method in ("3sfca", "balanced"):
        found = floating_catchment(TIMES, jobs, people, method=method, within_min=15)
        # c and d have y near, but nothing is there: all go to x
        assert found.catchment[["x", "y"]].tolist() == [50, 0]
        assert np.isnan(found.ratio["y"])
    # b, where nobody lives, has no claim on v: a has it all
    assert found.access["a"] == pytest.approx(100 / 15 + 50 / 15)
    assert np.isnan(found.access["b"])
    told = found.left_out.set_index("id")
    assert told.loc["b", ["side", "amount", "status"]].tolist() == ["from", 0, "not_applicable"]
    # with two steps b's access is what somebody moving there would have
    assert floating_catchment(TIMES, jobs, people, within_min=15).access["b"] == pytest.approx(100 / 30)


# ---------------------------------------------------------------- who has no part


def test_who_has_no_part_is_said_with_the_reason():
    minutes = [[*row[:4], NO] for row in MEDIAN[:2]] + [[NO, NO, NO, NO, NO], [0, NO, NO, NO, NO]]
    times = as_times(minutes, unsnapped=off_the_street(("from", "d"), ("to", "z")))
    found = floating_catchment(times, JOBS, PEOPLE, within_min=15)
    told = found.left_out.set_index(["side", "id"])
    assert told.loc[("from", "c"), ["amount", "status"]].tolist() == [40, "not_reached"]
    assert told.loc[("from", "d"), ["amount", "status", "reason"]].tolist() == [
        10,
        "out_of_scope",
        "no street within 1,600 m",
    ]
    assert told.loc[("to", "z"), ["amount", "status"]].tolist() == [40, "out_of_scope"]
    assert sorted(told.loc["to"].index) == ["x", "y", "z"]
    # d is at v at once, by its name alone, and burdens it with nobody
    assert found.catchment["v"] == 50
    assert found.access["c"] == 0
    assert np.isnan(found.access["d"])
    assert found.lines() == [
        "Two-step floating catchment; weight by travel time: steps: 1 up to 15 min, then 0.",
        "50 of 100 demand (50.0%) reaches no supply.",
        "Of it 10 at 1 point(s) on no street: nothing is known of these.",
        "250 of 400 supply (62.5%) is where no demand comes.",
        "Of it 40 at 1 point(s) on no street: nothing is known of these.",
    ]
    assert repr(found) == "FloatingCatchment(2sfca, 4 x 5, 50.0% of demand served)"


def test_nobody_at_all_is_no_fault():
    for method in CATCHMENTS:
        options = {"bands": BANDS} if method == "e2sfca" else {"within_min": 15}
        found = floating_catchment(TIMES, JOBS, PEOPLE * 0, method=method, **options)
        assert found.demand_met == 0
        assert found.supply_met == 0
        assert found.ratio.isna().all()
    assert "nothing of demand served" in repr(found)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "4sfca"}, "method cannot be '4sfca'. Expected: one of '2sfca', 'e2sfca', '3sfca', 'balanced'"),
        ({}, "'2sfca' is asked for with no weights. Expected: within_min"),
        ({"bands": BANDS}, "'2sfca' is asked for with bands"),
        ({"method": "e2sfca", "within_min": 15}, "Expected: decay; or within_min and decay; or bands"),
        ({"method": "3sfca", "within_min": 15, "bands": BANDS}, "'3sfca' is asked for with within_min and bands"),
        ({"method": "balanced", "decay": "gaussian"}, "decay is a str"),
        ({"method": "e2sfca", "bands": {20: 1, 10: 2}}, "weights of the steps"),
        ({"method": "e2sfca", "bands": {}}, "'step' needs steps"),
        ({"within_min": (15, 30)}, "several catchments are asked for"),
        ({"within_min": -5}, "within_min cannot be -5"),
        ({"within_min": 15, "attraction": 1}, "attraction has no part in '2sfca'"),
        ({"method": "3sfca", "within_min": 15, "attraction": -1}, "attraction cannot be -1"),
        ({"within_min": 15, "percentile": 90}, "the 90th percentile was not computed"),
        ({"within_min": 15, "percentile": (50,)}, "several percentiles"),
    ],
)
def test_methods_and_weights_that_do_not_go_together_are_refused_in_words(options, words):
    with pytest.raises(InputError) as caught:
        floating_catchment(TIMES, JOBS, PEOPLE, **options)
    assert words in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(InputError) as caught:
        floating_catchment(TIMES, JOBS.drop("v"), PEOPLE * -1, method="4sfca", attraction=-2)
    told = str(caught.value)
    for words in ("1 of the 5 destinations have no amount", "below 0", "4sfca", "attraction cannot be -2"):
        assert words in told


def test_a_catchment_beyond_what_was_computed_is_refused():
    times = as_times(MEDIAN, record={"asked": {"most_s": 1200}})
    with pytest.raises(InputError, match="computed up to 20 minutes only, not '30'"):
        floating_catchment(times, JOBS, PEOPLE, within_min=30)
    with pytest.raises(InputError, match="key 'bands': the travel times were computed up to 20"):
        floating_catchment(times, JOBS, PEOPLE, method="balanced", bands=BANDS)


# ---------------------------------------------------------------- laws

WAYS = [
    ("2sfca", {"within_min": 30}),
    ("e2sfca", {"bands": BANDS}),
    ("e2sfca", {"decay": Decay.halving("exponential", 15)}),
    ("3sfca", {"decay": Decay.halving("gaussian", 15)}),
    ("3sfca", {"within_min": 40, "attraction": 1.0}),
    ("balanced", {"within_min": 30}),
    ("balanced", {"decay": Decay.halving("power", 15)}),
]


@settings(deadline=None)
@given(towns(), st.sampled_from([way for way in WAYS if way[0] != "balanced"]))
def test_shares_of_people_add_to_the_supply_that_anybody_reaches(town, way):
    times, supply, people = town
    found = floating_catchment(times, supply, people, method=way[0], **way[1])
    assert (found.access * people).sum() == pytest.approx(found.supply_met)
    assert found.supply_met <= found.supply


@settings(deadline=None)
@given(towns(), st.sampled_from([way for way in WAYS if way[0] == "balanced"]))
def test_balanced_conserves_demand_and_level_of_service(town, way):
    times, supply, people = town
    found = floating_catchment(times, supply, people, method=way[0], **way[1])
    assert found.catchment.sum() == pytest.approx(found.demand_met)
    assert found.access.sum() == pytest.approx(found.ratio.sum())


@settings(deadline=None)
@given(towns(), st.sampled_from(WAYS), st.randoms(use_true_random=False))
def test_the_order_of_ids_does_not_matter(town, way, random):
    times, supply, people = town
    homes, places = list(times.from_ids), list(times.to_ids)
    random.shuffle(homes)
    random.shuffle(places)
    found = floating_catchment(times, supply, people, method=way[0], **way[1])
    turned = floating_catchment(times.between(homes, places), supply, people, method=way[0], **way[1])
    pd.testing.assert_series_equal(found.access, turned.access[times.from_ids], check_exact=False, rtol=1e-9)
    pd.testing.assert_series_equal(found.ratio, turned.ratio[times.to_ids], check_exact=False, rtol=1e-9)


@settings(deadline=None)
@given(towns(), st.sampled_from(WAYS), st.data())
def test_more_supply_where_it_is_never_lowers_access(town, way, data):
    times, supply, people = town
    if way[1].get("attraction"):
        return  # a larger place draws people from others
    place = data.draw(st.sampled_from(list(supply.index)))
    if supply[place] == 0 and way[0] in {"3sfca", "balanced"}:
        return  # a new place takes shares from others
    more = supply.copy()
    more[place] += 50
    before = floating_catchment(times, supply, people, method=way[0], **way[1]).access
    after = floating_catchment(times, more, people, method=way[0], **way[1]).access
    assert (after.dropna() >= before.dropna() - 1e-9).all()


@settings(deadline=None)
@given(towns())
def test_a_home_without_rivals_has_what_it_reaches(town):
    times, supply, people = town
    alone = TravelTimes(times.from_ids[:1], times.to_ids, (50,), times.seconds[:1])
    one = people.iloc[:1] * 0 + 10
    found = floating_catchment(alone, supply, one, method="e2sfca", decay=Decay.step(30))
    assert found.access.iloc[0] * 10 == pytest.approx(gravity(alone, supply, Decay.step(30)).iloc[0])


# ---------------------------------------------------------------- beside PySAL


def in_their_form(times, supply, people):
    pairs = times.to_frame().rename(columns={"from_id": "origin", "to_id": "dest", "minutes": "cost"})
    demand = pd.DataFrame({"geoid": people.index, "demand": people.to_numpy()})
    offered = pd.DataFrame({"geoid": supply.index, "supply": supply.to_numpy()}).set_index("geoid", drop=False)
    offered.index.name = None
    return demand, offered, pairs


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(2019)
    seconds = (rng.integers(0, 91, (60, 40, 1)) * 60).astype(np.uint16)
    seconds[rng.random(seconds.shape) < 0.2] = 65535
    homes, places = [f"h{n:02}" for n in range(60)], [f"p{n:02}" for n in range(40)]
    supply = pd.Series(rng.integers(1, 300, 40), index=places).astype(float)
    people = pd.Series(rng.integers(1, 900, 60), index=homes).astype(float)
    return TravelTimes(homes, places, (50,), seconds), supply, people


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # theirs
@pytest.mark.parametrize("town", ["small", "large"])
def test_the_family_is_as_pysal_has_it(town, large):
    pytest.importorskip("access", reason="PySAL's access is not installed: pip install access")
    from access import weights  # noqa: PLC0415  a peer, where it is installed
    from access.fca import three_stage_fca, two_stage_fca  # noqa: PLC0415  same

    times, supply, people = large if town == "large" else (TIMES, JOBS, PEOPLE)
    banded = weights.step_fn(BANDS)
    bell = weights.gaussian(20)
    for ours, theirs in (
        (
            floating_catchment(times, supply, people, within_min=30),
            lambda *tables: two_stage_fca(*tables, max_cost=30),
        ),
        (
            floating_catchment(times, supply, people, method="e2sfca", bands=BANDS),
            lambda *tables: two_stage_fca(*tables, max_cost=30, weight_fn=banded),
        ),
        (
            floating_catchment(times, supply, people, method="e2sfca", decay=Decay.gaussian(20), within_min=45),
            lambda *tables: two_stage_fca(*tables, max_cost=45, weight_fn=bell),
        ),
        (
            floating_catchment(times, supply, people, method="3sfca", bands=BANDS),
            lambda *tables: three_stage_fca(*tables, max_cost=30, weight_fn=banded),
        ),
    ):
        expected = theirs(*in_their_form(times, supply, people)).reindex(times.from_ids)
        assert ours.access.to_numpy() == pytest.approx(expected.fillna(0).to_numpy(), rel=1e-6)
        assert (ours.access > 0).any()
