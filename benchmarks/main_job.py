"""The main job's two steps that grow with the country, each against a named peer in the same run.

Run with ``make bench``. Ratios are what counts: machines differ, and the peer runs beside it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

import geoplan as gp
from geoplan.places import IndicatorTable
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec

if TYPE_CHECKING:
    from collections.abc import Callable

AREAS, PARENTS, INDICATORS, CELLS = 5_984, 3_363, 12, 400
ROUNDS = 5


def seconds(job: Callable[[], object]) -> float:
    """Return the median time of a job over a few rounds, after one that does not count."""
    job()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    return sorted(times)[ROUNDS // 2]


def country() -> IndicatorTable:
    """Make a table as large as Sweden's DeSO with twelve indicators."""
    rng = np.random.default_rng(1)
    names = [f"i{number:02}" for number in range(INDICATORS)]
    ids = [f"{number:09}" for number in range(AREAS)]
    base = rng.integers(300, 3000, (AREAS, INDICATORS))
    part = rng.binomial(base, rng.uniform(0.05, 0.4, INDICATORS))
    frames = [
        pd.DataFrame({"area_id": ids, "indicator": name, "numerator": part[:, i], "denominator": base[:, i]})
        for i, name in enumerate(names)
    ]
    people = pd.DataFrame({"area_id": ids, "indicator": "population", "numerator": rng.integers(300, 3000, AREAS)})
    data = pd.concat([*frames, people], ignore_index=True).assign(period="2022", status="observed")
    data[["numerator", "denominator"]] = data[["numerator", "denominator"]].astype(float)
    data["value"] = (100 * data["numerator"] / data["denominator"]).fillna(data["numerator"])
    kinds = dict.fromkeys(names, ("share", "pct", "higher_is_worse")) | {"population": ("count", "persons", "neutral")}
    definitions = {
        name: IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction)
        for name, (kind, unit, direction) in kinds.items()
    }
    return IndicatorTable(data, definitions)


def bench_roll_up(table: IndicatorTable) -> None:
    """Compare merging areas with a bare pandas group-by that knows no missing values."""
    ids = sorted(set(table.data["area_id"]))
    parents = pd.Series({code: f"{number % PARENTS:05}" for number, code in enumerate(ids)})

    def peer() -> pd.Series:
        sums = table.data.assign(parent=table.data["area_id"].map(parents)).groupby(["parent", "indicator", "period"])
        total = sums[["numerator", "denominator"]].sum()
        return 100 * total["numerator"] / total["denominator"]

    ours, theirs = seconds(lambda: gp.roll_up(table, parents)), seconds(peer)
    print(
        f"merge {AREAS:,} areas into {PARENTS:,}, {INDICATORS + 1} indicators: {ours:.2f} s, "
        f"{ours / theirs:.1f} x a bare pandas group-by ({theirs:.2f} s)"
    )


def bench_index(table: IndicatorTable) -> None:
    """Compare the index with a loop over areas, the way it is written in a spreadsheet."""
    names = [name for name in table.definitions if name != "population"]
    domains = [DomainSpec(id=f"d{i}", label="d", indicators=names[i::4]) for i in range(4)]
    spec = IndexSpec(domains=domains)
    wide = table.wide("2022")
    sums = table.data.groupby("indicator")[["numerator", "denominator"]].sum()
    city = (100 * sums["numerator"] / sums["denominator"]).to_dict()

    def peer() -> dict[str, float]:
        scores = {}
        for code, row in wide.iterrows():
            means = [sum(100 * row[name] / city[name] for name in d.indicators) / len(d.indicators) for d in domains]
            scores[str(code)] = sum(means) / len(means)
        return scores

    result = gp.risk_index(table, spec, period="2022")
    assert np.allclose(result.score, pd.Series(peer()))  # noqa: S101  the two must agree before they are compared
    ours, theirs = seconds(lambda: gp.risk_index(table, spec, period="2022")), seconds(peer)
    print(
        f"index of {AREAS:,} areas x {INDICATORS} indicators: {ours:.2f} s, {ours / theirs:.1f} x a plain loop "
        f"over areas ({theirs:.2f} s); the same scores"
    )


def bench_map() -> None:
    """Compare the offline map with geopandas' own, in time, in bytes and in requests to other hosts."""
    side = int(CELLS**0.5)
    shapes = [box(x * 500, y * 500, x * 500 + 500, y * 500 + 500) for x in range(side) for y in range(side)]
    ids = pd.Index([f"{number:04}" for number in range(len(shapes))], name="area_id")
    areas = gpd.GeoDataFrame({"name": ids}, index=ids, geometry=shapes, crs="EPSG:3006").translate(674_000, 6_580_000)
    areas = gpd.GeoDataFrame({"name": ids, "score": np.linspace(50, 200, len(ids))}, index=ids, geometry=areas)
    with tempfile.TemporaryDirectory() as folder:
        own, peer = Path(folder) / "own.html", Path(folder) / "peer.html"
        ours = seconds(lambda: gp.explore(areas, "score").save(own))
        theirs = seconds(lambda: areas.explore("score", scheme="quantiles", k=5).save(peer))
        asked = len(gp.show.outside_requests(peer.read_text(encoding="utf-8")))
        print(
            f"map of {len(areas)} areas: {ours:.2f} s and {own.stat().st_size / 2**20:.2f} MiB with nothing to fetch; "
            f"GeoDataFrame.explore {theirs:.2f} s ({ours / theirs:.1f} x) and {peer.stat().st_size / 2**20:.2f} MiB "
            f"with {asked} addresses to fetch"
        )


def main() -> None:
    """Run all comparisons."""
    table = country()
    bench_roll_up(table)
    bench_index(table)
    bench_map()


if __name__ == "__main__":
    main()
