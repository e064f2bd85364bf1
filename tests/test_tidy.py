"""Reading tables: years as columns, publishers' signs, units, provisional figures, and where a figure comes from."""

from __future__ import annotations

import typing

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from strategies import DEFINITIONS

from geoplan.errors import InputError, SpecError
from geoplan.places import METHODS, REASONS, SIGNS, IndicatorTable, as_indicators, roll_up
from geoplan.show.texts import texts
from geoplan.specs import IndicatorsLayer, IndicatorSpec, parse_layer
from geoplan.specs.indicators import SignSet
from geoplan.specs.units import UNITS, unit_factor, units_like

LAYER = {
    "kind": "indicators",
    "title": "Figures",
    "path": "x",
    "source": "SCB",
    "licence": "MIT",
    "vintage": "2024",
    "level": "stadsdel",
    "id_column": "code",
}


def _spec(name="poor", kind="share", unit="pct", **more):
    return {"id": name, "label": name, "kind": kind, "unit": unit, "direction": "neutral", **more}


def _layer(*indicators, **changes):
    return parse_layer({**LAYER, "indicators": list(indicators), **changes})


def _frame(**columns):
    frame = pd.DataFrame(columns, dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame


def _years(columns, rows):
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame


def _refused(frame, layer, error=InputError):
    with pytest.raises(error) as caught:
        as_indicators(frame, layer)
    return str(caught.value).splitlines()


def _wide(cells, **changes):
    """Read cells as the values of one mean, one area each."""
    layer = _layer(_spec("days", "mean", "days", value="x"), shape="wide", period=2023, **changes)
    codes = [f"{number:02}" for number in range(len(cells))]
    return as_indicators(_frame(code=codes, x=list(cells)), layer).data


# ---------------------------------------------------------------- years as columns


def test_a_column_a_year_becomes_a_row_a_year():
    # As StatBank gives one figure: rows are areas, columns years; the star marks provisional figures.
    frame = _years(["code", "name", "2021", "2022", "2023*"], [("01", "Norr", "900", "950", "1 000")])
    data = as_indicators(frame, _layer(_spec("population", "count", "persons"), shape="years")).data
    assert data["period"].tolist() == ["2021", "2022", "2023"]
    assert data["value"].tolist() == data["numerator"].tolist() == [900, 950, 1000]
    assert data["status"].tolist() == ["observed", "observed", "provisional"]


def test_several_figures_stacked_are_told_apart_by_a_column():
    columns = ["code", "figure", "2022", "2023"]
    rows = [
        ("01", "Unemployed", "40", "30"),
        ("01", "Labour force", "400", "400"),
        ("01", "Residents", "900", "910"),
        ("02", "Unemployed", "..", "5"),
        ("02", "Labour force", "50", "50"),
        ("02", "Residents", "100", "90"),
    ]
    layer = _layer(
        _spec("unemployment", numerator="Unemployed", denominator="Labour force"),
        _spec("population", "count", "persons", numerator="Residents"),
        shape="years",
        indicator_column="figure",
        missing_signs="scb",
    )
    table = as_indicators(_years(columns, rows), layer)
    assert table.wide("2023").loc["01"].to_dict() == {"population": 910, "unemployment": 7.5}  # 30 / 400
    hidden = table.data.set_index(["area_id", "indicator", "period"]).loc["02", "unemployment", "2022"]
    assert (hidden["status"], hidden["reason"]) == ("suppressed", "withheld")
    assert hidden[["numerator", "value"]].isna().all()


def test_rows_of_years_may_be_named_by_the_indicators_ids():
    rows = [("01", "poor", "12,5"), ("01", "crime", "3")]
    layer = _layer(
        _spec("poor"), _spec("crime", "rate", "per_1000"), shape="years", indicator_column="kpi", decimal=","
    )
    table = as_indicators(_years(["code", "kpi", "2023"], rows), layer)
    assert table.wide("2023").loc["01"].to_dict() == {"crime": 3.0, "poor": 12.5}


def test_an_area_without_a_row_for_its_base_is_told():
    rows = [("01", "n", "1"), ("01", "all", "9"), ("02", "n", "1")]
    layer = _layer(_spec(numerator="n", denominator="all"), shape="years", indicator_column="figure")
    assert _refused(_years(["code", "figure", "2023"], rows), layer) == [
        (
            "row 4, column '2023', area '02': there is a count but no base (poor 2023: numerator 1). "
            "Expected: a denominator."
        )
    ]


COUNT = _spec("population", "count", "persons")
YEAR_FAULTS = {
    "a year that is not listed": (
        ["code", "2021", "2022"],
        {"years": [2021]},
        [
            (
                "key 'years': the column '2022' looks like a year but is not among `years`. Hint: add it there, or "
                "leave `years` out to read every year of the file"
            )
        ],
    ),
    "a listed year that is not there": (
        ["code", "2021"],
        {"years": [2021, 2022]},
        ["key 'years': there is no column '2022' in the data. Hint: did you mean '2021'?"],
    ),
    "a year after the data's own": (
        ["code", "2024", "2025"],
        {},
        [
            (
                "the column '2025' cannot be a year of these figures. Expected: a year from 1800 to 2024, the year of "
                "`vintage`. Hint: if it is a forecast, list the columns to read under `years` in the layer's TOML"
            )
        ],
    ),
    "a code that looks like a year": (
        ["code", "0180", "2022"],
        {"vintage": "spring"},
        [
            (
                "the column '0180' cannot be a year of these figures. Expected: a year from 1800 to 2100. Hint: if it "
                "is a forecast, list the columns to read under `years` in the layer's TOML"
            )
        ],
    ),
    "no year at all": (
        ["code", "last year"],
        {},
        ["no column is named by a year. Hint: list the columns to read under `years` in the layer's TOML"],
    ),
    "a year in two columns": (
        ["code", "2023", "2023*"],
        {},
        ["a year has several columns: '2023'. Expected: one each."],
    ),
    "no column of codes": (
        ["kod", "2023"],
        {},
        ["key 'id_column': there is no column 'code' in the data. Hint: one of '2023', 'kod'"],
    ),
    "no column of figures": (
        ["code", "2023"],
        {"indicator_column": "figure"},
        ["key 'indicator_column': there is no column 'figure' in the data. Hint: one of '2023', 'code'"],
    ),
}


@pytest.mark.parametrize("case", YEAR_FAULTS)
def test_columns_that_cannot_be_years_are_told(case):
    columns, changes, said = YEAR_FAULTS[case]
    frame = _years(columns, [["01"] + ["5"] * (len(columns) - 1)])
    assert [line.removesuffix(".") for line in _refused(frame, _layer(COUNT, shape="years", **changes))] == [
        line.removesuffix(".") for line in said
    ]


def test_a_forecast_is_read_when_its_years_are_listed():
    frame = _years(["code", "2024", "2030"], [("01", "900", "1000")])
    data = as_indicators(frame, _layer(COUNT, shape="years", years=[2024, 2030])).data
    assert data["period"].tolist() == ["2024", "2030"]


def test_periods_that_are_no_years_are_read_when_listed():
    frame = _years(["code", "2023H1", "2023H2"], [("01", "900", "1000")])
    data = as_indicators(frame, _layer(COUNT, shape="years", years=["2023H1", "2023H2"])).data
    assert data["period"].tolist() == ["2023H1", "2023H2"]


def test_an_area_that_stands_twice_for_a_figure_is_told():
    frame = _years(["code", "2023"], [("01", "900"), ("01", "40")])
    assert _refused(frame, _layer(COUNT, shape="years")) == [
        (
            "row 3, column 'code': 1 area code(s) occur more than once for 'population': '01'. Expected: each "
            "area once. "
            "Hint: where rows are several figures, name the column that tells them apart as `indicator_column`"
        )
    ]


def test_a_figure_that_no_row_has_is_told():
    frame = _years(["code", "figure", "2023"], [("01", "Unemployed", "3"), ("01", "Labour force", "9")])
    item = _spec(numerator="Unemployd", denominator="Labour force")
    assert _refused(frame, _layer(item, shape="years", indicator_column="figure")) == [
        "key 'indicators.0.numerator': there is no 'Unemployd' in the column 'figure'. Hint: did you mean 'Unemployed'?"
    ]


def test_text_among_years_is_told_with_its_row_and_year():
    frame = _years(["code", "2022", "2023"], [("01", "900", "?")])
    assert _refused(frame, _layer(COUNT, shape="years")) == [
        (
            "row 2, column '2023': '?' is not a number. Hint: if it is a code for a missing value, list it under "
            "`missing_codes` in the layer's TOML"
        )
    ]


@pytest.mark.parametrize(
    ("indicators", "changes", "said"),
    [
        (
            [COUNT, _spec()],
            {"shape": "years"},
            "`indicator_column`, which tells several indicators apart in a table of years",
        ),
        ([COUNT], {"years": [2023]}, '`years` and `indicator_column` only with `shape = "years"`'),
    ],
)
def test_a_layer_of_years_says_what_it_needs(indicators, changes, said):
    with pytest.raises(SpecError) as caught:
        _layer(*indicators, **changes)
    assert caught.value.faults[0].expected == said


def test_a_long_table_with_years_in_its_header_is_told_so():
    frame = _frame(code=["01"], indicator=["poor"], period=["2023"], **{"2023": ["1"]})
    (said,) = _refused(frame, _layer(_spec()))
    assert said.endswith('Hint: a table with a column for each year needs `shape = "years"` in the layer\'s TOML')


# ---------------------------------------------------------------- signs


def test_every_set_of_signs_can_be_named():
    assert set(typing.get_args(SignSet)) == set(SIGNS)


@pytest.mark.parametrize(
    ("signs", "cell", "status", "reason", "value"),
    [
        ("scb", "..", "suppressed", "withheld", None),
        ("scb", ".", "not_applicable", "", None),
        ("scb", "-", "observed", "", 0),  # inget finns att redovisa: a true zero
        ("scb", "\u2013", "observed", "", 0),
        ("scb", "0", "observed", "", 0),  # less than half of the unit
        ("scb", "\u2026", "not_collected", "not_available", None),
        ("statbank", "-", "observed", "", 0),
        ("statbank", ".", "not_applicable", "", None),
        ("statbank", "..", "suppressed", "withheld", None),
        ("statbank", "...", "not_collected", "not_available", None),
        ("kolada", "", "not_collected", "not_available", None),
        ("kolada", "Missing", "not_collected", "not_available", None),
        ("kolada", "Private", "suppressed", "withheld", None),
        ("danish_survey", "Ved ikke", "not_collected", "dont_know", None),
        ("danish_survey", "Ikke relevant", "not_applicable", "not_relevant", None),
        ("danish_survey", "Ønsker ikke at svare", "not_collected", "declined", None),
        ("danish_survey", "UBESVARET", "not_collected", "unanswered", None),
        ("danish_survey", "uoplyst", "not_collected", "not_stated", None),
        ("danish_survey", "Ikke spurgt", "not_collected", "not_asked", None),
        ("danish_survey", "Ikke opgjort", "not_collected", "not_asked", None),
    ],
)
def test_signs_mean_what_their_publisher_says(signs, cell, status, reason, value):
    row = _wide([cell, "7"], missing_signs=signs).iloc[0]
    assert (row["status"], row["reason"]) == (status, reason)
    assert np.isnan(row["value"]) if value is None else row["value"] == value


def test_the_six_danish_non_answers_stay_distinct():
    cells = ["ved ikke", "ikke relevant", "ønsker ikke at svare", "ubesvaret", "uoplyst", "ikke spurgt"]
    data = _wide(cells, missing_signs="danish_survey")
    assert data["reason"].nunique() == 6
    assert data["value"].isna().all()
    for language in ("sv", "da", "en"):
        assert len({texts(language).why[reason] for reason in data["reason"]}) == 6


def test_a_layers_own_codes_go_before_the_publishers_signs():
    data = _wide(["..", "-", "x", "ej svar"], missing_signs="scb", missing_codes=OWN)
    assert data["status"].tolist() == ["not_collected", "suppressed", "observed", "not_collected"]
    assert data["reason"].tolist() == ["", "", "", "declined"]
    assert data["value"].tolist()[2] == 0


OWN = {"..": "not_collected", "-": "suppressed", "x": "zero", "ej svar": "declined"}


def test_a_sign_is_no_number_where_no_set_is_named():
    layer = _layer(_spec("days", "mean", "days", value="x"), shape="wide", period=2023)
    said = _refused(_frame(code=["01", "02"], x=["-", "Uoplyst"]), layer)
    assert said == [
        (
            "row 2, column 'x': '-' is not a number. Hint: it is a sign of 'scb', 'statbank': name the publisher as "
            "`missing_signs` in the layer's TOML, or say what it means under `missing_codes`"
        ),
        (
            "row 3, column 'x': 'Uoplyst' is not a number. Hint: it is a sign of 'danish_survey': name the publisher "
            "as `missing_signs` in the layer's TOML, or say what it means under `missing_codes`"
        ),
    ]


def test_a_dash_is_a_count_of_nobody():
    frame = _frame(code=["01"], n=["-"], all=["50"])
    layer = _layer(_spec(numerator="n", denominator="all"), shape="wide", period=2023, missing_signs="scb")
    assert as_indicators(frame, layer).data.iloc[0][["numerator", "denominator", "value"]].tolist() == [0, 50, 0]


@pytest.mark.parametrize(
    ("cell", "value", "status"),
    [
        ("1234*", 1234, "provisional"),
        ("12,3 *", 12.3, "provisional"),
        ("12,3p", 12.3, "provisional"),
        ("12,3 r", 12.3, "observed"),  # revised is final
        ("1 234 r", 1234, "observed"),
        ("7", 7, "observed"),
    ],
)
def test_marks_beside_a_number_are_read(cell, value, status):
    row = _wide([cell], decimal=",").iloc[0]
    assert (row["value"], row["status"]) == (value, status)


def test_a_mark_of_a_break_that_the_definition_does_not_have_is_told():
    frame = _years(["code", "2009", "2010"], [("01", "5", "7 |")])
    assert _refused(frame, _layer(COUNT, shape="years")) == [
        (
            "the file marks a break of 'population' at 2010 that its definition does not have. Hint: write "
            "`breaks = [2010]` in its [[indicators]] block"
        )
    ]
    known = _layer({**COUNT, "breaks": [2010]}, shape="years")
    assert as_indicators(frame, known).data["value"].tolist() == [5, 7]


# ---------------------------------------------------------------- provisional


def test_figures_from_a_year_on_are_provisional_and_guesses_stay_guesses():
    frame = _frame(
        code=["01"] * 4,
        indicator=["population"] * 4,
        period=["2022", "2023", "2024", "2025"],
        value=["1", "2", "3", "4"],
        status=["", "", "estimated", "observed"],
    )
    data = as_indicators(frame, _layer(COUNT, provisional_from=2023)).data
    assert data["status"].tolist() == ["observed", "provisional", "estimated", "provisional"]


def test_a_missing_figure_is_not_made_provisional():
    frame = _frame(code=["01"], indicator=["population"], period=["2024"], value=[".."])
    data = as_indicators(frame, _layer(COUNT, provisional_from=2023, missing_signs="scb")).data
    assert data["status"].tolist() == ["suppressed"]


# ---------------------------------------------------------------- units


def test_units_of_a_kind_turn_into_each_other():
    assert unit_factor("kr", "tkr") == 0.001
    assert unit_factor("Mkr", "tkr") == 1000
    assert unit_factor("share", "pct") == 100
    assert unit_factor("‰", "pct") == 0.1
    assert unit_factor("thousands", "persons") == 1000
    assert unit_factor("kr", "pct") is None
    assert unit_factor("score", "score") == unit_factor("homes", "homes") == 1
    assert units_like("pct") == ["share", "per_mille", "per_1000", "per_10000", "per_100000"]


@given(st.sampled_from(sorted(UNITS)), st.data())
def test_there_and_back_again_is_where_one_was(unit, data):
    other = data.draw(st.sampled_from([unit, *units_like(unit)]))
    there, back = unit_factor(unit, other), unit_factor(other, unit)
    assert there * back == pytest.approx(1, rel=1e-15)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5), st.sampled_from(["kr", "tkr", "mkr"]))
