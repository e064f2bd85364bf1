"""Maps in the notebook: one line, a folium map; saved, one file that opens without internet."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import Element, Figure, MacroElement
from folium.template import Template
from xstatic.pkg import leaflet

from geoplan import checks
from geoplan.errors import OfflineError
from geoplan.show.style import BACKDROP, MANY_AREAS, MISSING_PATTERNS, Style, make_style, values_of
from geoplan.show.texts import Texts, format_number, texts

__all__ = [
    "Behaviour",
    "KeyPanel",
    "OfflineMap",
    "add_backdrop",
    "add_still",
    "explore",
    "geojson",
    "outside_requests",
    "script_safe",
    "tip_of",
]

_WGS84 = "EPSG:4326"
_LONG = 24  # characters that a popup has beside a heading
_DIGITS = 6  # of a degree: about a decimetre
_PATTERN_PATHS = {
    "suppressed": ("M0 0L8 8", "M8 0L0 8"),
    "not_collected": ("M-2 6L2 10M0 0L8 8M6 -2L10 2",),
    "not_applicable": ("M4 0v8",),
    "out_of_scope": ("M0 4h8",),
}
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_REMOTE = r"(?:https?:)?//[^\s\"'<>)]+"
_REQUESTS = (
    rf"<(?:script|link|img|iframe|source|video|audio|object|embed|image|use)\b[^>]*?\s(?:src|href|data)\s*=\s*[\"']?({_REMOTE})",
    rf"url\(\s*[\"']?({_REMOTE})",
    rf"@import\s+[\"']({_REMOTE})",
    rf"(?:L\.(?:tileLayer(?:\.wms)?|imageOverlay|videoOverlay|icon)|fetch|WebSocket|\$\.(?:get|ajax|getJSON))\s*\([^)]{{0,400}}?[\"']({_REMOTE})",
)


@cache
def _asset(name: str) -> str:
    """Return a file of Leaflet as the xstatic-leaflet package holds it."""
    return (Path(leaflet.BASE_DIR) / name).read_text(encoding="utf-8")


@cache
def _leaflet_css() -> str:
    """Return Leaflet's style sheet with its pictures inside."""

    def inlined(match: re.Match[str]) -> str:
        content = (Path(leaflet.BASE_DIR) / match[1]).read_bytes()
        return f"url(data:image/png;base64,{base64.b64encode(content).decode()})"

    return re.sub(r"url\((images/[^)]+)\)", inlined, _asset("leaflet.css"))


def outside_requests(page: str) -> list[str]:
    """Return the addresses that a page would fetch when opened.

    Parameters
    ----------
    page
        HTML.

    Returns
    -------
    list of str
        Addresses of scripts, styles, images, tiles and the like; links that a reader may follow do not count.

    Examples
    --------
    >>> outside_requests('<a href="https://scb.se">SCB</a><script src="https://cdn.example/x.js"></script>')
    ['https://cdn.example/x.js']
    """
    return sorted({found for pattern in _REQUESTS for found in re.findall(pattern, page, flags=re.IGNORECASE)})


class OfflineMap(folium.Map):
    """A folium map whose saved file and notebook view need no internet.

    Leaflet comes from the package ``xstatic-leaflet``; there are no tiles. Layers may be added as to any folium map,
    as long as they bring no addresses of their own: saving then raises :class:`~geoplan.errors.OfflineError`.
    """

    default_js: list[tuple[str, str]] = []  # noqa: RUF012  folium declares them so, and reads them only
    default_css: list[tuple[str, str]] = []  # noqa: RUF012  same

    def __init__(self, *, title: str = "", language: str = "en", **options: Any) -> None:
        super().__init__(
            tiles=None, zoom_control=True, attributionControl=False, fadeAnimation=False, zoomSnap=0.25, **options
        )
        figure = cast("Figure", self.get_root())
        figure.title = html.escape(title)
        self._language = language
        policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        for name, markup in (
            ("policy", policy),
            ("leaflet_css", f"<style>{_leaflet_css()}</style>"),
            ("leaflet_js", "<script>" + _asset("leaflet.js") + "</script>"),
            (
                "geoplan_css",
                f"<style>{resources.files('geoplan.show').joinpath('offline.css').read_text()}</style>",
            ),
        ):
            # Braces of scripts and styles would be read as template code otherwise.
            figure.header.add_child(Element("{% raw %}" + markup + "{% endraw %}"), name=name)

    def to_html(self) -> str:
        """Return the page as text, the same to the byte each time.

        Raises
        ------
        OfflineError
            When the page would ask for something outside, such as tiles that were added.
        """
        page = str(self.get_root().render())
        page = page.replace("<html>", f'<html lang="{self._language}">', 1)
        found = outside_requests(page.replace(_asset("leaflet.js"), ""))
        if found:
            raise OfflineError(
                f"the map would ask for {checks.listed(found)}. Expected: nothing outside the file. "
                "Hint: leave tiles and plugins out, or save it with folium's own Map"
            )
        # folium names its elements by random numbers.
        names: dict[str, str] = {}
        return re.sub(r"(?<=_)[0-9a-f]{32}(?![0-9a-f])", lambda m: names.setdefault(m[0], f"{len(names) + 1}"), page)

    def save(self, outfile: Any, *_: Any, **__: Any) -> None:
        """Write the page to a file, given by its path."""
        Path(outfile).write_bytes(self.to_html().encode())

    def _repr_html_(self, **_: Any) -> str:
        source = html.escape(self.to_html(), quote=True)
        return f'<iframe srcdoc="{source}" style="width:100%;height:560px;border:1px solid #d8d8d4"></iframe>'


