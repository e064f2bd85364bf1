"""Matrices that others computed: each known form, and every fault of a file at once."""

import csv
import datetime as dt
import sys
import types

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from geoplan.errors import GeoplanError, IdError, InputError, SourceError, SpecError, TableError
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.r5 import _converted, _points, r5_travel_times
from geoplan.reach.times import UNREACHED, TravelTimes, read_times

NO = UNREACHED


def table(times, name="travel_time", start="from_id", end="to_id"):
    """Make a long table of {(from, to): time}."""
    return pd.DataFrame([{start: a, end: b, name: value} for (a, b), value in times.items()])


def written(tmp_path, text, name="m.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def seconds(times):
    return times.seconds[:, :, 0].tolist()


def faults_of(source, **options):
    with pytest.raises(InputError) as raised:
        read_travel_times(source, **options)
    return raised.value.faults


def the_fault(source, **options):
    (fault,) = faults_of(source, **options)
    return fault


# ---------------------------------------------------------------- known programs


def test_r5py_with_one_median():
    times = read_travel_times(table({("a", "b"): 12.0, ("a", "c"): np.nan, ("b", "b"): 0.0, ("b", "c"): 1.0}))
    assert times.from_ids.tolist() == ["a", "b"]
    assert times.to_ids.tolist() == ["b", "c"]
    assert times.percentiles == (50,)
    assert seconds(times) == [[720, NO], [0, 60]]
    assert times.record["program"] == "r5py or r5r"
    assert times.record["unit"] == "minutes"
    assert times.record["counts"] == [{"percentile": 50, "reached": 3, "unreached": 1, "missing": 0}]
    assert any("minutes" in line for line in times.record["assumed"])
    assert any("median" in line for line in times.record["assumed"])


@pytest.mark.parametrize(("start", "end"), [("from_id", "to_id"), ("fromId", "toId")])
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_r5r_with_percentiles(tmp_path, start, end, ending):
    frame = pd.DataFrame(
        {start: ["01", "01"], end: ["x", "y"], "travel_time_p50": [20, None], "travel_time_p05": [10.0, 30.0]}
    )
    path = tmp_path / f"m{ending}"
    frame.to_parquet(path) if ending == ".parquet" else frame.to_csv(path, index=False, na_rep="NA")
    times = read_travel_times(path)
    assert times.percentiles == (5, 50)
    assert times.from_ids.tolist() == ["01"]
    assert times.seconds.tolist() == [[[600, 1200], [1800, NO]]]
    assert times.record["source"] == path.name
    assert len(times.record["sha256"]) == 64


def test_conveyal(tmp_path):
    text = "origin,destination,percentile,time\n1,A,5,10\n1,B,5,-1\n1,A,50,12\n1,B,50,-1\n"
    times = read_travel_times(written(tmp_path, text))
    assert times.percentiles == (5, 50)
    assert times.seconds.tolist() == [[[600, 720], [NO, NO]]]
    assert times.record["program"] == "Conveyal R5"
    assert times.record["unreached_marks"] == {"-1": 2}
    assert any("-1 is unreached" in line for line in times.record["assumed"])


def test_otp_must_say_its_unit(tmp_path):
    path = written(tmp_path, "origin,destination,travel_time\n1,2,861\n2,1,\n")
    fault = the_fault(path)
    assert "nothing says in which unit the column 'travel_time' are" in fault.what
    assert fault.hint == "say unit='minutes' or unit='seconds'"
    times = read_travel_times(path, unit="seconds", program="OTP 2.5")
    assert seconds(times) == [[861, NO], [NO, NO]]
    assert times.record["program"] == "OTP 2.5"
    assert times.record["counts"] == [{"percentile": 50, "reached": 1, "unreached": 1, "missing": 2}]
    assert times.record["notes"] == ["2 pair(s) are not in the matrix and count as unreached"]


def test_what_geoplan_writes_as_a_table_is_read_back():
    cells = np.array([[[0, 90], [60, NO]], [[NO, NO], [65_534, 65_534]]], dtype=np.uint16)
    made = TravelTimes(["a", "b"], ["a", "b"], (5, 50), cells)
    back = read_travel_times(made.to_frame(unreached=True))
    assert back.percentiles == (5, 50)
    assert np.array_equal(back.seconds, cells)


# ---------------------------------------------------------------- columns and units


def test_an_authority_names_its_columns_as_it_likes(tmp_path):
    text = "\ufeffFrån;Till;Restid\r\n0101;Vårdcentral;12,5\r\n0102;Vårdcentral;—\r\n"
    path = written(tmp_path, text)
    times = read_travel_times(path, columns={"from_id": "Från", "to_id": "Till", "minutes": "Restid"}, unreached=["—"])
    assert times.from_ids.tolist() == ["0101", "0102"]
    assert times.to_ids.tolist() == ["Vårdcentral"]
    assert seconds(times) == [[750], [NO]]
    assert "the comma is the decimal sign" in times.record["assumed"]
    assert times.record["unreached_marks"] == {"—": 1}
    latin = written(tmp_path, text.removeprefix("\ufeff").replace("—", "-"), "l.csv", "latin-1")
    again = read_travel_times(latin, columns={"from_id": "Från", "to_id": "Till", "minutes": "Restid"}, unreached=["-"])
    assert again.to_ids.tolist() == ["Vårdcentral"]
    assert seconds(again) == seconds(times)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("minutes", 60),
        ("travel_time_minutes", 60),
        ("restid_min", 60),
        ("Restid (min)", 60),
        ("travelTimeMinutes", 60),
        ("seconds", 1),
        ("duration_sec", 1),
        ("rejsetid (sekunder)", 1),
    ],
)
def test_a_unit_in_the_name_is_used_and_said(name, unit):
    times = read_travel_times(table({("a", "b"): 7}, name, "origin_id", "destination_id"))
    assert seconds(times) == [[7 * unit]]
    assert any(f"by the name of the column '{name}'" in line for line in times.record["assumed"])


