"""Numbers as files write them: thousands, decimals, signs in place of a number, and marks beside one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.places.signs import SIGNS, signs_of
from geoplan.specs import IndicatorsLayer, IndicatorSpec

__all__ = [
    "FAULTS_PER_COLUMN",
    "ROLES",
    "Cells",
    "columns_of",
    "figures_of",
    "read_numbers",
    "without_empty_bases",
    "without_marks",
]

FAULTS_PER_COLUMN = 3
ROLES = ("numerator", "denominator", "value")
_GROUPED = r"^(-?\d{1,3}(?:[ \u00a0\u202f]\d{3})+)((?:[.,]\d+)?)$"
_POINTED = r"-?\d{1,3}(?:\.\d{3})+"  # 1.234 in a file with decimal commas: a thousand in Danish, or a slip
_THOUSANDS = r"-?[1-9]\d{0,2}(\.\d{3})+"
_NO_SPACE = {ord(sign): None for sign in " \u00a0\u202f"}
_MARKED = r"^(.*\d)\s*([*pr|]{1,2})$"  # * and p: provisional; r: revised, which is final; |: the definition changes


@dataclass(frozen=True)
class Cells:
    """A column of numbers as read; five Series with the column's index.

    Attributes
    ----------
    numbers
        Float; NaN where a sign stands.
    status, reason
        What the sign means; empty beside a number.
    provisional, breaks
        Whether a mark beside the number says so (bool).
    """

    numbers: pd.Series
    status: pd.Series
    reason: pd.Series
    provisional: pd.Series
    breaks: pd.Series

    def at(self, own: pd.Series, places: pd.Series) -> Cells:
        """Return the cells, labelled so far by ``own``, in the order of other labels; one that is not there is empty.

        The result has the index of ``places``.
        """

        def moved(part: pd.Series, empty: object) -> pd.Series:
            return part.set_axis(pd.Index(own)).reindex(pd.Index(places), fill_value=empty).set_axis(places.index)

        return Cells(
            moved(self.numbers, np.nan),
            moved(self.status, ""),
            moved(self.reason, ""),
            moved(self.provisional, empty=False),
            moved(self.breaks, empty=False),
        )


def columns_of(item: IndicatorSpec, role: str) -> tuple[str, ...]:
    """Return the columns that a definition names for a numerator, a denominator or a value."""
    names: str | Sequence[str] | None = getattr(item, role)
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def figures_of(roles: Mapping[str, Sequence[Cells]], index: pd.Index) -> pd.DataFrame:
    """Put the columns of an indicator together: sums by role, the first sign met, and every mark.

    Returns
    -------
    pandas.DataFrame
        ``numerator, denominator, value`` (float; a sum of which a part is missing is missing), ``status`` (``observed``
        where no sign stands), ``reason``, ``provisional`` and ``breaks`` (bool).
    """
    part = pd.DataFrame(index=index)
    status, reason = (pd.Series("", index=index, dtype=object) for _ in range(2))
    provisional, breaks = (pd.Series(data=False, index=index) for _ in range(2))
    for role in ROLES:
        cells = roles.get(role, ())
        part[role] = sum((cell.numbers for cell in cells[1:]), start=cells[0].numbers) if cells else np.nan
    for cell in [cell for role in ("numerator", "value", "denominator") for cell in roles.get(role, ())]:
        reason = reason.where(status != "", cell.reason)
        status = status.where(status != "", cell.status)
        provisional, breaks = provisional | cell.provisional, breaks | cell.breaks
    return part.assign(status=status.replace("", "observed"), reason=reason, provisional=provisional, breaks=breaks)


def without_empty_bases(part: pd.DataFrame, item: IndicatorSpec, layer: IndicatorsLayer) -> pd.DataFrame:
    """Let a base of 0 mean that there is nobody to speak of, where the layer says so."""
    if layer.empty_base != "not_applicable" or item.denominator is None:
        return part
    nobody = part["denominator"] == 0
    told = {"status": "not_applicable", "reason": ""}
    return part.assign(
        **{role: part[role].mask(nobody) for role in ROLES},
        **{name: part[name].mask(nobody, text) for name, text in told.items()},
    )


def without_marks(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Part numbers from the publisher's marks beside them, such as the star of ``1234*``; returns both as text."""
    marks = text.where(text.str.endswith(("*", "p", "r", "|")), "").str.extract(_MARKED)
    return marks[0].fillna(text).str.strip(), marks[1].fillna("")


def read_numbers(cells: pd.Series, column: str, layer: IndicatorsLayer, faults: Faults, *, counts: bool) -> Cells:
    """Read a column of numbers; what is neither a number nor a sign is a fault."""
    typed = pd.api.types.is_numeric_dtype(cells)
    if typed:
        cells = cells.map(lambda number: "" if pd.isna(number) else f"{number:.17g}")
    text = cells.fillna("").astype(str).str.strip()
    signs = signs_of(layer, frozenset(text.unique()))
    told = {position: {sign: meaning[position] for sign, meaning in signs.items()} for position in (0, 1)}
    status, reason = (text.map(told[position]).astype(object).fillna("") for position in (0, 1))
    plain = text.mask(status == "observed", "0").mask(~status.isin(["", "observed"]), "")
    status = status.mask(status == "observed", "")
    plain = plain.str.replace("\u2212", "-", regex=False)  # a true minus sign
    plain, marked = without_marks(plain)
    doubtful = pd.Series(data=False, index=cells.index)
    if layer.decimal == "," and not typed:
        doubtful = plain.str.fullmatch(_POINTED)
        plain = plain.str.replace(",", ".", regex=False)
    elif counts and not typed:
        # 1.000 residents are a thousand, not one; a column of which some cells read otherwise has true decimals.
        doubtful = plain.str.contains(".", regex=False)
        doubtful &= plain[doubtful].str.fullmatch(_THOUSANDS).all()
    grouped = plain.str.replace(_GROUPED, lambda m: m[1].translate(_NO_SPACE) + m[2].replace(",", "."), regex=True)
    values = pd.to_numeric(grouped.replace("", np.nan), errors="coerce").astype(float)
    wrong = (grouped != "") & (~np.isfinite(values) | doubtful)
    _add_wrong(text[wrong], doubtful, column, layer, faults)
    provisional, breaks = marked.str.contains("[*p]"), marked.str.contains("|", regex=False)
    return Cells(values, status, reason, provisional.astype(bool), breaks.astype(bool))


def _add_wrong(text: pd.Series, doubtful: pd.Series, column: str, layer: IndicatorsLayer, faults: Faults) -> None:
    for row, shown in text.head(FAULTS_PER_COLUMN).items():
        hint = None
        publishers = [name for name, signs in SIGNS.items() if shown.casefold() in signs]
        if publishers:
            hint = (
                f"it is a sign of {checks.listed(publishers)}: name the publisher as `missing_signs` in the layer's "
                "TOML, or say what it means under `missing_codes`"
            )
        elif doubtful[row] and layer.decimal == ".":
            hint = "the point seems to part thousands; write 1234 or 1 234, or decimals with another number of places"
        elif doubtful[row]:
            hint = 'with `decimal = ","` the point may part thousands or decimals; write 1234, 1 234 or 1,234'
        elif layer.decimal == "." and "," in shown:
            hint = 'if the comma is the decimal sign, write `decimal = ","` in the layer\'s TOML'
        faults.add(checks.bad_number(shown, row=int(row), column=column, hint=hint))
    rest = len(text) - FAULTS_PER_COLUMN
    if rest > 0:
        faults.add(TableError(Fault(what=f"{rest} more values are not numbers", column=column)))
