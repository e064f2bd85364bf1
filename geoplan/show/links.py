"""Links between districts as lines: the wider the more there is of them, the darker the longer the way round."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import folium
import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.show.ground import Backdrop, explored, ground_page, must_lie_somewhere
from geoplan.show.maps import KeyPanel, OfflineMap, add_still, geojson, tip_of
from geoplan.show.page import NARROW, SMALL, WIDTH, Sign
from geoplan.show.style import INK, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["explore_links", "plot_links"]

_STEPS = (1.3, 1.6, 2.0, 3.0)
_COLUMNS = ("area_a", "area_b", "name_a", "name_b", "people_detour", "people_walk_min", "crossings", "cause")
_WIDEST, _THINNEST = 9.0, 1.6  # points on paper; a third more pixels on a screen
_SCREEN = 1.3
_GREY, _CASING, _EDGE = "#8f8f88", "#4a4a46", "#c9c9c3"
_BARRIER, _NEW = "#7a1f1f", "#b5246e"
_BARRIER_LOOK = {"fill": False, "color": _BARRIER, "weight": 2.6, "opacity": 0.9}
_DASHES = {"no_way": "6 5", "unknown": "1 5"}
_STYLES: dict[str, Any] = {"no_way": (0, (3, 2)), "unknown": (0, (0.4, 2))}
_MARGIN = 0.08  # around the links, as a share of how far they reach
_LABELLED = 40  # districts, above which their names would cover the map
_HALO = withStroke(linewidth=2.5, foreground="white")


@dataclass(frozen=True)
class _Drawn:
    """Links ready to be drawn: in degrees, the worst last; of each, its class, colour and width in points."""

    frame: gpd.GeoDataFrame
    classes: list[str]
    colours: list[str]
    widths: np.ndarray
    most: float


def explore_links(
    links: gpd.GeoDataFrame,
    *,
    areas: gpd.GeoDataFrame,
    weight: str = "crossings",
    crossings: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    candidates: gpd.GeoDataFrame | None = None,
    best: int = 5,
    title: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
) -> OfflineMap:
    """Draw links between districts to look around in.

    Parameters
    ----------
    links
        Lines with the columns of ``Links.pairs``, as ``Links.straight()`` returns them.
    areas
        The districts, drawn as outlines; ``name`` if there is one.
    weight
        Column that the width of a line shows: ``"crossings"``, or another number of each pair.
    crossings
        Points, drawn as dots.
    barriers
        Lines or polygons with ``name``, drawn heavily.
    candidates
        Lines with ``rank``, as ``frame`` of crossing effects; the first ``best`` are drawn with their rank.
    best
        How many of the candidates.
    title, period, source, note
        Words of the panel; the title is made when left out.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    language
        ``sv``, ``da`` or ``en``.

    Raises
    ------
    SpecError
        When a column is missing, or no link has a line.
    CrsError
        When a frame states no coordinate system.

    Examples
    --------
    >>> from shapely import LineString, box
    >>> row = {"area_a": "1", "area_b": "2", "name_a": "Norr", "name_b": "Söder", "people_detour": 2.4,
    ...        "people_walk_min": 21.0, "crossings": 1, "cause": "Ån"}
    >>> links = gpd.GeoDataFrame([row], geometry=[LineString([(18.0, 59.31), (18.0, 59.3)])], crs=4326)
    >>> areas = gpd.GeoDataFrame(geometry=[box(17.99, 59.29, 18.01, 59.32)], crs=4326)
    >>> "Links between districts" in explore_links(links, areas=areas).to_html()
    True
    """
    words = texts(language)
    drawn = _ready(links, weight)
    districts = must_lie_somewhere(areas, "district")
    looks = [
        {"color": colour, "weight": round(width * _SCREEN, 2), "opacity": 1, "dashArray": _DASHES.get(kind, "")}
        for colour, width, kind in zip(drawn.colours, drawn.widths.tolist(), drawn.classes, strict=True)
    ]
    below = [
        {"color": _CASING, "weight": look["weight"] + 2, "opacity": 0.9 if kind not in _DASHES else 0}
        | {"interactive": False}
        for look, kind in zip(looks, drawn.classes, strict=True)
    ]
    content = geojson(drawn.frame)
    casing = folium.GeoJson(content, style_function=lambda feature: below[int(feature["id"])], control=False)
    layer = folium.GeoJson(
        content,
        style_function=lambda feature: looks[int(feature["id"])],
        highlight_function=lambda _: {"color": "#000000"},
        control=False,
    )
    over: list[Any] = [
        _Still(districts, {"fill": True, "fillColor": "#ffffff", "fillOpacity": 0.55, "color": _EDGE, "weight": 1})
    ]
    if barriers is not None:
        over.append(_Still(must_lie_somewhere(barriers, "barrier"), _BARRIER_LOOK))
    over += [casing, layer]
    if candidates is not None:
        over += _candidate_marks(_best(candidates, best))
    if crossings is not None and len(crossings):
        over += [
            folium.CircleMarker((point.y, point.x), radius=2.6, color=INK, weight=1, fill=True, fill_color="#ffffff",
                                fill_opacity=1, interactive=False)
            for point in must_lie_somewhere(crossings, "crossing").geometry
        ]  # fmt: skip
    entries = [
        (_svg(sign), text, count) for text, count, sign in _key(drawn, words, weight, crossings, barriers, candidates)
    ]
    foot = [words["links_people"], f"{words['source']}: {source}" if source else "", note]
    panel = KeyPanel(title or words["links_title"], period, words["links_number"], entries, foot)
    said = _said(drawn.frame, words)
    told = (layer.get_name(), words["links_aria"], said)
    return explored(_window(drawn.frame, districts, crossings, candidates), backdrop, panel, language, over, told)


def plot_links(
    links: gpd.GeoDataFrame,
    *,
    areas: gpd.GeoDataFrame,
    weight: str = "crossings",
    crossings: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    candidates: gpd.GeoDataFrame | None = None,
    best: int = 5,
    title: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
    width: float = WIDTH,
) -> Figure:
    """Draw links between districts for print.

    Parameters
    ----------
    links, areas, weight, crossings, barriers, candidates, best, title, period, source, note, backdrop, language
        As for :func:`explore_links`.
    width
        Inches.

    Raises
    ------
    SpecError
        When a column is missing, or no link has a line.
    CrsError
        When a frame states no coordinate system.

    Examples
    --------
    >>> from shapely import LineString, box
    >>> row = {"area_a": "1", "area_b": "2", "name_a": "Norr", "name_b": "Söder", "people_detour": 2.4,
    ...        "people_walk_min": 21.0, "crossings": 1, "cause": "Ån"}
    >>> links = gpd.GeoDataFrame([row], geometry=[LineString([(18.0, 59.31), (18.0, 59.3)])], crs=4326)
    >>> areas = gpd.GeoDataFrame(geometry=[box(17.99, 59.29, 18.01, 59.32)], crs=4326)
    >>> len(plot_links(links, areas=areas).axes)
    2
    """
    words = texts(language)
    drawn = _ready(links, weight)
    districts = must_lie_somewhere(areas, "district")
    key = [
        Sign(f"{text}  ({count})" if count else text, **_paper(sign))
        for text, count, sign in _key(drawn, words, weight, crossings, barriers, candidates)
    ]
    page, axes, window = ground_page(
        _window(drawn.frame, districts, crossings, candidates),
        backdrop,
        width=width,
        title=title or words["links_title"],
        below=" · ".join(filter(None, (period, words["links_number"]))),
        key=key,
        foot=[
            "  ·  ".join(filter(None, (words["links_people"], f"{words['source']}: {source}" if source else "", note)))
        ],
        language=language,
    )
    metric = districts.to_crs(window.crs)
    scale = min(1.0, max(0.5, width / WIDTH))
    metric.plot(ax=axes, facecolor="white", edgecolor=_EDGE, linewidth=0.8, alpha=0.55, zorder=2, autolim=False)
    metric.boundary.plot(ax=axes, color=_EDGE, linewidth=0.8, zorder=3, autolim=False)
    if barriers is not None:
        there = must_lie_somewhere(barriers, "barrier").to_crs(metric.crs)
        there.plot(
            ax=axes, facecolor="none", edgecolor=_BARRIER, color=None, linewidth=2 * scale, zorder=4, autolim=False
        )
    lines = drawn.frame.to_crs(metric.crs).geometry
    for line, colour, wide, kind in zip(lines, drawn.colours, drawn.widths * scale, drawn.classes, strict=True):
        x, y = line.xy
        if kind not in _DASHES:
            axes.plot(x, y, color=_CASING, linewidth=wide + 1.2, zorder=5, solid_capstyle="butt")
        axes.plot(
            x, y, color=colour, linewidth=wide, linestyle=_STYLES.get(kind, "-"), zorder=5.1, solid_capstyle="butt"
        )
    if candidates is not None:
        _plot_candidates(axes, _best(candidates, best).to_crs(metric.crs), scale)
    if crossings is not None and len(crossings):
        dots = must_lie_somewhere(crossings, "crossing").to_crs(metric.crs).geometry
        axes.scatter(dots.x, dots.y, s=9 * scale, color="white", edgecolor=INK, linewidth=0.7, zorder=6)
    if "name" in metric and len(metric) <= _LABELLED and width >= NARROW:
        _name(axes, drawn.frame.to_crs(metric.crs), metric)
    return page.figure


# ---------------------------------------------------------------- what is drawn


def _ready(links: gpd.GeoDataFrame, weight: str) -> _Drawn:
    """Return links with a place, sorted so that the longest ways round lie on top."""
    present = [str(name) for name in links.columns]
    absent = checks.absent_columns([name for name in (*_COLUMNS, weight) if name not in present], present)
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    placed = must_lie_somewhere(links, "link")
    kinds = np.array(_classes(placed))
    order = np.lexsort((placed["people_detour"], [("unknown", *_NAMES, "no_way").index(kind) for kind in kinds]))
    placed, kinds = placed.iloc[order], kinds[order]
    values = pd.to_numeric(placed[weight], errors="coerce").fillna(0).to_numpy(dtype=float)
    if (values < 0).any():
        raise SpecError(Fault(what=f"'{weight}' holds numbers below 0", key="weight", expected="numbers from 0"))
    most = float(values.max(initial=0))
    widths = np.maximum(_THINNEST, _WIDEST * np.sqrt(values / max(most, 1e-9)))
    palette = dict(zip(_NAMES, _palette(), strict=True))
    colours = [palette.get(kind, _palette()[-1] if kind == "no_way" else _GREY) for kind in kinds]
    widths = np.where(kinds == "unknown", _THINNEST, widths)
    return _Drawn(placed, list(kinds), colours, widths, most)


_NAMES = tuple(f"class_{number}" for number in range(len(_STEPS) + 1))


def _palette() -> list[str]:
    return [to_hex(mpl.colormaps["YlGnBu"](share)) for share in np.linspace(0.12, 1.0, len(_STEPS) + 1)]


def _classes(links: gpd.GeoDataFrame) -> list[str]:
    """Return the class of each link: of its detour, without any way, or unknown."""
    detour = links["people_detour"].to_numpy(dtype=float)
    number = np.searchsorted(_STEPS, detour, side="right")
    closed = links.get("people_reached_share", pd.Series(np.nan, index=links.index)).to_numpy(dtype=float) == 0
    return ["no_way" if shut else "unknown" if np.isnan(value) else _NAMES[row]
            for shut, value, row in zip(closed, detour, number, strict=True)]  # fmt: skip


def _window(
    links: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    crossings: gpd.GeoDataFrame | None,
    candidates: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:
    """Return what the map must show: links and what belongs to them, and no more than all districts.

    A district may have islands far away.
    """
    parts = [links.geometry, *(part.geometry.to_crs(links.crs) for part in (crossings, candidates) if part is not None)]
    shown = np.array([part.total_bounds for part in parts if len(part)])
    low, high = np.nanmin(shown[:, :2], axis=0), np.nanmax(shown[:, 2:], axis=0)
    room = _MARGIN * (high - low).max()
    edges = areas.total_bounds
    low, high = np.maximum(low - room, edges[:2]), np.minimum(high + room, edges[2:])
    low, high = np.minimum(low, np.nanmin(shown[:, :2], axis=0)), np.maximum(high, np.nanmax(shown[:, 2:], axis=0))
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.stack([low, high]).T), crs=links.crs)


def _best(candidates: gpd.GeoDataFrame, best: int) -> gpd.GeoDataFrame:
    if "rank" not in candidates:
        raise checks.absent_columns(["rank"], [str(name) for name in candidates.columns], key="candidates")[0]
    ranked = candidates[candidates["rank"].notna()].sort_values("rank", kind="stable").head(best)
    return must_lie_somewhere(ranked, "candidate")


# ---------------------------------------------------------------- words


def _key(
    drawn: _Drawn,
    words: Texts,
    weight: str,
    crossings: gpd.GeoDataFrame | None,
    barriers: gpd.GeoDataFrame | None,
    candidates: gpd.GeoDataFrame | None,
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the key: words, how many, and how it looks."""
    language = words.language
    number = pd.Series(drawn.classes).value_counts()
    told = [format_number(step, language, decimals=1) for step in _STEPS]
    labels = [f"< {told[0]}", *(f"{low}–{high}" for low, high in pairwise(told)), f"≥ {told[-1]}"]
    entries: list[tuple[str, str, dict[str, Any]]] = []
    for name, label, colour in list(zip(_NAMES, labels, _palette(), strict=True))[::-1]:
        entries.append((label, str(number.get(name, 0)), {"colour": colour, "width": 5.0, "cased": True}))
    if number.get("no_way", 0):
        entries.insert(
            0,
            (words["links_no_way"], str(number["no_way"]), {"colour": _palette()[-1], "width": 3.0, "kind": "no_way"}),
        )
    if number.get("unknown", 0):
        entries.append(
            (words["links_unknown"], str(number["unknown"]), {"colour": _GREY, "width": 1.6, "kind": "unknown"})
        )
    if drawn.most > 0:
        what = words.words.get(f"links_{weight}", words.words.get(weight, weight))
        most = format_number(drawn.most, language)
        entries.append((words["links_width"].format(what=what, most=most), "", {"colour": _GREY, "width": _WIDEST}))
    if crossings is not None and len(crossings):
        entries.append((words["links_crossing"], format_number(len(crossings), language), {"dot": True}))
    if barriers is not None and len(barriers):
        entries.append((words["links_barrier"], "", {"colour": _BARRIER, "width": 2.0}))
    if candidates is not None and len(candidates):
        entries.append((words["links_candidate"], "", {"colour": _NEW, "width": 3.0}))
    return entries


