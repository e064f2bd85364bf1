"""Small maps side by side, all with the same classes: one legend, and a bar of counts below each map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
    LINE_HEIGHT,
    NARROW,
    SMALL,
    WIDTH,
    Page,
    Sign,
    foot_of,
    make_page,
    must_be_table,
    number_of_areas,
    numbers_of,
    text_width,
    wrapped,
)
from geoplan.show.printed import (
    draw_backdrop,
    draw_border,
    draw_scale_bar,
    fill_areas,
    map_window,
    missing_look,
    outer_border,
)
from geoplan.show.style import HAIRLINE, INK, QUIET, Style, make_style
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_panels"]

_GAP, _ROW_GAP, _ROW_HEAD, _BAR, _UNDER = 0.22, 0.18, 0.28, 0.17, 0.2  # inches
_SHEET, _WORDS = 1.41, 1.9  # a sheet's height by its width, and the inches of it that words take
_SMALLEST, _SCALED = 1.4, 2.0  # inches: smaller maps tell nothing, and in smaller ones a scale bar has no room
_PARENT_EDGE = "#3d3d3a"
_COUNT = 7.5  # points


@dataclass(frozen=True)
class _Panel:
    """One map: where it stands in the grid, its words, and its part of the style."""

    row: int
    column: int
    title: str
    style: Style


@dataclass(frozen=True)
class _Grid:
    """The maps of a page: panels, headings of rows, and sizes in inches."""

    panels: list[_Panel]
    heads: list[str]
    columns: int
    rows: int
    wide: float
    high: float
    gap: float
    titles: float
    beside: bool
    empty: list[tuple[int, int, str]]

    @property
    def pitch(self) -> float:
        """From the top of a row of maps to the top of the next."""
        return self.high + _around(self.titles, heads=bool(self.heads), beside=self.beside)


def plot_panels(
    areas: gpd.GeoDataFrame,
    values: pd.DataFrame,
    *,
    status: pd.DataFrame | None = None,
    reason: pd.DataFrame | None = None,
    ncols: int | None = None,
    backdrop: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    outline: gpd.GeoDataFrame | None = None,
    method: str = "",
    width: float = WIDTH,
    **style_kwds: Any,
) -> Figure:
    """Draw a small map for each column, all with the same classes.

    The classes are those of all values together, so that a colour means the same on every map. Below each map a bar
    shows how many areas each class has there, and how many have no value.

    Parameters
    ----------
    areas
        Areas in a metric system, index ``area_id``.
    values
        Areas × maps, NaN where missing; the names of the columns stand above the maps. With two levels of columns, such
        as domain and year, the first makes rows and the second columns. Areas that are not in it have no value.
    status, reason
        The same shape: why values are missing (see :func:`make_style`).
    ncols
        Maps side by side; as many as make a page when left out.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    outline
        Areas of a higher level, drawn as dark borders.
    method
        How the values were made; said before how they were divided into classes.
    width
        Inches, 3.4 to 20; the height follows.
    **style_kwds
        ``scheme``, ``k``, ``breaks``, ``categories``, ``cmap``, ``midpoint``, ``title``, ``unit``, ``reference``,
        ``period``, ``source``, ``note``, ``date``, ``language`` (``sv`` when left out) of :func:`make_style`.

    Returns
    -------
    matplotlib.figure.Figure
        With one legend, year, N, source and method.

    Raises
    ------
    SpecError
        For anything but a table; when there is no map to draw, two have the same name, or the style is not understood.
    IdError
        When values belong to no area, or an area has two rows.
    TableError
        When a cell is no number.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(index=pd.Index(["1", "2"], name="area_id"),
    ...     geometry=[box(0, 0, 900, 900), box(900, 0, 1800, 900)], crs="EPSG:3006")
    >>> values = pd.DataFrame({"2006": [80.0, 120.0], "2012": [90.0, 140.0]}, index=["1", "2"])
    >>> figure = plot_panels(areas, values, scheme="given", breaks=[85, 110], language="en")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['≤ 85 (1)', '86–110 (1)', '> 110 (2)', '(n) = number of areas on all maps']
    """
    numbers = _checked(areas, values, ncols)
    style = make_style(
        numbers.stack(future_stack=True),
        status=_stacked(status, values, numbers),
        reason=_stacked(reason, values, numbers),
        **{"language": "sv", **style_kwds},
    )
    words = texts(style.language)
    grid = _grid(values, style, _window(areas), width, ncols)
    drawn = int(numbers.notna().any(axis=1).sum())
    known = "categories" if style.marks else style_kwds.get("scheme", "quantiles")
    scheme = words["panels_method"].format(scheme=words[f"scheme_{known}"])
    foot = foot_of(
        words,
        source=style.source,
        people=number_of_areas(words, drawn, len(areas)),
        method=", ".join(part for part in (method, scheme) if part),
        note="  ·  ".join(part for part in (style.note, style.date) if part),
    )
    told = [words["panels_bar"]]
    if grid.wide < _SCALED:
        decimals = int(_window(areas)[0] < 10_000)  # noqa: PLR2004  metres
        across = format_number(_window(areas)[0] / 1000, style.language, decimals=decimals)
        told.append(words["panel_width"].format(wide=across))
    page = make_page(
        width,
        grid.rows * grid.pitch - _ROW_GAP,
        title=style.title,
        below=style.subtitle,
        key=_key(style, words),
        foot=["  ·  ".join(told), foot],
    )
    _draw(page, grid, areas, backdrop, outline, words)
    return page.figure


def _checked(areas: gpd.GeoDataFrame, values: pd.DataFrame, ncols: int | None) -> pd.DataFrame:
    """Return the values by area and number of the map."""
    if not len(areas):
        raise SpecError(Fault(what="there are no areas", expected="at least one"))
    must_be_table(values, "values", "a column a map, such as `domains` of risk_index(…); `plot` draws one map")
    if not len(values.columns):
        raise SpecError(Fault(what="there is no map to draw: the table has no columns", expected="a column a map"))
    if values.columns.nlevels > 2:  # noqa: PLR2004  rows and columns
        what = f"columns of {values.columns.nlevels} levels"
        raise SpecError(Fault(what=what, key="values", expected="one level, or two: rows and columns of maps"))
    twice = values.columns[values.columns.duplicated()]
    if len(twice):
        raise SpecError(Fault(what=f"two maps are called '{_name(twice[0])}'", key="values", expected="a name a map"))
    if ncols is not None and ncols < 1:
        raise SpecError(Fault(what=f"{ncols} maps side by side", key="ncols", expected="at least 1"))
    plain = values.set_axis([_name(column) for column in values.columns], axis=1)
    numbers = numbers_of(plain, plain.columns).set_axis(range(len(plain.columns)), axis=1)
    strange = [str(code) for code in numbers.index if code not in areas.index]
    if strange:
        raise checks.ids_not_among(strange, [str(code) for code in areas.index])
    return numbers.reindex(areas.index)


def _name(column: Any) -> str:
    return " · ".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _stacked(frame: pd.DataFrame | None, values: pd.DataFrame, numbers: pd.DataFrame) -> pd.Series | None:
    """Return statuses or reasons by area and number of the map."""
    if frame is None:
        return None
    same = frame.reindex(index=numbers.index, columns=values.columns).set_axis(numbers.columns, axis=1)
    return same.stack(future_stack=True)


def _window(areas: gpd.GeoDataFrame) -> tuple[float, float]:
    west, south, east, north = map_window(areas.total_bounds)
    return east - west, north - south


def _grid(values: pd.DataFrame, style: Style, window: tuple[float, float], width: float, ncols: int | None) -> _Grid:
    crossed = values.columns.nlevels == 2  # noqa: PLR2004  rows and columns
    if crossed:
        heads, names = (list(dict.fromkeys(values.columns.get_level_values(level))) for level in (0, 1))
        places = [(heads.index(row), names.index(column)) for row, column in values.columns]
        count, rows = len(names), len(heads)
    else:
        heads, names = [], list(values.columns)
        count = ncols or _side_by_side(len(names), window, width)
        places = [divmod(number, count) for number in range(len(names))]
        rows = places[-1][0] + 1
    wide = _map_width(count, width)
    titles = ["\n".join(wrapped(str(name), wide, SMALL, bold=True, most=2)) for name in names]
    title_high = (max(title.count("\n") for title in titles) + 1) * LINE_HEIGHT * SMALL / 72 + 0.05
    absent = text_width(texts(style.language)["panel_missing"].format(count=len(style.classes)), _COUNT)
    beside = all(text_width(str(name), SMALL, bold=True) + absent + 0.1 <= min(wide, _SCALED) for name in names)
    # No higher than a sheet of paper, where that leaves the maps large enough; narrow pages are for screens.
    most = (
        ((_SHEET * width - _WORDS) / rows - _around(title_high, heads=crossed, beside=beside)) * window[0] / window[1]
    )
    wide = min(wide, max(most, _SMALLEST)) if width >= NARROW else wide
    gap = (width - 2 * EDGE - count * wide) / max(count - 1, 1)
    panels = [
        _Panel(row, column, titles[column if crossed else number], _part(style, number))
        for number, (row, column) in enumerate(places)
    ]
    empty = [
        (row, column, titles[column])
        for row in range(rows)
        for column in range(count)
        if crossed and (row, column) not in places
    ]
    high = wide * window[1] / window[0]
    return _Grid(
        panels, [str(head) for head in heads], count, rows, wide, high, min(gap, wide), title_high, beside, empty
    )


def _part(style: Style, number: int) -> Style:
    """Return the style of one map: the same classes, with the areas and counts that it has."""
    classes, statuses = (part.xs(number, level=-1) for part in (style.classes, style.statuses))
    counts = tuple(int((classes == place).sum()) for place in range(len(style.colours)))
    missing = tuple(
        replace(item, count=int((statuses == item.status).sum()))
        for item in style.missing
        if (statuses == item.status).any()
    )
    return replace(style, classes=classes, statuses=statuses, counts=counts, missing=missing)


def _map_width(count: int, width: float) -> float:
    return (width - 2 * EDGE - (count - 1) * _GAP) / count


def _around(titles: float, *, heads: bool = False, beside: bool = False) -> float:
    """Return the height of what stands above and below a map: heading of the row, title, bar, and the missing below."""
    return _ROW_HEAD * heads + titles + 0.05 + _BAR + _UNDER * (not beside) + _ROW_GAP


def _side_by_side(count: int, window: tuple[float, float], width: float) -> int:
    """Return how many maps stand side by side: as few as still make one page."""
    for columns in range(1 if width < NARROW else min(count, 2), count):
        wide = _map_width(columns, width)
        high = np.ceil(count / columns) * (wide * window[1] / window[0] + _around(0.25))
        if high <= _SHEET * width - _WORDS or _map_width(columns + 1, width) < _SMALLEST:
            return columns
    return count


# ---------------------------------------------------------------- drawing


def _key(style: Style, words: Texts) -> list[Sign]:
    entries = [
        Sign(f"{label}  ({count})", patch={"facecolor": colour, "edgecolor": HAIRLINE, "linewidth": 0.5})
        for label, colour, count in zip(style.labels, style.colours, style.counts, strict=True)
    ]
    entries += [Sign(f"{item.label}  ({item.count})", patch=missing_look(item.status)) for item in style.missing]
    return [*entries, Sign(words["panels_count"])]


def _draw(
    page: Page,
    grid: _Grid,
    areas: gpd.GeoDataFrame,
    backdrop: Sequence[tuple[str, gpd.GeoDataFrame]],
    outline: gpd.GeoDataFrame | None,
    words: Texts,
) -> None:
    border = outer_border(areas)
    for row, head in enumerate(grid.heads):
        text = wrapped(head, page.width - 2 * EDGE, 10.5, bold=True, most=1)[0]
        _write(page, EDGE, page.body - row * grid.pitch, text, fontsize=10.5, fontweight="bold", color=INK)
    for row, column, title in grid.empty:
        left, top = _corner(page, grid, row, column)
        _title(page, left, top, title)
        nothing = words.statuses["not_collected"]
        _write(page, left, top - grid.titles - 0.1, nothing, fontsize=SMALL, fontstyle="italic", color=QUIET)
    for number, panel in enumerate(grid.panels):
        left, top = _corner(page, grid, panel.row, panel.column)
        _title(page, left, top, panel.title)
        bottom = top - grid.titles - grid.high
        axes = page.axes(left, bottom, grid.wide, grid.high)
        _map(axes, areas, panel.style, backdrop, outline, border)
        if number == 0 and grid.wide >= _SCALED:
            draw_scale_bar(axes, words.language)
        _count_bar(page.axes(left, bottom - 0.05 - _BAR, grid.wide, _BAR), panel.style, grid.wide)
        absent = sum(item.count for item in panel.style.missing)
        if absent:
            text = words["panel_missing"].format(count=format_number(absent, words.language))
            # Beside short titles, as years are, or below the map.
            at = (left + grid.wide, top, "right") if grid.beside else (left, bottom - 0.08 - _BAR, "left")
            _write(page, at[0], at[1], text, fontsize=_COUNT, color=QUIET, ha=at[2])


def _corner(page: Page, grid: _Grid, row: int, column: int) -> tuple[float, float]:
    """Return the upper left corner of a map's title."""
    return EDGE + column * (grid.wide + grid.gap), page.body - row * grid.pitch - _ROW_HEAD * bool(grid.heads)


