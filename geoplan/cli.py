"""The command line: words in, words out.

Bad input gives messages and exit code 2, never a traceback; Ctrl-C leaves no half output and exits with 130.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import geoplan as gp
from geoplan.errors import Fault, GeoplanError, InputError, SpecError

if TYPE_CHECKING:
    from geoplan.places import NameMatch
    from geoplan.run import CheckReport

__all__ = ["app", "main"]

app = typer.Typer(
    help="Planning toolkit for deprived urban areas: which areas, why, and a map of them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
_PIPED_WIDTH = 110  # a file or a pipe has no width of its own; tables need room for long Swedish words
_out = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
_err = Console(stderr=True, highlight=False, soft_wrap=True)
_BAD_INPUT, _INTERRUPTED = 2, 130
_SHOWN = 10
_MATCHES_SHOWN = 40
_PER_RULE = 5


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
        _out.print("[dim]There is no such file here; this is the sample that geoplan ships.[/]")
    earlier = _title_of(out or Path("build") / opened.name)
    with _progress() as step:
        folder = gp.write_run(opened, out, on_step=step)
    if earlier and earlier != opened.spec.title.to(opened.spec.language):
        _out.print(
            f"[dim]Note: this replaced an earlier run of another scenario: {escape(earlier)}.[/]", soft_wrap=True
        )
    _tell_run(opened, folder)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The run folder")] = Path("build/demo"),
) -> None:
    """Run the main job on the embedded sample: the fictional town of Nordhamra."""
    run(gp.home() / "scenarios" / "baseline.toml", out)
    _out.print(f"\nOpen [bold]{escape(str(out / 'map.html'))}[/] in a browser; it needs no internet.", soft_wrap=True)
    first = gp.explain_run(out, _leader(out)).area["name"]
    _out.print(f"Why an area scores so:  geoplan explain {escape(str(out))} '{escape(str(first))}'", soft_wrap=True)


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
        _tell_against(folder, against, area, as_json)
        return
    if area is None:
        hint = "name one, by its code or name, or another run with --against"
        raise SpecError(Fault(what="no area is named", key="AREA", hint=hint))
    found = gp.explain_run(folder, area)
    if as_json:
        tables = {
            name: json.loads(getattr(found, name).to_json(orient="records")) for name in ("domains", "indicators")
        }
        told = {**found.area, "ranked": found.ranked, **tables}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    _tell_area(found)


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
    with _progress() as step:
        report = gp.check_project(root, on_step=step)
    if as_json:
        typer.echo(json.dumps(_as_data(report), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _tell_check(report, None if show_all else _PER_RULE)
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
        _tell_differences(found)
    elif indicator:
        for sheet in found:
            _tell_sheet(sheet, words)
    else:
        _tell_sheets(found, words)


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
    levels = _table("level", "areas", "km²")
    for name, row in found.levels.iterrows():
        levels.add_row(escape(str(name)), f"{row['areas']:,.0f}", _number(row["km2"], 2))
    _out.print(levels)
    for tie, report in found.nesting.items():
        lines = report.lines() or ["nests: no gaps, no overlaps, nothing outside its parent"]
        _out.print(f"\n[bold]{escape(str(tie))}[/]", soft_wrap=True)
        for line in lines:
            _out.print(f"  {escape(line)}.", soft_wrap=True)
    for name, table in found.extents.items():
        _tell_extent(name, table, found.made_of.get(name))


@app.command()
def layers(file: Annotated[Path, typer.Argument(help="A file of polygons, lines or points")]) -> None:
    """List the layers of a file, and the formats this installation reads."""
    from geoplan.sources import formats  # noqa: PLC0415  reading drivers is slow, and only this command does

    for name in gp.sources.list_layers(file):
        _out.print(escape(name), soft_wrap=True)
    _out.print(f"[dim]formats read: {', '.join(f'{ending} ({driver})' for ending, driver in formats().items())}[/]")


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
        _out.print(escape(str(folder / f"{name}.schema.json")), soft_wrap=True)


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
    _tell_match(found)
    if out:
        write_matches(found, out)
        _out.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        _out.print(f"geoplan {gp.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    del version  # the callback has dealt with it


# ---------------------------------------------------------------- words out


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the step under way on a terminal; say nothing where nobody looks."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda words: progress.update(task, description=escape(words))


def _table(*headings: str, left: int = 1) -> Table:
    """Return a plain table whose first columns are text and whose others are numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right", overflow="fold")
    return table


