"""Why an area has entered or left: what each thing that changed did to it, one after the other, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from geoplan.specs import RuleSpec
from geoplan.targeting.measures import Measures
from geoplan.targeting.pasts import Chronicle, Past
from geoplan.targeting.ready import Ready, among_first
from geoplan.targeting.rules import POPULATION, counted
from geoplan.targeting.verdicts import Scope, State, Verdict, judged

__all__ = ["MOVES", "STEPS", "moves_between"]

#: What is put in the place of what was before, in this order.
STEPS = ("before", "figures_before", "rule", "limit", "own", "list", "memory", "now")
MOVES = [
    *("area_id", "status", "before", "period", "move", "was", "holds", "reasons", "criteria", "gained", "lost", "open"),
    *("boundary_changed", "rule"),
]
_REASON = {"figures_before": "published", "rule": "rule_change", "list": "published", "memory": "memory",
           "now": "published"}  # fmt: skip


@dataclass(frozen=True)
class _World:
    """All that decides who has which status, in one step."""

    rule: RuleSpec
    meets: Mapping[str, Verdict]
    scope: Scope
    period: str
    before: Mapping[str, State]
    lists: Mapping[str, Verdict]

    def judged(self) -> dict[str, Verdict]:
        """Judge by figures; where they leave it open, a list decides."""
        plain = judged(self.rule, self.meets, self.scope, period=self.period, before=self.before)[0]
        if not self.lists:
            return plain
        fixed = {
            name: Verdict(
                np.where(plain[name].unknown, own.sure, plain[name].sure),
                np.where(plain[name].unknown, own.possible, plain[name].possible),
            )
            for name, own in self.lists.items()
        }
        return judged(self.rule, self.meets, self.scope, period=self.period, before=self.before, fixed=fixed)[0]


def moves_between(
    chronicle: Chronicle, old: Past, new: Past, changed: frozenset[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find who has entered or left between two periods, and why.

    Parameters
    ----------
    chronicle
        All periods.
    old, new
        The two.
    changed
        Areas whose boundary changed in between.

    Returns
    -------
    tuple of pandas.DataFrame
        The moves, with the columns of :data:`MOVES`; and for each of them who had the status after each of
        :data:`STEPS`: ``area_id, status, period, step, holds``.
    """
    areas = new.ready.areas
    was = _before(chronicle, old, new)
    moved = {name: _differs(was[name], new.found[name]) for name in was}
    ended = _ended(chronicle, old, new)
    apart = set(chronicle.ancestors(new.segment, old.segment))
    for name in moved:
        if name not in apart:  # nobody had a status that there was not, so that only an entry is one
            moved[name] &= new.found[name].sure
    any_moved = np.any([*moved.values(), np.zeros(len(areas), dtype=bool)], axis=0)
    rows, chains = [], []
    if any_moved.any():
        steps = _steps(chronicle, old, new, was, np.flatnonzero(any_moved))
        start = _start_of_criteria(chronicle, old, new)
        labels = chronicle.names(new.segment)
        for name, which in moved.items():
            for place in np.flatnonzero(which).tolist():
                chain = {step: _state(found[name], place) for step, found in steps.items()}
                lacking = _lacking(new, name, start, place)
                row = _row(areas[place], labels[name], old, new, chain, boundary=areas[place] in changed,
                           lacking=lacking)  # fmt: skip
                rows.append(row | _criteria(new, name, start, place))
                chains += [(areas[place], labels[name], new.period, step, holds) for step, holds in chain.items()]
    for name, verdict in ended.items():
        for place in np.flatnonzero(verdict.sure).tolist():
            chain = {step: step in {"before", "figures_before"} for step in STEPS}
            row = _row(areas[place], name, old, new, chain, boundary=areas[place] in changed, lacking=False)
            rows.append(row | {"criteria": "", "gained": "", "lost": "", "open": "", "reasons": "rule_change"})
            chains += [(areas[place], name, new.period, step, holds) for step, holds in chain.items()]
    return pd.DataFrame(rows, columns=MOVES), pd.DataFrame(
        chains, columns=["area_id", "status", "period", "step", "holds"]
    )


