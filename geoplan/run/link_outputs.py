"""Links between districts of a run, and what it writes of them: a workbook, a GeoPackage and a map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.errors import Fault, Faults, SpecError
from geoplan.reach import CrossingEffects, Links, candidate_crossings, crossing_effects, gather_barriers, links
from geoplan.run.datasets import read_features
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
from geoplan.show import Sheet, explore_links, plot_links, texts, write_layers, write_workbook
from geoplan.specs import BackdropLayer
from geoplan.specs.travel import LinksSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["LinkPlan", "link_table", "links_of", "write_links"]

_KINDS = {"rail": "railway"}
_MOTORWAY = "motorway"
_ON_PAPER = 15  # columns that can still be read on a page
_BEST = 5  # possible crossings on the map
_PAIR = ("name_a", "name_b", "people_detour", "people_walk_min", "people_cycle_min", "people_transit_min",
         "people_walk_m",
         "people_straight_m", "people_pairs", "crossings", "longest_gap_m", "spacing_m", "border_m", "cause",
         "cause_kind", "cause_excess_share", "index_a", "index_b", "index_difference", "only_link", "residents_a",
         "residents_b", "detour", "walk_min", "cycle_min", "transit_min", "people_status", "people_reason", "area_a",
         "area_b")  # fmt: skip
_ALONE = ("name", "residents", "neighbours", "links", "crossings", "min_cut", "only_way", "walk_nearest_min",
          "walk_share", "cycle_share", "transit_share", "status", "reason", "area_id")  # fmt: skip
_BARRIER = ("name_a", "name_b", "name", "kind", "along_m", "gap_m", "cut_share", "excess_share",
            "to_crossing_m")  # fmt: skip
_EFFECT = ("rank", "crossing_id", "name_a", "name_b", "length_m", "pairs_gained", "people", "residents_gaining",
           "minutes_saved", "people_min_before", "people_min_after", "index_difference", "rank_difference", "status",
           "reason")  # fmt: skip
_PEOPLE = ["people", "people_a", "people_b", "residents_gaining"]
_DECIMALS = {
    "people_detour": 2, "people_walk_min": 1, "people_cycle_min": 1, "people_transit_min": 1, "people_walk_m": 0,
    "people_straight_m": 0, "people_pairs": 0, "crossings": 0, "longest_gap_m": 0, "spacing_m": 0, "border_m": 0,
    "cause_excess_share": 2, "index_a": 1, "index_b": 1, "index_difference": 1, "residents_a": 0, "residents_b": 0,
    "detour": 2, "walk_min": 1, "cycle_min": 1, "transit_min": 1, "residents": 0, "neighbours": 0, "links": 0,
    "min_cut": 0, "walk_nearest_min": 1, "walk_share": 3, "cycle_share": 3, "transit_share": 3, "along_m": 0,
    "gap_m": 0, "cut_share": 2, "excess_share": 2, "to_crossing_m": 0, "rank": 0, "length_m": 0, "pairs_gained": 0,
    "people": 0, "residents_gaining": 0, "minutes_saved": 1, "people_min_before": 1, "people_min_after": 1,
    "rank_difference": 0,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class LinkPlan:
    """Links of a scenario.

    Attributes
    ----------
    found
        The links; to the public without districts where few live.
    barriers
        What may part districts: ``name``, ``kind`` and shapes; None where the scenario names none.
    effects
        What new crossings would do; None where none was tried.
    laid
        How many crossings were laid out, of which the first were tried.
    """

    found: Links
    barriers: gpd.GeoDataFrame | None
    effects: CrossingEffects | None
    laid: int

    def pairs(self) -> gpd.GeoDataFrame:
        """Return the pairs of neighbours, the greatest detour first; those with no way on foot come before."""
        pairs = self.found.pairs
        cut_off = pairs["people_reached_share"].eq(0).to_numpy()
        detour = pairs["people_detour"].to_numpy(float)
        order = np.where(cut_off, np.inf, np.nan_to_num(detour, nan=-1.0))
        return pairs.iloc[np.argsort(-order, kind="stable")]

    def lines(self) -> list[str]:
        """Say it in sentences: the worst detour, the best crossing, and the notes."""
        effects = self.effects.lines() if self.effects is not None else []
        return [*self.found.lines(), *effects]


def links_of(run: Run) -> LinkPlan:
    """Find how neighbouring districts of a scenario are connected, and what crossings would do.

    Raises
    ------
    InputError
        When the scenario says nothing of links, or a layer is faulty.
    """
    asked = run.spec.links
    if asked is None:
        hint = "write a table [links]; an empty one takes the usual answers"
        raise SpecError(Fault(what="the scenario says nothing of links", file=run.shown, hint=hint))
    reach, ranking = run.reach, run.index().ranking
    barriers = _barriers(run, asked)
    trips: dict[str, Any] = {}
    timetable = reach.network.timetable
    if asked.transit and timetable is not None:
        departure = f"{timetable.date.isoformat()} {reach.spec.departure}"
        trips = {"network": reach.network, "departure": departure, "window_min": reach.spec.window_min}
        trips["percentile"] = reach.percentiles[0]
    with Faults.located_at(run.shown):
        found = links(
            run.areas(),
            reach.people,
            reach.network.streets,
            barriers=barriers,
            index=ranking["score"],
            index_status=ranking["status"],
            population="residents",
            cycle=reach.cycling if asked.cycle else None,
            gap_m=asked.gap_m,
            detour_from=asked.detour_from,
            **trips,
        )
        plan = LinkPlan(_shown(run, found), barriers, None, 0)
        return _with_effects(run, asked, plan)


def _barriers(run: Run, asked: LinksSpec) -> gpd.GeoDataFrame | None:
    """Put the layers of barriers together by their roles; of roads the motorways, where a column says which."""
    layers: dict[str, list[gpd.GeoDataFrame]] = {}
    for name in asked.barriers:
        dataset, spec = layer_of_kind(run.catalogue, name, BackdropLayer, key="links.barriers")
        frame = read_features(dataset, str(run.areas().crs))
        kind = _KINDS.get(spec.role, spec.role)
        if spec.role == "road" and "kind" in frame and frame["kind"].eq(_MOTORWAY).any():
            frame, kind = frame[frame["kind"] == _MOTORWAY], _MOTORWAY
        layers.setdefault(kind, []).append(frame)
    together = {kind: gpd.GeoDataFrame(pd.concat(frames, ignore_index=True)) for kind, frames in layers.items()}
    return gather_barriers(together) if together else None


def _shown(run: Run, found: Links) -> Links:
    """Return links without districts where too few live to be told of."""
    least = least_shown(run)
    if not least:
        return found
    residents = found.isolation["residents"]
    few = set(residents.index[(residents > 0) & (residents < least)])
    if not few:
        return found

    def kept(frame: Any) -> Any:
        return frame[~(frame["area_a"].isin(few) | frame["area_b"].isin(few))]

    return replace(
        found,
        pairs=kept(found.pairs),
        isolation=found.isolation[~found.isolation.index.isin(few)],
        barriers=kept(found.barriers),
        crossings=kept(found.crossings),
        samples=kept(found.samples),
    )


def _with_effects(run: Run, asked: LinksSpec, plan: LinkPlan) -> LinkPlan:
    """Try crossings along the borders of the greatest detours."""
    pairs = plan.pairs()
    far = pairs[(pairs["people_detour"] >= asked.detour_from) | pairs["people_reached_share"].eq(0)]
    if not asked.most_crossings or far.empty:
        return plan
    streets = run.reach.network.streets
    laid = candidate_crossings(far, streets, spacing_m=asked.spacing_m, reach_m=asked.reach_m)
    tried = laid.head(asked.most_crossings)
    if tried.empty:
        return plan
    effects = crossing_effects(plan.found, tried, streets, within_min=asked.within_min)
    return LinkPlan(plan.found, plan.barriers, effects, len(laid))


# ---------------------------------------------------------------- tables


def link_table(plan: LinkPlan) -> pd.DataFrame:
    """Return a row a pair of neighbours, the greatest detour first; columns as ``Links.pairs``."""
    return pd.DataFrame(plan.pairs().drop(columns="geometry")).reindex(columns=list(_PAIR)).reset_index(drop=True)


def _sheets(run: Run, plan: LinkPlan, sources: str) -> list[Sheet]:
    words, asked = texts(run.spec.language), run.spec.links
    own, foot = words.plan, footer_of(run, sources)
    assert asked is not None  # noqa: S101  links_of has seen to it
    heads = {**words.words, **own}
    reached = float(str(plan.found.record.get("within_min", 30)))
    told = dict.fromkeys(("walk_share", "cycle_share", "transit_share"), reached) | {"pairs_gained": asked.within_min}

    def sheet(name: str, table: pd.DataFrame, prefix: str, frozen: int) -> Sheet:
        own_heads = headings(heads, prefix, table.columns)
        own_heads |= {key: own_heads[key].format(minutes=f"{told[key]:g}") for key in told if key in table}
        if prefix in {"barrier", "effect"}:
            own_heads |= {key: own[f"link_{key}"] for key in ("name_a", "name_b", "index_difference") if key in table}
        paper = min(_ON_PAPER, len(table.columns))  # the rest is for the screen
        return Sheet(name, table, own_heads, _DECIMALS, frozen=frozen, printed=paper, footer=foot)

    return [
        sheet(own["links_sheet"], _readable(link_table(plan), words), "link", 2),
        sheet(own["isolation_sheet"], _readable(_alone(plan), words), "alone", 1),
        sheet(own["barriers_sheet"], _readable(_met(plan), words), "barrier", 2),
        *([sheet(own["crossings_sheet"], _readable(_effects(run, plan), words), "effect", 4)] if plan.effects else []),
        notes_sheet(run, _notes(run, plan, sources)),
    ]


def _alone(plan: LinkPlan) -> pd.DataFrame:
    table = pd.DataFrame(plan.found.isolation.drop(columns="geometry")).rename_axis("area_id").reset_index()
    return table.reindex(columns=list(_ALONE)).sort_values("walk_share", kind="stable", ignore_index=True)


def _met(plan: LinkPlan) -> pd.DataFrame:
    names = plan.found.areas["name"]
    table = plan.found.barriers
    table = table.assign(name_a=table["area_a"].map(names), name_b=table["area_b"].map(names))
    return table.reindex(columns=list(_BARRIER)).reset_index(drop=True)


def _effects(run: Run, plan: LinkPlan) -> pd.DataFrame:
    assert plan.effects is not None  # noqa: S101  the caller has seen to it
    frame = hidden_where_few(plan.effects.frame, _PEOPLE, least_shown(run))
    return pd.DataFrame(frame.drop(columns="geometry")).reset_index().reindex(columns=list(_EFFECT))


def _readable(table: pd.DataFrame, words: Any) -> pd.DataFrame:
    """Replace ids by words, and leave out columns that nothing stands in."""
    own = words.plan
    shown = table.copy()
    for name in ("kind", "cause_kind"):
        if name in shown:
            shown[name] = shown[name].map(lambda kind: own.get(f"kind_{kind}", kind))
    for name in ("status", "people_status"):
        if name in shown:
            shown[name] = shown[name].map(lambda status: words.statuses.get(status, status))
    for name in ("only_link", "only_way"):
        if name in shown:
            shown[name] = shown[name].map({True: own["yes"], False: own["no"]})
    moving = [f"{mode}_{what}" for mode in ("cycle", "transit") for what in ("min", "share")]
    empty = [name for name in (*moving, "people_cycle_min", "people_transit_min") if name in shown]
    return shown.drop(columns=[name for name in empty if shown[name].isna().all()])


def _notes(run: Run, plan: LinkPlan, sources: str) -> list[tuple[str, str]]:
    words, found, least = texts(run.spec.language), plan.found, least_shown(run)
    own = words.plan
    known = int(found.pairs["people_detour"].notna().sum())
    rows = [(own["moment_head"], moment_of(run))] if moment_of(run) else []
    rows += [
        ("N", own["links_n"].format(pairs=len(found.pairs), known=known)),
        (words["method"], words["links_people"]),
    ]
    if plan.effects is not None:
        rows += [(own["crossings_sheet"], own["tried"].format(tried=len(plan.effects.frame), laid=plan.laid))]
    rows += [("note", own["hidden_few"].format(least=least))] if least else []
    # Notes of the library name districts where few live; they are not for the public.
    said: Iterable[str] = () if least else plan.lines()
    return [*rows, *(("note", line) for line in said), (words["source"], sources)]


# ---------------------------------------------------------------- files


def write_links(run: Run, folder: Path, plan: LinkPlan | None = None) -> None:
    """Write ``links.xlsx``, ``links.gpkg`` and the map ``links.*``.

    Raises
    ------
    InputError
        As :func:`links_of`.
    """
    plan = links_of(run) if plan is None else plan
    spec, asked, words = run.spec, run.spec.links, texts(run.spec.language)
    assert asked is not None  # noqa: S101  links_of has seen to it
    timetables = run.reach.spec.timetable if asked.transit else ()
    sources = sources_of(run, [run.reach.spec.people, run.reach.spec.streets, *timetables, *asked.barriers])
    title = f"{words.plan['links_sheet']}: {spec.title.to(spec.language)}"
    write_workbook(folder / "links.xlsx", _sheets(run, plan, sources), title=title, date=spec.date)
    straight = plan.found.straight()
    effects = plan.effects
    districts = plan.found.areas.join(plan.found.isolation.drop(columns=["geometry", "name"]), how="inner")
    layers = {
        "links": straight[straight.geometry.notna()],
        "borders": plan.found.pairs,
        "crossings": plan.found.crossings,
        "districts": districts,
    }
    if plan.barriers is not None:
        layers["barriers"] = plan.barriers
    if effects is not None:
        layers["possible_crossings"] = hidden_where_few(effects.frame, _PEOPLE, least_shown(run))
    write_layers(folder / "links.gpkg", layers, date=spec.date)
    barriers = plan.barriers  # those in nobody's way would cover the map: a shore, a railway beside another
    if barriers is not None:
        barriers = barriers[barriers["name"].isin(plan.found.pairs["cause"])]
    drawn: dict[str, Any] = {
        "areas": plan.found.areas, "crossings": plan.found.crossings,
        "barriers": barriers if barriers is not None and len(barriers) else None,
        "candidates": effects.frame if effects is not None else None, "best": _BEST, "backdrop": run.backdrop(),
        "period": moment_of(run) or spec.period, "source": sources, "language": spec.language,
        "note": spec.note.to(spec.language) if spec.note else "",
    }  # fmt: skip
    draw(folder / "links", lambda: plot_links(straight, **drawn))
    explore_links(straight, **drawn).save(folder / "links.html")
