"""What is where? Areas with their levels, and the indicators that describe them."""

from geoplan.places.aliases import as_aliases, name_labels
from geoplan.places.areas import (
    AreaReport,
    as_areas,
    as_crs,
    as_names,
    check_points,
    find_overlaps,
    with_crs,
    working_crs,
)
from geoplan.places.attacks import AttackReport, attack
from geoplan.places.blurring import round_counts
from geoplan.places.boundaries import as_crosswalk, carry, change_lines
from geoplan.places.crosswalks import Crosswalk, CrosswalkReport, Grid, crosswalk
from geoplan.places.disclosure import Protection, protect
from geoplan.places.extents import extent
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
from geoplan.places.lint import RULES, Finding, lint_bases, lint_index, lint_levels, lint_periods, lint_table
from geoplan.places.membership import (
    as_membership,
    assign_largest_overlap,
    belongs_to,
    check_membership,
    members,
    pairs_at,
    parents_at,
)
from geoplan.places.names import HOW, NameMatch, match_names
from geoplan.places.nesting import NestingReport, check_nesting
from geoplan.places.precedence import Combination, combine
from geoplan.places.provenance import METHODS, REASONS
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
from geoplan.places.rounding import round_half_up
from geoplan.places.series import change, multi_year_mean, segments
from geoplan.places.signs import SIGNS
from geoplan.places.tidy import as_indicators
from geoplan.places.transfers import moved_lines, transfer, transfer_report

__all__ = [
    "HOW",
    "KNOWN",
    "METHODS",
    "MISSING",
    "REASONS",
    "RULES",
    "SIGNS",
    "STATUSES",
    "AreaReport",
    "AttackReport",
    "Combination",
    "Crosswalk",
    "CrosswalkReport",
    "DomainMap",
    "Finding",
    "Grid",
    "IndicatorTable",
    "JoinReport",
    "NameMatch",
    "NestingReport",
    "Protection",
    "as_aliases",
    "as_areas",
    "as_crosswalk",
    "as_crs",
    "as_indicators",
    "as_membership",
    "as_names",
    "assign_largest_overlap",
    "attack",
    "belongs_to",
    "carry",
    "change",
    "change_lines",
    "check_membership",
    "check_nesting",
    "check_points",
    "combine",
    "crosswalk",
    "differences",
    "effective_weights",
    "extent",
    "find_overlaps",
    "goals_of",
    "indicators_of",
    "join_report",
    "known_sums",
    "lint_bases",
    "lint_index",
    "lint_levels",
    "lint_periods",
    "lint_table",
    "map_domains",
    "match_names",
    "members",
    "moved_lines",
    "multi_year_mean",
    "name_labels",
    "pairs_at",
    "parents_at",
    "protect",
    "registry_notes",
    "roll_up",
    "round_counts",
    "round_half_up",
    "segments",
    "sheets",
    "totals",
    "transfer",
    "transfer_report",
    "unexplained",
    "unit_scale",
    "with_crs",
    "working_crs",
]
