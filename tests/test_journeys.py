"""Journeys leg by leg: one after another in time and place, and as long as the matrix says."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point

from geoplan.errors import InputError
from geoplan.reach import UNREACHED, explain_trip, join_network, read_streets, read_timetable, travel_times
from geoplan.sources import home, read_vector

DAY = "2012-10-09"
APART_M = 3  # a first walk of less than a second is not told


@pytest.fixture(scope="module")
def network():
    streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    return join_network(streets, read_timetable(home() / "data/nordhamra_gtfs.zip", date=DAY))


@pytest.fixture(scope="module")
def points():
    """Ninety places anywhere in the town, the first three of them far off the streets."""
    areas = read_vector(home() / "data/nordhamra.gpkg", "basomraden").set_index("area_id")
    anywhere = gpd.GeoSeries(areas.union_all(), crs=areas.crs).sample_points(87, rng=7).explode().to_crs(4326)
    lost = [Point(17.0, 61.0), Point(17.0, 61.0), Point(18.5, 61.0)]
    shapes = [*lost, *anywhere]
    return gpd.GeoDataFrame({"geometry": shapes}, index=[f"p{row}" for row in range(len(shapes))], crs=4326)


def ends(shape, crs):
    """Return the first and the last place of a line, in metres."""
    line = gpd.GeoSeries([shape], crs=4326).to_crs(crs)[0]
    return Point(line.coords[0]), Point(line.coords[-1])


def check(journey, network, origin, destination, leave, deadline=None):
    """Hold the legs of a journey to one another."""
    legs, crs = journey.legs, network.streets.crs
    assert legs.crs == "EPSG:4326"
    assert deadline is not None or not legs["leg"].eq("wait")[-1:].any()
    assert deadline in {None, legs["end_s"].iloc[-1]}
    assert legs["leg"].eq("ride").sum() == journey.rides
    assert legs["start_s"].iloc[0] == leave
    assert (legs["end_s"] >= legs["start_s"]).all()
    assert (legs["start_s"].to_numpy()[1:] == legs["end_s"].to_numpy()[:-1]).all()
    assert legs["end_s"].iloc[-1] - leave == round(journey.minutes * 60)
    assert legs["minutes"].sum() == pytest.approx(journey.minutes)
    assert (legs["from_name"].to_numpy()[1:] == legs["to_name"].to_numpy()[:-1]).all()
    assert legs["metres"].notna().equals(legs["leg"] == "walk")
    moves = [ends(shape, crs) for shape in legs.loc[legs["leg"] != "wait", "geometry"]]
    start, goal = (point.to_crs(crs).geometry.iloc[0] for point in (origin, destination))
    places = [start, *(place for move in moves for place in move), goal]
    assert all(one.distance(other) < APART_M for one, other in zip(places[::2], places[1::2], strict=True))
    for leg in legs[legs["leg"] == "ride"].itertuples():
        assert leg.stops > 0
        assert leg.kind


@pytest.mark.parametrize(
    ("clock", "options"),
    [
        ("07:31", {}),
        ("12:07", {"rides": 1}),
        ("17:00", {"rides": 2, "slack_s": 0, "max_walk_min": 12}),
        ("08:15", {"rides": 3, "slack_s": 180, "max_egress_m": 500}),
        ("23:40", {"max_min": 90}),
        ("09:00", {"headways": "drawn", "draws": 1, "seed": 4}),
    ],
)
@pytest.mark.parametrize("moment", ["departure", "arrival"])
def test_legs_follow_one_another_and_take_what_the_matrix_says(network, points, moment, clock, options):
    when = {moment: f"{DAY} {clock}"}
    rng = np.random.default_rng(len(clock) + len(options))
    origins, goals = (points.iloc[rng.choice(len(points), 8, replace=False)] for _ in range(2))
    matrix = travel_times(origins, goals, network, **when, window_min=0, **options)
    asked = network.timetable.seconds(clock)
    options = {name: value for name, value in options.items() if name != "draws"}
    told = {"rides": 0, "walks": 0, "none": 0}
    for row in range(len(origins)):
        for column in range(len(goals)):
            origin, goal = origins.iloc[[row]], goals.iloc[[column]]
            journey = explain_trip(origin, goal, network, **when, **options)
            seconds = int(matrix.seconds[row, column, 0])
            assert journey.rides <= options.get("rides", 8)
            if seconds == UNREACHED:
                assert np.isnan(journey.minutes)
                assert journey.legs.empty
                assert journey.reason == str(journey) != ""
                told["none"] += 1
                continue
            assert round(journey.minutes * 60) == seconds
            assert not journey.reason
            if len(journey.legs):
                deadline = asked if moment == "arrival" else None
                check(journey, network, origin, goal, asked if deadline is None else asked - seconds, deadline)
                told["rides" if journey.rides else "walks"] += 1
    assert told["rides"] > 4
    assert told["walks"] > 0 or "max_walk_min" in options


def test_a_point_is_where_it_is_on_a_street_or_not(network, points):
    for one, other in (("p20", "p20"), ("p0", "p1")):
        journey = explain_trip(points.loc[[one]], points.loc[[other]], network, departure=f"{DAY} 07:30")
        assert (journey.minutes, journey.rides, journey.reason) == (0, 0, "")
        assert str(journey) == "0 min: already there"
        assert journey.legs.empty


def test_reasons_name_the_side(network, points):
    out = explain_trip(points.loc[["p0"]], points.loc[["p20"]], network, departure=f"{DAY} 07:30")
    assert "the origin is not on any street" in str(out)
    assert "from the nearest street" in str(out)
    home_again = explain_trip(points.loc[["p20"]], points.loc[["p2"]], network, departure=f"{DAY} 07:30")
    assert "the destination is not on any street" in str(home_again)
    late = explain_trip(points.loc[["p20"]], points.loc[["p40"]], network, departure=f"{DAY} 03:00", max_min=1)
    assert str(late) == "not reached within 1 min"
    with pytest.raises(InputError, match="the origin is 2 points"):
        explain_trip(points.iloc[:2], points.iloc[[3]], network, departure=f"{DAY} 07:30")


def test_of_what_is_not_drawn_every_draw_is_alike(network, points):
    ends, when = (points.loc[["p20"]], points.loc[["p41"]]), {"departure": f"{DAY} 07:30"}
    assert str(explain_trip(*ends, network, **when, draw=3)) == str(explain_trip(*ends, network, **when))
    with pytest.raises(InputError, match=r"draw cannot be -1. Expected: a whole number from 0 to 999"):
        explain_trip(*ends, network, **when, headways="drawn", draw=-1)


@pytest.mark.parametrize("draw", [0, 2])
def test_the_draw_that_is_asked_for_is_explained(network, points, draw):
    ends, asked = (points.loc[["p43"]], points.loc[["p73"]]), {"headways": "drawn", "seed": 2}
    several = travel_times(
        *ends, network, departure=f"{DAY} 09:00", window_min=0, draws=3, percentiles=(1, 50, 100), **asked
    )
    journeys = [explain_trip(*ends, network, departure=f"{DAY} 09:00", draw=each, **asked) for each in range(3)]
    found = sorted(round(journey.minutes * 60) for journey in journeys)
    assert found == several.seconds[0, 0].tolist()
    leave = journeys[draw].legs["end_s"].iloc[-1]
    by = explain_trip(*ends, network, arrival=f"{DAY} {leave // 3600:02}:{leave // 60 % 60:02}", draw=draw, **asked)
    assert by.legs["end_s"].iloc[-1] == leave // 60 * 60


def test_to_be_there_by_a_moment_one_waits_at_the_end(network, points):
    ends = points.loc[["p20"]], points.loc[["p41"]]
    journey = explain_trip(*ends, network, arrival=f"{DAY} 08:30")
    assert str(journey) == "56 min: walk 21, wait 1, bus 20 4, walk 22, wait 8"
    late = explain_trip(*ends, network, arrival=f"{DAY} 08:30", max_min=20)
    assert str(late) == "not reached within 20 min"
    with pytest.raises(InputError, match="departure and arrival are both given"):
        explain_trip(*ends, network, departure=f"{DAY} 07:30", arrival=f"{DAY} 08:30")


def test_on_streets_for_cycling_one_cycles(points):
    streets = read_streets(home() / "data/nordhamra_streets.osm.pbf", mode="cycle")
    journey = explain_trip(points.loc[["p20"]], points.loc[["p41"]], streets)
    assert journey.legs["leg"].tolist() == ["cycle"]
    assert journey.legs["metres"].notna().all()
    assert str(journey).endswith(f"min: cycle {journey.minutes:.0f}")


@pytest.mark.parametrize("ends", [(0, 390), (390, 0), (1, 390), (390, 2.5)])
def test_a_way_over_pieces_that_take_no_time_is_found(ends):
    along = [(x, 0) for x in (0, 1, 2, 3, 400)]
    shapes = [LineString(pair) for pair in pairwise(along)] + [LineString([(x, 0), (x, 9)]) for x in (1, 2, 3)]
    lines = gpd.GeoDataFrame({"kmh": 1e5}, geometry=shapes, crs=3006, index=range(len(shapes)))
    lines.geometry = lines.translate(674_000, 6_580_000)
    streets = read_streets(lines, min_subgraph=1, speed="kmh")
    assert (streets.forward_ms == 0).sum() == 6
    points = [gpd.GeoDataFrame(geometry=[Point(674_000 + x, 6_580_000)], crs=3006) for x in ends]
    journey = explain_trip(*points, streets)
    assert journey.legs["metres"].item() == pytest.approx(abs(ends[0] - ends[1]), abs=1.1)


def test_walking_alone(network, points):
    journey = explain_trip(
        points.loc[["p20"]], points.loc[["p40"]], join_network(network.streets), max_min=600, departure=""
    )
    walk = travel_times(points.loc[["p20"]], points.loc[["p40"]], network.streets, max_min=600)
    assert round(journey.minutes * 60) == walk.seconds.item()
    assert journey.legs["leg"].tolist() == ["walk"]
    assert journey.legs["metres"].item() == pytest.approx(journey.minutes * 78, rel=0.2)


def test_one_journey_in_words(network, points):
    journey = explain_trip(points.loc[["p20"]], points.loc[["p41"]], network, departure=f"{DAY} 07:30")
    assert str(journey) == "46 min: walk 15, wait 2, bus 13 7, walk 22"
    assert journey.legs["to_name"].tolist() == ["Järnåregatan", "Järnåregatan", "Granhöjden", ""]
    assert journey.legs["start"].tolist() == ["07:30", "07:45:11", "07:47", "07:54"]
    assert journey.legs["towards"].iloc[2] == "Granhöjden"
    assert journey.legs["stops"].iloc[2] == 5


def test_a_change_at_a_stop_that_takes_time_is_part_of_the_wait(network, points):
    journey = explain_trip(points.loc[["p43"]], points.loc[["p73"]], network, departure=f"{DAY} 07:31")
    assert str(journey) == "87 min: walk 25, wait 23, bus 7 10, wait 4, bus 1 11, walk 14"
