"""How sure is a rank? Each area's interval as a bar, its rank as a point, and the line that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from geoplan.errors import Fault, SpecError, TableError
from geoplan.show.page import (
    EDGE,
    GREY,
    LINE_HEIGHT,
    NARROW,
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
    wrapped,
)
from geoplan.show.style import INK, LINES, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_ranks"]

_NAMED = 50  # areas; with more of them a page has no line for each name
_ROW, _STRIP, _AXIS = 0.2, 7.2, 0.5  # inches: a row, the whole strip, and the numbers above
_CHANCE = 0.85
_BARE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # no line runs through the words
#: Where an interval lies → colour of bar and point, and the point's face: full, hollow or a cross.
_LOOKS = {
    "inside": (LINES[0], LINES[0], "o"),
    "undecided": (LINES[1], "white", "o"),
    "outside": (GREY, GREY, "o"),
    "no interval": (QUIET, QUIET, "x"),
}


@dataclass(frozen=True)
class _Ranks:
    """The rows to draw in order, ``at, low, high, middle, chance, side, rank, name``, and those without a rank."""

    rows: pd.DataFrame
    missing: pd.DataFrame
    measure: str
    top: int | None
    line: float | None

    @property
    def limit(self) -> float | None:
        """Where the line is drawn: half a place after the last rank inside, or at the score."""
        return self.line if self.top is None else self.top + 0.5

    @property
    def in_rows(self) -> bool:
        return len(self.rows) + len(self.missing) <= _NAMED


def plot_ranks(
    table: pd.DataFrame,
    *,
    names: Mapping[str, str] | pd.Series | None = None,
    highlight: Sequence[str] = (),
    top: int | None = None,
    line: float | None = None,
    level: float = 0.9,
    draws: int | None = None,
    title: str = "",
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    language: str = "sv",
    width: float = WIDTH,
) -> Figure:
    """Draw each area's rank and the interval it lies in (a caterpillar plot).

    Up to 50 areas have a row with their name each; more of them make a strip in which the highlighted ones are named.
    An area whose interval crosses the line is not decided: its point is hollow.

    Parameters
    ----------
    table
        Index ``area_id``; columns ``rank`` (1 = highest), ``rank_low`` and ``rank_high``, and where they are known
        ``rank_median``, ``p_top`` (0-1), ``status`` and ``reason`` (why an area has no rank). With ``line``: ``score``,
        ``score_low``, ``score_high``, ``score_median`` and ``p_above`` in their place.
    names
        Code → name, such as ``areas["name"]``; codes when left out.
    highlight
        Codes of areas to point out.
    top
        Where to draw the line: after this many ranks.
    line
        A score where to draw the line; scores are drawn in place of ranks.
    level, draws
        Share of the draws that an interval holds, and how many draws there were.
    title, period, source, method, note
        Texts; the method is that of the intervals when left out.
    language
        ``sv``, ``da`` or ``en``.
    width
        Inches, 3.4 to 20; the height follows.

    Returns
    -------
    matplotlib.figure.Figure
        With year, N, source and method; areas without a rank are listed with the reason.

    Raises
    ------
    SpecError
        For anything but a table; when columns are missing, no area has a rank, the line cannot be, or a highlighted
        area is unknown.
    IdError
        When an area stands in two rows.
    TableError
        When a cell is no number, or an interval ends before it begins.

    Examples
    --------
    >>> table = pd.DataFrame({"rank": [1, 2, 3], "rank_low": [1, 1, 3], "rank_high": [1, 3, 3]}, index=list("abc"))
    >>> figure = plot_ranks(table, top=2, period="2012", language="en")
    >>> [text.get_text() for text in figure.axes[0].texts if "not decided" in text.get_text()]
    ['not decided, the interval crosses the line (1)']
    """
    must_be_table(table, "table", "the `table` of rank_uncertainty(…)")
    words = texts(language)
    _check(top, line, level)
    ranks, chosen = _sorted(table, names, highlight, top, line)
    labels = missing_labels(words, ranks.missing)
    share = format_number(100 * level, language, decimals=int(round(100 * level, 6) % 1 > 0))
    told = [words["interval_method"].format(share=share)]
    told += [words["of_draws"].format(draws=format_number(draws, language))] if draws else []
    people = number_of_areas(words, len(ranks.rows), len(table))
    foot = foot_of(words, source=source, people=people, method=method or ", ".join(told), note=note)
    body = _AXIS + (_ROW * len(table) if ranks.in_rows else _STRIP)
    page = make_page(
        width,
        body,
        title=title,
        below=" · ".join(part for part in (words["rank_axis" if line is None else "score"], period) if part),
        key=_key(ranks, words, share),
        foot=["" if ranks.in_rows else named_missing(words, "without_rank", labels, ranks.missing["name"]), foot],
    )
    if ranks.in_rows:
        _draw_rows(page, ranks, labels, chosen, words)
    else:
        _draw_strip(page, ranks, chosen, words)
    return page.figure


def _check(top: int | None, line: float | None, level: float) -> None:
    if top is not None and line is not None:
        what = "a line after ranks and a line at a score are both asked for"
        raise SpecError(Fault(what=what, key="top", expected="`top` or `line`, one of them"))
    if top is not None and top < 1:
        raise SpecError(Fault(what=f"a line after {top} ranks", key="top", expected="at least 1"))
    if line is not None and not np.isfinite(line):
        raise SpecError(Fault(what=f"a line at {line:g}", key="line", expected="a score"))
    if not 0 < level < 1:
        raise SpecError(Fault(what=f"{level:g} of the draws in an interval", key="level", expected="between 0 and 1"))


def _sorted(
    table: pd.DataFrame,
    names: Mapping[str, str] | pd.Series | None,
    highlight: Sequence[str],
    top: int | None,
    line: float | None,
) -> tuple[_Ranks, list[str]]:
    measure = "rank" if line is None else "score"
    chance = "p_top" if line is None else "p_above"
    columns = {measure: "at", f"{measure}_low": "low", f"{measure}_high": "high"}
    further = {f"{measure}_median": "middle", chance: "chance"} | ({} if line is None else {"rank": "rank"})
    columns |= {name: short for name, short in further.items() if name in table}
    rows = numbers_of(table, columns).rename(columns=columns)
    called, chosen = known_names(table.index, names, highlight)
    rows = rows.reindex(columns=["at", "low", "high", "middle", "chance", "rank"]).assign(name=called)
    rows["rank"] = rows["at"] if line is None else rows["rank"]
    crossed = rows.index[rows["low"] > rows["high"]]
    if len(crossed):
        what = f"the interval ends at {rows['high'][crossed[0]]:g}, before it begins at {rows['low'][crossed[0]]:g}"
        raise TableError(Fault(what=what, column=f"{measure}_high", area=str(crossed[0])))
    known = rows["at"].notna()
    if not known.any():
        raise SpecError(Fault(what=f"none of these areas has a {measure}", expected="at least one"))
    rows["side"] = _sides(rows, top, line)
    missing = rows[~known].join(table[[name for name in ("status", "reason") if name in table]])
    drawn = rows[known].sort_values("at", ascending=line is None, kind="stable")
    return _Ranks(drawn, missing, measure, top, line), chosen


def _sides(rows: pd.DataFrame, top: int | None, line: float | None) -> np.ndarray:
    """Return where each interval lies; without a line all lie outside of nothing."""
    if top is not None:
        inside, outside = rows["high"] <= top, rows["low"] > top
    elif line is not None:
        inside, outside = rows["low"] > line, rows["high"] <= line
    else:
        inside = outside = rows["low"].notna()
    unknown = rows["low"].isna() | rows["high"].isna()
    return np.select([unknown, inside, outside], ["no interval", "inside", "outside"], "undecided")


# ---------------------------------------------------------------- drawing


def _key(ranks: _Ranks, words: Texts, share: str) -> list[Sign]:
    counts = {side: format_number(count, words.language) for side, count in ranks.rows["side"].value_counts().items()}
    line = ranks.line if ranks.line is None else f"{ranks.line:g}"
    bar = words["interval_bar"].format(share=share)
    entries = []
    if ranks.limit is None:
        look = _point("inside", 5.5)
        point = words[f"{ranks.measure}_point"]
        entries.append(Sign(f"{point}, {bar}", {"color": LINES[0], "linewidth": 2.2, "alpha": 0.55}, look))
    else:
        said = ("inside_top", "outside_top") if ranks.top else ("above_line", "below_line")
        for side, word in zip(("inside", "undecided", "outside"), (said[0], "undecided", said[1]), strict=True):
            text = words[word].format(top=ranks.top, count=counts.get(side, "0"))
            entries.append(Sign(text, {"color": _LOOKS[side][0], "linewidth": 2.2, "alpha": 0.55}, _point(side, 5.5)))
        text = words["top_line" if ranks.top else "score_line"].format(top=ranks.top, line=line)
        entries.append(Sign(text, {"color": INK, "linewidth": 1.2, "linestyle": (0, (4, 2))}))
    if "no interval" in counts:
        text = words["no_interval"].format(count=counts["no interval"])
        entries.append(Sign(text, point=_point("no interval", 5.5)))
    if ranks.rows["middle"].notna().any() and ranks.in_rows:
        entries.append(Sign(words["interval_median"], point={"marker": "|", "markersize": 9, "color": INK}))
    return entries


def _point(side: str, size: float) -> dict[str, Any]:
    colour, face, marker = _LOOKS[side]
    edge = min(1.4, size / 3.5)
    return {
        "marker": marker,
        "markersize": size,
        "markeredgecolor": colour,
        "markerfacecolor": face,
        "markeredgewidth": edge,
    }


def _draw(axes: Axes, ranks: _Ranks, chosen: Sequence[str], thick: float, size: float) -> None:
    """Draw bars and points, the first area on top; highlighted ones darker and above the others."""
    rows = ranks.rows.assign(y=np.arange(len(ranks.rows)), marked=ranks.rows.index.isin(chosen))
    for (side, marked), part in rows.groupby(["side", "marked"], sort=True):
        look: dict[str, Any] = {"colors": _LOOKS[str(side)][0], "alpha": 1 if marked else 0.55}
        order = 4 if marked else 2
        axes.hlines(
            part["y"], part["low"], part["high"], linewidth=thick * (1.5 if marked else 1), zorder=order, **look
        )
        point = _point(str(side), size * (1.2 if marked else 1))
        axes.plot(part["at"], part["y"], linestyle="none", zorder=order + 1, **point)
    if ranks.in_rows:
        middle: dict[str, Any] = {"marker": "|", "markersize": 9, "color": INK, "markeredgewidth": 1.1, "zorder": 6}
        axes.plot(rows["middle"], rows["y"], linestyle="none", **middle)
    if ranks.limit is not None:
        # As far down as there are ranks; what is said of areas without one stays readable.
        axes.vlines(ranks.limit, -0.6, len(rows) - 0.4, colors=INK, linewidth=1.2, linestyles=(0, (4, 2)), zorder=3)


def _frame(axes: Axes, ranks: _Ranks, count: int, language: str) -> None:
    clean_axes(axes, grid="x")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set_ylim(count - 0.4, -0.6)
    bins = int(np.clip(axes.get_window_extent().width / axes.figure.dpi / 0.6, 3, 9))
    ends = ranks.rows[["at", "low", "high"]].to_numpy()
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    low, high = (min(low, ranks.limit), max(high, ranks.limit)) if ranks.limit is not None else (low, high)
    if ranks.measure == "score":
        room = 0.03 * (high - low) or 1.0
        axes.set_xlim(low - room, high + room)
        format_axis(axes.xaxis, language, bins=bins)
        return
    axes.set_xlim(1 - max(0.6, 0.015 * high), high + max(0.6, 0.015 * high))
    found = MaxNLocator(bins, integer=True, steps=[1, 2, 5, 10]).tick_values(1, max(high, 2.0))
    places = [place for place in found if place >= 1 and place == round(place)]  # of one rank there are no parts
    step = places[1] - places[0] if len(places) > 1 else 1
    places = [1.0, *(place for place in places if 1 + 0.4 * step < place <= high)]
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: format_number(place, language)))


def _draw_rows(page: Page, ranks: _Ranks, labels: pd.Series, chosen: Sequence[str], words: Texts) -> None:
    rows, count = ranks.rows, len(ranks.rows) + len(ranks.missing)
    numbers = [format_number(rank, words.language) if rank == rank else "" for rank in rows["rank"]]  # noqa: PLR0124  NaN
    lead = max((text_width(number, SMALL, bold=True) for number in numbers), default=0.0) + 0.08
    room = min(
        max(text_width(name, SMALL, bold=True) for name in (*rows["name"], *ranks.missing["name"])) + 0.02,
        (0.36 if page.width >= NARROW else 0.4) * page.width - lead,
    )
    left = EDGE + lead + room + 0.12
    has_chance = ranks.limit is not None and rows["chance"].notna().any()
    axes = page.axes(left, 0, page.width - left - EDGE - _CHANCE * bool(has_chance), page.body - _AXIS)
    _frame(axes, ranks, count, words.language)
    _draw(axes, ranks, chosen, 3.2, 5)
    look: dict[str, Any] = {
        "fontsize": SMALL,
        "parse_math": False,
        "textcoords": "offset points",
        "va": "center_baseline",
    }
    where = axes.get_yaxis_transform()
    for place, (number, (code, row)) in enumerate(zip(numbers, rows.iterrows(), strict=True)):
        weight: dict[str, Any] = {"fontweight": "bold" if code in chosen else "normal", "color": INK}
        axes.annotate(number, (0, place), (-72 * (room + 0.2), 0), xycoords=where, ha="right", **look, **weight)
        name = fitted(row["name"], room, SMALL, bold=code in chosen)
        axes.annotate(name, (0, place), (-72 * (room + 0.12), 0), xycoords=where, **look, **weight)
        if has_chance:
            axes.annotate(
                _times(row["chance"]), (1, place), (72 * _CHANCE, 0), xycoords=where, ha="right", **look, color=INK
            )
    for place, (code, row) in enumerate(ranks.missing.iterrows(), start=len(rows)):
        name = fitted(row["name"], room, SMALL)
        axes.annotate(name, (0, place), (-72 * (room + 0.12), 0), xycoords=where, **look, color=QUIET)
        space = page.width - left - EDGE
        why = fitted(f"{words['without_rank']} – {labels[code]}", space, SMALL)
        axes.annotate(why, (0, place), (4, 0), xycoords=where, **look, color=QUIET, fontstyle="italic", bbox=_BARE)
    if has_chance:
        said = words["chance_top" if ranks.line is None else "chance_line"].format(top=ranks.top or "")
        _heading(axes, "\n".join(wrapped(said, _CHANCE, 7.5)))


def _heading(axes: Axes, text: str) -> None:
    axes.annotate(
        text,
        (1, 1),
        (72 * _CHANCE, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7.5,
        color=QUIET,
        parse_math=False,
    )


def _times(chance: float) -> str:
    """Return how many times in 100; never 0 or 100 for what happened, or did not, in some draw."""
    if pd.isna(chance):
        return "–"
    if 0 < chance < 0.005:  # noqa: PLR2004  it would read 0
        return "< 1"
    return "> 99" if 0.995 <= chance < 1 else f"{100 * chance:.0f}"  # noqa: PLR2004  it would read 100


def _draw_strip(page: Page, ranks: _Ranks, chosen: Sequence[str], words: Texts) -> None:
    """Draw all areas without their names, and beside them the names of the highlighted ones with a stroke each."""
    rows = ranks.rows
    found = [code for code in rows.index if code in chosen]
    room = (0.36 if page.width >= NARROW else 0.44) * page.width
    lines = [
        [fitted(rows["name"][code], room, SMALL), *wrapped(_told(rows.loc[code], ranks, words), room, SMALL)]
        for code in found
    ]
    margin = max((text_width(line, SMALL) for part in lines for line in part), default=0.0) + 0.3 * bool(found)
    axes = page.axes(EDGE, 0, page.width - 2 * EDGE - margin, page.body - _AXIS)
    _frame(axes, ranks, len(rows), words.language)
    pitch = 72 * (page.body - _AXIS) / len(rows)
    _draw(axes, ranks, chosen, float(np.clip(0.7 * pitch, 0.6, 3.2)), float(np.clip(1.1 * pitch, 1.6, 5)))
    _name_chosen(axes, rows, found, lines)


def _told(row: pd.Series, ranks: _Ranks, words: Texts) -> str:
    decimals = 0 if ranks.measure == "rank" else 1
    at, low, high = (format_number(row[name], words.language, decimals=decimals) for name in ("at", "low", "high"))
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return words["rank_of"].format(rank=at) if ranks.measure == "rank" else at
    return words[f"{ranks.measure}_between"].format(rank=at, low=low, high=high)


def _name_chosen(axes: Axes, rows: pd.DataFrame, found: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    box = axes.get_window_extent()
    pixels = axes.figure.dpi / 72
    gap = (max(map(len, lines), default=0) * LINE_HEIGHT + 0.5) * SMALL * pixels
    ends = [rows.loc[code, ["at", "low", "high"]].max() for code in found]
    points = (
        axes.transData.transform([(end, rows.index.get_loc(code)) for end, code in zip(ends, found, strict=True)])
        if found
        else np.empty((0, 2))
    )
    heights = spread(points[:, 1], gap, box.y0 + gap / 2, box.y1 - gap / 2)
    for (x, y), height, end, code, text in zip(points, heights, ends, found, lines, strict=True):
        axes.annotate(
            "\n".join(text),
            (end, rows.index.get_loc(code)),
            ((box.x1 - x) / pixels + 18, (height - y) / pixels),
            textcoords="offset points",
            arrowprops={
                "arrowstyle": "-",
                "color": QUIET,
                "linewidth": 0.7,
                "shrinkA": 2,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
            va="center",
            fontsize=SMALL,
            color=INK,
            parse_math=False,
            annotation_clip=False,
            zorder=8,
        )
