"""The choice of programme areas, as a scenario asks for it: rules, how sure they are, who is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, InputError, SpecError
from geoplan.places import IndicatorTable, pairs_at, parents_at
from geoplan.risk import IndexResult, risk_index
from geoplan.specs import RuleSpec, TargetingSpec, rule_names
from geoplan.specs.targeting import BoundariesSpec, HistorySpec
from geoplan.targeting import (
    BoundaryPolicy,
    DesignationCertainty,
    History,
    ReachedComparison,
    Selection,
    Stability,
    boundary_policy,
    compare_reached,
    designation_certainty,
    select,
    stability,
    status_history,
)
from geoplan.targeting.ready import indicators_asked
from geoplan.targeting.references import REFERENCES, references_asked

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = [
    "Targeting",
    "certainty_of",
    "check_choice",
    "choice_of",
    "index_in",
    "must_be_asked",
    "parents_of",
    "rule_of",
    "selection_for",
    "selections_of",
]


def rule_of(run: Run, name: str | None = None) -> tuple[str, RuleSpec]:
    """Return a rule book by its name; the scenario's own when left out.

    Raises
    ------
    SpecError
        When the scenario names none, or there is none of this name.
    """
    asked = run.spec.targeting
    if name is None:
        if asked is None:
            hint = 'name one: [targeting] with rule = "se_2012"; `geoplan rules list` shows which there are'
            raise SpecError(Fault(what="the scenario names no rule", file=run.shown, key="targeting", hint=hint))
        name = asked.rule
    return name, run.catalogue.rule(name, key="targeting.rule")


def must_be_asked(run: Run) -> None:
    """Refuse what a scenario says under [targeting] and none of its rules asks for, or no area bears.

    Raises
    ------
    SpecError
        With all of it.
    """
    asked = run.spec.targeting
    if asked is None:
        return
    rules = [run.catalogue.rule(name) for name in (asked.rule, *asked.compare)]
    if asked.history is not None and asked.history.versions:
        rules += _versions(run, asked.rule, rules[0])
    faults = Faults()
    for part in (_without_rule(asked, rules), _without_place(run, asked)):
        for error in part:
            faults.add(error)
    with Faults.located_at(run.shown):
        faults.raise_any()


def _without_rule(asked: TargetingSpec, rules: Sequence[RuleSpec]) -> Iterator[SpecError]:
    """Word what is said and no rule asks for."""
    wanted = set().union(*(indicators_asked(rule) for rule in rules))
    for name in sorted(set(asked.indicators) - wanted):
        yield checks.unknown_name("indicator of the rules", name, wanted, key="targeting.indicators")
    given = {f"{item.reference}.{item.indicator}" for item in asked.references}
    known = {f"{name}.{key}" for rule in rules for name, keys in references_asked(rule).items() for key in keys}
    for name in sorted(given - known):
        yield checks.unknown_name("reference that the rules ask for", name, known, key="targeting.references")
    statuses = {name for rule in rules for item in rule.statuses for name in (item.id, item.continues) if name}
    for name in sorted({item.status for item in asked.earlier} - statuses):
        yield checks.unknown_name("status of the rules", name, statuses, key="targeting.earlier")
    if asked.listed and not any(rule.listed for rule in rules):
        what = "areas are listed, and no rule of the scenario holds in listed areas only"
        yield SpecError(Fault(what=what, key="targeting.listed", hint="leave it out, or check `rule`"))


def _without_place(run: Run, asked: TargetingSpec) -> Iterator[SpecError]:
    """Word which areas, levels and years are named that there are not."""
    codes = set(run.areas().index)
    for key, given in (
        ("targeting.earlier", [code for item in asked.earlier for code in item.areas]),
        ("targeting.nominated", [item.area_id for item in asked.nominated]),
    ):
        for code in sorted(set(given) - codes):
            yield checks.unknown_name("area", code, codes, key=key)
    if asked.named_from is not None and asked.named_from not in run.levels():
        yield checks.unknown_name("level of the scenario", asked.named_from, run.levels(), key="targeting.named_from")
    years = {*run.combination().table.periods(), *(item.period for item in asked.earlier)}
    for year in sorted(set(asked.history.periods if asked.history else ()) - years):
        yield checks.unknown_name("period of the tables", year, years, key="targeting.history.periods")


def selection_for(
    run: Run,
    rule: RuleSpec,
    *,
    period: str | None = None,
    references: Mapping[str, Mapping[str, float]] | None = None,
    indicators: Mapping[str, object] | None = None,
    listed: Sequence[str] | None = None,
) -> Selection:
    """Apply a rule to the areas of a run.

    Parameters
    ----------
    run
        The run.
    rule
        The rule book.
    period
        The period; the scenario's when left out.
    references, indicators
        Beside, or in place of, what the scenario says under [targeting].
    listed
        Codes or names in place of those that the scenario lists.

    Raises
    ------
    InputError
        When areas or tables are faulty, or the rule asks for something that is not there.
    """
    asked = run.spec.targeting or TargetingSpec(rule="none")
    when = period or run.spec.period
    table, areas = run.counted(), list(run.areas().index)
    inside = _inside(run, rule)
    wanted = indicators_asked(rule)
    uses = {name: use for name, use in asked.indicators.items() if name in wanted} | dict(indicators or {})
    with Faults.located_at(run.shown):
        return select(
            table,
            rule,
            period=when,
            area_ids=areas,
            index=_indices(run, rule, when),
            indicators=uses,  # type: ignore[arg-type]  # checked by the models
            references=_references(rule, asked, references),
            inside=inside,
            listed=_listed(run, rule, listed or asked.listed, inside),
            earlier=_earlier(rule, asked, areas),
            nominated=_nominated(asked, areas),
            reference_ids=run.reference_members(),
        )


def selections_of(run: Run) -> dict[str, Selection]:
    """Apply the rules that a scenario names, its own first; none where it names none.

    Raises
    ------
    InputError
        With the faults of every rule, and all that none of them asks for.
    """
    asked = run.spec.targeting
    names = [] if asked is None else [asked.rule, *asked.compare]
    keys = {name: "targeting.rule" if place == 0 else "targeting.compare" for place, name in enumerate(names)}
    faults, rules, found = Faults(), dict[str, RuleSpec](), dict[str, Selection]()
    for name, key in keys.items():
        with faults.catch(file=run.shown, key=key):
            rules[name] = run.catalogue.rule(name, key=key)
    faults.raise_any()
    with faults.catch(file=run.shown, key="targeting"):
        must_be_asked(run)
    for name, rule in rules.items():
        with faults.catch(file=run.shown, key=keys[name]):
            found[name] = selection_for(run, rule)
    faults.raise_any()
    return found


def certainty_of(run: Run) -> DesignationCertainty | None:
    """Say how sure the designations of a scenario's own rule are; None where it does not ask.

    Raises
    ------
    InputError
        When what the scenario asks does not fit its rule.
    """
    asked = run.spec.targeting.certainty if run.spec.targeting else None
    if asked is None:
        return None
    low, high = asked.borderline
    with Faults.located_at(run.shown):
        return designation_certainty(
            run.chosen_rule(),
            draws=asked.draws,
            noise=asked.noise,
            borderline=(low, high),
            groups=run.groups(),
            index_reference_ids=run.reference_members(),
            seed=run.spec.seed,
        )


@dataclass(frozen=True)
class Targeting:
    """All that a scenario asks of its choice of areas; None where it does not ask.

    Attributes
    ----------
    selections
        Rule → what it singles out, the scenario's own first.
    certainty, stability
        How sure the first is, and how it fares in other years and under other conventions.
    reached
        Who is reached by each rule.
    history
        What the first said in earlier years.
    boundaries
        Which of its designations survive other boundaries.
    left_out
        What was asked and is not there, in words: kept from the public, or years without an index.
    """

    selections: Mapping[str, Selection]
    certainty: DesignationCertainty | None
    stability: Stability | None
    reached: ReachedComparison | None
    history: History | None
    boundaries: BoundaryPolicy | None
    left_out: tuple[str, ...] = ()


def choice_of(run: Run) -> Targeting:
    """Work out all that a scenario asks of its choice of areas.

    To the public goes what the shown figures of the ranked areas say: earlier years and smaller areas have not been
    protected, and are left out.

    Raises
    ------
    InputError
        When the scenario names no rule, or areas, tables or rules are faulty.
    """
    asked = run.spec.targeting
    own, public = run.chosen_rule(), run.spec.profile == "public"
    assert asked is not None  # noqa: S101  a rule was chosen
    left_out = []
    if public:
        left_out += ["to the public: the rule in earlier years"] if asked.history or asked.certainty else []
        left_out += ["to the public: other boundaries"] if asked.boundaries else []
        left_out += ["to the public: grants"] if asked.grants else []
    with Faults.located_at(run.shown):
        history = _history(run, asked.history) if asked.history and not public else None
        if history is not None and not asked.history.periods:  # type: ignore[union-attr]  # it was asked for
            gone = sorted(set(run.counted().periods()) - set(history.table["period"]))
            left_out += [f"years for which the index or the rule is not defined: {', '.join(gone)}"] if gone else []
        return Targeting(
            selections=run.selections(),
            certainty=run.certainty(),
            stability=_stability(run, own) if asked.certainty and not public else None,
            reached=_reached(run, asked.need) if asked.need else None,
            history=history,
            boundaries=_boundaries(run, own, asked.boundaries) if asked.boundaries and not public else None,
            left_out=tuple(left_out),
        )


def check_choice(run: Run) -> list[str]:
    """Apply the rules of a scenario, and return what a careful reader should know of them; empty where it names none.

    Raises
    ------
    InputError
        With what of [targeting] does not fit its rules, areas or tables.
    """
    asked, faults, said = run.spec.targeting, Faults(), list[str]()
    if asked is None:
        return []
    with faults.catch(file=run.shown):
        for name, found in run.selections().items():
            said.append(f"{name}: {len(found.chosen)} of {len(found.table)} areas qualify")
            said += [f"{name}: the limit of '{key}' is not known, for want of {what}"
                     for key, what in found.ready.limits.lacking.items()]  # fmt: skip
            if found.unknown:
                said.append(f"{name}: {len(found.unknown)} areas cannot be told, for want of figures")
    if asked.need and not faults:
        with faults.catch(file=run.shown, key="targeting.need"):
            _reached(run, asked.need)
    faults.raise_any()
    return said


def _stability(run: Run, own: Selection) -> Stability:
    earlier = _earlier(own.rule, run.spec.targeting, list(run.areas().index)) if run.spec.targeting else None
    return stability(
        own,
        earlier=earlier,
        groups=run.groups(),
        index_reference_ids=run.reference_members(),
        seed=run.spec.seed,
    )


def _reached(run: Run, need: str) -> ReachedComparison:
    """Count who is reached, from the smallest areas where these may be shown."""
    table = run.indicators()
    if run.spec.profile == "public":
        table = replace(table, parts=None)
    if need not in table.definitions:
        known = sorted(name for name, item in table.definitions.items() if item.kind == "share")
        raise checks.unknown_name("indicator of the scenario", need, known, key="targeting.need")
    above = [level for level in run.levels_above() if level in run.levels()]
    return compare_reached(
        table,
        run.selections(),
        need,
        period=run.spec.period,
        population=run.spec.index.population,
        order=run.index().score,
        levels={level: parents_of(run, level) for level in above},
    )


def _history(run: Run, asked: HistorySpec) -> History:
    name, rule = rule_of(run)
    targeting = run.spec.targeting
    assert targeting is not None  # noqa: S101  the caller has seen to it
    versions = _versions(run, name, rule) if asked.versions else [rule]
    indices: dict[str, IndexResult] = {}
    table = run.counted()
    table = _of_years(table, [year for year in table.periods() if year.isdecimal()])
    if any(item.index for book in versions for item in book.criteria) and rule.preset is None:
        indices = _indices_of(run, list(asked.periods) or table.periods(), named=bool(asked.periods))
        table = _of_years(table, list(indices))  # a year without an index is a gap, not something to look back at
    inside: dict[str, pd.Series] = {}
    for book in versions:
        inside |= _inside(run, book)
    wanted = set().union(*(indicators_asked(book) for book in versions))
    given = [part for part in (_references(book, targeting, None) for book in versions) if part is not None]
    references = pd.concat(given).drop_duplicates(ignore_index=True) if given else None
    areas = list(run.areas().index)
    return status_history(
        table,
        versions if asked.versions else rule,
        periods=list(asked.periods) or None,  # all that have a version
        area_ids=areas,
        index=indices,
        indicators={key: use for key, use in targeting.indicators.items() if key in wanted},
        references=references,
        inside=inside,
        listed=_listed(run, rule, targeting.listed, inside),
        earlier=_earlier(rule, targeting, areas),
        reference_ids=run.reference_members(),
    )


def _of_years(table: IndicatorTable, periods: list[str]) -> IndicatorTable:
    parts = None if table.parts is None else table.parts[table.parts["period"].isin(periods)]
    return replace(table, data=table.data[table.data["period"].isin(periods)], parts=parts)


def _indices_of(run: Run, periods: list[str], *, named: bool) -> dict[str, IndexResult]:
    """Return the scenario's index in each year; one that has none is left out, unless the scenario names it."""
    found = {}
    for year in periods:
        if year == run.spec.period:
            found[year] = run.index()
        elif named:
            found[year] = index_in(run, year)
        else:
            with suppress(InputError):
                found[year] = index_in(run, year)
    return found