@pytest.mark.parametrize("name", ["time", "duration", "Restid", "total_time"])
def test_time_without_a_unit_is_refused(name):
    assert "in which unit" in the_fault(table({("a", "b"): 7}, name, "origin", "destination")).what
    times = read_travel_times(table({("a", "b"): 7}, name, "origin", "destination"), unit="minutes")
    assert seconds(times) == [[420]]


def test_a_least_time_is_no_minute():
    frame = table({("a", "b"): 7}, "time_min", "origin", "destination").assign(time_max=9)
    assert "cannot be told which column is the time" in the_fault(frame).what


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": "hours"}, "'hours' is not a unit"),
        ({"unit": "seconds"}, "says minutes, but unit says seconds"),
        ({"form": "tall"}, "'tall' is not a form"),
        ({"form": "wide"}, "in which unit the times of a wide matrix"),
        ({"form": "wide", "unit": "minutes", "columns": {"to_id": "to_id"}}, "a wide matrix has no column for 'to_id'"),
        ({"columns": {"minutes": "minutos"}}, "no column 'minutos'"),
        ({"columns": {"form_id": "from_id"}}, "'form_id' is nothing that a column can be"),
        ({"columns": {"minutes": "minutes", "seconds": "minutes"}}, "times are given twice"),
        ({"columns": {"time": "minutes"}}, "in which unit"),
        ({"columns": {"minutes": "minutes"}, "unit": "seconds"}, "columns say minutes, but unit says seconds"),
        ({"columns": {"minutes": {50: "minutes"}, "percentile": "to_id"}}, "percentiles are given twice"),
    ],
)
def test_what_is_said_of_columns_must_fit(options, words):
    with pytest.raises(SpecError, match=words):
        read_travel_times(table({("a", "b"): 7}, "minutes"), **options)


def test_unknown_columns_are_listed_with_what_to_say():
    fault = the_fault(pd.DataFrame({"A": [1], "B": [2], "C": [3]}))
    assert "which column is the origin: 'A', 'B', 'C'" in fault.what
    assert "form='wide'" in fault.hint


def test_two_columns_of_times_are_not_chosen_between():
    frame = table({("a", "b"): 7}, "walk_minutes").assign(bus_minutes=5)
    assert "several columns may hold the times" in the_fault(frame).what
    assert seconds(read_travel_times(frame, columns={"minutes": "bus_minutes"})) == [[300]]


