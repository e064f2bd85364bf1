"""How long travel times take, what the peers take in the same run, and how that grows.

Porto Alegre with 1,227 × 1,227 hexagons on two threads: on foot within 60 minutes, and from door to door for 60
departures. Needs the open data at ``GEOPLAN_REAL_DATA``. Run ``python benchmarks/travel_times.py [walk door compile
growth]``; all of it takes some minutes. Walls and processors are both printed, the least of a few repetitions, for the
machine may have other things to do: then the processors' seconds are the ones to look at.

Peers are used where they are installed. pandana is under the AGPL and nothing that geoplan needs: install it beside.
R5's figures are quoted from its own run on the same kind of machine: it takes Java and its own network file.
minotor is no peer here: on PyPI that name is a monitor of machine learning, the router is TypeScript and in minutes.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

import geoplan as gp
from geoplan.reach import Network, Streets, Timetable, join_network, read_streets, read_timetable, travel_times

THREADS, REPEATS, CHUNK = 2, 5, 64
HOUR_MS = 60 * 60_000
DATA = os.environ.get("GEOPLAN_REAL_DATA", "")
PICTURE = Path(__file__).parents[1] / "docs/pictures/travel_times_growth.png"
#: R5 v6.9 by r5r, the same question, 1,227 × 1,227, two threads (issue 6).
R5 = {"warm": "38-42 s", "with the network built": "60 s", "peak memory": "0.53 GB"}
DAY = "2019-05-13"
ASKED = {"departure": f"{DAY} 14:00", "slack_s": 61, "rides": 3, "max_egress_m": 2000, "threads": THREADS}


def measured(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the least wall and the least processor seconds of some repetitions."""
    walls, busies = [], []
    for _ in range(repeats):
        wall, busy = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        busies.append(time.process_time() - busy)
    return min(walls), min(busies)


def told(name: str, took: tuple[float, float], ours: tuple[float, float] | None = None) -> None:
    """Print what something took, and how many times as much as ours that is."""
    ratio = f"   {took[0] / ours[0]:6.1f} × wall, {took[1] / ours[1]:6.1f} × processors" if ours else ""
    print(f"    {name:<46}{took[0]:8.2f} s wall {took[1]:8.2f} s processors{ratio}", flush=True)


def load() -> str:
    """Return how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def peer(name: str) -> Any:
    """Import a peer, or say that it is not there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"    {name}: not installed")
        return None


def porto_alegre() -> Path:
    """Return the folder of the data."""
    return Path(DATA) / "portoalegre"


def hexagons() -> gpd.GeoDataFrame:
    """Read the middles of the hexagons."""
    frame = pd.read_csv(porto_alegre() / "poa_hexgrid.csv")
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=4326).set_index("id")


def streets_of() -> Streets:
    """Read the streets with R5's speed of walking."""
    return read_streets(porto_alegre() / "poa_osm.pbf", speed_kmh=3.6, speeds={"steps": 3.6})


def timetable_of() -> Timetable:
    """Read both feeds."""
    return read_timetable([porto_alegre() / name for name in ("poa_eptc.zip", "poa_trensurb.zip")], date=DAY)


# ---------------------------------------------------------------- on foot


def walking() -> None:
    """Compare searches of the streets: the same junctions, arcs and limit."""
    streets, points = streets_of(), hexagons()
    graph, snapped = streets.graph, Network(streets).snapped(points)
    arcs = np.repeat(np.arange(len(graph.indptr) - 1), np.diff(graph.indptr))
    junctions = np.where(snapped.along < 0.5, snapped.start, snapped.end)[snapped.piece >= 0]  # noqa: PLR2004  half
    print(f"On foot, ≤ 60 min, {len(points):,} × {len(points):,}, {len(streets.xy):,} junctions, {len(arcs):,} arcs")
    print(f"  ({load()}; peers search from the nearer junction and leave the way to it out)")
    travel_times(points, points, streets, max_min=60, threads=THREADS)
    ours = measured(lambda: travel_times(points, points, streets, max_min=60, threads=THREADS))
    told(f"geoplan, {THREADS} threads, points and answer included", ours)
    matrix = sparse.csr_array((graph.cost_ms.astype(float), graph.to, graph.indptr), shape=(len(streets.xy),) * 2)

    def scipys() -> None:
        for start in range(0, len(junctions), CHUNK):
            csgraph.dijkstra(matrix, indices=junctions[start : start + CHUNK], limit=HOUR_MS)[:, junctions]

    told(f"scipy, Dijkstra with limit, {CHUNK} at a time", measured(scipys, 3), ours)
    if kit := peer("networkit"):
        told("networkit, Dijkstra to several, no limit", _networkit(kit, graph, arcs, junctions), ours)
    for name in ("pandana", "pandarm"):
        if module := peer(name):
            try:
                _pandana(module, streets, (arcs, graph.to, graph.cost_ms), junctions, ours)
            except Exception as error:  # noqa: BLE001  a peer of any version
                print(f"    {name}: {type(error).__name__}: {error}")


