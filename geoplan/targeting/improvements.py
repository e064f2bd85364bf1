"""What a grant by performance pays for: changes between two years in the direction that counts, exactly.

Levels are made anew from counts, as fractions: a change is then the same in per cent and in per mille, and two areas
with the same counts have the same change. A figure that is not there is no change of zero: it has a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import KNOWN, IndicatorTable, unit_scale
from geoplan.specs import IndicatorSpec
from geoplan.specs.grants import PerformanceGrantSpec
from geoplan.targeting.amounts import exact
from geoplan.targeting.measures import repeated_figures

__all__ = ["Figure", "Improvements", "area_codes", "data_periods", "improvements_of"]


def data_periods(payment_year: int, lag: int) -> tuple[str, str]:
    """Return the earlier and the later year of the data that a payment stands on.

    Examples
    --------
    >>> data_periods(2014, 2)
    ('2011', '2012')
    """
    return str(payment_year - lag - 1), str(payment_year - lag)


@dataclass(frozen=True)
class Figure:
    """One figure: its level in the indicator's unit and its base, or why there is none."""

    level: Fraction | None
    base: Fraction | None = None
    why: str = ""


@dataclass(frozen=True)
class Improvements:
    """The changes of all areas, and what they count.

    Attributes
    ----------
    area_ids
        In order of the codes.
    periods
        The earlier and the later year.
    figures
        ``(indicator, area)`` → the figures of the two years.
    changes
        ``(indicator, area)`` → the change as measured, better is above zero; None where a figure is missing.
    reasons
        ``(indicator, area)`` → why there is no change.
    factors
        Area → factor of the context on its improvements.
    """

    area_ids: tuple[str, ...]
    periods: tuple[str, str]
    figures: Mapping[tuple[str, str], tuple[Figure, Figure]]
    changes: Mapping[tuple[str, str], Fraction | None]
    reasons: Mapping[tuple[str, str], str]
    factors: Mapping[str, Fraction]

    def weight(self, indicator: str, area_id: str) -> Fraction:
        """Return what an area's improvement counts; nothing for a change for the worse or none that is known."""
        change = self.changes[indicator, area_id]
        return Fraction(0) if change is None else max(change, Fraction(0)) * self.factors[area_id]


def area_codes(table: IndicatorTable, area_ids: Iterable[str] | None) -> tuple[str, ...]:
    """Return the areas that are paid, in order of their codes.

    Raises
    ------
    IdError
        When a code occurs more than once, or is not in the table.
    SpecError
        When there are none.
    """
    known = sorted(table.data["area_id"].unique())
    given = known if area_ids is None else [str(code) for code in area_ids]
    if not given:
        raise SpecError(Fault(what="there are no areas", key="area_ids", expected="at least one"))
    faults = Faults()
    twice = sorted({code for code in given if given.count(code) > 1}) if len(set(given)) < len(given) else []
    if twice:
        faults.add(checks.duplicate_ids(twice, "area_id"))
    unknown = sorted(set(given) - set(known))
    if unknown:
        faults.add(checks.ids_not_among(unknown, known))
    faults.raise_any()
    return tuple(sorted(given))


def improvements_of(
    table: IndicatorTable,
    spec: PerformanceGrantSpec,
    *,
    payment_year: int,
    area_ids: Iterable[str] | None = None,
) -> Improvements:
    """Work out the changes that a payment stands on.

    Raises
    ------
    SpecError
        When an indicator is unknown or neutral, or the table does not reach a year that the payment needs.
    TableError
        When a figure occurs more than once, or an area has no figure of the context.
    IdError
        When an area is not in the table.
    """
    periods = data_periods(payment_year, spec.lag)
    faults = Faults()
    ids: tuple[str, ...] = ()
    with faults.catch():
        ids = area_codes(table, area_ids)
    names = [item.indicator for item in spec.indicators]
    _check_indicators(table, spec, faults)
    _check_periods(table, periods, spec.lag, faults)
    rows = table.data[table.data["period"].isin(periods) & table.data["area_id"].isin(ids)]
    for fault in repeated_figures(rows):
        faults.add(fault)
    faults.raise_any()

    factors = _factors(rows, spec, ids, periods[1])
    read = {
        (row["indicator"], row["area_id"], row["period"]): _figure(row, table.definitions[row["indicator"]])
        for row in rows[rows["indicator"].isin(names)].to_dict("records")
    }
    figures: dict[tuple[str, str], tuple[Figure, Figure]] = {}
    changes: dict[tuple[str, str], Fraction | None] = {}
    reasons: dict[tuple[str, str], str] = {}
    for name in names:
        item = table.definitions[name]
        for area in ids:
            first, last = (
                read.get((name, area, year), Figure(None, why=f"not in the table in {year}")) for year in periods
            )
            figures[name, area] = first, last
            change, why = change_of(first, last, item, spec.measure, int(periods[1]))
            changes[name, area] = change
            if change is None:
                reasons[name, area] = why
    return Improvements(ids, periods, figures, changes, reasons, factors)


