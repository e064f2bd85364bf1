"""The page of a chart: as high as its words need, a key that flows, and names that keep apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy.optimize import isotonic_regression

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.show.printed import Picture
from geoplan.show.style import INK, MISSING_PATTERNS, QUIET
from geoplan.show.texts import Texts, format_number

__all__ = [
    "EDGE",
    "GREY",
    "LABEL",
    "LINE_HEIGHT",
    "LISTED",
    "NARROW",
    "PALE",
    "SMALL",
    "WIDTH",
    "Page",
    "Sign",
    "clean_axes",
    "fitted",
    "foot_of",
    "format_axis",
    "known_names",
    "make_page",
    "missing_labels",
    "must_be_table",
    "named_missing",
    "number_of_areas",
    "numbers_of",
    "spread",
    "text_width",
    "wrapped",
]

GREY, PALE = "#6f6f6a", "#d4d4cf"
#: Inches: the usual width, below which a page counts as narrow, and the margin.
WIDTH, NARROW, EDGE = 9.2, 5.5, 0.2
#: Points.
LABEL, SMALL = 9.5, 8.5
#: Of a line of text, as a multiple of its size.
LINE_HEIGHT = 1.32
_LEAST, _MOST = 3.4, 20.0
_SIGN, _SIGN_GAP = 0.26, 0.22  # inches: a sign of the key, and the room between two entries
#: Names of areas that are not drawn; more of them are counted.
LISTED = 12


@dataclass(frozen=True)
class Sign:
    """An entry of the key: its words, and how its line, its point or its patch looks."""

    text: str
    line: Mapping[str, Any] = field(default_factory=dict)
    point: Mapping[str, Any] = field(default_factory=dict)
    patch: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A figure with a body between head and foot; lengths in inches."""

    figure: Figure
    width: float
    height: float
    foot: float
    body: float

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Return axes that lie in the body, measured from its lower left corner."""
        return self.figure.add_axes(
            (left / self.width, (self.foot + bottom) / self.height, width / self.width, height / self.height)
        )


# ---------------------------------------------------------------- words


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a line of text in inches."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return a text that is no wider than the room, cut where it must be."""
    if text_width(text, size, bold=bold) <= room:
        return text
    while text and text_width(f"{text}…", size, bold=bold) > room:
        text = text[:-1].rstrip()
    return f"{text}…"


def wrapped(text: str, room: float, size: float, *, bold: bool = False, most: int | None = None) -> list[str]:
    """Return lines no wider than the room; a word that is wider is divided, and beyond ``most`` lines it is cut."""
    lines: list[str] = []
    for word in filter(None, re.split(r"[ \t\r\n]+", text)):  # not at spaces that are there to bind
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=bold) <= room:
            lines[-1] = longer
            continue
        rest = word
        while text_width(rest, size, bold=bold) > room and len(rest) > 1:
            head = fitted(rest, room, size, bold=bold).removesuffix("…")[:-1] or rest[0]
            lines.append(f"{head}-")
            rest = rest[len(head) :]
        lines.append(rest)
    if most is not None and len(lines) > most:
        lines[most - 1 :] = [fitted(" ".join(lines[most - 1 :]), room, size, bold=bold)]
    return lines


# ---------------------------------------------------------------- the page


def make_page(
    width: float, body: float, *, title: str, below: str, key: Sequence[Sign] = (), foot: Sequence[str] = ()
) -> Page:
    """Return a page with its head, key and foot written; each is as high as its words need at this width.

    ``foot`` holds one paragraph an item.
    """
    if not _LEAST <= width <= _MOST:
        what, expected = f"a chart {width:g} inches wide", f"{_LEAST:g} to {_MOST:g} inches"
        raise SpecError(Fault(what=what, key="width", expected=expected))
    room, size = width - 2 * EDGE, 15.0 if width >= NARROW else 12.5
    title_lines = wrapped(title, room, size, bold=True)
    below_lines = wrapped(below, room, 10.5)
    rows = _key_rows(key, room)
    foot_lines = [line for part in foot if part for line in wrapped(part, room, SMALL)]
    heights = [len(title_lines) * _inches(size), len(below_lines) * _inches(10.5), len(rows) * _inches(SMALL) * 1.25]
    gaps = [0.06 * bool(below_lines), 0.1 * bool(rows)]
    head = EDGE + sum(heights) + sum(gaps) + 0.12
    under = EDGE + len(foot_lines) * _inches(SMALL) + 0.12 * bool(foot_lines)
    page = Page(
        Picture(figsize=(width, head + body + under), facecolor="white"), width, head + body + under, under, body
    )
    top = page.height - EDGE
    _write(page, top, title_lines, size, INK, fontweight="bold")
    _write(page, top - heights[0] - gaps[0], below_lines, 10.5, QUIET)
    _draw_key(page, rows, top - sum(heights[:2]) - sum(gaps))
    _write(page, EDGE + len(foot_lines) * _inches(SMALL), foot_lines, SMALL, QUIET)
    return page


