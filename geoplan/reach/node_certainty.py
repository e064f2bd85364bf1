"""How much a node's rank depends on the weights: weights drawn around those given, and which one tips it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, SpecError
from geoplan.reach.node_scores import ranked, scored, theme_of
from geoplan.reach.nodes import StrategicNodes

__all__ = ["NodeUncertainty", "node_uncertainty"]

_CELLS = 4_000_000  # of draws x nodes x nodes, compared at a time
_EDGE = 1e-9  # of a weight: just beyond a tie


@dataclass(frozen=True, eq=False, repr=False)
class NodeUncertainty:
    r"""How sure the ranks of nodes are when the weights are not.

    Attributes
    ----------
    table
        Index ``node_id``, ranked nodes by rank. Columns ``name``, ``rank``, ``rank_low``, ``rank_median``,
        ``rank_high`` (Int64), ``inside`` (share of the draws from ``rank_low`` to ``rank_high``), ``score``,
        ``score_low``, ``score_high``, ``p_top`` (share of the draws among the first ``top``).

        Intervals have equal tails by the mid-P rule, as those of an index: with the share :math:`F(r)` of draws below
        *r* and :math:`f(r)` at *r*, all *r* with :math:`\alpha/2 \le F(r) + f(r)/2 \le 1 - \alpha/2`.
    tips
        Index ``node_id``: the theme whose weight tips the node most easily over the line after ``top`` ranks, all other
        weights kept in proportion. Columns ``theme``, ``weight`` (now), ``weight_needed``, ``becomes`` (``in`` or
        ``out``); a node that no weight of a single theme tips has none (``theme`` is "", the weights NaN).
    without
        Nodes × themes: the rank if the theme had no weight (Int64; missing where nothing else has weight).
    ranks
        Nodes × draws.
    draws, concentration, top, level, seed
        As asked.
    """

    table: pd.DataFrame
    tips: pd.DataFrame
    without: pd.DataFrame
    ranks: np.ndarray = field(repr=False)
    draws: int
    concentration: float
    top: int
    level: float
    seed: int

    def __repr__(self) -> str:
        """Say what was drawn."""
        return f"NodeUncertainty({len(self.table)} nodes, {self.draws:,} draws, top {self.top})"

    def lines(self, number: int = 5) -> list[str]:
        """Say it in sentences, for the first nodes."""
        said = [f"{self.draws:,} draws of the weights (Dirichlet, concentration {self.concentration:g})"]
        for name, row in self.table.head(number).iterrows():
            low, high = int(row["rank_low"]), int(row["rank_high"])
            where = f"at rank {low}" if low == high else f"between rank {low} and {high}"
            text = f"{row['name']}: rank {int(row['rank'])}, {where} in {row['inside']:.0%} of the draws"
            text += f", among the first {self.top} in {row['p_top']:.0%}"
            tip = self.tips.loc[name]
            if tip["theme"]:
                text += f"; {tip['becomes']} if {tip['theme']} weighs {tip['weight_needed']:.0%}"
                text += f" in place of {tip['weight']:.0%}"
            said.append(text)
        return said


def node_uncertainty(
    nodes: StrategicNodes,
    *,
    draws: int = 2000,
    concentration: float = 50.0,
    top: int = 5,
    level: float = 0.90,
    seed: int = 1,
) -> NodeUncertainty:
    r"""Say how much the ranks depend on the weights.

    The weights of themes are drawn from a Dirichlet distribution around those given: a weight *w* (of a sum of 1) has
    the standard deviation :math:`\sqrt{w(1-w)/(c+1)}`. Within a theme the parts keep their proportions. The figures
    stay as they are: an interval says what the *weights* leave open, and nothing of the data.

    Parameters
    ----------
    nodes
        Of :func:`strategic_nodes`.
    draws
        How many.
    concentration
        *c*: the higher, the nearer to the weights given.
    top
        A line after so many ranks: how likely a node is above it, and what tips it over.
    level
        Share of the draws in an interval.
    seed
        The same seed gives the same draws.

    Returns
    -------
    NodeUncertainty

    Raises
    ------
    SpecError
        When a number is out of its bounds, or fewer than two themes have a weight.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> from geoplan.reach import Nearby, TravelTimes, strategic_nodes
    >>> places = gpd.GeoDataFrame({"name": ["Torget", "Ängen"]}, index=["n1", "n2"], crs=3006,
    ...                           geometry=[Point(674_000, 6_580_000), Point(676_000, 6_580_000)])
    >>> times = TravelTimes(["a", "b"], ["n1", "n2"], (50,), np.array([[[60], [65535]], [[65535], [60]]], np.uint16))
    >>> found = strategic_nodes(places, residents=Nearby(pd.Series({"a": 9, "b": 1}), times),
    ...                         jobs=Nearby(pd.Series({"a": 3, "b": 0}), times),
    ...                         land=Nearby(pd.Series({"a": 0, "b": 4}, name="homes"), times),
    ...                         weights={"density": 6, "development": 4})
    >>> sure = node_uncertainty(found, draws=500, top=1)
    >>> sure.tips.loc["n1"].to_dict()
    {'theme': 'density', 'weight': 0.6, 'weight_needed': 0.5, 'becomes': 'out'}
    """
    _check(draws, concentration, top, level, seed)
    normalised, weights, themes = _matrix(nodes)
    names = list(dict.fromkeys(themes))
    member = np.array([[theme == name for theme in themes] for name in names], dtype=float)
    given = member @ weights
    if (given > 0).sum() < 2:  # noqa: PLR2004  one weight is all there is
        raise SpecError(Fault(what="fewer than two themes have a weight", key="nodes", expected="weights to vary"))
    within = member * weights / np.where(given > 0, given, 1.0)[:, None]
    drawn = np.zeros((draws, len(names)))
    drawn[:, given > 0] = np.random.default_rng(seed).dirichlet(concentration * given[given > 0], size=draws)
    least = float(str(nodes.certificate["least_known"]))
    ranks, scores = _drawn(normalised, drawn @ within, least)
    ids = nodes.nodes.index
    table = _summary(nodes, ranks, scores, level, top)
    kept = nodes.nodes["rank"].notna().to_numpy()
    tips = _tips(normalised, within, given, names, least, top)
    without = pd.DataFrame(
        {name: _ranks_without(normalised, within, given, number, least) for number, name in enumerate(names)},
        index=ids,
    )
    told = pd.DataFrame(tips, index=ids)[kept]
    return NodeUncertainty(
        table, told, without[kept].astype("Int64"), ranks[kept], draws, concentration, top, level, seed
    )


def _check(draws: int, concentration: float, top: int, level: float, seed: int) -> None:
    faults = Faults()
    for key, number, least in (("draws", draws, 1), ("top", top, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or number != int(number) or number < least:
            faults.add(
                SpecError(Fault(what=f"{number!r} cannot be", key=key, expected=f"a whole number, {least} or more"))
            )
    if not np.isfinite(concentration) or concentration <= 0:
        faults.add(SpecError(Fault(what=f"{concentration!r} cannot be", key="concentration", expected="above 0")))
    if not 0 < level < 1:
        faults.add(SpecError(Fault(what=f"{level!r} cannot be", key="level", expected="between 0 and 1")))
    faults.raise_any()


def _matrix(nodes: StrategicNodes) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the normalised figures of parts that tell nodes apart, their weights of a sum of 1, and their themes."""
    table = nodes.parts.pivot(index="node_id", columns="part", values="normalised")
    table = table.reindex(index=nodes.nodes.index, columns=list(nodes.weights.index)).dropna(axis=1, how="all")
    weights = nodes.weights[table.columns].to_numpy(float)
    return table.to_numpy(float), weights / weights.sum(), [theme_of(part) for part in table.columns]


