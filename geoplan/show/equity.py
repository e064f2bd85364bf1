"""How access is shared out: by parts of the residents, as a curve, and in figures with words beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geoplan.errors import Fault, SpecError, TableError
from geoplan.show.page import (
    EDGE,
    LINE_HEIGHT,
    PALE,
    SMALL,
    WIDTH,
    Page,
    Sign,
    clean_axes,
    foot_of,
    format_axis,
    make_page,
    must_be_table,
    numbers_of,
    text_width,
    wrapped,
)
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET, decimals_of
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_equity"]

_BESIDE = 7.4  # inches: a page as wide as this has rows and curve side by side
_ROW, _TALL, _GAP, _AXIS, _PART_GAP = 0.3, 0.46, 0.2, 0.26, 0.16  # inches
_CURVE, _LABELS, _NUMBERS = 3.5, 1.45, 0.95  # inches at most: side of the curve, words of a row, a column of figures
_LINE = LINE_HEIGHT * SMALL / 72
_DOT, _RANKED = LINES[0], LINES[1]
_SPREAD: dict[str, Any] = {"color": "#a9c3e3", "linewidth": 7, "solid_capstyle": "butt"}
_EVEN = 0.02  # a concentration index nearer to 0 leans to neither side
_SMALL = 0.1  # a share below this has a decimal
_WHOLE = "all"
_ROWS = ("residents", "mean", "p10", "median", "p90")
#: In the order in which they are told.
_TOLD = ("gap_ratio", "gap_to_best", "share_below", "palma", "concentration", "gini")
_AS_SHARE = {"gap_ratio", "gap_to_best", "share_below"}


@dataclass(frozen=True)
class _Row:
    """A row: its words, its figures, and what is said where there are none."""

    words: str
    figures: Mapping[str, float]
    missing: str
    whole: bool


def plot_equity(
    by_quantile: pd.DataFrame,
    curve: pd.DataFrame,
    measures: Mapping[str, float],
    *,
    by_group: pd.DataFrame | None = None,
    left_out: pd.DataFrame | None = None,
    standard: str = "",
    higher_is_better: bool = True,
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
    """Draw the access of residents by the index of their area, and how evenly it is shared out.

    Left, or above on a narrow page, stand the parts of the residents from the highest index to the lowest: mean,
    median, and the middle 80 %. Beside them are the concentration curve and the Lorenz curve, and below the figures of
    the whole, each with a sentence.

    Parameters
    ----------
    by_quantile, curve, measures
        Of :class:`geoplan.reach.Equity`. A part without figures says so.
    by_group
        Groups of people, drawn below the parts.
    left_out
        Units without a figure, counted by ``reason`` in the foot.
    standard
        What residents should have, in words.
    higher_is_better
        False for minutes; said at the axis.
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
        For anything but tables, when a column is missing, a part occurs twice, or a share of the curve is not between
        0 and 1.
    TableError
        When a cell or a figure of the whole is no number.

    Examples
    --------
    >>> columns = ["residents", "mean", "p10", "median", "p90"]
    >>> parts = pd.DataFrame([[100, 10.0, 10, 10, 10], [100, 30.0, 30, 30, 30], [200, 20.0, 10, 10, 30]],
    ...                      index=[1, 2, "all"], columns=columns)
    >>> curve = pd.DataFrame({"people": [0, 0.5, 1], "access": [0, 0.25, 1], "ranked": [0, 0.25, 1]})
    >>> figure = plot_equity(parts, curve, {"gap_ratio": 0.5, "palma": 3.0}, language="en")
    >>> [text.get_text() for text in figure.texts if text.get_text() in ("50 %", "3.00")]
    ['50 %', '3.00']
    """
    words = texts(language)
    rows, groups = _parts(by_quantile, words), [] if by_group is None else _groups(by_group, words)
    shares = _shares(curve)
    told = _told(measures, standard, words)
    chance = "" if percentile is None else words["equity_percentile"].format(share=_number(percentile, words))
    people = f"N: {_number(rows[-1].figures['residents'], words)} {words['residents'].lower()}"
    foot = foot_of(words, source=source, people=people, method=method or words["equity_method"],
                   note="  ·  ".join(filter(None, (_left_out(left_out, words), note, date))))  # fmt: skip
    unit = words.unit(unit)
    axis = ", ".join(filter(None, (unit, "" if higher_is_better else words["equity_lower"])))
    plan = _plan(rows, groups, width, words, axis)
    table = _told_height(told, width)
    page = make_page(
        width,
        plan.height + _GAP * bool(told) + table,
        title=title or words["equity_title"],
        below=" · ".join(filter(None, (what, unit if unit.lower() not in what.lower() else "", chance, period))),
        key=_key(words),
        foot=[foot],
    )
    _draw_rows(page, plan, words)
    _draw_curve(page, plan, shares, words)
    _draw_told(page, told, table)
    return page.figure


# ---------------------------------------------------------------- what is handed in


def _parts(frame: pd.DataFrame, words: Texts) -> list[_Row]:
    must_be_table(frame, "by_quantile", "the `by_quantile` of access_equity(…)")
    names = [name for name in frame.index if str(name) != _WHOLE]
    if not names or len(names) == len(frame):
        what = "there are no parts to compare" if not names else "the row of all residents is missing"
        raise SpecError(Fault(what=what, key="by_quantile", expected="parts 1, 2 … and 'all'"))
    called = {name: str(name) for name in names} | {_WHOLE: words["equity_all"]}
    called[names[0]] = words["equity_most"].format(part=names[0])
    called[names[-1]] = words["equity_least"].format(part=names[-1])
    return _rows(frame, called, words)


def _groups(frame: pd.DataFrame, words: Texts) -> list[_Row]:
    must_be_table(frame, "by_group", "the `by_group` of access_equity(…)")
    own = frame.drop(index=_WHOLE, errors="ignore")
    return [] if own.empty else _rows(own, {name: str(name) for name in own.index}, words)


def _rows(frame: pd.DataFrame, called: Mapping[Any, str], words: Texts) -> list[_Row]:
    numbers = numbers_of(frame, [*_ROWS, *(["share_below"] if "share_below" in frame else [])])
    missing = np.where(numbers["residents"] > 0, words.statuses["not_collected"], words["equity_nobody"])
    return [
        _Row(called[name], dict(row), str(why), whole=name == _WHOLE)
        for (name, row), why in zip(numbers.iterrows(), missing, strict=True)
    ]


def _shares(curve: pd.DataFrame) -> pd.DataFrame:
    must_be_table(curve, "curve", "the `curve` of access_equity(…)")
    found = numbers_of(curve, ["people", "access", "ranked"])
    wrong = (found < -1e-9) | (found > 1 + 1e-9)  # noqa: PLR2004  what arithmetic leaves
    if wrong.any(axis=None):
        column = str(wrong.columns[wrong.any()][0])
        what = f"{found[column][wrong[column]].iloc[0]:g} is no share"
        raise SpecError(Fault(what=what, column=column, expected="numbers from 0 to 1"))
    return found


def _told(measures: Mapping[str, float], standard: str, words: Texts) -> list[tuple[str, str]]:
    """Return the figures of the whole, each with its words."""
    if not isinstance(measures, Mapping):
        what = f"{type(measures).__name__} holds no figures by name"
        hint = "the `measures` of access_equity(…)"
        raise SpecError(Fault(what=what, key="measures", expected="a mapping", hint=hint))
    told = []
    for name in _TOLD:
        value = measures.get(name, float("nan"))
        if not isinstance(value, int | float | np.number):
            raise TableError(Fault(what=f"'{value}' is not a number", key=f"measures.{name}", expected="a number"))
        value = float(value)
        if np.isfinite(value):
            written = _share(value, words) if name in _AS_SHARE else _number(value, words, decimals=2)
            told.append((written, _sentence(name, value, measures, standard, words)))
    return told


def _sentence(name: str, value: float, measures: Mapping[str, float], standard: str, words: Texts) -> str:
    if name == "concentration":
        side = "none" if abs(value) < _EVEN else "low" if value > 0 else "high"
        return words["equity_concentration"].format(where=words[f"equity_towards_{side}"])
    if name == "share_below":
        count = _number(measures.get("below", float("nan")), words)
        return words["equity_share_below_of" if standard else "equity_share_below"].format(
            standard=standard, count=count
        )
    return words[f"equity_{name}"]


def _left_out(frame: pd.DataFrame | None, words: Texts) -> str:
    """Count the units that are left out by what they lack."""
    if frame is None or frame.empty:
        return ""
    must_be_table(frame, "left_out", "the `left_out` of access_equity(…)")
    if "reason" not in frame:
        raise SpecError(Fault(what="why units are left out is missing", column="reason", key="left_out"))
    counts = frame["reason"].astype(str).value_counts()
    known = {f"no {name}": words[f"equity_no_{name}"] for name in ("access", "residents", "score")}
    said = [
        f"{', '.join(known.get(part, part) for part in str(reason).split(', '))} {_number(count, words)}"
        for reason, count in counts.items()
    ]
    places = words["equity_points"].format(count=_number(len(frame), words))
    return f"{words['equity_left_out']}: {places} ({'; '.join(said)})"


def _number(value: float, words: Texts, *, decimals: int = 0) -> str:
    return format_number(float(value), words.language, decimals=decimals).replace("-", "−")


def _share(value: float, words: Texts) -> str:
    return f"{_number(100 * value, words, decimals=int(0 < value < _SMALL))} %"


# ---------------------------------------------------------------- where things stand


@dataclass(frozen=True)
class _Plan:
    """The body in inches: rows of parts and groups, and the curve beside or below them."""

    rows: Sequence[_Row]
    groups: Sequence[_Row]
    heads: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    columns: tuple[tuple[float, tuple[str, ...]], ...]
    labels: float
    wide: float
    axis: str
    head: float
    row: float
    curve_left: float
    curve_top: float
    side: float
    height: float
    decimals: int

    @property
    def places(self) -> list[float]:
        """From the top of the rows to the middle of each, in inches."""
        first = [self.row * (number + 0.5) for number in range(len(self.rows))]
        down = len(self.rows) * self.row + _PART_GAP + len(self.heads[1]) * _LINE
        return first + [down + self.row * (number + 0.5) for number in range(len(self.groups))]


def _plan(rows: list[_Row], groups: list[_Row], width: float, words: Texts, axis: str) -> _Plan:
    room = width - 2 * EDGE
    beside = width >= _BESIDE
    side = min(_CURVE, 0.38 * room if beside else room - 0.45)
    wide = room - side - 0.9 if beside else room
    parts = words["equity_parts"].format(count=len(rows) - 1)
    heads = (
        tuple(wrapped(parts, wide, SMALL, bold=True)),
        tuple(wrapped(words["equity_groups"], wide, SMALL, bold=True)) if groups else (),
        tuple(wrapped(words["equity_shared"], side + 0.45, SMALL, bold=True)),
    )
    known = pd.Series([row.figures["mean"] for row in (*rows, *groups)]).dropna()
    decimals = decimals_of(known)
    columns = [("mean", words["equity_mean"])]
    columns += [("share_below", words["equity_below"])] if "share_below" in rows[0].figures else []
    cells = [
        max(text_width(_cell(row, name, decimals, words), SMALL) for row in (*rows, *groups)) for name, _ in columns
    ]
    fitting = [
        tuple(wrapped(text, max(cell + 0.02, min(_NUMBERS, 0.21 * room)), SMALL))
        for cell, (_, text) in zip(cells, columns, strict=True)
    ]
    sizes = tuple(
        (max(cell, *(text_width(line, SMALL) for line in lines)) + 0.14, lines)
        for cell, lines in zip(cells, fitting, strict=True)
    )
    labels = min(_LABELS, 0.3 * room, max(text_width(row.words, SMALL) for row in (*rows, *groups)) + 0.02) + 0.1
    head = (len(heads[0]) + max(len(lines) for _, lines in sizes)) * _LINE + 0.12
    many = len(rows) + len(groups)
    group_head = _PART_GAP + len(heads[1]) * _LINE if groups else 0.0
    curve_high = (len(heads[2]) + 1) * _LINE + 0.12 + side + _AXIS + _LINE
    around = head + group_head + _AXIS + _LINE * bool(axis)
    row = float(np.clip((curve_high - around) / many, _ROW, _TALL)) if beside else _ROW
    rows_high = around + many * row
    return _Plan(
        rows, groups, heads, sizes, labels, wide, axis, head, row,
        curve_left=room - side if beside else 0.45,
        curve_top=0.0 if beside else rows_high + _GAP,
        side=side,
        height=max(rows_high, curve_high) if beside else rows_high + _GAP + curve_high,
        decimals=decimals,
    )  # fmt: skip


def _cell(row: _Row, name: str, decimals: int, words: Texts) -> str:
    value = row.figures[name]
    if not np.isfinite(value):
        return "–"
    return _share(value, words) if name == "share_below" else _number(value, words, decimals=decimals)


def _key(words: Texts) -> list[Sign]:
    return [
        Sign(words["equity_dot"], point={"marker": "o", "markersize": 7, "color": _DOT, "markeredgecolor": "white"}),
        Sign(words["equity_tick"], point={"marker": "|", "markersize": 11, "color": INK, "markeredgewidth": 1.6}),
        Sign(words["equity_spread"], line=_SPREAD),
        Sign(words["equity_line"], line={"color": HAIRLINE, "linewidth": 1.0, "linestyle": (0, (4, 2))}),
        Sign(words["equity_curve"], line={"color": _DOT, "linewidth": 2.2}),
        Sign(words["equity_ranked"], line={"color": _RANKED, "linewidth": 1.6, "linestyle": (0, (5, 1.5))}),
        Sign(words["equity_even"], line={"color": HAIRLINE, "linewidth": 1.0}),
    ]


# ---------------------------------------------------------------- drawing


def _write(page: Page, left: float, down: float, text: str, **look: Any) -> None:
    """Write a text, its place measured in inches from the upper left corner of the body."""
    look = {"fontsize": SMALL, "color": INK, "va": "top", "linespacing": LINE_HEIGHT, **look}
    at = (EDGE + left) / page.width, (page.foot + page.body - down) / page.height
    page.figure.text(*at, text, parse_math=False, **look)


def _draw_rows(page: Page, plan: _Plan, words: Texts) -> None:
    """Draw the parts and the groups, each with its words and figures."""
    _write(page, 0, 0, "\n".join(plan.heads[0]), fontweight="bold")
    places = plan.places
    high = places[-1] + plan.row / 2
    numbers = sum(width for width, _ in plan.columns)
    wide = plan.wide - plan.labels - numbers
    axes = page.axes(EDGE + plan.labels, page.body - plan.head - high, wide, high)
    clean_axes(axes, grid="x")
    axes.set_yticks([])
    every = (*plan.rows, *plan.groups)
    most = np.nanmax([0.0, *(row.figures[name] for row in every for name in ("mean", "p90"))])
    axes.set(xlim=(0, 1.04 * most or 1), ylim=(high, 0))
    format_axis(axes.xaxis, words.language, bins=max(2, int(wide / 0.6)))
    axes.set_xlabel(plan.axis, fontsize=SMALL, color=QUIET, loc="left")
    whole = plan.rows[-1].figures["mean"]
    if np.isfinite(whole):
        axes.axvline(whole, color=HAIRLINE, linewidth=1.0, linestyle=(0, (4, 2)), zorder=2)
    if plan.groups:
        down = plan.head + len(plan.rows) * plan.row + _PART_GAP
        look: dict[str, Any] = {"fontweight": "bold", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
        _write(page, 0, down, "\n".join(plan.heads[1]), **look)  # lines of the chart do not run through it
    right = [plan.wide - sum(width for width, _ in plan.columns[number + 1 :]) for number in range(len(plan.columns))]
    for at, (_, lines) in zip(right, plan.columns, strict=True):
        down = plan.head - 0.06 - len(lines) * _LINE
        _write(page, at, down, "\n".join(lines), color=QUIET, ha="right")
    for row, at in zip(every, places, strict=True):
        _draw_row(axes, row, at)
        weight = "bold" if row.whole else "normal"
        text = "\n".join(wrapped(row.words, plan.labels - 0.06, SMALL, most=2))
        _write(page, 0, plan.head + at, text, va="center", fontweight=weight, linespacing=1.05)
        if not np.isfinite(row.figures["mean"]):
            continue  # that it has none stands in their place
        for end, name in zip(right, ("mean", "share_below"), strict=False):
            cell = _cell(row, name, plan.decimals, words)
            _write(page, end, plan.head + at, cell, va="center", ha="right", fontweight=weight)


def _draw_row(axes: Axes, row: _Row, at: float) -> None:
    own = row.figures
    if not np.isfinite(own["mean"]):
        look: dict[str, Any] = {"fontsize": SMALL, "fontstyle": "italic", "color": QUIET, "va": "center"}
        axes.text(0.02, at, row.missing, transform=axes.get_yaxis_transform(), parse_math=False, **look)
        return
    if np.isfinite([own["p10"], own["p90"]]).all():
        axes.plot([own["p10"], own["p90"]], [at, at], zorder=3, **_SPREAD)
    if np.isfinite(own["median"]):
        axes.plot([own["median"]], [at], marker="|", markersize=11, color=INK, markeredgewidth=1.6, zorder=4)
    dot: dict[str, Any] = {"marker": "o", "markersize": 7.5, "markeredgecolor": "white"}
    axes.plot([own["mean"]], [at], color=INK if row.whole else _DOT, zorder=5, clip_on=False, **dot)


def _draw_curve(page: Page, plan: _Plan, shares: pd.DataFrame, words: Texts) -> None:
    """Draw the curve in the order of the index, that in the order of the figures, and the line of the same for all."""
    left = plan.curve_left
    _write(page, left - 0.45, plan.curve_top, "\n".join(plan.heads[2]), fontweight="bold")
    down = plan.curve_top + len(plan.heads[2]) * _LINE + 0.06
    _write(page, left - 0.45, down, words["equity_share"], color=QUIET)
    axes = page.axes(EDGE + left, page.body - down - _LINE - 0.06 - plan.side, plan.side, plan.side)
    clean_axes(axes, grid="both")
    axes.set(xlim=(0, 100), ylim=(0, 100), xticks=range(0, 101, 20), yticks=range(0, 101, 20))
    axes.set_xlabel(words["equity_people"], fontsize=SMALL, color=QUIET, loc="left")
    axes.plot([0, 100], [0, 100], color=HAIRLINE, linewidth=1.0, zorder=2)
    drawn = 100 * shares
    if not drawn["access"].notna().any() or not drawn["access"].max() > 0:
        look: dict[str, Any] = {"fontsize": SMALL, "fontstyle": "italic", "color": QUIET}
        axes.text(50, 8, words.statuses["not_applicable"], ha="center", parse_math=False, **look)
        return
    axes.fill_between(drawn["people"], drawn["people"], drawn["access"], color=PALE, alpha=0.45, linewidth=0, zorder=1)
    axes.plot(drawn["people"], drawn["ranked"], color=_RANKED, linewidth=1.6, linestyle=(0, (5, 1.5)), zorder=3)
    axes.plot(drawn["people"], drawn["access"], color=_DOT, linewidth=2.2, zorder=4, solid_joinstyle="round")


def _told_lines(told: Sequence[tuple[str, str]], width: float) -> tuple[float, list[list[str]]]:
    """Return the width of the column of figures, and the lines of each sentence."""
    figures = max((text_width(figure, 11, bold=True) for figure, _ in told), default=0.0) + 0.14
    return figures, [wrapped(text, width - 2 * EDGE - figures, SMALL + 1) for _, text in told]


def _told_height(told: Sequence[tuple[str, str]], width: float) -> float:
    _, lines = _told_lines(told, width)
    return sum(len(own) for own in lines) * _BIG_LINE + len(lines) * _APART


_BIG_LINE, _APART = LINE_HEIGHT * (SMALL + 1) / 72, 0.07


def _draw_told(page: Page, told: Sequence[tuple[str, str]], height: float) -> None:
    """Write the figures of the whole in bold, each with its sentence to the right."""
    figures, lines = _told_lines(told, page.width)
    down = page.body - height
    for (figure, _), own in zip(told, lines, strict=True):
        look: dict[str, Any] = {"va": "baseline"}
        base = down + 0.75 * _BIG_LINE
        _write(page, figures - 0.14, base, figure, ha="right", fontsize=11, fontweight="bold", color=_DOT, **look)
        for number, line in enumerate(own):
            _write(page, figures, base + number * _BIG_LINE, line, fontsize=SMALL + 1, **look)
        down += len(own) * _BIG_LINE + _APART
