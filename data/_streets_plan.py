"""The hand-drawn streets of Nordhamra: what links its districts, and where one gets over what divides them.

Coordinates are kilometres on the plan, as in ``_plan.py``. A line that meets water, the railway or the motorway
crosses there; no other street does. What is missing on purpose: a way over the Hamraån between Tallmohöjden and
Åkersvallen, neighbours on either bank.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FERRIES", "INTERCHANGES", "LINKS", "LONELY_PATHS", "MAIN_ROADS", "PATTERNS", "Pattern"]

MAIN_ROADS = {
    "Norra infarten": "trunk",
    "Kustvägen": "primary",
    "Sjövägen": "secondary",
    "Österleden": "primary",
}
"""Classes of the main roads of ``_plan.py``; the trunk road is closed to walkers north of the motorway."""

INTERCHANGES = ["Sjövägen", "Norra infarten", "Österleden"]
"""Main roads that one can reach from the motorway."""

LINKS = [
    # (name, class, points)
    ("Hedskogsvägen", "tertiary", [
        (1.0, 3.9), (1.1, 4.5), (1.35, 5.0), (1.45, 5.45), (1.6, 5.9), (1.75, 6.25), (1.9, 6.6), (1.95, 7.0),
    ]),
    ("Hamrastråket", "secondary", [
        (1.6, 5.9), (2.2, 5.72), (2.8, 5.66), (3.4, 5.6), (4.0, 5.62), (4.5, 5.5), (5.1, 5.46), (5.7, 5.58),
        (6.35, 5.65),
    ]),
    ("Ugglestråket", "tertiary", [(2.9, 4.3), (3.0, 4.8), (3.0, 5.2), (2.9, 5.66)]),
    ("Lertagsvägen", "tertiary", [(4.45, 4.3), (4.25, 4.8), (4.15, 5.15), (4.1, 5.62), (4.08, 6.1), (4.0, 6.4)]),
    ("Alkärrsvägen", "tertiary", [
        (3.0, 4.35), (3.0, 3.9), (3.1, 3.4), (3.5, 3.1), (3.95, 3.4), (4.45, 3.75), (4.85, 4.15), (5.35, 4.75),
    ]),
    ("Rävhällsvägen", "unclassified", [(1.0, 3.9), (1.05, 3.5), (1.2, 3.0), (1.1, 2.6)]),
    ("Kärrhöksvägen", "tertiary", [(0.9, 6.7), (1.9, 6.95), (2.7, 6.95), (3.5, 7.0), (4.35, 7.15)]),
    ("Kolbottenvägen", "unclassified", [
        (1.95, 6.95), (1.6, 7.5), (1.72, 8.2), (2.0, 8.9), (2.9, 9.1), (3.85, 9.3),
    ]),
    ("Gökvretsvägen", "tertiary", [
        (4.35, 7.2), (4.9, 7.2), (5.3, 7.1), (5.6, 6.78), (5.62, 6.4), (5.95, 6.12), (6.5, 6.2),
    ]),
    ("Kottvretsvägen", "tertiary", [(4.9, 7.2), (5.15, 7.55), (5.25, 7.95), (5.0, 8.5), (5.3, 9.05), (5.8, 9.4)]),
    ("Kådbacksvägen", "tertiary", [(6.2, 8.35), (6.6, 8.45), (7.1, 8.25), (7.05, 7.75), (6.75, 7.5), (6.4, 7.55)]),
    ("Fallbyggevägen", "unclassified", [
        (5.75, 9.6), (6.4, 10.05), (7.3, 10.0), (8.1, 9.8), (9.0, 9.55), (9.7, 9.25), (10.25, 9.1),
    ]),
    ("Slaggvägen", "tertiary", [(6.5, 6.2), (6.8, 6.2), (7.15, 6.2), (7.7, 6.2), (8.4, 6.15), (9.1, 6.1), (9.65, 6.1)]),
    ("Köpvallevägen", "tertiary", [(8.4, 6.15), (8.38, 6.75), (8.4, 7.2), (8.6, 7.6), (9.1, 7.45), (9.85, 7.5)]),
    ("Årumsvägen", "unclassified", [(8.6, 7.6), (8.45, 8.1), (8.7, 8.8), (9.0, 9.55)]),
    ("Norra bron", "primary", [(6.215, 5.402), (6.2, 5.25), (6.19, 5.1)]),
    ("Klockarvägen", "tertiary", [(7.54, 4.7), (7.45, 5.1), (7.5, 5.65), (7.65, 6.2)]),
    ("Gasverksvägen", "tertiary", [
        (6.22, 5.22), (6.72, 5.24), (7.0, 5.3), (7.45, 5.3), (8.2, 5.25), (8.9, 4.95), (9.4, 4.95),
    ]),
    ("Repslagarvägen", "tertiary", [
        (7.0, 4.9), (7.1, 4.4), (7.2, 3.9), (7.55, 3.3), (8.1, 2.95), (8.75, 2.95), (9.3, 2.85), (10.0, 2.7),
        (10.8, 2.85), (11.5, 3.15), (12.1, 3.5),
    ]),
    ("Plommonvägen", "tertiary", [(8.5, 4.2), (8.7, 3.5), (8.75, 2.95)]),
    ("Järnvretsvägen", "tertiary", [(9.4, 5.0), (9.8, 4.65), (10.4, 4.7), (10.6, 4.1), (10.6, 3.66)]),
    ("Flintvägen", "tertiary", [
        (9.7, 6.2), (10.3, 6.2), (10.9, 6.0), (11.2, 5.5), (11.2, 5.1), (11.45, 4.6), (11.5, 4.0), (11.6, 3.55),
    ]),
    ("Gråbergsvägen", "tertiary", [(10.4, 4.7), (10.5, 5.05), (11.2, 5.1)]),
    ("Pilgläntevägen", "tertiary", [(9.85, 7.9), (10.7, 8.0), (11.3, 8.2), (12.2, 7.6), (12.55, 7.0)]),
    ("Flygsandsvägen", "tertiary", [(12.2, 3.5), (12.1, 3.0), (12.9, 2.9), (13.1, 2.2)]),
    ("Marestigen", "unclassified", [(11.2, 5.1), (12.1, 5.2), (12.9, 5.0), (13.0, 4.3), (12.9, 3.6)]),
    ("Sjöglimtsvägen", "tertiary", [(3.5, 7.0), (3.65, 7.5), (4.4, 7.4)]),
    ("Holmvägen", "track", [(3.65, 1.25), (4.0, 1.45), (4.4, 1.6), (4.6, 1.72)]),
    ("Vretholmsvägen", "track", [(5.5, 2.1), (5.6, 2.3), (5.7, 2.45)]),
    # for walkers and cyclists alone
    ("Centraltunneln", "footway", [(5.98, 5.2), (5.99, 5.35), (6.0, 5.55)]),
    ("Näverstråket", "cycleway", [(2.2, 5.72), (2.25, 6.2), (2.4, 6.6), (2.7, 6.95)]),
    ("Hedstråket", "cycleway", [(1.35, 5.0), (1.95, 5.05), (2.35, 5.25), (2.4, 5.7)]),
    ("Lertagsstråket", "cycleway", [(3.55, 5.6), (3.5, 6.3), (3.5, 7.0)]),
    ("Rördromsstråket", "footway", [(5.65, 6.7), (5.7, 7.25), (5.85, 7.5), (5.7, 8.0)]),
    ("Timmerstråket", "footway", [(5.75, 8.35), (6.25, 8.25), (6.65, 8.3)]),
    ("Ådalsstråket", "cycleway", [(6.7, 5.8), (6.88, 6.2), (6.75, 6.6), (6.55, 6.8)]),
    ("Åkantsbron", "footway", [(6.45, 4.72), (6.62, 4.72), (6.85, 4.72)]),
    ("Bärstråket", "cycleway", [(10.35, 6.3), (10.5, 6.95), (10.6, 7.5), (10.7, 8.0)]),
    ("Trastestråket", "cycleway", [(9.9, 4.65), (10.25, 5.35), (10.3, 6.2)]),
    ("Ollonstråket", "footway", [(8.1, 4.25), (8.05, 4.6), (8.15, 5.25)]),
    ("Kaptenstråket", "footway", [(7.1, 4.3), (7.6, 4.1), (8.1, 3.9), (8.6, 3.8)]),
    ("Skogsstråket", "cycleway", [(4.1, 6.1), (4.7, 6.1), (5.2, 6.15), (5.62, 6.3)]),
    ("Västerstråket", "path", [(1.95, 4.3), (2.1, 4.7), (2.35, 5.0)]),
    ("Mossestigen", "path", [(1.6, 7.6), (1.05, 7.9), (0.85, 8.4), (1.3, 8.75), (1.95, 8.85)]),
    ("Galgåsstigen", "path", [(8.6, 7.9), (9.05, 8.0), (9.4, 7.8), (9.85, 7.9)]),
    ("Allmänningsstigen", "path", [(6.7, 8.5), (6.95, 9.1), (7.0, 9.6), (7.2, 10.0)]),
    ("Lomsstigen", "path", [(3.85, 9.25), (3.85, 8.3), (4.3, 7.9)]),
    ("Martallestigen", "path", [(12.3, 3.0), (12.6, 2.5), (12.9, 2.2), (13.1, 2.2)]),
    ("Kapellstigen", "path", [(10.6, 4.2), (10.95, 4.5), (11.2, 4.95)]),
    ("Mareängsstigen", "path", [(11.0, 6.0), (11.3, 6.1), (11.9, 6.1), (12.4, 5.9), (12.3, 5.3)]),
    ("Hagstigen", "path", [(3.7, 1.3), (3.9, 1.2), (4.2, 1.35), (4.4, 1.6)]),
]  # fmt: skip
"""Streets and paths from district to district."""

FERRIES = [
    ("Skeppsbryggan – Vretholmen", [(6.2, 4.1), (6.3, 3.7), (6.0, 2.9), (5.72, 2.45)], "00:12"),
    ("Vretholmen – Storhamraholmen", [(5.5, 2.1), (5.2, 1.95), (4.85, 1.9), (4.6, 1.72)], "00:08"),
]
"""Boats: name, course and how long it takes. The first ends at the quay of the old town."""

LONELY_PATHS = [
    [(2.95, 0.58), (3.05, 0.62), (3.13, 0.66)],
    [(3.05, 0.62), (3.03, 0.69)],
    [(3.05, 0.62), (3.1, 0.56), (3.13, 0.66)],
]
"""Paths on an islet without a boat: nobody gets there, and nothing should count them."""


@dataclass(frozen=True)
class Pattern:
    """How the streets of a kind of district are laid out.

    Parameters
    ----------
    across, along
        Distance between streets in metres, in both directions.
    sway
        How far streets bend from a straight line, in metres.
    gaps
        Share of the streets that are not needed to reach every plot and are left out.
    paths
        Share of what is left out that a footpath takes the place of.
    private
        Private drives per kilometre of street.
    """

    across: float
    along: float
    sway: float
    gaps: float
    paths: float
    private: float


PATTERNS = {
    "centre": Pattern(105, 80, 5, 0.08, 0.5, 0.0),
    "inner": Pattern(125, 100, 9, 0.12, 0.4, 0.1),
    "waterfront": Pattern(130, 95, 6, 0.12, 0.5, 0.2),
    "flats": Pattern(190, 150, 24, 0.3, 0.6, 0.3),
    "estate": Pattern(260, 220, 30, 0.35, 0.6, 0.2),
    "villas": Pattern(230, 125, 46, 0.38, 0.25, 0.7),
    "rural": Pattern(560, 430, 90, 0.75, 0.3, 1.0),
    "industry": Pattern(290, 210, 8, 0.25, 0.0, 1.6),
}
