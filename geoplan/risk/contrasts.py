"""Each area against its neighbours and against the rest of the city, and what it is stronger and weaker in.

A difference is told together with its noise: how far two groups of so many people may lie apart though the same holds
for both. What cannot be compared says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError
from geoplan.places import IndicatorTable, known_sums, roll_up, totals, unit_scale
from geoplan.places.areas import codes, must_have
from geoplan.places.indicators import COLUMNS, KNOWN
from geoplan.risk.inputs import must_be_indicators, relative_to, relative_way
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec

__all__ = ["contrast", "figures_of", "narrowed", "pairs_of", "profile", "strengths"]

_CITY = 100.0
_KEYS = ["area_id", "indicator"]
_FIGURES = ["value", "numerator", "denominator"]
_EXACT = 1e-9  # differences below it are arithmetic, not people
_SIGNS = {"higher_is_worse": 1.0, "higher_is_better": -1.0, "neutral": np.nan}
_KINDS = ("weakness", "as the city", "strength", "not comparable")


def contrast(
    table: IndicatorTable,
    neighbours: Any,
    *,
    period: str,
    indicators: Iterable[str] | None = None,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    r"""Compare each area's figures with those of its neighbours and of the rest of the city.

    What the neighbours have together is made from their summed counts, never as a mean of rates; so is the city
    without the area. A rate published without counts is weighted by its base. Of merged areas the smallest parts are
    added up, each once, and none that lies in the area itself.

    Parameters
    ----------
    table
        Indicators of the areas.
    neighbours
        Pairs ``area_id, neighbour_id`` (a DataFrame, one row a pair and direction), anything with such a frame as
        ``.pairs``, or a ``libpysal.graph.Graph``.
    period
        The period to compare in.
    indicators
        Which; all of the table but counts, which grow with the area, when left out.
    area_ids
        The areas to list; all of the table when left out. One that the table does not know is listed as not collected.
    reference_ids
        The areas that make up the city; all of the table when left out.
    level
        How sure a difference must be to be called clear, two-sided: 0.95 lets 5 in 100 comparisons of areas that are
        in truth alike pass for different.

    Returns
    -------
    pandas.DataFrame
        One row an area and indicator, in the order of codes and of ``indicators``: ``area_id``, ``indicator``,
        ``unit`` (str), ``value`` (in the unit), ``denominator`` (N), ``status`` (of the area's figure);
        ``neighbours`` (int: of how many something is known) of ``neighbours_total``, ``neighbours_value``,
        ``neighbours_denominator``, ``neighbours_status`` (``estimated`` where some of them are not known),
        ``difference`` (area minus neighbours, in the unit), ``standard_error`` (of the difference, in the unit; NaN
        without counts, and for means, whose variance nobody publishes), ``clear`` (boolean: the difference is larger
        than its noise; NA where that is not known), ``worse`` (boolean: the area lies in the unfavourable direction;
        NA for neutral indicators and where nothing is compared), ``reason`` (why it is not compared:
        ``figure_not_known``, ``small_base``, ``no_neighbours`` or ``neighbours_not_known``; else empty);
        ``rest_value``, ``rest_denominator``, ``difference_rest``, ``standard_error_rest``, ``clear_rest``,
        ``worse_rest`` and ``reason_rest`` (``figure_not_known``, ``small_base``, ``no_rest`` or ``rest_not_known``),
        the same for the city without the area; ``level`` (float, as given).

    Raises
    ------
    SpecError
        When an indicator or the period is not in the table, an indicator is a count, no area lies in the reference,
        ``level`` is not between 0 and 1, or the table is something else.
    IdError
        When the neighbours' codes and the table's have nothing in common, or an area is its own neighbour.
    TableError
        When a rate without counts has no base to weigh it by.

    Notes
    -----
    With :math:`x` cases among :math:`n` in the area and :math:`x', n'` in the other group, :math:`p = (x + x')/(n +
    n')`, the standard error under equality is :math:`\sqrt{p (1 - p)(1/n + 1/n')}` for shares (the pooled two-sample
    test of proportions) and :math:`\sqrt{p (1/n + 1/n')}` for rates of events (Poisson; the normal approximation of
    Przyborowski & Wilenski 1940). A difference is clear when it exceeds :math:`z_{level}` of these, 1.96 at 0.95.
    Pooling keeps a zero in a small area from passing for certain. Means of several years have the mean base of the
    years, which makes their noise look larger than it is: the claim errs on the careful side.

    Examples
    --------
    >>> rows = [(area, "poor", "2012", n, base, 100 * n / base, "observed")
    ...         for area, n, base in [("A", 200.0, 1000.0), ("B", 100.0, 1000.0), ("C", 90.0, 900.0)]]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor})
    >>> pairs = pd.DataFrame({"area_id": ["A", "B"], "neighbour_id": ["B", "A"]})
    >>> found = contrast(table, pairs, period="2012")
    >>> found[["area_id", "difference", "clear", "worse", "reason"]].values.tolist()
    [['A', 10.0, True, True, ''], ['B', -10.0, True, False, ''], ['C', nan, <NA>, <NA>, 'no_neighbours']]
    >>> found["rest_value"].round(2).tolist()
    [10.0, 15.26, 15.0]
    """
    _check_level(level)
    names = _names(table, period, indicators)
    now = narrowed(table, names, period)
    pairs = pairs_of(neighbours)
    present = sorted(set(now.data["area_id"]))
    if len(pairs) and set(present).isdisjoint({*pairs["area_id"], *pairs["neighbour_id"]}):
        raise checks.ids_match_nothing(present, sorted(set(pairs["area_id"])))
    asked = present if area_ids is None else sorted(set(area_ids))
    every = pd.MultiIndex.from_product([asked, names], names=_KEYS)
    sums = known_sums(now)
    frame = figures_of(now, every)
    around = _around(now, sums, pairs).reindex(every)
    frame["neighbours"] = around["known"].fillna(0).astype(int)
    total = pairs.groupby("area_id").size()
    frame["neighbours_total"] = total.reindex(every.get_level_values(0)).fillna(0).astype(int).to_numpy()
    alone = frame["neighbours_total"] == 0
    frame["neighbours_status"] = around["status"].where(~alone, "not_applicable").fillna("not_collected")
    against = _against(frame, around, level, "")
    missing = np.select([alone, around["value"].isna()], ["no_neighbours", "neighbours_not_known"], "")
    against["reason"] = frame["why"].where(frame["why"] != "", missing)
    group = _group(present, reference_ids)
    rest = _rest(totals(now, group).droplevel("period")[_FIGURES].astype(float), sums, group, every)
    against_rest = _against(frame, rest, level, "_rest")
    missing = np.select([rest["empty"], rest["value"].isna()], ["no_rest", "rest_not_known"], "")
    against_rest["reason_rest"] = frame["why"].where(frame["why"] != "", missing)
    sides = [
        around[["value", "denominator"]].add_prefix("neighbours_"),
        against,
        rest[["value", "denominator"]].add_prefix("rest_"),
        against_rest,
    ]
    whole = pd.concat([frame, *sides], axis=1).reset_index().assign(level=level)
    first = ["unit", "value", "denominator", "status", "neighbours", "neighbours_total"]
    middle = ["neighbours_value", "neighbours_denominator", "neighbours_status", *against]
    return whole[[*_KEYS, *first, *middle, "rest_value", "rest_denominator", *against_rest, "level"]]


def profile(
    table: IndicatorTable,
    *,
    period: str,
    area_id: str | None = None,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    city: pd.DataFrame | None = None,
    indicators: Iterable[str] | None = None,
    favourable: Literal["complement", "reciprocal"] = "complement",
    level: float = 0.95,
    minimum_gap: float = 10.0,
) -> pd.DataFrame:
    """Place each area's figures in the city: what it is stronger in, what it is weaker in, and what is alike.

    A figure is a *weakness* when it lies at least ``minimum_gap`` points on the unfavourable side of the city
    (= 100), and the area differs from the rest of the city by more than its noise (see :func:`contrast`); a *strength*
    likewise on the favourable side. Anything smaller, or not to be told from chance, is *as the city*. Where a figure
    has no counts its noise is not known; the size alone decides, and ``reason`` says ``noise_not_known``.

    Parameters
    ----------
    table
        Indicators of the areas.
    period
        The period.
    area_id
        The one area to list; all when left out.
    area_ids
        The areas that are placed among each other; all of the table when left out.
    reference_ids
        The areas that together score 100; all of the table when left out.
    city
        What these areas have together, where that is known otherwise, such as :attr:`IndexResult.reference`: index
        ``indicator``, columns ``numerator``, ``denominator``, ``value``. A table that hides figures does not add up to
        it. When left out it is made from the table.
    indicators
        Which; all of the table but counts when left out.
    favourable
        How indicators that are better when higher are turned, as in :class:`~geoplan.specs.IndexSpec`.
    level
        How sure a difference must be, as in :func:`contrast`.
    minimum_gap
        Points relative to the city from which on a difference matters; 10 is a tenth of the city's level.

    Returns
    -------
    pandas.DataFrame
        One row an area and indicator: ``area_id``, ``domain`` (as the indicator's definition says, or empty),
        ``indicator``, ``unit`` (str), ``value`` (in the unit), ``denominator`` (N), ``city`` (from counts, in the
        unit), ``relative`` (city = 100, higher = worse, by the rule of :func:`~geoplan.risk.risk_index`), ``place``
        (Int64: 1 = most unfavourable; ties share the lowest) among ``among`` (int: areas whose figure is known),
        ``less_unfavourable_share`` (0-1: share of the other known areas that are less unfavourable), ``minimum`` and
        ``maximum`` (of the known areas, in the unit), ``clear`` (boolean: the difference to the rest of the city
        exceeds its noise; NA where that is not known), ``kind`` (``weakness``, ``as the city``, ``strength`` or ``not
        comparable``), ``status`` (of the figure), ``reason`` (``figure_not_known``, ``small_base``, ``neutral``,
        ``city_not_known``, ``relative_undefined``, ``noise_not_known`` or empty). Sorted by area, then by kind in the
        order above, the most unfavourable first.

    Raises
    ------
    SpecError
        When an indicator, the period or the area is not known, an indicator is a count, no area lies in the
        reference, a limit cannot be, or the table is something else.
    TableError
        When a rate without counts has no base to weigh it by.

    Examples
    --------
    >>> rows = [(area, "poor", "2012", n, base, 100 * n / base, "observed")
    ...         for area, n, base in [("A", 200.0, 1000.0), ("B", 100.0, 1000.0), ("C", 4.0, 40.0)]]
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {"poor": poor})
    >>> found = profile(table, period="2012")  # C has the share of B, on a base too small to tell
    >>> found[["area_id", "relative", "place", "among", "kind"]].round(1).values.tolist()
    [['A', 134.2, 1, 3, 'weakness'], ['B', 67.1, 2, 3, 'strength'], ['C', 67.1, 2, 3, 'as the city']]
    """
    _check_level(level)
    if not minimum_gap >= 0:
        raise SpecError(Fault(what=f"a gap of {minimum_gap:g} points", key="minimum_gap", expected="0 or more"))
    names = _names(table, period, indicators)
    now = narrowed(table, names, period)
    present = sorted(set(now.data["area_id"]))
    compared = present if area_ids is None else sorted(set(area_ids))
    if area_id is not None and area_id not in compared:
        raise checks.unknown_name("area", area_id, compared)
    group = _group(present, reference_ids)
    frame = figures_of(now, pd.MultiIndex.from_product([compared, names], names=_KEYS))
    sums = known_sums(now) if city is None else now
    if city is None:
        city = totals(now, group).droplevel("period")
    city = city.reindex(names)[_FIGURES].astype(float)
    inside = frame.index.get_level_values("indicator")
    frame["city"] = city["value"].reindex(inside).to_numpy()
    frame["relative"] = _relative_to(frame["usable"], city["value"], favourable, now).reindex(frame.index)
    frame = frame.join(_places(frame))
    frame["clear"] = _against(frame, _rest(city, sums, group, frame.index), level, "")["clear"]
    cases = [frame["why"] != "", frame["sign"].isna(), frame["city"].isna(), frame["relative"].isna()]
    why = np.select(cases, [frame["why"], "neutral", "city_not_known", "relative_undefined"], "")
    frame["kind"] = _kinds(frame["relative"].where(why == ""), frame["clear"], minimum_gap)
    frame["reason"] = np.where((why == "") & frame["clear"].isna(), "noise_not_known", why)
    domains = {name: now.definitions[name].domain or "" for name in names}
    frame = frame.reset_index().assign(domain=inside.map(domains))
    order = frame.assign(kind=frame["kind"].map(_KINDS.index), above=-frame["relative"])
    frame = frame.loc[order.sort_values(["area_id", "kind", "above"], kind="stable").index]
    if area_id is not None:
        frame = frame[frame["area_id"] == area_id]
    first = ["area_id", "domain", "indicator", "unit", "value", "denominator", "city", "relative", "place", "among"]
    last = ["less_unfavourable_share", "minimum", "maximum", "clear", "kind", "status", "reason"]
    return frame[[*first, *last]].reset_index(drop=True)


def strengths(profile: pd.DataFrame, area_id: str, *, most: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pick what an area is strongest and weakest in.

    Parameters
    ----------
    profile
        From :func:`~geoplan.risk.profile`.
    area_id
        The area's code.
    most
        How many of each at the most.

    Returns
    -------
    tuple of pandas.DataFrame
        The area's strengths, the most favourable first, and its weaknesses, the most unfavourable first: rows of
        ``profile``, at most ``most`` each. An area that is as the city has none.

    Raises
    ------
    SpecError
        When there is no such area, or ``most`` is less than 1.

    Examples
    --------
    >>> rows = [("A", name, 10.0 * place, kind) for place, (name, kind) in enumerate(
    ...     [("work", "strength"), ("poor", "weakness"), ("crime", "weakness")], start=5)]
    >>> made = pd.DataFrame(rows, columns=["area_id", "indicator", "relative", "kind"])
    >>> strong, weak = strengths(made, "A", most=1)
    >>> strong["indicator"].tolist(), weak["indicator"].tolist()
    (['work'], ['crime'])
    """
    if most < 1:
        raise SpecError(Fault(what=f"at most {most} points", key="most", expected="1 or more"))
    own = profile[profile["area_id"] == area_id]
    if own.empty:
        raise checks.unknown_name("area", area_id, profile["area_id"])
    strong, weak = (
        own[own["kind"] == kind].sort_values("relative", ascending=rising, kind="stable", ignore_index=True).head(most)
        for kind, rising in (("strength", True), ("weakness", False))
    )
    return strong, weak


