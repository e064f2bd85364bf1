"""A better choice from a good one, by adding and exchanging areas: quick, and of no worth as a proof.

The solver's own first choices are often poor where groups must hang together, and the better the choice that a proof
starts from, the more areas it rules out. It is also what is returned when time is short.
"""

from __future__ import annotations

import numpy as np

from geoplan.targeting.programme import Programme, within

__all__ = ["climbed", "single"]

_STARTS = 20


def single(programme: Programme) -> np.ndarray | None:
    """Return the area of most need that is a choice by itself, made better; None where none of the first few is."""
    for area in np.argsort(-programme.need, kind="stable")[:_STARTS]:
        chosen = np.arange(len(programme.need)) == area
        if programme.holds(chosen):
            return climbed(programme, chosen)
    return None


def climbed(programme: Programme, chosen: np.ndarray) -> np.ndarray:
    """Add areas to a choice that holds, then exchange one for another, as long as more need is reached."""
    best = _grown(programme, chosen)
    while (better := _exchanged(programme, best)) is not None:
        best = _grown(programme, better)
    return best


def _grown(programme: Programme, chosen: np.ndarray) -> np.ndarray:
    """Add the neighbour of most need, or of most for its cost, as long as there is room."""
    chosen = chosen.copy()
    while (area := _next(programme, chosen)) is not None:
        chosen[area] = True
    return chosen


def _next(programme: Programme, chosen: np.ndarray) -> int | None:
    """Return the best area to add: to an area beside those chosen every rule but number and budget is kept."""
    may = ~chosen & ~programme.outside & (programme.need > 0)
    if programme.links is not None:
        may &= (programme.links @ chosen.astype(float)) > 0
    if programme.k is not None and chosen.sum() >= programme.k:
        return None
    worth = programme.need.copy()
    if programme.budget is not None and programme.cost is not None:
        may &= programme.cost[chosen].sum() + programme.cost <= within(programme.budget)
        worth /= np.maximum(programme.cost, within(programme.budget) * 1e-9)
    return int(np.argmax(np.where(may, worth, -1.0))) if may.any() else None


def _exchanged(programme: Programme, chosen: np.ndarray) -> np.ndarray | None:
    """Take one area out and another in, those of least need out first; None when that reaches no more."""
    places = np.flatnonzero(chosen & ~programme.inside)
    for area in places[np.argsort(programme.need[places], kind="stable")]:
        other = chosen.copy()
        other[area] = False
        added = _next(programme, other) if other.any() else None
        if added is not None and programme.need[added] > programme.need[area]:
            other[added] = True
            if programme.holds(other):
                return other
    return None
