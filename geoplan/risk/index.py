"""The risk index: every indicator relative to the city, domain means, and a weighted total; city = 100.

The model is the one of Västra Götaland that Stockholm used for its *index of social risk*: each area's value
is divided by the city's and multiplied by 100, the mean of a domain's indicators is the domain's score, and
the mean of the domains is the index. Above 100 means more risk than in the city as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import IndicatorTable, known_sums, totals, unit_scale
from geoplan.places.indicators import KNOWN
from geoplan.specs import IndexSpec, IndicatorSpec

__all__ = ["Certificate", "IndexResult", "risk_index"]

_CITY = 100.0
_TIE_DIGITS = 9  # scores that agree to a billionth of a point are tied; beyond that is arithmetic, not people


@dataclass(frozen=True)
class Certificate:
    """Every convention that was used, so that a rank can be traced and argued about.

    Attributes
    ----------
    method, formula
        What was computed.
    period, reference, reference_areas
        The year, the name of what scores 100, and how many areas it is made of.
    direction
        Indicator → how it enters: ``as is``, ``complement`` (1 - p) or ``reciprocal`` (city / area).
    domain_weights, indicator_weights
        As given, with ``domain_weight_sum``; domains are divided by the sum, indicators by the sum of those known.
    missing, exclusion, ties, rest_of_city
        The rules in words.
    reference_gaps, reference_coverage
        Indicator → number of (smallest) areas whose figure was not known when the city's value was made, and the share
        of the base that was; only where something is missing.
    too_small_bases
        Indicator → number of areas whose base was under the indicator's minimum, so that the figure was not used.
    ranked, excluded
        Numbers of areas.
    """

    method: str
    formula: str
    period: str
    reference: str
    reference_areas: int
    direction: Mapping[str, str]
    domain_weights: Mapping[str, float]
    domain_weight_sum: float
    indicator_weights: Mapping[str, float]
    missing: str
    exclusion: str
    ties: str
    rest_of_city: str
    reference_gaps: Mapping[str, int]
    reference_coverage: Mapping[str, float]
    too_small_bases: Mapping[str, int]
    ranked: int
    excluded: int

    def to_dict(self) -> dict[str, object]:
        """Return the certificate as plain values."""
        return asdict(self)

    def lines(self) -> list[tuple[str, str]]:
        """Return the certificate as pairs of a heading and a text."""
        pairs = []
        for name, value in asdict(self).items():
            text = (
                ", ".join(f"{k}: {v:g}" if isinstance(v, float) else f"{k}: {v}" for k, v in value.items())
                if isinstance(value, dict)
                else f"{value:g}"
                if isinstance(value, float)
                else str(value)
            )
            pairs.append((name.replace("_", " "), text or "none"))
        return pairs


@dataclass(frozen=True)
class IndexResult:
    """A risk index with all that it is made of.

    Attributes
    ----------
    ranking
        Index ``area_id``, sorted by rank, the areas without one last. Columns ``rank`` (Int64; 1 = highest risk),
        ``score`` (city = 100), ``gap`` (score - 100, points), ``rank_rest`` and ``score_rest`` (the area against the
        rest of the city), ``population`` (persons), ``indicators``, ``indicators_estimated`` and ``indicators_total``
        (number known, of these estimated or provisional, number in the index), ``status`` (observed, provisional,
        estimated, suppressed, not_collected, not_applicable or out_of_scope), ``reason`` (why an area has no rank:
        ``small_population``, ``population_not_known`` or ``domain_not_known``; else empty), ``reason_domain`` (which).
    domains
        Areas × domains, city = 100.
    relative
        Areas × indicators, city = 100 and higher = worse; NaN where the figure is missing or its base too small.
    weights
        Areas × indicators: the weight each known figure has in the area's score; a ranked area's row adds up to 1.
    contributions
        Areas × indicators, points: weight × relative; a ranked area's row adds up to its score.
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

    @property
    def score(self) -> pd.Series:
        """The index by area (city = 100; NaN for areas without a rank), in the order of ``area_id``."""
        score: pd.Series = self.ranking["score"].sort_index()
        return score

    @property
    def excluded(self) -> pd.DataFrame:
        """Areas without a rank, with the columns ``population``, ``status`` and ``reason``."""
        rows = self.ranking["rank"].isna()
        return self.ranking.loc[rows, ["population", "status", "reason"]]


