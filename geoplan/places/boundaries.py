"""Boundaries that change: figures of every period brought to the areas of one day.

A dated crosswalk says what became of an area when, and which part of its figures went where. It is a table that a city
or a statistics office keeps; one that is made from two maps stands in :mod:`geoplan.places.crosswalks`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places.areas import codes, must_have
from geoplan.places.indicators import COLUMNS, EXTRAS, KNOWN, IndicatorTable
from geoplan.places.provenance import PROVENANCE, concat_tables
from geoplan.places.transfers import A_SHARE, FIGURE, SHOWN, WHOLE, check_shares, transfer

__all__ = ["as_crosswalk", "carry", "change_lines"]

_YEAR = re.compile(r"\d{4}")
_SPAN = re.compile(r"\d{4}\s*[-\u2013/]\s*(?P<last>\d{4})")
_CELLS = {
    "share": ("share", A_SHARE),
    "date": ("date", "a day such as 2013-01-01, or a year"),
}


def as_crosswalk(
    frame: pd.DataFrame,
    *,
    from_column: str = "from_id",
    to_column: str = "to_id",
    share_column: str = "share",
    date_column: str | None = None,
    decimal: str = ".",
    from_width: int | None = None,
    to_width: int | None = None,
) -> pd.DataFrame:
    """Turn a table of boundary changes into a dated crosswalk, for :func:`carry`.

    An area that a change does not mention is left as it is by it. One that gives something away is mentioned in full:
    with what it gives, and with what it keeps.

    Parameters
    ----------
    frame
        One row for each pair of an old area and a new one.
    from_column, to_column, share_column, date_column
        Columns of the old and the new code, of the part of the old area's figures that goes to the new one, and of the
        day of the change (``2013-01-01``; a bare year is its first day).
    decimal
        The decimal sign of shares written as text.
    from_width, to_width
        Number of characters of the codes; a shorter one has lost its leading zeros.

    Returns
    -------
    pandas.DataFrame
        ``from_id``, ``to_id`` (str), ``share`` (float in (0, 1], adding up to 1 for each area and date) and ``date``
        (datetime64; NaT where no date is given), sorted by date.

    Raises
    ------
    InputError
        All faults at once: absent columns, codes missing or shortened, a share that is none, a date that is none,
        shares that do not add up to 1, and areas that cease on one date and come back on a later one.

    Examples
    --------
    >>> frame = pd.DataFrame({"old": ["A", "A"], "new": ["B", "C"], "part": ["0,25", "0,75"], "day": "2013-01-01"})
    >>> changes = as_crosswalk(
    ...     frame, from_column="old", to_column="new", share_column="part", date_column="day", decimal=",")
    >>> changes[["from_id", "to_id", "share"]].values.tolist()
    [['A', 'B', 0.25], ['A', 'C', 0.75]]
    """
    must_have(
        frame,
        {
            "from_column": from_column,
            "to_column": to_column,
            "share_column": share_column,
            "date_column": date_column,
        },
    )
    faults = Faults()
    table = {"share": pd.to_numeric(frame[share_column].astype(str).str.replace(decimal, "."), errors="coerce")}
    table["date"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    if date_column:
        table["date"] = pd.to_datetime(frame[date_column].astype(str), format="ISO8601", errors="coerce")
    wrong = {share_column: ~((table["share"] > 0) & (table["share"] <= 1))}
    wrong |= {date_column: table["date"].isna()} if date_column else {}
    for column, rows in wrong.items():
        noun, expected = _CELLS["share" if column == share_column else "date"]
        for row, text in frame[column][rows].head(SHOWN).items():
            what = f"'{text}' is not a {noun}"
            faults.add(TableError(Fault(what=what, row=_row(row), column=column, expected=expected)))
    for name, column, width in (("from_id", from_column, from_width), ("to_id", to_column, to_width)):
        with faults.catch():
            table[name] = codes(frame[column], width=width)
    faults.raise_any()
    result = pd.DataFrame(table)[["from_id", "to_id", "share", "date"]]
    check_shares(result, faults)
    _check_circles(result, faults)
    faults.raise_any()
    result = result.groupby(["date", "from_id", "to_id"], dropna=False, as_index=False)["share"].sum()
    result["share"] /= result.groupby(["date", "from_id"], dropna=False)["share"].transform("sum")
    return result[["from_id", "to_id", "share", "date"]]


def _row(row: object) -> int | None:
    return int(row) if isinstance(row, int | np.integer) else None


def _check_circles(table: pd.DataFrame, faults: Faults) -> None:
    """Add a fault for each area that ceases on one date and comes back on a later one."""
    stays = table.loc[table["from_id"] == table["to_id"], ["date", "from_id"]]
    ceases = ~pd.MultiIndex.from_frame(table[["date", "from_id"]]).isin(pd.MultiIndex.from_frame(stays))
    edges: dict[str, list[tuple[str, pd.Timestamp]]] = {}
    for row in table[ceases & table["date"].notna()].sort_values("date").itertuples():
        edges.setdefault(row.from_id, []).append((row.to_id, row.date))
    for start in sorted(edges):
        circle = _circle(start, edges)
        if circle:
            way = ", ".join(f"'{first}' becomes '{then}' ({day:%Y-%m-%d})" for first, then, day in circle)
            what = f"the area ceases and comes back: {way}"
            hint = f"call the area that comes back otherwise, such as '{start}-{circle[-1][2]:%Y}'"
            fault = Fault(what=what, area=start, expected="a code that means one area", hint=hint)
            faults.add(TableError(fault))


def _circle(start: str, edges: Mapping[str, list[tuple[str, pd.Timestamp]]]) -> list[tuple[str, str, pd.Timestamp]]:
    """Follow what became of an area, forwards in time, until it is itself again; empty when it never is."""
    paths: list[list[tuple[str, str, pd.Timestamp]]] = [[(start, then, day)] for then, day in edges[start]]
    seen: set[tuple[str, pd.Timestamp]] = set()
    while paths:
        path = paths.pop()
        _, area, day = path[-1]
        if area == start and day > path[0][2]:
            return path
        if (area, day) not in seen:
            seen.add((area, day))
            paths += [[*path, (area, then, later)] for then, later in edges.get(area, []) if later >= day]
    return []


def change_lines(changes: pd.DataFrame) -> list[str]:
    """Return a sentence on every date of a dated crosswalk: how many areas changed, and how many were split."""
    said = []
    for day, rows in changes.groupby("date", dropna=False):
        areas = rows["from_id"].nunique()
        split = rows.loc[rows["share"] < 1, "from_id"].nunique()
        when = "without a date" if pd.isna(day) else f"on {day:%Y-%m-%d}"
        said.append(f"{areas:,} area{'' if areas == 1 else 's'} changed {when}, {split:,} of them split")
    return said


def carry(
    table: IndicatorTable,
    changes: pd.DataFrame,
    *,
    to: str | dt.date | None = None,
    base: str | pd.Series = "population",
    minimum_coverage: float = 0.8,
) -> IndicatorTable:
    """Bring the figures of every period to the areas of one day, over all changes of boundaries between.

    A period belongs to the areas of its last day: ``2012`` to those of 31 December 2012, ``2010-2012`` too. Forwards
    the shares of the changes apply, one change after the other. Backwards a new area is divided among the old ones it
    was made from, by their shares times their base before the change. Renames and mergers stay ``observed``; what went
    over a split is ``estimated``, with its ``moved_share``.

    Parameters
    ----------
    table
        Indicators of any number of periods, each with the codes of its own time.
    changes
        From :func:`as_crosswalk`. Changes without a date come before every period.
    to
        The day whose areas are wanted; the last change when left out.
    base
        What the way back is weighed by: an indicator of the table that counts (its last known figure before the
        change), or a Series with the old areas' codes in the index.
    minimum_coverage
        As of :func:`transfer`.

    Returns
    -------
    IndicatorTable
        As of :func:`transfer`; figures that no change concerns are as they were, their ``moved_share`` 0. The table
        itself when no change concerns any.

    Raises
    ------
    InputError
        When a period has no last day, an old area has no base on the way back, or as :func:`transfer`.

    Examples
    --------
    >>> from geoplan.specs import IndicatorSpec
    >>> rows = [("A", "population", "2012", 100.0, None, 100.0, "observed"),
    ...         ("B", "population", "2013", 30.0, None, 30.0, "observed"),
    ...         ("C", "population", "2013", 80.0, None, 80.0, "observed")]
    >>> people = IndicatorSpec(id="population", label="People", kind="count", unit="persons", direction="neutral")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"population": people})
    >>> changes = as_crosswalk(
    ...     pd.DataFrame({"from_id": "A", "to_id": ["B", "C"], "share": [0.25, 0.75], "date": "2013-01-01"}),
    ...     date_column="date")
    >>> carry(table, changes).wide("2012")["population"].to_dict()
    {'B': 25.0, 'C': 75.0}
    >>> carry(table, changes, to="2012-12-31").wide("2013")["population"].to_dict()
    {'A': 110.0}
    """
    goal = changes["date"].max() if to is None else _day(to)
    days = _last_days(table.periods()) if changes["date"].notna().any() else dict.fromkeys(table.periods(), goal)
    groups: dict[tuple[tuple[pd.Timestamp, bool], ...], list[str]] = {}
    for period, day in days.items():
        groups.setdefault(_steps(changes, day, goal), []).append(period)
    done = []
    for steps, periods in groups.items():
        rows = table.data[table.data["period"].isin(periods)]
        pairs = _chain(rows["area_id"], steps, changes, lambda day: _base_before(table, day, base, days))
        done.append(_carried(rows, table, pairs, minimum_coverage))
    if all(parts is None for _, parts in done):
        return table
    data = concat_tables([rows for rows, _ in done])
    parts = concat_tables([_finest(rows, table) if own is None else own for rows, own in done])
    columns = [*COLUMNS, *(name for name in EXTRAS if name in data)]
    data["moved_share"] = data["moved_share"].fillna(0.0).where(data["status"].isin(KNOWN))
    data = data[columns].sort_values(["area_id", *FIGURE], ignore_index=True)
    return IndicatorTable(data, table.definitions, parts)


def _finest(rows: pd.DataFrame, table: IndicatorTable) -> pd.DataFrame:
    """Return the smallest areas behind some rows of a table."""
    finest = table.finest
    keys = pd.MultiIndex.from_frame(finest[["parent", *FIGURE]])
    kept = keys.isin(pd.MultiIndex.from_frame(rows[["area_id", *FIGURE]]))
    return finest.loc[kept, [*COLUMNS, *(name for name in (*PROVENANCE, "moved_share") if name in finest), "parent"]]


def _carried(
    rows: pd.DataFrame, table: IndicatorTable, pairs: pd.DataFrame, minimum_coverage: float
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Transfer those rows that a change concerns; without any, the rows as they are and no parts."""
    alone = pairs.groupby("to_id")["from_id"].transform("size") == 1
    changed = pairs[~((pairs["from_id"] == pairs["to_id"]) & (pairs["share"] == 1) & alone)]
    concerned = rows["area_id"].isin(changed["from_id"])
    if not concerned.any():
        return rows, None
    stay = rows[~concerned]
    finest = concat_tables([_finest(rows[concerned], table), _gaps(rows[concerned], changed)])
    own = IndicatorTable(rows[concerned], table.definitions, finest)
    moved = transfer(own, changed, minimum_coverage=minimum_coverage)
    parts = [_finest(stay, table), moved.finest]
    return concat_tables([stay, moved.data]), concat_tables(parts)