def test_a_file_in_another_unit_gives_the_same_table(values, unit):
    # Whole tkr, written in kr, tkr or Mkr.
    written = {"kr": lambda v: f"{v}000", "tkr": str, "mkr": lambda v: f"{v / 1000:.3f}"}[unit]
    layer = _layer(_spec("income", "mean", "tkr", value="x", published_unit=unit), shape="wide", period=2023)
    codes = [f"{number:02}" for number in range(len(values))]
    data = as_indicators(_frame(code=codes, x=[written(value) for value in values]), layer).data
    assert data["value"].tolist() == pytest.approx(values, rel=1e-12)
    assert set(data["method"]) == {"published" if unit == "tkr" else "published; converted"}


def test_sums_of_means_and_counts_are_turned_too_and_counts_of_shares_are_not():
    layer = _layer(
        _spec("income", "mean", "tkr", numerator="kr", denominator="n", published_unit="kr"),
        _spec("population", "count", "persons", numerator="thousand", published_unit="thousands"),
        _spec("poor", numerator="n", denominator="all", published_unit="share"),
        shape="wide",
        period=2023,
    )
    frame = _frame(code=["01"], kr=["500000"], n=["2"], thousand=["1.5"], all=["8"])
    table = as_indicators(frame, layer)
    assert table.wide("2023").loc["01"].to_dict() == {"income": 250, "population": 1500, "poor": 25}
    methods = table.wide("2023", "method").loc["01"].to_dict()
    assert methods == {"income": "converted; from_counts", "population": "published; converted", "poor": "from_counts"}


