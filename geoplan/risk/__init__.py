"""How deprived, and how sure? The risk index, its years, its uncertainty and its patterns on the map."""

from geoplan.risk.adjacency import (
    Neighbours,
    neighbours,
)
from geoplan.risk.certificate import (
    Certificate,
)
from geoplan.risk.clusters import (
    CLASSES,
    GlobalPattern,
    global_pattern,
    local_pattern,
)
from geoplan.risk.comparison import (
    Comparison,
    compare_results,
)
from geoplan.risk.contrasts import (
    contrast,
    profile,
    strengths,
)
from geoplan.risk.decomposition import (
    CHANGE_PARTS,
    ChangeDecomposition,
    decompose_change,
)
from geoplan.risk.effects import (
    choice_effects,
)
from geoplan.risk.figures import (
    breakdown,
    explain,
)
from geoplan.risk.index import (
    IndexResult,
    risk_index,
)
from geoplan.risk.methods import (
    scores_are_relative,
)
from geoplan.risk.score_contrasts import (
    contrast_scores,
)
from geoplan.risk.separation import (
    segregation,
)
from geoplan.risk.shrinkage import (
    shrink,
)
from geoplan.risk.uncertainty import (
    RankUncertainty,
    rank_uncertainty,
)
from geoplan.risk.years import (
    IndexSeries,
    index_series,
)

__all__ = [
    "CHANGE_PARTS",
    "CLASSES",
    "Certificate",
    "ChangeDecomposition",
    "Comparison",
    "GlobalPattern",
    "IndexResult",
    "IndexSeries",
    "Neighbours",
    "RankUncertainty",
    "breakdown",
    "choice_effects",
    "compare_results",
    "contrast",
    "contrast_scores",
    "decompose_change",
    "explain",
    "global_pattern",
    "index_series",
    "local_pattern",
    "neighbours",
    "profile",
    "rank_uncertainty",
    "risk_index",
    "scores_are_relative",
    "segregation",
    "shrink",
    "strengths",
]
