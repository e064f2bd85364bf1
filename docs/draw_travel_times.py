"""Draw the pictures of the page on travel times: docs/pictures/travel_*.png. Called by make_pictures.py."""

from __future__ import annotations

import io
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from geoplan import home
from geoplan.reach import join_network, read_streets, read_timetable, window_profile

PICTURES = Path(__file__).parent / "pictures"
INK, QUIET, ONE, TWO, THREE = "#222222", "#8a8a8a", "#1f5f8b", "#c0561f", "#3a7d44"
START = 7 * 60


def main() -> None:
    """Draw all of them."""
    PICTURES.mkdir(exist_ok=True)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.edgecolor": QUIET}):
        _save(lanes(), "travel_lanes.png")
        _save(snapping(), "travel_snapping.png")
        _save(window(), "travel_window.png")


def clock(minutes: float) -> str:
    """Return minutes of the day as a clock shows them."""
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}"


def lanes() -> Figure:
    """Draw eight departures, a stop four minutes away, and two buses from there to another stop."""
    figure = Figure(figsize=(7.6, 4.6), layout="constrained")
    ax = figure.subplots()
    leave = START + np.arange(8)
    ready = leave + 4
    first = 0
    for leaves, arrives, colour, name in (
        (START + 8, START + 16, ONE, "bus 1"),
        (START + 13, START + 21, TWO, "bus 2"),
    ):
        count = int((ready + 1 <= leaves).sum())
        ax.hlines(leaves, leave[0] - 0.35, leave[count - 1] + 0.35, colors=colour, linewidth=2)
        ax.text(
            leave[0] - 0.5, leaves, f"{name} leaves A at {clock(leaves)}:\nthe first {count} can catch it",
            color=colour, ha="right", va="center",
        )  # fmt: skip
        ax.hlines(arrives, leave[first] - 0.35, leave[count - 1] + 0.35, colors=colour, linewidth=6, alpha=0.35)
        for lane in range(first, count):
            ax.annotate(
                "", (leave[lane], arrives - 0.35), (leave[lane], leaves + 0.1),
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1},
            )  # fmt: skip
        ax.text(
            (leave[first] + leave[count - 1]) / 2, arrives + 0.5,
            f"at B at {clock(arrives)}:\ndepartures {first + 1} to {count}", color=colour, ha="center", va="bottom",
        )  # fmt: skip
        first = count
    for lane, each in enumerate(leave):
        ax.vlines(each, each, ready[lane], colors=QUIET, linewidth=1, linestyles="dotted")
    ax.plot(leave, leave, "o", color=QUIET, markersize=4)
    ax.plot(leave, ready, "o", color=INK, markersize=6)
    ax.text(leave[-1] + 0.6, ready[-1], "at stop A: never sooner\nfor who leaves later", va="center")
    ax.text(leave[-1] + 0.6, leave[-1], "leaving home", color=QUIET, va="center")
    ax.set_xlim(leave[0] - 5.2, leave[-1] + 5.2)
    ax.set_ylim(START - 1, START + 24.5)
    ax.set_xticks(leave, [f"{number + 1}\n{clock(each)}" for number, each in enumerate(leave)], fontsize=8)
    ax.set_xlabel("departure")
    ax.set_yticks([])
    _bare(ax, "left")
    ax.spines["bottom"].set_bounds(leave[0], leave[-1])
    return figure


