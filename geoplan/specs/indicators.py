"""Layers of indicators, and the definition of one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from geoplan.errors import did_you_mean, listed
from geoplan.specs.base import Finite, IdColumn, Model, Period, Several, Slug, TableLayer, Text
from geoplan.specs.units import UNITS, unit_factor, units_like

__all__ = ["IndicatorSpec", "IndicatorsLayer", "Meaning", "SignSet"]

#: What a sign in place of a number can mean: a status, a true zero, or one of the six non-answers of Danish surveys.
Meaning = Literal[
    "suppressed", "not_collected", "not_applicable", "out_of_scope", "zero",
    "dont_know", "not_relevant", "declined", "unanswered", "not_stated", "not_asked",
]  # fmt: skip
#: The publishers whose signs geoplan knows by name; what they mean stands in ``geoplan/places/signs.py``.
SignSet = Literal["scb", "statbank", "kolada", "danish_survey"]


class IndicatorSpec(Model):
    """Definition of one indicator."""

    id: Slug
    label: Text
    domain: Slug | None = None
    kind: Literal["share", "rate", "mean", "count"] = Field(
        description="share: part of a base; rate: events per base; mean: a sum over a base; count: a number."
    )
    unit: str = Field(description="pct, per_mille, per_1000, per_100000, persons, days, kr, tkr, mkr, score …")
    direction: Literal["higher_is_worse", "higher_is_better", "neutral"]
    base: Text | None = Field(default=None, description="The population the figure speaks of, in words.")
    ages: Several[int] | None = Field(default=None, description="First and last year of age of the base.")
    source: str | None = Field(default=None, description="The register or survey; the layer's when left out.")
    vintage: str | None = Field(default=None, description="What day or year the figures speak of; the layer's if not.")
    breaks: Several[int] = Field(default=(), description="Years whose figures cannot be compared backwards.")
    quality: Literal["A", "B", "C"] | None = Field(default=None, description="A good, B usable, C weak.")
    distance: Literal["activity", "area", "general"] | None = Field(
        default=None, description="How near the figure lies to what a programme does."
    )
    minimum_base: int | None = Field(default=None, ge=0, description="Smallest base worth a figure.")
    subject: Literal["work", "school", "income", "health", "safety", "housing", "family", "participation", "people"] | (
        None
    ) = Field(default=None, description="What the figure is about, whatever domain it stands in.")
    plausible: Several[Finite] | None = Field(
        default=None, description="Lowest and highest value that can be true, in `unit`; others are faults."
    )
    mean_years: int = Field(
        default=1, ge=1, le=10, description="The figure is made from the counts of so many years, the last its period."
    )
    difference: Text | None = Field(
        default=None, description="How a local definition departs from the registry's, and why."
    )
    published_unit: str | None = Field(
        default=None,
        description="The unit in the file where it is another: kr for tkr, share (0-1) or per_mille for pct, thousands "
        "for persons. Values, and the sums of counts and means, are turned into `unit`.",
    )
    note: Text | None = None
    numerator: str | Several[str] | None = Field(
        default=None,
        description="Wide tables: column, or columns to add up. Years as columns: the text in `indicator_column`.",
    )
    denominator: str | Several[str] | None = Field(
        default=None, description="The same for the base; the weight of a bare `value`."
    )
    value: str | None = Field(default=None, description="The same for a rate published without counts.")

    @field_validator("ages")
    @classmethod
    def _two_ages(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (len(value) != 2 or value[0] > value[1]):  # noqa: PLR2004  first and last
            raise ValueError("two ages, the lower first")
        return value

    @model_validator(mode="after")
    def _value_or_counts(self) -> IndicatorSpec:
        if self.value is not None and self.numerator is not None:
            raise ValueError("either `value` or `numerator`, not both")
        return self

    @model_validator(mode="after")
    def _units_fit(self) -> IndicatorSpec:
        if self.kind == "share" and unit_factor(self.unit, "pct") is None:
            hint = did_you_mean(self.unit, [name for name, (kind, _) in UNITS.items() if kind == "share"])
            raise ValueError(f"a unit of shares for kind share, not '{self.unit}'; {hint}")
        if self.published_unit is not None and unit_factor(self.published_unit, self.unit) is None:
            others = units_like(self.unit)
            way = did_you_mean(self.published_unit, others) if others else "leave it out: there is no other unit"
            raise ValueError(f"a `published_unit` that can be turned into '{self.unit}'; {way}")
        return self

    @field_validator("plausible")
    @classmethod
    def _two_limits(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (len(value) != 2 or value[0] >= value[1]):  # noqa: PLR2004  lowest and highest
            raise ValueError("two numbers, the lower first")
        return value


class IndicatorsLayer(TableLayer, IdColumn):
    """A table of indicators: long (`tidy`), one column each (`wide`), or one column a year (`years`)."""

    kind: Literal["indicators"]
    level: Slug
    shape: Literal["tidy", "wide", "years"] = "tidy"
    period: Period | None = Field(default=None, description="Wide tables: the year of the figures.")
    years: Several[Period] = Field(
        default=(),
        description="Years as columns: the columns to read, each named by its year; all that look like a year, up to "
        "that of `vintage`, when left out.",
    )
    indicator_column: str | None = Field(
        default=None,
        description="Years as columns: the column that says which figure a row holds, where several are stacked.",
    )
    registry: str | None = Field(
        default=None, description="Registry layer that defines the indicators; what is written here is local."
    )
    missing_signs: SignSet | None = Field(
        default=None,
        description="Whose signs the file uses in place of numbers: Statistics Sweden (scb), Statistics Denmark "
        "(statbank), Kolada, or the non-answers of a Danish survey (ved ikke, uoplyst …).",
    )
    missing_codes: dict[str, Meaning] = Field(
        default_factory=dict,
        description="What the file writes in place of a number, and what it means: a status, zero, or a non-answer "
        "(dont_know, not_relevant, declined, unanswered, not_stated, not_asked). Goes before `missing_signs`.",
    )
    empty_base: Literal["error", "not_applicable"] = Field(
        default="error", description="What a base of 0 means: a fault, or an area without such residents."
    )
    provisional_from: int | None = Field(
        default=None, description="First year whose figures are provisional; so are those after it."
    )
    indicators: Several[IndicatorSpec] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_indicator_once(self) -> IndicatorsLayer:
        ids = [indicator.id for indicator in self.indicators]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"each indicator once; defined twice: {listed(twice)}")
        return self

    @model_validator(mode="after")
    def _wide_names_columns(self) -> IndicatorsLayer:
        if self.shape == "wide":
            if self.period is None:
                raise ValueError("`period`, which a wide table needs")
            bare = [item.id for item in self.indicators if item.numerator is None and item.value is None]
            if bare:
                raise ValueError(f"`numerator` or `value` for {listed(bare)}: a wide table names its columns")
        return self

    @model_validator(mode="after")
    def _years_name_rows(self) -> IndicatorsLayer:
        if self.shape != "years" and (self.years or self.indicator_column):
            raise ValueError('`years` and `indicator_column` only with `shape = "years"`')
        if self.shape == "years" and self.indicator_column is None and len(self.indicators) > 1:
            raise ValueError("`indicator_column`, which tells several indicators apart in a table of years")
        return self
