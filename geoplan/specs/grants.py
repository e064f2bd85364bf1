"""Grants: how an envelope is divided between areas, by need or by what changed."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from geoplan.specs.base import Finite, Model, Several, Slug, Text

__all__ = [
    "ContextSpec",
    "GrantIndicatorSpec",
    "GrantSpec",
    "MoneyUnit",
    "NeedGrantSpec",
    "NeedPaymentSpec",
    "PaymentSpec",
    "PerformanceGrantSpec",
    "PerformancePaymentSpec",
]

MoneyUnit = Literal["kr", "tkr", "Mkr"]


class EnvelopeSpec(Model):
    """The money that is divided."""

    title: Text | None = Field(default=None, description="What the grant is called in tables and notes.")
    envelope: int | Finite = Field(gt=0, description="The money of one year, in `unit`; a whole number of kronor.")
    unit: MoneyUnit = Field(
        default="kr", description="kr, tkr (1,000 kr) or Mkr (1,000,000 kr): of the envelope, a floor and a cap."
    )


class NeedGrantSpec(EnvelopeSpec):
    """A grant by need: each area's part follows its need."""

    kind: Literal["need"] = Field(description="need: divided by need.")
    measure: Literal["index_times_population", "need_count"] = Field(
        default="index_times_population",
        description="index_times_population: an index, such as the risk index, times residents; need_count: the need "
        "is a number of people already.",
    )
    threshold: Finite | None = Field(
        default=None, description="Areas whose need (the index, or the count) is below this get nothing."
    )
    minimum_population: int | None = Field(
        default=None, ge=1, description="Areas with fewer residents get nothing; every area counts when left out."
    )
    floor: int | Finite = Field(default=0, ge=0, description="An area that gets something gets at least this, in unit.")
    cap: int | Finite | None = Field(default=None, gt=0, description="No area gets more than this, in unit.")


class GrantIndicatorSpec(Model):
    """One indicator that is paid for."""

    indicator: Slug = Field(description="The indicator, of the table; its direction says what an improvement is.")
    weight: Finite = Field(
        default=1.0, gt=0, description="Its share of the money beyond the guaranteed; weights are divided by their sum."
    )


class ContextSpec(Model):
    """What makes an improvement harder, and therefore count for more."""

    indicator: Slug = Field(description="The indicator, of the table, such as refugees received per 1,000 residents.")
    strength: Finite = Field(
        ge=0,
        description="k in the factor 1 + k·r/(mean of r): an area without any has the factor 1, the mean area 1 + k.",
    )
    basis: str = Field(
        default="the authority has not published its formula; this one was chosen here",
        description="Where formula and strength come from; printed with every result.",
    )


class PerformanceGrantSpec(EnvelopeSpec):
    """A grant by performance: each area's part follows what changed for the better from one year to the next."""

    kind: Literal["performance"] = Field(description="performance: divided by improvement.")
    guaranteed: Finite = Field(
        gt=0, le=1, description="Share of the envelope that is divided equally, so that every area gets something."
    )
    lag: int = Field(
        ge=0, le=20, description="Years from the later year of the data to the payment; the other is the year before."
    )
    measure: Literal["points", "relative", "persons"] = Field(
        default="points",
        description="points: the change in the indicator's unit; relative: in parts of the earlier figure; persons: "
        "the change of the rate times the base of the earlier year, so that large areas count for more.",
    )
    indicators: Several[GrantIndicatorSpec] = Field(
        min_length=1, description="What is paid for, each indicator with its own share of the money."
    )
    context: ContextSpec | None = Field(
        default=None, description="A factor on improvements; all areas count alike when left out."
    )

    @model_validator(mode="after")
    def _each_indicator_once(self) -> PerformanceGrantSpec:
        twice = [name for name, many in Counter(item.indicator for item in self.indicators).items() if many > 1]
        if twice:
            raise ValueError(f"each indicator once, not {', '.join(twice)} again")
        return self


#: Either kind; ``kind`` says which.
GrantSpec = Annotated[NeedGrantSpec | PerformanceGrantSpec, Field(discriminator="kind")]


# ---------------------------------------------------------------- in a scenario


class PaidSpec(Model):
    """Who is paid by a grant of a scenario, and to whom payments are added up."""

    id: Slug = Field(max_length=20, description="A short name; it stands on the sheet.")
    paid: Literal["chosen", "chosen_and_nominated", "all"] = Field(
        default="chosen", description="chosen: the areas that qualify by the scenario's rule; all: every ranked area."
    )
    roll_up: str | None = Field(
        default=None,
        description="A level above the areas, or a relation, to whose areas payments are added up, such as kommun.",
    )


class NeedPaymentSpec(NeedGrantSpec, PaidSpec):
    """A grant by need in a scenario: of its index and residents, or of a number of people in need."""

    need: str | None = Field(
        default=None,
        description="With measure = need_count: the indicator that counts people in need; the scenario's `need` when "
        "left out.",
    )


class PerformancePaymentSpec(PerformanceGrantSpec, PaidSpec):
    """A grant by performance in a scenario: its period is the later year of the data."""

    draws: int = Field(default=2000, ge=100, le=100_000, description="Draws that tell how much is paid for chance.")
    warn_above: Finite = Field(
        default=0.25, ge=0, le=1, strict=False, description="Warn from this share of the money paid for chance on."
    )


#: A grant of a scenario; ``kind`` says which.
PaymentSpec = Annotated[NeedPaymentSpec | PerformancePaymentSpec, Field(discriminator="kind")]
