"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.centres import (
    Ellipse,
    standard_distance,
    standard_ellipse,
    weighted_mean_centre,
    weighted_median_centre,
)
from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.journeys import Journey, explain_trip
from geoplan.reach.matrix import travel_times
from geoplan.reach.network import Network, join_network
from geoplan.reach.node_catchments import catchment_areas, catchments, served_districts
from geoplan.reach.node_certainty import NodeUncertainty, node_uncertainty
from geoplan.reach.node_changes import NodeChanges, compare_nodes
from geoplan.reach.node_parts import Nearby, nearby, spread_land, walkable_share
from geoplan.reach.node_places import density_peaks, node_candidates
from geoplan.reach.node_stops import node_departures, stations
from geoplan.reach.nodes import StrategicNodes, strategic_nodes
from geoplan.reach.profiles import window_profile
from geoplan.reach.r5 import r5_travel_times
from geoplan.reach.shifts import centre_shift
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
    "Ellipse",
    "FeedReport",
    "Graph",
    "Journey",
    "Nearby",
    "Network",
    "NodeChanges",
    "NodeUncertainty",
    "Snapped",
    "StrategicNodes",
    "Streets",
    "Timetable",
    "TravelTimes",
    "catchment_areas",
    "catchments",
    "centre_shift",
    "compare_nodes",
    "density_peaks",
    "explain_trip",
    "feed_report",
    "join_network",
    "load_streets",
    "nearby",
    "node_candidates",
    "node_departures",
    "node_uncertainty",
    "r5_travel_times",
    "read_streets",
    "read_times",
    "read_timetable",
    "read_travel_times",
    "served_districts",
    "snap",
    "spread_land",
    "standard_distance",
    "standard_ellipse",
    "stations",
    "strategic_nodes",
    "travel_times",
    "walkable_share",
    "weighted_mean_centre",
    "weighted_median_centre",
    "window_profile",
    "write_streets",
]
