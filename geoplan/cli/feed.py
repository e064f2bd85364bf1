"""``geoplan feed``: what a timetable holds, whether it is sound, and which day stands for the usual ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich.markup import escape

from geoplan.cli.telling import number_text, plain_table, progress_shown, project_here, renamed, stdout

if TYPE_CHECKING:
    from geoplan.reach import FeedReport

__all__ = ["AsJson", "Backdrop", "Feeds", "Language", "MapOut", "feed"]

feed = typer.Typer(no_args_is_help=True, help="Timetables (GTFS): report, check, days.")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHOWN = 10

Feeds = Annotated[list[Path], typer.Argument(metavar="FEED...", help="GTFS: a zip file or a folder, or several")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead")]
MapOut = Annotated[
    Path | None, typer.Option("--map", help="Draw it: .html opens offline; .png, .svg or .pdf for print")
]
Backdrop = Annotated[
    list[str] | None, typer.Option(help="A layer of water, parks, roads or rail below the map; may be given again")
]
Language = Annotated[str, typer.Option(help="Language of the map: sv, da or en")]


@feed.command()
def report(
    feeds: Feeds,
    date: Annotated[
        str | None, typer.Option(help="The day on which departures are counted; the typical Tuesday when left out")
    ] = None,
    map_out: MapOut = None,
    backdrop: Backdrop = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Print the figures of a feed, and draw its stops by their departures per day."""
    from geoplan.run.travelling import MAPS, must_be_writable  # noqa: PLC0415  slow, and only these commands need it

    must_be_writable(map_out, MAPS, key="--map")
    found = _reported(feeds, date)
    if map_out:
        _draw(found, map_out, backdrop or [], language)
    if as_json:
        frames = ("feeds", "routes", "thin_days", "dropped")
        told: dict[str, Any] = {"date": str(found.date), "reason": found.reason, "extent": list(found.extent)}
        told |= {name: _records(getattr(found, name)) for name in frames}
        told |= {"stops": _records(pd.DataFrame(found.stops.drop(columns="geometry"))), "notes": list(found.notes)}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    figures = found.to_frame()
    for name, own in figures.groupby("feed", sort=False):
        stdout.print(f"[bold]{escape('together' if name == 'all' else str(name))}[/]", soft_wrap=True)
        table = plain_table("figure", "value")
        for figure, value in zip(own["figure"], own["value"], strict=True):
            table.add_row(escape(str(figure).replace("_", " ")), escape(_short(str(figure), str(value))))
        stdout.print(table)
    stdout.print(f"{escape(str(found.date))}: {escape(found.reason)}.", soft_wrap=True)
    _tell_dropped(found.dropped)
    for note in found.notes:
        stdout.print(f"[dim]Note: {escape(note)}.[/]", soft_wrap=True)
    if map_out:
        stdout.print(f"The stops are drawn in [bold]{escape(str(map_out))}[/].", soft_wrap=True)


