"""Which choice moves the ranks? Sobol's indices of the counts, the weights and the ways of an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk.draws import FACTORS, Noise, check_numbers, chunks_of, each_chunk, ranks_of, scored
from geoplan.risk.experiment import Experiment, prepared
from geoplan.risk.shrinkage import Towards
from geoplan.specs import IndexSpec

__all__ = ["choice_effects", "sobol"]

_AGAIN = 400  # times that the draws are drawn anew from themselves for an interval
_FEW = 8
_ROWS = 256  # areas at once


def sobol(one: np.ndarray, other: np.ndarray, mixed: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Estimate first-order and total indices from runs on two independent samples *A* and *B*, and on mixtures.

    With :math:`f_{AB_i}` from sample *A* with factor *i* of *B*,

    .. math::

        S_i = \frac{\overline{f_B (f_{AB_i} - f_A)}}{V}, \qquad
        T_i = \frac{\overline{(f_A - f_{AB_i})^2}}{2 V}

    as Saltelli et al. 2010, table 2 (b) and (f), with the mean of all runs taken off first (Sobol' & Levitan 1999). The
    same as :func:`scipy.stats.sobol_indices`, but draws may be missing.

    Parameters
    ----------
    one, other
        :math:`f_A` and :math:`f_B`; the last axis is draws.
    mixed
        :math:`f_{AB_i}`, with the factors as first axis.
    known
        Which draws count (bool, as ``one``).

    Returns
    -------
    tuple of numpy.ndarray
        :math:`S` and :math:`T`, factors × what stands before the draws; NaN where nothing varies.
    """
    count = known.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, one + other, 0.0).sum(axis=-1) / (2 * count)
        a, b = (np.where(known, runs - mean[..., None], 0.0) for runs in (one, other))
        variance = (a**2 + b**2).sum(axis=-1) / (2 * count)
        moved = np.where(known, mixed - one, 0.0)
        first = (b * moved).sum(axis=-1) / count
        total = (moved**2).sum(axis=-1) / (2 * count)
        varies = variance > 1e-12  # noqa: PLR2004  of ranks, which are whole numbers
        return np.where(varies, first / variance, np.nan), np.where(varies, total / variance, np.nan)


