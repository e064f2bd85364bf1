"""A GeoPackage that QGIS opens as a finished map: the style lies in the file, in ``layer_styles``."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pyogrio

from geoplan.errors import OutputError
from geoplan.show.style import MISSING_PATTERNS, Style

__all__ = ["qml_graduated", "write_geopackage", "write_layers"]

_MARGIN = 1e-9
# Today's GDAL writes 1.4, which makes older QGIS (3.22 with GDAL 3.6) warn; nothing here needs more than 1.2.
_VERSION = {"VERSION": "1.2"}
_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
    ui TEXT(30), update_time DATETIME
)
"""
_ANGLES = {"suppressed": (45, 135), "not_collected": (45,), "not_applicable": (90,), "out_of_scope": (0,)}


def write_geopackage(
    path: Path, areas: gpd.GeoDataFrame, *, column: str, style: Style, date: dt.date, layer: str = "areas"
) -> None:
    """Write areas with their style; QGIS shows the choropleth at once.

    Areas whose value is missing get a layer of their own, ``<layer>_not_classed``, hatched by the reason, because a
    graduated style leaves them out.

    Parameters
    ----------
    path
        The .gpkg file; must not exist.
    areas
        Areas with any columns.
    column
        The column that is mapped.
    style
        Its classes and colours.
    date
        Written as the date of last change, so that the same run gives the same bytes.
    layer
        Name of the layer.

    Raises
    ------
    OutputError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from shapely import box
    >>> from geoplan.show import make_style
    >>> areas = gpd.GeoDataFrame({"score": [120.0]}, index=pd.Index(["01"], name="area_id"),
    ...                          geometry=[box(674000, 6580000, 675000, 6581000)], crs="EPSG:3006")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     path = Path(place) / "areas.gpkg"
    ...     write_geopackage(path, areas, column="score", style=make_style(areas["score"]), date=dt.date(2013, 3, 15))
    ...     pyogrio.list_layers(path).tolist()
    [['areas', 'MultiPolygon'], ['layer_styles', None]]
    """
    frame = areas.reset_index()
    missing = frame[style.statuses.reindex(areas.index).isin(MISSING_PATTERNS).to_numpy()].copy()
    missing["status_of_value"] = style.statuses.reindex(missing["area_id"]).to_numpy()
    try:
        with _fixed_clock(date):
            pyogrio.write_dataframe(
                frame, path, layer=layer, driver="GPKG", geometry_type="MultiPolygon", dataset_options=_VERSION
            )
            if len(missing):
                name = f"{layer}_not_classed"
                pyogrio.write_dataframe(missing, path, layer=name, driver="GPKG", geometry_type="MultiPolygon")
        _add_styles(path, layer, column, style, date, with_missing=bool(len(missing)))
    except (pyogrio.errors.DataSourceError, sqlite3.Error) as error:
        raise OutputError(f"{path.name} cannot be written: {error}") from error


def write_layers(path: Path, layers: Mapping[str, gpd.GeoDataFrame], *, date: dt.date) -> None:
    """Write layers of any shapes to a GeoPackage, without styles, the same to the byte each time.

    Parameters
    ----------
    path
        The .gpkg file.
    layers
        Frames by the layer's name; the index becomes a column, what is neither number nor text is written as text.
    date
        Written as the date of last change.

    Raises
    ------
    OutputError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import Point
    >>> places = gpd.GeoDataFrame({"name": ["Torget"]}, geometry=[Point(674000, 6580000)], crs="EPSG:3006")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     path = Path(place) / "places.gpkg"
    ...     write_layers(path, {"places": places, "again": places}, date=dt.date(2013, 3, 15))
    ...     pyogrio.list_layers(path)[:, 0].tolist()
    ['places', 'again']
    """
    try:
        with _fixed_clock(date):
            for number, (name, frame) in enumerate(layers.items()):
                plain = frame.reset_index(drop=frame.index.name is None)
                for column in plain.columns.drop(plain.geometry.name):
                    if plain[column].dtype == object:
                        plain[column] = [
                            one if one is None or isinstance(one, str) else str(one) for one in plain[column]
                        ]
                first = {"dataset_options": _VERSION} if number == 0 else {}
                pyogrio.write_dataframe(plain, path, layer=name, driver="GPKG", **first)
    except (pyogrio.errors.DataSourceError, sqlite3.Error) as error:
        raise OutputError(f"{path.name} cannot be written: {error}") from error


