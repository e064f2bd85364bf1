"""Four homes and five places, with times and amounts small enough to be worked by hand; and what hypothesis draws."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from geoplan.reach import UNREACHED, TravelTimes

HOMES, PLACES = list("abcd"), list("vwxyz")
NO = np.nan
#: Minutes at the median, and on a bad day.
MEDIAN = [[5, 15, 30, 45, NO], [10, 20, 20, 60, 25], [40, 30, 10, 5, NO], [NO, 50, 15, 10, 35]]
LATE = [[5, 25, 40, 55, NO], [10, 30, 30, NO, 35], [50, 40, 20, 5, NO], [NO, NO, 15, 20, 45]]
JOBS = pd.Series({"v": 100, "w": 50, "x": 200, "y": 10, "z": 40}, name="jobs")
SCHOOLS = pd.Series({"v": 1, "w": 0, "x": 2, "y": 1, "z": 0}, name="schools")
PEOPLE = pd.Series({"a": 30, "b": 20, "c": 40, "d": 10}, name="people")


def as_times(*minutes, homes=None, places=None, percentiles=(50,), unsnapped=None, record=None):
    """Make travel times of lists of minutes, one for each percentile."""
    layers = np.stack([np.asarray(layer, dtype=float) for layer in minutes], axis=2)
    seconds = np.where(np.isnan(layers), UNREACHED, np.round(layers * 60)).astype(np.uint16)
    homes = HOMES[: seconds.shape[0]] if homes is None else homes
    places = PLACES[: seconds.shape[1]] if places is None else places
    left = pd.DataFrame() if unsnapped is None else unsnapped
    return TravelTimes(homes, places, percentiles, seconds, left, record or {})


def off_the_street(*points):
    """List points of a side that are on no street."""
    return pd.DataFrame(
        [(side, name, "no street within 1,600 m") for side, name in points], columns=["side", "id", "reason"]
    )


TIMES = as_times(MEDIAN)
BOTH = as_times(MEDIAN, LATE, percentiles=(50, 90))


@st.composite
def towns(draw, *, homes=6, places=7):
    """Draw times, whole-numbered supply at every place and people at every home."""
    size = draw(st.integers(1, homes)), draw(st.integers(1, places))
    seconds = st.one_of(st.integers(0, 7200), st.just(UNREACHED))
    cells = draw(st.lists(seconds, min_size=size[0] * size[1], max_size=size[0] * size[1]))
    names = [f"h{number}" for number in range(size[0])], [f"p{number}" for number in range(size[1])]
    times = TravelTimes(*names, (50,), np.array(cells, dtype=np.uint16).reshape(*size, 1))
    supply = draw(st.lists(st.integers(0, 1000), min_size=size[1], max_size=size[1]))
    people = draw(st.lists(st.integers(0, 1000), min_size=size[0], max_size=size[0]))
    return times, pd.Series(supply, index=names[1], dtype=float), pd.Series(people, index=names[0], dtype=float)
