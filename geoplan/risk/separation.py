"""Segregation: how unevenly a group lives over the areas of a city, at every level and over the years.

The measures themselves are those of the package `segregation`; what is added is typed missing figures, merged levels,
the correction for small numbers, and the surroundings of each area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
import pandas as pd
from scipy import sparse

from geoplan import checks
from geoplan.errors import Fault, Faults, GeoplanError, SpecError, TableError
from geoplan.places.indicators import KNOWN, IndicatorTable, roll_up
from geoplan.risk.adjacency import Neighbours, must_be_neighbours, whole_from
from geoplan.risk.inputs import must_be_indicators

__all__ = ["AREAS", "segregation"]

AREAS = "areas"
_FEWEST = 2
_CELLS = 2_000_000
_ROUNDING = 1e-9  # of counts that were divided between areas
_MEASURES = ["dissimilarity", "isolation", "exposure"]
_CORRECTIONS = [
    "dissimilarity_corrected",
    "isolation_corrected",
    "exposure_corrected",
    "dissimilarity_random",
    "dissimilarity_beyond_random",
]
_SPATIAL = ["adjacent_dissimilarity", "spatial_dissimilarity", "spatial_isolation", "spatial_exposure"]
_COUNTS = ["areas", "left_out", "people", "group", "share"]


def segregation(
    table: IndicatorTable,
    indicator: str,
    *,
    neighbours: Neighbours | Mapping[str, Neighbours] | None = None,
    parents: Mapping[str, pd.Series] | None = None,
    periods: Iterable[str] | None = None,
    correct: bool = True,
    iterations: int = 500,
    seed: int = 1,
) -> pd.DataFrame:
    r"""Measure how unevenly a group lives over areas.

    With :math:`x_i` people of the group and :math:`y_i` others in area *i*, :math:`t_i = x_i + y_i`, totals *X*, *Y*,
    *T*, and the group's share :math:`p_i = x_i/t_i` and *P*, the package :mod:`segregation` computes

    .. math::

        D = \frac{\sum_i t_i |p_i - P|}{2 T P (1 - P)}, \qquad
        {}_xP_x = \sum_i \frac{x_i}{X} \frac{x_i}{t_i}, \qquad
        {}_xP_y = \sum_i \frac{x_i}{X} \frac{y_i}{t_i}

    (Massey and Denton, *Social Forces* 67, 1988). *D* is the share of the group that would have to move for an even
    spread; isolation and exposure are the share of the group, and of others, in the area of an average member. Where
    groups or areas are small, chance alone makes *D* large. Two corrections are given: the bootstrap
    :math:`2D - \overline{D_b}` over populations drawn again from both groups' distributions (Allen, Burgess, Davidson
    and Windmeijer, *Econometrics Journal* 18, 2015), which takes off only part of it where there is hardly any
    segregation; and :math:`(D - D^*)/(1 - D^*)`, or :math:`(D - D^*)/D^*` where
    that is negative, with :math:`D^*` the mean of *D* when everybody belongs to the group with probability *P*
    (Carrington and Troske, *J. Bus. Econ. Stat.* 15, 1997).

    With neighbours, the share :math:`p_i` gives way to the share in the area and its neighbours together,
    :math:`\tilde p_i = \sum_{j \in N_i \cup i} x_j / \sum_{j \in N_i \cup i} t_j`, in *D*, :math:`{}_xP_x` and
    :math:`{}_xP_y` (Reardon and O'Sullivan, *Sociological Methodology* 34, 2004, with surroundings of equal weight);
    and *D* is lowered by the mean difference between neighbours,
    :math:`D - \sum_{ij} w_{ij} |p_i - p_j| / \sum_{ij} w_{ij}` (Morrill, *Geography Research Forum* 11, 1991).

    Parameters
    ----------
    table
        Indicators of the areas.
    indicator
        A share with counts: the numerator is the group, the denominator everybody.
    neighbours
        Of the areas of ``table``, or a mapping of levels to the neighbours of their areas (``areas`` is the table's
        own level).
    parents
        Level → the parent of each area, as :func:`~geoplan.places.roll_up` takes it; the counts are merged.
    periods
        The periods; all in which the indicator stands when left out.
    correct
        Whether to compute the corrections.
    iterations
        Number of populations drawn for each of the two corrections.
    seed
        The same seed gives the same result.

    Returns
    -------
    pandas.DataFrame
        One row a level and period, in the order given. Columns ``level``, ``period`` (str), ``areas`` (int, number
        with people and known counts), ``left_out`` (tuple of the codes of areas without known counts; areas in which
        nobody lives do not count anywhere), ``people`` and ``group`` (persons), ``share`` (0-1), ``dissimilarity``,
        ``isolation``, ``exposure`` (0-1), ``dissimilarity_corrected``, ``isolation_corrected``,
        ``exposure_corrected`` (bootstrap; where there is no segregation, slightly below 0 or above 1 by chance),
        ``dissimilarity_random`` (:math:`D^*`), ``dissimilarity_beyond_random`` (Carrington and Troske),
        ``adjacent_dissimilarity`` (Morrill), ``spatial_dissimilarity``, ``spatial_isolation``, ``spatial_exposure``
        (Reardon and O'Sullivan), and ``reason`` (why nothing could be measured: ``too_few_areas``, ``nobody_in_group``
        or ``everybody_in_group``; else empty). What was not asked for is NaN. Figures of years with different areas
        do not compare.

    Raises
    ------
    SpecError
        When the indicator, a period or a level is unknown, the indicator is no share, or an argument is out of range or
        of another kind.
    TableError
        When figures have no counts, or the group is larger than everybody.
    IdError
        When areas are unknown to their neighbours, or the parents know none of them.
    GeoplanError
        When the package :mod:`segregation` is not installed.

    Examples
    --------
    >>> from geoplan.specs import IndicatorSpec
    >>> names = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    >>> rows = [(area, "poor", "2012", n, 100.0, float(n), "observed") for area, n in [("a", 30), ("b", 10), ("c", 20)]]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=names), {"poor": poor})
    >>> found = segregation(table, "poor")
    >>> found[["level", "period", "areas", "people", "share"]].values.tolist()
    [['areas', '2012', 3, 300.0, 0.2]]
    >>> found[["dissimilarity", "isolation", "exposure"]].round(4).values.tolist()
    [[0.2083, 0.2333, 0.7667]]
    """
    _must_be_possible(iterations, seed, parents or {})
    must_be_indicators(table)
    _must_be_a_share(table, indicator)
    rows = table.data[table.data["indicator"] == indicator]
    wanted = [str(period) for period in periods] if periods is not None else sorted(rows["period"].unique())
    for period in wanted:
        if period not in set(rows["period"]):
            raise checks.unknown_name("period", period, rows["period"].unique(), key="periods")
    levels = {AREAS: table} | {name: roll_up(table, above) for name, above in (parents or {}).items()}
    near = neighbours if isinstance(neighbours, Mapping) else {} if neighbours is None else {AREAS: neighbours}
    for name, beside in near.items():
        if name not in levels:
            raise checks.unknown_name("level", name, levels, key="neighbours")
        must_be_neighbours(beside)
    found = []
    for name, level in levels.items():
        for period in wanted:
            people, left_out = _people(level, indicator, period)
            drawn = (iterations, seed) if correct else None
            measured = _measured(people, near.get(name), drawn)
            found.append({"level": name, "period": period, "left_out": left_out, **measured})
    columns = ["level", "period", *_COUNTS, *_MEASURES, *_CORRECTIONS, *_SPATIAL, "reason"]
    return pd.DataFrame(found, columns=columns)


# ---------------------------------------------------------------- what goes in


def _must_be_possible(iterations: int, seed: int, parents: Mapping[str, pd.Series]) -> None:
    """Collect what is wrong with the arguments."""
    faults = Faults()
    if not whole_from(1, iterations):
        what = f"iterations is {iterations}"
        faults.add(SpecError(Fault(what=what, key="iterations", expected="a whole number, 1 or more")))
    if not whole_from(0, seed):
        faults.add(SpecError(Fault(what=f"seed is {seed}", key="seed", expected="a whole number, 0 or more")))
    if AREAS in parents:
        what = f"the level '{AREAS}' is that of the table itself"
        faults.add(SpecError(Fault(what=what, key="parents", hint="call the merged level something else")))
    faults.raise_any()


def _must_be_a_share(table: IndicatorTable, indicator: str) -> None:
    """Refuse an indicator that does not say how many of how many."""
    if indicator not in table.definitions or indicator not in set(table.data["indicator"]):
        raise checks.unknown_name("indicator", indicator, table.data["indicator"].unique())
    kind = table.definitions[indicator].kind
    if kind != "share":
        what = f"'{indicator}' is a {kind}, which does not part people into a group and others"
        raise SpecError(Fault(what=what, expected="a share of people, with counts"))
    rows = table.finest[(table.finest["indicator"] == indicator) & table.finest["status"].isin(KNOWN)]
    bare = rows["numerator"].isna() | rows["denominator"].isna()
    if bare.any():
        raise TableError(
            Fault(
                what=f"{int(bare.sum()):,} figures of '{indicator}' have no counts",
                area=str(rows["area_id"][bare].iloc[0]),
                expected="the number of people in the group and of everybody",
                hint="name the columns of the counts as `numerator` and `denominator`",
            )
        )
    wrong = (rows["numerator"] > rows["denominator"] * (1 + _ROUNDING)) | (rows["numerator"] < 0)
    if wrong.any():
        first = rows[wrong].iloc[0]
        raise TableError(
            Fault(
                what=f"{first['numerator']:g} of {first['denominator']:g} people are in the group '{indicator}'",
                area=str(first["area_id"]),
                expected="from none to all of them",
            )
        )


def _people(table: IndicatorTable, indicator: str, period: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return ``group`` and ``people`` of the areas in which somebody lives, and the areas where this is not known."""
    rows = table.data[(table.data["indicator"] == indicator) & (table.data["period"] == period)]
    counts = rows.set_index("area_id")[["numerator", "denominator"]].set_axis(["group", "people"], axis=1).astype(float)
    counts["group"] = counts["group"].clip(upper=counts["people"])
    known = rows["status"].isin(KNOWN).to_numpy()
    empty = ((rows["status"] == "not_applicable") | (rows["denominator"] == 0)).to_numpy()
    everywhere = set(table.data["area_id"])
    left_out = [*counts.index[~known & ~empty], *(everywhere - set(counts.index))]
    return counts[known & ~empty].sort_index(), tuple(sorted(str(code) for code in left_out))


