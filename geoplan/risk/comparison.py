r"""Two results of the index beside each other: which areas moved, and which convention moved them.

Every combination of what differs is computed from the figures, with each cause as it was before or as it is after.
What one cause did to an area's rank is the mean, over all orders in which the causes can be switched, of what the rank
moved by when it was switched: the Shapley value (Shapley 1953, *A value for n-person games*),

.. math::

    \phi_c = \sum_{S \subseteq C \setminus c} \frac{|S|!\,(|C| - |S| - 1)!}{|C|!}\,(r_{S \cup c} - r_S)

with :math:`r_S` the rank when the causes *S* are switched. The causes add up to what the rank moved by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoplan.errors import Fault, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk.certificate import Certificate
from geoplan.risk.index import IndexResult
from geoplan.risk.inputs import as_table, at_period, collect
from geoplan.risk.methods import presentation, scores_are_relative
from geoplan.risk.switching import CAUSES, Basis, Pair, pair_of

__all__ = ["Comparison", "basis_of", "compare_bases", "compare_results"]

Array = NDArray[np.float64]
_ABSENT = "not_in_run"


@dataclass(frozen=True)
class Comparison:
    """Two results of the index, and what lies between them.

    Attributes
    ----------
    conventions
        What the certificates do not agree on, one row a difference: ``convention`` (its heading), ``of`` (the
        indicator, domain … that it holds for; empty where it holds for all), ``before``, ``after`` (texts).
    areas
        Index ``area_id``, in the order of the ranks after, of all areas of the two. ``rank_before``, ``rank_after``
        (Int64, <NA> for none), ``shift`` (Int64: rank after - rank before, so that a negative one leads towards rank
        1; <NA> where one is missing), ``score_before``, ``score_after`` (as presented), ``reason_before``,
        ``reason_after`` (why there is no rank, ``not_in_run`` for an area that only the other one has; else empty).
    causes
        Areas × what differs: the ranks that each moved the area by. A row adds up to ``shift``. NaN in the row of an
        area that is ranked in one of the two only, and in a column that is none of its causes, see ``joined``.
    scores
        The same for the score, in its points; None where the two scores are not on one scale.
    joined
        The columns of ``causes`` in which several stand together, such as ``normalisation and aggregation``: for the
        areas with a figure there they cannot be switched one at a time, as some of the indices between would not be
        defined or would leave the area without a score.
    """

    conventions: pd.DataFrame
    areas: pd.DataFrame
    causes: pd.DataFrame
    scores: pd.DataFrame | None
    joined: tuple[str, ...]

    @property
    def both(self) -> int:
        """How many areas are ranked in both."""
        return int(self.areas["shift"].notna().sum())

    @property
    def moved(self) -> int:
        """How many of the areas ranked in both changed their rank."""
        return int((self.areas["shift"].fillna(0) != 0).sum())

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation over the areas ranked in both; NaN where it has no value."""
        ranks = self.areas.loc[self.areas["shift"].notna(), ["rank_before", "rank_after"]].astype(float).rank()
        if len(ranks) < 2 or (ranks.nunique() < 2).any():  # noqa: PLR2004  no correlation of one area, or of ties only
            return float("nan")
        return float(np.corrcoef(ranks.to_numpy(), rowvar=False)[0, 1])

    @property
    def main(self) -> pd.Series:
        """The cause that moved each area most, the first of equals; empty where none did."""
        size = self.causes.abs().fillna(0.0)
        if size.columns.empty:
            return pd.Series("", index=size.index, dtype=object)
        return size.idxmax(axis=1).astype(object).where(size.max(axis=1) > 0, "")


def compare_results(
    before: IndexResult,
    table_before: IndicatorTable | pd.DataFrame,
    after: IndexResult,
    table_after: IndicatorTable | pd.DataFrame | None = None,
) -> Comparison:
    """Find which convention, or whose figures, moved which area from one result to another.

    Parameters
    ----------
    before, after
        From :func:`~geoplan.risk.risk_index`.
    table_before, table_after
        The figures that each was made from; the same for both when the latter is left out.

    Returns
    -------
    Comparison

    Raises
    ------
    SpecError
        When a result was not made from its table, or the two have no area in common.

    Notes
    -----
    The causes are, as far as the two differ in them, ``figures`` (of the areas), ``city`` (the reference's values, and
    the base year), ``exclusion`` (which areas are ranked), ``domains`` (which indicators), ``weights``, ``direction``,
    ``treatment`` (outliers), ``missing``, ``normalisation``, ``aggregation`` and ``ties`` (with the definition of R).
    The figures and the city's value of an indicator that only one of the two has are taken from it, so that they belong
    to ``domains``; weights are then those of one side among the parts that both have.

    Examples
    --------
    >>> from geoplan.risk import risk_index
    >>> from geoplan.specs import DomainSpec, IndexSpec
    >>> figures = pd.DataFrame({"poor": [30.0, 20.0, 10.0], "crime": [1.0, 5.0, 2.0]}, index=["A", "B", "C"])
    >>> domains = [DomainSpec(id=name, label=name, indicators=[name]) for name in figures]
    >>> even = IndexSpec(method="z_score", domains=domains)
    >>> heavy = even.model_copy(update={"domains": (domains[0].model_copy(update={"weight": 3.0}), domains[1])})
    >>> found = compare_results(risk_index(figures, even), figures, risk_index(figures, heavy))
    >>> found.areas[["rank_before", "rank_after", "shift"]].values.tolist()
    [[2, 1, -1], [1, 2, 1], [3, 3, 0]]
    >>> found.causes.to_dict()
    {'weights': {'A': -1.0, 'B': 1.0, 'C': 0.0}}
    """
    other = table_before if table_after is None else table_after
    return compare_bases(basis_of(before, table_before), basis_of(after, other))


