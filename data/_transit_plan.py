"""The public transport of Nordhamra as planned: stations, lines, days and times.

Places are kilometres on the plan, as in ``_plan.py``; times are hours of the service day, beyond 24 after
midnight. What the lines leave out is meant: Tallmohöjden has one bus an hour and none on Sundays, and nothing
goes to Slaggmarken in the evening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["EXCEPTIONS", "FERRY_MIN", "LINES", "METRO", "PERIOD", "RAIL", "SERVICES", "Line"]

PERIOD = ("20120101", "20121231")
SERVICES = {
    # name: days Monday to Sunday, first day, last day
    "weekday": ("1111100", *PERIOD),
    "saturday": ("0000010", *PERIOD),
    "sunday": ("0000001", *PERIOD),
    "night": ("0000110", *PERIOD),
    "school_spring": ("1111100", "20120109", "20120613"),
    "school_autumn": ("1111100", "20120820", "20121221"),
}
RED_DAYS = ["20120106", "20120406", "20120409", "20120501", "20120517", "20120606", "20121225", "20121226"]
EVES = ["20120622", "20121224", "20121231"]
AUTUMN_BREAK = ["20121029", "20121030", "20121031", "20121101", "20121102"]
EXCEPTIONS = [
    *(("weekday", day, 2) for day in (*RED_DAYS, *EVES)),
    *(("sunday", day, 1) for day in RED_DAYS),
    *(("saturday", day, 1) for day in EVES),
    *(("school_spring", day, 2) for day in RED_DAYS if "20120109" <= day <= "20120613"),
    *(("school_autumn", day, 2) for day in AUTUMN_BREAK),
    ("night", "20120406", 2),
    ("boat_day", "20120825", 1),  # has no calendar of its own
]
"""Service, day, and 1 for a day on which it runs besides, 2 for one on which it does not."""

Times = list[tuple[float, float, int]]
"""From and until, in hours, and seconds between departures."""

RAIL = [
    # (station, street that crosses the railway there)
    ("Sjöhed", "Hedskogsvägen"), ("Björkhamra", "Ugglestråket"), ("Tegelvreten", "Lertagsvägen"),
    ("Hamra central", "Centraltunneln"), ("Vretaporten", "Österleden"), ("Stensvedjan norra", "Flintvägen"),
]  # fmt: skip
METRO = [
    ("Granhöjden", (5.22, 8.35)), ("Fågelåsen", (5.2, 7.2)), ("Norrbrinken", (6.15, 6.3)),
    ("Hamra central", (6.0, 5.33)), ("Hamra torg", (6.12, 4.85)), ("Klockartorget", (7.42, 5.1)),
    ("Gasverket", (8.3, 5.2)), ("Östra Vretarna", (9.75, 4.68)), ("Stensvedjan", (11.2, 4.98)),
]  # fmt: skip
FERRY_MIN = {"Skeppsbryggan": 0, "Vretholmen": 12, "Storhamraholmen": 20}


@dataclass(frozen=True)
class Line:
    """A line and when it runs.

    Parameters
    ----------
    number, name, mode
        What passengers call it; ``mode`` is a key of ``MODES`` in ``_gtfs.py``.
    days
        Times by service.
    stops
        Named stops with their places, in order; buses stop every ``spacing`` metres between them too.
    kmh
        Speed with stops.
    back
        Minutes by which the way back is shifted; None for a line that runs one way.
    back_days
        Times of the way back where they differ.
    headway
        ``"passengers"`` for departures at unsaid minutes, ``"exact"`` for a written-out rhythm, "" for a timetable.
    joins
        Line whose bus goes on as this one, passengers staying seated.
    wheelchair, bikes
        As GTFS has them: 0 unknown, 1 yes, 2 no.
    only
        Number of named stops at the outer end where one can only board (towards the town) or alight.
    """

    number: str
    name: str
    mode: Literal["metro", "rail", "bus", "express", "night", "boat"]
    days: dict[str, Times]
    stops: list[tuple[str, tuple[float, float]]] = field(default_factory=list)
    kmh: float = 25.0
    spacing: float = 470.0
    back: int | None = 4
    back_days: dict[str, Times] | None = None
    headway: Literal["", "passengers", "exact"] = ""
    joins: str = ""
    wheelchair: int = 1
    bikes: int = 2
    only: int = 0


def every(minutes: float, start: float, stop: float) -> tuple[float, float, int]:
    """Return departures every so many minutes between two hours."""
    return start, stop, round(minutes * 60)


def daily(weekday: float, saturday: float, sunday: float, last: float = 24.0) -> dict[str, Times]:
    """Return a bus line's week: so many minutes between buses by day, half as many buses early and late."""
    week = [every(2 * weekday, 5, 6), every(weekday, 6, 19), every(2 * weekday, 19, last)]
    return {
        "weekday": week,
        "saturday": [every(saturday, 6.5, last)],
        "sunday": [every(sunday, 8, min(last, 23))],
    }


