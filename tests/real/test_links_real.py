"""Links between the inner districts of Helsinki: across the railway yard."""

import zipfile

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geoplan.reach import candidate_crossings, crossing_effects, links, read_streets, snap
from geoplan.show import plot_links

pytestmark = pytest.mark.real

CENTRE, TOOLO, KALLIO = "Helsinki keskusta - Etu-Töölö", "Keski-Töölö", "Kallio"


@pytest.fixture(scope="module")
def streets(real):
    return read_streets(real / "helsinki/streets_metropaccess.gpkg", length="length_m")


@pytest.fixture(scope="module")
def areas(real):
    return gpd.read_file(real / "helsinki/boundaries_inner_city.gpkg").set_index("area_id")


@pytest.fixture(scope="module")
def people(real, areas, streets):
    """The residents of each district (2023), spread alike over its 250 m cells with a street within 150 m.

    The population grid of the region ends in the middle of the area.
    """
    cells = gpd.read_file(real / "helsinki/ykr_grid_points_250m.gpkg").set_index("YKR_ID")
    cells = cells[cells.intersects(areas.union_all())]
    cells = cells[snap(streets, cells, radius_m=150).piece >= 0]
    within = gpd.sjoin(cells, areas[["population", "geometry"]], predicate="within")
    own = within.columns[within.columns.str.contains("area_id|index_right")][0]
    within["population"] /= within.groupby(own)["population"].transform("size")
    return within[["population", "geometry"]]


@pytest.fixture(scope="module")
def railway(real, areas):
    """The tracks as the shapes of the commuter trains have them."""
    with zipfile.ZipFile(real / "helsinki/gtfs_hsl_2022-02-22.zip") as feed:
        routes, trips, shapes = (pd.read_csv(feed.open(f"{name}.txt")) for name in ("routes", "trips", "shapes"))
    trains = trips["route_id"].isin(routes.loc[routes["route_type"] == 109, "route_id"])
    shapes = shapes[shapes["shape_id"].isin(trips.loc[trains, "shape_id"])].sort_values("shape_pt_sequence")
    lines = [shapely.LineString(part[["shape_pt_lon", "shape_pt_lat"]]) for _, part in shapes.groupby("shape_id")]
    whole = gpd.GeoSeries(lines, crs=4326).to_crs(areas.crs).clip(areas.union_all().envelope)
    tracks = {"name": ["Main line"], "kind": ["railway"]}
    return gpd.GeoDataFrame(tracks, geometry=[shapely.union_all(whole.to_numpy())], crs=areas.crs)


@pytest.fixture(scope="module")
def found(areas, people, streets, railway):
    jobless = 100 * areas["unemployed"] / (areas["employed"] + areas["unemployed"])
    return links(areas, people, streets, barriers=railway, index=jobless)


def pair(found, one, other):
    rows = found.pairs
    return rows[rows["name_a"].isin([one, other]) & rows["name_b"].isin([one, other])].iloc[0]


def test_everybody_is_there(found, areas):
    assert found.isolation["residents"].sum() == pytest.approx(areas["population"].sum())
    assert (found.isolation["status"] == "observed").all()
    assert len(found.pairs) == 24


def test_the_railway_parts_toolo_and_kallio(found):
    row = pair(found, TOOLO, KALLIO)
    assert (row["crossings"], row["cause"], row["cause_kind"]) == (0, "Main line", "railway")
    assert row["people_detour"] == pytest.approx(1.82, abs=0.05)
    assert row["cause_cut_share"] > 0.75
    assert row["index_difference"] == pytest.approx(2.7, abs=0.1)
    row = pair(found, CENTRE, KALLIO)
    assert (row["cause"], row["crossings"]) == ("Main line", 3)


def test_a_grid_of_streets_is_no_barrier(found):
    # Within the grid of the centre and Kallio one walks 1.2 to 1.4 times the straight line.
    row = pair(found, TOOLO, CENTRE)
    assert row["crossings"] >= 10
    assert 1.1 < row["people_detour"] < 1.45
    known = found.pairs["people_detour"]
    assert known.notna().all()
    assert known.median() < 1.45
    assert known.min() > 1.1


def test_crossings_of_the_yard_are_ranked(found, railway, streets):
    candidates = candidate_crossings(railway, streets, spacing_m=200, reach_m=400)
    effects = crossing_effects(found, candidates, streets)
    best = effects.frame.iloc[0]
    assert {best["name_a"], best["name_b"]} == {CENTRE, KALLIO}
    assert best["pairs_gained"] > 1_000_000
    assert best["points_min_after"] < best["points_min_before"] - 3
    # It lies at the narrows between the bays, south of Linnunlaulu.
    place = gpd.GeoSeries([best.geometry.centroid], crs=found.pairs.crs).to_crs(4326).iloc[0]
    assert 60.174 < place.y < 60.184
    assert 24.932 < place.x < 24.946


def test_the_map_is_drawn(found, railway, tmp_path):
    figure = plot_links(found.straight(), areas=found.areas, crossings=found.crossings, barriers=railway)
    figure.savefig(tmp_path / "links.png")
    assert (tmp_path / "links.png").stat().st_size > 50_000
