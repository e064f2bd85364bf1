"""The command line: words in, words out.

Bad input gives messages and exit code 2, never a traceback; Ctrl-C leaves no half output and exits with 130.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

import geoplan as gp
from geoplan.cli.access import access
from geoplan.cli.feed import feed
from geoplan.cli.reach import links, nodes, surface
from geoplan.cli.rules import rules
from geoplan.cli.telling import (
    PER_RULE,
    Interrupted,
    as_data,
    leader_of,
    number_text,
    plain_table,
    progress_shown,
    stderr,
    stdout,
    tell_against,
    tell_area,
    tell_check,
    tell_differences,
    tell_extent,
    tell_faults,
    tell_match,
    tell_run,
    tell_sheet,
    tell_sheets,
    title_of,
)
from geoplan.cli.times import times
from geoplan.errors import Fault, GeoplanError, InputError, SpecError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Planning toolkit for deprived urban areas: which areas, why, and a map of them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(rules, name="rules")
app.add_typer(feed, name="feed")
app.add_typer(times, name="times")
app.add_typer(access, name="access")
app.command()(nodes)
app.command()(links)
app.add_typer(surface, name="surface")
_BAD_INPUT, _INTERRUPTED = 2, 130


# ---------------------------------------------------------------- commands


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="A file in scenarios/, such as scenarios/baseline.toml")],
    out: Annotated[Path | None, typer.Option(help="The run folder; build/<name> when left out")] = None,
    profile: Annotated[
        Literal["internal", "public"] | None,
        typer.Option(help="public: only figures that have passed disclosure control; the scenario's own when left out"),
    ] = None,
) -> None:
    """Compute a scenario: index, ranked list, maps, files for QGIS and analysis."""
    opened = gp.open_run(scenario, profile=profile)
    if not scenario.is_file():
        stdout.print("[dim]There is no such file here; this is the sample that geoplan ships.[/]")
    earlier = title_of(out or Path("build") / opened.name)
    with progress_shown() as step:
        folder = gp.write_run(opened, out, on_step=step)
    if earlier and earlier != opened.spec.title.to(opened.spec.language):
        stdout.print(
            f"[dim]Note: this replaced an earlier run of another scenario: {escape(earlier)}.[/]", soft_wrap=True
        )
    tell_run(opened, folder)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The run folder")] = Path("build/demo"),
) -> None:
    """Run the main job on the embedded sample: the fictional town of Nordhamra."""
    run(gp.home() / "scenarios" / "baseline.toml", out)
    stdout.print(f"\nOpen [bold]{escape(str(out / 'map.html'))}[/] in a browser; it needs no internet.", soft_wrap=True)
    first = gp.explain_run(out, leader_of(out)).area["name"]
    stdout.print(f"Why an area scores so:  geoplan explain {escape(str(out))} '{escape(str(first))}'", soft_wrap=True)


@app.command()
def explain(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as build/demo")],
    area: Annotated[
        str | None, typer.Argument(help="The area's code or name; with --against it may be left out")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Another run of the same areas: what moved them since")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
) -> None:
    """Print why an area scores as it does, or what moved areas from another run to this one."""
    if against is not None:
        tell_against(folder, against, area, as_json)
        return
    if area is None:
        hint = "name one, by its code or name, or another run with --against"
        raise SpecError(Fault(what="no area is named", key="AREA", hint=hint))
    found = gp.explain_run(folder, area)
    if as_json:
        tables = {
            name: json.loads(getattr(found, name).to_json(orient="records")) for name in ("domains", "indicators")
        }
        sides = {"strengths": found.strengths, "weaknesses": found.weaknesses}
        told = {**found.area, "ranked": found.ranked, **sides, **tables}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    tell_area(found)


@app.command()
def check(
    project: Annotated[
        Path | None, typer.Argument(help="A folder with layers/, scenarios/ and maps/; here, or the sample")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 on the linter's notes, too")] = False,
    show_all: Annotated[bool, typer.Option("--all", help="Show long lists in full")] = False,
) -> None:
    """Find every fault in layers/, scenarios/ and maps/ at once, and figures that should be looked at."""
    here = Path.cwd()
    root = project or (here if (here / "layers").is_dir() else gp.home())
    with progress_shown() as step:
        report = gp.check_project(root, on_step=step)
    if as_json:
        typer.echo(json.dumps(as_data(report), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        tell_check(report, None if show_all else PER_RULE)
    if report.faults or (strict and report.findings):
        raise typer.Exit(_BAD_INPUT)


@app.command()
def indicators(
    indicator: Annotated[str | None, typer.Argument(metavar="[ID]", help="Print one indicator's sheet in full")] = None,
    layer: Annotated[str | None, typer.Option(help="Only this layer, such as nordhamra_indicators")] = None,
    registry: Annotated[str | None, typer.Option(help="Only this registry, such as sweden_core")] = None,
    language: Annotated[str, typer.Option(help="Language of labels and texts: sv, da or en")] = "en",
    differ: Annotated[
        bool, typer.Option("--differences", help="Print where definitions depart from a registry")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
) -> None:
    """Print the definition sheets of indicators: what they measure, of whom, from where, and who uses them."""
    from geoplan.run import find_sheets, read_sheets  # noqa: PLC0415  not part of the public surface
    from geoplan.show.texts import texts  # noqa: PLC0415  as above

    words = texts(language)
    here = Path.cwd()
    root = here if (here / "layers").is_dir() else gp.home()
    found = read_sheets(root, layer=layer, registry=registry, language=language)
    found = find_sheets(found, indicator) if indicator else found
    if as_json:
        typer.echo(json.dumps([sheet.to_dict() for sheet in found], ensure_ascii=False, indent=2, allow_nan=False))
    elif differ:
        tell_differences(found)
    elif indicator:
        for sheet in found:
            tell_sheet(sheet, words)
    else:
        tell_sheets(found, words)


@app.command()
def areas(
    scenario: Annotated[Path, typer.Argument(help="A file in scenarios/, such as scenarios/baseline.toml")],
    level: Annotated[
        str | None, typer.Option(help="Whose extent: a level, or a relation such as administered_by; all above if not")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
) -> None:
    """Print the levels of a scenario, how they nest, and how large and scattered its plans are."""
    from geoplan.run import describe_areas  # noqa: PLC0415  not part of the public surface

    found = describe_areas(gp.open_run(scenario), level)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2, allow_nan=False))
        return
    levels = plain_table("level", "areas", "km²")
    for name, row in found.levels.iterrows():
        levels.add_row(escape(str(name)), f"{row['areas']:,.0f}", number_text(row["km2"], 2))
    stdout.print(levels)
    for tie, report in found.nesting.items():
        lines = report.lines() or ["nests: no gaps, no overlaps, nothing outside its parent"]
        stdout.print(f"\n[bold]{escape(str(tie))}[/]", soft_wrap=True)
        for line in lines:
            stdout.print(f"  {escape(line)}.", soft_wrap=True)
    for name, table in found.extents.items():
        tell_extent(name, table, found.made_of.get(name))


@app.command()
def layers(file: Annotated[Path, typer.Argument(help="A file of polygons, lines or points")]) -> None:
    """List the layers of a file, and the formats this installation reads."""
    from geoplan.sources import formats  # noqa: PLC0415  reading drivers is slow, and only this command does

    for name in gp.sources.list_layers(file):
        stdout.print(escape(name), soft_wrap=True)
    stdout.print(f"[dim]formats read: {', '.join(f'{ending} ({driver})' for ending, driver in formats().items())}[/]")


@app.command()
def schemas(
    folder: Annotated[Path, typer.Argument(help="Where to write them")] = Path("docs/schemas"),
) -> None:
    """Write the JSON Schemas of layers/, scenarios/ and maps/ files, for editors."""
    from geoplan.specs import json_schemas  # noqa: PLC0415  not part of the public surface

    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in json_schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")
        stdout.print(escape(str(folder / f"{name}.schema.json")), soft_wrap=True)


@app.command()
def match(
    table: Annotated[Path, typer.Argument(help="A table with a column of names")],
    layer: Annotated[str, typer.Argument(help="The areas: a layer of the project, or a file of polygons")],
    column: Annotated[str, typer.Option(help="The column of names")],
    municipality: Annotated[str | None, typer.Option(help="The column of municipalities")] = None,
    aliases: Annotated[list[str] | None, typer.Option(help="A layer of aliases; may be given again")] = None,
    on: Annotated[str | None, typer.Option(help="The year or date the names are meant in, for renames")] = None,
    name_column: Annotated[str | None, typer.Option(help="A file of polygons: its column of names")] = None,
    id_column: Annotated[str | None, typer.Option(help="A file of polygons: its column of codes")] = None,
    out: Annotated[Path | None, typer.Option(help="Write which area each row means to this CSV file")] = None,
) -> None:
    """Find the area that each name of a table means, and say which ones to look at."""
    from geoplan.run import match_table, write_matches  # noqa: PLC0415  not part of the public surface

    root = Path.cwd() if Path("layers").is_dir() else gp.home()
    columns = {"name_column": name_column, "id_column": id_column}
    found = match_table(
        root, table, layer, column=column, municipality=municipality, aliases=aliases or [], on=on, **columns
    )
    tell_match(found)
    if out:
        write_matches(found, out)
        stdout.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        stdout.print(f"geoplan {gp.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    del version  # the callback has dealt with it


# ---------------------------------------------------------------- entry


def _interrupt(*_: object) -> None:
    raise Interrupted


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except Interrupted as stop:
        stderr.print(escape(stop.words))
        sys.exit(_INTERRUPTED)
    except InputError as error:
        tell_faults(error.faults)
        sys.exit(_BAD_INPUT)
    except GeoplanError as error:
        stderr.print(f"[bold]geoplan cannot go on:[/] {escape(str(error))}")
        sys.exit(_BAD_INPUT)
