"""From raw figures of nodes to parts on one scale, weights, contributions that add up, and ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError

__all__ = ["SCORE_DIGITS", "Raw", "part_weights", "ranked", "scaled", "scored", "theme_of"]

#: Decimals to which scores are compared: differences below come from arithmetic, and such nodes share a rank.
SCORE_DIGITS = 9
NORMALISATIONS = ("min_max", "percentile")
HUNDRED = 100.0


@dataclass(frozen=True)
class Raw:
    """A part of the score before it is put on a scale.

    ``figures`` by node, NaN where missing; ``status`` and ``reason`` say why; ``unit`` is in words.
    """

    name: str
    unit: str
    figures: pd.Series
    status: pd.Series
    reason: pd.Series


def theme_of(part: str) -> str:
    """Return the theme of a part: what stands before the point.

    Examples
    --------
    >>> theme_of("services.retail"), theme_of("parks")
    ('services', 'parks')
    """
    return part.partition(".")[0]


def part_weights(parts: list[str], weights: Mapping[str, float] | None) -> pd.Series:
    """Return the weight of every part, of a sum of 1.

    A theme's weight is divided equally among its parts; a part may have a weight of its own in place of its share.

    Examples
    --------
    >>> part_weights(["density.jobs", "density.residents", "parks"], {"density": 2, "parks": 1}).round(3).to_dict()
    {'density.jobs': 0.333, 'density.residents': 0.333, 'parks': 0.333}
    """
    themes = list(dict.fromkeys(theme_of(part) for part in parts))
    asked = dict.fromkeys(themes, 1.0) if weights is None else {str(key): value for key, value in weights.items()}
    faults = Faults()
    for key, value in asked.items():
        if key not in themes and key not in parts:
            hint = f"nothing was handed in for it, or it is misspelt; there are {checks.listed([*themes, *parts])}"
            faults.add(SpecError(Fault(what=f"there is no part '{key}'", key="weights", hint=hint)))
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
            faults.add(SpecError(Fault(what=f"the weight of {key} is {value!r}", key="weights", expected="0 or more")))
    faults.raise_any()
    found = pd.Series(0.0, index=parts)
    for theme in themes:
        own = [part for part in parts if theme_of(part) == theme]
        alone = [part for part in own if part in asked and part != theme]
        shared = [part for part in own if part not in alone]
        for part in alone:
            found[part] = float(asked[part])
        for part in shared:
            found[part] = float(asked.get(theme, 0.0)) / len(shared)
    if not found.sum() > 0:
        raise SpecError(Fault(what="all weights are 0", key="weights", expected="at least one above 0"))
    return found / found.sum()


def scaled(values: pd.Series, ends: np.ndarray, normalisation: str) -> pd.Series:
    """Put values on a scale from 0 to 1 that other values, sorted, span; NaN where these are all the same.

    Examples
    --------
    >>> values, ends = pd.Series([10.0, 15.0, 40.0, np.nan]), np.array([10.0, 20.0, 30.0])
    >>> scaled(values, ends, "min_max").to_list()
    [0.0, 0.25, 1.5, nan]
    >>> scaled(pd.Series([10.0, 20.0, 30.0]), ends, "percentile").round(3).to_list()
    [0.167, 0.5, 0.833]
    """
    if not len(ends) or ends[0] == ends[-1]:
        return pd.Series(np.nan, index=values.index)
    if normalisation == "min_max":
        return (values - ends[0]) / (ends[-1] - ends[0])
    below = np.searchsorted(ends, values, side="left")
    upto = np.searchsorted(ends, values, side="right")
    return pd.Series((below + upto) / 2 / len(ends), index=values.index).where(values.notna())


def scored(
    normalised: np.ndarray, weights: np.ndarray, least_known: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, the weight that each part has, and the share of all weight that is known.

    ``normalised`` is nodes × parts, ``weights`` one a part or draws × parts. Weights of missing parts go to those that
    are known, in proportion. Where less than ``least_known`` of the weight is known there is no score.

    Examples
    --------
    >>> score, weight, known = scored(np.array([[1.0, 0.5], [np.nan, 0.5]]), np.array([0.5, 0.5]), 0.5)
    >>> score.tolist(), weight.tolist(), known.tolist()
    ([75.0, 50.0], [[0.5, 0.5], [0.0, 1.0]], [1.0, 0.5])
    """
    there = ~np.isnan(normalised)
    used = weights[..., None, :] * there
    known = used.sum(axis=-1)
    enough = (known > 0) & (known >= least_known - 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(enough[..., None], used / known[..., None], np.nan)
    score = HUNDRED * (each * np.where(there, normalised, 0.0)).sum(axis=-1)
    return score, each, known


def ranked(scores: np.ndarray) -> np.ndarray:
    """Return ranks along the last axis, 1 the highest; equal ones share the best of their places; 0 without a score.

    Examples
    --------
    >>> ranked(np.array([50.0, 70.0, np.nan, 70.0])).tolist()
    [3, 1, 0, 1]
    """
    rounded = np.round(scores, SCORE_DIGITS)
    higher = rounded[..., None, :] > rounded[..., :, None]
    return np.asarray(np.where(np.isnan(scores), 0, 1 + higher.sum(axis=-1)))
