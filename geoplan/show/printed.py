"""Maps on paper: one call, a figure with legend, north arrow, scale bar, source and date."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextToPath

from geoplan.show.style import (
    BACKDROP,
    HAIRLINE,
    INK,
    MANY_AREAS,
    MISSING_PATTERNS,
    QUIET,
    Style,
    make_style,
    values_of,
)
from geoplan.show.texts import format_number, texts

__all__ = [
    "SAVED",
    "Picture",
    "draw_backdrop",
    "draw_border",
    "draw_north_arrow",
    "draw_scale_bar",
    "fill_areas",
    "map_window",
    "missing_look",
    "outer_border",
    "plot",
]

_HALO = withStroke(linewidth=3, foreground="white")  # what lies on the map stays readable on any class
_INK, _QUIET, _HAIRLINE, _EDGE = INK, QUIET, HAIRLINE, "#ffffff"
_PARENT_EDGE = "#3d3d3a"
_LEAST_LETTERS = 4  # of a name beside the map
_LEGEND_LETTERS = 29
_EDGE_WIDTH, _TINY = 0.5, 1e-5
_MARK = 0.24  # inches across

# The page, in inches.
_MAP_WIDTH, _MAP_HEIGHT, _LEAST_WIDTH, _LEAST_HEIGHT = 7.7, 7.2, 3.6, 4.6
_SIDE, _HEAD, _FOOT, _GAP, _LINE = 2.75, 0.95, 0.75, 0.25, 0.29
_FOOT_LETTERS = 14  # to the inch
_LINES = {"rail": 0.9, "road": 0.7}

_MARKED = 60
_MARK_LOOK: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9, "fontweight": "bold", "color": INK,
                              "zorder": 6, "parse_math": False}  # fmt: skip

#: Settings and metadata that make a saved figure the same to the byte each time.
SAVED: dict[str, dict[str, Any]] = {
    "png": {"dpi": 200, "metadata": {"Software": None}},
    "svg": {"metadata": {"Date": None, "Creator": "geoplan"}},
    "pdf": {"metadata": {"CreationDate": None, "ModDate": None, "Creator": "geoplan", "Producer": None}},
}


def plot(
    areas: gpd.GeoDataFrame,
    column: str | pd.Series | None = None,
    *,
    style: Style | None = None,
    backdrop: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    outline: gpd.GeoDataFrame | None = None,
    top: int = 5,
    named: Mapping[str, str] | None = None,
    named_title: str = "",
    **style_kwds: Any,
) -> Figure:
    """Draw a choropleth for print.

    Parameters
    ----------
    areas
        Areas in a metric system.
    column
        A column of ``areas``, or a Series with the same index.
    style
        A finished style; made from ``column`` and ``style_kwds`` (see :func:`make_style`) when left out.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    outline
        Areas of a higher level, drawn as dark borders.
    top
        How many of the highest values are numbered on the map and named beside it.
    named
        In their place: the areas to number and name, in order, and what stands after each name.
    named_title
        The words above them.

    Returns
    -------
    matplotlib.figure.Figure
        As large as the map's shape asks for, about an A4 page.

    Raises
    ------
    SpecError
        When the column does not exist, or ``style_kwds`` are not understood.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(
    ...     {"name": ["Norr", "Syd"], "score": [80.0, 130.0]}, index=pd.Index(["1", "2"], name="area_id"),
    ...     geometry=[box(0, 0, 900, 900), box(900, 0, 1800, 900)], crs="EPSG:3006")
    >>> plot(areas, "score", title="Risk index", midpoint=100, cmap="PuOr_r").axes[0].get_title(loc="left")
    'Risk index'
    """
    values = values_of(areas, column)
    style = style or make_style(values, **style_kwds)
    figure, main, side = _page(areas.total_bounds)
    fill_areas(main, areas, style)
    draw_border(main, outer_border(areas))
    draw_backdrop(main, backdrop)
    if outline is not None:
        outline.boundary.plot(ax=main, color=_PARENT_EDGE, linewidth=1.1, zorder=4)
    main.set_axis_off()
    main.set_title(style.title, loc="left", fontsize=17, fontweight="bold", color=_INK, pad=24)
    main.annotate(
        style.subtitle,
        (0, 1),
        (0, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=11,
        color=_QUIET,
    )
    side.set_axis_off()
    bottom = _legend(side, style)
    if style.marks and named is None:
        _mark(main, areas, style)
    else:
        listed = _highest(values, style, top) if named is None else dict(named)
        told = _name_list(side, areas, listed, named_title or texts(style.language)["top"], bottom)
        _number(main, areas, {code: listed[code] for code in told})  # a number without a name says nothing
    draw_scale_bar(main, style.language)
    draw_north_arrow(main, style.language)
    _footer(figure, style)
    return figure


class Picture(Figure):
    """A figure that a notebook shows; one made without pyplot would only print its size."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=110)
        return stream.getvalue()


