"""The ranked list of a run: its columns, what they are called, and with how many decimals they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from geoplan.risk import scores_are_relative
from geoplan.risk.methods import presentation
from geoplan.run.styling import class_labels
from geoplan.show import format_number, texts
from geoplan.specs import IndexSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["decimals_of", "headings_of", "ranking_table", "scaled_columns"]

# Intervals of scores are not listed: drawn towards the city, they need not hold the score that stands beside them.
_SURE = ("rank_low", "rank_high", "p_top", "p_above")
_CLASSED = ("class", "dynamics", "flags")
_NEUTRAL = ("gap", "above_city", "relative", "score")  # words that speak of 100 where the city scores 100
_COUNTS = ("rank", "rank_rest", "population", "indicators", "indicators_estimated", "indicators_total", "rank_low",
           "rank_high", "flags")  # fmt: skip


def ranking_table(run: Run) -> pd.DataFrame:
    """Return the ranked list with names, one row an area, and what makes each figure traceable.

    Returns
    -------
    pandas.DataFrame
        ``rank, area_id, name, population, score, gap``; where the city scores 100 ``score_rest, rank_rest``; where the
        scenario asks how sure ranks are ``rank_low, rank_high``, and ``p_top, p_above`` as far as it asks; where it
        asks for classes ``class`` (its name), ``dynamics``, ``flags``; a column a domain;
        ``indicators, indicators_estimated, indicators_total, status, reason, period, method, source``.
    """
    result, areas, sure = run.index(), run.areas(), run.uncertainty()
    table = result.ranking.join(result.domains).join(areas["name"])
    if sure is not None:
        found = sure.table.reindex(columns=list(_SURE)).dropna(axis="columns", how="all")
        table = table.join(found)
    if "class" in table:
        table["class"] = table["class"].map(class_labels(run.spec.index, run.spec.language)).fillna("")
    table["reason"] = [
        _reason(run, reason, domain) for reason, domain in zip(table["reason"], table["reason_domain"], strict=True)
    ]
    table["period"] = result.certificate.period
    table["method"] = texts(run.spec.language)[f"method_{run.spec.index.method}"]
    table["source"] = run.sources()
    rest = ["score_rest", "rank_rest"] if scores_are_relative(run.spec.index) else []
    besides = [name for name in (*_SURE, *_CLASSED) if name in table]
    first = ["rank", "area_id", "name", "population", "score", "gap", *rest, *besides]
    last = ["indicators", "indicators_estimated", "indicators_total", "status", "reason", "period", "method", "source"]
    return table.reset_index()[[*first, *result.domains.columns, *last]]


def _reason(run: Run, reason: str, domain: str) -> str:
    """Say in the run's language why an area has no rank."""
    if not reason:
        return ""
    language, index = run.spec.language, run.spec.index
    label = next((item.label.to(language) for item in index.domains if item.id == domain), "")
    least = format_number(max(index.minimum_population, 1), language)
    return texts(language).reasons[reason].format(domain=label, least=least)


def headings_of(run: Run) -> dict[str, str]:
    """Return what the columns are called in the run's language."""
    words, index = texts(run.spec.language), run.spec.index
    told = dict(words.words)
    if not scores_are_relative(index):
        told |= {name: words[f"{name}_other"] for name in _NEUTRAL}
    elif index.base not in {None, run.spec.period}:
        told |= {name: f"{words[name]}, {index.base}" for name in ("city", "relative", "score_rest", "rank_rest")}
    if run.spec.uncertainty is not None:
        share = f"{100 * run.spec.uncertainty.level:g} %"
        told |= {name: words[name].format(share=share) for name in _SURE[:2]}
        told["p_top"] = words["p_top"].format(top=run.spec.uncertainty.top)
        line = run.spec.uncertainty.line
        told["p_above"] = words["p_above"].format(line="" if line is None else f"{line:g}")
    return told | {domain.id: domain.label.to(run.spec.language) for domain in index.domains}


def score_decimals(index: IndexSpec) -> int:
    """Return with how many decimals scores are written."""
    if presentation(index) == "percentile":
        return 4 if index.decimals is None else index.decimals
    return 2 if index.method == "z_score" else 1


def decimals_of(run: Run, columns: Iterable[str]) -> dict[str, int]:
    """Return with how many decimals the columns that hold numbers are written."""
    domains = [domain.id for domain in run.spec.index.domains]
    scores = score_decimals(run.spec.index)
    found = dict.fromkeys(_COUNTS, 0)
    found |= dict.fromkeys(["score", "gap", "score_rest", *domains], scores)
    found |= {"dynamics": 2, "p_top": 2, "p_above": 2}
    return {name: found[name] for name in columns if name in found}


def scaled_columns(run: Run) -> list[str]:
    """Return the columns that are coloured around 100."""
    if not scores_are_relative(run.spec.index):
        return []
    return ["score", *(domain.id for domain in run.spec.index.domains)]
