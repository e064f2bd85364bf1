"""What each method of the index does where its specification says nothing else, with its formula and source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from geoplan.errors import Fault, SpecError
from geoplan.specs import CombineSpec, DomainSpec, IndexSpec

__all__ = [
    "METHODS",
    "Convention",
    "How",
    "between_domains",
    "inside_domain",
    "inside_part",
    "presentation",
    "relative_indicators",
    "scores_are_relative",
]


@dataclass(frozen=True)
class How:
    """How parts become a whole, with nothing left open; see :class:`~geoplan.specs.CombineSpec`."""

    normalisation: str = "none"
    weighting: str = "given"
    aggregation: str = "arithmetic"
    missing: str = "left_out"
    decimals: int | None = None
    scale: tuple[float, float] = (0.0, 100.0)
    deviation: str = "population"

    def words(self) -> str:
        """Say it in one line."""
        said = [self.normalisation.replace("_", " "), f"weights {self.weighting.replace('_', ' ')}", self.aggregation]
        if self.missing == "average":
            said.append("missing counts as average")
        if self.decimals is not None:
            said.append(f"rounded to {self.decimals} decimals")
        if self.normalisation == "min_max":
            said.append(f"from {self.scale[0]:g} to {self.scale[1]:g}")
        if self.normalisation == "z_score":
            said.append(f"standard deviation of the {self.deviation}")
        return ", ".join(said)


@dataclass(frozen=True)
class Convention:
    """One method: how it combines, what its score is, its formula in words and where it comes from."""

    inside: How
    between: How
    formula: str
    source: str
    shown: Literal["score", "percentile"] = "score"


METHODS = {
    "relative": Convention(
        How("relative"),
        How(),
        "100 × area / city per indicator; weighted mean in each domain; weighted mean of the domains",
        "Västra Götalandsregionen's model of relative risk, as in Stockholm's Program för en sammanhållen stad",
    ),
    "rank_exponential": Convention(
        How(),
        How("rank_exponential", aggregation="sum"),
        "E = -k ln(1 - R (1 - exp(-100 / k))) of each domain's rank share R; sum of weight × E",
        "the indices of multiple deprivation of England, Scotland, Wales and Northern Ireland",
    ),
    "percentile": Convention(
        How("percentile", aggregation="sum"),
        How(aggregation="sum"),
        "(rank - 1) / (N - 1) per indicator; summed by domain and in all; percentile rank of the sums",
        "CDC/ATSDR Social Vulnerability Index",
        shown="percentile",
    ),
    "sd_classes": Convention(
        How(),
        How(),
        "weighted mean of the indicators as they are; classes by standard deviations from the areas' mean",
        "Statistics Sweden's socio-economic area types",
    ),
    "z_score": Convention(
        How("z_score", aggregation="sum"),
        How(aggregation="sum"),
        "(value - mean) / standard deviation of the areas per indicator; weighted sums",
        "Monitoring Soziale Stadtentwicklung, Berlin; OECD/JRC Handbook on Constructing Composite Indicators, step 5",
    ),
    "min_max": Convention(
        How("min_max"),
        How(),
        "(value - lowest) / (highest - lowest) per indicator, on the scale; weighted means",
        "OECD/JRC Handbook on Constructing Composite Indicators, step 5",
    ),
    "distance_to_target": Convention(
        How("distance_to_target"),
        How(),
        "100 × (value - target) / (worst - target) per indicator, 0 where the target is reached; weighted means",
        "OECD/JRC Handbook on Constructing Composite Indicators, step 5; COINr n_dist2targ, turned",
    ),
    "borda": Convention(
        How("borda", aggregation="sum"),
        How(aggregation="sum"),
        "number of areas less at risk, ties by half, per indicator; weighted sums",
        "Borda 1781; OECD/JRC Handbook on Constructing Composite Indicators, step 6",
    ),
}


def presentation(spec: IndexSpec) -> str:
    """Return what the score is: the composite (``score``) or its percentile rank."""
    return spec.presentation or METHODS[spec.method].shown


def between_domains(spec: IndexSpec) -> How:
    """Return how the index combines its domains."""
    return _filled(METHODS[spec.method].between, spec.between)


def inside_domain(spec: IndexSpec, domain: DomainSpec) -> How:
    """Return how a domain combines its indicators, or its parts.

    Raises
    ------
    SpecError
        When parts would be put relative to the city, of which they have no value.
    """
    if not domain.parts:
        return _filled(_filled(METHODS[spec.method].inside, spec.inside), domain.combine)
    start = replace(METHODS[spec.method].between, aggregation="arithmetic")
    how = _filled(start, domain.combine)
    if how.normalisation in {"relative", "distance_to_target"}:
        what = f"the parts of '{domain.id}' have no city value and no target to be normalised by"
        raise SpecError(Fault(what=what, key="index.domains.combine", expected="none, rank_exponential, z_score …"))
    return how


def inside_part(spec: IndexSpec, combine: CombineSpec | None) -> How:
    """Return how a part of a domain combines its indicators."""
    return _filled(_filled(METHODS[spec.method].inside, spec.inside), combine)


def scores_are_relative(spec: IndexSpec) -> bool:
    """Whether the city itself scores 100: all is put relative to it, and only means are taken after that.

    Examples
    --------
    >>> from geoplan.specs import index_preset
    >>> scores_are_relative(index_preset("wimd_2019"))
    False
    """
    inside = [inside_part(spec, part.combine) for domain in spec.domains for part in domain.parts or (domain,)]
    above = [inside_domain(spec, domain) for domain in spec.domains if domain.parts]
    means = all(how.aggregation != "sum" for how in [*inside, *above, between_domains(spec)])
    plain = all(how.normalisation == "none" for how in [*above, between_domains(spec)])
    relative = all(how.normalisation == "relative" for how in inside)
    return means and plain and relative and presentation(spec) == "score"


def relative_indicators(spec: IndexSpec) -> set[str]:
    """Return the indicators that are put relative to the city."""
    parts = [part for domain in spec.domains for part in domain.parts or (domain,)]
    relative = [part for part in parts if inside_part(spec, part.combine).normalisation == "relative"]
    return {name for part in relative for name in part.indicators}


def _filled(start: How, own: CombineSpec | None) -> How:
    if own is None:
        return start
    if own.weighting == "one_factor":
        # Factor scores are made from standardised figures, and a missing one tells nothing: the average.
        start = replace(start, normalisation="normal_scores", aggregation="sum", missing="average")
    given = {name: value for name, value in own.model_dump().items() if value is not None}
    return replace(start, **given)