def map_window(bounds: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the window of a map: the bounds with a margin around them."""
    west, south, east, north = bounds
    margin = 0.03 * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _page(bounds: Sequence[float]) -> tuple[Figure, Axes, Axes]:
    """Return a page as large as the map needs, with room for the map on the left and words on the right."""
    west, south, east, north = map_window(bounds)
    wide, high = east - west, north - south
    width = min(_MAP_WIDTH, _MAP_HEIGHT * wide / high)
    height = width * high / wide
    page_width, page_height = max(width, _LEAST_WIDTH) + _SIDE + 3 * _GAP, max(height, _LEAST_HEIGHT) + _HEAD + _FOOT
    figure = Picture(figsize=(page_width, page_height), facecolor="white")
    top = 1 - _HEAD / page_height
    main = figure.add_axes((_GAP / page_width, top - height / page_height, width / page_width, height / page_height))
    side = figure.add_axes(
        ((page_width - _SIDE - _GAP) / page_width, _FOOT / page_height, _SIDE / page_width, top - _FOOT / page_height)
    )
    main.set_xlim(west, east)
    main.set_ylim(south, north)
    main.set_aspect("equal")
    return figure, main, side


def fill_areas(axes: Axes, areas: gpd.GeoDataFrame, style: Style) -> None:
    """Fill areas with the colours of their classes, and with a hatch where the value is missing."""
    classes = style.classes.reindex(areas.index)
    edge = _EDGE_WIDTH if len(areas) <= MANY_AREAS else _EDGE_WIDTH / 3  # white borders would swallow small areas
    for number, colour in enumerate(style.colours):
        part = areas[classes == number]
        if len(part):
            part.plot(ax=axes, color=colour, edgecolor=_EDGE, linewidth=edge, zorder=2)
    for missing in style.missing:
        part = areas[style.statuses.reindex(areas.index) == missing.status]
        part.plot(ax=axes, zorder=2, **missing_look(missing.status))


def missing_look(status: str) -> dict[str, Any]:
    """Return how areas without a value look, on a map and in its legend."""
    return {"facecolor": "#fbfbfa", "edgecolor": _HAIRLINE, "linewidth": 0.5, "hatch": MISSING_PATTERNS[status]}


def outer_border(areas: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the outer border alone.

    Where polygons were simplified one by one, the gaps between them are not worth a line.
    """
    whole = areas.union_all()
    parts = [part for part in shapely.get_parts(whole) if part.area > _TINY * whole.area]
    return gpd.GeoSeries([shapely.Polygon(part.exterior) for part in parts], crs=areas.crs).boundary


def draw_border(axes: Axes, border: gpd.GeoSeries) -> None:
    """Draw the outer border of areas."""
    border.plot(ax=axes, color=_HAIRLINE, linewidth=0.7, zorder=2)


def draw_backdrop(axes: Axes, backdrop: Sequence[tuple[str, gpd.GeoDataFrame]]) -> None:
    """Water and parks under the areas, lines above them; the frame stays where the areas put it."""
    for role, frame in backdrop:
        fill, line = BACKDROP[role]
        if role in _LINES:
            frame.plot(ax=axes, color=line, linewidth=_LINES[role], zorder=3, autolim=False)
        else:
            # Water covers what polygons claim of it; parks lie below, as their outline would cut the classes.
            order = 3 if role == "water" else 1
            frame.plot(ax=axes, facecolor=fill, edgecolor=line, linewidth=0.3, zorder=order, autolim=False)


def _legend(axes: Axes, style: Style) -> float:
    """Draw the classes, highest first, then the kinds of missing value; return where the legend ends."""
    handles = [
        Patch(facecolor=colour, edgecolor=_HAIRLINE, linewidth=0.5, label=_wrapped(f"{label}  ({count})"))
        for colour, label, count in zip(style.colours, style.labels, style.counts, strict=True)
    ][::-1]
    handles += [
        Patch(label=_wrapped(f"{missing.label}  ({missing.count})"), **missing_look(missing.status))
        for missing in style.missing
    ]
    words = texts(style.language)
    legend = axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0,
        frameon=False,
        title=f"{', '.join(filter(None, (style.title, style.period)))} ({words['number_of_areas']})",
        alignment="left",
        handlelength=1.9,
        handleheight=1.35,
        fontsize=10.5,
        labelcolor=_INK,
    )
    title = legend.get_title()
    title.set(fontsize=10, color=_QUIET)
    title.set_text(textwrap.fill(title.get_text(), 38))
    return float(axes.transAxes.inverted().transform(legend.get_window_extent())[0, 1])


