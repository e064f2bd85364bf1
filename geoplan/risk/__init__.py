"""How deprived, and how sure? The risk index."""

from geoplan.risk.contrast import contrast, contrast_scores, profile, strengths
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import Certificate, IndexResult, risk_index

__all__ = [
    "Certificate",
    "IndexResult",
    "breakdown",
    "contrast",
    "contrast_scores",
    "explain",
    "profile",
    "risk_index",
    "strengths",
]
