"""Draws of what an index leaves open: true rates behind counts, weights, and choices of method.

Every chunk of draws has its own generators, spawned from one seed by the chunk's number, one for each factor: the same
seed gives the same draws on one thread or many, and varying the weights does not disturb the counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk.levels import Levels, common_levels
from geoplan.risk.normalising import settled
from geoplan.risk.shrinkage import Cells, Towards, believed_strength, centres, circles_of, counted_cells

__all__ = [
    "FACTORS",
    "Beliefs",
    "Choices",
    "Noise",
    "Options",
    "Scorer",
    "beliefs_of",
    "check_numbers",
    "chunks_of",
    "each_chunk",
    "is_number",
    "place_in",
    "ranks_of",
    "scored",
]

Noise = Literal["posterior", "sampling", "none"]
FACTORS = 5  # generators of a chunk: counts, weights, normalisation, aggregation, indicator left out
NOISES = ("posterior", "sampling", "none")
_CELLS = 1 << 21  # figures in a chunk: 16 MB, small enough for many to be alive at once
_MOST = 512  # draws in a chunk of a small town, so that several threads have something to do
T = TypeVar("T")


# ---------------------------------------------------------------- counts


@dataclass(frozen=True)
class Beliefs:
    """What the counts let one believe of the true rates; arrays are areas × indicators.

    Attributes
    ----------
    noise
        How figures are drawn, see :func:`beliefs_of`.
    value
        The figures as they stand, in their units; NaN where none is used.
    drawn
        Whether a figure is drawn (bool); the others stay as they stand.
    cases, base, centre
        Counts, and the rate that the area is drawn towards (0-1 or per head).
    strengths, cumulated
        Per indicator: the grid of strengths *M* and its cumulated probabilities.
    is_share, scale
        Per indicator: binomial, and what a rate is multiplied by.
    levels
        General levels of the areas, which move the centres; None where too little is known of them.
    """

    noise: Noise
    value: np.ndarray
    drawn: np.ndarray
    cases: np.ndarray
    base: np.ndarray
    centre: np.ndarray
    strengths: np.ndarray
    cumulated: np.ndarray
    is_share: np.ndarray
    scale: np.ndarray
    levels: Levels | None = None

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Draw the figures: draws × areas × indicators (float64), in their units.

        The indicators lie outermost in memory, for they are drawn, normalised and added up one after the other.
        """
        areas, indicators = self.value.shape
        result = np.empty((indicators, size, areas))
        levels = None if self.levels is None else self.levels.draw(rng, size)
        for column in range(indicators):
            own = result[column]
            own[:] = self.value[:, column]
            rows = self.drawn[:, column]
            if not rows.any():
                continue
            drawn = self._column(rng, size, column, slice(None) if rows.all() else rows, levels)
            drawn *= self.scale[column]
            if rows.all():
                own[:] = drawn
            else:
                own[:, rows] = drawn
        return np.moveaxis(result, 0, -1)

    def _column(
        self, rng: np.random.Generator, size: int, column: int, rows: Any, levels: np.ndarray | None
    ) -> np.ndarray:
        """Draw rates of one indicator: draws × areas."""
        y, n = self.cases[rows, column], self.base[rows, column]
        shape = (size, len(y))
        if self.noise == "sampling":
            if not self.is_share[column]:
                return np.asarray(rng.poisson(y, shape) / n)
            people = np.maximum(np.rint(n), 1).astype(np.int64)
            return np.asarray(rng.binomial(people, np.clip(y / n, 0.0, 1.0), shape) / people)
        strength = self._strength(rng, size, column)[:, None]
        centre = self.centre[rows, column]
        if self.levels is not None and levels is not None:
            centre = self.levels.centre(levels, column, rows)
        pull = strength * centre
        cases = rng.standard_gamma(pull + y)
        if not self.is_share[column]:
            cases /= strength + n
            return np.asarray(cases)
        # A Beta variate is the share of one Gamma variate in two.
        people = rng.standard_gamma(strength - pull + (n - y))
        people += cases
        with np.errstate(invalid="ignore"):
            cases /= people
        # Fractions of a person on both sides may both come out as nothing.
        made: np.ndarray = np.where(people > 0, cases, centre) if (people <= 0).any() else cases
        return made

    def _strength(self, rng: np.random.Generator, size: int, column: int) -> np.ndarray:
        place = np.searchsorted(self.cumulated[column], rng.random(size), side="right")
        found: np.ndarray = self.strengths[column][np.minimum(place, self.strengths.shape[1] - 1)]
        return found


