"""Jobs that those who look for one can take: matched to their schooling."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, InputError, listed
from geoplan.reach.amounts import (
    Amounts,
    amounts_of,
    asked_percentiles,
    asked_thresholds,
    from_index,
    in_chunks,
    out_of_scope,
    step_table,
    summed,
)
from geoplan.reach.times import TravelTimes

__all__ = ["matched_jobs"]


def matched_jobs(
    times: TravelTimes,
    jobs_by_level: pd.DataFrame,
    jobless_by_level: pd.DataFrame,
    *,
    within_min: float,
    percentile: float | None = None,
    downward: bool = True,
) -> pd.DataFrame:
    r"""Count the jobs in reach that the jobless here are schooled for.

    With jobs :math:`O_{jl}` that ask for level *l*, and jobless :math:`U_{il}` who have it,

    .. math:: A_{il} = \sum_{j: t_{ij} \le T} \sum_{m \le l} O_{jm}, \qquad
              A_i = \sum_l U_{il} A_{il} / \sum_l U_{il}

    where *m* runs over *l* alone if not ``downward``.

    Parameters
    ----------
    times
        Travel times.
    jobs_by_level
        Jobs by the education they ask for, at every destination by id, a column for each level from the lowest to the
        highest: as :func:`jobs_by` makes them of an ordered category. Jobs whose level is not known have no place here;
        leave the column out and say so.
    jobless_by_level
        Jobless people by the education they have, at every origin by id: the same columns in the same order.
    within_min
        Minutes *T*.
    percentile
        Which of the window's travel times; may be left out where there is one.
    downward
        People may take jobs that ask for less than they have.

    Returns
    -------
    pandas.DataFrame
        By ``from_id``:

        - ``jobless``: all levels;
        - ``jobs``: jobs of all levels in reach;
        - ``jobs_LEVEL``: of these, those open to somebody of that level, :math:`A_{il}`, for each level;
        - ``matched_jobs``: :math:`A_i`, the mean over the jobless here; NaN where nobody is jobless;
        - ``matched_share``: of ``jobs``; NaN where there are none in reach;
        - ``rivals``: jobless people who reach such a job and may take it, on average over the matched jobs; NaN where
          none is in reach;
        - ``status``: ``observed``; ``not_applicable`` where nobody is jobless; ``out_of_scope`` where the origin is on
          no street: everything but ``jobless`` is NaN.

    Raises
    ------
    InputError
        When the levels differ, ids do not match the times or occur twice, or amounts are missing or below 0.

    References
    ----------
    That access to jobs is access to those one can get was shown for low-wage workers by Shen (1998), *Environment and
    Planning B* 25(3), 345–365. The arithmetic is that above.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1500]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> jobs = pd.DataFrame({"basic": [10, 5], "upper": [30, 5]}, index=["x", "y"])
    >>> jobless = pd.DataFrame({"basic": [6, 1], "upper": [2, 0]}, index=["a", "b"])
    >>> found = matched_jobs(times, jobs, jobless, within_min=30)
    >>> found[["jobs", "jobs_basic", "jobs_upper", "matched_jobs", "matched_share"]]
             jobs  jobs_basic  jobs_upper  matched_jobs  matched_share
    from_id
    a        50.0        15.0        50.0         23.75          0.475
    b        40.0        10.0        40.0         10.00          0.250
    """
    faults = Faults()
    asked = asked_thresholds(within_min, times, faults)
    shares, places = asked_percentiles(percentile, times, faults)
    if asked.many or shares.many:
        faults.add(InputError(Fault(what="several matches are asked for at once", expected="one time, one percentile")))
    jobs = amounts_of(jobs_by_level, times, "to", "jobs_by_level", faults)
    jobless = amounts_of(jobless_by_level, times, "from", "jobless_by_level", faults)
    levels = _levels(jobs, jobless, faults)
    faults.raise_any()
    assert jobs is not None  # noqa: S101  else there were faults
    assert jobless is not None  # noqa: S101  same
    seconds, table = times.seconds[:, :, places[0]], step_table(asked.numbers[0])
    outside, _ = out_of_scope(times)
    people = jobless.figures
    here = people.sum(axis=1)
    in_reach = summed(seconds, table, jobs.figures)
    may = np.triu(np.ones((len(levels),) * 2)) if downward else np.eye(len(levels))  # job's level, person's level
    open_to = in_reach @ may
    matched = _divided((people * open_to).sum(axis=1), here)
    looking = np.zeros((len(times.to_ids), len(levels)))
    for rows in in_chunks(*seconds.shape):
        looking += table[seconds[rows]].T @ np.where(outside[rows, None], 0, people[rows])
    # of each job: those who reach it and may take it; then their mean over the jobs open to people of each level
    weighed = summed(seconds, table, jobs.figures * (looking @ may.T)) @ may
    rivals = _divided((people * weighed).sum(axis=1), (people * open_to).sum(axis=1))
    total = in_reach.sum(axis=1)
    columns = {"jobless": here, "jobs": total}
    columns |= {f"jobs_{level}": open_to[:, place] for place, level in enumerate(levels)}
    columns |= {"matched_jobs": matched, "matched_share": _divided(matched, total), "rivals": rivals}
    frame = pd.DataFrame(columns, index=from_index(times))
    frame.loc[outside, frame.columns.drop("jobless")] = np.nan
    frame["status"] = np.select([outside, here == 0], ["out_of_scope", "not_applicable"], "observed").astype(object)
    return frame


def _levels(jobs: Amounts | None, jobless: Amounts | None, faults: Faults) -> list[str]:
    """Return the levels; refuse when the two sides do not have the same, in one order."""
    if jobs is None or jobless is None:
        return []
    asked, had = [str(name) for name in jobs.names], [str(name) for name in jobless.names]
    if asked != had or jobs.single or jobless.single:
        what = f"jobs are by {listed(asked, shown=8)}, the jobless by {listed(had, shown=8)}"
        expected = "the same levels of education in both, in one order from the lowest to the highest"
        hint = "choose and order the columns: jobs[levels], jobless[levels]"
        faults.add(InputError(Fault(what=what, key="jobless_by_level", expected=expected, hint=hint)))
    return asked


def _divided(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    out = np.full(len(bottom), np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out
