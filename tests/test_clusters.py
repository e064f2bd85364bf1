"""Spatial patterns: by hand, by counting every permutation, against esda and against figures published from R."""

from __future__ import annotations

from itertools import combinations, permutations as orders

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from esda.geary import Geary
from esda.getisord import G, G_Local
from esda.moran import Moran, Moran_Local
from grids import areas_of, grid, row_of, square_at
from hypothesis import given, settings, strategies as st
from libpysal.examples import get_path
from strategies import SOUTH, WEST

from geoplan.errors import IdError, InputError, SpecError, TableError
from geoplan.risk import CLASSES, global_pattern, local_pattern, neighbours

NINE = grid(3, 3)
TEN = grid(10, 10)
CLASSED = [*CLASSES["moran"], *CLASSES["gi_star"]]


def series(areas, numbers):
    return pd.Series(np.asarray(numbers, dtype=float), index=areas.index)


def random_map(areas, seed):
    return series(areas, np.random.default_rng(seed).normal(size=len(areas)))


# ---------------------------------------------------------------- all in all
#
# Four squares in a row with 1, 1, 3, 3: deviations -1, -1, 1, 1, their squares sum to 4.
#   I, weights 1, ½ ½, ½ ½, 1:  products 1 + 0 + 0 + 1 = 2;          I = (4/4) · 2/4 = 0.5
#   C: squared differences      0 + ½·4 + ½·4 + 0 = 4;               C = 3/(2·4) · 4/4 = 0.375
#   G: neighbours' products     2 · (1·1 + 1·3 + 3·3) = 26;  all pairs (8² - 20) = 44;  G = 26/44


def test_four_squares_by_hand():
    found = global_pattern(series(row_of(4), [1, 1, 3, 3]), neighbours(row_of(4)))
    assert found.measures["statistic"].tolist() == pytest.approx([0.5, 0.375, 26 / 44])
    assert found.measures["expected"].tolist() == pytest.approx([-1 / 3, 1, 6 / 12])  # G: 6 of 12 directed pairs
    assert found.measures["reason"].tolist() == ["", "", ""]
    assert found.areas == 4


def test_p_is_that_of_all_orders():
    numbers = [1.0, 2.0, 4.0, 7.0, 11.0, 20.0]
    areas = row_of(6)
    near = neighbours(areas)
    found = global_pattern(series(areas, numbers), near, permutations=20_000)
    weights = near.graph.transform("R").sparse.toarray()
    every = np.array(list(orders(numbers))) - np.mean(numbers)  # all 720
    chance = ((every @ weights) * every).sum(axis=1) / (every**2).sum(axis=1)
    observed = found.measures.loc["moran", "statistic"]
    tail = min((chance >= observed - 1e-12).mean(), (chance <= observed + 1e-12).mean())
    assert found.measures.loc["moran", "p"] == pytest.approx(2 * tail, abs=4 * 2 * np.sqrt(tail / 20_000))
    assert found.measures.loc["moran", "z"] == pytest.approx((observed - chance.mean()) / chance.std(), abs=0.05)


def test_measures_are_esdas():
    near, values = neighbours(TEN), random_map(TEN, 3) + 10
    values += np.arange(100) / 50  # a slope
    found = global_pattern(values, near, permutations=4999).measures
    esda = {
        name: kind(values, near.graph, permutations=0)
        for name, kind in {"moran": Moran, "geary": Geary, "getis_ord": G}.items()
    }
    assert found["statistic"].tolist() == pytest.approx([esda["moran"].I, esda["geary"].C, esda["getis_ord"].G])
    assert found["expected"].tolist() == pytest.approx([esda["moran"].EI, 1, esda["getis_ord"].EG])
    # z by permutation against the moments under randomisation
    assert found.loc["moran", "z"] == pytest.approx(esda["moran"].z_rand, abs=0.2)
    assert found.loc["geary", "z"] == pytest.approx(esda["geary"].z_rand, abs=0.2)
    assert found.loc["getis_ord", "z"] == pytest.approx(esda["getis_ord"].z_norm, abs=0.2)


@pytest.fixture(scope="module")
def columbus():
    """The 49 neighbourhoods of Columbus, Ohio (Anselin 1988), their digitiser's units read as kilometres."""
    frame = gpd.read_file(get_path("columbus.shp")).set_index("POLYID")
    moved = frame.geometry.scale(1000, 1000, origin=(0, 0)).translate(WEST, SOUTH)
    areas = gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=moved).set_crs(3006)
    areas.index = areas.index.astype(int).astype(str)
    return areas


