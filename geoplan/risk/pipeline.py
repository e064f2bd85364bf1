"""The arithmetic of every index: figures in, scores out, for one table or for thousands of draws of it at once.

Arrays end in areas × indicators; whatever stands before is a draw. Higher is worse from the first step on. The steps
are those of every composite indicator: direction, treatment, normalisation, weights, aggregation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.risk.methods import How, between_domains, inside_domain, inside_part
from geoplan.risk.normalising import BY_RANK, Statistics, normalise, settled, statistics
from geoplan.risk.treatment import Treatment
from geoplan.risk.weighting import Weights, weigh
from geoplan.specs import DomainSpec, IndexSpec, PartSpec, RanksSpec

__all__ = ["TIE_DIGITS", "Composite", "Direction", "Fitted", "Node", "apply", "composite", "fit", "oriented"]

Array = NDArray[np.float64]
#: Standard deviations that agree to a billionth are the same; beyond that is arithmetic, not people.
TIE_DIGITS = 9
_ARITHMETIC = 1e-12  # a share of weights that was added up in another order is the same share


@dataclass(frozen=True)
class Direction:
    """How an indicator enters.

    ``way`` is ``as is``, ``complement`` (``top`` - value), ``reciprocal`` (1 / value), ``negative`` (- value) or
    ``after`` (turned when it has been normalised).
    """

    way: str
    top: float = 1.0


@dataclass(frozen=True)
class Node:
    """One whole and its parts.

    Attributes
    ----------
    id
        A sub-domain, a domain, or ``index``.
    places
        Of its parts in the level below.
    needed
        Share of its weight that must be known for it to be.
    turned
        Parts that are turned after they have been normalised.
    statistics
        Of a base year; of the figures themselves when None.
    """

    id: str
    places: tuple[int, ...]
    how: How
    needed: float
    weights: Weights
    turned: tuple[bool, ...] = ()
    statistics: Statistics | None = None

    @property
    def plain(self) -> bool:
        """Whether the parts enter as they are, so that the whole is a homogeneous function of them."""
        return self.how.normalisation == "none" and not self.weights.joint


@dataclass(frozen=True)
class Fitted:
    """A pipeline that knows all it takes from the data: statistics, treatment, weights.

    Attributes
    ----------
    names
        The indicators, in the order of the arrays.
    directions
        One an indicator.
    city, targets
        One value an indicator, turned as the figures are: what scores 100, and what is aimed at; NaN for none. The
        former may be areas × indicators, for areas that are compared with something of their own.
    eligible
        One an area: False where it is listed and not ranked.
    parts, domains, total
        The tree: sub-domains (a domain without any is its own), domains, index.
    """

    names: tuple[str, ...]
    directions: tuple[Direction, ...]
    city: Array
    targets: Array
    eligible: NDArray[np.bool_]
    ranks: RanksSpec
    treatment: Treatment
    parts: tuple[Node, ...] = ()
    domains: tuple[Node, ...] = ()
    total: Node | None = None


@dataclass(frozen=True)
class Composite:
    """What a pipeline makes of one table.

    Attributes
    ----------
    scores
        One an area, NaN where it has none.
    parts, domains
        Areas × sub-domains and areas × domains; domains as they enter the index, normalised where they are.
    points
        Areas × domains: what each brings to the score; they add up to it.
    normalised, weights, contributions
        Areas × indicators: on the common scale, the weight each known one carries in all, and its part of the score.
    problem
        Why no area has a score, or empty.
    problem_area
        Number of the area that it is about; -1 for none.
    """

    scores: Array
    parts: Array
    domains: Array
    points: Array
    normalised: Array
    weights: Array
    contributions: Array
    problem: str
    problem_area: int = -1


@dataclass(frozen=True)
class _Made:
    """A node's score, its normalised parts, the weight each carries, and the weighted share that is known."""

    node: Node
    score: Array
    x: Array
    share: Array


