"""Areas: polygons with an id, a name and a level, in a metric system one may measure in.

A frame of areas has the index ``area_id`` (text) and the columns ``name``, ``level`` and ``geometry``
(MultiPolygon). Repairs and overlaps are reported, never hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan import checks
from geoplan.errors import CrsError, Fault, Faults, GeometryError

__all__ = [
    "AreaReport",
    "as_areas",
    "as_crs",
    "as_ids",
    "as_names",
    "check_points",
    "find_overlaps",
    "with_crs",
    "working_crs",
]

_SCALE_TOLERANCE = 0.01
_REGION_MARGIN = 10.0  # degrees: a zone is used well beyond its border where the scale allows; nonsense lies farther
_OVERLAP_M2 = 1.0
_TENTH_KM2 = 1e5
_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7


@dataclass(frozen=True)
class AreaReport:
    """What was found, and mended, in a layer of areas.

    Attributes
    ----------
    areas
        Number of areas.
    crs
        The metric system the areas are in.
    repaired
        Columns ``area_id, reason, change_m2``: invalid geometries that were mended, with the reason and the
        change in area.
    overlaps
        Columns ``area_a, area_b, overlap_m2``: pairs that share more than a square metre, largest first.
    total_m2
        Sum of the areas' surfaces, m².
    unnamed
        Number of areas without a name; their code stands in for it.
    """

    areas: int
    crs: str
    repaired: pd.DataFrame
    overlaps: pd.DataFrame
    total_m2: float
    unnamed: int = 0

    @property
    def overlap_m2(self) -> float:
        """Surface that more than one area claims, summed over pairs, m²."""
        return float(self.overlaps["overlap_m2"].sum())

    def lines(self) -> list[str]:
        """Return the findings as sentences; an empty list when there is nothing to tell."""
        said = []
        if self.unnamed:
            who = "1 area has" if self.unnamed == 1 else f"{self.unnamed:,} areas have"
            said.append(f"{who} no name; the code stands in for it")
        if len(self.repaired):
            first = self.repaired.iloc[0]
            said.append(
                f"{len(self.repaired)} invalid geometr{'y was' if len(self.repaired) == 1 else 'ies were'} repaired, "
                f"changing {self.repaired['change_m2'].abs().sum():,.1f} m² "
                f"(first: area '{first['area_id']}', {first['reason']})"
            )
        if len(self.overlaps):
            first = self.overlaps.iloc[0]
            pairs = (
                "1 pair of areas overlaps"
                if len(self.overlaps) == 1
                else f"{len(self.overlaps):,} pairs of areas overlap"
            )
            said.append(
                f"{pairs} by {ground(self.overlap_m2)} of {self.total_m2 / 1e6:,.0f} km² in all "
                f"(largest: '{first['area_a']}' and '{first['area_b']}', {first['overlap_m2']:,.0f} m²)"
            )
        return said


def as_areas(
    frame: gpd.GeoDataFrame,
    *,
    id_column: str,
    level: str,
    name_column: str | None = None,
    crs: str | None = None,
    published_crs: str | None = None,
    assign_crs: bool = False,
    id_width: int | None = None,
    id_pad: bool = False,
    homes_column: str | None = None,
    where: Mapping[str, str] | None = None,
    municipality_column: str | None = None,
) -> tuple[gpd.GeoDataFrame, AreaReport]:
    """Turn a frame as read from a file into areas, with a report of what was found and mended.

    Parameters
    ----------
    frame
        Polygons with at least ``id_column``; any coordinate system that is stated.
    id_column, name_column
        Columns of codes and names; the code is the name when there is none.
    level
        The level of the areas, such as ``"stadsdel"``.
    crs
        Metric system wanted, such as ``"EPSG:3006"``; the frame's own when left out.
    published_crs
        The system the frame must be in; a frame in another is a fault. With ``assign_crs`` it is given to a frame
        that states none.
    id_width, id_pad
        Number of characters of a code; with ``id_pad`` lost leading zeros are put back.
    homes_column
        Column with the number of homes of each area; an empty cell is not known.
    where
        Keep only the rows in which each column has the value given.
    municipality_column
        Column of the municipality each area lies in.

    Returns
    -------
    areas : geopandas.GeoDataFrame
        Index ``area_id`` (str, sorted), columns ``name`` (str), ``level`` (str), ``geometry`` (MultiPolygon, valid);
        with a ``municipality_column`` also ``municipality`` (str), with a ``homes_column`` also ``homes`` (float).
    report : AreaReport

    Raises
    ------
    InputError
        ``CrsError``, ``IdError``, ``GeometryError`` or ``SpecError``; all faults of the frame at once.

    Examples
    --------
    >>> from shapely import box
    >>> frame = gpd.GeoDataFrame({"code": ["01"]}, geometry=[box(674000, 6580000, 674500, 6580500)], crs=3006)
    >>> areas, report = as_areas(frame, id_column="code", level="stadsdel")
    >>> areas["name"].to_dict(), report.lines()
    ({'01': '01'}, [])
    """
    columns = {"name_column": name_column, "municipality_column": municipality_column, "homes_column": homes_column}
    must_have(frame, {"id_column": id_column, **columns, **{f"where.{name}": name for name in where or {}}})
    frame = _chosen(frame, where)
    faults = Faults()
    ids = pd.Series(dtype=object)
    with faults.catch():
        ids = as_ids(frame[id_column], width=id_width, pad=id_pad)
    with faults.catch():
        frame = with_crs(frame, published_crs, assign=assign_crs)
    homes: dict[str, np.ndarray] = {}
    with faults.catch():
        homes = {"homes": _counted(frame[homes_column])} if homes_column else {}
    faults.raise_any()
    with faults.catch():
        _must_be_polygons(frame.geometry, ids)
    with faults.catch():
        frame = working_crs(frame, crs)
    faults.raise_any()

    geometry, repaired = _repaired(frame.geometry, ids)
    named, unnamed = _names(frame, ids, name_column, municipality_column)
    named.insert(1, "level", level)
    named = named.assign(**homes)
    areas = gpd.GeoDataFrame(
        named,
        geometry=geometry,
        crs=frame.crs,
    ).sort_index()
    report = AreaReport(
        areas=len(areas),
        crs=crs_name(areas.crs),
        repaired=repaired,
        overlaps=find_overlaps(areas),
        total_m2=float(areas.area.sum()),
        unnamed=unnamed,
    )
    return areas, report


def as_names(
    frame: pd.DataFrame,
    *,
    id_column: str,
    name_column: str | None = None,
    municipality_column: str | None = None,
    id_width: int | None = None,
    id_pad: bool = False,
    where: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return what areas are called, whatever their geometry; the arguments are those of :func:`as_areas`.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id`` (str, sorted), column ``name`` (str); with a ``municipality_column`` also ``municipality``.

    Raises
    ------
    InputError
        When a column is absent, no row is left, or a code is missing, shortened or occurs twice.
    """
    columns = {"name_column": name_column, "municipality_column": municipality_column}
    must_have(frame, {"id_column": id_column, **columns, **{f"where.{name}": name for name in where or {}}})
    frame = _chosen(frame, where)
    ids = as_ids(frame[id_column], width=id_width, pad=id_pad)
    return _names(frame, ids, name_column, municipality_column)[0].sort_index()