def risk_index(
    table: IndicatorTable,
    spec: IndexSpec,
    *,
    period: str,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    reference_name: str | None = None,
) -> IndexResult:
    r"""Compute the index of each area relative to the city.

    With :math:`v_{ai}` the value of indicator *i* in area *a*, :math:`c_i` the city's value made from its counts,
    weights :math:`w_d` of domains and :math:`u_i` of indicators,

    .. math::

        r_{ai} = 100\,v_{ai}/c_i, \qquad
        s_{ad} = \frac{\sum_{i \in d} u_i r_{ai}}{\sum_{i \in d} u_i}, \qquad
        R_a = \frac{\sum_d w_d s_{ad}}{\sum_d w_d}

    over the indicators known in the area. An indicator that is better when higher enters as
    :math:`100\,(1 - v)/(1 - c)` (shares) or :math:`100\,c/v` (means and rates). Source: Västra Götalandsregionen's
    model of relative risk, as used in Stockholm's *Program för en sammanhållen stad*.

    Parameters
    ----------
    table
        Indicators of the areas, with the population count named by ``spec.population``.
    spec
        Domains, weights and rules; from a scenario, or made in Python.
    period
        The period to rank.
    area_ids
        The areas to rank; those of the table when left out. One that the table does not know is listed without a rank.
    reference_ids
        The areas that together score 100; all areas of the table when left out. Small areas count in them, and of
        merged areas all that is known of their parts.
    reference_name
        What they are called in the certificate.

    Returns
    -------
    IndexResult

    Raises
    ------
    SpecError
        When an indicator, the population or the period is not in the table, or an indicator is neutral or a count.
    TableError
        When the index is undefined: the city's value of an indicator is 0 (or 100 % for a turned share), is not known,
        or an inverted value is 0.

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
    _check_spec(table, spec, period)
    now = _at(table, period)
    names = list(spec.indicators)
    areas = pd.Index(sorted(set(now.data["area_id"].unique() if area_ids is None else area_ids)), name="area_id")
    group = areas if reference_ids is None else areas.intersection(pd.Index(sorted(set(reference_ids))))
    if group.empty:
        raise SpecError(Fault(what="no area of the table lies in the reference area", key="index.reference"))
    city = totals(now, group).xs(period, level="period").reindex([*names, spec.population])
    how = {name: _direction(table.definitions[name], spec) for name in names}
    _check_city(city.loc[names], how, table.definitions)

    cells = {
        column: now.wide(period, column).reindex(index=areas, columns=[*names, spec.population])
        for column in ("value", "numerator", "denominator", "status")
    }
    values, small = _usable(cells, table.definitions, names)
    _check_areas(values, how)
    relative = _relative(values, city["value"], how, table.definitions)
    rest = _relative(values, _rest_values(now, values, city, group), how, table.definitions)
    domains, weights = _aggregate(relative, spec)
    # Where the rest of the city has no value to compare with, leaving the figure out would say that nothing differs.
    comparable = ~(relative.notna() & rest.isna()).any(axis=1)
    score_rest = (weights * rest).sum(axis=1, min_count=1).where(comparable)

    population = cells["value"][spec.population]
    verdicts = _verdicts(population, domains, relative, cells["status"][names], spec)
    ranked = verdicts["reason"] == ""
    weights = weights.where(ranked, np.nan)
    contributions = weights * relative
    score = contributions.sum(axis=1, min_count=1)
    ranking = pd.DataFrame(
        {
            "rank": _ranks(score),
            "score": score,
            "gap": score - _CITY,
            "rank_rest": _ranks(score_rest.where(ranked)),
            "score_rest": score_rest.where(ranked),
            "population": population,
            "indicators": relative.notna().sum(axis=1),
            "indicators_estimated": _estimated(cells["status"][names], relative),
            "indicators_total": len(names),
            **verdicts,
        }
    )
    ranking = ranking.rename_axis("area_id").reset_index()
    ranking = ranking.sort_values(["rank", "area_id"], na_position="last").set_index("area_id")
    certificate = _certificate(
        spec,
        period,
        how,
        city.loc[names],
        small,
        reference_name or "all areas of the scenario",
        len(group),
        ranking,
    )
    return IndexResult(
        ranking, domains.where(ranked, np.nan), relative, weights, contributions, city, certificate, spec
    )


# ---------------------------------------------------------------- checks


def _check_spec(table: IndicatorTable, spec: IndexSpec, period: str) -> None:
    faults = Faults()
    present = set(table.data["indicator"].unique())
    for number, domain in enumerate(spec.domains):
        for name in domain.indicators:
            key = f"index.domains.{number}.indicators"
            if name not in table.definitions or name not in present:
                faults.add(checks.unknown_name("indicator", name, present, key=key))
            elif table.definitions[name].direction == "neutral":
                what = f"'{name}' is neutral: it is neither better nor worse when higher"
                faults.add(SpecError(Fault(what=what, key=key, hint="leave it out of the index")))
            elif table.definitions[name].kind == "count":
                what = f"'{name}' is a count: it grows with the area, and no area is near the city's"
                faults.add(SpecError(Fault(what=what, key=key, hint="give it a base, as a share or a rate")))
    if spec.population not in present:
        faults.add(checks.unknown_name("indicator", spec.population, present, key="index.population"))
    if period not in set(table.data["period"].unique()):
        faults.add(checks.unknown_name("period of the table", period, table.data["period"], key="period"))
    faults.raise_any()


def _direction(item: IndicatorSpec, spec: IndexSpec) -> str:
    if item.direction == "higher_is_worse":
        return "as is"
    return "complement" if item.kind == "share" and spec.favourable == "complement" else "reciprocal"


def _check_city(city: pd.DataFrame, how: Mapping[str, str], definitions: Mapping[str, IndicatorSpec]) -> None:
    """Refuse an indicator that the city's value makes meaningless."""
    faults = Faults()
    for name, row in city.iterrows():
        value = row["value"]
        top = unit_scale(definitions[str(name)].unit)
        if pd.isna(value):
            what, hint = (
                f"the city's value of '{name}' is not known",
                "leave the indicator out, or choose another period",
            )
        elif how[str(name)] == "complement" and value >= top:
            what, hint = (
                f"the city's value of '{name}' is {value:g}: nobody is without it",
                "leave the indicator out",
            )
        elif how[str(name)] != "complement" and value <= 0:
            what, hint = (
                f"the city's value of '{name}' is {value:g}, so nothing is relative to it",
                "leave it out",
            )
        else:
            continue
        faults.add(TableError(Fault(what=what, hint=hint)))
    faults.raise_any()


