"""Times as other programs write them: numbers as text, decimal commas, and marks of pairs that are not reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, TableError
from geoplan.reach.foreign_layout import UNITS
from geoplan.reach.times import UNREACHED

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cells", "decimal_of", "in_rows", "read_cells"]

_BLANK = frozenset({"", "nan", "na", "n/a", "none", "null", "<na>"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")  # 1,234: a thousand in English, one and a bit elsewhere
_SHOWN = 3
_EXACT = 5e-3  # s; minutes of 32 bits hold every whole second to less than that
_BYTE = 255  # R5 keeps minutes in bytes, the last one for "not reached"
_GAP = 1.25  # a mark lies well above every time
_MARKS = {"minutes": (255, 999), "seconds": (9_999, 32_767)}
_LIMIT = f"{UNREACHED - 1:,} s (18 h 12 min)"


@dataclass(frozen=True)
class Cells:
    """Times of a table, rows × columns.

    Attributes
    ----------
    seconds
        Float, whole; NaN where the pair is not reached.
    wrong
        Whether what stands there is a fault.
    rounded
        How many were rounded to whole seconds.
    marks
        How often each way of writing "not reached" occurs.
    """

    seconds: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    rounded: int
    marks: dict[str, int]


def in_rows(rows: Sequence[int] | NDArray[Any], *, shown: int = 5) -> str:
    """Say in which rows: ``in rows 2, 5 and 1,201 more``.

    Examples
    --------
    >>> in_rows([2, 5, 9], shown=2), in_rows([7])
    ('in rows 2, 5 and 1 more', 'in row 7')
    """
    first = ", ".join(str(row) for row in rows[:shown])
    rest = f" and {len(rows) - shown:,} more" if len(rows) > shown else ""
    return f"in row{'s' if len(rows) > 1 else ''} {first}{rest}"


def decimal_of(texts: Sequence[str], decimal: str | None) -> tuple[str, str]:
    """Return the decimal sign of numbers written as text, and what was concluded in words.

    Raises
    ------
    TableError
        When commas may part decimals or thousands.

    Examples
    --------
    >>> decimal_of(["12,5", "7"], None)
    (',', 'the comma is the decimal sign')
    """
    if decimal is not None:
        return decimal, ""
    commas = [text for text in texts if re.search(r"\d,\d", text)]
    if not commas or any(re.search(r"\d\.", text) for text in texts):
        return ".", ""
    if all(_GROUPED.fullmatch(text) for text in commas):
        hint = "say decimal=',' if it is the decimal sign; numbers with parted thousands are not read"
        raise TableError(Fault(what=f"'{commas[0]}' may be a decimal number or thousands", key="decimal", hint=hint))
    return ",", "the comma is the decimal sign"


def read_cells(
    table: pd.DataFrame, *, unit: str, decimal: str | None, unreached: Sequence[object] | None, known: Sequence[object]
) -> tuple[Cells, Faults, list[str]]:
    """Read the times of a table.

    Parameters
    ----------
    table
        Columns of times; the index is the row in the file.
    unit
        "minutes" or "seconds".
    decimal
        The decimal sign of text; found where left out.
    unreached
        What stands for "not reached", as the reader says. None: nothing is said, and suspicious values are faults.
    known
        What the program that wrote the matrix writes for "not reached".

    Returns
    -------
    cells : Cells
    faults : Faults
        Everything that is wrong, each value once.
    assumed : list of str
        What was concluded.
    """
    faults = Faults()
    bytes_only = len(table.columns) > 0 and all(kind == np.uint8 for kind in table.dtypes)
    marks = [*(unreached or ()), *known]
    values, code, text_of, bad, assumed = _values(table, decimal, marks, faults)
    with np.errstate(invalid="ignore"):
        for mark in _numbers(marks):
            values = np.where(_near(values, mark), np.nan, values)
        exact = values * UNITS[unit]
        seconds = np.rint(exact)
        over, below = seconds >= UNREACHED, seconds < 0
        inexact = np.isfinite(exact) & (np.abs(exact - seconds) > _EXACT)
    doubtful = np.zeros(len(values), dtype=bool)
    if unreached is None:
        doubtful = _suspicious(np.where(over | below, np.nan, values), unit, bytes_only=bytes_only)
    wrong = _Wrong(table, code, text_of, faults)
    wrong.add(bad, "is not a number", _hint_of)
    wrong.add(below, "is below zero", _as_mark)
    wrong.add(over, f"is over {_LIMIT}, the longest time that is kept", _as_mark)
    wrong.add(
        doubtful, "stands above every other time and looks like a mark", _as_mark, "; if it is a time, unreached=()"
    )
    count = np.bincount(code.ravel(), minlength=len(values))
    rounded = int(count[inexact].sum())
    found = {text_of(int(place)) or "blank": int(count[place]) for place in np.flatnonzero(np.isnan(values))}
    faulty = bad | below | over | doubtful
    return Cells(seconds[code], faulty[code], rounded, dict(sorted(found.items()))), faults, assumed


def _values(
    table: pd.DataFrame, decimal: str | None, marks: Sequence[object], faults: Faults
) -> tuple[NDArray[np.float64], NDArray[np.intp], Callable[[int], str], NDArray[np.bool_], list[str]]:
    """Return each different value once: as a number, where it stands, as text, and whether it is neither."""
    typed = all(pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in table.dtypes)
    if typed:
        numbers = table.to_numpy(dtype=float, na_value=np.nan)
        values, code = np.unique(numbers, return_inverse=True)
        return (
            values,
            code.reshape(numbers.shape),
            lambda place: _written(values[place]),
            np.zeros(len(values), bool),
            [],
        )
    raw = table.to_numpy(dtype=object).ravel()
    code, different = pd.factorize(raw, use_na_sentinel=False)
    texts = [_written(one) for one in different]
    blank = np.array([_is_blank(text, marks) for text in texts], dtype=bool)
    written = [
        text for text, one, gone in zip(texts, different, blank, strict=True) if isinstance(one, str) and not gone
    ]
    sign, told = ".", ""
    with faults.catch():
        sign, told = decimal_of(written, decimal)
    parsed = [
        float(one) if _is_number(one) else np.nan if gone else _parsed(text, sign)
        for text, one, gone in zip(texts, different, blank, strict=True)
    ]
    values = np.array(parsed, dtype=float)
    return values, code.reshape(table.shape), texts.__getitem__, np.isnan(values) & ~blank, [told] if told else []


class _Wrong:
    """Words a fault for each wrong value, with its places; of many values the first few."""

    def __init__(
        self, table: pd.DataFrame, code: NDArray[np.intp], text_of: Callable[[int], str], faults: Faults
    ) -> None:
        self.table, self.code, self.text_of, self.faults = table, code, text_of, faults

    def add(self, wrong: NDArray[np.bool_], what: str, hint: Callable[[str], str], besides: str = "") -> None:
        which = list(self._in_order(wrong))
        for place in which[:_SHOWN]:
            row, column = np.nonzero(self.code == place)
            rows, name, text = self.table.index[row].unique(), str(self.table.columns[column[0]]), self.text_of(place)
            more = f", {len(row):,} times ({in_rows(rows)})" if len(row) > 1 else ""
            fault = Fault(what=f"'{text}' {what}{more}", row=int(rows[0]), column=name, hint=hint(text) + besides)
            self.faults.add(TableError(fault))
        if len(which) > _SHOWN:
            cells = int(np.isin(self.code, which[_SHOWN:]).sum())
            words = f"{cells:,} more cell(s) are wrong in the same way, of {len(which) - _SHOWN:,} other values"
            self.faults.add(TableError(Fault(what=words)))

    def _in_order(self, wrong: NDArray[np.bool_]) -> Iterator[int]:
        """Yield wrong values as they first occur."""
        places = np.flatnonzero(wrong)
        if len(places):
            seen = self.code.ravel()
            first = pd.unique(seen[np.isin(seen, places)])
            yield from (int(place) for place in first)


def _suspicious(values: NDArray[np.float64], unit: str, *, bytes_only: bool) -> NDArray[np.bool_]:
    """Find the greatest time where it looks like a mark."""
    kept = np.unique(values[np.isfinite(values)])
    if not len(kept):
        return np.zeros(len(values), dtype=bool)
    most, next_to_it = kept[-1], kept[-2] if len(kept) > 1 else 0.0
    alone = most in _MARKS[unit] and most >= _GAP * next_to_it
    byte = bytes_only and most == _BYTE
    with np.errstate(invalid="ignore"):
        return np.asarray((values == most) & (alone or byte))


def _hint_of(text: str) -> str:
    if re.fullmatch(r"\d+,\d+", text):
        return "say decimal=',' if the comma is the decimal sign"
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        return "times must be minutes or seconds, not hours and minutes"
    return _as_mark(f"'{text}'")


def _as_mark(text: str) -> str:
    mark = "'inf'" if text == "inf" else text
    return f"if it stands for a pair that is not reached, say unreached=({mark},)"


def _missing(value: object) -> bool:
    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float | np.floating) and np.isnan(value))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _written(value: object) -> str:
    if _missing(value):
        return ""
    if isinstance(value, float | np.floating):
        return f"{float(value):.15g}"
    return str(value).strip().replace("\u2212", "-")


def _parsed(text: str, sign: str) -> float:
    plain = text.translate({ord(","): ".", ord("."): ","}) if sign == "," else text
    return float(plain) if _NUMBER.fullmatch(plain) else np.nan


def _is_blank(text: str, marks: Sequence[object]) -> bool:
    return text.casefold() in _BLANK or any(
        isinstance(mark, str) and mark.strip().casefold() == text.casefold() for mark in marks
    )


def _numbers(marks: Sequence[object]) -> list[float]:
    """Return the marks that are numbers; one written as text is found both ways."""
    found = [mark if isinstance(mark, int | float) else _parsed(str(mark).strip(), ".") for mark in marks]
    return [float(mark) for mark in found if not np.isnan(mark)]


def _near(values: NDArray[np.float64], mark: float) -> NDArray[np.bool_]:
    """Compare as 32-bit numbers do: 4294967.295 is kept as 4294967.5 in such a column."""
    return np.asarray(np.isclose(values, mark, rtol=1e-7, atol=0.0) | (values == mark))