def _inches(size: float) -> float:
    return LINE_HEIGHT * size / 72


def _write(page: Page, top: float, lines: Sequence[str], size: float, colour: str, **look: Any) -> None:
    if lines:
        page.figure.text(
            EDGE / page.width,
            top / page.height,
            "\n".join(lines),
            fontsize=size,
            color=colour,
            va="top",
            linespacing=1.3,
            parse_math=False,
            **look,
        )


def _key_rows(key: Sequence[Sign], room: float) -> list[list[tuple[float, Sign | None, str]]]:
    """Return rows of place, sign and words; an entry that is wider than the page goes on without a sign."""
    rows: list[list[tuple[float, Sign | None, str]]] = []
    at = room
    for entry in key:
        lead = _SIGN + 0.07 if entry.line or entry.point or entry.patch else 0.0
        lines = wrapped(entry.text, room - lead, SMALL)
        needed = lead + max((text_width(line, SMALL) for line in lines), default=0.0)
        if at + needed > room or not rows:
            rows.append([])
            at = 0.0
        rows[-1].append((at, entry, lines[0] if lines else ""))
        rows += [[(0.0, None, line)] for line in lines[1:]]
        at = room if len(lines) > 1 else at + needed + _SIGN_GAP
    return rows


def _draw_key(page: Page, rows: Sequence[Sequence[tuple[float, Sign | None, str]]], top: float) -> None:
    if not rows:
        return
    high = len(rows) * _inches(SMALL) * 1.25
    axes = page.axes(EDGE, top - high - page.foot, page.width - 2 * EDGE, high)
    axes.set_axis_off()
    axes.set(xlim=(0, page.width - 2 * EDGE), ylim=(len(rows), 0))
    for number, row in enumerate(rows):
        for at, sign, text in row:
            if sign and sign.line:
                axes.plot([at, at + _SIGN], [number + 0.5] * 2, **{"solid_capstyle": "butt", **sign.line})
            if sign and sign.point:
                axes.plot([at + _SIGN / 2], [number + 0.5], linestyle="none", **sign.point)
            if sign and sign.patch:
                axes.add_patch(Rectangle((at, number + 0.16), _SIGN, 0.68, **sign.patch))
            look: dict[str, Any] = {"fontsize": SMALL, "color": QUIET, "parse_math": False}
            bare = sign and not (sign.line or sign.point or sign.patch)
            axes.text(at + (0 if bare else _SIGN + 0.07), number + 0.5, text, va="center_baseline", **look)


# ---------------------------------------------------------------- axes


def clean_axes(axes: Axes, *, grid: Literal["", "x", "y", "both"] = "") -> None:
    """Take away all but hairlines: no frame, pale lines across, quiet numbers."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=QUIET)
    if grid:
        axes.grid(axis=grid, color="#e4e4e0", linewidth=0.8)
    axes.set_axisbelow(True)


def format_axis(axis: Axis, language: str, *, bins: int = 6) -> None:
    """Put numbers at round places of an axis and write them as the language does."""
    axis.set_major_locator(MaxNLocator(nbins=bins, steps=[1, 2, 2.5, 5, 10]))
    steps = np.diff(axis.get_ticklocs())
    decimals = int(np.clip(-np.floor(np.log10(steps[0]) + 1e-9), 0, 4)) if len(steps) else 0
    decimals += int(len(steps) > 0 and not np.isclose(steps[0] * 10**decimals, round(steps[0] * 10**decimals)))
    axis.set_major_formatter(FuncFormatter(lambda number, _: format_number(number, language, decimals=decimals)))


def spread(wanted: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Return the places nearest to the wanted ones, in the same order, that lie a gap apart and inside the limits.

    Where there is no room for all, those at the end stand beyond ``low``.
    """
    if not len(wanted):
        return wanted
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    places = np.empty(len(wanted))
    # Least squares under both demands: the isotonic fit of what remains after the steps, cut at the limits.
    places[order] = np.clip(isotonic_regression(wanted[order] - steps).x, low, high - steps[-1]) + steps
    return places


