"""The linter over tables that are keyed by names: their rows are found, and their totals are no areas."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely import box

from geoplan.run import check_project, open_run

HEAD = """title = "T"
source = "city"
licence = "CC0"
vintage = "2012"
level = "stadsdel"
"""
TABLE = f"""kind = "indicators"
{HEAD}path = "../data/table.csv"
match_layer = "areas"
id_column = "stadsdel"
total_row = "Sätra kommun"
"""
PEOPLE = '[[indicators]]\nid = "people"\nlabel = "People"\nkind = "count"\nunit = "persons"\ndirection = "neutral"\n'
POOR = (
    '[[indicators]]\nid = "poor"\nlabel = "Poor"\nkind = "share"\nunit = "pct"\ndirection = "higher_is_worse"\n'
    'domain = "income"\n'
)


@pytest.fixture
def project(tmp_path):
    """Return a function that writes a project of two areas with a table of a given shape."""

    def write(layer: str, *rows: str):
        for folder in ("layers", "scenarios", "data"):
            (tmp_path / folder).mkdir()
        shapes = [box(674000 + x, 6580000, 674100 + x, 6580100) for x in (0, 100)]
        areas = gpd.GeoDataFrame({"code": ["01", "02"], "name": ["SÄTRA", "RÅGSVED"]}, geometry=shapes, crs="EPSG:3006")
        areas.to_file(tmp_path / "data" / "areas.gpkg")
        (tmp_path / "data" / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        (tmp_path / "layers" / "areas.toml").write_text(
            f'kind = "areas"\n{HEAD}path = "../data/areas.gpkg"\ncrs = "EPSG:3006"\nid_column = "code"\n'
            'name_column = "name"\n',
            encoding="utf-8",
        )
        (tmp_path / "layers" / "table.toml").write_text(layer, encoding="utf-8")
        return tmp_path

    return write


def faults_and_notes(root):
    report = check_project(root)
    return [str(item) for item in report.faults], report.notes


def test_a_total_is_no_name(project):
    root = project(
        TABLE + 'period = 2012\nshape = "wide"\n' + PEOPLE + 'numerator = "n"\n',
        "stadsdel,n", "Sätra,100", "Rågsved,200", "Sätra kommun,310",
    )  # fmt: skip
    assert faults_and_notes(root) == (
        [
            (
                "data/table.csv: people 2012: the counts of 2 areas add up to 300, the total in the file is 310 "
                "(difference -10). [L01 sums]"
            )
        ],
        [("layers/table.toml", "2 of 2 names find an area")],
    )


def test_a_rate_of_an_area_that_is_named_is_compared_with_its_counts(project):
    root = project(
        TABLE.replace('total_row = "Sätra kommun"\n', "") + POOR,
        "stadsdel,indicator,period,numerator,denominator,value",
        "Sätra,poor,2012,7,56,12.5", "Rågsved,poor,2012,8,64,12.8",
    )  # fmt: skip
    assert faults_and_notes(root)[0] == [
        (
            "data/table.csv, row 3, area '02': poor 2012: 12.8 does not follow from 8 of 64, which makes 12.5. "
            "Expected: the rate that the counts make, rounded half-up. Hint: correct the count, the base or the rate; "
            "geoplan makes rates from counts [L04 rates]"
        )
    ]


def test_years_names_totals_and_a_run_fit_together(project):
    root = project(
        TABLE + 'shape = "years"\nindicator_column = "figur"\n' + PEOPLE + 'numerator = "folk"\n' + POOR
        + 'numerator = "fattiga"\ndenominator = "folk"\n',
        "stadsdel,figur,2011,2012*",
        "SÄTRA,folk,100,110", "Rågsved,folk,200,220", "Sätra kommun,folk,300,330",
        "SÄTRA,fattiga,10,10", "Rågsved,fattiga,30,31", "Sätra kommun,fattiga,40,42",
    )  # fmt: skip
    (root / "scenarios" / "base.toml").write_text(
        'title = "B"\ndate = 2013-01-01\nperiod = 2012\n[areas]\nlevel = "stadsdel"\nlayers = ["areas"]\n'
        '[indicators]\nlayers = ["table"]\n[index]\npopulation = "people"\nminimum_population = 1\n'
        '[[index.domains]]\nid = "income"\nlabel = "Income"\nindicators = ["poor"]\n',
        encoding="utf-8",
    )
    assert faults_and_notes(root)[0] == [
        (
            "data/table.csv: poor 2012: the counts of 2 areas add up to 41, the total in the file is 42 (difference "
            "-1). [L01 sums]"
        )
    ]
    run = open_run(root / "scenarios" / "base.toml")
    wide = run.indicators().wide("2012", "status")
    assert wide["poor"].to_dict() == {"01": "provisional", "02": "provisional"}
    assert run.join_report().lines() == ["2 areas have data", "table: 2 of 2 names find an area"]
