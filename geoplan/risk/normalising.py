"""Putting figures of different units on one scale: every normalisation, over the areas of many draws at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoplan.risk.methods import How
from geoplan.specs import RanksSpec

__all__ = ["DIGITS", "Statistics", "exponential", "normalise", "percentile_rank", "places", "settled", "statistics"]

Array = NDArray[np.float64]
_AREAS = -2
#: Figures that agree to so many digits of the largest are the same; beyond that is arithmetic, not people.
DIGITS = 12
_MOST = 290  # powers of ten that a number can be multiplied by
BY_RANK = frozenset({"rank_exponential", "percentile", "borda", "normal_scores"})


@dataclass(frozen=True)
class Statistics:
    """Of each part over the areas that count: mean, standard deviations by N and by N - 1, lowest and highest."""

    mean: Array
    population: Array
    sample: Array
    low: Array
    high: Array


def statistics(values: Array) -> Statistics:
    """Return the statistics of areas × parts, NaN left out.

    Examples
    --------
    >>> found = statistics(np.array([[1.0], [3.0], [np.nan]]))
    >>> float(found.mean[0, 0]), float(found.population[0, 0]), round(float(found.sample[0, 0]), 6)
    (2.0, 1.0, 1.414214)
    """
    known = ~np.isnan(values)
    count = known.sum(axis=_AREAS, keepdims=True).astype(float)
    filled = np.where(known, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=_AREAS, keepdims=True) / count
        squares = (np.where(known, values - mean, 0.0) ** 2).sum(axis=_AREAS, keepdims=True)
        population, sample = np.sqrt(squares / count), np.sqrt(squares / (count - 1))
    low = np.where(known, values, np.inf).min(axis=_AREAS, keepdims=True, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=_AREAS, keepdims=True, initial=-np.inf)
    # Sums of equal numbers leave a rest of arithmetic, which must not be blown up to a difference between areas.
    least = 10.0**-DIGITS * np.maximum(np.abs(low), np.abs(high))
    high = np.where((low <= high) & (high - low <= least), low, high)
    constant = low == high
    return Statistics(mean, np.where(constant, 0.0, population), np.where(constant, 0.0, sample), low, high)


def settled(values: Array) -> Array:
    """Round (draws ×) areas × parts to so many digits of each part's largest value that arithmetic breaks no tie.

    Examples
    --------
    >>> found = settled(np.array([[0.1 + 0.2], [0.3], [1 / 3]]))
    >>> bool(found[0, 0] == found[1, 0]), bool(found[1, 0] == found[2, 0])
    (True, False)
    """
    top = np.where(np.isnan(values), 0.0, np.abs(values)).max(axis=_AREAS, keepdims=True, initial=0.0)
    with np.errstate(divide="ignore"):
        unit = 10.0 ** np.clip(DIGITS - np.ceil(np.log10(top)), -_MOST, _MOST)
    made: Array = np.round(values * unit) / unit
    return made


def normalise(
    values: Array,
    how: How,
    *,
    ranks: RanksSpec,
    city: Array,
    targets: Array,
    eligible: NDArray[np.bool_],
    known: Statistics | None = None,
) -> Array:
    """Normalise (draws ×) areas × parts, higher being worse.

    Parameters
    ----------
    values
        NaN where missing.
    how
        Which normalisation, its scale and rounding.
    city, targets
        One a part, turned as the values are.
    eligible
        One an area: only these make statistics and ranks.
    known
        Statistics of a base year; those of the values when left out.

    Returns
    -------
    numpy.ndarray
        Shape of ``values``. A part that is the same everywhere tells nothing: 0 as z-score, the middle of the scale as
        min_max. Areas that do not count have NaN where the method ranks.

    Examples
    --------
    >>> column = np.array([[1.0], [3.0], [5.0]])
    >>> nothing = np.full(1, np.nan)
    >>> everyone = np.ones(3, dtype=bool)
    >>> normalise(column, How("min_max"), ranks=RanksSpec(), city=nothing, targets=nothing, eligible=everyone).tolist()
    [[0.0], [50.0], [100.0]]
    """
    name = how.normalisation
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "none":
            made = values
        elif name == "relative":
            made = 100 * values / city
            made = np.where(np.isfinite(made), made, np.nan)
        elif name in BY_RANK:
            made = _by_rank(np.where(eligible[:, None], values, np.nan), name, ranks)
        else:
            found = known or statistics(values[..., eligible, :])
            made = _by_statistics(values, how, found, targets)
    return made if how.decimals is None else np.round(made, how.decimals)


def _by_statistics(values: Array, how: How, found: Statistics, targets: Array) -> Array:
    constant = found.low == found.high
    if how.normalisation == "z_score":
        deviation = found.population if how.deviation == "population" else found.sample
        made = (values - found.mean) / deviation
        return np.where(constant & ~np.isnan(values), 0.0, made)
    if how.normalisation == "min_max":
        low, high = how.scale
        made = low + (high - low) * (values - found.low) / (found.high - found.low)
        return np.where(constant & ~np.isnan(values), (low + high) / 2, made)
    # Distance to target: a target that all have reached leaves no distance.
    away = np.maximum(values - targets, 0.0)
    worst = found.high - targets
    return np.where(np.isnan(values), np.nan, np.where(worst > 0, 100 * away / np.where(worst > 0, worst, 1.0), 0.0))


# ---------------------------------------------------------------- by rank


def places(values: Array, ties: str = "average") -> tuple[Array, Array]:
    """Return each area's place from the lowest value up, 1 first, and how many areas are known (…, 1, parts).

    ``ties`` is the number tied areas get: ``average``, ``min`` or ``max`` of their places.

    Examples
    --------
    >>> found, count = places(np.array([[10.0], [30.0], [30.0], [np.nan]]))
    >>> found[:, 0].tolist(), int(count[0, 0])
    ([1.0, 2.5, 2.5, nan], 3)
    """
    from scipy.stats import rankdata  # noqa: PLC0415  slow to import, and only ranks need it

    known = ~np.isnan(values)
    found = rankdata(np.where(known, values, np.inf), method=ties, axis=_AREAS)
    return np.where(known, found, np.nan), known.sum(axis=_AREAS, keepdims=True).astype(float)


def _by_rank(values: Array, name: str, ranks: RanksSpec) -> Array:
    if name == "percentile":
        return percentile_rank(values)
    if name == "rank_exponential":
        # Places count from the lowest risk up; the spec counts from the highest down, so ties change sides.
        ties = {"average": "average", "lowest": "max", "highest": "min"}[ranks.ties]
        found, count = places(values, ties)
        share = found / count if ranks.share == "at_or_below" else (found - 1) / count
        return exponential(share, ranks.constant)
    found, count = places(values)
    if name == "borda":
        return found - 1
    from scipy.special import ndtri  # noqa: PLC0415  slow to import, and only normal scores need it

    made: Array = ndtri(found / (count + 1))
    return made


def percentile_rank(values: Array) -> Array:
    """Return (lowest rank - 1) / (N - 1) over the areas; 0 where one area is alone.

    Examples
    --------
    >>> percentile_rank(np.array([[10.0], [20.0], [20.0], [40.0], [90.0]]))[:, 0].tolist()
    [0.0, 0.25, 0.25, 0.75, 1.0]
    """
    found, count = places(values, "min")
    return (found - 1) / np.maximum(count - 1, 1)


def exponential(share: Array, constant: float) -> Array:
    """Return E = -k ln(1 - R (1 - exp(-100 / k))): 0 at R = 0, 100 at R = 1, and steep near the top.

    Examples
    --------
    >>> exponential(np.array([0.0, 0.9, 1.0]), 23.0).round(6).tolist()
    [0.0, 50.426654, 100.0]
    """
    made: Array = -constant * np.log1p(-share * -np.expm1(-100 / constant))
    return made
