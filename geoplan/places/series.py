"""Years after each other: means of several, segments that may be drawn as one line, and changes between two.

Nothing here is put together across a break of the definition or across a missing year.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.places.indicators import (
    COLUMNS,
    EXTRAS,
    KNOWN,
    IndicatorTable,
    moved_part,
    must_have_weights,
    spread_behind,
    unit_scale,
)
from geoplan.places.provenance import PROVENANCE, concat_tables, merge_provenance
from geoplan.specs import IndicatorSpec

__all__ = ["change", "multi_year_mean", "segments"]

_LONGEST = 10
_KEYS = ["area_id", "indicator", "period"]


def multi_year_mean(
    table: IndicatorTable, years: int | None = None, *, minimum_years: int | None = None
) -> IndicatorTable:
    """Make each figure from the counts of several years, the last of which is its period.

    Parameters
    ----------
    table
        With periods that are years.
    years
        Number of consecutive years, for every indicator; each indicator's own ``mean_years`` when left out.
    minimum_years
        How many of them must be known; all when left out. With fewer than all the figure is ``estimated``.

    Returns
    -------
    IndicatorTable
        The same areas, indicators and periods. A rate is the sum of the years' numerators over the sum of their
        denominators, so that a year counts by its base; a rate published without counts is the mean weighted by its
        base; a count is the plain mean. ``numerator`` and ``denominator`` are means of the years, so that N stays a
        number of people. A figure whose years lie on both sides of a break is ``not_collected`` with the reason
        ``break``; one whose years are not all there has the status of the missing ones, or ``not_collected`` with the
        reason ``too_few_years``. ``method`` gets the step ``mean_of_2_years``. ``moved_share`` is the years' mean,
        weighted by base. Of merged figures, ``children``, ``minimum``, ``maximum`` and ``spread`` are those of the
        smallest areas' means.

    Raises
    ------
    SpecError
        When ``years`` is not between 1 and 10, or ``minimum_years`` not between 1 and ``years``.
    TableError
        When a period is no year, a rate without counts has no base to weigh it by, or the figures are means already.

    Notes
    -----
    Danish law (almenboligloven § 61 a) takes the mean of the last two years for people outside work and for
    convictions. A year with more residents counts more.

    Examples
    --------
    >>> rows = [("A", "outside_work", "2016", 420.0, 1000.0, 42.0, "observed"),
    ...         ("A", "outside_work", "2017", 300.0, 790.0, 37.97, "observed")]
    >>> outside = IndicatorSpec(id="outside_work", label="Outside work", kind="share", unit="pct",
    ...                         direction="higher_is_worse", mean_years=2)
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"outside_work": outside})
    >>> mean = multi_year_mean(table).data
    >>> round(float(mean["value"].iloc[1]), 2), mean["status"].tolist()  # (420 + 300) / (1000 + 790)
    (40.22, ['not_collected', 'observed'])
    """
    spans = {name: item.mean_years if years is None else years for name, item in table.definitions.items()}
    _check_spans(years, minimum_years)
    if set(spans.values()) <= {1}:
        return table
    done = (
        table.data["method"].astype(str).str.contains("mean_of_") if "method" in table.data else pd.Series(dtype=bool)
    )
    done &= table.data["indicator"].map(spans) > 1
    if done.any():
        names = checks.listed(sorted(set(table.data["indicator"][done])))
        raise TableError(Fault(what=f"these figures are means of several years already: {names}"))
    data = _means(table.data.assign(parent=table.data["area_id"]), spans, table.definitions, minimum_years)
    data = data.drop(columns="parent")
    if table.parts is None:
        return IndicatorTable(data, table.definitions)
    parts = _means(table.parts, spans, table.definitions, minimum_years)
    if "children" in table.data:
        counts = [name for name, item in table.definitions.items() if item.kind == "count"]
        data = _with_spread(data, parts, table.data, counts)
        data = data[[*COLUMNS, *(name for name in EXTRAS if name in data)]]
    return IndicatorTable(data, table.definitions, parts)


def _with_spread(data: pd.DataFrame, parts: pd.DataFrame, earlier: pd.DataFrame, counts: list[str]) -> pd.DataFrame:
    """Say of means of merged figures what they hide; a figure that was never merged stays without."""
    rows = parts.assign(counts=parts["indicator"].isin(counts))
    keys = [rows["parent"].rename("area_id"), rows["indicator"], rows["period"]]
    found = spread_behind(rows, keys).assign(children=rows["status"].isin(KNOWN).groupby(keys).sum())
    merged = earlier.loc[earlier["children"].notna(), _KEYS].merge(found.reset_index(), on=_KEYS)
    data = data.merge(merged, how="left", on=_KEYS)
    hidden = ["minimum", "maximum", "spread"]
    data[hidden] = data[hidden].where(data["status"].isin(KNOWN))
    return data


def _check_spans(years: int | None, minimum_years: int | None) -> None:
    if years is not None and not 1 <= years <= _LONGEST:
        raise SpecError(Fault(what=f"a mean of {years} years", key="years", expected=f"1 to {_LONGEST} years"))
    if minimum_years is not None and not 1 <= minimum_years <= (years or _LONGEST):
        what, expected = f"at least {minimum_years} years", f"1 to {years or _LONGEST} years"
        raise SpecError(Fault(what=what, key="minimum_years", expected=expected))


def _year_of(period: pd.Series) -> pd.Series:
    """Return periods as whole numbers."""
    wrong = ~period.str.fullmatch(r"\d{4}")
    if wrong.any():
        what = f"these periods are no years: {checks.listed(sorted(set(period[wrong])))}"
        raise TableError(Fault(what=what, column="period", expected="four digits, such as 2012"))
    return period.astype(int)


def _means(
    rows: pd.DataFrame,
    spans: Mapping[str, int],
    definitions: Mapping[str, IndicatorSpec],
    minimum_years: int | None,
) -> pd.DataFrame:
    kept = [*COLUMNS, *[name for name in (*PROVENANCE, "moved_share") if name in rows], "parent"]
    span = rows["indicator"].map(spans)
    parts = [rows.loc[span == 1, kept]]
    for number in sorted(set(span) - {1}):
        own = rows.loc[span == number, kept]
        parts.append(_means_of(own, int(number), definitions, min(minimum_years or int(number), int(number))))
    whole = concat_tables(parts)
    return whole.sort_values(["area_id", "indicator", "period", "parent"], ignore_index=True)[kept]


def _means_of(rows: pd.DataFrame, years: int, definitions: Mapping[str, IndicatorSpec], minimum: int) -> pd.DataFrame:
    """Put every row into the means of its own year and of those after it, as far as these have a row of their own."""
    must_have_weights(rows, definitions)
    year = _year_of(rows["period"])
    names = ["parent", "area_id", "indicator", "target"]
    targets = rows.assign(target=year)[names]
    spread = pd.concat([rows.assign(year=year, target=year + later) for later in range(years)], ignore_index=True)
    spread = spread.merge(targets, on=names)  # an area has no mean for a year that it has no row for
    keys = [spread[name] for name in names]
    known = spread["status"].isin(KNOWN)
    total = _sums(spread, keys, known)
    broken = _broken(total, years, definitions)
    total["status"] = _mean_status(spread, keys, total, years, minimum)
    broken &= total["status"] != "not_applicable"
    total.loc[broken, "status"] = "not_collected"
    missing = ~total["status"].isin(KNOWN)
    told = merge_provenance(spread, keys, known, missing, f"mean_of_{years}_years")
    if "reason" in told:
        reason = told["reason"].astype(object)
        absent = missing & (total["rows"] < years) & (reason == "")
        told["reason"] = reason.mask(absent, "too_few_years").mask(broken, "break")
    scale = total.index.get_level_values("indicator").map({n: unit_scale(i.unit) for n, i in definitions.items()})
    by_counts = total["counted"] == total["known"]
    rate = (total["numerator"] / total["denominator"] * np.asarray(scale, dtype=float)).where(
        by_counts, total["weighted"] / total["denominator"]
    )
    is_count = total.index.get_level_values("indicator").map({n: i.kind for n, i in definitions.items()}) == "count"
    total["numerator"] = (total["numerator"] / total["known"]).where(by_counts)
    total["denominator"] /= total["known"]
    total["value"] = total["numerator"].where(is_count, rate)
    total.loc[missing, ["numerator", "denominator", "value"]] = np.nan
    if "moved_share" in rows:
        counts = [name for name, item in definitions.items() if item.kind == "count"]
        told["moved_share"] = moved_part(spread.assign(counts=spread["indicator"].isin(counts)), keys).mask(missing)
    merged = total.join(told).reset_index()
    return merged.assign(period=merged["target"].astype(str))[list(rows.columns)]


def _sums(spread: pd.DataFrame, keys: list[pd.Series], known: pd.Series) -> pd.DataFrame:
    weight = spread["denominator"].where(known)
    return (
        pd.DataFrame(
            {
                "numerator": spread["numerator"].where(known),
                "denominator": weight,
                "weighted": spread["value"].where(known) * weight,
                "known": known.astype(int),
                "counted": (known & spread["numerator"].notna()).astype(int),
                "rows": 1,
            }
        )
        .groupby(keys, sort=True)
        .sum(min_count=1)
    )


def _broken(total: pd.DataFrame, years: int, definitions: Mapping[str, IndicatorSpec]) -> pd.Series:
    """Tell which means would take years from both sides of a break: a break in 2010 parts 2009 from 2010."""
    last = total.index.get_level_values("target")
    names = total.index.get_level_values("indicator")
    found = np.zeros(len(total), dtype=bool)
    for name, item in definitions.items():
        for year in item.breaks:
            found |= (names == name) & (last - years + 1 < year) & (year <= last)
    return pd.Series(found, index=total.index)


def _mean_status(
    spread: pd.DataFrame, keys: list[pd.Series], total: pd.DataFrame, years: int, minimum: int
) -> pd.Series:
    has = {
        name: (spread["status"] == name).groupby(keys).any().reindex(total.index)
        for name in ("estimated", "provisional", "suppressed", "not_collected", "out_of_scope", "not_applicable")
    }
    found = np.select(
        [has["estimated"] | (total["known"] < years), has["provisional"]], ["estimated", "provisional"], "observed"
    )
    absent = total["rows"] < years
    why = np.select(
        [has["suppressed"], has["not_collected"] | absent, has["out_of_scope"]],
        ["suppressed", "not_collected", "out_of_scope"],
        "not_applicable",
    )
    return pd.Series(np.where(total["known"] >= minimum, found, why), index=total.index)


def segments(table: IndicatorTable) -> pd.DataFrame:
    """Give each stretch of years that may be drawn as one line a number.

    Parameters
    ----------
    table
        With periods that are years.

    Returns
    -------
    pandas.DataFrame
        The rows of ``table.data``, sorted by area, indicator and period, with ``year`` (int) and ``segment`` (int):
        1, 2, 3 … within each area and indicator, and 0 where the figure is missing. A new segment begins at every
        break year of the definition and after every year without a figure.

    Raises
    ------
    TableError
        When a period is no year.

    Examples
    --------
    >>> rows = [("A", "work", str(year), None, None, value, "observed" if value else "not_collected")
    ...         for year, value in zip(range(2007, 2013), [60.0, 61.0, 62.0, 70.0, None, 71.0])]
    >>> work = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better",
    ...                      breaks=(2010,))
    >>> segments(IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"work": work}))["segment"].tolist()
    [1, 1, 1, 2, 0, 3]
    """
    data = table.data.assign(year=_year_of(table.data["period"]))
    data = data.sort_values(["area_id", "indicator", "year"], ignore_index=True)
    known = data["status"].isin(KNOWN) & data["value"].notna()
    keys = [data["area_id"], data["indicator"]]
    before, known_before = data["year"].groupby(keys).shift(), known.groupby(keys).shift(fill_value=False)
    starts = known & (~known_before | (data["year"] != before + 1))
    starts |= known & (_epoch(data, table.definitions) != _epoch(data, table.definitions, year=before))
    return data.assign(segment=starts.groupby(keys).cumsum().where(known, 0).astype(int))


def _epoch(data: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], *, year: pd.Series | None = None) -> pd.Series:
    """Count the breaks up to a row's year, or up to another year given for each row."""
    year = data["year"] if year is None else year
    count = pd.Series(0, index=data.index)
    for name, item in definitions.items():
        for change_year in item.breaks:
            count += ((data["indicator"] == name) & (year >= change_year)).astype(int)
    return count


