"""What a choice of areas must hold to, and whether one does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

__all__ = ["NEAR", "Programme", "groups_of", "within"]

NEAR = 1e-9  # sums are compared to this part of them


@dataclass(frozen=True)
class Programme:
    """Areas, in the order of their codes, and what a choice of them must hold to.

    ``links`` (areas × areas, symmetric) is left out where groups do not matter; ``minimum`` is then of each area.
    ``place`` numbers the municipality of each area, ``least`` is how many of each must be chosen.
    """

    need: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    cost: np.ndarray | None = None
    population: np.ndarray | None = None
    k: int | None = None
    exactly: bool = False
    budget: float | None = None
    links: sparse.csr_array | None = None
    groups: int | None = None
    minimum: float | None = None
    place: np.ndarray | None = None
    least: np.ndarray | None = None

    def free(self) -> np.ndarray:
        """Mark the areas that may be chosen: not ruled out, and people enough in them or around them."""
        free = ~self.outside
        if self.minimum is not None and self.population is not None:
            enough = self.minimum * (1 - NEAR)
            if self.links is None:
                return np.asarray(free & (self.population >= enough))
            group = groups_of(self.links, free)
            people = np.bincount(group[free], self.population[free], minlength=1)
            free[free] = people[group[free]] >= enough
        return free

    def most(self) -> int:
        """Return how many areas a choice has at most."""
        most = len(self.need) if self.k is None else min(self.k, len(self.need))
        if self.budget is not None and self.cost is not None:
            most = min(most, int((np.cumsum(np.sort(self.cost)) <= within(self.budget)).sum()))
        return max(most, 1)

    def grouped(self) -> bool:
        """Tell whether it matters which areas hang together."""
        return self.links is not None and (self.groups is not None or self.minimum is not None)

    def arcs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return who is whose neighbour, one pair a place, either way."""
        if self.links is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return np.repeat(np.arange(len(self.need)), np.diff(self.links.indptr)), self.links.indices

    def only(self, places: np.ndarray) -> Programme:
        """Return the programme of some areas."""
        names = ("need", "inside", "outside", "cost", "population", "place")
        some = {name: part[places] for name in names if (part := getattr(self, name)) is not None}
        return replace(self, **some, links=None if self.links is None else self.links[places][:, places])

    def holds(self, chosen: np.ndarray) -> bool:
        """Tell whether a choice keeps every rule, whatever the solver's tolerance."""
        number = int(chosen.sum())
        if not number or (chosen & self.outside).any() or (self.inside & ~chosen).any():
            return False
        if self.k is not None and (number > self.k or (self.exactly and number < self.k)):
            return False
        if self.budget is not None and self.cost is not None and fsum(self.cost[chosen]) > within(self.budget):
            return False
        if self.place is not None and self.least is not None:
            return self._groups_hold(chosen) and bool(
                (np.bincount(self.place[chosen], minlength=len(self.least)) >= self.least).all()
            )
        return self._groups_hold(chosen)

    def _groups_hold(self, chosen: np.ndarray) -> bool:
        if self.links is None:
            return not (chosen & ~self.free()).any()
        group = groups_of(self.links, chosen)
        if self.groups is not None and group.max() >= self.groups:
            return False
        if self.minimum is None or self.population is None:
            return True
        return bool(np.bincount(group[chosen], self.population[chosen]).min() >= self.minimum * (1 - NEAR))


def within(budget: float) -> float:
    """Return a budget with room for the last digits of a sum.

    Examples
    --------
    >>> 0.1 + 0.2 <= 0.3, 0.1 + 0.2 <= within(0.3)
    (False, True)
    """
    return budget * (1 + NEAR)


def groups_of(links: sparse.csr_array, chosen: np.ndarray) -> np.ndarray:
    """Give each connected group of the areas chosen a number from 0 up, and the other areas -1."""
    group = np.full(len(chosen), -1)
    places = np.flatnonzero(chosen)
    if len(places):
        group[places] = connected_components(links[places][:, places], directed=False)[1]
    return group