def _title(page: Page, left: float, top: float, text: str) -> None:
    _write(page, left, top, text, fontsize=SMALL, fontweight="bold", color=INK, linespacing=1.15)


def _map(
    axes: Axes,
    areas: gpd.GeoDataFrame,
    style: Style,
    backdrop: Sequence[tuple[str, gpd.GeoDataFrame]],
    outline: gpd.GeoDataFrame | None,
    border: gpd.GeoSeries,
) -> None:
    west, south, east, north = map_window(areas.total_bounds)
    axes.set_axis_off()
    fill_areas(axes, areas, style)
    draw_border(axes, border)
    draw_backdrop(axes, backdrop)
    if outline is not None:
        outline.boundary.plot(ax=axes, color=_PARENT_EDGE, linewidth=0.6, zorder=4, autolim=False)
    axes.set_aspect("equal")
    axes.set(xlim=(west, east), ylim=(south, north))


def _write(page: Page, left: float, top: float, text: str, **look: Any) -> None:
    page.figure.text(left / page.width, (page.foot + top) / page.height, text, va="top", parse_math=False, **look)


def _count_bar(axes: Axes, style: Style, wide: float) -> None:
    """Draw how many areas each class has, from the lowest to the highest, then those without a value."""
    axes.set_axis_off()
    looks: list[dict[str, Any]] = [
        {"facecolor": colour, "edgecolor": "white", "linewidth": 0.5} for colour in style.colours
    ]
    looks += [missing_look(item.status) for item in style.missing]
    counts = [*style.counts, *(item.count for item in style.missing)]
    axes.set(xlim=(0, sum(counts)), ylim=(0, 1))
    at = 0
    for number, (count, look) in enumerate(zip(counts, looks, strict=True)):
        axes.add_patch(Rectangle((at, 0), count, 1, clip_on=False, **look))
        text = format_number(count, style.language)
        if number < len(style.counts) and text_width(text, _COUNT) + 0.06 <= wide * count / sum(counts):
            colour = _readable_on(style.colours[number])
            axes.text(at + count / 2, 0.5, text, ha="center", va="center_baseline", fontsize=_COUNT, color=colour)
        at += count
    axes.add_patch(Rectangle((0, 0), at, 1, facecolor="none", edgecolor=HAIRLINE, linewidth=0.6, clip_on=False))


def _readable_on(colour: str) -> str:
    """Return ink or white, whichever has the greater contrast (WCAG) on a colour."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]  # noqa: PLR2004  sRGB
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.06 else INK
