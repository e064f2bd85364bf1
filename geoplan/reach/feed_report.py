"""What a feed holds, before anything is routed on it: figures, days, faults, and where the stops are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.reach.runs import route_kind
from geoplan.reach.services import THIN_SHARE, service_by_day, usual_departures
from geoplan.reach.stop_times import gather
from geoplan.reach.timetable import Timetable, read_timetable
from geoplan.sources.gtfs import Gtfs, read_gtfs
from geoplan.sources.gtfs_places import PLATFORM, STATION
from geoplan.sources.gtfs_text import BLANK

__all__ = ["FeedReport", "feed_report"]


@dataclass(frozen=True, eq=False, repr=False)
class FeedReport:
    """Figures of one or several feeds.

    Attributes
    ----------
    feeds
        One line a feed: ``feed, zone, agencies, routes, stops, stations, trips, stop_times, blank_share, first_day,
        last_day, usual_departures, sha256``. ``blank_share`` is the share of stop times with neither arrival nor
        departure; ``usual_departures`` the median over its Tuesdays with service.
    routes
        Routes and trips by kind: ``feed, kind, routes, trips``.
    date, reason
        The day that stands for the usual ones (or was asked for), and why.
    service
        Departures from first stops by day: ``feed, date, weekday, departures, share_of_usual``.
    thin_days
        The days with less than 20 % of the usual service, those with none included.
    dropped
        What could not be right and was left out: ``feed, file, column, what, rows, first_row, examples, action``.
    extent
        West, south, east, north of the stops, in degrees.
    stops
        Points of all stops and platforms: ``stop_id, name, feed, departures``, the last on ``date``; for a map.
    notes
        What is worth knowing and no fault, and warnings of the date.
    """

    feeds: pd.DataFrame
    routes: pd.DataFrame
    date: dt.date
    reason: str
    service: pd.DataFrame
    thin_days: pd.DataFrame
    dropped: pd.DataFrame
    extent: tuple[float, float, float, float]
    stops: gpd.GeoDataFrame = field(repr=False)
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the chief figures, one a line: ``feed, figure, value``, values as text."""
        lines = [
            {"feed": row["feed"], "figure": name, "value": _said(value)}
            for row in self.feeds.to_dict("records")
            for name, value in row.items()
            if name != "feed"
        ]
        counts = self.routes.groupby(["feed", "kind"], sort=False)["routes"].sum()
        lines += [
            {"feed": feed, "figure": f"routes: {kind}", "value": _said(count)} for (feed, kind), count in counts.items()
        ]
        served = int((self.stops["departures"] > 0).sum())
        together = {
            "date": self.date,
            "departures from stops on the date": int(self.stops["departures"].sum()),
            "stops served on the date": served,
            "days with little service": len(self.thin_days),
            "rows left out": int(self.dropped["rows"].sum()),
            "extent": ", ".join(f"{edge:.4f}" for edge in self.extent),
        }
        lines += [{"feed": "all", "figure": name, "value": _said(value)} for name, value in together.items()]
        return pd.DataFrame(lines, columns=["feed", "figure", "value"])

    def __repr__(self) -> str:
        words = []
        for row in self.feeds.to_dict("records"):
            words.append(
                f"{row['feed']}: {row['trips']:,} trips on {row['routes']:,} routes, {row['stop_times']:,} stop times "
                f"({100 * row['blank_share']:.0f} % blank), {row['stops']:,} stops, "
                f"{row['first_day']} to {row['last_day']}, {row['zone']}"
            )
            kinds = self.routes[self.routes["feed"] == row["feed"]]
            words.append(
                "  " + ", ".join(f"{n:,} {kind}" for kind, n in zip(kinds["kind"], kinds["routes"], strict=True))
            )
        words.append(f"date: {self.date} ({self.reason})")
        words.append(f"days with under 20 % of the usual service: {len(self.thin_days):,}")
        words.append(f"left out: {int(self.dropped['rows'].sum()):,} rows, {len(self.dropped):,} kinds of fault")
        words += [f"note: {note}" for note in self.notes]
        return "\n".join(words)


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)


