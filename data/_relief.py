"""The ground of Nordhamra: flat by the sea and along the river, low hills between, in whole metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from _shapes import Noise
from _town import Town, frame, metres
from scipy.ndimage import map_coordinates

STEP_M = 50.0
HILLS = [
    ((5.2, 8.5), 17, 620), ((7.15, 8.2), 14, 560), ((5.0, 7.1), 10, 520), ((6.0, 6.35), 16, 330),
    ((5.3, 5.6), 8, 300), ((5.0, 6.0), 13, 420), ((10.95, 4.5), 17, 380), ((9.05, 7.95), 20, 520),
    ((12.6, 2.7), 12, 560), ((12.4, 7.7), 19, 900), ((8.35, 3.3), 10, 350), ((2.7, 5.8), 8, 500),
    ((1.2, 5.0), 9, 520), ((4.85, 3.85), 11, 330), ((7.4, 4.2), 7, 260), ((3.2, 3.5), 8, 600),
    ((10.4, 6.4), 9, 520), ((4.05, 1.45), 9, 420), ((5.55, 2.2), 6, 220),
]  # fmt: skip
"""Hills and ridges that the names of the districts speak of: middle in kilometres, height and radius in metres."""


@dataclass(frozen=True)
class Relief:
    """Metres above the sea in square cells, row 0 in the north."""

    metres: np.ndarray
    west: float
    north: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the height at points, read between the middles of the cells."""
        column = (points[:, 0] - self.west) / STEP_M - 0.5
        row = (self.north - points[:, 1]) / STEP_M - 0.5
        return map_coordinates(self.metres.astype(float), [row, column], order=1, mode="nearest")


def build_relief(town: Town, rng: np.random.Generator) -> Relief:
    """Draw the ground; the sea is 0 and every lake level."""
    west, south, east, north = frame()
    columns, rows = round((east - west) / STEP_M), round((north - south) / STEP_M)
    x = west + (np.arange(columns) + 0.5) * STEP_M
    y = north - (np.arange(rows) + 0.5) * STEP_M
    centres = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    spots = shapely.points(centres)
    water = town.water.set_index("name").geometry
    from_sea = shapely.distance(spots, water["Hamrafjärden"])
    from_river = shapely.distance(spots, water["Hamraån"])
    rolling = 4.5 * Noise.draw(rng, 1700)(centres) + 2.2 * Noise.draw(rng, 620)(centres)
    hills = np.zeros(len(centres))
    for middle, height, radius in HILLS:
        away = np.hypot(*(centres - metres(middle)).T)
        hills += height * np.exp(-0.5 * (away / (radius / 1.6)) ** 2)
    upland = 7 + 17 * np.tanh(from_sea / 3500) + np.maximum(rolling + hills, -5)
    shore = np.tanh(from_sea / 260)
    valley = 0.3 + 0.7 * np.tanh(from_river / 330)
    height = upland * shore * valley
    for name, shape in water.items():
        if name not in {"Hamrafjärden", "Hamraån"}:
            away = shapely.distance(spots, shape)
            level = np.quantile(height[away == 0], 0.2)
            height = level + (height - level) * np.tanh(away / 260)
    height = np.where(from_sea > 0, np.maximum(np.round(height), 1), 0).astype(np.int16)
    return Relief(height.reshape(rows, columns), west, north)
