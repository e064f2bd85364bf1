"""Years as lines: never across a break, open where a figure is missing, named where the line ends."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.places import IndicatorTable, segments
from geoplan.show.page import GREY, LABEL, SMALL, format_axis, spread
from geoplan.show.printed import Picture
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_series"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _HEAD, _FOOT, _BREAK_ROOM = 9.2, 5.6, 0.75, 2.3, 0.7, 1.05, 0.2  # inches
_TITLE_LINE, _BREAK_LETTER = 0.28, 0.075
_FOOT_LETTERS, _NAME_LETTERS, _TITLE_LETTERS = 14, 22, 66
_WHOLE = "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}whole"  # no area is called so
_SHAPES = {"observed": "o", "provisional": "o", "estimated": "D"}


@dataclass(frozen=True)
class _Line:
    """One line: its rows with ``year, value, status, segment``, its name and its colour."""

    rows: pd.DataFrame
    name: str
    colour: str
    width: float

    @property
    def end(self) -> tuple[float, float]:
        """The last known point."""
        last = self.rows[self.rows["segment"] > 0].iloc[-1]
        return float(last["year"]), float(last["value"])


def plot_series(
    table: IndicatorTable,
    indicator: str,
    *,
    areas: Sequence[str] | None = None,
    names: Mapping[str, str] | pd.Series | None = None,
    compare: str | pd.Series | pd.DataFrame | None = None,
    compare_name: str = "",
    title: str = "",
    source: str = "",
    note: str = "",
    language: str = "sv",
) -> Figure:
    """Draw an indicator's years as lines.

    A line ends at each break of the definition, which a dotted line marks, and at each missing year. Provisional
    figures are hollow circles, estimated ones hollow diamonds.

    Parameters
    ----------
    table
        Indicators whose periods are years.
    indicator
        What is drawn.
    areas
        Codes of at most eight areas; all of the table when left out.
    names
        Code → name, such as ``areas["name"]``; codes when left out.
    compare
        What the areas are compared with, in grey: the code of an area, a Series from period to value, or a frame with
        the index ``period`` and the columns ``value`` and ``status``, such as ``totals(table).loc[indicator]``.
    compare_name
        Its name; "all areas" in the chart's language when left out.
    title, source
        The indicator's label and the sources of its figures when left out.
    note
        Printed after the source.
    language
        ``sv``, ``da`` or ``en``.

    Returns
    -------
    matplotlib.figure.Figure
        With the number of people behind the figures (N) and the source at its foot.

    Raises
    ------
    SpecError
        When there is no such indicator or area, no known figure, or more areas than can be told apart.
    TableError
        When a period is no year.

    Examples
    --------
    >>> from geoplan.places.indicators import COLUMNS
    >>> from geoplan.specs import IndicatorSpec
    >>> rows = [("A", "work", str(year), None, 900.0, 60.0 + year % 7, "observed") for year in range(2006, 2013)]
    >>> work = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better",
    ...                      breaks=(2010,))
    >>> figure = plot_series(IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"work": work}), "work", language="en")
    >>> [len(line.get_xdata()) for line in figure.axes[0].lines if line.get_linestyle() != "None"]
    [4, 3]
    """
    if indicator not in table.definitions:
        raise checks.unknown_name("indicator of the table", indicator, table.definitions, key="indicator")
    definition, words = table.definitions[indicator], texts(language)
    rows = _rows(table, indicator, areas, compare)
    whole = {compare if isinstance(compare, str) else _WHOLE}
    chosen = list(areas) if areas is not None else sorted(set(rows["area_id"]) - whole)
    _check_areas(chosen, rows)
    lines = _lines(rows, chosen, names, compare, compare_name or words["whole"])
    breaks = [year for year in sorted(definition.breaks) if rows["year"].min() < year <= rows["year"].max()]
    heading = textwrap.wrap(title or definition.label.to(language), _TITLE_LETTERS)[:2]
    figure = Picture(figsize=(_WIDTH, _HEIGHT), facecolor="white")
    head = _HEAD + _TITLE_LINE * len(heading) + _BREAK_ROOM * bool(breaks)
    axes = figure.add_axes(
        (_LEFT / _WIDTH, _FOOT / _HEIGHT, 1 - (_LEFT + _RIGHT) / _WIDTH, 1 - (head + _FOOT) / _HEIGHT)
    )
    for line in lines:
        _draw(axes, line)
    _frame(axes, rows, language)
    _mark_breaks(axes, breaks, words)
    _head(figure, heading, _unit_and_years(rows, words.unit(definition.unit)))
    _name_lines(axes, lines)
    base = definition.base.to(language) if definition.base else ""
    _foot(
        figure, words, [_source(rows, source or definition.source or "", words), _people(rows, base, words), note], rows
    )
    return figure


def _rows(
    table: IndicatorTable, indicator: str, areas: Sequence[str] | None, compare: str | pd.Series | pd.DataFrame | None
) -> pd.DataFrame:
    """Return the figures to draw with their segments; what they are compared with is an area among them."""
    data = table.data[table.data["indicator"] == indicator]
    wanted = [*(areas if areas is not None else data["area_id"].unique())]
    wanted += [compare] if isinstance(compare, str) else []
    absent = [code for code in wanted if code not in set(data["area_id"])]
    if absent:
        raise checks.unknown_name("area of the table", absent[0], data["area_id"].unique(), key="areas")
    data = data[data["area_id"].isin(wanted)]
    if isinstance(compare, pd.Series | pd.DataFrame):
        whole = compare.to_frame("value") if isinstance(compare, pd.Series) else compare
        known = np.where(whole["value"].notna(), "observed", "not_collected")
        whole = pd.DataFrame(
            {
                "period": whole.index.astype(str),
                "value": whole["value"].to_numpy(dtype=float),
                "status": whole["status"].to_numpy() if "status" in whole else known,
            }
        ).assign(area_id=_WHOLE, indicator=indicator, denominator=np.nan)
        data = pd.concat([data.astype({"area_id": object}), whole], ignore_index=True)
    return segments(IndicatorTable(data, {indicator: table.definitions[indicator]}))


def _check_areas(chosen: Sequence[str], rows: pd.DataFrame) -> None:
    if len(chosen) > len(LINES):
        what = f"{len(chosen)} lines in one chart"
        hint = "name the areas to draw, and the city as `compare`"
        raise SpecError(Fault(what=what, key="areas", expected=f"at most {len(LINES)}, to tell them apart", hint=hint))
    if not (rows["segment"] > 0).any():
        raise SpecError(Fault(what="none of these areas has a known figure", key="areas", expected="at least one"))


def _lines(
    rows: pd.DataFrame,
    chosen: Sequence[str],
    names: Mapping[str, str] | pd.Series | None,
    compare: str | pd.Series | pd.DataFrame | None,
    compare_name: str,
) -> list[_Line]:
    called = dict(names) if names is not None else {}
    found = []
    if compare is not None:
        code = compare if isinstance(compare, str) else _WHOLE
        name = called.get(code, compare_name) if isinstance(compare, str) else compare_name
        found.append(_Line(rows[rows["area_id"] == code], name, GREY, 1.6))
    colours = dict(zip(chosen, LINES, strict=False))
    found += [_Line(rows[rows["area_id"] == code], str(called.get(code, code)), colours[code], 2.1) for code in chosen]
    return [line for line in found if (line.rows["segment"] > 0).any()]


# ---------------------------------------------------------------- drawing


def _draw(axes: Axes, line: _Line) -> None:
    known = line.rows[line.rows["segment"] > 0]
    order = 2 if line.colour == GREY else 3
    for _, part in known.groupby("segment"):
        axes.plot(part["year"], part["value"], color=line.colour, linewidth=line.width, zorder=order)
    for status, part in known.groupby("status"):
        sure = status == "observed"
        axes.plot(
            part["year"],
            part["value"],
            linestyle="none",
            marker=_SHAPES[str(status)],
            markersize=4.2 if sure else 6.2,
            color=line.colour,
            markerfacecolor=line.colour if sure else "white",
            markeredgewidth=1.4,
            zorder=order + 2,
        )


def _frame(axes: Axes, rows: pd.DataFrame, language: str) -> None:
    values = rows.loc[rows["segment"] > 0, "value"]
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low) or max(abs(high) * 0.1, 1.0)
    bottom = 0.0 if 0 <= low <= 0.4 * high else low - room  # a scale from 0 where it costs little
    bottom = max(bottom, 0.0) if low >= 0 else bottom
    axes.set_ylim(bottom, high + room)
    first, last = int(rows["year"].min()), int(rows["year"].max())
    axes.set_xlim(first - 0.4, last + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=min(last - first + 1, 12), integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    format_axis(axes.yaxis, language)
    axes.grid(axis="y", color="#e4e4e0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9.5, labelcolor=QUIET)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(HAIRLINE)


def _mark_breaks(axes: Axes, years: Sequence[int], words: Texts) -> None:
    """Mark the moment before each break year; labels stand above the chart, and those that would meet become one."""
    first, last = axes.get_xlim()
    letter = _BREAK_LETTER * (last - first) / (_WIDTH - _LEFT - _RIGHT)
    groups: list[list[int]] = []
    for year in years:
        groups.append([year])
        while len(groups) > 1 and _reach(groups[-2], words, letter)[1] > _reach(groups[-1], words, letter)[0]:
            groups[-2:] = [groups[-2] + groups[-1]]
    for group in groups:
        places = [year - 0.5 for year in group]
        axes.vlines(places, 0, 1, transform=axes.get_xaxis_transform(), colors=QUIET, linestyles=":", linewidth=1.2)
        axes.annotate(
            _break_label(group, words),
            (sum(places) / len(places), 1),
            (0, 4),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
            color=QUIET,
        )


def _break_label(years: Sequence[int], words: Texts) -> str:
    return words["break_mark"].format(year=", ".join(map(str, years)))


def _reach(years: Sequence[int], words: Texts, letter: float) -> tuple[float, float]:
    """Return where a label of breaks begins and ends, in years; about, for letters differ."""
    middle, half = sum(years) / len(years) - 0.5, len(_break_label(years, words)) * letter / 2
    return middle - half, middle + half


def _unit_and_years(rows: pd.DataFrame, unit: str) -> str:
    first, last = rows["year"].min(), rows["year"].max()
    return f"{unit} · {first}" if first == last else f"{unit} · {first}–{last}"


def _head(figure: Figure, heading: Sequence[str], below: str) -> None:
    left, top = 0.2 / _WIDTH, 1 - 0.2 / _HEIGHT
    look: dict[str, Any] = {"va": "top", "parse_math": False}
    figure.text(left, top, "\n".join(heading), fontsize=15, fontweight="bold", color=INK, **look)
    under = top - (0.08 + _TITLE_LINE * len(heading)) / _HEIGHT
    figure.text(left, under, below, fontsize=10.5, color=QUIET, **look)


def _name_lines(axes: Axes, lines: Sequence[_Line]) -> None:
    """Write each line's name in the margin, as near the height of its end as the others allow.

    A line that ends before the last year has that year beside its name, and no stroke leads to it.
    """
    last = max(line.end[0] for line in lines)
    by_height = sorted(lines, key=lambda line: line.end[1])
    points = axes.transData.transform([line.end for line in by_height])
    pixels, frame = axes.figure.dpi / 72, axes.get_window_extent()
    gap = 1.35 * LABEL * pixels
    heights = spread(points[:, 1], gap, frame.y0 + gap / 2, frame.y1 - gap / 2)
    margin = axes.transData.transform((last, 0))[0] + 20 * pixels
    # Offsets in points from the line's end, so that they hold at whatever resolution the figure is saved.
    for line, (x, y), height in zip(by_height, points, heights, strict=True):
        leads = line.end[0] == last and abs(height - y) > 0.3 * gap
        stroke = {"arrowstyle": "-", "color": line.colour, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 5}
        axes.annotate(
            _short(line.name, f" ({line.end[0]:.0f})" if line.end[0] < last else ""),
            line.end,
            ((margin - x) / pixels, (height - y) / pixels),
            textcoords="offset points",
            arrowprops=stroke if leads else None,
            **_look(line),
        )


def _short(name: str, year: str) -> str:
    most = _NAME_LETTERS - len(year)
    return (name if len(name) <= most else f"{name[: most - 1].rstrip()}…") + year


def _look(line: _Line) -> dict[str, Any]:
    weight = "normal" if line.colour == GREY else "bold"
    return {
        "ha": "left",
        "va": "center",
        "fontsize": LABEL,
        "fontweight": weight,
        "color": line.colour,
        "parse_math": False,
        "annotation_clip": False,
        "zorder": 8,
    }


# ---------------------------------------------------------------- the foot


def _source(rows: pd.DataFrame, given: str, words: Texts) -> str:
    found = [text for text in rows.get("source", pd.Series(dtype=object)).dropna().astype(str).unique() if text]
    told = given or "; ".join(dict.fromkeys(part for text in found for part in text.split(" | ")))
    return f"{words['source']}: {told}" if told else ""


def _people(rows: pd.DataFrame, base: str, words: Texts) -> str:
    """Say who the figures speak of, and how many they are in the smallest and the largest area."""
    counts = rows.loc[rows["segment"] > 0, "denominator"].dropna()
    if counts.empty:
        return f"N: {base}" if base else ""
    low, high = (format_number(number, words.language) for number in (counts.min(), counts.max()))
    size = low if low == high else f"{low}–{high}"
    return f"N: {base}, {size} {words['per_area']}" if base else f"N: {size} {words['per_area']}"


def _foot(figure: Figure, words: Texts, parts: Sequence[str], rows: pd.DataFrame) -> None:
    drawn = set(rows.loc[rows["segment"] > 0, "status"])
    signs = [
        f"{sign} {words[key]}"
        for status, sign, key in (("provisional", "○", "hollow"), ("estimated", "◇", "diamond"))
        if status in drawn
    ]
    text = "  ·  ".join(part for part in (*parts, *signs) if part)
    figure.text(
        0.2 / _WIDTH,
        (_FOOT - 0.42) / _HEIGHT,
        "\n".join(textwrap.wrap(text, int(_WIDTH * _FOOT_LETTERS))[:3]),
        fontsize=SMALL,
        color=QUIET,
        va="top",
        parse_math=False,
    )
