"""Membership: which area belongs to which, by a register or by overlap.

Levels form a graph, not a tree. A *relation* is one axis of it: an estate is ``part_of`` a housing area, is
``covered_by`` two plans, and is ``administered_by`` one organisation. Walking goes any number of steps upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, TableError
from geoplan.places.areas import codes, crs_name, must_have, row_of

__all__ = [
    "as_membership",
    "assign_largest_overlap",
    "belongs_to",
    "check_membership",
    "members",
    "pairs_at",
    "parents_at",
    "whole_pairs",
]

PART_OF = "part_of"
_WHOLE = 1e-9
Relation = str | Sequence[str] | None


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
    table = {"relation": frame[relation_column].astype(str) if relation_column else PART_OF, "share": share}
    for name, column, width in (("child_id", child_column, child_width), ("parent_id", parent_column, parent_width)):
        with faults.catch():
            table[name] = codes(frame[column], width=width)
    faults.raise_any()
    result = pd.DataFrame(table)[["child_id", "parent_id", "relation", "share"]]
    return result.drop_duplicates(ignore_index=True)


def check_membership(
    membership: pd.DataFrame, *, exclusive: Iterable[str] = (), area_ids: Iterable[str] | None = None
) -> list[str]:
    """Make sure that a membership table can be climbed, and that each area has one parent where it must have one.

    Parameters
    ----------
    membership
        Columns ``child_id, parent_id, relation, share``.
    exclusive
        Relations that give an area exactly one parent, such as ``administered_by``.
    area_ids
        The areas that should have one; without them nothing is said of areas that have none.

    Returns
    -------
    list of str
        A sentence for each exclusive relation in which some of ``area_ids``, but not all, have no parent.

    Raises
    ------
    InputError
        All faults at once: areas that belong to themselves over any number of steps, a pair with several shares, an
        exclusive relation with several parents of one area, or one that the table does not know.

    Examples
    --------
    >>> steps = pd.DataFrame({"child_id": ["a", "b"], "parent_id": ["north", "north"], "relation": "administered_by"})
    >>> membership = as_membership(steps, relation_column="relation")
    >>> check_membership(membership, exclusive=["administered_by"], area_ids=["a", "b", "c"])
    ["1 of 3 areas has no parent by 'administered_by': 'c'"]
    """
    faults, said = Faults(), []
    for circle in _circles(membership):
        way = " → ".join(f"'{area}'" for area in circle)
        what, expected = f"areas belong to each other in a circle: {way}", "a way upwards that ends"
        faults.add(IdError(Fault(what=what, expected=expected)))
    keys = ["child_id", "parent_id", "relation"]
    shares = membership.drop_duplicates([*keys, "share"])
    twice = shares[shares.duplicated(keys)]
    if len(twice):
        first = twice.iloc[0]
        what = f"{len(twice)} pair(s) stand in the table with several shares: '{first.child_id}' in '{first.parent_id}'"
        faults.add(TableError(Fault(what=what, expected="one share a pair")))
    for relation in exclusive:
        with faults.catch(key="exclusive"):
            found = _along(membership, relation).drop_duplicates(keys)["child_id"].value_counts()
            several = sorted(found.index[found > 1])
            if several:
                what = f"{len(several)} area(s) have several parents by '{relation}': {checks.listed(several)}"
                raise IdError(Fault(what=what, expected="exactly one parent"))
            wanted = sorted(set(() if area_ids is None else area_ids))
            lone = [area for area in wanted if area not in found.index]
            if lone and len(lone) < len(wanted):
                have = "has" if len(lone) == 1 else "have"
                listed = checks.listed(lone)
                said.append(f"{len(lone):,} of {len(wanted):,} areas {have} no parent by '{relation}': {listed}")
    faults.raise_any()
    return said


def _circles(membership: pd.DataFrame) -> list[list[str]]:
    """Return each knot of areas that belong to themselves as one way round, from its first area and back."""
    names, child, parent = _numbered(membership)
    size = len(names)
    graph = sparse.csr_array((np.ones(len(child)), (child, parent)), shape=(size, size))
    knot = connected_components(graph, connection="strong")[1]
    inside = knot[child] == knot[parent]
    onwards: dict[int, list[int]] = {}
    for one, other in sorted(zip(child[inside].tolist(), parent[inside].tolist(), strict=True)):
        onwards.setdefault(one, []).append(other)
    circles, seen = [], set()
    for start in onwards:
        if knot[start] in seen:
            continue
        seen.add(knot[start])
        way = [start]
        while (step := onwards[way[-1]][0]) not in way:
            way.append(step)
        circles.append([str(names[place]) for place in [*way[way.index(step) :], step]])
    return circles


def _numbered(membership: pd.DataFrame) -> tuple[pd.Index, np.ndarray, np.ndarray]:
    """Return all codes of a table in order, and each row's child and parent by their number among them."""
    names = pd.Index(sorted({*membership["child_id"], *membership["parent_id"]}), dtype=object)
    return names, names.get_indexer(membership["child_id"]), names.get_indexer(membership["parent_id"])


