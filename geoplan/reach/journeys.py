"""One journey, leg by leg: walk 4 min, wait 3, metro 17 thirteen minutes, walk 2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString

from geoplan.errors import Fault, InputError
from geoplan.reach.asking import asked, clock
from geoplan.reach.kernels import UNREACHED
from geoplan.reach.linking import costs, near, seconds_of
from geoplan.reach.matrix import made_ready
from geoplan.reach.network import Lines, Network, as_network
from geoplan.reach.routing import Scratch, Search, Window, prepared, stop_times
from geoplan.reach.streets import Snapped, Streets
from geoplan.reach.tracing import traced

if TYPE_CHECKING:
    from geoplan.reach.timetable import Timetable

__all__ = ["Journey", "explain_trip"]

_STATE = 2**28
_MOVES = {"cycle": "cycle", "drive": "drive"}  # what one does on streets of another mode than walking
_NEVER = np.int64(1) << 40  # seconds that no journey takes


@dataclass(frozen=True, eq=False)
class Journey:
    """A journey from one point to another.

    Attributes
    ----------
    legs
        One row a leg, EPSG:4326 lines: ``leg`` ("walk", "wait", "ride"; on streets for them "cycle", "drive"),
        ``line``, ``kind``, ``towards``, ``from_name``, ``to_name``, ``start_s``, ``end_s`` (seconds of the service
        day), ``start``, ``end`` (as clocks show), ``minutes``, ``metres`` (along streets; NaN of a wait or a ride),
        ``stops`` (of a ride, else 0), ``geometry`` (None of a wait).
    minutes
        From leaving to being there, or to the moment one wanted to be there by; NaN where that cannot be done in time.
    rides
        How many vehicles.
    reason
        Why there is no journey, in words; empty where there is one.
    """

    legs: gpd.GeoDataFrame
    minutes: float
    rides: int
    reason: str = ""

    def __str__(self) -> str:
        """Tell the journey in a line."""
        if self.reason:
            return self.reason
        told = []
        for leg in self.legs.itertuples():
            name = f"{leg.kind} {leg.line}".strip() if leg.leg == "ride" else leg.leg
            told.append(f"{name} {leg.minutes:.0f}")
        return f"{self.minutes:.0f} min: {', '.join(told)}" if told else "0 min: already there"


@dataclass(frozen=True)
class _Ride:
    """A ride as found: rows of the first and last connection, in the order of the kernel."""

    board: int
    off: int
    ready: int


def explain_trip(
    origin: gpd.GeoDataFrame,
    destination: gpd.GeoDataFrame,
    network: Network | Streets,
    *,
    departure: str | datetime | None = None,
    arrival: str | datetime | None = None,
    max_min: float = 120,
    max_walk_min: float = 30,
    max_egress_m: float | None = None,
    rides: int = 8,
    slack_s: int = 60,
    headways: str = "expected",
    draw: int = 0,
    seed: int = 0,
) -> Journey:
    """Explain the quickest trip between two points that leaves at a moment, or the last to be there by one.

    Parameters
    ----------
    origin, destination
        One point each, as ``frame.loc[["id"]]``.
    network
        Of :func:`join_network`; or streets alone, of any mode.
    departure, arrival
        When one leaves, or wants to be there by, as ``"2024-10-08 07:00"``: local time, on the timetable's date. One of
        them; streets alone need none.
    max_min, max_walk_min, max_egress_m, rides, slack_s, headways, seed
        As in :func:`travel_times`, which finds the same time for this one moment.
    draw
        Which of the draws of lines with a headway, counted from 0, if ``headways`` is ``"drawn"``.

    Returns
    -------
    Journey
        Of several trips that arrive at the same second, one with the fewest rides, boarded as late as can be. To be
        there by a moment one leaves as late as can be; what is left at the destination is a wait.

    Raises
    ------
    InputError
        As :func:`travel_times`; and for an origin or destination that is not one point.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> from geoplan.reach import explain_trip, join_network, read_streets
    >>> lines = [LineString([(674_000, 6_580_000), (676_000, 6_580_000)])]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    >>> home = gpd.GeoDataFrame(geometry=[Point(674_000, 6_580_000)], crs=3006)
    >>> work = gpd.GeoDataFrame(geometry=[Point(674_780, 6_580_000)], crs=3006)
    >>> print(explain_trip(home, work, join_network(streets)))
    10 min: walk 10
    """
    network = as_network(network)
    window = asked(
        network.timetable,
        departure,
        arrival,
        window_min=0,
        step_min=1,
        max_min=max_min,
        max_walk_min=max_walk_min,
        rides=rides,
        slack_s=slack_s,
        headways=headways,
        draws=1,
        draw=draw,
        seed=seed,
        max_egress_m=max_egress_m,
    )
    window = replace(window, draws=int(draw) + 1)
    here, there = network.snapped(_one(origin, "origin")), network.snapped(_one(destination, "destination"))
    if (here.xy[0] == there.xy[0]).all():
        return Journey(_legs([]), 0.0, 0)
    for points, side in ((here, "origin"), (there, "destination")):
        if points.piece[0] < 0:
            return _none(f"the {side} is not on any street: {points.reason[0]}")
    if not window.arrive:
        return _from(network, window, here, there, draw, max_egress_m)
    leave = _latest(network, window, here, there, draw, max_egress_m)
    if leave is None:
        return _none(f"not reached within {window.most_s / 60:.0f} min")
    found = _from(network, replace(window, leave_s=(leave,), arrive=False), here, there, draw, max_egress_m)
    return _until(found, network, window.leave_s[0])


def _latest(
    network: Network, window: Window, here: Snapped, there: Snapped, draw: int, max_egress_m: float | None
) -> int | None:
    """Return the last second at which one can leave to be there in time; None where none will do."""
    job = made_ready(network, window, here, there, (50,), max_egress_m=max_egress_m, threads=1, state_bytes=_STATE)
    own = replace(job.search, lines=_drawn(job.search, draw))
    took = int(replace(job, search=own, ranks=np.zeros(1, np.int64)).run(np.zeros(1, np.int64))[0, 0, 0])
    return None if took == UNREACHED else window.leave_s[0] - took


def _from(
    network: Network, window: Window, here: Snapped, there: Snapped, draw: int, max_egress_m: float | None
) -> Journey:
    """Find the journey that leaves at the one departure of a window."""
    walk = int(seconds_of(costs(network.streets, here, there, np.arange(1), max_s=window.walk_s))[0, 0])
    search = prepared(network, window, state_bytes=_STATE)
    search = replace(search, lines=_drawn(search, draw))
    leave = window.leave_s[0]
    found = _by_stops(network, search, here, there, max_egress_m) if search.lines else None
    if found is not None and found[0] - leave < walk:
        return _told(network, search.lines[0], found, here, there, leave)
    if walk > window.most_s:
        return _none(f"not reached within {window.most_s / 60:.0f} min")
    parts = [_walk_leg(network, (here, 0, there, 0), leave, leave + walk, ("", ""))]
    return Journey(_legs(parts), walk / 60, 0)


def _drawn(search: Search, draw: int) -> tuple[Lines, ...]:
    """Return the lines of one draw; where nothing is drawn, those there are."""
    return search.lines[draw : draw + 1] or search.lines[:1]


def _until(found: Journey, network: Network, deadline: int) -> Journey:
    """Add the wait at the destination, until the moment one wanted to be there by."""
    legs, now = found.legs, int(found.legs["end_s"].iloc[-1])
    if now < deadline:
        wait = _legs([_leg(network.timetable, "wait", now, deadline)])
        legs = gpd.GeoDataFrame(pd.concat([legs, wait], ignore_index=True), geometry="geometry", crs=legs.crs)
    return replace(found, legs=legs, minutes=(deadline - int(legs["start_s"].iloc[0])) / 60)


def _one(points: gpd.GeoDataFrame, side: str) -> gpd.GeoDataFrame:
    if len(points) != 1:
        raise InputError(
            Fault(what=f"the {side} is {len(points)} points", key=side, expected="one point, as frame.loc[[id]]")
        )
    return points


def _none(reason: str) -> Journey:
    return Journey(_legs([]), float("nan"), 0, reason)


def _by_stops(
    network: Network, search: Search, here: Snapped, there: Snapped, max_egress_m: float | None
) -> tuple[int, int, list[_Ride], np.ndarray] | None:
    """Search, and follow the journey back; return when one is there, the last stop, the rides and the first walk."""
    stops, window, lines = network.stops, search.window, search.lines[0]
    if stops is None or network.paths is None:
        return None
    access, egress = (
        near(network.streets, here, stops, max_s=window.walk_s),
        near(network.streets, stops, there, max_s=window.walk_s, max_m=max_egress_m).turned(1),
    )
    if not len(access.other) or not len(egress.other):
        return None
    scratch = Scratch(search)
    times, _ = stop_times(search, lines, search.parts[0], (access.other, access.seconds), scratch)
    ready, off = (_moments(kept, search) for kept in scratch.states[1][0][:2])
    total = times[egress.other, 0].astype(np.int64) + egress.seconds
    best = int(np.argmin(total))
    if total[best] > window.most_s:
        return None
    last = int(egress.other[best])
    chain = _followed(lines, network, ready, off, last)
    return window.leave_s[0] + int(total[best]), last, chain, access.seconds[access.other == chain[0].ready]


def _moments(kept: np.ndarray, search: Search) -> np.ndarray:
    """Return what a search of one departure has left behind, as seconds of the day [stop, rides]."""
    moments = kept.reshape(search.stops, search.window.rides).astype(np.int64)
    return np.where(moments == UNREACHED, _NEVER, moments + search.window.leave_s[0])


def _followed(lines: Lines, network: Network, ready: np.ndarray, off: np.ndarray, stop: int) -> list[_Ride]:
    """Follow a journey back from the stop where one gets off last, by the times the search left behind."""
    back = network.paths.turned(len(ready)) if network.paths is not None else None
    soonest = np.minimum.accumulate(ready, axis=1)  # to board with so many rides before, or fewer
    ride = int(np.argmin(off[stop]))
    chain: list[_Ride] = []
    while True:
        board, last = _ridden(lines, soonest[:, ride], stop, int(off[stop, ride]))
        at = int(lines.arrays[2][board])
        chain.append(_Ride(board, last, at))
        ride = int(np.argmax(ready[at] == soonest[at, ride]))
        if ride == 0 or back is None:
            return chain[::-1]
        place = back.row(at)
        before, seconds = back.other[place], back.seconds[place]
        fits = np.flatnonzero(off[before, ride - 1] + seconds == ready[at, ride])
        stop, ride = int(before[fits[np.argmin(seconds[fits])]]), ride - 1


def _ridden(lines: Lines, soonest: np.ndarray, stop: int, when: int) -> tuple[int, int]:
    """Return the connections at which one boards, as late as one can, and gets off to be at a stop at a time."""
    board_by, off_at, from_stop, to_stop, seat, rights = lines.arrays
    best = (-1, -1)
    for off in np.flatnonzero((to_stop == stop) & (off_at == when) & ((rights & 2) > 0)):
        rows = np.flatnonzero(seat[: off + 1] == seat[off])
        rows = rows[((rights[rows] & 1) > 0) & (soonest[from_stop[rows]] <= board_by[rows])]
        if len(rows) and rows[-1] > best[0]:
            best = (int(rows[-1]), int(off))
    return best


def _told(
    network: Network,
    lines: Lines,
    found: tuple[int, int, list[_Ride], np.ndarray],
    here: Snapped,
    there: Snapped,
    leave: int,
) -> Journey:
    """Word the legs of a journey, from the rides that were found."""
    timetable, stops, paths = network.timetable, network.stops, network.paths
    if timetable is None or stops is None or paths is None:
        return _none("")
    end, last, chain, walk = found
    names = timetable.stops["name"].astype(str).to_numpy()
    parts: list[dict[str, Any]] = []
    now, at = leave, -1
    for ride in chain:
        if at < 0:
            seconds, places = int(walk[0]), (here, 0, stops, ride.ready)
        else:
            place = paths.row(at)
            seconds = int(paths.seconds[place][paths.other[place] == ride.ready][0])
            places = (stops, at, stops, ride.ready)
        if at != ride.ready and (seconds or at >= 0):
            parts.append(
                _walk_leg(network, places, now, now + seconds, ("" if at < 0 else names[at], names[ride.ready]))
            )
            now += seconds  # to change at a stop takes part of the wait there
        leg = _ride_leg(timetable, lines, ride, names)
        if leg["start_s"] > now:
            parts.append(
                _leg(timetable, "wait", now, leg["start_s"], from_name=names[ride.ready], to_name=names[ride.ready])
            )
        parts.append(leg)
        now, at = leg["end_s"], int(lines.arrays[3][ride.off])
    if end > now:
        parts.append(_walk_leg(network, (stops, last, there, 0), now, end, (names[last], "")))
    return Journey(_legs(parts), (end - leave) / 60, len(chain))


def _ride_leg(timetable: Timetable, lines: Lines, ride: _Ride, names: np.ndarray) -> dict[str, Any]:
    """Word a ride: from the departure of its first connection to the arrival of its last."""
    _, off_at, from_stop, to_stop, seat, _ = lines.arrays
    rows = np.arange(ride.board, ride.off + 1)
    rows = rows[seat[rows] == seat[ride.board]]
    trip = timetable.trips.iloc[int(lines.trip[ride.board])]
    at = np.append(from_stop[rows], to_stop[rows[-1]])
    points = timetable.stops.geometry.iloc[at]
    told = {
        "line": str(trip["line"] or ""),
        "kind": str(trip["kind"]),
        "towards": str(trip["headsign"] or ""),
        "from_name": names[at[0]],
        "to_name": names[at[-1]],
        "stops": len(rows),
        "geometry": LineString(np.column_stack([points.x, points.y])),
    }
    return _leg(timetable, "ride", int(lines.key[ride.board]), int(off_at[ride.off]), **told)


def _walk_leg(
    network: Network, places: tuple[Snapped, int, Snapped, int], start: int, end: int, names: tuple[str, str]
) -> dict[str, Any]:
    """Word a walk, or what else one does on such streets, with the way along them."""
    line, metres = traced(network.streets, *places)
    told = {"from_name": names[0], "to_name": names[1], "metres": metres, "geometry": line}
    return _leg(network.timetable, _MOVES.get(network.streets.mode, "walk"), start, end, **told)


def _leg(timetable: Timetable | None, leg: str, start: int, end: int, **told: Any) -> dict[str, Any]:
    plain = {"line": "", "kind": "", "towards": "", "from_name": "", "to_name": "", "metres": np.nan, "stops": 0}
    shown = [clock(timetable, second) if timetable is not None else "" for second in (start, end)]
    times = {"start_s": start, "end_s": end, "start": shown[0], "end": shown[1], "minutes": (end - start) / 60}
    return {"leg": leg, **plain, **times, "geometry": None, **told}


def _legs(parts: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    columns = ["leg", "line", "kind", "towards", "from_name", "to_name", "start_s", "end_s", "start", "end", "minutes"]
    frame = pd.DataFrame(parts, columns=[*columns, "metres", "stops", "geometry"])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326")
