"""Which layers a scenario names for travel, access, nodes, links and surfaces; light, so that opening a run is."""

from __future__ import annotations

from typing import Any

from geoplan.specs import BackdropLayer, LandLayer, PointsLayer, RasterLayer, ScenarioSpec, StreetsLayer, TimetableLayer

__all__ = ["WHERE_PEOPLE", "layers_of_travel"]

#: The kinds of layers that say where people, jobs or events are.
WHERE_PEOPLE = (RasterLayer, PointsLayer)


def layers_of_travel(spec: ScenarioSpec) -> list[tuple[str, str, Any]]:
    """Return the layers that a scenario names for travel and more: the key, the id, and of which kinds it may be."""
    wanted: list[tuple[str, str, Any]] = []
    travel, access, nodes = spec.travel, spec.access, spec.nodes
    if travel is not None:
        wanted += [("travel.streets", travel.streets, StreetsLayer)]
        wanted += [("travel.timetable", name, TimetableLayer) for name in travel.timetable]
        wanted += [("travel.people", travel.people, WHERE_PEOPLE)]
        wanted += [("travel.elevation", travel.elevation, RasterLayer)] if travel.elevation else []
    if access is not None:
        wanted += [(f"access.opportunities.{kind}", name, PointsLayer) for kind, name in access.opportunities.items()]
        wanted += [("access.isochrones", item.layer, PointsLayer) for item in access.isochrones if item.layer]
    if nodes is not None:
        wanted += [("nodes.land", nodes.land, LandLayer)] if nodes.land else []
        wanted += [("nodes.parks", nodes.parks, BackdropLayer)] if nodes.parks else []
        wanted += [("nodes.centres", nodes.centres, PointsLayer)] if nodes.centres else []
    if spec.links is not None:
        wanted += [("links.barriers", name, BackdropLayer) for name in spec.links.barriers]
    wanted += [("surfaces.of", item.of, WHERE_PEOPLE) for item in spec.surfaces if item.kind == "density"]
    return wanted