def basis_of(result: IndexResult, table: IndicatorTable | pd.DataFrame) -> Basis:
    """Take from a result and its table what its ranks stand on.

    Raises
    ------
    SpecError
        When the table lacks an indicator of the result.
    """
    spec, period = result.spec, result.certificate.period
    source = as_table(table, spec, period) if isinstance(table, pd.DataFrame) else table
    areas, names = pd.Index(sorted(result.ranking.index), name="area_id"), list(spec.indicators)
    lacking = [name for name in names if name not in source.definitions]
    if lacking:
        raise SpecError(Fault(what=f"the table has no '{lacking[0]}'", hint="hand over the table of this result"))
    figures = collect(at_period(source, period), spec, areas, period, counted=False)
    based = None
    if spec.base is not None and spec.base != period:
        based = collect(at_period(source, spec.base), spec, areas, spec.base, counted=False).usable
    ranking = result.ranking.loc[areas, ["rank", "score", "reason"]]
    return Basis(
        spec=spec,
        certificate=result.certificate,
        ranking=ranking,
        usable=figures.usable,
        bases=figures.bases,
        imputed=result.imputed.reindex(areas),
        eligible=~ranking["reason"].isin(["small_population", "population_not_known"]),
        city=result.reference["value"].astype(float).reindex(names),
        base_values=based,
        definitions={name: source.definitions[name] for name in names},
    )


def compare_bases(before: Basis, after: Basis) -> Comparison:
    """Compare what two rankings stand on, as :func:`compare_results` does two results.

    Raises
    ------
    SpecError
        When the ranks of one do not follow from its figures, or the two have no area in common.
    """
    if before.ranking.index.intersection(after.ranking.index).empty:
        expected = "two rankings of the same areas, or of some that are the same"
        raise SpecError(Fault(what="the two results have no area in common", expected=expected))
    pair = pair_of(before, after)
    names = pair.causes()
    switched = [frozenset(name for bit, name in enumerate(names) if s >> bit & 1) for s in range(2 ** len(names))]
    # What cannot matter is switched only where all is: the last is the second result as it is.
    found = [pair.scores(group) for group in [*switched[:-1], frozenset(CAUSES if names else ())]]
    ranks, composites = np.stack([item[0] for item in found]), np.stack([item[1] for item in found])
    _must_follow(pair, ranks)
    both = ~np.isnan(ranks[0]) & ~np.isnan(ranks[-1])
    causes = _shared(ranks, names, both)
    areas = _areas(pair)
    one_scale = _on_one_scale(before, after, names)
    return Comparison(
        conventions=_conventions(before, after),
        areas=areas,
        causes=pd.DataFrame(causes, pair.areas).loc[areas.index],
        scores=pd.DataFrame(_shared(composites, names, both), pair.areas).loc[areas.index] if one_scale else None,
        joined=tuple(name for name in causes if name not in CAUSES),
    )


def _must_follow(pair: Pair, ranks: Array) -> None:
    """Make sure that each result's ranks are those of its own figures, before anything is said of what is between."""
    for side, made, name in zip(pair.sides, (ranks[0], ranks[-1]), ("before", "after"), strict=True):
        given = side.ranking["rank"].to_numpy(dtype=float, na_value=np.nan)
        wrong = ~((given == made) | (np.isnan(given) & np.isnan(made)))
        if wrong.any():
            what = f"the ranks {name} do not follow from their figures: {int(wrong.sum())} areas have another"
            hint = "take the table that the result was made from, or make the result again"
            raise SpecError(Fault(what=what, area=str(pair.areas[wrong][0]), hint=hint))


def _areas(pair: Pair) -> pd.DataFrame:
    told = {}
    for side, name in zip(pair.sides, ("before", "after"), strict=True):
        told[f"rank_{name}"] = side.ranking["rank"].astype("Int64")
        told[f"score_{name}"] = side.ranking["score"].astype(float)
        told[f"reason_{name}"] = side.ranking["reason"].astype(object).fillna(_ABSENT)
    frame = pd.DataFrame(told).assign(shift=lambda t: t["rank_after"] - t["rank_before"]).rename_axis("area_id")
    columns = ["rank_before", "rank_after", "shift", "score_before", "score_after", "reason_before", "reason_after"]
    frame = frame.reset_index().sort_values(["rank_after", "rank_before", "area_id"], na_position="last")
    return frame.set_index("area_id")[columns]


