"""Strategic nodes (``tyngdpunkt`` as planners mean it): places with good conditions to become dense and mixed.

After Stockholm's comprehensive plan of 2010, *The Walkable City*, whose second strategy is to invest in attractive
strategic nodes in the outer city: homes, parks, workplaces, services, schools and transit in one place. A centre of
gravity (``tyngdpunkt`` as statisticians mean it) is another thing: see :mod:`geoplan.reach.centres`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.reach.centres import must_be_points
from geoplan.reach.node_catchments import catchments, served_districts, unserved
from geoplan.reach.node_parts import Nearby
from geoplan.reach.node_raw import gathered
from geoplan.reach.node_scores import SCORE_DIGITS, Raw, part_weights, ranked, scaled, scored, theme_of

__all__ = ["StrategicNodes", "strategic_nodes"]

Normalisation = Literal["min_max", "percentile"]
_LIMITS = ("walk_min", "transit_min", "catchment_min")
_DISTRICTS = ["area_id", "node_id", "residents", "share", "minutes", "index"]


@dataclass(frozen=True, eq=False, repr=False)
class StrategicNodes:
    """Candidates scored and ranked, and whom the chosen ones would serve.

    Attributes
    ----------
    nodes
        Index ``node_id``, by rank. Columns ``name``, ``kinds``, ``score`` (0-100 if no scale was handed in), ``rank``
        (Int64; 1 the highest, ties the best of their places), ``known_share`` (of the weights, of parts with a figure),
        ``status`` (``observed``, or ``not_collected`` where too little is known for a score) and ``reason``,
        ``chosen`` (whether it has a catchment), ``residents`` (in its catchment; NaN if not chosen) and the point.
    parts
        One row a node and part: ``node_id, theme, part, unit, value`` (raw), ``status`` and ``reason`` (why it is
        missing), ``normalised`` (0-1), ``weight`` (of this node, after the weights of missing parts went to the
        others), ``contribution`` (100 x weight x normalised). The contributions of a node add up to its score.
    weights
        Of every part, as asked, of a sum of 1.
    scale
        The known values of every part, sorted, on which the figures were put from 0 to 1. Hand it to a later
        :func:`strategic_nodes` to compare scenarios on one scale.
    catchments
        By place: ``node_id, minutes, residents, status``; see :func:`catchments`. No place is in two.
    districts
        ``area_id, node_id, residents, share, minutes, index``; see :func:`served_districts`. Empty if not asked for.
    residents
        ``residents`` in all, ``served``, ``outside`` of every chosen node's reach, ``out_of_scope`` (on no street).
    certificate
        The conventions that were used, in words and numbers.
    notes
        What a reader should know.
    """

    nodes: gpd.GeoDataFrame
    parts: pd.DataFrame
    weights: pd.Series
    scale: Mapping[str, np.ndarray] = field(repr=False)
    catchments: pd.DataFrame
    districts: pd.DataFrame
    residents: pd.Series
    certificate: Mapping[str, object]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Say how many there are, and the first."""
        best = self.nodes.index[0]
        return f"StrategicNodes({len(self.nodes)} candidates, {int(self.nodes['chosen'].sum())} chosen, first {best!r})"

    def contributions(self) -> pd.DataFrame:
        """Return what each theme contributes to the score, nodes × themes; NaN where a theme's figures are missing."""
        table = self.parts.groupby(["node_id", "theme"], sort=False)["contribution"].sum(min_count=1).unstack("theme")
        themes = list(dict.fromkeys(self.parts["theme"]))
        return table.reindex(index=self.nodes.index, columns=themes)

    def values(self) -> pd.DataFrame:
        """Return the raw figures, nodes × parts."""
        table = self.parts.pivot(index="node_id", columns="part", values="value")
        return table.reindex(index=self.nodes.index, columns=list(self.weights.index))

    def lines(self, top: int = 5) -> list[str]:
        """Say it in sentences: the first nodes with what carries them, who is served, and the notes."""
        themes = self.contributions()
        said = []
        for name, row in self.nodes[self.nodes["rank"].notna()].head(top).iterrows():
            carried = themes.loc[name].dropna().sort_values(ascending=False, kind="stable").head(3)
            most = ", ".join(f"{theme} {value:.1f}" for theme, value in carried.items())
            said.append(f"{int(row['rank'])}. {row['name']}: {row['score']:.1f} points, most from {most}")
        people = self.residents
        if people["residents"] > 0:
            outside = people["outside"] / people["residents"]
            limit = self.certificate["catchment_min"]
            said.append(
                f"{people['served']:,.0f} of {people['residents']:,.0f} residents are within {limit:g} minutes of a "
                f"chosen node; {people['outside']:,.0f} ({outside:.0%}) are outside of all"
            )
        return said + list(self.notes)


