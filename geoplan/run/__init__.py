"""The story: reads a scenario, calls the wings in order, and writes the run folder."""

from geoplan.run.folder import atomic_folder
from geoplan.run.outputs import write_run
from geoplan.run.reading import Explanation, explain_run
from geoplan.run.story import Run, open_run
from geoplan.run.verify import CheckReport, check_project

__all__ = [
    "CheckReport",
    "Explanation",
    "Run",
    "atomic_folder",
    "check_project",
    "explain_run",
    "open_run",
    "write_run",
]
