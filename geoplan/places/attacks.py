"""The attack check: try to work out hidden figures from everything that is shown, before anybody else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geoplan.errors import DisclosureError, listed
from geoplan.places.indicators import KNOWN, IndicatorTable, roll_up
from geoplan.places.ledger import Ledger, period_blocks
from geoplan.places.membership import whole_pairs
from geoplan.places.sums import System, ranges
from geoplan.specs import DisclosureSpec, IndicatorSpec

__all__ = ["AttackReport", "at_levels", "attack", "unsafe"]

STEPS = {"base_3": 3, "base_5": 5, "base_10": 10}
_STOCKHOLM_FEW = 5.0
_SAME = 0.01  # a mean or a sum of money is given away when it is known within one per cent
_COLUMNS = ["area_id", "level", "indicator", "period", "figure", "lowest", "highest", "through"]


@dataclass(frozen=True)
class AttackReport:
    """What an attack found.

    Attributes
    ----------
    hidden
        Number of hidden figures (counts and bases) that it tried to work out.
    tables
        Number of tables (indicator and period) that they stand in.
    recovered
        Figures that it did work out: ``area_id, level, indicator, period``, ``figure`` (``count`` or ``base``),
        ``lowest`` and ``highest`` (what the figure must lie between), ``through`` (``sums``, ``index``, or
        ``same base``: another indicator shows it).
    """

    hidden: int
    tables: int
    recovered: pd.DataFrame

    def lines(self) -> list[str]:
        """Return the result as a sentence."""
        text = f"the attack check tried {_many(self.hidden, 'hidden figure')} in {_many(self.tables, 'table')}"
        if self.recovered.empty:
            return [f"{text} and could work out none of them"]
        worst = self.recovered.iloc[0]
        where = f"'{worst['indicator']}' {worst['period']} in area '{worst['area_id']}', through {worst['through']}"
        return [f"{text} and could work out {len(self.recovered):,} of them (first: {worst['figure']} of {where})"]

    def raise_any(self) -> None:
        """Refuse to go on when a hidden figure could be worked out.

        Raises
        ------
        DisclosureError
            With the first of them.
        """
        if len(self.recovered):
            names = listed(dict.fromkeys(self.recovered["indicator"]))
            raise DisclosureError(
                f"{self.lines()[0]}. Nothing was written. Indicators concerned: {names}. Hint: keep "
                "`secondary = true` under [disclosure], or hide more with a larger `minimum_cell`"
            )


def _many(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number:,} {word}s"


def unsafe(count: np.ndarray, base: np.ndarray, item: IndicatorSpec, rules: DisclosureSpec) -> np.ndarray:
    """Tell which figures must not be shown: a few people counted, or not counted, or a rate on a small base.

    Parameters
    ----------
    count, base
        Numerators and denominators of one indicator; the base of a count is not looked at.
    item
        Its definition: of a share, the people not counted are found as easily as those counted.
    rules
        ``minimum_cell``, ``complement`` and ``minimum_base``.

    Returns
    -------
    numpy.ndarray
        Reasons: ``cell``, ``complement``, ``base``, or an empty text.

    Examples
    --------
    >>> share = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> found = unsafe(np.array([3, 30, 9, 0]), np.array([90, 32, 15, 90]), share, DisclosureSpec(minimum_base=20))
    >>> found.tolist()
    ['cell', 'complement', 'base', '']
    """
    few = (count > 0) & (count < rules.minimum_cell) & (item.kind != "mean")
    left = base - count
    others = (left > 0) & (left < rules.minimum_cell) & (item.kind == "share") & rules.complement
    small = (base > 0) & (base < rules.minimum_base) & (item.kind != "count")
    return np.select([few, others, small], ["cell", "complement", "base"], "").astype(object)


def attack(
    table: IndicatorTable,
    shown: Mapping[str, IndicatorTable],
    *,
    levels: Mapping[str, pd.Series | pd.DataFrame],
    rules: DisclosureSpec | None = None,
    minimum_coverage: float = 0.8,
    year_sums: Mapping[str, Sequence[str]] | None = None,
    scores: pd.DataFrame | None = None,
    summed: bool = True,
) -> AttackReport:
    """Try to work out the figures of a table that are not shown, from those that are.

    Parameters
    ----------
    table
        The true figures, of the smallest areas there are.
    shown
        What is to be shown: level → table. A figure is hidden where it could be shown (see ``minimum_coverage``) and
        has neither a number nor a value here.
    levels
        Level → which area of that level each smallest area lies in: from :func:`~geoplan.places.parents_at`, or, where
        areas overlap, from :func:`~geoplan.places.pairs_at`.
    rules
        With them, unsafe figures of areas that no level shows are tried too: two zonings that nearly agree give away
        what lies between them.
    minimum_coverage
        As in :func:`~geoplan.places.roll_up`: a merged figure that would be missing anyway is not a hidden one.
    year_sums
        Period that is the sum of others → those others.
    scores
        Sums of figures that are shown besides, such as the domains of an index: columns ``area_id``, ``level``,
        ``sum``, ``indicator``, ``period``; one row for each figure that counts in the sum.

    summed
        Whether totals of rounded counts are the sums of the rounded parts; else they were rounded, or left as they
        were, for themselves, which tells more.

    Returns
    -------
    AttackReport

    Raises
    ------
    TableError
        When shown totals are not the sums of their parts.

    Notes
    -----
    The attacker knows every shown count and base, how areas and years add up, that counts are not negative, and that
    a share's count is no larger than its base. For each hidden figure the lowest and the highest value are found by
    linear programming; it is recovered when only one whole number lies between (for means: less than 1 % of it). A
    hidden figure is also recovered when it is the only hidden one in a published score, or when another indicator of
    the same base shows the base.

    Examples
    --------
    >>> item = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> rows = [("a", "poor", "2012", 3.0, 40.0, 7.5, "observed"), ("b", "poor", "2012", 9.0, 60.0, 15.0, "observed")]
    >>> from geoplan.places.indicators import COLUMNS
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": item})
    >>> codes = pd.Index(["a", "b"])
    >>> levels = {"block": pd.Series(codes, codes), "town": pd.Series("town", codes)}
    >>> hidden = table.data.assign(value=[None, 15.0], numerator=[None, 9.0], status=["suppressed", "observed"])
    >>> shown = {"block": IndicatorTable(hidden, table.definitions), "town": roll_up(table, levels["town"])}
    >>> attack(table, shown, levels=levels).recovered[["area_id", "lowest", "highest"]].values.tolist()
    [['a', 3.0, 3.0]]
    """
    periods = sorted({period for item in shown.values() for period in item.data["period"].unique()})
    pairs = {level: whole_pairs(parents) for level, parents in levels.items()}
    ledger = Ledger.of(table, pairs, periods)
    possible = at_levels(table, pairs, minimum_coverage)
    return try_ledger(ledger, possible, shown, rules=rules, year_sums=year_sums, scores=scores, summed=summed)


def at_levels(
    table: IndicatorTable, levels: Mapping[str, pd.DataFrame], minimum_coverage: float
) -> dict[str, IndicatorTable]:
    """Return a table's figures on each level."""
    rows = table.finest.drop(columns="parent").drop_duplicates(["area_id", "indicator", "period"])
    finest = IndicatorTable(rows.reset_index(drop=True), table.definitions)
    result = {}
    for level, pairs in levels.items():
        if (pairs["child_id"] == pairs["parent_id"]).all():
            own = rows[rows["area_id"].isin(pairs["child_id"])].reset_index(drop=True)
            result[level] = IndicatorTable(own, table.definitions)
        else:
            result[level] = roll_up(finest, pairs, minimum_coverage=minimum_coverage)
    return result


