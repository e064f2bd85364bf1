"""``geoplan check``: every fault in layers/, scenarios/ and maps/ at once, and what a careful reader should know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from geoplan.errors import CrsError, Fault, Faults, SpecError
from geoplan.places import as_crs, change_lines
from geoplan.run.outputs import ranking_table
from geoplan.run.story import open_run, read_areas, read_crosswalk, read_features, read_indicators, read_membership
from geoplan.sources import Catalogue, Dataset, check_raster
from geoplan.specs import (
    AreasLayer,
    BackdropLayer,
    CrosswalkLayer,
    IndicatorsLayer,
    MembershipLayer,
    PointsLayer,
    RasterLayer,
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
        What must be mended, each once.
    notes
        What is worth knowing, as pairs of a file and a sentence: repairs, overlaps, areas without data.
    """

    checked: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def check_project(root: Path, *, on_step: Callable[[str], None] | None = None) -> CheckReport:
    """Read everything in a project, as a run would, and collect all faults.

    Parameters
    ----------
    root
        A folder with ``layers/``, ``scenarios/`` and ``maps/``.
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

    for name in catalogue.names("layers"):
        looked_at(f"layers/{name}.toml")
        with faults.catch():
            report.notes += [(f"layers/{name}.toml", text) for text in _check_layer(catalogue.layer(name))]
    for name in catalogue.names("maps"):
        looked_at(f"maps/{name}.toml")
        with faults.catch():
            catalogue.map(name)
    for name in catalogue.names("scenarios"):
        looked_at(f"scenarios/{name}.toml")
        with faults.catch():
            report.notes += [(f"scenarios/{name}.toml", text) for text in _check_scenario(catalogue, name)]
    report.faults = list(dict.fromkeys(faults))
    return report


def _check_layer(dataset: Dataset) -> list[str]:
    spec = dataset.spec
    match spec:
        case AreasLayer():
            return read_areas(dataset, None if _is_metric(spec.crs) else "EPSG:3035")[1].lines()
        case IndicatorsLayer():
            return _told(read_indicators(dataset).data["status"].value_counts().to_dict())
        case MembershipLayer():
            read_membership(dataset)
        case CrosswalkLayer():
            return change_lines(read_crosswalk(dataset))
        case BackdropLayer() | PointsLayer():
            read_features(dataset, None if _is_metric(spec.crs) else "EPSG:3035")
        case RasterLayer():
            with Faults.located_at(dataset.shown, toml=dataset.toml):
                check_raster(dataset.verified(), crs=spec.crs, band=spec.band)
    return []


def _is_metric(crs: str) -> bool:
    """Tell whether a layer is measured in as published; others are checked in Europe's equal-area system."""
    try:
        return bool(as_crs(crs).is_projected)
    except CrsError:
        return True  # the reader that follows says so with the file's name


def _told(counts: dict[str, int]) -> list[str]:
    missing = {name: number for name, number in counts.items() if name != "observed"}
    listed = ", ".join(f"{number:,} {name}" for name, number in sorted(missing.items()))
    return [f"{sum(counts.values()):,} figures, of which {listed}"] if listed else []


def _check_scenario(catalogue: Catalogue, name: str) -> list[str]:
    run = open_run(catalogue.root / "scenarios" / f"{name}.toml")
    certificate = run.index().certificate
    for map_name in run.spec.output.maps:
        run.style(map_name)
    run.backdrop()
    ranking_table(run)
    said = [f"{certificate.ranked} areas ranked, {certificate.excluded} listed without a rank"]
    overlaps = run.area_report().lines()  # said of the layer
    return said + [line for line in run.notes() if line not in overlaps]
