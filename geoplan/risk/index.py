"""The risk index: figures of areas in, scores and ranks out, with every convention written down.

The model that geoplan begins with is the one of Västra Götaland that Stockholm used for its *index of social risk*:
each area's value is divided by the city's and multiplied by 100, the mean of a domain's indicators is the domain's
score, and the mean of the domains is the index. The other methods are steps of the same pipeline, see
:mod:`geoplan.risk.methods`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.places.indicators import KNOWN
from geoplan.risk.certificate import Certificate, certify
from geoplan.risk.classes import class_of, dynamics_of, flags_of
from geoplan.risk.inputs import (
    UNSTATED,
    Figures,
    as_table,
    at_period,
    check_areas,
    check_city,
    check_spec,
    check_targets,
    city_values,
    collect,
    directions_of,
    fill,
    one_period,
    rest_values,
)
from geoplan.risk.methods import presentation, relative_indicators, scores_are_relative
from geoplan.risk.normalising import percentile_rank, settled
from geoplan.risk.pipeline import Composite, Fitted, composite, fit, oriented
from geoplan.specs import IndexSpec

__all__ = ["IndexResult", "Prepared", "prepare", "rank_of", "risk_index"]

_CITY = 100.0


@dataclass(frozen=True)
class IndexResult:
    """A risk index with all that it is made of.

    Attributes
    ----------
    ranking
        Index ``area_id``, sorted by rank, the areas without one last. Columns ``rank`` (Int64; 1 = highest risk),
        ``score`` (city = 100 for the relative method), ``gap`` (points above the city's 100; above the mean of the
        ranked areas for other methods), ``rank_rest`` and ``score_rest`` (the area against the rest of the city, NaN
        where scores are not relative to it), ``population`` (persons), ``indicators``, ``indicators_estimated`` and
        ``indicators_total`` (number known, of these estimated or provisional, number in the index), ``status``
        (observed, provisional, estimated, suppressed, not_collected, not_applicable or out_of_scope), ``reason`` (why
        an area has no rank: ``small_population``, ``population_not_known`` or ``domain_not_known``; else empty),
        ``reason_domain`` (which), ``composite`` (what the contributions add up to: the score, or what it is the
        percentile rank of). Besides, where the specification asks for it, ``class`` (text: number of the class, with
        the sign of the dynamics), ``status_class`` (number), ``dynamics`` (score of the change, standard deviations),
        ``dynamics_class`` (sign) and ``flags`` (number of indicators).
    domains
        Areas × domains: city = 100 for the relative method; percentile ranks where the score is one, among the areas
        that have the domain; else as the domains enter the index, such as E of the UK indices. Higher is worse. An area
        without a rank for want of one domain has its others; one that is too small to be ranked has none.
    parts
        Areas × sub-domains, of domains that have them.
    points
        Areas × domains: what each brings to the composite; a ranked area's row adds up to it.
    relative
        Areas × indicators as they are combined: city = 100 for the relative method, z-scores, percentile ranks …;
        higher is worse. NaN where the figure is missing or its base too small.
    weights
        Areas × indicators: the weight each known figure has in the area's composite; a ranked area's row adds up to 1
        where means are taken.
    contributions
        Areas × indicators: what each brings to the composite; a ranked area's row adds up to it. Where domains are
        ranked before they are combined, a domain's points are divided among its indicators by weight.
    flags
        Areas × domains and ``total``: number of indicators in the highest percentiles, <NA> for a domain that is not
        known and for the total of an area without a rank; None where not asked for.
    imputed
        Areas × indicators: figures that were filled in, in the indicators' units; NaN elsewhere.
    reference
        Index indicator: ``numerator, denominator, value, status, areas, areas_missing, coverage`` of what scores 100.
    certificate
        The conventions used.
    """

    ranking: pd.DataFrame
    domains: pd.DataFrame
    relative: pd.DataFrame
    weights: pd.DataFrame
    contributions: pd.DataFrame
    reference: pd.DataFrame
    certificate: Certificate
    spec: IndexSpec = field(repr=False)
    points: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    imputed: pd.DataFrame = field(repr=False)
    flags: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def score(self) -> pd.Series:
        """The index by area (NaN for areas without a rank), in the order of ``area_id``."""
        score: pd.Series = self.ranking["score"].sort_index()
        return score

    @property
    def excluded(self) -> pd.DataFrame:
        """Areas without a rank, with the columns ``population``, ``status`` and ``reason``."""
        rows = self.ranking["rank"].isna()
        return self.ranking.loc[rows, ["population", "status", "reason"]]


@dataclass(frozen=True)
class Prepared:
    """Figures and a pipeline that fits them: what :func:`risk_index` computes with, and draws are made from.

    Attributes
    ----------
    table
        The figures of the base year: of the period itself, where the specification names no other.
    figures
        Of the areas to rank, after gaps were filled.
    imputed, filled
        What was filled in, areas × indicators, and the number of areas by indicator.
    city
        What the reference areas have together.
    group
        The reference areas.
    eligible
        By area: whether it can be ranked, as far as its population says.
    fitted
        The pipeline.
    """

    table: IndicatorTable
    figures: Figures
    imputed: pd.DataFrame
    filled: dict[str, int]
    city: pd.DataFrame
    group: pd.Index
    eligible: pd.Series
    fitted: Fitted


def risk_index(
    table: IndicatorTable | pd.DataFrame,
    spec: IndexSpec,
    *,
    period: str | None = None,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    reference_name: str | None = None,
    groups: pd.Series | None = None,
) -> IndexResult:
    r"""Compute the index of areas by any method of the family.

    The relative method, with :math:`v_{ai}` the value of indicator *i* in area *a*, :math:`c_i` the city's value made
    from its counts, weights :math:`w_d` of domains and :math:`u_i` of indicators, is

    .. math::

        r_{ai} = 100\,v_{ai}/c_i, \qquad
        s_{ad} = \frac{\sum_{i \in d} u_i r_{ai}}{\sum_{i \in d} u_i}, \qquad
        R_a = \frac{\sum_d w_d s_{ad}}{\sum_d w_d}

    over the indicators known in the area. An indicator that is better when higher enters as
    :math:`100\,(1 - v)/(1 - c)` (shares) or :math:`100\,c/v` (means and rates). Source: Västra Götalandsregionen's
    model of relative risk, as used in Stockholm's *Program för en sammanhållen stad*. The formulas of the other methods
    are in :data:`~geoplan.risk.methods.METHODS`, and in the certificate of every result.

    Parameters
    ----------
    table
        Indicators of the areas, with the population count named by ``spec.population``; or a plain frame of figures
        without counts (index ``area_id``, a column an indicator, NaN where missing), for methods that need none. Its
        columns are worse when higher unless ``spec.directions`` says otherwise.
    spec
        Domains, weights and rules; from a scenario, or made in Python.
    period
        The period to rank; the only one there is when left out.
    area_ids
        The areas to rank; those of the table when left out. One that the table does not know is listed without a rank.
    reference_ids
        The areas that together score 100; all areas of the table when left out. Small areas count in them, and of
        merged areas all that is known of their parts.
    reference_name
        What they are called in the certificate.
    groups
        Area → group, for ``treatment.impute = "group_mean"``; all areas are one group when left out.

    Returns
    -------
    IndexResult

    Raises
    ------
    SpecError
        When an indicator, the population or the period is not in the table, an indicator is neutral or a count, or
        the steps of the specification do not fit together.
    TableError
        When the index is undefined: the city's value of an indicator is 0 (or 100 % for a turned share), is not known,
        or an inverted value is 0; no area has a figure of an indicator; a geometric or harmonic mean meets a negative
        value; weights cannot be made from the figures.

    Examples
    --------
    >>> import pandas as pd
    >>> from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec
    >>> rows = [("A", "poor", 20.0, 100.0), ("B", "poor", 10.0, 200.0), ("A", "population", 100.0, None),
    ...         ("B", "population", 200.0, None)]
    >>> data = pd.DataFrame(rows, columns=["area_id", "indicator", "numerator", "denominator"])
    >>> data = data.assign(period="2012", status="observed", value=[20.0, 5.0, 100.0, 200.0])
    >>> kinds = {"poor": ("share", "pct", "higher_is_worse"), "population": ("count", "persons", "neutral")}
    >>> definitions = {name: IndicatorSpec(id=name, label=name, kind=k, unit=u, direction=d)
    ...                for name, (k, u, d) in kinds.items()}
    >>> spec = IndexSpec(domains=[DomainSpec(id="livelihood", label="Livelihood", indicators=["poor"])])
    >>> risk_index(IndicatorTable(data, definitions), spec, period="2012").score.to_dict()
    {'A': 200.0, 'B': 50.0}
    """
    plain = isinstance(table, pd.DataFrame)
    named = str(period) if period is not None else UNSTATED
    source = as_table(table, spec, named) if isinstance(table, pd.DataFrame) else table
    when = one_period(source, named if plain else period)
    ready = prepare(source, spec, period=when, area_ids=area_ids, reference_ids=reference_ids, groups=groups)
    made = composite(ready.fitted, ready.figures.usable.to_numpy())
    _must_be_defined(made, ready)
    areas, names = ready.figures.usable.index, list(spec.indicators)
    ids = [domain.id for domain in spec.domains]
    relative = pd.DataFrame(made.normalised, areas, names)
    domains = pd.DataFrame(made.domains, areas, ids)
    lacking = domains.isna() & np.isnan(made.scores)[:, None]
    verdicts = _verdicts(ready, lacking, relative, spec)
    ranked = verdicts["reason"] == ""
    ranking = _ranking(source, ready, spec, made, verdicts, when)
    if spec.flags is not None:
        known = domains.notna().assign(total=ranked)
        flags = flags_of(ready.figures.usable, ready.fitted, spec).where(known.mul(ready.eligible, axis=0))
        ranking["flags"] = flags["total"]
    else:
        flags = None
    ranking = ranking.rename_axis("area_id").reset_index()
    ranking = ranking.sort_values(["rank", "area_id"], na_position="last").set_index("area_id")
    excluded = int(ranking["rank"].isna().sum())
    certificate = certify(
        spec,
        ready.fitted,
        source.definitions,
        period=when,
        reference=reference_name or "all areas of the scenario",
        reference_areas=len(ready.group),
        city=ready.city.loc[names],
        small=ready.figures.small,
        imputed=ready.filled,
        same=[name for name in names if len(ready.figures.usable.loc[ready.eligible, name].dropna().unique()) == 1],
        ranked=len(ranking) - excluded,
        excluded=excluded,
    )
    part_ids = [part.id for domain in spec.domains for part in domain.parts]
    places = [place for place, node in enumerate(ready.fitted.parts) if node.id in part_ids]
    return IndexResult(
        ranking=ranking,
        domains=_presented(domains.where(ready.eligible, np.nan), spec),
        relative=relative,
        weights=pd.DataFrame(made.weights, areas, names).where(ranked, np.nan),
        contributions=pd.DataFrame(made.contributions, areas, names).where(ranked, np.nan),
        reference=ready.city,
        certificate=certificate,
        spec=spec,
        points=pd.DataFrame(made.points, areas, ids).where(ranked, np.nan),
        parts=pd.DataFrame(made.parts[:, places], areas, part_ids).where(ranked, np.nan),
        imputed=ready.imputed,
        flags=flags,
    )


# ---------------------------------------------------------------- steps


def prepare(
    table: IndicatorTable,
    spec: IndexSpec,
    *,
    period: str,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    groups: pd.Series | None = None,
) -> Prepared:
    """Check a table against a specification, take its figures, and fit the pipeline to them.

    Raises
    ------
    SpecError
        As :func:`risk_index`.
    TableError
        As :func:`risk_index`.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> prepare(run.indicators(), run.spec.index, period="2012").figures.usable.shape
    (14, 8)
    """
    # Only figures without residents, as of a plain frame, are ranked without asking how many there are.
    bare = spec.population not in table.definitions and spec.minimum_population == 0
    counted = not (bare and (table.data["denominator"].isna() & table.data["numerator"].isna()).all())
    check_spec(table, spec, period, counted=counted)
    now = at_period(table, period)
    areas = pd.Index(sorted(set(now.data["area_id"].unique() if area_ids is None else area_ids)), name="area_id")
    if areas.empty:
        raise SpecError(Fault(what="there is no area to rank", key="area_ids", expected="codes of areas"))
    group = areas.union(pd.Index(table.data["area_id"].unique()))
    if reference_ids is not None:
        group = group.intersection(pd.Index(sorted(set(reference_ids))))
    if group.empty:
        raise SpecError(Fault(what="no area of the table lies in the reference area", key="index.reference"))
    based = period if spec.base is None else spec.base
    then = now if based == period else at_period(table, based)
    city = city_values(then, spec, group, based, counted=counted)
    directions = directions_of(spec, table.definitions)
    by_name = dict(zip(spec.indicators, directions, strict=True))
    check_targets(spec, by_name)
    check_city(city, by_name, relative_indicators(spec))
    figures = collect(now, spec, areas, period, counted=counted)
    check_areas(figures.usable, by_name)
    imputed, filled = fill(figures, spec, groups)
    figures = replace(figures, usable=figures.usable.fillna(imputed))
    eligible = pd.Series(data=True, index=areas)
    if figures.population is not None:
        eligible = figures.population >= max(spec.minimum_population, 1)
    if eligible.any():
        check_areas(figures.usable[eligible], by_name)
    base_values = None
    if then is not now:
        base_values = collect(then, spec, areas, based, counted=counted).usable.to_numpy()
    fitted = fit(
        figures.usable.to_numpy(),
        spec,
        directions=directions,
        city=city["value"].reindex(list(spec.indicators)).to_numpy(dtype=float),
        eligible=eligible.to_numpy(dtype=bool),
        base_values=base_values,
    )
    return Prepared(then, figures, imputed, filled, city, group, eligible, fitted)


def _must_be_defined(made: Composite, ready: Prepared) -> None:
    if made.problem:
        area = str(ready.figures.usable.index[made.problem_area])
        expected, hint = "values of at least 0", 'normalise by min_max, or take aggregation = "arithmetic"'
        raise TableError(Fault(what=made.problem, area=area, expected=expected, hint=hint))


def _ranking(
    table: IndicatorTable, ready: Prepared, spec: IndexSpec, made: Composite, verdicts: pd.DataFrame, period: str
) -> pd.DataFrame:
    areas, names = ready.figures.usable.index, list(spec.indicators)
    ranked = verdicts["reason"] == ""
    whole = pd.Series(made.scores, index=areas).where(ranked)
    shown = _presented(whole, spec)
    rest = _score_rest(ready, spec, made).where(ranked)
    known = ready.figures.usable.notna()
    relative = pd.DataFrame(made.normalised, areas, names)
    ranking = pd.DataFrame(
        {
            "rank": rank_of(whole),
            "score": shown,
            "gap": shown - (_CITY if scores_are_relative(spec) else shown.mean()),
            "rank_rest": rank_of(rest),
            "score_rest": rest,
            "population": np.nan if ready.figures.population is None else ready.figures.population,
            "indicators": (relative.notna() & known).sum(axis=1),
            "indicators_estimated": _estimated(ready, relative),
            "indicators_total": len(names),
            **verdicts,
            "composite": whole,
        },
        index=areas,
    )
    if spec.classes:
        ranking["status_class"] = class_of(whole, spec.classes)
        ranking["class"] = ranking["status_class"].astype("string").fillna("").astype(object)
    if spec.dynamics:
        change = dynamics_of(table, spec, areas[ranked], period, spec.dynamics).reindex(areas)
        ranking = ranking.join(change.assign(dynamics_class=change["dynamics_class"].fillna("")))
        if spec.classes:
            both = (ranking["class"] != "") & (ranking["dynamics_class"] != "")
            ranking["class"] = (ranking["class"] + ranking["dynamics_class"]).where(both, "")
    return ranking


def _presented(scores: Any, spec: IndexSpec) -> Any:
    """Turn composites into what is shown, of one column or several."""
    if presentation(spec) == "score":
        return scores
    values = scores.to_numpy(dtype=float)
    ranks = percentile_rank(settled(values[:, None]))[:, 0] if values.ndim == 1 else percentile_rank(settled(values))
    ranks = ranks if spec.decimals is None else np.round(ranks, spec.decimals)
    if isinstance(scores, pd.Series):
        return pd.Series(ranks, index=scores.index)
    return pd.DataFrame(ranks, scores.index, scores.columns)


def _score_rest(ready: Prepared, spec: IndexSpec, made: Composite) -> pd.Series:
    """Score each area against the reference without it."""
    values = ready.figures.usable
    nothing = pd.Series(np.nan, index=values.index)
    if not scores_are_relative(spec):
        return nothing
    rest = rest_values(ready.table, values, ready.city, ready.group)
    against = replace(ready.fitted, city=oriented(rest.to_numpy(dtype=float), ready.fitted.directions))
    alone = composite(against, values.to_numpy())
    # Where the rest of the city has no value to compare with, leaving the figure out would say that nothing differs.
    comparable = ~(~np.isnan(made.normalised) & np.isnan(alone.normalised)).any(axis=1)
    return pd.Series(alone.scores, index=values.index).where(comparable)


def rank_of(score: pd.Series) -> pd.Series:
    """Return ranks (Int64), 1 the highest score; scores that agree to twelve digits share the lowest place.

    Examples
    --------
    >>> rank_of(pd.Series([1.0, 3.0, 3.0])).tolist()
    [3, 1, 1]
    """
    same = pd.Series(settled(score.to_numpy(dtype=float)[:, None])[:, 0], index=score.index)
    return same.rank(method="min", ascending=False).astype("Int64")


def _verdicts(ready: Prepared, lacking: pd.DataFrame, relative: pd.DataFrame, spec: IndexSpec) -> pd.DataFrame:
    """Say of each area whether it is ranked, on what footing, and if not, why; ``lacking`` is areas × domains."""
    statuses, population = ready.figures.statuses, ready.figures.population
    verdicts = pd.DataFrame(
        {"status": "observed", "reason": "", "reason_domain": ""}, index=lacking.index, dtype=object
    )
    used = statuses.where(relative.notna())
    verdicts.loc[(used == "provisional").any(axis=1), "status"] = "provisional"
    estimated = (used == "estimated").any(axis=1) | ready.imputed.notna().any(axis=1)
    verdicts.loc[estimated, "status"] = "estimated"
    for domain in spec.domains:
        names = list(domain.indicators)
        without = lacking[domain.id] & (verdicts["reason"] == "") & ready.eligible
        why = statuses[names].where(relative[names].isna())
        for area in lacking.index[without]:
            verdicts.loc[area] = [_commonest(why.loc[area]), "domain_not_known", domain.id]
    if population is not None:
        verdicts.loc[~ready.eligible] = ["out_of_scope", "small_population", ""]
        verdicts.loc[population.isna()] = ["not_collected", "population_not_known", ""]
    return verdicts


def _estimated(ready: Prepared, relative: pd.DataFrame) -> pd.Series:
    """Count the figures that stand on an estimate or are provisional."""
    given = ready.figures.statuses.isin(["estimated", "provisional"]) & relative.notna()
    return (given | ready.imputed.notna()).sum(axis=1)


def _commonest(why: pd.Series) -> str:
    """Return the reason that is behind most of the missing figures; a known figure left out has too small a base."""
    counts = why.dropna().replace(dict.fromkeys(KNOWN, "out_of_scope")).value_counts()
    return str(min(counts.index[counts == counts.max()])) if len(counts) else "not_collected"