def _gaps(rows: pd.DataFrame, changed: pd.DataFrame) -> pd.DataFrame:
    """Return a row ``not_collected`` for every area that the table lacks but whose successor it has a part of."""
    here = changed["from_id"].isin(rows["area_id"])
    beside = changed["to_id"].isin(changed.loc[here, "to_id"])
    lacking = changed.loc[~here & beside, ["from_id"]].drop_duplicates()
    gaps = lacking.merge(rows[FIGURE].drop_duplicates(), how="cross").rename(columns={"from_id": "area_id"})
    return gaps.assign(parent=gaps["area_id"], status="not_collected")


def _steps(changes: pd.DataFrame, day: pd.Timestamp, goal: pd.Timestamp) -> tuple[tuple[pd.Timestamp, bool], ...]:
    """Return the changes between two days in the order they are met, each with whether it is undone."""
    dates = sorted(set(changes["date"].dropna()))
    undated = [(pd.NaT, False)] if changes["date"].isna().any() else []
    forwards = [(date, False) for date in dates if day < date <= goal]
    backwards = [(date, True) for date in reversed(dates) if goal < date <= day]
    return (*undated, *forwards, *backwards)


def _chain(
    areas: pd.Series,
    steps: Sequence[tuple[pd.Timestamp, bool]],
    changes: pd.DataFrame,
    base_before: Callable[[pd.Timestamp], pd.Series],
) -> pd.DataFrame:
    """Multiply the shares of one change after the other: ``from_id``, ``to_id``, ``share``."""
    ids = pd.Index(areas.unique(), dtype=object)
    pairs = pd.DataFrame({"from_id": ids, "to_id": ids, "share": 1.0})
    made: set[str] = set()
    for day, undone in steps:
        step = changes[changes["date"].isna() if pd.isna(day) else changes["date"] == day]
        step = step[["from_id", "to_id", "share"]]
        if undone:
            step = _undone(step, set(pairs["to_id"]), base_before(day), day)
        # An area that the table lacks, and no earlier change has made, leaves a gap in what it goes into.
        lacking = pd.Index(sorted(set(step["from_id"]) - made - set(pairs["to_id"])), dtype=object)
        pairs = pd.concat([pairs, pd.DataFrame({"from_id": lacking, "to_id": lacking, "share": 1.0})])
        made |= set(step["to_id"])
        met = pairs.merge(step, left_on="to_id", right_on="from_id", how="left", suffixes=("", "_step"))
        met["to_id"] = met["to_id_step"].fillna(met["to_id"])
        met["share"] *= met["share_step"].fillna(1.0)
        pairs = met.groupby(["from_id", "to_id"], as_index=False)["share"].sum()
    return pairs.assign(share=pairs["share"].where(pairs["share"] < 1 - WHOLE, 1.0))


