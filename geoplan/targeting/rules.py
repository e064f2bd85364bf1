"""Which areas a rule singles out, by which figures, and how close each is to the other side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk import IndexResult
from geoplan.specs import CriterionSpec, RuleSpec, UseSpec, rule_book
from geoplan.targeting.limits import Limit, figure_of, margin_of
from geoplan.targeting.ready import Given, Ready, given_for, places_of, with_memory
from geoplan.targeting.verdicts import Verdict
from geoplan.targeting.wording import area_lines, selection_lines

__all__ = ["Selection", "counted", "select"]

_MOST_FLIPS = 3  # criteria that may have to change together before nobody would call it near
_FARTHEST = np.finfo(float).max  # of what has no distance, such as a class
POPULATION = "population"
_ORDER = [
    *("area_id", "criterion", "value", "numerator", "denominator", "years", "unit", "limit", "reference", "gap"),
    *("meets", "margin", "margin_unit", "margin_total", "limit_source", "status", "reason", "source", "method"),
]


@dataclass(frozen=True)
class Selection:
    """What a rule says of each area.

    Attributes
    ----------
    table
        Index ``area_id``. Columns ``population`` (float, residents), ``qualified`` (nullable boolean: whether the
        figures give the area the rule's chief status), ``reason`` (text: why it has it not; ``criteria``,
        ``small_population``, ``not_listed``, ``years``, ``areas`` (too few beside it qualify), ``status`` (another one
        that it takes) or ``unknown``; empty
        where it has), ``met`` and ``open`` (int: criteria that the chief status counts or requires, met and not known),
        ``flips`` (Int64: how many criteria would have to change for the status to change; <NA> when more than three),
        ``tips`` (text: which, joined by +; the nearest), ``tips_by`` (float: how far the farthest of these is from its
        limit, as a share of the limit; NaN where one of them has no distance), ``settled_by`` (text: of an unknown
        one, the criteria whose figures would settle it), ``nominated`` (bool) and ``nominated_by``, ``nominated_on``,
        ``nomination_note`` (text).
    statuses
        Areas × statuses of the rule (nullable boolean).
    criteria
        One row an area and criterion, population among them where the rule has a minimum (the chief status's; the
        largest of the others where it has none): ``area_id, criterion, value,
        numerator, denominator, years`` (int: of which the counts are the sum), ``unit, limit, reference, gap`` (value
        minus limit, in the unit), ``meets`` (nullable boolean), ``margin`` (the smallest change that would alter that:
        more, or fewer with a minus sign), ``margin_unit`` (cases: people, households or events in the numerator;
        persons; kr a head; points …), ``margin_total`` (of a mean: kronor in all), ``limit_source, status, reason,
        source, method``.
    rule
        The rule book.
    period
        The period.
    certificate
        Every convention used, heading → text.
    ready
        What was compared with what; see :mod:`geoplan.targeting.ready`.
    given
        What the rule was applied to.
    """

    table: pd.DataFrame
    statuses: pd.DataFrame
    criteria: pd.DataFrame
    rule: RuleSpec
    period: str
    certificate: Mapping[str, str]
    ready: Ready = field(repr=False)
    given: Given = field(repr=False)

    @property
    def chosen(self) -> list[str]:
        """The areas that qualify by their figures, in the order of their codes."""
        return list(self.table.index[self.table["qualified"].fillna(value=False).astype(bool)])

    @property
    def unknown(self) -> list[str]:
        """The areas of which nobody can tell, for want of figures."""
        return list(self.table.index[self.table["qualified"].isna()])

    @property
    def nominated(self) -> list[str]:
        """The areas that somebody has nominated, whatever their figures."""
        return list(self.table.index[self.table["nominated"]])

    def near(self, most: int = 5) -> pd.DataFrame:
        """Return the areas nearest to the line on both sides of it.

        Parameters
        ----------
        most
            How many on each side.

        Returns
        -------
        pandas.DataFrame
            Index ``area_id``: ``qualified, flips, tips, tips_by``; those that qualify first, the nearest first in each.
            Areas whose distance is not known, such as those that a class of the index decides, are left out.
        """
        sides = []
        for side in (True, False):
            own = self.table[(self.table["qualified"] == side).fillna(value=False) & self.table["tips_by"].notna()]
            sides.append(own.sort_values(["flips", "tips_by"], kind="stable").head(most))
        return pd.concat(sides)[["qualified", "flips", "tips", "tips_by"]]

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None, language: str = "en") -> list[str]:
        """Say in sentences how many areas qualify, which are near the line, and which are not known."""
        return selection_lines(self, dict(names) if names is not None else {}, language)

    def explain(self, area_id: str, *, language: str = "en") -> list[str]:
        """Say in sentences why an area qualifies or not, and what would change that.

        Raises
        ------
        SpecError
            When there is no such area.
        """
        if area_id not in self.table.index:
            raise checks.unknown_name("area", area_id, self.table.index)
        return area_lines(self, area_id, language)


def select(
    table: IndicatorTable,
    rule: RuleSpec | str,
    *,
    period: str | int | None = None,
    area_ids: Iterable[str] | None = None,
    index: IndexResult | Mapping[str, IndexResult] | None = None,
    indicators: Mapping[str, UseSpec | str | Mapping[str, object]] | None = None,
    references: pd.DataFrame | Mapping[str, Mapping[str, float]] | None = None,
    inside: Mapping[str, pd.Series] | None = None,
    listed: Iterable[str] | None = None,
    earlier: pd.DataFrame | None = None,
    nominated: pd.DataFrame | Mapping[str, str] | None = None,
    reference_ids: Iterable[str] | None = None,
) -> Selection:
    """Apply a rule to a table: which areas it singles out, by which figures, and how close each is.

    A figure is compared exactly, from its counts where it has counts. One that is missing makes its criterion neither
    met nor failed, and the status unknown only where that matters.

    Parameters
    ----------
    table
        The indicators of the areas.
    rule
        A rule book, or the name of one that comes with geoplan, such as ``se_2012``; see
        :func:`geoplan.specs.rule_names`. Any year's data may be put under any rule.
    period
        The period; the table's only one when left out.
    area_ids
        The areas that are judged; all of the table when left out.
    index
        For rules that ask for it: the risk index of the period, or period → index.
    indicators
        Indicator of the rule → what the table offers for it: an id, or ``{"indicator": id, "complement": True}`` where
        the table counts the others.
    references
        Values to compare with that do not come from the areas: name → indicator → value, such as ``{"national":
        {"convicted_18_plus": 0.78}}``; or a frame with ``reference, indicator, value`` and, as needed, ``period``,
        ``area_id`` (an area, or one above it) and ``source``.
    inside
        Level → area above (index ``area_id``), for rules that look inside municipalities or at listed boards.
    listed
        The areas above in which the rule holds, where it lists them.
    earlier
        Published or earlier results, ``area_id, period, status, holds``, for rules that look back; they go before what
        the table would give. An area that a list does not name is not on it.
    nominated
        Areas that were nominated, whatever their figures: area → by whom, or a frame with ``area_id, by`` and, as
        known, ``on`` (date) and ``note``.
    reference_ids
        The areas that make up the city; all of the table when left out.

    Returns
    -------
    Selection

    Raises
    ------
    SpecError
        With everything that the rule asks for and is not there: a rule book, an indicator, a period, an index, a level;
        and with all that is handed in and fits nothing.
    TableError
        When a mean of several years cannot be made.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> references = {"national": {"convicted_18_plus": 0.8}, "region": {"mean_gross_income_15_64": 300.0}}
    >>> chosen = select(run.indicators(), "dk_2021", period=2012, references=references)
    >>> int(chosen.statuses["udsat"].sum()), len(chosen.unknown)
    (1, 0)
    """
    book = rule_book(rule) if isinstance(rule, str) else rule
    when = _period(table, period)
    if isinstance(index, IndexResult):
        index = {when: index}
    given = given_for(
        table,
        book,
        area_ids=area_ids,
        indicators=indicators,
        references=references,
        inside=inside,
        listed=listed,
        reference_ids=reference_ids,
        indices=index,
    )
    ready, looked_back = with_memory(book, given, when, earlier)
    return selection_of(ready, given, nominated=nominated, looked_back=looked_back)


def selection_of(
    ready: Ready,
    given: Given,
    *,
    nominated: pd.DataFrame | Mapping[str, str] | None = None,
    looked_back: Iterable[tuple[str, str]] = (),
) -> Selection:
    """Say what a rule that is ready says of each area.

    Raises
    ------
    SpecError
        When somebody has nominated an area that is not there.
    """
    meets = ready.observed()
    found = ready.judge(meets)
    rule, areas = ready.rule, ready.areas
    table = pd.DataFrame({POPULATION: ready.scope.population}, index=areas)
    table["qualified"] = found[rule.chief].series(areas)
    behind = counted(rule, rule.chief)
    table["reason"] = _reasons(ready, meets, found, table["qualified"])
    table["met"] = np.sum([meets[name].sure for name in behind], axis=0) if behind else 0
    table["open"] = np.sum([meets[name].unknown for name in behind], axis=0) if behind else 0
    criteria = _criteria(ready, meets)
    table = table.join(_tips(ready, meets, criteria, table["qualified"]))
    table["settled_by"] = _settled_by(ready, meets, found[rule.chief])
    table = table.join(_nominated(nominated, areas))
    statuses = pd.DataFrame({status.id: found[status.id].series(areas) for status in rule.statuses})
    return Selection(
        table=table,
        statuses=statuses,
        criteria=criteria,
        rule=rule,
        period=ready.now.period,
        certificate=_certificate(ready, given, list(looked_back)),
        ready=ready,
        given=given,
    )


def _period(table: IndicatorTable, period: str | int | None) -> str:
    if period is not None:
        return str(period)
    periods = table.periods()
    if len(periods) != 1:
        what = f"the table has {len(periods)} periods: {checks.listed(periods)}"
        raise SpecError(Fault(what=what, key="period", expected="the one to judge"))
    return periods[0]


def counted(rule: RuleSpec, name: str) -> list[str]:
    """Return the criteria on which a status stands, those of statuses below it among them."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        status = rule.status(waiting.pop())
        found += [*status.criteria, *status.required]
        waiting += [*status.based_on, *status.any_of, *status.without]
    return list(dict.fromkeys(found))


