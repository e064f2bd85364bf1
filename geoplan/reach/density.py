"""Kernel density: points with weights, such as residents, jobs or events, made into a surface per km².

A raster is worked through window by window: the points whose kernel reaches a window are put together, corrected for
the edge of the area, and spread over its cells. So neither many points nor a large raster have to fit into memory at
once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import working_crs
from geoplan.places.areas import crs_name, must_have
from geoplan.reach.rasters import (
    AnyRaster,
    Lattice,
    Raster,
    RasterFile,
    Surface,
    Window,
    as_raster,
    lattice_over,
    must_have_unit,
    must_measure,
    must_not_be_negative,
    open_raster,
    opened,
    sized,
    windows,
)
from geoplan.reach.rasters_file import Origin, Put, writing
from geoplan.reach.zonal import fractions

__all__ = ["kernel_density"]

Kernel = Literal["quartic", "gaussian", "epanechnikov"]

_REACH = {"quartic": 1.0, "epanechnikov": 1.0, "gaussian": 5.0}  # bandwidths; beyond it the kernel is 0
_SIDE = 512
_AT_ONCE = 1_000_000  # points × cells
_M2_PER_KM2 = 1e6
_POINT, _POLYGONS = 0, {3, 6}
_SOURCES = "Jones 1993"

_Near = Callable[[float, float, float, float], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class _Spread:
    """A kernel of unit mass: its name, its bandwidth and how far it reaches, in metres."""

    name: str
    bandwidth: float

    @property
    def reach(self) -> float:
        return _REACH[self.name] * self.bandwidth

    def __call__(self, squared: np.ndarray) -> np.ndarray:
        """Return the kernel (per m²) at squared distances."""
        part = squared / self.bandwidth**2
        if self.name == "gaussian":
            most = _REACH["gaussian"] ** 2
            mass = 2 * np.pi * self.bandwidth**2 * (1 - np.exp(-most / 2))
            return np.where(part < most, np.exp(-part / 2) / mass, 0.0)
        left = np.clip(1 - part, 0, None)
        if self.name == "quartic":
            return np.asarray(3 / (np.pi * self.bandwidth**2) * left**2)
        return np.asarray(2 / (np.pi * self.bandwidth**2) * left)


def kernel_density(
    points: gpd.GeoDataFrame | AnyRaster,
    *,
    bandwidth_m: float,
    unit: str,
    weight: str | None = None,
    kernel: Kernel = "quartic",
    cell_m: float = 100.0,
    within: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    like: AnyRaster | Lattice | None = None,
    title: str = "",
    path: Path | str | None = None,
    source: str = "",
    date: str | dt.date = "",
) -> Surface | RasterFile:
    r"""Spread points with weights to a surface of their density, per km².

    At the middle *u* of a cell the density is

    .. math:: f(u) = 10^6 \sum_i \frac{w_i}{e_i} k_h(|u - x_i|), \qquad e_i = \int_W k_h(|v - x_i|) \, dv

    with :math:`e_i` the part of the kernel of point *i* that lies inside the area *W*. What would lie beyond the shore
    is so given back to the land around the point, and the surface holds over *W* as many as there are points. This is
    the correction that spatstat calls Jones-Diggle; Diggle's first one (1985) divides by the mass around *u* in place
    of that around each point, and does not keep the total. Without an area :math:`e_i = 1`. The kernels, with *d* the
    distance and *h* the bandwidth:

    - ``quartic``: :math:`\frac{3}{\pi h^2} (1 - d^2/h^2)^2` for *d* < *h*; per axis its standard deviation is 0.35 *h*;
    - ``epanechnikov``: :math:`\frac{2}{\pi h^2} (1 - d^2/h^2)` for *d* < *h*; standard deviation 0.41 *h*;
    - ``gaussian``: :math:`\frac{1}{2 \pi h^2} e^{-d^2 / 2h^2}` for *d* < 5 *h*, scaled to a mass of 1; *h* is its
      standard deviation.

    Parameters
    ----------
    points
        Points in a metric system; or a raster of counts, each cell a point in its middle, which is read by windows.
    bandwidth_m
        The bandwidth *h* in metres; at least the side of a cell.
    unit
        What is counted, such as ``"persons"``; the surface is in ``"persons per km²"``.
    weight
        Column of ``points`` with the number at a point, 0 or more; each counts as one when left out.
    kernel
        ``"quartic"``, ``"gaussian"`` or ``"epanechnikov"``.
    cell_m
        Side of a cell in metres. Cells lie on whole multiples of it.
    within
        Polygons of the area in which people can be, such as land without water, for the correction at its edge. Cells
        that lie wholly outside have no data.
    like
        A raster with the cells wanted, in place of ``cell_m`` and of all there is.
    title
        What the surface shows.
    path
        Where to write it to, window by window, as :func:`write_raster` does; needed when it does not fit into memory.
    source, date
        Whose figures and of when, for the file.

    Returns
    -------
    Surface or RasterFile
        Of the whole area, or as far as kernels reach. Its notes say how many points, of what weight, were left out:
        those outside ``within``. A cell's density times the surface of it that lies in the area, over all cells, comes
        to the weight of the others.

    Raises
    ------
    InputError
        When points are no points, or are in a system that does not measure in metres; when a weight is negative or no
        number, or all come to nothing; when the bandwidth is less than a cell, no point lies in the area, or a name is
        unknown. As :func:`write_raster` with a ``path``.

    Notes
    -----
    :math:`e_i` is summed over the same cells as the surface, each by the exact part of it inside *W*. Sources:
    M. C. Jones, Simple boundary corrections for kernel density estimation, Statistics and Computing 3 (1993);
    P. Diggle, A kernel method for smoothing point process data, Applied Statistics 34 (1985).

    Examples
    --------
    >>> land = gpd.GeoSeries([shapely.box(674000, 6580000, 676000, 6581000)], crs=3006)
    >>> where = gpd.points_from_xy([674050, 675050], [6580450, 6580450])
    >>> people = gpd.GeoDataFrame({"people": [100, 200]}, geometry=where, crs=3006)
    >>> dense = kernel_density(people, weight="people", unit="persons", bandwidth_m=500, within=land)
    >>> dense.unit, dense.cells.shape, round(float(dense.cells.sum() * dense.lattice.cell_km2), 6)
    ('persons per km²', (10, 20), 300.0)
    """
    sources, spread = _asked(points, weight, bandwidth_m, kernel, unit)
    area = None if within is None else _area(within, sources.crs)
    lattice = _lattice(sources, area, spread, cell_m, like)
    kept = sources.inside(area)
    corrected = "" if area is None else f", corrected for the edge of the area ({_SOURCES})"
    method = f"kernel density, {kernel}, bandwidth {bandwidth_m:g} m{corrected}"
    density_unit, notes = f"{unit} per km²", list(kept.notes(unit))
    if path is None:
        cells = np.full((sized(lattice).rows, lattice.columns), np.nan)

        def put(window: Window, part: np.ndarray) -> None:
            cells[window.row : window.row + window.rows, window.column : window.column + window.columns] = part

        notes += _worked_through(kept, lattice, spread, area, put)
        return Surface(cells, lattice, unit=density_unit, title=title, method=method, notes=tuple(notes))
    origin = Origin(source=source, date=str(date), method=method)
    with writing(Path(path), lattice, [(title, density_unit)], origin, notes=notes) as write:
        notes += _worked_through(kept, lattice, spread, area, write)
    return replace(open_raster(path), notes=tuple(notes))


# ---------------------------------------------------------------- where the weights are


@dataclass(frozen=True, eq=False)
class _Points:
    """Points with weights, from north to south; and how many were left out, of what weight."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    crs: pyproj.CRS
    left: tuple[int, float] = (0, 0.0)

    def bounds(self) -> tuple[float, float, float, float]:
        return float(self.x.min()), float(self.y.min()), float(self.x.max()), float(self.y.max())

    def inside(self, area: shapely.Geometry | None) -> _Points:
        """Return those inside an area that have a weight."""
        here = np.ones(len(self.x), dtype=bool) if area is None else shapely.intersects_xy(area, self.x, self.y)
        left = (int((~here).sum()), float(self.weight[~here].sum()))
        here &= self.weight > 0
        if not here.any():
            raise _nobody()
        return replace(self, x=self.x[here], y=self.y[here], weight=self.weight[here], left=left)

    def notes(self, unit: str) -> Iterator[str]:
        """Say how many points were left out."""
        if self.left[0]:
            yield _left_out(*self.left, unit)

    @contextmanager
    def opened(self) -> Iterator[_Near]:
        """Give the function that returns x, y and weight of the points in a rectangle."""

        def near(west: float, south: float, east: float, north: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            some = slice(np.searchsorted(-self.y, -north, "left"), np.searchsorted(-self.y, -south, "right"))
            x, y, weight = self.x[some], self.y[some], self.weight[some]
            among = (x >= west) & (x <= east)
            return x[among], y[among], weight[among]

        yield near


@dataclass(frozen=True, eq=False)
class _Cells:
    """A raster of counts, each cell that has any a point in its middle; and how many were left out."""

    raster: Raster
    area: shapely.Geometry | None = None
    left: tuple[int, float] = (0, 0.0)

    @property
    def crs(self) -> pyproj.CRS:
        return self.raster.lattice.crs

    def bounds(self) -> tuple[float, float, float, float]:
        return self.raster.lattice.bounds

    def inside(self, area: shapely.Geometry | None) -> _Cells:
        """Return those whose middle is inside an area."""
        left, weight, found = 0, 0.0, False
        with _Cells(self.raster).opened() as near:
            for core, _ in windows(self.raster.lattice):
                at = self.raster.lattice.part(core)
                half = np.array([at.width, at.height, -at.width, -at.height]) / 2  # the middles, and no neighbour's
                x, y, some = near(*(np.array(at.bounds) + half))
                outside = np.zeros(len(x), dtype=bool) if area is None else ~shapely.intersects_xy(area, x, y)
                left, weight = left + int(outside.sum()), weight + float(some[outside].sum())
                found |= bool((~outside).any())
        if not found:
            raise _nobody()
        return replace(self, area=area, left=(left, weight))

    def notes(self, unit: str) -> Iterator[str]:
        """Say how many cells were left out."""
        if self.left[0]:
            yield _left_out(*self.left, unit)

    @contextmanager
    def opened(self) -> Iterator[_Near]:
        """Give the function that returns x, y and count of the cells whose middle is in a rectangle."""
        with opened(self.raster) as read:

            def near(west: float, south: float, east: float, north: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
                window = self.raster.lattice.window_over(west, south, east, north)
                cells = read(window)
                must_not_be_negative(cells, "raster of weights")
                row, column = np.nonzero(np.nan_to_num(cells) > 0)
                x, y = self.raster.lattice.middles(row + window.row, column + window.column)
                among = (x >= west) & (x <= east) & (y >= south) & (y <= north)
                if self.area is not None:
                    among &= shapely.intersects_xy(self.area, x, y)
                return x[among], y[among], cells[row, column][among]

            yield near


def _asked(
    points: gpd.GeoDataFrame | AnyRaster, weight: str | None, bandwidth_m: float, kernel: str, unit: str
) -> tuple[_Points | _Cells, _Spread]:
    """Take what is asked for, with all its faults at once."""
    faults = Faults()
    with faults.catch():
        must_have_unit(unit)
    if kernel not in _REACH:
        faults.add(checks.unknown_name("kernel", kernel, _REACH, key="kernel"))
    if not (np.isfinite(bandwidth_m) and bandwidth_m > 0):
        what = f"a bandwidth of {bandwidth_m} m is none"
        faults.add(SpecError(Fault(what=what, key="bandwidth_m", expected="metres, more than 0")))
    sources: _Points | _Cells | None = None
    with faults.catch():
        if isinstance(points, gpd.GeoDataFrame):
            sources = _weighted(points, weight)
        else:
            sources = _Cells(as_raster(points, metric=True))
    faults.raise_any()
    assert sources is not None  # noqa: S101  a fault was raised otherwise
    return sources, _Spread(kernel, bandwidth_m)


def _weighted(points: gpd.GeoDataFrame, weight: str | None) -> _Points:
    must_have(points, {"weight": weight})
    if points.empty:
        raise checks.empty_layer("there are no points", expected="at least one")
    shapes = points.geometry.to_numpy()
    odd = shapely.is_missing(shapes) | shapely.is_empty(shapes) | (shapely.get_type_id(shapes) != _POINT)
    if odd.any():
        kinds = points.geom_type[odd].fillna("nothing")
        raise checks.not_points([str(code) for code in points.index[odd]], kinds)
    number = np.ones(len(points)) if weight is None else pd.to_numeric(points[weight], errors="coerce").to_numpy(float)
    wrong = ~(np.isfinite(number) & (number >= 0))
    if wrong.any():
        first = points[weight][wrong].iloc[0]
        what = f"{int(wrong.sum()):,} weight(s) are no quantity, the first of them '{first}'"
        hint = "leave out the points whose number is not known, and say so"
        raise TableError(Fault(what=what, column=weight, expected="a number, 0 or more", hint=hint))
    xy = shapely.get_coordinates(working_crs(points).geometry.to_numpy())
    order = np.argsort(-xy[:, 1], kind="stable")
    return _Points(xy[order, 0], xy[order, 1], number[order], points.crs)


def _area(within: gpd.GeoDataFrame | gpd.GeoSeries, crs: pyproj.CRS) -> shapely.Geometry:
    if within.crs is None:
        raise checks.crs_missing()
    shapes = within.geometry.to_crs(crs).to_numpy()
    kinds = set(shapely.get_type_id(shapes[~shapely.is_missing(shapes)]))
    if not kinds <= _POLYGONS:
        raise checks.not_polygons([str(code) for code in within.index], set(within.geom_type))
    area = shapely.union_all(shapes)
    if area.is_empty:
        raise checks.empty_layer("the area of `within` has no ground", expected="polygons")
    shapely.prepare(area)
    return area


def _lattice(
    sources: _Points | _Cells,
    area: shapely.Geometry | None,
    spread: _Spread,
    cell_m: float,
    like: AnyRaster | Lattice | None,
) -> Lattice:
    """Return the cells wanted: as another raster has them, over the whole area, or as far as kernels reach."""
    if like is not None:
        lattice = like if isinstance(like, Lattice) else as_raster(like).lattice
        must_measure(lattice)
        if lattice.crs != sources.crs:
            raise checks.crs_differ(crs_name(sources.crs), crs_name(lattice.crs))
    else:
        ground = shapely.box(*sources.bounds()) if area is None else area
        frame = gpd.GeoSeries([ground], crs=sources.crs)
        lattice = lattice_over(frame, cell_m, margin_m=spread.reach if area is None else 0.0)
    side = max(lattice.width, lattice.height)
    if spread.bandwidth < side:
        what = f"a bandwidth of {spread.bandwidth:g} m is less than a cell of {side:g} m, which cannot show it"
        raise SpecError(Fault(what=what, key="bandwidth_m", expected=f"{side:g} m or more", hint="take smaller cells"))
    return lattice


def _nobody() -> TableError:
    expected = "points inside the area, with a weight above 0"
    return TableError(Fault(what="no point with a weight lies in the area", expected=expected))


def _left_out(number: int, weight: float, unit: str) -> str:
    points, verb = ("1 point", "was") if number == 1 else (f"{number:,} points", "were")
    return f"{points} outside the area {verb} left out, with {weight:,.10g} {unit}"


# ---------------------------------------------------------------- window by window


def _worked_through(
    sources: _Points | _Cells, lattice: Lattice, spread: _Spread, area: shapely.Geometry | None, put: Put
) -> list[str]:
    """Put the density of each window; returns what has to be said besides."""
    margin = int(np.ceil(spread.reach / min(lattice.width, lattice.height))) + 1
    lost, weight = 0, 0.0
    with sources.opened() as near:
        for core, _ in windows(lattice, side=_SIDE):
            around = lattice.part(core.grown(margin))
            wide = lattice.part(core.grown(2 * margin))  # as far as kernels of what is around reach
            ground = None if area is None else _ground(area, wide)
            own = None if ground is None else ground[2 * margin : -2 * margin, 2 * margin : -2 * margin]
            if own is not None and not own.any():
                put(core, np.full((core.rows, core.columns), np.nan))
                continue
            x, y, heads = near(*around.bounds)
            cells, mass = _spread_out(spread, x, y, heads, wide, ground)
            massless = (mass <= 0) & _within(x, y, lattice, core)
            lost, weight = lost + int(massless.sum()), weight + float(heads[massless].sum())
            density = _M2_PER_KM2 * cells[2 * margin : -2 * margin, 2 * margin : -2 * margin]
            put(core, density if own is None else np.where(own > 0, density, np.nan))
    return (
        [f"{lost:,} point(s) on a strip of land that no cell shows were left out, with {weight:,.10g}"] if lost else []
    )


def _ground(area: shapely.Geometry, lattice: Lattice) -> np.ndarray:
    """Return the part of each cell that lies in an area, 0-1."""
    ground = np.zeros(lattice.size)
    frame = shapely.box(*lattice.bounds)
    if area.contains_properly(frame):
        ground[:] = 1.0
    elif area.intersects(frame):
        _, cell, part = fractions(np.array([area]), lattice)
        np.add.at(ground, cell, part)
    return ground.reshape(lattice.rows, lattice.columns)


def _spread_out(
    spread: _Spread, x: np.ndarray, y: np.ndarray, weight: np.ndarray, lattice: Lattice, ground: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Spread weights over cells, per m²; returns the cells, and of each point the part of its kernel on the ground."""
    down, over = _patch(spread, lattice)
    row, column = lattice.cells_of(x, y)
    cells, mass = np.zeros(lattice.size), np.ones(len(x))
    cell_m2 = lattice.width * lattice.height
    flat_ground = None if ground is None else ground.ravel()
    step = max(_AT_ONCE // len(down), 1)
    for start in range(0, len(x), step):
        some = slice(start, start + step)
        rows, columns = row[some, None] + down, column[some, None] + over
        at_x, at_y = lattice.middles(rows, columns)
        dense = spread((at_x - x[some, None]) ** 2 + (at_y - y[some, None]) ** 2)
        inside = (rows >= 0) & (rows < lattice.rows) & (columns >= 0) & (columns < lattice.columns)
        cell = np.where(inside, rows * lattice.columns + columns, 0)
        dense = np.where(inside, dense, 0.0)
        if flat_ground is not None:
            mass[some] = (dense * flat_ground[cell]).sum(axis=1) * cell_m2
        factor = np.divide(weight[some], mass[some], out=np.zeros(len(dense)), where=mass[some] > 0)
        cells += np.bincount(cell.ravel(), (dense * factor[:, None]).ravel(), minlength=lattice.size)
    return cells.reshape(lattice.rows, lattice.columns), mass


def _patch(spread: _Spread, lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns around a point's cell whose middles its kernel may reach."""
    high, wide = (int(np.ceil(spread.reach / side + 0.5)) for side in (lattice.height, lattice.width))
    down, over = (part.ravel() for part in np.mgrid[-high : high + 1, -wide : wide + 1])
    least = np.hypot(
        *(np.clip(np.abs(n) - 0.5, 0, None) * side for n, side in ((down, lattice.height), (over, lattice.width)))
    )
    return down[least < spread.reach], over[least < spread.reach]


def _within(x: np.ndarray, y: np.ndarray, lattice: Lattice, core: Window) -> np.ndarray:
    row, column = lattice.cells_of(x, y)
    rows = (row >= core.row) & (row < core.row + core.rows)
    return np.asarray(rows & (column >= core.column) & (column < core.column + core.columns))
