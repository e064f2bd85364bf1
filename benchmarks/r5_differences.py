"""Why geoplan's travel times differ from R5's: R5's habits taken over one by one, and all at once, on Porto Alegre.

R5's times (v6.9, whole minutes) and the data lie in the folder of real data; name it in GEOPLAN_REAL_DATA. Each line
says how many of the pairs that both reach get another minute by the habit, by how many seconds they change on average,
and how near to R5 they then are. Run ``python benchmarks/r5_differences.py``; it takes some minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan.reach import (
    NEVER,
    UNREACHED,
    Snapped,
    Streets,
    contraction,
    join_network,
    read_streets,
    read_timetable,
    snap as snapped,
)
from geoplan.reach.asking import asked
from geoplan.reach.filling import fill
from geoplan.reach.linking import Near, costs, near, seconds_of
from geoplan.reach.matrix import Job
from geoplan.reach.routing import prepared, ranks_of

REAL = Path(os.environ.get("GEOPLAN_REAL_DATA") or Path(__file__).parents[2] / "shared/real") / "portoalegre"
PLANE = "+proj=eqc +lat_ts=-30.05 +lon_0=-51.2 +R=6366197.72 +units=m"  # a degree is 111,111.111 m, as R5 has it
SPHERE = pyproj.Geod(a=6_371_010, b=6_371_010)
DEPARTURE, WINDOW, LONGEST, WALK, HOUR = "2019-05-13 14:00", 60, 120, 1800, 3600
BYTE = 255
#: Stops beyond the edge of the extract that R5 must have hung on another street end (by where its times do not fit).
ELSEWHERE = {"965": (-51.218203, -30.110157), "4082": (-51.152608, -29.998796)}
HABITS = {
    "egress": "From a stop to the point by metres at walking speed, off the street too, rounded down",
    "seconds": "Each street's time rounded up to a whole second, to stops and on foot",
    "sphere": "Streets measured on a sphere",
    "plane": "The nearest street found on a plane of degrees",
    "junction": "The limit of a walk holds at the last junction, not at the point",
    "elsewhere": "Two stops beyond the extract's edge linked to other street ends",
}


@contextmanager
def streets_as_r5_has_them(*, seconds: bool, sphere: bool) -> Iterator[None]:
    """Have links measured on a sphere, and their times rounded up, before they are joined."""
    kept = contraction._milliseconds, contraction._GEOD  # noqa: SLF001  where a habit of R5 has to be taken over

    def whole(*args: Any) -> np.ndarray:
        found = kept[0](*args)
        return np.where(found < 0, found, -(-found // 1000) * 1000)

    try:
        contraction._milliseconds = whole if seconds else kept[0]  # noqa: SLF001
        contraction._GEOD = SPHERE if sphere else kept[1]  # noqa: SLF001
        yield
    finally:
        contraction._milliseconds, contraction._GEOD = kept  # noqa: SLF001


class Model:
    """Porto Alegre as geoplan has it, with some of R5's habits."""

    def __init__(self, reference: dict[str, np.ndarray], timetable: Any, habits: frozenset[str]) -> None:
        self.habits, self.timetable = habits, timetable
        table = pd.read_csv(REAL / "poa_hexgrid.csv")
        points = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"], crs=4326), index=table["id"])
        self.origins, self.points = points.loc[list(reference["from_ids"])], points.loc[list(reference["to_ids"])]
        plain = self.streets(seconds=False)
        self.outward = self.streets(seconds=True) if "seconds" in habits else plain
        network = join_network(plain, timetable, nearest_per_line=True, stop_link_kmh=3.6)
        stops = self.placed(plain, network.stops)
        if "elsewhere" in habits:
            walks = near(plain, stops, stops, max_m=1000)
            network = replace(network, stops=stops, paths=_as_before(network.paths, walks))
        self.network = network
        self.sources, self.sinks = snapped(self.outward, self.origins), snapped(self.outward, self.points)
        homes = stops
        if self.outward is not plain:
            homes = self.placed(self.outward, snapped(self.outward, timetable.stops.geometry, off_street_kmh=3.6))
        self.access = near(self.outward, self.sources, homes, max_s=WALK)
        ends = snapped(plain, self.points, off_street_kmh=3.6 if "egress" in habits else 4.68)
        egress = near(plain, stops, ends, max_s=WALK, max_m=2000).turned(len(self.points))
        if "egress" in habits:
            egress = replace(egress, seconds=egress.metres.astype(np.int32))
        self.egress = egress

    def streets(self, *, seconds: bool) -> Streets:
        """Read the streets."""
        crs = PLANE if "plane" in self.habits else None
        with streets_as_r5_has_them(seconds=seconds, sphere="sphere" in self.habits):
            return read_streets(REAL / "poa_osm.pbf", crs=crs, speed_kmh=3.6, speeds={"steps": 3.6, "ferry": 0})

    def placed(self, streets: Streets, stops: Snapped) -> Snapped:
        """Move the two stops to the street ends that R5 has them at."""
        if "elsewhere" not in self.habits:
            return stops
        named = self.timetable.stops["stop_id"].astype(str).tolist()
        places = gpd.GeoSeries([shapely.Point(place) for place in ELSEWHERE.values()], crs=4326)
        other = snapped(streets, places, off_street_kmh=3.6)
        changed = {name: getattr(stops, name).copy() for name in ("piece", "along", "off_m", "off_ms", "start", "end")}
        changed |= {
            f"{way}_{end}_{unit}": getattr(stops, f"{way}_{end}_{unit}").copy()
            for way, unit in (("to", "ms"), ("from", "ms"), ("to", "mm"))
            for end in ("start", "end")
        }
        for number, name in enumerate(ELSEWHERE):
            row = named.index(name)
            apart = float(np.hypot(*(stops.xy[row] - other.xy[number])))  # on foot, in a straight line
            for field, values in changed.items():
                more = apart if field == "off_m" else apart * 1000 if field.endswith(("ms", "mm")) else 0
                values[row] = getattr(other, field)[number] + more
        return replace(stops, **changed)

    def walks(self, most_s: int) -> np.ndarray:
        """Return the seconds on foot alone."""
        numbers = np.arange(len(self.origins))
        if "junction" in self.habits:
            found = np.full((len(numbers), len(self.points)), NEVER, np.int64)
            nowhere = np.full(len(self.points), NEVER, np.int32)
            for one, other in (("start", "end"), ("end", "start")):
                sinks = replace(self.sinks, **{f"from_{other}_ms": nowhere})
                cost = costs(self.outward, self.sources, sinks, numbers).astype(np.int64)
                before = cost - getattr(self.sinks, f"from_{one}_ms")
                found = np.where((cost < NEVER) & (before < most_s * 1000), np.minimum(found, cost), found)
            seconds = seconds_of(found.astype(np.int32))
        else:
            seconds = seconds_of(costs(self.outward, self.sources, self.sinks, numbers, max_s=most_s))
        for row in numbers:
            seconds[row, (self.sinks.xy == self.sources.xy[row]).all(axis=1)] = 0
        return seconds

    def on_foot(self) -> np.ndarray:
        """Return seconds on foot within an hour, UNREACHED else; R5 counts the 60th minute in."""
        seconds = self.walks(HOUR)
        return np.where(seconds < HOUR + 60, seconds, UNREACHED)

    def door_to_door(self, rides: int) -> np.ndarray:
        """Return the median of an hour's departures, in seconds."""
        options = {"window_min": WINDOW, "step_min": 1, "max_min": LONGEST, "max_walk_min": WALK / 60, "slack_s": 61}
        window = asked(
            self.timetable, DEPARTURE, None, **options, rides=rides, headways="expected", draws=1, seed=0
        )  # fmt: skip
        search = prepared(self.network, window, state_bytes=2**28)
        on_foot = self.walks(WALK)

        class Own(Job):
            def walks(self, numbers: np.ndarray) -> np.ndarray:
                return on_foot[numbers]

        job = Own(search, self.outward, self.sources, self.sinks, self.access, self.egress, ranks_of((50,), WINDOW))
        return np.asarray(fill(job, threads=2, progress=False, folder=None, workers=None)[:, :, 0]).astype(int)


