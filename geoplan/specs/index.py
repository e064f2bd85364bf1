"""The risk index: its domains, and every convention that makes scores of figures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from geoplan.errors import listed
from geoplan.specs.base import Finite, Model, Period, Several, Slug, Text

__all__ = [
    "RESERVED",
    "Aggregation",
    "ClassesSpec",
    "CombineSpec",
    "DomainSpec",
    "DynamicsSpec",
    "IndexSpec",
    "Method",
    "Normalisation",
    "PartSpec",
    "PhaseSpec",
    "RanksSpec",
    "TreatmentSpec",
    "Weighting",
]

#: Columns of the ranked list; a domain, which gets a column of its own, cannot be called so.
RESERVED = frozenset((
    "area_id", "class", "class_label", "composite", "dynamics", "dynamics_class", "flags", "gap", "geometry", "homes",
    "indicators", "indicators_estimated", "indicators_total", "level", "method", "name", "p_above", "p_top", "period",
    "population", "rank", "rank_high", "rank_low", "rank_rest", "reason", "reason_domain", "score", "score_high",
    "score_low", "score_rest", "source", "status", "status_class",
))  # fmt: skip

_TREE = frozenset(("index", "total"))  # what the whole is called beside its domains

Method = Literal[
    "relative", "rank_exponential", "percentile", "sd_classes", "z_score", "min_max", "distance_to_target", "borda"
]  # fmt: skip
Normalisation = Literal[
    "none", "relative", "rank_exponential", "percentile", "z_score", "min_max", "distance_to_target", "borda",
    "normal_scores",
]  # fmt: skip
Weighting = Literal["given", "equal", "entropy", "principal_component", "one_factor"]
Aggregation = Literal["arithmetic", "sum", "geometric", "harmonic"]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]


class CombineSpec(Model):
    """How parts become a whole: indicators a domain, or domains the index. What is left out follows the method."""

    normalisation: Normalisation | None = Field(
        default=None, description="What is done to each part before it is weighed: none, relative, z_score …"
    )
    weighting: Weighting | None = Field(
        default=None,
        description="given: the weights written here; equal; or made from the figures: entropy, principal_component, "
        "one_factor (maximum likelihood, regression scores).",
    )
    aggregation: Aggregation | None = Field(
        default=None,
        description="arithmetic, geometric or harmonic mean, weights divided by their sum; or sum, as they are.",
    )
    missing: Literal["left_out", "average"] | None = Field(
        default=None,
        description="left_out: the known parts carry the weight of a missing one; average: it counts as the average "
        "area's (0 of z-scores and normal scores).",
    )
    decimals: int | None = Field(default=None, ge=0, le=12, description="Round the normalised parts.")
    scale: Several[Finite] | None = Field(
        default=None,
        description="min_max: lowest and highest value, 0 and 100 if left out; geometric means need > 0.",
    )

    deviation: Literal["population", "sample"] | None = Field(
        default=None, description="z_score: standard deviation by N (population, when left out) or by N - 1."
    )

    @field_validator("scale")
    @classmethod
    def _two_ends(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (len(value) != 2 or value[0] >= value[1]):  # noqa: PLR2004  lowest and highest
            raise ValueError("two numbers, the lower first")
        return value


def _by_weight(value: object) -> object:
    """Let a list of indicators mean equal weights."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        if len(set(value)) < len(value):
            raise ValueError("each indicator once in a domain")
        return dict.fromkeys(value, 1.0)
    if not isinstance(value, dict):
        raise ValueError("a list of indicator ids, or a table of id = weight")  # noqa: TRY004  pydantic's way
    return value


class PartSpec(Model):
    """A sub-domain: a part of a domain that is made from indicators by itself."""

    id: Slug
    label: Text
    weight: Weight = 1.0
    indicators: dict[str, Weight] = Field(
        min_length=1, description="A list of indicator ids, or a table of id = weight."
    )
    combine: CombineSpec | None = Field(default=None, description="How its indicators are combined, where it differs.")

    _list_means_equal = field_validator("indicators", mode="before")(_by_weight)


