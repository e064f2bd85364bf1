"""Reading indicator tables: long, wide or with years as columns, as files write them, into tidy ones that can be true.

Every fault of a table is collected before anything is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.places.areas import codes
from geoplan.places.cells import (
    FAULTS_PER_COLUMN,
    ROLES,
    Cells,
    columns_of,
    figures_of,
    read_numbers,
    without_empty_bases,
)
from geoplan.places.indicators import COLUMNS, KNOWN, MISSING, STATUSES, IndicatorTable, unit_scale
from geoplan.places.provenance import PROVENANCE, REASONS, add_step
from geoplan.places.units import add_unit_faults, in_own_unit, rounding_of
from geoplan.places.years import from_years, looks_like_year
from geoplan.specs import IndicatorsLayer, IndicatorSpec

__all__ = ["as_indicators", "total_rows"]


def as_indicators(frame: pd.DataFrame, layer: IndicatorsLayer) -> IndicatorTable:
    """Turn a table as read from a file into a tidy table with its definitions.

    Parameters
    ----------
    frame
        Text or numbers, in the shape that ``layer.shape`` names; the index is the row number used in faults.
    layer
        The dataset's entry in the catalogue.

    Returns
    -------
    IndicatorTable
        ``data`` has the columns of every tidy table and three more, categorical: ``source`` (register or survey, and
        vintage), ``method`` (steps of :data:`~geoplan.places.METHODS`) and ``reason`` (why exactly a figure is missing,
        one of :data:`~geoplan.places.REASONS` or empty). Values stand in the indicator's unit, whatever unit the file
        has (``published_unit``). A mark beside a number (``1234*``) or ``provisional_from`` makes it provisional.

    Raises
    ------
    InputError
        With all faults at once: absent columns, codes missing or shortened, rows that occur twice, text in a number
        column, an unknown status, a value without a status, a base of 0 or smaller than its part, values that are in
        another unit or not plausible, columns that cannot be years.

    Examples
    --------
    >>> from geoplan.specs import parse_layer
    >>> layer = parse_layer({
    ...     "kind": "indicators", "title": "Figures", "path": "f.csv", "source": "city", "licence": "CC0",
    ...     "vintage": "2012", "level": "stadsdel", "shape": "wide", "period": 2012, "id_column": "code",
    ...     "indicators": [{"id": "poor", "label": "Poor", "kind": "share", "unit": "pct",
    ...                     "direction": "higher_is_worse", "numerator": "poor", "denominator": "all"}]})
    >>> frame = pd.DataFrame({"code": ["01"], "poor": ["30"], "all": ["200"]}, index=[2])
    >>> row = as_indicators(frame, layer).data.iloc[0]
    >>> float(row["value"]), row["method"], row["source"]
    (15.0, 'from_counts', 'city, 2012')
    """
    definitions = {item.id: item for item in layer.indicators}
    frame = frame[~total_rows(frame, layer)]
    readers = {"tidy": _from_tidy, "wide": _from_wide, "years": from_years}
    long = readers[layer.shape](frame, layer)
    faults = Faults()
    counts = long["indicator"].map({name: item.kind for name, item in definitions.items()}) == "count"
    long["numerator"] = long["numerator"].where(~counts | long["numerator"].notna(), long["value"])
    _set_provisional(long, layer)
    long = in_own_unit(long, definitions)
    misread = add_unit_faults(long, definitions, faults)
    _check_values(long, definitions, faults, misread)
    _check_breaks(long, definitions, faults)
    faults.raise_any()
    long["value"] = _values(long, definitions)
    _set_provenance(long, layer, definitions)
    long = long.sort_values(["area_id", "indicator", "period"], ignore_index=True)
    return IndicatorTable(data=long[[*COLUMNS, *PROVENANCE]], definitions=definitions)


def _set_provisional(long: pd.DataFrame, layer: IndicatorsLayer) -> None:
    """Make observed figures provisional where a mark or the layer says so; an estimated one stays the guess it is."""
    provisional = long["provisional"]
    if layer.provisional_from is not None:
        years = pd.to_numeric(long["period"].str.extract(r"^(\d{4})")[0], errors="coerce")
        provisional = provisional | (years >= layer.provisional_from)
    long["status"] = long["status"].mask(provisional & (long["status"] == "observed"), "provisional")


def _set_provenance(long: pd.DataFrame, layer: IndicatorsLayer, definitions: Mapping[str, IndicatorSpec]) -> None:
    named = {
        name: f"{item.source or layer.source}, {item.vintage or layer.vintage}" for name, item in definitions.items()
    }
    source = long["indicator"].map(named)
    long["source"] = (long["source"].where(long["source"] != "", source) if "source" in long else source).astype(
        "category"
    )
    kind = long["indicator"].map({name: item.kind for name, item in definitions.items()})
    made = (kind != "count") & long["numerator"].notna()
    method = pd.Series(np.where(made, "from_counts", "published"), index=long.index).where(
        long["status"].isin(KNOWN), ""
    )
    long["method"] = method.mask(long["converted"] & (method != ""), add_step(method, "converted").astype(object))
    long["method"] = long["method"].astype("category")
    long["reason"] = long["reason"].where(~long["status"].isin(KNOWN), "").astype("category")


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of texts, empty where the table does not have it."""
    if name not in frame:
        return pd.Series("", index=frame.index, dtype=object)
    return frame[name].fillna("").astype(str).str.strip().astype(object)


