"""Why a score changed between two years: the area itself, the city it is compared with, or what was measured.

A score depends on several things that change together. Each is a switch, from *before* to *after*; the score is worked
out for every setting of the switches, and the effect of a switch is its mean over all orders in which they can be
turned (the Shapley value). The parts add up to the change without a rest, and say the same with time reversed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.risk.index import IndexResult, risk_index
from geoplan.risk.methods import presentation
from geoplan.risk.switches import CHANGE_PARTS, Figures, both_figures, closed_states, reproduces, shapley
from geoplan.specs import IndexSpec

__all__ = ["CHANGE_PARTS", "ChangeDecomposition", "decompose_change"]

_KEYS = ["area_id", "indicator"]
_TOLD = 0.05  # points; smaller parts round to 0.0
_MOST = 3


@dataclass(frozen=True)
class ChangeDecomposition:
    """What the changes of scores are made of.

    Attributes
    ----------
    parts
        Index ``area_id``: ``score_before``, ``score_after`` (see ``divided``), ``change`` (points) and its parts, which
        add up to it:
        ``own`` (the area's figures), ``turnover`` (people who moved in or out; NaN where not known, and then part of
        ``own``), ``reference`` (the city's figures), ``definition`` (definitions measured both ways, and indicators,
        weights and rules of the index that differ), ``availability`` (figures known in one of the periods only, with
        the weight that the others gain or lose by it), ``not_separable`` (indicators with a break in between that
        nobody measured both ways); ``status`` (the less sure of both ends), ``reason`` and ``reason_period`` (why and
        when an area has no rank, and so no numbers; ``undefined_between`` where an altered table has no score, and all
        of the change stands in ``not_separable``).
    by_indicator
        One row an area and indicator: ``area_id, domain, indicator, unit, value_before, value_after, city_before,
        city_after`` (what the area was compared with), ``contribution_before``, ``contribution_after``, ``change``
        (points of the score), the same parts, and ``split`` (``separable``, ``break``, ``known_before_only``,
        ``known_after_only``, ``not_known``, ``undefined_between`` or ``no_rank``). An area's indicators add up to its
        row in ``parts``.
    periods
        Before and after.
    base
        ``moving``: each period's city = 100; ``fixed``: that of the first period.
    method
        ``closed form``, or ``runs of the index`` for methods without one.
    divided
        ``score``, or ``composite`` where the score is the percentile rank of it, of which no parts could add up.
    """

    parts: pd.DataFrame
    by_indicator: pd.DataFrame = field(repr=False)
    periods: tuple[str, str]
    base: Literal["moving", "fixed"]
    method: Literal["closed form", "runs of the index"]
    divided: Literal["score", "composite"] = "score"

    def lines(self, area_id: str, *, labels: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Return one area's change as sentences, the largest part first.

        Parameters
        ----------
        area_id
            The area's code.
        labels
            Indicator → what to call it, such as ``sheets(table.definitions)["label"]``; its id when left out.

        Raises
        ------
        SpecError
            When there is no such area.
        """
        if area_id not in self.parts.index:
            raise checks.unknown_name("area", area_id, self.parts.index)
        row, (before, after) = self.parts.loc[area_id], self.periods
        called = {} if labels is None else dict(labels)
        if pd.isna(row["change"]):
            return [f"No change is told: the area has no rank in {row['reason_period']} ({row['reason']})."]
        moved = "rose" if row["change"] > 0 else "fell"
        ends = f"from {row['score_before']:.1f} in {before} to {row['score_after']:.1f} in {after}"
        score = "score" if self.divided == "score" else "sum whose percentile rank the score is"
        said = [f"The {score} {moved} by {abs(row['change']):.1f} points, {ends}."]
        if abs(row["change"]) < _TOLD:
            said = [f"The {score} is the same: {row['score_before']:.1f} in {before} and in {after}."]
        if self.base == "fixed":
            said.append(f"Both years are compared with the city of {before}.")
        shares = row[list(CHANGE_PARTS)].astype(float)
        for name in shares.abs().sort_values(ascending=False, kind="stable").index:
            if abs(shares[name]) >= _TOLD:
                said.append(f"{shares[name]:+.1f} points: {CHANGE_PARTS[name]}{self._most(area_id, name, called)}.")
        if pd.isna(shares["turnover"]):
            said.append("How much of it people who moved in or out make is not known; it is part of the own figures.")
        return said

    def _most(self, area_id: str, part: str, labels: Mapping[str, str]) -> str:
        own = self.by_indicator[self.by_indicator["area_id"] == area_id].set_index("indicator")[part].dropna()
        large = own[own.abs() >= _TOLD].sort_values(key=np.abs, ascending=False, kind="stable").head(_MOST)
        told = ", ".join(f"{labels.get(str(name), name)} {points:+.1f}" for name, points in large.items())
        return f" ({told})" if told else ""


