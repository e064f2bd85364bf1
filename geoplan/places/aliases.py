"""Other names of areas: spellings, short forms and renames with their dates, tied to the areas they mean."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, TableError
from geoplan.places.areas import must_have
from geoplan.places.spelling import Towns, as_written, plain

__all__ = ["Days", "Label", "as_aliases", "days_of", "name_labels"]

_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[ T]00:00(?::00)?)?")
_EVER = ("0000-01-01", "9999-12-31")

Days = tuple[str, str]
"""First and last day, as ISO text."""


@dataclass(frozen=True)
class Label:
    """A name that an area goes by.

    Attributes
    ----------
    text, area
        The name and the area's code.
    municipality
        Where the name is meant, as a plain key; empty for anywhere.
    days
        When it holds; None for always.
    own
        Whether it is the name in the areas layer.
    """

    text: str
    area: str
    municipality: str = ""
    days: Days | None = None
    own: bool = True
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", plain(self.text))

    def holds(self, when: Days | None) -> bool:
        """Tell whether the name may be used then; a name without dates, or a use without one, always may."""
        return when is None or self.days is None or _meet(self.days, when)


def days_of(text: str) -> Days | None:
    """Return the first and last day of a year, month or date; None when it is none.

    Examples
    --------
    >>> days_of("2000"), days_of("2000-02"), days_of("spring")
    (('2000-01-01', '2000-12-31'), ('2000-02-01', '2000-02-29'), None)
    """
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = dt.date(year or 0, month or 1, day or 1)
        following = dt.date(first.year + (month or 12) // 12, (month or 12) % 12 + 1, 1)
    except ValueError:
        return None
    last = first if day else following - dt.timedelta(days=1)
    return first.isoformat(), last.isoformat()


def _meet(one: Days, other: Days) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def as_aliases(
    frame: pd.DataFrame,
    *,
    name_column: str = "name",
    known_as_column: str = "known_as",
    municipality_column: str | None = None,
    from_column: str | None = None,
    until_column: str | None = None,
) -> pd.DataFrame:
    """Turn a table of other names into aliases, each once.

    Parameters
    ----------
    frame
        One row a name; the index is the row number used in faults.
    name_column, known_as_column
        The name that is found in tables, and the area's name (or code, or another name of the table) that it means.
    municipality_column
        Where the name is meant; an empty cell is anywhere.
    from_column, until_column
        First and last year, or date, in which the name holds; an empty cell is open. A row with either is a rename.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``known_as``, ``municipality`` (str, empty for anywhere), ``since``, ``until`` (ISO date as text,
        empty when open). The index is kept.

    Raises
    ------
    InputError
        With all faults at once: absent columns, empty names, dates that are none or end before they begin, and names
        that lead in a circle.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["Navestad"], "known_as": ["Ringdansen"], "until": ["1999"]}, index=[2])
    >>> as_aliases(table, until_column="until").iloc[0].to_dict()
    {'name': 'Navestad', 'known_as': 'Ringdansen', 'municipality': '', 'since': '', 'until': '1999-12-31'}
    """
    columns = {
        "name_column": name_column,
        "known_as_column": known_as_column,
        "municipality_column": municipality_column,
        "from_column": from_column,
        "until_column": until_column,
    }
    must_have(frame, columns)
    faults = Faults()
    keys = ("name", "known_as", "municipality", "since", "until")
    table = pd.DataFrame(index=frame.index)
    for key, column in zip(keys, columns.values(), strict=True):
        cells = frame[column] if column else pd.Series("", index=frame.index)
        table[key] = cells.map(lambda cell: "" if pd.isna(cell) else as_written(str(cell))).astype(object)
    for key, column in (("name", name_column), ("known_as", known_as_column)):
        for row in table.index[table[key].map(plain) == ""]:
            faults.add(IdError(Fault(what="there is no name", row=int(row), column=column)))
    for key, column, end in (("since", from_column, 0), ("until", until_column, 1)):
        table[key] = [_day(cell, int(row), column, end, faults) for row, cell in table[key].items()]
    turned = (table["since"] > table["until"]) & (table["until"] != "")
    for row, cell in table[turned].iterrows():
        what = f"the name '{cell['name']}' holds from {cell['since']} until {cell['until']}"
        faults.add(TableError(Fault(what=what, row=int(row), column=until_column, expected="an end after the start")))
    faults.raise_any()
    table = table.drop_duplicates()
    _no_circles(table)
    return table


def _day(cell: str, row: int, column: str | None, end: int, faults: Faults) -> str:
    days = days_of(cell)
    if cell and days is None:
        expected = "a year or a date, such as 1999 or 1999-06-30, or nothing"
        faults.add(TableError(Fault(what=f"'{cell}' is not a date", row=row, column=column, expected=expected)))
    return days[end] if days else ""


def _no_circles(table: pd.DataFrame) -> None:
    """Refuse names that lead back to themselves."""
    steps = _Steps([_Row.of(row, cell, Towns()) for row, cell in table.iterrows()])
    for row in steps.rows:
        way = steps.circle(row)
        if way:
            what = f"the names lead in a circle: {' → '.join(repr(name) for name in way)}"
            raise row.fault(what, expected="names that lead to an area")


@dataclass(frozen=True)
class _Row:
    """One alias with its keys."""

    number: int
    file: str | None
    name: str
    known_as: str
    municipality: str
    days: Days | None
    key: str
    goal: str

    @classmethod
    def of(cls, number: object, cell: pd.Series, towns: Towns) -> _Row:
        """Read a row of :func:`as_aliases`."""
        dated = bool(cell["since"] or cell["until"])
        return cls(
            number=int(str(number)),
            file=cell.get("file"),
            name=cell["name"],
            known_as=cell["known_as"],
            municipality=towns.key(cell["municipality"]),
            days=(cell["since"] or _EVER[0], cell["until"] or _EVER[1]) if dated else None,
            key=plain(cell["name"]),
            goal=plain(cell["known_as"]),
        )

    def fault(self, what: str, *, expected: str | None = None, hint: str | None = None) -> IdError:
        """Word a fault of this row."""
        return IdError(Fault(what=what, file=self.file, row=self.number, expected=expected, hint=hint))


class _Steps:
    """Aliases, and which leads to which."""

    def __init__(self, rows: list[_Row]) -> None:
        self.rows = rows
        self._by_key: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            if row.key != row.goal:  # a mere spelling of the area's own name leads nowhere else
                self._by_key[row.key].append(row)

    def after(self, row: _Row) -> list[_Row]:
        """Return the aliases that a row's goal is a name of."""
        return [step for step in self._by_key.get(row.goal, ()) if _same_place(step.municipality, row.municipality)]

    def chain(self, row: _Row) -> Iterator[_Row]:
        """Walk from an alias to those it leads to, the nearest first."""
        seen, front = {row}, [row]
        while front:
            yield from front
            front = [step for last in front for step in self.after(last) if step not in seen]
            seen.update(front)

    def circle(self, row: _Row) -> list[str]:
        """Return the names on the way from a row back to itself; an empty list when there is no such way."""
        if row.name == row.known_as and not row.municipality:
            return [row.name, row.known_as]
        ways: list[tuple[_Row, list[str]]] = [(row, [row.name])]
        seen: set[_Row] = set()
        while ways:
            last, names = ways.pop()
            for step in self.after(last):
                if step == row:
                    return [*names, row.name]
                if step not in seen:
                    seen.add(step)
                    ways.append((step, [*names, step.name]))
        return []


