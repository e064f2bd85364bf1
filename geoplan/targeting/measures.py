"""The figures that a rule compares: one row an area, criterion and period, made from the table as the rule says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import KNOWN, IndicatorTable, multi_year_mean, unit_scale
from geoplan.places.indicators import COLUMNS
from geoplan.risk import IndexResult
from geoplan.specs import CriterionSpec, IndicatorSpec, RuleSpec, Text, UseSpec

__all__ = ["Measures", "item_under", "measures_at", "measuring_table", "repeated_figures", "rows_under"]

_KEYS = ["area_id", "period"]
_DENOMINATOR = ".denominator"
_NEVER = ("not_applicable", "out_of_scope")  # statuses of figures that nothing would settle
_TAKEN = ("value", "numerator", "denominator", "status", "reason", "source", "method")


@dataclass(frozen=True)
class Measures:
    """What a rule compares in one period; frames are areas × criteria.

    Attributes
    ----------
    period
        The period.
    value
        In the criterion's unit (float); NaN where it is not known or does not apply.
    numerator, denominator
        Counts of all years that the figure stands on, added up (float); NaN where a figure has none.
    status, reason, source, method
        As the table has them (text).
    years
        Criterion → number of years the figure stands on.
    items
        Criterion → definition of its figure; none for the index.
    """

    period: str
    value: pd.DataFrame
    numerator: pd.DataFrame
    denominator: pd.DataFrame
    status: pd.DataFrame
    reason: pd.DataFrame
    source: pd.DataFrame
    method: pd.DataFrame
    years: Mapping[str, int]
    items: Mapping[str, IndicatorSpec]

    @cached_property
    def cells(self) -> dict[tuple[str, str], tuple[float, float, float]]:
        """Area and criterion → value, numerator and denominator; frames are slow to ask cell by cell."""
        found = {}
        for name in self.value:
            columns = (
                frame[name].to_numpy(dtype=float).tolist() for frame in (self.value, self.numerator, self.denominator)
            )
            found.update({(code, name): cell for code, *cell in zip(self.value.index, *columns, strict=True)})
        return {key: (cell[0], cell[1], cell[2]) for key, cell in found.items()}

    def absent(self, criterion: str) -> np.ndarray:
        """Tell where there can be no figure, such as of an area without such people or too small to be ranked."""
        return np.array(self.status[criterion].isin(_NEVER), dtype=bool)

    def scale(self, criterion: str) -> float:
        """Return what a share is multiplied by to stand in the criterion's unit; 1 for scores."""
        return unit_scale(self.items[criterion].unit) if criterion in self.items else 1.0

    def unit(self, criterion: str) -> str:
        """Return the criterion's unit; ``score`` or ``class`` for the index."""
        return self.items[criterion].unit if criterion in self.items else "score"


# ---------------------------------------------------------------- the table, criterion by criterion


def repeated_figures(rows: pd.DataFrame) -> Iterator[TableError]:
    """Word which figures of a table occur more than once."""
    for row in rows[rows.duplicated(["area_id", "indicator", "period"])].itertuples():
        what = f"the figure of {row.indicator} in {row.period} occurs more than once"
        yield TableError(Fault(what=what, area=str(row.area_id), expected="each figure once"))


def measuring_table(table: IndicatorTable, rule: RuleSpec, uses: Mapping[str, UseSpec]) -> IndicatorTable:
    """Return the figures of a rule's criteria, all periods: the ids are the criteria's, and the years are put together.

    Parameters
    ----------
    table
        The indicators.
    rule
        The rule book.
    uses
        Indicator of the rule → what the table offers for it.

    Raises
    ------
    SpecError
        With every indicator that the table lacks, and every complement of what is no share.
    TableError
        When a mean of several years cannot be made.
    """
    faults = Faults()
    rows, parts, items, years = [], [], {}, {}
    for criterion in rule.criteria:
        if criterion.index is not None:
            continue
        with faults.catch(key=f"criteria.{criterion.id}"):
            item = _item_of(criterion, table, uses)
            own = _rows_of(criterion, table.data, table, uses)
            items[criterion.id], years[criterion.id] = item, _years_to_take(criterion, own)
            rows.append(own)
            if table.parts is not None:
                parts.append(_rows_of(criterion, table.parts, table, uses))
    faults.raise_any()
    definitions = {name: replace_years(item, years[name]) for name, item in items.items()}
    if not rows:
        return IndicatorTable(table.data.iloc[:0], {})
    whole = pd.concat(rows, ignore_index=True)
    below = pd.concat(parts, ignore_index=True) if parts else None
    return multi_year_mean(IndicatorTable(whole, definitions, below, table.profile))


def replace_years(item: IndicatorSpec, years: int) -> IndicatorSpec:
    """Return a definition whose figure stands on so many years."""
    return item.model_copy(update={"mean_years": years})


