"""The hand-drawn plan of Nordhamra: control points, districts, names and characters.

Coordinates are kilometres from the south-western corner of the map. Every name is
invented; none is a district or statistical area in Sweden.
"""

from __future__ import annotations

from dataclasses import dataclass

ORIGIN = (612_000.0, 6_622_000.0)
CRS = "EPSG:3006"
MUNICIPALITY = "0099"
CENTRE = (6.35, 4.9)
FRAME = (-0.9, -0.7, 14.9, 11.7)

COAST = [
    (-3.0, 2.3), (0.3, 2.75), (1.3, 2.25), (2.3, 2.85), (3.3, 2.45), (4.1, 3.05), (4.8, 3.1),
    (5.4, 3.55), (5.95, 3.85), (6.2, 4.35), (6.5, 4.5), (6.72, 4.2), (6.8, 3.65), (7.25, 3.3),
    (7.6, 2.75), (8.3, 2.55), (8.9, 2.0), (9.9, 1.75), (10.5, 2.2), (11.3, 2.6), (11.9, 2.2),
    (12.6, 1.5), (13.6, 1.65), (18.0, 1.3),
]  # fmt: skip
OUTLINE = [
    (0.5, 0.5), (0.2, 2.0), (0.6, 3.3), (0.3, 4.4), (0.75, 5.4), (0.25, 6.6), (0.6, 7.7),
    (0.15, 8.6), (1.2, 9.3), (2.2, 9.5), (3.1, 10.3), (4.7, 10.1), (6.0, 10.75), (7.6, 10.5),
    (9.4, 10.8), (10.5, 9.7), (11.8, 9.75), (12.3, 8.7), (13.5, 8.2), (13.2, 6.9), (13.8, 5.6),
    (13.2, 4.4), (13.7, 3.0), (13.3, 0.6), (9.5, 0.25), (5.0, 0.15), (1.8, 0.15),
]  # fmt: skip
RIVER = [
    (8.7, 13.0), (8.5, 10.9), (8.35, 10.0), (7.7, 9.2), (8.05, 8.3), (7.45, 7.5), (7.0, 6.75),
    (7.15, 6.0), (6.75, 5.4), (6.62, 4.95), (6.48, 4.25),
]  # fmt: skip
TRIBUTARY = [(3.5, 8.0), (4.3, 7.75), (5.1, 7.9), (5.7, 7.3), (6.3, 7.1), (7.02, 6.75)]
LAKES = [
    ("Lommasjön", (2.9, 8.0), (0.95, 0.42), 18.0),
    ("Tärnsjömaren", (11.75, 6.55), (0.5, 0.28), -35.0),
    ("Stormossegölen", (1.25, 8.35), (0.22, 0.14), 40.0),
]
ISLANDS = [
    ((4.05, 1.45), (0.78, 0.36), 24.0), ((5.55, 2.2), (0.36, 0.22), 60.0),
    ((2.75, 1.1), (0.3, 0.17), 15.0), ((3.05, 0.62), (0.22, 0.13), -20.0),
    ((2.35, 0.72), (0.16, 0.11), 50.0), ((5.0, 0.8), (0.24, 0.14), 10.0),
    ((9.45, 1.2), (0.26, 0.13), 30.0), ((7.35, 2.35), (0.17, 0.12), 0.0),
    ((4.75, 2.35), (0.13, 0.08), 35.0), ((6.35, 1.75), (0.11, 0.08), 80.0),
    ((11.75, 1.35), (0.2, 0.11), 55.0), ((1.55, 1.2), (0.14, 0.09), 0.0),
]  # fmt: skip
RAILWAYS = [
    ("Hamrabanan", "main_line", [
        (-3.0, 5.9), (0.0, 5.75), (1.8, 5.35), (3.5, 5.15), (5.0, 5.15), (6.0, 5.35), (7.0, 5.6),
        (8.4, 5.75), (10.0, 5.35), (11.6, 5.5), (13.2, 6.2), (17.0, 7.6),
    ]),
    ("Hamnspåret", "freight_branch", [
        (8.4, 5.75), (8.65, 5.2), (8.15, 4.65), (7.65, 4.2), (7.4, 3.75), (7.25, 3.5),
    ]),
]  # fmt: skip
ROADS = [
    ("Riksleden", "motorway", [
        (-3.0, 6.9), (0.0, 6.45), (2.0, 6.2), (4.0, 6.4), (5.8, 6.85), (7.4, 7.05), (9.0, 6.6),
        (10.4, 6.95), (11.3, 6.95), (12.4, 6.35), (14.0, 5.2), (17.0, 4.2),
    ]),
    ("Norra infarten", "main_road", [
        (5.6, 13.0), (5.9, 10.7), (5.75, 9.4), (6.35, 8.0), (6.35, 6.95), (6.5, 6.2), (6.3, 5.4),
    ]),
    ("Kustvägen", "main_road", [
        (-3.0, 3.3), (0.0, 3.75), (1.5, 4.05), (3.0, 4.35), (4.4, 4.35), (5.4, 4.75),
        (6.2, 5.05), (7.0, 4.9), (7.8, 4.35), (9.0, 4.05), (10.4, 3.7), (12.0, 3.5),
        (13.6, 3.7), (17.0, 3.4),
    ]),
    ("Sjövägen", "main_road", [
        (4.0, 6.4), (4.4, 7.3), (4.2, 8.6), (3.6, 9.6), (3.3, 10.3), (3.0, 13.0),
    ]),
    ("Österleden", "main_road", [
        (9.0, 4.05), (9.4, 5.2), (9.75, 6.8), (9.9, 8.4), (10.6, 9.7), (11.0, 13.0),
    ]),
]  # fmt: skip
PARKS = [
    ("Kvarnparken", (5.75, 5.05), (0.16, 0.1), 20.0),
    ("Slottsvreten", (6.95, 5.15), (0.2, 0.12), -30.0),
    ("Lotsparken", (5.0, 3.65), (0.34, 0.15), 35.0),
    ("Åvretsparken", (6.85, 6.35), (0.14, 0.42), 5.0),
    ("Hamraskogen", (5.0, 6.0), (0.5, 0.32), 15.0),
    ("Västerskogen", (2.25, 4.75), (0.36, 0.3), 0.0),
    ("Stormossens naturreservat", (1.15, 8.4), (0.62, 0.5), 30.0),
    ("Norra allmänningen", (6.95, 9.35), (0.55, 0.4), -15.0),
    ("Galgåsen", (9.05, 7.95), (0.5, 0.36), 40.0),
    ("Mareängarna", (11.9, 6.6), (0.85, 0.55), -35.0),
    ("Ekhagsparken", (8.35, 3.1), (0.3, 0.17), 50.0),
    ("Kapellkullen", (10.95, 4.5), (0.36, 0.28), 10.0),
    ("Sandåsen", (12.6, 2.6), (0.55, 0.4), 65.0),
    ("Björkparken", (3.3, 5.55), (0.2, 0.13), 0.0),
    ("Storholmens hagar", (3.75, 1.3), (0.26, 0.18), 20.0),
]


