"""Rule books: which areas an authority singles out, by which figures, since when.

A rule book is one dated version of one rule. Criteria compare figures with limits; statuses say which criteria, and
how many of them, make an area what. A city writes a rule of its own as a file, without code.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from geoplan.errors import listed
from geoplan.specs.base import Finite, Language, Model, Period, Several, Slug, Text

__all__ = [
    "CITY",
    "CriterionSpec",
    "DatedLimit",
    "DatedYears",
    "ReferenceSpec",
    "RuleSpec",
    "StatusSpec",
    "UseSpec",
]

#: The reference that is made from the areas themselves; others are handed in, or are levels above the areas.
CITY = "city"
Compare = Literal["above", "at_least", "below", "at_most"]
_LONGEST = 10


class DatedLimit(Model):
    """A limit as an authority published it for one period."""

    period: Period = Field(description="The period that it holds for.")
    limit: Finite = Field(strict=False, description="In the indicator's unit.")
    source: str | None = Field(default=None, description="Where the limit was published.")


class DatedYears(Model):
    """Another number of consecutive periods, for one period."""

    period: Period = Field(description="The period that it holds for.")
    years: int = Field(ge=1, description="So many periods, that one among them.")


class CriterionSpec(Model):
    """One figure and its limit.

    What is compared is an indicator of the table, a rate made of two counts, or the risk index. It is compared with a
    number (``limit``), with a multiple of a reference's value (``factor`` and ``of``), or with the other areas
    (``top``, ``top_share``); the class of an index is looked up (``classes``).
    """

    id: Slug = Field(description="What statuses and results call it.")
    label: Text = Field(description="What people call it, with its limit.")
    indicator: Slug | None = Field(default=None, description="The indicator of the table that is compared.")
    numerator: str | Several[str] | None = Field(
        default=None,
        description="In place of `indicator`: counts to add up, as ids of indicators (their numerators) or "
        "`id.denominator`; with `denominator` they make a share in per cent.",
    )
    denominator: str | Several[str] | None = Field(default=None, description="The counts that make the base.")
    index: Literal["score", "class"] | None = Field(
        default=None, description="In place of `indicator`: the score or the class of the risk index."
    )
    direction: Literal["higher_is_worse", "higher_is_better", "neutral"] | None = Field(
        default=None, description="Only with `numerator`; an indicator has its own."
    )
    ages: Several[int] | None = Field(default=None, description="First and last year of age of the rule's base.")
    base: Text | None = Field(default=None, description="Who is counted of whom, in words.")
    mean_years: int = Field(
        default=1, ge=1, le=_LONGEST, description="The figure is the mean of so many years, the last its period."
    )
    decimals: int | None = Field(
        default=None, ge=0, le=12, description="Figures are rounded so before they are compared, a half up."
    )
    compare: Compare | None = Field(
        default=None, description="above and below are strict: a figure that equals the limit does not meet them."
    )
    limit: Finite | None = Field(default=None, strict=False, description="In the indicator's unit.")
    factor: Finite | None = Field(default=None, gt=0, strict=False, description="The limit is so many times …")
    of: str | None = Field(
        default=None,
        description="… the value of this: city (all areas of the table), a level above them, or a reference that is "
        "handed in by name, such as national or region.",
    )
    reference_indicator: Slug | None = Field(
        default=None, description="The reference is this indicator's value; the criterion's own when left out."
    )
    includes_area: bool = Field(
        default=True, description="Whether the area itself is part of a reference that is made from the areas."
    )
    published: Several[DatedLimit] = Field(
        default=(), description="Limits that the authority published for single periods; they go before `factor`."
    )
    classes: Several[int] = Field(default=(), description="With index = class: the classes that meet the criterion.")
    top: int | None = Field(default=None, ge=1, description="So many areas with the highest (lowest) figure meet it.")
    top_share: Finite | None = Field(
        default=None, gt=0, le=1, strict=False, description="So large a share of the areas meets it."
    )
    first: Literal["highest", "lowest"] = Field(
        default="highest", description="With top and top_share: who comes first."
    )
    inside: Slug | None = Field(
        default=None, description="With top and top_share: inside each area of this level, such as kommun."
    )
    source: str | None = Field(default=None, description="Where the limit is stated, if not where the rule is.")
    note: Text | None = Field(default=None, description="What one must know to apply it.")

    @property
    def key(self) -> str:
        """The id under which the criterion's figures stand: the indicator's, or its own."""
        return self.indicator or self.id

    @property
    def numerators(self) -> tuple[str, ...]:
        """The counts that make the numerator, when the rule makes a rate of its own."""
        return _several(self.numerator)

    @property
    def denominators(self) -> tuple[str, ...]:
        """The counts that make the base."""
        return _several(self.denominator)

    @property
    def ranked(self) -> bool:
        """Whether the other areas decide."""
        return self.top is not None or self.top_share is not None

    @field_validator("ages")
    @classmethod
    def _two_ages(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (len(value) != 2 or value[0] > value[1]):  # noqa: PLR2004  first and last
            raise ValueError("two ages, the lower first")
        return value

    @model_validator(mode="after")
    def _one_figure(self) -> CriterionSpec:
        given = [self.indicator is not None, self.numerator is not None, self.index is not None]
        if sum(given) != 1:
            raise ValueError("one of `indicator`, `numerator` (with `denominator`) and `index`")
        if (self.numerator is None) != (self.denominator is None):
            raise ValueError("`numerator` and `denominator` together")
        if self.direction is not None and self.numerator is None:
            raise ValueError("`direction` only with `numerator`: an indicator has its own")
        if self.index is not None and self.mean_years > 1:
            raise ValueError("no `mean_years` with `index`: the index is of one period")
        return self

    @model_validator(mode="after")
    def _one_test(self) -> CriterionSpec:
        if self.index == "class":
            if not self.classes or self.compare or self.ranked or self.limit is not None or self.factor is not None:
                raise ValueError("`classes`, and nothing else to compare with, for index = class")
            return self
        if self.classes:
            raise ValueError('`classes` only with index = "class"')
        ways = [self.limit is not None, self.factor is not None or bool(self.published), self.ranked]
        if sum(ways) != 1 or (self.top is not None and self.top_share is not None):
            raise ValueError("one of `limit`, `factor` with `of` (or `published`), `top` and `top_share`")
        if (self.factor is None) != (self.of is None):
            raise ValueError("`factor` and `of` together")
        if self.ranked == (self.compare is not None):
            raise ValueError("`compare`: above, at_least, below or at_most; none with `top` and `top_share`")
        if self.inside is not None and not self.ranked:
            raise ValueError("`inside` only with `top` or `top_share`")
        if self.index is not None and self.factor is not None and self.of != CITY:
            raise ValueError('of = "city": the index has no value elsewhere')
        return self


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


class StatusSpec(Model):
    """What an area is called that meets so many criteria, perhaps year after year."""

    id: Slug = Field(description="What other statuses, later versions and results call it.")
    label: Text = Field(description="Neutral words, for maps and lists.")
    term: Text | None = Field(default=None, description="The statute's own word; shown as a quotation only.")
    minimum_population: int = Field(default=0, ge=0, description="Areas with fewer residents have not the status.")
    criteria: Several[Slug] = Field(default=(), description="The criteria that are counted.")
    least: int | None = Field(default=None, ge=1, description="How many of them must be met; all when left out.")
    required: Several[Slug] = Field(default=(), description="Criteria that must be met besides.")
    based_on: Several[Slug] = Field(default=(), description="Statuses of this rule that the area must have as well.")
    any_of: Several[Slug] = Field(default=(), description="Statuses of this rule of which it must have one at least.")
    without: Several[Slug] = Field(default=(), description="Statuses of this rule that it must not have.")
    years: int = Field(
        default=1, ge=1, le=_LONGEST, description="All that must hold in so many consecutive periods before it begins."
    )
    years_at: Several[DatedYears] = Field(default=(), description="Periods for which another number holds.")
    exit_years: int = Field(
        default=1, ge=1, le=_LONGEST, description="It ends when that has not held in so many consecutive periods."
    )
    continues: Slug | None = Field(
        default=None, description="The status of earlier versions of the rule that it goes on from, if not its own id."
    )
    minimum_areas: int | None = Field(
        default=None, ge=1, description="It needs so many areas that qualify, in the same area of `inside`."
    )
    inside: Slug | None = Field(default=None, description="With `minimum_areas`: a level above, such as kommun.")
    note: Text | None = Field(default=None, description="What one must know to read it.")

    @model_validator(mode="after")
    def _says_something(self) -> StatusSpec:
        if not (self.criteria or self.required or self.based_on or self.any_of):
            raise ValueError("`criteria`, `required`, `based_on` or `any_of`: something must hold")
        if self.least is not None and self.least > len(self.criteria):
            raise ValueError(f"`least` of {len(self.criteria)} criteria at most")
        if (self.minimum_areas is None) != (self.inside is None):
            raise ValueError("`minimum_areas` and `inside` together")
        both = sorted(set(self.criteria) & set(self.required))
        if both:
            raise ValueError(f"each criterion either in `criteria` or in `required`; in both: {listed(both)}")
        return self

    def years_in(self, period: str) -> int:
        """Return in how many consecutive periods all must hold before the status begins in this one."""
        return next((item.years for item in self.years_at if item.period == period), self.years)


class ReferenceSpec(Model):
    """A value to compare with, such as a country's."""

    reference: Slug = Field(description="The name that criteria use in `of`, such as national.")
    indicator: Slug = Field(description="What it is the value of.")
    value: Finite = Field(strict=False, description="In the indicator's unit.")
    period: Period | None = Field(default=None, description="Its period; it holds for all when left out.")
    area_id: str | None = Field(default=None, description="The area it holds for, where areas differ (regions).")
    source: str = Field(description="Where the value was published.")


