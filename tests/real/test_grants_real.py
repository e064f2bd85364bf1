"""The 15 districts of the Swedish urban development work, paid through their 9 municipalities."""

import pandas as pd
import pytest

from geoplan.specs.grants import NeedGrantSpec
from geoplan.targeting.by_need import grants_by_need
from geoplan.targeting.grants import roll_up_grants

pytestmark = pytest.mark.real


def test_fifteen_districts_in_nine_municipalities(real):
    found = pd.read_csv(real / "published/se_urban15_districts_2012.csv")
    spec = NeedGrantSpec(kind="need", envelope=99, unit="Mkr", measure="need_count")
    # No district's needs are in the file: alike, each gets the published mean of 6.6 Mkr.
    grants = grants_by_need(pd.Series(1, index=found["stadsdel"]), spec)
    made = roll_up_grants(grants.table["payment"], found.set_index("stadsdel")["kommun"])
    order = found["kommun"].drop_duplicates()
    assert made.loc[order, "areas"].tolist() == [1, 4, 1, 1, 2, 2, 2, 1, 1]
    assert made["payment"].sum() == 99_000_000
    assert (made["payment"] == 6_600_000 * made["areas"]).all()
