"""Which areas? Dated rules, margins in people, what a choice costs and misses."""

from geoplan.targeting.accounts import (
    Accounts,
    programme_accounts,
)
from geoplan.targeting.amounts import (
    kronor,
    largest_remainder,
)
from geoplan.targeting.boundaries import (
    BoundaryPolicy,
    boundary_policy,
)
from geoplan.targeting.by_need import (
    NeedGrants,
    grants_by_need,
)
from geoplan.targeting.certainty import (
    DesignationCertainty,
    designation_certainty,
)
from geoplan.targeting.chance import (
    GrantNoise,
    grant_noise,
)
from geoplan.targeting.counters import (
    PolicyCounters,
    policy_counters,
)
from geoplan.targeting.grants import (
    GrantChange,
    PerformanceGrants,
    compare_grants,
    grants_by_performance,
    grants_if,
    roll_up_grants,
)
from geoplan.targeting.history import (
    History,
    as_earlier,
    status_history,
    streaks,
)
from geoplan.targeting.reached import (
    Reached,
    ReachedComparison,
    compare_reached,
    who_is_reached,
)
from geoplan.targeting.rules import (
    Selection,
    select,
)
from geoplan.targeting.selection import (
    Choice,
    choose_areas,
)
from geoplan.targeting.stability import (
    Stability,
    stability,
)
from geoplan.targeting.wording import (
    difference_lines,
    rule_lines,
)

__all__ = [
    "Accounts",
    "BoundaryPolicy",
    "Choice",
    "DesignationCertainty",
    "GrantChange",
    "GrantNoise",
    "History",
    "NeedGrants",
    "PerformanceGrants",
    "PolicyCounters",
    "Reached",
    "ReachedComparison",
    "Selection",
    "Stability",
    "as_earlier",
    "boundary_policy",
    "choose_areas",
    "compare_grants",
    "compare_reached",
    "designation_certainty",
    "difference_lines",
    "grant_noise",
    "grants_by_need",
    "grants_by_performance",
    "grants_if",
    "kronor",
    "largest_remainder",
    "policy_counters",
    "programme_accounts",
    "roll_up_grants",
    "rule_lines",
    "select",
    "stability",
    "status_history",
    "streaks",
    "who_is_reached",
]