def try_ledger(
    ledger: Ledger,
    possible: Mapping[str, IndicatorTable],
    shown: Mapping[str, IndicatorTable],
    *,
    rules: DisclosureSpec | None = None,
    year_sums: Mapping[str, Sequence[str]] | None = None,
    scores: pd.DataFrame | None = None,
    summed: bool = True,
) -> AttackReport:
    """Do what :func:`attack` does, with the figures laid out already."""
    sums, (labels, systems, asked) = dict(year_sums or {}), ([], [], [])
    visible, could = Seen.of(ledger, shown), Seen.of(ledger, possible)
    for indicator in dict.fromkeys(ledger.count.columns.get_level_values(0)):
        own = [period for name, period in ledger.count.columns if name == indicator]
        for block in period_blocks(own, sums):
            base_hidden = ~ledger.column(visible.flags["base"], indicator, block)
            for figure in ("count", "base") if ledger.kind(indicator) != "count" else ("count",):
                system = ledger.system(indicator, block, sums, role=figure, base_hidden=base_hidden)
                there = system.upper > system.lower
                hidden = there & ~ledger.column(visible.flags[figure], indicator, block)
                secret = hidden & ledger.column(could.flags[figure], indicator, block)
                secret |= hidden & _unsafe_unseen(ledger, indicator, block, figure, rules)
                if rules is not None and rules.rounding != "none" and system.whole:
                    numbers = {name: ledger.column(frame, indicator, block) for name, frame in visible.numbers.items()}
                    mirrored = rules.complement and figure == "count" and ledger.kind(indicator) == "share"
                    limits = blurred(numbers[figure], rules.rounding, numbers["base"] if mirrored else None)
                    system, hidden = _blurred(system, numbers[figure], limits, summed=summed), there
                    secret = there & _unsafe(ledger, indicator, block, figure, rules)
                if secret.any():
                    labels.append((indicator, figure))
                    systems.append(system.hiding(hidden))
                    asked.append(secret)
    found = ranges(systems, asked)
    tables = [_through_scores(ledger, visible, could, scores), _through_same_base(ledger, visible, could)]
    for number, (label, system) in enumerate(zip(labels, systems, strict=True)):
        width = found.width(number, system)
        limit = 1.0 if system.whole else np.maximum(_SAME * np.abs(system.value), 1e-6)
        tables.append(
            _described(
                ledger,
                label,
                system,
                asked[number] & (width < limit),
                lowest=found.lowest[number],
                highest=found.highest[number],
            )
        )
    pairs = {(label[0], period) for label, s, a in zip(labels, systems, asked, strict=True) for period in s.period[a]}
    frame = pd.concat([item for item in tables if len(item)] or [pd.DataFrame(columns=_COLUMNS)], ignore_index=True)
    return AttackReport(hidden=sum(int(a.sum()) for a in asked), tables=len(pairs), recovered=frame)


