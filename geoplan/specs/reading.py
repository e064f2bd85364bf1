"""Reading the files: TOML to models, every fault of a file at once with its key and a hint."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from geoplan.errors import Fault, SpecError, did_you_mean, listed
from geoplan.specs.base import SHA256, SLUG
from geoplan.specs.indicators import IndicatorsLayer
from geoplan.specs.maps import MapSpec
from geoplan.specs.places import (
    AliasesLayer,
    AreasLayer,
    BackdropLayer,
    CrosswalkLayer,
    LandLayer,
    MembershipLayer,
    PointsLayer,
    RasterLayer,
    StreetsLayer,
    TimetableLayer,
)
from geoplan.specs.registry import RegistryLayer
from geoplan.specs.rules import RuleSpec
from geoplan.specs.scenarios import ScenarioSpec

__all__ = ["Layer", "json_schemas", "parse_layer", "parse_spec", "read_toml"]

Layer = (
    AreasLayer
    | BackdropLayer
    | PointsLayer
    | LandLayer
    | RasterLayer
    | StreetsLayer
    | TimetableLayer
    | MembershipLayer
    | AliasesLayer
    | CrosswalkLayer
    | IndicatorsLayer
    | RegistryLayer
)
_LAYERS: dict[str, type[Layer]] = {
    "areas": AreasLayer,
    "backdrop": BackdropLayer,
    "points": PointsLayer,
    "land": LandLayer,
    "raster": RasterLayer,
    "streets": StreetsLayer,
    "timetable": TimetableLayer,
    "membership": MembershipLayer,
    "aliases": AliasesLayer,
    "crosswalk": CrosswalkLayer,
    "indicators": IndicatorsLayer,
    "registry": RegistryLayer,
}

SpecT = TypeVar("SpecT", bound=BaseModel)

_LINE = 60  # characters of a value that a fault shows
_TEXT, _TEXTS = "str", "tuple[str, ...]"  # pydantic's tags where a text or a list of texts may stand
_PATTERNS = {SLUG: "small letters a-z, digits, - and _", SHA256: "64 hexadecimal digits"}
_EXPECTED = {
    "bool_type": "true or false",
    "date_type": "a date without quotation marks, such as 2013-03-15",
    "dict_type": "a table: key = value pairs",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_type": "a table: key = value pairs",
    "string_type": "a text in quotation marks",
    "tuple_type": "a list in square brackets",
}


def read_toml(path: Path, *, shown: str | None = None) -> dict[str, Any]:
    """Read a TOML file; ``shown`` is the file's name in faults.

    Raises
    ------
    SpecError
        When the file is missing, is not UTF-8, or is not TOML.
    """
    name = shown or str(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError(Fault(what="there is no such file", file=name)) from None
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8 in the editor"
        raise SpecError(Fault(what="the file is not UTF-8 text", file=name, expected="UTF-8", hint=hint)) from error
    except OSError as error:
        raise SpecError(Fault(what=f"the file cannot be read ({error})", file=name)) from error
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits is no TOML either
        raise SpecError(Fault(what=f"this is not valid TOML: {error}", file=name)) from error


def parse_spec(content: Mapping[str, Any], model: type[SpecT], *, file: str | None = None) -> SpecT:
    """Turn the content of a TOML file into its model.

    Raises
    ------
    SpecError
        With every unknown key, missing key and wrong value of the file.
    """
    try:
        return model.model_validate(dict(content))
    except ValidationError as error:
        items = error.errors()
        inner = {item["loc"][:depth] for item in items for depth in range(1, len(item["loc"]))}
        # A list whose items are wrong is reported as too short besides; the items say it better.
        told = [item for item in items if not (item["type"] == "too_short" and item["loc"] in inner)]
        raise SpecError(_fault(item, model, file) for item in told if not _other_choice(item)) from error


def _other_choice(item: ErrorDetails) -> bool:
    """Tell whether an error speaks of the way of writing that was not used, where a text or a list may stand."""
    _, tag = _untagged(item)
    if tag == _TEXT:
        return isinstance(item["input"], list | tuple)
    return tag == _TEXTS and item["loc"][-1] == tag and not isinstance(item["input"], list | tuple)


def _untagged(item: ErrorDetails) -> tuple[list[int | str], str | None]:
    """Split a location into the keys as written and pydantic's tag of a choice of types, if it holds one."""
    tags = [str(part) for part in item["loc"] if part in {_TEXT, _TEXTS}]
    return [part for part in item["loc"] if part not in {"[key]", _TEXT, _TEXTS}], (tags[0] if tags else None)


