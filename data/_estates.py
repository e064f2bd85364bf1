"""Build Fjordbo, a fictional Danish housing organisation in Vestervold Kommune."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from _people import OLDEST, YEARS, apportion
from _shapes import Wobble, as_multi, blob, curve
from _tables import Model, Setting, draw_table
from shapely import affinity

ORIGIN = np.array([555_000.0, 6_235_000.0])
CRS = "EPSG:25832"
HOMES_PER_HECTARE = 52


@dataclass(frozen=True)
class Estate:
    """One boligafdeling: rectangles in metres around the middle of its housing area.

    ``level`` and ``trend`` are deprivation and its change per year, ``built`` the year.
    """

    name: str
    built: int
    level: float
    trend: float
    blocks: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class HousingArea:
    """One boligområde: centre in kilometres, rotation, its plan and its estates."""

    name: str
    centre: tuple[float, float]
    turn_deg: float
    plan: int
    estates: tuple[Estate, ...]


PLANS = ["Helhedsplan Fjordvest", "Helhedsplan Midt og Havn", "Helhedsplan Sydkanten"]
HOUSING_AREAS = (
    HousingArea("Hejrelyngen", (2.1, 5.3), 17, 1, (
        Estate("Hejrelyngen Nord", 1969, 1.3, -0.10,
               ((-270, 20, -20, 200), (-270, 200, -130, 300))),
        Estate("Sivlængerne", 1971, 0.9, 0.0, ((0, 20, 240, 160), (130, 160, 240, 290))),
        Estate("Hejrelyngen Syd", 1973, 1.6, 0.0, ((-210, -190, 180, 0), (180, -130, 250, 0))),
    )),
    HousingArea("Strandskadelyng", (3.5, 6.2), -24, 1, (
        Estate("Tejstgården", 1964, 0.4, 0.0, ((-310, -50, -70, 160), (-310, -120, -190, -50))),
        Estate("Ternevoldhusene", 1977, -0.2, 0.0, ((70, -70, 290, 115), (180, -150, 290, -70))),
        # scattered in three parts between its neighbours
        Estate("Rylekrogen", 1983, -0.7, 0.0,
               ((-300, 180, -170, 265), (-50, -95, 50, 45), (70, 135, 215, 235))),
    )),
    HousingArea("Kildevoldsbrinken", (5.3, 4.7), 38, 2, (
        Estate("Kildevoldsbrinken Øst", 1958, 0.2, 0.0,
               ((10, -120, 230, 110), (90, 110, 230, 190))),
        Estate("Møllervoldet", 1951, -0.5, 0.0, ((-240, -90, -10, 130), (-240, 130, -90, 220))),
    )),
    HousingArea("Bødkervolden", (4.4, 3.6), 8, 2, (
        Estate("Bødkervolden", 1949, -0.9, 0.0, ((-200, -80, -10, 100), (-200, 100, -100, 180))),
        Estate("Rebslagerlængen", 1955, -0.3, 0.0, ((10, -140, 120, 120), (120, -20, 240, 120))),
    )),
    HousingArea("Lærkevoldene", (6.4, 2.3), -13, 3, (
        Estate("Lærkevoldene I", 1967, 1.1, 0.12, ((-330, -30, -10, 170), (-330, 170, -220, 260))),
        Estate("Lærkevoldene II", 1970, 1.4, 0.0, ((10, -80, 300, 170), (120, -170, 300, -80))),
    )),
    HousingArea("Agervoldparken", (7.9, 3.3), 52, 3, (
        Estate("Agervoldparken", 1974, 0.5, -0.04, ((-230, -110, -10, 150),)),
        Estate("Kornblomsttoften", 1979, 0.0, 0.0, ((10, -60, 200, 140), (10, -150, 110, -60))),
    )),
)  # fmt: skip

KOMMUNE = [
    (0.2, 3.4), (0.7, 5.0), (0.3, 6.3), (1.6, 7.3), (2.9, 8.0), (4.6, 7.7), (6.1, 8.2), (7.9, 7.4),
    (9.2, 6.4), (9.8, 4.8), (9.3, 3.1), (9.6, 1.7), (8.1, 0.6), (6.3, 0.3), (4.9, 0.8), (3.1, 0.4),
    (1.4, 1.2),
]  # fmt: skip
FJORD = [
    (-2.0, 4.9), (-0.2, 4.5), (1.3, 4.2), (2.6, 4.35), (3.6, 4.2), (4.25, 4.55), (4.6, 4.35),
    (4.1, 3.95), (3.3, 3.6), (2.3, 3.3), (1.2, 2.9), (-0.2, 3.0), (-2.0, 3.2),
]  # fmt: skip
ROADS = [
    (
        "Ringgaden",
        [(-1, 6.9), (1.2, 6.3), (2.9, 5.4), (4.8, 5.3), (6.5, 4.7), (8.3, 4.4), (11, 4.2)],
    ),
    ("Sydlandevejen", [(4.8, 5.3), (4.9, 4.2), (5.2, 2.9), (5.9, 1.6), (6.2, -1)]),
    ("Havnevejen", [(-1, 1.9), (1.4, 2.1), (3.3, 2.7), (5.15, 3.05)]),
    ("Nordvejen", [(4.8, 5.3), (4.7, 6.5), (5.3, 9.5)]),
]
PARKS = [
    ("Kildeskoven i Vestervold", (6.7, 5.9), (0.7, 0.45), 20.0),
    ("Hejremosen", (1.3, 5.75), (0.45, 0.3), 50.0),
    ("Agervold Bakke", (8.5, 2.3), (0.5, 0.3), -30.0),
    ("Byparken ved Voldgraven", (5.5, 3.7), (0.26, 0.18), 0.0),
]
AGE_BANDS = [(0, 6, 10), (7, 14, 12), (15, 24, 15), (25, 44, 28), (45, 64, 22), (65, 99, 13)]

MODELS = {
    "outside_work_18_64": Model("age_18_64", 0.375, 0.40, noise=0.05),
    "convicted_18_plus": Model("age_18_99", 0.0235, 0.28, noise=0.10, drift=-0.02, sensitive=True),
    "basic_school_30_59": Model("age_30_59", 0.50, 0.38),
    "mean_gross_income_15_64": Model("age_15_64", 192.0, -0.10, noise=0.03, drift=0.018),
    "non_western_background": Model("residents", 0.42, 0.62, noise=0.15, drift=0.015),
    "moved_in_last_year": Model("residents", 0.175, 0.06, noise=0.15),
    "single_parent_families": Model("families", 0.34, 0.14),
    "youth_without_education_15_24": Model("age_15_24", 0.17, 0.32),
    "resident_safety": Model("respondents", 0.74, -0.42, survey=True),
}


@dataclass(frozen=True)
class Fjordbo:
    """Every layer of the housing organisation and its membership rows."""

    layers: dict[str, gpd.GeoDataFrame]
    membership: list[tuple[str, str]]


def kilometres(points: Any) -> np.ndarray:
    """Turn kilometres on the plan into projected metres."""
    return np.asarray(points, dtype=float) * 1000 + ORIGIN


def estate_shape(estate: Estate, area: HousingArea, wobble: Wobble) -> shapely.Geometry:
    """Return an estate as its blocks, turned with its housing area, corners a little off."""
    plot = shapely.union_all([shapely.box(*block) for block in estate.blocks])
    turned = affinity.rotate(plot, area.turn_deg, origin=(0, 0))
    placed = affinity.translate(turned, *kilometres(area.centre))
    chamfered = placed.buffer(-9, join_style="mitre").buffer(9, join_style="bevel")
    return as_multi(shapely.set_precision(wobble(chamfered), 0.1))


def housing_area_shape(estates: list[shapely.Geometry]) -> shapely.Geometry:
    """Wrap estates with the streets between them: closed by 60 m, then 12 m to spare."""
    closed = shapely.union_all(estates).buffer(60, join_style="mitre", mitre_limit=2)
    closed = shapely.simplify(closed.buffer(-48, join_style="mitre", mitre_limit=2), 4.0)
    margin = shapely.union_all(estates).buffer(12, join_style="mitre", mitre_limit=2)
    return as_multi(shapely.set_precision(shapely.union(closed, margin), 0.1))


def backdrop(rng: np.random.Generator) -> dict[str, gpd.GeoDataFrame]:
    """Return the kommune, its fjord, parks and roads."""
    wobble = Wobble.draw(rng, [(1400, 60), (480, 30), (190, 10)])
    fjord = wobble(shapely.Polygon(curve(kilometres(FJORD), closed=True)))
    fjord = shapely.set_precision(shapely.simplify(shapely.make_valid(fjord), 5.0), 0.1)
    frame = shapely.box(*kilometres((-0.6, -0.4)), *kilometres((10.6, 9.0)))
    kinked = shapely.segmentize(shapely.LineString(kilometres([*KOMMUNE, KOMMUNE[0]])), 500)
    land = shapely.Polygon(wobble(kinked).coords).difference(fjord)
    parks = [blob(kilometres(at), np.array(r) * 1000, turn, wobble) for _, at, r, turn in PARKS]
    roads = [shapely.LineString(curve(kilometres(points))).intersection(frame) for _, points in ROADS]
    named = {
        "kommune": (["Vestervold"], [land]),
        "water": (["Vestervold Fjord"], [fjord.intersection(frame)]),
        "parks": ([p[0] for p in PARKS], [park.intersection(land) for park in parks]),
        "roads": ([r[0] for r in ROADS], roads),
    }
    layers = {}
    for layer, (names, shapes) in named.items():
        # shapes that meet the fjord keep its simplified shore
        meets = layer in {"kommune", "water"}
        flat = shapes if meets else [shapely.simplify(shape, 5.0) for shape in shapes]
        flat = [shapely.set_precision(shape, 0.1) for shape in flat]
        flat = flat if layer == "roads" else [as_multi(shape) for shape in flat]
        layers[layer] = gpd.GeoDataFrame({"name": names}, geometry=flat, crs=CRS)
    layers["kommune"].insert(0, "area_id", ["VV"])
    return layers


def build_fjordbo(rng: np.random.Generator) -> Fjordbo:
    """Draw all estates, housing areas and plans."""
    layers = backdrop(rng)
    wobble = Wobble.draw(rng, [(420, 11), (150, 3)])
    estates, areas, membership = [], [], []
    for number, area in enumerate(HOUSING_AREAS, start=1):
        shapes = [estate_shape(estate, area, wobble) for estate in area.estates]
        for estate, shape in zip(area.estates, shapes, strict=True):
            homes = round(shape.area / 10_000 * HOMES_PER_HECTARE)
            code = f"FB-{len(estates) + 1:02d}"
            estates.append((code, estate.name, homes, estate.built, shape))
            membership.append((code, f"FBO-{number}"))
        areas.append((f"FBO-{number}", area.name, housing_area_shape(shapes)))
    membership += [(f"FBO-{n}", f"FBH-{area.plan}") for n, area in enumerate(HOUSING_AREAS, start=1)]
    membership += [(f"FBH-{n}", "VV") for n in range(1, len(PLANS) + 1)]
    plans = []
    for number, name in enumerate(PLANS, start=1):
        members = [a[2] for a, planned in zip(areas, HOUSING_AREAS, strict=True) if planned.plan == number]
        plans.append((f"FBH-{number}", name, as_multi(shapely.union_all(members))))
    columns = ["area_id", "name", "geometry"]
    wide = ["area_id", "name", "homes", "built", "geometry"]
    levels = {
        "boligafdelinger": gpd.GeoDataFrame(pd.DataFrame(estates, columns=wide), crs=CRS),
        "boligomraader": gpd.GeoDataFrame(pd.DataFrame(areas, columns=columns), crs=CRS),
        "helhedsplaner": gpd.GeoDataFrame(pd.DataFrame(plans, columns=columns), crs=CRS),
    }
    return Fjordbo({**levels, **layers}, membership)


def draw_residents(homes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return residents by estate, year and single year of age."""
    ages = np.zeros((len(homes), len(YEARS), OLDEST), dtype=np.int64)
    for number, count in enumerate(homes):
        shares = np.zeros(OLDEST)
        for low, high, share in AGE_BANDS:
            shares[low : high + 1] = share * rng.lognormal(0, 0.1) / (high - low + 1)
        growth = rng.normal(0.001, 0.006)
        full = count * rng.normal(2.2, 0.12)
        for position, year in enumerate(YEARS):
            total = round(full * (1 + growth) ** float(year - YEARS[-1]))
            ages[number, position] = apportion(total, shares * rng.lognormal(0, 0.12, OLDEST))
    return ages