@feed.command()
def check(
    feeds: Feeds,
    strict: Annotated[
        bool, typer.Option("--strict/--no-strict", help="--no-strict: list what would be left out, and go on")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Find every fault of a feed at once; exit code 2 if there is any."""
    from geoplan.sources import read_gtfs  # noqa: PLC0415  as above

    with progress_shown() as step:
        step("reading the feed")
        found = read_gtfs(feeds, strict=strict)
    if as_json:
        told = {"feeds": [own.name for own in found.feeds], "dropped": _records(found.dropped)}
        typer.echo(json.dumps(told | {"notes": list(found.notes)}, ensure_ascii=False, indent=2, allow_nan=False))
        return
    _tell_dropped(found.dropped)
    for note in found.notes:
        stdout.print(f"[dim]Note: {escape(note)}.[/]", soft_wrap=True)
    many = f"{len(found.feeds)} feed{'s' if len(found.feeds) != 1 else ''} checked"
    rows = int(found.dropped["rows"].sum())
    stdout.print(f"{many}, {f'{rows:,} rows would be left out' if rows else 'no faults'}.")


@feed.command()
def days(
    feeds: Feeds,
    date: Annotated[str | None, typer.Option(help="A day to look at in place of the typical Tuesday")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Print every date")] = False,
    as_json: AsJson = False,
) -> None:
    """Print how much runs on which dates, which day stands for the usual ones and why, and days with little service."""
    found = _reported(feeds, date)
    if as_json:
        told = {"date": str(found.date), "reason": found.reason, "service": _records(found.service)}
        told |= {"thin_days": _records(found.thin_days)}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    for name, own in found.service.groupby("feed", sort=False):
        span = f"{own['date'].iloc[0]} to {own['date'].iloc[-1]}"
        stdout.print(f"[bold]{escape(str(name))}[/] [dim]{span}, departures from first stops[/]", soft_wrap=True)
        if show_all:
            _tell_days(own)
            continue
        table = plain_table("weekday", "days", "median", "fewest", "most")
        for day in _DAYS:
            counts = own.loc[own["weekday"] == day, "departures"]
            if len(counts):
                numbers = (counts.median(), counts.min(), counts.max())
                table.add_row(day, f"{len(counts)}", *(number_text(number, 0) for number in numbers))
        stdout.print(table)
    stdout.print(f"{escape(str(found.date))}: {escape(found.reason)}.", soft_wrap=True)
    thin = found.thin_days
    stdout.print(f"Days with under 20 % of the usual service: {len(thin):,}", soft_wrap=True)
    if len(thin):
        _tell_days(thin if show_all else thin.head(_SHOWN))
    if len(thin) > _SHOWN and not show_all:
        stdout.print(f"[dim]… and {len(thin) - _SHOWN:,} more; --all shows them[/]")
    for note in found.notes:
        stdout.print(f"[dim]Note: {escape(note)}.[/]", soft_wrap=True)


def _reported(feeds: list[Path], date: str | None) -> FeedReport:
    from geoplan.reach import feed_report  # noqa: PLC0415  as above

    with progress_shown() as step, renamed({"date": "--date"}):
        step("reading the feed")
        return feed_report(feeds, date=date)


def _draw(found: FeedReport, path: Path, backdrop: list[str], language: str) -> None:
    from geoplan.run.travelling import read_backdrop, write_drawn  # noqa: PLC0415  as above
    from geoplan.show import explore_stops, plot_stops  # noqa: PLC0415  as above

    look: dict[str, Any] = {
        "period": str(found.date),
        "source": ", ".join(found.feeds["feed"]),
        "backdrop": read_backdrop(backdrop, root=project_here()),
        "language": language,
    }
    with progress_shown() as step, renamed({"language": "--language"}):
        step("drawing the stops")
        write_drawn(path, lambda: explore_stops(found.stops, **look), lambda: plot_stops(found.stops, **look))


def _tell_days(rows: pd.DataFrame) -> None:
    table = plain_table("feed", "date", "weekday", "departures", "of the usual", left=3)
    for row in rows.itertuples():
        share = f"{100 * row.share_of_usual:.0f} %"
        table.add_row(escape(str(row.feed)), str(row.date), row.weekday, f"{row.departures:,}", share)
    stdout.print(table)


def _tell_dropped(dropped: pd.DataFrame) -> None:
    """Print what could not be right and was left out, one line a kind of fault."""
    if dropped.empty:
        return
    table = plain_table("file", "column", "what", "first row", "rows", left=3)
    for row in dropped.itertuples():
        first = "" if pd.isna(row.first_row) else f"{int(row.first_row):,}"
        table.add_row(*(escape(str(cell)) for cell in (row.file, row.column, row.what)), first, f"{int(row.rows):,}")
    stdout.print("Left out:")
    stdout.print(table)


def _short(figure: str, value: str) -> str:
    return f"{value[:12]}…" if figure == "sha256" else value


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON holds them."""
    text = frame.astype({name: str for name in frame.columns if frame[name].map(_is_date).any()})
    rows: list[dict[str, Any]] = json.loads(text.to_json(orient="records", date_format="iso"))
    return rows


def _is_date(value: object) -> bool:
    return hasattr(value, "isoformat")
