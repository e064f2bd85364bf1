"""What the columns of another program's matrix mean: by their names, or as the reader of the file says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, did_you_mean, listed

__all__ = ["UNITS", "Columns", "Layout", "layout_of"]

#: Seconds of each unit.
UNITS = {"minutes": 60, "seconds": 1}

Columns = Mapping[str, str | Mapping[float, str]]

_FROM = ("fromid", "origin", "originid")
_TO = ("toid", "destination", "destinationid")
_UNIT_WORDS = {
    "minutes": ("minutes", "minute", "mins", "min", "minuter", "minutter"),
    "seconds": ("seconds", "second", "secs", "sec", "sekunder", "sek"),
}
_BARE = ("time", "traveltime", "duration", "totaltime", "restid", "rejsetid")
_PERCENTILE = re.compile(r"[ _.]?p(\d{1,3})$", re.IGNORECASE)
_R5 = re.compile(r"travel_?time(_p\d{1,3})?", re.IGNORECASE)
_CONVEYAL = ("destination", "origin", "percentile", "time")
_ROLES = ("from_id", "to_id", "percentile", "minutes", "seconds", "time")
_TIMES = ("minutes", "seconds", "time")
_MEDIAN, _HUNDRED = 50.0, 100


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a matrix keeps what.

    Attributes
    ----------
    form
        "long" (a row for each pair) or "wide" (a row for each origin, a column for each destination).
    from_id, to_id
        Columns of names; ``to_id`` is empty in a wide matrix.
    times
        Columns of times, each with its percentile; of a wide matrix all destinations, with its one percentile.
    percentile
        The column of percentiles of a matrix that has a row for each pair and percentile; else empty.
    unit
        "minutes" or "seconds".
    program
        Who writes such columns, where that can be told.
    unreached
        What this program writes for a pair that is not reached.
    assumed
        What was concluded rather than said, in words.
    """

    form: str
    from_id: str
    to_id: str = ""
    times: tuple[tuple[str, float], ...]
    percentile: str = ""
    unit: str = ""
    program: str | None = None
    unreached: tuple[object, ...] = ()
    assumed: tuple[str, ...] = ()


def layout_of(
    names: Sequence[str],
    *,
    form: str | None = None,
    columns: Columns | None = None,
    unit: str | None = None,
    percentile: float | None = None,
) -> Layout:
    """Find out where a matrix keeps what, from the names of its columns and what is said of them.

    Parameters
    ----------
    names
        The columns of the table.
    form, columns, unit, percentile
        As in :func:`~geoplan.reach.foreign.read_travel_times`.

    Raises
    ------
    SpecError
        When a column does not exist, or it cannot be told which column is what, or in which unit times are.

    Examples
    --------
    >>> layout = layout_of(["fromId", "toId", "travel_time_p25", "travel_time_p50"])
    >>> layout.times, layout.unit, layout.program
    ((('travel_time_p25', 25.0), ('travel_time_p50', 50.0)), 'minutes', 'r5py or r5r')
    """
    if unit is not None and unit not in UNITS:
        raise SpecError(Fault(what=f"'{unit}' is not a unit of times", key="unit", expected=f"one of {listed(UNITS)}"))
    if form not in {None, "long", "wide"}:
        raise SpecError(Fault(what=f"'{form}' is not a form of matrix", key="form", expected="'long' or 'wide'"))
    _check_roles(columns or {}, names)
    find = _wide if form == "wide" else _stated if set(_TIMES) & set(columns or {}) else _recognised
    found = find(names, columns or {}, unit, percentile)
    if percentile is not None and (found.percentile or {share for _, share in found.times} - {percentile}):
        what, expected = f"the matrix says itself which percentiles it has, not {percentile}", "percentile left out"
        raise SpecError(Fault(what=what, key="percentile", expected=expected))
    return found


def _check_roles(columns: Columns, names: Sequence[str]) -> None:
    faults = Faults()
    for role, meant in columns.items():
        if role not in _ROLES:
            what, hint = f"'{role}' is nothing that a column can be", did_you_mean(role, _ROLES)
            faults.add(
                SpecError(Fault(what=what, key="columns", expected=f"some of {listed(_ROLES, shown=6)}", hint=hint))
            )
        wanted = _columns_of(role, meant, faults)
        for error in checks.absent_columns([name for name in wanted if name not in names], names, key="columns"):
            faults.add(error)
    times = set(_TIMES) & set(columns)
    if len(times) > 1:
        faults.add(SpecError(Fault(what=f"times are given twice: {listed(sorted(times))}", key="columns")))
    faults.raise_any()


