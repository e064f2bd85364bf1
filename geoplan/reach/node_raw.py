"""The raw figures of every part of a node's score, with why each that is missing is missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.reach.node_parts import Nearby, balance, entropy
from geoplan.reach.node_scores import Raw

__all__ = ["gathered"]

_NOWHERE = "the node is on no street"
_EMPTY = "there is nothing within the walk"
_ABSENT = "no figure was handed in"
_THEMES = {"services": "services", "schools": "schools", "parks": "parks", "land": "development"}


def gathered(
    ids: pd.Index,
    given: Mapping[str, Nearby | None],
    *,
    departures: pd.Series | None,
    walkable: pd.Series | None,
    walk_min: float,
    transit_min: float,
) -> list[Raw]:
    """Return the parts of all that was handed in, in the order of the themes."""
    faults = Faults()
    limits = {name: transit_min if name == "reached" else walk_min for name in given}
    around: dict[str, pd.DataFrame] = {}
    for name, near in given.items():
        with faults.catch(key=name):
            around |= {} if near is None else {name: near.within(list(ids), limits[name])}
    series: dict[str, pd.Series] = {}
    for name, figures in (("departures", departures), ("walkable", walkable)):
        with faults.catch(key=name):
            series |= {} if figures is None else {name: _of_nodes(figures, ids, name)}
    faults.raise_any()
    by_foot = f"within {walk_min:g} min on foot"
    people, work = (around[name].sum(axis=1, min_count=1) for name in ("residents", "jobs"))
    parts = [
        _amount("density.residents", people, f"residents {by_foot}"),
        _amount("density.jobs", work, f"jobs {by_foot}"),
        *_mix(people, work, around.get("services"), given),
    ]
    if "reached" in around:
        parts += _columns("transit", around["reached"], f"within {transit_min:g} min by public transport", whole=False)
    if "departures" in series:
        parts.append(_amount("transit.departures", series["departures"], "departures an hour"))
    for name, theme in _THEMES.items():
        parts += _columns(theme, around[name], by_foot) if name in around else []
    if "walkable" in series:
        parts.append(_amount("barriers", series["walkable"], "share of the circle that one can walk to"))
    return parts


def _of_nodes(figures: pd.Series, ids: pd.Index, name: str) -> pd.Series:
    known = figures.rename(index=str)
    gone = [one for one in ids if one not in known.index]
    faults = Faults()
    if known.index.has_duplicates:
        faults.add(checks.duplicate_points(sorted(set(known.index[known.index.duplicated()]))))
    if gone:
        what = f"{len(gone)} candidate(s) are not in {name}: {checks.listed(gone)}"
        faults.add(TableError(Fault(what=what, expected="a row for every candidate, NaN where it is not known")))
    faults.raise_any()
    values = pd.to_numeric(known.reindex(ids), errors="coerce").astype(float)
    wrong = values.index[(values < 0) | np.isinf(values)]
    if len(wrong):
        what = f"{len(wrong)} candidate(s) have {name} below 0 or without end: {checks.listed(list(wrong))}"
        raise TableError(Fault(what=what, expected="0 or more, NaN where it is not known"))
    return values


def _amount(name: str, values: pd.Series, unit: str) -> Raw:
    missing = values.isna()
    measured = unit.endswith(("on foot", "transport"))
    status, reason = ("out_of_scope", _NOWHERE) if measured else ("not_collected", _ABSENT)
    return Raw(name, unit, values.astype(float), _where(missing, status, "observed"), _where(missing, reason, ""))


def _columns(theme: str, table: pd.DataFrame, unit: str, *, whole: bool = True) -> list[Raw]:
    """Return a part a column; one column alone is the theme itself, where that is the ``whole`` of it."""
    if table.shape[1] == 1 and whole:
        return [_amount(theme, table.iloc[:, 0], f"{table.columns[0]} {unit}")]
    return [_amount(f"{theme}.{column}", table[column], f"{column} {unit}") for column in table.columns]


def _mix(
    people: pd.Series, work: pd.Series, services: pd.DataFrame | None, given: Mapping[str, Nearby | None]
) -> list[Raw]:
    uses = {"residents": people, "jobs": work}
    totals = {name: _total(given[name]) for name in uses}
    if services is not None:
        # Places of one class and square metres of another have no sum: each class as its share of the town's.
        share = services / _totals(given["services"]).where(lambda total: total > 0)
        uses["services"] = share.mean(axis=1)
        totals["services"] = 1.0
    ratio = totals["jobs"] / totals["residents"] if totals["residents"] > 0 else np.nan
    table = pd.DataFrame(uses)
    mixed = {
        "mix.entropy": (entropy(table, pd.Series(totals)), f"evenness of {', '.join(uses)}, 0-1"),
        "mix.balance": (balance(people, work, ratio), "balance of jobs and residents, 0-1"),
    }
    nowhere = people.isna()
    parts = []
    for name, (values, unit) in mixed.items():
        missing = values.isna()
        status = _where(missing, "not_applicable", "observed").mask(nowhere, "out_of_scope")
        reason = _where(missing, _EMPTY, "").mask(nowhere, _NOWHERE)
        parts.append(Raw(name, unit, values.mask(nowhere), status, reason))
    return parts


def _where(condition: pd.Series, yes: str, no: str) -> pd.Series:
    return pd.Series(np.where(condition, yes, no), index=condition.index, dtype=object)


def _totals(near: Nearby | None) -> pd.Series:
    assert near is not None  # noqa: S101  the caller has looked
    return pd.Series(near.amounts.sum())


def _total(near: Nearby | None) -> float:
    return float(_totals(near).sum())
