"""Stops of public transport as points, the larger the more departures they have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from geoplan import checks
from geoplan.errors import SpecError
from geoplan.show.ground import Backdrop, explored, ground_page, must_lie_somewhere
from geoplan.show.maps import KeyPanel, OfflineMap, geojson, tip_of
from geoplan.show.page import WIDTH, Sign
from geoplan.show.texts import format_number, texts

__all__ = ["explore_stops", "plot_stops"]

_BLUE, _EDGE, _NONE = "#225ea8", "#ffffff", "#8f8f88"
_MOST, _LEAST = 12.0, 2.0  # pixels
_MANY, _CROWD = 400, 3000  # stops above which the largest gets smaller
_OPACITY = 0.78


def explore_stops(
    stops: gpd.GeoDataFrame,
    *,
    title: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
) -> OfflineMap:
    """Draw stops to look around in, sized by their departures.

    Parameters
    ----------
    stops
        Points with ``name`` and ``departures``, as ``stops`` of a feed report.
    title, period, source, note
        Words of the panel; the title is made when left out.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    language
        ``sv``, ``da`` or ``en``.

    Raises
    ------
    SpecError
        When a column is missing, or no stop has a place.
    CrsError
        When the stops state no coordinate system.

    Examples
    --------
    >>> from shapely import Point
    >>> stops = gpd.GeoDataFrame({"name": ["Torget", "Hamnen"], "departures": [120, 0]},
    ...                          geometry=[Point(18.0, 59.3), Point(18.02, 59.31)], crs=4326)
    >>> "Torget" in explore_stops(stops, period="2024-02-06").to_html()
    True
    """
    words = texts(language)
    placed = _in_order(stops)
    largest = _largest(placed)
    radii = _radii(placed["departures"], placed["departures"].max(), largest)
    looks = [_look(count, radius) for count, radius in zip(placed["departures"], radii, strict=True)]
    layer = folium.GeoJson(
        geojson(placed),
        marker=folium.CircleMarker(radius=_LEAST),
        style_function=lambda feature: looks[int(feature["id"])],
        highlight_function=lambda _: {"color": "#000000", "weight": 2.5},
        control=False,
    )
    counts = [format_number(count, language) for count in placed["departures"]]
    names = [str(name) for name in placed["name"]]
    said = [
        [tip_of(name, [(words["departures"], count)]), f"{name}: {count}", ""]
        for name, count in zip(names, counts, strict=True)
    ]
    entries = [
        (_sign(radius), text, format_number(number, language))
        for _, radius, text, number in _key(placed, largest, language)
    ]
    foot = [f"{words['source']}: {source}" if source else "", note]
    panel = KeyPanel(title or words["stops_title"], period, words["number_of_stops"], entries, foot)
    return explored(placed, backdrop, panel, language, [layer], (layer.get_name(), words["stops_aria"], said))


def plot_stops(
    stops: gpd.GeoDataFrame,
    *,
    title: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
    width: float = WIDTH,
) -> Figure:
    """Draw stops for print, sized by their departures.

    Parameters
    ----------
    stops, title, period, source, note, backdrop, language
        As for :func:`explore_stops`.
    width
        Inches.

    Raises
    ------
    SpecError
        When a column is missing, or no stop has a place.
    CrsError
        When the stops state no coordinate system.

    Examples
    --------
    >>> from shapely import Point
    >>> stops = gpd.GeoDataFrame({"name": ["Torget", "Hamnen"], "departures": [120, 0]},
    ...                          geometry=[Point(18.0, 59.3), Point(18.02, 59.31)], crs=4326)
    >>> len(plot_stops(stops).axes)
    2
    """
    words = texts(language)
    placed = _in_order(stops)
    largest = _largest(placed)
    key = [
        Sign(f"{text}  ({format_number(number, language)})", point=_point(count, radius))
        for count, radius, text, number in _key(placed, largest, language)
    ]
    page, axes, metric = ground_page(
        placed,
        backdrop,
        width=width,
        title=title or words["stops_title"],
        below=f"{period} ({words['number_of_stops']})".strip(),
        key=key,
        foot=["  ·  ".join(filter(None, (f"{words['source']}: {source}" if source else "", note)))],
        language=language,
    )
    radii = _radii(metric["departures"], metric["departures"].max(), largest)
    served = metric["departures"].to_numpy() > 0
    for which, fill, edge in ((~served, "white", _NONE), (served, _BLUE, _EDGE)):
        part, size = metric.geometry[which], (1.5 * radii[which]) ** 2
        axes.scatter(part.x, part.y, s=size, color=fill, edgecolor=edge, linewidth=0.6, alpha=_OPACITY, zorder=5)
    return page.figure


def _in_order(stops: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the stops that have a place, those with most departures first, so that small ones lie on top."""
    present = [str(name) for name in stops.columns]
    absent = checks.absent_columns([name for name in ("name", "departures") if name not in present], present)
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    placed = must_lie_somewhere(stops, "stop")
    return placed.sort_values("departures", ascending=False, kind="stable")


