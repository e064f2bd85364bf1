"""Links on the sample town, and on a map: what is planted there is found, and what is drawn says what it is."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from shapely import LineString, box

from geoplan import home
from geoplan.errors import CrsError, SpecError
from geoplan.reach import (
    candidate_crossings,
    crossing_effects,
    gather_barriers,
    join_network,
    links,
    read_streets,
    read_timetable,
)
from geoplan.show import explore_links, plot_links, texts

DATA = home() / "data"
MAP = DATA / "nordhamra.gpkg"


@pytest.fixture(scope="module")
def areas():
    return gpd.read_file(MAP, layer="stadsdelar").set_index("area_id")


@pytest.fixture(scope="module")
def streets():
    return read_streets(DATA / "nordhamra_streets.osm.pbf")


@pytest.fixture(scope="module")
def barriers():
    roads = gpd.read_file(MAP, layer="roads")
    layers = {"water": gpd.read_file(MAP, layer="water"), "railway": gpd.read_file(MAP, layer="rail")}
    return gather_barriers(layers | {"motorway": roads[roads["kind"] == "motorway"]})


@pytest.fixture(scope="module")
def people():
    with rasterio.open(DATA / "nordhamra_population_100m.tif") as raster:
        living = raster.read(1)
        row, column = np.nonzero(living > 0)
        x, y = raster.xy(row, column)
    return gpd.GeoDataFrame({"population": living[row, column]}, geometry=gpd.points_from_xy(x, y), crs=3006)


@pytest.fixture(scope="module")
def found(areas, people, streets, barriers):
    return links(areas, people, streets, barriers=barriers, index=pd.Series(100.0, index=areas.index[:-1]))


# ---------------------------------------------------------------- the sample


def test_the_river_without_a_bridge_is_the_cause_of_the_worst_detour(found):
    worst = found.pairs.loc[found.pairs["people_detour"].idxmax()]
    assert (worst["name_a"], worst["name_b"]) == ("Tallmohöjden", "Åkersvallen")
    assert (worst["cause"], worst["cause_kind"], worst["crossings"]) == ("Hamraån", "water", 0)
    assert (worst["cause_cut_share"], worst["cause_excess_share"]) == (1.0, 1.0)
    assert worst["people_detour"] > 6
    assert found.pairs.loc[found.pairs["detour"].idxmax(), "cause"] == "Hamraån"  # between the points just as well
    assert found.lines()[0].endswith("Hamraån (water) lies between them")


def test_people_and_areas_are_all_there(found, areas, people):
    assert found.isolation["residents"].sum() == people["population"].sum()
    assert list(found.isolation.index) == list(areas.index)
    known = found.samples[found.samples["walk_m"].notna()]
    assert (known["walk_m"] >= known["straight_m"] - 0.5).all()
    assert found.isolation.loc["0099S32", "links"] == 0  # the islands have a boat and no bridge
    assert found.isolation.loc["0099S32", "min_cut"] == 0


def test_the_whole_town_hangs_by_four_bridges_over_the_river(found):
    # East and west of the river: two of Gamla Hamra, one by the motorway's side, one in the north.
    east = ["Klockängen", "Skeppsåker", "Slaggmarken", "Åkersvallen", "Övre Årummet"]
    pairs = found.pairs
    over = pairs[pairs["name_a"].isin(east) != pairs["name_b"].isin(east)]
    over = over[over["how"] == "gap"]
    assert over["crossings"].sum() == 4
    assert (found.isolation["min_cut"] <= 4).all()


def test_a_bridge_there_is_found_to_help(found, streets):
    own = found.pairs[(found.pairs["name_a"] == "Tallmohöjden") & (found.pairs["name_b"] == "Åkersvallen")]
    candidates = candidate_crossings(own, streets, spacing_m=200, reach_m=400)
    effects = crossing_effects(found, candidates, streets).frame
    assert (effects["status"] == "observed").all()
    best = effects.iloc[0]
    assert best["pairs_gained"] > 100_000
    assert best["people_min_after"] < best["people_min_before"] / 2


def test_by_public_transport(areas, people, streets):
    network = join_network(streets, read_timetable(DATA / "nordhamra_gtfs.zip", date="2012-10-09"))
    three = areas.loc[areas["name"].isin(["Granhöjden", "Fågelåsen", "Lövsvedjan"])]
    found = links(three, people, streets, network=network, departure="2012-10-09 07:30", window_min=10, samples=4)
    pairs = found.pairs
    assert (pairs["transit_min"] <= pairs["walk_min"] + 0.02).all()
    assert (pairs["people_transit_min"] <= pairs["people_walk_min"] + 0.02).all()
    assert (found.isolation["transit_share"] >= found.isolation["walk_share"]).all()
    assert found.record["transit"]["timetable"]["date"] is not None


# ---------------------------------------------------------------- the map


def two(**other):
    row = {
        "area_a": "1", "area_b": "2", "name_a": "Norr", "name_b": "<b>Söder</b>", "people_detour": 2.4,
        "people_walk_min": 21.0, "crossings": 1, "cause": "Ån", "people_reached_share": 1.0,
    }  # fmt: skip
    line = LineString([(18.0, 59.31), (18.0, 59.3)])
    return gpd.GeoDataFrame([row | other], geometry=[line], crs=4326)


GROUND = gpd.GeoDataFrame({"name": ["Norr"]}, index=["1"], geometry=[box(17.99, 59.29, 18.01, 59.32)], crs=4326)


@pytest.mark.parametrize("language", ["sv", "da", "en"])
def test_every_language_has_its_words(found, language):
    words = texts(language)
    page = explore_links(found.straight(), areas=found.areas, crossings=found.crossings, language=language).to_html()
    for key in ("links_title", "links_crossing", "links_no_way"):
        assert words[key]
    assert words["links_title"] in page
    assert words["links_people"] in page
    assert "{" not in re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_the_map_opens_offline_and_text_stays_text():
    page = explore_links(two(), areas=GROUND, source="A & B", period="2012").to_html()
    assert "<b>S" not in page
    assert "A &amp; B" in page
    assert "2012" in page


def test_the_printed_map_has_source_and_classes(found):
    figure = plot_links(found.straight(), areas=found.areas, source="Made up", period="2012", crossings=found.crossings)
    said = " ".join(text.get_text() for text in [*figure.texts, *figure.axes[0].texts, *figure.axes[1].texts])
    for part in ("Links between districts", "2012", "Source: Made up", "≥ 3.0", "Width: crossings over the border"):
        assert part in said


@pytest.mark.parametrize(
    ("other", "sign"),
    [
        ({"people_reached_share": 0.0, "people_detour": np.nan}, "no way on foot"),
        ({"people_detour": np.nan}, "not known"),
    ],
)
def test_no_way_and_no_figure_are_told_apart(other, sign):
    page = explore_links(two(**other), areas=GROUND).to_html()
    assert sign in page
    figure = plot_links(two(**other), areas=GROUND)
    assert any(sign in text.get_text() for axes in figure.axes for text in axes.texts)


@pytest.mark.parametrize("width", [3.9, 9.2, 16])
def test_widths(found, barriers, width):
    ranked = gpd.GeoDataFrame({"rank": [1]}, geometry=[found.straight().geometry.iloc[0]], crs=found.pairs.crs)
    figure = plot_links(found.straight(), areas=found.areas, barriers=barriers, candidates=ranked, width=width)
    assert figure.get_figwidth() == pytest.approx(width)
    figure.canvas.draw()


def test_what_cannot_be_drawn_is_told():
    with pytest.raises(SpecError, match="there is no column 'people_detour'"):
        plot_links(two().drop(columns="people_detour"), areas=GROUND)
    with pytest.raises(SpecError, match="there is no column 'beauty'"):
        plot_links(two(), areas=GROUND, weight="beauty")
    with pytest.raises(SpecError, match="no link has a place"):
        plot_links(two().iloc[:0], areas=GROUND)
    with pytest.raises(CrsError):
        plot_links(two().set_crs(None, allow_override=True), areas=GROUND)
    with pytest.raises(SpecError, match="there is no column 'rank'"):
        explore_links(two(), areas=GROUND, candidates=two())
    with pytest.raises(SpecError, match="numbers below 0"):
        plot_links(two(crossings=-1), areas=GROUND)
