"""Draw the pictures of the page on isochrones: docs/pictures/isochrone*.png. Called by make_pictures.py."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from PIL import Image

from geoplan import home
from geoplan.reach import cell_points, isochrones, join_network, open_raster, read_streets, read_timetable
from geoplan.show import plot_isochrones

PICTURES = Path(__file__).parent / "pictures"
INK, QUIET, ONE, TWO = "#222222", "#8a8a8a", "#1f5f8b", "#c0561f"
DAY = "2012-10-09"
ENOUGH = 2


def main() -> None:
    """Draw both."""
    PICTURES.mkdir(exist_ok=True)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK}):
        _save(town(), "isochrone_town.png", 96)
        _save(street(), "isochrone_street.png", 64)


def town() -> Figure:
    """Draw what is reached from the centre of the sample town."""
    data = home() / "data"
    streets = read_streets(data / "nordhamra_streets.osm.pbf")
    network = join_network(streets, read_timetable(data / "nordhamra_gtfs.zip", date=DAY))
    stops = network.timetable.stops.drop_duplicates("name").set_index("name")
    centre = stops.loc[["Hamra central"], ["geometry"]]
    layers = {name: gpd.read_file(data / "nordhamra.gpkg", layer=name) for name in ("water", "parks", "rail", "roads")}
    found = isochrones(
        centre,
        network,
        departure=f"{DAY} 07:30",
        water=layers["water"],
        residents=cell_points(open_raster(data / "nordhamra_population_100m.tif", unit="residents")),
        jobs=gpd.read_file(data / "nordhamra_workplaces.gpkg"),
    )
    roles = {"parks": "park", "water": "water", "rail": "rail", "roads": "road"}
    backdrop = [(role, layers[name]) for name, role in roles.items()]
    return plot_isochrones(found, places=centre, backdrop=backdrop, source="the fictional town Nordhamra, 2012")


def street() -> Figure:
    """Draw a street reached from both ends, for three departures, and the part that two of them reach."""
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    departures = ((0.5, 0.78), (0.22, 0.42), (0.35, 0.62))
    for row, (low, high) in enumerate(departures):
        y = 3 - row
        left.plot([0, 1], [y, y], color=QUIET, linewidth=2, alpha=0.4, solid_capstyle="butt")
        left.plot([0, low], [y, y], color=ONE, linewidth=5, solid_capstyle="butt")
        left.plot([high, 1], [y, y], color=ONE, linewidth=5, solid_capstyle="butt")
        left.text(-0.04, y, f"07:0{row}", ha="right", va="center")
    left.plot([0, 1], [0, 0], color=QUIET, linewidth=2, alpha=0.4, solid_capstyle="butt")
    edges = sorted({0, 1, *(edge for pair in departures for edge in pair)})
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        if sum(middle < one or middle > other for one, other in departures) >= ENOUGH:
            left.plot([low, high], [0, 0], color=TWO, linewidth=7, solid_capstyle="butt")
    left.text(-0.04, 0, "two of three", ha="right", va="center", color=TWO)
    for x, name in ((0, "one end"), (1, "the other")):
        left.text(x, 3.45, name, ha="center", va="bottom", color=QUIET)
    left.set(xlim=(-0.36, 1.1), ylim=(-0.5, 4))
    left.set_axis_off()
    _strip(right)
    return figure


def _strip(ax: Axes) -> None:
    """Draw a crossing of streets and the strip around what is reached of it."""
    lines = [[(0, 0), (300, 40)], [(0, 0), (-120, 60)], [(0, 0), (30, -150)], [(0, 0), (-40, 170)]]
    frame = gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=3006)
    shift = frame.geometry.translate(674_000, 6_580_000)
    streets = read_streets(gpd.GeoDataFrame(geometry=shift, crs=3006), min_subgraph=1)
    place = gpd.GeoDataFrame(geometry=[shapely.Point(674_060, 6_580_008)], index=["place"], crs=3006)
    found = isochrones(place, streets, bands_min=2, off_street_m=30)
    reached = found.geometry.translate(-674_000, -6_580_000).item()
    for part in reached.geoms:
        ax.add_patch(PathPatch(Outline(np.asarray(part.exterior.coords)), color=ONE, alpha=0.25, linewidth=0))
    for line in lines:
        ax.plot(*zip(*line, strict=True), color=QUIET, linewidth=2)
    ax.plot(60, 8, "s", color=INK, markersize=8)
    ax.text(48, 46, "the place")
    ax.annotate(
        "30 m off the street", (-10, -75), (-215, -130), color=ONE, arrowprops={"arrowstyle": "-", "color": ONE}
    )
    ax.annotate("no time left", (214, 28), (150, -80), color=ONE, arrowprops={"arrowstyle": "-", "color": ONE})
    ax.set_aspect("equal")
    ax.set(xlim=(-220, 320), ylim=(-170, 190))
    ax.set_axis_off()


def _save(figure: Figure, name: str, colours: int) -> None:
    """Write a picture with few colours, as make_pictures.py does."""
    data = io.BytesIO()
    figure.savefig(data, dpi=130, format="png")
    picture = Image.open(data).convert("RGB")
    picture.quantize(colours, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    main()
