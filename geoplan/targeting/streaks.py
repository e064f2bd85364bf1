"""Published lists, and for how many periods on end an area has been on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.targeting.verdicts import FOREVER, Verdict

__all__ = ["as_earlier", "counted_streaks", "streaks", "years_only"]

EARLIER = ["area_id", "period", "status", "holds"]


def as_earlier(
    lists: Mapping[str | int, Iterable[str]], status: str, area_ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """Turn published lists into earlier results, as :func:`select` and :func:`status_history` take them.

    Parameters
    ----------
    lists
        Period → the areas that were on the list. An empty list is a list, and nobody was on it.
    status
        The status that the list gives, as its rule calls it.
    area_ids
        All areas there are, so that each is on the list or is not; those of all lists together when left out.

    Returns
    -------
    pandas.DataFrame
        ``area_id, period, status`` (str) and ``holds`` (bool): one row an area and period.

    Raises
    ------
    SpecError
        When a list names an area that is not there.

    Examples
    --------
    >>> as_earlier({2019: ["A", "B"], 2020: ["B"]}, "listed")["holds"].tolist()
    [True, True, False, True]
    """
    named = {str(period): {str(code) for code in codes} for period, codes in lists.items()}
    everyone = set().union(*named.values()) if area_ids is None else {str(code) for code in area_ids}
    faults = Faults()
    for period, codes in named.items():
        for code in sorted(codes - everyone):
            faults.add(checks.unknown_name("area", code, everyone, key=f"lists.{period}"))
    faults.raise_any()
    rows = [
        (code, period, status, code in codes) for period, codes in sorted(named.items()) for code in sorted(everyone)
    ]
    return pd.DataFrame(rows, columns=EARLIER)


def streaks(frame: pd.DataFrame, k: int | Mapping[str | int, int] = 1) -> pd.DataFrame:
    """Tell for how many periods on end each area has had a status, and who has had it for so many.

    Parameters
    ----------
    frame
        ``area_id, period, status`` and ``holds`` (boolean, <NA> where nobody knows), such as the table of a
        :class:`History` or what :func:`as_earlier` makes. An area without a row has not the status in a period that
        has rows of it: it is not on the list.
    k
        So many periods; or period → so many, for rules that asked for another number in some of them.

    Returns
    -------
    pandas.DataFrame
        Sorted by ``status, area_id, period``: ``holds``; ``streak`` (Int64: for how many periods on end, this one with
        them; 0 where it has it not; <NA> where that is not known, since this period or one that the run may go on from
        is not known); ``streak_least`` (int: for how many at least); ``from_start`` (bool: the run goes back to the
        first period there is, and may be longer); ``reached`` (boolean: whether it is *k* periods at least; <NA> where
        nobody knows, and in periods that ``k`` does not name).

    Raises
    ------
    SpecError
        When a column is missing, a period is no year, or an area has two rows of one status and period.

    Notes
    -----
    A year that no row is of (a gap) is a year of which nothing is known.

    Examples
    --------
    >>> lists = as_earlier({2018: ["A"], 2019: ["A", "B"], 2020: ["A", "B"]}, "listed")
    >>> streaks(lists, 2).pivot(index="area_id", columns="period", values="streak").loc["B"].tolist()
    [0, 1, 2]
    """
    absent = [name for name in EARLIER if name not in frame]
    if absent:
        raise SpecError(fault for error in checks.absent_columns(absent, list(frame.columns)) for fault in error.faults)
    rows = frame[EARLIER].astype({"area_id": str, "period": str, "status": str, "holds": "boolean"})
    twice = rows.loc[rows.duplicated(["area_id", "period", "status"]), "area_id"]
    if len(twice):
        what = f"more than one row of the same status and period: {checks.listed(sorted(set(twice)))}"
        raise SpecError(Fault(what=what, expected="one row an area, period and status"))
    least = k if isinstance(k, int) else {str(period): number for period, number in k.items()}
    found = []
    for status, own in rows.groupby("status", sort=True):
        wide = own.pivot(index="area_id", columns="period", values="holds")
        named = own.assign(holds=1).pivot(index="area_id", columns="period", values="holds").notna()
        unknown = (wide.isna() & named).to_numpy()
        sure = wide.fillna(value=False).to_numpy(dtype=bool)
        verdicts = [Verdict(sure[:, place], sure[:, place] | unknown[:, place]) for place in range(sure.shape[1])]
        counted = counted_streaks(list(wide.columns), verdicts, wide.index, least)
        found.append(counted.assign(status=status))
    if not found:
        return rows.assign(streak=pd.array([], "Int64"), streak_least=0, from_start=False, reached=rows["holds"])
    columns = [*EARLIER, "streak", "streak_least", "from_start", "reached"]
    return pd.concat(found).sort_values(["status", "area_id", "period"], ignore_index=True)[columns]


def counted_streaks(
    periods: Sequence[str], verdicts: Sequence[Verdict], areas: pd.Index, k: int | Mapping[str, int] = 1
) -> pd.DataFrame:
    """Count streaks from one verdict a period, the periods in order; see :func:`streaks`."""
    years_only(periods)
    many = len(areas)
    least, most = np.zeros(many, dtype=int), np.full(many, FOREVER)
    doubt, start = np.zeros(many, dtype=bool), np.ones(many, dtype=bool)
    frames, before = [], int(periods[0]) - 1 if periods else 0
    for period, verdict in zip(periods, verdicts, strict=True):
        if int(period) != before + 1:  # nothing is known of the years between
            least, most = np.zeros(many, dtype=int), np.full(many, FOREVER)
            doubt, start = np.ones(many, dtype=bool), np.zeros(many, dtype=bool)
        before = int(period)
        least = np.where(verdict.sure, least + 1, 0)
        most = np.where(verdict.possible, most + 1, 0)
        doubt = (doubt | verdict.unknown) & verdict.possible
        start = start & verdict.sure
        needed = k if isinstance(k, int) else k.get(period)
        reached = Verdict(least >= needed, most >= needed) if needed else Verdict(least < 0, least >= 0)
        own = pd.DataFrame({"area_id": areas, "period": period, "holds": verdict.series(areas).array}, index=None)
        own["streak"] = pd.arrays.IntegerArray(least.astype("int64"), doubt)
        own["streak_least"], own["from_start"] = least, start & ~doubt
        own["reached"] = reached.series(areas).array
        frames.append(own)
    return pd.concat(frames, ignore_index=True)


def years_only(periods: Iterable[str]) -> None:
    """Refuse periods that are no years.

    Raises
    ------
    SpecError
        With all of them.
    """
    strange = sorted({period for period in periods if not period.isdecimal()})
    if strange:
        what = f"periods that are no years: {checks.listed(strange)}"
        raise SpecError(
            Fault(what=what, key="period", expected="years, such as 2018: which follow each other is asked")
        )
