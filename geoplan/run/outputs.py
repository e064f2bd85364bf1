"""What a run writes: map, ranked list, workbook, files for QGIS and analysis, and the manifest."""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import pandas as pd

import geoplan
from geoplan.errors import OutputError
from geoplan.risk import breakdown
from geoplan.run.against import stored_conventions, stored_figures
from geoplan.run.designating import CHOICE_COLUMNS, choice_columns, decisions_of, designation_map, write_choice
from geoplan.run.folder import INDEX_FILE, MANIFEST, atomic_folder
from geoplan.run.granting import Paid, grant_record
from geoplan.run.publishing import as_called, run_must_be_public
from geoplan.run.ranking import decimals_of, headings_of, ranking_table, scaled_columns, score_decimals
from geoplan.run.reach_steps import reach_steps
from geoplan.run.standing import shown_sides, standing_notes, standing_sheet, stored_profile
from geoplan.run.story import Run
from geoplan.run.styling import outline_of
from geoplan.show import Sheet, explore, plot, plot_ranks, texts, write_csv, write_geopackage, write_workbook
from geoplan.show.printed import SAVED
from geoplan.sources import sha256_of

__all__ = ["ranking_table", "write_run"]

_LIBRARIES = (
    "geopandas",
    "shapely",
    "pyproj",
    "pyogrio",
    "pandas",
    "numpy",
    "folium",
    "matplotlib",
    "mapclassify",
)
_MOST_DISAGREEMENTS = 200  # listed one by one; a note says how many there are
#: Columns of the long table that say something of an area as a whole.
_OF_AREAS = ("rank", "gap", "rank_rest", "score_rest", "rank_low", "rank_high", "p_top", "p_above", "class", "dynamics",
             "flags", "population", "status", "reason", *CHOICE_COLUMNS)  # fmt: skip
Step = Callable[[str], None]


def write_run(run: Run, out: Path | None = None, *, on_step: Step | None = None) -> Path:
    """Compute a scenario and write its run folder.

    Parameters
    ----------
    run
        From :func:`~geoplan.run.open_run`.
    out
        The folder; ``build/<name>`` below the current one when left out. An earlier run there is replaced when the new
        one is complete, never before.
    on_step
        Called with a few words before each step.

    Returns
    -------
    pathlib.Path
        The folder, with ``map.png``, ``map.svg``, ``map.pdf``, ``map.html`` (further maps as ``map_<id>.*``),
        ``ranking.xlsx``, ``ranking.csv``, ``areas.gpkg``, ``index.parquet`` and ``manifest.json``; where the scenario
        asks how sure ranks are, ``ranks.png``, ``ranks.svg`` and ``ranks.pdf``; where it names a rule,
        ``designations.png`` (and .svg, .pdf), ``choice.xlsx`` and ``decisions.csv``; where it speaks of access,
        ``access.*`` and ``isochrone_<id>.*``, and of nodes, links and surfaces files of these names. Same inputs give
        the same bytes, the manifest's ``timings`` aside.

    Raises
    ------
    InputError
        When the scenario or its data are faulty; nothing is written.
    DisclosureError
        When the run is for the public and a hidden figure could be worked out; nothing is written.
    OutputError
        When the folder cannot be written; what was there stays.

    Examples
    --------
    >>> import tempfile
    >>> from geoplan.run import open_run
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = write_run(open_run("scenarios/fjordbo.toml"), Path(place) / "fjordbo")
    ...     sorted(path.name for path in folder.iterdir())[:3]
    ['areas.gpkg', 'index.parquet', 'manifest.json']
    """
    target = out if out is not None else Path("build") / run.name
    timings: dict[str, float] = {}

    @contextmanager
    def step(words: str) -> Any:
        if on_step:
            on_step(words)
        started = time.perf_counter()
        yield
        timings[words] = round(time.perf_counter() - started, 3)

    grants: dict[str, Paid] = {}
    public = run.spec.profile == "public"
    with atomic_folder(target) as folder:
        with step("reading areas"):
            run.areas()
        with step("reading indicators and deciding what may be shown" if public else "reading indicators"):
            run.indicators()
        with step("computing the index"):
            run.index()
            styles = {name: run.style(name) for name in run.spec.output.maps}
        if run.spec.uncertainty is not None:
            with step(f"drawing {run.spec.uncertainty.draws:,} times to see how sure the ranks are"):
                run.uncertainty()
        with step("comparing areas with their neighbours and the city"):
            run.standing()
        if run.spec.targeting is not None:
            with step("applying the rules"):
                run.selections()
        if public:
            with step("trying to work out what is hidden"):
                run_must_be_public(run)
        with step("writing the ranking"):
            _write_tables(run, folder)
        with step("writing the GeoPackage"):
            _write_geopackage(run, folder)
        backdrop, outline = run.backdrop(), outline_of(run)
        for number, name in enumerate(run.spec.output.maps):
            with step(f"drawing the map {name}"):
                stem = "map" if number == 0 else f"map_{name}"
                _write_maps(run, folder / stem, styles[name], backdrop, outline)
        if run.spec.uncertainty is not None:
            with step("drawing how sure the ranks are"):
                _write_ranks(run, folder / "ranks")
        if run.spec.targeting is not None:
            with step("writing the choice of areas"):
                grants = write_choice(run, folder)
                _write_designations(run, folder / "designations")
        _write_reach(run, folder, step)
        with step("writing the manifest"):
            manifest = _manifest(run, folder, grants)
        text = as_called(run, json.dumps({**manifest, "timings": timings}, indent=2, ensure_ascii=False)) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")
    return target


