"""Where a high index and poor access meet: a map of three by three classes, and a square of their colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.show.maps import OfflineMap, explore
from geoplan.show.page import (
    EDGE,
    LINE_HEIGHT,
    LISTED,
    SMALL,
    WIDTH,
    Page,
    foot_of,
    make_page,
    must_be_table,
    number_of_areas,
    text_width,
    wrapped,
)
from geoplan.show.printed import (
    draw_backdrop,
    draw_border,
    draw_north_arrow,
    draw_scale_bar,
    fill_areas,
    map_window,
    missing_look,
    outer_border,
)
from geoplan.show.style import HAIRLINE, INK, QUIET, Style, make_style
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["explore_deprivation_access", "plot_deprivation_access"]

#: By class of access and of index, low to high: blue and amber mix to black. Any two stay apart to readers who see no
#: red, green or blue, which those of purple and green do not.
_COLOURS = (
    ("#f0f0ee", "#f5d48a", "#f0a400"),
    ("#a9cdea", "#b0a892", "#a8681a"),
    ("#4f9fd4", "#37638c", "#1c1c28"),
)
_MARKS = tuple(f"{index}-{access}" for access in (1, 2, 3) for index in (1, 2, 3))
_WORST = "3-3"
_BESIDE = 6.4  # inches: a page as wide as this has the square beside the map
_CELL, _GAP, _HIGH = 0.52, 0.3, 1.25  # inches; and the height of a map at most, by its width
_LINE = LINE_HEIGHT * SMALL / 72
_COLUMNS = ("class", "status")
_PARENT_EDGE = "#3d3d3a"


@dataclass(frozen=True)
class _Drawn:
    """The style of the nine classes, and the words of the map."""

    style: Style
    words: Texts
    worst: str
    limits: tuple[tuple[str, str], tuple[str, str]] | None


def plot_deprivation_access(
    areas: gpd.GeoDataFrame,
    classes: pd.DataFrame,
    *,
    higher_is_better: bool = True,
    backdrop: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    outline: gpd.GeoDataFrame | None = None,
    title: str = "",
    what: str = "",
    unit: str = "",
    percentile: float | None = None,
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    date: str = "",
    language: str = "sv",
    width: float = WIDTH,
) -> Figure:
    """Draw a map of index and access together, each in three classes.

    The square beside the map holds the nine colours, and in each the number of areas. At its sides stand the limits of
    the classes, where the frame brings them. Areas with a high index and poor access are named below.

    Parameters
    ----------
    areas
        Areas in a metric system, index ``area_id``, with ``name`` where they are to be named.
    classes
        Of :func:`geoplan.reach.deprivation_access_classes`: ``class`` (``1-1`` to ``3-3``) and ``status``. Areas that
        are not in it have no figure.
    higher_is_better
        Whether more is better, as handed to it: the way in which the limits of access run.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    outline
        Areas of a higher level, drawn as dark borders.
    title, what, unit, period, source, method, note, date
        Texts; ``what`` says what is reached, within which time and by which means. The title is made when left out.
    percentile
        Share of the departures in per cent that the figures hold for.
    language
        ``sv``, ``da`` or ``en``.
    width
        Inches, 3.4 to 20.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SpecError
        For anything but a table, when a column is missing, or there are no areas.
    IdError
        When a class belongs to no area, or an area has two rows.
    TableError
        When a class is none of the nine.
    CrsError
        When the areas state no coordinate system.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame({"name": ["Norr", "Syd"]}, index=pd.Index(["1", "2"], name="area_id"),
    ...     geometry=[box(0, 0, 900, 900), box(900, 0, 1800, 900)], crs="EPSG:3006")
    >>> classes = pd.DataFrame({"class": ["3-3", "1-1"], "status": "observed"}, index=["1", "2"])
    >>> figure = plot_deprivation_access(areas, classes, language="en")
    >>> [text.get_text() for text in figure.texts if "Norr" in text.get_text()]
    ['High index and poor access (1): Norr · N: 2 areas · Method: three classes of each']
    """
    drawn = _drawn(areas, classes, language, higher_is_better=higher_is_better, title=title)
    words, style = drawn.words, drawn.style
    known = int((style.classes >= 0).sum())
    told = foot_of(
        words, source=source, people=number_of_areas(words, known, len(areas)), method=method
        or words["equity_map_method"], note="  ·  ".join(filter(None, (note, date))),
    )  # fmt: skip
    west, south, east, north = map_window(areas.total_bounds)
    room = width - 2 * EDGE
    beside = width >= _BESIDE
    side = _side(drawn)
    wide = room - side - _GAP if beside else room
    high = min(wide * (north - south) / (east - west), wide * _HIGH)
    key = _key_height(drawn, side if beside else room)
    page = make_page(
        width,
        max(high, key) if beside else high + _GAP + key,
        title=style.title,
        below=_below(words, what, unit, percentile, period),
        foot=["  ·  ".join(filter(None, (drawn.worst, told)))],
    )
    axes = page.axes(EDGE, page.body - high, wide, high)
    axes.set_axis_off()
    fill_areas(axes, areas, style)
    draw_border(axes, outer_border(areas))
    draw_backdrop(axes, backdrop)
    if outline is not None:
        outline.boundary.plot(ax=axes, color=_PARENT_EDGE, linewidth=0.8, zorder=4, autolim=False)
    spare = max(0.0, (wide / high * (north - south) - (east - west)) / 2)
    axes.set_aspect("equal")
    axes.set(xlim=(west - spare, east + spare), ylim=(south, north))
    draw_scale_bar(axes, language)
    draw_north_arrow(axes, language)
    _draw_key(page, drawn, *((room - side, 0.0, side) if beside else (0.0, high + _GAP, room)))
    return page.figure


def explore_deprivation_access(
    areas: gpd.GeoDataFrame,
    classes: pd.DataFrame,
    *,
    title: str = "",
    what: str = "",
    unit: str = "",
    percentile: float | None = None,
    period: str = "",
    source: str = "",
    note: str = "",
    date: str = "",
    language: str = "sv",
    **explore_kwds: Any,
) -> OfflineMap:
    """Draw index and access together to look around in; the nine classes are listed.

    Parameters
    ----------
    areas, classes
        As for :func:`plot_deprivation_access`, the areas in any stated system.
    title, what, unit, percentile, period, source, note, date, language
        Likewise.
    **explore_kwds
        ``tooltip``, ``popup``, ``backdrop``, ``outline``, ``m``, ``width``, ``height`` of :func:`geoplan.explore`.

    Returns
    -------
    OfflineMap

    Raises
    ------
    SpecError
        For anything but a table, when a column is missing, or there are no areas.
    IdError
        When a class belongs to no area, or an area has two rows.
    TableError
        When a class is none of the nine.
    CrsError
        When the areas state no coordinate system.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame({"name": ["Norr"]}, index=pd.Index(["1"], name="area_id"),
    ...                          geometry=[box(674000, 6580000, 675000, 6581000)], crs="EPSG:3006")
    >>> classes = pd.DataFrame({"class": ["3-3"], "status": "observed"}, index=["1"])
    >>> "high index, poor access" in explore_deprivation_access(areas, classes, language="en").to_html()
    True
    """
    drawn = _drawn(areas, classes, language, higher_is_better=True, title=title)
    style = replace(drawn.style, unit=_below(drawn.words, what, unit, percentile, period), source=source, note=note,
                    date=date)  # fmt: skip
    return explore(areas, style=style, **explore_kwds)


# ---------------------------------------------------------------- what is handed in


def _drawn(
    areas: gpd.GeoDataFrame, classes: pd.DataFrame, language: str, *, higher_is_better: bool, title: str
) -> _Drawn:
    if areas.crs is None:
        raise checks.crs_missing()
    if not len(areas):
        raise SpecError(Fault(what="there are no areas", expected="at least one"))
    must_be_table(classes, "classes", "what deprivation_access_classes(…) returns")
    absent = checks.absent_columns([name for name in _COLUMNS if name not in classes], [str(name) for name in classes])
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    twice = classes.index[classes.index.duplicated()].unique()
    if len(twice):
        raise checks.duplicate_ids([str(code) for code in twice], "area_id")
    strange = [str(code) for code in classes.index if code not in areas.index]
    if strange:
        raise checks.ids_not_among(strange, [str(code) for code in areas.index])
    words = texts(language)
    named = classes["class"].astype(object).where(classes["class"].notna(), None).reindex(areas.index)
    odd = named[named.notna() & ~named.isin(_MARKS)]
    if len(odd):
        what, expected = f"'{odd.iloc[0]}' is no class of index and access", "1-1 to 3-3"
        raise TableError(Fault(what=what, column="class", area=str(odd.index[0]), expected=expected))
    style = make_style(
        named.map({mark: number for number, mark in enumerate(_MARKS, start=1)}).astype(float),
        status=classes["status"].reindex(areas.index),
        categories={mark: _called(mark, words) for mark in _MARKS},
        title=title or words["equity_map_title"],
        language=language,
    )
    style = replace(style, colours=tuple(colour for row in _COLOURS for colour in row))
    worst = named.index[named == _WORST]
    return _Drawn(style, words, _named(areas, worst, words), _limits(classes, language, better=higher_is_better))


def _called(mark: str, words: Texts) -> str:
    index, access = (int(part) - 1 for part in mark.split("-"))
    levels = [("low", "middle", "high")[index], ("good", "fair", "poor")[access]]
    return words["equity_class"].format(index=words[f"equity_{levels[0]}"], access=words[f"equity_{levels[1]}"])


def _named(areas: gpd.GeoDataFrame, worst: pd.Index, words: Texts) -> str:
    """Name the areas where both are worst; many are counted."""
    head = words["equity_both"].format(count=format_number(len(worst), words.language))
    if not len(worst) or len(worst) > LISTED or "name" not in areas:
        return head
    return f"{head}: {', '.join(str(areas.loc[code, 'name']) for code in worst)}"


def _limits(classes: pd.DataFrame, language: str, *, better: bool) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Return the limits of index and access in the order in which the square has them, as they are written."""
    given = classes.attrs.get("limits")
    if given is None:
        return None
    index, access = ([float(limit) for limit in pair] for pair in given)
    told = []
    for pair in (index, access[::-1] if better else access):
        decimals = int(max(map(abs, pair)) < 10)  # noqa: PLR2004  a decimal below ten
        told.append((format_number(pair[0], language, decimals=decimals),
                     format_number(pair[1], language, decimals=decimals)))  # fmt: skip
    return told[0], told[1]


