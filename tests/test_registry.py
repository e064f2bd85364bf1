"""Registries: definitions inherited and departed from, domains followed from phase to phase, goals, and the sheets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import InputError, SpecError
from geoplan.places import (
    differences,
    effective_weights,
    goals_of,
    indicators_of,
    map_domains,
    registry_notes,
    sheets,
    unexplained,
)
from geoplan.run import check_project, definition_notes, open_registry, open_run, read_sheets
from geoplan.sources import Catalogue, home
from geoplan.specs import FILE_COLUMNS, DomainPhase, Goal, IndicatorSpec, RegistryLayer

HEAD = {"kind": "registry", "title": "R", "source": "s", "licence": "MIT", "vintage": "2012"}
WORK = {
    "id": "work",
    "label": {"sv": "I arbete", "da": "I arbejde", "en": "In work"},
    "domain": "livelihood",
    "kind": "share",
    "unit": "pct",
    "direction": "higher_is_better",
    "base": "Residents aged 20-64",
    "ages": [20, 64],
    "source": "Register",
    "breaks": [2019],
    "mean_years": 2,
}
THEFT = {"id": "theft", "label": "Thefts", "kind": "rate", "unit": "per_1000", "direction": "higher_is_worse"}


def _toml(value):
    """Write a value as TOML; JSON's strings are TOML's."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _write(root, name, content):
    folder = root / "layers"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(
        "".join(f"{key} = {_toml(value)}\n" for key, value in content.items()), encoding="utf-8"
    )


def _registry(**changes):
    return RegistryLayer.model_validate({**HEAD, **changes})


def _spec(**changes):
    return IndicatorSpec.model_validate({**WORK, **changes})


def _layer(root, *blocks, registry="core", name="figures"):
    head = {"kind": "indicators", "title": "F", "path": "f.csv", "source": "s", "licence": "MIT", "vintage": "2012"}
    _write(
        root, name, {**head, "level": "stadsdel", "id_column": "code", "registry": registry, "indicators": list(blocks)}
    )
    return Catalogue(root)


# ---------------------------------------------------------------- inheriting


def test_a_block_with_no_more_than_an_id_is_defined_by_the_registry(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [WORK, THEFT]})
    (found,) = _layer(tmp_path, {"id": "work"}).layer("figures").spec.indicators
    assert found == _spec()


def test_what_a_block_says_overrides_and_the_rest_is_inherited(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [{**WORK, "difference": "of the core from nowhere"}]})
    local = {"id": "work", "ages": [16, 64], "breaks": [], "numerator": "working", "denominator": ["a", "b"]}
    (found,) = _layer(tmp_path, local).layer("figures").spec.indicators
    assert found == _spec(ages=(16, 64), breaks=(), numerator="working", denominator=("a", "b"))
    assert found.difference is None  # it told of another file


def test_an_indicator_that_no_registry_has_is_defined_in_full(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [WORK]})
    found = _layer(tmp_path, THEFT, {"id": "work"}).layer("figures").spec.indicators
    assert [item.id for item in found] == ["theft", "work"]


def test_a_registry_on_another_has_all_of_its_indicators_its_own_first(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [THEFT, WORK]})
    local = {"id": "work", "quality": "B"}
    _write(tmp_path, "city", {**HEAD, "extends": "core", "indicators": [local]})
    found = Catalogue(tmp_path).registry("city").spec.indicators
    assert found == (_spec(quality="B"), IndicatorSpec.model_validate(THEFT))
    assert _layer(tmp_path, {"id": "work"}, registry="city").layer("figures").spec.indicators == found[:1]


def test_a_project_stands_on_a_shipped_registry_without_copying_it(tmp_path):
    (found,) = _layer(tmp_path, {"id": "employment_20_64"}, registry="sweden_core").layer("figures").spec.indicators
    assert (found.ages, found.breaks, found.label.to("sv")) == ((20, 64), (2019,), "Förvärvsarbetande 20–64 år")


def test_a_registry_of_the_project_goes_before_a_shipped_one_of_the_same_name(tmp_path):
    _write(tmp_path, "sweden_core", {**HEAD, "indicators": [THEFT]})
    assert [item.id for item in Catalogue(tmp_path).registry("sweden_core").spec.indicators] == ["theft"]


texts = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=8)


@st.composite
def definitions(draw, name="work"):
    """Draw a definition, most of its fields left out now and then."""
    years = st.lists(st.integers(1990, 2030), max_size=2)
    ages = st.tuples(st.integers(0, 60), st.integers(60, 99)).map(list)
    fields = {
        "base": texts,
        "domain": st.sampled_from(["work", "safety"]),
        "ages": ages,
        "source": texts,
        "breaks": years,
        "quality": st.sampled_from("ABC"),
        "minimum_base": st.integers(0, 100),
        "mean_years": st.integers(1, 3),
        "plausible": st.tuples(st.floats(0, 1), st.floats(2, 3)).map(list),
        "note": st.dictionaries(st.sampled_from(["sv", "da", "en"]), texts, min_size=1),
    }
    optional = draw(st.fixed_dictionaries({}, optional=fields))
    kind = draw(st.sampled_from(["share", "rate", "mean"]))
    return {"id": name, "label": draw(texts), "kind": kind, "unit": "pct", "direction": "neutral", **optional}


