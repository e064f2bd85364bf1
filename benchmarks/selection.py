"""How long it takes to choose connected areas of a city exactly, and what that is worth.

A city of 400 Voronoi cells (or a grid of 20 × 20, where areas touch at corners too) with need that neighbours share;
40 areas in so many groups. Against two peers in the same run: growing groups greedily, which is what one does by hand
(what does it reach?), and the textbook programme, a single-commodity flow solved by the same HiGHS (how long, and how
far from a proof when its time is up?). Run ``python benchmarks/selection.py [seconds for the textbook programme]``.
With the open data at ``GEOPLAN_REAL_DATA`` it also chooses among Stockholm county's 1,287 DeSO.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.ndimage import gaussian_filter
from scipy.optimize import Bounds, LinearConstraint, milp

from geoplan.risk import Neighbours, neighbours
from geoplan.targeting.selection import choose_areas

SIDE, K, STEP = 20, 40, 500
CASES = [("Voronoi", 1, 3, None), ("Voronoi", 2, 5, None), ("Voronoi", 3, 1, None), ("Voronoi", 4, 3, 10_000),
         ("grid", 1, 3, None), ("grid", 2, 5, None), ("grid", 1, 1, None),
         ("Voronoi", 0, 1, None), ("Voronoi", 1, 1, None), ("grid", 0, 1, None), ("grid", 2, 1, None)]  # fmt: skip


def city(kind: str, seed: int) -> tuple[gpd.GeoDataFrame, pd.Series, pd.Series]:
    """Make areas with people and people in need; half as much noise as there is of what neighbours share."""
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.standard_normal((SIDE, SIDE)), 1.5)
    field = field / field.std() + 0.5 * rng.standard_normal((SIDE, SIDE))
    row, column = (place.ravel() for place in np.indices((SIDE, SIDE)))
    frame = shapely.box(600_000, 6_500_000, 600_000 + SIDE * STEP, 6_500_000 + SIDE * STEP)
    if kind == "grid":
        west, south = 600_000 + column * STEP, 6_500_000 + row * STEP
        shapes = shapely.box(west, south, west + STEP, south + STEP)
    else:
        jitter = rng.uniform(0.1, 0.9, (2, SIDE * SIDE))
        points = shapely.points(600_000 + (column + jitter[0]) * STEP, 6_500_000 + (row + jitter[1]) * STEP)
        cells = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=frame, ordered=True)
        shapes = shapely.intersection(shapely.get_parts(cells), frame)
    ids = pd.Index([f"{place:03}" for place in range(SIDE * SIDE)], name="area_id")
    people = pd.Series(rng.integers(300, 3000, SIDE * SIDE), index=ids)
    need = (people / (1 + np.exp(1.5 - field.ravel()))).round()
    return gpd.GeoDataFrame(geometry=shapes, index=ids, crs="EPSG:3006"), need, people


def matrix_of(near: Neighbours, ids: pd.Index) -> sparse.csr_array:
    """Return the neighbours as a matrix of ones."""
    ends = tuple(ids.get_indexer(near.pairs[name]) for name in ("area_id", "neighbour_id"))
    return sparse.csr_array((np.ones(len(ends[0])), ends), shape=(len(ids), len(ids)))


def greedy(need: np.ndarray, links: sparse.csr_array, groups: int, k: int) -> float:
    """Start with the highest area, always add the highest that touches or, while there are groups left, any."""
    chosen = np.zeros(len(need), dtype=bool)
    used = 0
    for _ in range(k):
        beside = ((links @ chosen.astype(float)) > 0) & ~chosen
        may = ~chosen if used < groups else beside
        area = int(np.argmax(np.where(may, need, -1.0)))
        used += not beside[area]
        chosen[area] = True
    return float(need[chosen].sum())


def textbook(
    need: np.ndarray, links: sparse.csr_array, groups: int, k: int, seconds: float
) -> tuple[float, float, float]:
    """Solve the single-commodity flow as it stands in textbooks; return what is reached, the bound and the time."""
    size, coo = len(need), links.tocoo()
    arcs = len(coo.row)
    width = 3 * size + arcs  # chosen, root, fed by the root, flows
    every, ones, carries = np.arange(size), np.ones(size), np.ones(arcs)
    flow = 3 * size + np.arange(arcs)

    def matrix(*parts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> sparse.csr_array:
        rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        return sparse.csr_array((values, (rows, columns)), (size, width))

    used = matrix((coo.col, flow, carries), (coo.row, flow, -carries), (every, 2 * size + every, ones),
                  (every, every, -ones))  # fmt: skip
    rules = [
        LinearConstraint(used, 0, 0),
        LinearConstraint(matrix((coo.col, flow, carries), (every, every, -k * ones)), -np.inf, 0),
        LinearConstraint(matrix((every, 2 * size + every, ones), (every, size + every, -k * ones)), -np.inf, 0),
        LinearConstraint(matrix((every, size + every, ones), (every, every, -ones)), -np.inf, 0),
        LinearConstraint(np.r_[ones, np.zeros(width - size)], 0, k),
        LinearConstraint(np.r_[np.zeros(size), ones, np.zeros(width - 2 * size)], 0, groups),
    ]
    high = np.r_[np.ones(2 * size), np.full(width - 2 * size, np.inf)]
    started = time.perf_counter()
    found = milp(
        np.r_[-need, np.zeros(width - size)],
        constraints=rules,
        integrality=np.r_[np.ones(2 * size), np.zeros(width - 2 * size)],
        bounds=Bounds(0, high),
        options={"time_limit": seconds, "mip_rel_gap": 0},
    )
    reached = 0.0 if found.x is None else -found.fun
    return reached, -found.mip_dual_bound, time.perf_counter() - started


def main() -> None:
    """Print the figures."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    for kind, seed, groups, minimum in CASES:
        areas, need, people = city(kind, seed)
        near = neighbours(areas)
        links = matrix_of(near, areas.index)
        asked = {"population": people, "minimum_population": minimum} if minimum else {}
        started, busy = time.perf_counter(), time.process_time()
        found = choose_areas(need, k=K, neighbours=near, groups=groups, **asked)
        took, busy = time.perf_counter() - started, time.process_time() - busy
        rules = f"{groups} group(s)" + (f" of {minimum:,} people" if minimum else "")
        print(
            f"{kind} {seed}, {len(areas)} areas, {len(near.pairs) / len(areas):.1f} neighbours each, {K} in {rules}: "
            f"{took:.1f} s ({busy:.1f} s of a processor), {found.status}, gap {100 * found.gap:.2g} %"
        )
        if minimum:
            continue
        by_hand = greedy(need.to_numpy(), links, groups, K)
        print(f"    reached {found.reached:,.0f}; greedy {by_hand:,.0f}: {found.reached / by_hand:.3f} × as many")
        reached, bound, theirs = textbook(need.to_numpy(), links, groups, K, seconds)
        print(
            f"    textbook programme: {theirs:.1f} s, {theirs / took:.1f} × the time, reached {reached:,.0f}, "
            f"gap {100 * (bound - reached) / bound:.1f} %",
            flush=True,
        )
    stockholm()


