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
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox
from scipy.optimize import isotonic_regression

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.places import IndicatorTable, segments
from geoplan.show.printed import Picture
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_series"]

_GREY = "#6f6f6a"
_HALO = withStroke(linewidth=3, foreground="white")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _HEAD, _FOOT = 9.2, 5.6, 0.75, 2.15, 1.2, 1.05  # inches
_FOOT_LETTERS, _NAME_LETTERS = 14, 26
_LABEL = 9.5  # points
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
    compare: str | pd.Series | None = None,
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
        What the areas are compared with, in grey: the code of an area, or a Series from period to value such as
        ``totals(table).loc[indicator, "value"]``.
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
    figure = Picture(figsize=(_WIDTH, _HEIGHT), facecolor="white")
    axes = figure.add_axes(
        (_LEFT / _WIDTH, _FOOT / _HEIGHT, 1 - (_LEFT + _RIGHT) / _WIDTH, 1 - (_HEAD + _FOOT) / _HEIGHT)
    )
    for line in lines:
        _draw(axes, line)
    _frame(axes, rows, language)
    _mark_breaks(axes, [year for year in definition.breaks if rows["year"].min() < year <= rows["year"].max()], words)
    _head(figure, title or definition.label.to(language), words.unit(definition.unit))
    _name_lines(axes, lines)
    base = definition.base.to(language) if definition.base else ""
    _foot(
        figure, words, [_source(rows, source or definition.source or "", words), _people(rows, base, words), note], rows
    )
    return figure


def _rows(
    table: IndicatorTable, indicator: str, areas: Sequence[str] | None, compare: str | pd.Series | None
) -> pd.DataFrame:
    """Return the figures to draw with their segments; what they are compared with is an area among them."""
    data = table.data[table.data["indicator"] == indicator]
    wanted = [*(areas if areas is not None else data["area_id"].unique())]
    wanted += [compare] if isinstance(compare, str) else []
    absent = [code for code in wanted if code not in set(data["area_id"])]
    if absent:
        raise checks.unknown_name("area of the table", absent[0], data["area_id"].unique(), key="areas")
    data = data[data["area_id"].isin(wanted)]
    if isinstance(compare, pd.Series):
        whole = pd.DataFrame({"period": compare.index.astype(str), "value": compare.to_numpy(dtype=float)})
        whole["status"] = np.where(whole["value"].notna(), "observed", "not_collected")
        whole = whole.assign(area_id=_WHOLE, indicator=indicator, denominator=np.nan)
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
    compare: str | pd.Series | None,
    compare_name: str,
) -> list[_Line]:
    called = dict(names) if names is not None else {}
    found = []
    if compare is not None:
        code = compare if isinstance(compare, str) else _WHOLE
        name = called.get(code, compare_name) if isinstance(compare, str) else compare_name
        found.append(_Line(rows[rows["area_id"] == code], name, _GREY, 1.6))
    colours = dict(zip(chosen, LINES, strict=False))
    found += [_Line(rows[rows["area_id"] == code], str(called.get(code, code)), colours[code], 2.1) for code in chosen]
    return [line for line in found if (line.rows["segment"] > 0).any()]


# ---------------------------------------------------------------- drawing


