"""Outliers, before figures are normalised: few areas far out must not decide the scale for all others.

Rule and order are those of the OECD/JRC Handbook and its package COINr: an indicator is treated when both its skewness
and its kurtosis pass a limit; the outermost areas are pulled in to the next one, one more at a time; what is still
skewed when that has been done to the most areas allowed gets a logarithm instead, of the distance from the end that
most areas are at (COINr's ``log_CT_plus``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geoplan.risk.normalising import statistics
from geoplan.specs import TreatmentSpec

__all__ = ["Treatment", "group_means", "moments"]

Array = NDArray[np.float64]
_FEWEST = 4  # kurtosis of fewer areas is not defined


@dataclass(frozen=True)
class Treatment:
    """What is done to each indicator: values are kept between ``low`` and ``high``, and may get a logarithm.

    ``shift`` is added before the logarithm, NaN where there is none; ``side`` is 1, or -1 where the lowest areas lie
    far out, so that value and logarithm are mirrored; ``told`` says it in words, by indicator.
    """

    low: Array
    high: Array
    shift: Array
    side: Array
    told: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def none(count: int) -> Treatment:
        """Return a treatment that changes nothing."""
        return Treatment(np.full(count, -np.inf), np.full(count, np.inf), np.full(count, np.nan), np.ones(count))

    @staticmethod
    def fit(values: Array, names: Sequence[str], spec: TreatmentSpec) -> Treatment:
        """Decide the treatment from areas × indicators."""
        made = Treatment.none(len(names))
        if spec.outliers == "none":
            return made
        told = []
        for place, name in enumerate(names):
            column = values[:, place]
            column = column[~np.isnan(column)]
            if not _skewed(column, spec):
                continue
            text = ""
            if spec.outliers != "log":
                text = _winsorise(column, place, made, spec)
            if not text and spec.outliers != "winsorise":
                text = _log(column, place, made)
            skewness, kurtosis = moments(column)
            before = f"skewness {skewness:.2f}, kurtosis {kurtosis:.2f}"
            told.append((name, f"{before} → {text or 'still skewed, left as it is'}"))
        return replace(made, told=tuple(told))

    def apply(self, values: Array) -> Array:
        """Treat (draws ×) areas × indicators."""
        if not self.told:
            return values
        made = np.clip(values, self.low, self.high)
        logged = ~np.isnan(self.shift)
        if logged.any():
            side = self.side[logged]
            made[..., logged] = side * np.log(side * made[..., logged] + self.shift[logged])
        return made


def _skewed(column: Array, spec: TreatmentSpec) -> bool:
    if len(column) < _FEWEST or _same(column):
        return False
    skewness, kurtosis = moments(column)
    return bool(abs(skewness) > spec.skewness and kurtosis > spec.kurtosis)


def _same(column: Array) -> bool:
    """Whether figures differ by no more than arithmetic does."""
    found = statistics(column[:, None])
    return bool((found.low == found.high).all())


def _log(column: Array, place: int, made: Treatment) -> str:
    """Take logarithms from the end that most areas are at; a figure beyond that end, of a draw, stays at it."""
    low, high = column.min(), column.max()
    upper = moments(column)[0] > 0
    made.side[place] = 1.0 if upper else -1.0
    made.shift[place] = 0.01 * (high - low) + (-low if upper else high)
    (made.low if upper else made.high)[place] = low if upper else high
    side = made.side[place]
    skewness, kurtosis = moments(side * np.log(side * column + made.shift[place]))
    return f"logarithm{'' if upper else ', mirrored'}; skewness {skewness:.2f}, kurtosis {kurtosis:.2f}"


def _winsorise(column: Array, place: int, made: Treatment, spec: TreatmentSpec) -> str:
    """Pull the outermost areas in to the next value, and again, until the indicator is no longer skewed."""
    steps = np.unique(column)
    upper = moments(column)[0] > 0
    for limit in steps[-2::-1] if upper else steps[1:]:
        beyond = int((column > limit).sum() if upper else (column < limit).sum())
        pulled = np.minimum(column, limit) if upper else np.maximum(column, limit)
        if beyond > spec.most_areas or _same(pulled):  # what is the same everywhere would tell nothing at all
            break
        if not _skewed(pulled, spec):
            (made.high if upper else made.low)[place] = limit
            skewness, kurtosis = moments(pulled)
            side = "highest" if upper else "lowest"
            areas = f"{beyond} {side} area{'s' if beyond > 1 else ''}"
            return f"{areas} winsorised; skewness {skewness:.2f}, kurtosis {kurtosis:.2f}"
    return ""


def moments(column: Array) -> tuple[float, float]:
    """Return skewness and excess kurtosis, corrected for bias as spreadsheets do (Fisher's g1 and g2).

    Examples
    --------
    >>> [round(number, 6) for number in moments(np.array([1.0, 2.0, 3.0, 4.0, 20.0]))]
    [2.125051, 4.60608]
    """
    from scipy.stats import kurtosis, skew  # noqa: PLC0415  slow to import, and only treatment needs it

    return float(skew(column, bias=False)), float(kurtosis(column, bias=False))


def group_means(values: Array, bases: Array, groups: NDArray[np.intp]) -> Array:
    """Fill missing figures with their group's mean, weighted by base where bases are known.

    NaN stays in groups of which nothing is known, and in areas of no group (-1).

    Examples
    --------
    >>> values = np.array([[10.0], [20.0], [np.nan]])
    >>> group_means(values, np.array([[100.0], [300.0], [50.0]]), np.array([0, 0, 0])).ravel().tolist()
    [10.0, 20.0, 17.5]
    """
    filled = values.copy()
    for group in np.unique(groups[groups >= 0]):
        rows = groups == group
        own, weights = values[rows], bases[rows]
        known = ~np.isnan(own)
        weights = np.where(known, weights, 0.0)
        lacking = (np.isnan(weights) & known).any(axis=0)  # without all bases, every known area weighs the same
        weights = np.where(lacking, known.astype(float), weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (np.where(known, own, 0.0) * weights).sum(axis=0) / weights.sum(axis=0)
        filled[rows] = np.where(known, own, mean)
    return filled
