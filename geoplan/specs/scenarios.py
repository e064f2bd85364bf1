"""Scenarios: one complete, reproducible run in one file."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from geoplan.errors import listed
from geoplan.specs.base import Language, Model, Period, Several, Slug, Text

__all__ = ["RESERVED", "DisclosureSpec", "DomainSpec", "IndexSpec", "ScenarioSpec"]

#: Columns of the ranked list; a domain, which gets a column of its own, cannot be called so.
RESERVED = frozenset((
    "area_id", "gap", "geometry", "homes", "indicators", "indicators_estimated", "indicators_total", "level", "method",
    "name", "period", "population", "rank", "rank_rest", "reason", "reason_domain", "score", "score_rest", "source",
    "status",
))  # fmt: skip


class DomainSpec(Model):
    """One domain of the index with its indicators, equally weighted or by weights given."""

    id: Slug
    label: Text
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False, strict=False)
    indicators: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]] = Field(
        min_length=1, description="A list of indicator ids, or a table of id = weight."
    )

    @field_validator("indicators", mode="before")
    @classmethod
    def _list_means_equal(cls, value: object) -> object:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            if len(set(value)) < len(value):
                raise ValueError("each indicator once in a domain")
            return dict.fromkeys(value, 1.0)
        if not isinstance(value, dict):
            raise ValueError("a list of indicator ids, or a table of id = weight")  # noqa: TRY004  pydantic's way
        return value


class PhaseSpec(Model):
    """The phase of a registry whose domains an index has."""

    registry: str = Field(description="The registry, such as `nordhamra_registry`.")
    version: str = Field(description="One of its phases, by its `version`; it must hold in the scenario's period.")


class IndexSpec(Model):
    """How the risk index is made."""

    method: Literal["relative"] = "relative"
    phase: PhaseSpec | None = Field(
        default=None, description="Take the domains from a phase of a registry, in place of [[index.domains]]."
    )
    domains: Several[DomainSpec] = Field(
        min_length=1, description="The domains with their indicators and weights; left out where `phase` names them."
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
    favourable: Literal["complement", "reciprocal"] = Field(
        default="complement",
        description="How an indicator that is better when higher is turned: shares by 1 - p (a mean or a rate has "
        "no complement and is inverted all the same), or everything by city / area.",
    )

    @field_validator("domains")
    @classmethod
    def _domains_once(cls, value: tuple[DomainSpec, ...]) -> tuple[DomainSpec, ...]:
        used = [name for domain in value for name in domain.indicators]
        ids = [domain.id for domain in value]
        twice = sorted({name for name in used if used.count(name) > 1} | {i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"each domain once and each indicator in one domain; twice: {listed(twice)}")
        reserved = sorted(set(ids) & RESERVED)
        if reserved:
            raise ValueError(f"domains under other names: the ranked list has columns called {listed(reserved)}")
        return value

    @property
    def indicators(self) -> tuple[str, ...]:
        """The indicators of all domains, in order."""
        return tuple(name for domain in self.domains for name in domain.indicators)


class AssignSpec(Model):
    """How the table's areas are put into the ranked ones when no membership table says."""

    layer: str = Field(description="The areas layer of the table's level.")
    method: Literal["largest_overlap", "area", "raster", "points"] = Field(
        default="largest_overlap",
        description="largest_overlap puts each area whole into the one that covers most of it; the others divide its "
        "figures: by surface, or by where the people of a raster or points layer are.",
    )
    weights: str | None = Field(
        default=None, description="The raster or points layer to weigh by, for the methods of these names."
    )
    minimum_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        strict=False,
        description="Least part of an area that must lie inside the ranked one. Where figures are divided: inside all "
        "ranked ones together; of an area with less, only that part counts.",
    )

    @model_validator(mode="after")
    def _weights_where_needed(self) -> AssignSpec:
        weighted = self.method in {"raster", "points"}
        if weighted and self.weights is None:
            raise ValueError(f"`weights`, the {self.method} layer to weigh by")
        if self.weights is not None and not weighted:
            raise ValueError("no `weights`, or `method` raster or points")
        return self


class AreasSpec(Model):
    """The areas of a scenario."""

    level: Slug = Field(description="The level that is ranked and mapped.")
    layers: Several[str] = Field(min_length=1, description="Areas layers, one a level.")
    membership: Several[str] = Field(default=(), description="The membership layers that tie the levels.")
    assign: AssignSpec | None = None
    crosswalk: Several[str] = Field(
        default=(),
        description="Crosswalk layers: changes of boundaries. Figures of every period are brought to the areas as they "
        "were on the scenario's `date`.",
    )
    crs: str | None = Field(default=None, description="Metric system to work in; the layer's when left out.")
    backdrop: Several[str] = ()


class IndicatorsSpec(Model):
    """The indicator tables of a scenario."""

    layers: Several[str] = Field(min_length=1)
    minimum_coverage: float = Field(
        default=0.8,
        gt=0,
        le=1,
        strict=False,
        description="Share of a merged area's base that must be known for a merged rate.",
    )
    precedence: Literal["error", "first"] = Field(
        default="error",
        description="When several layers give the same figure: a fault, or the layer named first wins and the "
        "difference is noted.",
    )


class DisclosureSpec(Model):
    """What must hold before a figure may be shown to the public."""

    minimum_base: int = Field(default=0, ge=0, description="Rates on fewer people, households … are hidden.")
    minimum_cell: int = Field(default=5, ge=2, description="Counts of 1 up to one less than this are hidden.")
    complement: bool = Field(default=True, description="Hide as well where so few are *not* counted.")
    rounding: Literal["none", "stockholm", "base_3", "base_5", "base_10"] = Field(
        default="none", description="Round counts instead of hiding them; stockholm: 1-2 become 0, 3-4 become 5."
    )
    secondary: bool = Field(default=True, description="Hide further cells so that sums do not give the hidden away.")
    year_sums: dict[str, Several[Period]] = Field(
        default_factory=dict, description="Periods that sum others, such as 2010-2012 = [2010, 2011, 2012]."
    )
    levels: Several[Slug] = Field(
        default=(), description="Levels whose figures become public; all levels of the scenario when left out."
    )


class CsvSpec(Model):
    """How the ranking is written as text."""

    separator: Literal[",", ";", "\t"] = ","
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _signs_differ(self) -> CsvSpec:
        if self.separator == self.decimal:
            raise ValueError("a separator that differs from the decimal sign")
        return self


class OutputSpec(Model):
    """What a run writes."""

    maps: Several[str] = Field(
        default=("risk_index",), min_length=1, description="Definitions in maps/, the main one first."
    )
    csv: CsvSpec = CsvSpec()


class ScenarioSpec(Model):
    """One complete, reproducible run."""

    title: Text
    date: dt.date = Field(description="The date of the report, printed on maps; a run never prints today's.")
    period: Period = Field(description="The year that is ranked.")
    language: Language = "sv"
    seed: int = Field(default=1, ge=0)
    note: Text | None = None
    areas: AreasSpec
    indicators: IndicatorsSpec
    index: IndexSpec
    output: OutputSpec = OutputSpec()
    profile: Literal["internal", "public"] = Field(
        default="internal", description="public: only figures that have passed disclosure control leave the run."
    )
    disclosure: DisclosureSpec | None = None
