"""Isochrones of Kallio and Pasila in Helsinki, against a graph of networkx and against travel times."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from shapely.ops import substring

from geoplan.reach import isochrone_notes, isochrones, join_network, read_streets, read_timetable, travel_times
from geoplan.show import explore_isochrones, outside_requests, plot_isochrones

pytestmark = pytest.mark.real

MORNING = {"departure": "2022-02-22 07:00"}
METRES_A_MINUTE = 78.0


@pytest.fixture(scope="module")
def edges(real):
    return gpd.read_file(real / "helsinki" / "streets_metropaccess.gpkg")


@pytest.fixture(scope="module")
def network(real, edges):
    streets = read_streets(edges, length="length_m", min_subgraph=1)
    return join_network(streets, read_timetable(real / "helsinki" / "gtfs_hsl_2022-02-22.zip"))


@pytest.fixture(scope="module")
def places():
    """By Kallio's church, and Pasila's station, which lies north of the streets of the extract."""
    return gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([24.9503, 24.9338], [60.1840, 60.1988]), index=["Kallio", "Pasila"], crs=4326
    )


@pytest.fixture(scope="module")
def people(real):
    return gpd.read_file(real / "helsinki" / "population_points_2020.gpkg").set_index("id")


@pytest.fixture(scope="module")
def morning(network, places, people):
    return isochrones(places, network, **MORNING, residents=people)


def reached_by_networkx(edges, start, metres):
    """Return the lines that are reached from a junction within some metres, edge by edge."""
    graph = nx.Graph()
    ends = {}
    for row, (line, length) in enumerate(zip(edges.geometry, edges["length_m"], strict=True)):
        one, two = (tuple(np.round(line.coords[at], 2)) for at in (0, -1))
        ends[row] = one, two
        if not graph.has_edge(one, two) or graph.edges[one, two]["length"] > length:
            graph.add_edge(one, two, length=length)
    far = nx.single_source_dijkstra_path_length(graph, start, cutoff=metres, weight="length")
    found, total = [], 0.0
    for row, (line, length) in enumerate(zip(edges.geometry, edges["length_m"], strict=True)):
        left = [max(0.0, metres - far.get(end, np.inf)) / length for end in ends[row]]
        if sum(left) >= 1:
            found.append(line)
            total += length
        else:
            total += sum(left) * length
            found += [substring(line, 0, left[0], normalized=True)] if left[0] > 0 else []
            found += [substring(line, 1 - left[1], 1, normalized=True)] if left[1] > 0 else []
    return found, total


@pytest.mark.parametrize("minutes", [5, 15, 30])
def test_on_foot_it_is_what_networkx_reaches(network, edges, places, minutes):
    kallio = places.loc[["Kallio"]].to_crs(edges.crs)
    number = network.streets.xy[np.hypot(*(network.streets.xy - shapely.get_coordinates(kallio.geometry)).T).argmin()]
    start = tuple(np.round(number, 2))
    place = gpd.GeoDataFrame(geometry=[shapely.Point(number)], index=["k"], crs=edges.crs)
    asked = {"bands_min": minutes, "off_street_m": 50, "fill_m2": 0}
    found = isochrones(place, network.streets, **asked)
    lines, metres = reached_by_networkx(edges, start, METRES_A_MINUTE * minutes)
    assert found["streets_km"].item() == pytest.approx(metres / 1000, rel=2e-3)
    # The strip of the last 50 m narrows, where a plain buffer of what is reached does not.
    plain = shapely.union_all(shapely.buffer(lines, 50)).area / 1e6
    shorter, _ = reached_by_networkx(edges, start, METRES_A_MINUTE * minutes - 50)
    least = shapely.union_all(shapely.buffer(shorter, 50)).area / 1e6
    assert found["area_km2"].item() == pytest.approx(least, rel=0.01)
    assert least * 0.99 < found["area_km2"].item() < plain
    assert plain / least < 1.35
    # A circle of the same walk holds far more.
    assert found["area_km2"].item() < 0.75 * np.pi * (METRES_A_MINUTE * minutes / 1000) ** 2


def test_kallio_and_pasila_between_seven_and_eight(morning):
    kallio, pasila = (morning[morning["place_id"] == name] for name in ("Kallio", "Pasila"))
    assert kallio["residents"].tolist() == pytest.approx([2_301, 67_247, 71_724], rel=0.02)
    assert kallio["streets_km"].tolist() == pytest.approx([99.6, 354.9, 385.0], rel=0.01)
    assert kallio["area_km2"].tolist() == pytest.approx([3.07, 12.25, 13.85], rel=0.01)
    assert pasila["residents"].tolist() == pytest.approx([0, 608, 60_228], rel=0.02)
    assert (kallio["residents"].to_numpy() >= pasila["residents"].to_numpy()).all()
    shapes = kallio.geometry.tolist()
    assert shapes[1].covers(shapes[0])
    assert shapes[2].covers(shapes[1])


def test_what_the_data_do_not_cover_is_told(morning, network):
    said = isochrone_notes(morning, network)
    assert said[1].startswith("the timetable seems to be cut off at 25.00° E in the east")
    assert "Pasila lies 671 m from the nearest street: the way there is counted" in said
    assert any(line.startswith("Kallio 45 min: 253 of 837 stops ridden to in time are near no street") for line in said)


@pytest.mark.slow
def test_streets_lie_inside_if_and_only_if_they_are_in_time(morning, network, places):
    streets, rng, count = network.streets, np.random.default_rng(5), 2000
    found = isochrones(places.loc[["Kallio"]], network, **MORNING, off_street_m=0.5, fill_m2=0)
    piece = rng.choice(np.flatnonzero(streets.linkable & (streets.length_m > 20)), count)
    spots = shapely.line_interpolate_point(streets.shapes[piece], rng.uniform(0.1, 0.9, count), normalized=True)
    points = gpd.GeoDataFrame(geometry=spots, crs=streets.crs)
    seconds = travel_times(places.loc[["Kallio"]], points, network, **MORNING, max_min=50).seconds[0, :, 0].astype(int)
    beside = shapely.STRtree(streets.shapes).query(spots, predicate="dwithin", distance=3)[0]
    alone = np.bincount(beside, minlength=count) == 1
    wide = morning[morning["place_id"] == "Kallio"]
    for band, shape, strip in zip(found["band_min"], found.geometry, wide.geometry, strict=True):
        sure = alone & (np.abs(seconds - band * 60) > 3)
        assert (shapely.covers(shape, spots) == (seconds <= band * 60))[sure].all()
        assert shapely.covers(strip, spots)[seconds <= band * 60 - 3].all()
        assert sure.sum() > 1_200


def test_maps_of_kallio(morning, places):
    kallio = morning[morning["place_id"] == "Kallio"]
    asked = {"places": places.loc[["Kallio"]], "source": "HSL 2022-02-22; MetropAccess about 2018; HSY 2020"}
    page = explore_isochrones(kallio, **asked, language="sv").to_html()
    assert "avgång 22 februari 2022, 07:00–08:00" in page
    assert "253 av 837 hållplatser som nås ligger utanför gatunätet" in page
    assert not outside_requests(page.split("</head>")[1])
    assert len(plot_isochrones(kallio, **asked).axes) == 2
