"""The best choice with connected groups: bounds from cuts, branches where they leave too much open.

The relaxation is weakest where it does not settle which area is the root of a group: it then takes a part of several
roots. An area that must be chosen comes first in rank and is the root of its group, so the areas left over are split
by one of them: it is chosen, or it is left out, and both bounds fall. Once the one group has a root, which area that
is is tried out first: the one with which both bounds fall far. Each branch loses the areas that its bound rules out
and, with one group, those too many steps away, until few enough are left for the solver. The branch of the highest
bound comes first, and no step depends on the clock but the end, so that a search always goes the same way.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import fsum, inf

import numpy as np
from scipy.optimize import OptimizeResult
from scipy.sparse.csgraph import dijkstra

from geoplan.targeting.climbing import climbed, guided, kicked, single
from geoplan.targeting.model import STOPPED, Model, Solution
from geoplan.targeting.probing import probed
from geoplan.targeting.programme import NEAR, Programme
from geoplan.targeting.separators import Cut
from geoplan.targeting.tightening import tightened

__all__ = ["branched"]

_SURE = 1e-6  # of a bound: what the solver's tolerances may add up to
_FAVOURED = 0.3
_NODES, _ROUGH = 50, 5e-4  # a first choice need not be the best; nodes, not seconds, so that it is always the same
_POLISH = 5  # nodes
_STARTS = 12
_FEW, _FEW_LOOSE = 120, 75  # areas that the solver proves at once; fewer where no area of the one group is known
_FEWER = 0.8


def branched(programme: Programme, deadline: float, gap: float) -> Solution:
    """Find the best choice, to a part ``gap`` of it, and what none exceeds."""
    return _Search(programme, deadline, gap).best()


@dataclass(frozen=True)
class _Branch:
    """Areas left over, which must be chosen, and cuts that hold for them, all by their place in the programme."""

    places: np.ndarray
    inside: np.ndarray
    cuts: tuple[Cut, ...] = ()
    bound: float = inf
    depth: int = 0


class _Search:
    """Branches, and the best choice known so far."""

    def __init__(self, programme: Programme, deadline: float, gap: float) -> None:
        self.programme, self.deadline, self.gap = programme, deadline, gap
        self.by_one = bool((programme.need == np.round(programme.need)).all())
        self.known: np.ndarray | None = None
        self.reached = -inf
        self.stopped = False

    def floor(self) -> float:
        """Return what a choice must reach to be of interest: one person more where needs are whole numbers."""
        if self.known is None:
            return -inf
        error = min(_SURE * self.reached, 0.5)
        least = self.reached + 1 - error if self.by_one else self.reached * (1 + NEAR)
        return max(least, self.reached / (1 - self.gap)) if self.gap else least

    def best(self) -> Solution:
        """Follow the branch of the highest bound, until none can hold a better choice than is known."""
        branches = [(-inf, 0, _Branch(np.arange(len(self.programme.need)), self.programme.inside))]
        count = 0
        while branches and -branches[0][0] > self.floor():
            if self.stopped or (time.monotonic() > self.deadline and self.known is not None):
                if self.known is None:
                    self._take(single(self.programme))
                return Solution(self.known, max(-branches[0][0], self.reached), stopped=True)
            for branch in self._followed(heapq.heappop(branches)[2]):
                count += 1
                heapq.heappush(branches, (-branch.bound, count, branch))
        left = -branches[0][0] if branches and self.gap else -inf
        return Solution(self.known, max(left, self.reached), stopped=False)

    def _followed(self, branch: _Branch) -> list[_Branch]:
        """Return what is left of a branch, or the two it splits into."""
        some = self._within(branch)
        if some is None:
            return []
        programme, places = some
        model = _model(programme, places, branch.cuts, len(self.programme.need))
        few = _FEW if programme.inside.any() else _FEW_LOOSE
        if (~programme.inside).sum() <= few:
            return self._proved(branch, model, places)
        relaxed = tightened(model, self.floor(), _FEWER, self.deadline)
        if relaxed.x is None:
            self.stopped = relaxed.status == STOPPED
            return [branch] if self.stopped else []
        bound = min(-relaxed.fun / model.scale, branch.bound)
        if bound <= self.floor():
            return [replace(branch, bound=bound)] if self.gap else []
        cuts = tuple((int(places[area]), places[among]) for area, among in model.cuts())
        branch = replace(branch, cuts=cuts, bound=bound)
        first = self.known is None
        self._guess(branch, model, places, relaxed)
        rest = self._fixed(branch, model, places, relaxed)
        if (first and self.known is not None) or len(rest.places) < _FEWER * len(places):
            return [rest]
        return self._split(rest, model, places, relaxed)

    def _split(self, branch: _Branch, model: Model, places: np.ndarray, relaxed: OptimizeResult) -> list[_Branch]:
        """Split a branch by an area; the solver is quicker where there may be several groups and a choice is known."""
        if model.programme.groups != 1 and self.known is not None:
            model.slim(relaxed.x)
            return self._proved(branch, model, places)
        with_it = without_it = inf
        if model.programme.groups == 1 and branch.inside.any() and self.known is not None:
            at, with_it, without_it = probed(model, relaxed, self.floor())
        else:
            at = _pivot(model, relaxed.x)
        area = places[at]
        inside = branch.inside.copy()
        inside[area] = True
        without = branch.places[branch.places != area]
        depth = branch.depth + 1
        error = _SURE * branch.bound
        two = [
            replace(branch, inside=inside, depth=depth, bound=min(branch.bound, with_it + error)),
            replace(branch, places=without, depth=depth, bound=min(branch.bound, without_it + error)),
        ]
        # With a gap asked for, what is given up counts in the bound that is told at the end.
        return [one for one in two if self.gap or one.bound > self.floor()]

    def _proved(self, branch: _Branch, model: Model, places: np.ndarray) -> list[_Branch]:
        """Leave a branch to the solver; return it only where something is left of it."""
        found = model.better(self.reached, self.deadline, self.gap)
        self._take(found.chosen, places)
        self.stopped = found.stopped
        return [replace(branch, bound=min(branch.bound, found.bound))] if found.stopped or self.gap else []

    def _within(self, branch: _Branch) -> tuple[Programme, np.ndarray] | None:
        """Return the programme of a branch without areas that no choice can reach; None where there is no choice."""
        places = branch.places
        while True:
            of = replace(self.programme.only(places), inside=branch.inside[places])
            if not len(places) or of.inside.sum() < branch.inside.sum():
                return None
            may = of.free()
            if of.groups == 1:
                # A group of k areas is nowhere more than k - 1 steps wide.
                for area in np.flatnonzero(of.inside):
                    may &= np.isfinite(dijkstra(of.links, indices=area, unweighted=True, limit=of.most() - 1))
            if may.all():
                return of, places
            places = places[may]

    def _fixed(self, branch: _Branch, model: Model, places: np.ndarray, relaxed: OptimizeResult) -> _Branch:
        """Leave out each area that takes more from the bound than there is to spare; put in each that gives as much."""
        bound = -relaxed.fun / model.scale
        spare = bound - self.floor() + _SURE * bound
        dear = relaxed.lower.marginals[: model.size] / model.scale > spare
        must = -relaxed.upper.marginals[: model.size] / model.scale > spare
        inside = branch.inside.copy()
        inside[places[must]] = True
        return replace(branch, places=places[~dear | inside[places]], inside=inside)

    def _guess(self, branch: _Branch, model: Model, places: np.ndarray, relaxed: OptimizeResult) -> None:
        """Look for a better choice along the relaxation and, at first, with the solver around the best one known."""
        favour, roots = relaxed.x[: model.size], relaxed.x[model.size :]
        first = self.known is None
        self._take(guided(model.programme, favour, roots, 1 if branch.depth > 1 else _STARTS), places)
        if self.known is None:
            found = model.proved(self.deadline, max(self.gap, _ROUGH), nodes=_NODES)
            self.stopped = found.stopped and time.monotonic() > self.deadline
            self._take(None if found.chosen is None else climbed(model.programme, found.chosen), places)
        if first and self.known is not None and self.programme.groups == 1:
            self._polish(self.known, branch, places, favour)

    def _polish(self, known: np.ndarray, branch: _Branch, places: np.ndarray, favour: np.ndarray) -> None:
        """Ask the solver for a better choice around the best one known and what the relaxation favours."""
        liked = np.zeros(len(self.programme.need))
        liked[places] = favour
        near = known | (liked > _FAVOURED)
        if self.programme.links is not None:
            near |= (self.programme.links @ near.astype(float)) > 0
        inside = self.programme.inside.copy()
        if not inside.any():
            inside[np.lexsort((-self.programme.need, -np.round(liked, 6), ~known))[0]] = True
        some = self._within(replace(branch, places=np.flatnonzero(near), inside=inside))
        if some is not None:
            around = _model(*some, branch.cuts, len(self.programme.need))
            self._take(around.better(self.reached, self.deadline, self.gap, nodes=_POLISH).chosen, some[1])

    def _take(self, chosen: np.ndarray | None, places: np.ndarray | None = None) -> None:
        """Keep a choice among some areas if it is the best so far, and see what it leads to."""
        if chosen is None:
            return
        whole = np.zeros(len(self.programme.need), dtype=bool)
        whole[np.flatnonzero(chosen) if places is None else places[chosen]] = True
        if fsum(self.programme.need[whole]) > self.reached:
            self.known = whole if self.stopped else kicked(self.programme, whole)
            self.reached = fsum(self.programme.need[self.known])


def _model(programme: Programme, places: np.ndarray, cuts: Iterable[Cut], size: int) -> Model:
    """Build the model of some areas, with what is left of the cuts."""
    model = Model(programme)
    local = np.full(size, -1)
    local[places] = np.arange(len(places))
    for area, among in cuts:
        if local[area] >= 0 and model.graph is not None:
            inside = np.zeros(len(places), dtype=bool)
            inside[local[among][local[among] >= 0]] = True
            model.graph.cut(model.rows, int(local[area]), inside)
    return model


def _pivot(model: Model, answer: np.ndarray) -> int:
    """Choose the area to split by: of one group without a root the likeliest, else the one of most need in doubt."""
    chosen, inside = answer[: model.size], model.programme.inside
    if model.programme.groups == 1 and not inside.any() and model.graph is not None:
        return int(np.lexsort((model.graph.rank, -np.round(chosen, 3)))[0])
    doubt = np.minimum(chosen, 1 - chosen) * model.programme.need
    return int(np.argmax(np.where(inside, -1.0, doubt)))