def test_percentiles_in_columns_of_any_name():
    frame = pd.DataFrame({"origin": ["a"], "destination": ["b"], "fast": [300], "usual": [400]})
    times = read_travel_times(frame, columns={"seconds": {90: "usual", 10: "fast"}})
    assert times.percentiles == (10, 90)
    assert times.seconds.tolist() == [[[300, 400]]]


def test_the_percentile_can_be_said():
    times = read_travel_times(table({("a", "b"): 7}), percentile=85)
    assert times.percentiles == (85,)
    assert not any("median" in line for line in times.record["assumed"])


# ---------------------------------------------------------------- wide matrices


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_wide(tmp_path, sign, ending):
    frame = pd.DataFrame({"zone": ["01", "02"], "01": [0.0, 2.5], "03": [None, 4.0]})
    path = tmp_path / f"m{ending}"
    frame.to_parquet(path) if ending == ".parquet" else frame.to_csv(path, index=False, sep=sign)
    times = read_travel_times(path, form="wide", unit="minutes")
    assert times.from_ids.tolist() == ["01", "02"]
    assert times.to_ids.tolist() == ["01", "03"]
    assert seconds(times) == [[0, NO], [150, 240]]


def test_wide_with_names_in_the_index(tmp_path):
    made = TravelTimes(["01", "02"], ["x", "y"], (50,), np.array([[[0], [60]], [[NO], [120]]], dtype=np.uint16))
    for source in (made.minutes(), tmp_path / "m.parquet"):
        if not isinstance(source, pd.DataFrame):
            made.minutes().to_parquet(source)
        back = read_travel_times(source, form="wide", unit="minutes")
        assert back.from_ids.tolist() == ["01", "02"]
        assert np.array_equal(back.seconds, made.seconds)


def test_wide_of_whole_numbers_in_a_corner_without_a_name(tmp_path):
    path = written(tmp_path, ",7,8\n7,0,60\n8,60,0\n")
    times = read_travel_times(path, form="wide", unit="seconds")
    assert times.from_ids.tolist() == times.to_ids.tolist() == ["7", "8"]


def test_wide_with_an_index_of_numbers_is_asked_about():
    frame = pd.DataFrame({7: [0, 60], 8: [60, 0]}, index=[7, 8])
    fault = the_fault(frame, form="wide", unit="seconds")
    assert "names of origins, or numbers of rows" in fault.what
    times = read_travel_times(frame, form="wide", unit="seconds", columns={"from_id": "index"})
    assert times.from_ids.tolist() == times.to_ids.tolist() == ["7", "8"]
    assert seconds(times) == [[0, 60], [60, 0]]


def test_wide_destinations_need_names():
    frame = pd.DataFrame([["a", 1, 2]], columns=["z", "x", " "])
    assert "a column has no name" in str(faults_of(frame, form="wide", unit="seconds")[0])


def test_an_index_of_pairs_counts_as_columns():
    frame = table({("a", "x"): 1, ("b", "x"): 2}).set_index(["from_id", "to_id"])
    assert seconds(read_travel_times(frame)) == [[60], [120]]
    assert seconds(read_travel_times(frame.reset_index().set_index("from_id", drop=False))) == [[60], [120]]


def test_wide_faults_name_rows_and_columns(tmp_path):
    path = written(tmp_path, "z,x,y\n01,3,far\n01,-1,4\n")
    faults = faults_of(path, form="wide", unit="minutes")
    assert [(fault.row, fault.column) for fault in faults] == [(2, "y"), (3, "x"), (3, "z")]
    assert all(fault.file == str(path) for fault in faults)


# ---------------------------------------------------------------- marks of unreached pairs


@pytest.mark.parametrize("blank", ["", "NA", "NaN", "None", "null", " "])
def test_blanks_are_unreached(tmp_path, blank):
    path = written(tmp_path, f"from_id,to_id,minutes\na,x,5\na,y,{blank}\n")
    assert seconds(read_travel_times(path)) == [[300, NO]]


