"""What is where? Areas with their levels, and the indicators that describe them."""

from geoplan.places.areas import AreaReport, as_areas, as_crs, check_points, find_overlaps, with_crs, working_crs
from geoplan.places.indicators import (
    MISSING,
    STATUSES,
    IndicatorTable,
    JoinReport,
    join_report,
    known_sums,
    roll_up,
    totals,
    unit_scale,
)
from geoplan.places.membership import as_membership, assign_largest_overlap, parents_at
from geoplan.places.registry import (
    DomainMap,
    differences,
    effective_weights,
    goals_of,
    indicators_of,
    map_domains,
    registry_notes,
    sheets,
    unexplained,
)
from geoplan.places.tidy import as_indicators

__all__ = [
    "MISSING",
    "STATUSES",
    "AreaReport",
    "DomainMap",
    "IndicatorTable",
    "JoinReport",
    "as_areas",
    "as_crs",
    "as_indicators",
    "as_membership",
    "assign_largest_overlap",
    "check_points",
    "differences",
    "effective_weights",
    "find_overlaps",
    "goals_of",
    "indicators_of",
    "join_report",
    "known_sums",
    "map_domains",
    "parents_at",
    "registry_notes",
    "roll_up",
    "sheets",
    "totals",
    "unexplained",
    "unit_scale",
    "with_crs",
    "working_crs",
]