INCOME = _spec("median_income", "mean", "tkr", value="x", plausible=[50.0, 1000.0])


def _incomes(cells, **changes):
    layer = _layer({**INCOME, **changes}, shape="wide", period=2023)
    codes = [f"{number:02}" for number in range(len(cells))]
    return _refused(_frame(code=codes, x=cells), layer)


def test_kronor_read_as_thousands_are_told_with_the_unit_that_fits():
    assert _incomes(["198000", "254000", "301000"]) == [
        (
            "the values of 'median_income' cannot be in tkr: their median is 254 000. Expected: between 50 "
            "and 1 000 tkr, "
            'as `plausible` says. Hint: a median of 254 000 fits kr, not tkr: write `published_unit = "kr"` in its '
            "[[indicators]] block"
        )
    ]


def test_thousands_read_as_kronor_are_told_too():
    assert _incomes(["198", "254", "301"], published_unit="kr") == [
        (
            "the values of 'median_income' cannot be in kr: their median is 254. Expected: between 50 and 1 "
            "000 tkr, as "
            "`plausible` says. Hint: a median of 254 fits tkr, not kr: leave `published_unit` out of its "
            "[[indicators]] "
            "block"
        )
    ]


def test_single_values_that_cannot_be_are_told_by_the_row():
    assert _incomes(["198", "254", "3010"]) == [
        (
            "row 4, column 'x', area '02': the value is not plausible (median_income 2023: 3 010). Expected: "
            "between 50 "
            "and 1 000 tkr, as `plausible` says."
        )
    ]


