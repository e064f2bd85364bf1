"""Stop times of a GTFS feed: read, checked and put in order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.errors import listed
from geoplan.sources.gtfs_keys import Keyed, reference
from geoplan.sources.gtfs_places import PLATFORM
from geoplan.sources.gtfs_text import BLANK, MALFORMED, Findings, Text, float_of, integer_of, time_of

_TRIP_GOES = "the trip is left out"


def read_calls(
    text: Text, trip_keys: Keyed, stop_keys: Keyed, stops: pd.DataFrame, trips: pd.DataFrame, found: Findings
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the sound calls, sorted by trip and sequence, and which trips are still there; trips are renumbered."""
    trip, bad = reference(text, "trip_id", trip_keys, found)
    bad |= _on_demand(text, found)
    stop, no_stop = _stops(text, stop_keys, stops, bad, found)
    bad |= no_stop
    sequence = text["stop_sequence"].read(integer_of, "int64")
    unread = sequence < 0
    found.rows(
        text, unread, "the sequence is '{value}'", column="stop_sequence", expected="a whole number, 0 or more",
        action=_TRIP_GOES,
    )  # fmt: skip
    out = np.zeros(len(trips) + 1, dtype=bool)  # the last is the trip -1
    out[trip[unread]] = True
    times = {}
    for column in ("arrival_time", "departure_time"):
        times[column] = text[column].read(time_of, "int32")
        odd = times[column] == MALFORMED
        found.rows(
            text, odd, "'{value}' is no time", column=column, expected="HH:MM:SS, as 08:05:00 or 25:10:00",
            action=_TRIP_GOES,
        )  # fmt: skip
        out[trip[odd]] = True
    rows = _in_order(text, trip, sequence, ~bad & ~unread, found)
    calls = pd.DataFrame(
        {
            "trip": trip[rows],
            "stop": stop[rows],
            "arrive_s": times["arrival_time"][rows],
            "depart_s": times["departure_time"][rows],
            "row": rows,
        }
    )
    out[:-1] |= _backwards(text, calls, len(trips), out, found)
    out[:-1] |= _open_ends(text, calls, len(trips), out, found)
    counts = np.bincount(calls["trip"], minlength=len(trips))
    still = ~out[:-1]
    _note_short(trips, counts, still, found)
    runs = still
    keep = runs[calls["trip"].to_numpy()]
    calls = calls[keep].reset_index(drop=True)
    rows = calls.pop("row").to_numpy()
    calls["trip"] = (np.cumsum(runs) - 1)[calls["trip"]].astype(np.int32)
    return _with_rights(text, calls, rows, found), runs


def _on_demand(text: Text, found: Findings) -> np.ndarray:
    """Leave out rows of zones served on demand (GTFS Flex): they are no stops."""
    flex = ~text["location_id"].blank | ~text["location_group_id"].blank
    if flex.any():
        found.note(f"stop_times.txt: {np.count_nonzero(flex):,} rows of service on demand are not used")
    return np.asarray(flex)


def _stops(
    text: Text, keys: Keyed, stops: pd.DataFrame, passed: np.ndarray, found: Findings
) -> tuple[np.ndarray, np.ndarray]:
    stop, no_stop = reference(text, "stop_id", keys, found, optional=bool(passed.any()))
    no_stop |= stop < 0
    kinds = stops["location_type"].to_numpy()
    station = ~no_stop & ~passed & (kinds[np.maximum(stop, 0)] != PLATFORM) if len(kinds) else ~no_stop
    found.rows(
        text, station, "nothing can call at '{value}', which is no stop or platform",
        column="stop_id", expected="location_type 0; not a station, an entrance or a part of a platform",
    )  # fmt: skip
    return stop, no_stop | station


def _in_order(text: Text, trip: np.ndarray, sequence: np.ndarray, good: np.ndarray, found: Findings) -> np.ndarray:
    """Return the rows sorted by trip and sequence; of two with one sequence the first stays."""
    rows = np.flatnonzero(good)
    key = trip[rows].astype(np.int64) << 32 | sequence[rows]
    if not (np.diff(key) > 0).all():
        order = np.argsort(key, kind="stable")
        rows, key = rows[order], key[order]
    twice = np.append(False, np.diff(key) == 0) if len(key) else np.zeros(0, dtype=bool)
    marked = np.zeros(len(text), dtype=bool)
    marked[rows[twice]] = True
    found.rows(
        text, marked, "the sequence '{value}' stands twice in its trip", column="stop_sequence",
        action="the later row is left out",
    )  # fmt: skip
    return np.asarray(rows[~twice])