def beliefs_of(
    table: IndicatorTable,
    values: pd.DataFrame,
    period: str,
    *,
    noise: Noise = "posterior",
    towards: Towards = "city",
    parents: pd.Series | None = None,
    neighbours: Any = None,
) -> tuple[Beliefs, dict[str, int]]:
    r"""Say what the counts behind the figures of an index let one believe of the true rates.

    Parameters
    ----------
    table
        The indicators.
    values
        Areas × indicators: the figures that are used, in their units, NaN where none is.
    period
        Their period.
    noise
        ``posterior``: the true rates given the counts, Beta (shares) or Gamma (rates) around centre *m* with strength
        *M* as in :func:`~geoplan.risk.shrink`, but with the area's own counts left out of its centre, so that they do
        not speak twice, and with *M* drawn from what all areas say about it,

        .. math::

            \theta \mid y \sim \text{Beta}(y + Mm,\ n - y + M(1-m)), \qquad
            \theta \mid y \sim \text{Gamma}(y + Mm,\ n + M)

        The centre is moved by the area's general level, which is drawn as well, see :mod:`geoplan.risk.levels`: else
        an area that is high in all of its indicators would be pulled back in each.
        ``sampling``: other counts from the observed rates, binomial or Poisson. ``none``: the figures as they are.
    towards, parents, neighbours
        Where the centre comes from, as in :func:`~geoplan.risk.shrink`; all areas of the table speak of *M*.

    Returns
    -------
    tuple of Beliefs and dict
        And indicator → number of figures used that have no counts, which therefore stay as they are.

    Raises
    ------
    InputError
        When ``noise`` or ``towards`` is unknown, or a share has more cases than its base.
    """
    if noise not in NOISES:
        raise checks.unknown_name("kind of noise", str(noise), NOISES, key="noise")
    cells = counted_cells(table, values.columns, period)
    circles = circles_of(cells.area_ids, towards, parents=parents, neighbours=neighbours)
    centre = centres(cells, circles, without_itself=True)
    levels = common_levels(cells, centre) if noise == "posterior" else None
    names = range(len(cells.names))
    strengths, cumulated = np.ones((len(cells.names), 1)), np.ones((len(cells.names), 1))
    if noise == "posterior":
        found = [_strengths(cells, centre, levels, i) for i in names]
        strengths = np.array([grid for grid, _ in found])
        cumulated = np.array([np.cumsum(chance) for _, chance in found])
    place = cells.area_ids.get_indexer(values.index)
    used = np.isfinite(values.to_numpy(dtype=float))
    counted = (place[:, None] >= 0) & cells.counted[place] & used
    beliefs = Beliefs(
        noise=noise,
        value=values.to_numpy(dtype=float),
        drawn=counted & (noise != "none"),
        cases=cells.cases[place],
        base=cells.base[place],
        centre=centre[place],
        strengths=strengths,
        cumulated=cumulated,
        is_share=cells.is_share,
        scale=cells.scale,
        levels=None if levels is None else levels.of(place),
    )
    bare = (used & ~counted).sum(axis=0)
    return beliefs, {name: int(number) for name, number in zip(cells.names, bare, strict=True) if number}


def _strengths(cells: Cells, centre: np.ndarray, levels: Levels | None, i: int) -> tuple[np.ndarray, np.ndarray]:
    rows = cells.counted[:, i]
    if not rows.any():
        grid, chance = believed_strength(np.zeros(1), np.ones(1), np.full(1, 0.5), is_share=True)
        return np.ones_like(grid), chance
    around, chances = (centre[rows, i, None], np.ones(1)) if levels is None else levels.supposed(i, rows)
    return believed_strength(
        cells.cases[rows, i], cells.base[rows, i], around, is_share=bool(cells.is_share[i]), chances=chances
    )


# ---------------------------------------------------------------- weights and choices of method


