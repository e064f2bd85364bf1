"""Which further figures must be hidden so that sums do not give the unsafe ones away, at the least loss.

The cell suppression problem of official statistics, solved by scipy's mixed-integer programming with cuts: hide, work
out what an attacker could (:func:`~geoplan.places.sums.ranges`), forbid what let him, and hide anew (Fischetti &
Salazar-González 2001, Management Science 47(7)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from geoplan.places.sums import Ranges, System, ranges

__all__ = ["Problem", "hide"]

_ROUNDS = 60
_SLACK = 1e-6


@dataclass
class Problem:
    """Figures of which some must be hidden together; all arrays have one entry a figure.

    Attributes
    ----------
    systems
        The sums in which the figures stand, one or several (a base stands behind many indicators).
    forced
        What is hidden anyway: unsafe figures, and those that are not shown at all.
    need
        How wide the range left to an attacker must be when the figure is hidden; one array a system.
    cost
        What hiding the figure loses.
    cuts
        Rows of coefficients and their right-hand sides, filled while solving.
    """

    systems: list[System]
    forced: np.ndarray
    need: list[np.ndarray]
    cost: np.ndarray
    cuts: list[tuple[np.ndarray, float]] = field(default_factory=list)

    @cached_property
    def never_alone(self) -> sparse.csr_matrix:
        """What holds of every choice: no secret is hidden alone in a sum."""
        both = zip(self.systems, self.need, strict=True)
        return sparse.vstack([_never_alone(system, need > 0) for system, need in both], format="csr")

    @cached_property
    def present(self) -> np.ndarray:
        """The figures there are: those with a value in any of the sums."""
        return np.asarray(np.any([system.upper > system.lower for system in self.systems], axis=0))


def hide(problems: Sequence[Problem], *, on_step: Callable[[str], None] | None = None) -> list[np.ndarray]:
    """Choose what to hide in each problem; return a boolean array for each.

    The choice is the cheapest that leaves every hidden figure the range it needs. Where even hiding everything does
    not, everything is hidden.
    """
    hidden = [problem.forced.copy() for problem in problems]
    waiting = [number for number, problem in enumerate(problems) if problem.forced.any()]
    for turn in range(_ROUNDS):
        if not waiting:
            return hidden
        if on_step:
            on_step(f"hiding what would give hidden figures away (round {turn + 1}, tables left: {len(waiting)})")
        for number in waiting:
            hidden[number] = _cheapest(problems[number])
        waiting = _narrow(problems, hidden, waiting)
    for number in waiting:
        hidden[number] = problems[number].present | problems[number].forced
    return hidden


def _cheapest(problem: Problem) -> np.ndarray:
    """Solve the integer programme with the cuts there are."""
    size = len(problem.forced)
    plain = problem.never_alone
    cuts = sparse.csr_matrix(np.array([cut for cut, _ in problem.cuts]).reshape(-1, size))
    matrix = sparse.vstack([plain, cuts], format="csr")
    least = np.concatenate([np.zeros(plain.shape[0]), [need for _, need in problem.cuts]])
    used = problem.forced | problem.present
    if matrix.shape[0] == 0:
        return problem.forced.copy()
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  9 MB that only those who hide need

    found = milp(
        problem.cost,
        integrality=np.ones(size),
        bounds=Bounds(problem.forced.astype(float), used.astype(float)),
        constraints=LinearConstraint(matrix, least - _SLACK, np.inf),
    )
    return used if found.x is None else np.asarray(np.round(found.x), dtype=bool)


def _never_alone(system: System, secret: np.ndarray) -> sparse.csr_matrix:
    """In no sum may a secret be the only figure hidden: the sum of the others y_i must be at least its y_j.

    What is not shown but no secret, such as the areas behind a level that is published, may well be worked out.
    """
    there = system.upper > system.lower
    rows, columns, signs, count = [], [], [], 0
    for start, end in pairwise(system.equations.indptr):
        cells = system.equations.indices[start:end]
        cells = cells[there[cells]]
        own = np.flatnonzero(secret[cells])
        rows.append(np.repeat(np.arange(count, count + len(own)), len(cells)))
        columns.append(np.tile(cells, len(own)))
        signs.append((1.0 - 2.0 * np.eye(len(cells)))[own].ravel())
        count += len(own)
    if not count:
        return sparse.csr_matrix((0, len(there)))
    entries = (np.concatenate(signs), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(entries, shape=(count, len(there)))


def _narrow(problems: Sequence[Problem], hidden: Sequence[np.ndarray], waiting: Sequence[int]) -> list[int]:
    """Add a cut for every hidden figure whose range is too narrow; return the problems that have one."""
    owners = [(number, place) for number in waiting for place in range(len(problems[number].systems))]
    systems = [
        problems[n].systems[p].hiding(hidden[n] & (problems[n].systems[p].upper > problems[n].systems[p].lower))
        for n, p in owners
    ]
    found = ranges(systems, [problems[n].need[p] > 0 for n, p in owners])
    open_again = set()
    for place, ((number, inner), system) in enumerate(zip(owners, systems, strict=True)):
        problem = problems[number]
        need = problem.need[inner]
        narrow = system.hidden & (need > 0) & (found.width(place, system) < need - _SLACK)
        for cell in np.flatnonzero(narrow):
            problem.cuts.append(_cut(problem, system, found, place, int(cell), float(need[cell]), hidden[number]))
            open_again.add(number)
    return sorted(open_again)


def _cut(
    problem: Problem, system: System, found: Ranges, place: int, cell: int, need: float, hidden: np.ndarray
) -> tuple[np.ndarray, float]:
    """Forbid what let the range be narrow: the room that hidden figures give must be at least what is needed.

    With multipliers λ of the equations and s = e_p - Aᵀλ, a change of p is the sum of s_i times the change of i (as
    A·change = 0), so that it is at most the room of those hidden on the side on which s_i lies.
    """
    unit = np.zeros(len(system.value))
    unit[cell] = 1.0
    above, below = system.upper - system.value, system.value - system.lower
    up = unit - system.equations.T @ found.up[place][cell]
    down = unit - system.equations.T @ found.down[place][cell]
    room = np.maximum(up, 0) * above + np.maximum(-up, 0) * below
    room = room + np.maximum(-down, 0) * above + np.maximum(down, 0) * below
    room = np.minimum(np.where(room < _SLACK, 0.0, room), need)
    if not problem.forced[cell]:
        room[cell] -= need  # it needs room only when it is hidden
    if room @ hidden >= (need if problem.forced[cell] else 0.0) - _SLACK:
        # Whole numbers lie closer than the programme's range shows: something else must be hidden as well.
        room = (~hidden & problem.present).astype(float)
        room[cell] = 0.0 if problem.forced[cell] else -1.0
        return room, 1.0 if problem.forced[cell] else 0.0
    return room, need if problem.forced[cell] else 0.0