def _said(links: gpd.GeoDataFrame, words: Texts) -> list[list[str]]:
    """Return what is said of each link: tooltip, and one line for screen readers."""
    language, said = words.language, []
    for row in links.to_dict("records"):
        name = f"{row['name_a']} – {row['name_b']}"
        detour = format_number(row["people_detour"], language, decimals=1)
        fields = [
            (
                words["links_detour"],
                detour if not np.isnan(row["people_detour"]) else str(row.get("people_reason", "–")),
            ),
            (words["links_walk"], format_number(row["people_walk_min"], language)),
            (words["links_crossing"], format_number(row["crossings"], language)),
        ]
        more = (("people_cycle_min", "links_cycle"), ("people_transit_min", "links_transit"))
        fields += [
            (words[key], format_number(row[column], language)) for column, key in more if _known(row.get(column))
        ]
        if row["cause"]:
            fields.append((words["links_barrier"], str(row["cause"])))
        if _known(row.get("index_difference")):
            fields.append((words["links_index"], format_number(abs(row["index_difference"]), language, decimals=1)))
        said.append([tip_of(name, fields), f"{name}: {words['links_detour']} {detour}", ""])
    return said


def _known(value: Any) -> bool:
    return value is not None and not pd.isna(value)


# ---------------------------------------------------------------- signs and marks


