"""Published indices whose conventions a scenario can take whole; they stand in ``geoplan/risk/presets``."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from geoplan.errors import Fault, SpecError, did_you_mean
from geoplan.specs.index import DomainSpec, IndexSpec
from geoplan.specs.reading import parse_spec

__all__ = ["index_preset", "preset_names", "with_preset"]


def _folder() -> Any:
    return resources.files("geoplan").joinpath("risk", "presets")


def preset_names() -> tuple[str, ...]:
    """Return the presets there are.

    Examples
    --------
    >>> "wimd_2019" in preset_names()
    True
    """
    return tuple(sorted(file.name.removesuffix(".toml") for file in _folder().iterdir() if file.name.endswith(".toml")))


def with_preset(index: dict[str, Any], *, key: str = "preset") -> dict[str, Any]:
    """Fill what an ``[index]`` table leaves open from the preset it names; tables are filled key by key.

    Raises
    ------
    SpecError
        When there is no such preset.

    Examples
    --------
    >>> with_preset({"preset": "wimd_2019", "ranks": {"constant": 20}})["ranks"]["constant"]
    20
    """
    name = index.get("preset")
    if not isinstance(name, str):
        return index  # none, or told by the models
    if name not in preset_names():
        hint = did_you_mean(name, preset_names())
        raise SpecError(Fault(what=f"no preset is called '{name}'", key=key, hint=hint))
    content = tomllib.loads(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    content.pop("about", None)
    if "phase" in index:
        content.pop("domains", None)
    own = index.get("domains")
    if own and _indicators(own) != _indicators(content.get("domains", ())):  # they come with figures of one's own
        content = {part: value for part, value in content.items() if part not in {"directions", "targets"}}
    return _filled(content, index)


def _indicators(domains: Any) -> set[str]:
    """Return the indicators of domains as far as they are written as they should be."""
    found: set[str] = set()
    for item in domains if isinstance(domains, list | tuple) else ():
        domain = item.model_dump() if isinstance(item, DomainSpec) else item
        if isinstance(domain, dict):
            named = domain.get("indicators")
            found |= {str(name) for name in named} if isinstance(named, list | tuple | dict) else set()
            found |= _indicators(domain.get("parts"))
    return found


def _filled(content: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(content)
    for name, value in own.items():
        below = merged.get(name)
        merged[name] = _filled(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def index_preset(name: str, **changes: Any) -> IndexSpec:
    """Return a published index as a specification.

    Parameters
    ----------
    name
        Such as ``wimd_2019``; see :func:`preset_names`.
    changes
        Fields of :class:`IndexSpec` in place of the preset's; tables such as ``ranks={"ties": "lowest"}`` are filled
        key by key.

    Raises
    ------
    SpecError
        When there is no such preset, or the changes do not fit.

    Examples
    --------
    >>> index_preset("wimd_2019").domains[0].weight
    0.22
    >>> index_preset("imd_2019", ranks={"ties": "lowest"}).ranks.ties
    'lowest'
    """
    unknown = sorted(set(changes) - set(IndexSpec.model_fields))
    if unknown:
        hint = did_you_mean(unknown[0], IndexSpec.model_fields)
        raise SpecError(Fault(what=f"an index has no field '{unknown[0]}'", hint=hint))
    if "preset" in changes:
        raise SpecError(Fault(what="a preset cannot change its name", key="preset"))
    return parse_spec(with_preset({"preset": name, **changes}), IndexSpec, file=f"preset {name}")