def test_columbus_is_as_r_has_it(columbus):
    # spdep's moran.test(columbus$CRIME, queen, style = "W"), as printed in R courses:
    #   I 0.500188557, expectation -0.020833333, variance 0.008689289, standard deviate 5.5894
    near = neighbours(columbus)
    assert near.graph.n_edges == 236  # the neighbours Anselin's columbus.gal lists
    found = global_pattern(columbus["CRIME"], near, permutations=9999).measures.loc["moran"]
    assert found["statistic"] == pytest.approx(0.500188557, abs=5e-10)
    assert found["expected"] == pytest.approx(-0.020833333, abs=5e-10)
    assert found["z"] == pytest.approx(5.5894, abs=0.2)
    assert found["p"] == 2 / 10_000


def test_what_is_left_out_is_listed_and_said():
    areas = areas_of(**{code: square_at(place, 0) for place, code in enumerate("abcdef")}, g=square_at(9, 0))
    values = series(areas, [1, 1, 3, 3, np.nan, 5, 9])
    found = global_pattern(values, neighbours(areas, islands="keep"))
    assert (found.missing, found.islands, found.areas) == (("e",), ("f", "g"), 4)
    assert found.measures.loc["moran", "statistic"] == pytest.approx(0.5)
    assert found.lines() == [
        "Moran's I is 0.5 (-0.333 expected by chance); p = 0.68 in 999 permutations of 4 areas",
        "Geary's C is 0.375 (1 expected by chance); p = 0.68 in 999 permutations of 4 areas",
        "Getis and Ord's G is 0.591 (0.5 expected by chance); p = 0.98 in 999 permutations of 4 areas",
        "1 area has no value and is left out: 'e'",
        "2 areas have no neighbour with a value and are left out: 'f', 'g'",
    ]


@pytest.mark.parametrize(
    ("numbers", "reasons"),
    [
        ([5] * 9, ["all_equal"] * 3),
        ([0] * 9, ["all_equal"] * 3),
        ([1, 2, 3, *[np.nan] * 6], ["too_few_areas"] * 3),
        ([np.nan] * 9, ["too_few_areas"] * 3),
        ([-1, 2, 3, 4, 5, 6, 7, 8, 9], ["", "", "negative_values"]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 9], ["", "", "fewer_than_two_above_zero"]),
    ],
)
def test_what_has_no_measure_has_a_reason(numbers, reasons):
    found = global_pattern(series(NINE, numbers), neighbours(NINE))
    assert found.measures["reason"].tolist() == reasons
    assert found.measures.loc[found.measures["reason"] != "", ["statistic", "z", "p"]].isna().all(axis=None)
    assert found.measures.loc[found.measures["reason"] == "", ["statistic", "p"]].notna().all(axis=None)


def test_no_measure_is_said_in_words():
    said = global_pattern(series(NINE, [5] * 9), neighbours(NINE)).lines()
    assert said[0] == "Moran's I is not defined: all equal"


def test_one_area_has_no_pattern():
    near = neighbours(row_of(1))
    assert global_pattern(series(row_of(1), [3]), near).measures["reason"].tolist() == ["too_few_areas"] * 3
    assert local_pattern(series(row_of(1), [3]), near)[["class", "reason"]].to_numpy().tolist() == [
        ["no class", "no_neighbour"]
    ]


# ---------------------------------------------------------------- area by area


VALUES = series(NINE, [1, 2, 4, 8, 16, 23, 42, 30, 60])


def surroundings_of(near, values, place):
    """Return the mean around an area, and that of every way to deal the others' values out around it."""
    codes = values.index
    own = [codes.get_loc(code) for code in near.pairs.loc[near.pairs["area_id"] == codes[place], "neighbour_id"]]
    others = [number for at, number in enumerate(values) if at != place]
    every = np.array([np.mean(chosen) for chosen in combinations(others, len(own))])
    return np.mean(values.iloc[own]), every


