"""Who is reached? Completeness and efficiency along a ranking, with the choice that was made marked on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
    LINE_HEIGHT,
    NARROW,
    SMALL,
    WIDTH,
    Sign,
    clean_axes,
    foot_of,
    format_axis,
    make_page,
    must_be_table,
    number_of_areas,
    numbers_of,
    text_width,
    wrapped,
)
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_reached"]

_BODY, _AXIS_X, _AXIS_Y = 3.6, 0.34, 0.5  # inches
_TOP = 103  # per cent: room for a line that ends at 100
_COMPLETE, _EFFICIENT = LINES[0], LINES[1]
_DASHED = (0, (2, 4))
_ARITHMETIC = 1e-9
# Where words stand: how far from the line of the choice in inches, and what it costs, in inches off their point, to
# cover a fiftieth of an inch of a line, to stand in the wrong order, or on other words.
_APART, _COVERED, _SWAPPED, _NEVER = 0.12, 0.015, 5.0, 1000.0


def plot_reached(
    curve: pd.DataFrame,
    *,
    best: pd.DataFrame | None = None,
    chosen: tuple[float, float, float] | None = None,
    title: str = "",
    what: str = "",
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    language: str = "sv",
    width: float = WIDTH,
) -> Figure:
    """Draw how many of those in need are reached, and how many of the reached are in need, along a ranking.

    Parameters
    ----------
    curve
        Areas in order: ``reach`` (share of all people in the areas so far, 0-1), ``completeness`` (share of those in
        need who live there), ``efficiency`` (share of the people there who are in need), and where known
        ``completeness_low`` and ``completeness_high``; the ``curve`` of :func:`geoplan.targeting.who_is_reached`.
    best
        The same areas in the best order, ``reach`` and ``completeness``.
    chosen
        Reach, completeness and efficiency of the choice that was made, which need not follow the order; NaN where it
        has none, as nobody has no share in need.
    title, what, period, source, method, note
        Texts; ``what`` says who is in need.
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
        For anything but a table, when columns are missing, or a share is not between 0 and 1.
    TableError
        When a cell is no number.

    Examples
    --------
    >>> curve = pd.DataFrame({"reach": [0.2, 1.0], "completeness": [0.5, 1.0], "efficiency": [0.4, 0.16]})
    >>> figure = plot_reached(curve, chosen=(0.2, 0.5, 0.4), language="en")
    >>> [text.get_text() for text in figure.axes[1].texts][1:]
    ['50 % of those in need are reached', '40 % of those reached are in need']
    """
    must_be_table(curve, "curve", "the `curve` of who_is_reached(…)")
    words = texts(language)
    order = _shares(curve, ["reach", "completeness", "efficiency"])
    top = None if best is None else _shares(best, ["reach", "completeness"])
    if chosen is not None and not (np.isfinite(chosen[0]) and all(not part < 0 and not part > 1 for part in chosen)):
        raise SpecError(Fault(what=f"the choice is {chosen}", key="chosen", expected="three shares from 0 to 1"))
    people = number_of_areas(words, len(order), len(curve))
    foot = foot_of(words, source=source, people=people, method=method or words["reached_method"], note=note)
    axis = wrapped(words["reached_axis"], width - 2 * EDGE - _AXIS_Y, SMALL)
    below = _AXIS_X + len(axis) * LINE_HEIGHT * SMALL / 72
    page = make_page(
        width,
        _BODY + below,
        title=title,
        below=" · ".join(part for part in (what, period) if part),
        key=_key(words, best=top is not None),
        foot=[foot],
    )
    axes = page.axes(EDGE + _AXIS_Y, below, width - 2 * EDGE - _AXIS_Y, _BODY)
    clean_axes(axes, grid="both")
    axes.set(xlim=(0, 100), ylim=(0, _TOP))
    format_axis(axes.xaxis, language, bins=6 if width >= NARROW else 4)
    format_axis(axes.yaxis, language)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{format_number(number, language)} %"))
    axes.set_xlabel("\n".join(axis), fontsize=SMALL, color=QUIET, loc="left")
    drawn = _draw(axes, order, top, curve)
    if chosen is not None:
        _mark(axes, chosen, words, drawn)
    return page.figure


def _shares(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    found = numbers_of(frame, columns).dropna()
    wrong = (found < -_ARITHMETIC) | (found > 1 + _ARITHMETIC)
    if wrong.any(axis=None):
        column = next(name for name in columns if wrong[name].any())
        raise SpecError(Fault(what=f"{found[column][wrong[column]].iloc[0]:g} is no share", column=column,
                              expected="numbers from 0 to 1"))  # fmt: skip
    if found.empty:
        raise SpecError(Fault(what="no area has a place on the curve", expected="at least one"))
    return found


def _key(words: Texts, *, best: bool) -> list[Sign]:
    signs = [
        Sign(words["reached_completeness"], {"color": _COMPLETE, "linewidth": 2.2}),
        Sign(words["reached_efficiency"], {"color": _EFFICIENT, "linewidth": 2.2}),
    ]
    if best:
        signs.append(Sign(words["reached_best"], {"color": INK, "linewidth": 1.0, "linestyle": _DASHED}))
    return [*signs, Sign(words["reached_lot"], {"color": HAIRLINE, "linewidth": 1.0})]


def _draw(axes: Axes, order: pd.DataFrame, best: pd.DataFrame | None, curve: pd.DataFrame) -> list[np.ndarray]:
    """Draw the lines; return the two that words should not cover, in per cent."""
    axes.plot([0, 100], [0, 100], color=HAIRLINE, linewidth=1.0, zorder=1)
    if {"completeness_low", "completeness_high"} <= set(curve):
        band = _from_nobody(_shares(curve, ["reach", "completeness_low", "completeness_high"]))
        axes.fill_between(band["reach"], band["completeness_low"], band["completeness_high"], color=_COMPLETE,
                          alpha=0.15, linewidth=0, zorder=1)  # fmt: skip
    line = _from_nobody(order)
    # Of a part of the first area as many are in need as of all of it.
    line.loc[line.index[0], "efficiency"] = line["efficiency"].iloc[1]
    look: dict[str, Any] = {"linewidth": 2.2, "zorder": 3, "solid_joinstyle": "round"}
    axes.plot(line["reach"], line["completeness"], color=_COMPLETE, **look)
    axes.plot(line["reach"], line["efficiency"], color=_EFFICIENT, **look)
    if best is not None:  # over the order's own line, so that one sees it where both are the same
        top = _from_nobody(best)
        axes.plot(top["reach"], top["completeness"], color=INK, linewidth=1.0, linestyle=_DASHED, zorder=4)
    return [line[["reach", name]].to_numpy() for name in ("completeness", "efficiency")]


def _from_nobody(shares: pd.DataFrame) -> pd.DataFrame:
    """Return a line in per cent that begins where nobody is chosen."""
    return pd.concat([pd.DataFrame(0.0, index=["nobody"], columns=shares.columns), 100 * shares])


@dataclass(frozen=True)
class _Words:
    """Words beside the line of the choice, and which point they tell of; lengths in inches."""

    lines: tuple[str, ...]
    colour: str
    bold: bool
    at: float
    width: float
    height: float


def _mark(axes: Axes, chosen: tuple[float, float, float], words: Texts, drawn: list[np.ndarray]) -> None:
    """Mark the choice, and say in words what it reaches; the words stand where they cover least."""
    reach, complete, efficient = (100 * part for part in chosen)
    axes.axvline(reach, color=INK, linewidth=0.9, zorder=2)
    wide, high = (length / axes.figure.dpi for length in axes.get_window_extent().size)
    size = np.array([100 / wide, _TOP / high])
    room = max(reach / size[0], wide - reach / size[0]) - 1.5 * _APART

    def told(key: str, value: float, colour: str, place: float, *, bold: bool = True) -> _Words:
        lines = wrapped(words[key].format(share=_percent(value, words)), room, SMALL, bold=bold)
        width = max(text_width(line, SMALL, bold=bold) for line in lines)
        return _Words(tuple(lines), colour, bold, place / size[1], width, len(lines) * LINE_HEIGHT * SMALL / 72)

    said = [told("reached_chosen", reach, INK, _TOP, bold=False)]
    for value, key, colour in ((complete, "reached_said", _COMPLETE), (efficient, "reached_hit", _EFFICIENT)):
        if np.isfinite(value):  # of nobody there is no share
            axes.plot([reach], [value], marker="o", markersize=7, color=colour, markeredgecolor="white", zorder=5,
                      clip_on=False)  # fmt: skip
            said.append(told(key, value, colour, value))
    for (left, middle), own in _placed(said, reach / size[0], (wide, high), [line / size for line in drawn]):
        axes.text(left * size[0], middle * size[1], "\n".join(own.lines), color=own.colour, va="center", fontsize=SMALL,
                  fontweight="bold" if own.bold else "normal", linespacing=LINE_HEIGHT, parse_math=False, zorder=6,
                  path_effects=[withStroke(linewidth=3, foreground="white")])  # fmt: skip


def _placed(
    said: list[_Words], reach: float, page: tuple[float, float], drawn: list[np.ndarray]
) -> list[tuple[tuple[float, float], _Words]]:
    """Return where words begin and the height of their middle, in inches.

    Tried are both sides of the line and all heights; words never cover other words, and stand in the order of their
    points. It costs to be far from one's point, and to lie on a line.
    """
    wide, high = page
    dense = np.concatenate([_dense(line) for line in drawn])
    marks = np.array([[reach, own.at] for own in said[1:]]).reshape(-1, 2)
    taken: list[tuple[float, float, _Words]] = []
    for own in said:
        half = own.height / 2
        heights = np.clip([own.at], half, high - half) if own is said[0] else np.arange(half, high - half + 0.01, 0.02)
        best, least = (reach + _APART, float(heights[0])), np.inf
        for left in (reach + _APART, reach - _APART - own.width):
            if left < 0 or left + own.width > wide:
                continue
            for middle in heights:
                cost = abs(middle - own.at)
                cost += _COVERED * _inside(dense, left, middle, own) + _inside(marks, left - _APART, middle, own)
                cost += sum(_clash(own, left, middle, other) for other in taken)
                if cost < least:
                    best, least = (left, float(middle)), cost
        taken.append((*best, own))
    return [((left, middle), own) for left, middle, own in taken]


def _dense(line: np.ndarray) -> np.ndarray:
    """Return points of a line that lie a fiftieth of an inch apart."""
    ends = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.arange(0.0, ends[-1] + 0.02, 0.02)
    return np.column_stack([np.interp(at, ends, column) for column in line.T])


def _inside(points: np.ndarray, left: float, middle: float, own: _Words) -> int:
    """Return how many points lie under words."""
    beside = (points[:, 0] > left - 0.04) & (points[:, 0] < left + own.width + 0.04)
    return int((beside & (np.abs(points[:, 1] - middle) < own.height / 2 + 0.02)).sum())


def _clash(own: _Words, left: float, middle: float, other: tuple[float, float, _Words]) -> float:
    """Return what it costs to cover other words, or to stand above those of a higher point."""
    begin, height, words = other
    apart = abs(middle - height) >= (own.height + words.height) / 2
    swapped = (middle - height) * (own.at - words.at) < 0
    beside = left + own.width <= begin or begin + words.width <= left
    return _NEVER * (not apart and not beside) + _SWAPPED * swapped


def _percent(value: float, words: Texts) -> str:
    small = 0 < value < 10  # noqa: PLR2004  one decimal below ten per cent
    return f"{format_number(value, words.language, decimals=int(small))} %"
