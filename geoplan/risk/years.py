"""The index over years: against each year's own city, or against the city of one base year; never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.places.indicators import KNOWN
from geoplan.risk.index import IndexResult, prepare, risk_index
from geoplan.risk.inputs import must_be_indicators
from geoplan.risk.methods import scores_are_relative
from geoplan.risk.pipeline import composite
from geoplan.specs import IndexSpec

__all__ = ["IndexSeries", "index_series"]

_CITY = 100.0


@dataclass(frozen=True)
class IndexSeries:
    """An index over several years.

    Attributes
    ----------
    base
        ``moving``: each year's city scores 100, so that scores show an area's place among the others; or ``fixed``: the
        city of ``base_period`` scores 100 in all years, so that they show what changed in the area.
    base_period
        The base year of a fixed base; None of a moving one.
    scores, ranks
        Areas × periods (float, and Int64 with 1 the highest); missing where the area has no rank that year.
    domains
        Areas × (domain, period).
    city
        By period: what the city itself scores; 100 throughout where the base moves, NaN where scores are not relative.
    change
        Index ``area_id``: ``since`` and ``until`` (first and last period with a score), ``points`` (difference of the
        scores), ``pct`` (percentage change of the score), a column a domain ``<domain>_pct``, and ``places`` (Int64,
        difference of the ranks, positive towards higher risk). Missing where the area has fewer than two scores; the
        percentages are missing where a score is not above 0.
    excluded
        One row an area and period without a rank: ``area_id, period, population, status, reason``.
    left_out
        Indicators of the index that do not exist in all periods and therefore count in none: ``indicator, periods``
        (those without it).
    breaks
        Indicators that were defined anew within the years: ``indicator, period`` (the first of the new definition).
        Scores to both sides of it do not compare in that part.
    results
        Period → :class:`~geoplan.risk.IndexResult`.
    """

    base: Literal["moving", "fixed"]
    base_period: str | None
    scores: pd.DataFrame
    ranks: pd.DataFrame
    domains: pd.DataFrame
    city: pd.Series
    change: pd.DataFrame
    excluded: pd.DataFrame
    left_out: pd.DataFrame
    breaks: pd.DataFrame
    results: Mapping[str, IndexResult] = field(repr=False)

    def lines(self) -> list[str]:
        """Say in sentences what the years are measured by and what does not compare."""
        periods = list(self.scores.columns)
        measure = (
            f"{self.base_period}'s city is 100 in all years" if self.base == "fixed" else "each year's own city is 100"
        )
        said = [f"{len(self.scores):,} areas, {periods[0]}-{periods[-1]}; {measure}"]
        said += [
            f"'{row.indicator}' does not exist in {', '.join(row.periods)} and counts in no year"
            for row in self.left_out.itertuples()
        ]
        anew = zip(self.breaks["indicator"], self.breaks["period"], strict=True)
        said += [f"'{name}' is counted in another way from {period} on" for name, period in anew]
        gone = self.excluded.groupby("period").size().reindex(periods, fill_value=0)
        if len(set(gone)) == 1:
            gone = gone[:1].rename({periods[0]: "each year"})
        have = {count: "1 area has" if count == 1 else f"{count:,} areas have" for count in gone}
        return [*said, *(f"{have[count]} no rank in {period}" for period, count in gone.items() if count)]


def index_series(
    table: IndicatorTable,
    spec: IndexSpec,
    *,
    periods: Sequence[str | int] | None = None,
    base: Literal["moving", "fixed"] = "moving",
    base_period: str | int | None = None,
    area_ids: Iterable[str] | None = None,
    reference_ids: Iterable[str] | None = None,
    groups: pd.Series | None = None,
) -> IndexSeries:
    r"""Compute the index of several years with the same indicators.

    With the city's value :math:`c_{it}` of year *t* and base year *b*, the relative method divides by

    .. math:: c_{it} \;\text{(moving)} \quad\text{or}\quad c_{ib} \;\text{(fixed)},

    and the percentage change of an area is :math:`100\,(R_{at_2}/R_{at_1} - 1)`. With a moving base an area can fall
    because the city rose; with a fixed one it cannot.

    Parameters
    ----------
    table, spec, area_ids, reference_ids, groups
        As for :func:`~geoplan.risk.risk_index`; ``spec.base`` is not used.
    periods
        Those to compute, in any order; all of the table when left out.
    base, base_period
        ``moving`` or ``fixed``, and the year of a fixed one: the first when left out.

    Returns
    -------
    IndexSeries

    Raises
    ------
    SpecError
        When a period is not in the table, there are fewer than two, or a base year is named for a moving base; for
        anything but a table of indicators.
    TableError
        When a domain has no indicator that exists in all periods.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> series = index_series(run.indicators(), run.spec.index, periods=[2011, 2012], base="fixed")
    >>> series.base_period, series.scores.columns.tolist(), round(series.city["2012"])
    ('2011', ['2011', '2012'], 95)
    """
    must_be_indicators(table)
    wanted = sorted({str(period) for period in periods}) if periods is not None else table.periods()
    _check(table, wanted, base, base_period)
    areas = set(table.data["area_id"].unique() if area_ids is None else area_ids)
    first = str(base_period) if base_period is not None else wanted[0]
    shared, left_out = _shared(table, spec, sorted({*wanted, first}), areas)
    based = shared.model_copy(update={"base": first if base == "fixed" else None})
    given: dict[str, Any] = {"area_ids": areas, "reference_ids": None if reference_ids is None else list(reference_ids)}
    results = {when: risk_index(table, based, period=when, groups=groups, **given) for when in wanted}
    city = {when: _city_score(table, based, when, groups=groups, **given) for when in wanted}
    scores = pd.DataFrame({when: item.score for when, item in results.items()})
    ranks = pd.DataFrame({when: item.ranking["rank"].sort_index() for when, item in results.items()})
    domains = pd.concat({when: item.domains.sort_index() for when, item in results.items()}, axis=1).swaplevel(axis=1)
    domains = domains[[(item.id, when) for item in shared.domains for when in wanted]]
    excluded = [item.excluded.reset_index().assign(period=when) for when, item in results.items()]
    columns = ["area_id", "period", "population", "status", "reason"]
    return IndexSeries(
        base=base,
        base_period=first if base == "fixed" else None,
        scores=scores,
        ranks=ranks,
        domains=domains.rename_axis(columns=["domain", "period"]),
        city=pd.Series(city, name="city", dtype=float),
        change=_change(scores, ranks, domains),
        excluded=pd.concat(excluded, ignore_index=True)[columns],
        left_out=left_out,
        breaks=_breaks(table, shared, wanted),
        results=results,
    )


def _check(table: IndicatorTable, wanted: Sequence[str], base: str, base_period: str | int | None) -> None:
    known = table.periods()
    for period in [*wanted, *([] if base_period is None else [str(base_period)])]:
        if period not in known:
            raise checks.unknown_name("period of the table", period, known, key="periods")
    if base not in {"moving", "fixed"}:
        raise checks.unknown_name("base", base, ["moving", "fixed"], key="base")
    if base == "moving" and base_period is not None:
        what = "a moving base has no base year"
        raise SpecError(Fault(what=what, key="base_period", hint='base = "fixed", or leave the year out'))
    if len(wanted) < 2:  # noqa: PLR2004  a series of one year is none
        raise SpecError(Fault(what=f"{len(wanted)} period is no series", key="periods", expected="two or more"))


def _shared(
    table: IndicatorTable, spec: IndexSpec, wanted: Sequence[str], areas: set[str]
) -> tuple[IndexSpec, pd.DataFrame]:
    """Keep the indicators that exist in all periods: a score must be made of the same things in every year."""
    rows = table.data[table.data["area_id"].isin(areas) & table.data["status"].isin(KNOWN)]
    have = rows.groupby("indicator")["period"].agg(set)
    gone = {name: [when for when in wanted if when not in have.get(name, set())] for name in spec.indicators}
    gone = {name: periods for name, periods in gone.items() if periods}
    domains = []
    for number, domain in enumerate(spec.domains):
        kept = {name: weight for name, weight in domain.indicators.items() if name not in gone}
        parts = [
            part.model_copy(update={"indicators": own})
            for part in domain.parts
            if (own := {name: weight for name, weight in part.indicators.items() if name not in gone})
        ]
        if not kept:
            what = f"no indicator of '{domain.id}' exists in all of {', '.join(wanted)}"
            raise TableError(Fault(what=what, key=f"index.domains.{number}", hint="choose other periods"))
        domains.append(domain.model_copy(update={"indicators": kept, "parts": tuple(parts)}))
    named = [field for field in ("targets", "directions") if getattr(spec, field)]
    fitting = {f: {n: v for n, v in getattr(spec, f).items() if n not in gone} for f in named}
    left = pd.DataFrame({"indicator": list(gone), "periods": list(gone.values())})
    return spec.model_copy(update={"domains": tuple(domains), **fitting}), left


def _city_score(table: IndicatorTable, spec: IndexSpec, period: str, **given: Any) -> float:
    """Score the city of a year as if it were an area."""
    if not scores_are_relative(spec):
        return float("nan")
    if spec.base is None:
        return _CITY
    ready = prepare(table, spec, period=period, **given)
    now = prepare(table, spec.model_copy(update={"base": None}), period=period, **given)
    values = now.city["value"].reindex(list(spec.indicators)).to_numpy(dtype=float)
    as_area = np.repeat(values[None, :], len(ready.figures.usable), axis=0)
    return float(composite(ready.fitted, as_area).scores[0])


def _change(scores: pd.DataFrame, ranks: pd.DataFrame, domains: pd.DataFrame) -> pd.DataFrame:
    known = scores.notna()
    enough = known.sum(axis=1) > 1
    since = known.idxmax(axis=1).where(enough)
    until = known.iloc[:, ::-1].idxmax(axis=1).where(enough)
    found = pd.DataFrame({"since": since, "until": until})
    ends = [_at(scores, since), _at(scores, until)]
    found["points"] = ends[1] - ends[0]
    found["pct"] = _pct(*ends)
    for name in domains.columns.get_level_values(0).unique():
        own = domains[name]
        found[f"{name}_pct"] = _pct(_at(own, since), _at(own, until))
    places = _at(ranks.astype(float), since) - _at(ranks.astype(float), until)
    found["places"] = places.astype("Int64")
    return found


def _at(frame: pd.DataFrame, columns: pd.Series) -> pd.Series:
    """Return from each row the value of its own column."""
    picked = [
        frame.loc[row, column] if isinstance(column, str) else np.nan
        for row, column in columns.reindex(frame.index).items()
    ]
    return pd.Series(picked, index=frame.index, dtype=float)


def _pct(before: pd.Series, after: pd.Series) -> pd.Series:
    return (100 * (after / before.where(before > 0) - 1)).where(after > 0)


def _breaks(table: IndicatorTable, spec: IndexSpec, wanted: Sequence[str]) -> pd.DataFrame:
    first, last = int(wanted[0][:4]), int(wanted[-1][:4])
    rows = [
        (name, str(year)) for name in spec.indicators for year in table.definitions[name].breaks if first < year <= last
    ]
    return pd.DataFrame(rows, columns=["indicator", "period"])
