"""The sample town's streets, timetable and destinations: sound as data, and with the stories that are told of them."""

from __future__ import annotations

import io
import zipfile

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import rasterio
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from geoplan.run.datasets import read_land
from geoplan.run.verify import check_project
from geoplan.sources import Catalogue, home
from geoplan.specs import LandLayer, PointsLayer, RasterLayer, StreetsLayer, TimetableLayer

DATA = home() / "data"
NEW = ("nordhamra_streets.osm.pbf", "nordhamra_gtfs.zip", "nordhamra_services.gpkg", "nordhamra_elevation.tif")
CLASSES = {
    "education": "places",
    "culture": "visits_per_day",
    "leisure": "visits_per_day",
    "retail": "floor_m2",
    "regional_cores": "jobs_500m",
}
CRS = "EPSG:3006"


@pytest.fixture(scope="module")
def ways():
    """Return every way with its nodes, tags and line in metres."""
    places, rows = {}, []
    for thing in osmium.FileProcessor(str(DATA / NEW[0])):
        if thing.is_node():
            places[thing.id] = thing.lon, thing.lat
        else:
            tags = {tag.k: tag.v for tag in thing.tags}
            rows.append((thing.id, [node.ref for node in thing.nodes], tags))
    lines = [shapely.LineString([places[node] for node in nodes]) for _, nodes, _ in rows]
    frame = gpd.GeoDataFrame(rows, columns=["id", "nodes", "tags"], geometry=lines, crs="EPSG:4326").to_crs(CRS)
    for key in ("highway", "route", "bridge", "tunnel", "foot", "access", "oneway", "name", "layer", "service"):
        frame[key] = [tags.get(key, "") for tags in frame["tags"]]
    return frame


@pytest.fixture(scope="module")
def feed():
    """Return every table of the feed as text."""
    with zipfile.ZipFile(DATA / NEW[1]) as source:
        return {
            name.removesuffix(".txt"): pd.read_csv(io.BytesIO(source.read(name)), dtype=str, keep_default_na=False)
            for name in source.namelist()
        }


@pytest.fixture(scope="module")
def town():
    layers = ("stadsdelar", "water", "rail", "roads", "kommun")
    return {name: gpd.read_file(DATA / "nordhamra.gpkg", layer=name).set_index("name") for name in layers}


@pytest.fixture(scope="module")
def stops(feed):
    table = feed["stops"].set_index("stop_id")
    points = gpd.points_from_xy(table["stop_lon"].astype(float), table["stop_lat"].astype(float))
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326").to_crs(CRS)


def walked(ways):
    """Return the ways that one may walk on."""
    closed = (ways["foot"] == "no") | (ways["access"] == "private")
    return ways[~closed]


def network(ways):
    """Return junctions' places and the graph of all ways both ways, metres as costs."""
    links = [(a, b, line.length) for a, b, line in segments(ways)]
    ids, numbers = np.unique([[a, b] for a, b, _ in links], return_inverse=True)
    a, b = numbers.reshape(-1, 2).T
    graph = coo_matrix(([metres for *_, metres in links], (a, b)), shape=(len(ids), len(ids))).tocsr()
    xy = np.zeros((len(ids), 2))
    for nodes, line in zip(ways["nodes"], ways.geometry, strict=True):
        xy[np.searchsorted(ids, nodes)] = np.array(line.coords)
    return xy, graph


def segments(ways):
    for nodes, line in zip(ways["nodes"], ways.geometry, strict=True):
        points = list(line.coords)
        for k in range(len(nodes) - 1):
            yield nodes[k], nodes[k + 1], shapely.LineString(points[k : k + 2])


def seconds(times):
    parts = times.str.split(":", expand=True).astype(int)
    return parts[0] * 3600 + parts[1] * 60 + parts[2]


# ---------------------------------------------------------------- files


def test_the_files_are_small():
    sizes = {name: (DATA / name).stat().st_size for name in NEW}
    assert sum(sizes.values()) < 800_000, sizes


