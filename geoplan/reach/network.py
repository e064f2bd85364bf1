"""Streets and timetable joined: stops on the streets, walks between stops, connections as the kernels read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geoplan.errors import Fault, Faults, InputError
from geoplan.reach.fingerprints import fingerprint
from geoplan.reach.linking import Near, near
from geoplan.reach.snapping import snap
from geoplan.reach.streets import Snapped, Streets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from geoplan.reach.timetable import Connections, Timetable

__all__ = ["Lines", "Network", "as_network", "join_network", "laid_out"]

_RECOMMENDED, _TIMED, _MINIMUM, _FORBIDDEN = 0, 1, 2, 3  # as transfers.txt has them
_KEPT = 8  # links of points to stops
_STRAIGHT_MPS = 1.0  # where transfers.txt allows a change that the streets do not show: as the crow flies, unhurried


@dataclass(frozen=True, eq=False)
class Network:
    """Streets and, where there is one, a timetable on them.

    Attributes
    ----------
    streets
        The streets one walks on.
    timetable
        What runs, or None for streets alone.
    stops
        The stops on the streets; those that are not near any are listed by ``stops.unsnapped()`` and can be reached
        only by riding or by a change that transfers.txt lists.
    paths
        Walks between stops, the change at a stop itself among them.
    record
        What the network was made of, and how.
    """

    streets: Streets
    timetable: Timetable | None = None
    stops: Snapped | None = None
    paths: Near | None = None
    record: Mapping[str, object] = field(default_factory=dict)
    radius_m: tuple[float, ...] = (300, 1600)
    off_street_kmh: float = 4.68
    _known: dict[str, Near] = field(default_factory=dict, repr=False)

    def snapped(self, points: gpd.GeoDataFrame) -> Snapped:
        """Put points on the streets, as the stops were."""
        return snap(self.streets, points, radius_m=self.radius_m, off_street_kmh=self.off_street_kmh)

    def stops_near(self, points: Snapped, *, max_s: float, threads: int | None = None) -> Near:
        """Return the stops near to points, for each of them; kept, for the next question about the same points."""
        return self._linked("to stops", points, max_s, None, threads)

    def near_stops(self, points: Snapped, *, max_s: float, max_m: float | None, threads: int | None = None) -> Near:
        """Return the stops that points are near to, for each of the points; kept in the same way."""
        return self._linked("from stops", points, max_s, max_m, threads)

    def _linked(self, way: str, points: Snapped, max_s: float, max_m: float | None, threads: int | None) -> Near:
        stops = self.stops
        if stops is None:
            empty = np.empty(0, np.int32)
            return Near.made(empty, empty, empty, empty, len(points.piece))
        key = fingerprint((way, points, max_s, max_m))
        if key not in self._known:
            pair = (points, stops) if way == "to stops" else (stops, points)
            found = near(self.streets, *pair, max_s=max_s, max_m=max_m, threads=threads)
            found = found if way == "to stops" else found.turned(len(points.piece))
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return self._known[key]


@dataclass(frozen=True, eq=False)
class Lines:
    """Connections as the kernel reads them, in its order; ``key`` is the second by which they stand in order.

    ``arrays`` are: last second to be there to board, second at which one is off, stop from, stop to, seat, rights (1 to
    board, 2 to get off). ``walks`` are, once a search is made ready: which list of walks to take on getting off, start
    of each list, other stop, seconds.
    """

    key: np.ndarray
    arrays: tuple[np.ndarray, ...]
    group: np.ndarray
    trip: np.ndarray
    seats: int
    walks: tuple[np.ndarray, ...] = ()


def as_network(given: object) -> Network:
    """Return a network; of streets alone, one that is nothing else.

    Raises
    ------
    InputError
        For what is neither.
    """
    if isinstance(given, Network):
        return given
    if isinstance(given, Streets):
        return Network(given)
    what, hint = f"the network is a {type(given).__name__}", "join_network(streets, timetable) makes one"
    raise InputError(Fault(what=what, key="network", expected="a network, or streets alone", hint=hint))


def join_network(
    streets: Streets,
    timetable: Timetable | None = None,
    *,
    transfer_m: float | None = 1000,
    transfer_min: float | None = None,
    nearest_per_line: bool = False,
    radius_m: float | Sequence[float] = (300, 1600),
    off_street_kmh: float = 4.68,
    stop_link_kmh: float | None = None,
    threads: int | None = None,
) -> Network:
    """Put the stops of a timetable on the streets, and find the walks between them.

    Parameters
    ----------
    streets
        What one walks on (or cycles).
    timetable
        Of :func:`read_timetable`; None for streets alone.
    transfer_m, transfer_min
        Longest way between two stops, in metres and in minutes; None for no limit of the kind.
    nearest_per_line
        Of the stops near to a stop, keep those that are the nearest of some pattern of trips, as R5 does. Quicker, and
        at times a little too slow a trip: a stop of the same line farther away can be the better one.
    radius_m, off_street_kmh
        How far points and stops may be from a street, and how fast one is on the way there; see :func:`snap`.
    stop_link_kmh
        The same speed for stops, if it differs.
    threads
        As many as there are processors, unless told.

    Returns
    -------
    Network
        Changes listed in transfers.txt are added to the walks: kinds 0 and 1 (1 takes no time, the vehicle waits),
        2 takes its least time in place of the walk's, 3 forbids the change. Those between given trips or routes are
        left out, but for the seats that kinds 4 and 5 join or part.

    Raises
    ------
    InputError
        For a radius, a speed, a longest way or a number of threads that is none.

    Examples
    --------
    >>> from geoplan.reach import join_network, read_streets, read_timetable
    >>> from geoplan.sources import home
    >>> streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    >>> timetable = read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09")
    >>> network = join_network(streets, timetable)
    >>> network.record["stops_off_the_streets"]
    0
    """
    radii = (radius_m,) if isinstance(radius_m, (int, float, np.number)) else tuple(radius_m)
    _must_be_limits(transfer_m=transfer_m, transfer_min=transfer_min, stop_link_kmh=stop_link_kmh)
    if timetable is None:
        alone = {"streets": dict(streets.record)}
        return Network(streets, record=alone, radius_m=radii, off_street_kmh=off_street_kmh)
    pa.default_memory_pool().release_unused()  # the text of the feeds was there; Arrow keeps such room until told
    stop_kmh = off_street_kmh if stop_link_kmh is None else stop_link_kmh
    stops = snap(streets, timetable.stops.geometry, radius_m=radii, off_street_kmh=stop_kmh)
    max_s = None if transfer_min is None else transfer_min * 60
    walks = near(streets, stops, stops, max_s=max_s, max_m=transfer_m, threads=threads)
    paths = _useful(_changes(walks, timetable, stops), timetable, nearest_per_line=nearest_per_line)
    record: dict[str, Any] = {
        "streets": dict(streets.record),
        "timetable": dict(timetable.record),
        "transfer_m": transfer_m,
        "transfer_min": transfer_min,
        "nearest_per_line": nearest_per_line,
        "link_radius_m": list(radii),
        "off_street_kmh": off_street_kmh,
        "stop_link_kmh": stop_kmh,
        "stops": len(stops.piece),
        "stops_off_the_streets": int((stops.piece < 0).sum()),
        "walks_between_stops": len(paths.other),
    }
    return Network(streets, timetable, stops, paths, record, radii, off_street_kmh)


def _must_be_limits(**limits: float | None) -> None:
    faults = Faults()
    for name, limit in limits.items():
        sound = isinstance(limit, Real) and not isinstance(limit, bool) and 0 <= limit < np.inf
        speed = name.endswith("_kmh")
        if limit is not None and not (sound and (limit > 0 or not speed)):
            low, none = ("a speed above 0", "the speed of points") if speed else ("a number from 0", "no limit")
            expected = f"{low}, or None for {none}"
            faults.add(InputError(Fault(what=f"{name} cannot be {limit!r}", key=name, expected=expected)))
    faults.raise_any()


def _changes(walks: Near, timetable: Timetable, stops: Snapped) -> Near:
    """Add the change at each stop itself, and what transfers.txt says of changes."""
    size = len(stops.piece)
    row, other, seconds, metres = walks.rows, walks.other, walks.seconds, walks.metres
    apart = row != other
    every = np.arange(size)
    row, other = np.concatenate([row[apart], every]), np.concatenate([other[apart], every])
    seconds = np.concatenate([seconds[apart], np.zeros(size, np.int32)])
    metres = np.concatenate([metres[apart], np.zeros(size, np.float32)])
    rules = timetable.transfers
    rules = rules[(rules["from_trip"] < 0) & (rules["to_trip"] < 0) & (rules["kind"] <= _FORBIDDEN)]
    if rules.empty:
        return Near.made(row, other, seconds, metres, size)
    start, end = rules["from_stop"].to_numpy(np.int64), rules["to_stop"].to_numpy(np.int64)
    kind, least = rules["kind"].to_numpy(), np.nan_to_num(rules["min_s"].to_numpy(float)).astype(np.int32)
    known = dict(zip((row * size + other).tolist(), range(len(row)), strict=True))
    place = np.array([known.get(key, -1) for key in (start * size + end).tolist()])
    fresh = (place < 0) & (kind != _FORBIDDEN)
    apart_m = np.hypot(*(stops.xy[start] - stops.xy[end]).T)
    took = np.where(kind == _MINIMUM, least, np.where(kind == _TIMED, 0, np.rint(apart_m / _STRAIGHT_MPS)))
    old = (place >= 0) & np.isin(kind, (_TIMED, _MINIMUM))
    seconds = seconds.copy()
    seconds[place[old]] = took[old]
    keep = np.ones(len(row), dtype=bool)
    keep[place[(place >= 0) & (kind == _FORBIDDEN)]] = False
    return Near.made(
        np.concatenate([row[keep], start[fresh]]),
        np.concatenate([other[keep], end[fresh]]),
        np.concatenate([seconds[keep], took[fresh].astype(np.int32)]),
        np.concatenate([metres[keep], apart_m[fresh].astype(np.float32)]),
        size,
    )


def _useful(paths: Near, timetable: Timetable, *, nearest_per_line: bool) -> Near:
    """Leave out walks that nobody can use: from a stop where nothing is left, or to one where nothing is boarded."""
    made = timetable.connections()
    size = len(paths)
    left, boarded = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    left[made.to_stop[made.may_alight]] = True
    boarded[made.from_stop[made.may_board]] = True
    paths = paths.kept(left[paths.rows] & boarded[paths.other])
    return _nearest(paths, timetable) if nearest_per_line else paths


def _nearest(paths: Near, timetable: Timetable) -> Near:
    """Keep, of the stops near to a stop, those that are the nearest of some pattern of trips, as R5 does."""
    size = len(paths)
    number = np.repeat(np.arange(len(timetable.pattern_at) - 1), np.diff(timetable.pattern_at))
    stop, pattern = np.unique(np.stack([timetable.pattern_stops, number]), axis=1).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(np.bincount(stop, minlength=size))]).astype(np.int32)
    # Every walk once for each pattern that calls where it leads: the start, the pattern, how far, which walk.
    count = np.diff(first)[paths.other]
    walk = np.repeat(np.arange(len(paths.other), dtype=np.int32), count)
    place = np.arange(len(walk), dtype=np.int32) - np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    pattern = pattern[first[paths.other[walk]] + place]
    row = paths.rows.astype(np.int32)[walk]
    order = np.lexsort((walk, paths.metres[walk], pattern, row))
    row, pattern = row[order], pattern[order]
    best = np.ones(len(order), dtype=bool)
    best[1:] = (row[1:] != row[:-1]) | (pattern[1:] != pattern[:-1])
    keep = np.zeros(len(paths.other), dtype=bool)
    keep[walk[order[best]]] = True
    return paths.kept(keep)


def laid_out(made: Connections, *, slack_s: int, turned: bool) -> Lines:
    """Lay out connections for the kernel; with time running backwards if ``turned``.

    Backwards, a connection leaves its end and comes to its start; who gets off there is held up by the time one has
    to be there before boarding.
    """
    rights = made.may_board.astype(np.int8) | (made.may_alight.astype(np.int8) << 1)
    early = made.depart_s - slack_s - made.wait_s
    if turned:
        order = np.lexsort((-np.arange(len(made.seat)), -made.arrive_s.astype(np.int64)))
        rights = made.may_alight.astype(np.int8) | (made.may_board.astype(np.int8) << 1)
        key, arrays = -made.arrive_s, (-made.arrive_s, -early, made.to_stop, made.from_stop, made.seat, rights)
    else:
        order = np.arange(len(made.seat))
        key, arrays = made.depart_s, (early, made.arrive_s, made.from_stop, made.to_stop, made.seat, rights)
    laid = tuple(np.ascontiguousarray(array[order], np.int8 if array is rights else np.int32) for array in arrays)
    key = np.ascontiguousarray(key[order], np.int32)
    at_once = (made.depart_s == made.arrive_s)[order] if slack_s == 0 else np.zeros(len(key), dtype=bool)
    return Lines(key, laid, _groups(key, at_once), made.trip[order], made.seats)


def _groups(key: np.ndarray, at_once: np.ndarray) -> np.ndarray:
    """Name, at the first of the connections of one second of which some take no time, the last; else the row itself."""
    group = np.arange(len(key), dtype=np.int32)
    if at_once.any():
        starts = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
        last = np.append(starts[1:], len(key)) - 1
        some = np.logical_or.reduceat(at_once, starts)
        group[starts[some]] = last[some]
    return group