class UseSpec(Model):
    """What a table offers for an indicator that a rule asks for under another name."""

    indicator: str = Field(description="The id in the table.")
    complement: bool = Field(default=False, description="The rule counts those that the table does not: 100 - value.")
    note: Text | None = Field(default=None, description="How the two differ; printed with the result.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: object) -> object:
        return {"indicator": value} if isinstance(value, str) else value


class RuleSpec(Model):
    """One dated version of a rule."""

    title: Text = Field(description="The rule and its years, in neutral words.")
    family: Slug = Field(description="Versions of the same rule share it; the next version goes on from the last.")
    law: str = Field(description="Act, ordinance or decision, with paragraph and number.")
    authority: str = Field(description="Who decided it, or publishes its list.")
    since: dt.date | None = Field(default=None, description="First day in force; None: not a matter of date.")
    until: dt.date | None = Field(default=None, description="Last day in force; still in force when left out.")
    source: str = Field(description="Where this version is described; what of it is from a secondary source.")
    language: Language | None = Field(default=None, description="The language of the statute's terms.")
    population: Slug = Field(default="population", description="The indicator that counts residents.")
    preset: Slug | None = Field(default=None, description="The index of this preset is made from the table.")
    listed: Slug | None = Field(
        default=None, description="Only areas that lie in listed areas of this level, such as stadsdelsnamnd."
    )
    listed_areas: Several[str] = Field(default=(), description="Their codes, or names; a scenario names its own.")
    main: Slug | None = Field(default=None, description="The status that is meant by `chosen`; the first if left out.")
    criteria: Several[CriterionSpec] = Field(min_length=1, description="What is compared with what.")
    statuses: Several[StatusSpec] = Field(
        min_length=1, description="What areas are called that meet them; those that others take come before these."
    )
    references: Several[ReferenceSpec] = Field(
        default=(), description="Values to compare with that belong to the rule; those of a scenario go before them."
    )
    note: Text | None = Field(default=None, description="What one must know to apply it.")

    @field_validator("criteria", "statuses")
    @classmethod
    def _once(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        ids = [item.id for item in value]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"each id once; twice: {listed(twice)}")
        return value

    @model_validator(mode="after")
    def _names_fit(self) -> RuleSpec:
        criteria, earlier = {item.id for item in self.criteria}, set[str]()
        for status in self.statuses:
            absent = sorted({*status.criteria, *status.required} - criteria)
            if absent:
                raise ValueError(f"criteria of this rule in status '{status.id}'; there is no {listed(absent)}")
            unknown = sorted({*status.based_on, *status.any_of, *status.without} - earlier)
            if unknown:
                raise ValueError(f"statuses written before it in status '{status.id}'; {listed(unknown)} is not")
            earlier.add(status.id)
        if self.main is not None and self.main not in earlier:
            raise ValueError(f"`main`: one of {listed(sorted(earlier))}")
        if self.since and self.until and self.since > self.until:
            raise ValueError("`since` not after `until`")
        if self.listed_areas and self.listed is None:
            raise ValueError("`listed` with `listed_areas`: the level they are of")
        return self

    @property
    def chief(self) -> str:
        """The status that is meant by `chosen`."""
        return self.main or self.statuses[0].id

    def criterion(self, name: str) -> CriterionSpec:
        """Return a criterion by its id."""
        return next(item for item in self.criteria if item.id == name)

    def status(self, name: str) -> StatusSpec:
        """Return a status by its id."""
        return next(item for item in self.statuses if item.id == name)

    def least_population(self, name: str) -> int:
        """Return how many residents a status takes, those of the statuses that it stands on among them; 0 for none."""
        status = self.status(name)
        either = [self.least_population(other) for other in status.any_of]
        below = [self.least_population(other) for other in status.based_on]
        return max([status.minimum_population, *below, min(either, default=0)])

    def in_force(self, day: dt.date) -> bool:
        """Tell whether this version was in force on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
