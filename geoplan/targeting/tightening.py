"""The relaxation of a programme, solved again and again with the cuts that its answer violates."""

from __future__ import annotations

import time
from math import inf

import numpy as np
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog

from geoplan.targeting.model import STOPPED, Model

__all__ = ["tightened"]

_WINDOW, _LONG = 4, 8  # longer where the bound is not split further
_TAIL, _WORTH = 0.03, 0.2  # rounds end when so many win less than this part of what is open, or of this part of it all
_ROUNDS = 100
_AGE = 4  # rounds after which a cut that does not bind is dropped
_SLACK = 1e-6  # the solver's tolerance


def tightened(model: Model, floor: float, fewer: float, deadline: float) -> OptimizeResult:
    """Add cuts to a model until they lead to little; return the last answer.

    It also ends where no choice reaches the ``floor``, and where less than a part ``fewer`` of the areas can be in one
    that does: among fewer areas separators are smaller, and cuts stronger. The answer has the most need with its sign
    changed as ``fun``, and the status of scipy.
    """
    floor, free = floor * model.scale, model.least()[: model.size] == 0
    window = _WINDOW if model.programme.groups == 1 else _LONG
    idle, won = np.zeros(len(model.rows), dtype=int), []
    best = None
    for _ in range(_ROUNDS):
        left = deadline - time.monotonic()
        if best is not None and left <= 0:
            break
        answer = _relaxed(model, max(left, 1e-3))
        if answer.x is None or answer.status == STOPPED:
            return answer if best is None or answer.status != STOPPED else best
        best = answer
        won.append(-answer.fun)
        if won[-1] <= floor:
            break
        open_ = won[-1] - floor if floor > -inf else _WORTH * won[-1]
        if len(won) > window and won[-window] - won[-1] < _TAIL * open_:
            break
        if (free & (answer.lower.marginals[: model.size] > won[-1] - floor)).sum() > (1 - fewer) * model.size:
            break
        idle = np.where(answer.slack[: len(model.rows)] > _SLACK, idle + 1, 0)
        keep = np.flatnonzero((np.arange(len(idle)) < model.base) | (idle < _AGE))
        model.rows = model.rows.kept(keep)
        if model.graph is None or not model.graph.separate(model.rows, *np.split(answer.x, 2)):
            break
        idle = np.concatenate([idle[keep], np.zeros(len(model.rows) - len(keep), dtype=int)])
    return best


def _relaxed(model: Model, seconds: float) -> OptimizeResult:
    """Solve the relaxation; the slacks of the upper limits come first, one a row."""
    rows, least = model.rows, model.least()
    matrix, low, high = rows.matrix(len(least)), np.array(rows.low), np.array(rows.high)
    two = low > -inf
    price = np.zeros(len(least))
    price[: model.size] = -model.programme.need * model.scale
    return linprog(
        price,
        A_ub=sparse.vstack([matrix, -matrix[two]], format="csr"),
        b_ub=np.concatenate([np.minimum(high, 1e15), -low[two]]),
        bounds=np.column_stack([least, np.ones(len(least))]),
        method="highs",
        options={"time_limit": seconds},
    )
