"""Rounding as statistics offices do: a half goes up.

numpy and Python round a half to the even neighbour (12.5 becomes 12), and a binary number may stand a hair off the
half it was written as (2.675 is stored as 2.67499…). Both make a table that differs from the published one.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["round_half_up"]

_NEAR_HALF = 1e-6
_EXACT = 2.0**50  # above it a double has no room left for halves
_FITS = 2**62
_MOST_DECIMALS = 15


def round_half_up(values: Any, decimals: int = 0, *, denominator: Any = None, scale: int = 1) -> Any:
    """Round numbers as they are written; a half goes away from zero.

    Parameters
    ----------
    values
        A number, an array or a Series (float). With ``denominator`` the numerators of rates.
    decimals
        Decimals kept, at most 15; negative ones round to tens, hundreds …
    denominator
        The bases, of the same shape or one number. Whole counts are then divided exactly, without a detour over a
        binary fraction; a base of 0 gives NaN.
    scale
        What the rate is multiplied by before rounding: 100 for per cent. Only with ``denominator``.

    Returns
    -------
    float, numpy.ndarray or pandas.Series
        As ``values``: float, a Series with its index and name; NaN and infinities stay.

    Raises
    ------
    ValueError
        For more than 15 decimals, which a float does not hold.

    Notes
    -----
    A number counts as the shortest decimal that stands for it, which is how a file writes it: ``2.675`` is a half at
    two decimals and becomes 2.68. A computed one may miss its half; where there are counts, hand them over.

    Examples
    --------
    >>> [round_half_up(n, denominator=base, scale=100) for n, base in [(7, 56), (35, 56), (29, 40)]]
    [13.0, 63.0, 73.0]
    >>> round_half_up(2.675, 2), round_half_up(-0.5), round_half_up(1250, -2)
    (2.68, -1.0, 1300.0)
    """
    if decimals > _MOST_DECIMALS:
        raise ValueError(f"{decimals} decimals: a float holds {_MOST_DECIMALS}")
    shape = np.shape(values)
    numbers = np.atleast_1d(np.asarray(values, dtype=float))
    if denominator is None:
        rounded = _rounded(numbers, decimals)
    else:
        rounded = _rounded_ratio(numbers, np.asarray(denominator, dtype=float), decimals, scale)
    if isinstance(values, pd.Series):
        return pd.Series(rounded, index=values.index, name=values.name)
    return rounded.reshape(shape) if shape else float(rounded[0])


def _rounded(numbers: np.ndarray, decimals: int) -> np.ndarray:
    step = 10.0 ** abs(decimals)
    with np.errstate(invalid="ignore", over="ignore"):
        shifted = np.abs(numbers) * step if decimals >= 0 else np.abs(numbers) / step
        whole = np.floor(shifted + 0.5)
        doubtful = np.isfinite(numbers) & (
            (np.abs(shifted - np.floor(shifted) - 0.5) < _NEAR_HALF + shifted * 1e-15) | (shifted >= _EXACT)
        )
    result = np.copysign(whole / step if decimals >= 0 else whole * step, numbers)
    result = np.where(np.isfinite(numbers), result, numbers)
    if doubtful.any():  # few: the rest is decided without looking at its digits
        result[doubtful] = [_by_digits(number, decimals) for number in numbers[doubtful].tolist()]
    return result


def _by_digits(number: float, decimals: int) -> float:
    written = Decimal(repr(number))
    exponent = int(written.as_tuple().exponent)
    if exponent >= -decimals:
        return number
    shifted = written.scaleb(decimals)
    return float(shifted.to_integral_value(rounding=ROUND_HALF_UP).scaleb(-decimals))


def _rounded_ratio(part: np.ndarray, base: np.ndarray, decimals: int, scale: int) -> np.ndarray:
    part, base = np.broadcast_arrays(part, base)
    step = 10 ** abs(decimals)
    over, under = (scale * step, 1) if decimals >= 0 else (scale, step)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = _rounded(np.where(base == 0, np.nan, part / base * scale), decimals)
        counts = (part == np.floor(part)) & (base == np.floor(base)) & (base > 0) & np.isfinite(part)
        counts &= np.isfinite(base) & (2 * np.abs(part) * over + base * under < _FITS)
    top = 2 * np.abs(part[counts]).astype(np.int64) * over
    bottom = base[counts].astype(np.int64) * under
    whole = (top + bottom) // (2 * bottom)
    exact = whole / step if decimals >= 0 else whole * float(step)
    result = np.array(result)
    result[counts] = np.copysign(exact, part[counts])
    return result
