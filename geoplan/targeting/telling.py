"""A history in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from geoplan.errors import listed
from geoplan.specs import RuleSpec

if TYPE_CHECKING:
    from geoplan.targeting.history import History

__all__ = ["history_lines", "move_text", "past_lines"]

_SHOWN = 30
_MOVES = {"entered": "entered", "left": "left", "became_unknown": "no longer known", "became_known": "can be told"}
_REASONS = {
    "own_change": "its own figures changed",
    "limit_change": "the limit moved",
    "rule_change": "the rule changed",
    "boundary_change": "its boundary changed",
    "memory": "the years before count",
    "published": "the published list says so",
    "missing_figures": "figures are missing in one of the years",
    "missing_limit": "the limit is not known in one of the years",
}


def move_text(row: Mapping[Any, Any], label: str, rule: RuleSpec, language: str = "en") -> str:
    """Say one entry or exit and why."""
    labels = {item.id: item.label.to(language) for item in rule.criteria} | {"population": "Residents"}
    end = "" if pd.isna(row["holds"]) or row["move"] in {"entered", "left"} else ": yes" if row["holds"] else ": no"
    said = f"{label}: {_MOVES[row['move']]} in {row['period']} (after {row['before']}){end}, because {_why(row)}"
    told = {"now met": row["gained"], "not met now": row["lost"], "not known": row["open"]}
    parts = [f"{head}: {listed([labels[name] for name in names.split('+')], shown=9)}"
             for head, names in told.items() if names]  # fmt: skip
    return "; ".join([said, *parts])


def _why(row: Mapping[Any, Any]) -> str:
    return " and ".join(_REASONS[name] for name in row["reasons"].split("+"))


def history_lines(found: History, status: str, names: Mapping[str, str], language: str) -> list[str]:
    """Say how many areas had each status when, where the rule changed, and who entered and left one of them and why."""
    said = []
    for name, label in found.labels.items():
        wide = found.wide(name)
        counts = [f"{period} {_count(wide[period])}" for period in sorted(wide, key=int)]
        said.append(f"{label.to(language)}, areas: {', '.join(counts)}")
    broken = found.table.loc[found.table["rule_break"], "period"].unique()
    said += [
        f"From {period} another version of the rule: {found.rules[period].title.to(language)}"
        for period in sorted(broken, key=int)
    ]
    own = found.moves[found.moves["status"] == status]
    for (_, period, move, _), rows in own.groupby([own["period"].astype(int), "period", "move", "reasons"]):
        codes = [names.get(code, code) for code in rows["area_id"]]
        row = rows.iloc[0]
        told = f"{_MOVES[move]}, because {_why(row)}: {listed(codes, shown=_SHOWN)}"
        said.append(f"{found.labels[status].to(language)}, {period}: {told}")
    return said


def _count(verdicts: pd.Series) -> str:
    unknown = int(verdicts.isna().sum())
    many = int(verdicts.fillna(value=False).sum())
    return f"{many} ({unknown} not known)" if unknown else f"{many}"


def past_lines(found: History, area_id: str, language: str) -> list[str]:
    """Say what statuses an area has had, and each of its entries and exits."""
    said = []
    for name, label in found.labels.items():
        rows = found.table[(found.table["area_id"] == area_id) & (found.table["status"] == name)]
        held = [row["period"] for row in rows.to_dict("records") if not pd.isna(row["holds"]) and row["holds"]]
        open_ = rows.loc[rows["holds"].isna(), "period"].tolist()
        unknown = f"; not known in {', '.join(open_)}" if open_ else ""
        said.append(f"{label.to(language)}: {', '.join(held) if held else 'in no period'}{unknown}")
    own = found.moves[found.moves["area_id"] == area_id]
    said += [
        move_text(row, found.labels[row["status"]].to(language), found.rules[row["period"]], language)
        for row in own.to_dict("records")
    ]
    return said
