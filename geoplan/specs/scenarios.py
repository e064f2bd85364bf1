"""Scenarios: one complete, reproducible run in one file."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field, model_validator

from geoplan.errors import did_you_mean
from geoplan.specs.base import Language, Model, Period, Several, Slug, Text
from geoplan.specs.index import Aggregation, IndexSpec, Normalisation
from geoplan.specs.targeting import TargetingSpec
from geoplan.specs.travel import AccessSpec, LinksSpec, NodesSpec, SurfaceSpec, TravelSpec

__all__ = ["DisclosureSpec", "ScenarioSpec", "UncertaintySpec"]


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


class UncertaintySpec(Model):
    """How sure ranks are said to be: what is drawn again and again, and what is asked of the draws."""

    draws: int = Field(default=2000, ge=100, le=100_000)
    noise: Literal["posterior", "sampling", "none"] = Field(
        default="posterior",
        description="posterior: true rates given the counts; sampling: chance around the observed; none.",
    )
    towards: Literal["city", "neighbours"] | Slug = Field(
        default="city", description="What small areas are drawn towards: city, neighbours, or a level above."
    )
    weights_concentration: float | None = Field(
        default=None,
        gt=0,
        strict=False,
        allow_inf_nan=False,
        description="Draw weights as well, the nearer to those given the larger this is; 50 is wide, 500 narrow.",
    )
    normalisations: Several[Normalisation] = Field(
        default=(), description="Normalisations to draw from besides the index's own."
    )
    aggregations: Several[Aggregation] = Field(
        default=(), description="Aggregations to draw from besides the index's own."
    )
    leave_one_out: bool = Field(default=False, description="Leave one indicator out in each draw, or none.")
    level: float = Field(default=0.9, gt=0, lt=1, strict=False, description="Share of the draws in an interval.")
    top: int | None = Field(default=None, ge=1, description="Ask how likely an area is among so many highest.")
    line: float | None = Field(
        default=None, strict=False, allow_inf_nan=False, description="Ask how likely a score is above this."
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
        default=("risk_index",),
        min_length=1,
        description="Definitions in maps/, the main one first; `score` where the city does not score 100.",
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
    uncertainty: UncertaintySpec | None = Field(
        default=None, description="Say how sure ranks are; an empty table takes the usual answers."
    )
    targeting: TargetingSpec | None = Field(
        default=None, description="The choice of programme areas: the rule, and what is asked of its result."
    )
    travel: TravelSpec | None = Field(default=None, description="How people travel, and where they live.")
    access: AccessSpec | None = Field(default=None, description="What residents reach.")
    nodes: NodesSpec | None = Field(default=None, description="Which places could grow into strategic nodes.")
    links: LinksSpec | None = Field(default=None, description="How neighbouring districts are connected.")
    surfaces: Several[SurfaceSpec] = Field(default=(), description="Rasters that the run writes.")
    output: OutputSpec = OutputSpec()
    profile: Literal["internal", "public"] = Field(
        default="internal", description="public: only figures that have passed disclosure control leave the run."
    )
    disclosure: DisclosureSpec | None = None

    @model_validator(mode="after")
    def _with_travel(self) -> ScenarioSpec:
        if self.travel is None and (self.access or self.nodes or self.links):
            raise ValueError("a table [travel] beside [access], [nodes] or [links]")
        if self.access is None and (self.nodes or any(item.kind == "access" for item in self.surfaces)):
            raise ValueError("a table [access] beside [nodes], or a surface of access")
        named = set(self.nodes.classes()) if self.nodes else set()
        strange = sorted(named - set(self.access.opportunities)) if self.access else []
        if strange:
            raise ValueError(f"classes of [nodes] among the opportunities of [access], not {', '.join(strange)}")
        known = self.access.measures(self.travel.percentiles) if self.access and self.travel else []
        strange = [item.of for item in self.surfaces if item.kind == "access" and item.of not in known]
        if strange:
            hint = did_you_mean(strange[0], known)
            told = f"{hint}; " if hint else ""
            raise ValueError(f"surfaces of measures of [access], not '{strange[0]}': {told}{', '.join(known)}")
        twice = {item.id for item in self.surfaces if sum(one.id == item.id for one in self.surfaces) > 1}
        if twice:
            raise ValueError(f"an id of its own for each surface; twice: {', '.join(sorted(twice))}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _map_that_fits(cls, data: Any) -> Any:
        """Draw the index in classes of its own where no city scores 100, unless the scenario names its maps."""
        index = data.get("index") if isinstance(data, dict) else None
        output = data.get("output", {}) if isinstance(data, dict) else None
        if not isinstance(index, dict) or not isinstance(output, dict) or "maps" in output:
            return data
        return (
            data if index.get("method", "relative") == "relative" else {**data, "output": {**output, "maps": ["score"]}}
        )
