"""How long measures of access take and what room they need, beside PySAL's access and plain pandas in the same run.

Times between random points: they are made up, so that nothing has to be there; a third of the pairs is not reached.
Peers get the table of reached pairs that they want ready made, and the answers are compared before anything is timed.
Run ``python benchmarks/access_measures.py``; PySAL's access is measured where it is installed (``pip install access``).

Seconds are the least of a few repetitions. Room is what Python and numpy ask for beyond what was there before, at most.
"""

from __future__ import annotations

import importlib
import os
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from geoplan.reach import (
    UNREACHED,
    Decay,
    TravelTimes,
    calibrate,
    dual_access,
    floating_catchment,
    gravity,
    opportunities,
    population_balance,
    time_to_nearest,
)

SEED, REPEATS = 7, 5
TOGETHER, ALONE = 1_500, 6_000  # points beside the peers, and where geoplan is alone
BANDS = {10: 1.0, 20: 0.68, 30: 0.22}


def town(points: int) -> tuple[TravelTimes, pd.Series, pd.Series]:
    """Make up times between points, jobs and people."""
    rng = np.random.default_rng(SEED)
    seconds = np.empty((points, points, 1), dtype=np.uint16)
    for row in range(points):
        minutes = rng.gamma(4, 12, points) * 60
        seconds[row, :, 0] = np.where(rng.random(points) < 1 / 3, UNREACHED, np.minimum(minutes, 7200))
    ids = [f"{number:05}" for number in range(points)]
    jobs = pd.Series(rng.integers(1, 500, points), index=ids).astype(float)
    people = pd.Series(rng.integers(1, 900, points), index=ids).astype(float)
    return TravelTimes(ids, ids, (50,), seconds), jobs, people


