"""One area against the city: an indicator a row, grouped by domain, missing ones in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.show.page import (
    EDGE,
    GREY,
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
    make_page,
    missing_labels,
    must_be_table,
    numbers_of,
    text_width,
    wrapped,
)
from geoplan.show.style import INK, LINES, MISSING_PATTERNS, QUIET
from geoplan.show.texts import Texts, format_number, texts

__all__ = ["plot_profile"]

_CITY, _MIDDLE = 100.0, 0.5
_DOMAIN, _PAD, _AXIS, _VALUE, _VALUE_NARROW = 0.3, 0.1, 0.42, 0.78, 0.52  # inches
_LINES = 2  # of a label at most
_BEYOND = 1.6  # how much farther than the area's own points the axis may reach to show those of other areas
_ABOVE, _BELOW = LINES[1], LINES[0]
_BARE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_AS_CITY = "as the city"


@dataclass(frozen=True)
class _Profile:
    """The rows in order (``at, surroundings, low, high, value, city`` and texts), and how they lie on the page."""

    rows: pd.DataFrame
    measure: str
    top: np.ndarray
    heads: list[tuple[str, float]]
    height: float
    narrow: bool

    @property
    def middle(self) -> float:
        """Where the city's line is."""
        return _CITY if self.measure == "relative" else 100 * _MIDDLE


def plot_profile(
    profile: pd.DataFrame,
    area_id: str | None = None,
    *,
    labels: Mapping[str, str] | pd.Series | None = None,
    name: str = "",
    title: str = "",
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    language: str = "sv",
    width: float = WIDTH,
) -> Figure:
    """Draw the indicators of one area against the city.

    A point to the right of the city's line is above the city, one to the left below it; the shape tells as well as the
    colour. Indicators without a figure stand in their place with the reason.

    Parameters
    ----------
    profile
        A row an indicator, of one area or with ``area_id`` as a column or level of the index. Columns ``indicator`` (or
        in the index) and ``relative`` (city = 100, higher = more risk) or ``position`` (share of areas with less risk,
        0-1); and where they are known ``label``, ``domain``, ``unit``, ``value`` and ``city`` (in the unit),
        ``relative_surroundings``, ``relative_minimum`` and ``relative_maximum`` (the neighbours and all areas, on the
        axis; or ``position_…``), ``denominator``, ``kind`` (``as the city`` makes the point hollow), ``status`` and
        ``reason``, as :func:`~geoplan.risk.profile` returns.
    area_id
        Which area to draw; needed when there are several. The lowest and the highest of all areas are then those of the
        profile, unless it has them as columns.
    labels
        Code → label of indicators and domains; the columns ``label`` and ``domain`` when left out.
    name
        The area's name; its code when left out.
    title, period, source, method, note
        Texts; the title is the name, the period that of the profile when left out.
    language
        ``sv``, ``da`` or ``en``.
    width
        Inches, 3.4 to 20; the height follows.

    Returns
    -------
    matplotlib.figure.Figure
        With year, N (indicators, and their bases where they are known), source and method.

    Raises
    ------
    SpecError
        For anything but a table; when the area is not in the profile or not named among several, columns are missing,
        or nothing is known.
    IdError
        When an indicator stands in two rows.
    TableError
        When a cell is no number.

    Examples
    --------
    >>> profile = pd.DataFrame({"indicator": ["work", "burglary"], "relative": [130.0, None], "value": [52.0, None],
    ...                         "city": [63.0, 4.1], "status": ["observed", "suppressed"]})
    >>> figure = plot_profile(profile, name="Norr", period="2012", language="en")
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['the area', 'the city', 'work', '52.0', '63.0', 'burglary', 'Protected figure', '–', '4.10']
    """
    must_be_table(profile, "profile", "what profile(table, …) returns")
    words = texts(language)
    shown = _laid_out(_of_area(profile, area_id), {} if labels is None else dict(labels), width, words)
    known = shown.rows["at"].notna()
    people = words["n_indicators"].format(known=int(known.sum()), total=len(known))
    base = pd.to_numeric(shown.rows["denominator"], errors="coerce")[known].dropna()
    if len(base):
        low, high = (format_number(number, language) for number in (base.min(), base.max()))
        people += f", {words['n_base'].format(size=low if low == high else f'{low}–{high}')}"
    relative = shown.measure == "relative"
    told = method or words["method_relative" if relative else "position_method"]
    years = period or ", ".join(dict.fromkeys(shown.rows["period"].dropna().astype(str)))
    page = make_page(
        width,
        _AXIS + shown.height,
        title=title or name or str(area_id or ""),
        below=" · ".join(part for part in (words["axis_relative" if relative else "axis_position"], years) if part),
        key=_key(shown, words),
        foot=[foot_of(words, source=source, people=people, method=told, note=note)],
    )
    _draw(page, shown, words)
    return page.figure