def _versions(run: Run, name: str, rule: RuleSpec) -> list[RuleSpec]:
    """Return the versions of a rule's family: the project's own, and those that come with geoplan."""
    names = sorted({name, *run.catalogue.names("rules"), *rule_names()})
    books = [run.catalogue.rule(other) for other in names]
    return [book for book in books if book.family == rule.family and book.since is not None] or [rule]


def _boundaries(run: Run, own: Selection, asked: BoundariesSpec) -> BoundaryPolicy:
    """Try other boundaries, with the figures of the smallest areas that the scenario has polygons of."""
    smallest = set(own.given.table.finest["area_id"])
    levels = [level for level in run.levels() if level != run.spec.areas.level]
    units = next((run.areas(level) for level in levels if smallest <= set(run.areas(level).index)), None)
    return boundary_policy(
        own,
        run.areas(),
        tolerance_m=asked.tolerance_m,
        kinds=asked.kinds,
        units=units,
        index_spec=run.spec.index if own.rule.preset is None else None,
        minimum_coverage=run.spec.indicators.minimum_coverage,
    )


def _inside(run: Run, rule: RuleSpec) -> dict[str, pd.Series]:
    """Return in which area of each level that the rule asks for the ranked areas lie."""
    levels = {item.inside for item in rule.criteria} | {item.inside for item in rule.statuses} | {rule.listed}
    levels |= {item.of for item in rule.criteria if item.of in run.levels()}
    return {level: parents_of(run, level) for level in sorted(name for name in levels if name)}


