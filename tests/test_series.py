"""Years after each other: means, segments, changes; and two sources for one figure."""

from __future__ import annotations

import io
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal
from strategies import DEFINITIONS, tables

import geoplan as gp
from geoplan.errors import SpecError, TableError
from geoplan.places import (
    KNOWN,
    MISSING,
    STATUSES,
    IndicatorTable,
    change,
    combine,
    multi_year_mean,
    roll_up,
    segments,
    totals,
)
from geoplan.show import plot_series
from geoplan.specs import IndicatorSpec

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
few = settings(max_examples=30)


def _definition(name="outside", kind="share", unit="pct", **more):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction="higher_is_worse", **more)


OUTSIDE = _definition()


def _counts(*rows, item=OUTSIDE, area="A"):
    """Return a table of (year, numerator, denominator[, status])."""
    filled = []
    for year, part, base, *status in rows:
        value = np.nan if part is None or base is None else 100 * part / base
        filled.append((area, item.id, str(year), part, base, value, status[0] if status else "observed"))
    data = pd.DataFrame(filled, columns=COLUMNS).astype({"numerator": float, "denominator": float, "value": float})
    method = data["status"].map(lambda text: "from_counts" if text in KNOWN else "")
    return IndicatorTable(data.assign(source="S", method=method, reason=""), {item.id: item})


def _values(*pairs, item=OUTSIDE, area="A"):
    """Return a table of published values (year, value), None where it is missing."""
    rows = [
        (area, item.id, str(year), np.nan, np.nan, np.nan if value is None else value, _status(value))
        for year, value in pairs
    ]
    return IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), {item.id: item})


def _status(value):
    return "observed" if value is not None else "not_collected"


def _last(table):
    return table.data.iloc[-1]


# ---------------------------------------------------------------- means of years


def test_the_two_year_mean_of_danish_law_by_hand():
    # Outside work and education, 18-64 (almenboligloven § 61 a, mean of the last two years; the limit is 40 per cent).
    # 420 of 1 000 and 300 of 790: together 720 of 1 790 = 40.223 per cent, over the limit. The plain mean of 42.000
    # and 37.975 is 39.987, under it: the weighting decides.
    row = _last(multi_year_mean(_counts((2016, 420, 1000), (2017, 300, 790)), 2))
    assert row["value"] == pytest.approx(100 * 720 / 1790, rel=1e-12)
    assert row["value"] > 40 > (42 + 100 * 300 / 790) / 2
    assert row[["numerator", "denominator"]].tolist() == [360, 895]  # a year's worth of people, not two
    assert (row["period"], row["status"], row["method"]) == ("2017", "observed", "from_counts; mean_of_2_years")


def test_the_first_year_has_no_mean_and_says_why():
    row = multi_year_mean(_counts((2016, 420, 1000), (2017, 300, 790)), 2).data.iloc[0]
    assert (row["status"], row["reason"], row["method"]) == ("not_collected", "too_few_years", "")
    assert row[["numerator", "denominator", "value"]].isna().all()


def test_a_mean_never_crosses_a_break():
    item = _definition(breaks=(2017,))
    years = multi_year_mean(_counts(*[(year, 10, 100) for year in range(2014, 2020)], item=item), 3).data
    told = dict(zip(years["period"], zip(years["status"], years["reason"], strict=True), strict=True))
    assert told == {
        "2014": ("not_collected", "too_few_years"),
        "2015": ("not_collected", "too_few_years"),
        "2016": ("observed", ""),
        "2017": ("not_collected", "break"),
        "2018": ("not_collected", "break"),
        "2019": ("observed", ""),
    }


@pytest.mark.parametrize("status", MISSING)
def test_a_missing_year_leaves_the_mean_missing_with_its_status(status):
    table = _counts((2016, None, None, status), (2017, 300, 790))
    assert _last(multi_year_mean(table, 2))["status"] == status


def test_with_fewer_years_than_all_the_mean_is_estimated():
    table = _counts((2015, 10, 100), (2016, None, None, "suppressed"), (2017, 30, 100))
    row = _last(multi_year_mean(table, 3, minimum_years=2))
    assert (row["value"], row["status"]) == (20, "estimated")  # (10 + 30) / (100 + 100)
    assert row["denominator"] == 100
    assert _last(multi_year_mean(table, 3))["status"] == "suppressed"


