"""Travel times that other programs computed: R5, r5py, r5r, Conveyal, OTP, an authority's matrix."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, IdError, SourceError, SpecError, TableError, listed
from geoplan.reach.foreign_cells import in_rows, read_cells
from geoplan.reach.foreign_layout import Columns, Layout, layout_of
from geoplan.reach.times import UNREACHED, TravelTimes
from geoplan.sources import read_table, sha256_of
from geoplan.sources.files import index_as_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_travel_times"]

_HUNDRED = 100
_SHOWN = 3


def read_travel_times(
    source: str | Path | pd.DataFrame,
    *,
    form: str | None = None,
    columns: Columns | None = None,
    unit: str | None = None,
    percentile: float | None = None,
    unreached: object = None,
    from_ids: Iterable[Any] | pd.DataFrame | None = None,
    to_ids: Iterable[Any] | pd.DataFrame | None = None,
    decimal: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    program: str | None = None,
    about: Mapping[str, object] | None = None,
) -> TravelTimes:
    """Read a matrix of travel times that another program computed.

    Columns as r5py, r5r and Conveyal write them are known, and so are names that say the unit (``minutes``,
    ``seconds``, ``restid_min``). The unit is never guessed from the numbers: where no name says it, ``unit`` must.

    Parameters
    ----------
    source
        CSV or other separated text (comma, semicolon or tab; UTF-8, UTF-16 or Latin-1), .xlsx, Parquet, or a table.
        Of a table or of Parquet an index with names counts as columns.
    form
        "long" (a row for each pair, when left out) or "wide": names of origins in the first column, of destinations
        in the header.
    columns
        Which column is what, where names do not tell: ``from_id``, ``to_id``, and one of ``minutes``, ``seconds`` and
        ``time`` (with ``unit``); its value is a column, or a mapping of percentiles to columns. ``percentile`` is a
        column of percentiles, with a row for each.
    unit
        "minutes" or "seconds".
    percentile
        Which percentile the only time is; 50 when left out, and the record says that this was assumed.
    unreached
        What stands for a pair that is not reached, beside blanks, NA, NaN, None and null: a number or text, or several
        of them. When left out, values that look like marks (-1, 255 of R5's bytes, 999 minutes, 9999 s, whatever is
        over 65,534 s) are faults; ``()`` says that there are none.
    from_ids, to_ids
        The points there should be: names, or points or a table with the names as the index. Rows and columns come in
        this order; others are faults, and those that are not in the matrix are unreached and listed in the record.
    decimal
        The decimal sign of text; found when left out.
    separator, encoding, sheet
        As in :func:`~geoplan.sources.read_table`.
    program
        Who computed the times, with its version.
    about
        What else is known of them: date, window, modes, speeds.

    Returns
    -------
    TravelTimes
        Times in whole seconds. A pair that is not in the matrix is unreached; ``record["counts"]`` keeps it apart
        from one that the program did not reach. ``record`` has besides: the file, its SHA-256, the columns read, the
        unit, marks met, and everything that was assumed, in words.

    Raises
    ------
    InputError
        Everything that is wrong, at once: ``SpecError`` when it cannot be told what a column means; ``SourceError``
        when the file cannot be read; ``TableError`` for text among numbers, times below zero or over 65,534 s, marks
        that nobody explained, pairs with two times; ``IdError`` for blank or unknown names.

    Examples
    --------
    >>> import pandas as pd
    >>> matrix = pd.DataFrame(
    ...     {"from_id": ["0101", "0101"], "to_id": ["school", "clinic"], "travel_time": [12.0, None]})
    >>> times = read_travel_times(matrix, program="r5py 1.1.7", about={"date": "2019-05-13"})
    >>> times.seconds[:, :, 0]
    array([[  720, 65535]], dtype=uint16)
    >>> times.record["assumed"][2]
    "r5py and r5r write 'travel_time' in minutes"
    """
    if not isinstance(source, str | Path | pd.DataFrame):
        what = f"travel times cannot be read from a {type(source).__name__}"
        raise SourceError(Fault(what=what, expected="a file, or a table of pandas"))
    path = None if isinstance(source, pd.DataFrame) else Path(source)
    with nullcontext() if path is None else Faults.located_at(str(path)):
        if path is None:
            table = _as_table(source)
        else:
            table = read_table(path, sheet=sheet, separator=separator, encoding=encoding)
        layout = layout_of(list(table.columns), form=form, columns=columns, unit=unit, percentile=percentile)
        if layout.form == "wide" and "from_id" not in (columns or {}):
            _check_index(table)
        pairs = _read_pairs(table, layout, decimal, _marks(unreached))
        wanted = (_names(from_ids, "from_ids", pairs.faults), _names(to_ids, "to_ids", pairs.faults))
        starts = _placed(pairs.from_id, wanted[0], "from_ids", layout.from_id, pairs)
        ends = _placed(pairs.to_id, wanted[1], "to_ids", layout.to_id, pairs)
        filled = _filled(pairs, starts, ends)
        pairs.faults.raise_any()
    record = {
        "source": "a table in memory" if path is None else path.name,
        "sha256": _checksum(table) if path is None else sha256_of(path),
        "program": program or layout.program,
        "form": layout.form,
        "columns": _columns_read(layout),
        "unit": layout.unit,
        "assumed": [*layout.assumed, *pairs.assumed],
        "unreached_marks": pairs.marks,
        "rounded_to_seconds": pairs.rounded,
        "rows_said_twice": filled.repeated,
        "counts": filled.counts,
        "not_in_the_matrix": {"from_ids": starts.absent, "to_ids": ends.absent},
        "notes": filled.notes,
        "about": dict(about or {}),
    }
    return TravelTimes(starts.ids, ends.ids, filled.shares, filled.seconds, record=record)


# ---------------------------------------------------------------- the table as pairs


@dataclass(frozen=True)
class _Pairs:
    """One time a place: names, percentile, seconds (NaN: not reached), row, and what was met on the way."""

    from_id: NDArray[Any]
    to_id: NDArray[Any]
    share: NDArray[np.float64]
    seconds: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    row: NDArray[np.intp]
    marks: dict[str, int]
    rounded: int
    assumed: list[str]
    faults: Faults


@dataclass(frozen=True)
class _Side:
    ids: NDArray[Any]
    place: NDArray[np.intp]
    absent: list[str]


@dataclass(frozen=True)
class _Filled:
    shares: tuple[float, ...]
    seconds: NDArray[np.uint16]
    counts: list[dict[str, float]]
    repeated: int
    notes: list[str]


def _marks(unreached: object) -> Sequence[object] | None:
    """Return marks as several: one alone is one, and text is not taken for its letters."""
    if unreached is None:
        return None
    if isinstance(unreached, str) or not isinstance(unreached, Iterable):
        return (unreached,)
    return tuple(unreached)


def _as_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table whose rows are counted as in a file."""
    table = index_as_columns(pd.DataFrame(frame))
    table.columns = [str(name) for name in table.columns]
    if table.columns.has_duplicates:
        twice = table.columns[table.columns.duplicated()].unique()
        raise SourceError(Fault(what=f"columns occur twice: {listed(twice)}", row=1))
    if table.empty:
        raise SourceError(Fault(what="the table has no rows", expected="at least one"))
    return table.set_axis(pd.RangeIndex(2, len(table) + 2, name="row"))


