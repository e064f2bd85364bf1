"""What moved a rank: by hand, against indices made one by one, by its laws, and at the command line."""

import json
import shutil
from functools import cache
from itertools import permutations
from math import isnan

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from hypothesis.extra.numpy import arrays

import geoplan as gp
from geoplan.cli import telling
from geoplan.errors import InputError, SpecError
from geoplan.risk import compare_results, risk_index
from geoplan.specs import CombineSpec, DomainSpec, IndexSpec, IndicatorSpec, PartSpec, RanksSpec, TreatmentSpec


def domain(name, *indicators, weight=1.0, **more):
    return DomainSpec(id=name, label=name, weight=weight, indicators=list(indicators or [name]), **more)


def single(**weights):
    """Domains of one indicator each."""
    return [domain(name, weight=float(weight)) for name, weight in weights.items()]


def compared(before, after, figures, figures_after=None, **more):
    other = figures if figures_after is None else figures_after
    first, second = risk_index(figures, before, **more), risk_index(other, after, **more)
    return compare_results(first, figures, second, figures_after)


# ---------------------------------------------------------------- by hand
#
# Three areas, two indicators, min-max from 0 to 100:
#        poor            crime
#   A    30  → 100       1 →   0
#   B    20  →  50       5 → 100
#   C    10  →   0       2 →  25
# Weights 1 and 1: A 50, B 75, C 12.5, ranks 2, 1, 3. Weights 3 and 1: A 75, B 62.5, C 6.25, ranks 1, 2, 3.

THREE = pd.DataFrame({"poor": [30.0, 20, 10], "crime": [1.0, 5, 2]}, index=["A", "B", "C"])


def test_one_weight_changes_two_places():
    even = IndexSpec(method="min_max", domains=single(poor=1, crime=1))
    found = compared(even, IndexSpec(method="min_max", domains=single(poor=3, crime=1)), THREE)
    assert found.areas[["rank_before", "rank_after", "shift"]].loc[["A", "B", "C"]].to_numpy().tolist() == [
        [2, 1, -1],
        [1, 2, 1],
        [3, 3, 0],
    ]
    assert found.causes.to_dict() == {"weights": {"A": -1, "B": 1, "C": 0}}
    assert found.scores["weights"].to_dict() == pytest.approx({"A": 25, "B": -12.5, "C": -6.25})
    assert (found.moved, found.both, found.joined) == (2, 3, ())
    assert found.correlation == pytest.approx(0.5)  # 1 - 6 × (1 + 1 + 0) / (3 × 8)
    assert found.conventions.to_numpy().tolist() == [
        ["domain weights", "poor", "1", "3"],
        ["domain weight sum", "", "2", "4"],
    ]


def test_two_causes_are_shared_by_the_mean_of_both_orders():
    # The next year C has 60 poor, min-max A 40, B 20, C 100. Ranks of (A, B, C):
    #   the figures before, weights 1:1   50,  75,   12.5   2, 1, 3
    #   the figures before, weights 3:1   75,  62.5,  6.25  1, 2, 3
    #   the figures after, weights 1:1    20,  60,   62.5   3, 2, 1
    #   the figures after, weights 3:1    30,  40,   81.25  3, 2, 1
    # A: figures first +1 and then weights 0; weights first -1 and then figures +2. Figures (1 + 2) / 2, weights -1 / 2.
    later = THREE.assign(poor=[30.0, 20, 60])
    even, heavy = (IndexSpec(method="min_max", domains=single(poor=weight, crime=1)) for weight in (1, 3))
    found = compared(even, heavy, THREE, later)
    assert found.causes.loc[["A", "B", "C"]].to_dict("list") == {"figures": [1.5, 0.5, -2], "weights": [-0.5, 0.5, 0]}
    assert found.main.to_dict() == {"A": "figures", "B": "figures", "C": "figures"}


def test_who_is_ranked_moves_those_below():
    figures = THREE.assign(population=[1000, 50, 1000])
    strict, open_ = (
        IndexSpec(method="borda", domains=single(poor=1, crime=1), minimum_population=least) for least in (100, 0)
    )
    found = compared(strict, open_, figures)
    assert found.areas.loc["B", ["reason_before", "reason_after"]].tolist() == ["small_population", ""]
    assert found.causes.loc["B"].isna().all()
    assert pd.isna(found.areas.loc["B", "shift"])
    # Without B: A and C have 1 point each, the same rank. With B: A 2 + 0, C 0 + 1, B 1 + 2 points.
    assert found.causes["exclusion"].dropna().to_dict() == {"A": 1, "C": 2}