def _tell_run(opened: gp.Run, folder: Path) -> None:
    from geoplan.run import decimals_of, ranking_table  # noqa: PLC0415  not part of the public surface

    certificate = opened.index().certificate
    ranking, sure = ranking_table(opened), opened.uncertainty()
    _out.print(f"[bold]{escape(opened.spec.title.to(opened.spec.language))}[/]", soft_wrap=True)
    rest = ["rest of city"] if "score_rest" in ranking else []
    between = [f"in {100 * sure.level:g} of 100"] if sure else []
    classed = ["class"] if "class" in ranking else []
    table = _table("area", "code", "rank", *between, *classed, "index", *rest, "residents", left=2)
    count = f"{certificate.ranked} area{'s' if certificate.ranked != 1 else ''} ranked"
    decimals = decimals_of(opened, ["score"])["score"]
    for _, row in ranking.dropna(subset="rank").head(_SHOWN).iterrows():
        table.add_row(
            escape(str(row["name"])),
            f"[dim]{escape(str(row['area_id']))}[/]",
            f"{row['rank']}",
            *([f"{row['rank_low']}–{row['rank_high']}"] if sure else []),
            *([escape(row["class"])] if classed else []),
            _number(row["score"], decimals),
            *([_number(row["score_rest"])] if rest else []),
            _number(row["population"], 0),
        )
    _out.print(table)
    hundred = f"; 100 = {escape(certificate.reference)}" if rest else f"; {escape(certificate.method)}"
    _out.print(f"{count}, {certificate.excluded} listed without a rank{hundred}.", soft_wrap=True)
    if sure:
        _out.print(f"[dim]{escape('. '.join(sure.lines([])))}.[/]", soft_wrap=True)
    for line in opened.notes():
        _out.print(f"[dim]Note: {escape(line)}.[/]", soft_wrap=True)
    _out.print(f"[dim]Source: {escape(opened.sources())}.[/]", soft_wrap=True)
    files = ", ".join(sorted(path.name for path in folder.iterdir()))
    _out.print(f"Written to [bold]{escape(str(folder))}[/]: {files}", soft_wrap=True)


def _tell_check(report: CheckReport, most: int | None) -> None:
    """Print faults first, then notes by file; of each rule no more than ``most`` in a file."""
    if report.faults:
        _tell_faults(report.faults, most)
    for name, note in report.notes:
        _out.print(f"[dim]{escape(name)}:[/] {escape(note)}.", soft_wrap=True)
    for file in dict.fromkeys(item.file for item in report.findings):
        own = [item for item in report.findings if item.file == file]
        _out.print(f"[dim]{escape(str(file))}:[/] {_count(len(own), 'note')} of the linter", soft_wrap=True)
        for line in _cut([replace(item, file=None) for item in own], most):
            _out.print(f"  {escape(line)}", soft_wrap=True)
    if not report.faults:
        besides = f", {_count(len(report.findings), 'note')} of the linter" if report.findings else ""
        _out.print(f"{len(report.checked)} files checked, no faults{besides}.")


def _tell_faults(faults: Sequence[Fault], most: int | None = None) -> None:
    _err.print(f"[bold]geoplan found {_count(len(faults), 'fault')}:[/]")
    for line in _cut(faults, most):
        _err.print(f"  {escape(line)}")


def _cut(faults: Sequence[Fault], most: int | None) -> list[str]:
    """Word faults, and after the first few of the linter's with the same rule and file only their number."""
    groups: dict[object, list[str]] = {}
    for place, item in enumerate(faults):
        kind = getattr(item, "kind", None)
        groups.setdefault((item.file, kind) if kind else place, []).append(str(item))
    lines = []
    for key, own in groups.items():
        lines += own[:most]
        rest = len(own) - len(own[:most])
        if rest:
            file, kind = key if isinstance(key, tuple) else (None, None)
            lines.append(f"{f'{file}: ' if file else ''}and {rest:,} more [{kind}]; --all shows them")
    return lines


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' if number != 1 else ''}"


def _as_data(report: CheckReport) -> dict[str, Any]:
    """Return a check's result as JSON holds it."""
    return {
        "checked": report.checked,
        "faults": [{"severity": "fault", "kind": None, **asdict(item)} for item in report.faults],
        "notes": [{"file": name, "what": note} for name, note in report.notes],
        "findings": [asdict(item) for item in report.findings],
    }