def _reasons(
    ready: Ready, meets: Mapping[str, Verdict], found: Mapping[str, Verdict], qualified: pd.Series
) -> pd.Series:
    """Say why areas have the chief status not."""
    status = ready.rule.status(ready.rule.chief)
    people, least = ready.scope.population, ready.rule.least_population(ready.rule.chief)
    now, alone = ready.judge_now(meets), _without_minimum_areas(ready).judge_now(meets)
    below = [found[name].possible for name in status.based_on]
    why = np.select(
        [
            qualified.fillna(value=False).to_numpy(dtype=bool),
            ~ready.scope.listed,
            people < least,
            qualified.isna().to_numpy(),
            now[status.id].possible,
            alone[status.id].possible,
            ~np.all(below, axis=0) if below else np.zeros(len(people), dtype=bool),
        ],
        ["", "not_listed", "small_population", "unknown", "years", "areas", "status"],
        "criteria",
    )
    return pd.Series(why, index=qualified.index, dtype=object)


def _without_minimum_areas(ready: Ready) -> Ready:
    """Return the same with a chief status that asks nothing of other areas."""
    chief = ready.rule.status(ready.rule.chief)
    if chief.minimum_areas is None:
        return ready
    alone = chief.model_copy(update={"minimum_areas": None, "inside": None})
    statuses = tuple(alone if status.id == chief.id else status for status in ready.rule.statuses)
    return replace(ready, rule=ready.rule.model_copy(update={"statuses": statuses}))


