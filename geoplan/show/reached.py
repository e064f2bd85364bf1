"""Who is reached? Completeness and efficiency along a ranking, with the choice that was made marked on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
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
    spread,
    text_width,
)
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_reached"]

_BODY, _AXIS_X, _AXIS_Y, _TEXT = 3.6, 0.5, 0.45, 0.17  # inches
_COMPLETE, _EFFICIENT = LINES[0], LINES[1]
_DASHED = (0, (4, 2))
_ARITHMETIC = 1e-9


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
        Reach, completeness and efficiency of the choice that was made, which need not follow the order.
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
    >>> [text.get_text() for text in figure.axes[1].texts][:2]
    ['50 % of those in need are reached', '40 % of those reached are in need']
    """
    must_be_table(curve, "curve", "the `curve` of who_is_reached(…)")
    words = texts(language)
    order = _shares(curve, ["reach", "completeness", "efficiency"])
    top = None if best is None else _shares(best, ["reach", "completeness"])
    if chosen is not None and not all(np.isfinite(part) and 0 <= part <= 1 for part in chosen):
        raise SpecError(Fault(what=f"the choice is {chosen}", key="chosen", expected="three shares from 0 to 1"))
    people = number_of_areas(words, len(order), len(curve))
    foot = foot_of(words, source=source, people=people, method=method or words["reached_method"], note=note)
    page = make_page(
        width,
        _BODY + _AXIS_X,
        title=title,
        below=" · ".join(part for part in (what, period) if part),
        key=_key(words, best=top is not None),
        foot=[foot],
    )
    axes = page.axes(EDGE + _AXIS_Y, _AXIS_X, width - 2 * EDGE - _AXIS_Y, _BODY)
    clean_axes(axes, grid="both")
    axes.set(xlim=(0, 100), ylim=(0, 103))
    format_axis(axes.xaxis, language, bins=6 if width >= NARROW else 4)
    format_axis(axes.yaxis, language)
    axes.set_xlabel(words["reached_axis"], fontsize=SMALL, color=QUIET, loc="left")
    _draw(axes, order, top, curve)
    if chosen is not None:
        _mark(axes, chosen, words)
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
        signs.append(Sign(words["reached_best"], {"color": _COMPLETE, "linewidth": 1.2, "linestyle": _DASHED}))
    return [*signs, Sign(words["reached_lot"], {"color": HAIRLINE, "linewidth": 1.0})]


def _draw(axes: Axes, order: pd.DataFrame, best: pd.DataFrame | None, curve: pd.DataFrame) -> None:
    start = pd.DataFrame({"reach": [0.0], "completeness": [0.0]})
    axes.plot([0, 100], [0, 100], color=HAIRLINE, linewidth=1.0, zorder=1)
    if {"completeness_low", "completeness_high"} <= set(curve):
        band = _shares(curve, ["reach", "completeness_low", "completeness_high"])
        low, high = 100 * band["completeness_low"], 100 * band["completeness_high"]
        axes.fill_between(100 * band["reach"], low, high, color=_COMPLETE, alpha=0.15, linewidth=0, zorder=1)
    if best is not None:
        line = pd.concat([start, best])
        axes.plot(100 * line["reach"], 100 * line["completeness"], color=_COMPLETE, linewidth=1.2, linestyle=_DASHED)
    line = pd.concat([start, order])
    axes.plot(100 * line["reach"], 100 * line["completeness"], color=_COMPLETE, linewidth=2.2, zorder=3)
    axes.plot(100 * order["reach"], 100 * order["efficiency"], color=_EFFICIENT, linewidth=2.2, zorder=3)


def _mark(axes: Axes, chosen: tuple[float, float, float], words: Texts) -> None:
    """Mark the choice, and say in words what it reaches; the words stand where there is room."""
    reach, complete, efficient = (100 * part for part in chosen)
    axes.axvline(reach, color=INK, linewidth=0.9, zorder=2)
    told = [
        (complete, _COMPLETE, words["reached_said"].format(share=_percent(complete, words))),
        (efficient, _EFFICIENT, words["reached_hit"].format(share=_percent(efficient, words))),
    ]
    inch = 100 / (axes.get_window_extent().width / axes.figure.dpi)
    widest = max(text_width(text, SMALL, bold=True) for _, _, text in told)
    right = reach + (widest + 0.2) * inch <= 100  # noqa: PLR2004  the end of the axis
    gap = 103 * _TEXT / _BODY
    places = spread(np.array([complete, efficient]), gap, gap, 103 - gap)
    look: dict[str, Any] = {"va": "center", "fontsize": SMALL, "fontweight": "bold", "parse_math": False, "zorder": 6}
    for (value, colour, text), place in zip(told, places, strict=True):
        axes.plot([reach], [value], marker="o", markersize=7, color=colour, markeredgecolor="white", zorder=5)
        axes.text(
            reach + (0.12 if right else -0.12) * inch,
            place,
            text,
            color=colour,
            ha="left" if right else "right",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
            **look,
        )
    edge = "left" if right else "right"
    below = words["reached_chosen"].format(share=_percent(reach, words))
    plain = {**look, "fontweight": "normal"}
    axes.text(reach + (0.12 if right else -0.12) * inch, 103 - gap / 2, below, color=INK, ha=edge,
              bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2}, **plain)  # fmt: skip


def _percent(value: float, words: Texts) -> str:
    small = 0 < value < 10  # noqa: PLR2004  one decimal below ten per cent
    return f"{format_number(value, words.language, decimals=int(small))} %"
