"""Figures of areas whose boundaries are drawn anew: neighbours merged, parts on their own, all boundaries moved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.places import KNOWN, Grid, IndicatorTable, crosswalk, roll_up, transfer
from geoplan.places.provenance import concat_tables
from geoplan.specs import RuleSpec, UseSpec
from geoplan.specs.index import IndexSpec
from geoplan.targeting.ready import Given

__all__ = ["DIRECTIONS", "Sources", "added_to", "in_place_of", "merged_figures", "needed_of", "parts_of",
           "shifted_figures", "sources_of", "split_figures"]  # fmt: skip

#: Name → step east and north.
DIRECTIONS = {
    name: (math.sin(math.radians(45 * turn)), math.cos(math.radians(45 * turn)))
    for turn, name in enumerate(("N", "NE", "E", "SE", "S", "SW", "W", "NW"))
}
_PIECE = 1e-4  # of a source; smaller pieces are differences of drawing
_ROUNDING = 1e-9
_MARK = "\x1f"  # stands in no code
_MARKED = "(^| > )[0-9]+\x1f"


@dataclass(frozen=True)
class Sources:
    """Where the figures of areas that are cut come from.

    Attributes
    ----------
    table
        Figures of the sources; of the areas themselves where there are no units.
    shapes
        Their geometry, index: codes.
    homes
        ``source, area``: which areas each lies in now.
    weights, weight_column
        What their pieces are weighed by; surface when there is none.
    by
        ``units`` or ``areas``, and how their pieces are weighed, in words.
    """

    table: IndicatorTable
    shapes: gpd.GeoDataFrame
    homes: pd.DataFrame
    weights: Grid | gpd.GeoDataFrame | None
    weight_column: str | None
    by: str


# ---------------------------------------------------------------- tables


def needed_of(given: Given, rule: RuleSpec, period: str, spec: IndexSpec | None) -> IndicatorTable:
    """Return the part of the table that a rule looks at in one period."""

    def used(name: str) -> str:
        return given.uses.get(name, UseSpec(indicator=name)).indicator

    names = {used(rule.population)}
    for item in rule.criteria:
        counts = [*item.numerators, *item.denominators]
        names |= {used(item.key), *(name.removesuffix(".denominator") for name in counts)}
    periods = {period}
    if spec is not None:
        names |= {used(name) for name in (*spec.indicators, spec.population)}
        periods |= {spec.base} if spec.base else set()
    years = max(item.mean_years for item in rule.criteria)
    if years > 1 and period.isdecimal():
        periods |= {str(int(period) - back) for back in range(years)}

    def cut(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["indicator"].isin(names) & rows["period"].isin(periods)].reset_index(drop=True)

    table = given.table
    definitions = {name: item for name, item in table.definitions.items() if name in names}
    parts = None if table.parts is None else cut(table.parts)
    return IndicatorTable(cut(table.data), definitions, parts, table.profile)


def _without_bare(table: IndicatorTable) -> IndicatorTable:
    """Take rates without counts and without a base for not known: nothing says how much each would weigh."""

    def marked(rows: pd.DataFrame) -> pd.DataFrame:
        kind = rows["indicator"].map({name: item.kind for name, item in table.definitions.items()})
        bare = rows["status"].isin(KNOWN) & rows["numerator"].isna() & rows["denominator"].isna() & (kind != "count")
        if not bare.any():
            return rows
        reason = rows["reason"].astype(object) if "reason" in rows else pd.Series("", index=rows.index, dtype=object)
        return rows.assign(
            value=rows["value"].mask(bare),
            status=rows["status"].astype(object).mask(bare, "not_collected"),
            reason=reason.mask(bare, "no_counts"),
        )

    return IndicatorTable(
        marked(table.data), table.definitions, None if table.parts is None else marked(table.parts), table.profile
    )


def _some(table: IndicatorTable, ids: Iterable[str]) -> IndicatorTable:
    wanted = set(ids)
    parts = None if table.parts is None else table.parts[table.parts["parent"].isin(wanted)]
    return IndicatorTable(table.data[table.data["area_id"].isin(wanted)], table.definitions, parts, table.profile)


def added_to(table: IndicatorTable, other: IndicatorTable) -> IndicatorTable:
    """Put two tables of the same indicators below each other, each with the rows it was made from."""
    parts = concat_tables([table.finest, other.finest])
    return IndicatorTable(concat_tables([table.data, other.data]), table.definitions, parts, table.profile)


def in_place_of(
    table: IndicatorTable, gone: Iterable[str], other: IndicatorTable, ids: Iterable[str]
) -> IndicatorTable:
    """Return the table with some areas replaced by some of another table."""
    left = _some(table, set(table.data["area_id"]) - set(gone))
    return added_to(left, _some(other, ids))


# ---------------------------------------------------------------- merging


def merged_figures(
    table: IndicatorTable, pairs: Sequence[tuple[str, str]], minimum_coverage: float
) -> tuple[IndicatorTable, list[str]]:
    """Merge pairs of areas: counts are added up, rates made anew; return the figures and the new codes."""
    names = [f"{one} + {other}" for one, other in pairs]
    rows = [(code, name, 1.0) for pair, name in zip(pairs, names, strict=True) for code in pair]
    frame = pd.DataFrame(rows, columns=["child_id", "parent_id", "share"])
    return roll_up(_without_bare(table), frame, minimum_coverage=minimum_coverage), names


# ---------------------------------------------------------------- where figures of pieces come from


def sources_of(
    table: IndicatorTable,
    areas: gpd.GeoDataFrame,
    *,
    units: gpd.GeoDataFrame | None,
    unit_table: IndicatorTable | None,
    weights: Grid | gpd.GeoDataFrame | None,
    weight_column: str | None,
) -> Sources:
    """Find out from what the figures of pieces can be made: from units that have figures, or from the areas.

    Raises
    ------
    SpecError
        When there are figures of units and no geometry.
    IdError
        When not one unit has figures.
    """
    way = "surface" if weights is None else "the grid" if isinstance(weights, Grid) else "points or buildings"
    if units is None:
        if unit_table is not None:
            what = "there are figures of units, and nothing says where they lie"
            raise SpecError(Fault(what=what, key="units", expected="the areas of `unit_table` with their geometry"))
        homes = pd.DataFrame({"source": areas.index, "area": areas.index}).astype(object)
        return Sources(_without_bare(table), areas, homes, weights, weight_column, f"areas, by {way}")
    own = unit_table or IndicatorTable(
        table.finest.drop(columns="parent").drop_duplicates(["area_id", "indicator", "period"], ignore_index=True),
        table.definitions,
    )
    codes = set(own.data["area_id"])
    shapes = units[units.index.isin(codes)]
    if shapes.empty:
        raise checks.ids_match_nothing(sorted(codes), [str(code) for code in units.index]).located(key="units")
    homes = table.finest[["area_id", "parent"]].drop_duplicates().set_axis(["source", "area"], axis=1).astype(object)
    if not set(homes["source"]) & set(shapes.index):
        at = crosswalk(shapes, areas, minimum_piece=_PIECE).data.dropna(subset="to_id")
        most = at.sort_values(["share", "to_id"], ascending=[False, True]).drop_duplicates("from_id")
        homes = most[["from_id", "to_id"]].set_axis(["source", "area"], axis=1).reset_index(drop=True)
    return Sources(_without_bare(own), shapes, homes, weights, weight_column, f"units, and by {way} where one is cut")


def _shares(sources: Sources, shapes: gpd.GeoDataFrame, target: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return which share of each source falls on each target; ``to_id`` None for what falls on none."""
    found = crosswalk(
        shapes,
        target,
        weights=sources.weights,
        weight_column=sources.weight_column,
        outside="keep",
        minimum_piece=_PIECE,
    )
    return found.data[["from_id", "to_id", "share"]]


