"""How deprived, and how sure? The risk index, its years, its uncertainty and its patterns on the map."""

from geoplan.risk.certificate import Certificate
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import IndexResult, risk_index
from geoplan.risk.years import IndexSeries, index_series

__all__ = ["Certificate", "IndexResult", "IndexSeries", "breakdown", "explain", "index_series", "risk_index"]
