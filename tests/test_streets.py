import gzip
from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pyproj
import pytest
import rasterio
from hypothesis import given, settings, strategies as st
from shapely import LineString, MultiLineString, Point
from streets import SOUTH, WEST, all_times, between, layer, open_ways, osm

from geoplan.errors import CrsError, InputError, SourceError, SpecError
from geoplan.reach import CUSTOMARY_KMH, NEVER, read_streets
from geoplan.reach.contraction import cut, join
from geoplan.reach.layers import lines_of_layer
from geoplan.reach.slopes import walking_factor
from geoplan.reach.ways import duration_s, maxspeed_kmh, rules_for

A, B, C, D = (0, 0), (100, 0), (200, 0), (200, 100)
GEOD = pyproj.Geod(ellps="WGS84")


def read(source, **options):
    return read_streets(source, **{"min_subgraph": 1, **options})


def metres(*places):
    lonlat = pyproj.Transformer.from_crs(3006, 4326, always_xy=True).transform
    lon, lat = lonlat([WEST + x for x, _ in places], [SOUTH + y for _, y in places])
    return GEOD.line_length(lon, lat)


# ---------------------------------------------------------------- who may pass


@pytest.mark.parametrize(
    ("tags", "walk", "cycle", "drive"),
    [
        # kinds of ways, as R5 has them
        ({"highway": "residential"}, "both", "both", "both"),
        ({"highway": "motorway"}, "none", "none", "forward"),
        ({"highway": "motorway_link"}, "none", "none", "both"),
        ({"highway": "trunk"}, "both", "both", "both"),
        ({"highway": "footway"}, "both", "pushed", "none"),
        ({"highway": "pedestrian"}, "both", "both", "none"),
        ({"highway": "cycleway"}, "both", "both", "none"),
        ({"highway": "path"}, "both", "both", "none"),
        ({"highway": "steps"}, "both", "pushed", "none"),
        ({"highway": "something new"}, "both", "both", "both"),
        ({"railway": "platform"}, "both", "pushed", "none"),
        ({"public_transport": "platform"}, "both", "pushed", "none"),
        # what is not there
        ({"highway": "construction"}, "none", "none", "none"),
        ({"highway": "proposed"}, "none", "none", "none"),
        ({"highway": "residential", "construction": "yes"}, "none", "none", "none"),
        ({"highway": "raceway"}, "none", "none", "none"),
        ({"highway": "busway"}, "none", "none", "none"),
        # access: the more specific wins
        ({"highway": "service", "access": "private"}, "none", "none", "none"),
        ({"highway": "service", "access": "no", "foot": "yes"}, "both", "pushed", "none"),
        ({"highway": "service", "access": "no", "bicycle": "yes"}, "none", "both", "none"),
        ({"highway": "residential", "foot": "no"}, "none", "both", "both"),
        ({"highway": "residential", "foot": "no", "sidewalk": "left"}, "both", "both", "both"),
        ({"highway": "residential", "foot": "use_sidepath"}, "none", "both", "both"),
        ({"highway": "residential", "vehicle": "no"}, "both", "pushed", "none"),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, "both", "both", "none"),
        ({"highway": "residential", "motor_vehicle": "no"}, "both", "both", "none"),
        ({"highway": "residential", "motor_vehicle": "no", "motorcar": "yes"}, "both", "both", "both"),
        ({"highway": "residential", "access": "destination"}, "none", "none", "none"),
        ({"highway": "footway", "access": "private"}, "both", "pushed", "none"),
        ({"highway": "residential", "access": "yes;no"}, "both", "both", "both"),
        ({"highway": "residential", "access": "whatever"}, "both", "both", "both"),
        ({"highway": "path", "bicycle": "dismount"}, "both", "pushed", "none"),
        # one-way
        ({"highway": "residential", "oneway": "yes"}, "both", "forward, pushed back", "forward"),
        ({"highway": "residential", "oneway": "-1"}, "both", "backward, pushed on", "backward"),
        ({"highway": "residential", "oneway": "no", "junction": "roundabout"}, "both", "both", "both"),
        ({"highway": "primary", "junction": "roundabout"}, "both", "forward, pushed back", "forward"),
        ({"highway": "primary", "junction": "circular"}, "both", "forward, pushed back", "forward"),
        ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, "both", "both", "forward"),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite"}, "both", "both", "forward"),
        ({"highway": "residential", "oneway": "yes", "cycleway:left": "opposite_lane"}, "both", "both", "forward"),
        ({"highway": "residential", "oneway": "-1", "cycleway": "opposite_track"}, "both", "both", "backward"),
        ({"highway": "residential", "oneway:bicycle": "yes"}, "both", "forward, pushed back", "both"),
        ({"highway": "residential", "oneway:motorcar": "yes"}, "both", "both", "forward"),
        ({"highway": "footway", "oneway:foot": "yes"}, "forward", "pushed forward", "none"),
        ({"highway": "residential", "bicycle:backward": "no"}, "both", "forward, pushed back", "both"),
        ({"highway": "residential", "bicycle": "no", "cycleway:right": "lane"}, "both", "forward, pushed back", "both"),
        ({"highway": "residential", "cycleway": "no"}, "both", "both", "both"),
        ({"highway": "motorway", "oneway": "no"}, "none", "none", "both"),
        # ferries
        ({"route": "ferry"}, "both", "both", "none"),
        ({"route": "ferry", "foot": "no"}, "none", "both", "none"),
        ({"route": "ferry", "motor_vehicle": "yes"}, "both", "both", "both"),
        ({"route": "bus"}, "none", "none", "none"),
    ],
)
def test_who_may_pass(tags, walk, cycle, drive):
    for mode, said in {"walk": walk, "cycle": cycle, "drive": drive}.items():
        rules = rules_for(mode)
        rate = rules.rate(tags)
        slow = CUSTOMARY_KMH["cycle"]["steps" if tags.get("highway") == "steps" else "pushed"]
        found = [rate.forward_kmh, rate.backward_kmh]
        ridden = [np.isfinite(kmh) and not (mode == "cycle" and kmh == slow) for kmh in found]
        pushed = [mode == "cycle" and kmh == slow for kmh in found]
        expected = {
            "both": ([True, True], [False, False]),
            "none": ([False, False], [False, False]),
            "forward": ([True, False], [False, False]),
            "backward": ([False, True], [False, False]),
            "pushed": ([False, False], [True, True]),
            "pushed forward": ([False, False], [True, False]),
            "forward, pushed back": ([True, False], [False, True]),
            "backward, pushed on": ([False, True], [True, False]),
        }[said]
        assert (ridden, pushed) == expected, mode


