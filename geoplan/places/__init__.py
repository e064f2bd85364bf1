"""What is where? Areas with their levels, and the indicators that describe them."""

from geoplan.places.areas import AreaReport, as_areas, as_crs, check_points, find_overlaps, with_crs, working_crs
from geoplan.places.boundaries import as_crosswalk, carry, change_lines
from geoplan.places.crosswalks import Crosswalk, CrosswalkReport, Grid, crosswalk
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
from geoplan.places.tidy import as_indicators
from geoplan.places.transfers import moved_lines, transfer, transfer_report

__all__ = [
    "MISSING",
    "STATUSES",
    "AreaReport",
    "Crosswalk",
    "CrosswalkReport",
    "Grid",
    "IndicatorTable",
    "JoinReport",
    "as_areas",
    "as_crosswalk",
    "as_crs",
    "as_indicators",
    "as_membership",
    "assign_largest_overlap",
    "carry",
    "change_lines",
    "check_points",
    "crosswalk",
    "find_overlaps",
    "join_report",
    "known_sums",
    "moved_lines",
    "parents_at",
    "roll_up",
    "totals",
    "transfer",
    "transfer_report",
    "unit_scale",
    "with_crs",
    "working_crs",
]
