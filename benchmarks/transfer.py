"""Moving figures between zonings, against tobler's areal interpolation in the same run.

Run with ``python benchmarks/transfer.py``. tobler moves bare columns; geoplan moves a table with counts, rates, gaps
and statuses besides making the crosswalk. Ratios are what counts: machines differ, and the peer runs beside it.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import box
from tobler.area_weighted import area_interpolate

import geoplan as gp
from geoplan.places import IndicatorTable
from geoplan.specs import IndicatorSpec

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES, TARGETS, STADSDELAR = 5_984, 400, 117
INDICATORS = 6
ROUNDS = 3
REAL = Path(os.environ.get("GEOPLAN_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared/real")


def measured(job: Callable[[], object]) -> tuple[float, float]:
    """Return the median time of a job over a few rounds in seconds, and the peak of what Python holds in MiB."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    tracemalloc.start()
    job()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return sorted(times)[ROUNDS // 2], peak


def zoning(bounds: tuple[float, float, float, float], number: int, seed: int) -> gpd.GeoDataFrame:
    """Divide a rectangle into so many irregular areas that cover it without overlaps: a Voronoi diagram."""
    rng = np.random.default_rng(seed)
    west, south, east, north = bounds
    points = shapely.multipoints(np.column_stack([rng.uniform(west, east, number), rng.uniform(south, north, number)]))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box(*bounds)))
    shapes = shapely.intersection(cells, box(*bounds))
    index = pd.Index([f"{seed}-{place:05}" for place in range(len(shapes))], name="area_id")
    return gpd.GeoDataFrame(geometry=shapes, index=index, crs="EPSG:3006")


def figures(areas: gpd.GeoDataFrame) -> IndicatorTable:
    """Make a table of shares with their counts."""
    rng = np.random.default_rng(1)
    frames = []
    for number in range(INDICATORS):
        base = rng.integers(300, 3000, len(areas)).astype(float)
        part = np.round(base * rng.uniform(0.05, 0.5, len(areas)))
        frames.append(
            pd.DataFrame(
                {
                    "area_id": areas.index,
                    "indicator": f"i{number}",
                    "period": "2022",
                    "numerator": part,
                    "denominator": base,
                    "value": 100 * part / base,
                    "status": "observed",
                }
            )
        )
    names = [f"i{number}" for number in range(INDICATORS)]
    spec = {"kind": "share", "unit": "pct", "direction": "higher_is_worse"}
    definitions = {name: IndicatorSpec(id=name, label=name, **spec) for name in names}
    return IndicatorTable(pd.concat(frames, ignore_index=True), definitions)


def bench(label: str, source: gpd.GeoDataFrame, target: gpd.GeoDataFrame) -> None:
    """Compare crosswalk and transfer with tobler's extensive columns, and see that the counts agree."""
    table = figures(source)
    wide = source.copy()
    for column in ("numerator", "denominator"):
        for name, values in table.wide("2022", column).items():
            wide[f"{name}_{column}"] = values
    columns = [name for name in wide.columns if name != wide.geometry.name]
    walk = gp.crosswalk(source, target, minimum_inside=0, minimum_piece=0)
    theirs = area_interpolate(wide, target, extensive_variables=columns)
    ours = gp.transfer(table, walk).wide("2022", "numerator").reindex(target.index).fillna(0)
    apart = float(np.abs(ours["i0"] - theirs["i0_numerator"]).max() / theirs["i0_numerator"].max())

    making, making_mib = measured(lambda: gp.crosswalk(source, target))
    moving, moving_mib = measured(lambda: gp.transfer(table, walk))
    peer, peer_mib = measured(lambda: area_interpolate(wide, target, extensive_variables=columns))
    print(
        f"{label}, {len(source):,} -> {len(target):,} areas, {INDICATORS} shares: crosswalk {making:.2f} s "
        f"({making_mib:.0f} MiB), transfer {moving:.2f} s ({moving_mib:.0f} MiB); tobler's {len(columns)} columns "
        f"{peer:.2f} s ({peer_mib:.0f} MiB): {making / peer:.1f} x and {(making + moving) / peer:.1f} x; "
        f"largest difference {apart:.0e} of the largest figure"
    )


def main() -> None:
    """Run all comparisons."""
    bounds = (600_000.0, 6_550_000.0, 700_000.0, 6_650_000.0)
    country, regions = zoning(bounds, SOURCES, seed=1), zoning(bounds, TARGETS, seed=2)
    bench("made-up country", country, regions)
    bench("and back", regions, country)
    path = REAL / "stockholm/deso2018_stockholm_county.gpkg"
    if path.is_file():
        deso = gpd.read_file(path, columns=["deso"]).set_index("deso").rename_axis("area_id")
        west, south, east, north = deso.total_bounds
        bench("DeSO of Stockholm county", deso, zoning((west, south, east, north), STADSDELAR, seed=3))


if __name__ == "__main__":
    main()
