"""The only wording of coordinate-system, id, column and geometry faults.

Functions take plain values and return an error to raise or to collect, so that a fault reads the same
wherever it is found: in a catalogue file, in a data file, or in a frame a planner built in a notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from geoplan.errors import (
    CrsError,
    Fault,
    GeometryError,
    IdError,
    SourceError,
    SpecError,
    TableError,
    did_you_mean,
    listed,
)

__all__ = [
    "absent_columns",
    "bad_number",
    "crs_differ",
    "crs_distorts",
    "crs_mismatch",
    "crs_missing",
    "crs_not_metric",
    "crs_outside",
    "crs_unknown",
    "did_you_mean",
    "duplicate_ids",
    "duplicate_points",
    "empty_geometry",
    "empty_layer",
    "ids_match_nothing",
    "ids_not_among",
    "listed",
    "missing_ids",
    "names_match_nothing",
    "not_lines",
    "not_points",
    "not_polygons",
    "points_without_id",
    "shortened_ids",
    "unknown_name",
]


def unknown_name(kind: str, name: str, known: Iterable[str], *, key: str | None = None) -> SpecError:
    """Word the fault of a name that a file uses but nothing defines."""
    return SpecError(Fault(what=f"no {kind} is called '{name}'", key=key, hint=did_you_mean(name, known)))


# ---------------------------------------------------------------- coordinate systems


def crs_missing(*, hint: str | None = None) -> CrsError:
    """Word the fault of geometries without a coordinate system."""
    return CrsError(
        Fault(
            what="the geometries have no coordinate system",
            expected="one written in the file; geoplan never guesses it",
            hint=hint
            or "write it into the file (QGIS: Export, or `ogr2ogr -a_srs EPSG:3006`); if you know which one "
            'it is, the layer\'s TOML may say `crs = "EPSG:…"` with `assign_crs = true`',
        )
    )


def crs_unknown(text: str) -> CrsError:
    """Word the fault of a text that names no coordinate system."""
    return CrsError(Fault(what=f"'{text}' is not a coordinate system", expected="a code such as EPSG:3006"))


def crs_mismatch(found: str, declared: str) -> CrsError:
    """Word the fault of a file in another system than its layer declares."""
    return CrsError(
        Fault(
            what=f"the file is in {found} but the layer declares {declared}",
            hint="correct `crs` in the layer's TOML, or fetch the file in the declared system",
        )
    )


def crs_differ(first: str, second: str) -> CrsError:
    """Word the fault of areas in two systems that are to be laid over each other."""
    return CrsError(
        Fault(
            what=f"the first areas are in {first}, the second in {second}",
            expected="both in the same metric system",
            hint="reproject one with `.to_crs(…)`",
        )
    )


def crs_not_metric(name: str, unit: str) -> CrsError:
    """Word the fault of a system that does not measure in metres."""
    return CrsError(
        Fault(
            what=f"{name} measures in {unit}, not in metres",
            expected="a projected metric system, such as EPSG:3006 (Sweden), EPSG:25832 (Denmark) "
            "or EPSG:3067 (Finland)",
            hint='reproject with `.to_crs("EPSG:3006")`, or set `crs` under [areas] in the scenario',
        )
    )


def crs_distorts(name: str, scale: float, *, latitude: float) -> CrsError:
    """Word the fault of a system whose linear scale at the data is off by more than 1 %."""
    return CrsError(
        Fault(
            what=f"{name} stretches lengths by {scale:.2f} at latitude {latitude:.1f}",
            expected="a linear scale within 1 % of true at the centre of the data",
            hint="reproject to the national grid, such as EPSG:3006 (Sweden) or EPSG:25832 (Denmark)",
        )
    )


def crs_outside(name: str, region: str, *, longitude: float, latitude: float) -> CrsError:
    """Word the fault of coordinates that cannot be in the system they are said to be in."""
    if isfinite(longitude) and isfinite(latitude):
        where = f"at longitude {longitude:.1f}, latitude {latitude:.1f}"
    else:
        where = "nowhere on Earth"
    return CrsError(
        Fault(
            what=f"read as {name}, the data lie {where}",
            expected=f"coordinates in the region of the system ({region})",
            hint="the file states another system than its coordinates are in, or easting and northing are swapped",
        )
    )


# ---------------------------------------------------------------- ids and columns


def absent_columns(absent: Iterable[str], present: Sequence[str], *, key: str | None = None) -> list[SpecError]:
    """Word one fault per column that a definition names but the file does not have."""
    return [
        SpecError(Fault(what=f"there is no column '{name}' in the data", key=key, hint=did_you_mean(name, present)))
        for name in absent
    ]


def missing_ids(rows: Sequence[int], column: str) -> IdError:
    """Word the fault of rows without an area code."""
    return IdError(
        Fault(
            what=f"{len(rows)} row(s) have no area code",
            row=rows[0],
            column=column,
            expected="a code in every row",
        )
    )


def duplicate_ids(ids: Sequence[str], column: str, *, row: int | None = None) -> IdError:
    """Word the fault of area codes that occur more than once."""
    return IdError(
        Fault(
            what=f"{len(ids)} area code(s) occur more than once: {listed(ids)}",
            row=row,
            column=column,
            expected="each area once",
            hint="merge the parts into one multipart area, or qualify the code by municipality",
        )
    )


def shortened_ids(ids: Sequence[str], column: str, width: int, *, row: int | None = None) -> IdError:
    """Word the fault of codes shorter than their width: leading zeros are lost."""
    return IdError(
        Fault(
            what=f"{len(ids)} area code(s) are shorter than {width} characters: {listed(ids)}",
            row=row,
            column=column,
            expected=f"codes of {width} characters; their leading zeros are probably lost",
            hint="export the column as text from the source; if you are sure, `id_pad = true` in the layer's "
            "TOML puts the zeros back",
        )
    )


def ids_match_nothing(table_ids: Sequence[str], area_ids: Sequence[str]) -> IdError:
    """Word the fault of a table and polygons that share not one code."""
    return IdError(
        Fault(
            what=f"none of the {len(table_ids)} area codes of the table ({listed(table_ids, shown=3)}) is "
            f"among the {len(area_ids)} areas ({listed(area_ids, shown=3)})",
            hint="look at the id columns, the level and the leading zeros of both layers",
        )
    )


def names_match_nothing(names: Sequence[str], area_names: Sequence[str]) -> IdError:
    """Word the fault of a table of names of which no area has one."""
    return IdError(
        Fault(
            what=f"no area has one of the {len(names)} names of the table ({listed(names, shown=3)}); "
            f"the {len(area_names)} areas are called {listed(area_names, shown=3)}",
            hint="look at the column of names and at `match_layer`",
        )
    )


def ids_not_among(ids: Sequence[str], area_ids: Sequence[str]) -> IdError:
    """Word the fault of codes that should name areas but do not."""
    return IdError(
        Fault(
            what=f"{len(ids)} code(s) are not among the areas: {listed(ids)}",
            expected=f"codes such as {listed(area_ids, shown=3)}",
            hint="look at the level and the leading zeros of both",
        )
    )


def duplicate_points(ids: Sequence[str]) -> IdError:
    """Word the fault of ids of points that occur more than once."""
    return IdError(
        Fault(
            what=f"{len(ids)} id(s) of points occur more than once: {listed(ids)}",
            expected="each point once, by the index",
            hint="drop the repeats, or number the points with `.reset_index(drop=True)`",
        )
    )


def points_without_id(number: int) -> IdError:
    """Word the fault of points whose index has gaps."""
    return IdError(Fault(what=f"{number} point(s) have no id", expected="an id in the index of every point"))


# ---------------------------------------------------------------- geometry


def empty_layer(what: str = "the layer has no rows", *, expected: str = "at least one feature") -> SourceError:
    """Word the fault of a file that is readable but empty."""
    return SourceError(Fault(what=what, expected=expected))


def empty_geometry(ids: Sequence[str]) -> GeometryError:
    """Word the fault of areas without a geometry."""
    return GeometryError(
        Fault(what=f"{len(ids)} area(s) have no geometry: {listed(ids)}", expected="a polygon for every area")
    )


def not_polygons(ids: Sequence[str], kinds: Iterable[str]) -> GeometryError:
    """Word the fault of geometries that are no polygons."""
    return GeometryError(
        Fault(
            what=f"{len(ids)} area(s) are no polygons but {listed(sorted(set(kinds)))}: {listed(ids)}",
            expected="Polygon or MultiPolygon",
        )
    )


def not_points(ids: Sequence[str], kinds: Iterable[str]) -> GeometryError:
    """Word the fault of geometries that should be points."""
    return GeometryError(
        Fault(
            what=f"{len(ids)} geometr{'y is' if len(ids) == 1 else 'ies are'} no point but "
            f"{listed(sorted(set(kinds)))}: {listed(ids)}",
            expected="points",
            hint="`.representative_point()` gives a point within each area",
        )
    )


def not_lines(ids: Sequence[str], kinds: Iterable[str]) -> GeometryError:
    """Word the fault of geometries that should be lines."""
    return GeometryError(
        Fault(
            what=f"{len(ids)} geometr{'y is' if len(ids) == 1 else 'ies are'} no line but "
            f"{listed(sorted(set(kinds)))}: row {listed(ids)}",
            expected="LineString or MultiLineString",
        )
    )


def bad_number(value: str, *, row: int | None, column: str, hint: str | None = None) -> TableError:
    """Word the fault of text in a number column."""
    return TableError(
        Fault(
            what=f"'{value}' is not a number",
            row=row,
            column=column,
            hint=hint or "if it is a code for a missing value, list it under `missing_codes` in the layer's TOML",
        )
    )
