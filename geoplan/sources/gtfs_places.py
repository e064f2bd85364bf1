"""Stops of a GTFS feed: where they are, and which station they belong to."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from geoplan.errors import listed
from geoplan.sources.gtfs_keys import UNKNOWN, Keyed, keyed, reference
from geoplan.sources.gtfs_text import Findings, Text, float_of, integer_of

STATION, PLATFORM, BOARDING_AREA = 1, 0, 4
_ENTRANCE = 2
_MEAN_RADIUS_KM = 6371.0088
_FAR_KM = 300.0
_FAR_TIMES = 20.0
_BULK = 3  # of fewer stops none can be called the odd one
_DEGREES = (90.0, 180.0)
_CLOCK_FAR, _CLOCK_NEAR = 35.0, 25.0  # degrees of longitude
_INHABITED = (-55.0, 72.0)  # latitudes that have public transport


def great_circle_km(lat: np.ndarray, lon: np.ndarray, to_lat: np.ndarray, to_lon: np.ndarray) -> np.ndarray:
    """Return distances on the sphere."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    half = np.sin((to_phi - phi) / 2) ** 2
    half = half + np.cos(phi) * np.cos(to_phi) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    km: np.ndarray = 2 * _MEAN_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return km


def read_stops(text: Text, zone: str, found: Findings) -> tuple[pd.DataFrame, Keyed]:
    """Check and read the stops; a stop without a sound place is left out."""
    kind = text["location_type"].read(lambda value: integer_of(value, blank=0), "int64")
    odd = (kind < 0) | (kind > BOARDING_AREA)
    found.rows(
        text, odd, "the location type is '{value}'", column="location_type", expected="0 to 4",
        action="the stop is left out",
    )  # fmt: skip
    lat, lon = (text[column].read(float_of, "float64") for column in ("stop_lat", "stop_lon"))
    misplaced = _misplaced(text, lat, lon, kind <= _ENTRANCE, found)
    _tell_if_all_are_swapped(text, lat, lon, ~misplaced, zone, found)
    keys = keyed(text, "stop_id", odd | misplaced, found)
    parent, _ = reference(
        text, "parent_station", keys, found, optional=True, action="the stop is kept without a station"
    )
    rows = keys.kept
    frame = pd.DataFrame(
        {
            "stop_id": text["stop_id"].text(rows),
            "stop_name": text["stop_name"].text(rows),
            "stop_lat": lat[rows],
            "stop_lon": lon[rows],
            "location_type": kind[rows].astype(np.int8),
            "parent_station": np.where(parent[rows] >= 0, text["parent_station"].text(rows), ""),
            "station": _stations(parent[rows], kind[rows]),
            "stop_timezone": text["stop_timezone"].text(rows),
            "platform_code": text["platform_code"].text(rows),
        }
    )
    boarding = text["wheelchair_boarding"].read(lambda value: integer_of(value, blank=0), "int64")[rows]
    boarding = np.where((boarding == 1) | (boarding == 2), boarding, 0)  # noqa: PLR2004
    station = frame["station"].to_numpy()
    inherited = (boarding == 0) & (station >= 0) & (kind[rows] != STATION)
    frame["wheelchair_boarding"] = np.where(inherited, boarding[np.maximum(station, 0)], boarding).astype(np.int8)
    other = sorted({name for name in frame["stop_timezone"] if name and name != zone})
    if other:
        found.note(f"stops name the time zones {', '.join(other)} for display; times are in {zone}, as GTFS has them")
    return frame, keys