@pytest.mark.parametrize(
    ("mark", "unit"),
    [
        (-1, "minutes"),
        (-9999, "seconds"),
        (999, "minutes"),
        (255, "minutes"),
        (9999, "minutes"),
        (9999, "seconds"),
        (32767, "seconds"),
        (65535, "seconds"),
        (999_999, "minutes"),
        (2_147_483_647, "seconds"),
        (4_294_967.295, "minutes"),
        (float("inf"), "minutes"),
    ],
)
@pytest.mark.parametrize("how", ["numbers", "text", "floats of 32 bits"])
def test_marks_are_faults_until_they_are_explained(mark, unit, how):
    frame = table({("a", "x"): 5, ("a", "y"): mark, ("b", "x"): mark, ("b", "y"): 100}, unit)
    if how == "text":
        frame[unit] = [f"{value:.15g}" for value in frame[unit]]
    elif how != "numbers":
        frame[unit] = frame[unit].astype(np.float32)
    fault = the_fault(frame)
    assert fault.row == 3
    assert "2 times (in rows 3, 4)" in fault.what
    assert "unreached=(" in fault.hint
    times = read_travel_times(frame, unreached=(mark,))
    assert (times.seconds == NO).sum() == 2
    assert sum(times.record["unreached_marks"].values()) == 2
    # The hint can be typed as it stands.
    said = eval(fault.hint.split("unreached=")[1].split(";")[0])  # noqa: S307
    assert np.array_equal(read_travel_times(frame, unreached=said).seconds, times.seconds)


def test_the_byte_of_r5_is_a_mark_although_near():
    frame = table({("a", "x"): 250, ("a", "y"): 255}, "minutes").astype({"minutes": np.uint8})
    assert "'255'" in the_fault(frame).what
    assert seconds(read_travel_times(frame, unreached=())) == [[15_000, 15_300]]


def test_long_times_are_times_where_others_are_near():
    assert seconds(read_travel_times(table({("a", "x"): 990, ("a", "y"): 999}, "minutes"))) == [[59_400, 59_940]]
    assert seconds(read_travel_times(table({("a", "x"): 9_998, ("a", "y"): 9_999}, "seconds"))) == [[9_998, 9_999]]


def test_many_zeros_are_told():
    times = read_travel_times(table({("a", "a"): 0, ("a", "b"): 0, ("b", "a"): 5, ("b", "b"): 0}))
    assert times.record["notes"] == ["1 pair(s) of different points take 0 s: is 0 a mark of this matrix?"]


# ---------------------------------------------------------------- faults


def test_every_fault_of_a_file_is_raised_at_once(tmp_path):
    rows = ["01,x,5", "01,y,soon", ",x,4", "02,x,-3", "02,y,1500", "01,x,6", "03,z,7"]
    text = "\n".join(["from_id,to_id,minutes", *rows])
    faults = faults_of(written(tmp_path, text), from_ids=["01", "02"])
    words = {fault.row: str(fault) for fault in faults}
    assert sorted(words) == [3, 4, 5, 6, 7, 8]
    assert "'soon' is not a number" in words[3]
    assert "no name" in words[4]
    assert "'-3' is below zero" in words[5]
    assert "'1500' is over 65,534 s" in words[6]
    assert "from '01' to 'x' takes 300 s and 360 s (rows 2 and 7)" in words[7]
    assert "not among those given (in row 8): '03'" in words[8]


def test_many_wrong_values_are_counted_not_listed():
    frame = table({("a", str(number)): f"w{number}" for number in range(9)}, "minutes")
    faults = faults_of(frame)
    assert len(faults) == 4
    assert faults[-1].what == "6 more cell(s) are wrong in the same way, of 6 other values"


def test_many_pairs_with_two_times_are_counted():
    frame = pd.concat([table({("a", str(number)): shift for number in range(9)}, "minutes") for shift in (1, 2)])
    faults = faults_of(frame.reset_index(drop=True))
    assert len(faults) == 4
    assert faults[-1].what == "6 more pair(s) have two times"


