"""Crosswalks: which part of an area's figures goes to which other area, when boundaries do not match.

A crosswalk is made from two layers of areas and a way to weigh their pieces, by surface, by a grid of people, by
points or by buildings; or it is read from a table of boundary changes with their dates. What is done to figures with
it stands in :mod:`geoplan.places.transfers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource

from geoplan import checks
from geoplan.errors import Fault, GeometryError, TableError
from geoplan.places.areas import as_crs, crs_name, find_overlaps, measurable, must_have

__all__ = ["Crosswalk", "CrosswalkReport", "Grid", "crosswalk"]

_ROUNDING = 1e-6  # shares of an area that are no more than rounding of coordinates
_TENTH_KM2 = 1e5
_OUTSIDE = ("spread", "keep")
_POINTS, _POLYGONS = {0, 4}, {3, 6}
_Amount = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid of a quantity, such as residents per cell.

    Attributes
    ----------
    cells
        Rows × columns, the northernmost row first; NaN where there is no data, which counts as nothing.
    west, north
        The outer corner of the first cell, in units of ``crs``.
    width, height
        The size of a cell, in units of ``crs``: metres, or degrees.
    crs
        The system of the grid, such as ``"EPSG:3006"``; it may be another than that of the areas.

    Raises
    ------
    TableError
        When a cell is negative or infinite, or the grid has no cells or cells of no size.

    Examples
    --------
    >>> Grid(np.array([[3.0, 1.0]]), west=674000, north=6580100, width=100, height=100, crs="EPSG:3006").total
    4.0
    """

    cells: np.ndarray
    west: float
    north: float
    width: float
    height: float
    crs: str

    def __post_init__(self) -> None:
        flat = self.cells.ndim == 2 and self.cells.size > 0  # noqa: PLR2004  rows and columns
        if not flat or self.width <= 0 or self.height <= 0:
            what = f"the grid has the shape {self.cells.shape} and cells of {self.width:g} by {self.height:g}"
            raise TableError(Fault(what=what, expected="rows and columns of cells that have a size"))
        wrong = int(np.sum((self.cells < 0) | np.isinf(self.cells)))
        if wrong:
            raise TableError(
                Fault(
                    what=f"{wrong:,} cell(s) of the grid are negative or infinite",
                    expected="a quantity: 0 or more, or no data",
                    hint="if the number stands for a missing value, declare it as no data in the file",
                )
            )

    @property
    def total(self) -> float:
        """The sum of all cells."""
        return float(np.nansum(self.cells))