@pytest.mark.parametrize("place", range(9))
def test_local_moran_by_counting_every_permutation(place):
    near = neighbours(NINE)
    found = local_pattern(VALUES, near, permutations=50_000, false_discovery=False).iloc[place]
    around, every = surroundings_of(near, VALUES, place)
    assert found["surroundings"] == pytest.approx(around)
    z = (VALUES.iloc[place] - VALUES.mean()) / VALUES.std(ddof=0)
    assert found["statistic"] == pytest.approx(8 / 9 * z * (around - VALUES.mean()) / VALUES.std(ddof=0))
    sign = np.sign(z)
    expected = sign * (around - every.mean()) / every.std() if len(every) > 1 else np.nan
    assert found["z"] == pytest.approx(expected, nan_ok=True, abs=1e-9)  # the middle has all others around it
    tail = min((every >= around - 1e-9).mean(), (every <= around + 1e-9).mean())
    assert found["p"] == pytest.approx(min(1, 2 * tail), abs=5 * 2 * np.sqrt(tail / 50_000) + 1e-4)
    assert found["neighbours"] == [3, 5, 3, 5, 8, 5, 3, 5, 3][place]


@pytest.mark.parametrize("place", range(9))
def test_gi_star_by_its_formula(place):
    near = neighbours(NINE)
    found = local_pattern(VALUES, near, method="gi_star").iloc[place]
    own = [VALUES.iloc[place], *VALUES[near.pairs.loc[near.pairs["area_id"] == VALUES.index[place], "neighbour_id"]]]
    n, m, mean, spread = 9, len(own), VALUES.mean(), VALUES.std(ddof=0)
    expected = (sum(own) - m * mean) / (spread * np.sqrt((n * m - m**2) / (n - 1))) if m < n else np.nan
    assert found["z"] == pytest.approx(expected, nan_ok=True)  # the middle has all nine around it: no deviation
    assert found["effect"] == pytest.approx((np.mean(own) - mean) / spread, abs=1e-12)


def test_local_measures_are_esdas():
    near, values = neighbours(TEN), random_map(TEN, 5)
    moran, star = (local_pattern(values, near, method=method) for method in ("moran", "gi_star"))
    theirs = Moran_Local(values, near.graph, permutations=0)
    assert moran["statistic"].tolist() == pytest.approx(theirs.Is.tolist())
    lifted = values - values.min() + 1  # G divides by the sum
    assert star["z"].tolist() == pytest.approx(
        G_Local(lifted, near.graph, transform="B", star=True, permutations=0).Zs.tolist()
    )
    pd.testing.assert_series_equal(moran["p"], star["p"])  # both ask the same of the surroundings


@pytest.mark.slow  # esda's own loop takes 20 s to compile
@pytest.mark.filterwarnings("ignore:The alternative hypothesis:DeprecationWarning")
def test_p_is_twice_esdas_one_sided():
    near, values = neighbours(TEN), random_map(TEN, 5)
    ours = local_pattern(values, near, permutations=9999)["p"]
    theirs = Moran_Local(values, near.graph, permutations=9999, seed=1, n_jobs=1, keep_simulations=False).p_sim
    assert (ours - np.minimum(1, 2 * theirs)).abs().max() < 5 * 2 * np.sqrt(0.25 / 9999) * np.sqrt(2)


def hot_corner(areas=TEN):
    """Return noise with a block of 3 × 3 high values in a corner and one of low values in the other."""
    values = random_map(areas, 7)
    for row in range(3):
        for column in range(3):
            values[f"r{row}c{column}"] += 6
            values[f"r{9 - row}c{9 - column}"] -= 6
    return values


def test_blocks_are_found_where_they_are():
    found = local_pattern(hot_corner(), neighbours(TEN))
    high = set(found.index[found["class"] == "high among high"])
    assert {"r0c0", "r0c1", "r1c0", "r1c1"} <= high <= {f"r{r}c{c}" for r in range(3) for c in range(3)}
    low = set(found.index[found["class"] == "low among low"])
    assert {"r9c9", "r9c8", "r8c9", "r8c8"} <= low <= {f"r{9 - r}c{9 - c}" for r in range(3) for c in range(3)}
    star = local_pattern(hot_corner(), neighbours(TEN), method="gi_star")
    assert {"r0c0", "r1c1"} <= set(star.index[star["class"] == "hot"])
    assert {"r9c9", "r8c8"} <= set(star.index[star["class"] == "cold"])
    assert set(star["class"]) == {"hot", "cold", "not distinguishable"}
    assert set(star.loc[star["class"].isin(["hot", "cold"]), "reason"]) == {""}


