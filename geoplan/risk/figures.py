"""What a score is made of, figure by figure."""

from __future__ import annotations

import pandas as pd

from geoplan import checks
from geoplan.places import IndicatorTable
from geoplan.places.provenance import PROVENANCE
from geoplan.risk.index import IndexResult
from geoplan.risk.methods import scores_are_relative

__all__ = ["breakdown", "explain"]

_CITY = 100.0
_BEHIND = ("children", "minimum", "maximum", "spread")


def breakdown(result: IndexResult, table: IndicatorTable) -> pd.DataFrame:
    """List every figure behind every score.

    Parameters
    ----------
    result
        From :func:`~geoplan.risk.risk_index`.
    table
        The indicators it was made from.

    Returns
    -------
    pandas.DataFrame
        One row an area and indicator, in the order of the areas' ranks and the index's indicators: ``area_id``,
        ``domain``, ``indicator``, ``unit``, ``value``, ``numerator``, ``denominator`` (N), ``children``, ``minimum``,
        ``maximum``, ``spread`` (of the smallest areas behind a merged figure, see :func:`~geoplan.places.roll_up`; NaN
        behind one that was not merged), ``city`` (the city's value), ``relative`` (as it is combined: city = 100 in the
        relative method; higher = worse), ``weight`` (in the area's composite), ``contribution`` (points of the
        composite), ``above_city`` (points of the score's distance from 100; where the city does not score 100, from the
        ranked areas' mean), ``status`` (a figure that was filled in is ``estimated``), and
        ``source``, ``method`` and ``reason`` as the table has them (see :data:`~geoplan.places.METHODS`), empty where
        it has not.

    Examples
    --------
    >>> from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec
    >>> from geoplan.risk import risk_index
    >>> names = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    >>> rows = [(area, "poor", "2012", n, base, 100 * n / base, "observed")
    ...         for area, n, base in [("A", 20, 100), ("B", 10, 200)]]
    >>> rows += [(area, "population", "2012", n, None, n, "observed") for area, n in [("A", 100), ("B", 200)]]
    >>> kinds = {"poor": ("share", "pct", "higher_is_worse"), "population": ("count", "persons", "neutral")}
    >>> definitions = {name: IndicatorSpec(id=name, label=name, kind=k, unit=u, direction=d)
    ...                for name, (k, u, d) in kinds.items()}
    >>> table = IndicatorTable(pd.DataFrame(rows, columns=names), definitions)
    >>> spec = IndexSpec(domains=[DomainSpec(id="livelihood", label="Livelihood", indicators=["poor"])])
    >>> result = risk_index(table, spec, period="2012")
    >>> breakdown(result, table)[["area_id", "value", "city", "relative", "contribution"]].values.tolist()
    [['A', 20.0, 10.0, 200.0, 200.0], ['B', 5.0, 10.0, 50.0, 50.0]]
    """
    domain_of = {name: domain.id for domain in result.spec.domains for name in domain.indicators}
    rows = table.data[table.data["period"] == result.certificate.period].set_index(["area_id", "indicator"])
    every = pd.MultiIndex.from_product([result.ranking.index, list(domain_of)], names=["area_id", "indicator"])
    frame = rows.reindex(columns=["value", "numerator", "denominator", *_BEHIND, "status"]).reindex(every)
    for name in PROVENANCE:
        frame[name] = rows[name].astype(object).reindex(every).fillna("") if name in rows else ""
    for name, wide in (
        ("relative", result.relative),
        ("weight", result.weights),
        ("contribution", result.contributions),
    ):
        frame[name] = wide.rename_axis(columns="indicator").stack().reindex(every)
    names = frame.index.get_level_values("indicator")
    frame["domain"] = names.map(domain_of)
    frame["unit"] = names.map({name: table.definitions[name].unit for name in domain_of})
    frame["city"] = names.map(result.reference["value"])
    if scores_are_relative(result.spec):
        frame["above_city"] = frame["contribution"] - _CITY * frame["weight"]
    else:
        frame["above_city"] = frame["contribution"] - names.map(result.contributions.mean())
    frame["status"] = frame["status"].fillna("not_collected")
    filled = result.imputed.rename_axis(columns="indicator").stack().reindex(every)
    frame["value"] = frame["value"].fillna(filled)
    frame.loc[filled.notna(), ["status", "method", "reason"]] = ["estimated", "imputed", ""]
    columns = [
        "area_id",
        "domain",
        "indicator",
        "unit",
        "value",
        "numerator",
        "denominator",
        *_BEHIND,
        "city",
        "relative",
    ]
    return frame.reset_index()[[*columns, "weight", "contribution", "above_city", "status", *PROVENANCE]]


def explain(result: IndexResult, table: IndicatorTable, area_id: str) -> pd.DataFrame:
    """Show what one area's score is made of, what lifts it most above the city first.

    Parameters
    ----------
    result, table
        From :func:`~geoplan.risk.risk_index`, and the indicators it was made from.
    area_id
        The area's code.

    Returns
    -------
    pandas.DataFrame
        The rows of :func:`breakdown` for the area, without its code.

    Raises
    ------
    SpecError
        When there is no such area.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/baseline.toml")
    >>> explain(run.index(), run.indicators(), "0099S18")["indicator"][0]
    'arson_fires'
    """
    if area_id not in result.ranking.index:
        raise checks.unknown_name("area", area_id, result.ranking.index)
    frame = breakdown(result, table)
    own = frame[frame["area_id"] == area_id].drop(columns="area_id")
    return own.sort_values("above_city", ascending=False, na_position="last", ignore_index=True)
