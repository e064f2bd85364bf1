r"""Shrinkage: rates of small areas drawn towards the rate of a larger whole, as far as chance can explain them.

Of *y* cases among *n* the raw rate is :math:`r = y/n`. The true rates of the areas are taken to scatter around a centre
*m* (the rate of the city, the parent, or the area with its neighbours) with a strength *M*, in persons of the base:

.. math::

    \theta \sim \text{Beta}(Mm,\ M(1-m)) \text{ (shares)}, \qquad \theta \sim \text{Gamma}(Mm,\ M) \text{ (rates)},
    \qquad E[\theta \mid y, n] = m + \frac{n}{n+M}\,(r - m)

so that the estimate lies between the raw rate and the centre, never below 0 and never above the scale: a raw 0 of 20 is
lifted, a raw 20 of 20 lowered, and an area of 20,000 hardly moves. *M* is estimated from all areas at once (empirical
Bayes): Efron & Morris 1973; Clayton & Kaldor 1987 for Gamma and Poisson; Marshall 1991 for the moments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import IndicatorTable, unit_scale
from geoplan.places.areas import must_have
from geoplan.places.indicators import KNOWN
from geoplan.places.provenance import add_step
from geoplan.risk.inputs import must_be_indicators

__all__ = ["Cells", "Circles", "Towards", "believed_strength", "centres", "circles_of", "counted_cells", "shrink"]

Towards = Literal["city", "parent", "neighbours"]
_COARSE, _FINE = 25, 49  # points of the grids
_FAR, _DEEP = 9.0, 12.0  # ends of the coarse one on the logit scale; log-likelihood below the highest that still counts
_CASE, _DUST = 0.5, 1e-9  # half a case; what subtracting counts leaves of nothing


# ---------------------------------------------------------------- what is counted


@dataclass(frozen=True)
class Cells:
    """The figures of one period that are made from counts; arrays are areas × indicators.

    Attributes
    ----------
    area_ids, names
        The areas and indicators.
    cases, base
        Counts (float64); 0 where a figure is not known or has no counts.
    value
        The figures as they stand, in their units; NaN where not known.
    counted
        Whether a figure is known and has counts (bool).
    is_share
        Per indicator: a share of its base (binomial) and not events per base (Poisson).
    scale
        Per indicator: what a rate is multiplied by to stand in the unit.
    """

    area_ids: pd.Index
    names: tuple[str, ...]
    cases: np.ndarray
    base: np.ndarray
    value: np.ndarray
    counted: np.ndarray
    is_share: np.ndarray
    scale: np.ndarray


def counted_cells(table: IndicatorTable, names: Iterable[str], period: str) -> Cells:
    """Take the counts behind the figures of a period.

    A mean has no cases, and a figure published or merged without counts has none either: they are not counted.

    Raises
    ------
    TableError
        When a share has more cases than its base.
    """
    names = tuple(names)
    ids = pd.Index(sorted(table.data.loc[table.data["period"] == period, "area_id"].unique()), name="area_id")
    wide = {
        column: table.wide(period, column).reindex(index=ids, columns=list(names))
        for column in ("value", "numerator", "denominator", "status")
    }
    known = wide["status"].isin(KNOWN).to_numpy()
    value, cases, base = (wide[name].astype(float).to_numpy() for name in ("value", "numerator", "denominator"))
    kinds = [table.definitions[name].kind for name in names]
    counted = known & (cases >= 0) & (base > 0) & np.isin(kinds, ["share", "rate"])
    is_share = np.array([kind == "share" for kind in kinds], dtype=bool)
    faults = Faults()
    for row, column in np.argwhere(counted & is_share & (cases > base * (1 + 1e-9))):
        what = f"'{names[column]}' has {cases[row, column]:g} cases of {base[row, column]:g}"
        fault = Fault(what=what, area=str(ids[row]), expected="a part of the base")
        faults.add(TableError(fault))
    faults.raise_any()
    return Cells(
        area_ids=ids,
        names=names,
        cases=np.where(counted, np.minimum(cases, np.where(is_share, base, np.inf)), 0.0),
        base=np.where(counted, base, 0.0),
        value=np.where(known, value, np.nan),
        counted=counted,
        is_share=is_share,
        scale=np.array([unit_scale(table.definitions[name].unit) for name in names]),
    )


# ---------------------------------------------------------------- towards what


@dataclass(frozen=True)
class Circles:
    """The wholes that areas are drawn towards.

    Attributes
    ----------
    members
        Circles × areas, 1 where an area belongs to a circle; the last circle is the city.
    own
        Per area: the number of its circle.
    """

    members: sparse.csr_array
    own: np.ndarray


def circles_of(
    area_ids: pd.Index,
    towards: Towards = "city",
    *,
    parents: pd.Series | None = None,
    neighbours: Any = None,
) -> Circles:
    """Find the circle of each area; one without parent or neighbours has the city for it.

    Raises
    ------
    SpecError
        When ``towards`` is not one of its three words, or what it needs is not given.
    InputError
        When a table of neighbours lacks a column, or not one of the codes is among the areas.
    """
    size = len(area_ids)
    city = sparse.csr_array(np.ones((1, size)))
    if towards == "city":
        return Circles(city, np.zeros(size, dtype=int))
    if towards == "parent" and parents is not None:
        _same_codes(parents.index, area_ids)
        code, names = pd.factorize(parents.reindex(area_ids))
        inside = np.flatnonzero(code >= 0)
        groups = sparse.csr_array((np.ones(len(inside)), (code[inside], inside)), shape=(len(names), size))
        return Circles(sparse.vstack([groups, city], format="csr"), np.where(code >= 0, code, len(names)))
    if towards == "neighbours" and neighbours is not None:
        one, other = _neighbour_places(neighbours, area_ids)
        every = np.arange(size)
        entries = (np.concatenate([one, every]), np.concatenate([other, every]))
        around = sparse.csr_array((np.ones(len(entries[0])), entries), shape=(size, size))
        around.data[:] = 1.0  # a pair that stands twice is one neighbour
        alone = np.bincount(one, minlength=size) == 0
        return Circles(sparse.vstack([around, city], format="csr"), np.where(alone, size, every))
    if towards in {"parent", "neighbours"}:
        needs = "parents" if towards == "parent" else "neighbours"
        raise SpecError(Fault(what=f"areas are to be drawn towards their {needs}, which are not given", key=needs))
    raise checks.unknown_name("whole to draw towards", str(towards), ["city", "parent", "neighbours"], key="towards")


def _neighbour_places(neighbours: Any, area_ids: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of neighbours by their places among the areas; of a graph, what holds one, or a table of pairs."""
    neighbours = getattr(neighbours, "graph", neighbours)
    if hasattr(neighbours, "adjacency"):
        weights = neighbours.adjacency  # an island stands in it as its own neighbour, with a weight of 0
        pairs = weights[weights != 0].index.to_frame(index=False).set_axis(["area_id", "neighbour_id"], axis=1)
    else:
        must_have(neighbours, {"area_id": "area_id", "neighbour_id": "neighbour_id"})
        pairs = neighbours[["area_id", "neighbour_id"]]
    _same_codes(pairs["area_id"], area_ids)
    one, other = (area_ids.get_indexer(pairs[name]) for name in ("area_id", "neighbour_id"))
    real = (one >= 0) & (other >= 0) & (one != other)
    found = np.unique(np.column_stack([one[real], other[real]]), axis=0)
    return found[:, 0], found[:, 1]


