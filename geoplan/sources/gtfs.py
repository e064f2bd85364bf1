"""Reader of public-transport timetables in GTFS: one feed or several, to plain tables, with every fault collected.

Only what a journey depends on is read: fares, shapes, levels, pathways and translations are not. Nothing is mended
that the feed does not say itself: what cannot be right is a fault (``strict=True``), or is left out and listed
(``strict=False``), with all that hangs on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, SourceError, SpecError, listed
from geoplan.sources.gtfs_calls import read_calls
from geoplan.sources.gtfs_keys import Keyed, keyed, reference
from geoplan.sources.gtfs_places import read_stops
from geoplan.sources.gtfs_text import (
    BLANK,
    Findings,
    Text,
    content_hash,
    day_of,
    integer_of,
    must_have,
    open_feed,
    read_text,
    time_of,
)

__all__ = ["Feed", "Gtfs", "read_gtfs"]

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: File → the columns it must have, and the further ones that are read.
_COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "agency.txt": (("agency_timezone",), ("agency_id", "agency_name")),
    "stops.txt": (
        ("stop_id", "stop_lat", "stop_lon"),
        ("stop_name", "location_type", "parent_station", "stop_timezone", "wheelchair_boarding", "platform_code"),
    ),
    "routes.txt": (
        ("route_id", "route_type"),
        ("agency_id", "route_short_name", "route_long_name", "continuous_pickup", "continuous_drop_off"),
    ),
    "trips.txt": (
        ("route_id", "service_id", "trip_id"),
        ("trip_headsign", "direction_id", "block_id", "wheelchair_accessible", "bikes_allowed"),
    ),
    "stop_times.txt": (
        ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"),
        ("pickup_type", "drop_off_type", "shape_dist_traveled", "timepoint", "continuous_pickup", "continuous_drop_off",
         "location_id", "location_group_id"),
    ),
    "calendar.txt": (("service_id", *_WEEK, "start_date", "end_date"), ()),
    "calendar_dates.txt": (("service_id", "date", "exception_type"), ()),
    "frequencies.txt": (("trip_id", "start_time", "end_time", "headway_secs"), ("exact_times",)),
    "transfers.txt": (
        ("transfer_type",),
        ("from_stop_id", "to_stop_id", "min_transfer_time", "from_trip_id", "to_trip_id", "from_route_id",
         "to_route_id"),
    ),
}  # fmt: skip
_REQUIRED = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
_MENTIONED = ("pathways.txt", "locations.geojson", "stop_areas.txt")


@dataclass(frozen=True, eq=False)
class Feed:
    """One feed, read and checked.

    Tables refer to each other by row number (``route``, ``trip``, ``stop``, ``station``), so that a look-up costs
    nothing; -1 means none. Times are seconds since noon minus 12 hours of the service day; ``BLANK`` (the smallest
    32-bit integer) where the feed gives none.

    Attributes
    ----------
    name
        The name of the file or folder.
    zone
        The time zone of its agencies.
    sha256
        Over the contents of the files read, however they are packed.
    stops
        ``stop_id, stop_name, stop_lat, stop_lon, location_type, parent_station, station, stop_timezone,
        wheelchair_boarding, platform_code``. ``station`` is the row of the station that a platform belongs to.
    routes
        ``route_id, agency_id, route_short_name, route_long_name, route_type``.
    trips
        ``trip_id, route, service, trip_headsign, direction_id, block_id, wheelchair_accessible, bikes_allowed``.
        ``service`` is a place in ``services``.
    calls
        The stop times, sorted by trip and sequence: ``trip, stop, arrive_s, depart_s, pickup_type, drop_off_type,
        distance, timepoint``. ``distance`` is ``shape_dist_traveled``, NaN where not given.
    services
        The service ids of ``calendar.txt`` and ``calendar_dates.txt``.
    calendar
        ``service, monday … sunday, start, end``; days since 1970, both included.
    calendar_dates
        ``service, day, added``.
    frequencies
        ``trip, start_s, end_s, headway_s, exact``.
    transfers
        ``from_stop, to_stop, kind, min_s, from_trip, to_trip, from_route, to_route``; rows, -1 where not given.
    agencies
        ``agency_id, agency_name``.
    dropped
        What ``strict=False`` left out: ``feed, file, column, what, rows, first_row, examples, action``.
    notes
        What is worth knowing and no fault.
    """

    name: str
    zone: str
    sha256: str
    agencies: pd.DataFrame = field(repr=False)
    stops: pd.DataFrame = field(repr=False)
    routes: pd.DataFrame = field(repr=False)
    trips: pd.DataFrame = field(repr=False)
    calls: pd.DataFrame = field(repr=False)
    services: pd.Index = field(repr=False)
    calendar: pd.DataFrame = field(repr=False)
    calendar_dates: pd.DataFrame = field(repr=False)
    frequencies: pd.DataFrame = field(repr=False)
    transfers: pd.DataFrame = field(repr=False)
    dropped: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Gtfs:
    """One or several feeds that make up a timetable together.

    Attributes
    ----------
    feeds
        The feeds in the order given; the first one's time zone is that of the whole.
    """

    feeds: tuple[Feed, ...]

    @property
    def dropped(self) -> pd.DataFrame:
        """What was left out of all the feeds, one line a kind of fault."""
        return pd.concat([feed.dropped for feed in self.feeds], ignore_index=True)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing of all the feeds and no fault."""
        return tuple(note for feed in self.feeds for note in feed.notes)