def feed_report(
    feeds: Gtfs | str | Path | Sequence[str | Path], *, date: dt.date | str | None = None, strict: bool = False
) -> FeedReport:
    r"""Report what one or several feeds hold.

    Parameters
    ----------
    feeds
        As for :func:`read_timetable`.
    date
        The day on which departures are counted by stop; left out, the typical Tuesday.
    strict
        Raise every fault instead of leaving out and listing what cannot be right.

    Raises
    ------
    InputError
        As :func:`read_timetable` does.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "town"
    >>> folder.mkdir()
    >>> for name, text in {
    ...     "agency": "agency_name,agency_timezone\nTown,Europe/Stockholm",
    ...     "stops": "stop_id,stop_lat,stop_lon\na,59.30,18.00\nb,59.31,18.01\nc,59.32,18.02",
    ...     "routes": "route_id,route_type\n1,3",
    ...     "trips": "route_id,service_id,trip_id\n1,s,t",
    ...     "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    ...     "t,08:00:00,08:00:00,a,1\nt,,,b,2\nt,08:10:00,08:10:00,c,3",
    ...     "calendar_dates": "service_id,date,exception_type\ns,20240206,1",
    ... }.items():
    ...     _ = (folder / f"{name}.txt").write_text(text)
    >>> report = feed_report(folder)
    >>> report.stops[["stop_id", "departures"]].values.tolist()
    [['a', 1], ['b', 1], ['c', 0]]
    >>> print(str(report).splitlines()[0])
    town: 1 trips on 1 routes, 3 stop times (33 % blank), 3 stops, 2024-02-06 to 2024-02-06, Europe/Stockholm
    """
    gtfs = feeds if isinstance(feeds, Gtfs) else read_gtfs(feeds, strict=strict)
    timetable = read_timetable(gtfs, date=date)
    service = pd.concat([_service(feed.name, service_by_day(feed)) for feed in gtfs.feeds], ignore_index=True)
    stops = _stops(gtfs, timetable)
    record: Mapping[str, object] = timetable.record
    west, south, east, north = (float(edge) for edge in stops.total_bounds)
    return FeedReport(
        feeds=pd.DataFrame([_figures(gtfs, number) for number in range(len(gtfs.feeds))]),
        routes=pd.concat([_routes(gtfs, number) for number in range(len(gtfs.feeds))], ignore_index=True),
        date=timetable.date,
        reason=str(record["reason"]),
        service=service,
        thin_days=service[service["share_of_usual"] < THIN_SHARE].reset_index(drop=True),
        dropped=gtfs.dropped,
        extent=(west, south, east, north),
        stops=stops,
        notes=(*record["notes"], *record["warnings"]),  # type: ignore[misc]
    )


def _figures(gtfs: Gtfs, number: int) -> dict[str, object]:
    feed = gtfs.feeds[number]
    days = service_by_day(feed)
    blank = (feed.calls["arrive_s"] == BLANK) & (feed.calls["depart_s"] == BLANK)
    dates = pd.to_datetime(days.index[[0, -1]], unit="D").date
    return {
        "feed": feed.name,
        "zone": feed.zone,
        "agencies": len(feed.agencies),
        "routes": len(feed.routes),
        "stops": int((feed.stops["location_type"] == PLATFORM).sum()),
        "stations": int((feed.stops["location_type"] == STATION).sum()),
        "trips": len(feed.trips),
        "stop_times": len(feed.calls),
        "blank_share": float(blank.mean()),
        "first_day": dates[0],
        "last_day": dates[1],
        "usual_departures": int(usual_departures(days)),
        "sha256": feed.sha256,
    }


def _routes(gtfs: Gtfs, number: int) -> pd.DataFrame:
    feed = gtfs.feeds[number]
    kinds = feed.routes["route_type"].map(route_kind)
    trips = np.bincount(feed.trips["route"], minlength=len(kinds))
    frame = pd.DataFrame({"feed": feed.name, "kind": kinds, "trips": trips, "routes": 1})
    return frame.groupby(["feed", "kind"], as_index=False)[["routes", "trips"]].sum()


def _service(name: str, days: pd.Series) -> pd.DataFrame:
    dates = pd.to_datetime(days.index, unit="D")
    return pd.DataFrame(
        {
            "feed": name,
            "date": dates.date,
            "weekday": dates.day_name(),
            "departures": days.to_numpy(),
            "share_of_usual": days.to_numpy() / usual_departures(days),
        }
    )


def _stops(gtfs: Gtfs, timetable: Timetable) -> gpd.GeoDataFrame:
    """Return all stops and platforms with their departures on the day; the last call of a trip is none."""
    trips = timetable.trips
    headway = trips["headway_s"].to_numpy(np.int64)
    length = trips["until_s"].to_numpy(np.int64) - trips["first_s"].to_numpy(np.int64)
    often = np.where(headway > 0, -(-length // np.maximum(headway, 1)), 1) * (trips["day"].to_numpy() == 0)
    legs = np.diff(timetable.call_at) - 1
    start = gather(timetable.call_at[:-1], legs)
    weight = np.repeat(often, legs) * timetable.may_board[start]
    count = np.bincount(timetable.call_stops[start], weights=weight, minlength=len(timetable.stops)).astype(np.int64)
    served = pd.DataFrame({
        "feed": timetable.stops["feed"], "stop_id": timetable.stops["stop_id"], "departures": count,
    })  # fmt: skip
    parts = [
        feed.stops[feed.stops["location_type"] == PLATFORM].assign(feed=np.int16(number))
        for number, feed in enumerate(gtfs.feeds)
    ]
    whole = pd.concat(parts, ignore_index=True).merge(served, on=["feed", "stop_id"], how="left")
    points = gpd.points_from_xy(whole["stop_lon"], whole["stop_lat"], crs="EPSG:4326")
    frame = pd.DataFrame(
        {
            "stop_id": whole["stop_id"],
            "name": whole["stop_name"],
            "feed": whole["feed"],
            "departures": whole["departures"].fillna(0).astype(np.int64),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=points)
