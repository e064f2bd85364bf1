"""What a rule says of areas that are drawn anew, judged by the figures of one period alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geoplan.errors import InputError
from geoplan.places import IndicatorTable
from geoplan.risk import IndexResult, risk_index, scores_are_relative
from geoplan.risk.methods import between_domains, inside_domain, inside_part
from geoplan.specs import IndexSpec, RuleSpec, UseSpec, index_preset
from geoplan.specs.index import TreatmentSpec
from geoplan.targeting.measures import measuring_table
from geoplan.targeting.ready import Given, Ready, ready_for
from geoplan.targeting.rules import Selection
from geoplan.targeting.verdicts import Verdict, start_of

__all__ = ["Judge", "Outcome", "judge_of", "of_this_period"]

_CLOSE = 1e-6  # of a score: computed anew it may differ by rounding


def of_this_period(rule: RuleSpec) -> RuleSpec:
    """Return the rule without memory: a status is had when all that it takes holds in the period."""
    update = {"years": 1, "years_at": (), "exit_years": 1}
    return rule.model_copy(update={"statuses": tuple(item.model_copy(update=update) for item in rule.statuses)})


@dataclass(frozen=True)
class Outcome:
    """What a rule says of some areas.

    Attributes
    ----------
    table
        Index ``area_id``: ``designated`` (nullable boolean), ``met, open`` (int), ``slack`` (how far the nearest
        criterion that decides is from its limit, as a share of it; below 0 where it fails), ``population``, ``why``
        (of unknown ones: the criteria that are not known).
    figures
        ``area_id, criterion, value, numerator, denominator, limit, meets, status, reason``.
    """

    table: pd.DataFrame
    figures: pd.DataFrame


@dataclass(frozen=True)
class Judge:
    """A rule, and what it is applied to, made ready for areas that are drawn anew.

    Attributes
    ----------
    rule, given, period
        The rule without memory, what the selection was made from, the period.
    spec
        How the index is made; None where the rule asks for none.
    problem
        Why no other areas can be judged; empty when they can.
    """

    rule: RuleSpec
    given: Given
    period: str
    spec: IndexSpec | None
    problem: str

    @property
    def apart(self) -> bool:
        """Whether each area can be judged whatever the others are, so that many drawings can be judged together."""
        plain = self.spec is None or _areas_apart(self.spec)
        alone = all(item.includes_area and not item.classes and not item.ranked and item.of not in self.given.inside
                    for item in self.rule.criteria)  # fmt: skip
        return plain and alone and not any(item.minimum_areas for item in self.rule.statuses)

    def levels(self) -> set[str]:
        """Return the levels above that the rule, or a reference, asks for; those that are only listed apart."""
        named = {item.inside for item in self.rule.criteria} | {item.inside for item in self.rule.statuses}
        named |= {item.of for item in self.rule.criteria if item.of in self.given.inside}
        places = set(self.given.references["area_id"]) - {""}
        named |= {level for level, above in self.given.inside.items() if places & set(above.dropna())}
        return {str(level) for level in named if level}

    def above(self, made_of: Mapping[str, Sequence[str]]) -> tuple[dict[str, pd.Series], dict[str, str]]:
        """Return in which areas above new areas lie, and of which of them that is not to be said."""
        inside, problems = {}, {}
        asked = self.levels()
        for level, above in self.given.inside.items():
            found = {}
            for code, old in made_of.items():
                parents = {None if pd.isna(item) else str(item) for item in (above.get(one) for one in old)}
                if level == self.rule.listed and level not in asked:
                    listed = {parent in (self.given.listed or ()) for parent in parents}
                    clear = len(listed) == 1
                else:
                    clear = len(parents) == 1 or level not in asked
                if not clear:
                    problems[code] = f"its parts lie in different areas of level {level}"
                found[code] = min(parents, key=str)
            inside[level] = pd.Series(found, dtype=object)
        return inside, problems

    def outcome(
        self, table: IndicatorTable, made_of: Mapping[str, Sequence[str]], city: Iterable[str] | None
    ) -> Outcome:
        """Judge areas.

        Parameters
        ----------
        table
            Their figures.
        made_of
            Area that is judged → areas of now that it lies in.
        city
            The areas of the table that make up the city; all when left out.

        Raises
        ------
        InputError
            When an index cannot be made of them.
        """
        ids = sorted(made_of)
        group = None if city is None else list(city)
        indices: dict[str, IndexResult] = {}
        if self.spec is not None:
            indices[self.period] = index_on(table, self.spec, self.given.uses, self.period, ids, group)
        given = replace(
            self.given,
            table=table,
            measured=measuring_table(table, self.rule, self.given.uses),
            areas=pd.Index(ids, name="area_id"),
            inside=self.above(made_of)[0],
            reference_ids=group,
            indices=indices,
        )
        return outcome_of(ready_for(self.rule, given, self.period))


def judge_of(selection: Selection, spec: IndexSpec | None) -> Judge:
    """Make a rule ready to judge areas that are drawn anew."""
    rule, given, period = of_this_period(selection.rule), selection.given, selection.period
    if not any(item.index for item in rule.criteria):
        return Judge(rule, given, period, None, "")
    handed = given.indices.get(period)
    own = spec or (handed.spec if handed is not None else index_preset(rule.preset) if rule.preset else None)
    problem = ""
    if own is not None and handed is not None:
        problem = _unlike(handed, own, given, period)
    if own is None:
        problem = "the rule asks for an index, and nothing says how it is made"
    return Judge(rule, given, period, own, problem)


def _areas_apart(spec: IndexSpec) -> bool:
    """Tell whether a score depends on the city and the area's own figures alone."""
    inside = [inside_part(spec, part.combine) for domain in spec.domains for part in domain.parts or (domain,)]
    above = [inside_domain(spec, domain) for domain in spec.domains if domain.parts]
    given = all(how.weighting in {"given", "equal"} for how in [*inside, *above, between_domains(spec)])
    return given and scores_are_relative(spec) and spec.treatment == TreatmentSpec()


