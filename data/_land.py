"""Land in Nordhamra that may be built on, and what there is room for."""

from __future__ import annotations

import _plan as plan
import geopandas as gpd
import numpy as np
import shapely
from _town import Town, metres

RAIL_M, ROAD_M = 15.0, 12.0  # of ground on either side that is not built on

#: Name, corners in kilometres from the south-western corner of the map, homes, floor of workplaces in square metres.
LAND = [
    ("Repslagarkajen", [(7.32, 3.42), (7.66, 3.48), (7.72, 3.86), (7.4, 3.92)], 1650, 42_000),
    ("Godsbangården", [(6.16, 5.42), (6.86, 5.62), (6.82, 5.76), (6.14, 5.56)], 620, 96_000),
    ("Slagghögarna", [(8.72, 5.86), (9.2, 5.88), (9.16, 6.2), (8.76, 6.16)], 0, 130_000),
    ("Kottgläntan", [(5.3, 8.1), (5.66, 8.14), (5.6, 8.44), (5.28, 8.42)], 480, 14_000),
    ("Mossbladets äng", [(4.86, 8.46), (5.16, 8.5), (5.12, 8.76), (4.84, 8.72)], 260, 0),
    ("Stenvadet", [(11.02, 5.14), (11.42, 5.2), (11.4, 5.36), (11.0, 5.34)], 540, 18_000),
    ("Järnladan", [(9.22, 5.06), (9.72, 5.1), (9.66, 5.36), (9.24, 5.38)], 900, 56_000),
    ("Rönnbacksfältet", [(10.02, 5.82), (10.42, 5.86), (10.36, 6.1), (9.98, 6.06)], 430, 9_000),
    ("Ugglekärret", [(2.8, 5.22), (3.26, 5.24), (3.2, 5.42), (2.82, 5.4)], 520, 16_000),
    ("Lertäkten", [(4.22, 5.2), (4.72, 5.22), (4.68, 5.44), (4.2, 5.42)], 780, 34_000),
    ("Banvaktsängen", [(1.18, 5.2), (1.6, 5.24), (1.56, 5.4), (1.16, 5.38)], 310, 11_000),
    ("Lasarettsgärdet", [(5.42, 6.38), (5.82, 6.44), (5.78, 6.66), (5.4, 6.6)], 340, 28_000),
    ("Rörbruket", [(5.04, 6.92), (5.4, 6.94), (5.38, 7.1), (5.04, 7.08)], 290, 12_000),
    ("Kådgläntan", [(6.78, 7.34), (7.12, 7.36), (7.08, 7.62), (6.76, 7.6)], 390, 6_000),
    ("Varuhusens parkering", [(8.28, 7.24), (8.62, 7.26), (8.6, 7.46), (8.26, 7.44)], 560, 22_000),
    ("Salixfältet", [(10.0, 8.44), (10.5, 8.48), (10.46, 8.84), (9.98, 8.8)], 240, 0),
    ("Sillhagen", [(10.5, 2.92), (11.3, 2.98), (11.26, 3.26), (10.52, 3.22)], 330, 0),
    ("Kärrhökens åker", [(1.5, 6.58), (1.9, 6.6), (1.88, 6.82), (1.52, 6.8)], 180, 3_000),
]  # fmt: skip


def building_land(town: Town) -> gpd.GeoDataFrame:
    """Return the polygons, without water, parks, and the ground beside railways and roads."""
    kept = shapely.union_all(
        [
            *town.water.geometry,
            *town.parks.geometry,
            *town.rail.geometry.buffer(RAIL_M),
            *town.roads.geometry.buffer(ROAD_M),
        ]
    )
    drawn = [shapely.Polygon([metres(corner) for corner in corners]) for _, corners, _, _ in LAND]
    shapes = shapely.set_precision(shapely.difference(np.array(drawn), kept), 1.0)
    columns = {
        "land_id": [f"M{number:02d}" for number in range(1, len(LAND) + 1)],
        "name": [name for name, *_ in LAND],
        "homes": np.array([homes for *_, homes, _ in LAND], dtype=np.int32),
        "floor_m2": np.array([floor for *_, floor in LAND], dtype=np.int32),
    }
    return gpd.GeoDataFrame(columns, geometry=[_multi(shape) for shape in shapes], crs=plan.CRS)


def _multi(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """Return one kind of geometry for all, as a layer of a GeoPackage has."""
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if part.area > 1000])  # square metres