def read_gtfs(paths: str | Path | Sequence[str | Path], *, strict: bool = True) -> Gtfs:
    r"""Read one or several GTFS feeds.

    Parameters
    ----------
    paths
        A zip file or folder, or several of them.
    strict
        Raise one error with every fault of every feed. Otherwise what cannot be right is left out and listed in
        ``dropped``; what nothing can be read without (a required file or column) is raised all the same.

    Raises
    ------
    InputError
        With every fault found, each with its file, row, column and value; of one kind three are told, and the rest
        counted.

    Examples
    --------
    >>> import tempfile
    >>> from geoplan.errors import InputError
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, text in {
    ...     "agency": "agency_name,agency_timezone\nTown,Europe/Stockholm",
    ...     "stops": "stop_id,stop_lat,stop_lon\na,59.30,18.00\nb,59.31,18.01",
    ...     "routes": "route_id,route_type\n1,3",
    ...     "trips": "route_id,service_id,trip_id\n1,s,t",
    ...     "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    ...     "t,08:00:00,08:00:00,a,1\nt,08:05:00,08:05:00,c,2",
    ...     "calendar_dates": "service_id,date,exception_type\ns,20240206,1",
    ... }.items():
    ...     _ = (folder / f"{name}.txt").write_text(text)
    >>> try:
    ...     read_gtfs(folder)
    ... except InputError as error:
    ...     print(error.faults[0].what)
    unknown stop_id 'c'
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    if not isinstance(several, Sequence) or not all(isinstance(path, (str, os.PathLike)) for path in several):
        what = f"feeds cannot be read from a {type(paths).__name__}"
        raise SpecError(Fault(what=what, expected="a path of a zip file or folder, or a list of paths"))
    if not several:
        raise SourceError(Fault(what="no feed is given", expected="a zip file or folder of GTFS, or several"))
    faults, feeds = Faults(), []
    for path in several:
        with faults.catch():
            feeds.append(_read_feed(Path(path), strict=strict))
    faults.raise_any()
    return Gtfs(tuple(feeds))


def _read_feed(path: Path, *, strict: bool) -> Feed:
    found = Findings(path.name)
    files = open_feed(path, [*_COLUMNS, *_MENTIONED], found)
    for name in _MENTIONED:
        if (raw := files.pop(name, None)) is not None:
            found.note(f"{name} is ignored ({len(raw):,} bytes)")
    texts = _texts(files, found)
    if found.fatal:
        raise SourceError(found.faults)
    tables = _tables(texts, found)
    if found.faults and (strict or found.fatal):
        raise SourceError(found.faults)
    return Feed(
        name=path.name,
        sha256=content_hash(files),
        **tables,
        dropped=found.dropped,
        notes=tuple(found.notes),
    )


def _texts(files: Mapping[str, bytes], found: Findings) -> dict[str, Text]:
    """Read every file that is there, and say which are not, or lack columns or rows."""
    texts = {}
    for name, (needed, further) in _COLUMNS.items():
        required = name in _REQUIRED
        if name not in files:
            if required:
                found.file(name, "the file is missing from the feed", expected=listed(_REQUIRED), fatal=True)
            continue
        text = read_text(name, files[name], (*needed, *further), found)
        if text is None:
            found.fatal |= required
        elif must_have(text, needed, found, fatal=required):
            if not len(text) and required:
                found.file(name, "the file has a header and no rows", fatal=True)
            texts[name] = text
    if not {"calendar.txt", "calendar_dates.txt"} & set(texts):
        found.file(
            "calendar.txt",
            "neither calendar.txt nor calendar_dates.txt can be read: no trip has a day",
            expected="one of the two, or both",
            fatal=True,
        )
    return texts


def _tables(texts: Mapping[str, Text], found: Findings) -> dict[str, Any]:
    zone, agencies = _agencies(texts["agency.txt"], found)
    stops, stop_keys = read_stops(texts["stops.txt"], zone, found)
    routes, route_keys = _routes(texts["routes.txt"], found)
    services, calendar, calendar_dates = _calendars(texts, found)
    trips, trip_keys = _trips(texts["trips.txt"], route_keys, services, found)
    calls, runs = read_calls(texts["stop_times.txt"], trip_keys, stop_keys, stops, trips, found)
    trip_keys = trip_keys.thinned(runs)
    trips = trips[runs].reset_index(drop=True)
    _note_continuous(texts, found)
    if not len(calls):
        found.file("stop_times.txt", "no trip is left that calls anywhere", fatal=True)
    return {
        "zone": zone,
        "agencies": agencies,
        "stops": stops,
        "routes": routes,
        "trips": trips,
        "calls": calls,
        "services": services.ids,
        "calendar": calendar,
        "calendar_dates": calendar_dates,
        "frequencies": _frequencies(texts.get("frequencies.txt"), trip_keys, found),
        "transfers": _transfers(texts.get("transfers.txt"), stop_keys, trip_keys, route_keys, found),
    }


# ---------------------------------------------------------------- agencies, routes, trips


def _agencies(text: Text, found: Findings) -> tuple[str, pd.DataFrame]:
    zones = text["agency_timezone"]
    wrong = np.array([not _is_zone(value) for value in zones.distinct], dtype=bool)[zones.codes]
    found.rows(
        text, wrong, "no time zone is called '{value}'", column="agency_timezone", expected="as Europe/Stockholm",
        action="the zone of another agency is used",
    )  # fmt: skip
    good = list(dict.fromkeys(zones.text(~wrong)))
    if not good:
        found.fatal = True
        return "UTC", pd.DataFrame()
    found.rows(
        text, ~wrong & (zones.text() != good[0]), f"the time zone '{{value}}' is not that of the first, {good[0]}",
        column="agency_timezone", expected="one time zone a feed", hint="split the feed",
        action=f"{good[0]} is used for all",
    )  # fmt: skip
    return str(good[0]), pd.DataFrame({name: text[name].text() for name in ("agency_id", "agency_name")})


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return bool(name)


def _routes(text: Text, found: Findings) -> tuple[pd.DataFrame, Keyed]:
    kinds = text["route_type"].read(integer_of, "int64")
    wrong = kinds < 0
    found.rows(
        text, wrong, "the route type '{value}' is not a whole number", column="route_type",
        expected="0 to 12, or an extended type 100 to 1799", action="the route is left out",
    )  # fmt: skip
    keys = keyed(text, "route_id", wrong, found)
    rows = keys.kept
    frame = pd.DataFrame(
        {name: text[name].text(rows) for name in ("route_id", "agency_id", "route_short_name", "route_long_name")}
    )
    return frame.assign(route_type=kinds[rows].astype(np.int32)), keys


def _trips(text: Text, routes: Keyed, services: Keyed, found: Findings) -> tuple[pd.DataFrame, Keyed]:
    action = "the trip is left out"
    route, no_route = reference(text, "route_id", routes, found, action=action)
    service, no_service = reference(
        text, "service_id", services, found, action=action, where="calendar.txt or calendar_dates.txt"
    )
    keys = keyed(text, "trip_id", no_route | no_service, found)
    rows = keys.kept
    frame = pd.DataFrame(
        {
            "trip_id": text["trip_id"].text(rows),
            "route": route[rows],
            "service": service[rows],
            "trip_headsign": text["trip_headsign"].text(rows),
            "block_id": text["block_id"].text(rows),
        }
    )
    for name, most in (("direction_id", 1), ("wheelchair_accessible", 2), ("bikes_allowed", 2)):
        frame[name] = _choice(text, name, most, found)[rows]
    return frame, keys


def _choice(text: Text, column: str, most: int, found: Findings, *, blank: int = 0) -> np.ndarray:
    """Read a column of small codes; an unknown code counts as not given, and is noted, not refused."""
    values = text[column].read(lambda value: integer_of(value, blank=blank), "int64")
    odd = (values < 0) | (values > most)
    if odd.any():
        words = listed(dict.fromkeys(text[column].text(odd)))
        found.note(f"{text.file}, column '{column}': {words} is not 0 to {most} and counts as not given")
    return np.where(odd, blank, values).astype(np.int8)


def _note_continuous(texts: Mapping[str, Text], found: Findings) -> None:
    for name in ("routes.txt", "stop_times.txt"):
        for column in ("continuous_pickup", "continuous_drop_off"):
            values = texts[name][column]
            if any(value in {"0", "2", "3"} for value in values.distinct):
                found.note(f"{name} allows boarding between stops ({column}); geoplan uses stops only")


# ---------------------------------------------------------------- calendars


def _calendars(texts: Mapping[str, Text], found: Findings) -> tuple[Keyed, pd.DataFrame, pd.DataFrame]:
    week, dates = texts.get("calendar.txt"), texts.get("calendar_dates.txt")
    ids = [text["service_id"].distinct for text in (week, dates) if text is not None]
    index = pd.Index(dict.fromkeys(value for values in ids for value in values if value), dtype=object)
    services = Keyed(index, np.arange(len(index), dtype=np.int32), np.arange(len(index)))
    calendar = _calendar(week, services, found)
    calendar_dates = _calendar_dates(dates, services, found)
    days = calendar[list(_WEEK)].to_numpy(dtype=bool).any() if len(calendar) else False
    if not days and not calendar_dates["added"].any():
        found.file(
            "calendar.txt", "the calendar is empty: no service runs on any day",
            expected="a service with a weekday and dates, or an added date", fatal=True,
        )  # fmt: skip
    return services, calendar, calendar_dates


def _calendar(text: Text | None, services: Keyed, found: Findings) -> pd.DataFrame:
    if text is None:
        return pd.DataFrame(
            {"service": np.zeros(0, np.int32)}
            | {day: np.zeros(0, bool) for day in _WEEK}
            | {"start": np.zeros(0, np.int64), "end": np.zeros(0, np.int64)}
        )
    flags = {day: text[day].read(integer_of, "int64") for day in _WEEK}
    wrong = np.zeros(len(text), dtype=bool)
    for day, values in flags.items():
        odd = (values != 0) & (values != 1)
        found.rows(text, odd, "'{value}' is neither 1 nor 0", column=day, action="the service's week is left out")
        wrong |= odd
    start, end = (_days(text, column, found) for column in ("start_date", "end_date"))
    unread = (start < BLANK // 2) | (end < BLANK // 2)
    turned = ~unread & (end < start)
    found.rows(
        text, turned, "the end date '{value}' comes before the start date", column="end_date",
        action="the service's week is left out",
    )  # fmt: skip
    keys = keyed(text, "service_id", wrong | unread | turned, found)
    rows = keys.kept
    frame = pd.DataFrame({"service": services.find(text["service_id"])[rows]})
    frame = frame.assign(**{day: values[rows] == 1 for day, values in flags.items()})
    return frame.assign(start=start[rows], end=end[rows])


def _calendar_dates(text: Text | None, services: Keyed, found: Findings) -> pd.DataFrame:
    if text is None:
        return pd.DataFrame(
            {"service": np.zeros(0, np.int32), "day": np.zeros(0, np.int64), "added": np.zeros(0, bool)}
        )
    day = _days(text, "date", found)
    kind = text["exception_type"].read(integer_of, "int64")
    odd = (kind != 1) & (kind != 2)  # noqa: PLR2004
    found.rows(
        text, odd, "the exception type is '{value}'", column="exception_type", expected="1 (added) or 2 (removed)"
    )
    service, no_service = reference(text, "service_id", services, found)
    good = ~odd & (day > BLANK // 2) & ~no_service
    frame = pd.DataFrame({"service": service, "day": day, "added": kind == 1})
    twice = np.zeros(len(frame), dtype=bool)
    twice[good] = frame[good].duplicated(["service", "day"]).to_numpy()
    found.rows(text, twice, "the service '{value}' has this date twice", column="service_id")
    return frame[good & ~twice].reset_index(drop=True)


def _days(text: Text, column: str, found: Findings) -> np.ndarray:
    days = text[column].read(day_of, "int64")
    found.rows(text, days < BLANK // 2, "'{value}' is no date", column=column, expected="YYYYMMDD, as 20240206")
    return days


# ---------------------------------------------------------------- headways and transfers


def _frequencies(text: Text | None, trips: Keyed, found: Findings) -> pd.DataFrame:
    if text is None:
        return pd.DataFrame({
            "trip": np.zeros(0, np.int32), "start_s": np.zeros(0, np.int32), "end_s": np.zeros(0, np.int32),
            "headway_s": np.zeros(0, np.int32), "exact": np.zeros(0, bool),
        })  # fmt: skip
    trip, no_trip = reference(text, "trip_id", trips, found)
    values, bad = {}, no_trip
    for column in ("start_time", "end_time"):
        values[column] = text[column].read(time_of, "int64")
        odd = values[column] < 0
        found.rows(text, odd, "'{value}' is no time", column=column, expected="HH:MM:SS, as 08:05:00")
        bad = bad | odd
    headway = text["headway_secs"].read(integer_of, "int64")
    odd = headway <= 0
    found.rows(text, odd, "the headway is '{value}'", column="headway_secs", expected="whole seconds above 0")
    turned = ~bad & (values["end_time"] <= values["start_time"])
    found.rows(text, turned, "the end '{value}' does not come after the start", column="end_time")
    exact = _choice(text, "exact_times", 1, found) == 1
    good = ~(bad | odd | turned)
    frame = pd.DataFrame({
        "trip": trip, "start_s": values["start_time"].astype(np.int32), "end_s": values["end_time"].astype(np.int32),
        "headway_s": headway.astype(np.int32), "exact": exact,
    })  # fmt: skip
    bare = np.setdiff1d(trip[~good & (trip >= 0)], trip[good])
    if len(bare):
        found.note(
            f"frequencies.txt: {len(bare):,} trips have no headway left and run once, at the times of stop_times.txt"
        )
    frame = frame[good].reset_index(drop=True)
    ordered = frame.sort_values(["trip", "start_s"])
    again = ordered["trip"].to_numpy()[1:] == ordered["trip"].to_numpy()[:-1]
    overlaps = int(np.count_nonzero(again & (ordered["start_s"].to_numpy()[1:] < ordered["end_s"].to_numpy()[:-1])))
    if overlaps:
        found.note(f"frequencies.txt: {overlaps:,} intervals begin before the one before has ended; both run")
    return frame


def _transfers(text: Text | None, stops: Keyed, trips: Keyed, routes: Keyed, found: Findings) -> pd.DataFrame:
    columns = ("from_stop", "to_stop", "from_trip", "to_trip", "from_route", "to_route")
    if text is None:
        empty = {name: np.zeros(0, np.int32) for name in columns}
        return pd.DataFrame(empty | {"kind": np.zeros(0, np.int8), "min_s": np.zeros(0, np.int32)})
    kind = text["transfer_type"].read(lambda value: integer_of(value, blank=0), "int64")
    odd = (kind < 0) | (kind > 5)  # noqa: PLR2004
    found.rows(text, odd, "the transfer type is '{value}'", column="transfer_type", expected="0 to 5")
    least = text["min_transfer_time"].read(lambda value: integer_of(value, blank=0), "int64")
    short = least < 0
    found.rows(
        text, short, "the least time is '{value}'", column="min_transfer_time", expected="whole seconds, 0 or more"
    )
    frame, bad = {}, odd | short
    for name, known in zip(columns, (stops, stops, trips, trips, routes, routes), strict=True):
        frame[name], unknown = reference(text, f"{name}_id", known, found, optional=True)
        bad |= unknown
    joins = kind >= 4  # noqa: PLR2004
    bare = joins & ~bad & ((frame["from_trip"] < 0) | (frame["to_trip"] < 0))
    found.rows(
        text, bare, "a transfer of type {value} does not name its two trips", column="transfer_type",
        expected="from_trip_id and to_trip_id",
    )  # fmt: skip
    nowhere = ~joins & ~bad & ((frame["from_stop"] < 0) | (frame["to_stop"] < 0))
    found.rows(text, nowhere, "a transfer does not name its two stops", expected="from_stop_id and to_stop_id")
    good = ~(bad | bare | nowhere)
    whole = pd.DataFrame(frame | {"kind": kind.astype(np.int8), "min_s": least.astype(np.int32)})
    return whole[good].reset_index(drop=True)
