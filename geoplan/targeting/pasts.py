"""Versions of a rule applied to period after period, each with what the periods before have left behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.specs import RuleSpec, StatusSpec, rule_book, rule_names
from geoplan.targeting.ready import Given, Ready, fixed_by, ready_for, ready_without
from geoplan.targeting.verdicts import State, Verdict, remembers, start_of

__all__ = ["Chronicle", "Past", "Versions", "chronicle", "versions_of"]


# ---------------------------------------------------------------- which version in which period


@dataclass(frozen=True)
class Versions:
    """Which version of a rule holds in which period.

    Attributes
    ----------
    named
        Period → version; empty when the dates decide.
    dated
        Versions, the earliest first.
    day
        The day of the year on which a version must be in force, ``12-01``.
    """

    named: Mapping[str, RuleSpec]
    dated: Sequence[RuleSpec]
    day: str

    @property
    def all(self) -> list[RuleSpec]:
        """Every version once, in order."""
        found: list[RuleSpec] = []
        for rule in [*(self.named[period] for period in sorted(self.named)), *self.dated]:
            if rule not in found:
                found.append(rule)
        return found

    def at(self, period: str) -> RuleSpec | None:
        """Return the version of a period; None where there is none.

        Raises
        ------
        SpecError
            When two versions are in force at once.
        """
        if self.named:
            return self.named.get(period)
        if len(self.dated) == 1:  # any year's figures may be put under one rule
            return self.dated[0]
        day = self._date(period)
        found = [rule for rule in self.dated if rule.in_force(day)]
        if len(found) > 1:
            titles = checks.listed([rule.title.to("en") for rule in found])
            raise SpecError(Fault(what=f"on {day} more than one version is in force: {titles}", key="rules"))
        return found[0] if found else None

    def near(self, period: str) -> RuleSpec:
        """Return the version of a period that is only looked back at: the last one before it, else the first."""
        found = self.at(period)
        if found is not None:
            return found
        if self.named:
            before = [key for key in self.named if key <= period]
            return self.named[max(before)] if before else self.named[min(self.named)]
        day = self._date(period)
        before_it = [rule for rule in self.dated if rule.since is None or rule.since <= day]
        return before_it[-1] if before_it else self.dated[0]

    def _date(self, period: str) -> dt.date:
        return dt.date.fromisoformat(f"{int(period):04}-{self.day}")


def versions_of(
    rules: RuleSpec | str | Mapping[str | int, RuleSpec | str] | Iterable[RuleSpec | str], day: str
) -> Versions:
    """Put rules, however they are named, into one form.

    Raises
    ------
    SpecError
        When there is no such rule book or family, none at all is given, or the day is none.
    """
    try:
        dt.date.fromisoformat(f"2001-{day}")
    except ValueError:
        what = f"'{day}' is no day of every year"
        raise SpecError(Fault(what=what, key="day", expected="month and day, such as 12-01")) from None
    if isinstance(rules, Mapping):
        named = {str(period): rule_book(rule) if isinstance(rule, str) else rule for period, rule in rules.items()}
        found = Versions(named, [], day)
    else:
        several = [rules] if isinstance(rules, RuleSpec | str) else list(rules)
        books = [book for item in several for book in ([item] if isinstance(item, RuleSpec) else _books(item))]
        found = Versions({}, sorted(books, key=lambda rule: rule.since or dt.date.min), day)
    if not found.all:
        raise SpecError(Fault(what="there is no rule to apply", key="rules", expected="one version at least"))
    return found


def _books(name: str) -> list[RuleSpec]:
    """Return the rule book of a name, or all those of a family."""
    if name in rule_names():
        return [rule_book(name)]
    every = [rule_book(other) for other in rule_names()]
    found = [book for book in every if book.family == name]
    if not found:
        raise checks.unknown_name("rule book or family", name, {*rule_names(), *(book.family for book in every)})
    return found


# ---------------------------------------------------------------- one period after the other


@dataclass(frozen=True)
class Past:
    """One period, judged.

    Attributes
    ----------
    place, segment
        Its number, and the number of the run of periods under one version that it is in.
    ready
        The rule with the period's figures, limits, memory and published verdicts.
    meets, found, after
        Criterion → verdict; status → verdict; status → what is remembered for the period after.
    listed_only
        Whether the table knows nothing of the period.
    """

    place: int
    segment: int
    ready: Ready
    meets: Mapping[str, Verdict]
    found: Mapping[str, Verdict]
    after: Mapping[str, State]
    listed_only: bool

    @property
    def period(self) -> str:
        """The period."""
        return self.ready.now.period

    @property
    def rule(self) -> RuleSpec:
        """The version."""
        return self.ready.rule


@dataclass
class Chronicle:
    """All periods, judged one after the other.

    Attributes
    ----------
    periods
        In order.
    segments
        The version of each run of periods under one version.
    segment_of
        The segment of each period.
    givens
        What each segment's version is applied to.
    earlier
        Published results, statuses by any of their names.
    table_periods
        The periods that the table knows.
    pasts
        What has been judged.
    """

    periods: list[str]
    segments: list[RuleSpec]
    segment_of: list[int]
    givens: list[Given]
    earlier: pd.DataFrame | None
    table_periods: frozenset[str]
    pasts: list[Past] = field(default_factory=list)
    _ready: dict[tuple[int, int], Ready] = field(default_factory=dict)

    def judge(self) -> None:
        """Judge every period, under its version, with what those before have left."""
        for place, period in enumerate(self.periods):
            segment = self.segment_of[place]
            fixed = self._published(segment, period)
            ready = self.ready(segment, place, self.memory(segment, place), fixed)
            meets = ready.observed()
            self.pasts.append(
                Past(
                    place=place,
                    segment=segment,
                    ready=ready,
                    meets=meets,
                    found=ready.judge(meets),
                    after=ready.remember(meets),
                    listed_only=period not in self.table_periods,
                )
            )

    def ready(
        self, segment: int, place: int, before: Mapping[str, State], fixed: Mapping[str, Verdict] | None = None
    ) -> Ready:
        """Make the version of a segment ready for a period, of that segment or not."""
        period, rule, given = self.periods[place], self.segments[segment], self.givens[segment]
        key = (self.segments.index(rule), place)
        if key not in self._ready:
            make = ready_for if period in self.table_periods else ready_without
            self._ready[key] = make(rule, given, period)
        start = {status.id: start_of(len(given.areas)) for status in rule.statuses}
        return replace(self._ready[key], before={**start, **before}, fixed=dict(fixed or {}))

    def restarts(self, place: int) -> bool:
        """Tell whether nothing is known of the year before a period."""
        return place == 0 or int(self.periods[place]) != int(self.periods[place - 1]) + 1

    def memory(self, segment: int, place: int) -> dict[str, State]:
        """Return what a segment's version remembers before a period of this segment or an earlier one.

        A status goes on from the one that it continues. One that earlier versions did not have is looked back for by
        this version, with the statuses that they did have as they were.
        """
        if self.restarts(place):
            return {}
        last, rule = self.pasts[place - 1], self.segments[segment]
        names = self.ancestors(segment, last.segment)
        carried = {name: last.after[old] for name, old in names.items()}
        if all(status.id in carried or not remembers(status) for status in rule.statuses):
            return carried
        first = place - 1
        while not self.restarts(first):
            first -= 1
        states: dict[str, State] = {}
        for past in self.pasts[first:place]:
            ready = self.ready(segment, past.place, states, self.inherited(segment, past, past.found))
            states = ready.remember(ready.observed())
        return {**states, **carried}

    def inherited(self, segment: int, past: Past, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Return a period's verdicts under the names that a segment's version has for its statuses."""
        names = self.ancestors(segment, past.segment)
        return {name: verdicts[old] for name, old in names.items() if old in verdicts}

    def ancestors(self, segment: int, earlier: int) -> dict[str, str]:
        """Return status of a segment's version → status of an earlier segment's version that it goes on from."""
        names = {status.id: status.id for status in self.segments[segment].statuses}
        for step in range(segment, earlier, -1):
            old = self.segments[step - 1]
            found = {status.id: origin(status, old) for status in self.segments[step].statuses}
            names = {name: str(found[own]) for name, own in names.items() if found.get(own) is not None}
        return names

    def names(self, segment: int) -> dict[str, str]:
        """Return status of a segment's version → its name in the last one; its own where it has no successor."""
        found = {status.id: status.id for status in self.segments[segment].statuses}
        for later in range(segment + 1, len(self.segments)):
            heirs: dict[str, str] = {}
            for name, old in self.ancestors(later, segment).items():
                heirs.setdefault(old, name)
            found |= heirs
        taken = set[str]()
        for own in sorted(found, key=lambda name: found[name] == name):  # heirs first
            if found[own] in taken:
                found[own] = f"{own}_{self.segments[segment].since or 'before'}"
            taken.add(found[own])
        return found

    def _published(self, segment: int, period: str) -> dict[str, Verdict]:
        """Return what has been published for a period, by the names that its version has."""
        if self.earlier is None:
            return {}
        rule = self.segments[segment]
        rows = self.earlier[self.earlier["period"] == period]
        later = {name: own for own, name in self.names(segment).items()}
        own = {status.id for status in rule.statuses} | {str(status.continues) for status in rule.statuses}
        names = [name if name in own else later.get(name, name) for name in rows["status"]]
        if rows.empty:
            return {}
        return fixed_by(rule, self.givens[segment], rows.assign(status=names)).get(period, {})


