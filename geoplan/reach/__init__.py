"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.snapping import snap
from geoplan.reach.streets import NEVER, Graph, Snapped, Streets, read_streets
from geoplan.reach.streets_file import load_streets, write_streets
from geoplan.reach.ways import CUSTOMARY_KMH

__all__ = [
    "CUSTOMARY_KMH",
    "NEVER",
    "Graph",
    "Snapped",
    "Streets",
    "load_streets",
    "read_streets",
    "snap",
    "write_streets",
]
