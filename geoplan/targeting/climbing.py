"""A better choice from a good one, by adding and exchanging areas: quick, and of no worth as a proof.

The solver's own first choices are often poor where groups must hang together, and the better the choice that a proof
starts from, the more areas it rules out. It is also what is returned when time is short.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import fsum

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from geoplan.targeting.programme import Programme, groups_of, within

__all__ = ["climbed", "single"]

_STARTS = 20
_LEAST = 20  # areas of least need, of which any two are exchanged
_STEP, _DOUBTED, _NEARLY = 1e-3, 0.1, 0.1


def single(programme: Programme) -> np.ndarray | None:
    """Return the area of most need that is a choice by itself, made better; None where none of the first few is."""
    for area in np.argsort(-programme.need, kind="stable")[:_STARTS]:
        chosen = np.arange(len(programme.need)) == area
        if programme.holds(chosen):
            return climbed(programme, chosen)
    return None


def climbed(programme: Programme, chosen: np.ndarray, most: int = 2) -> np.ndarray:
    """Add areas to a choice that holds, then exchange up to ``most`` for others, as long as more need is reached."""
    best = _grown(programme, chosen)
    number = 1
    while number <= most:
        better = _exchanged(programme, best, number)
        if better is None:
            number += 1
        else:
            best, number = _grown(programme, better), 1
    return best


def kicked(programme: Programme, chosen: np.ndarray) -> np.ndarray:
    """Climb again without each area in turn, and with it again, as long as that leads to a better choice."""
    best, before = chosen, set()
    while True:
        places = np.flatnonzero(best & ~programme.inside)
        for area in places[np.argsort(programme.need[places], kind="stable")]:
            outside = programme.outside.copy()
            outside[area] = True
            fewer = _joined(programme, best & ~outside)
            if not fewer.any():
                continue
            other = climbed(replace(programme, outside=outside), fewer, 1)
            if other.tobytes() in before:
                continue
            before.add(other.tobytes())
            other = climbed(programme, other, 1)
            if programme.need[other].sum() > programme.need[best].sum() and programme.holds(other):
                best = other
                break
        else:
            return best


def _joined(programme: Programme, chosen: np.ndarray) -> np.ndarray:
    """Leave out the groups of least need where there are too many."""
    if programme.groups is None or programme.links is None:
        return chosen
    group = groups_of(programme.links, chosen)
    need = np.bincount(group[chosen], programme.need[chosen], minlength=1)
    return chosen & np.isin(group, np.argsort(-need, kind="stable")[: programme.groups])


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


def _pair(programme: Programme, chosen: np.ndarray) -> np.ndarray | None:
    """Return the best two neighbours to add, of which one touches those chosen."""
    if programme.links is None or (programme.k is not None and chosen.sum() + 2 > programme.k):
        return None
    one, two = programme.arcs()
    beside = (programme.links @ chosen.astype(float)) > 0
    may = beside[one] & ~chosen[one] & ~chosen[two] & ~programme.outside[one] & ~programme.outside[two]
    if programme.budget is not None and programme.cost is not None:
        left = within(programme.budget) - programme.cost[chosen].sum()
        may &= programme.cost[one] + programme.cost[two] <= left
    if not may.any():
        return None
    best = int(np.argmax(np.where(may, programme.need[one] + programme.need[two], -1.0)))
    return np.array([one[best], two[best]])


def _exchanged(programme: Programme, chosen: np.ndarray, number: int) -> np.ndarray | None:
    """Take areas out and others in, those of least need out first; None when that reaches no more."""
    places = np.flatnonzero(chosen & ~programme.inside)
    places = places[np.argsort(programme.need[places], kind="stable")]
    for out in combinations(places if number == 1 else places[:_LEAST], number):
        fewer = chosen.copy()
        fewer[list(out)] = False
        if not fewer.any():
            continue
        lost = programme.need[list(out)].sum()
        pair = _pair(programme, fewer)
        if pair is not None and programme.need[pair].sum() > lost:
            other = fewer.copy()
            other[pair] = True
            if programme.holds(other):
                return other
        other = fewer.copy()
        for _ in out:
            added = _next(programme, other)
            if added is not None:
                other[added] = True
        if programme.need[other].sum() > programme.need[chosen].sum() and programme.holds(other):
            return other
    return None


def guided(programme: Programme, favour: np.ndarray, roots: np.ndarray, starts: int) -> np.ndarray | None:
    """Grow choices along what a relaxation favours, then climb; None where that leads to no choice."""
    best, before = None, set()
    for start in np.lexsort((-programme.need, -np.round(favour + roots, 3)))[:starts]:
        chosen = _along(programme, favour, roots, int(start))
        if not programme.holds(chosen) or chosen.tobytes() in before:
            continue
        before.add(chosen.tobytes())
        chosen = climbed(programme, chosen)
        if best is None or programme.need[chosen].sum() > programme.need[best].sum():
            best = chosen
    return best


def _along(programme: Programme, favour: np.ndarray, roots: np.ndarray, start: int) -> np.ndarray:
    """Start in as many areas as there may be groups, and add the paths that lead to most need past what is favoured."""
    need, chosen = programme.need, np.zeros(len(favour), dtype=bool)
    chosen[start] = True
    if programme.links is None:
        return chosen
    many = programme.groups if programme.groups is not None else max(round(float(roots.sum())), 1)
    for area in np.lexsort((-need, -np.round(favour + roots, 3), ~programme.inside))[: 10 * many]:
        if groups_of(programme.links, chosen).max() + 1 >= many:
            break
        chosen[area] = True
    one, two = programme.arcs()
    price = np.maximum(1 - favour, 0) + _STEP
    toll = sparse.csr_array((price[two], (one, two)), programme.links.shape)
    worth = np.where(programme.inside, 1e3 * need.sum(), favour * need)
    wanted = (favour > _DOUBTED) | programme.inside
    while True:
        far, before, _ = dijkstra(toll, indices=np.flatnonzero(chosen), min_only=True, return_predecessors=True)
        goal = np.where(wanted & ~chosen & np.isfinite(far), worth / (far + _NEARLY), -1.0)
        area = int(np.argmax(goal))
        if goal[area] < 0:
            return chosen
        path = chosen.copy()
        while not path[area]:
            path[area] = True
            area = int(before[area])
        if _fits(programme, path):
            chosen = path
        else:
            wanted &= ~path | chosen


def _fits(programme: Programme, chosen: np.ndarray) -> bool:
    """Tell whether there is room for so many areas."""
    if programme.k is not None and chosen.sum() > programme.k:
        return False
    dear = programme.budget is not None and programme.cost is not None
    return not dear or fsum(programme.cost[chosen]) <= within(programme.budget)  # type: ignore[index, arg-type]
