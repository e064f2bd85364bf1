"""Tables brought to the ranked level: divided, merged or as they are, with what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, IdError, SpecError
from geoplan.places import (
    Crosswalk,
    IndicatorTable,
    JoinReport,
    carry,
    join_report,
    multi_year_mean,
    pairs_at,
    roll_up,
    transfer,
    transfer_report,
)
from geoplan.places.indicators import COLUMNS
from geoplan.places.membership import whole_pairs
from geoplan.run.datasets import read_matched
from geoplan.sources import Dataset
from geoplan.specs import AreasLayer, IndicatorsLayer

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["at_ranked_level", "joined", "level_of", "people_of"]


def at_ranked_level(
    run: Run,
    dataset: Dataset,
    *,
    changes: Callable[[], pd.DataFrame | None],
    divided: Callable[[], Crosswalk | None],
) -> tuple[IndicatorTable, JoinReport]:
    """Read a table, make its means of several years, and bring it to the ranked level.

    ``changes`` and ``divided`` return the dated changes of boundaries and how figures are divided among the ranked
    areas; they are asked only where a table needs them.

    Raises
    ------
    InputError
        When the table is faulty, or nothing ties its level to the ranked one.
    """
    (table, match), least = read_matched(dataset), run.spec.indicators.minimum_coverage
    dated = changes()
    if dated is not None:
        table = carry(table, dated, to=run.spec.date, base=run.spec.index.population, minimum_coverage=least)
    table = multi_year_mean(table)
    assert isinstance(dataset.spec, IndicatorsLayer)  # noqa: S101  the caller asked the catalogue for this kind
    told = match if dataset.spec.level not in run.unnamed else None
    names = tuple(f"{dataset.id}: {line}" for line in told.lines(areas=False)) if told else ()
    ranked = list(run.areas().index)
    if dataset.spec.level == run.spec.areas.level:
        return _kept(table, replace(join_report(ranked, table), names=names))
    assign, shares = run.spec.areas.assign, divided()
    if assign and shares and level_of(run, assign.layer) == dataset.spec.level:
        report = replace(transfer_report(ranked, table, shares), names=names)
        return _kept(transfer(table, shares, minimum_coverage=least), report)
    membership = run.membership()
    if membership.empty:
        what = f"the table is of level '{dataset.spec.level}', the scenario ranks '{run.spec.areas.level}'"
        hint = "name the table that ties them as `membership` under [areas]"
        raise SpecError(Fault(what=what, file=run.shown, key="areas.membership", hint=hint))
    codes = sorted(set(table.data["area_id"].unique()))
    pairs = pairs_at(run.merging, codes, ranked)
    if pairs.empty:
        raise checks.ids_match_nothing(codes, sorted(set(membership["child_id"])))
    try:
        pairs = whole_pairs(pairs)
    except IdError as error:
        raise error.located(file=run.shown, key="areas.membership") from error
    report = JoinReport(
        matched=tuple(sorted(set(pairs["parent_id"]))),
        without_data=tuple(sorted(set(ranked) - set(pairs["parent_id"]))),
        without_area=tuple(sorted(set(codes) - set(pairs["child_id"]))),
        names=names,
    )
    merged = roll_up(table, pairs, minimum_coverage=least, estimated=bool(assign))
    return merged, report


def _kept(table: IndicatorTable, report: JoinReport) -> tuple[IndicatorTable, JoinReport]:
    """Keep what belongs to an area."""
    data = table.data[table.data["area_id"].isin(report.matched)].reset_index(drop=True)
    parts = None if table.parts is None else table.parts[table.parts["parent"].isin(report.matched)]
    return IndicatorTable(data, table.definitions, parts), report


def joined(reports: list[JoinReport]) -> JoinReport:
    """Return what several tables leave without an area, or an area without figures, as one report."""
    return JoinReport(
        matched=tuple(sorted({code for item in reports for code in item.matched})),
        without_data=tuple(sorted(set.intersection(*[set(item.without_data) for item in reports]))),
        without_area=tuple(sorted({code for item in reports for code in item.without_area})),
        names=tuple(line for item in reports for line in item.names),
    )


def level_of(run: Run, layer: str) -> str:
    """Return the level of a layer of areas that the scenario names."""
    spec = next(dataset.spec for dataset in run.datasets if dataset.id == layer)
    assert isinstance(spec, AreasLayer)  # noqa: S101  checked when the layers were found
    return spec.level


def people_of(run: Run, areas: pd.Index) -> pd.Series:
    """Count the residents of areas that are among the table's smallest, or made of them."""
    name, period = run.spec.index.population, run.spec.period
    table = run.indicators()
    rows = table.finest[(table.finest["indicator"] == name) & (table.finest["period"] == period)]
    rows = rows.drop_duplicates("area_id")[COLUMNS]
    pairs = pairs_at(run.merging, rows["area_id"], areas)
    partly = set(pairs.loc[pairs["share"] < 1, "parent_id"])
    pairs = pairs[~pairs["parent_id"].isin(partly)]
    if pairs.empty:
        return pd.Series(np.nan, index=areas, name=name)
    merged = roll_up(IndicatorTable(rows, table.definitions), pairs)
    return merged.wide(period)[name].reindex(areas)
