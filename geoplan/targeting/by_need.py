"""Grants by need: an envelope divided in proportion to index × residents, or to a number of people in need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.specs.grants import NeedGrantSpec
from geoplan.targeting.amounts import (
    ROUNDING,
    areas_of,
    bounded,
    caller,
    exact,
    extremes,
    kronor,
    said,
    whole_numbers,
)

__all__ = ["NeedGrants", "grants_by_need"]


@dataclass(frozen=True)
class NeedGrants:
    """A grant by need.

    Attributes
    ----------
    table
        Index ``area_id``, all areas that were handed in, in order of their codes. Columns ``need`` (float; the index,
        or persons), ``population`` (float, persons; NaN where not handed in), ``share`` (float, of the need of all
        areas that are paid; 0 where not paid), ``payment`` (int64, kr), ``per_resident`` (float, kr; NaN without
        population), ``bound`` (``floor`` or ``cap`` where one holds the payment, else empty), ``reason`` (why an area
        gets nothing, else empty).
    envelope
        In kr; what the payments add up to.
    conventions
        What was settled how: ``measure``, ``envelope``, ``threshold``, ``minimum_population``, ``bounds``,
        ``rounding``.
    """

    table: pd.DataFrame
    envelope: int
    conventions: Mapping[str, str]

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Say it in sentences; ``names`` maps a code to a name, such as ``areas["name"]``."""
        called = caller(names)
        paid = self.table[self.table["reason"] == ""]
        text = [f"{said(self.envelope)} divided by need ({self.conventions['measure']}) between {areas_of(len(paid))}."]
        text.append(extremes(paid["payment"], called))
        for bound in ("floor", "cap"):
            held = [called(code) for code in paid.index[paid["bound"] == bound]]
            if held:
                text.append(f"At the {bound}: {checks.listed(held)}.")
        out = self.table[self.table["reason"] != ""]
        return text + [f"{called(code)} gets nothing: {why}." for code, why in out["reason"].items()]


def grants_by_need(
    need: pd.Series,
    spec: NeedGrantSpec,
    *,
    population: pd.Series | None = None,
    floors: pd.Series | None = None,
    caps: pd.Series | None = None,
) -> NeedGrants:
    r"""Divide an envelope by need: in proportion to index × residents, or to a number of people in need.

    Of the areas *A* that are paid, with need :math:`w_a`, floor :math:`l_a` and cap :math:`u_a`,

    .. math::

        q_a = \min(\max(\lambda w_a,\ l_a),\ u_a), \qquad \sum_{a \in A} q_a = E

    where the second settles :math:`\lambda`; found by water-filling, and rounded to kronor by largest remainder, which
    breaks no bound. An area whose need grows while all else stays never gets less.

    Parameters
    ----------
    need
        Index the area's code: an index from 0 upwards, such as the risk index (the city is 100), or a number of
        people. A missing one gets nothing and says so.
    spec
        The rule.
    population
        Residents; needed for ``index_times_population`` and for a smallest population.
    floors, caps
        Of particular areas, in kr, in place of the rule's.

    Returns
    -------
    NeedGrants

    Raises
    ------
    SpecError
        When a figure is negative, population is needed and not given, no area is left, the floors exceed the envelope,
        the caps cannot take it, or a floor is above its cap.
    IdError
        When a code occurs more than once, or floors or caps name an area that has no need.
    TableError
        When an amount is no whole number of kronor.

    Examples
    --------
    >>> spec = NeedGrantSpec(kind="need", envelope=10, unit="tkr", threshold=100, cap=7)
    >>> need = pd.Series({"a": 150.0, "b": 120.0, "c": 99.9})
    >>> made = grants_by_need(need, spec, population=pd.Series({"a": 4000, "b": 1000, "c": 2000}))
    >>> made.table["payment"].to_dict()
    {'a': 7000, 'b': 3000, 'c': 0}
    >>> made.table["reason"]["c"]
    'the index of 99.9 is below the threshold of 100'
    """
    faults = Faults()
    for name, held in (("need", need), ("population", population), ("floors", floors), ("caps", caps)):
        if held is not None:
            _check_series(held, name, faults)
    people = population if population is not None else pd.Series(dtype=float)
    counted = spec.measure == "need_count"
    if population is None and (not counted or spec.minimum_population is not None):
        fault = Fault(what="there is no population", key="population", expected="residents of every area")
        faults.add(SpecError(fault))
    for held in (floors, caps):
        other = [] if held is None else sorted(set(held.index) - set(need.index))
        if other:
            faults.add(checks.ids_not_among(other, sorted(need.index)))
    if population is not None and len(need) and not set(need.index) & set(people.index):
        faults.add(checks.ids_match_nothing(sorted(people.index), sorted(need.index)))
    faults.raise_any()

    ids = sorted(need.index)
    reasons = {code: _unpaid(spec, exact(need[code]), exact(people.get(code)), population is not None) for code in ids}
    paid = [code for code in ids if not reasons[code]]
    weights = {code: (exact(need[code]) or Fraction(0)) * (1 if counted else exact(people[code]) or 0) for code in paid}
    if not any(weights.values()):
        out = checks.listed([f"{code}: {why}" for code, why in reasons.items() if why])
        raise SpecError(Fault(what=f"no area is left that has a need ({out or 'all needs are zero'})", key="need"))
    envelope = kronor(spec.envelope, spec.unit, key="envelope")
    low, high = _bounds(spec, paid, floors, caps)
    split = bounded(whole_numbers(weights), envelope, low, high)
    size = sum(weights.values())
    table = pd.DataFrame({"need": need.reindex(ids).astype(float)}, index=pd.Index(ids, name="area_id"))
    table["population"] = people.reindex(ids).astype(float)
    table["share"] = [float(weights.get(code, 0) / size) for code in ids]
    table["payment"] = np.array([split.parts.get(code, 0) for code in ids], dtype="int64")
    table["per_resident"] = table["payment"] / table["population"].where(table["population"] > 0)
    nothing = {code for code in paid if not low[code] and not split.parts[code]}  # no need, and no floor to hold it up
    table["bound"] = ["" if code in nothing else split.bounds.get(code, "") for code in ids]
    table["reason"] = [reasons[code] for code in ids]
    return NeedGrants(table, envelope, _need_conventions(spec, own_bounds=floors is not None or caps is not None))


