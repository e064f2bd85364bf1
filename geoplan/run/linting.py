"""The linter over a project: each table, the tables that a scenario reads together, and levels delivered twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import permutations

import pandas as pd

from geoplan.errors import Faults, IdError
from geoplan.places import IndicatorTable, parents_at
from geoplan.places.lint import Finding, lint_bases, lint_index, lint_levels, lint_periods, lint_table
from geoplan.run.datasets import read_cells
from geoplan.run.matching import with_codes
from geoplan.run.story import Run
from geoplan.sources import Dataset
from geoplan.specs import IndicatorsLayer

__all__ = ["lint_layer", "lint_scenario", "lint_together", "lint_two_levels"]

Tables = Mapping[str, tuple[Dataset, IndicatorTable]]


def lint_layer(dataset: Dataset, table: IndicatorTable) -> list[Finding]:
    """Look at one table beside its file; a finding names the file, or the TOML where a key is at fault."""
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        found = lint_table(table, _spec(dataset), raw=with_codes(dataset, read_cells(dataset))[0])
    return [replace(item, file=dataset.toml if item.key else dataset.shown) for item in found]


def lint_scenario(run: Run) -> list[Finding]:
    """Look at what a scenario's index sees, and at its year."""
    index = [replace(item, key="index") for item in lint_index(run.spec.index, run.indicators().definitions)]
    return [replace(item, file=run.shown) for item in (*lint_periods([run.spec.period], run.spec.date), *index)]


def lint_together(tables: Tables, scenarios: Mapping[str, Iterable[str]]) -> list[Finding]:
    """Compare bases in the tables that a scenario reads together, and in each other table by itself.

    Parameters
    ----------
    tables
        Layer → its dataset and its figures.
    scenarios
        A scenario's file → the layers that it reads.
    """
    groups = {name: frozenset(layers) & set(tables) for name, layers in scenarios.items()}
    alone = {dataset.shown: frozenset({name}) for name, (dataset, _) in tables.items()}
    found, told = [], set[frozenset[str]]()
    for file, group in {**alone, **groups}.items():
        wider = any(group < other for other in groups.values())
        if group and not wider and group not in told:
            told.add(group)
            own = {name: tables[name][1] for name in sorted(group)}
            found += [replace(item, file=file) for item in lint_bases(own)]
    return found


def lint_two_levels(tables: Tables, membership: pd.DataFrame) -> list[Finding]:
    """Compare the figures of larger areas with those of the smaller ones, where both are delivered."""
    found: list[Finding] = []
    for (small, fine), (large, coarse) in permutations(tables.values(), 2):
        if _spec(small).level == _spec(large).level or not set(fine.definitions) & set(coarse.definitions):
            continue
        parents = None
        with suppress(IdError):  # the larger areas are no parents of these, or overlap; nothing can be compared
            parents = parents_at(membership, _codes(fine), _codes(coarse))
        if parents is None or parents.isna().all():
            continue
        noise = max(spec.noise.size if spec.noise else 0.0 for spec in (_spec(small), _spec(large)))
        found += [
            replace(item, file=large.shown, hint=f"the smaller areas' figures are in {small.shown}")
            for item in lint_levels(fine, coarse, parents, noise=noise)
        ]
    return found


def _codes(table: IndicatorTable) -> list[str]:
    return sorted(table.data["area_id"].unique())


def _spec(dataset: Dataset) -> IndicatorsLayer:
    assert isinstance(dataset.spec, IndicatorsLayer)  # noqa: S101  only such layers are in the tables
    return dataset.spec
