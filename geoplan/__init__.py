"""geoplan: the planning toolkit for deprived urban areas.

Polygons and indicators in; a risk index (city = 100), a priority list and maps out::

    import geoplan as gp

    run = gp.open_run("scenarios/baseline.toml")
    index = run.index()
    gp.explore(run.areas(), index.score, title="Risk index 2012", unit="index", midpoint=100, cmap="PuOr_r")

Names are imported on first use, so that ``import geoplan`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.errors import DisclosureError, GeoplanError, InputError, OutputError
    from geoplan.places import (
        Grid,
        IndicatorTable,
        as_aliases,
        as_areas,
        as_crosswalk,
        as_indicators,
        as_membership,
        assign_largest_overlap,
        attack,
        belongs_to,
        carry,
        change,
        check_nesting,
        combine,
        crosswalk,
        differences,
        extent,
        join_report,
        lint_table,
        map_domains,
        match_names,
        members,
        multi_year_mean,
        pairs_at,
        parents_at,
        protect,
        roll_up,
        segments,
        sheets,
        totals,
        transfer,
    )
    from geoplan.risk import IndexResult, breakdown, explain, risk_index
    from geoplan.run import Run, check_project, explain_run, open_registry, open_run, write_run
    from geoplan.show import Style, explore, make_style, plot, plot_series, write_geopackage
    from geoplan.sources import home, list_layers, read_table, read_vector
    from geoplan.specs import DisclosureSpec, DomainSpec, IndexSpec, IndicatorsLayer, IndicatorSpec

__version__ = "0.1.0"

_WINGS = {
    "errors": (
        "DisclosureError",
        "GeoplanError",
        "InputError",
        "OutputError",
    ),
    "places": (
        "Grid",
        "IndicatorTable",
        "as_aliases",
        "as_areas",
        "as_crosswalk",
        "as_indicators",
        "as_membership",
        "assign_largest_overlap",
        "attack",
        "belongs_to",
        "carry",
        "change",
        "check_nesting",
        "combine",
        "crosswalk",
        "differences",
        "extent",
        "join_report",
        "lint_table",
        "map_domains",
        "match_names",
        "members",
        "multi_year_mean",
        "pairs_at",
        "parents_at",
        "protect",
        "roll_up",
        "segments",
        "sheets",
        "totals",
        "transfer",
    ),
    "risk": (
        "IndexResult",
        "breakdown",
        "explain",
        "risk_index",
    ),
    "run": (
        "Run",
        "check_project",
        "explain_run",
        "open_registry",
        "open_run",
        "write_run",
    ),
    "show": (
        "Style",
        "explore",
        "make_style",
        "plot",
        "plot_series",
        "write_geopackage",
    ),
    "sources": (
        "home",
        "list_layers",
        "read_table",
        "read_vector",
    ),
    "specs": (
        "DisclosureSpec",
        "DomainSpec",
        "IndexSpec",
        "IndicatorSpec",
        "IndicatorsLayer",
    ),
}
_HOMES = {name: wing for wing, names in _WINGS.items() for name in names}

__all__ = [
    "DisclosureError",
    "DisclosureSpec",
    "DomainSpec",
    "GeoplanError",
    "Grid",
    "IndexResult",
    "IndexSpec",
    "IndicatorSpec",
    "IndicatorTable",
    "IndicatorsLayer",
    "InputError",
    "OutputError",
    "Run",
    "Style",
    "as_aliases",
    "as_areas",
    "as_crosswalk",
    "as_indicators",
    "as_membership",
    "assign_largest_overlap",
    "attack",
    "belongs_to",
    "breakdown",
    "carry",
    "change",
    "check_nesting",
    "check_project",
    "combine",
    "crosswalk",
    "differences",
    "explain",
    "explain_run",
    "explore",
    "extent",
    "home",
    "join_report",
    "lint_table",
    "list_layers",
    "make_style",
    "map_domains",
    "match_names",
    "members",
    "multi_year_mean",
    "open_registry",
    "open_run",
    "pairs_at",
    "parents_at",
    "plot",
    "plot_series",
    "protect",
    "read_table",
    "read_vector",
    "risk_index",
    "roll_up",
    "segments",
    "sheets",
    "totals",
    "transfer",
    "write_geopackage",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"geoplan.{_HOMES[name]}"), name)
    globals()[name] = value  # found once, a plain attribute from then on
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
