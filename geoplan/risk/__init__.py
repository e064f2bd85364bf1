"""How deprived, and how sure? The risk index."""

from geoplan.risk.certificate import Certificate
from geoplan.risk.comparison import Comparison, compare_results
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import IndexResult, risk_index

__all__ = ["Certificate", "Comparison", "IndexResult", "breakdown", "compare_results", "explain", "risk_index"]