def _on_one_scale(before: Basis, after: Basis, names: Sequence[str]) -> bool:
    """Tell whether scores are points of the same kind: both of the city's 100, or made by the same steps."""
    if any(presentation(side.spec) != "score" for side in (before, after)):
        return False
    relative = scores_are_relative(before.spec) and scores_are_relative(after.spec)
    return relative or not {"normalisation", "aggregation"} & set(names)


# ---------------------------------------------------------------- sharing


def _shared(values: Array, names: Sequence[str], both: NDArray[np.bool_]) -> dict[str, Array]:
    """Share the difference between the last and the first row among the causes, area by area.

    Parameters
    ----------
    values
        Sets of causes × areas: row *s* has those causes switched whose bit is set in *s*; NaN where there is no value.
    both
        The areas to share for.
    """
    patterns, which = np.unique(np.isnan(values[:, both]), axis=1, return_inverse=True)
    blank = np.full(values.shape[1], np.nan)
    found: dict[str, Array] = {}
    for number, undefined in enumerate(patterns.T):
        columns = np.flatnonzero(both)[which.ravel() == number]
        blocks = _separable(undefined, len(names))
        for block, shares in zip(blocks, _shapley(values[:, columns], blocks), strict=True):
            name = _named([name for bit, name in enumerate(names) if block >> bit & 1])
            found.setdefault(name, blank.copy())[columns] = shares
    singles = [name for name in CAUSES if name in found]
    return {name: found[name] for name in [*singles, *sorted(set(found) - set(singles))]}


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _separable(undefined: NDArray[np.bool_], count: int) -> list[int]:
    """Join causes until every set of what is left has a value; the pair first that is behind most of those without.

    Parameters
    ----------
    undefined
        One a set of causes, by its bits: whether it has no value.

    Examples
    --------
    >>> without = np.zeros(8, dtype=bool)
    >>> without[[0b001, 0b101]] = True  # the first is not defined without the second
    >>> [bin(block) for block in _separable(without, 3)]
    ['0b11', '0b100']
    """
    blocks = [1 << bit for bit in range(count)]
    while True:
        lacking = [made for made in _unions(blocks) if undefined[sum(made)]]
        if not lacking:
            return blocks
        parted = {
            (one, two): sum((one in made) != (two in made) for made in lacking) for one, two in combinations(blocks, 2)
        }
        one, two = max(parted, key=lambda pair: parted[pair])
        blocks = [one | two if block == one else block for block in blocks if block != two]


def _unions(blocks: Sequence[int]) -> list[tuple[int, ...]]:
    return [made for size in range(len(blocks) + 1) for made in combinations(blocks, size)]


def _shapley(values: Array, blocks: Sequence[int]) -> list[Array]:
    """Return each block's share of the difference between the last and the first row, one row a block.

    Examples
    --------
    >>> [share.tolist() for share in _shapley(np.array([[7.0], [5.0], [6.0], [3.0]]), [1, 2])]
    [[-2.5], [-1.5]]
    """
    count = len(blocks)
    shares = []
    for block in blocks:
        share = np.zeros(values.shape[1])
        for made in _unions([other for other in blocks if other != block]):
            weight = factorial(len(made)) * factorial(count - len(made) - 1) / factorial(count)
            share += weight * (values[sum(made) | block] - values[sum(made)])
        shares.append(share)
    return shares


# ---------------------------------------------------------------- conventions


def _conventions(before: Basis, after: Basis) -> pd.DataFrame:
    """Lay the certificates side by side, and tables entry by entry, as far as they differ."""
    found = before.certificate.differences(after.certificate)
    if before.spec.reference is not None and before.spec.reference == after.spec.reference:
        found.pop("reference", None)  # the same parent area, named in two languages
    rows: list[tuple[str, ...]] = []
    for heading, texts in found.items():
        own, other = (_entries(side.certificate, heading) for side in (before, after))
        if own is None or other is None:
            rows.append((heading, "", *texts))
            continue
        names = [name for name in {**own, **other} if own.get(name) != other.get(name)]
        rows += [(heading, name, own.get(name, "none"), other.get(name, "none")) for name in names]
    return pd.DataFrame(rows, columns=["convention", "of", "before", "after"])


def _entries(certificate: Certificate, heading: str) -> dict[str, str] | None:
    """Return what a heading says of each indicator, domain …; None where it says one thing."""
    field = next(item.name for item in fields(certificate) if item.name.replace("_", " ") == heading)
    value: Any = getattr(certificate, field)
    if not isinstance(value, Mapping):
        return None
    return {str(name): f"{item:g}" if isinstance(item, float) else str(item) for name, item in value.items()}
