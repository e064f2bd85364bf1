"""Generate the embedded sample: the town of Nordhamra and the estates of Fjordbo.

Run ``python data/generate.py``. The seed is fixed and two runs write the same bytes.
Run on the default folder it also rewrites the checksums in ``layers/*.toml``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _plan as plan
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
from _estates import build_fjordbo, estate_indicators
from _gtfs import write_gtfs
from _land import building_land
from _names import aliases, programme_names
from _nordhamra import indicators
from _osm import write_osm
from _overlaps import fjordbo_boards, nordhamra_overlaps
from _people import CELL_M, populate, workplaces
from _relief import STEP_M, build_relief
from _services import services
from _streets import build_streets
from _town import Town, build_town
from _transit import build_network
from rasterio.transform import from_origin

from geoplan.sources import Catalogue

if TYPE_CHECKING:
    import geopandas as gpd

SEED = 20130301
HERE = Path(__file__).resolve().parent
LAYERS = HERE.parent / "layers"
STAMP = "2013-03-01T00:00:00.000Z"


def definitions(layer: str) -> list[dict[str, Any]]:
    """Read the indicator definitions from the catalogue, where they are written once."""
    return [item.model_dump(mode="json") for item in Catalogue(LAYERS.parent).layer(layer).spec.indicators]


def write_layers(layers: dict[str, gpd.GeoDataFrame], path: Path) -> None:
    """Write a GeoPackage from scratch, layer after layer."""
    path.unlink(missing_ok=True)
    for name, frame in layers.items():
        pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", append=False)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table with Unix line ends on every system."""
    frame.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def write_membership(pairs: list[tuple[str, str]], path: Path) -> None:
    """Write children and parents; every child lies wholly in its parent."""
    frame = pd.DataFrame(pairs, columns=["child_id", "parent_id"])
    write_table(frame.assign(relation="part_of", share=1), path)


def town_membership(town: Town) -> list[tuple[str, str]]:
    """Return basområde, stadsdel and stadsdelsnämnd with their parents."""
    code = plan.MUNICIPALITY
    boards = [f"{code}N{district.board}" for district in plan.DISTRICTS]
    return [
        *((area, f"{code}S{area[4:6]}") for area in town.basomraden["area_id"]),
        *zip(town.stadsdelar["area_id"], boards, strict=True),
        *((board, code) for board in town.stadsdelsnamnder["area_id"]),
    ]


def write_grid(
    values: np.ndarray, corner: tuple[float, float], cell_m: float, path: Path, *, nodata: int | None
) -> None:
    """Write a grid as a compressed GeoTIFF; the corner is its west and north."""
    rows, columns = values.shape
    profile = {
        "driver": "GTiff",
        "dtype": values.dtype.name,
        "count": 1,
        "width": columns,
        "height": rows,
        "crs": plan.CRS,
        "transform": from_origin(*corner, cell_m, cell_m),
        "nodata": nodata,
        "compress": "deflate",
        "predictor": 2,
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(values, 1)


def write_nordhamra(out: Path) -> None:
    """Write every file of the town."""
    # a stream of its own for each step: a change in one leaves the others as they were
    streams = np.random.default_rng([SEED, 99]).spawn(7)
    town = build_town(streams[0])
    people = populate(town, streams[1])
    layers = {
        "basomraden": town.basomraden,
        "stadsdelar": town.stadsdelar,
        "stadsdelsnamnder": town.stadsdelsnamnder,
        "kommun": town.kommun,
        "water": town.water,
        "parks": town.parks,
        "rail": town.rail,
        "roads": town.roads,
    }
    write_layers(layers, out / "nordhamra.gpkg")
    write_membership(town_membership(town), out / "nordhamra_membership.csv")
    write_table(nordhamra_overlaps(town.basomraden, plan.MUNICIPALITY), out / "nordhamra_overlaps.csv")
    grid = people.grid
    write_grid(grid.residents, (grid.west, grid.north), CELL_M, out / "nordhamra_population_100m.tif", nodata=-1)
    points = workplaces(town, streams[2])
    write_layers({"workplaces": points}, out / "nordhamra_workplaces.gpkg")
    table = indicators(town, people, definitions("nordhamra_indicators"), streams[3])
    write_table(table, out / "nordhamra_indicators.csv")
    write_table(programme_names(), out / "nordhamra_programme_names.csv")
    write_table(aliases(), out / "nordhamra_aliases.csv")
    relief = build_relief(town, streams[4])
    corner = (relief.west, relief.north)
    write_grid(relief.metres, corner, STEP_M, out / "nordhamra_elevation.tif", nodata=None)
    ways = build_streets(town, grid, shapely.get_coordinates(points.geometry), relief, streams[5])
    write_osm(ways, out / "nordhamra_streets.osm.pbf")
    write_gtfs(build_network(town, ways), out / "nordhamra_gtfs.zip")
    write_layers(services(town, points, ways, streams[6]), out / "nordhamra_services.gpkg")
    write_layers({"land": building_land(town)}, out / "nordhamra_land.gpkg")


def write_fjordbo(out: Path) -> None:
    """Write every file of the housing organisation."""
    streams = np.random.default_rng([SEED, 45]).spawn(2)
    fjordbo = build_fjordbo(streams[0])
    write_layers(fjordbo.layers, out / "fjordbo.gpkg")
    write_membership(fjordbo.membership, out / "fjordbo_membership.csv")
    write_table(fjordbo_boards(), out / "fjordbo_boards.csv")
    table = estate_indicators(fjordbo, definitions("fjordbo_indicators"), streams[1])
    write_table(table, out / "fjordbo_indicators.csv")


def rewrite_checksums(out: Path) -> int:
    """Put the checksum of every file in ``out`` into the layer that points to it."""
    changed = 0
    for layer in sorted(LAYERS.glob("*.toml")):
        text = layer.read_text(encoding="utf-8")
        target = (LAYERS / tomllib.loads(text).get("path", "")).resolve()
        if target.parent != out or not target.is_file():
            continue
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        fresh = re.sub(r'(?m)^sha256 = ".*"$', f'sha256 = "{digest}"', text, count=1)
        if fresh != text:
            layer.write_text(fresh, encoding="utf-8", newline="\n")
            changed += 1
    return changed


def main() -> None:
    """Write the sample and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    # GeoPackage stamps the time of writing into its contents table; rasterio keeps its own GDAL
    os.environ["OGR_CURRENT_DATE"] = STAMP
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": STAMP})
    write_nordhamra(out)
    write_fjordbo(out)
    changed = rewrite_checksums(out) if out == HERE else 0
    written = sorted([*out.glob("nordhamra*.*"), *out.glob("fjordbo*.*")])
    size = sum(path.stat().st_size for path in written) / 1e6
    sys.stdout.write(f"{len(written)} files, {size:.2f} MB, {changed} checksums rewritten\n")


if __name__ == "__main__":
    main()
