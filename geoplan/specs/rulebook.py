"""The rule books that come with geoplan; they stand in ``geoplan/targeting/rulebook``."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from geoplan.errors import Fault, Faults, SpecError, did_you_mean
from geoplan.specs.presets import with_preset
from geoplan.specs.reading import parse_spec, read_toml
from geoplan.specs.rules import RuleSpec

__all__ = ["read_rule", "rule_book", "rule_names"]


def _folder() -> Any:
    return resources.files("geoplan").joinpath("targeting", "rulebook")


def rule_names() -> tuple[str, ...]:
    """Return the rule books there are.

    Examples
    --------
    >>> "se_2012" in rule_names()
    True
    """
    return tuple(sorted(file.name.removesuffix(".toml") for file in _folder().iterdir() if file.name.endswith(".toml")))


def rule_book(name: str) -> RuleSpec:
    """Return a rule book that comes with geoplan.

    Parameters
    ----------
    name
        Such as ``se_2012``; see :func:`rule_names`.

    Raises
    ------
    SpecError
        When there is none of this name.

    Examples
    --------
    >>> rule_book("se_2012").status("programme_area").minimum_population
    4000
    """
    if name not in rule_names():
        hint = did_you_mean(name, rule_names())
        raise SpecError(Fault(what=f"no rule book is called '{name}'", hint=hint))
    content = tomllib.loads(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return parse_spec(content, RuleSpec, file=f"rule book {name}")


def read_rule(path: Path, *, shown: str | None = None) -> RuleSpec:
    """Read a rule book of one's own.

    Raises
    ------
    SpecError
        With every unknown key, missing key and wrong value of the file.
    """
    name = shown or str(path)
    rule = parse_spec(read_toml(path, shown=name), RuleSpec, file=name)
    if rule.preset is not None:
        with Faults.located_at(name):
            with_preset({"preset": rule.preset})
    return rule
