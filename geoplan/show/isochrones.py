"""What is reached within some minutes, as bands on a map: the nearer, the darker."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from geoplan import checks
from geoplan.errors import OutputError, SpecError
from geoplan.show.ground import Backdrop, Names, explored, ground_page, must_lie_somewhere
from geoplan.show.maps import KeyPanel, OfflineMap, add_backdrop, geojson, tip_of
from geoplan.show.page import WIDTH, Sign
from geoplan.show.qgis import write_geopackage
from geoplan.show.style import HAIRLINE, INK, Style, make_style
from geoplan.show.texts import Texts, format_date, format_number, texts

__all__ = ["explore_isochrones", "plot_isochrones", "write_isochrones"]

_COLUMNS = ("place_id", "band_min", "percentile", "mode", "moment", "window_min", "towards", "area_km2")
_DARK, _PALE = 0.82, 0.22  # of the palette: the nearest band and the farthest
_EDGE = "#ffffff"
_KEY = 12  # entries: with more, or with nothing to count, the key has the bands alone
_NAMED = 3  # places in the title
_UNDER = ("park",)  # below the bands; water and lines lie above
_HALO = withStroke(linewidth=3, foreground="white")


def explore_isochrones(
    bands: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame | None = None,
    title: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
) -> OfflineMap:
    """Draw isochrones to look around in.

    Parameters
    ----------
    bands
        Of :func:`geoplan.reach.isochrones`.
    places
        The points they start from, to be marked by the names in their index.
    title, source, note
        Words of the panel; the title is made when left out. Mode, date, window and percentile stand below it.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    language
        ``sv``, ``da`` or ``en``.

    Raises
    ------
    SpecError
        When a column is missing, or no band has a place.
    CrsError
        When bands or places state no coordinate system.

    Examples
    --------
    >>> from shapely import box
    >>> bands = gpd.GeoDataFrame(
    ...     {"place_id": ["Torget"], "band_min": [15.0], "percentile": [50.0], "mode": ["transit"],
    ...      "moment": ["2012-10-09 07:30"], "window_min": [60.0], "towards": [False], "area_km2": [1.0],
    ...      "residents": [1234]}, geometry=[box(674_000, 6_580_000, 675_000, 6_581_000)], crs=3006)
    >>> page = explore_isochrones(bands).to_html()
    >>> "15 min: 1,234 residents" in page, "leaving 9 October 2012, 07:30–08:30" in page
    (True, True)
    """
    words = texts(language)
    drawn = _checked(bands)
    colours = _colours(drawn)
    looks = [
        {"fill": True, "fillColor": colours[band], "fillOpacity": 1, "color": _EDGE, "weight": 1}
        for band in drawn["band_min"]
    ]
    layer = folium.GeoJson(
        geojson(drawn),
        style_function=lambda feature: looks[int(feature["id"])],
        highlight_function=lambda _: {"color": "#000000", "weight": 2.5},
        smooth_factor=0.5,
        control=False,
    )
    said = [_said(row, words) for row in drawn.to_dict("records")]
    told = _told(bands, words, title)
    entries = [(_sign(colours[band]), text, "") for band, text in told.key]
    foot = [f"{words['source']}: {source}" if source else "", *told.foot, note]
    panel = KeyPanel(told.title, told.below, words["isochrone_heading"], entries, foot)
    under = [item for item in backdrop if item[0] in _UNDER]
    over = sorted((item for item in backdrop if item[0] not in _UNDER), key=lambda item: item[0] != "water")
    marks = _marks(places)
    return explored(
        drawn, under, panel, language, [layer, *(_Over(*item) for item in over), *marks],
        (layer.get_name(), words["isochrone_aria"], said),
    )  # fmt: skip


def plot_isochrones(
    bands: gpd.GeoDataFrame,
    *,
    places: gpd.GeoDataFrame | None = None,
    title: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
    width: float = WIDTH,
) -> Figure:
    """Draw isochrones for print.

    Parameters
    ----------
    bands, places, title, source, note, backdrop, language
        As for :func:`explore_isochrones`.
    width
        Inches.

    Raises
    ------
    SpecError
        When a column is missing, or no band has a place.
    CrsError
        When bands or places state no coordinate system.

    Examples
    --------
    >>> from shapely import box
    >>> bands = gpd.GeoDataFrame(
    ...     {"place_id": ["Torget"], "band_min": [15.0], "percentile": [50.0], "mode": ["walk"], "moment": [""],
    ...      "window_min": [float("nan")], "towards": [False], "area_km2": [1.0]},
    ...     geometry=[box(674_000, 6_580_000, 675_000, 6_581_000)], crs=3006)
    >>> len(plot_isochrones(bands).axes)
    2
    """
    words = texts(language)
    drawn = _checked(bands)
    colours, told = _colours(drawn), _told(bands, words, title)
    look = {"edgecolor": HAIRLINE, "linewidth": 0.5}
    key = [Sign(text, patch={"facecolor": colours[band], **look}) for band, text in told.key]
    page, axes, metric = ground_page(
        drawn,
        backdrop,
        width=width,
        title=told.title,
        below=told.below,
        key=key,
        foot=["  ·  ".join(filter(None, (f"{words['source']}: {source}" if source else "", *told.foot, note)))],
        language=language,
    )
    for band in sorted(colours, reverse=True):
        part = metric[metric["band_min"] == band]
        part.plot(ax=axes, color=colours[band], edgecolor=_EDGE, linewidth=0.6, zorder=2, autolim=False)
    if places is not None:
        middle = sum(axes.get_xlim()) / 2
        for name, point in must_lie_somewhere(places, "place").to_crs(metric.crs).geometry.items():
            axes.plot(
                point.x, point.y, "o", markersize=7, color="white", markeredgecolor=INK, markeredgewidth=2, zorder=6
            )
            side = -1 if point.x > middle else 1
            axes.annotate(str(name), (point.x, point.y), (9 * side, 0), textcoords="offset points", va="center",
                          ha="left" if side > 0 else "right", fontsize=10, fontweight="bold", color=INK, zorder=7,
                          parse_math=False, path_effects=[_HALO])  # fmt: skip
    return page.figure


def write_isochrones(
    path: Path,
    bands: gpd.GeoDataFrame,
    *,
    date: dt.date,
    title: str = "",
    source: str = "",
    language: str = "en",
    layer: str = "isochrones",
) -> Path:
    """Write isochrones to a GeoPackage that QGIS opens already coloured, the nearest band on top.

    How they came about stands in the columns (mode, first departure, window, percentile), and in words in the
    description of the layer and of its style.

    Parameters
    ----------
    path
        The .gpkg file; must not exist.
    bands
        Of :func:`geoplan.reach.isochrones`.
    date
        Written as the date of last change, so that the same bands give the same bytes.
    title, source, language
        Words of the style and description.
    layer
        Name of the layer.

    Raises
    ------
    SpecError
        When a column is missing, or no band has a place.
    CrsError
        When the bands state no coordinate system.
    OutputError
        When the file is there already, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> bands = gpd.GeoDataFrame(
    ...     {"place_id": ["Torget"], "band_min": [15.0], "percentile": [50.0], "mode": ["walk"], "moment": [""],
    ...      "window_min": [float("nan")], "towards": [False], "area_km2": [1.0]}, index=["Torget 15 min"],
    ...     geometry=[box(674_000, 6_580_000, 675_000, 6_581_000)], crs=3006).rename_axis("area_id")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_isochrones(Path(folder) / "reach.gpkg", bands, date=dt.date(2013, 3, 15))
    ...     gpd.read_file(path, layer="isochrones")["band_min"].tolist()
    [15.0]
    """
    path = Path(path)
    words = texts(language)
    told = _told(bands, words, title)
    if path.exists():
        raise OutputError(f"{path.name} is there already. Hint: delete it, or name another file")
    drawn = bands.loc[_checked(bands).index].rename_axis("area_id")
    write_geopackage(
        path, drawn, column="band_min", style=_style(drawn, told, source, language), date=date, layer=layer
    )
    about = "; ".join(filter(None, (told.below, *told.foot, f"{words['source']}: {source}" if source else "")))
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE gpkg_contents SET description = ? WHERE table_name = ?", (about, layer))
    except sqlite3.Error as error:
        raise OutputError(f"{path.name} cannot be written: {error}") from error
    return path


# ---------------------------------------------------------------- how bands look


def _checked(bands: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the bands that have a place, the widest first, so that nearer ones lie on top."""
    present = [str(name) for name in bands.columns]
    absent = checks.absent_columns([name for name in _COLUMNS if name not in present], present)
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    placed = must_lie_somewhere(bands, "band")
    return placed.sort_values("band_min", ascending=False, kind="stable")


