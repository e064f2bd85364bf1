"""Who has had which status, year after year and from one version of a rule to the next; who entered and left, and why.

The years before the first one that is known, and years that are missing in between, may have been anything: memory
begins anew there, with everything open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import IndicatorTable
from geoplan.places.indicators import COLUMNS
from geoplan.risk import IndexResult
from geoplan.specs import CITY, RuleSpec, Text, UseSpec
from geoplan.targeting.moves import MOVES, moves_between
from geoplan.targeting.pasts import Chronicle, Versions, chronicle, versions_of
from geoplan.targeting.ready import Given, earlier_must_fit, given_for, indicators_asked
from geoplan.targeting.references import as_references
from geoplan.targeting.streaks import as_earlier, counted_streaks, streaks, years_only
from geoplan.targeting.telling import history_lines, move_text, past_lines
from geoplan.targeting.verdicts import Verdict

__all__ = ["History", "as_earlier", "status_history", "streaks"]

_FIRST_OF_DECEMBER = "12-01"  # the day of the Danish lists
_ORDER = [
    *("area_id", "period", "status", "holds", "streak", "streak_least", "from_start", "rule", "rule_break"),
]


@dataclass(frozen=True)
class History:
    """What rules have said of each area, period after period.

    Attributes
    ----------
    table
        One row an area, status and period: ``area_id, period, status`` (its id in the last version of the rule; its own
        where that has no successor), ``holds`` (boolean; <NA> where nobody can tell), ``streak`` (Int64: for how many
        periods on end, this one with them; 0 where it does not hold, <NA> where that is not known), ``streak_least``
        (int: for how many at least), ``from_start`` (bool: the run goes back to the first period that is known, and may
        be longer), ``rule`` (title of the version) and ``rule_break`` (bool: another version than in the period
        before).
    moves
        One row an area and status that differs from the period before: ``area_id, status, before`` (that period),
        ``period, move`` (``entered``, ``left``, ``became_unknown``, ``became_known``), ``was, holds`` (boolean),
        ``reasons`` (joined by +, in the order of ``steps``), ``criteria`` (that came out otherwise, joined by +) and of
        these ``gained`` (met now), ``lost`` (not met now) and ``open`` (not known now), ``boundary_changed`` (bool),
        ``rule`` and ``sentence``.
    steps
        Of each move, who had the status when one thing after the other was put in the place of what was before:
        ``area_id, status, period, step, holds``. ``before``: as it was; ``figures_before``: by figures alone, where
        these tell; ``rule``: the new version, on old figures and limits; ``limit``: the new limits, and the new figures
        of other areas where they decide; ``own``: the area's own new figures and residents; ``list``: what is published
        of the new period, where the figures do not tell; ``memory``: the new years before; ``now``: as it is, published
        results first. Every step at which the status changes is among the reasons.
    rules
        Period → version.
    certificate
        Every convention used, heading → text.
    """

    table: pd.DataFrame
    moves: pd.DataFrame
    steps: pd.DataFrame
    rules: Mapping[str, RuleSpec]
    certificate: Mapping[str, str]
    labels: Mapping[str, Text] = field(repr=False)

    @property
    def chief(self) -> str:
        """The status that is meant when none is named: the chief one of the last version."""
        return self.rules[max(self.rules, key=int)].chief

    def wide(self, status: str | None = None, column: str = "holds") -> pd.DataFrame:
        """Return one status as areas × periods, for a chart.

        Parameters
        ----------
        status
            The chief one when left out.
        column
            ``holds``, ``streak`` or ``streak_least``.

        Raises
        ------
        SpecError
            When there is no such status or column.
        """
        name = self._known(status)
        columns = ("holds", "streak", "streak_least")
        if column not in columns:
            raise checks.unknown_name("column of a history", column, columns, key="column")
        rows = self.table[self.table["status"] == name]
        return rows.pivot(index="area_id", columns="period", values=column)

    def lines(
        self,
        *,
        status: str | None = None,
        names: Mapping[str, str] | pd.Series | None = None,
        language: str = "en",
    ) -> list[str]:
        """Say in sentences how many areas had each status when, where the rule changed, and who entered and left why.

        Raises
        ------
        SpecError
            When there is no such status.
        """
        return history_lines(self, self._known(status), dict(names) if names is not None else {}, language)

    def explain(self, area_id: str, *, language: str = "en") -> list[str]:
        """Say in sentences what statuses an area has had, and each of its entries and exits.

        Raises
        ------
        SpecError
            When there is no such area.
        """
        if area_id not in set(self.table["area_id"]):
            raise checks.unknown_name("area", area_id, self.table["area_id"].unique())
        return past_lines(self, area_id, language)

    def _known(self, status: str | None) -> str:
        if status is not None and status not in self.labels:
            raise checks.unknown_name("status", status, self.labels, key="status")
        return status or self.chief


def status_history(
    table: IndicatorTable | None,
    rules: RuleSpec | str | Mapping[str | int, RuleSpec | str] | Iterable[RuleSpec | str],
    *,
    periods: Iterable[str | int] | None = None,
    day: str = _FIRST_OF_DECEMBER,
    area_ids: Iterable[str] | None = None,
    index: Mapping[str, IndexResult] | None = None,
    indicators: Mapping[str, UseSpec | str | Mapping[str, object]] | None = None,
    references: pd.DataFrame | Mapping[str, Mapping[str, float]] | None = None,
    inside: Mapping[str, pd.Series] | None = None,
    listed: Iterable[str] | None = None,
    earlier: pd.DataFrame | None = None,
    reference_ids: Iterable[str] | None = None,
    changed: pd.DataFrame | Mapping[str | int, Iterable[str]] | None = None,
) -> History:
    """Apply a rule, or its versions, to period after period: who has which status, for how long, who moved and why.

    Parameters
    ----------
    table
        The indicators of the areas; None when all there is are published lists, handed in as ``earlier``.
    rules
        A rule book or its name; or several versions, or the name of a family (``dk_social_housing``), of which the one
        in force on ``day`` of each period counts; or period → version.
    periods
        Years; when left out all that the table and ``earlier`` have and that have a version. Those before them are
        looked back at, as :func:`select` does, under the nearest version.
    day
        Month and day on which a version must be in force; the Danish lists are of 1 December.
    area_ids
        The areas; when left out all of the table, and those that ``earlier`` names.
    index, indicators, references, inside, listed, reference_ids
        As for :func:`select`; each version takes what it asks for.
    earlier
        Published results, ``area_id, period, status, holds``, see :func:`as_earlier`: they stand in place of what the
        table would give. A status is named as the version of its period does, or the last one.
    changed
        Where boundaries changed: a crosswalk as :func:`geoplan.places.as_crosswalk` makes it, a change counting in the
        year of its date; or period → areas whose figures are of another boundary than in the period before. Such an
        area never counts as changed by itself, and neither does one that the table does not know in one of the years.

    Returns
    -------
    History

    Raises
    ------
    SpecError
        With everything that a version asks for and is not there, and all that is handed in and fits nothing; when
        periods are no years, or a period has no version.

    Notes
    -----
    A status goes on from the one of the version before that it ``continues``, with its years. A status that is new
    looks back by its own conditions, with the statuses that there were as they were. Over a year that is not known
    memory begins anew: an area may or may not have met everything.

    Examples
    --------
    >>> lists = as_earlier({2018: ["A"], 2019: ["A", "B"], 2020: ["B"]}, "listed")
    >>> found = status_history(None, "dk_2018", earlier=lists)
    >>> found.wide("listed", "streak").loc["B"].tolist()
    [0, 1, 2]
    >>> found.moves.loc[found.moves["status"] == "listed", ["area_id", "period", "move"]].values.tolist()
    [['B', '2019', 'entered'], ['A', '2020', 'left']]
    """
    if table is None and earlier is None:
        what = "there is neither a table nor published results"
        raise SpecError(Fault(what=what, key="table", expected="a table, or `earlier`"))
    versions = versions_of(rules, day)
    past = None if earlier is None else _as_text(earlier)
    known = {*(table.periods() if table is not None else []), *(past["period"] if past is not None else [])}
    asked = _asked(versions, known, periods)
    run = sorted((period for period in known if int(period) <= int(asked[-1])), key=int)
    areas = _areas(table, past, area_ids)
    if past is not None:
        earlier_must_fit(past, areas)
    options = {"inside": inside, "listed": listed, "reference_ids": reference_ids, "indices": index}
    used = [rule for rule in versions.all if rule in [versions.near(period) for period in run]]
    told = chronicle(
        versions,
        [
            _given(table, rule, areas, *own, options)
            for rule, own in _shared_out(versions.all, indicators, references)
            if rule in used
        ],
        run,
        table_periods=table.periods() if table is not None else [],
        earlier=past,
    )
    moved = _changed(changed, areas)
    return _history(told, asked, versions, table, moved)


# ---------------------------------------------------------------- what is handed in


def _as_text(earlier: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in ("area_id", "period", "status") if name in earlier]
    return earlier.astype(dict.fromkeys(names, str))


def _asked(versions: Versions, known: set[str], periods: Iterable[str | int] | None) -> list[str]:
    """Return the periods to tell of, in order."""
    years_only(known)
    faults = Faults()
    if periods is not None or versions.named:
        asked = {str(period) for period in (versions.named if periods is None else periods)}
        for period in sorted(asked - known):
            faults.add(checks.unknown_name("period of the table or of earlier results", period, known, key="periods"))
        for period in sorted(asked & known):
            if versions.at(period) is None:
                what = f"no version of the rule is named, or in force, for {period}"
                faults.add(SpecError(Fault(what=what, key="rules", expected="a version for each period")))
    else:
        asked = {period for period in known if versions.at(period) is not None}
    if not asked and not faults:
        what = f"no version of the rule is in force in any of {checks.listed(sorted(known))}"
        faults.add(SpecError(Fault(what=what, key="rules")))
    faults.raise_any()
    return sorted(asked, key=int)


def _areas(table: IndicatorTable | None, earlier: pd.DataFrame | None, area_ids: Iterable[str] | None) -> pd.Index:
    if area_ids is not None:
        codes = {str(code) for code in area_ids}
    else:
        codes = set(table.data["area_id"]) if table is not None else set()
        codes |= set(earlier["area_id"]) if earlier is not None and "area_id" in earlier else set()
    return pd.Index(sorted(codes), name="area_id")


def _shared_out(
    rules: list[RuleSpec],
    indicators: Mapping[str, UseSpec | str | Mapping[str, object]] | None,
    references: pd.DataFrame | Mapping[str, Mapping[str, float]] | None,
) -> list[tuple[RuleSpec, tuple[Any, Any]]]:
    """Give each version what it asks for.

    Raises
    ------
    SpecError
        With what none of them asks for.
    """
    faults = Faults()
    asked = [indicators_asked(rule) for rule in rules]
    names = [{str(item.of) for item in rule.criteria if item.of} | {CITY} for rule in rules]
    every, whole = set().union(*asked), set().union(*names)
    for name in sorted(set(indicators or {}) - every):
        faults.add(checks.unknown_name("indicator of the rule", name, every, key="indicators"))
    given = _names_of(references)
    for name in sorted(given - whole):
        faults.add(checks.unknown_name("reference that the rule asks for", name, whole - {CITY}, key="references"))
    faults.raise_any()
    found = []
    for rule, wanted, own in zip(rules, asked, names, strict=True):
        uses = {name: use for name, use in (indicators or {}).items() if name in wanted}
        values: Any = references
        if isinstance(references, pd.DataFrame):
            values = references[references["reference"].isin(own)] if "reference" in references else references
        elif references is not None:
            values = {name: value for name, value in references.items() if name in own}
        found.append((rule, (uses, values)))
    return found


def _names_of(references: pd.DataFrame | Mapping[str, Mapping[str, float]] | None) -> set[str]:
    if isinstance(references, pd.DataFrame):
        return set(references["reference"]) if "reference" in references else set()
    return set(references or {})


def _given(
    table: IndicatorTable | None, rule: RuleSpec, areas: pd.Index, uses: Any, references: Any, options: dict[str, Any]
) -> Given:
    """Put what a version is applied to into one form; without a table nothing is measured."""
    if table is not None:
        return given_for(table, rule, area_ids=areas, indicators=uses, references=references, **options)
    nothing = IndicatorTable(pd.DataFrame(columns=[*COLUMNS]), {})
    listed = tuple(options["listed"]) if options["listed"] is not None else rule.listed_areas
    return Given(
        table=nothing,
        measured=nothing,
        areas=areas,
        uses={},
        references=as_references(references, rule),
        inside=dict(options["inside"] or {}),
        listed=frozenset(listed) if rule.listed and rule.listed in (options["inside"] or {}) else None,
        reference_ids=None,
        indices={},
    )


def _changed(
    changed: pd.DataFrame | Mapping[str | int, Iterable[str]] | None, areas: pd.Index
) -> dict[int, frozenset[str]]:
    """Return year → areas whose boundary is another one than in the year before.

    Raises
    ------
    SpecError
        When a column is missing, a change has no date, or an area is not there.
    """
    if changed is None:
        return {}
    if not isinstance(changed, pd.DataFrame):
        found = {str(period): frozenset(str(code) for code in codes) for period, codes in changed.items()}
        years_only(found)
        strange = sorted(set().union(*found.values()) - set(areas))
        if strange:
            raise checks.unknown_name("area", strange[0], areas, key="changed")
        return {int(period): codes for period, codes in found.items()}
    absent = [name for name in ("from_id", "to_id", "date") if name not in changed]
    if absent:
        errors = checks.absent_columns(absent, list(changed.columns), key="changed")
        raise SpecError(fault for error in errors for fault in error.faults)
    dates = pd.to_datetime(changed["date"])
    if dates.isna().any():
        what = f"changes without a date: {int(dates.isna().sum())}"
        raise SpecError(Fault(what=what, key="changed", expected="the day of each change"))
    share = changed.get("share", 1.0)
    rows = changed[(changed["from_id"] != changed["to_id"]) | (share < 1)]
    both = pd.concat([rows["from_id"], rows["to_id"]]).astype(str)
    years = pd.concat([dates[rows.index].dt.year] * 2)
    return {int(year): frozenset(own) for year, own in both.groupby(years.to_numpy())}


# ---------------------------------------------------------------- what comes out


def _history(
    told: Chronicle,
    asked: list[str],
    versions: Versions,
    table: IndicatorTable | None,
    changed: Mapping[int, frozenset[str]],
) -> History:
    """Put the judged periods into frames."""
    pasts = [past for past in told.pasts if past.period in asked]
    there = {} if table is None else dict(table.data.groupby("period")["area_id"].agg(frozenset))
    moves, steps = [], []
    for old, new in pairwise(pasts):
        codes = [own for year, own in changed.items() if int(old.period) < year <= int(new.period)]
        if old.period in there and new.period in there:
            codes.append(there[old.period] ^ there[new.period])
        rows, chains = moves_between(told, old, new, frozenset().union(*codes))
        moves.append(rows)
        steps.append(chains)
    labels = _labels(told)
    rules = {past.period: past.rule for past in pasts}
    moved = _in_order(pd.concat(moves) if moves else pd.DataFrame(columns=MOVES), ["was", "holds"], labels)
    texts = {name: label.to("en") for name, label in labels.items()}
    moved["sentence"] = [move_text(row, texts[row["status"]], rules[row["period"]]) for row in moved.to_dict("records")]
    columns = ["area_id", "status", "period", "step", "holds"]
    return History(
        table=_table(told, pasts),
        moves=moved,
        steps=_in_order(pd.concat(steps) if steps else pd.DataFrame(columns=columns), ["holds"], labels),
        rules=rules,
        certificate=_certificate(told, pasts, versions),
        labels=labels,
    )


def _in_order(frame: pd.DataFrame, booleans: list[str], labels: Mapping[str, Text]) -> pd.DataFrame:
    order = {name: place for place, name in enumerate(labels)}
    frame = frame.assign(place=frame["status"].map(order), year=frame["period"].astype(int))
    frame = frame.sort_values(["year", "place", "area_id"], kind="stable", ignore_index=True)
    return frame.drop(columns=["place", "year"]).astype(dict.fromkeys(booleans, "boolean"))


def _labels(told: Chronicle) -> dict[str, Text]:
    """Return status → label, those of the last version first."""
    found: dict[str, Text] = {}
    for segment in reversed(range(len(told.segments))):
        names = told.names(segment)
        for status in told.segments[segment].statuses:
            found.setdefault(names[status.id], status.label)
    return found


def _table(told: Chronicle, pasts: list[Any]) -> pd.DataFrame:
    """Put down who has had which status, and for how long."""
    verdicts: dict[str, list[tuple[str, Verdict]]] = {name: [] for name in _labels(told)}
    for past in told.pasts:
        for own, name in told.names(past.segment).items():
            verdicts[name].append((past.period, past.found[own]))
    titles = {past.period: past.rule.title.to("en") for past in pasts}
    breaks = {new.period: new.rule != old.rule for old, new in pairwise(pasts)}
    frames = []
    for name, found in verdicts.items():
        counted = counted_streaks([period for period, _ in found], [own for _, own in found], pasts[0].ready.areas)
        frames.append(counted[counted["period"].isin(titles)].assign(status=name))
    whole = pd.concat(frames, ignore_index=True)
    whole["rule"] = whole["period"].map(titles)
    whole["rule_break"] = whole["period"].map(breaks).astype("boolean").fillna(value=False).astype(bool)
    return whole.sort_values("area_id", kind="stable", ignore_index=True)[_ORDER]


def _certificate(told: Chronicle, pasts: list[Any], versions: Versions) -> dict[str, str]:
    """Put down every convention that was used."""
    gaps = [told.periods[place] for place in range(1, len(told.periods)) if told.restarts(place)]
    before = [period for period in told.periods if period not in {past.period for past in pasts}]
    said = {
        "versions": "; ".join(f"{past.period}: {past.rule.title.to('en')}" for past in pasts),
        "which version": "named for each period" if versions.named else f"in force on {versions.day} of the period"
        if len(versions.dated) > 1 else "one version for all periods",
        "looked back at besides": ", ".join(before),
        "published results": ", ".join(past.period for past in pasts if past.ready.fixed),
        "only published results": ", ".join(past.period for past in pasts if past.listed_only),
        "memory begins anew, everything open": ", ".join([told.periods[0], *gaps]),
        "reasons": "one thing after the other is put in the place of what was before: the version of the rule, the "
        "limits (and other areas where they decide), the area's own figures, published results, the years before",
        "boundaries": "an area with another boundary, or not there in one of the years, has not changed by itself",
    }  # fmt: skip
    return {head: text or "none" for head, text in said.items()}
