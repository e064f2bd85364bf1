"""The catalogue: which datasets there are, and where their files lie.

A *project* is a folder with ``layers/``, ``scenarios/`` and ``maps/``. The package ships one of its own, the
sample, found by :func:`home`; a city makes its own folder of the same shape.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from geoplan import checks
from geoplan.errors import Fault, Faults, SourceError, SpecError, did_you_mean, listed
from geoplan.specs import (
    IndicatorSpec,
    Layer,
    MapSpec,
    RegistryLayer,
    RuleSpec,
    ScenarioSpec,
    parse_layer,
    parse_spec,
    read_rule,
    read_toml,
    registry_faults,
    rule_book,
    rule_names,
    with_preset,
)

__all__ = ["Catalogue", "Dataset", "home", "sha256_of"]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_BLOCK = 1 << 20
#: The key by which a kind of layer names the registry that its definitions stand on.
_STANDS_ON = {"indicators": "registry", "registry": "extends"}
_BLOCKS = "indicators"
_NEEDED = {"label": "?", "kind": "count", "unit": "?", "direction": "neutral"}
SpecT = TypeVar("SpecT", bound=BaseModel)


@cache
def home() -> Path:
    """Return the folder of the catalogue and sample that geoplan ships.

    Examples
    --------
    >>> (home() / "scenarios" / "baseline.toml").is_file()
    True
    """
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_home"  # in a wheel; in a checkout the folders stand beside the package
    return shipped if shipped.is_dir() else package.parent


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue with the place of its file."""

    id: str
    spec: Layer
    path: Path
    shown: str
    """The file as faults name it: relative to the project where it lies inside."""
    toml: str
    catalogue: Catalogue = field(repr=False, compare=False)
    """Where the layers lie that this one names."""

    def verified(self) -> Path:
        """Return the path after checking that the file is there and unchanged.

        Raises
        ------
        SourceError
            When the file is missing or its checksum is not the one in the catalogue.
        """
        if not self.path.is_file():
            hint = f"`path` in {self.toml} points there"
            raise SourceError(Fault(what="there is no such file", file=self.shown, hint=hint))
        wanted = None if isinstance(self.spec, RegistryLayer) else self.spec.sha256
        if wanted and sha256_of(self.path) != wanted:
            raise SourceError(
                Fault(
                    what="the file is not the one the catalogue describes: its SHA-256 differs",
                    file=self.shown,
                    hint=f"fetch it again, or update `sha256` and `vintage` in {self.toml} if it was renewed",
                )
            )
        return self.path