def snapping() -> Figure:
    """Draw a point linked to the street beside it, and what the nearest junction would make of it."""
    figure = Figure(figsize=(7.6, 3.4), layout="constrained")
    ax = figure.subplots()
    for line in (
        [(0, 0), (300, 30)],
        [(0, 0), (-40, -70)],
        [(0, 0), (-75, 40)],
        [(300, 30), (340, -50)],
        [(300, 30), (330, 110)],
    ):
        ax.plot(*zip(*line, strict=True), color=QUIET, linewidth=5, alpha=0.45, solid_capstyle="round")
    home_at = np.array([118.0, 75.0])
    street = np.array([300.0, 30.0])
    foot = street * (home_at @ street) / (street @ street)
    along = float(foot[0] / 300)
    length, off = float(np.hypot(*street)), float(np.hypot(*(home_at - foot)))
    ax.plot(*zip((0, 0), (300, 30), strict=True), "o", color=INK, markersize=7, linestyle="none")
    ax.plot(*zip(home_at, foot, strict=True), color=ONE, linewidth=2)
    ax.plot(*zip(home_at, (0, 0), strict=True), color=TWO, linewidth=1.5, linestyle="dashed")
    ax.plot(*home_at, "s", color=INK, markersize=9)
    ax.plot(*foot, "o", color=ONE, markersize=7)
    ax.text(home_at[0] + 10, home_at[1] + 4, "the point")
    ax.text(*((home_at + foot) / 2 + (6, 0)), f"{off:.0f} m off the street,\ncounted as walked", color=ONE, va="center")
    ax.text(
        foot[0] / 2, -10, f"{100 * along:.0f} % of the piece:\n{along * length:.0f} m", color=ONE, ha="center", va="top"
    )
    ax.text((foot[0] + 300) / 2, 0, f"{(1 - along) * length:.0f} m", color=ONE, ha="center", va="top")
    ax.text(
        48,
        62,
        f"to the nearest junction\nin a straight line: {np.hypot(*home_at):.0f} m",
        color=TWO,
        ha="right",
        va="center",
    )
    ax.text(-8, -4, "junction", ha="right", va="top")
    ax.text(308, 26, "junction", va="top")
    ax.set_aspect("equal")
    ax.set_xlim(-150, 400)
    ax.set_axis_off()
    return figure


def window() -> Figure:
    """Draw every departure of an hour between two places of the sample town, and the percentiles of the hour."""
    town = gpd.read_file(home() / "data/nordhamra.gpkg", layer="stadsdelar")
    points = town.set_geometry(town.representative_point()).set_index("name")
    streets = read_streets(home() / "data/nordhamra_streets.osm.pbf")
    timetable = read_timetable(home() / "data/nordhamra_gtfs.zip", date="2012-10-09")
    network = join_network(streets, timetable)
    start, end = _pair(points, network)
    profile = window_profile(points.loc[[start]], points.loc[[end]], network, departure="2012-10-09 10:00")
    minutes = profile.iloc[:, 0].to_numpy()
    figure = Figure(figsize=(7.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1), sharey=True)
    at = np.arange(len(minutes))
    left.plot(at, minutes, color=QUIET, linewidth=1)
    left.plot(at, minutes, ".", color=ONE)
    right.plot(np.arange(1, len(minutes) + 1), np.sort(minutes), ".", color=ONE)
    for share, colour in ((25, THREE), (50, TWO), (75, THREE)):
        rank = int(np.ceil(share * len(minutes) / 100))
        value = np.sort(minutes)[rank - 1]
        left.axhline(value, color=colour, linewidth=1)
        right.plot([0, rank, rank], [value, value, 0], color=colour, linewidth=1)
        right.text(64, value, f"{share} %:\n{value:.1f} min", color=colour, va="center")
    left.set_xticks(range(0, 61, 15), [f"10:{minute:02}" if minute < 60 else "11:00" for minute in range(0, 61, 15)])  # noqa: PLR2004  minutes
    left.set_xlabel("departure")
    left.set_ylabel("minutes to be there")
    right.set_xticks([1, 15, 30, 45, 60])
    right.set_xlabel("the same, sorted: rank")
    left.set_ylim(minutes.min() - 1, minutes.max() + 1)
    right.set_xlim(0, 94)
    _bare(left)
    _bare(right)
    return figure


def _pair(points: gpd.GeoDataFrame, network: object) -> tuple[str, str]:
    """Return two places between which the hour shows some jumps: as many as there are from the first few places."""
    best = (0, "", "")
    for start in points.index[:6]:
        profile = window_profile(points.loc[[start]], points, network, departure="2012-10-09 10:00")
        jumps = (profile.diff() > 3).sum()[profile.notna().all() & (profile.median() > 15)]  # noqa: PLR2004  minutes
        if len(jumps) and jumps.max() > best[0]:
            best = (int(jumps.max()), start, jumps.idxmax())
    return best[1], best[2]


def _bare(ax: Axes, *also: str) -> None:
    ax.spines[["top", "right", *also]].set_visible(False)
    ax.tick_params(color=QUIET)


def _save(figure: Figure, name: str) -> None:
    """Write a picture with few colours, as make_pictures.py does."""
    data = io.BytesIO()
    figure.savefig(data, dpi=150, format="png")
    picture = Image.open(data).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    main()
