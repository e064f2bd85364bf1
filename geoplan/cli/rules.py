"""``geoplan rules``: which rule books there are, what they say, and what they say of the areas of a scenario."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.markup import escape

import geoplan as gp
from geoplan.cli.telling import number_text, plain_table, stdout
from geoplan.errors import Fault, Faults, SpecError
from geoplan.specs import RuleSpec, read_rule, rule_names

__all__ = ["rules"]

rules = typer.Typer(no_args_is_help=True, help="Rule books: list, show, apply to a scenario, compare.")
_TOML = ".toml"
_CHOSEN_FIRST = {"yes": 0, "not known": 1, "no": 2}

Language = Annotated[str, typer.Option(help="Language of labels: sv, da or en")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead")]
Reference = Annotated[
    list[str] | None,
    typer.Option("--reference", help="A value to compare with: national.convicted_18_plus=0.8; may be given again"),
]
Use = Annotated[
    list[str] | None,
    typer.Option(
        "--use", help="An indicator under another id: eligible=not_eligible, or eligible=100-not_eligible; again"
    ),
]
Listed = Annotated[
    list[str] | None,
    typer.Option("--listed", help="An area above in which the rule holds, where it lists them; code or name; again"),
]
Period = Annotated[str | None, typer.Option(help="The year of the figures; the scenario's when left out")]


def _known(language: str) -> None:
    """Refuse a language that geoplan has no words in."""
    from geoplan.show import texts  # noqa: PLC0415  not part of the public surface

    texts(language)


def _catalogue() -> Any:
    from geoplan.sources import Catalogue  # noqa: PLC0415  not part of the public surface

    here = Path.cwd()
    return Catalogue(here if (here / "layers").is_dir() else gp.home())


def _rule(name: str, catalogue: Any) -> RuleSpec:
    """Return a rule book by its name, or from a file of one's own."""
    if name.endswith(_TOML):
        return read_rule(Path(name))
    book: RuleSpec = catalogue.rule(name)
    return book


@rules.command("list")
def list_rules(language: Language = "en", as_json: AsJson = False) -> None:
    """List the rule books: those that come with geoplan and those of the project's rules/ folder."""
    _known(language)
    catalogue = _catalogue()
    names = sorted({*rule_names(), *catalogue.names("rules")})
    faults, books = Faults(), {}
    for name in names:
        with faults.catch():
            books[name] = catalogue.rule(name)
    faults.raise_any()
    if as_json:
        told = {name: book.model_dump(mode="json", exclude_none=True) for name, book in books.items()}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = plain_table("rule", "title", "from", "to", left=4)
    for name, book in books.items():
        table.add_row(escape(name), escape(book.title.to(language)), str(book.since or ""), str(book.until or ""))
    stdout.print(table)


@rules.command()
def show(
    rule: Annotated[str, typer.Argument(help="A rule book, such as dk_2018, or a file of one's own")],
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Print a rule book: the law, the criteria, the statuses."""
    from geoplan.targeting.wording import rule_lines  # noqa: PLC0415  not part of the public surface

    _known(language)
    book = _rule(rule, _catalogue())
    if as_json:
        typer.echo(json.dumps(book.model_dump(mode="json", exclude_none=True), ensure_ascii=False, indent=2))
        return
    first, *rest = rule_lines(book, language)
    stdout.print(f"[bold]{escape(first)}[/]", soft_wrap=True)
    for line in rest:
        stdout.print(escape(line), soft_wrap=True)


@rules.command()
def apply(
    rule: Annotated[str, typer.Argument(help="A rule book, such as dk_2018, or a file of one's own")],
    scenario: Annotated[Path, typer.Argument(help="The areas and figures: a file in scenarios/")],
    area: Annotated[str | None, typer.Option(help="Print why one area qualifies or not; its code or name")] = None,
    period: Period = None,
    reference: Reference = None,
    use: Use = None,
    listed: Listed = None,
    out: Annotated[Path | None, typer.Option(help="Write figures, limits and margins to this CSV file")] = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Apply a rule book to the areas of a scenario: who qualifies, and how many people it would take to change that."""
    _known(language)
    run = gp.open_run(scenario)
    found = _applied(run, [_rule(rule, run.catalogue)], period, reference, use, listed)[0]
    names = run.areas()["name"]
    if out:
        from geoplan.run import write_margins  # noqa: PLC0415  as above

        write_margins(found, names, out)
    if as_json:
        typer.echo(json.dumps(_as_data(found, names), ensure_ascii=False, indent=2, allow_nan=False))
        return
    if area is not None:
        code = _code_of(area, names)
        stdout.print(f"[bold]{escape(str(names[code]))}[/] [dim]{escape(code)}[/]")
        for line in found.explain(code, language=language):
            stdout.print(escape(line), soft_wrap=True)
        return
    first, *rest = found.lines(names=names, language=language)
    stdout.print(f"[bold]{escape(first)}[/]", soft_wrap=True)
    stdout.print(_table(found, names))
    for line in rest:
        stdout.print(escape(line), soft_wrap=True)
    if out:
        stdout.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)


