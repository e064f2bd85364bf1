"""Tables with a column for each year, as StatBank, Kolada and workbooks give them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError, TableError
from geoplan.places.areas import codes
from geoplan.places.cells import ROLES, Cells, columns_of, figures_of, read_numbers, without_empty_bases
from geoplan.specs import IndicatorsLayer, IndicatorSpec

__all__ = ["from_years", "looks_like_year", "year_cells"]

_YEAR = re.compile(r"\s*(\d{4})\s*(\*?)\s*")  # the star is a publisher's mark of provisional figures
_FIRST, _LAST = 1800, 2100


def looks_like_year(name: object) -> bool:
    """Tell whether a column is named as a year is: four digits, and perhaps the star of provisional figures."""
    return _YEAR.fullmatch(str(name)) is not None


def from_years(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    """Read one row an area, or an area and figure, with a column for each year, into one row a figure.

    Returns
    -------
    pandas.DataFrame
        Index the row of the file; ``area_id, indicator, period, numerator, denominator, value, status, reason,
        provisional, breaks`` and ``column``, the year's column.
    """
    faults = Faults()
    present = [str(name) for name in frame.columns]
    wanted = {"id_column": layer.id_column, "indicator_column": layer.indicator_column}
    for key, name in wanted.items():
        absent = [name] if name is not None and name not in present else []
        for error in checks.absent_columns(absent, present, key=key):
            faults.add(error)
    with faults.catch():
        columns = _columns(frame, layer)
    faults.raise_any()
    with faults.catch():
        ids = codes(frame[layer.id_column], width=layer.id_width, pad=layer.id_pad)
    faults.raise_any()
    rows = _rows_by_figure(frame, ids, layer, faults)
    faults.raise_any()
    parts = []
    for period, column in columns.items():
        parsed = {
            (role, name): read_numbers(part[column], column, layer, faults, counts=counts)
            for (role, name, counts), part in rows.items()
        }
        parts += [_part(item, period, column, ids, rows, parsed, layer) for item in layer.indicators]
    faults.raise_any()
    return pd.concat(parts)


def year_cells(frame: pd.DataFrame, layer: IndicatorsLayer) -> pd.DataFrame:
    """Return the cells of a table of years as the file writes them, those of totals among them.

    Returns
    -------
    pandas.DataFrame
        Index the row of the file; ``code`` (of the area, as written), ``indicator``, ``role`` (``numerator``,
        ``denominator`` or ``value``), ``name`` (of the figure), ``period``, ``column`` (the year's) and ``text``.
    """
    parts = []
    for item in layer.indicators:
        for role, name in _own_names(item, layer):
            part = _rows_called(frame, name, layer)
            for period, column in _columns(frame, layer).items():
                told = {"indicator": item.id, "role": role, "name": name, "period": period, "column": column}
                parts.append(pd.DataFrame({"code": part[layer.id_column], "text": part[column]}).assign(**told))
    return pd.concat(parts)


def _columns(frame: pd.DataFrame, layer: IndicatorsLayer) -> dict[str, str]:
    """Return period → column."""
    others = {layer.id_column, layer.indicator_column}
    return _year_columns([name for name in map(str, frame.columns) if name not in others], layer)


def _own_names(item: IndicatorSpec, layer: IndicatorsLayer) -> list[tuple[str, str]]:
    """Return the figures of an indicator as pairs of a role and a text; one alone in its file needs no name."""
    return _named(item) if layer.indicator_column else [("value", item.id)]


def _rows_called(frame: pd.DataFrame, name: str, layer: IndicatorsLayer) -> pd.DataFrame:
    """Return the rows of a figure."""
    if layer.indicator_column is None:
        return frame
    return frame[frame[layer.indicator_column].fillna("").astype(str).str.strip() == name]


def _year_columns(names: list[str], layer: IndicatorsLayer) -> dict[str, str]:
    """Return period → column, of the columns that ``years`` lists or of all that look like a year."""
    found = {match[1]: name for name in names if (match := _YEAR.fullmatch(name))}
    faults = Faults()
    twice = sorted({name for name in names if (match := _YEAR.fullmatch(name)) and found[match[1]] != name})
    if twice:
        faults.add(TableError(Fault(what=f"a year has several columns: {checks.listed(twice)}", expected="one each")))
    if layer.years:
        columns = {year: found.get(year, year) for year in layer.years}
        for error in checks.absent_columns(
            [name for name in columns.values() if name not in names], names, key="years"
        ):
            faults.add(error)
        for year in sorted(set(found) - set(layer.years)):
            what = f"the column '{found[year]}' looks like a year but is not among `years`"
            hint = "add it there, or leave `years` out to read every year of the file"
            faults.add(SpecError(Fault(what=what, key="years", hint=hint)))
    else:
        columns = dict(sorted(found.items()))
        vintage = re.findall(r"(?<!\d)(?:1[89]|20)\d{2}(?!\d)", layer.vintage)
        last = max(map(int, vintage), default=_LAST)
        for year, name in columns.items():
            if not _FIRST <= int(year) <= last:
                faults.add(_impossible(name, last))
        if not columns:
            what = "no column is named by a year"
            faults.add(TableError(Fault(what=what, hint="list the columns to read under `years` in the layer's TOML")))
    faults.raise_any()
    return columns


def _impossible(name: str, last: int) -> TableError:
    return TableError(
        Fault(
            what=f"the column '{name}' cannot be a year of these figures",
            expected=f"a year from {_FIRST} to {last}" + (", the year of `vintage`" if last < _LAST else ""),
            hint="if it is a forecast, list the columns to read under `years` in the layer's TOML",
        )
    )


_Rows = Mapping[tuple[str, str, bool], pd.DataFrame]
"""Role, name of the figure, and whether it counts something → its rows of the file."""


def _rows_by_figure(frame: pd.DataFrame, ids: pd.Series, layer: IndicatorsLayer, faults: Faults) -> _Rows:
    """Return the rows of each figure that an indicator names; an area stands once in each of them."""
    found = {}
    for number, item in enumerate(layer.indicators):
        for role, name in _own_names(item, layer):
            part = _rows_called(frame, name, layer)
            found[role, name, role != "value" or item.kind == "count"] = part
            if part.empty and layer.indicator_column:
                key = f"indicators.{number}.{role if getattr(item, role) else 'id'}"
                what = f"there is no '{name}' in the column '{layer.indicator_column}'"
                texts = frame[layer.indicator_column].fillna("").astype(str).str.strip().unique()
                faults.add(SpecError(Fault(what=what, key=key, hint=checks.did_you_mean(name, texts))))
    for (_, name, _), part in found.items():
        own = ids[part.index]
        repeated = own[own.duplicated()]
        if len(repeated):
            what = f"{repeated.nunique()} area code(s) occur more than once for '{name}': {checks.listed(repeated)}"
            hint = None
            if layer.indicator_column is None:
                hint = "where rows are several figures, name the column that tells them apart as `indicator_column`"
            row = int(repeated.index[0])
            faults.add(IdError(Fault(what=what, row=row, column=layer.id_column, expected="each area once", hint=hint)))
    return found


def _named(item: IndicatorSpec) -> list[tuple[str, str]]:
    """Return the figures of an indicator as pairs of a role and a text; its id where it names none."""
    named = [(role, name) for role in ROLES for name in columns_of(item, role)]
    return named if item.numerator or item.value else [*named, ("value", item.id)]


def _part(
    item: IndicatorSpec,
    period: str,
    column: str,
    ids: pd.Series,
    rows: _Rows,
    parsed: Mapping[tuple[str, str], Cells],
    layer: IndicatorsLayer,
) -> pd.DataFrame:
    """Return one indicator in one year: a row for each area that any of its figures has a row for."""
    own = _own_names(item, layer)
    places = {(role, name): ids[part.index] for (role, name, _), part in rows.items() if (role, name) in own}
    first = pd.concat(list(places.values()))
    first = first[~first.duplicated()]
    cells: dict[str, list[Cells]] = {role: [] for role in ROLES}
    for role, name in own:
        cells[role].append(parsed[role, name].at(places[role, name], first))
    part = figures_of(cells, first.index).assign(area_id=first, indicator=item.id, period=period, column=column)
    if column.strip().endswith("*"):
        part["provisional"] = True
    return without_empty_bases(part, item, layer)
