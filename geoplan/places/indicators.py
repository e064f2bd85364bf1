"""Indicators: a tidy table with counts, rates made from counts, and typed missing values.

The tidy frame has the columns ``area_id, indicator, period, numerator, denominator, value, status``. A rate is
``numerator / denominator`` times the scale of its unit and is made anew from counts whenever areas are merged.
Missing is never zero: an empty value has a status that says why it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, TableError
from geoplan.places.provenance import PROVENANCE, merge_provenance
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
_SCALES = {"pct": 100.0, "per_mille": 1e3, "per_1000": 1e3, "per_10000": 1e4, "per_100000": 1e5}


@dataclass(frozen=True)
class IndicatorTable:
    """A tidy table together with the definitions of its indicators.

    Attributes
    ----------
    data
        Columns ``area_id, indicator, period`` (str), ``numerator, denominator, value`` (float, in the indicator's
        unit), ``status`` (one of :data:`STATUSES`); one row per area, indicator and period. Besides any of
        :data:`EXTRAS`, such as ``source``, ``method`` and ``reason``.
    definitions
        Indicator id → :class:`~geoplan.specs.IndicatorSpec`.
    parts
        For merged areas the rows they were merged from, with the column ``parent``: the area of ``data`` that each
        belongs to. A hidden figure makes a merged one unknown, and all that is known must still count in the city.
    """

    data: pd.DataFrame
    definitions: Mapping[str, IndicatorSpec]
    parts: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def finest(self) -> pd.DataFrame:
        """The rows of the smallest areas there are, with the column ``parent``: the area of ``data`` they belong to."""
        return self.data.assign(parent=self.data["area_id"]) if self.parts is None else self.parts

    def wide(self, period: str, column: str = "value") -> pd.DataFrame:
        """Return one period as areas × indicators of a column (``value``, ``denominator``, ``status`` …)."""
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
    """

    matched: tuple[str, ...]
    without_data: tuple[str, ...]
    without_area: tuple[str, ...]

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
        return said


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
    parents: pd.Series,
    *,
    minimum_coverage: float = 0.8,
    estimated: bool = False,
) -> IndicatorTable:
    """Merge areas: counts are added up and rates made anew from them.

    Parameters
    ----------
    table
        Indicators of the children.
    parents
        Index the children's codes, values the parent's code or None (a child without parent is left out; see
        :func:`join_report`). From :func:`~geoplan.places.parents_at`.
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
        known, else ``estimated`` (or ``provisional``), else the reason of the missing part. Where the table has them,
        ``source`` names all sources of the known parts, ``method`` gets the step ``rolled_up``, and ``reason`` stays
        where all missing parts agree on it. ``parts`` keeps the rows of the smallest areas.

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
    >>> town = roll_up(table, pd.Series({"a": "town", "b": "town"}))
    >>> town.data[["numerator", "denominator", "value"]].values.tolist()
    [[100.0, 400.0, 25.0]]
    """
    # Always from the smallest areas, so that it is the same by which way one climbs, and no known figure is lost.
    rows = table.finest.assign(parent=table.finest["parent"].map(parents))
    rows = rows[rows["parent"].notna()]
    if estimated:
        rows = rows.assign(status=rows["status"].where(~rows["status"].isin(KNOWN), "estimated"))
    must_have_weights(rows, table.definitions)
    kind = rows["indicator"].map({name: item.kind for name, item in table.definitions.items()})
    known = rows["status"].isin(KNOWN)
    counted = known & rows["numerator"].notna()
    weight = rows["denominator"].where(known)
    keys = [rows["parent"], rows["indicator"], rows["period"]]

    sums = pd.DataFrame(
        {
            "numerator": rows["numerator"].where(known),
            "denominator": weight,
            "weighted": rows["value"].where(known) * weight,
            "size": _size(rows, keys),
            "known_size": _size(rows, keys).where(known, 0.0),
            "parts": (rows["status"] != "not_applicable").astype(int),
            "known_parts": known.astype(int),
            "counted": counted.astype(int),
        }
    ).groupby(keys, sort=True)
    total = sums.sum(min_count=1)
    total["kind"] = kind.groupby(keys).first()
    total["status"] = _merged_status(rows, keys, total, minimum_coverage)
    missing = total["status"].isin(MISSING)
    by_counts = total["counted"] == total["known_parts"]
    scale = total.index.get_level_values(1).map({n: unit_scale(i.unit) for n, i in table.definitions.items()})
    rate = total["numerator"] / total["denominator"] * np.asarray(scale, dtype=float)
    mean = total["weighted"] / total["denominator"]
    total["value"] = total["numerator"].where(total["kind"] == "count", rate.where(by_counts, mean))
    total["numerator"] = total["numerator"].where(by_counts)
    total.loc[missing, ["numerator", "denominator", "value"]] = np.nan
    merged = total.join(merge_provenance(rows, keys, known, missing, "rolled_up"))
    merged = merged.rename_axis(["area_id", "indicator", "period"]).reset_index()
    kept = [name for name in PROVENANCE if name in rows]
    return IndicatorTable(
        data=merged[[*COLUMNS, *kept]], definitions=table.definitions, parts=rows[[*COLUMNS, *kept, "parent"]]
    )


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