def explore(
    areas: gpd.GeoDataFrame,
    column: str | pd.Series | None = None,
    *,
    style: Style | None = None,
    tooltip: bool | Sequence[str] = True,
    popup: Sequence[str] = (),
    backdrop: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    outline: gpd.GeoDataFrame | None = None,
    m: OfflineMap | None = None,
    width: str | int = "100%",
    height: str | int = "100%",
    **style_kwds: Any,
) -> OfflineMap:
    """Draw a choropleth to look around in.

    Parameters
    ----------
    areas
        Areas in any stated system.
    column
        A column of ``areas``, or a Series with the same index such as ``index.score``.
    style
        A finished style; made from ``column`` and ``style_kwds`` when left out: ``scheme``, ``k``, ``breaks``,
        ``cmap``, ``midpoint``, ``title``, ``unit``, ``period``, ``source``, ``note``, ``date``, ``language``,
        ``status``, ``reason`` (see :func:`make_style`).
    tooltip
        Columns shown when an area is pointed at or reached by the tab key, beside name and value; False for none.
    popup
        Columns shown besides when an area is clicked, or Enter is pressed on it; nothing opens when left out.
    backdrop
        Pairs of a role (``water``, ``park``, ``rail``, ``road``) and a frame.
    outline
        Areas of a higher level, drawn as dark borders.
    m
        A map to draw on.
    width, height
        Size of the map in its page.

    Returns
    -------
    OfflineMap
        A ``folium.Map``.

    Raises
    ------
    SpecError
        When a column does not exist, or ``style_kwds`` are not understood.
    CrsError
        When the areas state no system.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame({"name": ["Norr"]}, index=pd.Index(["1"], name="area_id"),
    ...                          geometry=[box(674000, 6580000, 675000, 6581000)], crs="EPSG:3006")
    >>> explored = explore(areas, pd.Series({"1": 120.0}), title="Risk index", unit="index")
    >>> "Risk index" in explored.to_html()
    True
    """
    if areas.crs is None:
        raise checks.crs_missing()
    values = values_of(areas, column)
    style = style or make_style(values, **style_kwds)
    words = texts(style.language)
    shown = m if m is not None else OfflineMap(title=style.title, language=style.language, width=width, height=height)
    under = [layer for layer in backdrop if layer[0] == "park"]
    over = sorted((layer for layer in backdrop if layer[0] != "park"), key=lambda layer: layer[0] != "water")
    for role, frame in under:
        add_backdrop(shown, role, frame)
    columns = _extra_columns(areas, tooltip, key="tooltip"), _extra_columns(areas, list(popup), key="popup")
    said = _said(areas, values, style, words, *columns)
    layer = _area_layer(areas, style)
    layer.add_to(shown)
    for role, frame in over:
        add_backdrop(shown, role, frame)
    if outline is not None:
        add_still(shown, outline, {"fill": False, "color": "#3d3d3a", "weight": 1.6})
    cast("Figure", shown.get_root()).html.add_child(_Panel(style, words, words["more"] if popup else ""), name="panel")
    west, south, east, north = (float(edge) for edge in areas.to_crs(_WGS84).total_bounds)
    bounds = [[south, west], [north, east]]
    aria = " ".join([words["map_aria"], *([words["more_aria"]] if popup else [])])
    Behaviour(layer.get_name(), aria, bounds, said, show=tooltip is not False).add_to(shown)
    return shown


