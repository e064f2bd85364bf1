"""The story: reads a scenario, calls the wings in order, and writes the run folder.

Names are imported on first use: explaining a finished run needs none of the libraries that make one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.run.folder import atomic_folder
    from geoplan.run.matching import match_table, write_matches
    from geoplan.run.outputs import write_run
    from geoplan.run.reading import Explanation, explain_run
    from geoplan.run.story import Run, open_run
    from geoplan.run.verify import CheckReport, check_project

_HOMES = {
    "CheckReport": "verify",
    "Explanation": "reading",
    "Run": "story",
    "atomic_folder": "folder",
    "check_project": "verify",
    "explain_run": "reading",
    "match_table": "matching",
    "open_run": "story",
    "write_matches": "matching",
    "write_run": "outputs",
}

__all__ = [
    "CheckReport",
    "Explanation",
    "Run",
    "atomic_folder",
    "check_project",
    "explain_run",
    "match_table",
    "open_run",
    "write_matches",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.run' has no attribute '{name}'")
    return getattr(importlib.import_module(f"geoplan.run.{_HOMES[name]}"), name)
