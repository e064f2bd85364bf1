"""Indicators: a tidy table with counts, rates made from counts, and typed missing values.

The tidy frame has the columns ``area_id, indicator, period, numerator, denominator, value, status``. A rate is
``numerator / denominator`` times the scale of its unit and is made anew from counts whenever areas are merged.
Missing is never zero: an empty value has a status that says why it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, TableError
from geoplan.places.areas import codes
from geoplan.specs import IndicatorsLayer, IndicatorSpec

__all__ = [
    "COLUMNS",
    "KNOWN",
    "MISSING",
    "STATUSES",
    "IndicatorTable",
    "JoinReport",
    "as_indicators",
    "join_report",
    "known_sums",
    "roll_up",
    "totals",
    "unit_scale",
]

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
KNOWN = ("observed", "estimated", "provisional")
MISSING = ("suppressed", "not_collected", "not_applicable", "out_of_scope")
STATUSES = KNOWN + MISSING
_SCALES = {"pct": 100.0, "per_mille": 1e3, "per_1000": 1e3, "per_10000": 1e4, "per_100000": 1e5}
_GROUPED = r"^(-?\d{1,3}(?:[ \u00a0\u202f]\d{3})+)((?:[.,]\d+)?)$"
_POINTED = r"-?\d{1,3}(?:\.\d{3})+"  # 1.234 in a file with decimal commas: a thousand in Danish, or a slip
_FAULTS_PER_COLUMN = 3


@dataclass(frozen=True)
class IndicatorTable:
    """A tidy table together with the definitions of its indicators.

    Attributes
    ----------
    data
        Columns ``area_id, indicator, period`` (str), ``numerator, denominator, value`` (float, in the indicator's
        unit), ``status`` (one of :data:`STATUSES`); one row per area, indicator and period.
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


# ---------------------------------------------------------------- reading


def as_indicators(frame: pd.DataFrame, layer: IndicatorsLayer) -> IndicatorTable:
    """Turn a table as read from a file into a tidy table with its definitions.

    Parameters
    ----------
    frame
        Text or numbers, long or wide as ``layer.shape`` says; the index is the row number used in faults.
    layer
        The dataset's entry in the catalogue.

    Raises
    ------
    InputError
        With all faults at once: absent columns, codes missing or shortened, rows that occur twice, text in a number
        column, an unknown status, a value without a status, a base of 0 or smaller than its part.
    """
    definitions = {item.id: item for item in layer.indicators}
    long = _from_tidy(frame, layer) if layer.shape == "tidy" else _from_wide(frame, layer)
    with_faults = Faults()
    counts = long["indicator"].map({name: item.kind for name, item in definitions.items()}) == "count"
    long["numerator"] = long["numerator"].where(~counts | long["numerator"].notna(), long["value"])
    _check_values(long, definitions, with_faults)
    with_faults.raise_any()
    long["value"] = _values(long, definitions)
    long = long.sort_values(["area_id", "indicator", "period"], ignore_index=True)
    return IndicatorTable(data=long[COLUMNS], definitions=definitions)


