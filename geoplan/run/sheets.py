"""Definition sheets of a project: what each indicator is, on which registry it stands, and who uses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.places import differences, goals_of, registry_notes, unexplained
from geoplan.sources import Catalogue, Dataset, home
from geoplan.specs import Goal, IndicatorsLayer, IndicatorSpec, RegistryLayer, ScenarioSpec

__all__ = ["Sheet", "definition_notes", "find_sheets", "open_registry", "read_sheets"]


@dataclass(frozen=True)
class Sheet:
    """The definition of an indicator in one file of the catalogue, with everything that hangs on it.

    Attributes
    ----------
    spec
        The definition, what is inherited filled in.
    file
        The layer or registry it was read from, without ``.toml``.
    registries
        The registries it stands on, the nearest first; empty when it is defined in the file alone.
    scope
        ``national``: as the furthest registry defines it; ``adapted``: with another base, unit …; ``local``: no
        registry that others share defines it.
    differences
        Where each file on the way departs from the registry it stands on: the columns of
        :func:`~geoplan.places.differences` after ``file`` and ``registry``.
    goals
        Goals it speaks of, as the file and its registries name them.
    phases
        Pairs of a phase's version and the domain it stands in there.
    layers
        Layers of indicators that use the definition; of a layer's sheet that layer itself.
    scenarios
        Pairs of a scenario that reads one of them and the domain it is ranked in; no domain where it is read only.
    """

    spec: IndicatorSpec
    file: str
    registries: tuple[str, ...]
    scope: str
    differences: pd.DataFrame
    goals: tuple[Goal, ...]
    phases: tuple[tuple[str, str], ...]
    layers: tuple[str, ...]
    scenarios: tuple[tuple[str, str | None], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the sheet as what JSON can hold."""
        return {
            "file": self.file,
            "registries": list(self.registries),
            "scope": self.scope,
            **self.spec.model_dump(mode="json"),
            "goals": [{"id": goal.id, "label": goal.label.model_dump(exclude_none=True)} for goal in self.goals],
            "phases": [{"version": version, "domain": domain} for version, domain in self.phases],
            "layers": list(self.layers),
            "scenarios": [{"id": name, "domain": domain} for name, domain in self.scenarios],
            "differences": self.differences.to_dict(orient="records"),
        }


def open_registry(name: str, project: str | Path | None = None) -> RegistryLayer:
    """Open a registry; one the project lacks is looked for in those that geoplan ships.

    Parameters
    ----------
    name
        Its file in ``layers/``, without ``.toml``.
    project
        A folder with ``layers/``; the sample when left out.

    Raises
    ------
    SpecError
        When there is no such registry, or it is faulty.

    Examples
    --------
    >>> [goal.label.to("en") for goal in open_registry("nordhamra_registry").goals][:2]
    ['More people in work', 'More leave school with passes']
    """
    spec = Catalogue(Path(project).resolve() if project else home()).registry(name).spec
    assert isinstance(spec, RegistryLayer)  # noqa: S101  registry() has seen to it
    return spec


def read_sheets(
    root: Path, *, layer: str | None = None, registry: str | None = None, language: str = "en"
) -> list[Sheet]:
    """Read the definition sheets of a project.

    Parameters
    ----------
    root
        A folder with ``layers/``, ``scenarios/`` and ``maps/``.
    layer, registry
        Read this layer of indicators, or this registry, only. Otherwise all layers of indicators are read, and after
        them what registries of the project define besides.
    language
        ``sv``, ``da`` or ``en``: the language that differences are told in.

    Returns
    -------
    list of Sheet
        In the order of the files.

    Raises
    ------
    SpecError
        When there is no such layer or registry, or a file is faulty.

    Examples
    --------
    >>> sheet = find_sheets(read_sheets(home()), "employment_20_64")[0]
    >>> sheet.file, sheet.scope, sheet.registries
    ('nordhamra_indicators', 'adapted', ('nordhamra_registry', 'sweden_core'))
    """
    catalogue = Catalogue(root.resolve())
    if not catalogue.names("layers"):
        expected = "a folder with layers/*.toml, scenarios/*.toml and maps/*.toml"
        raise SpecError(Fault(what="this is not a project of geoplan", file=str(root), expected=expected))
    scenarios = {name: catalogue.scenario(name) for name in catalogue.names("scenarios")}
    layers = [_chain(catalogue, dataset) for dataset in map(catalogue.layer, catalogue.names("layers"))]
    layers = [chain for chain in layers if isinstance(chain[0].spec, IndicatorsLayer)]

    def defined(chain: list[Dataset]) -> list[Sheet]:
        return _sheets_of(chain, layers, scenarios, language)

    if layer or registry:
        return defined(_chain(catalogue, _chosen(catalogue, layer, registry)))
    found = [sheet for chain in layers for sheet in defined(chain)]
    used = {(name, sheet.spec.id) for sheet in found for name in sheet.registries}
    for name in catalogue.registries():
        besides = defined(_chain(catalogue, catalogue.layer(name)))
        found += [sheet for sheet in besides if not sheet.registries and (name, sheet.spec.id) not in used]
    return found


