"""What can be reached? Streets and timetables, and how long it takes on them."""

from geoplan.reach.feed_report import FeedReport, feed_report
from geoplan.reach.timetable import Connections, Timetable, read_timetable

__all__ = [
    "Connections",
    "FeedReport",
    "Timetable",
    "feed_report",
    "read_timetable",
]
