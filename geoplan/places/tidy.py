"""Reading indicator tables: long or wide, as files write them, into tidy ones that can be true.

Every fault of a table is collected before anything is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.places.areas import codes
from geoplan.places.indicators import COLUMNS, KNOWN, MISSING, STATUSES, IndicatorTable, unit_scale
from geoplan.specs import IndicatorsLayer, IndicatorSpec

__all__ = ["as_indicators", "total_rows"]

_GROUPED = r"^(-?\d{1,3}(?:[ \u00a0\u202f]\d{3})+)((?:[.,]\d+)?)$"
_POINTED = r"-?\d{1,3}(?:\.\d{3})+"  # 1.234 in a file with decimal commas: a thousand in Danish, or a slip
_FAULTS_PER_COLUMN = 3


def as_indicators(frame: pd.DataFrame, layer: IndicatorsLayer) -> IndicatorTable:
    """Turn a table as read from a file into a tidy table with its definitions.

    Parameters
    ----------
    frame
        Text or numbers, long or wide as ``layer.shape`` says; the index is the row number used in faults.
    layer
        The dataset's entry in the catalogue.

    Raises
    ------
    InputError
        With all faults at once: absent columns, codes missing or shortened, rows that occur twice, text in a number
        column, an unknown status, a value without a status, a base of 0 or smaller than its part.

    Examples
    --------
    >>> from geoplan.specs import parse_layer
    >>> layer = parse_layer({
    ...     "kind": "indicators", "title": "Figures", "path": "f.csv", "source": "city", "licence": "CC0",
    ...     "vintage": "2012", "level": "stadsdel", "shape": "wide", "period": 2012, "id_column": "code",
    ...     "indicators": [{"id": "poor", "label": "Poor", "kind": "share", "unit": "pct",
    ...                     "direction": "higher_is_worse", "numerator": "poor", "denominator": "all"}]})
    >>> frame = pd.DataFrame({"code": ["01"], "poor": ["30"], "all": ["200"]}, index=[2])
    >>> as_indicators(frame, layer).data.iloc[0].to_dict()["value"]
    15.0
    """
    definitions = {item.id: item for item in layer.indicators}
    frame = frame[~total_rows(frame, layer)]
    long = _from_tidy(frame, layer) if layer.shape == "tidy" else _from_wide(frame, layer)
    with_faults = Faults()
    counts = long["indicator"].map({name: item.kind for name, item in definitions.items()}) == "count"
    long["numerator"] = long["numerator"].where(~counts | long["numerator"].notna(), long["value"])
    _check_values(long, definitions, with_faults)
    with_faults.raise_any()
    long["value"] = _values(long, definitions)
    long = long.sort_values(["area_id", "indicator", "period"], ignore_index=True)
    return IndicatorTable(data=long[COLUMNS], definitions=definitions)


def total_rows(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.Series:
    """Tell which rows of a table as read state totals (``layer.total_row``) and are no areas."""
    if layer.total_row is None or layer.id_column not in frame:
        return pd.Series(False, index=frame.index)  # noqa: FBT003  pandas' own signature
    ids = frame[layer.id_column].astype(str).str.strip()
    width = layer.id_width if layer.id_pad and layer.id_width else 0
    return ids.isin(_columns(layer.total_row)) | ids.str.zfill(width).isin(_columns(layer.total_row))


def _from_tidy(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    faults = Faults()
    present = list(frame.columns)
    for name, key in ((layer.id_column, "id_column"), ("indicator", None), ("period", None)):
        for error in checks.absent_columns({name} - set(present), present, key=key):
            faults.add(error)
    if not {"numerator", "value"} & set(present):
        what = "there is neither a column 'numerator' nor a column 'value' in the data"
        hint = 'a table with a column for each indicator needs `shape = "wide"` in the layer\'s TOML'
        faults.add(TableError(Fault(what=what, hint=hint)))
    faults.raise_any()

    long = pd.DataFrame(index=frame.index)
    with faults.catch():
        long["area_id"] = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
    for name in ("indicator", "period"):
        long[name] = frame[name].fillna("").astype(str).str.strip()
    for name in ("numerator", "denominator", "value"):
        cells = frame[name] if name in frame else pd.Series("", index=frame.index)
        long[name], long[f"{name}_code"] = _numbers(cells, name, layer, faults, counts=name != "value")
    stated = pd.Series("", index=frame.index)
    if "status" in frame:
        stated = frame["status"].fillna("").astype(str).str.strip()
    codes_found = long[["numerator_code", "value_code", "denominator_code"]].replace("", np.nan)
    long["status"] = stated.where(stated != "", codes_found.bfill(axis=1).iloc[:, 0].fillna("observed"))
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
        for key in ("numerator", "denominator", "value"):
            absent = [name for name in _columns(getattr(item, key)) if name not in frame]
            for error in checks.absent_columns(absent, present, key=f"indicators.{number}.{key}"):
                faults.add(error)
    faults.raise_any()

    ids = pd.Series("", index=frame.index)
    with faults.catch():
        ids = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
        if ids.duplicated().any():
            repeated = ids[ids.duplicated()]
            raise checks.duplicate_ids(sorted(set(repeated)), layer.id_column, row=int(repeated.index[0]))
    parsed: dict[str, tuple[pd.Series, pd.Series]] = {}
    for item in layer.indicators:
        counted = (*_columns(item.numerator), *_columns(item.denominator))
        for name in (*counted, *_columns(item.value)):
            if name not in parsed:
                parsed[name] = _numbers(frame[name], name, layer, faults, counts=name in counted)
    faults.raise_any()
    parts = [_wide_part(item, ids, layer, parsed) for item in layer.indicators]
    return pd.concat(parts)


def _wide_part(
    item: IndicatorSpec,
    ids: pd.Series,
    layer: IndicatorsLayer,
    parsed: Mapping[str, tuple[pd.Series, pd.Series]],
) -> pd.DataFrame:
    part = pd.DataFrame({"area_id": ids, "indicator": item.id, "period": layer.period}, index=ids.index)
    status = pd.Series("", index=ids.index, dtype=object)
    for role in ("numerator", "denominator", "value"):
        names = _columns(getattr(item, role))
        total = pd.Series(np.nan, index=ids.index)
        if names:
            total = sum((parsed[name][0] for name in names[1:]), start=parsed[names[0]][0])
        part[role] = total
        for name in names:
            status = status.where(status != "", parsed[name][1])
    part["status"] = status.replace("", "observed")
    part["column"] = "/".join((*_columns(item.numerator), *_columns(item.value), *_columns(item.denominator)))
    if layer.empty_base == "not_applicable" and item.denominator is not None:
        nobody = part["denominator"] == 0
        part.loc[nobody, ["numerator", "denominator", "value"]] = np.nan
        part.loc[nobody, "status"] = "not_applicable"
    return part


def _columns(names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _numbers(
    cells: pd.Series, column: str, layer: IndicatorsLayer, faults: Faults, *, counts: bool
) -> tuple[pd.Series, pd.Series]:
    """Read numbers: their values, and the status of those that are a code for a missing value."""
    typed = pd.api.types.is_numeric_dtype(cells)
    if typed:
        cells = cells.map(lambda number: "" if pd.isna(number) else f"{number:.17g}")
    text = cells.fillna("").astype(str).str.strip()
    code = text.map(lambda cell: layer.missing_codes.get(cell, "")).astype(object)
    plain = text.where(code == "", "").str.replace("\u2212", "-", regex=False)  # a true minus sign
    doubtful = pd.Series(False, index=cells.index)  # noqa: FBT003  pandas' own signature
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
    for row, shown in text[wrong].head(_FAULTS_PER_COLUMN).items():
        hint = None
        if doubtful[row] and layer.decimal == ".":
            hint = "the point seems to part thousands; write 1234 or 1 234, or decimals with another number of places"
        elif doubtful[row]:
            hint = 'with `decimal = ","` the point may part thousands or decimals; write 1234, 1 234 or 1,234'
        elif layer.decimal == "." and "," in shown:
            hint = 'if the comma is the decimal sign, write `decimal = ","` in the layer\'s TOML'
        faults.add(checks.bad_number(shown, row=int(row), column=column, hint=hint))
    rest = int(wrong.sum()) - _FAULTS_PER_COLUMN
    if rest > 0:
        faults.add(TableError(Fault(what=f"{rest} more values are not numbers", column=column)))
    return values, code


_THOUSANDS = r"-?[1-9]\d{0,2}(\.\d{3})+"
_NO_SPACE = {ord(sign): None for sign in " \u00a0\u202f"}


# ---------------------------------------------------------------- checking


_Rule = tuple[str | None, pd.Series, str, str, str | None]
"""The column at fault, the rows, what is wrong, what was expected, and a hint."""


def _check_values(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], faults: Faults) -> None:
    """Collect everything that cannot be true of the table."""
    kind = long["indicator"].map({name: item.kind for name, item in definitions.items()})
    known = long["status"].isin(KNOWN)
    scale = long["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    for rules in (_cell_rules(long, known), _count_rules(long, known, kind), _rate_rules(long, known, kind, scale)):
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
    rounded = np.minimum(0.5, 0.005 * scale) + 0.005 * made.abs()  # a rate published in whole per cent is not another
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
            known & (kind != "count") & (base > 0) & ((value - made).abs() > rounded),
            "the rate does not follow from its counts",
            "numerator / denominator in the indicator's unit, or no value",
            "geoplan makes rates from counts; leave the column of values out if it is another figure",
        ),
    ]


def _add_rows(rows: pd.DataFrame, fault: Fault, faults: Faults) -> None:
    """Add a fault for each of the first rows; a wide table names its own columns."""
    for row, cell in rows.head(_FAULTS_PER_COLUMN).iterrows():
        located = replace(
            fault,
            what=f"{fault.what} ({_figure(cell)})",
            row=int(row),
            column=cell.get("column", fault.column),
            area=str(cell["area_id"]),
        )
        faults.add(TableError(located))
    rest = len(rows) - _FAULTS_PER_COLUMN
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
