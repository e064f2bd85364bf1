"""The score of two periods with the switches between them: whose figures are of before, and whose of after.

What :mod:`geoplan.risk.decomposition` stands on: figures by period and by definition, what is known of them, and the
contributions to the score for every setting of the switches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import factorial
from typing import Any, Literal

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, TableError
from geoplan.places import KNOWN, IndicatorTable, totals
from geoplan.risk.contrasts import figures_of, narrowed
from geoplan.risk.index import IndexResult
from geoplan.risk.inputs import relative_to, relative_way
from geoplan.specs import IndexSpec

__all__ = ["CHANGE_PARTS", "Figures", "both_figures", "closed_states", "reproduces", "shapley"]

#: What a change is made of, and how a sentence calls it.
CHANGE_PARTS = {
    "own": "the area's own figures",
    "turnover": "people who moved in or out",
    "reference": "the figures of the city that it is compared with",
    "definition": "other definitions, indicators or weights",
    "availability": "figures that are known in one of the years only",
    "not_separable": "not separable, a break in the definition lies between the years",
}
_EXACT = 1e-6
_KEYS = ["area_id", "indicator"]


@dataclass(frozen=True)
class Figures:
    """Figures of both periods by both definitions; frames and arrays are areas × indicators.

    Attributes
    ----------
    areas, table, names
        All areas, the table, and the indicators of both indices.
    figure, city
        ``figure[definition][period]`` and ``city[definition][period]``, 0 before and 1 after; the same for both
        definitions where nothing changed.
    town
        ``town[period]``: the city's figures of each period, whatever the base.
    two_ways, complete
        By indicator: measured by both definitions; and that in both periods, for every area.
    known
        ``known[period]``: the figure is used.
    breaks
        Known in both periods and not separable.
    step, stayed
        The change of those who stayed, or of all where that is not known; and where it is.
    turned_over, moving, redefined
        Whether anything is known of those who stayed; whether the city's figures move; whether definitions, indicators
        or rules do.
    """

    areas: pd.Index
    table: IndicatorTable
    names: list[str]
    figure: list[list[pd.DataFrame]]
    city: list[list[pd.Series]]
    town: list[pd.Series]
    two_ways: pd.Series
    complete: pd.Series
    known: list[np.ndarray]
    breaks: np.ndarray
    step: pd.DataFrame
    stayed: np.ndarray
    turned_over: bool
    moving: bool
    redefined: bool

    def relative(self, figures: pd.DataFrame, city: pd.Series, spec: IndexSpec) -> np.ndarray:
        """Put figures relative to a city by the rule of an index."""
        how = {name: relative_way(self.table.definitions[name], spec) for name in self.names}
        relative: np.ndarray = relative_to(figures, city, how, self.table.definitions).to_numpy(dtype=float)
        return relative

    def at_ends(self, specs: tuple[IndexSpec, IndexSpec]) -> list[np.ndarray]:
        """Return the relative figures of both periods, each by its own definition."""
        return [self.relative(self.figure[p][p], self.city[p][p], specs[p]) for p in (0, 1)]

    def setting(self, own: int, turn: int, ref: int, new: int) -> tuple[int, int, int, int]:
        """Return the setting that stands for all those in which the figures are the same."""
        return own, turn if self.turned_over else own, ref if self.moving else 0, new if self.redefined else 0

    def switches(self, *, lacking: bool) -> list[str]:
        """Return the switches that may change anything, in the order of :data:`CHANGE_PARTS`."""
        active = {
            "own": True,
            "turnover": self.turned_over,
            "reference": self.moving,
            "definition": self.redefined,
            "availability": lacking,
            "not_separable": bool(self.breaks.any()),
        }
        return [name for name, on in active.items() if on]


def both_figures(
    table: IndicatorTable,
    specs: tuple[IndexSpec, IndexSpec],
    periods: tuple[str, str],
    ends: list[IndexResult],
    reference: list[str] | None,
    bridge: IndicatorTable | None,
    stayers: IndicatorTable | None,
    base: Literal["moving", "fixed"],
) -> Figures:
    """Gather the figures of both periods, and say of each what can be told apart."""
    names = list(dict.fromkeys([*specs[0].indicators, *specs[1].indicators]))
    areas = ends[0].ranking.index.union(ends[1].ranking.index).sort_values().rename("area_id")
    group = list(areas if reference is None else areas.intersection(pd.Index(reference)))
    now = [_usable(table, table, names, period, areas) for period in periods]
    sums = [_totals(table, names, period, group) for period in periods]
    figure, city = [now, now], [sums, sums]
    two_ways, complete = (pd.Series(data=False, index=names) for _ in range(2))
    if bridge is not None:
        other = [_usable(bridge, table, names, period, areas) for period in periods]
        two_ways = other[0].notna().any() | other[1].notna().any()
        ratios = [_city_ratio(bridge, table, names, period, group) for period in periods]
        complete = two_ways & ~(now[0].notna() & other[0].isna() | now[1].notna() & other[1].isna()).any()
        cells = _corners(now[0], now[1], other[1], other[0])
        towns = _corners(sums[0], sums[1], sums[1] * ratios[1], sums[0] * ratios[0])
        plain = np.broadcast_to(~two_ways, now[0].shape)
        figure = [[frame.where(plain, cells[d][p]) for p, frame in enumerate(now)] for d in (0, 1)]
        city = [[line.where(~two_ways, towns[d][p]) for p, line in enumerate(sums)] for d in (0, 1)]
    broken = pd.Series({name: _breaks(table, name, periods) for name in names})
    told = np.all([frame.notna().to_numpy() for line in figure for frame in line], axis=0)
    told &= np.all([line.notna().to_numpy() for pair in city for line in pair], axis=0)
    if base == "fixed":
        city = [[line[0].fillna(sums[0])] * 2 for line in city]
    step, stayed = _steps(table, stayers, names, periods, now, ~(broken | two_ways))
    figures = Figures(
        areas=areas,
        table=table,
        names=names,
        figure=figure,
        city=city,
        town=sums,
        two_ways=two_ways,
        complete=complete,
        known=[],
        breaks=np.where(two_ways, ~told, broken),
        step=step,
        stayed=stayed,
        turned_over=stayers is not None,
        moving=base == "moving",
        redefined=bool(two_ways.any()) or specs[0] != specs[1],
    )
    known = [np.isfinite(relative) for relative in figures.at_ends(specs)]
    return _without_undefined(replace(figures, known=known, breaks=figures.breaks & known[0] & known[1]), specs)


def _usable(
    table: IndicatorTable, main: IndicatorTable, names: list[str], period: str, areas: pd.Index
) -> pd.DataFrame:
    """Return the figures that are known and stand on a base large enough: areas × indicators."""
    rows = narrowed(IndicatorTable(table.data, main.definitions), names, period)
    every = pd.MultiIndex.from_product([areas, names], names=_KEYS)
    wide: pd.DataFrame = figures_of(rows, every)["usable"].unstack("indicator")
    return wide.reindex(index=areas, columns=names)


def _totals(table: IndicatorTable, names: list[str], period: str, group: list[str]) -> pd.Series:
    return totals(narrowed(table, names, period), group).droplevel("period")["value"].astype(float).reindex(names)


def _city_ratio(
    bridge: IndicatorTable, table: IndicatorTable, names: list[str], period: str, group: list[str]
) -> pd.Series:
    """Return what one definition makes of the city's figure by the other, where every known area has both."""
    ours, theirs = (narrowed(IndicatorTable(one.data, table.definitions), names, period) for one in (table, bridge))
    known = [set(map(tuple, one.data.loc[one.data["status"].isin(KNOWN), _KEYS].to_numpy())) for one in (ours, theirs)]
    lacking = {name for area, name in known[0] - known[1] if area in set(group)}
    if theirs.data.empty:
        return pd.Series(np.nan, index=names)
    ratio = _totals(theirs, names, period, group) / _totals(ours, names, period, group)
    return ratio.where(np.isfinite(ratio)).mask(ratio.index.isin(lacking))