def test_areas_unlike_their_surroundings_are_told():
    values = hot_corner()
    values["r1c1"], values["r8c8"] = -5, 5
    found = local_pattern(values, neighbours(TEN))
    assert found.loc[["r1c1", "r8c8"], "class"].tolist() == ["low among high", "high among low"]
    # Gi* asks of the area and its neighbours together, and does not tell the one from the others.
    assert local_pattern(values, neighbours(TEN), method="gi_star").loc["r1c1", "class"] == "hot"


def test_p_alone_makes_no_class():
    values = hot_corner()
    values["r1c1"] = values.drop(index="r1c1").mean() + 0.01  # a hair above the mean, among high neighbours
    found = local_pattern(values, neighbours(TEN))
    assert found.loc["r1c1", "significant"]
    assert found.loc["r1c1", ["class", "reason"]].tolist() == ["not distinguishable", "close_to_mean"]
    eager = local_pattern(values, neighbours(TEN), minimum_effect=0)
    assert eager.loc["r1c1", "class"] == "high among high"


def test_an_area_is_not_hot_by_itself_among_cold_neighbours():
    values = hot_corner()
    values["r8c8"] = 200.0  # so high that the mean with its neighbours is high, too
    found = local_pattern(values, neighbours(TEN), method="gi_star", minimum_effect=0, alpha=0.3)
    assert found.loc["r8c8", "effect"] > 0.5
    assert found.loc["r8c8", "significant"]
    assert found.loc["r8c8", ["class", "reason"]].tolist() == ["not distinguishable", "may_be_chance"]


def test_a_missing_area_has_no_class_and_is_nobodys_neighbour():
    values = hot_corner()
    values["r1c1"] = np.nan
    found = local_pattern(values, neighbours(TEN))
    row = found.loc["r1c1"]
    assert row[["class", "reason", "significant", "neighbours"]].tolist() == ["no class", "value_missing", False, 0]
    assert row[["value", "surroundings", "statistic", "z", "p", "effect"]].isna().all()
    assert found.loc["r0c0", "neighbours"] == 2
    assert found.loc["r0c0", "surroundings"] == pytest.approx(values[["r0c1", "r1c0"]].mean())
    assert list(found.index) == list(TEN.index)


def test_an_area_alone_has_no_class_and_keeps_its_value():
    areas = pd.concat([TEN, areas_of(far=square_at(50, 0))])
    values = pd.concat([hot_corner(), pd.Series({"far": 4.0})])
    found = local_pattern(values, neighbours(areas, islands="keep"))
    assert found.loc["far", ["value", "class", "reason"]].tolist() == [4.0, "no class", "no_neighbour"]
    pd.testing.assert_frame_equal(found.drop(index="far"), local_pattern(hot_corner(), neighbours(TEN)))
    joined = local_pattern(values, neighbours(areas))
    assert joined.loc["far", "reason"] != "no_neighbour"


def test_leaving_out_an_area_may_leave_its_follower_alone():
    # c's only neighbour is b, b's is a, and a has no value: both are without a neighbour that counts.
    areas = areas_of(
        a=square_at(0, 0),
        b=square_at(1.5, 0),
        c=square_at(3.5, 0),
        d=square_at(20, 0, high=2),
        e=square_at(21, 0),
        f=square_at(22, 0),
        g=square_at(23, 0),
    )
    near = neighbours(areas, method="nearest", k=1)
    found = local_pattern(series(areas, [np.nan, 2, 3, 4, 5, 6, 7]), near)
    assert found["reason"].tolist()[:3] == ["value_missing", "no_neighbour", "no_neighbour"]


@pytest.mark.parametrize(
    ("numbers", "reasons"),
    [
        ([5] * 9, {"all_equal"}),
        ([np.nan] * 9, {"value_missing"}),
        ([1, 2, *[np.nan] * 7], {"too_few_areas", "value_missing"}),
    ],
)
def test_where_no_pattern_can_be_told_no_area_has_a_class(numbers, reasons):
    found = local_pattern(series(NINE, numbers), neighbours(NINE))
    assert set(found["class"]) == {"no class"}
    assert set(found["reason"]) == reasons
    assert not found["significant"].any()
    assert found["value"].tolist() == pytest.approx(numbers, nan_ok=True)