def test_streets_for_residents_may_be_asked_for():
    tags = {"highway": "residential", "access": "destination"}
    assert rules_for("walk").rate(tags).closed
    assert not rules_for("walk", destination=True).rate(tags).closed
    assert rules_for("walk", destination=True).rate({**tags, "access": "private"}).closed


@pytest.mark.parametrize(
    ("value", "kmh"),
    [("50", 50), ("30 mph", 48.28032), ("10 knots", 18.52), ("60;80", 60), ("walk", 7), ("none", 130), ("DK:urban", 50)]
    + [(bad, None) for bad in ("", "signals", "0", "-30", "5000", "fast", "XX:nothing", None)],
)
def test_speed_limits(value, kmh):
    assert maxspeed_kmh(value) == (None if kmh is None else pytest.approx(kmh))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("20", 1200), ("01:30", 5400), ("1:30:30", 5430), ("PT25M", 1500), ("P1DT1H", 90000), ("7.5", 450)]
    + [(bad, np.nan) for bad in ("", "soon", "0", "1:75", "P", None)],
)
def test_durations(value, seconds):
    assert duration_s(value) == pytest.approx(seconds, nan_ok=True)


# ---------------------------------------------------------------- speeds


def test_speed_by_kind_of_way(tmp_path):
    ways = [([A, B], {"highway": "footway"}), ([B, C], {"highway": "steps"})]
    streets = read(osm(tmp_path / "a.osm", ways))
    found = dict(zip([ends for ends, *_ in open_ways(streets)], sorted(streets.forward_ms), strict=True))
    assert found[(A, B)] == pytest.approx(metres(A, B) / 1.3 * 1000, abs=20)
    assert found[(B, C)] == pytest.approx(2 * metres(B, C) / 1.3 * 1000, abs=20)
    even = read(tmp_path / "a.osm", speed_kmh=3.6, speeds={"steps": 3.6})
    assert len(even.start) == 1  # nothing sets the two ways apart
    assert even.forward_ms.tolist() == [pytest.approx(metres(A, C) * 1000, abs=20)]


def test_driving_by_table_and_by_limit(tmp_path):
    ways = [([A, B], {"highway": "tertiary", "maxspeed": "50", "maxspeed:backward": "20"})]
    path = osm(tmp_path / "a.osm", ways)

    def speeds(**options):
        streets = read(path, mode="drive", **options)
        return [round(streets.length_m[0] / ms[0] * 3600) for ms in (streets.forward_ms, streets.backward_ms)]

    assert speeds() == [50, 20]
    assert speeds(maxspeed=False) == [40, 40]
    assert speeds(maxspeed=False, speeds={"tertiary": 33}) == [33, 33]