def _same_place(one: str, other: str) -> bool:
    return not one or not other or one == other


# ---------------------------------------------------------------- tied to areas


def name_labels(areas: pd.DataFrame, aliases: pd.DataFrame | None = None) -> list[Label]:
    """Return every name of every area, its own and the others.

    Parameters
    ----------
    areas
        Index ``area_id``, column ``name`` and, where there is one, ``municipality``.
    aliases
        From :func:`as_aliases`; a column ``file``, where there is one, is named in faults.

    Raises
    ------
    IdError
        When an alias leads to no area or to several, means two areas at once, or is the name of another area.
    """
    where = areas["municipality"] if "municipality" in areas else pd.Series("", index=areas.index)
    towns = Towns(where.fillna("").astype(str))
    municipality = {str(code): towns.key(str(name)) for code, name in where.fillna("").items()}
    own = [Label(as_written(str(name)), str(code), municipality[str(code)]) for code, name in areas["name"].items()]
    if aliases is None or aliases.empty:
        return own
    by_key: dict[str, list[Label]] = defaultdict(list)
    for label in own:
        by_key[label.key].append(label)
    steps = _Steps([_Row.of(number, cell, towns) for number, cell in aliases.iterrows()])
    faults = Faults()
    other: dict[_Row, Label] = {}
    for row in steps.rows:
        with faults.catch():
            other[row] = _tied(row, steps, by_key, municipality)
    faults.raise_any()
    _one_area_each(other, by_key, faults)
    faults.raise_any()
    return own + list(other.values())


