"""How deprived, and how sure? The risk index."""

from geoplan.risk.clusters import CLASSES, GlobalPattern, global_pattern, local_pattern
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import Certificate, IndexResult, risk_index
from geoplan.risk.neighbours import Neighbours, neighbours
from geoplan.risk.segregation import segregation

__all__ = [
    "CLASSES",
    "Certificate",
    "GlobalPattern",
    "IndexResult",
    "Neighbours",
    "breakdown",
    "explain",
    "global_pattern",
    "local_pattern",
    "neighbours",
    "risk_index",
    "segregation",
]
