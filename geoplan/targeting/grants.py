"""Grants by performance: an envelope divided by what changed for the better, to the krona; and what if.

Every division goes through whole numbers (see :mod:`geoplan.targeting.amounts`): what is paid adds up to the envelope,
and neither the order of the areas nor the unit of the money changes a krona of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.specs.grants import PerformanceGrantSpec
from geoplan.targeting.amounts import (
    areas_of,
    caller,
    divided,
    exact,
    extremes,
    kronor,
    said,
    whole_numbers,
)
from geoplan.targeting.by_need import NeedGrants
from geoplan.targeting.improvements import Improvements, improvements_of

__all__ = [
    "GrantChange",
    "PerformanceGrants",
    "compare_grants",
    "grants_by_performance",
    "grants_if",
    "roll_up_grants",
]


_ROUNDING = "exact fractions, largest remainder; equal remainders: who earns more beyond the guaranteed, then by code"


@dataclass(frozen=True)
class PerformanceGrants:
    """A grant by performance.

    Attributes
    ----------
    table
        Index ``area_id``, in order of the codes. Columns ``guaranteed``, ``performance``, ``payment`` (int64, kr; the
        third is the sum of the other two), ``share`` (float, of the envelope), ``factor`` (float; of the context, on
        improvements), ``missing`` (int64; number of indicators without a change that is known).
    parts
        One row an indicator and area: ``indicator``, ``area_id``, ``before``, ``after`` (float, in the indicator's
        unit), ``change`` (float, better above zero; in the unit, in parts of the earlier figure or in persons, as
        ``measure`` says), ``counts`` (float; what of it counts, times the factor), ``payment`` (int64, kr), ``reason``
        (why no change is known, else empty).
    pots
        Index ``indicator``. Columns ``weight`` (float; the share of the money beyond the guaranteed), ``pot`` (int64,
        kr), ``improved``, ``worse_or_same``, ``missing`` (int64, numbers of areas), ``counts`` (float; all that
        counts), ``by`` (``improvement``, or ``equal parts`` where no area improved).
    envelope
        In kr; what the payments add up to.
    payment_year, periods
        The year of the payment, and the two years of the data.
    conventions
        What was settled how: ``envelope``, ``guaranteed``, ``periods``, ``measure``, ``weights``, ``context``,
        ``missing``, ``nobody_improved``, ``rounding``.
    """

    table: pd.DataFrame
    parts: pd.DataFrame
    pots: pd.DataFrame
    envelope: int
    payment_year: int
    periods: tuple[str, str]
    conventions: Mapping[str, str]

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Say it in sentences; ``names`` maps a code to a name, such as ``areas["name"]``."""
        called = caller(names)
        guaranteed = self.table["guaranteed"]
        years = f"by what changed from {self.periods[0]} to {self.periods[1]} in {areas_of(len(self.table))}"
        text = [
            f"{said(self.envelope)} for {self.payment_year}, {years}.",
            f"{said(guaranteed.sum())} of it is divided equally: every area gets at least {said(guaranteed.min())}.",
        ]
        for name, row in self.pots.iterrows():
            told = f"{name}: {said(row['pot'])}; {row['improved']} of {areas_of(len(self.table))} improved"
            missing = f", {row['missing']} without a known change" if row["missing"] else ""
            equal = ", so that it is divided equally" if row["by"] != "improvement" else ""
            text.append(f"{told}{missing}{equal}.")
        if "factor" in self.conventions["context"]:
            text.append(f"Context: {self.conventions['context']}.")
        text.append(extremes(self.table["payment"], called))
        known = set(self.pots.index[self.pots["by"] == "improvement"])
        for row in self.parts[self.parts["reason"] != ""].itertuples():
            gets = "nothing" if row.indicator in known else "its equal part only"
            text.append(f"{called(row.area_id)} gets {gets} for {row.indicator}: {row.reason}.")
        return text