@contextmanager
def _fixed_clock(date: dt.date) -> Iterator[None]:
    """Let GDAL write a given date instead of now."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{date.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _add_styles(path: Path, layer: str, column: str, style: Style, date: dt.date, *, with_missing: bool) -> None:
    styles = [(layer, style.title or column, qml_graduated(column, style))]
    if with_missing:
        styles.append((f"{layer}_not_classed", style.title or column, _qml_missing(style)))
    stamp = f"{date.isoformat()}T00:00:00.000Z"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_TABLE)
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
            (stamp,),
        )
        connection.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
            " styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
            " VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '', NULL, ?)",
            [(table, name[:30], qml, style.subtitle, stamp) for table, name, qml in styles],
        )


def qml_graduated(column: str, style: Style) -> str:
    """Return a QGIS style of graduated colours for a column."""
    root, renderer = _document("graduatedSymbol")
    renderer.set("attr", column)
    renderer.set("graduatedMethod", "GraduatedColor")
    renderer.set("symbollevels", "0")
    ranges, symbols = ET.SubElement(renderer, "ranges"), ET.SubElement(renderer, "symbols")
    count = len(style.colours)
    for number, (colour, label, areas) in enumerate(zip(style.colours, style.labels, style.counts, strict=True)):
        # QGIS takes both limits as inside and the first class that fits; ours hold their upper limit only.
        low = style.bounds[number] - (_MARGIN if number == 0 else 0)
        high = style.bounds[number + 1] + (_MARGIN if number == count - 1 else 0)
        ET.SubElement(
            ranges,
            "range",
            lower=f"{low:.10f}",
            upper=f"{high:.10f}",
            label=f"{label}  ({areas})",
            symbol=str(number),
            render="true",
        )
        _fill(symbols, str(number), colour)
    return _text(root)


def _qml_missing(style: Style) -> str:
    root, renderer = _document("categorizedSymbol")
    renderer.set("attr", "status_of_value")
    categories, symbols = ET.SubElement(renderer, "categories"), ET.SubElement(renderer, "symbols")
    for number, missing in enumerate(style.missing):
        label = f"{missing.label}  ({missing.count})"
        ET.SubElement(
            categories,
            "category",
            value=missing.status,
            label=label,
            symbol=str(number),
            render="true",
            type="string",
        )
        _hatch(symbols, str(number), _ANGLES[missing.status])
    return _text(root)


def _document(renderer: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    return root, ET.SubElement(root, "renderer-v2", type=renderer, forceraster="0", enableorderby="0")


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")


def _options(parent: ET.Element, **options: str) -> None:
    box = ET.SubElement(parent, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(box, "Option", name=name, value=value, type="QString")


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _symbol(symbols: ET.Element, name: str, kind: str = "fill") -> ET.Element:
    return ET.SubElement(symbols, "symbol", name=name, type=kind, alpha="1", clip_to_extent="1", force_rhr="0")


def _fill(symbols: ET.Element, name: str, colour: str, outline: str = "#ffffff") -> None:
    layer = ET.SubElement(
        _symbol(symbols, name), "layer", {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"}
    )
    _options(
        layer,
        color=_rgba(colour),
        style="solid",
        outline_color=_rgba(outline),
        outline_style="solid",
        outline_width="0.2",
        outline_width_unit="MM",
    )


def _hatch(symbols: ET.Element, name: str, angles: tuple[int, ...]) -> None:
    symbol = _symbol(symbols, name)
    base = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"})
    _options(
        base,
        color=_rgba("#fbfbfa"),
        style="solid",
        outline_color=_rgba("#8f8f88"),
        outline_style="solid",
        outline_width="0.2",
        outline_width_unit="MM",
    )
    for number, angle in enumerate(angles):
        layer = ET.SubElement(symbol, "layer", {"class": "LinePatternFill", "enabled": "1", "locked": "0", "pass": "0"})
        _options(
            layer,
            angle=str(angle),
            distance="2.2",
            distance_unit="MM",
            line_width="0.2",
            line_width_unit="MM",
        )
        line = _symbol(layer, f"@{name}@{number + 1}", "line")
        stroke = ET.SubElement(line, "layer", {"class": "SimpleLine", "enabled": "1", "locked": "0", "pass": "0"})
        _options(stroke, line_color=_rgba("#8f8f88"), line_style="solid", line_width="0.2", line_width_unit="MM")
