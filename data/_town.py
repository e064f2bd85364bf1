"""Build the map of Nordhamra: water, lines, parks and three exact levels of areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import _plan as plan
import geopandas as gpd
import numpy as np
import shapely
from _shapes import (
    Wobble,
    absorb_slivers,
    as_multi,
    blob,
    curve,
    faces_of,
    grow,
    nearest,
    neighbour_graph,
    relabel,
    relaxed_points,
    smooth_borders,
    voronoi,
)
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LLOYD_STEPS = 4


@dataclass(frozen=True)
class Town:
    """Every layer of the town."""

    basomraden: gpd.GeoDataFrame
    stadsdelar: gpd.GeoDataFrame
    stadsdelsnamnder: gpd.GeoDataFrame
    kommun: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    parks: gpd.GeoDataFrame
    rail: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame


def metres(points: list[tuple[float, float]] | tuple[float, float]) -> np.ndarray:
    """Turn kilometres on the plan into projected metres."""
    return np.asarray(points, dtype=float) * 1000 + np.array(plan.ORIGIN)


def frame() -> tuple[float, float, float, float]:
    """Return the map frame in projected metres."""
    west, south, east, north = plan.FRAME
    return (*metres((west, south)), *metres((east, north)))


def draw_water(rng: np.random.Generator) -> tuple[list[str], list[shapely.Geometry]]:
    """Return names and shapes of sea, river and lakes, without the islands."""
    coast_wobble = Wobble.draw(rng, [(1500, 85), (560, 60), (230, 26)])
    river_wobble = Wobble.draw(rng, [(900, 45), (330, 20)])
    islet_wobble = Wobble.draw(rng, [(420, 45), (170, 17)])
    coast = curve(metres(plan.COAST))
    corners = metres([(18.0, -5.0), (-3.0, -5.0)])
    sea = shapely.make_valid(coast_wobble(shapely.Polygon(np.vstack([coast, corners]))))
    islands = shapely.union_all(
        [blob(metres(at), np.array(r) * 1000, turn, islet_wobble) for at, r, turn in plan.ISLANDS]
    )
    river = river_wobble(shapely.LineString(curve(metres(plan.RIVER))))
    stream = river_wobble(shapely.LineString(curve(metres(plan.TRIBUTARY))))
    running = shapely.union_all([river.buffer(30), stream.buffer(9)])
    lakes = [blob(metres(at), np.array(r) * 1000, turn, coast_wobble) for _, at, r, turn in plan.LAKES]
    sea = sea.difference(islands).intersection(shapely.box(*frame()))
    running = running.difference(sea).difference(shapely.union_all(lakes))
    running = running.intersection(shapely.box(*frame()))
    names = ["Hamrafjärden", "Hamraån", *(name for name, *_ in plan.LAKES)]
    simpler = [shapely.simplify(shape, 10.0) for shape in (sea, running, *lakes)]
    return names, simpler


def draw_lines(rng: np.random.Generator, lines: list[tuple[str, str, list[tuple[float, float]]]]) -> gpd.GeoDataFrame:
    """Return railways or roads as smooth lines within the frame."""
    wobble = Wobble.draw(rng, [(2500, 60), (900, 18)])
    shapes = [wobble(shapely.LineString(curve(metres(points)))) for _, _, points in lines]
    shapes = [shapely.simplify(s, 3.0).intersection(shapely.box(*frame())) for s in shapes]
    columns = {"name": [n for n, _, _ in lines], "kind": [k for _, k, _ in lines]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=plan.CRS)


def draw_outline(rng: np.random.Generator) -> shapely.Geometry:
    """Return the municipal border: straight stretches with a few kinks."""
    corners = metres([*plan.OUTLINE, plan.OUTLINE[0]])
    kinked = shapely.segmentize(shapely.LineString(corners), 600)
    wobble = Wobble.draw(rng, [(1900, 90), (650, 45)])
    return shapely.Polygon(wobble(kinked).coords)


def stadsdel_labels(faces: np.ndarray, graph: csr_matrix) -> np.ndarray:
    """Grow the stadsdelar from their seeds; islands go to the island district."""
    centroids = shapely.get_coordinates(shapely.centroid(faces))
    seeds = nearest(metres([d.seed for d in plan.DISTRICTS]), centroids)
    label = grow(graph, seeds)
    islets = [xy for group in plan.ISLAND_SEEDS.values() for xy in group]
    reached = grow(graph, nearest(metres(islets), centroids))
    label[reached >= 0] = len(plan.DISTRICTS) - 1
    return adopt(label, centroids, graph)


def adopt(label: np.ndarray, centroids: np.ndarray, graph: csr_matrix) -> np.ndarray:
    """Give islets that no seed reached, each as a whole, the nearest label."""
    count, islet = connected_components(graph, directed=False)
    size = np.bincount(islet, minlength=count)[:, None]
    sums = [np.bincount(islet, weights=axis, minlength=count) for axis in centroids.T]
    middle = np.column_stack(sums) / size
    known = np.flatnonzero(label >= 0)
    return np.where(label >= 0, label, label[known[nearest(middle[islet], centroids[known])]])


DIRECTIONS = {
    "n": (0, 1), "s": (0, -1), "e": (1, 0), "w": (-1, 0), "c": (0, 0),
}  # fmt: skip


def split_district(district: plan.District, faces: np.ndarray, graph: csr_matrix) -> tuple[list[str], np.ndarray]:
    """Split one stadsdel into its basområden; names follow the point of the compass."""
    pairs = [part.split(":") for part in district.parts.split("|")]
    names = [name for _, name in pairs]
    centroids = shapely.get_coordinates(shapely.centroid(faces))
    if district.kind == "islands":
        spots = [(names.index(n), xy) for n, group in plan.ISLAND_SEEDS.items() for xy in group]
        part_of = np.array([number for number, _ in spots])
        seeds = nearest(metres([xy for _, xy in spots]), centroids)
        return names, part_of[adopt(grow(graph, seeds), centroids, graph)]
    weight = shapely.area(faces)
    middle = np.average(centroids, axis=0, weights=weight)
    spread = np.sqrt(np.average((centroids - middle) ** 2, axis=0, weights=weight))
    targets = middle + np.array([DIRECTIONS[d] for d, _ in pairs]) * spread * 1.1
    for _ in range(LLOYD_STEPS):
        seeds = distinct(nearest(targets, centroids), len(faces))
        label = adopt(grow(graph, seeds), centroids, graph)
        targets = np.array(
            [np.average(centroids[label == k], axis=0, weights=weight[label == k]) for k in range(len(names))]
        )
    return names, label


def distinct(seeds: np.ndarray, size: int) -> np.ndarray:
    """Return the seeds if all differ; two areas on one face would lose one of them."""
    if len(np.unique(seeds)) != len(seeds) or len(seeds) > size:
        message = f"Two basområden start in the same face: {seeds.tolist()}"
        raise ValueError(message)
    return seeds


def grow_areas(
    rng: np.random.Generator, lines: list[shapely.Geometry], land: shapely.Geometry,
    barriers: shapely.Geometry,
) -> tuple[list[tuple[int, str]], np.ndarray]:  # fmt: skip
    """Return (district number, name) and the rough polygon of each basområde."""
    box = frame()
    points = relaxed_points(rng, box, np.array([75.0, 0.033, 270.0]), metres(plan.CENTRE))
    faces = faces_of([*shapely.boundary(voronoi(points, box)), *lines])
    shapely.prepare(land)
    faces = faces[shapely.contains(land, shapely.point_on_surface(faces))]
    graph = neighbour_graph(faces, barriers)
    stadsdel = stadsdel_labels(faces, graph)
    keys: list[tuple[int, str]] = []
    shapes = []
    for number, district in enumerate(plan.DISTRICTS):
        rows = np.flatnonzero(stadsdel == number)
        names, part = split_district(district, faces[rows], graph[rows][:, rows])
        for k, name in enumerate(names):
            keys.append((number, name))
            shapes.append(shapely.coverage_union_all(faces[rows[part == k]]))
    return keys, np.array(shapes)


def refine(
    rough: np.ndarray, fixed: shapely.Geometry, water: list[shapely.Geometry],
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[shapely.Geometry]]:  # fmt: skip
    """Straighten invented borders and rebuild all polygons from one set of noded lines.

    Land and water come out of the same noding, so that coast and borders are shared exactly.
    """
    wobble = Wobble.draw(rng, [(260, 9), (120, 4)])
    lines = smooth_borders(rough, fixed, tolerance_m=38.0, wobble=wobble)
    edges = [shapely.boundary(shape) for shape in water]
    faces = faces_of([*lines, *edges])
    old = np.concatenate([rough, np.array(water)])
    label = relabel(faces, old)
    faces, label = absorb_slivers(faces[label >= 0], label[label >= 0])
    polygons = [as_multi(shapely.coverage_union_all(faces[label == number])) for number in range(len(old))]
    return np.array(polygons[: len(rough)]), polygons[len(rough) :]


def coded(keys: list[tuple[int, str]], shapes: np.ndarray) -> gpd.GeoDataFrame:
    """Give basområden their codes, serial numbers running within each stadsdel."""
    serial: dict[int, int] = {}
    codes = []
    for number, _ in keys:
        serial[number] = serial.get(number, 0) + 1
        codes.append(f"{plan.MUNICIPALITY}{number + 1:02d}{serial[number]:02d}")
    columns = {"area_id": codes, "name": [name for _, name in keys]}
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=plan.CRS)


def merged(children: gpd.GeoDataFrame, parent: list[int], ids: list[str], names: list[str]) -> gpd.GeoDataFrame:
    """Return parents as exact unions of their children."""
    groups = np.array(parent)
    geometry = children.geometry.to_numpy()
    shapes = [as_multi(shapely.coverage_union_all(geometry[groups == k])) for k in range(len(ids))]
    return gpd.GeoDataFrame({"area_id": ids, "name": names}, geometry=shapes, crs=plan.CRS)


def draw_parks(rng: np.random.Generator, land: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return parks and reserves, cut at the shore."""
    wobble = Wobble.draw(rng, [(450, 40), (180, 16)])
    shapes = [
        shapely.simplify(blob(metres(at), np.array(r) * 1000, turn, wobble), 6.0).intersection(land)
        for _, at, r, turn in plan.PARKS
    ]
    shapes = [as_multi(shapely.set_precision(shape, 0.1)) for shape in shapes]
    return gpd.GeoDataFrame({"name": [p[0] for p in plan.PARKS]}, geometry=shapes, crs=plan.CRS)


