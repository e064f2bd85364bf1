"""Where the people of Nordhamra live, how old they are, and where they work."""

from __future__ import annotations

from dataclasses import dataclass

import _plan as plan
import geopandas as gpd
import numpy as np
import shapely
from _shapes import Noise
from _town import Town, metres

CELL_M = 100.0
YEARS = np.arange(2006, 2013)
OLDEST = 100
NO_HOMES = -50.0


@dataclass(frozen=True)
class Grid:
    """Residents per cell, row 0 in the north, and its upper left corner."""

    residents: np.ndarray
    west: float
    north: float


@dataclass(frozen=True)
class People:
    """Ages by area, year and age, and the characters of the areas."""

    grid: Grid
    ages: np.ndarray
    kinds: list[str]
    households: np.ndarray


def apportion(total: int, weights: np.ndarray) -> np.ndarray:
    """Split an integer by weights with largest remainders, so that it adds up."""
    if total == 0:
        return np.zeros(len(weights), dtype=np.int64)
    exact = total * weights / weights.sum()
    whole = np.floor(exact).astype(np.int64)
    short = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:short]] += 1
    return whole


def district_of(town: Town) -> np.ndarray:
    """Return the number of the stadsdel of every basområde, read from the code."""
    return town.basomraden["area_id"].str[4:6].astype(int).to_numpy() - 1


def residents_2012(town: Town, rng: np.random.Generator) -> np.ndarray:
    """Return residents per basområde at the end of 2012."""
    names = town.basomraden["name"].to_list()
    district = district_of(town)
    size = np.sqrt(town.basomraden.geometry.area.to_numpy())
    residents = np.array([plan.RESIDENTS.get(name, -1) for name in names], dtype=np.int64)
    free = residents < 0
    weights = np.zeros(len(names))
    for number, planned in enumerate(plan.DISTRICTS):
        mine = free & (district == number)
        if mine.any():
            uneven = size[mine] * rng.lognormal(0, 0.33, int(mine.sum()))
            fixed = residents[(district == number) & ~free].sum()
            weights[mine] = (planned.residents - fixed) * uneven / uneven.sum()
    residents[free] = apportion(plan.TOTAL_2012 - int(residents[~free].sum()), weights[free])
    return residents


def settle(town: Town, residents: np.ndarray, rng: np.random.Generator) -> Grid:
    """Spread residents over hundred-metre cells, in built-up patches and not in parks."""
    west, south, east, north = town.kommun.total_bounds
    west, south = np.floor(west / CELL_M) * CELL_M, np.floor(south / CELL_M) * CELL_M
    columns, rows = int(np.ceil((east - west) / CELL_M)), int(np.ceil((north - south) / CELL_M))
    top = south + rows * CELL_M
    x = west + (np.arange(columns) + 0.5) * CELL_M
    y = top - (np.arange(rows) + 0.5) * CELL_M
    centres = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    points = shapely.points(centres)
    shapes = town.basomraden.geometry.to_numpy()
    cell, area = shapely.STRtree(points).query(shapes, predicate="contains")[::-1]
    green = shapely.union_all([*town.parks.geometry, *town.rail.geometry.buffer(45)])
    shapely.prepare(green)
    pattern = Noise.draw(rng, 650)(centres) + 0.6 * Noise.draw(rng, 280)(centres)
    pattern[shapely.contains(green, points)] = NO_HOMES
    values = np.full(len(points), -1, dtype=np.int32)
    values[cell] = 0
    district = district_of(town)
    for number, count in enumerate(residents):
        mine = cell[area == number]
        share = plan.BUILT_SHARE[plan.DISTRICTS[district[number]].kind]
        dry = int((pattern[mine] > NO_HOMES / 2).sum())
        cells = max(1, min(dry, round(share * len(mine))))
        best = mine[np.argsort(-pattern[mine], kind="stable")][:cells]
        weights = np.exp(0.55 * np.clip(pattern[best], -2, 3)) * rng.lognormal(0, 0.25, len(best))
        values[best] = apportion(int(count), weights)
    return Grid(values.reshape(rows, columns), float(west), float(top))


