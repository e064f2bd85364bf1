"""R5's own times of Porto Alegre, in each form in which its users get them."""

import numpy as np
import pandas as pd
import pytest

from geoplan.errors import TableError
from geoplan.reach.foreign import read_travel_times
from geoplan.reach.times import UNREACHED, read_times

pytestmark = pytest.mark.real

BYTE = 255
NAMES = ("w60_walk30_p50_rides3", "w60_walk30_p50_rides8", "walkonly60")


@pytest.fixture(scope="module")
def reference(real):
    with np.load(real / "portoalegre/r5_reference.npz") as stored:
        return {name: stored[name] for name in stored.files}


def long_table(reference, name):
    """The table that r5py gives: floats, NaN where not reached."""
    starts, ends, minutes = reference["from_ids"], reference["to_ids"], reference[name]
    return pd.DataFrame(
        {
            "from_id": np.repeat(starts, len(ends)),
            "to_id": np.tile(ends, len(starts)),
            "travel_time": np.where(minutes == BYTE, np.nan, minutes).ravel(),
        }
    )


def check(times, reference, name):
    minutes = reference[name]
    assert times.from_ids.tolist() == reference["from_ids"].tolist()
    assert times.to_ids.tolist() == reference["to_ids"].tolist()
    expected = np.where(minutes == BYTE, UNREACHED, minutes.astype(int) * 60)
    assert np.array_equal(times.seconds[:, :, 0], expected)
    (count,) = times.record["counts"]
    assert count["reached"] == (minutes != BYTE).sum()
    assert count["unreached"] == (minutes == BYTE).sum()
    assert count["missing"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_as_r5py_gives_it(reference, name, tmp_path):
    times = read_travel_times(long_table(reference, name))
    assert times.record["program"] == "r5py or r5r"
    check(times, reference, name)
    check(read_times(times.write(tmp_path / "t.parquet")), reference, name)
    assert (tmp_path / "t.parquet").stat().st_size < 1_000_000


@pytest.mark.parametrize("name", NAMES[:1])
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_as_r5r_writes_it(reference, name, ending, tmp_path):
    frame = long_table(reference, name).rename(columns={"travel_time": "travel_time_p50"})
    path = tmp_path / f"m{ending}"
    frame.to_parquet(path) if ending == ".parquet" else frame.to_csv(path, index=False)
    check(read_travel_times(path, from_ids=reference["from_ids"], to_ids=reference["to_ids"]), reference, name)


def test_as_conveyal_writes_it(reference, tmp_path):
    name = NAMES[2]
    frame = long_table(reference, name).fillna(-1).astype({"travel_time": int})
    frame.insert(2, "percentile", 50)
    frame.columns = ["origin", "destination", "percentile", "time"]
    frame.to_csv(tmp_path / "m.csv", index=False)
    check(read_travel_times(tmp_path / "m.csv"), reference, name)


def test_as_a_wide_table_of_bytes(reference):
    name = NAMES[0]
    frame = pd.DataFrame(reference[name], index=reference["from_ids"], columns=reference["to_ids"])
    with pytest.raises(TableError) as raised:
        read_travel_times(frame.reset_index(), form="wide", unit="minutes")
    assert "'255' stands above every other time" in str(raised.value)
    check(read_travel_times(frame.reset_index(), form="wide", unit="minutes", unreached=(BYTE,)), reference, name)


def test_reached_pairs_alone_leave_the_rest_missing(reference):
    frame = long_table(reference, NAMES[2])
    times = read_travel_times(frame.dropna(), from_ids=reference["from_ids"], to_ids=reference["to_ids"])
    (count,) = times.record["counts"]
    assert (count["unreached"], count["missing"]) == (0, int(frame["travel_time"].isna().sum()))
    whole = read_travel_times(frame)
    assert np.array_equal(times.seconds, whole.seconds)