CENTRAL = ("Hamra central", (6.03, 5.57))
TORG = ("Hamra torg", (6.22, 5.1))
KLOCKAN = ("Klockartorget", (7.45, 5.2))
SJUKHUS = ("Sjukhuset", (5.97, 6.12))
SJOHED = ("Sjöheds centrum", (1.33, 4.95))
ALMVRETEN = ("Almvretens centrum", (1.95, 6.95))
TEGEL = ("Tegelvretens torg", (4.1, 5.62))
FAGEL = ("Fågelåsen", (5.15, 7.17))
RONNHED = ("Rönnheds torg", (10.3, 6.2))
VRETARNA = ("Östra Vretarna", (9.75, 4.68))
VRETAPORTEN = ("Vretaporten", (9.43, 5.36))
STENSVEDJAN = ("Stensvedjan", (11.2, 5.1))
SKEPPSAKER = ("Skeppsåker", (7.3, 3.75))
SANDUDD = ("Sanduddarna", (12.15, 3.45))

LINES = [
    Line(
        "T1", "Granhöjden – Stensvedjan", "metro", {
            "weekday": [
                every(10, 5, 6.5), every(5, 6.5, 9), every(7.5, 9, 15), every(5, 15, 18.5), every(10, 18.5, 22),
                every(15, 22, 25),
            ],
            "saturday": [every(15, 5, 8), every(7.5, 8, 19), every(10, 19, 25)],
            "sunday": [every(15, 6, 10), every(10, 10, 20), every(15, 20, 24.5)],
            "night": [every(30, 25, 28)],
        }, kmh=34, headway="passengers", bikes=1,
    ),
    Line(
        "J", "Sjöhed – Stensvedjan norra", "rail", {
            "weekday": [every(30, 5, 6), every(15, 6, 9), every(30, 9, 15), every(15, 15, 19), every(30, 19, 24.6)],
            "saturday": [every(30, 6, 24.6)],
            "sunday": [every(30, 7, 23.6)],
        }, kmh=48, back=9, bikes=1,
    ),
    Line("1", "Sjöhed – Rönnhedarna", "bus", daily(10, 15, 20, 24.7), [
        SJOHED, ("Björkhamra centrum", (2.7, 5.66)), TEGEL, CENTRAL, TORG, KLOCKAN, ("Gasverket", (8.25, 5.24)),
        VRETAPORTEN, RONNHED, ("Trastlunden", (10.85, 6.02)),
    ]),
    Line("2", "Almvreten – Skeppsåker", "bus", daily(15, 20, 30), [
        ALMVRETEN, ("Lövsvedjan", (3.5, 7.0)), FAGEL, SJUKHUS, CENTRAL, TORG, ("Repslagarbacken", (7.1, 4.3)),
        SKEPPSAKER,
    ], back=7),
    Line("3", "Strömsvedja – Centralen", "bus", daily(20, 30, 60, 23), [
        ("Strömsvedja", (3.1, 3.4)), ("Lotsudden", (4.8, 4.12)), TORG, CENTRAL,
    ]),
    Line("4", "Sanduddarna – Centralen", "bus", daily(20, 30, 30, 24.3), [
        SANDUDD, ("Havsbrinken", (10.0, 2.7)), ("Ekvarpet", (8.74, 3.1)), SKEPPSAKER, TORG, CENTRAL,
    ], kmh=27),
    Line("5", "Ringen", "bus", {
        "weekday": [every(15, 6, 18.5)], "saturday": [every(20, 9, 18)],
    }, [
        SJUKHUS, CENTRAL, TORG, KLOCKAN, ("Klockängen norra", (7.5, 5.6)), ("Åkanten", (6.8, 6.2)), SJUKHUS,
    ], back=None, headway="exact"),
    Line("6", "Hamra torg – Åkersvallen", "bus", daily(20, 20, 30, 22), [
        TORG, KLOCKAN, VRETAPORTEN, ("Rönnheds västra", (9.75, 6.3)), ("Sälgbacken", (10.7, 8.0)),
        ("Åkersvallen", (8.5, 7.4)),
    ], kmh=28),
    Line("7", "Tallmohöjden – Centralen", "bus", {
        "weekday": [every(60, 6.2, 20)], "saturday": [every(120, 8.2, 18.5)],
    }, [
        ("Ånäset", (7.05, 7.85)), ("Tallmohöjden", (7.08, 8.3)), ("Kådbacken", (6.6, 8.44)), SJUKHUS, CENTRAL,
    ], back=31, kmh=26),
    Line("8", "Centralen – Slaggmarken", "bus", {
        "weekday": [every(20, 5.4, 8.8), every(20, 14.6, 18.2)],
    }, [
        CENTRAL, TORG, ("Klockängen norra", (7.5, 5.6)), ("Slaggmarken västra", (7.8, 6.2)),
        ("Slaggmarken", (8.4, 6.15)), ("Masugnskajen", (8.95, 6.1)), VRETAPORTEN,
    ], kmh=26),
    Line("10", "Östra Vretarna – Rönnhedarna", "bus", daily(20, 30, 30, 23), [
        VRETARNA, ("Gråbergsstigen", (10.5, 5.03)), STENSVEDJAN, ("Stensvedjan norra", (11.2, 5.5)), RONNHED,
    ], back=9),
    Line("11", "Almvreten – Sjöhed", "bus", {"weekday": [every(30, 5.5, 21)], "saturday": [every(60, 8, 18)]}, [
        ALMVRETEN, ("Björkhamra västra", (1.65, 6.0)), SJOHED,
    ], back=None),
    Line("12", "Sjöhed – Hamra torg", "bus", {}, [
        SJOHED, ("Ålhagen södra", (3.0, 4.3)), ("Lertagsvägen", (4.4, 4.38)), TORG,
    ], back=None, joins="11"),
    Line("12", "Hamra torg – Sjöhed – Almvreten", "bus", {
        "weekday": [every(30, 6, 21.6)], "saturday": [every(60, 8.5, 19)],
    }, [
        TORG, ("Lertagsvägen", (4.4, 4.38)), ("Ålhagen södra", (3.0, 4.3)), SJOHED, ("Björkhamra västra", (1.65, 6.0)),
        ALMVRETEN,
    ], back=None),
    Line("13", "Granhöjden – Ålhagen", "bus", daily(30, 30, 60, 21), [
        ("Granhöjden", (5.05, 8.4)), FAGEL, ("Gökvreten", (4.35, 7.2)), TEGEL, ("Ålhagen östra", (4.28, 4.7)),
    ], back=11),
    Line("20", "Lomma – Granhöjden", "bus", {
        "school_spring": [every(60, 6.8, 8.9), every(60, 14.2, 17.4)],
        "school_autumn": [every(60, 6.8, 8.9), every(60, 14.2, 17.4)],
    }, [
        ("Lomsviken", (2.1, 8.95)), ("Torpvreten", (3.5, 9.22)), ("Gökvreten", (4.35, 7.2)), FAGEL,
        ("Granhöjden", (5.05, 8.4)),
    ], kmh=36, spacing=900, back=25, wheelchair=2),
    Line("21", "Årummet – Hedgärdet – Centralen", "bus", {
        "weekday": [every(120, 6.4, 9), every(150, 13.5, 19)], "saturday": [every(240, 9.3, 17.5)],
    }, [
        ("Fallbygget", (9.0, 9.55)), ("Hedgärdet", (6.5, 10.05)), ("Timmervreten", (5.8, 9.4)), SJUKHUS, CENTRAL,
    ], kmh=40, spacing=900, back=70, wheelchair=2),
    Line("22", "Hällmarken – Sjöhed", "bus", {"weekday": [every(120, 6.5, 19)]}, [
        ("Hällmarkens brygga", (1.15, 2.9)), ("Rävhällorna", (1.05, 3.6)), SJOHED,
    ], kmh=34, spacing=800, back=40, wheelchair=0),
    Line("X1", "Sanduddarna – Centralen", "express", {"weekday": [every(15, 6.2, 8.6)]}, [
        SANDUDD, ("Martallen", (11.6, 3.56)), ("Vretarnas hållplats", (10.6, 3.66)), TORG, CENTRAL,
    ], kmh=38, spacing=9e9, back=0, back_days={"weekday": [every(15, 15.1, 17.9)]}, only=3),
    Line("N1", "Centralen – Sjöhed", "night", {"night": [every(60, 24.5, 28.2)]}, [
        CENTRAL, TEGEL, ("Björkhamra centrum", (2.7, 5.66)), SJOHED,
    ], back=30, kmh=30),
    Line("N2", "Centralen – Sanduddarna", "night", {"night": [every(60, 24.5, 28.2)]}, [
        CENTRAL, TORG, KLOCKAN, VRETARNA, STENSVEDJAN, SANDUDD,
    ], back=40, kmh=32),
    Line("F", "Skeppsbryggan – Storhamraholmen", "boat", {
        "weekday": [every(60, 6.5, 9), every(120, 11, 14), every(60, 15, 20.5)],
        "saturday": [every(120, 8, 21)],
        "sunday": [every(120, 9, 21)],
        "boat_day": [every(60, 10.5, 20)],
    }, back=25, bikes=1, wheelchair=0),
]  # fmt: skip
