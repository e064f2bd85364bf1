"""What a planner gets in a notebook who hands in no areas, one twice, one without ground, or shares that are none."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from geoplan.errors import GeometryError, IdError, SourceError, SpecError, TableError
from geoplan.places import IndicatorTable, check_nesting, combine, crosswalk, extent, roll_up, transfer
from geoplan.places.indicators import COLUMNS
from geoplan.specs import IndicatorSpec

SHAPES = [box(674000, 6580000, 674100, 6580100), box(674100, 6580000, 674200, 6580100)]
AREAS = gpd.GeoDataFrame(geometry=SHAPES, index=pd.Index(["a", "b"], name="area_id"), crs="EPSG:3006")
TWICE = pd.concat([AREAS, AREAS])
BARE = AREAS.set_geometry(gpd.GeoSeries([None, SHAPES[1]], index=AREAS.index, crs="EPSG:3006"))
POOR = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
TABLE = IndicatorTable(
    pd.DataFrame([("a", "poor", "2012", 1.0, 10.0, 10.0, "observed")], columns=COLUMNS), {"poor": POOR}
)
MEASURES = [
    extent,
    lambda areas: check_nesting(areas, AREAS),
    lambda areas: check_nesting(AREAS, areas),
    lambda areas: crosswalk(areas, AREAS),
    lambda areas: crosswalk(AREAS, areas),
]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("areas", "kind", "words"),
    [
        (AREAS.iloc[:0], SourceError, "there are no areas. Expected: at least one."),
        (
            TWICE,
            IdError,
            (
                "column 'area_id': 2 area code(s) occur more than once: 'a', 'b'. Expected: each area once. Hint: "
                "merge the parts into one multipart area, or qualify the code by municipality"
            ),
        ),
        (BARE, GeometryError, "1 area(s) have no geometry: 'a'. Expected: a polygon for every area."),
    ],
)
def test_areas_that_cannot_be_measured_are_refused_in_the_same_words(measure, areas, kind, words):
    with pytest.raises(kind) as caught:
        measure(areas)
    assert str(caught.value) == words


def test_parents_of_other_areas_are_refused():
    with pytest.raises(IdError) as caught:
        roll_up(TABLE, pd.Series({"0101": "town"}))
    assert str(caught.value) == (
        "none of the 1 area codes of the table ('a') is among the 1 areas ('0101'). Hint: look at the id columns, the "
        "level and the leading zeros of both layers"
    )


@pytest.mark.parametrize("coverage", [7, -0.1, np.nan])
def test_a_coverage_that_is_no_share_is_refused(coverage):
    with pytest.raises(SpecError) as caught:
        roll_up(TABLE, pd.Series({"a": "town"}), minimum_coverage=coverage)
    assert str(caught.value) == f"key 'minimum_coverage': {coverage:g} is not a share. Expected: a number from 0 to 1."


def test_shares_written_as_text_are_numbers_or_refused():
    pairs = pd.DataFrame({"from_id": ["a"], "to_id": ["x"], "share": ["1"]})
    assert transfer(TABLE, pairs).data["value"].tolist() == [10]
    with pytest.raises(TableError) as caught:
        transfer(TABLE, pairs.assign(share="half"))
    assert (
        str(caught.value).splitlines()[0] == "area 'a': 'half' is not a share. Expected: a number above 0, at most 1."
    )


def test_nothing_cannot_be_combined():
    with pytest.raises(TableError) as caught:
        combine([])
    assert str(caught.value) == "there are no tables to combine. Expected: at least one."