def test_a_cyclists_own_speed_leaves_pushing_alone():
    quick = rules_for("cycle", speed_kmh=24.0).kmh
    assert (quick["other"], quick["cycleway"], quick["pushed"], quick["ferry"]) == (24.0, 27.0, 4.0, 10.0)


def test_a_kind_with_speed_0_is_left_out(tmp_path):
    ways = [([A, B], {"highway": "footway"}), ([B, C], {"highway": "steps"})]
    streets = read(osm(tmp_path / "a.osm", ways), speeds={"steps": 0})
    assert [ends for ends, *_ in open_ways(streets)] == [(A, B)]


def test_unfit_arguments_are_told_all_at_once():
    with pytest.raises(InputError) as caught:
        read_streets("x.osm", speed_kmh=-1, speeds={"step": 3, "path": 900}, min_subgraph=0, meet="here", crs="EPSG:1")
    said = str(caught.value)
    for part in ("speed_kmh", "did you mean 'steps'?", "speeds.path", "min_subgraph", "'meet'", "'EPSG:1' is not"):
        assert part in said
    with pytest.raises(SpecError, match="no mode is called 'car'"):
        read_streets("x.osm", mode="car")
    with pytest.raises(SpecError, match="driving has no one speed"):
        read_streets("x.osm", mode="drive", speed_kmh=50)
    with pytest.raises(SpecError, match="streets cannot be read from a int"):
        read_streets(3)


# ---------------------------------------------------------------- the file


def test_ferries_keep_their_time_and_take_no_points(tmp_path):
    ways = [([A, B, C], {"route": "ferry", "duration": "00:20"}), ([C, D], {"route": "ferry"})]
    ways += [([B, (100, 50)], {"highway": "footway"})]
    streets = read(osm(tmp_path / "a.osm", ways))
    ferry = ~streets.linkable
    assert ferry.sum() == 3
    assert len(streets.start) == 4
    assert sorted(streets.forward_ms[ferry]) == [
        pytest.approx(metres(C, D) / 10 * 3600, abs=10),
        pytest.approx(600_000, abs=100),
        pytest.approx(600_000, abs=100),
    ]
    assert "waiting for a ferry is not counted" in streets.lines()


def test_a_way_is_cut_where_a_node_is_missing(tmp_path):
    ways = [([A, B, C, D, (300, 100)], {"highway": "footway"})]
    streets = read(osm(tmp_path / "a.osm", ways, absent=[C]))
    assert [ends for ends, *_ in open_ways(streets)] == [(A, B), (D, (300, 100))]
    assert "1 line(s) were cut where a vertex has no place, as at the edge of an extract" in streets.lines()
    assert streets.record["counts"]["nodes without a place"] == 1


@pytest.mark.parametrize("place", ['lat="0" lon="0"', 'lat="95.5" lon="18"', ""])
def test_a_node_nowhere_is_a_node_missing(tmp_path, place):
    more = f'<node id="9" version="1" {place}/><way id="9"><nd ref="1"/><nd ref="9"/><tag k="highway" v="path"/></way>'
    streets = read(osm(tmp_path / "a.osm", [([A, B], {"highway": "path"})], extra=more))
    assert [ends for ends, *_ in open_ways(streets)] == [(A, B)]
    assert streets.record["counts"]["lines cut where a vertex has no place"] == 1


def test_ways_may_stand_before_their_nodes(tmp_path):
    ways = [([A, B, C], {"highway": "footway"})]
    one, other = (read(osm(tmp_path / "a.osm", ways, order=order)) for order in ("nodes first", "ways first"))
    assert one.shape_xy.tolist() == other.shape_xy.tolist()


def test_what_was_drawn_in_an_editor_is_read(tmp_path):
    path = osm(tmp_path / "a.osm", [([A, B, C], {"highway": "footway"})])
    plain = read(path)
    text = path.read_text(encoding="utf-8")
    for number in (1, 2, 3):
        text = text.replace(f'<node id="{number}"', f'<node id="-{number}"').replace(
            f'ref="{number}"', f'ref="-{number}"'
        )
    path.write_text(text.replace('<way id="1"', '<way id="-1"'), encoding="utf-8")
    assert read(path).shape_xy.tolist() == plain.shape_xy.tolist()
    gone = text.replace('<way id="1" version="1"', '<way id="5" version="1" visible="false"')
    path.write_text(gone, encoding="utf-8")
    with pytest.raises(SourceError, match="holds no street"):
        read(path)


