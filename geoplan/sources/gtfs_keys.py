"""Ids of a GTFS table and the references to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.errors import did_you_mean
from geoplan.sources.gtfs_text import Column, Findings, Text

UNKNOWN = -1
DROPPED = -2
_HINTED = 2000  # nearest names are looked for among at most so many


@dataclass(frozen=True, eq=False)
class Keyed:
    """The ids of a table and the row each has once the table is cleaned."""

    ids: pd.Index
    place: np.ndarray
    """Row in the cleaned table; DROPPED where the row was left out."""
    kept: np.ndarray
    """Rows of the file that make up the cleaned table."""

    def find(self, column: Column) -> np.ndarray:
        """Return the row that each value refers to, UNKNOWN or DROPPED."""
        at = self.ids.get_indexer(pd.Index(column.distinct, dtype=object))
        places = np.append(self.place, UNKNOWN)[at]  # -1 of get_indexer falls on the last
        return np.asarray(places[column.codes].astype(np.int32))

    def thinned(self, keep: np.ndarray) -> Keyed:
        """Return the keys after some rows of the cleaned table went."""
        moved = np.where(keep, np.cumsum(keep) - 1, DROPPED)
        place = np.where(self.place >= 0, moved[np.maximum(self.place, 0)] if len(moved) else DROPPED, self.place)
        return Keyed(self.ids, place, self.kept[keep])


def keyed(text: Text, column: str, left_out: np.ndarray, found: Findings) -> Keyed:
    """Check that ids are given and stand once, and say which rows stay; of two alike the first does."""
    ids = text[column]
    blank = ids.blank
    found.rows(text, blank, f"the {column} is blank", column=column)
    twice = pd.Series(ids.codes).duplicated().to_numpy() & ~blank
    found.rows(
        text, twice, f"the {column} '{{value}}' stands twice", column=column, expected="each id once",
        action="the later row is left out",
    )  # fmt: skip
    first = ~blank & ~twice
    keep = first & ~left_out
    place = np.where(keep, np.cumsum(keep) - 1, DROPPED)[first]
    return Keyed(pd.Index(ids.text(first), dtype=object), place.astype(np.int32), np.flatnonzero(keep))


def reference(
    text: Text,
    column: str,
    known: Keyed,
    found: Findings,
    *,
    optional: bool = False,
    action: str = "the row is left out",
    where: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that a column refers to, and which rows refer to nothing that is there."""
    rows = known.find(text[column])
    blank = text[column].blank
    if not optional:
        found.rows(text, blank, f"the {column} is blank", column=column, action=action)
    unknown = (rows == UNKNOWN) & ~blank
    choice = known.ids if len(known.ids) <= _HINTED else ()
    found.rows(
        text, unknown, f"unknown {column} '{{value}}'", column=column, action=action,
        expected=f"an id of {where or _home(column)}", hint=lambda value: did_you_mean(value, choice),
    )  # fmt: skip
    gone = rows == DROPPED
    found.follows(text, gone, f"its {column} was left out", action)
    return np.maximum(rows, UNKNOWN), unknown | gone | (blank & (not optional))


def _home(column: str) -> str:
    for word, file in (("stop", "stops.txt"), ("trip", "trips.txt"), ("route", "routes.txt")):
        if word in column:
            return file
    return "stops.txt" if column == "parent_station" else "the feed"
