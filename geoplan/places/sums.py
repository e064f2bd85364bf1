"""Figures tied by sums: areas inside areas, years inside periods, and what can be worked out from those shown.

An attacker sees the shown figures and knows how the hidden ones add up to them. What is left to him is a range for
each hidden figure, found by linear programming (:func:`ranges`); a range of a single value is a figure given away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from geoplan.errors import Fault, TableError

__all__ = ["Structure", "System", "ranges", "stacked"]

_EXACT = 1e-6


@dataclass(frozen=True)
class Structure:
    """How areas of several levels add up.

    Attributes
    ----------
    areas
        Columns ``level, area_id, shown`` (bool), one row an area; where the smallest areas are not shown themselves,
        they stand here in groups that nobody can tell apart (level ``""``).
    members
        Areas × smallest areas, 1 where the one lies in the other.
    equations
        Equations × areas, 1 for an area and -1 for the areas that make it up; their sum is 0.
    """

    areas: pd.DataFrame
    members: sparse.csr_matrix
    equations: sparse.csr_matrix

    @classmethod
    def of(cls, finest: Sequence[str], levels: Mapping[str, pd.DataFrame]) -> Structure:
        """Find the sums among levels, each given as pairs ``child_id`` (a smallest area), ``parent_id``."""
        places = pd.Index(finest)
        found = {name: _members(places, pairs) for name, pairs in levels.items()}
        whole = [name for name, (ids, _) in found.items() if ids.equals(places.sort_values())]
        if not whole:
            together = sparse.vstack([matrix for _, matrix in found.values()]).toarray().T
            groups = pd.factorize(pd.Series([row.tobytes() for row in together]))[0]
            pairs = pd.DataFrame({"child_id": finest, "parent_id": [f"{group:06d}" for group in groups]})
            found = {"": _members(places, pairs), **found}
        # Many small areas first: each area is then made of areas of an earlier level.
        order = sorted(found, key=lambda name: (name not in {"", *whole}, -len(found[name][0]), name))
        frames = [pd.DataFrame({"level": name, "area_id": found[name][0], "shown": name != ""}) for name in order]
        parts = [found[name][1] for name in order]
        return cls(
            areas=pd.concat(frames, ignore_index=True),
            members=sparse.vstack(parts, format="csr"),
            equations=_equations(parts),
        )

    def sums(self, values: pd.DataFrame) -> np.ndarray:
        """Add up the known values of the smallest areas (rows) for every area; unknown ones count as nothing."""
        return np.asarray(self.members @ values.fillna(0.0).to_numpy(dtype=float))


def _members(finest: pd.Index, pairs: pd.DataFrame) -> tuple[pd.Index, sparse.csr_matrix]:
    """Return the areas of a level, and which of the smallest areas lie in each."""
    inside = pairs[pairs["child_id"].isin(finest)]
    codes, ids = pd.factorize(inside["parent_id"], sort=True)
    entries = (np.ones(len(inside)), (codes, finest.get_indexer(inside["child_id"])))
    return pd.Index(ids), sparse.csr_matrix(entries, shape=(len(ids), len(finest)))


def _equations(parts: Sequence[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Write every area as the sum of areas of the nearest level that fits into it, once and without a rest."""
    starts = np.cumsum([0, *(part.shape[0] for part in parts)])
    rows: list[sparse.csr_matrix] = []
    for upper in range(1, len(parts)):
        waiting = np.ones(parts[upper].shape[0], dtype=bool)
        for lower in range(upper - 1, -1, -1):
            inside = _inside(parts[upper], parts[lower])
            rest = abs(parts[upper] - inside @ parts[lower])
            fits = waiting & (np.asarray(rest.sum(axis=1)).ravel() == 0)
            for area in np.flatnonzero(fits):
                line = np.zeros(starts[-1])
                line[starts[upper] + area] = 1.0
                line[starts[lower] + inside.indices[inside.indptr[area] : inside.indptr[area + 1]]] = -1.0
                rows.append(sparse.csr_matrix(line))
            waiting &= ~fits
    return sparse.vstack(rows, format="csr") if rows else sparse.csr_matrix((0, starts[-1]))


