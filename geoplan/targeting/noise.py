"""Figures of a rule as they could have been: drawn from their counts, through the index too, and judged by the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.places import KNOWN, IndicatorTable, unit_scale
from geoplan.risk import IndexResult
from geoplan.risk.draws import Beliefs, Noise, beliefs_of
from geoplan.risk.experiment import Experiment, prepared
from geoplan.risk.normalising import statistics
from geoplan.risk.pipeline import TIE_DIGITS
from geoplan.risk.shrinkage import Towards
from geoplan.specs import ClassesSpec, CriterionSpec, UseSpec, index_preset
from geoplan.targeting.ready import Given, Ready, index_figures
from geoplan.targeting.verdicts import Verdict

__all__ = ["Drawing", "drawing_of", "experiment_of", "index_values"]

_DENOMINATOR = ".denominator"
_Key = tuple[Any, ...]


@dataclass(frozen=True)
class _Group:
    """Figures that are drawn together: no two of them count the same people for the same thing."""

    beliefs: Beliefs
    names: tuple[str, ...]
    places: np.ndarray  # of the areas that are judged among those of the beliefs


@dataclass(frozen=True)
class _Column:
    """Where a criterion's figure is found: group and column; ``whole`` minus it, if not None."""

    group: int
    column: int
    whole: float | None = None


@dataclass(frozen=True)
class _Index:
    """The risk index behind a rule, and where its areas stand."""

    made: Experiment
    places: np.ndarray  # of its areas among those of the first group
    drawn: np.ndarray  # its areas × indicators
    judged: np.ndarray  # of its ranked areas among those that are judged, -1 for none


