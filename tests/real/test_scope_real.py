"""Feeds that were cropped, and feeds that were not."""

import pytest

from geoplan.reach import cut_edges, read_timetable

pytestmark = pytest.mark.real


def test_the_edge_of_helsinkis_extract_is_found(real):
    """The README of the data says: cropped at 25.00° E. It is so in the west and the north, too; the sea is south."""
    edges = cut_edges(read_timetable(real / "helsinki/gtfs_hsl_2022-02-22.zip"))
    assert edges["side"].tolist() == ["west", "east", "north"]
    assert edges["degrees"].round(2).tolist() == [24.85, 25.0, 60.25]


@pytest.mark.parametrize(
    ("files", "date"),
    [(["portoalegre/poa_eptc.zip", "portoalegre/poa_trensurb.zip"], "2019-05-13"), (["gtfs/kuopio.zip"], "2017-03-07")],
)
def test_whole_feeds_have_no_edge(real, files, date):
    assert cut_edges(read_timetable([real / name for name in files], date=date)).empty