@settings(max_examples=50)
@given(st.data())
def test_to_override_nothing_changes_nothing(tmp_path_factory, data):
    core = [data.draw(definitions(name)) for name in ("a", "b", "c")]
    root = tmp_path_factory.mktemp("registry")
    _write(root, "core", {**HEAD, "indicators": core})
    _write(root, "city", {**HEAD, "extends": "core"})
    catalogue = _layer(root, {"id": "a"}, {"id": "b"}, {"id": "c"}, registry="city")
    assert catalogue.registry("city").spec.indicators == catalogue.registry("core").spec.indicators
    assert catalogue.layer("figures").spec.indicators == catalogue.registry("core").spec.indicators


# ---------------------------------------------------------------- what cannot be inherited

PHASE = {"version": "1", "domains": [{"id": "d", "label": "D", "indicators": ["work"]}]}
ROW = {"from_version": "1", "from_domain": "d", "to_version": "2", "to_domain": "d"}
TWO = [{**PHASE, "since": 2006, "until": 2009}, {**PHASE, "version": "2", "since": 2010}]

FAULTS = {
    "an indicator twice": (
        {"indicators": [WORK, WORK]},
        "key 'indicators': the indicator 'work' stands there twice. Expected: each indicator once.",
    ),
    "a domain twice in a phase": (
        {"phases": [{**PHASE, "domains": PHASE["domains"] * 2}]},
        "key 'phases.0.domains': the domain 'd' stands there twice. Expected: each domain once.",
    ),
    "a goal twice": (
        {"goals": [{"id": "jobs", "label": "Jobs"}] * 2},
        "key 'goals': the goal 'jobs' stands there twice. Expected: each goal once.",
    ),
    "a column of a file": (
        {"indicators": [{**WORK, "numerator": "n"}]},
        (
            "key 'indicators.0.numerator': a registry reads no file, so 'work' has no column there. Hint: write "
            "`numerator` in the [[indicators]] block of the layer that reads the file"
        ),
    ),
    "a domain of an unknown indicator": (
        {"phases": [{**PHASE, "domains": [{"id": "d", "label": "D", "indicators": ["werk"]}]}]},
        (
            "key 'phases.0.domains.0.indicators': no indicator of the registry is called 'werk'. Hint: did you mean "
            "'work'?"
        ),
    ),
    "a goal of an unknown indicator": (
        {"goals": [{"id": "jobs", "label": "Jobs", "indicators": ["works"]}]},
        "key 'goals.0.indicators': no indicator of the registry is called 'works'. Hint: did you mean 'work'?",
    ),
    "a crosswalk from an unknown phase": (
        {"phases": TWO, "crosswalk": [{**ROW, "from_version": "0"}]},
        "key 'crosswalk.0.from_version': no phase of the registry is called '0'. Hint: one of '1', '2'",
    ),
    "a crosswalk to an unknown domain": (
        {"phases": TWO, "crosswalk": [{**ROW, "to_domain": "dd"}]},
        "key 'crosswalk.0.to_domain': no domain of the phase '2' is called 'dd'. Hint: did you mean 'd'?",
    ),
    "a crosswalk to the same phase": (
        {"phases": TWO, "crosswalk": [{**ROW, "to_version": "1"}]},
        "key 'crosswalk.0': the row leads from a phase to itself. Expected: two phases.",
    ),
    "a row of the crosswalk twice": (
        {"phases": TWO, "crosswalk": [ROW, {**ROW, "note": "again"}]},
        "key 'crosswalk.1': the row stands there twice. Expected: each row once.",
    ),
    "phases that overlap": (
        {"phases": [TWO[0], {**TWO[1], "since": 2009}]},
        (
            "key 'phases.1': the phases '1' and '2' overlap: both hold in 2009. Expected: one phase a year. Hint: "
            "close the earlier with `until`, begin the later with `since`"
        ),
    ),
    "a phase that never ends before the next": (
        {"phases": [{**PHASE, "since": 2006}, TWO[1]]},
        (
            "key 'phases.1': the phases '1' and '2' overlap: both hold in 2010. Expected: one phase a year. Hint: "
            "close the earlier with `until`, begin the later with `since`"
        ),
    ),
    "two phases that begin with time": (
        {"phases": [{**PHASE, "until": 2009}, {**PHASE, "version": "2", "until": 2012}]},
        (
            "key 'phases.1': the phases '1' and '2' overlap: both hold in 2009. Expected: one phase a year. Hint: "
            "close the earlier with `until`, begin the later with `since`"
        ),
    ),
    "a phase that ends before it begins": (
        {"phases": [{**PHASE, "since": 2010, "until": 2009}]},
        "key 'phases.0': the table does not fit. Expected: a first year no later than the last.",
    ),
    "a registry that is not there": (
        {"extends": "sweden_cor"},
        "key 'extends': no registry is called 'sweden_cor'. Hint: did you mean 'sweden_core'?",
    ),
    "a registry that extends itself": (
        {"extends": "core"},
        (
            "key 'extends': the registry 'core' extends itself: core → core. Hint: let a registry stand on another "
            "one, or on none"
        ),
    ),
    "a registry that is a text": (
        {"extends": 3},
        "key 'extends': 3 does not fit. Expected: a text in quotation marks.",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_registry_is_told_with_file_and_key(case, tmp_path):
    changes, said = FAULTS[case]
    _write(tmp_path, "core", {**HEAD, "indicators": [WORK], **changes})
    with pytest.raises(SpecError) as caught:
        Catalogue(tmp_path).registry("core")
    assert str(caught.value) == f"layers/core.toml, {said}"


def test_registries_that_stand_on_each_other_are_told(tmp_path):
    _write(tmp_path, "first", {**HEAD, "extends": "second"})
    _write(tmp_path, "second", {**HEAD, "extends": "first"})
    with pytest.raises(SpecError) as caught:
        _layer(tmp_path, {"id": "work"}, registry="first").layer("figures")
    assert str(caught.value) == (
        "layers/figures.toml, key 'registry': the registry 'first' extends itself: first → second → first. Hint: let "
        "a registry stand on another one, or on none"
    )


def test_a_layer_that_is_no_registry_is_told(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [WORK]})
    _layer(tmp_path, {"id": "work"}, name="other")
    with pytest.raises(SpecError) as caught:
        _layer(tmp_path, {"id": "work"}, registry="other").layer("figures")
    assert str(caught.value) == (
        "layers/figures.toml, key 'registry': the layer 'other' is of kind 'indicators'. Expected: a layer of kind "
        "'registry'."
    )


def test_every_block_that_is_neither_inherited_nor_whole_is_told_at_once_with_the_other_faults(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [WORK]})
    blocks = [{"id": "works"}, {"id": "work", "agess": [1, 2]}, {"id": "new", "label": "N", "kind": "count"}]
    with pytest.raises(SpecError) as caught:
        _layer(tmp_path, *blocks).layer("figures")
    assert str(caught.value).splitlines() == [
        (
            "layers/figures.toml, key 'indicators.0': the registry 'core' has no indicator called 'works', and the "
            "block itself lacks 'label', 'kind', 'unit', 'direction'. Hint: did you mean 'work'?"
        ),
        (
            "layers/figures.toml, key 'indicators.2': the registry 'core' has no indicator called 'new', and the block "
            "itself lacks 'unit', 'direction'. Hint: one of 'work'"
        ),
        "layers/figures.toml, key 'indicators.1.agess': unknown key 'agess'. Hint: did you mean 'ages'?",
    ]