def _backwards(text: Text, calls: pd.DataFrame, trips: int, out: np.ndarray, found: Findings) -> np.ndarray:
    """Find trips that leave before they arrive, or arrive before they left the stop before."""
    arrive, depart, trip = (calls[name].to_numpy() for name in ("arrive_s", "depart_s", "trip"))
    rows = calls["row"].to_numpy()
    first = np.where(arrive == BLANK, depart, arrive).astype(np.int64)
    last = np.where(depart == BLANK, arrive, depart).astype(np.int64)
    turned = (arrive >= 0) & (depart >= 0) & (depart < arrive) & ~out[trip]
    # One running maximum over all trips: each trip is lifted above the one before.
    lift = trip.astype(np.int64) << 32
    known = first >= 0
    latest = np.maximum.accumulate(np.where(known, last + lift, -1)) if len(trip) else lift
    before = np.append(-1, latest[:-1]) if len(trip) else lift
    early = known & (first + lift < before) & ~turned & ~out[trip]
    for column, wrong, what in (
        ("departure_time", turned, "time runs backwards: the trip leaves at '{value}', before it arrives"),
        ("arrival_time", early, "time runs backwards: the trip is here at '{value}', before it left an earlier stop"),
    ):
        marked, values = np.zeros(len(text), dtype=bool), text[column].text()
        marked[rows[wrong]] = True
        blank = text[column].blank
        values[blank] = text["departure_time"].text(blank)
        found.rows(
            text, marked, what, column=column, action=_TRIP_GOES, values=values[marked],
            hint="times past midnight count on, as 24:10:00",
        )  # fmt: skip
    return np.bincount(trip[turned | early], minlength=trips) > 0


def _open_ends(text: Text, calls: pd.DataFrame, trips: int, out: np.ndarray, found: Findings) -> np.ndarray:
    """Find trips without a time at the first or last stop: nothing between can be worked out."""
    trip = calls["trip"].to_numpy()
    blank = (calls["arrive_s"].to_numpy() == BLANK) & (calls["depart_s"].to_numpy() == BLANK)
    turn = np.flatnonzero(np.diff(trip)) if len(trip) else np.zeros(0, dtype=np.int64)
    ends = np.zeros(len(trip), dtype=bool)
    ends[turn] = ends[turn + 1] = True
    if len(trip):
        ends[[0, -1]] = True
    wrong = blank & ends & ~out[trip]
    marked = np.zeros(len(text), dtype=bool)
    marked[calls["row"].to_numpy()[wrong]] = True
    found.rows(
        text, marked, "the trip '{value}' has no time at its first or last stop", column="trip_id", action=_TRIP_GOES,
        expected="times at both ends; those between may be blank",
    )  # fmt: skip
    return np.bincount(trip[wrong], minlength=trips) > 0


def _note_short(trips: pd.DataFrame, counts: np.ndarray, still: np.ndarray, found: Findings) -> None:
    for few, words in ((counts == 0, "no stop times"), (counts == 1, "only one stop")):
        ids = trips["trip_id"].to_numpy()[few & still]
        if len(ids):
            found.note(f"trips with {words}, which take no one anywhere: {len(ids):,} ({listed(ids)})")


def _with_rights(text: Text, calls: pd.DataFrame, rows: np.ndarray, found: Findings) -> pd.DataFrame:
    for column in ("pickup_type", "drop_off_type"):
        values = text[column].read(lambda value: integer_of(value, blank=0), "int64")[rows]
        odd = (values < 0) | (values > 3)  # noqa: PLR2004
        if odd.any():
            found.note(f"stop_times.txt, column '{column}': {np.count_nonzero(odd):,} unknown values count as 0")
        if ((values == 2) | (values == 3)).any():  # noqa: PLR2004
            found.note(f"stop_times.txt, column '{column}': stops on request count as stops")
        calls[column] = np.where(odd, 0, values).astype(np.int8)
    calls["distance"] = text["shape_dist_traveled"].read(lambda value: float_of(value or "nan"), "float64")[rows]
    about = text["timepoint"].read(lambda value: integer_of(value, blank=1), "int64")[rows] == 0
    calls["timepoint"] = ~about
    return calls