def _same_codes(given: Iterable[str], area_ids: pd.Index) -> None:
    codes = pd.Index(given).unique()
    if len(codes) and not codes.isin(area_ids).any():
        raise checks.ids_match_nothing(sorted(codes.astype(str)), list(area_ids))


def centres(cells: Cells, circles: Circles, *, without_itself: bool = False) -> np.ndarray:
    """Return the rate of each area's circle (areas × indicators, 0-1 or per head); NaN where nothing is counted.

    A circle without a single case, or without a single exception, is taken to have half of one: a rate of exactly 0
    would leave no doubt about any area (Jeffreys's rule). One without a base has the city's rate. ``without_itself``
    leaves an area out of its own circle, so that its counts do not speak twice; where nobody is left then, it stays.
    """
    cases, base = circles.members @ cells.cases, circles.members @ cells.base
    rate = _rates(cases, base, cells.is_share)
    rate = np.where(base > 0, rate, rate[-1])[circles.own]
    if without_itself:
        others = base[circles.own] - cells.base
        alone = others <= np.finfo(float).eps * base[circles.own]
        city = _rates(cases[-1] - cells.cases, base[-1] - cells.base, cells.is_share)
        circle = _rates(cases[circles.own] - cells.cases, others, cells.is_share)
        lonely = base[-1] - cells.base <= np.finfo(float).eps * base[-1]
        rate = np.where(lonely, rate, np.where(alone, city, circle))
    rate[:, base[-1] <= 0] = np.nan
    return np.asarray(rate)