def test_a_fault_of_the_registry_is_told_in_its_own_file(tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [{**WORK, "ages": [64, 20]}]})
    with pytest.raises(SpecError) as caught:
        _layer(tmp_path, {"id": "work"}).layer("figures")
    assert str(caught.value) == (
        "layers/core.toml, key 'indicators.0.ages': [64, 20] does not fit. Expected: two ages, the lower first."
    )


@pytest.mark.parametrize("block", [3, {"id": 3}, {"id": ["work"]}, {"label": "no id"}])
def test_a_block_that_is_none_is_told_by_the_models(block, tmp_path):
    _write(tmp_path, "core", {**HEAD, "indicators": [WORK]})
    _write(tmp_path, "city", {**HEAD, "extends": "core", "indicators": [block]})
    with pytest.raises(SpecError, match=r"layers/city\.toml, key 'indicators\.0"):
        Catalogue(tmp_path).registry("city")


def test_a_layer_that_is_no_toml_does_not_hide_the_registries_there_are(tmp_path):
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "broken.toml").write_text("kind", encoding="utf-8")
    _write(tmp_path, "core", HEAD)
    assert Catalogue(tmp_path).registries() == ["core"]
    with pytest.raises(SpecError, match=r"no registry is called 'cor'\. Hint: did you mean 'core'\?"):
        _layer(tmp_path, {"id": "work"}, registry="cor").layer("figures")


# ---------------------------------------------------------------- sheets and differences


def test_a_sheet_says_every_field_in_each_language():
    spec = _spec(plausible=(0.0, 99.5), note={"sv": "Obs", "en": "Mind"}, quality="A", breaks=(2010, 2019))
    table = sheets([spec], "sv")
    assert table.loc["work"].to_dict() == {
        "label": "I arbete",
        "domain": "livelihood",
        "kind": "share",
        "unit": "pct",
        "direction": "higher_is_better",
        "base": "Residents aged 20-64",
        "ages": "20–64",
        "source": "Register",
        "vintage": "",
        "since": "",
        "breaks": "2010, 2019",
        "quality": "A",
        "distance": "",
        "minimum_base": "",
        "subject": "",
        "plausible": "0–99.5",
        "mean_years": "2",
        "difference": "",
        "note": "Obs",
    }
    labels = {
        language: sheets({"work": spec}, language).loc["work", ["label", "note"]].tolist() for language in ("da", "en")
    }
    assert labels == {"da": ["I arbejde", "Mind"], "en": ["In work", "Mind"]}


