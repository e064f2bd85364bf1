"""Who and what a measure of access leaves out, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, InputError
from geoplan.reach.amounts import amounts_of, asked_percentiles, from_index, in_chunks, out_of_scope
from geoplan.reach.times import UNREACHED, TravelTimes

__all__ = ["access_status", "beyond_reach"]


def access_status(times: TravelTimes, minutes: pd.Series | None = None) -> pd.DataFrame:
    """Say which origins have no measure of access, and why.

    Parameters
    ----------
    times
        Travel times.
    minutes
        A result of :func:`time_to_nearest`, :func:`dual_access` or :func:`time_to_share`, of which NaN is to be
        explained too.

    Returns
    -------
    pandas.DataFrame
        By ``from_id``: ``status``: ``observed``, ``out_of_scope`` (on no street, or not in the matrix) or
        ``not_reached`` (not within the longest trip or walk computed: longer, nobody knows how much);
        ``reason``, in words, empty where observed.

    Raises
    ------
    InputError
        When ``minutes`` is not a Series by the origins of the times.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600]], [[65535]], [[65535]]], dtype=np.uint16)
    >>> left = pd.DataFrame({"side": ["from"], "id": ["c"], "reason": ["no street within 1,600 m"]})
    >>> times = TravelTimes(["a", "b", "c"], ["x"], (50,), seconds, left)
    >>> from geoplan.reach import time_to_nearest
    >>> access_status(times, time_to_nearest(times))
                   status                                       reason
    from_id
    a            observed
    b         not_reached  not within the longest trip or walk computed
    c        out_of_scope                        no street within 1,600 m
    """
    outside, reasons = out_of_scope(times)
    frame = pd.DataFrame({"status": "observed", "reason": ""}, index=from_index(times), dtype=object)
    if minutes is not None:
        if not isinstance(minutes, pd.Series) or [str(name) for name in minutes.index] != list(times.from_ids):
            what = "the minutes are not by the origins of these travel times"
            raise InputError(
                Fault(what=what, key="minutes", expected="a Series as a measure of these times returns it")
            )
        frame.loc[minutes.isna().to_numpy(), :] = ["not_reached", "not within the longest trip or walk computed"]
    frame.loc[outside, "status"] = "out_of_scope"
    frame.loc[outside, "reason"] = [reasons[name] for name in times.from_ids[outside]]
    return frame


def beyond_reach(
    times: TravelTimes, opportunities: pd.Series | pd.DataFrame, *, percentile: float | None = None
) -> pd.DataFrame:
    """Say how much of what there is nobody can reach, and why.

    Parameters
    ----------
    times, opportunities
        As for :func:`opportunities`.
    percentile
        Which of the window's travel times; may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        A row for each kind (index ``opportunity``): ``total``; ``out_of_scope``: at places that are on no street or not
        in the matrix, ``out_of_scope_share`` of the total; ``unreached``: at other places to which no origin comes
        within the longest trip that was computed, ``unreached_share``. Shares are NaN where the total is 0.

    Raises
    ------
    InputError
        As for :func:`opportunities`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [65535]]], dtype=np.uint16)
    >>> left = pd.DataFrame({"side": ["to"], "id": ["y"], "reason": ["no street within 1,600 m"]})
    >>> times = TravelTimes(["a"], ["x", "y"], (50,), seconds, left)
    >>> beyond_reach(times, pd.Series({"x": 90, "y": 10}, name="jobs")).iloc[0].to_dict()
    {'total': 100.0, 'out_of_scope': 10.0, 'out_of_scope_share': 0.1, 'unreached': 0.0, 'unreached_share': 0.0}
    """
    faults = Faults()
    shares, places = asked_percentiles(percentile, times, faults)
    if shares.many:
        faults.add(
            InputError(Fault(what="several percentiles are asked for at once", key="percentile", expected="one"))
        )
    amounts = amounts_of(opportunities, times, "to", "opportunities", faults)
    faults.raise_any()
    assert amounts is not None  # noqa: S101  else there were faults
    outside, _ = out_of_scope(times, "to")
    nobody, _ = out_of_scope(times)
    reached = np.zeros(len(times.to_ids), dtype=bool)
    for rows in in_chunks(*times.seconds.shape[:2]):
        reached |= (times.seconds[rows, :, places[0]][~nobody[rows]] != UNREACHED).any(axis=0)
    parts = {"out_of_scope": outside, "unreached": ~reached & ~outside}
    total = amounts.figures.sum(axis=0)
    columns = {"total": total}
    for name, which in parts.items():
        columns[name] = amounts.figures[which].sum(axis=0)
        columns[f"{name}_share"] = np.divide(columns[name], total, out=np.full(len(total), np.nan), where=total > 0)
    return pd.DataFrame(columns, index=amounts.names.rename("opportunity"))