@dataclass(frozen=True)
class GrantChange:
    """Two divisions of the same envelope side by side.

    Attributes
    ----------
    table
        Index ``area_id``. Columns ``before``, ``after``, ``difference`` (int64, kr). The differences add up to zero.
    what
        What differs, in words; after "If" and the area's name where there is one area.
    area_id
        The area whose figures are other; empty when two divisions were handed in.
    """

    table: pd.DataFrame
    what: str
    area_id: str = ""

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None) -> list[str]:
        """Say it in sentences; ``names`` maps a code to a name, such as ``areas["name"]``."""
        called = caller(names)
        moved = self.table[self.table["difference"] != 0].sort_values("difference", ascending=False, kind="stable")
        total = int(moved["difference"].clip(lower=0).sum())
        what = f"If {called(self.area_id)} {self.what}" if self.area_id else self.what
        text = [f"{what}: {said(total)} would move; {areas_of(len(self.table) - len(moved))} unchanged."]
        for code, row in moved.iterrows():
            by = abs(int(row["difference"]))
            way = "more" if row["difference"] > 0 else "less"
            text.append(f"{called(code)}: {said(row['after'])} in place of {said(row['before'])}, {said(by)} {way}.")
        return text


# ---------------------------------------------------------------- by performance


def grants_by_performance(
    table: IndicatorTable,
    spec: PerformanceGrantSpec,
    *,
    payment_year: int,
    area_ids: Iterable[str] | None = None,
) -> PerformanceGrants:
    r"""Divide an envelope by what changed for the better from one year to the next.

    A part *g* of the envelope *E* is divided equally between the *N* areas. The rest is divided into one pot an
    indicator, by weight, and each pot by improvement:

    .. math::

        P_a = \frac{gE}{N} + \sum_i (1-g)E\,\frac{w_i}{\sum_j w_j} \cdot \frac{f_a \max(d_{ia}, 0)}{\sum_b f_b
        \max(d_{ib}, 0)}, \qquad d_{ia} = s_i\,(v_{ia}^{t-L} - v_{ia}^{t-L-1}), \qquad f_a = 1 + k\,\frac{r_a}{\bar r}

    with :math:`s_i = 1` where higher is better and −1 where it is worse, *t* the year of the payment, *L* the lag, and
    *r* the context over its plain mean, such as refugees received. What is guaranteed, the pots, and each pot are
    rounded to kronor one by one, by largest remainder; of equal remainders those come first who earn more beyond what
    is guaranteed. So an area whose own figure is better, while all else stays, never gets a krona less: the other pots
    do not depend on it, in its own pot see :func:`~geoplan.targeting.amounts.largest_remainder`, and its turn for a
    krona over does not come later. Nor does an area ever get less than one that it is nowhere behind.

    A change for the worse counts as none. A pot in which no area improved is divided equally. An area without a known
    change (missing or hidden figure, a break in the series) gets nothing of that pot and is listed with the reason.

    The Swedish scheme of 2012 (99 Mkr a year to 15 districts) is described so; its weights, the guaranteed part and its
    allowance for the reception of refugees were not published, and are therefore parameters here.

    Parameters
    ----------
    table
        The indicators; levels are made anew from counts where there are any.
    spec
        The rule.
    payment_year
        The year of the payment; the data are those of ``payment_year - lag`` and of the year before.
    area_ids
        The areas that are paid; all of the table when left out.

    Returns
    -------
    PerformanceGrants

    Raises
    ------
    SpecError
        When an indicator is unknown or neutral, a year of the data is not in the table, or what is guaranteed is less
        than a krona for each area.
    TableError
        When the envelope is no whole number of kronor, a figure occurs more than once, or a context is missing.
    IdError
        When an area occurs more than once or is not in the table.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> spec = PerformanceGrantSpec.model_validate(
    ...     {"kind": "performance", "envelope": 10, "unit": "Mkr", "guaranteed": 0.1, "lag": 1,
    ...      "indicators": [{"indicator": "outside_work_18_64"}]})
    >>> table = open_run("scenarios/fjordbo.toml").indicators()
    >>> made = grants_by_performance(table, spec, payment_year=2013)
    >>> int(made.table["payment"].sum()), int(made.table["payment"].min()), made.periods
    (10000000, 71428, ('2011', '2012'))
    """
    faults = Faults()
    envelope, found = 0, None
    with faults.catch():
        envelope = kronor(spec.envelope, spec.unit, key="envelope")
    with faults.catch():
        found = improvements_of(table, spec, payment_year=payment_year, area_ids=area_ids)
    share = exact(spec.guaranteed) or Fraction(0)
    sure = int(share * envelope)
    if found is not None and envelope and sure < len(found.area_ids):
        fault = Fault(
            what=f"{spec.guaranteed:g} of the envelope of {said(envelope)} is {said(sure)} for "
            f"{areas_of(len(found.area_ids))}",
            key="guaranteed",
            expected="at least a krona for each: every area gets something",
        )
        faults.add(SpecError(fault))
    faults.raise_any()
    if found is None:
        raise AssertionError  # its fault has been raised

    names = [item.indicator for item in spec.indicators]
    weights = whole_numbers({item.indicator: exact(item.weight) or Fraction(0) for item in spec.indicators})
    pots = divided(weights, envelope - sure)
    counts = {name: {area: found.weight(name, area) for area in found.area_ids} for name in names}
    guaranteed, paid = split(counts, pots, sure)
    whole = pd.DataFrame({"guaranteed": guaranteed}, dtype="int64").rename_axis("area_id")
    whole["performance"] = [sum(paid[name][area] for name in names) for area in found.area_ids]
    whole["payment"] = whole["guaranteed"] + whole["performance"]
    whole["share"] = whole["payment"] / envelope
    whole["factor"] = [float(found.factors[area]) for area in found.area_ids]
    whole["missing"] = [sum((name, area) in found.reasons for name in names) for area in found.area_ids]
    return PerformanceGrants(
        table=whole,
        parts=_parts(found, names, paid),
        pots=_pots(found, weights, pots),
        envelope=envelope,
        payment_year=payment_year,
        periods=found.periods,
        conventions=_performance_conventions(spec, found.periods),
    )