def test_nothing_in_the_files_tells_when_they_were_written():
    with zipfile.ZipFile(DATA / NEW[1]) as source:
        assert source.namelist() == sorted(source.namelist())
        assert {entry.date_time for entry in source.infolist()} == {(2013, 3, 1, 0, 0, 0)}
    header = osmium.io.Reader(str(DATA / NEW[0])).header()
    assert header.get("generator") == "geoplan data/generate.py"
    assert header.get("osmosis_replication_timestamp") == ""


def test_the_catalogue_describes_each():
    catalogue = Catalogue(home())
    kinds = {
        "nordhamra_streets": StreetsLayer,
        "nordhamra_timetable": TimetableLayer,
        "nordhamra_elevation": RasterLayer,
    }
    for name in (*kinds, *(f"nordhamra_{one}" for one in CLASSES)):
        dataset = catalogue.layer(name)
        assert isinstance(dataset.spec, kinds.get(name, PointsLayer))
        assert dataset.spec.sha256
        assert dataset.verified().is_file()


@pytest.mark.parametrize(("kind", "file"), [("streets", NEW[0]), ("timetable", NEW[1])])
def test_check_finds_a_file_that_is_missing_or_another(tmp_path, kind, file):
    (tmp_path / "layers").mkdir()
    toml = 'kind = "{}"\ntitle = "x"\nsource = "x"\nlicence = "MIT"\nvintage = "2012"\npath = "{}"\nsha256 = "{}"\n'
    (tmp_path / "layers" / "gone.toml").write_text(toml.format(kind, "gone.zip", "0" * 64), encoding="utf-8")
    (tmp_path / "layers" / "other.toml").write_text(toml.format(kind, DATA / file, "0" * 64), encoding="utf-8")
    found = {fault.what for fault in check_project(tmp_path).faults}
    assert "there is no such file" in found
    assert "the file is not the one the catalogue describes: its SHA-256 differs" in found


def test_heights_are_whole_metres_and_the_sea_is_flat(town):
    with rasterio.open(DATA / NEW[3]) as grid:
        assert grid.dtypes == ("int16",)
        heights = grid.read(1)
        sea = town["water"].loc["Hamrafjärden", "geometry"].buffer(-60)
        inside = list(sea.representative_point().coords)
        assert [value[0] for value in grid.sample(inside)] == [0]
    assert heights.min() == 0
    assert 30 < heights.max() < 60
    steps = np.abs(np.diff(heights, axis=0)).max(), np.abs(np.diff(heights, axis=1)).max()
    assert max(steps) <= 7  # metres in 50: a steep street, no cliff


# ---------------------------------------------------------------- streets


def test_there_are_all_sorts_of_ways(ways):
    assert 2000 < len(ways) < 6000
    kinds = set(ways["highway"])
    assert kinds >= {
        "motorway", "motorway_link", "trunk", "primary", "secondary", "tertiary", "residential", "living_street",
        "pedestrian", "service", "unclassified", "track", "footway", "cycleway", "path", "steps",
    }  # fmt: skip
    assert (ways.loc[ways["highway"].isin(["motorway", "motorway_link"]), "foot"] == "no").all()
    assert (ways["oneway"] == "yes").sum() > 50
    assert (ways["access"] == "private").sum() > 50
    ferries = ways[ways["route"] == "ferry"]
    assert sorted(tags["duration"] for tags in ferries["tags"]) == ["00:08", "00:12"]
    fast = ways["highway"].isin(["motorway", "primary", "secondary", "tertiary", "residential"])
    assert all(tags["maxspeed"].isdigit() for tags in ways.loc[fast, "tags"])


def test_a_name_is_one_street(ways):
    """Invented names are given once: pieces of a name lie within a district or along one road."""
    named = ways[(ways["name"] != "") & (ways["highway"] == "residential")]
    reach = named.dissolve("name").bounds
    assert (np.hypot(reach["maxx"] - reach["minx"], reach["maxy"] - reach["miny"]) < 4500).all()