def test_many_values_that_cannot_be_and_fit_no_unit_are_counted():
    said = _incomes(["-1", "-2", "-3", "-4", "-5"])
    assert len(said) == 4
    assert said[-1] == "the value is not plausible, in 2 more rows of 'median_income'."


def test_shares_of_one_in_per_cent_are_told_where_counts_say_otherwise():
    frame = _frame(
        code=["01", "02", "03"],
        indicator=["poor"] * 3,
        period=["2023"] * 3,
        numerator=["15", "30", ""],
        denominator=["100", "100", "80"],
        value=["0.15", "0.3", "0.22"],
    )
    assert _refused(frame, _layer(_spec())) == [
        (
            "row 2, column 'value', area '01': the values of 'poor' are in share, not in pct: 0.15 stands beside 15 of "
            '100. Hint: write `published_unit = "share"` in its [[indicators]] block'
        )
    ]
    data = as_indicators(frame, _layer(_spec(published_unit="share"))).data
    assert data["value"].tolist() == [15, 30, 22]
    assert data["method"].tolist() == ["converted; from_counts", "converted; from_counts", "published; converted"]


def test_per_mille_in_per_cent_is_told():
    frame = _frame(
        code=["01"], indicator=["poor"], period=["2023"], numerator=["15"], denominator=["100"], value=["150"]
    )
    assert _refused(frame, _layer(_spec()))[0].startswith(
        "row 2, column 'value', area '01': the values of 'poor' are in per_mille, not in pct: 150 stands beside 15 of "
        "100."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"published_unit": "krr"}, "a `published_unit` that can be turned into 'tkr'; did you mean 'kr'?"),
        ({"published_unit": "pct"}, "a `published_unit` that can be turned into 'tkr'; one of 'kr', 'mkr'"),
        (
            {"unit": "homes", "published_unit": "houses"},
            "a `published_unit` that can be turned into 'homes'; leave it out: there is no other unit",
        ),
        ({"kind": "share", "unit": "procnt"}, "a unit of shares for kind share, not 'procnt'; did you mean 'pct'?"),
        ({"plausible": [10.0, 5.0]}, "two numbers, the lower first"),
    ],
)
def test_definitions_whose_units_do_not_fit_are_told(changes, said):
    with pytest.raises(SpecError) as caught:
        _layer({**_spec("income", "mean", "tkr"), **changes})
    assert caught.value.faults[0].expected == said


