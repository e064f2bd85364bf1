"""Nesting: how the areas of one level lie in those of another, in square metres and in people."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.places.areas import crs_name, ground, measurable, unite
from geoplan.places.membership import assign_largest_overlap, pairs_at

__all__ = ["NestingReport", "check_nesting"]

_POLYGON = 3
_WHOLE = 1 - 1e-9
_COLUMNS = ["kind", "area_id", "parent_id", "other_id", "sliver", "m2", "people"]


@dataclass(frozen=True)
class NestingReport:
    """How two levels of areas lie in each other.

    Attributes
    ----------
    areas, parents
        Number of areas of the lower and of the upper level.
    areas_m2
        Sum of the surfaces of the lower level, m².
    people
        Known residents of the lower level; NaN when no population was given.
    sliver_m
        A piece into which no circle of this diameter fits is a sliver, m.
    pieces
        What does not fit, largest first. Columns ``kind``, ``area_id``, ``parent_id``, ``other_id`` (str; empty where
        none is meant), ``sliver`` (bool), ``m2`` (float) and ``people`` (float; NaN where nobody knows). Kinds:

        ``no_parent``
            an area that belongs to no area of the upper level;
        ``no_child``
            an upper area to which none belongs;
        ``outside``
            ground of ``area_id`` beyond its parent ``parent_id``, or, where it is divided between several, beyond all
            of them together (``parent_id`` is empty);
        ``gap``
            ground of ``parent_id`` that no area covers; who lives there is not known;
        ``overlap``
            ground that ``area_id`` and ``other_id`` both claim; ``people`` are those of both;
        ``parent_overlap``
            ground that the upper areas ``parent_id`` and ``other_id`` both claim.
    """

    areas: int
    parents: int
    areas_m2: float
    people: float
    sliver_m: float
    pieces: pd.DataFrame

    @property
    def misplaced(self) -> float:
        """Share of the people, or where nobody counted them of the ground, that lies in no or another parent (0–1)."""
        away = self.pieces[self.pieces["kind"].isin(["no_parent", "outside"])]
        whole, part = (self.people, away["people"]) if self.people > 0 else (self.areas_m2, away["m2"])
        return float(part.sum() / whole) if whole > 0 else 0.0

    def lines(self) -> list[str]:
        """Return the findings as sentences; an empty list when the levels nest."""
        said = self._lines(*_WORDS)
        slivers = self.pieces[self.pieces["sliver"]]
        if len(slivers):
            pieces = "1 sliver is" if len(slivers) == 1 else f"{len(slivers):,} slivers are"
            said.append(f"{pieces} thinner than {self.sliver_m:g} m: {_size(slivers)} in all")
        return said

    def misplaced_lines(self) -> list[str]:
        """Return the sentences on areas that lie in no parent or in another."""
        return self._lines("no_parent", "outside")

    def _lines(self, *kinds: str) -> list[str]:
        wide = self.pieces[~self.pieces["sliver"]]
        said = [self._told(wide[wide["kind"] == kind], *_WORDS[kind]) for kind in kinds]
        return [line for line in said if line]

    @staticmethod
    def _told(found: pd.DataFrame, one: str, many: str, which: str) -> str:
        if found.empty:
            return ""
        first = found.iloc[0]
        largest = which.format(**{name: f"'{first[name]}'" for name in ("area_id", "parent_id", "other_id")})
        largest = largest.replace(" beyond ''", "")
        if len(found) == 1:
            return f"{one}: {largest}, {_size(found)}"
        return f"{len(found):,} {many}: {_size(found)} in all (largest: {largest}, {_size(found.head(1))})"


_WORDS = {
    "no_parent": ("1 area has no parent", "areas have no parent", "{area_id}"),
    "no_child": ("1 parent has no area", "parents have no area", "{parent_id}"),
    "outside": (
        "1 area lies wholly or partly outside its parent",
        "times an area lies wholly or partly outside its parent",
        "{area_id} beyond {parent_id}",
    ),
    "gap": ("1 parent has ground that no area covers", "parents have ground that no area covers", "{parent_id}"),
    "overlap": ("1 pair of areas overlaps", "pairs of areas overlap", "{area_id} and {other_id}"),
    "parent_overlap": ("1 pair of parents overlaps", "pairs of parents overlap", "{parent_id} and {other_id}"),
}


def _size(pieces: pd.DataFrame) -> str:
    people = pieces["people"].sum(min_count=1)
    text = ground(pieces["m2"].sum())
    if pd.isna(people):
        return text
    count = round(people)
    return f"{text}, {count:,} {'person' if count == 1 else 'people'}"


def check_nesting(
    children: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame,
    membership: pd.DataFrame | None = None,
    *,
    population: pd.Series | None = None,
    minimum_m2: float = 1.0,
    sliver_m: float = 5.0,
) -> NestingReport:
    """Compare two levels of areas: gaps, overlaps, slivers, areas outside their parent, areas without partner.

    Parameters
    ----------
    children, parents
        Areas of the lower and of the upper level, in the same metric system.
    membership
        Columns ``child_id, parent_id, relation, share``: where each area belongs, over any number of steps. Without it
        an area belongs to the one that covers most of it.
    population
        Residents of the children by code. They are taken to live evenly over the child's ground, which is coarse where
        a child holds a lake or a forest.
    minimum_m2
        Less than this between two areas is rounding of coordinates and left out, m².
    sliver_m
        A piece into which no circle of this diameter fits is a sliver: two drawings of one border, m.

    Returns
    -------
    NestingReport

    Raises
    ------
    CrsError
        When the two are in different systems, or in one that one may not measure in.
    InputError
        When one of them has no areas, a code twice, or an area without geometry.

    Examples
    --------
    >>> from shapely import box
    >>> def areas(**sides):
    ...     ids = pd.Index(list(sides), name="area_id")
    ...     shapes = [box(x + 674000, 6580000, x + wide + 674000, 6580100) for x, wide in sides.values()]
    ...     return gpd.GeoDataFrame(geometry=shapes, index=ids, crs="EPSG:3006")
    >>> report = check_nesting(areas(a=(0, 100), b=(100, 150)), areas(town=(0, 200)), population=pd.Series({"b": 300}))
    >>> report.lines()
    ["1 area lies wholly or partly outside its parent: 'b' beyond 'town', 5,000 m², 100 people"]
    """
    children, parents = measurable(children), measurable(parents)
    if not children.crs.equals(parents.crs, ignore_axis_order=True):
        raise checks.crs_differ(crs_name(children.crs), crs_name(parents.crs))
    if membership is None:
        pairs = assign_largest_overlap(children, parents, minimum_share=0.0).assign(share=1.0)
    else:
        pairs = pairs_at(membership, children.index, parents.index)
    density = pd.Series(np.nan, index=children.index)
    if population is not None:
        density = population.reindex(children.index).astype(float) / children.area
    surface = density * children.area
    lonely = children.index.difference(pairs["child_id"])
    empty = parents.index.difference(pairs["parent_id"])
    found = [
        _listed("no_parent", lonely, children.area[lonely], surface[lonely], "area_id"),
        _listed("no_child", empty, parents.area[empty], pd.Series(np.nan, index=empty), "parent_id"),
        *(
            _measured(kind, keys, shapes, minimum_m2, sliver_m)
            for kind, (keys, shapes) in {
                "outside": _outside(children, parents, pairs),
                "gap": _gaps(children, parents),
                "overlap": _common(children, "area_id"),
                "parent_overlap": _common(parents, "parent_id"),
            }.items()
        ),
    ]
    pieces = pd.concat([part for part in found if len(part)] or [found[0]], ignore_index=True)
    pieces = pieces.astype({"sliver": bool, "m2": float, "people": float})
    _count_people(pieces, density)
    shared = pieces["kind"] == "parent_overlap"
    pieces.loc[shared, "people"] = _people_in_common(pieces[shared], parents, children, density)
    pieces = pieces.sort_values(["kind", "m2", "area_id", "parent_id"], ascending=[True, False, True, True])
    return NestingReport(
        areas=len(children),
        parents=len(parents),
        areas_m2=float(children.area.sum()),
        people=float(surface.sum(min_count=1)),
        sliver_m=sliver_m,
        pieces=pieces[_COLUMNS].reset_index(drop=True),
    )


# ---------------------------------------------------------------- pieces

_Keyed = tuple[pd.DataFrame, np.ndarray]
"""Pieces of ground: which areas they concern, and their shapes."""


def _outside(children: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, pairs: pd.DataFrame) -> _Keyed:
    """Cut from each child what its parent covers; from a divided one what its parents cover together."""
    small, large = children.geometry.to_numpy(), parents.geometry.to_numpy()
    shapely.prepare(large)
    whole = pairs[pairs["share"] >= _WHOLE]
    child, parent = children.index.get_indexer(whole["child_id"]), parents.index.get_indexer(whole["parent_id"])
    sticks_out = ~shapely.covers(large[parent], small[child])
    whole, child, parent = whole[sticks_out], child[sticks_out], parent[sticks_out]
    shapes = [shapely.difference(small[child], large[parent])]
    keys = [pd.DataFrame({"area_id": whole["child_id"], "parent_id": whole["parent_id"]})]
    for code, among in pairs[pairs["share"] < _WHOLE].groupby("child_id")["parent_id"]:
        cover = shapely.union_all(large[parents.index.get_indexer(among)])
        shapes.append(np.array([shapely.difference(small[children.index.get_loc(code)], cover)]))
        keys.append(pd.DataFrame({"area_id": [code], "parent_id": [""]}))
    return pd.concat(keys, ignore_index=True).assign(other_id=""), np.concatenate(shapes)


def _gaps(children: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> _Keyed:
    """Cut from each parent what any child covers."""
    small, large = children.geometry.to_numpy(), parents.geometry.to_numpy()
    parent, child = shapely.STRtree(small).query(large, predicate="intersects")
    keys = pd.DataFrame({"area_id": "", "parent_id": parents.index, "other_id": ""})
    return keys, shapely.difference(large, unite(small[child], parent, len(large)))


def _common(areas: gpd.GeoDataFrame, column: str) -> _Keyed:
    """Return what two areas of a level both claim."""
    shapes, codes = areas.geometry.to_numpy(), areas.index.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    inside = ~shapely.touches(shapes[one], shapes[other])
    one, other = one[inside], other[inside]
    keys = pd.DataFrame({"area_id": "", "parent_id": "", "other_id": codes[other]}).assign(**{column: codes[one]})
    return keys, shapely.intersection(shapes[one], shapes[other])


def _measured(kind: str, keys: pd.DataFrame, shapes: np.ndarray, minimum_m2: float, sliver_m: float) -> pd.DataFrame:
    """Measure pieces, with slivers apart."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    surface = shapely.get_type_id(parts) == _POLYGON
    parts, of = parts[surface], of[surface]
    table = keys.iloc[of].reset_index(drop=True)
    table = table.assign(kind=kind, sliver=_thin(parts, sliver_m), m2=shapely.area(parts), people=np.nan)
    by = ["kind", "area_id", "parent_id", "other_id", "sliver"]
    table = table.groupby(by, as_index=False)[["m2", "people"]].sum(min_count=1)
    return table[table["m2"] >= minimum_m2][_COLUMNS]