def test_a_way_that_comes_twice_counts_once(tmp_path):
    path = osm(tmp_path / "a.osm", [([A, B], {"highway": "footway"})])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</osm>", text[text.index("<way") :]), encoding="utf-8")
    assert read(path).record["counts"]["ways that came twice"] == 1


def test_packed_files_read_the_same(tmp_path):
    path = osm(tmp_path / "a.osm", [([A, B], {"highway": "footway"})])
    (tmp_path / "a.osm.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read(tmp_path / "a.osm.gz").forward_ms.tolist() == read(path).forward_ms.tolist()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.osm.pbf", b"", "the file is empty: it has 0 bytes"),
        ("a.osm.pbf", b"<!DOCTYPE html><html>404</html>" * 9, "the file cannot be read: PBF error"),
        ("a.osm", b"<!DOCTYPE html><html>404</html>", "the file cannot be read"),
        ("a.osm", b'<osm version="0.6"><node id="1"', "the file cannot be read: XML parsing error"),
        ("a.osm", b'<osm version="0.6"><node id="1" lat="north" lon="1"/></osm>', "wrong format for coordinate"),
        ("a.osm", b'<osm version="0.6"></osm>', "holds no street, path or ferry"),
        ("a.osm", b'<osmChange version="0.6"></osmChange>', r"^a\.osm: this is a file of changes or of history"),
        ("a.osm.gz", b"junk", "the file cannot be read"),
        ("a.graphml", b"<html>", "the file cannot be read"),
        ("a.gpkg", b"junk", "this is not a GeoPackage"),
        ("a.docx", b"junk", "'.docx' is not a format"),
    ],
)
def test_unfit_files_are_told_in_words(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said) as caught:
        read(tmp_path / name)
    assert str(caught.value).startswith(f"{name}: ")
    assert str(tmp_path) not in str(caught.value)


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(SourceError, match=r"b\.osm: there is no such file"):
        read(tmp_path / "b.osm")
    (tmp_path / "c.osm").mkdir()
    with pytest.raises(SourceError, match="this is a folder"):
        read(tmp_path / "c.osm")


def test_nothing_open_to_the_mode_is_an_error(tmp_path):
    path = osm(tmp_path / "a.osm", [([A, B], {"highway": "footway"})])
    with pytest.raises(SourceError, match="there is no line that one may use"):
        read(path, mode="drive")


def test_the_record_tells_where_the_streets_are_from(tmp_path):
    path = osm(tmp_path / "a.osm", [([A, B], {"highway": "footway"})])
    record = read(path).record
    assert record["sources"][0]["name"] == "a.osm"
    assert len(record["sources"][0]["sha256"]) == 64
    assert record["options"]["min_subgraph"] == 1
    assert str(tmp_path) not in str(record)


# ---------------------------------------------------------------- systems of coordinates


def test_the_metric_system_is_estimated_or_asked_for(tmp_path):
    path = osm(tmp_path / "a.osm", [([A, B], {"highway": "footway"})])
    assert read(path).crs == "EPSG:32634"  # 18.06° east
    assert read(path, crs="EPSG:3006").xy[:, 0] == pytest.approx([WEST, WEST + 100], abs=0.02)
    with pytest.raises(CrsError, match="degree"):
        read(path, crs="EPSG:4326")
    with pytest.raises(CrsError, match="stretches lengths"):
        read(path, crs="EPSG:3857")


def test_a_layer_keeps_its_metric_system_and_tells_a_wrong_one():
    frame = layer([[A, B]])
    assert read(frame).crs == "EPSG:3006"
    assert read(frame.to_crs(3857)).crs == "EPSG:32634"
    assert read(frame.to_crs(3857)).length_m == pytest.approx(read(frame).length_m)
    with pytest.raises(CrsError, match="the geometries have no coordinate system"):
        read(frame.set_crs(None, allow_override=True))
    with pytest.raises(CrsError, match="the data lie"):
        read(frame.to_crs(4326).set_crs(3006, allow_override=True))


def test_lengths_are_those_on_the_ground():
    streets = read(layer([[A, (0, 5000)]]))
    assert streets.length_m.tolist() == [pytest.approx(metres(A, (0, 5000)), abs=1e-3)]


# ---------------------------------------------------------------- joining


