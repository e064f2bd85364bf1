"""Indicators: a tidy table with counts, rates made from counts, and typed missing values.

The tidy frame has the columns ``area_id, indicator, period, numerator, denominator, value, status``. A rate is
``numerator / denominator`` times the scale of its unit and is made anew from counts whenever areas are merged.
Missing is never zero: an empty value has a status that says why it is empty. A merged figure never stands without
what it hides: from how many areas it was made, and their lowest value, highest value and spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.places.membership import whole_pairs
from geoplan.places.provenance import merge_provenance
from geoplan.specs import IndicatorSpec

__all__ = [
    "COLUMNS",
    "EXTRAS",
    "KNOWN",
    "MISSING",
    "STATUSES",
    "IndicatorTable",
    "JoinReport",
    "join_report",
    "known_sums",
    "roll_up",
    "totals",
    "unit_scale",
]

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
#: Columns that a table has besides when a figure has more to tell: where it comes from and how it was made
#: (``source``, ``method``), why exactly it is missing (``reason``), what hides behind a merged one (``children``,
#: ``minimum``, ``maximum``, ``spread``), and which part of it was moved between boundaries (``moved_share``).
EXTRAS = ["source", "method", "reason", "children", "minimum", "maximum", "spread", "moved_share"]
KNOWN = ("observed", "estimated", "provisional")
MISSING = ("suppressed", "not_collected", "not_applicable", "out_of_scope")
STATUSES = KNOWN + MISSING
_KEYS = ["area_id", "indicator", "period"]
_SCALES = {"pct": 100.0, "per_mille": 1e3, "per_1000": 1e3, "per_10000": 1e4, "per_100000": 1e5}


@dataclass(frozen=True)
class IndicatorTable:
    """A tidy table together with the definitions of its indicators.

    Attributes
    ----------
    data
        Columns ``area_id, indicator, period`` (str), ``numerator, denominator, value`` (float, in the indicator's
        unit), ``status`` (one of :data:`STATUSES`); one row per area, indicator and period. Besides any of
        :data:`EXTRAS`, such as ``source``, ``method`` and ``reason``; merged figures have ``children``, ``minimum``,
        ``maximum`` and ``spread``, see :func:`roll_up`.
    definitions
        Indicator id → :class:`~geoplan.specs.IndicatorSpec`.
    parts
        For merged areas the rows they were merged from, with the column ``parent``: the area of ``data`` that each
        belongs to; a row stands once for each of them. A hidden figure makes a merged one unknown, and all that is
        known must still count in the city.
    profile
        ``public`` when disclosure control has let the figures of ``data`` through; ``parts`` never leaves the house.
    """

    data: pd.DataFrame
    definitions: Mapping[str, IndicatorSpec]
    parts: pd.DataFrame | None = field(default=None, repr=False)
    profile: Literal["internal", "public"] = "internal"

    @property
    def finest(self) -> pd.DataFrame:
        """The rows of the smallest areas there are, with the column ``parent``: the area of ``data`` they belong to."""
        return self.data.assign(parent=self.data["area_id"]) if self.parts is None else self.parts

    def wide(self, period: str, column: str = "value") -> pd.DataFrame:
        """Return one period as areas × indicators of a column (``value``, ``status``, ``minimum`` …)."""
        rows = self.data[self.data["period"] == str(period)]
        return rows.pivot(index="area_id", columns="indicator", values=column)

    def periods(self) -> list[str]:
        """Return the periods of the table, in order."""
        return sorted(self.data["period"].unique())


@dataclass(frozen=True)
class JoinReport:
    """How a table and the areas fit together; nothing is dropped without being listed here.

    Attributes
    ----------
    matched
        Codes found on both sides.
    without_data
        Areas that the table does not mention.
    without_area
        Codes of the table that no area has.
    names
        Of tables with names in place of codes: how the names were read, as sentences.
    """

    matched: tuple[str, ...]
    without_data: tuple[str, ...]
    without_area: tuple[str, ...]
    names: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the report as sentences; the first says how many areas have data."""
        one, two = len(self.without_data) == 1, len(self.without_area) == 1
        said = [f"{len(self.matched):,} area{'s have' if len(self.matched) != 1 else ' has'} data"]
        if self.without_data:
            count = "1 area has" if one else f"{len(self.without_data):,} areas have"
            said.append(f"{count} no data: {checks.listed(self.without_data)}")
        if self.without_area:
            count = "1 code of the table has" if two else f"{len(self.without_area):,} codes of the table have"
            said.append(f"{count} no area: {checks.listed(self.without_area)}")
        return [*said, *self.names]