def test_each_field_of_a_definition_is_on_the_sheet_but_for_columns_of_a_file():
    assert set(sheets([]).columns) == set(IndicatorSpec.model_fields) - {"id", *FILE_COLUMNS}


def test_a_difference_is_changed_filled_or_local():
    local = [
        _spec(ages=(16, 64), quality="A", difference="The town counts from 16.", numerator="n"),
        IndicatorSpec.model_validate(THEFT),
    ]
    assert differences(local, [_spec()]).to_numpy().tolist() == [
        ["work", "ages", "20–64", "16–64", "changed", "The town counts from 16."],
        ["work", "quality", "", "A", "filled", "The town counts from 16."],
        ["theft", "", "", "", "local", ""],
    ]


def test_a_text_that_differs_in_another_language_only_is_shown_in_that_one():
    local = _spec(label={"sv": "I arbete", "da": "Beskæftiget", "en": "In work"})
    assert differences([local], [_spec()], "sv")[["core", "local"]].to_numpy().tolist() == [
        ["da: I arbejde", "da: Beskæftiget"]
    ]


def test_only_a_change_that_makes_another_figure_asks_for_a_reason():
    core = _spec(base=None)
    silent = {"ages": (16, 64), "breaks": (), "mean_years": 1, "unit": "share", "direction": "neutral", "kind": "rate"}
    quiet = {"label": "Employed", "source": "Survey", "domain": "work", "quality": "C", "base": "filled in"}
    found = unexplained(differences([_spec(**silent, **quiet)], [core]))
    assert sorted(found["field"]) == sorted(silent)
    told = _spec(**silent, difference="Because.")
    assert unexplained(differences([told], [core])).empty


@given(definitions(), definitions(), st.sampled_from(["sv", "da", "en"]))
def test_there_are_differences_exactly_when_definitions_differ(first, second, language):
    here, there = IndicatorSpec.model_validate(first), IndicatorSpec.model_validate(second)
    assert differences([here], [here], language).empty
    found = differences([here], [there], language)
    assert found.empty == (here == there)
    assert (found["core"] != found["local"]).all()  # and a reader sees them


# ---------------------------------------------------------------- domains from phase to phase


def _phase(version, **domains):
    named = [{"id": name, "label": name, "indicators": used} for name, used in domains.items()]
    return {"version": version, "domains": named}


def _programme(first, second, *ties):
    keys = ("from_version", "from_domain", "to_version", "to_domain")
    rows = [dict(zip(keys, ("1", old, "2", new), strict=True)) for old, new in ties]
    names = sorted({name for phase in (first, second) for domain in phase["domains"] for name in domain["indicators"]})
    items = [{**THEFT, "id": name, "label": name} for name in names]
    return _registry(phases=[first, second], crosswalk=rows, indicators=items)


def test_two_merged_domains_count_double_or_half():
    # Five domains of 1/5 become four of 1/4. b, c and d, e: 1/5 in two each = 1/10 before; 1/4 in four = 1/16 now.
    # Against the others (1/5 → 1/4, so times 5/4) that is 1/10 · 5/4 = 1/8 → 1/16: half. With both weights kept the
    # merged domain would have 2 against 1 of the others: double.
    registry = _programme(
        _phase("1", work=["a"], theft=["b", "c"], fear=["d", "e"], health=["f"], school=["g"]),
        _phase("2", work=["a"], safety=["b", "c", "d", "e"], health=["f"], school=["g"]),
        ("work", "work"), ("theft", "safety"), ("fear", "safety"), ("health", "health"), ("school", "school"),
    )  # fmt: skip
    found = map_domains(registry, "1", "2")
    assert found.weights.loc[["a", "b", "d"], ["before", "after"]].to_numpy().tolist() == [
        [0.2, 0.25], [0.1, 0.0625], [0.1, 0.0625],
    ]  # fmt: skip
    assert found.weights.loc["d", ["from_domains", "to_domains"]].tolist() == ["fear", "safety"]
    assert found.weights["ratio"].round(4).tolist() == [1.25, 0.625, 0.625, 0.625, 0.625, 1.25, 1.25]
    assert found.domains.round(6).to_numpy().tolist()[1] == [("theft", "fear"), ("safety",), 0.4, 0.25, 2.0]
    assert found.lines() == [
        (
            "'safety' (2) merges 'theft' and 'fear' (1): against the domains that were only carried over it would "
            "count double with their weights added, and counts half with the weight it has (40.0% of the index before, "
            "25.0% now; an indicator 0.62 times what it was)"
        )
    ]