def test_the_same_row_twice_is_counted():
    frame = pd.concat([table({("a", "x"): 1.5}, "minutes")] * 3, ignore_index=True)
    times = read_travel_times(frame)
    assert times.record["rows_said_twice"] == 2
    assert seconds(times) == [[90]]


def test_a_reached_and_an_unreached_row_of_a_pair_differ():
    frame = pd.concat([table({("a", "x"): 1.0}, "minutes"), table({("a", "x"): None}, "minutes")], ignore_index=True)
    assert "takes 60 s and unreached" in the_fault(frame).what


def test_times_that_fall_with_the_percentile_are_swapped_columns():
    frame = pd.DataFrame({"from_id": ["a"], "to_id": ["x"], "travel_time_p5": [9], "travel_time_p95": [4]})
    assert "less at percentile 95 than at 5" in the_fault(frame).what


@pytest.mark.parametrize("share", ["101", "p5", ""])
def test_percentiles_must_be_percentiles(tmp_path, share):
    path = written(tmp_path, f"origin,destination,percentile,time\na,b,{share},5\n")
    assert f"'{share}' is not a percentile" in the_fault(path).what


@pytest.mark.parametrize(
    ("cell", "hint"), [("1.234,5", "decimal=','"), ("00:12:30", "hours and minutes"), ("far", "unreached=('far',)")]
)
def test_text_among_numbers_has_its_hint(tmp_path, cell, hint):
    fault = the_fault(written(tmp_path, f"from_id;to_id;minutes\na;x;{cell}\n"))
    assert hint in f"{fault.hint}{fault.what}" or "is not a number" in fault.what


def test_a_comma_that_may_part_thousands_is_asked_about(tmp_path):
    path = written(tmp_path, "from_id;to_id;seconds\na;x;1,234\n")
    assert "may be a decimal number or thousands" in " ".join(fault.what for fault in faults_of(path))
    assert seconds(read_travel_times(path, decimal=",")) == [[1]]


def test_a_point_beside_decimal_commas_is_refused(tmp_path):
    path = written(tmp_path, "from_id;to_id;seconds\na;x;12,5\na;y;1.500\n")
    assert the_fault(path, decimal=",").row == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (b"\n\n", "no text"), (b"from_id,to_id,minutes\n", "no rows"), (b"a,b\n1\n", "1 values")],
)
def test_files_without_a_table(tmp_path, content, words):
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        read_travel_times(path)


def test_tables_without_rows_or_with_columns_twice():
    with pytest.raises(SourceError, match="no rows"):
        read_travel_times(pd.DataFrame({"from_id": [], "to_id": [], "minutes": []}))
    with pytest.raises(SourceError, match="twice: 'a'"):
        read_travel_times(pd.DataFrame([[1, 2]], columns=["a", "a"]))


# ---------------------------------------------------------------- names and given points


def test_names_keep_zeros_and_lose_decimals():
    frame = pd.DataFrame({"from_id": ["007", " 7 "], "to_id": [1.0, 2.0], "minutes": [1, 2]})
    times = read_travel_times(frame)
    assert times.from_ids.tolist() == ["007", "7"]
    assert times.to_ids.tolist() == ["1", "2"]


def test_given_points_set_the_order_and_what_is_absent():
    given_points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 0, 0], [0, 0, 0]), index=["c", "b", "a"], crs=4326)
    times = read_travel_times(table({("a", "x"): 1, ("b", "x"): 2}), from_ids=given_points, to_ids=["y", "x"])
    assert times.from_ids.tolist() == ["c", "b", "a"]
    assert seconds(times) == [[NO, NO], [NO, 120], [NO, 60]]
    assert times.record["not_in_the_matrix"] == {"from_ids": ["c"], "to_ids": ["y"]}
    assert times.record["counts"] == [{"percentile": 50, "reached": 2, "unreached": 0, "missing": 4}]


def test_a_column_of_points_is_named_by_its_index():
    points = gpd.GeoSeries.from_xy([0, 1], [0, 1], index=["b", "a"], crs=4326)
    assert read_travel_times(table({("a", "x"): 1}), from_ids=points).from_ids.tolist() == ["b", "a"]


