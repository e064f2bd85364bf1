"""geoplan: the planning toolkit for deprived urban areas.

Polygons and indicators in; a risk index (city = 100), a priority list and maps out::

    import geoplan as gp

    run = gp.open_run("scenarios/baseline.toml")
    index = run.index()
    gp.explore(run.areas(), index.score, title="Risk index 2012", unit="index", midpoint=100, cmap="PuOr_r")

Names are imported on first use, so that ``import geoplan`` costs nothing. Here stand those of every day's work; the
rest of each wing is found by its name, as ``gp.places.segments`` or ``gp.specs.CombineSpec``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.errors import (
        GeoplanError,
        InputError,
    )
    from geoplan.places import (
        Grid,
        IndicatorTable,
        as_areas,
        as_indicators,
        change,
        check_nesting,
        crosswalk,
        extent,
        match_names,
        members,
        multi_year_mean,
        protect,
        roll_up,
        sheets,
        totals,
        transfer,
    )
    from geoplan.risk import (
        breakdown,
        choice_effects,
        compare_results,
        contrast,
        decompose_change,
        explain,
        global_pattern,
        index_series,
        local_pattern,
        neighbours,
        profile,
        rank_uncertainty,
        risk_index,
        segregation,
        shrink,
    )
    from geoplan.run import (
        Run,
        check_project,
        explain_run,
        open_registry,
        open_run,
        write_run,
    )
    from geoplan.show import (
        explore,
        make_style,
        plot,
        plot_moran,
        plot_panels,
        plot_profile,
        plot_ranks,
        plot_reached,
        plot_series,
        plot_slopes,
        write_geopackage,
    )
    from geoplan.sources import (
        home,
        read_table,
        read_vector,
    )
    from geoplan.specs import (
        DisclosureSpec,
        DomainSpec,
        IndexSpec,
        IndicatorsLayer,
        IndicatorSpec,
        index_preset,
    )
    from geoplan.targeting import (
        select,
    )

__version__ = "0.1.0"

_WINGS = {
    "errors": (
        "GeoplanError",
        "InputError",
    ),
    "places": (
        "Grid",
        "IndicatorTable",
        "as_areas",
        "as_indicators",
        "change",
        "check_nesting",
        "crosswalk",
        "extent",
        "match_names",
        "members",
        "multi_year_mean",
        "protect",
        "roll_up",
        "sheets",
        "totals",
        "transfer",
    ),
    "reach": (),
    "risk": (
        "breakdown",
        "choice_effects",
        "compare_results",
        "contrast",
        "decompose_change",
        "explain",
        "global_pattern",
        "index_series",
        "local_pattern",
        "neighbours",
        "profile",
        "rank_uncertainty",
        "risk_index",
        "segregation",
        "shrink",
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
        "explore",
        "make_style",
        "plot",
        "plot_moran",
        "plot_panels",
        "plot_profile",
        "plot_ranks",
        "plot_reached",
        "plot_series",
        "plot_slopes",
        "write_geopackage",
    ),
    "sources": (
        "home",
        "read_table",
        "read_vector",
    ),
    "specs": (
        "DisclosureSpec",
        "DomainSpec",
        "IndexSpec",
        "IndicatorSpec",
        "IndicatorsLayer",
        "index_preset",
    ),
    "targeting": ("select",),
}
_HOMES = {name: wing for wing, names in _WINGS.items() for name in names}

__all__ = [
    "DisclosureSpec",
    "DomainSpec",
    "GeoplanError",
    "Grid",
    "IndexSpec",
    "IndicatorSpec",
    "IndicatorTable",
    "IndicatorsLayer",
    "InputError",
    "Run",
    "as_areas",
    "as_indicators",
    "breakdown",
    "change",
    "check_nesting",
    "check_project",
    "choice_effects",
    "compare_results",
    "contrast",
    "crosswalk",
    "decompose_change",
    "explain",
    "explain_run",
    "explore",
    "extent",
    "global_pattern",
    "home",
    "index_preset",
    "index_series",
    "local_pattern",
    "make_style",
    "match_names",
    "members",
    "multi_year_mean",
    "neighbours",
    "open_registry",
    "open_run",
    "plot",
    "plot_moran",
    "plot_panels",
    "plot_profile",
    "plot_ranks",
    "plot_reached",
    "plot_series",
    "plot_slopes",
    "profile",
    "protect",
    "rank_uncertainty",
    "read_table",
    "read_vector",
    "risk_index",
    "roll_up",
    "segregation",
    "select",
    "sheets",
    "shrink",
    "totals",
    "transfer",
    "write_geopackage",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name in _WINGS:  # what is not on top: gp.places.transfer_report, gp.specs.CombineSpec
        return importlib.import_module(f"geoplan.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"geoplan.{_HOMES[name]}"), name)
    globals()[name] = value  # found once, a plain attribute from then on
    return value


def __dir__() -> list[str]:
    return [*__all__, *_WINGS, "__version__"]
