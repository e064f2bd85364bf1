"""Write the timetable as one GTFS feed with bytes that stay the same."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import _plan as plan
import _transit_plan as timetable
import numpy as np
import pandas as pd
import pyproj
import shapely

if TYPE_CHECKING:
    from pathlib import Path

    from _transit import Course, Network

MODES = {
    # mode: extended route type, colour
    "rail": (109, "8A1538"), "metro": (401, "00695C"), "bus": (700, "1565C0"), "express": (702, "6A1B9A"),
    "night": (705, "263238"), "boat": (1000, "0277BD"),
}  # fmt: skip
STAMP = (2013, 3, 1, 0, 0, 0)
AGENCY = "HLT"
PEAKS = ((7.0, 9.0), (15.5, 18.0))
SLOWER_IN_PEAKS = 1.15


def clock(seconds: float) -> str:
    """Return a time of the service day, beyond 24:00 after midnight."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def minutes_along(course: Course, *, peak: bool) -> list[int]:
    """Return whole minutes from the first stop to each; every stop takes one at least."""
    line = course.line
    if line.mode == "boat":
        minutes = [timetable.FERRY_MIN[stop.name] for stop in course.stops]
        return minutes if course.direction == 0 else [minutes[0] - minute for minute in minutes]
    slow = SLOWER_IN_PEAKS if peak and line.mode in {"bus", "express"} else 1.0
    metres = np.array(course.at_m) - course.at_m[0]
    result = [0]
    for along in metres[1:]:
        result.append(max(result[-1] + 1, round(along * slow / line.kmh * 0.06)))
    return result


