"""One journey on a map: walks along the streets, rides from stop to stop, the stops by their names."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import folium
import geopandas as gpd
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from shapely import Point

from geoplan import checks
from geoplan.errors import SpecError
from geoplan.show.ground import Backdrop, Names, explored, ground_page, must_lie_somewhere
from geoplan.show.maps import KeyPanel, OfflineMap, geojson
from geoplan.show.page import WIDTH, Sign
from geoplan.show.style import INK
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["explore_journey", "plot_journey"]

_RIDES = ("#225ea8", "#b35806", "#1b7837", "#762a83")
_WALK, _CASING = "#3d3d3a", "#ffffff"
_COLUMNS = ("leg", "line", "kind", "towards", "from_name", "to_name", "start", "end", "minutes", "metres", "stops")
_MOVES = ("walk", "cycle", "drive")
_HALO = withStroke(linewidth=3, foreground="white")


def explore_journey(
    legs: gpd.GeoDataFrame,
    *,
    title: str = "",
    below: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
) -> OfflineMap:
    """Draw a journey to look around in.

    Parameters
    ----------
    legs
        The legs in order, as ``legs`` of a journey: ``leg, line, kind, towards, from_name, to_name, start, end,
        minutes, metres, stops`` and lines.
    title, below, source, note
        Words of the panel.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    language
        ``sv``, ``da`` or ``en``.

    Raises
    ------
    SpecError
        When a column is missing, or no leg has a place.
    CrsError
        When the legs state no coordinate system.

    Examples
    --------
    >>> from shapely import LineString
    >>> walk = {"leg": "walk", "line": "", "kind": "", "towards": "", "from_name": "", "to_name": "Torget",
    ...         "start": "07:30", "end": "07:34", "minutes": 4.0, "metres": 312.0, "stops": 0}
    >>> legs = gpd.GeoDataFrame([walk], geometry=[LineString([(18.0, 59.3), (18.005, 59.301)])], crs=4326)
    >>> "Walk 4 min, 312 m" in explore_journey(legs, title="To Torget").to_html()
    True
    """
    words = texts(language)
    placed, told = _checked(legs), _told(legs, words)
    colours = _colours(legs)
    looks = [
        {"color": colours[leg], "weight": 5, "opacity": 1, "dashArray": "1 8" if placed["leg"][leg] == "walk" else ""}
        for leg in placed.index
    ]
    layer = folium.GeoJson(
        geojson(placed),
        style_function=lambda feature: looks[int(feature["id"])],
        highlight_function=lambda _: {"weight": 8},
        control=False,
    )
    casing = folium.GeoJson(
        geojson(placed),
        style_function=lambda _: {"color": _CASING, "weight": 9, "opacity": 0.9, "interactive": False},
        control=False,
    )
    marks = list(_marks(placed, words))
    ends = [
        folium.CircleMarker(
            (point.y, point.x),
            radius=6,
            color=INK,
            weight=2,
            fill=True,
            fill_color=INK if end else _CASING,
            fill_opacity=1,
            interactive=False,
        )
        for point, _, end in marks
    ]
    names = Names([(point.y, point.x, text) for point, text, _ in marks if text])
    said = [[html.escape(told[leg]), told[leg], ""] for leg in placed.index]
    entries = [(_sign(legs["leg"][leg], colours[leg]), told[leg], "") for leg in legs.index]
    foot = [f"{words['source']}: {source}" if source else "", _straight(legs, words), note]
    panel = KeyPanel(title, below, words["journey_legs"], entries, foot)
    return explored(
        placed, backdrop, panel, language, [casing, layer, *ends, names],
        (layer.get_name(), words["journey_aria"], said),
    )  # fmt: skip


def plot_journey(
    legs: gpd.GeoDataFrame,
    *,
    title: str = "",
    below: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
    width: float = WIDTH,
) -> Figure:
    """Draw a journey for print.

    Parameters
    ----------
    legs, title, below, source, note, backdrop, language
        As for :func:`explore_journey`.
    width
        Inches.

    Raises
    ------
    SpecError
        When a column is missing, or no leg has a place.
    CrsError
        When the legs state no coordinate system.

    Examples
    --------
    >>> from shapely import LineString
    >>> walk = {"leg": "walk", "line": "", "kind": "", "towards": "", "from_name": "", "to_name": "Torget",
    ...         "start": "07:30", "end": "07:34", "minutes": 4.0, "metres": 312.0, "stops": 0}
    >>> legs = gpd.GeoDataFrame([walk], geometry=[LineString([(18.0, 59.3), (18.005, 59.301)])], crs=4326)
    >>> len(plot_journey(legs, title="To Torget").axes)
    2
    """
    words = texts(language)
    placed, told = _checked(legs), _told(legs, words)
    colours = _colours(legs)
    stop = {"marker": "o", "markersize": 6, "markerfacecolor": _CASING, "markeredgecolor": INK, "markeredgewidth": 1.4}
    key = [
        Sign(told[leg], point=stop)
        if legs["leg"][leg] == "wait"
        else Sign(told[leg], line=_line(legs["leg"][leg], colours[leg]))
        for leg in legs.index
    ]
    foot = [f"{words['source']}: {source}" if source else "", _straight(legs, words), note]
    page, axes, metric = ground_page(
        placed,
        backdrop,
        width=width,
        title=title,
        below=below,
        key=key,
        foot=["  ·  ".join(filter(None, foot))],
        language=language,
    )
    for leg in metric.index:
        x, y = metric.geometry[leg].xy
        axes.plot(x, y, color=_CASING, linewidth=5.5, zorder=4, solid_capstyle="round")
        axes.plot(x, y, zorder=5, **_line(metric["leg"][leg], colours[leg]))
    middle = sum(axes.get_xlim()) / 2
    for point, text, end in _marks(metric, words):
        look: dict[str, Any] = {"markersize": 8, "markeredgecolor": INK, "markeredgewidth": 1.6}
        axes.plot(point.x, point.y, "o", markerfacecolor=INK if end else _CASING, zorder=6, **look)
        side = -1 if point.x > middle else 1
        axes.annotate(text, (point.x, point.y), (9 * side, 0), textcoords="offset points", va="center", fontsize=9.5,
                      ha="left" if side > 0 else "right", fontweight="bold", color=INK, zorder=7, parse_math=False,
                      path_effects=[_HALO])  # fmt: skip
    return page.figure


def _checked(legs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the legs that have a line."""
    present = [str(name) for name in legs.columns]
    absent = checks.absent_columns([name for name in _COLUMNS if name not in present], present)
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    return must_lie_somewhere(legs, "leg of the journey")