def test_one_network_and_an_islet_that_nobody_reaches(ways):
    on_foot = ways[ways["foot"] != "no"]
    _, graph = network(on_foot)
    count, label = connected_components(graph, directed=False)
    size = np.bincount(label)
    assert count == 2
    assert size.min() < 40


def test_cars_reach_nearly_every_street(ways):
    foot_only = {"footway", "cycleway", "path", "steps", "pedestrian", ""}
    links = []
    for way in ways[~ways["highway"].isin(foot_only)].itertuples():
        for a, b in zip(way.nodes[:-1], way.nodes[1:], strict=True):
            links += [(a, b)] if way.oneway == "yes" else [(a, b), (b, a)]
    ids, number = np.unique(links, return_inverse=True)
    a, b = number.reshape(-1, 2).T
    _, label = connected_components(
        coo_matrix((np.ones(len(a)), (a, b)), shape=(len(ids), len(ids))), connection="strong"
    )
    assert np.bincount(label).max() > 0.97 * len(ids)


@pytest.mark.parametrize("barrier", ["water", "railway", "motorway"])
def test_only_bridges_tunnels_and_boats_cross(ways, town, barrier):
    if barrier == "water":
        shape = shapely.union_all(town["water"].geometry.to_numpy()).buffer(-0.5)
    elif barrier == "railway":
        shape = shapely.union_all(town["rail"].geometry.to_numpy())
    else:
        shape = town["roads"].loc["Riksleden", "geometry"]
    crossing = ways[ways.intersects(shape)]
    crossing = crossing[crossing["highway"] != "motorway"] if barrier == "motorway" else crossing
    assert len(crossing) >= 8
    allowed = (crossing["bridge"] == "yes") | (crossing["route"] == "ferry")
    if barrier != "water":
        allowed |= crossing["tunnel"] == "yes"
    assert crossing.loc[~allowed, "tags"].to_list() == []


def test_bridges_and_tunnels_meet_streets_at_their_ends_alone(ways):
    raised = ways[ways["layer"] != ""]
    ends = {node for nodes in raised["nodes"] for node in (nodes[0], nodes[-1])}
    inner = {node for nodes in raised["nodes"] for node in nodes[1:-1]} - ends
    others = {node for nodes in ways.loc[ways["layer"] == "", "nodes"] for node in nodes}
    assert not inner & others


# ---------------------------------------------------------------- timetable


KEYS = [
    ("routes", "agency_id", "agency", "agency_id"),
    ("trips", "route_id", "routes", "route_id"),
    ("trips", "shape_id", "shapes", "shape_id"),
    ("stop_times", "trip_id", "trips", "trip_id"),
    ("trips", "trip_id", "stop_times", "trip_id"),
    ("stop_times", "stop_id", "stops", "stop_id"),
    ("frequencies", "trip_id", "trips", "trip_id"),
    ("transfers", "from_stop_id", "stops", "stop_id"),
    ("transfers", "to_stop_id", "stops", "stop_id"),
    ("pathways", "from_stop_id", "stops", "stop_id"),
    ("pathways", "to_stop_id", "stops", "stop_id"),
]


@pytest.mark.parametrize(("table", "column", "other", "key"), KEYS)
def test_every_reference_of_the_feed_leads_somewhere(feed, table, column, other, key):
    assert set(feed[table][column]) <= set(feed[other][key])


def test_keys_of_the_feed_are_unique(feed):
    for table, columns in {
        "agency": ["agency_id"], "routes": ["route_id"], "trips": ["trip_id"], "stops": ["stop_id"],
        "calendar": ["service_id"], "calendar_dates": ["service_id", "date"],
        "stop_times": ["trip_id", "stop_sequence"], "frequencies": ["trip_id", "start_time"],
        "shapes": ["shape_id", "shape_pt_sequence"], "transfers": ["from_stop_id", "to_stop_id"],
    }.items():  # fmt: skip
        assert not feed[table].duplicated(columns).any(), table


