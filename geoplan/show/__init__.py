"""How does one see it? Styles, notebook maps, printed maps, charts, workbooks and QGIS files."""

from geoplan.show.isochrones import explore_isochrones, plot_isochrones, write_isochrones
from geoplan.show.journeys import explore_journey, plot_journey
from geoplan.show.links import explore_links, plot_links
from geoplan.show.maps import OfflineMap, explore, outside_requests
from geoplan.show.moran import plot_moran
from geoplan.show.node_parts import plot_node_parts
from geoplan.show.nodes import explore_nodes, plot_nodes
from geoplan.show.panels import plot_panels
from geoplan.show.printed import plot
from geoplan.show.profile import plot_profile
from geoplan.show.qgis import write_geopackage, write_layers
from geoplan.show.ranks import plot_ranks
from geoplan.show.reached import plot_reached
from geoplan.show.series import plot_series
from geoplan.show.slopes import plot_slopes
from geoplan.show.stops import explore_stops, plot_stops
from geoplan.show.style import Style, make_style
from geoplan.show.tables import Sheet, write_csv, write_workbook
from geoplan.show.texts import format_date, format_number, texts

__all__ = [
    "OfflineMap",
    "Sheet",
    "Style",
    "explore",
    "explore_isochrones",
    "explore_journey",
    "explore_links",
    "explore_nodes",
    "explore_stops",
    "format_date",
    "format_number",
    "make_style",
    "outside_requests",
    "plot",
    "plot_isochrones",
    "plot_journey",
    "plot_links",
    "plot_moran",
    "plot_node_parts",
    "plot_nodes",
    "plot_panels",
    "plot_profile",
    "plot_ranks",
    "plot_reached",
    "plot_series",
    "plot_slopes",
    "plot_stops",
    "texts",
    "write_csv",
    "write_geopackage",
    "write_isochrones",
    "write_layers",
    "write_workbook",
]