@pytest.mark.parametrize(
    ("one", "other", "mean"),
    [("observed", "provisional", "provisional"), ("provisional", "estimated", "estimated")],
)
def test_a_mean_is_as_sure_as_its_least_sure_year(one, other, mean):
    assert _last(multi_year_mean(_counts((2016, 1, 10, one), (2017, 1, 10, other)), 2))["status"] == mean


def test_a_year_without_a_row_counts_as_missing():
    row = _last(multi_year_mean(_counts((2015, 1, 10), (2017, 1, 10)), 2))
    assert (row["status"], row["reason"]) == ("not_collected", "too_few_years")


def test_rates_without_counts_are_weighted_by_their_base():
    item = _definition("income", "mean", "tkr")
    data = pd.DataFrame(
        [
            ("A", "income", "2016", np.nan, 1000.0, 200.0, "observed"),
            ("A", "income", "2017", np.nan, 3000.0, 300.0, "observed"),
        ],
        columns=COLUMNS,
    )
    row = _last(multi_year_mean(IndicatorTable(data, {"income": item}), 2))
    assert row["value"] == 275  # (200 · 1 000 + 300 · 3 000) / 4 000
    assert np.isnan(row["numerator"])
    assert row["denominator"] == 2000


def test_counts_are_averaged_plainly():
    item = _definition("population", "count", "persons")
    data = pd.DataFrame(
        [("A", "population", str(year), n, np.nan, n, "observed") for year, n in ((2016, 900.0), (2017, 1000.0))],
        columns=COLUMNS,
    )
    row = _last(multi_year_mean(IndicatorTable(data, {"population": item}), 2))
    assert row[["numerator", "value"]].tolist() == [950, 950]


def test_each_indicator_has_its_own_number_of_years():
    two, one = _definition("two", mean_years=2), _definition("one")
    tables = [_counts((2016, 10, 100), (2017, 30, 100), item=item) for item in (two, one)]
    both = IndicatorTable(pd.concat([table.data for table in tables]), {"two": two, "one": one})
    mean = multi_year_mean(both)
    assert mean.wide("2017").loc["A"].to_dict() == {"one": 30.0, "two": 20.0}
    with pytest.raises(TableError) as caught:
        multi_year_mean(mean)
    assert str(caught.value) == "these figures are means of several years already: 'two'."


def test_means_of_merged_areas_are_made_from_the_smallest_areas():
    rows = [("a", 10, 100), ("b", 30, 300)]
    data = pd.concat([_counts((2016, n, base), (2017, 2 * n, base), area=area).data for area, n, base in rows])
    table = IndicatorTable(data, {"outside": OUTSIDE})
    parents = pd.Series({"a": "K", "b": "K"}, dtype=object)
    first_merged = multi_year_mean(roll_up(table, parents), 2)
    first_meant = roll_up(multi_year_mean(table, 2), parents)
    assert first_merged.wide("2017").loc["K", "outside"] == first_meant.wide("2017").loc["K", "outside"] == 15
    assert first_merged.finest["value"].dropna().tolist() == [15, 15]


@few
@given(st.integers(1, 50), st.integers(50, 1000), st.integers(2, 5))
def test_the_mean_of_equal_years_is_that_year(part, base, years):
    table = _counts(*[(2010 + step, part, base) for step in range(years)])
    mean, year = _last(multi_year_mean(table, years)), table.data.iloc[-1]
    assert mean[["numerator", "denominator"]].tolist() == year[["numerator", "denominator"]].tolist()
    assert mean["value"] == pytest.approx(year["value"], rel=1e-12)


@few
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 1000)), min_size=2, max_size=10))
def test_a_mean_lies_between_its_years(years):
    table = _counts(*[(2000 + step, part, base) for step, (part, base) in enumerate(years)])
    value = _last(multi_year_mean(table, len(years)))["value"]
    assert table.data["value"].min() - 1e-9 <= value <= table.data["value"].max() + 1e-9