# ---------------------------------------------------------------- criterion by criterion


def _criteria(ready: Ready, meets: Mapping[str, Verdict]) -> pd.DataFrame:
    """Put down value, limit and margin of every area and criterion."""
    now = ready.now
    frames = []
    for criterion in ready.rule.criteria:
        name = criterion.id
        own = pd.DataFrame(
            {
                "criterion": name,
                "value": now.value[name],
                "numerator": now.numerator[name],
                "denominator": now.denominator[name],
                "years": now.years[name],
                "unit": "class" if criterion.classes else now.unit(name),
            },
            index=ready.areas,
        )
        own = own.join(_margins(criterion, ready))
        own["gap"] = own["value"] - own["limit"]
        own["meets"] = meets[name].series(ready.areas)
        for column in ("status", "reason", "source", "method"):
            own[column] = getattr(now, column)[name]
        frames.append(own)
    frames += _population_rows(ready)
    whole = pd.concat([frame.reset_index() for frame in frames], ignore_index=True)
    return whole.sort_values("area_id", kind="stable", ignore_index=True)[_ORDER]


def _margins(criterion: CriterionSpec, ready: Ready) -> pd.DataFrame:
    """Return limit, reference, margin and where the limit comes from, by area."""
    if criterion.ranked:
        return _margins_among(criterion, ready)
    rows = []
    for code in ready.areas:
        limit = ready.limits.of[criterion.id].get(code)
        if limit is None:
            row: dict[str, Any] = {"limit": math.nan, "reference": math.nan, "limit_source": ""}
            row |= {"margin": math.nan, "margin_unit": "", "margin_total": math.nan}
        else:
            reference = math.nan if limit.reference is None else float(limit.reference)
            row = {"limit": float(limit.value), "reference": reference, "limit_source": limit.source}
            row |= margin_of(criterion, ready.now, code, limit)
        rows.append(row)
    return pd.DataFrame(rows, index=ready.areas)