def find_sheets(sheets: Iterable[Sheet], indicator: str) -> list[Sheet]:
    """Return the sheets of one indicator.

    Raises
    ------
    SpecError
        When none of them is of that indicator.
    """
    everything = list(sheets)
    found = [sheet for sheet in everything if sheet.spec.id == indicator]
    if not found:
        raise checks.unknown_name("indicator", indicator, {sheet.spec.id for sheet in everything})
    return found


def definition_notes(catalogue: Catalogue, dataset: Dataset) -> list[str]:
    """Return what a careful reader should know of a file's definitions, as sentences; other files have nothing."""
    if not isinstance(dataset.spec, IndicatorsLayer | RegistryLayer):
        return []
    said = []
    for below, above in pairwise(_chain(catalogue, dataset)[:2]):
        silent = unexplained(differences(_definitions(below), _definitions(above)))
        for name, rows in silent.groupby("indicator", sort=False):
            fields = ", ".join(
                f"{row.field} ({row.core or 'none'} → {row.local or 'none'})" for row in rows.itertuples()
            )
            said.append(f"'{name}' departs from '{above.id}' in {fields}; say why under `difference`")
    return said + (registry_notes(dataset.spec) if isinstance(dataset.spec, RegistryLayer) else [])


# ---------------------------------------------------------------- reading


def _chosen(catalogue: Catalogue, layer: str | None, registry: str | None) -> Dataset:
    """Return the one file of definitions that was asked for."""
    dataset = catalogue.registry(registry) if registry else catalogue.layer(str(layer))
    if not isinstance(dataset.spec, IndicatorsLayer | RegistryLayer):
        what = f"the layer '{layer}' is of kind '{dataset.spec.kind}'"
        raise SpecError(Fault(what=what, expected="a layer of kind 'indicators'"))
    return dataset


def _chain(catalogue: Catalogue, dataset: Dataset) -> list[Dataset]:
    """Return a file of definitions and the registries it stands on, one upon the other."""
    chain = [dataset]
    while name := getattr(chain[-1].spec, "registry", None) or getattr(chain[-1].spec, "extends", None):
        chain.append(catalogue.registry(name))
    return chain


def _definitions(dataset: Dataset) -> tuple[IndicatorSpec, ...]:
    spec = dataset.spec
    return spec.indicators if isinstance(spec, IndicatorsLayer | RegistryLayer) else ()


def _sheets_of(
    chain: list[Dataset], layers: list[list[Dataset]], scenarios: dict[str, ScenarioSpec], language: str
) -> list[Sheet]:
    """Put together the sheets of a file of definitions, the first of a chain; ``layers`` are those that may use it."""
    departed = _departures(chain, language)
    registries = [item.spec for item in chain if isinstance(item.spec, RegistryLayer)]
    shared = {item.id for item in _definitions(chain[-1])} if registries else set()
    found = []
    for item in _definitions(chain[0]):
        own = departed[departed["indicator"] == item.id].reset_index(drop=True)
        users = [other[0].id for other in layers if chain[0].id in _ids(other) and _defines(other[0], item.id)]
        reading = {name: spec for name, spec in scenarios.items() if set(users) & set(spec.indicators.layers)}
        found.append(
            Sheet(
                spec=item,
                file=chain[0].id,
                registries=tuple(link.id for link in chain[1:] if _defines(link, item.id)),
                scope="local" if item.id not in shared else "adapted" if _adapted(own) else "national",
                differences=own,
                goals=tuple(goal for spec in registries for goal in _goals(spec, item.id)),
                phases=tuple(pair for spec in registries for pair in _phases(spec, item.id)),
                layers=tuple(users),
                scenarios=tuple((name, _domain(spec, item.id)) for name, spec in reading.items()),
            )
        )
    return found


def _departures(chain: list[Dataset], language: str) -> pd.DataFrame:
    """Return where each file of a chain departs from the one it stands on."""
    columns = ["file", "registry", "indicator", "field", "core", "local", "change", "reason"]
    parts = [
        differences(_definitions(below), _definitions(above), language).assign(file=below.id, registry=above.id)
        for below, above in pairwise(chain)
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _ids(chain: list[Dataset]) -> list[str]:
    return [dataset.id for dataset in chain]


def _defines(dataset: Dataset, indicator: str) -> bool:
    return any(item.id == indicator for item in _definitions(dataset))


def _adapted(rows: pd.DataFrame) -> bool:
    """Tell whether a definition makes another figure than the registry's: it says why, or should."""
    return not unexplained(rows.assign(reason="")).empty


def _goals(registry: RegistryLayer, indicator: str) -> tuple[Goal, ...]:
    known = {item.id for item in registry.indicators}
    return goals_of(registry, indicator) if indicator in known else ()


def _phases(registry: RegistryLayer, indicator: str) -> list[tuple[str, str]]:
    return [
        (phase.version, domain.id)
        for phase in registry.phases
        for domain in phase.domains
        if indicator in domain.indicators
    ]


def _domain(scenario: ScenarioSpec, indicator: str) -> str | None:
    return next((domain.id for domain in scenario.index.domains if indicator in domain.indicators), None)
