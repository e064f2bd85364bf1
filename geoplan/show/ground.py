"""The ground of maps of points and lines: what lies below them, and the page around them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, cast

import geopandas as gpd
import numpy as np
from branca.element import Figure, MacroElement
from folium.template import Template
from matplotlib.axes import Axes

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.show.maps import Behaviour, KeyPanel, OfflineMap, add_backdrop, script_safe
from geoplan.show.page import EDGE, Page, Sign, make_page
from geoplan.show.printed import draw_backdrop, draw_north_arrow, draw_scale_bar, map_window

__all__ = ["Names", "bounds_of", "explored", "ground_page", "must_lie_somewhere"]

_WGS84 = "EPSG:4326"
_LEAST_M = 400  # across a map, so that two points close together are not all there is
_HIGH = 1.25  # of a printed map, at most, against its width
Backdrop = Sequence[tuple[str, gpd.GeoDataFrame]]


class Names(MacroElement):
    """Names that stand on the map all the time, each on the first side where it covers no other."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        (function (map, names) {
            var sides = {right: [9, 0], left: [-9, 0], top: [0, -8], bottom: [0, 8]};
            var tips = names.map(function (name) {
                return L.tooltip({permanent: true, direction: "right", offset: [9, 0], className: "gp-name"})
                    .setLatLng([name[0], name[1]]).setContent(name[2]).addTo(map);
            });
            function place() {
                var taken = [], whole = map.getContainer().getBoundingClientRect();
                function free(box) {
                    return box.left >= whole.left && box.right <= whole.right && box.top >= whole.top &&
                        box.bottom <= whole.bottom && taken.every(function (other) {
                            return box.right < other.left || box.left > other.right ||
                                box.bottom < other.top || box.top > other.bottom;
                        });
                }
                tips.forEach(function (tip) {
                    Object.keys(sides).concat("right").some(function (side) {
                        tip.options.direction = side;
                        tip.options.offset = sides[side];
                        tip.update();
                        return free(tip.getElement().getBoundingClientRect());
                    });
                    taken.push(tip.getElement().getBoundingClientRect());
                });
            }
            map.on("zoomend moveend", place);
        })({{ this._parent.get_name() }}, {{ this.names }});
        {% endmacro %}
    """)

    def __init__(self, names: list[tuple[float, float, str]]) -> None:
        super().__init__()
        self._name = "Names"
        self.names = script_safe([[lat, lon, html.escape(text)] for lat, lon, text in names])


def must_lie_somewhere(frame: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """Return what has a place, in degrees.

    Raises
    ------
    CrsError
        When the frame states no coordinate system.
    SpecError
        When nothing has a place.
    """
    if frame.crs is None:
        raise checks.crs_missing()
    placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    if placed.empty:
        raise SpecError(Fault(what=f"there is nothing to draw: no {what} has a place"))
    return placed.to_crs(_WGS84)


def bounds_of(frame: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a frame in metres, at least a few hundred apart."""
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    wide, high = (max(0.0, (_LEAST_M - span) / 2) for span in (east - west, north - south))
    return west - wide, south - high, east + wide, north + high


def explored(
    frame: gpd.GeoDataFrame,
    backdrop: Backdrop,
    panel: KeyPanel,
    language: str,
    draw: Sequence[Any],
    told: tuple[str, str, list[list[str]]],
) -> OfflineMap:
    """Return a map to look around in: backdrop, what is drawn, panel; ``told`` is layer, words of the map, tips."""
    shown = OfflineMap(title=panel.title, language=language)
    for role, layer in sorted(backdrop, key=lambda item: ("park", "water").index(item[0]) if item[0] in _LOW else 2):
        add_backdrop(shown, role, layer)
    for item in draw:
        item.add_to(shown)
    cast("Figure", shown.get_root()).html.add_child(panel, name="panel")
    metric = frame.to_crs(frame.estimate_utm_crs())
    corners = gpd.GeoSeries(gpd.points_from_xy(*np.reshape(bounds_of(metric), (2, 2)).T), crs=metric.crs)
    west, south, east, north = (float(edge) for edge in corners.to_crs(_WGS84).total_bounds)
    layer_name, aria, said = told
    Behaviour(layer_name, aria, [[south, west], [north, east]], said, show=True).add_to(shown)
    return shown


_LOW = {"park", "water"}


def ground_page(
    frame: gpd.GeoDataFrame,
    backdrop: Backdrop,
    *,
    width: float,
    title: str,
    below: str,
    key: Sequence[Sign],
    foot: Sequence[str],
    language: str,
) -> tuple[Page, Axes, gpd.GeoDataFrame]:
    """Return a page with the ground of a printed map, its axes, and what is to be drawn in their metres."""
    metric = frame.to_crs(backdrop[0][1].crs if backdrop else frame.estimate_utm_crs())
    west, south, east, north = map_window(bounds_of(metric))
    room = width - 2 * EDGE
    high = min(room * (north - south) / (east - west), room * _HIGH)
    wide = max(0.0, (room / high * (north - south) - (east - west)) / 2)
    page = make_page(width, high, title=title, below=below, key=key, foot=foot)
    axes = page.axes(EDGE, 0, room, high)
    axes.set_axis_off()
    axes.set(xlim=(west - wide, east + wide), ylim=(south, north))
    axes.set_aspect("equal")
    draw_backdrop(axes, [(role, layer.to_crs(metric.crs)) for role, layer in backdrop])
    draw_scale_bar(axes, language)
    draw_north_arrow(axes, language)
    return page, axes, metric