def _before(chronicle: Chronicle, old: Past, new: Past) -> dict[str, Verdict]:
    """Return who had each status of the new version; nobody had one that there was not."""
    nobody = Verdict.of(np.zeros(len(new.ready.areas), dtype=bool))
    had = chronicle.inherited(new.segment, old, old.found)
    return {status.id: had.get(status.id, nobody) for status in new.rule.statuses}


def _ended(chronicle: Chronicle, old: Past, new: Past) -> dict[str, Verdict]:
    """Return name → who had a status that the new version goes on with under no name."""
    kept = set(chronicle.ancestors(new.segment, old.segment).values())
    names = chronicle.names(old.segment)
    return {names[status.id]: old.found[status.id] for status in old.rule.statuses if status.id not in kept}


def _differs(one: Verdict, other: Verdict) -> np.ndarray:
    return np.asarray((one.sure != other.sure) | (one.possible != other.possible))


def _state(verdict: Verdict, place: int) -> bool | None:
    return None if verdict.possible[place] and not verdict.sure[place] else bool(verdict.sure[place])


# ---------------------------------------------------------------- step by step


def _steps(
    chronicle: Chronicle, old: Past, new: Past, was: dict[str, Verdict], places: np.ndarray
) -> dict[str, dict[str, Verdict]]:
    """Put one thing after the other in the place of what was before; return step → status → who has it then."""
    segment, nothing = new.segment, np.zeros(len(new.ready.areas), dtype=bool)
    early = chronicle.ready(segment, old.place, chronicle.memory(segment, old.place))
    lists = chronicle.inherited(segment, old, old.ready.fixed)
    former = _World(old.rule, old.meets, old.ready.scope, old.period, old.ready.before, old.ready.fixed).judged()
    before = chronicle.inherited(segment, old, former)
    world = _World(new.rule, early.observed(), early.scope, new.period, early.before, lists)
    after = replace(world, meets=new.meets, scope=new.ready.scope)
    listed = replace(after, lists=new.ready.fixed)
    return {
        "before": was,
        "figures_before": {name: before.get(name, Verdict.of(nothing)) for name in was},
        "rule": world.judged(),
        "limit": _limit_step(world, early, new, places),
        "own": after.judged(),
        "list": listed.judged(),
        "memory": replace(listed, before=new.ready.before).judged(),
        "now": dict(new.found),
    }


def _limit_step(world: _World, early: Ready, new: Past, places: np.ndarray) -> dict[str, Verdict]:
    """Judge each area's old figures by the new limits, and among the new figures of the others."""
    own = replace(new.ready, now=early.now).observed()
    rule = new.rule
    if not any(item.ranked for item in rule.criteria) and all(item.minimum_areas is None for item in rule.statuses):
        return replace(world, meets=own).judged()
    # What others do decides: each area is the only one that stands still, in a world of its own.
    found = {
        status.id: (np.zeros(len(early.areas), bool), np.zeros(len(early.areas), bool)) for status in rule.statuses
    }
    for place in places:
        meets = {name: _with_one(new.meets[name], own[name], place) for name in new.meets}
        now = _one_of(new.ready.now, early.now, place)
        for item in rule.criteria:
            if item.ranked:
                group = np.where(now.absent(item.id), -1, new.ready.groups[item.id])
                meets[item.id] = among_first(item, now.value[item.id].to_numpy(), group)
        people = new.ready.scope.population.copy()
        people[place] = early.scope.population[place]
        scope = replace(new.ready.scope, population=people)
        lists = {
            name: _with_one(new.ready.fixed.get(name, verdict), verdict, place) for name, verdict in world.lists.items()
        }
        for name, verdict in replace(world, meets=meets, scope=scope, lists=lists).judged().items():
            found[name][0][place], found[name][1][place] = verdict.sure[place], verdict.possible[place]
    return {name: Verdict(*pair) for name, pair in found.items()}


def _with_one(many: Verdict, one: Verdict, place: int) -> Verdict:
    """Return verdicts of which one comes from elsewhere."""
    sure, possible = many.sure.copy(), many.possible.copy()
    sure[place], possible[place] = one.sure[place], one.possible[place]
    return Verdict(sure, possible)


