"""How centres of gravity move over years: how far, which way, and how much of the figures is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.reach.centres import mean_of, median_of, placed

__all__ = ["centre_shift"]

Which = Literal["mean", "median"]
_COLUMNS = ["numerator", "value", "denominator"]
_STILL_M = 1e-6  # a centre that moved less moved in no direction


def centre_shift(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    figures: pd.DataFrame | IndicatorTable,
    *,
    indicator: str | None = None,
    column: str = "numerator",
    years: Sequence[Any] | None = None,
    centre: Which = "mean",
    same_points: bool = True,
) -> gpd.GeoDataFrame:
    r"""Follow the centre of gravity of residents, jobs or any indicator over years.

    A district whose figure is missing one year would pull the centre away that year and back the next. So only the
    points that are known in every year count (of the years that have any figures at all), and the result says what that
    leaves out.

    Parameters
    ----------
    points
        A point each district, cell or address, in a metric system; the index is their ids. Of districts best the
        middle of their people, such as :func:`weighted_mean_centre` of their cells.
    figures
        Points × years, NaN where missing; or an :class:`~geoplan.places.IndicatorTable`, whose statuses are told.
    indicator, column
        Which indicator of the table; and of its columns ``numerator`` (the people who are unemployed …), ``value`` or
        ``denominator`` (those who could be). A centre is one of amounts: that of a percentage has no meaning.
    years
        Which, in this order; all in rising order when left out.
    centre
        The ``mean`` centre or the ``median`` one, which does not follow a few who move far.
    same_points
        Count the points that are known in every year; otherwise each year's own, whatever they are.

    Returns
    -------
    geopandas.GeoDataFrame
        Index ``period`` (text). Columns ``status`` (``observed``, or ``not_collected`` where no point has a figure),
        ``points`` (that count), ``missing`` (points without a figure that year), ``missing_share`` (of all points),
        ``why`` (the statuses of what is missing, with counts), ``left_out_share`` (share of the year's known total at
        points that are missing another year), ``total`` (of the points that count), ``shift_m``, ``bearing_deg``
        (clockwise from grid north; NaN where it did not move) and ``per_year_m``, all since the year before that has a
        centre, ``from_first_m``, ``from_first_deg``, and ``geometry``, the centre in the system of the points.

    Raises
    ------
    InputError
        As :func:`weighted_mean_centre`; when the figures have ids that no point has or columns that are no years, or a
        figure is below 0; when no point is known in every year.

    Examples
    --------
    Of 100 people in the west, 50 move 1,000 m to the east within five years:

    >>> from shapely import Point
    >>> places = gpd.GeoSeries([Point(674_000, 6_580_000), Point(675_000, 6_580_000)], index=["w", "e"], crs=3006)
    >>> people = pd.DataFrame({2007: [100, 0], 2012: [50, 50]}, index=["w", "e"])
    >>> moved = centre_shift(places, people)
    >>> moved.loc["2012", ["shift_m", "bearing_deg", "per_year_m", "missing_share"]].tolist()
    [500.0, 90.0, 100.0, 0.0]
    """
    if centre not in get_args(Which):
        raise checks.unknown_name("centre", str(centre), get_args(Which), key="centre")
    xy, _, crs = placed(points)
    table, statuses = _figures(figures, points.index, indicator, column, years)
    values = table.to_numpy(float)
    known = np.isfinite(values)
    asked = known.any(axis=0)
    if not asked.any():
        raise TableError(Fault(what="no point has a figure in any year", key="figures", expected="some figures"))
    always = known[:, asked].all(axis=1)
    if same_points and not always.any():
        what = f"no point has a figure in each of the {int(asked.sum())} years"
        hint = "ask for fewer `years`, or `same_points=False`, whose centres move with what is missing, too"
        raise TableError(Fault(what=what, key="figures", hint=hint))
    rows, shapes = [], []
    for place, period in enumerate(table.columns):
        counts = (always if same_points else known[:, place]) & known[:, place]
        row = _told(values[:, place], known[:, place], counts, statuses.iloc[:, place])
        found = _centre(xy[counts], values[counts, place], centre)
        rows.append({"period": period} | row)
        shapes.append(found)
    moves = _moves(list(table.columns), shapes)
    frame = pd.DataFrame(rows).set_index("period").join(moves)
    geometry = [None if place is None else shapely.Point(place) for place in shapes]
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=crs)


def _centre(xy: np.ndarray, weight: np.ndarray, centre: Which) -> np.ndarray | None:
    if not weight.sum() > 0:
        return None
    return mean_of(xy, weight) if centre == "mean" else median_of(xy, weight, 0.001)


def _told(values: np.ndarray, known: np.ndarray, counts: np.ndarray, status: pd.Series) -> dict[str, object]:
    total, used = float(values[known].sum()), float(values[counts].sum())
    kinds = status[~known].value_counts().sort_index()
    return {
        "status": "observed" if known.any() else "not_collected",
        "points": int(counts.sum()),
        "missing": int((~known).sum()),
        "missing_share": float((~known).mean()),
        "why": ", ".join(f"{kind} {count:,}" for kind, count in kinds.items()),
        "left_out_share": 1 - used / total if total > 0 else float("nan"),
        "total": used if known.any() else float("nan"),
    }


def _moves(periods: Sequence[str], shapes: Sequence[np.ndarray | None]) -> pd.DataFrame:
    rows: list[dict[str, float]] = []
    first: np.ndarray | None = None
    last: tuple[int, np.ndarray] | None = None
    for period, place in zip(periods, shapes, strict=True):
        since, start = _leg(last[1] if last else None, place), _leg(first, place)
        years = int(period) - last[0] if last else 0
        per_year = since[0] / abs(years) if years else float("nan")
        rows.append(
            {"shift_m": since[0], "bearing_deg": since[1], "per_year_m": per_year}
            | {"from_first_m": start[0], "from_first_deg": start[1]}
        )
        if place is not None:
            first = place if first is None else first
            last = (int(period), place)
    return pd.DataFrame(rows, index=pd.Index(periods, name="period"))


def _leg(start: np.ndarray | None, end: np.ndarray | None) -> tuple[float, float]:
    if start is None or end is None:
        return float("nan"), float("nan")
    east, north = end - start
    length = float(np.hypot(east, north))
    return length, float(np.degrees(np.arctan2(east, north)) % 360) if length > _STILL_M else float("nan")


# ---------------------------------------------------------------- figures


def _figures(
    figures: pd.DataFrame | IndicatorTable,
    ids: pd.Index,
    indicator: str | None,
    column: str,
    years: Sequence[Any] | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return figures and their statuses, points × years."""
    if isinstance(figures, IndicatorTable):
        table, statuses = _of_table(figures, indicator, column)
    else:
        table = figures.rename(columns=str)
        statuses = pd.DataFrame("not_collected", index=table.index, columns=table.columns)
    faults = Faults()
    _check_years(table, years, faults)
    if table.index.has_duplicates:
        faults.add(checks.duplicate_points(sorted({str(name) for name in table.index[table.index.duplicated()]})))
    beyond = table.index.difference(ids)
    if len(beyond):
        faults.add(checks.ids_not_among([str(name) for name in beyond], [str(name) for name in ids]))
    faults.raise_any()
    chosen = sorted(table.columns, key=int) if years is None else [str(year) for year in years]
    table = table.reindex(index=ids, columns=chosen).apply(pd.to_numeric, errors="coerce").astype(float)
    below = table.index[(table < 0).any(axis=1)]
    if len(below):
        what = f"{len(below)} point(s) have a figure below 0: {checks.listed([str(name) for name in below])}"
        raise TableError(Fault(what=what, key="figures", expected="amounts: 0 or more"))
    return table, statuses.reindex(index=ids, columns=chosen).fillna("not_collected")