class _Still:
    """Shapes that are looked at, not pointed at, added when their turn comes."""

    def __init__(self, frame: gpd.GeoDataFrame, look: dict[str, Any]) -> None:
        self.frame, self.look = frame, look

    def add_to(self, shown: folium.Map) -> None:
        """Add them."""
        add_still(shown, self.frame, self.look)


def _candidate_marks(candidates: gpd.GeoDataFrame) -> list[Any]:
    """Return the lines of candidates, and their ranks in a disc."""
    marks: list[Any] = [_Still(candidates, {"color": _NEW, "weight": 4, "opacity": 1})]
    for rank, line in zip(candidates["rank"], candidates.geometry, strict=True):
        place = line.interpolate(0.5, normalized=True)
        disc = (
            f'<div style="width:20px;height:20px;border-radius:10px;background:{_NEW};color:#fff;'
            f'font:600 12px/20px system-ui,sans-serif;text-align:center">{int(rank)}</div>'
        )
        icon = folium.DivIcon(html=disc, icon_size=(20, 20), icon_anchor=(10, 10), class_name="gp-rank")
        marks.append(folium.Marker((place.y, place.x), icon=icon, interactive=False, keyboard=False))
    return marks


def _plot_candidates(axes: Any, candidates: gpd.GeoDataFrame, scale: float) -> None:
    for rank, line in zip(candidates["rank"].tolist()[::-1], candidates.geometry.tolist()[::-1], strict=True):
        x, y = line.xy
        axes.plot(x, y, color="white", linewidth=4.5 * scale, zorder=6.5)
        axes.plot(x, y, color=_NEW, linewidth=3 * scale, zorder=6.6)
        place = line.interpolate(0.5, normalized=True)
        axes.scatter([place.x], [place.y], s=120 * scale, color=_NEW, edgecolor="white", linewidth=0.8, zorder=6.7)
        axes.text(place.x, place.y, str(int(rank)), color="white", fontsize=SMALL * max(scale, 0.8), fontweight="bold",
                  ha="center", va="center_baseline", zorder=6.8)  # fmt: skip


