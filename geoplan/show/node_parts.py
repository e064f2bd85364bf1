"""What each strategic node has its points from: a bar a node, a piece a theme, and how sure its rank is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
    NARROW,
    SMALL,
    WIDTH,
    Page,
    Sign,
    clean_axes,
    fitted,
    foot_of,
    format_axis,
    make_page,
    must_be_table,
    numbers_of,
    text_width,
    wrapped,
)
from geoplan.show.style import INK, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_node_parts"]

_ROW, _AXIS, _GAP = 0.24, 0.6, 0.12  # inches
_THEMES = ("density", "mix", "transit", "services", "schools", "parks", "development", "barriers")
#: One a theme, in their order; parks green, and the last two lighter, as eight dark ones would be too many.
_COLOURS = ("#225ea8", "#b35806", "#542788", "#01766c", "#b5246e", "#4f6f00", "#d9b23d", "#9a9a93")
_BEYOND = "#c8c8c2"
_SIDE = 0.95  # inches for the intervals


def plot_node_parts(
    contributions: pd.DataFrame,
    ranks: pd.DataFrame,
    *,
    top: int | None = None,
    level: float = 0.90,
    title: str = "",
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    language: str = "en",
    width: float = WIDTH,
) -> Figure:
    """Draw what every theme contributes to the points of every node, with rank intervals beside the bars.

    Parameters
    ----------
    contributions
        Nodes × themes, points; of ``contributions()``. Missing pieces are left out.
    ranks
        By node, in the order to draw: ``name``, ``rank``, and ``rank_low`` and ``rank_high`` where the weights were
        drawn; the ``table`` of ``node_uncertainty``.
    top
        Draw so many; all when left out.
    level
        Share of the draws in an interval, as handed to ``node_uncertainty``.
    title, period, source, method, note
        Texts; the title is made when left out.
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
        For anything but tables, when a column is missing, no node has points, or a number is out of its bounds.
    TableError
        When a cell is no number.

    Examples
    --------
    >>> points = pd.DataFrame({"density": [40.0, 10.0], "parks": [20.0, 30.0]}, index=["n1", "n2"])
    >>> ranks = pd.DataFrame({"name": ["Torget", "Ängen"], "rank": [1, 2], "rank_low": [1, 1], "rank_high": [1, 2]},
    ...                      index=["n1", "n2"])
    >>> figure = plot_node_parts(points, ranks)
    >>> [text.get_text() for text in figure.axes[-1].texts if "–" in text.get_text()]
    ['1–2']
    """
    must_be_table(contributions, "contributions", "the `contributions()` of strategic nodes")
    must_be_table(ranks, "ranks", "the `table` of node_uncertainty(…)")
    if "name" not in ranks or "rank" not in ranks:
        raise SpecError(Fault(what="the ranks lack a column", key="ranks", expected="name and rank"))
    if top is not None and top < 1:
        raise SpecError(Fault(what=f"the first {top} nodes", key="top", expected="at least 1"))
    if not 0 < level < 1:
        raise SpecError(Fault(what=f"{level:g} of the draws in an interval", key="level", expected="between 0 and 1"))
    words = texts(language)
    drawn = ranks[ranks["rank"].notna()].head(len(ranks) if top is None else top)
    pieces = numbers_of(contributions, list(contributions.columns)).reindex(drawn.index)
    if drawn.empty or not pieces.notna().any(axis=None):
        raise SpecError(Fault(what="no node has points", key="contributions", expected="at least one"))
    known = [name for name in _THEMES if name in pieces] + [name for name in pieces if name not in _THEMES]
    colours = {name: _colour(str(name)) for name in known}
    page = make_page(
        width,
        _AXIS + _ROW * len(drawn),
        title=title or words["node_parts_title"],
        below=" · ".join(part for part in (words["nodes_below"].split(",")[0], period) if part),
        key=[
            Sign(_called(str(name), words), patch={"facecolor": colours[name], "edgecolor": "none"}) for name in known
        ],
        foot=[foot_of(words, source=source, people="", method=method, note=note)],
    )
    _draw(page, pieces[known], drawn, colours, words, level)
    return page.figure


def _colour(theme: str) -> str:
    return _COLOURS[_THEMES.index(theme)] if theme in _THEMES else _BEYOND


def _called(theme: str, words: Texts) -> str:
    return words[f"theme_{theme}"] if theme in _THEMES else theme


def _draw(
    page: Page, pieces: pd.DataFrame, ranks: pd.DataFrame, colours: dict[Any, str], words: Texts, level: float
) -> None:
    names = [f"{int(row['rank'])}  {row['name']}" for row in ranks.to_dict("records")]
    share = format_number(100 * level, words.language, decimals=int(round(100 * level, 6) % 1 > 0))
    heading = wrapped(words["node_ranks"].format(share=share), _SIDE, 7.5)
    shown = "rank_low" in ranks and ranks["rank_low"].notna().any()
    room = min(
        max(text_width(name, SMALL) for name in names) + 0.02, (0.32 if page.width >= NARROW else 0.4) * page.width
    )
    side = max(text_width(line, 7.5) for line in heading) + 0.12 if shown else 0.0
    left = EDGE + room + _GAP
    axes = page.axes(left, 0, page.width - left - EDGE - side, page.body - _AXIS)
    clean_axes(axes, grid="x")
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.set_ylim(len(pieces) - 0.5, -0.5)
    place = np.arange(len(pieces))
    upward, downward = np.zeros(len(pieces)), np.zeros(len(pieces))
    for theme in pieces.columns:
        value = pieces[theme].fillna(0.0).to_numpy()
        start = np.where(value >= 0, upward, downward)
        axes.barh(
            place, value, left=start, height=0.7, color=colours[theme], edgecolor="white", linewidth=0.6, zorder=3
        )
        upward, downward = upward + np.maximum(value, 0), downward + np.minimum(value, 0)
    axes.set_xlim(min(0.0, float(downward.min()) * 1.05), float(upward.max()) * 1.09)
    format_axis(axes.xaxis, words.language, bins=6 if page.width >= NARROW else 4)
    look: dict[str, Any] = {"fontsize": SMALL, "parse_math": False, "va": "center_baseline", "color": INK}
    where = axes.get_yaxis_transform()
    for row, name in enumerate(names):
        text = fitted(name, room, SMALL)
        offset: dict[str, Any] = {"xycoords": where, "textcoords": "offset points"}
        axes.annotate(text, (0, row), (-72 * (room + 0.06), 0), **offset, **look)
        total = format_number(upward[row] + downward[row], words.language, decimals=1)
        axes.annotate(total, (upward[row], row), (4, 0), textcoords="offset points", **look)
        if shown:
            axes.annotate(_interval(ranks.iloc[row]), (1, row), (72 * side, 0), ha="right", **offset, **look)
    if shown:
        axes.annotate("\n".join(heading), (1, 1), (72 * side, 5), xycoords="axes fraction", textcoords="offset points",
                      ha="right", va="bottom", fontsize=7.5, color=QUIET, parse_math=False)  # fmt: skip


def _interval(row: pd.Series) -> str:
    if pd.isna(row["rank_low"]) or pd.isna(row["rank_high"]):
        return ""
    low, high = int(row["rank_low"]), int(row["rank_high"])
    return str(low) if low == high else f"{low}–{high}"
