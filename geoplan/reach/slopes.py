"""Slope and speed: slower uphill, a little faster down a gentle slope, from a raster of heights.

Walking follows Tobler's hiking function [1]_, cycling the regression of Parkin and Rotheram [2]_, both taken as a
factor that is 1 on the flat. A bicycle is never slower than it is pushed. Bridges and tunnels keep to the straight line
between the heights of their ends, whatever the ground below or above does. Steps have their own speed and are left
alone. Where no height is known, the street is taken for flat, and said so.

References
----------
.. [1] Tobler, W. (1993). Three presentations on geographical analysis and modeling. NCGIA, Technical Report 93-1.
.. [2] Parkin, J. & Rotheram, J. (2010). Design speeds and acceleration characteristics of bicycle traffic for use in
   planning, design and appraisal. Transport Policy 17(5), 335–341.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from geoplan.reach.lines import Lines
from geoplan.reach.stop_times import gather
from geoplan.reach.ways import Rules

__all__ = ["cycling_factor", "slope_factors", "walking_factor"]

_GEOD = pyproj.Geod(ellps="WGS84")
_STEEPEST = 0.6  # rise over run; beyond it heights and streets do not fit together, as at a cliff or a wall
_SHORTEST = 10.0  # metres between heights; what is finer is noise
_FLAT_MS, _UPHILL_MS, _DOWNHILL_MS = 6.01, 0.4002, 0.2379  # metres a second; on the flat, and per 1 % of slope
_BRAKING = 5.0  # per cent downhill; steeper slopes are braked


def walking_factor(slope: np.ndarray) -> np.ndarray:
    """Return by how much slope (rise over run, downhill negative) changes the speed of walking.

    With slope *s*, held to 60 % either way: exp(-3.5 |s + 0.05|) / exp(-3.5 · 0.05), Tobler's function over its value
    on the flat.

    Examples
    --------
    >>> walking_factor(np.array([-0.05, 0.0, 0.1])).round(2).tolist()
    [1.19, 1.0, 0.7]
    """
    held = np.clip(slope, -_STEEPEST, _STEEPEST)
    return np.asarray(np.exp(-3.5 * (np.abs(held + 0.05) - 0.05)))


def cycling_factor(slope: np.ndarray) -> np.ndarray:
    """Return by how much slope (rise over run, downhill negative) changes the speed of cycling; 0 is too steep to ride.

    The regression of Parkin and Rotheram, in m/s, over its 6.01 on the flat: 0.4002 less for each per cent uphill,
    0.2379 more for each per cent downhill. That nobody gains on what is steeper than 5 % downhill is geoplan's own.

    Examples
    --------
    >>> cycling_factor(np.array([-0.02, 0.0, 0.05, 0.2])).round(2).tolist()
    [1.08, 1.0, 0.67, 0.0]
    """
    percent = slope * 100
    up = 1 - _UPHILL_MS / _FLAT_MS * np.maximum(percent, 0)
    down = _DOWNHILL_MS / _FLAT_MS * np.clip(-percent, 0, _BRAKING)
    return np.asarray(np.maximum(up + down, 0.0))


def slope_factors(lines: Lines, path: Path, rules: Rules) -> tuple[tuple[np.ndarray, np.ndarray], dict[str, Any]]:
    """Return the factors of the steps from each vertex to the next, there and back, and the record of the raster."""
    from geoplan.sources.heights import open_heights  # noqa: PLC0415  a GDAL that only those with heights need

    heights = open_heights(path)
    count = len(lines.node)
    line = np.repeat(np.arange(len(lines)), np.diff(lines.at))
    placed = np.isfinite(lines.lonlat).all(axis=1)
    step = np.flatnonzero((line[:-1] == line[1:]) & placed[:-1] & placed[1:] & lines.sloped[line[:-1]])
    factors = (np.ones(count), np.ones(count))
    if not len(step):
        return factors, {**heights.record, "vertices without a height": 0}
    lon, lat = lines.lonlat.T
    metres = _GEOD.inv(lon[step], lat[step], lon[step + 1], lat[step + 1])[2]
    # Steps longer than a cell are looked at in parts, so that a street over a hill is not taken for flat.
    parts = np.maximum(np.ceil(metres / max(heights.cell_m, _SHORTEST)), 1).astype(np.int64)
    number, owner = gather(np.zeros(len(step), dtype=np.int64), parts + 1), np.repeat(np.arange(len(step)), parts + 1)
    share = number / parts[owner]
    a, b = lines.lonlat[step][owner], lines.lonlat[step + 1][owner]
    height = heights.at(a + (b - a) * share[:, None])
    height = _bridged(lines, step, metres, owner, share, height)
    rise = np.diff(height)
    run = (metres / parts)[owner[:-1]]
    inside = owner[:-1] == owner[1:]
    slope = np.divide(rise, run, out=np.zeros(len(rise)), where=np.isfinite(rise) & (run > 0))[inside]
    owner = owner[:-1][inside]
    on = line[step]
    for way, (kmh, sign) in enumerate(((lines.forward_kmh, 1), (lines.backward_kmh, -1))):
        slower = 1 / _factor(sign * slope, kmh[on][owner], rules)
        factors[way][step] = parts / np.bincount(owner, weights=slower, minlength=len(step))
    unknown = np.zeros(count, dtype=bool)
    ends = np.unique(np.concatenate([step, step + 1]))
    unknown[ends] = ~np.isfinite(heights.at(lines.lonlat[ends]))
    return factors, {**heights.record, "vertices": len(ends), "vertices without a height": int(unknown.sum())}


def _factor(slope: np.ndarray, kmh: np.ndarray, rules: Rules) -> np.ndarray:
    if rules.mode == "walk":
        return walking_factor(slope)
    pushed = rules.kmh["pushed"]
    with np.errstate(invalid="ignore"):
        ridden = np.maximum(cycling_factor(slope), np.minimum(pushed / kmh, 1.0) if pushed > 0 else _CRAWL)
        return np.where(kmh <= pushed, walking_factor(slope), np.nan_to_num(ridden, nan=1.0))


_CRAWL = 0.1  # of the speed on the flat: nobody stands still on a hill


def _bridged(
    lines: Lines, step: np.ndarray, metres: np.ndarray, owner: np.ndarray, share: np.ndarray, height: np.ndarray
) -> np.ndarray:
    """Draw a straight line between the heights of both ends of every bridge and tunnel."""
    on = np.searchsorted(lines.at, step, side="right") - 1
    level = lines.level[on][owner]
    if not level.any():
        return height
    total = np.bincount(on, weights=metres, minlength=len(lines))
    behind = np.cumsum(metres) - metres
    first = np.searchsorted(on, np.arange(len(lines)))
    origin = np.append(behind, 0.0)[np.minimum(first, len(behind))]
    come = (behind - origin[on])[owner] + share * metres[owner]
    begin, end = (np.full(len(lines), np.nan) for _ in range(2))
    place = np.arange(len(owner))
    row = on[owner]
    begin[row[::-1]] = height[place[::-1]]  # the last writer is the first height of the line
    end[row] = height[place]
    with np.errstate(invalid="ignore", divide="ignore"):
        straight = begin[row] + (end - begin)[row] * np.where(total[row] > 0, come / total[row], 0.0)
    return np.where(level, straight, height)
