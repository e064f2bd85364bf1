"""Small rasters with answers worked by hand, and rasters written with faults in them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
from shapely import box

from geoplan.reach import Lattice, Surface

WEST, NORTH, SIDE = 674_000, 6_580_400, 100
SWEREF = pyproj.CRS(3006)
NONE = np.nan

#: Four rows of five cells, one without data.
PEOPLE = np.array(
    [
        [1.0, 2.0, 3.0, 4.0, 5.0],
        [6.0, 7.0, 8.0, 9.0, 10.0],
        [0.0, 1.0, NONE, 3.0, 4.0],
        [2.0, 2.0, 2.0, 2.0, 2.0],
    ]
)


def lattice(rows=4, columns=5, *, side=SIDE, crs=SWEREF):
    """Return cells whose north-west corner is that of the small raster."""
    return Lattice(WEST, NORTH, side, side, rows=rows, columns=columns, crs=crs)


def surface(cells, *, unit="persons", side=SIDE, **named):
    """Return cells as a surface."""
    cells = np.asarray(cells, dtype=float)
    return Surface(cells, lattice(*cells.shape, side=side), unit=unit, **named)


def rectangle(west, east, top, bottom):
    """Return a rectangle in metres from the north-west corner, to the east and to the south."""
    return box(WEST + west, NORTH - bottom, WEST + east, NORTH - top)


def areas_of(**shapes):
    """Return named shapes as areas."""
    ids = pd.Index(list(shapes), name="area_id", dtype=object)
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=ids, crs=3006)


def stored(path, cells, *, crs="EPSG:3006", at=None, nodata=None, dtype="float32", **more):
    """Write cells as a plain GeoTIFF, with whatever is wrong with it."""
    bands = cells if cells.ndim == 3 else cells[None]
    at = at if at is not None else rasterio.Affine(SIDE, 0, WEST, 0, -SIDE, NORTH)
    profile = {
        "driver": "GTiff",
        "height": bands.shape[1],
        "width": bands.shape[2],
        "count": len(bands),
        "dtype": dtype,
    }
    with rasterio.open(path, "w", crs=crs, transform=at, nodata=nodata, **profile, **more) as file:
        file.write(bands.astype(dtype))
    return path
