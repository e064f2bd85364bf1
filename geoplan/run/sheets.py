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
    scenarios
        Pairs of a scenario that reads it and the domain it is ranked in; no domain where it is read only.
    """

    spec: IndicatorSpec
    file: str
    registries: tuple[str, ...]
    scope: str
    differences: pd.DataFrame
    goals: tuple[Goal, ...]
    phases: tuple[tuple[str, str], ...]
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
    datasets = _chosen(catalogue, layer, registry)
    found = [sheet for dataset in datasets for sheet in _sheets_of(catalogue, dataset, scenarios, language)]
    if layer or registry:
        return found
    used = {(name, sheet.spec.id) for sheet in found for name in sheet.registries}
    for name in catalogue.registries():
        defined = _sheets_of(catalogue, catalogue.layer(name), scenarios, language)
        found += [sheet for sheet in defined if not sheet.registries and (name, sheet.spec.id) not in used]
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
    for below, above in _steps(_chain(catalogue, dataset)[:2]):
        for name, rows in unexplained(differences(_definitions(below), _definitions(above))).groupby(
            "indicator", sort=False
        ):
            fields = ", ".join(
                f"{row.field} ({row.core or 'none'} → {row.local or 'none'})" for row in rows.itertuples()
            )
            said.append(f"'{name}' departs from '{above.id}' in {fields}; say why under `difference`")
    return said + (registry_notes(dataset.spec) if isinstance(dataset.spec, RegistryLayer) else [])


# ---------------------------------------------------------------- reading


def _chosen(catalogue: Catalogue, layer: str | None, registry: str | None) -> list[Dataset]:
    if registry:
        return [catalogue.registry(registry)]
    if not layer:
        every = [catalogue.layer(name) for name in catalogue.names("layers")]
        return [dataset for dataset in every if isinstance(dataset.spec, IndicatorsLayer)]
    dataset = catalogue.layer(layer)
    if not isinstance(dataset.spec, IndicatorsLayer | RegistryLayer):
        what = f"the layer '{layer}' is of kind '{dataset.spec.kind}'"
        raise SpecError(Fault(what=what, expected="a layer of kind 'indicators'"))
    return [dataset]


def _chain(catalogue: Catalogue, dataset: Dataset) -> list[Dataset]:
    """Return a file of definitions and the registries it stands on, one upon the other."""
    chain = [dataset]
    while name := getattr(chain[-1].spec, "registry", None) or getattr(chain[-1].spec, "extends", None):
        chain.append(catalogue.registry(name))
    return chain


def _steps(chain: list[Dataset]) -> list[tuple[Dataset, Dataset]]:
    return list(pairwise(chain))


def _definitions(dataset: Dataset) -> tuple[IndicatorSpec, ...]:
    spec = dataset.spec
    return spec.indicators if isinstance(spec, IndicatorsLayer | RegistryLayer) else ()


def _sheets_of(
    catalogue: Catalogue, dataset: Dataset, scenarios: dict[str, ScenarioSpec], language: str
) -> list[Sheet]:
    chain = _chain(catalogue, dataset)
    parts = [
        differences(_definitions(below), _definitions(above), language).assign(file=below.id, registry=above.id)
        for below, above in _steps(chain)
    ]
    columns = ["file", "registry", "indicator", "field", "core", "local", "change", "reason"]
    departed = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    ranked = {name: spec for name, spec in scenarios.items() if dataset.id in spec.indicators.layers}
    registries = [item.spec for item in chain if isinstance(item.spec, RegistryLayer)]
    shared = {item.id for item in _definitions(chain[-1])} if registries else set()
    found = []
    for item in _definitions(dataset):
        own = departed[departed["indicator"] == item.id].reset_index(drop=True)
        scope = "local" if item.id not in shared else "adapted" if _adapted(own) else "national"
        defining = [link.id for link in chain[1:] if item.id in {known.id for known in _definitions(link)}]
        found.append(
            Sheet(
                spec=item,
                file=dataset.id,
                registries=tuple(defining),
                scope=scope,
                differences=own,
                goals=tuple(goal for spec in registries for goal in _goals(spec, item.id)),
                phases=tuple(pair for spec in registries for pair in _phases(spec, item.id)),
                scenarios=tuple((name, _domain(spec, item.id)) for name, spec in ranked.items()),
            )
        )
    return found


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
