"""Joining by name: a table that says "Sättra" finds the area "SÄTRA", and says that it did.

What is written alike but for case, hyphens and punctuation is the same name. Diacritics, other names and what a scanner
misreads are taken for the same when just one area fits, and listed so that a reader can confirm it. A name that
several areas bear is refused until its municipality is given.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, IdError, SpecError
from geoplan.places.aliases import Days, Label, days_of, name_labels
from geoplan.places.areas import must_have
from geoplan.places.spelling import Speller, Towns, as_written, one_edit_apart, plain, shapes, unaccented

__all__ = ["HOW", "NameMatch", "match_names"]

#: How a name of a table found its area, or why it did not, the surest first.
HOW = (
    "exact",
    "code",
    "normalised",
    "alias",
    "rename",
    "diacritics",
    "variant",
    "ambiguous",
    "unmatched",
    "empty",
)
_SURE = ("exact", "code", "normalised")
_NONE = ("ambiguous", "unmatched", "empty")
_READ_AS = {
    "alias": "read as another name of an area",
    "rename": "read as an earlier or later name of an area",
    "diacritics": "read without diacritics",
    "variant": "read as a misspelling; please confirm",
}
_SUGGESTED = 3
_TOLD = 10


@dataclass(frozen=True)
class NameMatch:
    """Which area each name of a table means; nothing is dropped without being listed here.

    Attributes
    ----------
    table
        One row a row of the table, in its order and with its index, then called ``row``: ``name``,
        ``municipality``, ``when`` (str, as given), ``area_id`` (str or None), ``area`` (str, the area's name),
        ``how`` (one of :data:`HOW`),
        ``outside`` (bool: the name is used in a year in which it did not hold), ``suggestions`` (tuple of str: the
        areas it may mean, best first; of an ambiguous name all of them).
    areas
        Index ``area_id``, values the name of each area, with its municipality or code where the name alone is not
        enough.
    column
        The column of the table that holds the names, for faults.
    """

    table: pd.DataFrame
    areas: pd.Series
    column: str | None = None

    @property
    def codes(self) -> pd.Series:
        """The area's code for each row of the table, None where there is none."""
        return self.table["area_id"]

    @property
    def how(self) -> pd.Series:
        """How each row found its area; one of :data:`HOW`."""
        return self.table["how"]

    @cached_property
    def distinct(self) -> pd.DataFrame:
        """The names of the table, each once, with the column ``rows``: how often it occurs."""
        keys = ["name", "municipality", "area_id", "how"]
        grouped = self.table.reset_index().groupby(keys, sort=False, dropna=False)
        return grouped.first().assign(outside=grouped["outside"].any(), rows=grouped.size()).reset_index()

    @property
    def matched(self) -> pd.DataFrame:
        """Names that found an area."""
        return self.distinct[~self.distinct["how"].isin(_NONE)]

    @property
    def unmatched(self) -> pd.DataFrame:
        """Names that no area fits, with up to three suggestions."""
        return self.distinct[self.distinct["how"].isin(("unmatched", "empty"))]

    @property
    def ambiguous(self) -> pd.DataFrame:
        """Names that several areas fit; ``suggestions`` are these."""
        return self.distinct[self.distinct["how"] == "ambiguous"]

    @property
    def without_row(self) -> tuple[str, ...]:
        """Codes of the areas that no row means."""
        return tuple(sorted(set(self.areas.index) - set(self.codes.dropna())))

    @property
    def duplicates(self) -> pd.DataFrame:
        """Areas that several rows mean: ``area_id``, ``names`` (tuple of str), ``rows`` (int), ``row`` (the second)."""
        rows = self.table.dropna(subset="area_id").reset_index()
        number = rows.groupby("area_id").cumcount()
        found = rows[number == 1].set_index("area_id")[["row"]].sort_index()
        spelt = self.matched.groupby("area_id")
        names, count = spelt["name"].agg(lambda names: tuple(dict.fromkeys(names))), spelt["rows"].sum()
        return found.join(names.rename("names")).join(count).reset_index()[["area_id", "names", "rows", "row"]]

    def lines(self, *, areas: bool = True) -> list[str]:
        """Return the report as sentences; the first says how many names find an area.

        Parameters
        ----------
        areas
            Say which areas no row means, too.
        """
        names, found = self.distinct[self.distinct["how"] != "empty"], self.matched
        said = [f"{len(found):,} of {_count(len(names), 'name')} {'finds' if len(names) == 1 else 'find'} an area"]
        for how, words in _READ_AS.items():
            some = found[found["how"] == how]
            if len(some):
                pairs = [f"'{row.name}' = {row.area}" for row in some.itertuples()]
                said.append(f"{_count(len(some), 'name')} {words}: {_first(pairs)}")
        late = self.table[self.table["outside"]].drop_duplicates("name")
        if len(late):
            used = [f"'{row.name}' in {row.when}" for row in late.itertuples()]
            which = "it did" if len(late) == 1 else "they did"
            said.append(f"{_count(len(late), 'name')} used in a year in which {which} not hold: {_first(used)}")
        said += [
            f"'{row.name}' is ambiguous: it may be {_first(row.suggestions)}" for row in self.ambiguous.itertuples()
        ]
        said += self._lost()
        again = names[names["rows"] > 1]
        if len(again) and names["rows"].median() == 1:  # else a row for each area and year is the rule
            said.append(f"{_count(len(again), 'name')} more than once in the table: {checks.listed(again['name'])}")
        said += [
            f"{len(names)} names mean the same area: {checks.listed(names)}"
            for names in self.duplicates["names"]
            if len(names) > 1
        ]
        if areas and self.without_row:
            missing = [str(self.areas[code]) for code in self.without_row]
            said.append(f"{_count(len(missing), 'area')} without a row: {checks.listed(missing)}")
        return said

    def _lost(self) -> list[str]:
        """Say which names find no area, the first few with what is nearest; a table of another place has thousands."""
        nameless = self.unmatched["how"] == "empty"
        lost = self.unmatched[~nameless]
        said = [_unfound(row) for row in lost.head(_TOLD).itertuples()]
        rest = lost["name"].iloc[_TOLD:]
        if len(rest):
            said.append(f"{_count(len(rest), 'more name')} without an area: {checks.listed(rest)}")
        return said + [_unfound(row) for row in self.unmatched[nameless].itertuples()]

    def codes_or_raise(self, *, once: bool = True) -> pd.Series:
        """Return the codes, or refuse the table.

        Parameters
        ----------
        once
            Refuse two rows that mean the same area; a table with a row for each area and year has them by right.

        Raises
        ------
        IdError
            With every unmatched and ambiguous name, its row and suggestions, and every area that two rows mean.
        """
        faults = self.faults(once=once)
        if faults:
            raise IdError(faults)
        return self.codes

    def faults(self, *, unmatched: bool = True, once: bool = True) -> list[Fault]:
        """Return what keeps the table from being joined, as faults; see :meth:`codes_or_raise`."""
        wanted = ("ambiguous", "unmatched", "empty") if unmatched else ("ambiguous",)
        rows = self.distinct[self.distinct["how"].isin(wanted)]
        found = [replace(_fault(row), row=_number(row.row), column=self.column) for row in rows.itertuples()]
        if once:
            found += [self._twice(row) for row in self.duplicates.itertuples()]
        return found

    def _twice(self, found: Any) -> Fault:
        if len(found.names) > 1:
            what = f"{checks.listed(found.names)} are the same area, {self.areas[found.area_id]}"
        else:
            what = f"the name '{found.names[0]}' occurs {found.rows} times"
        return Fault(what=what, row=_number(found.row), column=self.column, expected="each area once")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _first(words: Sequence[str], *, last: str = ", ", shown: int = 5) -> str:
    rest = len(words) - shown
    if rest > 0:
        return f"{', '.join(words[:shown])} and {rest} more"
    return last.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else ", ".join(words)


def _nameless(rows: int) -> str:
    return f"{_count(rows, 'row')} {'has' if rows == 1 else 'have'} no name"


def _unfound(row: Any) -> str:
    """Say that a name finds no area, in a sentence."""
    if row.how == "empty":
        return _nameless(row.rows)
    nearest = f" (nearest: {_first(row.suggestions)})" if row.suggestions else ""
    return f"no area{_in(row)} is called '{row.name}'{nearest}"


def _fault(row: Any) -> Fault:
    """Say why a name joins nothing, as a fault."""
    if row.how == "empty":
        return Fault(what=_nameless(row.rows), expected="a name in every row")
    either = _first(row.suggestions, last=" or ")
    if row.how == "ambiguous":
        what = f"{len(row.suggestions)} areas are called '{row.name}'"
        return Fault(what=what, expected="a name that only one area has", hint=f"write it as {either}")
    return Fault(what=f"no area{_in(row)} is called '{row.name}'", hint=f"did you mean {either}?" if either else None)


def _in(row: Any) -> str:
    return f" in {row.municipality}" if row.municipality else ""


def _number(row: Any) -> int | None:
    return int(row) if isinstance(row, int | np.integer) else None


# ---------------------------------------------------------------- matching


def match_names(
    names: pd.Series,
    areas: pd.DataFrame,
    *,
    municipality: pd.Series | str | None = None,
    aliases: pd.DataFrame | None = None,
    on: pd.Series | str | int | dt.date | None = None,
) -> NameMatch:
    """Find the area that each name of a table means.

    A name is looked for in three ways, and the first that fits decides: as written but for case, hyphens, quotation
    marks and the like; without diacritics; and as a scanner or a hurried hand might have written it (see
    :func:`geoplan.places.spelling.shapes`), the last only when no other area is called almost so. An area's code
    serves, too. Aliases count as names. What fits several areas is ambiguous, and joined to none; what fits none is
    given suggestions.

    Parameters
    ----------
    names
        Names as the table writes them; the index is the row number used in faults.
    areas
        Index ``area_id``, column ``name`` and, for names that several municipalities have, ``municipality``. With it
        "Centrum (Landskrona)", "Landskrona (Centrum)", "Centrum, Landskrona" and "Landskrona Centrum" are understood.
    municipality
        The municipality of every row, or of all of them. A name is then not looked for elsewhere.
    aliases
        Other names, from :func:`as_aliases`. A rename that holds in the table's year goes before an area's name of
        today. One that does not is still taken, for old names live on, but reported.
    on
        The year or date of every row, or of all of them, such as ``2012``, ``"2012-12-31"`` or a period that holds a
        year; for renames with dates.

    Returns
    -------
    NameMatch

    Raises
    ------
    InputError
        ``SpecError`` when a column is absent, there is no municipality to compare with, or ``on`` names no year;
        ``IdError`` when an alias fits no area, or several.

    Examples
    --------
    >>> areas = pd.DataFrame({"name": ["SÄTRA", "GAMLEGÅRDEN"]}, index=["01", "02"])
    >>> match = match_names(pd.Series(["Sättra", "Gamlegirden", "Årsta"], index=[2, 3, 4]), areas)
    >>> match.codes.to_dict()
    {2: '01', 3: '02', 4: None}
    >>> match.lines()
    ['2 of 3 names find an area', "2 names read as a misspelling; please confirm: 'Sättra' = SÄTRA, \
'Gamlegirden' = GAMLEGÅRDEN", "no area is called 'Årsta'"]
    """
    must_have(areas, {"areas": "name"})
    if areas.index.has_duplicates:
        raise checks.duplicate_ids(sorted(set(areas.index[areas.index.duplicated()].astype(str))), "area_id")
    areas = areas.set_axis(areas.index.astype(str))
    areas = areas.assign(**{name: _texts(areas[name], areas.index) for name in {"name", "municipality"} & set(areas)})
    if municipality is not None and "municipality" not in areas:
        what = "the areas do not say which municipality they are in"
        hint = "name the column as `municipality_column` in the layer of areas"
        raise SpecError(Fault(what=what, key="municipality", hint=hint))
    table = pd.DataFrame({"name": _texts(names, names.index)}, index=names.index.rename("row"))
    table["municipality"] = _texts(municipality, names.index)
    table["when"] = _texts(on, names.index)
    if not isinstance(on, pd.Series) and on is not None and _year_in(str(on)) is None:
        raise SpecError(Fault(what=f"'{on}' names no year", key="on", expected="a year or a date, such as 2012"))
    index = _Index(areas, aliases)
    dated = any(label.days for label in index.labels)  # years matter to renames only
    asked = table if dated else table.assign(when="")
    numbers, distinct = pd.MultiIndex.from_frame(asked).factorize()
    found = pd.DataFrame([index.find(*row) for row in distinct], columns=["area_id", "how", "outside", "suggestions"])
    for column in found:
        table[column] = found[column].to_numpy()[numbers]
    table["area_id"] = table["area_id"].astype(object).where(table["area_id"].notna(), None)
    table["area"] = table["area_id"].map(areas["name"]).fillna("").astype(object)
    columns = ["name", "municipality", "when", "area_id", "area", "how", "outside", "suggestions"]
    return NameMatch(table[columns], index.shown, None if names.name is None else str(names.name))


def _texts(values: object, index: pd.Index) -> pd.Series:
    """Return one text a row; nothing where there is none."""
    cells = values if isinstance(values, pd.Series) else pd.Series("" if values is None else str(values), index=index)
    return cells.map(lambda cell: "" if pd.isna(cell) else as_written(str(cell))).astype(object)


def _year_in(period: str) -> Days | None:
    """Return the days of a period: a date, or the first year that it names, such as 2011 of ``HT 2011/12``."""
    year = re.search(r"(?<!\d)\d{4}(?!\d)", period)
    return days_of(period) or (days_of(year[0]) if year else None)


_Found = tuple[str | None, str, bool, tuple[str, ...]]
"""The area's code, how it was found, whether the name is used outside its years, and suggestions."""


class _Index:
    """All names of all areas, to be looked up in."""

    def __init__(self, areas: pd.DataFrame, aliases: pd.DataFrame | None) -> None:
        self.labels = name_labels(areas, aliases)
        self.codes = set(areas.index)
        self.shown = _shown(areas)
        self.towns = Towns(label.municipality for label in self.labels)
        self.plain: dict[str, list[int]] = defaultdict(list)
        self.bare: dict[str, list[int]] = defaultdict(list)
        self.shape: dict[str, list[int]] = defaultdict(list)
        for number, label in enumerate(self.labels):
            for key in _qualified(label):
                self.plain[key].append(number)
                self.bare[unaccented(key)].append(number)
                for shape in shapes(key):
                    self.shape[shape].append(number)

    @cached_property
    def speller(self) -> Speller:
        """The names without diacritics and municipality, for suggestions."""
        return Speller([unaccented(label.key) for label in self.labels])

    def find(self, name: str, municipality: str, when: str) -> _Found:
        """Find the area of a name."""
        key, place, days = plain(name), self.towns.key(municipality), _year_in(when)
        if not key:
            return None, "empty", False, ()
        if name in self.codes and key not in self.plain:
            return name, "code", False, ()
        keys = [key, f"{key} {place}"] if place else [key]  # "Centrum" in Täby may be "Täby Centrum" in the layer
        for how, numbers in (
            ("normalised", _all(self.plain, keys)),
            ("diacritics", _all(self.bare, map(unaccented, keys))),
            ("variant", _all(self.shape, {shape for key in keys for shape in shapes(key)})),
        ):
            hits = _best([self.labels[number] for number in numbers if self._lies_in(number, place)], name, days)
            found = sorted({label.area for label in hits})
            if len(found) == 1 and (how != "variant" or not self._has_rival(key, found[0], place)):
                return _told(hits, how, name, days)
            if len(found) > 1 and how != "variant":
                return None, "ambiguous", False, tuple(str(self.shown[area]) for area in found)
        return None, "unmatched", False, self._suggestions(key, place)

    def _lies_in(self, number: int, place: str) -> bool:
        return not place or self.labels[number].municipality == place

    def _has_rival(self, key: str, area: str, place: str) -> bool:
        """Tell whether another area is called almost as a name is written."""
        bare = unaccented(key)
        near = (numbers for other, numbers in self.bare.items() if one_edit_apart(bare, other))
        return any(self.labels[n].area != area and self._lies_in(n, place) for numbers in near for n in numbers)

    def _suggestions(self, key: str, place: str) -> tuple[str, ...]:
        """Return the areas a name may mean, best first; those of the municipality that it names, if it names one."""
        for known in sorted(self.towns.keys, key=len, reverse=True):
            rest = key.removeprefix(f"{known} ").removesuffix(f" {known}")
            if rest != key:
                key, place = rest, place or known
                break
        among = [number for number in range(len(self.labels)) if self._lies_in(number, place)]
        near = self.speller.nearest(unaccented(key), among or range(len(self.labels)))
        return tuple(str(self.shown[area]) for area in dict.fromkeys(self.labels[n].area for n in near))[:_SUGGESTED]


def _shown(areas: pd.DataFrame) -> pd.Series:
    """Return the names of areas in such a way that each is found by it."""
    names = areas["name"].astype(str).astype(object)
    keys = names.map(plain)
    if "municipality" in areas:
        town = areas["municipality"]
        names = names.mask(keys.duplicated(keep=False) & (town != ""), names + " (" + town + ")")
        keys = names.map(plain)
    codes = pd.Series(areas.index.astype(str), index=areas.index, dtype=object)
    return names.mask(keys.duplicated(keep=False), codes)


def _qualified(label: Label) -> list[str]:
    """Return the keys of a name: alone, and with its municipality before or behind it."""
    key, place = label.key, label.municipality
    if not key or not place:
        return [key] if key else []
    rest = key.removeprefix(f"{place} ")
    return list(dict.fromkeys((key, f"{place} {key}", f"{key} {place}", f"{rest} {place}")))


def _all(numbers: Mapping[str, list[int]], keys: Iterable[str]) -> list[int]:
    return sorted({number for key in keys for number in numbers.get(key, ())})


def _best(hits: list[Label], name: str, days: Days | None) -> list[Label]:
    """Choose among the names that fit: those of the year, then those of today, then those of other years."""
    timely = [label for label in hits if label.days and days and label.holds(days)]
    renamed = {label.municipality for label in timely}
    today = [label for label in hits if label.days is None and label.municipality not in renamed]
    chosen = timely + today or hits
    # Names of one place that differ only in case or hyphens are told apart by how they are written.
    if len({label.area for label in chosen}) > 1 and len({label.municipality for label in chosen}) == 1:
        chosen = [label for label in chosen if label.text == name] or chosen
    return chosen


def _told(hits: list[Label], how: str, name: str, days: Days | None) -> _Found:
    """Say how the one area that fits was found; its own name goes before its other ones."""
    own = [label for label in hits if label.own]
    if own and how == "normalised":
        how = "exact" if any(label.text == name for label in own) else how
    elif not own and how != "variant":
        how = "rename" if all(label.days for label in hits) else "alias"
    outside = not own and not any(label.holds(days) for label in hits)
    return hits[0].area, how, outside, ()
