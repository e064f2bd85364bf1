"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.access import dual_access, gravity, opportunities, time_to_nearest, time_to_share
from geoplan.reach.barriers import gather_barriers
from geoplan.reach.calibration import calibrate, mean_trip_min
from geoplan.reach.centres import (
    Ellipse,
    standard_distance,
    standard_ellipse,
    weighted_mean_centre,
    weighted_median_centre,
)
from geoplan.reach.competition import CATCHMENTS, FloatingCatchment, floating_catchment, population_balance
from geoplan.reach.contouring import contours
from geoplan.reach.crossings import CrossingEffects, candidate_crossings, crossing_effects
from geoplan.reach.dasymetry import Dasymetric, dasymetric
from geoplan.reach.decay import DECAYS, Decay
from geoplan.reach.density import kernel_density
from geoplan.reach.destinations import OPPORTUNITY_CLASSES, gather_opportunities, jobs_by
from geoplan.reach.equity import Equity, access_equity, deprivation_access_classes
from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.isochrones import isochrone_notes, isochrones
from geoplan.reach.journeys import Journey, explain_trip
from geoplan.reach.links import Links, links
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
from geoplan.reach.rasters import Lattice, RasterFile, Surface, Window, open_raster, windows
from geoplan.reach.rasters_file import write_raster
from geoplan.reach.residents import Standard, area_access, area_of_points, weighted_points, weighted_quantile
from geoplan.reach.scope import Scope, cut_edges, service_scope
from geoplan.reach.shifts import centre_shift
from geoplan.reach.skills import matched_jobs
from geoplan.reach.snapping import snap
from geoplan.reach.street_edits import with_crossings
from geoplan.reach.streets import NEVER, Graph, Snapped, Streets, read_streets
from geoplan.reach.streets_file import load_streets, write_streets
from geoplan.reach.surfaces import access_raster, cell_points
from geoplan.reach.times import UNREACHED, TravelTimes, read_times
from geoplan.reach.timetable import Connections, Timetable, read_timetable
from geoplan.reach.unreached import access_status, beyond_reach
from geoplan.reach.ways import CUSTOMARY_KMH
from geoplan.reach.zonal import zonal_statistics

__all__ = [
    "CATCHMENTS",
    "CUSTOMARY_KMH",
    "DECAYS",
    "NEVER",
    "OPPORTUNITY_CLASSES",
    "UNREACHED",
    "Connections",
    "CrossingEffects",
    "Dasymetric",
    "Decay",
    "Ellipse",
    "Equity",
    "FeedReport",
    "FloatingCatchment",
    "Graph",
    "Journey",
    "Lattice",
    "Links",
    "Nearby",
    "Network",
    "NodeChanges",
    "NodeUncertainty",
    "RasterFile",
    "Scope",
    "Snapped",
    "Standard",
    "StrategicNodes",
    "Streets",
    "Surface",
    "Timetable",
    "TravelTimes",
    "Window",
    "access_equity",
    "access_raster",
    "access_status",
    "area_access",
    "area_of_points",
    "beyond_reach",
    "calibrate",
    "candidate_crossings",
    "catchment_areas",
    "catchments",
    "cell_points",
    "centre_shift",
    "compare_nodes",
    "contours",
    "crossing_effects",
    "cut_edges",
    "dasymetric",
    "density_peaks",
    "deprivation_access_classes",
    "dual_access",
    "explain_trip",
    "feed_report",
    "floating_catchment",
    "gather_barriers",
    "gather_opportunities",
    "gravity",
    "isochrone_notes",
    "isochrones",
    "jobs_by",
    "join_network",
    "kernel_density",
    "links",
    "load_streets",
    "matched_jobs",
    "mean_trip_min",
    "nearby",
    "node_candidates",
    "node_departures",
    "node_uncertainty",
    "open_raster",
    "opportunities",
    "population_balance",
    "r5_travel_times",
    "read_streets",
    "read_times",
    "read_timetable",
    "read_travel_times",
    "served_districts",
    "service_scope",
    "snap",
    "spread_land",
    "standard_distance",
    "standard_ellipse",
    "stations",
    "strategic_nodes",
    "time_to_nearest",
    "time_to_share",
    "travel_times",
    "walkable_share",
    "weighted_mean_centre",
    "weighted_median_centre",
    "weighted_points",
    "weighted_quantile",
    "window_profile",
    "windows",
    "with_crossings",
    "write_raster",
    "write_streets",
    "zonal_statistics",
]