def test_what_passes_straight_on_becomes_one_piece_with_its_shape(tmp_path):
    ways = [([A, B], {"highway": "footway"}), ([C, B], {"highway": "path"}), ([C, D], {"highway": "footway"})]
    streets = read(osm(tmp_path / "a.osm", ways), crs="EPSG:3006")
    assert [ends for ends, *_ in open_ways(streets)] == [(A, D)]
    shape = np.rint(streets.shape_xy - (WEST, SOUTH)).astype(int).tolist()
    assert [tuple(place) for place in shape] in ([A, B, C, D], [D, C, B, A])
    assert streets.record["counts"]["links"] == 3


def test_loops_rings_and_parallel_pieces_are_kept():
    blind = layer([[A, B], [B, C, D, B]])
    streets = read(blind)
    assert sorted(ends for ends, *_ in open_ways(streets)) == [(A, B), (B, B)]
    ring = read(layer([[A, B], [B, D], [D, A]]))
    assert len(ring.start) == 1
    assert ring.start[0] == ring.end[0]
    assert ring.length_m[0] == pytest.approx(metres(A, B, D, A), abs=1e-6)
    assert len(ring.shape_xy) == 4
    twins = read(layer([[A, B], [A, (50, 30), B], [B, C], [(-50, 0), A]]))
    assert sorted(ends for ends, *_ in open_ways(twins)) == [((-50, 0), A), (A, B), (A, B), (B, C)]


def test_an_area_is_its_outline(tmp_path):
    square = [B, C, D, (100, 100), B]
    ways = [(square, {"highway": "pedestrian", "area": "yes"}), ([A, B], {"highway": "footway"})]
    streets = read(osm(tmp_path / "a.osm", ways))
    assert sorted(ends for ends, *_ in open_ways(streets)) == [(A, B), (B, B)]


def test_one_way_lines_are_joined_only_head_to_tail():
    columns = {"way": ["yes", "yes", "-1", "no"]}
    streets = read(layer([[A, B], [B, C], [D, C], [D, (300, 100)]], **columns), oneway="way")
    assert open_ways(streets) == [((A, D), True, False), ((D, (300, 100)), True, True)]
    against = read(layer([[A, B], [C, B]], way=["yes", "yes"]), oneway="way")
    assert len(against.start) == 2


def test_the_reverse_graph_is_the_graph_turned_round():
    streets = read(layer([[A, B], [B, C], [B, D]], way=["yes", "-1", "no"]), oneway="way")
    arcs = []
    for graph, turned in ((streets.graph, False), (streets.reverse, True)):
        tail = np.repeat(np.arange(len(streets.xy)), np.diff(graph.indptr))
        pairs = zip(*((graph.to, tail) if turned else (tail, graph.to)), graph.cost_ms, graph.piece, strict=True)
        arcs.append(sorted(tuple(int(part) for part in arc) for arc in pairs))
    assert arcs[0] == arcs[1]
    assert len(arcs[0]) == 4


@st.composite
def networks(draw):
    """Draw lines on a grid of 4 × 4 places: bends, loops, twins, one-way streets and two speeds."""
    place = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda at: (at[0] * 100, at[1] * 100))
    line = st.lists(place, min_size=2, max_size=4).filter(
        lambda along: all(one != other for one, other in pairwise(along))
    )
    lines = draw(st.lists(line, min_size=1, max_size=14))
    columns = {
        "kmh": draw(st.lists(st.sampled_from([3.6, 3.6, 7.2]), min_size=len(lines), max_size=len(lines))),
        "way": draw(st.lists(st.sampled_from(["", "", "yes", "-1"]), min_size=len(lines), max_size=len(lines))),
    }
    return lines, columns


@given(networks())
@settings(max_examples=60)
def test_joining_keeps_every_shortest_time(drawn):
    lines, columns = drawn
    frame = layer(lines, **columns)
    streets = read(frame, speed="kmh", oneway="way")
    apart, _, _ = lines_of_layer(
        frame, rules_for("walk"), {"length": None, "speed": "kmh", "oneway": "way"}, meet="ends", path=None
    )
    links = cut(apart)
    single = join(links, np.ones(len(links), dtype=bool), joined=False)
    ahead, back = single.forward_ms >= 0, single.backward_ms >= 0
    whole = between(
        len(single.node),
        np.concatenate([single.start[ahead], single.end[back]]),
        np.concatenate([single.end[ahead], single.start[back]]),
        np.concatenate([single.forward_ms[ahead], single.backward_ms[back]]),
    )
    project = pyproj.Transformer.from_crs(4326, 3006, always_xy=True).transform
    where = np.rint(np.column_stack(project(*links.node_lonlat[single.node].T))).astype(int).tolist()
    row = {tuple(place): number for number, place in enumerate(where)}
    same = [row[tuple(place)] for place in np.rint(streets.xy).astype(int).tolist()]
    assert (all_times(streets) == whole[np.ix_(same, same)]).all()
    assert streets.length_m.sum() == pytest.approx(links.length_m.sum())
    assert len(streets.start) <= len(links)


