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
from geoplan.errors import Fault, SourceError, SpecError
from geoplan.specs import Layer, MapSpec, RegistryLayer, ScenarioSpec, parse_layer, parse_spec, read_toml

__all__ = ["Catalogue", "Dataset", "home", "sha256_of"]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_BLOCK = 1 << 20
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
        The folder that holds ``layers/``, ``scenarios/`` and ``maps/``.
    """

    root: Path
    _read: dict[Path, Any] = field(default_factory=dict, repr=False, compare=False)

    def names(self, folder: str) -> list[str]:
        """Return the ids in ``layers``, ``scenarios`` or ``maps``: the file names without ``.toml``."""
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
        spec = parse_layer(self._toml(path, shown), file=shown)
        # A registry's definitions stand in the catalogue itself; everything else points to a file.
        file = path if isinstance(spec, RegistryLayer) else self._resolve(spec.path, path.parent, shown)
        return Dataset(id=name, spec=spec, path=file, shown=self.shown(file), toml=shown, catalogue=self)

    def scenario(self, name: str) -> ScenarioSpec:
        """Return a scenario by its id."""
        return self._spec("scenarios", "scenario", name, ScenarioSpec)

    def map(self, name: str, *, key: str | None = None) -> MapSpec:
        """Return a map definition by its id; one the project lacks is looked for in the shipped ones."""
        if name not in self.names("maps") and name in Catalogue(home()).names("maps"):
            return Catalogue(home()).map(name)
        return self._spec("maps", "map", name, MapSpec, key)

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