def _wrapped(label: str) -> str:
    return textwrap.fill(label, _LEGEND_LETTERS)


def _number(axes: Axes, areas: gpd.GeoDataFrame, listed: Mapping[Any, str]) -> None:
    """Write numbers on areas; where two would cover each other the later one steps aside and points to its area."""
    west, east = axes.get_xlim()
    inch = (east - west) / (axes.get_window_extent().width / axes.figure.dpi)
    taken: list[tuple[float, float]] = []
    for place, area_id in enumerate(listed, start=1):
        point = areas.geometry[area_id].representative_point()
        x, y = _free_place(point.x, point.y, taken, _MARK * inch)
        taken.append((x, y))
        if (x, y) != (point.x, point.y):
            axes.plot([point.x, x], [point.y, y], color=_INK, linewidth=0.8, zorder=5)
        axes.text(
            x,
            y,
            str(place),
            ha="center",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=_INK,
            zorder=6,
            bbox={"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": _INK, "linewidth": 0.7},
        )


def _mark(axes: Axes, areas: gpd.GeoDataFrame, style: Style) -> None:
    """Write each area's class on it, as many shades are hard to tell apart; too many areas have no room for it."""
    if len(areas) > _MARKED:
        return
    for area_id, number in style.classes[style.classes >= 0].items():
        point = areas.geometry[area_id].representative_point()
        axes.text(point.x, point.y, style.marks[number], path_effects=[_HALO], **_MARK_LOOK)


def _free_place(x: float, y: float, taken: Sequence[tuple[float, float]], size: float) -> tuple[float, float]:
    """Return the point itself, or the nearest on rings around it that no mark covers."""
    rings = [(x, y)]
    rings += [
        (x + radius * size * np.cos(angle), y + radius * size * np.sin(angle))
        for radius in (1.2, 1.8, 2.6, 3.6)
        for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False) + np.pi / 4
    ]
    free = (place for place in rings if all(np.hypot(place[0] - a, place[1] - b) >= size for a, b in taken))
    return next(free, (x, y))


def _highest(values: pd.Series, style: Style, top: int) -> dict[Any, str]:
    """Return the areas of the highest values, each with its value as it is written."""
    highest = values.where(style.classes >= 0).dropna().sort_values(ascending=False, kind="stable").head(top)
    return {code: format_number(value, style.language, decimals=style.decimals) for code, value in highest.items()}