@dataclass(frozen=True)
class District:
    """One stadsdel as planned.

    Parameters
    ----------
    name, seed
        Its name and roughly where it lies, in kilometres.
    board
        Number of the stadsdelsnämnd, 1 to 6.
    kind
        Character of its buildings; decides ages, households and how people cluster.
    residents
        Residents in 2012, before scaling to the town's total.
    level, trend
        Deprivation (higher is more deprived) and its change per year.
    growth
        Growth of the population per year.
    parts
        Basområden as ``direction:name``, directions from the middle of the district.
    """

    name: str
    seed: tuple[float, float]
    board: int
    kind: str
    residents: int
    level: float
    trend: float
    growth: float
    parts: str


BOARDS = ["Inre staden", "Västerhamra", "Sjölandet", "Norrhamra", "Österhamra", "Söderkusten"]

DISTRICTS = [
    District("Gamla Hamra", (6.1, 4.72), 1, "centre", 3600, -0.2, 0.0, 0.004,
             "n:Rådstugukvarteren|s:Skeppsbryggan|w:Klostervreten|e:Åbrokvarteren|c:Hamra torg"),
    District("Kvarnvreten", (5.45, 5.6), 1, "centre", 4300, 0.1, 0.0, 0.006,
             "n:Kvarnvreten norra|s:Bangårdskvarteren|w:Mjölnarbacken|e:Spinnrocken|"
             "c:Kvarnvreten mitten"),
    District("Klockängen", (7.45, 5.1), 1, "inner", 4600, 0.25, 0.0, 0.004,
             "n:Klockängen norra|s:Klockängen södra|w:Åkanten|e:Gasverkskvarteren|c:Klockartorget"),
    District("Skeppsåker", (7.45, 3.95), 1, "waterfront", 2700, -0.9, -0.02, 0.055,
             "n:Repslagarbacken|s:Skeppsåkers hamn|w:Skeppsåkers strand|e:Skeppsåker östra"),
    District("Lotsudden", (5.05, 4.05), 1, "inner", 3400, -0.6, 0.0, 0.003,
             "n:Lotsudden norra|s:Lotsuddens strand|w:Segelduken|e:Beckholmskajen"),
    District("Norrbrinken", (6.3, 6.15), 1, "inner", 5000, 0.15, 0.0, 0.004,
             "n:Norrbrinken norra|s:Norrbrinken södra|w:Sjukhusåsen|e:Ådalen|c:Läroverksbacken"),
    District("Ålhagen", (3.95, 4.75), 2, "villas", 2900, -0.5, 0.0, 0.003,
             "n:Ålhagen norra|s:Ålhagen södra|w:Ålhagen västra|e:Trädgårdsvreten"),
    District("Tegelvreten", (4.1, 5.75), 2, "flats", 3700, 0.75, 0.0, 0.004,
             "n:Tegelvreten norra|s:Stationsbacken|w:Lertagsängen|e:Tegelvreten östra"),
    District("Björkhamra", (2.75, 5.65), 2, "estate", 5400, 2.05, -0.12, 0.006,
             "n:Björkhamra norra|s:Björkhamra södra|w:Ugglevreten|e:Näverdungen|"
             "c:Björkhamra centrum"),
    District("Västra Sjöhed", (1.5, 4.85), 2, "estate", 4100, 1.6, 0.0, 0.003,
             "n:Sjöhed norra|s:Sjöhed södra|w:Orrspelet|e:Sjöheds centrum"),
    District("Strömsvedja", (3.0, 3.55), 2, "villas", 2200, -1.35, 0.0, 0.005,
             "n:Strömsvedja norra|s:Strömsvedja strand|w:Alkärrsudden|e:Båtsmansvreten"),
    District("Hällmarken", (1.2, 3.3), 2, "rural", 700, -0.5, 0.0, 0.0,
             "n:Hällmarken norra|w:Hällmarken kust|e:Rävhällorna"),
    District("Fågelåsen", (5.0, 7.25), 3, "flats", 4000, 0.35, 0.0, 0.005,
             "n:Fågelåsen norra|s:Fågelåsen södra|w:Gökvreten|e:Rördrommen"),
    District("Lövsvedjan", (3.55, 7.05), 3, "villas", 2600, -0.7, 0.0, 0.004,
             "n:Lövsvedjan norra|s:Lövsvedjan södra|w:Sjöglimten|e:Lövsvedjan östra"),
    District("Almvreten", (1.95, 6.95), 3, "flats", 3300, 0.9, 0.0, 0.002,
             "n:Almvreten norra|s:Almvreten södra|w:Kärrhöken|e:Almvretens centrum"),
    District("Lomma-Torpvreten", (3.1, 9.1), 3, "rural", 900, -1.0, 0.0, 0.006,
             "w:Lomsviken|e:Torpvreten|s:Näckängen"),
    District("Mossmarken", (1.2, 8.2), 3, "rural", 480, -0.3, 0.0, -0.004,
             "n:Stormossen|s:Mossmarken södra|e:Kolbottnarna"),
    District("Granhöjden", (5.75, 8.25), 4, "estate", 5700, 2.25, -0.02, 0.005,
             "n:Granhöjden norra|s:Granhöjden södra|w:Kottvreten|e:Granhöjdens centrum|"
             "c:Barrstigen"),
    District("Tallmohöjden", (7.15, 8.0), 4, "estate", 3900, 1.75, 0.0, 0.003,
             "n:Tallmohöjden norra|s:Tallmohöjden södra|w:Kådbacken|e:Ånäset"),
    District("Åkersvallen", (8.45, 7.35), 4, "villas", 3200, -0.35, 0.0, 0.006,
             "n:Åkersvallen norra|s:Köpvallen|w:Åkersvallen västra|e:Råglyckan"),
    District("Norra Hedgärdet", (6.2, 9.75), 4, "rural", 850, -0.3, 0.0, 0.002,
             "w:Hedgärdet västra|e:Hedgärdet östra|s:Timmervreten"),
    District("Övre Årummet", (9.1, 9.5), 4, "rural", 700, -0.5, 0.0, 0.001,
             "n:Årummet norra|s:Årummet södra|e:Fallbygget"),
    District("Slaggmarken", (8.45, 6.05), 4, "industry", 90, 0.4, 0.0, 0.0,
             "w:Slaggmarken västra|e:Slaggmarken östra|s:Masugnskajen"),
    District("Rönnhedarna", (10.35, 6.25), 5, "estate", 5000, 1.9, 0.0, 0.004,
             "n:Rönnhedarna norra|s:Rönnhedarna södra|w:Bärvreten|e:Trastlunden|c:Rönnheds torg"),
    District("Stensvedjan", (11.3, 5.1), 5, "estate", 4200, 1.45, 0.14, -0.003,
             "n:Stensvedjan norra|s:Stensvedjan södra|w:Flintbacken|e:Gråbergsstigen"),
    District("Östra Vretarna", (9.75, 4.55), 5, "flats", 4300, 0.3, 0.0, 0.005,
             "n:Vretarna norra|s:Vretarna södra|w:Järnvreten|e:Vretarna östra"),
    District("Sälgbacken", (10.75, 8.0), 5, "villas", 3000, -0.65, 0.0, 0.007,
             "n:Sälgbacken norra|s:Sälgbacken södra|w:Videvreten|e:Pilgläntan"),
    District("Björnåsarna", (12.4, 7.45), 5, "rural", 900, -0.6, 0.0, 0.004,
             "n:Björnåsarna norra|s:Björnåsarna södra|w:Marestranden"),
    District("Ekvarpet", (8.75, 3.35), 6, "villas", 4200, -0.8, 0.0, 0.004,
             "n:Ekvarpet norra|s:Ekvarpet södra|w:Ollonvreten|e:Ekvarpet östra|c:Plommongården"),
    District("Havsbrinken", (10.0, 2.75), 6, "villas", 2600, -1.5, 0.0, 0.008,
             "n:Havsbrinken norra|s:Havsbrinkens strand|w:Tångvreten|e:Sillabryggan"),
    District("Sanduddarna", (12.2, 3.55), 6, "villas", 3500, -0.1, 0.0, 0.003,
             "n:Sanduddarna norra|s:Flygsanden|w:Sanduddarna västra|e:Martallen"),
    District("Hamraholmarna", (4.05, 1.45), 6, "islands", 155, -0.4, 0.0, -0.002,
             "c:Storhamraholmen|e:Vretholmen|w:Yttre holmarna"),
]  # fmt: skip

