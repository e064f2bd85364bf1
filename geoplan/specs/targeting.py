"""What a scenario says of the choice of programme areas."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, field_validator, model_validator

from geoplan.errors import listed
from geoplan.specs.base import Finite, Model, Period, Several, Slug
from geoplan.specs.grants import PaymentSpec
from geoplan.specs.rules import ReferenceSpec, UseSpec

__all__ = [
    "BoundariesSpec",
    "CertaintySpec",
    "EarlierSpec",
    "HistorySpec",
    "NominationSpec",
    "TargetingSpec",
]


class NominationSpec(Model):
    """An area that somebody has nominated, whatever its figures say."""

    area_id: str = Field(description="The area's code.")
    by: str = Field(description="Who nominated it, such as a municipality; several in one text.")
    on: dt.date | None = Field(default=None, description="The day.")
    note: str | None = Field(default=None, description="Printed in the log of decisions.")


class EarlierSpec(Model):
    """A published list of an earlier year: it stands in place of what the table would give."""

    period: Period = Field(description="The list's year.")
    status: Slug = Field(description="The status of the rule that the list is of.")
    areas: Several[str] = Field(description="Who was on it; all others were not.")


class CertaintySpec(Model):
    """How sure designations are said to be."""

    draws: int = Field(default=2000, ge=100, le=100_000, description="How often the counts are drawn.")
    noise: Literal["posterior", "sampling"] = Field(
        default="posterior",
        description="posterior: true rates given the counts; sampling: chance around the observed figures.",
    )
    borderline: Several[Finite] = Field(
        default=(0.1, 0.9), description="An area whose probability of designation lies between these is borderline."
    )

    @field_validator("borderline")
    @classmethod
    def _two_shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) != 2 or not 0 <= value[0] < value[1] <= 1:  # noqa: PLR2004  from and to
            raise ValueError("two shares from 0 to 1, the lower first")
        return value


class BoundariesSpec(Model):
    """Which other boundaries are tried, to see which designations survive them."""

    kinds: Several[Literal["merged", "split", "shifted"]] = Field(
        default=("merged", "split", "shifted"),
        description="Pairs of neighbours merged, areas of several parts split, all boundaries shifted.",
    )
    tolerance_m: Finite = Field(
        default=100.0, gt=0, strict=False, description="By how many metres all boundaries are shifted."
    )


class HistorySpec(Model):
    """Which years the rule is applied to besides the scenario's own."""

    periods: Several[Period] = Field(default=(), description="Years; all that the tables have when left out.")
    versions: bool = Field(
        default=False,
        description="Each year under the version of the rule that was in force, not all under the scenario's own.",
    )


class TargetingSpec(Model):
    """The rule that singles areas out, and what is asked of its result."""

    rule: str = Field(
        description="A rule book that comes with geoplan, such as se_2012, or one of the project's rules/ folder."
    )
    compare: Several[str] = Field(default=(), description="Other rule books, set beside the first.")
    indicators: dict[str, UseSpec] = Field(
        default_factory=dict,
        description='Where the tables use other ids than the rules: eligible = { indicator = "not_eligible", '
        "complement = true }.",
    )
    references: Several[ReferenceSpec] = Field(
        default=(), description="Values that the rules compare with and that no table of the scenario holds."
    )
    listed: Several[str] = Field(
        default=(), description="The areas above in which the rule holds, where it lists them; codes or names."
    )
    nominated: Several[NominationSpec] = Field(
        default=(), description="Areas that somebody nominated; kept apart from what figures say."
    )
    earlier: Several[EarlierSpec] = Field(default=(), description="Published lists, for rules that look back.")
    need: str | None = Field(
        default=None,
        description="The indicator that counts people in need: who of them is reached? Such as low_economic_standard.",
    )
    certainty: CertaintySpec | None = Field(
        default=None, description="Say how sure designations are; an empty table takes the usual answers."
    )
    history: HistorySpec | None = Field(
        default=None, description="Who has had the status in earlier years; an empty table takes all of them."
    )
    boundaries: BoundariesSpec | None = Field(
        default=None, description="Try other boundaries; an empty table tries all kinds."
    )
    grants: Several[PaymentSpec] = Field(
        default=(), description="How money is divided between the chosen areas, by need or by what changed."
    )
    named_from: Slug | None = Field(
        default=None,
        description="To the public, areas of levels below this one are called by their codes, not by their names.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> TargetingSpec:
        names = [self.rule, *self.compare]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each rule once; twice: {listed(twice)}")
        ids = [item.id for item in self.grants]
        same = sorted({name for name in ids if ids.count(name) > 1})
        if same:
            raise ValueError(f"each grant with an id of its own; twice: {listed(same)}")
        codes = [item.area_id for item in self.nominated]
        again = sorted({code for code in codes if codes.count(code) > 1})
        if again:
            raise ValueError(f"each area nominated once, with all who did so in `by`; twice: {listed(again)}")
        return self