@few
@given(tables())
def test_a_mean_of_one_year_changes_nothing(table):
    assert multi_year_mean(table) is table
    assert multi_year_mean(table, 1) is table


@pytest.mark.parametrize(
    ("years", "least", "error", "said"),
    [
        (0, None, SpecError, "key 'years': a mean of 0 years. Expected: 1 to 10 years."),
        (11, None, SpecError, "key 'years': a mean of 11 years. Expected: 1 to 10 years."),
        (2, 3, SpecError, "key 'minimum_years': at least 3 years. Expected: 1 to 2 years."),
        (2, 0, SpecError, "key 'minimum_years': at least 0 years. Expected: 1 to 2 years."),
    ],
)
def test_spans_that_cannot_be_are_told(years, least, error, said):
    with pytest.raises(error) as caught:
        multi_year_mean(_counts((2016, 1, 10)), years, minimum_years=least)
    assert str(caught.value) == said


def test_periods_that_are_no_years_have_no_mean():
    with pytest.raises(TableError) as caught:
        multi_year_mean(_counts(("2016H1", 1, 10)), 2)
    assert str(caught.value) == (
        "column 'period': these periods are no years: '2016H1'. Expected: four digits, such as 2012."
    )


def test_rates_without_counts_and_base_have_no_mean():
    with pytest.raises(TableError, match="rates without counts cannot be added up: 'outside'"):
        multi_year_mean(_values((2016, 12.0), (2017, 13.0)), 2)


# ---------------------------------------------------------------- segments


def test_segments_part_at_breaks_and_at_missing_years():
    item = _definition(breaks=(2010,))
    values = [(2006, 1.0), (2007, 2.0), (2008, None), (2009, 3.0), (2010, 4.0), (2011, 5.0), (2013, 6.0)]
    found = segments(_values(*values, item=item))
    assert found["segment"].tolist() == [1, 1, 0, 2, 3, 3, 4]
    assert found["year"].tolist() == [2006, 2007, 2008, 2009, 2010, 2011, 2013]


def test_segments_are_counted_in_each_area_by_itself():
    frames = [_values((2010, 1.0), (2011, 2.0), area=area).data for area in ("B", "A")]
    found = segments(IndicatorTable(pd.concat(frames), {"outside": OUTSIDE}))
    assert found[["area_id", "segment"]].to_numpy().tolist() == [["A", 1], ["A", 1], ["B", 1], ["B", 1]]


@given(
    st.lists(st.floats(0, 100) | st.none(), min_size=1, max_size=12),
    st.lists(st.integers(2001, 2011), max_size=3, unique=True),
)
def test_no_segment_holds_a_break_or_a_gap(values, breaks):
    item = _definition(breaks=tuple(breaks))
    found = segments(_values(*[(2000 + n, value) for n, value in enumerate(values)], item=item))
    assert ((found["segment"] == 0) == found["value"].isna()).all()
    for _, part in found[found["segment"] > 0].groupby("segment"):
        years = part["year"].tolist()
        assert years == list(range(years[0], years[-1] + 1))
        assert not any(years[0] < year <= years[-1] for year in breaks)


# ---------------------------------------------------------------- change


def test_change_is_the_difference_in_the_unit():
    row = change(_values((2010, 12.5), (2012, 15.0)), 2010, 2012).iloc[0]
    assert row[["start", "end", "value_start", "value_end", "change", "status", "reason"]].tolist() == [
        "2010",
        "2012",
        12.5,
        15.0,
        2.5,
        "observed",
        "",
    ]


@pytest.mark.parametrize(("year", "reason"), [(2010, ""), (2011, "break"), (2012, "break"), (2013, "")])
def test_change_across_a_break_is_refused(year, reason):
    row = change(_values((2010, 12.5), (2012, 15.0), item=_definition(breaks=(year,))), 2010, 2012).iloc[0]
    assert row["reason"] == reason
    assert row["status"] == ("not_collected" if reason else "observed")
    assert np.isnan(row["change"]) == bool(reason)
    assert row[["value_start", "value_end"]].tolist() == [12.5, 15.0]