def parents_of(run: Run, level: str) -> pd.Series:
    """Return the area of a level, or of a relation to areas without a layer, that each ranked area lies in.

    Raises
    ------
    SpecError
        When the scenario has neither.
    """
    codes, ties = list(run.areas().index), run.membership()
    if level in run.levels():
        return parents_at(ties, codes, list(run.areas(level).index))
    if level in set(ties["relation"]):
        above = sorted(set(ties.loc[ties["relation"] == level, "parent_id"]))
        found = pairs_at(ties, codes, above).drop_duplicates("child_id").set_index("child_id")["parent_id"]
        return found.reindex(codes)
    known = [*run.levels(), *sorted(set(ties["relation"]))]
    raise checks.unknown_name("level of the scenario, or relation,", level, known).located(file=run.shown)


def _listed(run: Run, rule: RuleSpec, asked: Sequence[str], inside: Mapping[str, pd.Series]) -> list[str] | None:
    """Return the codes of the listed areas; they may be named by name."""
    if rule.listed is None:
        return None
    given = asked or rule.listed_areas
    if not given:
        what = f"the rule holds in listed areas of level '{rule.listed}', and the scenario names none"
        hint = "listed = [codes or names] under [targeting]; at the command line --listed"
        raise SpecError(Fault(what=what, file=run.shown, key="targeting.listed", hint=hint))
    codes = set(inside[rule.listed].dropna())
    names = run.names_read(rule.listed) if rule.listed in run.levels() else {}
    by_name = {name.casefold(): code for code, name in names.items()}
    found, faults = [], Faults()
    for item in given:
        code = item if item in codes else by_name.get(item.casefold())
        if code is None:
            known = [*codes, *names.values()]
            faults.add(checks.unknown_name(f"area of level '{rule.listed}'", item, known, key="targeting.listed"))
        else:
            found.append(str(code))
    with Faults.located_at(run.shown):
        faults.raise_any()
    return found