def _write_reach(run: Run, folder: Path, step: Callable[[str], Any]) -> None:
    for words, write in reach_steps(run):
        with step(words):
            write(run, folder)


# ---------------------------------------------------------------- tables


def _write_tables(run: Run, folder: Path) -> None:
    spec, language = run.spec, run.spec.language
    words = texts(language)
    ranking, figures = ranking_table(run), breakdown(run.index(), run.indicators())
    _write_index(run, ranking, figures, folder / INDEX_FILE)
    ranking["status"] = ranking["status"].map(words.statuses)
    labels = {domain.id: domain.label.to(language) for domain in spec.index.domains}
    headings, decimals = headings_of(run), decimals_of(run, ranking.columns)
    write_csv(
        folder / "ranking.csv",
        ranking,
        headings=headings,
        decimals=decimals,
        separator=spec.output.csv.separator,
        decimal=spec.output.csv.decimal,
    )
    shown = _readable(run, figures, labels)
    sheets = [
        Sheet(
            words["ranking_sheet"],
            ranking,
            headings,
            decimals,
            frozen=3,
            scale=scaled_columns(run),
            printed=len(ranking.columns) - 3,  # year, method and source stand at the foot of the page
            footer=f"{spec.title.to(language)} · {ranking['method'].iloc[0]} · {run.sources()}",
        ),
        standing_sheet(run),
        Sheet(
            words["indicators_sheet"],
            shown,
            {**headings, "denominator": words["base"], "reason": words["why_missing"]},
            {
                "value": 2,
                "numerator": 0,
                "denominator": 0,
                "children": 0,
                "minimum": 2,
                "maximum": 2,
                "spread": 2,
                "city": 2,
                "relative": score_decimals(spec.index),
                "contribution": 2,
                "above_city": 2,
            },
            frozen=2,
            printed=len(shown.columns) - 4,  # source, method, reason and year are for the screen
            footer=f"{spec.title.to(language)} · {spec.period} · {run.sources()}",
        ),
        *_extent_sheet(run),
        Sheet(words["notes_sheet"], _notes(run), widths=(38, 110)),
    ]
    write_workbook(folder / "ranking.xlsx", sheets, title=spec.title.to(language), date=spec.date)