@pytest.mark.parametrize("first", STATUSES)
@pytest.mark.parametrize("last", STATUSES)
def test_a_change_is_as_sure_as_the_less_sure_of_its_ends(first, last):
    rows = [(2010, *(_part(first)), first), (2012, *(_part(last)), last)]
    row = change(_counts(*rows), 2010, 2012).iloc[0]
    order = ["observed", "provisional", "estimated"]
    if last in MISSING:
        assert row["status"] == last
    elif first in MISSING:
        assert row["status"] == first
    else:
        assert row["status"] == max(first, last, key=order.index)
    assert np.isnan(row["change"]) == (row["status"] in MISSING)


def _part(status):
    return (None, None) if status in MISSING else (1, 10)


def test_an_area_without_a_row_in_one_year_has_no_change():
    data = pd.concat([_values((2010, 1.0), (2012, 2.0)).data, _values((2012, 2.0), area="B").data])
    found = change(IndicatorTable(data, {"outside": OUTSIDE}), "2010", "2012").set_index("area_id")
    assert found.loc["B", ["change", "status"]].isna().tolist() == [True, False]
    assert found.loc["B", "status"] == "not_collected"


@pytest.mark.parametrize(
    ("years", "said"),
    [
        ((2010, 2021), "key 'end': no year of the table is called '2021'. Hint: did you mean '2012'?"),
        ((2012, 2010), "key 'end': the change from 2012 to 2010. Expected: a year after `start`."),
    ],
)
def test_years_without_a_change_are_told(years, said):
    with pytest.raises(SpecError) as caught:
        change(_values((2010, 1.0), (2012, 2.0)), *years)
    assert str(caught.value) == said


# ---------------------------------------------------------------- two sources


def _source(source, *rows, item=OUTSIDE):
    """Return a table of published values (area, value), None where it is missing, all of 2012."""
    data = pd.concat([_values((2012, value), item=item, area=area).data for area, value in rows], ignore_index=True)
    return IndicatorTable(data.assign(source=source, method="published", reason=""), {item.id: item})


def test_the_table_named_first_counts_and_its_gaps_are_filled():
    found = combine(
        [_source("register", ("A", 12.5), ("B", None)), _source("survey", ("A", 14.0), ("B", 9.0), ("C", 7.0))]
    )
    assert found.table.data[["area_id", "value", "source"]].to_numpy().tolist() == [
        ["A", 12.5, "register"],
        ["B", 9.0, "survey"],
        ["C", 7.0, "survey"],
    ]
    assert found.filled == 1
    assert found.disagreements.to_numpy().tolist() == [
        ["A", "outside", "2012", 12.5, "register", 14.0, "survey", 1.5],
    ]
    assert list(found.disagreements.columns) == [
        "area_id",
        "indicator",
        "period",
        "kept",
        "kept_source",
        "other",
        "other_source",
        "difference",
    ]
    assert found.lines() == [
        "1 figure is missing in the source named first and comes from a later one",
        (
            "sources disagree in 1 figure, and the one named first counts; the largest difference: 'outside' of 'A' "
            "2012 is 12.5 (register), not 14 (survey)"
        ),
    ]


@pytest.mark.parametrize(
    ("first", "second", "disagree"),
    [
        ((12.345, 20.0), (12.3, 20.1), 1),  # 12.345 may be written 12.3; 20.0 and 20.1 differ
        ((12.35, 20.04), (12.4, 20.0), 0),
        ((1000.0, 7.0), (1001.0, 7.0), 1),  # counts are exact
        ((0.1 + 0.2, 1.0), (0.3, 1.0), 0),  # dust of binary fractions
        ((0.0, 1.0), (0.4, 1.0), 0),  # one writes whole numbers
        ((0.0, 1.0), (0.6, 1.0), 1),
    ],
)
def test_figures_disagree_beyond_what_the_coarser_is_rounded_to(first, second, disagree):
    one, two = (_source(name, *zip("AB", values, strict=True)) for name, values in (("x", first), ("y", second)))
    assert len(combine([one, two]).disagreements) == disagree