def _inside(upper: sparse.csr_matrix, lower: sparse.csr_matrix) -> sparse.csr_matrix:
    """Tell which of the lower areas lie in which of the upper ones whole."""
    common = (upper @ lower.T).tocoo()
    size = np.asarray(lower.sum(axis=1)).ravel()
    whole = common.data == size[common.col]
    entries = (np.ones(int(whole.sum())), (common.row[whole], common.col[whole]))
    return sparse.csr_matrix(entries, shape=common.shape)


@dataclass(frozen=True)
class System:
    """Figures of one indicator tied by sums; all arrays have one entry a figure.

    Attributes
    ----------
    area, period
        Row of :attr:`Structure.areas`, and the period.
    value
        The true figure.
    hidden
        Whether the reader is not shown it.
    lower, upper
        Between what the figure must lie, as anybody knows beforehand.
    equations
        Equations × figures; the sums of ``equations × value`` are 0.
    whole
        Whether the figures are whole numbers.
    """

    area: np.ndarray
    period: np.ndarray
    value: np.ndarray
    hidden: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    equations: sparse.csr_matrix
    whole: bool = True

    def hiding(self, hidden: np.ndarray) -> System:
        """Return the system with other figures hidden."""
        return replace(self, hidden=hidden)


def stacked(structure: Structure, periods: Sequence[str], year_sums: Mapping[str, Sequence[str]]) -> sparse.csr_matrix:
    """Return the equations of all areas in several periods, and those that tie a period to the years it sums.

    Raises
    ------
    TableError
        When a period is the sum of one that is not there.
    """
    count, place = len(structure.areas), {period: number for number, period in enumerate(periods)}
    blocks = [sparse.block_diag([structure.equations] * len(periods), format="csr")]
    for period, years in year_sums.items():
        absent = [year for year in years if year not in place]
        if period not in place or absent:
            raise TableError(
                Fault(what=f"the period '{period}' is said to sum periods that are not there: {', '.join(absent)}")
            )
        row = np.zeros(len(periods))
        row[place[period]] = 1.0
        row[[place[year] for year in years]] = -1.0
        blocks.append(sparse.kron(row, sparse.identity(count), format="csr"))
    return sparse.vstack(blocks, format="csr")


# ---------------------------------------------------------------- ranges


@dataclass(frozen=True)
class Ranges:
    """What is left open of the hidden figures of several systems.

    Attributes
    ----------
    lowest, highest
        One array a system; shown figures have their value in both.
    up, down
        One dictionary a system: hidden figure → multipliers of the equations that prove its highest and lowest value
        (Fischetti & Salazar-González 2001 make cuts of them).
    """

    lowest: list[np.ndarray]
    highest: list[np.ndarray]
    up: list[dict[int, np.ndarray]]
    down: list[dict[int, np.ndarray]]

    def width(self, number: int, system: System) -> np.ndarray:
        """Return how far apart the ends lie; for whole numbers, of those inside."""
        low, high = self.lowest[number], self.highest[number]
        if system.whole:
            low, high = np.ceil(low - _EXACT), np.floor(high + _EXACT)
        return np.asarray(np.maximum(high - low, 0.0))


def ranges(systems: Sequence[System], wanted: Sequence[np.ndarray] | None = None) -> Ranges:
    """Work out between what each hidden figure must lie, given those that are shown.

    Parameters
    ----------
    systems
        Independent of each other; they are solved side by side.
    wanted
        The figures to work out, a boolean array a system; all hidden ones when left out.

    Notes
    -----
    Two linear programmes a figure, min and max of x subject to A·x = 0, shown figures fixed. Figures that share no
    equation do not disturb each other, so that one programme serves a figure of every connected group at once.
    """
    lowest = [system.value.astype(float).copy() for system in systems]
    highest = [system.value.astype(float).copy() for system in systems]
    result = Ranges(lowest, highest, [{} for _ in systems], [{} for _ in systems])
    whole = _Whole(systems)
    if not whole.size:
        return result
    asked = [s.hidden if wanted is None else s.hidden & wanted[n] for n, s in enumerate(systems)]
    for turn in whole.turns(asked):
        for sign in (1.0, -1.0):
            values, multipliers = whole.solve(turn, sign)
            for variable, value in zip(turn, values, strict=True):
                number, cell = whole.home(variable)
                proof = whole.proof(variable, multipliers)
                if sign > 0:
                    lowest[number][cell] = value
                    result.down[number][cell] = proof
                else:
                    highest[number][cell] = value
                    result.up[number][cell] = -proof
    return result