def _chosen(frame: gpd.GeoDataFrame, where: Mapping[str, str] | None) -> gpd.GeoDataFrame:
    for column, value in (where or {}).items():
        frame = frame[frame[column].astype(str) == value]
    if frame.empty:
        raise checks.empty_layer(f"no row fulfils {dict(where or {})}" if where else "the layer has no rows")
    return frame


def _names(
    frame: pd.DataFrame, ids: pd.Series, name_column: str | None, municipality_column: str | None
) -> tuple[pd.DataFrame, int]:
    """Return names by code, the code where there is none, and how many areas have none."""
    names = frame[name_column].fillna("").astype(str).str.strip() if name_column else ids
    unnamed = names == ""
    table = {"name": names.where(~unnamed, ids).to_numpy(dtype=object)}
    if municipality_column:
        table["municipality"] = frame[municipality_column].fillna("").astype(str).str.strip().to_numpy(dtype=object)
    return pd.DataFrame(table, index=pd.Index(ids.to_numpy(dtype=object), name="area_id")), int(unnamed.sum())


def _counted(column: pd.Series) -> np.ndarray:
    """Read numbers of homes; an empty cell is not known."""
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    filled = column.notna() & (column.astype(str).str.strip() != "")
    wrong = (numbers.isna() & filled) | (numbers < 0)
    if wrong.any():
        raise checks.bad_number(str(column[wrong].iloc[0]), row=row_of(column[wrong]), column=str(column.name))
    return np.asarray(numbers)


