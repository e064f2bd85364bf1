"""Points, streets and timetables for a question about travel times, and the answer as a file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from shapely import Point, box

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, OutputError, SpecError, listed
from geoplan.places.areas import as_ids, codes, must_have
from geoplan.reach import UNREACHED, load_streets, read_streets, read_timetable, snap
from geoplan.reach.asking import percentiles_of
from geoplan.run.datasets import read_areas, read_features
from geoplan.run.folder import atomic_file
from geoplan.run.matching import layer_of_kind
from geoplan.show.tables import write_csv
from geoplan.sources import Catalogue, read_vector
from geoplan.specs import AreasLayer, BackdropLayer, PointsLayer

if TYPE_CHECKING:
    from geoplan.reach import Streets, Timetable, TravelTimes

__all__ = [
    "MAPS",
    "TIMES",
    "Points",
    "in_reach_of",
    "must_be_percentiles",
    "must_be_writable",
    "open_streets",
    "open_timetable",
    "place_or_id",
    "read_backdrop",
    "read_moment",
    "read_points",
    "streets_around",
    "summary_of",
    "write_drawn",
    "write_times",
]

#: Endings of files that a matrix, and a map, may be written to.
TIMES, MAPS = (".parquet", ".csv"), (".html", ".png", ".svg", ".pdf")
_HEAD, _SAVED = "streets.json", {".zip", ".streets"}
_DATE = len("2012-10-09")
_LATITUDE, _LONGITUDE, _PAIR = 90, 180, 2
_NEAR_M, _AROUND_M = 2000, 500


@dataclass(frozen=True)
class Points:
    """Points with their ids as the index, and the column these come from."""

    frame: gpd.GeoDataFrame
    source: str
    id_column: str


# ---------------------------------------------------------------- points


def read_points(
    source: str, *, root: Path, layer: str | None = None, id_column: str | None = None, of_areas: bool = False
) -> Points:
    """Read the points of a file, or of a layer of areas or points of a project.

    Parameters
    ----------
    source
        A file that :func:`geoplan.read_vector` reads, or the id of a layer in ``root``.
    root
        The project.
    layer
        Layer of a file that has several.
    id_column
        Column of ids; ``id`` when left out, or the only one that ends in ``_id``.
    of_areas
        Take a point inside each area where there are areas.

    Raises
    ------
    InputError
        When the file or layer cannot be read, has no coordinate system, no such column, ids that are missing or occur
        twice, or geometries that are no points.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> read_points("nordhamra_workplaces", root=home()).frame.index[:2].tolist()
    ['W0001', 'W0002']
    """
    catalogue = Catalogue(root.resolve())
    known = catalogue.names("layers")
    if not Path(source).is_file() and (source in known or not Path(source).suffix):
        if source not in known:
            hint = "a file of points, or a layer of the project by its id"
            raise SpecError(Fault(what="there is no such file, and no layer is called so", file=source, hint=hint))
        return _of_layer(catalogue, source, of_areas=of_areas)
    with Faults.located_at(source):
        frame = read_vector(Path(source), layer)
        if frame.crs is None:
            hint = "write it into the file (QGIS: Export, or `ogr2ogr -a_srs EPSG:3006`)"
            raise checks.crs_missing(hint=hint)
        name = id_column or _id_column([str(column) for column in frame.columns if column != frame.geometry.name])
        must_have(frame, {"id": name})
        return _pointed(frame, _once(codes(frame[name]), name), source, name, of_areas=of_areas)


def _once(ids: pd.Series, column: str) -> pd.Series:
    twice = ids[ids.duplicated()]
    if len(twice):
        what = f"{len(set(twice)):,} id(s) occur more than once: {listed(dict.fromkeys(twice))}"
        raise IdError(Fault(what=what, column=column, expected="each point once", hint="name another column"))
    return ids


def _of_layer(catalogue: Catalogue, name: str, *, of_areas: bool) -> Points:
    dataset = catalogue.layer(name)
    spec = dataset.spec
    if isinstance(spec, AreasLayer):
        frame = read_areas(dataset, None)[0]
        ids = pd.Series(frame.index, index=frame.index, dtype=object)
    elif isinstance(spec, PointsLayer):
        frame = read_features(dataset, None)
        ids = as_ids(frame[spec.id_column], width=spec.id_width, pad=spec.id_pad)
    else:
        what = f"the layer '{name}' is of kind '{spec.kind}'"
        raise SpecError(Fault(what=what, expected="a layer of kind 'points' or 'areas'"))
    with Faults.located_at(name):
        return _pointed(frame, ids, name, spec.id_column, of_areas=of_areas)


def _id_column(columns: list[str]) -> str:
    """Return the column of ids where there can be no doubt."""
    if "id" in columns:
        return "id"
    ending = [name for name in columns if name.endswith("_id")]
    if len(ending) == 1:
        return ending[0]
    what = "which column holds the ids is not said"
    raise SpecError(Fault(what=what, key="id", expected=f"one of {listed(columns, shown=12)}"))


def _pointed(frame: gpd.GeoDataFrame, ids: pd.Series, source: str, column: str, *, of_areas: bool) -> Points:
    kinds = frame.geom_type.fillna("")
    areas = kinds.isin(["Polygon", "MultiPolygon"])
    other = ~areas & (kinds != "Point") & (kinds != "")
    if other.any():
        raise checks.not_points(ids[other].tolist(), kinds[other])
    if areas.any() and not of_areas:
        what = f"{int(areas.sum()):,} geometries are areas, not points"
        hint = "--points-of-areas takes a point inside each; better are points where people live"
        raise SpecError(Fault(what=what, expected="points", hint=hint))
    geometry = frame.geometry.where(~areas, frame.geometry.representative_point()) if areas.any() else frame.geometry
    columns = frame.drop(columns=frame.geometry.name)
    made = gpd.GeoDataFrame(columns, geometry=geometry, crs=frame.crs)
    return Points(made.set_axis(pd.Index(ids.tolist(), name="id", dtype=object)), source, column)


def place_or_id(text: str, points: Sequence[Points], *, key: str) -> gpd.GeoDataFrame:
    """Return the one point that is meant by ``latitude,longitude``, or by its id among points.

    Raises
    ------
    SpecError
        When it is neither, or more than one.

    Examples
    --------
    >>> place_or_id("59.3,18.1", [], key="--from").geometry.item().coords[:]
    [(18.1, 59.3)]
    """
    numbers = _numbers(text)
    named = [own.frame.loc[[text]] for own in points if text in own.frame.index]
    if len(named) == 1:
        return named[0]
    if named:
        what, hint = f"'{text}' is a point of {len(named)} files", "give one of them, or coordinates"
        raise SpecError(Fault(what=what, key=key, hint=hint))
    if numbers is None:
        known = [name for own in points for name in own.frame.index]
        if known:
            raise checks.unknown_name("point", text, known, key=key)
        expected, hint = "latitude,longitude, as 59.3,18.1", "or give --points, and an id of one of them"
        raise SpecError(Fault(what=f"'{text}' is no place", key=key, expected=expected, hint=hint))
    latitude, longitude = numbers
    if not (abs(latitude) <= _LATITUDE and abs(longitude) <= _LONGITUDE):
        what, hint = f"'{text}' is no latitude and longitude", "are they swapped, or in metres?"
        raise SpecError(Fault(what=what, key=key, expected="degrees, as 59.3,18.1", hint=hint))
    return gpd.GeoDataFrame(index=pd.Index([text], name="id"), geometry=[Point(longitude, latitude)], crs="EPSG:4326")


def _numbers(text: str) -> tuple[float, float] | None:
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    return (numbers[0], numbers[1]) if len(numbers) == _PAIR and all(map(isfinite, numbers)) else None


def in_reach_of(streets: Streets, points: gpd.GeoDataFrame, *, key: str) -> None:
    """Refuse points of which not one is near any street: that is a mistake, and no answer.

    Raises
    ------
    SpecError
        When it is so; with a hint, if their coordinates seem to be swapped.
    """
    snapped = snap(streets, points)
    if (snapped.piece >= 0).any():
        return
    many = len(points)
    subject = "the point is" if many == 1 else f"none of the {many:,} points is"
    nearest = np.nanmin(snapped.nearest_m) if np.isfinite(snapped.nearest_m).any() else np.nan
    far = f"; the nearest is {nearest / 1000:,.1f} km away" if many > 1 and isfinite(nearest) else ""
    what = f"{subject} not near any street: {snapped.reason[0]}" if many == 1 else f"{subject} near any street{far}"
    west, south, east, north = _degrees(streets)
    expected = f"points between {south:.3f},{west:.3f} and {north:.3f},{east:.3f} (latitude,longitude)"
    hint = (
        "the coordinates are swapped: the other way round they lie among the streets"
        if _swapped(streets, points)
        else None
    )
    raise SpecError(Fault(what=what, key=key, expected=expected, hint=hint))


def _degrees(streets: Streets) -> tuple[float, float, float, float]:
    lines = gpd.GeoSeries([box(*streets.xy.min(axis=0), *streets.xy.max(axis=0))], crs=streets.crs)
    west, south, east, north = (float(edge) for edge in lines.to_crs("EPSG:4326").total_bounds)
    return west, south, east, north


def _swapped(streets: Streets, points: gpd.GeoDataFrame) -> bool:
    placed = points.geometry[points.geometry.notna() & ~points.geometry.is_empty]
    if placed.empty:
        return False
    across = pyproj.Transformer.from_crs(placed.crs, streets.crs, always_xy=True)
    x, y = across.transform(placed.y.to_numpy(), placed.x.to_numpy())
    low, high = streets.xy.min(axis=0) - _NEAR_M, streets.xy.max(axis=0) + _NEAR_M
    return bool(((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])).mean() > 1 / 2)


# ---------------------------------------------------------------- streets and timetables


def open_streets(path: Path, *, mode: str | None, layer: str | None = None, elevation: Path | None = None) -> Streets:
    """Read streets from any source, or load such as were saved; of the latter the mode is theirs.

    Raises
    ------
    InputError
        When the file cannot be read, or holds streets of another mode than asked for.
    """
    if not _is_saved(path) and path.suffix.lower() not in _SAVED:
        return read_streets(path, mode=mode or "walk", layer=layer, elevation=elevation)
    streets = load_streets(path)
    if mode is not None and streets.mode not in {mode, "line"}:
        what, hint = f"the streets were saved for {streets.mode}", f"save them with --mode {mode}"
        raise SpecError(Fault(what=what, file=path.name, key="--mode", expected=mode, hint=hint))
    if elevation is not None:
        what = "saved streets have their slopes, or none, already"
        raise SpecError(Fault(what=what, file=path.name, key="--elevation", hint="give it when they are saved"))
    return streets


def _is_saved(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as packed:
            return _HEAD in packed.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def read_moment(text: str, *, key: str) -> datetime:
    """Return a moment from its words.

    Raises
    ------
    SpecError
        When it is none, or has no time of day.

    Examples
    --------
    >>> read_moment("2012-10-09 07:30", key="--departure").isoformat()
    '2012-10-09T07:30:00'
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        when = None
    if when is None or len(text.strip()) <= _DATE:
        what = f"'{text}' is no moment" if when is None else f"'{text}' has no time of day"
        raise SpecError(Fault(what=what, key=key, expected="a date and a time of day, as '2012-10-09 07:30'"))
    return when


