"""What figures are compared with, exactly, and how far each is from the other side.

A rate of whole counts is a fraction, and so is a limit as it is written: 52.0 per cent of 4,375 is met or missed by one
person, and a binary number may stand on the wrong side of it. So everything here is done in fractions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from geoplan.places import IndicatorTable, totals
from geoplan.risk import IndexResult, scores_are_relative
from geoplan.specs import CITY, CriterionSpec, RuleSpec
from geoplan.targeting.measures import Measures

__all__ = ["Limit", "Limits", "edge_of", "figure_of", "limits_of", "margin_of", "meets_limit", "upwards"]

_DIGITS = 12  # of a computed rate that are believed
_PARTS = 2520  # a mean of up to ten years is a fraction of this
_RELATIVE = 100
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Limit:
    """A limit for one area.

    Attributes
    ----------
    value
        In the criterion's unit.
    reference
        What ``factor`` was multiplied with; None for a number that was given.
    slope
        How much the limit moves with one more case in the area itself, which is part of its reference (of a mean: when
        the area's own mean moves by 1); else 0.
    source
        Where it comes from, in words.
    made
        Whether the reference is made from the areas themselves, and not handed in.
    """

    value: Fraction
    reference: Fraction | None = None
    slope: Fraction = Fraction(0)
    source: str = ""
    made: bool = False


@dataclass(frozen=True)
class Limits:
    """The limits of a period: criterion → area → limit, None where it is not known; and what would have to be known."""

    of: Mapping[str, Mapping[str, Limit | None]]
    lacking: Mapping[str, str]

    def frame(self, areas: pd.Index, criteria: list[str]) -> pd.DataFrame:
        """Return the limits as areas × criteria (float)."""
        rows = {
            name: [_float(item.value if item else None) for item in (self.of[name].get(code) for code in areas)]
            for name in criteria
        }
        return pd.DataFrame(rows, index=areas, columns=criteria, dtype=float)


def _float(value: Fraction | None) -> float:
    return math.nan if value is None else float(value)


def exact(value: float) -> Fraction:
    """Return a number as it is written: the shortest decimal that stands for it, at twelve digits.

    Examples
    --------
    >>> exact(4.8), exact(100 * 48 / 1000)
    (Fraction(24, 5), Fraction(24, 5))
    """
    return Fraction(f"{value:.{_DIGITS}g}")


def count_of(value: float) -> Fraction:
    """Return a count, or a mean of counts of some years, as a fraction."""
    near = Fraction(value).limit_denominator(_PARTS)
    return near if abs(float(near) - value) <= 1e-9 * max(abs(value), 1.0) else Fraction(value)


# ---------------------------------------------------------------- limits


def limits_of(
    rule: RuleSpec,
    measured: IndicatorTable,
    now: Measures,
    *,
    references: pd.DataFrame,
    inside: Mapping[str, pd.Series],
    reference_ids: list[str] | None = None,
    index: IndexResult | None = None,
) -> Limits:
    """Work out what each area's figures are compared with.

    Parameters
    ----------
    rule
        The rule book.
    measured, now
        The figures of all areas, and those of the period.
    references
        Values that are handed in: ``reference, indicator, value`` and, where they do not hold for all, ``period`` and
        ``area_id`` (an area, or one above it); empty cells hold for all.
    inside
        Level → area above, by area.
    reference_ids
        The areas that make up the city; all of the table when left out.
    index
        The risk index of the period.

    Returns
    -------
    Limits
        A criterion that compares areas with each other (``top``) has none.
    """
    of: dict[str, dict[str, Limit | None]] = {}
    lacking: dict[str, str] = {}
    areas = now.value.index
    for criterion in rule.criteria:
        if criterion.ranked or criterion.classes:
            of[criterion.id] = dict.fromkeys(areas)
            continue
        given = _given(criterion, now.period)
        if given is not None:
            of[criterion.id] = dict.fromkeys(areas, given)
            continue
        found = _multiples(criterion, measured, now, references, inside, reference_ids, index)
        of[criterion.id] = found
        if any(item is None for item in found.values()):
            name = criterion.reference_indicator or criterion.key
            lacking[criterion.id] = f"the value of '{name}' for '{criterion.of}' in {now.period}"
    return Limits(of, lacking)


def _given(criterion: CriterionSpec, period: str) -> Limit | None:
    """Return the limit that the rule states as a number, if it does for this period."""
    for item in criterion.published:
        if item.period == period:
            return Limit(exact(item.limit), source=item.source or "published")
    return None if criterion.limit is None else Limit(exact(criterion.limit), source="the rule")


def _multiples(
    criterion: CriterionSpec,
    measured: IndicatorTable,
    now: Measures,
    references: pd.DataFrame,
    inside: Mapping[str, pd.Series],
    reference_ids: list[str] | None,
    index: IndexResult | None,
) -> dict[str, Limit | None]:
    """Return the limits that are multiples of a reference's value."""
    areas = now.value.index
    if criterion.factor is None or criterion.of is None:
        return dict.fromkeys(areas)
    factor = exact(criterion.factor)
    if criterion.index is not None:
        value = _city_score(now.value[criterion.id], index)
        limit = None if value is None else Limit(factor * value, value, source="the average of the whole", made=True)
        return dict.fromkeys(areas, limit)
    handed = _handed_in(criterion, now.period, references, areas, inside)
    made = _made(criterion, measured, now, factor, inside, reference_ids)
    return {
        code: Limit(factor * exact(handed[code][0]), exact(handed[code][0]), source=handed[code][1])
        if code in handed
        else made.get(code)
        for code in areas
    }


def _city_score(scores: pd.Series, index: IndexResult | None) -> Fraction | None:
    """Return the city's average index: 100 where the index is relative to it, else the residents' mean."""
    if index is None:
        return None
    if scores_are_relative(index.spec):
        return Fraction(_RELATIVE)
    people = index.ranking["population"].reindex(scores.index)
    weights = people.fillna(0.0) if people.notna().any() else pd.Series(1.0, index=scores.index)
    known = scores.notna() & (weights > 0)
    if not known.any():
        return None
    return exact(float(np.average(scores[known], weights=weights[known])))


def _handed_in(
    criterion: CriterionSpec,
    period: str,
    references: pd.DataFrame,
    areas: pd.Index,
    inside: Mapping[str, pd.Series],
) -> dict[str, tuple[float, str]]:
    """Find the reference's value of each area among those that are handed in; the nearest one counts."""
    names = {criterion.key, criterion.reference_indicator or criterion.key}
    rows = references[(references["reference"] == criterion.of) & references["indicator"].isin(names)]
    # Values of the period itself stand first, and the first one of a place counts.
    rows = rows[rows["period"].isin(["", period])].sort_values("period", ascending=False, kind="stable")
    at: dict[str, tuple[float, str]] = {}
    for place, value, source in zip(rows["area_id"], rows["value"], rows["source"], strict=True):
        at.setdefault(str(place), (float(value), str(source)))
    if not at:
        return {}
    above = [dict(series) for series in inside.values()]
    found = {}
    for code in areas:
        place = next((p for p in (code, *(own.get(code) for own in above), "") if p in at), None)
        if place is not None:
            found[code] = at[place]
    return found


def _made(
    criterion: CriterionSpec,
    measured: IndicatorTable,
    now: Measures,
    factor: Fraction,
    inside: Mapping[str, pd.Series],
    reference_ids: list[str] | None,
) -> dict[str, Limit | None]:
    """Make a reference of the areas themselves: the city, or the area above each of them."""
    groups: list[tuple[list[str], list[str] | None]]
    if criterion.of == CITY:
        groups = [(list(now.value.index), reference_ids)]
    elif criterion.of in inside:
        above = inside[str(criterion.of)].reindex(now.value.index)
        groups = [(list(own.index), list(own.index)) for _, own in above.dropna().groupby(above.dropna())]
    else:
        return {}
    one = IndicatorTable(
        measured.data[measured.data["indicator"] == criterion.id],
        measured.definitions,
        None if measured.parts is None else measured.parts[measured.parts["indicator"] == criterion.id],
    )
    found: dict[str, Limit | None] = {}
    for codes, members in groups:
        whole = totals(one, members)
        if (criterion.id, now.period) not in whole.index:
            continue
        row = whole.loc[(criterion.id, now.period)]
        inner = set(members) if members is not None else set(one.data["area_id"])
        for code in codes:
            found[code] = _against(criterion, now, code, row, factor, member=code in inner)
    return found


def _against(
    criterion: CriterionSpec, now: Measures, code: str, whole: pd.Series, factor: Fraction, *, member: bool
) -> Limit | None:
    """Return the limit of one area against the whole that it may be part of."""
    name, years = criterion.id, now.years[criterion.id]
    where = "the whole" if criterion.of == CITY else f"its {criterion.of}"
    top, base = whole["numerator"], whole["denominator"]
    if pd.isna(top) or pd.isna(base):
        value = whole["value"]
        return None if pd.isna(value) else Limit(factor * exact(value), exact(value), source=where, made=True)
    scale = exact(now.scale(name))
    top, base = count_of(top) * years, count_of(base) * years
    _, own_top, own_base = now.cells[code, name]
    if member and not criterion.includes_area:
        if pd.isna(own_top) or pd.isna(own_base):
            own_top, own_base = 0.0, 0.0  # what is not known of the area is not in the whole either
        top, base = top - count_of(own_top), base - count_of(own_base)
        where = f"{where} without the area"
    if base <= 0:
        return None
    value = scale * top / base
    slope = Fraction(0)
    if member and criterion.includes_area:
        is_mean = now.items[name].kind == "mean"
        slope = factor * scale * (count_of(0.0 if pd.isna(own_base) else own_base) if is_mean else 1) / base
    return Limit(factor * value, value, slope, where, made=True)


# ---------------------------------------------------------------- comparing


def upwards(criterion: CriterionSpec) -> bool:
    """Tell whether higher figures meet the criterion."""
    return criterion.compare in {"above", "at_least"}


def edge_of(criterion: CriterionSpec, limit: Fraction) -> tuple[Fraction, bool]:
    """Return the figure from which on the upper side begins, and whether it lies on the upper side itself.

    Above begins just beyond the limit, below ends just before it. Where figures are rounded first, the upper side
    begins at the lowest figure that is rounded up to it.
    """
    includes = criterion.compare in {"at_least", "below"}  # the limit itself belongs to the upper side
    if criterion.decimals is None:
        return limit, includes
    step = Fraction(1, 10**criterion.decimals)
    places = limit / step
    first = math.ceil(places) if includes else math.floor(places) + 1
    return (first - _HALF) * step, True


def meets_limit(criterion: CriterionSpec, value: Fraction, limit: Fraction) -> bool:
    """Tell whether a figure meets a criterion, exactly.

    Examples
    --------
    >>> below = CriterionSpec(id="work", label="In work", indicator="work", compare="below", limit=52)
    >>> [meets_limit(below, Fraction(share), Fraction(52)) for share in (51, 52)]
    [True, False]
    """
    edge, includes = edge_of(criterion, limit)
    upper = value >= edge if includes else value > edge
    return upper if upwards(criterion) else not upper


def figure_of(now: Measures, code: str, name: str) -> Fraction | None:
    """Return a figure exactly: from its counts where it has them."""
    value, top, base = now.cells[code, name]
    if pd.isna(value):
        return None
    if (
        name in now.items
        and now.items[name].kind in {"share", "rate"}
        and not (pd.isna(top) or pd.isna(base) or base <= 0)
    ):
        return exact(now.scale(name)) * count_of(top) / count_of(base)
    return exact(float(value))


def margin_of(criterion: CriterionSpec, now: Measures, code: str, limit: Limit) -> dict[str, Any]:
    r"""Return the smallest change that takes a figure to the other side of its limit.

    With *y* cases of *n* people, scale *s*, limit *L* and what the limit moves by with each case, *c*, the figure lies
    on the upper side from the smallest whole *d* on with

    .. math::

        s\,\frac{y + d}{n} - (L + c\,d) \ge 0

    (:math:`>` where the limit itself lies below). Returned is *d*, or *d* - 1 where the figure is there already.

    Returns
    -------
    dict
        ``margin`` (more, or fewer with a minus sign; NaN where no change of this figure alone does it), ``margin_unit``
        and ``margin_total``: of a mean, what all of the base together would have to have more or less.
    """
    name, item = criterion.id, now.items.get(criterion.id)
    value = figure_of(now, code, name)
    if value is None:
        return {"margin": math.nan, "margin_unit": "", "margin_total": math.nan}
    edge, includes = edge_of(criterion, limit.value)
    _, top, base = now.cells[code, name]
    if item is None or item.kind not in {"share", "rate"} or pd.isna(top) or pd.isna(base) or base <= 0:
        moves = 1 - limit.slope
        return _plain_margin((edge - value) / moves if moves > 0 else edge - value, now, code, name)
    slope = exact(now.scale(name)) / count_of(base) - limit.slope
    if slope <= 0:  # the area is the whole, or nearly: figure and limit move together
        return {"margin": math.nan, "margin_unit": "cases", "margin_total": math.nan}
    first = (edge - value) / slope
    begins = math.ceil(first) if includes else math.floor(first) + 1
    many = begins if begins > 0 else begins - 1
    after = count_of(top) + many
    possible = after >= 0 and (item.kind == "rate" or after <= count_of(base))
    return {"margin": float(many) if possible else math.nan, "margin_unit": "cases", "margin_total": math.nan}


_KRONOR = {"kr": 1, "tkr": 1_000, "mkr": 1_000_000}


def _plain_margin(gap: Fraction, now: Measures, code: str, name: str) -> dict[str, Any]:
    """Return the margin of a figure without counts, in its unit; kronor where it is in thousands of them."""
    item = now.items.get(name)
    unit = now.unit(name)
    if item is not None and item.kind == "mean" and unit in _KRONOR:
        each = float(gap * _KRONOR[unit])
        base = now.cells[code, name][2]
        people = math.nan if pd.isna(base) else base / now.years[name]
        return {"margin": each, "margin_unit": "kr", "margin_total": each * people}
    points = {"score": "points", "pct": "percentage points"}
    return {"margin": float(gap), "margin_unit": points.get(unit, unit), "margin_total": math.nan}
