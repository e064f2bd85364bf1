"""The index over years: fixed and moving base worked by hand, and what does not compare."""

import numpy as np
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.places.indicators import COLUMNS
from geoplan.risk import index_series
from geoplan.run.ranking import headings_of
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec

# Two areas of 100 and 300 people, poor persons in two years:
#            2006          2012
#   A        30 of 100     30 of 100      the area itself stands still
#   B        30 of 300     90 of 300      three times as many
#   city     60 of 400     120 of 400     15 per cent, then 30 per cent
# moving base: A 100 × 30/15 = 200, then 100 × 30/30 = 100 (-50 %); B 100 × 10/15 = 66.67, then 100 (+50 %)
# fixed base:  A 200, then 100 × 30/15 = 200 (0 %); B 66.67, then 100 × 30/15 = 200 (+200 %); the city 100, then 200
COUNTS = {"2006": {"A": (30, 100), "B": (30, 300)}, "2012": {"A": (30, 100), "B": (90, 300)}}


def definition(name, **more):
    return IndicatorSpec(id=name, label=name, kind="share", unit="pct", direction="higher_is_worse", **more)


def town(*extra, breaks=()):
    rows = []
    for period, areas in COUNTS.items():
        for area, (part, base) in areas.items():
            rows += [
                (area, "poor", period, part, base, 100 * part / base, "observed"),
                (area, "population", period, base, np.nan, base, "observed"),
            ]
    definitions = {
        "poor": definition("poor", breaks=breaks),
        "school": definition("school"),
        "population": IndicatorSpec(
            id="population", label="Residents", kind="count", unit="persons", direction="neutral"
        ),
    }
    return IndicatorTable(pd.DataFrame([*rows, *extra], columns=COLUMNS), definitions)


def spec(*names, **more):
    domains = [DomainSpec(id="livelihood", label="Livelihood", indicators=list(names or ["poor"]))]
    return IndexSpec(domains=domains, **more)


def test_moving_base_by_hand():
    series = index_series(town(), spec())
    assert series.base_period is None
    assert series.scores.loc["A"].tolist() == pytest.approx([200, 100])
    assert series.scores.loc["B"].tolist() == pytest.approx([200 / 3, 100])
    assert series.city.tolist() == [100, 100]
    assert series.change.loc["A", ["since", "until"]].tolist() == ["2006", "2012"]
    assert series.change.loc["A", ["points", "pct", "livelihood_pct"]].tolist() == pytest.approx([-100, -50, -50])
    assert series.change.loc["B", "pct"] == pytest.approx(50)
    assert series.ranks.loc["A"].tolist() == [1, 1]
    assert series.change["places"].tolist() == [0, 1]  # B rose to the shared first place


def test_fixed_base_by_hand():
    series = index_series(town(), spec(), base="fixed")
    assert series.base_period == "2006"
    assert series.scores.loc["A"].tolist() == pytest.approx([200, 200])
    assert series.scores.loc["B"].tolist() == pytest.approx([200 / 3, 200])
    assert series.city.tolist() == pytest.approx([100, 200])
    assert series.change["pct"].tolist() == pytest.approx([0, 200])
    assert series.results["2012"].certificate.base == "2006"
    assert series.lines() == ["2 areas, 2006-2012; 2006's city is 100 in all years"]


def test_a_later_year_can_be_the_base():
    series = index_series(town(), spec(), base="fixed", base_period=2012)
    assert series.scores.loc["A"].tolist() == pytest.approx([100, 100])
    assert series.city.tolist() == pytest.approx([50, 100])


def test_small_areas_are_excluded_and_listed_each_year():
    series = index_series(town(), spec(minimum_population=200))
    assert series.excluded[["area_id", "period", "reason"]].to_numpy().tolist() == [
        ["A", "2006", "small_population"],
        ["A", "2012", "small_population"],
    ]
    assert series.scores.loc["A"].isna().all()
    assert series.change.loc["A", ["since", "until"]].isna().all()
    assert pd.isna(series.change.loc["A", "places"])
    assert series.lines()[1:] == ["1 area has no rank in each year"]


