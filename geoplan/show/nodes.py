"""Strategic nodes on a map: the larger the more points, with whom each would serve and the deprived districts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geoplan import checks
from geoplan.errors import SpecError
from geoplan.show.ground import Backdrop, explored, ground_page, must_lie_somewhere
from geoplan.show.maps import KeyPanel, OfflineMap, geojson, tip_of
from geoplan.show.page import NARROW, WIDTH, Sign
from geoplan.show.style import INK
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["explore_nodes", "plot_nodes"]

_COLUMNS = ("name", "score", "rank", "chosen")
_TINTS = (
    "#b3cde3",
    "#fdd0a2",
    "#d4c5e2",
    "#bfe0d8",
    "#f3c6dc",
    "#e8dcb5",
)  # neighbours differ, and text stays readable
_OUTSIDE, _CHOSEN, _OTHER, _EDGE, _DEPRIVED = "#dededa", "#225ea8", "#ffffff", "#ffffff", "#8c2d04"
_MOST, _LEAST = 15.0, 6.0  # pixels
_NONE = 3.0  # of a candidate without points
_NAMED = 15  # chosen nodes, up to which their names are listed below the printed map


def explore_nodes(
    nodes: gpd.GeoDataFrame,
    *,
    catchments: gpd.GeoDataFrame | None = None,
    districts: gpd.GeoDataFrame | None = None,
    title: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
) -> OfflineMap:
    """Draw strategic nodes to look around in.

    Parameters
    ----------
    nodes
        Points with ``name``, ``score``, ``rank`` and ``chosen``, as ``nodes`` of strategic nodes; ``residents`` is told
        where it is there.
    catchments
        Polygons by ``node_id``, those outside of every node's reach under ``""``; of ``catchment_areas``.
    districts
        Deprived districts: polygons with ``name``.
    title, period, source, note
        Words of the panel; the title is made when left out.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    language
        ``sv``, ``da`` or ``en``.

    Raises
    ------
    SpecError
        When a column is missing, or no node has a place.
    CrsError
        When the nodes state no coordinate system.

    Examples
    --------
    >>> from shapely import Point
    >>> nodes = gpd.GeoDataFrame({"name": ["Torget", "Hamnen"], "score": [70.0, 30.0], "rank": [1, 2],
    ...                           "chosen": [True, False]}, geometry=[Point(18.0, 59.3), Point(18.02, 59.31)], crs=4326)
    >>> "Torget" in explore_nodes(nodes).to_html()
    True
    """
    words = texts(language)
    placed = _in_order(nodes)
    looks = [_look(row) for row in placed.to_dict("records")]
    layer = folium.GeoJson(
        geojson(placed),
        marker=folium.CircleMarker(radius=_LEAST),
        style_function=lambda feature: looks[int(feature["id"])],
        highlight_function=lambda _: {"color": "#000000", "weight": 2.5},
        control=False,
    )
    below = [*_areas_below(placed, catchments), *_outlines(districts)]
    said = [_said(row, words) for row in placed.to_dict("records")]
    entries = [
        (_sign(kind), text, format_number(number, language) if number else "")
        for kind, text, number in _key(placed, catchments, districts, words)
    ]
    foot = [f"{words['source']}: {source}" if source else "", note]
    panel = KeyPanel(
        title or words["nodes_title"],
        " · ".join(part for part in (words["nodes_below"].split(",")[0], period) if part),
        words["nodes_heading"],
        entries,
        foot,
    )
    told = (layer.get_name(), words["nodes_aria"], said)
    return explored(_extent(placed, catchments, districts), backdrop, panel, language, [*below, layer], told)


def plot_nodes(
    nodes: gpd.GeoDataFrame,
    *,
    catchments: gpd.GeoDataFrame | None = None,
    districts: gpd.GeoDataFrame | None = None,
    title: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
    width: float = WIDTH,
) -> Figure:
    """Draw strategic nodes for print: ranks in the circles, the names of those below, deprived districts hatched.

    Parameters
    ----------
    nodes, catchments, districts, title, period, source, note, backdrop, language
        As for :func:`explore_nodes`.
    width
        Inches.

    Raises
    ------
    SpecError
        When a column is missing, or no node has a place.
    CrsError
        When the nodes state no coordinate system.

    Examples
    --------
    >>> from shapely import Point
    >>> nodes = gpd.GeoDataFrame({"name": ["Torget", "Hamnen"], "score": [70.0, 30.0], "rank": [1, 2],
    ...                           "chosen": [True, False]}, geometry=[Point(18.0, 59.3), Point(18.02, 59.31)], crs=4326)
    >>> len(plot_nodes(nodes).axes)
    2
    """
    words = texts(language)
    placed = _in_order(nodes)
    key = [
        _printed_sign(kind, text, number, language) for kind, text, number in _key(placed, catchments, districts, words)
    ]
    page, axes, metric = ground_page(
        _extent(placed, catchments, districts),
        backdrop,
        width=width,
        title=title or words["nodes_title"],
        below=" · ".join(part for part in (words["nodes_below"], period) if part),
        key=key,
        foot=[
            _listed(placed, language),
            "  ·  ".join(filter(None, (f"{words['source']}: {source}" if source else "", note))),
        ],
        language=language,
    )
    crs = metric.crs
    for code, shape in _tinted(placed, catchments).items():
        part = gpd.GeoSeries([shape[1]], crs=catchments.crs if catchments is not None else crs).to_crs(crs)
        part.plot(ax=axes, color=shape[0], edgecolor="none", alpha=0.85 if code else 0.6, zorder=2, autolim=False)
    if districts is not None and len(districts):
        look: dict[str, Any] = {"facecolor": "none", "edgecolor": _DEPRIVED, "autolim": False}
        districts.to_crs(crs).plot(ax=axes, hatch="///", linewidth=0.0, alpha=0.35, zorder=3.4, **look)
        districts.to_crs(crs).plot(ax=axes, linewidth=1.3, zorder=3.5, **look)
    _draw_points(axes, placed.to_crs(crs), 1.5 if width >= NARROW else 0.8)
    return page.figure


# ---------------------------------------------------------------- what is drawn


def _in_order(nodes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the nodes that have a place, the highest first, so that small ones lie on top."""
    present = [str(name) for name in nodes.columns]
    absent = checks.absent_columns([name for name in _COLUMNS if name not in present], present)
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    placed = must_lie_somewhere(nodes, "node")
    placed = placed.sort_values("score", ascending=False, kind="stable", na_position="last")
    most = placed["score"].max()
    share = (placed["score"] / (most if most > 0 else 1.0)).clip(lower=0)
    placed["radius"] = np.maximum(_LEAST, _MOST * np.sqrt(share)).where(placed["score"].notna(), _NONE)
    return placed


