"""Optimised selection: the best choice by going through all of them, and every way in which there is none."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from grids import grid
from hypothesis import given, settings, strategies as st

from geoplan.errors import IdError, InputError, SpecError, TableError
from geoplan.risk import neighbours
from geoplan.targeting import branching
from geoplan.targeting.selection import choose_areas

NEED = pd.Series({"a": 90, "b": 10, "c": 60, "d": 50, "e": 80}).rename_axis("area_id")
ROW = pd.DataFrame({"area_id": list("abcd"), "neighbour_id": list("bcde")})
PEOPLE = pd.Series({"a": 1000, "b": 500, "c": 700, "d": 300, "e": 0})
TOWNS = pd.Series({"a": "North", "b": "North", "c": "North", "d": "South", "e": "South"})


# ---------------------------------------------------------------- the best of all


def parts_of(areas, pairs):
    """Return the connected groups of areas, by plain search."""
    left, parts = set(areas), []
    while left:
        part, edge = set(), {min(left)}
        while edge:
            part |= edge
            edge = {b for a, b in pairs if a in edge and b in left} - part
        parts.append(part)
        left -= part
    return parts


def keeps(areas, case):
    """Tell whether a set of areas keeps the rules, in the words of the documentation."""
    if not areas or not set(case["fixed_in"]) <= areas or areas & set(case["fixed_out"]):
        return False
    k, budget, least = case.get("k"), case.get("budget"), case.get("minimum_population")
    if k is not None and (len(areas) > k or (case.get("exactly") and len(areas) < k)):
        return False
    if budget is not None and sum(case["cost"][area] for area in areas) > budget:
        return False
    groups = [{area} for area in areas]
    if case.get("neighbours") is not None:
        pairs = set(case["neighbours"][["area_id", "neighbour_id"]].itertuples(index=False, name=None))
        groups = parts_of(areas, pairs | {(b, a) for a, b in pairs})
    if case.get("groups") is not None and len(groups) > case["groups"]:
        return False
    if least is not None and any(sum(case["population"][area] for area in group) < least for group in groups):
        return False
    wanted = case.get("at_least")
    if isinstance(wanted, int):
        wanted = dict.fromkeys(case["within"], wanted)
    counts = case["within"][sorted(areas)].value_counts() if wanted else {}
    return all(counts.get(town, 0) >= number for town, number in (wanted or {}).items())


def best_of_all(need, case):
    """Return the most need that any set of areas reaches, or None when none keeps the rules."""
    sets = (set(some) for size in range(1, len(need) + 1) for some in combinations(need.index, size))
    reached = [sum(need[area] for area in some) for some in sets if keeps(some, case)]
    return max(reached, default=None)


@st.composite
def cases(draw):
    """Draw up to nine areas and any of the rules."""
    size = draw(st.integers(2, 9))
    codes = [f"A{number}" for number in draw(st.permutations(range(size)))]

    def figures(high):
        return pd.Series(draw(st.lists(st.integers(0, high), min_size=size, max_size=size)), index=codes)

    need = figures(40)
    need.iloc[0] += 1
    chance = st.booleans()
    case = {"fixed_in": [], "fixed_out": []}
    by_number = draw(chance)
    if by_number:
        case |= {"k": draw(st.integers(1, size)), "exactly": draw(st.sampled_from([False, False, True]))}
    if not by_number or draw(chance):
        case |= {"cost": figures(20), "budget": draw(st.integers(1, 60))}
    if draw(st.sampled_from([True, True, False])):
        every = list(combinations(codes, 2))
        pairs = draw(st.lists(st.sampled_from(every), max_size=2 * size))
        case["neighbours"] = pd.DataFrame(pairs, columns=["area_id", "neighbour_id"])
        if draw(chance):
            case["groups"] = draw(st.integers(1, 3))
    if draw(chance):
        case |= {"population": figures(30), "minimum_population": draw(st.integers(1, 60))}
    if draw(chance):
        case["within"] = pd.Series([draw(st.sampled_from("XY")) for _ in codes], index=codes)
        one = st.integers(0, 2)
        case["at_least"] = draw(one | st.dictionaries(st.sampled_from(sorted(set(case["within"]))), one))
    fixed = draw(st.lists(st.sampled_from(codes), max_size=2, unique=True))
    case["fixed_in" if draw(chance) else "fixed_out"] = fixed
    return need, case


@settings(max_examples=200)
@given(cases())
def test_the_choice_is_the_best_of_all_there_are(drawn):
    need, case = drawn
    best = best_of_all(need, case)
    if best is None:
        with pytest.raises(SpecError):
            choose_areas(need, **case)
        return
    found = choose_areas(need, **case)
    assert keeps(set(found.chosen), case)
    assert found.reached == best == need[list(found.chosen)].sum()
    assert (found.bound, found.gap, found.status) == (best, 0, "proven best")
    assert found.share == pytest.approx(best / need.sum())
    assert list(found.table.index) == list(need.index)


@settings(max_examples=60)
@given(cases().filter(lambda drawn: "neighbours" in drawn[1]))
def test_the_choice_is_the_best_where_branches_are_split_to_the_end(drawn):
    need, case = drawn
    best = best_of_all(need, case)
    # So few areas are left to the solver at once elsewhere: no bound, cut or split would ever be tried.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(branching, "_FEW", 0)
        patch.setattr(branching, "_FEW_LOOSE", 0)
        if best is None:
            with pytest.raises(SpecError):
                choose_areas(need, **case)
            return
        found = choose_areas(need, **case)
    assert keeps(set(found.chosen), case)
    assert (found.reached, found.bound, found.status) == (best, best, "proven best")


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_one_group_is_the_best_of_all_where_branches_are_split_to_the_end(seed):
    rng = np.random.default_rng(seed)
    size, k = 14, int(rng.integers(3, 7))
    codes = [f"A{number:02}" for number in range(size)]
    # A tree and some more: areas of much need lie far apart, so that relaxations take parts of them.
    pairs = [(codes[rng.integers(0, one)], codes[one]) for one in range(1, size)]
    pairs += [tuple(codes[end] for end in rng.choice(size, 2, replace=False)) for _ in range(4)]
    need = pd.Series(rng.integers(1, 40, size) * rng.choice([1, 5], size), index=codes)
    case = {"k": k, "groups": 1, "neighbours": pd.DataFrame(pairs, columns=["area_id", "neighbour_id"])}
    case |= {"fixed_in": [], "fixed_out": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(branching, "_FEW", 0)
        patch.setattr(branching, "_FEW_LOOSE", 0)
        found = choose_areas(need, **case)
    sets = (set(some) for some in combinations(codes, k))
    best = max(need[list(some)].sum() for some in sets if keeps(some, case))
    assert keeps(set(found.chosen), case)
    assert (found.reached, found.bound, found.status) == (best, best, "proven best")


@settings(max_examples=30)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(drawn, random):
    need, case = drawn
    if best_of_all(need, case) is None:
        return
    turned = {key: shuffled(value, random) if hasattr(value, "sample") else value for key, value in case.items()}
    one, other = choose_areas(need, **case), choose_areas(shuffled(need, random), **turned)
    pd.testing.assert_frame_equal(one.table, other.table.loc[one.table.index])
    pd.testing.assert_frame_equal(one.limits, other.limits)
    assert one.lines()[:4] == other.lines()[:4]


def shuffled(values, random):
    return values.sample(frac=1, random_state=random.randrange(1000))


@settings(max_examples=40)
@given(cases(), st.floats(1e-4, 1e4))
def test_fractions_of_people_are_chosen_as_exactly(drawn, unit):
    need, case = drawn
    need = (need + need.rank(method="first") / 7) * unit
    best = best_of_all(need, case)
    if best is not None:
        assert choose_areas(need, **case).reached == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_larger_cities_hold_together_and_are_proven(seed):
    rng = np.random.default_rng(seed)
    areas = grid(8, 8)
    pairs = neighbours(areas)
    need = pd.Series(rng.integers(10, 300, 64), index=areas.index)
    people = pd.Series(rng.integers(300, 900, 64), index=areas.index)
    case = {"k": 10, "neighbours": pairs, "groups": 2, "population": people, "minimum_population": 2500}
    found = choose_areas(need, **case)
    assert keeps(set(found.chosen), case | {"neighbours": pairs.pairs, "fixed_in": [], "fixed_out": []})
    assert found.status == "proven best"
    assert set(found.table["group"].dropna()) <= {1, 2}
    by_group = found.table.groupby("group")["need"].sum()
    assert by_group.is_monotonic_decreasing
    # The best is no worse than leaving a rule out allows, and no rule less is worse.
    assert found.reached <= choose_areas(need, **(case | {"groups": 3})).reached <= need.nlargest(10).sum()


def test_the_result_of_neighbours_and_its_pairs_are_the_same():
    areas = grid(3, 3)
    near = neighbours(areas)
    need = pd.Series(range(1, 10), index=areas.index)
    one = choose_areas(need, k=3, neighbours=near, groups=1)
    pd.testing.assert_frame_equal(one.table, choose_areas(need, k=3, neighbours=near.pairs, groups=1).table)


# ---------------------------------------------------------------- what is told


def test_what_is_told_of_every_rule():
    found = choose_areas(
        NEED,
        k=3,
        budget=10,
        cost=pd.Series(dict.fromkeys("abcde", 3)),
        population=PEOPLE,
        minimum_population=300,
        neighbours=ROW,
        groups=2,
        within=TOWNS,
        at_least=1,
        fixed_out=["b"],
    )
    assert found.chosen == ("a", "d", "e")
    assert found.table["group"].tolist() == [2, pd.NA, pd.NA, 1, 1]
    assert found.limits.to_numpy().tolist() == [
        ["k", "", 3, 3, True],
        ["budget", "", 9, 10, True],
        ["groups", "", 2, 2, True],
        ["minimum_population", "group 1", 300, 300, False],
        ["minimum_population", "group 2", 1000, 300, True],
        ["at_least", "North", 1, 1, True],
        ["at_least", "South", 2, 1, False],
    ]
    assert found.lines(names={"a": "Harbour"}) == [
        "3 areas are chosen, with 220 of 290 people in need (75.9 %)",
        "No choice that keeps the rules reaches more",
        (
            "Rules: at most 3 areas; a cost of at most 10; at most 2 connected groups; at least 300 residents in each "
            "connected group; at least 1 area of each of 2 municipalities; 1 area fixed out"
        ),
        (
            "No room is left by k (3 of 3); budget (9 of 10); groups (2 of 2); minimum_population in group 2 (1,000 of "
            "300); at_least in North (1 of 1)"
        ),
        "Group 1: 'd', 'e'",
        "Group 2: 'Harbour'",
    ]


def test_a_minimum_is_of_each_area_without_neighbours():
    assert choose_areas(NEED, k=2, population=PEOPLE, minimum_population=500).chosen == ("a", "c")
    asked = {"k": 3, "population": PEOPLE, "minimum_population": 1000, "fixed_out": ["a"]}
    assert choose_areas(NEED, **asked, neighbours=ROW).chosen == ("c", "d", "e")
    with pytest.raises(SpecError, match="the largest area has 700 residents, and 1,000 are asked for"):
        choose_areas(NEED, **asked)


def test_an_area_without_need_is_chosen_only_when_a_rule_asks_for_it():
    need = pd.Series({"a": 5, "b": 0, "c": 5, "d": 0})
    assert choose_areas(need, k=3).chosen == ("a", "c")
    assert choose_areas(need, k=3, exactly=True).table["chosen"].sum() == 3
    pairs = pd.DataFrame({"area_id": ["a", "b"], "neighbour_id": ["b", "c"]})
    assert choose_areas(need, k=4, neighbours=pairs, groups=1).chosen == ("a", "b", "c")


def test_a_budget_is_kept_to_the_last_digit():
    tenths = pd.Series({"a": 0.1, "b": 0.2, "c": 0.3000001})
    need = pd.Series({"a": 5, "b": 5, "c": 11})
    assert choose_areas(need, budget=0.3, cost=tenths).chosen == ("a", "b")


def test_islands_are_groups_by_themselves():
    none = ROW.iloc[:0]
    assert choose_areas(NEED, k=5, neighbours=none, groups=2).chosen == ("a", "e")


def test_a_gap_that_is_asked_for_ends_the_search_there():
    rng = np.random.default_rng(4)
    areas = grid(8, 8)
    need = pd.Series(rng.integers(10, 300, 64), index=areas.index)
    near = neighbours(areas)
    best = choose_areas(need, k=12, neighbours=near, groups=2)
    found = choose_areas(need, k=12, neighbours=near, groups=2, gap=0.2)
    assert found.reached <= best.reached <= found.bound
    assert found.gap == pytest.approx((found.bound - found.reached) / found.bound)
    assert found.gap <= 0.2


def test_a_time_limit_returns_what_was_found_or_says_that_nothing_was():
    rng = np.random.default_rng(5)
    areas = grid(16, 16)
    need = pd.Series(rng.integers(1, 1000, 256), index=areas.index)
    asked = {"k": 40, "neighbours": neighbours(areas), "groups": 2}
    with pytest.raises(SpecError, match=r"no choice was found in 1e-06 s"):
        choose_areas(need, **asked, time_limit_s=1e-6, fixed_in=["r0c0", "r9c9", "r0c9"])
    found = choose_areas(need, **asked, time_limit_s=2)
    assert found.status == "stopped"
    assert 0 < found.gap < 0.5
    assert found.reached < found.bound <= need.nlargest(40).sum()
    assert found.lines()[1].startswith("The time limit struck: no choice reaches more than ")


# ---------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("asked", "key", "said"),
    [
        ({"k": 1, "fixed_in": ["a", "b"]}, "k", "at least 2 areas must be chosen"),
        ({"k": 1, "within": TOWNS, "at_least": 1}, "k", "at least 2 areas must be chosen"),
        ({"k": 5, "within": TOWNS, "at_least": {"South": 3}}, "at_least", "South has 2 area(s) that may be chosen, 3"),
        ({"k": 5, "exactly": True, "fixed_out": ["a"]}, "k", "exactly 5 areas are asked for, and 4 may be chosen"),
        ({"k": 1, "fixed_out": list("abcde")}, "fixed_out", "every area is fixed out"),
        ({"budget": 2, "cost": NEED}, "budget", "the cheapest area costs 10, and the budget is 2"),
        ({"budget": 99, "cost": NEED, "fixed_in": ["a", "b"]}, "budget", "the areas fixed in cost 100, and the budget"),
        (
            {"budget": 30, "cost": NEED, "within": TOWNS, "at_least": 1},
            "budget",
            "the cheapest 2 areas that are asked for cost 60, and the budget is 30",
        ),
        (
            {"k": 2, "population": PEOPLE, "minimum_population": 1001},
            "minimum_population",
            "the largest area has 1,000 residents, and 1,001 are asked for",
        ),
        (
            {"k": 2, "population": PEOPLE, "minimum_population": 2501, "neighbours": ROW},
            "minimum_population",
            "all neighbouring areas taken together have at most 2,500 residents, and 2,501 are asked for",
        ),
        (
            {"k": 2, "population": PEOPLE, "minimum_population": 400, "fixed_in": ["e"]},
            "minimum_population",
            "400 residents are asked for, and areas fixed in have fewer: 'e'",
        ),
        (
            {"k": 3, "neighbours": ROW.iloc[:3], "groups": 1, "fixed_in": ["a", "e"]},
            "groups",
            "the areas fixed in lie in 2 parts with no link between them, and at most 1",
        ),
        (
            {"k": 4, "neighbours": ROW, "groups": 1, "fixed_in": ["a", "e"]},
            "k",
            "the fewest areas that keep the other rules are 5, and at most 4 may be chosen",
        ),
        (
            {"budget": 9, "cost": NEED / NEED * 2, "neighbours": ROW, "groups": 1, "fixed_in": ["a", "e"]},
            "budget",
            "the cheapest choice that keeps the other rules costs 10, and the budget is 9",
        ),
        (
            {"k": 4, "neighbours": ROW, "groups": 1, "fixed_in": ["a", "e"]},
            "groups",
            "without 'at most 1 connected group' there is one",
        ),
        (
            {"k": 4, "exactly": True, "neighbours": ROW[:2], "population": PEOPLE, "minimum_population": 900},
            "k",
            "exactly 4 areas are asked for, and 3 may be chosen",
        ),
        (
            {"k": 2, "exactly": True, "neighbours": ROW, "groups": 1, "fixed_in": ["a", "c"]},
            "k",
            "the fewest areas that keep the other rules are 3, and at most 2 may be chosen",
        ),
        (
            {"k": 3, "exactly": True, "budget": 150, "cost": NEED, "neighbours": ROW, "groups": 1, "fixed_in": ["e"]},
            "k",
            "no choice of exactly 3 areas keeps the other rules; one of 1 does",
        ),
    ],
)
def test_rules_that_cannot_be_kept_are_named_with_figures(asked, key, said):
    with pytest.raises(SpecError) as caught:
        choose_areas(NEED, **asked)
    assert [fault for fault in caught.value.faults if fault.key == key and said in fault.what], str(caught.value)


@pytest.mark.parametrize(
    ("asked", "kind", "key", "said"),
    [
        ({}, SpecError, "k", "neither a number of areas nor a budget"),
        ({"k": 6}, SpecError, "k", "6 areas cannot be chosen of 5"),
        ({"k": 0}, SpecError, "k", "0 is no number"),
        ({"k": True}, SpecError, "k", "True is no number"),
        ({"k": 2.5}, SpecError, "k", "2.5 is no number"),
        ({"k": 2, "groups": 0, "neighbours": ROW}, SpecError, "groups", "0 is no number"),
        ({"k": 2, "groups": 1}, SpecError, "groups", "not which areas are neighbours"),
        ({"budget": 5}, SpecError, "budget", "not what each area costs"),
        ({"budget": -5, "cost": NEED}, SpecError, "budget", "-5 is too little"),
        ({"budget": float("nan"), "cost": NEED}, SpecError, "budget", "nan is too little"),
        ({"k": 2, "minimum_population": 5}, SpecError, "minimum_population", "not how many people"),
        ({"k": 2, "at_least": 1}, SpecError, "at_least", "not in which municipality"),
        ({"k": 2, "at_least": -1, "within": TOWNS}, SpecError, "at_least", "-1 is no number of areas"),
        (
            {"k": 2, "at_least": {"Sooth": 1}, "within": TOWNS},
            SpecError,
            "at_least",
            "no municipality is called 'Sooth'",
        ),
        ({"k": 2, "within": TOWNS[:4], "at_least": 1}, IdError, "within", "1 area(s) are not in it: 'e'"),
        ({"k": 2, "within": TOWNS.replace("South", None), "at_least": 1}, TableError, "within", "lie in no municip"),
        ({"exactly": True, "budget": 5, "cost": NEED}, SpecError, "exactly", "exactly how many"),
        ({"k": 2, "time_limit_s": 0}, SpecError, "time_limit_s", "0 s is no time"),
        ({"k": 2, "gap": 1}, SpecError, "gap", "1 is no part"),
        ({"k": 2, "fixed_in": ["z"]}, IdError, "fixed_in", "1 code(s) are not among the areas: 'z'"),
        ({"k": 2, "fixed_out": "zz"}, IdError, "fixed_out", "1 code(s) are not among the areas: 'zz'"),
        ({"k": 2, "fixed_in": ["a"], "fixed_out": ["a"]}, SpecError, "fixed_in", "'a' must and must not be chosen"),
        ({"k": 2, "neighbours": ROW.rename(columns={"area_id": "x"})}, SpecError, "neighbours", "no column 'area_id'"),
        ({"k": 2, "neighbours": ROW.replace("e", "z")}, IdError, "neighbours", "not among the areas: 'z'"),
        ({"k": 2, "cost": NEED.rename({"a": "z"})}, IdError, "cost", "not among the areas: 'z'"),
        ({"k": 2, "cost": -NEED}, TableError, "cost", "5 area(s) have a figure below 0: 'a'"),
        ({"k": 2, "population": NEED.astype(object).replace(10, "x")}, TableError, "population", "no number: 'b'"),
        ({"k": 2, "cost": pd.concat([NEED, NEED[:1]])}, IdError, "cost", "occur more than once: 'a'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(asked, kind, key, said):
    with pytest.raises(InputError) as caught:
        choose_areas(NEED, **asked)
    assert isinstance(caught.value, kind)
    assert [fault for fault in caught.value.faults if fault.key == key and said in fault.what], str(caught.value)


@pytest.mark.parametrize(
    ("need", "kind", "said"),
    [
        (NEED.iloc[:0], TableError, "there are no areas to choose from"),
        (NEED.astype(float).replace({10: np.nan, 50: np.nan}), TableError, "2 area(s) have no figure: 'b', 'd'"),
        (NEED.replace(60, -1), TableError, "1 area(s) have a figure below 0: 'c'"),
        (NEED.astype(float).replace(60, np.inf), TableError, "1 area(s) have a figure that is no number: 'c'"),
        (NEED * 0, TableError, "nobody is in need"),
        (NEED.rename({"b": "a"}), IdError, "1 area code(s) occur more than once: 'a'"),
        (NEED.rename({"b": None}), IdError, "1 area(s) have no code"),
    ],
)
def test_need_that_is_no_need_is_refused(need, kind, said):
    with pytest.raises(kind) as caught:
        choose_areas(need, k=1)
    assert said in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        choose_areas(NEED.replace(60, -1), k=9, budget=3, groups=2, fixed_in=["y"], gap=2)
    assert {fault.key for fault in caught.value.faults} == {"need", "k", "budget", "groups", "fixed_in", "gap"}
