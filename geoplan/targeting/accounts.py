"""The accounts of a grant: what was measured, paid, used, carried over and advanced, by area and year.

Money is counted in whole kronor. A year's money may be used later (carried over) or before it is paid (advanced), and
every krona must be found again: in each area and year, from year to year, and in the envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError, TableError
from geoplan.targeting.amounts import Amount, areas_of, caller, exact, kronor, said
from geoplan.targeting.improvements import data_periods

__all__ = ["Accounts", "programme_accounts"]

#: What a row may state in money, besides the two that it must.
_OPTIONAL = ("returned", "advanced", "carried_over")
_MONEY = ("paid", "used", *_OPTIONAL)


@dataclass(frozen=True)
class Accounts:
    r"""The accounts of a grant, every krona found.

    Of each area and year, in kr:

    .. math::

        \text{carried in} + \text{paid} + \text{advanced} =
        \text{settled} + \text{used} + \text{returned} + \text{carried over}

    where ``advanced`` is money of the next year's payment used in this one, ``settled`` the part of this year's payment
    that was used the year before (:math:`\text{settled}_t = \text{advanced}_{t-1}`), ``carried over`` what is left for
    the next year (:math:`\text{carried in}_t = \text{carried over}_{t-1}`) and ``returned`` what the authority got
    back. Nothing is carried in or settled in an area's first year.

    Attributes
    ----------
    table
        Index ``area_id``, ``year``, in order. Columns ``measured`` (the years of the data that earned the payment, such
        as ``2011–2012``; empty without a lag), and in kr (int64) ``carried_in``, ``paid``, ``advanced``, ``settled``,
        ``used``, ``returned``, ``carried_over``.
    by_year
        Index ``year``. The same sums (int64, kr), and ``envelope`` (Int64, kr; missing where none was stated) and
        ``areas`` (int64, number of areas).
    by_area
        Index ``area_id``. ``paid``, ``used``, ``returned`` of all years, ``carried_over`` and ``advanced`` at the end
        of its last one (int64, kr): :math:`\text{paid} + \text{advanced} = \text{used} + \text{returned} +
        \text{carried over}`.
    conventions
        The unit as read, the lag, and the identity.
    """

    table: pd.DataFrame
    by_year: pd.DataFrame
    by_area: pd.DataFrame
    conventions: Mapping[str, str]

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Say it in sentences; ``names`` maps a code to a name, such as ``areas["name"]``."""
        called = caller(names)
        text = []
        for year, row in self.by_year.iterrows():
            measured = self.table.xs(year, level="year")["measured"].iloc[0]
            earned = f" for what changed {measured}" if measured else ""
            reached = "" if pd.isna(row["envelope"]) else ", the envelope to the krona"
            told = f"{year}: {said(row['paid'])} paid to {areas_of(int(row['areas']))}{earned}{reached}"
            words = {
                "used": "used",
                "carried_in": "carried in",
                "carried_over": "carried over",
                "advanced": "advanced from the next year",
                "settled": "settled for the year before",
                "returned": "returned",
            }
            rest = [f"{said(row[name])} {word}" for name, word in words.items() if row[name] or name == "used"]
            text.append(f"{told}; {', '.join(rest)}.")
        for code, row in self.by_area.iterrows():
            if row["carried_over"]:
                text.append(f"{called(code)} has {said(row['carried_over'])} left at the end.")
            if row["advanced"]:
                text.append(f"{called(code)} has used {said(row['advanced'])} of a payment that is still to come.")
        return text


