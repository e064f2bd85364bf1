"""Amounts of money: exact numbers, units, and a division to the krona.

Nothing here is a binary fraction. A float is read as the decimal it prints as, shares become whole numbers over one
common denominator, and a krona is never lost or made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import inf, isfinite, lcm
from numbers import Integral, Real
from typing import Any

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.specs.units import unit_factor

__all__ = [
    "ROUNDING",
    "Amount",
    "Divided",
    "areas_of",
    "bounded",
    "caller",
    "divided",
    "exact",
    "extremes",
    "kronor",
    "largest_remainder",
    "said",
    "whole_numbers",
]

Amount = int | float | str | Decimal | Fraction
#: How amounts become whole, for the conventions of a result.
ROUNDING = "exact fractions, largest remainder; equal remainders in the order of the codes"
_LARGEST = 2**63 - 1  # what a column of whole numbers holds


def exact(number: object) -> Fraction | None:
    """Return a number without rounding; None when it is not a finite number.

    A float stands for the decimal it prints as: 0.1 is a tenth.

    Examples
    --------
    >>> exact(0.1), exact("6.6"), exact("much")
    (Fraction(1, 10), Fraction(33, 5), None)
    """
    if isinstance(number, bool) or number is None:
        return None
    try:
        if isinstance(number, Fraction | Decimal | str):
            return Fraction(Decimal(number.strip()) if isinstance(number, str) else number)
        if isinstance(number, Integral):
            return Fraction(int(number))
        if isinstance(number, Real) and isfinite(number):
            return Fraction(repr(float(number)))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return None


def kronor(amount: Amount, unit: str = "kr", *, key: str | None = None) -> int:
    """Turn an amount into kronor, exactly.

    Parameters
    ----------
    amount
        A number, or a text with a decimal point.
    unit
        ``kr``, ``tkr`` (1,000 kr) or ``Mkr`` (1,000,000 kr), or another of their names.
    key
        Where the amount stands, for the fault.

    Returns
    -------
    int

    Raises
    ------
    SpecError
        When the unit is no money.
    TableError
        When the amount is no number, or no whole number of kronor.

    Examples
    --------
    >>> kronor(99, "Mkr"), kronor("6.6", "Mkr"), kronor(1234.567, "tkr")
    (99000000, 6600000, 1234567)
    """
    factor = unit_factor(unit, "kr")
    if factor is None:
        raise checks.unknown_name("unit of money", unit, ("kr", "tkr", "Mkr"), key=key)
    number = exact(amount)
    if number is None:
        raise TableError(Fault(what=f"'{amount}' is not an amount of money", key=key, expected="a number, such as 6.6"))
    whole = number * int(factor)
    if whole.denominator != 1:
        fault = Fault(
            what=f"{amount} {unit} is no whole number of kronor",
            key=key,
            expected="no parts of a krona",
            hint="check the unit",
        )
        raise TableError(fault)
    return int(whole)


def said(amount: float) -> str:
    """Word an amount.

    Examples
    --------
    >>> said(6_600_000)
    '6,600,000 kr'
    """
    return f"{round(amount):,} kr"


def areas_of(many: int) -> str:
    """Word a number of areas.

    Examples
    --------
    >>> areas_of(1), areas_of(15)
    ('1 area', '15 areas')
    """
    return "1 area" if many == 1 else f"{many:,} areas"


def caller(names: Mapping[str, str] | pd.Series | None) -> Callable[[object], str]:
    """Return what calls an area by its name, or by its code where it has none."""
    held: dict[Any, Any] = {} if names is None else dict(names)
    return lambda code: str(held.get(code, code))


def extremes(payment: pd.Series, called: Callable[[object], str]) -> str:
    """Say who gets most and least."""
    most, least = payment.idxmax(), payment.idxmin()
    ends = f"Most: {called(most)}, {said(payment[most])}; least: {called(least)}, {said(payment[least])}"
    return f"{ends}; mean {said(payment.sum() / len(payment))}."


# ---------------------------------------------------------------- dividing


def whole_numbers(weights: Mapping[Any, Fraction]) -> dict[Any, int]:
    """Return weights as whole numbers in the same proportion."""
    common = lcm(*(weight.denominator for weight in weights.values()))
    return {key: weight.numerator * (common // weight.denominator) for key, weight in weights.items()}


def largest_remainder(shares: pd.Series | Mapping[Any, Amount], total: int) -> pd.Series:
    r"""Divide kronor in proportion to shares, exactly: the largest remainders are rounded up.

    Hamilton's method. With :math:`q_a = T s_a / \sum_b s_b` each gets :math:`\lfloor q_a \rfloor`, and the kronor that
    are left go one each to the largest remainders :math:`q_a - \lfloor q_a \rfloor`. Equal remainders: in the order of
    the codes, as text. So the order in which the shares stand changes nothing, nor does their unit.

    A share that grows while the others stay never gets less. Hamilton's division minimises
    :math:`\sum_a (h_a - q_a)^2`: no krona moved from *a* to *b* makes it smaller, so that
    :math:`h_a - h_b \le q_a - q_b + 1`. If *a*'s share grows, :math:`q'_a > q_a` and :math:`q'_b \le q_b` for all
    others. Had *a* less than before, some *b* would have more, :math:`h'_a \le h_a - 1` and :math:`h'_b \ge h_b + 1`;
    but the same for *b* and *a* afterwards is :math:`h'_b - h'_a \le q'_b - q'_a + 1`, together
    :math:`q'_a - q'_b \le q_a - q_b`, which it is not. The method's well-known paradoxes need several shares, or the
    total, to change at once.

    Parameters
    ----------
    shares
        Code → share; numbers that are not negative and need not add up to 1.
    total
        The kronor.

    Returns
    -------
    pandas.Series
        int64, in kronor, in the order of ``shares``.

    Raises
    ------
    SpecError
        When the total is no whole number from 0, a share is negative or no number, or all shares are zero.
    IdError
        When a code occurs more than once.

    Examples
    --------
    >>> largest_remainder({"a": 1, "b": 1, "c": 1}, 100).to_dict()
    {'a': 34, 'b': 33, 'c': 33}
    """
    held = shares if isinstance(shares, pd.Series) else pd.Series(dict(shares), dtype=object)
    faults = Faults()
    if isinstance(total, bool) or not isinstance(total, Integral) or not 0 <= total <= _LARGEST:
        faults.add(SpecError(Fault(what=f"{total} is no total", key="total", expected="a whole number of kronor")))
    if not held.index.is_unique:
        twice = [str(code) for code in held.index[held.index.duplicated()].unique()]
        faults.add(checks.duplicate_ids(twice, str(held.index.name or "area_id")))
    read = [exact(value) for value in held]
    for code, value, number in zip(held.index, held, read, strict=True):
        if number is None or number < 0:
            expected = "a number that is not negative"
            faults.add(SpecError(Fault(what=f"{value} is no share", area=str(code), expected=expected)))
    if not faults and not any(read):
        faults.add(SpecError(Fault(what="there is nothing to divide by", expected="at least one share above zero")))
    faults.raise_any()
    weights = whole_numbers({code: number for code, number in zip(held.index, read, strict=True) if number is not None})
    parts = divided(weights, int(total))
    return pd.Series([parts[code] for code in held.index], index=held.index, dtype="int64")


def divided(weights: Mapping[Any, int], total: int, *, before: Mapping[Any, Fraction] | None = None) -> dict[Any, int]:
    """Divide a total in proportion to whole numbers, by largest remainder.

    Equal remainders: those with more in ``before`` first, then in the order of the codes.
    """
    size = sum(weights.values())
    parts = {code: divmod(weight * total, size) for code, weight in weights.items()}
    left = total - sum(whole for whole, _ in parts.values())
    first = sorted(parts, key=lambda code: (-parts[code][1], -before[code] if before else 0, str(code)))
    return {code: whole for code, (whole, _) in parts.items()} | {code: parts[code][0] + 1 for code in first[:left]}


@dataclass(frozen=True)
class Divided:
    """What each gets, and the bound that holds it (``floor``, ``cap`` or an empty text)."""

    parts: Mapping[Any, int]
    bounds: Mapping[Any, str]


def bounded(
    weights: Mapping[Any, int],
    total: int,
    floors: Mapping[Any, int],
    caps: Mapping[Any, int | float],
) -> Divided:
    r"""Divide a total in proportion to whole numbers, between a floor and a cap for each.

    The division is :math:`q_a = \min(\max(\lambda w_a, l_a), u_a)` with the one :math:`\lambda` for which it adds up.
    It is found by water-filling: divide in proportion; if what the floors lack is more than what the caps leave over,
    hold those below their floor there, else those above their cap; divide the rest again, until no bound is broken.
    Bounds are whole kronor and :math:`q_a` lies between them, so that rounding up or down breaks none.

    Raises
    ------
    SpecError
        When a floor is above its cap, the floors exceed the total, or the caps cannot take it.
    """
    _check_bounds(weights, total, floors, caps)
    held = {code: (floors[code], "floor") for code, weight in weights.items() if not weight}
    while True:
        free = {code: weight for code, weight in weights.items() if code not in held}
        rest, size = total - sum(part for part, _ in held.values()), sum(free.values())
        # All amounts times `size`, which keeps them whole.
        low = {code: floors[code] * size - weight * rest for code, weight in free.items()}
        high = {code: weight * rest - int(caps[code]) * size for code, weight in free.items() if caps[code] != inf}
        low, high = _above_zero(low), _above_zero(high)
        if not low and not high:
            break
        lack = sum(low.values()) - sum(high.values())
        if lack >= 0:
            held |= {code: (floors[code], "floor") for code in low}
        if lack <= 0:
            held |= {code: (int(caps[code]), "cap") for code in high}
    parts = {code: part for code, (part, _) in held.items()}
    if free:
        parts |= divided(free, rest)
    return Divided(parts, {code: held[code][1] if code in held else "" for code in weights})


def _above_zero(numbers: dict[Any, int]) -> dict[Any, int]:
    return {code: number for code, number in numbers.items() if number > 0}


def _check_bounds(
    weights: Mapping[Any, int],
    total: int,
    floors: Mapping[Any, int],
    caps: Mapping[Any, int | float],
) -> None:
    faults = Faults()
    for code in weights:
        if floors[code] > caps[code]:
            what = f"the floor of {said(floors[code])} is above the cap of {said(caps[code])}"
            faults.add(SpecError(Fault(what=what, area=str(code))))
    least = sum(floors[code] for code in weights)
    if least > total:
        fault = Fault(
            what=f"the floors of {len(weights)} areas add up to {said(least)}, {said(least - total)} more than the "
            f"envelope of {said(total)}",
            hint=f"a floor of at most {said(total // len(weights))} for each, or fewer areas",
        )
        faults.add(SpecError(fault))
    most = sum(caps[code] if weight else floors[code] for code, weight in weights.items())
    if most < total and not faults:
        fault = Fault(
            what=f"the caps of {len(weights)} areas take up {said(most)}; of the envelope of {said(total)} "
            f"{said(total - most)} would be left over",
            hint=f"a cap of at least {said(-(-total // len(weights)))} for each, or more areas",
        )
        faults.add(SpecError(fault))
    faults.raise_any()
