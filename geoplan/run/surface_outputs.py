"""Surfaces that a run writes: densities and access as Cloud-Optimised GeoTIFFs, each with a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import Grid
from geoplan.reach import Surface, access_raster, contours, kernel_density, write_raster
from geoplan.run.access_outputs import measure_label
from geoplan.run.datasets import read_weights
from geoplan.run.matching import layer_of_kind
from geoplan.run.reach_files import draw, least_shown, moment_of, sources_of
from geoplan.run.travel_layers import WHERE_PEOPLE
from geoplan.show import plot_surface, texts
from geoplan.specs import PointsLayer, RasterLayer
from geoplan.specs.travel import SurfaceSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run
    from geoplan.show.texts import Texts

__all__ = ["surface_levels", "write_surfaces"]

_PEAK = 3.0  # of a quartic kernel: 3 / (π h²) for one point
_M2_PER_KM2 = 1e6
_SHADES = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95)  # parts of the known cells below a level of the picture
_DIGITS = 2


def write_surfaces(run: Run, folder: Path) -> None:
    """Write ``surface_<id>.tif`` and a picture of it, ``surface_<id>.png``, for each surface of the scenario.

    Raises
    ------
    InputError
        When a layer is faulty, a measure is none of the scenario, or no unit is known.
    """
    for item in run.spec.surfaces:
        path = folder / f"surface_{item.id}.tif"
        with Faults.located_at(run.shown):
            if item.kind == "density":
                surface, words = _density(run, item, path)
            else:
                surface, words = _access(run, item, path)
            _draw(run, item, surface, words, path.with_suffix(""))


def _density(run: Run, item: SurfaceSpec, path: Path) -> tuple[Surface, dict[str, str]]:
    """Write how dense people, jobs or events are, on the land of the scenario's areas."""
    dataset, spec = layer_of_kind(run.catalogue, item.of, WHERE_PEOPLE, key="surfaces.of")
    found, column = read_weights(dataset, str(run.areas().crs))
    points: Any = found
    unit = item.unit or (spec.unit if isinstance(spec, RasterLayer) else None)
    if unit is None:
        what = f"the layer '{item.of}' does not say what it counts"
        raise SpecError(Fault(what=what, key="surfaces.unit", expected="a unit", hint='write `unit = "jobs"`'))
    if isinstance(spec, PointsLayer):
        points = found[["geometry", column]] if not isinstance(found, Grid) else found
    words = texts(run.spec.language)
    surface = kernel_density(
        points,
        bandwidth_m=item.bandwidth_m,
        unit=unit,
        weight=column,
        cell_m=item.cell_m,
        within=_land(run),
        title=_title(run, item, dataset.spec.title.to(run.spec.language)),
    )
    assert isinstance(surface, Surface)  # noqa: S101  no path was given
    if least := least_shown(run):
        surface = replace(surface, cells=np.where(_enough(points, column, item, surface, least), surface.cells, np.nan))
    source = sources_of(run, [item.of])
    write_raster(surface, path, source=source, date=str(dataset.spec.vintage))
    told = {
        "source": source,
        "period": run.spec.period,
        "unit": words.plan["per_km2"].format(unit=_counted(words, unit)),
    }
    told["method"] = words.plan["density_method"].format(metres=f"{item.bandwidth_m:g}")
    return surface, told


def _enough(points: Any, column: str | None, item: SurfaceSpec, surface: Surface, least: int) -> np.ndarray:
    """Tell of which cells so many stand within the bandwidth: a quartic kernel gives none more than its peak.

    Without correction at the edge, which counts some for more than they are.
    """
    plain = kernel_density(points, bandwidth_m=item.bandwidth_m, unit="all", weight=column, like=surface.lattice)
    assert isinstance(plain, Surface)  # noqa: S101  no path was given
    enough: np.ndarray = plain.cells >= _PEAK * least / (np.pi * item.bandwidth_m**2) * _M2_PER_KM2
    return enough


def _counted(words: Texts, unit: str) -> str:
    """Return what is counted as readers write it: a unit, or a word such as ``jobs``."""
    return words.units.get(unit) or words.words.get(unit, unit).lower()


def _land(run: Run) -> gpd.GeoSeries:
    """Return the ground on which people can be: the areas without water."""
    land = run.areas().geometry
    water = [layer.geometry for role, layer in run.backdrop() if role == "water"]
    whole = land.union_all()
    if water:
        wet = gpd.GeoSeries(pd.concat(water), crs=land.crs)
        wet = wet[wet.geom_type.isin(["Polygon", "MultiPolygon"])]
        whole = whole.difference(wet.union_all()) if len(wet) else whole
    return gpd.GeoSeries([whole], crs=land.crs)