def split(
    counts: Mapping[str, Mapping[str, Fraction]], pots: Mapping[str, int], sure: int
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Divide what is guaranteed equally, and each pot by what counts, or equally where nothing does.

    Equal remainders: those first who earn more beyond what is guaranteed, before rounding. So an area that is nowhere
    behind another never gets less than it; and as a better figure of one's own brings more, and the others no more,
    nobody's turn comes later for being better.
    """
    areas = list(next(iter(counts.values())))
    equal = dict.fromkeys(areas, 1)
    weights = {name: whole_numbers(counts[name]) if any(counts[name].values()) else equal for name in pots}
    earned = dict.fromkeys(areas, Fraction(0))
    for name, pot in pots.items():
        size = sum(weights[name].values())
        earned = {area: part + Fraction(weights[name][area] * pot, size) for area, part in earned.items()}
    paid = {name: divided(weights[name], pot, before=earned) for name, pot in pots.items()}
    return divided(equal, sure, before=earned), paid


def _parts(found: Improvements, names: list[str], paid: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    def number(value: Fraction | None) -> float:
        return float("nan") if value is None else float(value)

    rows = [
        {
            "indicator": name,
            "area_id": area,
            "before": number(found.figures[name, area][0].level),
            "after": number(found.figures[name, area][1].level),
            "change": number(found.changes[name, area]),
            "counts": float(found.weight(name, area)),
            "payment": paid[name][area],
            "reason": found.reasons.get((name, area), ""),
        }
        for name in names
        for area in found.area_ids
    ]
    return pd.DataFrame(rows).astype({"payment": "int64"})


def _pots(found: Improvements, weights: Mapping[str, int], pots: Mapping[str, int]) -> pd.DataFrame:
    rows = {}
    for name, pot in pots.items():
        known = [change for area in found.area_ids if (change := found.changes[name, area]) is not None]
        improved = sum(change > 0 for change in known)
        rows[name] = {
            "weight": weights[name] / sum(weights.values()),
            "pot": pot,
            "improved": improved,
            "worse_or_same": len(known) - improved,
            "missing": len(found.area_ids) - len(known),
            "counts": float(sum(found.weight(name, area) for area in found.area_ids)),
            "by": "improvement" if improved else "equal parts",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("indicator")


def _performance_conventions(spec: PerformanceGrantSpec, periods: tuple[str, str]) -> dict[str, str]:
    sizes = {
        "points": "change in the indicator's unit",
        "relative": "change in parts of the earlier figure",
        "persons": "change of the rate times the earlier base",
    }
    weights = ", ".join(f"{item.indicator} {item.weight:g}" for item in spec.indicators)
    total = sum(item.weight for item in spec.indicators)
    context = "none"
    if spec.context is not None:
        context = (
            f"factor 1 + {spec.context.strength:g} × {spec.context.indicator} / its mean over the areas, "
            f"in {periods[1]} ({spec.context.basis})"
        )
    return {
        "envelope": f"{spec.envelope:g} {spec.unit}",
        "guaranteed": f"{spec.guaranteed:g} of the envelope, in equal parts",
        "periods": f"{periods[0]} to {periods[1]}, {spec.lag} years before the payment",
        "measure": f"{sizes[spec.measure]}; a change for the worse counts as none",
        "weights": f"{weights} (sum {total:g})",
        "context": context,
        "missing": "nothing of that pot; listed with the reason",
        "nobody_improved": "the pot is divided equally",
        "rounding": f"what is guaranteed, pots and parts of pots one by one: {_ROUNDING}",
    }


# ---------------------------------------------------------------- what if, and rolling up


def compare_grants(
    before: NeedGrants | PerformanceGrants, after: NeedGrants | PerformanceGrants, *, what: str = "After the change"
) -> GrantChange:
    """Set two divisions of the same envelope side by side.

    Raises
    ------
    SpecError
        When the envelopes differ.
    IdError
        When the areas do.

    Examples
    --------
    >>> from geoplan.specs.grants import NeedGrantSpec
    >>> from geoplan.targeting.by_need import grants_by_need
    >>> spec = NeedGrantSpec(kind="need", envelope=100, measure="need_count")
    >>> first, then = (grants_by_need(pd.Series({"a": 10, "b": many}), spec) for many in (10, 30))
    >>> compare_grants(first, then, what="With 30 in b").lines()[0]
    'With 30 in b: 25 kr would move; 0 areas unchanged.'
    """
    faults = Faults()
    if before.envelope != after.envelope:
        what = f"the envelopes are {said(before.envelope)} and {said(after.envelope)}"
        faults.add(SpecError(Fault(what=what, expected="the same envelope")))
    other = sorted(set(before.table.index) ^ set(after.table.index))
    if other:
        fault = Fault(what=f"{len(other)} area(s) are in one of the two only: {checks.listed(other)}")
        faults.add(IdError(fault))
    faults.raise_any()
    both = pd.DataFrame({"before": before.table["payment"], "after": after.table["payment"]})
    return GrantChange(both.assign(difference=both["after"] - both["before"]), what)


def grants_if(
    table: IndicatorTable,
    spec: PerformanceGrantSpec,
    *,
    payment_year: int,
    area_id: str,
    figures: Mapping[str, float],
    area_ids: Iterable[str] | None = None,
) -> GrantChange:
    """Say how all payments would change if one area's figures of the later year were other.

    Parameters
    ----------
    table, spec, payment_year, area_ids
        As of :func:`grants_by_performance`.
    area_id
        The area.
    figures
        Indicator → its figure in the later year, in the indicator's unit.

    Returns
    -------
    GrantChange

    Raises
    ------
    InputError
        As of :func:`grants_by_performance`; when the area is not paid, an indicator is not paid for, or a figure
        cannot be.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> spec = PerformanceGrantSpec.model_validate(
    ...     {"kind": "performance", "envelope": 10, "unit": "Mkr", "guaranteed": 0.1, "lag": 1,
    ...      "indicators": [{"indicator": "outside_work_18_64"}]})
    >>> table = open_run("scenarios/fjordbo.toml").indicators()
    >>> made = grants_if(table, spec, payment_year=2013, area_id="FB-02", figures={"outside_work_18_64": 20.0})
    >>> int(made.table["difference"].sum()), bool(made.table["difference"]["FB-02"] > 0)
    (0, True)
    """
    ids = None if area_ids is None else list(area_ids)
    before = grants_by_performance(table, spec, payment_year=payment_year, area_ids=ids)
    paid_for = [item.indicator for item in spec.indicators]
    faults = Faults()
    if area_id not in before.table.index:
        faults.add(checks.ids_not_among([area_id], list(before.table.index)))
    if not figures:
        faults.add(SpecError(Fault(what="there are no other figures", key="figures", expected="at least one")))
    for name, value in figures.items():
        if name not in paid_for:
            faults.add(checks.unknown_name("indicator that is paid for", name, paid_for, key="figures"))
            continue
        number, item = exact(value), table.definitions[name]
        most = {"share": 1.0, "pct": 100.0, "per_mille": 1000.0}.get(item.unit, inf) if item.kind == "share" else inf
        if number is None or number < 0 or number > most:
            expected = "a number from 0" if most == inf else f"a number from 0 to {most:g}"
            faults.add(TableError(Fault(what=f"{name} cannot be {value}", key="figures", expected=expected)))
    faults.raise_any()
    year = before.periods[1]
    after = grants_by_performance(
        _with_figures(table, area_id, year, figures), spec, payment_year=payment_year, area_ids=ids
    )
    told = ", ".join(f"{name} {float(value):g}" for name, value in figures.items())
    return replace(compare_grants(before, after, what=f"had {told} in {year}"), area_id=area_id)


def _with_figures(table: IndicatorTable, area_id: str, period: str, figures: Mapping[str, float]) -> IndicatorTable:
    """Return the table with other figures of an area; the base stays, and so does every other row."""
    data = table.data
    own = (data["area_id"] == area_id) & (data["period"] == period)
    rows = []
    for name, value in figures.items():
        found = data[own & (data["indicator"] == name)]
        base = float(found["denominator"].iloc[0]) if len(found) else np.nan
        rows.append((area_id, name, period, np.nan, base, float(value), "estimated"))
    kept = data[~(own & data["indicator"].isin(figures))]
    fresh = pd.DataFrame(
        rows, columns=["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    )
    return IndicatorTable(pd.concat([kept[list(fresh)], fresh], ignore_index=True), table.definitions)


def roll_up_grants(payment: pd.Series, parents: pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Add payments up, such as those of districts to the municipalities that receive them.

    Parameters
    ----------
    payment
        Area → kr, such as ``grants.table["payment"]``.
    parents
        Area → its parent, or ``child_id, parent_id``; each area exactly one.

    Returns
    -------
    pandas.DataFrame
        Index ``parent_id``, in order of the codes. Columns ``areas`` (int64; number of areas), ``payment`` (int64,
        kr), ``least``, ``most`` (int64, kr; of one of its areas).

    Raises
    ------
    IdError
        When an area has no parent or several.

    Examples
    --------
    >>> payment = pd.Series({"Rinkeby": 5, "Tensta": 7, "Araby": 6})
    >>> roll_up_grants(payment, pd.Series({"Rinkeby": "Stockholm", "Tensta": "Stockholm", "Araby": "Växjö"}))
               areas  payment  least  most
    parent_id
    Stockholm      2       12      5     7
    Växjö          1        6      6     6
    """
    pairs = parents
    if isinstance(parents, pd.Series):
        pairs = pd.DataFrame({"child_id": parents.index.to_numpy(), "parent_id": parents.to_numpy()})
    pairs = pairs.dropna(subset=["parent_id"]).drop_duplicates(["child_id", "parent_id"])
    pairs = pairs[pairs["child_id"].isin(payment.index)]
    faults = Faults()
    if not payment.index.is_unique:
        twice = [str(code) for code in payment.index[payment.index.duplicated()].unique()]
        faults.add(checks.duplicate_ids(twice, "area_id"))
    several = sorted(set(pairs["child_id"][pairs["child_id"].duplicated()]))
    _one_parent(several, "belong to several parents", faults)
    _one_parent(sorted(set(payment.index) - set(pairs["child_id"])), "have no parent", faults)
    faults.raise_any()
    above = payment.index.to_series().map(pairs.set_index("child_id")["parent_id"])
    by = payment.astype("int64").groupby(above.to_numpy())
    made = pd.DataFrame({"areas": by.size(), "payment": by.sum(), "least": by.min(), "most": by.max()})
    return made.astype("int64").rename_axis("parent_id")


def _one_parent(ids: list[str], what: str, faults: Faults) -> None:
    if ids:
        fault = Fault(what=f"{len(ids)} area(s) {what}: {checks.listed(ids)}", expected="exactly one for each")
        faults.add(IdError(fault))
