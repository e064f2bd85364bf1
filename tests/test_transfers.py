"""Transfer: figures worked by hand, kept in sum there and back, and never more certain than what they are made of."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal
from shapely import box
from strategies import DEFINITIONS, boxes, tables
from tobler.area_weighted import area_interpolate

import geoplan as gp
from geoplan.errors import IdError, TableError
from geoplan.places import (
    MISSING,
    STATUSES,
    Grid,
    IndicatorTable,
    crosswalk,
    moved_lines,
    roll_up,
    totals,
    transfer,
    transfer_report,
)
from geoplan.places.indicators import COLUMNS, KNOWN
from geoplan.sources import read_grid, read_vector

NUMBERS = ["numerator", "denominator"]


def table_of(*rows, definitions=None, **columns):
    """Return a table of (area, indicator, numerator, denominator, value, status), all of 2012."""
    data = pd.DataFrame([(*row[:2], "2012", *row[2:]) for row in rows], columns=COLUMNS)
    data = data.astype({"numerator": float, "denominator": float, "value": float}).assign(**columns)
    return IndicatorTable(data, definitions or DEFINITIONS)


def shares_of(*rows):
    return pd.DataFrame(rows, columns=["from_id", "to_id", "share"])


def figure(table, area, indicator):
    return table.data.set_index(["area_id", "indicator"]).loc[(area, indicator)]


#: a goes whole to x; b a quarter to x and three quarters to y; c whole to y
QUARTER = shares_of(("a", "x", 1.0), ("b", "x", 0.25), ("b", "y", 0.75), ("c", "y", 1.0))


def three(kind="poor", **status):
    numbers = {"a": (10, 100), "b": (80, 400), "c": (50, 100)}
    scale = {"poor": 100, "crime": 1000}.get(kind)
    rows = []
    for area, (part, base) in numbers.items():
        word = status.get(area, "observed")
        if word in MISSING:
            rows.append((area, kind, None, None, None, word))
        elif scale:
            rows.append((area, kind, part, base, scale * part / base, word))
        else:
            rows.append((area, kind, part, None, part, word))
    return table_of(*rows)


# ---------------------------------------------------------------- by hand


def test_counts_are_divided_by_the_shares_and_added_up():
    moved = transfer(three("population"), QUARTER)
    assert moved.wide("2012")["population"].to_dict() == {"x": 10 + 20, "y": 60 + 50}


def test_rates_are_made_anew_from_divided_counts():
    # In x are 10 and a quarter of 80 out of 100 and a quarter of 400: 30 of 200; in y 60 and 50 out of 300 and 100.
    moved = transfer(three("poor"), QUARTER)
    assert moved.wide("2012")["poor"].to_dict() == pytest.approx({"x": 15.0, "y": 27.5})
    assert moved.wide("2012", "numerator")["poor"].to_dict() == {"x": 30, "y": 110}
    assert moved.wide("2012", "denominator")["poor"].to_dict() == {"x": 200, "y": 400}
    assert transfer(three("crime"), QUARTER).wide("2012")["crime"].to_dict() == pytest.approx({"x": 150, "y": 275})


def test_rates_without_counts_are_means_weighted_by_share_and_base():
    # x: (10 × 100 + 20 × 100) / 200 = 15; y: (20 × 300 + 50 × 100) / 400 = 27.5
    bare = three("poor")
    bare = IndicatorTable(bare.data.assign(numerator=np.nan), bare.definitions)
    moved = transfer(bare, QUARTER)
    assert moved.wide("2012")["poor"].to_dict() == {"x": 15.0, "y": 27.5}
    assert moved.data["numerator"].isna().all()


def test_a_transferred_figure_says_that_it_is_and_how_much_of_it_was_moved():
    moved = transfer(three("poor"), QUARTER)
    assert moved.data["status"].tolist() == ["estimated", "estimated"]
    assert moved.data["moved_share"].tolist() == [0.5, 0.75]  # by base: 100 of 200, 300 of 400
    assert moved.data["method"].tolist() == ["moved; rolled_up", "moved; rolled_up"]
    counts = transfer(three("population"), QUARTER)
    assert counts.data["moved_share"].tolist() == pytest.approx([20 / 30, 60 / 110])
    assert [name for name in moved.data.columns if name in COLUMNS] == COLUMNS


def test_whole_areas_stay_observed():
    whole = shares_of(("a", "x", 1.0), ("b", "x", 1.0), ("c", "y", 1.0))
    moved = transfer(three("poor"), whole)
    assert moved.data["status"].tolist() == ["observed", "observed"]
    assert moved.data["moved_share"].tolist() == [0, 0]
    merged = roll_up(three("poor"), pd.Series({"a": "x", "b": "x", "c": "y"}))
    assert_frame_equal(moved.data[COLUMNS], merged.data[COLUMNS])


def test_a_part_that_was_moved_before_stays_moved():
    first = transfer(three("poor"), QUARTER)
    second = transfer(first, shares_of(("x", "K", 1.0), ("y", "K", 1.0)))
    assert figure(second, "K", "poor")["moved_share"] == pytest.approx((100 + 300) / 600)
    assert figure(second, "K", "poor")["status"] == "estimated"


def test_what_goes_to_no_target_is_left_out_and_nothing_else():
    kept = shares_of(("a", "x", 1.0), ("b", "x", 0.25), ("b", None, 0.75), ("c", None, 1.0))
    moved = transfer(three("population"), kept)
    assert moved.wide("2012")["population"].to_dict() == {"x": 30}


def test_sources_are_named_together():
    rows = three("poor")
    named = IndicatorTable(rows.data.assign(source=["SCB", "city", "SCB"]), rows.definitions)
    assert transfer(named, QUARTER).data["source"].tolist() == ["SCB | city", "SCB | city"]


def test_zeros_tell_how_much_was_moved_by_the_shares():
    nobody = table_of(("a", "population", 0, None, 0, "observed"), ("b", "population", 0, None, 0, "observed"))
    moved = transfer(nobody, shares_of(("a", "x", 1.0), ("b", "x", 0.25), ("b", "y", 0.75)))
    assert moved.data[["value", "moved_share"]].to_numpy().tolist() == [[0, 0.2], [0, 1]]


# ---------------------------------------------------------------- what is missing


@pytest.mark.parametrize("status", ["suppressed", "not_collected", "out_of_scope"])
def test_a_target_whose_known_sources_cover_too_little_is_missing_with_the_reason(status):
    # b is hidden. Siblings' mean base: in x a's 100, of which b has a quarter: 100/125 = 0.8. In y c's 100, of which b
    # has three quarters: 100/175 = 0.57.
    moved = transfer(three("poor", b=status), QUARTER, minimum_coverage=0.8)
    assert moved.data["status"].tolist() == ["estimated", status]
    assert moved.data["value"].tolist() == pytest.approx([10, np.nan], nan_ok=True)
    assert np.isnan(figure(moved, "y", "poor")["moved_share"])
    assert transfer(three("poor", b=status), QUARTER, minimum_coverage=0.81).data["status"].tolist() == [status] * 2


def test_a_count_needs_all_of_its_pieces():
    moved = transfer(three("population", b="suppressed"), QUARTER, minimum_coverage=0.01)
    assert moved.data["status"].tolist() == ["suppressed", "suppressed"]


def test_parts_that_do_not_apply_weigh_nothing():
    moved = transfer(three("poor", b="not_applicable"), QUARTER, minimum_coverage=1.0)
    assert moved.data[["value", "status", "moved_share"]].to_numpy().tolist() == [
        [10, "observed", 0],
        [50, "observed", 0],
    ]


def test_a_source_without_this_figure_is_not_collected():
    rows = pd.concat([three("population").data.query("area_id != 'b'"), three("poor").data])
    moved = transfer(IndicatorTable(rows, DEFINITIONS), QUARTER)
    assert moved.wide("2012", "status")["population"].tolist() == ["not_collected", "not_collected"]
    assert moved.wide("2012", "status")["poor"].tolist() == ["estimated", "estimated"]


def test_a_source_that_the_table_does_not_know_is_left_out_and_leaves_estimates():
    rows = three("population").data
    moved = transfer(IndicatorTable(rows[rows["area_id"] != "b"], DEFINITIONS), QUARTER)
    assert moved.data[["value", "status"]].to_numpy().tolist() == [[10, "estimated"], [50, "estimated"]]
    alone = transfer(IndicatorTable(rows[rows["area_id"] == "a"], DEFINITIONS), QUARTER)
    assert alone.data["area_id"].tolist() == ["x"]  # nothing at all is known of y


def test_what_is_hidden_in_a_target_still_counts_in_the_city():
    moved = transfer(three("poor", b="suppressed"), QUARTER, minimum_coverage=0.8)
    assert np.isnan(figure(moved, "y", "poor")["value"])
    city = totals(moved).loc[("poor", "2012")]
    assert city[NUMBERS].tolist() == [60, 200]  # a's and c's


def test_merged_areas_are_divided_by_their_smallest_parts():
    # K is a and b, of which b is hidden: too little is known of K, but a's people are not lost in what is made of it.
    merged = roll_up(three("poor", b="suppressed"), pd.Series({"a": "K", "b": "K"}))
    assert np.isnan(figure(merged, "K", "poor")["value"])
    moved = transfer(merged, shares_of(("K", "x", 0.5), ("K", "y", 0.5)), minimum_coverage=0.5)
    assert moved.data[NUMBERS].to_numpy().tolist() == [[5, 50], [5, 50]]


# ---------------------------------------------------------------- the words of a run


def test_a_report_says_which_areas_and_codes_do_not_meet():
    old = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(9, 9, 10, 10)], index=["a", "far"], crs=3006)
    new = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(5, 5, 6, 6)], index=["x", "y"], crs=3006)
    old, new = (frame.set_geometry(frame.translate(674000, 6580000)).rename_axis("area_id") for frame in (old, new))
    rows = three("population").data.replace({"area_id": {"b": "far"}})
    report = transfer_report(["x", "y"], IndicatorTable(rows, DEFINITIONS), crosswalk(old, new))
    assert report.lines() == [
        "1 area has data",
        "1 area has no data: 'y'",
        "2 codes of the table have no area: 'c', 'far'",
    ]


def test_a_sentence_says_how_much_was_moved():
    assert moved_lines(transfer(three("poor"), QUARTER), "2012") == [
        (
            "2 of 2 figures hold parts of areas that were split, and are estimates: "
            "on average 62% of such a figure, at most 75%"
        )
    ]
    assert moved_lines(three("poor"), "2012") == []
    assert moved_lines(transfer(three("poor"), shares_of(("a", "x", 1.0))), "2012") == []


# ---------------------------------------------------------------- faults


def refused(kind, *args):
    with pytest.raises(kind) as caught:
        transfer(*args)
    return str(caught.value).splitlines()


def test_codes_that_never_meet_are_refused():
    assert refused(IdError, three(), shares_of(("A", "x", 1.0)))[0].startswith("none of ")


def test_shares_that_do_not_add_up_are_refused():
    assert refused(TableError, three(), shares_of(("a", "x", 0.5), ("b", "x", 0.75), ("b", "y", 0.5))) == [
        (
            "area 'a': the shares add up to 0.5. Expected: 1. "
            "Hint: list what the area keeps, too; figures must not get lost"
        ),
        "area 'b': the shares add up to 1.25. Expected: 1.",
    ]


def test_negative_shares_are_refused():
    assert refused(TableError, three(), shares_of(("a", "x", -0.5), ("a", "y", 1.5))) == [
        "area 'a': '-0.5' is not a share. Expected: a number above 0, at most 1.",
        "area 'a': '1.5' is not a share. Expected: a number above 0, at most 1.",
    ]


def test_a_crosswalk_of_several_dates_is_refused():
    dated = QUARTER.assign(date=pd.to_datetime(["2010-01-01", "2010-01-01", "2010-01-01", "2012-01-01"]))
    assert refused(TableError, three(), dated) == [
        "column 'date': the crosswalk tells of changes on several dates. Hint: apply them in order with `carry`"
    ]


def test_a_frame_that_is_no_crosswalk_is_refused():
    assert refused(gp.InputError, three(), QUARTER.drop(columns="share")) == [
        "key 'share': there is no column 'share' in the data. Hint: one of 'from_id', 'to_id'"
    ]


def test_rates_without_a_base_are_refused():
    bare = IndicatorTable(three("poor").data.assign(numerator=np.nan, denominator=np.nan), DEFINITIONS)
    assert refused(TableError, bare, QUARTER) == [
        (
            "rates without counts cannot be added up: 'poor'. Expected: a base to weigh them by. "
            "Hint: name the column of the base as `denominator`"
        )
    ]


# ---------------------------------------------------------------- laws

few = settings(max_examples=12)  # a transfer takes some 50 ms
CODES = [f"A{number}" for number in range(6)]


@st.composite
def crosswalks(draw, sources=tuple(CODES), targets=("x", "y", "z")):
    """Draw shares for every source that add up to 1."""
    rows = []
    for source in sources:
        weights = draw(st.lists(st.integers(0, 5), min_size=len(targets), max_size=len(targets)).filter(any))
        rows += [(source, t, w / sum(weights)) for t, w in zip(targets, weights, strict=True) if w]
    return shares_of(*rows)


def sums(table):
    return table.data.groupby("indicator")[NUMBERS].sum()


@few
@given(tables(missing=False), crosswalks())
def test_totals_are_conserved(table, pairs):
    moved = transfer(table, pairs)
    assert_frame_equal(sums(moved), sums(table), rtol=1e-9, check_dtype=False)
    assert (moved.data[NUMBERS].fillna(0) >= 0).all(axis=None)
    assert moved.data["moved_share"].between(0, 1 + 1e-12).all()


@few
@given(tables())
def test_transfer_to_oneself_changes_nothing(table):
    same = transfer(table, shares_of(*((code, code, 1.0) for code in CODES)))
    before = table.data.sort_values(["area_id", "indicator"], ignore_index=True)
    assert_frame_equal(same.data[COLUMNS], before, rtol=1e-12, check_dtype=False)


@few
@given(tables(), crosswalks(), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_statuses_never_get_more_certain(table, pairs, coverage):
    moved = transfer(table, pairs, minimum_coverage=coverage).data
    missing = moved["status"].isin(MISSING)
    assert moved["status"].isin(STATUSES).all()
    assert moved.loc[missing, ["numerator", "denominator", "value", "moved_share"]].isna().all(axis=None)
    assert moved.loc[~missing, ["value", "moved_share"]].notna().all(axis=None)
    split = set(pairs.loc[pairs["share"] < 1, "to_id"])
    certain = moved[moved["status"] == "observed"]
    assert (certain["moved_share"] == 0).all()
    touched = moved["area_id"].isin(split) & (moved["moved_share"] > 0)
    assert (moved.loc[touched, "status"] == "estimated").all()


@few
@given(tables(missing=False), crosswalks(), crosswalks(sources=("x", "y", "z"), targets=("K", "L")))
def test_two_transfers_are_the_transfer_by_the_product(table, first, second):
    pairs = first.merge(second, left_on="to_id", right_on="from_id", suffixes=("", "_2"))
    product = pairs.assign(share=pairs["share"] * pairs["share_2"])
    product = product.groupby(["from_id", "to_id_2"])["share"].sum().reset_index().rename(columns={"to_id_2": "to_id"})
    in_two, in_one = transfer(transfer(table, first), second), transfer(table, product)
    numbers = ["area_id", "indicator", "period", "numerator", "denominator", "value"]
    assert_frame_equal(in_two.data[numbers], in_one.data[numbers], rtol=1e-9)


@few
@given(st.lists(boxes(), min_size=6, max_size=6), st.lists(boxes(), min_size=1, max_size=4), tables(missing=False))
def test_there_and_back_conserves_all_that_has_a_target(first, second, table):
    old = gpd.GeoDataFrame(geometry=first, index=pd.Index(CODES, name="area_id"), crs=3006)
    new = gpd.GeoDataFrame(geometry=second, index=pd.Index(range(len(second))).astype(str), crs=3006)
    there = crosswalk(old, new.rename_axis("area_id"))
    if there.data["to_id"].isna().all():
        return
    moved = transfer(table, there)
    reached = there.data[there.data["to_id"].notna()].groupby("from_id")["share"].sum()
    expected = table.data.assign(part=table.data["area_id"].map(reached).fillna(0.0))
    for name in NUMBERS:
        known = (expected[name] * expected["part"]).groupby(expected["indicator"]).sum()
        assert sums(moved)[name].to_dict() == pytest.approx(known.to_dict(), rel=1e-9)


# ---------------------------------------------------------------- the sample


@pytest.fixture(scope="module")
def sample():
    """The basområden of the sample with their table, its stadsdelar, and a net of squares that follows neither."""
    path = gp.home() / "data/nordhamra.gpkg"
    units = read_vector(path, "basomraden").set_index("area_id")
    districts = read_vector(path, "stadsdelar").set_index("area_id")
    west, south, east, north = units.total_bounds
    shapes = [
        box(x, y, x + 700, y + 700)
        for x in np.arange(west - 130, east + 700, 700)
        for y in np.arange(south - 130, north + 700, 700)
    ]
    net = gpd.GeoDataFrame(geometry=shapes, index=[f"n{number}" for number in range(len(shapes))], crs=units.crs)
    run = gp.open_run("scenarios/basomraden.toml")
    return units, districts, net.rename_axis("area_id"), run.indicators()


def of_two_years(table):
    """Keep two years, without the counts of which a part is hidden: a sum that lacks a part is no sum."""
    data = table.data[table.data["period"].isin(table.periods()[-2:])]
    gaps = set(data.loc[~data["status"].isin(KNOWN), "indicator"])
    counts = {name for name, item in table.definitions.items() if item.kind == "count"}
    return IndicatorTable(data[~data["indicator"].isin(gaps & counts)][COLUMNS], table.definitions)


@pytest.mark.parametrize("goal", ["stadsdelar", "net"])
@pytest.mark.parametrize("way", ["area", "raster", "points"])
def test_there_and_back_conserves_totals_on_the_sample(sample, goal, way):
    units, districts, net, table = sample
    other = {"stadsdelar": districts, "net": net}[goal]
    values, corner = read_grid(gp.home() / "data/nordhamra_population_100m.tif", crs="EPSG:3006")
    jobs = read_vector(gp.home() / "data/nordhamra_workplaces.gpkg", "workplaces")
    weights = {"area": None, "raster": Grid(values, *corner, crs="EPSG:3006"), "points": jobs}[way]
    column = "jobs" if way == "points" else None
    known = of_two_years(table)
    there = transfer(known, crosswalk(units, other, weights=weights, weight_column=column), minimum_coverage=0.0)
    # The squares at the edge lie mostly outside the town, but all their people came from it.
    way_back = crosswalk(other, units, weights=weights, weight_column=column, minimum_inside=0.0)
    back = transfer(there, way_back, minimum_coverage=0.0)
    keys = ["indicator", "period"]
    told = known.data[NUMBERS].where(known.data["status"].isin(KNOWN))
    before = told.groupby([known.data[name] for name in keys]).sum()
    assert len(before) > 20
    for moved in (there, back):
        assert_frame_equal(moved.data.groupby(keys)[NUMBERS].sum(), before, rtol=1e-9, check_dtype=False)
    if (goal, way) == ("net", "area"):  # the net covers the town and does not overlap: tobler does the same
        period = known.data["period"].max()
        people = known.wide(period)["population"]
        theirs = area_interpolate(units.assign(people=people), net, extensive_variables=["people"])["people"]
        ours = there.wide(period)["population"].reindex(net.index).fillna(0)
        assert ours.to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-5, abs=1e-2)