def _thin(parts: np.ndarray, width: float) -> np.ndarray:
    """Tell the pieces into which no circle of a diameter fits: nothing is left when they are shrunk by its radius."""
    # A polygon holds a circle of radius area / perimeter, so most need not be shrunk.
    thin: np.ndarray = shapely.area(parts) < shapely.length(parts) * width / 2
    thin[thin] = shapely.is_empty(shapely.buffer(parts[thin], -width / 2))
    return thin


def _listed(kind: str, ids: pd.Index, m2: pd.Series, people: pd.Series, column: str) -> pd.DataFrame:
    table = pd.DataFrame({"kind": kind, "area_id": "", "parent_id": "", "other_id": "", "sliver": False}, index=ids)
    return table.assign(**{column: ids, "m2": m2, "people": people})[_COLUMNS]


def _count_people(pieces: pd.DataFrame, density: pd.Series) -> None:
    """Put people on the pieces of children, as many on each square metre of one."""
    own = pieces["kind"].isin(["outside", "overlap"])
    each = np.array([density.reindex(pieces[name]).to_numpy() for name in ("area_id", "other_id")])
    counted = own & ~np.isnan(each).all(axis=0)
    pieces.loc[counted, "people"] = (np.nansum(each, axis=0) * pieces["m2"])[counted]


def _people_in_common(
    pieces: pd.DataFrame, parents: gpd.GeoDataFrame, children: gpd.GeoDataFrame, density: pd.Series
) -> np.ndarray:
    """Count the children's people on the ground that two parents both claim, in proportion to each piece of it."""
    shapes = parents.geometry
    common = shapely.intersection(shapes[pieces["parent_id"]].to_numpy(), shapes[pieces["other_id"]].to_numpy())
    small = children.geometry.to_numpy()
    piece, child = shapely.STRtree(small).query(common, predicate="intersects")
    on = shapely.area(shapely.intersection(common[piece], small[child])) * density.to_numpy()[child]
    people = pd.Series(on).groupby(piece).sum(min_count=1).reindex(range(len(pieces))).to_numpy()
    return np.asarray(people * pieces["m2"].to_numpy() / shapely.area(common))