def test_lost_zeros_are_suspected():
    fault = the_fault(table({(101, "x"): 1}), from_ids=["0101"])
    assert "leading zeros are lost" in fault.hint
    fault = the_fault(table({("b", "x"): 1}), from_ids=["0101"])
    assert ".between(" in fault.hint


def test_given_names_must_be_unique():
    with pytest.raises(IdError, match="more than once: 'a'"):
        read_travel_times(table({("a", "x"): 1}), from_ids=["a", "a"])


# ---------------------------------------------------------------- the record


def test_the_record_says_all_and_is_kept_in_the_file(tmp_path):
    path = written(tmp_path, "from_id,to_id,minutes\na,x,5.001\n")
    times = read_travel_times(path, program="VISUM 2024", about={"date": dt.date(2024, 5, 14), "window": (420, 540)})
    record = times.record
    assert record["program"] == "VISUM 2024"
    assert record["columns"] == {"from_id": "from_id", "to_id": "to_id", "times": ["minutes"]}
    assert record["rounded_to_seconds"] == 1
    assert record["about"]["date"] == dt.date(2024, 5, 14)
    assert read_times(times.write(tmp_path / "t.parquet")).record == record
    assert str(tmp_path) not in str(record)


def test_the_checksum_is_of_the_content(tmp_path):
    first, second = (written(tmp_path, "from_id,to_id,minutes\na,x,5\n", name) for name in ("a.csv", "b.csv"))
    other = written(tmp_path, "from_id,to_id,minutes\na,x,6\n", "c.csv")
    sums = [read_travel_times(path).record["sha256"] for path in (first, second, other)]
    assert sums[0] == sums[1] != sums[2]
    frames = [table({("a", "x"): value}) for value in (5, 5, 6)]
    sums = [read_travel_times(frame).record["sha256"] for frame in frames]
    assert sums[0] == sums[1] != sums[2]


IDS = (
    st.text("0123456789abcåö .-", min_size=1, max_size=5)
    .map(str.strip)
    .filter(lambda name: name and name.casefold() not in {"nan", "na"})
)


@st.composite
def matrices(draw):
    starts, ends = (draw(st.lists(IDS, unique=True, min_size=1, max_size=4)) for _ in range(2))
    size = len(starts) * len(ends)
    cells = draw(st.lists(st.integers(0, 65_534) | st.just(NO), min_size=size, max_size=size))
    return TravelTimes(starts, ends, (50,), np.array(cells, dtype=np.uint16).reshape(len(starts), len(ends), 1))


