"""Units and means on real figures: SCB's net income and low economic standard per DeSO."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import TableError
from geoplan.specs import parse_layer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def scb(real):
    """SCB's table as text, as geoplan reads it."""
    return gp.read_table(real / "sweden/scb_deso2018_indicators_2022.csv")


def _layer(item, **changes):
    head = {"title": "SCB", "path": "x", "source": "SCB", "licence": "CC0", "vintage": "2022", "level": "deso"}
    shared = {"kind": "indicators", "shape": "wide", "period": 2022, "id_column": "deso", "id_width": 9}
    spec = {"id": "figure", "label": "Figure", "direction": "neutral", **item}
    return parse_layer({**head, **shared, "missing_codes": {"": "suppressed"}, "indicators": [spec], **changes})


INCOME = {"kind": "mean", "unit": "tkr", "value": "x", "plausible": [50.0, 2000.0]}


def _in_kronor(scb):
    """Write the median net income in kr, digit by digit: 320.0 tkr is 320000."""
    tkr = pd.to_numeric(scb["net_income_median_tkr"], errors="coerce")
    return scb.assign(x=(tkr * 1000).round().map(lambda number: "" if np.isnan(number) else f"{number:.0f}")), tkr


def test_kronor_become_thousands(scb):
    frame, tkr = _in_kronor(scb)
    table = gp.as_indicators(frame, _layer({**INCOME, "published_unit": "kr"}))
    found = table.data.set_index("area_id")["value"].reindex(scb["deso"]).to_numpy()
    np.testing.assert_array_equal(found, tkr.to_numpy())


def test_kronor_read_as_thousands_are_told(scb):
    frame, tkr = _in_kronor(scb)
    with pytest.raises(TableError) as caught:
        gp.as_indicators(frame, _layer(INCOME))
    median = f"{1000 * tkr.median():,.10g}".replace(",", " ")
    assert str(caught.value) == (
        f"the values of 'figure' cannot be in tkr: their median is {median}. Expected: between 50 and 2 000 tkr, as "
        f'`plausible` says. Hint: a median of {median} fits kr, not tkr: write `published_unit = "kr"` in its '
        "[[indicators]] block"
    )


def test_shares_of_one_become_per_cent(scb):
    pct = pd.to_numeric(scb["low_econ_std_pct"], errors="coerce")
    frame = scb.assign(x=(pct / 100).map(lambda share: "" if np.isnan(share) else f"{share:.2f}"))
    item = {"kind": "share", "unit": "pct", "value": "x", "published_unit": "share"}
    table = gp.as_indicators(frame, _layer(item))
    found = table.data.set_index("area_id")["value"].reindex(scb["deso"]).to_numpy()
    np.testing.assert_allclose(found, pct.to_numpy(), rtol=1e-12)
