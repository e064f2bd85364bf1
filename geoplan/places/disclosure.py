"""Disclosure control: what may be shown of an indicator table, so that nobody is found behind a figure.

Counts of a few people, and rates on a small base, are hidden or rounded; further figures are hidden so that sums over
areas, levels and years do not give the hidden ones away; and :func:`~geoplan.places.attack` tries to find them all the
same before anything is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.places.attacks import AttackReport, at_levels, attack, try_ledger
from geoplan.places.blurring import round_rows, summed_years, without_small
from geoplan.places.indicators import MISSING, IndicatorTable, roll_up
from geoplan.places.ledger import Ledger
from geoplan.places.membership import whole_pairs
from geoplan.places.patterns import Patterns
from geoplan.specs import DisclosureSpec

__all__ = ["Protection", "protect"]

Step = Callable[[str], None]


@dataclass(frozen=True)
class Protection:
    """What may be shown, and what was done to make it so.

    Attributes
    ----------
    tables
        Level → the figures that may be shown; hidden ones have the status ``suppressed``.
    cells
        What was hidden or rounded: ``area_id, level, indicator, period``, ``figure`` (``count`` or ``base``), ``why``:
        ``cell`` (a few people counted), ``complement`` (a few not counted), ``base`` (too few in all), ``secondary``
        (sums would give another away), ``rounded``.
    attack
        What an attack on the shown figures found.
    rules, seed
        By which rules, and which seed decided between equally good choices.
    """

    tables: Mapping[str, IndicatorTable]
    cells: pd.DataFrame
    attack: AttackReport
    rules: DisclosureSpec
    seed: int

    def lines(self) -> list[str]:
        """Return what was done as sentences."""
        why = self.cells["why"].value_counts()
        words = {
            "cell": f"for a count of 1-{self.rules.minimum_cell - 1}",
            "complement": f"because 1-{self.rules.minimum_cell - 1} are not counted",
            "base": f"for a base under {self.rules.minimum_base or self.rules.minimum_cell}",
            "secondary": "so that sums do not give others away",
        }
        parts = [f"{why[name]:,} {text}" for name, text in words.items() if name in why]
        hidden = int((self.cells["why"] != "rounded").sum())
        count = "1 figure is" if hidden == 1 else f"{hidden:,} figures are"
        said = [f"{count} hidden: {', '.join(parts)}" if parts else "no figure had to be hidden"]
        if "rounded" in why:
            counts = "1 count is" if why["rounded"] == 1 else f"{why['rounded']:,} counts are"
            said.append(f"{counts} rounded ({self.rules.rounding.replace('_', ' ')})")
        return [*said, *self.attack.lines()]


def protect(
    table: IndicatorTable,
    rules: DisclosureSpec,
    *,
    levels: Mapping[str, pd.Series | pd.DataFrame],
    seed: int = 1,
    minimum_coverage: float = 0.8,
    periods: Sequence[str] | None = None,
    on_step: Step | None = None,
) -> Protection:
    """Decide what may be shown of a table, on every level at once.

    Parameters
    ----------
    table
        The true figures.
    rules
        What is unsafe, and whether it is hidden or rounded.
    levels
        Level → which area of that level each smallest area lies in, for all the levels that become public, now or in
        another report. From :func:`~geoplan.places.parents_at` (the smallest areas themselves: the codes with
        themselves), or, where areas overlap, from :func:`~geoplan.places.pairs_at`.
    seed
        Decides between equally good choices and how counts are rounded at random. The same table, rules, levels and
        seed give the same pattern, whatever order the rows come in and whichever periods are asked for.
    minimum_coverage
        As in :func:`~geoplan.places.roll_up`.
    periods
        Periods wanted; all when left out.
    on_step
        Called with a few words before each step.

    Returns
    -------
    Protection

    Raises
    ------
    TableError
        When a sum over years is not the sum of its years.

    Examples
    --------
    >>> from geoplan.places.indicators import COLUMNS
    >>> from geoplan.specs import IndicatorSpec
    >>> item = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> rows = [(area, "poor", "2012", n, 90.0, n / 0.9, "observed") for area, n in zip("abcd", [3.0, 9.0, 20.0, 40.0])]
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": item})
    >>> codes = pd.Index(list("abcd"))
    >>> levels = {"block": pd.Series(codes, codes), "town": pd.Series("town", codes)}
    >>> safe = protect(table, DisclosureSpec(), levels=levels)
    >>> safe.cells[["area_id", "why"]].values.tolist(), safe.attack.recovered.empty
    ([['a', 'cell'], ['b', 'secondary']], True)
    """
    wanted = list(periods) if periods is not None else table.periods()
    sums = {name: list(years) for name, years in rules.year_sums.items() if {name, *years} & set(wanted)}
    every = sorted({*wanted, *sums, *(year for years in sums.values() for year in years)})
    table = _numbered(table)
    pairs = {level: whole_pairs(parents) for level, parents in levels.items()}
    say = on_step or (lambda _: None)
    rounded = _counted(table) if rules.rounding != "none" else []
    parts = []
    if rounded:
        say("rounding counts")
        parts.append(_rounded(_only(table, rounded), rules, pairs, seed, minimum_coverage, every))
    others = [name for name in table.definitions if name not in rounded]
    if others:
        parts.append(_hidden(_only(table, others), rules, pairs, seed, minimum_coverage, every, sums, say))
    return _joined(parts, wanted, rules, seed)


def _hidden(
    table: IndicatorTable,
    rules: DisclosureSpec,
    levels: Mapping[str, pd.DataFrame],
    seed: int,
    minimum_coverage: float,
    periods: Sequence[str],
    sums: Mapping[str, Sequence[str]],
    say: Step,
) -> Protection:
    """Hide what is unsafe, and what would give it away."""
    possible = at_levels(table, levels, minimum_coverage)
    patterns = Patterns(Ledger.of(table, levels, table.periods()), rules, possible, seed, sums)
    patterns.find(periods, say, bases=rules.rounding == "none")
    tables = {level: patterns.without(item, level, periods) for level, item in possible.items()}
    tables = {level: _behind(item, tables, levels, level) for level, item in tables.items()}
    say("trying to work out what is hidden")
    hiding_only = rules.model_copy(update={"rounding": "none"})
    ledger = Ledger.of(table, levels, periods)
    report = try_ledger(ledger, possible, tables, rules=hiding_only, year_sums=sums)
    cells = patterns.cells()
    if rules.rounding != "none":  # the bases of these rates are rounded like all others
        tables = {level: _round_bases(item, rules, seed) for level, item in tables.items()}
    return Protection(tables, cells, report, rules, seed)


def _behind(
    table: IndicatorTable, tables: Mapping[str, IndicatorTable], levels: Mapping[str, pd.DataFrame], level: str
) -> IndicatorTable:
    """Let a merged figure tell only of those smallest areas that are shown themselves."""
    told = [name for name in ("minimum", "maximum", "spread") if name in table.data]
    if not told:
        return table
    rows = table.data.drop(columns=told)
    keys = ["area_id", "indicator", "period"]
    lowest = [name for name, pairs in levels.items() if (pairs["child_id"] == pairs["parent_id"]).all()]
    if lowest:
        merged = roll_up(tables[lowest[0]], levels[level], minimum_coverage=0.0).data
        rows = rows.merge(merged[[*keys, *told]], on=keys, how="left")
        rows[told] = rows[told].mask(rows["status"].isin(MISSING))
    else:
        rows[told] = np.nan
    return replace(table, data=rows[list(table.data)])


def _rounded(
    table: IndicatorTable,
    rules: DisclosureSpec,
    levels: Mapping[str, pd.DataFrame],
    seed: int,
    minimum_coverage: float,
    periods: Sequence[str],
) -> Protection:
    """Round the smallest areas that are shown and add the rounded up, so that no total tells what was rounded away."""
    level = _lowest(levels)
    base = at_levels(table, {level: levels[level]}, minimum_coverage)[level]
    rows = base.data[base.data["period"].isin(periods)].reset_index(drop=True)
    changed = summed_years(round_rows(rows, table.definitions, rules, seed), table.definitions, rules)
    safe = IndicatorTable(changed, table.definitions)
    tables = {}
    for name, pairs in levels.items():
        merged = safe
        if name != level:
            merged = roll_up(safe, _between(levels[level], pairs), minimum_coverage=minimum_coverage)
        shown = without_small(merged.data, table.definitions, rules.minimum_base)
        tables[name] = IndicatorTable(shown, table.definitions)
    report = attack(table, tables, levels=levels, rules=rules, minimum_coverage=minimum_coverage)
    changed = tables[level].data
    cells = pd.concat([_changed(rows, changed, level, figure) for figure in ("numerator", "denominator")])
    return Protection(tables, cells, report, rules, seed)


def _joined(parts: Sequence[Protection], periods: Sequence[str], rules: DisclosureSpec, seed: int) -> Protection:
    """Put what was rounded and what was hidden together again, for the periods wanted."""
    definitions = {
        name: item for part in parts for table in part.tables.values() for name, item in table.definitions.items()
    }
    tables = {}
    for level in parts[0].tables:
        rows = pd.concat([part.tables[level].data for part in parts])
        rows = rows[rows["period"].isin(periods)].sort_values(["area_id", "indicator", "period"], ignore_index=True)
        tables[level] = IndicatorTable(rows, definitions, profile="public")
    cells = pd.concat([part.cells for part in parts])
    return Protection(
        tables=tables,
        cells=cells[cells["period"].isin(periods)].reset_index(drop=True),
        attack=AttackReport(
            hidden=sum(part.attack.hidden for part in parts),
            tables=sum(part.attack.tables for part in parts),
            recovered=pd.concat([part.attack.recovered for part in parts], ignore_index=True),
        ),
        rules=rules,
        seed=seed,
    )


def _numbered(table: IndicatorTable) -> IndicatorTable:
    """Give every count its number as numerator."""
    rows = table.finest.drop(columns="parent").drop_duplicates(["area_id", "indicator", "period"], ignore_index=True)
    counts = (
        rows["indicator"].map({name: item.kind == "count" for name, item in table.definitions.items()}).astype(bool)
    )
    top = rows["numerator"].where(~counts | rows["numerator"].notna(), rows["value"])
    return IndicatorTable(rows.assign(numerator=top), table.definitions)


def _counted(table: IndicatorTable) -> list[str]:
    """Return the indicators made from counts of people; means, and rates published bare, have nothing to round."""
    bare = table.data["value"].notna() & table.data["numerator"].isna()
    without = set(table.data.loc[bare, "indicator"])
    return [name for name, item in table.definitions.items() if item.kind != "mean" and name not in without]


def _only(table: IndicatorTable, names: Sequence[str]) -> IndicatorTable:
    rows = table.data[table.data["indicator"].isin(names)].reset_index(drop=True)
    return IndicatorTable(rows, {name: table.definitions[name] for name in names})


def _round_bases(table: IndicatorTable, rules: DisclosureSpec, seed: int) -> IndicatorTable:
    rows = round_rows(table.data, table.definitions, rules, seed)
    return IndicatorTable(table.data.assign(denominator=rows["denominator"], numerator=np.nan), table.definitions)


def _lowest(levels: Mapping[str, pd.DataFrame]) -> str:
    """Return the level of which all others are made.

    Raises
    ------
    SpecError
        When there is none: sums of rounded figures would then differ from way to way.
    """
    level = max(levels, key=lambda name: (levels[name]["parent_id"].nunique(), name))
    size = levels[level].groupby("parent_id").size()
    for name, pairs in levels.items():
        common = levels[level].merge(pairs, on="child_id", suffixes=("", "_above"))
        shared = common.groupby(["parent_id", "parent_id_above"]).size()
        if (shared < size.reindex(shared.index.get_level_values(0)).to_numpy()).any():
            raise SpecError(
                Fault(
                    what=f"'{level}' and '{name}' cannot be rounded together: '{name}' is not made of '{level}'",
                    key="disclosure.rounding",
                    hint='hide instead (`rounding = "none"`), or name fewer `levels`',
                )
            )
    return level


def _between(lower: pd.DataFrame, upper: pd.DataFrame) -> pd.DataFrame:
    """Return which areas of one level lie in which of another, from what the smallest areas lie in."""
    both = lower.merge(upper, on="child_id", suffixes=("_lower", "_upper"))
    pairs = both[["parent_id_lower", "parent_id_upper"]].drop_duplicates(ignore_index=True)
    return pairs.set_axis(["child_id", "parent_id"], axis=1)


def _changed(before: pd.DataFrame, after: pd.DataFrame, level: str, column: str) -> pd.DataFrame:
    """List the figures that rounding changed, or that were hidden."""
    gone = before[column].notna() & after[column].isna() & (after["status"] == "suppressed")
    moved = before[column].notna() & after[column].notna() & (before[column] != after[column])
    figure = "count" if column == "numerator" else "base"
    rows = before.loc[gone | moved, ["area_id", "indicator", "period"]].assign(level=level, figure=figure)
    rows["why"] = np.where(gone[gone | moved], "base", "rounded")
    return rows[["area_id", "level", "indicator", "period", "figure", "why"]]