def _name_list(axes: Axes, areas: gpd.GeoDataFrame, listed: Mapping[Any, str], title: str, below: float) -> list[Any]:
    """Name the numbered areas beside the map, as many as there is room for; return those that were named."""
    if not listed:
        return []
    step = _LINE / (axes.get_window_extent().height / axes.figure.dpi)
    room = max(int(below / step) - 1, 1)
    lines: list[tuple[str, float, str]] = [(title, 10, _QUIET)]
    told: list[Any] = []
    for place, (area_id, words) in enumerate(listed.items(), start=1):
        if place == room and len(listed) > room:
            lines.append((f"… +{len(listed) - place + 1}", 10.5, _INK))
            break
        lines.append((_name_line(place, str(areas["name"][area_id]), words), 10.5, _INK))
        told.append(area_id)
    for number, (text, size, colour) in enumerate(lines, start=1):
        axes.text(
            0.015,
            below - number * step,
            text,
            fontsize=size,
            color=colour,
            va="top",
            transform=axes.transAxes,
            parse_math=False,
        )
    return told


def _name_line(place: int, name: str, words: str) -> str:
    """Return an area's line beside the map; a name is cut where the line would leave the page."""
    short, line, font = name, f"{place}  {name}  {words}".rstrip(), FontProperties(size=10.5)
    measure = TextToPath().get_text_width_height_descent
    while len(short) > _LEAST_LETTERS and measure(line, font, ismath=False)[0] > 72 * _SIDE:
        short = short[:-1].rstrip()
        line = f"{place}  {short}…  {words}".rstrip()
    return line


def draw_scale_bar(axes: Axes, language: str) -> None:
    """Draw a bar of a round length, about a fifth of the map's width."""
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    length = _round_length((east - west) / 5)
    x, y, height = west + 0.02 * (east - west), south + 0.025 * (north - south), 0.008 * (north - south)
    for part, colour in ((0, _INK), (1, "white")):
        axes.add_patch(
            mpl.patches.Rectangle(
                (x + part * length / 2, y),
                length / 2,
                height,
                facecolor=colour,
                edgecolor=_INK,
                linewidth=0.7,
                zorder=7,
                path_effects=[_HALO],
            )
        )
    in_km = length >= 1000  # noqa: PLR2004  metres
    label = format_number(length / 1000 if in_km else length, language, decimals=int(in_km and length % 1000 > 0))
    axes.text(
        x,
        y + 1.8 * height,
        f"{label} {'km' if in_km else 'm'}",
        fontsize=9,
        color=_INK,
        va="bottom",
        zorder=7,
        path_effects=[_HALO],
    )


def _round_length(about: float) -> float:
    power = 10.0 ** np.floor(np.log10(about))
    return float(max(step for step in (1, 2, 5) if step * power <= about) * power)


def draw_north_arrow(axes: Axes, language: str) -> None:
    """Draw an arrow in the upper right corner; up is north."""
    axes.annotate(
        texts(language)["north"],
        xy=(0.975, 0.985),
        xytext=(0.975, 0.915),
        xycoords="axes fraction",
        ha="center",
        va="top",
        fontsize=11,
        color=_INK,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.35,head_length=0.7",
            "facecolor": _INK,
            "linewidth": 1.2,
            "path_effects": [_HALO],
        },
        zorder=7,
        path_effects=[_HALO],
    )


def _footer(figure: Figure, style: Style) -> None:
    words = texts(style.language)
    parts = [f"{words['source']}: {style.source}" if style.source else "", style.note, style.date]
    width, height = figure.get_size_inches()
    figure.text(
        _GAP / width,
        (_FOOT - 0.18) / height,
        "\n".join(textwrap.wrap("  ·  ".join(part for part in parts if part), int(width * _FOOT_LETTERS))),
        fontsize=8.5,
        color=_QUIET,
        va="top",
        parse_math=False,
    )