# ---------------------------------------------------------------- what is handed in


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise SpecError(Fault(what=f"a level of {level:g}", key="level", expected="between 0 and 1, such as 0.95"))


def _names(table: IndicatorTable, period: str, indicators: Iterable[str] | None) -> list[str]:
    """Return the indicators to compare, once each; those that cannot be are faults."""
    must_be_indicators(table)
    faults = Faults()
    rows = table.data
    if period not in set(rows["period"]):
        faults.add(checks.unknown_name("period of the table", period, rows["period"], key="period"))
    present = set(rows["indicator"])
    comparable = [name for name, item in table.definitions.items() if name in present and item.kind != "count"]
    names = comparable if indicators is None else list(dict.fromkeys(indicators))
    for name in names:
        if name not in present or name not in table.definitions:
            faults.add(checks.unknown_name("indicator", name, present, key="indicators"))
        elif table.definitions[name].kind == "count":
            what = f"'{name}' is a count: it grows with the area, and no area is near the city's"
            faults.add(SpecError(Fault(what=what, key="indicators", hint="give it a base, as a share or a rate")))
    if not names:
        faults.add(SpecError(Fault(what="there is no indicator to compare", key="indicators", expected="at least one")))
    faults.raise_any()
    return names


def narrowed(table: IndicatorTable, names: list[str], period: str) -> IndicatorTable:
    """Keep one period of some indicators."""

    def kept(rows: pd.DataFrame) -> pd.DataFrame:
        of_them = rows[(rows["period"] == period) & rows["indicator"].isin(names)]
        return of_them.astype(dict.fromkeys(_FIGURES, float))  # where none is known, a column may be one of objects

    definitions = {name: table.definitions[name] for name in names}
    return IndicatorTable(kept(table.data), definitions, None if table.parts is None else kept(table.parts))