def _from_tidy(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    faults = Faults()
    present = list(frame.columns)
    for name, key in ((layer.id_column, "id_column"), ("indicator", None), ("period", None)):
        for error in checks.absent_columns({name} - set(present), present, key=key):
            faults.add(error)
    if not {"numerator", "value"} & set(present):
        what = "there is neither a column 'numerator' nor a column 'value' in the data"
        hint = 'a table with a column for each indicator needs `shape = "wide"` in the layer\'s TOML'
        faults.add(TableError(Fault(what=what, hint=hint)))
    faults.raise_any()

    long = pd.DataFrame(index=frame.index)
    with faults.catch():
        long["area_id"] = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
    for name in ("indicator", "period"):
        long[name] = frame[name].fillna("").astype(str).str.strip()
    for name in ("numerator", "denominator", "value"):
        cells = frame[name] if name in frame else pd.Series("", index=frame.index)
        long[name], long[f"{name}_code"] = _numbers(cells, name, layer, faults, counts=name != "value")
    stated = pd.Series("", index=frame.index)
    if "status" in frame:
        stated = frame["status"].fillna("").astype(str).str.strip()
    codes_found = long[["numerator_code", "value_code", "denominator_code"]].replace("", np.nan)
    long["status"] = stated.where(stated != "", codes_found.bfill(axis=1).iloc[:, 0].fillna("observed"))
    known = {item.id for item in layer.indicators}
    for name in sorted(set(long["indicator"]) - known):
        row = int(long.index[long["indicator"] == name][0])
        fault = Fault(
            what=f"the indicator '{name}' is not defined",
            row=row,
            column="indicator",
            hint=checks.did_you_mean(name, known) or "add an [[indicators]] block for it to the layer's TOML",
        )
        faults.add(TableError(fault))
    faults.raise_any()
    return long


def _from_wide(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    faults = Faults()
    present = list(frame.columns)
    for error in checks.absent_columns({layer.id_column} - set(present), present, key="id_column"):
        faults.add(error)
    for number, item in enumerate(layer.indicators):
        for key in ("numerator", "denominator", "value"):
            absent = [name for name in _columns(getattr(item, key)) if name not in frame]
            for error in checks.absent_columns(absent, present, key=f"indicators.{number}.{key}"):
                faults.add(error)
    faults.raise_any()

    ids = pd.Series("", index=frame.index)
    with faults.catch():
        ids = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
        if ids.duplicated().any():
            repeated = ids[ids.duplicated()]
            raise checks.duplicate_ids(sorted(set(repeated)), layer.id_column, row=int(repeated.index[0]))
    parsed: dict[str, tuple[pd.Series, pd.Series]] = {}
    for item in layer.indicators:
        counted = (*_columns(item.numerator), *_columns(item.denominator))
        for name in (*counted, *_columns(item.value)):
            if name not in parsed:
                parsed[name] = _numbers(frame[name], name, layer, faults, counts=name in counted)
    faults.raise_any()
    parts = [_wide_part(item, ids, layer, parsed) for item in layer.indicators]
    return pd.concat(parts)


def _wide_part(
    item: IndicatorSpec,
    ids: pd.Series,
    layer: IndicatorsLayer,
    parsed: Mapping[str, tuple[pd.Series, pd.Series]],
) -> pd.DataFrame:
    part = pd.DataFrame({"area_id": ids, "indicator": item.id, "period": layer.period}, index=ids.index)
    status = pd.Series("", index=ids.index, dtype=object)
    for role in ("numerator", "denominator", "value"):
        names = _columns(getattr(item, role))
        total = pd.Series(np.nan, index=ids.index)
        if names:
            total = sum((parsed[name][0] for name in names[1:]), start=parsed[names[0]][0])
        part[role] = total
        for name in names:
            status = status.where(status != "", parsed[name][1])
    part["status"] = status.replace("", "observed")
    part["column"] = "/".join((*_columns(item.numerator), *_columns(item.value), *_columns(item.denominator)))
    if layer.empty_base == "not_applicable" and item.denominator is not None:
        nobody = part["denominator"] == 0
        part.loc[nobody, ["numerator", "denominator", "value"]] = np.nan
        part.loc[nobody, "status"] = "not_applicable"
    return part


def _columns(names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _numbers(
    cells: pd.Series, column: str, layer: IndicatorsLayer, faults: Faults, *, counts: bool
) -> tuple[pd.Series, pd.Series]:
    """Read numbers: their values, and the status of those that are a code for a missing value."""
    typed = pd.api.types.is_numeric_dtype(cells)
    if typed:
        cells = cells.map(lambda number: "" if pd.isna(number) else f"{number:.17g}")
    text = cells.fillna("").astype(str).str.strip()
    code = text.map(lambda cell: layer.missing_codes.get(cell, "")).astype(object)
    plain = text.where(code == "", "").str.replace("\u2212", "-", regex=False)  # a true minus sign
    doubtful = pd.Series(False, index=cells.index)  # noqa: FBT003  pandas' own signature
    if layer.decimal == "," and not typed:
        doubtful = plain.str.fullmatch(_POINTED)
        plain = plain.str.replace(",", ".", regex=False)
    elif counts and not typed:
        # 1.000 residents are a thousand, not one; a column of which some cells read otherwise has true decimals.
        doubtful = plain.str.contains(".", regex=False)
        doubtful &= plain[doubtful].str.fullmatch(_THOUSANDS).all()
    grouped = plain.str.replace(_GROUPED, lambda m: m[1].translate(_NO_SPACE) + m[2].replace(",", "."), regex=True)
    values = pd.to_numeric(grouped.replace("", np.nan), errors="coerce").astype(float)
    wrong = (grouped != "") & (~np.isfinite(values) | doubtful)
    for row, shown in text[wrong].head(_FAULTS_PER_COLUMN).items():
        hint = None
        if doubtful[row] and layer.decimal == ".":
            hint = "the point seems to part thousands; write 1234 or 1 234, or decimals with another number of places"
        elif doubtful[row]:
            hint = 'with `decimal = ","` the point may part thousands or decimals; write 1234, 1 234 or 1,234'
        elif layer.decimal == "." and "," in shown:
            hint = 'if the comma is the decimal sign, write `decimal = ","` in the layer\'s TOML'
        faults.add(checks.bad_number(shown, row=int(row), column=column, hint=hint))
    rest = int(wrong.sum()) - _FAULTS_PER_COLUMN
    if rest > 0:
        faults.add(TableError(Fault(what=f"{rest} more values are not numbers", column=column)))
    return values, code


_THOUSANDS = r"-?[1-9]\d{0,2}(\.\d{3})+"
_NO_SPACE = {ord(sign): None for sign in " \u00a0\u202f"}


# ---------------------------------------------------------------- checking


def _check_values(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec], faults: Faults) -> None:
    """Collect everything that cannot be true of the table."""
    kind = long["indicator"].map({name: item.kind for name, item in definitions.items()})
    known = long["status"].isin(KNOWN)
    top, base = long["numerator"], long["denominator"]
    empty = top.isna() & long["value"].isna()
    needs_base = known & (kind != "count") & ~top.isna()
    over = known & (kind == "share") & (base > 0) & (top > base)
    value = long["value"]
    scale = long["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    made = top / base * scale
    rounded = np.minimum(0.5, 0.005 * scale) + 0.005 * made.abs()  # a rate published in whole per cent is not another
    rules = [
        ("period", long["period"] == "", "there is no period", "a year, or the name of a period", None),
        (
            "status",
            ~long["status"].isin(STATUSES),
            "the status is not one geoplan knows",
            f"one of {checks.listed(STATUSES, shown=9)}",
            None,
        ),
        (
            "numerator",
            known & empty,
            "there is neither a number nor a reason why it is missing",
            "a number, or a status such as suppressed or not_collected",
            'name what stands there under `missing_codes` in the layer\'s TOML, such as "" = "not_collected"',
        ),
        (
            "status",
            ~known & ~empty & long["status"].isin(MISSING),
            "there is a number, but the status says that it is missing",
            "an empty cell, or the status observed",
            None,
        ),
        ("denominator", known & needs_base & base.isna(), "there is a count but no base", "a denominator", None),
        (
            "denominator",
            known & (base == 0),
            "the base is 0",
            "a base above 0",
            'where nobody lives the status is not_applicable; in a wide table `empty_base = "not_applicable"` says so',
        ),
        ("denominator", known & (base < 0), "the base is negative", "a base above 0", None),
        ("numerator", known & (kind != "mean") & (top < 0), "the count is negative", "0 or more", None),
        (
            "denominator",
            over,
            "the base is smaller than its part",
            "a numerator no larger than its denominator",
            "a figure that may exceed its base is of kind rate, not share",
        ),
        (
            "value",
            known & (((kind == "share") & ~value.between(0, scale) & value.notna()) | ((kind == "rate") & (value < 0))),
            "the rate cannot be",
            "a share between nothing and all of its base, a rate of 0 or more",
            "look at the unit: pct is of 100, share of 1",
        ),
        (
            "value",
            known & (kind != "count") & (base > 0) & ((value - made).abs() > rounded),
            "the rate does not follow from its counts",
            "numerator / denominator in the indicator's unit, or no value",
            "geoplan makes rates from counts; leave the column of values out if it is another figure",
        ),
        (
            None,
            long.duplicated(["area_id", "indicator", "period"]),
            "the area, indicator and period occur a second time",
            "one row for each",
            None,
        ),
    ]
    for column, wrong, what, expected, hint in rules:
        rows = long[wrong.to_numpy(dtype=bool)]
        _add_rows(rows, Fault(what=what, column=column, expected=expected, hint=hint), faults)


def _add_rows(rows: pd.DataFrame, fault: Fault, faults: Faults) -> None:
    """Add a fault for each of the first rows; a wide table names its own columns."""
    for row, cell in rows.head(_FAULTS_PER_COLUMN).iterrows():
        located = replace(
            fault,
            what=f"{fault.what} ({_figure(cell)})",
            row=int(row),
            column=cell.get("column", fault.column),
            area=str(cell["area_id"]),
        )
        faults.add(TableError(located))
    rest = len(rows) - _FAULTS_PER_COLUMN
    if rest > 0:
        faults.add(TableError(Fault(what=f"{fault.what}, in {rest} more rows")))


def _figure(cell: pd.Series) -> str:
    """Say which figure a row holds: ``poor 2012: numerator 300, denominator 0``."""
    numbers = [f"{name} {cell[name]:.10g}" for name in ("numerator", "denominator", "value") if pd.notna(cell[name])]
    status = [] if cell["status"] == "observed" else [f"status '{cell['status']}'"]
    name = f"{cell['indicator']} {cell['period']}".strip()
    return f"{name}: {', '.join(numbers + status) or 'empty'}"


def _values(long: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> pd.Series:
    """Make rates from counts; a value given without counts stays as it is."""
    scale = long["indicator"].map({name: unit_scale(item.unit) for name, item in definitions.items()}).astype(float)
    kind = long["indicator"].map({name: item.kind for name, item in definitions.items()})
    rate = long["numerator"] / long["denominator"] * scale
    made = long["numerator"].where(kind == "count", rate)
    return made.where(long["numerator"].notna(), long["value"])


# ---------------------------------------------------------------- joining and merging


def join_report(area_ids: Iterable[str], table: IndicatorTable) -> JoinReport:
    """Compare the codes of areas with those of a table.

    Raises
    ------
    IdError
        When not one code is on both sides.
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
        known, else ``estimated`` (or ``provisional``), else the reason of the missing part. ``parts`` keeps the rows
        of the smallest areas.

    Raises
    ------
    TableError
        When a rate without counts has no base to weigh it by.
    """
    # Always from the smallest areas, so that it is the same by which way one climbs, and no known figure is lost.
    rows = table.finest.assign(parent=table.finest["parent"].map(parents))
    rows = rows[rows["parent"].notna()]
    if estimated:
        rows = rows.assign(status=rows["status"].where(~rows["status"].isin(KNOWN), "estimated"))
    _must_have_weights(rows, table.definitions)
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
    merged = total.rename_axis(["area_id", "indicator", "period"]).reset_index()
    return IndicatorTable(data=merged[COLUMNS], definitions=table.definitions, parts=rows[[*COLUMNS, "parent"]])


def _must_have_weights(rows: pd.DataFrame, definitions: Mapping[str, IndicatorSpec]) -> None:
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