def _margins_among(criterion: CriterionSpec, ready: Ready) -> pd.DataFrame:
    """Return how far areas are from leaving or joining the first of their group.

    An area is among the first *p* as long as its figure is not beyond the *p*-th of the others. So one that is alone in
    the last place is compared with the first that is out, and one of several that tie there with the others.
    """
    now, name = ready.now, criterion.id
    group = np.where(now.absent(name), -1, ready.groups[name])
    highest = criterion.first == "highest"
    test = criterion.model_copy(update={"compare": "at_least" if highest else "at_most", "decimals": None})
    none = {"limit": math.nan, "margin": math.nan, "margin_unit": "", "margin_total": math.nan}
    rows: dict[str, dict[str, Any]] = dict.fromkeys(ready.areas, none)
    for number in np.unique(group[group >= 0]):
        own = now.value.loc[group == number, name]
        codes = list(own.dropna().sort_values(ascending=not highest, kind="stable").index)
        places = places_of(criterion, len(own))
        for place, code in enumerate(codes):
            other = places if place < places else places - 1
            figure = figure_of(now, codes[other], name) if other < len(codes) else None
            if figure is not None:
                rows[code] = {"limit": float(figure), **margin_of(test, now, code, Limit(figure))}
    many = criterion.top or f"{100 * float(criterion.top_share or 0):g} %"
    table = pd.DataFrame(rows.values(), index=ready.areas)
    return table.assign(reference=math.nan, limit_source=f"the areas themselves: {many} of them")


