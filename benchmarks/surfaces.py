"""How much memory and time rasters take: sums over areas, densities and dasymetric counts, of files that are too large.

A raster of 20,000 × 20,000 cells is made in a temporary folder and summed over 400 areas that divide it; so is a
smaller one, by rasterstats too. Then a national raster of 100 m cells, 15,000 × 7,000, is smoothed and spread. Each is
a process of its own, whose peak memory is told, libraries and all. Run ``python benchmarks/surfaces.py [peer zonal
national]``; all of it takes some minutes and 3 GB of disk.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.windows import Window

from geoplan.reach import dasymetric, kernel_density, open_raster, zonal_statistics

LARGE, SMALL, NATION = (20_000, 20_000), (4_000, 4_000), (15_000, 7_000)
BLOCK, NODATA = 512, -1.0
WEST, NORTH = 400_000, 7_200_000
ZONES = 400
LIMIT_GB = 2.0


def shares(shape: tuple[int, int]) -> float:
    """Return the part of the cells in which somebody lives: towns on a small raster, hardly anything of a nation."""
    return 0.02 if shape == NATION else 0.2


def made(folder: Path, shape: tuple[int, int], cell_m: int) -> Path:
    """Write a raster of residents, with places without data, block by block, and its total beside it."""
    path = folder / f"people_{shape[0]}_{shape[1]}.tif"
    if path.exists():
        return path
    rng, total = np.random.default_rng(7), 0.0
    profile = {
        "driver": "GTiff",
        "height": shape[0],
        "width": shape[1],
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:3006",
    }
    profile |= {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "nodata": NODATA}
    place = rasterio.Affine(cell_m, 0, WEST, 0, -cell_m, NORTH)
    with rasterio.open(path, "w", transform=place, **profile) as stored:
        for row in range(0, shape[0], BLOCK):
            for column in range(0, shape[1], BLOCK):
                size = min(BLOCK, shape[0] - row), min(BLOCK, shape[1] - column)
                people = rng.integers(1, 60, size) * (rng.random(size) < shares(shape))
                water = rng.random(size) < 0.1  # noqa: PLR2004  a tenth has no data
                total += float(people[~water].sum())
                cells = np.where(water, NODATA, people).astype("float32")
                stored.write(cells, 1, window=Window(column, row, size[1], size[0]))
    path.with_suffix(".json").write_text(json.dumps(total))
    return path


def zones(path: Path, number: int = ZONES) -> gpd.GeoDataFrame:
    """Divide a raster among areas with crooked borders."""
    with rasterio.open(path) as stored:
        frame = shapely.box(*stored.bounds)
    west, south, east, north = frame.bounds
    seeds = np.random.default_rng(3).uniform((west, south), (east, north), (number, 2))
    parts = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=frame))
    shapes = shapely.intersection(parts, frame)
    return gpd.GeoDataFrame(
        geometry=shapes, index=pd.Index([f"a{n}" for n in range(len(shapes))], name="area_id"), crs=3006
    )


# ---------------------------------------------------------------- each in a process of its own


def zonal(path: Path) -> dict[str, Any]:
    """Sum a raster over its areas."""
    found = zonal_statistics(path, zones(path))
    return {"sums": found["sum"].tolist()}


def peer(path: Path) -> dict[str, Any]:
    """Do the same by rasterstats, which takes a cell whole when its middle is inside."""
    import rasterstats  # noqa: PLC0415  a peer, not everywhere installed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = rasterstats.zonal_stats(zones(path), str(path), stats=["sum", "mean", "min", "max", "count"])
    return {"sums": [float(each["sum"]) for each in found]}


def density(path: Path) -> dict[str, float]:
    """Smooth a national raster."""
    out = path.with_name("density.tif")
    kernel_density(path, bandwidth_m=500, unit="persons", like=path, path=out, source="made up", date="2012")
    return {"megabytes": out.stat().st_size / 1e6}


def spread(path: Path) -> dict[str, float]:
    """Spread the counts of 400 areas over a national raster of weights."""
    areas = zones(path)
    counts = pd.Series(20_000.0, index=areas.index)
    done = dasymetric(
        counts,
        areas,
        open_raster(path),
        unit="persons",
        path=path.with_name("spread.tif"),
        source="made up",
        date="2012",
    )
    return {"sum": float(done.areas["placed"].sum())}


WORKS = {"zonal": zonal, "peer": peer, "density": density, "spread": spread}


def child(work: str, path: str) -> None:
    """Do one work and tell what it took, as JSON."""
    start = time.perf_counter()
    told: dict[str, Any] = WORKS[work](Path(path))
    told |= {"seconds": time.perf_counter() - start, "busy": time.process_time()}
    told["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # Linux counts in kilobytes
    print(json.dumps(told))


def measured(work: str, path: Path) -> dict[str, Any]:
    """Do one work in a fresh process."""
    done = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, __file__, "child", work, str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def line(name: str, told: dict[str, Any], ours: dict[str, Any] | None = None) -> None:
    """Print what a work took."""
    ratio = ""
    if ours:
        ratio = (
            f"   {told['seconds'] / ours['seconds']:.1f} × time, {told['gigabytes'] / ours['gigabytes']:.1f} × memory"
        )
    print(f"    {name:<52}{told['seconds']:8.1f} s{told['gigabytes']:8.2f} GB{ratio}", flush=True)


def main(asked: list[str]) -> None:
    """Make the rasters and measure."""
    asked = asked or ["zonal", "peer", "national"]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; peak memory of the whole process")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        if "peer" in asked:
            path = made(folder, SMALL, 50)
            ours = measured("zonal", path)
            print(f"Sums over {ZONES} areas")
            line(f"geoplan, {SMALL[0]:,} × {SMALL[1]:,}", ours)
            theirs = measured("peer", path)
            line("rasterstats", theirs, ours)
            apart = np.abs(np.divide(theirs["sums"], ours["sums"]) - 1)
            print(f"    whole cells in place of parts move the sum of an area by {apart.max():.1%} at most")
        if "zonal" in asked:
            path = made(folder, LARGE, 10)
            total = json.loads(path.with_suffix(".json").read_text())
            ours = measured("zonal", path)
            line(f"geoplan, {LARGE[0]:,} × {LARGE[1]:,} ({path.stat().st_size / 1e6:,.0f} MB)", ours)
            print(f"    all areas together miss the total by {abs(sum(ours['sums']) - total) / total:.1e} of it")
            if ours["gigabytes"] >= LIMIT_GB:
                raise SystemExit(f"more than {LIMIT_GB} GB")
        if "national" in asked:
            path = made(folder, NATION, 100)
            print(f"A nation, {NATION[0]:,} × {NATION[1]:,} cells of 100 m, somebody in 1 of 50")
            line("density, quartic, 500 m, to a file", measured("density", path))
            line(f"counts of {ZONES} areas spread over it, to a file", measured("spread", path))


if __name__ == "__main__":
    child(*sys.argv[2:4]) if sys.argv[1:2] == ["child"] else main(sys.argv[1:])