@given(matrices(), st.sampled_from([",", ";", "\t"]), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_matrix_comes_back_from_text_long_and_wide(tmp_path, made, sign, comma, encoding):
    path = tmp_path / "m.csv"
    options = {"unreached": (), "separator": sign, "decimal": "," if comma else "."}

    def text(time):
        return "" if time == NO else repr(int(time) / 60).replace(".", "," if comma else ".")

    def write(rows):
        with path.open("w", newline="", encoding=encoding) as stream:
            csv.writer(stream, delimiter=sign).writerows(rows)

    pairs = [
        [start, end, text(made.seconds[row, column, 0])]
        for row, start in enumerate(made.from_ids)
        for column, end in enumerate(made.to_ids)
    ]
    write([["from_id", "to_id", "minutes"], *pairs])
    back = read_travel_times(path, from_ids=made.from_ids, to_ids=made.to_ids, **options)
    assert np.array_equal(back.seconds, made.seconds)
    if "zone" not in made.to_ids:
        rows = [[start, *map(text, made.seconds[row, :, 0])] for row, start in enumerate(made.from_ids)]
        write([["zone", *made.to_ids], *rows])
        back = read_travel_times(path, form="wide", unit="minutes", **options)
        assert back.from_ids.tolist() == made.from_ids.tolist()
        assert back.to_ids.tolist() == made.to_ids.tolist()
        assert np.array_equal(back.seconds, made.seconds)


# ---------------------------------------------------------------- r5py

HOMES = gpd.GeoSeries.from_xy([24.94, 24.95], [60.17, 60.18], index=["01", "02"], crs="EPSG:4326")
MORNING = dt.datetime(2022, 2, 22, 8)  # noqa: DTZ001  in the feeds' own time


@pytest.fixture
def files(tmp_path):
    for name in ("city.osm.pbf", "feed.zip"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path / "city.osm.pbf", tmp_path / "feed.zip"


def test_without_r5py_it_says_what_to_install(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "r5py", None)
    with pytest.raises(GeoplanError, match=r"pip install 'geoplan\[r5\]'"):
        r5_travel_times(*files, HOMES, departure=MORNING)


def test_a_failed_start_of_r5_is_worded(files, monkeypatch):
    class Refuses:
        def find_spec(self, name, *_):
            if name == "r5py":
                raise RuntimeError("No JVM shared library file (libjvm.so) found")

    monkeypatch.setattr(sys, "meta_path", [Refuses(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "r5py", raising=False)
    with pytest.raises(GeoplanError, match=r"could not start R5: No JVM.*Java development kit"):
        r5_travel_times(*files, HOMES, departure=MORNING)


def test_what_r5py_is_asked_and_what_comes_of_its_table(files, monkeypatch):
    asked = {}

    def matrix(network, **options):
        asked.update(options, network=network)
        # As r5py 1.1.7: floats, NaN for its greatest whole number, points without a street left out.
        return pd.DataFrame(
            {
                "from_id": ["01", "01"],
                "to_id": ["01", "03"],
                "travel_time_p5": [0.0, np.nan],
                "travel_time_p50": [0.0, np.nan],
            }
        )

    fake = types.SimpleNamespace(
        __version__="1.1.7", TransportNetwork=lambda osm, gtfs: (osm, gtfs), TravelTimeMatrix=matrix
    )
    monkeypatch.setitem(sys.modules, "r5py", fake)
    ends = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([385_000, 385_500], [6_672_000] * 2), crs=3067, index=["01", "03"]
    )
    times = r5_travel_times(*files, HOMES, ends, departure=MORNING, window_min=30, percentiles=(5, 50), max_min=90)
    assert asked["network"] == (str(files[0]), [str(files[1])])
    assert asked["departure_time_window"] == dt.timedelta(minutes=30)
    assert asked["max_time_walking"] == asked["max_time"] == dt.timedelta(minutes=90)
    assert asked["destinations"].crs == 4326
    assert asked["destinations"]["id"].tolist() == ["01", "03"]
    assert times.percentiles == (5, 50)
    assert times.seconds.tolist() == [[[0, 0], [NO, NO]], [[NO, NO], [NO, NO]]]
    assert times.unsnapped[["side", "id", "reason"]].to_numpy().tolist() == [["from", "02", "R5 has no street near"]]
    assert times.record["program"] == "r5py 1.1.7"
    assert times.record["about"]["departure"] == MORNING
    assert [feed["file"] for feed in times.record["about"]["timetables"]] == ["feed.zip"]


def test_the_only_percentile_of_r5py_may_be_another_than_the_median():
    points = _points(HOMES, "origins")
    found = pd.DataFrame({"from_id": ["01"], "to_id": ["02"], "travel_time_p75": [11.0]})
    assert _converted(found, points, points, "r5py", {}).percentiles == (75,)


def test_r5_refuses_what_r5py_would_not_say_in_words(files, tmp_path):
    with pytest.raises(InputError, match="no coordinate system"):
        r5_travel_times(*files, HOMES.set_crs(None, allow_override=True), departure=MORNING)
    with pytest.raises(IdError, match="more than once"):
        r5_travel_times(*files, HOMES.set_axis(["01", "01"]), departure=MORNING)
    with pytest.raises(InputError, match=r"are no points: '01', '02'"):
        r5_travel_times(*files, HOMES.to_crs(3067).buffer(5), departure=MORNING)
    with pytest.raises(InputError) as raised:
        r5_travel_times(tmp_path / "no.pbf", [], HOMES, departure=MORNING, percentiles=(1, 2, 3, 4, 5, 6))
    assert len(raised.value.faults) == 2


def test_tableerror_is_the_kind_of_wrong_times():
    with pytest.raises(TableError):
        read_travel_times(table({("a", "b"): -5}))