def choice_effects(
    table: IndicatorTable | pd.DataFrame,
    spec: IndexSpec,
    *,
    period: str | None = None,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    groups: pd.Series | None = None,
    n: int = 1024,
    noise: Noise = "posterior",
    shrink_towards: Towards = "city",
    parents: pd.Series | None = None,
    neighbours: Any = None,
    weights_concentration: float | None = None,
    normalisations: Iterable[str] = (),
    aggregations: Iterable[str] = (),
    leave_one_out: bool = False,
    by_area: bool = False,
    level: float = 0.90,
    seed: int = 1,
    threads: int | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    r"""Say which of the things that an index leaves open moves its ranks, alone and together with the others.

    The first-order index of a factor is the share of the variance that would go if it were known, the total index the
    share that would stay if all others were (Sobol' 1993). Measured on the mean absolute shift in rank,
    :math:`\bar R_s = \frac1N \sum_a |r_a - r_a^{(0)}|` (Saisana, Saltelli & Tarantola 2005), or on the rank of each
    area. A mean over all areas says little of the counts, whose noise is another in each of them and cancels: look at
    the areas for these. Where draws fail, the effects are those in the rest, whose factors no longer are independent.

    Parameters
    ----------
    n
        Number of draws of each of two samples; n × (factors + 2) indices are made.
    by_area
        Effects on the rank of each area in place of the mean shift of all.
    level
        Of the intervals of the effects, from draws drawn anew (bootstrap).
    table, spec, period, area_ids, reference_ids, groups, noise, shrink_towards, parents, neighbours
        As of :func:`~geoplan.risk.rank_uncertainty`.
    weights_concentration, normalisations, aggregations, leave_one_out, seed, threads, on_step
        As of :func:`~geoplan.risk.rank_uncertainty`; what is not varied is no factor.

    Returns
    -------
    pandas.DataFrame
        Index ``factor``: those of ``counts, weights, normalisation, aggregation, left_out`` that are varied. Columns
        ``first_order``, ``first_order_low``, ``first_order_high``, ``total``, ``total_low``, ``total_high`` (shares of
        the variance; estimates may lie a little below 0 or above 1), ``draws`` and ``failed`` (int; draws of the *n*
        that were used, and that were not since some run of them had no rank). With ``by_area`` index
        ``area_id, factor``, areas by rank, and columns ``first_order``, ``total``, ``draws`` and ``failed``. NaN where
        nothing moves.

    Raises
    ------
    SpecError
        As :func:`~geoplan.risk.rank_uncertainty`; when nothing is varied.
    TableError
        As :func:`~geoplan.risk.rank_uncertainty`.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> effects = choice_effects(run.indicators(), run.spec.index, period="2012", n=256, weights_concentration=20)
    >>> effects.index.tolist(), bool((effects["total"] > 0).all())
    (['counts', 'weights'], True)
    """
    faults = Faults()
    check_numbers(faults, level, {"n": (n, _FEW), "seed": (seed, 0), "threads": (threads, 1)})
    faults.raise_any()
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
    factors = [*(["counts"] if made.beliefs.drawn.any() else []), *made.options.varied]
    if not factors:
        what, hint = (
            "nothing is varied, so nothing can have an effect",
            "give counts, or weights_concentration, or ways",
        )
        raise SpecError(Fault(what=what, hint=hint))
    runs = _runs(made, factors, n, seed=seed, threads=threads, on_step=on_step)
    if by_area:
        return _by_area(made.ranked, factors, runs)
    base = made.index.ranking.loc[made.ranked, "rank"].to_numpy(dtype=float)
    return _of_all(factors, _shift(runs, base), level, np.random.default_rng(seed))


def _runs(
    made: Experiment,
    factors: list[str],
    n: int,
    *,
    seed: int,
    threads: int | None,
    on_step: Callable[[int, int], None] | None,
) -> np.ndarray:
    """Return ranks (0 for none) of all runs: *A*, *B* and each mixture × areas × draws."""
    areas = len(made.places)
    kind = np.uint16 if areas < np.iinfo(np.uint16).max else np.uint32
    runs = np.zeros((len(factors) + 2, areas, n), dtype=kind)

    def work(chunk: slice, rngs: list[np.random.Generator]) -> None:
        size = chunk.stop - chunk.start
        values = [made.beliefs.draw(rngs[sample * FACTORS], size) for sample in (0, 1)]
        choices = [made.options.draw(rngs[sample * FACTORS + 1 : (sample + 1) * FACTORS], size) for sample in (0, 1)]
        plans = [(0, choices[0]), (1, choices[1])]
        plans += [(1, choices[0]) if f == "counts" else (0, choices[0].taking(f, choices[1])) for f in factors]
        for number, (sample, chosen) in enumerate(plans):
            found, _ = scored(made.scorer, values[sample], made.options, chosen)
            runs[number][:, chunk] = ranks_of(found[:, made.places]).T

    chunks = chunks_of(n, 2 * made.beliefs.value.size)
    each_chunk(work, chunks, seed=seed, factors=2 * FACTORS, threads=threads, on_step=on_step)
    return runs


def _shift(runs: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return the mean absolute shift in rank of each run and draw, over the areas that have one; NaN without any."""
    shifts = np.empty((runs.shape[0], runs.shape[2]))
    for number, ranks in enumerate(runs):
        ranked = ranks > 0
        moved = np.where(ranked, np.abs(ranks - base[:, None]), 0.0).sum(axis=0)
        with np.errstate(invalid="ignore"):
            shifts[number] = moved / ranked.sum(axis=0)
    return shifts


def _of_all(factors: list[str], shifts: np.ndarray, level: float, rng: np.random.Generator) -> pd.DataFrame:
    known = np.isfinite(shifts).all(axis=0)
    used = shifts[:, known]
    every = np.ones(used.shape[1], dtype=bool)
    first, total = sobol(used[0], used[1], used[2:], every)
    again = np.full((2, _AGAIN, len(factors)), np.nan)
    for turn in range(_AGAIN if used.shape[1] else 0):
        some = used[:, rng.integers(used.shape[1], size=used.shape[1])]
        again[:, turn] = sobol(some[0], some[1], some[2:], every)
    columns = {}
    for number, (name, found) in enumerate((("first_order", first), ("total", total))):
        columns[name] = found
        for end, share in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
            ends = again[number]
            whole = np.isfinite(ends).all(axis=0)
            columns[f"{name}_{end}"] = np.full(len(factors), np.nan)
            columns[f"{name}_{end}"][whole] = np.quantile(ends[:, whole], share, axis=0)
    frame = pd.DataFrame(columns, index=pd.Index(factors, name="factor"))
    return frame.assign(draws=int(known.sum()), failed=int((~known).sum()))


def _by_area(ids: pd.Index, factors: list[str], runs: np.ndarray) -> pd.DataFrame:
    first, total, used = [np.zeros((len(factors), 0))], [np.zeros((len(factors), 0))], [np.zeros(0, dtype=int)]
    for start in range(0, len(ids), _ROWS):
        ranks = runs[:, start : start + _ROWS].astype(float)
        known = np.asarray((ranks > 0).all(axis=0))
        found = sobol(ranks[0], ranks[1], ranks[2:], known)
        first.append(found[0])
        total.append(found[1])
        used.append(known.sum(axis=1))
    draws = np.repeat(np.concatenate(used), len(factors))
    return pd.DataFrame(
        {
            "first_order": np.concatenate(first, axis=1).T.ravel(),
            "total": np.concatenate(total, axis=1).T.ravel(),
            "draws": draws,
            "failed": runs.shape[2] - draws,
        },
        index=pd.MultiIndex.from_product([ids, factors], names=["area_id", "factor"]),
    )