def _unlike(handed: IndexResult, spec: IndexSpec, given: Given, period: str) -> str:
    """Say why an index cannot be made anew as it was handed in; an index that is new to the table is another one."""
    try:
        made = index_on(given.table, spec, given.uses, period, list(given.areas), given.reference_ids)
    except InputError as error:
        return f"the index cannot be made from the table: {error.faults[0].what}"
    before = handed.ranking["score"].reindex(given.areas).astype(float)
    after = made.ranking["score"].reindex(given.areas).astype(float)
    same = (before.isna() & after.isna()) | ((before - after).abs() <= _CLOSE * before.abs().clip(lower=1.0))
    if same.all():
        return ""
    return f"made from the table, the index of {int((~same).sum())} areas is another than the one handed in"


def index_on(
    table: IndicatorTable,
    spec: IndexSpec,
    uses: Mapping[str, UseSpec],
    period: str,
    ids: list[str],
    group: list[str] | None,
) -> IndexResult:
    """Make an index, of indicators that the table may have under other names."""
    rows, parts = [table.data], [] if table.parts is None else [table.parts]
    definitions = dict(table.definitions)
    for name in spec.indicators:
        use = uses.get(name)
        if use is None or use.indicator == name or use.indicator not in definitions:
            continue
        rows.append(table.data[table.data["indicator"] == use.indicator].assign(indicator=name))
        if table.parts is not None:
            parts.append(table.parts[table.parts["indicator"] == use.indicator].assign(indicator=name))
        definitions[name] = definitions[use.indicator].model_copy(update={"id": name})
    below = pd.concat(parts, ignore_index=True) if parts else None
    whole = IndicatorTable(pd.concat(rows, ignore_index=True), definitions, below, table.profile)
    return risk_index(whole, spec, period=period, area_ids=ids, reference_ids=group)


