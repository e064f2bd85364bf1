"""What is left for each when others reach the same: floating catchments, and people weighed against opportunities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, InputError
from geoplan.reach.amounts import (
    Amounts,
    amounts_of,
    asked_percentiles,
    asked_thresholds,
    from_index,
    in_chunks,
    minutes_until,
    one_of,
    out_of_scope,
    step_table,
    summed,
)
from geoplan.reach.decay import Decay
from geoplan.reach.times import TravelTimes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CATCHMENTS", "FloatingCatchment", "floating_catchment", "population_balance"]

#: Methods of :func:`floating_catchment`.
CATCHMENTS = ("2sfca", "e2sfca", "3sfca", "balanced")
_NEGLIGIBLE = 1e-12  # weights below would be divided by one another


@dataclass(frozen=True, eq=False)
class FloatingCatchment:
    """Supply per person, where everybody competes with those who reach the same places.

    Attributes
    ----------
    method
        How it was computed: one of :data:`CATCHMENTS`.
    weights
        The weight of travel time, in words.
    access
        By ``from_id``: supply per unit of demand. 0 where no place with any supply is reached; NaN where the origin is
        on no street, and with the balanced method where nobody lives.
    ratio
        By ``to_id``: supply per unit of the demand that the place has to serve (the level of service). NaN where no
        demand comes.
    catchment
        By ``to_id``: that demand, weighted by travel time and choice.
    demand, supply
        Totals handed in.
    demand_met, supply_met
        Demand of origins that reach any supply; supply of places that any demand reaches.
    left_out
        Who has no part in it: ``side`` ("from": people, "to": supply), ``id``, ``amount``, ``status``
        (``out_of_scope``: on no street or not in the matrix; ``not_reached``; ``not_applicable``: nobody lives there),
        ``reason``. Ids of no amount are left out, but where that makes their access NaN.
    """

    method: str
    weights: str
    access: pd.Series
    ratio: pd.Series
    catchment: pd.Series
    demand: float
    supply: float
    demand_met: float
    supply_met: float
    left_out: pd.DataFrame

    def __repr__(self) -> str:
        """Say how large it is."""
        size = f"{len(self.access):,} x {len(self.ratio):,}"
        return f"FloatingCatchment({self.method}, {size}, {_share(self.demand_met, self.demand)} of demand served)"

    @property
    def demand_unserved(self) -> float:
        """Demand of origins that reach no place with any supply, or are on no street."""
        return self.demand - self.demand_met

    @property
    def supply_unused(self) -> float:
        """Supply of places that no demand reaches."""
        return self.supply - self.supply_met

    def lines(self) -> list[str]:
        """Say in sentences what was done and who has no part in it."""
        told = [f"{_METHODS[self.method]}; weight by travel time: {self.weights}."]
        for side, total, met, what, why in (
            ("from", self.demand, self.demand_met, "demand", "reaches no supply"),
            ("to", self.supply, self.supply_met, "supply", "is where no demand comes"),
        ):
            outside = self.left_out[(self.left_out["side"] == side) & (self.left_out["status"] == "out_of_scope")]
            lost = float(outside["amount"].sum())
            if total > met:
                told.append(f"{total - met:,.0f} of {total:,.0f} {what} ({_share(total - met, total)}) {why}.")
            if lost > 0:
                told.append(f"Of it {lost:,.0f} at {len(outside):,} point(s) on no street: nothing is known of these.")
        return told


_METHODS = {
    "2sfca": "Two-step floating catchment",
    "e2sfca": "Enhanced two-step floating catchment",
    "3sfca": "Three-step floating catchment",
    "balanced": "Balanced floating catchment",
}


def floating_catchment(
    times: TravelTimes,
    supply: pd.Series,
    demand: pd.Series,
    *,
    method: str = "2sfca",
    within_min: float | None = None,
    decay: Decay | None = None,
    bands: Mapping[float, float] | None = None,
    attraction: float = 0,
    percentile: float | None = None,
) -> FloatingCatchment:
    r"""Return supply per person, with competition: the floating-catchment family.

    With people :math:`P_i`, supply :math:`S_j` and a weight of travel time :math:`w_{ij}`:

    **Two steps** (``"2sfca"``, all within *T* count alike; ``"e2sfca"``, weights by bands or a decay):

    .. math:: R_j = S_j / \sum_i P_i w_{ij}, \qquad A_i = \sum_j R_j w_{ij}

    **Three steps** (``"3sfca"``): people choose among places, so that one with much choice burdens each the less.

    .. math:: G_{ij} = S_j^a w_{ij} / \sum_k S_k^a w_{ik}, \quad
              R_j = S_j / \sum_i P_i G_{ij} w_{ij}, \quad A_i = \sum_j R_j G_{ij} w_{ij}

    In both :math:`\sum_i A_i P_i = \sum_j S_j` over the places that any demand reaches: no place is given out twice.

    **Balanced** (``"balanced"``): each person's demand is divided among places, and each place's level of service among
    origins, in shares that add to 1. Demand is not counted twice, either.

    .. math:: R_j = S_j / \sum_i P_i \frac{w_{ij}}{\sum_k w_{ik}}, \qquad
              A_i = \sum_j R_j \frac{w_{ij}}{\sum_h w_{hj}}

    Here :math:`\sum_i A_i = \sum_j R_j`. Origins, not people, have equal claims on a place, so results of zones of
    different size are not to be compared: use it with cells of one size.

    Parameters
    ----------
    times
        Travel times.
    supply
        Jobs, places or beds :math:`S_j` of one kind, at every destination by id.
    demand
        People :math:`P_i` who need them, at every origin by id.
    method
        One of :data:`CATCHMENTS`.
    within_min
        The catchment *T* in minutes. ``"2sfca"`` needs it and takes nothing else; with ``decay`` it cuts weights off.
    decay
        A weight by travel time.
    bands
        Weights by the minutes up to which they hold, as ``{10: 1, 20: 0.68, 30: 0.22}``; in place of ``decay``.
    attraction
        For ``"3sfca"``: the power *a* of supply in the choice. 0, choice by travel time alone, is the method as
        published; 1 is Huff's choice, in which larger places draw more.
    percentile
        Which of the window's travel times; may be left out where there is one.

    Returns
    -------
    FloatingCatchment
        ``access`` by origin, ``ratio`` and ``catchment`` by destination, totals, and who has no part in it.

    Raises
    ------
    InputError
        When ids do not match the times or occur twice, amounts are missing or below 0, or the method does not go
        together with the weights: everything at once.

    Notes
    -----
    Weights under 1e-12 count as 0. Places without supply are no choice: in ``"3sfca"`` and ``"balanced"`` they take no
    share of anybody. In ``"balanced"`` nor do origins where nobody lives. With supply and people everywhere that is the
    method as published.

    References
    ----------
    2SFCA: Luo and Wang (2003), *Environment and Planning B* 30(6), 865–884. Enhanced: Luo and Qi (2009), *Health &
    Place* 15(4), 1100–1107. 3SFCA: Wan, Zou and Sternberg (2012), *International Journal of Geographical
    Information Science* 26(6), 1073–1089. Huff's choice in a catchment: Luo (2014), *Transactions in GIS* 18(3),
    436–448. Balanced: Paez, Higgins and Vivona (2019), *PLOS ONE* 14(6), e0218773.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1500]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> jobs, people = pd.Series({"x": 100, "y": 40}), pd.Series({"a": 120, "b": 80})
    >>> found = floating_catchment(times, jobs, people, within_min=20)
    >>> found.ratio.tolist(), found.access.tolist()
    ([0.5, nan], [0.5, 0.5])
    >>> print(*found.lines(), sep="\n")
    Two-step floating catchment; weight by travel time: steps: 1 up to 20 min, then 0.
    40 of 140 supply (28.6%) is where no demand comes.
    """
    faults = Faults()
    shares, places = asked_percentiles(percentile, times, faults)
    if shares.many:
        faults.add(
            InputError(Fault(what="several percentiles are asked for at once", key="percentile", expected="one"))
        )
    supplied = amounts_of(supply, times, "to", "supply", faults, one=True)
    everybody = amounts_of(demand, times, "from", "demand", faults, one=True)
    weights = _weights(times, method, within_min, decay, bands, attraction, faults)
    faults.raise_any()
    assert supplied is not None  # noqa: S101  else there were faults
    assert everybody is not None  # noqa: S101  same
    assert weights is not None  # noqa: S101  same
    seconds, table = times.seconds[:, :, places[0]], weights.table()
    table[table < _NEGLIGIBLE] = 0
    outside, _ = out_of_scope(times)
    wanted = np.where(outside, 0, everybody.one)  # what is on no street reaches itself alone
    if method == "balanced":
        parts = _balanced(seconds, table, supplied.one, wanted)
    elif method == "3sfca":
        parts = _three_steps(seconds, table, supplied.one, wanted, float(attraction))
    else:
        parts = _two_steps(seconds, table, supplied.one, wanted)
    return _result(times, (seconds, table), method, weights.describe(), supplied, everybody, parts)


def population_balance(
    times: TravelTimes,
    opportunities: pd.Series,
    people: pd.Series,
    *,
    within_min: float,
    percentile: float | None = None,
) -> pd.DataFrame:
    r"""Weigh the opportunities in reach against the people who reach the same ones.

    With people :math:`P_i`, a place is reached by :math:`D_j = \sum_{i: t_{ij} \le T} P_i`, and

    .. math:: A_i = \sum_{j: t_{ij} \le T} O_j, \qquad R_i = \frac{1}{A_i} \sum_{j: t_{ij} \le T} O_j D_j

    Where everybody reaches everything, :math:`A_i / R_i` is opportunities per person of the whole.

    Parameters
    ----------
    times
        Travel times.
    opportunities
        Amounts :math:`O_j` of one kind, at every destination by id.
    people
        People :math:`P_i` who look for them, at every origin by id.
    within_min
        Minutes *T*.
    percentile
        Which of the window's travel times; may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        By ``from_id``:

        - ``people``: who live there;
        - ``opportunities``: :math:`A_i`, reached within *T*;
        - ``rivals``: :math:`R_i`, people who reach one of these opportunities, on average over them, those who live at
          the origin included; NaN where none is reached;
        - ``opportunities_per_rival``: :math:`A_i / R_i`; 0 where none is reached, NaN where nobody lives anywhere;
        - ``balancing_min``: minutes until as many opportunities are reached as people live at the origin; NaN where
          nobody lives, and where that is not reached in the longest trip that was computed;
        - ``status``: ``observed``; ``out_of_scope`` where the origin is on no street: everything but ``people`` is NaN.

    Raises
    ------
    InputError
        As for :func:`opportunities`.

    References
    ----------
    Balancing time: Barboza, Carneiro, Falavigna, Luz and Orrico (2021), *Journal of Transport Geography* 90, 102924.
    The ratio is the arithmetic above and from no paper; :func:`floating_catchment` has what the literature compares.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1500]], [[1200], [65535]]], dtype=np.uint16)
    >>> times = TravelTimes(["a", "b"], ["x", "y"], (50,), seconds)
    >>> jobs, people = pd.Series({"x": 100, "y": 40}), pd.Series({"a": 120, "b": 80})
    >>> population_balance(times, jobs, people, within_min=20).drop(columns="status")
             people  opportunities  rivals  opportunities_per_rival  balancing_min
    from_id
    a         120.0          100.0   200.0                      0.5           25.0
    b          80.0          100.0   200.0                      0.5           20.0
    """
    faults = Faults()
    asked = asked_thresholds(within_min, times, faults)
    shares, places = asked_percentiles(percentile, times, faults)
    if asked.many or shares.many:
        faults.add(
            InputError(Fault(what="several balances are asked for at once", expected="one time, one percentile"))
        )
    supply = amounts_of(opportunities, times, "to", "opportunities", faults, one=True)
    demand = amounts_of(people, times, "from", "people", faults, one=True)
    faults.raise_any()
    assert supply is not None  # noqa: S101  else there were faults
    assert demand is not None  # noqa: S101  same
    seconds, table = times.seconds[:, :, places[0]], step_table(asked.numbers[0])
    outside, _ = out_of_scope(times)
    rivals = _two_steps(seconds, table, supply.one, np.where(outside, 0, demand.one)).catchment
    reached, product = summed(seconds, table, np.column_stack([supply.one, supply.one * rivals])).T
    mean = np.divide(product, reached, out=np.full(len(reached), np.nan), where=reached > 0)
    ratio = np.divide(reached, mean, out=np.where(reached > 0, np.nan, 0.0), where=mean > 0)
    balancing = np.where(demand.one > 0, minutes_until(seconds, supply.figures, demand.figures)[:, 0], np.nan)
    frame = pd.DataFrame(
        {
            "people": demand.one,
            "opportunities": reached,
            "rivals": mean,
            "opportunities_per_rival": ratio,
            "balancing_min": balancing,
            "status": "observed",
        },
        index=from_index(times),
    )
    frame.loc[outside, ["opportunities", "rivals", "opportunities_per_rival", "balancing_min"]] = np.nan
    frame.loc[outside, "status"] = "out_of_scope"
    return frame


# ---------------------------------------------------------------- inside


def _weights(
    times: TravelTimes,
    method: str,
    within_min: float | None,
    decay: Decay | None,
    bands: Mapping[float, float] | None,
    attraction: float,
    faults: Faults,
) -> Decay | None:
    """Check that the method goes together with its weights, and return these."""
    known = one_of(method, CATCHMENTS, "method", faults)
    if attraction and method != "3sfca":
        what = f"attraction has no part in '{method}'"
        faults.add(InputError(Fault(what=what, key="attraction", expected="0, or method='3sfca'")))
    if isinstance(attraction, bool) or not isinstance(attraction, int | float) or not 0 <= attraction < np.inf:
        what = f"attraction cannot be {attraction!r}"
        faults.add(InputError(Fault(what=what, key="attraction", expected="a number of 0 or more")))
    if decay is not None and not isinstance(decay, Decay):
        what = f"decay is a {type(decay).__name__}"
        faults.add(InputError(Fault(what=what, key="decay", expected="a Decay, as Decay.halving('exponential', 10)")))
        return None
    given = [
        name for name, value in (("within_min", within_min), ("decay", decay), ("bands", bands)) if value is not None
    ]
    allowed: dict[str, list[list[str]]] = {"2sfca": [["within_min"]]}
    usual = [["decay"], ["within_min", "decay"], ["bands"]]
    allowed |= {"e2sfca": usual, "3sfca": [["within_min"], *usual], "balanced": [["within_min"], *usual]}
    if known and given not in allowed[method]:
        what = f"'{method}' is asked for with {' and '.join(given) or 'no weights'}"
        expected = "; or ".join(" and ".join(choice) for choice in allowed[method])
        faults.add(InputError(Fault(what=what, key="method", expected=expected)))
        return None
    limit = None
    if within_min is not None:
        asked = asked_thresholds(within_min, times, faults)
        if asked.many:
            faults.add(InputError(Fault(what="several catchments are asked for", key="within_min", expected="one")))
        limit = asked.numbers[0] if asked.numbers else None
    with faults.catch(key="bands"):
        if bands is not None:
            stepped = Decay.step(bands)
            asked_thresholds(stepped.steps[-1][0], times, faults, key="bands")
            return stepped
    if decay is None:
        return None if limit is None else Decay.step(limit)
    if limit is None:
        return decay
    return Decay(
        decay.kind,
        decay.half_time_min,
        decay.shape,
        decay.floor_min,
        decay.steps,
        min(limit, decay.within_min or limit),
    )


@dataclass(frozen=True, eq=False)
class _Parts:
    access: NDArray[np.float64]
    ratio: NDArray[np.float64]
    catchment: NDArray[np.float64]


def _divided(top: Any, bottom: NDArray[np.float64], otherwise: float = np.nan) -> NDArray[np.float64]:
    out = np.full(len(bottom), otherwise)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def _two_steps(
    seconds: NDArray[np.uint16], table: NDArray[np.float64], supply: NDArray[np.float64], demand: NDArray[np.float64]
) -> _Parts:
    catchment = np.zeros(len(supply))
    for rows in in_chunks(*seconds.shape):
        catchment += demand[rows] @ table[seconds[rows]]
    ratio = _divided(supply, catchment)
    access = summed(seconds, table, np.nan_to_num(ratio)[:, None])[:, 0]
    return _Parts(access, ratio, catchment)


def _three_steps(
    seconds: NDArray[np.uint16],
    table: NDArray[np.float64],
    supply: NDArray[np.float64],
    demand: NDArray[np.float64],
    attraction: float,
) -> _Parts:
    drawing = np.where(supply > 0, supply / max(1.0, supply.max(initial=0.0)), 0.0) ** attraction * (supply > 0)
    choice = summed(seconds, table, drawing[:, None])[:, 0]
    each = _divided(demand, choice, 0.0)
    twice = table**2  # the weight is in the choice, and once more in what is chosen
    catchment = np.zeros(len(supply))
    for rows in in_chunks(*seconds.shape):
        catchment += each[rows] @ twice[seconds[rows]]
    catchment *= drawing
    ratio = _divided(supply, catchment)
    access = _divided(summed(seconds, twice, (np.nan_to_num(ratio) * drawing)[:, None])[:, 0], choice, 0.0)
    return _Parts(access, ratio, catchment)


def _balanced(
    seconds: NDArray[np.uint16], table: NDArray[np.float64], supply: NDArray[np.float64], demand: NDArray[np.float64]
) -> _Parts:
    offered, lived = (supply > 0).astype(float), (demand > 0).astype(float)
    choice = summed(seconds, table, offered[:, None])[:, 0]
    each = np.column_stack([_divided(demand, choice, 0.0), lived])
    both = np.zeros((2, len(supply)))
    for rows in in_chunks(*seconds.shape):
        both += each[rows].T @ table[seconds[rows]]
    catchment, claims = both * offered
    ratio = _divided(supply, catchment)
    shared = _divided(np.nan_to_num(ratio), claims, 0.0)
    access = summed(seconds, table, shared[:, None])[:, 0]
    return _Parts(np.where(lived > 0, access, np.nan), ratio, catchment)


def _result(
    times: TravelTimes,
    weighing: tuple[NDArray[np.uint16], NDArray[np.float64]],
    method: str,
    weights: str,
    supply: Amounts,
    demand: Amounts,
    parts: _Parts,
) -> FloatingCatchment:
    seconds, table = weighing
    outside, _ = out_of_scope(times)
    offers = summed(seconds, (table > 0).astype(float), (supply.one > 0).astype(float)[:, None])[:, 0] > 0
    offers &= ~outside
    met, used = demand.one > 0, parts.catchment > 0
    sides = (
        ("from", times.from_ids, demand.one, offers, met),
        ("to", times.to_ids, supply.one, used, supply.one > 0),
    )
    left = pd.concat([_left(times, *side, method) for side in sides], ignore_index=True)
    access = pd.Series(np.where(outside, np.nan, parts.access), index=from_index(times), name="access")
    places = pd.Index(times.to_ids, name="to_id")
    return FloatingCatchment(
        method,
        weights,
        access,
        pd.Series(parts.ratio, index=places, name="ratio"),
        pd.Series(parts.catchment, index=places, name="catchment"),
        float(demand.one.sum()),
        float(supply.one.sum()),
        float(demand.one[offers].sum()),
        float(supply.one[used].sum()),
        left,
    )


def _left(
    times: TravelTimes,
    side: str,
    ids: NDArray[Any],
    amounts: NDArray[np.float64],
    served: NDArray[np.bool_],
    there: NDArray[np.bool_],
    method: str,
) -> pd.DataFrame:
    """List the points of a side that have no part, and why."""
    outside, reasons = out_of_scope(times, side)
    unmet = "no place with any supply is in reach" if side == "from" else "no demand is in reach"
    status = np.where(served, "", "not_reached").astype(object)
    reason = np.where(served, "", unmet).astype(object)
    listed = there & ~served
    if side == "from":
        listed |= outside
        if method == "balanced":
            empty = ~there
            status[empty], reason[empty], listed = "not_applicable", "nobody lives there", listed | empty
    status[outside] = "out_of_scope"
    reason[outside] = [reasons[name] for name in ids[outside]]
    listed |= outside & there
    frame = pd.DataFrame({"side": side, "id": ids, "amount": amounts, "status": status, "reason": reason}, dtype=object)
    return frame[listed].astype({"amount": float})


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole > 0 else "nothing"