def _population_rows(ready: Ready) -> list[pd.DataFrame]:
    """Return the minimum population as a criterion of its own: the chief status's, or the largest where it has none."""
    rule = ready.rule
    least = rule.least_population(rule.chief) or max(status.minimum_population for status in rule.statuses)
    if not least:
        return []
    people = pd.Series(ready.scope.population, index=ready.areas)
    enough = people >= least
    margin = (least - people).where(~enough, least - 1 - people)
    return [
        pd.DataFrame(
            {
                "criterion": POPULATION,
                "value": people,
                "numerator": people,
                "denominator": math.nan,
                "years": 1,
                "unit": "persons",
                "limit": float(least),
                "reference": math.nan,
                "limit_source": "the rule",
                "gap": people - least,
                "meets": enough.astype("boolean").mask(people.isna()),
                "margin": np.where(enough, np.floor(margin), np.ceil(margin)),
                "margin_unit": "persons",
                "margin_total": math.nan,
                "status": np.where(people.notna(), "observed", "not_collected"),
                "reason": "",
                "source": "",
                "method": "",
            },
            index=ready.areas,
        )
    ]


# ---------------------------------------------------------------- what would change it


def _tips(ready: Ready, meets: Mapping[str, Verdict], criteria: pd.DataFrame, qualified: pd.Series) -> pd.DataFrame:
    """Find the fewest criteria that would have to change for the chief status to change, the nearest of them."""
    areas, rule = ready.areas, ready.rule
    distance = {name: _relative(rows, areas) for name, rows in criteria.groupby("criterion")}
    best = np.full(len(areas), np.inf)
    flips, tips = np.zeros(len(areas), dtype=int), np.full(len(areas), "", dtype=object)
    names = [*counted(rule, rule.chief), *([POPULATION] if rule.least_population(rule.chief) else [])]
    known = ~qualified.isna().to_numpy()
    before = qualified.fillna(value=False).to_numpy(dtype=bool)
    for size in range(1, min(_MOST_FLIPS, len(names)) + 1):
        for chosen in combinations(names, size):
            after = ready.judge_flipped(meets, chosen)[rule.chief]
            changes = known & np.where(before, ~after.possible, after.sure)
            far = np.max([distance[name] for name in chosen], axis=0)
            nearer = changes & ((flips == 0) | ((flips == size) & (far < best)))
            best, flips = np.where(nearer, far, best), np.where(nearer, size, flips)
            tips[nearer] = "+".join(chosen)
    found = pd.array(flips, dtype="Int64")
    found[flips == 0] = pd.NA
    far = np.where((flips == 0) | (best == _FARTHEST), np.nan, best)
    return pd.DataFrame({"flips": found, "tips": tips, "tips_by": far}, index=areas)


def _relative(rows: pd.DataFrame, areas: pd.Index) -> np.ndarray:
    """Return how far figures are from their limits, as a share of the limit; those without one are farthest."""
    own = rows.set_index("area_id").reindex(areas)
    scale = own["limit"].abs().where(own["limit"] != 0, 1.0)
    far = (own["gap"].abs() / scale).fillna(_FARTHEST)
    return np.asarray(far, dtype=float)


def _settled_by(ready: Ready, meets: Mapping[str, Verdict], chief: Verdict) -> pd.Series:
    """Name, for areas of which nobody can tell, the criteria whose figures matter."""
    open_ = chief.unknown
    texts: list[list[str]] = [[] for _ in ready.areas]
    for name in counted(ready.rule, ready.rule.chief):
        rows = open_ & meets[name].unknown
        for place in np.flatnonzero(rows):
            texts[place].append(name)
    if ready.rule.least_population(ready.rule.chief):
        for place in np.flatnonzero(open_ & np.isnan(ready.scope.population)):
            texts[place].append(POPULATION)
    for place in np.flatnonzero(open_):
        if not texts[place]:
            texts[place].append("earlier years")
    return pd.Series([", ".join(item) for item in texts], index=ready.areas, dtype=object)