def _draw(axes: Axes, line: _Line) -> None:
    known = line.rows[line.rows["segment"] > 0]
    order = 2 if line.colour == _GREY else 3
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
    bottom = 0.0 if 0 <= low < 0.4 * high else low - room  # a scale from 0 where it costs little
    axes.set_ylim(bottom, high + room)
    first, last = int(rows["year"].min()), int(rows["year"].max())
    axes.set_xlim(first - 0.4, last + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=min(last - first + 1, 12), integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    steps = np.diff(axes.get_yticks())
    decimals = int(np.clip(-np.floor(np.log10(steps[0]) + 1e-9), 0, 4)) if len(steps) else 0
    decimals += int(len(steps) > 0 and not np.isclose(steps[0] * 10**decimals, round(steps[0] * 10**decimals)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: format_number(number, language, decimals=decimals)))
    axes.grid(axis="y", color="#e4e4e0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9.5, labelcolor=QUIET)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(HAIRLINE)


def _mark_breaks(axes: Axes, years: Sequence[int], words: Texts) -> None:
    """Mark the moment before each break year; labels stand above the chart, in rows where they would meet."""
    right_ends: list[float] = []
    for year in sorted(years):
        axes.vlines(year - 0.5, 0, 1, transform=axes.get_xaxis_transform(), colors=QUIET, linestyles=":", linewidth=1.2)
        label = axes.annotate(
            words["break_mark"].format(year=year),
            (year - 0.5, 1),
            (0, 3),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            color=QUIET,
        )
        box = label.get_window_extent()
        row = next((place for place, end in enumerate(right_ends) if end < box.x0), len(right_ends))
        right_ends[row : row + 1] = [box.x1 + 6]
        label.set_position((0, 3 + 11 * row))


def _head(figure: Figure, title: str, unit: str) -> None:
    lines = textwrap.wrap(title, 66)[:2]
    top = 1 - 0.2 / _HEIGHT
    figure.text(
        0.2 / _WIDTH, top, "\n".join(lines), fontsize=15, fontweight="bold", color=INK, va="top", parse_math=False
    )
    below = top - (0.1 + 0.25 * len(lines)) / _HEIGHT
    figure.text(0.2 / _WIDTH, below, unit, fontsize=10.5, color=QUIET, va="top", parse_math=False)


def _name_lines(axes: Axes, lines: Sequence[_Line]) -> None:
    """Write each line's name where it ends: in the margin, or beside its last point where it ends early."""
    last = max(line.end[0] for line in lines)
    pixels = axes.figure.dpi / 72
    at_end = sorted((line for line in lines if line.end[0] == last), key=lambda line: line.end[1])
    points = axes.transData.transform([line.end for line in at_end])
    gap = 1.35 * _LABEL * pixels * (axes.get_window_extent().height > 0)
    steps = gap * np.arange(len(at_end))
    # The nearest heights in the same order that keep their distance.
    heights = isotonic_regression(points[:, 1] - steps).x + steps
    bottom, top = axes.get_window_extent().y0 + gap / 2, axes.get_window_extent().y1 - gap / 2
    heights += max(bottom - heights[0], 0)
    heights -= max(heights[-1] - top, 0)
    for line, (x, y), height in zip(at_end, points, heights, strict=True):
        moved = abs(height - y) > 0.3 * gap
        axes.annotate(
            _short(line.name),
            (x + 5 * pixels, y),
            (x + 20 * pixels, height),
            xycoords="figure pixels",
            textcoords="figure pixels",
            arrowprops={"arrowstyle": "-", "color": line.colour, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 0}
            if moved
            else None,
            **_look(line),
        )
    _name_early(axes, [line for line in lines if line.end[0] < last])


def _name_early(axes: Axes, lines: Sequence[_Line]) -> None:
    """Put names beside last points inside the chart, at the first place where they cover neither points nor names."""
    dots = [
        Bbox.from_extents(x - 4, y - 4, x + 4, y + 4)
        for drawn in axes.lines
        for x, y in axes.transData.transform(np.column_stack([drawn.get_xdata(), drawn.get_ydata()]))
    ]
    for line in lines:
        places = [(8, 0, "left"), (8, 11, "left"), (8, -11, "left"), (0, 14, "center"), (0, -14, "center")]
        for x, y, side in [*places, (8, 24, "left"), (8, -24, "left")]:
            label = axes.annotate(
                _short(line.name),
                line.end,
                (x, y),
                textcoords="offset points",
                path_effects=[_HALO],
                **(_look(line) | {"ha": side}),
            )
            box = label.get_window_extent()
            if not any(box.overlaps(other) for other in dots):
                break
            label.remove()
        else:
            axes.add_artist(label)
        dots.append(box)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1].rstrip()}…"


def _look(line: _Line) -> dict[str, Any]:
    weight = "normal" if line.colour == _GREY else "bold"
    return {
        "ha": "left",
        "va": "center",
        "fontsize": _LABEL,
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
        fontsize=8.5,
        color=QUIET,
        va="top",
        parse_math=False,
    )
