"""Segregation: by hand, by counting every population, against the package, and its laws."""

from __future__ import annotations

import sys
from itertools import product
from math import comb

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import areas_of, grid, row_of, square_at
from hypothesis import given, settings, strategies as st
from segregation.singlegroup import BiasCorrectedDissim, SpatialDissim

from geoplan.errors import GeoplanError, IdError, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.risk import neighbours, segregation
from geoplan.specs import IndicatorSpec

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
KINDS = {
    "poor": IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse"),
    "crime": IndicatorSpec(id="crime", label="Crimes", kind="rate", unit="per_1000", direction="higher_is_worse"),
}


def table(counts, period="2012", indicator="poor"):
    """Return a table of (group, people) by area; a text in place of the two is a status."""
    rows = []
    for area, count in counts.items():
        if isinstance(count, str):
            rows.append((area, indicator, period, np.nan, np.nan, np.nan, count))
        else:
            part, whole = count
            rows.append((area, indicator, period, part, whole, 100 * part / whole if whole else np.nan, "observed"))
    return IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), KINDS)


def only(found):
    assert len(found) == 1
    return found.iloc[0]


# Three areas of 100 people with 30, 10, 20 of the group: X = 60, Y = 240, P = 0.2
#   D          ½ (|30/60 - 70/240| + |10/60 - 90/240| + |20/60 - 80/240|) = ½ (50/240 + 50/240) = 5/24
#   isolation  (30·0.3 + 10·0.1 + 20·0.2) / 60 = 14/60;  exposure 46/60
THREE = {"a": (30, 100), "b": (10, 100), "c": (20, 100)}


def test_three_areas_by_hand():
    found = only(segregation(table(THREE), "poor", correct=False))
    assert found[["level", "period", "areas", "people", "group", "share"]].tolist() == [
        "areas",
        "2012",
        3,
        300,
        60,
        0.2,
    ]
    assert found[["dissimilarity", "isolation", "exposure"]].tolist() == pytest.approx([5 / 24, 14 / 60, 46 / 60])
    assert found["left_out"] == ()
    assert found["reason"] == ""
    assert found[["dissimilarity_corrected", "dissimilarity_random", "spatial_isolation"]].isna().all()


# In a row a - b - c the surroundings are {a, b}, {a, b, c}, {b, c} with shares 0.2, 0.2, 0.15:
#   spatial D          (100·0 + 100·0 + 100·0.05) / (2 · 300 · 0.2 · 0.8) = 5/96
#   spatial isolation  (30·0.2 + 10·0.2 + 20·0.15) / 60 = 11/60
#   Morrill            5/24 - mean of |0.3 - 0.1|, |0.1 - 0.2| = 5/24 - 0.15


def test_surroundings_by_hand():
    found = only(segregation(table(THREE), "poor", neighbours=neighbours(row_of(3))))
    names = ["adjacent_dissimilarity", "spatial_dissimilarity", "spatial_isolation", "spatial_exposure"]
    assert found[names].tolist() == pytest.approx([5 / 24 - 0.15, 5 / 96, 11 / 60, 49 / 60])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": (50, 50), "b": (0, 150)}, [1, 1, 0]),  # nobody lives with anybody of the others
        ({"a": (10, 50), "b": (30, 150)}, [0, 0.2, 0.8]),  # the same share everywhere
    ],
)
def test_the_extremes(counts, expected):
    found = only(segregation(table(counts), "poor"))
    assert found[["dissimilarity", "isolation", "exposure"]].tolist() == pytest.approx(expected)


def test_where_the_group_lives_alone_no_correction_is_needed():
    found = only(segregation(table({"a": (50, 50), "b": (0, 150)}), "poor"))
    assert found["dissimilarity_corrected"] == 1
    assert found["isolation_corrected"] == 1
    assert found["dissimilarity_beyond_random"] == 1


# ---------------------------------------------------------------- corrections


def test_the_random_d_by_counting_every_population():
    # Two areas of 3 and 2 people, each of the group with probability 0.4: all outcomes with somebody on both sides.
    counts, p = {"a": (2, 3), "b": (0, 2)}, 0.4
    weight, total = 0.0, 0.0
    for a, b in product(range(4), range(3)):
        if 0 < a + b < 5:
            chance = comb(3, a) * comb(2, b) * p ** (a + b) * (1 - p) ** (5 - a - b)
            weight += chance
            total += chance * abs(a / (a + b) - (3 - a) / (5 - a - b))
    found = only(segregation(table(counts), "poor", iterations=40_000))
    assert found["dissimilarity_random"] == pytest.approx(total / weight, abs=0.01)
    d, random = 2 / 3, total / weight  # ½ (|1 - ⅓| + |0 - ⅔|)
    assert found["dissimilarity"] == pytest.approx(d)
    assert found["dissimilarity_beyond_random"] == pytest.approx((d - random) / (1 - random), abs=0.03)


