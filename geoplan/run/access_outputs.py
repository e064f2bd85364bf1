"""What a run writes of access: a workbook, a table, a GeoPackage, a map, and isochrones."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd

from geoplan.errors import Fault, SpecError
from geoplan.reach import Standard, deprivation_access_classes, isochrone_notes, isochrones
from geoplan.run.datasets import read_features
from geoplan.run.matching import layer_of_kind
from geoplan.run.reach_files import draw, least_shown, moment_of, sources_of
from geoplan.run.reaching import Measure
from geoplan.run.styling import outline_of
from geoplan.run.travelling import Points, place_or_id
from geoplan.show import (
    Sheet,
    Style,
    explore,
    explore_isochrones,
    format_date,
    make_style,
    plot,
    plot_deprivation_access,
    plot_equity,
    plot_isochrones,
    texts,
    write_csv,
    write_geopackage,
    write_isochrones,
    write_workbook,
)
from geoplan.specs import PointsLayer
from geoplan.specs.travel import IsochroneSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["access_style", "measure_label", "readable_access", "write_access"]

_HIDDEN = "suppressed"
_FIGURES = ("mean", "minimum", "p10", "median", "p90", "maximum", "meeting", "share_meeting", "centroid",
            "centroid_difference", "not_reached", "scored", "not_scored")  # fmt: skip


# ---------------------------------------------------------------- words


def measure_label(run: Run, measure: Measure, language: str | None = None) -> str:
    """Return a measure as readers write it: ``Workplaces within 30 min``."""
    language = language or run.spec.language
    words = texts(language).reach
    what = words.get(measure.opportunity)
    if what is None:  # a class of the scenario's own is called as its layer is
        dataset = run.catalogue.layer(run.reach.asked.opportunities[measure.opportunity])
        what = dataset.spec.title.to(language)
    told = words[measure.kind].format(what=what, minutes=f"{measure.minutes:g}" if measure.minutes else "")
    if measure.percentile == run.reach.percentiles[0]:
        return told
    return words["percentile"].format(what=told, share=f"{measure.percentile:g}")


def _standard_label(run: Run, standard: Standard) -> str:
    words = texts(run.spec.language).reach
    named = {measure.id: measure_label(run, measure) for measure in run.reach.measures()}
    limit = standard.at_least if standard.at_least is not None else standard.at_most
    form = words["at_least" if standard.at_least is not None else "at_most"]
    shown = f"{limit:,.0f}" if float(limit or 0).is_integer() else f"{limit:,g}"
    return form.format(what=named[standard.measure], limit=shown.replace(",", "\u00a0"))


def _method(run: Run) -> str:
    reach, words = run.reach, texts(run.spec.language).reach
    points = f"{len(reach.people):,}".replace(",", "\u00a0")
    moment = moment_of(run)
    return words["method" if moment else "method_foot"].format(points=points, moment=moment)


def _sources(run: Run) -> str:
    spec, asked = run.reach.spec, run.reach.asked
    return sources_of(run, [spec.people, spec.streets, *spec.timetable, *asked.opportunities.values()])


# ---------------------------------------------------------------- tables


def access_by_area(run: Run, level: str | None = None) -> pd.DataFrame:
    """Return what residents of each area reach; to the public without the areas where too few live to be told of."""
    table = run.reach.by_area(level)
    least = least_shown(run)
    if not least:
        return table
    few = (table["residents"] > 0) & (table["residents"] < least)
    table.loc[few, [*_FIGURES, "residents", "points"]] = np.nan
    table.loc[few, "status"], table.loc[few, "reason"] = _HIDDEN, ""
    return table


def readable_access(run: Run, level: str | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return one row an area: residents, the share that meets each standard, and the mean of each measure.

    Returns
    -------
    pandas.DataFrame
        By ``area_id``: ``name``, ``residents``, ``scored``, a column ``share_…`` a standard, a column a measure (that
        of the first percentile), ``status``, ``reason``.
    dict
        Column → heading in the run's language.
    """
    long = access_by_area(run, level)
    first = run.reach.percentiles[0]
    measures = [item for item in run.reach.measures() if item.percentile == first]
    standards = run.reach.standards()
    once = long.drop_duplicates("area_id").set_index("area_id")
    wide = long.drop_duplicates(["area_id", "measure"]).pivot(index="area_id", columns="measure", values="mean")
    frame = pd.DataFrame({"name": run.areas(level)["name"]}).join(once[["residents", "scored"]])
    words = texts(run.spec.language)
    heads = {**words.words, **words.reach}
    for number, standard in enumerate(standards, start=1):
        own = long[(long["measure"] == standard.measure) & (long["standard"] == standard.words)].set_index("area_id")
        frame[f"share_{number}"] = own["share_meeting"].reindex(frame.index)
        heads[f"share_{number}"] = words.reach["meets"].format(what=_standard_label(run, standard))
    for item in measures:
        frame[item.id] = wide[item.id].reindex(frame.index)
        heads[item.id] = measure_label(run, item)
    frame["status"] = once["status"].reindex(frame.index).fillna("not_applicable")
    frame["reason"] = once["reason"].reindex(frame.index).fillna("")
    return frame.rename_axis("area_id"), heads


