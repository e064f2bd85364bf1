"""How does one see it? Styles, notebook maps, printed maps, workbooks and QGIS files."""

from geoplan.show.maps import OfflineMap, explore, outside_requests
from geoplan.show.printed import plot
from geoplan.show.qgis import write_geopackage
from geoplan.show.series import plot_series
from geoplan.show.style import Style, make_style
from geoplan.show.tables import Sheet, write_csv, write_workbook
from geoplan.show.texts import format_date, format_number, texts

__all__ = [
    "OfflineMap",
    "Sheet",
    "Style",
    "explore",
    "format_date",
    "format_number",
    "make_style",
    "outside_requests",
    "plot",
    "plot_series",
    "texts",
    "write_csv",
    "write_geopackage",
    "write_workbook",
]
