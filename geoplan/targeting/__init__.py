"""Which areas? Dated rules, margins in people, what a choice costs and misses."""

from geoplan.targeting.rules import (
    Selection,
    select,
)

__all__ = [
    "Selection",
    "select",
]
