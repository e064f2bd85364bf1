"""What can be reached? Streets, timetables, and the time from door to door."""

from geoplan.reach.contouring import contours
from geoplan.reach.dasymetry import Dasymetric, dasymetric
from geoplan.reach.density import kernel_density
from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.journeys import Journey, explain_trip
from geoplan.reach.matrix import travel_times
from geoplan.reach.network import Network, join_network
from geoplan.reach.profiles import window_profile
from geoplan.reach.r5 import r5_travel_times
from geoplan.reach.rasters import Lattice, RasterFile, Surface, Window, open_raster, windows
from geoplan.reach.rasters_file import write_raster
from geoplan.reach.snapping import snap
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
    "Dasymetric",
    "FeedReport",
    "Graph",
    "Journey",
    "Lattice",
    "Network",
    "RasterFile",
    "Snapped",
    "Streets",
    "Surface",
    "Timetable",
    "TravelTimes",
    "Window",
    "access_raster",
    "cell_points",
    "contours",
    "dasymetric",
    "explain_trip",
    "feed_report",
    "join_network",
    "kernel_density",
    "load_streets",
    "open_raster",
    "r5_travel_times",
    "read_streets",
    "read_times",
    "read_timetable",
    "read_travel_times",
    "snap",
    "travel_times",
    "window_profile",
    "windows",
    "write_raster",
    "write_streets",
    "zonal_statistics",
]
