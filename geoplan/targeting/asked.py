"""What a choice of areas is asked for: arguments and figures, checked together and put in the order of codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError, TableError
from geoplan.targeting.programme import Programme

__all__ = ["Asked", "asked_for", "counted"]

_PAIRS = ["area_id", "neighbour_id"]


@dataclass(frozen=True)
class Asked:
    """A programme, the codes of its areas and the names of its municipalities, and its rules in words."""

    programme: Programme
    codes: pd.Index
    places: tuple[str, ...]
    rules: Mapping[str, str]

    def listed(self, areas: np.ndarray) -> str:
        """Name the areas that are marked."""
        return checks.listed([str(code) for code in self.codes[areas]])


def counted(value: float) -> str:
    """Write a figure with separators, and decimals where it has any.

    Examples
    --------
    >>> counted(1234567.0), counted(0.125)
    ('1,234,567', '0.125')
    """
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def asked_for(need: pd.Series, **given: Any) -> Asked:
    """Check everything that was given, collect what is wrong with it, and put it in the order of codes.

    The parameters are those of :func:`~geoplan.targeting.selection.choose_areas`.
    """
    faults = Faults()
    _numbers(given, faults)
    _pairs_of_arguments(given, faults)
    with faults.catch(key="need"):
        _must_be_codes(need)
    if faults and not _usable(need):
        faults.raise_any()
    codes = need.index[np.argsort(need.index.to_numpy().astype(str), kind="stable")].rename("area_id")
    reached, figures = _figures(need, codes, "need", faults), {}
    for key in ("cost", "population"):
        figures[key] = None if given[key] is None else _figures(given[key], codes, key, faults)
    if reached is not None and not reached.sum():
        faults.add(TableError(Fault(what="nobody is in need in any area", key="need", expected="a number above 0")))
    if given["k"] is not None and given["k"] > len(codes):
        what = f"{given['k']:,} areas cannot be chosen of {len(codes):,}"
        faults.add(SpecError(Fault(what=what, key="k", expected=f"from 1 to {len(codes):,}")))
    fixed = {key: _marked(codes, given[key], key, faults) for key in ("fixed_in", "fixed_out")}
    both = [str(code) for code in codes[fixed["fixed_in"] & fixed["fixed_out"]]]
    if both:
        faults.add(SpecError(Fault(what=f"{checks.listed(both)} must and must not be chosen", key="fixed_in")))
    links = None if given["neighbours"] is None else _links(codes, given["neighbours"], faults)
    place, places, least = _municipalities(codes, given["within"], given["at_least"], faults)
    faults.raise_any()
    programme = Programme(
        need=np.asarray(reached),
        inside=fixed["fixed_in"],
        outside=fixed["fixed_out"],
        cost=figures["cost"],
        population=figures["population"],
        k=given["k"],
        exactly=given["exactly"],
        budget=given["budget"],
        links=links,
        groups=given["groups"],
        minimum=given["minimum_population"],
        place=place,
        least=least,
    )
    return Asked(programme, codes, places, _words(programme, places))


# ---------------------------------------------------------------- arguments


def _numbers(given: Mapping[str, Any], faults: Faults) -> None:
    """Check the range of each argument by itself."""
    for key in ("k", "groups"):
        value = given[key]
        if value is not None and not (_is_whole(value) and value >= 1):
            faults.add(
                SpecError(Fault(what=f"{value!r} is no number of them", key=key, expected="a whole number from 1"))
            )
    for key in ("budget", "minimum_population"):
        value = given[key]
        if value is not None and not (isfinite(value) and value > 0):
            faults.add(SpecError(Fault(what=f"{value:g} is too little", key=key, expected="a number above 0")))
    if not 0 < given["time_limit_s"] < np.inf:
        what = f"{given['time_limit_s']:g} s is no time to search"
        faults.add(SpecError(Fault(what=what, key="time_limit_s", expected="a number of seconds above 0")))
    if not 0 <= given["gap"] < 1:
        what = f"{given['gap']:g} is no part of what is reached"
        faults.add(SpecError(Fault(what=what, key="gap", expected="from 0 to below 1")))


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _pairs_of_arguments(given: Mapping[str, Any], faults: Faults) -> None:
    """Check that what needs another argument has it."""
    if given["k"] is None and given["budget"] is None:
        what = "neither a number of areas nor a budget is given: all areas would be the best choice"
        faults.add(SpecError(Fault(what=what, key="k", hint="give `k`, or `budget` with `cost`, or both")))
    if given["exactly"] and given["k"] is None:
        faults.add(SpecError(Fault(what="exactly how many areas is not said", key="exactly", hint="give `k`")))
    for key, other, what in (
        ("budget", "cost", "what each area costs"),
        ("minimum_population", "population", "how many people live in each area"),
        ("groups", "neighbours", "which areas are neighbours"),
        ("at_least", "within", "in which municipality each area lies"),
    ):
        if given[key] is not None and given[other] is None:
            faults.add(SpecError(Fault(what=f"`{key}` is given, but not {what}", key=key, hint=f"give `{other}`")))


# ---------------------------------------------------------------- figures


def _must_be_codes(need: pd.Series) -> None:
    """Refuse areas that cannot be told apart, or none at all."""
    if not len(need):
        raise TableError(Fault(what="there are no areas to choose from", expected="at least one"))
    if need.index.isna().any():
        raise IdError(Fault(what=f"{int(need.index.isna().sum())} area(s) have no code", expected="a code for each"))
    double = need.index[need.index.astype(str).duplicated()]
    if len(double):
        raise checks.duplicate_ids(sorted({str(code) for code in double}), str(need.index.name or "area_id"))


def _usable(need: pd.Series) -> bool:
    return bool(len(need)) and not need.index.isna().any() and not need.index.astype(str).duplicated().any()


def _aligned(values: pd.Series | Mapping[str, Any], codes: pd.Index, key: str, faults: Faults) -> pd.Series | None:
    """Put values in the order of the codes; there must be one for each, and none besides."""
    series = values if isinstance(values, pd.Series) else pd.Series(values, dtype=object)
    if series.index.duplicated().any():
        double = sorted({str(code) for code in series.index[series.index.duplicated()]})
        faults.add(checks.duplicate_ids(double, "area_id").located(key=key))
        return None
    unknown, absent = series.index.difference(codes), codes.difference(series.index)
    if len(unknown):
        known = [str(code) for code in codes]
        faults.add(checks.ids_not_among([str(code) for code in unknown], known).located(key=key))
    if len(absent):
        what = f"{len(absent)} area(s) are not in it: {checks.listed([str(code) for code in absent])}"
        faults.add(IdError(Fault(what=what, key=key, expected="every area of `need`")))
    return None if len(unknown) or len(absent) else series.reindex(codes)


def _figures(values: pd.Series, codes: pd.Index, key: str, faults: Faults) -> np.ndarray | None:
    """Return one number an area, from 0 up."""
    series = _aligned(values, codes, key, faults)
    if series is None:
        return None
    numbers = pd.to_numeric(series, errors="coerce").astype(float).to_numpy()
    empty = series.isna().to_numpy()
    kinds = {
        "have no figure": empty,
        "have a figure that is no number": ~empty & ~np.isfinite(numbers),
        "have a figure below 0": numbers < 0,
    }
    for what, wrong in kinds.items():
        if wrong.any():
            where = checks.listed([str(code) for code in codes[wrong]])
            hint = "leave such areas out, or settle the figure first" if what == "have no figure" else None
            text = f"{int(wrong.sum())} area(s) {what}: {where}"
            faults.add(TableError(Fault(what=text, key=key, expected="a number from 0 up", hint=hint)))
    return None if any(wrong.any() for wrong in kinds.values()) else numbers


def _marked(codes: pd.Index, given: Iterable[str], key: str, faults: Faults) -> np.ndarray:
    """Mark the areas that are named."""
    names = [given] if isinstance(given, str) else list(given)
    unknown = [str(name) for name in dict.fromkeys(names) if name not in codes]
    if unknown:
        faults.add(checks.ids_not_among(unknown, [str(code) for code in codes]).located(key=key))
    return np.asarray(codes.isin(names))


def _links(codes: pd.Index, neighbours: Any, faults: Faults) -> sparse.csr_array | None:
    """Return who is whose neighbour, either way, as a symmetric matrix of ones."""
    pairs = neighbours if isinstance(neighbours, pd.DataFrame) else neighbours.pairs
    absent = [name for name in _PAIRS if name not in pairs]
    if absent:
        for error in checks.absent_columns(absent, [str(name) for name in pairs.columns], key="neighbours"):
            faults.add(error)
        return None
    ends = [codes.get_indexer(pairs[name]) for name in _PAIRS]
    unknown = {str(code) for name, end in zip(_PAIRS, ends, strict=True) for code in pairs[name][end < 0]}
    if unknown:
        faults.add(checks.ids_not_among(sorted(unknown), [str(code) for code in codes]).located(key="neighbours"))
        return None
    apart = ends[0] != ends[1]
    row, column = ends[0][apart], ends[1][apart]
    both = np.concatenate([row, column]), np.concatenate([column, row])
    links = sparse.csr_array((np.ones(len(both[0])), both), shape=(len(codes), len(codes)))
    links.sum_duplicates()
    links.data[:] = 1
    return links


def _municipalities(
    codes: pd.Index, within: Any, at_least: int | Mapping[str, int] | None, faults: Faults
) -> tuple[np.ndarray | None, tuple[str, ...], np.ndarray | None]:
    """Return the municipality of each area as a number, their names, and how many of each must be chosen."""
    if within is None or at_least is None:
        return None, (), None
    series = _aligned(within, codes, "within", faults)
    if series is None:
        return None, (), None
    empty = series.isna().to_numpy()
    if empty.any():
        where = checks.listed([str(code) for code in codes[empty]])
        what = f"{int(empty.sum())} area(s) lie in no municipality: {where}"
        faults.add(TableError(Fault(what=what, key="within", expected="one for every area")))
        return None, (), None
    place, names = pd.factorize(series.astype(str).to_numpy(), sort=True)
    places = tuple(str(name) for name in names)
    wanted = at_least if isinstance(at_least, Mapping) else dict.fromkeys(places, at_least)
    least = np.zeros(len(places), dtype=np.int64)
    for name, number in wanted.items():
        if str(name) not in places:
            faults.add(checks.unknown_name("municipality", str(name), places, key="at_least"))
        elif not (_is_whole(number) and number >= 0):
            what = f"{number!r} is no number of areas"
            faults.add(SpecError(Fault(what=what, key="at_least", expected="a whole number from 0")))
            if not isinstance(at_least, Mapping):
                break
        else:
            least[places.index(str(name))] = number
    return place, places, least


# ---------------------------------------------------------------- words


def _words(of: Programme, places: tuple[str, ...]) -> dict[str, str]:
    """Say each rule."""

    def many(number: int, one: str) -> str:
        return f"{number:,} {one}{'' if number == 1 else 's'}"

    said = {}
    if of.k is not None:
        said["k"] = f"{'exactly' if of.exactly else 'at most'} {many(of.k, 'area')}"
    if of.budget is not None:
        said["budget"] = f"a cost of at most {counted(of.budget)}"
    if of.groups is not None:
        said["groups"] = f"at most {many(of.groups, 'connected group')}"
    if of.minimum is not None:
        each = "connected group" if of.links is not None else "area"
        said["minimum_population"] = f"at least {counted(of.minimum)} residents in each {each}"
    if of.least is not None and of.least.any():
        asked = np.flatnonzero(of.least)
        if len(set(of.least)) == 1:
            said["at_least"] = f"at least {many(int(of.least[0]), 'area')} of each of {len(places):,} municipalities"
        else:
            each = ", ".join(f"{of.least[place]} of {places[place]}" for place in asked)
            said["at_least"] = f"at least so many areas: {each}"
    for key, marked, verb in (("fixed_in", of.inside, "in"), ("fixed_out", of.outside, "out")):
        if marked.any():
            said[key] = f"{many(int(marked.sum()), 'area')} fixed {verb}"
    return said
