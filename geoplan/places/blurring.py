"""Rounding counts so that a few people cannot be told from none, and what rounded counts still tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from geoplan.places.attacks import STEPS
from geoplan.places.indicators import KNOWN, unit_scale
from geoplan.places.patterns import chance
from geoplan.specs import DisclosureSpec, IndicatorSpec

__all__ = ["round_counts", "round_rows", "summed_years", "without_small"]


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
    luck = [chance(f"{seed}|{key}|{value:g}") for key, value in zip(keys, values, strict=True)]
    return down + step * (np.asarray(luck) < (values - down) / step)


def round_rows(
    rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], rules: DisclosureSpec, seed: int
) -> pd.DataFrame:
    """Round counts and bases, and make rates anew from them.

    A rate given without counts keeps its value and is not protected by rounding.
    """
    kind = rows["indicator"].map({name: item.kind for name, item in definitions.items()})
    keys = (rows["area_id"] + "|" + rows["period"]).tolist()
    result = rows.copy()
    bottom = round_counts(rows["denominator"], rules.rounding, keys=keys, seed=seed)
    top = round_counts(rows["numerator"], rules.rounding, keys=keys, seed=seed)
    if rules.complement:  # the few who are not counted are rounded as the few who are
        left = rows["denominator"] - rows["numerator"]
        few = (kind == "share") & (left > 0) & (left < rules.minimum_cell) & (rows["numerator"] >= rules.minimum_cell)
        top = top.mask(few, bottom - round_counts(left, rules.rounding, keys=keys, seed=seed))
    top = top.mask((kind == "share") & (top > bottom), bottom).clip(lower=0)
    result["numerator"], result["denominator"] = top.where(kind != "mean"), bottom
    made = rates(result, definitions)
    result["value"] = made.where(top.notna() & (kind != "mean"), rows["value"])
    return result


def without_small(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], minimum_base: int) -> pd.DataFrame:
    """Hide rates on a small base, and on one that was rounded away."""
    counts = rows["indicator"].map({name: item.kind == "count" for name, item in definitions.items()}).astype(bool)
    base = rows["denominator"]
    small = rows["status"].isin(KNOWN) & ~counts & ((base < minimum_base) | (base == 0))
    result = rows.copy()
    result.loc[small, ["numerator", "value"]] = np.nan
    result.loc[small, "status"] = "suppressed"
    return result


def rates(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> pd.Series:
    """Return the values that follow from numerators and denominators."""
    scale = rows["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    counts = rows["indicator"].map({name: item.kind == "count" for name, item in definitions.items()}).astype(bool)
    made = rows["numerator"] / rows["denominator"].where(rows["denominator"] != 0) * scale
    return made.mask(counts, rows["numerator"])


def summed_years(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], rules: DisclosureSpec) -> pd.DataFrame:
    """Make each period that sums others the sum of the rounded ones: rounded for itself it would tell more."""
    rows = rows.copy()
    for period, years in rules.year_sums.items():
        parts = rows[rows["period"].isin(years)].groupby(["area_id", "indicator"])
        sums = parts[["numerator", "denominator"]].sum(min_count=len(years))
        own = rows.index[rows["period"] == period]
        keys = pd.MultiIndex.from_frame(rows.loc[own, ["area_id", "indicator"]])
        for column in ("numerator", "denominator"):
            given = rows.loc[own, column].notna()
            rows.loc[own, column] = np.where(given, sums[column].reindex(keys).to_numpy(), np.nan)
        made = rates(rows.loc[own], definitions)
        rows.loc[own, "value"] = made.where(rows.loc[own, "numerator"].notna(), rows.loc[own, "value"])
    return rows