def _of_area(profile: pd.DataFrame, area_id: str | None) -> pd.DataFrame:
    """Return the rows of the area, by indicator."""
    rows = profile.reset_index() if any(profile.index.names) else profile
    if rows.empty:
        raise SpecError(
            Fault(what="there is nothing to draw: the profile has no rows", expected="at least one indicator")
        )
    if "indicator" not in rows:
        raise checks.absent_columns(["indicator"], [str(column) for column in rows])[0]
    if "area_id" in rows:
        codes = rows["area_id"].astype(str)
        if area_id is not None and str(area_id) not in set(codes):
            raise checks.unknown_name("area of the profile", str(area_id), codes.unique(), key="area_id")
        several = len(codes.unique())
        if area_id is None and several > 1:
            what = f"the profile holds {several} areas"
            raise SpecError(Fault(what=what, key="area_id", expected="the code of the one to draw"))
        if several > 1:
            rows = _with_spread(rows)[codes == str(area_id)]
    twice = rows["indicator"][rows["indicator"].duplicated()].unique()
    if len(twice):
        raise checks.duplicate_ids([str(name) for name in twice], "indicator")
    return rows.set_index("indicator")


def _measure(rows: pd.DataFrame) -> str:
    return "relative" if "relative" in rows or "position" not in rows else "position"