def test_the_largest_disagreement_comes_first():
    found = combine([_source("x", ("A", 100.0), ("B", 10.0)), _source("y", ("A", 105.0), ("B", 14.0))])
    assert found.disagreements["area_id"].tolist() == ["B", "A"]  # 4 of 10 is more than 5 of 100


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": "per_mille"}, "unit pct and per_mille"),
        ({"kind": "rate"}, "kind share and rate"),
        ({"direction": "neutral"}, "direction higher_is_worse and neutral"),
        ({"ages": (18, 64)}, "ages not given and 18–64"),
    ],
)
def test_definitions_that_differ_are_told(changes, said):
    other = OUTSIDE.model_copy(update=changes)
    with pytest.raises(TableError) as caught:
        combine([_source("x", ("A", 1.0)), _source("y", ("A", 1.0), item=other)])
    assert str(caught.value) == (
        f"two layers define 'outside' differently: {said}. Expected: the same definition in both. Hint: give one of "
        "them another id, or correct its definition"
    )


def test_the_smallest_areas_follow_the_table_that_counts():
    fine = pd.concat([_counts((2012, n, 100), area=area).data for area, n in (("a", 10), ("b", 20))])
    merged = roll_up(IndicatorTable(fine, {"outside": OUTSIDE}), pd.Series({"a": "A", "b": "B"}, dtype=object))
    found = combine([_source("x", ("A", 11.0), ("B", None)), merged])
    assert found.table.finest[["area_id", "parent", "value"]].to_numpy().tolist() == [
        ["A", "A", 11.0],
        ["b", "B", 20.0],
    ]


@few
@given(tables())
def test_combining_a_table_with_itself_changes_nothing(table):
    found = combine([table, table])
    expected = table.data.sort_values(["area_id", "indicator", "period"], ignore_index=True)
    assert_frame_equal(found.table.data, expected)
    assert found.disagreements.empty
    assert (found.filled, found.lines()) == (0, [])


@few
@given(tables(), tables())
def test_what_the_first_knows_counts_and_nothing_known_is_lost(one, two):
    found = combine([one, two]).table.data.set_index(["area_id", "indicator"])
    first, second = (table.data.set_index(["area_id", "indicator"]) for table in (one, two))
    for key, row in found.iterrows():
        source = first if first.loc[key, "status"] in KNOWN or second.loc[key, "status"] not in KNOWN else second
        assert row["status"] == source.loc[key, "status"]
        assert row["value"] == source.loc[key, "value"] or np.isnan(row["value"])


def test_combining_keeps_the_definitions_of_all():
    crime = IndicatorTable(_values((2012, 3.0), item=DEFINITIONS["crime"]).data, {"crime": DEFINITIONS["crime"]})
    found = combine([_source("x", ("A", 1.0)), crime])
    assert set(found.table.definitions) == {"outside", "crime"}
    assert len(found.table.data) == 2


# ---------------------------------------------------------------- charts


def _drawn(figure):
    """Return the years of each stroke that connects points."""
    return [[int(year) for year in line.get_xdata()] for line in _strokes(figure)]


def _strokes(figure):
    return [line for line in figure.axes[0].lines if line.get_linestyle() != "None"]


def _said(figure):
    return [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]


@few
@given(
    st.lists(st.lists(st.floats(0, 100) | st.none(), min_size=9, max_size=9), min_size=1, max_size=3),
    st.lists(st.integers(2001, 2008), max_size=3, unique=True),
)
def test_no_stroke_crosses_a_break_or_a_missing_year(areas, breaks):
    item = _definition(breaks=tuple(breaks))
    frames = [
        _values(*[(2000 + n, value) for n, value in enumerate(values)], item=item, area=f"A{number}").data
        for number, values in enumerate(areas)
    ]
    table = IndicatorTable(pd.concat(frames, ignore_index=True), {"outside": item})
    if table.data["value"].isna().all():
        return
    figure = plot_series(table, "outside")
    for years in _drawn(figure):
        assert years == list(range(years[0], years[-1] + 1))
        assert not any(years[0] < year <= years[-1] for year in breaks)
    points = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    assert sum(len(line.get_xdata()) for line in points) == table.data["value"].notna().sum()