def change(table: IndicatorTable, start: str | int, end: str | int) -> pd.DataFrame:
    """Return how far figures moved between two years, where that can be said.

    Parameters
    ----------
    table
        With periods that are years.
    start, end
        The first and the last year.

    Returns
    -------
    pandas.DataFrame
        One row an area and indicator: ``area_id``, ``indicator``, ``start``, ``end`` (str), ``value_start``,
        ``value_end``, ``change`` (end minus start, in the indicator's unit: percentage points for ``pct``), ``status``
        and ``reason``. Across a break ``change`` is empty, with the status ``not_collected`` and the reason ``break``;
        where a year is missing it has that year's status and reason. A change is as sure as the less sure of its ends.

    Raises
    ------
    SpecError
        When the table has no such year, or ``end`` is not after ``start``.
    TableError
        When a period is no year.

    Examples
    --------
    >>> rows = [("A", "poor", year, None, None, value, "observed") for year, value in [("2010", 12.0), ("2012", 15.0)]]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> change(IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor}), 2010, 2012)["change"].tolist()
    [3.0]
    """
    first, last = str(start), str(end)
    for key, period in (("start", first), ("end", last)):
        if period not in set(table.data["period"]):
            raise checks.unknown_name("year of the table", period, table.periods(), key=key)
    if first >= last:
        raise SpecError(Fault(what=f"the change from {first} to {last}", key="end", expected="a year after `start`"))
    _year_of(table.data["period"])
    names = [name for name in ("value", "status", "reason") if name in table.data]
    ends = [
        table.data[table.data["period"] == period].set_index(["area_id", "indicator"])[names].astype({"status": object})
        for period in (first, last)
    ]
    both = ends[0].merge(ends[1], how="outer", left_index=True, right_index=True, suffixes=("_start", "_end"))
    both = both.sort_index().reset_index()
    for name, empty in (("status", "not_collected"), ("reason", "")):
        for side in ("start", "end"):
            column = f"{name}_{side}"
            both[column] = both[column].astype(object).fillna(empty) if column in both else empty
    crosses = both["indicator"].map(
        {name: any(int(first) < year <= int(last) for year in item.breaks) for name, item in table.definitions.items()}
    )
    return _changes(both, crosses.fillna(value=False).astype(bool)).assign(start=first, end=last)[
        ["area_id", "indicator", "start", "end", "value_start", "value_end", "change", "status", "reason"]
    ]


def _changes(both: pd.DataFrame, crosses: pd.Series) -> pd.DataFrame:
    one, other = both["status_start"], both["status_end"]
    gone_first, gone_last = ~one.isin(KNOWN), ~other.isin(KNOWN)
    status = pd.Series("observed", index=both.index, dtype=object)
    for doubt in ("provisional", "estimated"):
        status = status.mask((one == doubt) | (other == doubt), doubt)
    status = status.mask(crosses, "not_collected").mask(gone_first, one).mask(gone_last, other)
    reason = pd.Series("", index=both.index, dtype=object).mask(crosses, "break")
    reason = reason.mask(gone_first, both["reason_start"]).mask(gone_last, both["reason_end"])
    moved = (both["value_end"] - both["value_start"]).where(status.isin(KNOWN))
    return both.assign(change=moved, status=status, reason=reason)
