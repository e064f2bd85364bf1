"""The Danish state's lists of housing areas: published lists and figures under the shipped rule books."""

import numpy as np
import pandas as pd
import pytest

from geoplan.places import IndicatorTable
from geoplan.specs import IndicatorSpec
from geoplan.targeting import select
from geoplan.targeting.history import as_earlier, status_history, streaks

pytestmark = pytest.mark.real

COUNTS = {2015: 25, 2016: 25, 2017: 22, 2018: 29, 2019: 28, 2020: 15}
HARD = {2018: (4, 15), 2019: (5, 15), 2020: (5, 13)}
#: Column of the published figures → indicator of the rule books, and whether it is published as a mean of two years.
FIGURES = {
    "population": ("population", False),
    "outside_work_edu_pct": ("outside_work_18_64", True),
    "non_western_pct": ("non_western_background", False),
    "convicted_pct": ("convicted_18_plus", True),
    "basic_school_pct": ("basic_school_30_59", False),
    "income_pct_of_region": ("mean_gross_income_15_64", False),
}
REGION = {"region": {"mean_gross_income_15_64": 100.0}}  # income is published in per cent of the region's


def definition(name):
    if name == "population":
        return IndicatorSpec(id=name, label=name, kind="count", unit="persons", direction="neutral")
    if name.startswith("mean_"):
        return IndicatorSpec(id=name, label=name, kind="mean", unit="pct", direction="higher_is_better")
    return IndicatorSpec(id=name, label=name, kind="share", unit="pct", direction="higher_is_worse")


DEFINITIONS = {name: definition(name) for name, _ in FIGURES.values()}


@pytest.fixture(scope="module")
def lists(real):
    return pd.read_csv(real / "published/dk_ghetto_lists_2015_2020.csv")


@pytest.fixture(scope="module")
def earlier(lists):
    return as_earlier({year: own["area"] for year, own in lists.groupby("year")}, "listed")


@pytest.fixture(scope="module")
def values(real):
    return pd.read_csv(real / "published/dk_area_criterion_values_found.csv")


def hard(lists, year):
    return set(lists.loc[(lists["year"] == year) & (lists["hard"] == 1), "area"])


def table_of(values):
    """Put published figures into a table; the means of two years say that they are."""
    rows = []
    for row in values.to_dict("records"):
        for column, (name, mean) in FIGURES.items():
            value = float(row[column])
            status, method = ("not_collected", "") if np.isnan(value) else ("observed", "mean_of_2_years" * mean)
            rows.append((row["area"], name, str(row["list_year"]), np.nan, np.nan, value, status, method))
    columns = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status", "method"]
    return IndicatorTable(pd.DataFrame(rows, columns=columns), DEFINITIONS)


# ---------------------------------------------------------------- the lists


def test_the_lists_are_as_long_as_the_official_ones(lists, earlier):
    assert lists.groupby("year").size().to_dict() == COUNTS
    assert earlier.groupby("period")["holds"].sum().to_dict() == {str(year): many for year, many in COUNTS.items()}
    assert {year: len(hard(lists, year)) for year in HARD} == {year: many for year, (_, many) in HARD.items()}


@pytest.mark.parametrize("rules", ["dk_2018", "dk_social_housing"])
def test_years_on_the_list_give_the_hard_lists_exactly(lists, earlier, rules):
    found = status_history(None, rules, earlier=earlier)
    wide = found.wide("omdannelse")
    for year in HARD:
        assert not wide[str(year)].isna().any()
        assert set(wide.index[wide[str(year)].astype(bool)]) == hard(lists, year)
    assert found.wide("listed").astype(bool).sum().to_dict() == {str(year): many for year, many in COUNTS.items()}


def test_plain_counting_gives_them_as_well(lists, earlier):
    counted = streaks(earlier, {year: k for year, (k, _) in HARD.items()})
    for year in HARD:
        own = counted[counted["period"] == str(year)].set_index("area_id")
        assert set(own.index[own["reached"].astype(bool)]) == hard(lists, year)
        k = HARD[year][0]
        assert set(own.index[own["streak_least"] >= k]) == hard(lists, year)


@pytest.mark.parametrize("year", HARD)
def test_select_gives_them_from_a_table_without_figures(lists, earlier, year):
    areas = sorted(set(lists["area"]))
    rows = [(area, name, str(year), np.nan, np.nan, np.nan, "not_collected") for area in areas for name in DEFINITIONS]
    columns = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    table = IndicatorTable(pd.DataFrame(rows, columns=columns), DEFINITIONS)
    published = {own: hard(lists, own) for own in HARD if own < year}  # the hard lists of the years before as well
    given = pd.concat([earlier, as_earlier(published, "omdannelse", areas)]) if published else earlier
    found = select(table, "dk_2018", period=year, earlier=given)
    assert set(found.statuses.index[found.statuses["omdannelse"].astype(bool)]) == hard(lists, year)