def test_an_area_of_one_run_only_is_told():
    spec = IndexSpec(method="min_max", domains=single(poor=1, crime=1))
    found = compared(spec, spec, THREE.drop(index="C"), THREE.drop(index="A"))
    assert found.areas["reason_before"].to_dict() == {"A": "", "B": "", "C": "not_in_run"}
    assert found.areas["reason_after"].to_dict() == {"A": "not_in_run", "B": "", "C": ""}
    assert list(found.causes) == ["exclusion"]
    assert found.causes.notna().sum().sum() == 1
    assert isnan(found.correlation)


# ---------------------------------------------------------------- each cause by itself

MANY = pd.DataFrame(
    {
        "poor": [9.0, 4, 4, 7, 1, 3, 60],
        "crime": [1.0, 5, 2, 2, 8, 3, 4],
        "work": [70.0, 50, 90, 80, 60, 75, 65],
        "school": [2.0, 2, 3, 9, 4, 4, 1],
        "population": [900.0, 800, 700, 600, 500, 400, 300],
    },
    index=list("ABCDEFG"),
)
Z = IndexSpec(
    method="z_score",
    domains=[domain("money", "poor", "work", weight=2), domain("life", "crime", "school")],
    directions={"work": "higher_is_better"},
)
UK = Z.model_copy(
    update={"method": "rank_exponential", "inside": CombineSpec(normalisation="z_score", aggregation="sum")}
)


@pytest.mark.parametrize(
    ("before", "change", "causes"),
    [
        (Z, {"minimum_population": 450}, ["exclusion"]),
        (Z, {"domains": (domain("money", "poor", weight=2), domain("life", "crime", "school"))}, ["domains"]),
        (Z, {"domains": (domain("money", "poor", "work"), domain("life", "crime", "school"))}, ["weights"]),
        (Z, {"inside": CombineSpec(weighting="principal_component")}, ["weights"]),
        (Z, {"directions": {}}, ["direction"]),
        (Z, {"treatment": TreatmentSpec(outliers="winsorise")}, ["treatment"]),
        (Z, {"minimum_available": 1.0}, ["missing"]),
        (Z, {"inside": CombineSpec(normalisation="borda")}, ["normalisation"]),
        (Z, {"inside": CombineSpec(deviation="sample")}, ["normalisation"]),
        (Z, {"inside": CombineSpec(aggregation="arithmetic")}, ["aggregation"]),
        (UK, {"ranks": RanksSpec(ties="lowest")}, ["ties"]),
        (UK, {"method": "z_score"}, ["normalisation"]),
        (Z, {"ranks": RanksSpec(ties="lowest")}, []),  # nothing is ranked before it is weighed
        (Z, {"treatment": TreatmentSpec(skewness=1.0)}, []),  # nothing is treated
        (Z, {"presentation": "percentile"}, []),  # the same order, whatever is shown
    ],
)
def test_a_single_change_has_a_single_cause(before, change, causes):
    found = compared(before, before.model_copy(update=change), MANY)
    assert list(found.causes) == causes
    _adds_up(found)


def test_ties_of_the_only_side_that_ranks_belong_to_the_normalisation():
    found = compared(Z, UK.model_copy(update={"ranks": RanksSpec(ties="lowest")}), MANY)
    assert list(found.causes) == ["normalisation"]


def test_parts_of_a_domain_are_compared():
    parts = [
        PartSpec(id="a", label="a", indicators=["poor", "crime"]),
        PartSpec(id="b", label="b", indicators=["school"]),
    ]
    heavy = [parts[0].model_copy(update={"weight": 5.0}), parts[1]]
    first, second = (
        Z.model_copy(update={"domains": (DomainSpec(id="all", label="all", parts=made),), "directions": {}})
        for made in (parts, heavy)
    )
    found = compared(first, second, MANY)
    assert list(found.causes) == ["weights"]
    assert found.moved > 0
    _adds_up(found)


def test_scores_of_two_scales_are_not_subtracted():
    assert compared(Z, Z.model_copy(update={"inside": CombineSpec(normalisation="min_max")}), MANY).scores is None
    assert compared(Z, Z.model_copy(update={"presentation": "percentile"}), MANY).scores is None


