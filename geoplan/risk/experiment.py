"""What an index leaves open, put together: the figures, what counts let one believe of them, and the choices varied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk.draws import Beliefs, Noise, Options, Scorer, beliefs_of, is_number
from geoplan.risk.index import IndexResult, prepare, risk_index
from geoplan.risk.inputs import UNSTATED, as_table, one_period
from geoplan.risk.methods import presentation
from geoplan.risk.normalising import percentile_rank, settled
from geoplan.risk.pipeline import Fitted, apply
from geoplan.risk.shrinkage import Towards
from geoplan.specs import IndexSpec
from geoplan.specs.index import Aggregation, Normalisation

__all__ = ["AS_IS", "NOTHING", "Experiment", "prepared"]

AS_IS, NOTHING = "as the index has it", "none"


@dataclass(frozen=True)
class Experiment:
    """An index and what is varied of it.

    Attributes
    ----------
    index
        As it stands.
    ranked
        Its ranked areas, by rank, and ``places`` theirs among the areas of ``beliefs``.
    beliefs, options, scorer
        What is drawn, and what makes composites of it.
    varied
        In words, by factor.
    without_noise
        Indicator → number of figures that have no counts.
    """

    index: IndexResult
    ranked: pd.Index
    places: np.ndarray
    beliefs: Beliefs
    options: Options
    scorer: Scorer
    varied: Mapping[str, str]
    without_noise: Mapping[str, int]

    def shown(self, composites: np.ndarray) -> np.ndarray:
        """Turn composites (draws × ranked areas) into scores as the index shows them."""
        if presentation(self.index.spec) == "score":
            return composites
        ranks = percentile_rank(settled(composites[..., None]))[..., 0]
        decimals = self.index.spec.decimals
        return ranks if decimals is None else np.round(ranks, decimals)


def prepared(
    table: IndicatorTable | pd.DataFrame,
    spec: IndexSpec,
    *,
    period: str | None,
    area_ids: Iterable[str] | None,
    reference_ids: Iterable[str] | None,
    groups: pd.Series | None,
    noise: Noise,
    shrink_towards: Towards,
    parents: pd.Series | None,
    neighbours: Any,
    weights_concentration: float | None,
    normalisations: Iterable[str],
    aggregations: Iterable[str],
    leave_one_out: bool,
) -> Experiment:
    """Put the experiment together; the parameters are those of :func:`~geoplan.risk.rank_uncertainty`.

    Raises
    ------
    InputError
        What :func:`~geoplan.risk.risk_index` refuses, and choices that are unknown or do not fit the index.
    """
    plain = isinstance(table, pd.DataFrame)
    source = as_table(table, spec, str(period or UNSTATED)) if isinstance(table, pd.DataFrame) else table
    when = one_period(source, None if plain else period)
    given: dict[str, Any] = {
        "period": when,
        "area_ids": None if area_ids is None else list(area_ids),
        "reference_ids": None if reference_ids is None else list(reference_ids),
        "groups": groups,
    }
    index, ready = risk_index(source, spec, **given), prepare(source, spec, **given)
    values = ready.figures.usable
    beliefs, without_noise = beliefs_of(
        source, values, when, noise=noise, towards=shrink_towards, parents=parents, neighbours=neighbours
    )
    options = _options(
        ready.fitted, weights_concentration, _texts(normalisations), _texts(aggregations), leave_one_out=leave_one_out
    )
    ranked = index.ranking.index[index.ranking["rank"].notna()]
    return Experiment(
        index=index,
        ranked=ranked,
        places=values.index.get_indexer(ranked),
        beliefs=beliefs,
        options=options,
        scorer=partial(apply, ready.fitted),
        varied=_told(options, ready.fitted, beliefs, shrink_towards),
        without_noise={} if noise == "none" else without_noise,
    )


def _texts(given: Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(dict.fromkeys(given))


def _options(
    fitted: Fitted,
    concentration: float | None,
    normalisations: list[str],
    aggregations: list[str],
    *,
    leave_one_out: bool,
) -> Options:
    """Check the choices, and set those of the index beside them."""
    faults = Faults()
    if concentration is not None and not (is_number(concentration) and concentration > 0):
        what = f"{concentration!r} is no concentration of weights"
        expected = "a number above 0, such as 50; the larger, the nearer to the index's own weights"
        faults.add(SpecError(Fault(what=what, key="weights_concentration", expected=expected)))
    for name in normalisations:
        with faults.catch(key="normalisations"):
            _check_normalisation(name, fitted)
    for name in aggregations:
        if name not in get_args(Aggregation):
            faults.add(checks.unknown_name("aggregation", name, get_args(Aggregation), key="aggregations"))
    # The scores of one common factor stand on all of its indicators; its weights cannot be had without one.
    groups = tuple(node.places for node in fitted.parts if not node.weights.joint)
    if leave_one_out and (len(fitted.names) == 1 or not groups):
        one = len(fitted.names) == 1
        what = "the index has one indicator" if one else "every indicator is part of a common factor"
        faults.add(SpecError(Fault(what=f"{what}, and nothing is left without it", key="leave_one_out")))
    faults.raise_any()
    own = _own(fitted)
    assert fitted.total is not None  # noqa: S101  fitted
    weights, part_weights = np.empty(len(fitted.names)), np.empty(len(fitted.parts))
    for nodes, each in ((fitted.parts, weights), (fitted.domains, part_weights)):
        for node in nodes:
            each[list(node.places)] = node.weights.each
    return Options(
        domain_weights=fitted.total.weights.each,
        indicator_weights=weights,
        groups=groups,
        concentration=concentration,
        normalisations=(None, *(name for name in normalisations if {name} != own["normalisation"])),
        aggregations=(None, *(name for name in aggregations if {name} != own["aggregation"])),
        leave_one_out=leave_one_out,
        part_weights=part_weights,
        part_groups=tuple(n.places for n in fitted.domains if len(n.places) > 1 and not n.weights.joint),
    )


def _own(fitted: Fitted) -> dict[str, set[str]]:
    """Return the normalisations of the indicators, and the aggregations wherever something is combined."""
    total = () if fitted.total is None else (fitted.total,)
    combined = [node for node in (*fitted.parts, *fitted.domains, *total) if len(node.places) > 1]
    return {
        "normalisation": {node.how.normalisation for node in fitted.parts},
        "aggregation": {node.how.aggregation for node in combined} or {"arithmetic"},
    }


def _check_normalisation(name: str, fitted: Fitted) -> None:
    if name not in get_args(Normalisation):
        raise checks.unknown_name("normalisation", name, get_args(Normalisation))
    ways = {direction.way for direction in fitted.directions}
    if name == "relative" and (np.isnan(fitted.city).any() or (fitted.city <= 0).any() or "negative" in ways):
        what = "not every indicator has a city's value that it can be relative to"
        raise SpecError(Fault(what=what, hint="leave `relative` out"))
    if name == "distance_to_target" and np.isnan(fitted.targets).any():
        lacking = [own for own, target in zip(fitted.names, fitted.targets, strict=True) if np.isnan(target)]
        raise SpecError(Fault(what=f"no target for {checks.listed(lacking)}", hint="give `index.targets`"))
    if "after" in ways and name not in {"percentile", "min_max"}:
        what = f"indicators are turned after they have been normalised, which '{name}' does not allow"
        raise SpecError(Fault(what=what, expected="percentile or min_max"))


def _told(options: Options, fitted: Fitted, beliefs: Beliefs, towards: Towards) -> dict[str, str]:
    """Say what is varied, and how."""
    own, whole = _own(fitted), {"city": "the city", "parent": "their parents", "neighbours": "their neighbours"}
    counts = {
        "posterior": f"true rates given the counts (Beta, Gamma), drawn towards {whole[towards]} and each area's level",
        "sampling": "binomial or Poisson noise around the observed rates",
        "none": "as they are",
    }
    bare = beliefs.noise != "none" and not beliefs.drawn.any()
    told = {"counts": "as they are, for want of counts" if bare else counts[beliefs.noise], "weights": AS_IS}
    if options.concentration is not None:
        told["weights"] = f"Dirichlet around those of the index, concentration {options.concentration:g}"
    for name, given in (("normalisation", options.normalisations), ("aggregation", options.aggregations)):
        first = " and ".join(sorted(own[name]))
        told[name] = ", ".join([first, *(str(item) for item in given[1:])]) if len(given) > 1 else AS_IS
    told["left_out"] = "one indicator, or none" if options.leave_one_out else NOTHING
    return {name: text.replace("_", " ") for name, text in told.items()}