def unit_scale(unit: str) -> float:
    """Return what a share is multiplied by to stand in a unit, such as 100 for ``pct``.

    Examples
    --------
    >>> unit_scale("pct"), unit_scale("tkr")
    (100.0, 1.0)
    """
    return _SCALES.get(unit, 1.0)


# ---------------------------------------------------------------- joining and merging


def join_report(area_ids: Iterable[str], table: IndicatorTable) -> JoinReport:
    """Compare the codes of areas with those of a table.

    Parameters
    ----------
    area_ids
        Codes of the areas.
    table
        Indicators of the same level.

    Returns
    -------
    JoinReport

    Raises
    ------
    IdError
        When not one code is on both sides.

    Examples
    --------
    >>> data = pd.DataFrame({"area_id": ["01", "03"]})
    >>> join_report(["01", "02"], IndicatorTable(data, {})).lines()
    ['1 area has data', "1 area has no data: '02'", "1 code of the table has no area: '03'"]
    """
    areas, data = set(area_ids), set(table.data["area_id"].unique())
    if not areas & data:
        raise checks.ids_match_nothing(sorted(data), sorted(areas))
    return JoinReport(
        matched=tuple(sorted(areas & data)),
        without_data=tuple(sorted(areas - data)),
        without_area=tuple(sorted(data - areas)),
    )


def roll_up(
    table: IndicatorTable,
    parents: pd.Series | pd.DataFrame,
    *,
    minimum_coverage: float = 0.8,
    estimated: bool = False,
) -> IndicatorTable:
    r"""Merge areas: counts are added up and rates made anew from them.

    The figures are always made from the smallest areas there are, so that it is the same by which way one climbs, and
    an area that lies in two overlapping plans counts in each of them and once in the city that holds both.

    Parameters
    ----------
    table
        Indicators of the children.
    parents
        Index the children's codes, values the parent's code or None, from :func:`~geoplan.places.parents_at`; or
        ``child_id, parent_id, share``, from :func:`~geoplan.places.pairs_at`, where areas may have several parents. A
        child without parent is left out; see :func:`join_report`.
    minimum_coverage
        Share of a parent's base that must be known; below it the merged figure is missing, with the reason that
        holds for most of it. A count needs all of its parts.
    estimated
        Mark every figure ``estimated``, for merges by overlap.

    Returns
    -------
    IndicatorTable
        ``numerator`` and ``denominator`` are sums over the children that are known. A rate without counts is the
        mean weighted by its base, and its numerator stays empty. ``status`` is ``observed`` when all parts are
        known, else ``estimated`` (or ``provisional``), else the reason of the missing part. ``parts`` keeps the rows
        of the smallest areas. Besides, ``children`` (int): number of smallest areas with a known figure;
        ``minimum``, ``maximum`` (float, in the indicator's unit): their lowest and highest value; ``spread`` (float,
        in the indicator's unit): their standard deviation, weighted by base,

        .. math::

            s = \sqrt{\frac{\sum_k w_k (v_k - \bar v)^2}{\sum_k w_k}}, \qquad
            \bar v = \frac{\sum_k w_k v_k}{\sum_k w_k}

        over the children *k* with value *v* and base *w*; counts, which have no base, weigh the same. A missing figure
        has none of the three. ``moved_share`` is the children's mean weighted by base, where the table has it; a count
        weighs by itself. Where the table has them, ``source`` names all sources of the known parts,
        ``method`` gets the step ``rolled_up``, and ``reason`` stays where all missing parts agree on it.

    Raises
    ------
    TableError
        When a rate without counts has no base to weigh it by.
    IdError
        When a child belongs to a parent only in part, or not one of the children is in the table.
    SpecError
        When ``minimum_coverage`` is not between 0 and 1.

    Examples
    --------
    >>> rows = [("a", "poor", "2012", 10.0, 100.0, 10.0, "observed"),
    ...         ("b", "poor", "2012", 90.0, 300.0, 30.0, "observed")]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor})
    >>> town = roll_up(table, pd.Series({"a": "town", "b": "town"}))
    >>> town.data[["numerator", "denominator", "value"]].values.tolist()
    [[100.0, 400.0, 25.0]]
    >>> town.data[["children", "minimum", "maximum", "spread"]].round(2).values.tolist()
    [[2.0, 10.0, 30.0, 8.66]]
    """
    rows = _lifted(table, _pairs(table, parents, minimum_coverage))
    if estimated:
        rows["status"] = rows["status"].where(~rows["status"].isin(KNOWN), "estimated")
    must_have_weights(rows, table.definitions)
    keys = ["parent", "indicator", "period"]
    groups = rows.groupby(keys, sort=True)
    group = groups.ngroup()
    heads = groups.size().index.to_frame(index=False).set_axis(["area_id", *keys[1:]], axis=1)
    kind = {name: item.kind for name, item in table.definitions.items()}
    rows["counts"] = rows["indicator"].map(kind) == "count"
    heads["kind"] = heads["indicator"].map(kind)
    heads["scale"] = heads["indicator"].map({n: unit_scale(i.unit) for n, i in table.definitions.items()}).astype(float)

    total = _sums(rows, group).join(heads)
    total["status"] = _merged_status(rows, group, total, minimum_coverage)
    missing = total["status"].isin(MISSING)
    by_counts = total["counted"] == total["children"]
    rate = total["numerator"] / total["denominator"] * total["scale"]
    mean = total["weighted"] / total["denominator"]
    total["value"] = total["numerator"].where(total["kind"] == "count", rate.where(by_counts, mean))
    total["numerator"] = total["numerator"].where(by_counts)
    total = total.join(spread_behind(rows, group))
    total.loc[missing, ["numerator", "denominator", "value", "minimum", "maximum", "spread"]] = np.nan
    if "moved_share" in rows:
        total["moved_share"] = moved_part(rows, group).mask(missing)
    total = total.join(merge_provenance(rows, [group], rows["status"].isin(KNOWN), missing, "rolled_up"))
    merged = total[[*COLUMNS, *(name for name in EXTRAS if name in total)]].reset_index(drop=True)
    parts = rows[[*COLUMNS, *(name for name in EXTRAS if name in rows), "parent"]]
    return IndicatorTable(data=merged, definitions=table.definitions, parts=parts)