def _check_areas(values: pd.DataFrame, how: Mapping[str, str]) -> None:
    faults = Faults()
    for name in (name for name, way in how.items() if way == "reciprocal"):
        zero = values.index[values[name] <= 0]
        if len(zero):
            fault = Fault(
                what=f"'{name}' is {values.loc[zero[0], name]:g} and is better when higher: city / area has no value",
                area=str(zero[0]),
                hint="give the cell a status, or leave the indicator out of the index",
            )
            faults.add(TableError(fault))
    faults.raise_any()


# ---------------------------------------------------------------- arithmetic


def _usable(
    cells: Mapping[str, pd.DataFrame], definitions: Mapping[str, IndicatorSpec], names: list[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep the figures that are known and stand on a base large enough."""
    values = cells["value"][names].where(cells["status"][names].isin(KNOWN)).astype(float)
    small = {}
    for name in names:
        under = cells["denominator"][name].astype(float) < float(definitions[name].minimum_base or 0)
        under &= values[name].notna()
        values.loc[under, name] = np.nan
        if under.any():
            small[name] = int(under.sum())
    return values, small


def _relative(
    values: pd.DataFrame,
    city: pd.DataFrame | pd.Series,
    how: Mapping[str, str],
    definitions: Mapping[str, IndicatorSpec],
) -> pd.DataFrame:
    """Put each value relative to the city's (a Series), or to an area's own reference (a frame like ``values``)."""
    result = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, way in how.items():
            value, against = values[name], city[name]
            if way == "complement":
                top = unit_scale(definitions[name].unit)
                value, against = top - value, top - against
            ratio = against / value if way == "reciprocal" else value / against
            result[name] = (_CITY * ratio).where(np.isfinite(ratio))
    return pd.DataFrame(result, index=values.index)


def _at(table: IndicatorTable, period: str) -> IndicatorTable:
    """Keep one period."""
    parts = table.parts
    if parts is not None:
        parts = parts[parts["period"] == period]
    return IndicatorTable(table.data[table.data["period"] == period], table.definitions, parts)


def _rest_values(now: IndicatorTable, values: pd.DataFrame, city: pd.DataFrame, group: pd.Index) -> pd.DataFrame:
    """Return the value of the city without the area itself, area by area."""
    own = known_sums(now)
    period = str(now.data["period"].iloc[0])
    base = own.wide(period, "denominator").reindex_like(values).astype(float)
    value = own.wide(period).reindex_like(values).astype(float)
    # An area outside the city, or one that brings nothing known to it, leaves the city as it is.
    brings = pd.DataFrame(values.index.isin(group)[:, None] & value.notna(), values.index, values.columns)
    base, value = base.where(brings, 0.0), value.where(brings, 0.0)
    whole = city.loc[list(values.columns)]
    left = whole["denominator"] - base
    rest = whole["value"] * whole["denominator"] - value * base
    return (rest / left).where(left > 0)


def _aggregate(relative: pd.DataFrame, spec: IndexSpec) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return domain scores, and the weight that each known figure has in the total."""
    total = sum(domain.weight for domain in spec.domains)
    domains, weights = {}, {}
    for domain in spec.domains:
        given = pd.Series(domain.indicators)
        inside = relative[list(given.index)]
        known = inside.notna().mul(given, axis=1)
        enough = known.sum(axis=1) >= spec.minimum_available * given.sum() - 1e-12
        shares = known.div(known.sum(axis=1), axis=0).where(known > 0).where(enough, np.nan)
        domains[domain.id] = (shares * inside).sum(axis=1, min_count=1)
        for name in given.index:
            weights[name] = shares[name] * (domain.weight / total)
    return pd.DataFrame(domains, index=relative.index), pd.DataFrame(weights, index=relative.index)


def _ranks(score: pd.Series) -> pd.Series:
    return score.round(_TIE_DIGITS).rank(method="min", ascending=False).astype("Int64")


def _verdicts(
    population: pd.Series,
    domains: pd.DataFrame,
    relative: pd.DataFrame,
    statuses: pd.DataFrame,
    spec: IndexSpec,
) -> pd.DataFrame:
    """Say of each area whether it is ranked, on what footing, and if not, why."""
    verdicts = pd.DataFrame(
        {"status": "observed", "reason": "", "reason_domain": ""}, index=domains.index, dtype=object
    )
    used = statuses.where(relative.notna())
    verdicts.loc[(used == "provisional").any(axis=1), "status"] = "provisional"
    verdicts.loc[(used == "estimated").any(axis=1), "status"] = "estimated"
    for domain in spec.domains:
        names = list(domain.indicators)
        lacking = domains[domain.id].isna() & (verdicts["reason"] == "")
        why = statuses[names].where(relative[names].isna())
        for area in domains.index[lacking]:
            verdicts.loc[area] = [_commonest(why.loc[area]), "domain_not_known", domain.id]
    small = population < max(spec.minimum_population, 1)
    verdicts.loc[small] = ["out_of_scope", "small_population", ""]
    verdicts.loc[population.isna()] = ["not_collected", "population_not_known", ""]
    return verdicts


def _estimated(statuses: pd.DataFrame, relative: pd.DataFrame) -> pd.Series:
    """Count the figures that stand on an estimate or are provisional."""
    return (statuses.isin(["estimated", "provisional"]) & relative.notna()).sum(axis=1)


def _commonest(why: pd.Series) -> str:
    """Return the reason that is behind most of the missing figures; a known figure left out has too small a base."""
    counts = why.dropna().replace(dict.fromkeys(KNOWN, "out_of_scope")).value_counts()
    return str(min(counts.index[counts == counts.max()])) if len(counts) else "not_collected"


def _certificate(
    spec: IndexSpec,
    period: str,
    how: Mapping[str, str],
    city: pd.DataFrame,
    small: Mapping[str, int],
    reference: str,
    reference_areas: int,
    ranking: pd.DataFrame,
) -> Certificate:
    excluded = int(ranking["rank"].isna().sum())
    return Certificate(
        method="relative to the city (Västra Götaland model)",
        formula="100 × area / city per indicator; weighted mean in each domain; weighted mean of the domains",
        period=period,
        reference=reference,
        reference_areas=reference_areas,
        direction=dict(how),
        domain_weights={domain.id: domain.weight for domain in spec.domains},
        domain_weight_sum=sum(domain.weight for domain in spec.domains),
        indicator_weights={name: weight for domain in spec.domains for name, weight in domain.indicators.items()},
        missing=f"mean of those known; an area needs {spec.minimum_available:.0%} of the weight of every domain",
        exclusion=f"under {spec.minimum_population:,} residents: listed, not ranked, counted in the city's value",
        ties="the same rank to areas whose scores agree to nine decimals, the lowest of their places",
        rest_of_city="score_rest: the area against the reference without it; none where that has no case of something",
        reference_gaps={str(name): int(gap) for name, gap in city["areas_missing"].items() if gap},
        reference_coverage={str(name): round(float(part), 4) for name, part in city["coverage"].items() if part < 1},
        too_small_bases=dict(small),
        ranked=len(ranking) - excluded,
        excluded=excluded,
    )
