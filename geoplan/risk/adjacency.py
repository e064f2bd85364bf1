"""Neighbours: which areas lie beside each other, with bridges over water and without leaving islands out unseen.

Every way ends in the same thing: a table that says how each pair came about, and the same as a
:class:`libpysal.graph.Graph` of zeros and ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from geoplan import checks
from geoplan.errors import Fault, Faults, GeometryError, SpecError
from geoplan.places.areas import measurable, working_crs

if TYPE_CHECKING:
    from libpysal.graph import Graph

__all__ = ["Neighbours", "neighbours"]

_METHODS = ("contiguity", "nearest", "distance")
_ISLANDS = ("join", "keep", "refuse")
_LINES = ["LineString", "LinearRing", "MultiLineString"]
_DECIMALS = 3  # ends of lines less than a millimetre apart meet
_PAIR = 2
_Links = tuple[np.ndarray, np.ndarray]
"""Pairs by position: from, to."""


@dataclass(frozen=True)
class Neighbours:
    """Which areas are neighbours, and why.

    Attributes
    ----------
    area_ids
        The areas, in their order.
    pairs
        Columns ``area_id``, ``neighbour_id`` (str) and ``how`` (``contiguity``, ``nearest``, ``distance``, ``bridge``
        or ``island``: the first of these by which the pair was found); one row a direction, in the order of the areas.
    islands
        Areas that neither the method nor a bridge gives a neighbour.
    rule
        What was asked for, in words.
    islands_rule
        ``join`` (each island is the neighbour of the nearest area) or ``keep`` (it has no neighbour).
    unused
        Number of lines given as bridges that do not help to cross a gap between two areas.
    """

    area_ids: pd.Index = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    islands: tuple[str, ...]
    rule: str
    islands_rule: str
    unused: int = 0

    @cached_property
    def graph(self) -> Graph:
        """The neighbours as :class:`libpysal.graph.Graph`.

        Weights 1, focal ids in the order of the areas, an area without neighbours as a loop of weight 0. Made on first
        use: who needs the pairs only is spared the import.
        """
        return graph_of(self._links, self.area_ids.to_numpy())

    @property
    def _links(self) -> _Links:
        """The pairs by position."""
        return (
            self.area_ids.get_indexer(self.pairs["area_id"]),
            self.area_ids.get_indexer(self.pairs["neighbour_id"]),
        )

    def lines(self) -> list[str]:
        """Return what was found as sentences; the first says how many neighbours an area has."""
        number, links = len(self.area_ids), len(self.pairs)
        areas = "1 area has" if number == 1 else f"{number:,} areas have"
        said = [f"{areas} {links / number:.1f} neighbours on average ({self.rule})"]
        bridged = int((self.pairs["how"] == "bridge").sum() / 2)
        if bridged:
            said.append(f"{bridged:,} pair{'s are' if bridged > 1 else ' is'} neighbours by a bridge")
        if self.unused:
            lines = "1 line crosses" if self.unused == 1 else f"{self.unused:,} lines cross"
            said.append(f"{lines} no gap between two areas")
        if self.islands:
            one = len(self.islands) == 1
            joined = (self.pairs["how"] == "island").any()
            done = f"{'was' if one else 'were'} joined to the nearest" if joined else f"{'stays' if one else 'stay'} so"
            alone = "1 area has" if one else f"{len(self.islands):,} areas have"
            said.append(f"{alone} no neighbour by this rule and {done}: {checks.listed(self.islands)}")
        ties = sparse.csr_array((np.ones(links), self._links), shape=(number, number))
        groups = connected_components(ties, directed=False, return_labels=False)
        if groups > 1:
            said.append(f"the areas form {groups:,} groups with no link between them")
        return said


def neighbours(
    areas: gpd.GeoDataFrame,
    *,
    method: Literal["contiguity", "nearest", "distance"] = "contiguity",
    k: int = 6,
    distance_m: float | None = None,
    bridges: Iterable[tuple[str, str]] | gpd.GeoDataFrame | None = None,
    islands: Literal["join", "keep", "refuse"] = "join",
    tolerance_m: float = 5.0,
) -> Neighbours:
    """Find the neighbours of each area.

    Parameters
    ----------
    areas
        Index ``area_id``, polygons in a metric system.
    method
        ``contiguity``: areas that touch, at a corner or along a border, or overlap. ``nearest``: the ``k`` areas whose
        centres are nearest; A may be a neighbour of B and B none of A. ``distance``: areas whose centres are no
        farther than ``distance_m`` from each other.
    k
        Number of neighbours of each area, for ``nearest``.
    distance_m
        Largest distance of two centres, m, for ``distance``.
    bridges
        Links over water or other gaps, whatever the method: pairs of codes; or lines (bridges, roads, ferries) in any
        stated system. Areas that a line touches in a row, with a gap between, become neighbours; lines that meet at
        their ends in the gap lead on. Where areas leave most of a town out, give its bridges and not all its streets.
    islands
        What becomes of an area that has no neighbour after that: ``join`` it to the area whose border is nearest,
        ``keep`` it without, or ``refuse``.
    tolerance_m
        Borders no farther apart than this are drawn twice and touch; the end of a line as near as this to an area
        reaches it, m. 5 m is what :func:`~geoplan.places.check_nesting` calls a sliver.

    Returns
    -------
    Neighbours
        Symmetric, but for ``nearest``. One area alone has no neighbours, whatever was asked for.

    Raises
    ------
    InputError
        ``CrsError``, ``IdError`` or ``GeometryError`` for areas or lines that cannot be measured, for codes that are no
        areas, and for islands that are refused; ``SpecError`` for an argument out of range.

    Examples
    --------
    >>> from shapely import box
    >>> shapes = [box(674000 + x, 6580000, 674100 + x, 6580100) for x in (0, 100, 300)]
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(["a", "b", "c"], name="area_id"), crs="EPSG:3006")
    >>> near = neighbours(areas, bridges=[("b", "c")])
    >>> near.pairs.values.tolist()
    [['a', 'b', 'contiguity'], ['b', 'a', 'contiguity'], ['b', 'c', 'bridge'], ['c', 'b', 'bridge']]
    >>> neighbours(areas).lines()[1]
    "1 area has no neighbour by this rule and was joined to the nearest: 'c'"
    """
    _must_be_possible(method, islands, k, distance_m, tolerance_m, len(areas))
    areas = _polygons(areas)
    shapes, size = areas.geometry.to_numpy(), len(areas)
    rule, links = _linked(areas, method, k, distance_m, tolerance_m)
    found = [_rows(links, method)]
    unused = 0
    if bridges is not None:
        if isinstance(bridges, gpd.GeoDataFrame | gpd.GeoSeries):
            bridged, unused = _along_lines(areas, bridges, tolerance_m)
        else:
            bridged = _between_codes(areas, bridges)
        found.append(_rows(bridged, "bridge", both=True))
    lonely = np.setdiff1d(np.arange(size), pd.concat(found)["from"])
    names = tuple(str(code) for code in areas.index[lonely])
    if len(lonely) and islands == "refuse":
        raise _islands_refused(names)
    if len(lonely) and islands == "join" and size > 1:
        found.append(_rows(_to_nearest(shapes, lonely), "island", both=True))
    table = pd.concat(found, ignore_index=True).drop_duplicates(["from", "to"]).sort_values(["from", "to"])
    ids = areas.index.to_numpy()
    pairs = {"area_id": ids[table["from"]], "neighbour_id": ids[table["to"]], "how": table["how"].to_numpy(object)}
    return Neighbours(
        area_ids=areas.index,
        pairs=pd.DataFrame(pairs),
        islands=names,
        rule=rule,
        islands_rule=islands,
        unused=unused,
    )


def graph_of(links: _Links, ids: np.ndarray) -> Graph:
    """Make a graph of zeros and ones from pairs of positions."""
    from libpysal.graph import Graph  # noqa: PLC0415  slow to import, and only this needs it

    ones = np.ones(len(links[0]))
    return Graph.from_sparse(sparse.csr_array((ones, links), shape=(len(ids), len(ids))), ids)


def whole_from(least: int, number: object) -> bool:
    """Say whether a number of things is one: whole, and not below ``least``."""
    return isinstance(number, Integral) and int(number) >= least


def must_be_neighbours(given: object, key: str = "neighbours") -> None:
    """Refuse what does not say which areas have none, such as a list of pairs or a graph."""
    if not isinstance(given, Neighbours):
        what = f"neighbours of type {type(given).__name__}"
        raise SpecError(Fault(what=what, key=key, expected="what `neighbours(…)` returns"))


def _must_be_possible(
    method: str, islands: str, k: int, distance_m: float | None, tolerance_m: float, size: int
) -> None:
    """Collect what is wrong with the arguments."""
    faults = Faults()
    for key, word, known in (("method", method, _METHODS), ("islands", islands, _ISLANDS)):
        if word not in known:
            faults.add(checks.unknown_name("method" if key == "method" else "rule for islands", word, known, key=key))
    if method == "nearest" and size > 1 and not (whole_from(1, k) and k < size):
        fault = Fault(
            what=f"{k} nearest of {size:,} areas cannot be found",
            key="k",
            expected=f"a whole number from 1 to {size - 1}",
        )
        faults.add(SpecError(fault))
    if method == "distance" and not (distance_m is not None and 0 < distance_m < np.inf):
        what = "no distance is given" if distance_m is None else f"{distance_m:g} m is no distance"
        faults.add(SpecError(Fault(what=what, key="distance_m", expected="a number of metres above 0")))
    if not 0 <= tolerance_m < np.inf:
        what = f"{tolerance_m:g} m is no tolerance"
        faults.add(SpecError(Fault(what=what, key="tolerance_m", expected="0 or a number of metres above")))
    faults.raise_any()


def _polygons(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make sure that the areas are polygons one can measure between."""
    areas = measurable(areas)
    flat = areas.geom_type.isin(["Polygon", "MultiPolygon"])
    if not flat.all():
        raise checks.not_polygons([str(code) for code in areas.index[~flat]], areas.geom_type[~flat])
    broken = ~areas.is_valid
    if broken.any():
        raise GeometryError(
            Fault(
                what=f"{int(broken.sum())} area(s) have an invalid geometry: {checks.listed(areas.index[broken])}",
                hint="`as_areas` mends and lists them",
            )
        )
    return areas


