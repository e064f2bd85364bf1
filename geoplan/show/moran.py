"""Each area against its neighbours: a scatter whose slope is Moran's I."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
    LISTED,
    NARROW,
    SMALL,
    WIDTH,
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
    text_width,
)
from geoplan.show.style import HAIRLINE, INK, LINES, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_moran"]

#: Class of a local pattern → colour and marker; also the order in the key. All others are hollow and grey.
_LOOKS = {
    "high among high": (LINES[1], "o"),
    "hot": (LINES[1], "o"),
    "high among low": (LINES[4], "v"),
    "low among high": (LINES[2], "^"),
    "low among low": (LINES[0], "s"),
    "cold": (LINES[0], "s"),
    "not distinguishable": (HAIRLINE, "o"),
}
_NONE = "no class"
_AXIS_X, _AXIS_Y, _SQUARE = 0.5, 0.75, 6.2  # inches: room for numbers and labels, and the largest side
_LONGEST = 1.9  # inches of a name


@dataclass(frozen=True)
class _Scatter:
    """The points with ``x, y, class, name``, where their middle is, and whether they are standardised."""

    points: pd.DataFrame
    absent: pd.DataFrame
    centre: float
    standardised: bool
    chosen: list[Any]


def plot_moran(
    local: pd.DataFrame,
    *,
    statistic: float | None = None,
    p: float | None = None,
    centre: float | None = None,
    names: Mapping[str, str] | pd.Series | None = None,
    highlight: Sequence[str] = (),
    measure: str = "",
    title: str = "",
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    language: str = "sv",
    width: float = WIDTH,
) -> Figure:
    """Draw each area's value against that of its neighbours (a Moran scatter plot).

    Areas of a class are coloured, shaped and named; the others are hollow and grey. Names for which there is no room
    are counted at the foot, as are areas without a value or without neighbours.

    Parameters
    ----------
    local
        Index ``area_id``; columns ``value`` (or ``standardised``, in standard deviations from the mean),
        ``surroundings`` (the neighbours' mean, in the same unit), and where they are known ``class``, ``status`` and
        ``reason``, such as :func:`~geoplan.risk.local_pattern` returns.
    statistic, p
        Moran's I of all areas, which is the slope of the line, and its p value; no line when left out.
    centre
        Where the quadrants meet and the line goes through: the mean of all areas. 0 for ``standardised``, and the mean
        of the areas drawn when left out.
    names
        Code → name, such as ``areas["name"]``; codes when left out.
    highlight
        Codes of areas to name whatever their class.
    measure
        What the values are, such as "Risk index".
    title, period, source, method, note
        Texts.
    language
        ``sv``, ``da`` or ``en``.
    width
        Inches, 3.4 to 20; the height follows.

    Returns
    -------
    matplotlib.figure.Figure
        With year, N, source and method.

    Raises
    ------
    SpecError
        For anything but a table; when columns are missing, no area has both values, a class is unknown, or a
        highlighted area.
    IdError
        When an area stands in two rows.
    TableError
        When a cell is no number.

    Examples
    --------
    >>> local = pd.DataFrame({"value": [80.0, 100.0, 130.0], "surroundings": [90.0, 105.0, 120.0],
    ...                       "class": ["low among low", "not distinguishable", "high among high"]}, index=list("abc"))
    >>> figure = plot_moran(local, statistic=0.6, names={"a": "Norr", "c": "Syd"}, language="en")
    >>> sorted(text.get_text() for text in figure.axes[1].texts)
    ['Norr', 'Syd']
    """
    must_be_table(local, "local", "what local_pattern(…) returns")
    words = texts(language)
    scatter = _prepared(local, centre, names, highlight)
    drawn = len(scatter.points)
    people = number_of_areas(words, drawn, len(local))
    labels = missing_labels(words, scatter.absent)
    absent = named_missing(words, "without_class", labels, scatter.absent["name"])
    foot = foot_of(words, source=source, people=people, method=method or words["moran_method"], note=note)
    axis = measure if not scatter.standardised or not measure else words["moran_standardised"].format(what=measure)
    look: dict[str, Any] = {
        "title": title,
        "below": " · ".join(part for part in (axis, period) if part),
        "key": _key(scatter, statistic, p, words),
    }
    side = min(width - 2 * EDGE - _AXIS_Y, _SQUARE)

    def drawing(*more: str) -> tuple[Figure, list[str]]:
        page = make_page(width, side + _AXIS_X, foot=[*more, absent, foot], **look)
        axes = page.axes(EDGE + _AXIS_Y, _AXIS_X, width - 2 * EDGE - _AXIS_Y, side)
        _frame(axes, scatter, words)
        _draw(axes, scatter, statistic, small=width < NARROW)
        return page.figure, _name(axes, scatter)

    figure, unnamed = drawing()
    # What found no room is known only once all is placed; the page is then made again, with a line more at its foot.
    told = ", ".join(unnamed) if len(unnamed) <= LISTED else format_number(len(unnamed), language)
    return drawing(f"{words['unnamed']}: {told}")[0] if unnamed else figure


def _prepared(
    local: pd.DataFrame,
    centre: float | None,
    names: Mapping[str, str] | pd.Series | None,
    highlight: Sequence[str],
) -> _Scatter:
    standardised = "value" not in local and "standardised" in local
    values = numbers_of(local, ["standardised" if standardised else "value", "surroundings"])
    called, chosen = known_names(local.index, names, highlight)
    kinds = (
        local.get("class", pd.Series("not distinguishable", index=local.index)).astype(object).fillna(_NONE).astype(str)
    )
    unknown = [kind for kind in kinds.unique() if kind not in (*_LOOKS, _NONE)]
    if unknown:
        raise checks.unknown_name("class of a local pattern", unknown[0], [*_LOOKS, _NONE], key="class")
    rows = values.set_axis(["x", "y"], axis=1).assign(kind=kinds, name=called)
    drawn = rows[["x", "y"]].notna().all(axis=1) & (rows["kind"] != _NONE)
    if not drawn.any():
        what, hint = "no area has a value, neighbours with one and a class", "the column `reason` says why"
        raise SpecError(Fault(what=what, expected="at least one", hint=hint if "reason" in local else None))
    absent = rows[~drawn].join(local[[name for name in ("status", "reason") if name in local]])
    if centre is None:
        centre = 0.0 if standardised else float(rows.loc[drawn, "x"].mean())
    return _Scatter(rows[drawn], absent, centre, standardised, chosen)


def _key(scatter: _Scatter, statistic: float | None, p: float | None, words: Texts) -> list[Sign]:
    counts = scatter.points["kind"].value_counts()
    entries = [
        Sign(f"{words.patterns[kind]} ({format_number(counts[kind], words.language)})", point=_point(kind))
        for kind in _LOOKS
        if counts.get(kind, 0)
    ]
    if statistic is not None:
        text = words["moran_slope"].format(value=format_number(statistic, words.language, decimals=2))
        if p is not None:
            number = format_number(p, words.language, decimals=3 if p >= 0.001 else 4)  # noqa: PLR2004  never 0
            text += f", {words['moran_p'].format(value=number)}"
        entries.append(Sign(text, {"color": INK, "linewidth": 1.4}))
    entries.append(Sign(words["moran_centre"], {"color": HAIRLINE, "linewidth": 1, "linestyle": (0, (4, 2))}))
    return entries


def _point(kind: str, *, small: bool = False) -> dict[str, Any]:
    colour, marker = _LOOKS[kind]
    plain = kind == "not distinguishable"
    face = "white" if plain else colour
    return {
        "marker": marker,
        "markersize": (4 if plain else 6) * (0.75 if small else 1),
        "markeredgecolor": colour,
        "markerfacecolor": face,
        "markeredgewidth": 0.9,
    }


def _frame(axes: Axes, scatter: _Scatter, words: Texts) -> None:
    clean_axes(axes)
    points = scatter.points
    for axis, column, key in (
        (axes.xaxis, "x", "moran_value"),
        (axes.yaxis, "y", "moran_surroundings"),
    ):
        low, high = min(points[column].min(), scatter.centre), max(points[column].max(), scatter.centre)
        room = 0.06 * (high - low) or max(abs(high) * 0.1, 1.0)
        (axes.set_xlim if column == "x" else axes.set_ylim)(low - room, high + room)
        format_axis(axis, words.language)
        axis.set_label_text(words[key], fontsize=SMALL, color=QUIET)
    dashed: dict[str, Any] = {"color": HAIRLINE, "linewidth": 1, "linestyle": (0, (4, 2)), "zorder": 1}
    axes.axvline(scatter.centre, **dashed)
    axes.axhline(scatter.centre, **dashed)


def _draw(axes: Axes, scatter: _Scatter, statistic: float | None, *, small: bool) -> None:
    for kind in reversed(_LOOKS):
        part = scatter.points[scatter.points["kind"] == kind]
        order = 3 if kind == "not distinguishable" else 4
        axes.plot(part["x"], part["y"], linestyle="none", zorder=order, **_point(kind, small=small))
    if statistic is not None:
        limits = axes.get_xlim(), axes.get_ylim()
        axes.axline((scatter.centre, scatter.centre), slope=statistic, color=INK, linewidth=1.4, zorder=2)
        axes.set(xlim=limits[0], ylim=limits[1])


def _name(axes: Axes, scatter: _Scatter) -> list[str]:
    """Name the areas of a class, those farthest from the middle first; return those there was no room for."""
    points = scatter.points
    classed = points[(points["kind"] != "not distinguishable") | points.index.isin(scatter.chosen)]
    far = classed[["x", "y"]].sub(scatter.centre).pow(2).sum(axis=1)
    order = sorted(classed.index, key=lambda code: (code not in scatter.chosen, -far[code]))
    pixels, frame = axes.figure.dpi / 72, axes.get_window_extent()
    marks = axes.transData.transform(points[["x", "y"]].to_numpy())
    taken: list[Bbox] = []
    left_out: list[str] = []
    for code in order:
        row = classed.loc[code]
        bold = code in scatter.chosen
        name = fitted(row["name"], _LONGEST, SMALL, bold=bold)
        size = text_width(name, SMALL, bold=bold) * axes.figure.dpi, 1.15 * SMALL * pixels
        at = axes.transData.transform((row["x"], row["y"]))
        place = _free(at, size, frame, taken, marks, 5 * pixels)
        if place is None:
            left_out.append(row["name"])
            continue
        taken.append(place)
        colour = _LOOKS[row["kind"]][0] if row["kind"] != "not distinguishable" else INK
        axes.annotate(
            name,
            (row["x"], row["y"]),
            ((place.x0 - at[0]) / pixels, ((place.y0 + place.y1) / 2 - at[1]) / pixels),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            fontweight="bold" if bold else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            color=colour,
            parse_math=False,
            zorder=2.5,  # on white that covers lines, not points
        )
    return left_out


def _free(
    at: np.ndarray, size: tuple[float, float], frame: Bbox, taken: Sequence[Bbox], marks: np.ndarray, off: float
) -> Bbox | None:
    """Return the first of eight places around a point that no name and no other point covers."""
    wide, high = size
    x, y = at
    for left, middle in (
        (x + off, y),
        (x - off - wide, y),
        (x - wide / 2, y + off + high / 2),
        (x - wide / 2, y - off - high / 2),
        (x + 0.7 * off, y + off),
        (x + 0.7 * off, y - off),
        (x - 0.7 * off - wide, y + off),
        (x - 0.7 * off - wide, y - off),
    ):
        box = Bbox.from_extents(left, middle - high / 2, left + wide, middle + high / 2)
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        covered = ((marks > np.asarray(box.min) - off / 3) & (marks < np.asarray(box.max) + off / 3)).all(axis=1).any()
        if inside and not covered and not any(box.overlaps(other) for other in taken):
            return box
    return None
