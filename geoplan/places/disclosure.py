"""Disclosure control: what may be shown of an indicator table, so that nobody is found behind a figure.

Counts of a few people, and rates on a small base, are hidden or rounded; further figures are hidden so that sums over
areas, levels and years do not give the hidden ones away; and :func:`~geoplan.places.attack` tries to find them all the
same before anything is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.places.attack import STEPS, AttackReport, Seen, at_levels, attack, try_ledger, unsafe
from geoplan.places.hiding import Problem, hide
from geoplan.places.indicators import COLUMNS, KNOWN, IndicatorTable, roll_up, unit_scale
from geoplan.places.ledger import Ledger, period_blocks
from geoplan.places.sums import System
from geoplan.specs import DisclosureSpec, IndicatorSpec

__all__ = ["Protection", "protect", "round_counts"]

_OTHER_YEARS = (
    0.7  # a figure that is unsafe in another year is hidden here rather than a neighbour's: fewer areas with gaps
)
_TINY = 0.01
_VAGUE = 0.1  # of a hidden mean or sum of money, a tenth must stay open
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
        said = [f"{hidden:,} figures are hidden: {', '.join(parts)}" if parts else "no figure had to be hidden"]
        if "rounded" in why:
            said.append(f"{why['rounded']:,} counts are rounded ({self.rules.rounding.replace('_', ' ')})")
        return [*said, *self.attack.lines()]


def protect(
    table: IndicatorTable,
    rules: DisclosureSpec,
    *,
    levels: Mapping[str, pd.Series],
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
        Level → the smallest areas' codes (index) with the code of the area of that level (values), or None; all the
        levels that become public, now or in another report. From :func:`~geoplan.places.parents_at`; for the smallest
        areas themselves the codes with themselves.
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
    possible = at_levels(table, levels, minimum_coverage)
    ledger = Ledger.of(table, levels, table.periods())
    if rules.rounding != "none":
        return _rounded(
            table, rules, levels, seed=seed, minimum_coverage=minimum_coverage, periods=every, wanted=wanted
        )
    patterns = _Patterns(ledger, rules, possible, seed, sums)
    patterns.find(every, on_step)
    tables = {level: _without(item, level, patterns, wanted) for level, item in possible.items()}
    within = Ledger.of(table, levels, every)
    shown = {level: _without(item, level, patterns, every) for level, item in possible.items()}
    if on_step:
        on_step("trying to work out what is hidden")
    report = try_ledger(within, possible, shown, rules=rules, year_sums=sums)
    cells = patterns.cells()
    return Protection(tables, cells[cells["period"].isin(wanted)].reset_index(drop=True), report, rules, seed)


def round_counts(counts: pd.Series, rounding: str, *, keys: Sequence[str], seed: int = 1) -> pd.Series:
    """Round counts so that a few people cannot be told from none.

    Parameters
    ----------
    counts
        Whole numbers; missing ones stay missing.
    rounding
        ``stockholm``: 1-2 become 0, 3-4 become 5, the rest stays. ``base_3``, ``base_5``, ``base_10``: up or down to a
        multiple at random, so that the mean stays (a count of 7 becomes 5 in three of five cases, 10 in two).
    keys
        A text a count, such as area and period: the same key, count and seed are always rounded the same way.
    seed
        Another seed, another pattern.

    Returns
    -------
    pandas.Series
        Like ``counts``.

    Notes
    -----
    Random rounding is unbiased: P(up) = remainder / base. Its randomness is a hash of seed, key and count, so that a
    figure is the same in every run and table (Statistics New Zealand's "fixed random rounding").

    Examples
    --------
    >>> round_counts(pd.Series([0, 1, 2, 3, 4, 5, 6]), "stockholm", keys=list("abcdefg")).tolist()
    [0.0, 0.0, 0.0, 5.0, 5.0, 5.0, 6.0]
    >>> round_counts(pd.Series([7, 10]), "base_5", keys=["a", "b"]).isin([5, 10]).tolist()
    [True, True]
    """
    values = counts.astype(float)
    if rounding == "stockholm":
        return values.mask(values.between(1, 2), 0.0).mask(values.between(3, 4), 5.0)
    step = STEPS[rounding]
    down = np.floor(values / step) * step
    chance = [_chance(f"{seed}|{key}|{value:g}") for key, value in zip(keys, values, strict=True)]
    return down + step * (np.asarray(chance) < (values - down) / step)


def _chance(text: str) -> float:
    """Turn a text into a number from 0 up to 1 that looks random and never changes."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64


def _numbered(table: IndicatorTable) -> IndicatorTable:
    """Give every count its number as numerator."""
    rows = table.finest.drop(columns="parent", errors="ignore")
    counts = (
        rows["indicator"].map({name: item.kind == "count" for name, item in table.definitions.items()}).astype(bool)
    )
    top = rows["numerator"].where(~counts | rows["numerator"].notna(), rows["value"])
    return IndicatorTable(rows.assign(numerator=top), table.definitions)


# ---------------------------------------------------------------- hiding


class _Patterns:
    """What is hidden, and why; filled by :meth:`find`."""

    def __init__(
        self,
        ledger: Ledger,
        rules: DisclosureSpec,
        possible: Mapping[str, IndicatorTable],
        seed: int,
        sums: Mapping[str, Sequence[str]],
    ) -> None:
        self.ledger, self.rules, self.seed, self.sums = ledger, rules, seed, sums
        self.could = Seen.of(ledger, possible)
        blank = pd.DataFrame("", ledger.count.index, ledger.count.columns, dtype=object)
        self.why = {"count": blank, "base": blank.copy()}
        self.reasons = {"count": blank.copy(), "base": blank.copy()}
        for name, period in ledger.count.columns:
            count, base = ledger.count[name, period].to_numpy(), ledger.base[name, period].to_numpy()
            item = ledger.definitions[name]
            self.reasons["count"][name, period] = unsafe(count, base, item, rules)
            few = (base > 0) & (base < rules.minimum_cell) & (item.kind != "count")
            self.reasons["base"][name, period] = np.where(few, "base", "")

    def find(self, periods: Sequence[str], on_step: Step | None) -> None:
        """Choose what to hide: first the bases (and counts, which are others' bases), then what stands on them."""
        blocks = period_blocks(periods, self.sums)
        groups = [(block, names) for block in blocks for names in self._same_bases(block)]
        problems = [self._problem(block, names, "base") for block, names in groups]
        for (block, names), hidden in zip(groups, self._hidden(problems, on_step), strict=True):
            for name in names:
                self._keep(name, block, "base", hidden)
                self._keep(name, block, "count", hidden)
        rates = [(b, [n]) for b in blocks for n in self._indicators(b) if self.ledger.kind(n) != "count"]
        problems = [self._problem(block, names, "count") for block, names in rates]
        for (block, names), hidden in zip(rates, self._hidden(problems, on_step), strict=True):
            self._keep(names[0], block, "count", hidden)

    def _hidden(self, problems: list[Problem], on_step: Step | None) -> list[np.ndarray]:
        return hide(problems, on_step=on_step) if self.rules.secondary else [item.forced for item in problems]

    def _indicators(self, block: Sequence[str]) -> list[str]:
        columns = self.ledger.count.columns
        return [n for n in dict.fromkeys(columns.get_level_values(0)) if all((n, p) in columns for p in block)]

    def _same_bases(self, block: Sequence[str]) -> list[list[str]]:
        """Put indicators together whose bases are the same people, a count among them: all show or hide the same."""
        groups: list[tuple[list[str], np.ndarray, np.ndarray]] = []
        for name in self._indicators(block):
            frame = self.ledger.count if self.ledger.kind(name) == "count" else self.ledger.base
            value, there = self.ledger.column(frame, name, block), self.ledger.column(self.ledger.present, name, block)
            for names, known, complete in groups:
                common = (there > 0) & (there == complete)
                if common.any() and np.array_equal(value[common], known[common]):
                    names.append(name)
                    break
            else:
                groups.append(([name], value, there))
        return [names for names, _, _ in groups]

    def _problem(self, block: Sequence[str], names: Sequence[str], figure: str) -> Problem:
        """Set out one table: its sums, what must be hidden, and what hiding costs."""
        systems: list[System] = []
        needs: list[np.ndarray] = []
        forced = cost = np.zeros(0)
        for name in names:
            role = "count" if self.ledger.kind(name) == "count" else figure
            base_hidden = self.ledger.column(self.why["base"], name, block) != ""
            system = self.ledger.system(name, block, self.sums, role=role, base_hidden=base_hidden)
            could = self.ledger.column(self.could.flags[role], name, block)
            reason = self.ledger.column(self.reasons[role], name, block) != ""
            there = system.upper > system.lower
            need = self._need(system, reason, could) * there
            held = there & (reason | ~could | (base_hidden & (figure == "count")))
            forced = held if not len(forced) else forced | held
            loss = self._cost(name, block, role) * could
            cost = loss if not len(cost) else cost + loss
            if not any(_alike(system, other) for other in systems):
                systems.append(system)
                needs.append(need)
        return Problem(systems, forced.astype(bool), needs, cost)

    def _need(self, system: System, reason: np.ndarray, could: np.ndarray) -> np.ndarray:
        """How much must stay open of a figure if it is hidden: much of an unsafe one, something of any other."""
        size = np.abs(system.value)
        much = np.full(len(size), float(self.rules.minimum_cell)) if system.whole else np.maximum(_VAGUE * size, _TINY)
        some = np.ones(len(size)) if system.whole else np.maximum(2 * _TINY * size, _TINY)
        open_ = np.where(reason, much, np.where(could, some, 0.0))
        return np.asarray(np.minimum(open_, system.upper - system.lower))

    def _cost(self, name: str, block: Sequence[str], role: str) -> np.ndarray:
        """Say what hiding a figure loses: more for many people, less where it is unsafe in other years anyway."""
        frame = self.ledger.count if self.ledger.kind(name) == "count" else self.ledger.base
        people = np.log1p(np.maximum(self.ledger.column(frame, name, block), 0.0))
        often = (self.reasons[role][name] != "").any(axis=1).to_numpy()
        keys = [f"{self.seed}|{level}|{area}|{name}" for level, area in self.ledger.count.index]
        tie = np.array([_chance(key) for key in keys])
        one = np.where(often, _OTHER_YEARS, 1.0) * (1 + _TINY * tie)
        return np.asarray((1.0 + people) * np.tile(one, len(block)))

    def _keep(self, name: str, block: Sequence[str], figure: str, hidden: np.ndarray) -> None:
        for period, mask in zip(block, np.split(hidden, len(block)), strict=True):
            shown = mask & self.could.flags[figure][name, period].to_numpy()
            reason = self.reasons[figure][name, period].to_numpy()
            why = np.where(reason != "", reason, "secondary")
            self.why[figure].loc[shown, (name, period)] = why[shown]

    def cells(self) -> pd.DataFrame:
        """List what is hidden: figures with their count, and bases."""
        parts = []
        for figure, frame in self.why.items():
            long = frame.rename_axis(["level", "area_id"]).stack(["indicator", "period"], future_stack=True)
            parts.append(long[long != ""].rename("why").reset_index().assign(figure=figure))
        table = pd.concat(parts, ignore_index=True)
        keys = ["indicator", "period", "level", "area_id", "figure"]
        return table.sort_values(keys, ignore_index=True)[["area_id", "level", "indicator", "period", "figure", "why"]]


def _alike(first: System, second: System) -> bool:
    return np.array_equal(first.value, second.value) and np.array_equal(first.upper, second.upper)


def _without(table: IndicatorTable, level: str, patterns: _Patterns, periods: Sequence[str]) -> IndicatorTable:
    """Empty what is hidden."""
    rows = table.data[table.data["period"].isin(periods)].reset_index(drop=True)
    hidden = {figure: _flags(frame != "", level, rows) for figure, frame in patterns.why.items()}
    rows["denominator"] = rows["denominator"].mask(hidden["base"])
    gone = hidden["count"] | hidden["base"]
    rows.loc[gone, ["numerator", "value"]] = np.nan
    rows["status"] = rows["status"].mask(gone, "suppressed")
    return IndicatorTable(rows, table.definitions, profile="public")


def _flags(frame: pd.DataFrame, level: str, rows: pd.DataFrame) -> np.ndarray:
    """Look up a flag of areas × (indicator, period) for every row of a tidy table."""
    lines = frame.columns.get_indexer(pd.MultiIndex.from_frame(rows[["indicator", "period"]]))
    places = frame.index.get_indexer(pd.MultiIndex.from_product([[level], rows["area_id"]]))
    there = (lines >= 0) & (places >= 0)
    return np.asarray(frame.to_numpy(dtype=bool)[places, lines] & there)


# ---------------------------------------------------------------- rounding


def _rounded(
    table: IndicatorTable,
    rules: DisclosureSpec,
    levels: Mapping[str, pd.Series],
    *,
    seed: int,
    minimum_coverage: float,
    periods: Sequence[str],
    wanted: Sequence[str],
) -> Protection:
    """Round the smallest areas that are shown and add the rounded up, so that no total tells what was rounded away."""
    level = _lowest(levels)
    base = at_levels(table, {level: levels[level]}, minimum_coverage)[level]
    rows = base.data[base.data["period"].isin(periods)].reset_index(drop=True)
    changed = _round_rows(rows, table.definitions, rules, seed)
    changed = _summed_years(changed, table.definitions, rules)
    safe = IndicatorTable(changed[COLUMNS], table.definitions)
    tables = {}
    for name, codes in levels.items():
        above = codes.groupby(levels[level]).first() if name != level else None
        tables[name] = safe if above is None else roll_up(safe, above, minimum_coverage=minimum_coverage)
    report = attack(table, tables, levels=levels, rules=rules, minimum_coverage=minimum_coverage)
    cells = pd.concat([_changed(rows, changed, level, figure) for figure in ("numerator", "denominator")])
    return Protection(
        tables={name: _published(item, wanted) for name, item in tables.items()},
        cells=cells[cells["period"].isin(wanted)].reset_index(drop=True),
        attack=report,
        rules=rules,
        seed=seed,
    )


def _published(table: IndicatorTable, periods: Sequence[str]) -> IndicatorTable:
    rows = table.data[table.data["period"].isin(periods)].reset_index(drop=True)
    return IndicatorTable(rows, table.definitions, profile="public")


def _summed_years(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], rules: DisclosureSpec) -> pd.DataFrame:
    """Make a period that sums others the sum of the rounded ones."""
    for period, years in rules.year_sums.items():
        parts = rows[rows["period"].isin(years)].groupby(["area_id", "indicator"])
        sums = parts[["numerator", "denominator"]].sum(min_count=len(years))
        own = rows.index[rows["period"] == period]
        keys = pd.MultiIndex.from_frame(rows.loc[own, ["area_id", "indicator"]])
        for column in ("numerator", "denominator"):
            summed = sums[column].reindex(keys).to_numpy()
            rows.loc[own, column] = np.where(rows.loc[own, column].notna(), summed, np.nan)
        scale = rows.loc[own, "indicator"].map({n: unit_scale(item.unit) for n, item in definitions.items()})
        counts = rows.loc[own, "indicator"].map({n: item.kind == "count" for n, item in definitions.items()})
        made = rows.loc[own, "numerator"] / rows.loc[own, "denominator"] * scale.astype(float)
        fresh = rows.loc[own, "numerator"].where(counts.astype(bool), made)
        rows.loc[own, "value"] = fresh.where(rows.loc[own, "numerator"].notna(), rows.loc[own, "value"])
    return rows


