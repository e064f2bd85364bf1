"""History: statuses over years and rule versions, streaks, and why areas enter and leave."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import SpecError
from geoplan.places import IndicatorTable, as_crosswalk
from geoplan.specs import IndicatorSpec, RuleSpec, rule_book
from geoplan.targeting import select
from geoplan.targeting.history import as_earlier, status_history, streaks
from geoplan.targeting.moves import STEPS

AREAS = tuple("ABCDEFGH")
YEARS = ("2011", "2012", "2013", "2014")
DEFINITIONS = {
    "population": IndicatorSpec(id="population", label="Residents", kind="count", unit="persons", direction="neutral"),
    "poor": IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse"),
    "idle": IndicatorSpec(id="idle", label="Idle", kind="share", unit="pct", direction="higher_is_worse"),
}
POOR = {"id": "poor", "label": "Poor above 40", "indicator": "poor", "compare": "above", "limit": 40}
NATIONAL = {**POOR, "limit": None, "factor": 2, "of": "national"}
IDLE = {"id": "idle", "label": "Idle above 40", "indicator": "idle", "compare": "above", "limit": 40}


def rule(*, criteria=(POOR,), statuses=None, title="Rule", since=None, until=None, **more):
    statuses = statuses or [{"id": "listed", "label": "Listed", "criteria": [item["id"] for item in criteria]}]
    return RuleSpec.model_validate(
        {"title": title, "family": "made_up", "law": "None", "authority": "Nobody", "source": "Made up for a test",
         "since": since, "until": until, "criteria": list(criteria), "statuses": list(statuses), **more}
    )  # fmt: skip


def table(values, *, residents=2000, indicator="poor"):
    """Make a table of area → period → per cent of 1,000 (None: not collected; ... : no row), with residents."""
    rows = []
    for area, own in values.items():
        for period, value in own.items():
            if value is ...:
                continue
            known = value is not None
            figures = (value * 10, 1000.0, float(value)) if known else (np.nan, np.nan, np.nan)
            rows.append((area, indicator, str(period), *figures, "observed" if known else "not_collected"))
            people = residents if isinstance(residents, int) else residents[area, str(period)]
            rows.append((area, "population", str(period), people, np.nan, people, "observed"))
    columns = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
    return IndicatorTable(pd.DataFrame(rows, columns=columns), DEFINITIONS)


def one(*values, first=2011):
    """Make a table of one area, year after year."""
    return table({"A": dict(enumerate(values, start=first))})


def plain(value):
    return None if pd.isna(value) else bool(value)


def held(history, status="listed", area="A"):
    return [plain(value) for value in history.wide(status).loc[area].tolist()]


def move(history, period, status="listed", area="A"):
    found = history.moves.set_index(["period", "status", "area_id"]).loc[[(period, status, area)]].reset_index()
    assert len(found) == 1
    return found.iloc[0]


def explained(history):
    """Check the law of moves: steps lead from what was to what is, and each change on the way is a reason."""
    wide = history.table.set_index(["area_id", "status", "period"])["holds"]
    chains = history.steps.groupby(["area_id", "status", "period"], sort=False)["holds"].agg(list)
    assert len(chains) == len(history.moves)
    for row in history.moves.to_dict("records"):
        chain = [plain(value) for value in chains[row["area_id"], row["status"], row["period"]]]
        assert len(chain) == len(STEPS)
        assert [plain(row["was"]), plain(row["holds"])] == [chain[0], chain[-1]]
        assert chain[0] is not chain[-1]
        assert chain[0] is plain(wide.get((row["area_id"], row["status"], row["before"]), False))
        assert chain[-1] is plain(wide.get((row["area_id"], row["status"], row["period"]), False))
        changes = sum(first is not second for first, second in pairwise(chain))
        assert changes >= 1
        assert 1 <= len(row["reasons"].split("+")) <= changes
        assert row["sentence"]


# ---------------------------------------------------------------- published lists and streaks


def test_a_published_list_says_who_is_not_on_it():
    frame = as_earlier({2020: ["B"], 2019: ["B", "A"], "2021": []}, "listed")
    assert frame.columns.tolist() == ["area_id", "period", "status", "holds"]
    assert frame.pivot(index="area_id", columns="period", values="holds").to_numpy().tolist() == [
        [True, False, False],
        [True, True, False],
    ]
    assert len(as_earlier({2019: ["A"]}, "listed", ["A", "B", "C"])) == 3
    with pytest.raises(SpecError, match="no area is called 'Bb'"):
        as_earlier({2019: ["Bb"]}, "listed", ["A", "B"])


def naive(marks, years):
    """Count as one would by hand: year by year, backwards."""
    found = []
    for place, mark in enumerate(marks):
        count, doubt, reaches_start = 0, mark is None, False
        if mark:
            back = place
            while back >= 0 and marks[back]:
                count += 1
                if back == 0:
                    reaches_start = True
                elif years[back] != years[back - 1] + 1:
                    doubt = True
                    break
                elif marks[back - 1] is None:
                    doubt = True
                back -= 1
        found.append((None if doubt else count, count, reaches_start and not doubt))
    return found


MARKS = st.lists(st.tuples(st.booleans() | st.none(), st.integers(1, 2)), min_size=1, max_size=8)


def marked(marks, area="A"):
    years = list(2000 + np.cumsum([step for _, step in marks]))
    truths = [truth for truth, _ in marks]
    frame = pd.DataFrame({"area_id": area, "period": [str(year) for year in years], "status": "listed"})
    return frame.assign(holds=pd.array(truths, dtype="boolean")), truths, years


@settings(max_examples=40)
@given(MARKS)
def test_streaks_are_those_of_a_naive_count(marks):
    frame, truths, years = marked(marks)
    found = streaks(frame)
    own = [None if value is pd.NA else value for value in found["streak"]]
    assert list(zip(own, found["streak_least"], found["from_start"], strict=True)) == naive(truths, years)
    unknown = found["holds"].isna()
    assert found.loc[unknown, "streak"].isna().all()  # never zero
    assert (found.loc[found["holds"].eq(other=False).fillna(value=False), "streak"] == 0).all()


@settings(max_examples=40)
@given(MARKS, st.integers(1, 4))
def test_who_has_reached_k_is_what_the_last_k_years_say(marks, k):
    frame, truths, years = marked(marks)
    found = streaks(frame, k)["reached"].tolist()
    known = dict(zip(years, truths, strict=True))
    for place, year in enumerate(years):
        window = [year - back for back in range(k)]
        gap = max((other for other in window if other not in known), default=0)
        last = [known[other] if other > gap else None for other in window]  # nothing is remembered over a gap
        assert plain(found[place]) is (False if False in last else None if None in last else True)


@settings(max_examples=40)
@given(MARKS, MARKS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(one_area, other, random):
    frame = pd.concat([marked(one_area)[0], marked(other, "B")[0]], ignore_index=True)
    order = list(frame.index)
    random.shuffle(order)
    pd.testing.assert_frame_equal(streaks(frame.loc[order], 2), streaks(frame, 2))


def test_another_number_of_years_in_some_periods():
    frame = as_earlier({2018: ["A"], 2019: ["A"], 2020: ["A"]}, "listed", ["A", "B"])
    found = streaks(frame, {2019: 2, 2020: 3}).set_index(["area_id", "period"])["reached"]
    assert found["A"].tolist() == [pd.NA, True, True]
    assert found["B"].tolist() == [pd.NA, False, False]


def test_a_list_that_names_nobody_more_is_still_a_list():
    frame = as_earlier({2018: ["A"], 2019: ["B"]}, "listed")
    named = frame[frame["holds"]]  # only the names: who is not named is not on it
    assert streaks(named).query("area_id == 'A'")["streak"].tolist() == [1, 0]


def test_streaks_refuse_what_they_cannot_count():
    frame = as_earlier({2018: ["A"]}, "listed")
    with pytest.raises(SpecError, match="no column 'holds'"):
        streaks(frame.drop(columns="holds"))
    with pytest.raises(SpecError, match="more than one row"):
        streaks(pd.concat([frame, frame]))
    with pytest.raises(SpecError, match="periods that are no years: '2018K1'"):
        streaks(frame.assign(period="2018K1"))
    assert streaks(frame.iloc[:0]).empty


# ---------------------------------------------------------------- one rule, year after year


def in_years(years=1, exit_years=1, **more):
    status = {"id": "lasting", "label": "Lasting", "years": years, "exit_years": exit_years}
    return rule(
        statuses=[
            {"id": "listed", "label": "Listed", "criteria": ["poor"], "minimum_population": 1000},
            status | {"based_on": ["listed"]},
        ],
        **more,
    )


@pytest.mark.parametrize("k", [1, 2, 3])
def test_an_area_enters_after_k_years_and_leaves_after_k(k):
    values = [10, *[50] * 5, *[10] * 5]
    found = status_history(one(*values), in_years(k, k), periods=range(2012, 2022))
    assert held(found) == [True] * 5 + [False] * 5
    # It enters in the kth year above, and has left in the kth below; of the years before the first nobody knows.
    expected = [year >= 2011 + k for year in range(2012, 2017)]
    expected += [year < 2016 + k for year in range(2017, 2022)]
    if k > 1:
        assert held(found, "lasting")[: k - 1] == [None] * (k - 1)  # it may have had it before 2011
        expected[: k - 1] = [None] * (k - 1)
    assert held(found, "lasting") == expected
    explained(found)
    if k > 1:
        assert move(found, str(2016 + k), "lasting")["reasons"] == "memory"
        assert move(found, str(2011 + k), "lasting")["reasons"] == "memory"
        assert move(found, "2017")["reasons"] == "own_change"


def test_a_year_that_is_not_known_leaves_the_years_open():
    found = status_history(one(10, 50, None, 50, 50, 50), in_years(3))
    assert held(found) == [False, True, None, True, True, True]
    assert held(found, "lasting") == [False, False, False, None, None, True]
    listed = found.table.query("status == 'listed'")
    assert listed["streak"].tolist() == [0, 1, pd.NA, pd.NA, pd.NA, pd.NA]
    assert listed["streak_least"].tolist() == [0, 1, 0, 1, 2, 3]
    assert move(found, "2013")[["move", "reasons", "open"]].tolist() == ["became_unknown", "missing_figures", "poor"]
    assert move(found, "2014")[["move", "reasons", "gained"]].tolist() == ["became_known", "missing_figures", "poor"]
    explained(found)


TWICE = [{"id": "listed", "label": "Listed", "criteria": ["poor"], "years": 2}]


def test_where_only_the_years_before_are_unknown_no_figure_is_said_to_be_missing():
    # 50 is above 40 in 2011, of which nobody knows the year before.
    own = status_history(one(50, 30), rule(statuses=TWICE))
    assert move(own, "2012")[["move", "reasons"]].tolist() == ["became_known", "own_change"]
    limits = pd.DataFrame({"reference": "national", "indicator": "poor", "period": ["2011", "2012"], "value": [20, 30]})
    limit = status_history(one(50, 50), rule(criteria=[NATIONAL], statuses=TWICE), references=limits)
    assert move(limit, "2012")[["move", "reasons"]].tolist() == ["became_known", "limit_change"]
    assert "because the limit moved" in move(limit, "2012")["sentence"]
    missing = status_history(one(50, 50, None, 50), rule(statuses=TWICE))
    assert move(missing, "2013")[["move", "reasons"]].tolist() == ["became_unknown", "missing_figures"]
    for history in (own, limit, missing):
        explained(history)


def test_a_gap_begins_anew():
    values = {"A": {2011: 10, 2012: 50, 2013: 50, 2015: 50, 2016: 50, 2017: 10}}
    found = status_history(table(values), in_years(2))
    assert held(found, "lasting") == [False, False, True, None, True, False]
    listed = found.table.query("status == 'listed'")
    assert listed["streak"].tolist() == [0, 1, 2, pd.NA, pd.NA, 0]
    assert listed["from_start"].tolist() == [False] * 6
    assert found.certificate["memory begins anew, everything open"] == "2011, 2015"
    assert move(found, "2015", "lasting")[["move", "before", "reasons"]].tolist() == [
        "became_unknown",
        "2013",
        "memory",
    ]
    explained(found)


def test_years_before_the_first_are_looked_back_at():
    found = status_history(one(50, 50, 50, 50), in_years(3), periods=[2013, 2014])
    assert held(found, "lasting") == [True, True]
    # It may have had the status in years when that could not be told.
    assert found.table.query("status == 'lasting'")["streak"].isna().all()
    assert found.table.query("status == 'lasting'")["streak_least"].tolist() == [1, 2]
    assert found.table.query("status == 'listed'")["streak"].tolist() == [3, 4]
    assert found.table.query("status == 'listed'")["from_start"].all()
    assert found.certificate["looked back at besides"] == "2011, 2012"
    # Periods that nobody asks for lie between as well.
    found = status_history(one(10, 50, 50, 50), in_years(3), periods=[2011, 2014])
    assert held(found, "lasting") == [False, True]
    assert move(found, "2014", "lasting")["reasons"] == "own_change+memory"  # from 10 to 50, and in years on end


def test_years_before_the_first_version_are_looked_back_at_under_it():
    lasting = [{"id": "listed", "label": "Lasting", "criteria": ["poor"], "years": 2}]
    later = rule(title="Late", since=dt.date(2030, 1, 1), criteria=[{**POOR, "limit": 80}])
    found = status_history(one(50, 50), [rule(since=dt.date(2012, 1, 1), statuses=lasting), later])
    assert list(found.rules) == ["2012"]
    assert held(found) == [True]


FIGURES = st.sampled_from([20, 40, 41, 60, None])
TABLES = st.lists(st.lists(FIGURES, min_size=4, max_size=4), min_size=len(AREAS), max_size=len(AREAS)).map(
    lambda rows: {area: dict(zip(YEARS, row, strict=True)) for area, row in zip(AREAS, rows, strict=True)}
)


@settings(max_examples=6)
@given(TABLES, st.integers(1, 3), st.integers(1, 3))
def test_every_period_is_what_select_says_of_it(values, years, exit_years):
    book, figures = in_years(years, exit_years), table(values)
    found = status_history(figures, book)
    for year in YEARS:
        expected = select(figures, book, period=year).statuses
        for status in expected:
            assert found.wide(status)[year].map(plain).tolist() == expected[status].map(plain).tolist()
    explained(found)


@settings(max_examples=5)
@given(TABLES, st.randoms(use_true_random=False))
def test_a_history_does_not_depend_on_the_order_of_rows(values, random):
    figures = table(values)
    order = list(figures.data.index)
    random.shuffle(order)
    shuffled = IndicatorTable(figures.data.loc[order], figures.definitions)
    first, second = (status_history(item, in_years(2, 2)) for item in (figures, shuffled))
    for name in ("table", "moves", "steps"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


# ---------------------------------------------------------------- versions


def versions():
    old = rule(title="Old", since=dt.date(2010, 1, 1), until=dt.date(2012, 11, 30), statuses=[
        {"id": "flagged", "label": "Flagged", "criteria": ["poor"]},
        {"id": "lasting", "label": "Lasting", "based_on": ["flagged"], "years": 2},
        {"id": "watched", "label": "Watched", "criteria": ["poor"]}])  # fmt: skip
    new = rule(title="New", since=dt.date(2012, 12, 1), criteria=[{**POOR, "limit": 50}], statuses=[
        {"id": "listed", "label": "Listed", "criteria": ["poor"], "continues": "flagged"},
        {"id": "lasting", "label": "Lasting", "based_on": ["listed"], "years": 3},
        {"id": "hard", "label": "Hard", "based_on": ["listed"], "years": 2}])  # fmt: skip
    return [old, new]


def test_a_status_goes_on_in_the_version_that_continues_it():
    found = status_history(one(10, 45, 60, 60), [*reversed(versions())])
    assert found.rules["2011"].title.to("en") == "Old"
    assert [found.rules[year].title.to("en") for year in ("2012", "2013")] == ["New", "New"]
    assert found.table.query("status == 'listed'")["rule_break"].tolist() == [False, True, False, False]
    # In force on the first of December 2012: 45 would have been enough in November.
    assert held(found) == [False, False, True, True]
    found = status_history(one(10, 45, 60, 60), versions(), day="11-01")
    assert held(found) == [False, True, True, True]
    # The year under the old version counts.
    assert found.table.query("status == 'listed'")["streak"].tolist() == [0, 1, 2, 3]
    assert held(found, "lasting") == [False, False, False, True]
    # A status that is new looks back, with the status that it stands on as it was.
    assert found.wide("hard").columns.tolist() == ["2013", "2014"]
    assert held(found, "hard") == [True, True]
    assert move(found, "2013", "hard")[["move", "was"]].tolist() == ["entered", False]
    # And one that is given up is left, because of the rule.
    assert move(found, "2013", "watched")[["move", "reasons"]].tolist() == ["left", "rule_change"]
    assert found.wide("watched").columns.tolist() == ["2011", "2012"]
    explained(found)


def test_years_under_the_old_version_count_though_the_new_one_is_stricter():
    lasting = {"id": "lasting", "label": "Lasting", "criteria": ["poor"], "years": 2}
    hard = {"id": "hard", "label": "Hard", "based_on": ["lasting"], "years": 2}
    old = rule(title="Old", statuses=[lasting])
    new = rule(title="New", criteria=[{**POOR, "limit": 50}], statuses=[lasting, hard])
    found = status_history(one(10, 45, 60, 60), {2011: old, 2012: old, 2013: new, 2014: new})
    assert held(found, "lasting") == [False, False, True, True]  # 45 was above the limit of its year
    assert held(found, "hard") == [False, True]
    explained(found)


def test_a_period_may_name_its_version():
    old, new = versions()
    found = status_history(one(45, 45, 45), {2011: old, 2012: new, 2013: old})
    assert held(found, "flagged") == [True, False, True]  # the old version's name, since it is the last one
    assert found.table.drop_duplicates("period")["rule_break"].tolist() == [False, True, True]
    explained(found)


@settings(max_examples=6)
@given(TABLES, st.lists(st.sampled_from([10, 20, 30]), min_size=4, max_size=4))
def test_each_step_is_what_select_says_of_a_world_like_that(values, means):
    """The steps again by plain means: tables that hold just what each step takes."""
    figures = table(values)
    references = pd.DataFrame({"reference": "national", "indicator": "poor", "period": YEARS, "value": means})
    old, new = rule(title="Old", criteria=[NATIONAL]), rule(title="New", criteria=[{**NATIONAL, "factor": 3}])
    found = status_history(figures, {2011: old, 2012: new, 2013: new, 2014: old}, references=references)
    explained(found)
    for first, second in pairwise(YEARS):
        before, after = found.rules[first], found.rules[second]
        stayed = figures.data.query("period == @first").assign(period=second)  # last year's figures in this year
        worlds = {
            "before": (figures, before, first),
            "rule": (figures, after, first),
            "limit": (IndicatorTable(stayed, DEFINITIONS), after, second),
            "own": (figures, after, second),
        }
        own = found.steps[found.steps["period"] == second].pivot(index="area_id", columns="step", values="holds")
        for step, (world, book, period) in worlds.items():
            expected = select(world, book, period=period, references=references).statuses["listed"]
            assert own.empty or own[step].map(plain).equals(expected[own.index].map(plain).rename(step))


# ---------------------------------------------------------------- reasons


def test_reasons_of_one_thing_only():
    own = status_history(one(30, 50), rule())
    assert move(own, "2012")[["move", "reasons", "criteria", "gained"]].tolist() == [
        "entered",
        "own_change",
        "poor",
        "poor",
    ]
    lower = rule(title="Lower", criteria=[{**POOR, "limit": 20}])
    changed = status_history(one(30, 30), {2011: rule(), 2012: lower})
    assert move(changed, "2012")["reasons"] == "rule_change"
    assert move(changed, "2012")["sentence"] == (
        "Listed: entered in 2012 (after 2011), because the rule changed; now met: 'Poor above 40'"
    )


def national(first, second):
    rows = [("national", "poor", year, value) for year, value in (("2011", first), ("2012", second)) if value]
    return pd.DataFrame(rows, columns=["reference", "indicator", "period", "value"])


def test_a_limit_that_moves_is_the_reason_and_not_the_area():
    moved = status_history(one(30, 30), rule(criteria=[NATIONAL]), references=national(20, 10))
    assert move(moved, "2012")["reasons"] == "limit_change"
    # The area became poorer too, and would have stayed outside but for the limit: both were needed.
    both = status_history(one(15, 30), rule(criteria=[NATIONAL]), references=national(20, 10))
    assert move(both, "2012")["reasons"] == "own_change"  # the limit alone does not bring 15 in
    missing = status_history(one(30, 30), rule(criteria=[NATIONAL]), references=national(20, None))
    assert move(missing, "2012")[["move", "reasons"]].tolist() == ["became_unknown", "missing_limit"]
    # There and back: the rule brings it in, its own figures take it out; no move, and so no reason.
    still = status_history(one(30, 5), rule(criteria=[NATIONAL]), references=national(20, 10))
    assert still.moves.empty
    explained(moved)


def test_opposite_changes_are_all_named():
    high, low = rule(criteria=[{**NATIONAL, "factor": 3}]), rule(criteria=[{**NATIONAL, "factor": 1}], title="Low")
    # New rule: 30 is above 20. New limit 35: it is not. Own figure 40: it is again.
    found = status_history(one(30, 40), {2011: high, 2012: low}, references=national(20, 35))
    assert move(found, "2012")["reasons"] == "rule_change+limit_change+own_change"
    own = found.steps.set_index("step")["holds"]
    assert own[list(STEPS)].tolist() == [False, False, True, False, True, True, True, True]


def test_residents_are_an_areas_own_figures():
    people = {("A", "2011"): 900, ("A", "2012"): 1000}
    found = status_history(table({"A": {2011: 50, 2012: 50}}, residents=people), in_years())
    assert move(found, "2012")[["reasons", "gained"]].tolist() == ["own_change", "population"]


def test_others_that_change_place_are_the_line_and_not_the_area():
    first = rule(criteria=[{"id": "top", "label": "The poorest", "indicator": "poor", "top": 1}])
    found = status_history(table({"A": {2011: 30, 2012: 30}, "B": {2011: 20, 2012: 40}}), first)
    assert move(found, "2012")[["move", "reasons"]].tolist() == ["left", "limit_change"]
    assert move(found, "2012", area="B")[["move", "reasons"]].tolist() == ["entered", "own_change"]
    explained(found)
    small = {"id": "listed", "label": "Listed", "criteria": ["top"], "minimum_population": 1000}
    people = {("A", "2011"): 900, ("A", "2012"): 1000, ("B", "2011"): 2000, ("B", "2012"): 2000}
    figures = table({"A": {2011: 30, 2012: 30}, "B": {2011: 20, 2012: 10}}, residents=people)
    found = status_history(figures, rule(criteria=first.model_dump()["criteria"], statuses=[small]))
    assert move(found, "2012")[["reasons", "gained"]].tolist() == ["own_change", "population"]
    pair = rule(statuses=[{"id": "listed", "label": "Listed", "criteria": ["poor"], "minimum_areas": 2,
                           "inside": "kommun"}])  # fmt: skip
    inside = {"kommun": pd.Series({"A": "K", "B": "K"})}
    found = status_history(table({"A": {2011: 50, 2012: 50}, "B": {2011: 20, 2012: 50}}), pair, inside=inside)
    assert move(found, "2012")[["move", "reasons"]].tolist() == ["entered", "limit_change"]
    assert move(found, "2012", area="B")[["move", "reasons"]].tolist() == ["entered", "own_change"]


@settings(max_examples=8)
@given(TABLES)
def test_moves_are_explained_where_others_decide(values):
    first = rule(criteria=[{"id": "top", "label": "The poorest", "indicator": "poor", "top": 2}])
    explained(status_history(table(values), first))


def test_a_boundary_that_changed_is_never_an_areas_own_change():
    figures = table({"A": {2011: 30, 2012: 50}, "B": {2011: 30, 2012: 50}})
    frame = pd.DataFrame({"from": ["A", "A"], "to": ["A", "C"], "share": [0.6, 0.4], "date": "2012-07-01"})
    crosswalk = as_crosswalk(frame, from_column="from", to_column="to", date_column="date")
    for changed in ({2012: ["A"]}, crosswalk):
        found = status_history(figures, rule(), changed=changed)
        assert move(found, "2012")[["reasons", "boundary_changed"]].tolist() == ["boundary_change", True]
        assert move(found, "2012", area="B")[["reasons", "boundary_changed"]].tolist() == ["own_change", False]
    # An area of which one year has no row is another area, or another boundary.
    found = status_history(table({"A": {2011: ..., 2012: 50}, "B": {2011: 30, 2012: 30}}), rule())
    assert move(found, "2012")[["move", "reasons"]].tolist() == ["became_known", "boundary_change"]
    earlier = status_history(figures, rule(), changed={2011: ["A"]})
    assert move(earlier, "2012")["reasons"] == "own_change"


@settings(max_examples=8)
@given(TABLES)
def test_no_own_change_where_boundaries_changed(values):
    found = status_history(table(values), in_years(2), changed=dict.fromkeys(YEARS, AREAS))
    assert not found.moves["reasons"].str.contains("own_change|missing_figures").any()
    explained(found)


def test_a_published_list_goes_before_figures_and_says_so():
    earlier = as_earlier({2012: ["A"]}, "listed")
    found = status_history(one(30, 30, 30), rule(), earlier=earlier)
    assert held(found) == [False, True, False]
    assert move(found, "2012")["reasons"] == move(found, "2013")["reasons"] == "published"
    assert found.certificate["published results"] == "2012"
    # Where figures say the same as the list, they are the reason.
    found = status_history(one(30, 50, 50), rule(), earlier=earlier)
    assert move(found, "2012")["reasons"] == "own_change"
    explained(found)
    found = status_history(one(50, 30), rule(), earlier=as_earlier({2011: ["A"]}, "listed"))
    assert move(found, "2012")[["move", "reasons"]].tolist() == ["left", "own_change"]


def test_lists_alone_are_put_in_before_the_years():
    earlier = as_earlier({2011: [], 2012: ["A"], 2013: ["A"], 2014: []}, "listed", ["A"])
    found = status_history(None, in_years(2), earlier=earlier)
    assert found.moves[["period", "status", "move", "reasons"]].to_numpy().tolist() == [
        ["2012", "listed", "entered", "published"],
        ["2013", "lasting", "entered", "memory"],
        ["2014", "listed", "left", "published"],
        ["2014", "lasting", "left", "published"],
    ]
    own = found.steps.query("period == '2014' and status == 'lasting'")["holds"].tolist()
    assert own == [True, True, True, True, True, False, False, False]
    explained(found)


def test_a_list_of_those_that_last_is_not_the_years_that_count():
    # On the first list since 2011, on the second from 2013 on. Its years are those of the first.
    listed = as_earlier({2010: [], 2011: ["A"], 2012: ["A"], 2013: ["A"]}, "listed")
    lasting = as_earlier({2011: [], 2012: []}, "lasting", ["A"])
    found = status_history(None, in_years(3), earlier=pd.concat([listed, lasting]))
    assert held(found, "lasting") == [False, False, False, True]
    # Who is on the second list has been on the first for as long as it takes.
    later = as_earlier({2012: ["A"]}, "lasting")
    found = status_history(one(None, None, 50, first=2011), in_years(3), earlier=later)
    assert held(found, "lasting") == [None, True, True]


# ---------------------------------------------------------------- in words


def test_lines_say_what_happened():
    found = status_history(one(10, 50, 50, 10), in_years(2))
    assert found.lines(names={"A": "Ash"}) == [
        "Listed, areas: 2011 0, 2012 1, 2013 1, 2014 0",
        "Lasting, areas: 2011 0, 2012 0, 2013 1, 2014 0",
        "Listed, 2012: entered, because its own figures changed: 'Ash'",
        "Listed, 2014: left, because its own figures changed: 'Ash'",
    ]
    assert found.lines(status="lasting")[2] == "Lasting, 2013: entered, because the years before count: 'A'"
    assert found.explain("A") == [
        "Listed: 2012, 2013",
        "Lasting: 2013",
        "Listed: entered in 2012 (after 2011), because its own figures changed; now met: 'Poor above 40'",
        "Lasting: entered in 2013 (after 2012), because the years before count",
        "Listed: left in 2014 (after 2013), because its own figures changed; not met now: 'Poor above 40'",
        "Lasting: left in 2014 (after 2013), because its own figures changed; not met now: 'Poor above 40'",
    ]
    for ask in (lambda: found.lines(status="none"), lambda: found.explain("Z"), lambda: found.wide(column="rule")):
        with pytest.raises(SpecError):
            ask()


def test_a_criterion_that_was_not_known_is_not_said_to_be_met_no_longer():
    found = status_history(one(50, None, 10), in_years())
    assert found.explain("A")[-2] == (
        "Listed: can be told in 2013 (after 2012): no, because figures are missing in one of the years; "
        "not met now: 'Poor above 40'"
    )


def test_labels_follow_the_language():
    earlier = as_earlier({2018: ["A"], 2019: []}, "listed", ["A"])
    found = status_history(None, "dk_2018", earlier=earlier)
    label = rule_book("dk_2018").status("listed").label
    assert label.sv != label.en
    assert any(line.startswith(f"{label.sv}, areas:") for line in found.lines(language="sv"))


# ---------------------------------------------------------------- what is refused


def test_the_versions_of_a_family_follow_each_other_by_date():
    lists = as_earlier({year: ["A"] for year in (2010, 2011, 2013, 2014, 2017, 2018, 2020, 2021)}, "listed")
    found = status_history(None, "dk_social_housing", earlier=lists)
    names = {"dk_2010": "2011 2013", "dk_2014": "2014 2017", "dk_2018": "2018 2020", "dk_2021": "2021"}
    for name, years in names.items():
        assert all(found.rules[year] == rule_book(name) for year in years.split())
    assert "2010" not in found.rules  # the first act is of 22 December


@pytest.mark.parametrize(
    ("rules", "options", "fault"),
    [
        ("dk_social_houses", {}, "no rule book or family is called 'dk_social_houses'"),
        ([], {}, "there is no rule to apply"),
        ({2011: "se_2012", 2015: "se_2012"}, {}, "no period of the table or of earlier results is called '2015'"),
        (rule(), {"periods": [2011, 1999]}, "no period of the table or of earlier results is called '1999'"),
        (rule(), {"day": "02-30"}, "'02-30' is no day of every year"),
        (versions(), {"day": "12-01", "periods": []}, "no version of the rule is in force"),
        ([rule(since=dt.date(2011, 1, 1)), rule(title="Twin")], {}, "more than one version is in force"),
        ([rule(since=dt.date(2012, 1, 1)), rule(title="Late", since=dt.date(2030, 1, 1))],
         {"periods": [2011]}, "no version of the rule is named, or in force, for 2011"),
        (rule(), {"references": {"nationwide": {"poor": 2}}}, "no reference that the rule asks for"),
        (rule(), {"indicators": {"por": "poor"}}, "no indicator of the rule is called 'por'"),
        (rule(), {"changed": {2012: ["Z"]}}, "no area is called 'Z'"),
        (rule(), {"changed": pd.DataFrame({"from_id": ["A"], "to_id": ["B"]})}, "no column 'date'"),
        (rule(), {"changed": pd.DataFrame({"from_id": ["A"], "to_id": ["B"], "date": [pd.NaT]})}, "without a date: 1"),
        (rule(), {"earlier": as_earlier({2012: ["A"]}, "lsted")}, "no status of the rule is called 'lsted'"),
        (rule(), {"earlier": as_earlier({2012: ["Z"]}, "listed"), "area_ids": ["A"]}, "none of the areas in earlier"),
        (rule(), {"earlier": pd.DataFrame({"area_id": ["A"], "period": [2012]})}, "no column 'holds'"),
        (rule(), {"earlier": as_earlier({"2012K1": ["A"]}, "listed")}, "periods that are no years: '2012K1'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(rules, options, fault):
    with pytest.raises(SpecError, match=fault):
        status_history(one(10, 50), rules, **options)


def test_a_history_of_nothing_is_refused():
    with pytest.raises(SpecError, match="neither a table nor published results"):
        status_history(None, "dk_2018")


def test_select_refuses_earlier_results_that_fit_nothing():
    with pytest.raises(SpecError, match="no status of the rule is called 'lsted'"):
        select(one(10, 50), in_years(2), period=2012, earlier=as_earlier({2011: ["A"]}, "lsted"))
    with pytest.raises(SpecError, match="none of the areas in earlier results is judged"):
        select(one(10, 50), in_years(2), period=2012, earlier=as_earlier({2011: ["Z"]}, "listed"))


def test_each_version_takes_what_it_asks_for():
    book = rule(criteria=[NATIONAL], title="National")
    idle = rule(criteria=[IDLE], title="Idle")
    figures = table({"A": {2011: 30, 2012: 50}})
    both = pd.concat([figures.data, table({"A": {2011: 30, 2012: 50}}, indicator="idle").data.query(
        "indicator == 'idle'").assign(indicator="out_of_work")])  # fmt: skip
    definitions = DEFINITIONS | {"out_of_work": DEFINITIONS["idle"].model_copy(update={"id": "out_of_work"})}
    found = status_history(
        IndicatorTable(both, definitions),
        {2011: book, 2012: idle},
        references={"national": {"poor": 20.0}},
        indicators={"idle": "out_of_work"},
    )
    assert held(found) == [False, True]
    assert move(found, "2012")["gained"] == "idle"


def test_what_only_a_version_of_other_years_asks_for_may_be_handed_in():
    dated = [rule(title="Old", until=dt.date(2012, 12, 31)), rule(title="New", since=dt.date(2013, 1, 1),
                                                                   criteria=[NATIONAL])]  # fmt: skip
    found = status_history(one(10, 50), dated, references={"national": {"poor": 20.0}})
    assert held(found) == [False, True]
