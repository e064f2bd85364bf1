"""What tests are made of: four squares on a map, and what hypothesis draws from.

They stand here and not in conftest.py, of which each folder of tests may have its own.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import strategies as st
from shapely import box

from geoplan.places import MISSING, IndicatorTable
from geoplan.specs import IndicatorSpec

WEST, SOUTH, SIDE = 674_000, 6_580_000, 500  # in EPSG:3006, in Stockholm: squares of 500 m
CODES = ("0101", "0102", "0103", "0104")

DEFINITIONS = {
    "population": IndicatorSpec(id="population", label="Residents", kind="count", unit="persons", direction="neutral"),
    "poor": IndicatorSpec(id="poor", label="Low income", kind="share", unit="pct", direction="higher_is_worse"),
    "crime": IndicatorSpec(id="crime", label="Crimes", kind="rate", unit="per_1000", direction="higher_is_worse"),
}


def square(number, *, side=SIDE):
    """Return one of the squares, numbered row by row from the south-west."""
    west, south = WEST + side * (number % 2), SOUTH + side * (number // 2)
    return box(west, south, west + side, south + side)


def squares(codes=CODES, crs=3006):
    """Return the squares with their codes, as a file of polygons would hold them."""
    names = [f"Square {number}" for number, _ in enumerate(codes, start=1)]
    shapes = [square(number) for number, _ in enumerate(codes)]
    return gpd.GeoDataFrame({"code": list(codes), "name": names}, geometry=shapes, crs=crs)


def snapshot(folder):
    """Return every file below a folder with its bytes, and every folder with None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@st.composite
def boxes(draw):
    """Draw a rectangle on whole metres, in a square kilometre of Stockholm."""
    west, south = draw(st.integers(0, 900)), draw(st.integers(0, 900))
    width, height = draw(st.integers(2, 100)), draw(st.integers(2, 100))
    return box(WEST + west, SOUTH + south, WEST + west + width, SOUTH + south + height)


@st.composite
def tables(draw, *, areas=6, missing=True):
    """Draw a tidy table of one year: every area with residents, a share and a rate, some of them missing."""
    rows = []
    for number in range(areas):
        residents = draw(st.integers(1, 10_000))
        parts = {"population": residents, "poor": draw(st.integers(0, residents)), "crime": draw(st.integers(0, 500))}
        for name, part in parts.items():
            status = draw(st.sampled_from(("observed", "observed", *MISSING))) if missing else "observed"
            known = status == "observed"
            base = np.nan if name == "population" or not known else residents
            scale = {"population": 1, "poor": 100 / residents, "crime": 1000 / residents}[name]
            value = part * scale if known else np.nan
            rows.append((f"A{number}", name, "2012", part if known else np.nan, base, value, status))
    columns = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    return IndicatorTable(pd.DataFrame(rows, columns=columns), DEFINITIONS)


def toml_values():
    """Draw what a TOML file may hold under a key, to three levels."""
    words = st.sampled_from(["areas", "sv", "EPSG:3006", "share", "pct", "", "x", "../data/x.csv", "given", "2012"])
    plain = st.one_of(words, st.text(max_size=5), st.integers(), st.floats(), st.booleans(), st.none(), st.dates())
    return st.recursive(
        plain,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words | st.text(max_size=5), inner)),
        max_leaves=6,
    )
