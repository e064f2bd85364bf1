"""Which areas? Dated rules, margins in people, what a choice costs and misses."""

from geoplan.targeting.accounts import (
    Accounts,
    programme_accounts,
)
from geoplan.targeting.amounts import (
    kronor,
    largest_remainder,
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
from geoplan.targeting.grants import (
    GrantChange,
    PerformanceGrants,
    compare_grants,
    grants_by_performance,
    grants_if,
    roll_up_grants,
)
from geoplan.targeting.rules import (
    Selection,
    select,
)
from geoplan.targeting.stability import (
    Stability,
    stability,
)
from geoplan.targeting.wording import (
    rule_lines,
)

__all__ = [
    "Accounts",
    "DesignationCertainty",
    "GrantChange",
    "GrantNoise",
    "NeedGrants",
    "PerformanceGrants",
    "Selection",
    "Stability",
    "compare_grants",
    "designation_certainty",
    "grant_noise",
    "grants_by_need",
    "grants_by_performance",
    "grants_if",
    "kronor",
    "largest_remainder",
    "programme_accounts",
    "roll_up_grants",
    "rule_lines",
    "select",
    "stability",
]