def _name(axes: Any, links: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    """Write each district's name where its links meet, else in its middle."""
    at: dict[str, Any] = {}
    for row in zip(links["area_a"], links["area_b"], links.geometry, strict=True):
        at[str(row[0])], at[str(row[1])] = row[2].coords[0], row[2].coords[-1]
    for code, name, shape in zip(areas.index, areas["name"], areas.geometry, strict=True):
        x, y = at.get(str(code), shape.representative_point().coords[0])
        axes.annotate(str(name), (x, y), (0, 5), textcoords="offset points", ha="center", fontsize=SMALL - 1.5,
                      color=QUIET, zorder=7, parse_math=False, path_effects=[_HALO], annotation_clip=True)  # fmt: skip


def _svg(sign: dict[str, Any]) -> str:
    if sign.get("dot"):
        return f'<circle cx="14" cy="14" r="3.4" fill="#ffffff" stroke="{INK}" stroke-width="1.4"></circle>'
    wide = sign["width"] * _SCREEN
    dashes = f' stroke-dasharray="{_DASHES[sign["kind"]]}"' if "kind" in sign else ""
    casing = f'<path d="M2 14H26" stroke="{_CASING}" stroke-width="{wide + 2:.1f}"></path>' if sign.get("cased") else ""
    return f'{casing}<path d="M2 14H26" stroke="{sign["colour"]}" stroke-width="{wide:.1f}"{dashes}></path>'


def _paper(sign: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if sign.get("dot"):
        return {"point": {"marker": "o", "markersize": 4, "markerfacecolor": "white", "markeredgecolor": INK}}
    look: dict[str, Any] = {"color": sign["colour"], "linewidth": sign["width"]}
    if "kind" in sign:
        look["linestyle"] = _STYLES[sign["kind"]]
    if sign.get("cased"):
        look["path_effects"] = [withStroke(linewidth=sign["width"] + 1.4, foreground=_CASING)]
    return {"line": look}