# ---------------------------------------------------------------- what cannot be told apart


def test_another_target_is_a_convention_that_differs():
    # Away from 0 A is worst in crime and B in poverty; away from 40 of 100 in poverty, B alone has any way to go.
    figures = pd.DataFrame({"poor": [40.0, 50.0, 0.0], "crime": [10.0, 7.0, 0.0]}, index=list("ABC"))
    results = []
    for target in (0.0, 40.0):
        spec = IndexSpec(method="distance_to_target", domains=single(poor=1.0, crime=1.0),
                         targets={"poor": target, "crime": 0.0})  # fmt: skip
        results.append(risk_index(figures, spec))
    found = compare_results(results[0], figures, results[1])
    assert found.areas["shift"].to_dict() == {"B": -1, "A": 1, "C": 0}
    assert found.conventions.to_numpy().tolist() == [["targets", "poor", "0", "40"]]


def test_conventions_that_need_each_other_stand_together():
    # A geometric mean of z-scores, some of which are negative, does not exist.
    after = Z.model_copy(
        update={
            "inside": CombineSpec(normalisation="min_max", aggregation="geometric", scale=(1.0, 100.0)),
            "domains": (domain("money", "poor", "work"), domain("life", "crime", "school")),
        }
    )
    found = compared(Z, after, MANY)
    assert list(found.causes) == ["weights", "normalisation and aggregation"]
    assert found.joined == ("normalisation and aggregation",)
    _adds_up(found)


def test_only_the_area_that_has_no_score_between_has_its_causes_joined():
    # With the stricter rule and the figures before, A would have no score: half of 'life' is not known.
    gaps = MANY.copy()
    gaps.loc["A", "school"] = np.nan
    found = compared(Z, Z.model_copy(update={"minimum_available": 0.6}), gaps, MANY.assign(crime=MANY["crime"] + 3))
    assert list(found.causes) == ["figures", "missing", "figures and missing"]
    assert found.causes["figures and missing"].dropna().index.tolist() == ["A"]
    assert found.causes.loc["A", ["figures", "missing"]].isna().all()
    _adds_up(found)


def test_filling_in_of_the_other_figures_needs_the_groups():
    gaps, more = MANY.copy(), MANY.copy()
    gaps.loc["A", "school"], more.loc["B", "crime"] = np.nan, np.nan
    filled = Z.model_copy(update={"treatment": TreatmentSpec(impute="group_mean")})
    assert list(compared(Z, filled, gaps, more).causes) == ["figures", "missing"]
    grouped = Z.model_copy(update={"treatment": TreatmentSpec(impute="group_mean", groups="district")})
    groups = pd.Series(list("nnnnsss"), index=MANY.index)
    first = risk_index(gaps, Z)
    for figures, causes in ((gaps, ["missing"]), (more, ["figures and missing"])):
        found = compare_results(first, gaps, risk_index(figures, grouped, groups=groups), figures)
        assert list(found.causes) == causes
        _adds_up(found)


# ---------------------------------------------------------------- the sample


@pytest.fixture(scope="module")
def town(sample_run):
    """The sample's indicators with what its index is asked with."""
    keys = {"area_ids": list(sample_run.areas().index), "reference_ids": sample_run.reference_members()}
    return sample_run.indicators(), sample_run.spec.index, keys


def test_shares_are_the_mean_over_the_orders_of_indices_made_one_by_one(town):
    # Three causes of the sample; the eight indices between are made by risk_index itself.
    table, spec, keys = town
    heavy = tuple(item.model_copy(update={"weight": 1.0 + 2 * place}) for place, item in enumerate(spec.domains))
    ways = {
        "figures": ("2009", "2012"),
        "weights": (spec.domains, heavy),
        "normalisation": (CombineSpec(), CombineSpec(normalisation="min_max")),
    }

    @cache
    def made(switched):
        period, domains, inside = (ends[name in switched] for name, ends in ways.items())
        changes = {"method": "z_score", "domains": domains, "inside": inside}
        return risk_index(table, spec.model_copy(update=changes), period=period, **keys)

    found = compare_results(made(frozenset()), table, made(frozenset(ways)), table)
    assert list(found.causes) == list(ways)
    orders = list(permutations(ways))
    both = found.areas.index[found.areas["shift"].notna()]
    for name in ways:
        steps = []
        for order in orders:
            before = frozenset(order[: order.index(name)])
            ranks = (made(before | {name}).ranking["rank"], made(before).ranking["rank"])
            steps.append((ranks[0] - ranks[1]).reindex(both))
        expected = pd.concat(steps, axis=1).astype(float).mean(axis=1)
        assert found.causes.loc[both, name].to_dict() == pytest.approx(expected.to_dict())


