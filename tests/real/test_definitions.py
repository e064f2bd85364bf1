"""SCB's table of 5,984 DeSO read by the definitions of the shipped Swedish core."""

from __future__ import annotations

import pandas as pd
import pytest

from geoplan.places import as_indicators, differences
from geoplan.run import definition_notes, open_registry
from geoplan.sources import Catalogue, read_table

pytestmark = pytest.mark.real

LAYER = """
kind = "indicators"
title = "DeSO 2022"
path = "{path}"
source = "SCB"
licence = "CC0"
vintage = "2022"
level = "deso"
shape = "wide"
period = 2022
id_column = "deso"
id_width = 9
empty_base = "not_applicable"
registry = "sweden_core"

[[indicators]]
id = "population"
numerator = "pop_2023"

[[indicators]]
id = "low_economic_standard"
value = "low_econ_std_pct"
denominator = "econ_n"

[[indicators]]
id = "pre_secondary_25_64"
base = "Residents aged 25-64 whose education is known"
difference = "Unknown education is left out."
numerator = "edu_pre"
denominator = ["edu_pre", "edu_upper", "edu_post_lt3", "edu_post_ge3"]
"""


def test_a_real_table_stands_on_the_national_core(real, tmp_path):
    path = real / "sweden/scb_deso2018_indicators_2022.csv"
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers/scb.toml").write_text(LAYER.format(path=path), encoding="utf-8")
    catalogue = Catalogue(tmp_path)
    dataset = catalogue.layer("scb")
    table = as_indicators(read_table(dataset.verified()), dataset.spec)
    raw = pd.read_csv(path, dtype={"deso": str}).set_index("deso")

    known = raw[["edu_pre", "edu_upper", "edu_post_lt3", "edu_post_ge3"]].sum(axis=1)
    by_hand = (100 * raw["edu_pre"] / known)[known > 0]
    wide = table.wide("2022")
    assert len(wide) == 5984
    pd.testing.assert_series_equal(
        wide["pre_secondary_25_64"].dropna(), by_hand, check_names=False, check_index_type=False
    )
    assert wide["population"].sum() == raw["pop_2023"].sum()

    core = open_registry("sweden_core").indicators
    departed = differences(dataset.spec.indicators, core)
    assert departed[["indicator", "field", "reason"]].to_numpy().tolist() == [
        ["pre_secondary_25_64", "base", "Unknown education is left out."]
    ]
    assert definition_notes(catalogue, dataset) == []
    (pre,) = (item for item in dataset.spec.indicators if item.id == "pre_secondary_25_64")
    assert (pre.ages, pre.label.to("sv")) == ((25, 64), "Högst förgymnasial utbildning, 25–64 år")