def test_who_entered_and_left_and_why(lists, earlier):
    found = status_history(None, "dk_social_housing", earlier=earlier)
    own = found.moves[found.moves["status"] == "omdannelse"].set_index(["period", "area_id"])
    # Fifteen at once when there came to be such a list; its years had begun before.
    first = own.loc["2018"]
    assert set(first.index) == hard(lists, 2018)
    assert set(first["reasons"]) == {"rule_change+memory"}
    assert own.loc[("2020", "Solbakken"), ["move", "reasons"]].tolist() == ["entered", "memory"]
    left = own.loc["2020"].query("move == 'left'")
    assert set(left.index) == hard(lists, 2019) - hard(lists, 2020)
    assert set(left["reasons"]) == {"published"}
    assert "2019" not in own.index.get_level_values("period")  # four and five years gave the same fifteen
    breaks = found.table.drop_duplicates("period").set_index("period")["rule_break"]
    assert list(breaks.index[breaks]) == ["2018"]


# ---------------------------------------------------------------- the figures


def test_the_published_figures_of_gellerup_give_the_published_outcome(values):
    own = values[values["area"].str.startswith("Gellerup")]
    found = select(table_of(own), "dk_2014", period=2015, references=REGION)
    assert found.statuses["listed"].tolist() == [True]
    assert found.table["met"].tolist() == [5]  # "all 5 of 5 met"
    # Of 2014 the number of residents is not known, and only that: four of five are met.
    found = select(table_of(own), "dk_2014", period=2014, references=REGION)
    assert found.table[["met", "open", "settled_by"]].to_numpy().tolist() == [[4, 1, "income, population"]]
    assert found.statuses["listed"].isna().all()
    with_people = own.fillna({"population": 6464})  # of the year after
    found = select(table_of(with_people), "dk_2014", period=2014, references=REGION)
    assert found.statuses["listed"].tolist() == [True]


def test_the_published_figures_of_taastrupgaard_give_the_published_outcome(values):
    own = values[values["list_year"] == 2023]
    found = select(table_of(own), "dk_2021", references=REGION)
    assert found.statuses[["udsat", "parallelsamfund"]].to_numpy().tolist() == [[True, True]]
    criteria = found.criteria.set_index("criterion")
    names = ["outside_work", "convicted", "basic_school", "income", "non_western"]
    assert criteria.loc[names, "meets"].tolist() == [False, False, True, True, True]
    assert criteria.loc["convicted", "limit"] == 2.35
    # Nobody has published the doubled mean of that year, and it does not matter: two others are met.
    assert criteria.loc["convicted_2", "meets"] is pd.NA
    assert found.statuses["forebyggelse"].tolist() == [True]
    # Whether it was on the list for five years the figures of one year do not say.
    assert found.statuses["omdannelse"].isna().all()
    before = as_earlier(dict.fromkeys(range(2019, 2023), own["area"]), "parallelsamfund")
    again = select(table_of(own), "dk_2021", references=REGION, earlier=before)
    assert again.statuses["omdannelse"].tolist() == [True]


def test_areas_with_some_figures_only_are_never_told_wrong(values, lists):
    own = values[values["list_year"] == 2015]
    found = select(table_of(own), "dk_2014", references=REGION)
    on_list = set(lists.loc[lists["year"] == 2015, "area"])
    assert set(own["area"]) <= on_list
    assert found.chosen == ["Gellerupparken/Toveshøj"]
    assert set(found.unknown) == set(own["area"]) - set(found.chosen)
    assert found.table.loc["Vollsmose", "settled_by"] == "non_western, convicted, basic_school, income, population"
    assert found.table.loc["Mjølnerparken", "settled_by"] == "outside_work, convicted, basic_school, income, population"


def test_figures_and_lists_together(values, earlier):
    found = status_history(table_of(values), "dk_social_housing", earlier=earlier, references=REGION)
    wide = found.wide("parallelsamfund")
    # On every list there is. Of 2014 its figures leave it open, and nobody has told of 2023.
    years = [str(year) for year in COUNTS]
    assert wide.loc["Gellerupparken/Toveshøj", years].tolist() == [True] * 6
    assert wide.loc["Gellerupparken/Toveshøj", ["2014", "2023"]].isna().all()
    # The list says of others in 2015 what their figures leave open.
    assert wide.loc[["Vollsmose", "Sundparken", "Mjølnerparken"], "2015"].all()
    assert wide.loc["Tåstrupgård", "2023"]
    # Two years are missing before 2023, so that nobody can tell for how long.
    assert "2023" in found.certificate["memory begins anew, everything open"]
    # It was on the list in 2015, and whether in 2014 as well its figures do not say: six years at least.
    assert found.wide("parallelsamfund", "streak").loc["Tåstrupgård", ["2020", "2023"]].isna().all()
    assert found.wide("parallelsamfund", "streak_least").loc["Tåstrupgård", ["2020", "2023"]].tolist() == [6, 1]
    assert found.wide("omdannelse").loc["Tåstrupgård", ["2020", "2023"]].isna().tolist() == [False, True]
