"""What is where? Areas with their levels, and the indicators that describe them."""

from geoplan.places.areas import AreaReport, as_areas, as_crs, check_points, find_overlaps, with_crs, working_crs
from geoplan.places.extents import extent
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
from geoplan.places.membership import (
    as_membership,
    assign_largest_overlap,
    belongs_to,
    check_membership,
    members,
    pairs_at,
    parents_at,
)
from geoplan.places.nesting import NestingReport, check_nesting
from geoplan.places.tidy import as_indicators

__all__ = [
    "MISSING",
    "STATUSES",
    "AreaReport",
    "IndicatorTable",
    "JoinReport",
    "NestingReport",
    "as_areas",
    "as_crs",
    "as_indicators",
    "as_membership",
    "assign_largest_overlap",
    "belongs_to",
    "check_membership",
    "check_nesting",
    "check_points",
    "extent",
    "find_overlaps",
    "join_report",
    "known_sums",
    "members",
    "pairs_at",
    "parents_at",
    "roll_up",
    "totals",
    "unit_scale",
    "with_crs",
    "working_crs",
]
