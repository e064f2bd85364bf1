"""What is where? Areas with their levels, and the indicators that describe them."""

from geoplan.places.areas import AreaReport, as_areas, as_crs, check_points, find_overlaps, with_crs, working_crs
from geoplan.places.indicators import (
    KNOWN,
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
from geoplan.places.precedence import Combination, combine
from geoplan.places.provenance import METHODS, REASONS
from geoplan.places.rounding import round_half_up
from geoplan.places.series import change, multi_year_mean, segments
from geoplan.places.signs import SIGNS
from geoplan.places.tidy import as_indicators

__all__ = [
    "KNOWN",
    "METHODS",
    "MISSING",
    "REASONS",
    "SIGNS",
    "STATUSES",
    "AreaReport",
    "Combination",
    "IndicatorTable",
    "JoinReport",
    "as_areas",
    "as_crs",
    "as_indicators",
    "as_membership",
    "assign_largest_overlap",
    "change",
    "check_points",
    "combine",
    "find_overlaps",
    "join_report",
    "known_sums",
    "multi_year_mean",
    "parents_at",
    "roll_up",
    "round_half_up",
    "segments",
    "totals",
    "unit_scale",
    "with_crs",
    "working_crs",
]
