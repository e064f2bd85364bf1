"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.equity import Equity, access_equity, deprivation_access_classes
from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.isochrones import isochrone_notes, isochrones
from geoplan.reach.journeys import Journey, explain_trip
from geoplan.reach.matrix import travel_times
from geoplan.reach.network import Network, join_network
from geoplan.reach.profiles import window_profile
from geoplan.reach.r5 import r5_travel_times
from geoplan.reach.residents import Standard, area_access, area_of_points, weighted_points, weighted_quantile
from geoplan.reach.scope import Scope, cut_edges, origin_status, service_scope
from geoplan.reach.snapping import snap
from geoplan.reach.streets import NEVER, Graph, Snapped, Streets, read_streets
from geoplan.reach.streets_file import load_streets, write_streets
from geoplan.reach.times import UNREACHED, TravelTimes, read_times
from geoplan.reach.timetable import Connections, Timetable, read_timetable
from geoplan.reach.ways import CUSTOMARY_KMH

__all__ = [
    "CUSTOMARY_KMH",
    "NEVER",
    "UNREACHED",
    "Connections",
    "Equity",
    "FeedReport",
    "Graph",
    "Journey",
    "Network",
    "Scope",
    "Snapped",
    "Standard",
    "Streets",
    "Timetable",
    "TravelTimes",
    "access_equity",
    "area_access",
    "area_of_points",
    "cut_edges",
    "deprivation_access_classes",
    "explain_trip",
    "feed_report",
    "isochrone_notes",
    "isochrones",
    "join_network",
    "load_streets",
    "origin_status",
    "r5_travel_times",
    "read_streets",
    "read_times",
    "read_timetable",
    "read_travel_times",
    "service_scope",
    "snap",
    "travel_times",
    "weighted_points",
    "weighted_quantile",
    "window_profile",
    "write_streets",
]
