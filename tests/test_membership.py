"""Membership as a graph: several axes, overlapping parents, circles, and shares along the way."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import IdError, InputError, SpecError, TableError
from geoplan.places import as_membership, belongs_to, check_membership, members, pairs_at, parents_at
from geoplan.places.membership import whole_pairs

COLUMNS = ["child_id", "parent_id", "relation", "share"]


def _table(*rows):
    """Return membership rows of (child, parent), (child, parent, share) or (child, parent, relation)."""
    filled = []
    for child, parent, *rest in rows:
        relation = next((item for item in rest if isinstance(item, str)), "part_of")
        share = next((item for item in rest if not isinstance(item, str)), 1.0)
        filled.append((child, parent, relation, float(share)))
    return pd.DataFrame(filled, columns=COLUMNS)


# An estate is part of a housing area, a plan and a kommune; one organisation administers it; two plans cover b; a
# board governs both plans. The labour-market area holds a kommune that nobody here lives in.
TOWN = _table(
    ("a", "area 1"),
    ("b", "area 1"),
    ("c", "area 2"),
    ("area 1", "plan 1"),
    ("area 2", "plan 2"),
    ("b", "plan 2", "covered_by"),
    ("plan 1", "kommune"),
    ("plan 2", "kommune"),
    ("a", "north", "administered_by"),
    ("b", "north", "administered_by"),
    ("c", "south", "administered_by"),
    ("plan 1", "board", "governed_by"),
    ("plan 2", "board", "governed_by"),
    ("kommune", "labour", "in_labour_market_area"),
    ("elsewhere", "labour", "in_labour_market_area"),
)
ESTATES = ["a", "b", "c"]


def _pairs(found):
    return list(found.itertuples(index=False, name=None))


# ---------------------------------------------------------------- walking


def test_all_areas_below_an_area_are_found_over_any_number_of_steps():
    assert members(TOWN, "board") == ["a", "area 1", "area 2", "b", "c", "plan 1", "plan 2"]
    assert members(TOWN, "board", of=ESTATES) == ESTATES
    assert members(TOWN, "plan 2", of=ESTATES) == ["b", "c"]
    assert members(TOWN, "labour", of=ESTATES) == ESTATES


def test_walking_may_keep_to_some_axes():
    assert members(TOWN, "plan 2", of=ESTATES, relation="part_of") == ["c"]
    assert members(TOWN, "board", relation="governed_by") == ["plan 1", "plan 2"]
    assert members(TOWN, "board", of=ESTATES, relation=["governed_by", "part_of"]) == ESTATES
    assert members(TOWN, "north", relation="administered_by") == ["a", "b"]


def test_all_areas_above_an_area_are_found():
    assert belongs_to(TOWN, "b", of=["plan 1", "plan 2"]) == ["plan 1", "plan 2"]
    assert belongs_to(TOWN, "c") == ["area 2", "board", "kommune", "labour", "plan 2", "south"]
    assert belongs_to(TOWN, "c", relation="administered_by") == ["south"]
    assert belongs_to(TOWN, "labour") == []


def test_an_area_or_a_relation_that_is_not_there_is_told():
    with pytest.raises(SpecError) as caught:
        members(TOWN, "plan 3")
    assert str(caught.value) == "no area of the membership is called 'plan 3'. Hint: did you mean 'plan 2'?"
    with pytest.raises(SpecError) as caught:
        pairs_at(TOWN, ESTATES, ["kommune"], relation="part-of")
    assert str(caught.value) == "no relation of the membership is called 'part-of'. Hint: did you mean 'part_of'?"


def test_members_of_a_circle_are_found_too():
    circle = _table(("a", "b"), ("b", "c"), ("c", "a"))
    assert members(circle, "a") == ["b", "c"]
    assert belongs_to(circle, "a") == ["b", "c"]


# ---------------------------------------------------------------- pairs and shares


def test_an_area_may_have_several_parents_each_pair_once():
    assert _pairs(pairs_at(TOWN, ESTATES, ["plan 1", "plan 2"])) == [
        ("a", "plan 1", 1.0),
        ("b", "plan 1", 1.0),
        ("b", "plan 2", 1.0),
        ("c", "plan 2", 1.0),
    ]
    # Two ways lead from b to the board, over either plan.
    assert _pairs(pairs_at(TOWN, ESTATES, ["board"])) == [("a", "board", 1.0), ("b", "board", 1.0), ("c", "board", 1.0)]


def test_parents_may_lie_in_each_other():
    found = pairs_at(TOWN, ["a"], ["plan 1", "kommune"])
    assert _pairs(found) == [("a", "kommune", 1.0), ("a", "plan 1", 1.0)]


def test_an_area_among_both_belongs_to_itself_and_one_without_parent_has_no_pair():
    assert _pairs(pairs_at(TOWN, ["plan 1", "nowhere"], ["plan 1"])) == [("plan 1", "plan 1", 1.0)]
    assert pairs_at(TOWN, ["kommune"], ["plan 1"]).empty


def test_shares_are_multiplied_along_a_way():
    table = _table(("a", "b", 0.5), ("b", "c", 0.4), ("c", "d"))
    (pair,) = _pairs(pairs_at(table, ["a"], ["d"]))
    assert pair == ("a", "d", pytest.approx(0.2))


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        # Divided between two that lie in the same third: all of it is there.
        ([("a", "x", 0.6), ("a", "y", 0.4), ("x", "k"), ("y", "k")], 1.0),
        # Only one of the two lies there.
        ([("a", "x", 0.6), ("a", "y", 0.4), ("x", "k")], 0.6),
        # Half lies in x, and two ways lead on from x: still half.
        ([("a", "x", 0.5), ("x", "y"), ("x", "z"), ("y", "k"), ("z", "k")], 0.5),
        # Overlapping parents hold more than all of it: at most all.
        ([("a", "x", 0.8), ("a", "y", 0.7), ("x", "k"), ("y", "k")], 1.0),
        # Another axis speaks of the same ground: the larger share, 0.6, not 0.9.
        ([("a", "x", 0.6), ("a", "y", "policed_by", 0.3), ("x", "k"), ("y", "k")], 0.6),
    ],
)
def test_ways_that_part_and_meet_again(rows, share):
    ((_, _, found),) = _pairs(pairs_at(_table(*rows), ["a"], ["k"]))
    assert found == pytest.approx(share)


def test_rows_that_two_files_both_hold_count_once():
    table = _table(("a", "k", 0.5))
    ((_, _, found),) = _pairs(pairs_at(pd.concat([table, table]), ["a"], ["k"]))
    assert found == 0.5


def test_one_parent_along_one_relation():
    assert parents_at(TOWN, ESTATES, ["plan 1", "plan 2"], relation="part_of").to_dict() == {
        "a": "plan 1",
        "b": "plan 1",
        "c": "plan 2",
    }
    with pytest.raises(IdError, match=r"1 area\(s\) belong to several parents, or only partly to one: 'b'"):
        parents_at(TOWN, ESTATES, ["plan 1", "plan 2"])
    assert parents_at(TOWN, ESTATES, ["board"]).to_dict() == dict.fromkeys(ESTATES, "board")


def test_an_area_divided_within_its_parent_belongs_there_wholly():
    table = _table(("a", "x", 0.6), ("a", "y", 0.4), ("x", "k"), ("y", "k"))
    assert parents_at(table, ["a"], ["k"]).to_dict() == {"a": "k"}


def test_only_whole_areas_can_be_merged():
    pairs = pairs_at(_table(("a", "x", 0.6), ("b", "x")), ["a", "b"], ["x"])
    with pytest.raises(IdError) as caught:
        whole_pairs(pairs)
    assert str(caught.value) == (
        "1 area(s) belong only partly to a parent: 'a'. Expected: whole parents for every area that is merged. "
        "Hint: `transfer` divides the figures of areas that borders cut through"
    )


@st.composite
def graphs(draw):
    """Draw a membership of four levels in which an area may belong to several areas of any higher level."""
    levels = [[f"{level}{number}" for number in range(draw(st.integers(1, 4)))] for level in "abcd"]
    rows = []
    for place, level in enumerate(levels[:-1]):
        above = [code for higher in levels[place + 1 :] for code in higher]
        for code in level:
            rows += [(code, parent) for parent in draw(st.lists(st.sampled_from(above), max_size=3, unique=True))]
    return levels, _table(*rows)


def _ways(rows, area):
    """Walk by hand: everything that lies above an area."""
    above = {parent for child, parent in rows if child == area}
    return above | {other for parent in above for other in _ways(rows, parent)}


@settings(max_examples=25)
@given(graphs())
def test_pairs_are_what_a_walk_by_hand_finds(drawn):
    levels, table = drawn
    rows = list(table[["child_id", "parent_id"]].itertuples(index=False, name=None))
    found = pairs_at(table, levels[0], levels[3])
    expected = {(area, top) for area in levels[0] for top in _ways(rows, area) & set(levels[3])}
    assert set(zip(found["child_id"], found["parent_id"], strict=True)) == expected
    assert not found.duplicated(["child_id", "parent_id"]).any()
    assert (found["share"] == 1).all()
    assert check_membership(table) == []
    for area in {area for row in rows for area in row}:
        assert belongs_to(table, area) == sorted(_ways(rows, area))


# ---------------------------------------------------------------- checking


def test_a_circle_is_spelled_out():
    table = _table(("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "k"), ("y", "y"))
    with pytest.raises(IdError) as caught:
        check_membership(table)
    assert str(caught.value).splitlines() == [
        "areas belong to each other in a circle: 'a' → 'b' → 'c' → 'a'. Expected: a way upwards that ends.",
        "areas belong to each other in a circle: 'y' → 'y'. Expected: a way upwards that ends.",
    ]


def test_a_circle_over_two_relations_is_one_too():
    with pytest.raises(IdError, match="'a' → 'b' → 'a'"):
        check_membership(_table(("a", "b"), ("b", "a", "governed_by")))


def test_exactly_one_administers_each():
    assert check_membership(TOWN, exclusive=["administered_by"], area_ids=ESTATES) == []
    two = pd.concat([TOWN, _table(("c", "north", "administered_by"))])
    with pytest.raises(IdError) as caught:
        check_membership(two, exclusive=["administered_by"])
    assert str(caught.value) == (
        "key 'exclusive': 1 area(s) have several parents by 'administered_by': 'c'. Expected: exactly one parent."
    )
    none = TOWN[~((TOWN["child_id"] == "c") & (TOWN["relation"] == "administered_by"))]
    assert check_membership(none, exclusive=["administered_by"], area_ids=ESTATES) == [
        "1 of 3 areas has no parent by 'administered_by': 'c'"
    ]
    # Nobody administers plans: that is another level, not a gap.
    assert check_membership(TOWN, exclusive=["administered_by"], area_ids=["plan 1", "plan 2"]) == []


def test_a_relation_that_the_table_does_not_know_is_told():
    with pytest.raises(SpecError) as caught:
        check_membership(TOWN, exclusive=["administered-by"])
    assert str(caught.value) == (
        "key 'exclusive': no relation of the membership is called 'administered-by'. "
        "Hint: did you mean 'administered_by'?"
    )


def test_a_pair_with_two_shares_is_a_fault():
    with pytest.raises(TableError) as caught:
        check_membership(_table(("a", "k", 0.6), ("a", "k", 0.4)))
    assert str(caught.value) == (
        "1 pair(s) stand in the table with several shares: 'a' in 'k'. Expected: one share a pair."
    )


def test_all_faults_of_the_graph_are_told_at_once():
    table = _table(("a", "a"), ("b", "k", 0.6), ("b", "k", 0.4), ("b", "m"))
    with pytest.raises(InputError) as caught:
        check_membership(table, exclusive=["part_of"])
    assert len(caught.value.faults) == 3


def test_a_relation_column_is_read():
    frame = pd.DataFrame({"child_id": ["a", "a"], "parent_id": ["x", "y"], "axis": ["part_of", "administered_by"]})
    assert as_membership(frame, relation_column="axis")["relation"].tolist() == ["part_of", "administered_by"]


# ---------------------------------------------------------------- in a project

_BOARDS = """\
kind = "membership"
title = "Who administers"
path = "../data/boards.csv"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
relation_column = "relation"
exclusive = ["administered_by"]
"""


def _with_boards(project, rows):
    (project / "layers/boards.toml").write_text(_BOARDS, encoding="utf-8")
    (project / "data/boards.csv").write_text("child_id,parent_id,relation\n" + "\n".join(rows) + "\n", encoding="utf-8")
    project.edit(project.scenario, 'layers = ["districts"]', 'layers = ["districts"]\nmembership = ["boards"]')


def test_two_administering_organisations_are_a_fault_with_the_file(project, geoplan):
    _with_boards(project, ["0101,north,administered_by", "0101,south,administered_by"])
    ended = geoplan("check", ".", cwd=project.root)
    assert ended.code == 2
    (fault,) = ended.faults
    assert fault == (
        "layers/boards.toml, key 'exclusive': 1 area(s) have several parents by 'administered_by': '0101'. "
        "Expected: exactly one parent."
    )


def test_a_circle_is_a_fault_with_the_file(project, geoplan):
    _with_boards(project, ["0101,north,administered_by", "north,0101,governed_by"])
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert ended.code == 2
    (fault,) = ended.faults
    assert fault == (
        "data/boards.csv: areas belong to each other in a circle: '0101' → 'north' → '0101'. "
        "Expected: a way upwards that ends."
    )


def test_an_area_that_nobody_administers_is_noted(project, geoplan):
    _with_boards(project, [f"{code},north,administered_by" for code in ("0101", "0102", "0103")])
    ended = geoplan("check", ".", cwd=project.root)
    assert ended.code == 0
    assert (
        "scenarios/four.toml: stadsdel: 1 of 4 areas has no parent by 'administered_by': '0104'."
        in ended.out.splitlines()
    )


def test_areas_that_lie_partly_in_a_ranked_one_are_a_fault_of_the_scenario(project, geoplan):
    text = (project / project.figures).read_text(encoding="utf-8")
    (project / project.figures).write_text(text.replace("0101,", "d001,"), encoding="utf-8")
    project.edit("layers/figures.toml", 'level = "stadsdel"', 'level = "deso"')
    _with_boards(project, ["d001,0101,part_of", "0101,north,administered_by"])
    table = "child_id,parent_id,relation,share\nd001,0101,part_of,0.6\n0101,north,administered_by,1\n"
    (project / "data/boards.csv").write_text(table, encoding="utf-8")
    project.edit("layers/boards.toml", "exclusive", 'share_column = "share"\nexclusive')
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert ended.code == 2
    (fault,) = ended.faults
    assert fault == (
        "scenarios/four.toml, key 'areas.membership': 1 area(s) belong only partly to a parent: 'd001'. Expected: "
        "whole parents for every area that is merged. Hint: `transfer` divides the figures of areas that borders cut "
        "through"
    )


def test_an_area_that_lies_partly_in_the_reference_is_told_with_the_scenario(project, geoplan):
    _with_boards(project, [f"010{number},town,part_of" for number in range(1, 5)])
    rows = [f"010{number},town,part_of,{0.6 if number == 1 else 1}" for number in range(1, 5)]
    table = "\n".join(["child_id,parent_id,relation,share", *rows]) + "\n"
    (project / "data/boards.csv").write_text(table, encoding="utf-8")
    project.edit("layers/boards.toml", "exclusive", 'share_column = "share"\nexclusive')
    project.edit("layers/boards.toml", '["administered_by"]', "[]")
    project.edit(project.scenario, "[index]", '[index]\nreference = "town"')
    ended = geoplan("check", cwd=project.root)
    assert ended.faults == [
        (
            "scenarios/four.toml: 1 area(s) belong to several parents, or only partly to one: '0101'. Expected: one "
            "whole parent for every area that is merged."
        )
    ]