def amounts_of(frame: pd.DataFrame, ids: pd.Series, columns: Mapping[str, str | None]) -> pd.DataFrame:
    """Return columns of amounts by id, under names of their own: numbers that are not negative, NaN where empty.

    Raises
    ------
    InputError
        When a column is missing or holds what is no amount; all of them at once.
    """
    must_have(frame, {f"{name}_column": column for name, column in columns.items()})
    faults, found = Faults(), {}
    for name, column in columns.items():
        if column is not None:
            with faults.catch():
                found[name] = _counted(frame[column])
    faults.raise_any()
    return pd.DataFrame(found, index=pd.Index(ids))


def must_have(frame: pd.DataFrame, columns: Mapping[str, str | None]) -> None:
    """Refuse a frame that lacks a column; ``columns`` gives each under the key that names it."""
    faults, present = Faults(), [str(name) for name in frame.columns]
    for key, name in columns.items():
        if name is not None and name not in present:
            for error in checks.absent_columns([name], present, key=key):
                faults.add(error)
    faults.raise_any()


def as_ids(column: pd.Series, *, width: int | None = None, pad: bool = False) -> pd.Series:
    """Turn a column into area codes: text, none missing, of full width, each once.

    Raises
    ------
    IdError
        With every missing, shortened or duplicate code of the column.
    """
    ids = codes(column, width=width, pad=pad)
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise checks.duplicate_ids(sorted(set(repeated)), str(column.name), row=row_of(repeated))
    return ids


def codes(column: pd.Series, *, width: int | None = None, pad: bool = False) -> pd.Series:
    """Turn a column into area codes that may repeat: text, none missing, of full width."""
    missing = column.isna() | (column.astype(str).str.strip() == "")
    name = str(column.name)
    if missing.any():
        raise checks.missing_ids([int(row) for row in column.index[missing]], name)
    if pd.api.types.is_float_dtype(column) and (column == column.round()).all():
        column = column.astype("int64")  # a code column with a gap elsewhere comes as 101.0
    ids = column.astype(str).str.strip().astype(object)
    if width is not None:
        if pad:
            ids = ids.str.zfill(width).astype(object)
        short = ids[ids.str.len() < width]
        if len(short):
            raise checks.shortened_ids(sorted(set(short)), name, width, row=row_of(short))
    return ids


def row_of(column: pd.Series) -> int | None:
    first = column.index[0]
    return int(first) if isinstance(first, int | np.integer) else None


def ground(square_metres: float) -> str:
    """Write a surface in m², or from a tenth of a square kilometre in km²."""
    return f"{square_metres / 1e6:,.2f} km²" if square_metres >= _TENTH_KM2 else f"{square_metres:,.0f} m²"


# ---------------------------------------------------------------- coordinate systems


def crs_name(crs: pyproj.CRS) -> str:
    return crs.to_string() if crs.to_authority() else crs.name