def _along(membership: pd.DataFrame, relation: Relation) -> pd.DataFrame:
    """Keep the rows of some relations; of all when none is named."""
    if relation is None:
        return membership
    wanted = [relation] if isinstance(relation, str) else list(relation)
    known = sorted(set(membership["relation"]))
    for name in wanted:
        if name not in known:
            raise checks.unknown_name("relation of the membership", name, known)
    return membership[membership["relation"].isin(wanted)]


# ---------------------------------------------------------------- walking


def members(
    membership: pd.DataFrame, area: str, *, of: Iterable[str] | None = None, relation: Relation = None
) -> list[str]:
    """Find all areas below an area, over any number of steps, wholly or in part; see :func:`pairs_at` for shares.

    Parameters
    ----------
    membership
        Columns ``child_id, parent_id, relation, share``.
    area
        The code of the upper area.
    of
        Only areas among these codes, such as those of one level; all when left out.
    relation
        Walk along this relation, or these, only.

    Returns
    -------
    list of str
        Codes, sorted; without the area itself.

    Raises
    ------
    SpecError
        When the membership does not know the area or the relation.

    Examples
    --------
    >>> steps = pd.DataFrame({"child_id": ["a", "b", "north"], "parent_id": ["north", "south", "town"]})
    >>> members(as_membership(steps), "town")
    ['a', 'north']
    """
    return _reached(membership, area, "parent_id", "child_id", of, relation)


def belongs_to(
    membership: pd.DataFrame, area: str, *, of: Iterable[str] | None = None, relation: Relation = None
) -> list[str]:
    """Find all areas above an area; the other way round than :func:`members`, with the same parameters.

    Raises
    ------
    SpecError
        When the membership does not know the area or the relation.

    Examples
    --------
    >>> steps = pd.DataFrame({"child_id": ["a", "a", "north"], "parent_id": ["north", "plan", "town"]})
    >>> belongs_to(as_membership(steps), "a")
    ['north', 'plan', 'town']
    """
    return _reached(membership, area, "child_id", "parent_id", of, relation)


def _reached(
    membership: pd.DataFrame, area: str, near: str, far: str, of: Iterable[str] | None, relation: Relation
) -> list[str]:
    known = {*membership["child_id"], *membership["parent_id"]}
    if area not in known:
        raise checks.unknown_name("area of the membership", area, known)
    steps = _along(membership, relation).groupby(near)[far].agg(list).to_dict()
    found: set[str] = set()
    front = {area}
    while front:
        front = {step for one in front for step in steps.get(one, [])} - found
        found |= front
    wanted = found if of is None else found & set(of)
    return sorted(wanted - {area})


def pairs_at(
    membership: pd.DataFrame, children: Iterable[str], parents: Iterable[str], *, relation: Relation = None
) -> pd.DataFrame:
    """Find every area of a higher level that each child belongs to: each pair once, however many ways lead there.

    Parameters
    ----------
    membership
        Columns ``child_id, parent_id, relation, share``.
    children, parents
        Codes of the lower and of the higher level. An area that is among both belongs to itself.
    relation
        Walk along this relation, or these, only.

    Returns
    -------
    pandas.DataFrame
        ``child_id``, ``parent_id`` (str), ``share`` (float in (0, 1]), sorted by code. Shares are multiplied along a
        way. Where ways part, those along one relation are different ground and are added, to 1 at most; two relations
        speak of the same ground, and the larger share counts.

    Raises
    ------
    SpecError
        When the membership does not know the relation.

    Examples
    --------
    Two plans overlap in *b*; both belong to the town, and so does *b*, once:

    >>> steps = pd.DataFrame({"child_id": ["a", "b", "b", "plan 1", "plan 2"],
    ...                       "parent_id": ["plan 1", "plan 1", "plan 2", "town", "town"]})
    >>> membership = as_membership(steps)
    >>> pairs_at(membership, ["a", "b"], ["plan 1", "plan 2"]).values.tolist()
    [['a', 'plan 1', 1.0], ['b', 'plan 1', 1.0], ['b', 'plan 2', 1.0]]
    >>> pairs_at(membership, ["a", "b"], ["town"]).values.tolist()
    [['a', 'town', 1.0], ['b', 'town', 1.0]]
    """
    return _pairs(_along(membership, relation), children, parents)


