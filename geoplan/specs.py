"""The files a city writes: ``layers/``, ``scenarios/`` and ``maps/`` as strict models.

An unknown or misspelt key, a missing key and a value of the wrong type are faults, all of a file at once,
each with its key and a hint. The models are the documentation of the files too: :func:`json_schemas`
exports them for editors, and ``docs/schemas`` holds the export.
"""

from __future__ import annotations

import datetime as dt
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails

from geoplan.errors import Fault, SpecError, did_you_mean, listed

__all__ = [
    "AreasLayer",
    "BackdropLayer",
    "DomainSpec",
    "IndexSpec",
    "IndicatorSpec",
    "IndicatorsLayer",
    "Language",
    "Layer",
    "MapSpec",
    "MembershipLayer",
    "PointsLayer",
    "RasterLayer",
    "ScenarioSpec",
    "Text",
    "json_schemas",
    "parse_layer",
    "parse_spec",
    "read_toml",
]

Language = Literal["sv", "da", "en"]
_SLUG, _SHA256 = r"^[a-z0-9][a-z0-9_-]*$", r"^[0-9a-f]{64}$"
T = TypeVar("T")
Several = Annotated[tuple[T, ...], Strict(False)]  # noqa: FBT003  TOML arrays are lists; pydantic's own signature
Finite = Annotated[float, Field(allow_inf_nan=False)]
Slug = Annotated[str, Field(pattern=_SLUG)]


