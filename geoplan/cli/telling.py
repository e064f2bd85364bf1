"""Words out: how the command line prints runs, checks, matches, areas and sheets."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import geoplan as gp
from geoplan.errors import Fault, InputError

if TYPE_CHECKING:
    from geoplan.places import NameMatch
    from geoplan.run import CheckReport

__all__ = [
    "PER_RULE",
    "Interrupted",
    "as_data",
    "leader_of",
    "number_text",
    "plain_table",
    "progress_shown",
    "project_here",
    "renamed",
    "stderr",
    "stdout",
    "tell_against",
    "tell_area",
    "tell_check",
    "tell_differences",
    "tell_extent",
    "tell_faults",
    "tell_match",
    "tell_run",
    "tell_sheet",
    "tell_sheets",
    "title_of",
]

_PIPED_WIDTH = 110  # a file or a pipe has no width of its own; tables need room for long Swedish words
stdout = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
stderr = Console(stderr=True, highlight=False, soft_wrap=True)
_SHOWN = 10
_MATCHES_SHOWN = 40
#: Findings of one rule that are printed of a file.
PER_RULE = 5


class Interrupted(BaseException):
    """Ctrl-C or a polite kill; not a KeyboardInterrupt, which typer would turn into words of its own."""

    words = "Interrupted; nothing was written."


def project_here() -> Path:
    """Return the folder one stands in, where it is a project, else the sample."""
    here = Path.cwd()
    return here if (here / "layers").is_dir() else gp.home()


@contextmanager
def progress_shown() -> Iterator[Callable[[str], None]]:
    """Show the step under way on a terminal; say nothing where nobody looks."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda words: progress.update(task, description=escape(words))


@contextmanager
def renamed(names: Mapping[str, str], otherwise: str | None = None) -> Iterator[None]:
    """Tell faults of the options at the command line, by their names there."""
    try:
        yield
    except InputError as error:
        kind = type(error)
        raise kind(
            replace(fault, key=names.get(fault.key, fault.key) if fault.key else otherwise) for fault in error.faults
        ) from error


def plain_table(*headings: str, left: int = 1) -> Table:
    """Return a plain table whose first columns are text and whose others are numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right", overflow="fold")
    return table


def tell_run(opened: gp.Run, folder: Path) -> None:
    """Print what a run found and where it was written."""
    from geoplan.run import decimals_of, ranking_table  # noqa: PLC0415  not part of the public surface

    certificate = opened.index().certificate
    ranking, sure = ranking_table(opened), opened.uncertainty()
    stdout.print(f"[bold]{escape(opened.spec.title.to(opened.spec.language))}[/]", soft_wrap=True)
    rest = ["rest of city"] if "score_rest" in ranking else []
    between = [f"{100 * sure.level:g} % interval"] if sure else []
    classed = ["class"] if "class" in ranking else []
    table = plain_table("area", "code", "rank", *between, *classed, "index", *rest, "residents", left=2)
    count = f"{certificate.ranked} area{'s' if certificate.ranked != 1 else ''} ranked"
    decimals = decimals_of(opened, ["score"])["score"]
    for _, row in ranking.dropna(subset="rank").head(_SHOWN).iterrows():
        table.add_row(
            escape(str(row["name"])),
            f"[dim]{escape(str(row['area_id']))}[/]",
            f"{row['rank']}",
            *([f"{row['rank_low']}–{row['rank_high']}"] if sure else []),
            *([escape(row["class"])] if classed else []),
            number_text(row["score"], decimals),
            *([number_text(row["score_rest"])] if rest else []),
            number_text(row["population"], 0),
        )
    stdout.print(table)
    hundred = f"; 100 = {escape(certificate.reference)}" if rest else f"; {escape(certificate.method)}"
    stdout.print(f"{count}, {certificate.excluded} listed without a rank{hundred}.", soft_wrap=True)
    if sure:
        stdout.print(f"[dim]{escape('. '.join(sure.lines([])))}.[/]", soft_wrap=True)
    for line in opened.notes():
        stdout.print(f"[dim]Note: {escape(line)}.[/]", soft_wrap=True)
    _tell_choice(opened)
    stdout.print(f"[dim]Source: {escape(opened.sources())}.[/]", soft_wrap=True)
    files = ", ".join(sorted(path.name for path in folder.iterdir()))
    stdout.print(f"Written to [bold]{escape(str(folder))}[/]: {files}", soft_wrap=True)


def _tell_choice(opened: gp.Run) -> None:
    """Print which areas the scenario's rule singles out, and which are on the border."""
    if opened.spec.targeting is None:
        return
    names, language = opened.areas()["name"], opened.spec.language
    for line in opened.chosen_rule().lines(names=names, language=language):
        stdout.print(f"{escape(line)}.", soft_wrap=True)
    sure = opened.certainty()
    if sure is not None:
        for line in sure.lines(names=names, language=language):
            stdout.print(f"[dim]{escape(line)}.[/]", soft_wrap=True)