def _below(words: Texts, what: str, unit: str, percentile: float | None, period: str) -> str:
    written = words.unit(unit)
    share = None if percentile is None else format_number(percentile, words.language)
    chance = "" if share is None else words["equity_percentile"].format(share=share)
    return " · ".join(filter(None, (what, written if written.lower() not in what.lower() else "", chance, period)))


# ---------------------------------------------------------------- the square of colours


def _lead(drawn: _Drawn) -> float:
    """Return the inches left of the square: the words of access, or its limits where these are wider."""
    limits = drawn.limits[1] if drawn.limits else ()
    words = [drawn.words[f"equity_{name}"] for name in ("good", "fair", "poor")]
    return max(text_width(text, SMALL) for text in (*words, *limits)) + 0.1


def _side(drawn: _Drawn) -> float:
    """Return the width of the square and its words."""
    return max(_lead(drawn) + 3 * _CELL + 0.15, text_width(drawn.words["equity_counts"], SMALL) + 0.02, 2.2)


def _missing(drawn: _Drawn, room: float) -> list[list[str]]:
    """Return the lines of each kind of missing figure."""
    return [wrapped(f"{item.label}  ({item.count})", room - 0.4, SMALL) for item in drawn.style.missing]


def _key_height(drawn: _Drawn, room: float) -> float:
    lines = sum(len(own) for own in _missing(drawn, room))
    missing = lines * _LINE + 0.08 * len(drawn.style.missing)
    under = (2 + bool(drawn.limits) + len(wrapped(drawn.words["equity_counts"], room, SMALL))) * _LINE
    return _LINE + 0.08 + 3 * _CELL + 0.06 + under + 0.14 + missing