@pytest.mark.parametrize("method", ["relative", "z_score"])
def test_a_fixed_base_is_the_citys(town, method):
    table, spec, keys = town
    moving = spec.model_copy(update={"method": method})
    first = risk_index(table, moving, period="2012", **keys)
    second = risk_index(table, moving.model_copy(update={"base": "2009"}), period="2012", **keys)
    found = compare_results(first, table, second)
    assert list(found.causes) == ["city"]
    assert found.conventions.query("convention == 'base'")[["before", "after"]].to_numpy().tolist() == [
        ["2012", "2009"]
    ]
    _adds_up(found)


def test_everything_at_once_adds_up(town):
    table, spec, keys = town
    changes = {
        "method": "rank_exponential",
        "inside": CombineSpec(normalisation="z_score", weighting="equal"),
        "treatment": TreatmentSpec(outliers="log"),
        "minimum_population": 1000,
        "domains": tuple(
            item.model_copy(update={"weight": place + 1.0}) for place, item in enumerate(spec.domains[:3])
        ),
    }
    first = risk_index(table, spec, period="2012", **keys)
    second = risk_index(table, spec.model_copy(update=changes), period="2009", **keys)
    found = compare_results(first, table, second)
    assert set(found.causes) >= {"figures", "city", "exclusion", "domains", "treatment and normalisation"}
    _adds_up(found)


# ---------------------------------------------------------------- laws


def _adds_up(found):
    both = found.areas["shift"].notna()
    total = found.causes.sum(axis=1)[both]
    assert total.to_numpy() == pytest.approx(found.areas["shift"][both].to_numpy(dtype=float), abs=1e-9)
    assert found.causes[~both].isna().all(axis=None)
    if found.scores is not None:
        moved = (found.areas["score_after"] - found.areas["score_before"])[both]
        assert found.scores.sum(axis=1)[both].to_numpy() == pytest.approx(moved.to_numpy(), abs=1e-9)


def _specs():
    weights = st.sampled_from([1.0, 2.0, 5.0])
    parts = [("poor", "work"), ("crime",)], [("poor",), ("crime", "work")], [("poor",), ("crime",)]
    domains = st.builds(
        lambda names, each: tuple(domain(i, *n, weight=w) for i, n, w in zip("ab", names, each, strict=True)),
        st.sampled_from(parts),
        st.tuples(weights, weights),
    )
    return st.builds(
        IndexSpec,
        method=st.sampled_from(["z_score", "min_max", "borda", "rank_exponential", "percentile"]),
        domains=domains,
        minimum_population=st.sampled_from([0, 100]),
        minimum_available=st.sampled_from([0.1, 0.5, 1.0]),
        between=st.builds(CombineSpec, aggregation=st.sampled_from([None, "arithmetic", "geometric"])),
        favourable=st.sampled_from(["complement", "after"]),
        treatment=st.builds(TreatmentSpec, impute=st.sampled_from(["none", "group_mean"])),
    )


def _frames():
    cells = st.one_of(st.integers(0, 5).map(float), st.just(np.nan))
    return st.builds(
        lambda values, people: pd.DataFrame(values, list("ABCDE"), ["poor", "crime", "work"]).assign(population=people),
        arrays(float, (5, 3), elements=cells),
        arrays(float, 5, elements=st.sampled_from([50.0, 500.0])),
    )


@settings(max_examples=5)
@given(_specs(), _specs(), _frames(), _frames())
def test_causes_add_up_and_turn_their_signs_with_the_sides(spec, other, figures, later):
    try:
        first, second = risk_index(figures, spec), risk_index(later, other)
    except InputError:
        assume(False)  # noqa: FBT003  hypothesis's own signature
    found = compare_results(first, figures, second, later)
    _adds_up(found)
    back = compare_results(second, later, first, figures)
    assert (back.moved, back.both) == (found.moved, found.both)
    pd.testing.assert_frame_equal(-back.causes.loc[found.causes.index], found.causes, check_like=True)
    swapped = found.conventions[["convention", "of", "after", "before"]]
    assert set(back.conventions.itertuples(index=False, name=None)) == set(swapped.itertuples(index=False, name=None))