def draw_ages(town: Town, residents: np.ndarray, kinds: list[str], rng: np.random.Generator) -> np.ndarray:
    """Return persons by area, year and single year of age."""
    district = district_of(town)
    growth = np.array([plan.DISTRICTS[d].growth for d in district])
    growth = growth + rng.normal(0, 0.003, len(growth))
    ages = np.zeros((len(residents), len(YEARS), OLDEST), dtype=np.int64)
    for number, kind in enumerate(kinds):
        bands = np.array(plan.AGE_SHARES[kind]) * rng.lognormal(0, 0.1, len(plan.AGE_BANDS))
        shares = np.zeros(OLDEST)
        for (low, high), share in zip(plan.AGE_BANDS, bands, strict=True):
            fall = np.linspace(1.0, 0.1 if low >= 80 else 0.95, high - low + 1)
            shares[low : high + 1] = share * fall / fall.sum()
        for position, year in enumerate(YEARS):
            total = round(residents[number] * (1 + growth[number]) ** float(year - YEARS[-1]))
            total = int(residents[number]) if year == YEARS[-1] else total
            ages[number, position] = apportion(total, shares * rng.lognormal(0, 0.12, OLDEST))
    return ages


def populate(town: Town, rng: np.random.Generator) -> People:
    """Fill the town with people."""
    kinds = [plan.DISTRICTS[d].kind for d in district_of(town)]
    # the hidden estate has the families of an estate, whatever surrounds it
    hidden = town.basomraden["name"].to_list().index("Plommongården")
    kinds[hidden] = "estate"
    residents = residents_2012(town, rng)
    grid = settle(town, residents, rng)
    ages = draw_ages(town, residents, kinds, rng)
    size = np.array([plan.HOUSEHOLD_SIZE[kind] for kind in kinds]) * rng.normal(1, 0.04, len(kinds))
    households = np.ceil(ages.sum(axis=2) / size[:, None]).astype(np.int64)
    return People(grid, ages, kinds, np.minimum(households, ages.sum(axis=2)))


def workplaces(town: Town, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return workplaces as points with sector and jobs."""
    land = shapely.difference(
        shapely.buffer(town.kommun.geometry.iloc[0], -15),
        shapely.union_all([*town.parks.geometry, *town.rail.geometry.buffer(20)]),
    )
    shapely.prepare(land)
    spots, sectors, sizes = [], [], []
    for cluster in plan.JOB_CLUSTERS:
        weights = np.array(list(cluster.sectors.values()), dtype=float)
        for _ in range(cluster.workplaces):
            spots.append(land_point(land, metres(cluster.centre), cluster.spread_m, rng))
            sectors.append(str(rng.choice(list(cluster.sectors), p=weights / weights.sum())))
            sizes.append(cluster.mean_jobs * rng.lognormal(-0.45, 0.95))
    homes = homes_to_draw(town, rng, plan.TOTAL_WORKPLACES - len(spots))
    weights = np.array(list(plan.DISTRICT_SERVICES.values()), dtype=float)
    for home in homes:
        spots.append(land_point(land, home, 90, rng))
        sectors.append(str(rng.choice(list(plan.DISTRICT_SERVICES), p=weights / weights.sum())))
        sizes.append(46 * rng.lognormal(-0.3, 0.75))
    jobs = apportion(plan.TOTAL_JOBS - len(sizes), np.array(sizes)) + 1
    columns = {
        "workplace_id": [f"W{number + 1:04d}" for number in range(len(jobs))],
        "sector": sectors,
        "jobs": jobs.astype(np.int32),
        **jobs_by_education(sectors, jobs),
    }
    return gpd.GeoDataFrame(columns, geometry=shapely.points(np.round(spots)), crs=plan.CRS)


def jobs_by_education(sectors: list[str], jobs: np.ndarray) -> dict[str, np.ndarray]:
    """Divide the jobs of every workplace by the education they ask for, so that they add up."""
    parts = [
        apportion(int(count), np.array(plan.EDUCATION_ASKED[sector], dtype=float))
        for sector, count in zip(sectors, jobs, strict=True)
    ]
    levels = ("basic", "secondary", "tertiary")
    return {f"jobs_{level}": column.astype(np.int32) for level, column in zip(levels, np.array(parts).T, strict=True)}


def homes_to_draw(town: Town, rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw ordinary neighbourhoods, the larger the likelier, and a spot in each."""
    planned = np.array([max(d.residents, 300) for d in plan.DISTRICTS], dtype=float)
    numbers = rng.choice(len(planned), size=count, p=planned / planned.sum())
    anchors = shapely.get_coordinates(shapely.point_on_surface(town.stadsdelar.geometry.to_numpy()))
    return anchors[numbers] + rng.normal(0, 330, (count, 2))


def land_point(land: shapely.Geometry, centre: np.ndarray, spread_m: float, rng: np.random.Generator) -> np.ndarray:
    """Draw one point around a centre that is dry and not in a park."""
    for attempt in range(200):
        # widen slowly: a cluster drawn on the waterfront must still find its places
        spot = centre + rng.normal(0, spread_m * (1 + attempt / 50), 2)
        if shapely.contains_xy(land, *spot):
            return spot
    message = f"No dry place near {centre.tolist()}"
    raise ValueError(message)