def open_timetable(feeds: Sequence[Path], day: date, *, key: str) -> Timetable:
    """Read the timetable of a day; a day that does not fit is told of the option that named it."""
    try:
        return read_timetable(list(feeds), date=day)
    except SpecError as error:
        raise SpecError(_renamed(fault, {"date": key}) for fault in error.faults) from error


def _renamed(fault: Fault, names: dict[str, str]) -> Fault:
    return replace(fault, key=names.get(fault.key or "", fault.key))


def must_be_percentiles(shares: Sequence[float]) -> tuple[float, ...]:
    """Check percentiles before anything is read."""
    with Faults().catch():
        return percentiles_of(list(shares))
    what = f"percentiles cannot be {', '.join(f'{share:g}' for share in shares)}"
    raise SpecError(Fault(what=what, key="--percentile", expected="different numbers from 0 to 100"))


# ---------------------------------------------------------------- the answer


def must_be_writable(path: Path | None, endings: Sequence[str], *, key: str) -> None:
    """Refuse a place where nothing could be written, before the work is done.

    Raises
    ------
    SpecError
        When the ending says no format.
    OutputError
        When the folder is not there, or a folder lies in the file's place.
    """
    if path is None:
        return
    if endings and path.suffix.lower() not in endings:
        raise SpecError(Fault(what=f"'{path.name}' names no format", key=key, expected=f"one of {listed(endings)}"))
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder. Hint: name a file in it")
    if not path.resolve().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist. Hint: make it first")


