"""How a fault reads, and how several are gathered."""

from __future__ import annotations

import subprocess
import sys

import pytest

from geoplan.errors import (
    CrsError,
    Fault,
    Faults,
    GeoplanError,
    IdError,
    InputError,
    OutputError,
    SpecError,
    did_you_mean,
    listed,
)


def test_a_fault_says_where_then_what_then_what_was_expected_then_how_to_mend_it():
    fault = Fault(
        what="'x' is not a number",
        file="data/a.csv",
        key="k",
        row=7,
        column="c",
        area="0102",
        expected="a number",
        hint="look at the decimal sign",
    )
    assert str(fault) == (
        "data/a.csv, key 'k', row 7, column 'c', area '0102': 'x' is not a number. Expected: a number. "
        "Hint: look at the decimal sign"
    )


def test_a_fault_without_a_place_is_a_plain_sentence():
    assert str(Fault(what="there is no such file")) == "there is no such file."


def test_every_input_error_is_a_value_error_and_a_geoplan_error():
    for kind in InputError.__subclasses__():
        assert issubclass(kind, ValueError)
        assert issubclass(kind, GeoplanError)
    assert issubclass(OutputError, OSError)


def test_an_error_prints_each_of_its_faults_on_a_line():
    error = InputError([Fault(what="one"), Fault(what="two")])
    assert str(error) == "one.\ntwo."
    assert len(error.faults) == 2


def test_locating_fills_in_only_what_is_open():
    error = IdError(Fault(what="wrong", file="a.csv", row=3)).located(file="a.csv", key="id_column")
    assert str(error) == "a.csv, key 'id_column', row 3: wrong."
    assert type(error) is IdError


def test_a_fault_of_another_file_keeps_its_own_places():
    error = SpecError(Fault(what="no TOML", file="layers/a.toml")).located(file="scenarios/b.toml", key="areas.layers")
    assert str(error) == "layers/a.toml: no TOML."


def test_a_fault_of_a_key_is_located_in_the_catalogue_and_others_in_the_data():
    faults = [Fault(what="no column", key="id_column"), Fault(what="no number", row=2)]
    with pytest.raises(InputError) as caught, Faults.located_at("data/a.csv", toml="layers/a.toml"):
        raise InputError(faults)
    assert str(caught.value) == "layers/a.toml, key 'id_column': no column.\ndata/a.csv, row 2: no number."


def test_a_collector_goes_on_after_each_fault_and_raises_them_in_order():
    faults = Faults()
    for number in range(3):
        with faults.catch(file=f"{number}.toml"):
            raise SpecError(Fault(what="wrong"))
    assert bool(faults)
    with pytest.raises(SpecError) as caught:
        faults.raise_any()
    assert [fault.file for fault in caught.value.faults] == ["0.toml", "1.toml", "2.toml"]


def test_faults_of_several_kinds_are_raised_as_their_common_kind():
    faults = Faults()
    faults.add(SpecError(Fault(what="one")))
    faults.add(CrsError(Fault(what="two")))
    with pytest.raises(InputError) as caught:
        faults.raise_any()
    assert type(caught.value) is InputError


def test_an_empty_collector_raises_nothing():
    faults = Faults()
    faults.raise_any()
    assert not faults


def test_a_collector_lets_bugs_through():
    with pytest.raises(ZeroDivisionError), Faults().catch():
        1 / 0  # noqa: B018  a bug is no fault of the user's


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("levl", "did you mean 'level'?"),
        ("LEVEL", "did you mean 'level'?"),
        ("zzz", "one of 'kind', 'level', 'path'"),
    ],
)
def test_the_nearest_word_is_suggested_or_the_choice_listed(word, hint):
    assert did_you_mean(word, ["path", "level", "kind"]) == hint


def test_nothing_is_suggested_where_nothing_is_known():
    assert did_you_mean("levl", []) is None


def test_a_long_list_is_cut_and_the_rest_counted():
    assert listed(range(7)) == "'0', '1', '2', '3', '4' and 2 more"
    assert listed(["a", "b"]) == "'a', 'b'"


def test_importing_geoplan_loads_no_heavy_library():
    # A planner's `import geoplan`, and every `geoplan --help`, must not wait for what they do not use.
    heavy = ["pandas", "numpy", "geopandas", "shapely", "matplotlib", "folium", "pyogrio", "fiona", "pydantic"]
    code = f"import geoplan, sys; print([name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"


def test_every_public_name_can_be_had():
    import geoplan as gp  # noqa: PLC0415  the package itself is what is looked at

    assert set(gp.__all__) <= set(dir(gp))
    assert all(getattr(gp, name) is not None for name in gp.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'risk_score'"):
        gp.risk_score  # noqa: B018  asking is what fails