def tell_check(report: CheckReport, most: int | None) -> None:
    """Print faults first, then notes by file; of each rule no more than ``most`` in a file."""
    if report.faults:
        tell_faults(report.faults, most)
    for name, note in report.notes:
        stdout.print(f"[dim]{escape(name)}:[/] {escape(note)}.", soft_wrap=True)
    for file in dict.fromkeys(item.file for item in report.findings):
        own = [item for item in report.findings if item.file == file]
        stdout.print(f"[dim]{escape(str(file))}:[/] {_count(len(own), 'note')} of the linter", soft_wrap=True)
        for line in _cut([replace(item, file=None) for item in own], most):
            stdout.print(f"  {escape(line)}", soft_wrap=True)
    if not report.faults:
        besides = f", {_count(len(report.findings), 'note')} of the linter" if report.findings else ""
        stdout.print(f"{len(report.checked)} files checked, no faults{besides}.")


def tell_faults(faults: Sequence[Fault], most: int | None = None) -> None:
    """Print faults; of each rule of the linter no more than ``most`` in a file."""
    stderr.print(f"[bold]geoplan found {_count(len(faults), 'fault')}:[/]")
    for line in _cut(faults, most):
        stderr.print(f"  {escape(line)}")


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


def as_data(report: CheckReport) -> dict[str, Any]:
    """Return a check's result as JSON holds it."""
    return {
        "checked": report.checked,
        "faults": [{"severity": "fault", "kind": None, **asdict(item)} for item in report.faults],
        "notes": [{"file": name, "what": note} for name, note in report.notes],
        "findings": [asdict(item) for item in report.findings],
    }


