"""Who has how much: access by deprivation and by group, ratios, concentration, and people below a standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, IdError, SpecError, TableError, listed
from geoplan.reach.residents import Standard, weighted_quantile

__all__ = ["Equity", "access_equity", "deprivation_access_classes"]

_BEST, _WORST_PEOPLE, _BEST_PEOPLE = 0.9, 0.4, 0.1
_TERCILES = 3


@dataclass(frozen=True, eq=False)
class Equity:
    """How access is shared out among people.

    Attributes
    ----------
    by_quantile
        A row for each part of the residents, from the most deprived (1) to the least, and ``all``: ``residents``,
        ``units``, ``mean``, ``p10``, ``median``, ``p90``, ``to_all`` (mean ÷ that of all), and with a standard
        ``below`` (residents) and ``share_below``.
    by_group
        The same columns by group of people, such as those born abroad or without a car; empty without groups.
    measures
        Figures of the whole, see :func:`access_equity`: ``mean, palma, gini, concentration, gap, gap_ratio,
        best_decile, gap_to_best`` and with a standard ``below, share_below, shortfall``.
    curve
        Concentration curve: ``people``, cumulative share of the residents from the most deprived on, ``access``, their
        cumulative share of all access, and ``ranked``, that of the residents in order of access itself (Lorenz curve).
    units
        By unit: ``residents, score, access, quantile``; what is missing in one of them is in ``left_out``.
    left_out
        Units without score, access or residents, with ``reason``.
    notes
        What a reader must know, in sentences.
    """

    by_quantile: pd.DataFrame
    by_group: pd.DataFrame
    measures: Mapping[str, float]
    curve: pd.DataFrame = field(repr=False)
    units: pd.DataFrame = field(repr=False)
    left_out: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()


def access_equity(
    access: pd.Series,
    residents: pd.Series,
    score: pd.Series,
    *,
    groups: pd.DataFrame | None = None,
    standard: Standard | None = None,
    higher_is_better: bool = True,
    quantiles: int = 5,
) -> Equity:
    r"""Measure how access is shared out among people who live in areas of different deprivation.

    Parameters
    ----------
    access
        By unit (areas, or points where people live): opportunities, or minutes with ``higher_is_better=False``.
    residents
        People of each unit.
    score
        Deprivation of each unit, the higher the worse: of its area where units are points.
    groups
        People of each unit by group, a column each.
    standard
        What residents should have (its ``measure`` is a label here).
    higher_is_better
        Whether more of ``access`` is better; False for minutes.
    quantiles
        Into how many parts of equal numbers of people; five.

    Returns
    -------
    Equity
        With residents :math:`n_i`, access :math:`a_i`, mean :math:`\mu` and total :math:`N`:

        - ``palma``: mean access of the 10 % of residents in the least deprived units ÷ that of the 40 % in the most
          deprived, units on a limit counted in part. 1 is even; above 1 the less deprived have more.
        - ``gini`` :math:`= \frac{1}{2 \mu N^2} \sum_i \sum_j n_i n_j |a_i - a_j|`
        - ``concentration`` :math:`= \frac{2}{\mu N} \sum_i n_i a_i R_i - 1` with :math:`R_i` the share of residents in
          more deprived units plus half of those of the same score. Between −1 and 1; above 0 access is concentrated
          among the less deprived [1]_.
        - ``gap`` and ``gap_ratio``: the mean of the most deprived part less, and divided by, that of all
        - ``best_decile``: mean of the tenth of the residents with the best access; ``gap_to_best`` the mean of the most
          deprived part divided by it
        - ``below``, ``share_below``: residents who do not meet the standard; ``shortfall``: mean over all residents of
          :math:`|z - a_i| / z` where the limit z is not met, 0 where it is (the gap index of Foster, Greer & Thorbecke
          with exponent 1; of minutes at most 1)

    Raises
    ------
    InputError
        When the index of one occurs twice, residents are negative, access is negative, or nothing is left to measure.

    Notes
    -----
    Whole units go into the part in which the middle one of their residents falls; those of the same score are ordered
    by name. Units that lack a figure are left out and listed.

    References
    ----------
    .. [1] Kakwani, N., Wagstaff, A. & van Doorslaer, E. (1997). Socioeconomic inequalities in health: measurement,
       computation, and statistical inference. Journal of Econometrics 77, 87-103.

    Examples
    --------
    Two districts of 100: the deprived one reaches 10 jobs, the other 30.

    >>> units = pd.Index(["N", "S"], name="area_id")
    >>> jobs, people = pd.Series([10.0, 30.0], index=units), pd.Series([100, 100], index=units)
    >>> found = access_equity(jobs, people, pd.Series([140.0, 80.0], index=units), quantiles=2)
    >>> {name: round(found.measures[name], 3) for name in ("mean", "palma", "gini", "concentration", "gap_ratio")}
    {'mean': 20.0, 'palma': 3.0, 'gini': 0.25, 'concentration': 0.25, 'gap_ratio': 0.5}
    """
    _check(access, residents, score, groups, quantiles)
    units, left_out = _together(access, residents, score)
    if units.empty or not units["residents"].sum():
        what, hint = "no unit has access, residents and a score", "do their indices name the same units?"
        raise SpecError(Fault(what=what, key="access", hint=hint))
    units["quantile"] = _quantile_of(units, quantiles)
    by_quantile = _by_parts({part: units["residents"].where(units["quantile"] == part, 0.0)
                             for part in range(1, quantiles + 1)}, units, standard)  # fmt: skip
    own: dict[object, pd.Series] = (
        {} if groups is None else {str(name): groups[name].reindex(units.index).astype(float) for name in groups}
    )
    by_group = _by_parts(own, units, standard).rename_axis("group")
    curve = _curve(units)
    measures = _measures(units, by_quantile, standard, higher_is_better=higher_is_better)
    notes = []
    if len(left_out):
        why = ", ".join(f"{reason} {many:,}" for reason, many in left_out["reason"].value_counts().items())
        notes.append(f"{len(left_out):,} unit(s) with {left_out['residents'].sum():,.0f} residents are left out: {why}")
    empty = [str(part) for part in by_quantile.index[:-1] if by_quantile.loc[part, "units"] == 0]
    notes += [f"part(s) {listed(empty)} hold no unit: single units have more people than a part"] if empty else []
    missing = [str(name) for name, people in own.items() if people.isna().any()]
    notes += [f"groups not known in every unit, counted where they are: {listed(missing)}"] if missing else []
    return Equity(by_quantile, by_group, measures, curve, units, left_out, tuple(notes))


def _check(
    access: pd.Series, residents: pd.Series, score: pd.Series, groups: pd.DataFrame | None, quantiles: int
) -> None:
    faults = Faults()
    if quantiles < 2:  # noqa: PLR2004  one part is no comparison
        faults.add(
            SpecError(Fault(what=f"{quantiles} part(s) cannot be compared", key="quantiles", expected="2 or more"))
        )
    sides = {"access": access, "residents": residents, "score": score} | ({} if groups is None else {"groups": groups})
    for name, values in sides.items():
        twice = values.index[values.index.duplicated()].unique()
        if len(twice):
            what = f"{len(twice):,} unit(s) occur more than once: {listed(twice)}"
            faults.add(IdError(Fault(what=what, key=name, expected="each unit once")))
        numbers = values.to_numpy(float)
        if name != "score" and (numbers < 0).any():
            faults.add(TableError(Fault(what="a figure is below 0", key=name, expected="0 or more")))
        if np.isinf(numbers).any():
            faults.add(TableError(Fault(what="a figure is infinite", key=name, expected="NaN where it is not known")))
    faults.raise_any()


def _together(access: pd.Series, residents: pd.Series, score: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the units of which all three are known, and the others with the reason."""
    sides = {"residents": residents, "score": score, "access": access}
    every = access.index.union(residents.index).union(score.index)
    units = pd.DataFrame({name: values.reindex(every).astype(float) for name, values in sides.items()}, index=every)
    units.index.name = access.index.name
    lacking = units.isna()
    reason = lacking.apply(lambda row: ", ".join(f"no {name}" for name in row.index[row]), axis=1)
    nobody = ~lacking.any(axis=1) & (units["residents"] == 0)
    out = lacking.any(axis=1)
    left_out = units[out].assign(reason=reason[out])
    return units[~out & ~nobody].copy(), left_out


