"""Which trips run on a service day and when, in seconds of the first feed's day.

Seconds of GTFS count from noon minus 12 hours, which is midnight but for the two days a year when clocks change. The
distance between two such noons, in the zones of their feeds, moves the trips of yesterday, of tomorrow and of feeds
in other zones into one count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError, did_you_mean, listed
from geoplan.reach.headways import repeats
from geoplan.reach.services import active, day_number
from geoplan.reach.stop_times import filled_times, spans
from geoplan.sources.gtfs import Feed

_HALF_DAY = 12 * 3600
_DAY = 24 * 3600
_HUNDREDS = ("rail", "coach", "rail", "metro", "metro", "metro", "bus", "trolleybus", "tram", "ferry", "air",
         "ferry", "gondola", "funicular", "taxi", "other", "other")  # fmt: skip
_BASIC = {
    0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry", 5: "cable tram", 6: "gondola", 7: "funicular",
    11: "trolleybus", 12: "monorail", 405: "monorail",
}  # fmt: skip
KINDS = tuple(dict.fromkeys([*_BASIC.values(), *_HUNDREDS]))


def route_kind(number: int) -> str:
    """Return the kind of a route type, basic (0 to 12) or extended (100 to 1799).

    Examples
    --------
    >>> route_kind(0), route_kind(109), route_kind(702), route_kind(1300), route_kind(99)
    ('tram', 'rail', 'bus', 'gondola', 'other')
    """
    if number in _BASIC:
        return _BASIC[number]
    hundred = number // 100
    return _HUNDREDS[hundred - 1] if 1 <= hundred <= len(_HUNDREDS) else "other"


@dataclass(frozen=True)
class Filters:
    """Which trips may be used."""

    wheelchair: bool = False
    bikes: bool = False
    keep_unknown: bool = False
    kinds: frozenset[str] | None = None
    routes: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        *,
        wheelchair: bool,
        bikes: bool,
        keep_unknown: bool,
        kinds: Collection[str] | None,
        routes: Collection[str] | None,
    ) -> Filters:
        """Check the words and keep them."""
        kinds, routes = ([words] if isinstance(words, str) else words for words in (kinds, routes))
        for kind in kinds or ():
            if kind not in KINDS:
                raise SpecError(
                    Fault(what=f"no kind of route is called '{kind}'", key="kinds", expected=listed(KINDS, shown=20))
                )
        return cls(
            wheelchair,
            bikes,
            keep_unknown,
            None if kinds is None else frozenset(kinds),
            None if routes is None else frozenset(routes),
        )

    def allows(self, flags: np.ndarray) -> np.ndarray:
        """Return where a flag of 0 (unknown), 1 (yes) and 2 (no) allows the use."""
        return np.asarray((flags == 1) | ((flags == 0) & self.keep_unknown))

    @property
    def words(self) -> dict[str, object]:
        """The filters as the record keeps them."""
        return {
            "wheelchair": self.wheelchair,
            "bikes": self.bikes,
            "keep_unknown": self.keep_unknown,
            "kinds": sorted(self.kinds) if self.kinds is not None else None,
            "routes": sorted(self.routes) if self.routes is not None else None,
        }


def noon_minus_12(date: dt.date, zone: str) -> int:
    """Return the instant from which a service day counts, as seconds since 1970 in universal time."""
    noon = dt.datetime.combine(date, dt.time(12), tzinfo=ZoneInfo(zone))
    return int(noon.timestamp()) - _HALF_DAY


def seconds_at(date: dt.date, zone: str, clock: dt.time, *, days: int = 0) -> int:
    """Return what a service day's count is when a clock in the zone shows a time so many days after the date."""
    instant = dt.datetime.combine(date + dt.timedelta(days=days), clock, tzinfo=ZoneInfo(zone))
    return int(instant.timestamp()) - noon_minus_12(date, zone)


@dataclass(frozen=True, eq=False)
class Runs:
    """The trips of one feed that run, a row each: on which day, by how much later than the feed's times."""

    feed: Feed
    frame: pd.DataFrame
    """``trip, day, offset_s, first_s, last_s, headway_s, until_s``."""
    call_at: np.ndarray
    arrive_s: np.ndarray
    depart_s: np.ndarray
    notes: tuple[str, ...]
    filled: dict[str, int]