def _lowest(levels: Mapping[str, pd.Series]) -> str:
    """Return the level of which all others are made.

    Raises
    ------
    SpecError
        When there is none: sums of rounded figures would then differ from way to way.
    """
    level = max(levels, key=lambda name: (levels[name].nunique(), name))
    for name, codes in levels.items():
        pairs = pd.DataFrame({"low": levels[level], "high": codes}).dropna(subset="low").drop_duplicates()
        if pairs["low"].duplicated().any():
            raise SpecError(
                Fault(
                    what=f"'{level}' and '{name}' cannot be rounded together: '{name}' is not made of '{level}'",
                    key="disclosure.rounding",
                    hint='hide instead (`rounding = "none"`), or name fewer `levels`',
                )
            )
    return level


def _round_rows(
    rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], rules: DisclosureSpec, seed: int
) -> pd.DataFrame:
    """Round counts and bases, make rates anew, and hide rates on a small base."""
    kind = rows["indicator"].map({name: item.kind for name, item in definitions.items()})
    scale = rows["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    keys = (rows["area_id"] + "|" + rows["period"]).tolist()
    result = rows.copy()
    counted = kind != "mean"
    for column in ("numerator", "denominator"):
        rounded = round_counts(rows[column], rules.rounding, keys=keys, seed=seed)
        result[column] = rounded.where(counted | (column == "denominator"), np.nan)
    over = (kind == "share") & (result["numerator"] > result["denominator"])
    result["numerator"] = result["numerator"].mask(over, result["denominator"])
    made = result["numerator"] / result["denominator"] * scale
    counts = result["numerator"].where(kind == "count", made)
    result["value"] = counts.where(rows["numerator"].notna() & counted, rows["value"])
    known = rows["status"].isin(KNOWN)
    small = known & (kind != "count") & ((rows["denominator"] < rules.minimum_base) | (result["denominator"] == 0))
    result.loc[small, ["numerator", "value"]] = np.nan
    result.loc[small, "status"] = "suppressed"
    return result


def _changed(before: pd.DataFrame, after: pd.DataFrame, level: str, column: str) -> pd.DataFrame:
    """List the figures that rounding changed, or that were hidden."""
    gone = before[column].notna() & after[column].isna() & (after["status"] == "suppressed")
    moved = before[column].notna() & after[column].notna() & (before[column] != after[column])
    figure = "count" if column == "numerator" else "base"
    rows = before.loc[gone | moved, ["area_id", "indicator", "period"]].assign(level=level, figure=figure)
    rows["why"] = np.where(gone[gone | moved], "base", "rounded")
    return rows[["area_id", "level", "indicator", "period", "figure", "why"]]
