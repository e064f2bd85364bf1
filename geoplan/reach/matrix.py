"""Travel times between many points: in parts, on threads or on a cluster, resumable, within a bound of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.reach.asking import asked, percentiles_of
from geoplan.reach.filling import fill, room_of
from geoplan.reach.linking import Near, costs, near, seconds_of, threads_of
from geoplan.reach.network import Network
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
        for row, number in enumerate(numbers):
            seconds[row, (self.sinks.xy == self.sources.xy[number]).all(axis=1)] = 0
        return seconds


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
    """Find travel times from door to door, by street alone or by public transport and on foot."""
    network = Network(network) if isinstance(network, Streets) else network
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
    )
    shares = percentiles_of(percentiles)
    froms, tos = network.snapped(origins), network.snapped(destinations)
    count = threads_of(threads)
    size = len(froms.piece) * len(tos.piece) * len(shares) * 2
    room = room_of(size, memory_mb, count, on_disk=folder is not None)
    job = made_ready(network, window, froms, tos, shares, max_egress_m=max_egress_m, threads=count, state_bytes=room)
    seconds = fill(job, threads=count, progress=progress, folder=folder, workers=workers)
    if window.arrive:
        seconds = seconds.transpose(1, 0, 2)
    return TravelTimes(froms.ids, tos.ids, shares, seconds, unsnapped(froms, tos), record_of(network, job, shares))


def made_ready(
    network: Network,
    window: Window,
    froms: Snapped,
    tos: Snapped,
    shares: tuple[float, ...],
    *,
    max_egress_m: float | None = None,
    threads: int,
    state_bytes: int,
) -> Job:
    """Link points to stops and make the search ready."""
    search = prepared(network, window, state_bytes=state_bytes)
    ranks = ranks_of(shares, max(1, search.trips))
    sources, sinks = (tos, froms) if window.arrive else (froms, tos)
    if not search.lines or network.stops is None:
        return Job(search, network.streets, sources, sinks, None, None, ranks)
    walk = {"max_s": window.walk_s, "threads": threads}
    outward = near(network.streets, froms, network.stops, **walk)
    homeward = near(network.streets, network.stops, tos, max_m=max_egress_m, **walk).turned(len(tos.piece))
    access, egress = (homeward, outward) if window.arrive else (outward, homeward)
    return Job(search, network.streets, sources, sinks, access, egress, ranks)


def unsnapped(froms: Snapped, tos: Snapped) -> pd.DataFrame:
    """List the points that are not on any street, of both sides."""
    parts = [points.unsnapped().assign(side=side) for side, points in (("from", froms), ("to", tos))]
    both = pd.concat(parts, ignore_index=True)
    return both[["side", *(name for name in both.columns if name != "side")]]


def record_of(network: Network, job: Job, shares: tuple[float, ...]) -> dict[str, Any]:
    """Tell how the travel times came about."""
    search = job.search
    told = asdict(search.window) | {"leave_s": [search.window.leave_s[0], search.window.leave_s[-1]]}
    return {
        "network": dict(network.record),
        "asked": told,
        "departures": len(search.window.leave_s),
        "trips": search.trips or 1,
        "percentiles": list(shares),
        "percentile": "the least time that so many of the trips keep; those that do not arrive count as the longest",
    }