@settings(max_examples=10)
@given(_specs(), _frames())
def test_a_result_against_itself_is_nothing(spec, figures):
    try:
        result = risk_index(figures, spec)
    except InputError:
        assume(False)  # noqa: FBT003  hypothesis's own signature
    found = compare_results(result, figures, result)
    assert (found.moved, list(found.causes), found.conventions.empty) == (0, [], True)


def test_figures_of_another_year_are_not_taken_for_these():
    spec = IndexSpec(method="min_max", domains=single(poor=1, crime=1))
    result = risk_index(THREE, spec)
    with pytest.raises(SpecError) as caught:
        compare_results(result, THREE.assign(poor=[1.0, 2, 3]), result, THREE)
    assert str(caught.value) == (
        "area 'A': the ranks before do not follow from their figures: 2 areas have another. "
        "Hint: take the table that the result was made from, or make the result again"
    )


def test_results_of_other_areas_are_refused():
    spec = IndexSpec(method="min_max", domains=single(poor=1, crime=1))
    with pytest.raises(SpecError) as caught:
        compared(spec, spec, THREE, THREE.set_axis(["X", "Y", "Z"]))
    assert str(caught.value) == (
        "the two results have no area in common. "
        "Expected: two rankings of the same areas, or of some that are the same."
    )


def test_a_table_without_the_indicators_is_refused(town):
    table, _, _ = town
    spec = IndexSpec(method="min_max", domains=single(poor=1))
    with pytest.raises(SpecError, match=r"^the table has no 'poor'\. Hint: hand over the table of this result$"):
        compare_results(risk_index(THREE, spec), table, risk_index(THREE, spec), THREE)


def test_a_changed_unit_is_told_with_the_figures():
    # The same poverty in percent and in per mille: the values differ, the index does not.
    def table(unit, scale):
        rows = [(area, "poor", "2012", n, 100.0, n * scale, "observed") for area, n in (("A", 20.0), ("B", 10.0))]
        rows += [(area, "population", "2012", 100.0, np.nan, 100.0, "observed") for area in "AB"]
        kinds = {"poor": ("share", unit, "higher_is_worse"), "population": ("count", "persons", "neutral")}
        definitions = {
            name: IndicatorSpec(id=name, label=name, kind=kind, unit=own, direction=way)
            for name, (kind, own, way) in kinds.items()
        }
        columns = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
        return gp.IndicatorTable(pd.DataFrame(rows, columns=columns), definitions)

    percent, mille = table("pct", 1.0), table("per_mille", 10.0)
    spec = IndexSpec(domains=single(poor=1))
    found = compare_results(risk_index(percent, spec), percent, risk_index(mille, spec), mille)
    assert found.causes.to_dict() == {"figures and city": {"A": 0, "B": 0}}


# ---------------------------------------------------------------- at the command line


@pytest.fixture
def two_runs(project, geoplan):
    """The four squares as they are, and with crime weighing three times as much and another area's figure."""
    assert geoplan("run", project.scenario, "--out", "build/old", cwd=project.root).code == 0
    project.edit(project.scenario, 'id = "safety"\n', 'id = "safety"\nweight = 3\n')
    project.edit(project.figures, "0104,poor,2012,1000,4000", "0104,poor,2012,2900,4000")
    assert geoplan("run", project.scenario, "--out", "build/new", cwd=project.root).code == 0
    return project


