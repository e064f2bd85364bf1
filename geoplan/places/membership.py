"""Membership: which area belongs to which, by a register or by overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, TableError
from geoplan.places.areas import codes, crs_name, must_have, row_of

__all__ = ["as_membership", "assign_largest_overlap", "parents_at"]

_WHOLE = 1e-9


def as_membership(
    frame: pd.DataFrame,
    *,
    child_column: str = "child_id",
    parent_column: str = "parent_id",
    relation_column: str | None = None,
    share_column: str | None = None,
    decimal: str = ".",
    child_width: int | None = None,
    parent_width: int | None = None,
) -> pd.DataFrame:
    """Turn a table into membership: ``child_id, parent_id, relation, share``, each pair once.

    Parameters
    ----------
    frame
        One row a child, in any number of columns; the same pair may stand in many rows.
    decimal
        The decimal sign of shares written as text.
    child_width, parent_width
        Number of characters of the codes; a shorter one has lost its leading zeros.

    Returns
    -------
    pandas.DataFrame
        ``child_id``, ``parent_id``, ``relation`` (str; ``part_of`` when not given) and ``share`` (float in (0, 1];
        1 when not given).

    Raises
    ------
    InputError
        When a column is absent, a code is missing or shortened, or a share is not in (0, 1].

    Examples
    --------
    >>> frame = pd.DataFrame({"deso": ["0180C1010", "0180C1020"], "regso": ["0180R001", "0180R001"]})
    >>> as_membership(frame, child_column="deso", parent_column="regso").iloc[0].to_dict()
    {'child_id': '0180C1010', 'parent_id': '0180R001', 'relation': 'part_of', 'share': 1.0}
    """
    columns = {
        "child_column": child_column,
        "parent_column": parent_column,
        "relation_column": relation_column,
        "share_column": share_column,
    }
    must_have(frame, columns)
    faults = Faults()
    share = pd.Series(1.0, index=frame.index)
    if share_column:
        share = pd.to_numeric(frame[share_column].astype(str).str.replace(decimal, "."), errors="coerce")
    outside = ~((share > 0) & (share <= 1))
    with faults.catch():
        if outside.any():
            raise TableError(
                Fault(
                    what=f"'{frame[share_column][outside].iloc[0]}' is not a share",
                    row=row_of(frame[outside]),
                    column=share_column,
                    expected="a number above 0, at most 1",
                )
            )
    table = {"relation": frame[relation_column].astype(str) if relation_column else "part_of", "share": share}
    for name, column, width in (("child_id", child_column, child_width), ("parent_id", parent_column, parent_width)):
        with faults.catch():
            table[name] = codes(frame[column], width=width)
    faults.raise_any()
    result = pd.DataFrame(table)[["child_id", "parent_id", "relation", "share"]]
    return result.drop_duplicates(ignore_index=True)


def parents_at(membership: pd.DataFrame, children: Sequence[str], parents: Sequence[str]) -> pd.Series:
    """Find the one parent of each child among the areas of a higher level.

    The membership table is climbed as many steps as it takes (DeSO → RegSO → kommun).

    Parameters
    ----------
    membership
        Columns ``child_id, parent_id, relation, share``.
    children, parents
        Codes of the lower and of the higher level.

    Returns
    -------
    pandas.Series
        Index ``area_id`` (the children), values the parent's code, or None for a child that has none.

    Raises
    ------
    IdError
        When a child has several parents at that level, or only a share of it belongs there.

    Examples
    --------
    >>> steps = pd.DataFrame({"child_id": ["a", "b", "north"], "parent_id": ["north", "south", "town"]})
    >>> membership = as_membership(steps)
    >>> parents_at(membership, ["a", "b"], ["town"]).to_dict()
    {'a': 'town', 'b': None}
    """
    goal = set(parents)
    upwards = membership.groupby("child_id")["parent_id"].agg(list).to_dict()
    split = set(membership.loc[membership["share"] < 1 - _WHOLE, "child_id"])
    found: dict[str, str | None] = {}
    doubtful = []
    for child in children:
        reached, crossed = _climb(child, upwards, goal)
        if len(reached) > 1 or (reached and crossed & split):
            doubtful.append(child)
        found[child] = next(iter(reached), None)
    if doubtful:
        raise IdError(
            Fault(
                what=f"{len(doubtful)} area(s) belong to several parents, or only partly to one: "
                f"{checks.listed(doubtful)}",
                expected="one whole parent for every area that is merged",
            )
        )
    return pd.Series(found, dtype=object, name="parent_id").rename_axis("area_id")


def _climb(child: str, upwards: Mapping[str, list[str]], goal: set[str]) -> tuple[set[str], set[str]]:
    """Walk up from a child: the goals met first on every way, and the areas passed through."""
    reached: set[str] = set()
    passed: set[str] = set()
    front = {child}
    while front:
        reached |= front & goal
        front = front - goal - passed
        passed |= front
        front = {parent for area in front for parent in upwards.get(area, [])}
    return reached, passed


def assign_largest_overlap(
    children: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, *, minimum_share: float = 0.5
) -> pd.DataFrame:
    """Put each child into the parent that covers most of it.

    This is the plain way when no register says which belongs where; the share tells how well it fits.

    Parameters
    ----------
    children, parents
        Areas in the same metric system.
    minimum_share
        Least part of a child's surface that must lie inside its parent. A neighbour whose border is drawn a little
        otherwise must not bring all its residents along.

    Returns
    -------
    pandas.DataFrame
        ``child_id, parent_id, relation, share``: relation ``largest_overlap``, ``share`` the part of the child's
        surface inside that parent (0–1). A child that no parent covers enough of has no row.

    Raises
    ------
    CrsError
        When the two are in different systems.

    Examples
    --------
    >>> from shapely import box
    >>> def areas(**boxes):
    ...     ids = pd.Index(list(boxes), name="area_id")
    ...     return gpd.GeoDataFrame(geometry=[box(*sides) for sides in boxes.values()], index=ids, crs="EPSG:3006")
    >>> found = assign_largest_overlap(areas(x=(90, 0, 120, 10)), areas(west=(0, 0, 100, 10), east=(100, 0, 200, 10)))
    >>> found[["child_id", "parent_id"]].values.tolist(), round(float(found["share"][0]), 3)
    ([['x', 'east']], 0.667)
    """
    if children.crs != parents.crs:
        raise checks.crs_differ(crs_name(children.crs), crs_name(parents.crs))
    small, large = children.geometry.to_numpy(), parents.geometry.to_numpy()
    child, parent = shapely.STRtree(large).query(small, predicate="intersects")
    common = shapely.area(shapely.intersection(small[child], large[parent]))
    table = pd.DataFrame(
        {
            "child_id": children.index.to_numpy()[child],
            "parent_id": parents.index.to_numpy()[parent],
            "relation": "largest_overlap",
            "share": common / shapely.area(small[child]),
        }
    )
    enough = (table["share"] > 0) & (table["share"] >= minimum_share)
    table = table[enough].sort_values(["child_id", "share", "parent_id"], ascending=[True, False, True])
    return table.drop_duplicates("child_id", ignore_index=True)
