"""Catchments of nodes without overlap: whom each would serve, which districts, and who lies outside of all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError
from geoplan.reach.node_parts import Nearby

__all__ = ["catchment_areas", "catchments", "served_districts", "unserved"]

_SERVED, _OUTSIDE, _NOWHERE = "served", "outside", "out_of_scope"


def catchments(places: Nearby, node_ids: Sequence[str], *, within_min: float) -> pd.DataFrame:
    """Give every place to the node that is quickest to reach.

    Parameters
    ----------
    places
        People by place, and their times to the nodes.
    node_ids
        The nodes to choose among.
    within_min
        Longest way to a node; a way of exactly that counts. Of nodes at the same time the first by id is taken.

    Returns
    -------
    pandas.DataFrame
        Index ``place_id``, all places. Columns ``node_id`` (missing where no node is in reach), ``minutes`` (NaN
        there), ``residents``, ``status`` (``served``, ``outside``, or ``out_of_scope`` for a place on no street).

    Raises
    ------
    InputError
        When a node is not among the times, they end before the limit, or people come in several classes.

    Examples
    --------
    >>> from geoplan.reach import TravelTimes
    >>> seconds = np.array([[[300], [240]], [[600], [600]], [[960], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b", "c"], ["n1", "n2"], (50,), seconds)
    >>> people = Nearby(pd.Series({"a": 10, "b": 20, "c": 30}, name="residents"), times)
    >>> catchments(people, ["n2", "n1"], within_min=15)["node_id"].fillna("-").to_list()
    ['n2', 'n1', '-']
    """
    if places.amounts.shape[1] != 1:
        what = f"people come in {places.amounts.shape[1]} classes: {checks.listed(places.amounts.columns)}"
        raise SpecError(Fault(what=what, key="catchment", expected="one column of residents"))
    places.must_reach(within_min)
    ids = sorted(str(name) for name in node_ids)
    minutes = places.minutes(ids)
    reach = np.where(minutes.to_numpy() <= within_min, minutes.to_numpy(), np.inf).astype(float)
    best = reach.argmin(axis=1) if ids else np.zeros(len(reach), dtype=int)
    least = reach.min(axis=1, initial=np.inf)
    near = np.isfinite(least)
    off = minutes.index.isin(list(places.off_street()))
    node = np.array([ids[k] if there else None for k, there in zip(best, near, strict=True)], dtype=object)
    return pd.DataFrame(
        {
            "node_id": node,
            "minutes": np.where(near, least, np.nan),
            "residents": places.amounts.iloc[:, 0].to_numpy(),
            "status": np.where(near, _SERVED, np.where(off, _NOWHERE, _OUTSIDE)),
        },
        index=minutes.index,
    )


def catchment_areas(found: pd.DataFrame, points: gpd.GeoDataFrame, *, cell_m: float) -> gpd.GeoDataFrame:
    """Return catchments as polygons, for a map: the squares around the places of each node, joined.

    Parameters
    ----------
    found
        Of :func:`catchments`.
    points
        The places, in a metric system.
    cell_m
        Side of the square around a place: the distance of the cells. Larger squares overlap.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``node_id`` (``""`` for places outside of every node's reach), ``residents``, and the polygon.

    Raises
    ------
    InputError
        When a place has no point, or the side is no length.

    Examples
    --------
    >>> found = pd.DataFrame({"node_id": ["n", "n"], "residents": [4.0, 6.0]}, index=["a", "b"])
    >>> spots = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 100], [0, 0]), index=["a", "b"], crs=3006)
    >>> catchment_areas(found, spots, cell_m=100).area.item()
    20000.0
    """
    if not np.isfinite(cell_m) or cell_m <= 0:
        raise SpecError(Fault(what=f"{cell_m!r} cannot be", key="cell_m", expected="metres above 0"))
    places = points.geometry.rename(index=str)
    gone = sorted(set(found.index) - set(places.index))
    if gone:
        raise checks.ids_not_among(gone, list(places.index))
    squares = places.reindex(found.index).buffer(cell_m / 2, cap_style="square")
    table = {"node_id": found["node_id"].fillna("").to_numpy(), "residents": found["residents"].to_numpy()}
    frame = gpd.GeoDataFrame(table, geometry=squares.to_numpy(), crs=points.crs)
    return frame.dissolve("node_id", aggfunc="sum")


def unserved(found: pd.DataFrame) -> pd.Series:
    """Return residents in all, in the reach of some node, outside of all, and where that cannot be told.

    Examples
    --------
    >>> found = pd.DataFrame({"residents": [5.0, 3, 2], "status": ["served", "outside", "out_of_scope"]})
    >>> unserved(found).to_dict()
    {'residents': 10.0, 'served': 5.0, 'outside': 3.0, 'out_of_scope': 2.0}
    """
    by = found.groupby("status")["residents"].sum()
    counts = {name: float(by.get(name, 0.0)) for name in (_SERVED, _OUTSIDE, _NOWHERE)}
    return pd.Series({"residents": float(found["residents"].sum())} | counts)


def served_districts(
    found: pd.DataFrame,
    area_of: pd.Series | Mapping[str, str],
    index: pd.Series | None = None,
    deprived: Collection[str] | None = None,
) -> pd.DataFrame:
    """Say which districts each node would serve.

    Parameters
    ----------
    found
        Of :func:`catchments`.
    area_of
        The district of each place.
    index
        The index of each district, higher = worse; NaN or absent where it has none.
    deprived
        Keep these districts alone; all when left out.

    Returns
    -------
    pandas.DataFrame
        One row a district and node, and one with node ``""`` for the residents of a district that no node reaches.
        Columns ``area_id``, ``node_id``, ``residents``, ``share`` (of the district's residents), ``minutes`` (their
        mean; NaN without residents or node), ``index``; the worst district first, then by residents.

    Raises
    ------
    InputError
        When a place has no district, or a deprived district has no place at all.

    Examples
    --------
    >>> found = pd.DataFrame({"node_id": ["n", "n", None], "minutes": [4.0, 8.0, np.nan], "residents": [10.0, 30, 60],
    ...                       "status": ["served", "served", "outside"]}, index=["a", "b", "c"])
    >>> served_districts(found, {"a": "west", "b": "west", "c": "west"})[["node_id", "residents", "share", "minutes"]]
      node_id  residents  share  minutes
    0              60.0    0.6      NaN
    1       n       40.0    0.4      7.0
    """
    known = pd.Series(dict(area_of), dtype=object).rename(index=str)
    faults = Faults()
    gone = [str(name) for name in found.index if name not in known.index or pd.isna(known[name])]
    if gone:
        what = f"{len(gone)} place(s) have no district: {checks.listed(gone)}"
        faults.add(IdError(Fault(what=what, key="area_of", expected="a district for every place")))
    wanted = None if deprived is None else {str(name) for name in deprived}
    empty = sorted((wanted or set()) - set(known.astype(str)))
    if empty:
        what = f"{len(empty)} deprived district(s) have no place: {checks.listed(empty)}"
        faults.add(IdError(Fault(what=what, key="deprived", expected="codes that `area_of` has")))
    faults.raise_any()
    rows = found.assign(
        area_id=known.reindex(found.index).astype(str).to_numpy(), node_id=found["node_id"].fillna("").to_numpy()
    )
    rows["way"] = rows["minutes"] * rows["residents"]
    total = rows.groupby("area_id")["residents"].sum()
    table = rows.groupby(["area_id", "node_id"])[["residents", "way"]].sum(min_count=1).reset_index()
    table = table[table["residents"] > 0]
    table = table if wanted is None else table[table["area_id"].isin(wanted)]
    table["share"] = table["residents"] / total.reindex(table["area_id"]).to_numpy(float)
    table["minutes"] = (table["way"] / table["residents"]).where(table["node_id"] != "")
    scores = None if index is None else index.rename(index=str)
    table["index"] = np.nan if scores is None else table["area_id"].map(scores).astype(float)
    worst = table["index"].fillna(-np.inf)
    order = np.lexsort((table["node_id"], -table["residents"], table["area_id"], -worst))
    columns = ["area_id", "node_id", "residents", "share", "minutes", "index"]
    return table.iloc[order][columns].reset_index(drop=True)
