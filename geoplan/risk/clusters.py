"""Spatial patterns: whether areas resemble their neighbours, and where high or low values lie together.

Two questions are kept apart that a p value alone runs together: could the surroundings of an area be chance, and are
the area and its surroundings far enough from the mean to matter? A class is given only where the answer is *no* to the
first, over all areas at once, and *yes* to the second.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from warnings import catch_warnings, filterwarnings

import numpy as np
import pandas as pd
from scipy import sparse

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError, TableError
from geoplan.risk.adjacency import Neighbours, graph_of, must_be_neighbours, whole_from

__all__ = ["CLASSES", "GlobalPattern", "global_pattern", "local_pattern"]

#: The classes of :func:`local_pattern` by method; those without a pattern are the same.
CLASSES = {
    "moran": ("high among high", "low among low", "low among high", "high among low"),
    "gi_star": ("hot", "cold"),
}
NOT_DISTINGUISHABLE, NO_CLASS = "not distinguishable", "no class"
_LEAST = 4  # the variance of Moran's I under randomisation divides by n - 3
_MOST_SEED = 2**32 - 1
_PERMUTATIONS = 9_999
_PERMUTATIONS_WHOLE = 999
_SAME = 1e-9  # in standard deviations: sums of the same values in another order
_CELLS = 5_000_000
_EQUAL = 1e-12
_WORDS = {"moran": "Moran's I", "geary": "Geary's C", "getis_ord": "Getis and Ord's G"}


@dataclass(frozen=True)
class GlobalPattern:
    """Whether areas resemble their neighbours, all in all.

    Attributes
    ----------
    measures
        Index ``moran``, ``geary``, ``getis_ord``; columns ``statistic``, ``expected`` (its value when the values lie
        anywhere by chance), ``z`` (statistic less the permutations' mean, in their standard deviations), ``p``
        (two-sided, by permutation) and ``reason`` (why there is no statistic: ``too_few_areas``, ``all_equal``,
        ``negative_values`` or ``fewer_than_two_above_zero``; else empty). Moran's I is above its expectation, and
        Geary's C below 1, when neighbours resemble each other; G is above its expectation when the high values lie
        together and below it when the low ones do.
    areas
        Number of areas used.
    missing
        Areas without a value, which are left out.
    islands
        Areas with a value and without a neighbour that has one, which are left out, too.
    permutations, seed
        As given.
    """

    measures: pd.DataFrame
    areas: int
    missing: tuple[str, ...] = field(repr=False)
    islands: tuple[str, ...] = field(repr=False)
    permutations: int
    seed: int

    def lines(self) -> list[str]:
        """Return the measures and what was left out as sentences."""
        said = []
        for name, row in self.measures.iterrows():
            if row["reason"]:
                said.append(f"{_WORDS[name]} is not defined: {row['reason'].replace('_', ' ')}")
                continue
            text = f"{_WORDS[name]} is {row['statistic']:.3g} ({row['expected']:.3g} expected by chance)"
            said.append(f"{text}; p = {row['p']:.2g} in {self.permutations:,} permutations of {self.areas:,} areas")
        for ids, why in ((self.missing, "no value"), (self.islands, "no neighbour with a value")):
            if ids:
                areas = "1 area has" if len(ids) == 1 else f"{len(ids):,} areas have"
                said.append(f"{areas} {why} and {'is' if len(ids) == 1 else 'are'} left out: {checks.listed(ids)}")
        return said


@dataclass(frozen=True)
class _Field:
    """The areas that have a value and a neighbour with a value, from the lowest value to the highest."""

    figures: pd.Series
    links: sparse.csr_array
    missing: tuple[str, ...]
    islands: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Why no pattern can be told; empty when one can."""
        if len(self.figures) < _LEAST:
            return "too_few_areas"
        low, high = self.figures.iloc[[0, -1]]
        return "all_equal" if high - low <= _EQUAL * max(abs(low), abs(high)) else ""

    @property
    def graph(self) -> Any:
        """The neighbours among these areas as libpysal has them."""
        links = self.links.tocoo()
        return graph_of((links.row, links.col), self.figures.index.to_numpy())


def global_pattern(
    values: pd.Series, neighbours: Neighbours, *, permutations: int | None = None, seed: int = 1
) -> GlobalPattern:
    r"""Measure whether areas resemble their neighbours, by Moran's I, Geary's C and Getis and Ord's G.

    With deviations :math:`z_i` from the mean, :math:`w_{ij}` = 1 over the number of neighbours of *i* for I and C, and
    1 for G,

    .. math::

        I = \frac{n}{\sum_{ij} w_{ij}} \frac{\sum_{ij} w_{ij} z_i z_j}{\sum_i z_i^2}, \qquad
        C = \frac{n - 1}{2 \sum_{ij} w_{ij}} \frac{\sum_{ij} w_{ij} (x_i - x_j)^2}{\sum_i z_i^2}, \qquad
        G = \frac{\sum_{ij} w_{ij} x_i x_j}{\sum_{i \ne j} x_i x_j}

    as :mod:`esda` computes them; p = min(1, 2 (1 + the smaller number of permutations that are as low, or as high) /
    (1 + permutations)). Sources: Cliff and Ord, *Spatial Processes* (1981); Getis and Ord, *Geographical Analysis* 24
    (1992).

    Parameters
    ----------
    values
        One figure an area, index ``area_id``; NaN where it is missing. Any unit.
    neighbours
        From :func:`neighbours`, of these areas and perhaps more.
    permutations
        Number of times the values are dealt out anew over the areas; 999 when left out.
    seed
        The same seed gives the same result, in whatever order the areas stand.

    Returns
    -------
    GlobalPattern
        Values that are all equal, or fewer than 4 areas, have no statistic and a reason; so has G where a value is
        negative.

    Raises
    ------
    InputError
        ``IdError`` when a code occurs twice or is unknown to the neighbours, ``TableError`` when a value is no finite
        number, ``SpecError`` when an argument is out of range or of another kind.

    Examples
    --------
    >>> from geoplan.risk import neighbours
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> shapes = [box(x, 0, x + 100, 100) for x in range(674000, 674600, 100)]
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(list("abcdef"), name="area_id"), crs="EPSG:3006")
    >>> values = pd.Series([1.0, 1.0, 1.0, 3.0, 3.0, 3.0], index=list("abcdef"))
    >>> near = neighbours(areas.translate(yoff=6580000).to_frame("geometry"))
    >>> global_pattern(values, near).measures["statistic"].round(4).to_dict()
    {'moran': 0.6667, 'geary': 0.2778, 'getis_ord': 0.4035}
    """
    _must_be_possible(permutations=permutations, seed=seed)
    draws = permutations or _PERMUTATIONS_WHOLE
    known = _field(values, neighbours)
    moran, geary, g = _dealt(known, draws, seed) if not known.reason else (_nothing(known.reason),) * 3
    return GlobalPattern(
        measures=pd.DataFrame([moran, geary, g], index=pd.Index(list(_WORDS), name="measure")),
        areas=len(known.figures),
        missing=known.missing,
        islands=known.islands,
        permutations=draws,
        seed=seed,
    )


def local_pattern(
    values: pd.Series,
    neighbours: Neighbours,
    *,
    method: Literal["moran", "gi_star"] = "moran",
    permutations: int | None = None,
    alpha: float = 0.05,
    false_discovery: bool = True,
    minimum_effect: float = 0.5,
    seed: int = 1,
) -> pd.DataFrame:
    r"""Find where high and low values lie together, area by area.

    With :math:`z_i` the deviation from the mean in standard deviations and :math:`\bar z_i` the mean of the
    neighbours',

    .. math::

        I_i = \frac{n - 1}{n} z_i \bar z_i, \qquad
        G_i^* = \frac{\sum_{j \in N_i \cup i} z_j}{\sqrt{m_i (n - m_i)/(n - 1)}}, \qquad m_i = |N_i| + 1

    as :mod:`esda` computes them. The p value asks in both cases how often the mean of the neighbours would be as low,
    or as high, if the other areas' values were dealt out by chance and the area kept its own (conditional
    permutation; p = min(1, 2 (1 + the smaller number) / (1 + permutations))). It says nothing of the area itself: one
    a hair above the mean has the same p as the highest of all in the same surroundings. So a class takes both: p below
    the limit at which the expected share of false discoveries among all areas is ``alpha``, and a distance from the
    mean of at least ``minimum_effect``. Sources: Anselin, *Geographical Analysis* 27 (1995); Ord and Getis, the same;
    Benjamini and Hochberg, *J. R. Stat. Soc. B* 57 (1995); Caldas de Castro and Singer, *Geographical Analysis* 38
    (2006).

    Parameters
    ----------
    values
        One figure an area, index ``area_id``; NaN where it is missing. Any unit.
    neighbours
        From :func:`neighbours`, of these areas and perhaps more.
    method
        ``moran`` tells areas like their surroundings and unlike them; ``gi_star`` tells hot and cold spots, in which an
        area counts as one of its neighbours, so that an ordinary area among high ones may be hot.
    permutations
        Number of times the values are dealt out anew; when left out 9,999, or as many as it takes for a single area
        to pass the limit (2 n / alpha): a second for 1,300 areas, twenty for 6,400.
    alpha
        Expected share of false discoveries among the classed areas; without ``false_discovery`` the limit itself,
        which one in twenty areas of a random map passes, and should not be used to decide anything.
    minimum_effect
        Least distance from the mean, in standard deviations of the areas' values. The default of half a standard
        deviation is what Cohen (*Statistical Power Analysis*, 1988) calls a medium difference, one that can be seen
        with the naked eye; 38 % of the areas of an ordinary town are closer to the mean than that.
    seed
        The same seed gives the same result, in whatever order the areas stand and whatever their names.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id``, all areas of ``neighbours`` in their order. Columns ``value`` and ``surroundings`` (mean of
        the neighbours that have a value; in the unit of ``values``), ``neighbours`` (int, number of these),
        ``statistic`` (:math:`I_i` or :math:`G_i^*`, no unit), ``z`` (the statistic less its expectation, in standard
        deviations; for :math:`I_i` under conditional permutation), ``p``, ``p_limit``, ``significant`` (bool, p below
        the limit), ``effect`` (standard deviations of the areas' values; ``moran``: the distance from the mean of the
        area or of its surroundings, whichever is smaller; ``gi_star``: the mean of the area and its neighbours less
        the mean of all), ``class`` (``high among high``, ``low among low``, ``low among high``, ``high among low``;
        ``hot``, ``cold``; ``not distinguishable`` or ``no class``) and ``reason`` (``value_missing``, ``no_neighbour``,
        ``too_few_areas`` or ``all_equal`` for no class; ``may_be_chance`` or ``close_to_mean`` for not
        distinguishable; else empty). Areas without a value have no class and are nobody's neighbours.

    Raises
    ------
    InputError
        ``IdError`` when a code occurs twice or is unknown to the neighbours, ``TableError`` when a value is no finite
        number, ``SpecError`` when an argument is out of range or of another kind.

    Examples
    --------
    >>> from geoplan.risk import neighbours
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> shapes = [box(674000 + x, 6580000 + y, 674100 + x, 6580100 + y) for y in range(0, 900, 100)
    ...           for x in range(0, 900, 100)]
    >>> codes = pd.Index([f"{row}{column}" for row in range(9) for column in range(9)], name="area_id")
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=codes, crs="EPSG:3006")
    >>> values = pd.Series([9.0 if max(code) < "3" else 1.0 for code in codes], index=codes)
    >>> values["88"] = None
    >>> found = local_pattern(values, neighbours(areas))
    >>> found["class"].value_counts().to_dict()
    {'not distinguishable': 74, 'high among high': 6, 'no class': 1}
    >>> found.loc["88", ["class", "reason"]].tolist()
    ['no class', 'value_missing']
    """
    _must_be_possible(permutations=permutations, seed=seed, method=method, alpha=alpha, effect=minimum_effect)
    known = _field(values, neighbours)
    ids = pd.Index(neighbours.graph.unique_ids, name="area_id")
    result = pd.DataFrame({"value": known.figures.reindex(ids)})
    result.loc[list(known.islands), "value"] = values[list(known.islands)].astype(float)
    reason = pd.Series(known.reason, index=ids)
    reason[list(known.missing)], reason[list(known.islands)] = "value_missing", "no_neighbour"
    if known.reason:
        return _unclassed(result, known, reason)
    draws = permutations or max(_PERMUTATIONS, int(np.ceil(2 * len(known.figures) / alpha)))
    found = _measured(known, method, draws, seed)
    limit = _limit(found["p"].to_numpy(), alpha) if false_discovery else alpha
    found["p_limit"], found["significant"] = limit, found["p"] < limit
    wide = found["effect"].abs() >= minimum_effect
    agreed = found["significant"] & (found["direction"] == np.sign(found["around"]))
    classed = (agreed & wide).reindex(ids, fill_value=False)
    result = result.join(found.drop(columns=["own", "around", "direction", "pattern"]))
    result["class"] = found["pattern"].reindex(ids).where(classed, NOT_DISTINGUISHABLE).where(reason == "", NO_CLASS)
    doubt = pd.Series(np.where(agreed, "close_to_mean", "may_be_chance"), index=found.index).reindex(ids)
    result["reason"] = reason.where((reason != "") | classed, doubt)
    return _typed(result)


# ---------------------------------------------------------------- what goes in


def _must_be_possible(
    *,
    permutations: int | None,
    seed: int,
    method: str = "moran",
    alpha: float = 0.05,
    effect: float = 0.0,
) -> None:
    """Collect what is wrong with the arguments."""
    faults = Faults()
    if method not in CLASSES:
        faults.add(checks.unknown_name("method", method, CLASSES, key="method"))
    draws = 1 if permutations is None else permutations
    wrong = [
        (not whole_from(1, draws), "permutations", permutations, "a whole number, 1 or more"),
        (not whole_from(0, seed) or seed > _MOST_SEED, "seed", seed, f"a whole number from 0 to {_MOST_SEED}"),
        (not 0 < alpha < 1, "alpha", alpha, "a number between 0 and 1"),
        (not 0 <= effect < np.inf, "minimum_effect", effect, "0 or a number of standard deviations above"),
    ]
    for is_wrong, key, value, expected in wrong:
        if is_wrong:
            faults.add(SpecError(Fault(what=f"{key} is {value}", key=key, expected=expected)))
    faults.raise_any()


def _field(values: pd.Series, neighbours: Neighbours) -> _Field:
    """Keep the areas that have a value and a neighbour that has one, in an order that does not hang on their names."""
    must_be_neighbours(neighbours)
    if not isinstance(values, pd.Series):
        expected = "a series by area, such as `index.score`"
        raise SpecError(Fault(what=f"these are no values: {type(values).__name__}", key="values", expected=expected))
    ids = pd.Index(neighbours.graph.unique_ids)
    number = _numbers(values, ids).reindex(ids)
    missing = ids[number.isna()]
    # Areas of the same value stand in for each other when values are dealt out, so their order among themselves matters
    # only to which of them a permutation happens to move.
    order = number.dropna().rename_axis("area_id").reset_index(name="value").sort_values(["value", "area_id"])
    at = ids.get_indexer(order["area_id"])
    links = sparse.csr_array(neighbours.graph.sparse)[at][:, at]
    alone = np.asarray(links.sum(axis=1)).ravel() == 0
    gone = np.zeros(len(at), dtype=bool)
    while (alone & ~gone).any():  # where A is a neighbour of B and B none of A, leaving B out may leave A alone
        gone |= alone
        alone = np.asarray(links[:, ~gone].sum(axis=1)).ravel() == 0
    keep = ids[at[~gone]]
    links = links[~gone][:, ~gone]
    links.eliminate_zeros()
    islands = ids[np.sort(at[gone])]
    return _Field(number[keep].rename_axis("area_id"), links, tuple(missing), tuple(islands))


def _numbers(values: pd.Series, ids: pd.Index) -> pd.Series:
    """Return the values as numbers after making sure that they belong to the areas."""
    if not values.index.is_unique:
        raise checks.duplicate_ids(sorted({str(code) for code in values.index[values.index.duplicated()]}), "area_id")
    unknown = [str(code) for code in values.index if code not in ids]
    if unknown and len(unknown) == len(values):
        raise checks.ids_match_nothing(unknown, [str(code) for code in ids])
    if unknown:
        raise IdError(checks.ids_not_among(unknown, [str(code) for code in ids]).faults)
    number = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = (number.isna() & values.notna()) | np.isinf(number)
    if wrong.any():
        area = str(values.index[wrong.to_numpy()][0])
        fault = Fault(what=f"'{values[wrong].iloc[0]}' is no finite number", area=area, expected="a number, or missing")
        raise TableError(fault)
    return number


def _unclassed(result: pd.DataFrame, known: _Field, reason: pd.Series) -> pd.DataFrame:
    """Return areas among which no pattern can be told."""
    result["surroundings"], result["neighbours"] = _around(known)
    for name in ("statistic", "z", "p", "p_limit", "effect"):
        result[name] = np.nan
    return _typed(result.assign(significant=False, **{"class": NO_CLASS}, reason=reason))


def _typed(result: pd.DataFrame) -> pd.DataFrame:
    columns = ["value", "surroundings", "neighbours", "statistic", "z", "p", "p_limit", "significant", "effect"]
    result["neighbours"] = result["neighbours"].fillna(0).astype(int)
    result["significant"] = result["significant"].eq(True)  # noqa: FBT003  pandas' comparison; missing is not significant
    return result[[*columns, "class", "reason"]]


def _around(known: _Field) -> tuple[pd.Series, pd.Series]:
    """Return the mean of the neighbours of each area, and their number."""
    number = pd.Series(np.diff(known.links.indptr), index=known.figures.index)
    return pd.Series(known.links @ known.figures.to_numpy(), index=known.figures.index) / number, number


# ---------------------------------------------------------------- all in all


def _nothing(reason: str) -> dict[str, object]:
    return {"statistic": np.nan, "expected": np.nan, "z": np.nan, "p": np.nan, "reason": reason}


def _dealt(known: _Field, permutations: int, seed: int) -> list[dict[str, object]]:
    """Compute the three measures, and the same for values dealt out anew."""
    esda = _esda()
    graph, x = known.graph, known.figures.to_numpy()
    n = len(x)
    z = (x - x.mean()) / x.std()
    moran, geary = esda.Moran(z, graph, permutations=0), esda.Geary(z, graph, permutations=0)
    # esda draws its permutations from numpy's one global generator; here they are drawn from a seed, all at once.
    number = np.diff(known.links.indptr)
    rows = sparse.diags_array(1 / number) @ known.links
    both = (rows.sum(axis=0) + rows.sum(axis=1)).ravel()
    undefined = "negative_values" if x[0] < 0 else "fewer_than_two_above_zero" if x[-2] <= 0 else ""
    drawn: list[np.ndarray] = []
    generator = np.random.default_rng(seed)
    for size in _chunks(permutations, n):
        order = generator.permuted(np.tile(np.arange(n), (size, 1)), axis=1).T
        dealt = z[order]
        cross, squares = (dealt * (rows @ dealt)).sum(axis=0), both @ dealt**2
        products = np.zeros(size) if undefined else (x[order] * (known.links @ x[order])).sum(axis=0)
        # The deviations are standardised, so that their squares and the weights of the rows both sum to n.
        drawn.append(np.array([cross / n, (n - 1) * (squares - 2 * cross) / (2 * n * n), products]))
    chance = np.concatenate(drawn, axis=1)
    measures = [_tested(moran.I, moran.EI, chance[0]), _tested(geary.C, 1.0, chance[1])]
    if undefined:
        return [*measures, _nothing(undefined)]
    g = esda.G(x, graph, permutations=0)
    return [*measures, _tested(g.G, g.EG, chance[2] / g.den_sum)]


def _chunks(permutations: int, n: int) -> list[int]:
    """Cut permutations into parts that fit in memory."""
    size = max(1, _CELLS // n)
    return [min(size, permutations - done) for done in range(0, permutations, size)]


def _tested(statistic: float, expected: float, chance: np.ndarray) -> dict[str, object]:
    """Hold a statistic against its permutations; what differs by rounding is equal."""
    near = _SAME * max(abs(statistic), float(np.abs(chance).max()))
    fewer = min(int((chance <= statistic + near).sum()), int((chance >= statistic - near).sum()))
    spread = float(chance.std())
    return {
        "statistic": float(statistic),
        "expected": float(expected),
        "z": (statistic - float(chance.mean())) / spread if spread > near else np.nan,
        "p": min(1.0, 2 * (1 + fewer) / (1 + len(chance))),
        "reason": "",
    }


# ---------------------------------------------------------------- area by area


def _measured(known: _Field, method: str, permutations: int, seed: int) -> pd.DataFrame:
    """Return what is measured of each area, the pattern it would have, and which way its surroundings differ."""
    x = known.figures.to_numpy()
    own = (x - x.mean()) / x.std()
    surroundings, number = _around(known)
    m = number.to_numpy()
    around = (known.links @ own) / m
    if method == "moran":
        statistic, z = _moran(own, known.graph)
        effect = np.minimum(np.abs(own), np.abs(around))
        pattern = np.select(
            [(own > 0) & (around > 0), (own <= 0) & (around <= 0), around > 0],
            CLASSES["moran"][:3],
            CLASSES["moran"][3],
        )
    else:
        statistic = z = _gi_star(own, known.graph)
        effect = (own + m * around) / (1 + m)
        pattern = np.where(effect > 0, *CLASSES["gi_star"])
    p, higher = _chance(own, around, m, permutations, seed)
    # A hot spot whose neighbours are significantly cold is none: the sum is the area's own.
    reference = around if method == "moran" else effect
    return pd.DataFrame(
        {
            "surroundings": surroundings,
            "neighbours": number,
            "statistic": statistic,
            "z": z,
            "p": p,
            "effect": effect,
            "own": own,
            "around": reference,
            "direction": higher,
            "pattern": pattern,
        },
        index=known.figures.index,
    )


def _moran(own: np.ndarray, graph: Any) -> tuple[np.ndarray, np.ndarray]:
    with catch_warnings():  # esda switches a warning of scipy on for the whole process
        found = _esda().Moran_Local(own, graph, permutations=0)
    # esda's moments are those of z times the neighbours' mean; its statistic is (n - 1)/n of that.
    n, spread = len(own), np.sqrt(np.maximum(found.VIc, 0))
    apart = found.Is * n / (n - 1) - found.EIc
    return found.Is, np.divide(apart, spread, out=np.full_like(spread, np.nan), where=spread > _SAME)


def _gi_star(own: np.ndarray, graph: Any) -> np.ndarray:
    # G divides by the sum of the values, which its z value does not depend on: lift them all above 0. (Its z values for
    # weights that add up to 1 leave the number of neighbours out, so the weights are zeros and ones.)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.asarray(_esda().G_Local(own - own.min() + 1, graph, transform="B", star=True, permutations=0).Zs)
    everywhere = graph.cardinalities.to_numpy() + 1 == len(own)  # the sum of all areas cannot deviate
    return np.where(everywhere, np.nan, z)


def _chance(
    own: np.ndarray, around: np.ndarray, number: np.ndarray, permutations: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two-sided p of each area's surroundings, and 1 where they are rather high, -1 where rather low."""
    # esda's own loop does the same, but takes 20 s to compile, halves p, and tells ties apart by their rounding.
    generator = np.random.default_rng(seed)
    n, most = len(own), int(number.max())
    high, low = np.ones(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    for size in _chunks(permutations, most):
        picks = generator.integers(np.arange(most), n - 1, size=(size, most))
        as_high, as_low = _counter()(own, around, number, picks, _SAME)
        high, low = high + as_high, low + as_low
    return np.minimum(1.0, 2 * np.minimum(high, low) / (1 + permutations)), np.sign(low - high)


@cache
def _counter() -> Any:
    """Compile the loop over permutations and areas."""
    from numba import njit  # noqa: PLC0415  slow to import, and only this needs it

    return njit(_count_extremes)


def _count_extremes(
    own: np.ndarray, around: np.ndarray, number: np.ndarray, picks: np.ndarray, slack: float
) -> tuple[np.ndarray, np.ndarray]:
    """Count how often the mean of areas drawn from all others is as high as each area's surroundings, and as low.

    ``picks`` says which of the areas not yet drawn comes next (Fisher and Yates); all areas share a draw.
    """
    n = len(own)
    high, low = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    deck = np.arange(n - 1)
    for draw in range(len(picks)):
        for place in range(picks.shape[1]):
            taken = picks[draw, place]
            deck[place], deck[taken] = deck[taken], deck[place]
        for i in range(n):
            total = 0.0
            for place in range(number[i]):
                total += own[deck[place] + (deck[place] >= i)]
            mean = total / number[i]
            high[i] += mean >= around[i] - slack
            low[i] += mean <= around[i] + slack
    return high, low


def _limit(p: np.ndarray, alpha: float) -> float:
    return float(_esda().fdr(p, alpha))


def _esda() -> Any:
    """Import esda: it is slow to import, and only some functions need it."""
    with catch_warnings():
        filterwarnings("ignore", message="IProgress not found")  # in a notebook without ipywidgets
        return importlib.import_module("esda")