def test_a_split_domain_counts_double():
    registry = _programme(
        _phase("1", work=["a"], safety=["b", "c"]),
        _phase("2", work=["a"], theft=["b"], fear=["c"]),
        ("work", "work"), ("safety", "theft"), ("safety", "fear"),
    )  # fmt: skip
    assert map_domains(registry, "1", "2").lines() == [
        (
            "'safety' (1) is split into 'theft' and 'fear' (2): together they count double against the domains that "
            "were only carried over (50.0% of the index before, 66.7% now; an indicator 1.33 times what it "
            "was)"
        )
    ]


def test_domains_that_were_cut_anew_are_compared_together():
    # Two domains of 1/3 became three of 1/4, 3/4 ÷ 2/3 = 9/8 of what they were; the one carried over is 1/4 ÷ 1/3 =
    # 3/4 of what it was, and 9/8 ÷ 3/4 = 3/2.
    registry = _programme(
        _phase("1", work=["a"], theft=["b", "c"], fear=["d"]),
        _phase("2", work=["a"], street=["b"], home=["c"], night=["d"]),
        ("work", "work"), ("theft", "street"), ("theft", "home"), ("fear", "home"), ("fear", "night"),
    )  # fmt: skip
    assert map_domains(registry, "1", "2").lines() == [
        (
            "'theft' and 'fear' (1) became 'street', 'home' and 'night' (2): together they count 1.50 times as much "
            "against the domains that were only carried over (66.7% of the index before, 75.0% now; an "
            "indicator 0.75 to 1.50 times what it was)"
        )
    ]


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_a_merged_domain_that_keeps_both_weights_needs_no_word_whatever_weights_are_counted_in(scale):
    later = _phase("2", work=["a"], safety=["b", "c"])
    later["domains"][0]["weight"], later["domains"][1]["weight"] = scale, 2 * scale
    registry = _programme(
        _phase("1", work=["a"], theft=["b"], fear=["c"]),
        later,
        ("work", "work"), ("theft", "safety"), ("fear", "safety"),
    )  # fmt: skip
    found = map_domains(registry, "1", "2")
    assert found.lines() == []
    assert found.weights["ratio"].round(9).tolist() == [1.0, 1.0, 1.0]


def test_an_indicator_in_two_domains_and_those_given_up_or_new_are_told():
    registry = _programme(
        _phase("1", work=["a", "b"], home=["b", "c"]), _phase("2", work=["a"], home=["b", "d"]), ("work", "work"),
    )  # fmt: skip
    assert map_domains(registry, "1", "2").lines() == [
        "the crosswalk from 1 to 2 does not say what became of 'home'",
        "the crosswalk from 1 to 2 does not say where 'home' came from",
        "'b' stands in 'work' and 'home' (1) and counts in each of them, 50.0% of the index in all",
        "'c' has no place in 2",
        "'d' has no place in 1",
    ]


def test_weights_inside_a_domain_count():
    phase = DomainPhase.model_validate(_phase("1", work={"a": 3, "b": 1}, home=["c"]))
    assert effective_weights(phase)["weight"].tolist() == [0.375, 0.125, 0.5]


def test_a_phase_or_a_crosswalk_that_is_not_there_is_told():
    registry = _programme(_phase("1", work=["a"]), _phase("2", work=["a"]), ("work", "work"))
    with pytest.raises(SpecError) as caught:
        map_domains(registry, "1", "3")
    assert str(caught.value) == "no phase of the registry is called '3'. Hint: one of '1', '2'"
    with pytest.raises(SpecError) as caught:
        map_domains(registry, "2", "1")
    assert str(caught.value) == (
        "key 'crosswalk': no crosswalk leads from '2' to '1'. Expected: a [[crosswalk]] row for each domain."
    )


def test_a_crosswalk_of_a_domain_that_is_not_there_is_told():
    registry = _programme(_phase("1", work=["a"]), _phase("2", work=["a"]), ("work", "wor"))
    with pytest.raises(SpecError) as caught:
        map_domains(registry, "1", "2")
    assert str(caught.value) == (
        "key 'crosswalk': no domain of the phase '2' is called 'wor'. Hint: did you mean 'work'?"
    )


@st.composite
def programmes(draw):
    """Draw two phases of up to four weighted domains and a crosswalk of any shape."""
    phases = []
    for version in ("1", "2"):
        domains = []
        for number in range(draw(st.integers(1, 4))):
            inside = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 10), min_size=1, max_size=4)
            domains.append(
                {"id": f"d{number}", "label": "D", "weight": draw(st.floats(0.1, 10)), "indicators": draw(inside)}
            )
        phases.append({"version": version, "domains": domains})
    ids = [st.sampled_from([domain["id"] for domain in phase["domains"]]) for phase in phases]
    ties = draw(st.lists(st.tuples(*ids), min_size=1, max_size=6, unique=True))
    return _programme(*phases, *ties)


