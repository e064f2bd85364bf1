"""Which services run on a day, which day is typical, and clocks that change."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from feeds import TIMES, WEEK, town, trips, write
from hypothesis import given, settings, strategies as st

from geoplan.errors import InputError
from geoplan.reach.runs import KINDS, noon_minus_12, route_kind, seconds_at
from geoplan.reach.services import active, as_date, choose_day, day_number, service_by_day
from geoplan.reach.timetable import read_timetable
from geoplan.sources.gtfs import Feed, read_gtfs

DATES = "service_id,date,exception_type\n"
CALLS = [("a", "08:00:00", "08:00:00"), ("b", "08:10:00", "08:10:00")]


def read(tmp_path, name="town.zip", **changes):
    return read_gtfs(write(tmp_path / name, town(**changes)))


def by_date(feed):
    days = service_by_day(feed)
    return {as_date(day).isoformat(): int(count) for day, count in days.items()}


def test_a_calendar_runs_on_its_weekdays_between_its_dates(tmp_path):
    (feed,) = read(tmp_path, calendar=WEEK + "week,1,0,0,0,0,0,1,20240204,20240213\n").feeds
    assert by_date(feed) == {
        "2024-02-04": 2, "2024-02-05": 2, "2024-02-06": 0, "2024-02-07": 0, "2024-02-08": 0, "2024-02-09": 0,
        "2024-02-10": 0, "2024-02-11": 2, "2024-02-12": 2,
    }  # fmt: skip


def test_exceptions_add_and_remove_and_what_they_do_twice_counts_once(tmp_path):
    dates = DATES + "week,20240204,1\nweek,20240205,1\nweek,20240206,2\nweek,20240210,2\n"
    (feed,) = read(tmp_path, calendar=WEEK + "week,1,1,1,0,0,0,0,20240205,20240207\n", calendar_dates=dates).feeds
    assert by_date(feed) == {"2024-02-04": 2, "2024-02-05": 2, "2024-02-06": 0, "2024-02-07": 2}


@pytest.mark.parametrize("calendar", [None, WEEK, WEEK + "none,0,0,0,0,0,0,0,20240101,20241231\n"])
def test_a_feed_may_have_calendar_dates_only(tmp_path, calendar):
    gtfs = read(tmp_path, calendar=calendar, calendar_dates=DATES + "week,20240206,1\nweek,20240208,1\n")
    assert by_date(gtfs.feeds[0]) == {"2024-02-06": 2, "2024-02-07": 0, "2024-02-08": 2}
    assert read_timetable(gtfs).date == dt.date(2024, 2, 6)


def test_a_headway_trip_counts_as_often_as_it_sets_out(tmp_path):
    frequencies = "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,09:00:00,600\nt1,09:00:00,09:01:00,600\n"
    (feed,) = read(tmp_path, frequencies=frequencies).feeds
    assert set(by_date(feed).values()) == {0, 8}


def bare(calendar, dates, services):
    """A feed of one trip a service, for what needs its calendars only."""
    empty = pd.DataFrame()
    frequencies = pd.DataFrame({name: np.zeros(0, int) for name in ("trip", "start_s", "end_s", "headway_s")})
    places = np.arange(services)
    return Feed(
        name="bare", zone="UTC", sha256="", agencies=empty, stops=empty, routes=empty,
        trips=pd.DataFrame({"service": places}), calls=pd.DataFrame({"trip": np.repeat(places, 2)}),
        services=pd.Index([str(n) for n in places]), calendar=calendar, calendar_dates=dates,
        frequencies=frequencies, transfers=empty, dropped=empty, notes=(),
    )  # fmt: skip


NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@given(
    st.lists(st.tuples(st.lists(st.booleans(), min_size=7, max_size=7), st.integers(0, 20), st.integers(0, 20)),
             max_size=3),
    st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 40)), st.booleans(), min_size=1, max_size=12),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_departures_by_day_equal_those_of_each_day_looked_up(weeks, exceptions):
    calendar = pd.DataFrame(
        [[number, *flags, start, start + length] for number, (flags, start, length) in enumerate(weeks)],
        columns=["service", *NAMES, "start", "end"],
    ).astype({"service": int, **dict.fromkeys(NAMES, bool), "start": int, "end": int})
    dates = pd.DataFrame(
        [[service, day, added] for (service, day), added in exceptions.items()], columns=["service", "day", "added"]
    )
    feed = bare(calendar, dates, 4)
    counted = service_by_day(feed)
    for day in range(-3, 50):
        assert counted.get(day, 0) == np.count_nonzero(active(feed, day)), day
    assert not len(counted) or (counted.iloc[0] > 0 and counted.iloc[-1] > 0)


# ---------------------------------------------------------------- the typical day


def services(tmp_path, counts, name="town.zip"):
    """A feed with so many trips on each date."""
    most = max(counts.values())
    texts = trips(*[(f"t{n}", CALLS) for n in range(most)])
    texts["trips"] = "route_id,service_id,trip_id\n" + "".join(f"1,s{n},t{n}\n" for n in range(most))
    rows = (f"s{n},{date.replace('-', '')},1\n" for date, count in counts.items() for n in range(count))
    return read(tmp_path, name, calendar=None, calendar_dates=DATES + "".join(rows), **texts)


def test_the_typical_tuesday_is_the_fullest_near_the_median_and_the_reason_is_said(tmp_path):
    counts = {
        "2024-02-05": 60, "2024-02-06": 38, "2024-02-13": 40, "2024-02-20": 41, "2024-02-27": 60, "2024-03-05": 3,
        "2024-03-12": 41,
    }  # fmt: skip
    day = choose_day(services(tmp_path, counts).feeds, None)
    assert day.date == dt.date(2024, 2, 20)  # 60 on the 27th is not typical, 60 on the 5th no Tuesday
    assert day.reason == (
        "the typical Tuesday: 41 departures, the most among 3 Tuesdays within 5 % of the median of 40.5 over 6 "
        "Tuesdays with service"
    )
    assert day.warnings == ()


def test_of_two_unlike_tuesdays_neither_near_the_median_the_fuller_is_taken_and_it_is_said(tmp_path):
    day = choose_day(services(tmp_path, {"2024-02-06": 3, "2024-02-13": 10}).feeds, None)
    assert day.date.day == 13
    assert day.reason == (
        "the typical Tuesday: 10 departures, the most among the 2 Tuesdays nearest the median of 6.5 over 2 Tuesdays "
        "with service"
    )


def test_without_a_tuesday_another_day_stands_for_it(tmp_path):
    day = choose_day(services(tmp_path, {"2024-02-08": 3, "2024-02-10": 9}).feeds, None)
    assert day.date == dt.date(2024, 2, 8)
    assert day.reason.startswith("no Tuesday has service; the typical Thursday: 3 departures")


def test_the_typical_day_lies_in_the_range_of_every_feed(tmp_path):
    one = services(tmp_path, {"2024-02-06": 9, "2024-02-13": 9}, "one.zip")
    two = services(tmp_path, {"2024-02-12": 2, "2024-02-13": 2, "2024-02-20": 3}, "two.zip")
    assert choose_day((*one.feeds, *two.feeds), None).date == dt.date(2024, 2, 13)


def test_feeds_whose_ranges_do_not_meet_are_refused_with_their_ranges(tmp_path):
    one = services(tmp_path, {"2024-02-06": 9}, "one.zip")
    two = services(tmp_path, {"2024-05-07": 2, "2024-05-14": 2}, "two.zip")
    with pytest.raises(InputError) as error:
        choose_day((*one.feeds, *two.feeds), None)
    assert [fault.what for fault in error.value.faults] == [
        "the feed one.zip has service from 2024-02-06 to 2024-02-06",
        "the feed two.zip has service from 2024-05-07 to 2024-05-14",
    ]


def test_a_date_outside_the_feed_is_an_error_with_its_range(tmp_path):
    feeds = services(tmp_path, {"2024-02-06": 9, "2024-02-13": 9}).feeds
    with pytest.raises(InputError) as error:
        choose_day(feeds, "2025-02-04")
    (fault,) = error.value.faults
    assert fault.what == "2025-02-04 lies outside the feed town.zip"
    assert fault.expected == "2024-02-06 to 2024-02-13"
    assert fault.hint == "the feed's typical day is 2024-02-06"


def test_a_day_of_little_service_is_warned_of_and_one_of_none_refused(tmp_path):
    gtfs = services(tmp_path, {"2024-02-06": 50, "2024-02-11": 9, "2024-02-10": 10, "2024-02-13": 50})
    assert choose_day(gtfs.feeds, "2024-02-10").warnings == ()
    words = "town.zip: 2024-02-11 has 9 departures, 18 % of the usual 50; the feed runs from 2024-02-06 to 2024-02-13"
    assert read_timetable(gtfs, date="2024-02-11").record["warnings"] == [words]
    with pytest.raises(InputError) as error:
        choose_day(gtfs.feeds, "2024-02-12")
    (fault,) = error.value.faults
    assert fault.what == "no service runs on 2024-02-12"
    assert fault.expected == "town.zip has 2024-02-06 to 2024-02-13"


def test_a_feed_that_rests_while_another_runs_is_warned_of(tmp_path):
    one = services(tmp_path, {"2024-02-06": 9, "2024-02-13": 9}, "one.zip")
    two = services(tmp_path, {"2024-02-05": 2, "2024-02-20": 3}, "two.zip")
    (words,) = choose_day((*one.feeds, *two.feeds), "2024-02-06").warnings
    assert words.startswith("two.zip: 2024-02-06 has 0 departures, 0 % of the usual 3;")


@pytest.mark.parametrize("date", [dt.date(2024, 2, 6), pd.Timestamp("2024-02-06 07:00"), "20240206"])
def test_a_date_may_be_said_in_several_ways(tmp_path, date):
    assert choose_day(services(tmp_path, {"2024-02-06": 9}).feeds, date).date == dt.date(2024, 2, 6)


@pytest.mark.parametrize("date", ["6.2.2024", "2024-02-30", "tuesday", 20240206])
def test_what_is_no_date_is_refused(tmp_path, date):
    with pytest.raises(InputError, match="is no date"):
        choose_day(services(tmp_path, {"2024-02-06": 9}).feeds, date)


# ---------------------------------------------------------------- clocks


def test_seconds_count_from_noon_minus_twelve_hours_on_days_of_clock_change():
    spring, autumn, plain = dt.date(2024, 3, 31), dt.date(2024, 10, 27), dt.date(2024, 2, 6)
    zone = "Europe/Stockholm"
    assert seconds_at(plain, zone, dt.time(0)) == 0
    assert (
        seconds_at(spring, zone, dt.time(0)) == 3600
    )  # the day has 23 hours: noon minus 12 is 23:00 of the day before
    assert seconds_at(spring, zone, dt.time(8)) == 8 * 3600
    assert seconds_at(autumn, zone, dt.time(0)) == -3600
    assert seconds_at(autumn, zone, dt.time(8)) == 8 * 3600
    assert seconds_at(plain, zone, dt.time(1), days=1) == 25 * 3600


@given(st.dates(dt.date(2000, 1, 1), dt.date(2035, 1, 1)), st.sampled_from(["Europe/Stockholm", "America/Sao_Paulo"]))
def test_two_service_days_lie_a_day_apart_but_where_clocks_change(date, zone):
    gap = noon_minus_12(date + dt.timedelta(days=1), zone) - noon_minus_12(date, zone)
    assert gap in {23 * 3600, 24 * 3600, 25 * 3600}
    assert as_date(day_number(date)) == date


NIGHT = trips(("night", [("a", "25:30:00", "25:30:00"), ("b", "26:10:00", "26:10:00")]),
              ("day", [("a", "12:00:00", "12:00:00"), ("b", "12:10:00", "12:10:00")]))  # fmt: skip
DAILY = WEEK + "week,1,1,1,1,1,1,1,20240101,20241231\n"


@pytest.mark.parametrize(
    ("date", "before", "after"),
    [
        ("2024-02-06", 5400, 25.5 * 3600),
        ("2024-03-31", 5400 + 3600, 25.5 * 3600),  # clocks went forward in the night: yesterday's 25:30 is 1:30 winter
        ("2024-10-27", 5400 - 3600, 25.5 * 3600),  # time, two and a half hours before 3:00 summer time
    ],
)
def test_yesterdays_night_trips_run_in_the_morning_also_when_clocks_change(tmp_path, date, before, after):
    timetable = read_timetable(read(tmp_path, calendar=DAILY, **NIGHT), date=date)
    trips = timetable.trips[timetable.trips["trip_id"] == "night"]
    assert trips["first_s"].tolist() == [before, after]
    assert trips["day"].tolist() == [-1, 0]
    instant = noon_minus_12(timetable.date, timetable.zone) + before
    yesterday = noon_minus_12(timetable.date - dt.timedelta(days=1), timetable.zone)
    assert instant == yesterday + 25.5 * 3600


def test_the_clock_of_the_timetable_knows_the_change(tmp_path):
    gtfs = read(tmp_path, calendar=DAILY)
    spring, plain = (read_timetable(gtfs, date=date) for date in ("2024-03-31", "2024-02-06"))
    assert plain.seconds("07:30") == plain.seconds(dt.time(7, 30)) == 27000
    assert plain.seconds("24:30:30") == 88230
    assert spring.seconds("07:30") == 27000
    assert spring.seconds("00:30") == 5400
    for wrong in ("7.30", "25", "07:61", "-1:30", "07:30:00:00"):
        with pytest.raises(InputError, match="is no time"):
            plain.seconds(wrong)


def test_tomorrows_first_trips_are_in_it_up_to_a_limit(tmp_path):
    gtfs = read(tmp_path, calendar=DAILY)
    for until, days in ((30 * 3600, [0]), (32 * 3600 + 1, [0, 1]), (34 * 3600, [0, 1])):
        timetable = read_timetable(gtfs, date="2024-02-06", until_s=until)
        assert timetable.days["day"].tolist() == days
    assert timetable.days["shift_s"].tolist() == [0, 86400]
    assert timetable.trips["first_s"].tolist() == [28800, 32400, 115200, 118800]


def test_trips_of_more_than_a_day_are_found_days_later(tmp_path):
    long = trips(
        ("long", [("a", "10:00:00", "10:00:00"), ("b", "60:00:00", "60:10:00"), ("c", "70:00:00", "70:00:00")])
    )
    timetable = read_timetable(read(tmp_path, calendar=DAILY, **long), date="2024-02-06")
    assert timetable.days["day"].tolist() == [-2, -1, 0]
    assert timetable.trips["last_s"].tolist() == [22 * 3600, 46 * 3600, 70 * 3600]


def test_feeds_in_two_zones_are_told_by_the_first_ones_clock(tmp_path):
    agency = town()["agency"].replace("Stockholm", "Helsinki")
    west, east = read(tmp_path, "west.zip"), read(tmp_path, "east.zip", agency=agency)
    timetable = read_timetable([tmp_path / "west.zip", tmp_path / "east.zip"], date="2024-02-06")
    first = timetable.trips.groupby("feed")["first_s"].apply(list)
    assert first.tolist() == [[28800, 32400], [25200, 28800]]
    assert timetable.zone == west.feeds[0].zone == "Europe/Stockholm"
    other = read_timetable([tmp_path / "east.zip", tmp_path / "west.zip"], date="2024-02-06")
    assert other.trips.groupby("feed")["first_s"].apply(list).tolist() == [[28800, 32400], [32400, 36000]]
    assert east.feeds[0].zone == other.zone


def test_an_early_trip_of_a_feed_far_in_the_east_falls_on_the_day_before(tmp_path):
    agency = town()["agency"].replace("Europe/Stockholm", "Asia/Tokyo")
    times = {"stop_times": TIMES + "t1,02:00:00,02:00:00,a,1\nt1,02:10:00,02:10:00,b,2\n"}
    write(tmp_path / "west.zip", town(calendar=DAILY))
    write(
        tmp_path / "east.zip",
        town(calendar=DAILY, agency=agency, trips="route_id,service_id,trip_id\n1,week,t1\n", **times),
    )
    timetable = read_timetable([tmp_path / "west.zip", tmp_path / "east.zip"], date="2024-02-06")
    east = timetable.trips[timetable.trips["feed"] == 1]
    assert east[["day", "first_s"]].to_numpy().tolist() == [[0, -6 * 3600], [1, 18 * 3600]]


# ---------------------------------------------------------------- kinds of routes


@pytest.mark.parametrize(
    ("number", "kind"),
    {
        0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry", 5: "cable tram", 6: "gondola", 7: "funicular",
        11: "trolleybus", 12: "monorail", 100: "rail", 109: "rail", 200: "coach", 300: "rail", 401: "metro",
        405: "monorail", 500: "metro", 600: "metro", 700: "bus", 704: "bus", 715: "bus", 800: "trolleybus",
        900: "tram", 906: "tram", 1000: "ferry", 1100: "air", 1200: "ferry", 1300: "gondola", 1400: "funicular",
        1500: "taxi", 1600: "other", 1700: "other", 8: "other", 99: "other", 1800: "other",
    }.items(),
)  # fmt: skip
def test_route_types_basic_and_extended_have_kinds(number, kind):
    assert route_kind(number) == kind
    assert kind in KINDS