# ---------------------------------------------------------------- fitting


def fit(
    values: Array,
    spec: IndexSpec,
    *,
    directions: Sequence[Direction],
    city: Array,
    eligible: NDArray[np.bool_] | None = None,
    base_values: Array | None = None,
) -> Fitted:
    """Learn from one table what the pipeline needs.

    Parameters
    ----------
    values
        Areas × indicators in the order of ``spec.indicators``, NaN where missing.
    directions, city
        One an indicator; the city's values in the indicators' units.
    eligible
        One an area; all when left out.
    base_values
        The figures of a base year, from which statistics, treatment and weights are taken.

    Raises
    ------
    SpecError
        When the steps of the specification do not fit together.
    TableError
        When weights cannot be made from the figures.
    """
    names = spec.indicators
    targets = np.array([spec.targets.get(name, np.nan) for name in names])
    fitted = Fitted(
        names=names,
        directions=tuple(directions),
        city=oriented(city, directions),
        targets=oriented(targets, directions),
        eligible=np.ones(len(values), dtype=bool) if eligible is None else eligible,
        ranks=spec.ranks,
        treatment=Treatment.none(len(names)),
    )
    based = oriented(values if base_values is None else base_values, directions)
    fitted = replace(fitted, treatment=Treatment.fit(based[fitted.eligible], names, spec.treatment))
    return _with_tree(fitted, spec, fitted.treatment.apply(based), keep=base_values is not None)


def _with_tree(fitted: Fitted, spec: IndexSpec, level: Array, *, keep: bool) -> Fitted:
    """Build the tree from the bottom, each node learning from what those below it make of the figures."""
    where = {name: place for place, name in enumerate(spec.indicators)}
    turned = [direction.way == "after" for direction in fitted.directions]
    parts, domains = [], []
    for domain in spec.domains:
        below: tuple[PartSpec | DomainSpec, ...] = domain.parts or (domain,)
        hows = [inside_part(spec, part.combine) for part in below]
        for part, how in zip(below, hows, strict=True):
            own = [where[name] for name in part.indicators]
            weights = Weights(np.array(list(part.indicators.values())), "given")
            parts.append(Node(part.id, tuple(own), how, spec.minimum_available, weights, tuple(turned[i] for i in own)))
        places = tuple(range(len(parts) - len(below), len(parts)))
        weights = Weights(np.array([part.weight for part in domain.parts] or [1.0]), "given")
        how = inside_domain(spec, domain) if domain.parts else How()
        domains.append(Node(domain.id, places, how, spec.minimum_available, weights))
    known_parts = [_learn(node, level[:, list(node.places)], fitted, keep=keep) for node in parts]
    fitted = replace(fitted, parts=tuple(known_parts))
    scores = np.stack([_combine(n, level[:, list(n.places)], fitted).score for n in known_parts], axis=-1)
    known_domains = [_learn(node, scores[:, list(node.places)], fitted, keep=keep) for node in domains]
    fitted = replace(fitted, domains=tuple(known_domains))
    scores = np.stack([_combine(n, scores[:, list(n.places)], fitted).score for n in known_domains], axis=-1)
    weights = Weights(np.array([domain.weight for domain in spec.domains]), "given")
    total = Node("index", tuple(range(len(domains))), between_domains(spec), 1.0, weights)
    if total.how.missing == "average":
        total = replace(total, needed=_ARITHMETIC)
    total = _learn(total, scores, fitted, keep=keep)
    return replace(fitted, total=total)


def _learn(node: Node, inside: Array, fitted: Fitted, *, keep: bool) -> Node:
    """Give a node the statistics of a base year, and weights where they come from the figures."""
    by_statistics = node.how.normalisation not in BY_RANK | {"none", "relative"}
    if keep and by_statistics:
        node = replace(node, statistics=statistics(inside[fitted.eligible]))
        _must_measure(node, fitted)
    if node.how.weighting == "given":
        return node
    if node.how.weighting == "equal":
        return replace(node, weights=Weights(np.ones(len(node.places)), "equal"))
    x = _normalised(node, inside, fitted)[fitted.eligible]
    return replace(node, weights=weigh(x, node.how.weighting, node.id, _names_below(node, fitted)))