@settings(max_examples=50)
@given(programmes())
def test_weights_add_up_to_the_same_before_and_after_and_each_domain_is_compared_once(registry):
    found = map_domains(registry, "1", "2")
    assert found.weights["before"].sum() == pytest.approx(1)
    assert found.weights["after"].sum() == pytest.approx(1)
    for side in ("from", "to"):
        tied = [name for names in found.domains[f"{side}_domains"] for name in names]
        assert sorted(tied) == sorted({getattr(row, f"{side}_domain") for row in registry.crosswalk})
    assert (found.domains[["before", "after"]].sum() <= 1 + 1e-9).all()
    assert (found.domains["factor"] > 0).all()


# ---------------------------------------------------------------- goals and notes


def test_goals_and_indicators_are_many_to_many():
    goals = [Goal(id="jobs", label="J", indicators=["theft", "work"]), Goal(id="calm", label="C", indicators=["theft"])]
    registry = _registry(indicators=[WORK, THEFT], goals=goals)
    assert [goal.id for goal in goals_of(registry, "theft")] == ["jobs", "calm"]
    assert [item.id for item in indicators_of(registry, "jobs")] == ["theft", "work"]
    with pytest.raises(
        SpecError, match=r"no indicator of the registry is called 'thefts'\. Hint: did you mean 'theft'\?"
    ):
        goals_of(registry, "thefts")
    with pytest.raises(SpecError, match=r"no goal of the registry is called 'job'\. Hint: did you mean 'jobs'\?"):
        indicators_of(registry, "job")


def test_the_notes_of_a_registry_tell_what_hangs_loose():
    goals = [Goal(id="jobs", label="J", indicators=["work"]), Goal(id="calm", label="C")]
    registry = _registry(indicators=[WORK, THEFT], goals=goals, phases=TWO)
    assert registry_notes(registry) == [
        "no crosswalk tells what became of the domains of '1' in '2'",
        "1 of 2 indicators speak of no goal: 'theft'",
        "no indicator speaks of the goal 'calm'",
    ]
    assert registry_notes(_registry(indicators=[WORK])) == []


def _cities(project):
    """Let the project's table stand on a registry of its own, and that on another."""
    _write(project.root, "core", {**HEAD, "indicators": [{**WORK, "id": "poor", "direction": "higher_is_worse"}]})
    city = {**HEAD, "extends": "core", "indicators": [{"id": "poor", "ages": [16, 64], "difference": "From 16."}]}
    goal = {"id": "less", "label": {"sv": "Mindre", "en": "Less"}, "indicators": ["poor"]}
    _write(project.root, "city", {**city, "goals": [goal], "phases": [{**PHASE, "domains": [
        {"id": "d", "label": "D", "indicators": ["poor"]}]}]})  # fmt: skip
    project.edit("layers/figures.toml", 'id_column = "code"', 'id_column = "code"\nregistry = "city"')
    project.edit(
        "layers/figures.toml",
        'id = "poor"\nlabel = "Low income"\nkind = "share"\nunit = "pct"\n',
        'id = "poor"\nmean_years = 1\n',
    )


def test_check_asks_why_a_figure_departs_from_its_registry(project):
    _cities(project)
    report = check_project(project.root)
    assert report.faults == []
    assert (
        "layers/figures.toml",
        "'poor' departs from 'city' in mean_years (2 → 1); say why under `difference`",
    ) in report.notes
    assert not [text for name, text in report.notes if name == "layers/city.toml"]
    project.edit("layers/figures.toml", "mean_years = 1", 'mean_years = 1\ndifference = "A single year."')
    assert not [text for _, text in check_project(project.root).notes if "departs" in text]


def test_check_tells_the_faults_of_a_registry_and_of_a_layer_on_it(project):
    _cities(project)
    project.edit("layers/figures.toml", 'registry = "city"', 'registry = "citty"')
    (fault,) = check_project(project.root).faults
    assert (
        str(fault) == "layers/figures.toml, key 'registry': no registry is called 'citty'. Hint: did you mean 'city'?"
    )


# ---------------------------------------------------------------- an index by phase


def _by_phase(project, version="2", **more):
    """Give the project's scenario the domains of a registry's phase in place of its own."""
    domains = [{"id": "both", "label": "Both", "weight": 2.0, "indicators": {"poor": 3.0, "crime": 1.0}}]
    phases = [{"version": "1", "until": 2009, "domains": domains}, {"version": "2", "since": 2010, "domains": domains}]
    items = [{**THEFT, "id": "poor"}, {**THEFT, "id": "crime"}]
    _write(project.root, "city", {**HEAD, "indicators": items, "phases": phases})
    text = (project / project.scenario).read_text(encoding="utf-8")
    index = _toml({"registry": "city", "version": version, **more})
    head, rest = text.split("[[index.domains]]", 1)
    (project / project.scenario).write_text(
        f"{head}phase = {index}\n[output]{rest.split('[output]')[1]}", encoding="utf-8"
    )