def test_random_maps_have_almost_no_classes():
    near = neighbours(TEN)
    maps = [local_pattern(random_map(TEN, seed), near, permutations=1999) for seed in range(60)]
    classed = np.array([found["class"].isin(CLASSED).sum() for found in maps])
    assert classed.mean() < 0.2  # of 100 areas
    assert (classed > 0).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)  # the share of maps with a false discovery
    # Without the control some areas of every map would pass.
    eager = [local_pattern(random_map(TEN, s), near, false_discovery=False, minimum_effect=0) for s in range(10)]
    assert np.mean([found["significant"].sum() for found in eager]) > 3


def test_the_limit_is_benjamini_and_hochbergs():
    found = local_pattern(hot_corner(), neighbours(TEN))
    p = np.sort(found["p"].to_numpy())
    passed = np.flatnonzero(p < 0.05 * np.arange(1, 101) / 100)
    assert found["p_limit"].unique().tolist() == pytest.approx([0.05 * (passed[-1] + 1) / 100])
    assert found["significant"].sum() == passed[-1] + 1


def test_enough_permutations_for_one_area_to_pass():
    areas = grid(40, 40)
    values = series(areas, np.tile([1.0, 2.0, 3.0, 5.0, 8.0], 320))
    few = local_pattern(values, neighbours(areas), permutations=9999)
    assert few["p"].min() >= 2 / 10_000 > 0.05 / 1600
    assert local_pattern(values, neighbours(areas))["p"].min() >= 2 / 64_001  # 2 · 1600 / 0.05


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("pattern", [global_pattern, local_pattern])
def test_values_of_other_areas_are_refused(pattern):
    near = neighbours(row_of(3))
    with pytest.raises(IdError) as caught:
        pattern(pd.Series({"a": 1.0, "b": 2.0, "x": 3.0}), near)
    assert str(caught.value) == (
        "1 code(s) are not among the areas: 'x'. Expected: codes such as 'a', 'b', 'c'. "
        "Hint: look at the level and the leading zeros of both"
    )
    with pytest.raises(IdError, match="none of the 1 area codes of the table"):
        pattern(pd.Series({"x": 3.0}), near)
    with pytest.raises(IdError, match=r"1 area code\(s\) occur more than once: 'a'"):
        pattern(pd.Series([1.0, 2.0], index=["a", "a"]), near)


@pytest.mark.parametrize("wrong", ["many", np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(wrong):
    values = pd.Series([1.0, wrong, 3.0], index=list("abc"), dtype=object)
    with pytest.raises(TableError) as caught:
        local_pattern(values, neighbours(row_of(3)))
    assert str(caught.value) == f"area 'b': '{wrong}' is no finite number. Expected: a number, or missing."


def test_whole_numbers_with_gaps_are_numbers():
    values = pd.Series([1, None, 3, 4, 5, 6], index=list("abcdef"), dtype="Int64")
    assert local_pattern(values, neighbours(row_of(6))).loc["b", "reason"] == "value_missing"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "gi"}, "key 'method': no method is called 'gi'. Hint: one of 'gi_star', 'moran'"),
        ({"permutations": 0}, "key 'permutations': permutations is 0. Expected: a whole number, 1 or more."),
        ({"permutations": 1e4}, "key 'permutations': permutations is 10000.0. Expected: a whole number, 1 or more."),
        ({"alpha": 1}, "key 'alpha': alpha is 1. Expected: a number between 0 and 1."),
        ({"alpha": 0}, "key 'alpha': alpha is 0. Expected: a number between 0 and 1."),
        (
            {"minimum_effect": -1},
            "key 'minimum_effect': minimum_effect is -1. Expected: 0 or a number of standard deviations above.",
        ),
        ({"seed": -1}, "key 'seed': seed is -1. Expected: a whole number from 0 to 4294967295."),
    ],
)
def test_arguments_out_of_range(arguments, said):
    with pytest.raises(SpecError) as caught:
        local_pattern(VALUES, neighbours(NINE), **arguments)
    assert str(caught.value) == said


def test_permutations_may_be_left_to_the_whole_pattern_as_to_the_local_one():
    near = neighbours(NINE)
    left_out, none = (global_pattern(VALUES, near, **given) for given in ({}, {"permutations": None}))
    assert none.permutations == left_out.permutations == 999
    pd.testing.assert_frame_equal(none.measures, left_out.measures)