@dataclass(frozen=True)
class CrosswalkReport:
    """How well two layers of areas fit, and what was done where they do not.

    Attributes
    ----------
    method
        ``area``, ``raster``, ``points`` or ``buildings``.
    sources, targets
        Number of areas on both sides.
    split
        Number of source areas whose figures go to several targets, or partly to none.
    total, spread, kept
        Surface of the sources in m², or their weight; how much of it lies outside every target and was spread over
        them; and how much lies outside and goes to no target. Sources that were weighed by surface for want of weight
        do not count here.
    fallbacks
        Sources without any weight; they are weighed by surface.
    neighbours
        Sources some of whose figures go to no target: those that lie mostly or wholly outside, or with
        ``outside="keep"`` partly.
    without_source
        Targets that get nothing.
    overlaps
        Pairs of targets that claim the same ground, as from :func:`~geoplan.places.find_overlaps`.
    """

    method: str
    sources: int
    targets: int
    split: int
    total: float
    spread: float
    kept: float
    fallbacks: tuple[str, ...]
    neighbours: tuple[str, ...]
    without_source: tuple[str, ...]
    overlaps: pd.DataFrame

    def lines(self) -> list[str]:
        """Return the report as sentences; the first says how many areas are split."""
        ways = {"area": "surface", "raster": "the grid", "points": "points", "buildings": "buildings"}
        many = f"{self.sources:,} area{_s(self.sources)} to {self.targets:,}"
        said = [f"figures are moved from {many} by {ways[self.method]}; {self.split:,} of them are split"]
        if self.spread > _ROUNDING * self.total:
            said.append(
                f"{self._shown(self.spread)} of {self._shown(self.total)} lies outside the new areas and was spread "
                "over those that get the rest"
            )
        if self.neighbours:
            verb = "lies" if len(self.neighbours) == 1 else "lie"
            said.append(
                f"{len(self.neighbours):,} area{_s(len(self.neighbours))} {verb} partly or wholly outside the new "
                f"areas; {self._shown(self.kept)} was left out: {checks.listed(self.neighbours)}"
            )
        if self.fallbacks:
            verb = "has" if len(self.fallbacks) == 1 else "have"
            said.append(
                f"{len(self.fallbacks):,} area{_s(len(self.fallbacks))} {verb} no weight and went by surface: "
                f"{checks.listed(self.fallbacks)}"
            )
        if self.without_source:
            verb = "gets" if len(self.without_source) == 1 else "get"
            said.append(
                f"{len(self.without_source):,} new area{_s(len(self.without_source))} {verb} nothing: "
                f"{checks.listed(self.without_source)}"
            )
        if len(self.overlaps):
            pairs = "1 pair" if len(self.overlaps) == 1 else f"{len(self.overlaps):,} pairs"
            common = _surface_shown(float(self.overlaps["overlap_m2"].sum()))
            verb = "overlaps" if len(self.overlaps) == 1 else "overlap"
            said.append(f"{pairs} of new areas {verb} by {common}; what lies there is divided, not counted twice")
        return said

    def _shown(self, amount: float) -> str:
        return _surface_shown(amount) if self.method == "area" else f"{amount:,.0f}"


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _surface_shown(square_metres: float) -> str:
    big = square_metres >= _TENTH_KM2
    return f"{square_metres / 1e6:,.2f} km²" if big else f"{square_metres:,.0f} m²"


@dataclass(frozen=True)
class Crosswalk:
    """Which share of each source area's figures goes to which target.

    Attributes
    ----------
    data
        Columns ``from_id``, ``to_id`` (str; None for what goes to no target), ``share`` (float in (0, 1], adding up to
        1 over the rows of a source) and ``method`` (``area``, ``raster``, ``points`` or ``buildings``: how that source
        was weighed); sorted by source and target.
    report
        How well the layers fit.
    """

    data: pd.DataFrame
    report: CrosswalkReport


@dataclass(frozen=True)
class _Claims:
    """What targets claim of sources, by position; and what of each source lies inside any target, and in all."""

    source: np.ndarray
    target: np.ndarray
    amount: np.ndarray
    inside: np.ndarray
    total: np.ndarray