def test_an_index_takes_its_domains_from_a_phase(project):
    _by_phase(project)
    run = open_run(project / project.scenario)
    (domain,) = run.spec.index.domains
    assert (domain.id, domain.weight, domain.indicators) == ("both", 2.0, {"poor": 3.0, "crime": 1.0})
    # 3/4 poor and 1/4 crime, each against the city: 2 000 of 10 000 are poor, 300 crimes on 10 000.
    assert run.index().score["0101"] == pytest.approx(100 * (0.75 * 0.1 / 0.2 + 0.25 * 0.05 / 0.03))


PHASES = {
    "a phase that is over": (
        lambda project: _by_phase(project, "1"),
        "key 'index.phase.version': the phase '1' does not hold in 2012. Expected: a phase of the scenario's period.",
    ),
    "a phase that is not there": (
        lambda project: _by_phase(project, "3"),
        "key 'index.phase.version': no phase of the registry is called '3'. Hint: one of '1', '2'",
    ),
    "a registry that is not there": (
        lambda project: _by_phase(project, registry="citi"),
        "key 'index.phase.registry': no registry is called 'citi'. Hint: did you mean 'city'?",
    ),
    "domains besides": (
        lambda project: project.edit(
            project.scenario, "[index]\n", '[index]\nphase = { registry = "city", version = "2" }\n'
        ),
        "key 'index.phase': the domains are given twice. Expected: either `phase` or [[index.domains]].",
    ),
    "a version that is a number": (
        lambda project: _by_phase(project, 2),
        "key 'index.phase.version': 2 does not fit. Expected: a text in quotation marks.",
    ),
}


@pytest.mark.parametrize("case", PHASES)
def test_a_phase_that_an_index_cannot_take_is_told(case, project, geoplan):
    alter, said = PHASES[case]
    alter(project)
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert (ended.code, ended.faults[0]) == (2, f"scenarios/four.toml, {said}")


# ---------------------------------------------------------------- what is shipped


def test_the_sample_gives_a_reason_for_every_figure_it_defines_otherwise():
    catalogue = Catalogue(home())
    notes = [
        (f"layers/{name}.toml", text)
        for name in catalogue.names("layers")
        for text in definition_notes(catalogue, catalogue.layer(name))
    ]
    assert [text for _, text in notes if "departs" in text] == []
    said = [text for name, text in notes if name == "layers/nordhamra_registry.toml"]
    assert said[0] == (
        "'safety' (2010) merges 'offences' and 'perceived_safety' (2006): against the domains that were only carried "
        "over it would count double with their weights added, and counts half with the weight it has (40.0% of the "
        "index before, 25.0% now; an indicator 0.36 to 0.89 times what it was)"
    )
    assert [text for name, text in notes if name in {"layers/sweden_core.toml", "layers/denmark_core.toml"}] == []


def test_the_later_phase_of_the_sample_is_the_index_of_its_scenario():
    registry = open_registry("nordhamra_registry")
    index = Catalogue(home()).scenario("baseline").index
    (later,) = (phase for phase in registry.phases if phase.version == "2010")
    assert later.domains == index.domains


@pytest.mark.parametrize("name", ["sweden_core", "denmark_core"])
def test_a_national_core_is_labelled_in_three_languages_and_leaves_judgement_to_cities(name):
    registry = open_registry(name)
    assert registry.extends is None
    for item in registry.indicators:
        for text in (item.label, item.base, item.note):
            assert text is None or (text.sv and text.da and text.en), item.id
        assert (item.quality, item.distance, item.minimum_base) == (None, None, None), item.id


def test_the_danish_core_has_the_figures_of_the_law():
    # Almenboligloven § 61 a: who is counted, of whom, and over how many years.
    core = {item.id: item for item in open_registry("denmark_core").indicators}
    assert {name: (item.ages, item.mean_years) for name, item in core.items()} == {
        "population": (None, 1),
        "outside_work_18_64": ((18, 64), 2),
        "convicted_18_plus": (None, 2),  # 18 and over
        "basic_school_30_59": ((30, 59), 1),
        "mean_gross_income_15_64": ((15, 64), 1),
        "non_western_background": (None, 1),
    }


# ---------------------------------------------------------------- the command line


def test_the_sheets_of_the_sample_are_listed_by_file(geoplan, tmp_path):
    ended = geoplan("indicators", cwd=tmp_path)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line for line in lines if line in {"fjordbo_indicators", "nordhamra_indicators", "sweden_core"}] == [
        "fjordbo_indicators", "nordhamra_indicators", "sweden_core",
    ]  # fmt: skip
    (row,) = (line for line in lines if line.startswith("employment_20_64 "))
    assert " ".join(row.split()) == "employment_20_64 Employed persons aged 20–64 % lower adapted"


