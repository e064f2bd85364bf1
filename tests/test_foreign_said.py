"""What is said of a matrix that others computed: marks, columns, names and percentiles that make sense, or a fault."""

import numpy as np
import pandas as pd
import pytest

from geoplan.errors import InputError, SourceError
from geoplan.reach import UNREACHED, read_travel_times


@pytest.mark.parametrize("mark", ["999", 999, np.float64(999), [999], ("999",), {999}])
def test_one_mark_is_one_mark(mark):
    table = pd.DataFrame({"from_id": ["a", "a"], "to_id": ["x", "y"], "minutes": [9, 999]})
    times = read_travel_times(table, unreached=mark)
    assert times.seconds.ravel().tolist() == [540, UNREACHED]
    assert times.record["unreached_marks"] == {"999": 1}


PLAIN = {"from_id": ["a", "b"], "to_id": ["x", "x"], "minutes": [9, 10]}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"columns": {"minutes": ["minutes"]}}, r"'minutes' cannot be \['minutes'\].*or a mapping of percentiles"),
        ({"columns": {"minutes": None}}, r"'minutes' cannot be None"),
        ({"columns": {"minutes": {}}}, r"'minutes' cannot be \{\}"),
        ({"columns": {"minutes": {"median": "minutes"}}}, r"'minutes' cannot be \{'median': 'minutes'\}"),
        ({"columns": {"minutes": {120: "minutes"}}}, r"'minutes' cannot be \{120: 'minutes'\}"),
        ({"columns": {"to_id": {50: "to_id"}}}, r"'to_id' cannot be .*Expected: the name of a column\."),
        ({"from_ids": "ab"}, r"from_ids is the text 'ab'.*Hint: for one point from_ids=\['ab'\]"),
        ({"from_ids": ["a", "b", None]}, r"key 'from_ids': 1 name\(s\) are blank"),
        ({"from_ids": ["a", "b", float("nan"), ""]}, r"key 'from_ids': 2 name\(s\) are blank"),
        ({"to_ids": []}, r"are not among those given.*Expected: none, as to_ids are none"),
    ],
)
def test_what_is_said_of_a_matrix_has_to_make_sense(more, said):
    with pytest.raises(InputError, match=said):
        read_travel_times(pd.DataFrame(PLAIN), **more)


@pytest.mark.parametrize("table", [PLAIN | {"percentile": [50, 50]}, {**PLAIN, "minutes_p50": [9, 10]}])
def test_a_percentile_that_the_matrix_says_is_not_said_again(table):
    table = {name: values for name, values in table.items() if name != "minutes" or "minutes_p50" not in table}
    with pytest.raises(InputError, match=r"key 'percentile': the matrix says itself which percentiles it has, not 90"):
        read_travel_times(pd.DataFrame(table), percentile=90)


@pytest.mark.parametrize("source", [None, [1, 2], {"from_id": []}])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(SourceError, match=r"travel times cannot be read from a .*Expected: a file, or a table"):
        read_travel_times(source)