def _corners(first: Any, last: Any, last_as_first: Any, first_as_last: Any) -> list[list[Any]]:
    """Return figures (frames or series) by definition and period; the one of four not known is linked by ratio."""
    linked = first * last / last_as_first
    back = first * last / first_as_last
    old = last_as_first.where(last_as_first.notna(), back.where(np.isfinite(back)))
    new = first_as_last.where(first_as_last.notna(), linked.where(np.isfinite(linked)))
    return [[first, old], [new, last]]


def _breaks(table: IndicatorTable, name: str, periods: tuple[str, str]) -> bool:
    years = table.definitions[name].breaks
    wrong = [period for period in periods if not (period.isdecimal() and len(period) == 4)]  # noqa: PLR2004  a year
    if years and wrong:
        what = f"'{name}' has a break, and these periods are no years: {checks.listed(wrong)}"
        raise TableError(Fault(what=what, key="periods", expected="four digits, such as 2012"))
    return bool(years) and any(int(min(periods)) < year <= int(max(periods)) for year in years)


def _steps(
    table: IndicatorTable,
    stayers: IndicatorTable | None,
    names: list[str],
    periods: tuple[str, str],
    now: list[pd.DataFrame],
    comparable: pd.Series,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return how far the figures of those who stayed moved, and where that is known."""
    whole = now[1] - now[0]
    if stayers is None:
        return whole, np.zeros(whole.shape, dtype=bool)
    ends = [_usable(stayers, table, names, period, now[0].index) for period in periods]
    step = (ends[1] - ends[0]).where(whole.notna()) * comparable.map({True: 1.0, False: np.nan})
    stayed = step.notna()
    return step.where(stayed, whole), stayed.to_numpy()


def _without_undefined(figures: Figures, specs: tuple[IndexSpec, IndexSpec]) -> Figures:
    """Take figures out of the split that have no relative value half way, such as one inverted at 0."""
    settings = {figures.setting(*switches) for switches in product((0, 1), repeat=4)}
    undefined = np.any([~np.isfinite(_relative_at(figures, specs, *each)) for each in sorted(settings)], axis=0)
    undefined &= figures.known[0] & figures.known[1] & ~figures.breaks
    # What is undefined for the stayers may be defined for all who live there.
    mild = undefined & figures.stayed
    if mild.any():
        return _without_undefined(replace(figures, stayed=figures.stayed & ~mild), specs)
    return replace(figures, breaks=figures.breaks | undefined)


# ---------------------------------------------------------------- scores for every setting of the switches


def _relative_at(
    figures: Figures, specs: tuple[IndexSpec, IndexSpec], own: int, turn: int, ref: int, new: int
) -> np.ndarray:
    """Return the relative figures when the area's, its people's, the city's and the definition's switch are so."""
    before, after = figures.figure[new]
    whole = after - before
    stayed = figures.step.where(figures.stayed, whole)
    # Each end stands as it is: before + (after - before) may differ from it in the last digit.
    value = (after if own else before) if own == turn else before + (stayed if own else whole - stayed)
    return figures.relative(value, figures.city[new][ref], specs[new])


def _weights(known: np.ndarray, spec: IndexSpec, names: list[str]) -> np.ndarray:
    """Return what each known figure weighs in the score; NaN for an area that lacks a whole domain."""
    total = sum(domain.weight for domain in spec.domains)
    weights = np.zeros(known.shape)
    for domain in spec.domains:
        given = known * np.array([domain.indicators.get(name, 0.0) for name in names])
        size = given.sum(axis=1, keepdims=True)
        weights += domain.weight / total * given / np.where(size > 0, size, np.nan)
    return weights


def reproduces(figures: Figures, specs: tuple[IndexSpec, IndexSpec], ends: list[IndexResult]) -> bool:
    """Tell whether the closed form gives the scores of both periods; other methods have none."""
    for p, (spec, end) in enumerate(zip(specs, ends, strict=True)):
        score = end.score.dropna()
        relative = figures.relative(figures.figure[p][p], figures.town[p], spec)
        points = np.where(figures.known[p], relative, 0.0) * _weights(figures.known[p], spec, figures.names)
        made = pd.Series(np.nansum(points, axis=1), index=figures.areas).reindex(score.index)
        if not np.allclose(made, score, rtol=0.0, atol=_EXACT):
            return False
    return True


def _masks(figures: Figures, specs: tuple[IndexSpec, IndexSpec]) -> list[np.ndarray]:
    """Return what is known before and after; an indicator of one index only is not missing in the other."""
    first, last = (np.array([name in spec.indicators for name in figures.names]) for spec in specs)
    known = figures.known
    return [np.where(first, known[0], known[1]), np.where(last, known[1], known[0])]


def closed_states(
    figures: Figures, specs: tuple[IndexSpec, IndexSpec], chosen: pd.Index
) -> tuple[list[str], np.ndarray]:
    """Return the switches that matter, and contributions for each setting: settings × areas × indicators."""
    rows = figures.areas.get_indexer(chosen)
    masks, ends = _masks(figures, specs), figures.at_ends(specs)
    one_sided = figures.known[0] != figures.known[1]
    frozen = np.where(figures.known[0], ends[0], ends[1])
    names = figures.switches(lacking=bool((masks[0] != masks[1]).any()))
    weights = {(new, has): _weights(masks[has], specs[new], figures.names) for new in (0, 1) for has in (0, 1)}
    # An area that would lack a whole domain with the one index and the figures of the other: both change together.
    tied = np.isnan(weights[0, 1] + weights[1, 0]).any(axis=1)[:, None]
    cache: dict[tuple[int, ...], np.ndarray] = {}
    states = np.empty((2 ** len(names), len(chosen), len(figures.names)))
    for number in range(len(states)):
        on = {name: number >> place & 1 for place, name in enumerate(names)}
        own, turn, ref, new, has, gap = (on.get(name, 0) for name in CHANGE_PARTS)
        key = figures.setting(own, turn, ref, new)
        if key not in cache:
            cache[key] = _relative_at(figures, specs, *key)
        relative = np.where(figures.breaks, ends[gap], np.where(one_sided, frozen, cache[key]))
        weight = np.where(tied, weights[new, new], weights[new, has])
        states[number] = np.where(weight > 0, weight * relative, 0.0)[rows]
    return names, states


def shapley(states: np.ndarray) -> np.ndarray:
    """Return the Shapley value of each switch; ``states[k]`` is the result with the switches of the bits of k on."""
    count = int(np.log2(len(states)))
    values = np.zeros((count, *states.shape[1:]))
    for number in range(len(states)):
        size = number.bit_count()
        for place in range(count):
            if not number >> place & 1:
                share = factorial(size) * factorial(count - size - 1) / factorial(count)
                values[place] += share * (states[number | 1 << place] - states[number])
    return values
