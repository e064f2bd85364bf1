"""``geoplan access``: what residents reach, measures of a matrix of travel times, and isochrones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from geoplan.cli.feed import AsJson, Backdrop, Language, MapOut
from geoplan.cli.telling import number_text, plain_table, progress_shown, project_here, stdout
from geoplan.cli.times import (
    Elevation,
    FeedFiles,
    MaxWalk,
    Mode,
    Rides,
    Slack,
    StreetsFile,
    StreetsLayer,
    by_options,
    joined_network,
    moment_of,
    points_of,
)
from geoplan.errors import Fault, SpecError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geoplan.run import Run

__all__ = ["access"]

access = typer.Typer(
    no_args_is_help=True, help="What residents reach: areas of a scenario, measures of a matrix, isochrones."
)
_SHOWN = 12
_TABLES = (".csv", ".xlsx")


@access.command()
def areas(
    scenario: Annotated[Path, typer.Argument(help="A file in scenarios/ with a table [access]")],
    level: Annotated[str | None, typer.Option(help="A level of the scenario; the ranked one when left out")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table: .csv or .xlsx")] = None,
    profile: Annotated[
        Literal["internal", "public"] | None, typer.Option(help="public: without areas where too few live")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show all areas")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the residents of each area reach, who meets the standards, and what is not known."""
    import geoplan as gp  # noqa: PLC0415  the rest of the command line does without
    from geoplan.run.access_outputs import readable_access  # noqa: PLC0415  slow, and only these commands need it
    from geoplan.run.travelling import must_be_writable  # noqa: PLC0415  as above

    must_be_writable(out, _TABLES, key="--out")
    run = gp.open_run(scenario, profile=profile)
    with progress_shown() as step:
        step("reading areas and people")
        _ = run.reach.people
        step("looking for travel times")
        _ = run.reach.times
        step("measuring")
        table, heads = readable_access(run, level)
        if out:
            _write(table.reset_index(), heads, out, run)
    if as_json:
        told = {"measures": {name: heads[name] for name in table if name in heads}, "notes": run.reach.notes()}
        told["areas"] = json.loads(table.reset_index().to_json(orient="records"))
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, allow_nan=False))
        return
    _tell_areas(run, table, heads, show_all=show_all)
    if out:
        stdout.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)


def _tell_areas(run: Run, table: pd.DataFrame, heads: dict[str, str], *, show_all: bool) -> None:
    shares = [name for name in table if str(name).startswith("share_")]
    main = run.reach.main
    shown = plain_table("area", "code", "residents", *[heads[name] for name in shares], heads[main], "status")
    order = table.sort_values(shares[0] if shares else main, na_position="last")
    for code, row in order.head(len(order) if show_all else _SHOWN).iterrows():
        parts = [number_text(row[name] * 100, 0) + " %" if row[name] == row[name] else "–" for name in shares]
        least = 1 if main.endswith("_nearest") else 0
        status = "" if row["status"] == "observed" else str(row["status"]).replace("_", " ")
        shown.add_row(
            escape(str(row["name"])), escape(str(code)), number_text(row["residents"], 0), *parts,
            number_text(row[main], least), status,
        )  # fmt: skip
    stdout.print(shown)
    if len(order) > _SHOWN and not show_all:
        stdout.print(f"[dim]{len(order) - _SHOWN} more with --all; those who reach least come first.[/]")
    found = run.reach.equity()
    told = found.measures
    most = number_text(found.by_quantile["mean"].iloc[0], 0)
    words = [
        f"fifth of the residents with the highest index: {most} on average, all: {number_text(told['mean'], 0)}",
        f"concentration {told['concentration']:+.2f} (above 0: more to areas of low index)",
        f"Gini {told['gini']:.2f}",
    ]
    stdout.print(f"{escape(heads[main])}: {escape('; '.join(words))}.", soft_wrap=True)
    for sentence in run.reach.notes():
        stdout.print(f"[dim]Note: {escape(sentence.rstrip('.'))}.[/]", soft_wrap=True)


def _write(table: pd.DataFrame, heads: dict[str, str], path: Path, run: Run | None = None) -> None:
    from geoplan.run.folder import atomic_file  # noqa: PLC0415  as above
    from geoplan.show import Sheet, write_csv, write_workbook  # noqa: PLC0415  as above

    with atomic_file(path) as target:
        if path.suffix.lower() == ".xlsx" and run is not None:
            title = run.spec.title.to(run.spec.language)
            write_workbook(target, [Sheet("access", table, heads, frozen=2)], title=title, date=run.spec.date)
        else:
            write_csv(target, table, headings=heads)


# ---------------------------------------------------------------- of a matrix


