"""``geoplan times`` and ``geoplan feed`` on the sample, and what they say of bad input: exit code 2, no traceback."""

import json
import signal
import time

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point

import geoplan as gp
from geoplan.reach import read_times
from geoplan.show import outside_requests

DATA = gp.home() / "data"
STREETS, FEED = DATA / "nordhamra_streets.osm.pbf", DATA / "nordhamra_gtfs.zip"
MOMENT = ("--departure", "2012-10-09 07:30")
BASE = ("--streets", STREETS, "--feed", FEED)


@pytest.fixture(scope="module")
def cores():
    return gp.read_vector(DATA / "nordhamra_services.gpkg", "regional_cores").to_crs(4326)


@pytest.fixture
def here(tmp_path, cores):
    """Give a folder with six points."""
    cores.to_file(tmp_path / "points.geojson")
    return tmp_path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Give streets for walking, saved: the quickest to begin with."""
    path = tmp_path_factory.mktemp("streets") / "walk.streets"
    return gp.reach.write_streets(gp.reach.read_streets(STREETS), path)


def _matrix(geoplan, here, *words, streets=STREETS, feed=FEED):
    feeds = ("--feed", feed) if feed else ()
    points = () if "--from" in words else ("--from", "points.geojson")
    return geoplan("times", "matrix", "--streets", streets, *feeds, *points, "--to", "points.geojson", *words, cwd=here)


# ---------------------------------------------------------------- what they do


def test_a_matrix_is_written_and_is_what_the_library_computes(geoplan, here, saved, cores):
    words = (*MOMENT, "--percentile", "90", "--percentile", "50", "--window", "10", "--out")
    ended = _matrix(geoplan, here, *words, "times.parquet", streets=saved)
    assert ended.code == 0, ended.err
    assert "6 points of points.geojson (service_id)" in ended.out
    assert "leaving at 07:30 and each minute after, 10 departures" in ended.out
    found = read_times(here / "times.parquet")
    network = gp.reach.join_network(gp.reach.load_streets(saved), gp.reach.read_timetable(FEED, date="2012-10-09"))
    points = cores.set_index("service_id")
    asked = {"departure": MOMENT[1], "percentiles": (50, 90), "window_min": 10}
    assert (found.seconds == gp.reach.travel_times(points, points, network, **asked).seconds).all()
    assert _matrix(geoplan, here, *words, "times.csv", streets=saved).code == 0
    table = pd.read_csv(here / "times.csv")
    assert table.columns.tolist() == ["from_id", "to_id", "percentile", "minutes"]
    assert len(table) == 72
    assert sorted(path.name for path in here.iterdir()) == ["points.geojson", "times.csv", "times.parquet"]


def test_a_matrix_by_arrival_from_areas_of_the_catalogue(geoplan, here, saved):
    words = ("--from", "nordhamra_stadsdelar", "--points-of-areas", "--arrival", "2012-10-09 08:00", "--json")
    ended = _matrix(geoplan, here, *words, "--window", "1", streets=saved)
    told = json.loads(ended.out)
    assert (told["origins"], told["destinations"], told["departures"]) == (32, 6, 1)
    assert told["percentiles"][0]["reached"] > 0.8
    assert told["sources"][0].startswith("nordhamra_streets.osm.pbf (")


def test_streets_alone_need_no_moment(geoplan, here, saved):
    ended = _matrix(geoplan, here, "--json", streets=saved, feed=None)
    assert json.loads(ended.out)["percentiles"][0]["reached"] == 1


def test_points_off_the_streets_are_listed_with_the_reason(geoplan, here, saved, cores):
    off = cores.assign(geometry=[Point(2, 48), None, *cores.geometry[2:]])
    off.to_file(here / "off.geojson")
    ended = _matrix(geoplan, here, "--from", "off.geojson", streets=saved, feed=None)
    assert "2 points are not on any street, and not reached:" in ended.out
    assert "m from the nearest street, farther than 1,600 m" in ended.out
    assert "no coordinates" in ended.out


def test_a_folder_is_gone_on_with_and_that_of_another_question_refused(geoplan, here, saved):
    words = ("--folder", "kept", "--json")
    first = _matrix(geoplan, here, *words, streets=saved, feed=None)
    assert json.loads(first.out) == json.loads(_matrix(geoplan, here, *words, streets=saved, feed=None).out)
    other = _matrix(geoplan, here, *words, "--max-min", "10", streets=saved, feed=None)
    assert other.code == 2
    assert "key '--folder': the folder kept holds the answer to another question" in other.err


def test_a_trip_is_explained_and_drawn(geoplan, here, saved):
    places = ("--points", "nordhamra_basomraden", "--points-of-areas", "--from", "00991801", "--to", "59.7764,17.1004")
    words = ("times", "explain", "--streets", saved, "--feed", FEED, *places, *MOMENT)
    ended = geoplan(*words, "--map", "trip.html", "--backdrop", "nordhamra_water", cwd=here)
    assert ended.code == 0, ended.err
    assert "metro T1" in ended.out
    assert "Granhöjden" in ended.out
    page = (here / "trip.html").read_text(encoding="utf-8")
    assert "Granh" in page
    assert outside_requests(page) == []
    assert geoplan(*words, "--map", "trip.png", "--language", "sv", cwd=here).code == 0
    told = json.loads(geoplan(*words, "--json", cwd=here).out)
    assert [leg["leg"] for leg in told["legs"]] == ["walk", "wait", "ride", "walk"]
    assert told["minutes"] == pytest.approx(sum(leg["minutes"] for leg in told["legs"]))


def test_a_trip_to_be_there_by_a_moment_is_explained(geoplan, here, saved):
    places = ("--points", "nordhamra_basomraden", "--points-of-areas", "--from", "00991801", "--to", "59.7764,17.1004")
    words = ("times", "explain", "--streets", saved, "--feed", FEED, *places, "--arrival", "2012-10-09 08:30")
    ended = geoplan(*words, "--map", "trip.html", cwd=here)
    assert "to be there by 2012-10-09 08:30" in ended.out
    assert "at Destination" in (here / "trip.html").read_text(encoding="utf-8")
    told = json.loads(geoplan(*words, "--json", cwd=here).out)
    assert told["legs"][-1]["leg"] == "wait"
    assert told["legs"][-1]["end"] == "08:30"
    assert told["minutes"] == pytest.approx(sum(leg["minutes"] for leg in told["legs"]))


def test_a_trip_by_bicycle_is_explained_and_drawn(geoplan, here):
    words = ("times", "explain", "--streets", STREETS, "--from", "59.7764,17.1004", "--to", "59.77,17.09")
    ended = geoplan(*words, "--mode", "cycle", "--map", "trip.html", "--language", "da", cwd=here)
    assert ": cycle " in ended.out
    assert "Cykl " in (here / "trip.html").read_text(encoding="utf-8")


def test_a_trip_to_where_one_is_has_nothing_to_draw(geoplan, here, saved):
    place = ("--from", "59.77,17.09", "--to", "59.77,17.09", "--map", "trip.html")
    ended = geoplan("times", "explain", "--streets", saved, *place, cwd=here)
    assert "already there" in ended.out
    assert "There is nothing to draw." in ended.out
    assert not (here / "trip.html").exists()


def test_saved_streets_keep_their_mode(geoplan, here):
    ended = geoplan("times", "streets", STREETS, "--mode", "cycle", "--out", "cycle.zip", cwd=here)
    assert ended.code == 0
    assert "cycle: 5,791 junctions" in ended.out
    assert _matrix(geoplan, here, streets="cycle.zip", feed=None).code == 0
    other = _matrix(geoplan, here, "--mode", "walk", streets="cycle.zip", feed=None)
    assert "the streets were saved for cycle" in other.err
    other = _matrix(geoplan, here, *MOMENT, streets="cycle.zip")
    assert "Hint: public transport is reached on foot" in other.err


def test_a_feed_is_reported_and_its_stops_drawn(geoplan, here):
    words = ("feed", "report", FEED, "--map")
    ended = geoplan(*words, "stops.html", "--backdrop", "nordhamra_rail", cwd=here)
    assert ended.code == 0, ended.err
    assert "2012-01-10: the typical Tuesday: 1,492 departures" in ended.out
    page = (here / "stops.html").read_text(encoding="utf-8")
    assert "Hamra torg" in page
    assert outside_requests(page) == []
    assert geoplan(*words, "stops.png", "--language", "da", cwd=here).code == 0
    told = json.loads(geoplan("feed", "report", FEED, "--date", "2012-12-24", "--json", cwd=here).out)
    assert told["date"] == "2012-12-24"
    assert {"stop_id", "name", "departures"} <= set(told["stops"][0])


def test_a_feed_is_checked_and_its_days_told(geoplan, here):
    assert "1 feed checked, no faults." in geoplan("feed", "check", FEED, cwd=here).out
    ended = geoplan("feed", "days", FEED, cwd=here)
    assert ended.code == 0
    assert "Saturday     52   1,074   1,074  1,094" in ended.out
    assert len(json.loads(geoplan("feed", "days", FEED, "--json", cwd=here).out)["service"]) == 366
    assert "2012-12-31" in geoplan("feed", "days", FEED, "--all", cwd=here).out


def test_a_faulty_feed_ends_with_2_or_lists_what_it_would_leave_out(geoplan, here):
    folder = here / "feed"
    folder.mkdir()
    for name, text in {
        "agency": "agency_name,agency_timezone\nTown,Europe/Stockholm",
        "stops": "stop_id,stop_lat,stop_lon\na,59.30,18.00\nb,59.31,18.01\nc,,",
        "routes": "route_id,route_type\n1,3",
        "trips": "route_id,service_id,trip_id\n1,s,t",
        "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "t,08:00:00,08:00:00,a,1\nt,08:10:00,08:10:00,b,2\nt,08:20:00,08:20:00,nowhere,3",
        "calendar_dates": "service_id,date,exception_type\ns,20240206,1",
    }.items():
        (folder / f"{name}.txt").write_text(text)
    ended = geoplan("feed", "check", "feed", cwd=here)
    assert ended.code == 2
    assert len(ended.faults) >= 2
    ended = geoplan("feed", "check", "feed", "--no-strict", cwd=here)
    assert ended.code == 0
    assert "would be left out" in ended.out
    told = json.loads(geoplan("feed", "check", "feed", "--no-strict", "--json", cwd=here).out)
    assert len(told["dropped"]) >= 2


# ---------------------------------------------------------------- bad input


def _points(**changes):
    def write(here, cores):
        cores.assign(**changes).to_file(here / "bad.geojson")

    return write


def _swapped(here, cores):
    cores.assign(geometry=[Point(point.y, point.x) for point in cores.geometry]).to_file(here / "bad.geojson")


def _no_system(here, cores):
    frame = gpd.GeoDataFrame(cores.drop(columns="geometry"), geometry=list(cores.to_crs(3006).geometry))
    with pytest.warns(UserWarning, match="crs"):
        frame.to_file(here / "bad.gpkg")


def _areas(here, cores):
    cores.to_crs(3006).assign(geometry=cores.to_crs(3006).buffer(50)).to_file(here / "bad.geojson")


def _lines(here, cores):
    cores.to_crs(3006).assign(geometry=cores.to_crs(3006).buffer(50).boundary).to_file(here / "bad.geojson")


def _no_id(here, cores):
    cores.drop(columns="service_id").to_file(here / "bad.geojson")


POINTS = {
    "missing": (None, "bad.geojson", "bad.geojson, key '--from': there is no such file."),
    "no layer": (None, "nordhamra_worplaces", "there is no such file, and no layer is called so"),
    "not points": (None, "nordhamra_water", "the layer 'nordhamra_water' is of kind 'backdrop'"),
    "empty": (lambda here, _: (here / "bad.geojson").write_bytes(b""), "bad.geojson", "it has 0 bytes"),
    "no json": (lambda here, _: (here / "bad.geojson").write_text("<html>"), "bad.geojson", "this is not valid JSON"),
    "no system": (_no_system, "bad.gpkg", "key '--from': the geometries have no coordinate system."),
    "swapped": (_swapped, "bad.geojson", "Hint: the coordinates are swapped"),
    "areas": (_areas, "bad.geojson", "Hint: --points-of-areas takes a point inside each"),
    "lines": (_lines, "bad.geojson", "6 geometries are no point but 'LineString'"),
    "twice": (_points(service_id="A"), "bad.geojson", "column 'service_id': 1 id(s) occur more than once: 'A'."),
    "no id": (_no_id, "bad.geojson", "key '--from-id': which column holds the ids is not said."),
}


@pytest.mark.parametrize("case", POINTS)
def test_bad_points(geoplan, here, saved, cores, case):
    alter, name, said = POINTS[case]
    if alter:
        alter(here, cores)
    ended = _matrix(geoplan, here, "--from", name, "--out", "times.csv", streets=saved, feed=None)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not (here / "times.csv").exists()


OPTIONS = {
    "outside the feed": (("--departure", "2014-10-07 07:30"), "Expected: 2012-01-01 to 2012-12-31."),
    "no date": (("--departure", "2012-13-09 07:30"), "'2012-13-09 07:30' is no moment."),
    "no time": (("--departure", "2012-10-09"), "'2012-10-09' has no time of day."),
    "no moment": ((), "key '--departure': it is not said when."),
    "two moments": ((*MOMENT, "--arrival", "2012-10-09 08:00"), "departure and arrival are both given"),
    "percentile": ((*MOMENT, "--percentile", "150"), "key '--percentile': percentiles cannot be 150."),
    "percentile twice": ((*MOMENT, "--percentile", "50", "--percentile", "50"), "key '--percentile'"),
    "percentile in words": ((*MOMENT, "--percentile", "half"), "--percentile"),
    "rides": ((*MOMENT, "--rides", "30"), "key '--rides': it cannot be 30. Expected: a whole number from 0 to 20."),
    "max min": ((*MOMENT, "--max-min", "-1"), "key '--max-min': it cannot be -1.0."),
    "mode": ((*MOMENT, "--mode", "drive"), "public transport is reached on foot, not with drive"),
    "column": ((*MOMENT, "--from-id", "kod"), "key '--from-id': there is no column 'kod' in the data."),
    "no format": ((*MOMENT, "--out", "times.doc"), "key '--out': 'times.doc' names no format."),
    "no folder": ((*MOMENT, "--out", "nowhere/times.csv"), "the folder nowhere does not exist"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_bad_options(geoplan, here, saved, case):
    words, said = OPTIONS[case]
    ended = _matrix(geoplan, here, *words, streets=saved)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


FILES = {
    "no streets": (("times", "matrix", "--streets", "none.pbf", "--from", "points.geojson", "--to", "points.geojson"),
                   "none.pbf: there is no such file."),
    "html as streets": (("times", "streets", "page.zip"), "page.zip: this is not a file of streets."),
    "no bytes as streets": (("times", "streets", "empty.zip"), "empty.zip: the file is empty"),
    "a feed as streets": (("times", "streets", FEED), "this is not a file of streets."),
    "an unknown mode": (("times", "streets", STREETS, "--mode", "fly"), "--mode"),
    "no folder for streets": (("times", "streets", STREETS, "--out", "nowhere/a.streets"), "does not exist"),
    "html as a feed": (("feed", "report", "page.zip"), "page.zip: the file is not a sound zip"),
    "no bytes as a feed": (("feed", "check", "empty.zip", "page.zip"), "empty.zip: the file is empty (0 bytes)."),
    "no feed": (("feed", "days", "none.zip"), "none.zip: there is no such file."),
    "outside the feed": (("feed", "report", FEED, "--date", "2014-01-01"), "Expected: 2012-01-01 to 2012-12-31."),
    "no date": (("feed", "days", FEED, "--date", "tomorrow"), "key '--date': 'tomorrow' is no date."),
    "no map": (("feed", "report", FEED, "--map", "map.doc"), "key '--map': 'map.doc' names no format."),
    "no backdrop": (("feed", "report", FEED, "--map", "map.html", "--backdrop", "sea"), "key '--backdrop'"),
    "no language": (("feed", "report", FEED, "--map", "map.html", "--language", "fi"), "key '--language'"),
    "two moments": (("times", "explain", *BASE, *MOMENT, "--arrival", "2012-10-09 08:00", "--from", "59.77,17.1",
                     "--to", "59.77,17.1"), "departure and arrival are both given"),
    "a feed by bicycle": (("times", "explain", *BASE, *MOMENT, "--mode", "cycle", "--from", "59.77,17.1",
                           "--to", "59.77,17.1"), "public transport is reached on foot, not with cycle"),
    "no place": (("times", "explain", *BASE, *MOMENT, "--from", "X", "--to", "59.77,17.1"), "'X' is no place."),
    "no degrees": (("times", "explain", *BASE, *MOMENT, "--from", "617000,6627000", "--to", "59.77,17.1"),
                   "is no latitude and longitude"),
    "a misspelt point": (("times", "explain", *BASE, *MOMENT, "--points", "points.geojson", "--from", "K01",
                          "--to", "K002"), "Hint: did you mean 'K001'?"),
    "swapped": (("times", "explain", *BASE, *MOMENT, "--from", "17.1,59.77", "--to", "59.77,17.1"),
                "Hint: the coordinates are swapped"),
    "nothing at all": (("times", "explain", "--from", "1,2", "--to", "3,4"), "--streets"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_bad_files_and_places(geoplan, here, case):
    (here / "empty.zip").write_bytes(b"")
    (here / "page.zip").write_text("<html><body>404</body></html>")
    before = sorted(here.iterdir())
    words, said = FILES[case]
    ended = geoplan(*words, cwd=here)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert sorted(here.iterdir()) == before


def test_interrupted_a_folder_keeps_what_is_done(command, here, saved):
    words = ("--from", "nordhamra_workplaces", "--to", "nordhamra_workplaces", "--threads", "1", "--folder", "kept")
    words += ("--window", "600")  # long enough to be stopped on a busy machine
    began = command("times", "matrix", "--streets", saved, "--feed", FEED, *words, *MOMENT, cwd=here)
    until = time.monotonic() + 60
    while not (here / "kept" / "question.json").exists() and time.monotonic() < until and began.poll() is None:
        time.sleep(0.02)
    began.send_signal(signal.SIGINT)
    _, said = began.communicate(timeout=60)
    assert began.returncode == 130, said
    assert "what is done is kept in kept, and the same command goes on from there" in said
    assert "Traceback" not in said
