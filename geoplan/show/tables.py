"""Workbooks and text tables that a secretary can open: formatted, honest about sources, and harmless.

Text that a spreadsheet would take for a formula (``= + - @`` at its start) stays text.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

__all__ = ["Sheet", "write_csv", "write_workbook"]

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_WIDEST, _NARROWEST = 60, 9
_CELL_LIMIT = 32_767
_LINE = 15  # points
_HEAD_LINES = 4
_WIDER = 1.2  # bold letters than the digits that a column's width is counted in


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook.

    Attributes
    ----------
    name
        The tab's name.
    table
        The rows; the index is not written.
    headings
        Column → heading.
    decimals
        Column → number of decimals shown; the file keeps full precision.
    frozen
        Number of columns that stay in view.
    widths
        Widths of the first columns in characters, for long texts that break into lines; found from the cells when left
        out.
    printed
        Number of columns that go on paper; all when left out.
    footer
        Text at the foot of each printed page.
    scale
        Columns that get a three-colour scale around 100.
    """

    name: str
    table: pd.DataFrame
    headings: Mapping[str, str] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    frozen: int = 0
    widths: Sequence[int] = ()
    printed: int | None = None
    footer: str = ""
    scale: Sequence[str] = ()


def write_workbook(path: Path, sheets: Sequence[Sheet], *, title: str, date: dt.date) -> None:
    """Write sheets to an Excel workbook, the same to the byte each time.

    Parameters
    ----------
    path
        The .xlsx file.
    sheets
        What to write.
    title, date
        The document's properties.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": title, "author": "geoplan", "created": dt.datetime(date.year, date.month, date.day)})  # noqa: DTZ001  a workbook's dates have no zone
    for sheet in sheets:
        _write_sheet(book, sheet)
    book.close()


def _write_sheet(book: Any, sheet: Sheet) -> None:
    page = book.add_worksheet(sheet.name[:31])
    head = book.add_format(
        {
            "bold": True,
            "bg_color": "#f0f0ee",
            "bottom": 1,
            "text_wrap": True,
            "valign": "top",
            "align": "left",
            "indent": 1,
        }
    )
    body = book.add_format({"valign": "top", "text_wrap": bool(sheet.widths), "align": "left", "indent": 1})
    tallest = _HEAD_LINES
    for place, column in enumerate(sheet.table.columns):
        page.write_string(0, place, sheet.headings.get(column, str(column)), head)
        decimals = sheet.decimals.get(column)
        form = body
        if decimals is not None:
            form = book.add_format(
                {"num_format": "#,##0" + ("." + "0" * decimals if decimals else ""), "valign": "top"}
            )
        cells = sheet.table[column].tolist()
        for row, cell in enumerate(cells, start=1):
            _write_cell(page, row, place, cell, form)
        found = _width(cells, sheet.headings.get(column, ""), decimals)
        width = sheet.widths[place] if place < len(sheet.widths) else found
        page.set_column(place, place, width)
        tallest = max(tallest, _lines(sheet.headings.get(column, str(column)), width))
        if column in sheet.scale and cells:
            page.conditional_format(1, place, len(cells), place, _SCALE)
    page.set_row(0, tallest * _LINE)
    page.freeze_panes(1, sheet.frozen)
    if len(sheet.table.columns) and len(sheet.table):
        page.autofilter(0, 0, len(sheet.table), len(sheet.table.columns) - 1)
    if sheet.widths:
        _set_heights(page, sheet)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    if sheet.printed:
        page.print_area(0, 0, len(sheet.table), sheet.printed - 1)
    page.set_footer(f"&L&8{sheet.footer[:200].replace('&', '&&')}&R&8&P / &N")


def _lines(heading: str, width: float) -> int:
    """Return how many lines a heading takes: a row of a set height does not grow by itself."""
    return len(textwrap.wrap(heading, max(int((width - 1) / _WIDER), 1)))


def _set_heights(page: Any, sheet: Sheet) -> None:
    """Give rows the height of their longest text; not every program does so when it opens a file."""
    for row, cells in enumerate(sheet.table.itertuples(index=False), start=1):
        lines = max(-(-len(str(cell)) // width) for cell, width in zip(cells, sheet.widths, strict=False))
        page.set_row(row, _LINE * max(lines, 1))


_SCALE = {
    "type": "3_color_scale",
    "min_color": "#b2abd2",
    "mid_type": "num",
    "mid_value": 100,
    "mid_color": "#f7f7f7",
    "max_color": "#fdb863",
}


def _write_cell(page: Any, row: int, column: int, cell: Any, form: Any) -> None:
    if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
        page.write_blank(row, column, None, form)
    elif isinstance(cell, str):
        page.write_string(row, column, cell[:_CELL_LIMIT], form)
    else:
        page.write_number(row, column, float(cell), form)


def _width(cells: Sequence[object], heading: str, decimals: int | None) -> float:
    if decimals is not None:
        return max(_NARROWEST, 1 + _WIDER * max((len(word) for word in heading.split()), default=0))
    longest = max((len(str(cell)) for cell in cells[:500] if cell is not None), default=0)
    return min(max(_NARROWEST, longest + 2, min(len(heading), 14) + 2), _WIDEST)


def write_csv(
    path: Path,
    table: pd.DataFrame,
    *,
    headings: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | None = None,
    separator: str = ",",
    decimal: str = ".",
) -> None:
    """Write a table as text: UTF-8 with a byte-order mark, which Excel needs to read å, ä, ö and ø.

    Parameters
    ----------
    path
        The file.
    table
        The rows; the index is not written.
    headings, decimals
        Column → heading, and column → decimals written (all that are needed when left out).
    separator, decimal
        ``;`` and ``,`` make a file that a Nordic Excel opens with a double click.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    writer.writerow([(headings or {}).get(column, column) for column in table.columns])
    columns = [
        [_text(cell, (decimals or {}).get(column), decimal) for cell in table[column].tolist()]
        for column in table.columns
    ]
    writer.writerows(zip(*columns, strict=True))
    path.write_bytes(stream.getvalue().encode("utf-8-sig"))


def _text(cell: Any, decimals: int | None, decimal: str) -> str:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell
    if cell is None or pd.isna(cell):
        return ""
    number = float(cell)
    text = f"{number:.{decimals}f}" if decimals is not None else f"{number:.15g}"
    return text.replace(".", decimal)