def _stations(parent: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Return the station of each stop: the parent, or the parent's parent for a boarding area; itself for a station."""
    above = np.where(parent >= 0, parent[np.maximum(parent, 0)], UNKNOWN) if len(parent) else parent
    station = np.where((kind == BOARDING_AREA) & (above >= 0), above, parent)
    is_station = (station >= 0) & (kind[np.maximum(station, 0)] == STATION) if len(kind) else station >= 0
    station = np.where(is_station, station, UNKNOWN)
    return np.where(kind == STATION, np.arange(len(kind)), station).astype(np.int32)


def _misplaced(text: Text, lat: np.ndarray, lon: np.ndarray, needed: np.ndarray, found: Findings) -> np.ndarray:
    """Find stops without coordinates, at 0,0, off the globe, or swapped; note those far from all others."""
    action = "the stop is left out"
    given = np.isfinite(lat) & np.isfinite(lon)
    absent = np.zeros(len(text), dtype=bool)
    for column, values in (("stop_lat", lat), ("stop_lon", lon)):
        blank = text[column].blank & needed & ~absent
        found.rows(
            text, blank, "the stop '{value}' has no coordinates", column=column, action=action,
            values=text["stop_id"].text(blank),
        )  # fmt: skip
        unread = ~np.isfinite(values) & ~text[column].blank
        found.rows(text, unread, "'{value}' is no number", column=column, expected="degrees, as 59.33", action=action)
        absent |= blank | unread
    zero = given & (np.abs(lat) < 1e-6) & (np.abs(lon) < 1e-6)  # noqa: PLR2004
    names = text["stop_id"]
    found.rows(
        text, zero, "the stop '{value}' lies at 0,0, in the sea off Africa", column="stop_lat", action=action,
        values=names.text(zero),
    )  # fmt: skip
    good = given & ~zero
    outside = good & ((np.abs(lat) > _DEGREES[0]) | (np.abs(lon) > _DEGREES[1]))
    swapped, far, km = _against_the_bulk(lat, lon, good, outside)
    hint = "latitude and longitude look swapped: swapped back it lies among the others"
    found.rows(
        text, swapped, "the stop '{value}' does not lie where the others do", column="stop_lat", hint=hint,
        action=action, values=names.text(swapped),
    )  # fmt: skip
    outside = outside & ~swapped
    turned = outside.any() and bool(((np.abs(lon) <= _DEGREES[0]) & (np.abs(lat) <= _DEGREES[1]))[outside].all())
    found.rows(
        text, outside, "the stop '{value}' lies off the globe", column="stop_lat", action=action,
        expected="latitude -90 to 90, longitude -180 to 180", values=names.text(outside),
        hint="latitude and longitude may be swapped" if turned else None,
    )  # fmt: skip
    if far.any():
        found.note(
            f"half of the stops lie within {km:,.0f} km of their middle, but {np.count_nonzero(far):,} over "
            f"{max(_FAR_KM, _FAR_TIMES * km):,.0f} km off: {listed(names.text(far))}; they are kept"
        )
    return np.asarray(absent | zero | outside | swapped)


def _tell_if_all_are_swapped(
    text: Text, lat: np.ndarray, lon: np.ndarray, placed: np.ndarray, zone: str, found: Findings
) -> None:
    """Find a feed of which every stop is swapped: it lies far from where its clock belongs, and swapped back does not.

    An hour of a clock is 15 degrees of longitude; the clocks of people are up to about 35 degrees off.
    """
    placed = placed & np.isfinite(lat) & np.isfinite(lon)
    if not placed.any() or "/" not in zone or zone.startswith("Etc/"):
        return
    winter = dt.datetime(2024, 1, 1, tzinfo=ZoneInfo(zone))
    hours = ((winter.utcoffset() or dt.timedelta()) - (winter.dst() or dt.timedelta())) / dt.timedelta(hours=1)
    south, east = np.median(lat[placed]), np.median(lon[placed])
    off, off_turned = (abs((degrees - 15 * hours + 180) % 360 - 180) for degrees in (east, south))
    if off > _CLOCK_FAR and off_turned < _CLOCK_NEAR and _INHABITED[0] < east < _INHABITED[1]:
        found.rows(
            text, placed, f"the stop '{{value}}' does not lie where clocks show {zone}", column="stop_lat",
            hint="latitude and longitude of all stops look swapped", action="the stop is kept where the feed puts it",
            values=text["stop_id"].text(placed),
        )  # fmt: skip


def _against_the_bulk(
    lat: np.ndarray, lon: np.ndarray, good: np.ndarray, outside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Tell which stops lie far from the middle of all, and which of them would not if swapped."""
    nothing = np.zeros(len(lat), dtype=bool)
    sound = good & ~outside
    if np.count_nonzero(sound) < _BULK:
        return nothing, nothing, 0.0
    middle = np.median(lat[sound]), np.median(lon[sound])
    ahead = great_circle_km(np.where(good, lat, 0), np.where(good, lon, 0), *map(np.asarray, middle))
    swapped_lat = np.clip(np.where(good, lon, 0), -90, 90)
    turned = great_circle_km(swapped_lat, np.where(good, lat, 0), *map(np.asarray, middle))
    half = float(np.median(ahead[sound]))
    away = good & ((ahead > max(_FAR_KM, _FAR_TIMES * half)) | outside)
    swapped = away & (turned < ahead / 5) & (turned < max(_FAR_KM, _FAR_TIMES * half))
    return swapped, away & ~swapped & ~outside, half