def _islands_refused(names: tuple[str, ...]) -> GeometryError:
    return GeometryError(
        Fault(
            what=f"{len(names)} area(s) have no neighbour: {checks.listed(names)}",
            expected="a neighbour for every area",
            hint='give `bridges`, or let `islands="join"` take the nearest area',
        )
    )


def _rows(links: _Links, how: str, *, both: bool = False) -> pd.DataFrame:
    """List links, with ``both`` in both directions."""
    first, second = links
    if both:
        first, second = np.concatenate([first, second]), np.concatenate([second, first])
    return pd.DataFrame({"from": first, "to": second, "how": how})


# ---------------------------------------------------------------- methods


def _linked(
    areas: gpd.GeoDataFrame, method: str, k: int, distance_m: float | None, tolerance_m: float
) -> tuple[str, _Links]:
    """Return the rule in words, and the links it makes, in both directions."""
    shapes, size = areas.geometry.to_numpy(), len(areas)
    if size == 1:
        return "one area alone", (np.empty(0, dtype=int), np.empty(0, dtype=int))
    if method == "contiguity":
        first, second = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=tolerance_m)
        other = first != second
        return f"they touch within {tolerance_m:g} m", (first[other], second[other])
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    if method == "nearest":
        return f"the {k} with the nearest centres", _nearest(centres, k)
    from scipy.spatial import KDTree  # noqa: PLC0415  slow to import, and only this needs it

    pairs = KDTree(centres).query_pairs(distance_m, output_type="ndarray")
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return f"centres within {distance_m:,.10g} m", (both[:, 0], both[:, 1])


