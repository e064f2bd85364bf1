"""What streets and timetable do not cover."""

import feeds
import geopandas as gpd
import pyproj
import pytest
import streets as roads
from shapely import Point

from geoplan.errors import InputError
from geoplan.reach import (
    cut_edges,
    join_network,
    read_streets,
    read_timetable,
    service_scope,
)

_TO_LONLAT = pyproj.Transformer.from_crs(3006, 4326, always_xy=True).transform
MAIN = [[(0, 0), (40_000, 0)]]  # 40 km of street


def place(x, y=0):
    return Point(roads.WEST + x, roads.SOUTH + y)


def stops_txt(*places):
    rows = []
    for name, x, y in places:
        lon, lat = _TO_LONLAT(roads.WEST + x, roads.SOUTH + y)
        rows.append(f"{name},{name},{lat:.6f},{lon:.6f}")
    return "stop_id,stop_name,stop_lat,stop_lon\n" + "\n".join(rows) + "\n"


def network(tmp_path, stops, **parts):
    path = feeds.write(tmp_path / "feed.zip", feeds.town(stops=stops, **parts))
    streets = read_streets(roads.layer(MAIN), min_subgraph=1)
    return join_network(streets, read_timetable(path, date=feeds.DATE))


def test_served_silent_and_far(tmp_path):
    stops = stops_txt(("a", 0, 0), ("b", 1000, 0), ("c", 2000, 0), ("idle", 20_000, 0))
    joined = network(tmp_path, stops)
    assert joined.timetable.idle["stop_id"].tolist() == ["idle"]
    points = gpd.GeoDataFrame(
        geometry=[place(500), place(20_500), place(35_000), place(500, 9000)],
        index=["served", "silent", "on foot", "off"],
        crs=3006,
    )
    scope = service_scope(points, joined, max_walk_min=30)
    assert scope.frame["status"].to_dict() == {
        "served": "observed", "silent": "not_collected", "on foot": "observed", "off": "out_of_scope",
    }  # fmt: skip
    assert scope.frame.loc["silent", "reason"] == "the stops near have no service in the timetable"
    assert scope.frame.loc["on foot", "reason"] == "no stop within 30 min"
    assert scope.frame["stops_with_service"].tolist()[:3] == [3, 0, 0]
    assert scope.frame["stops_with_service"].isna().tolist() == [False, False, False, True]
    assert scope.frame["stops_without"].tolist()[:3] == [0, 1, 0]
    assert scope.lines() == [
        "1 of 4 points are not scored: the stops near have no service in the timetable",
        "1 of 4 points are not scored: no street is near enough",
        "1 point has no stop within 30 min: access there is that on foot",
    ]


def cropped(lines, upto=30_000):
    """Texts of a feed with so many lines that all end at the same easting, one above the other."""
    places = [
        (f"{end}{line}", x, line * 400) for line in range(lines) for end, x in (("w", 0 + line * 900), ("e", upto))
    ]
    routes = "route_id,agency_id,route_short_name,route_type\n" + "".join(
        f"r{line},x,{line},3\n" for line in range(lines)
    )
    trips = "route_id,service_id,trip_id\n" + "".join(f"r{line},week,t{line}\n" for line in range(lines))
    times = feeds.TIMES + "".join(
        f"t{line},08:00:00,08:00:00,w{line},1\nt{line},08:30:00,08:30:00,e{line},2\n" for line in range(lines)
    )
    return {"stops": stops_txt(*places), "routes": routes, "trips": trips, "stop_times": times}


def test_a_feed_cut_to_a_rectangle_is_noticed(tmp_path):
    joined = network(tmp_path, **cropped(8))
    edges = cut_edges(joined.timetable)
    assert edges["side"].tolist() == ["east"]
    assert edges.loc[0, ["lines", "lines_there", "stops"]].tolist() == [8, 8, 8]
    points = gpd.GeoDataFrame(geometry=[place(29_000), place(35_000), place(15_000)], index=list("abc"), crs=3006)
    scope = service_scope(points, joined)
    assert scope.frame["status"].tolist() == ["observed", "not_collected", "observed"]
    assert scope.frame["near_edge"].tolist() == [True, True, False]
    assert "cut off at 18.59° E in the east: 8 of the 8 lines" in scope.lines()[0]
    assert "1 point that is scored lies within 30 min" in scope.lines()[-1]


def test_a_few_lines_that_end_together_are_no_edge(tmp_path):
    assert cut_edges(network(tmp_path, **cropped(5)).timetable).empty


def test_streets_alone_have_no_stops():
    streets = join_network(read_streets(roads.layer(MAIN), min_subgraph=1))
    scope = service_scope(gpd.GeoDataFrame(geometry=[place(5)], index=["a"], crs=3006), streets)
    assert scope.frame.loc["a", "status"] == "observed"
    assert scope.frame["stops_with_service"].isna().all()


@pytest.mark.parametrize("walk", [0, -1, float("nan")])
def test_a_walk_must_lead_somewhere(walk):
    streets = join_network(read_streets(roads.layer(MAIN), min_subgraph=1))
    with pytest.raises(InputError, match="leads nowhere"):
        service_scope(gpd.GeoDataFrame(geometry=[place(5)], crs=3006), streets, max_walk_min=walk)
