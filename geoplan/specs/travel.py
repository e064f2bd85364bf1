"""What a scenario says of travel, access, strategic nodes, links between districts, and surfaces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from geoplan.specs.base import Finite, Model, Several, Slug, Text

__all__ = [
    "AccessSpec",
    "AccessStandardSpec",
    "CompetitionSpec",
    "DecaySpec",
    "IsochroneSpec",
    "LinksSpec",
    "NodesSpec",
    "SurfaceSpec",
    "TravelSpec",
]

ThemeName = Literal["density", "mix", "transit", "services", "schools", "parks", "development", "barriers"]
Weight = Annotated[Finite, Field(ge=0, strict=False)]
_CLOCK = r"^([01]\d|2[0-9]):[0-5]\d$"
Minutes = Several[Finite]


def _rising(value: tuple[float, ...], *, least: float, most: float) -> tuple[float, ...]:
    if not value or any(not least < one <= most for one in value) or list(value) != sorted(set(value)):
        raise ValueError(f"rising numbers above {least:g}, up to {most:g}")
    return value


class TravelSpec(Model):
    """How people of the scenario travel, and where they live; what access, nodes and links stand on."""

    streets: str = Field(description="A layer of streets.")
    timetable: Several[str] = Field(default=(), description="Layers of timetables; on foot alone when left out.")
    people: str = Field(description="Where people live: a raster of residents, or a points layer.")
    date: dt.date | None = Field(
        default=None, description="The service day; the typical Tuesday of the timetable when left out."
    )
    departure: str = Field(default="07:00", pattern=_CLOCK, description="Start of the window of departures, HH:MM.")
    window_min: Finite = Field(default=60, ge=0, le=24 * 60, strict=False, description="Minutes, a departure each.")
    percentiles: Minutes = Field(
        default=(50,), description="Shares of the departures that keep a time, per cent; the first is the one mapped."
    )
    max_min: Finite = Field(default=90, gt=0, le=1000, strict=False, description="Longest trip that counts.")
    max_walk_min: Finite = Field(default=30, gt=0, le=240, strict=False, description="Longest walk at either end.")
    rides: int = Field(default=8, ge=0, le=20, description="Most vehicles in a trip.")
    slack_s: int = Field(default=60, ge=0, le=3600, description="Seconds to be at a stop before boarding.")
    walk_kmh: Finite | None = Field(
        default=None, gt=0, le=20, strict=False, description="Walking speed on the level; geoplan's own when left out."
    )
    elevation: str | None = Field(default=None, description="A raster of heights: slopes change the speed.")

    @field_validator("percentiles")
    @classmethod
    def _percentiles(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or any(not 0 < share <= 100 for share in value) or len(set(value)) < len(value):  # noqa: PLR2004  per cent
            raise ValueError("different numbers above 0, up to 100")
        return value


class DecaySpec(Model):
    """How much less an opportunity counts the longer the trip is."""

    kind: Literal["exponential", "power", "log_logistic", "gaussian"] = "exponential"
    half_time_min: Finite = Field(gt=0, strict=False, description="Minutes after which an opportunity counts half.")


class AccessStandardSpec(Model):
    """What residents should have."""

    opportunity: Slug = Field(description="One of the opportunities of the scenario.")
    within_min: Finite | None = Field(default=None, gt=0, strict=False, description="The time, for `at_least`.")
    at_least: Finite | None = Field(default=None, gt=0, strict=False, description="So many within that time.")
    nearest_min: Finite | None = Field(default=None, gt=0, strict=False, description="Or the nearest in this time.")

    @model_validator(mode="after")
    def _one_of_two(self) -> AccessStandardSpec:
        counted = self.at_least is not None and self.within_min is not None
        if counted == (self.nearest_min is not None) or (self.at_least is None) != (self.within_min is None):
            raise ValueError("either `within_min` with `at_least`, or `nearest_min`")
        return self


class CompetitionSpec(Model):
    """Which opportunities people compete for, and how that is measured."""

    opportunity: Slug
    within_min: Finite = Field(gt=0, strict=False, description="The catchment.")
    method: Literal["2sfca", "e2sfca", "3sfca", "balanced"] = Field(
        default="balanced", description="Floating catchments: two-step, enhanced, three-step, or balanced."
    )


class IsochroneSpec(Model):
    """What is reached from a place, as polygons."""

    id: Slug
    title: Text | None = None
    place: str = Field(description="latitude,longitude; or the id of a point of `layer`.")
    layer: str | None = Field(default=None, description="The points layer that has the place.")
    bands_min: Minutes = Field(default=(15, 30, 45), description="Minutes, nested.")

    @field_validator("bands_min")
    @classmethod
    def _bands(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return _rising(value, least=0, most=1000)


class AccessSpec(Model):
    """What residents reach."""

    opportunities: dict[Slug, str] = Field(
        min_length=1, description="What is reached, by class (work, education, culture, leisure, retail …): layers."
    )
    within_min: Minutes = Field(default=(30, 45), description="Minutes within which opportunities are counted.")
    decay: DecaySpec | None = Field(default=None, description="Also count all of them, the farther the less.")
    standards: Several[AccessStandardSpec] = ()
    competition: Several[CompetitionSpec] = ()
    map: Slug | None = Field(default=None, description="The opportunity that is mapped; the first when left out.")
    levels: Several[Slug] = Field(default=(), description="Further levels of the scenario to sum up for.")
    groups: Several[Slug] = Field(
        default=(),
        description="Indicators that are shares of people, to see what those people reach: in each area so many of the "
        "residents at every point.",
    )
    isochrones: Several[IsochroneSpec] = ()

    @field_validator("within_min")
    @classmethod
    def _thresholds(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return _rising(value, least=0, most=1000)

    def measures(self, percentiles: Sequence[float]) -> list[str]:
        """Return the ids of what is measured; of percentiles other than the first with its number.

        Examples
        --------
        >>> AccessSpec(opportunities={"work": "jobs"}, within_min=(30,)).measures((50, 90))
        ['work_30', 'work_nearest', 'work_30_p90', 'work_nearest_p90']
        """
        own = [f"{kind}_{limit:g}" for limit in self.within_min for kind in self.opportunities]
        own += [f"{kind}_nearest" for kind in self.opportunities]
        every = own + [f"{name}_p{share:g}" for share in percentiles[1:] for name in own]
        every += [f"{kind}_gravity" for kind in self.opportunities] if self.decay else []
        return every + [f"{item.opportunity}_competition" for item in self.competition]

    @model_validator(mode="after")
    def _known(self) -> AccessSpec:
        named = {item.opportunity for item in self.standards}
        named |= {item.opportunity for item in self.competition}
        strange = sorted((named | ({self.map} if self.map else set())) - set(self.opportunities))
        if strange:
            raise ValueError(f"one of the opportunities {', '.join(self.opportunities)}, not {', '.join(strange)}")
        times = {item.within_min for item in self.standards if item.within_min is not None}
        if not times <= set(self.within_min):
            raise ValueError("standards within the minutes of `within_min`")
        return self


class NodesSpec(Model):
    """Which places could grow into strategic nodes."""

    stations: bool = Field(default=True, description="Stations of the timetable are candidates.")
    station_per_hour: Finite = Field(
        default=6, ge=0, strict=False, description="Departures an hour, 6-20, that a station must have to be one."
    )
    centres: str | None = Field(default=None, description="A points layer of centres that are candidates too.")
    peak_per_km2: Finite | None = Field(
        default=None, gt=0, strict=False, description="Peaks of residents of this density are candidates too."
    )
    merge_m: Finite = Field(
        default=500, ge=0, le=5000, strict=False, description="Candidates nearer to each other are one."
    )
    weights: dict[ThemeName, Weight] = Field(
        default_factory=dict, description="Weights of the themes; all count alike when left out."
    )
    jobs: Slug = Field(default="work", description="The class of opportunities that is jobs.")
    services: Several[Slug] = Field(default=(), description="The classes of opportunities that are services.")
    schools: Slug | None = Field(default=None, description="The class of opportunities that is schools.")
    parks: str | None = Field(default=None, description="A backdrop layer of parks.")
    land: str | None = Field(default=None, description="A layer of building land.")
    walk_min: Finite = Field(default=10, gt=0, le=60, strict=False, description="The walk around a node.")
    transit_min: Finite = Field(default=30, gt=0, le=120, strict=False, description="The trip by public transport.")
    catchment_min: Finite = Field(default=15, gt=0, le=120, strict=False, description="A node serves up to here.")
    normalisation: Literal["min_max", "percentile"] = Field(
        default="min_max", description="How figures are put on one scale: from lowest to highest, or by rank."
    )
    top: int = Field(default=8, ge=1, le=1000, description="How many nodes are chosen.")
    deprived: Finite = Field(
        default=120, strict=False, description="Districts with a risk index from here on are said to be served or not."
    )
    draws: int = Field(default=1000, ge=100, le=100_000, description="How often weights are drawn.")
    concentration: Finite = Field(
        default=30, gt=0, le=10_000, strict=False, description="How near to the weights they are drawn: higher, nearer."
    )

    @model_validator(mode="after")
    def _some(self) -> NodesSpec:
        if not self.stations and self.centres is None and self.peak_per_km2 is None:
            raise ValueError("candidates: `stations`, `centres` or `peak_per_km2`")
        if self.weights and not any(self.weights.values()):
            raise ValueError("`weights` of which one is above 0")
        return self

    def classes(self) -> list[str]:
        """Return the classes of opportunities that are named."""
        return [self.jobs, *self.services, *([self.schools] if self.schools else [])]


class LinksSpec(Model):
    """How neighbouring districts are connected."""

    barriers: Several[str] = Field(
        default=(),
        description="Backdrop layers: water, railways, roads (those that are motorways, where kind says so).",
    )
    gap_m: Finite = Field(
        default=250, ge=0, le=5000, strict=False, description="Districts this far apart are neighbours."
    )
    detour_from: Finite = Field(
        default=1.5,
        ge=1,
        le=20,
        strict=False,
        description="Detour factor from which a cause is named, and a crossing tried.",
    )
    transit: bool = Field(default=True, description="Also by public transport, where there is a timetable.")
    cycle: bool = Field(default=True, description="Also by bicycle, where the streets are OpenStreetMap's.")
    spacing_m: Finite = Field(
        default=200, ge=20, le=10_000, strict=False, description="New crossings are tried this far apart."
    )
    reach_m: Finite = Field(
        default=300, gt=0, le=5000, strict=False, description="How far from a border its streets are looked for."
    )
    within_min: Finite = Field(
        default=15, gt=0, le=120, strict=False, description="Who is brought within so many minutes."
    )
    most_crossings: int = Field(default=60, ge=0, le=2000, description="No more new crossings are tried; 0 for none.")


class SurfaceSpec(Model):
    """A raster that the run writes."""

    id: Slug
    kind: Literal["density", "access"]
    of: str = Field(description="density: a raster or points layer; access: a measure of [access], such as work_45.")
    title: Text | None = None
    unit: str | None = Field(default=None, description="Unit of the amounts of a points layer, such as jobs.")
    cell_m: Finite = Field(default=100, ge=1, le=10_000, strict=False, description="Side of a cell.")
    bandwidth_m: Finite = Field(
        default=500, gt=0, le=50_000, strict=False, description="density: how far a point is felt; a cell at least."
    )
    levels: Several[Finite] = Field(
        default=(), description="Rising: where the picture draws a new shade; found by geoplan when left out."
    )

    @model_validator(mode="after")
    def _fits(self) -> SurfaceSpec:
        if self.kind == "density" and self.bandwidth_m < self.cell_m:
            raise ValueError("a `bandwidth_m` of a cell at least")
        if self.levels and list(self.levels) != sorted(set(self.levels)):
            raise ValueError("rising `levels`")
        return self