def programme_accounts(
    rows: pd.DataFrame,
    *,
    unit: str = "kr",
    envelopes: Mapping[int, Amount] | None = None,
    envelope_unit: str | None = None,
    lag: int | None = None,
) -> Accounts:
    r"""Make up the accounts of a grant, and refuse those in which a krona is missing.

    Parameters
    ----------
    rows
        One row an area and year, every year from an area's first to its last: ``area_id``, ``year`` (a whole number),
        ``paid``, ``used``, and where there are any ``returned`` and ``advanced``; an empty one of these two is none.
        ``carried_over`` is worked out; where it is stated, it must be the same. ``unit`` for rows in several units.
    unit
        Of the amounts: ``kr``, ``tkr`` or ``Mkr``; turned into kronor exactly.
    envelopes
        Year → the envelope, which the payments of the year must add up to.
    envelope_unit
        Of the envelopes; that of the amounts when left out.
    lag
        Years from the later year of the data to the payment, as in the rule, to say what was measured.

    Returns
    -------
    Accounts

    Raises
    ------
    InputError
        With every fault there is: a column or amount that is missing, negative or no whole number of kronor, a unit
        that is none, a year that is missing or stated twice, an area that used more than it has, an advance beyond the
        next payment or beside money left over, money carried over that was never paid, and sums that are off, by how
        many kronor.

    Examples
    --------
    >>> rows = pd.DataFrame({"area_id": ["a", "a"], "year": [2013, 2014], "paid": [6.6, 6.6], "used": [5.1, 8.1]})
    >>> made = programme_accounts(rows, unit="Mkr", envelopes={2013: 6.6, 2014: 6.6}, lag=1)
    >>> made.table["carried_over"].tolist()
    [1500000, 0]
    >>> print(*made.lines(), sep="\n")
    2013: 6,600,000 kr paid to 1 area for what changed 2011–2012, the envelope to the krona; 5,100,000 kr used,
    1,500,000 kr carried over.
    2014: 6,600,000 kr paid to 1 area for what changed 2012–2013, the envelope to the krona; 8,100,000 kr used,
    1,500,000 kr carried in.
    """
    faults = Faults()
    for error in checks.absent_columns([n for n in ("area_id", "year", "paid", "used") if n not in rows], list(rows)):
        faults.add(error)
    if lag is not None and (isinstance(lag, bool) or not isinstance(lag, int) or lag < 0):
        faults.add(SpecError(Fault(what=f"{lag} is no lag", key="lag", expected="a whole number of years from 0")))
    if not len(rows):
        faults.add(TableError(Fault(what="there are no rows", expected="a row for each area and year")))
    faults.raise_any()
    read = _read(rows, unit, faults)
    made = []
    for area, own in read.groupby("area_id", sort=True):
        made += _followed(str(area), own, faults)
    stated = _envelopes(envelopes or {}, envelope_unit or unit, faults)
    _check_envelopes(read, stated, faults)
    faults.raise_any()

    table = pd.DataFrame(made).set_index(["area_id", "year"])
    years = table.index.get_level_values("year")
    measured = ["" if lag is None else "–".join(data_periods(year, lag)) for year in years]
    table.insert(0, "measured", measured)
    sums = table.drop(columns="measured").groupby(level="year").sum()
    sums["envelope"] = pd.array([stated.get(year) for year in sums.index], dtype="Int64")
    sums["areas"] = table.groupby(level="year").size()
    by = table.groupby(level="area_id")
    by_area = by[["paid", "used", "returned"]].sum().join(by[["carried_over", "advanced"]].last())
    conventions = {
        "unit": "as stated in each row" if "unit" in rows else unit,
        "lag": "not stated" if lag is None else f"{lag} years from the later year of the data to the payment",
        "identity": "carried in + paid + advanced = settled + used + returned + carried over, in each area and year",
    }
    return Accounts(table, sums, by_area, conventions)


# ---------------------------------------------------------------- reading


def _read(rows: pd.DataFrame, unit: str, faults: Faults) -> pd.DataFrame:
    """Turn amounts into kronor and years into whole numbers; what cannot be read is a fault and an empty cell."""
    made = []
    for number, row in enumerate(rows.to_dict("records"), start=2):  # as in a spreadsheet, below the header
        year = exact(row["year"])
        if year is None or year.denominator != 1:
            what = f"'{row['year']}' is no year"
            faults.add(TableError(Fault(what=what, row=number, column="year", expected="a whole number")))
        if not isinstance(row["area_id"], str) or not row["area_id"]:
            faults.add(checks.missing_ids([number], "area_id"))
            continue
        if year is None or year.denominator != 1:
            continue
        money = {}
        for name in _MONEY:
            value = row.get(name)
            empty = value is None or value == "" or value is pd.NA or value != value  # noqa: PLR0124  NaN
            if empty:
                money[name] = None if name in {"paid", "used", "carried_over"} else 0
                if name in {"paid", "used"}:
                    fault = Fault(
                        what=f"there is no amount '{name}'",
                        row=number,
                        column=name,
                        area=row["area_id"],
                        expected="an amount in every row; 0 where there was none",
                    )
                    faults.add(TableError(fault))
                continue
            money[name] = _amount(value, str(row.get("unit", unit)), number, name, row["area_id"], faults)
        made.append({"area_id": row["area_id"], "year": int(year), "row": number, **money})
    # Whole numbers stay what they are beside an empty cell.
    frame = pd.DataFrame(made, columns=["area_id", "year", "row", *_MONEY], dtype=object)
    frame = frame.sort_values(["area_id", "year", "row"], ignore_index=True)
    for row in frame[frame.duplicated(["area_id", "year"])].to_dict("records"):
        what = f"{row['year']} is stated twice"
        faults.add(IdError(Fault(what=what, row=row["row"], area=row["area_id"], expected="one row an area and year")))
    return frame.drop_duplicates(["area_id", "year"], ignore_index=True)