def running(feed: Feed, date: dt.date, zone: str, *, until_s: int, filters: Filters) -> Runs:
    """Return the trips of a feed that run on a date, with those of the days around it that reach into it."""
    notes: list[str] = []
    arrive, depart, filled = filled_times(feed)
    call_at = spans(np.bincount(feed.calls["trip"], minlength=len(feed.trips)))
    usable = (np.diff(call_at) > 1) & _allowed(feed, filters, notes)
    origin = noon_minus_12(date, zone)
    midnight = seconds_at(date, zone, dt.time(0))
    latest = int(max(arrive.max(initial=0), feed.frequencies["end_s"].max() if len(feed.frequencies) else 0))
    parts = []
    for day in range(-(latest // _DAY) - 1, 2):
        own = date + dt.timedelta(days=day)
        trips = np.flatnonzero(usable & active(feed, day_number(own))[feed.trips["service"]])
        if trips.size:
            shift = noon_minus_12(own, feed.zone) - origin
            part = _on_a_day(feed, trips, call_at, arrive, depart).assign(day=np.int16(day))
            part[["offset_s", "first_s", "last_s", "until_s"]] += shift
            inside = (part["last_s"] > midnight) & (part["first_s"] < until_s)
            parts.append(part if day == 0 else part[inside])
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    _note_blocks(feed, notes)
    return Runs(feed, frame, call_at, arrive, depart, tuple(notes), filled)


_COLUMNS = ("trip", "offset_s", "first_s", "last_s", "headway_s", "until_s", "day")


def _on_a_day(
    feed: Feed, trips: np.ndarray, call_at: np.ndarray, arrive: np.ndarray, depart: np.ndarray
) -> pd.DataFrame:
    """Return the trips as they set out: timetabled ones once, exact headways written out, others by interval."""
    frequencies = feed.frequencies
    frequencies = frequencies[np.isin(frequencies["trip"], trips)]
    single = trips[~np.isin(trips, frequencies["trip"])]
    zeros = np.zeros(len(single), dtype=np.int64)
    frames = [pd.DataFrame({"trip": single, "offset_s": zeros, "headway_s": zeros, "until_s": zeros})]
    for exact in (True, False):
        own = frequencies[frequencies["exact"] == exact]
        trip, start, end, every = (
            own[name].to_numpy(dtype=np.int64) for name in ("trip", "start_s", "end_s", "headway_s")
        )
        sets_out, until, headway = start, end, every
        if exact:
            row, sets_out = repeats(start, end, every)
            trip, until = trip[row], np.zeros(len(row), dtype=np.int64)
            headway = until
        offset = sets_out - depart[call_at[trip]]
        frames.append(pd.DataFrame({"trip": trip, "offset_s": offset, "headway_s": headway, "until_s": until}))
    frame = pd.concat(frames, ignore_index=True)
    first, last = depart[call_at[frame["trip"]]], arrive[call_at[frame["trip"].to_numpy() + 1] - 1]
    frame["first_s"] = frame["offset_s"] + first
    spread = np.where(frame["headway_s"] > 0, frame["until_s"] - frame["first_s"], 0)
    frame["last_s"] = frame["offset_s"] + last + spread
    return frame


def _allowed(feed: Feed, filters: Filters, notes: list[str]) -> np.ndarray:
    """Return which trips pass the filters, and say how many do not, or say nothing of themselves."""
    allowed = np.ones(len(feed.trips), dtype=bool)
    for wanted, column, words in (
        (filters.wheelchair, "wheelchair_accessible", "wheelchairs"),
        (filters.bikes, "bikes_allowed", "bicycles"),
    ):
        if wanted:
            flags = feed.trips[column].to_numpy()
            allowed &= filters.allows(flags)
            unknown, no = (int(np.count_nonzero(flags == value)) for value in (0, 2))
            fate = "kept" if filters.keep_unknown else "left out"
            notes.append(
                f"{feed.name}: of {len(flags):,} trips {no:,} take no {words} and are left out, and {unknown:,} do not "
                f"say and are {fate}"
            )
    routes = feed.routes
    if filters.kinds is not None:
        kinds = routes["route_type"].map(route_kind).isin(filters.kinds).to_numpy()
        allowed &= kinds[feed.trips["route"]]
    if filters.routes is not None:
        named = routes["route_id"].isin(filters.routes) | routes["route_short_name"].isin(filters.routes)
        allowed &= named.to_numpy()[feed.trips["route"]]
    return allowed


def check_routes(feeds: Collection[Feed], filters: Filters) -> None:
    """Raise where a route that was asked for is in no feed."""
    if filters.routes is None:
        return
    known = {name for feed in feeds for column in ("route_id", "route_short_name") for name in feed.routes[column]}
    unknown = sorted(filters.routes - known)
    if unknown:
        raise SpecError(
            [
                Fault(what=f"no route is called '{name}'", key="routes", hint=did_you_mean(name, known))
                for name in unknown
            ]
        )


def _note_blocks(feed: Feed, notes: list[str]) -> None:
    blocks = feed.trips["block_id"].to_numpy()[feed.frequencies["trip"].unique()] != ""
    if blocks.any():
        notes.append(f"{feed.name}: blocks of {np.count_nonzero(blocks):,} trips with a headway are ignored")