def _draw_key(page: Page, drawn: _Drawn, left: float, down: float, room: float) -> None:
    """Draw the square: the index rises to the right, and access gets poorer downwards; then what is missing."""
    words, style = drawn.words, drawn.style
    high = _key_height(drawn, room)
    axes = page.axes(EDGE + left, page.body - down - high, room, high)
    axes.set_axis_off()
    axes.set(xlim=(0, room), ylim=(high, 0))
    look: dict[str, Any] = {"fontsize": SMALL, "color": QUIET, "parse_math": False}
    lead, top = _lead(drawn), _LINE + 0.08
    axes.text(0, 0, f"{words['equity_access']} ↓", va="top", fontweight="bold", **(look | {"color": INK}))
    for number, mark in enumerate(_MARKS):
        access, index = divmod(number, 3)
        x, y = lead + index * _CELL, top + access * _CELL
        axes.add_patch(Rectangle((x, y), _CELL, _CELL, facecolor=style.colours[number], edgecolor="white", linewidth=1))
        dark = mark in ("3-2", "2-3", "3-3")
        count = format_number(style.counts[number], style.language)
        axes.text(x + _CELL / 2, y + _CELL / 2, count, ha="center", va="center", fontsize=10,
                  color="white" if dark else INK, fontweight="bold")  # fmt: skip
    for number, name in enumerate(("good", "fair", "poor")):
        axes.text(lead - 0.08, top + (number + 0.5) * _CELL, words[f"equity_{name}"], ha="right", va="center", **look)
    under = top + 3 * _CELL + 0.06
    for number, name in enumerate(("low", "middle", "high")):
        axes.text(lead + (number + 0.5) * _CELL, under, words[f"equity_{name}"], ha="center", va="top", **look)
    if drawn.limits:
        for number, (score, reached) in enumerate(zip(*drawn.limits, strict=True), start=1):
            small = look | {"fontsize": SMALL - 1.5}
            axes.text(lead - 0.08, top + number * _CELL, reached, ha="right", va="center", **small)
            axes.text(lead + number * _CELL, under + _LINE, score, ha="center", va="top", **small)
        under += _LINE
    axes.text(lead, under + _LINE, f"{words['equity_index']} →", va="top", fontweight="bold", **(look | {"color": INK}))
    under += 2 * _LINE
    counts = wrapped(words["equity_counts"], room, SMALL)
    axes.text(0, under, "\n".join(counts), va="top", linespacing=LINE_HEIGHT, **look)
    at = under + len(counts) * _LINE + 0.14
    for item, lines in zip(style.missing, _missing(drawn, room), strict=True):
        axes.add_patch(Rectangle((0, at), 0.28, 0.16, **missing_look(item.status)))
        axes.text(0.4, at - 0.01, "\n".join(lines), va="top", linespacing=LINE_HEIGHT, **look)
        at += len(lines) * _LINE + 0.08
    axes.add_patch(Rectangle((lead, top), 3 * _CELL, 3 * _CELL, facecolor="none", edgecolor=HAIRLINE, linewidth=0.6))
