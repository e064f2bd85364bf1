"""Every convention behind a score, in a form that can be printed, filed and compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata

import pandas as pd

from geoplan.risk.inputs import measured_by_target
from geoplan.risk.methods import METHODS, between_domains, inside_domain, inside_part, presentation, scores_are_relative
from geoplan.risk.normalising import BY_RANK
from geoplan.risk.pipeline import Fitted, Node
from geoplan.specs import IndexSpec, IndicatorSpec, TreatmentSpec

__all__ = ["Certificate", "certify"]

_LIBRARIES = ("geoplan", "numpy", "pandas", "scipy")


@dataclass(frozen=True)
class Certificate:
    """Every convention that was used, so that a rank can be traced and argued about.

    Attributes
    ----------
    method, formula, source, preset
        What was computed, after whom, and by which preset.
    period, base, reference, reference_areas
        The year, the year whose city is the measure, the name of what scores 100 (with its year where that is
        another), and how many areas it is made of.
    direction
        Indicator → how it enters: ``as is``, ``complement`` (1 - p), ``reciprocal`` (1 / value), ``negative`` or
        ``after`` (turned when normalised).
    denominators
        Indicator → what its figures are a part or a mean of, as its definition has it, and the smallest base used.
    combination
        Domain (or its part, or ``index``) → normalisation, weighting and aggregation in words.
    domain_weights, indicator_weights
        As given, with ``domain_weight_sum``.
    weights_made
        Domain → weights that were made from the figures, with what is known of their making.
    treatment_rule, imputation_rule
        Which indicators have their outermost areas treated, and what fills a gap, in words; ``none`` where nothing is.
    treatment
        Indicator → what was done to its outermost areas; only where something was.
    imputed
        Indicator → number of areas whose figure was filled in.
    targets
        Indicator → its target, in its unit; only where the distance to it is taken.
    missing, exclusion, ties, rank_share, rest_of_city, contributions, presentation
        The rules in words; ``rank_share`` is the definition of R where the method has one.
    same_everywhere
        Indicators without any difference between areas.
    reference_gaps, reference_coverage
        Indicator → number of (smallest) areas whose figure was not known when the city's value was made, and the share
        of the base that was; only where something is missing.
    too_small_bases
        Indicator → number of areas whose base was under the indicator's minimum, so that the figure was not used.
    ranked, excluded
        Numbers of areas.
    versions
        Library → version.
    """

    method: str
    formula: str
    source: str
    preset: str
    period: str
    base: str
    reference: str
    reference_areas: int
    direction: Mapping[str, str]
    denominators: Mapping[str, str]
    combination: Mapping[str, str]
    domain_weights: Mapping[str, float]
    domain_weight_sum: float
    indicator_weights: Mapping[str, float]
    weights_made: Mapping[str, str]
    treatment_rule: str
    treatment: Mapping[str, str]
    imputation_rule: str
    imputed: Mapping[str, int]
    targets: Mapping[str, float]
    missing: str
    exclusion: str
    ties: str
    rank_share: str
    rest_of_city: str
    contributions: str
    presentation: str
    same_everywhere: Sequence[str]
    reference_gaps: Mapping[str, int]
    reference_coverage: Mapping[str, float]
    too_small_bases: Mapping[str, int]
    ranked: int
    excluded: int
    versions: Mapping[str, str]

    def to_dict(self) -> dict[str, object]:
        """Return the certificate as plain values."""
        return asdict(self)

    def lines(self) -> list[tuple[str, str]]:
        """Return the certificate as pairs of a heading and a text."""
        return [(name.replace("_", " "), _text(value) or "none") for name, value in asdict(self).items()]

    def differences(self, other: Certificate) -> dict[str, tuple[str, str]]:
        """Return what the two do not agree on: heading → own text, the other's text.

        Examples
        --------
        >>> from geoplan.run import open_run
        >>> first = open_run("scenarios/baseline.toml").index().certificate
        >>> first.differences(first)
        {}
        """
        own, others = dict(self.lines()), dict(other.lines())
        return {name: (own[name], others[name]) for name in own if own[name] != others[name]}


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def certify(
    spec: IndexSpec,
    fitted: Fitted,
    definitions: Mapping[str, IndicatorSpec],
    *,
    period: str,
    reference: str,
    reference_areas: int,
    city: pd.DataFrame,
    small: Mapping[str, int],
    imputed: Mapping[str, int],
    same: Iterable[str],
    ranked: int,
    excluded: int,
) -> Certificate:
    """Write down what was done."""
    convention = METHODS[spec.method]
    relative = scores_are_relative(spec)
    ranking = [node for node in _nodes(fitted) if node.how.normalisation in BY_RANK]
    weights = [domain.weight for domain in spec.domains]
    unused = "not used: nothing is ranked before it is weighed"
    return Certificate(
        method=spec.method.replace("_", " "),
        formula=convention.formula,
        source=convention.source,
        preset=spec.preset or "none",
        period=period,
        base=spec.base or period,
        reference=reference if spec.base in {None, period} else f"{reference}, {spec.base}",
        reference_areas=reference_areas,
        direction={name: item.way for name, item in zip(fitted.names, fitted.directions, strict=True)},
        denominators={name: _denominator(definitions[name], city.loc[name, "value"]) for name in fitted.names},
        combination=_combination(spec),
        domain_weights={domain.id: domain.weight for domain in spec.domains},
        domain_weight_sum=float(f"{sum(weights):.12g}"),
        indicator_weights={name: weight for domain in spec.domains for name, weight in domain.indicators.items()},
        weights_made={
            node.id: ", ".join(f"{value:.4f}" for value in node.weights.each) + f" ({node.weights.told})"
            for node in _nodes(fitted)
            if node.weights.told
        },
        treatment_rule=_treatment_rule(spec.treatment),
        treatment=dict(fitted.treatment.told),
        imputation_rule=_imputation_rule(spec.treatment),
        imputed=dict(imputed),
        targets={name: spec.targets[name] for name in measured_by_target(spec)},
        missing=_missing(spec, fitted),
        exclusion=f"{_too_small(spec)}: listed, not ranked, counted in the city's value",
        ties=_ties(spec, [node.how.normalisation for node in ranking]),
        rank_share=_rank_share(spec) if any(n.how.normalisation == "rank_exponential" for n in ranking) else unused,
        rest_of_city="score_rest: the area against the reference without it; none where that has no case of something"
        if relative
        else "none: scores are not relative to the city's value",
        contributions="of each indicator; they add up to the composite"
        if fitted.total is None or fitted.total.plain
        else "of each domain; divided among its indicators by weight",
        presentation=_presented(spec),
        same_everywhere=tuple(same),
        reference_gaps={str(name): int(gap) for name, gap in city["areas_missing"].dropna().items() if gap},
        reference_coverage={str(name): round(float(part), 4) for name, part in city["coverage"].items() if part < 1},
        too_small_bases=dict(small),
        ranked=ranked,
        excluded=excluded,
        versions={name: metadata.version(name) for name in _LIBRARIES},
    )


def _nodes(fitted: Fitted) -> list[Node]:
    return [*fitted.parts, *fitted.domains, *([fitted.total] if fitted.total else [])]


def _denominator(item: IndicatorSpec, city: float) -> str:
    """Say what an indicator's figures are a part or a mean of; the city has no value where they have no counts."""
    if pd.isna(city):
        return "not known: figures without counts"
    words = item.base.to("en") if item.base else "as counted in the table"
    ages = "–".join(str(age) for age in dict.fromkeys(item.ages or ()))
    told = [f"aged {ages}"] if ages and not re.search(r"[0-9]", words) else []
    told += [f"at least {item.minimum_base:,}"] if item.minimum_base else []
    return f"{words} ({', '.join(told)})" if told else words


