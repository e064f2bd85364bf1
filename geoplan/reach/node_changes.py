"""Strategic nodes before and after a change: scores on one scale, what moved them, and who is served."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.reach.nodes import StrategicNodes

__all__ = ["NodeChanges", "compare_nodes"]

_SAME = 1e-9
_MUST_AGREE = ("normalisation", "walk_min", "transit_min", "catchment_min", "least_known", "catchment", "units")


@dataclass(frozen=True, eq=False, repr=False)
class NodeChanges:
    """What a change does to nodes.

    Attributes
    ----------
    table
        Index ``node_id``, by the score after. Columns ``name``, ``status`` (``both``, ``new`` or ``gone``),
        ``score_before``, ``score_after``, ``change`` (points), ``rank_before``, ``rank_after`` (Int64),
        ``chosen_before``, ``chosen_after`` (bool), ``residents_before``, ``residents_after`` (in the catchment).
    themes
        Nodes of both × themes: change of the contribution in points; they add up to ``change``.
    residents
        ``before``, ``after`` and ``change`` of residents in all, served, outside and out of scope.
    moved
        Residents by node before and node after (``""`` for none), where these differ: ``before, after, residents``.
    """

    table: pd.DataFrame
    themes: pd.DataFrame
    residents: pd.DataFrame
    moved: pd.DataFrame

    def __repr__(self) -> str:
        """Say how many changed."""
        changed = int((self.table["change"].abs() > _SAME).sum())
        return f"NodeChanges({len(self.table)} nodes, {changed} with another score)"

    def lines(self, top: int = 5) -> list[str]:
        """Say it in sentences: the largest changes with what caused them, and the residents outside."""
        said = []
        largest = self.table["change"].abs().sort_values(ascending=False, kind="stable")
        for name in largest[largest > _SAME].head(top).index:
            row, themes = self.table.loc[name], self.themes.loc[name].dropna()
            cause = themes.abs().idxmax()
            said.append(
                f"{row['name']}: {row['change']:+.1f} points, most by {cause} ({themes[cause]:+.1f}), "
                f"rank {row['rank_before']} to {row['rank_after']}"
            )
        for status, word in (("new", "new"), ("gone", "no longer a candidate")):
            names = list(self.table.loc[self.table["status"] == status, "name"])
            said += [f"{word}: {checks.listed(names)}"] if names else []
        outside = self.residents.loc["outside"]
        said.append(
            f"residents outside of every node's reach: {outside['before']:,.0f} before, {outside['after']:,.0f} after "
            f"({outside['change']:+,.0f})"
        )
        return said


def compare_nodes(before: StrategicNodes, after: StrategicNodes) -> NodeChanges:
    """Compare strategic nodes before and after a change, such as a new line or a new quarter.

    Parameters
    ----------
    before, after
        Of :func:`strategic_nodes`, the second with ``scale=before.scale`` and the same weights and limits: on a scale
        of its own the best candidate always has all points, however much it gained.

    Returns
    -------
    NodeChanges

    Raises
    ------
    SpecError
        When scales, weights or conventions differ; all of them at once.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> from geoplan.reach import Nearby, TravelTimes, strategic_nodes
    >>> places = gpd.GeoDataFrame({"name": ["Torget", "Ängen"]}, index=["n1", "n2"], crs=3006,
    ...                           geometry=[Point(674_000, 6_580_000), Point(676_000, 6_580_000)])
    >>> times = TravelTimes(["a", "b"], ["n1", "n2"], (50,), np.array([[[60], [65535]], [[65535], [60]]], np.uint16))
    >>> people = Nearby(pd.Series({"a": 90, "b": 10}), times)
    >>> works = [Nearby(pd.Series({"a": 30, "b": jobs}), times) for jobs in (0, 15)]
    >>> before = strategic_nodes(places, residents=people, jobs=works[0], weights={"density": 1})
    >>> after = strategic_nodes(places, residents=people, jobs=works[1], weights={"density": 1}, scale=before.scale)
    >>> compare_nodes(before, after).table[["score_before", "score_after", "change"]]
             score_before  score_after  change
    node_id
    n1              100.0        100.0     0.0
    n2                0.0         25.0    25.0
    """
    _must_agree(before, after)
    old, new = before.nodes, after.nodes
    ids = new.index.append(old.index.difference(new.index, sort=True))
    both = ids.isin(old.index) & ids.isin(new.index)
    table = pd.DataFrame({"name": new["name"].reindex(ids).fillna(old["name"].reindex(ids))}, index=ids)
    table["status"] = np.where(both, "both", np.where(ids.isin(new.index), "new", "gone"))
    for column in ("score", "rank", "chosen", "residents"):
        for side, frame in (("before", old), ("after", new)):
            values = frame[column].reindex(ids)
            table[f"{column}_{side}"] = (values == True).astype(bool) if column == "chosen" else values  # noqa: E712  NaN is not
    table.insert(4, "change", table["score_after"] - table["score_before"])
    shared = ids[both]
    first, second = (result.contributions().reindex(shared) for result in (before, after))
    themes = second.fillna(0.0) - first.fillna(0.0)
    people = pd.DataFrame({"before": before.residents, "after": after.residents})
    people["change"] = people["after"] - people["before"]
    return NodeChanges(table, themes, people, _moved(before, after))


def _must_agree(before: StrategicNodes, after: StrategicNodes) -> None:
    faults = Faults()
    same = set(before.scale) == set(after.scale) and all(
        np.array_equal(before.scale[name], after.scale[name]) for name in before.scale
    )
    if not same:
        hint = "strategic_nodes(…, scale=before.scale) for the second"
        what = "the two are on different scales, so that their points cannot be compared"
        faults.add(SpecError(Fault(what=what, key="scale", hint=hint)))
    if not before.weights.index.equals(after.weights.index) or not np.allclose(before.weights, after.weights):
        faults.add(SpecError(Fault(what="the two have different weights", key="weights", expected="the same ones")))
    for key in _MUST_AGREE:
        one, other = before.certificate[key], after.certificate[key]
        if one != other:
            what = f"the two differ in {key}: {one} and {other}" if key != "units" else "the two differ in their parts"
            faults.add(SpecError(Fault(what=what, key=key, expected="the same")))
    faults.raise_any()


def _moved(before: StrategicNodes, after: StrategicNodes) -> pd.DataFrame:
    pairs = pd.DataFrame(
        {
            "before": before.catchments["node_id"].fillna(""),
            "after": after.catchments["node_id"].fillna(""),
            "residents": after.catchments["residents"],
        }
    ).dropna()
    pairs = pairs[pairs["before"] != pairs["after"]]
    return pairs.groupby(["before", "after"])["residents"].sum().reset_index()