def decompose_change(
    table: IndicatorTable,
    spec: IndexSpec,
    *,
    periods: tuple[str, str],
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    spec_after: IndexSpec | None = None,
    table_bridge: IndicatorTable | None = None,
    stayers: IndicatorTable | None = None,
    base: Literal["moving", "fixed"] = "moving",
    only: Iterable[str] | None = None,
    groups: pd.Series | None = None,
) -> ChangeDecomposition:
    r"""Divide the change of each area's score between two periods into what it is made of.

    With the score :math:`f(S)` when the switches of a set *S* of *N* stand on *after* and the others on *before*, the
    part of switch *j* is its Shapley value (Shapley 1953; for decompositions Shorrocks 2013)

    .. math::

        \varphi_j = \sum_{S \subseteq N \setminus j} \frac{|S|!\,(|N| - |S| - 1)!}{|N|!}
        \,\bigl(f(S \cup j) - f(S)\bigr), \qquad \sum_j \varphi_j = f(N) - f(\emptyset).

    Parameters
    ----------
    table
        Indicators of the areas in both periods.
    spec
        The index; of the first period where ``spec_after`` is given.
    periods
        Before and after; years where an indicator has a break.
    area_ids, reference_ids
        As in :func:`~geoplan.risk.risk_index`.
    spec_after
        The index of the second period, where indicators, weights or rules differ.
    table_bridge
        Figures measured by the *other* period's definition: rows of the second period by the definition of the first,
        rows of the first by that of the second, or both. With one of them the other is linked by the same ratio, area
        by area; the city's ratio is that of the areas measured both ways, which must be all that are known.
    stayers
        Figures, in both periods, of those who lived in the area in both; their change is the area's own, the rest of
        the change is turnover. Not used for an indicator with a break.
    base
        ``moving``: each period's city = 100; ``fixed``: the first period's city, so that ``reference`` is 0 and
        ``score_after`` is the area against the city as it was.
    only
        The areas to decompose; all when left out. Methods other than *relative* take a run of the index for each area
        and setting of the switches.
    groups
        As in :func:`~geoplan.risk.risk_index`.

    Returns
    -------
    ChangeDecomposition
        An indicator that is known in one of the periods only has its whole effect in ``availability``. One with a
        break between the periods, and not measured both ways, has it in ``not_separable``. An indicator in one of the
        two indices only counts under ``definition``, as far as its own figures did not change.

    Raises
    ------
    SpecError
        When a period, an indicator or an area is not known, the periods are the same, or ``stayers`` is handed in for
        another method than *relative*.
    TableError
        When the index of a period is undefined (see :func:`~geoplan.risk.risk_index`), or a break lies in periods that
        are no years.

    Examples
    --------
    Half the city's poor in 2006 and 2012; the area's share went from 20 to 15 %, the city's from 10 to 5 %.

    >>> rows = [("A", "2006", 20, 100), ("B", "2006", 80, 900), ("A", "2012", 15, 100), ("B", "2012", 35, 900)]
    >>> data = pd.DataFrame(rows, columns=["area_id", "period", "numerator", "denominator"])
    >>> data = data.assign(indicator="poor", value=100 * data["numerator"] / data["denominator"], status="observed")
    >>> people = data.assign(indicator="population", numerator=data["denominator"], value=data["denominator"])
    >>> from geoplan.specs import DomainSpec, IndicatorSpec
    >>> kinds = {"poor": ("share", "pct", "higher_is_worse"), "population": ("count", "persons", "neutral")}
    >>> definitions = {name: IndicatorSpec(id=name, label=name, kind=k, unit=u, direction=d)
    ...                for name, (k, u, d) in kinds.items()}
    >>> table = IndicatorTable(pd.concat([data, people]), definitions)
    >>> spec = IndexSpec(domains=[DomainSpec(id="livelihood", label="Livelihood", indicators=["poor"])])
    >>> found = decompose_change(table, spec, periods=("2006", "2012"))
    >>> found.parts.loc["A", ["score_before", "score_after", "own", "reference"]].tolist()
    [200.0, 300.0, -75.0, 175.0]
    >>> for line in found.lines("A"):
    ...     print(line)
    The score rose by 100.0 points, from 200.0 in 2006 to 300.0 in 2012.
    +175.0 points: the figures of the city that it is compared with (poor +175.0).
    -75.0 points: the area's own figures (poor -75.0).
    How much of it people who moved in or out make is not known; it is part of the own figures.
    """
    if periods[0] == periods[1]:
        raise SpecError(Fault(what=f"the change from {periods[0]} to {periods[1]}", key="periods", expected="two"))
    specs = (spec, spec_after or spec)
    ranked = None if area_ids is None else sorted(set(area_ids))
    reference = None if reference_ids is None else sorted(set(reference_ids))
    ends = [
        risk_index(table, one, period=period, area_ids=ranked, reference_ids=reference, groups=groups)
        for one, period in zip(specs, periods, strict=True)
    ]
    figures = both_figures(table, specs, periods, ends, reference, table_bridge, stayers, base)
    asked = figures.areas if only is None else pd.Index(sorted(set(only)), name="area_id")
    for area in asked.difference(figures.areas):
        raise checks.unknown_name("area", area, figures.areas, key="only")
    both = pd.concat([end.ranking["rank"].reindex(asked).notna() for end in ends], axis=1).all(axis=1)
    chosen = asked[both.to_numpy()]
    closed = reproduces(figures, specs, ends)
    if closed:
        names, states = closed_states(figures, specs, chosen)
    elif stayers is not None:
        what = "turnover can be told for the relative method only"
        raise SpecError(Fault(what=what, key="stayers", hint="leave `stayers` out, or take `method = relative`"))
    else:
        # An altered table needs every area by both definitions; what is linked by ratio stays unseparated.
        linked = (figures.two_ways & ~figures.complete).to_numpy() & figures.known[0] & figures.known[1]
        figures = replace(figures, breaks=figures.breaks | linked)
        rerun = _Rerun(table, table_bridge, figures, specs, periods, ranked, reference, base, groups)
        names, states = rerun.states(chosen)
    by_indicator = _by_indicator(figures, specs, asked, chosen, names, states)
    parts = _parts(by_indicator, ends, asked, periods)
    method: Literal["closed form", "runs of the index"] = "closed form" if closed else "runs of the index"
    shown = [presentation(one) for one in specs]
    return ChangeDecomposition(
        parts, by_indicator, periods, base, method, "composite" if "percentile" in shown else "score"
    )