def _as_before(paths: Near, walks: Near) -> Near:
    """Keep the walks between stops that were of use, with their new times."""
    size = len(paths)
    known = walks.rows.astype(np.int64) * size + walks.other
    order = np.argsort(known)
    wanted = paths.rows.astype(np.int64) * size + paths.other
    place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    there = known[order][place] == wanted
    seconds = np.where(paths.rows == paths.other, 0, np.where(there, walks.seconds[order][place], paths.seconds))
    return replace(paths, seconds=seconds.astype(np.int32))


def told(name: str, seconds: np.ndarray, before: np.ndarray, theirs: np.ndarray) -> None:
    """Print one line of the comparison."""
    minutes, was = (np.where(each == UNREACHED, BYTE, each // 60) for each in (seconds, before))
    both, either = (minutes != BYTE) & (theirs != BYTE), (minutes != BYTE) | (theirs != BYTE)
    apart = (minutes - theirs.astype(int))[both]
    same = (minutes != BYTE) & (was != BYTE)
    moved, change = (minutes != was)[same].mean(), (seconds - before)[same].mean()
    one, five = ((np.abs(apart) <= most).sum() for most in (1, 5))
    shares = [100 * one / either.sum(), 100 * five / either.sum(), 100 * one / both.sum(), 100 * five / both.sum()]
    alone = f"{either.sum() - both.sum():,} of {either.sum():,} reached by one alone"
    print(
        f"{name:<12} changed {100 * moved:5.1f} %, {change:+6.1f} s | of either {shares[0]:.2f} {shares[1]:.2f} % | of "
        f"both {shares[2]:.2f} {shares[3]:.2f} %, the same {100 * (apart == 0).mean():.1f} %, mean "
        f"{60 * apart.mean():+.1f} s | {alone}",
        flush=True,
    )


def main() -> None:
    """Print how near to R5 the times are with each habit, with all, and with all but one."""
    if not (REAL / "r5_reference.npz").is_file():
        print(f"the real data are not in {REAL}; name their folder in GEOPLAN_REAL_DATA")
        return
    with np.load(REAL / "r5_reference.npz") as stored:
        reference = {name: stored[name] for name in stored.files}
    timetable = read_timetable([REAL / "poa_eptc.zip", REAL / "poa_trensurb.zip"], date=DEPARTURE[:10])
    asked_for = {"none": frozenset(), **{name: frozenset({name}) for name in HABITS}, "all": frozenset(HABITS)}
    before: dict[str, np.ndarray] = {}
    for name, habits in asked_for.items():
        print(f"-- {HABITS.get(name, f'{name} of these habits')}")
        model = Model(reference, timetable, habits)
        runs = {"3 rides": model.door_to_door(3), "8 rides": model.door_to_door(8), "on foot": model.on_foot()}
        before = before or runs
        keys = ("w60_walk30_p50_rides3", "w60_walk30_p50_rides8", "walkonly60")
        for (what, seconds), key in zip(runs.items(), keys, strict=True):
            told(what, seconds, before[what], reference[key])


if __name__ == "__main__":
    main()
