"""The true figures of all areas of all levels, laid out so that their sums can be followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.places.indicators import KNOWN, IndicatorTable, unit_scale
from geoplan.places.sums import Structure, System, stacked
from geoplan.specs import IndicatorSpec

__all__ = ["Ledger", "period_blocks"]

_BEYOND = 10.0  # nobody knows beforehand that a figure lies under ten times the largest there is


@dataclass(frozen=True)
class Ledger:
    """The figures behind a table, areas of all levels × (indicator, period).

    Attributes
    ----------
    structure
        The areas and how they add up.
    definitions
        Indicator id → its definition.
    count, base
        Numerators and denominators; the numerator of a rate published without counts is value × base. A count has no
        base.
    present
        How many of an area's smallest areas have a known figure; where none has, there is nothing to hide.
    """

    structure: Structure
    definitions: Mapping[str, IndicatorSpec]
    count: pd.DataFrame
    base: pd.DataFrame
    present: pd.DataFrame

    @classmethod
    def of(cls, table: IndicatorTable, levels: Mapping[str, pd.DataFrame], periods: Sequence[str]) -> Ledger:
        """Lay out the known figures of a table's smallest areas, and their sums on each level."""
        rows = table.finest
        rows = rows[rows["period"].isin(periods) & rows["status"].isin(KNOWN)]
        scale = rows["indicator"].map({name: unit_scale(item.unit) for name, item in table.definitions.items()})
        counts = rows["indicator"].map({name: item.kind == "count" for name, item in table.definitions.items()})
        implied = rows["value"] * rows["denominator"] / scale.astype(float)
        top = rows["numerator"].fillna(rows["value"].where(counts.astype(bool), implied))
        laid = (
            rows.assign(top=top)
            .drop_duplicates(["area_id", "indicator", "period"])
            .pivot(index="area_id", columns=["indicator", "period"], values=["top", "denominator"])
        )
        finest = sorted(table.finest["area_id"].unique())
        columns = laid["top"].columns
        structure = Structure.of(finest, levels)
        index = pd.MultiIndex.from_frame(structure.areas[["level", "area_id"]])
        top, bottom = (
            laid[name].reindex(index=finest, columns=columns).astype(float) for name in ("top", "denominator")
        )
        return cls(
            structure=structure,
            definitions=table.definitions,
            count=pd.DataFrame(structure.sums(top), index, columns),
            base=pd.DataFrame(structure.sums(bottom), index, columns),
            present=pd.DataFrame(structure.sums(top.notna()), index, columns),
        )

    @property
    def shown_levels(self) -> np.ndarray:
        """Which areas are of a level that is shown."""
        return np.asarray(self.structure.areas["shown"], dtype=bool)

    def positions(self, level: str, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the place of a level's rows: line and column of each that is here, and which of the rows those are."""
        areas = self.structure.areas
        own = np.flatnonzero(areas["level"] == level)
        place = pd.Index(areas["area_id"].iloc[own]).get_indexer(rows["area_id"])
        line = self.count.columns.get_indexer(pd.MultiIndex.from_frame(rows[["indicator", "period"]]))
        there = np.flatnonzero((place >= 0) & (line >= 0))
        return own[place[there]], line[there], there

    def kind(self, indicator: str) -> str:
        """Return the kind of an indicator."""
        return self.definitions[indicator].kind

    def column(self, frame: pd.DataFrame, indicator: str, periods: Sequence[str]) -> np.ndarray:
        """Return one indicator's figures in several periods as one array, areas of the first period first."""
        return np.concatenate([frame[indicator, period].to_numpy() for period in periods])

    def system(
        self,
        indicator: str,
        periods: Sequence[str],
        year_sums: Mapping[str, Sequence[str]],
        *,
        role: str = "count",
        base_hidden: np.ndarray | None = None,
    ) -> System:
        """Return an indicator's counts or bases with the sums they stand in, nothing hidden yet.

        A share's count is known to be no larger than its base where that is shown.
        """
        value = self.column(self.count if role == "count" else self.base, indicator, periods)
        there = self.column(self.present, indicator, periods) > 0
        ties = {period: years for period, years in year_sums.items() if period in periods}
        equations = stacked(self.structure, periods, ties)
        holds = np.abs(equations @ value) <= 1e-6 * np.maximum(abs(equations) @ np.abs(value), 1.0)
        upper = np.full(len(value), _BEYOND * (float(np.abs(value).max(initial=0.0)) + _BEYOND))
        if role == "count" and self.kind(indicator) == "share":
            base = self.column(self.base, indicator, periods)
            open_base = np.zeros(len(value), dtype=bool) if base_hidden is None else base_hidden
            upper = np.where(open_base, upper, np.maximum(base, value))
        count = len(self.structure.areas)
        return System(
            area=np.tile(np.arange(count), len(periods)),
            period=np.repeat(np.asarray(periods, dtype=object), count),
            value=value,
            hidden=np.zeros(len(value), dtype=bool),
            lower=np.zeros(len(value)),
            upper=np.where(there, np.maximum(upper, 1.0), 0.0),
            equations=equations[np.flatnonzero(holds)],
            whole=role == "base" or (self.kind(indicator) != "mean" and bool(np.allclose(value, np.round(value)))),
        )


def period_blocks(periods: Sequence[str], year_sums: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Put periods that are tied by a sum over years together; every other period stands alone."""
    blocks = [{period} for period in periods]
    for total, years in year_sums.items():
        tied = {total, *years}
        joined = [block for block in blocks if block & tied]
        blocks = [block for block in blocks if not block & tied]
        if joined:
            blocks.append(set.union(*joined))
    return sorted(sorted(block) for block in blocks)