def _undone(step: pd.DataFrame, present: set[str], base: pd.Series, day: pd.Timestamp) -> pd.DataFrame:
    """Turn a change round: each new area is divided among the old ones by share × base."""
    stayed = sorted((set(step["to_id"]) - set(step["from_id"])) & set(base.dropna().index))
    step = pd.concat([step, pd.DataFrame({"from_id": stayed, "to_id": stayed, "share": 1.0})], ignore_index=True)
    weight = step["from_id"].map(base)
    bare = step.loc[weight.isna() & step["to_id"].isin(present), "from_id"]
    single = step.groupby("to_id")["from_id"].transform("size") == 1
    if not bare[~single].empty:
        raise TableError(
            Fault(
                what=f"figures cannot be taken back before {day:%Y-%m-%d}: no base is known for "
                f"{checks.listed(sorted(set(bare[~single])))}",
                expected="the base of every area before the change",
                hint="let `base` be an indicator that the table counts before the change, or a Series of residents",
            )
        )
    # Nobody lived in any of them: the shares alone are left to go by.
    weight = weight.fillna(1.0) * step["share"]
    total = weight.groupby(step["to_id"]).transform("sum")
    weight = weight.where(total > 0, step["share"])
    share = weight / weight.groupby(step["to_id"]).transform("sum")
    result = pd.DataFrame({"from_id": step["to_id"], "to_id": step["from_id"], "share": share})
    return result[result["share"] > 0]


