"""Tie areas along axes that overlap but do not nest: organisations, boards, police and labour-market areas.

Nothing here is drawn by chance, so the other files stay as they are.
"""

from __future__ import annotations

import pandas as pd
from _estates import HOUSING_AREAS, PLANS

OLDER, YOUNGER, BOARD = "FBA-1", "FBA-2", "FBB-1"
#: An estate that a second plan covers too.
SHARED = ("FB-06", "FBH-2")
LABOUR_MARKET = "A99"
NEIGHBOURS = ("0097", "0098")
#: A quarter of the map each, so that their borders cut through districts and boards.
POLICE = ("P01", "P02", "P03", "P04")


def fjordbo_boards() -> pd.DataFrame:
    """Return who administers each estate, which plans the city-wide board governs, and the estate of two plans."""
    estates = [(area.plan, estate) for area in HOUSING_AREAS for estate in area.estates]
    rows = []
    for number, (plan, estate) in enumerate(estates, start=1):
        older = estate.built <= 1970 and plan != 1
        rows.append((f"FB-{number:02d}", OLDER if older else YOUNGER, "administered_by"))
    rows.append((*SHARED, "covered_by"))
    rows += [(f"FBH-{number}", BOARD, "governed_by") for number in range(1, len(PLANS) + 1)]
    return _table(rows)


def nordhamra_overlaps(basomraden: pd.DataFrame, municipality: str) -> pd.DataFrame:
    """Return the police area of each basområde, and the labour-market area of the town and its neighbours."""
    points = basomraden.geometry.representative_point()
    east = points.x > points.x.median()
    north = points.y > points.y.median()
    area = [POLICE[2 * int(n) + int(e)] for n, e in zip(north, east, strict=True)]
    rows = [(code, police, "in_police_area") for code, police in zip(basomraden["area_id"], area, strict=True)]
    rows += [(code, LABOUR_MARKET, "in_labour_market_area") for code in (*NEIGHBOURS, municipality)]
    return _table(rows)


def _table(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["child_id", "parent_id", "relation"]).assign(share=1)
