"""How deprived, and how sure? The risk index."""

from geoplan.risk.contrast import contrast, contrast_scores, profile, strengths
from geoplan.risk.decomposition import CHANGE_PARTS, ChangeDecomposition, decompose_change
from geoplan.risk.figures import breakdown, explain
from geoplan.risk.index import Certificate, IndexResult, risk_index

__all__ = [
    "CHANGE_PARTS",
    "Certificate",
    "ChangeDecomposition",
    "IndexResult",
    "breakdown",
    "contrast",
    "contrast_scores",
    "decompose_change",
    "explain",
    "profile",
    "risk_index",
    "strengths",
]