def _colours(bands: gpd.GeoDataFrame) -> dict[float, str]:
    """Return the colour of each band."""
    steps = sorted(set(bands["band_min"]))
    palette = mpl.colormaps["YlGnBu"]
    return {
        band: to_hex(palette(place)) for band, place in zip(steps, np.linspace(_DARK, _PALE, len(steps)), strict=True)
    }


def _style(bands: gpd.GeoDataFrame, told: _Told, source: str, language: str) -> Style:
    """Return the style of the layer: a class a band."""
    colours = _colours(bands)
    steps, words = sorted(colours), texts(language)
    scheme: dict[str, Any] = {"scheme": "given", "breaks": steps[:-1]} if len(steps) > 1 else {"k": 1}
    style = make_style(
        bands["band_min"], title=told.title, period=told.below, source=source, language=language, **scheme
    )
    labels = tuple(words["isochrone_band"].format(minutes=_minutes(band, words)) for band in steps)
    return replace(style, colours=tuple(colours[band] for band in steps), labels=labels)


def _sign(colour: str) -> str:
    return f'<rect x="1" y="5" width="26" height="18" fill="{colour}" stroke="{HAIRLINE}"></rect>'


class _Over:
    """Part of the backdrop that lies above the bands."""

    def __init__(self, role: str, frame: gpd.GeoDataFrame) -> None:
        self.role, self.frame = role, frame

    def add_to(self, shown: OfflineMap) -> None:
        """Draw it on a map."""
        add_backdrop(shown, self.role, self.frame)


