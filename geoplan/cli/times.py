"""``geoplan times``: travel times between many points, one trip explained, and streets saved for reuse."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from geoplan.cli.feed import AsJson, Backdrop, Language, MapOut
from geoplan.cli.telling import Interrupted, number_text, plain_table, progress_shown, project_here, renamed, stdout
from geoplan.errors import Fault, Faults, InputError, SpecError

if TYPE_CHECKING:
    import geopandas as gpd

    from geoplan.reach import Journey, Network, Streets, TravelTimes
    from geoplan.run.travelling import Points

__all__ = [
    "Elevation",
    "FeedFiles",
    "MaxWalk",
    "Mode",
    "Rides",
    "Slack",
    "StreetsFile",
    "StreetsLayer",
    "by_options",
    "joined_network",
    "moment_of",
    "points_of",
    "times",
]

times = typer.Typer(no_args_is_help=True, help="Travel times: a matrix, one trip explained, streets saved for reuse.")
_SHOWN = 10
#: What the library calls an option whose name at the command line is another.
_CALLED = {
    "bandwidth_m": "bandwidth",
    "cell_m": "cell",
    "levels": "level",
    "within_min": "within",
    "bands_min": "band",
    "half_time_min": "half_time",
    "percentiles": "percentile",
    "max_walk_min": "max_walk",
    "window_min": "window",
    "slack_s": "slack",
}

Mode = Annotated[
    Literal["walk", "cycle", "drive"] | None,
    typer.Option(help="How one moves on the streets; walk when left out. Public transport is reached on foot"),
]
StreetsFile = Annotated[
    Path, typer.Option("--streets", help="OpenStreetMap (.osm.pbf, .osm), a layer of lines, or what `streets` saved")
]
StreetsLayer = Annotated[str | None, typer.Option("--streets-layer", help="The layer of a file of lines")]
FeedFiles = Annotated[
    list[Path] | None, typer.Option("--feed", help="A timetable (GTFS); may be given again. None: streets alone")
]
MaxMin = Annotated[float, typer.Option("--max-min", help="Longest trip that counts, minutes")]
MaxWalk = Annotated[float, typer.Option("--max-walk", help="Longest walk to a stop, from one, or all the way, minutes")]
Rides = Annotated[int, typer.Option(help="Most vehicles in a trip")]
Slack = Annotated[int, typer.Option(help="Seconds to be at a stop before boarding")]
Elevation = Annotated[Path | None, typer.Option(help="A raster of heights in metres: slopes change the speed")]


@times.command()
def matrix(
    streets: StreetsFile,
    origins: Annotated[str, typer.Option("--from", metavar="POINTS", help="A file of points, or a layer by its id")],
    destinations: Annotated[str, typer.Option("--to", metavar="POINTS", help="As --from")],
    feed: FeedFiles = None,
    departure: Annotated[str | None, typer.Option(help='Start of the window: "2012-10-09 07:30"')] = None,
    arrival: Annotated[str | None, typer.Option(help="To be there by, in place of --departure")] = None,
    window: Annotated[float, typer.Option(help="Minutes, with a departure each minute")] = 60,
    percentile: Annotated[
        list[float] | None, typer.Option(help="Share of departures that keep the time, per cent; 50; again")
    ] = None,
    max_min: MaxMin = 120,
    max_walk: MaxWalk = 30,
    rides: Rides = 8,
    slack: Slack = 60,
    mode: Mode = None,
    from_layer: Annotated[str | None, typer.Option(help="The layer of a file that has several")] = None,
    to_layer: Annotated[str | None, typer.Option(help="As --from-layer")] = None,
    from_id: Annotated[str | None, typer.Option(help="The column of ids; 'id', or the only one ending in _id")] = None,
    to_id: Annotated[str | None, typer.Option(help="As --from-id")] = None,
    points_of_areas: Annotated[bool, typer.Option(help="Take a point inside each area")] = False,
    streets_layer: StreetsLayer = None,
    elevation: Elevation = None,
    threads: Annotated[int | None, typer.Option(min=1, help="All processors when left out")] = None,
    memory_mb: Annotated[float, typer.Option(min=16, help="Bound of memory for answer and search")] = 1024,
    folder: Annotated[
        Path | None, typer.Option(help="Keep what is done there; the same command goes on from it")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the times: .parquet (exact) or .csv")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute travel times from many points to many, by street alone or by public transport and on foot."""
    from geoplan.reach import travel_times  # noqa: PLC0415  slow, and only these commands need it
    from geoplan.run import travelling  # noqa: PLC0415  as above

    travelling.must_be_writable(out, travelling.TIMES, key="--out")
    shares = travelling.must_be_percentiles(percentile or [50])
    moment = moment_of(feed, departure, arrival, mode)
    with progress_shown() as step:
        step("reading the points")
        starts = points_of(origins, from_layer, from_id, of_areas=points_of_areas, side="from")
        ends = points_of(destinations, to_layer, to_id, of_areas=points_of_areas, side="to")
        step("reading the streets")
        network = joined_network(streets, streets_layer, elevation, mode, feed, moment, step)
        for own, key in ((starts, "--from"), (ends, "--to")):
            travelling.in_reach_of(network.streets, own.frame, key=key)
    asked: dict[str, Any] = {"max_min": max_min, "max_walk_min": max_walk, "rides": rides, "slack_s": slack}
    asked |= {moment[0]: moment[1], "window_min": window} if moment else {"max_walk_min": max_min}
    with _kept(folder), by_options():
        found = travel_times(
            starts.frame, ends.frame, network, percentiles=shares, threads=threads, memory_mb=memory_mb, folder=folder,
            progress=sys.stdout.isatty() and not as_json, **asked,
        )  # fmt: skip
        if out:
            travelling.write_times(found, out)
    _tell_times(found, (starts, ends), moment, out, as_json=as_json)


