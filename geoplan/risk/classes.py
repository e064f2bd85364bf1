"""What stands beside a score: classes by distance from the mean, classes of change, and flags."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.places import IndicatorTable
from geoplan.risk.inputs import at_period, collect, directions_of, earlier_period
from geoplan.risk.normalising import percentile_rank, statistics
from geoplan.risk.pipeline import TIE_DIGITS, Direction, Fitted, composite, fit, oriented
from geoplan.specs import ClassesSpec, CombineSpec, DynamicsSpec, IndexSpec, TreatmentSpec

__all__ = ["class_of", "deviations", "dynamics_of", "flags_of"]


def deviations(scores: pd.Series, deviation: str = "population") -> pd.Series:
    """Return how many standard deviations each score lies above the mean; 0 for all where they do not differ.

    Examples
    --------
    >>> deviations(pd.Series({"A": 1.0, "B": 3.0})).tolist()
    [-1.0, 1.0]
    """
    found = statistics(scores.to_numpy(dtype=float)[:, None])
    spread = float((found.population if deviation == "population" else found.sample)[0, 0])
    return (scores - float(found.mean[0, 0])) / spread if spread > 0 else scores * 0.0


def class_of(scores: pd.Series, spec: ClassesSpec) -> pd.Series:
    """Put scores in classes by standard deviations; a score on a limit lies above it.

    Returns
    -------
    pandas.Series
        Int64, 1 being the class that ``spec.first`` names; NA where there is no score.

    Examples
    --------
    >>> scores = pd.Series({"A": 10.0, "B": 20.0, "C": 30.0, "D": float("nan")})
    >>> class_of(scores, ClassesSpec(limits=[0.0])).fillna(0).tolist()
    [2, 1, 1, 0]
    """
    z = deviations(scores, spec.deviation).round(TIE_DIGITS)
    above = np.searchsorted(np.asarray(spec.limits), z.to_numpy(), side="right")
    number = above + 1 if spec.first == "lowest" else len(spec.limits) + 1 - above
    return pd.Series(number, index=scores.index).astype("Int64").where(scores.notna())


def dynamics_of(
    table: IndicatorTable, spec: IndexSpec, areas: pd.Index, period: str, dynamics: DynamicsSpec
) -> pd.DataFrame:
    """Score the change of the indicators since some years before, and put it in classes.

    The change of each indicator in its unit, turned so that a rise is worse, becomes a z-score among the areas; they
    are summed with the weights that the index gives. An indicator that was defined anew in between does not count.

    Raises
    ------
    SpecError
        When the table has no such period.

    Returns
    -------
    pandas.DataFrame
        Index as ``areas``; ``dynamics`` (standard deviations of that sum from its mean; higher is worse) and
        ``dynamics_class`` (one of the signs; empty where the change is not known).
    """
    earlier = earlier_period(period, dynamics)
    frames = [collect(at_period(table, when), spec, areas, when, counted=False).usable for when in (earlier, period)]
    change = frames[1] - frames[0]
    for name in spec.indicators:
        if any(int(earlier) < year <= int(period) for year in table.definitions[name].breaks):
            change[name] = np.nan
    steps = {"inside": CombineSpec(normalisation="z_score", aggregation="sum", missing="left_out"),
             "between": CombineSpec(normalisation="none", aggregation="sum"), "treatment": TreatmentSpec()}  # fmt: skip
    domains = tuple(
        item.model_copy(update={"parts": (), "combine": None})
        for item in spec.domains
        if change[list(item.indicators)].notna().any(axis=None)
    )
    empty = pd.DataFrame({"dynamics": np.nan, "dynamics_class": ""}, index=areas)
    if not domains:
        return empty
    plain = spec.model_copy(update={**steps, "domains": domains, "method": "z_score", "base": None})
    worse = [
        Direction("as is" if way.way == "as is" else "negative")
        for name, way in zip(spec.indicators, directions_of(spec, table.definitions), strict=True)
        if name in plain.indicators
    ]
    values = change[list(plain.indicators)].to_numpy()
    fitted = fit(values, plain, directions=worse, city=np.full(len(worse), np.nan))
    z = deviations(pd.Series(composite(fitted, values).scores, index=areas)).round(TIE_DIGITS)
    limits, levels = np.asarray(dynamics.limits), z.to_numpy()[:, None]
    # A score on a limit lies in the class nearer to no change, so that the limits are the same to both sides.
    place = np.where(limits > 0, levels > limits, levels >= limits).sum(axis=1)
    signs = pd.Series([dynamics.signs[number] for number in place], index=areas, dtype=object)
    return empty.assign(dynamics=z, dynamics_class=signs.where(z.notna(), ""))


def flags_of(values: pd.DataFrame, fitted: Fitted, spec: IndexSpec) -> pd.DataFrame:
    """Count the indicators whose percentile rank is at least the specification's flag, by domain and in ``total``."""
    turned = oriented(values.to_numpy(), fitted.directions)
    turned[~fitted.eligible] = np.nan
    ranks = percentile_rank(turned)
    after = [direction.way == "after" for direction in fitted.directions]
    ranks = np.where(after, 1 - ranks, ranks)
    decimals = fitted.parts[0].how.decimals
    ranks = ranks if decimals is None else np.round(ranks, decimals)
    above = pd.DataFrame(np.round(ranks, TIE_DIGITS) >= (spec.flags or 1.0), values.index, values.columns)
    found = pd.DataFrame({domain.id: above[list(domain.indicators)].sum(axis=1) for domain in spec.domains})
    return found.assign(total=above.sum(axis=1)).astype("Int64")
