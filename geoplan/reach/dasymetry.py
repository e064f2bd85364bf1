"""Dasymetric population: counts of areas spread over the ground where people can live, each area's total kept.

The work is done three times over the same windows: what the weights of an area come to; which cells get the odd person,
where whole ones are wanted; and the cells themselves. So no more than a window of them is in memory at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, TableError
from geoplan.places.areas import measurable, must_have
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
from geoplan.reach.zonal import all_outside, moved_to, pieces_by_window

__all__ = ["Dasymetric", "dasymetric"]

_POLYGONS = (3, 6)
_SIDE = 1024
_SLIP = 1e-9  # of a person
_ROUNDING = 1e-6  # parts of a cell are single-precision numbers


@dataclass(frozen=True)
class Dasymetric:
    """A count of areas spread over cells, and what became of each area's.

    Attributes
    ----------
    raster
        The cells: a :class:`Surface`, or a :class:`RasterFile` where a path was given.
    areas
        Index ``area_id``, and ``count`` (float; as given), ``placed`` (float; what its cells got), ``unplaced``
        (float),
        ``how`` (str; ``weights``, ``evenly`` where it has no weight, ``nowhere``), ``status`` and ``reason`` (str;
        ``observed``, ``not_collected`` without a count, ``out_of_scope`` where it has no cell).
    unit
        What is counted.
    """

    raster: Surface | RasterFile
    areas: pd.DataFrame
    unit: str

    def lines(self) -> list[str]:
        """Return what has to be known beside the raster, as sentences."""
        return _lines(self.areas, self.unit)


def dasymetric(
    counts: pd.Series,
    areas: gpd.GeoDataFrame,
    weights: AnyRaster | gpd.GeoDataFrame,
    *,
    unit: str,
    rate_column: str | None = None,
    cell_m: float = 100.0,
    like: AnyRaster | Lattice | None = None,
    integers: bool = False,
    title: str = "",
    path: Path | str | None = None,
    source: str = "",
    date: str | dt.date = "",
) -> Dasymetric:
    r"""Spread the counts of areas over cells by weights, keeping the total of each area.

    Of the count :math:`P_a` of an area, cell *c* gets

    .. math:: P_{ac} = P_a \frac{f_{ac} w_c}{\sum_d f_{ad} w_d}

    with *f* the part of the cell that lies in the area and *w* its weight; with polygons, *w* is their rate times the
    surface that they, the area and the cell have in common. A cell on a border gets from every area that it is part of.

    Parameters
    ----------
    counts
        Residents, jobs … by ``area_id``, 0 or more, of every area. One that is not known is NaN.
    areas
        Areas in a metric system, their codes in the index.
    weights
        A raster with how many live in a cell for one that lives elsewhere: 1 and 0 for a mask, or built-up surface,
        floor space, lights. Or polygons of land use.
    unit
        What is counted, such as ``"persons"``.
    rate_column
        Column of the polygons with how many live on a hectare of them for one on a hectare elsewhere (0 or more); each
        counts as one when left out. Where polygons overlap, their rates add up. Ground without a polygon has nobody.
    cell_m, like
        Cells for polygons: their side in metres, or a raster that has them. A raster of weights has its own.
    integers
        Whole persons: every cell gets what is below, and those with the largest remainders one more, the first cell
        among equals, until the area's count is reached.
    title
        What the raster shows.
    path, source, date
        As of :func:`kernel_density`.

    Returns
    -------
    Dasymetric
        Cells outside all areas, and those of areas without a count alone, have no data. An area none of whose cells
        has a weight is spread evenly over its surface, and told; one without a cell keeps its count as ``unplaced``,
        and is told: nobody is lost.

    Raises
    ------
    InputError
        When ids of counts and areas differ, a count is negative, infinite or, with ``integers``, no whole number; when
        weights or rates are negative or no number; when no area lies on the raster; as :func:`open_raster` and
        :func:`write_raster`.

    Examples
    --------
    Ninety people in three cells, of which one is water and one is built twice as densely as the other:

    >>> import pyproj
    >>> squares = Lattice(674000, 6580100, 100, 100, rows=1, columns=3, crs=pyproj.CRS(3006))
    >>> built = Surface(np.array([[0.0, 1.0, 2.0]]), squares, unit="floors")
    >>> ids = pd.Index(["a"], name="area_id")
    >>> areas = gpd.GeoDataFrame(geometry=[shapely.box(*squares.bounds)], index=ids, crs=3006)
    >>> dasymetric(pd.Series([90], index=ids), areas, built, unit="persons").raster.cells.tolist()
    [[0.0, 30.0, 60.0]]
    """
    areas, number = _checked(counts, areas, unit, integers=integers)
    ground = _ground(areas, weights, rate_column, cell_m, like)
    shares = _shares(ground, number)
    odd = _odd_ones(ground, shares) if integers else None
    method = f"dasymetric, by {ground.told}{', in whole numbers by the largest remainder' if integers else ''}"
    lattice = ground.lattice
    if path is None:
        cells = np.full((sized(lattice).rows, lattice.columns), np.nan)

        def put(window: Window, part: np.ndarray) -> None:
            cells[window.row : window.row + window.rows, window.column : window.column + window.columns] = part

        table = _placed(ground, shares, odd, put)
        notes = _lines(table, unit)
        return Dasymetric(Surface(cells, lattice, unit, title, method, tuple(notes)), table, unit)
    notes = []
    origin = Origin(source=source, date=str(date), method=method)
    dtype = "int32" if integers else "float64"  # what is kept to the last digit is written so
    with writing(Path(path), lattice, [(title, unit)], origin, notes=notes, dtype=dtype) as write:
        table = _placed(ground, shares, odd, write)
        notes += _lines(table, unit)
    return Dasymetric(replace(open_raster(path), notes=tuple(notes)), table, unit)


# ---------------------------------------------------------------- what is asked


def _checked(
    counts: pd.Series, areas: gpd.GeoDataFrame, unit: str, *, integers: bool
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Return the areas and their counts in the same order, or all faults at once."""
    faults = Faults()
    with faults.catch():
        must_have_unit(unit)
    with faults.catch():
        areas = measurable(areas)
    faults.raise_any()
    twice = counts.index[counts.index.duplicated()]
    if len(twice):
        faults.add(checks.duplicate_ids(sorted(set(map(str, twice))), "area_id"))
    lacking, besides = areas.index.difference(counts.index), counts.index.difference(areas.index)
    for ids, what in ((lacking, "area(s) have no count"), (besides, "count(s) are of no area")):
        if len(ids):
            expected = "a count for each area, NaN where it is not known, and no others"
            faults.add(IdError(Fault(what=f"{len(ids):,} {what}: {checks.listed(ids)}", expected=expected)))
    number = pd.to_numeric(counts, errors="coerce").astype(float)
    wrong = (number.isna() & counts.notna()) | (number < 0) | np.isinf(number)
    if integers:
        wrong |= number.notna() & (number != number.round())
    if wrong.any():
        first, kind = counts[wrong].iloc[0], "whole number" if integers else "number"
        what = f"{int(wrong.sum()):,} count(s) are no quantity, the first of them '{first}'"
        faults.add(TableError(Fault(what=what, area=str(counts.index[wrong][0]), expected=f"a {kind}, 0 or more")))
    faults.raise_any()
    return areas, number.reindex(areas.index).to_numpy()