def crosswalk(
    source: gpd.GeoDataFrame,
    target: gpd.GeoDataFrame,
    *,
    weights: Grid | gpd.GeoDataFrame | None = None,
    weight_column: str | None = None,
    outside: Literal["spread", "keep"] = "spread",
    minimum_inside: float = 0.5,
    minimum_piece: float = 1e-6,
) -> Crosswalk:
    r"""Work out which share of each area's figures goes to which area of another layer.

    The share of source *s* that goes to target *t* is

    .. math:: a_{st} = \frac{w(s \cap t)}{\sum_u w(s \cap u)} \cdot \frac{w(s \cap \bigcup_u u)}{w(s)}

    where *w* is surface (areal weighting), or people, jobs, homes … (dasymetric weighting; Goodchild & Lam 1980,
    Eicher & Brewer 2001). Where targets overlap, each gets of the common ground in proportion to what it claims of the
    source, so that nobody is counted twice. Where nothing of a source lies outside the targets, or that part is spread,
    the second factor is 1.

    Parameters
    ----------
    source, target
        Areas in the same metric system, their codes in the index.
    weights
        Where people are: a :class:`Grid`, whose cells are even inside and counted by the exact part that is covered;
        points; or polygons of buildings, of which a part brings its part of the surface. By surface when left out.
    weight_column
        Column of ``weights`` with the quantity of a point or building (0 or more); each counts as one when left out.
    outside
        What becomes of the parts of a source that lie outside every target: ``"spread"`` gives them to the targets in
        proportion to the rest (water, borders drawn otherwise); ``"keep"`` gives them a row with ``to_id`` None.
    minimum_inside
        A source of which less lies inside the targets (0-1, by the weight) is a neighbour and no matter of how a
        border was drawn: what lies outside is kept in a row with ``to_id`` None even under ``"spread"``.
    minimum_piece
        Pieces that are a smaller part of their source are differences of drawing and go to its other pieces.

    Returns
    -------
    Crosswalk

    Raises
    ------
    InputError
        When the layers are in different systems or in one that one may not measure in; when a weight is not a number,
        is negative, or belongs to neither points nor polygons.

    Examples
    --------
    >>> from shapely import box
    >>> def areas(**boxes):
    ...     ids = pd.Index(list(boxes), name="area_id")
    ...     shapes = [box(674000 + west, 6580000, 674000 + east, 6580100) for west, east in boxes.values()]
    ...     return gpd.GeoDataFrame(geometry=shapes, index=ids, crs="EPSG:3006")
    >>> old, new = areas(a=(0, 100), b=(100, 200)), areas(x=(0, 125), y=(125, 200))
    >>> crosswalk(old, new).data[["from_id", "to_id", "share"]].values.tolist()
    [['a', 'x', 1.0], ['b', 'x', 0.25], ['b', 'y', 0.75]]
    """
    source, target = measurable(source), measurable(target)
    if source.crs != target.crs:
        raise checks.crs_differ(crs_name(source.crs), crs_name(target.crs))
    if outside not in _OUTSIDE:
        raise checks.unknown_name("way with what lies outside", outside, _OUTSIDE, key="outside")
    first, second = source.geometry.to_numpy(), target.geometry.to_numpy()
    overlaps = find_overlaps(target)
    tangled = target.index.isin([*overlaps["area_a"], *overlaps["area_b"]])
    method, claims = _weighed(first, second, tangled, weights, weight_column, source.crs)
    bare = np.flatnonzero(claims.total <= 0)  # never by surface
    joined = _joined(claims, _by_surface(first[bare], second, tangled, shapely.area), bare) if len(bare) else claims
    rows = _shares(joined, spread=outside == "spread", least=minimum_inside, piece=minimum_piece)
    place, goal = rows["source"].to_numpy(), rows["target"].to_numpy()
    table = pd.DataFrame(
        {
            "from_id": source.index.to_numpy(dtype=object)[place],
            "to_id": pd.Series([*target.index, None], dtype=object).to_numpy()[goal],  # -1 is the last, None
            "share": rows["share"],
            "method": np.where(np.isin(place, bare), "area", method),
        },
        dtype=object,
    ).astype({"share": float})
    beyond, left = (claims.total - claims.inside).clip(min=0), np.unique(place[goal < 0])
    report = CrosswalkReport(
        method=method,
        sources=len(source),
        targets=len(target),
        split=int(rows.loc[rows["share"] < 1, "source"].nunique()),
        total=float(claims.total.sum()),
        spread=float(beyond.sum() - beyond[left].sum()),
        kept=float(beyond[left].sum()),
        fallbacks=tuple(source.index[bare]),
        neighbours=tuple(source.index[left]),
        without_source=tuple(target.index.difference(table["to_id"])),
        overlaps=overlaps,
    )
    return Crosswalk(table.sort_values(["from_id", "to_id"], ignore_index=True), report)


# ---------------------------------------------------------------- ways to weigh


