"""Rows of square areas, for tests of what lies beside what."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
from shapely import box
from strategies import SOUTH, WEST

SIDE = 100


def square_at(column, row, *, wide=1, high=1):
    """Return a rectangle of so many squares of 100 m, its south-west corner in a column and row."""
    west, south = WEST + SIDE * column, SOUTH + SIDE * row
    return box(west, south, west + SIDE * wide, south + SIDE * high)


def areas_of(**shapes):
    """Return named shapes as areas in EPSG:3006."""
    index = pd.Index(list(shapes), name="area_id", dtype=object)
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs="EPSG:3006")


def grid(columns, rows):
    """Return a grid of squares; row 1, column 2 is called r1c2."""
    return areas_of(**{f"r{r}c{c}": square_at(c, r) for r in range(rows) for c in range(columns)})


def row_of(number):
    """Return a row of squares called a, b, c …, each the neighbour of the next."""
    return areas_of(**{chr(ord("a") + place): square_at(place, 0) for place in range(number)})