def _item_of(criterion: CriterionSpec, table: IndicatorTable, uses: Mapping[str, UseSpec]) -> IndicatorSpec:
    """Define the figure of a criterion."""
    if criterion.numerators:
        for name in (*criterion.numerators, *criterion.denominators):
            _known(name.removesuffix(_DENOMINATOR), table)
        direction = criterion.direction or "higher_is_worse"
        return IndicatorSpec(id=criterion.id, label=criterion.label, kind="share", unit="pct", direction=direction)
    return item_under(criterion.id, uses.get(criterion.key, UseSpec(indicator=criterion.key)), table)


def item_under(name: str, use: UseSpec, table: IndicatorTable) -> IndicatorSpec:
    """Define what a table offers for an indicator, under the name that is asked for.

    Raises
    ------
    SpecError
        When the table lacks it, or the complement of what is no share is asked for.
    """
    item = _known(use.indicator, table)
    if not use.complement:
        return item.model_copy(update={"id": name})
    if item.kind != "share":
        what = f"'{use.indicator}' is no share: nobody can be counted who is not in it"
        raise SpecError(Fault(what=what, expected="an indicator of kind share for `complement`"))
    turned = {"higher_is_worse": "higher_is_better", "higher_is_better": "higher_is_worse"}
    label = Text(sv=f"inte: {item.label.to('sv')}", da=f"ikke: {item.label.to('da')}", en=f"not: {item.label.to('en')}")
    update = {"id": name, "direction": turned.get(item.direction, item.direction), "label": label}
    return item.model_copy(update=update)


def _known(name: str, table: IndicatorTable) -> IndicatorSpec:
    if name not in table.definitions or not (table.data["indicator"] == name).any():
        present = sorted(set(table.data["indicator"]) & set(table.definitions))
        fault = checks.unknown_name("indicator of the table", name, present).faults[0]
        hint = f"{fault.hint}{'' if fault.hint.endswith('?') else '.'} " if fault.hint else ""
        raise SpecError(replace(fault, hint=f"{hint}Name the one to use: `indicators`, at the command line --use"))
    return table.definitions[name]


def _years_to_take(criterion: CriterionSpec, rows: pd.DataFrame) -> int:
    """Return over how many years the figure is still to be made; a published mean of as many is taken as it is."""
    done = f"mean_of_{criterion.mean_years}_years"
    made = rows["method"].astype(str).str.contains(done, regex=False).any() if "method" in rows else False
    return 1 if made else criterion.mean_years


def _rows_of(
    criterion: CriterionSpec, data: pd.DataFrame, table: IndicatorTable, uses: Mapping[str, UseSpec]
) -> pd.DataFrame:
    if criterion.numerators:
        return _made_of_counts(criterion, data)
    use = uses.get(criterion.key, UseSpec(indicator=criterion.key))
    return rows_under(criterion.id, use, data, table.definitions)


