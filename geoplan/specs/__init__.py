"""The files a city writes: ``layers/``, ``scenarios/`` and ``maps/`` as strict models.

An unknown or misspelt key, a missing key and a value of the wrong type are faults, all of a file at once,
each with its key and a hint. The models are the documentation of the files too: :func:`json_schemas`
exports them for editors, and ``docs/schemas`` holds the export.
"""

from geoplan.specs.base import Language, Text
from geoplan.specs.grants import NeedGrantSpec, PerformanceGrantSpec
from geoplan.specs.index import (
    RESERVED,
    ClassesSpec,
    CombineSpec,
    DomainSpec,
    DynamicsSpec,
    IndexSpec,
    PartSpec,
    RanksSpec,
    TreatmentSpec,
)
from geoplan.specs.indicators import IndicatorsLayer, IndicatorSpec, NoiseSpec, SumSpec
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
from geoplan.specs.presets import index_preset, preset_names, with_preset
from geoplan.specs.reading import Layer, json_schemas, parse_layer, parse_spec, read_toml
from geoplan.specs.registry import FILE_COLUMNS, CrosswalkRow, DomainPhase, Goal, RegistryLayer, registry_faults
from geoplan.specs.rulebook import read_rule, rule_book, rule_names
from geoplan.specs.rules import CITY, CriterionSpec, ReferenceSpec, RuleSpec, StatusSpec, UseSpec
from geoplan.specs.scenarios import DisclosureSpec, ScenarioSpec, UncertaintySpec
from geoplan.specs.targeting import TargetingSpec

__all__ = [
    "CITY",
    "FILE_COLUMNS",
    "RESERVED",
    "AliasesLayer",
    "AreasLayer",
    "BackdropLayer",
    "ClassesSpec",
    "CombineSpec",
    "CriterionSpec",
    "CrosswalkLayer",
    "CrosswalkRow",
    "DisclosureSpec",
    "DomainPhase",
    "DomainSpec",
    "DynamicsSpec",
    "Goal",
    "IndexSpec",
    "IndicatorSpec",
    "IndicatorsLayer",
    "LandLayer",
    "Language",
    "Layer",
    "MapSpec",
    "MembershipLayer",
    "NeedGrantSpec",
    "NoiseSpec",
    "PartSpec",
    "PerformanceGrantSpec",
    "PointsLayer",
    "RanksSpec",
    "RasterLayer",
    "ReferenceSpec",
    "RegistryLayer",
    "RuleSpec",
    "ScenarioSpec",
    "StatusSpec",
    "StreetsLayer",
    "SumSpec",
    "TargetingSpec",
    "Text",
    "TimetableLayer",
    "TreatmentSpec",
    "UncertaintySpec",
    "UseSpec",
    "index_preset",
    "json_schemas",
    "parse_layer",
    "parse_spec",
    "preset_names",
    "read_rule",
    "read_toml",
    "registry_faults",
    "rule_book",
    "rule_names",
    "with_preset",
]
