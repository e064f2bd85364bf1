"""What an area's other indicators say of one of them: areas that are high in much are rarely average in the rest.

Counts drawn towards the city one indicator at a time would pull an area that is high in all of them back in each, and
its score with them. So the rate that an area is drawn towards stands on its general level as well. That level is not
known exactly: it is drawn too, once for all indicators of an area, for where it is thought too high it is so in all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geoplan.risk.shrinkage import Cells

__all__ = ["Levels", "common_levels"]

Array = NDArray[np.float64]
_FEWEST_AREAS, _FEWEST_INDICATORS = 10, 3
_ROUNDS, _STEPS, _SETTLED = 12, 200, 1e-4
_FAR = 3.0  # no area is drawn towards more than e³ times the odds of its whole
_LEAST = 1e-5  # variance of what an indicator has for itself
_NODES, _CHANCES = np.polynomial.hermite_e.hermegauss(5)  # of a normal distribution


@dataclass(frozen=True)
class Levels:
    """General levels of areas, of mean 0 and variance 1 over the town; arrays are areas × indicators where two-fold.

    Attributes
    ----------
    mean, spread
        Per area: the mean and standard deviation of what all of its indicators let one believe of its level.
    others, others_spread
        The same without the indicator itself.
    start, slope
        Log odds (of rates: logs) of what an area of middling level is drawn towards, and per indicator by how much that
        rises with the level; 0 where the level says nothing.
    is_share
        Per indicator.
    """

    mean: Array
    spread: Array
    others: Array
    others_spread: Array
    start: Array
    slope: Array
    is_share: NDArray[np.bool_]

    def of(self, places: NDArray[np.intp]) -> Levels:
        """Return those of some areas, by their places."""
        names = ("mean", "spread", "others", "others_spread", "start")
        return replace(self, **{name: getattr(self, name)[places] for name in names})

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """Draw levels: draws × areas."""
        return self.mean + self.spread * rng.standard_normal((size, len(self.mean)))

    def centre(self, levels: Array, column: int, rows: NDArray[np.intp] | slice) -> Array:
        """Return the rates of one indicator that areas of these levels are drawn towards: draws × areas."""
        shift = np.clip(self.slope[column] * levels[:, rows], -_FAR, _FAR)
        return _back(self.start[rows, column] + shift, bool(self.is_share[column]))

    def supposed(self, column: int, rows: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Return what one is led to expect of an indicator by the others: areas × nodes, and the nodes' chances."""
        levels = self.others[rows, column, None] + self.others_spread[rows, column, None] * _NODES
        shift = np.clip(self.slope[column] * levels, -_FAR, _FAR)
        return _back(self.start[rows, column, None] + shift, bool(self.is_share[column])), _CHANCES / _CHANCES.sum()


def common_levels(cells: Cells, centre: Array) -> Levels | None:
    r"""Say how high each area is in general, and what that leads one to expect of each indicator.

    With deviations of rates from the centre :math:`m_{ai}` on the scale of the link (log odds of shares, logs of
    rates), a level :math:`f_a` of the area and what the indicator has for itself,

    .. math:: \text{link}(m'_{ai}) = \text{link}(m_{ai}) + c_i + b_i f_a, \qquad f_a \sim N(\mu_a, s_a^2)

    with :math:`\mu_a, s_a` the posterior of a model with one common factor that knows the noise of the counts (by
    expectation-maximisation, Rubin & Thayer 1982), and :math:`c_i, b_i` from the counts of indicator *i* by
    quasi-likelihood on the level seen without it, with a prior that draws :math:`b_i` to 0. It is the regression of
    Fay & Herriot 1979 with the other indicators in the place of covariates.

    Parameters
    ----------
    cells
        Counts, areas × indicators.
    centre
        The rates of the wholes that areas are drawn towards.

    Returns
    -------
    Levels or None
        None of fewer than ten areas or three indicators, which tell nothing.
    """
    used = [i for i in range(len(cells.names)) if cells.counted[:, i].sum() >= _FEWEST_AREAS]
    if len(used) < _FEWEST_INDICATORS:
        return None
    apart, noise = _deviations(cells, centre, used)
    common, own = _factor(apart, noise)
    told = np.where(np.isfinite(noise), 1 / (own + noise), 0.0)
    size, sums = told * common**2, told * common * apart
    rest = 1 + size.sum(axis=1, keepdims=True) - size
    made = Levels(
        mean=sums.sum(axis=1) / (1 + size.sum(axis=1)),
        spread=1 / np.sqrt(1 + size.sum(axis=1)),
        others=np.zeros_like(centre),
        others_spread=np.zeros_like(centre),
        start=np.column_stack([_link(centre[:, i], cells.is_share[i]) for i in range(len(cells.names))]),
        slope=np.zeros(len(cells.names)),
        is_share=cells.is_share,
    )
    made.others[:, used] = (sums.sum(axis=1, keepdims=True) - sums) / rest
    made.others_spread[:, used] = 1 / np.sqrt(rest)
    for place, i in enumerate(used):
        if made.others[:, i].std() > 0:
            shift, made.slope[i] = _fitted(cells, i, made, common[place] ** 2 + own[place])
            made.start[:, i] += shift
    return made


