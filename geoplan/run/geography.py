"""How the levels of a scenario lie in each other, and how far its plans reach."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geoplan import checks
from geoplan.places import NestingReport, check_membership, check_nesting, extent, pairs_at
from geoplan.places.membership import PART_OF

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["Geography", "Tie", "describe_areas", "extent_of", "levels_above", "nesting_of", "notes_on"]

_M2_PER_KM2 = 1e6
_MUCH = 0.01  # of the people; less than that outside their parent changes no figure that is read in whole per cent


@dataclass(frozen=True, order=True)
class Tie:
    """Two levels that a membership ties, along one relation."""

    lower: str
    upper: str
    relation: str

    def __str__(self) -> str:
        return f"{self.lower} in {self.upper} ({self.relation})"


@dataclass(frozen=True)
class Geography:
    """The levels of a scenario.

    Attributes
    ----------
    levels
        Index ``level``, from the smallest areas upwards; ``areas`` (int), ``km2`` (float).
    nesting
        Each tie of two levels with its report.
    extents
        Level, or relation of areas that have no layer, → table of :func:`~geoplan.places.extent` with ``name`` first.
    made_of
        Level or relation → the level whose areas it is made of, where it is not measured as it is drawn.
    """

    levels: pd.DataFrame
    nesting: dict[Tie, NestingReport]
    extents: dict[str, pd.DataFrame]
    made_of: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON; what is not known is None."""
        nesting = [
            {
                **asdict(tie),
                "areas": report.areas,
                "parents": report.parents,
                "areas_m2": report.areas_m2,
                "people": None if math.isnan(report.people) else report.people,
                "sliver_m": report.sliver_m,
                "lines": report.lines(),
                "pieces": _records(report.pieces),
            }
            for tie, report in self.nesting.items()
        ]
        extents = {name: _records(table.reset_index()) for name, table in self.extents.items()}
        return {"levels": _records(self.levels.reset_index()), "nesting": nesting, "extents": extents}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return found


def describe_areas(run: Run, level: str | None = None) -> Geography:
    """Describe the levels of a scenario: how many areas, how they nest, and the extent of plans.

    Parameters
    ----------
    run
        From :func:`~geoplan.run.open_run`.
    level
        The level whose extent is wanted, or the relation that leads to areas without a layer; everything above the
        ranked level when left out, or the ranked level where nothing is above.

    Raises
    ------
    InputError
        When the scenario has no such level, or its areas, tables or memberships are faulty.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> found = describe_areas(open_run("scenarios/fjordbo.toml"))
    >>> found.extents["helhedsplan"].loc["FBH-2", ["estates", "parts"]].tolist()
    [5, 7]
    """
    frames = {name: run.areas(name) for name in run.levels()}
    table = pd.DataFrame(
        {"areas": {name: len(frame) for name, frame in frames.items()}}
        | {"km2": {name: frame.area.sum() / _M2_PER_KM2 for name, frame in frames.items()}}
    ).rename_axis("level")
    wanted = [level] if level else run.levels_above() or [run.spec.areas.level]
    extents = {name: run.extent(name) for name in wanted}
    units = {name: made_of(name, frames, run.membership(), run.spec.areas.level)[0] for name in wanted}
    return Geography(table, run.nesting(), extents, {name: unit for name, unit in units.items() if unit})


def tied_levels(levels: Mapping[str, gpd.GeoDataFrame], membership: pd.DataFrame) -> list[Tie]:
    """Find the levels next above each level along each relation; areas that have no layer are stepped over."""
    level_of = {code: level for level, areas in levels.items() for code in areas.index}
    ties = set()
    for relation, rows in membership.groupby("relation", sort=True):
        steps = rows.groupby("child_id")["parent_id"].agg(list).to_dict()
        for lower, areas in levels.items():
            front, passed = set(areas.index), set()
            while front:
                passed |= front
                reached = {parent for area in front for parent in steps.get(area, [])} - passed
                ties |= {Tie(lower, level_of[area], str(relation)) for area in reached if area in level_of}
                front = {area for area in reached if area not in level_of}
    order = list(levels)
    ties = {tie for tie in ties if tie.lower != tie.upper}
    return sorted(ties, key=lambda tie: (order.index(tie.lower), order.index(tie.upper), tie.relation))


