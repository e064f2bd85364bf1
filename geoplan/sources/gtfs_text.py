"""The text files of a GTFS feed as columns, and the collector of what is wrong with them.

Every column is held as codes into its distinct values: a value is checked, trimmed and read once, however many
rows have it. Row numbers are those a spreadsheet shows; they are worked out only when there is a fault to place.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from geoplan.errors import Fault, SourceError, did_you_mean, listed

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BLOCK = 1 << 24
_DEEP = 3  # so many zips in each other; some are made to hold themselves without end
_SHOWN = 3  # faults of one kind told row by row; the rest are counted
_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)", re.ASCII)
BLANK = -(2**31)
"""A time or number that is not given."""
MALFORMED = BLANK + 1
"""A time or number that is given but cannot be read."""


class Findings:
    """What was found wrong in one feed: faults for the strict reader, a table of what was left out for the other."""

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.faults: list[Fault] = []
        self.fatal = False
        self.notes: list[str] = []
        self._dropped: list[dict[str, object]] = []

    def file(
        self, file: str, what: str, *, hint: str | None = None, expected: str | None = None, fatal: bool = False
    ) -> None:
        """Keep a fault of a whole file; ``fatal`` where nothing can be read without it."""
        self.faults.append(Fault(what=what, file=self._name(file), expected=expected, hint=hint))
        self.fatal |= fatal
        if not fatal:
            self._drop(file, "", what, 0, None, "", "the file is taken as absent")

    def rows(
        self,
        text: Text,
        wrong: np.ndarray,
        what: str,
        *,
        column: str = "",
        expected: str | None = None,
        hint: str | Callable[[str], str | None] | None = None,
        action: str = "the row is left out",
        values: np.ndarray | None = None,
    ) -> None:
        """Keep the fault of some rows: ``{value}`` in ``what`` stands for the row's own value of ``column``."""
        places = np.flatnonzero(wrong)
        if not places.size:
            return
        if values is None:
            values = text[column].text(places) if column else np.full(len(places), "", dtype=object)
        file = self._name(text.file)
        for place, value in zip(places[:_SHOWN], values, strict=False):
            self.faults.append(
                Fault(
                    what=what.replace("{value}", str(value)),
                    file=file,
                    row=text.row(place),
                    column=column or None,
                    expected=expected,
                    hint=hint(str(value)) if callable(hint) else hint,
                )
            )
        rest = len(places) - _SHOWN
        general = what.replace("{value}", "…")
        if rest > 0:
            self.faults.append(
                Fault(what=f"{rest:,} more row{'s' * (rest > 1)}: {general}", file=file, column=column or None)
            )
        examples = listed(dict.fromkeys(values[:1000])) if column else ""
        self._drop(text.file, column, general, len(places), text.row(places[0]), examples, action)

    def follows(self, text: Text, rows: np.ndarray, why: str, action: str) -> None:
        """List rows that go because of what went before; they are no faults of their own."""
        count = int(np.count_nonzero(rows))
        if count:
            self._drop(text.file, "", why, count, text.row(int(np.argmax(rows))), "", action)

    def note(self, words: str) -> None:
        """Keep something worth knowing that is no fault."""
        self.notes.append(f"{self.feed}: {words}")

    @property
    def dropped(self) -> pd.DataFrame:
        """What was left out, one line a kind of fault."""
        columns = ["feed", "file", "column", "what", "rows", "first_row", "examples", "action"]
        frame = pd.DataFrame(self._dropped, columns=columns)
        return frame.astype({"rows": "int64", "first_row": "Int64"})

    def _drop(
        self, file: str, column: str, what: str, rows: int, first_row: int | None, examples: str, action: str
    ) -> None:
        self._dropped.append({
            "feed": self.feed, "file": file, "column": column, "what": what, "rows": rows,
            "first_row": first_row, "examples": examples, "action": action,
        })  # fmt: skip

    def _name(self, file: str) -> str:
        return f"{self.feed}/{file}" if file else self.feed


