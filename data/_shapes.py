"""Geometry helpers shared by the fictional town and the fictional estates.

Everything here is deterministic: randomness enters only through the generator
that the caller hands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.interpolate import CubicSpline
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Sequence

GRID_M = 0.1
"""Coordinates are snapped to decimetres: short files, exact shared borders."""

BARRIER_COST = 5.0
"""How much dearer it is to grow a neighbourhood across a railway or main road."""


@dataclass(frozen=True)
class Noise:
    """Smooth random field made of plane waves, mean 0 and standard deviation 1."""

    wave_vectors: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, wavelength_m: float, waves: int = 10) -> Noise:
        """Draw a field with about the given wavelength."""
        angle = rng.uniform(0, 2 * np.pi, waves)
        size = 2 * np.pi / (wavelength_m * rng.uniform(0.7, 1.4, waves))
        vectors = np.column_stack([np.cos(angle) * size, np.sin(angle) * size])
        return cls(vectors, rng.uniform(0, 2 * np.pi, waves))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Evaluate the field at an (n, 2) array of coordinates."""
        waves = np.cos(points @ self.wave_vectors.T + self.phases)
        return waves.sum(axis=1) * np.sqrt(2 / len(self.phases))


@dataclass(frozen=True)
class Wobble:
    """Displacement field that makes hand-drawn lines look surveyed."""

    fields: tuple[tuple[float, Noise, Noise], ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, octaves: Sequence[tuple[float, float]]) -> Wobble:
        """Draw one pair of fields per (wavelength, amplitude) in metres."""
        return cls(tuple((amp, Noise.draw(rng, wave), Noise.draw(rng, wave)) for wave, amp in octaves))

    def __call__(self, geometry: shapely.Geometry) -> shapely.Geometry:
        """Return the geometry with every vertex displaced."""
        return shapely.transform(geometry, self.move)

    def move(self, points: np.ndarray) -> np.ndarray:
        """Return displaced coordinates."""
        shift = np.zeros_like(points)
        for amplitude, across, along in self.fields:
            shift[:, 0] += amplitude * across(points)
            shift[:, 1] += amplitude * along(points)
        return points + shift


def curve(points: np.ndarray, step_m: float = 35.0, *, closed: bool = False) -> np.ndarray:
    """Run a smooth curve through control points, sampled at about ``step_m``."""
    if closed:
        points = np.vstack([points, points[:1]])
    lengths = np.hypot(*np.diff(points, axis=0).T)
    # square-root spacing (centripetal) keeps the curve from overshooting at sharp bends
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(lengths))])
    spline = CubicSpline(knots, points, bc_type="periodic" if closed else "natural")
    sampled = spline(np.linspace(0, knots[-1], max(8, int(lengths.sum() / step_m))))
    if closed:
        sampled[-1] = sampled[0]
    return sampled


def blob(
    centre: tuple[float, float],
    radii: tuple[float, float],
    angle_deg: float,
    wobble: Wobble,
) -> shapely.Geometry:
    """Return a distorted ellipse: an islet, a lake or a park."""
    turn = np.linspace(0, 2 * np.pi, 90)[:-1]
    angle = np.radians(angle_deg)
    flat = np.column_stack([radii[0] * np.cos(turn), radii[1] * np.sin(turn)])
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return shapely.make_valid(wobble(shapely.Polygon(flat @ rotation + np.array(centre))))


def relaxed_points(
    rng: np.random.Generator,
    box: tuple[float, float, float, float],
    spacing: np.ndarray,
    centre: tuple[float, float],
) -> np.ndarray:
    """Scatter points that lie closer near the centre, evened out by two Lloyd steps.

    ``spacing`` holds the spacing in metres at the centre and its increase per metre
    of distance, and the largest spacing.
    """
    low, rise, high = spacing
    candidates = rng.uniform(box[:2], box[2:], size=(60_000, 2))
    distance = np.hypot(*(candidates - np.array(centre)).T)
    wanted = np.minimum(low + rise * distance, high)
    area = (box[2] - box[0]) * (box[3] - box[1])
    keep = rng.uniform(size=len(candidates)) < area / len(candidates) / wanted**2
    points = candidates[keep]
    for _ in range(2):
        cells = voronoi(points, box)
        points = shapely.get_coordinates(shapely.centroid(cells))
    return points