Drawn = list[tuple[IsochroneSpec, gpd.GeoDataFrame, gpd.GeoDataFrame]]


def _sheets(run: Run, drawn: Drawn) -> list[Sheet]:
    words, asked = texts(run.spec.language), run.reach.asked
    footer = f"{run.spec.title.to(run.spec.language)} · {_method(run)} · {_sources(run)}"
    named = {item.id: measure_label(run, item) for item in run.reach.measures()}
    told = {own.words: _standard_label(run, own) for own in run.reach.standards()}
    sheets = []
    for level in (run.spec.areas.level, *asked.levels):
        further = "" if level == run.spec.areas.level else f" {level}"
        wide, heads = readable_access(run, level)
        wide["status"] = wide["status"].map(words.statuses)
        decimals = {"residents": 0, "scored": 0} | {name: 2 for name in wide if name.startswith("share_")}
        decimals |= {item.id: _decimals(item) for item in run.reach.measures()}
        shown = wide.reset_index()
        paper = 4 + len(run.reach.standards()) + 2 * len(asked.opportunities)  # the rest is for the screen
        name = f"{words.reach['access_sheet']}{further}"
        sheets.append(Sheet(name, shown, heads, decimals, frozen=2, printed=paper, footer=footer))
        long = access_by_area(run, level)
        long.insert(1, "name", long["area_id"].map(run.areas(level)["name"]))
        long["standard"] = long["standard"].map(told).fillna("")
        long["status"] = long["status"].map(words.statuses)
        long["measure"] = long["measure"].map(named)
        kinds = dict.fromkeys(("residents", "scored", "not_scored", "not_reached", "points", "meeting"), 0)
        kinds |= dict.fromkeys(("mean", "minimum", "p10", "median", "p90", "maximum"), 1)
        kinds |= {"centroid": 1, "centroid_difference": 1, "share_meeting": 2}
        heads = {**words.words, **words.reach}
        sheets.append(Sheet(f"{words.reach['spread_sheet']}{further}", long, heads, kinds, frozen=3, footer=footer))
    sheets.append(_equity_sheet(run, footer))
    lines = [(words["source"], _sources(run)), (words["method"], _method(run))]
    lines += [(words.reach["notes"], sentence) for sentence in run.reach.notes()]
    for item, bands, _ in drawn:
        lines += [(f"isochrone {item.id}", sentence) for sentence in isochrone_notes(bands, run.reach.network)]
    notes = pd.DataFrame(lines, columns=[words["notes_sheet"], ""])
    return [*sheets, Sheet(words["notes_sheet"], notes, widths=(38, 110))]


def _decimals(measure: Measure) -> int:
    return {"nearest": 1, "competition": 3}.get(measure.kind, 0)