def _check_indicators(table: IndicatorTable, spec: PerformanceGrantSpec, faults: Faults) -> None:
    for number, item in enumerate(spec.indicators):
        key = f"indicators[{number}].indicator"
        if item.indicator not in table.definitions:
            faults.add(checks.unknown_name("indicator", item.indicator, table.definitions, key=key))
        elif table.definitions[item.indicator].direction == "neutral":
            fault = Fault(
                what=f"'{item.indicator}' is neutral: no change of it is an improvement",
                key=key,
                expected="an indicator whose direction is higher_is_worse or higher_is_better",
            )
            faults.add(SpecError(fault))
    if spec.context is not None and spec.context.indicator not in table.definitions:
        faults.add(checks.unknown_name("indicator", spec.context.indicator, table.definitions, key="context.indicator"))


def _check_periods(table: IndicatorTable, periods: tuple[str, str], lag: int, faults: Faults) -> None:
    there = table.periods()
    for period in periods:
        if period not in there:
            fault = Fault(
                what=f"the table has no figures of {period}",
                key="payment_year",
                expected=f"figures of {periods[0]} and {periods[1]}; there are those of {checks.listed(there)}",
                hint=f"the payment lags the later year of the data by {lag} (`lag`)",
            )
            faults.add(SpecError(fault))


def _figure(row: Mapping[str, object], item: IndicatorSpec) -> Figure:
    """Read one row: the level from its counts where it has them."""
    if row["status"] not in KNOWN:
        return Figure(None, why=f"{row['status']} in {row['period']}")
    cases, base, value = (exact(row[name]) for name in ("numerator", "denominator", "value"))
    if item.kind == "count":
        return Figure(value if cases is None else cases)
    if cases is not None and base:
        return Figure(cases / base * int(unit_scale(item.unit)), base)
    if value is None:
        return Figure(None, why=f"no figure in {row['period']}")
    return Figure(value, base)


def change_of(first: Figure, last: Figure, item: IndicatorSpec, measure: str, year: int) -> tuple[Fraction | None, str]:
    """Return the change as measured, better above zero; or None, and why."""
    if year in item.breaks:
        return None, f"the series has a break in {year}"
    if first.level is None or last.level is None:
        return None, "; ".join(figure.why for figure in (first, last) if figure.level is None)
    change = (last.level - first.level) * (1 if item.direction == "higher_is_better" else -1)
    if measure == "relative":
        known = (change / abs(first.level), "") if first.level else None
        return known or (None, f"0 in {year - 1}: no relative change")
    if measure == "persons" and item.kind != "count":
        in_persons = None if first.base is None else change * first.base / int(unit_scale(item.unit))
        return in_persons, f"no base in {year - 1}" if in_persons is None else ""
    return change, ""


def _factors(rows: pd.DataFrame, spec: PerformanceGrantSpec, ids: tuple[str, ...], period: str) -> dict[str, Fraction]:
    """Return each area's factor of the context: 1 + k·r/(mean of r)."""
    if spec.context is None:
        return dict.fromkeys(ids, Fraction(1))
    name = spec.context.indicator
    found = rows[(rows["indicator"] == name) & (rows["period"] == period) & rows["status"].isin(KNOWN)]
    held = {area: exact(value) for area, value in zip(found["area_id"], found["value"], strict=True) if isfinite(value)}
    faults = Faults()
    absent = [area for area in ids if held.get(area) is None]
    if absent:
        fault = Fault(
            what=f"{len(absent)} area(s) have no figure of the context '{name}' in {period}: {checks.listed(absent)}",
            key="context.indicator",
            expected="one for every area that is paid: the others' factors stand on the mean of all",
        )
        faults.add(TableError(fault))
    read = {area: held.get(area) or Fraction(0) for area in ids}
    for area, value in read.items():
        if value < 0:
            what = f"the context '{name}' is {float(value):g} in {period}"
            faults.add(TableError(Fault(what=what, area=area, expected="a figure that is not negative")))
    faults.raise_any()
    total = sum(read.values(), Fraction(0))
    strength = exact(spec.context.strength) or Fraction(0)
    if not total:
        return dict.fromkeys(ids, Fraction(1))
    return {area: 1 + strength * value * len(ids) / total for area, value in read.items()}
