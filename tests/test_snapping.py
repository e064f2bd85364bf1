import geopandas as gpd
import numpy as np
import pyproj
import pytest
from hypothesis import given, settings, strategies as st
from shapely import LineString, Point, box
from streets import SOUTH, WEST, layer, osm

from geoplan.errors import CrsError, GeometryError, IdError, InputError, SpecError
from geoplan.reach import NEVER, read_streets, snap

A, B, C = (0, 0), (100, 0), (200, 0)


def read(source, **options):
    return read_streets(source, **{"min_subgraph": 1, **options})


def points(*places, index=None, crs=3006):
    return gpd.GeoSeries([Point(WEST + x, SOUTH + y) for x, y in places], index=index, crs=crs)


def test_a_point_is_linked_to_the_edge_and_every_way_there_is_counted():
    streets = read(layer([[A, B]], kmh=[3.6]), speed="kmh")
    found = snap(streets, points((25, 13), index=["home"]), off_street_kmh=4.68)
    assert (found.ids[0], found.piece[0], found.reason[0]) == ("home", 0, "")
    assert found.along[0] == pytest.approx(0.25)
    assert found.off_m[0] == pytest.approx(13)
    assert tuple(streets.xy[found.start[0]] - (WEST, SOUTH)) == pytest.approx(A, abs=1e-6)
    there, back = 10_000 + 25_000, 10_000 + 75_000  # 13 m at 1.3 m/s, then 1 m/s
    assert found.to_start_ms[0] == found.from_start_ms[0] == pytest.approx(there, abs=15)
    assert found.to_end_ms[0] == found.from_end_ms[0] == pytest.approx(back, abs=40)
    assert (found.to_start_mm[0], found.to_end_mm[0]) == pytest.approx((38_000, 88_000), abs=40)


def test_a_one_way_street_is_left_at_its_end_and_reached_from_its_start():
    found = snap(read(layer([[A, B]], way=["yes"]), oneway="way"), points((25, 0)))
    allowed = [
        bool(ms[0] != NEVER) for ms in (found.to_start_ms, found.to_end_ms, found.from_start_ms, found.from_end_ms)
    ]
    assert allowed == [False, True, True, False]


def test_points_come_in_any_system_and_shape_of_frame():
    streets = read(layer([[A, B]]))
    frame = gpd.GeoDataFrame({"jobs": [1]}, geometry=points((25, 13)).to_crs(4326))
    assert snap(streets, frame).off_m[0] == pytest.approx(13, abs=1e-4)


def test_what_is_too_far_says_so_and_is_linked_to_nothing():
    streets = read(layer([[A, B]]))
    found = snap(streets, points((0, 200), (0, 500), (0, 5000), index=["a", "b", "c"]))
    assert found.piece.tolist() == [0, 0, -1]
    assert found.far()["id"].tolist() == ["b"]
    lost = found.unsnapped()
    assert lost["id"].tolist() == ["c"]
    assert lost["nearest_m"].tolist() == pytest.approx([5000])
    assert lost["reason"].tolist() == ["5,000 m from the nearest street, farther than 1,600 m"]
    assert found.to_start_ms[2] == found.from_end_ms[2] == found.to_start_mm[2] == NEVER
    assert np.isnan([found.along[2], found.off_m[2]]).all()
    assert found.start[2] == found.end[2] == -1
    assert snap(streets, points((0, 200)), radius_m=100).piece.tolist() == [-1]


def test_points_without_a_place_say_so():
    shapes = [Point(), None, Point(np.nan, 1), Point(WEST, SOUTH)]
    found = snap(read(layer([[A, B]])), gpd.GeoSeries(shapes, crs=3006))
    assert found.reason.tolist() == ["no coordinates"] * 3 + [""]
    beyond = gpd.GeoSeries([Point(18, 95), Point(18.06, 59.3)], crs=4326)
    found = snap(read(layer([[A, B]]), crs="EPSG:32634"), beyond)
    assert found.reason[0] == "outside the region of EPSG:32634"
    assert found.piece[0] == -1


@pytest.mark.parametrize("metres", [1e9, 1e15])
def test_a_point_out_of_this_world_is_too_far_like_any_other(metres):
    found = snap(read(layer([[A, B]])), points((metres, 0), A))
    assert found.piece.tolist() == [-1, 0]
    assert "farther than 1,600 m" in found.reason[0]


def test_no_points_are_no_fault():
    found = snap(read(layer([[A, B]])), points())
    assert len(found) == len(found.unsnapped()) == 0