def _marks(places: gpd.GeoDataFrame | None) -> list[Any]:
    """Return the marks of the places, and their names."""
    if places is None:
        return []
    points = must_lie_somewhere(places, "place").geometry
    look: dict[str, Any] = {"radius": 6, "color": INK, "weight": 2.5, "fill_color": "#ffffff", "fill_opacity": 1}
    dots = [folium.CircleMarker((point.y, point.x), fill=True, interactive=False, **look) for point in points]
    return [*dots, Names([(point.y, point.x, str(name)) for name, point in points.items()])]


# ---------------------------------------------------------------- what is said


@dataclass(frozen=True)
class _Told:
    """The words of a map: the key is a band and its text an entry."""

    title: str
    below: str
    key: list[tuple[float, str]]
    foot: list[str]


def _told(bands: gpd.GeoDataFrame, words: Texts, title: str) -> _Told:
    names = list(dict.fromkeys(str(name) for name in bands["place_id"]))
    first = bands.iloc[0].to_dict()
    count = words["isochrone_places"].format(count=format_number(len(names), words.language))
    place = ", ".join(names) if len(names) <= _NAMED else count
    title = title or words["isochrone_to" if first["towards"] else "isochrone_from"].format(place=place)
    rows = sorted(bands.to_dict("records"), key=lambda row: (names.index(str(row["place_id"])), row["band_min"]))
    counted = any(name in bands for name in ("residents", "jobs"))
    if len(rows) > _KEY or not counted:
        key = [(band, _band(band, words)) for band in sorted(set(bands["band_min"]))]
    else:
        key = [(row["band_min"], _entry(row, words, alone=len(names) == 1)) for row in rows]
    foot = [words["isochrone_method"], _counted(bands, words)]
    return _Told(title, _below(first, words), key, [part for part in (*foot, _missing(rows, words)) if part])