def _one_of(many: Measures, one: Measures, place: int) -> Measures:
    """Return figures of which those of one area come from elsewhere."""
    value, status = many.value.copy(), many.status.copy()
    value.iloc[place], status.iloc[place] = one.value.iloc[place], one.status.iloc[place]
    return replace(many, value=value, status=status)


# ---------------------------------------------------------------- in words that a table can hold


def _row(
    code: str, status: str, old: Past, new: Past, chain: Mapping[str, bool | None], *, boundary: bool, lacking: bool
) -> dict[str, Any]:
    """Put down one move and every step at which the status changed; ``lacking``: whether a figure or limit is."""
    was, holds = chain["before"], chain["now"]
    reasons: list[str] = []
    for first, second in pairwise(STEPS):
        if chain[first] is not chain[second]:
            unknown = lacking and (chain[first] is None or chain[second] is None)
            reasons.append(_reason(second, unknown=unknown, boundary=boundary))
    move = "became_unknown" if holds is None else "became_known" if was is None else "entered" if holds else "left"
    return {
        "area_id": code,
        "status": status,
        "before": old.period,
        "period": new.period,
        "move": move,
        "was": was,
        "holds": holds,
        "reasons": "+".join(dict.fromkeys(reasons)),
        "boundary_changed": boundary,
        "rule": new.rule.title.to("en"),
    }


def _reason(step: str, *, unknown: bool, boundary: bool) -> str:
    if step == "own":
        return "boundary_change" if boundary else "missing_figures" if unknown else "own_change"
    if step == "limit":
        return "missing_limit" if unknown else "limit_change"
    return _REASON[step]


def _start_of_criteria(chronicle: Chronicle, old: Past, new: Past) -> dict[str, Verdict]:
    """Return how the new version's criteria came out before: under the old version where it has them."""
    early = chronicle.ready(new.segment, old.place, {})
    found = {name: old.meets.get(name, verdict) for name, verdict in early.observed().items()}
    return found | {POPULATION: _enough(old, [status.id for status in old.rule.statuses])}


def _behind(rule: RuleSpec, name: str) -> list[str]:
    """Return a status and those that it takes."""
    status = rule.status(name)
    below = (*status.based_on, *status.any_of, *status.without)
    return list(dict.fromkeys([name, *(found for other in below for found in _behind(rule, other))]))


def _enough(past: Past, statuses: list[str]) -> Verdict:
    """Tell who has as many residents as statuses ask for."""
    people = past.ready.scope.population
    least = max(past.rule.status(name).minimum_population for name in statuses)
    if not least:
        return Verdict.of(np.ones(len(people), dtype=bool))
    return Verdict.unless_missing(np.nan_to_num(people) >= least, ~np.isnan(people))


def _lacking(new: Past, status: str, start: Mapping[str, Verdict], place: int) -> bool:
    """Tell whether a criterion behind a status is not known in one of the years.

    Where none is, a status may still be unknown, for want of earlier years: its figures and limits are all there.
    """
    ends = {name: new.meets[name] for name in counted(new.rule, status)}
    ends[POPULATION] = _enough(new, _behind(new.rule, status))
    return any(_state(end, place) is None or _state(start[name], place) is None for name, end in ends.items())


def _criteria(new: Past, status: str, start: Mapping[str, Verdict], place: int) -> dict[str, str]:
    """Name the criteria behind a status that have come out otherwise."""
    gained, lost, open_ = list[str](), list[str](), list[str]()
    ends = {name: new.meets[name] for name in counted(new.rule, status)}
    for name, end in (ends | {POPULATION: _enough(new, _behind(new.rule, status))}).items():
        now = _state(end, place)
        if _state(start[name], place) is not now:
            (open_ if now is None else gained if now else lost).append(name)
    texts = {"gained": gained, "lost": lost, "open": open_}
    return {"criteria": "+".join([*gained, *lost, *open_])} | {key: "+".join(names) for key, names in texts.items()}