def _quantile_of(units: pd.DataFrame, parts: int) -> pd.Series:
    """Put whole units into parts of equal numbers of people, the most deprived first."""
    order = units.assign(name=units.index.astype(str)).sort_values(["score", "name"], ascending=[False, True])
    upto = order["residents"].cumsum() - order["residents"] / 2
    part = np.minimum(np.floor(upto / order["residents"].sum() * parts) + 1, parts).astype(int)
    return part.reindex(units.index)


def _by_parts(parts: Mapping[object, pd.Series], units: pd.DataFrame, standard: Standard | None) -> pd.DataFrame:
    """Describe the access of each part of the people, and of all."""
    access = units["access"].to_numpy()
    whole = float(np.average(access, weights=units["residents"]))
    rows = {}
    for name, people in ({**parts, "all": units["residents"]} if parts else {}).items():
        weight = people.fillna(0.0).to_numpy()
        total = float(weight.sum())
        told = {"residents": total, "units": int(np.count_nonzero(weight))}
        empty = total == 0
        marks = [np.nan] * 3 if empty else weighted_quantile(access, weight, (0.1, 0.5, 0.9))
        told["mean"] = np.nan if empty else float(np.average(access, weights=weight))
        told |= dict(zip(("p10", "median", "p90"), (float(mark) for mark in marks), strict=True))
        told["to_all"] = told["mean"] / whole if whole else np.nan
        if standard is not None:
            told["below"] = float(weight[~standard.met(access)].sum())
            told["share_below"] = told["below"] / total if total else np.nan
        rows[name] = told
    columns = ["residents", "units", "mean", "p10", "median", "p90", "to_all"]
    columns += ["below", "share_below"] if standard is not None else []
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("quantile")