def measured(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the least seconds of some repetitions, and the most MiB of another one."""
    walls = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        walls.append(time.perf_counter() - start)
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return min(walls), most


def told(name: str, took: tuple[float, float], ours: tuple[float, float] | None = None) -> None:
    """Print what something took, and how many times as much as ours that is."""
    ratio = f"   {took[0] / ours[0]:6.1f} × time, {took[1] / ours[1]:5.1f} × room" if ours else ""
    print(f"    {name:<52}{took[0]:8.3f} s {took[1]:9.1f} MiB{ratio}", flush=True)


# ---------------------------------------------------------------- beside others


def by_pandas(pairs: pd.DataFrame, jobs: pd.Series, people: pd.Series, minutes: float) -> pd.Series:
    """Return two-step floating catchments by grouping a table of pairs."""
    near = pairs[pairs["minutes"] <= minutes]
    demand = people.reindex(near["from_id"]).groupby(near["to_id"].to_numpy()).sum()
    ratio = jobs / demand
    return ratio.reindex(near["to_id"]).groupby(near["from_id"].to_numpy()).sum()


def counted_by_pandas(pairs: pd.DataFrame, jobs: pd.Series, minutes: float) -> pd.Series:
    """Return cumulative opportunities by grouping a table of pairs."""
    near = pairs[pairs["minutes"] <= minutes]
    return jobs.reindex(near["to_id"]).groupby(near["from_id"].to_numpy()).sum()


def beside() -> None:
    """Compare with peers on the same matrix."""
    times, jobs, people = town(TOGETHER)
    pairs = times.to_frame()
    matrix, table = times.seconds.nbytes / 2**20, pairs.memory_usage(deep=True).sum() / 2**20
    print(f"{TOGETHER:,} × {TOGETHER:,}: {len(pairs):,} pairs reached ({load()})")
    print(f"  the matrix takes {matrix:.1f} MiB, the table of pairs that the others work on {table:.0f} MiB")
    print("  cumulative opportunities within 30 minutes")
    expected = opportunities(times, jobs, within_min=30)
    assert np.allclose(expected, counted_by_pandas(pairs, jobs, 30).reindex(expected.index, fill_value=0))  # noqa: S101  a check
    ours = measured(lambda: opportunities(times, jobs, within_min=30))
    told("geoplan", ours)
    told("pandas, groupby", measured(lambda: counted_by_pandas(pairs, jobs, 30), 2), ours)
    print("  two-step floating catchment within 30 minutes")
    expected = floating_catchment(times, jobs, people, within_min=30).access
    assert np.allclose(expected, by_pandas(pairs, jobs, people, 30).reindex(expected.index, fill_value=0))  # noqa: S101  same
    ours = measured(lambda: floating_catchment(times, jobs, people, within_min=30))
    told("geoplan", ours)
    told("pandas, groupby", measured(lambda: by_pandas(pairs, jobs, people, 30), 2), ours)
    try:
        fca, weights = (importlib.import_module(f"access.{name}") for name in ("fca", "weights"))
    except ImportError:
        print("    PySAL access: not installed")
        return
    warnings.simplefilter("ignore")  # it uses what pandas will drop
    tables = _theirs(pairs, jobs, people)
    found = fca.two_stage_fca(*tables, max_cost=30).reindex(expected.index, fill_value=0)
    assert np.allclose(expected, found, rtol=1e-5)  # noqa: S101  same
    told("PySAL access, two_stage_fca", measured(lambda: fca.two_stage_fca(*tables, max_cost=30), 2), ours)
    step = weights.step_fn(BANDS)
    for name, method, work in (
        ("enhanced, bands to 30 minutes", "e2sfca", fca.two_stage_fca),
        ("three steps, bands to 30 minutes", "3sfca", fca.three_stage_fca),
    ):
        print(f"  {name}")

        def mine(method: str = method) -> Any:
            return floating_catchment(times, jobs, people, method=method, bands=BANDS)

        def others(work: Any = work) -> Any:
            return work(*tables, max_cost=30, weight_fn=step)

        expected = mine().access
        assert np.allclose(expected, others().reindex(expected.index, fill_value=0), rtol=1e-5)  # noqa: S101  same
        ours = measured(mine)
        told("geoplan", ours)
        told("PySAL access", measured(others, 2), ours)


def _theirs(pairs: pd.DataFrame, jobs: pd.Series, people: pd.Series) -> tuple[pd.DataFrame, ...]:
    cost = pairs.rename(columns={"from_id": "origin", "to_id": "dest", "minutes": "cost"})
    demand = pd.DataFrame({"geoid": people.index, "demand": people.to_numpy()})
    supply = pd.DataFrame({"supply": jobs.to_numpy()}, index=jobs.index)
    return demand, supply, cost


# ---------------------------------------------------------------- alone


def alone() -> None:
    """Measure a large matrix, of which no array of floats may be made."""
    times, jobs, people = town(ALONE)
    size = times.seconds.size
    print(f"{ALONE:,} × {ALONE:,} ({load()})")
    print(f"  the matrix takes {times.seconds.nbytes / 2**20:.0f} MiB; as float64 it would {size * 8 / 2**20:.0f} MiB")
    five = pd.DataFrame({str(kind): jobs for kind in range(5)})
    decay = Decay.halving("exponential", 20)
    for name, work in (
        ("opportunities, one threshold", lambda: opportunities(times, jobs, within_min=30)),
        ("opportunities, five classes, three thresholds", lambda: opportunities(times, five, within_min=(15, 30, 45))),
        ("gravity, five classes", lambda: gravity(times, five, decay)),
        ("time to the third nearest", lambda: time_to_nearest(times, jobs, k=3)),
        ("dual access", lambda: dual_access(times, jobs, needed=50_000)),
        ("population balance", lambda: population_balance(times, jobs, people, within_min=30)),
        ("2SFCA", lambda: floating_catchment(times, jobs, people, within_min=30)),
        ("3SFCA", lambda: floating_catchment(times, jobs, people, method="3sfca", decay=decay)),
        ("balanced", lambda: floating_catchment(times, jobs, people, method="balanced", decay=decay)),
    ):
        told(name, measured(work, 2))
    for model in ("production", "doubly"):
        told(
            f"calibrating, {model} constrained",
            measured(
                lambda model=model: calibrate(times, people, jobs, kind="exponential", mean_min=35, model=model), 1
            ),
        )


def load() -> str:
    """Return how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


if __name__ == "__main__":
    beside()
    alone()