@given(networks())
@settings(max_examples=30)
def test_times_are_those_worked_out_by_hand(drawn):
    lines, columns = drawn
    streets = read(layer(lines, **columns), speed="kmh", oneway="way")
    ends = sorted({end for line in lines for end in (line[0], line[-1])})
    number = {end: row for row, end in enumerate(ends)}
    arcs = []
    for line, kmh, way in zip(lines, columns["kmh"], columns["way"], strict=True):
        cost = metres(*line) / kmh * 3600
        arcs += [(line[0], line[-1], cost)] * (way != "-1") + [(line[-1], line[0], cost)] * (way != "yes")
    tail, head, cost = (np.array(part) for part in zip(*[(number[a], number[b], c) for a, b, c in arcs], strict=True))
    same = [number[tuple(place)] for place in np.rint(streets.xy - (WEST, SOUTH)).astype(int).tolist()]
    expected = between(len(ends), tail, head, cost)[np.ix_(same, same)]
    np.testing.assert_allclose(all_times(streets), expected, atol=20)


@given(networks())
@settings(max_examples=25)
def test_shapes_run_from_junction_to_junction(drawn):
    lines, columns = drawn
    streets = read(layer(lines, **columns), speed="kmh", oneway="way")
    first, last = streets.shape_xy[streets.shape_at[:-1]], streets.shape_xy[streets.shape_at[1:] - 1]
    np.testing.assert_allclose(first, streets.xy[streets.start], atol=1e-6)
    np.testing.assert_allclose(last, streets.xy[streets.end], atol=1e-6)
    assert [line.length for line in streets.shapes] == pytest.approx(streets.length_m.tolist(), rel=2e-3)


# ---------------------------------------------------------------- islands


def test_islands_are_left_out_and_listed(tmp_path):
    main = [[(x, 0), (x + 100, 0)] for x in range(0, 500, 100)]
    ways = [
        (line, {"highway": "footway"}) for line in [*main, [(0, 900), (100, 900)], [(0, 1900), (9, 1900), (9, 1950)]]
    ]
    streets = read(osm(tmp_path / "a.osm", ways), min_subgraph=3, crs="EPSG:3006")
    assert [ends for ends, *_ in open_ways(streets)] == [(A, (500, 0))]
    assert streets.dropped["component"].tolist() == [1, 2]
    assert streets.dropped["nodes"].tolist() == [2, 2]  # a bend is no node
    assert sorted(streets.dropped["length_m"]) == pytest.approx([59, 100], abs=0.1)
    assert sorted(streets.dropped["y"] - SOUTH) == pytest.approx([900, 1925], abs=0.1)
    assert "2 island(s) of fewer than 3 nodes were left out, 0.2 km" in streets.lines()


def test_a_street_one_cannot_come_back_from_is_an_island():
    square = [[A, B], [B, (100, 100)], [(100, 100), (0, 100)], [(0, 100), A], [A, (-500, 0)]]
    drive = read(layer(square, way=["no"] * 4 + ["yes"]), oneway="way", min_subgraph=2)
    assert len(drive.dropped) == 1
    assert drive.dropped["length_m"].tolist() == [pytest.approx(500, abs=1)]
    assert len(read(layer(square), min_subgraph=2).dropped) == 0


def test_when_only_islands_are_there_it_is_said():
    with pytest.raises(
        SourceError, match=r"no part of the network has 40 nodes; the largest has 2\..*lower `min_subgraph`"
    ):
        read_streets(layer([[A, B]]))


# ---------------------------------------------------------------- layers of lines


def test_a_layers_own_lengths_and_speeds():
    frame = layer([[A, B], [B, C], [C, D]], m=[120.0, 0.0, np.nan], kmh=[3.6, 7.2, 3.6])
    streets = read(frame, length="m", speed="kmh")
    assert streets.mode == "line"
    assert streets.forward_ms[streets.length_m > 110].tolist() == [120_000]
    assert min(streets.length_m) == 0
    assert streets.record["counts"]["line(s) without a stated length were measured"] == 1


def test_parts_share_a_stated_length():
    shape = MultiLineString([[(WEST, SOUTH), (WEST + 30, SOUTH)], [(WEST, SOUTH + 50), (WEST + 10, SOUTH + 50)]])
    streets = read(gpd.GeoDataFrame({"m": [80.0]}, geometry=[shape], crs=3006), length="m")
    assert sorted(streets.length_m) == pytest.approx([20, 60])