def _pairs(membership: pd.DataFrame, children: Iterable[str], parents: Iterable[str]) -> pd.DataFrame:
    """Solve ``share = largest over relations of min(1, one step · share)`` from the goals downwards."""
    membership = membership.drop_duplicates(["child_id", "parent_id", "relation"])  # two files may say the same
    names, child, parent = _numbered(membership)
    low, high = sorted(set(children)), sorted(set(parents))
    names = names.append(pd.Index(sorted({*low, *high} - set(names)), dtype=object))
    size, goals = len(names), names.get_indexer(high)
    own = sparse.csr_array((np.ones(len(high)), (goals, np.arange(len(high)))), shape=(size, len(high)))
    share = membership["share"].to_numpy(dtype=float)
    axis = pd.factorize(membership["relation"])[0]
    steps = []
    for number in np.unique(axis):
        on = axis == number
        step = sparse.csr_array((share[on], (child[on], parent[on])), shape=(size, size))
        steps.append(step)
    reached = own
    for _ in range(size):  # a circle ends too
        following = own
        for step in steps:
            following = following.maximum((step @ reached).minimum(1.0))
        if abs(following - reached).nnz == 0:
            break
        reached = following
    found = reached[names.get_indexer(low)].tocoo()
    table = pd.DataFrame(
        {
            "child_id": np.asarray(low, dtype=object)[found.row],
            "parent_id": np.asarray(high, dtype=object)[found.col],
            "share": found.data,
        }
    )
    return table.sort_values(["child_id", "parent_id"], ignore_index=True)


def parents_at(
    membership: pd.DataFrame, children: Sequence[str], parents: Sequence[str], *, relation: Relation = None
) -> pd.Series:
    """Find the one parent of each child among the areas of a higher level.

    The membership table is climbed as many steps as it takes (DeSO → RegSO → kommun), to the first parent met on every
    way. For areas that several parents share see :func:`pairs_at`.

    Parameters
    ----------
    membership
        Columns ``child_id, parent_id, relation, share``.
    children, parents
        Codes of the lower and of the higher level.
    relation
        Walk along this relation, or these, only.

    Returns
    -------
    pandas.Series
        Index ``area_id`` (the children), values the parent's code, or None for a child that has none.

    Raises
    ------
    IdError
        When a child has several parents at that level, or only a share of it belongs there.
    SpecError
        When the membership does not know the relation.

    Examples
    --------
    >>> steps = pd.DataFrame({"child_id": ["a", "b", "north"], "parent_id": ["north", "south", "town"]})
    >>> membership = as_membership(steps)
    >>> parents_at(membership, ["a", "b"], ["town"]).to_dict()
    {'a': 'town', 'b': None}
    """
    rows = _along(membership, relation)
    found = _pairs(rows[~rows["child_id"].isin(set(parents))], children, parents)
    doubtful = found["child_id"].duplicated(keep=False) | (found["share"] < 1 - _WHOLE)
    if doubtful.any():
        names = sorted(set(found.loc[doubtful, "child_id"]))
        raise IdError(
            Fault(
                what=f"{len(names)} area(s) belong to several parents, or only partly to one: {checks.listed(names)}",
                expected="one whole parent for every area that is merged",
            )
        )
    only = found.set_index("child_id")["parent_id"].to_dict()
    index = pd.Index(children, name="area_id", dtype=object)
    return pd.Series([only.get(child) for child in index], index=index, dtype=object, name="parent_id")


def whole_pairs(parents: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Bring parents, from :func:`parents_at` or :func:`pairs_at`, into the form ``child_id, parent_id``.

    Raises
    ------
    IdError
        When a child belongs to a parent only in part.
    """
    if isinstance(parents, pd.Series):
        given = parents.dropna()
        pairs = pd.DataFrame({"child_id": given.index.to_numpy(), "parent_id": given.to_numpy()})
        return pairs.drop_duplicates(ignore_index=True)
    if "share" in parents:
        partly = parents[parents["share"] < 1 - _WHOLE]
        if len(partly):
            names = sorted(set(partly["child_id"]))
            raise IdError(
                Fault(
                    what=f"{len(names)} area(s) belong only partly to a parent: {checks.listed(names)}",
                    expected="whole parents for every area that is merged",
                    hint="`transfer` divides the figures of areas that borders cut through",
                )
            )
    return parents[["child_id", "parent_id"]].drop_duplicates(ignore_index=True)


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
