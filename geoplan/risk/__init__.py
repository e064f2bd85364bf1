"""How deprived, and how sure? The risk index."""

from geoplan.risk.certificate import Certificate
from geoplan.risk.effects import choice_effects
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import IndexResult, risk_index
from geoplan.risk.shrinkage import shrink
from geoplan.risk.uncertainty import RankUncertainty, rank_uncertainty

__all__ = [
    "Certificate",
    "IndexResult",
    "RankUncertainty",
    "breakdown",
    "choice_effects",
    "explain",
    "rank_uncertainty",
    "risk_index",
    "shrink",
]