def _nearest(centres: np.ndarray, k: int) -> _Links:
    from scipy.spatial import KDTree  # noqa: PLC0415  slow to import, and only this needs it

    found = KDTree(centres).query(centres, k=k + 1)[1]
    others = found != np.arange(len(centres))[:, None]
    others[others.all(axis=1), -1] = False  # centres that coincide may push an area out of its own list
    return np.repeat(np.arange(len(centres)), k), found[others]


def _to_nearest(shapes: np.ndarray, lonely: np.ndarray) -> _Links:
    """Link each lonely area to the one whose border is nearest, or to all that are equally near."""
    nearest = shapely.STRtree(shapes).query_nearest(shapes[lonely], exclusive=True)
    return lonely[nearest[0]], nearest[1]


# ---------------------------------------------------------------- bridges


def _between_codes(areas: gpd.GeoDataFrame, bridges: Iterable[tuple[str, str]]) -> _Links:
    pairs = [tuple(pair) if not isinstance(pair, str) else (pair,) for pair in bridges]
    faults = Faults()
    for pair in pairs:
        if len(pair) != _PAIR or pair[0] == pair[1]:
            what = f"a bridge joins {checks.listed(pair)}"
            faults.add(SpecError(Fault(what=what, key="bridges", expected="two different areas")))
    codes = list(dict.fromkeys(str(code) for pair in pairs for code in pair))
    unknown = [code for code in codes if code not in areas.index]
    if unknown:
        faults.add(checks.ids_not_among(unknown, [str(code) for code in areas.index]).located(key="bridges"))
    faults.raise_any()
    ends = np.array(pairs, dtype=object).reshape(-1, _PAIR)
    return areas.index.get_indexer(ends[:, 0]), areas.index.get_indexer(ends[:, 1])


