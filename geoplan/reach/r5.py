"""Travel times by R5, through the package r5py: the extra ``geoplan[r5]``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, GeoplanError, IdError, InputError, SpecError, listed
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.times import TravelTimes
from geoplan.sources import sha256_of

__all__ = ["r5_travel_times"]

_MOST = 5  # percentiles R5 computes at once
_HUNDRED = 100


def r5_travel_times(
    osm: str | Path,
    gtfs: str | Path | Iterable[str | Path],
    origins: gpd.GeoDataFrame | gpd.GeoSeries,
    destinations: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    *,
    departure: dt.datetime,
    window_min: int = 60,
    percentiles: Sequence[int] = (50,),
    max_min: int = 120,
    max_walk_min: int | None = None,
    walk_kmh: float = 3.6,
    max_rides: int = 8,
    modes: Sequence[str] = ("TRANSIT",),
    snap: bool = True,
) -> TravelTimes:
    """Have R5 compute travel times from door to door.

    R5 is a program in Java. The package r5py (licensed GPL-3.0 or later, or MIT) starts it. It needs a Java development
    kit and, the first time, the internet: it fetches R5 then. geoplan needs none of this for its own travel times; this
    is for comparing them.

    Parameters
    ----------
    osm
        The streets: an ``.osm.pbf`` file.
    gtfs
        One timetable or several; none for streets alone.
    origins, destinations
        Points, in any coordinate system; the index names them. Destinations are the origins when left out.
    departure
        The start of the window, in the feeds' own time.
    window_min
        Length of the window, with one departure a minute.
    percentiles
        Whole numbers, at most five.
    max_min, max_walk_min
        The longest trip, and the longest walk in it.
    walk_kmh, max_rides
        Speed on foot; the most rides of a trip.
    modes
        Names of r5py's ``TransportMode``; ``("WALK",)`` for walking alone.
    snap
        Have r5py move points to the nearest street first. A point without one is unreached, and is in ``unsnapped``.

    Raises
    ------
    GeoplanError
        When r5py is not installed or cannot start R5.
    InputError
        When points have no coordinate system or names occur twice, a file is missing, or percentiles are not what R5
        computes.

    Examples
    --------
    >>> import datetime
    >>> import geopandas as gpd
    >>> homes = gpd.GeoSeries.from_xy([24.94], [60.17], index=["0101"], crs="EPSG:4326")
    >>> r5_travel_times("city.osm.pbf", [], homes, departure=datetime.datetime(2022, 2, 22, 8))
    Traceback (most recent call last):
    geoplan.errors.InputError: city.osm.pbf: there is no such file.
    """
    feeds = [Path(gtfs)] if isinstance(gtfs, str | Path) else [Path(feed) for feed in gtfs]
    starts = _points(origins, "origins")
    ends = starts if destinations is None else _points(destinations, "destinations")
    _check([Path(osm), *feeds], percentiles)
    r5py = _r5py()
    network = r5py.TransportNetwork(str(osm), [str(feed) for feed in feeds])
    found = r5py.TravelTimeMatrix(
        network,
        origins=starts,
        destinations=ends,
        snap_to_network=snap,
        departure=departure,
        departure_time_window=dt.timedelta(minutes=window_min),
        percentiles=list(percentiles),
        transport_modes=list(modes),
        access_modes=["WALK"],
        max_time=dt.timedelta(minutes=max_min),
        max_time_walking=dt.timedelta(minutes=max_min if max_walk_min is None else max_walk_min),
        speed_walking=walk_kmh,
        max_public_transport_rides=max_rides,
    )
    about = {
        "streets": {"file": Path(osm).name, "sha256": sha256_of(Path(osm))},
        "timetables": [{"file": feed.name, "sha256": sha256_of(feed)} for feed in feeds],
        "departure": departure,
        "window_min": window_min,
        "max_min": max_min,
        "max_walk_min": max_walk_min,
        "walk_kmh": walk_kmh,
        "max_rides": max_rides,
        "modes": list(modes),
        "snapped_to_streets": snap,
    }
    return _converted(pd.DataFrame(found), starts, ends, f"r5py {r5py.__version__}", about)


def _converted(
    found: pd.DataFrame, starts: gpd.GeoDataFrame, ends: gpd.GeoDataFrame, program: str, about: dict[str, Any]
) -> TravelTimes:
    """Make travel times of r5py's matrix; it leaves out the points that it finds no street for."""
    times = read_travel_times(
        found, from_ids=starts["id"], to_ids=ends["id"], unreached=(), program=program, about=about
    )
    absent: Any = times.record["not_in_the_matrix"]
    lost = [
        {
            "side": side,
            "id": name,
            "x": point.x,
            "y": point.y,
            "nearest_m": float("nan"),
            "reason": "R5 has no street near",
        }
        for side, points in (("from", starts), ("to", ends))
        for name, point in zip(points["id"], points.geometry, strict=True)
        if name in set(absent[f"{side}_ids"])
    ]
    return TravelTimes(times.from_ids, times.to_ids, times.percentiles, times.seconds, pd.DataFrame(lost), times.record)


def _points(points: gpd.GeoDataFrame | gpd.GeoSeries, key: str) -> gpd.GeoDataFrame:
    """Return points as r5py wants them: in degrees, with a column ``id``."""
    if points.crs is None:
        raise checks.crs_missing(hint=f"say which: {key}.set_crs('EPSG:…')")
    names = pd.Series([str(name) for name in points.index])
    twice = names[names.duplicated()].unique()
    if len(twice):
        raise IdError(Fault(what=f"{len(twice)} name(s) occur more than once: {listed(twice)}", key=key))
    where = points.geometry.to_crs("EPSG:4326")
    other = names[(where.is_empty | where.isna() | (where.geom_type != "Point")).to_numpy()]
    if len(other):
        raise InputError(
            Fault(what=f"{len(other)} are no points: {listed(other)}", key=key, expected="a point for each")
        )
    return gpd.GeoDataFrame({"id": names}, geometry=where.to_numpy(), crs="EPSG:4326")


def _check(files: Sequence[Path], percentiles: Sequence[int]) -> None:
    faults = Faults()
    for path in files:
        if not path.is_file():
            faults.add(InputError(Fault(what="there is no such file", file=str(path))))
    whole = all(isinstance(share, int) and 0 < share < _HUNDRED for share in percentiles)
    if not whole or not 0 < len(set(percentiles)) == len(percentiles) <= _MOST:
        what, expected = f"percentiles are {tuple(percentiles)}", "up to five whole numbers between 1 and 99, each once"
        faults.add(SpecError(Fault(what=what, key="percentiles", expected=expected)))
    faults.raise_any()


def _r5py() -> Any:
    """Import r5py, which starts Java."""
    try:
        import r5py  # noqa: PLC0415  optional, and it starts a virtual machine
    except ImportError as error:
        raise GeoplanError(
            "travel times by R5 need the package 'r5py', which is not installed. Hint: pip install 'geoplan[r5]'"
        ) from error
    except Exception as error:  # Java, the download and the cache each fail in their own way
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise GeoplanError(
            f"r5py could not start R5: {reason}. Hint: it needs a Java development kit, and the internet the first time"
        ) from error
    return r5py
