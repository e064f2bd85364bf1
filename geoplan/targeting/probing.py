"""Which area to split a search by: what the bound falls to where it is chosen, and where it is not."""

from __future__ import annotations

from math import fsum, inf

import numpy as np
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse.csgraph import connected_components

from geoplan.targeting.model import Model

__all__ = ["probed"]

_TRIED = 5  # areas of each kind
_IN_VAIN = 4  # trials in a row after which no better area is looked for
_DOUBT = 0.02
_NEAR = 0.05  # rules further from the answer are left out of a trial
_LEAST = 1e-3  # so that a side that does not fall at all still counts
_INFEASIBLE = 2  # as scipy numbers what HiGHS says


def probed(model: Model, relaxed: OptimizeResult, floor: float) -> tuple[int, float, float]:
    """Return the area to split by, and what no choice exceeds that has it and that has not.

    Both should fall far: of the areas tried, the one with the largest product of the parts of what is open above the
    ``floor`` that are closed on either side.
    """
    trial = _Trial(model, relaxed.x)
    bound = -relaxed.fun
    open_ = max(bound - floor * model.scale, _LEAST)
    best, most, vain = (-1, inf, inf), -1.0, 0
    for area in _candidates(model, relaxed.x[: model.size]):
        with_it, without = (min(trial.bound(int(area), chosen=one), bound) for one in (True, False))
        falls = [min((bound - one) / open_, 1.0) + _LEAST for one in (with_it, without)]
        if falls[0] * falls[1] > most:
            most, vain = falls[0] * falls[1], 0
            best = (int(area), with_it / model.scale, without / model.scale)
        else:
            vain += 1
        if vain == _IN_VAIN or min(falls) >= 1:
            break
    return best


def _candidates(model: Model, chosen: np.ndarray) -> list[int]:
    """Return areas in doubt, in turn of those that most need hangs on and of those of most need themselves."""
    doubt = np.where(model.programme.inside, 0.0, np.minimum(chosen, 1 - chosen))
    places = np.flatnonzero(doubt > _DOUBT)
    if not len(places):
        return [int(np.argmax(np.where(model.programme.inside, -1.0, model.programme.need)))]
    need = doubt[places] * model.programme.need[places]
    behind = np.array([_behind(model, chosen, int(area)) for area in places])
    kinds = [places[np.argsort(-worth, kind="stable")][:_TRIED] for worth in (behind, need)]
    return list(dict.fromkeys(int(area) for both in zip(*kinds, strict=True) for area in both))


def _behind(model: Model, chosen: np.ndarray, area: int) -> float:
    """Return the need that the answer takes and that an area separates from those that must be chosen."""
    on = chosen > _DOUBT
    on[area] = False
    places = np.flatnonzero(on)
    links = model.programme.links
    if links is None or not len(places):
        return 0.0
    part = connected_components(links[places][:, places], directed=False)[1]
    off = places[~np.isin(part, part[model.programme.inside[places]])]
    return fsum(chosen[off] * model.programme.need[off])


class _Trial:
    """The relaxation of one rooted group with the rules near its answer alone: what bounds it bounds the whole."""

    def __init__(self, model: Model, answer: np.ndarray) -> None:
        size, root = model.size, model.least()[model.size :]
        matrix, low, high = model.rows.matrix(2 * size), np.array(model.rows.low), np.array(model.rows.high)
        at = matrix @ answer
        upper, lower = high - at < _NEAR, (low > -inf) & (at - low < _NEAR)
        near = sparse.vstack([matrix[upper], -matrix[lower]], format="csr")
        # The area that must be chosen is the root, and no other is: only whether areas are chosen is left open.
        self._matrix, self._limit = near[:, :size], np.concatenate([high[upper], -low[lower]]) - near[:, size:] @ root
        self._price = -model.programme.need * model.scale
        self._least = model.least()[:size]

    def bound(self, area: int, *, chosen: bool) -> float:
        """Return the bound where an area is chosen or not: infinite where the solver does not say."""
        least, most = self._least.copy(), np.ones(len(self._least))
        least[area] = most[area] = float(chosen)
        ends = np.column_stack([least, most])
        found = linprog(self._price, A_ub=self._matrix, b_ub=self._limit, bounds=ends, method="highs-ds")
        if found.status == _INFEASIBLE:
            return -inf
        return -found.fun if found.status == 0 else inf
