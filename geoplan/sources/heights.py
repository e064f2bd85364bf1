"""Heights at places, from a raster of the ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import rasterio
from rasterio.windows import Window

from geoplan import checks
from geoplan.errors import Fault, SourceError
from geoplan.sources.catalogue import sha256_of
from geoplan.sources.files import must_exist, unreadable

__all__ = ["Heights", "open_heights"]


class Heights:
    """A raster of heights, read where it is asked about.

    Attributes
    ----------
    cell_m
        Side of a cell in metres, roughly: the shorter one at the raster's middle.
    record
        Name, SHA-256, size and system of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with rasterio.open(path) as grid:
            if grid.crs is None:
                raise checks.crs_missing(hint="write it into the file: `gdal_edit.py -a_srs EPSG:3006`")
            self._crs = pyproj.CRS.from_user_input(grid.crs)
            self._size = (grid.width, grid.height)
            at = grid.transform
        self._corner, self._sides = np.array([at.c, at.f]), np.array([[at.a, at.b], [at.d, at.e]])
        centre = self._corner + self._sides @ (np.array(self._size) / 2)
        middle, beside, below = centre, centre + self._sides[:, 0], centre + self._sides[:, 1]
        back = pyproj.Transformer.from_crs(self._crs, 4326, always_xy=True).transform
        (lon, lat), (lon_x, lat_x), (lon_y, lat_y) = back(*middle), back(*beside), back(*below)
        sides = pyproj.Geod(ellps="WGS84").inv([lon, lon], [lat, lat], [lon_x, lon_y], [lat_x, lat_y])[2]
        self.cell_m = float(min(sides))
        self.record: dict[str, object] = {
            "kind": "heights",
            "name": path.name,
            "sha256": sha256_of(path),
            "bytes": path.stat().st_size,
            "crs": self._crs.to_string(),
        }

    def at(self, lonlat: np.ndarray) -> np.ndarray:
        """Return the height at each place (longitude, latitude), between the middles of cells; NaN where none is known.

        Where some of the four cells around have no height, the others count.
        """
        xy = np.column_stack(pyproj.Transformer.from_crs(4326, self._crs, always_xy=True).transform(*lonlat.T))
        with np.errstate(invalid="ignore"):  # a place outside the raster's system is at infinity
            column, row = np.linalg.inv(self._sides) @ (xy - self._corner).T
        known = np.isfinite(column) & np.isfinite(row)
        known &= (column >= 0) & (column <= self._size[0]) & (row >= 0) & (row <= self._size[1])
        heights = np.full(len(lonlat), np.nan)
        if known.any():
            heights[known] = self._between(column[known] - 0.5, row[known] - 0.5)
        return heights

    def _between(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        width, height = self._size
        west, north = (np.clip(np.floor(side).astype(int), 0, None) for side in (column, row))
        left, top = int(west.min()), int(north.min())
        right, bottom = min(int(west.max()) + 2, width), min(int(north.max()) + 2, height)
        with rasterio.open(self._path) as grid:
            try:
                cells = grid.read(1, window=Window(left, top, right - left, bottom - top), masked=True)
            except rasterio.errors.RasterioError as error:
                raise unreadable(self._path, error) from error
        cells = np.where(np.abs(cells := cells.astype(float).filled(np.nan)) < _HIGHEST, cells, np.nan)
        total, weight = np.zeros(len(column)), np.zeros(len(column))
        for over, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
            at_column = np.clip(west + over, 0, width - 1) - left
            at_row = np.clip(north + down, 0, height - 1) - top
            found = cells[at_row, at_column]
            part = np.clip(1 - np.abs(column - west - over), 0, 1) * np.clip(1 - np.abs(row - north - down), 0, 1)
            part = np.where(np.isfinite(found), part, 0.0)
            total += part * np.nan_to_num(found)
            weight += part
        return np.asarray(np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0))


_HIGHEST = 9_000.0  # metres; what is beyond is a mark for "no data" that the file does not declare, as -9999


def open_heights(path: Path) -> Heights:
    """Open a raster of heights in metres (its first band).

    Raises
    ------
    InputError
        ``SourceError`` when the file is missing, empty, damaged or no raster; ``CrsError`` when it states no system.
    """
    must_exist(path)
    try:
        heights = Heights(path)
    except rasterio.errors.RasterioError as error:
        raise unreadable(path, error) from error
    if not np.isfinite(heights.cell_m) or heights.cell_m <= 0:
        raise SourceError(Fault(what="the raster lies nowhere on Earth", hint="look at its coordinate system"))
    return heights
