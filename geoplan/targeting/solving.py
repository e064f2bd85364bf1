"""The arithmetic of choosing areas: an exact mixed-integer programme, solved by HiGHS.

A choice without groups is a knapsack, and HiGHS solves it as it stands. Connected groups are what is hard. A
single-commodity flow says exactly what a group is but bounds next to nothing, for a fraction of a root feeds
everything: on 20 × 20 areas, 40 of them in 3 groups, it is 7 % from a proof after a minute. Cuts around separators
bound well, but each round of them solves a programme anew, with no end in sight where need is patchy. So: cuts tighten
the relaxation first, at the price of small flows; a choice found among the areas that it favours rules out most of the
others by their reduced costs; the cuts are found anew among the few that are left, where they are stronger; and rounds
of cuts on whole choices, or the flow where rounds lead nowhere, prove that none of those is better. Most
cities of 400 areas take 1 to 7 seconds of a processor to a proof, where the flow alone is not done in 60; a single
group in a patchy city has taken 37.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import fsum, inf

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from geoplan.targeting.climbing import climbed, single
from geoplan.targeting.programme import NEAR, Programme
from geoplan.targeting.separators import Graph, Rows, tightened

__all__ = ["Solution", "cheapest", "solve"]

_OPTIMAL, _STOPPED, _INFEASIBLE, _OTHER = 0, 1, 2, 4  # as scipy numbers what HiGHS says
_TOLERANCE = 1e-6  # of the solver
_FAVOURED = 0.3
_NODES, _ROUGH = 50, 5e-4  # a first choice need not be the best; nodes, not seconds, so that it is always the same
_FEWER = 0.8
_SLACK = 0.5  # of a cut in the relaxation that is of no use later
_TRIES = 12
_SHARE = 0.5  # of the time left, for all that comes before the last programme


@dataclass(frozen=True)
class Solution:
    """What was found: a choice (None where there is none, or none in time), and what no choice exceeds.

    ``stopped`` tells whether the time limit struck.
    """

    chosen: np.ndarray | None
    bound: float
    stopped: bool


def solve(programme: Programme, *, time_limit_s: float, gap: float = 0.0) -> Solution:
    """Find the choice that reaches the most need, to a part ``gap`` of it, and what no choice exceeds."""
    deadline = time.monotonic() + time_limit_s
    free = programme.free()
    if (programme.inside & ~free).any() or not free.any():
        return Solution(None, -inf, stopped=False)
    some = programme.only(np.flatnonzero(free))
    found = _Model(some).best(deadline, gap)
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
    model = _Model(replace(programme.only(places), need=-price[places]))
    found = model.any_way(deadline)
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


class _Model:
    """The programme as rows and columns: *n* areas, and where groups matter *n* roots, then flows."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self.size = len(programme.need)
        self.rows = Rows()
        self.graph: Graph | None = None
        need = programme.need
        # Whole people: a better choice reaches at least one more. Else to a scale that the solver's tolerances suit.
        self.whole = bool((need == np.round(need)).all())
        self.scale = 1.0 if self.whole else 1e4 / float(np.abs(need).max())
        self._simple_rules()
        if programme.links is not None and (programme.groups is not None or programme.minimum is not None):
            self._group_rules(programme.links)

    def _simple_rules(self) -> None:
        of, every, rows = self.programme, np.arange(self.size), self.rows
        most = inf if of.k is None else of.k
        rows.add(every, 1.0, most if of.exactly else 1.0, most)
        if of.budget is not None and of.cost is not None:
            rows.add(every, of.cost, -inf, of.budget)
        if of.place is not None and of.least is not None:
            for place in np.flatnonzero(of.least):
                rows.add(np.flatnonzero(of.place == place), 1.0, of.least[place], inf)

    def _group_rules(self, links: sparse.csr_array) -> None:
        of, every, rows = self.programme, np.arange(self.size), self.rows
        # The root of a group is its area of most need, of those that must be chosen where there is one.
        rank = np.empty(self.size, dtype=np.int64)
        rank[np.lexsort((every, -of.need, ~of.inside))] = every
        self.graph = Graph(links, rank, of.population, of.minimum)
        if of.groups is not None:
            rows.add(self.size + every, 1.0, -inf, of.groups)
        if of.minimum is not None and of.population is not None:
            people = np.concatenate([of.population, np.full(self.size, -of.minimum)])
            rows.add(np.arange(2 * self.size), people / of.minimum, 0.0, inf)
        for area in every:
            rows.add(np.array([self.size + area, area]), [1.0, -1.0], -inf, 0.0)
            beside = links.indices[links.indptr[area] : links.indptr[area + 1]]
            for other in beside[rank[beside] < rank[area]]:
                rows.add(np.array([self.size + area, other]), 1.0, -inf, 1.0)
            self.graph.cut(rows, int(area), every == area)

    def any_way(self, deadline: float) -> np.ndarray | None:
        """Return the best choice found by the flows alone, which lead to some choice soon."""
        return self._proved(np.arange(self.size), deadline, 0.0).chosen

    def best(self, deadline: float, gap: float, known: np.ndarray | None = None) -> Solution:
        """Return the best choice, and what none exceeds; ``known`` is a choice that the areas are left over from."""
        every = np.arange(self.size)
        if self.graph is None:
            return self._proved(every, deadline, gap)
        least = np.concatenate([self.programme.inside, np.zeros(self.size)]).astype(float)
        relaxed = tightened(self.graph, self.rows, self.programme.need * self.scale, least, _part(deadline))
        if relaxed.x is None:
            stopped = relaxed.status == _STOPPED
            chosen = single(self.programme) if stopped and known is None else known
            return Solution(chosen, inf if stopped else -inf, stopped=stopped)
        bound = -relaxed.fun / self.scale
        if known is None:
            near = self.graph.around(relaxed.x[: self.size] > _FAVOURED)
            first = self._proved(np.flatnonzero(near), _part(deadline), max(gap, _ROUGH), nodes=_NODES)
            if first.chosen is None:
                found = self._proved(every, deadline, gap)
                chosen = single(self.programme) if found.chosen is None and found.stopped else found.chosen
                return replace(found, chosen=chosen, bound=min(bound, found.bound))
            known = climbed(self.programme, first.chosen)
        reached = fsum(self.programme.need[known])
        spare, error = bound - reached, NEAR * bound
        proven = spare < (1 - _TOLERANCE - error if self.whole else error)
        if proven or spare <= gap * bound:
            return Solution(known, reached if proven else bound, stopped=False)
        # An area that takes more from the bound than there is between it and the known choice is in no better one.
        prices = relaxed.lower.marginals[: self.size] / self.scale
        left = (prices <= spare + error) | known
        if left.sum() <= _FEWER * self.size:
            return _among(self.programme, left, known, bound, deadline, gap)
        found = self._cut_off(self.graph, every[left], relaxed, deadline, gap, reached)
        most = min(bound, found.bound)
        if found.chosen is None:
            found = replace(found, chosen=known)
            most = max(most, reached) if found.stopped else reached
        return replace(found, bound=most)

    def _cut_off(
        self, graph: Graph, places: np.ndarray, relaxed: OptimizeResult, deadline: float, gap: float, reached: float
    ) -> Solution:
        """Look for a better choice than there is: with the cuts alone as long as that leads on, then with flows."""
        rows, bound = self.rows, inf
        slack = np.array(rows.high) - rows.matrix(2 * self.size) @ relaxed.x
        self.rows = rows = rows.kept(np.flatnonzero((slack < _SLACK) | (np.array(rows.low) > -inf)))
        for _ in range(_TRIES):
            above = self._above(reached)
            found = self._solved(above, places, {"time_limit": _until(deadline), "mip_rel_gap": gap}, flows=False)
            if found.x is None and found.status != _STOPPED:
                return Solution(None, reached, stopped=False)
            if found.mip_dual_bound is not None:
                bound = min(bound, -found.mip_dual_bound / self.scale)
            if found.x is None or time.monotonic() > deadline:
                return Solution(None, bound, stopped=True)
            taken = np.zeros(2 * self.size)
            taken[np.concatenate([places, self.size + places])] = np.round(found.x)
            chosen = taken[: self.size] > 0
            if self.programme.holds(chosen):
                return self._solution(chosen, bound, found.status, gap)
            if not graph.separate(rows, taken[: self.size], taken[self.size :]) + graph.enlarge(rows, chosen):
                break
        found = self._proved(places, deadline, gap, above=reached)
        return replace(found, bound=min(bound, found.bound))

    def _above(self, reached: float) -> Rows:
        """Ask for a better choice; for no worse a one where needs are no whole numbers."""
        rows = self.rows.kept(range(len(self.rows)))
        rows.add(np.arange(self.size), self.programme.need * self.scale, reached * self.scale + self.whole, inf)
        return rows

    def _solution(self, chosen: np.ndarray, bound: float, status: int, gap: float) -> Solution:
        reached = fsum(self.programme.need[chosen])
        stopped = status == _STOPPED
        return Solution(chosen, max(bound, reached) if stopped or gap else reached, stopped=stopped)

    def _proved(
        self, places: np.ndarray, deadline: float, gap: float, *, above: float | None = None, nodes: int | None = None
    ) -> Solution:
        """Choose among some areas; a choice that keeps a rule only to the solver's tolerance is ruled out."""
        rows = self.rows.kept(range(len(self.rows))) if above is None else self._above(above)
        while (left := deadline - time.monotonic()) > 0:
            options = {"time_limit": left, "mip_rel_gap": gap} | ({} if nodes is None else {"node_limit": nodes})
            found = self._solved(rows, places, options)
            stopped = found.status == _STOPPED
            bound = inf if found.mip_dual_bound is None else -found.mip_dual_bound / self.scale
            if found.x is None:
                return Solution(None, bound if stopped else -inf, stopped=stopped)
            chosen = np.zeros(self.size, dtype=bool)
            chosen[places] = np.round(found.x[: len(places)]) > 0
            if self.programme.holds(chosen):
                return self._solution(chosen, bound, found.status, gap)
            rows.add(np.arange(self.size), np.where(chosen, 1.0, -1.0), -inf, chosen.sum() - 1.0)
        return Solution(None, inf, stopped=True)

    def _solved(
        self, rows: Rows, places: np.ndarray, options: dict[str, float], *, flows: bool = True
    ) -> OptimizeResult:
        """Solve the programme of some areas."""
        rules: list[LinearConstraint] = []
        width = count = len(places)
        columns = places
        if self.graph is not None:
            columns, count = np.concatenate([places, self.size + places]), 2 * count
            rules, width = self._flows(self.graph, places) if flows else ([], count)
        matrix = rows.matrix(self.size if self.graph is None else 2 * self.size)[:, columns]
        matrix = sparse.hstack([matrix, sparse.csr_array((len(rows), width - count))], format="csr")
        price, whole, low, high = (np.zeros(width) for _ in range(4))
        price[: len(places)] = -self.programme.need[places] * self.scale
        whole[:count] = high[:count] = 1
        low[: len(places)] = self.programme.inside[places]
        high[count:] = inf
        if self.programme.inside.sum() > low.sum():
            return OptimizeResult(x=None, status=_INFEASIBLE, mip_dual_bound=None)
        return milp(
            price,
            constraints=[LinearConstraint(matrix, rows.low, rows.high), *rules],
            integrality=whole,
            bounds=Bounds(low, high),
            options=options,
        )

    def _flows(self, graph: Graph, places: np.ndarray) -> tuple[list[LinearConstraint], int]:
        """State what a group is: a root sends one unit to each area of it, and each sends its people to the root."""
        of, size = self.programme, len(places)
        links = graph.links[places][:, places].tocoo()
        flows = [(np.ones(size), 0.0, float(min(of.most(), size)))]
        if of.minimum is not None and of.population is not None:
            people = of.population[places] / of.minimum
            flows.append((people, 1.0, float(np.sort(people)[::-1][: of.most()].sum())))
        each = len(links.row) + size
        width = 2 * size + len(flows) * each
        rules = []
        for number, (worth, least, most) in enumerate(flows):
            start = 2 * size + number * each
            rules += _flow_rules((links.row, links.col), start, width, worth, least, most)
        return rules, width


