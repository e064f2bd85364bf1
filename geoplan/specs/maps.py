"""Maps: what is drawn, in which classes and colours."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from geoplan.specs.base import Finite, Model, Several, Text

__all__ = ["MapSpec"]


class MapSpec(Model):
    """Definition of a map; the results go elsewhere."""

    title: Text
    value: str = Field(
        default="score", description="`score`, `class`, `status_class`, `dynamics`, a domain's id or an indicator's id."
    )
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