def _drawn(normalised: np.ndarray, weights: np.ndarray, least_known: float) -> tuple[np.ndarray, np.ndarray]:
    """Return ranks and scores, nodes × draws."""
    count, size = len(normalised), len(weights)
    ranks, scores = np.zeros((count, size), dtype=np.int64), np.empty((count, size))
    step = max(1, _CELLS // max(1, count * max(count, normalised.shape[1])))
    for start in range(0, size, step):
        part = slice(start, start + step)
        score = scored(normalised[None], weights[part], least_known)[0]
        scores[:, part], ranks[:, part] = score.T, ranked(score).T
    return ranks, scores


def _summary(nodes: StrategicNodes, ranks: np.ndarray, scores: np.ndarray, level: float, top: int) -> pd.DataFrame:
    kept = nodes.nodes["rank"].notna().to_numpy()
    own = nodes.nodes[kept]
    rows = []
    for rank, score in zip(ranks[kept], scores[kept], strict=True):
        known = np.sort(rank[rank > 0])
        low, high = _interval(known, (1 - level) / 2) if len(known) else (0, 0)
        ends = np.quantile(score[rank > 0], [(1 - level) / 2, (1 + level) / 2]) if len(known) else (np.nan, np.nan)
        rows.append(
            {
                "rank_low": low or pd.NA,
                "rank_median": int(known[(len(known) - 1) // 2]) if len(known) else pd.NA,
                "rank_high": high or pd.NA,
                "inside": float(((known >= low) & (known <= high)).mean()) if len(known) else np.nan,
                "score_low": ends[0],
                "score_high": ends[1],
                "p_top": float((known <= top).mean()) if len(known) else np.nan,
            }
        )
    table = pd.DataFrame(rows, index=own.index)
    table = table.astype(dict.fromkeys(("rank_low", "rank_median", "rank_high"), "Int64"))
    table.insert(0, "name", own["name"])
    table.insert(1, "rank", own["rank"])
    table.insert(6, "score", own["score"])
    return table


def _interval(ordered: np.ndarray, tail: float) -> tuple[int, int]:
    """Return the least and the greatest rank inside the interval, by the mid-P rule."""
    values, counts = np.unique(ordered, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(ordered)
    inside = values[(middle >= tail - _EDGE) & (middle <= 1 - tail + _EDGE)]
    inside = inside if len(inside) else values[[int(np.argmin(abs(middle - 0.5)))]]
    return int(inside[0]), int(inside[-1])


# ---------------------------------------------------------------- what tips a node


def _weights_at(within: np.ndarray, given: np.ndarray, number: int, share: np.ndarray) -> np.ndarray:
    """Return weights of parts where one theme weighs each of the shares, and the others keep their proportions."""
    others = given.copy()
    others[number] = 0.0
    rest = others / others.sum()
    themes = (1 - share)[:, None] * rest
    themes[:, number] = share
    return np.asarray(themes @ within)


def _ranks_without(
    normalised: np.ndarray, within: np.ndarray, given: np.ndarray, number: int, least: float
) -> np.ndarray:
    if given[number] >= 1 - _EDGE:
        return np.full(len(normalised), np.nan)
    score = scored(normalised[None], _weights_at(within, given, number, np.zeros(1)), least)[0][0]
    ranks = ranked(score).astype(float)
    return np.where(ranks > 0, ranks, np.nan)


def _tips(
    normalised: np.ndarray, within: np.ndarray, given: np.ndarray, names: list[str], least: float, top: int
) -> list[dict[str, object]]:
    """Return, for each node, the theme whose weight must change least for the node to cross the line."""
    best: list[tuple[float, dict[str, object]]] = [
        (np.inf, {"theme": "", "weight": np.nan, "weight_needed": np.nan, "becomes": ""}) for _ in normalised
    ]
    for number, name in enumerate(names):
        if given[number] <= 0 or given[number] >= 1 - _EDGE:
            continue
        shares = _crossings(normalised, within, given, number)
        weights = _weights_at(within, given, number, shares)
        ranks = _drawn(normalised, weights, least)[0]
        now = int(np.flatnonzero(shares == given[number])[0])
        inside = (ranks > 0) & (ranks <= top)
        for node in range(len(normalised)):
            other = np.flatnonzero((inside[node] != inside[node, now]) & (ranks[node] > 0))
            if not len(other):
                continue
            needed = shares[other[np.argmin(abs(shares[other] - given[number]))]]
            away = abs(needed - given[number])
            if away < best[node][0] - _EDGE:
                told = {
                    "theme": name,
                    "weight": float(given[number]),
                    "weight_needed": float(np.round(needed, 6)),
                    "becomes": "out" if inside[node, now] else "in",
                }
                best[node] = (away, told)
    return [told for _, told in best]


def _crossings(normalised: np.ndarray, within: np.ndarray, given: np.ndarray, number: int) -> np.ndarray:
    """Return the weights of a theme at which two nodes are equal, a hair to either side, its own, and none.

    A score is the ratio of two lines in the theme's weight: what the node has over what is known of it. Two are equal
    where a polynomial of the second degree is 0.
    """
    there = (~np.isnan(normalised)).astype(float)
    value = np.where(there > 0, normalised, 0.0)
    ends = _weights_at(within, given, number, np.array([0.0, 1.0]))
    top_at, known_at = value @ ends.T, there @ ends.T
    a, b = top_at[:, 0], top_at[:, 1] - top_at[:, 0]
    c, d = known_at[:, 0], known_at[:, 1] - known_at[:, 0]
    one, other = np.triu_indices(len(normalised), 1)
    second = b[one] * d[other] - b[other] * d[one]
    first = a[one] * d[other] + b[one] * c[other] - a[other] * d[one] - b[other] * c[one]
    third = a[one] * c[other] - a[other] * c[one]
    roots = _roots(second, first, third)
    roots = roots[(roots > 0) & (roots < 1)]
    around = np.concatenate([roots - 10 * _EDGE, roots + 10 * _EDGE, [0.0, given[number]]])
    return np.unique(np.clip(around, 0.0, 1.0))


def _roots(second: np.ndarray, first: np.ndarray, third: np.ndarray) -> np.ndarray:
    flat = abs(second) < 1e-12  # noqa: PLR2004  a line
    with np.errstate(invalid="ignore", divide="ignore"):
        line = -third[flat] / first[flat]
        square = first[~flat] ** 2 - 4 * second[~flat] * third[~flat]
        root = np.sqrt(square)
        both = [(-first[~flat] + sign * root) / (2 * second[~flat]) for sign in (1, -1)]
    found = np.concatenate([line, *both])
    return np.asarray(found[np.isfinite(found)])