@dataclass(frozen=True)
class Seen:
    """Which counts (or values) and which bases of a ledger somebody sees, and the numbers that stand there."""

    flags: Mapping[str, pd.DataFrame]
    numbers: Mapping[str, pd.DataFrame]

    @classmethod
    def of(cls, ledger: Ledger, shown: Mapping[str, IndicatorTable]) -> Seen:
        """Look every figure of a ledger up in the tables of the levels."""
        shape = ledger.count.shape
        found = {name: np.full(shape, np.nan) for name in ("numerator", "denominator", "value")}
        known = np.zeros(shape, dtype=bool)
        for level, item in shown.items():
            places, lines, there = ledger.positions(level, item.data)
            for name, grid in found.items():
                grid[places, lines] = item.data[name].to_numpy(dtype=float)[there]
            known[places, lines] = item.data["status"].isin(KNOWN).to_numpy()[there]
        given = known & ~(np.isnan(found["numerator"]) & np.isnan(found["value"]))
        made = {"count": (given, found["numerator"]), "base": (~np.isnan(found["denominator"]), found["denominator"])}
        index, columns = ledger.count.index, ledger.count.columns
        flags = {name: pd.DataFrame(pair[0], index, columns) for name, pair in made.items()}
        numbers = {name: pd.DataFrame(pair[1], index, columns) for name, pair in made.items()}
        return cls(flags, numbers)


def _unsafe(ledger: Ledger, indicator: str, periods: Sequence[str], figure: str, rules: DisclosureSpec) -> np.ndarray:
    """Tell which counts must not be shown; bases stand behind them."""
    count, base = (ledger.column(frame, indicator, periods) for frame in (ledger.count, ledger.base))
    if figure == "base":
        return (base > 0) & (base < rules.minimum_cell)
    return np.asarray(unsafe(count, base, ledger.definitions[indicator], rules) != "")


def _unsafe_unseen(
    ledger: Ledger, indicator: str, periods: Sequence[str], figure: str, rules: DisclosureSpec | None
) -> np.ndarray:
    """Find the unsafe figures of areas that no level shows."""
    unseen = np.tile(~ledger.shown_levels, len(periods))
    return unseen & _unsafe(ledger, indicator, periods, figure, rules) if rules else np.zeros(len(unseen), dtype=bool)


def _blurred(system: System, numbers: np.ndarray, limits: tuple[np.ndarray, np.ndarray], *, summed: bool) -> System:
    """Put the limits of each true figure where its rounded one lets it lie; a sum of rounded parts tells no more."""
    total = np.zeros(len(numbers), dtype=bool)
    if summed:
        total[system.equations.indices[system.equations.data > 0]] = True
    unknown = total | np.isnan(numbers)
    lower = np.where(unknown, system.lower, np.maximum(limits[0], system.lower))
    return replace(system, lower=lower, upper=np.where(unknown, system.upper, np.maximum(limits[1], lower)))