# ---------------------------------------------------------------- where figures come from


def test_every_figure_tells_its_source_and_how_it_was_made():
    layer = _layer(
        _spec("poor", numerator="n", denominator="all"),
        _spec("days", "mean", "days", value="d", source="Insurance", vintage="2022-12-31"),
        shape="wide",
        period=2023,
        missing_codes={"x": "suppressed"},
    )
    data = as_indicators(_frame(code=["01", "02"], n=["1", "x"], all=["4", "4"], d=["8", "9"]), layer).data
    rows = data.set_index(["indicator", "area_id"])
    assert rows.loc[("poor", "01"), ["source", "method"]].tolist() == ["SCB, 2024", "from_counts"]
    assert rows.loc[("days", "01"), ["source", "method"]].tolist() == ["Insurance, 2022-12-31", "published"]
    assert rows.loc[("poor", "02"), ["source", "method"]].tolist() == ["SCB, 2024", ""]  # nothing was made


def test_a_long_table_may_tell_source_and_reason_by_the_row():
    frame = _frame(
        code=["01", "02"],
        indicator=["days"] * 2,
        period=["2023"] * 2,
        value=["5", ""],
        status=["", "not_collected"],
        source=["Own survey, 2023", ""],
        reason=["", "declined"],
    )
    data = as_indicators(frame, _layer(_spec("days", "mean", "days"))).data
    assert data["source"].tolist() == ["Own survey, 2023", "SCB, 2024"]
    assert data["reason"].tolist() == ["", "declined"]