def _period(value: object) -> object:
    """Let a year be written as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Period = Annotated[str, BeforeValidator(_period)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Text(_Model):
    """A text in up to three languages; a bare string serves for all of them."""

    sv: str | None = None
    da: str | None = None
    en: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: object) -> object:
        if isinstance(value, str):
            return dict.fromkeys(("sv", "da", "en"), value)
        if not isinstance(value, dict | Text):
            raise ValueError("a text, or one in each language: { sv = …, da = …, en = … }")  # noqa: TRY004  pydantic's way
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Text:
        if not (self.sv or self.da or self.en):
            raise ValueError("a text in at least one of the languages sv, da, en")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}

    def to(self, language: str) -> str:
        """Return the text in a language, or in the nearest one there is (English, Swedish, Danish)."""
        return getattr(self, language, None) or self.en or self.sv or self.da or ""


# ---------------------------------------------------------------- layers/


class _LayerBase(_Model):
    title: Text = Field(description="What the dataset is called in maps and notes.")
    path: str = Field(description="The file, relative to this TOML. `${NAME:-default}` takes an environment variable.")
    source: str = Field(description="Who made the data; printed with every figure.")
    licence: str = Field(description="Licence under which the data may be used.")
    vintage: str = Field(description="The date or year the data speak of.")
    note: Text | None = Field(default=None, description="What a reader must know, printed in the notes.")
    sha256: str | None = Field(
        default=None, pattern=_SHA256, description="Checksum of the file; verified before reading."
    )


class _TableLayer(_LayerBase):
    sheet: str | None = Field(default=None, description="Sheet of a workbook; the first when left out.")
    separator: Literal[",", ";", "\t"] | None = Field(
        default=None, description="Column separator of a text file; found from the header when left out."
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign of numbers in the file.")
    encoding: Literal["utf-8", "latin-1"] | None = Field(
        default=None, description="Found when left out: UTF-8 (with or without BOM), else Latin-1."
    )


class _IdColumn(_Model):
    id_column: str = Field(description="The column of area codes.")
    id_width: int | None = Field(default=None, ge=1, description="Number of characters of a code.")
    id_pad: bool = Field(default=False, description="Put lost leading zeros back, up to `id_width`.")


class _VectorLayer(_LayerBase):
    layer: str | None = Field(default=None, description="Layer in the file; needed when there are several.")
    crs: str = Field(description="Coordinate system as published, such as EPSG:3006.")
    assign_crs: bool = Field(default=False, description="The file names no system; `crs` is known to be its.")


class AreasLayer(_VectorLayer, _IdColumn):
    """District polygons."""

    kind: Literal["areas"]
    level: Slug = Field(description="What kind of area it is: basomrade, stadsdel, deso, boligafdeling …")
    name_column: str | None = Field(default=None, description="The column of names; the code when left out.")
    where: dict[str, str] = Field(
        default_factory=dict, description="Keep only the rows in which each column has the value given."
    )


class BackdropLayer(_VectorLayer):
    """Water, parks, railways and roads drawn beneath the areas."""

    kind: Literal["backdrop"]
    role: Literal["water", "park", "rail", "road"]


class PointsLayer(_VectorLayer, _IdColumn):
    """Points with a quantity, such as work places with jobs."""

    kind: Literal["points"]
    value_column: str


class RasterLayer(_LayerBase):
    """A grid of a quantity, such as residents per cell."""

    kind: Literal["raster"]
    crs: str
    band: int = Field(default=1, ge=1)
    unit: str
    period: Period


class MembershipLayer(_TableLayer):
    """Which area belongs to which: a table of child, parent, relation and share."""

    kind: Literal["membership"]
    child_column: str = "child_id"
    parent_column: str = "parent_id"
    relation_column: str | None = Field(default=None, description="`part_of` everywhere when left out.")
    share_column: str | None = Field(default=None, description="1 everywhere when left out.")
    child_width: int | None = Field(default=None, ge=1, description="Number of characters of a child's code.")
    parent_width: int | None = Field(default=None, ge=1, description="Number of characters of a parent's code.")


class IndicatorSpec(_Model):
    """Definition of one indicator."""

    id: Slug
    label: Text
    domain: Slug | None = None
    kind: Literal["share", "rate", "mean", "count"] = Field(
        description="share: part of a base; rate: events per base; mean: a sum over a base; count: a number."
    )
    unit: str = Field(description="pct, per_mille, per_1000, per_100000, persons, days, tkr, score …")
    direction: Literal["higher_is_worse", "higher_is_better", "neutral"]
    base: Text | None = Field(default=None, description="The population the figure speaks of, in words.")
    ages: Several[int] | None = Field(default=None, description="First and last year of age of the base.")
    source: str | None = Field(default=None, description="The register or survey; the layer's when left out.")
    breaks: Several[int] = Field(default=(), description="Years whose figures cannot be compared backwards.")
    quality: Literal["A", "B", "C"] | None = Field(default=None, description="A good, B usable, C weak.")
    distance: Literal["activity", "area", "general"] | None = Field(
        default=None, description="How near the figure lies to what a programme does."
    )
    minimum_base: int | None = Field(default=None, ge=0, description="Smallest base worth a figure.")
    note: Text | None = None
    numerator: str | Several[str] | None = Field(default=None, description="Wide tables: column, or columns to add up.")
    denominator: str | Several[str] | None = Field(
        default=None, description="Wide tables: column, or columns to add up; the weight of a bare `value`."
    )
    value: str | None = Field(default=None, description="Wide tables: column of a rate published without counts.")

    @field_validator("ages")
    @classmethod
    def _two_ages(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and (len(value) != 2 or value[0] > value[1]):  # noqa: PLR2004  first and last
            raise ValueError("two ages, the lower first")
        return value

    @model_validator(mode="after")
    def _value_or_counts(self) -> IndicatorSpec:
        if self.value is not None and self.numerator is not None:
            raise ValueError("either `value` or `numerator`, not both")
        return self


class IndicatorsLayer(_TableLayer, _IdColumn):
    """A table of indicators, long (`tidy`) or one column each (`wide`)."""

    kind: Literal["indicators"]
    level: Slug
    shape: Literal["tidy", "wide"] = "tidy"
    period: Period | None = Field(default=None, description="Wide tables: the year of the figures.")
    missing_codes: dict[str, Literal["suppressed", "not_collected", "not_applicable", "out_of_scope"]] = Field(
        default_factory=dict, description="What the file writes in place of a number, and what it means."
    )
    empty_base: Literal["error", "not_applicable"] = Field(
        default="error", description="What a base of 0 means: a fault, or an area without such residents."
    )
    indicators: Several[IndicatorSpec] = Field(min_length=1)

    @model_validator(mode="after")
    def _wide_names_columns(self) -> IndicatorsLayer:
        ids = [indicator.id for indicator in self.indicators]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"each indicator once; defined twice: {listed(twice)}")
        if self.shape == "wide":
            if self.period is None:
                raise ValueError("`period`, which a wide table needs")
            bare = [item.id for item in self.indicators if item.numerator is None and item.value is None]
            if bare:
                raise ValueError(f"`numerator` or `value` for {listed(bare)}: a wide table names its columns")
        return self


Layer = AreasLayer | BackdropLayer | PointsLayer | RasterLayer | MembershipLayer | IndicatorsLayer
_LAYERS: dict[str, type[Layer]] = {
    "areas": AreasLayer,
    "backdrop": BackdropLayer,
    "points": PointsLayer,
    "raster": RasterLayer,
    "membership": MembershipLayer,
    "indicators": IndicatorsLayer,
}


# ---------------------------------------------------------------- scenarios/


#: Columns of the ranked list; a domain, which gets a column of its own, cannot be called so.
RESERVED = frozenset((
    "area_id", "gap", "geometry", "indicators", "indicators_estimated", "indicators_total", "level", "method", "name",
    "period", "population", "rank", "rank_rest", "reason", "reason_domain", "score", "score_rest", "source", "status",
))  # fmt: skip


class DomainSpec(_Model):
    """One domain of the index with its indicators, equally weighted or by weights given."""

    id: Slug
    label: Text
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False, strict=False)
    indicators: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]] = Field(
        min_length=1, description="A list of indicator ids, or a table of id = weight."
    )

    @field_validator("indicators", mode="before")
    @classmethod
    def _list_means_equal(cls, value: object) -> object:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            if len(set(value)) < len(value):
                raise ValueError("each indicator once in a domain")
            return dict.fromkeys(value, 1.0)
        if not isinstance(value, dict):
            raise ValueError("a list of indicator ids, or a table of id = weight")  # noqa: TRY004  pydantic's way
        return value


class IndexSpec(_Model):
    """How the risk index is made."""

    method: Literal["relative"] = "relative"
    domains: Several[DomainSpec] = Field(min_length=1)
    reference: str | None = Field(
        default=None,
        description="The parent area that scores 100, such as a municipality; all areas when left out.",
    )
    reference_label: Text | None = None
    population: str = Field(default="population", description="The indicator that counts residents.")
    minimum_population: int = Field(default=0, ge=0, description="Smaller areas are listed, not ranked.")
    minimum_available: float = Field(
        default=0.5,
        gt=0,
        le=1,
        strict=False,
        description="Share of a domain's weight that must be known for the area to be ranked.",
    )
    favourable: Literal["complement", "reciprocal"] = Field(
        default="complement",
        description="How an indicator that is better when higher is turned: shares by 1 - p (a mean or a rate has "
        "no complement and is inverted all the same), or everything by city / area.",
    )

    @field_validator("domains")
    @classmethod
    def _domains_once(cls, value: tuple[DomainSpec, ...]) -> tuple[DomainSpec, ...]:
        used = [name for domain in value for name in domain.indicators]
        ids = [domain.id for domain in value]
        twice = sorted({name for name in used if used.count(name) > 1} | {i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"each domain once and each indicator in one domain; twice: {listed(twice)}")
        reserved = sorted(set(ids) & RESERVED)
        if reserved:
            raise ValueError(f"domains under other names: the ranked list has columns called {listed(reserved)}")
        return value

    @property
    def indicators(self) -> tuple[str, ...]:
        """The indicators of all domains, in order."""
        return tuple(name for domain in self.domains for name in domain.indicators)


class AssignSpec(_Model):
    """How the table's areas are put into the ranked ones when no membership table says."""

    layer: str = Field(description="The areas layer of the table's level.")
    method: Literal["largest_overlap"] = "largest_overlap"
    minimum_share: float = Field(
        default=0.5, gt=0, le=1, strict=False, description="Least part of an area that must lie inside the ranked one."
    )