def origin(status: StatusSpec, old: RuleSpec) -> str | None:
    """Return which status of the version before a status goes on from; also when an earlier version comes back."""
    names = {item.id for item in old.statuses}
    if status.continues in names:
        return status.continues
    if status.id in names:
        return status.id
    return next((item.id for item in old.statuses if item.continues == status.id), None)


def chronicle(
    versions: Versions,
    givens: Sequence[Given],
    periods: Sequence[str],
    *,
    table_periods: Iterable[str],
    earlier: pd.DataFrame | None,
) -> Chronicle:
    """Judge all periods.

    Parameters
    ----------
    versions
        Which version holds when.
    givens
        What each version that is used is applied to, in order.
    periods
        All that is known up to the last one that is asked for, in order.
    table_periods
        Those that the table knows.
    earlier
        Published results.
    """
    segments, segment_of = list[RuleSpec](), list[int]()
    used = [rule for rule in versions.all if rule in [versions.near(period) for period in periods]]
    for period in periods:
        rule = versions.near(period)
        if not segments or segments[-1] != rule:
            segments.append(rule)
        segment_of.append(len(segments) - 1)
    found = Chronicle(
        periods=list(periods),
        segments=segments,
        segment_of=segment_of,
        givens=[givens[used.index(rule)] for rule in segments],
        earlier=earlier,
        table_periods=frozenset(table_periods),
    )
    found.judge()
    return found