def _counted(bands: gpd.GeoDataFrame, words: Texts) -> str:
    """Say how those who are counted are counted."""
    who = [words[name] for name in ("residents", "jobs") if name in bands]
    if not who:
        return ""
    both = words["isochrone_both"].format(one=who[0], other=who[-1].lower()) if len(who) > 1 else who[0]
    return words["isochrone_counted"].format(who=both)


def _minutes(band: float, words: Texts) -> str:
    return format_number(band, words.language, decimals=0 if float(band).is_integer() else 1)


def _band(band: float, words: Texts) -> str:
    return words["isochrone_band"].format(minutes=_minutes(band, words))


def _entry(row: Mapping[Any, Any], words: Texts, *, alone: bool) -> str:
    """Return a band and who is in it: ``15 min: 1,234 residents, 567 jobs``."""
    minutes = _minutes(row["band_min"], words)
    head = _band(row["band_min"], words)
    head = head if alone else words["isochrone_at"].format(place=row["place_id"], minutes=minutes)
    counts = [
        words[f"isochrone_{who}"].format(count=format_number(row[who], words.language))
        for who in ("residents", "jobs")
        if who in row
    ]
    return f"{head}: {', '.join(counts)}" if counts else head


def _below(row: Mapping[Any, Any], words: Texts) -> str:
    """Return mode, date, window and percentile in a line."""
    mode = words.words.get(f"isochrone_by_{row['mode']}", "")
    if not row["moment"]:
        return mode
    when = _when(str(row["moment"]), float(row["window_min"]), words.language)
    key = "isochrone_arrive" if row["towards"] else "isochrone_leave"
    share = format_number(row["percentile"], words.language, decimals=0 if float(row["percentile"]).is_integer() else 1)
    chance = words["isochrone_share"].format(share=share) if row["window_min"] else ""
    return " · ".join(filter(None, (mode, words[key].format(when=when), chance)))


def _when(moment: str, window_min: float, language: str) -> str:
    """Return a moment and the end of its window: ``9 October 2012, 07:30–08:30``; what is no moment as it is."""
    try:
        start = dt.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    end = start + dt.timedelta(minutes=window_min)
    clocks = dict.fromkeys(f"{clock:%H:%M}" for clock in (start, end))
    return f"{format_date(start.date(), language)}, {'–'.join(clocks)}"


def _missing(rows: list[dict[Any, Any]], words: Texts) -> str:
    """Say how many of the stops reached lie where there are no streets, in the band in which they are most."""
    worst = max(rows, key=lambda row: row.get("stops_off", 0))
    if not worst.get("stops_off", 0):
        return ""
    counts = {name: format_number(worst[key], words.language) for name, key in (("off", "stops_off"), ("all", "stops"))}
    return words["isochrone_off"].format(**counts)


def _said(row: Mapping[Any, Any], words: Texts) -> list[str]:
    """Return what is said of a band: its tooltip, and a line for screen readers."""
    head = words["isochrone_at"].format(place=row["place_id"], minutes=_minutes(row["band_min"], words))
    counts = [(words[who], format_number(row[who], words.language)) for who in ("residents", "jobs") if who in row]
    size = (words["area_km2"], format_number(row["area_km2"], words.language, decimals=2))
    return [tip_of(head, [*counts, size]), _entry(row, words, alone=False), ""]