def test_explain_against_says_what_moved_an_area(two_runs, geoplan, monkeypatch):
    # poor: 10, 15, 20, 25 % of each square, after 72.5 % of 0104; the town 20 %, after 39 %. Crime against the town's
    # 30 per 1,000: 166.7, 133.3, 100, 66.7. Scores of the squares, and the rank of 0104:
    #                        weights 1 : 1                        weights 1 : 3
    #   neither              108.3, 104.2, 100, 95.8     4        137.5, 118.8, 100, 81.3     4
    #   the town's value      96.2,  85.9, 75.6, 65.4    4        131.4, 109.6, 87.8, 66.0    4
    #   the figures          108.3, 104.2, 100, 214.6    1        137.5, 118.8, 100, 140.6    1
    #   both                  96.2,  85.9, 75.6, 126.3   1        131.4, 109.6, 87.8, 96.5    3
    # The figures (first, after one of the others, last): -3/3 - 3/6 - 3/6 - 1/3 = -7/3. The town's value and the
    # weights move the rank by 2 when they come last: 2/3 each. Together -1.
    monkeypatch.setattr(telling.stdout, "width", 80)
    told = geoplan("explain", "build/new", "square 4", "--against", "build/old", cwd=two_runs.root)
    assert told.code == 0, told.err
    assert [line.rstrip() for line in told.out.splitlines()] == EXPLAINED.splitlines()
    both = geoplan("explain", "build/new", "0104", "--against", "build/old", "--json", cwd=two_runs.root)
    found = json.loads(both.out)
    (area,) = found["areas"]
    assert (area["rank_before"], area["rank_after"], found["ranked_in_both"]) == (4, 3, 4)
    assert area["causes"] == pytest.approx({"figures": -7 / 3, "city": 2 / 3, "weights": 2 / 3})
    assert sum(area["score_causes"].values()) == pytest.approx(area["score_after"] - area["score_before"])


EXPLAINED = """\
before: Four squares, 2012 (build/old)
after:  Four squares, 2012 (build/new)

Square 4 (0104), stadsdel
Rank 4 before, 3 after: 1 place towards rank 1; score 95.8 before, 96.5 after.

cause                                                           places  score
figures   the figures of the areas                                -2.3  +69.8
city      the city's values: whose they are, and of which year    +0.7  -42.1
weights   the weights, or how they are made                       +0.7  -27.0
together                                                            -1   +0.6
places: what it moved the rank by, - towards rank 1 (the highest risk); the mean
over all orders in which the causes can be switched from before to after, so
that they add up.

conventions that differ  before  after
domain weights: safety   1       3

2 of the 4 areas ranked in both changed their rank; Spearman's rank correlation
0.800.
largest moves  code  main cause      before  after  places
Square 4       0104  figures (-2.3)       4      3      -1
Square 3       0103  figures (+1)         3      4      +1
"""


def test_a_run_against_itself_says_that_nothing_differs(two_runs, geoplan):
    told = geoplan("explain", "build/new", "--against", "build/new", cwd=two_runs.root)
    assert told.code == 0
    assert told.out.splitlines()[2:] == [
        "",
        "Both have the same conventions.",
        "",
        "0 of the 4 areas ranked in both changed their rank; Spearman's rank correlation 1.000.",
    ]


@pytest.fixture(scope="module")
def other_runs(tmp_path_factory):
    """The sample three years earlier, and by z-scores in English; written once."""
    root = tmp_path_factory.mktemp("other")
    for name in ("layers", "maps", "data", "scenarios"):
        shutil.copytree(gp.home() / name, root / name)
    text = (root / "scenarios/baseline.toml").read_text(encoding="utf-8")
    text = text.replace('maps = ["risk_index", "livelihood"]', 'maps = ["risk_index"]')
    choice, rest = text.index("[targeting]"), text.index("[disclosure]")
    text = text[:choice] + text[rest:]  # no rule is asked for, and nothing of it drawn
    earlier = text.replace("period = 2012", "period = 2009")
    z_score = text.replace('method = "relative"', 'method = "z_score"').replace('language = "sv"', 'language = "en"')
    z_score = z_score.replace('maps = ["risk_index"]', 'maps = ["score"]')
    for name, content in (("earlier", earlier), ("z_score", z_score)):
        (root / f"scenarios/{name}.toml").write_text(content, encoding="utf-8")
        gp.write_run(gp.open_run(root / f"scenarios/{name}.toml"), root / "build" / name)
    return root / "build"