def _moved(sources: Sources, shares: pd.DataFrame, minimum_coverage: float) -> IndicatorTable:
    known = shares[shares["from_id"].isin(set(sources.table.finest["parent"]))]
    return transfer(sources.table, known, minimum_coverage=minimum_coverage)


# ---------------------------------------------------------------- splitting


def parts_of(areas: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Return the parts of each area that has several, the largest first, called ``code / 1`` and so on."""
    found = {}
    for code, shape in areas.geometry.items():
        pieces = sorted(shapely.get_parts(shape), key=lambda piece: (-piece.area, *piece.bounds))
        if len(pieces) > 1:
            ids = pd.Index([f"{code} / {number}" for number in range(1, len(pieces) + 1)], name="area_id", dtype=object)
            found[str(code)] = gpd.GeoDataFrame(geometry=pieces, index=ids, crs=areas.crs)
    return found


def split_figures(
    sources: Sources, code: str, parts: gpd.GeoDataFrame, area: gpd.GeoDataFrame, minimum_coverage: float
) -> IndicatorTable:
    """Divide the figures of one area among its parts; nothing of them gets lost.

    A source of the area that lies in none of its parts goes to the nearest one; one whose place is not known is divided
    as the area is.
    """
    own = sources.homes.loc[sources.homes["area"] == code, "source"]
    shapes = sources.shapes[sources.shapes.index.isin(own)]
    frames = []
    if len(shapes):
        shares = _shares(sources, shapes, parts)
        # What lies outside goes to the parts in proportion; what lies wholly outside, to the nearest.
        inside = shares.dropna(subset="to_id")
        inside = inside.assign(share=inside["share"] / inside.groupby("from_id")["share"].transform("sum"))
        lost = [name for name in shapes.index if name not in set(inside["from_id"])]
        near = parts.index[
            [int(np.argmin(shapely.distance(parts.geometry.to_numpy(), shapes.geometry[name]))) for name in lost]
        ]
        frames += [inside, pd.DataFrame({"from_id": lost, "to_id": near, "share": 1.0})]
    nowhere = sorted(set(own) - set(shapes.index))
    if nowhere:
        whole = _shares(sources, area, parts).dropna(subset="to_id")[["to_id", "share"]]
        frames.append(pd.DataFrame({"from_id": nowhere}).merge(whole, how="cross"))
    return _moved(sources, pd.concat(frames, ignore_index=True), minimum_coverage)


# ---------------------------------------------------------------- shifting


def shifted_figures(
    sources: Sources, areas: gpd.GeoDataFrame, steps: Sequence[tuple[float, float]], minimum_coverage: float
) -> list[IndicatorTable]:
    """Move all boundaries by so many metres east and north, but for the outer one; one table a step.

    Who would be outside stays where he is.
    """
    # All steps at once, each with codes of its own: moving figures takes the same time for few and for many.
    shares = [
        found.assign(**{name: f"{number}{_MARK}" + found[name] for name in ("from_id", "to_id")})
        for number, found in enumerate(_shares_after(sources, areas, *step) for step in steps)
    ]
    moved = _moved(_repeated(sources, len(steps)), pd.concat(shares, ignore_index=True), minimum_coverage)
    number = moved.data["area_id"].str.split(_MARK, n=1).str[0]
    below = moved.finest
    of_part = below["parent"].str.split(_MARK, n=1).str[0]
    tables = []
    for step in range(len(steps)):
        data, parts = moved.data[number == str(step)], below[of_part == str(step)]
        plain = {name: parts[name].str.replace(_MARKED, r"\1", regex=True) for name in ("area_id", "parent")}
        data = data.assign(area_id=data["area_id"].str.replace(_MARKED, r"\1", regex=True))
        tables.append(IndicatorTable(data, moved.definitions, parts.assign(**plain), moved.profile))
    return tables


def _repeated(sources: Sources, times: int) -> Sources:
    """Return the figures of the sources several times, each time with codes of their own."""

    def again(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        return concat_tables(
            [rows.assign(**{name: f"{number}{_MARK}" + rows[name] for name in columns}) for number in range(times)]
        )

    table = sources.table
    parts = None if table.parts is None else again(table.parts, ["area_id", "parent"])
    return replace(
        sources, table=IndicatorTable(again(table.data, ["area_id"]), table.definitions, parts, table.profile)
    )


def _shares_after(sources: Sources, areas: gpd.GeoDataFrame, east: float, north: float) -> pd.DataFrame:
    """Return which share of each source falls on each area after the boundaries were moved."""
    moved = areas.set_geometry(areas.geometry.translate(east, north))
    shares = _shares(sources, sources.shapes, moved)
    homes = sources.homes[sources.homes["area"].isin(areas.index)]
    homes = homes.assign(part=1.0 / homes.groupby("source")["area"].transform("size"))
    stays = shares[shares["to_id"].isna()].merge(homes, left_on="from_id", right_on="source")
    stays = stays.assign(to_id=stays["area"], share=stays["share"] * stays["part"])
    nowhere = homes[~homes["source"].isin(sources.shapes.index)]
    frames = [
        shares.dropna(subset="to_id"),
        stays[["from_id", "to_id", "share"]],
        nowhere.rename(columns={"source": "from_id", "area": "to_id", "part": "share"}),
    ]
    whole = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    # What of a unit falls on no area, and is at home in none, is in none afterwards either.
    rest = (1 - whole.groupby("from_id")["share"].sum()).rename("share").reset_index().assign(to_id=None)
    rest = rest[rest["share"] > _ROUNDING]
    whole = pd.concat([whole, rest], ignore_index=True) if len(rest) else whole
    return whole[["from_id", "to_id", "share"]].astype({"from_id": object, "to_id": object})