def _with_spread(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the lowest and highest of all areas, as far as they do not tell them themselves."""
    measure = _measure(rows)
    if measure not in rows or {f"{measure}_minimum", f"{measure}_maximum"} & set(rows):
        return rows
    groups = pd.to_numeric(rows[measure], errors="coerce").groupby(rows["indicator"])
    return rows.assign(**{f"{measure}_{end}imum": groups.transform(end) for end in ("min", "max")})


def _laid_out(own: pd.DataFrame, labels: Mapping[str, str], width: float, words: Texts) -> _Profile:
    """Bring the rows of each domain together, in the order in which domains come, and give each row its height."""
    measure = _measure(own)
    columns = {measure: "at"} | {f"{measure}_{name}": name for name in ("surroundings", "minimum", "maximum")}
    columns |= {"value": "value", "city": "city"}
    present = [name for name in columns if name in own or name == measure]
    numbers = numbers_of(own, present).rename(columns=columns).reindex(columns=list(columns.values()))
    on_axis = ["at", "surroundings", "minimum", "maximum"]
    if measure == "position":
        numbers[on_axis] *= 100
    if not numbers["at"].notna().any():
        raise SpecError(Fault(what="no indicator of this area has a known figure", expected="at least one"))
    texts_of = own.reindex(
        columns=["label", "domain", "unit", "kind", "denominator", "period", "status", "reason"]
    ).astype(object)
    rows = numbers.join(texts_of)
    said = rows["status"].isin(list(MISSING_PATTERNS)) | rows["reason"].isin(list(words.uncompared))
    rows["why"] = missing_labels(words, own).where(said | rows["value"].isna(), words["not_compared"])
    rows["label"] = rows["label"].where(rows["label"].notna(), rows.index.map(lambda name: labels.get(name, str(name))))
    rows["domain"] = rows["domain"].fillna("").map(lambda name: str(labels.get(name, name)))
    units = (
        rows["unit"]
        .fillna("")
        .map(lambda unit: f",\N{NO-BREAK SPACE}{words.unit(str(unit))}" if unit and unit != "index" else "")
    )
    narrow = width < NARROW
    room = width - 2 * EDGE if narrow else _label_room(width)
    rows["lines"] = [_label(str(text), unit, room) for text, unit in zip(rows["label"], units, strict=True)]
    order = list(dict.fromkeys(rows["domain"]))
    rows = rows.iloc[np.argsort([order.index(domain) for domain in rows["domain"]], kind="stable")]
    top, heads, at = [], [], 0.0
    for number, (_, row) in enumerate(rows.iterrows()):
        if row["domain"] and (number == 0 or row["domain"] != rows["domain"].iloc[number - 1]):
            heads.append((row["domain"], at))
            at += _DOMAIN
        top.append(at)
        at += len(row["lines"]) * _line() + (_line() + 0.16 if narrow else _PAD)
    return _Profile(rows, measure, np.array(top), heads, at, narrow)


def _label(text: str, unit: str, room: float) -> list[str]:
    """Return an indicator's label with its unit in at most two lines; where it is cut the unit stays."""
    lines = wrapped(text + unit, room, SMALL)
    if len(lines) <= _LINES:
        return lines
    least = max(room - text_width(unit, SMALL), 0.5)
    head, *rest = wrapped(text, room, SMALL)
    return [head, fitted(" ".join(rest), least, SMALL) + unit]


def _line() -> float:
    return LINE_HEIGHT * SMALL / 72


def _label_room(width: float) -> float:
    return 0.33 * width


# ---------------------------------------------------------------- drawing


def _key(shown: _Profile, words: Texts) -> list[Sign]:
    rows = shown.rows
    sides = np.sign((rows["at"] - shown.middle).dropna())
    entries = [
        Sign(words[key], point=_point(place, hollow=False))
        for place, key in ((1, "area_above"), (0, "area_same"), (-1, "area_below"))
        if (sides == place).any()
    ]
    if (rows["kind"] == _AS_CITY).any():
        entries.append(Sign(words["as_city"], point=_point(1, hollow=True) | {"markeredgecolor": QUIET}))
    if rows["surroundings"].notna().any():
        entries.append(Sign(words["surroundings"], point=_neighbour()))
    middle = words["reference_line" if shown.measure == "relative" else "middle_line"]
    entries.append(Sign(f"{middle} = {shown.middle:.0f}", {"color": INK, "linewidth": 1.2}))
    if rows[["at", "minimum", "maximum"]].notna().all(axis=1).any():
        entries.append(Sign(words["all_areas_span"], {"color": PALE, "linewidth": 6}))
        if (rows["maximum"][rows["at"].notna()] > _limits(shown)[1]).any():
            entries.append(Sign(words["beyond"]))
    return entries


def _point(place: float, *, hollow: bool) -> dict[str, Any]:
    """Return how a point looks: a triangle towards its side of the city, a circle on its line."""
    colour = _ABOVE if place > 0 else _BELOW if place < 0 else INK
    return {
        "marker": ">" if place > 0 else "<" if place < 0 else "o",
        "markersize": 7.5,
        "markeredgecolor": colour,
        "markerfacecolor": "white" if hollow else colour,
        "markeredgewidth": 1.3,
    }


def _neighbour() -> dict[str, Any]:
    return {
        "marker": "D",
        "markersize": 4.5,
        "markeredgecolor": GREY,
        "markerfacecolor": "white",
        "markeredgewidth": 1.2,
    }


def _limits(shown: _Profile) -> tuple[float, float]:
    """Return the ends of the axis: all that is said of this area, and of the others' spread what lies near it."""
    if shown.measure == "position":
        return 0.0, 100.0
    own = shown.rows[["at", "surroundings"]].to_numpy()
    low, high = min(np.nanmin(own), shown.middle), max(np.nanmax(own), shown.middle)
    reach = max(high - shown.middle, shown.middle - low, 20.0)
    others = shown.rows[shown.rows["at"].notna()]
    others_low, others_high = others["minimum"].min(), others["maximum"].max()
    low = min(low, max(others_low, shown.middle - _BEYOND * reach)) if pd.notna(others_low) else low
    high = max(high, min(others_high, shown.middle + _BEYOND * reach)) if pd.notna(others_high) else high
    room = 0.05 * max(high - low, 40.0)
    return (max(low - room, 0.0) if low >= 0 else low - room), high + room


def _draw(page: Page, shown: _Profile, words: Texts) -> None:
    columns = [name for name in ("value", "city") if shown.rows[name].notna().any()]
    written = [text_width(_figure(value, words), SMALL, bold=True) for name in columns for value in shown.rows[name]]
    value_room = max(_VALUE_NARROW if shown.narrow else _VALUE, *(wide + 0.1 for wide in written), 0.0)
    left = EDGE if shown.narrow else EDGE + _label_room(page.width) + 0.2
    wide = page.width - left - EDGE - value_room * len(columns) - 0.1
    axes = page.axes(left, 0, wide, shown.height)
    low, high = _limits(shown)
    clean_axes(axes, grid="x")
    axes.set(xlim=(low, high), ylim=(shown.height, 0))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    format_axis(axes.xaxis, words.language, bins=int(np.clip(wide / 0.6, 2, 8)))
    axes.vlines(shown.middle, 0, shown.height, color=INK, linewidth=1.2, zorder=2)
    heading = {"value": words["this_area"], "city": words["reference_line"]}
    for number, column in enumerate(columns):
        place = 72 * (0.1 + value_room * (number + 1))
        text = fitted(heading[column], value_room - 0.05, 7.5)
        _write(axes, text, (1, 0), (place, 5), ha="right", va="bottom", fontsize=7.5, color=QUIET)
    for text, top in shown.heads:
        across = page.width - 2 * EDGE
        said = fitted(text, across, 9.5, bold=True)
        look: dict[str, Any] = {"va": "center_baseline", "fontsize": 9.5, "fontweight": "bold", "color": INK}
        _write(axes, said, (0, top + 0.6 * _DOMAIN), (72 * (EDGE - left), 0), bbox=_BARE, **look)
    for (_, row), top in zip(shown.rows.iterrows(), shown.top, strict=True):
        _draw_row(axes, shown, row, top, left)
        for number, column in enumerate(columns):
            place = 72 * (0.1 + value_room * (number + 1))
            text = _figure(row[column], words)
            weight = {"fontweight": "bold"} if column == "value" else {}
            _write(axes, text, (1, _height(shown, row, top)), (place, 0), ha="right", color=INK, **weight)


def _height(shown: _Profile, row: pd.Series, top: float) -> float:
    """Return where a row's points stand: beside its words, or on a narrow page below them."""
    words = len(row["lines"]) * _line()
    return top + words + 0.5 * _line() + 0.02 if shown.narrow else top + 0.5 * (words + _PAD)


def _draw_row(axes: Axes, shown: _Profile, row: pd.Series, top: float, left: float) -> None:
    y = _height(shown, row, top)
    low, high = axes.get_xlim()
    if row[["at", "minimum", "maximum"]].notna().all():  # words stand where a missing one's bar would be
        axes.hlines(y, max(row["minimum"], low), min(row["maximum"], high), color=PALE, linewidth=6, zorder=1)
        if row["maximum"] > high:
            axes.plot(high, y, marker=">", markersize=4, color=GREY, clip_on=False, linestyle="none", zorder=3)
    lead = (72 * (EDGE - left), 0)
    middle = top + 0.5 * len(row["lines"]) * _line() if shown.narrow else y
    bare = {"bbox": _BARE} if shown.narrow else {}
    _write(axes, "\n".join(row["lines"]), (0, middle), lead, color=INK, **bare)
    if pd.isna(row["at"]):
        _write(axes, row["why"], (0, y), (4, 0), color=QUIET, fontstyle="italic", bbox=_BARE)
        return
    if pd.notna(row["surroundings"]):
        axes.plot(row["surroundings"], y, linestyle="none", zorder=4, **_neighbour())
    place = float(np.sign(row["at"] - shown.middle))
    axes.plot(
        [shown.middle, row["at"]], [y, y], color=_point(place, hollow=False)["markeredgecolor"], linewidth=1.3, zorder=3
    )
    axes.plot(row["at"], y, linestyle="none", zorder=5, **_point(place, hollow=row["kind"] == _AS_CITY))


def _write(axes: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **look: Any) -> None:
    """Write a text at a share of the axes' width and a height in inches."""
    axes.annotate(
        text,
        at,
        offset,
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        parse_math=False,
        annotation_clip=False,
        zorder=6,
        **{"va": "center", "fontsize": SMALL, "linespacing": 1.2, **look},
    )


def _figure(value: float, words: Texts) -> str:
    """Write a value with three digits."""
    if pd.isna(value):
        return "–"
    decimals = int(np.clip(2 - np.floor(np.log10(abs(value))), 0, 2)) if value else 0
    return format_number(value, words.language, decimals=decimals)