def estate_indicators(fjordbo: Fjordbo, definitions: list[dict[str, Any]], rng: np.random.Generator) -> pd.DataFrame:
    """Draw the indicator table of the estates."""
    frame = fjordbo.layers["boligafdelinger"]
    ages = draw_residents(frame["homes"].to_numpy(), rng)
    planned = [estate for area in HOUSING_AREAS for estate in area.estates]
    level = np.array([estate.level for estate in planned])
    trend = np.array([estate.trend for estate in planned]) + rng.normal(0, 0.01, len(planned))
    spans = [(15, 24), (15, 64), (18, 64), (18, 99), (30, 59)]
    bases = {f"age_{a}_{b}": ages[:, :, a : b + 1].sum(axis=2) for a, b in spans}
    residents = ages.sum(axis=2)
    setting = Setting(
        area_ids=frame["area_id"].to_list(),
        years=YEARS,
        latent=(level - level.mean())[:, None] + trend[:, None] * (YEARS - 2009),
        inner=np.zeros(len(planned)),
        bases={
            **bases,
            "residents": residents,
            "families": np.round(ages[:, :, :18].sum(axis=2) / 1.9).astype(np.int64),
            "respondents": rng.binomial(bases["age_18_99"], 0.22),
        },
        survey_years=(2008, 2010, 2012),
        missed=frozenset({(12, 2008)}),
        provisional=frozenset({"mean_gross_income_15_64"}),
    )
    return draw_table(definitions, MODELS, setting, rng)
