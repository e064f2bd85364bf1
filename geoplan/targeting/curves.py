"""Completeness and efficiency along a ranking, along the best one, and of the levels that one may choose from."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.places import IndicatorTable
from geoplan.targeting.needs import Needs, added, completeness_of, efficiency_of

__all__ = ["area_under", "curve_of", "levels_of"]

_FINEST = "smallest areas"
_SUMS = ["residents", "base", "need", "low", "high"]


def curve_of(needs: Needs, order: pd.Series | None, chosen: set[str], per: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return completeness and efficiency along a ranking, and along the best one."""
    areas = pd.Index(sorted(set(needs.pairs["area"])), name="area_id", dtype=object)
    ideal = _share_by_area(needs, areas, per)
    if order is None:
        score = ideal
    else:
        if order.index.duplicated().any():
            raise checks.duplicate_ids(sorted(set(order.index[order.index.duplicated()])), "order").located(key="order")
        if not order.index.isin(areas).any():
            raise checks.ids_match_nothing([str(code) for code in order.index], list(areas)).located(key="order")
        score = pd.to_numeric(order.reindex(areas), errors="coerce").astype(float)
    best = _along(needs, ideal, per)
    curve = _along(needs, score, per)
    x, y = [0.0, *best["reach"]], [0.0, *best["completeness"]]
    curve["best"] = np.interp(curve["reach"], x, y)
    curve.insert(1, "score", score.reindex(curve.index))
    curve.insert(2, "chosen", curve.index.isin(chosen))
    return curve, best[["place", "reach", "completeness", "efficiency"]]


def _share_by_area(needs: Needs, areas: pd.Index, per: str) -> pd.Series:
    wide = needs.pairs.join(needs.units[_SUMS], on="unit").groupby("area")[_SUMS].sum().reindex(areas)
    return (wide["need"] / wide[per].where(wide[per] > 0)).rename("score")


def _along(needs: Needs, score: pd.Series, per: str) -> pd.DataFrame:
    """Add up areas in order of their score; a unit counts where it comes first."""
    areas = score.to_frame("score").rename_axis("code").reset_index()
    areas = areas.sort_values(["score", "code"], ascending=[False, True], na_position="last", ignore_index=True)
    place = pd.Series(areas.index, index=areas["code"])
    first = needs.pairs.assign(place=needs.pairs["area"].map(place)).sort_values(["place", "unit"])
    first = first.drop_duplicates("unit").join(needs.units[_SUMS], on="unit")
    sums = first.groupby("area")[_SUMS].sum().reindex(areas["code"]).fillna(0.0)
    upto = sums.cumsum()
    whole = upto.iloc[-1]
    rest_high, rest_low = whole["high"] - upto["high"], whole["low"] - upto["low"]
    if np.isinf(whole["high"]):  # what is boundless cannot be taken away: add up what comes after
        rest_high = sums["high"][::-1].cumsum()[::-1].shift(-1, fill_value=0.0)
    some = whole["need"] > 0
    with np.errstate(invalid="ignore"):
        high = (upto["high"] / (upto["high"] + rest_low)).mask(np.isinf(upto["high"]), 1.0)
    found = pd.DataFrame(
        {
            "place": np.arange(1, len(areas) + 1),
            "residents": upto["residents"],
            "base": upto["base"],
            "need": upto["need"],
            "reach": upto[per] / whole[per] if whole[per] > 0 else math.nan,
            "completeness": upto["need"] / whole["need"] if some else math.nan,
            "completeness_low": (upto["low"] / (upto["low"] + rest_high)).where(upto["low"] + rest_high > 0),
            "completeness_high": high,
            "efficiency": upto["need"] / upto[per].where(upto[per] > 0),
        }
    )
    return found.rename_axis("area_id")


def area_under(curve: pd.DataFrame) -> float:
    """Return the area under a curve of completeness over reach; a choice by lot gives 0.5."""
    x, y = np.array([0.0, *curve["reach"]]), np.array([0.0, *curve["completeness"]])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


# ---------------------------------------------------------------- levels


def levels_of(
    table: IndicatorTable,
    needs: Needs,
    inside: pd.Series,
    levels: Mapping[str, IndicatorTable | pd.Series],
    per: str,
    own: dict[str, float],
) -> pd.DataFrame:
    """Compare choosing whole areas of several levels, and how much each level could reach of as many people."""
    pairs = {"the areas": needs.pairs}
    for name, given in levels.items():
        pairs[name] = _pairs_at(needs, given, name)
    if table.parts is not None:
        same = needs.units.index
        pairs[_FINEST] = pd.DataFrame({"unit": same, "area": same})
    rows = {}
    for name, at in pairs.items():
        touched = set(at.loc[at["unit"].isin(needs.units.index[inside]), "area"])
        here = pd.Series(needs.units.index.isin(at.loc[at["area"].isin(touched), "unit"]), index=needs.units.index)
        # A unit in no area of the level is reached by none of them.
        sums, rest = added(needs.units, here), added(needs.units, ~here)
        complete = completeness_of(sums, rest)
        level = Needs(needs.units, at, needs.item, needs.complement, needs.period)
        best = _along(level, _share_by_area(level, pd.Index(sorted(set(at["area"])), dtype=object), per), per)
        need = float(np.interp(own[per], [0.0, *best[per]], [0.0, *best["need"]]))
        everybody = own["need"] + added(needs.units, ~inside)["need"]
        rows[name] = {
            "areas": len(set(at["area"])),
            "chosen": len(touched),
            "residents": sums["residents"],
            "need": sums["need"],
            "completeness": complete[0],
            "completeness_low": complete[1],
            "completeness_high": complete[2],
            "efficiency": efficiency_of(sums, per)[0],
            "best_completeness": need / everybody if everybody > 0 else math.nan,
            "best_efficiency": need / own[per] if own[per] > 0 else math.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")


def _pairs_at(needs: Needs, given: IndicatorTable | pd.Series, name: str) -> pd.DataFrame:
    """Return which unit lies in which area of a level."""
    if isinstance(given, IndicatorTable):
        finest = given.finest[["area_id", "parent"]].drop_duplicates().set_axis(["unit", "area"], axis=1)
        known = finest["unit"].isin(needs.units.index)
        if not known.any():
            raise checks.ids_match_nothing(sorted(set(finest["unit"])), list(needs.units.index)).located(key=name)
        return finest[known].astype(object).reset_index(drop=True)
    above = given.dropna().astype(str)
    for column in ("area", "unit"):
        if needs.pairs[column].isin(above.index).any():
            at = needs.pairs.assign(area=needs.pairs[column].map(above))
            return at.dropna().drop_duplicates(["unit", "area"], ignore_index=True)
    codes = [str(code) for code in given.index]
    raise checks.ids_match_nothing(codes, sorted(set(needs.pairs["area"]))).located(key=name)