def strategic_nodes(
    candidates: gpd.GeoDataFrame,
    *,
    residents: Nearby,
    jobs: Nearby,
    services: Nearby | None = None,
    schools: Nearby | None = None,
    parks: Nearby | None = None,
    land: Nearby | None = None,
    reached: Nearby | None = None,
    departures: pd.Series | None = None,
    walkable: pd.Series | None = None,
    weights: Mapping[str, float] | None = None,
    normalisation: Normalisation = "min_max",
    walk_min: float = 10.0,
    transit_min: float = 30.0,
    least_known: float = 0.75,
    scale: Mapping[str, np.ndarray] | None = None,
    top: int | None = 10,
    chosen: Collection[str] | None = None,
    catchment: Nearby | None = None,
    catchment_min: float = 15.0,
    area_of: pd.Series | Mapping[str, str] | None = None,
    index: pd.Series | None = None,
    deprived: Collection[str] | None = None,
) -> StrategicNodes:
    r"""Score places that could grow into strategic nodes, and say whom the best would serve.

    The score of node *n* is :math:`100 \sum_k w_k z_{nk}`, with every part on a scale :math:`z` from 0 to 1:

    ================= ==========================================================================================
    ``density``       residents, and jobs, within the walk: half of the theme's weight each. All circles are of one
                      size, so that numbers rank as densities do
    ``mix``           :func:`entropy` of residents, jobs and services within the walk, and :func:`balance` of jobs and
                      residents: half each
    ``transit``       ``reached`` within ``transit_min`` by public transport (a part a column), and ``departures`` an
                      hour
    ``services``      amounts within the walk, a part a class
    ``schools``       places within the walk; ``parks``, ``development`` (what ``land`` has room for) alike
    ``barriers``      ``walkable``: the share of the circle that one can walk to. The more is cut off, the lower
    ================= ==========================================================================================

    Parameters
    ----------
    candidates
        Of :func:`node_candidates`: points with ``name``, the index being their ids.
    residents, jobs, services, schools, parks, land
        Amounts and walking times, of :func:`nearby`. A column a class. For ``land`` see :func:`spread_land`.
    reached
        Jobs and people by place, and times by public transport from the nodes (``nearby(…, from_nodes=True)``).
    departures, walkable
        By node, of :func:`node_departures` and :func:`walkable_share`.
    weights
        Theme (or part, as ``"services.retail"``) → weight; only proportions matter, and a theme that is left out has
        none. All themes that were handed in count alike when left out.
    normalisation
        ``min_max``: from the lowest candidate (0) to the highest (1), so that one place far above the others presses
        these together. ``percentile``: the share of candidates below, with half of those that are equal.
    walk_min, transit_min
        The limits of a walk and of a ride.
    least_known
        Share of the weights that a node's known parts must have; otherwise it has no score.
    scale
        Of an earlier result: figures are put on its scale, on which they may lie below 0 or above 1 (``min_max``).
    top, chosen
        The first so many by rank become nodes with catchments (all that share the last rank); or those named.
    catchment, catchment_min
        Residents and times to the nodes, by any mode, and the limit; ``residents`` on foot when left out.
    area_of, index, deprived
        District of each place of the catchment; the index of each district (higher = worse); which of them count as
        deprived (all when left out).

    Returns
    -------
    StrategicNodes

    Raises
    ------
    InputError
        When candidates are no points; a weight, limit or share is none; a theme has a weight and no figures; times do
        not fit; ``chosen`` names what is no candidate. All faults of one kind at once.

    Examples
    --------
    Two candidates; the first has people and jobs, the second land:

    >>> from shapely import Point
    >>> from geoplan.reach import TravelTimes
    >>> nodes = gpd.GeoDataFrame({"name": ["Torget", "Ängen"]}, index=["n1", "n2"], crs=3006,
    ...                          geometry=[Point(674_000, 6_580_000), Point(676_000, 6_580_000)])
    >>> seconds = np.array([[[60], [65535]], [[65535], [300]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["n1", "n2"], (50,), seconds)
    >>> people, work = pd.Series({"a": 900, "b": 100}), pd.Series({"a": 300, "b": 0})
    >>> found = strategic_nodes(nodes, residents=Nearby(people, times), jobs=Nearby(work, times),
    ...                         land=Nearby(pd.Series({"a": 10, "b": 400}, name="homes"), times),
    ...                         weights={"density": 3, "development": 1}, top=1)
    >>> found.nodes[["score", "rank", "chosen", "residents"]]
             score  rank  chosen  residents
    node_id
    n1        75.0     1    True      900.0
    n2        25.0     2   False        NaN
    >>> found.residents["outside"].item()
    100.0
    """
    nodes = _checked(candidates, walk_min, transit_min, catchment_min, least_known, normalisation, top)
    given = {
        "residents": residents,
        "jobs": jobs,
        "services": services,
        "schools": schools,
        "parks": parks,
        "land": land,
        "reached": reached,
    }
    raw = gathered(
        nodes.index, given, departures=departures, walkable=walkable, walk_min=walk_min, transit_min=transit_min
    )
    share = part_weights([part.name for part in raw], weights)
    ends = _ends(raw, scale)
    parts, score, known = _scored(nodes, raw, share, ends, normalisation, least_known)
    table = _table(nodes, score, known, least_known)
    picked = _picked(table, top, chosen)
    people = residents if catchment is None else catchment
    found = catchments(people, picked, within_min=catchment_min)
    table["chosen"] = table.index.isin(picked)
    served = found.groupby("node_id")["residents"].sum()
    table["residents"] = served.reindex(table.index).fillna(0.0).where(table["chosen"])
    districts = (
        pd.DataFrame(columns=_DISTRICTS) if area_of is None else served_districts(found, area_of, index, deprived)
    )
    options = {
        "normalisation": normalisation,
        "walk_min": walk_min,
        "transit_min": transit_min,
        "catchment_min": catchment_min,
        "least_known": least_known,
        "top": top,
        "weights_given": "equal by theme" if weights is None else dict(weights),
        "scale": "that of the candidates" if scale is None else "handed in",
        "catchment": "residents on foot" if catchment is None else "times handed in",
    }
    certificate = _certificate(options, table, picked, raw, share)
    parts["node_id"] = pd.Categorical(parts["node_id"], categories=table.index, ordered=True)
    parts = parts.sort_values("node_id", kind="stable").reset_index(drop=True).astype({"node_id": object})
    notes = _notes(table, raw, ends, given | {"catchment": catchment})
    return StrategicNodes(table, parts, share, ends, found, districts, unserved(found), certificate, notes)


