"""People in need, counted in the smallest areas there are: what is known, what is hidden, and how many that may be.

A hidden count is never zero. It is something from nobody to everybody whom it could hold, so that each sum has a lowest
and a highest value, and in between an estimate: as many as among the known neighbours in the same area.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.places import KNOWN, IndicatorTable, unit_scale
from geoplan.specs import IndicatorSpec

__all__ = ["Needs", "added", "completeness_of", "efficiency_of", "needs_of", "tail_of"]

_EMPTY = "not_applicable"
_SUMS = ["residents", "base", "base_low", "base_high", "need", "low", "high"]


@dataclass(frozen=True)
class Needs:
    """People in need, unit by unit; a unit is one of the smallest areas that the table was made from.

    Attributes
    ----------
    units
        Index: code of the unit. ``residents``, ``base`` (those who could be in need), ``base_low``, ``base_high``,
        ``need`` (an estimate where hidden), ``low``, ``high`` (float); ``known`` (bool), ``status``, ``reason`` (text),
        ``area`` (the first one it lies in).
    pairs
        ``unit``, ``area``: one row for each area that a unit lies in.
    item
        The definition of the indicator.
    complement
        Whether those are counted whom the indicator does not count, since it is better when higher.
    period
        The period.
    """

    units: pd.DataFrame
    pairs: pd.DataFrame
    item: IndicatorSpec
    complement: bool
    period: str

    def inside(self, areas: Iterable[str]) -> pd.Series:
        """Tell which units lie in any of some areas."""
        codes = self.pairs.loc[self.pairs["area"].isin(set(areas)), "unit"]
        return pd.Series(self.units.index.isin(codes), index=self.units.index)


def needs_of(
    table: IndicatorTable,
    need: str,
    *,
    period: str,
    population: str = "population",
    hidden_at_most: int | None = None,
) -> Needs:
    """Count people in need in the smallest areas of a table.

    Parameters
    ----------
    table
        The indicators of the areas.
    need
        A share with counts, or a count; of a share that is better when higher those are counted who are not in it.
    period
        The period.
    population
        The indicator that counts residents.
    hidden_at_most
        A count that is suppressed is no larger than this, such as 4 where counts below 5 are hidden.

    Raises
    ------
    SpecError
        When the table lacks the indicators or the period, or the indicator does not count people.

    Examples
    --------
    Of 40 people in *b* nobody knows how many are poor; a tenth of those in *a* are:

    >>> rows = [("a", "poor", 10.0, 100.0, "observed"), ("b", "poor", None, 40.0, "suppressed"),
    ...         ("a", "population", 150.0, None, "observed"), ("b", "population", 60.0, None, "observed")]
    >>> data = pd.DataFrame(rows, columns=["area_id", "indicator", "numerator", "denominator", "status"])
    >>> data = data.assign(period="2012", value=[10.0, None, 150.0, 60.0])
    >>> items = {name: IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=way) for name, kind, unit, way
    ...          in [("poor", "share", "pct", "higher_is_worse"), ("population", "count", "persons", "neutral")]}
    >>> needs_of(IndicatorTable(data, items), "poor", period="2012").units[["need", "low", "high"]].values.tolist()
    [[10.0, 10.0, 10.0], [4.0, 0.0, 40.0]]
    """
    item = _countable(table, need, period)
    rows = table.finest[table.finest["period"] == period]
    units, pairs = _places(table, rows[rows["indicator"].isin([need, population])])
    people = rows[rows["indicator"] == population].drop_duplicates("area_id").set_index("area_id")
    if people.empty:
        raise checks.unknown_name(
            "indicator of the table", population, sorted(set(rows["indicator"])), key="population"
        )
    residents = people["value"].where(people["status"].isin(KNOWN)).reindex(units)
    own = rows[rows["indicator"] == need].drop_duplicates("area_id").set_index("area_id").reindex(units)
    found = _counted(own, item, residents.astype(float))
    first = pairs.drop_duplicates("unit").set_index("unit")["area"]
    found["area"] = first.reindex(units)
    filled = _filled(found, hidden_at_most)
    return Needs(filled, pairs, item, item.direction == "higher_is_better", period)


def _countable(table: IndicatorTable, need: str, period: str) -> IndicatorSpec:
    """Make sure that an indicator counts people."""
    if need not in table.definitions or not (table.data["indicator"] == need).any():
        present = sorted(set(table.data["indicator"]) & set(table.definitions))
        raise checks.unknown_name("indicator of the table", need, present, key="need")
    if period not in table.periods():
        raise checks.unknown_name("period of the table", period, table.periods(), key="period")
    item = table.definitions[need]
    if item.kind not in {"share", "count"}:
        what = f"'{need}' is a {item.kind}: it does not say how many people are in need"
        raise SpecError(Fault(what=what, key="need", expected="a share with counts, or a count of people"))
    if item.kind == "count" and item.direction == "higher_is_better":
        what = f"'{need}' counts people who are well off"
        raise SpecError(Fault(what=what, key="need", expected="a count of people in need, or a share"))
    return item


def _places(table: IndicatorTable, rows: pd.DataFrame) -> tuple[pd.Index, pd.DataFrame]:
    """Return the units, and the areas that they lie in; an area of which the period knows nothing is its own unit."""
    pairs = rows[["area_id", "parent"]].drop_duplicates().set_axis(["unit", "area"], axis=1)
    lacking = sorted(set(table.data["area_id"]) - set(pairs["area"]))
    pairs = pd.concat([pairs, pd.DataFrame({"unit": lacking, "area": lacking})], ignore_index=True).astype(object)
    pairs = pairs.sort_values(["unit", "area"], ignore_index=True)
    return pd.Index(pairs["unit"].unique(), name="area_id", dtype=object), pairs


def _counted(own: pd.DataFrame, item: IndicatorSpec, residents: pd.Series) -> pd.DataFrame:
    """Take what is known of each unit."""
    status = own["status"].astype(object).where(own["status"].notna(), "not_collected")
    there = status.isin(KNOWN)
    if item.kind == "count":
        base, count = residents, own["numerator"].fillna(own["value"])
    else:
        base = own["denominator"].astype(float)
        made = own["value"] * base / unit_scale(item.unit)
        status = status.where(~there | own["numerator"].notna(), "estimated")
        count = own["numerator"].fillna(made)
        count = base - count if item.direction == "higher_is_better" else count
    empty = status == _EMPTY
    count = count.astype(float).where(there).mask(empty, 0.0)
    base = base.astype(float).mask(empty, 0.0)
    known = count.notna() & base.notna()
    reason = own["reason"].astype(object) if "reason" in own else pd.Series("", index=own.index, dtype=object)
    reason = reason.where(reason.notna(), "").mask(there & ~known, "no_counts")
    return pd.DataFrame(
        {"residents": residents, "base": base, "need": count.where(known), "known": known, "status": status,
         "reason": reason}
    )  # fmt: skip


def _filled(found: pd.DataFrame, hidden_at_most: int | None) -> pd.DataFrame:
    """Give what is hidden a lowest and a highest number, and an estimate between them."""
    if hidden_at_most is not None and hidden_at_most < 0:
        what = f"a hidden count of at most {hidden_at_most}"
        raise SpecError(Fault(what=what, key="hidden_at_most", expected="a whole number, 0 or more"))
    known, base, residents = found["known"], found["base"], found["residents"]
    most = base.fillna(residents).fillna(math.inf)
    if hidden_at_most is not None:
        most = most.where(found["status"] != "suppressed", most.clip(upper=hidden_at_most))
    found["low"] = found["need"].where(known, 0.0)
    found["high"] = found["need"].where(known, most)
    found["base_low"] = base.fillna(most.replace(math.inf, 0.0))
    found["base_high"] = base.fillna(residents).fillna(math.inf)
    with_base = known & base.notna() & (residents > 0)
    part = base[with_base].sum() / residents[with_base].sum() if with_base.any() else math.nan
    found["base"] = base.fillna(residents * part)
    sums = found[known].groupby("area")[["need", "base"]].sum()
    of_area = (sums["need"] / sums["base"].where(sums["base"] > 0)).reindex(found["area"]).to_numpy()
    whole = sums["need"].sum() / sums["base"].sum() if sums["base"].sum() > 0 else math.nan
    guess = found["base"] * np.where(np.isnan(of_area), whole, of_area)
    found["need"] = found["need"].where(known, guess.clip(found["low"], found["high"]))
    return found


# ---------------------------------------------------------------- sums and shares


def added(units: pd.DataFrame, rows: pd.Series) -> dict[str, float]:
    """Add up some of the units; what nobody can even estimate is left out of the estimate, and counts as missing."""
    own = units[rows]
    return {
        "units": float(len(own)),
        **{name: float(own[name].sum()) for name in _SUMS},
        "missing": float((~own["known"]).sum()),
    }


def ratio(part: float, whole: float) -> float:
    """Return a share from 0 to 1, whatever is boundless; NaN of nothing.

    Examples
    --------
    >>> ratio(1.0, 4.0), ratio(1.0, math.inf), ratio(math.inf, math.inf)
    (0.25, 0.0, 1.0)
    """
    if math.isinf(part):
        return 1.0
    return min(part / whole, 1.0) if whole > 0 else math.nan


def completeness_of(inside: dict[str, float], outside: dict[str, float]) -> tuple[float, float, float]:
    """Return which share of all in need is inside: the estimate, the lowest and the highest that may be."""
    return (
        ratio(inside["need"], inside["need"] + outside["need"]),
        ratio(inside["low"], inside["low"] + outside["high"]),
        ratio(inside["high"], inside["high"] + outside["low"]),
    )


def efficiency_of(inside: dict[str, float], per: str) -> tuple[float, float, float]:
    """Return which share of those inside is in need: the estimate, the lowest and the highest that may be."""
    bases = ("residents",) * 3 if per == "residents" else ("base", "base_high", "base_low")
    return (
        ratio(inside["need"], inside[bases[0]]),
        ratio(inside["low"], inside[bases[1]]),
        ratio(inside["high"], inside[bases[2]]),
    )


def tail_of(count: np.ndarray, base: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    r"""Return how likely so many or more would be by chance, if each of the base were in need with this probability.

    It is the upper tail of the binomial, :math:`P(X \ge y) = I_p(y, n - y + 1)`, exact for whole counts.

    Examples
    --------
    >>> tail_of(np.array([2.0]), np.array([2.0]), 0.5).tolist()
    [0.25]
    """
    y, n = np.asarray(count, dtype=float), np.asarray(base, dtype=float)
    tail = betainc(np.where(y > 0, y, 1.0), np.maximum(n - y, 0.0) + 1.0, share)
    return np.asarray(np.where(y > 0, tail, 1.0))
