"""How quickly a decay has to fall so that modelled trips take as long as people's trips do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, InputError
from geoplan.reach.amounts import amounts_of, asked_percentiles, in_chunks, number_from, one_of, out_of_scope
from geoplan.reach.decay import DECAYS, Decay
from geoplan.reach.times import UNREACHED, TravelTimes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["calibrate", "mean_trip_min"]

_MODELS = ("production", "doubly")
_CLOSE = 1e-9  # of half-times
_SHORTEST_MIN, _LONGEST_MIN = 1e-3, 1e5  # half-times at which one second is another world, and all are alike
_ROUNDS, _BALANCED = 2000, 1e-9  # of a doubly constrained model
_CROWDED = 0.05  # of people may reach too few opportunities for all of them
_LEAST_FACTOR, _LEAST_WEIGHT = 1e-150, 1e-100  # less would divide by nothing


def calibrate(
    times: TravelTimes,
    people: pd.Series,
    opportunities: pd.Series,
    *,
    kind: str,
    mean_min: float,
    model: str = "production",
    shape: float | None = None,
    floor_min: float | None = None,
    percentile: float | None = None,
) -> Decay:
    r"""Find the half-time at which the mean modelled trip is as long as the mean observed one.

    Trips are modelled as :math:`T_{ij} = a_i P_i\, b_j O_j\, f(t_{ij})`. With ``"production"`` every person makes one
    trip (:math:`a_i`; all :math:`b_j = 1`); with ``"doubly"`` besides every opportunity is taken, in proportion where
    there are more or fewer of them than people. The mean is over all trips; it grows with the half-time.

    Parameters
    ----------
    times
        Travel times, of the mode and hour of the observed trips.
    people
        Those who travel, at every origin by id.
    opportunities
        Amounts of one kind, at every destination by id.
    kind
        ``"exponential"``, ``"power"``, ``"log_logistic"`` or ``"gaussian"``.
    mean_min
        The mean of the observed trips, of a travel survey, in minutes.
    model
        ``"production"`` for shopping and other choices that do not run out; ``"doubly"`` for jobs, each of
        which has one holder.
    shape, floor_min
        Of the log-logistic and the power; not calibrated.
    percentile
        Which of the window's travel times; may be left out where there is one.

    Returns
    -------
    Decay
        Whose modelled mean trip, :func:`mean_trip_min`, is ``mean_min``.

    Raises
    ------
    InputError
        When no half-time gives that mean: trips cannot be shorter than to the nearest opportunities, nor, with a
        decay, longer than to all of them alike. The message says what can be had. And as for :func:`gravity`.

    Notes
    -----
    People and opportunities that reach nothing of each other are left out of the model; so are origins on no street.
    The doubly constrained model is balanced by turns (Furness' method), the half-time found by Brent's method.

    References
    ----------
    That the parameter is the one that reproduces the observed mean cost: Hyman (1969), "The calibration of trip
    distribution models", *Environment and Planning A* 1(1), 105–112.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1800]]], dtype=np.uint16)
    >>> times = TravelTimes(["a"], ["x", "y"], (50,), seconds)
    >>> jobs, people = pd.Series({"x": 100, "y": 100}), pd.Series({"a": 50})
    >>> decay = calibrate(times, people, jobs, kind="exponential", mean_min=14)

    A fifth of the trips are of 30 minutes, four fifths of 10: a quarter as many after 20 more, so half after 10.

    >>> print(decay)
    negative exponential, half at 10 min: exp(-0.0693 t)
    """
    from scipy.optimize import brentq  # noqa: PLC0415  a third of a second, for those who calibrate alone

    faults = Faults()
    target = number_from(mean_min, "mean_min", faults)
    if one_of(kind, [name for name in DECAYS if name != "step"], "kind", faults):
        with faults.catch():
            Decay.halving(kind, _LONGEST_MIN, shape=shape, floor_min=floor_min)
    trips = _trips(times, people, opportunities, model, percentile, faults)
    faults.raise_any()
    assert trips is not None  # noqa: S101  else there were faults

    def make(half_time_min: float) -> Decay:
        return Decay.halving(kind, half_time_min, shape=shape, floor_min=floor_min)

    least = (1.0 if floor_min is None else floor_min) if kind == "power" else 0.0
    low, high = _bracket(trips, make, target, least)
    if low == high:
        return make(low)
    return make(float(brentq(lambda half: trips.mean(make(half)) - target, low, high, rtol=_CLOSE)))


def mean_trip_min(
    times: TravelTimes,
    people: pd.Series,
    opportunities: pd.Series,
    decay: Decay,
    *,
    model: str = "production",
    percentile: float | None = None,
) -> float:
    """Return the mean minutes of the trips that a decay makes people choose.

    Parameters
    ----------
    times, people, opportunities, model, percentile
        As for :func:`calibrate`.
    decay
        The weight by travel time.

    Raises
    ------
    InputError
        As for :func:`calibrate`, and when nobody reaches anything.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> seconds = np.array([[[600], [1800]]], dtype=np.uint16)
    >>> times = TravelTimes(["a"], ["x", "y"], (50,), seconds)
    >>> jobs, people = pd.Series({"x": 100, "y": 100}), pd.Series({"a": 50})
    >>> mean_trip_min(times, people, jobs, Decay.halving("exponential", 10))
    14.0
    """
    faults = Faults()
    trips = _trips(times, people, opportunities, model, percentile, faults)
    faults.raise_any()
    assert trips is not None  # noqa: S101  else there were faults
    return trips.mean(decay)


# ---------------------------------------------------------------- trips


@dataclass(frozen=True, eq=False)
class _Trips:
    """People and opportunities that reach something of each other, and whether opportunities run out."""

    seconds: NDArray[np.uint16]
    people: NDArray[np.float64]
    opportunities: NDArray[np.float64]
    doubly: bool

    def mean(self, decay: Decay) -> float:
        """Return the mean minutes of a trip."""
        table = _table(decay)
        minutes = np.append(np.arange(UNREACHED) / 60, 0.0)
        drawing = self._balanced(table) if self.doubly else self.opportunities
        both = np.column_stack([drawing, drawing])
        whole, long = np.zeros(len(self.people)), np.zeros(len(self.people))
        for rows in in_chunks(*self.seconds.shape):
            block = self.seconds[rows]
            weights = table[block]
            whole[rows] = weights @ both[:, 0]
            weights *= minutes[block]
            long[rows] = weights @ both[:, 0]
        some = (whole > 0) & (self.people > 0)
        if not some.any():
            what = f"so little is left of the decay at the nearest opportunities that nobody goes anywhere ({decay})"
            raise InputError(Fault(what=what, key="decay", expected="a longer half-time"))
        return float(np.sum(self.people[some] * long[some] / whole[some]) / np.sum(self.people[some]))

    def lost(self, decay: Decay) -> bool:
        """Say whether so little is left of a decay that people who reach something would stay at home."""
        table = _table(decay)
        return any(
            ((table[self.seconds[rows]] @ self.opportunities == 0) & (self.people[rows] > 0)).any()
            for rows in in_chunks(*self.seconds.shape)
        )

    def _balanced(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return opportunities with the factors by which every one is taken, as far as people reach enough of them."""
        taken: NDArray[np.float64] = self.opportunities * (self.people.sum() / self.opportunities.sum())
        drawing: NDArray[np.float64] = taken.copy()
        before = np.zeros(len(taken))
        for _ in range(_ROUNDS):
            arriving = np.zeros(len(taken))
            for rows in in_chunks(*self.seconds.shape):
                weights = table[self.seconds[rows]]
                whole = weights @ drawing
                leaving = np.divide(self.people[rows], whole, out=np.zeros(len(whole)), where=whole > 0)
                arriving += leaving @ weights
            arriving = arriving * drawing
            if np.abs(arriving - before).sum() <= _BALANCED * taken.sum():
                break
            before = arriving
            drawing = drawing * np.divide(taken, arriving, out=np.zeros(len(taken)), where=arriving > 0)
            # where people reach too few, factors fall for ever: what matters has settled long before
            drawing = np.maximum(drawing / drawing.max(), _LEAST_FACTOR)
        else:
            what = f"people and opportunities did not balance in {_ROUNDS} rounds"
            raise InputError(Fault(what=what, key="model", hint="model='production', or longer trips in the times"))
        over = np.maximum(arriving - taken, 0).sum() / taken.sum()
        if over > _CROWDED:
            what = f"{over:.1%} of people find no opportunity left among those that they reach"
            expected = f"at most {_CROWDED:.0%}, so that nearly every opportunity is taken once"
            hint = "model='production', or longer trips in the times"
            raise InputError(Fault(what=what, key="model", expected=expected, hint=hint))
        return drawing


def _table(decay: Decay) -> NDArray[np.float64]:
    table = decay.table()
    table[table < _LEAST_WEIGHT] = 0
    return table


def _trips(
    times: TravelTimes,
    people: pd.Series,
    opportunities: pd.Series,
    model: str,
    percentile: float | None,
    faults: Faults,
) -> _Trips | None:
    """Check what is asked, and keep those who reach something of each other."""
    one_of(model, _MODELS, "model", faults)
    shares, places = asked_percentiles(percentile, times, faults)
    if shares.many:
        faults.add(
            InputError(Fault(what="several percentiles are asked for at once", key="percentile", expected="one"))
        )
    demand = amounts_of(people, times, "from", "people", faults, one=True)
    supply = amounts_of(opportunities, times, "to", "opportunities", faults, one=True)
    if faults or demand is None or supply is None:
        return None
    outside, _ = out_of_scope(times)
    rows, columns = np.flatnonzero((demand.one > 0) & ~outside), np.flatnonzero(supply.one > 0)
    seconds = times.seconds[:, :, places[0]]
    some, reached = np.zeros(len(rows), dtype=bool), np.zeros(len(columns), dtype=bool)
    for part in in_chunks(len(rows), len(columns)):
        there = seconds[np.ix_(rows[part], columns)] != UNREACHED
        some[part] = there.any(axis=1)
        reached |= there.any(axis=0)
    rows, columns = rows[some], columns[reached]
    if not len(rows):
        faults.add(InputError(Fault(what="nobody reaches any opportunity", expected="people who do")))
        return None
    return _Trips(seconds[np.ix_(rows, columns)], demand.one[rows], supply.one[columns], model == "doubly")


def _bracket(trips: _Trips, make: Callable[[float], Decay], target: float, least: float) -> tuple[float, float]:
    """Return a half-time that is too short and one that is too long; say what can be had if there are none."""
    low = high = max(target, 2 * least)
    short = long = trips.mean(make(high))
    while long < target and high < _LONGEST_MIN:
        low, high = high, 2 * high
        long = trips.mean(make(high))
    while short > target:
        nearer = least + (low - least) / 2
        if nearer - least < _SHORTEST_MIN or trips.lost(make(nearer)):
            break
        low, high = nearer, low
        short = trips.mean(make(low))
    if long < target or short > target:
        limit = f"at most {long:.1f}" if long < target else f"at least {short:.1f}"
        what = f"no half-time makes the mean trip {target:g} minutes long"
        expected = f"{limit} minutes, with these people and opportunities"
        hint = "is the mean of the same mode, purpose and hour as the travel times?"
        raise InputError(Fault(what=what, key="mean_min", expected=expected, hint=hint))
    return low, high
