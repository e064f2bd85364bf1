"""Why no choice keeps every rule: which rule stands in the way, with figures."""

from __future__ import annotations

import time
from dataclasses import replace
from math import fsum

import numpy as np

from geoplan.errors import Fault, Faults, SpecError
from geoplan.targeting.asked import Asked, counted
from geoplan.targeting.programme import Programme, groups_of, within
from geoplan.targeting.solving import cheapest

__all__ = ["none_together", "raise_obstacles"]

_SECONDS = 20.0


def raise_obstacles(asked: Asked) -> None:
    """Refuse what a count or a sum shows to be impossible, before any search."""
    faults, of = Faults(), asked.programme
    free = of.free()
    for key, what in (
        _too_few_people(asked, free) + _too_few_in_places(asked, free) + _too_many(asked, free) + _too_dear(asked, free)
    ):
        faults.add(SpecError(Fault(what=what, key=key)))
    faults.raise_any()


def _too_few_people(asked: Asked, free: np.ndarray) -> list[tuple[str, str]]:
    of = asked.programme
    if not (~of.outside).any():
        return [("fixed_out", "every area is fixed out")]
    if of.minimum is None or of.population is None:
        return []
    limit = counted(of.minimum)
    short = of.inside & ~free
    if of.links is None:
        most = of.population[~of.outside].max()
        none, some = f"the largest area has {counted(most)} residents", "have fewer"
    else:
        group = groups_of(of.links, ~of.outside)
        most = np.bincount(group[group >= 0], of.population[group >= 0]).max()
        none = f"all neighbouring areas taken together have at most {counted(most)} residents"
        some = "have fewer even with all areas they hang together with"
    if not free.any():
        return [("minimum_population", f"{none}, and {limit} are asked for")]
    if short.any():
        what = f"{limit} residents are asked for, and areas fixed in {some}: {asked.listed(short)}"
        return [("minimum_population", what)]
    return []


def _too_few_in_places(asked: Asked, free: np.ndarray) -> list[tuple[str, str]]:
    of = asked.programme
    if of.place is None or of.least is None:
        return []
    counts = np.bincount(of.place[free], minlength=len(of.least))
    said = "{} has {:,} area(s) that may be chosen, {:,} are asked for"
    short = np.flatnonzero(counts < of.least)
    return [("at_least", said.format(asked.places[place], counts[place], of.least[place])) for place in short]


def _too_many(asked: Asked, free: np.ndarray) -> list[tuple[str, str]]:
    """Compare the number of areas and groups with what is fixed and asked for."""
    of, found = asked.programme, []
    least = _fewest(of)
    if of.k is not None and least > of.k:
        what = f"at least {least:,} areas must be chosen (areas fixed in, and so many of each municipality)"
        found.append(("k", f"{what}, and at most {of.k:,} may be"))
    if of.k is not None and of.exactly and free.sum() < of.k:
        found.append(("k", f"exactly {of.k:,} areas are asked for, and {int(free.sum()):,} may be chosen"))
    if of.groups is not None and of.links is not None and (of.inside & free).any():
        apart = len(np.unique(groups_of(of.links, free)[of.inside & free]))
        if apart > of.groups:
            what = f"the areas fixed in lie in {apart:,} parts with no link between them"
            found.append(("groups", f"{what}, and at most {of.groups:,} groups may be chosen"))
    return found


def _fewest(of: Programme) -> int:
    if of.place is None or of.least is None:
        return int(of.inside.sum())
    fixed = np.bincount(of.place[of.inside], minlength=len(of.least))
    return int(np.maximum(fixed, of.least).sum())


def _too_dear(asked: Asked, free: np.ndarray) -> list[tuple[str, str]]:
    """Compare the budget with the cheapest areas that would do."""
    of = asked.programme
    if of.budget is None or of.cost is None or not free.any():
        return []
    taken = of.inside.copy()
    if of.place is not None and of.least is not None:
        for place in range(len(of.least)):
            here = np.flatnonzero(free & ~of.inside & (of.place == place))
            more = of.least[place] - int(of.inside[of.place == place].sum())
            if more > 0:
                taken[here[np.argsort(of.cost[here], kind="stable")][:more]] = True
    wanted = of.k if of.exactly and of.k is not None else 1
    more = max(wanted - int(taken.sum()), 0)
    others = np.flatnonzero(free & ~taken)
    taken[others[np.argsort(of.cost[others], kind="stable")][:more]] = True
    least = fsum(of.cost[taken])
    if least <= within(of.budget):
        return []
    number = int(taken.sum())
    areas = "the cheapest area costs" if number == 1 else f"the cheapest {number:,} areas that are asked for cost"
    if of.inside.sum() == number:
        areas = "the areas fixed in cost"
    return [("budget", f"{areas} {counted(least)}, and the budget is {counted(of.budget)}")]


# ---------------------------------------------------------------- rules that do not go together


def none_together(asked: Asked, seconds: float) -> SpecError:
    """Say which rule keeps the others from being kept: each that a choice would exist without."""
    of, deadline = asked.programme, time.monotonic() + min(seconds, _SECONDS)
    found = [
        *_figure(of, "k", np.ones(len(of.need)), deadline, "the fewest areas that keep the other rules are {}, and {}"),
        *_figure(of, "budget", of.cost, deadline, "the cheapest choice that keeps the other rules costs {}, and {}"),
    ]
    none = np.zeros(len(of.need), dtype=bool)
    without = {
        "groups": replace(of, groups=None),
        "minimum_population": replace(of, minimum=None),
        "at_least": replace(of, least=None),
        "fixed_in": replace(of, inside=none),
        "fixed_out": replace(of, outside=none),
    }
    for key, freed in without.items():
        if key in asked.rules and cheapest(freed, none.astype(float), deadline) is not None:
            found.append((key, f"no choice keeps all rules: without '{asked.rules[key]}' there is one"))
    if not found:
        found = [("k" if of.k is not None else "budget", "no choice keeps all rules, nor all but one of them")]
    return SpecError(Fault(what=what, key=key) for key, what in found)


def _figure(of: Programme, name: str, price: np.ndarray | None, deadline: float, wording: str) -> list[tuple[str, str]]:
    """Word the least of something that is enough, where more of it would do."""
    limit = getattr(of, name)
    if limit is None or price is None:
        return []
    freed = replace(of, budget=None) if name == "budget" else replace(of, k=None, exactly=False)
    chosen = cheapest(freed, price, deadline)
    if chosen is None:
        return []
    least = fsum(price[chosen])
    if name == "k" and least <= limit:
        return [("k", f"no choice of exactly {limit:,} areas keeps the other rules; one of {counted(least)} does")]
    allowed = f"at most {counted(limit)} may be chosen" if name == "k" else f"the budget is {counted(limit)}"
    return [(name, wording.format(counted(least), allowed))]