def _columns_of(role: str, meant: object, faults: Faults) -> list[str]:
    """Return the columns that a role means: one, or of times one for each percentile."""
    if isinstance(meant, str):
        return [meant]
    by_share = meant if role in _TIMES and isinstance(meant, Mapping) else {}
    if not by_share or not all(isinstance(share, Real) and 0 <= float(share) <= _HUNDRED for share in by_share):
        more = ", or a mapping of percentiles (0 to 100) to columns" if role in _TIMES else ""
        what = f"'{role}' cannot be {meant!r}"
        faults.add(SpecError(Fault(what=what, key="columns", expected=f"the name of a column{more}")))
        return []
    return [str(name) for name in by_share.values()]


def _wide(names: Sequence[str], columns: Columns, unit: str | None, percentile: float | None) -> Layout:
    extra = sorted(set(columns) - {"from_id"})
    if extra:
        what = f"a wide matrix has no column for {listed(extra)}"
        raise SpecError(
            Fault(what=what, key="columns", expected="'from_id' at most: every other column is a destination")
        )
    if unit is None:
        raise _no_unit("the times of a wide matrix")
    first = str(columns.get("from_id", names[0] if names else ""))
    share, assumed = _share_of(percentile)
    if "from_id" not in columns:
        assumed = (f"the first column, '{first}', names the origins", *assumed)
    times = tuple((name, share) for name in names if name != first)
    return Layout(form="wide", from_id=first, times=times, unit=unit, assumed=assumed)


def _stated(names: Sequence[str], columns: Columns, unit: str | None, percentile: float | None) -> Layout:
    role = next(role for role in ("minutes", "seconds", "time") if role in columns)
    if role == "time" and unit is None:
        raise _no_unit(f"the column '{columns[role]}'")
    if role != "time" and unit not in {None, role}:
        raise SpecError(Fault(what=f"columns say {role}, but unit says {unit}", key="unit", expected="one of the two"))
    ends, assumed = _ends(columns, names)
    meant, over = columns[role], str(columns.get("percentile", ""))
    if isinstance(meant, str):
        share, more = (_MEDIAN, ()) if over else _share_of(percentile)
        times: tuple[tuple[str, float], ...] = ((meant, share),)
        assumed += more
    elif over:
        what = "percentiles are given twice: by a column, and by a column of times for each"
        raise SpecError(Fault(what=what, key="columns", expected="one of the two"))
    else:
        times = tuple(sorted(((name, float(share)) for share, name in meant.items()), key=lambda item: item[1]))
    said = unit if role == "time" else role
    return Layout(
        form="long", from_id=ends[0], to_id=ends[1], times=times, percentile=over, unit=str(said), assumed=assumed
    )


def _ends(columns: Columns, names: Sequence[str]) -> tuple[tuple[str, str], tuple[str, ...]]:
    """Return the columns of origins and of destinations, as said or by their names."""
    found, assumed = [], []
    for role, known in (("from_id", _FROM), ("to_id", _TO)):
        if role in columns:
            found.append(str(columns[role]))
            continue
        alike = [name for name in names if _plain(name) in known]
        if len(alike) != 1:
            raise _not_recognised(names, role)
        found.append(alike[0])
        assumed.append(f"'{alike[0]}' names the {'origin' if role == 'from_id' else 'destination'}")
    return (found[0], found[1]), tuple(assumed)


def _recognised(names: Sequence[str], columns: Columns, unit: str | None, percentile: float | None) -> Layout:
    """Tell by names of columns; what is not clear is refused."""
    (first, second), assumed = _ends(columns, names)
    rest = [name for name in names if name not in {first, second}]
    over = str(columns.get("percentile", next((name for name in rest if _plain(name) == "percentile"), "")))
    base = Layout(form="long", from_id=first, to_id=second, times=(), percentile=over, assumed=assumed)
    if tuple(sorted(map(_plain, names))) == _CONVEYAL and unit in {None, "minutes"}:
        time = next(name for name in names if _plain(name) == "time")
        said = ("Conveyal writes 'time' in minutes", "-1 is unreached, as Conveyal writes it")
        return replace(
            base,
            times=((time, _MEDIAN),),
            unit="minutes",
            program="Conveyal R5",
            unreached=(-1,),
            assumed=assumed + said,
        )
    r5 = [name for name in rest if _R5.fullmatch(name)]
    if r5 and {_plain(first), _plain(second)} == {"fromid", "toid"} and not over:
        return _of_r5(base, r5, unit, percentile)
    return _by_unit(base, [name for name in rest if name != over], unit, percentile)