def test_lines_may_meet_at_any_vertex():
    crossing = layer([[A, B, C], [(100, -100), B, (100, 100)]])
    assert len(read(crossing).start) == 2
    assert len(read(crossing, meet="vertices").start) == 4


def test_a_street_drawn_once_in_each_direction_is_one_piece():
    twice = layer([[A, B], [B, A], [B, C], [C, B]], way=["yes"] * 4)
    assert open_ways(read(twice, oneway="way")) == [((A, C), True, True)]
    assert "2 line(s) drawn twice were taken as one" in read(twice).lines()


def test_all_faults_of_a_layer_are_told_at_once():
    frame = layer([[A, B], [B, C]], m=["12", "far"], kmh=[3.6, -1.0])
    frame.loc[2] = {"m": "1", "kmh": 1.0, "geometry": Point(0, 0)}
    bare = frame.set_crs(None, allow_override=True)
    with pytest.raises(InputError) as caught:
        read(bare, length="m", speed="kmh")
    said = str(caught.value)
    for part in (
        "no coordinate system",
        "1 geometry is no line but 'Point': row '2'",
        "such as 'far'",
        "such as '-1.0'",
    ):
        assert part in said
    with pytest.raises(SpecError, match="a layer of lines does not tell how fast one may drive"):
        read(frame.loc[:1], mode="drive")
    with pytest.raises(SpecError, match="there is no column 'metre'"):
        read(frame, length="metre")


def test_words_of_direction_that_say_nothing_are_told():
    ways = ["Y", "no", "reversible", None]
    streets = read(layer([[A, B], [B, C], [C, D], [D, (400, 400)]], way=ways), oneway="way")
    assert (streets.backward_ms == NEVER).sum() + (streets.forward_ms == NEVER).sum() == 1
    assert "1 row(s) with another word for their direction were taken as open both ways" in streets.lines()


def test_rows_without_a_line_or_a_speed_are_counted():
    frame = layer([[A, B], [B, C], [C, D]], kmh=[3.6, np.nan, 3.6])
    for nothing in (LineString(), None):
        frame.loc[2, "geometry"] = nothing
        counts = read(frame, speed="kmh").record["counts"]
        assert counts["row(s) without a line were left out"] == 1
        assert counts["row(s) without a speed were left out"] == 1


# ---------------------------------------------------------------- graphs of osmnx


def graph_of(lines, **tags):
    graph = nx.MultiDiGraph(crs="EPSG:3006")
    for line in lines:
        for x, y in (line[0], line[-1]):
            graph.add_node(1000 * x + y, x=WEST + x, y=SOUTH + y)
        shape = LineString([(WEST + x, SOUTH + y) for x, y in line])
        names = [1000 * x + y for x, y in (line[0], line[-1])]
        options = {"osmid": 1, "length": shape.length, "highway": "residential", "geometry": shape, **tags}
        graph.add_edge(*names, **options)
        if not tags.get("oneway"):
            graph.add_edge(*reversed(names), **{**options, "geometry": shape.reverse()})
    return graph


LINES = [[A, B], [B, (150, 20), C], [C, D], [B, D], [(400, 400), A]]


def test_a_graph_of_osmnx_reads_as_its_lines(tmp_path):
    graph = graph_of(LINES)
    plain = read(layer(LINES, m=[layer([line]).length.iloc[0] for line in LINES]), length="m")
    import osmnx  # noqa: PLC0415  slow to import

    osmnx.save_graphml(graph, tmp_path / "a.graphml")
    for streets in (read(graph), read(tmp_path / "a.graphml")):
        assert open_ways(streets) == open_ways(plain)
        assert sorted(streets.forward_ms) == sorted(plain.forward_ms)
        assert streets.crs == "EPSG:3006"


def test_the_direction_of_a_graph_binds_vehicles_only():
    graph = graph_of(LINES, oneway=True, lanes="2", maxspeed=["30", "50"])
    assert all(there and back for _, there, back in open_ways(read(graph)))
    drive = read(graph, mode="drive")
    assert not any(there and back for _, there, back in open_ways(drive))
    assert round(drive.length_m[0] / drive.forward_ms[0] * 3600) == 30