def _check_index(table: pd.DataFrame) -> None:
    """Refuse to take numbers of rows that are left of a longer table for names of origins, or the other way round."""
    first = table.columns[0]
    if first == "index" and pd.api.types.is_integer_dtype(table[first].dtype):
        raise SpecError(
            Fault(
                what="the index of the table may be names of origins, or numbers of rows",
                key="columns",
                hint="if it names the origins, columns={'from_id': 'index'}; if not, table.reset_index(drop=True)",
            )
        )


def _read_pairs(table: pd.DataFrame, layout: Layout, decimal: str | None, unreached: Sequence[object] | None) -> _Pairs:
    names = [name for name, _ in layout.times]
    cells, faults, assumed = read_cells(
        table[names], unit=layout.unit, decimal=decimal, unreached=unreached, known=layout.unreached
    )
    rows, width = len(table), len(names)
    start = _texts(table[layout.from_id], faults)
    if layout.form == "wide":
        start = _check_wide(start, table, layout.from_id, faults)
        end = np.tile(np.array(names, dtype=object), rows)
    else:
        end = np.repeat(_texts(table[layout.to_id], faults), width)
    share = np.tile([share for _, share in layout.times], rows)
    if layout.percentile:
        share = np.repeat(_shares(table[layout.percentile], faults), width)
    return _Pairs(
        np.repeat(start, width),
        end,
        share.astype(float),
        cells.seconds.ravel(),
        cells.wrong.ravel(),
        np.repeat(table.index.to_numpy(), width),
        cells.marks,
        cells.rounded,
        assumed,
        faults,
    )


def _texts(column: pd.Series, faults: Faults) -> NDArray[Any]:
    """Return names as text: whole numbers without decimals, leading zeros as they are."""
    code, different = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    texts: NDArray[Any] = np.array([*(_text(one) for one in different), ""], dtype=object)[code]
    blank = column.index[texts == ""]
    if len(blank):
        what = f"{len(blank):,} row(s) have no name ({in_rows(blank)})"
        faults.add(IdError(Fault(what=what, row=int(blank[0]), column=str(column.name), expected="one in every row")))
    return texts