def blurred(shown: np.ndarray, rounding: str, base: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return between what a count lies of which the rounded one is shown.

    Parameters
    ----------
    shown
        Rounded counts. A number that the rounding never gives is a true one.
    rounding
        As in :class:`~geoplan.specs.DisclosureSpec`.
    base
        The rounded bases of shares, where those not counted are rounded like those counted.

    Examples
    --------
    >>> low, high = blurred(np.array([0.0, 5.0, 8.0]), "stockholm")
    >>> low.tolist(), high.tolist()
    ([0.0, 3.0, 8.0], [2.0, 5.0, 8.0])
    >>> low, high = blurred(np.array([95.0, 80.0]), "stockholm", base=np.array([100.0, 100.0]))
    >>> low.tolist(), high.tolist()
    ([95.0, 80.0], [97.0, 80.0])
    """
    if rounding == "stockholm":
        none, few = shown == 0, shown == _STOCKHOLM_FEW
        low, high = np.select([none, few], [0.0, 3.0], shown), np.select([none, few], [2.0, 5.0], shown)
        if base is not None:
            all_, most = (base - shown == 0) & (base > 0), base - shown == _STOCKHOLM_FEW
            low = np.minimum(low, np.where(all_, base - 2.0, shown))
            high = np.maximum(high, np.where(most, base - 3.0, shown))
        return low, high
    step = STEPS[rounding]
    room = np.where(np.mod(shown, step) == 0, (step - 1.0) * (1 if base is None else 2), 0.0)
    return np.maximum(shown - room, 0.0), shown + room


def _described(
    ledger: Ledger,
    label: tuple[str, str],
    system: System,
    which: np.ndarray,
    *,
    lowest: np.ndarray,
    highest: np.ndarray,
) -> pd.DataFrame:
    areas = ledger.structure.areas.iloc[system.area[which]]
    return pd.DataFrame(
        {
            "area_id": areas["area_id"].to_numpy(),
            "level": areas["level"].to_numpy(),
            "indicator": label[0],
            "period": system.period[which],
            "figure": label[1],
            "lowest": lowest[which],
            "highest": highest[which],
            "through": "sums",
        }
    )


def _through_scores(ledger: Ledger, visible: Seen, could: Seen, scores: pd.DataFrame | None) -> pd.DataFrame:
    """Find hidden figures that are the only hidden one of a published score: the rest of the score gives them away."""
    if scores is None or scores.empty:
        return pd.DataFrame(columns=_COLUMNS)
    place = list(zip(scores["level"], scores["area_id"], strict=True))
    columns = list(zip(scores["indicator"], scores["period"], strict=True))
    rows, lines = ledger.count.index.get_indexer(place), ledger.count.columns.get_indexer(columns)
    secret = could.flags["count"].to_numpy() & ~visible.flags["count"].to_numpy()
    hidden = scores[(rows >= 0) & (lines >= 0) & secret[rows, lines]]
    alone = hidden[~hidden.duplicated(["level", "area_id", "sum"], keep=False)]
    values = [ledger.count.loc[(a.level, a.area_id), (a.indicator, a.period)] for a in alone.itertuples()]
    return alone.assign(figure="count", lowest=values, highest=values, through="index")[_COLUMNS]


def _through_same_base(ledger: Ledger, visible: Seen, could: Seen) -> pd.DataFrame:
    """Find hidden bases that another indicator of the same base shows."""
    groups: dict[tuple[str, object], list[tuple[str, str]]] = {}
    for name, period in ledger.base.columns:
        item = ledger.definitions[name]
        if item.base is not None and item.kind != "count":
            groups.setdefault((period, (item.base, item.ages)), []).append((name, period))
    found = []
    for columns in groups.values():
        values, seen, real = (
            frame[columns].to_numpy() for frame in (ledger.base, visible.flags["base"], could.flags["base"])
        )
        for place, (name, period) in enumerate(columns):
            hidden = real[:, place] & ~seen[:, place]
            open_elsewhere = (seen & (values == values[:, [place]])).any(axis=1)
            for level, area in ledger.base.index[hidden & open_elsewhere]:
                value = ledger.base.loc[(level, area), (name, period)]
                found.append((area, level, name, period, "base", value, value, "same base"))
    return pd.DataFrame(found, columns=_COLUMNS)