@dataclass(frozen=True)
class Catalogue:
    """The layers, scenarios and maps of a project folder.

    Parameters
    ----------
    root
        The folder that holds ``layers/``, ``scenarios/`` and ``maps/``, and ``rules/`` where a city has its own.
    """

    root: Path
    _read: dict[Path, Any] = field(default_factory=dict, repr=False, compare=False)

    def names(self, folder: str) -> list[str]:
        """Return the ids in ``layers``, ``scenarios``, ``maps`` or ``rules``: the file names without ``.toml``."""
        return sorted(path.stem for path in (self.root / folder).glob("*.toml"))

    def layer(self, name: str, *, key: str | None = None) -> Dataset:
        """Return a dataset of ``layers/`` by its id.

        Raises
        ------
        SpecError
            When there is no such layer, or its TOML is faulty.
        """
        path = self._path("layers", "layer", name, key)
        shown = self.shown(path)
        faults = Faults()
        with faults.catch(file=shown):
            content = self._inherited(self._toml(path, shown), shown, faults)
            spec = parse_layer(content, file=shown)
            if isinstance(spec, RegistryLayer) and (found := registry_faults(spec)):
                raise SpecError(found)
            # A registry's definitions stand in the catalogue itself; everything else points to a file.
            file = path if isinstance(spec, RegistryLayer) else self._resolve(spec.path, path.parent, shown)
        faults.raise_any()
        return Dataset(id=name, spec=spec, path=file, shown=self.shown(file), toml=shown, catalogue=self)

    def registry(self, name: str, *, key: str | None = None) -> Dataset:
        """Return a registry by its id; one the project lacks is looked for in the shipped ones.

        Raises
        ------
        SpecError
            When there is no such registry, or its TOML is faulty.
        """
        if name not in self.names("layers"):
            shipped = Catalogue(home())
            if name in shipped.registries():
                return shipped.layer(name)
            raise checks.unknown_name("registry", name, {*self.registries(), *shipped.registries()}, key=key)
        dataset = self.layer(name)
        if not isinstance(dataset.spec, RegistryLayer):
            what = f"the layer '{name}' is of kind '{dataset.spec.kind}'"
            raise SpecError(Fault(what=what, key=key, expected="a layer of kind 'registry'"))
        return dataset

    def registries(self) -> list[str]:
        """Return the ids of the registries among the layers, as far as their files can be read."""
        return [name for name in self.names("layers") if self._raw(name).get("kind") == "registry"]

    def _raw(self, name: str) -> dict[str, Any]:
        """Return what a layer's file says, or nothing when it is no TOML, which is told where it is asked for."""
        path = self.root / "layers" / f"{name}.toml"
        with Faults().catch():
            return self._toml(path, self.shown(path))
        return {}

    def _inherited(self, content: dict[str, Any], shown: str, faults: Faults) -> dict[str, Any]:
        """Fill the [[indicators]] blocks of a file with what the registry it stands on says of the same ids."""
        key = _STANDS_ON.get(str(content.get("kind")), "")
        name, blocks = content.get(key), content.get(_BLOCKS, [])
        if not isinstance(name, str) or not isinstance(blocks, list):
            return content  # what is no text or no list is told by the models
        self._must_end(name, key)
        core = self.registry(name, key=key).spec
        assert isinstance(core, RegistryLayer)  # noqa: S101  registry() has seen to it
        sheets = {item.id: _sheet(item) for item in core.indicators}
        filled = []
        for place, block in enumerate(blocks):
            with faults.catch(file=shown, key=f"{_BLOCKS}.{place}"):
                _must_be_defined(block, sheets, name)
            filled.append(_filled(block, sheets))
        if key == "extends":
            own = [block.get("id") for block in blocks if isinstance(block, dict)]
            filled += [sheet for sheet in sheets.values() if sheet["id"] not in own]
        return {**content, _BLOCKS: filled}

    def _with_domains(self, content: dict[str, Any]) -> dict[str, Any]:
        """Fill what a scenario's index leaves open from its preset, and its domains from the phase that it names."""
        index = content.get("index")
        if isinstance(index, dict):
            index = with_preset(index, key="index.preset")
            content = {**content, "index": index}
        phase = index.get("phase") if isinstance(index, dict) else None
        if not isinstance(index, dict) or not isinstance(phase, dict):
            return content
        name, version = phase.get("registry"), phase.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            return content  # told by the models
        if "domains" in index:
            expected = "either `phase` or [[index.domains]]"
            raise SpecError(Fault(what="the domains are given twice", key="index.phase", expected=expected))
        core = self.registry(name, key="index.phase.registry").spec
        assert isinstance(core, RegistryLayer)  # noqa: S101  registry() has seen to it
        phases = {item.version: item for item in core.phases}
        if version not in phases:
            raise checks.unknown_name("phase of the registry", version, phases, key="index.phase.version")
        if not phases[version].holds_in(str(content.get("period"))):
            what = f"the phase '{version}' does not hold in {content.get('period')}"
            raise SpecError(Fault(what=what, key="index.phase.version", expected="a phase of the scenario's period"))
        domains = [item.model_dump(exclude_unset=True) for item in phases[version].domains]
        return {**content, "index": {**index, "domains": domains}}

    def _must_end(self, name: str, key: str) -> None:
        """Refuse registries that stand on each other in a circle; the shipped ones do not."""
        way = [name]
        while way[-1] in self.names("layers") and isinstance(on := self._raw(way[-1]).get("extends"), str):
            way.append(on)
            if on in way[:-1]:
                what = f"the registry '{on}' extends itself: {' → '.join(way[way.index(on) :])}"
                raise SpecError(Fault(what=what, key=key, hint="let a registry stand on another one, or on none"))

    def scenario(self, name: str) -> ScenarioSpec:
        """Return a scenario by its id; domains that a phase of a registry names are filled in."""
        path = self._path("scenarios", "scenario", name, None)
        shown = self.shown(path)
        with Faults.located_at(shown):
            return parse_spec(self._with_domains(self._toml(path, shown)), ScenarioSpec, file=shown)

    def map(self, name: str, *, key: str | None = None) -> MapSpec:
        """Return a map definition by its id; one the project lacks is looked for in the shipped ones."""
        if name not in self.names("maps") and name in Catalogue(home()).names("maps"):
            return Catalogue(home()).map(name)
        return self._spec("maps", "map", name, MapSpec, key)

    def rule(self, name: str, *, key: str | None = None) -> RuleSpec:
        """Return a rule book by its id: one of the project's ``rules/`` folder, or one that comes with geoplan.

        Raises
        ------
        SpecError
            When there is no such rule book, or its TOML is faulty.
        """
        own = self.names("rules")
        if name in own:
            path = self.root / "rules" / f"{name}.toml"
            return read_rule(path, shown=self.shown(path))
        if name not in rule_names():
            raise checks.unknown_name("rule book", name, [*own, *rule_names()], key=key)
        return rule_book(name)

    def shown(self, path: Path) -> str:
        """Return a path as faults show it."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return os.path.relpath(path, self.root).replace(os.sep, "/")

    def _spec(self, folder: str, kind: str, name: str, model: type[SpecT], key: str | None = None) -> SpecT:
        path = self._path(folder, kind, name, key)
        shown = self.shown(path)
        return parse_spec(self._toml(path, shown), model, file=shown)

    def _path(self, folder: str, kind: str, name: str, key: str | None) -> Path:
        known = self.names(folder)
        if not (self.root / folder).is_dir():
            what = f"there is no folder '{folder}' beside it"
            raise SpecError(Fault(what=what, key=key, expected="a project: layers/, scenarios/ and maps/ side by side"))
        if name not in known:
            raise checks.unknown_name(kind, name, known, key=key)
        return self.root / folder / f"{name}.toml"

    def _toml(self, path: Path, shown: str) -> dict[str, Any]:
        if path not in self._read:
            self._read[path] = read_toml(path, shown=shown)
        content: dict[str, Any] = self._read[path]
        return content

    @staticmethod
    def _resolve(text: str, folder: Path, toml: str) -> Path:
        def replaced(match: re.Match[str]) -> str:
            value = os.environ.get(match["name"])
            if value:
                return str(Path(value).expanduser().resolve())
            if match["default"] is None:
                hint = f"export {match['name']}=/folder/with/the/data"
                what = f"the environment variable {match['name']} is not set"
                raise SpecError(Fault(what=what, file=toml, key="path", hint=hint))
            return match["default"]

        return Path(os.path.normpath(folder / _VARIABLE.sub(replaced, text)))


def _sheet(item: IndicatorSpec) -> dict[str, Any]:
    """Return what a block inherits: what is written of an indicator, but for its own departure from elsewhere."""
    return item.model_dump(exclude_unset=True, exclude={"difference"})


def _must_be_defined(block: object, sheets: dict[str, dict[str, Any]], registry: str) -> None:
    """Refuse a block that is neither the registry's nor whole in itself; what is no block is told by the models."""
    if not isinstance(block, dict) or not isinstance(block.get("id"), str) or block["id"] in sheets:
        return
    lacking = [name for name in _NEEDED if name not in block]
    if lacking:
        what = f"the registry '{registry}' has no indicator called '{block['id']}', and the block itself lacks "
        raise SpecError(Fault(what=what + listed(lacking), hint=did_you_mean(block["id"], sheets)))


def _filled(block: object, sheets: dict[str, dict[str, Any]]) -> Any:
    """Put a block over the registry's sheet of the same id; what it lacks has been told, if there is none."""
    if not isinstance(block, dict) or not isinstance(block.get("id"), str):
        return block
    return {**sheets.get(block["id"], _NEEDED), **block}
