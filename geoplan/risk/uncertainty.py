"""How sure is a rank? Thousands of draws of what the counts and the conventions of an index leave open.

A rank interval must cover the *true* rank, the one that the true rates would give. A noisy figure scatters around the
truth, and noise added to it would scatter around the figure: the extreme areas, which are extreme partly by chance,
would stay extreme. So the true rates are drawn given the counts (see :func:`~geoplan.risk.draws.beliefs_of`), and each
draw is ranked as the index ranks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk.draws import (
    FACTORS,
    Noise,
    check_numbers,
    chunks_of,
    each_chunk,
    is_number,
    place_in,
    ranks_of,
    scored,
)
from geoplan.risk.experiment import AS_IS, NOTHING, Experiment, prepared
from geoplan.risk.pipeline import TIE_DIGITS
from geoplan.risk.shrinkage import Towards
from geoplan.specs import IndexSpec

__all__ = ["RankUncertainty", "of_100", "rank_uncertainty", "simulated"]

_ROWS = 256  # areas whose draws are sorted at once
_MANY = 0.005
ARITHMETIC = 1e-9


@dataclass(frozen=True)
class RankUncertainty:
    r"""How sure the ranks of an index are.

    Attributes
    ----------
    table
        Index ``area_id``, all areas that the index ranks, by rank. Columns ``rank`` (Int64; of the index),
        ``rank_low``, ``rank_median``, ``rank_high`` (Int64), ``inside`` (share of the draws from ``rank_low`` to
        ``rank_high``), ``score`` (of the index), ``score_low``, ``score_high`` (float, in points; NaN where the
        normalisation is varied, for its scales cannot be compared), ``p_top`` (share of the draws among the ``top``
        highest; NaN when not asked), ``p_above`` (share of the draws above ``line``; NaN when not asked), ``draws``
        (int; the number in which the area has a rank).

        Ranks are whole numbers, and an interval that held at least 90 % of the draws would hold 93 or 95 % of them as
        a rule, and cover the truth as often. So the interval has equal tails by the mid-P rule: with the share
        :math:`F(r)` of draws below *r* and :math:`f(r)` at *r*, it is all *r* with
        :math:`\alpha/2 \le F(r) + f(r)/2 \le 1 - \alpha/2` (Agresti & Gottard 2007), without the rarer of its two ends
        where the share of the rest is nearer to :math:`1 - \alpha`.
    ranks
        Areas × draws, in the order of ``table`` (unsigned integers; 0 where an area has no rank).
    scores
        The same of scores (points, single precision; NaN where an area has none). Where the normalisation is varied,
        those of different draws cannot be compared.
    failed
        Columns ``reason`` and ``draws`` (int): draws without any rank, or with some areas that have none.
    draws
        Number of draws, failed ones among them.
    varied
        What was varied, and how: ``counts``, ``weights``, ``normalisation``, ``aggregation``, ``left_out``, ``seed``.
    without_noise
        Indicator → number of areas whose figure has no counts and stays as it is.
    level, top, line
        As asked.
    """

    table: pd.DataFrame
    ranks: np.ndarray = field(repr=False)
    scores: np.ndarray = field(repr=False)
    failed: pd.DataFrame
    draws: int
    varied: Mapping[str, str]
    without_noise: Mapping[str, int]
    level: float
    top: int | None = None
    line: float | None = None

    def worse(self, area_id: str, other_id: str) -> float:
        """Return the share of the draws in which one area is ranked above another, ties by half.

        Raises
        ------
        SpecError
            When one of them has no rank.
        """
        one, other = place_in(self.table.index, [area_id, other_id])
        return self._worse(int(one), int(other))[0]

    def pairs(self, area_ids: Iterable[str] | None = None) -> pd.DataFrame:
        """Compare areas two by two.

        Parameters
        ----------
        area_ids
            The areas; all when left out, which is many pairs.

        Returns
        -------
        pandas.DataFrame
            ``area_id``, ``other_id``, ``worse`` (share of the draws in which the first is ranked above the second,
            ties by half; NaN where they are never ranked together) and ``draws`` (int; in which both are).

        Raises
        ------
        SpecError
            When one of them has no rank.
        """
        ids = list(self.table.index if area_ids is None else dict.fromkeys(area_ids))
        places = place_in(self.table.index, ids)
        rows = [
            (ids[one], ids[other], *self._worse(int(places[one]), int(places[other])))
            for one, other in combinations(range(len(ids)), 2)
        ]
        return pd.DataFrame(rows, columns=["area_id", "other_id", "worse", "draws"]).astype(
            {"worse": float, "draws": int}
        )

    def _worse(self, one: int, other: int) -> tuple[float, int]:
        first, second = self.ranks[one], self.ranks[other]
        both = (first > 0) & (second > 0)
        many = int(both.sum())
        if not many:
            return float("nan"), 0
        above = (first < second)[both].sum() + 0.5 * (first == second)[both].sum()
        return float(above / many), many

    def lines(
        self, area_ids: Iterable[str] | None = None, *, names: Mapping[str, str] | pd.Series | None = None
    ) -> list[str]:
        """Say it in sentences: what was drawn, what failed, and how sure each area's rank is.

        Parameters
        ----------
        area_ids
            Of which areas; all when left out.
        names
            Code → name, such as ``areas["name"]``; codes when left out.

        Raises
        ------
        SpecError
            When one of them has no rank.
        """
        told = {name: text for name, text in self.varied.items() if text not in {AS_IS, NOTHING}}
        varied = "; ".join(f"{name.replace('_', ' ')}: {text}" for name, text in told.items())
        said = [f"{self.draws:,} draws ({varied})"]
        if self.without_noise:
            said.append(f"No noise, for want of counts: {checks.listed(self.without_noise)}")
        said += [f"{row.draws:,} of {self.draws:,} draws: {row.reason}" for row in self.failed.itertuples()]
        ids = list(self.table.index if area_ids is None else area_ids)
        called = {} if names is None else dict(names)
        return said + [self._line(place, called) for place in place_in(self.table.index, ids)]

    def _line(self, place: int, called: Mapping[str, str]) -> str:
        code, row = self.table.index[place], self.table.iloc[place]
        area = called.get(code, code)
        if not row["draws"]:
            return f"{area}: rank {int(row['rank'])}, and no rank in any draw"
        low, high = int(row["rank_low"]), int(row["rank_high"])
        where = f"at rank {low}" if low == high else f"between rank {low} and {high}"
        said = f"{area}: rank {int(row['rank'])}, {where} in {of_100(row['inside'])} draws"
        if self.top is not None:
            said += f", among the {self.top} highest in {of_100(row['p_top'])}"
        if self.line is not None:
            said += f", above {self.line:g} in {of_100(row['p_above'])}"
        return said


def of_100(share: float) -> str:
    """Word a share; one that is nearly nothing or nearly all is not rounded to it.

    Examples
    --------
    >>> of_100(0.22), of_100(0.002), of_100(0.999), of_100(1.0)
    ('22 of 100', 'fewer than 1 of 100', 'more than 99 of 100', '100 of 100')
    """
    if 0 < share < _MANY:
        return "fewer than 1 of 100"
    if 1 - _MANY < share < 1:
        return "more than 99 of 100"
    return f"{100 * share:.0f} of 100"


# ---------------------------------------------------------------- drawing


def rank_uncertainty(
    table: IndicatorTable | pd.DataFrame,
    spec: IndexSpec,
    *,
    period: str | None = None,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    groups: pd.Series | None = None,
    draws: int = 10_000,
    noise: Noise = "posterior",
    shrink_towards: Towards = "city",
    parents: pd.Series | None = None,
    neighbours: Any = None,
    weights_concentration: float | None = None,
    normalisations: Iterable[str] = (),
    aggregations: Iterable[str] = (),
    leave_one_out: bool = False,
    level: float = 0.90,
    top: int | None = None,
    line: float | None = None,
    seed: int = 1,
    threads: int | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> RankUncertainty:
    r"""Say how sure the ranks of an index are: draw what it leaves open, and rank each draw.

    Sources: Saisana, Saltelli & Tarantola 2005, *Uncertainty and sensitivity analysis techniques as tools for the
    quality assessment of composite indicators*; OECD/JRC Handbook on Constructing Composite Indicators, step 7; for the
    counts Laird & Louis 1989, *Empirical Bayes ranking methods*.

    Parameters
    ----------
    table, spec, period, area_ids, reference_ids, groups
        As of :func:`~geoplan.risk.risk_index`. What scores 100 stays at its value in all draws.
    draws
        How many.
    noise
        ``posterior``: true rates given the counts, so that intervals cover the true ranks; Beta for shares, Gamma for
        rates, around the rate of the whole that areas are drawn towards, see :func:`~geoplan.risk.shrink`.
        ``sampling``: binomial or Poisson noise around the observed rates, which leaves small areas too extreme.
        ``none``: figures as they are. Means, and figures without counts, stay as they are in any case. Indicators are
        drawn independently of each other, and events of a rate too: crimes that come in series vary more. A figure
        that was moved between boundaries is drawn as if it had been counted.
    shrink_towards, parents, neighbours
        As ``towards`` … of :func:`~geoplan.risk.shrink`, of the posterior.
    weights_concentration
        Draw weights from a Dirichlet distribution around those of the index, of domains, of the sub-domains of each,
        and of the indicators of each: a weight *w* of a sum of 1 has the standard deviation
        :math:`\sqrt{w(1-w)/(c+1)}`. Fixed when left out; those of a common factor always are.
    normalisations, aggregations
        Ways to draw from besides the index's own, each as likely: of the indicators, and wherever something is
        combined.
    leave_one_out
        Leave one indicator out in each draw, or none, each as likely; not those of a common factor.
    level
        Share of the draws that an interval holds.
    top
        Ask how likely an area is among so many highest.
    line
        Ask how likely an area's score is above this, such as 100, the city's.
    seed
        The same seed gives the same draws, on any number of threads.
    threads
        Number of threads; one a core when left out.
    on_step
        Called with the number of draws done and the number of all.

    Returns
    -------
    RankUncertainty

    Raises
    ------
    SpecError
        As :func:`~geoplan.risk.risk_index`; when a choice is unknown or does not fit the index, a number is out of its
        range, or a line is asked for over several normalisations, whose scores cannot be compared.
    TableError
        As :func:`~geoplan.risk.risk_index`; when a share has more cases than its base.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> sure = rank_uncertainty(run.indicators(), run.spec.index, period="2012", draws=500, top=3)
    >>> sure.table.shape, sure.failed.empty
    ((14, 11), True)
    >>> bool((sure.table["rank_low"] <= sure.table["rank_high"]).all())
    True
    """
    _check(line, level, draws=(draws, 1), top=(top, 1), seed=(seed, 0), threads=(threads, 1))
    made = prepared(
        table,
        spec,
        period=period,
        area_ids=area_ids,
        reference_ids=reference_ids,
        groups=groups,
        noise=noise,
        shrink_towards=shrink_towards,
        parents=parents,
        neighbours=neighbours,
        weights_concentration=weights_concentration,
        normalisations=normalisations,
        aggregations=aggregations,
        leave_one_out=leave_one_out,
    )
    if line is not None and len(made.options.normalisations) > 1:
        what = "a line is a score, and scores of several normalisations cannot be compared"
        raise SpecError(Fault(what=what, key="line", hint="ask with `top`, which is a rank"))
    return simulated(made, draws=draws, level=level, top=top, line=line, seed=seed, threads=threads, on_step=on_step)


def _check(line: float | None, level: float, **whole: tuple[Any, int]) -> None:
    faults = Faults()
    check_numbers(faults, level, whole)
    if line is not None and not is_number(line):
        faults.add(SpecError(Fault(what=f"{line} is no score", key="line", expected="a number such as 100")))
    faults.raise_any()


def simulated(
    made: Experiment,
    *,
    draws: int,
    level: float,
    top: int | None,
    line: float | None,
    seed: int,
    threads: int | None,
    on_step: Callable[[int, int], None] | None,
) -> RankUncertainty:
    """Draw, score, rank and sum up; the parameters are those of :func:`rank_uncertainty`."""
    areas = len(made.places)
    ranks = np.zeros((areas, draws), dtype=np.uint16 if areas < np.iinfo(np.uint16).max else np.uint32)
    scores = np.empty((areas, draws), dtype=np.float32)
    above, failed, lock = np.zeros(areas, dtype=np.int64), Counter[str](), Lock()

    def work(chunk: slice, rngs: list[np.random.Generator]) -> None:
        size = chunk.stop - chunk.start
        choices = made.options.draw(rngs[1:], size)
        found, problems = scored(made.scorer, made.beliefs.draw(rngs[0], size), made.options, choices)
        found = found[:, made.places]
        ranks[:, chunk] = ranks_of(found).T
        shown = made.shown(found)
        scores[:, chunk] = shown.T
        with lock:  # whole numbers add up to the same in any order
            failed.update(_failures(found, problems))
            if line is not None:
                above[:] += (np.round(shown, TIE_DIGITS) > line).sum(axis=0)

    chunks = chunks_of(draws, made.beliefs.value.size)
    each_chunk(work, chunks, seed=seed, factors=FACTORS, threads=threads, on_step=on_step)
    table = _summary(made.index.ranking.loc[made.ranked], ranks, scores, level=level, top=top)
    if len(made.options.normalisations) > 1:
        table[["score_low", "score_high"]] = np.nan
    if line is not None:
        table["p_above"] = np.where(table["draws"] > 0, above / np.maximum(table["draws"], 1), np.nan)
    told = pd.DataFrame(sorted(failed.items()), columns=["reason", "draws"]).astype({"draws": int})
    return RankUncertainty(
        table=table,
        ranks=ranks,
        scores=scores,
        failed=told,
        draws=draws,
        varied={**made.varied, "seed": str(seed)},
        without_noise=made.without_noise,
        level=level,
        top=top,
        line=line,
    )


def _failures(scores: np.ndarray, problems: Sequence[str] | np.ndarray) -> Counter[str]:
    """Count draws by why they lack ranks."""
    lacking = np.isnan(scores)
    found: Counter[str] = Counter()
    for problem, none, some in zip(problems, lacking.all(axis=1), lacking.any(axis=1), strict=True):
        if problem:
            found[str(problem)] += 1
        elif some:
            found["no area has a score" if none else "some areas have no score"] += 1
    return found


# ---------------------------------------------------------------- summing up


def _summary(
    index: pd.DataFrame, ranks: np.ndarray, scores: np.ndarray, *, level: float, top: int | None
) -> pd.DataFrame:
    """Sum the draws up, some areas at a time."""
    tail = (1 - level) / 2
    blocks = [
        _block(ranks[start : start + _ROWS], scores[start : start + _ROWS], tail, top)
        for start in range(0, len(ranks), _ROWS)
    ]
    found = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else {}
    table = index[["rank", "score"]].copy()
    for name in ("rank_low", "rank_median", "rank_high"):
        column = pd.array(found.get(name, []), dtype="Int64")
        column[found.get("draws", np.zeros(0)) == 0] = pd.NA
        table[name] = column
    for name in ("inside", "score_low", "score_high", "p_top"):
        table[name] = found.get(name, np.zeros(0))
    table["p_above"] = np.nan
    table["draws"] = found.get("draws", np.zeros(0)).astype(int)
    return table[
        [
            "rank",
            "rank_low",
            "rank_median",
            "rank_high",
            "inside",
            "score",
            "score_low",
            "score_high",
            "p_top",
            "p_above",
            "draws",
        ]
    ]


def _block(ranks: np.ndarray, scores: np.ndarray, tail: float, top: int | None) -> dict[str, np.ndarray]:
    ordered = np.sort(ranks, axis=1)
    missing = (ordered == 0).sum(axis=1)
    many = ordered.shape[1] - missing
    low, high = rank_ends(ordered, missing, tail)
    inside = ((ranks >= low[:, None]) & (ranks <= high[:, None]) & (ranks > 0)).sum(axis=1)
    highest = ((ranks > 0) & (ranks <= (top or 0))).sum(axis=1)
    with np.errstate(invalid="ignore"):
        found = {
            "rank_low": low,
            "rank_median": _at(ordered, missing, (many - 1) // 2),
            "rank_high": high,
            "inside": inside / many,
            "p_top": highest / many if top is not None else np.full(len(ranks), np.nan),
            "draws": many,
        }
    found["score_low"], found["score_high"] = _score_ends(scores, tail)
    return found


def _at(ordered: np.ndarray, missing: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return each row's entry at a place among those that are not 0."""
    column = np.clip(missing + place, 0, ordered.shape[1] - 1)
    return np.asarray(np.take_along_axis(ordered, column[:, None], axis=1)[:, 0].astype(np.int64))