def write_times(times: TravelTimes, path: Path) -> Path:
    """Write travel times, by the ending, as geoplan's own Parquet or as CSV with a row a pair; whole or not at all."""
    with atomic_file(path) as target:
        if path.suffix.lower() == ".csv":
            write_csv(target, times.to_frame(unreached=True), decimals={"minutes": 2})
        else:
            times.write(target)
    return path


def read_backdrop(names: Sequence[str], *, root: Path) -> list[tuple[str, gpd.GeoDataFrame]]:
    """Return what lies below a map: the roles and shapes of layers of a project."""
    catalogue, found = Catalogue(root.resolve()), []
    for name in names:
        dataset, spec = layer_of_kind(catalogue, name, BackdropLayer, key="--backdrop")
        found.append((str(spec.role), read_features(dataset, None)))
    return found


def streets_around(streets: Streets, legs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the streets near a journey, for the ground of its map."""
    lines = gpd.GeoSeries(streets.shapes, crs=streets.crs)
    west, south, east, north = legs[legs.geometry.notna()].to_crs(streets.crs).total_bounds
    margin = max(_AROUND_M, (east - west) / 2, (north - south) / 2)
    near = lines.cx[west - margin : east + margin, south - margin : north + margin]
    return gpd.GeoDataFrame(geometry=near)


def write_drawn(path: Path, explored: Callable[[], Any], printed: Callable[[], Any]) -> None:
    """Write a map, as a page or as a picture; whole or not at all."""
    from geoplan.show.printed import SAVED  # noqa: PLC0415  only maps need it

    with atomic_file(path) as target:
        ending = path.suffix.lower().removeprefix(".")
        if ending == "html":
            explored().save(target)
        else:
            printed().savefig(target, format=ending, **SAVED[ending])


def summary_of(times: TravelTimes) -> pd.DataFrame:
    """Return, by percentile, the share of pairs that are reached, and the median and longest of their minutes."""
    rows = []
    for place, share in enumerate(times.percentiles):
        seconds = times.seconds[:, :, place]
        reached = seconds[seconds != UNREACHED]
        median, longest = (float(np.median(reached)) / 60, int(reached.max()) / 60) if reached.size else (np.nan,) * 2
        rows.append((share, reached.size / max(1, seconds.size), median, longest))
    return pd.DataFrame(rows, columns=["percentile", "reached", "median_min", "longest_min"])