def _colours(legs: gpd.GeoDataFrame) -> pd.Series:
    """Return the colour of each leg: rides in turn."""
    turn = (legs["leg"] == "ride").cumsum() - 1
    return pd.Series(
        [
            _RIDES[number % len(_RIDES)] if leg == "ride" else _WALK
            for leg, number in zip(legs["leg"], turn, strict=True)
        ],
        index=legs.index,
    )


def _told(legs: gpd.GeoDataFrame, words: Texts) -> pd.Series:
    """Return each leg in words."""
    told = []
    for leg in legs.to_dict("records"):
        minutes = format_number(leg["minutes"], words.language)
        if leg["leg"] in _MOVES:
            metres = format_number(leg["metres"], words.language)
            told.append(words[f"leg_{leg['leg']}"].format(minutes=minutes, metres=metres))
        elif leg["leg"] == "wait":  # at a stop, or at the destination until the moment one wanted to be there by
            told.append(words["leg_wait"].format(minutes=minutes, place=leg["from_name"] or words["journey_end"]))
        else:
            what = f"{words.kinds.get(leg['kind'], leg['kind'])} {leg['line']}".strip()
            what = words["leg_towards"].format(what=what, towards=leg["towards"]) if leg["towards"] else what
            told.append(
                words["leg_ride"].format(
                    what=what, start=leg["start"], end=leg["end"], **{"from": leg["from_name"], "to": leg["to_name"]}
                )
            )
    return pd.Series(told, index=legs.index, dtype=object)


def _straight(legs: gpd.GeoDataFrame, words: Texts) -> str:
    return words["journey_straight"] if (legs["leg"] == "ride").any() else ""


def _marks(legs: gpd.GeoDataFrame, words: Texts) -> Iterator[tuple[Point, str, bool]]:
    """Return the places to mark, each with its name (once) and whether it is an end of the journey."""
    lines = list(legs.geometry)
    named: set[str] = set()
    yield Point(lines[0].coords[0]), words["journey_start"], True
    for leg, line in zip(legs.to_dict("records"), lines, strict=True):
        if leg["leg"] != "ride":
            continue
        for name, place in ((leg["from_name"], line.coords[0]), (leg["to_name"], line.coords[-1])):
            yield Point(place), "" if name in named else str(name), False
            named.add(name)
    yield Point(lines[-1].coords[-1]), words["journey_end"], True


def _line(leg: str, colour: str) -> dict[str, Any]:
    dashes = {"linestyle": (0, (0.1, 1.8)), "dash_capstyle": "round", "linewidth": 3} if leg == "walk" else {}
    return {"color": colour, "linewidth": 3.2, **dashes}


def _sign(leg: str, colour: str) -> str:
    if leg == "wait":
        return f'<circle cx="14" cy="14" r="5" fill="{_CASING}" stroke="{INK}" stroke-width="2"></circle>'
    dashes = ' stroke-dasharray="1 7" stroke-linecap="round"' if leg == "walk" else ""
    return f'<path d="M2 14H26" stroke="{colour}" stroke-width="5"{dashes}></path>'