def _title_of(folder: Path) -> str | None:
    """Return the title of the run that lies in a folder."""
    try:
        return str(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["scenario"]["title"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _tell_match(found: NameMatch) -> None:
    """Print the names that are not written as the areas are, then the report in sentences."""
    table = _table("name", "row", "area", "how", "it may be", left=5)
    unlike = found.distinct[~found.distinct["how"].isin(("exact", "code", "normalised"))]
    for row in unlike.head(_MATCHES_SHOWN).itertuples():
        name = f"{row.name}, {row.municipality}" if row.municipality else row.name
        table.add_row(*(escape(str(cell)) for cell in (name, row.row, row.area, row.how, ", ".join(row.suggestions))))
    if len(unlike):
        _out.print(table)
    if len(unlike) > _MATCHES_SHOWN:
        _out.print(f"[dim]… and {len(unlike) - _MATCHES_SHOWN} more; --out writes them all[/]")
    for line in found.lines():
        _out.print(f"{escape(line)}.", soft_wrap=True)


def _leader(folder: Path) -> str:
    outputs = gp.read_table(folder / "index.parquet")
    return str(outputs.loc[outputs["rank"] == 1, "area_id"].iloc[0])


_EXTENT = {  # heading and decimals; in two lines, so that all fit a terminal of 80 columns
    "estates": ("areas", 0),
    "homes": ("homes", 0),
    "residents": ("people", 0),
    "area_km2": ("km²", 2),
    "hull_km2": ("hull\nkm²", 2),
    "compactness": ("com-\npact", 2),
    "parts": ("parts", 0),
    "largest_distance_m": ("apart\nm", 0),
    "standard_distance_m": ("std\ndist m", 0),
}


def _tell_extent(level: str, table: Any, made_of: str | None) -> None:
    made = f", each made of its areas of level {made_of}" if made_of else ""
    _out.print(f"\n[bold]Extent: {escape(level)}[/]{escape(made)}", soft_wrap=True)
    named = ["name"] if (table["name"] != table.index).any() else []
    counted = [name for name in _EXTENT if name != "homes" or table["homes"].notna().any()]
    shown = _table("code", *named, *(_EXTENT[name][0] for name in counted), left=1 + len(named))
    shown.padding = (0, 1, 0, 0)
    for column in shown.columns:
        column.no_wrap = column.header != "name"  # names give way, figures never
    for code, row in table.iterrows():
        numbers = (_number(row[name], _EXTENT[name][1]) for name in counted)
        shown.add_row(escape(str(code)), *(escape(str(row[name])) for name in named), *numbers)
    _out.print(shown)


def _tell_area(found: Any) -> None:
    area, manifest = found.area, found.manifest
    title = f"{area['level']}, {area['period']} · {manifest['scenario']['title']}"
    _out.print(f"[bold]{escape(area['name'])}[/] ({escape(area['area_id'])}), {escape(title)}", soft_wrap=True)
    _out.print(_verdict(area, found.ranked, manifest["certificate"]["reference"]))
    domains = _table("domain", "index", "points from 100")
    for row in found.domains.itertuples():
        domains.add_row(escape(row.label), _number(row.relative), _signed(row.above_city))
    merged = found.indicators["children"].notna().any()
    behind = ["lowest–highest (areas)"] if merged else []
    indicators = _table("indicator", "value", *behind, "city", "N", "=100", "points", "note")
    for row in found.indicators.itertuples():
        unused = math.isnan(row.relative) and not math.isnan(row.value)
        note = "base too small" if unused else "" if row.status == "observed" else row.status.replace("_", " ")
        indicators.add_row(
            escape(row.label),
            f"{_number(row.value)} {escape(row.unit_label)}",
            *([_behind(row)] if merged else []),
            _number(row.city),
            _number(row.denominator, 0),
            _number(row.relative),
            _signed(row.above_city),
            note,
        )
    for table in (domains, indicators):
        _out.print()
        _out.print(table)
    certificate = manifest["certificate"]
    sources = "; ".join(dict.fromkeys(item["source"] for item in manifest["inputs"]))
    _out.print(
        f"\n[dim]=100: against the city, higher is worse; points: what it adds to the score's distance from 100. "
        f"{'lowest–highest: of the smallest areas behind the figure, their number in brackets. ' if merged else ''}"
        f"{certificate['method']}: {certificate['formula']}. Missing: {certificate['missing']}. "
        f"Source: {escape(sources)}.[/]"
    )


def _tell_against(folder: Path, against: Path, area: str | None, as_json: bool) -> None:
    from geoplan.run.against import compare_runs  # noqa: PLC0415  not part of the public surface

    found = compare_runs(folder, against, area)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2, allow_nan=False))
        return
    for block in found.blocks():
        if isinstance(block, str):
            _out.print(escape(block))
            continue
        table = _table(*block.headings, left=block.left)
        for row in block.rows:
            table.add_row(*map(escape, row))
        _out.print(table)


def _tell_sheets(found: list[Any], words: Any) -> None:
    """Print a table of indicators for each file."""
    for file, group in groupby(found, key=lambda sheet: sheet.file):
        table = _table("indicator", "label", "unit", "worse\nwhen", "definition", left=5)
        for number in (0, 2, 3, 4):
            table.columns[number].no_wrap = True  # labels give way
        for domain, sheets in groupby(group, key=lambda sheet: sheet.spec.domain):
            table.add_row(f"[dim]{domain or 'no domain'}[/]")
            for sheet in sheets:
                spec = sheet.spec
                worse = {"higher_is_worse": "higher", "higher_is_better": "lower"}.get(spec.direction, "–")
                label = escape(spec.label.to(words.language))
                table.add_row(spec.id, label, escape(words.unit(spec.unit)), worse, sheet.scope)
        _out.print(f"[bold]{escape(file)}[/]")
        _out.print(table)
        _out.print()
    _out.print(
        "[dim]national: as the shared registry defines it; adapted: with another base, unit … ; local: only here. "
        "One sheet in full: geoplan indicators ID. What differs: geoplan indicators --differences[/]",
        soft_wrap=True,
    )


