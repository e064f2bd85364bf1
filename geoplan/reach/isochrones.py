"""What is reached from a place within some minutes: polygons along the streets, one within the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from math import isfinite
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, InputError, SpecError, listed
from geoplan.reach.asking import asked, percentiles_of
from geoplan.reach.filling import fill, progress_bar, room_of
from geoplan.reach.frontier import cut_at, frontiers, nodes_of
from geoplan.reach.linking import in_chunks, threads_of
from geoplan.reach.matrix import Job, made_ready
from geoplan.reach.network import Network
from geoplan.reach.outlines import Outlines, holding
from geoplan.reach.routing import Window
from geoplan.reach.scope import Scope, cut_edges
from geoplan.reach.streets import Snapped, Streets
from geoplan.reach.times import UNREACHED

__all__ = ["isochrone_notes", "isochrones"]

_MOST_MIN = (UNREACHED - 1) // 60
_MOST_OFF_M = 1000.0
_FAR_M = 300
_DIFFER = 0.05  # of those counted by their own times, from which the difference is told
_LEVEL = "isochrone"
_AREAS = (3, 6)  # shapely's polygons and multipolygons


def isochrones(
    place: gpd.GeoDataFrame,
    network: Network | Streets,
    *,
    departure: str | datetime | None = None,
    arrival: str | datetime | None = None,
    towards: bool = False,
    window_min: float = 60,
    step_min: float = 1,
    percentile: float = 50,
    bands_min: Sequence[float] | float = (15, 30, 45),
    off_street_m: float = 50,
    fill_m2: float = 10_000,
    water: gpd.GeoDataFrame | None = None,
    residents: gpd.GeoDataFrame | None = None,
    jobs: gpd.GeoDataFrame | None = None,
    residents_column: str = "population",
    jobs_column: str = "jobs",
    max_walk_min: float = 30,
    rides: int = 8,
    slack_s: int = 60,
    headways: str = "expected",
    draws: int = 10,
    seed: int = 0,
    threads: int | None = None,
    memory_mb: float = 1024,
    progress: bool = False,
) -> gpd.GeoDataFrame:
    r"""Outline what is reached from places within some minutes, along the streets, and count who is there.

    Parameters
    ----------
    place
        One point or several, in any stated coordinate system; the index names them.
    network
        Of :func:`join_network`; or streets alone, of any mode: walking, cycling, driving.
    departure, arrival
        As in :func:`travel_times`; one of them, if the network has a timetable. With ``arrival`` the bands are those
        from where one gets to the place.
    towards
        The same for streets alone, where ways there and back differ: one-way streets, slopes.
    window_min, step_min, percentile
        Departures (or deadlines) of a window, and the per cent of them that has to be in time; see
        :func:`travel_times`.
    bands_min
        Minutes of each band, in any order.
    off_street_m
        How far from the street is still reached, at most; no farther than the time that is left at that place of the
        street leads, at the speed off the streets.
    fill_m2
        Holes no larger than this are closed (the insides of blocks), larger ones are kept; in square metres.
    water
        Polygons that are not covered, neither by the strips along the streets nor by closing holes. Streets across
        them are drawn 4 m wide.
    residents, jobs
        Points with how many are there, in a column ``residents_column`` or ``jobs_column``. Cells of a raster are
        handed in as their centres.
    max_walk_min, rides, slack_s, headways, draws, seed, threads, memory_mb, progress
        As in :func:`travel_times`. Streets alone know no longest walk.

    Returns
    -------
    geopandas.GeoDataFrame
        A row a place and band, in the order of the places, bands rising; areas as geoplan knows them: index
        ``area_id``, ``name``, ``level`` ("isochrone"), multipolygons in the system of the streets. Each band covers
        the one before, exactly. Besides:

        ======================  ========================================================================================
        ``place_id``            the place
        ``place_m``             metres from it to the nearest street
        ``band_min``            minutes
        ``percentile``          per cent of the departures that are in time; NaN for streets alone
        ``mode``                ``transit`` or the mode of the streets
        ``moment``              first departure or deadline, text; empty for streets alone
        ``window_min``          minutes; NaN for streets alone
        ``towards``             whether the ways are to the place
        ``residents``           those whose own travel time is within the band; only if handed in, as the next three
        ``residents_points``    at how many points
        ``residents_inside``    those whose point lies in the polygon
        ``residents_off``       those at points that are near no street: in no band, for that reason
        ``jobs``, …             the same four for jobs
        ``stops``               stops that are ridden to in time; only with a timetable, as the next
        ``stops_off``           those of them that are near no street: what is around them is missing
        ``streets_km``          length of the streets reached, on the ground
        ``area_km2``            of the polygon
        ======================  ========================================================================================

    Raises
    ------
    InputError
        For bands that are none or occur twice, a percentile, distance or option out of its bounds, points or polygons
        without a coordinate system, numbers of people that are missing or below 0, all of them at once; for a moment
        with streets alone; for a place that is on no street; for more than ``memory_mb``.

    Notes
    -----
    No circle is drawn around anything. Streets are cut at junctions and stops; from what time is left at both ends of
    each section follows, to the metre, which part of it is reached by each departure. A place on the street counts as
    reached when ``percentile`` per cent of the departures have reached it, be it from one end or from the other:

    .. math:: \{a : |\{d : \min(t_{d0} + F a,\; t_{d1} + B (1 - a)) \le T\}| \ge k_p\}

    with *t* the times at both ends, *F* and *B* those along the section either way (infinite against a one-way street),
    and :math:`k_p` the rank of the percentile. It is what :func:`travel_times` says of a point there, but for its
    rounding to a second. Around the reached part lies a strip, as wide as the time left allows. Pieces that points
    are not linked to, such as motorways on foot and ferries, have none.

    Residents and jobs are counted by their own travel time, from door to door, not by lying in the polygon: a house 80
    metres off the street may well be reached, and a yard in a hole that was closed may not; and times go by the nearest
    place of the nearest street, the strip by any. The polygon is the picture, the times are the figures. Both are
    returned; :func:`isochrone_notes` says where they are far apart.

    Examples
    --------
    A street of 2 km; one walks 78 metres a minute:

    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> from geoplan.reach import isochrones, read_streets
    >>> lines = [LineString([(674_000, 6_580_000), (676_000, 6_580_000)])]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    >>> home = gpd.GeoDataFrame(geometry=[Point(675_000, 6_580_000)], index=["home"], crs=3006)
    >>> shops = gpd.GeoDataFrame({"jobs": [8, 5]}, geometry=[Point(675_300, 6_580_010), Point(675_700, 6_580_000)],
    ...                          crs=3006)
    >>> bands = isochrones(home, streets, bands_min=(5, 10), jobs=shops)
    >>> bands[["band_min", "jobs", "streets_km"]].round(2)
                 band_min  jobs  streets_km
    area_id
    home 5 min        5.0   8.0        0.78
    home 10 min      10.0  13.0        1.56
    """
    network = Network(network) if isinstance(network, Streets) else network
    faults = Faults()
    bands = _bands(bands_min, faults)
    with faults.catch():
        shares = percentiles_of(percentile)
    _check_sizes(faults, off_street_m=off_street_m, fill_m2=fill_m2)
    _check_direction(faults, network, departure, arrival, towards=towards)
    counted = {
        name: _weights(frame, column, name, faults)
        for name, frame, column in (("residents", residents, residents_column), ("jobs", jobs, jobs_column))
        if frame is not None
    }
    sea = _water(water, network.streets.crs, faults)
    with faults.catch():
        window = asked(
            network.timetable,
            departure,
            arrival,
            window_min=window_min,
            step_min=step_min,
            max_min=max(bands, default=1),
            max_walk_min=max_walk_min,
            rides=rides,
            slack_s=slack_s,
            headways=headways,
            draws=draws,
            seed=seed,
        )
    faults.raise_any()
    window = replace(window, arrive=window.arrive or towards)
    places = _on_streets(place, network)
    many, outlines = (
        threads_of(threads),
        Outlines(network.streets, off_street_m, network.off_street_kmh / 3.6, fill_m2, sea),
    )
    drawn = _drawn(network, window, places, bands, shares, outlines, threads=many, memory_mb=memory_mb, shown=progress)
    rows = pd.DataFrame([row for each in drawn for row in each])
    told = _told(network, window, departure if arrival is None else arrival, shares[0], window_min)
    frame = gpd.GeoDataFrame(rows.assign(**told), geometry="geometry", crs=network.streets.crs)
    for name, (points, weight) in counted.items():
        times = _seconds(network, window, places, points, shares, threads=many, memory_mb=memory_mb, shown=progress)
        _count(frame, name, times, weight, points, [round(60 * band) for band in bands])
    ordered = [name for name in _COLUMNS if name in frame]
    return frame.set_index("area_id")[ordered]


_NUMBERS = tuple(f"{who}{what}" for who in ("residents", "jobs") for what in ("", "_points", "_inside", "_off"))
_COLUMNS = (
    "name", "level", "place_id", "place_m", "band_min", "percentile", "mode", "moment", "window_min", "towards",
    *_NUMBERS, "stops", "stops_off", "streets_km", "area_km2", "geometry",
)  # fmt: skip


# ---------------------------------------------------------------- what is asked


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and isfinite(float(value))


def _words(numbers: Sequence[object]) -> str:
    return ", ".join(f"{number:g}" if _number(number) else repr(number) for number in numbers)


def _bands(bands_min: Sequence[float] | float, faults: Faults) -> list[float]:
    """Return the bands, rising."""
    many = list(bands_min) if isinstance(bands_min, Sequence | np.ndarray) else [bands_min]
    wrong = [band for band in many if not _number(band) or not 1 / 60 <= band <= _MOST_MIN]
    expected = f"minutes above 0, up to {_MOST_MIN:,}, each once, as (15, 30, 45)"
    if wrong or not many:
        what = f"a band of {_words(wrong)} minutes cannot be drawn" if many else "no band is asked for"
        faults.add(InputError(Fault(what=what, key="bands_min", expected=expected)))
        return []
    twice = sorted({float(band) for band in many if many.count(band) > 1})
    if twice:
        what = f"the band of {_words(twice)} minutes is asked for twice"
        faults.add(InputError(Fault(what=what, key="bands_min", expected=expected)))
    return sorted(float(band) for band in many)


def _check_sizes(faults: Faults, *, off_street_m: float, fill_m2: float) -> None:
    if not _number(off_street_m) or not 0 < off_street_m <= _MOST_OFF_M:
        what, expected = f"a strip of {off_street_m!r} m", f"metres above 0, up to {_MOST_OFF_M:,.0f}"
        faults.add(InputError(Fault(what=what, key="off_street_m", expected=expected)))
    if not _number(fill_m2) or fill_m2 < 0:
        what, expected = f"holes of {fill_m2!r} m² cannot be closed", "square metres; 0 keeps all holes"
        faults.add(InputError(Fault(what=what, key="fill_m2", expected=expected)))


def _check_direction(faults: Faults, network: Network, departure: object, arrival: object, *, towards: bool) -> None:
    key = "departure" if departure is not None else "arrival"
    if network.timetable is None and (departure is not None or arrival is not None):
        hint = f"leave {key} out, or join a timetable to the streets"
        what = f"streets without a timetable are the same at any time, and {key} is given"
        faults.add(InputError(Fault(what=what, key=key, hint=hint)))
    if network.timetable is not None and towards:
        hint = "give arrival, for the ways to the place"
        faults.add(InputError(Fault(what="towards is for streets without a timetable", key="towards", hint=hint)))


def _weights(frame: gpd.GeoDataFrame, column: str, name: str, faults: Faults) -> tuple[gpd.GeoSeries, np.ndarray]:
    """Return points, numbered anew, and how many are at each."""
    nobody = gpd.GeoSeries([], crs="EPSG:4326"), np.empty(0)
    if not isinstance(frame, gpd.GeoDataFrame):
        expected = f"a GeoDataFrame of points with a column '{column}'"
        what = f"{name} cannot be a {type(frame).__name__}"
        faults.add(SpecError(Fault(what=what, key=name, expected=expected)))
        return nobody
    absent = checks.absent_columns([column] if column not in frame else [], [str(each) for each in frame], key=name)
    for error in absent:
        faults.add(error)
    if frame.crs is None:
        faults.add(checks.crs_missing(hint='say which it is with `.set_crs("EPSG:…")`').located(key=name))
    if absent or frame.crs is None:
        return nobody
    weight = pd.to_numeric(frame[column], errors="coerce").to_numpy(float, na_value=np.nan)
    wrong = frame.index[~(np.isfinite(weight) & (weight >= 0))]
    if len(wrong):
        what = f"{len(wrong):,} of {len(frame):,} points have no number of {name}: {listed(map(str, wrong))}"
        hint = "leave out points of which it is not known how many are there"
        faults.add(InputError(Fault(what=what, key=name, column=column, expected="numbers from 0", hint=hint)))
        return nobody
    return frame.geometry.reset_index(drop=True), weight


def _water(water: gpd.GeoDataFrame | None, crs: str, faults: Faults) -> Any:
    """Return what is not covered as one shape, or None."""
    if water is None:
        return None
    shapes = water.geometry
    shapes = shapes[shapes.notna() & ~shapes.is_empty]
    if shapes.crs is None:
        faults.add(checks.crs_missing().located(key="water"))
        return None
    other = ~np.isin(shapely.get_type_id(np.asarray(shapes.array)), _AREAS)
    if other.any():
        error = checks.not_polygons([str(name) for name in shapes.index[other]], shapes[other].geom_type.unique())
        faults.add(error.located(key="water"))
        return None
    whole = shapely.union_all(shapely.make_valid(np.asarray(shapes.to_crs(crs).array)))
    shapely.prepare(whole)
    return None if whole.is_empty else whole


def _on_streets(place: gpd.GeoDataFrame, network: Network) -> Snapped:
    """Put the places on the streets; refuse those that are near none."""
    places = network.snapped(place)
    if not len(places):
        raise InputError(Fault(what="there is no place to start from", key="place", expected="at least one point"))
    names = [str(name) for name in places.ids]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise checks.duplicate_points(twice)
    lost = places.unsnapped()
    if len(lost):
        what = "; ".join(f"'{row.id}' is on no street: {row.reason}" for row in lost.itertuples())
        hint = "move it to a street, or join the network with a larger radius_m"
        raise InputError(Fault(what=what, key="place", hint=hint))
    return places


# ---------------------------------------------------------------- what is drawn


def _drawn(
    network: Network,
    window: Window,
    places: Snapped,
    bands: list[float],
    shares: tuple[float, ...],
    outlines: Outlines,
    *,
    threads: int,
    memory_mb: float,
    shown: bool,
) -> Iterator[list[dict[str, Any]]]:
    """Hand on the rows of each place, in order."""
    streets, seconds = network.streets, [round(60 * band) for band in bands]
    nodes = nodes_of(streets, network.stops)
    threads = min(threads, len(places))
    size = _room(network, window, len(nodes), len(bands), threads, memory_mb)
    state = room_of(size, memory_mb, threads, on_disk=False)
    starts, goals = (nodes, places) if window.arrive else (places, nodes)
    job = made_ready(network, window, starts, goals, shares, threads=threads, state_bytes=state)

    def work(numbers: np.ndarray) -> list[dict[str, Any]]:
        number = int(numbers[0])
        sections = cut_at(streets, nodes, places, number, turned=window.arrive)
        name, off, rows, before = str(places.ids[number]), float(places.off_m[number]), [], None
        for band, frontier in zip(bands, frontiers(job, number, seconds, shares[0]), strict=True):
            outline, parts = outlines.drawn(frontier, sections)
            before = outline if before is None else holding(outline, before)
            label = f"{name} {band:g} min"
            row: dict[str, Any] = {"area_id": label, "name": label, "level": _LEVEL, "place_id": name}
            row |= {"place_m": off, "band_min": band}
            if network.stops is not None:
                row |= {"stops": len(frontier.stops), "stops_off": int((network.stops.piece[frontier.stops] < 0).sum())}
            row |= {"streets_km": parts.metres(streets) / 1000, "area_km2": before.area / 1e6, "geometry": before}
            rows.append(row)
        return rows

    with progress_bar(len(places), shown=shown, label="isochrones") as step:
        for rows in in_chunks(len(places), work, threads, 1):
            step()
            yield rows


def _room(network: Network, window: Window, nodes: int, bands: int, threads: int, memory_mb: float) -> int:
    """Return how many bytes the times at all nodes take; refuse what does not fit."""
    trips = (
        1 if network.timetable is None else len(window.leave_s) * (window.draws if window.headways == "drawn" else 1)
    )
    size = 2 * nodes * trips * bands * threads
    if size > memory_mb * 2**20:
        what = f"times at {nodes:,} junctions and stops take {size / 2**20:,.0f} MB, and memory_mb is {memory_mb:g}"
        hint = "ask for fewer bands at a time or fewer departures (step_min, draws), or raise memory_mb"
        raise InputError(Fault(what=what, key="memory_mb", hint=hint))
    return size


def _told(network: Network, window: Window, moment: object, share: float, window_min: float) -> dict[str, object]:
    """Return how the bands came about, as columns."""
    timed = network.timetable is not None
    return {
        "percentile": float(share) if timed else np.nan,
        "mode": "transit" if timed else network.streets.mode,
        "moment": f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else str(moment or ""),
        "window_min": float(window_min) if timed else np.nan,
        "towards": window.arrive,
    }


# ---------------------------------------------------------------- who is there


def _seconds(
    network: Network,
    window: Window,
    places: Snapped,
    points: gpd.GeoSeries,
    shares: tuple[float, ...],
    *,
    threads: int,
    memory_mb: float,
    shown: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the travel times [place, point] from door to door, and which points are on no street."""
    there = network.snapped(points)
    state = room_of(2 * len(places) * len(there), memory_mb, threads, on_disk=False)
    starts, goals = (there, places) if window.arrive else (places, there)
    job: Job = made_ready(network, window, starts, goals, shares, threads=threads, state_bytes=state)
    found = fill(job, threads=threads, progress=shown, folder=None, workers=None)
    return found[:, :, 0], there.piece < 0