def title_of(folder: Path) -> str | None:
    """Return the title of the run that lies in a folder."""
    try:
        return str(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["scenario"]["title"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def tell_match(found: NameMatch) -> None:
    """Print the names that are not written as the areas are, then the report in sentences."""
    table = plain_table("name", "row", "area", "how", "it may be", left=5)
    unlike = found.distinct[~found.distinct["how"].isin(("exact", "code", "normalised"))]
    for row in unlike.head(_MATCHES_SHOWN).itertuples():
        name = f"{row.name}, {row.municipality}" if row.municipality else row.name
        table.add_row(*(escape(str(cell)) for cell in (name, row.row, row.area, row.how, ", ".join(row.suggestions))))
    if len(unlike):
        stdout.print(table)
    if len(unlike) > _MATCHES_SHOWN:
        stdout.print(f"[dim]… and {len(unlike) - _MATCHES_SHOWN} more; --out writes them all[/]")
    for line in found.lines():
        stdout.print(f"{escape(line)}.", soft_wrap=True)


def leader_of(folder: Path) -> str:
    """Return the code of the area in the first place of a run."""
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


def tell_extent(level: str, table: Any, made_of: str | None) -> None:
    """Print how large and scattered the areas of a level are."""
    made = f", each made of its areas of level {made_of}" if made_of else ""
    stdout.print(f"\n[bold]Extent: {escape(level)}[/]{escape(made)}", soft_wrap=True)
    named = ["name"] if (table["name"] != table.index).any() else []
    counted = [name for name in _EXTENT if name != "homes" or table["homes"].notna().any()]
    shown = plain_table("code", *named, *(_EXTENT[name][0] for name in counted), left=1 + len(named))
    shown.padding = (0, 1, 0, 0)
    for column in shown.columns:
        column.no_wrap = column.header != "name"  # names give way, figures never
    for code, row in table.iterrows():
        numbers = (number_text(row[name], _EXTENT[name][1]) for name in counted)
        shown.add_row(escape(str(code)), *(escape(str(row[name])) for name in named), *numbers)
    stdout.print(shown)


def tell_area(found: Any) -> None:
    """Print why an area scores as it does."""
    area, manifest = found.area, found.manifest
    title = f"{area['level']}, {area['period']} · {manifest['scenario']['title']}"
    stdout.print(f"[bold]{escape(area['name'])}[/] ({escape(area['area_id'])}), {escape(title)}", soft_wrap=True)
    stdout.print(_verdict(area, found.ranked, manifest))
    for heading, sides in (("Strengths", found.strengths), ("Weaknesses", found.weaknesses)):
        if sides is not None:
            stdout.print(f"{heading}: {escape('; '.join(sides) or 'none clear')}.")
    _tell_outcome(area)
    relative = _is_relative(manifest)
    domains = plain_table("domain", "index", "points from 100" if relative else "points from mean")
    for row in found.domains.itertuples():
        domains.add_row(escape(row.label), number_text(row.relative), _signed(row.above_city))
    merged = found.indicators["children"].notna().any()
    behind = ["lowest–highest (areas)"] if merged else []
    measure = "=100" if relative else "scaled"
    city = _city(manifest)
    indicators = plain_table(
        "indicator", "value", *behind, city.removeprefix("the ").replace("of ", ""), "N", measure, "points", "note"
    )
    for row in found.indicators.itertuples():
        unused = math.isnan(row.relative) and not math.isnan(row.value)
        note = "base too small" if unused else "" if row.status == "observed" else row.status.replace("_", " ")
        indicators.add_row(
            escape(row.label),
            f"{number_text(row.value)} {escape(row.unit_label)}",
            *([_behind(row)] if merged else []),
            number_text(row.city),
            number_text(row.denominator, 0),
            number_text(row.relative),
            _signed(row.above_city),
            note,
        )
    for table in (domains, indicators):
        stdout.print()
        stdout.print(table)
    certificate = manifest["certificate"]
    sources = "; ".join(dict.fromkeys(item["source"] for item in manifest["inputs"]))
    scaled = f"=100: against {city}" if relative else "scaled: as it enters the index"
    whole = "the score's distance from 100" if relative else "the distance from the areas' mean"
    if certificate["presentation"].startswith("percentile"):
        whole = "the distance of the sum, whose percentile rank the score is, from the areas' mean"
    stdout.print(
        f"\n[dim]{scaled}, higher is worse; points: what it adds to {whole}. "
        f"{'lowest–highest: of the smallest areas behind the figure, their number in brackets. ' if merged else ''}"
        f"{certificate['method']}: {certificate['formula']}. Missing: {certificate['missing']}. "
        f"Source: {escape(sources)}.[/]"
    )


def _tell_outcome(area: Mapping[str, Any]) -> None:
    """Print what the rule of the run makes of an area, where it has one."""
    if not area.get("decision"):
        return
    why = f" ({area['because']})" if area["because"] else ""
    sure = ""
    if area.get("p_designated") is not None:
        sure = f"; in {100 * area['p_designated']:.0f} of 100 draws it meets them"
    stdout.print(f"{escape(area['rule'])}: {escape(area['decision'])}{escape(why)}{sure}.", soft_wrap=True)
    if area["nearest"]:
        stdout.print(f"It {escape(area['nearest'])}.", soft_wrap=True)


def tell_against(folder: Path, against: Path, area: str | None, as_json: bool) -> None:
    """Print what moved areas from another run to this one."""
    from geoplan.run.against import compare_runs  # noqa: PLC0415  not part of the public surface

    found = compare_runs(folder, against, area)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2, allow_nan=False))
        return
    for block in found.blocks():
        if isinstance(block, str):
            stdout.print(escape(block))
            continue
        table = plain_table(*block.headings, left=block.left)
        for row in block.rows:
            table.add_row(*map(escape, row))
        stdout.print(table)


def tell_sheets(found: list[Any], words: Any) -> None:
    """Print a table of indicators for each file."""
    for file, group in groupby(found, key=lambda sheet: sheet.file):
        table = plain_table("indicator", "label", "unit", "worse\nwhen", "definition", left=5)
        for number in (0, 2, 3, 4):
            table.columns[number].no_wrap = True  # labels give way
        for domain, sheets in groupby(group, key=lambda sheet: sheet.spec.domain):
            table.add_row(f"[dim]{domain or 'no domain'}[/]")
            for sheet in sheets:
                spec = sheet.spec
                worse = {"higher_is_worse": "higher", "higher_is_better": "lower"}.get(spec.direction, "–")
                label = escape(spec.label.to(words.language))
                table.add_row(spec.id, label, escape(words.unit(spec.unit)), worse, sheet.scope)
        stdout.print(f"[bold]{escape(file)}[/]")
        stdout.print(table)
        stdout.print()
    stdout.print(
        "[dim]national: as the shared registry defines it; adapted: with another base, unit … ; local: only here. "
        "One sheet in full: geoplan indicators ID. What differs: geoplan indicators --differences[/]",
        soft_wrap=True,
    )