def _curve(units: pd.DataFrame) -> pd.DataFrame:
    """Return the concentration curve and the Lorenz curve, at every share of people that either bends at."""
    total = float((units["residents"] * units["access"]).sum())

    def upto(by: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        together = (units["residents"] * units["access"]).groupby(by).sum(), units["residents"].groupby(by).sum()
        people = np.concatenate([[0.0], together[1].cumsum().to_numpy() / units["residents"].sum()])
        share = together[0].cumsum().to_numpy() / total if total else np.full(len(together[0]), np.nan)
        return people, np.concatenate([[0.0], share])

    ranked, deprived = upto(units["access"]), upto(-units["score"])
    at = np.unique(np.round(np.concatenate([ranked[0], deprived[0]]), 12))
    return pd.DataFrame({"people": at, "access": np.interp(at, *deprived), "ranked": np.interp(at, *ranked)})


def _measures(
    units: pd.DataFrame, by_quantile: pd.DataFrame, standard: Standard | None, *, higher_is_better: bool
) -> dict[str, float]:
    access, people = units["access"].to_numpy(), units["residents"].to_numpy()
    mean = float(np.average(access, weights=people))
    sign = 1 if higher_is_better else -1
    most = float(by_quantile["mean"].iloc[0])
    least_deprived, most_deprived = (
        _mean_of_first(access, people, sign * units["score"].to_numpy(), part)
        for sign, part in ((1, _BEST_PEOPLE), (-1, _WORST_PEOPLE))
    )
    best = _mean_of_first(access, people, -sign * access, 1 - _BEST)
    told = {
        "mean": mean,
        "palma": least_deprived / most_deprived if most_deprived else np.nan,
        "gini": _concentration(access, people, access),
        "concentration": _concentration(access, people, -units["score"].to_numpy()),
        "gap": most - mean,
        "gap_ratio": most / mean if mean else np.nan,
        "best_decile": best,
        "gap_to_best": most / best if best else np.nan,
    }
    if standard is not None:
        limit = float(standard.at_least if standard.at_least is not None else standard.at_most or 0.0)
        below = ~standard.met(access)
        lacking = (
            np.where(below, np.minimum(np.abs(limit - access) / limit, 1.0), 0.0)
            if limit
            else np.full(len(access), np.nan)
        )
        told |= {"below": float(people[below].sum()), "share_below": float(people[below].sum() / people.sum())}
        told["shortfall"] = float(np.average(lacking, weights=people))
    return told


def _mean_of_first(access: np.ndarray, people: np.ndarray, order: np.ndarray, part: float) -> float:
    """Return the mean over the first so many of the people; units of equal standing are counted alike."""
    frame = pd.DataFrame({"order": order, "people": people, "sum": people * access}).groupby("order").sum()
    upto = frame["people"].cumsum().to_numpy()
    wanted = part * upto[-1]
    counted = np.clip(wanted - (upto - frame["people"].to_numpy()), 0, frame["people"].to_numpy())
    return float((counted * frame["sum"] / frame["people"]).sum() / counted.sum())


def _concentration(access: np.ndarray, people: np.ndarray, order: np.ndarray) -> float:
    """Return twice the area between a concentration curve and the diagonal; ties share their mean rank."""
    frame = pd.DataFrame({"order": order, "people": people, "sum": people * access}).groupby("order").sum()
    total, whole = frame["sum"].sum(), frame["people"].sum()
    if not total:
        return float("nan")
    rank = (frame["people"].cumsum() - frame["people"] / 2) / whole
    return float(2 * (frame["sum"] * rank).sum() / total - 1)


def deprivation_access_classes(
    access: pd.Series,
    score: pd.Series,
    *,
    higher_is_better: bool = True,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """Put units into nine classes, by third of deprivation and by third of access, to see where both are worst.

    Parameters
    ----------
    access, score
        Of the same units; the score is the higher the worse.
    higher_is_better
        Whether more of ``access`` is better; False for minutes.
    limits
        Two limits of the score and two of access, rising, to compare years by the same ones; thirds of the units when
        left out.

    Returns
    -------
    pandas.DataFrame
        By unit: ``deprivation`` (1 low to 3 high), ``poor_access`` (1 good to 3 poor), ``class`` = ``"3-3"`` for the
        worst of both, and ``status`` (``observed``, or ``not_collected`` where one is missing). The limits used are in
        ``attrs["limits"]``. A unit at a limit belongs to the higher third of the score or access.

    Raises
    ------
    InputError
        When fewer than three units have both, or limits do not rise.

    Examples
    --------
    >>> units = list("abcdef")
    >>> score = pd.Series([60, 80, 95, 105, 130, 160.0], index=units)
    >>> jobs = pd.Series([90, 70, 50, 60, 20, 10.0], index=units)
    >>> deprivation_access_classes(jobs, score)["class"].to_dict()
    {'a': '1-1', 'b': '1-1', 'c': '2-2', 'd': '2-2', 'e': '3-3', 'f': '3-3'}
    """
    every = access.index.union(score.index, sort=False)
    both = pd.DataFrame({"score": score.reindex(every), "access": access.reindex(every)}).astype(float)
    known = both.dropna()
    if limits is None:
        if len(known) < _TERCILES:
            what = f"{len(known)} unit(s) have both a score and access"
            raise SpecError(Fault(what=what, expected="at least three, one a third"))
        thirds = [tuple(float(mark) for mark in np.quantile(known[name], (1 / 3, 2 / 3))) for name in both]
        limits = ((thirds[0][0], thirds[0][1]), (thirds[1][0], thirds[1][1]))
    if any(not low <= high for low, high in limits):
        raise SpecError(Fault(what=f"limits {limits} do not rise", key="limits"))
    level = {
        name: np.searchsorted(marks, known[name], side="right") + 1 for name, marks in zip(both, limits, strict=True)
    }
    poor = _TERCILES + 1 - level["access"] if higher_is_better else level["access"]
    table = pd.DataFrame({"deprivation": level["score"], "poor_access": poor}, index=known.index).astype("Int64")
    table = table.reindex(every)
    named = table["deprivation"].astype("string") + "-" + table["poor_access"].astype("string")
    table["class"] = named.astype(object).where(named.notna(), None)
    table["status"] = np.where(named.notna(), "observed", "not_collected")
    table.attrs["limits"] = limits
    return table
