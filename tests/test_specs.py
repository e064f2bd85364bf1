"""The files of a project: read strictly, every fault at once, and nothing but a fault for rubbish."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings, strategies as st
from strategies import toml_values

from geoplan.errors import GeoplanError, SpecError
from geoplan.sources import Catalogue, home
from geoplan.specs import (
    IndexSpec,
    IndicatorSpec,
    MapSpec,
    RegistryLayer,
    ScenarioSpec,
    Text,
    json_schemas,
    parse_layer,
    parse_spec,
    read_toml,
)
from geoplan.specs.reading import _LAYERS

SHIPPED = Catalogue(home())
AREAS = """
kind = "areas"
title = "Districts"
path = "a.gpkg"
source = "s"
licence = "MIT"
vintage = "2012"
crs = "EPSG:3006"
level = "stadsdel"
id_column = "code"
"""
WIDE = """
kind = "indicators"
title = "Figures"
path = "a.csv"
source = "s"
licence = "MIT"
vintage = "2012"
level = "stadsdel"
id_column = "code"
shape = "wide"
period = 2012
indicators = [{ id = "poor", label = "P", kind = "share", unit = "pct", direction = "neutral", numerator = "n" }]
"""
SCENARIO = """
title = "T"
date = 2013-03-15
period = 2012
areas = { level = "stadsdel", layers = ["districts"] }
indicators = { layers = ["figures"] }
index = { domains = [{ id = "d", label = "D", indicators = ["poor"] }] }
"""
MAP = 'title = "T"\n'


# ---------------------------------------------------------------- what is shipped


@pytest.mark.parametrize("name", SHIPPED.names("layers"))
def test_a_shipped_layer_is_read_and_its_file_is_the_one_described(name):
    dataset = SHIPPED.layer(name)
    assert isinstance(dataset.spec, RegistryLayer) or dataset.spec.sha256 is not None
    assert dataset.verified().is_file()


@pytest.mark.parametrize("folder", ["scenarios", "maps"])
def test_shipped_scenarios_and_maps_are_read(folder):
    names = SHIPPED.names(folder)
    assert names
    for name in names:
        spec = SHIPPED.scenario(name) if folder == "scenarios" else SHIPPED.map(name)
        assert {spec.title.to(language) for language in ("sv", "da", "en")} != {""}


@pytest.mark.parametrize("name", SHIPPED.names("layers"))
def test_a_layer_written_out_and_read_again_is_the_same(name):
    spec = SHIPPED.layer(name).spec
    assert parse_layer(spec.model_dump(exclude_none=True)) == spec


def test_there_is_a_schema_of_each_kind_of_file_with_every_key_that_is_read():
    schemas = json_schemas()
    assert set(schemas) == {"layer", "scenario", "map", "rule"}
    assert set(schemas["map"]["properties"]) == set(MapSpec.model_fields)
    assert set(schemas["layer"]["discriminator"]["mapping"]) == set(_LAYERS)


# ---------------------------------------------------------------- what is read


def _layer(text=AREAS, **changes):
    return parse_layer({**tomllib.loads(text), **changes}, file="layers/a.toml")


def _scenario(**changes):
    return parse_spec({**tomllib.loads(SCENARIO), **changes}, ScenarioSpec, file="scenarios/a.toml")


def _index(**changes):
    domains = [{"id": "d", "label": "D", "indicators": ["poor"]}]
    return parse_spec({"domains": domains, **changes}, IndexSpec, file="scenarios/a.toml")


def _map(**changes):
    return parse_spec({"title": "T", **changes}, MapSpec, file="maps/a.toml")


def test_a_year_may_be_written_as_a_number():
    assert _scenario(period=2012).period == _scenario(period="2012").period == "2012"


def test_a_text_in_one_language_serves_for_all_and_a_missing_one_falls_back():
    assert Text.model_validate("Torg").to("da") == "Torg"
    partly = Text(sv="Torg", en="Square")
    assert [partly.to(language) for language in ("sv", "da", "en")] == ["Torg", "Square", "Square"]
    assert Text(da="Torv").to("en") == "Torv"


def test_a_list_of_indicators_means_equal_weights():
    domain = {"id": "d", "label": "D", "indicators": ["a", "b"]}
    assert _index(domains=[domain]).domains[0].indicators == {"a": 1.0, "b": 1.0}
    domain["indicators"] = {"a": 2, "b": 0.5}
    index = _index(domains=[domain])
    assert index.domains[0].indicators == {"a": 2.0, "b": 0.5}
    assert index.indicators == ("a", "b")


def test_specs_cannot_be_changed_after_they_were_read():
    with pytest.raises(ValueError, match="frozen"):
        _map().k = 7


# ---------------------------------------------------------------- what is refused

DOMAIN = {"id": "d", "label": "D", "indicators": ["poor"]}
INDICATOR = tomllib.loads(WIDE)["indicators"][0]

WRONG = {
    "a layer without a kind": (
        lambda: parse_layer({}, file="layers/a.toml"),
        (
            "layers/a.toml, key 'kind': the key is missing. Expected: 'areas', 'backdrop', 'points', 'land', 'raster', "
            "'streets', 'timetable', 'membership', 'aliases', 'crosswalk', 'indicators', 'registry'."
        ),
    ),
    "a kind that is a list": (
        lambda: _layer(kind=["areas"]),
        "layers/a.toml, key 'kind': no kind of layer is called '['areas']'. Hint: did you mean 'areas'?",
    ),
    "a misspelt key far inside": (
        lambda: _layer(WIDE, indicators=[INDICATOR, {**INDICATOR, "id": "b", "units": "pct"}]),
        "layers/a.toml, key 'indicators.1.units': unknown key 'units'. Hint: did you mean 'unit'?",
    ),
    "a capital in an id": (
        lambda: _layer(level="Stadsdel"),
        "layers/a.toml, key 'level': 'Stadsdel' does not fit. Expected: small letters a-z, digits, - and _.",
    ),
    "a checksum too short": (
        lambda: _layer(sha256="abc"),
        "layers/a.toml, key 'sha256': 'abc' does not fit. Expected: 64 hexadecimal digits.",
    ),
    "a number in place of a text": (
        lambda: _layer(crs=3006),
        "layers/a.toml, key 'crs': 3006 does not fit. Expected: a text in quotation marks.",
    ),
    "a text in place of a number": (
        lambda: _layer(id_width="4"),
        "layers/a.toml, key 'id_width': '4' does not fit. Expected: a whole number.",
    ),
    "a text in place of yes or no": (
        lambda: _layer(id_pad="yes"),
        "layers/a.toml, key 'id_pad': 'yes' does not fit. Expected: true or false.",
    ),
    "a text in place of a list": (
        lambda: _scenario(areas={"level": "stadsdel", "layers": "districts"}),
        "scenarios/a.toml, key 'areas.layers': 'districts' does not fit. Expected: a list in square brackets.",
    ),
    "a text in place of a table": (
        lambda: _layer(where="a"),
        "layers/a.toml, key 'where': 'a' does not fit. Expected: a table: key = value pairs.",
    ),
    "a text in place of a date": (
        lambda: _scenario(date="15 mars"),
        (
            "scenarios/a.toml, key 'date': '15 mars' does not fit. Expected: a date without quotation marks, such as "
            "2013-03-15."
        ),
    ),
    "an empty list": (
        lambda: _index(domains=[]),
        "scenarios/a.toml, key 'domains': [] does not fit. Expected: at least 1.",
    ),
    "a title that is a number": (
        lambda: _layer(title=3),
        (
            "layers/a.toml, key 'title': 3 does not fit. Expected: a text, or one in each language: { sv = …, da = …, "
            "en = … }."
        ),
    ),
    "a title in a language that is not kept": (
        lambda: _layer(title={"fi": "Alueet", "sv": "Områden"}),
        "layers/a.toml, key 'title.fi': unknown key 'fi'. Hint: one of 'da', 'en', 'sv'",
    ),
    "a title in no language": (
        lambda: _layer(title={}),
        "layers/a.toml, key 'title': {} does not fit. Expected: a text in at least one of the languages sv, da, en.",
    ),
    "a column that is a number": (
        lambda: _layer(WIDE, indicators=[{**INDICATOR, "numerator": 5}]),
        "layers/a.toml, key 'indicators.0.numerator': 5 does not fit. Expected: a text, or a list of texts.",
    ),
    "a number among columns": (
        lambda: _layer(WIDE, indicators=[{**INDICATOR, "numerator": ["a", 5]}]),
        "layers/a.toml, key 'indicators.0.numerator.1': 5 does not fit. Expected: a text in quotation marks.",
    ),
    "both a rate and counts": (
        lambda: _layer(WIDE, indicators=[{**INDICATOR, "value": "v"}]),
        "layers/a.toml, key 'indicators.0': the table does not fit. Expected: either `value` or `numerator`, not both.",
    ),
    "ages the wrong way round": (
        lambda: _layer(WIDE, indicators=[{**INDICATOR, "ages": [64, 20]}]),
        "layers/a.toml, key 'indicators.0.ages': [64, 20] does not fit. Expected: two ages, the lower first.",
    ),
    "an indicator twice": (
        lambda: _layer(WIDE, indicators=[INDICATOR, INDICATOR]),
        "layers/a.toml: the table does not fit. Expected: each indicator once; defined twice: 'poor'.",
    ),
    "a wide table without a period": (
        lambda: _layer(WIDE.replace("period = 2012\n", "")),
        "layers/a.toml: the table does not fit. Expected: `period`, which a wide table needs.",
    ),
    "a wide table without columns": (
        lambda: _layer(WIDE.replace(', numerator = "n"', "")),
        (
            "layers/a.toml: the table does not fit. Expected: `numerator` or `value` for 'poor': a wide table names "
            "its columns."
        ),
    ),
    "an indicator in two domains": (
        lambda: _index(domains=[DOMAIN, {**DOMAIN, "id": "e"}]),
        (
            "scenarios/a.toml, key 'domains': the list does not fit. "
            "Expected: each domain once and each indicator in one domain; twice: 'poor'."
        ),
    ),
    "an indicator twice in a domain": (
        lambda: _index(domains=[{**DOMAIN, "indicators": ["poor", "poor"]}]),
        (
            "scenarios/a.toml, key 'domains.0.indicators': ['poor', 'poor'] does not fit. Expected: each indicator "
            "once in a domain."
        ),
    ),
    "indicators as a text": (
        lambda: _index(domains=[{**DOMAIN, "indicators": "poor"}]),
        (
            "scenarios/a.toml, key 'domains.0.indicators': 'poor' does not fit. Expected: a list of indicator ids, or "
            "a table of id = weight."
        ),
    ),
    "a negative weight": (
        lambda: _index(domains=[{**DOMAIN, "indicators": {"poor": -1}}]),
        "scenarios/a.toml, key 'domains.0.indicators.poor': -1 does not fit. Expected: greater than 0.",
    ),
    "a weight without end": (
        lambda: _index(domains=[{**DOMAIN, "weight": float("inf")}]),
        "scenarios/a.toml, key 'domains.0.weight': inf does not fit. Expected: a finite number.",
    ),
    "a decimal sign that separates too": (
        lambda: _scenario(output={"csv": {"separator": ",", "decimal": ","}}),
        (
            "scenarios/a.toml, key 'output.csv': {'separator': ',', 'decimal': ','} does not fit. Expected: a "
            "separator that differs from the decimal sign."
        ),
    ),
    "too many classes": (
        lambda: _map(k=30),
        "maps/a.toml, key 'k': 30 does not fit. Expected: less than or equal to 7.",
    ),
    "a palette red and green": (
        lambda: _map(palette="RdYlGn_r"),
        (
            "maps/a.toml, key 'palette': 'RdYlGn_r' does not fit. Expected: a palette that colour-blind readers can "
            "tell apart: YlGnBu, cividis, PuOr, RdYlBu."
        ),
    ),
    "breaks of a scheme that finds its own": (
        lambda: _map(breaks=[1.0, 2.0]),
        (
            "maps/a.toml: {'title': 'T', 'breaks': [1.0, 2.0]} does not fit. Expected: `breaks` together with `scheme "
            '= "given"`, and only then.'
        ),
    ),
    "breaks that fall": (
        lambda: _map(scheme="given", breaks=[2.0, 1.0]),
        (
            "maps/a.toml: {'title': 'T', 'scheme': 'given', 'breaks': [2.0, 1.0]} does not fit. Expected: `breaks` in "
            "rising order, each once."
        ),
    ),
    "breaks that are no numbers": (
        lambda: _map(scheme="given", breaks=[float("nan")]),
        "maps/a.toml, key 'breaks.0': nan does not fit. Expected: a finite number.",
    ),
    "a midpoint that is no number": (
        lambda: _map(midpoint=float("nan")),
        "maps/a.toml, key 'midpoint': nan does not fit. Expected: a finite number.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_told_with_file_key_and_what_was_expected(case):
    parse, said = WRONG[case]
    with pytest.raises(SpecError) as caught:
        parse()
    assert str(caught.value) == said


def test_every_fault_of_a_file_is_told_at_once():
    content = tomllib.loads(AREAS) | {"levl": "x", "id_width": "4", "assign_crs": 1}
    del content["level"], content["title"]
    with pytest.raises(SpecError) as caught:
        parse_layer(content, file="layers/a.toml")
    assert sorted(fault.key for fault in caught.value.faults) == ["assign_crs", "id_width", "level", "levl", "title"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"k 3", "a.toml: this is not valid TOML: Expected '=' after a key in a key/value pair (at line 1, column 3)."),
        (b"k = 1\nk = 2", "a.toml: this is not valid TOML: Cannot overwrite a value"),
        (b"k = 2013-02-30", "a.toml: this is not valid TOML: Invalid date or datetime (at line 1, column 5)."),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(content, said, tmp_path):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_toml(tmp_path / "a.toml", shown="a.toml")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "content",
    [b"k = '\xe5'", b"k = " + b"[" * 9999, b"k = " + b"9" * 5000],
    ids=["Latin-1", "nested too deep", "a number too long"],
)
def test_what_python_cannot_hold_is_a_fault_too(content, tmp_path):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(SpecError, match=r"a\.toml: "):
        read_toml(tmp_path / "a.toml", shown="a.toml")


def test_a_toml_file_that_is_not_there_or_a_folder_is_told(tmp_path):
    with pytest.raises(SpecError, match=r"none\.toml: there is no such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="the file cannot be read"):
        read_toml(tmp_path)


# ---------------------------------------------------------------- rubbish


@settings(max_examples=150)
@given(content=st.binary(max_size=80))
def test_any_bytes_are_toml_or_a_fault(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "rubbish.toml"
    path.write_bytes(content)
    try:
        read_toml(path)
    except SpecError as error:
        assert error.faults  # noqa: PT017  that nothing else is raised is what is tested


def _keys(*models):
    return st.sampled_from(sorted({name for model in models for name in model.model_fields}))


@settings(max_examples=100)
@given(st.sampled_from(sorted(_LAYERS)), st.data())
def test_any_table_is_a_layer_or_a_fault(kind, data):
    content = data.draw(st.dictionaries(_keys(_LAYERS[kind]) | st.text(max_size=4), toml_values(), max_size=8))
    try:
        parse_layer({**content, "kind": kind})
    except SpecError as error:
        assert error.faults  # noqa: PT017  as above


@settings(max_examples=100)
@given(st.sampled_from([ScenarioSpec, MapSpec, IndexSpec, IndicatorSpec]), st.data())
def test_any_table_is_a_scenario_a_map_or_a_fault(model, data):
    content = data.draw(st.dictionaries(_keys(model) | st.text(max_size=4), toml_values(), max_size=8))
    try:
        parse_spec(content, model)
    except SpecError as error:
        assert error.faults  # noqa: PT017  as above


@settings(max_examples=150)
@given(st.sampled_from([AREAS, WIDE, SCENARIO, MAP]), st.data())
def test_a_file_with_one_value_replaced_is_read_or_told_where(text, data):
    content = tomllib.loads(text)
    key = data.draw(st.sampled_from(sorted(set(content) - {"kind"})))
    content[key] = data.draw(toml_values())
    try:
        if "kind" in content:
            parse_layer(content, file="a.toml")
        else:
            parse_spec(content, ScenarioSpec if text == SCENARIO else MapSpec, file="a.toml")
    except GeoplanError as error:
        assert str(error).startswith("a.toml")  # noqa: PT017  as above