def _names_below(node: Node, fitted: Fitted) -> tuple[str, ...]:
    """Return what a node's parts are called, as far as they have been built."""
    if node.turned:
        return tuple(fitted.names[place] for place in node.places)
    below = fitted.domains if node.id == "index" else fitted.parts
    return tuple(below[place].id for place in node.places) if below else ()


def _must_measure(node: Node, fitted: Fitted) -> None:
    """Refuse a base year that gives no measure: nothing known, nothing that differs, or no area beyond the target."""
    found = node.statistics
    assert found is not None  # noqa: S101  a base year
    target = node.how.normalisation == "distance_to_target"
    faults = Faults()
    for place, name in enumerate(_names_below(node, fitted)):
        low, high = found.low[0, place], found.high[0, place]
        if low > high:
            what = f"no area that is ranked has a figure of '{name}' in the base year"
        elif target and high <= fitted.targets[node.places[place]]:
            what = f"in the base year all areas have reached the target of '{name}': there is no distance to measure by"
        elif not target and low == high:
            what = f"in the base year '{name}' is the same everywhere: there is no spread to measure by"
        else:
            continue
        faults.add(
            TableError(Fault(what=what, key="index.base", hint="leave the indicator out, or choose another base"))
        )
    faults.raise_any()


# ---------------------------------------------------------------- one table, and many draws


def oriented(values: Array, directions: Sequence[Direction]) -> Array:
    """Turn figures whose last axis is indicators so that higher is worse; what has no value then is NaN.

    Examples
    --------
    >>> oriented(np.array([60.0, 200.0]), [Direction("complement", 100.0), Direction("reciprocal")]).tolist()
    [40.0, 0.005]
    """
    made = values.astype(float, copy=True)
    for place, direction in enumerate(directions):
        column = values[..., place]
        if direction.way == "complement":
            made[..., place] = direction.top - column
        elif direction.way == "negative":
            made[..., place] = -column
        elif direction.way == "reciprocal":
            with np.errstate(divide="ignore"):
                inverse = 1 / column
            made[..., place] = np.where(np.isfinite(inverse), inverse, np.nan)
    return made


def composite(fitted: Fitted, values: Array) -> Composite:
    """Make the scores of one table, with all that they are made of."""
    treated = fitted.treatment.apply(oriented(values, fitted.directions))
    parts, domains, total = _levels(fitted, treated, None, None, None)
    problem, area = _first_problem([*parts, *domains, total], fitted)
    weights, contributions = _passed_down(fitted, parts, domains, total)
    scores = np.full_like(total.score, np.nan) if problem else total.score
    shown = np.stack([made.score for made in domains], axis=-1) if total.node.how.normalisation == "none" else total.x
    part_scores = np.stack([made.score for made in parts], axis=-1)
    points = _pieces(total)
    normalised = np.empty_like(treated)
    for made in parts:
        normalised[:, list(made.node.places)] = made.x
    return Composite(scores, part_scores, shown, points, normalised, weights, contributions, problem, area)