def _largest(stops: gpd.GeoDataFrame) -> float:
    return _MOST if len(stops) <= _MANY else 0.75 * _MOST if len(stops) <= _CROWD else 0.5 * _MOST


def _radii(counts: pd.Series | Sequence[float], most: float, largest: float) -> np.ndarray:
    """Return radii whose areas are as the counts, but for a least one."""
    share = np.asarray(counts, dtype=float) / max(1.0, float(most))
    return np.maximum(_LEAST, largest * np.sqrt(share))


def _look(count: int, radius: float) -> dict[str, object]:
    fill, line = (_BLUE, _EDGE) if count else ("#ffffff", _NONE)
    look = {"fill": True, "fillColor": fill, "fillOpacity": _OPACITY, "color": line, "weight": 0.8}
    return {"radius": round(float(radius), 2), **look}


def _point(count: float, radius: float) -> dict[str, object]:
    fill, line = (_BLUE, _EDGE) if count else ("white", _NONE)
    return {
        "marker": "o",
        "markersize": 1.5 * (radius or _LEAST),
        "markerfacecolor": fill,
        "markeredgecolor": line,
        "alpha": _OPACITY,
    }


def _sign(radius: float) -> str:
    fill, line = (_BLUE, _EDGE) if radius > 0 else ("#ffffff", _NONE)
    size = f"{radius or _LEAST:.1f}"
    return f'<circle cx="14" cy="14" r="{size}" fill="{fill}" fill-opacity="{_OPACITY}" stroke="{line}"></circle>'


def _key(stops: gpd.GeoDataFrame, largest: float, language: str) -> list[tuple[float, float, str, int]]:
    """Return classes of departures, the highest first: a count inside, its radius, its words, and how many stops."""
    counts = stops["departures"].to_numpy()
    most = float(counts.max())
    steps = sorted({step for share in (1 / 2, 1 / 8, 1 / 40) if (step := _round_down(most * share)) > 1})
    edges = [1, *steps, int(most) + 1]
    found = []
    for low, high in list(pairwise(edges))[::-1]:
        number = int(((counts >= low) & (counts < high)).sum())
        told = [format_number(edge, language) for edge in (low, high - 1)]
        middle = np.sqrt(low * (high - 1))
        radius = float(_radii([middle], most, largest)[0])
        found.append((middle, radius, "–".join(dict.fromkeys(told)), number))
    none = int((counts == 0).sum())
    if none:
        found.append((0, 0, texts(language)["departures_none"], none))
    return [entry for entry in found if entry[3]]


def _round_down(value: float) -> int:
    """Return the nearest of 1, 2, 5, 10, 20 … that is not above."""
    if value < 1:
        return 0
    power = 10 ** int(np.floor(np.log10(value)))
    return int(max(step * power for step in (1, 2, 5) if step * power <= value))