def test_the_bootstrap_by_counting_every_population():
    # The group of 2 lives all in a; the 3 others in a with probability ⅓ each: D* = P(b) of their shares.
    found = only(segregation(table({"a": (2, 3), "b": (0, 2)}), "poor", iterations=40_000))
    mean = sum(comb(3, k) * (2 / 3) ** k * (1 / 3) ** (3 - k) * k / 3 for k in range(4))
    assert found["dissimilarity_corrected"] == pytest.approx(2 * 2 / 3 - mean, abs=0.01)


def town(seed=1, *, areas=100, people=40, share=0.2):
    """Return areas over which a group is spread at random."""
    generator = np.random.default_rng(seed)
    return {f"A{place:03}": (int(generator.binomial(people, share)), people) for place in range(areas)}


def test_the_bootstrap_is_the_packages():
    counts = town()
    frame = pd.DataFrame(counts, index=["group", "people"]).T
    np.random.seed(1)  # noqa: NPY002  the package draws from nothing else
    theirs = BiasCorrectedDissim(frame, "group", "people", B=2000).statistic
    ours = only(segregation(table(counts), "poor", iterations=2000))["dissimilarity_corrected"]
    assert ours == pytest.approx(theirs, abs=0.003)


def test_chance_is_not_taken_for_segregation():
    found = pd.concat([segregation(table(town(seed)), "poor", iterations=200) for seed in range(20)])
    assert found["dissimilarity"].mean() > 0.1  # although nobody chose an area for the others in it
    assert found["dissimilarity_random"].mean() == pytest.approx(found["dissimilarity"].mean(), abs=0.005)
    assert abs(found["dissimilarity_beyond_random"].median()) < 0.02
    # The bootstrap takes off only part of it where there is no segregation at all.
    assert found["dissimilarity_corrected"].mean() < 0.65 * found["dissimilarity"].mean()
    assert abs(found["isolation_corrected"].mean() - 0.2) < abs(found["isolation"].mean() - 0.2)