def _equity_sheet(run: Run, footer: str) -> Sheet:
    """Set out, measure by measure, what residents have by fifths of the risk index, and the figures of the whole."""
    words = texts(run.spec.language)
    first, parts, definitions = run.reach.percentiles[0], [], run.counted().definitions
    for item in run.reach.measures():
        if item.percentile != first:
            continue
        found = run.reach.equity(item.id)
        rows = found.by_quantile.reset_index().astype({"quantile": object})
        rows["quantile"] = rows["quantile"].map(lambda part: words.reach["all"] if part == "all" else part)
        rows.insert(0, "measure", measure_label(run, item))
        for name in ("palma", "gini", "concentration", "gap_ratio", "gap_to_best", "shortfall"):
            rows[name] = np.nan
            rows.loc[len(rows) - 1, name] = found.measures.get(name, np.nan)
        by_group = found.by_group.drop(index="all", errors="ignore").rename_axis("quantile").reset_index()
        by_group["quantile"] = [definitions[name].label.to(run.spec.language) for name in by_group["quantile"]]
        by_group.insert(0, "measure", measure_label(run, item))
        rows = pd.concat([rows, by_group.astype({"quantile": object})], ignore_index=True)
        parts.append(rows)
    table = pd.concat(parts, ignore_index=True)
    kinds = {"residents": 0, "units": 0, "below": 0} | dict.fromkeys(("mean", "p10", "median", "p90"), 1)
    kinds |= dict.fromkeys(table.columns.difference([*kinds, "measure", "quantile"]), 2)
    order = [name for name in table if name not in {"below", "share_below"}] + [
        name for name in ("below", "share_below") if name in table
    ]
    heads = {**words.words, **words.reach}
    return Sheet(words.reach["equity_sheet"], table[order], heads, kinds, frozen=2, footer=footer)


# ---------------------------------------------------------------- maps


def access_style(run: Run) -> tuple[pd.Series, Style]:
    """Return what the map of access shows: the share who meet the main standard, or the mean of the main measure."""
    language = run.spec.language
    words = texts(language).reach
    main = run.reach.main
    standard = next((own for own in run.reach.standards() if own.measure == main), None)
    long = access_by_area(run)
    own = long[long["measure"] == main]
    if standard is not None:
        own = own[own["standard"] == standard.words]
    own = own.drop_duplicates("area_id").set_index("area_id").reindex(run.areas().index)
    measure = next(item for item in run.reach.measures() if item.id == main)
    values = own["share_meeting"] * 100 if standard is not None else own["mean"]
    unit = f"{words['map_share']}, %" if standard is not None else words["unit_mean"].format(unit=words[measure.unit])
    style = make_style(
        values.astype(float),
        status=own["status"].fillna("not_applicable"),
        scheme="given" if standard is not None else "quantiles",
        breaks=(20, 40, 60, 80) if standard is not None else None,
        cmap="YlGnBu",
        title=_standard_label(run, standard) if standard is not None else measure_label(run, measure),
        unit=unit,
        period=run.spec.period,
        source=_sources(run),
        note=" ".join([f"{_method(run)}.", *([run.spec.note.to(language)] if run.spec.note else [])]),
        date=format_date(run.spec.date, language),
        language=language,
    )
    return values.astype(float), style


def _write_map(run: Run, stem: Path) -> None:
    values, style = access_style(run)
    areas, backdrop, outline = run.areas(), run.backdrop(), outline_of(run)
    with mpl.rc_context({"hatch.color": "#8f8f88", "hatch.linewidth": 0.7}):
        draw(stem, lambda: plot(areas, values, style=style, backdrop=backdrop, outline=outline))
    explore(areas, values, style=style, backdrop=backdrop, outline=outline).save(stem.with_suffix(".html"))


def _write_equity(run: Run, folder: Path) -> None:
    """Draw the main measure by fifths of the risk index, and where a high index meets poor access."""
    reach, language = run.reach, run.spec.language
    words = texts(language).reach
    measure = next(item for item in reach.measures() if item.id == reach.main)
    standard = next((own for own in reach.standards() if own.measure == measure.id), None)
    found, better = reach.equity(), measure.kind != "nearest"
    look: dict[str, Any] = {
        "what": measure_label(run, measure),
        "unit": words[measure.unit],
        "period": run.spec.period,
        "source": _sources(run),
        "method": _method(run),
        "note": run.spec.note.to(language) if run.spec.note else "",
        "date": format_date(run.spec.date, language),
        "language": language,
        "higher_is_better": better,
    }
    told = _standard_label(run, standard) if standard is not None else ""
    parts = {"left_out": found.left_out, "standard": told, **look}
    draw(folder / "access_shares", lambda: plot_equity(found.by_quantile, found.curve, found.measures, **parts))
    long = access_by_area(run)
    means = long[long["measure"] == measure.id].drop_duplicates("area_id").set_index("area_id")["mean"]
    classes = deprivation_access_classes(
        means.reindex(run.areas().index), run.index().score.reindex(run.areas().index), higher_is_better=better
    )
    ground = {"backdrop": run.backdrop(), "outline": outline_of(run), **look}
    draw(folder / "access_index", lambda: plot_deprivation_access(run.areas(), classes, **ground))


