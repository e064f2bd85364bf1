"""From one point to all, departure by departure: what the percentiles of a window are taken from."""

from __future__ import annotations

from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.errors import Fault, InputError
from geoplan.reach.asking import asked, clock
from geoplan.reach.linking import threads_of
from geoplan.reach.matrix import made_ready
from geoplan.reach.network import Network, as_network
from geoplan.reach.routing import Scratch, every_trip
from geoplan.reach.streets import Streets

__all__ = ["window_profile"]

_STATE = 2**28


def window_profile(
    origin: gpd.GeoDataFrame,
    destinations: gpd.GeoDataFrame,
    network: Network | Streets,
    *,
    departure: str | datetime,
    window_min: float = 60,
    step_min: float = 1,
    max_min: float = 120,
    max_walk_min: float = 30,
    max_egress_m: float | None = None,
    rides: int = 8,
    slack_s: int = 60,
    headways: str = "expected",
    draws: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the travel time of every departure of a window, from one point to many.

    Parameters
    ----------
    origin
        One point, as ``frame.loc[["id"]]``.
    destinations, network, departure, window_min, step_min, max_min, max_walk_min, max_egress_m, rides, slack_s
        As in :func:`travel_times`, whose percentiles are those of a column of this table.
    headways, draws, seed
        The same.

    Returns
    -------
    pandas.DataFrame
        Minutes, float32; one row a trip, indexed by ``draw`` and ``departure`` (as clocks show it), one column a
        destination. NaN where it is not reached in time. Reading it downwards, the time falls by a minute a minute
        until a vehicle has left, then jumps.

    Raises
    ------
    InputError
        As :func:`travel_times`; for streets without a timetable, and for an origin that is not one point.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> from geoplan.reach import join_network, read_streets, read_timetable, window_profile
    >>> from geoplan.sources import home
    >>> streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    >>> network = join_network(streets, read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09"))
    >>> stops = network.timetable.stops.set_index("name")[["geometry"]]
    >>> stops = stops[~stops.index.duplicated()]
    >>> profile = window_profile(stops.iloc[[0]], stops.iloc[:3], network, departure="2012-10-09 07:30", window_min=5)
    >>> profile.shape, list(profile.index.names)
    ((5, 3), ['draw', 'departure'])
    """
    network = as_network(network)
    if network.timetable is None:
        what, hint = "a network of streets alone has no departures", "join a timetable to it, or use travel_times"
        raise InputError(Fault(what=what, key="network", hint=hint))
    if len(origin) != 1:
        raise InputError(Fault(what=f"the origin is {len(origin)} points", key="origin", expected="one point"))
    window = asked(
        network.timetable,
        departure,
        None,
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
    )
    here, there = network.snapped(origin), network.snapped(destinations)
    job = made_ready(
        network, window, here, there, (50,), max_egress_m=max_egress_m, threads=threads_of(None), state_bytes=_STATE
    )
    walk = job.walks(np.arange(1))[0]
    seconds = every_trip(job.search, job.near(0), job.egress, walk, Scratch(job.search)).T
    minutes = np.where(seconds <= window.most_s, seconds / 60, np.nan).astype(np.float32)
    times = [clock(network.timetable, second) for second in window.leave_s]
    many = pd.MultiIndex.from_product([range(max(1, len(job.search.lines))), times], names=["draw", "departure"])
    if len(many) != len(minutes):  # without a ride, one time stands for all
        minutes = np.repeat(minutes, len(many), axis=0)
    return pd.DataFrame(minutes, index=many, columns=pd.Index(there.ids, name="to_id"))