ISLAND_SEEDS = {
    "Storhamraholmen": [(4.05, 1.45)],
    "Vretholmen": [(5.55, 2.2)],
    "Yttre holmarna": [(2.75, 1.1), (3.05, 0.62), (2.35, 0.72), (5.0, 0.8), (6.35, 1.75)],
}
"""Islands that make up the island district; the last is a group in several parts."""

RESIDENTS = {
    "Skeppsåkers hamn": 0,
    "Slaggmarken västra": 31,
    "Slaggmarken östra": 0,
    "Masugnskajen": 17,
    "Stormossen": 8,
    "Köpvallen": 12,
    "Plommongården": 1180,
    "Storhamraholmen": 118,
    "Vretholmen": 31,
    "Yttre holmarna": 6,
}
"""Fixed numbers for harbour, industry, reserve, retail park, islands and hidden estate."""

LEVELS = {"Plommongården": 2.5, "Näverdungen": 1.2, "Martallen": 0.9, "Trädgårdsvreten": 0.3}
"""Basområden whose level differs from that of their district."""

TOTAL_2012 = 96_034

AGE_BANDS = [(0, 5), (6, 15), (16, 19), (20, 24), (25, 44), (45, 64), (65, 79), (80, 99)]
AGE_SHARES = {
    "centre": [5, 6, 3, 10, 35, 22, 12, 7],
    "inner": [6, 8, 4, 9, 32, 24, 11, 6],
    "waterfront": [6, 6, 3, 6, 34, 28, 14, 3],
    "flats": [7, 11, 5, 8, 29, 24, 11, 5],
    "estate": [10, 15, 6, 9, 30, 20, 8, 2],
    "villas": [7, 14, 6, 5, 24, 27, 14, 3],
    "rural": [6, 12, 5, 4, 22, 31, 16, 4],
    "industry": [2, 3, 3, 12, 48, 26, 5, 1],
    "islands": [3, 5, 3, 3, 15, 36, 28, 7],
}
"""Percentage of residents in each age band, by the character of the district."""

