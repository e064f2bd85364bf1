"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.access import dual_access, gravity, opportunities, time_to_nearest, time_to_share
from geoplan.reach.calibration import calibrate, mean_trip_min
from geoplan.reach.competition import CATCHMENTS, FloatingCatchment, floating_catchment, population_balance
from geoplan.reach.decay import DECAYS, Decay
from geoplan.reach.destinations import OPPORTUNITY_CLASSES, gather_opportunities, jobs_by
from geoplan.reach.equity import Equity, access_equity, deprivation_access_classes
from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.journeys import Journey, explain_trip
from geoplan.reach.matrix import travel_times
from geoplan.reach.network import Network, join_network
from geoplan.reach.profiles import window_profile
from geoplan.reach.r5 import r5_travel_times
from geoplan.reach.residents import Standard, area_access, area_of_points, weighted_points, weighted_quantile
from geoplan.reach.scope import Scope, cut_edges, origin_status, service_scope
from geoplan.reach.skills import matched_jobs
from geoplan.reach.snapping import snap
from geoplan.reach.streets import NEVER, Graph, Snapped, Streets, read_streets
from geoplan.reach.streets_file import load_streets, write_streets
from geoplan.reach.times import UNREACHED, TravelTimes, read_times
from geoplan.reach.timetable import Connections, Timetable, read_timetable
from geoplan.reach.unreached import access_status, beyond_reach
from geoplan.reach.ways import CUSTOMARY_KMH

__all__ = [
    "CATCHMENTS",
    "CUSTOMARY_KMH",
    "DECAYS",
    "NEVER",
    "OPPORTUNITY_CLASSES",
    "UNREACHED",
    "Connections",
    "Decay",
    "Equity",
    "FeedReport",
    "FloatingCatchment",
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
    "access_status",
    "area_access",
    "area_of_points",
    "beyond_reach",
    "calibrate",
    "cut_edges",
    "deprivation_access_classes",
    "dual_access",
    "explain_trip",
    "feed_report",
    "floating_catchment",
    "gather_opportunities",
    "gravity",
    "jobs_by",
    "join_network",
    "load_streets",
    "matched_jobs",
    "mean_trip_min",
    "opportunities",
    "origin_status",
    "population_balance",
    "r5_travel_times",
    "read_streets",
    "read_times",
    "read_timetable",
    "read_travel_times",
    "service_scope",
    "snap",
    "time_to_nearest",
    "time_to_share",
    "travel_times",
    "weighted_points",
    "weighted_quantile",
    "window_profile",
    "write_streets",
]