@dataclass(frozen=True)
class Options:
    """What of the method is varied.

    Attributes
    ----------
    domain_weights
        The index's own, one a domain.
    indicator_weights
        The index's own, one an indicator.
    groups
        Places of the indicators whose weights divide a whole among them: those of a domain, or of a sub-domain. An
        indicator in none of them keeps its weight, and is never left out.
    part_weights, part_groups
        The same of sub-domains in their domains; a domain without any counts as one.
    concentration
        Of the Dirichlet distribution around the weights; None where they are fixed.
    normalisations, aggregations
        Those to draw from, each as likely; None stands for the index's own.
    leave_one_out
        Whether one indicator, or none, is left out, each as likely.
    """

    domain_weights: np.ndarray
    indicator_weights: np.ndarray
    groups: tuple[tuple[int, ...], ...]
    concentration: float | None = None
    normalisations: tuple[str | None, ...] = (None,)
    aggregations: tuple[str | None, ...] = (None,)
    leave_one_out: bool = False
    part_weights: np.ndarray = field(default_factory=lambda: np.zeros(0))
    part_groups: tuple[tuple[int, ...], ...] = ()

    @property
    def varied(self) -> tuple[str, ...]:
        """The factors that are not the same in all draws."""
        open_ones = {
            "weights": self.concentration is not None and len(self.indicator_weights) > 1,
            "normalisation": len(self.normalisations) > 1,
            "aggregation": len(self.aggregations) > 1,
            "left_out": self.leave_one_out,
        }
        return tuple(name for name, is_open in open_ones.items() if is_open)

    def draw(self, rngs: Sequence[np.random.Generator], size: int) -> Choices:
        """Draw the choices of some draws; weights, normalisation, aggregation and indicator left out from one each."""
        weights, normalisation, aggregation, out = rngs
        domains = indicators = parts = None
        if self.concentration is not None:
            domains = self._dirichlet(weights, size, self.domain_weights)
            indicators = np.tile(self.indicator_weights, (size, 1))
            for group in self.groups:
                indicators[:, list(group)] = self._dirichlet(weights, size, self.indicator_weights[list(group)])
            if self.part_groups:
                parts = np.tile(self.part_weights, (size, 1))
                for group in self.part_groups:
                    parts[:, list(group)] = self._dirichlet(weights, size, self.part_weights[list(group)])
        removable = np.array([-1, *(place for group in self.groups for place in group)])
        return Choices(
            domain_weights=domains,
            indicator_weights=indicators,
            part_weights=parts,
            normalisation=normalisation.integers(len(self.normalisations), size=size),
            aggregation=aggregation.integers(len(self.aggregations), size=size),
            left_out=out.choice(removable, size=size) if self.leave_one_out else np.full(size, -1),
        )

    def _dirichlet(self, rng: np.random.Generator, size: int, weights: np.ndarray) -> np.ndarray:
        """Draw weights with the mean and the sum of those given; a weight of 0 stays 0."""
        total, positive = weights.sum(), weights > 0
        made = np.zeros((size, len(weights)))
        if positive.sum() == 1:
            made[:, positive] = total
        elif positive.any():
            around = weights[positive] / total * float(self.concentration or 0)
            made[:, positive] = rng.dirichlet(around, size) * total
        return made

    def weights_of(self, choices: Choices) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return domain and indicator weights of each draw (None: the index's own); one left out has none."""
        indicators = choices.indicator_weights
        if self.leave_one_out:
            every = self.indicator_weights if indicators is None else indicators
            indicators = np.array(np.broadcast_to(every, (len(choices.left_out), len(self.indicator_weights))))
            rows = np.flatnonzero(choices.left_out >= 0)
            indicators[rows, choices.left_out[rows]] = 0.0
        return choices.domain_weights, indicators


@dataclass(frozen=True)
class Choices:
    """The choices of some draws; ``normalisation`` and ``aggregation`` are numbers of the options."""

    domain_weights: np.ndarray | None
    indicator_weights: np.ndarray | None
    part_weights: np.ndarray | None
    normalisation: np.ndarray
    aggregation: np.ndarray
    left_out: np.ndarray

    def taking(self, factor: str, other: Choices) -> Choices:
        """Return these choices with one factor (weights, normalisation, aggregation, left_out) of the other's."""
        names = ("domain_weights", "indicator_weights", "part_weights") if factor == "weights" else (factor,)
        return replace(self, **{name: getattr(other, name) for name in names})

    def groups(self) -> Iterator[tuple[np.ndarray, int, int]]:
        """Yield the draws that share normalisation and aggregation, with their numbers."""
        keys, of = np.unique(np.column_stack([self.normalisation, self.aggregation]), axis=0, return_inverse=True)
        for number, (normalisation, aggregation) in enumerate(keys):
            yield np.flatnonzero(of.ravel() == number), int(normalisation), int(aggregation)


class Scorer(Protocol):
    """Makes scores (draws × areas, NaN where there is none) and a text a draw that says why it has none, or nothing."""

    def __call__(
        self,
        values: np.ndarray,
        *,
        indicator_weights: np.ndarray | None,
        part_weights: np.ndarray | None,
        domain_weights: np.ndarray | None,
        normalisation: str | None,
        aggregation: str | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Score figures, draws × areas × indicators."""


def scored(scorer: Scorer, values: np.ndarray, options: Options, choices: Choices) -> tuple[np.ndarray, np.ndarray]:
    """Make the scores of draws under their choices: draws × areas, and a text a draw."""
    domains, indicators = options.weights_of(choices)
    scores, problems = np.full(values.shape[:2], np.nan), np.full(len(values), "", dtype=object)
    for rows, normalisation, aggregation in choices.groups():
        some: Any = slice(None) if len(rows) == len(values) else rows
        scores[some], problems[some] = scorer(
            values[some],
            indicator_weights=None if indicators is None else indicators[some],
            part_weights=None if choices.part_weights is None else choices.part_weights[some],
            domain_weights=None if domains is None else domains[some],
            normalisation=options.normalisations[normalisation],
            aggregation=options.aggregations[aggregation],
        )
    return scores, problems


def ranks_of(scores: np.ndarray) -> np.ndarray:
    """Rank each draw's areas (draws × areas, int), 1 the highest score, ties the lowest place, 0 without a score.

    Examples
    --------
    >>> ranks_of(np.array([[5.0, 7.0, np.nan, 7.0]])).tolist()
    [[3, 1, 0, 1]]
    """
    rounded = settled(scores[..., None])[..., 0]
    order = np.argsort(-rounded, axis=1)
    ordered = np.take_along_axis(rounded, order, axis=1)
    place = np.broadcast_to(np.arange(1, scores.shape[1] + 1, dtype=np.int32), scores.shape)
    first = np.ones(scores.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    standing = np.maximum.accumulate(np.where(first, place, 0), axis=1)
    standing[np.isnan(ordered)] = 0
    ranks = np.empty_like(standing)
    np.put_along_axis(ranks, order, standing, axis=1)
    return ranks


# ---------------------------------------------------------------- chunks


def chunks_of(draws: int, cells: int) -> list[slice]:
    """Divide draws into chunks of so many that their figures fit in little memory."""
    size = int(np.clip(_CELLS // max(cells, 1), 1, _MOST))
    return [slice(start, min(start + size, draws)) for start in range(0, draws, size)]


def each_chunk(
    work: Callable[[slice, list[np.random.Generator]], T],
    chunks: Sequence[slice],
    *,
    seed: int,
    factors: int,
    threads: int | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> list[T]:
    """Do each chunk with its own generators, several at once; what they return stands in the order of the chunks.

    An interruption, or a fault in one chunk, ends the others before their next start.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(chunks))

    def one(number: int) -> T:
        return work(
            chunks[number], [np.random.Generator(np.random.SFC64(child)) for child in seeds[number].spawn(factors)]
        )

    results: dict[int, T] = {}
    total, done = chunks[-1].stop if chunks else 0, 0
    with ThreadPoolExecutor(max(threads or os.cpu_count() or 1, 1)) as pool:
        waiting = {pool.submit(one, number): number for number in range(len(chunks))}
        try:
            for future in as_completed(waiting):
                number = waiting.pop(future)
                results[number] = future.result()
                done += chunks[number].stop - chunks[number].start
                if on_step is not None:
                    on_step(done, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[number] for number in range(len(chunks))]


def check_numbers(faults: Faults, level: float, whole: Mapping[str, tuple[Any, int]]) -> None:
    """Add a fault for a level that is no share, and for each number that is not whole or below its least.

    ``whole`` maps the name of an argument to what was given (None: not asked) and the least that it may be.
    """
    for name, (value, least) in whole.items():
        expected = f"a whole number from {least} up"
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            faults.add(SpecError(Fault(what=f"{value!r} is no whole number", key=name, expected=expected)))
        elif value < least:
            faults.add(SpecError(Fault(what=f"{value} is too few" if least else f"{value} is below 0", key=name,
                                       expected=expected)))  # fmt: skip
    if not is_number(level) or not 0 < level < 1:
        what = f"{level!r} is not a share of the draws"
        faults.add(SpecError(Fault(what=what, key="level", expected="a number between 0 and 1")))


def is_number(value: Any) -> bool:
    """Whether something is a number that is not infinite or NaN; a text such as ``"50"`` is none."""
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(float(value)))


def place_in(ids: pd.Index, wanted: Iterable[str]) -> np.ndarray:
    """Return the places of areas among those of a result.

    Raises
    ------
    SpecError
        When one of them is not there.
    """
    wanted = list(wanted)
    found: np.ndarray = ids.get_indexer(wanted)
    for name, place in zip(wanted, found, strict=True):
        if place < 0:
            raise checks.unknown_name("ranked area", str(name), ids)
    return found