def total_rows(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.Series:
    """Tell which rows of a table as read state totals (``layer.total_row``) and are no areas."""
    if layer.total_row is None or layer.id_column not in frame:
        return pd.Series(False, index=frame.index)  # noqa: FBT003  pandas' own signature
    ids = frame[layer.id_column].astype(str).str.strip()
    width = layer.id_width if layer.id_pad and layer.id_width else 0
    names = [layer.total_row] if isinstance(layer.total_row, str) else list(layer.total_row or ())
    return ids.isin(names) | ids.str.zfill(width).isin(names)


def _from_tidy(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    faults = Faults()
    present = list(frame.columns)
    for name, key in ((layer.id_column, "id_column"), ("indicator", None), ("period", None)):
        for error in checks.absent_columns({name} - set(present), present, key=key):
            faults.add(error)
    if not {"numerator", "value"} & set(present):
        what = "there is neither a column 'numerator' nor a column 'value' in the data"
        hint = 'a table with a column for each indicator needs `shape = "wide"` in the layer\'s TOML'
        if any(looks_like_year(name) for name in present):
            hint = 'a table with a column for each year needs `shape = "years"` in the layer\'s TOML'
        faults.add(TableError(Fault(what=what, hint=hint)))
    faults.raise_any()

    long = pd.DataFrame(index=frame.index)
    with faults.catch():
        long["area_id"] = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
    texts = {name: _text(frame, name) for name in ("indicator", "period", "status", "reason", "source")}
    long["indicator"], long["period"] = texts["indicator"], texts["period"]
    roles = {
        name: [read_numbers(frame[name], name, layer, faults, counts=name != "value")] if name in frame else []
        for name in ("numerator", "denominator", "value")
    }
    figures = figures_of(roles, frame.index)
    long = pd.concat([long, figures], axis=1)
    stated = texts["status"]
    long["status"] = stated.where(stated != "", figures["status"])
    long["reason"] = texts["reason"].where(texts["reason"] != "", figures["reason"])
    long["source"] = texts["source"]
    known = {item.id for item in layer.indicators}
    for name in sorted(set(long["indicator"]) - known):
        row = int(long.index[long["indicator"] == name][0])
        fault = Fault(
            what=f"the indicator '{name}' is not defined",
            row=row,
            column="indicator",
            hint=checks.did_you_mean(name, known) or "add an [[indicators]] block for it to the layer's TOML",
        )
        faults.add(TableError(fault))
    faults.raise_any()
    return long


def _from_wide(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    faults = Faults()
    present = list(frame.columns)
    for error in checks.absent_columns({layer.id_column} - set(present), present, key="id_column"):
        faults.add(error)
    for number, item in enumerate(layer.indicators):
        for key in ROLES:
            absent = [name for name in columns_of(item, key) if name not in frame]
            for error in checks.absent_columns(absent, present, key=f"indicators.{number}.{key}"):
                faults.add(error)
    faults.raise_any()

    ids = pd.Series("", index=frame.index)
    with faults.catch():
        ids = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
        if ids.duplicated().any():
            repeated = ids[ids.duplicated()]
            raise checks.duplicate_ids(sorted(set(repeated)), layer.id_column, row=int(repeated.index[0]))
    parsed: dict[str, Cells] = {}
    for item in layer.indicators:
        for role in ROLES:
            for name in columns_of(item, role):
                if name not in parsed:
                    parsed[name] = read_numbers(frame[name], name, layer, faults, counts=role != "value")
    faults.raise_any()
    parts = [_wide_part(item, ids, layer, parsed) for item in layer.indicators]
    return pd.concat(parts)


def _wide_part(
    item: IndicatorSpec, ids: pd.Series, layer: IndicatorsLayer, parsed: Mapping[str, Cells]
) -> pd.DataFrame:
    part = figures_of({role: [parsed[name] for name in columns_of(item, role)] for role in ROLES}, ids.index)
    part = part.assign(area_id=ids, indicator=item.id, period=layer.period)
    part["column"] = "/".join(name for role in ("numerator", "value", "denominator") for name in columns_of(item, role))
    return without_empty_bases(part, item, layer)


# ---------------------------------------------------------------- checking


_Rule = tuple[str | None, pd.Series, str, str, str | None]
"""The column at fault, the rows, what is wrong, what was expected, and a hint."""


def _check_values(
    long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], faults: Faults, misread: set[str]
) -> None:
    """Collect everything that cannot be true of the table; rates in another unit have been told already."""
    kind = long["indicator"].map({name: item.kind for name, item in definitions.items()})
    known = long["status"].isin(KNOWN)
    scale = long["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    rates = known & ~long["indicator"].isin(misread)
    for rules in (_cell_rules(long, known), _count_rules(long, known, kind), _rate_rules(long, rates, kind, scale)):
        for column, wrong, what, expected, hint in rules:
            rows = long[wrong.to_numpy(dtype=bool)]
            _add_rows(rows, Fault(what=what, column=column, expected=expected, hint=hint), faults)


def _cell_rules(long: pd.DataFrame, known: pd.Series) -> list[_Rule]:
    """Return what holds of any row: a period, a known status, a number or a reason, each figure once."""
    empty = long["numerator"].isna() & long["value"].isna()
    return [
        ("period", long["period"] == "", "there is no period", "a year, or the name of a period", None),
        (
            "status",
            ~long["status"].isin(STATUSES),
            "the status is not one geoplan knows",
            f"one of {checks.listed(STATUSES, shown=9)}",
            None,
        ),
        (
            "numerator",
            known & empty,
            "there is neither a number nor a reason why it is missing",
            "a number, or a status such as suppressed or not_collected",
            'name what stands there under `missing_codes` in the layer\'s TOML, such as "" = "not_collected"',
        ),
        (
            "status",
            ~known & ~empty & long["status"].isin(MISSING),
            "there is a number, but the status says that it is missing",
            "an empty cell, or the status observed",
            None,
        ),
        (
            "reason",
            ~long["reason"].isin(["", *REASONS]),
            "the reason is not one geoplan knows",
            f"one of {checks.listed(REASONS, shown=12)}",
            None,
        ),
        (
            None,
            long.duplicated(["area_id", "indicator", "period"]),
            "the area, indicator and period occur a second time",
            "one row for each",
            None,
        ),
    ]


def _count_rules(long: pd.DataFrame, known: pd.Series, kind: pd.Series) -> list[_Rule]:
    """Return what holds of counts: a base above 0, and no part larger than its base."""
    top, base = long["numerator"], long["denominator"]
    needs_base = known & (kind != "count") & ~top.isna()
    over = known & (kind == "share") & (base > 0) & (top > base)
    return [
        ("denominator", known & needs_base & base.isna(), "there is a count but no base", "a denominator", None),
        (
            "denominator",
            known & (base == 0),
            "the base is 0",
            "a base above 0",
            'where nobody lives the status is not_applicable; in a wide table `empty_base = "not_applicable"` says so',
        ),
        ("denominator", known & (base < 0), "the base is negative", "a base above 0", None),
        ("numerator", known & (kind != "mean") & (top < 0), "the count is negative", "0 or more", None),
        (
            "denominator",
            over,
            "the base is smaller than its part",
            "a numerator no larger than its denominator",
            "a figure that may exceed its base is of kind rate, not share",
        ),
    ]


def _rate_rules(long: pd.DataFrame, known: pd.Series, kind: pd.Series, scale: pd.Series) -> list[_Rule]:
    """Return what holds of rates: within their scale, and what their counts make."""
    value, base = long["value"], long["denominator"]
    made = long["numerator"] / base * scale
    return [
        (
            "value",
            known & (((kind == "share") & ~value.between(0, scale) & value.notna()) | ((kind == "rate") & (value < 0))),
            "the rate cannot be",
            "a share between nothing and all of its base, a rate of 0 or more",
            "look at the unit: pct is of 100, share of 1",
        ),
        (
            "value",
            known & (kind != "count") & (base > 0) & ((value - made).abs() > rounding_of(made, scale)),
            "the rate does not follow from its counts",
            "numerator / denominator in the indicator's unit, or no value",
            "geoplan makes rates from counts; leave the column of values out if it is another figure",
        ),
    ]


def _check_breaks(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], faults: Faults) -> None:
    """Refuse a break marked in the file that the definition does not have: lines would be drawn across it."""
    for name, period in sorted({*long.loc[long["breaks"], ["indicator", "period"]].itertuples(index=False, name=None)}):
        if name in definitions and period not in map(str, definitions[name].breaks):
            what = f"the file marks a break of '{name}' at {period} that its definition does not have"
            faults.add(TableError(Fault(what=what, hint=f"write `breaks = [{period}]` in its [[indicators]] block")))


def _add_rows(rows: pd.DataFrame, fault: Fault, faults: Faults) -> None:
    """Add a fault for each of the first rows; a wide table names its own columns."""
    for row, cell in rows.head(FAULTS_PER_COLUMN).iterrows():
        located = replace(
            fault,
            what=f"{fault.what} ({_figure(cell)})",
            row=int(row),
            column=cell.get("column", fault.column),
            area=str(cell["area_id"]),
        )
        faults.add(TableError(located))
    rest = len(rows) - FAULTS_PER_COLUMN
    if rest > 0:
        faults.add(TableError(Fault(what=f"{fault.what}, in {rest} more rows")))


def _figure(cell: pd.Series) -> str:
    """Say which figure a row holds: ``poor 2012: numerator 300, denominator 0``."""
    numbers = [f"{name} {cell[name]:.10g}" for name in ("numerator", "denominator", "value") if pd.notna(cell[name])]
    status = [] if cell["status"] == "observed" else [f"status '{cell['status']}'"]
    name = f"{cell['indicator']} {cell['period']}".strip()
    return f"{name}: {', '.join(numbers + status) or 'empty'}"


def _values(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> pd.Series:
    """Make rates from counts; a value given without counts stays as it is."""
    scale = long["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    kind = long["indicator"].map({name: item.kind for name, item in definitions.items()})
    rate = long["numerator"] / long["denominator"] * scale
    made = long["numerator"].where(kind == "count", rate)
    return made.where(long["numerator"].notna(), long["value"])