class _Whole:
    """All systems side by side, reduced to their hidden figures."""

    def __init__(self, systems: Sequence[System]) -> None:
        self.systems = systems
        self.scale = [1.0 if s.whole else max(float(np.abs(s.value).max(initial=0.0)), 1.0) / 1e3 for s in systems]
        self.cells = [np.flatnonzero(system.hidden) for system in systems]
        self.starts = np.cumsum([0, *(len(cells) for cells in self.cells)])
        self.size = int(self.starts[-1])
        self.equation_starts = np.cumsum([0, *(system.equations.shape[0] for system in systems)])
        if not self.size:
            return
        matrices, constants = [], []
        for system, cells, scale in zip(systems, self.cells, self.scale, strict=True):
            shown = np.where(system.hidden, 0.0, system.value) / scale
            matrices.append(system.equations[:, cells])
            constants.append(-(system.equations @ shown))
        matrix = sparse.block_diag(matrices, format="csr")
        used = np.flatnonzero(np.diff(matrix.indptr))
        self.used, self.matrix, self.constant = used, matrix[used], np.concatenate(constants)[used]
        both = zip(systems, self.cells, self.scale, strict=True)
        limits = [np.column_stack([s.lower[c], s.upper[c]]) / scale for s, c, scale in both]
        self.limits = np.vstack(limits)
        self.group = self._groups()
        self.row_group = np.full(int(self.equation_starts[-1]), -1)
        self.row_group[used] = self.group[self.matrix.indices[self.matrix.indptr[:-1]]]

    def _groups(self) -> np.ndarray:
        """Give the hidden figures that hang together the same number."""
        ties = abs(self.matrix)
        joined = (ties.T @ ties).tocsr()
        return np.asarray(connected_components(joined, directed=False)[1])

    def turns(self, asked: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
        """Deal the figures out so that no two of a turn hang together."""
        picked = [mask[cells] for mask, cells in zip(asked, self.cells, strict=True)]
        variables = np.flatnonzero(np.concatenate(picked))
        place = pd.Series(self.group[variables]).groupby(self.group[variables]).cumcount().to_numpy()
        return [variables[place == turn] for turn in range(int(place.max(initial=-1)) + 1)]

    def home(self, variable: int) -> tuple[int, int]:
        number = int(np.searchsorted(self.starts, variable, side="right")) - 1
        return number, int(self.cells[number][variable - self.starts[number]])

    def proof(self, variable: int, multipliers: np.ndarray) -> np.ndarray:
        """Keep the multipliers of the equations that a figure hangs together with, of its own system."""
        number, _ = self.home(variable)
        own = slice(int(self.equation_starts[number]), int(self.equation_starts[number + 1]))
        return np.where(self.row_group[own] == self.group[variable], multipliers[own], 0.0)

    def solve(self, turn: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray]:
        """Minimise ``sign`` × the figures of a turn; return their values and the multipliers of all equations."""
        kept = np.isin(self.group, self.group[turn])
        columns = np.flatnonzero(kept)
        matrix = self.matrix[:, columns]
        rows = np.flatnonzero(np.diff(matrix.indptr))
        aim = np.zeros(len(columns))
        aim[np.searchsorted(columns, turn)] = sign
        tied = {"A_eq": matrix[rows], "b_eq": self.constant[rows]} if len(rows) else {}
        from scipy.optimize import linprog  # noqa: PLC0415  9 MB that only those who hide figures need

        found = linprog(aim, bounds=self.limits[columns], method="highs", **tied)
        if found.status != 0:  # the true figures are a solution, so this is a fault of the input
            raise TableError(
                Fault(
                    what="the figures shown contradict each other", expected="totals that are the sums of their parts"
                )
            )
        multipliers = np.zeros(int(self.equation_starts[-1]))
        if len(rows):
            multipliers[self.used[rows]] = found.eqlin.marginals
        scale = np.array([self.scale[self.home(variable)[0]] for variable in turn])
        return found.x[np.searchsorted(columns, turn)] * scale + 0.0, multipliers  # + 0.0: no -0.0