@access.command()
def measure(
    times: Annotated[Path, typer.Argument(help="Travel times: what `times matrix` wrote, or a matrix of R5, OTP …")],
    to: Annotated[str, typer.Option("--to", metavar="POINTS", help="The destinations: a file, or a layer by its id")],
    value: Annotated[str, typer.Option(help="The column of what each has: jobs, places")],
    within: Annotated[list[float] | None, typer.Option(help="Count those within so many minutes; again")] = None,
    half_time: Annotated[
        float | None, typer.Option(help="Count all, and those so many minutes away as half (exponential)")
    ] = None,
    nearest: Annotated[bool, typer.Option("--nearest", help="Minutes to the nearest that has any")] = False,
    percentile: Annotated[float | None, typer.Option(help="Which, where the matrix has several")] = None,
    to_layer: Annotated[str | None, typer.Option(help="The layer of a file that has several")] = None,
    to_id: Annotated[str | None, typer.Option(help="The column of ids; 'id', or the only one ending in _id")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table: .csv")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what each origin of a matrix of travel times reaches."""
    import pandas as pd  # noqa: PLC0415  as above

    from geoplan.reach import Decay, access_status, gravity, opportunities, time_to_nearest  # noqa: PLC0415  as above
    from geoplan.run.travelling import must_be_writable  # noqa: PLC0415  as above

    must_be_writable(out, (".csv",), key="--out")
    if not (within or half_time or nearest):
        hint = "--within 30, --half-time 15 or --nearest; each may be given"
        raise SpecError(Fault(what="what to measure is not said", key="--within", hint=hint))
    with progress_shown() as step:
        step("reading travel times")
        matrix = _matrix(times)
        step("reading the destinations")
        amounts = _amounts(to, to_layer, to_id, value, [str(name) for name in matrix.to_ids])
        with by_options():
            parts: dict[str, Any] = {}
            for limit in sorted(set(within or [])):
                name = f"{value}_{limit:g}"
                parts[name] = opportunities(matrix, amounts, within_min=limit, percentile=percentile)
            if half_time is not None:
                weigh = Decay.halving("exponential", half_time)
                parts[f"{value}_half_{half_time:g}"] = gravity(matrix, amounts, weigh, percentile=percentile)
            if nearest:
                parts[f"{value}_nearest_min"] = time_to_nearest(matrix, amounts, percentile=percentile)
    table = pd.DataFrame(parts)
    table["status"] = access_status(matrix)["status"]
    if out:
        _write(table.reset_index(), {}, out)
    if as_json:
        typer.echo(json.dumps(json.loads(table.reset_index().to_json(orient="records")), ensure_ascii=False, indent=2))
        return
    shown = plain_table("figure", "origins", "mean", "lowest", "highest")
    for name in parts:
        own = table[name].dropna()
        shown.add_row(
            escape(str(name)), f"{len(own):,}", *(number_text(float(f), 1) for f in (own.mean(), own.min(), own.max()))
        )
    stdout.print(shown)
    lost = int((table["status"] != "observed").sum())
    if lost:
        stdout.print(f"[dim]Note: {lost:,} of {len(table):,} origins are on no street and are not scored.[/]")
    if out:
        stdout.print(f"Written to [bold]{escape(str(out))}[/].", soft_wrap=True)


def _matrix(path: Path) -> Any:
    from geoplan.errors import SourceError  # noqa: PLC0415  as above
    from geoplan.reach import read_times, read_travel_times  # noqa: PLC0415  as above

    try:
        return read_times(path)
    except SourceError as error:
        if "does not hold travel times of geoplan" not in str(error) and path.suffix.lower() == ".parquet":
            raise
        if not path.is_file():
            raise
        return read_travel_times(path)


def _amounts(source: str, layer: str | None, id_column: str | None, value: str, ids: list[str]) -> pd.Series:
    """Return what each destination of the matrix has."""
    from geoplan import checks  # noqa: PLC0415  as above

    frame: gpd.GeoDataFrame = points_of(source, layer, id_column, of_areas=True, side="to").frame
    if value not in frame:
        raise SpecError(
            fault
            for error in checks.absent_columns([value], [str(name) for name in frame.columns], key="--value")
            for fault in error.faults
        )
    own = frame.set_axis(frame.index.astype(str))[value]
    return own[own.index.isin(ids)]


# ---------------------------------------------------------------- isochrones


@access.command()
def isochrone(
    streets: StreetsFile,
    place: Annotated[str, typer.Option("--from", metavar="PLACE", help="latitude,longitude, or an id of --points")],
    feed: FeedFiles = None,
    departure: Annotated[str | None, typer.Option(help='Start of the window: "2012-10-09 07:30"')] = None,
    window: Annotated[float, typer.Option(help="Minutes, with a departure each minute")] = 60,
    percentile: Annotated[float, typer.Option(help="Share of departures that keep the time, per cent")] = 50,
    band: Annotated[list[float] | None, typer.Option(help="Minutes; may be given again; 15, 30 and 45")] = None,
    points: Annotated[list[str] | None, typer.Option(help="A file of points, or a layer by its id; again")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Its column of ids")] = None,
    residents: Annotated[str | None, typer.Option(help="Points of residents: a file, or a layer by its id")] = None,
    residents_column: Annotated[str, typer.Option(help="The column of how many")] = "population",
    jobs: Annotated[str | None, typer.Option(help="Points of jobs: a file, or a layer by its id")] = None,
    jobs_column: Annotated[str, typer.Option(help="The column of how many")] = "jobs",
    max_walk: MaxWalk = 30,
    rides: Rides = 8,
    slack: Slack = 60,
    mode: Mode = None,
    streets_layer: StreetsLayer = None,
    elevation: Elevation = None,
    out: Annotated[Path | None, typer.Option(help="Write the polygons: .gpkg")] = None,
    map_out: MapOut = None,
    backdrop: Backdrop = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Outline what is reached from a place, and count the residents and jobs there."""
    from geoplan.reach import isochrone_notes, isochrones  # noqa: PLC0415  as above
    from geoplan.run import travelling  # noqa: PLC0415  as above

    travelling.must_be_writable(out, (".gpkg",), key="--out")
    travelling.must_be_writable(map_out, travelling.MAPS, key="--map")
    moment = moment_of(feed, departure, None, mode)
    asked: dict[str, Any] = {"bands_min": sorted(set(band or (15, 30, 45)))}
    with progress_shown() as step:
        step("reading the points")
        known = [points_of(name, None, id_column, of_areas=False, side="points", bare="id") for name in points or []]
        here = travelling.place_or_id(place, known, key="--from")
        for name, source, column in (("residents", residents, residents_column), ("jobs", jobs, jobs_column)):
            if source:
                asked[name] = points_of(source, None, None, of_areas=False, side=name, bare="id").frame
                asked[f"{name}_column"] = column
        step("reading the streets")
        network = joined_network(streets, streets_layer, elevation, mode, feed, moment, step)
        travelling.in_reach_of(network.streets, here, key="--from")
        step("looking for what is reached")
        if moment:
            asked |= {moment[0]: moment[1], "window_min": window, "percentile": percentile, "max_walk_min": max_walk}
            asked |= {"rides": rides, "slack_s": slack}
        with by_options():
            found = isochrones(here[[here.geometry.name]], network, **asked)
        _draw(found, here, out, map_out, backdrop or [], language)
    if as_json:
        told = json.loads(found.drop(columns="geometry").reset_index().to_json(orient="records", date_format="iso"))
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    counted = [name for name in ("residents", "jobs") if name in found]
    table = plain_table("minutes", "km²", *counted)
    for _, row in found.sort_values("band_min").iterrows():
        table.add_row(
            f"{row['band_min']:g}", number_text(row["area_km2"], 2), *(number_text(row[name], 0) for name in counted)
        )
    stdout.print(table)
    for sentence in isochrone_notes(found, network):
        stdout.print(f"[dim]Note: {escape(sentence.rstrip('.'))}.[/]", soft_wrap=True)
    for path in (out, map_out):
        if path:
            stdout.print(f"Written to [bold]{escape(str(path))}[/].", soft_wrap=True)


def _draw(
    bands: gpd.GeoDataFrame, place: gpd.GeoDataFrame, out: Path | None, map_out: Path | None, backdrop: list[str],
    language: str,
) -> None:  # fmt: skip
    import datetime as dt  # noqa: PLC0415  as above

    from geoplan.run.folder import atomic_file  # noqa: PLC0415  as above
    from geoplan.run.travelling import read_backdrop, write_drawn  # noqa: PLC0415  as above
    from geoplan.show import explore_isochrones, plot_isochrones, write_isochrones  # noqa: PLC0415  as above

    if out:
        moment = str(bands["moment"].iloc[0])[:10]
        day = dt.date.fromisoformat(moment) if moment else dt.date(1970, 1, 1)  # the same command, the same bytes
        with atomic_file(out) as target:
            target.unlink(missing_ok=True)  # only the name was wanted
            write_isochrones(target, bands, date=day, language=language)
    if map_out:
        look: dict[str, Any] = {"places": place, "language": language}
        look["backdrop"] = read_backdrop(backdrop, root=project_here())
        write_drawn(map_out, lambda: explore_isochrones(bands, **look), lambda: plot_isochrones(bands, **look))