@dataclass(frozen=True)
class Drawing:
    """A rule that is ready, and what the counts let one believe of its figures.

    Attributes
    ----------
    ready
        The rule.
    groups
        What is drawn, each from a generator of its own.
    columns
        Criterion → its figure; none for the index.
    index
        The index that the rule asks for.
    observed
        What the figures meet as they stand.
    drawn
        Areas × criteria: whether the figure is drawn; the others stay as they are.
    without_noise
        Criterion, indicator of the index or ``population`` → number of areas whose figure is known and stays.
    """

    ready: Ready
    groups: tuple[_Group, ...]
    columns: Mapping[str, _Column]
    index: _Index | None
    observed: Mapping[str, Verdict]
    drawn: pd.DataFrame
    without_noise: Mapping[str, int]

    @property
    def cells(self) -> int:
        """The number of figures in one draw."""
        return sum(group.beliefs.value.size for group in self.groups)

    def draw(self, rngs: Sequence[np.random.Generator], size: int) -> tuple[dict[str, Verdict], np.ndarray]:
        """Draw figures and compare them: criterion → verdict (draws × areas), and a text a draw that has no scores."""
        figures = [group.beliefs.draw(rng, size) for group, rng in zip(self.groups, rngs, strict=False)]
        values: dict[str, np.ndarray] = {}
        problems = np.full(size, "", dtype=object)
        if self.index is not None:
            values, problems = self._through_index(figures[0])
        for name, column in self.columns.items():
            own = figures[column.group][:, self.groups[column.group].places, column.column]
            own = own if column.whole is None else column.whole - own
            values[name] = np.where(self.ready.now.value[name].notna(), own, np.nan)
        meets = self.ready.meets(values)
        for criterion in self.ready.rule.criteria:
            if criterion.id in self.columns and not criterion.ranked:
                meets[criterion.id] = self._kept(meets[criterion.id], criterion.id)
        return meets, problems

    def _kept(self, meets: Verdict, name: str) -> Verdict:
        """Leave the verdict where the figure stays: it was compared exactly."""
        drawn, observed = self.drawn[name].to_numpy(), self.observed[name]
        return Verdict(np.where(drawn, meets.sure, observed.sure), np.where(drawn, meets.possible, observed.possible))

    def _through_index(self, figures: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        index = self.index
        assert index is not None  # noqa: S101  only asked where there is one
        values = np.where(index.drawn, figures[:, index.places], index.made.beliefs.value)
        scores, problems = index.made.scorer(
            values,
            indicator_weights=None,
            part_weights=None,
            domain_weights=None,
            normalisation=None,
            aggregation=None,
        )
        composites = scores[:, index.made.places]
        lacking = np.isnan(composites).any(axis=1) & (problems == "")
        problems = np.where(lacking, "some areas have no score", problems.astype(object))
        return index_values(self.ready, index.made, composites, index.judged), problems


# ---------------------------------------------------------------- the index


def index_values(ready: Ready, made: Experiment, composites: np.ndarray, at: np.ndarray) -> dict[str, np.ndarray]:
    """Turn composites (draws × ranked areas) into what criteria on the index compare (draws × judged areas)."""
    found: dict[str, np.ndarray] = {}
    inside = at >= 0
    for criterion in ready.rule.criteria:
        if criterion.index is None:
            continue
        spec = made.index.spec
        own = made.shown(composites)
        if criterion.index == "class" and spec.classes is not None:
            own = _classes(composites, spec.classes)
        values = np.full((len(composites), len(ready.areas)), np.nan)
        values[:, at[inside]] = own[:, inside]
        found[criterion.id] = values
    return found


def _classes(composites: np.ndarray, spec: ClassesSpec) -> np.ndarray:
    """Put the scores of each draw in classes by its own mean and spread, as the index does."""
    found = statistics(composites[..., None])
    spread = (found.population if spec.deviation == "population" else found.sample)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(spread > 0, (composites - found.mean[..., 0]) / spread, composites * 0.0)
    above = np.searchsorted(np.asarray(spec.limits), np.round(z, TIE_DIGITS), side="right")
    number = above + 1.0 if spec.first == "lowest" else len(spec.limits) + 1.0 - above
    return np.where(np.isnan(composites), np.nan, number)


def experiment_of(
    ready: Ready,
    given: Given,
    *,
    concentration: float | None = None,
    leave_one_out: bool = False,
    groups: pd.Series | None = None,
    reference_ids: list[str] | None = None,
) -> tuple[Experiment, IndicatorTable, np.ndarray]:
    """Make the index of a rule again, so that other figures and weights can go through it.

    Returns
    -------
    tuple
        The index without noise, the table it is made from, and the places of its ranked areas among the judged ones.

    Raises
    ------
    SpecError
        When the index that was handed in does not come from the selection's table.
    """
    period = ready.now.period
    handed = given.indices.get(period)
    if handed is not None:
        table, spec, areas, when = given.table, handed.spec, list(handed.ranking.index), handed.certificate.period
    else:
        spec = index_preset(str(ready.rule.preset))
        table, areas, when = index_figures(spec, given), list(given.areas), period
    made = prepared(
        table,
        spec,
        period=when,
        area_ids=areas,
        reference_ids=given.reference_ids if reference_ids is None else reference_ids,
        groups=groups,
        noise="none",
        shrink_towards="city",
        parents=None,
        neighbours=None,
        weights_concentration=concentration,
        normalisations=(),
        aggregations=(),
        leave_one_out=leave_one_out,
    )
    if handed is not None:
        _must_be_same(handed, made.index)
    return made, table, ready.areas.get_indexer(made.ranked)


def _must_be_same(handed: IndexResult, made: IndexResult) -> None:
    one, other = handed.ranking["score"], made.ranking["score"].reindex(handed.ranking.index)
    if not np.allclose(one.astype(float), other.astype(float), rtol=1e-9, atol=1e-9, equal_nan=True):
        what = "the index that was handed in does not follow from the table of the selection"
        hint = "select from the table that the index was made from; hand in `reference_ids` and `groups` as it had them"
        raise SpecError(Fault(what=what, key="index", hint=hint))


# ---------------------------------------------------------------- making it


def drawing_of(
    ready: Ready,
    given: Given,
    *,
    noise: Noise,
    towards: Towards = "city",
    parents: pd.Series | None = None,
    neighbours: Any = None,
    groups: pd.Series | None = None,
    reference_ids: list[str] | None = None,
) -> Drawing:
    """Say what the counts behind a rule's figures let one believe of the true rates.

    One figure is drawn once, however many criteria stand on it and whether or not the index does; the parameters are
    those of :func:`~geoplan.risk.draws.beliefs_of`, and ``groups`` and ``reference_ids`` of the index.

    Raises
    ------
    InputError
        What :func:`~geoplan.risk.draws.beliefs_of` refuses, and :func:`experiment_of`.
    """
    how: dict[str, Any] = {"noise": noise, "towards": towards, "parents": parents, "neighbours": neighbours}
    found: list[_Group] = []
    columns: dict[str, _Column] = {}
    known: dict[_Key, tuple[_Column, bool]] = {}
    index = None
    if any(criterion.index for criterion in ready.rule.criteria):
        made, table, at = experiment_of(ready, given, groups=groups, reference_ids=reference_ids)
        group, index = _index_group(ready, made, table, at, how)
        found.append(group)
        if made.index.certificate.period == ready.now.period:
            known |= _keys_of_index(made, given, preset=ready.now.period not in given.indices)
    waiting: list[tuple[set[str], list[str]]] = []
    for criterion in ready.rule.criteria:
        if criterion.index is not None:
            continue
        key, sources, turned = _figure(criterion, given)
        if key not in known:
            place = next((n for n, (taken, _) in enumerate(waiting) if not taken & sources), len(waiting))
            if place == len(waiting):
                waiting.append((set(), []))
            taken, names = waiting[place]
            known[key] = _Column(len(found) + place, len(names)), turned
            taken |= sources
            names.append(criterion.id)
        column, first = known[key]
        whole = unit_scale(ready.now.items[criterion.id].unit) if turned != first else None
        columns[criterion.id] = replace(column, whole=whole)
    found += [_criteria_group(ready, given, names, how) for _, names in waiting]
    drawn = _drawn(ready, found, columns, index)
    return Drawing(
        ready=ready,
        groups=tuple(found),
        columns=columns,
        index=index,
        observed=ready.observed(),
        drawn=drawn,
        without_noise=_without_noise(ready, drawn, index),
    )


def _figure(criterion: CriterionSpec, given: Given) -> tuple[_Key, set[str], bool]:
    """Return what tells a figure from others, the indicators it stands on, and whether it counts the others."""
    if criterion.numerators:
        counts = (*criterion.numerators, *criterion.denominators)
        key = (criterion.numerators, criterion.denominators, criterion.mean_years)
        return key, {name.removesuffix(_DENOMINATOR) for name in counts}, False
    use = given.uses.get(criterion.key, UseSpec(indicator=criterion.key))
    return (use.indicator, criterion.mean_years), {use.indicator}, use.complement


def _keys_of_index(made: Experiment, given: Given, *, preset: bool) -> dict[_Key, tuple[_Column, bool]]:
    """Find the figures of the index that criteria may stand on too."""
    found: dict[_Key, tuple[_Column, bool]] = {}
    for column, name in enumerate(made.index.spec.indicators):
        use = given.uses.get(name, UseSpec(indicator=name)) if preset else UseSpec(indicator=name)
        found[use.indicator, 1] = _Column(0, column), use.complement
    return found


def _index_group(
    ready: Ready, made: Experiment, table: IndicatorTable, at: np.ndarray, how: Mapping[str, Any]
) -> tuple[_Group, _Index]:
    period, names = made.index.certificate.period, made.index.spec.indicators
    own = pd.Index(sorted(made.index.ranking.index), name="area_id")
    areas = own.union(ready.areas)
    status = table.wide(period, "status").reindex(index=areas, columns=list(names))
    values = table.wide(period).reindex(index=areas, columns=list(names)).where(status.isin(KNOWN)).astype(float)
    beliefs, _ = beliefs_of(table, values, period, **how)
    places = areas.get_indexer(own)
    # What the index does not use, for a small base, and what it fills in, stays as the index has it.
    drawn = beliefs.drawn[places] & np.isfinite(made.beliefs.value)
    group = _Group(beliefs, names, areas.get_indexer(ready.areas))
    return group, _Index(made, places, drawn, at)


def _criteria_group(ready: Ready, given: Given, names: list[str], how: Mapping[str, Any]) -> _Group:
    """Put the figures of criteria together, with the counts of all their years."""
    now, data = ready.now, given.measured.data
    rows = data[(data["period"] == now.period) & data["indicator"].isin(names)]
    years = rows["indicator"].map(now.years).astype(float)
    rows = rows.assign(numerator=rows["numerator"] * years, denominator=rows["denominator"] * years)
    beliefs, _ = beliefs_of(IndicatorTable(rows, given.measured.definitions), now.value[names], now.period, **how)
    return _Group(beliefs, tuple(names), np.arange(len(ready.areas)))


def _drawn(
    ready: Ready, groups: Sequence[_Group], columns: Mapping[str, _Column], index: _Index | None
) -> pd.DataFrame:
    drawn = pd.DataFrame(data=False, index=ready.areas, columns=ready.names)
    for name, column in columns.items():
        group = groups[column.group]
        drawn[name] = group.beliefs.drawn[group.places, column.column] & ready.now.value[name].notna()
    if index is not None:
        of_index = np.asarray(index.drawn.any(axis=1))[index.made.places]
        own = np.zeros(len(ready.areas), dtype=bool)
        own[index.judged[index.judged >= 0]] = of_index[index.judged >= 0]
        for criterion in ready.rule.criteria:
            if criterion.index is not None:
                drawn[criterion.id] = own
    return drawn


def _without_noise(ready: Ready, drawn: pd.DataFrame, index: _Index | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for criterion in ready.rule.criteria:
        if criterion.index is None:
            found[criterion.id] = int((ready.now.value[criterion.id].notna() & ~drawn[criterion.id]).sum())
    if index is not None:
        stays = (np.isfinite(index.made.beliefs.value) & ~index.drawn).sum(axis=0)
        for name, many in zip(index.made.index.spec.indicators, stays, strict=True):
            found[name] = max(int(many), found.get(name, 0))
    if any(status.minimum_population for status in ready.rule.statuses):
        found["population"] = int(np.isfinite(ready.scope.population).sum())
    return {name: many for name, many in found.items() if many}
