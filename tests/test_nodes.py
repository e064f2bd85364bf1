"""Strategic nodes: every part worked by hand, laws, bad inputs, and the sample town."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from feeds import write as write_feed
from hypothesis import given, settings, strategies as st
from shapely import LineString, Point, box

from geoplan.errors import CrsError, InputError
from geoplan.reach import (
    Nearby,
    TravelTimes,
    catchment_areas,
    catchments,
    compare_nodes,
    density_peaks,
    join_network,
    nearby,
    node_candidates,
    node_departures,
    node_uncertainty,
    read_streets,
    read_timetable,
    served_districts,
    spread_land,
    stations,
    strategic_nodes,
    walkable_share,
)
from geoplan.reach.node_parts import balance, entropy
from geoplan.reach.node_scores import part_weights, ranked, scaled, scored
from geoplan.show import explore_nodes, outside_requests, plot_node_parts, plot_nodes
from geoplan.sources import home

EAST, NORTH = 674_000.0, 6_580_000.0
DATA = home() / "data"


def at(*places, ids):
    shapes = [Point(EAST + x, NORTH + y) for x, y in places]
    return gpd.GeoDataFrame({"name": [f"Place {name}" for name in ids]}, geometry=shapes, index=list(ids), crs=3006)


def timed(minutes, places, nodes, unsnapped=()):
    """Return travel times of minutes; None where not reached."""
    table = np.array([[65_535 if cell is None else round(cell * 60) for cell in row] for row in minutes], np.uint16)
    rows = [
        {"side": side, "id": name, "x": 0.0, "y": 0.0, "nearest_m": 9e3, "reason": "far"} for side, name in unsnapped
    ]
    left = pd.DataFrame(rows, columns=["side", "id", "x", "y", "nearest_m", "reason"])
    return TravelTimes(places, nodes, (50,), table[:, :, None], left)


# Four places and three nodes, minutes on foot:        n1    n2    n3
MINUTES = [[4, 9, None], [10, 8, None], [14, 10, 12], [None, 15, 10]]
TIMES = timed(MINUTES, list("abcd"), ["n1", "n2", "n3"])
NODES = at((0, 0), (2000, 0), (4000, 0), ids=["n1", "n2", "n3"])


def amounts(*values, name="amount"):
    return Nearby(pd.Series(values, index=list("abcd"), name=name), TIMES)


def found(**options):
    given = {"residents": amounts(100, 200, 300, 400), "jobs": amounts(50, 0, 150, 300)}
    return strategic_nodes(NODES, **(given | options))


# ---------------------------------------------------------------- parts


def test_amounts_within_a_walk_by_hand():
    # n1: a and b (10 is within 10); n2: a, b and c; n3: d
    people = amounts(100, 200, 300, 400).within(["n1", "n2", "n3"], 10)["amount"]
    assert people.to_list() == [300, 600, 400]
    assert amounts(100, 200, 300, 400).within(["n3", "n1"], 12)["amount"].to_list() == [700, 300]


def test_the_nodes_may_be_on_either_side_of_the_times():
    turned = TravelTimes(TIMES.to_ids, TIMES.from_ids, (50,), TIMES.seconds.transpose(1, 0, 2))
    people = Nearby(pd.Series([1, 2, 3, 4], index=list("dcba")), turned)
    assert people.within(["n1", "n2", "n3"], 10).iloc[:, 0].to_list() == [4 + 3, 4 + 3 + 2, 1]


def test_entropy_by_hand():
    uses = pd.DataFrame({"residents": [100.0, 50, 0, 0], "jobs": [0.0, 10, 0, 20]})
    totals = pd.Series({"residents": 100.0, "jobs": 20.0})
    # The second: half of all residents, half of all jobs: as even as can be
    assert entropy(uses, totals).to_list() == pytest.approx([0, 1, np.nan, 0], nan_ok=True)
    uneven = pd.DataFrame({"residents": [30.0], "jobs": [2.0]})  # shares 0.3 and 0.1, that is 3/4 and 1/4
    by_hand = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    assert entropy(uneven, totals).item() == pytest.approx(by_hand)
    assert entropy(uneven, totals * [1, 0]).isna().all()  # of one use there is no mix


def test_balance_by_hand():
    # a = 0.5: 100 people go with 50 jobs. 1 - |30 - 50| / (30 + 50) = 0.75
    assert balance(pd.Series([100.0]), pd.Series([30.0]), 0.5).item() == pytest.approx(0.75)


def test_raw_parts_by_hand():
    services = Nearby(pd.DataFrame({"retail": [0, 20, 0, 80], "culture": [1, 0, 0, 3]}, index=list("abcd")), TIMES)
    result = found(services=services, weights={"density": 1})
    values = result.values().loc[["n1", "n2", "n3"]]
    assert values["density.residents"].to_list() == [300, 600, 400]
    assert values["density.jobs"].to_list() == [50, 200, 300]
    assert values["services.retail"].to_list() == [20, 20, 80]
    assert values["services.culture"].to_list() == [1, 1, 3]
    # 500 jobs to 1,000 people: a = 0.5. n1: 1 - |50 - 150| / 200; n2: 1 - |200 - 300| / 500; n3: 1 - |300 - 200| / 500
    assert values["mix.balance"].to_list() == pytest.approx([0.5, 0.8, 0.8])
    # n1 has 0.3 of the people, 0.1 of the jobs, and of services the mean of 20 / 100 and 1 / 4: 0.225
    share = np.array([0.3, 0.1, 0.225]) / 0.625
    assert values.loc["n1", "mix.entropy"] == pytest.approx(-(share * np.log(share)).sum() / np.log(3))


def test_scores_by_hand():
    # Residents 300, 600, 400 -> 0, 1, 1/3; jobs 50, 200, 300 -> 0, 0.6, 1; land 10, 10, 40 -> 0, 0, 1
    result = found(land=amounts(10, 0, 0, 40, name="homes"), weights={"density": 3, "development": 1})
    scores = result.nodes["score"]
    assert scores["n1"] == pytest.approx(0)
    assert scores["n2"] == pytest.approx(100 * 0.75 * (1 + 0.6) / 2)
    assert scores["n3"] == pytest.approx(100 * (0.75 * (1 / 3 + 1) / 2 + 0.25))
    assert result.nodes["rank"].to_dict() == {"n3": 1, "n2": 2, "n1": 3}
    assert result.weights.to_dict() == pytest.approx(
        {"density.residents": 0.375, "density.jobs": 0.375, "mix.entropy": 0, "mix.balance": 0, "development": 0.25}
    )


def test_percentiles_by_hand():
    result = found(weights={"density.jobs": 1}, normalisation="percentile")
    # Of three, one is below half of itself: 1/6, 1/2, 5/6
    assert result.nodes["score"].to_dict() == pytest.approx({"n3": 100 * 5 / 6, "n2": 50, "n1": 100 / 6})


def test_what_is_missing_is_typed_and_its_weight_goes_to_the_rest():
    departures = pd.Series({"n1": 12.0, "n2": np.nan, "n3": 4.0})
    result = found(departures=departures, weights={"density": 1, "transit": 1}, least_known=0.5)
    row = result.parts[(result.parts["node_id"] == "n2") & (result.parts["part"] == "transit.departures")].iloc[0]
    assert np.isnan(row["value"])
    assert np.isnan(row["contribution"])
    assert (row["status"], row["weight"]) == ("not_collected", 0)
    assert result.nodes.loc["n2", "known_share"] == pytest.approx(0.5)
    assert result.nodes.loc["n2", "score"] == pytest.approx(100 * (1 + 0.6) / 2)
    strict = found(departures=departures, weights={"density": 1, "transit": 1}, least_known=0.75)
    assert strict.nodes.loc["n2", "status"] == "not_collected"
    assert pd.isna(strict.nodes.loc["n2", "rank"])
    assert not strict.nodes.loc["n2", "chosen"]
    assert any("no score" in note for note in strict.notes)
    assert strict.nodes.index[-1] == "n2"


def test_a_node_on_no_street_has_no_figures_and_one_with_nothing_around_has_zeros():
    times = timed([[4, None, None]], ["a"], ["n1", "n2", "n3"], [("to", "n3")])
    people = Nearby(pd.Series({"a": 100}), times)
    result = strategic_nodes(NODES, residents=people, jobs=people, weights={"density": 1, "mix": 1}, least_known=0.3)
    values = result.values()
    assert values.loc["n2", "density.residents"] == 0
    assert np.isnan(values.loc["n3", "density.residents"])
    parts = result.parts.set_index(["node_id", "part"])
    assert parts.loc[("n3", "density.residents"), "status"] == "out_of_scope"
    assert parts.loc[("n2", "mix.balance"), "status"] == "not_applicable"
    assert parts.loc[("n3", "mix.balance"), "status"] == "out_of_scope"
    assert pd.isna(result.nodes.loc["n3", "rank"])


def test_a_part_that_is_the_same_everywhere_has_no_weight():
    result = found(walkable=pd.Series({"n1": 0.5, "n2": 0.5, "n3": 0.5}), weights={"density": 1, "barriers": 3})
    assert result.nodes.loc["n2", "score"] == pytest.approx(100 * (1 + 0.6) / 2)
    assert "barriers is the same at all candidates and has no weight" in result.notes
    with pytest.raises(InputError, match="tells one candidate from another"):
        found(walkable=pd.Series({"n1": 0.5, "n2": 0.5, "n3": 0.5}), weights={"barriers": 3})


def test_places_on_no_street_are_told():
    times = timed([[4, 4, 4], [None] * 3], ["a", "b"], ["n1", "n2", "n3"], [("from", "b")])
    people = Nearby(pd.Series({"a": 75, "b": 25}), times)
    result = strategic_nodes(
        NODES, residents=people, jobs=people, departures=pd.Series({"n1": 1, "n2": 2, "n3": 3}), top=1
    )
    assert any("25.0% of residents" in note for note in result.notes)
    assert result.residents.to_dict() == {"residents": 100, "served": 75, "outside": 0, "out_of_scope": 25}
    assert result.catchments.loc["b", "status"] == "out_of_scope"


# ---------------------------------------------------------------- catchments and districts


def test_catchments_by_hand():
    people = amounts(100, 200, 300, 400)
    got = catchments(people, ["n1", "n2", "n3"], within_min=11)
    assert got["node_id"].to_list() == ["n1", "n2", "n2", "n3"]
    assert got["minutes"].to_list() == [4, 8, 10, 10]
    less = catchments(people, ["n3", "n1"], within_min=11)
    assert less["status"].to_list() == ["served", "served", "outside", "served"]
    assert less["node_id"].isna().to_list() == [False, False, True, False]
    nobody = catchments(people, [], within_min=11)
    assert (nobody["status"] == "outside").all()


def test_ties_go_to_the_first_by_id():
    times = timed([[5, 5]], ["a"], ["n2", "n1"])
    got = catchments(Nearby(pd.Series({"a": 1}), times), ["n2", "n1"], within_min=9)
    assert got.loc["a", "node_id"] == "n1"


def test_districts_by_hand():
    got = catchments(amounts(100, 200, 300, 400), ["n1", "n3"], within_min=11)  # c is outside
    area_of = pd.Series({"a": "west", "b": "mid", "c": "mid", "d": "east"})
    table = served_districts(got, area_of, pd.Series({"west": 80.0, "mid": 130.0, "east": 110.0}), ["mid", "east"])
    assert table["area_id"].to_list() == ["mid", "mid", "east"]
    assert table["node_id"].to_list() == ["", "n1", "n3"]
    assert table["residents"].to_list() == [300, 200, 400]
    assert table["share"].to_list() == pytest.approx([0.6, 0.4, 1])
    assert table["minutes"].to_list() == pytest.approx([np.nan, 10, 10], nan_ok=True)
    with pytest.raises(InputError) as caught:
        served_districts(got, area_of.drop("a"), deprived=["north"])
    assert "1 place(s) have no district: 'a'" in str(caught.value)
    assert "1 deprived district(s) have no place: 'north'" in str(caught.value)


def test_catchment_areas_do_not_overlap():
    got = pd.DataFrame({"node_id": ["n1", "n2", None], "residents": [1.0, 2, 3]}, index=list("abc"))
    spots = at((0, 0), (100, 0), (200, 0), ids="abc")
    areas = catchment_areas(got, spots, cell_m=100)
    assert areas.index.to_list() == ["", "n1", "n2"]
    assert areas.area.sum() == pytest.approx(areas.union_all().area)
    with pytest.raises(InputError, match="not among"):
        catchment_areas(got, spots.drop("a"), cell_m=100)


# ---------------------------------------------------------------- laws

grids = st.lists(st.lists(st.integers(0, 25), min_size=3, max_size=3), min_size=2, max_size=7)


def town(grid, people, work):
    ids = [f"p{number}" for number in range(len(grid))]
    times = timed(grid, ids, ["n1", "n2", "n3"])
    return Nearby(pd.Series(people[: len(ids)], index=ids), times), Nearby(
        pd.Series(work[: len(ids)], index=ids), times
    )


numbers = st.lists(st.integers(0, 500), min_size=7, max_size=7)


def tried(residents, jobs, **options):
    """Return strategic nodes, or None where all candidates are alike."""
    try:
        return strategic_nodes(NODES, residents=residents, jobs=jobs, **({"least_known": 0.01, "top": 2} | options))
    except InputError as error:
        if "tells one candidate from another" in str(error):
            return None
        raise


@settings(deadline=None, max_examples=60)
@given(grids, numbers, numbers, st.integers(0, 6), st.integers(1, 300))
def test_adding_jobs_never_lowers_density(grid, people, work, where, more):
    before, after = [*work], [*work]
    after[where] += more
    residents, jobs = town(grid, people, before)
    _, with_more = town(grid, people, after)
    ids = ["n1", "n2", "n3"]
    assert (with_more.within(ids, 10) >= jobs.within(ids, 10)).all(axis=None)
    one = tried(residents, jobs, weights={"density": 1})
    if one is not None:
        other = tried(residents, with_more, weights={"density": 1}, scale=one.scale)
        assert (other.nodes["score"] >= one.nodes["score"].reindex(other.nodes.index) - 1e-9).all()


@settings(deadline=None, max_examples=60)
@given(grids, numbers, numbers, st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.01, 100))
def test_contributions_add_up_and_only_proportions_of_weights_matter(grid, people, work, one, other, factor):
    residents, jobs = town(grid, people, work)
    result = tried(residents, jobs, weights={"density": one, "mix": other})
    if result is None:
        return
    sums = result.contributions().sum(axis=1)
    assert sums.to_numpy() == pytest.approx(result.nodes["score"].fillna(0).to_numpy())
    weights = result.parts.groupby("node_id")["weight"].sum()
    known = result.nodes["score"].notna()
    assert weights.reindex(result.nodes.index)[known].to_list() == pytest.approx([1.0] * int(known.sum()))
    again = tried(residents, jobs, weights={"density": one * factor, "mix": other * factor})
    assert again.nodes["score"].to_numpy() == pytest.approx(result.nodes["score"].to_numpy(), nan_ok=True)
    assert ((result.nodes["score"].dropna() >= -1e-9) & (result.nodes["score"].dropna() <= 100 + 1e-9)).all()


@settings(deadline=None, max_examples=60)
@given(grids, numbers, st.integers(1, 20), st.integers(0, 10))
def test_catchments_divide_those_who_are_reached(grid, people, limit, longer):
    residents, _ = town(grid, people, people)
    got = catchments(residents, ["n1", "n2", "n3"], within_min=limit)
    reach = residents.minutes(["n1", "n2", "n3"]).min(axis=1) <= limit
    assert (got["node_id"].notna() == reach).all()
    assert got["residents"].sum() == residents.amounts.to_numpy().sum()
    served = got.groupby("node_id")["residents"].sum().sum()
    assert served == got.loc[reach, "residents"].sum()
    wider = catchments(residents, ["n1", "n2", "n3"], within_min=limit + longer)
    assert (wider["node_id"].fillna("") == got["node_id"])[reach].all()  # nobody changes node as the limit widens


# ---------------------------------------------------------------- certainty


def two_sided(**options):
    """Return nodes of which n2 leads by density and n3 by land."""
    land = amounts(0, 0, 10, 40, name="homes")
    return found(land=land, weights={"density": 3, "development": 2}, **options)


def test_what_tips_a_node_by_hand():
    # Density: n2 (1 + 0.6) / 2 = 0.8, n3 (1/3 + 1) / 2 = 2/3. Land within 10 min 0, 10, 40: n2 0.25, n3 1
    result = two_sided()
    assert result.nodes["score"].to_dict() == pytest.approx(
        {"n3": 100 * (0.6 * 2 / 3 + 0.4), "n2": 100 * (0.6 * 0.8 + 0.4 * 0.25), "n1": 0}
    )
    sure = node_uncertainty(result, draws=300, top=1)
    # Equal where 0.8 t + 0.25 (1 - t) = 2/3 t + (1 - t): t = 0.75 / (0.75 + 2/15)
    tip = sure.tips.loc["n2"]
    assert (tip["theme"], tip["becomes"]) == ("density", "in")
    assert tip["weight_needed"] == pytest.approx(0.75 / (0.75 + 2 / 15), abs=1e-5)
    assert sure.tips.loc["n3", "becomes"] == "out"
    assert sure.tips.loc["n1", "theme"] == ""
    assert sure.without.loc["n2", "development"] == 1
    assert sure.without.loc["n3", "development"] == 2
    assert "out if density weighs 85% in place of 60%" in " ".join(sure.lines())


def test_draws_are_repeatable_and_narrow_with_the_concentration():
    result = two_sided()
    one, other = (node_uncertainty(result, draws=400, top=1, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, other.table)
    wide, narrow = (node_uncertainty(result, draws=400, top=1, concentration=c).table for c in (3, 3000))
    span = [(table["score_high"] - table["score_low"])["n3"] for table in (wide, narrow)]
    assert span[0] > 5 * span[1]
    assert narrow.loc["n3", "p_top"] == 1
    assert 0 < wide.loc["n3", "p_top"] < 1
    assert (wide["rank_low"] <= wide["rank_median"]).all()
    assert (wide["rank_median"] <= wide["rank_high"]).all()


def test_draws_spread_as_a_dirichlet_does():
    result = two_sided()
    drawn = node_uncertainty(result, draws=20_000, concentration=20, top=1)
    # n3 = 100 (2/3 w + 1 - w) = 100 (1 - w / 3) and w has the deviation sqrt(0.6 * 0.4 / 21)
    low, high = drawn.table.loc["n3", ["score_low", "score_high"]]
    expected = 100 / 3 * np.sqrt(0.6 * 0.4 / 21)
    assert (high - low) / (2 * 1.645) == pytest.approx(expected, rel=0.04)


def test_a_tip_is_where_it_says_even_with_missing_figures():
    departures = pd.Series({"n1": 30.0, "n2": np.nan, "n3": 0.0})
    options = {"departures": departures, "land": amounts(0, 0, 10, 40, name="homes"), "least_known": 0.3}
    weights = {"density": 3, "development": 2, "transit": 2}
    result = found(weights=weights, **options)
    sure = node_uncertainty(result, draws=50, top=1)
    for node, tip in sure.tips.iterrows():
        if not tip["theme"]:
            continue
        total = sum(weights.values())
        now = {theme: value / total for theme, value in weights.items()}
        for nudge, changed in ((-1e-4, False), (1e-4, True)):
            step = nudge if tip["weight_needed"] > tip["weight"] else -nudge
            share = float(np.clip(tip["weight_needed"] + step, 0, 1))
            rest = {k: v / (1 - now[tip["theme"]]) * (1 - share) for k, v in now.items()} | {tip["theme"]: share}
            inside = bool(found(weights=rest, **options).nodes.loc[node, "rank"] == 1)
            assert inside == ((tip["becomes"] == "in") == changed)


def test_one_theme_has_nothing_to_vary():
    with pytest.raises(InputError, match="fewer than two themes"):
        node_uncertainty(found(weights={"density": 1}))
    with pytest.raises(InputError) as caught:
        node_uncertainty(two_sided(), draws=0, top=0, level=2, concentration=-1)
    assert len(caught.value.faults) == 4


# ---------------------------------------------------------------- before and after


def test_a_change_by_hand():
    before = two_sided(top=1)
    faster = timed([[4, 9, None], [10, 8, None], [14, 10, 9], [None, 15, 10]], list("abcd"), ["n1", "n2", "n3"])
    people = Nearby(pd.Series([100, 200, 300, 400], index=list("abcd")), faster)
    after = two_sided(top=2, residents=people, scale=before.scale)
    changes = compare_nodes(before, after)
    # c is now within the walk of n3: 700 residents, (700 - 300) / 300 on the old scale, before 1/3: + 1, of weight 0.3
    assert changes.table.loc["n3", "change"] == pytest.approx(100 * 0.3)
    assert changes.themes.loc["n3"].to_dict() == pytest.approx({"density": 30, "mix": 0, "development": 0}, abs=1e-9)
    assert changes.themes.sum(axis=1).to_dict() == pytest.approx(changes.table["change"].to_dict(), abs=1e-9)
    # n3 alone was chosen: c and d within 15; now n2 too, and a and b with it
    assert changes.residents.loc["outside"].to_list() == [300, 0, -300]
    assert set(zip(changes.moved["before"], changes.moved["after"], strict=True)) == {("", "n2")}
    assert changes.moved["residents"].item() == 300
    assert any("+30.0 points, most by density" in line for line in changes.lines())


def test_a_comparison_on_two_scales_is_refused():
    before = two_sided()
    more = two_sided(residents=amounts(100, 200, 900, 400))
    with pytest.raises(InputError) as caught:
        compare_nodes(before, more)
    assert "different scales" in str(caught.value)
    assert "scale=before.scale" in str(caught.value)
    other = found(
        land=amounts(0, 0, 10, 40, name="homes"), weights={"density": 1}, catchment_min=10, scale=before.scale
    )
    with pytest.raises(InputError) as caught:
        compare_nodes(before, other)
    assert {fault.key for fault in caught.value.faults} == {"weights", "catchment_min"}


def test_new_and_gone_candidates_are_told():
    before = two_sided(top=1)
    fewer = strategic_nodes(
        NODES.loc[["n3", "n2"]],
        residents=amounts(100, 200, 300, 400),
        jobs=amounts(50, 0, 150, 300),
        land=amounts(0, 0, 10, 40, name="homes"),
        weights={"density": 3, "development": 2},
        scale=before.scale,
        top=1,
    )
    changes = compare_nodes(before, fewer)
    assert changes.table["status"].to_dict() == {"n3": "both", "n2": "both", "n1": "gone"}
    assert changes.table.loc["n2", "change"] == pytest.approx(0)
    assert changes.themes.index.to_list() == ["n3", "n2"]


# ---------------------------------------------------------------- candidates


def test_candidates_are_merged_without_chains():
    centres = at((0, 0), ids=["C1"])
    halts = at((300, 0), (700, 0), (1000, 0), (5000, 0), ids=["S1", "S2", "S3", "S4"])
    peaks = at((5200, 0), (9000, 0), ids=["r1", "r2"]).drop(columns="name")
    got = node_candidates(centres=centres, stations=halts, peaks=peaks, merge_m=500)
    # S1 is merged into C1; S2 is 700 m from C1 and stays; S3 belongs to S2, though a chain leads on to C1
    assert got.index.to_list() == ["C1", "S2", "S4", "r2"]
    assert got["members"].to_list() == ["C1 S1", "S2 S3", "S4 r1", "r2"]
    assert got["kinds"].to_list() == ["centre, station", "station", "station, peak", "peak"]
    assert got["name"].to_list() == ["Place C1", "Place S2", "Place S4", "r2"]
    assert len(node_candidates(centres=centres, stations=halts, peaks=peaks, merge_m=0)) == 7


def test_a_peak_by_hand():
    points = at((0, 0), (300, 0), (5000, 0), ids="abc")
    got = density_peaks(points, pd.Series({"a": 100, "b": 40, "c": 60}), radius_m=600, least_per_km2=1)
    # At a: 100 and 40 at half the radius, (1 - 1/4)² = 0.5625 of it; 3 / (pi 0.36 km²)
    assert got.index.to_list() == ["a", "c"]
    assert got.loc["a", "per_km2"] == pytest.approx((100 + 0.5625 * 40) * 3 / (np.pi * 0.36))
    assert len(density_peaks(points, radius_m=600, least_per_km2=1)) == 2  # a and b are equal: the first by id
    assert density_peaks(points, least_per_km2=1e6).empty


def test_bad_candidates_are_told():
    with pytest.raises(InputError, match="no candidates"):
        node_candidates()
    with pytest.raises(InputError, match="stand in two of the frames: 'S1'"):
        node_candidates(centres=at((0, 0), ids=["S1"]), stations=at((900, 0), ids=["S1"]))
    with pytest.raises(CrsError, match="no coordinate system"):
        node_candidates(peaks=gpd.GeoDataFrame(geometry=[Point(0, 0)]))
    with pytest.raises(InputError, match="merge_m"):
        node_candidates(centres=at((0, 0), ids=["S1"]), merge_m=-1)
    with pytest.raises(InputError) as caught:
        density_peaks(at((0, 0), ids="a"), radius_m=0, least_per_km2=-1)
    assert len(caught.value.faults) == 2


# ---------------------------------------------------------------- departures

FEED = {
    "agency": "agency_name,agency_timezone\nTown,Europe/Stockholm",
    "stops": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
    "p,Central,59.3300,18.0600,1,\na,Central,59.3301,18.0601,0,p\nb,Central,59.3302,18.0600,0,p\n"
    "c,Central,59.3310,18.0600,0,\nd,Far,59.3600,18.1000,0,",
    "routes": "route_id,route_type,route_short_name\nR,2,R\nB,3,B\nH,3,H",
    "trips": "route_id,service_id,trip_id\nR,s,r1\nR,s,r2\nB,s,b1\nB,s,b2\nH,s,h",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "r1,08:00:00,08:00:00,a,1\nr1,08:20:00,08:20:00,d,2\n"
    "r2,09:00:00,09:00:00,d,1\nr2,09:20:00,09:20:00,b,2\n"  # ends here: no departure
    "b1,08:30:00,08:30:00,b,1\nb1,08:31:00,08:31:00,c,2\nb1,08:50:00,08:50:00,d,3\n"  # twice here, counts once
    "b2,05:30:00,05:30:00,c,1\nb2,05:50:00,05:50:00,d,2\n"  # too early
    "h,06:00:00,06:00:00,c,1\nh,06:30:00,06:30:00,d,2",
    "frequencies": "trip_id,start_time,end_time,headway_secs\nh,09:00:00,11:00:00,900",
    "calendar_dates": "service_id,date,exception_type\ns,20240206,1",
}


@pytest.fixture
def feed(tmp_path):
    return read_timetable(write_feed(tmp_path / "town.zip", FEED), date=dt.date(2024, 2, 6))


def test_stations_and_departures_by_hand(feed):
    got = stations(feed, crs="EPSG:3006", start="08:00", end="10:00")
    central = got.loc["p"]
    assert set(central["stops"].split()) == {"a", "b", "c"}
    # From 8 to 10: r1, b1 once, and of the headway from 9 to 10 four: 6 in 2 hours
    assert central["departures_per_hour"] == pytest.approx(3)
    assert central["kind"] == "bus, rail"
    assert got.loc["d", "departures_per_hour"] == pytest.approx(0.5)  # r2 alone sets out there
    assert stations(feed, crs="EPSG:3006", kinds=["rail"]).index.to_list() == ["p", "d"]
    assert stations(feed, crs="EPSG:3006", least_per_hour=0.3).index.to_list() == ["p"]
    with pytest.raises(InputError, match="no station has"):
        stations(feed, crs="EPSG:3006", kinds=["ferry"])
    with pytest.raises(InputError, match="before they begin"):
        stations(feed, crs="EPSG:3006", start="10:00", end="09:00")
    with pytest.raises(CrsError):
        stations(feed, crs="EPSG:4326")


def test_departures_near_a_node_by_hand(feed):
    spots = feed.stops.to_crs(3006).set_index("stop_id").geometry
    lines = [LineString([spots["b"], spots["c"]]), LineString([spots["a"], spots["b"]])]
    far = Point(spots["d"].x + 50, spots["d"].y)
    lines.append(LineString([spots["d"], far]))
    streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    network = join_network(streets, feed)
    nodes = gpd.GeoSeries([spots["c"], far, Point(spots["c"].x, spots["c"].y + 9000)], index=["c", "d", "x"], crs=3006)
    got = node_departures(nodes, network, walk_min=5, start="08:00", end="10:00")
    assert got["c"] == pytest.approx(3)
    assert got["d"] == pytest.approx(0.5)
    assert np.isnan(got["x"])
    assert node_departures(nodes, network, walk_min=0.5, start="08:00", end="10:00")["c"] == pytest.approx(
        2.5
    )  # c alone
    with pytest.raises(InputError, match="no timetable"):
        node_departures(nodes, join_network(streets))


# ---------------------------------------------------------------- ground


def net(size=1600, step=100, cut=None):
    """Return a square grid of streets; none crosses the line x = cut."""
    steps = list(range(-size, size + 1, step))
    sides = [steps] if cut is None else [[x for x in steps if x < cut], [x for x in steps if x > cut]]
    lines = [[(x, y) for x in side] for y in steps for side in sides] + [[(x, y) for y in steps] for x in steps]
    shapes = [LineString([(EAST + x, NORTH + y) for x, y in line]) for line in lines]
    return read_streets(gpd.GeoDataFrame(geometry=shapes, crs=3006), min_subgraph=1, meet="vertices")


def test_a_grid_without_barriers_is_two_over_pi_of_the_circle():
    node = gpd.GeoSeries([Point(EAST, NORTH)], index=["n"], crs=3006)
    share = walkable_share(node, net(), walk_min=10, spacing_m=40)["n"]
    assert share == pytest.approx(2 / np.pi, abs=0.04)
    cut = walkable_share(node, net(cut=150), walk_min=10, spacing_m=40)["n"]
    assert cut < share - 0.1
    far = gpd.GeoSeries([Point(EAST + 90_000, NORTH)], index=["n"], crs=3006)
    assert np.isnan(walkable_share(far, net())["n"])
    with pytest.raises(InputError) as caught:
        walkable_share(node, net(), walk_min=0, spacing_m=-1)
    assert len(caught.value.faults) == 2


def test_land_is_spread_and_adds_up():
    shapes = [box(EAST, NORTH, EAST + 200, NORTH + 100), box(EAST, NORTH, EAST + 9, NORTH + 9)]
    land = gpd.GeoDataFrame({"homes": [80, 3]}, geometry=shapes, index=["M1", "M2"], crs=3006)
    got = spread_land(land, ["homes"], spacing_m=50)
    assert len(got) == 4 * 2 + 1
    assert got["homes"].sum() == pytest.approx(83)
    assert got.loc["M2.1", "homes"] == 3
    assert got.geometry.within(land.union_all()).all()
    with pytest.raises(InputError, match="missing or below 0: 'M2'"):
        spread_land(land.assign(homes=[1, np.nan]), ["homes"])
    with pytest.raises(InputError, match="no column 'floor'"):
        spread_land(land, ["floor"])


# ---------------------------------------------------------------- bad inputs


def test_amounts_and_times_must_be_of_the_same_places():
    with pytest.raises(InputError) as caught:
        Nearby(pd.Series({"a": 1.0, "b": np.nan, "x": -2}), TIMES)
    said = str(caught.value)
    assert "1 not in the times: 'x'" in said
    assert "2 of the times without an amount: 'c', 'd'" in said
    assert "missing or below 0: 'b', 'x'" in said
    with pytest.raises(InputError, match="not among the travel times: 'n9'"):
        amounts(1, 2, 3, 4).within(["n1", "n9"], 5)


def test_times_that_end_before_the_limit_are_refused():
    streets = net()
    node = gpd.GeoSeries([Point(EAST, NORTH)], index=["n"], crs=3006)
    home_at = gpd.GeoDataFrame({"people": [5]}, geometry=[Point(EAST + 700, NORTH)], index=["a"], crs=3006)
    near = nearby(home_at, "people", node, streets, max_min=5)
    with pytest.raises(InputError, match="end at 5 minutes, and 10 are asked for"):
        near.within(["n"], 10)
    assert nearby(home_at, None, node, streets, max_min=10, from_nodes=True).within(["n"], 10).to_numpy().item() == 1
    with pytest.raises(InputError, match="did you mean 'people'"):
        nearby(home_at, "people_", node, streets)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": {"densty": 1}}, "no part 'densty'"),
        ({"weights": {"parks": 1}}, "nothing was handed in for it"),
        ({"weights": {"density": -1}}, "the weight of density is -1"),
        ({"weights": {"density": 0}}, "all weights are 0"),
        ({"walk_min": 0}, "no limit"),
        ({"least_known": 0}, "no share"),
        ({"normalisation": "minmax"}, "did you mean 'min_max'"),
        ({"top": 0}, "the first 0"),
        ({"chosen": ["n1", "n7"]}, "not among the areas: 'n7'"),
        ({"departures": pd.Series({"n1": 1.0})}, "2 candidate(s) are not in departures: 'n2', 'n3'"),
        ({"walkable": pd.Series({"n1": -1.0, "n2": 1, "n3": 1})}, "below 0"),
        ({"scale": {}}, "the scale has no values"),
    ],
)
def test_bad_options_are_told(options, said):
    with pytest.raises(InputError) as caught:
        found(**options)
    assert said in str(caught.value)


def test_small_helpers():
    assert part_weights(["a.x", "a.y", "b"], {"a.x": 1, "a": 1, "b": 2}).to_dict() == {
        "a.x": 0.25,
        "a.y": 0.25,
        "b": 0.5,
    }
    assert scaled(pd.Series([1.0, 1.0]), np.array([1.0, 1.0]), "min_max").isna().all()
    assert np.isnan(scored(np.full((1, 2), np.nan), np.array([0.5, 0.5]), 0.5)[0]).all()
    assert ranked(np.array([[1.0, 1.0 + 1e-12, 0.0]])).tolist() == [[1, 1, 3]]


# ---------------------------------------------------------------- drawings


@pytest.mark.parametrize("language", ["sv", "da", "en"])
@pytest.mark.parametrize("width", [3.6, 9.2])
def test_drawings_have_words_in_each_language(language, width):
    result = two_sided(top=1)
    sure = node_uncertainty(result, draws=50, top=1)
    spots = at((0, 0), (100, 0), (200, 0), (300, 0), ids="abcd")
    areas = catchment_areas(result.catchments, spots, cell_m=100)
    district = gpd.GeoDataFrame({"name": ["<b>West"]}, geometry=[box(EAST, NORTH, EAST + 900, NORTH + 900)], crs=3006)
    words = {"catchments": areas, "districts": district, "source": "Town", "period": "2012", "language": language}
    figure = plot_nodes(result.nodes, **words, width=width)
    assert any("Place" in text.get_text() for text in figure.texts)
    chart = plot_node_parts(result.contributions(), sure.table, language=language, width=width, source="Town")
    assert len(chart.axes[-1].patches) == 3 * 3  # three nodes of three themes
    page = explore_nodes(result.nodes, **words).to_html()
    assert not outside_requests(page)


def test_drawings_refuse_what_they_cannot_draw():
    result = two_sided()
    with pytest.raises(InputError, match="no column 'score'"):
        plot_nodes(result.nodes.drop(columns="score"))
    with pytest.raises(InputError, match="is not a table"):
        plot_node_parts(result, result.nodes)
    with pytest.raises(InputError, match="at least 1"):
        plot_node_parts(result.contributions(), result.nodes, top=0)
    with pytest.raises(InputError, match="no node has points"):
        plot_node_parts(result.contributions() * np.nan, result.nodes)


# ---------------------------------------------------------------- the sample town


@pytest.fixture(scope="module")
def sample():
    def layer(name, which, key):
        return gpd.read_file(DATA / name, layer=which).set_index(key)

    timetable = read_timetable(DATA / "nordhamra_gtfs.zip", date="2012-10-09")
    streets = read_streets(DATA / "nordhamra_streets.osm.pbf")
    network = join_network(streets, timetable)
    people = layer("nordhamra.gpkg", "basomraden", "area_id")
    table = pd.read_csv(DATA / "nordhamra_indicators.csv", dtype={"area_id": str, "period": str})
    rows = table[(table["indicator"] == "population") & (table["period"] == "2012")]
    people["residents"] = rows.set_index("area_id")["value"]
    people = people.set_geometry(people.representative_point())
    work = layer("nordhamra_workplaces.gpkg", "workplaces", "workplace_id")
    nodes = node_candidates(stations=stations(timetable, crs="EPSG:3006", least_per_hour=6), merge_m=700)
    land = spread_land(layer("nordhamra_land.gpkg", "land", "land_id"), ["homes"])
    return strategic_nodes(
        nodes,
        residents=nearby(people, "residents", nodes, streets, max_min=15),
        jobs=nearby(work, "jobs", nodes, streets, max_min=15),
        land=nearby(land, "homes", nodes, streets, max_min=15),
        departures=node_departures(nodes, network),
        walkable=walkable_share(nodes, streets),
        area_of=pd.Series(people.index.str[:6], index=people.index),
        top=8,
    )


def test_the_sample_towns_nodes_are_sensible(sample):
    nodes = sample.nodes
    assert 15 <= len(nodes) <= 30
    assert nodes["status"].eq("observed").all()
    names = nodes["name"].head(8).to_list()
    assert {"Hamra torg", "Norrbrinken"} <= set(names)  # the dense middle of the town
    assert {"Tegelvretens torg", "Granhöjden", "Rönnheds torg"} & set(names)  # nodes outside of the centre, too
    apart = nodes.geometry.apply(nodes.distance)
    assert apart.where(apart > 0).min(axis=None) > 700
    assert sample.values()["barriers"].between(0.2, 0.75).all()


def test_the_sample_towns_residents_are_each_counted_once(sample):
    people = sample.residents
    assert people[["served", "outside", "out_of_scope"]].sum() == people["residents"] == 96_034
    assert sample.nodes["residents"].sum() == people["served"]
    assert sample.districts["residents"].sum() == people["residents"]
    assert sample.districts.groupby("area_id")["share"].sum().to_list() == pytest.approx(
        [1.0] * sample.districts["area_id"].nunique()
    )


def test_rank_intervals_of_the_sample_hold_what_they_say(sample):
    sure = node_uncertainty(sample, draws=600, top=8, concentration=30)
    table = sure.table
    assert (table["rank"].to_numpy() == np.arange(1, len(table) + 1)).all()
    assert table["inside"].between(0.8, 1).all()
    assert table["p_top"].sum() == pytest.approx(8, abs=0.2)
    assert sure.tips["theme"].isin(["", *sample.parts["theme"].unique()]).all()
