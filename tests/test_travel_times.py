"""Travel times as a result: what they refuse, and that a file gives back what was written."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pandas.testing import assert_frame_equal

from geoplan.errors import IdError, InputError, SourceError
from geoplan.reach.plain import from_json, to_json
from geoplan.reach.times import UNREACHED, TravelTimes, read_times

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(lambda name: name.strip())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)
PLAIN = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["a", "$date", "b", 1, 2.5]), inner, max_size=3)
    ),
    max_leaves=8,
)


def some(seconds, **rest):
    cells = np.array(seconds, dtype=np.uint16)
    shares = tuple(range(10, 10 + cells.shape[2]))
    return TravelTimes(
        [f"0{row}" for row in range(cells.shape[0])], list("xyzuvw")[: cells.shape[1]], shares, cells, **rest
    )


def same(one, other):
    assert one.from_ids.tolist() == other.from_ids.tolist()
    assert one.to_ids.tolist() == other.to_ids.tolist()
    assert one.percentiles == other.percentiles
    assert one.seconds.dtype == other.seconds.dtype == np.uint16
    assert np.array_equal(one.seconds, other.seconds)
    assert dict(one.record) == dict(other.record)
    assert_frame_equal(one.unsnapped.reset_index(drop=True), other.unsnapped)


@st.composite
def times(draw):
    starts, ends = (draw(st.lists(NAMES, unique=True, max_size=4)) for _ in range(2))
    shares = sorted(draw(st.sets(st.integers(0, 100) | st.floats(0, 100), min_size=1, max_size=3)))
    size = len(starts) * len(ends) * len(shares)
    cells = draw(st.lists(st.integers(0, UNREACHED), min_size=size, max_size=size))
    off = draw(st.lists(st.tuples(NAMES, st.floats(), st.floats(0, 1e6)), max_size=3))
    lost = pd.DataFrame(
        {
            "side": ["from"] * len(off),
            "id": [row[0] for row in off],
            "x": np.array([row[1] for row in off], dtype=float),
            "nearest_m": np.array([row[2] for row in off], dtype=float),
            "reason": ["too far"] * len(off),
        }
    )
    record = draw(st.dictionaries(st.text(max_size=4), PLAIN, max_size=3))
    shape = (len(starts), len(ends), len(shares))
    return TravelTimes(starts, ends, tuple(shares), np.array(cells, dtype=np.uint16).reshape(shape), lost, record)


@given(times())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_gives_back_what_was_written_and_the_same_bytes(tmp_path, made):
    first, second = made.write(tmp_path / "a.parquet"), made.write(tmp_path / "b.parquet")
    same(made, read_times(first))
    assert first.read_bytes() == second.read_bytes()
    assert read_times(first).write(second).read_bytes() == first.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


@given(PLAIN)
def test_plain_values_come_back_with_their_kinds(value):
    back = from_json(to_json(value, key="record"))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("unsnapped", [pd.DataFrame(), pd.DataFrame({"side": [], "id": [], "x": []})])
def test_nothing_to_tell_comes_back_as_nothing(tmp_path, unsnapped):
    made = some(np.zeros((2, 0, 1)), unsnapped=unsnapped)
    back = read_times(made.write(tmp_path / "t.parquet"))
    assert back.seconds.shape == (2, 0, 1)
    assert list(back.unsnapped.columns) == list(unsnapped.columns)
    assert back.to_frame().empty


def test_a_matrix_of_many_groups_of_rows_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr("geoplan.reach.times._CELLS_AT_ONCE", 7)
    made = some(np.arange(5 * 3 * 2).reshape(5, 3, 2))
    path = made.write(tmp_path / "t.parquet")
    assert pq.ParquetFile(path).num_row_groups == 5
    same(made, read_times(path))


def test_others_read_the_rows_too(tmp_path):
    path = some([[[60], [120]]]).write(tmp_path / "t.parquet")
    frame = pd.read_parquet(path)
    assert frame["from_id"].tolist() == ["00"]
    assert frame["seconds"].iloc[0].tolist() == [60, 120]


# ---------------------------------------------------------------- damaged and foreign files


@pytest.mark.parametrize("cut", [0, 3, 200, -1, -9])
def test_a_cut_file_is_a_worded_fault(tmp_path, cut):
    path = some([[[60], [120]]]).write(tmp_path / "t.parquet")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SourceError, match="cannot be read") as raised:
        read_times(path)
    assert str(path) in str(raised.value)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_is_found_or_changes_nothing(tmp_path, data):
    made = some(np.arange(12).reshape(3, 4, 1), record={"mode": "walk"})
    path = made.write(tmp_path / "t.parquet")
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        back = read_times(path)
    except SourceError:
        return
    same(made, back)


def test_files_of_others_are_told_apart(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        read_times(tmp_path / "none.parquet")
    with pytest.raises(SourceError, match="a folder"):
        read_times(tmp_path)
    pd.DataFrame({"from_id": ["a"]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(SourceError, match=r"does not hold travel times.*read_travel_times"):
        read_times(tmp_path / "other.parquet")


def test_a_later_version_is_refused(tmp_path):
    table = pa.table({"from_id": ["a"]}).replace_schema_metadata({"geoplan.travel_times": '{"version": 99}'})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(SourceError, match="version 99"):
        read_times(tmp_path / "t.parquet")


def test_times_changed_by_another_program_are_found(tmp_path):
    path = some([[[60], [120]]]).write(tmp_path / "t.parquet")
    table = pq.read_table(path)
    cells = pa.FixedSizeListArray.from_arrays(pa.array([61, 120], pa.uint16()), 2)
    pq.write_table(table.set_column(1, "seconds", cells).replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(SourceError, match="checksum"):
        read_times(path)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = some([[[60]]]).write(tmp_path / "t.parquet")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"a set cannot be written") as raised:
        some([[[60]]], record={"walk": {"limits": {1}}}).write(path)
    assert "record.walk.limits" in str(raised.value)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["t.parquet"]


def test_a_missing_date_is_not_written(tmp_path):
    with pytest.raises(InputError, match="NaTType"):
        some([[[60]]], record={"date": pd.NaT}).write(tmp_path / "t.parquet")


# ---------------------------------------------------------------- parts and views


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from_ids": ["a", "a"]}, "occur more than once: 'a'"),
        ({"to_ids": ["x", " "]}, "blank"),
        ({"percentiles": (50, 50)}, "rising numbers"),
        ({"percentiles": (50, 101)}, "rising numbers"),
        ({"percentiles": ()}, "rising numbers"),
        ({"seconds": np.zeros((2, 2, 2))}, "float64"),
        ({"to_ids": ["x"]}, r"expected: uint16 of \(2, 1, 2\)"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change, words):
    parts = {"from_ids": ["a", "b"], "to_ids": ["x", "y"], "percentiles": (25, 50)}
    parts["seconds"] = np.zeros((2, 2, 2), dtype=np.uint16)
    with pytest.raises(InputError, match=f"(?i){words}"):
        TravelTimes(**(parts | change))


def test_names_become_text():
    made = TravelTimes([1, 2], np.array(["x"]), [50], np.zeros((2, 1, 1), dtype=np.uint16))
    assert made.from_ids.tolist() == ["1", "2"]
    assert made.to_ids.dtype == made.from_ids.dtype == object
    assert made.percentiles == (50,)


def test_minutes_and_frame_say_the_same():
    made = some([[[60, 90], [UNREACHED, UNREACHED]], [[0, UNREACHED], [65_534, 65_534]]])
    table = made.minutes(10)
    assert table.dtypes.unique().tolist() == [np.float32]
    assert table.loc["00", "x"] == 1.0
    assert np.isnan(table.loc["00", "y"])
    frame = made.to_frame(unreached=True)
    assert len(frame) == 8
    wide = frame[frame["percentile"] == 10].pivot(index="from_id", columns="to_id", values="minutes")
    assert_frame_equal(wide, table, check_names=False)
    assert len(made.to_frame(11)) == 2
    with pytest.raises(InputError, match="is not said"):
        made.minutes()
    with pytest.raises(InputError, match=r"was not computed.*percentiles=\(5, 10, 11\)"):
        made.to_frame(5)


def test_between_chooses_and_orders():
    lost = pd.DataFrame({"side": ["from", "to", "to"], "id": ["00", "x", "z"], "reason": ["far"] * 3})
    made = some(np.arange(6).reshape(2, 3, 1), unsnapped=lost, record={"date": dt.date(2019, 5, 13)})
    part = made.between(["01", "00"], ["z"])
    assert part.seconds[:, :, 0].tolist() == [[5], [2]]
    assert part.unsnapped["id"].tolist() == ["00", "z"]
    assert part.record == made.record
    same(made.between(), made)
    assert made.between([]).seconds.shape == (0, 3, 1)
    with pytest.raises(IdError) as raised:
        made.between(["02"], ["x", "x"])
    assert "not among the points: '02'" in str(raised.value)
    assert "more than once: 'x'" in str(raised.value)


def test_the_repr_counts():
    assert repr(some([[[60], [UNREACHED]]])) == "TravelTimes(1 x 2, percentiles 10, 50.0% reached)"
    assert "0 x 0" in repr(some(np.zeros((0, 0, 1))))