def _along_lines(areas: gpd.GeoDataFrame, bridges: gpd.GeoDataFrame, tolerance_m: float) -> tuple[_Links, int]:
    """Link the areas that lines lead between across a gap; and count the lines that are of no use for that."""
    shapes = areas.geometry.to_numpy()
    lines = _lines_in(areas, bridges)
    gaps, line = _outside(lines, shapely.union_all(shapes))
    ends = np.concatenate([shapely.get_point(gaps, 0), shapely.get_point(gaps, -1)])
    nodes, at = np.unique(shapely.get_coordinates(ends).round(_DECIMALS), axis=0, return_inverse=True)
    begin, end = at[: len(gaps)], at[len(gaps) :]
    size = len(nodes)
    joined = sparse.coo_array((np.ones(len(gaps)), (begin, end)), shape=(size, size))
    group = connected_components(joined, directed=False)[1] if size else np.empty(0, dtype=int)
    near = max(tolerance_m, 10.0**-_DECIMALS)
    node, area = shapely.STRtree(shapes).query(shapely.points(nodes), predicate="dwithin", distance=near)
    reached = pd.DataFrame({"group": group[node], "area": area}).drop_duplicates()
    links = reached.merge(reached, on="group", suffixes=("", "_other"))
    links = links[links["area"] < links["area_other"]]
    used = np.unique(line[np.isin(group[begin], links["group"])])
    return (links["area"].to_numpy(), links["area_other"].to_numpy()), len(lines) - len(used)


def _outside(lines: np.ndarray, ground: shapely.Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Return the pieces of lines beyond all areas, and the line that each is from."""
    shapely.prepare(ground)
    away = np.flatnonzero(~shapely.covers(ground, lines))
    pieces, line = shapely.get_parts(shapely.difference(lines[away], ground), return_index=True)
    some = ~shapely.is_empty(pieces)
    return pieces[some], away[line[some]]


def _lines_in(areas: gpd.GeoDataFrame, bridges: gpd.GeoDataFrame) -> np.ndarray:
    """Return the lines in the areas' system, one part each."""
    shapes = bridges.geometry
    if shapes.crs is None:
        raise checks.crs_missing().located(key="bridges")
    shapes = shapes[shapes.notna() & ~shapes.is_empty]
    other = ~shapes.geom_type.isin(_LINES)
    if other.any():
        what = f"{int(other.sum())} bridge(s) are no lines but {checks.listed(sorted(set(shapes.geom_type[other])))}"
        raise GeometryError(Fault(what=what, key="bridges", expected="lines, or pairs of codes"))
    if shapes.empty:
        return np.empty(0, dtype=object)
    faults = Faults()
    with faults.catch(key="bridges"):
        shapes = working_crs(shapes.to_frame("geometry"), areas.crs.to_wkt()).geometry
    faults.raise_any()
    return np.asarray(shapely.get_parts(shapes.to_numpy()))
