"""What can go wrong, and how it is said.

::

    GeoplanError                     anything geoplan refuses; the command line exits with 2
    ├── InputError (ValueError)      something the user handed in; carries every fault found
    │   ├── SpecError                a layers/, scenarios/ or maps/ file, or an argument
    │   ├── SourceError              a data file that cannot be read
    │   ├── CrsError                 missing, geographic or distorting coordinate system
    │   ├── IdError                  missing, duplicate, shortened or unmatched area codes
    │   ├── GeometryError            empty, unrepairable or non-polygon geometry
    │   └── TableError               indicator values that cannot be what they claim to be
    ├── DisclosureError              figures that are not safe to show to the public
    ├── OutputError (OSError)        the run folder cannot be written
    └── OfflineError                 a page meant to work offline would ask for something outside

A fault says what is wrong, where, what was expected and how to mend it. Readers collect all the faults of
a file before they raise, so that one run of ``geoplan check`` shows everything there is to mend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

__all__ = [
    "CrsError",
    "DisclosureError",
    "Fault",
    "Faults",
    "GeometryError",
    "GeoplanError",
    "IdError",
    "InputError",
    "OfflineError",
    "OutputError",
    "SourceError",
    "SpecError",
    "TableError",
    "did_you_mean",
    "listed",
]


_SHOWN = 5


def listed(values: Iterable[object], *, shown: int = _SHOWN) -> str:
    """Quote the first few values and count the rest: ``'a', 'b' and 3 more``."""
    everything = [str(value) for value in values]
    text = ", ".join(f"'{value}'" for value in everything[:shown])
    rest = len(everything) - shown
    return f"{text} and {rest} more" if rest > 0 else text


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Suggest the nearest known word, or list a short choice, or say nothing."""
    choice = sorted({str(name) for name in known})
    folded = {candidate.casefold(): candidate for candidate in choice}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{folded[near[0]]}'?"
    return f"one of {listed(choice, shown=12)}" if choice else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    Parameters
    ----------
    what
        The fault in one clause, with the offending value.
    file, key, row, column, area
        Where it is; whichever of them apply. Rows are counted as a spreadsheet does: the header is row 1.
    expected
        What was expected instead.
    hint
        How to mend it.

    Examples
    --------
    >>> print(Fault(what="unknown key 'levl'", file="a.toml", key="areas.levl", hint="did you mean 'level'?"))
    a.toml, key 'areas.levl': unknown key 'levl'. Hint: did you mean 'level'?
    """

    what: str
    file: str | None = None
    key: str | None = None
    row: int | None = None
    column: str | None = None
    area: str | None = None
    expected: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        places = [
            self.file,
            self.key and f"key '{self.key}'",
            self.row and f"row {self.row}",
            self.column and f"column '{self.column}'",
            self.area and f"area '{self.area}'",
        ]
        where = ", ".join(str(place) for place in places if place)
        text = f"{where}: {self.what}." if where else f"{self.what}."
        if self.expected:
            text += f" Expected: {self.expected}."
        if self.hint:
            text += f" Hint: {self.hint}"
        return text


class GeoplanError(Exception):
    """Anything geoplan refuses to do; ``str(error)`` is meant for the user."""


class InputError(GeoplanError, ValueError):
    """Something the user handed in is wrong; ``faults`` holds every fault found.

    Parameters
    ----------
    faults
        One fault or several.
    """

    faults: tuple[Fault, ...]

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def located(self, **where: str | None) -> InputError:
        """Return the same error with the places that are still open filled in (``file=``, ``key=`` …).

        A fault that names another file already is left alone: a key of the scenario says nothing about a layer.
        """

        def filled(fault: Fault) -> Fault:
            if fault.file and where.get("file", fault.file) != fault.file:
                return fault
            still_open: dict[str, Any] = {name: value for name, value in where.items() if not getattr(fault, name)}
            return replace(fault, **still_open)

        return type(self)(filled(fault) for fault in self.faults)


class SpecError(InputError):
    """A layers/, scenarios/ or maps/ file, or an argument, does not say what it must."""


class SourceError(InputError):
    """A data file is missing, broken, empty or in a format geoplan does not read."""


class CrsError(InputError):
    """A coordinate system is missing, geographic, or distorts lengths too much."""


class IdError(InputError):
    """Area codes are missing, duplicate, shortened, or match nothing."""


class GeometryError(InputError):
    """A geometry is empty, no polygon, or beyond repair."""


class TableError(InputError):
    """An indicator table holds values that cannot be what they claim to be."""


class DisclosureError(GeoplanError):
    """Figures meant for the public are unprotected, or could be worked out from what is shown."""


class OutputError(GeoplanError, OSError):
    """The run folder cannot be written."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class OfflineError(GeoplanError):
    """A page that must open without internet would ask for something outside."""


class Faults:
    """A collector: fill it, then :meth:`raise_any`; mixed kinds raise the plain :class:`InputError`."""

    def __init__(self) -> None:
        self._errors: list[InputError] = []

    def __iter__(self) -> Iterator[Fault]:
        return (fault for error in self._errors for fault in error.faults)

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(self, error: InputError) -> None:
        """Keep an error for later."""
        self._errors.append(error)

    @contextmanager
    def catch(self, **where: str | None) -> Iterator[None]:
        """Keep any :class:`InputError` raised inside the block, located by ``where``, and go on."""
        try:
            yield
        except InputError as error:
            self.add(error.located(**where))

    @staticmethod
    @contextmanager
    def located_at(file: str, *, toml: str | None = None) -> Iterator[None]:
        """Name the file in any :class:`InputError` that leaves the block; ``toml`` where a key is at fault."""
        try:
            yield
        except InputError as error:
            raise type(error)(
                fault if fault.file else replace(fault, file=toml if toml and fault.key else file)
                for fault in error.faults
            ) from error

    def raise_any(self) -> None:
        """Raise everything kept so far as one error; do nothing when there is nothing."""
        if not self._errors:
            return
        kinds = {type(error) for error in self._errors}
        kind = kinds.pop() if len(kinds) == 1 else InputError
        raise kind(tuple(self))