def nesting_of(
    levels: Mapping[str, gpd.GeoDataFrame],
    membership: pd.DataFrame,
    population: Callable[[str], pd.Series],
    exclusive: Sequence[str],
) -> dict[Tie, NestingReport]:
    """Check each pair of tied levels, along one relation at a time.

    A relation that is neither ``part_of`` nor gives every area its one parent ties some areas only; the others are no
    fault, so that nothing but what lies outside its parent is told of it.
    """
    reports = {}
    for tie in tied_levels(levels, membership):
        rows = membership[membership["relation"] == tie.relation]
        report = check_nesting(levels[tie.lower], levels[tie.upper], rows, population=population(tie.lower))
        if tie.relation != PART_OF and tie.relation not in exclusive:
            told = report.pieces[report.pieces["kind"] == "outside"].reset_index(drop=True)
            report = replace(report, pieces=told)
        reports[tie] = report
    return reports


# ---------------------------------------------------------------- extent


def codes_by_place(levels: Mapping[str, gpd.GeoDataFrame], membership: pd.DataFrame) -> dict[str, list[str]]:
    """Return the codes of each level, and of upper areas that no layer draws by the relation that leads to them."""
    drawn = {code for areas in levels.values() for code in areas.index}
    rows = membership[~membership["parent_id"].isin(drawn)]
    bare = {str(name): sorted(set(part["parent_id"])) for name, part in rows.groupby("relation", sort=True)}
    return {**{level: list(areas.index) for level, areas in levels.items()}, **bare}


def made_of(
    place: str, levels: Mapping[str, gpd.GeoDataFrame], membership: pd.DataFrame, ranked: str
) -> tuple[str | None, pd.DataFrame]:
    """Find the level whose areas a place is made of, the ranked one if it can be, and the pairs that tie them."""
    codes = codes_by_place(levels, membership)[place]
    for level in (ranked, *levels) if place != ranked else ():
        pairs = pairs_at(membership, levels[level].index, codes)
        if level != place and len(pairs):
            return level, pairs
    return None, pd.DataFrame()


def levels_above(levels: Mapping[str, gpd.GeoDataFrame], membership: pd.DataFrame, ranked: str) -> list[str]:
    """Return what is made of other areas and does not lie below the ranked ones."""
    top = levels[ranked].index
    return [
        place
        for place, codes in codes_by_place(levels, membership).items()
        if place != ranked
        and pairs_at(membership, codes, top).empty
        and made_of(place, levels, membership, ranked)[0] is not None
    ]


def extent_of(
    place: str,
    levels: Mapping[str, gpd.GeoDataFrame],
    ranked: str,
    membership: pd.DataFrame,
    population: Callable[[str], pd.Series],
) -> pd.DataFrame:
    """Measure the areas of a level: made of others where these belong to it, else as they are drawn."""
    known = codes_by_place(levels, membership)
    if place not in known:
        raise checks.unknown_name("level, or relation to areas without a layer,", place, known)
    units, pairs = made_of(place, levels, membership, ranked)
    if units is None:
        table = extent(levels[place], population=population(place), homes=levels[place].get("homes"))
    else:
        areas = levels[units]
        table = extent(areas, parents=pairs, population=population(units), homes=areas.get("homes"))
    names = levels[place]["name"] if place in levels else pd.Series(known[place], known[place])
    table.insert(0, "name", names.reindex(table.index))
    return table


# ---------------------------------------------------------------- notes


def notes_on(run: Run) -> list[str]:
    """Say what a careful reader should know of how a scenario's levels hang together."""
    return [*_shared(run), *_unattached(run), *_misplaced(run)]


def _shared(run: Run) -> list[str]:
    """Say which areas of the tables lie in several of the ranked ones."""
    parts = run.indicators().parts
    if parts is None:
        return []
    pairs = parts[["area_id", "parent"]].drop_duplicates()
    several = sorted(set(pairs["area_id"][pairs["area_id"].duplicated()]))
    if not several:
        return []
    who = "1 area of the tables lies" if len(several) == 1 else f"{len(several):,} areas of the tables lie"
    return [f"{who} in several ranked areas, in the whole only once: {checks.listed(several)}"]


def _unattached(run: Run) -> list[str]:
    """Say which areas lack the one parent that their siblings have."""
    said = []
    for level in run.levels() if run.exclusive else []:
        told = check_membership(run.membership(), exclusive=run.exclusive, area_ids=run.areas(level).index)
        said += [f"{level}: {line}" for line in told]
    return said


def _misplaced(run: Run) -> list[str]:
    """Say what of the levels does not nest where it touches many; ``geoplan check`` tells all of it."""
    much = {t: r for t, r in run.nesting().items() if t.relation == PART_OF and r.misplaced >= _MUCH}
    return [f"{tie}: {line}" for tie, report in much.items() for line in report.misplaced_lines()]
