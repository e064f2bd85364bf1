"""``geoplan check``: every fault of a project's TOML files and data at once, and what a careful reader should know."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from geoplan.errors import CrsError, Fault, Faults, GeoplanError, SpecError
from geoplan.places import IndicatorTable, as_crs, change_lines
from geoplan.places.lint import Finding
from geoplan.run.choosing import check_choice
from geoplan.run.datasets import read_areas, read_crosswalk, read_features, read_land, read_matched, read_membership
from geoplan.run.granting import grants_of
from geoplan.run.linting import lint_layer, lint_scenario, lint_together, lint_two_levels
from geoplan.run.matching import read_aliases
from geoplan.run.opening import open_run
from geoplan.run.outputs import ranking_table
from geoplan.run.sheets import definition_notes
from geoplan.run.story import Run
from geoplan.sources import Catalogue, Dataset, check_raster
from geoplan.specs import (
    AliasesLayer,
    AreasLayer,
    BackdropLayer,
    CrosswalkLayer,
    IndicatorsLayer,
    LandLayer,
    MembershipLayer,
    PointsLayer,
    RasterLayer,
    StreetsLayer,
    TimetableLayer,
)

__all__ = ["CheckReport", "check_project"]


@dataclass
class CheckReport:
    """What a check found.

    Attributes
    ----------
    checked
        Files of the catalogue that were looked at.
    faults
        What must be mended, each once; those of the linter are :class:`~geoplan.places.Finding`.
    notes
        What is worth knowing, as pairs of a file and a sentence: repairs, overlaps, areas without data.
    findings
        The linter's notes: figures that may be right and that somebody should look at.
    """

    checked: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def keep(self, findings: Iterable[Finding]) -> None:
        """Put each of the linter's findings where it belongs."""
        for found in findings:
            (self.faults if found.severity == "fault" else self.findings).append(found)


def check_project(root: Path, *, on_step: Callable[[str], None] | None = None) -> CheckReport:
    """Read everything in a project, as a run would, and collect all faults.

    Parameters
    ----------
    root
        A folder with ``layers/``, ``scenarios/`` and ``maps/``, and ``rules/`` where it has rules of its own.
    on_step
        Called with each file's name before it is looked at.

    Raises
    ------
    SpecError
        When the folder is no project.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> check_project(home()).faults
    []
    """
    catalogue = Catalogue(root.resolve())
    if not catalogue.names("layers"):
        expected = "a folder with layers/*.toml, scenarios/*.toml and maps/*.toml"
        raise SpecError(Fault(what="this is not a project of geoplan", file=str(root), expected=expected))
    report, faults = CheckReport(), Faults()

    def looked_at(name: str) -> None:
        report.checked.append(name)
        if on_step:
            on_step(name)

    tables: dict[str, tuple[Dataset, IndicatorTable]] = {}
    for name in catalogue.names("layers"):
        looked_at(f"layers/{name}.toml")
        with faults.catch():
            dataset = catalogue.layer(name)
            said = definition_notes(catalogue, dataset)
            if isinstance(dataset.spec, IndicatorsLayer):
                table, match = read_matched(dataset)
                tables[name] = dataset, table
                said = [*_told(table), *(match.lines() if match else []), *said]
                report.keep(lint_layer(dataset, table))
            else:
                said = [*_check_layer(dataset), *said]
            report.notes += [(f"layers/{name}.toml", text) for text in said]
    for name in catalogue.names("maps"):
        looked_at(f"maps/{name}.toml")
        with faults.catch():
            catalogue.map(name)
    for name in catalogue.names("rules"):
        looked_at(f"rules/{name}.toml")
        with faults.catch():
            catalogue.rule(name)
    scenarios: dict[str, tuple[str, ...]] = {}
    for name in catalogue.names("scenarios"):
        looked_at(f"scenarios/{name}.toml")
        with faults.catch(file=f"scenarios/{name}.toml"):
            run = open_run(catalogue.root / "scenarios" / f"{name}.toml")
            scenarios[run.shown] = run.spec.indicators.layers
            with faults.catch(file=run.shown):
                report.notes += [(run.shown, text) for text in _check_scenario(run)]
                report.keep(lint_scenario(run))
            with faults.catch(file=run.shown, key="targeting"):
                report.notes += [(run.shown, text) for text in check_choice(run)]
                grants_of(run, noise=False)
    report.keep(lint_together(tables, scenarios))
    if len(tables) > 1:
        report.keep(lint_two_levels(tables, _membership(catalogue)))
    report.faults = _each_once([*faults, *report.faults])
    return report


def _each_once(faults: list[Fault]) -> list[Fault]:
    """Leave out what has been told before; the rules of a scenario stumble over the same tables as its index."""
    once = list(dict.fromkeys(faults))
    others = {replace(fault, key=None) for fault in once if not _of_choice(fault)}
    return [fault for fault in once if not (_of_choice(fault) and replace(fault, key=None) in others)]


def _of_choice(fault: Fault) -> bool:
    return (fault.key or "").startswith("targeting")


def _membership(catalogue: Catalogue) -> pd.DataFrame:
    """Return all membership tables of a project in one; what is wrong with any of them has been told."""
    parts: list[pd.DataFrame] = []
    for name in catalogue.names("layers"):
        with suppress(GeoplanError):
            dataset = catalogue.layer(name)
            if isinstance(dataset.spec, MembershipLayer):
                parts.append(read_membership(dataset))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["child_id", "parent_id", "relation", "share"])
    )


def _check_layer(dataset: Dataset) -> list[str]:
    spec = dataset.spec
    match spec:
        case AreasLayer():
            return read_areas(dataset, None if _is_metric(spec.crs) else "EPSG:3035")[1].lines()
        case AliasesLayer():
            read_aliases(dataset)
        case MembershipLayer():
            read_membership(dataset)
        case CrosswalkLayer():
            return change_lines(read_crosswalk(dataset))
        case BackdropLayer() | PointsLayer():
            read_features(dataset, None if _is_metric(spec.crs) else "EPSG:3035")
        case LandLayer():
            read_land(dataset, None if _is_metric(spec.crs) else "EPSG:3035")
        case RasterLayer():
            with Faults.located_at(dataset.shown, toml=dataset.toml):
                check_raster(dataset.verified(), crs=spec.crs, band=spec.band)
        case StreetsLayer() | TimetableLayer():
            with Faults.located_at(dataset.shown, toml=dataset.toml):
                dataset.verified()
    return []


def _is_metric(crs: str) -> bool:
    """Tell whether a layer is measured in as published; others are checked in Europe's equal-area system."""
    try:
        return bool(as_crs(crs).is_projected)
    except CrsError:
        return True  # the reader that follows says so with the file's name


def _told(table: IndicatorTable) -> list[str]:
    counts = table.data["status"].value_counts().to_dict()
    missing = {name: number for name, number in counts.items() if name != "observed"}
    listed = ", ".join(f"{number:,} {name}" for name, number in sorted(missing.items()))
    return [f"{sum(counts.values()):,} figures, of which {listed}"] if listed else []


def _check_scenario(run: Run) -> list[str]:
    certificate = run.index().certificate
    for map_name in run.spec.output.maps:
        run.style(map_name)
    run.backdrop()
    ranking_table(run)
    said = [f"{certificate.ranked} areas ranked, {certificate.excluded} listed without a rank"]
    nesting = [f"{tie}: {line}" for tie, report in run.nesting().items() for line in report.lines()]
    known = {*run.area_report().lines(), *nesting}  # overlaps are said of the layer
    return said + [line for line in run.notes() if line not in known] + nesting
