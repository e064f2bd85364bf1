"""From one year to another: a line an area, named at both ends, and no line where a figure is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
    LABEL,
    LINE_HEIGHT,
    NARROW,
    PALE,
    SMALL,
    WIDTH,
    Page,
    Sign,
    clean_axes,
    fitted,
    foot_of,
    format_axis,
    known_names,
    make_page,
    missing_labels,
    must_be_table,
    named_missing,
    number_of_areas,
    numbers_of,
    spread,
    text_width,
)
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET, decimals_of
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_slopes"]

_NAMED, _NAMED_NARROW = 32, 12  # areas; of more of them only the highlighted ones are named
_QUIET_LINE = "#a9a9a3"
_HEAD, _LEAST, _MOST = 0.45, 3.2, 7.6  # inches: the years above, and the height of the chart
_ACROSS = (0, (2, 2))


@dataclass(frozen=True)
class _Slopes:
    """What is drawn: areas × years as numbers, and how each area looks."""

    data: pd.DataFrame
    years: list[int]
    names: pd.Series
    colours: dict[Any, str]
    named: list[Any]
    breaks: list[int]
    ranks: bool
    decimals: int

    def crosses(self, first: int, last: int) -> bool:
        """Whether a definition changes between two years."""
        return any(first < year <= last for year in self.breaks)


def plot_slopes(
    scores: pd.DataFrame,
    *,
    names: Mapping[str, str] | pd.Series | None = None,
    highlight: Sequence[str] = (),
    ranks: bool = False,
    breaks: Sequence[int] = (),
    status: pd.Series | None = None,
    measure: str = "",
    title: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    language: str = "sv",
    width: float = WIDTH,
) -> Figure:
    """Draw how areas went from year to year: a line each, with its name and figures at both ends.

    No line crosses a year without a figure. Up to 32 areas are named (12 on a narrow page);
    of more of them the highlighted ones alone.

    Parameters
    ----------
    scores
        Areas × years (columns ``2006`` or ``"2006"``): scores or ranks, NaN where missing.
    names
        Code → name, such as ``areas["name"]``; codes when left out.
    highlight
        Codes of at most eight areas, drawn in colours; the others are pale.
    ranks
        Whether the figures are ranks: 1 then stands at the top.
    breaks
        Years in which the definition changed. A dotted line marks each, and lines across it are dashed.
    status
        Code → why an area has no figure at all; ``not_collected`` when left out.
    measure
        What the figures are, below the title; "Risk index" or "Rank" in the chart's language when left out.
    title, source, method, note
        Texts.
    language
        ``sv``, ``da`` or ``en``.
    width
        Inches, 3.4 to 20; the height follows.

    Returns
    -------
    matplotlib.figure.Figure
        With the years, N, source and method; areas without any figure are listed.

    Raises
    ------
    SpecError
        For anything but a table, fewer than two years, a column that is no year, no known figure, more than eight
        highlighted areas or an unknown one.
    IdError
        When an area stands in two rows.
    TableError
        When a cell is no number.

    Examples
    --------
    >>> scores = pd.DataFrame({2006: [120.0, 90.0], 2012: [100.0, 110.0]}, index=["a", "b"])
    >>> figure = plot_slopes(scores, names={"a": "Norr", "b": "Syd"}, highlight=["a"], language="en")
    >>> sorted(text.get_text() for text in figure.axes[-1].texts)
    ['100  Norr', '110  Syd', '2006', '2012', 'Norr  120', 'Syd  90']
    """
    must_be_table(scores, "scores", "the `scores` or `ranks` of index_series(…)")
    words = texts(language)
    slopes = _prepared(scores, names, highlight, breaks, ranks=ranks, most=_NAMED if width >= NARROW else _NAMED_NARROW)
    known = slopes.data.notna().any(axis=1)
    reasons = pd.DataFrame({"status": status.reindex(scores.index)} if status is not None else {}, index=scores.index)
    absent = named_missing(words, "without_figures", missing_labels(words, reasons[~known]), slopes.names[~known])
    people = number_of_areas(words, int(known.sum()), len(known))
    foot = foot_of(words, source=source, people=people, method=method or words["slopes_method"], note=note)
    first, last = slopes.years[0], slopes.years[-1]
    body = _HEAD + float(np.clip(len(slopes.named) * LINE_HEIGHT * LABEL / 72 * 1.25, _LEAST, _MOST))
    page = make_page(
        width,
        body,
        title=title,
        below=f"{measure or words['rank_axis' if ranks else 'score']} · {first}–{last}",
        key=_key(slopes, int(known.sum()), words),
        foot=[absent, foot],
    )
    _draw(page, slopes, words)
    return page.figure


def _prepared(
    scores: pd.DataFrame,
    names: Mapping[str, str] | pd.Series | None,
    highlight: Sequence[str],
    breaks: Sequence[int],
    *,
    ranks: bool,
    most: int,
) -> _Slopes:
    wrong = [str(column) for column in scores if not re.fullmatch(r"[0-9]{1,4}", str(column))]
    if wrong:
        raise SpecError(Fault(what=f"the column '{wrong[0]}' is no year", expected="a column a year"))
    years = [int(str(column)) for column in scores]
    if len(set(years)) < 2:  # noqa: PLR2004  a slope has two ends
        raise SpecError(Fault(what=f"{len(set(years))} year(s) in a chart of slopes", expected="at least two"))
    if len(set(years)) < len(years):
        raise SpecError(Fault(what="a year has two columns", expected="a column a year"))
    values = numbers_of(scores, scores.columns).set_axis(years, axis=1)[sorted(years)]
    called, chosen = known_names(scores.index, names, highlight)
    if len(chosen) > len(LINES):
        what, expected = f"{len(chosen)} areas in colours", f"at most {len(LINES)}, to tell them apart"
        raise SpecError(Fault(what=what, key="highlight", expected=expected))
    if not values.notna().any(axis=None):
        raise SpecError(Fault(what="none of these areas has a known figure", expected="at least one"))
    drawn = values.index[values.notna().any(axis=1)]
    named = list(drawn) if len(drawn) <= most else [code for code in drawn if code in chosen]
    inside = sorted({int(year) for year in breaks if min(years) < year <= max(years)})
    decimals = 0 if ranks else decimals_of(values.stack())
    colours = dict(zip(chosen, LINES, strict=False))
    return _Slopes(values, sorted(years), called, colours, named, inside, ranks, decimals)


def _key(slopes: _Slopes, known: int, words: Texts) -> list[Sign]:
    entries = []
    others = known - sum(1 for code in slopes.colours if slopes.data.loc[code].notna().any())
    if slopes.colours and others:
        text = words["slopes_other"].format(count=others)
        entries.append(Sign(text, {"color": _QUIET_LINE, "linewidth": 1}))
    if slopes.breaks:
        entries.append(Sign(words["across_break"], {"color": INK, "linewidth": 1.4, "linestyle": _ACROSS}))
    # Years of an area between two known ones.
    gaps = slopes.data.isna() & slopes.data.notna().cummax(axis=1) & slopes.data.notna().loc[:, ::-1].cummax(axis=1)
    if gaps.any(axis=None):
        entries.append(Sign(words["year_missing"]))
    return entries


# ---------------------------------------------------------------- drawing


def _draw(page: Page, slopes: _Slopes, words: Texts) -> None:
    labels = {code: _labels(slopes, code, words, short=page.width < NARROW) for code in slopes.named}
    most = (0.3 if page.width >= NARROW else 0.4) * page.width
    rooms = [
        min(
            max((text_width(pair[side], SMALL, bold=True) for pair in labels.values() if pair[side]), default=0.3), most
        )
        for side in (0, 1)
    ]
    stroke = 0.3 if page.width >= NARROW else 0.2
    left = EDGE + rooms[0] + stroke
    axes = page.axes(left, 0.05, page.width - left - rooms[1] - stroke - EDGE, page.body - _HEAD)
    _frame(axes, slopes, words)
    for code in (*(code for code in slopes.data.index if code not in slopes.colours), *slopes.colours):
        _line(axes, slopes, code)
    for side in (0, 1):
        shown = [code for code in slopes.named if labels[code][side]]
        _name(axes, slopes, shown, {code: labels[code][side] for code in shown}, side, rooms[side], stroke)


def _frame(axes: Axes, slopes: _Slopes, words: Texts) -> None:
    clean_axes(axes)
    low, high = slopes.data.min(axis=None), slopes.data.max(axis=None)
    room = 0.03 * (high - low) or max(abs(high) * 0.1, 1.0)
    axes.set_ylim((high + room, low - room) if slopes.ranks else (low - room, high + room))
    axes.set_xlim(slopes.years[0], slopes.years[-1])
    axes.set_xticks([])
    if slopes.named:
        axes.set_yticks([])
    else:
        format_axis(axes.yaxis, words.language)
    pale: dict[str, Any] = {"colors": PALE, "linewidth": 1, "zorder": 1, "clip_on": False}
    axes.vlines(slopes.years, 0, 1, transform=axes.get_xaxis_transform(), **pale)
    look: dict[str, Any] = {"textcoords": "offset points", "xycoords": axes.get_xaxis_transform(), "ha": "center"}
    between = text_width("2000 ", SMALL) * (slopes.years[-1] - slopes.years[0]) / _width(axes)
    written: list[int] = []
    for year in (slopes.years[0], slopes.years[-1], *slopes.years[1:-1]):
        if all(abs(year - other) > between for other in written):
            axes.annotate(str(year), (year, 1), (0, 5), fontsize=SMALL, color=INK, **look)
            written.append(year)
    for year in slopes.breaks:
        axes.vlines(year - 0.5, 0, 1, transform=axes.get_xaxis_transform(), colors=QUIET, linestyles=":", linewidth=1.2)
    for place, text in _break_labels(slopes, _width(axes), words):
        axes.annotate(text, (place, 1), (0, 18), fontsize=SMALL, color=QUIET, **look)


def _width(axes: Axes) -> float:
    return float(axes.get_window_extent().width / axes.figure.dpi)


def _break_labels(slopes: _Slopes, width: float, words: Texts) -> list[tuple[float, str]]:
    """Return a label for all breaks, or one each where they have room beside each other."""
    span = slopes.years[-1] - slopes.years[0]
    apart = [words["break_mark"].format(year=year) for year in slopes.breaks]
    room = max((text_width(text, SMALL) for text in apart), default=0) * span / width * 1.1
    if all(later - earlier > room for earlier, later in pairwise(slopes.breaks)):
        return [(year - 0.5, text) for year, text in zip(slopes.breaks, apart, strict=True)]
    return [(float(np.mean(slopes.breaks)) - 0.5, words["break_mark"].format(year=", ".join(map(str, slopes.breaks))))]


def _line(axes: Axes, slopes: _Slopes, code: Any) -> None:
    colour = slopes.colours.get(code, _QUIET_LINE)
    marked = code in slopes.colours
    look: dict[str, Any] = {"color": colour, "linewidth": 2.2 if marked else 1, "zorder": 4 if marked else 2}
    row = slopes.data.loc[code]
    for first, last in pairwise(slopes.years):
        if row.notna()[[first, last]].all():
            style = _ACROSS if slopes.crosses(first, last) else "solid"
            axes.plot([first, last], row[[first, last]], linestyle=style, **look)
    points = row.dropna()
    axes.plot(points.index, points, "o", markersize=4.5 if marked else 2.4, clip_on=False, **look)


def _labels(slopes: _Slopes, code: Any, words: Texts, *, short: bool) -> tuple[str, str]:
    """Return what stands at the left and at the right end; a line known at neither tells the year it ends.

    On a narrow page a name that stands at the right does not stand at the left as well.
    """
    known = slopes.data.loc[code].dropna()
    figures = [format_number(value, words.language, decimals=slopes.decimals) for value in known.iloc[[0, -1]]]
    name = slopes.names[code]
    begins = f"{name}  {figures[0]}" if known.index[0] == slopes.years[0] else ""
    if known.index[-1] == slopes.years[-1]:
        return figures[0] if begins and short else begins, f"{figures[1]}  {name}"
    # One that ends early is named at the left, unless it is not known there either.
    return begins, "" if begins else f"{figures[1]}  {name} ({known.index[-1]})"


def _name(
    axes: Axes, slopes: _Slopes, codes: Sequence[Any], labels: Mapping[Any, str], side: int, room: float, stroke: float
) -> None:
    """Write names in a margin as near to their ends as they can stand apart, with a stroke where they moved."""
    if not codes:
        return
    year = slopes.years[-side]
    ends = [(year, slopes.data.loc[code].dropna().iloc[-side]) for code in codes]
    points = axes.transData.transform(ends)
    pixels, frame = axes.figure.dpi / 72, axes.get_window_extent()
    gap = LINE_HEIGHT * SMALL * pixels
    heights = spread(points[:, 1], gap, frame.y0, frame.y1)
    for code, end, (_, y), height in zip(codes, ends, points, heights, strict=True):
        bold, colour = code in slopes.colours, slopes.colours.get(code, INK)
        ends_here = pd.notna(slopes.data.loc[code, year])
        arrow = {
            "arrowstyle": "-",
            "color": slopes.colours.get(code, HAIRLINE),
            "linewidth": 0.7,
            "shrinkB": 3,
            "shrinkA": 0,
        }
        axes.annotate(
            _cut(labels[code], slopes.names[code], room, bold=bold),
            end,
            ((72 * stroke) * (1 if side else -1), (height - y) / pixels),
            textcoords="offset points",
            arrowprops=arrow | {"relpos": (1 - side, 0.5)} if ends_here else None,
            ha="left" if side else "right",
            va="center",
            fontsize=SMALL,
            fontweight="bold" if bold else "normal",
            color=colour,
            parse_math=False,
            annotation_clip=False,
            zorder=6,
        )


def _cut(label: str, name: str, room: float, *, bold: bool) -> str:
    """Return the label with its name as short as the room asks for; figures are never cut."""
    rest = text_width(label.replace(name, ""), SMALL, bold=bold)
    return label.replace(name, fitted(name, max(room - rest, 0.2), SMALL, bold=bold))
