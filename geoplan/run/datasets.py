"""Reading the datasets of the catalogue: each kind of layer checked, its faults located in its file."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geoplan.errors import Faults
from geoplan.places import (
    AreaReport,
    Grid,
    IndicatorTable,
    NameMatch,
    as_areas,
    as_crosswalk,
    as_indicators,
    as_membership,
    check_membership,
    check_points,
    with_crs,
    working_crs,
)
from geoplan.places.areas import amounts_of, as_ids
from geoplan.run.matching import with_child_and_parent_codes, with_codes
from geoplan.sources import Dataset, read_grid, read_table, read_vector
from geoplan.specs import (
    AreasLayer,
    BackdropLayer,
    CrosswalkLayer,
    IndicatorsLayer,
    LandLayer,
    MembershipLayer,
    PointsLayer,
    RasterLayer,
)
from geoplan.specs.base import TableLayer

__all__ = [
    "read_areas",
    "read_cells",
    "read_crosswalk",
    "read_features",
    "read_indicators",
    "read_land",
    "read_matched",
    "read_membership",
    "read_weights",
]


def read_areas(dataset: Dataset, crs: str | None) -> tuple[gpd.GeoDataFrame, AreaReport]:
    """Read and check a layer of areas."""
    spec = dataset.spec
    assert isinstance(spec, AreasLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        return as_areas(
            read_vector(dataset.verified(), spec.layer),
            id_column=spec.id_column,
            level=spec.level,
            name_column=spec.name_column,
            crs=crs,
            published_crs=spec.crs,
            assign_crs=spec.assign_crs,
            id_width=spec.id_width,
            id_pad=spec.id_pad,
            homes_column=spec.homes_column,
            where=spec.where,
            municipality_column=spec.municipality_column,
        )


def read_features(dataset: Dataset, crs: str | None) -> gpd.GeoDataFrame:
    """Read and check a layer that is drawn or counted but has no levels: water, roads, points."""
    spec = dataset.spec
    assert isinstance(spec, BackdropLayer | PointsLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        frame = read_vector(dataset.verified(), spec.layer)
        if isinstance(spec, PointsLayer):
            check_points(
                frame,
                id_column=spec.id_column,
                value_column=spec.value_column,
                id_width=spec.id_width,
                id_pad=spec.id_pad,
            )
        return working_crs(with_crs(frame, spec.crs, assign=spec.assign_crs), crs)


def read_land(dataset: Dataset, crs: str | None) -> gpd.GeoDataFrame:
    """Read and check land that may be built on: ``name``, and ``homes`` and ``floor_m2`` where the layer has them."""
    spec = dataset.spec
    assert isinstance(spec, LandLayer)  # noqa: S101  the caller asked the catalogue for this kind
    amounts = {"homes": spec.homes_column, "floor_m2": spec.floor_column}
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        frame = read_vector(dataset.verified(), spec.layer)
        land, _ = as_areas(
            frame,
            id_column=spec.id_column,
            level="land",
            name_column=spec.name_column,
            crs=crs,
            published_crs=spec.crs,
            assign_crs=spec.assign_crs,
            id_width=spec.id_width,
            id_pad=spec.id_pad,
        )
        ids = as_ids(frame[spec.id_column], width=spec.id_width, pad=spec.id_pad)
        return land.drop(columns="level").join(amounts_of(frame, ids, amounts)).rename_axis("land_id")


def read_indicators(dataset: Dataset) -> IndicatorTable:
    """Read and check an indicator table."""
    return read_matched(dataset)[0]


def read_matched(dataset: Dataset) -> tuple[IndicatorTable, NameMatch | None]:
    """Read and check an indicator table; of one that has names in place of codes, also which area each means."""
    spec = dataset.spec
    assert isinstance(spec, IndicatorsLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        frame, match = with_codes(dataset, read_cells(dataset))
        return as_indicators(frame, spec), match


def read_membership(dataset: Dataset) -> pd.DataFrame:
    """Read and check a membership table."""
    spec = dataset.spec
    assert isinstance(spec, MembershipLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        table = as_membership(
            with_child_and_parent_codes(dataset, read_cells(dataset)),
            child_column=spec.child_column,
            parent_column=spec.parent_column,
            relation_column=spec.relation_column,
            share_column=spec.share_column,
            child_width=spec.child_width,
            parent_width=spec.parent_width,
            decimal=spec.decimal,
        )
        check_membership(table, exclusive=spec.exclusive)
        return table


def read_cells(dataset: Dataset) -> pd.DataFrame:
    """Read a table as its file writes it, the index the rows' numbers."""
    spec = dataset.spec
    assert isinstance(spec, TableLayer)  # noqa: S101  the caller asked the catalogue for a kind that is a table
    return read_table(dataset.verified(), sheet=spec.sheet, separator=spec.separator, encoding=spec.encoding)


def read_crosswalk(dataset: Dataset) -> pd.DataFrame:
    """Read and check a table of boundary changes."""
    spec = dataset.spec
    assert isinstance(spec, CrosswalkLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        return as_crosswalk(
            read_cells(dataset),
            from_column=spec.from_column,
            to_column=spec.to_column,
            share_column=spec.share_column,
            date_column=spec.date_column,
            from_width=spec.from_width,
            to_width=spec.to_width,
            decimal=spec.decimal,
        )


def read_weights(dataset: Dataset, crs: str) -> tuple[Grid | gpd.GeoDataFrame, str | None]:
    """Read where people are: a grid, or points and the column of their weight."""
    spec = dataset.spec
    if isinstance(spec, PointsLayer):
        return read_features(dataset, crs), spec.value_column
    assert isinstance(spec, RasterLayer)  # noqa: S101  the caller asked the catalogue for these kinds
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        values, corner = read_grid(dataset.verified(), crs=spec.crs, band=spec.band)
        return Grid(values, *corner, crs=spec.crs), None