def with_crs(frame: gpd.GeoDataFrame, published: str | None, *, assign: bool = False) -> gpd.GeoDataFrame:
    """Make sure that a frame states the system it is published in; with ``assign``, give it to one that states none.

    Raises
    ------
    CrsError
        When the frame states no system, or another one.
    """
    try:
        declared = as_crs(published) if published else None
    except CrsError as error:
        raise error.located(key="crs") from error
    if frame.crs is None:
        if declared is None or not assign:
            raise checks.crs_missing()
        return frame.set_crs(declared)
    if declared is not None and not frame.crs.equals(declared, ignore_axis_order=True):
        raise checks.crs_mismatch(crs_name(frame.crs), str(published))
    return frame


def as_crs(text: str) -> pyproj.CRS:
    """Turn a code such as ``EPSG:3006`` into a coordinate system.

    Raises
    ------
    CrsError
        When there is no such system.
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        raise checks.crs_unknown(text) from error


def working_crs(frame: gpd.GeoDataFrame, crs: str | None = None) -> gpd.GeoDataFrame:
    """Bring a frame into a metric system and make sure that one may measure in it.

    Parameters
    ----------
    frame
        Any geometries with a stated system.
    crs
        The system wanted; the frame's own when left out.

    Raises
    ------
    CrsError
        When the frame states no system, or the system is not in metres, or the data lie far outside its region, or
        its linear scale at their centre is off by more than 1 % (EPSG:3857 at Stockholm: 1.96).
    """
    if frame.crs is None:
        raise checks.crs_missing()
    target = as_crs(crs) if crs else frame.crs
    unit = target.axis_info[0].unit_name if target.axis_info else "unknown units"
    if not target.is_projected or unit not in {"metre", "meter"}:
        raise checks.crs_not_metric(crs_name(target), unit)
    moved = frame if frame.crs.equals(target, ignore_axis_order=True) else frame.to_crs(target)
    longitude, latitude = _centre(moved, target)
    must_lie_in(target, longitude, latitude)
    factors = pyproj.Proj(target).get_factors(longitude, latitude)
    worst = max((factors.meridional_scale, factors.parallel_scale), key=lambda scale: abs(scale - 1))
    if not np.isfinite(worst) or abs(worst - 1) > _SCALE_TOLERANCE:
        raise checks.crs_distorts(crs_name(target), worst, latitude=latitude)
    return moved


def measurable(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make sure that areas can be told apart and measured: there are some, each once, all with ground.

    Raises
    ------
    InputError
        When there are none, a code occurs twice, an area has no geometry, or one may not measure in their system.
    """
    if areas.empty:
        raise checks.empty_layer("there are no areas", expected="at least one")
    if not areas.index.is_unique:
        raise checks.duplicate_ids(sorted(set(areas.index[areas.index.duplicated()])), "area_id")
    nowhere = areas.geometry.isna() | areas.geometry.is_empty
    if nowhere.any():
        raise checks.empty_geometry([str(code) for code in areas.index[nowhere]])
    return working_crs(areas)


