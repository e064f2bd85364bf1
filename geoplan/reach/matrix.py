"""Travel times between many points: in parts, on threads or on a cluster, resumable, within a bound of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.reach.asking import asked, incomplete, percentiles_of
from geoplan.reach.filling import fill, room_of
from geoplan.reach.linking import Near, costs, seconds_of, threads_of
from geoplan.reach.network import Network, as_network
from geoplan.reach.routing import Scratch, Search, Window, one_to_all, prepared, ranks_of
from geoplan.reach.streets import Snapped, Streets
from geoplan.reach.times import TravelTimes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Job", "travel_times"]


@dataclass(frozen=True, eq=False)
class Job:
    """Everything that is needed to find the travel times of some origins: what threads share, or a cluster is sent.

    ``sources`` are searched from and ``sinks`` reached; where one asks to arrive by a time, these are the
    destinations and the origins, and the search runs backwards.
    """

    search: Search
    streets: Streets
    sources: Snapped
    sinks: Snapped
    access: Near | None
    egress: Near | None
    ranks: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the answer."""
        return len(self.sources.piece), len(self.sinks.piece), len(self.ranks)

    def run(self, numbers: NDArray[np.int64], scratch: Scratch | None = None) -> NDArray[np.uint16]:
        """Return the percentiles of the travel times of some sources to all sinks."""
        scratch = scratch or Scratch(self.search)
        walks = self.walks(numbers)
        out = np.empty((len(numbers), *self.shape[1:]), np.uint16)
        for row, number in enumerate(numbers):
            one_to_all(self.search, self.near(int(number)), self.egress, walks[row], self.ranks, scratch, out[row])
        return out

    def near(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the stops near a source, and the seconds to them."""
        if self.access is None:
            return np.empty(0, np.int32), np.empty(0, np.int32)
        place = self.access.row(number)
        return self.access.other[place], self.access.seconds[place]

    def walks(self, numbers: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the seconds by street alone; a point is at itself at once, on a street or not."""
        window = self.search.window
        found = costs(self.streets, self.sources, self.sinks, numbers, max_s=window.walk_s, turned=window.arrive)
        seconds = seconds_of(found)
        source, sink = self.places
        for row, number in enumerate(numbers):
            seconds[row, sink == source[number]] = 0
        return seconds

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number the places of sources and sinks: those of one number are the same."""
        both = np.concatenate([self.sources.xy, self.sinks.xy])
        number = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
        size = len(self.sources.xy)
        nowhere = np.isnan(both[:, 0])  # what has no place is at none
        return np.where(nowhere, -1, number)[:size], np.where(nowhere, -2, number)[size:]


def travel_times(
    origins: gpd.GeoDataFrame,
    destinations: gpd.GeoDataFrame,
    network: Network | Streets,
    *,
    departure: str | datetime | None = None,
    arrival: str | datetime | None = None,
    window_min: float = 60,
    step_min: float = 1,
    percentiles: Sequence[float] | float = (50,),
    max_min: float = 120,
    max_walk_min: float = 30,
    max_egress_m: float | None = None,
    rides: int = 8,
    slack_s: int = 60,
    headways: str = "expected",
    draws: int = 10,
    seed: int = 0,
    threads: int | None = None,
    memory_mb: float = 1024,
    progress: bool = False,
    folder: str | Path | None = None,
    workers: Any = None,
) -> TravelTimes:
    r"""Find travel times from door to door, by street alone or by public transport and on foot.

    Parameters
    ----------
    origins, destinations
        Points in any stated coordinate system; the index names them.
    network
        Of :func:`join_network`; or streets alone, of any mode: then ``max_min`` is the only limit that matters.
    departure, arrival
        First moment at which one leaves, or by which one wants to be there, as ``"2024-10-08 07:00"``; the local time
        of the timetable, on its date. One of them, if the network has a timetable.
    window_min, step_min
        Departures (or deadlines) are every ``step_min`` minutes for ``window_min`` minutes; a window of 0 is one.
    percentiles
        Per cent of the trips of the window. The *p*-th percentile is the least time *t* such that at least *p* per cent
        of the trips take *t* or less; trips that do not arrive within ``max_min`` count as longer than any. With *n*
        trips it is the trip of rank :math:`\lceil p n / 100 \rceil`, never a mean of two.
    max_min, max_walk_min
        Longest trip; longest walk from the origin to a stop, from a stop to the destination, and without a ride.
    max_egress_m
        Longest way from the last stop, in metres; as far as ``max_walk_min`` leads if None.
    rides
        How many vehicles at most; 0 is walking alone.
    slack_s
        Seconds to be at a stop before a vehicle leaves.
    headways, draws, seed
        Lines with a headway and no timetable: ``"expected"`` takes half the headway as the wait; ``"drawn"`` draws when
        their first vehicle leaves, ``draws`` times, each for every departure, from generators seeded with ``seed``.
    threads
        As many as there are processors, unless told. The answer does not depend on it.
    memory_mb
        What the answer and the state of the searches may take together; the network, the points and the links between
        points and stops come on top. The answer does not depend on it.
    progress
        Show a progress bar.
    folder
        Keep the answer in a folder, part by part; asked again, what is there is not computed again. Ctrl-C loses at
        most the parts under way. The answer is read from there as it is needed.
    workers
        A Dask client (``pip install geoplan[cluster]``), to compute on its workers: the same numbers.

    Returns
    -------
    TravelTimes
        Whole seconds, origins × destinations × percentiles. A point is at itself at once; points that are on no street
        reach nothing else and are listed in ``unsnapped`` with the reason. ``record["notes"]`` says which vehicles the
        timetable, as it is of one day, lacks within ``max_min`` of the window.

    Raises
    ------
    InputError
        For a moment without a date or a time of day, or when the timetable has no vehicles left, or an option out of
        its bounds, all of them at once; for points without a coordinate system, ids that are missing or occur twice;
        for an answer larger than ``memory_mb`` without a ``folder``; for a folder that holds something else; for a
        network or a client that is none.
    OutputError
        When the folder cannot be written.

    Notes
    -----
    Times are sums of the walk to a stop, waiting, riding, changing, and the walk from a stop; see
    :mod:`geoplan.reach.kernels` for how they are found, and the page on travel times for what is left out.

    Examples
    --------
    Two homes and a workplace along 2 km of street; one walks at 4.68 km/h:

    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> from geoplan.reach import read_streets, travel_times
    >>> lines = [LineString([(674_000, 6_580_000), (676_000, 6_580_000)])]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    >>> homes = gpd.GeoDataFrame(geometry=[Point(674_000, 6_580_000), Point(674_390, 6_580_000)], crs=3006)
    >>> work = gpd.GeoDataFrame(geometry=[Point(674_780, 6_580_000)], crs=3006)
    >>> travel_times(homes, work, streets).to_frame().round(1)
      from_id to_id  minutes
    0       0     0     10.0
    1       1     0      5.0
    """
    network = as_network(network)
    window = asked(
        network.timetable,
        departure,
        arrival,
        window_min=window_min,
        step_min=step_min,
        max_min=max_min,
        max_walk_min=max_walk_min,
        rides=rides,
        slack_s=slack_s,
        headways=headways,
        draws=draws,
        seed=seed,
        max_egress_m=max_egress_m,
        memory_mb=memory_mb,
    )
    shares = percentiles_of(percentiles)
    starts = network.snapped(origins)
    goals = starts if destinations is origins else network.snapped(destinations)
    count = threads_of(threads)
    size = len(starts.piece) * len(goals.piece) * len(shares) * 2
    room = room_of(size, memory_mb, count, on_disk=folder is not None)
    job = made_ready(network, window, starts, goals, shares, max_egress_m=max_egress_m, threads=count, state_bytes=room)
    seconds = fill(job, threads=count, progress=progress, folder=folder, workers=workers)
    if window.arrive:
        seconds = seconds.transpose(1, 0, 2)
    record = record_of(network, job, shares, max_egress_m)
    return TravelTimes(starts.ids, goals.ids, shares, seconds, unsnapped(starts, goals), record)


def made_ready(
    network: Network,
    window: Window,
    starts: Snapped,
    goals: Snapped,
    shares: tuple[float, ...],
    *,
    max_egress_m: float | None = None,
    threads: int,
    state_bytes: int,
) -> Job:
    """Link points to stops and make the search ready."""
    search = prepared(network, window, state_bytes=state_bytes)
    ranks = ranks_of(shares, max(1, search.trips))
    sources, sinks = (goals, starts) if window.arrive else (starts, goals)
    if not search.lines or network.stops is None:
        return Job(search, network.streets, sources, sinks, None, None, ranks)
    outward = network.stops_near(starts, max_s=window.walk_s, threads=threads)
    homeward = network.near_stops(goals, max_s=window.walk_s, max_m=max_egress_m, threads=threads)
    access, egress = (homeward, outward) if window.arrive else (outward, homeward)
    return Job(search, network.streets, sources, sinks, access, egress, ranks)


def unsnapped(starts: Snapped, goals: Snapped) -> pd.DataFrame:
    """List the points that are not on any street, of both sides."""
    parts = [points.unsnapped().assign(side=side) for side, points in (("from", starts), ("to", goals))]
    both = pd.concat(parts, ignore_index=True)
    return both[["side", *(name for name in both.columns if name != "side")]]


def record_of(network: Network, job: Job, shares: tuple[float, ...], max_egress_m: float | None) -> dict[str, Any]:
    """Tell how the travel times came about."""
    search = job.search
    told = asdict(search.window) | {"leave_s": [search.window.leave_s[0], search.window.leave_s[-1]]}
    told["max_egress_m"] = None if max_egress_m is None else float(max_egress_m)
    return {
        "network": dict(network.record),
        "asked": told,
        "departures": len(search.window.leave_s),
        "trips": search.trips or 1,
        "percentiles": list(shares),
        "percentile": "the least time that so many of the trips keep; those that do not arrive count as the longest",
        "notes": incomplete(network.timetable, search.window),
    }