HOUSEHOLD_SIZE = {
    "centre": 1.6, "inner": 1.75, "waterfront": 1.7, "flats": 1.95, "estate": 2.35,
    "villas": 2.6, "rural": 2.4, "industry": 1.6, "islands": 1.9,
}  # fmt: skip
BUILT_SHARE = {
    "centre": 0.9, "inner": 0.8, "waterfront": 0.65, "flats": 0.5, "estate": 0.45,
    "villas": 0.6, "rural": 0.13, "industry": 0.05, "islands": 0.2,
}  # fmt: skip
"""Share of the hundred-metre cells of an area that hold homes."""


@dataclass(frozen=True)
class JobCluster:
    """A place with many workplaces: centre, spread in metres, number, sectors, mean jobs."""

    centre: tuple[float, float]
    spread_m: float
    workplaces: int
    sectors: dict[str, int]
    mean_jobs: float


JOB_CLUSTERS = [
    JobCluster(
        (6.1, 4.95),
        480,
        150,
        {"office": 42, "retail": 26, "culture": 10, "public": 14, "education": 4, "health_care": 4},
        82,
    ),
    JobCluster((6.1, 5.5), 300, 45, {"office": 60, "transport": 18, "retail": 12, "public": 10}, 95),
    JobCluster((8.5, 6.2), 520, 70, {"industry": 68, "construction": 20, "transport": 12}, 120),
    JobCluster((7.45, 3.75), 300, 28, {"transport": 60, "industry": 30, "office": 10}, 70),
    JobCluster((8.4, 7.15), 260, 42, {"retail": 92, "office": 8}, 58),
    JobCluster((6.0, 6.35), 170, 14, {"health_care": 100}, 340),
    JobCluster((7.4, 5.3), 350, 34, {"office": 44, "education": 30, "culture": 14, "public": 12}, 90),
    JobCluster((4.4, 5.35), 450, 26, {"industry": 34, "office": 30, "construction": 36}, 55),
    JobCluster((9.8, 5.25), 350, 26, {"construction": 40, "industry": 30, "transport": 30}, 60),
    JobCluster((1.6, 5.4), 400, 14, {"industry": 60, "construction": 40}, 48),
]
DISTRICT_SERVICES = {
    "education": 38,
    "health_care": 24,
    "retail": 22,
    "culture": 6,
    "construction": 10,
}
"""Sectors of the workplaces scattered over the ordinary neighbourhoods."""

EDUCATION_ASKED = {
    "office": [6, 44, 50],
    "retail": [34, 56, 10],
    "culture": [10, 38, 52],
    "public": [6, 38, 56],
    "education": [8, 34, 58],
    "health_care": [14, 46, 40],
    "industry": [26, 58, 16],
    "construction": [20, 70, 10],
    "transport": [36, 56, 8],
}
"""Percentage of the jobs of a sector that ask for basic, secondary and tertiary education."""

TOTAL_JOBS = 48_150
TOTAL_WORKPLACES = 604
