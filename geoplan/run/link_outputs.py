"""What a run writes of links between districts: a workbook, a GeoPackage, a map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib as mpl
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.reach import CrossingEffects, Links, candidate_crossings, crossing_effects, gather_barriers, links
from geoplan.run.access_outputs import sources_of
from geoplan.run.datasets import read_features
from geoplan.run.matching import layer_of_kind
from geoplan.show import Sheet, explore_links, plot_links, texts, write_layers, write_workbook
from geoplan.show.printed import SAVED
from geoplan.specs import BackdropLayer
from geoplan.specs.travel import LinksSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["effects_of", "links_of", "write_links"]

_MOTORWAY, _KIND = "motorway", "kind"
_WORST = 5  # borders along which new crossings are tried
_PAIRS = ("name_a", "name_b", "residents_a", "residents_b", "border_m", "crossings", "spacing_m", "longest_gap_m",
          "straight_m", "walk_min", "detour", "transit_min", "people_walk_min", "people_detour", "people_transit_min",
          "cause", "cause_kind", "cause_cut_share", "index_a", "index_b", "index_difference", "status",
          "reason")  # fmt: skip
_APART = ("name", "residents", "neighbours", "links", "crossings", "min_cut", "walk_nearest_min", "walk_share",
          "transit_share", "status", "reason")  # fmt: skip
_NEW = ("rank", "name_a", "name_b", "length_m", "pairs_gained", "people", "minutes_saved", "people_min_before",
        "people_min_after", "rank_difference")  # fmt: skip


def _asked(run: Run) -> LinksSpec:
    if run.spec.links is None:
        hint = "write a table [links], with `barriers`"
        raise SpecError(Fault(what="the scenario says nothing of links", file=run.shown, hint=hint))
    return run.spec.links


def barriers_of(run: Run) -> gpd.GeoDataFrame | None:
    """Return what may part districts: water, railways, and of the roads the motorways where they say so."""
    layers: dict[str, Any] = {}
    for name in _asked(run).barriers:
        dataset, spec = layer_of_kind(run.catalogue, name, BackdropLayer, key="links.barriers")
        frame = read_features(dataset, str(run.areas().crs))
        kind = {"rail": "railway", "road": _MOTORWAY}.get(spec.role, spec.role)
        if kind == _MOTORWAY and _KIND in frame:
            frame = frame[frame[_KIND] == _MOTORWAY]
        if len(frame):
            layers[kind] = pd.concat([layers[kind], frame]) if kind in layers else frame
    return gather_barriers(layers) if layers else None


def links_of(run: Run) -> Links:
    """Return the links between the ranked areas, with the index across each border.

    Raises
    ------
    SpecError
        When the scenario has no table [links].
    InputError
        When a layer is faulty.
    """
    asked, reach = _asked(run), run.reach
    network = reach.network
    moving: dict[str, Any] = {}
    if asked.transit and network.timetable is not None:
        departure = f"{network.timetable.date.isoformat()} {reach.spec.departure}"
        moving = {"network": network, "departure": departure, "window_min": reach.spec.window_min}
        moving["percentile"] = reach.percentiles[0]
    ranking = run.index().ranking
    return links(
        run.areas()[["name", "geometry"]],
        reach.people,
        network.streets,
        barriers=barriers_of(run),
        index=ranking["score"],
        index_status=ranking["status"],
        population="residents",
        gap_m=asked.gap_m,
        **moving,
    )


def effects_of(run: Run, found: Links) -> CrossingEffects | None:
    """Return what new crossings would do along the borders with the longest detours; None where none is tried."""
    asked = _asked(run)
    worst = found.pairs[found.pairs["cause"] != ""].sort_values("people_detour", ascending=False).head(_WORST)
    if not asked.most_crossings or worst.empty:
        return None
    streets = run.reach.network.streets
    tried = candidate_crossings(worst, streets, spacing_m=asked.spacing_m, reach_m=2 * asked.spacing_m)
    tried = tried.head(asked.most_crossings)
    return crossing_effects(found, tried, streets, within_min=asked.within_min) if len(tried) else None


# ---------------------------------------------------------------- files


def write_links(run: Run, folder: Path) -> None:
    """Write ``links.xlsx``, ``links.gpkg`` and the map ``links.*``.

    Raises
    ------
    InputError
        When a layer is faulty.
    """
    found = links_of(run)
    effects = effects_of(run, found)
    words = texts(run.spec.language)
    title = f"{words.reach['links_sheet']}: {run.spec.title.to(run.spec.language)}"
    write_workbook(folder / "links.xlsx", _sheets(run, found, effects), title=title, date=run.spec.date)
    layers = {"links": found.straight(), "borders": found.pairs, "crossings": found.crossings}
    if effects is not None:
        layers["new_crossings"] = effects.frame
    barriers = barriers_of(run)
    if barriers is not None:
        layers["barriers"] = barriers
    write_layers(folder / "links.gpkg", layers, date=run.spec.date)
    _draw(run, found, effects, barriers, folder / "links")


def _sheets(run: Run, found: Links, effects: CrossingEffects | None) -> list[Sheet]:
    words = texts(run.spec.language)
    heads = {**words.words, **words.reach}
    footer = f"{run.spec.title.to(run.spec.language)} · {run.spec.period} · {sources_of(run, _layers(run))}"

    def shown(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
        table = pd.DataFrame(frame).reindex(columns=[name for name in columns if name in frame]).copy()
        if "status" in table:
            table["status"] = table["status"].map(words.statuses)
        if "cause_kind" in table:
            table["cause_kind"] = table["cause_kind"].map(lambda kind: words.reach.get(f"kind_{kind}", kind))
        return table.dropna(axis=1, how="all")

    ones = dict.fromkeys(("walk_min", "transit_min", "people_walk_min", "people_transit_min", "walk_nearest_min",
                          "minutes_saved", "people_min_before", "people_min_after", "index_a", "index_b",
                          "index_difference"), 1)  # fmt: skip
    twos = dict.fromkeys(("detour", "people_detour", "cause_cut_share", "walk_share", "transit_share"), 2)
    noughts = dict.fromkeys(("residents_a", "residents_b", "residents", "border_m", "spacing_m", "longest_gap_m",
                             "straight_m", "length_m", "pairs_gained", "people", "min_cut",
                             "rank_difference"), 0)  # fmt: skip
    decimals = {**ones, **twos, **noughts}
    pairs = found.pairs.sort_values("people_detour", ascending=False, na_position="last")
    parts = [("links_sheet", shown(pairs, _PAIRS), 2), ("isolation_sheet", shown(found.isolation, _APART), 1)]
    if effects is not None:
        named = effects.frame.assign(
            name_a=effects.frame["area_a"].map(found.areas["name"]),
            name_b=effects.frame["area_b"].map(found.areas["name"]),
        )
        parts.append(("crossings_sheet", shown(named, _NEW), 1))
    sheets = [
        Sheet(words.reach[name], table, heads, decimals, frozen=frozen, footer=footer) for name, table, frozen in parts
    ]
    lines = [(words["source"], sources_of(run, _layers(run)))]
    told = [*found.lines(), *found.notes, *((*effects.lines(), *effects.notes) if effects is not None else ())]
    lines += [("links", sentence) for sentence in dict.fromkeys(told)]
    notes = pd.DataFrame(lines, columns=[words["notes_sheet"], ""])
    return [*sheets, Sheet(words["notes_sheet"], notes, widths=(38, 110))]


def _layers(run: Run) -> list[str]:
    travel = run.reach.spec
    return [travel.people, travel.streets, *travel.timetable, *run.spec.areas.layers[:1], *_asked(run).barriers]


def _draw(
    run: Run, found: Links, effects: CrossingEffects | None, barriers: gpd.GeoDataFrame | None, stem: Path
) -> None:
    if barriers is not None:  # those in nobody's way would cover the map: a shore, a railway beside it
        barriers = barriers[barriers["name"].isin(found.pairs["cause"])]
    look: dict[str, Any] = {
        "areas": found.areas,
        "crossings": found.crossings,
        "barriers": barriers if barriers is not None and len(barriers) else None,
        "candidates": None if effects is None else effects.frame,
        "period": run.spec.period,
        "source": sources_of(run, _layers(run)),
        "note": run.spec.note.to(run.spec.language) if run.spec.note else "",
        "backdrop": run.backdrop(),
        "language": run.spec.language,
    }
    with mpl.rc_context({"svg.hashsalt": "geoplan"}):
        figure = plot_links(found.straight(), **look)
        for ending, options in SAVED.items():
            figure.savefig(stem.with_suffix(f".{ending}"), **options)
    explore_links(found.straight(), **look).save(stem.with_suffix(".html"))
