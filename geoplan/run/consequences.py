"""Sheets on what a choice of areas means: rules compared, how sure, who is reached, earlier years, boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from geoplan.run.choosing import Targeting
from geoplan.show import Sheet, texts
from geoplan.show.texts import Texts
from geoplan.targeting import DesignationCertainty, History, ReachedComparison, Selection, Stability

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["further_sheets"]

_PERCENT = 100


def further_sheets(run: Run, asked: Targeting) -> list[Sheet]:
    """Return the sheets that a scenario asks for beside the choice itself and its margins."""
    words = texts(run.spec.language)
    names: pd.Series = run.areas()["name"]
    sheets = []
    if asked.certainty is not None:
        sheets.append(_near(asked.certainty, names, words, run.spec.language))
    if len(asked.selections) > 1:
        table = _statuses(run, asked.selections)
        wide = (11, 24, *[34] * (len(table.columns) - 2))  # a heading holds the titles of a rule and a status
        sheets.append(Sheet(words["rules_sheet"], table, words.words, frozen=2, widths=wide))
    if asked.reached is not None:
        titles = {name: found.rule.title.to(run.spec.language) for name, found in asked.selections.items()}
        sheets += _reached(asked.reached, titles, names, words)
    if asked.stability is not None and len(asked.stability.same.columns):
        sheets.append(_stability(asked.stability, names, words))
    if asked.history is not None:
        sheets += _history(asked.history, names, words)
    if asked.boundaries is not None:
        decimals = {"variants": 0, "computed": 0, "known": 0, "designated": 0, "gained": 0}
        decimals |= dict.fromkeys(("survives", "survives_merged", "survives_split", "survives_shifted"), 2)
        columns = ["now", *decimals, "worst"]
        table = _named(asked.boundaries.table[columns], names, words)
        table["worst"] = [_variant(text, words) for text in table["worst"]]
        sheets.append(Sheet(words["boundaries_sheet"], table, words.words, decimals, frozen=2))
    return sheets


def _named(table: pd.DataFrame, names: pd.Series, words: Texts) -> pd.DataFrame:
    """Return a table by area with names, and its truths in words."""
    told = table.rename_axis("area_id").reset_index()
    told.insert(1, "name", told["area_id"].map(names).fillna(""))
    for column in told.columns[2:]:
        if isinstance(told[column].dtype, pd.BooleanDtype) or told[column].dtype == bool:
            told[column] = _truths(told[column], words)
    return told


def _truths(values: pd.Series, words: Texts) -> list[str]:
    said = {True: words.verdicts["yes"], False: words.verdicts["no"]}
    return [words.verdicts["unknown"] if pd.isna(value) else said[bool(value)] for value in values]


def _near(sure: DesignationCertainty, names: pd.Series, words: Texts, language: str) -> Sheet:
    """List the areas on both sides of the line, the least sure first."""
    found = sure.near(language=language)[["qualified", "p_designated", "class", "margin", "margin_unit"]]
    table = _named(found.assign(margin=found["margin"].round(2)), names, words)
    table["class"] = table["class"].map(words.verdicts)
    table["margin_unit"] = table["margin_unit"].map(lambda unit: words.verdicts.get(unit, words.unit(unit)))
    heads = {**words.words, "class": words["certainty_class"], "qualified": words["decision"]}
    return Sheet(words["near_sheet"], table, heads, {"p_designated": 2}, frozen=2)


def _statuses(run: Run, found: Mapping[str, Selection]) -> pd.DataFrame:
    """Return what every rule says of every area, one column a rule and status."""
    words, language = texts(run.spec.language), run.spec.language
    table = run.areas()[["name"]].rename_axis("area_id").reset_index()
    for selection in found.values():
        for status in selection.rule.statuses:
            title = f"{selection.rule.title.to(language)}: {status.label.to(language)}"
            table[title] = _truths(selection.statuses[status.id].reindex(table["area_id"]), words)
    return table


def _variant(text: str, words: Texts) -> str:
    """Say in the run's language how boundaries were drawn: merged, split or shifted, and which areas."""
    kind, colon, rest = text.partition(": ")
    if kind == "shifted":
        size, _, towards = rest.rpartition(" ")
        rest = f"{size} {words.limits.get(towards, towards)}"
    return f"{words.limits.get(kind, kind)}{colon}{rest}"


def _reached(found: ReachedComparison, titles: Mapping[str, str], names: pd.Series, words: Texts) -> list[Sheet]:
    """Compare what the rules reach, and list who is left outside by the first."""
    table = found.table.rename_axis("rule").reset_index()
    table["rule"] = table["rule"].map(titles)
    shares = [
        "completeness",
        "completeness_low",
        "completeness_high",
        "efficiency",
        "efficiency_low",
        "efficiency_high",
    ]
    table[shares] *= _PERCENT
    counts = [name for name in table.columns if name not in {"rule", *shares}]
    decimals = dict.fromkeys(counts, 0) | dict.fromkeys(shares, 1)
    heads = {**words.words, **{name: words[f"count_{name}"] for name in counts}}
    own = next(iter(found.results.values()))
    pockets = own.pockets.assign(share=own.pockets["share"] * _PERCENT)
    pockets.insert(1, "name", pockets["area"].map(names).fillna(""))
    pockets["sure"] = _truths(pockets["sure"], words)
    pockets["status"] = pockets["status"].map(words.statuses)
    left = {"residents": 0, "base": 0, "need": 0, "share": 1, "chance": 3}
    below = {**words.words, "area": words["area_id"], "need": words["count_need"], "share": words["need_share"],
             "chance": words["need_chance"], "sure": words["need_sure"]}  # fmt: skip
    return [
        Sheet(words["reached_sheet"], table, heads, decimals, frozen=1),
        Sheet(words["pockets_sheet"], pockets, below, left, frozen=2),
    ]


def _stability(found: Stability, names: pd.Series, words: Texts) -> Sheet:
    """Say in which part of the variants each area has the outcome that it has today."""
    groups = list(found.same.columns)
    table = _named(found.same, names, words)
    heads = {**words.words, **{name: words[f"stable_{name}"] for name in groups}}
    return Sheet(words["stability_sheet"], table, heads, dict.fromkeys(groups, 2), frozen=2)


def _history(found: History, names: pd.Series, words: Texts) -> list[Sheet]:
    """Say who has had the chief status in which year, and who came and went for what reasons."""
    wide = _named(found.wide(), names, words)
    moves = found.moves[["area_id", "period", "status", "move", "reasons", "criteria"]].copy()
    moves.insert(1, "name", moves["area_id"].map(names).fillna(""))
    moves["move"] = moves["move"].map(words.verdicts)
    moves["reasons"] = [", ".join(words.verdicts.get(part, part) for part in str(text).split("+")) for text in
                        moves["reasons"]]  # fmt: skip
    labels = {name: text.to(words.language) for name, text in found.labels.items()}
    moves["status"] = moves["status"].map(lambda name: labels.get(name, name))
    moves["criteria"] = [_criteria(row.criteria, found, row.period, words) for row in moves.itertuples()]
    heads = {**words.words, "move": words["move"], "reasons": words["because"], "criteria": words["criterion"]}
    return [
        Sheet(words["history_sheet"], wide, words.words, frozen=2),
        Sheet(words["moves_sheet"], moves, heads, frozen=2),
    ]


def _criteria(text: str, found: History, period: str, words: Texts) -> str:
    """Name criteria that are joined by + as the period's version of the rule does."""
    labels = {item.id: item.label.to(words.language) for item in found.rules[period].criteria}
    return " + ".join(labels.get(name) or words.verdicts.get(name, name) for name in text.split("+"))
