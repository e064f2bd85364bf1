"""What a question about travel times may ask: moments, limits and percentiles, checked and put in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from geoplan.errors import Fault, Faults, InputError, did_you_mean, listed
from geoplan.reach.routing import Window
from geoplan.reach.times import UNREACHED

if TYPE_CHECKING:
    from geoplan.reach.timetable import Timetable

__all__ = ["asked", "clock", "incomplete", "percentiles_of", "service_second"]

_HEADWAYS = ("expected", "drawn")
#: Least and greatest of each number, in its own unit.
_BOUNDS = {
    "window_min": (0, 24 * 60),
    "step_min": (1 / 60, 24 * 60),
    "max_min": (0, (UNREACHED - 1) // 60),
    "max_walk_min": (0, (UNREACHED - 1) // 60),
    "rides": (0, 20),
    "slack_s": (0, 3600),
    "draws": (1, 1000),
    "draw": (0, 999),
    "seed": (0, 2**31 - 1),
    "max_egress_m": (0, 2_000_000),
    "memory_mb": (0.001, 2**30),
}
_WHOLE = ("rides", "slack_s", "draws", "draw", "seed")
_UNLIMITED = ("max_egress_m",)  # where None is no limit
_DATE = len("2024-10-08")


def asked(
    timetable: Timetable | None, departure: str | datetime | None, arrival: str | datetime | None, **options: Any
) -> Window:
    """Check what is asked, all at once, and put it in seconds of the timetable's service day."""
    faults = Faults()
    for name, (low, high) in _BOUNDS.items():
        if name in options and not (name in _UNLIMITED and options[name] is None):
            with faults.catch():
                _check(name, options[name], low, high)
    if options["headways"] not in _HEADWAYS:
        what, hint = f"headways cannot be '{options['headways']}'", did_you_mean(str(options["headways"]), _HEADWAYS)
        faults.add(InputError(Fault(what=what, key="headways", expected=listed(_HEADWAYS), hint=hint)))
    start = 0
    if timetable is not None:
        with faults.catch():
            start = _start(timetable, departure, arrival)
    faults.raise_any()
    most_s = round(options["max_min"] * 60)
    if timetable is None:
        return Window((0,), most_s, most_s, 0, 0)
    step = max(1, round(options["step_min"] * 60))
    leave = tuple(range(start, start + max(1, round(options["window_min"] * 60)), step))
    _must_be_served(timetable, leave[-1], arrive=arrival is not None)
    return Window(
        leave,
        most_s,
        min(round(options["max_walk_min"] * 60), most_s),
        int(options["rides"]),
        int(options["slack_s"]),
        arrive=arrival is not None,
        headways=options["headways"],
        draws=int(options["draws"]),
        seed=int(options["seed"]),
    )


