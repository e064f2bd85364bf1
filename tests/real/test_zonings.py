"""Zonings that do not nest: DeSO and stadsdelar in Stockholm, two zonings of Aarhus."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from tobler.area_weighted import area_interpolate

import geoplan as gp
from geoplan.places.indicators import COLUMNS, IndicatorTable
from geoplan.specs import IndicatorSpec

pytestmark = pytest.mark.real

NUMBERS = ["numerator", "denominator"]
PEOPLE = IndicatorSpec(id="population", label="Residents", kind="count", unit="persons", direction="neutral")
WORK = IndicatorSpec(id="employed", label="Employed", kind="share", unit="pct", direction="higher_is_better")


def tidy(people, part, base):
    """Make a table of residents, and of a share with its counts."""
    counts = pd.DataFrame({"indicator": "population", "numerator": people, "value": people})
    rates = pd.DataFrame({"indicator": "employed", "numerator": part, "denominator": base, "value": 100 * part / base})
    data = pd.concat([frame.rename_axis("area_id").reset_index() for frame in (counts, rates)], ignore_index=True)
    data = data.assign(period="2022", status="observed").reindex(columns=COLUMNS)
    return IndicatorTable(data.astype(dict.fromkeys(["numerator", "denominator", "value"], float)), {
        "population": PEOPLE, "employed": WORK,
    })  # fmt: skip


def sums(table):
    return table.data.groupby("indicator")[NUMBERS].sum()


@pytest.fixture(scope="module")
def stockholm(real):
    """The DeSO of the municipality with their figures, and the stadsdelar, which SCB does not know of."""
    frame = gpd.read_file(real / "stockholm/deso2018_stockholm_county.gpkg")
    frame = frame[frame["kommun"] == "0180"].set_index("deso", drop=False)
    units, _ = gp.as_areas(frame, id_column="deso", level="deso")
    districts, _ = gp.as_areas(
        gpd.read_file(real / "stockholm/stadsdelar.geojson"), id_column="name", level="stadsdel", crs="EPSG:3006"
    )
    return units, districts, tidy(frame["pop_2023"], frame["employed"], frame["pop_16_64"])


@pytest.fixture(scope="module")
def aarhus(real):
    districts, _ = gp.as_areas(
        gpd.read_file(real / "aarhus/statistics_districts.geojson"), id_column="noegle", level="district"
    )
    communities, _ = gp.as_areas(
        gpd.read_file(real / "aarhus/local_community.geojson"), id_column="lokalsamfund", level="community"
    )
    # The zonings come without figures: made-up ones, fixed, that are not spread evenly.
    rng = np.random.default_rng(1)
    base = pd.Series(rng.integers(200, 9000, len(districts)).astype(float), index=districts.index)
    return districts, communities, tidy(base * 2, (base * rng.uniform(0.3, 0.9, len(base))).round(), base)


def test_deso_to_stadsdelar_and_back_conserves_totals(stockholm):
    units, districts, table = stockholm
    there = gp.transfer(table, gp.crosswalk(units, districts))
    way_back = gp.crosswalk(districts, units)
    back = gp.transfer(there, way_back)
    for moved in (there, back):
        assert_frame_equal(sums(moved), sums(table), rtol=1e-9)
    assert set(there.data["area_id"]) == set(districts.index)
    # SCB's simplified borders overlap by 6 km² and more; those who live there are counted once.
    assert way_back.report.overlaps["overlap_m2"].sum() > 1e6
    assert way_back.report.lines()[-1].endswith("; what lies there is divided, not counted twice")


def test_tobler_agrees_on_the_city_as_a_whole_and_doubles_overlaps_where_it_does_not_rescale(stockholm):
    units, districts, table = stockholm
    people = table.wide("2022")["population"]
    theirs = area_interpolate(units.assign(people=people), districts, extensive_variables=["people"])["people"]
    ours = gp.transfer(table, gp.crosswalk(units, districts, minimum_piece=0)).wide("2022")["population"]
    assert ours.reindex(districts.index).to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-5)
    # Back onto the overlapping DeSO: as surface of the stadsdelar that the DeSO claim, more than there is.
    whole = gpd.GeoDataFrame(geometry=[units.union_all()], index=["city"], crs=units.crs).assign(people=1e6)
    doubled = area_interpolate(whole, units, extensive_variables=["people"], allocate_total=False)["people"].sum()
    assert doubled > 1e6 * 1.005
    divided = gp.crosswalk(whole[["geometry"]].rename_axis("area_id"), units, outside="keep").data["share"].sum()
    assert divided == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("first", ["districts", "communities"])
def test_aarhus_two_zonings_conserve_totals_there_and_back(aarhus, first):
    districts, communities, table = aarhus
    if first == "districts":
        start, goal = districts, communities
    else:
        start, goal, table = communities, districts, gp.transfer(table, gp.crosswalk(districts, communities))
    walk = gp.crosswalk(start, goal)
    there = gp.transfer(table, walk)
    back = gp.transfer(there, gp.crosswalk(goal, start))
    for moved in (there, back):
        assert_frame_equal(sums(moved), sums(table), rtol=1e-9)
    people = table.wide("2022")["population"]
    theirs = area_interpolate(start.assign(people=people), goal, extensive_variables=["people"])["people"]
    ours = gp.transfer(table, gp.crosswalk(start, goal, minimum_piece=0)).wide("2022")["population"].reindex(goal.index)
    # tobler rescales as well; where a source goes over overlapping targets the two still divide it alike.
    assert ours.to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-4)
    assert walk.report.split > 20


def test_aarhus_without_rescaling_tobler_loses_what_lies_outside_and_we_list_it(aarhus):
    districts, communities, table = aarhus
    people = table.wide("2022")["population"]
    lost = area_interpolate(
        districts.assign(people=people), communities, extensive_variables=["people"], allocate_total=False
    )["people"].sum()
    kept = gp.crosswalk(districts, communities, outside="keep").data
    outside = kept[kept["to_id"].isna()]
    listed = (outside["share"] * outside["from_id"].map(people)).sum()
    assert lost < people.sum() - 10
    assert lost + listed == pytest.approx(people.sum(), rel=1e-6)