def _weighed(
    first: np.ndarray,
    second: np.ndarray,
    tangled: np.ndarray,
    weights: Grid | gpd.GeoDataFrame | None,
    column: str | None,
    crs: Any,
) -> tuple[str, _Claims]:
    """Choose the way to weigh by what the weights are."""
    if weights is None:
        return "area", _by_surface(first, second, tangled, shapely.area)
    if isinstance(weights, Grid):
        return "raster", _by_surface(first, second, tangled, _in_grid(weights, crs))
    things, weight = _things(weights, column, crs)
    kinds = set(np.unique(shapely.get_type_id(things)))
    if kinds <= _POINTS:
        return "points", _by_points(first, second, things, weight)
    if kinds <= _POLYGONS:
        return "buildings", _by_surface(first, second, tangled, _in_buildings(things, weight))
    found = checks.listed(sorted(set(weights.geom_type)))
    raise GeometryError(Fault(what=f"the weights are {found}", expected="all points, or all polygons"))


def _by_surface(first: np.ndarray, second: np.ndarray, tangled: np.ndarray, amount_in: _Amount) -> _Claims:
    """Cut each source by the targets and count what lies in every piece."""
    source, target, pieces = _cut(first, second)
    amount = amount_in(pieces)
    inside = np.bincount(source, amount, minlength=len(first))
    # Where targets overlap inside a source, the sum of its pieces is more than what lies in any of them.
    claimed = np.bincount(source, tangled[target], minlength=len(first)) > 1
    if claimed.any():
        own = claimed[source] & tangled[target]
        _, group = np.unique(source[own], return_inverse=True)
        together = shapely.geometrycollections(pieces[own], indices=group)
        once = amount_in(shapely.union_all(together[:, np.newaxis], axis=1))
        inside[claimed] += once - np.bincount(group, amount[own])
    return _Claims(source, target, amount, inside, amount_in(first))


