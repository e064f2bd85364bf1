"""Draw the picture of the page on links: docs/pictures/links.png. Called by make_pictures.py."""

from __future__ import annotations

import io
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from PIL import Image

from geoplan import home
from geoplan.reach import candidate_crossings, crossing_effects, gather_barriers, links, read_streets
from geoplan.show import plot_links

PICTURES = Path(__file__).parent / "pictures"


def main() -> None:
    """Draw the links of the sample town, with the best crossings of its worst barrier."""
    data = home() / "data"
    layer = {name: gpd.read_file(data / "nordhamra.gpkg", layer=name) for name in ("water", "rail", "roads")}
    districts = gpd.read_file(data / "nordhamra.gpkg", layer="stadsdelar").set_index("area_id")
    streets = read_streets(data / "nordhamra_streets.osm.pbf")
    with rasterio.open(data / "nordhamra_population_100m.tif") as raster:
        living = raster.read(1)
        row, column = np.nonzero(living > 0)
        x, y = raster.xy(row, column)
    people = gpd.GeoDataFrame({"population": living[row, column]}, geometry=gpd.points_from_xy(x, y), crs=raster.crs)
    motorway = layer["roads"][layer["roads"]["kind"] == "motorway"]
    barriers = gather_barriers({"water": layer["water"], "railway": layer["rail"], "motorway": motorway})
    found = links(districts, people, streets, barriers=barriers)
    worst = found.pairs.sort_values("people_detour", ascending=False).head(1)
    candidates = candidate_crossings(worst, streets, spacing_m=150, reach_m=400)
    figure = plot_links(
        found.straight(),
        areas=found.areas,
        crossings=found.crossings,
        barriers=barriers[barriers["name"].isin([worst["cause"].iloc[0], *motorway["name"]])],
        candidates=crossing_effects(found, candidates, streets).frame,
        best=3,
        period="2012",
        source="geoplan, a fictional town",
        backdrop=[("water", layer["water"]), ("road", layer["roads"]), ("rail", layer["rail"])],
    )
    PICTURES.mkdir(exist_ok=True)
    written = io.BytesIO()
    figure.savefig(written, dpi=130, format="png")
    picture = Image.open(written).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(PICTURES / "links.png", optimize=True)


if __name__ == "__main__":
    main()