def _pairs(table: IndicatorTable, parents: pd.Series | pd.DataFrame, minimum_coverage: float) -> pd.DataFrame:
    """Return the pairs to merge along, after making sure that the arguments fit the table."""
    if not 0 <= minimum_coverage <= 1:
        fault = Fault(
            what=f"{minimum_coverage:g} is not a share", key="minimum_coverage", expected="a number from 0 to 1"
        )
        raise SpecError(fault)
    pairs = whole_pairs(parents)
    merged_from = set(table.finest["parent"])
    if merged_from and len(pairs) and merged_from.isdisjoint(pairs["child_id"]):
        raise checks.ids_match_nothing(sorted(merged_from), sorted(set(pairs["child_id"])))
    return pairs


def _lifted(table: IndicatorTable, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the smallest areas under each new parent, however many old ones lie between."""
    rows = table.finest
    if pairs["child_id"].is_unique:
        rows = rows.assign(parent=rows["parent"].map(pairs.set_index("child_id")["parent_id"]))
        rows = rows[rows["parent"].notna()].reset_index(drop=True)
    else:
        above = pairs.rename(columns={"child_id": "parent", "parent_id": "above"})
        rows = rows.merge(above, on="parent").drop(columns="parent").rename(columns={"above": "parent"})
    # Only rows that were merged before can meet again above.
    return rows if table.parts is None else rows.drop_duplicates([*_KEYS, "parent"], ignore_index=True)


def _sums(rows: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Add up what is known in each group, and count what is known and what is there."""
    known = rows["status"].isin(KNOWN)
    weight = rows["denominator"].where(known)
    size = _size(rows, group)
    sums = pd.DataFrame(
        {
            "numerator": rows["numerator"].where(known),
            "denominator": weight,
            "weighted": rows["value"].where(known) * weight,
            "size": size,
            "known_size": size.where(known, 0.0),
            "parts": (rows["status"] != "not_applicable").astype(int),
            "children": known.astype(int),
            "counted": (known & rows["numerator"].notna()).astype(int),
        }
    )
    return sums.groupby(group).sum(min_count=1)


def spread_behind(rows: pd.DataFrame, group: pd.Series | list[pd.Series]) -> pd.DataFrame:
    """Return what a merged figure hides: the lowest and the highest value of the known children, and their spread."""
    known = rows["status"].isin(KNOWN)
    value = rows["value"].where(known)
    weight = rows["denominator"].astype(float).where(~rows["counts"], 1.0).where(value.notna())
    whole = weight.groupby(group).transform("sum")
    mean = (weight * value).groupby(group).transform("sum") / whole
    square = (weight * (value - mean) ** 2).groupby(group).sum(min_count=1)
    by = value.groupby(group)
    spread = np.sqrt(square / weight.groupby(group).sum())
    return pd.DataFrame({"minimum": by.min(), "maximum": by.max(), "spread": spread})


def moved_part(rows: pd.DataFrame, group: pd.Series | list[pd.Series]) -> pd.Series:
    """Return which part of each merged figure was moved between boundaries: the children's, weighted by base."""
    weight = rows["denominator"].where(~rows["counts"], rows["numerator"]).where(rows["status"].isin(KNOWN))
    part = (rows["moved_share"].fillna(0.0) * weight).groupby(group).sum(min_count=1)
    return part / weight.groupby(group).sum(min_count=1)


def must_have_weights(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> None:
    """Refuse rates that would be put together and have neither counts nor a base."""
    kind = rows["indicator"].map({name: item.kind for name, item in definitions.items()})
    bare = rows["status"].isin(KNOWN) & rows["numerator"].isna() & rows["denominator"].isna() & (kind != "count")
    if bare.any():
        names = sorted(set(rows["indicator"][bare]))
        raise TableError(
            Fault(
                what=f"rates without counts cannot be added up: {checks.listed(names)}",
                expected="a base to weigh them by",
                hint="name the column of the base as `denominator`",
            )
        )


def _size(rows: pd.DataFrame, group: pd.Series) -> pd.Series:
    """Weigh the parts of a merged area: by their base, or by their siblings' mean base where that is hidden."""
    base = rows["denominator"]
    mean = base.groupby(group).transform("mean")
    return base.fillna(mean).fillna(1.0).where(rows["status"] != "not_applicable", 0.0)


def _merged_status(
    rows: pd.DataFrame,
    group: pd.Series,
    total: pd.DataFrame,
    minimum_coverage: float,
) -> np.ndarray:
    reasons = ("estimated", "provisional", "suppressed", "not_collected", "out_of_scope")
    has = pd.DataFrame({name: rows["status"] == name for name in reasons}).groupby(group).any()
    whole = total["children"] == total["parts"]
    coverage = (total["known_size"] / total["size"].where(total["size"] > 0)).fillna(0.0)
    enough = (total["children"] > 0) & (whole | ((coverage >= minimum_coverage) & (total["kind"] != "count")))
    guessed = has["estimated"] | ~whole
    found = np.select([guessed, has["provisional"]], ["estimated", "provisional"], "observed")
    why = np.select(
        [total["parts"] == 0, has["suppressed"], has["not_collected"]],
        ["not_applicable", "suppressed", "not_collected"],
        "out_of_scope",
    )
    return np.where(enough, found, why)


def known_sums(table: IndicatorTable) -> IndicatorTable:
    """Return the areas with all that is known of their parts, however little of the base that is.

    This is what an area brings to the city's value; for an area's own figure see :func:`roll_up`.
    """
    if table.parts is None:
        return table
    pairs = table.parts[["area_id", "parent"]].drop_duplicates().set_axis(["child_id", "parent_id"], axis=1)
    return roll_up(_smallest(table.parts, table.definitions), pairs, minimum_coverage=0.0)


def _smallest(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> IndicatorTable:
    """Return rows as the table of the smallest areas: each figure once, whatever areas it belongs to."""
    return IndicatorTable(rows.drop_duplicates(_KEYS, ignore_index=True)[COLUMNS], definitions)


def totals(table: IndicatorTable, area_ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Add up the known figures of a group of areas, such as the city, from the smallest areas there are.

    Parameters
    ----------
    table
        Indicators of the areas.
    area_ids
        The group, by the codes of ``table.data``; all areas when left out. A smallest area in several of them counts
        once.

    Returns
    -------
    pandas.DataFrame
        Index ``indicator, period``; ``numerator``, ``denominator``, ``value``, ``status``, ``children``, ``minimum``,
        ``maximum`` and ``spread`` as in a merged area, ``areas`` (number of smallest areas with a known figure),
        ``areas_missing`` (number without one, empty areas not counted) and ``coverage`` (share of the base that is
        known; a hidden base counts as the others' mean).

    Raises
    ------
    TableError
        When a rate without counts has no base to weigh it by.

    Examples
    --------
    >>> rows = [("a", "poor", "2012", 10.0, 100.0, 10.0, "observed"),
    ...         ("b", "poor", "2012", 90.0, 300.0, 30.0, "observed")]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor})
    >>> float(totals(table).loc[("poor", "2012"), "value"])
    25.0
    """
    rows = table.finest
    if area_ids is not None:
        rows = rows[rows["parent"].isin(set(area_ids))]
    single = _smallest(rows, table.definitions)
    rows = single.data
    ids = pd.Index(rows["area_id"].unique(), name="area_id")
    merged = roll_up(single, pd.Series("all", index=ids, dtype=object), minimum_coverage=0.0)
    result = merged.data.set_index(["indicator", "period"]).drop(columns="area_id")
    keys = [rows["indicator"], rows["period"]]
    known = rows["status"].isin(KNOWN)
    size = _size(rows, rows.groupby(["indicator", "period"]).ngroup())
    result["areas"] = known.groupby(keys).sum()
    result["areas_missing"] = (~known & (rows["status"] != "not_applicable")).groupby(keys).sum()
    result["coverage"] = size.where(known, 0.0).groupby(keys).sum() / size.groupby(keys).sum()
    return result
