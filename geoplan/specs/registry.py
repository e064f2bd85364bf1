"""Registries: indicators defined once, domains by phase, and goals, shared by the layers of many cities."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.specs.base import LayerHead, Model, Period, Several, Slug, Text
from geoplan.specs.indicators import IndicatorSpec

__all__ = ["CrosswalkRow", "DomainPhase", "Goal", "PhaseDomain", "RegistryLayer"]


class PhaseDomain(Model):
    """One domain of a phase with its indicators."""

    id: Slug
    label: Text
    indicators: Several[Slug] = Field(min_length=1)


class DomainPhase(Model):
    """The domains as they were in one phase of a programme."""

    version: str = Field(description="The phase's name, such as 2008 or phase-2.")
    since: Period | None = Field(default=None, description="First year of the phase.")
    until: Period | None = Field(default=None, description="Last year of the phase; open when left out.")
    domains: Several[PhaseDomain] = Field(min_length=1)


class CrosswalkRow(Model):
    """A domain of one phase that became, or became part of, a domain of the next."""

    from_version: str
    from_domain: Slug
    to_version: str
    to_domain: Slug
    note: Text | None = None


class Goal(Model):
    """A goal of a programme and the indicators that speak of it; an indicator may serve several goals."""

    id: Slug
    label: Text
    indicators: Several[Slug] = Field(min_length=1)


class RegistryLayer(LayerHead):
    """Definition sheets: a national core, or a city's own on top of one."""

    kind: Literal["registry"]
    extends: str | None = Field(default=None, description="The registry this one adds to, such as `sweden_core`.")
    indicators: Several[IndicatorSpec] = ()
    phases: Several[DomainPhase] = ()
    crosswalk: Several[CrosswalkRow] = ()
    goals: Several[Goal] = ()