def _indices(run: Run, rule: RuleSpec, period: str) -> dict[str, IndexResult]:
    """Return the scenario's index of the period, for a rule that asks for one and brings none."""
    if rule.preset is not None or not any(item.index for item in rule.criteria):
        return {}
    if period == run.spec.period:
        return {period: run.index()}
    return {period: index_in(run, period)}


def index_in(run: Run, period: str) -> IndexResult:
    """Return the scenario's index in another period.

    Raises
    ------
    InputError
        What :func:`~geoplan.risk.risk_index` refuses.
    """
    return risk_index(
        run.counted(),
        run.spec.index,
        period=period,
        area_ids=list(run.areas().index),
        reference_ids=run.reference_members(),
        reference_name=run.reference_name() or None,
        groups=run.groups(),
    )


def _references(
    rule: RuleSpec, asked: TargetingSpec, given: Mapping[str, Mapping[str, float]] | None
) -> pd.DataFrame | None:
    """Return the values to compare with that the rule asks for: those given here before those of the scenario."""
    names = references_asked(rule)
    rows = [
        {"reference": name, "indicator": key, "value": value, "source": "as handed in"}
        for name, values in (given or {}).items()
        for key, value in values.items()
    ]
    rows += [item.model_dump() for item in asked.references if item.indicator in names.get(item.reference, ())]
    return pd.DataFrame(rows).reindex(columns=REFERENCES) if rows else None


def _earlier(rule: RuleSpec, asked: TargetingSpec, areas: list[str]) -> pd.DataFrame | None:
    """Return published lists as verdicts of every area."""
    names = {item.id for item in rule.statuses} | {item.continues for item in rule.statuses}
    lists = [item for item in asked.earlier if item.status in names]
    rows = [(code, item.period, item.status, code in set(item.areas)) for item in lists for code in areas]
    return pd.DataFrame(rows, columns=["area_id", "period", "status", "holds"]) if rows else None


def _nominated(asked: TargetingSpec, areas: list[str]) -> pd.DataFrame | None:
    rows = [item.model_dump() for item in asked.nominated if item.area_id in set(areas)]  # others: see must_be_asked
    return pd.DataFrame(rows) if rows else None