def _check_series(held: pd.Series, key: str, faults: Faults) -> None:
    if not held.index.is_unique:
        twice = [str(code) for code in held.index[held.index.duplicated()].unique()]
        faults.add(checks.duplicate_ids(twice, "area_id"))
    for code, value in held.items():
        number = exact(value)
        if number is None and not pd.isna(value):
            what = f"'{value}' is not a number"
            faults.add(SpecError(Fault(what=what, key=key, area=str(code), expected="a number from 0, or none")))
        elif number is not None and number < 0:
            what = f"{float(number):g} is negative"
            hint = "a score that goes below zero has no share; use one from 0 upwards" if key == "need" else None
            faults.add(SpecError(Fault(what=what, key=key, area=str(code), expected="a number from 0", hint=hint)))


def _unpaid(spec: NeedGrantSpec, need: Fraction | None, people: Fraction | None, known: bool) -> str:
    """Return why an area gets nothing; empty when it is paid."""
    word = "number in need" if spec.measure == "need_count" else "index"
    if need is None:
        return f"there is no {word}"
    if spec.threshold is not None and need < (exact(spec.threshold) or 0):
        return f"the {word} of {float(need):g} is below the threshold of {spec.threshold:g}"
    if known and people is None and (spec.measure != "need_count" or spec.minimum_population is not None):
        return "there is no population"
    if people is not None and spec.minimum_population is not None and people < spec.minimum_population:
        return f"{float(people):,.0f} residents are fewer than {spec.minimum_population:,}"
    return ""


def _bounds(
    spec: NeedGrantSpec, paid: list[str], floors: pd.Series | None, caps: pd.Series | None
) -> tuple[dict[str, int], dict[str, int | float]]:
    """Return floor and cap of each area in kr."""
    faults = Faults()
    low: dict[str, int] = dict.fromkeys(paid, 0)
    high: dict[str, int | float] = dict.fromkeys(paid, inf)
    with faults.catch():
        low = dict.fromkeys(paid, kronor(spec.floor, spec.unit, key="floor"))
    if spec.cap is not None:
        with faults.catch():
            high = dict.fromkeys(paid, kronor(spec.cap, spec.unit, key="cap"))
    for key, own in (("floors", floors), ("caps", caps)):
        for code in paid:
            if own is not None and code in own.index:
                with faults.catch(area=code):
                    amount = kronor(own[code], key=key)
                    if key == "floors":
                        low[code] = amount
                    else:
                        high[code] = amount
    faults.raise_any()
    return low, high


def _need_conventions(spec: NeedGrantSpec, *, own_bounds: bool) -> dict[str, str]:
    words = {"index_times_population": "index × residents", "need_count": "number of people in need"}
    cap = "no cap" if spec.cap is None else f"cap {spec.cap:g} {spec.unit}"
    own = "; own ones of particular areas" if own_bounds else ""
    least = spec.minimum_population
    return {
        "measure": words[spec.measure],
        "envelope": f"{spec.envelope:g} {spec.unit}",
        "threshold": "none" if spec.threshold is None else f"{spec.threshold:g}; an area at it is paid",
        "minimum_population": "none" if least is None else f"{least:,}; an area at it is paid",
        "bounds": f"floor {spec.floor:g} {spec.unit}, {cap}{own}; water-filling",
        "rounding": ROUNDING,
    }