@dataclass(frozen=True, eq=False)
class _Ground:
    """Areas, and what their ground weighs: by the cells of a raster, or by parts of the areas that have a rate."""

    areas: pd.Index
    shapes: np.ndarray
    lattice: Lattice
    told: str
    raster: Raster | None = None
    parts: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))
    owner: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rate: np.ndarray = field(default_factory=lambda: np.empty(0))

    def pieces(self) -> Iterator[_Piece]:
        """Yield each window with the pairs of an area and a cell in it, each pair once, sorted."""
        with nullcontext() if self.raster is None else opened(self.raster) as read:
            cores = [core for core, _ in windows(self.lattice, side=_SIDE)]
            weighed = pieces_by_window(self.parts, self.lattice, iter(cores))
            for core, area, cell, part in pieces_by_window(self.shapes, self.lattice, iter(cores)):
                if read is None:
                    _, shape, cell_too, covered = next(weighed)
                    area_too, weight = self.owner[shape], covered * self.rate[shape]
                else:
                    cells = read(core)
                    must_not_be_negative(cells, "weights")
                    area_too, cell_too, weight = area, cell, part * np.nan_to_num(cells).ravel()[cell]
                size = core.rows * core.columns
                first, second = area * size + cell, area_too * size + cell_too
                if read is not None and (np.diff(first) > 0).all():  # as nearly always: each pair occurs once
                    yield core, area, cell, part, weight
                    continue
                pair, at = np.unique(np.concatenate([first, second]), return_inverse=True)
                parts = np.bincount(at[: len(first)], part, minlength=len(pair))
                yield core, pair // size, pair % size, parts, np.bincount(at[len(first) :], weight, minlength=len(pair))


