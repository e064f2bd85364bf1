"""The arithmetic of choosing areas: an exact mixed-integer programme, solved by HiGHS.

A choice without groups is a knapsack, and HiGHS solves it as it stands. Connected groups are what is hard. A
single-commodity flow says exactly what a group is but bounds next to nothing, for a fraction of a root feeds
everything: on 20 × 20 areas, 40 of them in 3 groups, it is 7 % from a proof after a minute. Cuts around separators
bound well, but each round of them solves a programme anew, with no end in sight where need is patchy. So: cuts tighten
the relaxation first, at the price of small flows; a choice found among the areas that it favours rules out most of the
others by their reduced costs; the cuts are found anew among the few that are left, where they are stronger; a single
group, whose bound stays open longest, is split by areas that are or are not in it; and rounds of cuts on whole
choices, or the flow where rounds lead nowhere, prove that none of those is better. Most cities of 400 areas take some
seconds of a processor to a proof, where the flow alone is not done in 60. Of eight such cities with 40 areas in a
single group, six took 2 to 10 s, one 11 s, and one more than a minute: what was found by the time limit is then
returned with its gap.
"""

from __future__ import annotations

import time
from dataclasses import replace
from math import inf

import numpy as np

from geoplan.targeting.branching import branched
from geoplan.targeting.model import Model, Solution
from geoplan.targeting.programme import Programme

__all__ = ["Solution", "cheapest", "solve"]


def solve(programme: Programme, *, time_limit_s: float, gap: float = 0.0) -> Solution:
    """Find the choice that reaches the most need, to a part ``gap`` of it, and what no choice exceeds."""
    deadline = time.monotonic() + time_limit_s
    free = programme.free()
    if (programme.inside & ~free).any() or not free.any():
        return Solution(None, -inf, stopped=False)
    some = programme.only(np.flatnonzero(free))
    found = branched(some, deadline, gap) if some.grouped() else Model(some).proved(deadline, gap)
    if found.chosen is None:
        return found
    chosen = np.zeros(len(free), dtype=bool)
    chosen[free] = _without_idle(some, found.chosen)
    return replace(found, chosen=chosen)


def cheapest(programme: Programme, price: np.ndarray, deadline: float) -> np.ndarray | None:
    """Return the choice with the lowest price, or the lowest found in time; None where none is found."""
    free = programme.free()
    if (programme.inside & ~free).any() or not free.any():
        return None
    places = np.flatnonzero(free)
    found = Model(replace(programme.only(places), need=-price[places])).proved(deadline, 0.0).chosen
    if found is None:
        return None
    chosen = np.zeros(len(free), dtype=bool)
    chosen[places] = found
    return chosen


def _without_idle(programme: Programme, chosen: np.ndarray) -> np.ndarray:
    """Leave out the areas that reach nobody and that no rule asks for, the last code first."""
    chosen = chosen.copy()
    for area in np.flatnonzero(chosen & (programme.need == 0))[::-1]:
        chosen[area] = False
        chosen[area] = not programme.holds(chosen)
    return chosen