def _nominated(given: pd.DataFrame | Mapping[str, str] | None, areas: pd.Index) -> pd.DataFrame:
    """Put down who has nominated which area."""
    columns = {"by": "nominated_by", "on": "nominated_on", "note": "nomination_note"}
    if given is None:
        rows = pd.DataFrame(columns=["area_id", *columns])
    elif isinstance(given, pd.DataFrame):
        absent = [name for name in ("area_id", "by") if name not in given]
        if absent:
            errors = checks.absent_columns(absent, list(given.columns), key="nominated")
            raise SpecError(fault for error in errors for fault in error.faults)
        rows = given.reindex(columns=["area_id", *columns])
    else:
        rows = pd.DataFrame(list(given.items()), columns=["area_id", "by"]).reindex(columns=["area_id", *columns])
    codes = rows["area_id"].astype(str)
    strange = sorted(set(codes) - set(areas))
    if strange:
        raise checks.unknown_name("area", strange[0], areas, key="nominated")
    if codes.duplicated().any():
        what = f"nominated more than once: {checks.listed(sorted(set(codes[codes.duplicated()])))}"
        raise SpecError(Fault(what=what, key="nominated", expected="each area once, with all who nominated it in `by`"))
    wide = rows.set_index(codes)[list(columns)].rename(columns=columns).reindex(areas)
    wide = wide.astype(object).where(wide.notna(), "")
    wide.insert(0, "nominated", areas.isin(codes))
    return wide


def _limits(ready: Ready, name: str) -> list[Limit]:
    return [limit for limit in ready.limits.of[name].values() if limit is not None]


def _handed_in(ready: Ready) -> list[str]:
    """Say which values were handed in to compare with, and where they come from."""
    told = []
    for item in ready.rule.criteria:
        given = [limit for limit in _limits(ready, item.id) if limit.reference is not None and not limit.made]
        values = dict.fromkeys(f"{float(limit.reference or 0):g} ({limit.source})" for limit in given)
        told += [f"{item.id}: {item.of}, {' or '.join(values)}"] if values else []
    return told


def _certificate(ready: Ready, given: Given, looked_back: list[tuple[str, str]]) -> dict[str, str]:
    """Put down every convention that was used."""
    rule = ready.rule
    uses = [
        f"{name}: {'100 - ' if use.complement else ''}{use.indicator}" + (f" ({use.note.to('en')})" if use.note else "")
        for name, use in given.uses.items()
    ]
    years = [f"{item.id}: {item.mean_years} years" for item in rule.criteria if item.mean_years > 1]
    rounding = [f"{item.id}: {item.decimals} decimals" for item in rule.criteria if item.decimals is not None]
    told = {
        "rule": rule.title.to("en"),
        "family": rule.family,
        "law": rule.law,
        "authority": rule.authority,
        "in force": f"{rule.since or 'no date'} to {rule.until or 'now'}",
        "source of the rule": rule.source,
        "period": ready.now.period,
        "chief status": rule.chief,
        "areas": str(len(ready.areas)),
        "figures used under other names": "; ".join(uses),
        "means of several years": "; ".join(years),
        "rounded before comparing": "; ".join(rounding),
        "references made of the areas": "; ".join(
            f"{item.id}: {item.of}, {'with' if item.includes_area else 'without'} the area"
            for item in rule.criteria
            if any(limit.made for limit in _limits(ready, item.id))
        ),
        "references handed in": "; ".join(_handed_in(ready)),
        "limits not known": "; ".join(f"{name}: {what}" for name, what in ready.limits.lacking.items()),
        "listed": ", ".join(sorted(given.listed)) if given.listed is not None else "",
        "looked back": "; ".join(f"{year}: {where}" for year, where in looked_back),
        "comparing": "exactly, from counts where there are counts; above and below are strict",
        "ties": "areas that tie with the last one that is in are in as well",
        "missing": "a criterion whose figure is missing is neither met nor failed; one that does not apply is failed",
    }
    return {head: text or "none" for head, text in told.items()}