def _too_small(spec: IndexSpec) -> str:
    least = spec.minimum_population
    return f"under {least:,} residents" if least > 1 else "without residents"


def _treatment_rule(rule: TreatmentSpec) -> str:
    if rule.outliers == "none":
        return "none"
    ways = {"winsorise": "the {} outermost areas at most are winsorised", "log": "a logarithm is taken"}
    ways["winsorise_or_log"] = f"{ways['winsorise']}, and {ways['log']} where that is not enough"
    limits = f"skewness is above {rule.skewness:g} in absolute value and kurtosis above {rule.kurtosis:g}"
    return f"{ways[rule.outliers].format(rule.most_areas)}, of indicators whose {limits}"


def _imputation_rule(rule: TreatmentSpec) -> str:
    if rule.impute == "none":
        return "none"
    group = f"of the area's {rule.groups}" if rule.groups else "of all areas ranked"
    return f"a gap gets the mean {group}, by counts where all are known, and is estimated"


def _combination(spec: IndexSpec) -> dict[str, str]:
    told: dict[str, str] = {}
    for domain in spec.domains:
        told |= {part.id: inside_part(spec, part.combine).words() for part in domain.parts}
        told[domain.id] = inside_domain(spec, domain).words()
    return {**told, "index": between_domains(spec).words()}


def _missing(spec: IndexSpec, fitted: Fitted) -> str:
    told = f"the known ones carry the weight; an area needs {spec.minimum_available:.0%} of that of every domain"
    several = [node for node in _nodes(fitted) if len(node.places) > 1]
    average = [node.id for node in several if node.how.missing == "average"]
    if not average:
        return told
    said = f"counts as the average, and one known is enough, in {', '.join(average)}"
    return said if len(average) == len(several) else f"{said}; else {told}"


def _ties(spec: IndexSpec, ranked_by: Iterable[str]) -> str:
    final = "the same rank to areas whose scores agree to twelve digits of the largest, the lowest of their places"
    used = set(ranked_by)
    told = {
        "rank_exponential": f"before R: the {spec.ranks.ties} of their places, counted from the highest risk",
        "percentile": "before percentile ranks: the lowest of their places, counted from the lowest risk",
        "borda": "before Borda points: the average of their places",
        "normal_scores": "before normal scores: the average of their places",
    }
    return "; ".join([*(text for name, text in told.items() if name in used), final])


def _rank_share(spec: IndexSpec) -> str:
    formula = "(N + 1 - r) / N" if spec.ranks.share == "at_or_below" else "(N - r) / N"
    return f"R = {formula}, r = 1 at the highest risk; k = {spec.ranks.constant:g}"


def _presented(spec: IndexSpec) -> str:
    told = "the composite" if presentation(spec) == "score" else "percentile rank of the composite"
    if presentation(spec) == "percentile" and spec.decimals is not None:
        told += f", rounded to {spec.decimals} decimals"
    if spec.classes:
        limits = ", ".join(f"{limit:g}" for limit in spec.classes.limits)
        told += f"; classes at {limits} standard deviations ({spec.classes.deviation}) from the mean of the areas"
        told += f", class 1 the {spec.classes.first}"
    if spec.dynamics:
        limits = ", ".join(f"{limit:g}" for limit in spec.dynamics.limits)
        told += f"; dynamics over {spec.dynamics.years} years, classes at {limits} standard deviations"
    if spec.flags is not None:
        told += f"; flags at {spec.flags:g}"
    return told