def apply(
    fitted: Fitted,
    values: Array,
    *,
    indicator_weights: Array | None = None,
    part_weights: Array | None = None,
    domain_weights: Array | None = None,
    normalisation: str | None = None,
    aggregation: str | None = None,
) -> tuple[Array, NDArray[np.str_]]:
    """Make the scores of many draws.

    Parameters
    ----------
    values
        Draws × areas × indicators.
    indicator_weights, part_weights, domain_weights
        Draws × indicators, draws × sub-domains (those of ``fitted.parts``) and draws × domains, in place of those of
        the specification; an indicator of weight 0 is left out, and a domain of which nothing is left.
    normalisation, aggregation
        In place of those of the specification: the former of the indicators, the latter wherever a mean is made.

    Returns
    -------
    tuple
        Scores (draws × areas; NaN where an area has none, as where a figure to be inverted is 0), and a text a draw:
        why it has no scores, or empty.

    Raises
    ------
    SpecError
        When the figures, as they were turned for the specification, cannot be normalised in that way.
    """
    changed = fitted
    assert changed.total is not None  # noqa: S101  fitted
    if normalisation is not None:
        _must_suit(fitted, normalisation)
        changed = replace(changed, parts=tuple(_with(n, normalisation=normalisation) for n in changed.parts))
    if aggregation is not None:
        changed = replace(
            changed,
            parts=tuple(_with(n, aggregation=aggregation) for n in changed.parts),
            domains=tuple(_with(n, aggregation=aggregation) for n in changed.domains),
            total=_with(fitted.total, aggregation=aggregation),
        )
    turned = oriented(values, fitted.directions)
    parts, domains, total = _levels(
        changed, fitted.treatment.apply(turned), indicator_weights, part_weights, domain_weights
    )
    problem = _problems([*parts, *domains, total], values.shape[:-2], fitted.eligible)
    scores = np.where((problem == "")[..., None], total.score, np.nan)
    for place, direction in enumerate(fitted.directions):
        if direction.way == "reciprocal":
            # A drawn 0 has no inverse, and the index refuses it: the rest of the indicators are no score either.
            lost = np.isnan(turned[..., place]) & ~np.isnan(values[..., place])
            if indicator_weights is not None:
                lost &= indicator_weights[..., None, place] > 0
            scores[lost] = np.nan
    return scores, problem


def _must_suit(fitted: Fitted, normalisation: str) -> None:
    ways = {direction.way for direction in fitted.directions}
    if normalisation == "relative" and (ways & {"negative", "after"} or np.isnan(fitted.city).any()):
        what = "the figures cannot be put relative to the city: it has no value of them as they are turned"
    elif normalisation == "distance_to_target" and np.isnan(fitted.targets).any():
        what = "the figures have no targets"
    elif "after" in ways and normalisation not in {"percentile", "min_max"}:
        what = "only percentile ranks and min_max can be turned after they have been made"
    else:
        return
    raise SpecError(Fault(what=what, key="normalisation", expected="another one, or none in its place"))


def _with(node: Node | None, **change: str) -> Node:
    """Change how a node combines; one whose weights were made from its figures keeps its ways."""
    assert node is not None  # noqa: S101  fitted
    if node.weights.joint:
        return node
    return replace(node, how=replace(node.how, **change))  # type: ignore[arg-type]  # the fields changed are texts


def _levels(
    fitted: Fitted,
    treated: Array,
    indicator_weights: Array | None,
    part_weights: Array | None,
    domain_weights: Array | None,
) -> tuple[list[_Made], list[_Made], _Made]:
    assert fitted.total is not None  # noqa: S101  fitted
    own, alive = indicator_weights, None
    parts = []
    for node in fitted.parts:
        places = list(node.places)
        weights = None if own is None else own[..., None, places]
        parts.append(_combine(node, treated[..., places], fitted, weights))
    level = np.stack([made.score for made in parts], axis=-1)
    if own is not None:
        alive = np.stack([(own[..., list(node.places)] > 0).any(axis=-1) for node in fitted.parts], axis=-1)
    domains = []
    for node in fitted.domains:
        places = list(node.places)
        weights = None if part_weights is None else part_weights[..., None, places]
        if alive is not None:
            weights = alive[..., None, places] * (node.weights.each if weights is None else weights)
        domains.append(_combine(node, level[..., places], fitted, weights))
    level = np.stack([made.score for made in domains], axis=-1)
    weights = None if domain_weights is None else domain_weights[..., None, :]
    if alive is not None:
        left = np.stack([alive[..., list(node.places)].any(axis=-1) for node in fitted.domains], axis=-1)
        weights = left[..., None, :] * (fitted.total.weights.each if weights is None else weights)
    return parts, domains, _combine(fitted.total, level, fitted, weights)


