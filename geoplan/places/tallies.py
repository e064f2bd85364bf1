"""Rules of the linter: what must add up. Totals, stated counts, shares of a hundred, parts of a whole, two levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.places.findings import KEYS, Finding, Sheet, each, fault, note, number, row_of
from geoplan.places.indicators import IndicatorTable, roll_up
from geoplan.specs import NoiseSpec, SumSpec

__all__ = ["levels", "parts_of_whole", "shares_of_hundred", "stated_counts", "totals_tally"]

_BASE = ".denominator"
_COLUMNS = {"numerator": "counts", "denominator": "bases"}
_EXACT = 1e-9  # of a sum: what adding up floating numbers may lose
_SIGMAS = 6.0
_LEAST_BAND = 2.0  # published shares of 98 to 102 whole per cent are a hundred, however few their parts


def totals_tally(sheet: Sheet) -> Iterator[Finding]:
    """Find where the areas do not add up to the total that the file states (`total_row`).

    Counts and bases, by indicator and period. Where areas are hidden or missing the others must not exceed the total,
    and the part that is hidden is told.
    """
    if sheet.totals is None:
        return
    if sheet.layer.total_row is not None and sheet.totals.empty:
        named = [sheet.layer.total_row] if isinstance(sheet.layer.total_row, str) else sheet.layer.total_row
        hint = checks.did_you_mean(named[0], sheet.data["area_id"].unique()) if len(named) == 1 else None
        yield fault(f"no row of the file has the code {checks.listed(named)}", key="total_row", hint=hint)
    for column, words in _COLUMNS.items():
        sums = _sums(sheet, column)
        compared = sheet.totals[["indicator", "period", column]].merge(sums, on=["indicator", "period"])
        compared = compared.rename(columns={column: "stated"})
        yield from _compared(sheet, compared[compared["stated"].notna()], words, "the total in the file", {})


def stated_counts(sheet: Sheet) -> Iterator[Finding]:
    """Find where the file lists another number of areas (`stated_areas`), or other sums (`stated_sum`), than stated."""
    areas = sheet.data["area_id"].nunique()
    said = sheet.layer.stated_areas
    if said is not None and areas != said:
        listed = f"{number(areas)} area{' is' if areas == 1 else 's are'} listed"
        yield fault(
            f"{listed}, the publisher states {number(said)}",
            key="stated_areas",
            hint="look for rows that were cut off or listed twice, or for another vintage",
        )
    for name, total in sheet.layer.stated_sum.items():
        yield from _undefined(sheet, [name], "stated_sum")
        indicator, column = _split(name)
        sums = _sums(sheet, column)
        own = sums[sums["indicator"] == indicator]
        latest = own[own["period"] == own["period"].max()].assign(stated=total)
        yield from _compared(sheet, latest, _COLUMNS[column], "the sum stated", {"key": f"stated_sum.{name}"})


def _sums(sheet: Sheet, column: str) -> pd.DataFrame:
    """Add up a column by indicator and period: ``sum``, ``areas`` with a figure, ``missing`` without one."""
    rows = sheet.data
    figures = rows[column].where(rows["known"])
    lacking = figures.isna() & (rows["status"] != "not_applicable")
    by = [rows["indicator"], rows["period"]]
    found = pd.DataFrame({"sum": figures, "areas": figures.notna(), "missing": lacking}).groupby(by).sum()
    return found[found["areas"] > 0].reset_index()


def _compared(sheet: Sheet, rows: pd.DataFrame, words: str, against: str, where: dict[str, str]) -> Iterator[Finding]:
    """Word what differs between sums and stated totals: faults, then a note each on noise and on what is hidden."""
    rows = rows.assign(difference=rows["sum"] - rows["stated"])
    base = _BASE if words == _COLUMNS["denominator"] else ""
    noisy = rows["indicator"].map(lambda name: _noise(sheet, [name + base])).astype(float)
    band = _EXACT * rows["stated"].abs() + _spread(noisy, rows["areas"] + 1)
    whole = rows["missing"] == 0
    wrong = (rows["difference"] > band) | (whole & (rows["difference"] < -band))
    for cell in rows[wrong].itertuples():
        lacking = f"; {number(cell.missing)} more are hidden or missing" if cell.missing else ""
        yield fault(
            f"{cell.indicator} {cell.period}: the {words} of {number(cell.areas)} areas add up to {number(cell.sum)}"
            f"{lacking}, {against} is {number(cell.stated)} (difference {cell.difference:+,.10g})",
            **where,
        )
    exact = rows["difference"].abs() <= _EXACT * rows["stated"].abs()
    for cell in _largest(rows[whole & ~wrong & ~exact]):
        yield note(
            f"{cell.indicator}: the {words} and {against} differ by at most {number(abs(cell.difference))} "
            f"({cell.period}), which {_explained(sheet.layer.noise)}",
            **where,
        )
    for cell in _largest(rows[~whole & ~wrong]):
        part = -cell.difference / cell.stated if cell.stated else 0.0
        yield note(
            f"{cell.indicator}: {number(cell.missing)} areas without a figure hide {max(part, 0):.1%} of {against} "
            f"({cell.period}: {words} of {number(cell.sum)} of {number(cell.stated)})",
            **where,
        )


def _largest(rows: pd.DataFrame) -> Iterator[Any]:
    """Return the row with the largest difference of each indicator."""
    order = rows.assign(size=rows["difference"].abs()).sort_values("size", ascending=False, kind="stable")
    yield from order.drop_duplicates("indicator").sort_values("indicator").itertuples()


# ---------------------------------------------------------------- within an area


def shares_of_hundred(sheet: Sheet) -> Iterator[Finding]:
    """Find shares that should make a whole such as 100 (`sums`) and do not, beyond what published rounding does.

    Of whole per cent 98 to 102 is a hundred; of many parts, or of more decimals, half a unit for each part.
    """
    for item in sheet.layer.sums:
        if isinstance(item.whole, str):
            continue
        rows = sheet.data[sheet.data["known"] & sheet.data["indicator"].isin(item.parts)].drop_duplicates(KEYS)
        yield from _shares(sheet, item, rows.assign(unit=_unit(rows)), item.whole)


def _unit(rows: pd.DataFrame) -> pd.Series:
    """Return the unit in which a share is published: 1 for whole per cent, or unknown; 0 where made from counts."""
    bare = rows["numerator"].isna() & rows["published"].notna()
    usual = rows["decimals"].where(bare).groupby(rows["indicator"]).transform(lambda some: some.mode().max())
    return (10.0**-usual).fillna(1.0).where(bare, 0.0)


def _shares(sheet: Sheet, item: SumSpec, rows: pd.DataFrame, whole: float) -> Iterator[Finding]:
    noise = _noise(sheet, [*item.parts, item.parts[0]])  # of the parts, and of their base
    rows = rows.assign(noise=rows["scale"] * noise / rows["denominator"])
    by = rows.groupby(["area_id", "period"], sort=True)
    found = pd.DataFrame(
        {
            "sum": by["value"].sum(),
            "parts": by["value"].count(),
            "row": by["row"].first(),
            "rounding": np.maximum(by["unit"].sum() / 2, _LEAST_BAND * (by["unit"].max() >= 1)),
            "noise": by["noise"].max().fillna(0.0),
        }
    ).reset_index()
    found["band"] = found["rounding"] + found["noise"] + _EXACT * abs(whole)
    found["difference"] = found["sum"] - whole
    complete = found["parts"] == len(item.parts)
    wrong = (found["difference"] > found["band"]) | (complete & (found["difference"] < -found["band"]))
    for cell in found[wrong].itertuples():
        yield fault(
            f"{_listed(item)} {cell.period} make {number(round(cell.sum, 6))}, not {number(whole)}",
            row=row_of(cell),
            area=str(cell.area_id),
            expected=f"{number(round(whole - cell.band, 6))} to {number(round(whole + cell.band, 6))}",
        )
    beyond_rounding = (found["difference"].abs() > found["rounding"] + _EXACT * abs(whole)) & complete & ~wrong
    yield from _noted(found[beyond_rounding], sheet, item, number(whole), of=int(complete.sum()))


def parts_of_whole(sheet: Sheet) -> Iterator[Finding]:
    """Find counts that should make another count (`sums`) and do not.

    Where the publisher has added noise or rounded (`noise`), a difference within what that can do is a note.
    """
    for place, item in enumerate(sheet.layer.sums):
        whole_of = [item.whole] if isinstance(item.whole, str) else []
        yield from _undefined(sheet, [*item.parts, *whole_of], f"sums.{place}")
        if not isinstance(item.whole, str):
            continue
        parts = sheet.places.reindex(columns=list(item.parts))  # a part of which nothing is known is hidden everywhere
        whole = sheet.places.reindex(columns=[item.whole])[item.whole]
        found = pd.DataFrame({"sum": parts.sum(axis=1), "whole": whole, "complete": parts.notna().all(axis=1)})
        found = found[whole.notna() & parts.notna().any(axis=1)].reset_index()
        found["difference"] = found["sum"] - found["whole"]
        band = _EXACT * found["whole"].abs() + _noise(sheet, [*item.parts, item.whole])
        wrong = (found["difference"] > band) | (found["complete"] & (found["difference"] < -band))
        first = sheet.data[sheet.data["indicator"] == _split(item.parts[0])[0]].drop_duplicates(KEYS)
        found = found.merge(first[["area_id", "period", "row"]], on=["area_id", "period"], how="left")
        yield from _unequal(found[wrong], item)
        differ = found["complete"] & (found["difference"].abs() > _EXACT * found["whole"].abs()) & ~wrong
        yield from _noted(found[differ], sheet, item, item.whole, of=int(found["complete"].sum()))


def _undefined(sheet: Sheet, names: list[str], key: str) -> Iterator[Finding]:
    """Find names that no indicator has; a layer with a registry can only be asked when that has been read."""
    for name in names:
        if _split(name)[0] not in sheet.definitions:
            hint = checks.did_you_mean(name, sheet.definitions)
            yield fault(f"no indicator is called '{_split(name)[0]}'", key=key, hint=hint)


def _unequal(rows: pd.DataFrame, item: SumSpec) -> Iterator[Finding]:
    yield from each(
        rows,
        lambda cell: (
            f"{_listed(item)} {cell.period} make {number(cell.sum)}, more than their whole {item.whole}, "
            f"{number(cell.whole)}"
            if cell.difference > 0
            else f"{_listed(item)} {cell.period} make {number(cell.sum)}, their whole {item.whole} is "
            f"{number(cell.whole)}"
        ),
        hint="if the publisher adds noise or rounds, say so as `noise` in the layer's TOML",
    )


def _noted(rows: pd.DataFrame, sheet: Sheet, item: SumSpec, whole: str, *, of: int) -> Iterator[Finding]:
    if len(rows):
        most = rows["difference"].abs().max()
        yield note(
            f"{_listed(item)} differ from {whole} in {number(len(rows))} of {number(of)} cases, "
            f"by at most {number(most)}, which {_explained(sheet.layer.noise)}"
        )


# ---------------------------------------------------------------- two levels


def levels(fine: IndicatorTable, coarse: IndicatorTable, parents: pd.Series, noise: float = 0.0) -> Iterator[Finding]:
    """Find figures of larger areas that are not the sum of their smaller areas' when both are delivered."""
    children = parents.dropna().value_counts()
    merged = roll_up(fine, parents).data
    both = merged.merge(coarse.data, on=KEYS, suffixes=("", "_stated"))
    whole = (both["status"] == "observed") & (both["status_stated"] == "observed")
    for column, words in _COLUMNS.items():
        rows = both[whole & both[column].notna() & both[f"{column}_stated"].notna()]
        difference = rows[column] - rows[f"{column}_stated"]
        band = _EXACT * rows[column].abs() + _spread(noise, rows["area_id"].map(children).astype(float) + 1)
        for cell in rows.assign(difference=difference)[difference.abs() > band].itertuples():
            own, stated = getattr(cell, column), getattr(cell, f"{column}_stated")
            yield fault(
                f"{cell.indicator} {cell.period}: the {words} of {children[cell.area_id]} smaller areas add up to "
                f"{number(own)}, the area's own is {number(stated)} (difference {cell.difference:+,.10g})",
                area=str(cell.area_id),
            )


# ---------------------------------------------------------------- noise


def _noise(sheet: Sheet, names: list[str]) -> float:
    """Return by how much the publisher's noise may part figures, each of one published count or of several."""
    return sheet.noise * sum(_published_counts(sheet, name) for name in names)


def _published_counts(sheet: Sheet, name: str) -> int:
    indicator, column = _split(name)
    columns = getattr(sheet.definitions[indicator], column) if indicator in sheet.definitions else None
    return len(columns) if isinstance(columns, tuple) else 1


def _spread(size: pd.Series | float, counts: pd.Series) -> pd.Series:
    """Return how far the sum of so many noisy counts can lie off.

    The sum of n independent errors within ±size lies beyond 6·size·√n once in thirty million times (Hoeffding).
    """
    return size * np.minimum(counts, _SIGMAS * np.sqrt(counts))


def _explained(noise: NoiseSpec | None) -> str:
    how = "rounding of" if noise and noise.method == "rounding" else "noise of"
    return f"{how} {number(noise.size if noise else 0)} a count explains"


def _split(name: str) -> tuple[str, str]:
    return (name.removesuffix(_BASE), "denominator") if name.endswith(_BASE) else (name, "numerator")


def _listed(item: SumSpec) -> str:
    return " + ".join(item.parts)
