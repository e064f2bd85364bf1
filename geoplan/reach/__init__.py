"""What can be reached? Travel times, computed here or elsewhere."""

from geoplan.reach.foreign import (
    read_travel_times,
)
from geoplan.reach.r5 import (
    r5_travel_times,
)
from geoplan.reach.times import (
    UNREACHED,
    TravelTimes,
    read_times,
)

__all__ = [
    "UNREACHED",
    "TravelTimes",
    "r5_travel_times",
    "read_times",
    "read_travel_times",
]