def test_unfit_points_are_told_all_at_once():
    streets = read(layer([[A, B]]))
    twice = gpd.GeoSeries([Point(0, 0), box(0, 0, 1, 1)], index=["a", "a"])
    with pytest.raises(InputError) as caught:
        snap(streets, twice)
    said = str(caught.value)
    for part in (
        "no coordinate system",
        "occur more than once: 'a'",
        "is no point but 'Polygon'",
        "representative_point",
    ):
        assert part in said
    with pytest.raises(IdError, match=r"1 point\(s\) have no id"):
        snap(streets, points(A, B, index=["a", None]))
    with pytest.raises(GeometryError):
        snap(streets, gpd.GeoSeries([LineString([A, B])], crs=3006))
    with pytest.raises(CrsError):
        snap(streets, gpd.GeoSeries([Point(0, 0)]))
    with pytest.raises(SpecError, match="points cannot be a list"):
        snap(streets, [Point(0, 0)])


@pytest.mark.parametrize("radius", [0, -5, np.nan, (300, 200), (1, 2, 3), (), "far", True, None])
def test_unfit_radii_are_told(radius):
    with pytest.raises(SpecError, match="is not a link radius"):
        snap(read(layer([[A, B]])), points(A), radius_m=radius)


@pytest.mark.parametrize("speed", [0, -1, np.nan, "slow", None])
def test_an_unfit_speed_is_told(speed):
    with pytest.raises(SpecError, match="off_street_kmh"):
        snap(read(layer([[A, B]])), points(A), off_street_kmh=speed)


def test_nothing_is_linked_to_a_ferry(tmp_path):
    ways = [([A, B], {"route": "ferry"}), ([B, C], {"highway": "footway"})]
    streets = read(osm(tmp_path / "a.osm", ways))
    found = snap(streets, points((10, 5)))
    assert streets.linkable[found.piece[0]]
    assert found.off_m[0] == pytest.approx(np.hypot(90, 5), abs=0.1)
    alone = read(osm(tmp_path / "b.osm", ways[:1]))
    assert snap(alone, points(A)).reason.tolist() == ["no piece of the network may be linked to"]


def test_of_equally_near_streets_the_first_is_taken():
    lines = [[A, B], [A, (0, 100)], [A, (-100, 0)], [A, (0, -100)]]
    places = [(0, 0), (30, 30), (-30, 30), (-30, -30), (30, -30)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        streets = read(layer([lines[row] for row in order]))
        found = snap(streets, points(*places))
        distance = np.array([[line.distance(Point(WEST + x, SOUTH + y)) for line in streets.shapes] for x, y in places])
        assert found.piece.tolist() == [int(np.flatnonzero(row <= row.min() + 1e-6)[0]) for row in distance]


def test_a_blind_loop_can_be_left_both_ways():
    streets = read(layer([[A, B], [B, (150, 50), (200, 0), (150, -50), B]], kmh=[3.6, 3.6]), speed="kmh")
    found = snap(streets, points((200, 0)))
    assert found.start[0] == found.end[0]
    assert found.to_start_ms[0] == pytest.approx(found.to_end_ms[0], abs=2)
    assert found.along[0] == pytest.approx(0.5)


place = st.tuples(st.integers(-400, 400), st.integers(-400, 400))


@given(
    st.lists(st.lists(place, min_size=2, max_size=4, unique=True), min_size=1, max_size=8),
    st.lists(place, min_size=1, max_size=12),
)
@settings(max_examples=40)
def test_the_place_found_is_the_nearest_of_all(lines, places):
    streets = read(layer(lines))
    found = snap(streets, points(*places), radius_m=300)
    geod = pyproj.Geod(ellps="WGS84")
    to_lonlat = pyproj.Transformer.from_crs(3006, 4326, always_xy=True).transform
    for row, (x, y) in enumerate(places):
        point = Point(WEST + x, SOUTH + y)
        distances = np.array([line.distance(point) for line in streets.shapes])
        if distances.min() > 300:
            assert found.piece[row] == -1
            continue
        piece = int(np.flatnonzero(distances <= distances.min() + 1e-6)[0])
        assert found.piece[row] == piece
        assert found.off_m[row] == pytest.approx(distances.min(), abs=1e-6)
        line = streets.shapes[piece]
        walked = line.project(point)
        assert found.along[row] * line.length == pytest.approx(walked, abs=1e-6)
        whole = geod.line_length(*to_lonlat(*np.array(line.coords).T))
        assert found.to_start_mm[row] / 1000 == pytest.approx(distances.min() + walked / line.length * whole, abs=1e-3)
        total = found.to_start_ms[row] + found.to_end_ms[row] - 2 * found.off_m[row] / 1.3 * 1000
        assert total == pytest.approx(streets.forward_ms[piece], abs=2)