def _text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _check_wide(start: NDArray[Any], table: pd.DataFrame, column: str, faults: Faults) -> NDArray[Any]:
    """Refuse destinations without a name, and origins with several rows; returns the origins, each once."""
    if any(not name.strip() for name in table.columns):
        faults.add(
            IdError(Fault(what="a column has no name", row=1, expected="a destination in every column's header"))
        )
    names = pd.Series(start, index=table.index)
    twice = names[names.duplicated() & (names != "")]
    if len(twice):
        what = f"{twice.nunique():,} origin(s) have more than one row: {listed(twice.unique())}"
        fault = Fault(what=what, row=int(twice.index[0]), column=column, expected="one row for each origin")
        faults.add(IdError(fault))
    return np.where(names.duplicated(), "", start)


def _shares(column: pd.Series, faults: Faults) -> NDArray[np.float64]:
    shares = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((shares >= 0) & (shares <= _HUNDRED))
    if wrong.any():
        rows = column.index[wrong]
        what = f"'{column[rows[0]]}' is not a percentile ({in_rows(rows)})"
        fault = Fault(what=what, row=int(rows[0]), column=str(column.name), expected="a number from 0 to 100")
        faults.add(TableError(fault))
    return np.where(wrong, -1.0, shares)


# ---------------------------------------------------------------- the points


def _names(given: Iterable[Any] | pd.DataFrame | None, side: str, faults: Faults) -> NDArray[Any] | None:
    if given is None:
        return None
    if isinstance(given, str):
        what, expected = f"{side} is the text '{given}'", "names, or points with the names as their index"
        raise SpecError(Fault(what=what, key=side, expected=expected, hint=f"for one point {side}=['{given}']"))
    points = isinstance(given, pd.DataFrame) or hasattr(given, "geom_type")  # a column of points, too, has names beside
    listing = pd.Series(list(getattr(given, "index") if points else given), dtype=object)  # noqa: B009
    names = np.array(["" if gone else _text(name) for name, gone in zip(listing, listing.isna(), strict=True)], object)
    blank = int((names == "").sum())
    if blank:
        faults.add(IdError(Fault(what=f"{blank:,} name(s) are blank", key=side, expected="a name for every point")))
    series = pd.Series(names)
    twice = series[series.duplicated() & (series != "")].unique()
    if len(twice):
        what = f"{len(twice)} name(s) occur more than once: {listed(twice)}"
        faults.add(IdError(Fault(what=what, key=side, expected="each point once")))
    return np.array(series.drop_duplicates(), dtype=object)


def _placed(found: NDArray[Any], wanted: NDArray[Any] | None, side: str, column: str, pairs: _Pairs) -> _Side:
    """Return the points of one side, and where each pair belongs (-1: nowhere, which is a fault)."""
    code, different = pd.factorize(found)
    if wanted is None:
        kept = np.array(different, dtype=object)
        blank = np.flatnonzero(kept == "")  # a fault already
        return _Side(kept, np.where(np.isin(code, blank), -1, code), [])
    place = pd.Index(wanted, dtype=object).get_indexer(pd.Index(different, dtype=object))
    unknown = [str(name) for name in different[place < 0] if name != ""]
    if unknown:
        rows = np.unique(pairs.row[np.isin(found, unknown)])
        what = f"{len(unknown):,} name(s) of the matrix are not among those given ({in_rows(rows)}): {listed(unknown)}"
        fault = Fault(
            what=what,
            row=int(rows[0]),
            column=column or None,
            expected=f"names such as {listed(wanted, shown=3)}" if len(wanted) else f"none, as {side} are none",
            hint=_how_to_match(unknown, wanted, side),
        )
        pairs.faults.add(IdError(fault))
    absent = sorted(set(range(len(wanted))) - set(place.tolist()))
    return _Side(wanted, place[code], [str(wanted[at]) for at in absent])


def _how_to_match(unknown: Sequence[str], wanted: NDArray[Any], side: str) -> str:
    bare = {str(name).lstrip("0") for name in wanted}
    if all(name.lstrip("0") in bare for name in unknown):
        return "leading zeros are lost on one side: keep names as text where they are written"
    return f"read the matrix without {side}, and choose with .between(…)"


# ---------------------------------------------------------------- the array