def _amount(value: Amount, unit: str, row: int, column: str, area: str, faults: Faults) -> int | None:
    """Return kronor; None when the amount is none, or is in no unit."""
    found = None
    try:
        found = kronor(value, unit)
    except (SpecError, TableError) as error:
        faults.add(type(error)(replace(fault, row=row, column=column, area=area) for fault in error.faults))
    if found is not None and found < 0:
        fault = Fault(
            what=f"{value} {unit} is negative", row=row, column=column, area=area, expected="an amount from 0"
        )
        faults.add(TableError(fault))
        return None
    return found


# ---------------------------------------------------------------- following the money


def _followed(area: str, rows: pd.DataFrame, faults: Faults) -> list[dict[str, object]]:
    """Follow an area's money from year to year; stop where a figure is missing, for the rest hangs on it."""
    made: list[dict[str, object]] = []
    carried, owed, last = 0, 0, None
    for row in rows.to_dict("records"):
        year = row["year"]
        if last is not None and year != last + 1:
            missing = ", ".join(str(each) for each in range(last + 1, year))
            what = f"there is no row of {missing}"
            faults.add(TableError(Fault(what=what, area=area, expected="every year from the first to the last")))
            break
        if any(row[name] is None for name in ("paid", "used", "returned", "advanced")):
            break
        paid, used, returned, advanced = (row[name] for name in ("paid", "used", "returned", "advanced"))
        left = carried + paid + advanced - owed - used - returned
        before = len(list(faults))
        _check_year(area, row, carried, owed, left, faults)
        made.append(
            {
                "area_id": area,
                "year": year,
                "carried_in": carried,
                "paid": paid,
                "advanced": advanced,
                "settled": owed,
                "used": used,
                "returned": returned,
                "carried_over": left,
            }
        )
        # A year that does not add up would only be reported again in the next.
        if len(list(faults)) > before:
            break
        carried, owed, last = left, advanced, year
    return made


def _check_year(area: str, row: Mapping[str, int], carried: int, owed: int, left: int, faults: Faults) -> None:
    year, paid, stated = row["year"], row["paid"], row["carried_over"]
    if owed > paid:
        fault = Fault(
            what=f"{said(owed)} of {year} were used in {year - 1}, but only {said(paid)} were paid: "
            f"{said(owed - paid)} too much was advanced",
            row=row["row"],
            column="advanced",
            area=area,
            expected="an advance of at most the next payment",
        )
        faults.add(TableError(fault))
    elif left < 0:
        has = carried + paid + row["advanced"] - owed
        fault = Fault(
            what=f"{said(row['used'] + row['returned'])} were used or returned in {year}, {said(-left)} more than the "
            f"{said(has)} there are",
            row=row["row"],
            column="used",
            area=area,
            hint="money of the next year used before it is paid is stated as `advanced`",
        )
        faults.add(TableError(fault))
    elif left and row["advanced"]:
        fault = Fault(
            what=f"{said(row['advanced'])} were advanced in {year} although {said(left)} are left over",
            row=row["row"],
            column="advanced",
            area=area,
            expected="an advance only of what is used",
        )
        faults.add(TableError(fault))
    if stated is not None and stated != left and left >= 0:
        if stated and not paid and not carried:
            what = f"{said(stated)} are carried over from {year}, in which nothing was paid or carried in"
        else:
            way = "more" if stated > left else "less"
            what = (
                f"{said(stated)} are carried over from {year}, {said(abs(stated - left))} {way} than {said(left)} left"
            )
        fault = Fault(
            what=what,
            row=row["row"],
            column="carried_over",
            area=area,
            expected="carried in + paid + advanced − settled − used − returned",
        )
        faults.add(TableError(fault))


def _envelopes(envelopes: Mapping[int, Amount], unit: str, faults: Faults) -> dict[int, int]:
    stated = {}
    for year, amount in envelopes.items():
        with faults.catch():
            stated[int(year)] = kronor(amount, unit, key=f"envelopes.{year}")
    return stated


def _check_envelopes(read: pd.DataFrame, stated: Mapping[int, int], faults: Faults) -> None:
    for year, envelope in stated.items():
        own = read["paid"][read["year"] == year]
        if own.isna().any():
            continue  # said already
        paid = int(own.sum())
        if paid != envelope:
            way = "more" if paid > envelope else "less"
            by = said(abs(paid - envelope))
            what = f"the payments of {year} add up to {said(paid)}, {by} {way} than the envelope of {said(envelope)}"
            faults.add(TableError(Fault(what=what, key=f"envelopes.{year}")))
    extra = sorted(set(read["year"]) - set(stated)) if stated else []
    if extra:
        what = f"there is no envelope for {', '.join(map(str, extra))}"
        faults.add(SpecError(Fault(what=what, key="envelopes", expected="one for every year with payments")))
