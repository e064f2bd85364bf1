"""Strategic nodes of a run, and what it writes of them: a workbook, a GeoPackage, a map, and a chart of their parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import Grid
from geoplan.places.areas import as_ids
from geoplan.reach import (
    Nearby,
    NodeUncertainty,
    StrategicNodes,
    catchment_areas,
    density_peaks,
    nearby,
    node_candidates,
    node_departures,
    node_uncertainty,
    spread_land,
    stations,
    strategic_nodes,
    walkable_share,
)
from geoplan.run.datasets import read_features, read_land, read_weights
from geoplan.run.matching import layer_of_kind
from geoplan.run.reach_files import (
    draw,
    footer_of,
    headings,
    hidden_where_few,
    least_shown,
    moment_of,
    notes_sheet,
    sources_of,
)
from geoplan.run.travel_layers import WHERE_PEOPLE
from geoplan.show import Sheet, explore_nodes, plot_node_parts, plot_nodes, texts, write_layers, write_workbook
from geoplan.specs import BackdropLayer, LandLayer, PointsLayer
from geoplan.specs.travel import NodesSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["NodePlan", "node_table", "strategic_nodes_of", "write_nodes"]

_HECTARE = 1e4
_CELL_M = 100.0  # a square around a point where people live, where these are no cells of a raster
_CHART = 14  # nodes in the chart of parts
_PER_HOUR_WALK_MIN = 5.0


@dataclass(frozen=True, eq=False)
class NodePlan:
    """Strategic nodes of a scenario.

    Attributes
    ----------
    found
        The nodes, scored and ranked.
    sure
        How much hangs on the weights; None where a single theme has one.
    deprived
        Districts that count as deprived, with ``name`` and ``score``.
    notes
        What a reader should know, as sentences.
    """

    found: StrategicNodes
    sure: NodeUncertainty | None
    deprived: gpd.GeoDataFrame
    notes: tuple[str, ...]

    def lines(self, top: int = 5) -> list[str]:
        """Say it in sentences: the first nodes, how sure their ranks are, and the notes."""
        sure = self.sure.lines(top) if self.sure is not None else []
        return [*self.found.lines(top), *sure, *self.notes]


def strategic_nodes_of(run: Run) -> NodePlan:
    """Score the places of a scenario that could grow into strategic nodes.

    Raises
    ------
    InputError
        When the scenario says nothing of nodes, a layer is faulty, or there are no candidates.
    """
    asked = run.spec.nodes
    if asked is None:
        hint = "write a table [nodes], such as `peak_per_km2 = 3500`"
        raise SpecError(Fault(what="the scenario says nothing of nodes", file=run.shown, hint=hint))
    reach, notes = run.reach, list[str]()
    with Faults.located_at(run.shown):
        nodes = _candidates(run, asked)
        around, said = _surroundings(run, asked, nodes)
        notes += said
        index = run.index().ranking["score"]
        deprived = run.areas().join(index)
        deprived = deprived[deprived["score"] >= asked.deprived]
        found = strategic_nodes(
            nodes,
            **around,
            weights={str(name): value for name, value in asked.weights.items()} or None,
            normalisation=asked.normalisation,
            walk_min=asked.walk_min,
            transit_min=asked.transit_min,
            top=asked.top,
            catchment_min=asked.catchment_min,
            area_of=reach.people["area"].dropna(),
            index=index,
            deprived=list(deprived.index),
        )
        themes = found.parts[found.parts["weight"] > 0]["theme"].nunique()
        sure = None
        if themes > 1:
            top = min(asked.top, len(found.nodes))
            drawn = {"draws": asked.draws, "concentration": asked.concentration, "seed": run.spec.seed}
            sure = node_uncertainty(found, top=top, **drawn)  # type: ignore[arg-type]  # numbers of either kind
    return NodePlan(found, sure, deprived, tuple(notes))


def _candidates(run: Run, asked: NodesSpec) -> gpd.GeoDataFrame:
    """Gather stations, named centres and peaks of density."""
    reach, crs = run.reach, str(run.areas().crs)
    given: dict[str, Any] = {"merge_m": asked.merge_m}
    if asked.stations and reach.network.timetable is not None:
        given["stations"] = stations(reach.network.timetable, crs=crs, least_per_hour=asked.station_per_hour)
    if asked.centres:
        dataset, spec = layer_of_kind(run.catalogue, asked.centres, PointsLayer, key="nodes.centres")
        frame = read_features(dataset, crs)
        ids = as_ids(frame[spec.id_column], width=spec.id_width, pad=spec.id_pad)
        given["centres"] = frame.set_axis(pd.Index(ids.tolist(), dtype=object))
    if asked.peak_per_km2 is not None:
        peaks = density_peaks(reach.people, "residents", least_per_km2=asked.peak_per_km2)
        peaks["name"] = reach.people["area"].map(run.areas()["name"]).reindex(peaks.index)
        given["peaks"] = peaks
    return node_candidates(**given)


def _surroundings(run: Run, asked: NodesSpec, nodes: gpd.GeoDataFrame) -> tuple[dict[str, Any], list[str]]:
    """Find what lies around the candidates, on foot and by public transport."""
    reach, people, notes = run.reach, run.reach.people, list[str]()
    streets, places = reach.network.streets, reach.places

    def around(points: gpd.GeoDataFrame, value: str | list[str] | None, least_min: float = 0) -> Nearby:
        return nearby(points, value, nodes, streets, max_min=max(asked.walk_min, least_min))

    def of_classes(classes: list[str]) -> gpd.GeoDataFrame:
        own = places[[*classes, "geometry"]]
        return own[(own[classes] > 0).any(axis=1)]

    jobs = of_classes([asked.jobs]).rename(columns={asked.jobs: "jobs"})
    found: dict[str, Any] = {
        "residents": around(people, "residents", asked.catchment_min),
        "jobs": around(jobs, "jobs"),
        "walkable": walkable_share(nodes, streets, walk_min=asked.walk_min),
    }
    if asked.services:
        found["services"] = around(of_classes(list(asked.services)), list(asked.services))
    if asked.schools:
        found["schools"] = around(of_classes([asked.schools]), asked.schools)
    if asked.parks:
        dataset, _ = layer_of_kind(run.catalogue, asked.parks, BackdropLayer, key="nodes.parks")
        parks = read_features(dataset, str(run.areas().crs))
        found["parks"] = around(spread_land(parks.assign(hectares=parks.area / _HECTARE), ["hectares"]), "hectares")
    if asked.land:
        dataset, _ = layer_of_kind(run.catalogue, asked.land, LandLayer, key="nodes.land")
        land = read_land(dataset, str(run.areas().crs))
        columns = [name for name in ("homes", "floor_m2") if name in land]
        known = land[land[columns].notna().all(axis=1)]
        if len(known) < len(land):
            notes.append(f"{len(land) - len(known)} piece(s) of building land do not say what there is room for")
        found["land"] = around(spread_land(known, columns), columns)
    if reach.network.timetable is not None:
        found |= {"reached": _reached(run, asked, nodes, jobs), "departures": _departures(run, nodes)}
    return found, notes


def _reached(run: Run, asked: NodesSpec, nodes: gpd.GeoDataFrame, jobs: gpd.GeoDataFrame) -> Nearby:
    """Find residents and jobs by public transport, as the scenario travels."""
    reach, spec = run.reach, run.reach.spec
    both = pd.concat([reach.people[["residents", "geometry"]], jobs]).fillna({"residents": 0.0, "jobs": 0.0})
    timetable = reach.network.timetable
    assert timetable is not None  # noqa: S101  the caller has seen to it
    return nearby(
        both,
        ["residents", "jobs"],
        nodes,
        reach.network,
        from_nodes=True,
        percentile=reach.percentiles[0],
        percentiles=(reach.percentiles[0],),
        departure=f"{timetable.date.isoformat()} {spec.departure}",
        window_min=spec.window_min,
        max_min=asked.transit_min,
        max_walk_min=min(spec.max_walk_min, asked.transit_min),
        rides=spec.rides,
        slack_s=spec.slack_s,
        seed=run.spec.seed,
    )


def _departures(run: Run, nodes: gpd.GeoDataFrame) -> pd.Series:
    return node_departures(nodes, run.reach.network, walk_min=_PER_HOUR_WALK_MIN)


# ---------------------------------------------------------------- tables


def node_table(plan: NodePlan) -> pd.DataFrame:
    """Return a row a candidate, the best first: rank and its interval, points by theme, whom it would serve.

    Returns
    -------
    pandas.DataFrame
        ``rank, name, score, rank_low, rank_high, p_top, kinds, chosen, residents``, a column ``theme_…`` a theme, the
        theme that tips the node over the line (``tip``, ``tip_weight``, ``tip_needed``), ``status, reason, node_id``.
    """
    nodes, themes = plan.found.nodes, plan.found.contributions()
    table = pd.DataFrame(nodes.drop(columns="geometry"))
    for name in ("rank_low", "rank_high", "p_top"):
        table[name] = plan.sure.table[name].reindex(table.index) if plan.sure is not None else np.nan
    for name in themes:
        table[f"theme_{name}"] = themes[name]
    tips = plan.sure.tips.reindex(table.index) if plan.sure is not None else None
    table["tip"] = tips["theme"].fillna("") if tips is not None else ""
    table["tip_weight"] = tips["weight"] if tips is not None else np.nan
    table["tip_needed"] = tips["weight_needed"] if tips is not None else np.nan
    order = ["rank", "name", "score", "rank_low", "rank_high", "p_top", "kinds", "chosen", "residents"]
    order += [name for name in table if str(name).startswith("theme_")]
    return table.reset_index()[[*order, "tip", "tip_weight", "tip_needed", "status", "reason", "node_id"]]


def _sheets(run: Run, plan: NodePlan, sources: str) -> list[Sheet]:
    words = texts(run.spec.language)
    own, least, foot = words.plan, least_shown(run), footer_of(run, sources)
    heads = {**words.words, **own}
    table = hidden_where_few(node_table(plan), ["residents"], least)
    table["kinds"] = table["kinds"].map(lambda text: ", ".join(own[f"kind_{one}"] for one in text.split(", ")))
    table["chosen"] = table["chosen"].map({True: own["yes"], False: own["no"]})
    table["tip"] = table["tip"].map(lambda name: words.words.get(f"theme_{name}", name))
    table["status"] = table["status"].map(words.statuses)
    points = {name: 1 for name in table if str(name).startswith("theme_")}
    decimals = {"rank": 0, "score": 1, "rank_low": 0, "rank_high": 0, "p_top": 2, "residents": 0, **points}
    decimals |= {"tip_weight": 2, "tip_needed": 2}
    first = Sheet(
        own["nodes_sheet"], table, headings(heads, "node", table.columns), decimals, frozen=2, footer=foot,
        printed=len(table.columns) - 3,
    )  # fmt: skip
    parts, served = _part_table(run, plan), _district_table(run, plan)
    return [
        first,
        Sheet(own["parts_sheet"], parts, headings(heads, "part", parts.columns),
              {"value": 2, "normalised": 3, "weight": 3, "contribution": 2}, frozen=1, footer=foot),
        Sheet(own["districts_sheet"], served, headings(heads, "served", served.columns),
              {"residents": 0, "share": 2, "minutes": 1, "index": 1}, frozen=1, footer=foot),
        notes_sheet(run, _notes(run, plan, sources)),
    ]  # fmt: skip


def _part_table(run: Run, plan: NodePlan) -> pd.DataFrame:
    """Return a row a node and part: the figure, its unit, what it weighs and contributes."""
    words, found = texts(run.spec.language), plan.found
    parts = found.parts.copy()
    counts = parts["part"].isin(["density.residents", "transit.residents"])
    if least := least_shown(run):  # and what the figure could be worked out from
        few = counts & parts["value"].between(0, least, inclusive="neither")
        parts.loc[few, ["value", "normalised", "contribution"]] = np.nan
    parts["name"] = parts["node_id"].map(found.nodes["name"])
    parts["part"] = parts["part"].map(lambda name: _called(run, name))
    parts["unit"] = [_unit(run, theme, part) for theme, part in zip(parts["theme"], found.parts["part"], strict=True)]
    parts["theme"] = parts["theme"].map(lambda name: words[f"theme_{name}"])
    parts["status"] = parts["status"].map(words.statuses)
    order = ["name", "theme", "part", "value", "unit", "normalised", "weight", "contribution", "status", "reason"]
    return parts[[*order, "node_id"]]


def _called(run: Run, part: str) -> str:
    """Return what a part is called: its class, or its theme where it is the whole of it."""
    words = texts(run.spec.language)
    theme, _, name = part.partition(".")
    if not name:
        return words[f"theme_{theme}"]
    return words.plan.get(f"of_{name}", words.reach.get(name, name))


def _unit(run: Run, theme: str, part: str) -> str:
    own, asked = texts(run.spec.language).plan, run.spec.nodes
    assert asked is not None  # noqa: S101  there are parts
    if theme in {"mix", "barriers"}:
        return own["unit_share"]
    if part == "transit.departures":
        return own["unit_departures"]
    if theme == "transit":
        return own["unit_transit"].format(minutes=f"{asked.transit_min:g}")
    return own["unit_parks" if theme == "parks" else "unit_walk"].format(minutes=f"{asked.walk_min:g}")


def _district_table(run: Run, plan: NodePlan) -> pd.DataFrame:
    """Return which deprived districts each node would serve; to the public without those where few are served."""
    own, served = texts(run.spec.language).plan, plan.found.districts.copy()
    least = least_shown(run)
    served = served[~(served["residents"].between(0, least, inclusive="neither"))] if least else served
    names = served["node_id"].map(plan.found.nodes["name"]).fillna(own["served_by_none"])
    table = pd.DataFrame({"name": served["area_id"].map(run.areas()["name"]), "node": names})
    return table.join(served[["residents", "share", "minutes", "index", "area_id", "node_id"]])


def _notes(run: Run, plan: NodePlan, sources: str) -> list[tuple[str, str]]:
    words, people = texts(run.spec.language), plan.found.residents
    own, chosen = words.plan, int(plan.found.nodes["chosen"].sum())
    limit = f"{plan.found.certificate['catchment_min']:g}"
    rows = [(own["moment_head"], moment_of(run))] if moment_of(run) else []
    rows += [("N", own["node_n"].format(nodes=len(plan.found.nodes), chosen=chosen))]
    told = {name: f"{people[name]:,.0f}".replace(",", "\u00a0") for name in ("residents", "served", "outside")}
    rows += [(own["served_head"], own["served"].format(minutes=limit, **told))]
    rows += [(words["method"], f"{key}: {value}") for key, value in plan.found.certificate.items() if value is not None]
    rows += [("certainty", line) for line in (plan.sure.lines(len(plan.sure.table)) if plan.sure is not None else [])]
    # What the library says of single candidates is for those who may see all of them.
    rows += [("note", line) for line in (*plan.found.notes, *plan.notes)]
    return [*rows, (words["source"], sources)]


# ---------------------------------------------------------------- files


def _catchments(run: Run, plan: NodePlan) -> gpd.GeoDataFrame:
    """Return catchments as polygons; to the public without cells where few live."""
    people, found, least = run.reach.people, plan.found.catchments, least_shown(run)
    if least:
        found = found[found["residents"] >= least]
    if found.empty:
        return gpd.GeoDataFrame({"residents": []}, geometry=[], crs=people.crs)
    shapes = catchment_areas(found, people.loc[found.index], cell_m=_cell_m(run))
    totals = plan.found.catchments.groupby(plan.found.catchments["node_id"].fillna(""))["residents"].sum()
    return hidden_where_few(shapes.assign(residents=totals.reindex(shapes.index)), ["residents"], least)


def _cell_m(run: Run) -> float:
    dataset, _ = layer_of_kind(run.catalogue, run.reach.spec.people, WHERE_PEOPLE, key="travel.people")
    found, _ = read_weights(dataset, str(run.areas().crs))
    return float(max(found.width, found.height)) if isinstance(found, Grid) else _CELL_M


def _sources(run: Run, asked: NodesSpec) -> str:
    reach = run.reach
    classes = [reach.asked.opportunities[name] for name in asked.classes()]
    layers = [reach.spec.people, reach.spec.streets, *reach.spec.timetable, *classes]
    return sources_of(run, [*layers, asked.parks, asked.land, asked.centres])


def write_nodes(run: Run, folder: Path, plan: NodePlan | None = None) -> None:
    """Write ``nodes.xlsx``, ``nodes.gpkg``, the map ``nodes.*`` and the chart ``nodes_parts.*``.

    Raises
    ------
    InputError
        As :func:`strategic_nodes_of`.
    """
    plan = strategic_nodes_of(run) if plan is None else plan
    asked, language, words = run.spec.nodes, run.spec.language, texts(run.spec.language)
    assert asked is not None  # noqa: S101  strategic_nodes_of has seen to it
    sources = _sources(run, asked)
    title = f"{words.plan['nodes_sheet']}: {run.spec.title.to(language)}"
    write_workbook(folder / "nodes.xlsx", _sheets(run, plan, sources), title=title, date=run.spec.date)
    shapes = _catchments(run, plan)
    table = hidden_where_few(node_table(plan).set_index("node_id"), ["residents"], least_shown(run))
    points = gpd.GeoDataFrame(table, geometry=plan.found.nodes.geometry)
    named = shapes.assign(name=plan.found.nodes["name"].reindex(shapes.index).fillna(words.plan["served_by_none"]))
    write_layers(folder / "nodes.gpkg", {"nodes": points, "catchments": named}, date=run.spec.date)
    note = run.spec.note.to(language) if run.spec.note else ""
    text: dict[str, Any] = {"source": sources, "note": note, "language": language}
    catchment = words.plan["catchment"].format(minutes=f"{asked.catchment_min:g}")
    drawn: dict[str, Any] = {"catchments": shapes, "districts": plan.deprived, "backdrop": run.backdrop(), **text}
    drawn["period"] = " · ".join(filter(None, (moment_of(run) or run.spec.period, catchment)))
    shown = hidden_where_few(plan.found.nodes, ["residents"], least_shown(run))
    draw(folder / "nodes", lambda: plot_nodes(shown, **drawn))
    explore_nodes(shown, **drawn).save(folder / "nodes.html")
    ranks = plan.sure.table if plan.sure is not None else plan.found.nodes
    method = ""
    if plan.sure is not None:
        many = f"{plan.sure.draws:,}".replace(",", "\u00a0")
        method = words.plan["drawn"].format(draws=many, concentration=f"{plan.sure.concentration:g}")
    level = plan.sure.level if plan.sure is not None else 0.9
    draw(
        folder / "nodes_parts",
        lambda: plot_node_parts(
            plan.found.contributions(), ranks, top=_CHART, level=level, method=method, period=run.spec.period, **text
        ),
    )
