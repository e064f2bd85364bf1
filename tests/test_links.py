"""Links between districts: a small town with a river and one bridge, every figure worked by hand."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings, strategies as st
from shapely import LineString, Point, box
from streets import SOUTH, WEST, layer

from geoplan.errors import CrsError, InputError, SpecError
from geoplan.reach import gather_barriers, links, read_streets
from geoplan.reach.link_borders import Border, longest_gap, passages, shared_borders, usable
from geoplan.reach.link_graph import cut_districts, cut_links, least_cuts, weighted_median

WALK_M = 78.0  # in a minute


def at(x, y):
    return WEST + x, SOUTH + y


def square(west, south, east, north):
    return box(*at(west, south), *at(east, north))


def line(*places):
    return LineString([at(*place) for place in places])


#: The river runs along x = 450 between West and East; the bridge is at y = 800. North lies across y = 1000.
LINES = [
    [(200, 0), (200, 700), (200, 800), (200, 1200)],
    [(400, 0), (400, 700), (400, 800), (400, 1200)],
    [(500, 0), (500, 700), (500, 800)],
    [(700, 0), (700, 800), (700, 1200)],
    [(200, 800), (400, 800), (500, 800), (700, 800)],
    [(200, 1200), (400, 1200), (700, 1200)],
]
SHAPES = {
    "w": ("West", square(0, 0, 450, 1000)),
    "e": ("East", square(450, 0, 900, 1000)),
    "n": ("North", square(0, 1000, 900, 2000)),
    "s": ("South", square(0, -1000, 900, 0)),
    "f": ("Far", square(0, -4000, 900, -1000)),
}
HOMES = {"w1": (400, 700, 100), "e1": (500, 700, 100), "n1": (400, 1200, 50), "f1": (400, -3500, 10)}


def town(codes="wensf"):
    names, shapes = zip(*(SHAPES[code] for code in codes), strict=True)
    return gpd.GeoDataFrame(
        {"name": names}, index=pd.Index(list(codes), name="area_id"), geometry=list(shapes), crs=3006
    )


def people(**other):
    homes = {**HOMES, **other}
    points = [Point(at(x, y)) for x, y, _ in homes.values()]
    return gpd.GeoDataFrame(
        {"population": [n for *_, n in homes.values()]}, index=list(homes), geometry=points, crs=3006
    )


@pytest.fixture(scope="module")
def streets():
    return read_streets(layer(LINES), meet="vertices", min_subgraph=1)


@pytest.fixture(scope="module")
def river():
    shape = [line((450, 0), (450, 1000))]
    return gpd.GeoDataFrame({"name": ["Ån"], "kind": ["water"]}, geometry=shape, crs=3006)


@pytest.fixture(scope="module")
def found(streets, river):
    index = pd.Series({"w": 140.0, "e": 90.0, "n": np.nan})
    status = pd.Series({"n": "suppressed"})
    return links(town(), people(), streets, barriers=river, index=index, index_status=status)


def pair(found, one, other):
    rows = found.pairs
    return rows[(rows["area_a"] == one) & (rows["area_b"] == other)].iloc[0]


def test_the_river_makes_three_times_the_way(found):
    row = pair(found, "w", "e")
    # The homes are 100 m apart; on foot 100 m to the bridge, 100 m over it, 100 m back.
    assert row["people_straight_m"] == pytest.approx(100, rel=1e-3)
    assert row["people_walk_m"] == pytest.approx(300, rel=1e-3)
    assert row["people_detour"] == pytest.approx(3.0, rel=1e-3)
    assert row["detour"] == pytest.approx(3.0, rel=1e-3)
    assert (row["walk_min"], row["people_walk_min"]) == pytest.approx((300 / WALK_M,) * 2, abs=1 / 60)
    assert row["connectivity"] == pytest.approx(1 / 3, rel=1e-3)
    assert (row["people_pairs"], row["people_reached_share"]) == (24, 1.0)
    assert (row["status"], row["people_status"]) == ("observed", "observed")


def test_its_one_bridge_is_counted(found):
    row = pair(found, "w", "e")
    assert (row["how"], row["crossings"]) == ("border", 1)
    assert (row["border_m"], row["spacing_m"]) == pytest.approx((1000, 1000), rel=1e-3)
    assert row["longest_gap_m"] == pytest.approx(800, rel=1e-3)  # from the south end to the bridge
    own = found.crossings[(found.crossings["area_a"] == "w") & (found.crossings["area_b"] == "e")]
    assert own.geometry.iloc[0].distance(Point(at(450, 800))) < 0.5


def test_the_river_is_the_cause(found):
    row = pair(found, "w", "e")
    assert (row["cause"], row["cause_kind"]) == ("Ån", "water")
    assert (row["cause_cut_share"], row["cause_excess_share"]) == (1.0, 1.0)
    assert row["cause_along_m"] == pytest.approx(1000, rel=1e-3)
    barrier = found.barriers[(found.barriers["area_a"] == "w") & (found.barriers["area_b"] == "e")].iloc[0]
    assert barrier["gap_m"] == pytest.approx(800, rel=1e-3)
    assert barrier["to_crossing_m"] == pytest.approx(100, rel=1e-3)  # from y = 700 to y = 800
    assert found.lines()[0] == (
        "West and East: people opposite each other walk 3.0 times as far as the straight line (300 m for 100 m), "
        "Ån (water) lies between them"
    )


def test_a_straight_way_has_no_cause(found):
    row = pair(found, "w", "n")
    assert row["people_detour"] == pytest.approx(1.0, rel=1e-3)  # from y = 700 to y = 1200 along x = 400
    assert (row["crossings"], row["cause"]) == (2, "")
    assert row["spacing_m"] == pytest.approx(225, rel=1e-3)  # 450 m of border


def test_districts_without_people_and_without_streets_say_so(found):
    assert found.isolation["status"].to_dict() == {
        "w": "observed", "e": "observed", "n": "observed", "s": "not_applicable", "f": "out_of_scope",
    }  # fmt: skip
    assert found.isolation.loc["s", "reason"] == "nobody lives here"
    assert "from the nearest street" in found.isolation.loc["f", "reason"]
    row = pair(found, "w", "s")
    assert (row["status"], row["reason"]) == ("not_applicable", "nobody lives in South")
    assert (row["people_status"], row["people_pairs"]) == ("not_applicable", 0)
    assert np.isnan(row["walk_min"])
    assert np.isnan(row["connectivity"])
    row = pair(found, "s", "f")
    assert row["status"] == "not_applicable"
    assert found.isolation.loc["f", ["walk_share", "walk_nearest_min"]].isna().all()
    assert any("on no street: 'Far'" in note for note in found.notes)
    assert any("nobody lives in 1 district(s), which have no point: 'South'" in note for note in found.notes)


def test_the_index_across_the_border_says_why_it_is_missing(found):
    row = pair(found, "w", "e")
    assert (row["index_a"], row["index_b"], row["index_difference"], row["index_status"]) == (140, 90, -50, "observed")
    row = pair(found, "w", "n")
    assert np.isnan(row["index_difference"])
    assert row["index_status"] == "suppressed"
    assert pair(found, "w", "s")["index_status"] == "not_collected"


def test_isolation_by_hand(found):
    # Crossings: West-East 1, West-North 2, East-North 1. Cuts: w|e 1 + 1, w|n 2 + 1, e|n 1 + 1.
    alone = found.isolation
    assert alone["crossings"].to_dict() == {"w": 3, "e": 2, "n": 3, "s": 0, "f": 0}
    assert alone.loc[["w", "e", "n"], "min_cut"].to_dict() == {"w": 2, "e": 2, "n": 2}
    assert alone.loc["f", "min_cut"] == 0
    assert alone["links"].to_dict() == {"w": 2, "e": 2, "n": 2, "s": 0, "f": 0}
    assert len(set(alone.loc[["w", "e", "n"], "group"])) == 1
    assert alone["group"].nunique() == 3
    assert not alone["only_way"].any()
    # Within half an hour on foot from West's point: all but the 10 of Far, of 260.
    assert alone.loc["w", "walk_share"] == pytest.approx(250 / 260)


def test_time_to_the_nearest_others(streets):
    alone = links(town("wen"), people(f1=(0, 0, 0)), streets, nearest=2).isolation
    # From West: 300 m to East; 500 m to North.
    assert alone.loc["w", "walk_nearest_min"] == pytest.approx(400 / WALK_M, abs=1 / 60)
    assert np.isnan(links(town("wen"), people(f1=(0, 0, 0)), streets, nearest=3).isolation["walk_nearest_min"]).all()


def test_without_the_bridge_there_is_a_way_round_by_the_north(river):
    cut = [*LINES[:4], [(200, 800), (400, 800)], [(500, 800), (700, 800)], LINES[5]]
    found = links(
        town("wen"), people(f1=(0, 0, 0)), read_streets(layer(cut), meet="vertices", min_subgraph=1), barriers=river
    )
    row = pair(found, "w", "e")
    # 500 m to y = 1200, 300 m east, 400 m south to y = 800, 200 m west, 100 m south.
    assert row["people_walk_m"] == pytest.approx(1500, rel=1e-3)
    assert (row["crossings"], row["longest_gap_m"]) == (0, pytest.approx(1000, rel=1e-3))
    assert np.isnan(row["spacing_m"])
    assert found.isolation["only_way"].to_dict() == {"w": False, "e": False, "n": True}
    assert set(found.pairs.loc[found.pairs["only_link"], "area_b"]) == {"n"}


def test_no_way_at_all_is_no_connectivity_and_has_a_cause(river):
    banks = [LINES[0], LINES[1], LINES[2], [(200, 800), (400, 800)]]
    apart = read_streets(layer(banks), meet="vertices", min_subgraph=1)
    found = links(town("we"), people(f1=(0, 0, 0), n1=(0, 0, 0)), apart, barriers=river)
    row = pair(found, "w", "e")
    assert (row["people_reached_share"], row["connectivity"]) == (0.0, 0.0)
    assert np.isnan(row["people_detour"])
    assert row["people_reason"] == row["reason"] == "no way on foot within 120 minutes"
    assert (row["status"], row["cause"]) == ("not_applicable", "Ån")
    assert any("24 of 24 pairs of people have no way on foot" in note for note in found.notes)


def test_pairs_stand_for_people_and_lie_opposite(streets):
    # Three of four people in the west live in the south; in the east as many live at both ends.
    homes = {"w1": (400, 100, 30), "w2": (400, 700, 10), "e1": (500, 100, 50), "e2": (500, 700, 50)}
    points = gpd.GeoDataFrame({"population": [n for *_, n in homes.values()]}, index=list(homes),
                              geometry=[Point(at(x, y)) for x, y, _ in homes.values()], crs=3006)  # fmt: skip
    found = links(town("we"), points, streets, samples=4)
    assert sorted(zip(found.samples["from_id"], found.samples["to_id"], strict=True)) == [
        ("w1", "e1"), ("w1", "e1"), ("w1", "e2"), ("w2", "e2"),
    ]  # fmt: skip


def test_transit_may_come_from_elsewhere(streets):
    from geoplan.reach import TravelTimes  # noqa: PLC0415

    seconds = np.full((3, 3, 1), 65535, dtype=np.uint16)
    seconds[0, 1], seconds[1, 0] = 600, 900
    times = TravelTimes(["w", "e", "n"], ["w", "e", "n"], (50,), seconds)
    found = links(town("wen"), people(f1=(0, 0, 0)), streets, transit=times)
    assert pair(found, "w", "e")["transit_min"] == pytest.approx(12.5)
    assert np.isnan(pair(found, "w", "n")["transit_min"])


def test_cycling_is_quicker(streets):
    cycle = read_streets(layer(LINES), meet="vertices", min_subgraph=1, mode="cycle")
    row = pair(links(town("we"), people(f1=(0, 0, 0), n1=(0, 0, 0)), streets, cycle=cycle), "w", "e")
    assert row["cycle_min"] == pytest.approx(300 / (16_000 / 60), abs=1 / 60)


def test_lines_between_the_points_for_maps(found):
    straight = found.straight()
    assert straight.geometry.isna().sum() == (found.pairs["status"] != "observed").sum() - 0
    assert straight.geometry[pair(found, "w", "e").name].length == pytest.approx(100, rel=1e-3)


# ---------------------------------------------------------------- borders and crossings


def borders(*shapes, gap=250):
    return shared_borders(np.array(shapes), tolerance_m=5, gap_m=gap, least_m=50)


def test_corners_are_no_borders():
    four = [box(x, y, x + 1000, y + 1000) for x in (0, 1000) for y in (0, 1000)]
    assert [(edge.one, edge.other) for edge in borders(*four)] == [(0, 1), (0, 2), (1, 3), (2, 3)]


def test_a_gap_has_its_border_in_the_middle():
    (edge,) = borders(box(0, 0, 400, 1000), box(500, 0, 900, 1000))
    assert edge.how == "gap"
    assert edge.line.length == pytest.approx(1000, rel=0.02)
    assert edge.line.hausdorff_distance(LineString([(450, 0), (450, 1000)])) < 10
    assert borders(box(0, 0, 400, 1000), box(500, 0, 900, 1000), gap=90) == []


def test_a_third_district_in_the_gap_parts_the_two():
    edges = borders(box(0, 0, 400, 1000), box(500, 0, 900, 1000), box(400, 0, 500, 1000))
    assert [(edge.one, edge.other) for edge in edges] == [(0, 2), (1, 2)]


@pytest.mark.parametrize("shift", [-3, 3])
def test_borders_drawn_twice_are_one(shift):
    (edge,) = borders(box(0, 0, 400, 1000), box(400 + shift, 0, 900, 1000))
    assert edge.how == "border"
    assert edge.line.length == pytest.approx(1000, rel=0.02)


def crossings_of(lines, **given):
    net = read_streets(layer(lines), meet="vertices", min_subgraph=1)
    shapes = np.array([square(0, 0, 450, 1000), square(450, 0, 900, 1000)])
    edge = Border(0, 1, "border", shapely.MultiLineString([line((450, 0), (450, 1000))]))
    return passages(edge, shapes, net, usable(net)[0], **({"strip_m": 15, "merge_m": 50} | given))


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ([[(400, 500), (500, 500)]], 1),
        ([[(400, 500), (500, 500)], [(400, 530), (500, 530)]], 1),  # two sides of one bridge
        ([[(400, 500), (500, 500)], [(400, 600), (500, 600)]], 2),
        ([[(400, 500), (440, 500)]], 0),  # a dead end in the strip
        ([[(400, 500), (445, 500), (445, 600), (400, 600)]], 0),  # in and out on one side
        # A street along the border: three streets come from the west, two from the east.
        ([[(450, 100), (450, 200), (450, 300), (450, 400), (450, 500), (450, 600), (450, 900)],
          [(400, 200), (450, 200)], [(400, 400), (450, 400)], [(400, 600), (450, 600)],
          [(450, 300), (500, 300)], [(450, 500), (500, 500)]], 2),
        ([[(450, 100), (450, 200), (450, 400), (450, 900)], [(400, 200), (450, 200)], [(400, 400), (450, 400)]], 0),
        # One runs on along the border beyond both ends: that is no way across.
        ([[(450, -100), (450, 1100)]], 0),
    ],
)  # fmt: skip
def test_crossings_are_counted(lines, number):
    assert len(crossings_of(lines)) == number


def test_what_passes_above_is_no_crossing():
    # From the west one gets to a street along the border; the one from the east goes over it without meeting it.
    lines = [[(400, 200), (450, 200)], [(450, 100), (450, 200), (450, 900)], [(420, 500), (500, 500)]]
    assert len(crossings_of([*lines, [(420, 500), (420, 520)]])) == 1  # it crosses by itself
    assert len(crossings_of(lines[:2])) == 0


def test_the_longest_gap_is_between_crossings_or_to_an_end():
    border = shapely.MultiLineString([[(0, 0), (0, 1000)], [(500, 0), (500, 300)]])
    assert longest_gap(border, np.array([[0.0, 200.0], [0.0, 900.0]])) == 700
    assert longest_gap(border, np.empty((0, 2))) == 1000


# ---------------------------------------------------------------- the graph


@st.composite
def graphs(draw):
    size = draw(st.integers(2, 9))
    pairs = [(a, b) for b in range(size) for a in range(b)]
    ends = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=15))
    capacity = [draw(st.integers(1, 6)) for _ in ends]
    return size, np.array(ends, dtype=np.int64).reshape(-1, 2), np.array(capacity, dtype=np.int64)


@given(graphs())
@settings(max_examples=60)
def test_cuts_are_those_of_networkx(graph):
    size, ends, capacity = graph
    peer = nx.Graph()
    peer.add_nodes_from(range(size))
    peer.add_edges_from((int(a), int(b), {"capacity": int(c)}) for (a, b), c in zip(ends, capacity, strict=True))
    cuts = least_cuts(ends, capacity, size)
    for one in range(size):
        for other in range(one):
            assert cuts[one, other] == cuts[other, one] == nx.maximum_flow_value(peer, one, other)
    assert {tuple(sorted(row)) for row in ends[cut_links(ends, size)].tolist()} == {
        tuple(sorted(e)) for e in nx.bridges(peer)
    }
    assert set(np.flatnonzero(cut_districts(ends, size))) == set(nx.articulation_points(peer))


def test_half_of_the_people_are_behind_the_median():
    assert weighted_median(np.array([3, 1, 2]), np.array([10, 10, 10])) == 2
    assert weighted_median(np.array([3, 1]), np.array([51, 49])) == 3
    assert np.isnan(weighted_median(np.array([3, 1]), np.array([0, 0])))


# ---------------------------------------------------------------- barriers and faults


def test_layers_of_barriers_become_one():
    tracks = [line((0, 0), (0, 10)), line((0, 10), (0, 20)), line((9, 0), (9, 9))]
    rails = gpd.GeoDataFrame({"name": ["Main line", "Main line", None]}, crs=3006, geometry=tracks)
    park = gpd.GeoDataFrame(geometry=[square(0, 0, 10, 10)], crs=3006).to_crs(4326)
    whole = gather_barriers({"railway": rails, "large area": park})
    assert whole[["name", "kind"]].to_numpy().tolist() == [
        ["Main line", "railway"],
        ["railway", "railway"],
        ["large area"] * 2,
    ]
    assert whole.crs == rails.crs
    with pytest.raises(SpecError, match="there are no layers of barriers"):
        gather_barriers({})
    with pytest.raises(InputError, match=r"layers\.stops.*1 barrier\(s\) are 'Point'"):
        gather_barriers({"stops": gpd.GeoDataFrame(geometry=[Point(0, 0)], crs=3006)})


def test_of_two_barriers_the_one_that_is_in_the_way_is_the_cause(streets, river):
    rail = gpd.GeoDataFrame({"name": ["Rail"], "kind": ["railway"]}, geometry=[line((350, 0), (350, 1000))], crs=3006)
    both = pd.concat([rail, river], ignore_index=True)
    found = links(town("we"), people(f1=(0, 0, 0), n1=(0, 0, 0)), streets, barriers=both)
    assert pair(found, "w", "e")["cause"] == "Ån"
    assert "Rail" not in set(found.barriers["name"])  # neither along the border nor in anybody's line


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"samples": 0}, "key 'samples': 0 is not a number of them"),
        ({"near_m": -1}, "key 'near_m': -1 is not a number of metres"),
        ({"within_min": float("nan")}, "key 'within_min': nan is not a number of minutes"),
        ({"percentile": 101}, "key 'percentile': 101 is no percentile"),
        ({"detour_from": 0.5}, "key 'detour_from': 0.5 is no detour factor"),
        ({"population": "residents"}, "key 'people'|there is no column 'residents'"),
        ({"index": pd.Series({"x": 1.0})}, "1 code\\(s\\) are not among the areas: 'x'"),
        ({"index": [1, 2]}, "an index cannot be a list"),
        ({"index": pd.Series({"w": "high"})}, "'high' is not a number"),
        ({"barriers": layer([[(0, 0), (1, 1)]])}, "there is no column 'kind'"),
    ],
)  # fmt: skip
def test_bad_arguments_are_worded(streets, given, words):
    with pytest.raises(InputError, match=words):
        links(town("we"), people(), streets, **given)


def test_bad_people_and_areas_are_told_at_once(streets):
    homes = people()
    homes["population"] = [100.0, -1.0, np.nan, 3.0]
    with pytest.raises(InputError, match=r"2 point\(s\) have no number of people, such as 'e1': '-1\.0'"):
        links(town("we"), homes, streets)
    with pytest.raises(CrsError, match="no coordinate system"):
        links(town("we"), people().set_crs(None, allow_override=True), streets)
    with pytest.raises(InputError) as caught:
        links(town("we").to_crs(4326), people().rename(columns={"population": "n"}), streets)
    assert {fault.key for fault in caught.value.faults} == {"areas", "population"}
    with pytest.raises(SpecError, match="people cannot be a DataFrame"):
        links(town("we"), pd.DataFrame(people().drop(columns="geometry")), streets)


def test_people_outside_every_district_are_told(streets):
    found = links(town("we"), people(), streets)
    assert "60 residents live outside every district and are left out" in found.notes


def test_one_district_alone(streets):
    found = links(town("w"), people(), streets)
    assert (len(found.pairs), len(found.samples), len(found.barriers)) == (0, 0, 0)
    assert found.isolation.loc["w", "neighbours"] == 0
    assert np.isnan(found.isolation.loc["w", "min_cut"])
