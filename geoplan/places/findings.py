"""What the linter says, and the sheet its rules look at: a tidy table beside the file it was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults
from geoplan.places.areas import codes
from geoplan.places.cells import ROLES, columns_of, read_numbers, without_marks
from geoplan.places.indicators import COLUMNS, KNOWN, IndicatorTable, unit_scale
from geoplan.places.tidy import total_rows
from geoplan.places.units import in_own_unit
from geoplan.places.years import year_cells
from geoplan.specs import IndicatorsLayer, IndicatorSpec

__all__ = [
    "KEYS",
    "READABLE",
    "Finding",
    "Rule",
    "Sheet",
    "each",
    "fault",
    "figure",
    "note",
    "number",
    "open_sheet",
    "row_of",
    "several",
]

KEYS = ["area_id", "indicator", "period"]
READABLE = 3  # decimals of a figure that is published for reading
_MOST_DECIMALS = 9  # what has more is a number as a computer holds it: 12.299999999999999 is 12.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Fault):
    """Something a rule of the linter found: a fault that must be mended, or a note that is worth knowing.

    Parameters
    ----------
    what, file, key, row, column, area, expected, hint
        As in :class:`~geoplan.errors.Fault`.
    severity
        ``fault`` or ``note``.
    kind
        The rule, such as ``L01 sums``.

    Examples
    --------
    >>> print(Finding(kind="L02 stated counts", severity="fault", what="2 areas are listed, the publisher states 3"))
    2 areas are listed, the publisher states 3. [L02 stated counts]
    """

    severity: Literal["fault", "note"]
    kind: str = ""

    def __str__(self) -> str:
        return f"{Fault.__str__(self)} [{self.kind}]"


@dataclass(frozen=True)
class Rule:
    """A rule of the linter: its id, how grave its findings are, and the function that finds them."""

    id: str
    severity: Literal["fault", "note", "fault or note"]
    check: Callable[..., Iterator[Finding]]

    @property
    def says(self) -> str:
        """What the rule finds, in a sentence or two."""
        return " ".join((self.check.__doc__ or "").split())

    def findings(self, *things: Any) -> list[Finding]:
        """Look for what the rule is about, and stamp it with the rule's id."""
        return [replace(found, kind=self.id) for found in self.check(*things)]


def fault(what: str, **where: Any) -> Finding:
    """Word something that must be mended."""
    return Finding(severity="fault", what=what, **where)


def note(what: str, **where: Any) -> Finding:
    """Word something worth knowing."""
    return Finding(severity="note", what=what, **where)


# ---------------------------------------------------------------- the sheet


@dataclass(frozen=True)
class Sheet:
    """A table as the rules see it.

    Attributes
    ----------
    data
        The columns of a tidy table and ``row`` (of the file; <NA> when unknown), ``known`` (bool), ``kind``,
        ``scale``, ``published`` (the value as the file writes it; NaN when unknown) and ``decimals`` (of that).
    definitions
        Indicator id → definition.
    layer
        The dataset's entry in the catalogue.
    totals
        What the rows of totals state: ``indicator, period, numerator, denominator``; None without the file.
    """

    data: pd.DataFrame
    definitions: Mapping[str, IndicatorSpec]
    layer: IndicatorsLayer
    totals: pd.DataFrame | None = None

    @property
    def noise(self) -> float:
        """The most by which the publisher may have changed a count."""
        return self.layer.noise.size if self.layer.noise else 0.0

    @cached_property
    def places(self) -> pd.DataFrame:
        """Index ``area_id, period``, columns the figures' names: ``id`` and ``id.denominator``; known counts only."""
        known = self.data[self.data["known"]].drop_duplicates(KEYS)
        index = ["area_id", "period"]
        tops = known.pivot(index=index, columns="indicator", values="numerator")
        bases = known.pivot(index=index, columns="indicator", values="denominator").add_suffix(".denominator")
        return pd.concat([tops, bases], axis=1)