def test_an_indicator_of_one_year_counts_in_none():
    extra = [(area, "school", "2012", 10.0, 100.0, 10.0, "observed") for area in "AB"]
    series = index_series(town(*extra, breaks=[2010]), spec("poor", "school"))
    assert series.left_out.to_dict("records") == [{"indicator": "school", "periods": ["2006"]}]
    assert series.scores.loc["A"].tolist() == pytest.approx([200, 100])
    assert series.breaks.to_dict("records") == [{"indicator": "poor", "period": "2010"}]
    assert series.lines() == [
        "2 areas, 2006-2012; each year's own city is 100",
        "'school' does not exist in 2006 and counts in no year",
        "'poor' is counted in another way from 2010 on",
    ]


def test_a_domain_without_shared_indicators_is_a_fault():
    extra = [(area, "school", "2012", 10.0, 100.0, 10.0, "observed") for area in "AB"]
    made = [DomainSpec(id=name, label=name, indicators=[name]) for name in ("poor", "school")]
    with pytest.raises(TableError) as caught:
        index_series(town(*extra), IndexSpec(domains=made))
    assert str(caught.value) == (
        "key 'index.domains.1': no indicator of 'school' exists in all of 2006, 2012. Hint: choose other periods"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"periods": [2006]}, "key 'periods': 1 period is no series. Expected: two or more."),
        (
            {"periods": [2006, 2013]},
            "key 'periods': no period of the table is called '2013'. Hint: did you mean '2012'?",
        ),
        ({"base": "rolling"}, "key 'base': no base is called 'rolling'. Hint: did you mean 'moving'?"),
        (
            {"base_period": 2006},
            "key 'base_period': a moving base has no base year. Hint: base = \"fixed\", or leave the year out",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(SpecError) as caught:
        index_series(town(), spec(), **arguments)
    assert str(caught.value) == message


def test_ranks_know_no_base_year():
    with pytest.raises(SpecError, match="a base year says nothing to"):
        index_series(town(), spec(method="borda"), base="fixed")


def test_z_scores_against_the_base_years_mean():
    # 2006: 30 and 10 per cent: mean 20, deviation 10. 2012: 30 and 30: (30 - 20) / 10 = 1 for both.
    series = index_series(town(), spec(method="z_score"), base="fixed")
    assert series.scores.loc["A"].tolist() == pytest.approx([1, 1])
    assert series.scores.loc["B"].tolist() == pytest.approx([-1, 1])
    assert series.city.isna().all()


# ---------------------------------------------------------------- a scenario with a base year


def test_a_run_with_a_base_year_says_whose_city_is_100(project, geoplan):
    # Half as many poor in 2011, 10 % of the town; crime as in 2012, 30 per 1,000. 0101 has 10 % and 50 per 1,000 in
    # 2012: (100 + 166.7)/2. The rest of the town of 2011: 950 of 9,000 are 10.56 %, 250 of 9,000 are 27.8 per 1,000.
    text = (project / project.figures).read_text(encoding="utf-8")
    header, *rows = text.splitlines()
    halved = [row.replace("2012", "2011") for row in rows]
    for before, after in (
        ("100,1000", "50,1000"),
        ("300,2000", "150,2000"),
        ("600,", "300,"),
        ("1000,4000", "500,4000"),
    ):
        halved = [row.replace(before, after) if ",poor," in row else row for row in halved]
    (project / project.figures).write_text("\n".join([header, *rows, *halved]) + "\n", encoding="utf-8")
    project.edit(project.scenario, "[index]\n", '[index]\nbase = 2011\nreference_label = "Squaretown"\n')
    made = geoplan("run", project.scenario, "--out", "out", cwd=project.root)
    assert "100 = Squaretown, 2011." in made.out
    told = " ".join(geoplan("explain", "out", "0101", cwd=project.root).out.split())
    assert "Risk index 133.3 (Squaretown, 2011 = 100), rank 4 of 4; 33.3 points above the city of 2011." in told
    assert "Against the rest of the city of 2011: 137.4, rank" in told
    assert "=100: against the city of 2011, higher is worse" in told
    run = gp.open_run(project / project.scenario)
    assert run.style("plain")[1].unit == "Squaretown, 2011 = 100"
    assert headings_of(run)["city"] == "City, 2011"
    project.edit(project.scenario, "base = 2011", "base = 2012")
    assert gp.open_run(project / project.scenario).style("plain")[1].unit == "Squaretown = 100"
