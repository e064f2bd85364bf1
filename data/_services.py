"""Where the people of Nordhamra go: schools, culture, leisure, shops and the cores of the region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import _plan as plan
import geopandas as gpd
import numpy as np
import shapely
from _town import Town, metres

if TYPE_CHECKING:
    from _lines import Way

SQUARE_M_PER_JOB = 42
LIBRARIES = [
    ("Stadsbiblioteket", (6.2, 4.95), 900), ("Granhöjdens bibliotek", (5.2, 8.4), 160),
    ("Björkhamras bibliotek", (2.72, 5.6), 180), ("Rönnheds bibliotek", (10.3, 6.15), 140),
    ("Stensvedjans bibliotek", (11.2, 5.0), 120), ("Klockängens bibliotek", (7.4, 5.1), 210),
]  # fmt: skip
LEISURE = [
    ("swimming_hall", "Hamrabadet", (6.7, 5.9), 750), ("swimming_hall", "Österbadet", (9.6, 5.0), 420),
    ("ice_rink", "Slaggrinken", (9.2, 6.35), 330), ("stadium", "Vretavallen", (7.9, 4.8), 600),
    ("youth_centre", "Fritidsgården Granen", (5.35, 8.5), 70),
    ("youth_centre", "Fritidsgården Nävern", (2.6, 5.75), 80),
    ("youth_centre", "Fritidsgården Trasten", (10.5, 6.1), 60), ("youth_centre", "Fritidsgården Orren", (1.4, 4.8), 50),
    ("youth_centre", "Fritidsgården Flinta", (11.3, 5.0), 60),
    ("bathing_place", "Lotsbadet", (4.7, 3.4), 160), ("bathing_place", "Havsbadet", (10.1, 2.3), 190),
    ("bathing_place", "Sandbadet", (12.4, 2.0), 220), ("bathing_place", "Sjöbadet", (3.1, 7.5), 140),
    ("bathing_place", "Alkärrsbadet", (2.9, 2.9), 90), ("marina", "Båtsmansbryggan", (3.9, 3.0), 60),
    ("marina", "Hamra gästhamn", (6.9, 4.3), 130),
]  # fmt: skip
CORES = [
    ("Hamra torg", (6.12, 4.9)), ("Centralen", (6.05, 5.5)), ("Sjukhusåsen", (6.0, 6.3)),
    ("Klockartorget", (7.42, 5.2)), ("Åkersvallen", (8.4, 7.15)), ("Slaggmarken", (8.5, 6.15)),
]  # fmt: skip
CORE_M = 500.0
SCHOOLS = {
    # kind: fewest jobs, pupils per job, what it is called
    "upper_secondary_school": (75, 6, "Gymnasiet"),
    "primary_school": (26, 6, "Skolan"),
    "preschool": (0, 4, "Förskolan"),
}
STAGES = {
    "theatre": (60, "Teatern"),
    "museum": (35, "Museet"),
    "cinema": (18, "Biografen"),
    "culture_house": (0, "Kulturhuset"),
}


@dataclass(frozen=True)
class Places:
    """Points with what they are, what they are called, and how much they offer."""

    kinds: list[str]
    names: list[str]
    spots: list[np.ndarray]
    amounts: list[int]

    def frame(self, letter: str, column: str) -> gpd.GeoDataFrame:
        """Return the places as a layer with ids of a letter and a number."""
        order = sorted(range(len(self.kinds)), key=lambda k: tuple(np.round(self.spots[k])))
        columns = {
            "service_id": [f"{letter}{number:03d}" for number in range(1, len(order) + 1)],
            "kind": [self.kinds[k] for k in order],
            "name": [self.names[k] for k in order],
            column: np.array([self.amounts[k] for k in order], dtype=np.int32),
        }
        spots = np.round([self.spots[k] for k in order])
        return gpd.GeoDataFrame(columns, geometry=shapely.points(spots), crs=plan.CRS)


class Finder:
    """Names places after the neighbourhood, and sets them beside a street."""

    def __init__(self, town: Town, ways: list[Way]) -> None:
        self._areas = town.basomraden
        self._tree = shapely.STRtree(town.basomraden.geometry.to_numpy())
        self._lines = np.array([way.line for way in ways if way.tags.get("foot") != "no" and way.kind != "ferry"])
        self._streets = shapely.STRtree(self._lines)
        self._given: dict[str, int] = {}

    def name(self, what: str, spot: np.ndarray) -> str:
        """Return a name that no other place has."""
        area = self._areas["name"].iloc[self._tree.query_nearest(shapely.Point(spot))[0]]
        plain = f"{what} {area}"
        self._given[plain] = self._given.get(plain, 0) + 1
        return plain if self._given[plain] == 1 else f"{plain} {self._given[plain]}"

    def beside(self, spot: np.ndarray, away_m: float = 12.0) -> np.ndarray:
        """Return a spot a few metres from the nearest street, on the side where it was asked for."""
        point = shapely.Point(spot)
        onto = self._lines[self._streets.query_nearest(point)[0]]
        foot = onto.interpolate(onto.project(point))
        off = np.array([point.x - foot.x, point.y - foot.y])
        length = float(np.hypot(*off))
        return np.array([foot.x, foot.y]) + (off / length * min(away_m, length) if length > 0 else off)


def schools(jobs: gpd.GeoDataFrame, finder: Finder) -> Places:
    """Return where one learns: every workplace of education, with places for pupils or students."""
    mine = jobs[jobs["sector"] == "education"]
    spots = shapely.get_coordinates(mine.geometry)
    near = np.hypot(*(spots - metres((7.4, 5.3))).T) < 900
    campus = int(np.argmax(np.where(near, mine["jobs"], 0)))
    places = Places([], [], [], [])
    for k, (spot, staff) in enumerate(zip(spots, mine["jobs"].tolist(), strict=True)):
        kind = next(name for name, (least, _, _) in SCHOOLS.items() if staff >= least)
        pupils, title = SCHOOLS[kind][1:]
        if k == campus:
            kind, pupils, name = "university_college", 9, "Hamra högskola"
        else:
            name = finder.name(title, spot)
        places.kinds.append(kind)
        places.names.append(name)
        places.spots.append(spot)
        places.amounts.append(5 * max(4, round(staff * pupils / 5)))
    return places


def culture(jobs: gpd.GeoDataFrame, finder: Finder) -> Places:
    """Return stages, museums and libraries, with visits a day."""
    places = Places([], [], [], [])
    mine = jobs[jobs["sector"] == "culture"]
    for spot, staff in zip(shapely.get_coordinates(mine.geometry), mine["jobs"].tolist(), strict=True):
        kind = next(name for name, (least, _) in STAGES.items() if staff >= least)
        places.kinds.append(kind)
        places.names.append(finder.name(STAGES[kind][1], spot))
        places.spots.append(spot)
        places.amounts.append(10 * max(2, round(staff * 0.6)))
    for name, at, visits in LIBRARIES:
        places.kinds.append("library")
        places.names.append(name)
        places.spots.append(finder.beside(metres(at)))
        places.amounts.append(visits)
    return places


def leisure(town: Town, finder: Finder, rng: np.random.Generator) -> Places:
    """Return baths, halls, pitches and parks, with visits a day."""
    places = Places([], [], [], [])
    for kind, name, at, visits in LEISURE:
        places.kinds.append(kind)
        places.names.append(name)
        places.spots.append(finder.beside(metres(at)))
        places.amounts.append(visits)
    for name, shape in zip(town.parks["name"], town.parks.geometry, strict=True):
        middle = shape.centroid
        places.kinds.append("park")
        places.names.append(name)
        places.spots.append(finder.beside(np.array([middle.x, middle.y]), 4.0))
        places.amounts.append(10 * round(4 + np.sqrt(shape.area) / 40))
    for number, district in enumerate(plan.DISTRICTS):
        if district.residents < 2000 or district.name == "Tallmohöjden":
            continue  # Tallmohöjden was promised its pitch
        anchor = town.stadsdelar.geometry.iloc[number].representative_point()
        spot = np.array([anchor.x, anchor.y]) + rng.normal(0, 260, 2)
        kind = "sports_hall" if number % 3 == 0 else "sports_field"
        spot = finder.beside(spot)
        places.kinds.append(kind)
        places.names.append(finder.name("Sporthallen" if kind == "sports_hall" else "Bollplanen", spot))
        places.spots.append(spot)
        places.amounts.append(10 * int(rng.integers(6, 20)))
    return places


def retail(jobs: gpd.GeoDataFrame, finder: Finder) -> Places:
    """Return shops with square metres of sales floor."""
    places = Places([], [], [], [])
    mine = jobs[jobs["sector"] == "retail"]
    spots = shapely.get_coordinates(mine.geometry)
    by_car = np.hypot(*(spots - metres((8.4, 7.15))).T) < 1200
    in_town = np.hypot(*(spots - metres(plan.CENTRE)).T) < 1500
    for spot, staff, park, town in zip(spots, mine["jobs"].tolist(), by_car, in_town, strict=True):
        kind = "retail_park" if park else ("shop" if town else "local_centre")
        places.kinds.append(kind)
        places.names.append(
            finder.name({"retail_park": "Varuhuset", "shop": "Butiken"}.get(kind, "Centrumhuset"), spot)
        )
        places.spots.append(spot)
        places.amounts.append(10 * max(3, round(staff * SQUARE_M_PER_JOB / 10)))
    return places


def cores(jobs: gpd.GeoDataFrame) -> Places:
    """Return the cores of the region, each with the jobs around it."""
    spots = shapely.get_coordinates(jobs.geometry)
    amounts = [int(jobs["jobs"][np.hypot(*(spots - metres(at)).T) <= CORE_M].sum()) for _, at in CORES]
    return Places(["regional_core"] * len(CORES), [n for n, _ in CORES], [metres(at) for _, at in CORES], amounts)


def services(
    town: Town, jobs: gpd.GeoDataFrame, ways: list[Way], rng: np.random.Generator
) -> dict[str, gpd.GeoDataFrame]:
    """Return a layer for each class of destination but work, which ``workplaces`` holds."""
    finder = Finder(town, ways)
    return {
        "education": schools(jobs, finder).frame("E", "places"),
        "culture": culture(jobs, finder).frame("C", "visits_per_day"),
        "leisure": leisure(town, finder, rng).frame("L", "visits_per_day"),
        "retail": retail(jobs, finder).frame("R", "floor_m2"),
        "regional_cores": cores(jobs).frame("K", "jobs_500m"),
    }
