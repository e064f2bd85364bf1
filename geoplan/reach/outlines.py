"""Outlines of what is reached: strips along the streets, holes closed, one band inside the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geoplan.reach.stop_times import gather

if TYPE_CHECKING:
    from geoplan.reach.frontier import Frontier, Parts, Sections
    from geoplan.reach.streets import Streets

__all__ = ["Outlines", "closed", "holding"]

_LEVELS = 5  # steps in which the strip narrows towards where the time runs out
_WAY_M = 2.0  # half the width of the street itself
_SLIVER_M = 0.01
_TRIES = 5
_QUARTER = 8  # corners of a quarter of a circle


@dataclass(frozen=True, eq=False)
class Outlines:
    """Draws what is reached along streets.

    ``off_m`` is how far one goes from the street, at ``off_mps`` metres a second; ``fill_m2`` the largest hole that is
    closed; ``water`` a shape that is not covered, but by the streets across it, or None.
    """

    streets: Streets
    off_m: float
    off_mps: float
    fill_m2: float
    water: Any

    def drawn(self, frontier: Frontier, sections: Sections) -> tuple[Any, Parts]:
        """Return the outline of what is reached, and the stretches of street in it.

        Off the street one gets as far as the time that is left leads. The strip is built of layers: the part of the
        street at which there is time for so many metres, that many metres wide. Where one walks as fast on the street
        as off it, the widest layer touches the very place where the time runs out; where one is quicker on the street,
        the strip narrows in steps, and ends as the street itself.
        """
        reached, _ = frontier.parts(sections, 0)
        shapes = []
        left = np.ones(len(sections), dtype=bool)
        for level in range(_LEVELS, 0, -1):
            width = self.off_m * level / _LEVELS
            rest = _some(sections, left)
            parts, whole = frontier.parts(rest, width / self.off_mps * 1000)
            shapes.append(shapely.buffer(stretches(self.streets, parts), width, quad_segs=_QUARTER))
            left[np.flatnonzero(left)[whole]] = False  # narrower layers lie within this one
        narrow, _ = frontier.parts(_some(sections, left), 0)
        shapes.append(self.ways(narrow))
        outline = closed(shapely.union_all(np.concatenate(shapes)), self.fill_m2)
        if self.water is not None:
            lines = stretches(self.streets, reached)
            crossing = shapely.intersects(lines, self.water)
            outline = shapely.difference(outline, self.water)
            outline = shapely.union_all([outline, *self.ways(reached.kept(crossing))])
        return outline, reached

    def ways(self, parts: Parts) -> np.ndarray:
        """Return streets as wide as a street is."""
        lines = stretches(self.streets, parts)
        return np.asarray(shapely.buffer(lines, min(_WAY_M, self.off_m), cap_style="flat"))


def _some(sections: Sections, mask: np.ndarray) -> Sections:
    kept = {name: getattr(sections, name)[mask] for name in sections.__dataclass_fields__}
    return type(sections)(**kept)


def stretches(streets: Streets, parts: Parts) -> np.ndarray:
    """Return the shape of each part of a piece."""
    if not len(parts):
        return np.empty(0, dtype=object)
    xy, at = streets.shape_xy, streets.shape_at
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    step[at[:-1]] = 0
    run = np.cumsum(step)
    size = np.diff(at)
    begin, whole = run[at[:-1]], run[at[1:] - 1] - run[at[:-1]]
    number = np.repeat(np.arange(len(whole)), size)
    # Where each vertex stands: the number of its piece, twice, and its share of that piece.
    place = 2.0 * number + (run - begin[number]) / np.where(whole > 0, whole, 1)[number]
    low, high = 2.0 * parts.piece + parts.start, 2.0 * parts.piece + parts.end
    first, last = np.searchsorted(place, low, side="right"), np.searchsorted(place, high, side="left")
    inner = np.maximum(last - first, 0)
    vertex = gather(first, inner)
    count = inner + 2
    ends = np.cumsum(count)
    out = np.empty((ends[-1], 2))
    middle = np.ones(len(out), dtype=bool)
    middle[ends - count] = middle[ends - 1] = False
    out[middle] = xy[vertex]
    for column in (0, 1):
        out[ends - count, column] = np.interp(low, place, xy[:, column])
        out[ends - 1, column] = np.interp(high, place, xy[:, column])
    return np.asarray(shapely.linestrings(out, indices=np.repeat(np.arange(len(parts)), count)))


def closed(shape: Any, most_m2: float) -> Any:
    """Close the holes of polygons that are no larger than so many square metres.

    Examples
    --------
    >>> square = shapely.box(0, 0, 100, 100).difference(shapely.box(10, 10, 20, 20))
    >>> closed(square, 100).area, closed(square, 99).area
    (10000.0, 9900.0)
    """
    parts = shapely.get_parts(shapely.multipolygons([shape]) if shape.geom_type == "Polygon" else shape)
    filled = []
    for part in parts[shapely.get_type_id(parts) == _POLYGON]:
        holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > most_m2]
        filled.append(shapely.Polygon(part.exterior, holes))
    # What lies on an island in a hole that is closed is inside now.
    return _polygons(shapely.union_all(filled))


_POLYGON = 3


def _polygons(shape: Any) -> Any:
    """Return the polygons of a shape, as one multipolygon."""
    parts = shapely.get_parts(shape)
    return shapely.MultiPolygon(list(parts[shapely.get_type_id(parts) == _POLYGON]))


def holding(outer: Any, inner: Any) -> Any:
    """Return the outer shape, with what rounding left of the inner one outside it added.

    Examples
    --------
    >>> outer = holding(shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 2))
    >>> bool(outer.covers(shapely.box(1, 1, 3, 2)))
    True
    """
    whole = _polygons(shapely.union_all([outer, inner]))
    for number in range(_TRIES):
        if inner.is_empty or shapely.covers(whole, inner):
            break
        slivers = shapely.difference(inner, whole) if number < _TRIES - 1 else inner
        whole = _polygons(shapely.union_all([whole, shapely.buffer(slivers, _SLIVER_M * (number + 1))]))
    return whole
