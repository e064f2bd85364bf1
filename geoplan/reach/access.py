"""What can be reached from here: measures on a matrix of travel times, whoever computed it.

Every measure is of an origin *i*. :math:`O_j` are opportunities at the destination *j*, :math:`t_{ij}` is travel time.
Origins that are on no street, or that whoever computed the matrix left out of it, are NaN in all of them;
:func:`access_status` says who and why.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, InputError, listed
from geoplan.reach.amounts import (
    Amounts,
    Asked,
    amounts_of,
    as_minutes,
    asked_percentiles,
    asked_thresholds,
    framed,
    in_chunks,
    minutes_until,
    number_from,
    step_table,
    summed,
)
from geoplan.reach.decay import Decay
from geoplan.reach.times import TravelTimes

__all__ = [
    "dual_access",
    "gravity",
    "opportunities",
    "time_to_nearest",
    "time_to_share",
]


def opportunities(
    times: TravelTimes,
    opportunities: pd.Series | pd.DataFrame,
    *,
    within_min: float | Sequence[float],
    percentile: float | Sequence[float] | None = None,
) -> pd.Series | pd.DataFrame:
    r"""Count what is reached within a time: cumulative opportunities.

    .. math:: A_i(T) = \sum_{j:\, t_{ij} \le T} O_j

    Parameters
    ----------
    times
        Travel times.
    opportunities
        Amounts at every destination by id, in any order: a Series, or a DataFrame with a column for each class.
    within_min
        Minutes *T*, or several.
    percentile
        Which of the window's travel times, or several; may be left out where there is one. The 50th asks what half of
        the departures reach, the 90th what can be relied on.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        Opportunities reached, by ``from_id``; NaN for origins that are on no street. Columns are those handed in.
        What is asked for as several becomes a level of the columns: ``opportunity``, ``within_min``, ``percentile``.

    Raises
    ------
    InputError
        When ids do not match the times or occur twice, amounts are missing or below 0, a percentile was not computed,
        or the times were not computed as far as *T*: everything at once.

    References
    ----------
    One of the oldest measures; its use and limits are discussed by Handy and Niemeier (1997), *Environment and Planning
    A* 29(7), 1175–1194.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1500]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> jobs = pd.Series({"y": 40, "x": 100}, name="jobs")
    >>> opportunities(times, jobs, within_min=(15, 30))
    within_min     15     30
    from_id
    a           100.0  140.0
    b             0.0  100.0
    """
    faults = Faults()
    asked = asked_thresholds(within_min, times, faults)
    amounts, shares, places = _ready(times, opportunities, percentile, faults)
    found = np.stack(
        [
            np.stack(
                [summed(times.seconds[:, :, at], step_table(limit), amounts.figures) for limit in asked.numbers], 2
            )
            for at in places
        ],
        axis=3,
    )
    return framed(times, found, amounts, (("within_min", asked), ("percentile", shares)))


def gravity(
    times: TravelTimes,
    opportunities: pd.Series | pd.DataFrame,
    decay: Decay,
    *,
    percentile: float | Sequence[float] | None = None,
) -> pd.Series | pd.DataFrame:
    r"""Sum what is reached, each place for the less the longer it takes to get there.

    .. math:: A_i = \sum_j O_j\, f(t_{ij})

    Parameters
    ----------
    times, opportunities, percentile
        As for :func:`opportunities`.
    decay
        The weight *f* by travel time. Half-times that people's trips bear out come from :func:`calibrate`.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        Opportunities, each counted by its weight, by ``from_id``: as many as if they were next door. NaN for origins
        that are on no street. Places beyond the longest trip that was computed count nothing, whatever the decay says.

    Raises
    ------
    InputError
        As for :func:`opportunities`.

    References
    ----------
    Hansen (1959), "How accessibility shapes land use", *Journal of the American Institute of Planners* 25(2), 73–76.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[0], [1800]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> gravity(times, pd.Series({"x": 100, "y": 40}), Decay.halving("exponential", 10))
    from_id
    a    105.0
    b     25.0
    dtype: float64
    """
    faults = Faults()
    if not isinstance(decay, Decay):
        what = f"decay is a {type(decay).__name__}"
        faults.add(InputError(Fault(what=what, key="decay", expected="a Decay, as Decay.halving('exponential', 30)")))
    amounts, shares, places = _ready(times, opportunities, percentile, faults)
    table = decay.table()
    found = np.stack([summed(times.seconds[:, :, at], table, amounts.figures) for at in places], axis=2)
    return framed(times, found, amounts, (("percentile", shares),))


def time_to_nearest(
    times: TravelTimes,
    opportunities: pd.Series | pd.DataFrame | None = None,
    *,
    k: int = 1,
    percentile: float | Sequence[float] | None = None,
) -> pd.Series | pd.DataFrame:
    r"""Return the minutes to the *k*-th nearest place at which there is anything.

    .. math:: A_i = t_{i(k)}, \quad t_{i(1)} \le t_{i(2)} \le \dots \text{ over all } j \text{ with } O_j > 0

    Parameters
    ----------
    times, percentile
        As for :func:`opportunities`.
    opportunities
        As there; only whether there are any counts. Every destination is a place when left out.
    k
        1 is the nearest; 3 leaves a choice of three.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        Minutes by ``from_id``. NaN for origins that are on no street, and where fewer than *k* places are reached in
        the longest trip that was computed; :func:`access_status` tells the two apart.

    Raises
    ------
    InputError
        As for :func:`opportunities`, and when there are fewer than *k* places at all.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [90]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> time_to_nearest(times, pd.DataFrame({"school": [0, 1], "shop": [3, 1]}, index=["x", "y"]))
    opportunity  school  shop
    from_id
    a               1.5   1.5
    b               NaN  20.0
    """
    faults = Faults()
    nearest = number_from(k, "k", faults, whole=True)
    given = pd.Series(1.0, index=pd.Index(times.to_ids), name="places") if opportunities is None else opportunities
    amounts, shares, places = _ready(times, given, percentile, faults)
    there = amounts.figures > 0
    for name, number in zip(amounts.names, there.sum(axis=0), strict=True):
        if number < nearest:
            what = f"there are {number} place(s) with any{_of(name, amounts)}, not {nearest:g}"
            faults.add(InputError(Fault(what=what, key="k", expected=f"at most {number}")))
    faults.raise_any()
    kth = int(nearest) - 1
    found = np.empty((len(times.from_ids), there.shape[1], len(places)))
    for layer, at in enumerate(places):
        for rows in in_chunks(*times.seconds.shape[:2]):
            block = times.seconds[rows, :, at]
            for kind in range(there.shape[1]):
                near = np.partition(block[:, there[:, kind]], kth, axis=1)[:, kth]
                found[rows, kind, layer] = as_minutes(near)
    return framed(times, found, amounts, (("percentile", shares),))


def dual_access(
    times: TravelTimes,
    opportunities: pd.Series | pd.DataFrame,
    *,
    needed: float,
    percentile: float | Sequence[float] | None = None,
) -> pd.Series | pd.DataFrame:
    r"""Return the minutes until so many opportunities are reached.

    .. math:: A_i(n) = \min \{ T : \sum_{j:\, t_{ij} \le T} O_j \ge n \}

    Parameters
    ----------
    times, opportunities, percentile
        As for :func:`opportunities`.
    needed
        How many, *n*: 50,000 jobs, 200 places in upper-secondary schools.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        Minutes by ``from_id``. NaN for origins that are on no street, and where *n* are not reached in the longest trip
        that was computed.

    Raises
    ------
    InputError
        As for :func:`opportunities`, and when there are not that many in all.

    References
    ----------
    Cui and Levinson (2020), "Primal and dual access", *Geographical Analysis* 52(3), 452–474.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1500]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> dual_access(times, pd.Series({"x": 100, "y": 40}, name="jobs"), needed=120)
    from_id
    a    25.0
    b     NaN
    Name: jobs, dtype: float64
    """
    faults = Faults()
    number = number_from(needed, "needed", faults)
    amounts, shares, places = _ready(times, opportunities, percentile, faults)
    for name, total in zip(amounts.names, amounts.figures.sum(axis=0), strict=True):
        if total < number:
            what = f"there are {total:,g}{_of(name, amounts)} in all, not {number:,g}"
            faults.add(InputError(Fault(what=what, key="needed", expected=f"at most {total:,g}")))
    faults.raise_any()
    targets = np.full((len(times.from_ids), amounts.figures.shape[1]), number)
    found = np.stack([minutes_until(times.seconds[:, :, at], amounts.figures, targets) for at in places], axis=2)
    return framed(times, found, amounts, (("percentile", shares),))


def time_to_share(
    times: TravelTimes,
    opportunities: pd.Series | pd.DataFrame,
    *,
    share: float = 0.5,
    percentile: float | Sequence[float] | None = None,
) -> pd.Series | pd.DataFrame:
    r"""Return the minutes until a share of all opportunities is reached.

    .. math:: A_i(q) = \min \{ T : \sum_{j:\, t_{ij} \le T} O_j \ge q \sum_j O_j \}

    All opportunities are in the whole, also those at places that are on no street (see :func:`beyond_reach`).

    Parameters
    ----------
    times, opportunities, percentile
        As for :func:`opportunities`.
    share
        From 0 to 1: *q*.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        Minutes by ``from_id``; NaN as for :func:`dual_access`.

    Raises
    ------
    InputError
        As for :func:`opportunities`, and when there are no opportunities at all.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1500]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> time_to_share(times, pd.Series({"x": 100, "y": 40}), share=0.7)
    from_id
    a    10.0
    b    20.0
    dtype: float64
    """
    faults = Faults()
    part = number_from(share, "share", faults, most=1)
    amounts, shares, places = _ready(times, opportunities, percentile, faults)
    totals = amounts.figures.sum(axis=0)
    empty = [str(name) for name, total in zip(amounts.names, totals, strict=True) if total == 0]
    if empty:
        faults.add(InputError(Fault(what=f"there is nothing to reach of {listed(empty)}", key="opportunities")))
    faults.raise_any()
    targets = np.tile(part * totals, (len(times.from_ids), 1))
    found = np.stack([minutes_until(times.seconds[:, :, at], amounts.figures, targets) for at in places], axis=2)
    return framed(times, found, amounts, (("percentile", shares),))


# ---------------------------------------------------------------- inside


def _ready(
    times: TravelTimes, given: pd.Series | pd.DataFrame, percentile: float | Sequence[float] | None, faults: Faults
) -> tuple[Amounts, Asked, list[int]]:
    """Check what every measure takes; raise everything that is wrong, also what was found before."""
    shares, places = asked_percentiles(percentile, times, faults)
    amounts = amounts_of(given, times, "to", "opportunities", faults)
    faults.raise_any()
    assert amounts is not None  # noqa: S101  else there were faults
    return amounts, shares, places


def _of(name: object, amounts: Amounts) -> str:
    return "" if amounts.single and name is None else f" '{name}'"