def _extent(
    placed: gpd.GeoDataFrame, catchments: gpd.GeoDataFrame | None, districts: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Return all that the map must hold, in degrees."""
    parts = [placed.geometry]
    parts += [
        frame.geometry.to_crs(placed.crs) for frame in (catchments, districts) if frame is not None and len(frame)
    ]
    return gpd.GeoDataFrame(geometry=pd.concat(parts, ignore_index=True), crs=placed.crs)


def _tinted(placed: gpd.GeoDataFrame, catchments: gpd.GeoDataFrame | None) -> Mapping[str, tuple[str, Any]]:
    """Return colour and shape of every catchment; the tints in turn by place from west to east, so that few meet."""
    if catchments is None:
        return {}
    own = [str(name) for name in catchments.index if str(name)]
    spots = placed.geometry.rename(index=str)
    ordered = sorted(own, key=lambda name: (spots[name].x if name in spots.index else 0.0, name))
    tint = {name: _TINTS[number % len(_TINTS)] for number, name in enumerate(ordered)} | {"": _OUTSIDE}
    return {str(name): (tint[str(name)], shape) for name, shape in catchments.geometry.items()}


def _areas_below(placed: gpd.GeoDataFrame, catchments: gpd.GeoDataFrame | None) -> list[folium.GeoJson]:
    if catchments is None or catchments.empty:
        return []
    tints = [colour for colour, _ in _tinted(placed, catchments).values()]
    return [
        folium.GeoJson(
            geojson(catchments),
            style_function=lambda feature: {
                "fillColor": tints[int(feature["id"])],
                "fillOpacity": 0.75,
                "weight": 0,
            },
            interactive=False,
            control=False,
        )
    ]


def _outlines(districts: gpd.GeoDataFrame | None) -> list[folium.GeoJson]:
    if districts is None or districts.empty:
        return []
    look = {"fill": False, "color": _DEPRIVED, "weight": 2, "dashArray": "7 4"}
    return [
        folium.GeoJson(geojson(districts), style_function=lambda _: look, interactive=False, control=False),
    ]


def _draw_points(axes: Axes, nodes: gpd.GeoDataFrame, scale: float) -> None:
    for row in nodes.to_dict("records"):
        x, y, chosen = row["geometry"].x, row["geometry"].y, bool(row["chosen"])
        size = scale * row["radius"]
        axes.plot(x, y, zorder=5, **_point(chosen=chosen, size=size))
        if pd.notna(row["rank"]):
            axes.annotate(f"{int(row['rank'])}", (x, y), ha="center", va="center", zorder=6, parse_math=False,
                          fontsize=max(5.0, 0.45 * size), color="white" if chosen else INK,
                          fontweight="bold")  # fmt: skip


# ---------------------------------------------------------------- words and signs


def _listed(placed: gpd.GeoDataFrame, language: str) -> str:
    """Return ranks, names and points of the chosen nodes, as many as can be read."""
    chosen = placed[placed["chosen"].astype(bool) & placed["rank"].notna()]
    told = [
        f"{int(row['rank'])} {row['name']} ({format_number(row['score'], language)})".replace(" ", "\u00a0")
        for row in chosen.head(_NAMED).to_dict("records")
    ]
    return "  ·  ".join([*told, *(["…"] if len(chosen) > _NAMED else [])])


def _said(row: Mapping[str, Any], words: Texts) -> list[str]:
    name, language = str(row["name"]), words.language
    points = format_number(row["score"], language, decimals=1)
    rank = format_number(float(row["rank"]), language) if pd.notna(row["rank"]) else "–"
    fields = [(words["node_rank"], rank), (words["node_points"], points)]
    if pd.notna(row.get("residents", np.nan)):
        fields.append((words["node_people"], format_number(row["residents"], language)))
    return [tip_of(name, fields), f"{name}: {', '.join(f'{head} {text}' for head, text in fields)}", ""]


def _key(
    placed: gpd.GeoDataFrame, catchments: gpd.GeoDataFrame | None, districts: gpd.GeoDataFrame | None, words: Texts
) -> list[tuple[str, str, int]]:
    """Return kinds of signs, their words, and how many there are; 0 where that says nothing."""
    chosen, known = placed["chosen"].astype(bool), placed["score"].notna()
    entries = [
        ("chosen", words["node_chosen"], int(chosen.sum())),
        ("other", words["node_other"], int((~chosen & known).sum())),
        ("none", words["node_without"], int((~known).sum())),
    ]
    entries = [entry for entry in entries if entry[2]]
    if catchments is not None and len(catchments):
        codes = [str(name) for name in catchments.index]
        entries += [("catchment", words["node_catchment"], 0)] if any(codes) else []
        entries += [("outside", words["node_outside"], 0)] if "" in codes else []
    if districts is not None and len(districts):
        entries.append(("deprived", words["node_deprived"], len(districts)))
    return entries


def _point(*, chosen: bool, size: float) -> dict[str, Any]:
    return {
        "marker": "o",
        "markersize": size,
        "markerfacecolor": _CHOSEN if chosen else _OTHER,
        "markeredgecolor": _EDGE if chosen else _CHOSEN,
        "markeredgewidth": 1.2,
    }


def _printed_sign(kind: str, text: str, number: int, language: str) -> Sign:
    told = f"{text}  ({format_number(number, language)})" if number else text
    if kind in {"chosen", "other", "none"}:
        size = 1.5 * (_NONE if kind == "none" else _LEAST)
        return Sign(told, point=_point(chosen=kind == "chosen", size=size))
    if kind == "deprived":
        return Sign(told, patch={"facecolor": "white", "edgecolor": _DEPRIVED, "hatch": "///", "linewidth": 1.2})
    return Sign(told, patch={"facecolor": _OUTSIDE if kind == "outside" else _TINTS[0], "edgecolor": "none"})


def _look(row: Mapping[str, Any]) -> dict[str, object]:
    chosen = bool(row["chosen"])
    return {
        "radius": round(float(row["radius"]), 2),
        "fill": True,
        "fillColor": _CHOSEN if chosen else _OTHER,
        "fillOpacity": 0.95,
        "color": _EDGE if chosen else _CHOSEN,
        "weight": 1.4,
    }


def _sign(kind: str) -> str:
    if kind in {"chosen", "other", "none"}:
        fill, line = (_CHOSEN, _EDGE) if kind == "chosen" else (_OTHER, _CHOSEN)
        size = _NONE if kind == "none" else 8.0
        return f'<circle cx="14" cy="14" r="{size}" fill="{fill}" stroke="{line}" stroke-width="1.4"></circle>'
    if kind == "deprived":
        look = f'fill="none" stroke="{_DEPRIVED}" stroke-width="2" stroke-dasharray="7 4"'
        return f'<rect x="3" y="7" width="22" height="14" {look}></rect>'
    fill = _OUTSIDE if kind == "outside" else _TINTS[0]
    return f'<rect x="3" y="7" width="22" height="14" fill="{fill}"></rect>'