def voronoi(points: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Return Voronoi cells in the order of the points, clipped to the box."""
    frame = shapely.box(*box)
    cells = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=frame, ordered=True)
    return shapely.intersection(shapely.get_parts(cells), frame)


def faces_of(lines: Sequence[shapely.Geometry]) -> np.ndarray:
    """Node all lines against one another and return the polygons they enclose."""
    noded = shapely.union_all(list(lines), grid_size=GRID_M)
    return shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))


def neighbour_graph(faces: np.ndarray, barriers: shapely.Geometry) -> csr_matrix:
    """Return travel costs between faces that share an edge.

    The cost is the distance between centroids, raised where the shared edge is a barrier.
    """
    first, second, middle = shared_edges(faces)
    centroids = shapely.get_coordinates(shapely.centroid(faces))
    cost = np.hypot(*(centroids[first] - centroids[second]).T)
    shapely.prepare(barriers)
    cost *= np.where(shapely.dwithin(barriers, shapely.points(middle), 1.0), BARRIER_COST, 1.0)
    # two faces may share several edges: keep the cheapest, as coo_matrix would add them up
    order = np.lexsort((cost, second, first))
    pairs = np.column_stack([first, second])[order]
    _, unique = np.unique(pairs, axis=0, return_index=True)
    rows, columns = pairs[unique].T
    size = (len(faces), len(faces))
    half = coo_matrix((cost[order][unique] + 1.0, (rows, columns)), shape=size)
    return (half + half.T).tocsr()


def shared_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return face numbers on both sides of every shared edge, and its midpoint."""
    rings, owner = shapely.get_rings(faces, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end = points[:-1][inside], points[1:][inside]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    edges = np.where(swap[:, None], np.hstack([end, start]), np.hstack([start, end]))
    edges = np.round(edges / GRID_M).astype(np.int64)
    holder = owner[ring[:-1][inside]]
    order = np.lexsort((holder, *edges.T[::-1]))
    edges, holder = edges[order], holder[order]
    twin = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1))
    middle = (edges[twin, :2] + edges[twin, 2:]) * GRID_M / 2
    return holder[twin], holder[twin + 1], middle


def grow(graph: csr_matrix, seeds: np.ndarray) -> np.ndarray:
    """Label every node with the position of its nearest seed; -1 where none reaches it."""
    _, _, source = dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)
    position = np.full(graph.shape[0], -1)
    position[seeds] = np.arange(len(seeds))
    return np.where(source >= 0, position[np.maximum(source, 0)], -1)


def nearest(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return, for every point, the number of the nearest target."""
    return cKDTree(targets).query(points)[1]


def smooth_borders(
    areas: np.ndarray,
    fixed: shapely.Geometry,
    *,
    tolerance_m: float,
    wobble: Wobble,
) -> list[shapely.Geometry]:
    """Return the border lines of a coverage, straightened where they are invented.

    Lines that run along ``fixed`` (coast, railway, road, municipal border) stay put.
    """
    borders = shapely.line_merge(shapely.union_all(shapely.boundary(areas)))
    buffer = shapely.buffer(fixed, 0.5)
    shapely.prepare(buffer)
    result = []
    for line in shapely.get_parts(borders):
        if shapely.intersection(buffer, line).length > 0.5 * line.length:
            result.append(line)
            continue
        points = shapely.get_coordinates(shapely.simplify(line, tolerance_m))
        if len(points) < 4 and line.is_closed:
            result.append(line)
            continue
        points = shapely.get_coordinates(shapely.segmentize(shapely.LineString(cut(points)), 140))
        moved = wobble.move(points)
        moved[[0, -1]] = points[[0, -1]]
        result.append(shapely.LineString(moved))
    return result


def cut(points: np.ndarray) -> np.ndarray:
    """Cut corners once (Chaikin) and keep both ends."""
    if len(points) < 3:
        return points
    near = points[:-1] * 0.8 + points[1:] * 0.2
    far = points[:-1] * 0.2 + points[1:] * 0.8
    inner = np.stack([near, far], axis=1).reshape(-1, 2)
    return np.vstack([points[:1], inner[1:-1], points[-1:]])


def relabel(faces: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Return for each face the old polygon that covers most of it, or -1."""
    tree = shapely.STRtree(old)
    face, polygon = tree.query(faces, predicate="intersects")
    share = shapely.area(shapely.intersection(faces[face], old[polygon]))
    share /= shapely.area(faces)[face]
    label = np.full(len(faces), -1)
    for position in np.argsort(share, kind="stable"):
        if share[position] > 0.3:
            label[face[position]] = polygon[position]
    return label


def absorb_slivers(faces: np.ndarray, label: np.ndarray, smallest_m2: float = 5000.0) -> tuple[np.ndarray, np.ndarray]:
    """Give detached scraps to the neighbour with the longest common border.

    A scrap of an area behind a river bend would otherwise make it multipart by accident.
    """
    parts = []
    owner = []
    for number in np.unique(label):
        pieces = shapely.get_parts(shapely.coverage_union_all(faces[label == number]))
        parts.extend(pieces)
        owner.extend([number] * len(pieces))
    shapes, owners = np.array(parts), np.array(owner)
    for scrap in np.flatnonzero(shapely.area(shapes) < smallest_m2):
        edge = shapely.boundary(shapes[scrap])
        shared = shapely.length(shapely.intersection(edge, shapely.boundary(shapes)))
        shared[owners == owners[scrap]] = 0.0
        if shared.max() > 0.0:
            owners[scrap] = owners[np.argmax(shared)]
    return shapes, owners


def as_multi(geometry: shapely.Geometry) -> shapely.MultiPolygon:
    """Return polygonal parts as one MultiPolygon with a normalised vertex order."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return shapely.normalize(shapely.MultiPolygon(parts))
