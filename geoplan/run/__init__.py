"""The story: reads a scenario, calls the wings in order, and writes the run folder.

Names are imported on first use: explaining a finished run needs none of the libraries that make one.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.run.folder import atomic_folder
    from geoplan.run.geography import Geography, describe_areas
    from geoplan.run.outputs import write_run
    from geoplan.run.reading import Explanation, explain_run
    from geoplan.run.story import Run, open_run
    from geoplan.run.verify import CheckReport, check_project

_HOMES = {
    "CheckReport": "verify",
    "Explanation": "reading",
    "Geography": "geography",
    "Run": "story",
    "atomic_folder": "folder",
    "check_project": "verify",
    "describe_areas": "geography",
    "explain_run": "reading",
    "open_run": "story",
    "write_run": "outputs",
}

__all__ = [
    "CheckReport",
    "Explanation",
    "Geography",
    "Run",
    "atomic_folder",
    "check_project",
    "describe_areas",
    "explain_run",
    "open_run",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'geoplan.run' has no attribute '{name}'")
    return getattr(importlib.import_module(f"geoplan.run.{_HOMES[name]}"), name)
