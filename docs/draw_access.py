"""Draw the picture of the page on measures of access: docs/pictures/access_decays.png. Called by make_pictures.py."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from geoplan.reach import Decay

PICTURES = Path(__file__).parent / "pictures"
INK, QUIET = "#222222", "#8a8a8a"
CURVES = (
    ("exponential", Decay.halving("exponential", 20), "#1f5f8b", "-"),
    ("power, 1 up to 5 min", Decay.halving("power", 20, floor_min=5), "#c0561f", "-"),
    ("log-logistic, b = 3", Decay.halving("log_logistic", 20, shape=3), "#3a7d44", "-"),
    ("Gaussian", Decay.halving("gaussian", 20), "#7a4b94", "-"),
    ("a threshold", Decay.step(20), INK, ":"),
)


def main() -> None:
    """Draw it."""
    PICTURES.mkdir(exist_ok=True)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.edgecolor": QUIET}):
        figure = decays()
        memory = io.BytesIO()
        figure.savefig(memory, dpi=144, facecolor="white")
    picture = Image.open(memory).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(PICTURES / "access_decays.png", optimize=True)


def decays() -> Figure:
    """Draw the weight of a place by the time to it: four decays that halve at 20 minutes, and a threshold there."""
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    ax = figure.subplots()
    minutes = np.linspace(0, 75, 1501)
    for name, decay, colour, line in CURVES:
        ax.plot(minutes, decay.weight(minutes), color=colour, linestyle=line, linewidth=2, label=name)
    ax.axvline(20, color=QUIET, linewidth=0.8, zorder=0)
    ax.axhline(0.5, color=QUIET, linewidth=0.8, zorder=0)
    ax.set(xlim=(0, 75), ylim=(0, 1.03), xlabel="minutes", ylabel="weight of a place")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper right")
    return figure


if __name__ == "__main__":
    main()