def tell_sheet(sheet: Any, words: Any) -> None:
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
    stdout.print(f"[bold]{escape(sheet.spec.label.to(language))}[/] ({sheet.spec.id})", soft_wrap=True)
    stdout.print(f"[dim]{escape(stands)} · {sheet.scope}[/]", soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, text in told.items():
        table.add_row(f"[dim]{name}[/]", escape(text) or "–")
    stdout.print(table)
    stdout.print()
    tell_differences([sheet])


def tell_differences(found: list[Any]) -> None:
    """Print where definitions depart from the registry they stand on, each departure once."""
    rows = list(dict.fromkeys(row for sheet in found for row in sheet.differences.itertuples(index=False)))
    for (file, registry), group in groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[:2]):
        table = plain_table("indicator", "field", f"in {registry}", f"in {file}", "why", left=5)
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
            stdout.print(table)
        if filled:
            names = ", ".join(sorted(set(filled)))
            stdout.print(f"[dim]{file} fills in what {registry} leaves open: {names}[/]", soft_wrap=True)
        stdout.print()
    if not rows:
        stdout.print("[dim]No definition departs from a registry.[/]")


def _behind(row: Any) -> str:
    """Say between which values the smallest areas behind a merged figure lie, and how many they are."""
    if math.isnan(row.minimum):
        return "–"
    return f"{number_text(row.minimum)}–{number_text(row.maximum)} ({row.children:.0f})"


def _is_relative(manifest: Any) -> bool:
    """Whether the city scores 100 in a run."""
    return str(manifest["certificate"]["rest_of_city"]).startswith("score_rest")


def _city(manifest: Any) -> str:
    """Name the city, with its year where areas are measured by that of another."""
    base, period = (str(manifest["certificate"][name]) for name in ("base", "period"))
    return "the city" if base == period else f"the city of {base}"


def _verdict(area: Any, ranked: int, manifest: Any) -> str:
    """Say an area's score and rank in a few sentences."""
    if area["score"] is None:
        return f"No rank: {escape(area['reason'])} ({area['status'].replace('_', ' ')})."
    relative = _is_relative(manifest)
    gap = round(area["gap"], 1 if relative else 6)
    city = _city(manifest)
    middle = city if relative else "the areas' mean"
    size = f"{abs(gap):.1f} points" if relative else f"{abs(area['gap']):.3g}"
    distance = f"{size} {'above' if area['gap'] > 0 else 'below'} {middle}" if gap else f"the same as {middle}"
    rest = f"The rest of {city} has nothing to compare with." if relative else ""
    if area["score_rest"] is not None:
        colon = ":" if city != "the city" else ""
        rest = f"Against the rest of {city}{colon} {area['score_rest']:.1f}, rank {area['rank_rest']}."
    measure = f"{manifest['certificate']['reference']} = 100" if relative else manifest["certificate"]["method"]
    score = f"{area['score']:.1f}" if relative or abs(area["score"]) > _SHOWN else f"{area['score']:.3f}"
    classed = f", class {area['class']}" if area.get("class") else ""
    said = [f"Risk index {score} ({escape(measure)}), rank {area['rank']} of {ranked}{escape(classed)}; {distance}."]
    said += [_certainty(area, manifest), rest, f"{area['population']:,.0f} residents." if area["population"] else ""]
    return " ".join(text for text in said if text)


def _certainty(area: Any, manifest: Any) -> str:
    """Say how sure a rank is, where the run has looked."""
    from geoplan.risk.uncertainty import of_100  # noqa: PLC0415  slow to import, and only this needs it

    sure = manifest.get("uncertainty")
    if not sure or area.get("rank_low") is None:
        return ""
    low, high = int(area["rank_low"]), int(area["rank_high"])
    said = f"{100 * sure['level']:g} % interval: " + (f"rank {low} to {high}" if low != high else f"rank {low}")
    asked = [(f"among the {sure['top']} highest", area.get("p_top"))]
    asked += [(f"above {sure['line']:g}" if sure["line"] is not None else "", area.get("p_above"))]
    shares = [f"{what} in {of_100(share)} draws" for what, share in asked if share is not None]
    return f"{said}{'; ' if shares else ''}{', '.join(shares)}."


def number_text(value: float, decimals: int = 1) -> str:
    """Write a number; a missing one is a dash."""
    return "–" if math.isnan(value) else f"{value:,.{decimals}f}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.1f}"
