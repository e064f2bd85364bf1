"""Weights made from the figures themselves: entropy, first principal component, one common factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import Fault, TableError

__all__ = ["Weights", "one_factor", "weigh"]

Array = NDArray[np.float64]
_FACTOR_PARTS = 3  # one factor of two indicators is not identified
_LEAST = 0.005  # unique variance of a part at least, as R's factanal has it; below lie Heywood cases
_SINGULAR = 1e-9  # an eigenvalue of correlations that is none


@dataclass(frozen=True)
class Weights:
    """Weights of a node's parts, and how they were made.

    ``each`` is one a part; ``joint`` ones belong to each other and none is raised where a part is missing (one factor);
    ``told`` is for the certificate.
    """

    each: Array
    how: str
    told: str = ""
    joint: bool = False


def weigh(values: Array, how: str, node: str, names: Sequence[str] = ()) -> Weights:
    r"""Make weights from normalised areas × parts.

    Parameters
    ----------
    how
        ``entropy``: :math:`w_i \propto 1 - e_i` with :math:`e_i = -\sum_a p_{ai} \ln p_{ai} / \ln N` and
        :math:`p_{ai} = x_{ai} / \sum_a x_{ai}` (Shannon; Zeleny 1982). ``principal_component``: squared loadings of
        the first component of the correlations (OECD/JRC Handbook, step 6). ``one_factor``: the regression (Thomson)
        coefficients of a maximum-likelihood factor model with one factor, as the Scottish index has them.
    node
        What the parts are of, for faults.

    Raises
    ------
    TableError
        When the figures allow no such weights: too few areas or parts, a part that is the same everywhere, or negative
        ones for entropy.

    Examples
    --------
    >>> weigh(np.array([[1.0, 5.0], [2.0, 5.0], [9.0, 5.0]]), "entropy", "work").each.round(6).tolist()
    [1.0, 0.0]
    """
    if how == "one_factor":
        return one_factor(np.where(np.isnan(values), 0.0, values), node, names)
    complete = values[~np.isnan(values).any(axis=1)]
    if len(complete) < 2:  # noqa: PLR2004  no weights from one area
        have = "1 area has" if len(complete) else "no area has"
        raise _fault(node, how, f"{have} all of its parts", "two at least")
    return _entropy(complete, node) if how == "entropy" else _component(complete, node, names)


def _entropy(values: Array, node: str) -> Weights:
    if (values < 0).any():
        raise _fault(node, "entropy", "its parts have negative values", "values of at least 0, such as of min_max")
    totals = values.sum(axis=0)
    p = values / np.where(totals > 0, totals, 1.0)
    logs = np.log(np.where(p > 0, p, 1.0))
    told = 1 + (p * logs).sum(axis=0) / np.log(len(values))
    told = np.where(totals > 0, np.maximum(told, 0.0), 0.0)
    told[told < 1e-12] = 0.0  # noqa: PLR2004  the same everywhere, but for arithmetic
    if told.sum() == 0:
        raise _fault(node, "entropy", "all of its parts are the same everywhere", "parts that differ between areas")
    return Weights(told / told.sum(), "entropy", f"{len(values)} areas")


def _component(values: Array, node: str, names: Sequence[str]) -> Weights:
    if values.shape[1] == 1:
        return Weights(np.ones(1), "principal_component", "one part")
    _must_vary(values, node, "principal_component", names)
    roots, vectors = np.linalg.eigh(np.corrcoef(values, rowvar=False))
    weights = vectors[:, -1] ** 2
    share = roots[-1] / roots.sum()
    return Weights(
        weights / weights.sum(),
        "principal_component",
        f"the first component explains {share:.1%}, {len(values)} areas",
    )


def one_factor(values: Array, node: str = "index", names: Sequence[str] = ()) -> Weights:
    r"""Fit one common factor by maximum likelihood and return the coefficients of its regression scores.

    With loadings :math:`\lambda` and unique variances :math:`\psi` of the parts' correlations, the score of parts
    :math:`z` is :math:`\hat f = \lambda^\top \Sigma^{-1} z`, :math:`\Sigma = \lambda\lambda^\top +
    \mathrm{diag}(\psi)` (Thomson 1951; Lawley & Maxwell 1971). As in the Scottish index, the coefficients are those of
    normal scores as they stand: ties, and gaps that count as 0, draw the deviation of a part below 1, and it is not
    stretched to that again. Likelihood and its gradient, in :math:`\psi` alone, are those of Jöreskog (1967), with
    :math:`\psi \ge 0.005`. The sign is that with which most of the weight is positive: higher is worse.

    Parameters
    ----------
    values
        Areas × parts, without gaps; 0 is what the parts are measured from, so that 0 brings nothing to the score.
    node, names
        What they are, for faults.

    Raises
    ------
    TableError
        With fewer than three parts, fewer areas than parts, a part that is the same everywhere, or parts that follow
        from each other.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> deprived = rng.normal(size=(500, 1))
    >>> one_factor(deprived + rng.normal(size=(500, 3))).each.round(1).tolist()
    [0.3, 0.5, 0.3]
    """
    areas, parts = values.shape
    if parts < _FACTOR_PARTS or areas <= parts:
        what = f"it has {parts} parts in {areas} areas"
        raise _fault(node, "one_factor", what, "three parts at least, and more areas than parts")
    _must_vary(values, node, "one_factor", names)
    correlations: Array = np.asarray(np.corrcoef(values, rowvar=False))
    if np.linalg.eigvalsh(correlations)[0] < _SINGULAR:
        raise _fault(node, "one_factor", "some of its parts follow from the others", "each fact once")
    loadings, unique = _most_likely(correlations)
    weights: Array = np.asarray(np.linalg.solve(np.outer(loadings, loadings) + np.diag(unique), loadings), dtype=float)
    if weights.sum() < 0:
        loadings, weights = -loadings, -weights
    told = f"loadings {', '.join(f'{number:.3f}' for number in loadings)}; {areas} areas"
    return Weights(weights, "one_factor", told, joint=True)


def _most_likely(correlations: Array) -> tuple[Array, Array]:
    """Return loadings and unique variances of one factor, by maximum likelihood."""
    from scipy.optimize import minimize  # noqa: PLC0415  slow to import, and only this needs it

    def loadings_of(unique: Array) -> tuple[Array, Array]:
        root = np.sqrt(unique)
        values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
        return root * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0)), values[:-1]

    def unlikely(unique: Array) -> tuple[float, Array]:
        loadings, rest = loadings_of(unique)
        residual = np.outer(loadings, loadings) + np.diag(unique) - correlations
        return float((rest - np.log(rest)).sum()), np.diag(residual) / unique**2

    parts = len(correlations)
    start = np.clip((1 - 0.5 / parts) / np.diag(np.linalg.inv(correlations)), _LEAST, 1.0)
    found = minimize(unlikely, start, jac=True, method="L-BFGS-B", bounds=[(_LEAST, 1.0)] * parts,
                     options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 10_000})  # fmt: skip
    return loadings_of(found.x)[0], found.x


def _must_vary(values: Array, node: str, how: str, names: Sequence[str]) -> None:
    for place in range(values.shape[1]):
        if values[:, place].min() == values[:, place].max():
            part = f"'{names[place]}'" if names else f"part {place + 1}"
            raise _fault(node, how, f"{part} is the same everywhere", "parts that differ between areas")


def _fault(node: str, how: str, what: str, expected: str) -> TableError:
    return TableError(
        Fault(
            what=f"no weights by {how.replace('_', ' ')} can be made for '{node}': {what}",
            expected=expected,
            hint="give the weights, or leave the indicator out",
        )
    )