def parse_layer(content: Mapping[str, Any], *, file: str | None = None) -> Layer:
    """Turn the content of a ``layers/`` file into the model its ``kind`` names."""
    kind = content.get("kind")
    if kind is None:
        raise SpecError(Fault(what="the key is missing", file=file, key="kind", expected=listed(_LAYERS, shown=12)))
    if not isinstance(kind, str) or kind not in _LAYERS:
        what = f"no kind of layer is called '{kind}'"
        raise SpecError(Fault(what=what, file=file, key="kind", hint=did_you_mean(str(kind), _LAYERS)))
    return parse_spec(content, _LAYERS[kind], file=file)


def _fault(item: ErrorDetails, model: type[BaseModel], file: str | None) -> Fault:
    """Word one of pydantic's errors as a fault."""
    location, tag = _untagged(item)
    location = _written(model, location)[0]
    key = ".".join(str(part) for part in location) or None
    if item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return _kind_fault(item, f"{key}.kind" if key else "kind", file)
    if item["type"] == "extra_forbidden":
        known = _fields_at(model, _untagged(item)[0][:-1])
        hint = did_you_mean(str(location[-1]), known)
        return Fault(what=f"unknown key '{location[-1]}'", file=file, key=key, hint=hint)
    if item["type"] == "missing":
        return Fault(what="the key is missing", file=file, key=key, expected=_described(model, _untagged(item)[0]))
    value = repr(item["input"])
    if len(value) > _LINE:
        kinds: dict[type, str] = {dict: "the table", list: "the list"}
        value = kinds.get(type(item["input"]), f"{value[: _LINE - 3]}…")
    expected = "a text, or a list of texts" if tag == _TEXT else _expected(item)
    return Fault(what=f"{value} does not fit", file=file, key=key, expected=expected)


def _expected(item: ErrorDetails) -> str:
    """Say in a planner's words what pydantic expected."""
    limits = item.get("ctx", {})
    if item["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(limits["pattern"], f"a text of the pattern {limits['pattern']}")
    if item["type"] == "too_short":
        return f"at least {limits['min_length']}"
    message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return _EXPECTED.get(item["type"], message)


def _kind_fault(item: ErrorDetails, key: str, file: str | None) -> Fault:
    """Word the fault of a table whose ``kind`` is missing, or none of those that there are."""
    context = item.get("ctx", {})
    if item["type"] == "union_tag_not_found":
        return Fault(what="the key is missing", file=file, key=key)
    known = re.findall(r"'([^']+)'", str(context["expected_tags"]))
    return Fault(
        what=f"no kind is called '{context['tag']}'", file=file, key=key, hint=did_you_mean(context["tag"], known)
    )


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """Find the models inside an annotation such as ``tuple[Model, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in _models_in(part)]


def _written(model: type[BaseModel], location: list[Any]) -> tuple[list[Any], list[type[BaseModel]]]:
    """Follow a location: the keys as they are written, without pydantic's tag of a kind, and the models at its end."""
    here, keys = [model], list[Any]()
    for part in location:
        kinds = [found for found in here if part in _kinds_of(found)] if len(here) > 1 else []
        if kinds:
            here = kinds
            continue
        keys.append(part)
        if isinstance(part, str):
            fields = [found.model_fields[part] for found in here if part in found.model_fields]
            here = [found for field in fields for found in _models_in(field.annotation)]
    return keys, here


def _kinds_of(model: type[BaseModel]) -> tuple[object, ...]:
    field = model.model_fields.get("kind")
    return typing.get_args(field.annotation) if field else ()


def _model_at(model: type[BaseModel], location: list[Any]) -> type[BaseModel] | None:
    return next(iter(_written(model, location)[1]), None)


def _fields_at(model: type[BaseModel], location: list[Any]) -> list[str]:
    found = _model_at(model, location)
    return list(found.model_fields) if found else []


def _described(model: type[BaseModel], location: list[Any]) -> str | None:
    found = _model_at(model, location[:-1])
    field = found.model_fields.get(str(location[-1])) if found else None
    return field.description.rstrip(".") if field and field.description else None


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of the four kinds of file: ``layer``, ``scenario``, ``map``, ``rule``."""
    return {
        "layer": TypeAdapter(Annotated[Layer, Field(discriminator="kind")]).json_schema(),
        "scenario": ScenarioSpec.model_json_schema(),
        "map": MapSpec.model_json_schema(),
        "rule": RuleSpec.model_json_schema(),
    }