def test_services_have_days_in_2012(feed):
    known = set(feed["calendar"]["service_id"]) | set(feed["calendar_dates"]["service_id"])
    assert set(feed["trips"]["service_id"]) == known
    dates = pd.concat([feed["calendar"]["start_date"], feed["calendar"]["end_date"], feed["calendar_dates"]["date"]])
    assert (dates.min(), dates.max()) == ("20120101", "20121231")
    alone = set(feed["calendar_dates"]["service_id"]) - set(feed["calendar"]["service_id"])
    assert alone == {"boat_day"}
    runs = feed["calendar"].set_index("service_id")
    for row in feed["calendar_dates"].itertuples():
        day = pd.Timestamp(row.date).day_name().lower()
        if row.service_id in runs.index:
            usual = runs.loc[row.service_id, day] == "1"
            assert usual == (row.exception_type == "2"), row


def test_times_run_forwards_in_whole_minutes(feed):
    calls = feed["stop_times"]
    arrive, leave = seconds(calls["arrival_time"]), seconds(calls["departure_time"])
    assert (arrive <= leave).all()
    assert (arrive % 60 == 0).all()
    assert (leave % 60 == 0).all()
    same = calls["trip_id"].eq(calls["trip_id"].shift())
    assert (arrive[same] > leave.shift()[same]).all()
    assert (calls["stop_sequence"].astype(int).diff()[same] == 1).all()
    assert (calls["shape_dist_traveled"].astype(int).diff()[same] > 0).all()
    assert leave.max() > 27 * 3600  # night buses belong to the evening before


def test_two_lines_have_rhythms(feed):
    line = feed["trips"].set_index("trip_id")["route_id"]
    rhythm = feed["frequencies"].assign(line=feed["frequencies"]["trip_id"].map(line))
    assert set(zip(rhythm["line"], rhythm["exact_times"], strict=True)) == {("RT1", "0"), ("R5", "1")}
    assert (seconds(rhythm["start_time"]) < seconds(rhythm["end_time"])).all()
    for _, spans in rhythm.groupby("trip_id"):
        assert (
            seconds(spans["start_time"]).iloc[1:].to_numpy() >= seconds(spans["end_time"]).iloc[:-1].to_numpy()
        ).all()


def test_platforms_lie_at_their_station(feed, stops):
    children = stops[stops["parent_station"] != ""]
    parents = stops.loc[children["parent_station"]]
    assert (parents["location_type"] == "1").all()
    assert (children.distance(parents.geometry, align=False) < 450).all()
    stations = stops[stops["location_type"] == "1"]
    assert set(children["parent_station"]) == set(stations.index)
    used = set(feed["stop_times"]["stop_id"])
    assert set(stops.index[stops["location_type"] == "0"]) == used


def test_stops_are_within_100_m_of_a_street(ways, stops):
    lines = walked(ways)[walked(ways)["route"] == ""].geometry.to_numpy()
    _, away = shapely.STRtree(lines).query_nearest(stops.geometry.to_numpy(), return_distance=True, all_matches=False)
    assert away.max() < 100


def test_buses_keep_to_their_shape(feed, stops):
    points = feed["shapes"].astype({"shape_pt_lat": float, "shape_pt_lon": float})
    lines = {
        name: shapely.LineString(rows[["shape_pt_lon", "shape_pt_lat"]].to_numpy())
        for name, rows in points.groupby("shape_id")
    }
    shapes = gpd.GeoSeries(lines, crs="EPSG:4326").to_crs(CRS)
    assert (points["shape_dist_traveled"].astype(int).groupby(points["shape_id"]).diff().dropna() >= 0).all()
    calls = feed["stop_times"].merge(feed["trips"][["trip_id", "shape_id"]])[["shape_id", "stop_id"]].drop_duplicates()
    away = stops.loc[calls["stop_id"]].distance(shapes.loc[calls["shape_id"]], align=False)
    assert away.max() < 60


