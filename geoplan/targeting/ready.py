"""A rule made ready for a table: figures, limits and memory of one period, so that other figures can be judged too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk import IndexResult, risk_index
from geoplan.risk.normalising import settled
from geoplan.specs import CriterionSpec, IndexSpec, RuleSpec, UseSpec, index_preset
from geoplan.targeting.limits import Limits, edge_of, figure_of, limits_of, meets_limit, upwards
from geoplan.targeting.measures import Measures, item_under, measures_at, measuring_table, repeated_figures, rows_under
from geoplan.targeting.references import REFERENCES, as_references
from geoplan.targeting.verdicts import Scope, State, Verdict, judged, remembers, start_of

__all__ = [
    "Given",
    "Ready",
    "earlier_must_fit",
    "fixed_by",
    "index_figures",
    "index_of",
    "indicators_asked",
    "ready_for",
    "ready_without",
    "with_memory",
]

_ARITHMETIC = 5e-13  # as a share: beyond the twelfth digit is arithmetic, and not people


@dataclass(frozen=True)
class Given:
    """What a rule is applied to, whatever the period.

    Attributes
    ----------
    table, measured
        The indicators, and the figures of the rule's criteria.
    areas
        The areas, in order.
    uses
        Indicator of the rule → what the table offers for it.
    references
        With the columns of :data:`~geoplan.targeting.references.REFERENCES`.
    inside
        Level → area above, by area.
    listed
        Codes of the listed areas above; None where the rule lists none.
    reference_ids
        The areas that make up the city; None for all.
    indices
        Period → risk index.
    """

    table: IndicatorTable
    measured: IndicatorTable
    areas: pd.Index
    uses: Mapping[str, UseSpec]
    references: pd.DataFrame
    inside: Mapping[str, pd.Series]
    listed: frozenset[str] | None
    reference_ids: list[str] | None
    indices: Mapping[str, IndexResult]


@dataclass(frozen=True)
class Ready:
    """A rule with the figures and limits of one period.

    Attributes
    ----------
    rule
        The rule book.
    now, limits
        Figures and limits.
    scope
        What is asked beside the criteria.
    groups
        Criterion → number of the group in which areas are compared with each other (int, areas).
    before
        Status → what it remembers of the periods before.
    fixed
        Status → verdict of the period that is known already.
    """

    rule: RuleSpec
    now: Measures
    limits: Limits
    scope: Scope
    groups: Mapping[str, np.ndarray]
    before: Mapping[str, State]
    fixed: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def areas(self) -> pd.Index:
        """The areas, in order."""
        return self.now.value.index

    @property
    def names(self) -> list[str]:
        """The criteria, in order."""
        return [criterion.id for criterion in self.rule.criteria]

    def observed(self) -> dict[str, Verdict]:
        """Tell which criteria the figures meet as they stand: exactly, from counts where there are counts."""
        found = {}
        for criterion in self.rule.criteria:
            if criterion.ranked or criterion.classes:
                values = self.now.value[criterion.id].to_numpy()
                found[criterion.id] = self._compared(criterion, values)
                continue
            truth = np.zeros(len(self.areas), dtype=bool)
            known = self.now.absent(criterion.id)
            for place, code in enumerate(self.areas):
                limit, value = self.limits.of[criterion.id].get(code), figure_of(self.now, code, criterion.id)
                if limit is not None and value is not None:
                    known[place], truth[place] = True, meets_limit(criterion, value, limit.value)
            found[criterion.id] = Verdict.unless_missing(truth, known)
        return found

    @cached_property
    def edges(self) -> dict[str, tuple[np.ndarray, bool]]:
        """Criterion → where its upper side begins, by area (NaN where not known), and whether it includes that."""
        found = {}
        for criterion in self.rule.criteria:
            limits = [self.limits.of[criterion.id].get(code) for code in self.areas]
            edges = [None if limit is None else edge_of(criterion, limit.value) for limit in limits]
            edge = np.array([math.nan if item is None else float(item[0]) for item in edges])
            found[criterion.id] = edge, next((item[1] for item in edges if item is not None), True)
        return found

    def meets(self, values: Mapping[str, np.ndarray]) -> dict[str, Verdict]:
        """Tell which criteria other figures meet.

        Parameters
        ----------
        values
            Criterion → figures in its unit, arrays that end in areas; NaN where none is known. Limits stay as they are.
        """
        found = {}
        for criterion in self.rule.criteria:
            own = values[criterion.id]
            if criterion.ranked or criterion.classes:
                found[criterion.id] = self._compared(criterion, own)
                continue
            edge, includes = self.edges[criterion.id]
            # A binary number that arithmetic left beside the limit stands on it: 29 / 50 * 100 is 57.99999999999999.
            own = np.where(np.abs(own - edge) <= _ARITHMETIC * np.abs(edge), edge, own)
            upper = own >= edge if includes else own > edge
            known, absent = ~np.isnan(own) & ~np.isnan(edge), self.now.absent(criterion.id)
            truth = (upper == upwards(criterion)) & ~absent
            found[criterion.id] = Verdict.unless_missing(truth, known | absent)
        return found

    def _compared(self, criterion: CriterionSpec, values: np.ndarray) -> Verdict:
        absent = self.now.absent(criterion.id)
        if criterion.classes:
            known = ~np.isnan(values) | absent
            return Verdict.unless_missing(np.isin(values, list(criterion.classes)), known)
        return among_first(criterion, values, np.where(absent, -1, self.groups[criterion.id]))

    def judge(self, meets: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Tell which areas have which status when criteria are met so."""
        return judged(self.rule, meets, self.scope, period=self.now.period, before=self.before, fixed=self.fixed)[0]

    def judge_now(self, meets: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Tell which areas meet all that each status takes in this period, whatever was before."""
        return {
            name: Verdict(state.streak_sure > 0, state.streak_possible > 0)
            for name, state in self.remember(meets).items()
        }

    def judge_flipped(self, meets: Mapping[str, Verdict], names: Iterable[str]) -> dict[str, Verdict]:
        """Tell who would have which status if some criteria came out otherwise.

        ``population`` stands for the minimum of the chief status.
        """
        turned = {name: ~verdict if name in names else verdict for name, verdict in meets.items()}
        scope = self.scope
        if "population" in names:
            least = self.rule.least_population(self.rule.chief)
            people = np.where(scope.population >= least, -np.inf, np.inf)
            scope = replace(scope, population=np.where(np.isnan(scope.population), np.nan, people))
        return judged(self.rule, turned, scope, period=self.now.period, before=self.before, fixed=self.fixed)[0]

    def remember(self, meets: Mapping[str, Verdict]) -> dict[str, State]:
        """Return what each status remembers for the period after."""
        return judged(self.rule, meets, self.scope, period=self.now.period, before=self.before, fixed=self.fixed)[1]


def places_of(criterion: CriterionSpec, many: int) -> int:
    """Return how many areas of so many are among the first; a share is rounded up.

    Examples
    --------
    >>> fifth = CriterionSpec(id="fifth", label="A fifth", index="score", top_share=0.2)
    >>> [places_of(fifth, many) for many in (5, 6, 32)]
    [1, 2, 7]
    """
    if criterion.top is not None:
        return criterion.top
    return math.ceil(round(float(criterion.top_share or 0) * many, 9))


def among_first(criterion: CriterionSpec, values: np.ndarray, group: np.ndarray) -> Verdict:
    """Tell who is among the first of its group; who ties with the last of them is as well.

    An area without a figure may be anywhere, so that the last places are not sure while some are missing; one of group
    -1 does not take part.
    """
    sign = -1.0 if criterion.first == "highest" else 1.0
    ordered = settled((sign * values)[..., None])[..., 0]
    sure, possible = np.zeros(values.shape, dtype=bool), np.isnan(values) & (group >= 0)
    for number in np.unique(group[group >= 0]):
        rows = group == number
        own = np.sort(np.where(np.isnan(ordered[..., rows]), np.inf, ordered[..., rows]), axis=-1)
        missing = np.isinf(own).sum(axis=-1, keepdims=True)
        many = own.shape[-1]
        places = places_of(criterion, many)
        for truth, open_places in ((sure, missing), (possible, np.zeros_like(missing))):
            left = places - open_places
            cut = np.take_along_axis(own, np.clip(np.minimum(left, many) - 1, 0, many - 1), axis=-1)
            inside = (ordered[..., rows] <= cut) & (left >= 1) & ~np.isnan(ordered[..., rows])
            truth[..., rows] |= inside
    return Verdict(sure, possible | sure)


# ---------------------------------------------------------------- making it


def given_for(
    table: IndicatorTable,
    rule: RuleSpec,
    *,
    area_ids: Iterable[str] | None,
    indicators: Mapping[str, UseSpec | str | Mapping[str, object]] | None,
    references: pd.DataFrame | Mapping[str, Mapping[str, float]] | None,
    inside: Mapping[str, pd.Series] | None,
    listed: Iterable[str] | None,
    reference_ids: Iterable[str] | None,
    indices: Mapping[str, IndexResult] | None,
) -> Given:
    """Check what is handed in, and put it into one form.

    Raises
    ------
    SpecError
        With all that the rule asks for and nobody has handed in, and all that does not fit.
    TableError
        When a figure occurs more than once.
    """
    faults = Faults()
    uses = {name: UseSpec.model_validate(value) for name, value in (indicators or {}).items()}
    wanted = indicators_asked(rule)
    for name in sorted(set(uses) - wanted):
        faults.add(checks.unknown_name("indicator of the rule", name, wanted, key="indicators"))
    levels = {item.inside for item in rule.criteria} | {item.inside for item in rule.statuses} | {rule.listed}
    levels -= {None}
    for level in sorted(str(level) for level in levels - set(inside or {})):
        what, hint = f"the rule asks in which {level} areas lie", f"hand it in: inside = {{'{level}': …}}"
        faults.add(SpecError(Fault(what=what, key="inside", hint=hint)))
    chosen = tuple(listed) if listed is not None else rule.listed_areas
    if rule.listed and not chosen:
        what = f"the rule holds in listed areas of level '{rule.listed}', and none is named"
        faults.add(SpecError(Fault(what=what, key="listed", expected="the codes of the listed areas")))
    if rule.listed and chosen and inside and rule.listed in inside:
        for name in sorted(set(chosen) - set(inside[rule.listed].dropna())):
            faults.add(checks.unknown_name(rule.listed, name, set(inside[rule.listed].dropna()), key="listed"))
    made = pd.DataFrame(columns=REFERENCES)
    with faults.catch(key="references"):
        made = as_references(references, rule)
    for name in index_preset(rule.preset).indicators if rule.preset is not None else ():
        with faults.catch(key="preset"):
            item_under(name, uses.get(name, UseSpec(indicator=name)), table)
    measured = IndicatorTable(table.data.iloc[:0], {})
    for fault in repeated_figures(table.data):
        faults.add(fault)
    faults.raise_any()  # what follows asks for one figure each
    with faults.catch():
        measured = measuring_table(table, rule, uses)
    faults.raise_any()
    codes = table.data["area_id"].unique() if area_ids is None else area_ids
    areas = pd.Index(sorted({str(code) for code in codes}), name="area_id")
    if areas.empty:
        raise SpecError(Fault(what="there is no area to judge", key="area_ids", expected="codes of areas"))
    return Given(
        table=table,
        measured=measured,
        areas=areas,
        uses=uses,
        references=made,
        inside=dict(inside or {}),
        listed=frozenset(chosen) if rule.listed else None,
        reference_ids=None if reference_ids is None else list(reference_ids),
        indices=dict(indices or {}),
    )


def indicators_asked(rule: RuleSpec) -> set[str]:
    """Return the indicators that a rule asks the table for, by the names it has for them."""
    preset = set(index_preset(rule.preset).indicators) if rule.preset is not None else set()
    return {item.key for item in rule.criteria} | {rule.population} | preset


def index_of(rule: RuleSpec, given: Given, period: str) -> IndexResult | None:
    """Return the risk index of a period: the one handed in, or the one of the rule's preset.

    Raises
    ------
    InputError
        What :func:`~geoplan.risk.risk_index` refuses.
    """
    if period in given.indices:
        return given.indices[period]
    if rule.preset is None:
        return None
    spec = index_preset(rule.preset)
    table = index_figures(spec, given)
    return risk_index(table, spec, period=period, area_ids=list(given.areas), reference_ids=given.reference_ids)


def index_figures(spec: IndexSpec, given: Given) -> IndicatorTable:
    """Return the table under the names that a preset's index asks for.

    Raises
    ------
    SpecError
        When the table lacks what is used in the place of an indicator.
    """
    table = given.table
    uses = {name: use for name, use in given.uses.items() if name in {*spec.indicators, spec.population}}
    uses = {name: use for name, use in uses.items() if use.complement or use.indicator != name}
    if not uses:
        return table
    items = {name: item_under(name, use, table) for name, use in uses.items()}

    def renamed(data: pd.DataFrame) -> pd.DataFrame:
        others = data[~data["indicator"].isin(list(uses))]
        own = [rows_under(name, use, data, table.definitions) for name, use in uses.items()]
        return pd.concat([others, *own], ignore_index=True)

    parts = None if table.parts is None else renamed(table.parts)
    return IndicatorTable(renamed(table.data), {**table.definitions, **items}, parts, table.profile)


def ready_for(
    rule: RuleSpec,
    given: Given,
    period: str,
    *,
    before: Mapping[str, State] | None = None,
    fixed: Mapping[str, Verdict] | None = None,
) -> Ready:
    """Make a rule ready for one period.

    Raises
    ------
    SpecError
        When the table has no such period, or the rule asks for an index that is not there.
    """
    periods = given.table.periods()
    if period not in periods:
        raise checks.unknown_name("period of the table", period, periods, key="period")
    index = index_of(rule, given, period) if any(item.index for item in rule.criteria) else None
    now = measures_at(given.measured, rule, period, given.areas, index=index)
    limits = limits_of(
        rule,
        given.measured,
        now,
        references=given.references,
        inside=given.inside,
        reference_ids=given.reference_ids,
        index=index,
    )
    return _made_ready(rule, given, now, limits, _scope(rule, given, period), before, fixed)


def _made_ready(
    rule: RuleSpec,
    given: Given,
    now: Measures,
    limits: Limits,
    scope: Scope,
    before: Mapping[str, State] | None,
    fixed: Mapping[str, Verdict] | None,
) -> Ready:
    """Put together what is compared; a status of which nothing is remembered starts with everything open."""
    start = {status.id: start_of(len(given.areas)) for status in rule.statuses}
    return Ready(
        rule=rule,
        now=now,
        limits=limits,
        scope=scope,
        groups={item.id: _numbers(item.inside, given) for item in rule.criteria if item.ranked},
        before={**start, **(before or {})},
        fixed=dict(fixed or {}),
    )


def _scope(rule: RuleSpec, given: Given, period: str | None) -> Scope:
    """Put down what is asked beside the criteria; without a period nobody knows how many people there are."""
    use = given.uses.get(rule.population, UseSpec(indicator=rule.population))
    rows = given.table.data
    rows = rows[(rows["indicator"] == use.indicator) & (rows["period"] == period)].set_index("area_id")
    asked = any(status.minimum_population for status in rule.statuses)
    if asked and rows.empty and period is not None:
        present = sorted(set(given.table.data["indicator"]))
        raise checks.unknown_name("indicator of the table", use.indicator, present, key="population")
    listed = np.ones(len(given.areas), dtype=bool)
    if rule.listed is not None and given.listed is not None:
        listed = given.inside[rule.listed].reindex(given.areas).isin(given.listed).to_numpy()
    levels = {str(status.inside) for status in rule.statuses if status.inside}
    people = rows["value"].reindex(given.areas).to_numpy(dtype=float)
    return Scope(population=people, listed=listed, inside={level: _numbers(level, given) for level in levels})


def _numbers(level: str | None, given: Given) -> np.ndarray:
    """Give each area the number of its group: one for all where no level is named, -1 where it is in none."""
    if level is None:
        return np.zeros(len(given.areas), dtype=int)
    codes, _ = pd.factorize(given.inside[level].reindex(given.areas), sort=True)
    return np.asarray(codes, dtype=int)


# ---------------------------------------------------------------- with what was before


def with_memory(
    rule: RuleSpec, given: Given, period: str, earlier: pd.DataFrame | None
) -> tuple[Ready, list[tuple[str, str]]]:
    """Make a rule ready for a period, with what its statuses remember of those before.

    Parameters
    ----------
    rule, given, period
        The rule, what it is applied to, and the period.
    earlier
        Published or earlier results, ``area_id, period, status, holds`` (bool): they stand in place of what the table
        would give. An area that is not named in a period and status of it has not the status.

    Returns
    -------
    tuple of Ready and list
        And the periods that were looked at, with where they come from.
    """
    if earlier is not None:
        earlier_must_fit(earlier, given.areas)
    fixed = fixed_by(rule, given, earlier)
    if not any(remembers(item) for item in rule.statuses):
        return ready_for(rule, given, period), []
    states: dict[str, State] = {}
    told = []
    for year in _years_before(period, {*given.table.periods(), *fixed}):
        own = fixed.get(year, {})
        if year in given.table.periods():
            ready = ready_for(rule, given, year, before=states, fixed=own)
            where = "the table and earlier results" if own else "the table"
        else:
            ready = ready_without(rule, given, year, before=states, fixed=own)
            where = "earlier results"
        states = ready.remember(ready.observed())
        told.append((year, where))
    return ready_for(rule, given, period, before=states, fixed=fixed.get(period, {})), told


def ready_without(
    rule: RuleSpec,
    given: Given,
    period: str,
    *,
    before: Mapping[str, State] | None = None,
    fixed: Mapping[str, Verdict] | None = None,
) -> Ready:
    """Make a rule ready for a period of which the table knows nothing, and perhaps lists tell who has which status."""
    names = [criterion.id for criterion in rule.criteria]

    def frame(value: object, dtype: type) -> pd.DataFrame:
        return pd.DataFrame(value, index=given.areas, columns=names, dtype=dtype)

    nothing, text = frame(math.nan, float), frame("", object)
    now = Measures(
        period=period,
        value=nothing,
        numerator=nothing,
        denominator=nothing,
        status=frame("not_collected", object),
        reason=text,
        source=text,
        method=text,
        years=dict.fromkeys(names, 1),
        items=given.measured.definitions,
    )
    limits = limits_of(
        rule,
        given.measured,
        now,
        references=given.references,
        inside=given.inside,
        reference_ids=given.reference_ids,
    )
    return _made_ready(rule, given, now, limits, _scope(rule, given, None), before, fixed)


def _years_before(period: str, known: set[str]) -> list[str]:
    """Return the years on end before a period, the earliest first.

    Raises
    ------
    SpecError
        When the period is no year.
    """
    if not period.isdecimal():
        what, expected = f"the rule looks back over years, and the period is '{period}'", "a year, such as 2018"
        raise SpecError(Fault(what=what, key="period", expected=expected))
    years, year = [], int(period) - 1
    while str(year) in known:
        years.append(str(year))
        year -= 1
    return years[::-1]


def earlier_must_fit(earlier: pd.DataFrame, areas: pd.Index) -> None:
    """Refuse earlier results that lack a column, or none of whose areas is judged.

    Raises
    ------
    SpecError
        With all that is wrong.
    """
    absent = [name for name in ("area_id", "period", "status", "holds") if name not in earlier]
    if absent:
        errors = checks.absent_columns(absent, list(earlier.columns), key="earlier")
        raise SpecError(fault for error in errors for fault in error.faults)
    if len(earlier) and not earlier["area_id"].astype(str).isin(areas).any():
        what = f"none of the areas in earlier results is judged: {checks.listed(earlier['area_id'].unique())}"
        raise SpecError(Fault(what=what, key="earlier", expected="codes of areas"))


def fixed_by(rule: RuleSpec, given: Given, earlier: pd.DataFrame | None) -> dict[str, dict[str, Verdict]]:
    """Return period → status → verdict of what is known already."""
    if earlier is None:
        return {}
    names = {item.continues or item.id: item.id for item in rule.statuses} | {
        item.id: item.id for item in rule.statuses
    }
    faults = Faults()
    for name in sorted(set(earlier["status"].astype(str)) - set(names)):
        faults.add(checks.unknown_name("status of the rule", name, names, key="earlier"))
    faults.raise_any()
    found: dict[str, dict[str, Verdict]] = {}
    for (period, status), rows in earlier.groupby([earlier["period"].astype(str), "status"]):
        holds = rows.set_index(rows["area_id"].astype(str))["holds"].astype("boolean")
        holds = holds[~holds.index.duplicated()].reindex(given.areas)
        missing = holds.isna().to_numpy() & given.areas.isin(rows["area_id"].astype(str))
        truth = holds.fillna(value=False).to_numpy(dtype=bool)
        found.setdefault(str(period), {})[names[status]] = Verdict(truth, truth | missing)
    return found