# ---------------------------------------------------------------- other methods: runs of the index


@dataclass(frozen=True)
class _Rerun:
    """Scores of an area by running the index on tables where some figures are of before and some of after.

    The switch of the area turns its own rows, that of the reference those of all other areas.
    """

    table: IndicatorTable
    bridge: IndicatorTable | None
    figures: Figures
    specs: tuple[IndexSpec, IndexSpec]
    periods: tuple[str, str]
    ranked: list[str] | None
    reference: list[str] | None
    base: Literal["moving", "fixed"]
    groups: pd.Series | None = None

    def states(self, chosen: pd.Index) -> tuple[list[str], np.ndarray]:
        """Return the switches, and contributions for each setting: settings × areas × indicators."""
        figures = self.figures
        one_sided = figures.known[0] != figures.known[1]
        gaps = pd.Series(figures.breaks.any(axis=0), figures.names)
        names = figures.switches(lacking=bool(one_sided.any()))
        rows = {"data": self._both(lambda one: one.data), "parts": self._both(lambda one: one.finest)}
        states = np.full((2 ** len(names), len(chosen), len(figures.names)), np.nan)
        for number in range(len(states)):
            on = {name: number >> place & 1 for place, name in enumerate(names)}
            for place, area in enumerate(chosen):
                lacking = pd.Series(one_sided[figures.areas.get_loc(area)], figures.names)
                states[number, place] = self._run(rows, str(area), on, lacking, gaps)
        return names, states

    def _both(self, rows_of: Callable[[IndicatorTable], pd.DataFrame]) -> pd.DataFrame:
        """Return all rows with the number of their period (``at``) and of the definition they were measured by."""
        pieces = []
        for p, period in enumerate(self.periods):
            for one, by in ((self.table, p), (self.bridge, 1 - p)):
                if one is not None:
                    rows = rows_of(one)
                    pieces.append(rows[rows["period"] == period].assign(at=p, by=by))
        return pd.concat(pieces, ignore_index=True)

    def _run(
        self, rows: Mapping[str, pd.DataFrame], area: str, on: Mapping[str, int], lacking: pd.Series, gaps: pd.Series
    ) -> np.ndarray:
        """Run the index on one altered table; NaN where it leaves the area without a score."""
        figures, new = self.figures, on.get("definition", 0)
        mine = pd.Series(on["own"], figures.names).mask(gaps, on.get("not_separable", 0))
        mine = mine.mask(lacking, on.get("availability", 0))
        theirs = mine.where((lacking | gaps) & figures.moving, on.get("reference", 0))
        twice = figures.two_ways & ~gaps

        def altered(frame: pd.DataFrame, column: str) -> pd.DataFrame:
            names = frame["indicator"]
            at_own, at_others = names.map(mine).fillna(on["own"]), names.map(theirs).fillna(on.get("reference", 0))
            by = frame["at"].mask(names.map(twice).fillna(value=False).astype(bool), new)
            kept = (frame["at"] == at_own.where(frame[column] == area, at_others)) & (frame["by"] == by)
            return frame[kept].drop(columns=["at", "by"]).assign(period=self.periods[1])

        parts = None if self.table.parts is None else altered(rows["parts"], "parent")
        table = IndicatorTable(altered(rows["data"], "area_id"), self.table.definitions, parts)
        try:
            found = risk_index(
                table,
                self.specs[new],
                period=self.periods[1],
                area_ids=self.ranked,
                reference_ids=self.reference,
                groups=self.groups,
            )
        except TableError:  # such as a city that has no case of something half way
            return np.full(len(figures.names), np.nan)
        points = found.contributions.reindex(columns=figures.names).loc[area].to_numpy(dtype=float)
        ranked = bool(found.ranking["rank"].notna()[area])
        return np.nan_to_num(points) if ranked else np.full(len(figures.names), np.nan)