def _centre(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> tuple[float, float]:
    west, south, east, north = frame.total_bounds
    back = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    longitude, latitude = back.transform((west + east) / 2, (south + north) / 2)
    return float(longitude), float(latitude)


def must_lie_in(crs: pyproj.CRS, longitude: float, latitude: float) -> None:
    """Refuse coordinates far outside the region of their system: degrees said to be metres, swapped axes."""
    region = crs.area_of_use
    inside = np.isfinite(longitude) and np.isfinite(latitude)
    if region and inside:
        inside = (
            region.west - _REGION_MARGIN <= longitude <= region.east + _REGION_MARGIN
            and region.south - _REGION_MARGIN <= latitude <= region.north + _REGION_MARGIN
        )
    if not inside:
        name = region.name.rstrip(".") if region else "unknown"
        raise checks.crs_outside(crs_name(crs), name, longitude=longitude, latitude=latitude)


# ---------------------------------------------------------------- geometry


def _must_be_polygons(geometry: gpd.GeoSeries, ids: pd.Series) -> None:
    empty = geometry.isna() | geometry.is_empty
    if empty.any():
        raise checks.empty_geometry(list(ids[empty]))
    other = ~geometry.geom_type.isin(["Polygon", "MultiPolygon"])
    if other.any():
        raise checks.not_polygons(list(ids[other]), geometry.geom_type[other])


def _repaired(geometry: gpd.GeoSeries, ids: pd.Series) -> tuple[np.ndarray, pd.DataFrame]:
    """Mend invalid polygons, keep only surfaces, and make everything a MultiPolygon."""
    shapes = geometry.to_numpy()
    invalid = ~shapely.is_valid(shapes)
    mended = shapes.copy()
    mended[invalid] = [
        _surface(s) for s in shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    ]
    lost = shapely.is_empty(mended)
    if lost.any():
        raise GeometryError(
            Fault(
                what=f"{lost.sum()} area(s) have no surface that could be repaired: {checks.listed(ids[lost])}",
                expected="a polygon that encloses a surface",
            )
        )
    table = pd.DataFrame(
        {
            "area_id": ids.to_numpy()[invalid],
            "reason": shapely.is_valid_reason(shapes[invalid]),
            "change_m2": shapely.area(mended[invalid]) - shapely.area(shapes[invalid]),
        }
    )
    single = shapely.get_type_id(mended) == _POLYGON
    mended[single] = [shapely.multipolygons([shape]) for shape in mended[single]]
    return mended, table


def _surface(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the polygons of what a repair made."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_type_id(part) == _POLYGON]
    return shapely.multipolygons(parts)


def unite(shapes: np.ndarray, group: np.ndarray, size: int) -> np.ndarray:
    """Unite the shapes of each group, numbered from 0; a group without shapes becomes an empty one."""
    order = np.argsort(group, kind="stable")
    borders = np.searchsorted(group[order], np.arange(size + 1))
    return np.array([shapely.union_all(shapes[order[a:b]]) for a, b in pairwise(borders)], dtype=object)


def find_overlaps(areas: gpd.GeoDataFrame, *, tolerance_m2: float = _OVERLAP_M2) -> pd.DataFrame:
    """Return the pairs of areas that claim the same ground.

    Parameters
    ----------
    areas
        Areas in a metric system.
    tolerance_m2
        Smaller overlaps are rounding of coordinates and left out.

    Returns
    -------
    pandas.DataFrame
        Columns ``area_a``, ``area_b`` (str), ``overlap_m2`` (float), largest first.

    Examples
    --------
    >>> from shapely import box
    >>> shapes = [box(0, 0, 100, 100), box(90, 0, 200, 100)]
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(["a", "b"], name="area_id"), crs="EPSG:3006")
    >>> find_overlaps(areas).values.tolist()
    [['a', 'b', 1000.0]]
    """
    shapes = areas.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    keep = common > tolerance_m2
    table = pd.DataFrame(
        {
            "area_a": areas.index.to_numpy()[first[keep]],
            "area_b": areas.index.to_numpy()[second[keep]],
            "overlap_m2": common[keep],
        }
    )
    return table.sort_values(["overlap_m2", "area_a", "area_b"], ascending=[False, True, True], ignore_index=True)


def check_points(
    frame: gpd.GeoDataFrame, *, id_column: str, value_column: str, id_width: int | None = None, id_pad: bool = False
) -> None:
    """Make sure that a layer of points has its columns, each code once, a number in every row, and points.

    Raises
    ------
    InputError
        With all faults of the frame at once.
    """
    must_have(frame, {"id_column": id_column, "value_column": value_column})
    faults = Faults()
    with faults.catch():
        as_ids(frame[id_column], width=id_width, pad=id_pad)
    numbers = pd.to_numeric(frame[value_column], errors="coerce")
    wrong = frame.index[numbers.isna()]
    if len(wrong):
        faults.add(checks.bad_number(str(frame[value_column][wrong[0]]), row=int(wrong[0]), column=value_column))
    other = ~frame.geom_type.isin(["Point", "MultiPoint"])
    if other.any():
        what = f"{int(other.sum())} geometries are no points but {checks.listed(sorted(set(frame.geom_type[other])))}"
        faults.add(GeometryError(Fault(what=what, expected="points")))
    faults.raise_any()
