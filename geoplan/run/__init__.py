"""The story: reads a scenario, calls the wings in order, and writes the run folder.

Names are imported on first use: explaining a finished run needs none of the libraries that make one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.run.choosing import selection_for
    from geoplan.run.designating import designation_map, write_margins
    from geoplan.run.folder import atomic_folder
    from geoplan.run.geography import Geography, describe_areas
    from geoplan.run.matching import match_table, write_matches
    from geoplan.run.opening import open_run
    from geoplan.run.outputs import write_run
    from geoplan.run.ranking import decimals_of, ranking_table
    from geoplan.run.reading import Explanation, explain_run
    from geoplan.run.sheets import Sheet, definition_notes, find_sheets, open_registry, read_sheets
    from geoplan.run.story import Run
    from geoplan.run.verify import CheckReport, check_project

_HOMES = {
    "CheckReport": "verify",
    "Explanation": "reading",
    "Geography": "geography",
    "Run": "story",
    "Sheet": "sheets",
    "atomic_folder": "folder",
    "check_project": "verify",
    "decimals_of": "ranking",
    "definition_notes": "sheets",
    "describe_areas": "geography",
    "designation_map": "designating",
    "explain_run": "reading",
    "find_sheets": "sheets",
    "match_table": "matching",
    "open_registry": "sheets",
    "open_run": "opening",
    "ranking_table": "ranking",
    "read_sheets": "sheets",
    "selection_for": "choosing",
    "write_margins": "designating",
    "write_matches": "matching",
    "write_run": "outputs",
}

__all__ = [
    "CheckReport",
    "Explanation",
    "Geography",
    "Run",
    "Sheet",
    "atomic_folder",
    "check_project",
    "decimals_of",
    "definition_notes",
    "describe_areas",
    "designation_map",
    "explain_run",
    "find_sheets",
    "match_table",
    "open_registry",
    "open_run",
    "ranking_table",
    "read_sheets",
    "selection_for",
    "write_margins",
    "write_matches",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.run' has no attribute '{name}'")
    return getattr(importlib.import_module(f"geoplan.run.{_HOMES[name]}"), name)