def _readable(run: Run, figures: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Replace ids by labels, for people."""
    language, words = run.spec.language, texts(run.spec.language)
    names = {name: item.label.to(language) for name, item in run.indicators().definitions.items()}
    table = figures.drop(columns="weight")
    if run.indicators().parts is None:  # nothing was merged, so nothing stands behind a figure
        table = table.drop(columns=["children", "minimum", "maximum", "spread"])
    table.insert(1, "name", table["area_id"].map(run.areas()["name"]))
    table["domain"] = table["domain"].map(labels)
    table["indicator"] = table["indicator"].map(names)
    table["unit"] = table["unit"].map(words.unit)
    table["reason"] = table["reason"].map(words.why).fillna("")
    table["status"] = table["status"].map(words.statuses)
    table["method"] = table["method"].map(words.method)
    table["period"] = run.spec.period
    return table


def _extent_sheet(run: Run) -> list[Sheet]:
    """Write how large and scattered everything above the ranked areas is; no sheet where nothing is above."""
    words = texts(run.spec.language)
    found = [run.extent(name).reset_index().assign(level=name) for name in run.levels_above()]
    if not found:
        return []
    decimals = {"estates": 0, "homes": 0, "residents": 0, "area_km2": 3, "hull_km2": 3, "compactness": 2}
    decimals |= {"parts": 0, "largest_distance_m": 0, "standard_distance_m": 0}
    table = pd.concat(found, ignore_index=True)[["level", "area_id", "name", *decimals]]
    if table["homes"].isna().all():
        table = table.drop(columns="homes")
    return [Sheet(words["extent_sheet"], table, words.words, decimals, frozen=3)]


def _write_index(run: Run, ranking: pd.DataFrame, figures: pd.DataFrame, path: Path) -> None:
    """Write scores and the figures behind them as one long table, for analysis and for ``geoplan explain``."""
    language = run.spec.language
    labels = {name: item.label.to(language) for name, item in run.indicators().definitions.items()}
    labels |= {domain.id: domain.label.to(language) for domain in run.spec.index.domains}
    keys = ["area_id", "name"]
    if run.spec.targeting is not None:
        ranking = ranking.join(choice_columns(run), on="area_id")
    told = [name for name in _OF_AREAS if name in ranking]
    scores = ranking[[*keys, *told]].assign(
        component="index", id="score", value=ranking["score"], relative=ranking["score"]
    )
    domains = ranking.melt(
        id_vars=keys,
        value_vars=[domain.id for domain in run.spec.index.domains],
        var_name="id",
        value_name="relative",
    ).assign(component="domain", value=lambda table: table["relative"])
    single = figures.rename(columns={"indicator": "id"}).assign(component="indicator")
    single["name"] = single["area_id"].map(run.areas()["name"])
    single = single.join(stored_figures(run), on=["area_id", "id"]).join(stored_profile(run), on=["area_id", "id"])
    table = pd.concat([scores, domains, single], ignore_index=True)
    table["label"] = table["id"].map(labels)
    table["unit_label"] = table["unit"].map(texts(language).unit, na_action="ignore")
    table["period"] = run.spec.period
    table["level"] = run.spec.areas.level
    order = [
        *keys,
        "level",
        "period",
        "component",
        "domain",
        "id",
        "label",
        "unit",
        "unit_label",
        "value",
        "numerator",
        "denominator",
        "children",
        "minimum",
        "maximum",
        "spread",
        "used",
        "imputed",
        "used_in_base_year",
        "city",
        "relative",
        "weight",
        "contribution",
        "above_city",
        "profile_kind",
        "profile_clear",
        "profile_named",
        *dict.fromkeys([*_OF_AREAS, "status", "reason", "source", "method"]),
    ]
    table.reindex(columns=order).to_parquet(path, index=False)


def _notes(run: Run) -> pd.DataFrame:
    """Collect what a reader must know: conventions, sources, joins, defects of the areas, definitions."""
    language, words = run.spec.language, texts(run.spec.language)
    lines: list[tuple[str, str]] = [(run.spec.title.to(language), run.spec.note.to(language) if run.spec.note else "")]
    lines += [(words["date"], run.spec.date.isoformat()), ("geoplan", geoplan.__version__)]
    lines += [(f"certificate: {head}", text) for head, text in run.index().certificate.lines()]
    sure = run.uncertainty()
    if sure is not None:
        lines += [("certainty", sentence) for sentence in sure.lines([])]
    lines += [(words["profile_sheet"], sentence) for sentence in standing_notes(run)]
    lines += [("note", sentence) for sentence in (run.join_report().lines()[0], *run.notes())]
    lines += [("disagreement", sentence) for sentence in _disagreements(run)]
    for dataset in run.datasets:
        spec = dataset.spec
        note = f" {spec.note.to(language)}" if spec.note else ""
        text = f"{spec.title.to(language)}: {spec.source}, {spec.vintage}, {spec.licence}.{note}"
        lines.append((f"{words['source']}: {dataset.id}", text))
    for name in run.spec.index.indicators:
        item = run.indicators().definitions[name]
        base = item.base.to(language) if item.base else ""
        ages = "–".join(str(age) for age in dict.fromkeys(item.ages or ()))
        ages = f", {ages}" if ages and not re.search(r"\d", base) else ""
        breaks = f" Break: {', '.join(map(str, item.breaks))}." if item.breaks else ""
        text = f"{item.label.to(language)} ({words.unit(item.unit)}). N: {base}{ages}. {item.source or ''}.{breaks}"
        lines.append((f"{words['indicator']}: {name}", text))
    return pd.DataFrame(lines, columns=[words["notes_sheet"], ""])


def _disagreements(run: Run) -> list[str]:
    """Say where sources disagree, the largest first; the manifest counts those beyond the first."""
    shown = _told_disagreements(run)
    return [
        f"{row.indicator} of {row.area_id} {row.period}: {row.kept:.6g} ({row.kept_source}) counts, "
        f"not {row.other:.6g} ({row.other_source})"
        for row in shown.itertuples()
    ]


def _told_disagreements(run: Run) -> pd.DataFrame:
    """Return the disagreements that may be listed: to the public none, as a hidden figure may be among them."""
    return run.combination().disagreements.head(0 if run.spec.profile == "public" else _MOST_DISAGREEMENTS)


# ---------------------------------------------------------------- maps


def _write_geopackage(run: Run, folder: Path) -> None:
    frame = run.areas().join(ranking_table(run).set_index("area_id").drop(columns="name"))
    if run.spec.targeting is not None:
        frame["decision"] = decisions_of(run, run.chosen_rule())
    shown = run.map_spec().value
    values, style = run.style()
    if shown == "class":
        frame["class_number"], shown = values, "class_number"
    elif shown == "status_class":
        frame[shown] = values
    elif shown not in {"score", "dynamics", *run.index().domains}:
        shown = f"indicator_{shown}"  # an indicator may be called as a column is
        frame[shown] = values
    write_geopackage(folder / "areas.gpkg", frame, column=shown, style=style, date=run.spec.date)


def _write_maps(
    run: Run,
    stem: Path,
    styled: tuple[pd.Series, Any],
    backdrop: list[tuple[str, gpd.GeoDataFrame]],
    outline: gpd.GeoDataFrame | None,
) -> None:
    values, style = styled
    short, sides = ["rank", "population"], ["strengths", "weaknesses"]
    areas = run.areas().join(run.index().ranking[short]).join(shown_sides(run))
    with mpl.rc_context({"svg.hashsalt": "geoplan", "hatch.color": "#8f8f88", "hatch.linewidth": 0.7}):
        figure = plot(areas, values, style=style, backdrop=backdrop, outline=outline)
        for ending, options in SAVED.items():
            figure.savefig(stem.with_suffix(f".{ending}"), **options)
    page = explore(areas, values, style=style, tooltip=short, popup=sides, backdrop=backdrop, outline=outline)
    page.save(stem.with_suffix(".html"))


def _write_designations(run: Run, stem: Path) -> None:
    """Draw which areas the scenario's rule singles out."""
    with mpl.rc_context({"svg.hashsalt": "geoplan"}):
        figure = designation_map(run)
        for ending, options in SAVED.items():
            figure.savefig(stem.with_suffix(f".{ending}"), **options)


def _write_ranks(run: Run, stem: Path) -> None:
    """Draw the interval of every rank, in the formats of a map."""
    spec, sure = run.spec, run.uncertainty()
    assert sure is not None  # noqa: S101  the caller has seen to it
    figure = plot_ranks(
        sure.table,
        names=run.areas()["name"],
        top=sure.top,
        level=sure.level,
        draws=sure.draws,
        note=spec.note.to(spec.language) if spec.note else "",
        title=spec.title.to(spec.language),
        period=spec.period,
        source=run.sources(),
        language=spec.language,
    )
    with mpl.rc_context({"svg.hashsalt": "geoplan"}):
        for ending, options in SAVED.items():
            figure.savefig(stem.with_suffix(f".{ending}"), **options)


# ---------------------------------------------------------------- manifest


def _manifest(run: Run, folder: Path, grants: Mapping[str, Paid]) -> dict[str, Any]:
    """Describe the run so fully that it can be made again."""
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        raise OutputError(f"{folder}: the run wrote nothing")
    return {
        "geoplan": geoplan.__version__,
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "scenario": {
            "name": run.name,
            "title": run.spec.title.to(run.spec.language),
            "date": run.spec.date.isoformat(),
            "sha256": sha256_of(run.path),
            "text": run.path.read_text(encoding="utf-8"),
        },
        "seed": run.spec.seed,
        "language": run.spec.language,
        "inputs": [
            {
                "id": dataset.id,
                "file": dataset.shown,
                "sha256": sha256_of(dataset.path),
                "source": dataset.spec.source,
                "licence": dataset.spec.licence,
                "vintage": dataset.spec.vintage,
            }
            for dataset in run.datasets
        ],
        "certificate": run.index().certificate.to_dict(),
        **_certainty(run),
        **_choice(run),
        **({"grants": grant_record(grants)} if grants else {}),
        **stored_conventions(run),
        **({"access": run.reach.record()} if run.spec.access else {}),
        "notes": run.notes(),
        "disagreements": {
            "count": len(run.combination().disagreements),
            "largest": _told_disagreements(run).to_dict("records"),
        },
        **_protected(run),
        "outputs": {name: sha256_of(folder / name) for name in names},
    }


def _certainty(run: Run) -> dict[str, Any]:
    """Say what was drawn to see how sure the ranks are, and what failed."""
    sure = run.uncertainty()
    if sure is None:
        return {}
    told: dict[str, Any] = {"draws": sure.draws, "level": sure.level, "top": sure.top, "line": sure.line}
    told |= {"varied": dict(sure.varied), "without_noise": dict(sure.without_noise)}
    told["failed"] = sure.failed.to_dict("records")
    return {"uncertainty": told}


def _choice(run: Run) -> dict[str, Any]:
    """Say by which rules areas were chosen, and which they are."""
    told = {
        name: {
            "rule": found.rule.model_dump(mode="json", exclude_none=True),
            "certificate": dict(found.certificate),
            "chosen": found.chosen,
            "unknown": found.unknown,
            "nominated": found.nominated,
        }
        for name, found in run.selections().items()
    }
    return {"targeting": told} if told else {}


def _protected(run: Run) -> dict[str, Any]:
    """Say to whom the run may be shown, and by which rules figures were hidden or rounded."""
    if run.spec.profile == "internal":
        return {"profile": "internal"}
    found = run.protection()
    return {
        "profile": "public",
        "disclosure": {
            "rules": found.rules.model_dump(),
            "seed": found.seed,
            "figures": found.cells["why"].value_counts().sort_index().to_dict(),
            "attack": {"tried": found.attack.hidden, "worked_out": len(found.attack.recovered)},
        },
    }