# ---------------------------------------------------------------- what is handed in


def numbers_of(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return the columns as floats, NaN where missing.

    Raises
    ------
    SpecError
        When the frame is empty or lacks a column.
    IdError
        When an area stands in two rows.
    TableError
        When a cell is no finite number.
    """
    columns = list(columns)
    if frame.empty:
        raise SpecError(Fault(what="there is nothing to draw: the table has no rows", expected="at least one area"))
    absent = checks.absent_columns([name for name in columns if name not in frame], [str(name) for name in frame])
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    twice = frame.index[frame.index.duplicated()].unique()
    if len(twice):
        raise checks.duplicate_ids([str(code) for code in twice], "area_id")
    found = frame[columns].apply(pd.to_numeric, errors="coerce").astype(object)
    found = found.where(found.notna(), np.nan).astype(float)
    wrong = (found.isna() & frame[columns].notna()) | np.isinf(found)
    for column in wrong.columns[wrong.any()]:
        area = wrong.index[wrong[column]][0]
        what = f"'{frame.loc[area, column]}' is not a number"
        raise TableError(Fault(what=what, column=str(column), area=str(area), expected="numbers, or nothing"))
    return found


def must_be_table(given: object, key: str, hint: str) -> None:
    """Refuse what is no table, such as a whole result in place of one of its tables.

    Raises
    ------
    SpecError
        When it is anything but a frame.
    """
    if not isinstance(given, pd.DataFrame):
        what = f"{type(given).__name__} is not a table"
        raise SpecError(Fault(what=what, key=key, expected="a DataFrame", hint=hint))


def known_names(
    index: pd.Index, names: Mapping[str, str] | pd.Series | None, highlight: Iterable[str]
) -> tuple[pd.Series, list[str]]:
    """Return the name of each area (its code where it has none) and the highlighted codes.

    Raises
    ------
    SpecError
        When a highlighted code is not in the index.
    """
    chosen = list(dict.fromkeys([highlight] if isinstance(highlight, str) else highlight))
    absent = [code for code in chosen if code not in index]
    if absent:
        raise checks.unknown_name("area of the table", str(absent[0]), map(str, index), key="highlight")
    called = dict(names) if names is not None else {}
    told = [str(called[code]) if code in called and pd.notna(called[code]) else str(code) for code in index]
    return pd.Series([" ".join(name.split()) for name in told], index=index, dtype=object), chosen


def named_missing(words: Texts, key: str, labels: pd.Series, called: pd.Series) -> str:
    """Say which areas are not drawn and why; ``labels`` holds the reason of each. Many are counted, few are named."""
    if labels.empty:
        return ""
    groups = {str(label): list(rows.index) for label, rows in labels.groupby(labels, sort=True)}
    told = "; ".join(
        f"{label}: {', '.join(called[codes]) if len(labels) <= LISTED else len(codes)}"
        for label, codes in sorted(groups.items(), key=lambda item: -len(item[1]))
    )
    return f"{words[key]} ({len(labels)}): {told}"


def missing_labels(words: Texts, frame: pd.DataFrame) -> pd.Series:
    """Return why each row has no figure, in words: from its columns ``status`` and ``reason``, where it has them."""
    status = frame.get("status", pd.Series("not_collected", index=frame.index))
    # A row without a figure whose status does not say so: the one word that claims nothing.
    status = status.where(status.isin(list(MISSING_PATTERNS)), "not_collected")
    reason = frame.get("reason", pd.Series("", index=frame.index)).astype(object).fillna("").astype(str)
    found = [
        words.uncompared.get(why) or words.missing(str(what), why if why in words.why else "")
        for what, why in zip(status, reason, strict=True)
    ]
    return pd.Series(found, index=frame.index, dtype=object)


def foot_of(words: Texts, *, source: str, people: str, method: str, note: str) -> str:
    """Return source, N, method and note in one paragraph."""
    told = [
        f"{words['source']}: {source}" if source else "",
        people,
        f"{words['method']}: {method}" if method else "",
        note,
    ]
    return "  ·  ".join(part for part in told if part)


def number_of_areas(words: Texts, known: int, total: int) -> str:
    """Return the N of a chart of areas: how many are drawn, and of how many."""
    counts = [format_number(number, words.language) for number in (known, total)]
    return (
        words["n_areas"].format(known=counts[0])
        if known == total
        else words["n_areas_of"].format(known=counts[0], total=counts[1])
    )