def _checked(
    candidates: gpd.GeoDataFrame,
    walk_min: float,
    transit_min: float,
    catchment_min: float,
    least_known: float,
    normalisation: str,
    top: int | None,
) -> gpd.GeoDataFrame:
    faults = Faults()
    for key, number in zip(_LIMITS, (walk_min, transit_min, catchment_min), strict=True):
        if not np.isfinite(number) or number <= 0:
            faults.add(SpecError(Fault(what=f"{number!r} is no limit", key=key, expected="minutes above 0")))
    if not 0 < least_known <= 1:
        faults.add(
            SpecError(Fault(what=f"{least_known!r} is no share", key="least_known", expected="above 0, up to 1"))
        )
    if normalisation not in get_args(Normalisation):
        faults.add(
            checks.unknown_name("normalisation", str(normalisation), get_args(Normalisation), key="normalisation")
        )
    if top is not None and (top < 1 or top != int(top)):
        faults.add(SpecError(Fault(what=f"the first {top}", key="top", expected="a whole number, at least 1")))
    with faults.catch(key="candidates"):
        must_be_points(candidates)
        if candidates.crs is None:
            raise checks.crs_missing()
    faults.raise_any()
    nodes = candidates.rename(index=str).rename_axis("node_id")
    names = nodes["name"] if "name" in nodes else pd.Series(nodes.index, index=nodes.index)
    kinds = nodes["kinds"] if "kinds" in nodes else pd.Series("", index=nodes.index)
    return gpd.GeoDataFrame({"name": names, "kinds": kinds}, geometry=nodes.geometry)