@pytest.mark.parametrize("words", [["0099S22"], []])
@pytest.mark.parametrize("name", ["earlier", "z_score"])
def test_the_sample_against_others_fits_a_terminal(name, words, other_runs, sample_folder, geoplan, monkeypatch):
    monkeypatch.setattr(telling.stdout, "width", 80)
    told = geoplan("explain", sample_folder, *words, "--against", other_runs / name, cwd=sample_folder)
    assert told.code == 0, told.err
    assert max(map(len, told.out.splitlines())) <= 80
    flowing = " ".join(told.out.split())
    expected = {
        ("earlier", True): "Rank 11 before, 19 after: 8 places away from rank 1; score 91.8 before, 73.3 after.",
        ("earlier", False): "24 of the 29 areas ranked in both changed their rank; Spearman's rank correlation 0.962.",
        ("z_score", True): "Rank 17 before, 19 after: 2 places away from rank 1; score",
        ("z_score", False): "7 of the 29 areas ranked in both changed their rank",
    }
    assert expected[name, bool(words)] in flowing
    assert ("on another scale" in flowing) == (name == "z_score" and bool(words))


def test_the_causes_of_a_stored_run_are_those_of_the_results(other_runs, sample_folder, sample_run):
    from geoplan.run.against import compare_runs  # noqa: PLC0415  not part of the public surface

    earlier = gp.open_run(other_runs.parent / "scenarios/earlier.toml")
    stored = compare_runs(sample_folder, other_runs / "earlier").comparison
    made = compare_results(earlier.index(), earlier.indicators(), sample_run.index(), sample_run.indicators())
    pd.testing.assert_frame_equal(stored.causes, made.causes)
    pd.testing.assert_frame_equal(stored.scores, made.scores)
    # Titles and notes of the reasons are in the run's language; what is compared is the same.
    pd.testing.assert_frame_equal(stored.conventions, made.conventions)


def test_what_cannot_be_compared_is_told(two_runs, geoplan):
    root = two_runs.root

    def faults(*words):
        ended = geoplan("explain", *words, cwd=root)
        assert (ended.code, ended.out) == (2, "")
        return ended.faults

    assert faults("build/new") == [
        "key 'AREA': no area is named. Hint: name one, by its code or name, or another run with --against"
    ]
    assert faults("build/new", "--against", "data") == [
        "data: this folder holds no run of geoplan. Hint: make one with `geoplan run scenarios/baseline.toml`"
    ]
    assert faults("build/new", "9999", "--against", "build/old")[0].startswith("no area of the run is called '9999'.")
    path = root / "build/old/manifest.json"
    whole = json.loads(path.read_text(encoding="utf-8"))

    def fault_with(**changes):
        changed = {name: value for name, value in {**whole, **changes}.items() if value is not None}
        path.write_text(json.dumps(changed), encoding="utf-8")
        return faults("build/new", "--against", "build/old")

    older = [
        (
            "build/old: this run was made by another version of geoplan, and does not say what a comparison needs. "
            "Hint: make the run again with `geoplan run`, which writes down what a comparison needs"
        )
    ]
    assert fault_with(index=None) == older
    assert fault_with(index={**whole["index"], "spec": {"method": "gut_feeling"}}) == older
    assert fault_with(certificate={"method": "relative"}) == older
    assert fault_with(profile="public") == [
        (
            "build/old: this run is for the public: what is hidden in it is part of the ranks, and no file says it. "
            "Hint: compare the internal runs, made with --profile internal"
        )
    ]
    path.write_text(json.dumps(whole), encoding="utf-8")
    table = pd.read_parquet(root / "build/old/index.parquet")
    table.assign(level="deso").to_parquet(root / "build/old/index.parquet", index=False)
    assert faults("build/new", "--against", "build/old") == [
        (
            "build/old: the one run ranks areas of level 'stadsdel', the other of level 'deso'. "
            "Expected: two runs of the same level."
        )
    ]
    table.assign(area_id="X" + table["area_id"]).to_parquet(root / "build/old/index.parquet", index=False)
    assert faults("build/new", "--against", "build/old") == [
        (
            "the two results have no area in common. "
            "Expected: two rankings of the same areas, or of some that are the same."
        )
    ]


def test_a_public_run_stores_nothing_to_compare(project, geoplan):
    text = (project / project.scenario).read_text(encoding="utf-8")
    (project / project.scenario).write_text(f"{text}\n[disclosure]\n", encoding="utf-8")
    assert geoplan("run", project.scenario, "--profile", "public", cwd=project.root).code == 0
    manifest = json.loads((project / "build/four/manifest.json").read_text(encoding="utf-8"))
    assert "index" not in manifest
    table = pd.read_parquet(project / "build/four/index.parquet")
    assert table[["used", "imputed", "used_in_base_year"]].isna().all(axis=None)