def test_unfit_graphs_are_told_in_words():
    with pytest.raises(SourceError, match="the graph has no edges"):
        read(nx.MultiDiGraph(crs="EPSG:3006"))
    graph = graph_of(LINES)
    del graph.graph["crs"]
    with pytest.raises(CrsError, match="no coordinate system"):
        read(graph)
    graph = graph_of(LINES)
    del graph.nodes[0]["x"]
    with pytest.raises(SourceError, match="a node of the graph has no place"):
        read(graph)


# ---------------------------------------------------------------- slopes


def hill(path, *, nodata=False, crs=3006, slope=0.1):
    """Write a raster that rises to the east by a tenth; with ``nodata``, not known east of 150 m."""
    side = 10
    columns = (np.arange(60) + 0.5) * side - 100
    cells = np.tile((columns * slope).astype("float32"), (60, 1))
    if nodata:
        cells[:, columns > 150] = -9999
    profile = {"driver": "GTiff", "height": 60, "width": 60, "count": 1, "dtype": "float32", "nodata": -9999.0}
    place = rasterio.Affine(side, 0, WEST - 100, 0, -side, SOUTH + 300)
    with rasterio.open(path, "w", **profile, crs=crs, transform=place) as grid:
        grid.write(cells, 1)
    return path


def test_uphill_is_slower_by_toblers_function(tmp_path):
    along = layer([[A, C]])
    flat, steep = read(along), read(along, elevation=hill(tmp_path / "hill.tif"))
    up, down = steep.forward_ms[0] / flat.forward_ms[0], steep.backward_ms[0] / flat.forward_ms[0]
    assert up == pytest.approx(1 / walking_factor(np.array([0.1]))[0], rel=2e-3)
    assert down == pytest.approx(1 / walking_factor(np.array([-0.1]))[0], rel=2e-3)
    ride = read(along, mode="cycle", elevation=tmp_path / "hill.tif")
    level = read(along, mode="cycle")
    assert ride.forward_ms[0] / level.forward_ms[0] == pytest.approx(1 / (1 - 10 * 0.4002 / 6.01), rel=2e-3)
    assert ride.backward_ms[0] < level.backward_ms[0]
    drive = read(along.assign(kmh=30.0), mode="drive", speed="kmh", elevation=tmp_path / "hill.tif")
    assert drive.forward_ms[0] == drive.backward_ms[0]
    assert "slope does not change the speed of driving: the heights were not read" in drive.lines()


def test_unknown_heights_are_taken_as_flat_and_told(tmp_path):
    frame = layer([[(200, 0), (300, 0)]])
    streets = read(frame, elevation=hill(tmp_path / "hill.tif", nodata=True))
    assert streets.forward_ms.tolist() == read(frame).forward_ms.tolist()
    assert "2 of 2 vertices have no height in hill.tif: taken as flat there" in streets.lines()


def test_bridges_and_steps_are_not_sloped_as_the_ground(tmp_path):
    hill(tmp_path / "hill.tif")
    path = osm(tmp_path / "a.osm", [([A, B, C], {"highway": "steps"})])
    assert read(path, elevation=tmp_path / "hill.tif").forward_ms.tolist() == read(path).forward_ms.tolist()
    there_and_back = [(0, 0), (100, 0), (0, 1)]  # ends at the height it began at
    ground, bridge = (
        osm(tmp_path / f"{name}.osm", [(there_and_back, {"highway": "footway", **tags})])
        for name, tags in (("ground", {}), ("bridge", {"bridge": "yes"}))
    )
    assert read(bridge, elevation=tmp_path / "hill.tif").forward_ms[0] == pytest.approx(
        read(bridge).forward_ms[0], rel=1e-3
    )
    assert read(ground, elevation=tmp_path / "hill.tif").forward_ms[0] > 1.1 * read(ground).forward_ms[0]


def test_unfit_rasters_are_told_in_words(tmp_path):
    frame = layer([[A, C]])
    with pytest.raises(SourceError, match=r"^no\.tif: there is no such file"):
        read(frame, elevation=tmp_path / "no.tif")
    (tmp_path / "junk.tif").write_bytes(b"junk")
    with pytest.raises(SourceError, match=r"^junk\.tif: the file cannot be read"):
        read(frame, elevation=tmp_path / "junk.tif")
    with pytest.raises(CrsError, match=r"^nowhere\.tif: .*no coordinate system"):
        read(frame, elevation=hill(tmp_path / "nowhere.tif", crs=None))


def test_never_marks_what_is_not_allowed():
    streets = read(layer([[A, B], [B, C]], way=["yes", "no"]), oneway="way")
    assert (streets.backward_ms == NEVER).sum() + (streets.forward_ms == NEVER).sum() == 1
    assert np.iinfo(np.int32).max == NEVER
