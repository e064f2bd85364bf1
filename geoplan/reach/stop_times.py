"""Times and patterns of trips: blank times filled by distance, trips grouped so that none overtakes another."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyproj import Geod

from geoplan.sources.gtfs import Feed
from geoplan.sources.gtfs_text import BLANK

_WGS84 = Geod(ellps="WGS84")
_A_HAIR = 1e-6  # so that an exact share of a whole number of seconds is not rounded down by a second


def spans(counts: np.ndarray) -> np.ndarray:
    """Return where each of several runs of the given lengths begins, and at last where all end."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def gather(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the places of several runs one after the other: each start, the next place, and so on.

    Examples
    --------
    >>> gather(np.array([5, 1]), np.array([2, 3])).tolist()
    [5, 6, 1, 2, 3]
    """
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - counts), counts))


def filled_times(feed: Feed) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Return arrivals and departures of a feed's calls with none blank, and how many were filled and how.

    A call with one of the two times has both. Between two calls with times the others pass at constant speed: by
    ``shape_dist_traveled`` where every call of the trip has it and it never decreases, else by the straight line from
    stop to stop (on the ellipsoid); whole seconds, rounded down. R5 takes the straight line always.
    """
    calls = feed.calls
    arrive, depart = (calls[name].to_numpy(dtype=np.int64) for name in ("arrive_s", "depart_s"))
    arrive, depart = np.where(arrive == BLANK, depart, arrive), np.where(depart == BLANK, arrive, depart)
    known = arrive != BLANK
    blanks = np.flatnonzero(~known)
    counts = {"blank": len(blanks), "by_shape_distance": 0, "by_straight_line": 0, "about": _about(calls, known)}
    if not len(blanks):
        return arrive.astype(np.int32), depart.astype(np.int32), counts
    length, by_shape = _lengths(feed, np.unique(calls["trip"].to_numpy()[blanks]))
    along = np.cumsum(length)
    places = np.arange(len(calls))
    before = np.maximum.accumulate(np.where(known, places, -1))[blanks]
    after = np.minimum.accumulate(np.where(known, places, len(calls))[::-1])[::-1][blanks]
    whole = along[after] - along[before]
    even = (blanks - before) / (after - before)  # all stops on one spot
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole > 0, (along[blanks] - along[before]) / whole, even)
    gone = (arrive[after] - depart[before]) * np.clip(share, 0, 1)
    arrive[blanks] = depart[blanks] = depart[before] + np.floor(gone + _A_HAIR).astype(np.int64)
    counts["by_shape_distance"] = int(np.count_nonzero(by_shape[blanks]))
    counts["by_straight_line"] = len(blanks) - counts["by_shape_distance"]
    return arrive.astype(np.int32), depart.astype(np.int32), counts


def _about(calls: pd.DataFrame, known: np.ndarray) -> int:
    """Count times that the feed itself calls approximate (timepoint 0); they are used as they stand."""
    return int(np.count_nonzero(known & ~calls["timepoint"].to_numpy()))


