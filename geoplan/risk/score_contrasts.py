"""Each area's score against its neighbours' and the rest of the city's, and how sure it is that they differ."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.risk.contrasts import pairs_of

__all__ = ["contrast_scores"]

_EXACT = 1e-9  # differences below it are arithmetic
_EXACT_DRAWN = 1e-5  # of draws, which are kept with seven digits
_CHUNK = 512  # draws held against each other at once


def contrast_scores(
    scores: pd.Series,
    neighbours: Any,
    weights: pd.Series | None = None,
    *,
    reference_ids: Iterable[str] | None = None,
    draws: pd.DataFrame | None = None,
    level: float = 0.90,
) -> pd.DataFrame:
    """Compare each area's score with its neighbours' and with the rest of the city's.

    Parameters
    ----------
    scores
        Index ``area_id``, such as :attr:`IndexResult.score`; NaN where an area has none.
    neighbours
        As in :func:`contrast`.
    weights
        Index ``area_id``, such as residents: what an area counts in the means; all the same when left out.
    reference_ids
        The areas that make up the city; all when left out.
    draws
        Scores of the same areas in many draws, one column a draw, such as
        ``pd.DataFrame(sure.scores, sure.table.index)`` of a :class:`RankUncertainty`. Without them nothing says whether
        a difference is clear.
    level
        How sure a difference must be to be called clear, two-sided: at 0.90 the area lies on the same side of the
        others in 95 of 100 draws, and the difference is larger than 1.64 times the standard deviation of the draws'.
        The latter because draws from small areas are drawn towards a whole, and need not scatter around the score.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id``, in the order of ``scores``: ``score``, ``neighbours`` (int: how many have a score) of
        ``neighbours_total``, ``neighbours_score`` (their mean), ``difference`` (area minus mean, points), ``above``
        (share of the draws in which the area lies above, ties by half; NaN without draws), ``clear`` (boolean; NA where
        that is not known), ``largest_difference`` (points, with its sign: the neighbour from which the area differs
        most) and ``largest_neighbour`` (its code; of several the first, empty without any), ``reason``
        (``score_not_known``, ``no_neighbours`` or ``neighbours_not_known``; else empty); ``rest_score`` (the mean of
        the city's other areas), ``difference_rest``, ``above_rest``, ``clear_rest`` and ``reason_rest``
        (``score_not_known`` or ``no_rest``).

    Raises
    ------
    IdError
        When a code occurs twice, not one code is on both sides, or an area is its own neighbour.
    SpecError
        When the scores are no series, or ``level`` is not between 0 and 1.
    TableError
        When an area with a score has no weight above 0.

    Examples
    --------
    >>> scores = pd.Series({"A": 150.0, "B": 90.0, "C": 120.0, "D": 80.0})
    >>> pairs = pd.DataFrame({"area_id": ["A", "A", "B"], "neighbour_id": ["B", "C", "A"]})
    >>> found = contrast_scores(scores, pairs)
    >>> found[["difference", "largest_difference", "largest_neighbour", "reason"]].values.tolist()[0]
    [45.0, 60.0, 'B', '']
    >>> found["reason"].tolist()
    ['', '', 'no_neighbours', 'no_neighbours']
    >>> found["difference_rest"].round(1).tolist()
    [53.3, -26.7, 13.3, -40.0]
    """
    if not isinstance(scores, pd.Series):
        expected = "a series by area, such as `index.score`"
        raise SpecError(Fault(what=f"these are no scores: {type(scores).__name__}", key="scores", expected=expected))
    if not 0 < level < 1:
        raise SpecError(Fault(what=f"a level of {level:g}", key="level", expected="between 0 and 1, such as 0.90"))
    score = scores.astype(float).rename("score").rename_axis("area_id")
    twice = sorted(set(score.index[score.index.duplicated()]))
    if twice:
        raise checks.duplicate_ids(twice, "area_id")
    pairs = pairs_of(neighbours)
    if len(pairs) and set(score.index).isdisjoint({*pairs["area_id"], *pairs["neighbour_id"]}):
        raise checks.ids_match_nothing(sorted(score.index), sorted(set(pairs["area_id"])))
    weight = _weights(score, weights)
    inside = score.index.isin(score.index if reference_ids is None else list(reference_ids))
    ties = pairs[pairs["area_id"].isin(score.index)].sort_values(["area_id", "neighbour_id"])
    means = _means(score.to_numpy()[:, None], _links(ties, score.index), weight.to_numpy(), inside)
    around, rest = (mean[:, 0] for mean in means)
    drawn = np.empty((len(score), 0)) if draws is None else draws.reindex(score.index).to_numpy()
    beside, against = _drawn(drawn, _links(ties, score.index), weight.to_numpy(), inside)
    frame = score.to_frame()
    theirs = ties["neighbour_id"].map(score).astype(float)
    known = ties[theirs.notna()].assign(theirs=theirs)
    frame["neighbours"] = known["area_id"].value_counts().reindex(frame.index).fillna(0).astype(int)
    frame["neighbours_total"] = ties["area_id"].value_counts().reindex(frame.index).fillna(0).astype(int)
    frame["neighbours_score"] = around
    frame = frame.join(_told(frame["score"] - around, beside, level, ""))
    frame = frame.join(_steepest(score, known))
    cases = [frame["score"].isna(), frame["neighbours_total"] == 0, frame["neighbours"] == 0]
    frame["reason"] = np.select(cases, ["score_not_known", "no_neighbours", "neighbours_not_known"], "")
    frame["rest_score"] = rest
    frame = frame.join(_told(frame["score"] - rest, against, level, "_rest"))
    frame["reason_rest"] = np.select([frame["score"].isna(), np.isnan(rest)], ["score_not_known", "no_rest"], "")
    return frame


def _weights(score: pd.Series, weights: pd.Series | None) -> pd.Series:
    if weights is None:
        return pd.Series(1.0, index=score.index)
    weight = weights.astype(float).reindex(score.index)
    bare = score.index[score.notna() & ~(weight > 0)]
    if len(bare):
        what = f"{len(bare)} area(s) with a score have no weight above 0: {checks.listed(bare)}"
        raise TableError(Fault(what=what, hint="give every area with a score its residents, or leave `weights` out"))
    return weight.fillna(0.0)


def _links(ties: pd.DataFrame, ids: pd.Index) -> sparse.csr_array:
    """Return which areas are neighbours of which, of those that may have a score."""
    both = ties[ties["neighbour_id"].isin(ids)]
    at = (ids.get_indexer(both["area_id"]), ids.get_indexer(both["neighbour_id"]))
    return sparse.csr_array((np.ones(len(both)), at), shape=(len(ids), len(ids)))


def _means(
    scores: np.ndarray, links: sparse.csr_array, weight: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean score of each area's neighbours, and of the city without it; areas × draws."""
    known = ~np.isnan(scores)
    base = known * weight[:, None]
    points = np.where(known, scores, 0.0) * weight[:, None]
    own = inside[:, None]
    rest_base = (own * base).sum(axis=0) - own * base
    rest_points = (own * points).sum(axis=0) - own * points
    rest_base = np.where(rest_base > _EXACT * base.sum(axis=0), rest_base, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (links @ points) / (links @ base), rest_points / rest_base


def _drawn(
    drawn: np.ndarray, links: sparse.csr_array, weight: np.ndarray, inside: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, against the neighbours and against the rest, how often each area lies above, and how the gap scatters."""
    many, above, points, squares = np.zeros((4, 2, len(drawn)))
    for start in range(0, drawn.shape[1], _CHUNK):
        scores = drawn[:, start : start + _CHUNK].astype(float)
        for side, mean in enumerate(_means(scores, links, weight, inside)):
            gap = scores - mean
            gap[np.abs(gap) <= _EXACT_DRAWN] = 0.0
            many[side] += (~np.isnan(gap)).sum(axis=1)
            above[side] += (gap > 0).sum(axis=1) + 0.5 * (gap == 0).sum(axis=1)
            points[side] += np.nansum(gap, axis=1)
            squares[side] += np.nansum(gap**2, axis=1)
    with np.errstate(invalid="ignore"):
        scatter = np.sqrt(np.clip(squares / many - (points / many) ** 2, 0.0, None))
        return list(zip(above / many, scatter, strict=True))


def _told(difference: pd.Series, drawn: tuple[np.ndarray, np.ndarray], level: float, suffix: str) -> pd.DataFrame:
    """Return a difference with how often it is drawn, and whether it is clear."""
    share, scatter = (pd.Series(found, index=difference.index).where(difference.notna()) for found in drawn)
    same_side = share.where(difference > 0, 1 - share)
    limit = NormalDist().inv_cdf((1 + level) / 2) * scatter + _EXACT
    sure = (same_side >= (1 + level) / 2 - _EXACT) & (difference.abs() > limit)
    told = {"difference": difference, "above": share, "clear": sure.astype("boolean").mask(share.isna())}
    return pd.DataFrame({f"{name}{suffix}": column for name, column in told.items()})


def _steepest(score: pd.Series, known: pd.DataFrame) -> pd.DataFrame:
    """Return the neighbour from which each area differs most, and by how much."""
    apart = known["area_id"].map(score).astype(float) - known["theirs"]
    far = known.assign(apart=apart)[apart.notna()]
    far = far.loc[far["apart"].abs().groupby(far["area_id"]).idxmax()].set_index("area_id")
    return pd.DataFrame(
        {
            "largest_difference": far["apart"].reindex(score.index),
            "largest_neighbour": far["neighbour_id"].astype(object).reindex(score.index).fillna(""),
        }
    )