def rows_under(name: str, use: UseSpec, data: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> pd.DataFrame:
    """Return what a table offers for an indicator, under the name that is asked for."""
    rows = data[data["indicator"] == use.indicator].assign(indicator=name)
    if not use.complement:
        return rows
    whole = unit_scale(definitions[use.indicator].unit)
    turned = {"numerator": rows["denominator"] - rows["numerator"], "value": whole - rows["value"]}
    if "minimum" in rows:
        turned |= {"minimum": whole - rows["maximum"], "maximum": whole - rows["minimum"]}
    return rows.assign(**turned)


def _made_of_counts(criterion: CriterionSpec, data: pd.DataFrame) -> pd.DataFrame:
    """Make a share of counts that are added up; one that is missing makes it missing."""
    keys = [*_KEYS, *(["parent"] if "parent" in data else [])]
    top, top_status = _added(data, criterion.numerators, keys)
    base, base_status = _added(data, criterion.denominators, keys)
    both = pd.DataFrame({"numerator": top, "denominator": base})
    both["status"] = top_status.reindex(both.index).where(~top_status.reindex(both.index).isin(KNOWN), base_status)
    both["status"] = both["status"].astype(object).fillna("not_collected")
    empty = both["status"].isin(KNOWN) & ~(both["denominator"] > 0)
    both.loc[empty, "status"] = "not_applicable"
    missing = ~both["status"].isin(KNOWN)
    both.loc[missing, ["numerator", "denominator"]] = np.nan
    both["value"] = both["numerator"] / both["denominator"] * unit_scale("pct")
    return both.reset_index().assign(indicator=criterion.id)[[*COLUMNS, *[k for k in keys if k == "parent"]]]


def _added(data: pd.DataFrame, names: Sequence[str], keys: list[str]) -> tuple[pd.Series, pd.Series]:
    """Add counts up: the sums, and the status of the sum; both by area and period."""
    counts, statuses = [], []
    for name in names:
        column = "denominator" if name.endswith(_DENOMINATOR) else "numerator"
        rows = data[data["indicator"] == name.removesuffix(_DENOMINATOR)].set_index(keys)
        plain = rows[column] if column == "denominator" else rows["numerator"].fillna(rows["value"])
        counts.append(plain.where(rows["status"].isin(KNOWN)))
        statuses.append(rows["status"].astype(object))
    total = pd.concat(counts, axis=1).sum(axis=1, min_count=len(names), skipna=False)
    found = pd.concat(statuses, axis=1)
    found.columns = range(len(names))

    def worst(row: pd.Series) -> str:
        absent = row.isna().any()
        missing = [text for text in row.dropna() if text not in KNOWN]
        doubts = [text for text in ("estimated", "provisional") if text in set(row)]
        return str((missing or (["not_collected"] if absent else []) or doubts or ["observed"])[0])

    return total, found.apply(worst, axis=1)


# ---------------------------------------------------------------- one period of it


def measures_at(
    measured: IndicatorTable,
    rule: RuleSpec,
    period: str,
    areas: pd.Index,
    *,
    index: IndexResult | None = None,
) -> Measures:
    """Take one period of the figures of a rule.

    Parameters
    ----------
    measured
        From :func:`measuring_table`.
    rule
        The rule book.
    period
        The period.
    areas
        The areas.
    index
        The risk index of the period, for criteria that ask for it.

    Raises
    ------
    SpecError
        When a criterion asks for the index and there is none, or for a class and the index has none.
    """
    names = [criterion.id for criterion in rule.criteria]
    rows = measured.data[measured.data["period"] == period]
    counts = ["value", "numerator", "denominator"]
    rows = rows.assign(**{name: rows[name].where(rows["status"].isin(KNOWN)) for name in counts})
    wide = {column: _wide(rows, column, areas, names) for column in _TAKEN}
    years = {
        name: _years_behind(rows[rows["indicator"] == name], rule.criterion(name), measured.definitions.get(name))
        for name in names
    }
    for name in names:  # counts of several years were means; all of them together say how much is known
        for column in ("numerator", "denominator"):
            wide[column][name] *= years[name]
    faults = Faults()
    for criterion in rule.criteria:
        if criterion.index is not None:
            with faults.catch(key=f"criteria.{criterion.id}"):
                _from_index(criterion, index, areas, wide)
    faults.raise_any()
    wide["status"] = wide["status"].astype(object).fillna("not_collected")
    for column in ("reason", "source", "method"):
        wide[column] = wide[column].astype(object).fillna("")
    return Measures(period=period, years=years, items=measured.definitions, **{k: wide[k] for k in _TAKEN})


def _wide(rows: pd.DataFrame, column: str, areas: pd.Index, names: list[str]) -> pd.DataFrame:
    numeric = column in COLUMNS and column != "status"
    if column not in rows:
        return pd.DataFrame(np.nan if numeric else None, areas, names, dtype=float if numeric else object)
    wide = rows.pivot(index="area_id", columns="indicator", values=column).reindex(index=areas, columns=names)
    return wide.astype(float) if numeric else wide.astype(object).where(wide.notna(), None)


def _years_behind(rows: pd.DataFrame, criterion: CriterionSpec, item: IndicatorSpec | None) -> int:
    """Return how many years of counts a figure stands on: those put together here, or by who published it."""
    if item is not None and item.mean_years > 1:
        return item.mean_years
    if criterion.mean_years == 1 or "method" not in rows:
        return 1
    made = rows["method"].astype(str).str.contains(f"mean_of_{criterion.mean_years}_years", regex=False)
    return criterion.mean_years if made.any() else 1


def _from_index(
    criterion: CriterionSpec, index: IndexResult | None, areas: pd.Index, wide: dict[str, pd.DataFrame]
) -> None:
    if index is None:
        hint = "hand the index of the period in, or name a `preset` in the rule book"
        raise SpecError(Fault(what=f"criterion '{criterion.id}' asks for the risk index", hint=hint))
    ranking = index.ranking.reindex(areas)
    column = "score" if criterion.index == "score" else "status_class"
    if column not in ranking:
        hint = "give it `classes`, as the preset scb_area_types has"
        raise SpecError(Fault(what=f"criterion '{criterion.id}' asks for a class, and the index has none", hint=hint))
    wide["value"][criterion.id] = pd.to_numeric(ranking[column], errors="coerce").astype(float)
    known = wide["value"][criterion.id].notna()
    status = ranking["status"].astype(object).where(~known | ranking["status"].isin(KNOWN), "observed")
    wide["status"][criterion.id] = status.where(known | ~status.isin(KNOWN), "not_collected")
    wide["reason"][criterion.id] = ranking["reason"].astype(object)
    wide["source"][criterion.id] = index.certificate.source
    wide["method"][criterion.id] = index.certificate.method