def test_the_sample_is_drawn_in_two_parts(sample_run):
    # The fictional town's employment has a break in 2010.
    table = sample_run.indicators()
    city = totals(table).loc["employment_20_64", "value"]
    names = sample_run.areas()["name"]
    areas = ["0099S01", "0099S18"]
    figure = plot_series(
        table, "employment_20_64", areas=areas, names=names, compare=city, compare_name="Staden", language="sv"
    )
    assert _drawn(figure) == [[2006, 2007, 2008, 2009], [2010, 2011, 2012]] * 3
    said = _said(figure)
    assert said[0] == "Förvärvsarbetande 20–64 år"
    assert said[1] == "% · 2006–2012"
    assert said[2].startswith("Källa: Labour market register (fictional)  ·  N: Invånare 20–64 år, ")
    assert {"Ny definition 2010", "Staden", *names[areas]} <= set(said)
    grey = _strokes(figure)[0]
    assert grey.get_color() == "#6f6f6a"
    assert grey.get_ydata().tolist() == city.loc["2006":"2009"].tolist()


@pytest.mark.parametrize(
    ("language", "mark", "provisional", "source"),
    [
        ("sv", "Ny definition 2016", "○ preliminär", "Källa: S"),
        ("da", "Ny definition 2016", "○ foreløbig", "Kilde: S"),
        ("en", "New definition 2016", "○ provisional", "Source: S"),
    ],
)
def test_a_chart_speaks_the_three_languages(language, mark, provisional, source):
    item = _definition(breaks=(2016,), base="Residents")
    rows = [(2014, 1, 10), (2015, 2, 10), (2016, 3, 10), (2017, 4, 10, "provisional")]
    figure = plot_series(_counts(*rows, item=item), "outside", language=language)
    said = _said(figure)
    assert mark in said
    assert said[2].startswith(f"{source}  ·  N: Residents, 10 ")
    assert said[2].endswith(provisional)


def test_provisional_and_estimated_points_are_hollow():
    rows = [(2014, 1, 10), (2015, 2, 10, "provisional"), (2016, 3, 10, "estimated")]
    figure = plot_series(_counts(*rows), "outside")
    looks = {
        int(line.get_xdata()[0]): (line.get_marker(), line.get_markerfacecolor())
        for line in figure.axes[0].lines
        if line.get_linestyle() == "None"
    }
    assert looks == {2014: ("o", "#225ea8"), 2015: ("o", "white"), 2016: ("D", "white")}


def _crowded(count):
    frames = [
        _values(*[(year, 20 + 0.01 * n * (year - 2000)) for year in range(2000, 2010 - n % 2)], area=f"A{n}").data
        for n in range(count)
    ]
    return IndicatorTable(pd.concat(frames, ignore_index=True), {"outside": OUTSIDE})


def test_names_at_the_ends_of_lines_do_not_cover_each_other():
    figure = plot_series(_crowded(8), "outside", names={f"A{n}": f"A district of the town {n}" for n in range(8)})
    labels = figure.axes[0].texts
    boxes = [label.get_window_extent() for label in labels]
    assert len(boxes) == 8
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert box.x1 <= figure.bbox.x1
    assert sum(label.get_text().endswith("… (2008)") for label in labels) == 4  # these lines end a year early


@pytest.mark.parametrize("dpi", [50, 110, 200])
def test_names_stay_beside_their_lines_at_any_resolution(dpi):
    figure = plot_series(_crowded(8), "outside")
    figure.savefig(io.BytesIO(), dpi=dpi)
    figure.set_dpi(dpi)
    axes = figure.axes[0]
    for label in axes.texts:
        year, value = label.xy
        box, (x, y) = label.get_window_extent(), axes.transData.transform((year, value))
        assert box.x0 > axes.transData.transform((2009, value))[0]
        assert abs((box.y0 + box.y1) / 2 - y) < 60 * dpi / 72  # of eight names in one spot the last is 3.5 lines away
        assert x < box.x0