# ---------------------------------------------------------------- what is handed back


def _by_indicator(
    figures: Figures,
    specs: tuple[IndexSpec, IndexSpec],
    asked: pd.Index,
    chosen: pd.Index,
    names: list[str],
    states: np.ndarray,
) -> pd.DataFrame:
    every = pd.MultiIndex.from_product([asked, figures.names], names=_KEYS)
    rows = figures.areas.get_indexer(asked)

    def tall(array: np.ndarray, areas: pd.Index = chosen) -> pd.Series:
        return pd.Series(array.ravel(), pd.MultiIndex.from_product([areas, figures.names])).reindex(every)

    inside = every.get_level_values("indicator")
    domain = {name: one.id for spec in specs for one in spec.domains for name in one.indicators}
    unit = {name: figures.table.definitions[name].unit for name in figures.names}
    frame = pd.DataFrame({"domain": inside.map(domain), "unit": inside.map(unit)}, index=every)
    for p, when in enumerate(("before", "after")):
        frame[f"value_{when}"] = tall(figures.figure[p][p].to_numpy()[rows], asked)
        frame[f"city_{when}"] = inside.map(figures.city[p][p])
    undefined = np.isnan(states).any(axis=(0, 2))
    values = dict(zip(names, shapley(states), strict=True))
    change = states[-1] - states[0]
    frame["contribution_before"], frame["contribution_after"] = tall(states[0]), tall(states[-1])
    frame["change"] = tall(change)
    for name in CHANGE_PARTS:
        part = np.where(undefined[:, None], 0.0, values.get(name, np.zeros_like(change)))
        if name == "not_separable":
            part = np.where(undefined[:, None], change, part)
        frame[name] = tall(part)
    stayed = tall(figures.stayed[rows], asked).astype(bool)
    frame["turnover"] = frame["turnover"].where(stayed)
    known = [tall(mask[rows], asked).astype(bool) for mask in figures.known]
    area = every.get_level_values("area_id")
    broken = tall(figures.breaks[rows], asked).astype(bool)
    cases = [
        ~area.isin(chosen),
        area.isin(chosen[undefined]),
        ~known[0] & ~known[1],
        ~known[1],
        ~known[0],
        broken,
    ]
    kinds = ["no_rank", "undefined_between", "not_known", "known_before_only", "known_after_only", "break"]
    frame["split"] = np.select(cases, kinds, "separable")
    frame = frame.reset_index()
    first = ["area_id", "domain", "indicator", "unit", "value_before", "value_after", "city_before", "city_after"]
    return frame[[*first, "contribution_before", "contribution_after", "change", *CHANGE_PARTS, "split"]]


