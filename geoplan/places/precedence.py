"""Two sources, one figure: which one counts, and a log of where they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, TableError
from geoplan.places.indicators import KNOWN, IndicatorTable
from geoplan.places.provenance import concat_tables

__all__ = ["Combination", "combine"]

_KEYS = ["area_id", "indicator", "period"]
_MOST_DECIMALS = 6
_SAME = ("unit", "kind", "ages", "direction")


@dataclass(frozen=True)
class Combination:
    """Several tables as one.

    Attributes
    ----------
    table
        One row an area, indicator and period.
    disagreements
        ``area_id, indicator, period``; ``kept`` and ``kept_source``, the value that counts and where it comes from;
        ``other`` and ``other_source``; ``difference`` (other minus kept, in the indicator's unit). The largest,
        measured by the kept value, comes first.
    filled
        How many figures are missing in the table named first and come from a later one.
    """

    table: IndicatorTable
    disagreements: pd.DataFrame
    filled: int

    def lines(self, *, figures: bool = True) -> list[str]:
        """Return what a careful reader should know, as sentences; ``figures`` names the largest disagreement."""
        said = []
        if self.filled:
            many = f"{self.filled:,} figures are missing in the source named first and come from a later one"
            one = "1 figure is missing in the source named first and comes from a later one"
            said.append(one if self.filled == 1 else many)
        if len(self.disagreements):
            worst = self.disagreements.iloc[0]
            number = len(self.disagreements)
            count = "in 1 figure" if number == 1 else f"in {number:,} figures"
            text = f"sources disagree {count}, and the one named first counts"
            largest = (
                f"; the largest difference: '{worst['indicator']}' of '{worst['area_id']}' {worst['period']} is "
                f"{worst['kept']:.6g} ({worst['kept_source']}), not {worst['other']:.6g} ({worst['other_source']})"
            )
            said.append(text + largest if figures else text)
        return said


def combine(tables: Sequence[IndicatorTable]) -> Combination:
    """Put tables together; where several give a figure, the one named first counts.

    Parameters
    ----------
    tables
        The most trusted first.

    Returns
    -------
    Combination
        A figure that is missing in one table is taken from the next that has it. Two figures disagree when they differ
        by more than the coarser of the two is rounded to.

    Raises
    ------
    TableError
        When there are no tables, or two define an indicator differently: unit, kind, ages or direction.

    Examples
    --------
    >>> from geoplan.places.indicators import COLUMNS
    >>> from geoplan.specs import IndicatorSpec
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> def table(source, *values):
    ...     rows = [(area, "poor", "2012", None, None, value, "observed" if value else "suppressed")
    ...             for area, value in zip("AB", values)]
    ...     return IndicatorTable(pd.DataFrame(rows, columns=COLUMNS).assign(source=source), {"poor": poor})
    >>> both = combine([table("register", 12.5, None), table("survey", 14.0, 9.0)])
    >>> both.table.data["value"].tolist(), both.filled
    ([12.5, 9.0], 1)
    >>> both.disagreements[["area_id", "kept", "other", "difference"]].values.tolist()
    [['A', 12.5, 14.0, 1.5]]
    """
    if not tables:
        raise TableError(Fault(what="there are no tables to combine", expected="at least one"))
    _same_definitions(tables)
    definitions = {name: item for table in reversed(tables) for name, item in table.definitions.items()}
    rows = concat_tables([table.data.assign(_table=number) for number, table in enumerate(tables)])
    rows["_missing"] = ~rows["status"].isin(KNOWN)
    order = rows.sort_values([*_KEYS, "_missing", "_table"], ignore_index=True)
    chosen = order.drop_duplicates(_KEYS)
    first = order.groupby(_KEYS)["_table"].min()
    number = chosen.set_index(_KEYS)["_table"]
    filled = int(((number != first.reindex(number.index)) & ~chosen.set_index(_KEYS)["_missing"]).sum())
    data = chosen.drop(columns=["_table", "_missing"]).reset_index(drop=True)
    result = IndicatorTable(data, definitions, _finest(tables, chosen))
    return Combination(result, _disagreements(order, chosen), filled)


def _same_definitions(tables: Sequence[IndicatorTable]) -> None:
    faults = Faults()
    for place, table in enumerate(tables):
        for name, item in table.definitions.items():
            earlier = next((other.definitions[name] for other in tables[:place] if name in other.definitions), item)
            for key in _SAME:
                one, other = getattr(earlier, key), getattr(item, key)
                if one != other:
                    what = f"two layers define '{name}' differently: {key} {_shown(one)} and {_shown(other)}"
                    hint = "give one of them another id, or correct its definition"
                    faults.add(TableError(Fault(what=what, expected="the same definition in both", hint=hint)))
    faults.raise_any()


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "–".join(str(part) for part in value)
    return "not given" if value is None else str(value)


def _finest(tables: Sequence[IndicatorTable], chosen: pd.DataFrame) -> pd.DataFrame | None:
    """Return the smallest areas' rows behind the figures that count, each from the table its figure is from."""
    if all(table.parts is None for table in tables):
        return None
    wanted = chosen[[*_KEYS, "_table"]].rename(columns={"area_id": "parent"})
    parts = concat_tables([table.finest.assign(_table=number) for number, table in enumerate(tables)])
    kept = parts.merge(wanted, on=["parent", "indicator", "period", "_table"])
    return concat_tables([kept.drop(columns="_table")])


def _disagreements(rows: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    columns = [*_KEYS, "value", "_table", *(["source"] if "source" in rows else [])]
    pairs = chosen.loc[~chosen["_missing"], columns].merge(
        rows.loc[~rows["_missing"], columns], on=_KEYS, suffixes=("_kept", "_other")
    )
    pairs = pairs[pairs["_table_kept"] != pairs["_table_other"]]
    steps = rows[~rows["_missing"]].groupby(["_table", "indicator"])["value"].agg(_step)
    step = np.maximum(*(_looked_up(steps, pairs, side) for side in ("kept", "other")))
    difference = pairs["value_other"] - pairs["value_kept"]
    # Two exact figures agree within what doubles hold; a rounded one within half of its last digit.
    allowed = step / 2 + 1e-9 * pairs["value_kept"].abs() + 1e-12
    found = pd.DataFrame(
        {
            **{name: pairs[name] for name in _KEYS},
            "kept": pairs["value_kept"],
            "kept_source": pairs["source_kept"].astype(str) if "source" in rows else "",
            "other": pairs["value_other"],
            "other_source": pairs["source_other"].astype(str) if "source" in rows else "",
            "difference": difference,
        }
    )[difference.abs() > allowed]
    size = found["difference"].abs() / found["kept"].abs().where(found["kept"] != 0, 1.0)
    found = found.assign(size=size).sort_values(["size", *_KEYS], ascending=[False, True, True, True])
    return found.drop(columns="size").reset_index(drop=True)


def _looked_up(steps: pd.Series, pairs: pd.DataFrame, side: str) -> np.ndarray:
    keys = pd.MultiIndex.from_arrays([pairs[f"_table_{side}"], pairs["indicator"]])
    return np.asarray(steps.reindex(keys), dtype=float)


def _step(values: pd.Series) -> float:
    """Return what a source's values of an indicator are rounded to: 1, 0.1, 0.01 …, or 0 when they are exact."""
    numbers = values.to_numpy(dtype=float)
    for decimals in range(_MOST_DECIMALS + 1):
        shifted = numbers * 10.0**decimals
        if (np.abs(shifted - np.round(shifted)) <= 1e-9 * np.maximum(np.abs(shifted), 1.0)).all():
            return float(10.0**-decimals)
    return 0.0