def _group(present: list[str], reference_ids: Iterable[str] | None) -> list[str]:
    group = present if reference_ids is None else sorted(set(present) & set(reference_ids))
    if not group:
        raise SpecError(Fault(what="no area of the table lies in the reference area", key="reference_ids"))
    return group


def pairs_of(neighbours: Any) -> pd.DataFrame:
    """Return neighbours, in whichever form they come, as ``area_id, neighbour_id``, each pair once.

    Raises
    ------
    SpecError
        When they come in no such form.
    IdError
        When an area is its own neighbour.
    """
    columns = ["area_id", "neighbour_id"]
    frame = neighbours if isinstance(neighbours, pd.DataFrame) else getattr(neighbours, "pairs", None)
    adjacency = getattr(neighbours, "adjacency", None)
    if frame is None and isinstance(adjacency, pd.Series):
        # libpysal writes an area without neighbours as a neighbour of its own, of weight 0.
        frame = adjacency[adjacency != 0].rename("weight").rename_axis(columns).reset_index()
    if not isinstance(frame, pd.DataFrame):
        expected = "a frame with the columns area_id and neighbour_id, or a libpysal Graph"
        raise SpecError(Fault(what=f"neighbours of type {type(neighbours).__name__}", expected=expected))
    must_have(frame, {f"neighbours.{name}": name for name in columns})
    pairs = frame[columns].apply(codes).drop_duplicates(ignore_index=True)
    own = pairs["area_id"][pairs["area_id"] == pairs["neighbour_id"]]
    if len(own):
        what = f"{len(own)} area(s) are neighbours of themselves: {checks.listed(own)}"
        raise IdError(Fault(what=what, expected="pairs of two areas"))
    return pairs


