"""Does a grant by performance reward noise? The same rule, paid out on counts in which nothing has changed.

Counts of some hundred people vary from year to year by themselves. Whoever pays for changes pays for that too, and
always in full: the money is divided whether anything changed or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import IndicatorTable, unit_scale
from geoplan.risk.uncertainty import of_100
from geoplan.specs.grants import PerformanceGrantSpec
from geoplan.targeting.amounts import areas_of, caller, said
from geoplan.targeting.grants import PerformanceGrants, grants_by_performance
from geoplan.targeting.improvements import Improvements, improvements_of

__all__ = ["GrantNoise", "grant_noise"]

_NOTABLE = 0.05
_DUST = 1e-3  # kr


@dataclass(frozen=True)
class GrantNoise:
    r"""How much of a grant by performance may be owed to chance.

    In each draw no area's underlying rate has changed: both years' counts come from the area's rate of both years
    together, and are paid out by the rule. Money is what lies beyond the guaranteed part.

    Attributes
    ----------
    chance_share
        Up to which share of the money is paid for chance; NaN where no indicator has counts. With :math:`x_{ia}` what
        counts of an area's change (times its factor), :math:`x^0` the same in a draw, and :math:`B_i` the pot,

        .. math::

            \frac{\sum_i B_i \min(1, \kappa_i)}{\sum_i B_i}, \qquad
            \kappa_i = \frac{E \sum_a x^0_{ia}}{\sum_a x_{ia}}

        over the indicators with counts, and in each over the areas with counts. :math:`\kappa` is the improvement that
        there would be to pay for if nothing had changed, over the improvement that was paid for. As
        :math:`\max(\delta + \varepsilon, 0) \le \max(\delta, 0) + \max(\varepsilon, 0)`, chance adds on average no more
        to a true improvement :math:`\delta` than it makes out of none: :math:`\kappa` is an upper bound as far as the
        noise :math:`\varepsilon` is as drawn, and reached where nothing changed. It is itself estimated, from one pair
        of years.
    p_improved
        Share of the draws in which chance alone shows at least as much improvement, :math:`\sum_i B_i \sum_a x^0_{ia} /
        \sum_a x_{ia} \ge \sum_i B_i`; NaN where no indicator has counts.
    moved, moved_by_chance, moved_low, moved_high
        Which share of the money lies elsewhere than it would on average if nothing had changed,
        :math:`\frac12 \sum_a |p_a - \bar p^0_a| / B`: as paid; in the mean draw; and the range that holds ``level`` of
        the draws. This is how much of a lottery the rule is in a year without change. It is no test of whether there
        was one: areas that all improve alike are paid alike.
    table
        Index ``area_id``. Columns ``performance`` (int64, kr; as paid, beyond the guaranteed), ``expected``, ``low``,
        ``high`` (float, kr; what chance alone earns at the prices paid, :math:`\sum_i B_i x^0_{ia} / \sum_b x_{ib}`: in
        the mean draw, and the range that holds ``level`` of the draws), ``p_as_much`` (share of the draws in which that
        is at least what the area's improvements earned; NaN where it has no counts).
    indicators
        Index ``indicator``. Columns ``pot`` (int64, kr), ``counts`` (float; what counted, of areas with counts),
        ``by_chance`` (float; the same in the mean draw), ``chance_share`` (float; their ratio, at most 1; 0 where
        nobody improved, for then the pot is divided equally; NaN without counts), ``with_counts`` (int64; number of
        areas).
    without_noise
        Indicator → number of areas with a change but no counts of single years; it is as it was in every draw.
    warn
        Whether ``chance_share`` is above ``warn_above``.
    draws, level, warn_above, seed
        As asked.
    conventions
        What was drawn how.
    drawn
        Areas × draws, in the order of ``table``: what the rule pays where nothing changed, in kr.
    """

    chance_share: float
    p_improved: float
    moved: float
    moved_by_chance: float
    moved_low: float
    moved_high: float
    table: pd.DataFrame
    indicators: pd.DataFrame
    without_noise: Mapping[str, int]
    warn: bool
    draws: int
    level: float
    warn_above: float
    seed: int
    conventions: Mapping[str, str]
    drawn: np.ndarray = field(repr=False)

    @property
    def with_noise(self) -> bool:
        """Whether any figure that is paid for has counts, so that something can be said of chance."""
        return bool(np.isfinite(self.chance_share))

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Say it in sentences; ``names`` maps a code to a name, such as ``areas["name"]``."""
        called = caller(names)
        money = int(self.table["performance"].sum())
        text = []
        if self.with_noise:
            counted = int(self.indicators["pot"][self.indicators["with_counts"] > 0].sum())
            head = "Warning: this payment rewards noise. " if self.warn else ""
            of = f"{said(counted)} beyond the guaranteed" + (" whose figures have counts" if counted < money else "")
            known = self.indicators[self.indicators["with_counts"] > 0]
            each = ", ".join(f"{share:.0%} of {name}" for name, share in known["chance_share"].items())
            text.append(
                f"{head}Up to {self.chance_share:.0%} of the {of} ({said(self.chance_share * counted)}) is paid for "
                f"chance: with the same underlying rates in both years there would be as much improvement as {each}. "
                f"There is as much in all in {of_100(self.p_improved)} draws."
            )
        else:
            text.append("Nothing can be said of chance: no figure that is paid for has counts of single years.")
        without = [
            f"{name} has no counts in {areas_of(many)}: their changes are as they were in every draw."
            for name, many in self.without_noise.items()
        ]
        if not self.with_noise:
            return text + without
        text.append(
            f"If nothing had changed anywhere, the rule would still pay {said(money)}, and chance alone would move "
            f"{self.moved_by_chance:.0%} of it between areas ({self.moved_low:.0%} to {self.moved_high:.0%} in "
            f"{self.level:.0%} of {self.draws:,} draws); as paid, {self.moved:.0%} lies elsewhere."
        )
        text += without
        clear = [called(code) for code in self.table.index[self.table["p_as_much"] <= _NOTABLE]]
        many = f"{len(clear)} of {areas_of(len(self.table))}"
        text.append(
            f"{many} improved more than by chance alone in {1 - _NOTABLE:.0%} of the draws, where chance alone "
            f"would let about {_NOTABLE * len(self.table):.1f} do so{': ' + checks.listed(clear) if clear else ''}."
        )
        return text


def grant_noise(
    table: IndicatorTable,
    spec: PerformanceGrantSpec,
    *,
    payment_year: int,
    area_ids: Iterable[str] | None = None,
    draws: int = 2000,
    level: float = 0.9,
    warn_above: float = 0.25,
    seed: int = 1,
) -> GrantNoise:
    r"""Say how much of a grant by performance may be owed to chance, by paying it out where nothing changed.

    For each indicator and area with the counts :math:`y_0, y_1` of :math:`n_0, n_1` both years are drawn anew from
    :math:`\hat\theta = (y_0 + y_1)/(n_0 + n_1)`: binomial for shares, Poisson with mean :math:`n\hat\theta` for rates
    and counts. The rule then pays on the drawn changes, without rounding to kronor. Areas without a known change have
    none; means, figures without counts, and figures of several years together (``mean_years``), two of which share
    years, stay as they are in every draw. Indicators are drawn independently. Events that come in series, and people
    who move in and out, vary more than is drawn.

    Parameters
    ----------
    table, spec, payment_year, area_ids
        As of :func:`~geoplan.targeting.grants.grants_by_performance`.
    draws
        How many.
    level
        Share of the draws that a range holds.
    warn_above
        Warn from which share of the money that may be paid for chance; the usual quarter is a judgement.
    seed
        The same seed gives the same draws, in whatever order areas and indicators stand.

    Returns
    -------
    GrantNoise

    Raises
    ------
    SpecError
        When a number is out of its range; else as ``grants_by_performance``.
    TableError
        When a share has more cases than its base; else as ``grants_by_performance``.
    IdError
        As ``grants_by_performance``.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> spec = PerformanceGrantSpec.model_validate(
    ...     {"kind": "performance", "envelope": 10, "unit": "Mkr", "guaranteed": 0.1, "lag": 1,
    ...      "indicators": [{"indicator": "outside_work_18_64"}]})
    >>> table = open_run("scenarios/fjordbo.toml").indicators()
    >>> noise = grant_noise(table, spec, payment_year=2013, draws=500)
    >>> noise.table.shape, bool(0 < noise.chance_share <= 1)
    ((14, 5), True)
    """
    _check_numbers(draws=draws, level=level, warn_above=warn_above, seed=seed)
    ids = None if area_ids is None else list(area_ids)
    paid = grants_by_performance(table, spec, payment_year=payment_year, area_ids=ids)
    found = improvements_of(table, spec, payment_year=payment_year, area_ids=ids)
    counts = _counts(table, found, sorted(paid.pots.index))
    factors = paid.table["factor"].to_numpy()[:, None]
    shape = (len(paid.table), draws)
    tally = _Tally(np.zeros(shape), np.zeros(shape), np.zeros(shape[0]), np.zeros(draws))
    rows, without = {}, {}
    for number, (name, cells) in enumerate(sorted(counts.items())):
        seen = np.array([float(found.weight(name, area)) for area in found.area_ids])
        rng = np.random.default_rng((seed, number))
        weight = np.where(cells.counted[:, None], factors * _improved(cells, spec.measure, draws, rng), seen[:, None])
        pot = int(paid.pots.loc[name, "pot"])
        tally.paid += pot * _shares_of(weight)
        mean, own = float(weight[cells.counted].sum(axis=0).mean()), float(seen[cells.counted].sum())
        if seen.any():
            tally.earned += pot * weight / seen.sum()
            tally.own += pot * seen / seen.sum()
        if cells.counted.any():
            tally.improved += pot * (weight[cells.counted].sum(axis=0) / own if own > 0 else 0.0)
        share = (min(1.0, mean / own) if own > 0 else 0.0) if cells.counted.any() else float("nan")
        rows[name] = (pot, own, mean, share, int(cells.counted.sum()))
        if cells.bare:
            without[name] = cells.bare
    counted = np.any([cells.counted for cells in counts.values()], axis=0)
    frame = pd.DataFrame.from_dict(
        rows, orient="index", columns=["pot", "counts", "by_chance", "chance_share", "with_counts"]
    ).loc[list(paid.pots.index)]
    asked = {"draws": draws, "level": level, "warn_above": warn_above, "seed": seed}
    return _told(paid, tally, counted, frame.rename_axis("indicator"), without, asked)


@dataclass
class _Tally:
    """What the draws add up to, over the indicators."""

    paid: np.ndarray  # areas × draws, kr: by the rule
    earned: np.ndarray  # areas × draws, kr: at the prices paid
    own: np.ndarray  # areas, kr: what the areas' improvements earned
    improved: np.ndarray  # draws, kr: all improvement in areas with counts, at the prices paid


def _check_numbers(*, draws: int, level: float, warn_above: float, seed: int) -> None:
    faults = Faults()
    for key, value, fits, expected in (
        ("draws", draws, isinstance(draws, int) and draws >= 1, "a whole number from 1"),
        ("level", level, 0 < level < 1, "a number between 0 and 1"),
        ("warn_above", warn_above, 0 <= warn_above <= 1, "a number from 0 to 1"),
        ("seed", seed, isinstance(seed, int) and seed >= 0, "a whole number from 0"),
    ):
        if not fits:
            faults.add(SpecError(Fault(what=f"{value} does not fit", key=key, expected=expected)))
    faults.raise_any()


@dataclass(frozen=True)
class _Cells:
    """The counts of one indicator: cases and base of both years, where they are known."""

    cases: np.ndarray  # areas × 2
    base: np.ndarray
    counted: np.ndarray  # which areas are drawn
    bare: int  # number of areas with a change but no counts
    kind: str
    scale: float
    better: float


def _counts(table: IndicatorTable, found: Improvements, names: list[str]) -> dict[str, _Cells]:
    faults = Faults()
    rows = table.data[table.data["indicator"].isin(names) & table.data["period"].isin(found.periods)]
    made = {}
    for name in names:
        item = table.definitions[name]
        own = rows[rows["indicator"] == name]
        cases, base = (
            own.pivot(index="area_id", columns="period", values=column)
            .reindex(index=list(found.area_ids), columns=list(found.periods))
            .to_numpy(dtype=float)
            for column in ("numerator", "denominator")
        )
        if item.kind == "count":
            value = own.pivot(index="area_id", columns="period", values="value")
            value = value.reindex(index=list(found.area_ids), columns=list(found.periods)).to_numpy(dtype=float)
            cases, base = np.where(np.isnan(cases), value, cases), np.ones_like(cases)
        known = np.array([found.changes[name, area] is not None for area in found.area_ids])
        single = item.kind != "mean" and item.mean_years == 1
        counted = known & single & (np.isfinite(cases) & (base > 0)).all(axis=1)
        if item.kind == "share":
            for place in np.flatnonzero(counted & (cases > base).any(axis=1)):
                what = f"{name} has more cases than its base"
                faults.add(TableError(Fault(what=what, area=found.area_ids[place], expected="a part of the base")))
        better = 1.0 if item.direction == "higher_is_better" else -1.0
        made[name] = _Cells(
            cases, base, counted, int((known & ~counted).sum()), item.kind, unit_scale(item.unit), better
        )
    faults.raise_any()
    return made


def _improved(cells: _Cells, measure: str, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return areas × draws: improvements where nothing has changed; zero where nothing is drawn."""
    use = cells.counted
    base = np.where(use[:, None], cells.base, 1.0)
    rate = np.where(use, np.where(use[:, None], cells.cases, 0.0).sum(axis=1) / base.sum(axis=1), 0.0)
    years = []
    for year in (0, 1):
        size, chance = base[:, year][:, None], rate[:, None]
        if cells.kind == "share":
            many = np.rint(size).astype("int64")
            # A base that was divided between boundaries is no whole number, and at least somebody.
            drawn = rng.binomial(np.maximum(many, 1), np.minimum(chance, 1.0), (len(use), draws)) / np.maximum(many, 1)
        else:
            drawn = rng.poisson(size * chance, (len(use), draws)) / size
        years.append(drawn)
    change = cells.better * (years[1] - years[0])
    if measure == "relative":
        # From zero there is no relative change, as in the payment itself.
        change = np.divide(change, years[0], out=np.zeros_like(change), where=years[0] > 0)
    elif measure == "persons" and cells.kind != "count":
        change *= base[:, [0]]
    else:
        change *= cells.scale
    better: np.ndarray = np.maximum(change, 0.0)
    return better


def _shares_of(weight: np.ndarray) -> np.ndarray:
    """Return each area's share of a pot in each draw; equal parts where nobody improved."""
    total = weight.sum(axis=0)
    shares = np.full(weight.shape, 1 / len(weight))
    np.divide(weight, total, out=shares, where=total > 0)
    return shares


def _told(
    paid: PerformanceGrants,
    tally: _Tally,
    counted: np.ndarray,
    indicators: pd.DataFrame,
    without: Mapping[str, int],
    asked: Mapping[str, float],
) -> GrantNoise:
    own = paid.table["performance"].to_numpy()
    money, expected = max(int(own.sum()), 1), tally.paid.mean(axis=1)
    tails = [(1 - asked["level"]) / 2, (1 + asked["level"]) / 2]
    by_draw = 0.5 * np.abs(tally.paid - expected[:, None]).sum(axis=0) / money
    low, high = np.quantile(tally.earned, tails, axis=1)
    table = pd.DataFrame({"performance": own}, index=paid.table.index)
    table["expected"], table["low"], table["high"] = tally.earned.mean(axis=1), low, high
    # A part of a krona is no difference.
    table["p_as_much"] = np.where(counted, (tally.earned >= tally.own[:, None] - _DUST).mean(axis=1), np.nan)
    known = indicators[indicators["with_counts"] > 0]
    pots, priced = known["pot"].sum(), known["pot"][known["counts"] > 0].sum()
    share = float((known["pot"] * known["chance_share"]).sum() / pots) if pots else float("nan")
    return GrantNoise(
        chance_share=share,
        p_improved=float((tally.improved >= priced - _DUST).mean()) if pots else float("nan"),
        moved=float(0.5 * np.abs(own - expected).sum() / money),
        moved_by_chance=float(by_draw.mean()),
        moved_low=float(np.quantile(by_draw, tails[0])),
        moved_high=float(np.quantile(by_draw, tails[1])),
        table=table,
        indicators=indicators,
        without_noise=dict(without),
        warn=share > asked["warn_above"],
        draws=int(asked["draws"]),
        level=asked["level"],
        warn_above=asked["warn_above"],
        seed=int(asked["seed"]),
        conventions={
            "rates": "each area's rate of both years together, the same in both",
            "counts": "binomial for shares, Poisson for rates and counts; independent between indicators",
            "not_drawn": "means, figures without counts, figures of several years together: as they were",
            "payment": "by the rule, without rounding to kronor",
        },
        drawn=tally.paid,
    )
