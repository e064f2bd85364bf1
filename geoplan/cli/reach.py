"""``geoplan nodes``, ``geoplan links`` and ``geoplan surface``: places that can grow, what parts districts, rasters."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from geoplan.cli.feed import AsJson
from geoplan.cli.telling import number_text, plain_table, progress_shown, stdout
from geoplan.cli.times import by_options
from geoplan.errors import Fault, Faults, OutputError, SpecError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

__all__ = ["links", "nodes", "surface"]

surface = typer.Typer(no_args_is_help=True, help="Rasters: density of points, statistics of areas, contour lines.")
_SHOWN = 12
_TIF, _LINES = (".tif", ".tiff"), (".gpkg", ".geojson")
_RASTERS = (".tif", ".tiff", ".vrt", ".img", ".asc")
_UNDATED = "not stated"

Profile = Annotated[Literal["internal", "public"] | None, typer.Option(help="public: without areas where too few live")]
OutFolder = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write workbook, GeoPackage and maps there")]
ShowAll = Annotated[bool, typer.Option("--all", help="Show all of them")]
LayerName = Annotated[str | None, typer.Option(help="The layer of a file that has several")]
Band = Annotated[int, typer.Option(min=1, help="The band of a raster")]


# ---------------------------------------------------------------- scenarios


def nodes(
    scenario: Annotated[Path, typer.Argument(help="A file in scenarios/ with a table [nodes]")],
    out: OutFolder = None,
    profile: Profile = None,
    show_all: ShowAll = False,
    as_json: AsJson = False,
) -> None:
    """Rank places that could grow into strategic nodes: why, how sure, and whom they would serve."""
    import geoplan as gp  # noqa: PLC0415  the rest of the command line does without
    from geoplan.run.node_outputs import node_table, strategic_nodes_of, write_nodes  # noqa: PLC0415  slow
    from geoplan.run.reach_files import hidden_where_few, least_shown  # noqa: PLC0415  as above

    _must_be_folder(out)
    run = gp.open_run(scenario, profile=profile)
    with progress_shown() as step:
        step("looking around the candidates")
        plan = strategic_nodes_of(run)
        if out:
            step("writing")
            _into(out, lambda folder: write_nodes(run, folder, plan))
    table = hidden_where_few(node_table(plan), ["residents"], least_shown(run))
    if as_json:
        _json({"nodes": _records(table), "notes": plan.lines(0), "written": str(out) if out else None})
        return
    told = plain_table("place", "kind", "carried by", "rank", "rank in 90 %", "points", "chosen", "serves", left=3)
    for row in table.head(len(table) if show_all else _SHOWN).to_dict("records"):
        told.add_row(
            escape(row["name"]), escape(row["kinds"]), escape(_carried(row)), number_text(row["rank"], 0),
            f"{row['rank_low']:.0f}–{row['rank_high']:.0f}" if row["rank_low"] == row["rank_low"] else "–",
            number_text(row["score"]), "yes" if row["chosen"] else "", number_text(row["residents"], 0),
        )  # fmt: skip
    _tell(told, len(table), plan.lines(0), out, show_all=show_all)


def links(
    scenario: Annotated[Path, typer.Argument(help="A file in scenarios/ with a table [links]")],
    out: OutFolder = None,
    profile: Profile = None,
    show_all: ShowAll = False,
    as_json: AsJson = False,
) -> None:
    """Tell which neighbouring districts are far apart on foot, what parts them, and what a crossing would do."""
    import geoplan as gp  # noqa: PLC0415  as above
    from geoplan.run.link_outputs import link_table, links_of, write_links  # noqa: PLC0415  as above
    from geoplan.run.reach_files import hidden_where_few, least_shown  # noqa: PLC0415  as above

    _must_be_folder(out)
    run = gp.open_run(scenario, profile=profile)
    with progress_shown() as step:
        step("looking for ways between districts")
        plan = links_of(run)
        if out:
            step("writing")
            _into(out, lambda folder: write_links(run, folder, plan))
    table, notes = link_table(plan), [] if least_shown(run) else plan.lines()
    if as_json:
        found = {"pairs": _records(table), "crossings": [], "notes": notes, "written": str(out) if out else None}
        if plan.effects is not None:
            frame = hidden_where_few(plan.effects.frame, ["people", "people_a", "people_b"], least_shown(run))
            found["crossings"] = _records(frame.drop(columns="geometry").reset_index())
        _json(found)
        return
    told = plain_table("district", "and", "parted by", "detour", "walk min", "pairs of people", "crossings",
                       "index apart", left=3)  # fmt: skip
    for row in table.head(len(table) if show_all else _SHOWN).to_dict("records"):
        told.add_row(
            escape(row["name_a"]), escape(row["name_b"]), escape(row["cause"]), number_text(row["people_detour"], 2),
            number_text(row["people_walk_min"]), number_text(row["people_pairs"], 0),
            number_text(row["crossings"], 0), number_text(row["index_difference"]),
        )  # fmt: skip
    _tell(told, len(table), notes, out, show_all=show_all)


def _carried(row: dict[str, Any]) -> str:
    """Return the themes that carry a place, the strongest first."""
    points = {name.removeprefix("theme_"): value for name, value in row.items() if name.startswith("theme_")}
    known = sorted((item for item in points.items() if item[1] == item[1]), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:.0f}" for name, value in known[:3])


def _tell(table: Any, many: int, notes: list[str], out: Path | None, *, show_all: bool) -> None:
    stdout.print(table)
    if many > _SHOWN and not show_all:
        stdout.print(f"[dim]{many - _SHOWN} more with --all.[/]")
    for sentence in notes:
        stdout.print(f"[dim]Note: {escape(sentence.rstrip('.'))}.[/]", soft_wrap=True)
    _tell_written(out)


# ---------------------------------------------------------------- surfaces


@surface.command()
def density(
    file: Annotated[Path, typer.Argument(help="Points (.gpkg, .geojson …), or a raster of counts (.tif)")],
    out: Annotated[Path, typer.Option(help="Write the raster: .tif, a Cloud-Optimised GeoTIFF")],
    unit: Annotated[str, typer.Option(help="What is counted: persons, jobs, events")],
    layer: LayerName = None,
    weight: Annotated[str | None, typer.Option(help="The column of how many there are at a point; one each")] = None,
    bandwidth: Annotated[float, typer.Option(help="How far a point is felt, metres")] = 500,
    cell: Annotated[float, typer.Option(help="Side of a cell, metres")] = 100,
    kernel: Annotated[Literal["quartic", "gaussian", "epanechnikov"], typer.Option(help="The kernel")] = "quartic",
    within: Annotated[Path | None, typer.Option(help="Polygons in which people can be, for the edge")] = None,
    within_layer: Annotated[str | None, typer.Option(help="The layer of that file")] = None,
    band: Band = 1,
    source: Annotated[str | None, typer.Option(help="Whose figures; the file's name when left out")] = None,
    date: Annotated[str, typer.Option(help="Of when they are")] = _UNDATED,
    as_json: AsJson = False,
) -> None:
    """Spread points, or the counts of a raster, to a surface of their density per km²."""
    from geoplan.reach import kernel_density, open_raster  # noqa: PLC0415  slow, and only these commands need it
    from geoplan.run.travelling import must_be_writable  # noqa: PLC0415  as above

    must_be_writable(out, _TIF, key="--out")
    with progress_shown() as step, by_options():
        step("reading the points")
        is_raster = file.suffix.lower() in _RASTERS
        points: Any = open_raster(file, band=band, unit=unit, metric=True) if is_raster else _vector(file, layer)
        land = _vector(within, within_layer) if within else None
        step("spreading them")
        found = kernel_density(
            points, bandwidth_m=bandwidth, unit=unit, weight=weight, kernel=kernel, cell_m=cell, within=land,
            title=f"{file.stem}, density", path=out, source=source or file.name, date=date,
        )  # fmt: skip
    lattice = found.lattice
    if as_json:
        told = {"rows": lattice.rows, "columns": lattice.columns, "unit": found.unit, "notes": list(found.notes)}
        _json({**told, "written": str(out)})
        return
    size = f"{lattice.rows:,} × {lattice.columns:,} cells of {lattice.width:g} m"
    stdout.print(f"{escape(found.unit)}: {size}.", soft_wrap=True)
    for sentence in found.notes:
        stdout.print(f"[dim]Note: {escape(sentence.rstrip('.'))}.[/]", soft_wrap=True)
    _tell_written(out)


@surface.command()
def zonal(
    raster: Annotated[Path, typer.Argument(help="A raster (.tif)")],
    areas: Annotated[Path, typer.Argument(help="Areas: .gpkg, .geojson …")],
    layer: LayerName = None,
    id_column: Annotated[str | None, typer.Option("--id", help="The areas' column of ids; 'area_id' or 'id'")] = None,
    weights: Annotated[Path | None, typer.Option(help="A raster of what cells count for, such as residents")] = None,
    minimum_coverage: Annotated[
        float, typer.Option(min=0, max=1, help="Part of an area, 0-1, that has to lie on the raster")
    ] = 0.8,
    band: Band = 1,
    out: Annotated[Path | None, typer.Option(help="Write the table: .csv")] = None,
    show_all: ShowAll = False,
    as_json: AsJson = False,
) -> None:
    """Summarise the cells of a raster in each area, each by the exact part of it that the area covers."""
    from geoplan.reach import open_raster, zonal_statistics  # noqa: PLC0415  as above
    from geoplan.run.folder import atomic_file  # noqa: PLC0415  as above
    from geoplan.run.travelling import must_be_writable  # noqa: PLC0415  as above
    from geoplan.show import write_csv  # noqa: PLC0415  as above

    must_be_writable(out, (".csv",), key="--out")
    with progress_shown() as step, by_options():
        step("reading the areas")
        frame = _with_ids(_vector(areas, layer), id_column, areas)
        weighing = open_raster(weights) if weights else None
        step("summing cells")
        found = zonal_statistics(
            open_raster(raster, band=band), frame, weights=weighing, minimum_coverage=minimum_coverage
        )
    if out:
        with atomic_file(out) as target:
            write_csv(target, found.reset_index())
    if as_json:
        _json({"areas": _records(found.reset_index()), "written": str(out) if out else None})
        return
    figures = [name for name in ("sum", "mean", "weighted_mean", "min", "max") if name in found]
    table = plain_table("area", *figures, "on the raster", "status")
    for code, row in found.head(len(found) if show_all else _SHOWN).iterrows():
        numbers = [number_text(row[name], 2) for name in figures]
        table.add_row(escape(str(code)), *numbers, f"{100 * row['coverage']:.0f} %", escape(str(row["status"])))
    _tell(table, len(found), [], out, show_all=show_all)


@surface.command()
def contours(
    raster: Annotated[Path, typer.Argument(help="A raster (.tif)")],
    out: Annotated[Path, typer.Option(help="Write lines or polygons: .gpkg or .geojson")],
    level: Annotated[list[float] | None, typer.Option(help="A level, in the raster's unit; may be given again")] = None,
    filled: Annotated[bool, typer.Option("--filled", help="Ground between the levels in place of lines")] = False,
    band: Band = 1,
    as_json: AsJson = False,
) -> None:
    """Draw lines of equal value, or the ground between one level and the next."""
    from geoplan import reach  # noqa: PLC0415  as above
    from geoplan.run.travelling import must_be_writable  # noqa: PLC0415  as above

    must_be_writable(out, _LINES, key="--out")
    if not level:
        raise SpecError(Fault(what="no level is given", key="--level", hint="--level 1000 --level 2000"))
    with progress_shown() as step, by_options():
        step("drawing contours")
        found = reach.contours(reach.open_raster(raster, band=band), sorted(set(level)), filled=filled)
        if found.empty:
            what = "the raster does not come to any of the levels"
            raise SpecError(Fault(what=what, key="--level", expected="levels between its lowest and highest value"))
        _write_shapes(found, out)
    columns = [name for name in found if name != "geometry"]
    if as_json:
        _json({"levels": _records(found[columns]), "written": str(out)})
        return
    measure = "km²" if filled else "km"
    table = plain_table(*columns, measure, left=0)
    sizes = found.area / 1e6 if filled else found.length / 1e3
    for row, size in zip(found[columns].itertuples(index=False), sizes, strict=True):
        table.add_row(*(f"{value:g}" for value in row), number_text(size, 2))
    stdout.print(table)
    _tell_written(out)


# ---------------------------------------------------------------- files


def _vector(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    from geoplan.sources import read_vector  # noqa: PLC0415  as above

    with Faults.located_at(path.name):
        return read_vector(path, layer)


def _with_ids(frame: gpd.GeoDataFrame, column: str | None, path: Path) -> gpd.GeoDataFrame:
    """Return areas with their codes as the index; a row's number where no column is one of codes."""
    from geoplan import checks  # noqa: PLC0415  as above

    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    found = column or next((name for name in ("area_id", "id", "code") if name in names), None)
    if found is None:
        return frame
    absent = checks.absent_columns([found] if found not in names else [], names, key="--id")
    if absent:
        raise SpecError(fault for error in absent for fault in error.faults).located(file=path.name)
    ids = frame[found].astype(str)
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        what = f"{len(twice)} code(s) stand at more than one area: {checks.listed(twice)}"
        raise SpecError(Fault(what=what, file=path.name, key="--id", expected="a code of its own for every area"))
    return frame.set_axis(ids.tolist())