def rank_ends(ordered: np.ndarray, missing: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest rank of each area's interval; see :class:`RankUncertainty`.

    ``ordered`` holds each area's ranks in order, 0 (``missing`` of them) first.

    Examples
    --------
    >>> ordered = np.array([[1] * 6 + [2] * 90 + [3] * 4, [1] * 15 + [2] * 70 + [3] * 15, [1] * 6 + [2] * 85 + [3] * 9])
    >>> [end.tolist() for end in rank_ends(ordered, np.zeros(3, dtype=int), 0.05)]
    [[2, 2, 2], [2, 3, 2]]
    """
    many = ordered.shape[1] - missing
    last = np.maximum(many - 1, 0)

    def at(place: np.ndarray) -> np.ndarray:
        return _at(ordered, missing, np.clip(place, 0, last))

    def around(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        below = (ordered < value[:, None]).sum(axis=1) - missing
        return below, below + (ordered == value[:, None]).sum(axis=1)

    ends = []
    for share, inwards in ((tail, 1), (1 - tail, -1)):
        # The quantile itself, or, where less than half of it lies inside, the next rank that occurs.
        value = at(np.floor(share * many).astype(int))
        below, upto = around(value)
        outside = ((below + upto) / 2 - share * many) * inwards < -ARITHMETIC
        ends.append(np.where(outside, at(upto if inwards > 0 else below - 1), value))
    low, high = np.minimum(*ends), np.maximum(*ends)
    # The rarer end goes where the rest is nearer to what is asked for.
    (below, upto), (before, beyond) = around(low), around(high)
    held, ends_hold = beyond - below, np.minimum(upto - below, beyond - before)
    wanted = (1 - 2 * tail) * many
    shorter = (low < high) & (abs(held - ends_hold - wanted) < abs(held - wanted) - ARITHMETIC)
    first = shorter & (upto - below <= beyond - before)
    return np.where(first, at(upto), low), np.where(shorter & ~first, at(before - 1), high)


def _score_ends(scores: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantiles of each row, NaN left out."""
    found = np.full((2, len(scores)), np.nan)
    known = ~np.isnan(scores)
    whole = known.all(axis=1)
    if whole.any():
        found[:, whole] = np.quantile(scores[whole], [tail, 1 - tail], axis=1)
    for row in np.flatnonzero(~whole & known.any(axis=1)):
        found[:, row] = np.quantile(scores[row, known[row]], [tail, 1 - tail])
    return found[0], found[1]