def build_town(rng: np.random.Generator) -> Town:
    """Draw the whole town."""
    water_names, water = draw_water(rng)
    rail = draw_lines(rng, plan.RAILWAYS)
    roads = draw_lines(rng, plan.ROADS)
    outline = draw_outline(rng)
    wet = shapely.union_all(water)
    land = outline.difference(wet)
    tracks = [*rail.geometry, *roads.geometry]
    lines = [outline.boundary, *(shape.boundary for shape in water), *tracks]
    keys, rough = grow_areas(rng, lines, land, shapely.union_all([*tracks, outline.boundary]))
    shapes, water = refine(rough, shapely.union_all(lines), water, rng)
    areas = coded(keys, shapes)
    stadsdelar = merged(
        areas,
        [number for number, _ in keys],
        [f"{plan.MUNICIPALITY}S{k + 1:02d}" for k in range(len(plan.DISTRICTS))],
        [district.name for district in plan.DISTRICTS],
    )
    boards = merged(
        stadsdelar,
        [district.board - 1 for district in plan.DISTRICTS],
        [f"{plan.MUNICIPALITY}N{k + 1}" for k in range(len(plan.BOARDS))],
        plan.BOARDS,
    )
    kommun = merged(boards, [0] * len(boards), [plan.MUNICIPALITY], ["Nordhamra"])
    return Town(
        basomraden=areas,
        stadsdelar=stadsdelar,
        stadsdelsnamnder=boards,
        kommun=kommun,
        water=gpd.GeoDataFrame({"name": water_names}, geometry=water, crs=plan.CRS),
        parks=draw_parks(rng, kommun.geometry.iloc[0]),
        rail=snapped(rail),
        roads=snapped(roads),
    )


def snapped(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Round line coordinates to decimetres."""
    return lines.set_geometry(shapely.set_precision(lines.geometry.to_numpy(), 0.1), crs=lines.crs)