def _tell_sheet(sheet: Any, words: Any) -> None:
    """Print one definition in full, with the registries it stands on and whatever uses it."""
    language = words.language
    fields = gp.sheets([sheet.spec], language).iloc[0].drop(["label", "difference"])
    fields["unit"], fields["direction"] = words.unit(fields["unit"]), fields["direction"].replace("_", " ")
    told = {name.replace("_", " "): text for name, text in fields.items() if text}
    told["goals"] = "; ".join(goal.label.to(language) for goal in sheet.goals)
    told["phases"] = "; ".join(f"{version}: {domain}" for version, domain in sheet.phases)
    told["layers"] = ", ".join(sheet.layers)
    told["scenarios"] = "; ".join(f"{name} ({domain or 'read, not ranked'})" for name, domain in sheet.scenarios)
    stands = " → ".join((sheet.file, *sheet.registries))
    _out.print(f"[bold]{escape(sheet.spec.label.to(language))}[/] ({sheet.spec.id})", soft_wrap=True)
    _out.print(f"[dim]{escape(stands)} · {sheet.scope}[/]", soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, text in told.items():
        table.add_row(f"[dim]{name}[/]", escape(text) or "–")
    _out.print(table)
    _out.print()
    _tell_differences([sheet])


def _tell_differences(found: list[Any]) -> None:
    """Print where definitions depart from the registry they stand on, each departure once."""
    rows = list(dict.fromkeys(row for sheet in found for row in sheet.differences.itertuples(index=False)))
    for (file, registry), group in groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[:2]):
        table = _table("indicator", "field", f"in {registry}", f"in {file}", "why", left=5)
        table.columns[0].no_wrap = True
        filled, told = [], ""
        for row in group:
            if row.change == "filled":
                filled.append(row.field)
                continue
            here = "[dim]defined only here[/]" if row.change == "local" else escape(row.local) or "[dim]none[/]"
            why = "" if row.indicator == told else escape(row.reason)
            table.add_row("" if row.indicator == told else row.indicator, row.field, escape(row.core) or "–", here, why)
            told = row.indicator
        if table.row_count:
            _out.print(table)
        if filled:
            names = ", ".join(sorted(set(filled)))
            _out.print(f"[dim]{file} fills in what {registry} leaves open: {names}[/]", soft_wrap=True)
        _out.print()
    if not rows:
        _out.print("[dim]No definition departs from a registry.[/]")


def _behind(row: Any) -> str:
    """Say between which values the smallest areas behind a merged figure lie, and how many they are."""
    if math.isnan(row.minimum):
        return "–"
    return f"{_number(row.minimum)}–{_number(row.maximum)} ({row.children:.0f})"


def _verdict(area: Any, ranked: int, reference: str) -> str:
    """Say an area's score and rank in a sentence or two."""
    if area["score"] is None:
        return f"No rank: {escape(area['reason'])} ({area['status'].replace('_', ' ')})."
    gap = round(area["gap"], 1)
    distance = f"{abs(gap):.1f} points {'above' if gap > 0 else 'below'} the city" if gap else "the same as the city"
    rest = "The rest of the city has nothing to compare with."
    if area["score_rest"] is not None:
        rest = f"Against the rest of the city {area['score_rest']:.1f}, rank {area['rank_rest']}."
    return (
        f"Risk index {area['score']:.1f} ({escape(reference)} = 100), rank {area['rank']} of {ranked}; {distance}. "
        f"{rest} {area['population']:,.0f} residents."
    )


def _number(value: float, decimals: int = 1) -> str:
    return "–" if math.isnan(value) else f"{value:,.{decimals}f}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.1f}"


# ---------------------------------------------------------------- entry


class _Interrupted(BaseException):
    """Ctrl-C or a polite kill; not a KeyboardInterrupt, which typer would turn into words of its own."""


def _interrupt(*_: object) -> None:
    raise _Interrupted


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except _Interrupted:
        _err.print("Interrupted; nothing was written.")
        sys.exit(_INTERRUPTED)
    except InputError as error:
        _tell_faults(error.faults)
        sys.exit(_BAD_INPUT)
    except GeoplanError as error:
        _err.print(f"[bold]geoplan cannot go on:[/] {escape(str(error))}")
        sys.exit(_BAD_INPUT)


if __name__ == "__main__":
    main()
