"""Layers of indicators, and the definition of one."""

from __future__ import annotations

from math import isfinite
from typing import Literal

from pydantic import Field, field_validator, model_validator

from geoplan.errors import did_you_mean, listed
from geoplan.specs.base import Finite, IdColumn, Model, Period, Several, Slug, TableLayer, Text
from geoplan.specs.units import UNITS, unit_factor, units_like

__all__ = ["IndicatorSpec", "IndicatorsLayer", "Meaning", "NoiseSpec", "SignSet", "SumSpec"]

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
    since: Period | None = Field(default=None, description="First year the figure exists for; earlier ones are faults.")
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
        default=None, description="How this definition departs from the registry's, and why. Not inherited."
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


class SumSpec(Model):
    """Figures of an area that add up, as the publisher says; `geoplan check` adds them up."""

    parts: Several[str] = Field(
        min_length=1, description="Ids of indicators; `id.denominator` stands for an indicator's base."
    )
    whole: Finite | str = Field(
        description="What they make: a number such as 100, of which the parts' values are shares, or an indicator's "
        "id or `id.denominator`, whose count they are parts of."
    )

    @field_validator("whole", mode="before")
    @classmethod
    def _number_or_id(cls, value: object) -> object:
        number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not number and not isinstance(value, str):
            raise ValueError("a number such as 100, or an indicator's id")
        return value

    @model_validator(mode="after")
    def _shares_have_no_base(self) -> SumSpec:
        bases = [name for name in self.parts if name.endswith(".denominator")]
        if bases and not isinstance(self.whole, str):
            raise ValueError(f"shares of a number, or counts of a count; {listed(bases)} is no share")
        return self


class NoiseSpec(Model):
    """What the publisher did to every count, so that parts need not add up to their whole."""

    method: Literal["cell_key", "rounding"] = Field(
        description="cell_key: a small random number is added to each count (SCB and others); rounding: each count is "
        "rounded by itself."
    )
    size: Finite = Field(
        gt=0, description="The most by which a count may have been changed; half the base where counts are rounded."
    )


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
        default=None,
        description="The registry that defines the indicators, such as `sweden_core`: a block with one of its ids "
        "needs no more than the id, and what it says besides is local.",
    )
    match_layer: str | None = Field(
        default=None, description="Areas layer whose names, in place of codes, `id_column` holds; of the same level."
    )
    municipality_column: str | None = Field(
        default=None, description="With `match_layer`: the column of the municipality each name is meant in."
    )
    aliases: Several[str] = Field(
        default=(), description="With `match_layer`: aliases layers with other names of its areas, renames among them."
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
    total_row: str | Several[str] | None = Field(
        default=None,
        description="The code, or codes, under which the file states totals of all areas; such a row is no area, and "
        "`geoplan check` compares the areas' sums with it.",
    )
    stated_areas: int | None = Field(default=None, ge=1, description="How many areas the publisher says there are.")
    stated_sum: dict[str, Finite] = Field(
        default_factory=dict,
        description="Sums that the publisher states elsewhere, such as { population = 663237 }: of the counts of an "
        "indicator, or of an `id.denominator`, in the file's latest year.",
    )
    sums: Several[SumSpec] = Field(
        default=(), description="What adds up in each area: { parts = [ids], whole = 100 }, or whole = an id."
    )
    noise: NoiseSpec | None = Field(
        default=None, description="What the publisher did to the counts: { method = 'cell_key', size = 3 }."
    )
    provisional_from: int | None = Field(
        default=None, description="First year whose figures are provisional; so are those after it."
    )
    indicators: Several[IndicatorSpec] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_or_codes(self) -> IndicatorsLayer:
        if self.match_layer is None:
            if self.municipality_column is not None or self.aliases:
                raise ValueError("`match_layer` beside `municipality_column` or `aliases`: they are for names")
        elif self.id_width is not None or self.id_pad:
            raise ValueError("`match_layer` or `id_width` and `id_pad`, not both: a table has names or codes")
        return self

    @model_validator(mode="after")
    def _sums_name_indicators(self) -> IndicatorsLayer:
        if self.registry is not None:
            return self  # the registry's indicators are known when it has been read
        known = {name for item in self.indicators for name in (item.id, f"{item.id}.denominator")}
        named = [*self.stated_sum]
        for item in self.sums:
            named += [*item.parts, *([item.whole] if isinstance(item.whole, str) else [])]
        absent = sorted(set(named) - known)
        if absent:
            raise ValueError(f"sums of the layer's own indicators; there is no {listed(absent)}")
        return self

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
