"""What an area's other indicators say of one of them: areas that are high in much are rarely average in the rest.

Counts drawn towards the city one indicator at a time would pull an area that is high in all of them back in each, and
its score with them. So the rate that an area is drawn towards stands on its general level as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geoplan.risk.shrinkage import Cells, believed_strength

__all__ = ["with_common_level"]

Array = NDArray[np.float64]
_FEWEST_AREAS, _FEWEST_INDICATORS = 10, 3
_ROUNDS = 12
_FAR = 3.0  # no area is drawn towards more than e³ times the odds of its whole


def with_common_level(cells: Cells, centre: Array) -> Array:
    r"""Move the rates that areas are drawn towards to where their other indicators lead one to expect them.

    With deviations :math:`e_{ai}` of an area's shrunken rate from its centre :math:`m_{ai}` (log odds of shares, logs
    of rates), scaled to one standard deviation, and the loadings :math:`v_j` of their first principal component, the
    general level of area *a* seen without indicator *i* is :math:`g_{ai} = \sum_{j \ne i} v_j e_{aj}`. The centre
    becomes

    .. math:: \text{link}(m'_{ai}) = \text{link}(m_{ai}) + c_i + b_i\,g_{ai}

    with :math:`c_i, b_i` from the counts by quasi-likelihood that knows how much areas vary beside it, and a prior
    that draws :math:`b_i` to 0. It is the regression of Fay & Herriot 1979 with the other indicators in the place of
    covariates. Fewer than ten areas or three indicators tell nothing: the centre stays.

    Parameters
    ----------
    cells
        Counts, areas × indicators.
    centre
        The rates of the wholes that areas are drawn towards.

    Returns
    -------
    numpy.ndarray
        As ``centre``.
    """
    used = [i for i in range(len(cells.names)) if cells.counted[:, i].sum() >= _FEWEST_AREAS]
    if len(used) < _FEWEST_INDICATORS:
        return centre
    deviations = np.zeros((len(centre), len(used)))
    strengths = np.ones(len(used))
    for place, i in enumerate(used):
        rows = cells.counted[:, i]
        y, n, m = cells.cases[rows, i], cells.base[rows, i], centre[rows, i]
        grid, chance = believed_strength(y, n, m, is_share=bool(cells.is_share[i]))
        strengths[place] = np.exp(np.log(grid) @ chance)
        rate = (y + strengths[place] * m) / (n + strengths[place])
        deviations[rows, place] = _link(rate, cells.is_share[i]) - _link(m, cells.is_share[i])
    spread = deviations.std(axis=0)
    alike = spread > 0
    scaled = np.where(alike, deviations / np.where(alike, spread, 1.0), 0.0)
    loadings = np.linalg.eigh(np.cov(scaled, rowvar=False))[1][:, -1]
    whole = scaled @ loadings
    moved = centre.copy()
    for place, i in enumerate(used):
        level = whole - scaled[:, place] * loadings[place]
        if not alike[place] or level.std() == 0:
            continue
        level = (level - level.mean()) / level.std()
        moved[:, i] = _moved(cells, i, centre[:, i], level, strengths[place], spread[place])
    return moved


def _moved(cells: Cells, i: int, centre: Array, level: Array, strength: float, spread: float) -> Array:
    """Fit the two numbers by iterated least squares, and move the centre."""
    rows, is_share = cells.counted[:, i], bool(cells.is_share[i])
    y, n = cells.cases[rows, i], cells.base[rows, i]
    start, x = _link(centre[rows], is_share), np.column_stack([np.ones(rows.sum()), level[rows]])
    prior = np.diag([0.0, 1 / spread**2])
    found = np.zeros(2)
    for _ in range(_ROUNDS):
        m = _back(start + x @ found, is_share)
        slope = m * (1 - m) if is_share else m
        # What an area of n persons tells of its rate, where rates themselves vary around the centre.
        weight = n * slope / (1 + n / strength)
        gradient = x.T @ (weight * (y / n - m) / slope) - prior @ found
        found = found + np.linalg.solve((x * weight[:, None]).T @ x + prior, gradient)
    shift = np.clip(found[0] + found[1] * level, -_FAR, _FAR)
    return np.where(np.isnan(centre), np.nan, _back(_link(centre, is_share) + shift, is_share))


def _link(rate: Array, is_share: bool) -> Array:
    small = np.finfo(float).tiny
    with np.errstate(divide="ignore", invalid="ignore"):
        made: Array = np.log(np.maximum(rate, small))
        return made - np.log(np.maximum(1 - rate, 1e-15)) if is_share else made


def _back(value: Array, is_share: bool) -> Array:
    made: Array = 1 / (1 + np.exp(-value)) if is_share else np.exp(value)
    return made
