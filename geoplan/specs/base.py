"""What all models share: strict, frozen, and texts in three languages."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = [
    "SHA256",
    "SLUG",
    "Finite",
    "IdColumn",
    "Language",
    "LayerBase",
    "LayerHead",
    "Model",
    "Period",
    "Several",
    "Slug",
    "TableLayer",
    "Text",
    "VectorLayer",
]

Language = Literal["sv", "da", "en"]
SLUG, SHA256 = r"^[a-z0-9][a-z0-9_-]*$", r"^[0-9a-f]{64}$"
T = TypeVar("T")
Several = Annotated[tuple[T, ...], Strict(False)]  # noqa: FBT003  TOML arrays are lists; pydantic's own signature
Finite = Annotated[float, Field(allow_inf_nan=False)]
Slug = Annotated[str, Field(pattern=SLUG)]


def _period(value: object) -> object:
    """Let a year be written as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Period = Annotated[str, BeforeValidator(_period)]


class Model(BaseModel):
    """A table of a TOML file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Text(Model):
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


# ---------------------------------------------------------------- entries of the catalogue


class LayerHead(Model):
    """What every entry of the catalogue says of itself."""

    title: Text = Field(description="What the dataset is called in maps and notes.")
    source: str = Field(description="Who made the data; printed with every figure.")
    licence: str = Field(description="Licence under which the data may be used.")
    vintage: str = Field(description="The date or year the data speak of.")
    note: Text | None = Field(default=None, description="What a reader must know, printed in the notes.")


class LayerBase(LayerHead):
    """An entry whose data lie in a file."""

    path: str = Field(description="The file, relative to this TOML. `${NAME:-default}` takes an environment variable.")
    sha256: str | None = Field(
        default=None, pattern=SHA256, description="Checksum of the file; verified before reading."
    )


class TableLayer(LayerBase):
    """A text file or workbook."""

    sheet: str | None = Field(default=None, description="Sheet of a workbook; the first when left out.")
    separator: Literal[",", ";", "\t"] | None = Field(
        default=None, description="Column separator of a text file; found from the header when left out."
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal sign of numbers in the file.")
    encoding: Literal["utf-8", "latin-1"] | None = Field(
        default=None, description="Found when left out: UTF-8 (with or without BOM), else Latin-1."
    )


class IdColumn(Model):
    """A column of area codes."""

    id_column: str = Field(description="The column of area codes.")
    id_width: int | None = Field(default=None, ge=1, description="Number of characters of a code.")
    id_pad: bool = Field(default=False, description="Put lost leading zeros back, up to `id_width`.")


class VectorLayer(LayerBase):
    """A file of polygons, lines or points."""

    layer: str | None = Field(default=None, description="Layer in the file; needed when there are several.")
    crs: str = Field(description="Coordinate system as published, such as EPSG:3006.")
    assign_crs: bool = Field(default=False, description="The file names no system; `crs` is known to be its.")
