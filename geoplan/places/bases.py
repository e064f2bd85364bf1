"""Rules of the linter: populations that figures stand on, by table and by year, and what an index can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from geoplan import checks
from geoplan.places.findings import Finding, Sheet, fault, note, number
from geoplan.places.indicators import KNOWN, IndicatorTable
from geoplan.specs import IndexSpec, IndicatorSpec

__all__ = ["bases_differ", "bases_jump", "defined_otherwise", "sees_too_little"]

_JUMP, _PEOPLE = 0.30, 50
_NARROW = {"work", "school", "income"}
_UNSEEN = ("safety", "health", "housing")


def bases_jump(sheet: Sheet) -> Iterator[Finding]:
    """Find bases that change by more than 30 % and 50 persons from one year to the next, breaks of series aside."""
    rows = sheet.data[sheet.data["known"] & sheet.data["denominator"].notna()]
    rows = rows[rows["period"].str.fullmatch(r"\d{4}")].sort_values(["indicator", "area_id", "period"])
    rows = rows.assign(year=rows["period"].astype(int))
    before = rows.groupby(["indicator", "area_id"])[["denominator", "year"]].shift()
    change = rows["denominator"] - before["denominator"]
    large = change.abs() > _JUMP * before["denominator"]
    jump = rows.assign(change=change, before=before["denominator"])[
        large & (change.abs() > _PEOPLE) & (rows["year"] == before["year"] + 1)
    ]
    breaks = {(name, year) for name, item in sheet.definitions.items() for year in item.breaks}
    broken = pd.MultiIndex.from_frame(jump[["indicator", "year"]]).isin(list(breaks)) if breaks else False
    jump = jump[~pd.Series(broken, index=jump.index)]
    for name, own in jump.groupby("indicator"):
        most = own.loc[own["change"].abs().idxmax()]
        yield note(
            f"{name}: the base changes by more than 30 % and 50 persons from one year to the next in "
            f"{number(len(own))} case(s); most in {most['period']}, from {number(most['before'])} to "
            f"{number(most['denominator'])}",
            area=str(most["area_id"]),
        )


def bases_differ(tables: Mapping[str, IndicatorTable]) -> Iterator[Finding]:
    """Find indicators that state the same base (`base`, `ages`) and have other denominators for an area and year."""
    for (words, _), members in _same_base(tables).items():
        rows = pd.concat([_denominators(tables[table], name, table) for table, name in members])
        by = rows.groupby(["area_id", "period"])["denominator"]
        extent = by.agg(["min", "max"]).assign(gap=lambda own: own["max"] - own["min"])
        off = extent[extent["gap"] > 0]
        if off.empty:
            continue
        area, period = off["gap"].idxmax()
        most = rows[(rows["area_id"] == area) & (rows["period"] == period)].sort_values("denominator")
        low, high = most.iloc[0], most.iloc[-1]
        told = [name if low["table"] == high["table"] else f"{name} ({table})" for table, name in members]
        yield note(
            f"the base '{words}' is not the same in {checks.listed(dict.fromkeys(told))}: "
            f"{number(len(off))} of {number(len(extent))} cases differ; most in {period}, where {low['indicator']} "
            f"has {number(low['denominator'])} and {high['indicator']} {number(high['denominator'])}",
            area=str(area),
        )


def _same_base(tables: Mapping[str, IndicatorTable]) -> dict[tuple[str, object], list[tuple[str, str]]]:
    """Group indicators, as pairs of table and id, by the base that they state; those alone with theirs are left out."""
    found: dict[tuple[str, object], list[tuple[str, str]]] = {}
    for table, content in tables.items():
        for name, item in content.definitions.items():
            # Pooled years are another base by intent, whatever its words.
            if item.base is not None and item.mean_years == 1:
                found.setdefault((item.base.to("en"), item.ages), []).append((table, name))
    return {key: members for key, members in found.items() if len(members) > 1}


def _denominators(table: IndicatorTable, name: str, title: str) -> pd.DataFrame:
    rows = table.data[(table.data["indicator"] == name) & table.data["status"].isin(KNOWN)]
    people = "numerator" if table.definitions[name].kind == "count" else "denominator"
    rows = rows.assign(denominator=rows[people])[rows[people].notna()]
    return rows[["area_id", "indicator", "period", "denominator"]].assign(table=title)


def defined_otherwise(tables: Mapping[str, IndicatorTable]) -> Iterator[Finding]:
    """Find an indicator id that two layers define for other ages, or (a note) with another base in words."""
    first: dict[str, tuple[str, IndicatorSpec]] = {}
    for table, content in tables.items():
        for name, item in content.definitions.items():
            if name not in first:
                first[name] = (table, item)
                continue
            title, other = first[name]
            if item.ages != other.ages:
                yield fault(
                    f"the indicator '{name}' is of {_ages(other)} in {title} and of {_ages(item)} in {table}",
                    expected="one definition for each id",
                    hint="give one of them another id",
                )
            elif item.base and other.base and item.base.to("en") != other.base.to("en"):
                yield note(
                    f"the indicator '{name}' stands on '{other.base.to('en')}' in {title} and on "
                    f"'{item.base.to('en')}' in {table}"
                )


def _ages(item: IndicatorSpec) -> str:
    return f"ages {item.ages[0]}-{item.ages[1]}" if item.ages else "all ages"


def sees_too_little(index: IndexSpec, definitions: Mapping[str, IndicatorSpec]) -> Iterator[Finding]:
    """Find an index made of work, school and income alone (`subject`): it cannot see safety, health or housing."""
    used = [definitions[name] for name in index.indicators if name in definitions]
    silent = [item.id for item in used if item.subject is None]
    subjects = {item.subject for item in used if item.subject is not None}
    if subjects - _NARROW or not used:
        return
    if silent:
        yield note(
            f"{len(silent)} of {len(used)} indicators of the index do not say what they are about, so nobody can tell "
            f"whether it sees more than work, school and income: {checks.listed(silent)}",
            hint="give each a `subject`",
        )
        return
    about = [subject for subject in ("work", "school", "income") if subject in subjects]
    said = " and ".join([", ".join(about[:-1]), about[-1]] if len(about) > 1 else about)
    unseen = f"{', '.join(_UNSEEN[:-1])} or {_UNSEEN[-1]}"
    yield note(
        f"the index stands on {said} only: it cannot see {unseen}",
        hint="add a domain on what residents live with, or say in the note that it is missing",
    )
