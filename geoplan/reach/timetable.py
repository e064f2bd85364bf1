"""The timetable of one service day, from one or several GTFS feeds, as a router reads it.

Times are seconds since noon minus 12 hours of the date in the first feed's zone. Trips of the day before that still
run, and of the day after up to a limit, are in it, moved into that count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.reach.assembly import assembled
from geoplan.reach.headways import Headways, copies, must_be_whole
from geoplan.reach.runs import Filters, Runs, check_routes, noon_minus_12, running, seconds_at
from geoplan.reach.services import choose_day
from geoplan.reach.stop_times import gather
from geoplan.sources.gtfs import Gtfs, read_gtfs

__all__ = ["Connections", "Timetable", "read_timetable"]

_BITS = 20  # a time of a day, and a place in a trip, are below 2 to the 20th
UNTIL_S = 30 * 3600


@dataclass(frozen=True, eq=False)
class Connections:
    """Every ride from one stop to the next, sorted by departure, arrival and order in the trip.

    Attributes
    ----------
    depart_s, arrive_s
        Seconds of the timetable's day.
    from_stop, to_stop
        Rows of ``Timetable.stops``.
    trip
        Row of ``Timetable.trips``.
    seat
        Passengers stay seated while it is the same: over a trip, or several joined by a block or transfer type 4.
    may_board, may_alight
        Whether one may board at ``from_stop`` and alight at ``to_stop``.
    wait_s
        Extra wait at boarding: of lines at a headway, when it is expected and not drawn.
    seats
        How many seats there are.
    """

    depart_s: np.ndarray
    arrive_s: np.ndarray
    from_stop: np.ndarray
    to_stop: np.ndarray
    trip: np.ndarray
    seat: np.ndarray
    may_board: np.ndarray
    may_alight: np.ndarray
    wait_s: np.ndarray
    seats: int

    def __len__(self) -> int:
        return len(self.depart_s)


@dataclass(frozen=True, eq=False)
class Timetable:
    """The service of one day.

    Attributes
    ----------
    date, zone
        The service day, and the time zone of its clock.
    stops
        Points (EPSG:4326) of the stops in use, platforms where there are any: ``stop_id, name, feed, parent_id,
        platform, wheelchair``. ``feed`` is the place of the feed among those given; ``wheelchair`` is 1 for yes, 2
        for no, 0 for unknown.
    idle
        Points of the stops in the feeds at which nothing calls on the day: ``stop_id, name, feed``.
    trips
        ``trip_id, feed, route_id, line, route_type, kind, headsign, pattern, service_id, headway_s, until_s, bikes,
        wheelchair, day, first_s, last_s, seat``, sorted by pattern and first departure. ``headway_s`` is 0 for a
        timetabled trip; else the row is one interval, from ``first_s`` until below ``until_s``. ``day`` is -1 for a
        trip of the service day before, 1 for the one after.
    pattern_at, pattern_stops
        Pattern ``p`` calls at ``pattern_stops[pattern_at[p]:pattern_at[p + 1]]``. A pattern is one sequence of stops
        with the same rights to board and alight, in which no trip overtakes another.
    transfers
        ``from_stop, to_stop, kind, min_s, from_trip, to_trip, from_route, to_route``: what ``transfers.txt`` says,
        on rows of ``stops`` and ``trips`` (-1 and "" where it names none).
    days
        ``day, date, shift_s, trips``: which service days are in it.
    call_at, arrive_s, depart_s, may_board, may_alight
        The calls of trip ``t`` are ``call_at[t]`` to ``call_at[t + 1]``; of a headway trip, those of its first run if
        it set out at ``first_s``.
    seat_place
        How many calls of earlier trips with the same seat come before those of trip ``t``.
    record
        Feeds with their SHA-256, the date with its reason, filters, counts, notes and warnings.
    """

    date: dt.date
    zone: str
    stops: gpd.GeoDataFrame = field(repr=False)
    idle: gpd.GeoDataFrame = field(repr=False)
    trips: pd.DataFrame = field(repr=False)
    pattern_at: np.ndarray = field(repr=False)
    pattern_stops: np.ndarray = field(repr=False)
    transfers: pd.DataFrame = field(repr=False)
    days: pd.DataFrame = field(repr=False)
    call_at: np.ndarray = field(repr=False)
    arrive_s: np.ndarray = field(repr=False)
    depart_s: np.ndarray = field(repr=False)
    may_board: np.ndarray = field(repr=False)
    may_alight: np.ndarray = field(repr=False)
    seat_place: np.ndarray = field(repr=False)
    record: Mapping[str, object] = field(repr=False)

    @property
    def until_s(self) -> int:
        """Seconds of the day up to which vehicles of the next day are in it when they set out before."""
        filters: Any = self.record["filters"]
        return int(filters["until_s"])

    def seconds(self, clock: str | dt.time) -> int:
        """Return the timetable's seconds when a clock in its zone shows a time of the date.

        On all days but those of clock change that is the time itself; "24:30" is half past midnight on the next day.

        Raises
        ------
        SpecError
            When the time is none.
        """
        words = clock.isoformat() if isinstance(clock, dt.time) else str(clock)
        try:
            parts = words.split(":")
            hour, minute, second = (int(part) for part in (parts if len(parts) > 2 else [*parts, "0"]))  # noqa: PLR2004
            days, hour = divmod(hour, 24) if hour > 0 else (0, hour)
            return seconds_at(self.date, self.zone, dt.time(hour, minute, second), days=days)
        except ValueError as error:
            raise SpecError(Fault(what=f"'{clock}' is no time", expected="HH:MM or HH:MM:SS, as 07:30")) from error

    def connections(
        self, *, headways: Headways = "expected", seed: int = 0, draw: int = 0, step_s: int = 60
    ) -> Connections:
        """Return every ride from one stop to the next, sorted for a scan.

        Parameters
        ----------
        headways
            What becomes of lines that run at a headway without fixed times. ``"expected"``: virtual vehicles every
            ``step_s`` seconds, with ``wait_s`` of half a headway less half a step, so that the mean wait is half a
            headway. ``"drawn"``: real vehicles at the headway, offset at random, one offset for each trip and
            interval.
        seed, draw
            The same two give the same offsets; count ``draw`` up for further draws.
        step_s
            Seconds between virtual vehicles.

        Raises
        ------
        SpecError
            When ``headways`` is another word, ``seed`` or ``draw`` no whole number from 0, or ``step_s`` none from 1.
        """
        trips = self.trips
        fixed = np.flatnonzero(trips["headway_s"].to_numpy() == 0)
        again, later, wait = copies(trips, headways=headways, seed=seed, draw=draw, step_s=step_s)
        row = np.concatenate([fixed, again])
        later = np.concatenate([np.zeros(len(fixed), dtype=np.int64), later])
        wait = np.concatenate([np.zeros(len(fixed), dtype=np.int64), wait])
        seated = pd.factorize(trips["seat"].to_numpy()[fixed])[0]
        seat = np.concatenate([seated, np.arange(len(again)) + (seated.max(initial=-1) + 1)])
        legs = np.diff(self.call_at)[row] - 1
        start = gather(self.call_at[:-1][row], legs)
        place = start - np.repeat(self.call_at[:-1][row] - self.seat_place[row], legs)
        shift = np.repeat(later, legs)
        depart, arrive = self.depart_s[start] + shift, self.arrive_s[start + 1] + shift
        order = _scan_order(depart, arrive, place)
        stop = self.call_stops
        start = start[order]
        return Connections(
            depart_s=depart[order].astype(np.int32),
            arrive_s=arrive[order].astype(np.int32),
            from_stop=stop[start],
            to_stop=stop[start + 1],
            trip=np.repeat(row, legs)[order].astype(np.int32),
            seat=np.repeat(seat, legs)[order].astype(np.int32),
            may_board=self.may_board[start],
            may_alight=self.may_alight[start + 1],
            wait_s=np.repeat(wait, legs)[order].astype(np.int32),
            seats=int(seat.max(initial=-1)) + 1,
        )

    @property
    def call_stops(self) -> np.ndarray:
        """The stop of each call: a row of ``stops``."""
        pattern = self.trips["pattern"].to_numpy()
        stops: np.ndarray = self.pattern_stops[gather(self.pattern_at[:-1][pattern], np.diff(self.call_at))]
        return stops


def _scan_order(depart: np.ndarray, arrive: np.ndarray, place: np.ndarray) -> np.ndarray:
    if not len(depart):
        return np.zeros(0, dtype=np.int64)
    least = int(depart.min())
    if max(int(arrive.max()) - least, int(place.max())) >> _BITS:
        return np.lexsort((place, arrive, depart))
    key = (depart.astype(np.int64) - least) << 2 * _BITS | (arrive.astype(np.int64) - least) << _BITS | place
    return np.argsort(key, kind="stable")


def read_timetable(
    feeds: Gtfs | str | Path | Sequence[str | Path],
    *,
    date: dt.date | str | None = None,
    wheelchair: bool = False,
    bikes: bool = False,
    keep_unknown: bool = False,
    kinds: Collection[str] | None = None,
    routes: Collection[str] | None = None,
    in_seat: bool = True,
    until_s: int = UNTIL_S,
    strict: bool = True,
) -> Timetable:
    r"""Read the timetable of a service day.

    Parameters
    ----------
    feeds
        A zip file or folder of GTFS, several of them, or what :func:`read_gtfs` returned.
    date
        The service day. Left out, the typical Tuesday is taken: of the Tuesdays within 5 % of the median number of
        departures the one with most; ``record["reason"]`` says so with its figures.
    wheelchair, bikes
        Keep only trips that take wheelchairs, bicycles; with ``wheelchair`` one boards and alights at accessible
        stops only. What does not say counts as no, and is counted in ``record["notes"]``.
    keep_unknown
        Count as yes what does not say.
    kinds, routes
        Keep only these kinds of routes (``"bus"``, ``"metro"`` …), these routes (ids or short names).
    in_seat
        Let passengers stay seated where a vehicle goes on as another trip.
    until_s
        Trips of the next service day are in it when they set out before this.
    strict
        As for :func:`read_gtfs`, when ``feeds`` are files.

    Raises
    ------
    InputError
        With the faults of the feeds; when the date lies outside a feed or has no service; when a kind or a route is
        not known or ``until_s`` is no whole number from 0; or nothing runs.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, text in {
    ...     "agency": "agency_name,agency_timezone\nTown,Europe/Stockholm",
    ...     "stops": "stop_id,stop_lat,stop_lon\na,59.30,18.00\nb,59.31,18.01\nc,59.32,18.02",
    ...     "routes": "route_id,route_type\n1,3",
    ...     "trips": "route_id,service_id,trip_id\n1,s,t",
    ...     "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    ...     "t,08:00:00,08:00:00,a,1\nt,,,b,2\nt,08:10:00,08:10:00,c,3",
    ...     "calendar_dates": "service_id,date,exception_type\ns,20240206,1",
    ... }.items():
    ...     _ = (folder / f"{name}.txt").write_text(text)
    >>> timetable = read_timetable(folder)
    >>> timetable.date.isoformat(), timetable.connections().arrive_s.tolist()
    ('2024-02-06', [29100, 29400])
    """
    must_be_whole("until_s", until_s, least=0)
    gtfs = feeds if isinstance(feeds, Gtfs) else read_gtfs(feeds, strict=strict)
    filters = Filters.of(wheelchair=wheelchair, bikes=bikes, keep_unknown=keep_unknown, kinds=kinds, routes=routes)
    check_routes(gtfs.feeds, filters)
    day = choose_day(gtfs.feeds, date)
    zone = gtfs.feeds[0].zone
    runs = [running(feed, day.date, zone, until_s=int(until_s), filters=filters) for feed in gtfs.feeds]
    if not any(len(own.frame) for own in runs):
        raise SpecError(
            Fault(
                what=f"no trip is left on {day.date}",
                expected="at least one that passes the filters",
                hint="keep_unknown=True counts trips that do not say as fit" if wheelchair or bikes else None,
            )
        )
    made, notes = assembled(runs, filters, in_seat=in_seat)
    record = {
        "feeds": [_feed_record(own) for own in runs],
        "date": day.date.isoformat(),
        "reason": day.reason,
        "filters": filters.words | {"in_seat": in_seat, "until_s": int(until_s)},
        "counts": {
            "stops": len(made["stops"]),
            "trips": len(made["trips"]),
            "headway_trips": int(np.count_nonzero(made["trips"]["headway_s"])),
            "patterns": len(made["pattern_at"]) - 1,
            "calls": len(made["arrive_s"]),
            "transfers": len(made["transfers"]),
            "seats_joined": len(made["trips"]) - made["trips"]["seat"].nunique(),
        },
        "notes": [*gtfs.notes, *(note for own in runs for note in own.notes), *notes],
        "warnings": list(day.warnings),
    }
    days = _days(made["trips"], day.date, zone)
    return Timetable(date=day.date, zone=zone, days=days, record=record, **made)


def _feed_record(runs: Runs) -> dict[str, object]:
    feed = runs.feed
    return {
        "name": feed.name,
        "sha256": feed.sha256,
        "zone": feed.zone,
        "trips": len(runs.frame),
        "blank_times": runs.filled,
        "rows_dropped": int(feed.dropped["rows"].sum()),
    }


def _days(trips: pd.DataFrame, date: dt.date, zone: str) -> pd.DataFrame:
    counts = trips.groupby("day").size()
    dates = [date + dt.timedelta(days=int(day)) for day in counts.index]
    origin = noon_minus_12(date, zone)
    shifts = [noon_minus_12(own, zone) - origin for own in dates]
    return pd.DataFrame({
        "day": counts.index, "date": pd.to_datetime(dates), "shift_s": shifts, "trips": counts.to_numpy(),
    })  # fmt: skip