def isochrones_of(run: Run, item: IsochroneSpec) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the bands around a place of the scenario with the residents and jobs in them, and the place.

    Raises
    ------
    InputError
        When there is no such place, or it is on no street.
    """
    reach = run.reach
    known = []
    if item.layer:
        dataset, spec = layer_of_kind(run.catalogue, item.layer, PointsLayer, key="access.isochrones")
        frame = read_features(dataset, str(run.areas().crs))
        ids = frame[spec.id_column].astype(str).tolist()
        known = [Points(frame.set_axis(pd.Index(ids, name="id", dtype=object)), item.layer, spec.id_column)]
    try:
        place = place_or_id(item.place, known, key="access.isochrones")
    except SpecError as error:
        raise error.located(file=run.shown) from error
    title = item.title.to(run.spec.language) if item.title else item.place
    place = place[[place.geometry.name]].set_axis(pd.Index([title], dtype=object))
    spec_ = reach.spec
    asked: dict[str, Any] = {"bands_min": item.bands_min}
    if reach.network.timetable is not None:
        asked["departure"] = f"{reach.network.timetable.date.isoformat()} {spec_.departure}"
        asked |= {"window_min": spec_.window_min, "percentile": reach.percentiles[0], "rides": spec_.rides}
        asked |= {"max_walk_min": spec_.max_walk_min, "slack_s": spec_.slack_s, "seed": run.spec.seed}
    work = "work" if "work" in reach.asked.opportunities else None
    if work:
        asked |= {"jobs": reach.places[reach.places[work] > 0], "jobs_column": work}
    water = [layer for role, layer in run.backdrop() if role == "water"]
    asked |= {"water": pd.concat(water)} if water else {}
    return isochrones(place, reach.network, residents=reach.people, residents_column="residents", **asked), place


def _write_isochrones(run: Run, drawn_: Drawn, folder: Path) -> None:
    for item, bands, place in drawn_:
        words: dict[str, Any] = {"source": _sources(run), "language": run.spec.language}
        title = item.title.to(run.spec.language) if item.title else ""
        stem = folder / f"isochrone_{item.id}"
        drawn: dict[str, Any] = {"places": place, "backdrop": run.backdrop(), "title": title, **words}
        drawn["note"] = run.spec.note.to(run.spec.language) if run.spec.note else ""
        draw(stem, partial(plot_isochrones, bands, **drawn))
        explore_isochrones(bands, **drawn).save(stem.with_suffix(".html"))
        write_isochrones(stem.with_suffix(".gpkg"), bands, date=run.spec.date, title=title, **words)


# ---------------------------------------------------------------- files


def write_access(run: Run, folder: Path) -> None:
    """Write ``access.xlsx``, .csv, .gpkg and its map, ``access_shares.*``, ``access_index.*``, ``isochrone_<id>.*``.

    Raises
    ------
    InputError
        When a layer is faulty, or what is asked does not go together.
    """
    spec, words = run.spec, texts(run.spec.language)
    if not run.reach.measures():
        raise SpecError(Fault(what="nothing is measured", file=run.shown, key="access"))
    title = f"{words.reach['access_sheet']}: {spec.title.to(spec.language)}"
    drawn: Drawn = [(item, *isochrones_of(run, item)) for item in run.reach.asked.isochrones]
    write_workbook(folder / "access.xlsx", _sheets(run, drawn), title=title, date=spec.date)
    long = access_by_area(run)
    long.insert(1, "name", long["area_id"].map(run.areas()["name"]))
    heads = {**words.words, **words.reach}
    write_csv(
        folder / "access.csv",
        long,
        headings=heads,
        decimals={"share_meeting": 4},
        separator=spec.output.csv.separator,
        decimal=spec.output.csv.decimal,
    )
    values, style = access_style(run)
    frame = run.areas().join(readable_access(run)[0].drop(columns="name"))
    frame["mapped"] = values
    write_geopackage(folder / "access.gpkg", frame, column="mapped", style=style, date=spec.date)
    _write_map(run, folder / "access")
    _write_equity(run, folder)
    _write_isochrones(run, drawn, folder)
