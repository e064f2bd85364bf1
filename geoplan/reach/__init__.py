"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.barriers import gather_barriers
from geoplan.reach.centres import (
    Ellipse,
    standard_distance,
    standard_ellipse,
    weighted_mean_centre,
    weighted_median_centre,
)
from geoplan.reach.contouring import contours
from geoplan.reach.crossings import CrossingEffects, candidate_crossings, crossing_effects
from geoplan.reach.dasymetry import Dasymetric, dasymetric
from geoplan.reach.density import kernel_density
from geoplan.reach.equity import Equity, access_equity, deprivation_access_classes
from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.foreign import read_travel_times
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
from geoplan.reach.scope import Scope, cut_edges, origin_status, service_scope
from geoplan.reach.shifts import centre_shift
from geoplan.reach.snapping import snap
from geoplan.reach.street_edits import with_crossings
from geoplan.reach.streets import NEVER, Graph, Snapped, Streets, read_streets
from geoplan.reach.streets_file import load_streets, write_streets
from geoplan.reach.surfaces import access_raster, cell_points
from geoplan.reach.times import UNREACHED, TravelTimes, read_times
from geoplan.reach.timetable import Connections, Timetable, read_timetable
from geoplan.reach.ways import CUSTOMARY_KMH
from geoplan.reach.zonal import zonal_statistics

__all__ = [
    "CUSTOMARY_KMH",
    "NEVER",
    "UNREACHED",
    "Connections",
    "CrossingEffects",
    "Dasymetric",
    "Ellipse",
    "Equity",
    "FeedReport",
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
    "area_access",
    "area_of_points",
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
    "explain_trip",
    "feed_report",
    "gather_barriers",
    "join_network",
    "kernel_density",
    "links",
    "load_streets",
    "nearby",
    "node_candidates",
    "node_departures",
    "node_uncertainty",
    "open_raster",
    "origin_status",
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