def stockholm() -> None:
    """Choose among the DeSO of Stockholm county: people of low economic standard."""
    folder = os.environ.get("GEOPLAN_REAL_DATA")
    if not folder:
        print("Stockholm: GEOPLAN_REAL_DATA is not set")
        return
    frame = gpd.read_file(Path(folder) / "stockholm/deso2018_stockholm_county.gpkg").set_index("deso")
    frame = frame.rename_axis("area_id")
    need = (frame["low_econ_std_pct"] * frame["econ_n"] / 100).round()
    print(f"Stockholm county: {len(frame):,} DeSO, {int(need.isna().sum())} without a figure, left out")
    frame, need = frame[need.notna()], need.dropna()
    near = neighbours(frame[["geometry"]])
    people = frame["pop_2023"]
    town = frame["kommun"] if frame["kommun"].notna().all() else pd.Series(frame.index.str[:4], index=frame.index)
    cases = {
        "40 areas": {"k": 40},
        "40 areas, one of each municipality": {"k": 40, "within": town, "at_least": 1},
        "100,000 residents": {"budget": 100_000, "cost": people},
        "40 areas in 8 groups": {"k": 40, "groups": 8, "neighbours": near},
        "40 areas in 3 groups": {"k": 40, "groups": 3, "neighbours": near},
        "40 areas in 8 groups of 8,000 people": {
            "k": 40, "groups": 8, "neighbours": near, "population": people, "minimum_population": 8000,
        },
    }  # fmt: skip
    for name, asked in cases.items():
        started, busy = time.perf_counter(), time.process_time()
        found = choose_areas(need, **asked)
        took, busy = time.perf_counter() - started, time.process_time() - busy
        print(
            f"    {name}: {took:.1f} s ({busy:.1f} s of a processor), {found.status}, gap {100 * found.gap:.2g} %, "
            f"{found.reached:,.0f} of {need.sum():,.0f} reached ({100 * found.share:.1f} %)",
            flush=True,
        )


if __name__ == "__main__":
    main()
