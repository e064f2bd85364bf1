"""Layers of places: polygons, backdrop, points, grids, streets, and what ties areas to each other and their names."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.specs.base import IdColumn, LayerBase, Period, Several, Slug, TableLayer, VectorLayer

__all__ = [
    "AliasesLayer",
    "AreasLayer",
    "BackdropLayer",
    "CrosswalkLayer",
    "LandLayer",
    "MembershipLayer",
    "PointsLayer",
    "RasterLayer",
    "StreetsLayer",
    "TimetableLayer",
]


class AreasLayer(VectorLayer, IdColumn):
    """District polygons."""

    kind: Literal["areas"]
    level: Slug = Field(description="What kind of area it is: basomrade, stadsdel, deso, boligafdeling …")
    name_column: str | None = Field(default=None, description="The column of names; the code when left out.")
    municipality_column: str | None = Field(
        default=None,
        description="The column of the municipality each area lies in, where areas of several bear the same name.",
    )
    homes_column: str | None = Field(default=None, description="The column with the number of homes of each area.")
    where: dict[str, str] = Field(
        default_factory=dict, description="Keep only the rows in which each column has the value given."
    )


class BackdropLayer(VectorLayer):
    """Water, parks, railways and roads drawn beneath the areas."""

    kind: Literal["backdrop"]
    role: Literal["water", "park", "rail", "road"]


class PointsLayer(VectorLayer, IdColumn):
    """Points with a quantity, such as work places with jobs."""

    kind: Literal["points"]
    value_column: str


class LandLayer(VectorLayer, IdColumn):
    """Polygons of land that may be built on, and what there is room for."""

    kind: Literal["land"]
    name_column: str | None = Field(default=None, description="The column of names; the id when left out.")
    homes_column: str | None = Field(default=None, description="The column of homes that there is room for.")
    floor_column: str | None = Field(
        default=None, description="The column of square metres of floor for workplaces that there is room for."
    )


class RasterLayer(LayerBase):
    """A grid of a quantity, such as residents per cell."""

    kind: Literal["raster"]
    crs: str
    band: int = Field(default=1, ge=1)
    unit: str
    period: Period


class StreetsLayer(LayerBase):
    """Streets and paths on which travel times are measured."""

    kind: Literal["streets"]
    crs: str = Field(
        default="EPSG:4326", description="Coordinate system as published; of OpenStreetMap files always EPSG:4326."
    )


class TimetableLayer(LayerBase):
    """The timetables of public transport: a GTFS feed, as a zip file."""

    kind: Literal["timetable"]
    crs: Literal["EPSG:4326"] = Field(default="EPSG:4326", description="GTFS has no other.")


class MembershipLayer(TableLayer):
    """Which area belongs to which: a table of child, parent, relation and share."""

    kind: Literal["membership"]
    child_column: str = "child_id"
    parent_column: str = "parent_id"
    relation_column: str | None = Field(default=None, description="`part_of` everywhere when left out.")
    share_column: str | None = Field(default=None, description="1 everywhere when left out.")
    exclusive: Several[str] = Field(
        default=(),
        description="Relations that give an area exactly one parent, such as administered_by: two are a fault, and a "
        "run notes areas that have none.",
    )
    child_width: int | None = Field(default=None, ge=1, description="Number of characters of a child's code.")
    parent_width: int | None = Field(default=None, ge=1, description="Number of characters of a parent's code.")
    child_match_layer: str | None = Field(
        default=None, description="Areas layer whose names, in place of codes, `child_column` holds."
    )
    parent_match_layer: str | None = Field(
        default=None, description="Areas layer whose names, in place of codes, `parent_column` holds."
    )


class AliasesLayer(TableLayer):
    """Other names of areas: spellings, short forms, and renames with their dates."""

    kind: Literal["aliases"]
    name_column: str = Field(default="name", description="The name that is found in tables.")
    known_as_column: str = Field(default="known_as", description="The area's name, or code, in the areas layer.")
    municipality_column: str | None = Field(
        default=None, description="The municipality in which the name is meant; anywhere when left out."
    )
    match_layer: str | None = Field(
        default=None, description="Areas layer that `known_as_column` speaks of; `geoplan check` then looks there."
    )
    from_column: str | None = Field(default=None, description="First year (or date) in which the name holds.")
    until_column: str | None = Field(default=None, description="Last year (or date) in which the name holds.")


class CrosswalkLayer(TableLayer):
    """Which part of an old area lies in which new one, and since when."""

    kind: Literal["crosswalk"]
    from_column: str = "from_id"
    to_column: str = "to_id"
    share_column: str = Field(default="share", description="Part of the old area's figure that goes to the new one.")
    date_column: str | None = Field(default=None, description="The day of the change, where rows differ.")
    from_width: int | None = Field(default=None, ge=1, description="Number of characters of an old code.")
    to_width: int | None = Field(default=None, ge=1, description="Number of characters of a new code.")
