"""Where people want to go: places of several classes in one layer, and jobs by sector or schooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, InputError, TableError, listed

__all__ = ["OPPORTUNITY_CLASSES", "gather_opportunities", "jobs_by"]

#: The five classes of destinations (målpunkter), and the regional cores.
OPPORTUNITY_CLASSES = ("work", "education", "culture", "leisure", "retail", "regional_cores")

#: What a job's row says where the table does not know.
_UNKNOWN = "not_collected"


def gather_opportunities(
    classes: Mapping[str, gpd.GeoDataFrame | gpd.GeoSeries | tuple[gpd.GeoDataFrame, str]], crs: str | None = None
) -> gpd.GeoDataFrame:
    """Put places of several classes into one layer of destinations, so that times are computed once.

    Parameters
    ----------
    classes
        By class: points, of which each counts 1, or points with the name of the column that says how much each counts:
        ``{"work": (workplaces, "jobs"), "culture": libraries}``. The index names the points. Customary classes are
        :data:`OPPORTUNITY_CLASSES`; others are as good.
    crs
        Coordinate system of the result; that of the first class when left out.

    Returns
    -------
    geopandas.GeoDataFrame
        A row for each place: index ``to_id``, the class and the id joined by a colon (``work:W0001``); a column for
        each class with what the place has of it, 0 in the others; ``geometry``.

    Raises
    ------
    InputError
        When there is no class, one has no points, no coordinate system, geometries that are no points, ids that are
        missing or occur twice, or amounts that are missing, below 0 or no numbers: everything at once.

    Examples
    --------
    >>> import geopandas as gpd
    >>> work = gpd.GeoDataFrame(
    ...     {"jobs": [80, 12]}, geometry=gpd.points_from_xy([0, 900], [0, 0]), index=["W1", "W2"], crs=3006)
    >>> libraries = gpd.GeoSeries.from_xy([500], [0], index=["C1"], crs=3006)
    >>> gather_opportunities({"work": (work, "jobs"), "culture": libraries})
                work  culture       geometry
    to_id
    work:W1     80.0      0.0    POINT (0 0)
    work:W2     12.0      0.0  POINT (900 0)
    culture:C1   0.0      1.0  POINT (500 0)
    """
    faults = Faults()
    if not classes:
        what = "there is no class of opportunities"
        faults.add(
            InputError(Fault(what=what, key="classes", expected="points by class, as {'work': (points, 'jobs')}"))
        )
    wanted = None
    if crs is not None:
        try:
            wanted = CRS.from_user_input(crs)
        except CRSError:
            faults.add(checks.crs_unknown(str(crs)))
    parts = []
    for name, given in classes.items():
        with faults.catch(key=str(name)):
            parts.append(_class_of(str(name), given))
    faults.raise_any()
    wanted = parts[0].crs if wanted is None else wanted
    together = pd.concat([part.to_crs(wanted) for part in parts])
    figures = together.drop(columns="geometry").fillna(0.0)
    return gpd.GeoDataFrame(figures, geometry=together.geometry, crs=wanted)


def _class_of(name: str, given: Any) -> gpd.GeoDataFrame:
    """Return one class: its points with amounts in a column of its name."""
    if name == "geometry":
        raise InputError(Fault(what="a class cannot be called 'geometry'", expected="another name"))
    points, column = given if isinstance(given, tuple) and len(given) == 2 else (given, None)  # noqa: PLR2004  a pair
    if not isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        what = f"the class is a {type(points).__name__}"
        raise InputError(Fault(what=what, expected="points, or points and the name of their column of amounts"))
    faults = Faults()
    if not len(points):
        faults.add(checks.empty_layer("the class has no points", expected="at least one place"))
    if points.crs is None:
        faults.add(checks.crs_missing())
    gaps = int(points.index.isna().sum())
    if gaps:
        faults.add(checks.points_without_id(gaps))
    ids = pd.Index([str(place) for place in points.index])
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        faults.add(checks.duplicate_points(list(twice)))
    shapes = points.geometry
    empty = (shapes.isna() | shapes.is_empty).to_numpy()
    if empty.any():
        what = f"{int(empty.sum())} place(s) have no geometry: {listed(ids[empty])}"
        faults.add(InputError(Fault(what=what, expected="a point for each")))
    other = ~empty & (shapes.geom_type != "Point").to_numpy()
    if other.any():
        faults.add(checks.not_points(list(ids[other]), shapes.geom_type[other]))
    amounts = np.ones(len(points)) if column is None else _amounts(points, column, faults)
    faults.raise_any()
    index = pd.Index([f"{name}:{place}" for place in ids], name="to_id")
    return gpd.GeoDataFrame({name: amounts}, geometry=shapes.to_numpy(), index=index, crs=points.crs)


def _amounts(points: Any, column: str, faults: Faults) -> np.ndarray:
    columns = [] if isinstance(points, gpd.GeoSeries) else [str(name) for name in points.columns]
    if column not in columns:
        for error in checks.absent_columns([str(column)], columns):
            faults.add(error)
        return np.zeros(len(points))
    try:
        numbers: np.ndarray = points[column].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        what = f"amounts are {points[column].dtype}, not numbers"
        faults.add(TableError(Fault(what=what, column=column, expected="numbers")))
        return np.zeros(len(points))
    bad = ~np.isfinite(numbers) | (numbers < 0)
    if bad.any():
        what = f"{int(bad.sum())} amount(s) are not known, not finite or below 0: {listed(points.index[bad])}"
        faults.add(TableError(Fault(what=what, column=column, expected="amounts of 0 or more; 0 where there is none")))
    return numbers


def jobs_by(workplaces: pd.DataFrame, column: str, value: str = "jobs") -> pd.DataFrame:
    """Spread jobs over a column for each sector, required education, or whatever a column of the workplaces says.

    Parameters
    ----------
    workplaces
        A row for each workplace, its id in the index; points are welcome.
    column
        Which column says the sector. Where it says nothing the jobs go to ``"not_collected"``, and are not guessed.
    value
        The column of jobs.

    Returns
    -------
    pandas.DataFrame
        The same index; a column for each value of ``column``, in their order if it is an ordered category, else sorted
        by name; jobs there, 0 in the other columns. Rows sum to ``value``. The order matters for :func:`matched_jobs`.

    Raises
    ------
    InputError
        When a column is not there, ids occur twice, or jobs are missing, below 0 or no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> places = pd.DataFrame({"sector": ["retail", "office", None], "jobs": [12, 84, 5]}, index=["W1", "W2", "W3"])
    >>> jobs_by(places, "sector")
    sector  office  retail  not_collected
    W1         0.0    12.0            0.0
    W2        84.0     0.0            0.0
    W3         0.0     0.0            5.0
    """
    faults = Faults()
    if not isinstance(workplaces, pd.DataFrame):
        what = f"workplaces is a {type(workplaces).__name__}"
        raise InputError(Fault(what=what, key="workplaces", expected="a DataFrame with a row for each workplace"))
    present = [str(name) for name in workplaces.columns]
    for error in checks.absent_columns([name for name in (column, value) if name not in present], present):
        faults.add(error)
    twice = workplaces.index[workplaces.index.duplicated()].unique()
    if len(twice):
        what = f"{len(twice)} workplace(s) occur more than once: {listed(twice)}"
        faults.add(IdError(Fault(what=what, key="workplaces", expected="each once, by the index")))
    faults.raise_any()
    jobs = _amounts(workplaces, value, faults)
    faults.raise_any()
    said = workplaces[column]
    if isinstance(said.dtype, pd.CategoricalDtype) and said.cat.ordered:
        kinds = [str(kind) for kind in said.cat.categories]
    else:
        kinds = sorted({str(kind) for kind in said.dropna()})
    words = said.astype(object).where(said.notna(), _UNKNOWN).astype(str)
    if said.isna().any():
        kinds.append(_UNKNOWN)
    spread = {kind: np.where(words == kind, jobs, 0.0) for kind in kinds}
    return pd.DataFrame(spread, index=workplaces.index, columns=pd.Index(kinds, name=column))
