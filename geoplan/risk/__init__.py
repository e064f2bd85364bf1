"""How deprived, and how sure? The risk index, its years, its uncertainty and its patterns on the map."""

from geoplan.risk.certificate import Certificate
from geoplan.risk.effects import choice_effects
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import IndexResult, risk_index
from geoplan.risk.shrinkage import shrink
from geoplan.risk.uncertainty import RankUncertainty, rank_uncertainty
from geoplan.risk.years import IndexSeries, index_series

__all__ = [
    "Certificate",
    "IndexResult",
    "IndexSeries",
    "RankUncertainty",
    "breakdown",
    "choice_effects",
    "explain",
    "index_series",
    "rank_uncertainty",
    "risk_index",
    "shrink",
]