def _normalised(node: Node, inside: Array, fitted: Fitted) -> Array:
    leaves = bool(node.turned)
    places = list(node.places)
    nothing = np.full(len(places), np.nan)
    by_rank = node.how.normalisation in BY_RANK
    x = normalise(
        inside if leaves or not by_rank else settled(inside),
        node.how,
        ranks=fitted.ranks,
        city=fitted.city[..., places] if leaves else nothing,
        targets=fitted.targets[places] if leaves else nothing,
        eligible=fitted.eligible,
        known=node.statistics,
    )
    if any(node.turned):
        low, high = node.how.scale if node.how.normalisation == "min_max" else (0.0, 1.0)
        x = np.where(np.array(node.turned), low + high - x, x)
        x = x if node.how.decimals is None else np.round(x, node.how.decimals)
    return x


def _combine(node: Node, inside: Array, fitted: Fitted, weights: Array | None = None) -> _Made:
    """Combine parts; ``weights`` (draws × 1 × parts) in place of the node's own."""
    x = _normalised(node, inside, fitted)
    w = node.weights.each if weights is None else weights
    known = ~np.isnan(x)
    if node.weights.joint:
        # The coefficients belong to each other; a weight of 0 from outside leaves a part out, as if it were missing.
        counted = known & (w != 0)
        enough = counted.mean(axis=-1) >= (0.0 if node.how.missing == "average" else node.needed) - _ARITHMETIC
        share = np.where(counted, node.weights.each, np.nan)
        score = np.where(counted, x * node.weights.each, 0.0).sum(axis=-1)
        return _Made(node, np.where(enough & counted.any(axis=-1), score, np.nan), x, share)
    if node.how.missing == "average":
        return _Made(node, *_average_for_missing(node, x, known, w))
    whole = w.sum(axis=-1)
    if known.all():
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.broadcast_to(w if node.how.aggregation == "sum" else w / whole[..., None], x.shape)
        enough = np.broadcast_to(whole > 0, x.shape[:-1])
    else:
        carried = np.where(known, w, 0.0)
        have = carried.sum(axis=-1)
        enough = (have >= node.needed * whole - _ARITHMETIC) & (have > 0)
        scale = (whole if node.how.aggregation == "sum" else 1.0) / np.where(enough, have, 1.0)
        share = np.where(known & enough[..., None], carried * scale[..., None], np.nan)
    score = _aggregated(x, share, node.how.aggregation)
    return _Made(node, np.where(enough, score, np.nan), x, share)


def _average_for_missing(node: Node, x: Array, known: NDArray[np.bool_], w: Array) -> tuple[Array, Array, Array]:
    """Let a missing part count as 0, the average of z-scores and normal scores."""
    whole = w.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.broadcast_to(w if node.how.aggregation == "sum" else w / whole, x.shape)
    score = _aggregated(np.where(known, x, 0.0), share, node.how.aggregation)
    return np.where((known & (share > 0)).any(axis=-1), score, np.nan), x, np.where(known, share, np.nan)


def _aggregated(x: Array, share: Array, how: str) -> Array:
    """Return the mean or sum over the last axis; parts without weight do not count, whatever they are."""
    counted = share > 0
    made: Array
    if how in {"arithmetic", "sum"}:
        made = np.where(counted, x * share, 0.0).sum(axis=-1)
        return made
    with np.errstate(divide="ignore", invalid="ignore"):
        if how == "geometric":
            made = np.exp(np.where(counted, share * np.log(x), 0.0).sum(axis=-1))
        else:
            made = 1 / np.where(counted, share / x, 0.0).sum(axis=-1)
    alone = counted.sum(axis=-1) == 1  # any mean of one figure is that figure
    return np.where(alone, np.where(counted, x, 0.0).sum(axis=-1), made)