# ---------------------------------------------------------------- what comes out


def outcome_of(ready: Ready) -> Outcome:
    """Say what a rule without memory says of the areas it was made ready for."""
    ready = replace(ready, before={item.id: start_of(len(ready.areas)) for item in ready.rule.statuses}, fixed={})
    meets = ready.observed()
    found = ready.judge(meets)[ready.rule.chief]
    counted = [item.id for item in ready.rule.criteria]
    limits = ready.limits.frame(ready.areas, counted)
    unknown = [[name for name in counted if meets[name].unknown[place]] for place in range(len(ready.areas))]
    table = pd.DataFrame(
        {
            "designated": found.series(ready.areas),
            "met": np.sum([meets[name].sure for name in counted], axis=0),
            "open": np.sum([meets[name].unknown for name in counted], axis=0),
            "slack": _slack(ready, meets, limits),
            "population": ready.scope.population,
            "why": [
                "" if not open_ else _why(names, ready, code)
                for names, open_, code in zip(unknown, found.unknown, ready.areas, strict=True)
            ],
        },
        index=ready.areas,
    )
    frames = [
        pd.DataFrame(
            {
                "criterion": name,
                "value": ready.now.value[name],
                "numerator": ready.now.numerator[name],
                "denominator": ready.now.denominator[name],
                "limit": limits[name],
                "meets": meets[name].series(ready.areas),
                "status": ready.now.status[name],
                "reason": ready.now.reason[name],
            },
            index=ready.areas,
        )
        for name in counted
    ]
    figures = pd.concat([frame.rename_axis("area_id").reset_index() for frame in frames], ignore_index=True)
    return Outcome(table, figures.sort_values("area_id", kind="stable", ignore_index=True))


def _why(names: list[str], ready: Ready, code: str) -> str:
    """Say which figures are missing, and why as far as the table knows."""
    told = []
    for name in names:
        reason = str(ready.now.reason.loc[code, name] or ready.now.status.loc[code, name]).replace("_", " ")
        known = not pd.isna(ready.now.value.loc[code, name])
        told.append(f"{name} (no limit)" if known else f"{name} ({reason})")
    return ", ".join(told or ["population"])


def _slack(ready: Ready, meets: Mapping[str, Verdict], limits: pd.DataFrame) -> np.ndarray:
    """Return how far the chief status is from being lost, or won: of all that it takes, the criterion that decides."""
    far: dict[str, np.ndarray] = {}
    for item in ready.rule.criteria:
        own, limit = ready.now.value[item.id], limits[item.id]
        scale = limit.abs().where(limit != 0, 1.0)
        sign = 1.0 if item.compare in {"above", "at_least"} else -1.0
        gap = (sign * (own - limit) / scale).to_numpy(dtype=float)
        verdict = meets[item.id]
        if item.ranked or item.classes:
            gap = np.where(verdict.sure, np.inf, np.where(verdict.possible, np.nan, -np.inf))
        far[item.id] = np.where(ready.now.absent(item.id), -np.inf, gap)
    for status in ready.rule.statuses:
        takes = [far[name] for name in (*status.required, *status.based_on)]
        takes += [-far[name] for name in status.without]
        if status.criteria:
            ordered = np.sort(-np.array([far[name] for name in status.criteria]), axis=0)  # NaN comes last
            takes.append(-ordered[(status.least or len(status.criteria)) - 1])
        if status.any_of:
            takes.append(np.fmax.reduce([far[name] for name in status.any_of]))
        if status.minimum_population:
            takes.append((ready.scope.population - status.minimum_population) / status.minimum_population)
        takes.append(np.where(ready.scope.listed, np.inf, -np.inf))
        far[status.id] = np.fmin.reduce(takes)
    return far[ready.rule.chief]