def _ends(raw: list[Raw], scale: Mapping[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    own = {part.name: np.sort(part.figures.dropna().to_numpy(float)) for part in raw}
    if scale is None:
        return own
    gone = [name for name in own if name not in scale]
    if gone:
        what = f"the scale has no values of {checks.listed(gone)}"
        raise SpecError(Fault(what=what, key="scale", expected="`scale` of a result with the same parts"))
    return {name: np.asarray(scale[name], dtype=float) for name in own}


def _scored(
    nodes: gpd.GeoDataFrame,
    raw: list[Raw],
    share: pd.Series,
    ends: Mapping[str, np.ndarray],
    normalisation: Normalisation,
    least_known: float,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the parts of all nodes, one row each, and scores and known shares."""
    normalised = pd.DataFrame({part.name: scaled(part.figures, ends[part.name], normalisation) for part in raw})
    # A part that is the same everywhere tells no node from another: it stands aside for all, and its weight with it.
    telling = ~normalised.isna().all().to_numpy()
    counted = share.to_numpy() * telling
    if not counted.sum() > 0:
        what = "no part with a weight tells one candidate from another"
        raise SpecError(Fault(what=what, key="candidates", hint="more candidates, other parts, or a `scale`"))
    counted = counted / counted.sum()
    score, each, known = scored(normalised.to_numpy(), counted, least_known)
    rows = [
        pd.DataFrame(
            {
                "node_id": nodes.index,
                "theme": theme_of(part.name),
                "part": part.name,
                "unit": part.unit,
                "value": part.figures.to_numpy(),
                "status": part.status.to_numpy(),
                "reason": part.reason.to_numpy(),
                "normalised": normalised[part.name].to_numpy(),
                "weight": each[:, number],
                "contribution": 100 * each[:, number] * normalised[part.name].to_numpy(),
            }
        )
        for number, part in enumerate(raw)
    ]
    return pd.concat(rows, ignore_index=True), score, known


def _table(nodes: gpd.GeoDataFrame, score: np.ndarray, known: np.ndarray, least_known: float) -> gpd.GeoDataFrame:
    table = nodes.copy()
    table["score"] = score
    table["rank"] = pd.array(ranked(score), dtype="Int64")
    table.loc[np.isnan(score), "rank"] = pd.NA
    table["known_share"] = known
    there = ~np.isnan(score)
    table["status"] = np.where(there, "observed", "not_collected")
    why = f"less than {least_known:.0%} of the weights have figures"
    table["reason"] = np.where(there, "", why)
    order = np.lexsort((table.index, np.nan_to_num(-np.round(score, SCORE_DIGITS), nan=np.inf)))
    columns = ["name", "kinds", "score", "rank", "known_share", "status", "reason", "geometry"]
    return table.iloc[order][columns]


def _picked(table: gpd.GeoDataFrame, top: int | None, chosen: Collection[str] | None) -> list[str]:
    if chosen is not None:
        wanted = [str(name) for name in chosen]
        gone = [name for name in wanted if name not in table.index]
        if gone:
            raise checks.ids_not_among(gone, list(table.index))
        return list(dict.fromkeys(wanted))
    ranks = table["rank"]
    last = len(table) if top is None else top
    return list(table.index[(ranks <= last).fillna(value=False)])


def _certificate(
    options: Mapping[str, object], table: gpd.GeoDataFrame, picked: list[str], raw: list[Raw], share: pd.Series
) -> dict[str, object]:
    return {
        **options,
        "candidates": len(table),
        "chosen": list(picked),
        "weights": {name: float(value) for name, value in share.items()},
        "units": {part.name: part.unit for part in raw},
        "score": "100 x the sum of weight x normalised figure",
        "missing": "the weight of a missing part goes to the known ones, in proportion",
        "same_everywhere": "a part that is the same at all candidates has no weight",
        "ties": "equal scores share the best of their places; equal minutes go to the first node by id",
    }


def _notes(
    table: gpd.GeoDataFrame, raw: list[Raw], ends: Mapping[str, np.ndarray], given: Mapping[str, Nearby | None]
) -> tuple[str, ...]:
    notes = [
        f"{part.name} is the same at all candidates and has no weight"
        for part in raw
        if len(ends[part.name]) and ends[part.name][0] == ends[part.name][-1]
    ]
    for part in raw:
        why = part.reason[part.figures.isna()].value_counts()
        notes += [f"{part.name} is missing at {count} candidate(s): {reason}" for reason, count in why.items()]
    for name, near in given.items():
        if near is not None:
            notes += [
                f"{share:.1%} of {name} ({column}) lies at places on no street, in nobody's reach"
                for column, share in near.lost().items()
                if share > 0
            ]
    without = int(table["rank"].isna().sum())
    return tuple(notes + ([f"{without} candidate(s) have no score: too little is known"] if without else []))
