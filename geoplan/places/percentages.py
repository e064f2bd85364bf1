"""Rules of the linter: published rates against the counts and the bases they stand on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from geoplan.places.findings import READABLE, Finding, Sheet, each, number, several
from geoplan.places.indicators import unit_scale

__all__ = ["from_base", "from_counts"]

_SLACK = 1e-9  # of a base: what floating numbers may lose
_SHOWN = 2  # decimals beyond those published with which a rate is told


def from_counts(sheet: Sheet) -> Iterator[Finding]:
    """Find published rates that do not follow from their counts, rounded half-up to the decimals published.

    7 of 56 is 13 %, not 12. Rates rounded half to even, cut off instead of rounded, rounded more coarsely than the rest
    of their column, or explained by the publisher's noise are notes.
    """
    rows = _with_scale(sheet)
    counts = rows["numerator"].notna() & (rows["denominator"] > 0) & (rows["kind"] != "count")
    rows = rows[rows["known"] & rows["published"].notna() & counts & rows["scale"].notna()]
    usual = rows.groupby("indicator")["decimals"].transform(lambda some: some.mode().max())
    rows = rows.assign(shown=np.maximum(usual, rows["decimals"]).astype(float))
    how = _manner(rows, rows["shown"])
    coarse = _manner(rows, rows["decimals"].astype(float)).isin(("half_up", "half_even"))
    how = how.mask((how == "other") & coarse, "coarse")
    how = how.mask(how.isin(("other", "cut")) & _within_noise(rows, sheet.noise), "noise")
    always = (how == "cut") | (_manner(rows, rows["shown"], cut_first=True) == "cut")
    how = how.mask((how == "cut") & ~always.groupby(rows["indicator"]).transform("all"), "other")
    rows = rows.assign(made=rows["numerator"] / rows["denominator"] * rows["scale"])
    yield from each(
        rows[how == "other"],
        lambda cell: (
            f"{cell.indicator} {cell.period}: {number(cell.published)} does not follow from {number(cell.numerator)} "
            f"of {number(cell.denominator)}, which makes {number(round(cell.made, int(cell.shown) + _SHOWN))}"
        ),
        expected="the rate that the counts make, rounded half-up",
        hint="correct the count, the base or the rate; geoplan makes rates from counts",
    )
    told = {
        "half_even": "rounded half to even, not half-up",
        "cut": "cut off, not rounded",
        "coarse": "rounded to fewer decimals than the rest of the column",
        "noise": "other than their counts make, as noise in the counts can explain",
    }
    for manner, words in told.items():
        text = f"{{figure}}: {{count}} rate(s) seem {words}, such as {{published:.10g}} for {{made:.6g}}"
        yield from several(rows[how == manner], text)


def _with_scale(sheet: Sheet) -> pd.DataFrame:
    """Take the scale of the unit in which the file writes a rate; a mean in another unit than ours has none."""
    scales = {}
    for name, item in sheet.definitions.items():
        other = item.published_unit is not None and item.published_unit != item.unit
        unknown = other and item.kind == "mean"
        scales[name] = np.nan if unknown else unit_scale(item.published_unit or item.unit)
    return sheet.data.assign(scale=sheet.data["indicator"].map(scales).astype(float))


def _manner(rows: pd.DataFrame, decimals: pd.Series, *, cut_first: bool = False) -> pd.Series:
    """Say how each published rate comes from its counts: half_up, half_even, cut or other.

    With v the published number in units of its last decimal, and top / base what the counts make in the same unit,
    half-up means ``-base ≤ 2·(top - v·base) < base``: whole numbers, so no half is lost to floating arithmetic.
    """
    power, base = 10.0**decimals, rows["denominator"]
    top, v = rows["numerator"] * rows["scale"] * power, (rows["published"] * power).round()
    twice, slack = 2 * (top - v * base), _SLACK * (base + top.abs() * _SLACK)
    half_up = (twice >= -base - slack) & (twice < base - slack)
    half_even = ((twice - base).abs() <= slack) & (v % 2 == 0)
    cut = (twice >= -slack) & (twice < 2 * base - slack)
    choice = [(cut, "cut"), (half_up, "half_up"), (half_even, "half_even")]
    ordered = choice if cut_first else [*choice[1:], choice[0]]
    return pd.Series(np.select([test for test, _ in ordered], [name for _, name in ordered], "other"), rows.index)


def _within_noise(rows: pd.DataFrame, noise: float) -> pd.Series:
    """Tell where the rate lies between the lowest and the highest that the counts before the noise can make."""
    half = 0.5 * 10.0 ** -rows["shown"] * (1 + _SLACK)
    low = (rows["numerator"] - noise) / (rows["denominator"] + noise) * rows["scale"] - half
    least = (rows["denominator"] - noise).clip(lower=1)
    high = (rows["numerator"] + noise) / least * rows["scale"] + half
    return rows["published"].between(low, high) & (noise > 0)


def from_base(sheet: Sheet) -> Iterator[Finding]:
    """Find published shares that no whole number of their base can make: 12.3 % of 8.

    A share of a weighted survey need not come from a whole number, so this is a note.
    """
    rows = _with_scale(sheet)
    base = rows["denominator"]
    judged = rows["known"] & (rows["kind"] == "share") & rows["numerator"].isna() & rows["published"].notna()
    judged &= (base > 0) & (base == base.round()) & (rows["decimals"] <= READABLE)
    if sheet.noise:
        judged &= base > np.inf  # the base that the share was made from is not the one published
    rows = rows[judged]
    nearest = rows["published"] * rows["denominator"] / rows["scale"]
    made = pd.Series(False, index=rows.index)  # noqa: FBT003  pandas' own signature
    for count in (np.floor(nearest), np.ceil(nearest)):
        tried = _manner(rows.assign(numerator=count), rows["decimals"].astype(float))
        made |= (tried != "other").to_numpy()
    text = "{figure}: {count} share(s) cannot come from their base, such as {published:.10g} of {denominator:,.10g}"
    yield from several(rows[~made], text)
