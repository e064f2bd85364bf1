"""No invented figure carries the name of a real neighbourhood."""

from __future__ import annotations

import fiona
import geopandas as gpd
import pandas as pd
import pytest

import geoplan as gp

pytestmark = pytest.mark.real


def real_names(real):
    """Collect the names of neighbourhoods in the open data."""
    regso = pd.read_csv(real / "sweden/deso2018_regso2020.csv", encoding="utf-8-sig", dtype=str)
    lists = pd.read_csv(real / "published/dk_ghetto_lists_2015_2020.csv", dtype=str)
    names = [*regso["RegSO_2020"], *regso["Kommunnamn"], *lists["area"]]
    for path, column in (
        ("stockholm/stadsdelar.geojson", "name"),
        ("aarhus/statistics_districts.geojson", "prog_distrikt_navn"),
    ):
        names += list(gpd.read_file(real / path)[column].dropna())
    for path in ("copenhagen/bydele.geojson", "copenhagen/udsatte_byomraader.geojson"):
        frame = gpd.read_file(real / path).drop(columns="geometry")
        names += [text for column in frame for text in frame[column].dropna().astype(str)]
    return {str(name).casefold().strip() for name in names}


def test_the_samples_names_are_not_those_of_real_places(real):
    known = real_names(real)
    assert {"rinkeby", "gellerupparken", "husby"} & known
    for file in ("nordhamra.gpkg", "fjordbo.gpkg"):
        path = gp.home() / "data" / file
        for layer in fiona.listlayers(path):
            frame = gpd.read_file(path, layer=layer)
            if "name" in frame and layer not in {"rail", "roads"}:
                same = {name for name in frame["name"].dropna() if name.casefold().strip() in known}
                assert same == set(), layer