def _networkit(kit: Any, graph: Any, arcs: np.ndarray, junctions: np.ndarray) -> tuple[float, float]:
    kit.setNumberOfThreads(THREADS)
    coo = (graph.cost_ms.astype(float), (arcs.astype(np.uint64), graph.to.astype(np.uint64)))
    made = kit.GraphFromCoo(coo, n=len(graph.indptr) - 1, weighted=True, directed=True)

    def search() -> None:
        for start in range(0, len(junctions), CHUNK):
            found = kit.distance.SPSP(made, junctions[start : start + CHUNK].tolist(), junctions.tolist())
            found.run()
            found.getDistances()

    return measured(search, 1)


def _pandana(
    module: Any, streets: Streets, arcs: tuple[np.ndarray, ...], junctions: np.ndarray, ours: tuple[float, float]
) -> None:
    warnings.simplefilter("ignore")  # it lists every pair that nothing connects
    start, end, cost = arcs
    x, y = (pd.Series(streets.xy[:, axis]) for axis in (0, 1))
    weights = pd.DataFrame({"seconds": cost / 1000})  # it counts thousandths in 32 bits
    made = []
    built = measured(
        lambda: made.append(module.Network(x, y, pd.Series(start), pd.Series(end), weights, twoway=False)), 1
    )
    told(f"{module.__name__}, contraction hierarchy built", built, ours)
    starts, ends = np.repeat(junctions, len(junctions)), np.tile(junctions, len(junctions))
    took = measured(lambda: made[0].shortest_path_lengths(starts, ends), 1)
    told(f"{module.__name__}, every pair, no limit", took, ours)


# ---------------------------------------------------------------- from door to door


def door() -> None:
    """Run the question in a process of its own, so that its memory can be told; then ask the peers."""
    print(f"Door to door, 60 departures, median, ≤ 30 min of walking ({load()})")
    found = _child("--door")
    told("geoplan, from raw files to the answer", (found["raw"], found["raw_busy"]))
    for name in ("streets", "timetable", "join", "times"):
        print(f"        {name:<42}{found[name]:8.2f} s wall {found[name + '_busy']:8.2f} s processors")
    told("geoplan, warm", (found["warm"], found["warm_busy"]))
    print(f"    {'geoplan, peak memory':<46}{found['peak'] / 1e9:8.2f} GB, "
          f"{found['before'] / 1e9:.2f} GB of it after the imports")  # fmt: skip
    for name, quoted in R5.items():
        print(f"    {'R5, ' + name + ' (quoted)':<46}{quoted:>10}")
    if kit := peer("pynigiri"):
        try:
            _nigiri(kit, found["warm"])
        except Exception as error:  # noqa: BLE001  a peer of any version
            print(f"    pynigiri: {type(error).__name__}: {error}")


def _child(*words: str, cache: str | None = None) -> dict[str, float]:
    """Run this script again in a process of its own; return what it tells."""
    own = {"NUMBA_CACHE_DIR": cache} if cache else {}
    run = subprocess.run(  # noqa: S603  this very script
        [sys.executable, __file__, *words], capture_output=True, text=True, check=False, env=os.environ | own
    )
    if run.returncode:
        raise RuntimeError(run.stderr)
    return dict(json.loads(run.stdout.splitlines()[-1]))