def _write_shapes(frame: gpd.GeoDataFrame, out: Path) -> None:
    import datetime as dt  # noqa: PLC0415  as above

    from geoplan.run.folder import atomic_file  # noqa: PLC0415  as above
    from geoplan.show import write_layers  # noqa: PLC0415  as above

    with atomic_file(out) as target:
        target.unlink(missing_ok=True)  # only the name was wanted
        if out.suffix.lower() == ".gpkg":
            day = dt.date(1970, 1, 1)  # the same command, the same bytes
            write_layers(target, {"contours": frame.rename_axis("contour_id")}, date=day)
        else:
            target.write_text(frame.to_crs(4326).to_json(drop_id=True) + "\n", encoding="utf-8")


def _must_be_folder(out: Path | None) -> None:
    if out is not None and out.exists() and not out.is_dir():
        raise OutputError(f"{out}: this is a file. Expected: a folder. Hint: choose another with --out")


def _into(out: Path, write: Callable[[Path], None]) -> None:
    """Write files beside a folder, and put them into it when all are whole; what else is there stays."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".geoplan-", suffix=".partial", dir=out))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{out}: the folder cannot be written ({reason}). Hint: choose another with --out") from error
    try:
        write(work)
        for path in sorted(work.iterdir()):
            path.replace(out / path.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    return found


def _json(told: dict[str, Any]) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))


def _tell_written(out: Path | None) -> None:
    if out:
        stdout.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)