@dataclass(frozen=True, eq=False)
class Column:
    """A column: one code a row into the distinct, trimmed values."""

    codes: np.ndarray
    distinct: list[str]

    def text(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the values of some rows."""
        return np.asarray(np.array(self.distinct, dtype=object)[self.codes[rows]])

    def read(self, reader: Callable[[str], float | int], dtype: str) -> np.ndarray:
        """Read each distinct value once and hand it to its rows."""
        return np.asarray(np.array([reader(value) for value in self.distinct], dtype=dtype)[self.codes])

    @property
    def blank(self) -> np.ndarray:
        """Which rows have no value."""
        return np.asarray(np.array([not value for value in self.distinct], dtype=bool)[self.codes])


@dataclass(frozen=True, eq=False)
class Text:
    """One text file of a feed."""

    file: str
    raw: bytes = field(repr=False)
    header: list[str]
    columns: Mapping[str, Column]
    length: int
    kept: np.ndarray | None = None
    """Which records of the file are rows here; None where all are."""

    def __len__(self) -> int:
        return self.length

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> Column:
        found = self.columns.get(column)
        return Column(np.zeros(self.length, dtype=np.int32), [""]) if found is None else found

    def row(self, place: int | np.integer) -> int:
        """Return the row number that a spreadsheet shows (header = 1)."""
        record = int(place) if self.kept is None else int(self.kept[int(place)])
        rows = self._rows
        return int(rows[record]) if record < len(rows) else record + 2

    @cached_property
    def _rows(self) -> np.ndarray:
        width = len(self.header)
        reader = csv.reader(io.StringIO(self.raw.decode("utf-8"), newline=""))
        return np.array([row for row, fields in enumerate(reader, 1) if len(fields) == width][1:], dtype=np.int64)


def time_of(value: str) -> int:
    """Read a time of GTFS as seconds: 25:10:00 is ten past one on the day after."""
    if not value:
        return BLANK
    found = _TIME.fullmatch(value)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else MALFORMED


def integer_of(value: str, *, blank: int = BLANK) -> int:
    """Read a whole number that is not negative."""
    if not value:
        return blank
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else MALFORMED  # noqa: PLR2004


def float_of(value: str) -> float:
    """Read a number; NaN where there is none or it is not one."""
    try:
        return float(value) if "_" not in value else float("nan")
    except ValueError:
        return float("nan")


def day_of(value: str) -> int:
    """Read a date of GTFS (YYYYMMDD) as days since 1970."""
    if not value:
        return BLANK
    if len(value) != 8 or not value.isascii() or not value.isdigit():  # noqa: PLR2004
        return MALFORMED
    try:
        return int(np.datetime64(f"{value[:4]}-{value[4:6]}-{value[6:]}", "D").astype(np.int64))
    except ValueError:
        return MALFORMED


# ---------------------------------------------------------------- archives


def open_feed(path: Path, wanted: Iterable[str], found: Findings) -> dict[str, bytes]:
    """Return the bytes of the wanted text files of a feed, be it a zip file or a folder."""
    if path.is_dir():
        return {
            item.name.lower(): item.read_bytes()
            for item in sorted(path.iterdir())
            if item.is_file() and item.name.lower() in set(wanted)
        }
    if not path.is_file():
        raise SourceError(
            Fault(what="there is no such file", file=str(path), expected="a GTFS feed: a zip or a folder")
        )
    if not path.stat().st_size:
        raise SourceError(Fault(what="the file is empty (0 bytes)", file=str(path), hint="fetch the feed again"))
    try:
        with zipfile.ZipFile(path) as archive:
            return _unzip(archive, set(wanted), found, str(path))
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise SourceError(
            Fault(what=f"the file is not a sound zip ({error})", file=str(path), hint="fetch the feed again")
        ) from error


def _unzip(archive: zipfile.ZipFile, wanted: set[str], found: Findings, path: str) -> dict[str, bytes]:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    by_folder: dict[str, dict[str, str]] = {}
    for name in names:
        folder, _, base = name.rpartition("/")
        if base.lower() in wanted:
            by_folder.setdefault(folder, {})[base.lower()] = name
    own = by_folder.get("")
    feeds = [folder for folder, files in by_folder.items() if "stop_times.txt" in files]
    if own is None and len(feeds) == 1:
        found.note(f"its files were found in the folder '{feeds[0]}' of the zip")
        own = by_folder[feeds[0]]
    if own:
        return {name: archive.read(inner) for name, inner in own.items()}
    if len(feeds) > 1:
        raise SourceError(
            Fault(
                what=f"the zip holds several feeds: {listed(sorted(feeds))}",
                file=path,
                hint="unpack it and give the feeds one by one",
            )
        )
    return _unzip_inner(archive, [name for name in names if name.lower().endswith(".zip")], wanted, found, path)


def _unzip_inner(
    archive: zipfile.ZipFile, inner: list[str], wanted: set[str], found: Findings, path: str
) -> dict[str, bytes]:
    """Read the feed of a zip that holds nothing but another zip; several are refused, as no one knows which."""
    if len(inner) == 1 and path.lower().count(".zip/") < _DEEP:
        found.note(f"it was found in '{inner[0]}', a zip in the zip")
        with zipfile.ZipFile(io.BytesIO(archive.read(inner[0]))) as own:
            return _unzip(own, wanted, found, f"{path}/{inner[0]}")
    what = f"the zip holds {len(inner)} other zips: {listed(inner)}" if inner else "the zip holds no file of GTFS"
    raise SourceError(
        Fault(
            what=what,
            file=path,
            expected="stops.txt, routes.txt, trips.txt, stop_times.txt and others at the top of the zip",
            hint="unpack it and give each inner zip as a feed" if inner else None,
        )
    )


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over names and bytes of the files: the same feed zipped anew has the same."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}:{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


# ---------------------------------------------------------------- text


def read_text(file: str, raw: bytes, columns: Iterable[str], found: Findings) -> Text | None:
    """Read the wanted columns of a text file; None where it cannot be read, which is among the findings."""
    if not raw.strip():
        found.file(file, "the file is empty (0 bytes)" if not raw else "the file is blank", expected="a header row")
        return None
    raw = _decoded(file, raw, found)
    first, rest = _split_header(raw)
    header = [name.strip() for name in next(csv.reader([first.decode("utf-8")]))]
    known = list(columns)
    if len(header) == 1 and ";" in header[0]:
        found.file(
            file, "its columns are separated by semicolons", expected="commas", hint="save it as CSV with commas"
        )
        return None
    twice = {name for name in header if name and header.count(name) > 1}
    if twice:
        found.file(file, f"columns stand twice: {listed(sorted(twice))}", expected="each name once")
        return None
    names = [name or f"unnamed {place}" for place, name in enumerate(header)]
    wanted = [name for name in known if name in names]
    table, ragged = _parse(file, rest, names, wanted, found)
    if table is None:
        return None
    text = Text(file, raw, header, {name: _column(table[name]) for name in wanted}, table.num_rows)
    if ragged:
        _tell_ragged(text, ragged, found)
    return _without_blank_rows(text)


def _decoded(file: str, raw: bytes, found: Findings) -> bytes:
    if raw.startswith(_UTF16):
        found.faults.append(Fault(what="the text is UTF-16", file=found._name(file), expected="UTF-8"))  # noqa: SLF001
        found.note(f"{file} was read as UTF-16")
        return raw.decode("utf-16", errors="replace").encode()
    raw = raw.removeprefix(_BOM)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        before, after = raw[max(0, error.start - 8) : error.start], raw[error.start : error.start + 8]
        word = (before.split(b"\n")[-1] + after.split(b"\n")[0]).decode("cp1252", errors="replace")
        found.faults.append(
            Fault(
                what=f"the text is not UTF-8: '{word.strip()}'",
                file=found._name(file),  # noqa: SLF001
                row=row,
                expected="UTF-8",
                hint="save it as UTF-8; strict=False reads it as Windows-1252",
            )
        )
        found.note(f"{file} is not UTF-8 and was read as Windows-1252")
        return raw.decode("cp1252", errors="replace").encode()
    return raw


def _split_header(raw: bytes) -> tuple[bytes, bytes]:
    """Split off the first line that is not blank; lines may end in LF, CRLF or CR."""
    ends = [place for place in (raw.find(b"\n"), raw.find(b"\r")) if place >= 0]
    if not ends:
        return raw, b""
    end = min(ends)
    first, rest = raw[:end], raw[end:].lstrip(b"\r\n") if not raw[:end].strip() else raw[end:]
    return (first, rest) if first.strip() else _split_header(rest)


def _parse(
    file: str, rest: bytes, names: list[str], wanted: list[str], found: Findings
) -> tuple[pa.Table | None, list[tuple[str, int]]]:
    ragged: list[tuple[str, int]] = []

    def odd(row: pa.csv.InvalidRow) -> str:
        if row.text.strip():
            ragged.append((row.text, row.actual_columns))
        return "skip"

    if not wanted or not rest.strip():
        return pa.table({name: pa.array([], pa.string()).dictionary_encode() for name in wanted}), ragged
    if b"\n" not in rest and b"\r" in rest:
        rest = rest.replace(b"\r", b"\n")
    coded = pa.dictionary(pa.int32(), pa.string())
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(rest),
            read_options=pa.csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pa.csv.ParseOptions(
                invalid_row_handler=odd, newlines_in_values=b'"' in rest, ignore_empty_lines=True
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, coded), include_columns=wanted, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        found.file(file, f"it cannot be read as separated text ({str(error).splitlines()[0]})")
        return None, ragged
    return table.unify_dictionaries(), ragged


def _column(column: pa.ChunkedArray) -> Column:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], pa.string()).dictionary_encode()
    values = [value.strip() for value in whole.dictionary.to_pylist()]
    codes = whole.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    if len(set(values)) < len(values):  # trimming made two alike
        unique = list(dict.fromkeys(values))
        place = {value: code for code, value in enumerate(unique)}
        codes = np.array([place[value] for value in values], dtype=np.int32)[codes]
        values = unique
    return Column(codes, values)


def _tell_ragged(text: Text, ragged: list[tuple[str, int]], found: Findings) -> None:
    width = len(text.header)
    reader = csv.reader(io.StringIO(text.raw.decode("utf-8"), newline=""))
    rows = [(row, len(fields)) for row, fields in enumerate(reader, 1) if len(fields) != width and any(fields)]
    file = found._name(text.file)  # noqa: SLF001
    for row, fields in rows[:_SHOWN]:
        found.faults.append(Fault(what=f"the row has {fields} fields", file=file, row=row, expected=f"{width}"))
    if len(rows) > _SHOWN:
        found.faults.append(Fault(what=f"{len(rows) - _SHOWN:,} more rows have a wrong number of fields", file=file))
    found._drop(  # noqa: SLF001
        text.file, "", f"the row does not have {width} fields", len(ragged), rows[0][0] if rows else None,
        listed(line for line, _ in ragged), "the row is left out",
    )  # fmt: skip


def _without_blank_rows(text: Text) -> Text:
    """Leave out rows of nothing but commas, as a spreadsheet writes them below its last row."""
    if not text.columns or not text.length:
        return text
    blank = np.logical_and.reduce([column.blank for column in text.columns.values()])
    if not blank.any():
        return text
    kept = np.flatnonzero(~blank)
    columns = {name: Column(column.codes[kept], column.distinct) for name, column in text.columns.items()}
    return Text(text.file, text.raw, text.header, columns, len(kept), kept)


def must_have(text: Text, columns: Iterable[str], found: Findings, *, fatal: bool) -> bool:
    """Tell whether a file has the columns without which it says nothing; which are absent is among the findings."""
    absent = [name for name in columns if name not in text]
    for name in absent:
        found.file(
            text.file,
            f"there is no column '{name}'",
            hint=did_you_mean(name, [word for word in text.header if word]),
            fatal=fatal,
        )
    return not absent
