"""What is at each end of a journey: amounts by id, brought into the order of the travel times and checked.

A place that could not be put on the streets reaches nothing for a reason that has nothing to do with access. So whoever
measures asks here which origins are known, and leaves the others out: NaN, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, IdError, InputError, TableError, listed
from geoplan.reach.times import UNREACHED, TravelTimes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Amounts",
    "Asked",
    "amounts_of",
    "as_minutes",
    "asked_percentiles",
    "asked_thresholds",
    "framed",
    "from_index",
    "in_chunks",
    "minutes_until",
    "number_from",
    "one_of",
    "out_of_scope",
    "step_table",
    "summed",
    "unsnapped_ids",
]

#: Pairs taken up at once: a few arrays of 8 MiB, whatever the size of the matrix.
_PAIRS_AT_ONCE = 2**20
_MOST_MIN = (UNREACHED - 1) / 60
_HUNDRED = 100
_SIDES = {"to": "destinations", "from": "origins"}


@dataclass(frozen=True, eq=False)
class Amounts:
    """Amounts by id and kind, as float64 (ids, kinds); ``single`` if they came as a Series."""

    figures: NDArray[np.float64]
    names: pd.Index
    single: bool

    @property
    def one(self) -> NDArray[np.float64]:
        """The only kind."""
        return self.figures[:, 0]


@dataclass(frozen=True)
class Asked:
    """Numbers that were asked for, and whether as several: then they are a level of the columns."""

    numbers: tuple[float, ...]
    many: bool


def amounts_of(
    given: pd.Series | pd.DataFrame, times: TravelTimes, side: str, key: str, faults: Faults, *, one: bool = False
) -> Amounts | None:
    """Bring amounts into the order of one side of the times; None where there is a fault.

    A column of geometries is left out, so that points that carry their amounts can be handed over as they are.
    """
    if not isinstance(given, pd.Series | pd.DataFrame):
        what = f"{key} is a {type(given).__name__}"
        expected = "a Series" if one else "a Series, or a DataFrame with a column for each kind"
        faults.add(InputError(Fault(what=what, key=key, expected=f"{expected}, by id")))
        return None
    frame = given.to_frame() if isinstance(given, pd.Series) else pd.DataFrame(given)
    frame = frame.loc[:, [str(kind) != "geometry" for kind in frame.dtypes]]
    if one and frame.shape[1] != 1:
        what = f"{key} has {frame.shape[1]} columns: {listed(frame.columns)}"
        faults.add(InputError(Fault(what=what, key=key, expected="one kind", hint=f"choose one: {key}['…']")))
        return None
    before = len(list(faults))
    _check_columns(frame, key, faults)
    places = _places(frame.index, times.to_ids if side == "to" else times.from_ids, side, key, faults)
    values = _numbers(frame, key, faults)
    if len(list(faults)) > before:
        return None
    single = isinstance(given, pd.Series)
    return Amounts(values[places], pd.Index([given.name]) if single else frame.columns, single)


def _check_columns(frame: pd.DataFrame, key: str, faults: Faults) -> None:
    if not frame.shape[1]:
        faults.add(InputError(Fault(what="there is no column of amounts", key=key, expected="at least one")))
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        what = f"{len(twice)} column(s) occur more than once: {listed(twice)}"
        faults.add(InputError(Fault(what=what, key=key, expected="each kind once")))


def _places(index: pd.Index, ids: NDArray[Any], side: str, key: str, faults: Faults) -> NDArray[np.intp]:
    """Return where each id of the times is in the index; collect what does not fit."""
    names = pd.Index([str(name) for name in index], dtype=object)
    twice = names[names.duplicated()].unique()
    if len(twice):
        what = f"{len(twice)} id(s) occur more than once: {listed(twice)}"
        faults.add(IdError(Fault(what=what, key=key, expected=f"each of the {_SIDES[side]} once")))
        return np.zeros(0, np.intp)
    places: NDArray[np.intp] = names.get_indexer(pd.Index(ids, dtype=object))
    lacking = np.asarray(ids)[places < 0]
    if len(lacking):
        what = f"{len(lacking)} of the {len(ids)} {_SIDES[side]} have no amount; their ids: {listed(lacking)}"
        hint = f"if there is none there, say so: {key}.reindex(times.{side}_ids, fill_value=0)"
        faults.add(IdError(Fault(what=what, key=key, expected=f"an amount for each of the {_SIDES[side]}", hint=hint)))
    more = names[~names.isin(pd.Index(ids, dtype=object))]
    if len(more):
        what = f"{len(more)} id(s) are not among the {_SIDES[side]} of the travel times: {listed(more)}"
        hint = f"compute times for them, or leave them out on purpose: {key}.loc[times.{side}_ids]"
        faults.add(IdError(Fault(what=what, key=key, expected="the same ids as the travel times", hint=hint)))
    return places


def _numbers(frame: pd.DataFrame, key: str, faults: Faults) -> NDArray[np.float64]:
    values = np.zeros(frame.shape)
    for place, (name, column) in enumerate(frame.items()):
        try:
            numbers = column.to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError):
            what = f"amounts are {column.dtype}, not numbers"
            faults.add(TableError(Fault(what=what, key=key, column=str(name), expected="numbers")))
            continue
        for bad, kind, expected in (
            (~np.isfinite(numbers), "not known or not finite", "a finite number; 0 where there is none"),
            (numbers < 0, "below 0", "amounts of 0 or more"),
        ):
            if bad.any():
                what = f"{int(bad.sum())} amount(s) are {kind}: {listed(frame.index[bad])}"
                faults.add(TableError(Fault(what=what, key=key, column=str(name), expected=expected)))
        values[:, place] = numbers
    return values


# ---------------------------------------------------------------- what is asked


def asked_thresholds(
    given: float | Sequence[float], times: TravelTimes, faults: Faults, *, key: str = "within_min"
) -> Asked:
    """Check minutes within which something is to be reached: also that the times go that far."""
    many = not isinstance(given, int | float)
    asked = _asked(given, key, faults, 0, _MOST_MIN, "minutes")
    most_s = _computed_to(times)
    beyond = [minutes for minutes in asked.numbers if most_s is not None and minutes * 60 > most_s]
    if beyond and most_s is not None:
        what = (
            f"the travel times were computed up to {most_s / 60:g} minutes only, not {listed(f'{m:g}' for m in beyond)}"
        )
        hint = f"compute them with max_min={max(beyond):g}; otherwise what takes longer would count as not reached"
        faults.add(InputError(Fault(what=what, key=key, expected=f"at most {most_s / 60:g} minutes", hint=hint)))
    return Asked(asked.numbers, many)


def asked_percentiles(
    given: float | Sequence[float] | None, times: TravelTimes, faults: Faults
) -> tuple[Asked, list[int]]:
    """Check percentiles; return them and their places in the times."""
    places: list[int] = []
    if given is None:
        with faults.catch():
            places.append(times._place(None))  # noqa: SLF001  the same wing, and one wording
        return Asked(times.percentiles[:1], many=False), places
    asked = _asked(given, "percentile", faults, 0, _HUNDRED, "per cent")
    for share in asked.numbers:
        with faults.catch():
            places.append(times._place(share))  # noqa: SLF001  the same wing, and one wording
    return asked, places


def _asked(given: float | Sequence[float], key: str, faults: Faults, low: float, high: float, unit: str) -> Asked:
    many = not isinstance(given, int | float | np.number)
    numbers: list[Any] = []
    try:
        numbers = list(given) if many else [given]  # type: ignore[arg-type]  # a text is many, and refused below
    except TypeError:
        numbers = [given]
    good = [number for number in numbers if _is_number(number) and low <= number <= high]
    if len(good) < len(numbers) or not numbers or len(set(good)) < len(good):
        what = f"{key} cannot be {given!r}"
        expected = f"{unit} from {low:g} to {high:,.0f}: a number, or different ones, as (30, 45)"
        faults.add(InputError(Fault(what=what, key=key, expected=expected)))
        return Asked((), many)
    return Asked(tuple(int(number) if number == int(number) else float(number) for number in good), many)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def number_from(
    value: object, key: str, faults: Faults, *, over: float = 0, most: float = np.inf, whole: bool = False
) -> float:
    """Check a number greater than one bound and at most another."""
    good = _is_number(value) and over < value <= most and (not whole or value == int(value))  # type: ignore[operator, call-overload]
    if not good:
        kind = "a whole number" if whole else "a number"
        expected = f"{kind} over {over:g}" + (f" and at most {most:,g}" if np.isfinite(most) else "")
        faults.add(InputError(Fault(what=f"{key} cannot be {value!r}", key=key, expected=expected)))
        return float("nan")
    return float(value)  # type: ignore[arg-type]  # a number, see before


def one_of(value: str, known: Iterable[str], key: str, faults: Faults) -> bool:
    """Check a word against those that are known."""
    choice = list(known)
    if value not in choice:
        faults.add(InputError(Fault(what=f"{key} cannot be {value!r}", key=key, expected=f"one of {listed(choice)}")))
    return value in choice


def _computed_to(times: TravelTimes) -> float | None:
    """Return the longest trip in seconds that was looked for, where the record of the times tells it."""
    asked = times.record.get("asked")
    most = asked.get("most_s") if isinstance(asked, dict) else None
    return float(most) if isinstance(most, int | float) else None


# ---------------------------------------------------------------- who is known


def unsnapped_ids(times: TravelTimes, side: str) -> set[str]:
    """Return the ids of one side that are on no street."""
    left = times.unsnapped
    return {str(name) for name in left.loc[left["side"] == side, "id"]} if len(left) else set()


def _not_in_matrix(times: TravelTimes, side: str) -> set[str]:
    """Return the ids that whoever computed the matrix left out of it."""
    absent = times.record.get("not_in_the_matrix")
    return {str(name) for name in absent.get(f"{side}_ids", ())} if isinstance(absent, dict) else set()


def out_of_scope(times: TravelTimes, side: str = "from") -> tuple[NDArray[np.bool_], dict[str, str]]:
    """Return which points of a side say nothing of access, and why, by id."""
    reasons = dict.fromkeys(_not_in_matrix(times, side), "not in the matrix")
    left = times.unsnapped
    if len(left):
        mine = left[left["side"] == side]
        reasons |= {str(name): str(why) for name, why in zip(mine["id"], mine["reason"], strict=True)}
    ids = times.to_ids if side == "to" else times.from_ids
    return np.array([name in reasons for name in ids], dtype=bool), reasons


# ---------------------------------------------------------------- sums over the matrix


def in_chunks(rows: int, width: int) -> Iterator[slice]:
    """Cut rows into parts of so many pairs."""
    step = max(1, _PAIRS_AT_ONCE // max(1, width))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def step_table(minutes: float) -> NDArray[np.float64]:
    """Return a weight for each value of uint16 seconds: 1 up to so many minutes, 0 beyond."""
    table = np.zeros(UNREACHED + 1)
    table[: int(np.floor(minutes * 60 + 1e-6)) + 1] = 1  # 1e-6: 0.1 minutes are 6 seconds, also in binary
    table[UNREACHED] = 0
    return table


def summed(seconds: NDArray[np.uint16], table: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row the sum of values, weighted by what a table says of the seconds."""
    sums = np.zeros((seconds.shape[0], values.shape[1]))
    for rows in in_chunks(*seconds.shape):
        sums[rows] = table[seconds[rows]] @ values
    return sums


