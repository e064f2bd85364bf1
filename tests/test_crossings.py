"""What a crossing would do: by hand in a small town, by laws, and against streets that have the crossing."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from shapely import LineString, Point, box
from streets import SOUTH, WEST, all_times, layer

from geoplan.errors import CrsError, InputError, SpecError
from geoplan.reach import (
    NEVER,
    candidate_crossings,
    crossing_effects,
    links,
    load_streets,
    read_streets,
    travel_times,
    with_crossings,
    write_streets,
)

WALK_M = 78.0  # in a minute
BANKS = [[(0, 0), (0, 600)], [(200, 0), (200, 600)], [(0, 600), (200, 600)]]


def at(x, y):
    return WEST + x, SOUTH + y


def line(*places):
    return LineString([at(*place) for place in places])


def network(lines=BANKS, **given):
    return read_streets(layer(lines), min_subgraph=1, **given)


def homes(**places):
    points = [Point(at(x, y)) for x, y, _ in places.values()]
    return gpd.GeoDataFrame(
        {"population": [n for *_, n in places.values()]}, index=list(places), geometry=points, crs=3006
    )


def halves():
    shapes = [box(*at(-100, -100), *at(100, 700)), box(*at(100, -100), *at(300, 700))]
    return gpd.GeoDataFrame(
        {"name": ["West", "East"]}, index=pd.Index(["w", "e"], name="area_id"), geometry=shapes, crs=3006
    )


def bridges(*heights):
    lines = [line((0, y), (200, y)) for y in heights]
    return gpd.GeoDataFrame(index=[f"at {y}" for y in heights], geometry=lines, crs=3006)


@pytest.fixture(scope="module")
def streets():
    return network()


@pytest.fixture(scope="module")
def found(streets):
    living = homes(w=(0, 0, 30), v=(0, 400, 10), e=(200, 0, 20))
    return links(halves(), living, streets, index=pd.Series({"w": 130.0, "e": 90.0}))


@pytest.fixture(scope="module")
def effects(found, streets):
    return crossing_effects(found, bridges(0, 600, 200), streets)


# ---------------------------------------------------------------- by hand


def test_a_bridge_where_people_live(effects):
    # West's point is at y = 100 (30 at 0, 10 at 400), East's at y = 0. Before, over y = 600: 500 + 200 + 600 m.
    row = effects.frame.loc["at 0"]
    assert row["rank"] == 1
    assert row["points_min_before"] == pytest.approx(1300 / WALK_M, abs=0.01)
    assert row["points_min_after"] == pytest.approx(300 / WALK_M, abs=0.01)
    # To East's point before: 1,400 m from w (17.9 min), 1,000 m from v (12.8); from e to West's point 1,300 m (16.7).
    assert (row["people"], row["people_a"], row["people_b"]) == (50, 30, 20)
    # w to e was 1,400 m and is 200 m: 30 x 20 pairs. v to e was within 15 minutes already.
    assert row["pairs_gained"] == 600
    assert row["others_gained"] == pytest.approx(2 * 600 / 60)
    # Saved: w 1,200 m, v 1,000 - 600 m, e 1,300 - 300 m.
    metres = 30 * 1200 + 10 * 400 + 20 * 1000
    assert row["residents_gaining"] == 60
    assert row["minutes_saved"] == pytest.approx(metres / 60 / WALK_M, abs=0.01)
    assert row["hours_saved"] == pytest.approx(metres / 60 / WALK_M, abs=0.01)
    assert row["index_difference"] == -40


def test_a_bridge_beside_one_does_nothing(effects):
    row = effects.frame.loc["at 600"]
    assert (row["people"], row["pairs_gained"], row["residents_gaining"], row["minutes_saved"]) == (0, 0, 0, 0)
    assert row["points_min_after"] == row["points_min_before"]
    assert row["rank"] == 3


def test_a_bridge_between_them(effects):
    # At y = 200: w 200 + 200 + 200 = 600 m; West's point 100 + 200 + 200 = 500 m.
    row = effects.frame.loc["at 200"]
    assert row["points_min_after"] == pytest.approx(500 / WALK_M, abs=0.01)
    assert row["crossing_min"] == pytest.approx(200 / WALK_M, abs=0.01)
    assert row["length_m"] == pytest.approx(200, rel=1e-3)
    assert effects.lines()[0].startswith("crossing at 0 between West and East brings 600 pairs of people within 15")


def test_by_people_or_minutes_or_difference(found, streets):
    by_minutes = crossing_effects(found, bridges(200, 0), streets, by="minutes").frame
    assert list(by_minutes.index) == ["at 0", "at 200"]
    assert by_minutes["rank_difference"].tolist() == [1, 2]


def test_destinations_in_place_of_the_other_district(found, streets):
    school = gpd.GeoDataFrame(geometry=[Point(at(200, 0))], index=["school"], crs=3006)
    row = crossing_effects(found, bridges(0), streets, destinations=school).frame.iloc[0]
    # w had it within 17.9 minutes and has it within 2.6; v had it within 12.8; e lives there.
    assert (row["people"], row["residents_gaining"]) == (30, 40)
    assert row["minutes_saved"] == pytest.approx((30 * 1200 + 10 * 400) / 40 / WALK_M, abs=0.01)


def test_who_had_no_way_has_no_minutes_to_save():
    apart = network(BANKS[:2])
    found = links(halves(), homes(w=(0, 0, 30), e=(200, 0, 20)), apart)
    row = crossing_effects(found, bridges(0), apart).frame.iloc[0]
    assert (row["people"], row["pairs_gained"]) == (50, 600)
    assert (row["residents_gaining"], row["minutes_saved"]) == (0, 0)
    assert np.isnan(row["points_min_before"])
    assert row["points_min_after"] == pytest.approx(200 / WALK_M, abs=0.01)


def test_what_links_no_two_districts_says_so(found, streets):
    shapes = [line((0, 0), (-900, 0)), line((0, 0), (200, 0))]
    odd = gpd.GeoDataFrame(index=["to nowhere", "good"], geometry=shapes, crs=3006)
    frame = crossing_effects(found, odd, streets).frame
    assert frame["status"].to_dict() == {"good": "observed", "to nowhere": "out_of_scope"}
    assert frame.loc["to nowhere", "reason"] == "900 m from the nearest street, farther than 100 m"
    assert frame.loc["to nowhere", ["rank", "people", "rank_difference"]].isna().all()
    lone = links(halves().loc[["w"]], homes(w=(0, 0, 30)), streets)
    row = crossing_effects(lone, bridges(0), streets).frame.iloc[0]
    assert (row["status"], row["reason"]) == (
        "not_applicable", "both ends lie in one district, which has no neighbour"
    )  # fmt: skip


def test_a_crossing_within_a_district_may_bring_its_neighbour_nearer():
    # In the west a wall along y = 50: one goes round by x = -90.
    net = network([*BANKS[1:], [(0, 60), (0, 600)], [(0, 0), (0, 40), (-90, 40), (-90, 60), (0, 60)]])
    found = links(halves(), homes(w=(0, 0, 30), e=(200, 0, 20)), net)
    gate = gpd.GeoDataFrame(geometry=[line((0, 40), (0, 60))], crs=3006)
    row = crossing_effects(found, gate, net).frame.iloc[0]
    assert (row["name_a"], row["name_b"], row["status"]) == ("West", "East", "observed")
    assert row["minutes_saved"] == pytest.approx(180 / WALK_M, abs=0.01)


# ---------------------------------------------------------------- candidates


def test_candidates_lie_straight_across(streets):
    (first, *rest) = candidate_crossings(gpd.GeoSeries([line((100, 0), (100, 500))], crs=3006), streets).itertuples()
    assert len(rest) == 1
    assert shapely.equals_exact(shapely.normalize(first.geometry), shapely.normalize(line((0, 125), (200, 125))), 0.01)
    assert first.Index == "1"


def test_a_river_is_crossed_once_from_two_banks(streets):
    river = gpd.GeoDataFrame(geometry=[box(*at(60, 0), *at(140, 500))], index=["Ån"], crs=3006)
    found = candidate_crossings(river, streets, spacing_m=250)
    assert found["length_m"].round().tolist()[:2] == [200, 200]
    assert set(found["along"]) == {"Ån"}
    middles = shapely.get_coordinates(shapely.line_interpolate_point(found.geometry.to_numpy(), 0.5, normalized=True))
    assert all(np.hypot(*(a - b)) >= 125 for i, a in enumerate(middles) for b in middles[:i])


def test_there_is_no_candidate_without_a_street_on_both_sides(streets):
    lone = gpd.GeoSeries([line((-100, 0), (-100, 500))], crs=3006)
    assert candidate_crossings(lone, streets, reach_m=90).empty
    assert candidate_crossings(lone, streets).empty


# ---------------------------------------------------------------- streets with crossings


def test_pieces_are_split_where_a_bridge_meets_them(streets):
    wider = with_crossings(streets, bridges(200))
    # The streets without it are one piece round three corners: 600 + 200 + 600 m.
    assert len(streets.start) == 1
    assert sorted(wider.length_m.round().tolist()) == [200, 200, 200, 1000]
    assert wider.length_m.sum() == pytest.approx(streets.length_m.sum() + 200, abs=0.1)
    assert wider.forward_ms.sum() == streets.forward_ms.sum() + wider.forward_ms[~wider.linkable].sum()
    assert (~wider.linkable).sum() == 1
    assert wider.record["notes"][-1] == "1 crossing(s) were added: 'at 200'"
    ends = homes(w=(0, 0, 1), e=(200, 0, 1))
    before, after = (travel_times(ends, ends, net).minutes().loc["w", "e"] for net in (streets, wider))
    assert (before, after) == pytest.approx((1400 / WALK_M, 600 / WALK_M), abs=1 / 60)


def test_streets_with_a_crossing_can_be_written(streets, tmp_path):
    wider = with_crossings(streets, bridges(200, 400))
    again = load_streets(write_streets(wider, tmp_path / "town.streets"))
    np.testing.assert_array_equal(again.shape_xy, wider.shape_xy)
    np.testing.assert_array_equal(all_times(again), all_times(wider))


def test_one_way_streets_stay_so():
    one_way = read_streets(layer(BANKS, oneway=["yes", "no", "no"]), min_subgraph=1, oneway="oneway", mode="cycle")
    wider = with_crossings(one_way, bridges(200))
    assert (wider.backward_ms == NEVER).sum() + (wider.forward_ms == NEVER).sum() == 2  # both parts of the first


def test_a_bridge_may_begin_at_a_junction_or_off_the_street(streets):
    shapes = [line((0, 600), (200, 0)), line((30, 300), (170, 300))]
    odd = gpd.GeoSeries(shapes, index=["slanting", "short"], crs=3006)
    wider = with_crossings(streets, odd)
    assert wider.length_m[~wider.linkable].round().tolist() == [round(np.hypot(600, 200)), 200]
    assert (wider.start < len(wider.xy)).all()


@pytest.mark.parametrize(
    ("lines", "given", "error", "words"),
    [
        (gpd.GeoSeries([line((0, 0), (200, 0))]), {}, CrsError, "no coordinate system"),
        (gpd.GeoSeries([Point(at(0, 0))], crs=3006), {}, InputError, "no line but 'Point'"),
        ([line((0, 0), (200, 0))], {}, SpecError, "crossings cannot be a list"),
        (gpd.GeoSeries([line((0, 0), (900, 0))], crs=3006), {}, InputError, "1 crossing.s. do not reach the streets"),
        (gpd.GeoSeries([line((0, 0), (200, 0))], crs=3006), {"kmh": 0}, SpecError, "0 is not a speed"),
        (gpd.GeoSeries([line((0, 0), (9, 0))] * 2, index=["a", "a"], crs=3006), {}, InputError, "occur more than once"),
    ],
)  # fmt: skip
def test_bad_crossings_are_worded(streets, lines, given, error, words):
    with pytest.raises(error, match=words):
        with_crossings(streets, lines, **given)


def test_bad_arguments_are_worded(found, streets):
    with pytest.raises(SpecError, match="key 'within_min': -1 is none"):
        crossing_effects(found, bridges(0), streets, within_min=-1)
    with pytest.raises(SpecError, match="no measure is called 'beauty'"):
        crossing_effects(found, bridges(0), streets, by="beauty")
    with pytest.raises(SpecError, match="links of type DataFrame"):
        crossing_effects(found.isolation.drop(columns="geometry"), bridges(0), streets)
    with pytest.raises(SpecError, match="key 'spacing_m'"):
        candidate_crossings(bridges(0), streets, spacing_m=0)


# ---------------------------------------------------------------- laws


@st.composite
def towns(draw):
    """A grid on either side of a river with some streets left out, people, and a bridge."""
    steps = [0, 150, 300, 450]
    west = [
        ((x, y), (x + dx, y + dy))
        for x in steps
        for y in steps
        for dx, dy in ((150, 0), (0, 150))
        if x + dx <= 450 >= y + dy
    ]
    both = [*west, *(((a + 600, b), (c + 600, d)) for (a, b), (c, d) in west)]
    kept = [piece for piece in both if piece in (both[0], both[-1]) or draw(st.integers(0, 9))]
    if draw(st.booleans()):
        kept.append(((450, 450), (600, 450)))
    places = draw(st.lists(st.tuples(st.integers(0, 1050), st.integers(0, 450)), min_size=4, max_size=12, unique=True))
    return kept, places, draw(st.integers(0, 450)), draw(st.integers(0, 450))


@given(towns())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_crossing_lengthens_no_time_and_takes_nothing_out_of_reach(town):
    kept, places, here, there = town
    net = network(kept)
    points = homes(**{f"p{number}": (x, y, 1 + number) for number, (x, y) in enumerate(places)})
    bridge = gpd.GeoSeries([line((450, here), (600, there))], index=["new"], crs=3006)
    shapes = [box(*at(-9, -9), *at(525, 459)), box(*at(525, -9), *at(1059, 459))]
    areas = gpd.GeoDataFrame(index=["w", "e"], geometry=shapes, crs=3006)
    wider = with_crossings(net, bridge, radius_m=500)
    before, after = (travel_times(points, points, streets).minutes() for streets in (net, wider))
    # Whole seconds, and a millisecond of rounding where a piece is split.
    assert (after.fillna(np.inf) <= before.fillna(np.inf) + 1 / 60 + 1e-4).all().all()
    row = crossing_effects(links(areas, points, net), bridge.to_frame("geometry"), net, radius_m=500).frame.iloc[0]
    assume(row["status"] == "observed")
    assert not row["points_min_after"] > row["points_min_before"]
    assert not row["people_min_after"] > row["people_min_before"]
    assert row[["people", "pairs_gained", "residents_gaining", "minutes_saved"]].min() >= 0
    # By sums of ways and by streets that have the bridge, the same.
    rebuilt = links(areas, points, wider).pairs.iloc[0]
    if np.isfinite(row["points_min_after"]):
        assert rebuilt["walk_min"] == pytest.approx(row["points_min_after"], abs=1.1 / 60)
    else:
        assert np.isnan(rebuilt["walk_min"])
    own, theirs = (np.asarray([x < 525 for x, _ in places]) == side for side in (True, False))
    reached = [(times <= 15).to_numpy() for times in (before, after)]
    weight = points["population"].to_numpy()
    new = reached[1] & ~reached[0]
    gained = (
        weight[own] @ new[np.ix_(own, theirs)] @ weight[theirs]
        + weight[theirs] @ new[np.ix_(theirs, own)] @ weight[own]
    ) / 2
    edge = np.abs(np.stack([before, after]) - 15) < 1.5 / 60
    assume(not edge.any() and not any(x == 525 for x, _ in places))
    assert row["pairs_gained"] == pytest.approx(gained)
