"""What a rule says, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pandas as pd

from geoplan.errors import listed
from geoplan.specs import CriterionSpec, RuleSpec

if TYPE_CHECKING:
    from geoplan.targeting.rules import Selection

__all__ = [
    "area_lines",
    "change_text",
    "criterion_text",
    "difference_lines",
    "rule_lines",
    "selection_lines",
    "tip_text",
]

_SIGNS = {"above": "above", "at_least": "at least", "below": "below", "at_most": "at most"}
_WHY = {
    "criteria": "too few criteria are met",
    "small_population": "it has too few residents",
    "not_listed": "it does not lie in a listed area",
    "areas": "too few areas beside it qualify",
    "years": "the conditions have not held for long enough",
    "status": "it lacks a status that this one takes",
    "unknown": "figures are missing",
}


def number(value: float, digits: int = 4) -> str:
    """Return a number for a sentence: four digits, thousands apart."""
    if math.isnan(value):
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 10**digits or float(value).is_integer() else f"{value:,.{digits}g}"


def criterion_text(item: CriterionSpec) -> str:
    """Return the test of a criterion in words.

    Examples
    --------
    >>> criterion_text(CriterionSpec(id="work", label="In work", indicator="work", compare="below", limit=52))
    'work below 52'
    """
    figure = item.indicator or (f"index {item.index}" if item.index else "share")
    if item.numerators:
        figure = f"100 * ({' + '.join(item.numerators)}) / ({' + '.join(item.denominators)})"
    if item.classes:
        return f"{figure} {' or '.join(str(number) for number in item.classes)}"
    if item.ranked:
        many = f"{item.top}" if item.top else f"{100 * float(item.top_share or 0):g} %"
        return f"{figure} among the {many} {item.first}" + (f" of its {item.inside}" if item.inside else "")
    sign = _SIGNS[str(item.compare)]
    limit = f"{item.limit:g}" if item.limit is not None else "a published limit"
    if item.factor is not None:
        limit = f"{item.factor:g} × {item.of}" + ("" if item.includes_area else " without the area")
    years = f", mean of {item.mean_years} years" if item.mean_years > 1 else ""
    rounded = f", rounded to {item.decimals} decimals" if item.decimals is not None else ""
    return f"{figure} {sign} {limit}{years}{rounded}"


def change_text(margin: float, unit: str, total: float = math.nan) -> str:
    """Say what would take a figure to the other side.

    Examples
    --------
    >>> change_text(12.0, "cases"), change_text(-1.0, "persons"), change_text(4200.0, "kr", 8_400_000.0)
    ('12 more', '1 fewer resident', '4,200 kr a head more, 8,400,000 kr in all')
    >>> change_text(0.0, "points")
    'the least step past the limit'
    """
    if math.isnan(margin):
        return ""
    size = abs(margin)
    if size == 0:
        return "the least step past the limit"
    if unit in {"cases", "persons"}:
        people = " residents" if unit == "persons" and size != 1 else " resident" if unit == "persons" else ""
        return f"{size:,.0f} {'more' if margin > 0 else 'fewer'}{people}"
    more = "more" if margin > 0 else "less"
    if unit == "kr":
        whole = "" if math.isnan(total) else f", {abs(total):,.0f} kr in all"
        return f"{size:,.0f} kr a head {more}{whole}"
    return f"{number(size, 3)} {unit} {more}"


def rule_lines(rule: RuleSpec, language: str = "en") -> list[str]:
    """Return a rule book as lines of text: what it is, its criteria, its statuses.

    Examples
    --------
    >>> from geoplan.specs import rule_book
    >>> rule_lines(rule_book("se_2012"))[0]
    'Swedish urban development work, districts of 2012'
    """
    until = rule.until or "now"
    said = [rule.title.to(language), f"law: {rule.law}", f"authority: {rule.authority}"]
    said += [f"in force: {rule.since or 'no date'} to {until}", f"source: {rule.source}"]
    if rule.note:
        said.append(f"note: {rule.note.to(language)}")
    if rule.preset:
        said.append(f"index: made by the preset {rule.preset}")
    if rule.listed:
        said.append(f"only in listed areas of level {rule.listed}")
    said += [f"criterion {item.id}: {item.label.to(language)} ({criterion_text(item)})" for item in rule.criteria]
    said += [_status_text(rule, name.id, language) for name in rule.statuses]
    return said


def _status_text(rule: RuleSpec, name: str, language: str) -> str:
    status = rule.status(name)
    parts = []
    if status.criteria:
        many = status.least or len(status.criteria)
        parts.append(f"{many} of {len(status.criteria)}: {', '.join(status.criteria)}")
    parts += [f"requires {', '.join(status.required)}"] if status.required else []
    parts += [f"has {', '.join(status.based_on)}"] if status.based_on else []
    parts += [f"has one of {', '.join(status.any_of)}"] if status.any_of else []
    parts += [f"has not {', '.join(status.without)}"] if status.without else []
    parts += [f"at least {status.minimum_population:,} residents"] if status.minimum_population else []
    if status.years > 1 or status.years_at:
        own = "".join(f" ({item.years} in {item.period})" for item in status.years_at)
        parts.append(f"in {status.years} periods on end{own}")
    parts += [f"ends after {status.exit_years} periods"] if status.exit_years > 1 else []
    parts += [f"at least {status.minimum_areas} areas in the same {status.inside}"] if status.minimum_areas else []
    word = f' (in the statute: "{status.term.to(rule.language or language)}")' if status.term else ""
    return f"status {status.id}: {status.label.to(language)}{word}: {'; '.join(parts)}"


# ---------------------------------------------------------------- results


def selection_lines(found: Selection, names: Mapping[str, str], language: str) -> list[str]:
    """Say how many areas qualify, which are near the line, and which are not known."""
    rule, many = found.rule, len(found.table)
    chosen = found.chosen
    label = rule.status(rule.chief).label.to(language)
    verb = "qualifies" if len(chosen) == 1 else "qualify"
    said = [f"{rule.title.to(language)}, {found.period}: {len(chosen)} of {many} areas {verb} ({label})"]
    if chosen:
        said.append(f"Qualified: {listed([names.get(code, code) for code in chosen], shown=40)}")
    for status in rule.statuses:
        if status.id != rule.chief:
            count = int(found.statuses[status.id].fillna(value=False).sum())
            open_ = int(found.statuses[status.id].isna().sum())
            more = f", {open_} not known" if open_ else ""
            said.append(f"{status.label.to(language)}: {count} of {many} areas{more}")
    if found.unknown:
        told = [f"{names.get(code, code)} ({found.table.loc[code, 'settled_by']})" for code in found.unknown]
        said.append(f"Not known for want of figures: {listed(told, shown=12)}")
    said += [f"Limit not known: {name}, for want of {what}" for name, what in found.ready.limits.lacking.items()]
    if found.nominated:
        told = [f"{names.get(code, code)} by {found.table.loc[code, 'nominated_by']}" for code in found.nominated]
        said.append(f"Nominated, whatever their figures: {listed(told, shown=12)}")
    for code in found.near(3).index:
        said.append(f"Near the line: {names.get(code, code)} {tip_text(found, code, language)}")
    return said


def tip_text(found: Selection, code: str, language: str) -> str:
    """Say on which side of the line an area is, and the least that would take it to the other."""
    row = found.table.loc[code]
    own = found.criteria[found.criteria["area_id"] == code].set_index("criterion")
    labels = _labels(found.rule, language)
    parts = []
    for name in str(row["tips"]).split("+"):
        change = change_text(*own.loc[name, ["margin", "margin_unit", "margin_total"]]) or "another outcome"
        parts.append(change if name == "population" else f"{change} ({labels[name]})")
    side = "qualifies; it would not with" if row["qualified"] else "does not qualify; it would with"
    return f"{side} {' and '.join(parts)}"


def _labels(rule: RuleSpec, language: str) -> dict[str, str]:
    return {item.id: item.label.to(language) for item in rule.criteria} | {"population": "Residents"}


def area_lines(found: Selection, code: str, language: str) -> list[str]:
    """Say why an area qualifies or not, and what would change that."""
    row, rule = found.table.loc[code], found.rule
    label = rule.status(rule.chief).label.to(language)
    if pd.isna(row["qualified"]):
        said = [f"{label}: not known; it would be settled by {row['settled_by']}"]
    elif row["qualified"]:
        said = [f"{label}: yes"]
    else:
        said = [f"{label}: no, {_WHY[str(row['reason'])]}"]
    for status in rule.statuses:
        if status.id != rule.chief:
            held = found.statuses.loc[code, status.id]
            said.append(f"{status.label.to(language)}: {'not known' if pd.isna(held) else 'yes' if held else 'no'}")
    own = found.criteria[found.criteria["area_id"] == code]
    labels = _labels(rule, language)
    said += [f"{labels[item['criterion']]}: {_figure_text(item)}" for item in own.to_dict("records")]
    if not pd.isna(row["flips"]):
        said.append(f"It {tip_text(found, code, language)}")
    if row["nominated"]:
        said.append(
            f"Nominated by {row['nominated_by']}" + (f" on {row['nominated_on']}" if row["nominated_on"] else "")
        )
    return said


def _figure_text(item: Mapping[Any, Any]) -> str:
    """Say one figure, its limit, whether that is met and what would change it."""
    unit = {"pct": " %", "persons": "", "score": "", "class": ""}.get(item["unit"], f" {item['unit']}")
    if math.isnan(item["value"]):
        why = str(item["status"]).replace("_", " ")
        return f"not known ({why})"
    base = "" if math.isnan(item["denominator"]) else f" of {number(item['denominator'])}"
    years = f" in {item['years']} years" if base and item["years"] > 1 else ""
    said = f"{number(item['value'])}{unit}{base}{years}"
    if not math.isnan(item["limit"]):
        said += f", limit {number(item['limit'])}{unit}"
    met = "not known whether met" if pd.isna(item["meets"]) else "met" if item["meets"] else "not met"
    change = change_text(item["margin"], item["margin_unit"], item["margin_total"])
    return f"{said}: {met}" + (f"; {change} would change that" if change else "")


# ---------------------------------------------------------------- two rule books


def difference_lines(first: RuleSpec, second: RuleSpec, language: str = "en") -> list[str]:
    """Say how two rule books differ: criteria and statuses that only one has, and those that both have otherwise.

    Criteria are compared by what they count, whatever they are called.

    Examples
    --------
    >>> from geoplan.specs import rule_book
    >>> difference_lines(rule_book("dk_2014"), rule_book("dk_2018"))[2]
    'criterion changes: convicted_18_plus above 2.7, mean of 2 years → convicted_18_plus at least 3 × national, mean of
    2 years'
    """
    said = [f"{first.title.to(language)} → {second.title.to(language)}"]
    said += [f"in force: {_span(first)} → {_span(second)}"] if _span(first) != _span(second) else []
    before, after = (
        {item.id: _status_text(rule, item.id, language) for item in rule.statuses} for rule in (first, second)
    )
    statuses = [(before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])]
    for kind, pairs in (("criterion", _criteria_side_by_side(first, second)), ("status", statuses)):
        for old, new in pairs:
            if old == new:
                continue
            if new is None:
                said.append(f"{kind} falls away: {old}")
            elif old is None:
                said.append(f"{kind} is new: {new}")
            else:
                said.append(f"{kind} changes: {old} → {new}")
    return said if len(said) > 1 else [*said, "no difference"]


def _span(rule: RuleSpec) -> str:
    return f"{rule.since or 'no date'} to {rule.until or 'now'}"


def _criteria_side_by_side(first: RuleSpec, second: RuleSpec) -> list[tuple[str | None, str | None]]:
    """Pair the tests of the same figure: those that are alike, those of the same id, and the rest as they stand."""
    pairs: list[tuple[str | None, str | None]] = []
    for figure in dict.fromkeys(_figure_of(item) for rule in (first, second) for item in rule.criteria):
        old, new = (
            {item.id: criterion_text(item) for item in rule.criteria if _figure_of(item) == figure}
            for rule in (first, second)
        )
        same = set(old.values()) & set(new.values())
        old, new = ({key: text for key, text in own.items() if text not in same} for own in (old, new))
        pairs += [(old.pop(key), new.pop(key)) for key in [key for key in old if key in new]]
        pairs += zip_longest(old.values(), new.values())
    return pairs


def _figure_of(item: CriterionSpec) -> object:
    return item.indicator or item.index or (item.numerators, item.denominators)
