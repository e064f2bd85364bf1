"""Draw the two pictures of the page on who has access. Called by make_pictures.py."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from matplotlib.figure import Figure
from PIL import Image

import geoplan as gp
from geoplan.reach import (
    Standard,
    access_equity,
    access_status,
    area_access,
    area_of_points,
    deprivation_access_classes,
    join_network,
    opportunities,
    read_streets,
    read_timetable,
    travel_times,
)
from geoplan.show import plot_deprivation_access, plot_equity

PICTURES = Path(__file__).parent / "pictures"


def main() -> None:
    """Draw jobs within 30 minutes in the sample town: who has them, and where few meet a high index."""
    data = gp.home() / "data"
    run = gp.open_run(gp.home() / "scenarios/baseline.toml")
    areas, score = run.areas(), run.index().score
    with rasterio.open(data / "nordhamra_population_100m.tif") as grid:
        living = grid.read(1)
        row, column = np.nonzero(living > 0)
        x, y = grid.xy(row, column)
    names = pd.Index([f"r{r}c{c}" for r, c in zip(row, column, strict=True)], name="from_id")
    shapes = gpd.points_from_xy(x, y, crs=3006)
    homes = gpd.GeoDataFrame({"residents": living[row, column]}, index=names, geometry=shapes)
    jobs = gpd.read_file(data / "nordhamra_workplaces.gpkg").set_index("workplace_id")
    streets = read_streets(data / "nordhamra_streets.osm.pbf")
    network = join_network(streets, read_timetable(data / "nordhamra_gtfs.zip", date="2012-10-09"))
    times = travel_times(homes, jobs, network, departure="2012-10-09 07:30", window_min=30, percentiles=(50,))
    reached = opportunities(times, jobs["jobs"], within_min=30).rename("jobs_30")
    area_of, status = area_of_points(homes, areas), access_status(times)["status"]
    told: dict[str, Any] = {
        "what": "Jobs within 30 min, on foot and by public transport", "percentile": 50, "period": "2012",
        "source": "geoplan, a fictional town", "language": "en",
    }  # fmt: skip
    standard = Standard("jobs_30", at_least=15_000)
    found = access_equity(reached, homes["residents"], area_of.map(score), standard=standard)
    _save(
        plot_equity(found.by_quantile, found.curve, found.measures, left_out=found.left_out, standard="15,000 jobs",
                    unit="jobs", **told),
        "equity.png",
    )  # fmt: skip
    table = area_access(reached, homes["residents"], area_of, status=status).set_index("area_id")
    classes = deprivation_access_classes(table["mean"], score)
    _save(plot_deprivation_access(areas, classes, backdrop=run.backdrop(), **told), "deprivation_access.png")


def _save(figure: Figure, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    written = io.BytesIO()
    figure.savefig(written, dpi=130, format="png")
    picture = Image.open(written).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    main()