# ---------------------------------------------------------------- what is compared


def figures_of(now: IndicatorTable, every: pd.MultiIndex) -> pd.DataFrame:
    """Return the areas' figures, and why one is not to be compared (``why``) or the value that is (``usable``)."""
    frame = now.data.set_index(_KEYS).reindex(every)[[*_FIGURES, "status"]]
    frame[_FIGURES] = frame[_FIGURES].astype(float)
    frame["status"] = frame["status"].astype(object).fillna("not_collected")
    frame["value"] = frame["value"].where(frame["status"].isin(KNOWN))
    items = [now.definitions[name] for name in every.get_level_values("indicator")]
    least = [float(item.minimum_base or 0) for item in items]
    small = frame["denominator"] < np.asarray(least)
    frame["why"] = np.select([frame["value"].isna(), small], ["figure_not_known", "small_base"], "")
    frame["usable"] = frame["value"].where(frame["why"] == "")
    frame["unit"] = [item.unit for item in items]
    frame["measure"] = [item.kind for item in items]
    frame["scale"] = [unit_scale(item.unit) for item in items]
    frame["sign"] = [_SIGNS[item.direction] for item in items]
    return frame


def _around(now: IndicatorTable, sums: IndicatorTable, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what the neighbours of each area have together, and of how many something is known."""
    rows = now.finest
    inside = rows[["area_id", "parent"]].drop_duplicates().rename(columns={"area_id": "child_id"})
    reach = pairs.merge(inside.rename(columns={"parent": "neighbour_id"}), on="neighbour_id")
    reach = reach[["child_id", "area_id"]].drop_duplicates().rename(columns={"area_id": "parent_id"})
    within = pd.MultiIndex.from_frame(reach).isin(pd.MultiIndex.from_frame(inside))
    reach = reach[~within].assign(share=1.0)
    if reach.empty:
        return pd.DataFrame(
            columns=[*_FIGURES, "status", "known"], index=pd.MultiIndex.from_arrays([[], []], names=_KEYS), dtype=float
        ).astype({"status": object})
    single = IndicatorTable(
        rows.drop_duplicates([*_KEYS, "period"], ignore_index=True)[COLUMNS],
        now.definitions,
    )
    merged = roll_up(single, reach, minimum_coverage=0.0).data.set_index(_KEYS)[[*_FIGURES, "status"]]
    known = sums.data.loc[sums.data["status"].isin(KNOWN), _KEYS].rename(columns={"area_id": "neighbour_id"})
    count = pairs.merge(known, on="neighbour_id").groupby(_KEYS).size()
    return merged.astype({"status": object}).assign(known=count.reindex(merged.index))


def _rest(city: pd.DataFrame, sums: IndicatorTable, group: list[str], every: pd.MultiIndex) -> pd.DataFrame:
    """Return the city without each area: its figures, and whether nothing of it is left (``empty``)."""
    own = sums.data.set_index(_KEYS)[_FIGURES].astype(float).reindex(every)
    # An area outside the city, or one that brings nothing known to it, leaves the city as it is.
    brings = own["value"].notna() & own.index.get_level_values("area_id").isin(group)
    whole = city.reindex(every.get_level_values("indicator")).set_axis(every)
    rest = whole[["numerator", "denominator"]] - own[["numerator", "denominator"]].where(brings, 0.0)
    weighted = whole["value"] * whole["denominator"] - (own["value"] * own["denominator"]).where(brings, 0.0)
    empty = brings & (rest["denominator"] <= _EXACT * whole["denominator"])
    rest = rest.clip(lower=0.0)
    rest["value"] = weighted / rest["denominator"]
    return rest.mask(empty).assign(empty=empty)


def _against(own: pd.DataFrame, other: pd.DataFrame, level: float, suffix: str) -> pd.DataFrame:
    """Compare figures with those of another group; see the formula in :func:`contrast`."""
    difference = own["usable"] - other["value"]
    base, others = own["denominator"], other["denominator"]
    pooled = (own["numerator"] + other["numerator"]) / (base + others)
    variance = pooled * (1 - pooled)
    variance = variance.where(own["measure"] == "share", pooled.where(own["measure"] == "rate"))
    error = np.sqrt(variance.where(variance >= 0) * (1 / base + 1 / others)) * own["scale"]
    error = error.where(difference.notna() & np.isfinite(error))
    limit = NormalDist().inv_cdf((1 + level) / 2) * error + _EXACT
    clear = (difference.abs() > limit).astype("boolean").mask(error.isna())
    turned = difference * own["sign"]
    worse = (turned > _EXACT).astype("boolean").mask(turned.isna())
    named = {"difference": difference, "standard_error": error, "clear": clear, "worse": worse}
    return pd.DataFrame({f"{name}{suffix}": column for name, column in named.items()})


# ---------------------------------------------------------------- the profile


def _relative_to(
    usable: pd.Series, city: pd.Series, favourable: Literal["complement", "reciprocal"], now: IndicatorTable
) -> pd.Series:
    """Put figures relative to the city by the rule of the index; neutral ones have no such figure."""
    turned: dict[str, IndicatorSpec] = {
        name: item for name, item in now.definitions.items() if item.direction != "neutral"
    }
    if not turned:
        return pd.Series(dtype=float, index=usable.index[:0])
    every = DomainSpec.model_validate({"id": "every", "label": "every", "indicators": list(turned)})
    spec = IndexSpec(domains=(every,), favourable=favourable)
    how = {name: relative_way(item, spec) for name, item in turned.items()}
    wide = relative_to(usable.unstack("indicator"), city, how, turned)
    return wide.rename_axis(columns="indicator").stack()


def _places(frame: pd.DataFrame) -> pd.DataFrame:
    """Place the known figures of each indicator among each other, the most unfavourable first."""
    names = frame.index.get_level_values("indicator")
    turned = (frame["usable"] * frame["sign"]).round(9)
    by = turned.groupby(names)
    among = frame["usable"].groupby(names).transform("count").astype(int)
    under = by.rank(method="min") - 1
    return pd.DataFrame(
        {
            "place": by.rank(method="min", ascending=False).astype("Int64"),
            "among": among,
            "less_unfavourable_share": under / (among - 1).where(among > 1),
            "minimum": frame["usable"].groupby(names).transform("min"),
            "maximum": frame["usable"].groupby(names).transform("max"),
        }
    )


def _kinds(relative: pd.Series, clear: pd.Series, minimum_gap: float) -> np.ndarray:
    gap = relative - _CITY
    matters = (gap.abs() >= minimum_gap - _EXACT) & (gap.abs() > _EXACT) & clear.fillna(value=True).astype(bool)
    cases = [relative.isna(), matters & (gap > 0), matters]
    return np.asarray(np.select(cases, ["not comparable", "weakness", "strength"], "as the city"), dtype=object)