def _of_r5(base: Layout, r5: Sequence[str], unit: str | None, percentile: float | None) -> Layout:
    assumed = base.assumed
    if unit is None:
        assumed += ("r5py and r5r write 'travel_time' in minutes",)
    if len(r5) == 1 and not _PERCENTILE.search(r5[0]):
        if percentile is None:
            assumed += ("'travel_time' is the median (percentile 50): r5py and r5r name any other",)
        times: tuple[tuple[str, float], ...] = ((r5[0], _MEDIAN if percentile is None else float(percentile)),)
    else:
        times = _with_percentiles(r5)
    return replace(base, times=times, unit=unit or "minutes", program="r5py or r5r", assumed=assumed)


def _by_unit(base: Layout, rest: Sequence[str], unit: str | None, percentile: float | None) -> Layout:
    """Find the columns whose names say that they hold times."""
    found = {name: kind for name in rest if (kind := _kind_of(name, rest)) is not None}
    names = [base.from_id, base.to_id, *rest]
    if not found:
        raise _not_recognised(names, "minutes")
    kinds = set(found.values())
    if len(kinds) > 1 or (len(found) > 1 and not all(_PERCENTILE.search(name) for name in found)):
        what = f"several columns may hold the times: {listed(found)}"
        hint = f"name the one that counts: columns={{'minutes': '{next(iter(found))}'}}, or 'seconds'"
        raise SpecError(Fault(what=what, key="columns", hint=hint))
    kind = kinds.pop()
    if kind == "" and unit is None:
        raise _no_unit(f"the column '{next(iter(found))}'")
    if kind and unit not in {None, kind}:
        what = f"the column '{next(iter(found))}' says {kind}, but unit says {unit}"
        hint = f"if the column is misnamed: columns={{'{unit}': '{next(iter(found))}'}}"
        raise SpecError(Fault(what=what, key="unit", hint=hint))
    assumed = base.assumed
    if kind and unit is None:
        assumed += (f"{kind}, by the name of the column '{next(iter(found))}'",)
    if all(_PERCENTILE.search(name) for name in found):
        times = _with_percentiles(list(found))
    else:
        share, more = (_MEDIAN, ()) if base.percentile else _share_of(percentile)
        times, assumed = ((next(iter(found)), share),), assumed + more
    return replace(base, times=times, unit=unit or kind, assumed=assumed)


def _kind_of(name: str, names: Sequence[str]) -> str | None:
    """Return the unit in a column's name; "" where it speaks of time without one, None where it does not at all."""
    stem = _PERCENTILE.sub("", name)
    words = [word for word in re.split(r"[^a-zåäöæø]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem).casefold()) if word]
    for unit, known in _UNIT_WORDS.items():
        if words and words[-1] in known:
            # min beside max is the least of them, not a minute
            least = words[-1] == "min" and any("max" in other.casefold() for other in names)
            return None if least else unit
    return "" if _plain(stem) in _BARE else None


def _with_percentiles(names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    found = [(name, match) for name in names if (match := _PERCENTILE.search(name))]
    if len(found) != len(names):
        left = [name for name in names if not _PERCENTILE.search(name)]
        what = f"{listed(left)} stand(s) beside columns of percentiles"
        hint = "say which columns count: columns={'minutes': {50: '…', 90: '…'}}"
        raise SpecError(Fault(what=what, key="columns", hint=hint))
    return tuple(sorted(((name, float(match[1])) for name, match in found), key=lambda item: item[1]))


def _share_of(percentile: float | None) -> tuple[float, tuple[str, ...]]:
    if percentile is not None:
        return float(percentile), ()
    return _MEDIAN, ("percentile 50 stands for the only time there is; the matrix does not say which it is",)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold())


def _no_unit(where: str) -> SpecError:
    hint = "say unit='minutes' or unit='seconds'"
    return SpecError(Fault(what=f"nothing says in which unit {where} are", key="unit", hint=hint))


def _not_recognised(names: Sequence[str], role: str) -> SpecError:
    about = {"from_id": "the origin", "to_id": "the destination"}.get(role, "the time")
    return SpecError(
        Fault(
            what=f"it cannot be told which column is {about}: {listed(names, shown=9)}",
            key="columns",
            hint="say columns={'from_id': '…', 'to_id': '…', 'minutes': '…'} (or 'seconds'); a matrix with a column "
            "for each destination is form='wide'",
        )
    )
