"""The further steps of a run whose scenario speaks of access, nodes, links or surfaces; light, until they are made."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["reach_steps"]

_STEPS = (
    ("access", "writing what residents reach", "access_outputs", "write_access"),
    ("nodes", "writing strategic nodes", "node_outputs", "write_nodes"),
    ("links", "writing links between districts", "link_outputs", "write_links"),
    ("surfaces", "writing surfaces", "surface_outputs", "write_surfaces"),
)


def reach_steps(run: Run) -> list[tuple[str, Callable[[Run, Path], None]]]:
    """Return what is to be written, in words, and what writes it into a folder; empty where nothing is asked."""
    return [
        (words, getattr(importlib.import_module(f"geoplan.run.{module}"), name))
        for section, words, module, name in _STEPS
        if getattr(run.spec, section)
    ]