def _check_years(table: pd.DataFrame, years: Sequence[Any] | None, faults: Faults) -> None:
    odd = [name for name in table.columns if not str(name).isdigit()]
    if odd:
        what = f"{checks.listed(odd)} is no year" if len(odd) == 1 else f"{checks.listed(odd)} are no years"
        faults.add(SpecError(Fault(what=what, key="figures", expected="a column a year, such as 2012")))
    if table.columns.has_duplicates:
        faults.add(SpecError(Fault(what="a year occurs twice", key="figures", expected="each year once")))
    wanted = [] if years is None else [str(year) for year in years]
    gone = [name for name in wanted if name not in table.columns]
    if gone:
        known = checks.listed(sorted(str(name) for name in table.columns))
        what = f"there are no figures of {checks.listed(gone)}"
        faults.add(SpecError(Fault(what=what, key="years", expected=f"among {known}")))


def _of_table(figures: IndicatorTable, indicator: str | None, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = list(figures.definitions)
    if indicator not in known:
        raise checks.unknown_name("indicator", str(indicator), known, key="indicator")
    if column not in _COLUMNS:
        raise checks.unknown_name("column", column, _COLUMNS, key="column")
    rows = figures.data[figures.data["indicator"] == indicator]
    wide = rows.pivot(index="area_id", columns="period", values=[column, "status"])
    table, statuses = wide[column].astype(float), wide["status"]
    return table.rename(columns=str), statuses.rename(columns=str)