def door_child() -> None:
    """Tell, as JSON, what each step took, and the most memory there was."""
    found: dict[str, float] = {"before": _peak()}
    made: dict[str, Any] = {}

    def step(name: str, work: Callable[[], Any]) -> None:
        found[name], found[name + "_busy"] = measured(lambda: made.update({name: work()}), 1)

    points = hexagons()
    step("streets", streets_of)
    step("timetable", timetable_of)
    step("join", lambda: join_network(made["streets"], made["timetable"], nearest_per_line=True, threads=THREADS))
    step("times", lambda: travel_times(points, points, made["join"], **ASKED))
    for end in ("", "_busy"):
        found["raw" + end] = sum(found[name + end] for name in made)
    found["warm"], found["warm_busy"] = measured(lambda: travel_times(points, points, made["join"], **ASKED), 3)
    found["peak"] = _peak()
    print(json.dumps(found))


def _peak() -> float:
    """Return the most memory this process has had; what the one it was forked from had is not counted."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(1024 * float(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _nigiri(kit: Any, ours: float) -> None:
    """Ask pynigiri for some pairs, with the stops near to both as its starts and ends; it has no one-to-all."""
    points, streets, timetable = hexagons(), streets_of(), timetable_of()
    network = join_network(streets, timetable, nearest_per_line=True)
    snapped = network.snapped(points)
    access = network.stops_near(snapped, max_s=1800)
    egress = network.near_stops(snapped, max_s=1800, max_m=2000)
    feeds = [porto_alegre() / name for name in ("poa_eptc.zip", "poa_trensurb.zip")]
    sources = [kit.TimetableSource(path.stem, str(path), kit.LoaderConfig()) for path in feeds]
    made = kit.load_timetable(sources, DAY, "2019-05-15", kit.FinalizeOptions())
    names, number = timetable.stops["stop_id"].astype(str).tolist(), timetable.stops["feed"].tolist()
    found = [made.find_location(name) for name in names] if number else []
    start = int(pd.Timestamp(ASKED["departure"], tz=timetable.zone).timestamp()) // 60
    rng, asked = np.random.default_rng(1), 0

    def offsets(near: Any, row: int) -> list[Any]:
        pairs = zip(near.other[near.row(row)], near.seconds[near.row(row)], strict=True)
        return [kit.Offset(found[stop], -(-int(second) // 60), 0) for stop, second in pairs if found[stop] is not None]

    queries = []
    for origin, goal in rng.integers(0, len(points), (60, 2)):
        query = kit.Query()
        query.start, query.destination = offsets(access, int(origin)), offsets(egress, int(goal))
        query.start_time, query.max_transfers, query.max_travel_time = (start, start + 59), 2, 120
        if query.start and query.destination:
            queries.append(query)
    wall = time.perf_counter()
    for query in queries:
        asked += len(kit.route(made, query)) > 0
    each = (time.perf_counter() - wall) / len(queries)
    pairs = len(points) ** 2
    words = "pynigiri, one pair and a window of 60 min"
    print(f"    {words:<46}{1e3 * each:8.2f} ms wall ({len(queries)} pairs, {asked} with a journey)")
    print(f"        geoplan {1e6 * ours / pairs:.1f} µs a pair; pynigiri has no search from one to all:")
    print(
        f"        every pair would take {each * pairs / THREADS / 60:,.0f} min on {THREADS} threads (scaled, not run)"
    )


# ---------------------------------------------------------------- compiling


def compiling() -> None:
    """Ask a small question in two processes that share an empty cache of compiled code."""
    print(f"Compiling ({load()})")
    with tempfile.TemporaryDirectory() as cache:
        for name in ("first process, nothing compiled yet", "second process, from the cache"):
            found = _child("--small", cache=cache)
            told(f"sample town, {name}", (found["took"], found["busy"]))


def small_child() -> None:
    """Tell, as JSON, how long the sample town takes."""
    streets, timetable, points, moment = sample()
    found = {}
    found["took"], found["busy"] = measured(
        lambda: travel_times(points, points, join_network(streets, timetable), departure=moment, threads=THREADS), 1
    )
    print(json.dumps(found))


# ---------------------------------------------------------------- growth


def sample() -> tuple[Streets, Timetable, gpd.GeoDataFrame, str]:
    """Read the sample town."""
    data = gp.home() / "data"
    timetable = read_timetable(data / "nordhamra_gtfs.zip", date="2012-10-09")
    streets = read_streets(data / "nordhamra_streets.osm.pbf")
    return streets, timetable, _some(timetable, 200), "2012-10-09 07:30"


def helsinki() -> tuple[Streets, Timetable, gpd.GeoDataFrame, str]:
    """Read Helsinki: one day of HSL, and the streets of the centre."""
    data = Path(DATA) / "helsinki"
    timetable = read_timetable(data / "gtfs_hsl_2022-02-22.zip", date="2022-02-22")
    streets = read_streets(gpd.read_file(data / "streets_metropaccess.gpkg"))
    return streets, timetable, _some(timetable, 200), "2022-02-22 07:30"


def _some(timetable: Timetable, count: int) -> gpd.GeoDataFrame:
    """Take stops as points to go from and to, evenly."""
    rows = np.unique(np.linspace(0, len(timetable.stops) - 1, count).astype(int))
    return gpd.GeoDataFrame(geometry=timetable.stops.geometry.iloc[rows].reset_index(drop=True))


def copied(streets: Streets, timetable: Timetable, times: int) -> tuple[Streets, Timetable]:
    """Lay copies of a city beside each other, 200 km apart: nothing connects them, but all is searched as one."""
    step, junctions, vertices = 200_000.0, len(streets.xy), len(streets.shape_xy)

    def moved(xy: np.ndarray) -> np.ndarray:
        return np.concatenate([xy - np.array([0.0, step * copy]) for copy in range(times)])

    def raised(numbers: np.ndarray, by: int) -> np.ndarray:
        return np.concatenate([numbers + by * copy for copy in range(times)]).astype(numbers.dtype)

    def spans(at: np.ndarray) -> np.ndarray:
        return np.append(raised(at[:-1], int(at[-1])), times * int(at[-1])).astype(at.dtype)

    same = ("length_m", "forward_ms", "backward_ms", "linkable")
    wide = replace(
        streets, xy=moved(streets.xy), start=raised(streets.start, junctions), end=raised(streets.end, junctions),
        shape_at=np.append(raised(streets.shape_at[:-1], vertices), times * vertices),
        shape_xy=moved(streets.shape_xy), **{name: np.tile(getattr(streets, name), times) for name in same},
    )  # fmt: skip
    flat = timetable.stops.to_crs(streets.crs)
    xy = moved(np.column_stack([flat.geometry.x, flat.geometry.y]))
    stops = pd.concat([timetable.stops] * times, ignore_index=True)
    stops = stops.set_geometry(gpd.points_from_xy(*xy.T, crs=streets.crs).to_crs(4326))
    trips = pd.concat([timetable.trips] * times, ignore_index=True)
    for name in ("pattern", "seat"):
        own = timetable.trips[name].to_numpy()
        trips[name] = raised(own, int(own.max()) + 1)
    calls = ("arrive_s", "depart_s", "may_board", "may_alight", "seat_place")
    return wide, replace(
        timetable, stops=stops, trips=trips, transfers=timetable.transfers.iloc[:0],
        pattern_at=spans(timetable.pattern_at), pattern_stops=raised(timetable.pattern_stops, len(timetable.stops)),
        call_at=spans(timetable.call_at), **{name: np.tile(getattr(timetable, name), times) for name in calls},
    )  # fmt: skip


def growth() -> None:
    """Measure five sizes of city, and four numbers of origins, plot them, and print by which power each grows."""
    print(f"Growth: processor seconds ({load()})")
    moment = str(ASKED["departure"])
    city = streets_of(), timetable_of(), hexagons(), moment
    rows = []
    for name, made in (
        ("sample", sample()),
        ("Helsinki", helsinki()),
        ("Porto Alegre", city),
        ("× 10", 10),
        ("× 40", 40),
    ):
        streets, timetable, points, when = (*copied(*city[:2], made), *city[2:]) if isinstance(made, int) else made
        rows.append({"city": name, **_size(streets, timetable, points, when)})
        row = rows[-1]
        size = f"{row['stops']:>9,} stops {row['connections']:>11,} connections"
        took = f"joined in {row['join']:7.2f} s, made ready in {row['ready']:6.2f} s, {row['origin']:8.2f} ms an origin"
        print(f"    {name:<14}{size}: {took}", flush=True)
    frame = pd.DataFrame(rows)
    network = join_network(*city[:2], nearest_per_line=True, threads=THREADS)
    counts = [75, 150, 300, 600, 1200]
    searches = [_asked(network, city[2].iloc[:count], city[2], moment) for count in counts]
    _fitted("join against stops", frame["stops"], frame["join"])
    _fitted("ready against connections", frame["connections"], frame["ready"])
    _fitted("an origin against connections", frame["connections"], frame["origin"])
    _fitted("all against origins", pd.Series(counts), pd.Series(searches))
    plotted(frame, counts, searches)


def _size(streets: Streets, timetable: Timetable, points: gpd.GeoDataFrame, when: str) -> dict[str, float]:
    made = []
    _, join = measured(lambda: made.append(join_network(streets, timetable, nearest_per_line=True, threads=1)), 1)
    few, more = (_asked(made[0], points.iloc[:count], points, when) for count in (2, 34))
    each = max(more - few, 1e-9) / 32
    connections = len(timetable.connections().seat)
    return {"stops": len(timetable.stops), "connections": connections, "join": join, "ready": few, "origin": 1e3 * each}


def _asked(network: Network, origins: gpd.GeoDataFrame, points: gpd.GeoDataFrame, when: str) -> float:
    asked = ASKED | {"departure": when, "threads": 1}
    return measured(lambda: travel_times(origins, points, network, **asked), 2)[1]


def _fitted(name: str, sizes: pd.Series, took: pd.Series) -> None:
    """Print the power of growth by least squares, and between the two largest; n log n of these sizes beside it."""
    x, y = np.log(sizes.to_numpy(float)), np.log(took.to_numpy(float))
    power = float(np.polyfit(x, y, 1)[0])
    last = float((y[-1] - y[-2]) / (x[-1] - x[-2]))
    most = float((np.log(x[-1]) - np.log(x[-2])) / (x[-1] - x[-2]) + 1)
    print(f"    {name:<32} grows by the power {power:.2f}; {last:.2f} between the two largest (n log n: {most:.2f})")


def plotted(frame: pd.DataFrame, counts: list[int], searches: list[float]) -> None:
    """Plot what was measured, with lines that grow by n and by n log n."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  only here
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415  same

    panels = [("stops", "join", "joining streets and stops, s"), ("connections", "ready", "making ready, s"),
              ("connections", "origin", "an origin, 60 departures, ms")]  # fmt: skip
    figure, axes = plt.subplots(1, 4, figsize=(12, 3.2), layout="constrained")
    drawn = [(frame[x].to_numpy(float), frame[y].to_numpy(float), x, words) for x, y, words in panels]
    drawn.append((np.array(counts, float), np.array(searches), "origins", "all of a matrix, s"))
    for axis, (x, y, name, words) in zip(axes, drawn, strict=True):
        line = np.geomspace(x.min(), x.max(), 50)
        axis.plot(line, y[-1] * line / x.max(), color="0.6", lw=1, label="n")
        axis.plot(
            line, y[-1] * line * np.log(line) / (x.max() * np.log(x.max())), color="0.6", lw=1, ls=":", label="n log n"
        )
        axis.plot(x, y, "o", color="#1f5f8b", ms=5)
        axis.set(xscale="log", yscale="log", xlabel=name, title=words)
        axis.title.set_fontsize(9)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if y.max() < 200 * y.min() else (1,)))
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.15g}"))
            side.set_minor_formatter(NullFormatter())
        axis.tick_params(labelsize=8)
    axes[0].legend(frameon=False, fontsize=8)
    for axis, (name, took, _) in zip(axes[[0, 2]], panels[::2], strict=True):
        for x, y, city in zip(frame[name], frame[took], frame["city"], strict=True):
            far = x > frame[name].max() / 4
            axis.annotate(city, (x, y), fontsize=7, xytext=(-7 if far else 5, -3 if far else -10),
                          textcoords="offset points", ha="right" if far else "left")  # fmt: skip
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    print(f"    plotted to {PICTURE.relative_to(Path(__file__).parents[1])}")


def main() -> None:
    """Print the figures."""
    words = sys.argv[1:]
    if "--small" in words:
        small_child()
        return
    if not DATA:
        print("Porto Alegre: GEOPLAN_REAL_DATA is not set")
        compiling()
        return
    if "--door" in words:
        door_child()
        return
    for name, work in (("walk", walking), ("door", door), ("compile", compiling), ("growth", growth)):
        if not words or name in words:
            work()


if __name__ == "__main__":
    main()
