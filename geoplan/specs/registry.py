"""Registries: indicators defined once, domains by phase, and goals, shared by the layers of many cities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from math import inf
from typing import Literal

from pydantic import Field, model_validator

from geoplan.errors import Fault, did_you_mean
from geoplan.specs.base import LayerHead, Model, Several, Slug, Text
from geoplan.specs.index import DomainSpec
from geoplan.specs.indicators import IndicatorSpec

__all__ = ["FILE_COLUMNS", "CrosswalkRow", "DomainPhase", "Goal", "RegistryLayer", "registry_faults"]

#: Fields of a definition that speak of one data file; they belong to the layer that reads it.
FILE_COLUMNS = ("numerator", "denominator", "value", "published_unit")


class DomainPhase(Model):
    """The domains as they were in one phase of a programme."""

    version: str = Field(description="The phase's name, such as 2008 or phase-2.")
    since: int | None = Field(default=None, description="First year of the phase; with `until` alone, all before.")
    until: int | None = Field(default=None, description="Last year of the phase; with `since` alone, all after.")
    domains: Several[DomainSpec] = Field(
        min_length=1, description="The domains with their indicators and weights, as under [index] of a scenario."
    )

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> DomainPhase:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("a first year no later than the last")
        return self

    def holds_in(self, period: str) -> bool:
        """Tell whether the phase holds in a year; a period that is no year is not judged."""
        year = int(period) if period.isdecimal() else None
        return year is None or (self.since or year) <= year <= (self.until or year)


class CrosswalkRow(Model):
    """A domain of one phase that became, or became part of, a domain of another."""

    from_version: str = Field(description="The earlier phase, by its `version`.")
    from_domain: Slug = Field(description="A domain of the earlier phase.")
    to_version: str = Field(description="The later phase, by its `version`.")
    to_domain: Slug = Field(description="The domain it became, or became part of; one row for each.")
    note: Text | None = Field(default=None, description="What a reader must know of the change.")


class Goal(Model):
    """A goal of a programme and the indicators that speak of it; an indicator may serve several goals."""

    id: Slug = Field(description="The goal's short name.")
    label: Text = Field(description="The goal in words.")
    indicators: Several[Slug] = Field(
        default=(), description="Indicators that speak of the goal; an indicator may serve several."
    )


class RegistryLayer(LayerHead):
    """Definition sheets: a national core, or a city's own on top of one."""

    kind: Literal["registry"]
    extends: str | None = Field(
        default=None,
        description="The registry this one adds to, such as `sweden_core`: all of its indicators stand here too, and "
        "an [[indicators]] block with one of their ids changes only the fields it names.",
    )
    indicators: Several[IndicatorSpec] = Field(
        default=(), description="Definition sheets; columns of a file stand in the layer that reads it."
    )
    phases: Several[DomainPhase] = Field(
        default=(), description="The domains of each phase of a programme. Not inherited."
    )
    crosswalk: Several[CrosswalkRow] = Field(
        default=(), description="Which domain of one phase became which of the next. Not inherited."
    )
    goals: Several[Goal] = Field(default=(), description="What a programme wants to reach. Not inherited.")


def registry_faults(registry: RegistryLayer) -> list[Fault]:
    """Return what is wrong in a registry although each of its values is right.

    Names twice, columns of a file, indicators, phases and domains that nothing defines, phases that overlap.

    Examples
    --------
    >>> goal = Goal(id="work", label="More people in work", indicators=["employment"])
    >>> registry = RegistryLayer(kind="registry", title="R", source="s", licence="MIT", vintage="2012", goals=[goal])
    >>> print(*registry_faults(registry))
    key 'goals.0.indicators': no indicator of the registry is called 'employment'.
    """
    return [
        *_names_twice(registry),
        *_file_columns(registry),
        *_unknown(registry),
        *_crosswalk(registry),
        *_overlaps(registry),
    ]


def _names_twice(registry: RegistryLayer) -> Iterator[Fault]:
    named: list[tuple[str, str, list[str]]] = [
        ("indicators", "indicator", [item.id for item in registry.indicators]),
        ("phases", "phase", [phase.version for phase in registry.phases]),
        ("goals", "goal", [goal.id for goal in registry.goals]),
    ]
    for number, phase in enumerate(registry.phases):
        named.append((f"phases.{number}.domains", "domain", [domain.id for domain in phase.domains]))
    for key, kind, names in named:
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            yield Fault(what=f"the {kind} '{name}' stands there twice", key=key, expected=f"each {kind} once")
    rows = [row.model_dump(exclude={"note"}) for row in registry.crosswalk]
    for number, row in enumerate(rows):
        if row in rows[:number]:
            yield Fault(what="the row stands there twice", key=f"crosswalk.{number}", expected="each row once")


def _file_columns(registry: RegistryLayer) -> Iterator[Fault]:
    for number, item in enumerate(registry.indicators):
        for name in FILE_COLUMNS:
            if getattr(item, name) is not None:
                what = f"a registry reads no file, so '{item.id}' has no column there"
                hint = f"write `{name}` in the [[indicators]] block of the layer that reads the file"
                yield Fault(what=what, key=f"indicators.{number}.{name}", hint=hint)


def _unknown(registry: RegistryLayer) -> Iterator[Fault]:
    known = [item.id for item in registry.indicators]
    used: list[tuple[str, Iterable[str]]] = [
        (f"phases.{number}.domains.{place}.indicators", domain.indicators)
        for number, phase in enumerate(registry.phases)
        for place, domain in enumerate(phase.domains)
    ]
    used += [(f"goals.{number}.indicators", goal.indicators) for number, goal in enumerate(registry.goals)]
    for key, names in used:
        for name in names:
            if name not in known:
                what = f"no indicator of the registry is called '{name}'"
                yield Fault(what=what, key=key, hint=did_you_mean(name, known))


def _crosswalk(registry: RegistryLayer) -> Iterator[Fault]:
    domains = {phase.version: [domain.id for domain in phase.domains] for phase in registry.phases}
    for number, row in enumerate(registry.crosswalk):
        key = f"crosswalk.{number}"
        for side, version, name in (("from", row.from_version, row.from_domain), ("to", row.to_version, row.to_domain)):
            if version not in domains:
                what = f"no phase of the registry is called '{version}'"
                yield Fault(what=what, key=f"{key}.{side}_version", hint=did_you_mean(version, domains))
            elif name not in domains[version]:
                what = f"no domain of the phase '{version}' is called '{name}'"
                yield Fault(what=what, key=f"{key}.{side}_domain", hint=did_you_mean(name, domains[version]))
        if row.from_version == row.to_version:
            yield Fault(what="the row leads from a phase to itself", key=key, expected="two phases")


def _overlaps(registry: RegistryLayer) -> Iterator[Fault]:
    dated = [number for number, phase in enumerate(registry.phases) if phase.since or phase.until]
    for first, second in combinations(dated, 2):
        both = (registry.phases[first], registry.phases[second])
        begin = max(phase.since or -inf for phase in both)
        end = min(phase.until or inf for phase in both)
        if begin <= end:
            year = begin if begin > -inf else end
            what = f"the phases '{both[0].version}' and '{both[1].version}' overlap: both hold in {year:.0f}"
            hint = "close the earlier with `until`, begin the later with `since`"
            yield Fault(what=what, key=f"phases.{second}", expected="one phase a year", hint=hint)