@times.command()
def explain(
    streets: StreetsFile,
    origin: Annotated[str, typer.Option("--from", metavar="PLACE", help="latitude,longitude, or an id of --points")],
    destination: Annotated[str, typer.Option("--to", metavar="PLACE", help="As --from")],
    feed: FeedFiles = None,
    departure: Annotated[str | None, typer.Option(help='When one leaves: "2012-10-09 07:30"')] = None,
    arrival: Annotated[str | None, typer.Option(help="To be there by, in place of --departure")] = None,
    points: Annotated[
        list[str] | None, typer.Option(help="A file of points, or a layer by its id; may be given again")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="The layer of a file of points that has several")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Its column of ids")] = None,
    points_of_areas: Annotated[bool, typer.Option(help="Take a point inside each area")] = False,
    max_min: MaxMin = 120,
    max_walk: MaxWalk = 30,
    rides: Rides = 8,
    slack: Slack = 60,
    mode: Mode = None,
    streets_layer: StreetsLayer = None,
    elevation: Elevation = None,
    map_out: MapOut = None,
    backdrop: Backdrop = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Explain the quickest trip that leaves at a moment, or the last to be there by one: walk 4, wait 3, metro 13."""
    from geoplan.reach import explain_trip  # noqa: PLC0415  as above
    from geoplan.run import travelling  # noqa: PLC0415  as above

    travelling.must_be_writable(map_out, travelling.MAPS, key="--map")
    moment = moment_of(feed, departure, arrival, mode)
    with progress_shown() as step:
        step("reading the points")
        known = [
            points_of(name, layer, id_column, of_areas=points_of_areas, side="points", bare="id")
            for name in points or []
        ]
        here, there = (
            travelling.place_or_id(text, known, key=key) for text, key in ((origin, "--from"), (destination, "--to"))
        )
        step("reading the streets")
        network = joined_network(streets, streets_layer, elevation, mode, feed, moment, step)
        for own, key in ((here, "--from"), (there, "--to")):
            travelling.in_reach_of(network.streets, own, key=key)
        step("looking for the trip")
        with by_options():
            asked: dict[str, Any] = {"max_min": max_min, "max_walk_min": max_walk if moment else max_min}
            asked |= {"rides": rides, "slack_s": slack} | ({moment[0]: moment[1]} if moment else {})
            found = explain_trip(here, there, network, **asked)
        if map_out and len(found.legs):
            when = f"{moment[1]:%Y-%m-%d} {found.legs['start'].iloc[0]}" if moment else ""
            _draw(found, network, (origin, destination, when), map_out, backdrop or [], language)
    when = f"{'to be there by ' if arrival else ''}{departure or arrival or ''}"
    _tell_journey(found, (origin, destination, when), map_out, as_json=as_json)


@times.command("streets")
def save_streets(
    file: Annotated[Path, typer.Argument(help="OpenStreetMap (.osm.pbf, .osm), GraphML, or a layer of lines")],
    mode: Mode = None,
    layer: Annotated[str | None, typer.Option(help="The layer of a file that has several")] = None,
    elevation: Elevation = None,
    out: Annotated[
        Path | None, typer.Option(help="Save the network there, for --streets of the other commands")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read streets, say what was made of them, and save them for reuse."""
    from geoplan.reach import write_streets  # noqa: PLC0415  as above
    from geoplan.run import travelling  # noqa: PLC0415  as above

    travelling.must_be_writable(out, (), key="--out")
    with progress_shown() as step:
        step("reading the streets")
        found = travelling.open_streets(file, mode=mode, layer=layer, elevation=elevation)
        if out:
            write_streets(found, out)
    counts: Any = found.record.get("counts", {})
    if as_json:
        dropped = json.loads(found.dropped.to_json(orient="records"))
        told = {"mode": found.mode, "crs": found.crs, "lines": found.lines(), "counts": counts, "dropped": dropped}
        told |= {"sources": found.record["sources"], "written": str(out) if out else None}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        return
    for line in found.lines():
        stdout.print(f"{escape(line)}.", soft_wrap=True)
    table = plain_table("counted", "number")
    for name, number in counts.items():
        if number:
            table.add_row(escape(str(name)), f"{number:,}")
    stdout.print(table)
    stdout.print(f"[dim]In {escape(found.crs)}. Source: {escape(_sources(found.record))}.[/]", soft_wrap=True)
    if out:
        stdout.print(f"Saved in [bold]{escape(str(out))}[/].", soft_wrap=True)


# ---------------------------------------------------------------- what is asked


def moment_of(
    feed: Sequence[Path] | None, departure: str | None, arrival: str | None, mode: str | None
) -> tuple[str, Any] | None:
    """Return "departure" or "arrival" and when, or nothing where streets alone are asked for."""
    from geoplan.run.travelling import read_moment  # noqa: PLC0415  as above

    given = [(key, text) for key, text in (("departure", departure), ("arrival", arrival)) if text is not None]
    if not feed:
        if given:
            what, hint = "on streets alone the time does not depend on the hour", "give --feed, or leave the moment out"
            raise SpecError(Fault(what=what, key=f"--{given[0][0]}", hint=hint))
        return None
    if mode not in {None, "walk"}:
        what, hint = f"public transport is reached on foot, not with {mode}", "leave --mode or --feed out"
        raise SpecError(Fault(what=what, key="--mode", hint=hint))
    if len(given) != 1:
        what = "it is not said when" if not given else "departure and arrival are both given"
        raise SpecError(Fault(what=what, key="--departure", expected="one moment, as '2012-10-09 07:30'"))
    return given[0][0], read_moment(given[0][1], key=f"--{given[0][0]}")


def points_of(
    source: str, layer: str | None, id_column: str | None, *, of_areas: bool, side: str, bare: str | None = None
) -> Points:
    """Read the points an option names; faults name the option."""
    from geoplan.run.travelling import read_points  # noqa: PLC0415  as above

    names = {"id": f"--{bare or f'{side}-id'}", "layer": f"--{'layer' if bare else f'{side}-layer'}"}
    with renamed(names, f"--{side}"):
        return read_points(source, root=project_here(), layer=layer, id_column=id_column, of_areas=of_areas)


def joined_network(
    file: Path,
    layer: str | None,
    elevation: Path | None,
    mode: str | None,
    feed: Sequence[Path] | None,
    moment: tuple[str, Any] | None,
    step: Any,
) -> Network:
    """Read streets and timetable, and join them; the faults of both are told at once."""
    from geoplan.reach import join_network  # noqa: PLC0415  as above
    from geoplan.run.travelling import open_streets, open_timetable  # noqa: PLC0415  as above

    faults, ways, timetable = Faults(), None, None
    with faults.catch(), renamed({"layer": "--streets-layer"}, None):
        ways = open_streets(file, mode=mode, layer=layer, elevation=elevation)
    if feed and moment:
        step("reading the timetable")
        with faults.catch():
            timetable = open_timetable(feed, moment[1].date(), key=f"--{moment[0]}")
    faults.raise_any()
    assert ways is not None  # noqa: S101  else its fault was raised
    _must_be_on_foot(ways, file, feed)
    step("joining stops and streets")
    return join_network(ways, timetable)


def _must_be_on_foot(ways: Streets, file: Path, feed: Sequence[Path] | None) -> None:
    if feed and ways.mode not in {"walk", "line"}:
        what, hint = f"the streets were saved for {ways.mode}", "public transport is reached on foot"
        raise SpecError(Fault(what=what, file=file.name, key="--streets", expected="streets for walk", hint=hint))


@contextmanager
def by_options() -> Iterator[None]:
    """Tell faults of the arguments of the library as options at the command line."""
    try:
        yield
    except InputError as error:
        kind = type(error)
        raise kind(_optional(fault) for fault in error.faults) from error


def _optional(fault: Fault) -> Fault:
    if not fault.key or fault.key.startswith("--"):
        return fault
    option = f"--{_CALLED.get(fault.key, fault.key).replace('_', '-')}"
    return replace(fault, key=option, what=fault.what.replace(f"{fault.key} cannot be", "it cannot be", 1))


@contextmanager
def _kept(folder: Path | None) -> Iterator[None]:
    """Say, when one stops it, that what is done is kept."""
    try:
        yield
    except Interrupted as stop:
        if folder is not None and folder.is_dir():
            stop.words = f"Interrupted; what is done is kept in {folder}, and the same command goes on from there."
        raise


# ---------------------------------------------------------------- what is told


def _tell_times(
    found: TravelTimes, sides: tuple[Points, Points], moment: tuple[str, Any] | None, out: Path | None, *, as_json: bool
) -> None:
    from geoplan.run.travelling import summary_of  # noqa: PLC0415  as above

    summary, record = summary_of(found), found.record
    network: Any = record["network"]
    notes = [*_notes(network), *record["notes"]]  # type: ignore[misc]  # texts
    lost = found.unsnapped
    if as_json:
        told = {
            "origins": len(found.from_ids),
            "destinations": len(found.to_ids),
            "departures": record["departures"],
            "percentiles": json.loads(summary.to_json(orient="records")),
            "unsnapped": json.loads(lost.to_json(orient="records")),
            "sources": _source_list(network),
            "notes": notes,
            "written": str(out) if out else None,
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    told_sides = [f"{len(own.frame):,} points of {Path(own.source).name} ({own.id_column})" for own in sides]
    stdout.print(f"[bold]{escape(told_sides[0])}[/] to [bold]{escape(told_sides[1])}[/]", soft_wrap=True)
    if moment:
        many: Any = record["departures"]
        way, what = ("to be there by", "deadlines") if moment[0] == "arrival" else ("leaving at", "departures")
        after = f" and each minute after, {many:,} {what}" if many > 1 else ""
        stdout.print(f"{moment[1]:%Y-%m-%d}, {way} {moment[1]:%H:%M}{after}", soft_wrap=True)
    table = plain_table("percentile", "reached", "median min", "longest min")
    for row in summary.itertuples():
        numbers = (number_text(row.median_min), number_text(row.longest_min))
        table.add_row(f"{row.percentile:g}", f"{100 * row.reached:.1f} %", *numbers)
    stdout.print(table)
    if len(lost):
        many = "1 point is" if len(lost) == 1 else f"{len(lost):,} points are"
        stdout.print(f"{many} not on any street, and not reached:", soft_wrap=True)
        table = plain_table("side", "id", "why", left=3)
        for row in lost.head(_SHOWN).itertuples():
            table.add_row(f"--{row.side}", escape(str(row.id)), escape(str(row.reason)))
        stdout.print(table)
        if len(lost) > _SHOWN:
            stdout.print(f"[dim]… and {len(lost) - _SHOWN:,} more; --json lists them all[/]")
    for note in notes:
        stdout.print(f"[dim]Note: {escape(note)}.[/]", soft_wrap=True)
    stdout.print(f"[dim]Source: {escape(', '.join(_source_list(network)))}.[/]", soft_wrap=True)
    if out:
        stdout.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)


def _tell_journey(found: Journey, asked: tuple[str, str, str], map_out: Path | None, *, as_json: bool) -> None:
    legs = found.legs.drop(columns="geometry")
    if as_json:
        told = {
            "from": asked[0],
            "to": asked[1],
            "minutes": None if found.reason else found.minutes,
            "rides": found.rides,
            "reason": found.reason,
            "legs": json.loads(legs.to_json(orient="records")),
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    way = f"{asked[0]} to {asked[1]}" + (f", {asked[2]}" if asked[2] else "")
    stdout.print(f"[bold]{escape(way)}[/]: {escape(str(found))}", soft_wrap=True)
    if not len(legs):
        if map_out:
            stdout.print("There is nothing to draw.")
        return
    clocks = ["start", "end"] if legs["start"].any() else []
    table = plain_table("leg", "line", "from", "to", *clocks, "min", "m", "stops", left=4 + len(clocks))
    for row in legs.itertuples():
        towards = f"{row.line} → {row.towards}" if row.towards else row.line
        metres = "" if isnan(row.metres) else number_text(row.metres, 0)
        table.add_row(
            escape(row.kind if row.leg == "ride" else row.leg), escape(towards), escape(row.from_name),
            escape(row.to_name if row.leg != "wait" else ""), *((row.start, row.end) if clocks else ()),
            number_text(row.minutes), metres, str(row.stops) if row.stops else "",
        )  # fmt: skip
    stdout.print(table)
    if map_out:
        stdout.print(f"The trip is drawn in [bold]{escape(str(map_out))}[/].", soft_wrap=True)


def _draw(
    found: Journey, network: Network, asked: tuple[str, str, str], path: Path, backdrop: list[str], language: str
) -> None:
    from geoplan.run.travelling import read_backdrop, streets_around, write_drawn  # noqa: PLC0415  as above
    from geoplan.show import explore_journey, plot_journey  # noqa: PLC0415  as above

    record: Any = network.record
    legs: gpd.GeoDataFrame = found.legs
    look: dict[str, Any] = {
        "title": f"{asked[0]} → {asked[1]}",
        "below": ", ".join(filter(None, (asked[2], f"{found.minutes:.0f} min"))),
        "source": ", ".join(_source_list(record)),
        "backdrop": [*read_backdrop(backdrop, root=project_here()), ("road", streets_around(network.streets, legs))],
        "language": language,
    }
    with renamed({"language": "--language"}):
        write_drawn(path, lambda: explore_journey(legs, **look), lambda: plot_journey(legs, **look))


def _notes(network: Mapping[str, Any]) -> list[str]:
    own = [*network["streets"].get("notes", [])]
    timetable = network.get("timetable", {})
    own += [*timetable.get("notes", []), *timetable.get("warnings", [])]
    off = network.get("stops_off_the_streets", 0)
    return [*own, *([f"{off:,} of {network['stops']:,} stops are not near any street"] if off else [])]


def _source_list(network: Mapping[str, Any]) -> list[str]:
    feeds = network.get("timetable", {}).get("feeds", [])
    return [*_names(network["streets"]["sources"]), *_names(feeds)]


def _sources(record: Mapping[str, Any]) -> str:
    return ", ".join(_names(record["sources"]))


def _names(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{own.get('name', own.get('kind', '?'))} ({str(own['sha256'])[:12]})"
        if own.get("sha256")
        else str(own.get("name"))
        for own in sources
    ]