def _base_before(
    table: IndicatorTable, day: pd.Timestamp, base: str | pd.Series, days: Mapping[str, pd.Timestamp]
) -> pd.Series:
    """Return the base of areas before a change: area code → number."""
    if isinstance(base, pd.Series):
        return base
    rows = table.data[(table.data["indicator"] == base) & table.data["status"].isin(KNOWN)]
    last = rows["period"].map(days)
    rows = rows[last < day].assign(day=last).sort_values("day")
    return rows.drop_duplicates("area_id", keep="last").set_index("area_id")["numerator"]


def _day(text: str | dt.date) -> pd.Timestamp:
    try:
        return pd.Timestamp(text)
    except ValueError as error:
        what = f"'{text}' is not a date"
        raise SpecError(Fault(what=what, key="to", expected="a day such as 2013-01-01")) from error


def _last_days(periods: Sequence[str]) -> dict[str, pd.Timestamp]:
    """Return the last day of each period: a year, a span of years, a quarter, a month or a day."""
    days, unknown = {}, []
    for period in periods:
        span = _SPAN.fullmatch(period)
        try:
            days[period] = pd.Period((span and span["last"]) or period).end_time.normalize()
        except ValueError:
            unknown.append(period)
        if not _YEAR.match(period):
            unknown.append(period)
    if unknown:
        raise TableError(
            Fault(
                what=f"{checks.listed(dict.fromkeys(unknown))} cannot be told to be before or after a change",
                column="period",
                expected="a year, a span of years such as 2010-2012, a quarter (2012Q3), a month or a day",
            )
        )
    return days
