"""The programme as rows and columns, solved by HiGHS as it stands: by its cuts alone, or with flows that say it all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import fsum, inf

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from geoplan.targeting.programme import Programme
from geoplan.targeting.separators import Cut, Graph, Rows

__all__ = ["STOPPED", "Model", "Solution"]

STOPPED = 1  # as scipy numbers what HiGHS says
_TRIES = 12
_SLACK = 0.5


@dataclass(frozen=True)
class Solution:
    """What was found: a choice (None where there is none, or none in time), and what no choice exceeds.

    ``stopped`` tells whether the time limit struck.
    """

    chosen: np.ndarray | None
    bound: float
    stopped: bool


class Model:
    """The programme as rows and columns: *n* areas, and where groups matter *n* roots, then flows.

    Rows past the first ``base`` are cuts that tighten it and may come and go.
    """

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
        if programme.links is not None and programme.grouped():
            self._group_rules(programme.links)
        self.base = len(self.rows)

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

    def cuts(self) -> list[Cut]:
        """Return the cuts beyond those that every model begins with."""
        return [cut for cut in self.rows.cuts[self.base :] if cut is not None]

    def slim(self, answer: np.ndarray) -> None:
        """Leave out the rules that are far from what an answer of the relaxation makes of them: of no use later."""
        slack = np.array(self.rows.high) - self.rows.matrix(2 * self.size) @ answer
        self.rows = self.rows.kept(np.flatnonzero((slack < _SLACK) | (np.array(self.rows.low) > -inf)))

    def least(self) -> np.ndarray:
        """Mark the columns that are 1 in any choice: of two areas that must be chosen, the first is a root."""
        root = np.zeros(self.size)
        if self.graph is not None and self.programme.inside.any():
            root[np.argmin(self.graph.rank)] = 1
        return np.concatenate([self.programme.inside, root])

    def proved(self, deadline: float, gap: float, *, above: float | None = None, nodes: int | None = None) -> Solution:
        """Find the best choice; one that keeps a rule only to the solver's tolerance is ruled out."""
        rows = self.rows.kept(range(len(self.rows))) if above is None else self._above(above)
        while (left := deadline - time.monotonic()) > 0:
            options = {"time_limit": left, "mip_rel_gap": gap} | ({} if nodes is None else {"node_limit": nodes})
            found = self._solved(rows, options)
            stopped = found.status == STOPPED
            bound = inf if found.mip_dual_bound is None else -found.mip_dual_bound / self.scale
            if found.x is None:
                return Solution(None, bound if stopped else -inf, stopped=stopped)
            chosen = np.round(found.x[: self.size]) > 0
            if self.programme.holds(chosen):
                return self._solution(chosen, bound, stopped, gap)
            rows.add(np.arange(self.size), np.where(chosen, 1.0, -1.0), -inf, chosen.sum() - 1.0)
        return Solution(None, inf, stopped=True)

    def better(self, reached: float, deadline: float, gap: float, nodes: int | None = None) -> Solution:
        """Look for a better choice than there is: with the cuts alone as long as that leads on, then with flows."""
        bound = inf
        for _ in range(0 if reached == -inf else _TRIES):
            options = {"time_limit": max(deadline - time.monotonic(), 1e-3), "mip_rel_gap": gap}
            options |= {} if nodes is None else {"node_limit": nodes}
            found = self._solved(self._above(reached), options, flows=False)
            if found.x is None and found.status != STOPPED:
                return Solution(None, -inf, stopped=False)
            if found.mip_dual_bound is not None:
                bound = min(bound, -found.mip_dual_bound / self.scale)
            if found.x is None or time.monotonic() > deadline:
                return Solution(None, bound, stopped=True)
            taken = np.round(found.x)
            chosen = taken[: self.size] > 0
            if self.programme.holds(chosen):
                return self._solution(chosen, bound, found.status == STOPPED, gap)
            if self.graph is None or not (
                self.graph.separate(self.rows, *np.split(taken, 2)) + self.graph.enlarge(self.rows, chosen)
            ):
                break
        found = self.proved(deadline, gap, above=None if reached == -inf else reached, nodes=nodes)
        return Solution(found.chosen, min(bound, found.bound), found.stopped)

    def _above(self, reached: float) -> Rows:
        """Ask for a better choice; for no worse a one where needs are no whole numbers."""
        rows = self.rows.kept(range(len(self.rows)))
        rows.add(np.arange(self.size), self.programme.need * self.scale, reached * self.scale + self.whole, inf)
        return rows

    def _solution(self, chosen: np.ndarray, bound: float, stopped: bool, gap: float) -> Solution:
        reached = fsum(self.programme.need[chosen])
        return Solution(chosen, max(bound, reached) if stopped or gap else reached, stopped=stopped)

    def _solved(self, rows: Rows, options: dict[str, float], *, flows: bool = True) -> OptimizeResult:
        rules: list[LinearConstraint] = []
        width = count = self.size
        if self.graph is not None:
            width = count = 2 * count
            if flows:
                rules, width = self._flows(self.graph)
        price, whole, low, high = (np.zeros(width) for _ in range(4))
        price[: self.size] = -self.programme.need * self.scale
        whole[:count] = high[:count] = 1
        low[:count] = self.least()[:count]
        high[count:] = inf
        return milp(
            price,
            constraints=[LinearConstraint(rows.matrix(width), rows.low, rows.high), *rules],
            integrality=whole,
            bounds=Bounds(low, high),
            options=options,
        )

    def _flows(self, graph: Graph) -> tuple[list[LinearConstraint], int]:
        """State what a group is: a root sends one unit to each area of it, and each sends its people to the root."""
        of, size, links = self.programme, self.size, graph.links.tocoo()
        flows = [(np.ones(size), 0.0, float(min(of.most(), size)))]
        if of.minimum is not None and of.population is not None:
            people = of.population / of.minimum
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