def departures(course: Course) -> list[tuple[str, int]]:
    """Return service and departure in seconds of every trip that the timetable writes out."""
    line = course.line
    days = line.back_days if course.direction and line.back_days is not None else line.days
    shift = (line.back or 0) * 60 if course.direction else 0
    result = []
    for service, spans in days.items():
        for start, stop, step in spans:
            times = np.arange(round(start * 3600), round(stop * 3600), step) + shift
            result += [(service, int(time) // 60 * 60) for time in times]
    return result


class Feed:
    """The tables of the feed, filled course by course."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.to_degrees = pyproj.Transformer.from_crs(plan.CRS, "EPSG:4326", always_xy=True)
        self.trips: list[dict[str, Any]] = []
        self.stop_times: list[tuple[Any, ...]] = []
        self.frequencies: list[dict[str, Any]] = []

    def degrees(self, xy: np.ndarray, digits: int) -> tuple[np.ndarray, np.ndarray]:
        """Return longitudes and latitudes."""
        lon, lat = self.to_degrees.transform(*np.atleast_2d(xy).T)
        return np.round(lon, digits), np.round(lat, digits)

    # ------------------------------------------------------------ trips

    def add(self, course: Course) -> None:
        """Write all trips of one direction of a line."""
        line = course.line
        if line.headway:
            self._add_headways(course)
            return
        if line.joins:
            self._add_joined(course)
            return
        takes_over = any(other.joins == line.number for other in timetable.LINES)
        for number, (service, start) in enumerate(departures(course), start=1):
            trip_id = f"{course.shape_id}-{number:03d}"
            block = f"B{trip_id}" if takes_over else ""
            self._trip(course, trip_id, service, start, block)

    def _add_joined(self, course: Course) -> None:
        """Go on where another line ends, with the same bus."""
        feeders = [c for c in self.network.courses if c.line.number == course.line.joins]
        number = 0
        for feeder in feeders:
            for k, (service, start) in enumerate(departures(feeder), start=1):
                number += 1
                arrive = start + 60 * minutes_along(feeder, peak=in_peak(start))[-1]
                self._trip(
                    course, f"{course.shape_id}-{number:03d}", service, arrive + 60, f"B{feeder.shape_id}-{k:03d}"
                )

    def _add_headways(self, course: Course) -> None:
        """Write one trip a day and how often it runs."""
        exact = int(course.line.headway == "exact")
        for service, spans in course.line.days.items():
            trip_id = f"{course.shape_id}-{service}"
            self._trip(course, trip_id, service, round(spans[0][0] * 3600), "")
            for start, stop, step in spans:
                self.frequencies.append(
                    {
                        "trip_id": trip_id,
                        "start_time": clock(start * 3600),
                        "end_time": clock(stop * 3600),
                        "headway_secs": step,
                        "exact_times": exact,
                    }
                )

    def _trip(self, course: Course, trip_id: str, service: str, start: int, block: str) -> None:
        line = course.line
        self.trips.append(
            {
                "route_id": f"R{line.number}",
                "service_id": service,
                "trip_id": trip_id,
                "trip_headsign": course.stops[-1].name,
                "direction_id": course.direction,
                "block_id": block,
                "shape_id": course.shape_id,
                "wheelchair_accessible": line.wheelchair,
                "bikes_allowed": line.bikes,
            }
        )
        last = len(course.stops) - 1
        named = [k for k, flag in enumerate(course.named) if flag]
        outer = set((named[: line.only] if course.direction == 0 else named[-line.only :]) if line.only else [])
        for k, minute in enumerate(minutes_along(course, peak=in_peak(start))):
            time = clock(start + 60 * minute)
            # the express takes nobody along within the town, nor along within the suburb
            board = int(k == last or (bool(line.only) and (k in outer) == bool(course.direction)))
            alight = int(k == 0 or (bool(line.only) and (k in outer) != bool(course.direction)))
            self.stop_times.append(
                (trip_id, time, time, course.stops[k].stop_id, k + 1, board, alight, round(course.at_m[k]))
            )

    # ------------------------------------------------------------ tables

    def stops(self) -> pd.DataFrame:
        """Return stations, their entrances, and every platform."""
        rows = []
        for name, spot in self.network.stations.items():
            station = self.network.station(name, spot)
            rows.append((station, name, spot, 1, "", "", 1))
            rows.append((f"{station}E", f"{name}, entré", self.network.beside_street(spot), 2, station, "", 1))
        rows += [
            (stop.stop_id, stop.name, stop.xy, 0, stop.station, stop.platform, stop.wheelchair)
            for stop in self.network.stops.values()
        ]
        lon, lat = self.degrees(np.array([row[2] for row in rows]), 6)
        frame = pd.DataFrame(
            {
                "stop_id": [row[0] for row in rows],
                "stop_name": [row[1] for row in rows],
                "stop_lat": lat,
                "stop_lon": lon,
                "location_type": [row[3] for row in rows],
                "parent_station": [row[4] for row in rows],
                "platform_code": [row[5] for row in rows],
                "wheelchair_boarding": [row[6] for row in rows],
            }
        )
        return frame.sort_values("stop_id", kind="stable")

    def routes(self) -> pd.DataFrame:
        """Return every line once."""
        rows = {}
        for line in timetable.LINES:
            kind, colour = MODES[line.mode]
            rows.setdefault(f"R{line.number}", (AGENCY, line.number, line.name, kind, colour, "FFFFFF"))
        columns = ["agency_id", "route_short_name", "route_long_name", "route_type", "route_color", "route_text_color"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("route_id").reset_index()

    def shapes(self) -> pd.DataFrame:
        """Return the course of every direction, with metres along it."""
        tables = []
        for course in self.network.courses:
            line = shapely.simplify(course.shape, 2.5)
            points = shapely.get_coordinates(line)
            along = [course.shape.project(shapely.Point(p)) for p in points]
            # a course that passes itself would otherwise be thrown back
            along = np.maximum.accumulate(np.hypot(*np.diff(points, axis=0).T).cumsum()) if looped(along) else along[1:]
            lon, lat = self.degrees(points, 5)
            tables.append(
                pd.DataFrame(
                    {
                        "shape_id": course.shape_id,
                        "shape_pt_lat": lat,
                        "shape_pt_lon": lon,
                        "shape_pt_sequence": np.arange(1, len(points) + 1),
                        "shape_dist_traveled": np.round([0.0, *along]).astype(int),
                    }
                )
            )
        return pd.concat(tables, ignore_index=True)

    def transfers(self) -> pd.DataFrame:
        """Return what a passenger must know who changes."""
        network = self.network
        central = network.station("Hamra central", network.stations["Hamra central"])
        fagel = network.station("Fågelåsen", network.stations["Fågelåsen"])
        port = network.station("Vretaporten", network.stations["Vretaporten"])
        bus = {(s.name, s.stop_id[-1]): s.stop_id for s in network.stops.values() if s.stop_id[0] == "1"}
        granhojden = network.station("Granhöjden", network.stations["Granhöjden"])
        rows = [
            (central, central, 2, 180),
            *((f"{central}J{a}", f"{central}T{b}", 2, 240) for a in (1, 2) for b in (1, 2)),
            *((f"{central}T{b}", f"{central}J{a}", 2, 240) for a in (1, 2) for b in (1, 2)),
            (bus["Fågelåsen", "A"], f"{fagel}T1", 0, ""),
            (f"{fagel}T2", bus["Fågelåsen", "B"], 0, ""),
            (f"{granhojden}T2", bus["Granhöjden", "A"], 1, ""),
            (bus["Vretaporten", "A"], f"{port}J2", 3, ""),
        ]
        return pd.DataFrame(rows, columns=["from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time"])

    def pathways(self) -> pd.DataFrame:
        """Return the ways inside the central station."""
        network = self.network
        central = network.station("Hamra central", network.stations["Hamra central"])
        ways = [("J1", 2, 45), ("J2", 2, 60), ("T1", 4, 110), ("T2", 4, 110)]
        rows = [(f"P{k}", f"{central}E", f"{central}{to}", mode, 1, s) for k, (to, mode, s) in enumerate(ways, start=1)]
        columns = ["pathway_id", "from_stop_id", "to_stop_id", "pathway_mode", "is_bidirectional", "traversal_time"]
        return pd.DataFrame(rows, columns=columns)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table under the name of its file."""
        for course in self.network.courses:
            self.add(course)
        times = ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type"]
        times += ["drop_off_type", "shape_dist_traveled"]
        start, end = timetable.PERIOD
        days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        calendar = [(name, *map(int, week), a, b) for name, (week, a, b) in timetable.SERVICES.items()]
        agency = {
            "agency_id": [AGENCY],
            "agency_name": ["Hamra lokaltrafik (påhittad)"],
            "agency_url": ["https://example.org/hamra"],
            "agency_timezone": ["Europe/Stockholm"],
            "agency_lang": ["sv"],
        }
        info = {
            "feed_publisher_name": ["geoplan, data/generate.py (fictional)"],
            "feed_publisher_url": ["https://example.org/hamra"],
            "feed_lang": ["sv"],
            "feed_start_date": [start],
            "feed_end_date": [end],
            "feed_version": ["2012"],
        }
        return {
            "agency": pd.DataFrame(agency),
            "calendar": pd.DataFrame(calendar, columns=["service_id", *days, "start_date", "end_date"]),
            "calendar_dates": pd.DataFrame(timetable.EXCEPTIONS, columns=["service_id", "date", "exception_type"]),
            "feed_info": pd.DataFrame(info),
            "frequencies": pd.DataFrame(self.frequencies),
            "pathways": self.pathways(),
            "routes": self.routes(),
            "shapes": self.shapes(),
            "stop_times": pd.DataFrame(self.stop_times, columns=times),
            "stops": self.stops(),
            "transfers": self.transfers(),
            "trips": pd.DataFrame(self.trips),
        }


def looped(along: list[float]) -> bool:
    """Tell whether the places along a course do not run in one direction."""
    return bool((np.diff(along) < 0).any())


def in_peak(seconds: int) -> bool:
    """Tell whether a departure is in the rush hour."""
    return any(start <= seconds / 3600 < stop for start, stop in PEAKS)


def write_gtfs(network: Network, path: Path) -> dict[str, int]:
    """Write the feed; return the rows of each table."""
    tables = Feed(network).tables()
    with zipfile.ZipFile(path, "w") as target:
        for name in sorted(tables):
            buffer = io.StringIO()
            tables[name].to_csv(buffer, index=False, lineterminator="\r\n")
            entry = zipfile.ZipInfo(f"{name}.txt", date_time=STAMP)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            target.writestr(entry, buffer.getvalue().encode("utf-8"), zipfile.ZIP_DEFLATED, compresslevel=9)
    return {name: len(table) for name, table in tables.items()}