# ---------------------------------------------------------------- measures


def _measured(people: pd.DataFrame, near: Neighbours | None, drawn: tuple[int, int] | None) -> dict[str, object]:
    """Return the counts and measures of one level and period."""
    group, everybody = people["group"].sum(), people["people"].sum()
    counts = {
        "areas": len(people),
        "people": everybody,
        "group": group,
        "share": group / everybody if everybody > 0 else np.nan,
    }
    reason = ""
    if len(people) < _FEWEST:
        reason = "too_few_areas"
    elif group in (0, everybody):
        reason = "everybody_in_group" if group else "nobody_in_group"
    if reason:
        return {**counts, "reason": reason}
    found = _plain(people)
    if drawn:
        found |= _corrected(people, found, *drawn)
    if near is not None:
        found |= _spatial(people, near, found["dissimilarity"])
    return {**counts, **found, "reason": ""}


def _plain(people: pd.DataFrame) -> dict[str, float]:
    """Compute the three measures with the package."""
    package = _package()
    kinds = (package.Dissim, package.Isolation, package.Interaction)
    return {name: float(kind(people, "group", "people").statistic) for name, kind in zip(_MEASURES, kinds, strict=True)}


def _package() -> Any:
    try:
        with catch_warnings():
            filterwarnings("ignore", message="IProgress not found")  # in a notebook without ipywidgets
            from segregation import singlegroup  # noqa: PLC0415  optional, and slow to import
    except ImportError as error:
        raise GeoplanError(
            "measures of segregation need the package 'segregation', which is not installed. "
            "Hint: pip install 'geoplan[segregation]'"
        ) from error
    return singlegroup