def _count(
    frame: gpd.GeoDataFrame,
    name: str,
    times: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    points: gpd.GeoSeries,
    bands_s: list[int],
) -> None:
    """Write who is reached in each band: by own times, and by lying in the polygon."""
    seconds, off = times
    within = (seconds[:, None, :] <= np.array(bands_s)[None, :, None]).reshape(len(frame), len(weight))
    spots = np.asarray(points.to_crs(frame.crs).array)
    inside = np.zeros(len(frame))
    tree = shapely.STRtree(spots)
    for row, shape in enumerate(frame.geometry):
        inside[row] = weight[tree.query(shape, predicate="intersects")].sum()
    frame[name] = within @ weight
    frame[f"{name}_points"] = within.sum(axis=1)
    frame[f"{name}_inside"] = inside
    frame[f"{name}_off"] = float(weight[off].sum())


def isochrone_notes(bands: gpd.GeoDataFrame, network: Network | Streets | None = None) -> list[str]:
    """Say in sentences what isochrones leave out, and where counts by time and by polygon are far apart.

    Parameters
    ----------
    bands
        Of :func:`isochrones`.
    network
        What they were made with; then also where its timetable seems to be cut off, see :func:`cut_edges`.

    Returns
    -------
    list of str
        Sides at which the timetable is cut off; places over 300 m from a street; then, row by row, stops that are
        reached where there is no street, and counts that differ by more than 5 %; at last, people at points that are
        near no street.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point
    >>> from geoplan.reach import isochrone_notes, isochrones, read_streets
    >>> lines = [LineString([(674_000, 6_580_000), (676_000, 6_580_000)])]
    >>> streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=3006), min_subgraph=1)
    >>> home = gpd.GeoDataFrame(geometry=[Point(675_000, 6_580_000)], index=["home"], crs=3006)
    >>> farm = gpd.GeoDataFrame({"population": [4]}, geometry=[Point(675_000, 6_580_100)], crs=3006)
    >>> isochrone_notes(isochrones(home, streets, bands_min=5, residents=farm))
    ['home 5 min: 4 residents are reached by their own travel time, and 0 live in the polygon']
    """
    timetable = network.timetable if isinstance(network, Network) else None
    nobody = pd.DataFrame({"status": [], "reason": [], "near_edge": []})
    said = Scope(nobody, cut_edges(timetable)).lines()
    apart = bands.drop_duplicates("place_id")
    said += [
        f"{row.place_id} lies {row.place_m:,.0f} m from the nearest street: the way there is counted"
        for row in apart[apart["place_m"] > _FAR_M].itertuples()
    ]
    for row in bands.to_dict("records"):
        said += _row_notes(row)
    for who in ("residents", "jobs"):
        left = float(bands[f"{who}_off"].max()) if f"{who}_off" in bands and len(bands) else 0.0
        if left:
            said.append(f"{left:,.0f} {who} are at points near no street: in no band")
    return said


def _row_notes(row: dict[Any, Any]) -> list[str]:
    said = []
    if row.get("stops_off"):
        said.append(
            f"{row['name']}: {row['stops_off']:,} of {row['stops']:,} stops ridden to in time are near no street: "
            "what is around them is missing from the polygon"
        )
    for who, lie in (("residents", "live"), ("jobs", "are")):
        if who in row and abs(row[who] - row[f"{who}_inside"]) > _DIFFER * max(row[who], row[f"{who}_inside"]):
            said.append(
                f"{row['name']}: {row[who]:,.0f} {who} are reached by their own travel time, "
                f"and {row[f'{who}_inside']:,.0f} {lie} in the polygon"
            )
    return said