def test_a_bus_goes_on_under_another_number(feed):
    trips = feed["trips"][feed["trips"]["block_id"] != ""]
    calls = feed["stop_times"].merge(trips)
    calls["time"] = seconds(calls["departure_time"])
    first = calls.sort_values("time").groupby(["block_id", "trip_id"], sort=False)
    ends = first.agg(
        line=("route_id", "first"), service=("service_id", "first"), start=("time", "min"), end=("time", "max"),
        origin=("stop_id", "first"), last=("stop_id", "last"),
    ).reset_index()  # fmt: skip
    pairs = ends[ends["line"] == "R11"].merge(ends[ends["line"] == "R12"], on="block_id")
    assert len(pairs) == (ends["line"] == "R11").sum() > 20
    assert (pairs["start_y"] - pairs["end_x"] == 60).all()
    assert (pairs["last_x"] == pairs["origin_y"]).all()
    assert (pairs["service_x"] == pairs["service_y"]).all()


def test_the_express_takes_nobody_within_the_town(feed):
    calls = feed["stop_times"].merge(feed["trips"]).merge(feed["stops"])
    express = calls[calls["route_id"] == "RX1"]
    town = express["stop_name"].isin(["Hamra central", "Hamra torg"])
    into = express["direction_id"] == "0"
    assert (express.loc[into & town, "pickup_type"] == "1").all()
    assert (express.loc[into & ~town, "drop_off_type"] == "1").all()
    assert (express.loc[~into & town, "drop_off_type"] == "1").all()
    assert (express.loc[~into & ~town, "pickup_type"] == "1").all()
    assert len(express) > 50


def test_the_columns_for_wheelchairs_and_bikes_have_every_answer(feed):
    assert set(feed["trips"]["wheelchair_accessible"]) == {"0", "1", "2"}
    assert set(feed["trips"]["bikes_allowed"]) == {"1", "2"}
    assert set(feed["stops"]["wheelchair_boarding"]) == {"0", "1", "2"}
    assert set(feed["transfers"]["transfer_type"]) == {"0", "1", "2", "3"}


# ---------------------------------------------------------------- destinations


@pytest.mark.parametrize(("layer", "column"), CLASSES.items())
def test_destinations_of_each_class(town, layer, column):
    places = gpd.read_file(DATA / NEW[2], layer=layer)
    assert places.crs == CRS
    assert places["service_id"].is_unique
    assert places["name"].is_unique
    assert (places[column] > 0).all()
    assert places.within(town["kommun"].geometry.iloc[0]).all()
    assert len(places) >= 6


def test_schools_and_shops_are_the_workplaces_of_their_sector():
    jobs = gpd.read_file(DATA / "nordhamra_workplaces.gpkg")
    for layer in ("education", "retail"):
        places = gpd.read_file(DATA / NEW[2], layer=layer)
        mine = jobs[jobs["sector"] == layer]
        assert sorted(places.geometry.to_wkt()) == sorted(mine.geometry.to_wkt())


# ---------------------------------------------------------------- stories


def calls_in(feed, stops, area):
    """Return all calls at stops of a district, with line, service and time of departure."""
    inside = stops.index[stops.within(area)]
    calls = feed["stop_times"][feed["stop_times"]["stop_id"].isin(inside)].merge(feed["trips"])
    return calls.assign(time=seconds(calls["departure_time"]))


def test_granhojden_has_the_metro_in_its_middle(feed, stops, town):
    calls = calls_in(feed, stops, town["stadsdelar"].loc["Granhöjden", "geometry"])
    assert "RT1" in set(calls["route_id"])


def test_tallmohojden_has_one_bus_an_hour(feed, stops, town):
    calls = calls_in(feed, stops, town["stadsdelar"].loc["Tallmohöjden", "geometry"])
    assert set(calls["route_id"]) <= {"R7", "R21"}
    seven = calls[(calls["route_id"] == "R7") & (calls["service_id"] == "weekday")]
    gaps = seven.sort_values("time").groupby(["direction_id", "stop_id"])["time"].diff().dropna()
    assert gaps.between(57 * 60, 63 * 60).all()
    assert set(calls["service_id"]) == {"weekday", "saturday"}
    assert calls["time"].max() < 20.5 * 3600


