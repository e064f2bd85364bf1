"""Boundaries as policy: which designations survive if areas are merged, split, or their boundaries moved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, InputError, SpecError
from geoplan.places import Grid, IndicatorTable
from geoplan.places.areas import measurable
from geoplan.risk import Neighbours, neighbours as find_neighbours
from geoplan.specs import IndexSpec
from geoplan.targeting.redrawing import (
    DIRECTIONS,
    Sources,
    added_to,
    in_place_of,
    merged_figures,
    needed_of,
    parts_of,
    shifted_figures,
    sources_of,
    split_figures,
)
from geoplan.targeting.redrawn import Judge, Outcome, judge_of, outcome_of
from geoplan.targeting.rules import Selection
from geoplan.targeting.survival import EMPTY, KINDS, Kind, not_computed_of, policy_lines, summary_of

__all__ = ["BoundaryPolicy", "boundary_policy"]

_ROWS = [
    *("variant", "kind", "area_id", "new_id", "others", "towards", "moved_m", "computed", "designated", "met", "open"),
    *("slack", "population", "by", "reason"),
]
_FIGURES = [
    "variant",
    "area_id",
    "criterion",
    "value",
    "numerator",
    "denominator",
    "limit",
    "meets",
    "status",
    "reason",
]


@dataclass(frozen=True)
class BoundaryPolicy:
    """Which designations survive when boundaries are drawn otherwise.

    Attributes
    ----------
    table
        Index ``area_id``. ``qualified`` (nullable boolean: as the selection says, with its memory of earlier years),
        ``now`` (nullable boolean: by this period's figures alone, which is what every variant is compared with),
        ``variants`` (int: drawings that touch the area), ``computed`` (int), ``known`` (int: of those, where the
        verdict is known), ``designated`` (int: where it, or all that it became, is designated), ``survives`` (0-1,
        ``designated`` of ``known``; NaN for areas that are not designated now), ``gained`` (int: the same for those
        that are not designated now), ``survives_merged, survives_split, survives_shifted`` (0-1), ``worst`` (text: the
        variant in which it is farthest from being designated, or nearest to losing it) and ``worst_slack``.
    variants
        One row a variant, area and new area: ``variant, kind, area_id, new_id`` (what the area became, or a part of
        it), ``others`` (what it was merged with), ``towards`` (N, NE …), ``moved_m``, ``computed`` (bool),
        ``designated`` (nullable boolean), ``met, open`` (criteria), ``slack`` (of the criterion that decides: distance
        to its limit as a share of the limit, below 0 where it fails), ``population``, ``by`` (how the figures were
        made) and ``reason`` (why nothing was computed, or why the verdict is unknown).
    figures
        One row a variant, new area and criterion: ``value, numerator, denominator, limit, meets, status, reason``.
    not_computed
        Variants that could not be computed: ``kind, reason, variants`` (int), ``areas`` (text).
    redrawn
        Areas whose verdict changes by cutting figures along the boundaries as they are, before anything is moved: their
        variants say as much of the ground as of the boundaries.
    certificate
        Every convention used, heading → text.
    """

    table: pd.DataFrame
    variants: pd.DataFrame = field(repr=False)
    figures: pd.DataFrame = field(repr=False)
    not_computed: pd.DataFrame
    redrawn: tuple[str, ...]
    certificate: Mapping[str, str] = field(repr=False)

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None, language: str = "en") -> list[str]:  # noqa: ARG002
        """Say in sentences which designations survive, by what they are lost, and what could not be computed."""
        return policy_lines(self, dict(names) if names is not None else {})


def boundary_policy(
    selection: Selection,
    areas: gpd.GeoDataFrame,
    *,
    tolerance_m: float = 100.0,
    kinds: Iterable[Kind] = KINDS,
    units: gpd.GeoDataFrame | None = None,
    unit_table: IndicatorTable | None = None,
    weights: Grid | gpd.GeoDataFrame | None = None,
    weight_column: str | None = None,
    neighbours: Neighbours | None = None,
    index_spec: IndexSpec | None = None,
    minimum_coverage: float = 0.8,
) -> BoundaryPolicy:
    """Draw the boundaries of areas otherwise, and apply the same rule again.

    *Merged*: every pair of neighbours becomes one area; its counts are the sums, its rates are made anew. *Split*:
    every part of an area that has several is an area of its own, and the area survives when all of its parts on which
    figures fall are designated. *Shifted*: all boundaries are moved by ``tolerance_m`` in eight directions, but for the
    outer one; an area survives when what bears its code afterwards is designated.

    The rule stays, and so do its limits that are numbers; a reference made of the areas, such as the city, has the same
    total however it is cut. Statuses that take several years are judged by this period's figures alone, since areas
    that never were have no earlier years; what they are compared with (``now``) is judged so, too. An index is made
    anew of the new areas.

    Parameters
    ----------
    selection
        What the rule says of the areas as they are.
    areas
        Their geometry, index ``area_id``, in a metric system; others are ignored.
    tolerance_m
        How far boundaries are moved, m.
    kinds
        What is tried: ``merged``, ``split``, ``shifted``.
    units
        Smaller areas with geometry, from which figures of pieces are made: those that the table was merged from, or
        those of ``unit_table``. Without them the areas are cut themselves, as if people lived evenly in each.
    unit_table
        The figures of the units, where the table has not kept them.
    weights, weight_column
        Where people are, inside a unit or area that is cut: a grid, points or buildings, as of
        :func:`~geoplan.places.crosswalk`; by surface when left out.
    neighbours
        Which areas may be merged; those that touch when left out.
    index_spec
        How the index is made, for rules that ask for one; as the selection's own when left out. Where the index that
        was handed in is not what comes out for the areas as they are, nothing is computed.
    minimum_coverage
        Share of a new area's base that must be known, as of :func:`~geoplan.places.roll_up`.

    Returns
    -------
    BoundaryPolicy

    Raises
    ------
    SpecError
        For a kind that is none, a tolerance out of range, or figures of units without their geometry.
    IdError
        When the areas, the units or the neighbours share no code with the selection.
    InputError
        When geometries cannot be measured.

    Notes
    -----
    That figures of areas depend on how these are drawn is the modifiable areal unit problem (Openshaw 1984). Merging is
    exact; splitting and shifting give estimates.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> from geoplan.targeting import select
    >>> run = open_run("scenarios/baseline.toml")
    >>> chosen = select(run.indicators(), "se_2012", period=2012,
    ...                 indicators={"eligible_upper_secondary": {"indicator": "not_eligible_upper_secondary",
    ...                                                          "complement": True}})
    >>> drawn = boundary_policy(chosen, run.areas(), kinds=["merged"])
    >>> len(drawn.table), drawn.variants["variant"].nunique()
    (32, 60)
    """
    wanted = _must_be_possible(kinds, tolerance_m, minimum_coverage)
    places = _placed(selection, areas)
    judge = judge_of(selection, index_spec)
    made = _Made(judge, needed_of(selection.given, judge.rule, selection.period, judge.spec), minimum_coverage)
    now = outcome_of(replace(selection.ready, rule=judge.rule)).table
    redrawn: tuple[str, ...] = ()
    if "merged" in wanted:
        _merge(made, _pairs(places, neighbours))
    if {"split", "shifted"} & set(wanted):
        sources = sources_of(made.table, places, units=units, unit_table=unit_table, weights=weights,
                             weight_column=weight_column)  # fmt: skip
        if "split" in wanted:
            _split(made, sources, places)
        if "shifted" in wanted:
            redrawn = _shift(made, sources, places, tolerance_m, now)
    variants = pd.DataFrame(made.rows).reindex(columns=_ROWS)
    variants = variants.astype({"computed": bool, "designated": "boolean"})
    figures = pd.concat(made.figures, ignore_index=True) if made.figures else pd.DataFrame(columns=_FIGURES)
    return BoundaryPolicy(
        table=summary_of(selection, now, variants),
        variants=variants,
        figures=figures[_FIGURES],
        not_computed=not_computed_of(variants, sorted(set(selection.table.index) - set(places.index))),
        redrawn=redrawn,
        certificate=_certificate(selection, judge, wanted, tolerance_m, made),
    )


# ---------------------------------------------------------------- what is handed in


def _must_be_possible(kinds: Iterable[str], tolerance_m: float, coverage: float) -> list[str]:
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    faults = Faults()
    for kind in wanted:
        if kind not in KINDS:
            faults.add(checks.unknown_name("way to draw boundaries", str(kind), KINDS, key="kinds"))
    if not wanted:
        faults.add(SpecError(Fault(what="nothing is to be tried", key="kinds", expected="some of them")))
    if not 0 < tolerance_m < np.inf:
        what = f"boundaries cannot be moved by {tolerance_m:g} m"
        faults.add(SpecError(Fault(what=what, key="tolerance_m", expected="a number of metres above 0")))
    if not 0 <= coverage <= 1:
        what = f"{coverage:g} is not a share"
        faults.add(SpecError(Fault(what=what, key="minimum_coverage", expected="a number from 0 to 1")))
    faults.raise_any()
    return [kind for kind in KINDS if kind in wanted]


def _placed(selection: Selection, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the geometry of the selection's areas, of those that have one."""
    own = areas[areas.index.isin(selection.table.index)]
    if own.empty:
        raise checks.ids_match_nothing(list(selection.table.index), [str(code) for code in areas.index])
    nowhere = own.geometry.isna() | own.geometry.is_empty
    own = own[~nowhere] if not nowhere.all() else own
    return measurable(own).sort_index()


def _pairs(areas: gpd.GeoDataFrame, given: Neighbours | None) -> list[tuple[str, str]]:
    found = given or find_neighbours(areas, islands="keep")
    codes = {str(code) for code in found.graph.unique_ids}
    if not codes & set(areas.index):
        raise IdError(checks.ids_match_nothing(sorted(codes), list(areas.index)).faults).located(key="neighbours")
    rows = found.pairs[["area_id", "neighbour_id"]].to_numpy(dtype=object)
    both = {tuple(sorted(row)) for row in rows if set(row) <= set(areas.index)}
    return sorted((str(one), str(other)) for one, other in both)


# ---------------------------------------------------------------- one variant after the other


@dataclass
class _Made:
    """The variants so far."""

    judge: Judge
    table: IndicatorTable
    coverage: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    figures: list[pd.DataFrame] = field(default_factory=list)

    @property
    def areas(self) -> list[str]:
        """The areas that are judged."""
        return list(self.judge.given.areas)

    @property
    def city(self) -> list[str]:
        """The areas that make up the city."""
        ids = self.judge.given.reference_ids
        return sorted(set(self.table.data["area_id"])) if ids is None else ids

    def failed(self, heads: Iterable[dict[str, Any]], reason: str) -> None:
        """Put down that a variant could not be computed."""
        self.rows += [{**head, "computed": False, "designated": None, "reason": reason} for head in heads]

    def judged(self, heads: Iterable[dict[str, Any]], found: Outcome) -> None:
        """Put down what the rule says of a variant; areas with nobody on them are no loss."""
        heads = list(heads)
        for head in heads:
            row = found.table.loc[head["new_id"]]
            own = {name: row[name] for name in ("designated", "met", "open", "slack", "population")}
            own["designated"] = None if pd.isna(row["designated"]) else bool(row["designated"])
            self.rows.append({**head, "computed": True, **own, "reason": row["why"]})
        by = {head["new_id"]: head["variant"] for head in heads}
        rows = found.figures[found.figures["area_id"].isin(list(by))]
        self.figures.append(rows.assign(variant=rows["area_id"].map(by)))

    def city_after(self, gone: Mapping[str, Sequence[str]]) -> tuple[list[str] | None, str]:
        """Return the city's areas after some were drawn anew, new code → old ones; or why nobody can say."""
        if self.judge.given.reference_ids is None:
            return None, ""
        city, old = set(self.city), {code for codes in gone.values() for code in codes}
        inside = [code for code, codes in gone.items() if set(codes) <= city]
        partly = [code for code, codes in gone.items() if set(codes) & city and not set(codes) <= city]
        if partly:
            return None, "one of the two lies outside the areas that make up the city"
        return sorted((city - old) | set(inside)), ""

    def tried(
        self, heads: Sequence[dict[str, Any]], table: IndicatorTable, gone: Mapping[str, Sequence[str]]
    ) -> Outcome | None:
        """Judge all areas after some were replaced by new ones, or put down why that cannot be."""
        old = {code for codes in gone.values() for code in codes}
        made_of = {code: [code] for code in self.areas if code not in old} | {
            code: list(own) for code, own in gone.items()
        }
        problems = self.judge.above(made_of)[1]
        city, why = self.city_after(gone)
        reason = self.judge.problem or why or next(iter(problems.values()), "")
        if reason:
            self.failed(heads, reason)
            return None
        try:
            return self.judge.outcome(table, made_of, city)
        except InputError as error:
            self.failed(heads, error.faults[0].what)
            return None


def _head(variant: str, kind: Kind, code: str, new: str, by: str, **more: object) -> dict[str, Any]:
    head = {"variant": variant, "kind": kind, "area_id": code, "new_id": new, "others": "", "towards": "", "by": by}
    return head | {"moved_m": math.nan, "met": 0, "open": 0, "slack": math.nan, "population": math.nan} | more


def _merge(made: _Made, pairs: list[tuple[str, str]]) -> None:
    if not pairs:
        return
    figures, names = merged_figures(made.table, pairs, made.coverage)
    todo = {}
    for pair, name in zip(pairs, names, strict=True):
        heads = [_head(f"merged: {name}", "merged", code, name, "counts", others=other)
                 for code, other in (pair, pair[::-1])]  # fmt: skip
        if not made.judge.apart:
            found = made.tried(heads, in_place_of(made.table, pair, figures, [name]), {name: pair})
            if found is not None:
                made.judged(heads, found)
            continue
        reason = made.judge.problem or made.judge.above({name: pair})[1].get(name, "")
        if reason:
            made.failed(heads, reason)
        else:
            todo[name] = (pair, heads)
    if not todo:
        return
    # Each is judged by itself against the city as it is: one table with all of them beside the areas of now.
    made_of = {name: pair for name, (pair, _) in todo.items()}
    try:
        together = made.judge.outcome(added_to(made.table, figures), made_of, made.city)
    except InputError as error:
        for _, heads in todo.values():
            made.failed(heads, error.faults[0].what)
        return
    for _, heads in todo.values():
        made.judged(heads, together)


def _split(made: _Made, sources: Sources, areas: gpd.GeoDataFrame) -> None:
    for code, parts in parts_of(areas).items():
        variant = f"split: {code}"
        heads = [_head(variant, "split", code, new, sources.by) for new in parts.index]
        if made.judge.problem:
            made.failed(heads, made.judge.problem)
            continue
        try:
            figures = split_figures(sources, code, parts, areas.loc[[code]], made.coverage)
        except InputError as error:
            made.failed(heads, error.faults[0].what)
            continue
        there = set(figures.data["area_id"])
        with_people = [head for head in heads if head["new_id"] in there]
        empty = [head for head in heads if head["new_id"] not in there]
        if not with_people:
            made.failed(heads, "no figures fall on any of its parts")
            continue
        table = in_place_of(made.table, [code], figures, there)
        gone = {head["new_id"]: [code] for head in with_people}
        found = made.tried(with_people, table, gone)
        if found is not None:
            made.judged(with_people, found)
        made.rows += [{**head, "computed": found is not None, "designated": None, "reason": EMPTY} for head in empty]


def _shift(
    made: _Made, sources: Sources, areas: gpd.GeoDataFrame, tolerance_m: float, now: pd.DataFrame
) -> tuple[str, ...]:
    """Move all boundaries eight ways; return the areas whose verdict changes when they are not moved at all."""
    codes, redrawn = list(areas.index), ()
    heads = {
        towards: [
            _head(f"shifted: {tolerance_m:g} m {towards}", "shifted", code, code, sources.by, towards=towards)
            | {"moved_m": tolerance_m}
            for code in codes
        ]
        for towards in DIRECTIONS
    }
    problem, tables = made.judge.problem, []
    if not problem:
        steps = [(east * tolerance_m, north * tolerance_m) for east, north in DIRECTIONS.values()]
        try:
            tables = shifted_figures(sources, areas, [(0.0, 0.0), *steps], made.coverage)
        except InputError as error:
            problem = error.faults[0].what
    if problem:
        for own in heads.values():
            made.failed(own, problem)
        return redrawn
    same = {code: [code] for code in codes}
    for own, figures in zip([[], *heads.values()], tables, strict=True):
        found = made.tried(own, in_place_of(made.table, codes, figures, codes), same)
        if found is not None and own:
            made.judged(own, found)
        elif found is not None:
            before, after = now["designated"].reindex(codes), found.table["designated"].reindex(codes)
            other = (before.isna() != after.isna()) | (before != after).fillna(value=False)
            redrawn = tuple(other.index[other.astype(bool)])
    return redrawn


# ---------------------------------------------------------------- what comes out


def _certificate(
    selection: Selection, judge: Judge, wanted: list[str], tolerance_m: float, made: _Made
) -> dict[str, str]:
    lags = any(item.years > 1 or item.years_at or item.exit_years > 1 for item in selection.rule.statuses)
    index = "none" if judge.spec is None else f"{judge.spec.method}, made anew of the new areas"
    by = sorted({row["by"] for row in made.rows})
    return {
        "rule": selection.rule.title.to("en"),
        "period": selection.period,
        "tried": ", ".join(wanted),
        "moved": f"all boundaries but the outer one, by {tolerance_m:g} m" if "shifted" in wanted else "nothing",
        "figures of new areas": "; ".join(by) or "none",
        "earlier years": "left out: areas that never were have none" if lags else "the rule asks for none",
        "references": "numbers stay; those made of the areas have the same total",
        "index": judge.problem or index,
        "rates without counts": "not known in new areas: nothing says what each part weighs",
    }
