"""Staying in the seat, and changing between stops: what blocks and transfers.txt say, on the trips that run."""

from __future__ import annotations

import numpy as np
import pandas as pd

_STAY, _NO_STAY = 4, 5


def followers(trips: pd.DataFrame, ends: pd.DataFrame, transfers: pd.DataFrame) -> np.ndarray:
    """Return for each trip the trip that its passengers may stay in the vehicle for, -1 where there is none.

    Parameters
    ----------
    trips
        ``feed, day, block_id, repeated``; a trip that frequencies.txt repeats is followed by none.
    ends
        ``first_place, last_place, first_s, last_s``; a place is a station, or a stop that has none.
    transfers
        Transfers between trips that run: ``kind, from_trip, to_trip``.

    Notes
    -----
    By block: one follows the other next among the trips of one block on one service day, sets out where the other
    ended (at the same stop or station), and no sooner. By transfer type 4: the trips it names, where the second does
    not set out before the first arrives. Type 5 forbids it. A trip has one follower and follows one at most.
    """
    follower = np.full(len(trips), -1, dtype=np.int64)
    named = transfers[transfers["kind"].isin([_STAY, _NO_STAY]) & (transfers["from_trip"] >= 0)]
    named = named[named["to_trip"] >= 0]
    first, last = ends["first_s"].to_numpy(), ends["last_s"].to_numpy()
    before, after = _by_block(trips, ends)
    forbidden = named[named["kind"] == _NO_STAY]
    barred = set(zip(forbidden["from_trip"], forbidden["to_trip"], strict=True))
    repeated = trips["repeated"].to_numpy()
    single = ~repeated[named["from_trip"]] & ~repeated[named["to_trip"]]
    stay = named[(named["kind"] == _STAY) & single]
    pairs = pd.DataFrame(
        {
            "before": np.concatenate([stay["from_trip"], before]).astype(np.int64),
            "after": np.concatenate([stay["to_trip"], after]).astype(np.int64),
        }
    )
    timely = last[pairs["before"]] <= first[pairs["after"]]
    rank = np.empty(len(trips), dtype=np.int64)
    rank[np.lexsort((last, first))] = np.arange(len(trips))
    onward = rank[pairs["before"]] < rank[pairs["after"]]  # trips that take no time could follow each other in a circle
    pairs = pairs[timely & onward]
    if barred:
        open_to = [pair not in barred for pair in zip(pairs["before"], pairs["after"], strict=True)]
        pairs = pairs[np.array(open_to, dtype=bool)]
    pairs = pairs.drop_duplicates("before").drop_duplicates("after")
    follower[pairs["before"]] = pairs["after"]
    return follower


def _by_block(trips: pd.DataFrame, ends: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    rows = np.flatnonzero((trips["block_id"].to_numpy() != "") & ~trips["repeated"].to_numpy())
    if not rows.size:
        return rows, rows
    own = trips.iloc[rows]
    block = own.groupby(["feed", "day", "block_id"], sort=False).ngroup().to_numpy()
    first = ends["first_s"].to_numpy()[rows]
    order = np.lexsort((ends["last_s"].to_numpy()[rows], first, block))
    rows, block = rows[order], block[order]
    before, after = rows[:-1], rows[1:]
    joined = (block[:-1] == block[1:]) & (
        ends["last_place"].to_numpy()[before] == ends["first_place"].to_numpy()[after]
    )
    return before[joined], after[joined]


def seats(follower: np.ndarray, calls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the seat of each trip, and how many calls of earlier trips of that seat come before its own.

    Chains are followed by doubling: in as many rounds as the longest chain has digits in binary.

    Examples
    --------
    >>> seat, passed = seats(np.array([2, -1, 1]), np.array([3, 4, 5]))  # trip 0, then 2, then 1
    >>> seat.tolist(), passed.tolist()
    ([0, 0, 0], [0, 8, 3])
    """
    count = len(follower)
    leader = np.arange(count)
    joined = np.flatnonzero(follower >= 0)
    leader[follower[joined]] = joined
    passed = np.where(leader == np.arange(count), 0, calls[leader])
    while True:
        further = leader[leader]
        if (further == leader).all():
            break
        passed = passed + np.where(leader == np.arange(count), 0, passed[leader])
        leader = further
    seat = pd.factorize(leader)[0]
    return seat.astype(np.int32), passed.astype(np.int64)


# ---------------------------------------------------------------- transfers.txt


def expanded(transfers: pd.DataFrame, members: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Write one feed's transfers out: stations to their platforms, trips to the rows on which they run.

    Parameters
    ----------
    transfers
        As a feed has them.
    members
        ``given, stop``: each stop of the feed that a transfer may name, and the stops in use it stands for.
    runs
        ``given, trip, day``: each trip of the feed and the rows on which it runs.

    Returns
    -------
    pandas.DataFrame
        ``from_stop, to_stop, kind, min_s, from_trip, to_trip, from_route, to_route``. Of two for one pair of stops,
        trips and routes that of platforms stands before that of stations.
    """
    frame = transfers.reset_index(drop=True)
    frame["exact"] = 0
    for side in ("from", "to"):
        rows = members.rename(columns={"given": f"{side}_stop", "stop": f"{side}_at", "own": f"{side}_own"})
        nowhere = pd.DataFrame({f"{side}_stop": [-1], f"{side}_at": [-1], f"{side}_own": [True]})
        frame = frame.merge(pd.concat([rows, nowhere]), on=f"{side}_stop")
        frame["exact"] += frame[f"{side}_own"]
        trips = runs.rename(columns={"given": f"{side}_trip", "trip": f"{side}_run", "day": f"{side}_day"})
        none = pd.DataFrame({f"{side}_trip": [-1], f"{side}_run": [-1], f"{side}_day": [0]})
        frame = frame.merge(pd.concat([trips, none]), on=f"{side}_trip")
    both = (frame["from_trip"] >= 0) & (frame["to_trip"] >= 0)
    frame = frame[~both | (frame["from_day"] == frame["to_day"])]
    frame = frame.sort_values("exact", ascending=False, kind="stable")
    frame = pd.DataFrame({
        "from_stop": frame["from_at"], "to_stop": frame["to_at"], "kind": frame["kind"], "min_s": frame["min_s"],
        "from_trip": frame["from_run"], "to_trip": frame["to_run"],
        "from_route": frame["from_route"], "to_route": frame["to_route"],
    })  # fmt: skip
    pair = ["from_stop", "to_stop", "from_trip", "to_trip", "from_route", "to_route"]
    return frame.drop_duplicates(pair).reset_index(drop=True)