def _check(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high
    if not number or (name in _WHOLE and value != int(value)):  # type: ignore[call-overload]  # a number, see before
        kind = "a whole number" if name in _WHOLE else "a number"
        raise InputError(
            Fault(what=f"{name} cannot be {value!r}", key=name, expected=f"{kind} from {low:g} to {high:,}")
        )


def _start(timetable: Timetable, departure: str | datetime | None, arrival: str | datetime | None) -> int:
    """Return the second of the first departure, or of the first deadline."""
    if (departure is None) == (arrival is None):
        what = "neither departure nor arrival is given" if departure is None else "departure and arrival are both given"
        expected = f"one of them, as departure='{timetable.date} 07:00'"
        raise InputError(Fault(what=what, key="departure", expected=expected))
    key = "departure" if arrival is None else "arrival"
    try:
        return service_second(timetable, departure if arrival is None else arrival)
    except InputError as error:
        raise error.located(key=key) from None


def _must_be_served(timetable: Timetable, last: int, *, arrive: bool) -> None:
    """Refuse moments at which the timetable has no vehicles left: they would look like a place without any."""
    if last < timetable.until_s + arrive:  # what arrives at that second has set out before
        return
    what = f"the timetable of {timetable.date} ends at {clock(timetable, timetable.until_s)}"
    what += f", the last {'deadline' if arrive else 'departure'} is at {clock(timetable, last)}"
    hint = "read the timetable of the next day, or more of it: read_timetable(…, until_s=…)"
    raise InputError(Fault(what=what, key="arrival" if arrive else "departure", hint=hint))


def incomplete(timetable: Timetable | None, window: Window) -> list[str]:
    """Say which vehicles within the longest trip are not in the timetable, as it is of one day."""
    if timetable is None or not window.rides:
        return []
    notes = []
    if window.arrive and window.leave_s[0] - window.most_s < timetable.seconds("00:00"):
        notes.append(
            f"vehicles that were there before {timetable.date} began are not in the timetable, so that trips may be "
            "missing that set out before midnight: the timetable of the day before has them"
        )
    if not window.arrive and window.leave_s[-1] + window.most_s > timetable.until_s:
        notes.append(
            f"vehicles of the next day that set out after {clock(timetable, timetable.until_s)} are not in the "
            "timetable, so that longer trips may be missing: read_timetable(…, until_s=…) reads more of it"
        )
    return notes


def service_second(timetable: Timetable, moment: str | datetime | None) -> int:
    """Return the second of the timetable's service day, counted from noon minus 12 hours, of a moment of local time.

    On the days when clocks change, that is not what the clock shows.
    """
    when = _moment(moment)
    zone = ZoneInfo(timetable.zone)
    when = when.replace(tzinfo=zone) if when.tzinfo is None else when.astimezone(zone)
    noon = datetime.combine(timetable.date, time(12), tzinfo=zone)
    second = round(when.timestamp() - noon.timestamp()) + 12 * 3600
    if when.date() not in {timetable.date, timetable.date + timedelta(days=1)} or second < 0:
        what, expected = f"the timetable was made for {timetable.date}, not for {when.date()}", f"{timetable.date}"
        hint = f"make it for that day: read_timetable(…, date='{when.date()}')"
        raise InputError(Fault(what=what, expected=expected, hint=hint))
    return second


def _moment(moment: str | datetime | None) -> datetime:
    if isinstance(moment, datetime):
        return moment
    text, when = str(moment).strip(), None
    with suppress(ValueError):
        when = datetime.fromisoformat(text)
    if when is None or len(text) <= _DATE:
        what = f"'{moment}' is no moment" if when is None else f"'{moment}' has no time of day"
        raise InputError(Fault(what=what, expected="a date and a time of day, as '2024-10-08 07:00'"))
    return when


def clock(timetable: Timetable, second: float) -> str:
    """Return what clocks show at a second of the service day: ``07:04``, with seconds where there are any."""
    zone = ZoneInfo(timetable.zone)
    noon = datetime.combine(timetable.date, time(12), tzinfo=zone)
    when = datetime.fromtimestamp(noon.timestamp() + second - 12 * 3600, tz=zone)
    text = f"{when:%H:%M}" if when.second == 0 else f"{when:%H:%M:%S}"
    return text if when.date() == timetable.date else f"{text} (+{(when.date() - timetable.date).days} d)"


def percentiles_of(shares: Sequence[float] | float) -> tuple[float, ...]:
    """Check percentiles and put them in rising order."""
    many = [shares] if isinstance(shares, Real) or not isinstance(shares, Iterable) else list(shares)
    wrong = [share for share in many if not _is_share(share)]
    if wrong or not many or len(set(many)) < len(many):
        what = f"percentiles cannot be {shares!r}"
        raise InputError(
            Fault(what=what, key="percentiles", expected="different numbers from 0 to 100, as (25, 50, 75)")
        )
    return tuple(sorted(share if isinstance(share, int) else float(share) for share in many))


def _is_share(share: object) -> bool:
    return isinstance(share, Real) and not isinstance(share, bool) and 0 <= float(share) <= 100  # noqa: PLR2004  per cent