def test_an_unknown_reason_is_told():
    frame = _frame(
        code=["01"], indicator=["days"], period=["2023"], value=[""], status=["not_collected"], reason=["lazy"]
    )
    assert _refused(frame, _layer(_spec("days", "mean", "days"))) == [
        (
            "row 2, column 'reason', area '01': the reason is not one geoplan knows (days 2023: status "
            "'not_collected'). "
            "Expected: one of 'dont_know', 'not_relevant', 'declined', 'unanswered', 'not_stated', 'not_asked', "
            "'withheld', 'not_available', 'break', 'too_few_years'."
        )
    ]


def _sourced(*rows):
    """Return a table of (area, part, base, status, source, method, reason)."""
    columns = ["area_id", "numerator", "denominator", "status", "source", "method", "reason"]
    data = pd.DataFrame(rows, columns=columns).astype({"numerator": float, "denominator": float})
    data = data.assign(indicator="poor", period="2012", value=100 * data["numerator"] / data["denominator"])
    return IndicatorTable(data, DEFINITIONS)


def _merged(*rows, **options):
    table = _sourced(*rows)
    parents = pd.Series("K", index=table.data["area_id"], dtype=object)
    return roll_up(table, parents, **options).data.iloc[0]


def test_a_merged_figure_names_the_sources_and_steps_of_its_parts():
    row = _merged(
        ("a", 1, 10, "observed", "SCB, 2024", "from_counts", ""),
        ("b", 1, 10, "observed", "City, 2023", "published; converted", ""),
        ("c", None, None, "suppressed", "Nobody", "", "withheld"),
        minimum_coverage=0.5,
    )
    assert row["source"] == "City, 2023 | SCB, 2024"
    assert row["method"] == "published; converted; from_counts; rolled_up"
    assert (row["status"], row["reason"]) == ("estimated", "")