def test_what_is_compared_with_keeps_its_status_and_its_gaps():
    whole = pd.DataFrame(
        {"value": [5.0, 6.0, 7.0], "status": ["observed", "estimated", "observed"]}, index=["2000", "2001", "2003"]
    )
    figure = plot_series(_crowded(1), "outside", compare=whole)
    grey = [line for line in figure.axes[0].lines if line.get_color() == "#6f6f6a"]
    assert [line.get_xdata().tolist() for line in grey if line.get_linestyle() != "None"] == [[2000, 2001], [2003]]
    markers = {line.get_marker(): line.get_xdata().tolist() for line in grey if line.get_linestyle() == "None"}
    assert markers == {"D": [2001], "o": [2000, 2003]}


def test_labels_of_breaks_near_each_other_become_one():
    item = _definition(breaks=(2003, 2004, 2018))
    figure = plot_series(_values(*[(year, 5.0) for year in range(2000, 2025)], item=item), "outside", language="en")
    assert [text for text in _said(figure) if text.startswith("New")] == [
        "New definition 2003, 2004",
        "New definition 2018",
    ]


def test_an_area_of_the_table_may_be_what_is_compared_with():
    figure = plot_series(_crowded(3), "outside", compare="A2", names={"A2": "Reference"})
    assert _strokes(figure)[0].get_color() == "#6f6f6a"
    assert "Reference" in _said(figure)
    assert len(_strokes(figure)) == 3


CHART_FAULTS = {
    "an unknown indicator": (
        lambda: plot_series(_crowded(1), "outsider"),
        "key 'indicator': no indicator of the table is called 'outsider'. Hint: did you mean 'outside'?",
    ),
    "an unknown area": (
        lambda: plot_series(_crowded(2), "outside", areas=["A9"]),
        "key 'areas': no area of the table is called 'A9'. Hint: one of 'A0', 'A1'",
    ),
    "too many lines": (
        lambda: plot_series(_crowded(9), "outside"),
        (
            "key 'areas': 9 lines in one chart. Expected: at most 8, to tell them apart. Hint: name the areas to draw, "
            "and the city as `compare`"
        ),
    ),
    "nothing known": (
        lambda: plot_series(_values((2010, None)), "outside"),
        "key 'areas': none of these areas has a known figure. Expected: at least one.",
    ),
}


@pytest.mark.parametrize("case", CHART_FAULTS)
def test_what_cannot_be_drawn_is_told(case):
    draw, said = CHART_FAULTS[case]
    with pytest.raises(SpecError) as caught:
        draw()
    assert str(caught.value) == said


# ---------------------------------------------------------------- in a run

SECOND = """\
kind = "indicators"
title = "Second source"
path = "../data/second.csv"
source = "Another office"
licence = "MIT"
vintage = "2013"
level = "stadsdel"
id_column = "code"

[[indicators]]
id = "poor"
label = "Low income"
kind = "share"
unit = "pct"
direction = "higher_is_worse"
"""


def _with_second_source(project, precedence):
    (project / "layers/second.toml").write_text(SECOND, encoding="utf-8")
    rows = ["0101,poor,2012,12.4", "0102,poor,2012,15.0", "0103,poor,2012,20.0", "0104,poor,2012,25.0"]
    text = "\n".join(["code,indicator,period,value", *rows])
    (project / "data/second.csv").write_text(text + "\n", encoding="utf-8")
    old, new = 'layers = ["figures"]', f'layers = ["figures", "second"]\nprecedence = "{precedence}"'
    project.edit(project.scenario, old, new)


def test_two_layers_with_the_same_figure_are_a_fault_unless_the_first_counts(project, geoplan):
    _with_second_source(project, "error")
    ended = geoplan("run", project.scenario, cwd=project.root)
    assert ended.faults == [
        (
            "scenarios/four.toml, key 'indicators.layers': indicators are defined by several layers: 'poor'. Hint: "
            'with `precedence = "first"` under [indicators] the layer named first counts'
        )
    ]