def _access(run: Run, item: SurfaceSpec, path: Path) -> tuple[Surface, dict[str, str]]:
    """Write what is reached from where people live."""
    reach = run.reach
    measures = {measure.id: measure for measure in reach.measures()}
    if item.of not in measures:
        raise checks.unknown_name("measure of the scenario", item.of, measures, key="surfaces.of")
    measure, words = measures[item.of], texts(run.spec.language)
    values, people, least = reach.by_point()[item.of], reach.people, least_shown(run)
    if least:
        people = people[people["residents"] >= least]
        values = values.reindex(people.index)
    unit = words.reach[measure.unit]
    source = sources_of(run, [reach.spec.people, reach.spec.streets, *reach.spec.timetable,
                              reach.asked.opportunities[measure.opportunity]])  # fmt: skip
    told = {"source": source, "period": run.spec.period, "unit": unit, "method": moment_of(run)}
    date = reach.network.timetable.date if reach.network.timetable is not None else run.spec.date
    method = "; ".join(filter(None, (measure_label(run, measure), moment_of(run))))
    title = _title(run, item, measure_label(run, measure))
    written = access_raster(
        values.rename(title), people, path, unit=unit, source=source, date=date, method=method, cell_m=item.cell_m
    )
    cells = Surface(written.read(), written.lattice, unit=unit, title=title, method=method)
    return cells, told


def _title(run: Run, item: SurfaceSpec, otherwise: str) -> str:
    return item.title.to(run.spec.language) if item.title else otherwise


# ---------------------------------------------------------------- pictures


def surface_levels(surface: Surface) -> list[float]:
    """Return where a picture takes a new shade: round numbers near shares of the known cells, rising.

    Examples
    --------
    >>> from geoplan.reach import Lattice
    >>> import pyproj
    >>> squares = Lattice(0, 1000, 100, 100, rows=10, columns=10, crs=pyproj.CRS(3006))
    >>> surface_levels(Surface(np.arange(1.0, 101).reshape(10, 10), squares, unit="jobs"))
    [0.0, 31.0, 50.0, 70.0, 85.0, 95.0]
    """
    known = surface.cells[np.isfinite(surface.cells)]
    if not known.size:
        return []
    positive = known[known > 0]
    if not positive.size:
        return []
    found = [_rounded(float(level)) for level in np.quantile(positive, _SHADES[1:])]
    return sorted({0.0, *found})


def _rounded(value: float) -> float:
    if value <= 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(value)) - _DIGITS + 1)
    return float(np.round(np.round(value / step) * step, 10))


def _bands(surface: Surface, levels: list[float]) -> gpd.GeoDataFrame:
    """Return the ground between the levels: of a density by contours, of points where people live by their cells."""
    return contours(surface, [*levels, np.inf], filled=True)


def _cells(surface: Surface, levels: list[float]) -> gpd.GeoDataFrame:
    """Return the cells between the levels, as they are: between places where people live there is nothing."""
    row, column = np.nonzero(np.isfinite(surface.cells))
    at, value = surface.lattice, surface.cells[row, column]
    west, north = at.west + column * at.width, at.north - row * at.height
    place = np.clip(np.searchsorted(levels, value, side="right") - 1, 0, None)
    ends = np.array([*levels, np.inf])
    squares = shapely.box(west, north - at.height, west + at.width, north)
    frame = gpd.GeoDataFrame({"low": ends[place], "high": ends[place + 1]}, geometry=squares, crs=at.crs)
    return frame.dissolve(["low", "high"]).reset_index()


def _draw(run: Run, item: SurfaceSpec, surface: Surface, words: dict[str, str], stem: Path) -> None:
    levels = [float(level) for level in item.levels] or surface_levels(surface)
    if not levels:
        return  # there is nothing to show, and the raster says so
    bands = _cells(surface, levels) if item.kind == "access" else _bands(surface, levels)
    if bands.empty:
        return
    note = run.spec.note.to(run.spec.language) if run.spec.note else ""
    drawn: dict[str, Any] = {**words, "note": note, "language": run.spec.language, "backdrop": run.backdrop()}
    draw(stem, lambda: plot_surface(bands, title=surface.title, **drawn), endings=("png",))
