"""Values in the unit of their indicator, and the fault of a file that is in another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, TableError
from geoplan.places.indicators import KNOWN, unit_scale
from geoplan.specs import IndicatorSpec
from geoplan.specs.units import unit_factor, units_like

__all__ = ["add_unit_faults", "in_own_unit", "rounding_of"]

_MOST = 0.9  # of the rows with counts must agree before another unit is suggested
_SHOWN = 3


def rounding_of(made: pd.Series, scale: pd.Series | float) -> pd.Series:
    """Return how far a published rate may lie from its counts: a rate in whole per cent is not another one."""
    return np.minimum(0.5, 0.005 * scale) + 0.005 * made.abs()


def _published(item: IndicatorSpec) -> str:
    return item.published_unit or item.unit


def in_own_unit(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> pd.DataFrame:
    """Turn values, and the sums of counts and means, from the unit of the file into that of the indicator.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``converted`` (bool).
    """
    factors = {name: unit_factor(_published(item), item.unit) or 1.0 for name, item in definitions.items()}
    factor = long["indicator"].map(factors).astype(float).fillna(1.0)
    sums = long["indicator"].isin([name for name, item in definitions.items() if item.kind in {"count", "mean"}])
    # Divided where the factor is a fraction: 254000 / 1000 is 254, and 254000 * 0.001 need not be.
    value, numerator = (
        (long[name] * factor).where(factor >= 1, long[name] / (1 / factor).round()) for name in ("value", "numerator")
    )
    touched = (factor != 1) & (long["value"].notna() | (sums & long["numerator"].notna()))
    return long.assign(value=value, numerator=numerator.where(sums, long["numerator"]), converted=touched)


def add_unit_faults(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], faults: Faults) -> set[str]:
    """Find indicators whose values are in another unit than said, by their counts or by what is plausible.

    Returns
    -------
    set of str
        Indicators that are at fault as a whole; single rows of theirs need not be told.
    """
    misread = set()
    for name, rows in long[long["status"].isin(KNOWN)].groupby("indicator", sort=True):
        item = definitions.get(str(name))
        if item is None:
            continue
        fault = _by_counts(rows, item) or _by_plausibility(rows, item, faults)
        if fault is not None:
            misread.add(item.id)
            faults.add(TableError(fault))
    return misread


def _others(item: IndicatorSpec) -> list[tuple[str, float]]:
    """Return the other units that the file may be in, and what its values, as read, would be multiplied by then."""
    used = unit_factor(_published(item), item.unit) or 1.0
    candidates = [unit for unit in (item.unit, *units_like(item.unit)) if unit != _published(item)]
    found = [(unit, (unit_factor(unit, item.unit) or used) / used) for unit in candidates]
    return [(unit, ratio) for unit, ratio in found if ratio != 1]


def _advice(unit: str, item: IndicatorSpec) -> str:
    if unit == item.unit:
        return "leave `published_unit` out of its [[indicators]] block"
    return f'write `published_unit = "{unit}"` in its [[indicators]] block'


def _by_counts(rows: pd.DataFrame, item: IndicatorSpec) -> Fault | None:
    """Compare rates that stand beside their counts: 0.15 beside 15 of 100 is a share of 1, not per cent."""
    both = rows[rows["value"].notna() & rows["numerator"].notna() & (rows["denominator"] > 0)]
    if item.kind == "count" or both.empty:
        return None
    scale = unit_scale(item.unit)
    made = both["numerator"] / both["denominator"] * scale
    fits = (both["value"] - made).abs() <= rounding_of(made, scale)
    # Small rates agree in any unit within their rounding; whether the figures fit is seen at the others.
    if fits.all():
        return None
    for unit, ratio in _others(item):
        read_so = (both["value"] * ratio - made).abs() <= rounding_of(made, scale)
        if read_so.mean() >= _MOST and read_so.sum() > fits.sum():
            row = both[~fits].iloc[0]
            value = row["value"] / (unit_factor(_published(item), item.unit) or 1.0)
            return Fault(
                what=f"the values of '{item.id}' are in {unit}, not in {_published(item)}: {_told(value)} stands "
                f"beside {_told(row['numerator'])} of {_told(row['denominator'])}",
                row=int(both[~fits].index[0]),
                column=row.get("column", "value"),
                area=str(row["area_id"]),
                hint=_advice(unit, item),
            )
    return None


def _by_plausibility(rows: pd.DataFrame, item: IndicatorSpec, faults: Faults) -> Fault | None:
    """Find values outside ``plausible``; with a median outside, another unit may explain them all."""
    if item.plausible is None:
        return None
    low, high = item.plausible
    made = (
        rows["numerator"] if item.kind == "count" else rows["numerator"] / rows["denominator"] * unit_scale(item.unit)
    )
    value = made.where(rows["numerator"].notna(), rows["value"])
    outside = ~value.between(low, high) & np.isfinite(value)
    if not outside.any():
        return None
    expected = f"between {_told(low)} and {_told(high)} {item.unit}, as `plausible` says"
    convertible = item.kind in {"count", "mean"} or bool(rows["numerator"].isna().all())
    median = float(value[np.isfinite(value)].median())
    published = _published(item)
    shown = _told(median / (unit_factor(published, item.unit) or 1.0))
    for unit, ratio in _others(item) if convertible and not low <= median <= high else ():
        if low <= median * ratio <= high:
            what = f"the values of '{item.id}' cannot be in {published}: their median is {shown}"
            hint = f"a median of {shown} fits {unit}, not {published}: {_advice(unit, item)}"
            return Fault(what=what, expected=expected, hint=hint)
    for (row, cell), number in zip(rows[outside].head(_SHOWN).iterrows(), value[outside], strict=False):
        what = f"the value is not plausible ({item.id} {cell['period']}: {_told(number)})"
        column, area = cell.get("column", "value"), str(cell["area_id"])
        faults.add(TableError(Fault(what=what, row=int(row), column=column, area=area, expected=expected)))
    rest = int(outside.sum()) - _SHOWN
    if rest > 0:
        faults.add(TableError(Fault(what=f"the value is not plausible, in {rest} more rows of '{item.id}'")))
    return None


def _told(number: float) -> str:
    return f"{number:,.10g}".replace(",", " ")