@pytest.mark.parametrize("measure", [global_pattern, local_pattern])
def test_what_is_no_series_and_what_are_no_neighbours_is_refused(measure):
    near = neighbours(NINE)
    with pytest.raises(SpecError, match="key 'values': these are no values: DataFrame"):
        measure(VALUES.to_frame(), near)
    with pytest.raises(SpecError, match="key 'neighbours': neighbours of type Graph"):
        measure(VALUES, near.graph)
    with pytest.raises(SpecError, match="key 'neighbours': neighbours of type DataFrame"):
        measure(VALUES, near.pairs)


def test_all_arguments_out_of_range_are_said_at_once():
    with pytest.raises(InputError) as caught:
        local_pattern(VALUES, neighbours(NINE), alpha=7, seed=-1, permutations=-4)
    assert len(caught.value.faults) == 3


# ---------------------------------------------------------------- laws

FIVE = grid(5, 5)
fields = st.lists(st.one_of(st.none(), st.integers(-20, 20)), min_size=25, max_size=25)
positions = st.permutations(range(25))


def drawn(numbers):
    return series(FIVE, [np.nan if number is None else number for number in numbers])


@given(fields, positions, st.sampled_from(["moran", "gi_star"]))
@settings(max_examples=30)
def test_order_and_names_change_nothing(numbers, order, method):
    values = drawn(numbers)
    before = local_pattern(values, neighbours(FIVE), method=method, permutations=199)
    names = dict(zip(FIVE.index, [f"N{place:02}" for place in order], strict=True))
    areas = FIVE.iloc[list(order)]
    shuffled = values.iloc[list(order)[::-1]]
    after = local_pattern(shuffled, neighbours(areas), method=method, permutations=199)
    pd.testing.assert_frame_equal(after.loc[before.index], before)
    renamed = local_pattern(values.rename(names), neighbours(FIVE.rename(names)), method=method, permutations=199)
    pd.testing.assert_frame_equal(renamed.rename({v: k for k, v in names.items()}), before)


@given(fields, positions)
@settings(max_examples=30)
def test_order_changes_nothing_all_in_all(numbers, order):
    values = drawn(numbers)
    before = global_pattern(values, neighbours(FIVE), permutations=99)
    after = global_pattern(values.iloc[list(order)], neighbours(FIVE.iloc[list(order)]), permutations=99)
    pd.testing.assert_frame_equal(after.measures, before.measures)


@given(fields, st.sampled_from([0.5, 3.0, 1000.0]), st.integers(-50, 50), st.sampled_from(["moran", "gi_star"]))
@settings(max_examples=30)
def test_unit_and_zero_point_change_nothing(numbers, unit, shift, method):
    values, near = drawn(numbers), neighbours(FIVE)
    before, after = (local_pattern(x, near, method=method, permutations=199) for x in (values, values * unit + shift))
    same = ["statistic", "z", "p", "effect", "class", "reason"]
    pd.testing.assert_frame_equal(after[same], before[same], atol=1e-9)
    rows = ["moran", "geary"]
    first, second = (
        global_pattern(x, near, permutations=99).measures.loc[rows] for x in (values, values * unit + shift)
    )
    pd.testing.assert_frame_equal(first, second, atol=1e-9)


@given(fields, st.sampled_from(["moran", "gi_star"]), st.sampled_from([0.05, 0.9]))
@settings(max_examples=30)
def test_missing_is_never_classed_and_a_class_needs_both(numbers, method, alpha):
    values = drawn(numbers)
    found = local_pattern(values, neighbours(FIVE), method=method, alpha=alpha, permutations=99)
    missing = values.isna()
    assert set(found.loc[missing, "class"]) <= {"no class"}
    assert set(found.loc[missing, "reason"]) <= {"value_missing"}
    assert (found["reason"] == "").equals(found["class"].isin(CLASSED))
    classed = found[found["class"].isin(CLASSED)]
    assert classed["significant"].all()
    assert (classed["effect"].abs() >= 0.5).all()
    assert found["p"].dropna().between(0, 1).all()


def test_the_seed_decides():
    near, values = neighbours(TEN), random_map(TEN, 11)
    for pattern in (local_pattern, lambda *given, **more: global_pattern(*given, **more).measures):
        first, again, other = (pattern(values, near, permutations=99, seed=seed) for seed in (1, 1, 2))
        pd.testing.assert_frame_equal(first, again)
        assert not first["p"].equals(other["p"])


def test_numpys_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002  the very thing that must not change
    global_pattern(VALUES, neighbours(NINE))
    local_pattern(VALUES, neighbours(NINE))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002  same
