"""Travel times as a result: origins × destinations × percentiles, whoever computed them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, IdError, InputError, SourceError, did_you_mean, listed
from geoplan.reach.plain import from_json, to_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UNREACHED", "TravelTimes", "read_times"]

#: The one value, of 16 bits, that stands for "not reached in time"; the longest time is a second less.
UNREACHED = 65_535
_VERSION = 1
_ABOUT, _SUM = b"geoplan.travel_times", b"geoplan.travel_times.sha256"
_CELLS_AT_ONCE = 2**22  # of a group of rows in the file, so that a large matrix is written and read piece by piece
_HUNDRED = 100


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Travel times between points, in whole seconds.

    Attributes
    ----------
    from_ids, to_ids
        Names of origins and destinations, as text, in the order of rows and columns; each once.
    percentiles
        Per cent, rising: of the departures of the window that many reach the destination in the time or less, those
        that do not reach it at all counted. A single 50 where there is no window.
    seconds
        uint16 (origins, destinations, percentiles); :data:`UNREACHED` where the destination is not reached in time.
    unsnapped
        Points that are not near any street: ``side`` ("from" or "to"), ``id``, ``x``, ``y``, ``nearest_m``, ``reason``.
        Their rows and columns are unreached, for that reason.
    record
        How the times came about: sources with checksums and vintages, date, window, modes, speeds, limits. Text,
        numbers, dates, and lists, tuples and mappings of them.

    Raises
    ------
    InputError
        When the parts do not go together; ``IdError`` when a name is blank or occurs twice on its side.

    Examples
    --------
    >>> import numpy as np
    >>> seconds = np.array([[[0], [754]], [[760], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["0101", "0102"], ["school", "clinic"], (50,), seconds)
    >>> times
    TravelTimes(2 x 2, percentiles 50, 75.0% reached)
    >>> times.to_frame().round(1)
      from_id   to_id  minutes
    0    0101  school      0.0
    1    0101  clinic     12.6
    2    0102  school     12.7
    """

    from_ids: NDArray[Any]
    to_ids: NDArray[Any]
    percentiles: tuple[float, ...]
    seconds: NDArray[np.uint16]
    unsnapped: pd.DataFrame = field(default_factory=pd.DataFrame)
    record: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make names text, and refuse parts that do not go together."""
        faults = Faults()
        for side in ("from_ids", "to_ids"):
            ids = np.array([str(name) for name in getattr(self, side)], dtype=object)
            object.__setattr__(self, side, ids)
            _check_ids(ids, side, faults)
        object.__setattr__(self, "percentiles", tuple(self.percentiles))
        shares = self.percentiles
        if (
            not shares
            or not all(0 <= share <= _HUNDRED for share in shares)
            or any(a >= b for a, b in pairwise(shares))
        ):
            what = f"percentiles are {shares}"
            faults.add(InputError(Fault(what=what, key="percentiles", expected="rising numbers between 0 and 100")))
        shape = (len(self.from_ids), len(self.to_ids), len(shares))
        found = np.asarray(self.seconds)
        if found.shape != shape or found.dtype != np.uint16:
            what = f"travel times are {found.dtype} of {found.shape}"
            expected = f"uint16 of {shape}: origins, destinations, percentiles"
            faults.add(InputError(Fault(what=what, key="seconds", expected=expected)))
        faults.raise_any()

    def __repr__(self) -> str:
        """Say how many pairs there are, and how many are reached."""
        size = self.seconds.shape[0] * self.seconds.shape[1]
        reached = float((self.seconds[:, :, 0] != UNREACHED).mean()) if size else 0.0
        shares = ", ".join(f"{share:g}" for share in self.percentiles)
        return (
            f"TravelTimes({len(self.from_ids):,} x {len(self.to_ids):,}, percentiles {shares}, {reached:.1%} reached)"
        )

    def _place(self, percentile: float | None) -> int:
        if percentile is None:
            if len(self.percentiles) == 1:
                return 0
            what, expected = "which percentile is wanted is not said", f"one of {listed(self.percentiles)}"
            raise InputError(Fault(what=what, key="percentile", expected=expected))
        if percentile not in self.percentiles:
            wanted = tuple(sorted({*self.percentiles, percentile}))
            hint = f"ask for it when the travel times are computed: percentiles={wanted}"
            what = f"the {percentile:g}th percentile was not computed"
            raise InputError(
                Fault(what=what, key="percentile", expected=f"one of {listed(self.percentiles)}", hint=hint)
            )
        return self.percentiles.index(percentile)

    def minutes(self, percentile: float | None = None) -> pd.DataFrame:
        """Return minutes, float32, by origin (index) and destination (columns); NaN where not reached in time.

        Parameters
        ----------
        percentile
            Which; may be left out where there is one.

        Raises
        ------
        InputError
            When the percentile was not computed, or there are several and none is named.

        Examples
        --------
        >>> import numpy as np
        >>> seconds = np.array([[[600, 660], [900, 65535]]], dtype=np.uint16)
        >>> TravelTimes(["a"], ["x", "y"], (50, 90), seconds).minutes(90)
        to_id       x   y
        from_id
        a        11.0 NaN
        """
        seconds = self.seconds[:, :, self._place(percentile)]
        values = np.where(seconds == UNREACHED, np.nan, seconds / 60).astype(np.float32)
        return pd.DataFrame(
            values, index=pd.Index(self.from_ids, name="from_id"), columns=pd.Index(self.to_ids, name="to_id")
        )

    def to_frame(self, percentile: float | None = None, *, unreached: bool = False) -> pd.DataFrame:
        """Return one row a pair: ``from_id``, ``to_id``, ``minutes`` (float32).

        Parameters
        ----------
        percentile
            Which; all of them, in a column ``percentile``, if there are several and none is asked for.
        unreached
            Keep the pairs that are not reached in time, with NaN minutes.

        Raises
        ------
        InputError
            When the percentile was not computed.

        Examples
        --------
        >>> import numpy as np
        >>> seconds = np.array([[[600], [65535]]], dtype=np.uint16)
        >>> TravelTimes(["a"], ["x", "y"], (50,), seconds).to_frame(unreached=True)
          from_id to_id  minutes
        0       a     x     10.0
        1       a     y      NaN
        """
        wanted = self.percentiles if percentile is None else (percentile,)
        parts = []
        for share in wanted:
            seconds = self.seconds[:, :, self._place(share)]
            row, column = np.nonzero(seconds <= UNREACHED if unreached else seconds != UNREACHED)
            value = seconds[row, column]
            part: dict[str, object] = {"from_id": self.from_ids[row], "to_id": self.to_ids[column]}
            part |= {"percentile": share} if len(wanted) > 1 else {}
            minutes = np.where(value == UNREACHED, np.nan, value / 60).astype(np.float32)
            parts.append(pd.DataFrame(part | {"minutes": minutes}))
        return pd.concat(parts, ignore_index=True)

    def between(self, from_ids: Iterable[str] | None = None, to_ids: Iterable[str] | None = None) -> TravelTimes:
        """Return the times between some of the points, in the order asked for.

        Parameters
        ----------
        from_ids, to_ids
            Names of origins and destinations; all of them where left out.

        Raises
        ------
        IdError
            When a name is not among the points, or is asked for twice.

        Examples
        --------
        >>> import numpy as np
        >>> seconds = np.array([[[0], [60]], [[120], [180]]], dtype=np.uint16)
        >>> TravelTimes(["a", "b"], ["x", "y"], (50,), seconds).between(["b"], ["y", "x"]).seconds[0, :, 0]
        array([180, 120], dtype=uint16)
        """
        faults = Faults()
        rows, kept_from = _chosen(self.from_ids, from_ids, "from_ids", faults)
        columns, kept_to = _chosen(self.to_ids, to_ids, "to_ids", faults)
        faults.raise_any()
        left = self.unsnapped
        if len(left):
            kept = {"from": set(kept_from), "to": set(kept_to)}
            stays = [str(name) in kept.get(side, ()) for side, name in zip(left["side"], left["id"], strict=True)]
            left = left[stays].reset_index(drop=True)
        seconds = self.seconds[np.ix_(rows, columns)]
        return TravelTimes(kept_from, kept_to, self.percentiles, seconds, left, self.record)

    def write(self, path: str | Path) -> Path:
        """Write to one Parquet file; :func:`read_times` reads it back exactly.

        A row is an origin: ``from_id``, and ``seconds`` to every destination, percentile by percentile, as a list.
        Everything else is in the metadata of the file, with a checksum. The same times give the same bytes, on the
        same version of pyarrow. A file that was there is replaced once the new one is whole.

        Parameters
        ----------
        path
            The file, by custom ending in ``.parquet``.

        Raises
        ------
        InputError
            When ``record`` or ``unsnapped`` holds what cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> times = TravelTimes(["0101"], ["x"], (50,), np.array([[[754]]], dtype=np.uint16), record={"mode": "walk"})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     back = read_times(times.write(f"{folder}/times.parquet"))
        >>> back.from_ids.tolist(), back.seconds.tolist(), back.record
        (['0101'], [[[754]]], {'mode': 'walk'})
        """
        import pyarrow as pa  # noqa: PLC0415  heavy, and needed by those who write alone
        import pyarrow.parquet as pq  # noqa: PLC0415  same

        path = Path(path)
        about = to_json(
            {
                "version": _VERSION,
                "to_ids": self.to_ids.tolist(),
                "percentiles": list(self.percentiles),
                "unsnapped": _columns_of(self.unsnapped),
                "record": dict(self.record),
            },
            key="travel times",
        )
        width = len(self.to_ids) * len(self.percentiles)
        flat = np.ascontiguousarray(self.seconds).reshape(len(self.from_ids), width)
        columns = {"from_id": pa.array(self.from_ids.tolist(), pa.string())}
        if width:  # a list of none has no place in Parquet, and nothing to say
            columns["seconds"] = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), width)
        told = {_ABOUT: about.encode(), _SUM: _checksum(about, self.from_ids, flat).encode()}
        beside = path.with_name(path.name + ".part")
        try:
            rows = max(1, _CELLS_AT_ONCE // max(1, width))
            table = pa.table(columns).replace_schema_metadata(told)
            pq.write_table(table, beside, compression="zstd", row_group_size=rows)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path


def read_times(path: str | Path) -> TravelTimes:
    """Read what :meth:`TravelTimes.write` wrote.

    Parameters
    ----------
    path
        The Parquet file. Matrices of other programs are read by ``read_travel_times``.

    Raises
    ------
    SourceError
        When the file is missing, damaged, of a later version of geoplan, or was written by something else.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> times = TravelTimes(["a"], ["x", "y"], (50,), np.array([[[60], [65535]]], dtype=np.uint16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_times(times.write(f"{folder}/times.parquet"))
    TravelTimes(1 x 2, percentiles 50, 50.0% reached)
    """
    path = Path(path)
    with Faults.located_at(str(path)):
        if not path.is_file():
            what = "this is a folder, not a file" if path.is_dir() else "there is no such file"
            raise SourceError(Fault(what=what))
        from_ids, flat, told = _stored(path)
        about = told[_ABOUT].decode()
        if _checksum(about, from_ids, flat) != told.get(_SUM, b"").decode(errors="replace"):
            raise _damaged("its checksum is not that of its content")
        parts = from_json(about)
        shape = (len(from_ids), len(parts["to_ids"]), len(parts["percentiles"]))
        return TravelTimes(
            np.array(from_ids, dtype=object),
            np.array(parts["to_ids"], dtype=object),
            tuple(parts["percentiles"]),
            flat.reshape(shape),
            _frame_of(parts["unsnapped"]),
            parts["record"],
        )


def _check_ids(ids: NDArray[Any], side: str, faults: Faults) -> None:
    blank = sum(not name.strip() for name in ids)
    if blank:
        faults.add(IdError(Fault(what=f"{blank} name(s) are blank", key=side, expected="a name for every point")))
    twice = pd.Index(ids)
    twice = twice[twice.duplicated()].unique()
    if len(twice):
        what = f"{len(twice)} name(s) occur more than once: {listed(twice)}"
        faults.add(IdError(Fault(what=what, key=side, expected="each point once")))


def _chosen(
    ids: NDArray[Any], wanted: Iterable[str] | None, side: str, faults: Faults
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the places of names, and the names."""
    if wanted is None:
        return np.arange(len(ids)), ids
    asked = np.array([str(name) for name in wanted], dtype=object)
    places = pd.Index(ids).get_indexer(pd.Index(asked, dtype=object))
    absent = asked[places < 0]
    if len(absent):
        what = f"{len(absent)} name(s) are not among the points: {listed(absent)}"
        faults.add(IdError(Fault(what=what, key=side, hint=did_you_mean(absent[0], ids))))
    _check_ids(asked, side, faults)
    return places, asked


# ---------------------------------------------------------------- the file


def _stored(path: Path) -> tuple[list[str], NDArray[np.uint16], dict[bytes, bytes]]:
    """Return names of origins, seconds in a row for each, and the file's metadata."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and needed by those who read alone
    import pyarrow.parquet as pq  # noqa: PLC0415  same

    try:
        with pq.ParquetFile(path) as file:
            told: dict[bytes, bytes] = dict(file.schema_arrow.metadata or {})
            _own(told)
            table = file.read()
        from_ids = table["from_id"].cast(pa.string()).to_pylist()
        width = 0
        flat = np.zeros(0, dtype=np.uint16)
        if "seconds" in table.column_names:
            width = table.schema.field("seconds").type.list_size
            cells = [chunk.flatten().to_numpy() for chunk in table["seconds"].chunks]
            flat = np.concatenate([flat, *cells], dtype=np.uint16, casting="safe")
        return from_ids, flat.reshape(len(from_ids), width), told
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, SourceError):
            raise
        raise _damaged(str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__) from error


def _own(told: Mapping[bytes, bytes]) -> None:
    """Refuse a file of something else, or of a later version."""
    if _ABOUT not in told:
        raise SourceError(
            Fault(
                what="this Parquet file does not hold travel times of geoplan",
                expected="a file written by TravelTimes.write",
                hint="a matrix that another program computed is read by geoplan.reach.read_travel_times",
            )
        )
    version = from_json(told[_ABOUT].decode()).get("version")
    if version != _VERSION:
        raise SourceError(
            Fault(
                what=f"the file is of version {version} of the format",
                expected=f"version {_VERSION}",
                hint="read it with the geoplan that wrote it, or a later one",
            )
        )


def _damaged(detail: str) -> SourceError:
    return SourceError(
        Fault(what=f"the file cannot be read: {detail}", hint="it may be damaged or only partly copied; fetch it again")
    )


def _checksum(about: str, from_ids: Iterable[str], flat: NDArray[np.uint16]) -> str:
    digest = hashlib.sha256(to_json([about, list(from_ids)], key="from_ids").encode())
    digest.update(np.ascontiguousarray(flat, dtype="<u2").data)
    return digest.hexdigest()


def _columns_of(frame: pd.DataFrame) -> list[list[object]]:
    """Return columns with their kinds; rows are numbered anew."""
    return [[str(name), str(values.dtype), values.tolist()] for name, values in frame.items()]


def _frame_of(columns: list[list[Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype=kind) for name, kind, values in columns})
