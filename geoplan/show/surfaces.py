"""Surfaces for print: ground of one shade between one level and the next, as contours hand it over."""

from __future__ import annotations

import math

import geopandas as gpd
import matplotlib as mpl
from matplotlib.figure import Figure

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.show.ground import Backdrop, ground_page, must_lie_somewhere
from geoplan.show.page import WIDTH, Sign
from geoplan.show.texts import format_number, texts

__all__ = ["plot_surface"]

_COLUMNS = ("low", "high")


def plot_surface(
    bands: gpd.GeoDataFrame,
    *,
    title: str,
    unit: str,
    period: str = "",
    source: str = "",
    method: str = "",
    note: str = "",
    backdrop: Backdrop = (),
    language: str = "en",
    width: float = WIDTH,
    palette: str = "YlGnBu",
) -> Figure:
    """Draw a surface for print: dark is high, and the key tells the levels and their unit.

    Parameters
    ----------
    bands
        Polygons with ``low`` and ``high``, as filled contours: the ground between two levels; the last ``high`` may be
        without end.
    title, unit
        What is shown, and what the levels count.
    period, source, method, note
        Words below the title and at the foot.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    language
        ``sv``, ``da`` or ``en``.
    width
        Inches.
    palette
        A sequential palette of matplotlib.

    Raises
    ------
    SpecError
        When a column is missing, no band has a place, or the palette is unknown.
    CrsError
        When the bands state no coordinate system.

    Examples
    --------
    >>> from shapely import box
    >>> bands = gpd.GeoDataFrame({"low": [0.0, 50.0], "high": [50.0, float("inf")]}, crs=3006,
    ...                          geometry=[box(674_000, 6_580_000, 675_000, 6_581_000),
    ...                                    box(675_000, 6_580_000, 676_000, 6_581_000)])
    >>> len(plot_surface(bands, title="Density", unit="persons per km²").axes)
    2
    """
    words = texts(language)
    present = [str(name) for name in bands.columns]
    absent = checks.absent_columns([name for name in _COLUMNS if name not in present], present)
    if absent:
        raise SpecError(tuple(fault for error in absent for fault in error.faults))
    if palette not in mpl.colormaps:
        raise SpecError(Fault(what=f"there is no palette '{palette}'", key="palette", expected="one of matplotlib"))
    placed = must_lie_somewhere(bands, "band")
    levels = sorted(set(zip(placed["low"].astype(float), placed["high"].astype(float), strict=True)))
    shades = mpl.colormaps[palette]
    colours = {
        level: mpl.colors.to_hex(shades(0.15 + 0.85 * place / max(1, len(levels) - 1)))
        for place, level in enumerate(levels)
    }
    key = [Sign(_told(level, language), patch={"facecolor": colours[level], "edgecolor": "none"}) for level in levels]
    foot = [f"{words['method']}: {method}" if method else "", f"{words['source']}: {source}" if source else "", note]
    page, axes, metric = ground_page(
        placed,
        backdrop,
        width=width,
        title=title,
        below=" · ".join(filter(None, (unit, period))),
        key=key,
        foot=["  ·  ".join(filter(None, foot))],
        language=language,
    )
    for level in levels:
        own = metric[(metric["low"] == level[0]) & (metric["high"] == level[1])]
        own.plot(ax=axes, color=colours[level], edgecolor="none", alpha=0.85, zorder=2, autolim=False)
    return page.figure


def _told(level: tuple[float, float], language: str) -> str:
    """Say what a band holds: from one level to the next, or from the last on."""
    low, high = level
    decimals = 0 if high >= 10 or low >= 10 else 1  # noqa: PLR2004  small numbers need a decimal
    one = format_number(low, language, decimals=decimals)
    words = texts(language).plan
    if math.isinf(high):
        return words["band_above"].format(low=one)
    return words["band_between"].format(low=one, high=format_number(high, language, decimals=decimals))