def open_sheet(table: IndicatorTable, layer: IndicatorsLayer, raw: pd.DataFrame | None) -> Sheet:
    """Lay a tidy table beside the file it was read from."""
    data = table.data[COLUMNS].reset_index(drop=True)
    names = data["indicator"]
    data["known"] = data["status"].isin(KNOWN)
    data["kind"] = names.map({name: item.kind for name, item in table.definitions.items()})
    data["scale"] = names.map({name: unit_scale(item.unit) for name, item in table.definitions.items()}).astype(float)
    if raw is None:
        data["row"], data["text"] = pd.NA, _text(data["value"].where(data["numerator"].isna()))
        data = _published(data)
        # What has many decimals was computed, and nobody knows from what.
        data["decimals"] = data["decimals"].where(data["decimals"] <= READABLE).astype(float)
        return Sheet(data, table.definitions, layer)
    totals = total_rows(raw, layer)
    cells = _cells(raw[~totals], layer, table.definitions).drop_duplicates(KEYS)
    sheet = Sheet(_published(data.merge(cells, on=KEYS, how="left")), table.definitions, layer)
    return replace(sheet, totals=_totals(raw[totals], layer, table.definitions))


def _totals(raw: pd.DataFrame, layer: IndicatorsLayer, definitions: Mapping[str, IndicatorSpec]) -> pd.DataFrame:
    """Return the counts and bases that rows of totals state, in the indicators' units; what they leave blank is NaN."""
    faults = Faults()

    def amount(cells: pd.Series, column: str) -> pd.Series:
        return read_numbers(cells, column, layer, faults, counts=True).numbers

    def columns(names: tuple[str, ...]) -> pd.Series:
        found = [amount(raw[name], name) for name in names if name in raw]
        return sum(found[1:], start=found[0]) if found else pd.Series(np.nan, index=raw.index)

    counts = [name for name, item in definitions.items() if item.kind == "count"]
    if layer.shape == "years":
        totals = _yearly(year_cells(raw, layer), amount, definitions)
    elif layer.shape == "tidy":
        stated = {name: raw[name].fillna("").astype(str).str.strip() for name in ("indicator", "period")}
        totals = pd.DataFrame({**stated, **{role: columns((role,)) for role in ROLES}})
    else:
        totals = pd.concat(
            pd.DataFrame({role: columns(columns_of(item, role)) for role in ROLES}).assign(indicator=name)
            for name, item in definitions.items()
        ).assign(period=layer.period)
    faults.raise_any()
    plain = totals["indicator"].isin(counts) & totals["numerator"].isna()
    totals["numerator"] = totals["numerator"].mask(plain, totals["value"])
    totals = in_own_unit(totals.reset_index(drop=True), definitions)
    return totals[["indicator", "period", "numerator", "denominator"]]


def _yearly(
    cells: pd.DataFrame, amount: Callable[[pd.Series, str], pd.Series], definitions: Mapping[str, IndicatorSpec]
) -> pd.DataFrame:
    """Read the totals of a table of years; a figure that is a sum of several is stated where all of them are."""
    number = pd.Series(np.nan, index=range(len(cells)))
    for column, places in cells.reset_index().groupby("column").groups.items():
        number[places] = amount(cells["text"].iloc[places], str(column)).to_numpy()
    by = ["code", "indicator", "period", "role"]
    sums = cells.assign(number=number.to_numpy()).groupby(by)["number"].agg(["sum", "count"]).reset_index()
    needed = [max(len(columns_of(definitions[row.indicator], row.role)), 1) for row in sums.itertuples()]
    sums["sum"] = sums["sum"].where(sums["count"] == needed)
    return sums.pivot(index=by[:-1], columns="role", values="sum").reindex(columns=list(ROLES)).reset_index()


