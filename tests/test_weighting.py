"""Weights made from the figures: against statsmodels and scikit-learn, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from indexing import domain, index_spec, plain
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.preprocessing import scale
from statsmodels.multivariate.factor import Factor

from geoplan.errors import SpecError, TableError
from geoplan.risk import risk_index
from geoplan.risk.weighting import one_factor, weigh


def one_cause(seed, areas=300, parts=5, noise=0.7):
    """Figures of one common cause."""
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=(areas, 1))
    return cause * rng.uniform(0.5, 1.2, parts) + noise * rng.normal(size=(areas, parts)) * rng.uniform(0.6, 1.2, parts)


# ---------------------------------------------------------------- entropy


def test_entropy_by_hand():
    # Two areas: p = (1/4, 3/4): e = -(¼ ln ¼ + ¾ ln ¾) / ln 2 = 0.811278; p = (½, ½): e = 1. Weights 1 - e over sums.
    made = weigh(np.array([[1.0, 5.0, 0.0], [3.0, 5.0, 7.0]]), "entropy", "x")
    # The third has all of it in one area: e = 0.
    assert_allclose(made.each, np.array([1 - 0.8112781245, 0.0, 1.0]) / (2 - 0.8112781245), atol=1e-9)
    assert (made.how, made.told) == ("entropy", "2 areas")


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=12))
@settings(max_examples=50)
def test_entropy_against_pandas(rows):
    frame = pd.DataFrame(rows, dtype=float)
    if (frame.max() == frame.min()).all():
        return
    p = frame / frame.sum().replace(0, 1)
    e = -(p * np.log(p.replace(0, 1))).sum() / np.log(len(frame))
    told = (1 - e).where(frame.max() > frame.min(), 0.0)
    assert_allclose(weigh(frame.to_numpy(), "entropy", "x").each, told / told.sum(), atol=1e-9)


# ---------------------------------------------------------------- principal component


@pytest.mark.parametrize("seed", range(3))
def test_the_first_component_against_scikit_learn(seed):
    values = one_cause(seed)
    model = PCA(n_components=1).fit(scale(values))
    made = weigh(values, "principal_component", "x")
    assert_allclose(made.each, model.components_[0] ** 2, atol=1e-9)
    assert made.told == f"the first component explains {model.explained_variance_ratio_[0]:.1%}, 300 areas"


def test_one_part_has_all_the_weight():
    assert weigh(np.array([[1.0], [2.0]]), "principal_component", "x").each.tolist() == [1.0]


# ---------------------------------------------------------------- one factor


@pytest.mark.parametrize(("seed", "areas", "parts"), [(0, 300, 5), (1, 80, 3), (2, 500, 8), (3, 6976, 6)])
def test_one_factor_against_statsmodels(seed, areas, parts):
    values = one_cause(seed, areas, parts)
    made = one_factor(values)
    # statsmodels divides by N - 1, which makes its scores smaller all alike; its tolerance is 1e-8 on the likelihood.
    fit = Factor(values, n_factor=1, method="ml").fit()
    scores = fit.factor_scoring(method="regression")[:, 0] * np.sign(fit.loadings.sum()) * np.sqrt(areas / (areas - 1))
    found = (values / values.std(axis=0)) @ made.each
    assert_allclose(found - found.mean(), scores, atol=2e-5)


@pytest.mark.parametrize("seed", range(3))
def test_one_factor_against_scikit_learn(seed):
    # An iterative algorithm (EM) of the same likelihood: loadings within 1e-4.
    values = one_cause(seed)
    model = FactorAnalysis(n_components=1, tol=1e-10, max_iter=5000, svd_method="lapack").fit(scale(values))
    loadings = model.components_[0] * np.sign(model.components_[0].sum())
    sigma = np.outer(loadings, loadings) + np.diag(model.noise_variance_)
    assert_allclose(one_factor(values).each, np.linalg.solve(sigma, loadings), atol=1e-4)


def test_three_parts_by_hand():
    # Three indicators are fitted exactly: λ1² = r12 r13 / r23 (Spearman's tetrads), and so on around.
    values = one_cause(7, 400, 3)
    r = np.corrcoef(values, rowvar=False)
    loadings = np.sqrt([r[0, 1] * r[0, 2] / r[1, 2], r[0, 1] * r[1, 2] / r[0, 2], r[0, 2] * r[1, 2] / r[0, 1]])
    told = one_factor(values).told
    assert told == f"loadings {', '.join(f'{number:.3f}' for number in loadings)}; 400 areas"


def test_most_of_the_weight_is_positive_whatever_the_sign():
    values = one_cause(4)
    assert_allclose(one_factor(-values).each, one_factor(values).each, atol=1e-8)


def test_figures_without_a_common_cause_still_have_a_factor():
    # Such figures bring an indicator to the edge (a Heywood case), where R's factanal stops at 0.005 as well.
    made = one_factor(np.random.default_rng(3).normal(size=(8, 4)))
    assert np.isfinite(made.each).all()


def test_a_missing_part_is_the_average_under_one_factor():
    values = one_cause(5, 60, 4)
    frame = pd.DataFrame(values, columns=list("wxyz"), index=[f"{n:02}" for n in range(60)])
    frame.loc["00", "x"] = np.nan
    spec = index_spec(domain("one", list("wxyz")), method="z_score", inside={"weighting": "one_factor"})
    result = risk_index(frame, spec)
    assert result.certificate.combination["one"] == (
        "normal scores, weights one factor, sum, missing counts as average"
    )
    assert result.certificate.missing == "counts as the average, and one known is enough, in one"
    assert np.isnan(result.contributions.loc["00", "x"])
    total = result.contributions.sum(axis=1)
    assert_allclose(total, result.ranking["composite"].loc[total.index], atol=1e-9)


# ---------------------------------------------------------------- what cannot be weighed

HINT = "Hint: give the weights, or leave the indicator out"


@pytest.mark.parametrize(
    ("frame", "how", "said"),
    [
        (
            plain(x=[1, 1, 1], y=[2, 2, 2], z=[3, 3, 3]),
            "entropy",
            (
                "no weights by entropy can be made for 'one': all of its parts are the same everywhere. "
                f"Expected: parts that differ between areas. {HINT}"
            ),
        ),
        (
            plain(x=[-1, 1, 1], y=[2, 2, 3], z=[3, 3, 5]),
            "entropy",
            (
                "no weights by entropy can be made for 'one': its parts have negative values. "
                f"Expected: values of at least 0, such as of min_max. {HINT}"
            ),
        ),
        (
            plain(x=[1, 2, 5], y=[2, 2, 2], z=[3, 4, 3]),
            "principal_component",
            (
                "no weights by principal component can be made for 'one': 'y' is the same everywhere. "
                f"Expected: parts that differ between areas. {HINT}"
            ),
        ),
        (
            plain(x=[1, np.nan], y=[2, 2], z=[np.nan, 2]),
            "principal_component",
            (
                "no weights by principal component can be made for 'one': no area has all of its parts. "
                f"Expected: two at least. {HINT}"
            ),
        ),
        (
            plain(x=[1], y=[2], z=[3]),
            "entropy",
            (
                "no weights by entropy can be made for 'one': 1 area has all of its parts. "
                f"Expected: two at least. {HINT}"
            ),
        ),
    ],
)
def test_figures_without_weights_are_refused(frame, how, said):
    spec = index_spec(domain("one", ["x", "y", "z"]), method="sd_classes", inside={"weighting": how})
    with pytest.raises(TableError) as caught:
        risk_index(frame, spec)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            plain(x=[1, 2, 3], y=[2, 1, 2], z=[3, 5, 1]),
            "it has 3 parts in 3 areas. Expected: three parts at least, and more areas than parts.",
        ),
        (
            plain(x=[1, 2, 3, 4, 5], y=[7, 7, 7, 7, 7], z=[3, 5, 1, 2, 2]),
            "'y' is the same everywhere. Expected: parts that differ between areas.",
        ),
        (
            plain(x=[1, 2, 3, 4, 5], y=[10, 20, 30, 40, 50], z=[3, 5, 1, 2, 2]),
            "some of its parts follow from the others. Expected: each fact once.",
        ),
    ],
)
def test_figures_without_a_factor_are_refused(frame, said):
    spec = index_spec(domain("one", ["x", "y", "z"]), method="z_score", inside={"weighting": "one_factor"})
    with pytest.raises(TableError) as caught:
        risk_index(frame, spec)
    assert str(caught.value) == f"no weights by one factor can be made for 'one': {said} {HINT}"


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (
            {"normalisation": "min_max"},
            (
                "key 'index.inside.normalisation': one_factor is made from standardised figures. "
                "Expected: normal_scores or z_score.\n"
                "key 'index.inside.missing': a missing part can count as the average only where that is 0: of z_score "
                "and normal_scores. Expected: left_out."
            ),
        ),
        (
            {"aggregation": "geometric"},
            (
                "key 'index.inside.aggregation': scores of one_factor are sums of the figures times their "
                "coefficients. Expected: sum, or nothing."
            ),
        ),
    ],
)
def test_steps_that_are_not_those_of_a_factor_are_refused(inside, said):
    frame = pd.DataFrame(one_cause(1, 20, 3), columns=list("xyz"))
    spec = index_spec(domain("one", list("xyz")), method="z_score", inside={"weighting": "one_factor", **inside})
    with pytest.raises(SpecError) as caught:
        risk_index(frame, spec)
    assert str(caught.value) == said


def test_made_weights_are_in_the_certificate_and_given_ones_are_not():
    frame = plain(x=[1, 2, 9], y=[5, 5, 5], z=[1, 2, 3])
    spec = index_spec(
        domain("one", ["x", "y"], combine={"weighting": "entropy"}), domain("two", ["z"]), method="sd_classes"
    )
    assert risk_index(frame, spec).certificate.weights_made == {"one": "1.0000, 0.0000 (3 areas)"}