def _extra_columns(areas: gpd.GeoDataFrame, asked: bool | Sequence[str], *, key: str) -> list[str]:
    if isinstance(asked, bool):
        return []
    present = [str(name) for name in areas.columns]
    absent = checks.absent_columns([name for name in asked if name not in areas], present, key=key)
    if absent:
        raise absent[0]
    return list(asked)


def geojson(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return features in degrees, rounded alike for all, so that shared borders stay shared.

    They carry no text: folium reads its own output as a template once more, and a name with braces would be run.
    """
    shapes = shapely.transform(frame.to_crs(_WGS84).geometry.to_numpy(), lambda points: np.round(points, _DIGITS))
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": str(number), "properties": {}, "geometry": shapely.geometry.mapping(shape)}
            for number, shape in enumerate(shapes)
        ],
    }


def add_backdrop(shown: folium.Map, role: str, frame: gpd.GeoDataFrame) -> None:
    """Add water, parks, rail or roads."""
    fill, line = BACKDROP[role]
    surface = fill != "none"
    look = {"fill": surface, "fillOpacity": 1, "color": line, "weight": 0.6 if surface else 1.4}
    add_still(shown, frame, look | ({"fillColor": fill} if surface else {}))


def add_still(shown: folium.Map, frame: gpd.GeoDataFrame, look: dict[str, Any]) -> None:
    """Add shapes that are looked at, not pointed at."""
    still = {**look, "interactive": False}
    folium.GeoJson(geojson(frame), style_function=lambda _: still, control=False, smooth_factor=0.5).add_to(shown)


def _area_layer(areas: gpd.GeoDataFrame, style: Style) -> folium.GeoJson:
    """Return the areas in the colours of their classes; what is said of them is added by :class:`Behaviour`."""
    classes = style.classes.reindex(areas.index).tolist()
    statuses = style.statuses.reindex(areas.index).tolist()
    edge = 0.8 if len(areas) <= MANY_AREAS else 0.3
    looks = []
    for number, status in zip(classes, statuses, strict=True):
        hatch = f"url(#gp-{status if status in MISSING_PATTERNS else 'not_collected'})"
        fill, line = (style.colours[number], "#ffffff") if number >= 0 else (hatch, "#8f8f88")
        looks.append({"fillColor": fill, "fillOpacity": 1, "color": line, "weight": edge})
    return folium.GeoJson(
        geojson(areas),
        style_function=lambda feature: looks[int(feature["id"])],
        highlight_function=lambda _: {"color": "#000000", "weight": 2.5},
        smooth_factor=0.5,
    )


def _said(
    areas: gpd.GeoDataFrame,
    values: pd.Series,
    style: Style,
    words: Texts,
    extra: Sequence[str],
    more: Sequence[str],
) -> list[list[str]]:
    """Return what is said of each area: its tooltip as markup, one line for screen readers, its popup as markup."""
    said = []
    for (area_id, row), value in zip(areas.iterrows(), values.tolist(), strict=True):
        if style.classes[area_id] >= 0:
            number = format_number(value, style.language, decimals=style.decimals)
            text = style.labels[style.classes[area_id]] if style.marks else f"{number} {style.suffix}".strip()
        else:
            text = words.missing(style.statuses[area_id], style.reasons[area_id])
        fields = [(style.title or words["value"], text)]
        short, longer = (
            [(words.words.get(name, name), _cell(row[name], style.language)) for name in columns]
            for columns in (extra, more)
        )
        name = str(row.get("name", area_id))
        opened = tip_of(name, [*fields, *short, *longer]) if more else ""
        said.append([tip_of(name, [*fields, *short]), f"{name}: {text}", opened])
    return said


def _cell(value: Any, language: str) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    return format_number(float(value), language, decimals=0 if float(value).is_integer() else 1)


def tip_of(name: str, fields: Sequence[tuple[str, str]]) -> str:
    """Return a name and what is told of it as markup, for a tooltip or popup."""
    rows = "".join(_row(html.escape(head), html.escape(text), long=len(text) > _LONG) for head, text in fields)
    return f"<table><caption>{html.escape(name)}</caption>{rows}</table>"


def _row(head: str, text: str, *, long: bool) -> str:
    """Return a row of a tooltip or popup; a long text gets the whole width below its heading."""
    if long:
        return f'<tr><th colspan="2">{head}</th></tr><tr><td colspan="2">{text}</td></tr>'
    return f"<tr><th>{head}</th><td>{text}</td></tr>"


class _Panel(MacroElement):
    """Title, legend and source: one box for the whole map."""

    def __init__(self, style: Style, words: Texts, hint: str) -> None:
        super().__init__()
        self._name = "Panel"
        markup = resources.files("geoplan.show").joinpath("offline.html").read_text(encoding="utf-8")
        self._template = Template(markup)
        self.style, self.words, self.patterns = style, words, _PATTERN_PATHS
        self.classes = list(zip(style.colours, style.labels, style.counts, strict=True))[::-1]
        source = f"{words['source']}: {style.source}" if style.source else ""
        self.footer = [part for part in (hint, source, style.note, style.date) if part]

    def render(self, **_: Any) -> str:
        """Return the markup; a panel has no script."""
        return str(self._template.render(this=self))


class KeyPanel(MacroElement):
    """Title, key and source of a map of other things than areas.

    Of each entry of the key: its sign as SVG of 28 by 28, its words, and how many there are, or nothing.
    """

    def __init__(
        self, title: str, below: str, heading: str, entries: Sequence[tuple[str, str, str]], foot: Sequence[str]
    ) -> None:
        super().__init__()
        self._name = "KeyPanel"
        markup = resources.files("geoplan.show").joinpath("offline_key.html").read_text(encoding="utf-8")
        self._template = Template(markup)
        self.title, self.below, self.heading = title, below, heading
        self.entries, self.foot = list(entries), [part for part in foot if part]

    def render(self, **_: Any) -> str:
        """Return the markup; a panel has no script."""
        return str(self._template.render(this=self))


def script_safe(value: Any) -> str:
    """Return JSON in which text can end neither a script nor a string, nor begin template code."""
    text = json.dumps(value)
    for sign in "<>&'{}":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


class Behaviour(MacroElement):
    """Fit the map beside its panel, say what each area is, and let the tab key go from area to area."""

    _template = Template("""
        {% macro script(this, kwargs) %}
        (function (map, areas, said) {
            var panel = document.querySelector(".gp-panel").getBoundingClientRect();
            var beside = window.innerWidth > 700;
            map.fitBounds({{ this.bounds }}, {
                animate: false,
                paddingTopLeft: beside ? [panel.right + 12, 12] : [12, 12],
                paddingBottomRight: beside ? [12, 12] : [12, panel.height + 20]
            });
            L.control.scale({imperial: false, position: "bottomright"}).addTo(map);
            map.getContainer().setAttribute("aria-label", {{ this.text }});
            areas.eachLayer(function (area) {
                var words = said[Number(area.feature.id)];
                var path = area.getElement();
                if ({{ this.show }}) { area.bindTooltip(words[0], {className: "gp-tip", sticky: true}); }
                path.setAttribute("tabindex", "0");
                path.setAttribute("role", "img");
                path.setAttribute("aria-label", words[1]);
                path.addEventListener("focus", function () {
                    var place = area.getLatLng ? area.getLatLng() : area.getBounds().getCenter();
                    if (area.getTooltip()) { area.openTooltip(place); }
                });
                path.addEventListener("blur", function () { area.closeTooltip(); });
                if (!words[2]) { return; }
                area.bindPopup(words[2], {
                    className: "gp-pop", minWidth: 180, maxWidth: Math.min(290, window.innerWidth - 122),
                    autoPanPaddingTopLeft: beside ? [panel.right + 12, 12] : [60, 44],
                    autoPanPaddingBottomRight: beside ? [12, 12] : [12, panel.height + 20]
                });
                area.on("popupopen", function () { area.closeTooltip(); });
                path.addEventListener("keydown", function (event) {
                    if (event.key === "Enter") { area.openPopup(area.getBounds().getCenter()); }
                    if (event.key === "Escape") { area.closePopup(); }
                });
            });
        })({{ this._parent.get_name() }}, {{ this.layer }}, {{ this.said }});
        {% endmacro %}
    """)

    def __init__(self, layer: str, text: str, bounds: list[list[float]], said: list[list[str]], *, show: bool) -> None:
        super().__init__()
        self._name = "Behaviour"
        self.layer = layer
        self.text, self.bounds, self.said, self.show = map(script_safe, (text, bounds, said, show))