#: A window; of each pair the area, the cell of the window, the part of the cell in the area, and the weight.
_Piece = tuple[Window, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _ground(
    areas: gpd.GeoDataFrame,
    weights: AnyRaster | gpd.GeoDataFrame,
    rate_column: str | None,
    cell_m: float,
    like: AnyRaster | Lattice | None,
) -> _Ground:
    """Take a raster of weights, or cut the areas by polygons of land use."""
    if not isinstance(weights, gpd.GeoDataFrame):
        raster = as_raster(weights)
        told = f"a raster of weights{f' ({raster.title})' if raster.title else ''}"
        return _Ground(areas.index, moved_to(areas, raster.lattice), raster.lattice, told, raster)
    if like is None:
        lattice = lattice_over(areas, cell_m)
    else:
        lattice = like if isinstance(like, Lattice) else as_raster(like).lattice
        must_measure(lattice)
    shapes = moved_to(areas, lattice)
    uses, rates = _uses(weights, rate_column, lattice)
    owner, use = shapely.STRtree(uses).query(shapes, predicate="intersects")
    parts = shapely.intersection(shapes[owner], uses[use])
    solid = shapely.area(parts) > 0
    told = f"land use{f' ({rate_column})' if rate_column else ''}"
    return _Ground(areas.index, shapes, lattice, told, None, parts[solid], owner[solid], rates[use][solid])


def _uses(weights: gpd.GeoDataFrame, column: str | None, lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """Return the polygons of land use in the cells' system, and their rates."""
    must_have(weights, {"rate_column": column})
    if weights.crs is None:
        raise checks.crs_missing()
    if weights.empty:
        raise checks.empty_layer("there are no polygons of land use")
    shapes = moved_to(weights, lattice)
    odd = shapely.is_missing(shapes) | shapely.is_empty(shapes) | ~np.isin(shapely.get_type_id(shapes), _POLYGONS)
    if odd.any():
        kinds = weights.geom_type[odd].fillna("nothing")
        raise checks.not_polygons([str(code) for code in weights.index[odd]], kinds)
    if column is None:
        return shapes, np.ones(len(shapes))
    rates = pd.to_numeric(weights[column], errors="coerce").to_numpy(float)
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        what = f"{int(wrong.sum()):,} rate(s) are no quantity, the first of them '{weights[column][wrong].iloc[0]}'"
        raise TableError(Fault(what=what, column=column, expected="a number, 0 or more"))
    return shapes[rates > 0], rates[rates > 0]


# ---------------------------------------------------------------- window by window


@dataclass(frozen=True, eq=False)
class _Shares:
    """Counts of the areas, and what their cells come to: by weight and by surface."""

    count: np.ndarray
    weight: np.ndarray
    cells: np.ndarray

    @property
    def evenly(self) -> np.ndarray:
        return (self.weight <= 0) & (self.cells > 0)

    def of(self, area: np.ndarray, part: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return what pairs of an area and a cell get of the area's count; NaN where that is not known."""
        even = self.evenly[area]
        whole = np.where(even, self.cells[area], self.weight[area])
        return np.asarray(self.count[area] * (np.where(even, part, weight) / whole))


def _shares(ground: _Ground, number: np.ndarray) -> _Shares:
    weight, cells = np.zeros(len(number)), np.zeros(len(number))
    for _, area, _, part, heavy in ground.pieces():
        weight += np.bincount(area, heavy, minlength=len(number))
        cells += np.bincount(area, part, minlength=len(number))
    if not cells.any():
        raise all_outside(ground.lattice, ground.shapes)
    return _Shares(number, weight, cells)


def _odd_ones(ground: _Ground, shares: _Shares) -> np.ndarray:
    """Return which pairs of an area and a cell get one person more, as sorted keys."""
    owners, remainders, keys = [], [], []
    given = np.zeros(len(shares.count))
    for core, area, cell, part, weight in ground.pieces():
        quota = shares.of(area, part, weight)
        below = np.floor(quota + _SLIP)
        given += np.bincount(area, np.nan_to_num(below), minlength=len(given))
        over = quota - below > _SLIP
        owners.append(area[over])
        remainders.append((quota - below)[over].round(9))  # equal shares differ in their last digits
        keys.append(_keys(ground.lattice, core, area[over], cell[over]))
    owner, remainder, key = np.concatenate(owners), np.concatenate(remainders), np.concatenate(keys)
    order = np.lexsort((key, -remainder, owner))
    first = np.searchsorted(owner[order], owner[order])  # where the area's own begin
    left = np.nan_to_num(shares.count - given)
    chosen = order[np.arange(len(order)) - first < left[owner[order]]]
    return np.sort(key[chosen])


def _keys(lattice: Lattice, core: Window, area: np.ndarray, cell: np.ndarray) -> np.ndarray:
    row, column = core.row + cell // core.columns, core.column + cell % core.columns
    return np.asarray(area * lattice.size + row * lattice.columns + column)


def _placed(ground: _Ground, shares: _Shares, odd: np.ndarray | None, put: Put) -> pd.DataFrame:
    """Put the cells of each window; returns the table of areas."""
    placed = np.zeros(len(shares.count))
    for core, area, cell, part, weight in ground.pieces():
        value = shares.of(area, part, weight)
        if odd is not None:
            more = np.isin(_keys(ground.lattice, core, area, cell), odd, assume_unique=True)
            value = np.floor(value + _SLIP) + more
        known, size = np.isfinite(value), core.rows * core.columns
        placed += np.bincount(area[known], value[known], minlength=len(placed))
        cells = np.bincount(cell[known], value[known], minlength=size)
        touched = np.bincount(cell[known], minlength=size) > 0
        put(core, np.where(touched, cells, np.nan).reshape(core.rows, core.columns))
    return _table(ground, shares, placed)


def _table(ground: _Ground, shares: _Shares, placed: np.ndarray) -> pd.DataFrame:
    at = ground.lattice
    on_cells = np.clip(shares.cells * at.width * at.height / shapely.area(ground.shapes), 0, 1)
    unknown, nowhere = np.isnan(shares.count), shares.cells <= 0
    how = np.select([nowhere, shares.evenly], ["nowhere", "evenly"], default="weights")
    status = np.select([unknown, nowhere], ["not_collected", "out_of_scope"], default="observed")
    reasons = ["the count is not known", "not on the raster", "no weight: spread evenly over the surface"]
    return pd.DataFrame(
        {
            "count": shares.count,
            "placed": np.where(unknown, np.nan, placed),
            "unplaced": np.where(nowhere, shares.count, np.where(unknown, np.nan, 0.0)),
            "coverage": np.where(on_cells > 1 - _ROUNDING, 1.0, on_cells),
            "how": how,
            "status": status,
            "reason": np.select([unknown, nowhere, shares.evenly], reasons, default=""),
        },
        index=pd.Index(ground.areas.to_numpy(dtype=object), name="area_id"),
    )


def _lines(table: pd.DataFrame, unit: str) -> list[str]:
    said = [f"{table['placed'].sum():,.10g} of {table['count'].sum():,.10g} {unit} were placed in cells"]
    fates = {"evenly": "no weight and went evenly over the surface", "nowhere": "no cell, left out"}
    for how, text in fates.items():
        some = table[(table["how"] == how) & (table["count"] > 0)]
        if len(some):
            what = f"{_areas(len(some))} with {some['count'].sum():,.10g} {unit} {_have(len(some))} {text}"
            said.append(f"{what}: {checks.listed(some.index)}")
    partly = table.index[(table["coverage"] > 0) & (table["coverage"] < 1) & (table["count"] > 0)]
    if len(partly):
        verb = "lies" if len(partly) == 1 else "lie"
        said.append(f"{_areas(len(partly))} {verb} partly outside; all went to what is inside: {checks.listed(partly)}")
    unknown = table.index[table["count"].isna()]
    if len(unknown):
        said.append(f"{_areas(len(unknown))} {_have(len(unknown))} no count, and no data: {checks.listed(unknown)}")
    return said


def _areas(number: int) -> str:
    return "1 area" if number == 1 else f"{number:,} areas"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
