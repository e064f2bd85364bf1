"""Reading GTFS: every fault is found, placed and worded, or left out and listed."""

import numpy as np
import pytest
from feeds import STOPS, TIMES, WEEK, town, write, zipped
from hypothesis import given, settings, strategies as st

from geoplan.errors import InputError, SpecError
from geoplan.reach.feed_report import feed_report
from geoplan.sources.gtfs import read_gtfs

T1 = "t1,08:00:00,08:00:00,a,1\nt1,08:05:00,08:06:00,b,2\nt1,08:15:00,08:15:00,c,3\n"
T2 = "t2,09:00:00,09:00:00,a,1\nt2,09:05:00,09:06:00,b,2\nt2,09:15:00,09:15:00,c,3\n"
BACKWARDS = "time runs backwards: the trip is here at 'T', before it left an earlier stop"
ZONES = "the time zone 'Europe/Helsinki' is not that of the first, Europe/Stockholm"
MANY = "".join(f"s{n},S{n},59.{n:02},18.0{n % 10}\n" for n in range(10, 40))


def refused(path):
    with pytest.raises(InputError) as error:
        read_gtfs(path)
    return error.value.faults


def only(path):
    return read_gtfs(path, strict=False).feeds[0]


#: What is changed → file, row, column, the fault's words, and how many trips, calls and stops are left without it.
FAULTS = {
    "trip id twice": (
        {"trips": "route_id,service_id,trip_id\n1,week,t1\n1,week,t2\n1,week,t1\n"},
        ("trips.txt", 4, "trip_id", "the trip_id 't1' stands twice", (2, 6, 4)),
    ),
    "stop id twice": (
        {"stops": STOPS + "a,Again,59.4,18.0\n"},
        ("stops.txt", 6, "stop_id", "the stop_id 'a' stands twice", (2, 6, 4)),
    ),
    "route id twice": (
        {"routes": "route_id,route_type\n1,3\n1,0\n"},
        ("routes.txt", 3, "route_id", "the route_id '1' stands twice", (2, 6, 4)),
    ),
    "blank trip id": (
        {"trips": "route_id,service_id,trip_id\n1,week,t1\n1,week,t2\n1,week,\n"},
        ("trips.txt", 4, "trip_id", "the trip_id is blank", (2, 6, 4)),
    ),
    "stop without coordinates": (
        {"stops": STOPS.replace("59.31,18.00", ",")},
        ("stops.txt", 3, "stop_lat", "the stop 'b' has no coordinates", (2, 4, 3)),
    ),
    "stop at 0,0": (
        {"stops": STOPS.replace("59.31,18.00", "0,0.0")},
        ("stops.txt", 3, "stop_lat", "the stop 'b' lies at 0,0, in the sea off Africa", (2, 4, 3)),
    ),
    "swapped": (
        {"stops": STOPS.replace("59.31,18.00", "18.00,59.31")},
        ("stops.txt", 3, "stop_lat", "the stop 'b' does not lie where the others do", (2, 4, 3)),
    ),
    "swapped, and off the globe": (
        {"stops": STOPS.replace("59.", "35.").replace("18.00", "139.7").replace("35.31,139.7", "139.7,35.31")},
        ("stops.txt", 3, "stop_lat", "the stop 'b' does not lie where the others do", (2, 4, 3)),
    ),
    "off the globe": (
        {"stops": STOPS.replace("59.31,18.00", "159.31,218.00")},
        ("stops.txt", 3, "stop_lat", "the stop 'b' lies off the globe", (2, 4, 3)),
    ),
    "no number": (
        {"stops": STOPS.replace("59.31,18.00", "59.31,east")},
        ("stops.txt", 3, "stop_lon", "'east' is no number", (2, 4, 3)),
    ),
    "unknown parent": (
        {"stops": "stop_id,stop_lat,stop_lon,parent_station\na,59.3,18,hall\nb,59.31,18,\nc,59.33,18,\n"},
        ("stops.txt", 2, "parent_station", "unknown parent_station 'hall'", (2, 6, 3)),
    ),
    "unknown stop": (
        {"stop_times": TIMES + T1 + T2.replace(",b,", ",bb,")},
        ("stop_times.txt", 6, "stop_id", "unknown stop_id 'bb'", (2, 5, 4)),
    ),
    "blank stop": (
        {"stop_times": TIMES + T1 + T2.replace(",b,", ",,")},
        ("stop_times.txt", 6, "stop_id", "the stop_id is blank", (2, 5, 4)),
    ),
    "unknown trip": (
        {"stop_times": TIMES + T1 + T2 + "t3,10:00:00,10:00:00,a,1\n"},
        ("stop_times.txt", 8, "trip_id", "unknown trip_id 't3'", (2, 6, 4)),
    ),
    "unknown route": (
        {"trips": "route_id,service_id,trip_id\n1,week,t1\n2,week,t2\n"},
        ("trips.txt", 3, "route_id", "unknown route_id '2'", (1, 3, 4)),
    ),
    "unknown service": (
        {"trips": "route_id,service_id,trip_id\n1,week,t1\n1,weak,t2\n"},
        ("trips.txt", 3, "service_id", "unknown service_id 'weak'", (1, 3, 4)),
    ),
    "route type": (
        {"routes": "route_id,route_type\n1,3\n2,bus\n"},
        ("routes.txt", 3, "route_type", "the route type 'bus' is not a whole number", (2, 6, 4)),
    ),
    "location type": (
        {"stops": "stop_id,stop_lat,stop_lon,location_type\na,59.3,18,\nb,59.31,18,0\nc,59.33,18,9\n"},
        ("stops.txt", 4, "location_type", "the location type is '9'", (2, 4, 2)),
    ),
    "calls at a station": (
        {"stops": "stop_id,stop_lat,stop_lon,location_type\na,59.3,18,\nb,59.31,18,1\nc,59.33,18,0\n"},
        ("stop_times.txt", 3, "stop_id", "nothing can call at 'b', which is no stop or platform", (2, 4, 3)),
    ),
    "leaves before it arrives": (
        {"stop_times": TIMES + T1 + T2.replace("09:05:00,09:06:00", "09:06:00,09:05:00")},
        ("stop_times.txt", 6, "departure_time", "time runs backwards: the trip leaves at '09:05:00', before it arrives",
         (1, 3, 4)),
    ),
    "runs backwards": (
        {"stop_times": TIMES + T1 + T2.replace("09:15:00,09:15:00", "09:04:00,09:04:00")},
        ("stop_times.txt", 7, "arrival_time", BACKWARDS.replace("T", "09:04:00"), (1, 3, 4)),
    ),
    "runs backwards over a blank": (
        {"stop_times": TIMES + T1 + T2.replace("09:05:00,09:06:00", ",").replace("09:15:00,09:15:00", "08:00:00,")},
        ("stop_times.txt", 7, "arrival_time", BACKWARDS.replace("T", "08:00:00"), (1, 3, 4)),
    ),
    "no time": (
        {"stop_times": TIMES + T1 + T2.replace("09:05:00,", "9.05,")},
        ("stop_times.txt", 6, "arrival_time", "'9.05' is no time", (1, 3, 4)),
    ),
    "no time at the end": (
        {"stop_times": TIMES + T1 + T2.replace("09:15:00,09:15:00", ",")},
        ("stop_times.txt", 7, "trip_id", "the trip 't2' has no time at its first or last stop", (1, 3, 4)),
    ),
    "sequence twice": (
        {"stop_times": TIMES + T1 + T2.replace(",c,3", ",c,2")},
        ("stop_times.txt", 7, "stop_sequence", "the sequence '2' stands twice in its trip", (2, 5, 4)),
    ),
    "sequence no number": (
        {"stop_times": TIMES + T1 + T2.replace(",c,3", ",c,last")},
        ("stop_times.txt", 7, "stop_sequence", "the sequence is 'last'", (1, 3, 4)),
    ),
    "no date": (
        {"calendar": WEEK + "week,1,1,1,1,1,0,0,20240101,20240630\nx,1,1,1,1,1,0,0,20240101,20240231\n"},
        ("calendar.txt", 3, "end_date", "'20240231' is no date", (2, 6, 4)),
    ),
    "dates turned": (
        {"calendar": WEEK + "week,1,1,1,1,1,0,0,20240101,20240630\nx,1,1,1,1,1,0,0,20240630,20240101\n"},
        ("calendar.txt", 3, "end_date", "the end date '20240101' comes before the start date", (2, 6, 4)),
    ),
    "no flag": (
        {"calendar": WEEK + "week,1,1,1,1,1,0,0,20240101,20240630\nx,1,yes,1,1,1,0,0,20240101,20240630\n"},
        ("calendar.txt", 3, "tuesday", "'yes' is neither 1 nor 0", (2, 6, 4)),
    ),
    "exception type": (
        {"calendar_dates": "service_id,date,exception_type\nweek,20240206,3\n"},
        ("calendar_dates.txt", 2, "exception_type", "the exception type is '3'", (2, 6, 4)),
    ),
    "exception twice": (
        {"calendar_dates": "service_id,date,exception_type\nweek,20240206,1\nweek,20240206,2\n"},
        ("calendar_dates.txt", 3, "service_id", "the service 'week' has this date twice", (2, 6, 4)),
    ),
    "headway": (
        {"frequencies": "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,09:00:00,0\n"},
        ("frequencies.txt", 2, "headway_secs", "the headway is '0'", (2, 6, 4)),
    ),
    "headway's end": (
        {"frequencies": "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,08:00:00,60\n"},
        ("frequencies.txt", 2, "end_time", "the end '08:00:00' does not come after the start", (2, 6, 4)),
    ),
    "headway's time": (
        {"frequencies": "trip_id,start_time,end_time,headway_secs\nt1,eight,09:00:00,60\n"},
        ("frequencies.txt", 2, "start_time", "'eight' is no time", (2, 6, 4)),
    ),
    "headway's trip": (
        {"frequencies": "trip_id,start_time,end_time,headway_secs\nt9,08:00:00,09:00:00,60\n"},
        ("frequencies.txt", 2, "trip_id", "unknown trip_id 't9'", (2, 6, 4)),
    ),
    "transfer type": (
        {"transfers": "from_stop_id,to_stop_id,transfer_type\na,b,7\n"},
        ("transfers.txt", 2, "transfer_type", "the transfer type is '7'", (2, 6, 4)),
    ),
    "transfer without stops": (
        {"transfers": "from_stop_id,to_stop_id,transfer_type\na,,2\n"},
        ("transfers.txt", 2, None, "a transfer does not name its two stops", (2, 6, 4)),
    ),
    "transfer's time": (
        {"transfers": "from_stop_id,to_stop_id,transfer_type,min_transfer_time\na,b,2,-60\n"},
        ("transfers.txt", 2, "min_transfer_time", "the least time is '-60'", (2, 6, 4)),
    ),
    "transfer's trips": (
        {"transfers": "from_stop_id,to_stop_id,transfer_type,from_trip_id\na,b,4,t1\n"},
        ("transfers.txt", 2, "transfer_type", "a transfer of type 4 does not name its two trips", (2, 6, 4)),
    ),
    "two zones": (
        {"agency": "agency_name,agency_timezone\nx,Europe/Stockholm\ny,Europe/Helsinki\n"},
        ("agency.txt", 3, "agency_timezone", ZONES, (2, 6, 4)),
    ),
    "ragged": (
        {"trips": "route_id,service_id,trip_id\n1,week,t1\n\n1,week,t2\n1,week\n"},
        ("trips.txt", 5, None, "the row has 2 fields", (2, 6, 4)),
    ),
    "0 bytes": (
        {"frequencies": ""},
        ("frequencies.txt", None, None, "the file is empty (0 bytes)", (2, 6, 4)),
    ),
    "optional file lacks a column": (
        {"frequencies": "trip_id,start_time,endtime,headway_secs\nt1,08:00:00,09:00:00,60\n"},
        ("frequencies.txt", None, None, "there is no column 'end_time'", (2, 6, 4)),
    ),
    "column twice": (
        {"frequencies": "trip_id,start_time,end_time,headway_secs,trip_id\nt1,08:00:00,09:00:00,60,t1\n"},
        ("frequencies.txt", None, None, "columns stand twice: 'trip_id'", (2, 6, 4)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_placed_and_worded_or_left_out_and_listed(tmp_path, name):
    changes, (file, row, column, what, left) = FAULTS[name]
    path = write(tmp_path / "town.zip", town(**changes))
    fault, *others = refused(path)
    assert {other.what for other in others} <= {what}
    assert (fault.file, fault.row, fault.column, fault.what) == (f"town.zip/{file}", row, column, what)
    feed = only(path)
    assert (len(feed.trips), len(feed.calls), len(feed.stops)) == left
    first = feed.dropped.iloc[0]
    assert first["file"] == file
    assert first["action"]


#: Nothing can be read without it, strict or not.
FATAL = {
    "no stops.txt": ({"stops": None}, "town.zip/stops.txt: the file is missing from the feed."),
    "no calendar": (
        {"calendar": None},
        "town.zip/calendar.txt: neither calendar.txt nor calendar_dates.txt can be read: no trip has a day.",
    ),
    "empty calendar": ({"calendar": WEEK}, "town.zip/calendar.txt: the calendar is empty: no service runs on any day."),
    "calendar of noughts": (
        {"calendar": WEEK + "week,0,0,0,0,0,0,0,20240101,20240630\n"},
        "town.zip/calendar.txt: the calendar is empty: no service runs on any day.",
    ),
    "missing column": (
        {"stops": STOPS.replace("stop_lat", "stop_latt")},
        "town.zip/stops.txt: there is no column 'stop_lat'. Hint: did you mean 'stop_latt'?",
    ),
    "0 bytes": ({"stop_times": ""}, "town.zip/stop_times.txt: the file is empty (0 bytes)."),
    "header only": ({"stop_times": TIMES}, "town.zip/stop_times.txt: the file has a header and no rows."),
    "semicolons": (
        {"stops": STOPS.replace(",", ";")},
        "town.zip/stops.txt: its columns are separated by semicolons. Expected: commas.",
    ),
    "no zone": (
        {"agency": "agency_name,agency_timezone\nx,Europe/Stokholm\n"},
        "town.zip/agency.txt, row 2, column 'agency_timezone': no time zone is called 'Europe/Stokholm'.",
    ),
    "nothing left": (
        {"trips": "route_id,service_id,trip_id\n2,week,t1\n2,week,t2\n"},
        "town.zip/stop_times.txt: no trip is left that calls anywhere.",
    ),
}


@pytest.mark.parametrize("name", FATAL)
@pytest.mark.parametrize("strict", [True, False])
def test_without_some_things_nothing_can_be_read(tmp_path, name, strict):
    changes, words = FATAL[name]
    path = write(tmp_path / "town.zip", town(**changes))
    with pytest.raises(InputError) as error:
        read_gtfs(path, strict=strict)
    assert words in str(error.value)


def test_all_faults_of_all_feeds_come_as_one_error_and_the_many_of_a_kind_are_counted(tmp_path):
    late = "".join(f"t9,10:{n:02}:00,10:{n:02}:00,a,{n}\n" for n in range(10))
    one = write(tmp_path / "one.zip", town(stop_times=TIMES + T1 + T2 + late, stops=STOPS + "e,East,,\n"))
    two = write(tmp_path / "two.zip", town(trips="route_id,service_id,trip_id\n1,week,t1\n1,none,t2\n"))
    faults = refused([one, two])
    assert [fault.what for fault in faults] == [
        "the stop 'e' has no coordinates",
        *["unknown trip_id 't9'"] * 3,
        "7 more rows: unknown trip_id '…'",
        "unknown service_id 'none'",
    ]
    assert [fault.row for fault in faults] == [6, 8, 9, 10, None, 3]
    assert faults[-1].expected == "an id of calendar.txt or calendar_dates.txt"
    dropped = read_gtfs([one, two], strict=False).dropped
    assert dropped[["feed", "file", "rows", "first_row"]].to_numpy().tolist() == [
        ["one.zip", "stops.txt", 1, 6],
        ["one.zip", "stop_times.txt", 10, 8],
        ["two.zip", "trips.txt", 1, 3],
        ["two.zip", "stop_times.txt", 3, 5],  # the calls of the trip without a service, which are no fault of theirs
    ]


def test_a_swapped_stop_among_many_is_a_fault_and_one_that_is_merely_far_a_note(tmp_path):
    stops = STOPS + MANY + "x,X,18.05,59.35\ny,Y,51.5,-0.1\n"
    path = write(tmp_path / "town.zip", town(stops=stops))
    (fault,) = refused(path)
    assert (fault.what, fault.row) == ("the stop 'x' does not lie where the others do", 36)
    assert fault.hint == "latitude and longitude look swapped: swapped back it lies among the others"
    assert only(path).notes == (
        "town.zip: half of the stops lie within 9 km of their middle, but 1 over 300 km off: 'y'; they are kept",
    )


def test_a_feed_of_which_all_stops_are_swapped_lies_where_its_clock_does_not(tmp_path):
    swapped = "stop_id,stop_lat,stop_lon\na,18.00,59.30\nb,18.00,59.31\nc,18.00,59.33\nd,18.00,59.34\n"
    path = write(tmp_path / "town.zip", town(stops=swapped))
    faults = refused(path)
    assert faults[0].what == "the stop 'a' does not lie where clocks show Europe/Stockholm"
    assert faults[0].hint == "latitude and longitude of all stops look swapped"
    assert [fault.row for fault in faults] == [2, 3, 4, None]
    feed = only(path)
    assert feed.dropped["action"].tolist() == ["the stop is kept where the feed puts it"]
    assert len(feed.stops) == 4


@pytest.mark.parametrize(
    ("lat", "lon", "zone"),
    [
        (39.5, 76.0, "Asia/Shanghai"),
        (-30.0, -51.2, "America/Sao_Paulo"),
        (-54.8, -68.3, "America/Argentina/Ushuaia"),
        (-21.0, 55.5, "Europe/Paris"),
        (16.2, -61.5, "Europe/Paris"),
        (28.1, -15.4, "Europe/Madrid"),
        (64.1, -21.9, "Atlantic/Reykjavik"),
        (-17.7, 178.0, "Pacific/Fiji"),
        (-13.8, -171.8, "Pacific/Apia"),
        (18.0, 59.3, "UTC"),
    ],
)
def test_clocks_far_from_the_sun_are_no_fault(tmp_path, lat, lon, zone):
    stops = "stop_id,stop_lat,stop_lon\n" + "".join(f"{name},{lat},{lon}\n" for name in "abcd")
    agency = f"agency_name,agency_timezone\nTown,{zone}\n"
    assert only(write(tmp_path / "town.zip", town(stops=stops, agency=agency))).dropped.empty


def test_stops_off_the_globe_may_be_swapped(tmp_path):
    stops = "stop_id,stop_lat,stop_lon\n" + "".join(f"{name},151.2,-33.9\n" for name in "abcd")
    assert refused(write(tmp_path / "town.zip", town(stops=stops)))[0].hint == "latitude and longitude may be swapped"


def test_a_trip_whose_headways_are_all_left_out_is_said(tmp_path):
    often = "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,09:00:00,0\nt2,08:00:00,09:00:00,0\n"
    path = write(tmp_path / "town.zip", town(frequencies=often + "t2,09:00:00,10:00:00,60\n"))
    assert only(path).notes == (
        "town.zip: frequencies.txt: 1 trips have no headway left and run once, at the times of stop_times.txt",
    )


@pytest.mark.parametrize("paths", [5, None, [5]])
def test_what_is_no_path_is_refused(paths):
    with pytest.raises(SpecError, match="feeds cannot be read from a"):
        read_gtfs(paths)


def test_stops_spread_over_a_country_are_no_fault(tmp_path):
    stops = STOPS + "n,North,67.86,20.22\ns,South,55.60,13.00\nw,West,57.70,11.97\n"
    assert len(read_gtfs(write(tmp_path / "town.zip", town(stops=stops))).feeds[0].stops) == 7


def same(one, other):
    for name in ("stops", "routes", "trips", "calls", "calendar"):
        assert getattr(one, name).equals(getattr(other, name)), name
    return True


@pytest.mark.parametrize(
    "turned",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\n\n") + "\n  \n",
        lambda text: "\n" + text,
        lambda text: text.rstrip("\n"),
        lambda text: "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in text.splitlines()),
        lambda text: text.replace(",", ", "),
        lambda text: text + "," * text.split("\n")[0].count(",") + "\n",
    ],
    ids=["BOM", "CRLF", "CR", "blank lines", "blank first line", "no last line end", "quotes", "spaces", "only commas"],
)
def test_the_same_feed_written_otherwise_reads_the_same(tmp_path, turned):
    plain = read_gtfs(write(tmp_path / "plain.zip", town())).feeds[0]
    other = {name: turned(text) for name, text in town().items()}
    assert same(plain, read_gtfs(write(tmp_path / "other.zip", other)).feeds[0])


def test_quoted_commas_quotes_and_line_ends_stay_in_their_field_and_count_one_row(tmp_path):
    stops = STOPS.replace("Alpha", '"The ""old"", well\nand pump"') + "a,Again,59.4,18.0\n"
    feed = only(write(tmp_path / "town.zip", town(stops=stops)))
    assert feed.stops["stop_name"][0] == 'The "old", well\nand pump'
    assert feed.dropped["first_row"].tolist() == [6]


def test_rows_of_faults_count_blank_lines_and_rows_left_out(tmp_path):
    trips = "route_id,service_id,trip_id\n\n1,week,t1\n1,week\n,,\n\n1,weak,t2\n"
    faults = refused(write(tmp_path / "town.zip", town(trips=trips)))
    assert [(fault.row, fault.what) for fault in faults] == [
        (4, "the row has 2 fields"),
        (7, "unknown service_id 'weak'"),
    ]


def test_text_that_is_not_utf_8_is_a_fault_and_read_as_windows_1252(tmp_path):
    path = write(tmp_path / "town.zip", town(stops=STOPS.replace("Beta", "Ängby").encode("cp1252")))
    (fault,) = refused(path)
    assert (fault.file, fault.row) == ("town.zip/stops.txt", 3)
    assert fault.what == "the text is not UTF-8: 'b,Ängby,59'"
    feed = only(path)
    assert feed.stops["stop_name"].tolist() == ["Alpha", "Ängby", "Gamma", "Delta"]
    assert feed.notes == ("town.zip: stops.txt is not UTF-8 and was read as Windows-1252",)
    (fault,) = refused(write(tmp_path / "wide.zip", town(stops=STOPS.encode("utf-16"))))
    assert fault.what == "the text is UTF-16"
    assert len(only(tmp_path / "wide.zip").stops) == 4


def test_a_folder_a_zip_a_folder_in_a_zip_and_a_zip_in_a_zip_are_one_feed(tmp_path):
    plain = read_gtfs(write(tmp_path / "plain.zip", town())).feeds[0]
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in town().items():
        (folder / f"{name}.txt").write_text(text)
    inside = write(tmp_path / "inside.zip", town() | {"__MACOSX/stops": "junk"}, folder="gtfs/")
    nested = write(tmp_path / "nested.zip", {"feed.zip": zipped(town()), "readme": "hello"})
    for path, note in (
        (folder, ()),
        (inside, ("in the folder 'gtfs'",)),
        (nested, ("in 'feed.zip', a zip in the zip",)),
    ):
        feed = read_gtfs(path).feeds[0]
        assert same(plain, feed)
        assert feed.sha256 == plain.sha256
        assert len(feed.notes) == len(note)
        assert all(words in said for words, said in zip(note, feed.notes, strict=True))


def test_archives_that_hold_no_feed_or_several_are_refused(tmp_path):
    cases = {
        "two zips": (
            {"one.zip": zipped(town()), "two.zip": zipped(town())},
            "holds 2 other zips: 'one.zip', 'two.zip'",
        ),
        "two folders": (
            {**{f"x/{k}": v for k, v in town().items()}, **{f"y/{k}": v for k, v in town().items()}},
            "holds several feeds: 'x', 'y'",
        ),
        "nothing": ({"readme": "hello"}, "the zip holds no file of GTFS"),
    }
    for name, (texts, words) in cases.items():
        (fault,) = refused(write(tmp_path / f"{name}.zip", texts))
        assert words in fault.what
    deep = zipped(town())
    for _ in range(5):
        deep = zipped({"feed.zip": deep})
    (tmp_path / "deep.zip").write_bytes(deep)
    assert refused(tmp_path / "deep.zip")[0].what == "the zip holds 1 other zips: 'feed.zip'"
    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "cut.zip").write_bytes(zipped(town())[:300])
    assert refused(tmp_path / "empty.zip")[0].what == "the file is empty (0 bytes)"
    assert "not a sound zip" in refused(tmp_path / "cut.zip")[0].what
    assert refused(tmp_path / "none.zip")[0].what == "there is no such file"
    assert refused([])[0].what == "no feed is given"


def test_what_is_ignored_is_said(tmp_path):
    texts = town(
        pathways="pathway_id,from_stop_id\n", fare_attributes="fare_id\n1\n", levels="level_id\n",
        routes="route_id,route_type,continuous_pickup\n1,3,0\n",
        stops=STOPS.replace("stop_lon\n", "stop_lon,stop_timezone\n").replace("18.00\n", "18.00,Europe/Oslo\n"),
        stop_times=TIMES.replace("\n", ",pickup_type\n") + (T1 + T2).replace("\n", ",3\n"),
        trips="route_id,service_id,trip_id,bikes_allowed\n1,week,t1,7\n1,week,t2,1\n1,week,t3,\n",
    )  # fmt: skip
    assert read_gtfs(write(tmp_path / "town.zip", texts)).notes == (
        "town.zip: pathways.txt is ignored (24 bytes)",
        "town.zip: stops name the time zones Europe/Oslo for display; times are in Europe/Stockholm, as GTFS has them",
        "town.zip: trips.txt, column 'bikes_allowed': '7' is not 0 to 2 and counts as not given",
        "town.zip: trips with no stop times, which take no one anywhere: 1 ('t3')",
        "town.zip: stop_times.txt, column 'pickup_type': stops on request count as stops",
        "town.zip: routes.txt allows boarding between stops (continuous_pickup); geoplan uses stops only",
    )


def test_service_on_demand_is_left_aside(tmp_path):
    flex = TIMES.replace("\n", ",location_group_id\n") + (T1 + T2).replace("\n", ",\n") + "t1,,,,4,zone\n"
    gtfs = read_gtfs(write(tmp_path / "town.zip", town(stop_times=flex)))
    assert len(gtfs.feeds[0].calls) == 6
    assert gtfs.notes == ("town.zip: stop_times.txt: 1 rows of service on demand are not used",)


def test_stops_know_their_station_and_inherit_its_access(tmp_path):
    stops = (
        "stop_id,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding\n"
        "hall,59.3,18,1,,1\na,59.3,18,0,hall,\nb,59.31,18,,hall,2\nc,59.33,18,,,\nbay,,,4,a,\ndoor,59.3,18,2,hall,\n"
    )
    feed = read_gtfs(write(tmp_path / "town.zip", town(stops=stops))).feeds[0]
    assert feed.stops["station"].tolist() == [0, 0, 0, -1, 0, 0]
    assert feed.stops["wheelchair_boarding"].tolist() == [1, 1, 2, 0, 1, 1]


def test_rows_out_of_order_are_sorted(tmp_path):
    rows = (T1 + T2).split()
    shuffled = TIMES + "\n".join([rows[4], rows[0], rows[5], rows[2], rows[3], rows[1]]) + "\n"
    plain = read_gtfs(write(tmp_path / "plain.zip", town())).feeds[0]
    assert same(plain, read_gtfs(write(tmp_path / "other.zip", town(stop_times=shuffled))).feeds[0])


def test_digits_of_other_scripts_are_no_time(tmp_path):
    times = TIMES + T1 + T2.replace("09:05:00,", "\u0660\u0669:05:00,")
    assert "is no time" in refused(write(tmp_path / "town.zip", town(stop_times=times)))[0].what


def test_headways_that_overlap_are_said(tmp_path):
    rows = "t1,08:00:00,09:00:00,600\nt1,08:30:00,10:00:00,900\nt2,08:00:00,09:00:00,600\nt2,09:00:00,9:30:00,60\n"
    gtfs = read_gtfs(
        write(tmp_path / "town.zip", town(frequencies="trip_id,start_time,end_time,headway_secs\n" + rows))
    )
    assert gtfs.notes == ("town.zip: frequencies.txt: 1 intervals begin before the one before has ended; both run",)


def test_times_are_read_as_gtfs_writes_them(tmp_path):
    times = (TIMES + T1 + T2).replace("08:00:00,08:00:00", " 8:00:00,8:00:00").replace("09:15:00", "100:15:00")
    calls = read_gtfs(write(tmp_path / "town.zip", town(stop_times=times))).feeds[0].calls
    assert calls["depart_s"].tolist()[0] == 8 * 3600
    assert calls["arrive_s"].tolist()[-1] == 100 * 3600 + 900
    assert calls["arrive_s"].dtype == np.int32


WHOLE = town(
    stops="stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding\n"
    "hall,Hall,59.3,18,1,,1\na,Alpha,59.30,18.00,0,hall,\nb,Beta,59.31,18.00,,,2\nc,Gamma,59.33,18.00,,,\n",
    trips="route_id,service_id,trip_id,block_id,bikes_allowed\n1,week,t1,x,1\n1,week,t2,x,2\n",
    calendar_dates="service_id,date,exception_type\nweek,20240206,1\nweek,20240207,2\n",
    frequencies="trip_id,start_time,end_time,headway_secs,exact_times\nt1,08:00:00,09:00:00,600,0\n",
    transfers="from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_trip_id,to_trip_id\na,b,2,60,,\n,,4,,t1,t2\n",
)
JUNK = ["", ",", "\n", '"', "\r", ";", " ", "-1", "0", "99", "x", "a", "t1", "é", "1e9", "nan", "inf", "١٢", "1_0"]
JUNK += ["20240206", "25:99:00", "-08:00:00"]
breaks = st.tuples(st.sampled_from(sorted(WHOLE)), st.integers(0, 300), st.integers(0, 6), st.sampled_from(JUNK))


def attempt(action):
    try:
        return action()
    except InputError as error:
        return str(error)


@given(st.lists(breaks, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_whatever_is_broken_in_a_feed_it_is_read_or_refused_in_words(tmp_path_factory, drawn):
    texts = dict(WHOLE)
    for name, at, length, junk in drawn:
        place = at % (len(texts[name]) + 1)
        texts[name] = texts[name][:place] + junk + texts[name][place + length :]
    path = write(tmp_path_factory.mktemp("broken") / "town.zip", texts)
    assert attempt(lambda: feed_report(path).to_frame()) is not None
    strict = attempt(lambda: read_gtfs(path))
    if not isinstance(strict, str):  # what the strict reader passes, the other one leaves as it is
        assert not read_gtfs(path, strict=False).dropped["rows"].sum()
    else:
        assert strict