def _tied(row: _Row, steps: _Steps, own: Mapping[str, list[Label]], areas: Mapping[str, str]) -> Label:
    """Find the area an alias means: by code, by name, by another alias, or by the name of an older layer."""
    for step in steps.chain(row):
        found = {step.known_as} & areas.keys() or _called(step.known_as, step.municipality or row.municipality, own)
        if len(found) > 1:
            hint = "give the area's code, or say in which municipality the name is meant"
            what = f"the alias '{row.name}' means '{step.known_as}', which several areas are called"
            raise row.fault(f"{what}: {checks.listed(sorted(found))}", hint=hint)
        if found:
            (area,) = found
            return Label(row.name, area, row.municipality or areas[area], row.days, own=False)
    old = _called(row.name, row.municipality, own)
    if len(old) == 1:  # the layer still has the name from before the rename
        (area,) = old
        since = (row.days[1], _EVER[1]) if row.days and row.days[1] != _EVER[1] else None
        return Label(row.known_as, area, row.municipality or areas[area], since, own=False)
    known = [label.text for group in own.values() for label in group]
    raise row.fault(
        f"the alias '{row.name}' means '{row.known_as}', which no area is called",
        expected="an area's name or code",
        hint=checks.did_you_mean(row.known_as, known),
    )


def _called(name: str, municipality: str, own: Mapping[str, Iterable[Label]]) -> set[str]:
    """Return the areas of a name; of several, those that are written exactly so."""
    labels_ = [label for label in own.get(plain(name), ()) if _same_place(label.municipality, municipality)]
    exact = {label.area for label in labels_ if label.text == name}
    return exact or {label.area for label in labels_}


def _one_area_each(found: Mapping[_Row, Label], own: Mapping[str, list[Label]], faults: Faults) -> None:
    """Refuse a name that two areas have at the same time and place."""
    seen: dict[str, list[tuple[_Row, Label]]] = defaultdict(list)
    for row, label in found.items():
        for earlier, other in seen[label.key]:
            if (
                other.area != label.area
                and _same_place(row.municipality, earlier.municipality)
                and _meet(label.days or _EVER, other.days or _EVER)
            ):
                what = f"the alias '{row.name}' means two areas at once: '{other.area}' and '{label.area}'"
                hint = f"row {earlier.number} says the other; give each its municipality, or years that do not overlap"
                faults.add(row.fault(what, expected="one area", hint=hint))
        seen[label.key].append((row, label))
        taken = [
            name
            for name in own.get(label.key, ())
            if label.days is None and name.area != label.area and _same_place(row.municipality, name.municipality)
        ]
        if taken:
            what = f"the alias '{row.name}' of area '{label.area}' is the name of area '{taken[0].area}'"
            faults.add(row.fault(what, hint="give the alias the years in which it held, or its municipality"))
