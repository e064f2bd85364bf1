"""Lines as a network is made of them, whatever they come from: OpenStreetMap, a graph of osmnx, or a layer of lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from geoplan.reach.stop_times import gather
from geoplan.reach.ways import Rate, Rules
from geoplan.sources.osm import OsmWays

__all__ = ["Lines", "lines_of_ways", "numbered", "rated"]


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines with what one may do on them; one row per line, and one per vertex where it says so.

    Attributes
    ----------
    at
        Where each line begins among the vertices, and the end of the last, int64.
    node
        Number of each vertex, int64, 0 or more; lines meet where they share one.
    lonlat
        Longitude and latitude of each vertex; NaN where it is not known.
    shared
        Whether each vertex is a place where lines may meet.
    forward_kmh, backward_kmh
        Speed on the flat; NaN where one may not go that way.
    linkable, level, sloped
        As :class:`geoplan.reach.ways.Rate` has them.
    duration_s
        Time for the whole line; NaN where the speed tells it.
    length_m
        Length as stated; NaN where the shape tells it.
    counts
        What was read and left out, for the record.
    """

    at: np.ndarray
    node: np.ndarray
    lonlat: np.ndarray
    shared: np.ndarray
    forward_kmh: np.ndarray
    backward_kmh: np.ndarray
    linkable: np.ndarray
    level: np.ndarray
    sloped: np.ndarray
    duration_s: np.ndarray
    length_m: np.ndarray
    counts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at) - 1

    @property
    def first(self) -> np.ndarray:
        """Row of the first vertex of each line."""
        return self.at[:-1]

    @property
    def last(self) -> np.ndarray:
        """Row of the last vertex of each line."""
        return np.asarray(self.at[1:] - 1)

    def kept(self, mask: np.ndarray) -> Lines:
        """Return some of the lines."""
        first, size = self.first[mask], np.diff(self.at)[mask]
        vertices = gather(first, size)
        rows = {name: getattr(self, name)[mask] for name in (*_RATES, "length_m")}
        parts = {name: getattr(self, name)[vertices] for name in ("node", "lonlat", "shared")}
        return replace(self, at=np.concatenate([[0], np.cumsum(size)]), **rows, **parts)


_RATES = ("forward_kmh", "backward_kmh", "linkable", "level", "sloped", "duration_s")


def numbered(*columns: np.ndarray) -> np.ndarray:
    """Give rows that are alike in every column one number, from 0 in the order in which they come.

    Examples
    --------
    >>> numbered(np.array([5.0, 1.0, 5.0]), np.array([2, 2, 2])).tolist()
    [0, 1, 0]
    """
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes, found = pd.factorize(column)
        number = pd.factorize(number * max(len(found), 1) + codes)[0]
    return np.asarray(number)


def rated(rates: list[Rate], kind: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of :class:`Lines` that rates give, for the kind of each line."""
    return {name: np.array([getattr(rate, name) for rate in rates])[kind] for name in _RATES}


def lines_of_ways(ways: OsmWays, rules: Rules) -> Lines:
    """Return the ways of OpenStreetMap that a mode may use.

    A vertex is shared where the streets of the file come twice to its node, for any mode: so does R5 count junctions.
    """
    rates = [rules.rate(tags) for tags in ways.tags]
    node, count = np.unique(ways.node, return_inverse=True, return_counts=True)[1:]
    lines = Lines(
        at=ways.at,
        node=node,
        lonlat=ways.lonlat,
        shared=count[node] > 1,
        length_m=np.full(len(ways.way), np.nan),
        counts=ways.counts,
        **rated(rates, ways.kind),
    )
    used = ~np.array([rate.closed for rate in rates])[ways.kind]
    closed = Counter(_name(ways.tags[kind]) for kind in ways.kind[~used])
    left_out = {f"left out: {kind}": number for kind, number in sorted(closed.items())}
    ferries = np.array([tags.get("route") is not None and "highway" not in tags for tags in ways.tags])[ways.kind]
    counts = {**ways.counts, "ways used": int(used.sum()), "ferries": int((ferries & used).sum()), **left_out}
    return replace(lines.kept(used), counts=counts)


def _name(tags: dict[str, str]) -> str:
    return tags.get("highway") or tags.get("route") or "platform"