def _filled(pairs: _Pairs, starts: _Side, ends: _Side) -> _Filled:
    """Put pairs where they belong; the same pair twice is a fault if its times differ."""
    shares, which = np.unique(pairs.share, return_inverse=True)
    shape = (len(starts.ids), len(ends.ids), len(shares))
    whole = (starts.place >= 0) & (ends.place >= 0) & (pairs.share >= 0) & ~pairs.wrong
    key = (starts.place * shape[1] + ends.place) * shape[2] + which
    value = np.where(np.isnan(pairs.seconds), UNREACHED, pairs.seconds).clip(0, UNREACHED).astype(np.uint16)
    repeated = _repeats(key[whole], value[whole], pairs.row[whole], pairs, (starts, ends))
    seconds = np.full(shape, UNREACHED, dtype=np.uint16)
    there = np.zeros(shape, dtype=bool)
    seconds.ravel()[key[whole]] = value[whole]
    there.ravel()[key[whole]] = True
    if not pairs.faults:
        _rising(seconds, starts.ids, ends.ids, shares, pairs.faults)
    counts: list[dict[str, float]] = []
    for place, share in enumerate(shares):
        reached, known = int((seconds[:, :, place] != UNREACHED).sum()), int(there[:, :, place].sum())
        missing = shape[0] * shape[1] - known
        counts.append(
            {"percentile": float(share), "reached": reached, "unreached": known - reached, "missing": missing}
        )
    notes = _notes(seconds, counts, starts.ids, ends.ids)
    return _Filled(tuple(float(share) for share in shares), seconds, counts, repeated, notes)


def _repeats(
    key: NDArray[np.intp], value: NDArray[np.uint16], row: NDArray[np.intp], pairs: _Pairs, sides: tuple[_Side, _Side]
) -> int:
    """Return how many rows only say again what another says."""
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order][1:] == key[order][:-1])
    first, second = order[again], order[again + 1]
    differ = value[first] != value[second]
    for one, other in list(zip(first[differ], second[differ], strict=True))[:_SHOWN]:
        pair = key[one] // len(np.unique(pairs.share))
        start, end = sides[0].ids[pair // len(sides[1].ids)], sides[1].ids[pair % len(sides[1].ids)]
        said = " and ".join("unreached" if time == UNREACHED else f"{time:,} s" for time in (value[one], value[other]))
        pairs.faults.add(
            TableError(
                Fault(
                    what=f"from '{start}' to '{end}' takes {said} (rows {row[one]} and {row[other]})",
                    row=int(row[other]),
                    expected="one time for each pair",
                    hint="a table with a row for each departure must be made percentiles first",
                )
            )
        )
    if differ.sum() > _SHOWN:
        pairs.faults.add(TableError(Fault(what=f"{differ.sum() - _SHOWN:,} more pair(s) have two times")))
    return len(again) - int(differ.sum())


def _rising(
    seconds: NDArray[np.uint16],
    from_ids: NDArray[Any],
    to_ids: NDArray[Any],
    shares: NDArray[np.float64],
    faults: Faults,
) -> None:
    for place in range(1, len(shares)):
        start, end = np.nonzero(seconds[:, :, place] < seconds[:, :, place - 1])
        if len(start):
            low, high = shares[place - 1 : place + 1]
            faults.add(
                TableError(
                    Fault(
                        what=f"{len(start):,} pair(s) take less at percentile {high:g} than at {low:g}, "
                        f"the first from '{from_ids[start[0]]}' to '{to_ids[end[0]]}'",
                        expected="times that rise with the percentile",
                        hint="the columns may be swapped, or a pair of one percentile be missing",
                    )
                )
            )


def _notes(
    seconds: NDArray[np.uint16], counts: Sequence[Mapping[str, float]], from_ids: NDArray[Any], to_ids: NDArray[Any]
) -> list[str]:
    """Tell what may be wrong, or right."""
    notes = []
    missing = int(max((count["missing"] for count in counts), default=0))
    if missing:
        notes.append(f"{missing:,} pair(s) are not in the matrix and count as unreached")
    zero = int((seconds[:, :, 0] == 0).sum())
    same = pd.Index(to_ids, dtype=object).get_indexer(pd.Index(from_ids, dtype=object))
    own = int((seconds[np.flatnonzero(same >= 0), same[same >= 0], 0] == 0).sum())
    if zero > own:
        notes.append(f"{zero - own:,} pair(s) of different points take 0 s: is 0 a mark of this matrix?")
    return notes


# ---------------------------------------------------------------- the record


def _columns_read(layout: Layout) -> dict[str, object]:
    read: dict[str, object] = {"from_id": layout.from_id}
    if layout.form == "long":
        read |= {"to_id": layout.to_id, "times": [name for name, _ in layout.times]}
    if layout.percentile:
        read["percentile"] = layout.percentile
    return read


def _checksum(table: pd.DataFrame) -> str:
    """Return the SHA-256 of what a table holds: names of columns, and each value."""
    digest = hashlib.sha256("\n".join(table.columns).encode())
    for name in table.columns:
        values = table[name]
        plain = values if pd.api.types.is_numeric_dtype(values.dtype) else values.astype(str)
        digest.update(pd.util.hash_pandas_object(plain, index=False).to_numpy(dtype="<u8").tobytes())
    return digest.hexdigest()