def _size(rows: pd.DataFrame, keys: list[pd.Series]) -> pd.Series:
    """Weigh the parts of a merged area: by their base, or by their siblings' mean base where that is hidden."""
    base = rows["denominator"]
    mean = base.groupby(keys).transform("mean")
    return base.fillna(mean).fillna(1.0).where(rows["status"] != "not_applicable", 0.0)


def _merged_status(
    rows: pd.DataFrame,
    keys: list[pd.Series],
    total: pd.DataFrame,
    minimum_coverage: float,
) -> pd.Series:
    has = {
        name: (rows["status"] == name).groupby(keys).any().reindex(total.index)
        for name in ("estimated", "provisional", "suppressed", "not_collected", "out_of_scope")
    }
    whole = total["known_parts"] == total["parts"]
    coverage = (total["known_size"] / total["size"].where(total["size"] > 0)).fillna(0.0)
    enough = (total["known_parts"] > 0) & (whole | ((coverage >= minimum_coverage) & (total["kind"] != "count")))
    guessed = has["estimated"] | ~whole
    found = np.select([guessed, has["provisional"]], ["estimated", "provisional"], "observed")
    why = np.select(
        [total["parts"] == 0, has["suppressed"], has["not_collected"]],
        ["not_applicable", "suppressed", "not_collected"],
        "out_of_scope",
    )
    return pd.Series(np.where(enough, found, why), index=total.index)


def known_sums(table: IndicatorTable) -> IndicatorTable:
    """Return the areas with all that is known of their parts, however little of the base that is.

    This is what an area brings to the city's value; for an area's own figure see :func:`roll_up`.
    """
    if table.parts is None:
        return table
    parents = table.parts.drop_duplicates("area_id").set_index("area_id")["parent"]
    return roll_up(IndicatorTable(table.parts[COLUMNS], table.definitions), parents, minimum_coverage=0.0)


def totals(table: IndicatorTable, area_ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Add up the known figures of a group of areas, such as the city, from the smallest areas there are.

    Parameters
    ----------
    table
        Indicators of the areas.
    area_ids
        The group, by the codes of ``table.data``; all areas when left out.

    Returns
    -------
    pandas.DataFrame
        Index ``indicator, period``; ``numerator``, ``denominator``, ``value`` as in a merged area, ``areas`` (number of
        smallest areas with a known figure), ``areas_missing`` (number without one, empty areas not counted) and
        ``coverage`` (share of the base that is known; a hidden base counts as the others' mean).

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
    ids = pd.Index(rows["area_id"].unique(), name="area_id")
    single = IndicatorTable(rows[COLUMNS], table.definitions)
    merged = roll_up(single, pd.Series("all", index=ids, dtype=object), minimum_coverage=0.0)
    result = merged.data.set_index(["indicator", "period"]).drop(columns="area_id")
    keys = [rows["indicator"], rows["period"]]
    known = rows["status"].isin(KNOWN)
    size = _size(rows, keys)
    result["areas"] = known.groupby(keys).sum()
    result["areas_missing"] = (~known & (rows["status"] != "not_applicable")).groupby(keys).sum()
    result["coverage"] = size.where(known, 0.0).groupby(keys).sum() / size.groupby(keys).sum()
    return result