class AreasSpec(_Model):
    """The areas of a scenario."""

    level: Slug = Field(description="The level that is ranked and mapped.")
    layers: Several[str] = Field(min_length=1, description="Areas layers, one a level.")
    membership: Several[str] = Field(default=(), description="The membership layers that tie the levels.")
    assign: AssignSpec | None = None
    crs: str | None = Field(default=None, description="Metric system to work in; the layer's when left out.")
    backdrop: Several[str] = ()


class IndicatorsSpec(_Model):
    """The indicator tables of a scenario."""

    layers: Several[str] = Field(min_length=1)
    minimum_coverage: float = Field(
        default=0.8,
        gt=0,
        le=1,
        strict=False,
        description="Share of a merged area's base that must be known for a merged rate.",
    )


class CsvSpec(_Model):
    """How the ranking is written as text."""

    separator: Literal[",", ";", "\t"] = ","
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _signs_differ(self) -> CsvSpec:
        if self.separator == self.decimal:
            raise ValueError("a separator that differs from the decimal sign")
        return self


class OutputSpec(_Model):
    """What a run writes."""

    maps: Several[str] = Field(
        default=("risk_index",), min_length=1, description="Definitions in maps/, the main one first."
    )
    csv: CsvSpec = CsvSpec()


class ScenarioSpec(_Model):
    """One complete, reproducible run."""

    title: Text
    date: dt.date = Field(description="The date of the report, printed on maps; a run never prints today's.")
    period: Period = Field(description="The year that is ranked.")
    language: Language = "sv"
    seed: int = Field(default=1, ge=0)
    note: Text | None = None
    areas: AreasSpec
    indicators: IndicatorsSpec
    index: IndexSpec
    output: OutputSpec = OutputSpec()