def _deviations(cells: Cells, centre: Array, used: list[int]) -> tuple[Array, Array]:
    """Return how far rates are from their centres on the scale of the link, and the variance that chance gives them."""
    y, n, m = (item[:, used] for item in (cells.cases, cells.base, centre))
    share, known = cells.is_share[used], cells.counted[:, used]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(share, m * (1 - m), m)
        # One case more at the centre's rate keeps a raw 0 finite; what that takes off, on average, is put back.
        more = 1 / slope
        rate = (y + more * m) / (n + more)
        odds = np.where(share, (1 - m) / (1 - rate), 1.0)
        apart = np.log(rate / m * odds) * (n + more) / n
        return np.where(known, apart, 0.0), np.where(known, 1 / (n * slope), np.inf)


def _factor(apart: Array, noise: Array) -> tuple[Array, Array]:
    """Fit one common factor: its loadings, and the variance that each indicator has for itself."""
    known = np.isfinite(noise)
    precision = np.where(known, 1 / noise, 0.0)
    middle = (precision * apart).sum(axis=0) / precision.sum(axis=0)
    spread = (precision * (apart - middle) ** 2).sum(axis=0) / precision.sum(axis=0)
    own = np.maximum(spread / 2, _LEAST)
    scaled = np.where(known, (apart - middle) / np.sqrt(own + noise), 0.0)
    common = np.linalg.eigh(scaled.T @ scaled)[1][:, -1] * np.sqrt(own)
    for _ in range(_STEPS):
        told = np.where(known, 1 / (own + noise), 0.0)
        variance = 1 / (1 + (told * common**2).sum(axis=1))
        level = variance * (told * common * (apart - middle)).sum(axis=1)
        first, cross, second = told.sum(axis=0), told.T @ level, told.T @ (level**2 + variance)
        one, both = (told * apart).sum(axis=0), (told * apart).T @ level
        determinant = np.maximum(first * second - cross**2, np.finfo(float).tiny)
        before, common = common, (first * both - cross * one) / determinant
        middle = (one - cross * common) / first
        rest = (apart - middle - np.outer(level, common)) ** 2 + np.outer(variance, common**2)
        part = np.where(known, own * np.where(known, 1 / (own + noise), 0.0), 0.0)
        found = np.where(known, part**2 * rest + own * (1 - part), 0.0).sum(axis=0) / known.sum(axis=0)
        own = np.maximum(found, _LEAST)
        if np.abs(common - before).max() < _SETTLED:
            break
    return common, own


def _fitted(cells: Cells, i: int, made: Levels, variance: float) -> tuple[float, float]:
    """Fit shift and slope by iterated least squares; ``variance`` is that of the true rates on the link's scale."""
    rows, is_share = cells.counted[:, i], bool(cells.is_share[i])
    y, n = cells.cases[rows, i], cells.base[rows, i]
    start, x = made.start[rows, i], np.column_stack([np.ones(rows.sum()), made.others[rows, i]])
    prior = np.diag([0.0, 1 / variance])
    found = np.zeros(2)
    for _ in range(_ROUNDS):
        m = _back(start + np.clip(x @ found, -_FAR, _FAR), is_share)
        slope = m * (1 - m) if is_share else m
        # What an area of n persons tells of its rate, where rates themselves vary around the centre.
        weight = n * slope / (1 + n * slope * variance)
        gradient = x.T @ (weight * (y / n - m) / slope) - prior @ found
        found = found + np.linalg.solve((x * weight[:, None]).T @ x + prior, gradient)
    return float(np.clip(found[0], -_FAR, _FAR)), float(found[1])


def _link(rate: Array, is_share: bool) -> Array:
    small = np.finfo(float).tiny
    with np.errstate(divide="ignore", invalid="ignore"):
        made: Array = np.log(np.maximum(rate, small))
        return made - np.log(np.maximum(1 - rate, 1e-15)) if is_share else made


def _back(value: Array, is_share: bool) -> Array:
    made: Array = 1 / (1 + np.exp(-value)) if is_share else np.exp(value)
    return made