def test_one_sheet_is_printed_in_full_with_goals_phases_scenarios_and_differences(geoplan, tmp_path):
    said = geoplan("indicators", "employment_20_64", "--language", "sv", cwd=tmp_path).out
    for line in (
        "Förvärvsarbetande 20–64 år (employment_20_64)",
        "nordhamra_indicators → nordhamra_registry → sweden_core · adapted",
        "base          Invånare 20–64 år",
        "direction     higher is better",
        "minimum base  50",
        "goals         Fler i arbete; Fler hushåll klarar sig på egen inkomst",
        "phases        2006: livelihood; 2010: livelihood",
        "layers        nordhamra_indicators",
        "scenarios     access (livelihood); baseline (livelihood); basomraden (livelihood)",
        "nordhamra_registry fills in what sweden_core leaves open: distance, minimum_base, quality",
    ):
        assert line in [part.rstrip() for part in said.splitlines()]
    assert "Stadens register bytte" in said


def test_an_indicator_of_several_files_has_a_sheet_for_each(geoplan, tmp_path):
    told = json.loads(geoplan("indicators", "population", "--json", cwd=tmp_path).out)
    assert [(sheet["file"], sheet["registries"]) for sheet in told] == [
        ("fjordbo_indicators", ["denmark_core"]),
        ("nordhamra_indicators", ["nordhamra_registry", "sweden_core"]),
    ]


def test_json_holds_every_field_goal_phase_scenario_and_difference(geoplan, project):
    _cities(project)
    told = json.loads(geoplan("indicators", "--json", cwd=project.root).out)
    assert [sheet["id"] for sheet in told] == ["population", "poor", "crime"]
    poor = told[1]
    assert set(IndicatorSpec.model_fields) < set(poor)
    assert (poor["scope"], poor["registries"], poor["ages"], poor["mean_years"]) == (
        "adapted",
        ["city", "core"],
        [16, 64],
        1,
    )
    assert poor["goals"] == [{"id": "less", "label": {"sv": "Mindre", "en": "Less"}}]
    assert poor["phases"] == [{"version": "1", "domain": "d"}]
    assert poor["layers"] == ["figures"]
    assert poor["scenarios"] == [{"id": "four", "domain": "livelihood"}]
    assert [(row["file"], row["registry"], row["field"], row["reason"]) for row in poor["differences"]] == [
        ("figures", "city", "mean_years", ""),
        ("city", "core", "ages", "From 16."),
    ]
    assert (told[0]["scope"], told[0]["differences"][0]["change"]) == ("local", "local")


def test_sheets_of_one_layer_or_registry_only(geoplan, tmp_path):
    core = json.loads(geoplan("indicators", "--registry", "sweden_core", "--json", cwd=tmp_path).out)
    assert {sheet["scope"] for sheet in core} == {"national"}
    used = {sheet["id"]: (sheet["layers"], [item["id"] for item in sheet["scenarios"]]) for sheet in core}
    assert used["employment_20_64"] == (["nordhamra_indicators"], ["access", "baseline", "basomraden"])
    assert used["eligible_upper_secondary"] == ([], [])
    assert len(core) == len(open_registry("sweden_core").indicators)
    layer = json.loads(geoplan("indicators", "--layer", "fjordbo_indicators", "--json", cwd=tmp_path).out)
    assert {sheet["file"] for sheet in layer} == {"fjordbo_indicators"}


def test_differences_are_listed_once(geoplan, project):
    _cities(project)
    said = [
        " ".join(line.split()) for line in geoplan("indicators", "--differences", cwd=project.root).out.splitlines()
    ]
    for line in ("poor ages 20–64 16–64 From 16.", "poor mean_years 2 1", "crime – defined only here"):
        assert said.count(line) == 1


def test_a_project_without_registries_has_no_differences(geoplan, project):
    assert geoplan("indicators", "--differences", cwd=project.root).out == "No definition departs from a registry.\n"
    told = json.loads(geoplan("indicators", "poor", "--json", cwd=project.root).out)
    assert [(sheet["scope"], sheet["registries"], sheet["differences"]) for sheet in told] == [("local", [], [])]


ASKED = {
    "an indicator that is not there": (
        ["employment"],
        "no indicator is called 'employment'. Hint: did you mean 'employment_20_64'?",
    ),
    "a registry that is not there": (
        ["--registry", "sweden"],
        "no registry is called 'sweden'. Hint: did you mean 'sweden_core'?",
    ),
    "a layer that is not there": (
        ["--layer", "nordhamra_indicator"],
        "no layer is called 'nordhamra_indicator'. Hint: did you mean 'nordhamra_indicators'?",
    ),
    "a layer of polygons": (
        ["--layer", "nordhamra_water"],
        "the layer 'nordhamra_water' is of kind 'backdrop'. Expected: a layer of kind 'indicators'.",
    ),
    "a language that is not kept": (
        ["--language", "fi"],
        "key 'language': no language is called 'fi'. Hint: one of 'da', 'en', 'sv'",
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_not_there_is_told_with_exit_code_2(case, geoplan, tmp_path):
    words, said = ASKED[case]
    ended = geoplan("indicators", *words, cwd=tmp_path)
    assert (ended.code, ended.out, ended.faults) == (2, "", [said])


def test_a_folder_that_is_no_project_has_no_sheets(tmp_path):
    with pytest.raises(InputError, match="this is not a project of geoplan"):
        read_sheets(tmp_path)