def _rates(cases: np.ndarray, base: np.ndarray, is_share: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        edge = (cases <= _DUST) | (is_share & (cases >= base - _DUST))
        rate: np.ndarray = np.where(edge, (np.maximum(cases, 0.0) + _CASE) / (base + 2 * _CASE), cases / base)
    return rate


# ---------------------------------------------------------------- how strongly


def believed_strength(
    cases: np.ndarray, base: np.ndarray, centre: np.ndarray, *, is_share: bool, chances: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return what the areas together say about the strength *M* of one indicator.

    The marginal likelihood of all counts (beta-binomial or negative binomial) on a grid, times the uniform-shrinkage
    prior: the weight :math:`M/(M+n_0)` of the centre in an area of median base :math:`n_0` is anything from 0 to 1
    (Christiansen & Morris 1997). It is proper, so that one area, all equal rates or no cases at all have an answer
    too. The mean over *M*, and not its likeliest value alone, keeps the doubt that a few areas leave about it.

    Parameters
    ----------
    cases, base, centre
        One entry an area; ``base`` above 0.
    chances
        Where the centre is not known exactly: ``centre`` is areas × possible ones, and these are their chances.

    Returns
    -------
    tuple of numpy.ndarray
        Strengths (in persons of the base) and their probabilities, which sum to 1.
    """
    from scipy.special import expit  # noqa: PLC0415  slow to import, and only the strength needs it

    centre, chances = (centre[:, None], np.ones(1)) if chances is None else (centre, chances)
    middle, logit = float(np.median(base)), np.linspace(-_FAR, _FAR, _COARSE)
    for last in (False, True):
        strength = middle * np.exp(logit)
        # The density of the logit of a uniform weight is w (1 - w).
        weight = expit(logit)
        log = _log_likelihood(cases, base, centre, strength, chances, is_share=is_share)
        log += np.log(weight * (1 - weight))
        if not last:
            near = np.flatnonzero(log > log.max() - _DEEP)
            step = logit[1] - logit[0]
            logit = np.linspace(logit[near[0]] - step, logit[near[-1]] + step, _FINE)
    chance = np.exp(log - log.max())
    return strength, chance / chance.sum()


def _log_likelihood(
    cases: np.ndarray,
    base: np.ndarray,
    centre: np.ndarray,
    strength: np.ndarray,
    chances: np.ndarray,
    *,
    is_share: bool,
) -> np.ndarray:
    """Return the log marginal likelihood of the counts at each strength, but for a constant."""
    from scipy.special import gammaln, logsumexp  # noqa: PLC0415  slow to import, and only the strength needs it

    y, n = cases[:, None], base[:, None]
    found = []
    for m in centre.T[:, :, None]:
        first = strength * m
        # betaln would be slower than the three gammaln that it is made of.
        terms = gammaln(first + y) - gammaln(first)
        if is_share:
            second = strength * (1 - m)
            terms += gammaln(second + (n - y)) - gammaln(second)
        else:
            terms += first * np.log(strength) - (first + y) * np.log(strength + n)
        found.append(terms)
    log = found[0] if len(found) == 1 else logsumexp(np.array(found), axis=0, b=chances[:, None, None])
    if is_share:
        log = log + gammaln(strength) - gammaln(strength + n)
    return np.asarray(log.sum(axis=0))


def _weights(cells: Cells, circles: Circles, centre: np.ndarray, strength: str) -> np.ndarray:
    """Return the weight of the area's own rate in its estimate (areas × indicators)."""
    if strength == "moments":
        return _moment_weights(cells, circles)
    weight = np.ones_like(cells.base)
    for column, is_share in enumerate(cells.is_share):
        rows = cells.counted[:, column]
        if not rows.any():
            continue
        base = cells.base[rows, column]
        grid, chance = believed_strength(cells.cases[rows, column], base, centre[rows, column], is_share=is_share)
        weight[rows, column] = (base[:, None] / (base[:, None] + grid)) @ chance
    return weight


def _moment_weights(cells: Cells, circles: Circles) -> np.ndarray:
    """Return Marshall's weights: the scatter of the rates in each circle beyond what chance makes, to the whole."""
    members, base = circles.members, cells.base
    with np.errstate(invalid="ignore", divide="ignore"):
        whole, areas = members @ base, members @ cells.counted.astype(float)
        rate = members @ cells.cases / whole
        scatter = members @ np.where(base > 0, cells.cases**2 / base, 0.0) / whole - rate**2
        per_area = areas / whole
        noise = np.where(cells.is_share, rate * (1 - rate), rate)
        # Binomial: s² = m (1 - m) (1/n̄ + (1 - 1/n̄)/(M + 1)); Poisson: s² = m/n̄ + m/M.
        left = scatter - noise * per_area
        between = np.where(cells.is_share, left / (1 - per_area), left)
        within = np.where(cells.is_share, noise - between, noise)
        between = np.where(areas > 1, np.maximum(between, 0.0), 0.0)[circles.own]
        weight = base * between / (base * between + np.maximum(within, 0.0)[circles.own])
    return np.where(np.isfinite(weight), weight, 0.0)


# ---------------------------------------------------------------- shrunk tables


def shrink(
    table: IndicatorTable,
    indicators: str | Iterable[str] | None = None,
    *,
    towards: Towards = "city",
    parents: pd.Series | None = None,
    neighbours: Any = None,
    periods: Iterable[str] | None = None,
    strength: Literal["likelihood", "moments"] = "likelihood",
) -> IndicatorTable:
    r"""Draw the rates of areas towards the rate of a larger whole, small areas more than large ones.

    With the counts *y* of *n*, the centre *m* (the rate of the whole) and the strength *M*,

    .. math::

        \hat\theta = m + \overline{\frac{n}{n+M}} \left(\frac{y}{n} - m\right)

    with the mean taken over what the areas together say about *M*. Each indicator and period is estimated by itself.
    Use the estimates to look at single small areas; an index of shrunk figures has too little spread in it, and for
    how sure a rank is see :func:`~geoplan.risk.rank_uncertainty`. Sources: Efron & Morris 1973, Clayton & Kaldor 1987,
    Marshall 1991.

    Parameters
    ----------
    table
        Indicators of the areas.
    indicators
        Which to shrink; all shares and rates with counts when left out.
    towards
        The whole: ``city`` (all areas of the table), ``parent``, or ``neighbours`` (the area and its neighbours
        together). An area without parent or neighbours is drawn towards the city.
    parents
        With ``towards="parent"``: index the areas' codes, values the parent's, from
        :func:`~geoplan.places.parents_at`.
    neighbours
        With ``towards="neighbours"``: from :func:`~geoplan.risk.neighbours`; a :class:`libpysal.graph.Graph` on the
        areas' codes, or a table of pairs ``area_id, neighbour_id``.
    periods
        Which periods to shrink; all when left out.
    strength
        How *M* is found. ``likelihood``: marginal likelihood of all areas with the uniform-shrinkage prior
        (Christiansen & Morris 1997), one *M* an indicator. ``moments``: Marshall's, one *M* a whole; the estimates of
        rates are those of :class:`esda.smoothing.Empirical_Bayes` and, with neighbours, ``Spatial_Empirical_Bayes``.
        It can find no scatter at all in a few areas and then makes them all equal: prefer ``likelihood``.

    Returns
    -------
    IndicatorTable
        The rows and columns of the table. A shrunk figure has its new ``value`` (in the indicator's unit), the
        ``status`` ``estimated`` and the step ``shrunk`` in ``method``; its ``numerator`` is empty, for an estimate
        counts nobody, and its ``denominator`` stays. ``parts`` holds the raw rows, so that later merges and the city's
        value are made from the counts. Missing figures, means and figures without counts stay as they are.

    Raises
    ------
    SpecError
        When there is no such indicator or period, an indicator named has no counts, an argument is unknown, or the
        table is something else.
    TableError
        When a share has more cases than its base.

    Examples
    --------
    >>> from geoplan.specs import IndicatorSpec
    >>> names = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    >>> rows = [(area, "poor", "2012", y, n, 100 * y / n, "observed")
    ...         for area, y, n in [("A", 0.0, 20.0), ("B", 100.0, 500.0), ("C", 300.0, 1000.0), ("D", 100.0, 1000.0)]]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=names), {"poor": poor})
    >>> shrink(table).data.set_index("area_id")["value"].round(1).to_dict()
    {'A': 9.9, 'B': 20.0, 'C': 29.7, 'D': 10.3}
    """
    must_be_indicators(table)
    names = _wanted(table, indicators)
    if strength not in {"likelihood", "moments"}:
        raise checks.unknown_name("way to find the strength", str(strength), ["likelihood", "moments"], key="strength")
    known_periods = table.periods()
    chosen = known_periods if periods is None else [str(period) for period in periods]
    for period in chosen:
        if period not in known_periods:
            raise checks.unknown_name("period of the table", period, known_periods, key="periods")
    found = []
    for period in chosen:
        cells = counted_cells(table, names, period)
        circles = circles_of(cells.area_ids, towards, parents=parents, neighbours=neighbours)
        centre = centres(cells, circles)
        with np.errstate(invalid="ignore"):
            estimate = centre + _weights(cells, circles, centre, strength) * (cells.cases / cells.base - centre)
        wide = pd.DataFrame(np.where(cells.counted, estimate * cells.scale, np.nan), cells.area_ids, names)
        found.append(wide.rename_axis(columns="indicator").stack().rename("value").reset_index().assign(period=period))
    return _with_estimates(table, pd.concat(found, ignore_index=True))


def _wanted(table: IndicatorTable, indicators: str | Iterable[str] | None) -> list[str]:
    """Return the indicators to shrink: those named, or all that have counts."""
    rows = table.data
    kinds = rows["indicator"].map({name: item.kind for name, item in table.definitions.items()})
    counted = rows["numerator"].notna() & (rows["denominator"] > 0) & kinds.isin(["share", "rate"])
    able = list(dict.fromkeys(rows["indicator"][counted]))
    if indicators is None:
        if not able:
            fault = Fault(what="no share or rate of the table has counts", hint="shrinkage needs cases and their base")
            raise SpecError(fault)
        return able
    names = [indicators] if isinstance(indicators, str) else list(dict.fromkeys(indicators))
    faults = Faults()
    for name in names:
        if name not in table.definitions:
            faults.add(checks.unknown_name("indicator", name, able, key="indicators"))
        elif name not in able:
            what = f"'{name}' has no counts, so nothing says how far chance can move it"
            faults.add(SpecError(Fault(what=what, key="indicators", hint="leave it out")))
    faults.raise_any()
    return names


def _with_estimates(table: IndicatorTable, found: pd.DataFrame) -> IndicatorTable:
    keys = ["area_id", "indicator", "period"]
    new = found.set_index(keys)["value"].reindex(pd.MultiIndex.from_frame(table.data[keys])).to_numpy()
    shrunk = np.isfinite(new)
    data = table.data.copy()
    data["value"] = np.where(shrunk, new, data["value"].astype(float))
    data["numerator"] = data["numerator"].where(~shrunk)
    data["status"] = data["status"].where(~shrunk, "estimated")
    method = data["method"].astype(object).fillna("") if "method" in data else pd.Series("", data.index, dtype=object)
    # A figure that says nothing of how it was made has at least this step.
    longer = add_step(method.where(method != "", "shrunk"), "shrunk").astype(object)
    data["method"] = method.where(~shrunk, longer).astype("category")
    return replace(table, data=data, parts=table.finest)