def test_the_seed_decides():
    first, again, other = (segregation(table(town()), "poor", seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert first["dissimilarity_corrected"][0] != other["dissimilarity_corrected"][0]
    assert first["dissimilarity"][0] == other["dissimilarity"][0]


# ---------------------------------------------------------------- surroundings


def test_morrills_d_is_the_packages():
    areas = grid(5, 5)
    generator = np.random.default_rng(3)
    counts = {code: (int(generator.integers(0, 40)), 40) for code in areas.index}
    near = neighbours(areas)
    frame = areas.assign(group=[n for n, _ in counts.values()], people=40)
    theirs = SpatialDissim(gpd.GeoDataFrame(frame), "group", "people", w=near.graph.to_W()).statistic
    ours = only(segregation(table(counts), "poor", neighbours=near, correct=False))
    assert ours["adjacent_dissimilarity"] == pytest.approx(theirs)


def test_without_neighbours_the_surroundings_are_the_area():
    areas = areas_of(a=square_at(0, 0), b=square_at(5, 0), c=square_at(9, 0))
    found = only(segregation(table(THREE), "poor", neighbours=neighbours(areas, islands="keep")))
    assert found["spatial_dissimilarity"] == pytest.approx(found["dissimilarity"])
    assert found["adjacent_dissimilarity"] == pytest.approx(found["dissimilarity"])
    assert found["spatial_isolation"] == pytest.approx(found["isolation"])


def test_a_checkerboard_and_two_blocks_differ_only_with_their_surroundings():
    areas = grid(6, 6)
    near = neighbours(areas)
    board = {code: (30, 30) if (int(code[1]) + int(code[3])) % 2 else (0, 30) for code in areas.index}
    blocks = {code: (30, 30) if int(code[1]) < 3 else (0, 30) for code in areas.index}
    first, second = (only(segregation(table(x), "poor", neighbours=near, correct=False)) for x in (board, blocks))
    assert first["dissimilarity"] == second["dissimilarity"] == 1
    assert first["spatial_dissimilarity"] < 0.2
    assert second["spatial_dissimilarity"] > 0.7
    assert first["adjacent_dissimilarity"] < second["adjacent_dissimilarity"]


# ---------------------------------------------------------------- levels, years, gaps


def test_levels_and_years():
    years = [table({"a": (3, 10), "b": (1, 10), "c": (4, 20), "d": (0, 20)}, period) for period in ("2011", "2012")]
    both = IndicatorTable(pd.concat([item.data for item in years], ignore_index=True), KINDS)
    above = {"district": pd.Series({"a": "N", "b": "N", "c": "S", "d": "S"})}
    found = segregation(both, "poor", parents=above, correct=False)
    assert found[["level", "period", "areas"]].to_numpy().tolist() == [
        ["areas", "2011", 4],
        ["areas", "2012", 4],
        ["district", "2011", 2],
        ["district", "2012", 2],
    ]
    # N has 4 of 20, S 4 of 40: ½ (|4/8 - 16/52| + |4/8 - 36/52|) = 10/52
    assert found["dissimilarity"][2] == pytest.approx(10 / 52)
    assert found["dissimilarity"][0] > found["dissimilarity"][2]
    assert segregation(both, "poor", periods=["2012"])["period"].tolist() == ["2012"]


def test_surroundings_at_a_merged_level():
    above = {"district": pd.Series({"a": "x", "b": "x", "c": "y"})}
    near = {"areas": neighbours(row_of(3)), "district": neighbours(areas_of(x=square_at(0, 0), y=square_at(1, 0)))}
    found = segregation(table(THREE), "poor", parents=above, neighbours=near, correct=False)
    assert found["spatial_isolation"].tolist() == pytest.approx([11 / 60, 0.2])  # everybody is around both districts
    alone = segregation(table(THREE), "poor", parents=above, neighbours=near["areas"], correct=False)
    assert alone["spatial_isolation"].notna().tolist() == [True, False]


def test_what_is_left_out_is_listed():
    counts = THREE | {"d": "suppressed", "e": "not_applicable", "f": (0, 0), "g": "not_collected"}
    found = only(segregation(table(counts), "poor", correct=False))
    assert found["left_out"] == ("d", "g")  # in e and f lives nobody
    assert found["areas"] == 3
    assert found["dissimilarity"] == pytest.approx(5 / 24)


def test_areas_without_a_row_are_left_out_and_listed():
    more = table({"h": (5, 10)}, indicator="crime")
    both = IndicatorTable(pd.concat([table(THREE).data, more.data], ignore_index=True), KINDS)
    assert only(segregation(both, "poor", correct=False))["left_out"] == ("h",)


def test_people_of_areas_left_out_are_nobodys_surroundings():
    areas = row_of(4)
    counts = {"a": (30, 100), "b": "suppressed", "c": (10, 100), "d": (20, 100)}
    found = only(segregation(table(counts), "poor", neighbours=neighbours(areas), correct=False))
    # a stands alone, c and d are each other's: shares 0.3, 0.15, 0.15
    assert found["spatial_isolation"] == pytest.approx((30 * 0.3 + 30 * 0.15) / 60)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"a": (1, 10)}, "too_few_areas"),
        ({"a": (1, 10), "b": "suppressed"}, "too_few_areas"),
        ({"a": "suppressed", "b": "suppressed"}, "too_few_areas"),
        ({"a": (0, 10), "b": (0, 20)}, "nobody_in_group"),
        ({"a": (10, 10), "b": (20, 20)}, "everybody_in_group"),
    ],
)
def test_what_cannot_be_measured_has_a_reason(counts, reason):
    found = only(segregation(table(counts), "poor"))
    assert found["reason"] == reason
    assert found[["dissimilarity", "isolation", "dissimilarity_corrected"]].isna().all()


# ---------------------------------------------------------------- what is refused


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "segregation", None)
    with pytest.raises(GeoplanError) as caught:
        segregation(table(THREE), "poor")
    assert str(caught.value) == (
        "measures of segregation need the package 'segregation', which is not installed. "
        "Hint: pip install 'geoplan[segregation]'"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"indicator": "por"}, "no indicator is called 'por'. Hint: did you mean 'poor'?"),
        ({"periods": ["2013"]}, "key 'periods': no period is called '2013'. Hint: did you mean '2012'?"),
        ({"iterations": 0}, "key 'iterations': iterations is 0. Expected: a whole number, 1 or more."),
        ({"iterations": 2.5}, "key 'iterations': iterations is 2.5. Expected: a whole number, 1 or more."),
        (
            {"neighbours": pd.DataFrame({"area_id": ["a"], "neighbour_id": ["b"]})},
            "key 'neighbours': neighbours of type DataFrame. Expected: what `neighbours(…)` returns.",
        ),
        ({"seed": -1}, "key 'seed': seed is -1. Expected: a whole number, 0 or more."),
        (
            {"parents": {"areas": pd.Series({"a": "x"})}},
            "key 'parents': the level 'areas' is that of the table itself. Hint: call the merged level something else",
        ),
        (
            {"neighbours": {"district": None}},
            "key 'neighbours': no level is called 'district'. Hint: one of 'areas'",
        ),
    ],
)
def test_arguments_out_of_range(arguments, said):
    with pytest.raises(SpecError) as caught:
        segregation(table(THREE), **{"indicator": "poor", **arguments})
    assert str(caught.value) == said