def _parts(
    by_indicator: pd.DataFrame,
    ends: list[IndexResult],
    asked: pd.Index,
    periods: tuple[str, str],
) -> pd.DataFrame:
    columns = ["contribution_before", "contribution_after", "change", *CHANGE_PARTS]
    sums = by_indicator.groupby("area_id")[columns].sum(min_count=1).reindex(asked)
    parts = sums.rename(columns={f"contribution_{when}": f"score_{when}" for when in ("before", "after")})
    verdicts = [end.ranking[["status", "reason"]].reindex(asked) for end in ends]
    status = [one["status"].astype(object).fillna("not_collected") for one in verdicts]
    reason = [one["reason"].astype(object).fillna("population_not_known") for one in verdicts]
    found = pd.Series("observed", index=asked, dtype=object)
    for doubt in ("provisional", "estimated"):
        found = found.mask((status[0] == doubt) | (status[1] == doubt), doubt)
    gone = [one != "" for one in reason]
    parts["status"] = found.mask(gone[1], status[1]).mask(gone[0], status[0])
    parts["reason"] = reason[0].where(gone[0], reason[1])
    both = f"{periods[0]} and {periods[1]}"
    parts["reason_period"] = np.select([gone[0] & gone[1], gone[0], gone[1]], [both, *periods], "")
    undefined = by_indicator.loc[by_indicator["split"] == "undefined_between", "area_id"]
    parts.loc[parts.index.isin(undefined), "reason"] = "undefined_between"
    return parts