def _lengths(feed: Feed, trips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the way from the call before to each call of the trips, 0 at their first, and where shapes measure it."""
    calls = feed.calls
    trip, stop, distance = (calls[name].to_numpy() for name in ("trip", "stop", "distance"))
    wanted = np.zeros(len(feed.trips), dtype=bool)
    wanted[trips] = True
    first = np.append(True, np.diff(trip) > 0)
    step = np.diff(distance, prepend=np.nan)
    unusable = ~np.isfinite(distance) | (~first & ~(step >= 0))
    by_shape = (np.bincount(trip, weights=unusable, minlength=len(feed.trips)) == 0)[trip]
    length = np.where(first | ~by_shape, 0.0, step)
    rows = np.flatnonzero(wanted[trip] & ~by_shape & ~first)
    length[rows] = straight_lines(feed.stops, stop[rows - 1], stop[rows])
    return length, by_shape


def straight_lines(stops: pd.DataFrame, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return metres between pairs of stops; each pair that occurs is measured once."""
    pair, back = np.unique(start.astype(np.int64) << 32 | end, return_inverse=True)
    lon, lat = stops["stop_lon"].to_numpy(), stops["stop_lat"].to_numpy()
    a, b = pair >> 32, pair & 0xFFFFFFFF
    metres: np.ndarray = np.asarray(_WGS84.inv(lon[a], lat[a], lon[b], lat[b])[2])[back]
    return metres


# ---------------------------------------------------------------- patterns


def same_sequences(at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Give runs of values a number each, equal ones the same; numbers by first appearance.

    Runs are compared by a 64-bit digest and then value by value, with another digest should two differ.
    """
    counts = np.diff(at)
    if not len(counts):
        return np.zeros(0, dtype=np.int32)
    place = np.arange(len(values), dtype=np.uint64) - np.repeat(at[:-1], counts).astype(np.uint64)
    salt = 0
    while True:
        mixed = scattered(values.astype(np.uint64) + scattered(place + np.uint64(salt << 32)))
        digest = scattered(np.add.reduceat(mixed, at[:-1]) + counts.astype(np.uint64))
        number, first = pd.factorize(digest)
        model = np.full(len(first), len(number), dtype=np.int64)
        np.minimum.at(model, number, np.arange(len(number)))
        like = model[number]
        if (counts == counts[like]).all() and (values == values[gather(at[:-1][like], counts)]).all():
            return np.asarray(number.astype(np.int32))
        salt += 1


def scattered(values: np.ndarray) -> np.ndarray:
    """Scatter 64-bit numbers (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = values ^ (values >> np.uint64(31))
    return mixed


def without_overtaking(
    group: np.ndarray, at: np.ndarray, arrive: np.ndarray, depart: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split groups of trips with one stop sequence so that inside each no trip overtakes another.

    Returns
    -------
    tuple of numpy.ndarray
        The pattern of each trip, numbered by first appearance; and the order of trips by pattern, in which each is
        at no stop earlier than the one before.

    Notes
    -----
    Trips are taken by the sum of their times: one that is nowhere later than another has the smaller sum, or they are
    alike. Each joins the first pattern whose last trip is at no stop later. Almost all groups are one pattern, which
    is seen at once; only the others are gone through trip by trip.
    """
    counts = np.diff(at)
    total = np.add.reduceat(arrive.astype(np.int64) + depart, at[:-1]) if len(counts) else counts
    order = np.lexsort((total, group))
    flat = gather(at[:-1][order], counts[order])
    sorted_at, early, late = spans(counts[order]), arrive[flat], depart[flat]
    follows = np.append(group[order][:-1] == group[order][1:], False)
    rows = gather(sorted_at[:-1][follows], counts[order][follows])
    ahead = rows + np.repeat(counts[order][follows], counts[order][follows])
    bad = (early[rows] > early[ahead]) | (late[rows] > late[ahead])
    overtaken = np.unique(np.repeat(group[order][follows], counts[order][follows])[bad])
    lane = np.zeros(len(group), dtype=np.int64)
    sorted_group = group[order]
    for own in overtaken:
        members = np.arange(*np.searchsorted(sorted_group, [own, own + 1]))
        size = counts[order][members[0]]
        block = sorted_at[members][:, None] + np.arange(size)
        lane[order[members]] = _lanes(np.hstack([early[block], late[block]]))
    pattern = pd.factorize(group.astype(np.int64) << 32 | lane)[0].astype(np.int32)
    return np.asarray(pattern), np.lexsort((total, pattern))


def _lanes(times: np.ndarray) -> np.ndarray:
    """Put each row of times in the first lane whose last row is nowhere later."""
    last = np.full((8, times.shape[1]), np.iinfo(np.int32).min, dtype=times.dtype)
    lanes = np.zeros(len(times), dtype=np.int64)
    for place, own in enumerate(times):
        free = (last <= own).all(axis=1)
        if not free.any():
            last = np.vstack([last, np.full_like(last, np.iinfo(np.int32).min)])
            free = np.append(free, np.ones(len(free), dtype=bool))
        lanes[place] = lane = int(np.argmax(free))
        last[lane] = own
    return lanes