def _dissimilarity(group: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return D of many populations at once, draws × areas; NaN where one of the two is empty."""
    with np.errstate(invalid="ignore"):
        apart = group / group.sum(axis=1, keepdims=True) - others / others.sum(axis=1, keepdims=True)
    return np.asarray(np.abs(apart).sum(axis=1) / 2)


def _isolation(group: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the isolation of many populations at once, draws × areas."""
    everybody = group + others
    return np.asarray(((group**2) / np.where(everybody > 0, everybody, 1)).sum(axis=1) / group.sum(axis=1))


def _corrected(people: pd.DataFrame, found: Mapping[str, float], iterations: int, seed: int) -> dict[str, float]:
    """Correct for small numbers, by populations drawn again and by populations mixed at random."""
    # The package draws both with numpy's one global generator, and in version 2.5.4 its ModifiedDissim draws the same
    # population each time.
    generator = np.random.default_rng(seed)
    group = people["group"].to_numpy()
    everybody = people["people"].to_numpy()
    others = everybody - group
    size = max(1, _CELLS // len(people))
    again: list[np.ndarray] = []
    mixed: list[np.ndarray] = []
    for done in range(0, iterations, size):
        draws = min(size, iterations - done)
        drawn = [
            generator.multinomial(max(1, round(part.sum())), part / part.sum(), size=draws) for part in (group, others)
        ]
        again.append(np.array([_dissimilarity(*drawn), _isolation(*drawn)]))
        whole = np.rint(everybody).astype(int)
        chosen = generator.binomial(whole, group.sum() / everybody.sum(), size=(draws, len(people)))
        mixed.append(_dissimilarity(chosen, whole - chosen))
    d, isolation = found["dissimilarity"], found["isolation"]
    mean_d, mean_isolation = np.concatenate(again, axis=1).mean(axis=1)
    random = np.concatenate(mixed)
    chance = float(random[~np.isnan(random)].mean()) if not np.isnan(random).all() else np.nan
    room = 1 - chance if d >= chance else chance
    return {
        "dissimilarity_corrected": float(2 * d - mean_d),
        "isolation_corrected": float(2 * isolation - mean_isolation),
        "exposure_corrected": float(1 - (2 * isolation - mean_isolation)),
        "dissimilarity_random": chance,
        "dissimilarity_beyond_random": (d - chance) / room if room else np.nan,
    }


def _spatial(people: pd.DataFrame, near: Neighbours, dissimilarity: float) -> dict[str, float]:
    """Compute the measures with the share in each area's surroundings, and Morrill's D."""
    ids = pd.Index(near.graph.unique_ids)
    unknown = people.index[~people.index.isin(ids)]
    if len(unknown):
        raise checks.ids_not_among([str(code) for code in unknown], [str(code) for code in ids])
    at = ids.get_indexer(people.index)
    links = sparse.csr_array(near.graph.sparse)[at][:, at]
    group, everybody = people["group"].to_numpy(), people["people"].to_numpy()
    share, whole = group / everybody, group.sum() / everybody.sum()
    pairs = links.tocoo()
    apart = pairs.data @ np.abs(share[pairs.row] - share[pairs.col])
    around = (links @ group + group) / (links @ everybody + everybody)
    uneven = everybody @ np.abs(around - whole) / (2 * everybody.sum() * whole * (1 - whole))
    isolation = float(group @ around / group.sum())
    return {
        "adjacent_dissimilarity": float(dissimilarity - apart / pairs.data.sum())
        if pairs.data.sum()
        else dissimilarity,
        "spatial_dissimilarity": float(uneven),
        "spatial_isolation": isolation,
        "spatial_exposure": 1 - isolation,
    }
