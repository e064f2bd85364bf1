"""From one point to all, by foot and timetable, for every departure of a window at once.

A search is prepared once for a network, a window and its options (:func:`prepared`), then run for one origin after
another; each thread has a :class:`Scratch` of its own, so that nothing is allocated on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from geoplan.reach.kernels import UNREACHED, alike, overtaken, percentiles, propagate, scan, travel
from geoplan.reach.linking import Near
from geoplan.reach.network import Lines, laid_out
from geoplan.reach.stop_times import gather

if TYPE_CHECKING:
    from geoplan.reach.network import Network

__all__ = ["Scratch", "Search", "Window", "one_to_all", "prepared", "ranks_of", "stop_times"]

_FLAGS = 2**26  # walks after connections that are looked at one by one, a byte each: beyond, all are kept
_STATE = 64 * 2**20  # bytes of the state of one sweep, unless told: more departures take more sweeps


@dataclass(frozen=True)
class Window:
    """When and how one travels: all in seconds of the service day of the timetable.

    ``leave_s`` are departures, rising, or deadlines for arriving if ``arrive``.
    """

    leave_s: tuple[int, ...]
    most_s: int
    walk_s: int
    rides: int
    slack_s: int
    arrive: bool = False
    headways: Literal["expected", "drawn"] = "expected"
    draws: int = 1
    seed: int = 0

    @property
    def lanes(self) -> np.ndarray:
        """Departures as the kernel wants them, rising; deadlines run backwards."""
        leave = np.array(self.leave_s, np.int32)
        return np.ascontiguousarray(-leave[::-1]) if self.arrive else leave


@dataclass(frozen=True, eq=False)
class Search:
    """A search made ready: the lines of each draw with the walks after them, departures in parts that fit in memory."""

    window: Window
    lines: tuple[Lines, ...]
    parts: tuple[np.ndarray, ...]
    stops: int

    @property
    def trips(self) -> int:
        """How many travel times there are of each pair: departures times draws."""
        return len(self.lines) * sum(map(len, self.parts))


class Scratch:
    """What a thread works on; made once, cleared by each search for itself."""

    def __init__(self, search: Search) -> None:
        seats = max((lines.seats for lines in search.lines), default=0)
        longest = (int((lines.group - np.arange(len(lines.group))).max(initial=0)) for lines in search.lines)
        slots, together = search.stops * search.window.rides, (max(longest, default=0) + 1) * search.window.rides
        self.states = {}
        for lanes in {len(part) for part in search.parts}:
            state = (
                np.empty(slots * lanes, np.uint16),
                np.empty(slots * lanes, np.uint16),
                np.empty(seats * search.window.rides, np.int32),
                np.empty(search.stops, np.int32),
                np.empty(together, np.int32),
            )
            self.states[lanes] = state, np.empty((search.stops, lanes), np.uint16), np.empty(search.stops, np.int32)


def prepared(network: Network, window: Window, *, state_bytes: int = _STATE) -> Search:
    """Make a search ready; the departures are parted so that the state of one sweep takes no more than told."""
    lanes = window.lanes
    if network.timetable is None or network.paths is None or not window.rides:
        return Search(window, (), (lanes,), 0)
    has_headways = bool((network.timetable.trips["headway_s"] > 0).any())
    draws = window.draws if window.headways == "drawn" and has_headways else 1
    lines = tuple(
        laid_out(
            network.timetable.connections(headways=window.headways, seed=window.seed, draw=draw),
            slack_s=window.slack_s,
            turned=window.arrive,
        )
        for draw in range(draws)
    )
    size = len(network.timetable.stops)
    paths = network.paths.turned(size) if window.arrive else network.paths
    lines = tuple(with_walks(each, paths, lanes, window.most_s) for each in lines)
    each = max(1, size * (2 * 2 * window.rides + 2))
    width = max(1, min(len(lanes), state_bytes // each))
    # The seconds of one sweep, from its first departure on, have to fit in 16 bits.
    far = (lanes - lanes[0]) // max(1, UNREACHED - window.most_s)
    parts = tuple(
        part
        for together in np.split(lanes, np.flatnonzero(np.diff(far)) + 1)
        for part in np.array_split(together, -(-len(together) // width))
    )
    return Search(window, lines, parts, size)


def with_walks(lines: Lines, paths: Near, lanes: np.ndarray, most_s: int) -> Lines:
    """Say where to walk on getting off, in the time looked at; walks that nobody needs are left out.

    Nobody walks from stops where nobody gets off, to stops where nobody boards, or to where who stays aboard is sooner.
    """
    start, end = np.searchsorted(lines.key, [lanes[0], lanes[-1] + most_s + 1])
    arrays = tuple(array[start:end] for array in lines.arrays)
    _, _, from_stop, to_stop, seat, rights = arrays
    left, boarded = np.zeros(len(paths), dtype=bool), np.zeros(len(paths), dtype=bool)
    boarded[from_stop[(rights & 1) > 0]] = True
    left[to_stop[(rights & 2) > 0]] = True
    paths = paths.kept(left[paths.rows] & boarded[paths.other])
    numbers = np.zeros(len(lines.key), np.int32)
    first = np.concatenate([[0], np.cumsum(np.diff(paths.first)[to_stop])])
    if first[-1] > _FLAGS:
        numbers[start:end] = to_stop
        return replace(lines, walks=(numbers, paths.first, paths.other, paths.seconds))
    keep, marks = np.zeros(first[-1], dtype=bool), np.empty(end - start, np.int64)
    trio = (paths.first, paths.other, paths.seconds)
    overtaken(np.argsort(seat, kind="stable"), arrays, first, trio, keep, marks)
    leads = alike(np.lexsort((marks, to_stop)), to_stop, first, keep, numbers[start:end])
    size = np.diff(first)[leads]
    flags = keep[gather(first[leads], size)]
    kept = gather(paths.first[to_stop[leads]], size)[flags]
    each = np.bincount(np.repeat(np.arange(len(leads)), size)[flags], minlength=len(leads))
    begins = np.concatenate([[0], np.cumsum(each)]).astype(np.int64)
    return replace(lines, walks=(numbers, begins, paths.other[kept], paths.seconds[kept]))


def short(seconds: np.ndarray, most: int) -> np.ndarray:
    """Return seconds in 16 bits, UNREACHED where they are more than the most."""
    return np.where(seconds <= most, seconds, UNREACHED).astype(np.uint16)


def ranks_of(shares: tuple[float, ...], trips: int) -> np.ndarray:
    r"""Return which of the sorted travel times is each percentile: the least *t* that ``share`` % of trips keep.

    .. math:: k_p = \max(1, \lceil p n / 100 \rceil)

    of *n* trips, those that do not arrive among them as the longest; counted from 0.
    """
    exact = np.array(shares, float) * trips / 100
    return (np.maximum(np.ceil(np.round(exact, 9)), 1) - 1).astype(np.int64)


def stop_times(
    search: Search, lines: Lines, part: np.ndarray, access: tuple[np.ndarray, np.ndarray], scratch: Scratch
) -> tuple[np.ndarray, np.ndarray]:
    """Search for some departures; return travel times [stop, departure] and the least of each stop."""
    state, times, soonest = scratch.states[len(part)]
    span = np.searchsorted(lines.key, [part[0], part[-1] + search.window.most_s + 1])
    most, rides = search.window.most_s, search.window.rides
    scan(lines.arrays, lines.group, span, lines.walks, access, part, most, rides, state)
    travel(state[1].reshape(-1, rides, len(part)), (part - part[0]).astype(np.uint16), most, times, soonest)
    return times, soonest


def one_to_all(
    search: Search,
    access: tuple[np.ndarray, np.ndarray],
    egress: Near | None,
    walk: np.ndarray,
    ranks: np.ndarray,
    scratch: Scratch,
    out: np.ndarray,
) -> None:
    """Write percentiles of the travel times from one origin to all points to ``out`` [point, rank], 16 bits.

    ``access`` are the stops near the origin with the seconds to them, ``egress`` the stops near each point, ``walk``
    the seconds to the points without a ride.
    """
    most = search.window.most_s
    if not search.lines or egress is None or not len(access[0]):
        out[:] = short(walk, most)[:, None]
        return
    reach = (egress.first, egress.other, egress.seconds)
    none = np.empty((0, 0), np.uint16)
    sweeps = [(lines, part) for lines in search.lines for part in search.parts]
    if len(sweeps) == 1:
        times, soonest = stop_times(search, *sweeps[0], access, scratch)
        numbers = np.empty(len(search.parts[0]), np.uint16)
        propagate(times, soonest, reach, short(walk, most), most, numbers, ranks, out, none)
        return
    trips = every_trip(search, access, egress, walk, scratch)
    for point in range(len(walk)):
        percentiles(trips[point], ranks, most, out, point)


def every_trip(
    search: Search, access: tuple[np.ndarray, np.ndarray], egress: Near | None, walk: np.ndarray, scratch: Scratch
) -> np.ndarray:
    """Return the travel time of every trip [point, draw and departure]; UNREACHED, or over the most, if not in time."""
    most, no_ranks, no_out = search.window.most_s, np.empty(0, np.int64), np.empty((len(walk), 0), np.uint16)
    found = []
    for lines in search.lines or (None,):
        for part in search.parts:
            trips = np.empty((len(walk), len(part)), np.uint16)
            if lines is None or egress is None or not len(access[0]):
                trips[:] = short(walk, most)[:, None]
            else:
                times, soonest = stop_times(search, lines, part, access, scratch)
                numbers, reach = np.empty(len(part), np.uint16), (egress.first, egress.other, egress.seconds)
                propagate(times, soonest, reach, short(walk, most), most, numbers, no_ranks, no_out, trips)
            found.append(trips)
    return np.concatenate(found, axis=1)