@rules.command()
def diff(
    first: Annotated[str, typer.Argument(help="A rule book")],
    second: Annotated[str, typer.Argument(help="Another one")],
    scenario: Annotated[
        Path | None, typer.Argument(help="Also say which areas of this scenario would come in or fall out")
    ] = None,
    period: Period = None,
    reference: Reference = None,
    use: Use = None,
    listed: Listed = None,
    language: Language = "en",
) -> None:
    """Print how two rule books differ, and which areas of a scenario would come in or fall out."""
    from geoplan.targeting.wording import difference_lines  # noqa: PLC0415  not part of the public surface

    _known(language)
    run = gp.open_run(scenario) if scenario else None
    catalogue = run.catalogue if run else _catalogue()
    books = (_rule(first, catalogue), _rule(second, catalogue))
    for line in difference_lines(books[0], books[1], language):
        stdout.print(escape(line), soft_wrap=True)
    if run is None:
        return
    before, after = _applied(run, books, period, reference, use, listed)
    names = run.areas()["name"]
    for words, codes in (
        ("Only under the first", [code for code in before.chosen if code not in after.chosen]),
        ("Only under the second", [code for code in after.chosen if code not in before.chosen]),
        ("Under both", [code for code in after.chosen if code in before.chosen]),
        ("Not known under one of them", sorted({*before.unknown, *after.unknown})),
    ):
        stdout.print(f"{words}: {escape(', '.join(str(names[code]) for code in codes)) or 'none'}", soft_wrap=True)


def _applied(
    run: gp.Run,
    books: Sequence[RuleSpec],
    period: str | None,
    reference: list[str] | None,
    use: list[str] | None,
    listed: list[str] | None,
) -> list[Any]:
    """Apply rules to a run, with what was said at the command line; each takes what it asks for, and one must."""
    from geoplan import checks  # noqa: PLC0415  not part of the public surface
    from geoplan.run import selection_for  # noqa: PLC0415  as above
    from geoplan.targeting.ready import indicators_asked  # noqa: PLC0415  as above
    from geoplan.targeting.references import references_asked  # noqa: PLC0415  as above

    references, uses = _references(reference or []), _uses(use or [])
    wanted = [indicators_asked(book) for book in books]
    compared = [references_asked(book) for book in books]
    faults = Faults()
    for name in sorted(set(uses) - set().union(*wanted)):
        faults.add(checks.unknown_name("indicator of the rule", name, set().union(*wanted), key="--use"))
    known = {f"{name}.{key}" for own in compared for name, keys in own.items() for key in keys}
    for full in sorted({f"{name}.{key}" for name, values in references.items() for key in values} - known):
        faults.add(checks.unknown_name("reference that the rule asks for", full, known, key="--reference"))
    if listed and not any(book.listed for book in books):
        what, hint = "the rule holds everywhere, not in listed areas only", "leave --listed out"
        faults.add(SpecError(Fault(what=what, key="--listed", hint=hint)))
    faults.raise_any()
    return [
        selection_for(
            run,
            book,
            period=period,
            references={
                name: kept
                for name, values in references.items()
                if (kept := {key: value for key, value in values.items() if key in asked.get(name, ())})
            },
            indicators={name: value for name, value in uses.items() if name in own},
            listed=listed if book.listed else None,
        )
        for book, own, asked in zip(books, wanted, compared, strict=True)
    ]


def _references(given: list[str]) -> dict[str, dict[str, float]]:
    """Read ``national.convicted_18_plus=0.8``."""
    found: dict[str, dict[str, float]] = {}
    for text in given:
        name, _, value = text.partition("=")
        reference, _, indicator = name.partition(".")
        try:
            found.setdefault(reference, {})[indicator or reference] = float(value.replace(",", "."))
        except ValueError:
            fault = Fault(what=f"'{text}' is no value to compare with", key="--reference",
                          expected="name.indicator=number, such as national.convicted_18_plus=0.8")  # fmt: skip
            raise SpecError(fault) from None
    return found


def _uses(given: list[str]) -> dict[str, object]:
    """Read ``eligible=not_eligible`` or ``eligible=100-not_eligible``."""
    found: dict[str, object] = {}
    for text in given:
        name, sign, own = text.partition("=")
        if not sign or not own:
            fault = Fault(what=f"'{text}' names no indicator", key="--use",
                          expected="id=other_id, or id=100-other_id where the table counts the others")  # fmt: skip
            raise SpecError(fault)
        found[name] = {"indicator": own.removeprefix("100-"), "complement": own.startswith("100-")}
    return found


def _code_of(area: str, names: pd.Series) -> str:
    """Return the code of an area that is called by its code, or by its name in any case."""
    from geoplan.run.reading import find_area  # noqa: PLC0415  as above

    return find_area(names.to_frame(), area)


def _outcome(value: object) -> str:
    return "not known" if pd.isna(value) else "yes" if value else "no"


def _table(found: Any, names: pd.Series) -> Any:
    """Return the areas with their outcome, those that qualify first."""
    from geoplan.targeting.rules import counted  # noqa: PLC0415  as above

    statuses = [status.id for status in found.rule.statuses]
    behind = len(counted(found.rule, found.rule.chief))
    table = plain_table("area", "code", *statuses, "met", "of", "residents", left=2 + len(statuses))
    rows = found.table.assign(outcome=[_outcome(value) for value in found.table["qualified"]])
    rows["order"] = rows["outcome"].map(_CHOSEN_FIRST)
    for code, row in rows.sort_values(["order", "met"], ascending=[True, False], kind="stable").iterrows():
        table.add_row(
            escape(str(names.get(code, code))),
            f"[dim]{escape(str(code))}[/]",
            *(_outcome(found.statuses.loc[code, name]) for name in statuses),
            str(row["met"]),
            str(behind),
            number_text(row["population"], 0),
        )
    return table


def _as_data(found: Any, names: pd.Series) -> dict[str, Any]:
    """Return a selection as plain values."""

    def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", date_format="iso"))
        return rows

    table = found.table.reset_index()
    table.insert(1, "name", table["area_id"].map(names))
    return {
        "rule": found.rule.model_dump(mode="json", exclude_none=True),
        "period": found.period,
        "areas": records(table),
        "statuses": records(found.statuses.reset_index()),
        "criteria": records(found.criteria),
        "certificate": dict(found.certificate),
    }