def _cut(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the solid pieces of two layers laid over each other, with their places in both."""
    tree = shapely.STRtree(second)
    source, target = tree.query(first, predicate="intersects")
    pieces = first[source]
    # What lies wholly in the other need not be cut, which is what takes time.
    pair = source * len(second) + target
    inner, outer = (np.isin(pair, _paired(tree, first, how)) for how in ("within", "contains"))
    pieces[outer] = second[target[outer]]
    crossing = ~(inner | outer)
    pieces[crossing] = shapely.intersection(first[source[crossing]], second[target[crossing]])
    solid = shapely.area(pieces) > 0
    return source[solid], target[solid], pieces[solid]


def _paired(tree: shapely.STRtree, first: np.ndarray, how: str) -> np.ndarray:
    source, target = tree.query(first, predicate=how)
    return np.asarray(source * len(tree.geometries) + target)


def _in_grid(grid: Grid, crs: Any) -> _Amount:
    """Return the function that adds up the cells inside shapes, each by the part of it that is covered."""
    rows, columns = grid.cells.shape
    east, south = grid.west + columns * grid.width, grid.north - rows * grid.height
    known = np.nan_to_num(grid.cells.astype(float))
    raster = NumPyRasterSource(known, xmin=grid.west, ymin=south, xmax=east, ymax=grid.north)
    own = as_crs(grid.crs)

    def amount_in(shapes: np.ndarray) -> np.ndarray:
        parts, place = shapely.get_parts(shapes, return_index=True)  # an intersection may hold lines besides
        solid = shapely.area(parts) > 0
        frame = gpd.GeoDataFrame(geometry=parts[solid], crs=crs).to_crs(own)
        found = exact_extract(raster, frame, ["sum"], output="pandas")["sum"].fillna(0.0) if len(frame) else []
        return np.bincount(place[solid], found, minlength=len(shapes)).astype(float)

    return amount_in


def _in_buildings(buildings: np.ndarray, weight: np.ndarray) -> _Amount:
    """Return the function that adds up buildings inside shapes, each by the part of its surface that is covered."""
    density = weight / shapely.area(buildings)
    tree = shapely.STRtree(buildings)

    def amount_in(shapes: np.ndarray) -> np.ndarray:
        place, building = tree.query(shapes, predicate="intersects")
        common = shapely.area(shapely.intersection(shapes[place], buildings[building]))
        return np.bincount(place, common * density[building], minlength=len(shapes)).astype(float)

    return amount_in


def _by_points(first: np.ndarray, second: np.ndarray, points: np.ndarray, weight: np.ndarray) -> _Claims:
    """Count points in both layers; one on a border belongs to all that share it, and is divided by the shares."""
    tree = shapely.STRtree(points)
    sources, targets = (
        pd.DataFrame(tree.query(shapes, predicate="intersects").T, columns=[name, "point"])
        for name, shapes in (("source", first), ("target", second))
    )
    pairs = sources.merge(targets, on="point")
    claimed = weight[pairs["point"]]
    amounts = pd.Series(claimed, index=pairs.index).groupby([pairs["source"], pairs["target"]]).sum()
    met = sources[sources["point"].isin(targets["point"])]
    return _Claims(
        source=amounts.index.get_level_values(0).to_numpy(dtype=int),
        target=amounts.index.get_level_values(1).to_numpy(dtype=int),
        amount=amounts.to_numpy(dtype=float),
        inside=np.bincount(met["source"], weight[met["point"]], minlength=len(first)),
        total=np.bincount(sources["source"], weight[sources["point"]], minlength=len(first)),
    )


def _things(weights: gpd.GeoDataFrame, column: str | None, crs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bring points or buildings into the areas' system, with their weights."""
    must_have(weights, {"weight_column": column})
    if weights.crs is None:
        raise checks.crs_missing()
    shapes = weights.geometry.to_crs(crs).to_numpy()
    nowhere = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    nowhere |= np.isin(shapely.get_type_id(shapes), list(_POLYGONS)) & (shapely.area(shapes) == 0)
    if nowhere.any():
        what = f"{int(nowhere.sum())} of the weights have an empty geometry, or one without surface"
        raise GeometryError(Fault(what=what, expected="points or polygons"))
    if not column:
        return shapes, np.ones(len(shapes))
    number = pd.to_numeric(weights[column], errors="coerce")
    wrong = ~(np.isfinite(number) & (number >= 0))
    if wrong.any():
        what = f"{int(wrong.sum())} weight(s) are no quantity, the first of them '{weights[column][wrong].iloc[0]}'"
        raise TableError(Fault(what=what, column=column, expected="a number, 0 or more"))
    return shapes, number.to_numpy(dtype=float)


def _joined(claims: _Claims, others: _Claims, places: np.ndarray) -> _Claims:
    """Put the claims on some sources, by their places, beside those on the rest."""
    inside, total = claims.inside.copy(), claims.total.copy()
    inside[places], total[places] = others.inside, others.total
    kept = claims.amount > 0  # what had no weight has none of its own claims left
    return _Claims(
        source=np.concatenate([claims.source[kept], places[others.source]]),
        target=np.concatenate([claims.target[kept], others.target]),
        amount=np.concatenate([claims.amount[kept], others.amount]),
        inside=inside,
        total=total,
    )


def _shares(claims: _Claims, *, spread: bool, least: float, piece: float) -> pd.DataFrame:
    """Turn claims into shares, by position, that add up to 1 for each source; what goes to no target has target -1."""
    size = len(claims.total)
    kept = (claims.amount > 0) & (claims.amount > piece * claims.total[claims.source])
    source, target, amount = claims.source[kept], claims.target[kept], claims.amount[kept]
    claimed = np.bincount(source, amount, minlength=size)
    inside = np.where(claimed > 0, claims.inside / claims.total, 0.0)
    inside = np.where(inside > 1 - _ROUNDING, 1.0, inside)
    if spread:
        inside = np.where((inside > 0) & (inside >= least), 1.0, inside)
    share = amount / claimed[source] * inside[source]
    left = np.flatnonzero(inside < 1)
    return pd.DataFrame(
        {
            "source": np.concatenate([source, left]),
            "target": np.concatenate([target, np.full(len(left), -1)]),
            "share": np.concatenate([share, 1 - inside[left]]),
        }
    )
