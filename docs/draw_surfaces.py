"""Draw the picture of the page on surfaces: docs/pictures/surfaces_density.png. Called by make_pictures.py."""

from __future__ import annotations

import io
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from PIL import Image

from geoplan import home
from geoplan.reach import Surface, contours, kernel_density

PICTURES = Path(__file__).parent / "pictures"
INK, QUIET, WATER = "#222222", "#8a8a8a", "#dfe7ec"
BREAKS = [0, 250, 500, 1000, 2000, 4000, 8000, 16000]
SOURCE = "Source: the fictional town Nordhamra, 2012. Quartic kernel, 500 m; land only, corrected at the shore."


def main() -> None:
    """Draw it."""
    PICTURES.mkdir(exist_ok=True)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.edgecolor": QUIET}):
        data = io.BytesIO()
        density().savefig(data, dpi=150, format="png")
    picture = Image.open(data).convert("RGB")
    picture.quantize(96, dither=Image.Dither.NONE).save(PICTURES / "surfaces_density.png", optimize=True)


def density() -> Figure:
    """Draw the density of residents and of jobs side by side, in the same classes."""
    data = home() / "data"
    water = gpd.read_file(data / "nordhamra.gpkg", layer="water")
    town = gpd.read_file(data / "nordhamra.gpkg", layer="kommun")
    land = gpd.overlay(town, water, how="difference")
    people, jobs = data / "nordhamra_population_100m.tif", gpd.read_file(data / "nordhamra_workplaces.gpkg")
    asked = {"bandwidth_m": 500, "cell_m": 50, "within": land}
    residents = kernel_density(people, unit="residents", title="Residents", **asked)
    work = kernel_density(jobs, weight="jobs", unit="jobs", title="Jobs", **asked)
    figure = Figure(figsize=(10.4, 4.3), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    norm = BoundaryNorm(BREAKS, 256)
    for ax, surface in zip(axes, (residents, work), strict=True):
        drawn = _panel(ax, surface, water, town, norm)
    _scale(axes[0], town.total_bounds)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.75, pad=0.01, spacing="uniform")
    bar.set_ticks(BREAKS, labels=[f"{number:,}".replace(",", " ") for number in BREAKS])
    bar.set_label("residents, or jobs, per km² of land")
    bar.outline.set_visible(False)
    figure.supxlabel(SOURCE, fontsize=8, color=QUIET, x=0.01, ha="left")
    return figure


def _panel(
    ax: Axes, surface: Surface, water: gpd.GeoDataFrame, town: gpd.GeoDataFrame, norm: BoundaryNorm
) -> mpl.image.AxesImage:
    """Draw one density with the lines between its classes."""
    west, south, east, north = surface.lattice.bounds
    drawn = ax.imshow(
        surface.cells, extent=(west, east, south, north), cmap="YlGnBu", norm=norm, interpolation="nearest", zorder=1
    )
    water.plot(ax=ax, color=WATER, zorder=2)
    lines = contours(surface, BREAKS[2:])
    lines.plot(ax=ax, color=INK, linewidth=0.5, zorder=3)
    town.boundary.plot(ax=ax, color=QUIET, linewidth=0.8, zorder=4)
    drawn.set_clip_path(_outline(town), transform=ax.transData)
    peak = f"{np.nanmax(surface.cells):,.0f}".replace(",", " ")
    ax.set_title(f"{surface.title}, per km² of land; at most {peak}", loc="left", fontsize=10.5, y=1.0)
    ax.set_axis_off()
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    return drawn


def _outline(town: gpd.GeoDataFrame) -> Outline:
    """Return the outline of the town, as matplotlib draws it."""
    rings = [part.exterior.coords for part in town.geometry.explode().to_numpy()]
    return Outline.make_compound_path(*(Outline(np.array(ring), closed=True) for ring in rings))


def _scale(ax: Axes, bounds: np.ndarray) -> None:
    """Draw two kilometres."""
    _, south, east, _ = bounds
    ax.plot([east - 2300, east - 300], [south + 300] * 2, color=INK, linewidth=2, zorder=5, solid_capstyle="butt")
    ax.text(east - 1300, south + 420, "2 km", ha="center", va="bottom", fontsize=8, zorder=5)


if __name__ == "__main__":
    main()