def _flow_rules(
    links: tuple[np.ndarray, np.ndarray], start: int, width: int, worth: np.ndarray, least: float, most: float
) -> list[LinearConstraint]:
    """Say that roots alone feed a flow, from ``least`` to ``most`` each, that areas chosen use up their worth of it."""
    size, (row, col) = len(worth), links
    every, ones, carries = np.arange(size), np.ones(size), np.ones(len(row))
    arcs = start + np.arange(len(row))
    fed = start + len(row) + every

    def matrix(*parts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> sparse.csr_array:
        rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        return sparse.csr_array((values, (rows, columns)), (size, width))

    used = matrix((col, arcs, carries), (row, arcs, -carries), (every, fed, ones), (every, every, -worth))
    into = matrix((col, arcs, carries), (every, every, -most * ones))
    upper = matrix((every, fed, ones), (every, size + every, -most * ones))
    rules = [LinearConstraint(used, 0, 0), LinearConstraint(into, -inf, 0), LinearConstraint(upper, -inf, 0)]
    if least:
        lower = matrix((every, fed, ones), (every, size + every, -least * ones))
        rules.append(LinearConstraint(lower, 0, inf))
    return rules


def _among(of: Programme, left: np.ndarray, known: np.ndarray, bound: float, deadline: float, gap: float) -> Solution:
    """Go on with the areas that are left over: among fewer areas separators are smaller, and cuts stronger."""
    found = _Model(of.only(np.flatnonzero(left))).best(deadline, gap, known[left])
    chosen = np.zeros(len(left), dtype=bool)
    chosen[left] = found.chosen
    return replace(found, chosen=chosen, bound=max(min(bound, found.bound), fsum(of.need[chosen])))


def _until(deadline: float) -> float:
    return max(deadline - time.monotonic(), 1e-3)


def _part(deadline: float) -> float:
    """Return when a part of the time that is left is up."""
    now = time.monotonic()
    return now + _SHARE * (deadline - now)