# ---------------------------------------------------------------- maps/


class MapSpec(_Model):
    """Definition of a map; the results go elsewhere."""

    title: Text
    value: str = Field(default="score", description="`score`, a domain's id or an indicator's id.")
    scheme: Literal["quantiles", "equal_interval", "fisher_jenks", "pretty", "given"] = "quantiles"
    k: int = Field(default=5, ge=2, le=7, description="Number of classes.")
    breaks: Several[Finite] | None = Field(default=None, description="Inner class limits of scheme `given`.")
    palette: str = Field(default="YlGnBu", description="YlGnBu, cividis, PuOr, RdYlBu …")
    midpoint: Finite | None = Field(
        default=None, strict=False, description="Centre of a diverging palette, such as 100."
    )
    note: Text | None = None

    @field_validator("palette")
    @classmethod
    def _readable_palette(cls, value: str) -> str:
        if value.removesuffix("_r") in {"RdYlGn", "RdGy", "Spectral", "jet", "rainbow", "hsv"}:
            raise ValueError("a palette that colour-blind readers can tell apart: YlGnBu, cividis, PuOr, RdYlBu")
        return value

    @model_validator(mode="after")
    def _breaks_given(self) -> MapSpec:
        if (self.scheme == "given") != (self.breaks is not None):
            raise ValueError('`breaks` together with `scheme = "given"`, and only then')
        if self.breaks is not None and list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError("`breaks` in rising order, each once")
        return self


# ---------------------------------------------------------------- reading


SpecT = TypeVar("SpecT", bound=BaseModel)

_LINE = 60  # characters of a value that a fault shows
_TEXT, _TEXTS = "str", "tuple[str, ...]"  # pydantic's tags where a text or a list of texts may stand
_PATTERNS = {_SLUG: "small letters a-z, digits, - and _", _SHA256: "64 hexadecimal digits"}
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
    except (OSError, UnicodeDecodeError) as error:
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
    key = ".".join(str(part) for part in location) or None
    if item["type"] == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        hint = did_you_mean(str(location[-1]), known)
        return Fault(what=f"unknown key '{location[-1]}'", file=file, key=key, hint=hint)
    if item["type"] == "missing":
        return Fault(what="the key is missing", file=file, key=key, expected=_described(model, location))
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


def _model_in(annotation: object) -> type[BaseModel] | None:
    """Find the model inside an annotation such as ``tuple[Model, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in typing.get_args(annotation))
    return next((found for found in inner if found is not None), None)


def _model_at(model: type[BaseModel], location: list[Any]) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    for part in location:
        if here is not None and isinstance(part, str):
            field = here.model_fields.get(part)
            here = _model_in(field.annotation) if field else None
    return here


def _fields_at(model: type[BaseModel], location: list[Any]) -> list[str]:
    found = _model_at(model, location)
    return list(found.model_fields) if found else []


def _described(model: type[BaseModel], location: list[Any]) -> str | None:
    found = _model_at(model, location[:-1])
    field = found.model_fields.get(str(location[-1])) if found else None
    return field.description.rstrip(".") if field and field.description else None


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of the three kinds of file: ``layer``, ``scenario``, ``map``."""
    return {
        "layer": TypeAdapter(Annotated[Layer, Field(discriminator="kind")]).json_schema(),
        "scenario": ScenarioSpec.model_json_schema(),
        "map": MapSpec.model_json_schema(),
    }