def test_a_reason_is_kept_where_all_missing_parts_agree():
    known = ("a", 1, 10, "observed", "S", "from_counts", "")
    declined = [(area, None, 50, "not_collected", "S", "", "declined") for area in "bc"]
    nobody = ("d", None, None, "not_applicable", "S", "", "not_relevant")
    row = _merged(known, *declined, nobody)
    assert (row["status"], row["reason"], row["method"]) == ("not_collected", "declined", "")
    other = ("e", None, 50, "not_collected", "S", "", "dont_know")
    assert _merged(known, *declined, other)["reason"] == ""
    plain = ("e", None, 50, "not_collected", "S", "", "")
    assert _merged(known, *declined, plain)["reason"] == ""
    assert _merged(nobody)[["status", "reason"]].tolist() == ["not_applicable", "not_relevant"]


@pytest.mark.parametrize("language", ["sv", "da", "en"])
def test_every_step_and_reason_has_words(language):
    words = texts(language)
    for step in METHODS:
        assert words.method(step)
        assert "_" not in words.method(step)
    for reason in REASONS:
        assert words.why[reason]
    assert words.method("") == ""
    assert len({words.method(step) for step in METHODS}) == len(METHODS)


def test_specs_built_in_a_notebook_serve_as_well():
    item = IndicatorSpec(id="days", label="Days", kind="mean", unit="days", direction="neutral", value="x")
    layer = IndicatorsLayer(**{**LAYER, "shape": "wide", "period": 2023, "indicators": (item,)})
    assert as_indicators(_frame(code=["01"], x=["3"]), layer).data["value"].tolist() == [3]