class DomainSpec(Model):
    """One domain of the index with its indicators, equally weighted or by weights given."""

    id: Slug
    label: Text
    weight: Weight = 1.0
    indicators: dict[str, Weight] = Field(
        min_length=1, description="A list of indicator ids, or a table of id = weight; or `parts`."
    )
    parts: Several[PartSpec] = Field(
        default=(), description="Sub-domains with indicators of their own, in place of `indicators`."
    )
    combine: CombineSpec | None = Field(
        default=None, description="How its indicators or parts are combined, where it differs from the index's."
    )

    _list_means_equal = field_validator("indicators", mode="before")(_by_weight)

    @model_validator(mode="before")
    @classmethod
    def _indicators_of_parts(cls, data: Any) -> Any:
        """Name a domain's indicators through its parts, each with its part's share."""
        parts = data.get("parts") if isinstance(data, dict) else None
        if not isinstance(parts, list | tuple) or not parts:
            return data
        named: dict[str, float] = {}
        for item in parts:
            try:
                part = item if isinstance(item, PartSpec) else PartSpec.model_validate(item)
            except ValidationError:
                # What is wrong with a part is told where it stands.
                return {**data, "indicators": data.get("indicators", {"of_its_parts": 1.0})}
            whole = sum(part.indicators.values())
            named |= {name: part.weight * own / whole for name, own in part.indicators.items()}
        if data.get("indicators", named) != named:
            raise ValueError("either `indicators` or `parts`, not both")
        return {**data, "indicators": named}

    @model_validator(mode="after")
    def _each_once(self) -> DomainSpec:
        names = [name for part in self.parts for name in part.indicators]
        ids = [part.id for part in self.parts]
        twice = sorted({n for n in names if names.count(n) > 1} | {i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"each part and each indicator once in a domain; twice: {listed(twice)}")
        return self


class PhaseSpec(Model):
    """The phase of a registry whose domains an index has."""

    registry: str = Field(description="The registry, such as `nordhamra_registry`.")
    version: str = Field(description="One of its phases, by its `version`; it must hold in the scenario's period.")


class RanksSpec(Model):
    """The conventions of rank_exponential: R = a share of the N areas, E = -k ln(1 - R (1 - exp(-100 / k)))."""

    ties: Literal["average", "lowest", "highest"] = Field(
        default="average",
        description="The number that tied areas get of their places, 1 being the highest risk: their average, the "
        "lowest number, or the highest.",
    )
    share: Literal["at_or_below", "below"] = Field(
        default="at_or_below",
        description="R of the area with rank r: at_or_below is (N + 1 - r) / N, below is (N - r) / N.",
    )
    constant: float = Field(default=23.0, gt=0, allow_inf_nan=False, strict=False, description="k.")


class TreatmentSpec(Model):
    """What is done to figures before they are normalised; every step is named in the certificate."""

    outliers: Literal["none", "winsorise", "log", "winsorise_or_log"] = Field(
        default="none",
        description="For indicators that are skewed: winsorise pulls the outermost areas in, log takes logarithms, "
        "winsorise_or_log takes logarithms where winsorising is not enough.",
    )
    skewness: float = Field(
        default=2.0,
        gt=0,
        allow_inf_nan=False,
        strict=False,
        description="An indicator is treated when its skewness is above this in absolute value …",
    )
    kurtosis: float = Field(
        default=3.5, gt=0, allow_inf_nan=False, strict=False, description="… and its kurtosis above this."
    )
    most_areas: int = Field(default=5, ge=1, description="Winsorise at most so many areas of an indicator.")
    impute: Literal["none", "group_mean"] = Field(
        default="none",
        description="group_mean: a missing figure becomes the mean of its group, by counts, with status estimated.",
    )
    groups: Slug | None = Field(default=None, description="The level whose areas are the groups; the city if left out.")


class ClassesSpec(Model):
    """Classes by distance from the mean, in standard deviations of the areas' scores."""

    limits: Several[Finite] = Field(
        default=(-1.0, 0.0, 1.0, 2.0), min_length=1, description="In standard deviations; a score on it is above."
    )
    first: Literal["highest", "lowest"] = Field(default="highest", description="Which scores are class 1.")
    deviation: Literal["population", "sample"] = Field(
        default="population", description="Standard deviation by N or by N - 1."
    )
    labels: Several[Text] = Field(default=(), description="Names of the classes, class 1 first.")

    @model_validator(mode="after")
    def _in_order(self) -> ClassesSpec:
        if list(self.limits) != sorted(set(self.limits)):
            raise ValueError("`limits` in rising order, each once")
        if self.labels and len(self.labels) != len(self.limits) + 1:
            raise ValueError(f"{len(self.limits) + 1} labels for {len(self.limits)} limits")
        return self


class DynamicsSpec(Model):
    """Change over some years beside the level, as one class of both: status × dynamics."""

    years: int = Field(default=2, ge=1, description="Years between the two periods that are compared.")
    limits: Several[Finite] = Field(
        default=(-1.0, 1.0), min_length=1, description="Classes of change, in standard deviations."
    )
    signs: Several[str] = Field(default=("+", "±", "−"), description="One a class, from improving to worsening.")

    @model_validator(mode="after")
    def _a_sign_each(self) -> DynamicsSpec:
        if list(self.limits) != sorted(set(self.limits)):
            raise ValueError("`limits` in rising order, each once")
        if len(self.signs) != len(self.limits) + 1:
            raise ValueError(f"{len(self.limits) + 1} signs for {len(self.limits)} limits")
        return self


class IndexSpec(Model):
    """How the risk index is made."""

    method: Method = Field(
        default="relative",
        description="relative (city = 100), rank_exponential (the UK indices), percentile (SVI), sd_classes (area "
        "types), z_score, min_max, distance_to_target or borda.",
    )
    preset: Slug | None = Field(
        default=None,
        description="A published index such as imd_2019, simd_2020, wimd_2019, svi_2022, scb_area_types: its "
        "conventions and domains hold where the scenario says nothing else.",
    )
    phase: PhaseSpec | None = Field(
        default=None, description="Take the domains from a phase of a registry, in place of [[index.domains]]."
    )
    domains: Several[DomainSpec] = Field(
        min_length=1, description="The domains with their indicators and weights; left out where `phase` names them."
    )
    inside: CombineSpec = Field(
        default=CombineSpec(), description="How indicators are combined in a domain, where it differs from the method."
    )
    between: CombineSpec = Field(
        default=CombineSpec(), description="How domains are combined, where it differs from the method."
    )
    ranks: RanksSpec = Field(default=RanksSpec(), description="Conventions of rank_exponential.")
    treatment: TreatmentSpec = Field(default=TreatmentSpec(), description="Outliers and gaps, before normalisation.")
    targets: dict[str, Finite] = Field(
        default_factory=dict, description="distance_to_target: the target of each indicator, in its unit."
    )
    directions: dict[str, Literal["higher_is_worse", "higher_is_better"]] = Field(
        default_factory=dict, description="Directions in place of the definitions', such as of published ranks."
    )
    presentation: Literal["score", "percentile"] | None = Field(
        default=None, description="What the score is: the composite itself, or its percentile rank among the areas."
    )
    decimals: int | None = Field(default=None, ge=0, le=12, description="Round percentile ranks.")
    flags: float | None = Field(
        default=None,
        gt=0,
        le=1,
        strict=False,
        description="Count the indicators of an area whose percentile rank is at least this.",
    )
    classes: ClassesSpec | None = Field(default=None, description="Classes of the score, in standard deviations.")
    dynamics: DynamicsSpec | None = Field(default=None, description="Classes of change beside those of the score.")
    base: Period | None = Field(
        default=None,
        description="The year whose city scores 100 (or whose mean, lowest and highest values count); the ranked "
        "year's own when left out.",
    )
    reference: str | None = Field(
        default=None,
        description="The parent area that scores 100, such as a municipality; all areas when left out.",
    )
    reference_label: Text | None = None
    population: str = Field(default="population", description="The indicator that counts residents.")
    minimum_population: int = Field(default=0, ge=0, description="Smaller areas are listed, not ranked.")
    minimum_available: float = Field(
        default=0.5,
        gt=0,
        le=1,
        strict=False,
        description="Share of a domain's weight that must be known for the area to be ranked.",
    )
    favourable: Literal["complement", "reciprocal", "after"] = Field(
        default="complement",
        description="How an indicator that is better when higher is turned. complement: shares by 1 - p, all else by "
        "city / area or by its sign; reciprocal: everything by city / area; after: percentile ranks and min_max are "
        "made first and then turned.",
    )

    @field_validator("domains")
    @classmethod
    def _domains_once(cls, value: tuple[DomainSpec, ...]) -> tuple[DomainSpec, ...]:
        used = [name for domain in value for name in domain.indicators]
        ids = [domain.id for domain in value]
        twice = sorted({name for name in used if used.count(name) > 1} | {i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"each domain once and each indicator in one domain; twice: {listed(twice)}")
        inner = [part.id for domain in value for part in domain.parts]
        same = sorted({i for i in inner if inner.count(i) > 1 or i in ids} | {i for i in inner if i in _TREE})
        if same:
            raise ValueError(f"parts under names of their own in the whole index; not so: {listed(same)}")
        whole = sorted(set(ids) & _TREE)
        if whole:
            raise ValueError(f"domains under other names: {listed(whole)} stands for the whole")
        reserved = sorted(set(ids) & RESERVED)
        if reserved:
            raise ValueError(f"domains under other names: the ranked list has columns called {listed(reserved)}")
        return value

    @model_validator(mode="after")
    def _names_fit(self) -> IndexSpec:
        for name, given in (("targets", self.targets), ("directions", self.directions)):
            absent = sorted(set(given) - set(self.indicators))
            if absent:
                raise ValueError(f"`{name}` of the index's own indicators; there is no {listed(absent)}")
        return self

    @property
    def indicators(self) -> tuple[str, ...]:
        """The indicators of all domains, in order."""
        return tuple(name for domain in self.domains for name in domain.indicators)
