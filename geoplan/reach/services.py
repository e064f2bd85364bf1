"""Which services run on a day, and which day stands for the usual ones.

A day's service is the number of departures from first stops: each timetabled trip counts once, a trip that runs
at a headway as often as it sets out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError, listed
from geoplan.sources.gtfs import Feed

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Which weekday stands for the usual day where there is service on it: Tuesday, else the next of these.
_PREFERRED = (1, 2, 3, 0, 4, 5, 6)
_NEAR_SHARE = 0.05
THIN_SHARE = 0.2
"""A day with less than this share of the usual service is warned of."""


@dataclass(frozen=True)
class Day:
    """The chosen day, why it was chosen, and what is to be said against it."""

    date: dt.date
    reason: str
    warnings: tuple[str, ...]


def day_number(date: dt.date) -> int:
    """Return days since 1970."""
    return (date - dt.date(1970, 1, 1)).days


def as_date(number: int) -> dt.date:
    """Return the date of days since 1970."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))


def _weekday(days: np.ndarray) -> np.ndarray:
    return (days + 3) % 7  # 1970 began on a Thursday


def departures_per_trip(feed: Feed) -> np.ndarray:
    """Return how often each trip of a feed sets out on a day that it runs; one of a single stop never does."""
    times = feed.frequencies
    runs = -((times["start_s"] - times["end_s"]) // times["headway_s"])  # rounded up: the end itself is no departure
    often = np.bincount(times["trip"], weights=runs, minlength=len(feed.trips))
    often = np.where(np.isin(np.arange(len(feed.trips)), times["trip"]), often, 1)
    return np.where(np.bincount(feed.calls["trip"], minlength=len(often)) > 1, often, 0).astype(np.int64)


def active(feed: Feed, day: int) -> np.ndarray:
    """Return which services of a feed run on a day (days since 1970)."""
    runs = np.zeros(len(feed.services), dtype=bool)
    week = feed.calendar
    name = _WEEK[(day + 3) % 7]
    on = week[name].to_numpy() & (week["start"].to_numpy() <= day) & (week["end"].to_numpy() >= day)
    runs[week["service"].to_numpy()[on]] = True
    exceptions = feed.calendar_dates[feed.calendar_dates["day"] == day]
    runs[exceptions["service"].to_numpy()] = exceptions["added"].to_numpy()
    return runs


def service_by_day(feed: Feed) -> pd.Series:
    """Return the departures of each day from the first to the last with any; the index is days since 1970.

    Worked out per weekday from the starts and ends of services, so that a calendar of a thousand years costs no more
    than its days.
    """
    weights = np.bincount(feed.trips["service"], weights=departures_per_trip(feed), minlength=len(feed.services))
    week, dates = feed.calendar, feed.calendar_dates
    ends = np.concatenate([week["start"], week["end"], dates["day"]]).astype(np.int64)
    first, last = int(ends.min()), int(ends.max())
    days = np.arange(first, last + 1)
    total = np.zeros(len(days))
    own = weights[week["service"]]
    for number, name in enumerate(_WEEK):
        on = week[name].to_numpy()
        steps = np.zeros(len(days) + 1)
        np.add.at(steps, week["start"].to_numpy()[on] - first, own[on])
        np.add.at(steps, week["end"].to_numpy()[on] - first + 1, -own[on])
        total += np.where(_weekday(days) == number, np.cumsum(steps)[:-1], 0)
    regular = _runs_by_week(feed, dates["service"].to_numpy(), dates["day"].to_numpy())
    change = dates["added"].to_numpy().astype(int) - regular
    np.add.at(total, dates["day"].to_numpy() - first, change * weights[dates["service"]])
    there = np.flatnonzero(total > 0)
    kept = slice(there[0], there[-1] + 1) if there.size else slice(0, 0)
    return pd.Series(total[kept].round().astype(np.int64), index=pd.Index(days[kept], name="day"), name="departures")


def _runs_by_week(feed: Feed, service: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return 1 where the weekly calendar alone has the service run on the day."""
    week = feed.calendar
    row = np.full(len(feed.services), -1)
    row[week["service"]] = np.arange(len(week))
    at = row[service]
    if not len(week):
        return np.zeros(len(service), dtype=int)
    flags = week[list(_WEEK)].to_numpy(dtype=bool)
    inside = (week["start"].to_numpy()[at] <= day) & (day <= week["end"].to_numpy()[at])
    return np.asarray(((at >= 0) & inside & flags[at, _weekday(day)]).astype(int))


def choose_day(feeds: Sequence[Feed], date: dt.date | str | None) -> Day:
    """Check the day asked for, or find the best typical Tuesday.

    The typical Tuesday: of all Tuesdays with service inside the range of every feed, those within 5 % of the median
    number of departures, or else those nearest it; among these the one with most, and the earliest of equals. Where no
    Tuesday has service,
    Wednesday, Thursday, Monday, Friday, Saturday and Sunday follow.

    Raises
    ------
    SpecError
        When the date is none, lies outside a feed, or has no service at all; or no day has service in all feeds.
    """
    service = [service_by_day(feed) for feed in feeds]
    empty = [feed.name for feed, days in zip(feeds, service, strict=True) if not len(days)]
    if empty:
        raise SpecError(Fault(what=f"no service runs on any day in {listed(empty)}", key="feeds"))
    if date is None:
        chosen, reason = _typical(feeds, service)
    else:
        chosen, reason = _as_day(date), "asked for"
    outside = [
        Fault(
            what=f"{as_date(chosen)} lies outside the feed {feed.name}",
            key="date",
            expected=f"{as_date(days.index[0])} to {as_date(days.index[-1])}",
            hint=f"the feed's typical day is {as_date(_best(days)[0])}",
        )
        for feed, days in zip(feeds, service, strict=True)
        if not days.index[0] <= chosen <= days.index[-1]
    ]
    if outside:
        raise SpecError(outside)
    return Day(as_date(chosen), reason, _thin(feeds, service, chosen))


def _as_day(date: dt.date | str) -> int:
    try:
        own = dt.date.fromisoformat(date) if isinstance(date, str) else date
        return day_number(own.date() if isinstance(own, dt.datetime) else own)
    except (ValueError, TypeError) as error:
        raise SpecError(
            Fault(what=f"'{date}' is no date", key="date", expected="year-month-day, as 2024-02-06")
        ) from error


def _typical(feeds: Sequence[Feed], service: Sequence[pd.Series]) -> tuple[int, str]:
    first, last = max(days.index[0] for days in service), min(days.index[-1] for days in service)
    if first > last:
        raise SpecError(
            [
                Fault(
                    what=f"the feed {feed.name} has service from {as_date(days.index[0])} to {as_date(days.index[-1])}",
                    key="feeds",
                    expected="feeds whose ranges overlap, for there to be a day on which all run",
                )
                for feed, days in zip(feeds, service, strict=True)
            ]
        )
    total = sum(days.reindex(range(first, last + 1), fill_value=0) for days in service)
    if not (total > 0).any():
        raise SpecError(Fault(what=f"no feed has service between {as_date(first)} and {as_date(last)}", key="feeds"))
    chosen, words = _best(total)
    return chosen, words


def _best(days: pd.Series) -> tuple[int, str]:
    """Return the typical day of a series of departures by day, and why it is."""
    for weekday in _PREFERRED:
        own = days[(_weekday(days.index.to_numpy()) == weekday) & (days.to_numpy() > 0)]
        if len(own):
            break
    usual = float(own.median())
    away = (own - usual).abs()
    near, name = own[away <= _NEAR_SHARE * usual], _WEEK[weekday].capitalize()
    which = f"{len(near)} {name}s within 5 % of the median"
    if not len(near):
        near = own[away == away.min()]
        which = f"the {len(near)} {name}s nearest the median"
    chosen = int(near.idxmax())
    middle = f"{usual:,.1f}".removesuffix(".0")  # of an even number of days it may lie half-way between two
    words = (
        f"the typical {name}: {near[chosen]:,} departures, the most among {which} of {middle} over {len(own)} {name}s "
        "with service"
    )
    return chosen, words if weekday == 1 else f"no Tuesday has service; {words}"


def usual_departures(days: pd.Series) -> float:
    """Return the median over Tuesdays with service, or over all days with service where no Tuesday has any."""
    tuesdays = days[(_weekday(days.index.to_numpy()) == 1) & (days.to_numpy() > 0)]
    return float((tuesdays if len(tuesdays) else days[days > 0]).median())


def _thin(feeds: Sequence[Feed], service: Sequence[pd.Series], day: int) -> tuple[str, ...]:
    words, counts = [], []
    for feed, days in zip(feeds, service, strict=True):
        count, usual = int(days.get(day, 0)), usual_departures(days)
        counts.append(count)
        if count < THIN_SHARE * usual:
            words.append(
                f"{feed.name}: {as_date(day)} has {count:,} departures, {100 * count / usual:.0f} % of the usual "
                f"{usual:,.0f}; the feed runs from {as_date(days.index[0])} to {as_date(days.index[-1])}"
            )
    if not any(counts):
        raise SpecError(
            Fault(
                what=f"no service runs on {as_date(day)}",
                key="date",
                expected="; ".join(
                    f"{feed.name} has {as_date(days.index[0])} to {as_date(days.index[-1])}"
                    for feed, days in zip(feeds, service, strict=True)
                ),
                hint=f"the typical day of {feeds[0].name} is {as_date(_best(service[0])[0])}",
            )
        )
    return tuple(words)