def _negative(made: _Made, eligible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find the figures of areas that count of which there is no geometric or harmonic mean."""
    counted = made.share > 0
    negative = (made.x < 0) & counted & eligible[:, None]
    if made.node.how.aggregation not in {"geometric", "harmonic"}:
        return np.zeros_like(negative)
    found: NDArray[np.bool_] = negative & (counted.sum(axis=-1, keepdims=True) > 1)
    return found


def _problems(made: Sequence[_Made], draws: tuple[int, ...], eligible: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Say of each draw why its composite is not defined: a negative value under a geometric or harmonic mean."""
    problem = np.full(draws, "", dtype=object)
    for item in made:
        negative = _negative(item, eligible).any(axis=(-2, -1))
        text = f"a negative value under the {item.node.how.aggregation} mean of '{item.node.id}'"
        problem = np.where((problem == "") & negative, text, problem)
    return problem.astype(np.str_)


def _first_problem(made: Sequence[_Made], fitted: Fitted) -> tuple[str, int]:
    """Say why one table has no composite, and of which area it is."""
    for item in made:
        negative = _negative(item, fitted.eligible)
        if negative.any():
            low = np.where(negative, item.x, np.inf)
            area, place = np.unravel_index(int(low.argmin()), low.shape)
            name, how = _names_below(item.node, fitted)[place], item.node.how.aggregation
            return f"'{name}' enters the {how} mean of '{item.node.id}' as {low[area, place]:.3g}", int(area)
    return "", -1


# ---------------------------------------------------------------- what each part brings


def _pieces(made: _Made) -> Array:
    """Return what each part brings to its whole; the pieces add up to it (Euler's theorem on means)."""
    how = made.node.how.aggregation
    if how in {"arithmetic", "sum"}:
        return made.x * made.share
    score = made.score[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        pieces = score * made.share if how == "geometric" else score**2 * made.share / made.x
    return np.where(np.isnan(made.share), np.nan, np.where(np.isfinite(pieces), pieces, 0.0))


def _passed_down(fitted: Fitted, parts: Sequence[_Made], domains: Sequence[_Made], total: _Made) -> tuple[Array, Array]:
    """Return the weight of each indicator in the score, and what it brings to it, areas × indicators.

    Where domains are ranked or otherwise normalised before they are combined, a domain's points are divided among its
    indicators by their weights: what any one of them lifts cannot be told.
    """
    areas = len(total.score)
    weights = np.full((areas, len(fitted.names)), np.nan)
    points = np.full((areas, len(fitted.names)), np.nan)
    top = _below(total, total.score, np.ones(areas), np.ones(areas))
    for place, domain in enumerate(domains):
        middle = _below(domain, *(item[:, place] for item in top))
        for below, number in enumerate(domain.node.places):
            part = parts[number]
            amount, _, weight = _below(part, *(item[:, below] for item in middle))
            points[:, list(part.node.places)] = amount
            weights[:, list(part.node.places)] = weight
    return weights, points


def _below(made: _Made, amount: Array, slope: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Hand a node's amount, its slope (amount / score where one can say so) and its weight on to its parts."""
    share = made.share
    pieces = _pieces(made)
    with np.errstate(divide="ignore", invalid="ignore"):  # a harmonic mean of -1 and 1, refused later, is infinite
        by_weight = amount[:, None] * share / np.nansum(share, axis=1, keepdims=True)
        amounts = np.where(np.isnan(slope)[:, None], by_weight, slope[:, None] * pieces)
    if made.node.plain:
        linear = made.node.how.aggregation in {"arithmetic", "sum"}
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = share if linear else np.where(made.x != 0, pieces / made.x, 0.0)
        slopes = slope[:, None] * ratio
    else:
        slopes = np.full_like(share, np.nan, dtype=float)
    return amounts, slopes, weight[:, None] * share
