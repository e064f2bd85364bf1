"""The linter: figures that are numbers, and still cannot be true or should be looked at.

A finding is a fault, which must be mended, or a note. Each rule is a function of its own; :data:`RULES` lists them all.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

import pandas as pd

from geoplan.places import bases, oddities, percentages, tallies
from geoplan.places.findings import Finding, Rule, fault, open_sheet
from geoplan.places.indicators import IndicatorTable
from geoplan.specs import IndexSpec, IndicatorsLayer, IndicatorSpec

__all__ = ["RULES", "Finding", "Rule", "lint_bases", "lint_index", "lint_levels", "lint_periods", "lint_table"]


def _beyond_the_report(periods: list[str], date: dt.date) -> Iterator[Finding]:
    """Find a scenario that ranks a year after the date of its report."""
    for period in periods:
        last = max((int(year) for year in re.findall(r"(?<!\d)\d{4}(?!\d)", period)), default=None)
        if last is not None and last > date.year:
            yield fault(f"the period {period} lies after the report's date, {date}", key="period")


_TABLE = (
    Rule("L01 sums", "fault or note", tallies.totals_tally),
    Rule("L02 stated counts", "fault or note", tallies.stated_counts),
    Rule("L03 years", "fault or note", oddities.years),
    Rule("L04 rates", "fault or note", percentages.from_counts),
    Rule("L05 base of a share", "note", percentages.from_base),
    Rule("L06 shares of a whole", "fault or note", tallies.shares_of_hundred),
    Rule("L07 parts and whole", "fault or note", tallies.parts_of_whole),
    Rule("L09 base over the years", "note", bases.bases_jump),
    Rule("L12 stands twice", "fault", oddities.stands_twice),
    Rule("L13 copied forward", "note", oddities.copied_forward),
    Rule("L14 unit slip", "note", oddities.unit_slips),
    Rule("L15 lengths of codes", "note", oddities.codes_of_two_lengths),
    Rule("L17 no rows", "note", oddities.without_rows),
    Rule("L18 not applicable", "note", oddities.no_residents_but_a_base),
)
_TABLES = (
    Rule("L08 base between tables", "note", bases.bases_differ),
    Rule("L10 defined otherwise", "fault or note", bases.defined_otherwise),
)
_INDEX = Rule("L11 narrow index", "note", bases.sees_too_little)
_LEVELS = Rule("L16 two levels", "fault", tallies.levels)
_PERIODS = Rule("L19 after the report", "fault", _beyond_the_report)

#: Every rule, in the order of its number.
RULES: tuple[Rule, ...] = tuple(sorted((*_TABLE, *_TABLES, _INDEX, _LEVELS, _PERIODS), key=lambda rule: rule.id))


def lint_table(table: IndicatorTable, layer: IndicatorsLayer, *, raw: pd.DataFrame | None = None) -> list[Finding]:
    """Look for figures of one table that cannot be true, or that somebody should look at.

    Parameters
    ----------
    table
        Tidy indicators, from :func:`~geoplan.as_indicators`.
    layer
        The dataset's entry in the catalogue; its ``total_row``, ``stated_areas``, ``stated_sum``, ``sums`` and
        ``noise`` say what the publisher states.
    raw
        The table as read from the file, the index the rows' numbers. Without it rows are not told, and neither totals
        nor published rates beside their counts can be compared.

    Returns
    -------
    list of Finding
        In the order of :data:`RULES`; faults one for each row, notes one for each indicator (and period).

    Raises
    ------
    InputError
        When a row of totals holds what is no number.

    Examples
    --------
    >>> from geoplan.places import as_indicators
    >>> from geoplan.specs import parse_layer
    >>> layer = parse_layer({
    ...     "kind": "indicators", "title": "Figures", "path": "f.csv", "source": "city", "licence": "CC0",
    ...     "vintage": "2012", "level": "stadsdel", "id_column": "code", "total_row": "Total", "indicators": [
    ...         {"id": "people", "label": "People", "kind": "count", "unit": "persons", "direction": "neutral"}]})
    >>> raw = pd.DataFrame({"code": ["01", "02", "Total"], "indicator": "people", "period": "2012",
    ...                     "numerator": ["100", "200", "310"]}, index=[2, 3, 4])
    >>> for found in lint_table(as_indicators(raw, layer), layer, raw=raw):
    ...     print(found)
    people 2012: the counts of 2 areas add up to 300, the total in the file is 310 (difference -10). [L01 sums]
    """
    sheet = open_sheet(table, layer, raw)
    return [found for rule in _TABLE for found in rule.findings(sheet)]


def lint_bases(tables: Mapping[str, IndicatorTable]) -> list[Finding]:
    """Look for populations that change from table to table though they are said to be the same.

    Parameters
    ----------
    tables
        The indicators of a scenario, by the name of their layer; one table may hold several with the same base.

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> adults = {"base": {"en": "Adults"}, "label": "x", "kind": "share", "unit": "pct", "direction": "neutral"}
    >>> rows = [("01", "a", "2012", 5.0, 50.0, 10.0, "observed"), ("01", "b", "2012", 6.0, 60.0, 10.0, "observed")]
    >>> from geoplan.places.indicators import COLUMNS
    >>> definitions = {name: IndicatorSpec(id=name, **adults) for name in "ab"}
    >>> print(lint_bases({"t": IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), definitions)})[0])
    area '01': the base 'Adults' is not the same in 'a', 'b': 1 of 1 cases differ; most in 2012, where a has 50 and b
    60. [L08 base between tables]
    """
    return [found for rule in _TABLES for found in rule.findings(tables)]


def lint_index(index: IndexSpec, definitions: Mapping[str, IndicatorSpec]) -> list[Finding]:
    """Look at what an index can see, by the ``subject`` of its indicators.

    Parameters
    ----------
    index
        Domains with their indicators.
    definitions
        Indicator id → definition.

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> from geoplan.specs import DomainSpec
    >>> job = IndicatorSpec(id="job", label="x", kind="share", unit="pct", direction="neutral", subject="work")
    >>> index = IndexSpec(domains=[DomainSpec(id="work", label="Work", indicators=["job"])])
    >>> lint_index(index, {"job": job})[0].what
    'the index stands on work only: it cannot see safety, health or housing'
    """
    return _INDEX.findings(index, definitions)


def lint_levels(
    fine: IndicatorTable, coarse: IndicatorTable, parents: pd.Series, *, noise: float = 0.0
) -> list[Finding]:
    """Compare figures delivered for larger areas with the sums of those delivered for smaller ones.

    Parameters
    ----------
    fine, coarse
        Indicators of the smaller and of the larger areas; those with the same id are compared, where all are observed.
    parents
        Index the smaller areas' codes, values the larger's, from :func:`~geoplan.parents_at`.
    noise
        The most by which the publisher may have changed a count.

    Returns
    -------
    list of Finding

    Raises
    ------
    TableError
        When a rate without counts has no base to weigh it by.

    Examples
    --------
    >>> from geoplan.places.indicators import COLUMNS
    >>> people = IndicatorSpec(id="people", label="x", kind="count", unit="persons", direction="neutral")
    >>> rows = [(area, "people", "2012", n, None, n, "observed") for area, n in (("a", 1.0), ("b", 2.0), ("town", 4.0))]
    >>> data = pd.DataFrame(rows, columns=COLUMNS).astype({"denominator": float})
    >>> fine, coarse = (IndicatorTable(part, {"people": people}) for part in (data[:2], data[2:]))
    >>> print(lint_levels(fine, coarse, pd.Series({"a": "town", "b": "town"}))[0])
    area 'town': people 2012: the counts of 2 smaller areas add up to 3, the area's own is 4 (difference -1). [L16 two
    levels]
    """
    return _LEVELS.findings(fine, coarse, parents, noise)


def lint_periods(periods: list[str], date: dt.date) -> list[Finding]:
    """Compare the years of a scenario with the date of its report.

    Parameters
    ----------
    periods
        Years, or spans of years.
    date
        The date of the report.

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> print(lint_periods(["2012", "2014"], dt.date(2013, 3, 15))[0])
    key 'period': the period 2014 lies after the report's date, 2013-03-15. [L19 after the report]
    """
    return _PERIODS.findings(periods, date)