def as_minutes(seconds: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return minutes; NaN where not reached."""
    return np.where(seconds == UNREACHED, np.nan, seconds / 60)


def from_index(times: TravelTimes) -> pd.Index:
    """Return the index of every result."""
    return pd.Index(times.from_ids, name="from_id")


def minutes_until(
    seconds: NDArray[np.uint16], values: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return minutes until a target is reached, for each row and kind; NaN where it is not."""
    enough_of = targets * (1 - 1e-9)  # sums of fractions depend on their order
    found = np.full(targets.shape, np.nan)
    for rows in in_chunks(*seconds.shape):
        block = seconds[rows]
        order = np.argsort(block, axis=1, kind="stable")
        ranked = np.take_along_axis(block, order, axis=1)
        line = np.arange(len(block))
        for kind in range(values.shape[1]):
            enough = np.cumsum(values[order, kind], axis=1) >= enough_of[rows, kind][:, None]
            first = enough.argmax(axis=1)
            found[rows, kind] = np.where(enough.any(axis=1), as_minutes(ranked[line, first]), np.nan)
    return found


def framed(
    times: TravelTimes, found: NDArray[np.float64], amounts: Amounts, asked: tuple[tuple[str, Asked], ...]
) -> pd.Series | pd.DataFrame:
    """Give figures (origins, kinds, levels …) their names; origins that say nothing of access become NaN."""
    outside, _ = out_of_scope(times)
    flat = found.reshape(len(times.from_ids), -1)
    flat[outside] = np.nan
    levels: list[pd.Index] = [] if amounts.single else [amounts.names.rename("opportunity")]
    levels += [pd.Index(question.numbers, name=name) for name, question in asked if question.many]
    index = from_index(times)
    if not levels:
        return pd.Series(flat[:, 0], index=index, name=amounts.names[0])
    columns = levels[0] if len(levels) == 1 else pd.MultiIndex.from_product(levels)
    return pd.DataFrame(flat, index=index, columns=columns)
