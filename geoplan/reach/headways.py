"""Trips that run at a headway: written out where the feed fixes the times, drawn or expected where it does not."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.reach.stop_times import gather, scattered

_MOST = 2**63 - 1
Headways = Literal["expected", "drawn"]
_WAYS = ("expected", "drawn")


def repeats(start_s: np.ndarray, end_s: np.ndarray, every_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which interval each repeat belongs to and when it sets out: start, start + every … below the end.

    Examples
    --------
    >>> row, sets_out = repeats(np.array([0, 100]), np.array([30, 111]), np.array([10, 10]))
    >>> row.tolist(), sets_out.tolist()
    ([0, 0, 0, 1, 1], [0, 10, 20, 100, 110])
    """
    counts = np.maximum(-((start_s - end_s) // every_s), 0).astype(np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    number = gather(np.zeros(len(counts), dtype=np.int64), counts)
    return row, start_s[row] + number * every_s[row]


def must_be_whole(name: str, value: object, *, least: int) -> None:
    """Refuse what is no whole number.

    Raises
    ------
    SpecError
        When the value is none, or is smaller than the least.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= int(cast("int", value)) <= _MOST:
        raise SpecError(
            Fault(what=f"{name} cannot be {value!r}", key=name, expected=f"a whole number, {least} or more")
        )


def copies(
    trips: pd.DataFrame, *, headways: Headways, seed: int, draw: int, step_s: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the copies of headway trips: row of the trip, seconds by which it is later than the first, extra wait.

    ``drawn``: one random offset for each trip and interval, uniform from 0 to the headway; it hangs on the trip's own
    id and start, so that two timetables that differ in other lines draw alike for this one. ``expected``: a virtual
    vehicle every ``step_s`` seconds, and at boarding the wait that is missing to half a headway on average.
    """
    if headways not in _WAYS:
        raise checks.unknown_name("treatment of headways", headways, _WAYS, key="headways")
    for name, value, least in (("seed", seed, 0), ("draw", draw, 0), ("step_s", step_s, 1)):
        must_be_whole(name, value, least=least)
    rows = np.flatnonzero(trips["headway_s"].to_numpy() > 0)
    own = trips.iloc[rows]
    start, end, every = (own[name].to_numpy(dtype=np.int64) for name in ("first_s", "until_s", "headway_s"))
    if headways == "expected":
        step = np.minimum(int(step_s), every)
        at, sets_out = repeats(start, end, step)
        return rows[at], sets_out - start[at], ((every - step) // 2)[at]
    offset = (_shares(own, seed, draw) * every).astype(np.int64)
    at, sets_out = repeats(start + offset, end, every)
    return rows[at], sets_out - start[at], np.zeros(len(at), dtype=np.int64)


def _shares(trips: pd.DataFrame, seed: int, draw: int) -> np.ndarray:
    """Return a number from 0 to below 1 for each interval: its digest, scattered by the seed and the draw."""
    own = pd.util.hash_array(trips["trip_id"].to_numpy(dtype=object), categorize=False)
    for part in (trips["feed"], trips["first_s"], np.full(len(trips), seed), np.full(len(trips), draw)):
        own = scattered(own ^ scattered(np.asarray(part, dtype=np.int64).astype(np.uint64)))
    return np.asarray((own >> np.uint64(11)) * 2.0**-53)
