"""Optimised selection: the areas that reach the most people in need, for so many areas or so much money.

Where a plain ranking answers "the ten highest", the choice here keeps rules that a ranking cannot: a budget, groups of
neighbouring areas that hang together, people enough in each, something for every municipality. It is exact: what is
returned is the best there is, or it says by how much it could miss it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import fsum
from typing import Any

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.risk import Neighbours
from geoplan.targeting.asked import Asked, asked_for, counted
from geoplan.targeting.obstacles import none_together, raise_obstacles
from geoplan.targeting.programme import Programme, groups_of, within as within_budget
from geoplan.targeting.solving import Solution, solve

__all__ = ["Choice", "choose_areas"]

_LIMITS = ["rule", "of", "used", "limit", "binding"]


@dataclass(frozen=True)
class Choice:
    """Which areas were chosen, what they reach, and what could be reached at most.

    Attributes
    ----------
    table
        Index ``area_id``, all areas, in the order given. Columns ``chosen`` (bool), ``group`` (Int64; the connected
        group, 1 reaches the most people in need; missing without neighbours and for areas not chosen), ``need``,
        ``cost``, ``population`` (float; NaN where not given).
    reached
        Number of people in need in the areas chosen: what was made as large as can be.
    share
        Of all people in need, those in the areas chosen (0–1).
    bound
        What no choice exceeds; ``reached`` where the choice is proven to be the best.
    gap
        ``(bound - reached) / bound``; 0 where it is proven.
    status
        ``proven best``, ``close enough`` (within the gap asked for) or ``stopped`` (by the time limit).
    limits
        One row a rule: ``rule`` (as the argument is called), ``of`` (the municipality or the group, else empty),
        ``used``, ``limit`` (float) and ``binding`` (bool): the rule leaves no room. ``k``, ``groups`` and ``at_least``
        bind when they are met exactly; a ``budget`` when what is left of it buys no further area where people are in
        need; a ``minimum_population`` when the group falls below it without its smallest area.
    rules
        Argument → what was asked for, in words.
    """

    table: pd.DataFrame
    reached: float
    share: float
    bound: float
    gap: float
    status: str
    limits: pd.DataFrame = field(repr=False)
    rules: Mapping[str, str] = field(repr=False)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The codes of the areas chosen, in the order of the table."""
        return tuple(str(code) for code in self.table.index[self.table["chosen"]])

    def in_order_of(self, area_ids: pd.Index) -> Choice:
        """Return the same choice with its table in another order."""
        return replace(self, table=self.table.loc[area_ids])

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Say it in sentences; the first says how many areas reach how many people.

        Parameters
        ----------
        names
            Code → name, such as ``areas["name"]``; codes when left out.
        """
        called = {} if names is None else dict(names)
        rows = self.table[self.table["chosen"]]
        areas = "1 area is" if len(rows) == 1 else f"{len(rows):,} areas are"
        total = fsum(self.table["need"])
        share = f"{100 * self.share:.1f} %"
        said = [f"{areas} chosen, with {counted(self.reached)} of {counted(total)} people in need ({share})"]
        if self.status == "proven best":
            said.append("No choice that keeps the rules reaches more")
        else:
            why = "The time limit struck" if self.status == "stopped" else "The search ended at the gap asked for"
            said.append(
                f"{why}: no choice reaches more than {counted(self.bound)}, and this one is at most "
                f"{100 * self.gap:.2g} % short of that"
            )
        said.append(f"Rules: {'; '.join(self.rules.values())}")
        tight = [_tight(row) for row in self.limits[self.limits["binding"]].itertuples()]
        said.append(f"No room is left by {'; '.join(tight)}" if tight else "Every rule leaves room")
        for group, members in rows.groupby("group", dropna=False, sort=True):
            who = checks.listed([str(called.get(code, code)) for code in members.index], shown=20)
            said.append(f"{'Chosen' if pd.isna(group) else f'Group {group}'}: {who}")
        return said


def choose_areas(
    need: pd.Series,
    *,
    k: int | None = None,
    exactly: bool = False,
    budget: float | None = None,
    cost: pd.Series | None = None,
    population: pd.Series | None = None,
    minimum_population: float | None = None,
    neighbours: Neighbours | pd.DataFrame | None = None,
    groups: int | None = None,
    within: pd.Series | None = None,
    at_least: int | Mapping[str, int] | None = None,
    fixed_in: Iterable[str] = (),
    fixed_out: Iterable[str] = (),
    time_limit_s: float = 60.0,
    gap: float = 0.0,
) -> Choice:
    r"""Choose the areas that reach the most people in need.

    Of all choices *C* that keep the rules, the one with the largest :math:`\sum_{i \in C} n_i`, where :math:`n_i`
    people are in need in area *i*, found by mixed-integer programming (HiGHS).

    Parameters
    ----------
    need
        Index ``area_id``, number of people in need of each area.
    k
        Number of areas: at most so many.
    exactly
        Not fewer than ``k`` either.
    budget
        What the areas chosen may cost together, in the unit of ``cost``. Either ``k`` or a budget is needed.
    cost
        What each area costs.
    population
        Residents of each area.
    minimum_population
        With ``neighbours``: the fewest residents of each connected group. Without: of each area.
    neighbours
        From :func:`~geoplan.risk.neighbours`, or its ``pairs``; of the areas of ``need`` alone. Areas are neighbours
        if either is listed as the other's; one that is not listed has none and is a group by itself.
    groups
        The areas chosen form at most so many connected groups.
    within
        Municipality of each area.
    at_least
        Choose at least so many areas of every municipality, or of each that is named.
    fixed_in, fixed_out
        Areas that must be chosen, and that must not.
    time_limit_s
        When it strikes, the best found so far is returned with its gap.
    gap
        End the search when no choice can reach more than this part more; 0 for a proof.

    Returns
    -------
    Choice
        At least one area. One without people in need is chosen only when a rule asks for it. Areas are put in the
        order of their codes before anything else, and no step is random, so that the same figures give the same choice
        however their rows are ordered; which of several choices that reach equally many is the solver's way, and a
        time limit that strikes may strike elsewhere on another machine.

    Raises
    ------
    SpecError
        When an argument is out of its range or lacks another; when rules cannot be kept, which ones, with figures;
        when the time limit struck before any choice was found.
    TableError
        When a figure is missing, no number or negative, or nobody is in need.
    IdError
        When codes are duplicate, missing or unknown.

    Examples
    --------
    A row of five areas, of which two may be chosen: the highest two, or the best two that lie side by side.

    >>> need = pd.Series({"a": 90, "b": 10, "c": 60, "d": 50, "e": 80}).rename_axis("area_id")
    >>> choose_areas(need, k=2).chosen
    ('a', 'e')
    >>> pairs = pd.DataFrame({"area_id": list("abcd"), "neighbour_id": list("bcde")})
    >>> choice = choose_areas(need, k=2, neighbours=pairs, groups=1)
    >>> for line in choice.lines():
    ...     print(line)
    2 areas are chosen, with 130 of 290 people in need (44.8 %)
    No choice that keeps the rules reaches more
    Rules: at most 2 areas; at most 1 connected group
    No room is left by k (2 of 2); groups (1 of 1)
    Group 1: 'd', 'e'
    """
    asked = asked_for(
        need,
        k=k,
        exactly=exactly,
        budget=budget,
        cost=cost,
        population=population,
        minimum_population=minimum_population,
        neighbours=neighbours,
        groups=groups,
        within=within,
        at_least=at_least,
        fixed_in=fixed_in,
        fixed_out=fixed_out,
        time_limit_s=time_limit_s,
        gap=gap,
    )
    raise_obstacles(asked)
    found = solve(asked.programme, time_limit_s=time_limit_s, gap=gap)
    if found.chosen is None and found.stopped:
        what = f"no choice was found in {time_limit_s:g} s, and whether there is one is not known"
        raise SpecError(Fault(what=what, key="time_limit_s", hint="give it more time, or fewer rules"))
    if found.chosen is None:
        raise none_together(asked, time_limit_s)
    return _choice(asked, found, gap).in_order_of(need.index)


def _choice(asked: Asked, found: Solution, gap: float) -> Choice:
    """Sum up what was found."""
    of, chosen = asked.programme, np.asarray(found.chosen)
    group = _groups(of, chosen)
    table = pd.DataFrame(
        {
            "chosen": chosen,
            "group": pd.array(group, dtype="Int64"),
            "need": of.need,
            "cost": np.nan if of.cost is None else of.cost,
            "population": np.nan if of.population is None else of.population,
        },
        index=asked.codes,
    )
    table.loc[table["group"] == 0, "group"] = pd.NA
    reached, total = fsum(of.need[chosen]), fsum(of.need)
    bound = min(max(found.bound, reached), total)
    short = (bound - reached) / bound if bound else 0.0
    proven = not found.stopped and (gap == 0 or bound == reached)
    return Choice(
        table=table,
        reached=reached,
        share=reached / total,
        bound=reached if proven else bound,
        gap=0.0 if proven else short,
        status="proven best" if proven else "stopped" if found.stopped else "close enough",
        limits=_limits(asked, chosen, group),
        rules=asked.rules,
    )


def _groups(of: Programme, chosen: np.ndarray) -> np.ndarray:
    """Give each connected group a number from 1 up, most people in need first, and areas in none 0."""
    if of.links is None:
        return np.zeros(len(chosen), dtype=np.int64)
    group = groups_of(of.links, chosen)
    number = np.zeros(len(chosen), dtype=np.int64)
    reached = [fsum(of.need[group == one]) for one in range(group.max() + 1)]
    for place, one in enumerate(np.argsort(-np.array(reached), kind="stable")):
        number[group == one] = place + 1
    return number


def _limits(asked: Asked, chosen: np.ndarray, group: np.ndarray) -> pd.DataFrame:
    """List what each rule allows, what is used of it, and whether that leaves room."""
    of, number = asked.programme, int(chosen.sum())
    rows: list[tuple[str, str, float, float, bool]] = []
    if of.k is not None:
        rows.append(("k", "", number, of.k, number == of.k))
    if of.budget is not None and of.cost is not None:
        spent = fsum(of.cost[chosen])
        other = of.cost[~chosen & of.free() & (of.need > 0)]
        rows.append(("budget", "", spent, of.budget, bool((spent + other > within_budget(of.budget)).all())))
    if of.groups is not None:
        rows.append(("groups", "", group.max(), of.groups, bool(group.max() == of.groups)))
    if of.minimum is not None and of.population is not None:
        for one in np.unique(group[chosen]):
            people = of.population[chosen & (group == one)]
            # Without neighbours each area stands for itself, and the smallest tells.
            sum_of = fsum(people) if of.links is not None else people.min()
            tight = of.links is not None and sum_of - people.min() < of.minimum
            rows.append(("minimum_population", f"group {one}" if one else "", sum_of, of.minimum, tight))
    if of.place is not None and of.least is not None:
        counts = np.bincount(of.place[chosen], minlength=len(of.least))
        rows += [
            ("at_least", asked.places[place], counts[place], of.least[place], bool(counts[place] == of.least[place]))
            for place in np.flatnonzero(of.least)
        ]
    return pd.DataFrame(rows, columns=_LIMITS).astype({"used": float, "limit": float, "binding": bool})


def _tight(row: Any) -> str:
    of = f" in {row.of}" if row.of else ""
    return f"{row.rule}{of} ({counted(row.used)} of {counted(row.limit)})"
