"""How much less a place counts the longer it takes to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geoplan.errors import Fault, Faults, InputError, did_you_mean, listed
from geoplan.reach.amounts import number_from
from geoplan.reach.times import UNREACHED

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DECAYS", "Decay"]

#: What each kind has to be told beside the time at which half is left.
DECAYS: dict[str, tuple[str, ...]] = {
    "exponential": (),
    "power": ("floor_min",),
    "log_logistic": ("shape",),
    "gaussian": (),
    "step": (),
}
_LN2 = float(np.log(2))


@dataclass(frozen=True)
class Decay:
    r"""A weight from 1, at once, down to 0, by travel time in minutes *t*.

    Every kind but steps is told by the time *h* at which half is left, which can be compared between kinds. The
    parameters that studies publish are turned into it by :meth:`exponential`, :meth:`power`, :meth:`log_logistic` and
    :meth:`gaussian`; steps are made by :meth:`step`.

    ============  =========================================  ===================================
    kind          weight                                     published as
    ============  =========================================  ===================================
    exponential   :math:`2^{-t/h} = e^{-\beta t}`            :math:`\beta = \ln 2 / h`
    power         :math:`(\max(t, t_0) / t_0)^{-\beta}`      :math:`\beta = \ln 2 / \ln(h/t_0)`
    log_logistic  :math:`1 / (1 + (t/h)^b)`                  :math:`1 / (1 + e^{a + b \ln t})`
    gaussian      :math:`2^{-(t/h)^2} = e^{-t^2/2\sigma^2}`  :math:`\sigma = h / \sqrt{2 \ln 2}`
    step          as told, 0 beyond the last                 cumulative opportunities, bands
    ============  =========================================  ===================================

    Parameters
    ----------
    kind
        ``"exponential"``, ``"power"``, ``"log_logistic"``, ``"gaussian"`` or ``"step"``.
    half_time_min
        Minutes at which the weight is a half; not for steps.
    shape
        Steepness *b* of the log-logistic.
    floor_min
        Minutes :math:`t_0` below which a power does not rise: it would be without bound at 0.
    steps
        Minutes and the weight up to them, both included.
    within_min
        Minutes beyond which the weight is 0, whatever the kind says.

    Raises
    ------
    InputError
        For a kind there is not, and for a parameter that is missing, out of its bounds or of another kind.

    References
    ----------
    Hansen (1959), *Journal of the American Institute of Planners* 25(2), 73–76, summed opportunities divided by a power
    of time. The log-logistic with *a* = −6.899 and *b* = 2.326 for jobs by car is given after Geurs and Ritsema van Eck
    (2001), *Accessibility measures: review and applications*, RIVM report 408505 006. That a decay between exponential
    and power fits commuting in Denmark better than both: de Vries, Nijkamp and Rietveld (2009), *Environment and
    Planning A* 41(2), 461–480.

    Examples
    --------
    >>> half_an_hour = Decay.halving("exponential", 30)
    >>> half_an_hour.weight([0, 30, 60, float("nan")])
    array([1.  , 0.5 , 0.25, 0.  ])
    >>> print(half_an_hour)
    negative exponential, half at 30 min: exp(-0.0231 t)
    """

    kind: str
    half_time_min: float | None = None
    shape: float | None = None
    floor_min: float | None = None
    steps: tuple[tuple[float, float], ...] = ()
    within_min: float | None = None

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        faults = Faults()
        if self.kind not in DECAYS:
            hint = did_you_mean(str(self.kind), DECAYS)
            what = f"there is no decay called {self.kind!r}"
            raise InputError(Fault(what=what, key="kind", expected=f"one of {listed(DECAYS)}", hint=hint))
        try:
            object.__setattr__(self, "steps", tuple((float(until), float(weight)) for until, weight in self.steps))
        except (TypeError, ValueError):
            what, expected = f"steps cannot be {self.steps!r}", "minutes and weights, as {10: 1, 20: 0.68}"
            raise InputError(Fault(what=what, key="steps", expected=expected)) from None
        self._check_fitting(faults)
        if self.within_min is not None:
            number_from(self.within_min, "within_min", faults)
        if self.kind == "step":
            _check_steps(self.steps, faults)
        else:
            floor = 0.0
            if self.kind == "power" and self.floor_min is not None:
                floor = number_from(self.floor_min, "floor_min", faults)
            if self.kind == "log_logistic" and self.shape is not None:
                number_from(self.shape, "shape", faults)
            if self.half_time_min is not None:
                number_from(self.half_time_min, "half_time_min", faults, over=float(np.nan_to_num(floor)))
        faults.raise_any()

    def _check_fitting(self, faults: Faults) -> None:
        """Collect parameters that the kind lacks, and those that belong to another."""
        needed = {"steps"} if self.kind == "step" else {"half_time_min", *DECAYS[self.kind]}
        for name in ("half_time_min", "shape", "floor_min", "steps"):
            value = getattr(self, name)
            given = value is not None and value != ()
            if given and name not in needed:
                faults.add(InputError(Fault(what=f"{name} is no parameter of '{self.kind}'", key=name)))
            if not given and name in needed:
                faults.add(InputError(Fault(what=f"'{self.kind}' needs {name}", key=name, expected="a number over 0")))

    # ------------------------------------------------------------ ways to make one

    @classmethod
    def halving(
        cls,
        kind: str,
        half_time_min: float,
        *,
        shape: float | None = None,
        floor_min: float | None = None,
        within_min: float | None = None,
    ) -> Decay:
        """Make a decay of which half is left at a time.

        Parameters
        ----------
        kind
            As above; ``"step"`` counts everything up to the time and nothing beyond.
        half_time_min
            Minutes.
        shape
            Steepness of the log-logistic.
        floor_min
            Of a power; a minute when left out.
        within_min
            Minutes beyond which nothing counts.

        Examples
        --------
        >>> Decay.halving("power", 30).weight([0, 1, 30]).round(3)
        array([1. , 1. , 0.5])
        """
        if kind == "step":
            return cls("step", steps=((half_time_min, 1.0),), within_min=within_min)
        floor = 1.0 if kind == "power" and floor_min is None else floor_min
        return cls(kind, half_time_min, shape, floor, within_min=within_min)

    @classmethod
    def exponential(cls, rate: float, *, within_min: float | None = None) -> Decay:
        r"""Make :math:`e^{-\beta t}` of its rate :math:`\beta` per minute.

        Examples
        --------
        >>> round(Decay.exponential(0.05).half_time_min, 2)
        13.86
        """
        return cls("exponential", _LN2 / _positive(rate, "rate"), within_min=within_min)

    @classmethod
    def power(cls, exponent: float, *, floor_min: float = 1, within_min: float | None = None) -> Decay:
        r"""Make :math:`(\max(t, t_0) / t_0)^{-\beta}` of its exponent :math:`\beta`.

        Examples
        --------
        >>> Decay.power(2, floor_min=5).weight([5, 10, 50])
        array([1.  , 0.25, 0.01])
        """
        half = _positive(floor_min, "floor_min") * 2 ** (1 / _positive(exponent, "exponent"))
        return cls("power", half, floor_min=floor_min, within_min=within_min)

    @classmethod
    def log_logistic(cls, a: float, b: float, *, within_min: float | None = None) -> Decay:
        r"""Make :math:`1 / (1 + e^{a + b \ln t})` of *a* and *b*.

        Examples
        --------
        >>> round(Decay.log_logistic(-6.899, 2.326).half_time_min, 1)
        19.4
        """
        half = float(np.exp(-a / _positive(b, "b")))
        return cls("log_logistic", half, shape=b, within_min=within_min)

    @classmethod
    def gaussian(cls, sigma_min: float, *, within_min: float | None = None) -> Decay:
        r"""Make :math:`e^{-t^2 / 2 \sigma^2}` of :math:`\sigma` in minutes.

        Examples
        --------
        >>> Decay.gaussian(20).weight([0, 20, 40]).round(3)
        array([1.   , 0.607, 0.135])
        """
        return cls("gaussian", float(_positive(sigma_min, "sigma_min") * np.sqrt(2 * _LN2)), within_min=within_min)

    @classmethod
    def step(cls, bands: float | Mapping[float, float]) -> Decay:
        """Make steps: minutes within which everything counts, or weights by the minutes up to which they hold.

        Examples
        --------
        >>> Decay.step({10: 1, 20: 0.68, 30: 0.22}).weight([10, 10.5, 30, 30.5])
        array([1.  , 0.68, 0.22, 0.  ])
        """
        steps: Any = tuple(bands.items()) if isinstance(bands, Mapping) else ((bands, 1.0),)
        return cls("step", steps=steps)

    # ------------------------------------------------------------ what it says

    def weight(self, minutes: Any) -> NDArray[np.float64]:
        """Return the weight of each travel time.

        Parameters
        ----------
        minutes
            Any array of minutes; NaN is not reached.

        Returns
        -------
        numpy.ndarray
            From 0 to 1; 0 where NaN.

        Examples
        --------
        >>> Decay.halving("gaussian", 10).weight([[0, 10], [20, float("nan")]])
        array([[1.    , 0.5   ],
               [0.0625, 0.    ]])
        """
        time = np.asarray(minutes, dtype=float)
        known = np.maximum(np.nan_to_num(time, nan=0.0), 0.0)
        weights = self._of(known)
        if self.within_min is not None:
            weights = np.where(known <= self.within_min, weights, 0.0)
        return np.where(np.isnan(time), 0.0, weights)

    def _of(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        half = self.half_time_min or 1.0
        if self.kind == "exponential":
            return np.exp2(-time / half)
        if self.kind == "gaussian":
            return np.exp2(-((time / half) ** 2))
        if self.kind == "power":
            floor = self.floor_min or 1.0
            return np.asarray((np.maximum(time, floor) / floor) ** (-_LN2 / np.log(half / floor)))
        if self.kind == "log_logistic":
            return 1 / (1 + (time / half) ** (self.shape or 1.0))
        until, weights = (np.array([step[side] for step in self.steps]) for side in (0, 1))
        return np.append(weights, 0.0)[np.searchsorted(until, time, side="left")]

    def table(self) -> NDArray[np.float64]:
        """Return the weight of each value that uint16 seconds can have; 0 for not reached.

        Examples
        --------
        >>> Decay.step(10).table()[[600, 601, 65535]]
        array([1., 0., 0.])
        """
        return np.append(self.weight(np.arange(UNREACHED) / 60), 0.0)

    def describe(self) -> str:
        """Return one line of words: kind, half-time and formula, with *t* in minutes.

        Examples
        --------
        >>> Decay.step({10: 1, 20: 0.5}).describe()
        'steps: 1 up to 10 min, 0.5 up to 20 min, then 0'
        """
        end = "" if self.within_min is None else f"; 0 beyond {self.within_min:g} min"
        if self.kind == "step":
            told = ", ".join(f"{weight:g} up to {until:g} min" for until, weight in self.steps)
            return f"steps: {told}, then 0{end}"
        half = self.half_time_min or 1.0
        told = {
            "exponential": f"negative exponential, half at {half:.4g} min: exp(-{_LN2 / half:.3g} t)",
            "gaussian": f"Gaussian, half at {half:.4g} min: exp(-t²/2s²), s = {half / np.sqrt(2 * _LN2):.3g} min",
            "log_logistic": f"log-logistic, half at {half:.4g} min: 1/(1 + (t/{half:.4g})^{self.shape or 0:g})",
        }.get(self.kind, "")
        if self.kind == "power":
            floor = self.floor_min or 1.0
            exponent = _LN2 / np.log(half / floor)
            told = f"power, half at {half:.4g} min: (t/{floor:g})^-{exponent:.3g}, 1 up to {floor:g} min"
        return told + end

    def __str__(self) -> str:
        return self.describe()

    def to_dict(self) -> dict[str, object]:
        """Return what it was made of, for a record.

        Examples
        --------
        >>> Decay.halving("exponential", 30).to_dict()
        {'kind': 'exponential', 'half_time_min': 30}
        """
        told = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: value for name, value in told.items() if value is not None and value != ()}


def _positive(value: float, key: str) -> float:
    faults = Faults()
    number = number_from(value, key, faults)
    faults.raise_any()
    return number


def _check_steps(steps: tuple[tuple[float, float], ...], faults: Faults) -> None:
    """Refuse steps that do not rise in time and fall in weight: a shorter time would count for less."""
    until = [step[0] for step in steps]
    weights = [step[1] for step in steps]
    if any(not np.isfinite(minutes) or minutes < 0 for minutes in until) or any(a >= b for a, b in pairwise(until)):
        what = f"steps end at {listed(f'{minutes:g}' for minutes in until)} minutes"
        faults.add(InputError(Fault(what=what, key="steps", expected="rising minutes of 0 or more")))
    if any(not 0 <= weight <= 1 for weight in weights) or any(a < b for a, b in pairwise(weights)):
        what = f"weights of the steps are {listed(f'{weight:g}' for weight in weights)}"
        faults.add(InputError(Fault(what=what, key="steps", expected="falling weights between 1 and 0")))