def _cells(raw: pd.DataFrame, layer: IndicatorsLayer, definitions: Mapping[str, IndicatorSpec]) -> pd.DataFrame:
    """Return the row of each figure and its value as the file writes it."""
    ids = codes(raw[layer.id_column], width=layer.id_width, pad=layer.id_pad)
    empty = pd.Series("", index=raw.index)
    if layer.shape == "years":
        cells = year_cells(raw, layer)
        cells = cells.assign(area_id=ids.reindex(cells.index), row=cells.index, value=cells["role"] == "value")
        cells["text"] = _text(cells["text"]).where(cells["value"], "")
        return cells.sort_values("value", ascending=False, kind="stable")[[*KEYS, "text", "row"]]
    if layer.shape == "tidy":
        names = [raw[name].fillna("").astype(str).str.strip() for name in ("indicator", "period")]
        value = _text(raw["value"]) if "value" in raw else empty
        cells = dict(zip([*KEYS, "text", "row"], [ids, *names, value, raw.index], strict=True))
        return pd.DataFrame(cells)
    parts = []
    for name, item in definitions.items():
        value = _text(raw[item.value]) if item.value is not None else empty
        keys = {"area_id": ids, "indicator": name, "period": layer.period}
        parts.append(pd.DataFrame({**keys, "text": value, "row": raw.index}))
    return pd.concat(parts)


def _text(cells: pd.Series) -> pd.Series:
    """Return cells as text; numbers that come as numbers, in as few digits as say them."""
    if pd.api.types.is_numeric_dtype(cells):
        return cells.map(lambda cell: "" if pd.isna(cell) else f"{cell:.10g}")
    return cells.fillna("").astype(str)


def _published(data: pd.DataFrame) -> pd.DataFrame:
    """Read what the file writes as a value: the number, and how many decimals it has."""
    plain, data["published"] = _numbers(data.pop("text").fillna(""))
    fraction = plain.str.extract(r"\.(\d+)$")[0].fillna("")
    odd = plain.str.contains("[eE]") | (fraction.str.len() > _MOST_DECIMALS)
    fraction[odd] = [f"{value:.{_MOST_DECIMALS}f}".rstrip("0").partition(".")[2] for value in data["published"][odd]]
    data["decimals"] = fraction.str.len()
    data["row"] = data["row"].astype("Int64")
    return data


def _numbers(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read numbers as people write them; returns their digits with a decimal point, and their values."""
    plain = without_marks(text)[0].str.replace(r"[\s\u00a0\u202f]", "", regex=True)
    plain = plain.str.replace("\u2212", "-", regex=False).str.replace(",", ".", regex=False)
    return plain, pd.to_numeric(plain.replace("", np.nan), errors="coerce").astype(float)


# ---------------------------------------------------------------- wording


def number(value: float) -> str:
    """Write a number as people read it: ``1,234.5``."""
    return f"{value:,.10g}"


def figure(cell: Any) -> str:
    """Name a figure: ``poor 2012``."""
    return f"{cell.indicator} {cell.period}"


def each(rows: pd.DataFrame, what: Callable[[Any], str], **say: Any) -> Iterator[Finding]:
    """Word a fault for each row, with its place."""
    for cell in rows.itertuples():
        yield fault(what(cell), row=row_of(cell), area=str(cell.area_id), **say)


def several(rows: pd.DataFrame, what: str, *, by: Iterable[str] = ("indicator", "period")) -> Iterator[Finding]:
    """Word one note for all rows of an indicator and period, at the first of them.

    ``what`` is formatted with ``count``, ``figure`` and the columns of that row.
    """
    for _, group in rows.groupby(list(by), sort=True):
        cell = next(group.itertuples())
        words = what.format(count=number(len(group)), figure=figure(cell), **cell._asdict())
        yield note(words, row=row_of(cell), area=str(cell.area_id))


def row_of(cell: Any) -> int | None:
    """Return the row of the file that a figure stands in, if it is known."""
    row = getattr(cell, "row", None)
    return None if row is None or pd.isna(row) else int(row)