def test_a_rate_is_refused():
    with pytest.raises(SpecError) as caught:
        segregation(table(THREE, indicator="crime"), "crime")
    assert str(caught.value) == (
        "'crime' is a rate, which does not part people into a group and others. "
        "Expected: a share of people, with counts."
    )


def test_shares_without_counts_are_refused():
    bare = table(THREE)
    bare.data.loc[bare.data["area_id"] == "b", ["numerator", "denominator"]] = np.nan
    with pytest.raises(TableError) as caught:
        segregation(bare, "poor")
    assert str(caught.value) == (
        "area 'b': 1 figures of 'poor' have no counts. Expected: the number of people in the group and of everybody. "
        "Hint: name the columns of the counts as `numerator` and `denominator`"
    )


@pytest.mark.parametrize("count", [(11, 10), (-1, 10)])
def test_more_than_everybody_is_refused(count):
    with pytest.raises(TableError) as caught:
        segregation(table(THREE | {"d": count}), "poor")
    assert str(caught.value) == (
        f"area 'd': {count[0]} of 10 people are in the group 'poor'. Expected: from none to all of them."
    )


def test_areas_unknown_to_their_neighbours_are_refused():
    with pytest.raises(IdError, match=r"1 code\(s\) are not among the areas: 'c'"):
        segregation(table(THREE), "poor", neighbours=neighbours(row_of(2)))


# ---------------------------------------------------------------- laws


@st.composite
def towns(draw):
    """Draw nine areas, somebody of the group and of the others among them."""
    counts = {}
    for code in grid(3, 3).index:
        whole = draw(st.integers(0, 500))
        counts[code] = (draw(st.integers(0, whole)), whole)
    counts["r1c1"] = (1 + counts["r1c1"][0], 2 + counts["r1c1"][1])
    return counts


@given(towns(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_measures_keep_their_bounds_and_know_no_order(counts, random):
    near = neighbours(grid(3, 3))
    found = segregation(table(counts), "poor", neighbours=near, iterations=20)
    row = only(found)
    if row["reason"]:
        return
    for name in ("dissimilarity", "isolation", "exposure", "spatial_isolation", "spatial_exposure"):
        assert -1e-12 <= row[name] <= 1 + 1e-12
    assert row["isolation"] + row["exposure"] == pytest.approx(1)
    assert row["spatial_isolation"] + row["spatial_exposure"] == pytest.approx(1)
    assert row["isolation"] >= row["share"] - 1e-12
    assert row["adjacent_dissimilarity"] <= row["dissimilarity"] + 1e-12
    assert row["dissimilarity_corrected"] <= row["dissimilarity"] + 0.2
    order = list(counts)
    random.shuffle(order)
    again = segregation(table({code: counts[code] for code in order}), "poor", neighbours=near, iterations=20)
    pd.testing.assert_frame_equal(again, found)


@given(towns())
@settings(max_examples=40)
def test_merging_areas_hides_segregation_and_never_makes_any(counts):
    rows = {"rows": pd.Series({code: code[:2] for code in counts})}
    found = segregation(table(counts), "poor", parents=rows, correct=False)
    if (found["reason"] == "").all():
        assert found["dissimilarity"][1] <= found["dissimilarity"][0] + 1e-12
        assert found["isolation"][1] <= found["isolation"][0] + 1e-12
        assert found["people"][1] == found["people"][0]


@given(towns(), st.integers(2, 9))
@settings(max_examples=20)
def test_the_unit_of_counting_changes_nothing(counts, unit):
    times = {code: (unit * part, unit * whole) for code, (part, whole) in counts.items()}
    before, after = (segregation(table(x), "poor", correct=False) for x in (counts, times))
    names = ["share", "dissimilarity", "isolation", "exposure"]
    pd.testing.assert_frame_equal(before[names], after[names])
