"""Rules of the linter: years that cannot be, rows that stand twice, figures that look copied or off by a factor."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.places.findings import KEYS, Finding, Sheet, each, fault, figure, note, number, row_of, several

__all__ = [
    "codes_of_two_lengths",
    "copied_forward",
    "no_residents_but_a_base",
    "stands_twice",
    "unit_slips",
    "without_rows",
    "years",
]

# 2012, 2012Q1, 2012-03, 2011/12, 2010-2012
_YEAR = re.compile(r"(\d{4})(?:[-\u2013/ ]?[MmQqKkTt]\d{1,2}|[-\u2013/ ](?:\d{1,2}|\d{4}))?")
_SPAN = re.compile(r"\d{4}\D(\d{4})")
_WRITTEN = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")  # a year in running text
_FIRST = 1900
_FEW_YEARS = 3  # fewer say nothing of a habit
_MANY_AREAS = 8  # fewer say nothing of what is usual
_TOLD_APART = 10  # counts below it repeat by chance
_FACTORS = (10, 100, 1000)
_NEAR = 0.05  # of a power of ten, as a logarithm: within 12 %
_STEADY = 0.06  # spread of an area's logarithms over the other years: within about 15 %
_ALIKE = 0.11  # spread of the areas' logarithms in a year: most within about 30 %
_BETWEEN = 0.6  # a factor of four: a group as wide as that has no slips, only extremes
_COUNTED = 50  # a base, or a count, that does not leap by itself


def years(sheet: Sheet) -> Iterator[Finding]:
    """Find periods that cannot be: no year, two digits, before 1900, after the layer's vintage, before `since`.

    A name instead of a year, and a year left out of a series, are notes.
    """
    first = sheet.data.drop_duplicates(["indicator", "period"]).copy()
    first["year"] = first["period"].map(_year)
    digits = first["period"].str.contains(r"\d")
    vintage = max((int(year) for year in _WRITTEN.findall(sheet.layer.vintage)), default=None)
    odd = first[first["year"].isna()].drop_duplicates("period")
    yield from each(
        odd[digits[odd.index]],
        lambda cell: f"'{cell.period}' is no year",
        expected="four digits, such as 2012",
    )
    named = odd[~digits[odd.index]]
    if len(named):
        yield note(f"periods that are no years cannot be put in order: {checks.listed(named['period'])}")
    early = first[first["year"] < _FIRST].drop_duplicates("period")
    yield from each(early, lambda cell: f"the year {cell.period} lies before {_FIRST}")
    if vintage is not None:
        counted = sheet.data["status"].isin(("observed", "suppressed"))
        last = sheet.data[counted].drop_duplicates("period")
        yield from each(
            last[last["period"].map(_year) > vintage],
            lambda cell: f"the year {cell.period} lies after the layer's vintage, {sheet.layer.vintage}",
            hint="correct the year or `vintage`; a forecast has the status estimated",
        )
    yield from _before_since(sheet, first)
    yield from _gaps(sheet)


def _year(period: str) -> float:
    """Return the last year of a period; NaN for what is no year."""
    span = _SPAN.fullmatch(period)
    found = _YEAR.fullmatch(period)
    return float(span[1]) if span else float(found[1]) if found else np.nan


def _before_since(sheet: Sheet, first: pd.DataFrame) -> Iterator[Finding]:
    since = {name: _year(item.since) for name, item in sheet.definitions.items() if item.since is not None}
    begins = first["indicator"].map(since)
    rows = sheet.data["known"].groupby([sheet.data["indicator"], sheet.data["period"]]).any()
    told = first.set_index(["indicator", "period"]).index.map(rows).to_numpy(dtype=bool)
    yield from each(
        first.assign(since=begins)[(first["year"] < begins) & told],
        lambda cell: f"{figure(cell)}: the indicator exists since {cell.since:.0f}",
        hint="correct the year, or `since` in the indicator's definition",
    )


def _gaps(sheet: Sheet) -> Iterator[Finding]:
    """Note years left out of a series, where its years come in equal steps otherwise."""
    found: dict[str, list[str]] = {}
    for name, periods in sheet.data.groupby("indicator")["period"].unique().items():
        own = sorted({int(period) for period in periods if re.fullmatch(r"\d{4}", period)})
        steps = np.diff(own)
        if len(own) < _FEW_YEARS or (steps == steps.min()).sum() * 2 < len(steps):
            continue
        missing = sorted(set(range(own[0], own[-1] + 1, int(steps.min()))) - set(own))
        if missing:
            what = f"the series from {own[0]} to {own[-1]} lacks {', '.join(map(str, missing))}"
            found.setdefault(what, []).append(str(name))
    for what, names in found.items():
        yield note(f"{what}: {checks.listed(names)}")


# ---------------------------------------------------------------- rows


def stands_twice(sheet: Sheet) -> Iterator[Finding]:
    """Find an area, indicator and period that stand twice: with the same figures, or with other ones."""
    again = sheet.data[sheet.data.duplicated(KEYS, keep=False)]
    for _, rows in again.groupby(KEYS, sort=True):
        cell = list(rows.itertuples())[-1]
        values = [number(value) for value in dict.fromkeys(rows["value"].dropna())]
        differ = f"with other values: {' and '.join(values)}" if len(values) > 1 else "with the same value"
        yield fault(
            f"{figure(cell)} stands {len(rows)} times, {differ}",
            row=row_of(cell),
            area=str(cell.area_id),
            expected="one row for each area, indicator and period",
        )


def codes_of_two_lengths(sheet: Sheet) -> Iterator[Finding]:
    """Find area codes of several lengths in one table, where codes are numbers: a zero is lost, or levels are mixed."""
    ids = pd.Series(sheet.data["area_id"].unique(), dtype=object).astype(str)
    if not len(ids) or not ids.str.fullmatch(r"\d+").all():
        return
    lengths = ids.str.len().value_counts()
    if len(lengths) > 1:
        rare = ids[ids.str.len() == lengths.index[-1]]
        told = ", ".join(f"{number(count)} of {length}" for length, count in lengths.sort_index().items())
        yield note(
            f"area codes have several lengths ({told} characters): {checks.listed(sorted(rare))}",
            hint="say `id_width` in the layer's TOML; leading zeros may be lost, or two levels are in one table",
        )


def without_rows(sheet: Sheet) -> Iterator[Finding]:
    """Find indicators that are defined and have no row, or not one known figure."""
    rows = sheet.data.groupby("indicator")["known"].any()
    for name in sheet.definitions:
        if name not in rows.index:
            yield note(f"the indicator '{name}' is defined and has no row")
        elif not rows[name]:
            yield note(f"the indicator '{name}' has rows but not one known figure")


def no_residents_but_a_base(sheet: Sheet) -> Iterator[Finding]:
    """Find figures said to be not applicable though another indicator of the same base counts people there."""
    base = {name: str(item.base.to("en")) for name, item in sheet.definitions.items() if item.base is not None}
    rows = sheet.data.assign(base=sheet.data["indicator"].map(base))
    rows = rows[rows["base"].notna()]
    counted = rows[rows["known"] & (rows["denominator"] > 0)]
    people = counted.groupby(["area_id", "period", "base"])["denominator"].max().rename("people").reset_index()
    empty = rows[rows["status"] == "not_applicable"].merge(people, on=["area_id", "period", "base"])
    text = (
        "{figure}: not applicable in {count} area(s) where another figure of that base counts, such as {people:,.10g}"
    )
    yield from several(empty, text)


# ---------------------------------------------------------------- figures


def copied_forward(sheet: Sheet) -> Iterator[Finding]:
    """Find areas whose figure is the very same in every one of three or more years: copied forward, perhaps."""
    rows = sheet.data[sheet.data["known"]]
    size = rows["denominator"].fillna(rows["numerator"]).fillna(rows["value"].abs())
    rows = rows.assign(told=(size >= _TOLD_APART) & (rows["value"] != 0))
    by = rows.groupby(["indicator", "area_id"])
    found = by.agg(
        values=("value", "nunique"), tops=("numerator", "nunique"), bases=("denominator", "nunique"),
        years=("period", "nunique"), told=("told", "all"), first=("period", "min"), last=("period", "max"),
    )  # fmt: skip
    same = (found[["values", "tops", "bases"]] <= 1).all(axis=1) & (found["years"] >= _FEW_YEARS) & found["told"]
    series = (found["years"] >= _FEW_YEARS).groupby("indicator").sum()
    for name, copied in found[same].reset_index().groupby("indicator"):
        cell = copied.iloc[0]
        yield note(
            f"{name}: the very same figure in every year from {cell['first']} to {cell['last']} in "
            f"{number(len(copied))} of {number(series[name])} areas",
            area=str(cell["area_id"]),
        )


def unit_slips(sheet: Sheet) -> Iterator[Finding]:
    """Find figures ten, a hundred or a thousand times their neighbours': a slip of the unit or of the decimal sign.

    Against the area's own other years where these are steady, else against the other areas where these are alike;
    and whole years against the others.
    """
    rows = sheet.data[sheet.data["known"] & (sheet.data["value"] > 0)]
    enough = rows["denominator"].fillna(rows["numerator"]).fillna(np.inf) >= _COUNTED
    enough &= rows["numerator"].isna() | (rows["numerator"] >= _TOLD_APART)
    rows = rows[enough].assign(log=np.log10(rows["value"][enough]))
    years_off = _years_off(rows)
    for cell in years_off.itertuples():
        yield note(
            f"{cell.indicator} {cell.period}: the median of all areas is {number(round(10.0**cell.log, 3))}, about "
            f"{_factor(cell.off)} in the other years"
        )
    keys = pd.MultiIndex.from_frame(years_off[["indicator", "period"]])
    rows = rows[~pd.MultiIndex.from_frame(rows[["indicator", "period"]]).isin(keys)]
    own = _apart(rows, ["indicator", "area_id"], _FEW_YEARS, _STEADY)
    others = _apart(rows, ["indicator", "period"], _MANY_AREAS, _ALIKE)
    for off, whose in ((own, "in its other years"), (others.where(own.isna()), "in the other areas")):
        for cell in rows.assign(off=off)[off.notna()].itertuples():
            yield note(
                f"{figure(cell)}: {number(cell.value)} is about {_factor(cell.off)} {whose}",
                row=row_of(cell),
                area=str(cell.area_id),
                hint="look at the unit and the decimal sign",
            )


def _years_off(rows: pd.DataFrame) -> pd.DataFrame:
    medians = rows.groupby(["indicator", "period"])["log"].median().reset_index()
    medians["off"] = _apart(medians, ["indicator"], _FEW_YEARS, _STEADY)
    return medians[medians["off"].notna()]


def _apart(rows: pd.DataFrame, by: list[str], least: int, spread: float) -> pd.Series:
    """Return by which power of ten a figure lies off its group's median, where the group is steady; else NaN.

    A slip stands alone: where other figures lie between it and the group, the group is merely wide.
    """
    groups = rows.groupby(by)["log"]
    off = rows["log"] - groups.transform("median")
    keys = [rows[name] for name in by]
    usual = off.abs().groupby(keys).transform("median")
    power = off.round()
    slip = (power.abs() >= 1) & (power.abs() <= len(_FACTORS)) & ((off - power).abs() <= _NEAR + spread)
    slip &= (usual <= spread) & (groups.transform("size") >= least)
    widest = off.abs().where(~slip, 0.0).groupby(keys).transform("max")
    return power.where(slip & (widest <= _BETWEEN))


def _factor(power: float) -> str:
    times = 10 ** abs(int(power))
    return f"{times:,} times the median" if power > 0 else f"1/{times:,} of the median"
