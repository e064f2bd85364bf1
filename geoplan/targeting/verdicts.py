"""What holds for sure and what may hold: three-valued logic on arrays, and its memory over years.

A figure that is missing makes a criterion neither met nor failed. Every verdict is a pair of truths, ``sure`` (holds
whatever the missing figures are) and ``possible`` (holds for some of them); where the two differ nobody knows. The
arrays end in areas; draws may come before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geoplan.specs import RuleSpec, StatusSpec

__all__ = ["FOREVER", "Scope", "State", "Verdict", "judged", "remembers", "start_of"]

FOREVER = 10_000  # periods: longer than any rule looks back


@dataclass(frozen=True)
class Verdict:
    """Whether something holds, by area; boolean arrays of one shape."""

    sure: np.ndarray
    possible: np.ndarray

    @staticmethod
    def of(truth: np.ndarray) -> Verdict:
        """Take plain truths, with nothing unknown."""
        return Verdict(truth, truth)

    @staticmethod
    def unless_missing(truth: np.ndarray, known: np.ndarray) -> Verdict:
        """Take truths where the figure is known; the rest may be either."""
        return Verdict(truth & known, truth | ~known)

    def __and__(self, other: Verdict) -> Verdict:
        return Verdict(self.sure & other.sure, self.possible & other.possible)

    def __or__(self, other: Verdict) -> Verdict:
        return Verdict(self.sure | other.sure, self.possible | other.possible)

    def __invert__(self) -> Verdict:
        return Verdict(~self.possible, ~self.sure)

    @property
    def unknown(self) -> np.ndarray:
        """Where nobody can tell."""
        return np.asarray(self.possible & ~self.sure)

    def series(self, index: pd.Index) -> pd.Series:
        """Return it as a nullable boolean by area.

        Examples
        --------
        >>> verdict = Verdict(np.array([True, False, False]), np.array([True, True, False]))
        >>> verdict.series(pd.Index(["a", "b", "c"])).tolist()
        [True, <NA>, False]
        """
        return pd.Series(pd.arrays.BooleanArray(self.sure.copy(), self.unknown), index=index)


def at_least(verdicts: Sequence[Verdict], least: int) -> Verdict:
    """Tell whether so many of several hold.

    Examples
    --------
    >>> yes, no, open_ = Verdict.of(np.array([True])), Verdict.of(np.array([False])), Verdict(
    ...     np.array([False]), np.array([True]))
    >>> [bool(at_least([yes, no, open_], m).unknown[0]) for m in (1, 2, 3)]
    [False, True, False]
    """
    return Verdict(
        np.sum([item.sure for item in verdicts], axis=0) >= least,
        np.sum([item.possible for item in verdicts], axis=0) >= least,
    )


# ---------------------------------------------------------------- over years


@dataclass(frozen=True)
class State:
    """What a status remembers from the periods before: by area, for sure and at most.

    Attributes
    ----------
    held
        Whether the area had the status in the period before.
    streak_sure, streak_possible
        For how many periods on end all that it takes has held.
    fails_sure, fails_possible
        For how many it has not.
    """

    held: Verdict
    streak_sure: np.ndarray
    streak_possible: np.ndarray
    fails_sure: np.ndarray
    fails_possible: np.ndarray


def start_of(areas: int) -> State:
    """Return the memory of a status before the first period that is known: anything may have been."""
    nothing, always = np.zeros(areas, dtype=int), np.full(areas, FOREVER)
    unknown = Verdict(np.zeros(areas, dtype=bool), np.ones(areas, dtype=bool))
    return State(unknown, nothing, always, nothing, always)


def step(status: StatusSpec, period: str, holds: Verdict, before: State) -> tuple[Verdict, State]:
    """Tell who has a status in a period, given who meets it and what was before.

    It begins when all that it takes has held in so many consecutive periods, and ends when that has not held in so
    many.
    """
    needed = status.years_in(period)
    sure = np.where(holds.sure, before.streak_sure + 1, 0)
    possible = np.where(holds.possible, before.streak_possible + 1, 0)
    fails_sure = np.where(~holds.possible, before.fails_sure + 1, 0)
    fails_possible = np.where(~holds.sure, before.fails_possible + 1, 0)
    begins = Verdict(sure >= needed, possible >= needed)
    held = begins
    if status.exit_years > 1:
        held = begins | before.held & Verdict(fails_possible < status.exit_years, fails_sure < status.exit_years)
    return held, State(held, sure, possible, fails_sure, fails_possible)


# ---------------------------------------------------------------- one period


@dataclass(frozen=True)
class Scope:
    """Of the areas, what is asked beside the criteria.

    Attributes
    ----------
    population
        Residents, NaN where not known (float, areas).
    listed
        Whether the area lies in a listed one; all True where the rule lists none.
    inside
        Level → number of the area above, -1 where there is none (int, areas).
    """

    population: np.ndarray
    listed: np.ndarray
    inside: Mapping[str, np.ndarray]


def judged(
    rule: RuleSpec,
    meets: Mapping[str, Verdict],
    scope: Scope,
    *,
    period: str,
    before: Mapping[str, State],
    fixed: Mapping[str, Verdict] | None = None,
) -> tuple[dict[str, Verdict], dict[str, State]]:
    """Tell which areas have which status in one period.

    Parameters
    ----------
    rule
        The rule book.
    meets
        Criterion → verdict; arrays end in areas.
    scope
        Population, listed areas, areas above.
    period
        The period.
    before
        Status → what it remembers.
    fixed
        Status → verdict that is known already, such as from a published list.

    Returns
    -------
    tuple of dict
        Status → who has it; and what each remembers for the next period.
    """
    found: dict[str, Verdict] = {}
    states: dict[str, State] = {}
    for status in rule.statuses:
        known = (fixed or {}).get(status.id)
        plain = known if known is not None and not remembers(status) else _holds(status, meets, found, scope)
        held, state = step(status, period, plain, before[status.id])
        if known is not None:
            held, state = known, _narrowed(status, period, known, state)
        found[status.id] = held
        states[status.id] = replace(state, held=held)
    return found, states


def remembers(status: StatusSpec) -> bool:
    """Tell whether a status depends on the periods before."""
    return status.years > 1 or bool(status.years_at) or status.exit_years > 1


def _narrowed(status: StatusSpec, period: str, known: Verdict, state: State) -> State:
    """Learn from who is known to have a status for how long its conditions have held.

    Who has it has met them for as long as it takes; who has it not has met them for less. The years on the list are
    not the years that count.
    """
    needed = status.years_in(period)
    sure, possible = state.streak_sure, state.streak_possible
    fails_sure, fails_possible = state.fails_sure, state.fails_possible
    possible = np.where(~known.possible & (sure < needed), np.minimum(possible, needed - 1), possible)
    if status.exit_years == 1:
        sure = np.where(known.sure, np.maximum(sure, needed), sure)
        possible = np.maximum(sure, possible)
        fails_sure, fails_possible = np.where(known.sure, 0, fails_sure), np.where(known.sure, 0, fails_possible)
    return State(known, sure, possible, fails_sure, fails_possible)


def _holds(status: StatusSpec, meets: Mapping[str, Verdict], found: Mapping[str, Verdict], scope: Scope) -> Verdict:
    """Tell who meets all that a status takes in one period."""
    known = ~np.isnan(scope.population)
    enough = np.where(known, scope.population, 0.0) >= status.minimum_population
    people = Verdict.unless_missing(enough, known) if status.minimum_population else Verdict.of(np.ones_like(known))
    holds = people & Verdict.of(scope.listed)
    if status.criteria:
        counted = [meets[name] for name in status.criteria]
        holds = holds & at_least(counted, status.least or len(counted))
    for name in status.required:
        holds = holds & meets[name]
    for name in status.based_on:
        holds = holds & found[name]
    for name in status.without:
        holds = holds & ~found[name]
    if status.any_of:
        holds = holds & at_least([found[name] for name in status.any_of], 1)
    if status.minimum_areas is not None:
        holds = holds & _enough_areas(holds, scope.inside[str(status.inside)], status.minimum_areas)
    return holds


def _enough_areas(holds: Verdict, group: np.ndarray, least: int) -> Verdict:
    """Tell whose area above has so many that qualify; an area without one has none beside it."""
    many = int(group.max(initial=-1)) + 1
    member = np.zeros((len(group), many), dtype=int)
    member[np.flatnonzero(group >= 0), group[group >= 0]] = 1

    def enough(truth: np.ndarray) -> np.ndarray:
        count = truth.astype(int) @ member
        return np.where(group >= 0, count[..., np.maximum(group, 0)] if many else 0, 1) >= least

    return Verdict(enough(holds.sure), enough(holds.possible))
