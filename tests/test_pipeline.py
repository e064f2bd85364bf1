"""Laws of the pipeline: what adds up, what changes nothing, what follows, for every combination of its steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from indexing import MEANS, WITHOUT_CITY, cases, domain, figures, index_spec, towns_spec
from numpy.testing import assert_allclose, assert_array_equal

from geoplan.errors import SpecError, TableError
from geoplan.risk.index import rank_of
from geoplan.risk.pipeline import Direction, apply, composite, fit
from geoplan.specs import IndexSpec

NO_CITY = "the figures cannot be put relative to the city: it has no value of them as they are turned"
POSITIVE = ("relative", "percentile", "min_max", "borda", "sd_classes", "rank_exponential", "distance_to_target")
ALL = ("given", "equal", "entropy", "principal_component")
AS_IS = [Direction("as is")] * 5


def fitted_to(values, spec, directions, city, **more):
    """Fit a pipeline, or give the case up where weights cannot be made from such figures."""
    try:
        return fit(values, spec, directions=directions, city=city, **more)
    except TableError:
        assume(False)  # noqa: FBT003  hypothesis's way


def scores_of(values, spec, directions, city, **more):
    return composite(fitted_to(values, spec, directions, city, **more), values).scores


def close(found, expected):
    assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


# ---------------------------------------------------------------- what adds up


@given(cases(weightings=ALL))
@settings(max_examples=120)
def test_contributions_and_points_add_up_to_every_score(case):
    values, spec, directions, city = case
    made = composite(fitted_to(values, spec, directions, city), values)
    scored = ~np.isnan(made.scores)
    for brought in (made.contributions, made.points):
        close(np.nansum(brought[scored], axis=1), made.scores[scored])
    # Nothing is brought by what is not known.
    assert np.isnan(made.contributions[np.isnan(values)]).all()


@given(figures(areas=(6, 9)), st.sampled_from(["none", "rank_exponential", "z_score"]))
@settings(max_examples=40)
def test_contributions_add_up_under_one_factor(values, between):
    one = domain("one", ["a", "b", "c"], combine={"weighting": "one_factor"})
    spec = towns_spec("rank_exponential", one, domain("two", ["d", "e"]), between={"normalisation": between})
    made = composite(fitted_to(values, spec, AS_IS, np.full(5, np.nan)), values)
    scored = ~np.isnan(made.scores)
    close(np.nansum(made.contributions[scored], axis=1), made.scores[scored])
    close(np.nansum(made.points[scored], axis=1), made.scores[scored])


@given(cases(means=("arithmetic", "geometric", "harmonic"), plain_domains=True))
@settings(max_examples=40)
def test_weights_of_the_known_figures_add_up_to_one_under_means(case):
    values, spec, directions, city = case
    made = composite(fitted_to(values, spec, directions, city), values)
    scored = ~np.isnan(made.scores)
    close(np.nansum(made.weights[scored], axis=1), np.ones(scored.sum()))


# ---------------------------------------------------------------- what changes nothing


@given(cases(weightings=ALL), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_areas_changes_nothing(case, random):
    values, spec, directions, city = case
    order = list(range(len(values)))
    random.shuffle(order)
    before = scores_of(values, spec, directions, city)
    close(scores_of(values[order], spec, directions, city), before[order])


@given(cases(weightings=ALL))
@settings(max_examples=50)
def test_the_order_of_domains_and_indicators_changes_nothing(case):
    values, spec, directions, city = case
    content = spec.model_dump(exclude_unset=True)
    content["domains"] = [
        {**item, "indicators": dict(reversed(item["indicators"].items()))} if not item.get("parts")
        else {**item, "parts": item["parts"][::-1]}
        for item in content["domains"][::-1]
    ]  # fmt: skip
    content["domains"] = [{k: v for k, v in item.items() if not (item.get("parts") and k == "indicators")}
                          for item in content["domains"]]  # fmt: skip
    other = IndexSpec.model_validate(content)
    where = [spec.indicators.index(name) for name in other.indicators]
    before = scores_of(values, spec, directions, city)
    after = scores_of(values[:, where], other, [directions[place] for place in where], city[where])
    close(after, before)


@given(figures(), st.sampled_from(["percentile", "borda"]), st.sampled_from(["square", "log", "double"]))
@settings(max_examples=50)
def test_a_monotone_change_of_units_changes_nothing_under_ranks(values, method, change):
    spec = towns_spec(method, domain("one", ["a", "b", "c"], 2.0), domain("two", ["d", "e"]))
    moved = {"square": values**2, "log": np.log(values), "double": values * 2 + 1}[change]
    nothing = np.full(5, np.nan)
    assert_array_equal(scores_of(moved, spec, AS_IS, nothing), scores_of(values, spec, AS_IS, nothing))


@given(figures(), st.sampled_from(["average", "lowest", "highest"]), st.sampled_from(["at_or_below", "below"]))
@settings(max_examples=50)
def test_a_monotone_change_of_domains_changes_nothing_under_rank_exponential(values, ties, share):
    domains = [domain(name, [name]) for name in "abcde"]
    spec = index_spec(*domains, method="rank_exponential", ranks={"ties": ties, "share": share})
    nothing = np.full(5, np.nan)
    assert_array_equal(scores_of(values**3, spec, AS_IS, nothing), scores_of(values, spec, AS_IS, nothing))


@given(figures(), st.sampled_from(["z_score", "min_max", "borda", "percentile"]), st.sampled_from(MEANS[:2]))
@settings(max_examples=40)
def test_another_unit_changes_nothing_under_standardisation(values, method, mean):
    spec = towns_spec(method, domain("one", ["a", "b"]), domain("two", ["c", "d", "e"]), inside={"aggregation": mean})
    units, zero = np.array([0.01, 1000.0, 3.6, 1e-6, 1e6]), np.array([273.15, -5.0, 0.0, 1.0, -1e6])
    nothing = np.full(5, np.nan)
    before, after = (scores_of(item, spec, AS_IS, nothing) for item in (values, values * units + zero))
    assert_allclose(after, before, rtol=1e-6, atol=1e-6)


@given(figures(), st.sampled_from(MEANS))
@settings(max_examples=50)
def test_another_unit_changes_nothing_relative_to_the_city(values, mean):
    spec = towns_spec(
        "relative", domain("one", ["a", "b"]), domain("two", ["c", "d", "e"]), inside={"aggregation": mean}
    )
    city, units = np.array([6.0, 5.0, 4.0, 7.0, 8.0]), np.array([0.01, 1000.0, 3.6, 1e-6, 1e6])
    close(scores_of(values * units, spec, AS_IS, city * units), scores_of(values, spec, AS_IS, city))


@given(cases(), st.sampled_from([1e-6, 0.5, 1000.0]))
@settings(max_examples=50)
def test_weights_times_a_constant_change_nothing_under_means_and_scale_sums(case, constant):
    values, spec, directions, city = case
    content = spec.model_dump(exclude_unset=True)
    for item in content["domains"]:
        item["weight"] *= constant
    other = IndexSpec.model_validate(content)
    summed = spec.between.aggregation == "sum"
    before, after = (scores_of(values, item, directions, city) for item in (spec, other))
    assert_allclose(after, before * (constant if summed else 1.0), rtol=1e-9, atol=1e-9 * constant)


def test_ranks_do_not_depend_on_the_size_of_the_scores():
    scores = np.array([0.31, 0.32, 0.32, 0.4])
    for factor in (1e-12, 1.0, 1e12):
        assert rank_of(pd.Series(scores * factor)).tolist() == [4, 2, 2, 1]


# ---------------------------------------------------------------- what follows


_WORSE = st.integers(1, 30).map(float)


@given(cases(methods=POSITIVE, weightings=("given", "equal"), missing=False), st.data())
@settings(max_examples=80)
def test_an_area_made_worse_never_gets_a_lower_score(case, data):
    values, spec, _, city = case
    spec = spec.model_copy(update={"between": spec.between.model_copy(update={"normalisation": None})})
    area, place = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, 4))
    worse = values.copy()
    worse[area, place] += data.draw(_WORSE)
    before, after = (scores_of(item, spec, AS_IS, city)[area] for item in (values, worse))
    assume(not np.isnan([before, after]).any())  # z-scores have no geometric mean, and are refused elsewhere
    assert after >= before - 1e-9 * abs(before) - 1e-9


@given(figures(missing=False), st.data())
@settings(max_examples=50)
def test_an_area_made_worse_never_gets_a_lower_sum_of_z_scores(values, data):
    spec = towns_spec("z_score", domain("one", ["a", "b"]), domain("two", ["c", "d", "e"]))
    area, place = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, 4))
    worse = values.copy()
    worse[area, place] += data.draw(_WORSE)
    before, after = (scores_of(item, spec, AS_IS, np.full(5, np.nan))[area] for item in (values, worse))
    assert after >= before - 1e-9


@given(cases(missing=False), st.data())
@settings(max_examples=50)
def test_a_missing_figure_poisons_no_other_area(case, data):
    values, spec, directions, city = case
    area = data.draw(st.integers(0, len(values) - 1))
    lacking = values.copy()
    lacking[area, data.draw(st.lists(st.integers(0, 4), min_size=1, unique=True))] = np.nan
    made = composite(fitted_to(lacking, spec, directions, city), lacking)
    others = np.arange(len(values)) != area
    assert made.problem or np.isfinite(made.scores[others]).all()


@given(cases(weightings=ALL), st.data())
@settings(max_examples=50)
def test_an_area_that_does_not_count_changes_no_other(case, data):
    values, spec, directions, city = case
    away = data.draw(st.integers(0, len(values) - 1))
    counts = np.arange(len(values)) != away
    other = values.copy()
    other[away] = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5))
    before, after = (scores_of(item, spec, directions, city, eligible=counts) for item in (values, other))
    close(after[counts], before[counts])
    alone = scores_of(values[counts], spec, directions, city)
    close(before[counts], alone)


# ---------------------------------------------------------------- many draws at once


@given(cases(weightings=ALL))
@settings(max_examples=80)
def test_draws_are_what_one_table_is(case):
    values, spec, directions, city = case
    known = fitted_to(values, spec, directions, city)
    one = composite(known, values)
    scores, problem = apply(known, np.stack([values, values, values]))
    for draw in range(3):
        close(scores[draw], one.scores)
    assert [bool(text) for text in problem] == [bool(one.problem)] * 3


@given(cases(), st.sampled_from([2.0, 0.25]))
@settings(max_examples=40)
def test_weights_of_a_draw_in_place_of_the_same_change_nothing(case, factor):
    values, spec, directions, city = case
    known = fitted_to(values, spec, directions, city)
    own = np.array([weight for item in spec.domains for weight in item.indicators.values()])
    above = np.array([item.weight for item in spec.domains])
    assume(spec.inside.weighting == "given" and not any(item.parts for item in spec.domains))
    stacked = np.stack([values, values])
    weights = {"indicator_weights": np.stack([own] * 2), "domain_weights": np.stack([above] * 2)}
    close(apply(known, stacked, **weights)[0][1], composite(known, values).scores)
    summed = "sum" in {how.how.aggregation for how in (*known.parts, known.total)}
    if not summed:
        scaled = {name: factor * array for name, array in weights.items()}
        close(apply(known, stacked, **scaled)[0][0], composite(known, values).scores)


@given(cases(), st.integers(0, 4))
@settings(max_examples=80)
def test_an_indicator_of_weight_0_is_as_good_as_absent(case, place):
    values, spec, directions, city = case
    assume(spec.inside.weighting == "given" and not any(item.parts for item in spec.domains))
    known = fitted_to(values, spec, directions, city)
    own = np.array([weight for item in spec.domains for weight in item.indicators.values()])
    own[place] = 0.0
    scores, problem = apply(known, values[None], indicator_weights=own[None])
    name = spec.indicators[place]
    content = spec.model_dump(exclude_unset=True)
    content["domains"] = [
        {**item, "indicators": {n: w for n, w in item["indicators"].items() if n != name}}
        for item in content["domains"]
    ]
    content["domains"] = [item for item in content["domains"] if item["indicators"]]
    content["targets"] = {n: target for n, target in content.get("targets", {}).items() if n != name}
    without = IndexSpec.model_validate(content)
    left = [i for i in range(5) if i != place]
    fewer = fit(values[:, left], without, directions=[directions[i] for i in left], city=city[left])
    made = composite(fewer, values[:, left])
    assert bool(problem[0]) == bool(made.problem)
    close(scores[0], made.scores)


def test_an_indicator_of_weight_0_is_left_out_of_one_factor_too():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(30, 1)) + rng.normal(size=(30, 4))
    one = domain("one", ["a", "b", "c", "d"], combine={"weighting": "one_factor"})
    known = fit(values, index_spec(one, method="z_score"), directions=AS_IS[:4], city=np.full(4, np.nan))
    lacking = values.copy()
    lacking[:, 1] = np.nan
    expected, _ = apply(known, lacking[None])
    found, _ = apply(known, values[None], indicator_weights=np.array([[1.0, 0.0, 1.0, 1.0]]))
    close(found, expected)
    assert not np.allclose(found, composite(known, values).scores)


def test_a_domain_of_which_all_weights_are_0_is_left_out():
    values = np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 1.0], [5.0, 8.0, 4.0]])
    for average in ("left_out", "average"):
        spec = index_spec(
            domain("one", ["a", "b"]), domain("two", ["c"]), method="z_score", inside={"missing": average}
        )
        known = fit(values, spec, directions=AS_IS[:3], city=np.full(3, np.nan))
        scores, _ = apply(known, values[None], indicator_weights=np.array([[0.0, 0.0, 1.0]]))
        only = composite(known, values).points[:, 1]
        # A sum of weights 1 + 1 of which one is left: what is left counts by its own weight.
        close(scores[0], only)
        nothing, _ = apply(known, values[None], indicator_weights=np.zeros((1, 3)))
        assert np.isnan(nothing).all()


@pytest.mark.parametrize("aggregation", ["geometric", "harmonic"])
def test_draws_without_a_mean_say_so_and_the_others_have_scores(aggregation):
    spec = index_spec(domain("one", ["a", "b"]), method="sd_classes")
    values = np.array([[1.0, 4.0], [2.0, 8.0]])
    known = fit(values, spec, directions=AS_IS[:2], city=np.full(2, np.nan))
    scores, problem = apply(known, np.stack([values, -values]), aggregation=aggregation)
    assert problem.tolist() == ["", f"a negative value under the {aggregation} mean of 'one'"]
    assert np.isnan(scores[1]).all()
    close(scores[0], [2.0, 4.0] if aggregation == "geometric" else [1.6, 3.2])


def test_a_draw_of_domains_without_parts_keeps_a_single_negative_figure():
    # Aggregation in all places: the domain of one part below is a geometric mean of one figure, which is the figure.
    spec = index_spec(domain("one", ["a"]), method="sd_classes")
    values = np.array([[-3.0], [2.0]])
    known = fit(values, spec, directions=AS_IS[:1], city=np.full(1, np.nan))
    scores, problem = apply(known, values[None], aggregation="geometric")
    assert scores.tolist() == [[-3.0, 2.0]]
    assert problem.tolist() == [""]


@pytest.mark.parametrize(
    ("normalisation", "way", "said"),
    [
        ("relative", "negative", NO_CITY),
        ("distance_to_target", "as is", "the figures have no targets"),
        ("z_score", "after", "only percentile ranks and min_max can be turned after they have been made"),
    ],
)  # fmt: skip
def test_a_normalisation_that_the_figures_do_not_allow_is_refused(normalisation, way, said):
    spec = index_spec(domain("one", ["a"]), method="percentile")
    values = np.array([[3.0], [2.0]])
    known = fit(values, spec, directions=[Direction(way)], city=np.array([2.5]))
    with pytest.raises(SpecError) as caught:
        apply(known, values[None], normalisation=normalisation)
    assert str(caught.value) == f"key 'normalisation': {said}. Expected: another one, or none in its place."


@pytest.mark.parametrize("method", WITHOUT_CITY)
def test_another_normalisation_is_that_of_the_specification(method):
    rng = np.random.default_rng(1)
    values = rng.integers(1, 30, (9, 5)).astype(float)
    domains = domain("one", ["a", "b"]), domain("two", ["c", "d", "e"])
    steps = {"inside": {"aggregation": "arithmetic"}, "between": {"normalisation": "none", "aggregation": "arithmetic"}}
    known = fit(values, towns_spec(method, *domains, **steps), directions=AS_IS, city=np.full(5, 5.0))
    for name in ("percentile", "z_score", "min_max", "borda"):
        inside = {"normalisation": name, "aggregation": "arithmetic"}
        other = towns_spec("relative", *domains, inside=inside)
        found, _ = apply(known, values[None], normalisation=name)
        close(found[0], scores_of(values, other, AS_IS, np.full(5, 5.0)))
