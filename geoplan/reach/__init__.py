"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.snapping import snap
from geoplan.reach.streets import NEVER, Graph, Snapped, Streets, read_streets
from geoplan.reach.ways import CUSTOMARY_KMH

__all__ = [
    "CUSTOMARY_KMH",
    "NEVER",
    "Graph",
    "Snapped",
    "Streets",
    "read_streets",
    "snap",
]