def test_slaggmarken_has_jobs_and_no_evening_bus(feed, stops):
    area = shapely.Point(620_500, 6_628_150).buffer(700)
    jobs = gpd.read_file(DATA / "nordhamra_workplaces.gpkg")
    assert jobs.loc[jobs.within(area), "jobs"].sum() > 3000
    calls = calls_in(feed, stops, area)
    assert set(calls["route_id"]) == {"R8"}
    assert set(calls["service_id"]) == {"weekday"}
    assert calls["time"].max() < 19 * 3600


def test_the_river_keeps_tallmohojden_from_the_shops(ways, town):
    xy, graph = network(walked(ways))
    near = cKDTree(xy)
    start = near.query(shapely.get_coordinates(shapely.Point(619_600, 6_630_200)))[1][0]
    goal = near.query(shapely.get_coordinates(shapely.Point(620_300, 6_630_000)))[1][0]
    straight = float(np.hypot(*(xy[start] - xy[goal])))
    walk = float(dijkstra(graph, directed=False, indices=start)[goal])
    assert straight < 900
    assert walk > 5 * straight
    east = town["stadsdelar"].loc["Åkersvallen", "geometry"]
    assert shapely.Point(xy[goal]).within(east)


# ---------------------------------------------------------------- land and jobs


def test_land_lies_on_dry_ground_clear_of_parks_and_railways(town):
    dataset = Catalogue(home()).layer("nordhamra_land")
    assert isinstance(dataset.spec, LandLayer)
    land = read_land(dataset, None)
    assert list(land.columns) == ["name", "geometry", "homes", "floor_m2"]
    assert len(land) == 18
    parks = gpd.read_file(DATA / "nordhamra.gpkg", layer="parks")
    for other in (town["water"], parks, town["rail"]):
        assert not land.intersects(shapely.union_all(other.geometry.to_numpy()).buffer(-1)).any()
    inside = town["kommun"].union_all()
    assert land.within(inside).all()
    per_ha = land["homes"] / (land.area / 1e4)
    assert per_ha.between(0, 130).all()


def test_land_with_an_amount_that_is_none_is_refused(tmp_path):
    (tmp_path / "layers").mkdir()
    frame = gpd.GeoDataFrame({"land_id": ["M1"], "homes": [-5]}, geometry=[shapely.box(0, 0, 9, 9)], crs=CRS)
    frame.translate(620_000, 6_625_000).to_frame("geometry").join(frame[["land_id", "homes"]]).to_file(
        tmp_path / "land.gpkg"
    )
    head = 'kind = "land"\ntitle = "x"\nsource = "x"\nlicence = "MIT"\nvintage = "2012"\npath = "../land.gpkg"\n'
    text = 'crs = "EPSG:3006"\nid_column = "land_id"\nhomes_column = "homes"\nfloor_column = "floor"\n'
    (tmp_path / "layers" / "land.toml").write_text(head + text, encoding="utf-8")
    found = {fault.what for fault in check_project(tmp_path).faults}
    assert "there is no column 'floor' in the data" in found
    (tmp_path / "layers" / "land.toml").write_text(
        head + text.replace('floor_column = "floor"\n', ""), encoding="utf-8"
    )
    found = {fault.what for fault in check_project(tmp_path).faults}
    assert "'-5' is not a number" in found


def test_jobs_by_education_add_up():
    jobs = gpd.read_file(DATA / "nordhamra_workplaces.gpkg")
    parts = jobs[["jobs_basic", "jobs_secondary", "jobs_tertiary"]]
    assert (parts.sum(axis=1) == jobs["jobs"]).all()
    assert (parts.to_numpy() >= 0).all()
    shares = parts.groupby(jobs["sector"]).sum().div(jobs.groupby("sector")["jobs"].sum(), axis=0)
    assert shares["jobs_tertiary"].idxmax() == "education"
    assert shares["jobs_basic"].idxmax() == "transport"
