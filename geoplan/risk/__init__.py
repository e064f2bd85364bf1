"""How deprived, and how sure? The risk index."""

from geoplan.risk.certificate import Certificate
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import IndexResult, risk_index
from geoplan.risk.shrinkage import shrink

__all__ = ["Certificate", "IndexResult", "breakdown", "explain", "risk_index", "shrink"]