def test_where_sources_disagree_is_told_in_notes_manifest_and_workbook(project):
    _with_second_source(project, "first")
    run = gp.open_run(project / project.scenario)
    sentence = (
        "sources disagree in 1 figure, and the one named first counts; the largest difference: 'poor' of '0101' 2012 "
        "is 10 (Made up for a test, 2012-12-31), not 12.4 (Another office, 2013)"
    )
    assert sentence in run.notes()
    folder = gp.write_run(run, project / "build/four")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["disagreements"]["count"] == 1
    assert manifest["disagreements"]["largest"] == [
        {
            "area_id": "0101",
            "indicator": "poor",
            "period": "2012",
            "kept": 10.0,
            "kept_source": "Made up for a test, 2012-12-31",
            "other": 12.4,
            "other_source": "Another office, 2013",
            "difference": pytest.approx(2.4),
        }
    ]
    notes = openpyxl.load_workbook(folder / "ranking.xlsx")["Notes"]
    assert any(sentence == cell.value for row in notes.iter_rows() for cell in row)
    assert [
        "disagreement",
        "poor of 0101 2012: 10 (Made up for a test, 2012-12-31) counts, not 12.4 (Another office, 2013)",
    ] in [[cell.value for cell in row[:2]] for row in notes.iter_rows()]


def test_sources_and_methods_of_figures_are_in_what_a_run_writes(project, geoplan):
    project.edit("layers/figures.toml", 'id = "crime"', 'id = "crime"\nmean_years = 2\nsource = "Police"')
    with (project / project.figures).open("a", encoding="utf-8") as stream:
        stream.writelines(f"010{n},crime,2011,{10 * n},1000,,\n" for n in (1, 2, 3))
    folder = gp.write_run(gp.open_run(project / project.scenario), project / "build/four")
    told = json.loads(geoplan("explain", "build/four", "0101", "--json", cwd=project.root).out)
    figures = {item["label"]: item for item in told["indicators"]}
    # (10 + 50) / (1 000 + 1 000) = 30 per 1 000.
    crime = {name: figures["Reported crimes"][name] for name in ("value", "denominator", "source", "method", "reason")}
    assert crime == {
        "value": 30.0,
        "denominator": 1000.0,
        "source": "Police, 2012-12-31",
        "method": "from_counts; mean_of_2_years",
        "reason": "",
    }
    sheet = openpyxl.load_workbook(folder / "ranking.xlsx")["Indicators"]
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    missing = next(row for row in cells if row["Code"] == "0104" and row["Indicator"] == "Reported crimes")
    assert (missing["Status"], missing["Why no figure"]) == ("No data", "too few years")
    assert not missing["Method"]  # nothing was made
    made = next(row for row in cells if row["Code"] == "0101" and row["Indicator"] == "Reported crimes")
    assert (made["Method"], made["Source"]) == ("made from counts, mean of 2 years", "Police, 2012-12-31")


def test_a_map_tells_why_a_figure_is_missing(project):
    project.edit("layers/figures.toml", "id_width = 4\n", 'id_width = 4\nmissing_signs = "danish_survey"\n')
    project.edit("data/figures.csv", "0104,poor,2012,1000,4000,,", "0104,poor,2012,uoplyst,4000,,")
    project.edit("data/figures.csv", "0103,poor,2012,600,3000,,", "0103,poor,2012,ved ikke,3000,,")
    project.edit("maps/plain.toml", 'value = "score"', 'value = "poor"')
    run = gp.open_run(project / project.scenario)
    values, style = run.style()
    assert [(item.label, item.count) for item in style.missing] == [("No data: don't know 1, not stated 1", 2)]
    page = gp.explore(run.areas(), values, style=style).to_html()
    assert "No data: not stated" in page
    assert "No data: don&#39;t know 1, not stated 1" in page


def test_a_legend_counts_reasons_and_says_a_common_one_once():
    values = pd.Series([1.0, np.nan, np.nan, np.nan], index=list("abcd"))
    status = pd.Series(["observed", *["not_collected"] * 3], index=values.index)
    reason = pd.Series(["", "declined", "", "declined"], index=values.index)
    (item,) = gp.make_style(values, status=status, reason=reason, language="sv").missing
    assert (item.label, item.count) == ("Uppgift saknas: vill inte svara 2", 3)
    (item,) = gp.make_style(values, status=status, reason=reason.replace("", "declined"), language="da").missing
    assert item.label == "Oplysning mangler: ønsker ikke at svare"
