"""Grants: to the krona, never less for an improvement, and worked by hand."""

from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from pydantic import TypeAdapter, ValidationError

from geoplan.errors import IdError, InputError, SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.places.indicators import COLUMNS
from geoplan.specs import IndicatorSpec
from geoplan.specs.grants import GrantSpec, NeedGrantSpec, PerformanceGrantSpec
from geoplan.targeting.amounts import exact, kronor, largest_remainder
from geoplan.targeting.by_need import grants_by_need
from geoplan.targeting.chance import grant_noise
from geoplan.targeting.grants import compare_grants, grants_by_performance, grants_if, roll_up_grants, split

FIFTEEN = [f"D{number:02}" for number in range(1, 16)]


def item(name, direction="higher_is_worse", kind="share", unit="pct", **more):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction, **more)


WORK, WELFARE = item("work", "higher_is_better"), item("welfare")
REFUGEES = item("refugees", "neutral", "rate", "per_1000")
RESIDENTS = item("population", "neutral", "count", "persons")
ALL = {each.id: each for each in (WORK, WELFARE, REFUGEES, RESIDENTS)}


def table_of(*rows, definitions=ALL):
    """Rows: area, indicator, period, then value, or cases and base, or a status."""
    made = []
    for area, name, period, *rest in rows:
        if isinstance(rest[0], str):
            made.append((area, name, period, np.nan, np.nan, np.nan, rest[0]))
        elif len(rest) == 2:
            scale = 100.0 if definitions[name].unit == "pct" else 1.0
            made.append((area, name, period, *map(float, rest), scale * rest[0] / rest[1], "observed"))
        else:
            made.append((area, name, period, np.nan, np.nan, float(rest[0]), "observed"))
    return IndicatorTable(pd.DataFrame(made, columns=COLUMNS), definitions)


def two_years(first, last, name="work", start="A"):
    """Levels of one indicator in 2011 and 2012, for areas A, B, C …"""
    codes = [chr(ord(start) + number) for number in range(len(first))]
    both = zip(("2011", "2012"), (first, last), strict=True)
    return [(code, name, year, value) for year, values in both for code, value in zip(codes, values, strict=True)]


def rule(*indicators, **more):
    asked = {"kind": "performance", "envelope": 1000, "guaranteed": 0.1, "lag": 1} | more
    return PerformanceGrantSpec(indicators=[{"indicator": name} for name in indicators or ["work"]], **asked)


def need_rule(**more):
    return NeedGrantSpec(**({"kind": "need", "envelope": 1000, "measure": "need_count"} | more))


def paid(grants):
    return grants.table["payment"].to_dict()


# ---------------------------------------------------------------- amounts and the largest remainder


@pytest.mark.parametrize(
    ("amount", "unit", "kr"),
    [
        (99, "Mkr", 99_000_000),
        (6.6, "Mkr", 6_600_000),
        ("0.000001", "Mkr", 1),
        (0.1 + 0.2 - 0.3 == 0, "kr", None),  # a truth value is no amount
        (1234.567, "tkr", 1_234_567),
        (4.35, "tkr", 4_350),  # as a binary fraction 4349.999…
        (np.float64(2.3), "tkr", 2_300),
        (np.int64(7), "mnkr", 7_000_000),
    ],
)
def test_units_of_money_are_exact(amount, unit, kr):
    if kr is None:
        with pytest.raises(TableError, match="'False' is not an amount of money"):
            kronor(amount, unit)
    else:
        assert kronor(amount, unit) == kr


@pytest.mark.parametrize(
    ("amount", "unit", "error", "words"),
    [
        (1, "tkkr", SpecError, r"no unit of money is called 'tkkr'\. Hint: did you mean 'tkr'\?"),
        (1, "pct", SpecError, "no unit of money is called 'pct'"),
        ("much", "kr", TableError, "'much' is not an amount of money"),
        (float("nan"), "kr", TableError, "'nan' is not an amount of money"),
        ("inf", "kr", TableError, "'inf' is not an amount of money"),
        (0.0005, "tkr", TableError, r"0.0005 tkr is no whole number of kronor\. Expected: no parts of a krona"),
    ],
)
def test_amounts_that_are_none(amount, unit, error, words):
    with pytest.raises(error, match=words):
        kronor(amount, unit)


def test_largest_remainder_by_hand():
    # Of 10: 4.1, 2.95, 2.95. Floors 4, 2, 2; two are left, for the two remainders of 0.95.
    assert largest_remainder({"a": 41, "b": 29.5, "c": 29.5}, 10).to_dict() == {"a": 4, "b": 3, "c": 3}
    # Three remainders of a third and one krona left: the first code.
    assert largest_remainder({"c": 1, "b": 1, "a": 1}, 100).to_dict() == {"c": 33, "b": 33, "a": 34}
    assert largest_remainder({"a": 0.1, "b": 0.2}, 3).to_dict() == {"a": 1, "b": 2}  # a tenth is a tenth
    assert largest_remainder({"a": 0, "b": 2}, 0).to_dict() == {"a": 0, "b": 0}


def test_largest_remainder_says_all_that_is_wrong_at_once():
    shares = pd.Series([1.0, -2.0, np.nan], index=["a", "b", "b"])
    with pytest.raises(InputError) as caught:
        largest_remainder(shares, 1.5)
    text = str(caught.value)
    for words in (
        "1.5 is no total",
        "1 area code(s) occur more than once: 'b'",
        "area 'b': -2.0 is no share",
        "nan is no share",
    ):
        assert words in text
    with pytest.raises(SpecError, match="there is nothing to divide by"):
        largest_remainder({"a": 0}, 5)
    with pytest.raises(SpecError, match="-1 is no total"):
        largest_remainder({"a": 1}, -1)


SHARES = st.lists(
    st.one_of(st.integers(0, 50), st.integers(0, 10**9), st.floats(0, 1e6, allow_nan=False)), min_size=1, max_size=20
)


@settings(max_examples=200)
@given(SHARES, st.integers(0, 10**11), st.randoms(use_true_random=False), st.integers(1, 10**6))
def test_largest_remainder_is_exact_fair_and_blind_to_order_and_unit(values, total, random, times):
    assume(any(values))
    shares = {f"a{number}": value for number, value in enumerate(values)}
    parts = largest_remainder(shares, total)
    assert parts.sum() == total
    size = sum((exact(value) for value in values), Fraction(0))
    for code, part in parts.items():
        assert abs(part - exact(shares[code]) * total / size) < 1
    codes = list(shares)
    random.shuffle(codes)
    shuffled = {code: exact(shares[code]) * times for code in codes}
    assert largest_remainder(shuffled, total).to_dict() == parts.to_dict()


@settings(max_examples=250)
@given(SHARES, st.integers(0, 200), st.data())
def test_a_share_that_grows_alone_never_gets_less(values, total, data):
    assume(any(values))
    shares = {f"a{number}": exact(value) for number, value in enumerate(values)}
    before = largest_remainder(shares, total)
    who = data.draw(st.sampled_from(sorted(shares)))
    more = data.draw(st.one_of(st.integers(1, 50), st.fractions(Fraction(1, 10**6), 50)))
    after = largest_remainder(shares | {who: shares[who] + more}, total)
    assert after[who] >= before[who]
    # Nor does one with a larger share get less than one with a smaller.
    for one, other in product(shares, shares):
        assert shares[one] <= shares[other] or before[one] >= before[other]


def test_a_share_that_grows_alone_never_gets_less_in_all_small_cases():
    seen = 0
    for size, total in product((2, 3, 4), range(1, 8)):
        for values in product(range(6 if size < 4 else 4), repeat=size):
            if not any(values):
                continue
            before = largest_remainder(dict(enumerate(values)), total)[0]
            after = largest_remainder(dict(enumerate((values[0] + 1, *values[1:]))), total)[0]
            assert after >= before, (values, total)
            seen += 1
    assert seen > 3000


def test_the_paradox_of_several_shares_is_there_so_that_the_claim_is_not_too_wide():
    # Hamilton's: b grows by more than a, and a loses a seat all the same when c shrinks.
    found = False
    for a, b, c in product(range(1, 40), repeat=3):
        one = largest_remainder({"a": a, "b": b, "c": c}, 10)["a"]
        two = largest_remainder({"a": a + 1, "b": b + 30, "c": c}, 10)["a"]
        found = found or two < one
        if found:
            break
    assert found


# ---------------------------------------------------------------- by need


def test_by_need_worked_by_hand():
    # Needs 150 × 4,000 = 600,000; 120 × 1,000 = 120,000; 200 × 400 is too small; 99 is below the threshold.
    spec = NeedGrantSpec(kind="need", envelope=72, unit="tkr", threshold=100, minimum_population=1000)
    need = pd.Series({"a": 150.0, "b": 120.0, "c": 99.0, "d": 200.0, "e": np.nan})
    people = pd.Series({"a": 4000, "b": 1000, "c": 9000, "d": 400, "e": 5000, "other": 1})
    grants = grants_by_need(need, spec, population=people)
    assert paid(grants) == {"a": 60_000, "b": 12_000, "c": 0, "d": 0, "e": 0}
    assert grants.table["per_resident"].to_dict() == {"a": 15.0, "b": 12.0, "c": 0.0, "d": 0.0, "e": 0.0}
    assert grants.lines(names={"a": "Alby"}) == [
        "72,000 kr divided by need (index × residents) between 2 areas.",
        "Most: Alby, 60,000 kr; least: b, 12,000 kr; mean 36,000 kr.",
        "c gets nothing: the index of 99 is below the threshold of 100.",
        "d gets nothing: 400 residents are fewer than 1,000.",
        "e gets nothing: there is no index.",
    ]
    assert grants.conventions["threshold"] == "100; an area at it is paid"


def test_water_filling_by_hand():
    # 1000 over needs 70, 20, 9, 1: 700, 200, 90, 10. The cap of 400 leaves over 300, the floor of 50 lacks 40: the cap
    # first. 600 over 20, 9, 1: 400, 180, 20; the floor lacks 30, nothing is over 400: d gets 50. 550 over 20 and 9:
    # 379.3 and 170.7.
    need = pd.Series({"a": 70, "b": 20, "c": 9, "d": 1})
    grants = grants_by_need(need, need_rule(floor=50, cap=400))
    assert paid(grants) == {"a": 400, "b": 379, "c": 171, "d": 50}
    assert grants.table["bound"].to_dict() == {"a": "cap", "b": "", "c": "", "d": "floor"}
    assert "At the cap: 'a'." in grants.lines()
    own = grants_by_need(need, need_rule(), floors=pd.Series({"d": 300}), caps=pd.Series({"a": 100}))
    assert paid(own)["d"] == 300
    assert paid(own)["a"] == 100
    assert "own ones" in own.conventions["bounds"]


def test_no_need_without_a_floor_is_not_at_the_floor():
    grants = grants_by_need(pd.Series({"a": 5, "b": 0}), need_rule())
    assert paid(grants) == {"a": 1000, "b": 0}
    assert grants.table["bound"].tolist() == ["", ""]
    assert grants_by_need(pd.Series({"a": 5, "b": 0}), need_rule(floor=9)).table["bound"].tolist() == ["", "floor"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"floor": 400}, "the floors of 3 areas add up to 1,200 kr, 200 kr more than the envelope of 1,000 kr"),
        ({"floor": 400}, "Hint: a floor of at most 333 kr for each"),
        ({"cap": 300}, "the caps of 3 areas take up 900 kr; of the envelope of 1,000 kr 100 kr would be left over"),
        ({"cap": 300}, "Hint: a cap of at least 334 kr for each"),
        ({"floor": 500, "cap": 400}, r"area 'a': the floor of 500 kr is above the cap of 400 kr"),
        ({"threshold": 90}, r"no area is left that has a need \('a: the number in need of 5 is below"),
        ({"minimum_population": 5}, "there is no population"),
        ({"measure": "index_times_population"}, "there is no population"),
    ],
)
def test_need_rules_that_cannot_hold(asked, words):
    with pytest.raises(SpecError, match=words):
        grants_by_need(pd.Series({"a": 5, "b": 7, "c": 9}), need_rule(**asked))


def test_by_need_says_all_that_is_wrong_at_once():
    need = pd.Series([5.0, -7.0], index=["a", "a"])
    with pytest.raises(InputError) as caught:
        grants_by_need(need, need_rule(), floors=pd.Series({"zz": 4}), caps=pd.Series({"a": -1}))
    for words in ("'a'", "-7 is negative", "use one from 0 upwards", "among the areas: 'zz'", "key 'caps', area 'a'"):
        assert words in str(caught.value)
    with pytest.raises(SpecError, match=r"area 'b': 'inf' is not a number\. Expected: a number from 0, or none"):
        grants_by_need(pd.Series({"a": 5, "b": np.inf}), need_rule())
    with pytest.raises(IdError, match="none of the 1 area codes"):
        grants_by_need(pd.Series({"a": 5}), need_rule(), population=pd.Series({"01": 5}))
    with pytest.raises(TableError, match=r"key 'floor': 0\.5 kr is no whole number of kronor"):
        grants_by_need(pd.Series({"a": 5}), need_rule(floor=0.5))
    with pytest.raises(TableError, match=r"key 'floors', area 'a': 0\.5 kr is no whole"):
        grants_by_need(pd.Series({"a": 5}), need_rule(), floors=pd.Series({"a": 0.5}))
    with pytest.raises(SpecError, match="all needs are zero"):
        grants_by_need(pd.Series({"a": 0}), need_rule())
    missing = grants_by_need(
        pd.Series({"a": 5, "b": 1}), need_rule(minimum_population=3), population=pd.Series({"a": 4})
    )
    assert missing.table["reason"]["b"] == "there is no population"


@st.composite
def bounded_needs(draw):
    needs = draw(st.lists(st.integers(0, 40), min_size=2, max_size=8))
    assume(any(needs))
    envelope = draw(st.integers(len(needs), 3000))
    positive = sum(need > 0 for need in needs)
    floor = draw(st.integers(0, envelope // len(needs)))
    most = -(-(envelope - floor * (len(needs) - positive)) // positive)
    cap = draw(st.one_of(st.none(), st.integers(max(most, floor, 1), envelope + 5)))
    return needs, need_rule(envelope=envelope, floor=floor, **({} if cap is None else {"cap": cap}))


@settings(max_examples=100)
@given(bounded_needs(), st.data())
def test_by_need_keeps_bounds_and_envelope_and_rewards_no_smaller_need(made, data):
    needs, spec = made
    need = pd.Series(needs, index=[f"a{number}" for number in range(len(needs))])
    grants = grants_by_need(need, spec)
    payment = grants.table["payment"]
    assert payment.sum() == spec.envelope
    assert (payment >= spec.floor).all()
    assert spec.cap is None or (payment <= spec.cap).all()
    assert paid(grants_by_need(need[::-1], spec)) == paid(grants)
    assert paid(grants_by_need(need / 1000, spec)) == paid(grants)
    # Between bounds the payments are as the needs are, to the krona.
    free = grants.table[(grants.table["bound"] == "") & (need > 0)]
    if len(free) > 1:
        size = free["payment"].sum() / free["need"].sum()
        assert ((free["payment"] - free["need"] * size).abs() < 1 + 1e-6).all()
    who = data.draw(st.sampled_from(list(need.index)))
    more = grants_by_need(
        need + pd.Series({who: data.draw(st.integers(1, 20))}).reindex(need.index, fill_value=0), spec
    )
    assert paid(more)[who] >= paid(grants)[who]


@settings(max_examples=100)
@given(bounded_needs())
def test_water_filling_finds_what_bisection_finds(made):
    needs, spec = made
    payment = grants_by_need(pd.Series(needs, index=[f"a{number}" for number in range(len(needs))]), spec).table[
        "payment"
    ]
    weights, cap = np.array(needs, dtype=float), np.inf if spec.cap is None else spec.cap
    # Whoever needs nothing gets the floor; for the others the level is where the sum reaches the envelope.
    caps = np.where(weights > 0, cap, spec.floor)
    low, high = 0.0, float(spec.envelope) + 1
    for _ in range(200):
        level = (low + high) / 2
        low, high = (level, high) if np.clip(level * weights, spec.floor, caps).sum() < spec.envelope else (low, level)
    assert np.abs(np.clip(high * weights, spec.floor, caps) - payment.to_numpy()).max() < 1 + 1e-6


# ---------------------------------------------------------------- by performance


def test_by_performance_worked_by_hand():
    # 1000: 100 guaranteed, 34 + 33 + 33. Beyond: 900. In work: +2, +1, −3 points: 600, 300, 0.
    table = table_of(*two_years([50, 60, 70], [52, 61, 67]))
    grants = grants_by_performance(table, rule(), payment_year=2013)
    assert grants.table[["guaranteed", "performance", "payment"]].to_numpy().tolist() == [
        [34, 600, 634],
        [33, 300, 333],
        [33, 0, 33],
    ]
    assert grants.parts["change"].tolist() == [2.0, 1.0, -3.0]
    assert grants.periods == ("2011", "2012")
    assert grants.pots.loc["work", ["pot", "improved", "worse_or_same", "missing"]].tolist() == [900, 2, 1, 0]
    assert grants.lines(names={"A": "Araby"}) == [
        "1,000 kr for 2013, by what changed from 2011 to 2012 in 3 areas.",
        "100 kr of it is divided equally: every area gets at least 33 kr.",
        "work: 900 kr; 2 of 3 areas improved.",
        "Most: Araby, 634 kr; least: C, 33 kr; mean 333 kr.",
    ]


def test_each_indicator_has_its_own_share_and_its_own_direction():
    # 900 beyond: 2:1 → 600 for work, 300 for welfare, where less is better: A 1 point better, B worse.
    rows = two_years([50, 50], [50, 51]) + two_years([10, 10], [9, 12], "welfare")
    spec = PerformanceGrantSpec.model_validate(
        rule().model_dump() | {"indicators": [{"indicator": "work", "weight": 2}, {"indicator": "welfare"}]}
    )
    grants = grants_by_performance(table_of(*rows), spec, payment_year=2013)
    assert paid(grants) == {"A": 50 + 300, "B": 50 + 600}
    assert grants.conventions["weights"] == "work 2, welfare 1 (sum 3)"


def test_measures_by_hand():
    rows = [("A", "work", "2011", 100, 1000), ("A", "work", "2012", 120, 1000)]  # 10 → 12 %
    rows += [("B", "work", "2011", 1000, 2000), ("B", "work", "2012", 1080, 2000)]  # 50 → 54 %
    table = table_of(*rows)
    for measure, changes, payments in (
        ("points", [2, 4], {"A": 50 + 300, "B": 50 + 600}),
        ("relative", [0.2, 0.08], {"A": 50 + 643, "B": 50 + 257}),  # 900 × 0.2/0.28 = 642.86
        ("persons", [20, 80], {"A": 50 + 180, "B": 50 + 720}),
    ):
        grants = grants_by_performance(table, rule(measure=measure), payment_year=2013)
        assert grants.parts["change"].tolist() == pytest.approx(changes)
        assert paid(grants) == payments


def test_the_context_counts_an_improvement_for_more():
    # Refugees 0, 6, 12 per 1,000, mean 6. k = 0.5: factors 1, 1.5, 2. All improve by 1: 900 over 4.5: 200, 300, 400.
    rows = [(code, "refugees", "2012", value) for code, value in (("A", 0), ("B", 6), ("C", 12))]
    table = table_of(*two_years([50, 50, 50], [51, 51, 51]), *rows)
    spec = rule(context={"indicator": "refugees", "strength": 0.5})
    grants = grants_by_performance(table, spec, payment_year=2013)
    assert grants.table["factor"].tolist() == [1, 1.5, 2]
    assert grants.table["performance"].tolist() == [200, 300, 400]
    told = "Context: factor 1 + 0.5 × refugees / its mean over the areas, in 2012 (the authority has not published"
    assert any(line.startswith(told) for line in grants.lines())
    none = table_of(*two_years([50], [51]), ("A", "refugees", "2012", 0))
    assert grants_by_performance(none, spec, payment_year=2013).table["factor"].tolist() == [1]


def test_a_missing_figure_is_listed_and_never_a_change_of_zero():
    rows = [*two_years([50, 50], [51, 52]), ("C", "work", "2011", 50), ("C", "work", "2012", "suppressed")]
    rows += [("D", "work", "2011", "not_collected"), ("E", "work", "2012", 50), ("D", "population", "2012", 900)]
    grants = grants_by_performance(table_of(*rows), rule(), payment_year=2013)
    assert paid(grants) == {"A": 320, "B": 620, "C": 20, "D": 20, "E": 20}
    assert grants.table["missing"].tolist() == [0, 0, 1, 1, 1]
    assert grants.parts["change"].isna().tolist() == [False, False, True, True, True]
    assert grants.lines()[-3:] == [
        "C gets nothing for work: suppressed in 2012.",
        "D gets nothing for work: not_collected in 2011; not in the table in 2012.",
        "E gets nothing for work: not in the table in 2011.",
    ]
    assert "work: 900 kr; 2 of 5 areas improved, 3 without a known change." in grants.lines()


def test_reasons_for_which_there_is_no_change():
    rows = two_years([0, 10], [5, 11])
    grants = grants_by_performance(table_of(*rows), rule(measure="relative"), payment_year=2013)
    assert grants.parts["reason"].tolist() == ["0 in 2011: no relative change", ""]
    grants = grants_by_performance(table_of(*rows), rule(measure="persons"), payment_year=2013)
    assert grants.parts["reason"].tolist() == ["no base in 2011"] * 2
    assert "A gets its equal part only for work: no base in 2011." in grants.lines()
    broken = table_of(*rows, definitions={"work": item("work", "higher_is_better", breaks=[2012])})
    grants = grants_by_performance(broken, rule(), payment_year=2013)
    assert grants.parts["reason"].tolist() == ["the series has a break in 2012"] * 2


def test_a_pot_in_which_nobody_improved_is_divided_equally():
    grants = grants_by_performance(table_of(*two_years([50, 50], [50, 49])), rule(), payment_year=2013)
    assert paid(grants) == {"A": 500, "B": 500}
    assert "work: 900 kr; 0 of 2 areas improved, so that it is divided equally." in grants.lines()


def test_the_payment_lags_the_data():
    rows = [*two_years([50, 50], [52, 50]), ("A", "work", "2013", 40), ("B", "work", "2013", 60)]
    table = table_of(*rows)
    assert paid(grants_by_performance(table, rule(lag=2), payment_year=2014)) == {"A": 950, "B": 50}
    assert paid(grants_by_performance(table, rule(lag=1), payment_year=2014)) == {"A": 50, "B": 950}
    words = (
        r"key 'payment_year': the table has no figures of 2014\. Expected: figures of 2013 and 2014; there are those"
    )
    with pytest.raises(SpecError, match=words):
        grants_by_performance(table, rule(lag=1), payment_year=2015)


def test_99_mkr_to_15_areas():
    rng = np.random.default_rng(1)
    base = rng.integers(4000, 9000, 15)
    rows = []
    for name, level in (("work", 0.48), ("welfare", 0.08)):
        for year in ("2011", "2012"):
            rows += [
                (code, name, year, int(rng.binomial(people, level)), int(people))
                for code, people in zip(FIFTEEN, base, strict=True)
            ]
    spec = rule("work", "welfare", envelope=99, unit="Mkr", guaranteed=0.2)
    grants = grants_by_performance(table_of(*rows), spec, payment_year=2013, area_ids=FIFTEEN[::-1])
    assert grants.table["payment"].sum() == 99_000_000
    assert grants.table["payment"].mean() == 6_600_000
    assert grants.table["guaranteed"].tolist() == [1_320_000] * 15
    same = rule("work", "welfare", envelope=99_000, unit="tkr", guaranteed=0.2)
    assert paid(grants_by_performance(table_of(*rows[::-1]), same, payment_year=2013)) == paid(grants)


# Small numbers, so that ties, pots without improvement and remainders come often.
LEVELS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=7)


def levels_table(work, welfare, scale=100, unit="pct", base=100):
    rows = []
    for name, pairs in (("work", work), ("welfare", welfare)):
        for number, pair in enumerate(pairs):
            for year, cases in zip(("2011", "2012"), pair, strict=True):
                rows.append((f"a{number}", name, year, float(cases), base + number, scale * cases / (base + number)))
    frame = pd.DataFrame(rows, columns=COLUMNS[:-1]).assign(status="observed")
    return IndicatorTable(
        frame, {"work": item("work", "higher_is_better", unit=unit), "welfare": item("welfare", unit=unit)}
    )


@settings(max_examples=60)
@given(
    LEVELS,
    st.integers(20, 400),
    st.sampled_from(["points", "relative", "persons"]),
    st.fractions(Fraction(1, 2), 1),
    st.data(),
)
def test_performance_is_exact_positive_blind_to_order_and_unit_and_never_less_for_better(
    work, envelope, measure, part, data
):
    welfare = data.draw(
        st.lists(st.sampled_from([(5, 3), (4, 4), (3, 9), (9, 1)]), min_size=len(work), max_size=len(work))
    )
    spec = rule("work", "welfare", envelope=envelope, guaranteed=float(part), measure=measure)
    table = levels_table(work, welfare)
    grants = grants_by_performance(table, spec, payment_year=2013)
    payment = paid(grants)
    assert sum(payment.values()) == envelope
    assert min(payment.values()) > 0
    assert grants.parts["payment"].sum() + grants.table["guaranteed"].sum() == envelope

    shuffled = IndicatorTable(table.data.sample(frac=1, random_state=envelope), table.definitions)
    backwards = PerformanceGrantSpec.model_validate(
        spec.model_dump() | {"indicators": [each.model_dump() for each in spec.indicators[::-1]]}
    )
    assert paid(grants_by_performance(shuffled, backwards, payment_year=2013)) == payment
    per_mille = levels_table(work, welfare, scale=1000, unit="per_mille")
    assert paid(grants_by_performance(per_mille, spec, payment_year=2013)) == payment
    in_tkr = PerformanceGrantSpec.model_validate(spec.model_dump() | {"envelope": envelope / 1000, "unit": "tkr"})
    assert paid(grants_by_performance(table, in_tkr, payment_year=2013)) == payment

    who = data.draw(st.integers(0, len(work) - 1))
    better = data.draw(st.integers(work[who][1], 30))
    work = [*work[:who], (work[who][0], better), *work[who + 1 :]]
    assert (
        paid(grants_by_performance(levels_table(work, welfare), spec, payment_year=2013))[f"a{who}"]
        >= payment[f"a{who}"]
    )


POINTS = st.lists(
    st.one_of(st.just(Fraction(0)), st.integers(1, 9).map(Fraction), st.fractions(0, 9)), min_size=2, max_size=8
)


@settings(max_examples=250)
@given(POINTS, st.integers(1, 60), st.integers(1, 60), st.data())
def test_nobody_gets_less_for_being_better_whatever_is_rounded(points, pot, other, data):
    codes = [f"a{number}" for number in range(len(points))]
    others = data.draw(
        st.lists(st.sampled_from([0, 1, 1, 2, 5]).map(Fraction), min_size=len(codes), max_size=len(codes))
    )
    sure = data.draw(st.integers(len(codes), 40))

    def payment():
        counts = {"work": dict(zip(codes, points, strict=True)), "welfare": dict(zip(codes, others, strict=True))}
        guaranteed, parts = split(counts, {"work": pot, "welfare": other}, sure)
        return {code: guaranteed[code] + parts["work"][code] + parts["welfare"][code] for code in codes}

    who = data.draw(st.integers(0, len(codes) - 1))
    last = payment()
    for step in data.draw(st.lists(st.sampled_from([Fraction(1, 97), Fraction(1, 3), 1, 7]), min_size=3, max_size=8)):
        points[who] += step
        now = payment()
        assert sum(now.values()) == pot + other + sure
        assert min(now.values()) > 0
        assert now[codes[who]] >= last[codes[who]]
        last = now
    for one, two in product(range(len(codes)), repeat=2):
        if (
            points[one] >= points[two]
            and others[one] >= others[two]
            and (points[one], others[one]) != (points[two], others[two])
        ):
            assert last[codes[one]] >= last[codes[two]]


def test_nobody_gets_less_for_being_better_in_all_small_cases():
    seen = 0
    for points in product(range(5), repeat=3):
        for sure, pot in product((3, 4, 5), range(9)):
            now = [
                split(
                    {
                        "work": {"a": Fraction(1), "b": Fraction(points[1]), "c": Fraction(points[2])}
                        | {who: Fraction(points[0] + more)}
                    },
                    {"work": pot},
                    sure,
                )
                for who in ("a",)
                for more in (0, 1)
            ]
            first, then = (guaranteed["a"] + parts["work"]["a"] for guaranteed, parts in now)
            assert then >= first
            seen += 1
    assert seen == 125 * 27


@settings(max_examples=40)
@given(LEVELS, st.data())
def test_the_larger_improvement_is_never_paid_less_than_a_smaller_one(work, data):
    envelope = data.draw(st.integers(100, 3000))
    table = levels_table(work, [(1, 1)] * len(work))
    grants = grants_by_performance(table, rule("work", envelope=envelope), payment_year=2013)
    change, payment = grants.parts["counts"].to_numpy(), grants.table["payment"].to_numpy()
    for one, other in product(range(len(work)), repeat=2):
        assert change[one] <= change[other] or payment[one] >= payment[other]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"guaranteed": 0.001}, "0.001 of the envelope of 1,000 kr is 1 kr for 2 areas. Expected: at least a krona"),
        ({"envelope": 1000.5}, "key 'envelope': 1000.5 kr is no whole number of kronor"),
        ({"context": {"indicator": "refugees", "strength": 1}}, "2 area(s) have no figure of the context 'refugees'"),
        ({"context": {"indicator": "refuges", "strength": 1}}, "no indicator is called 'refuges'. Hint: did you mean"),
    ],
)
def test_performance_rules_that_cannot_hold(asked, words):
    table = table_of(*two_years([50, 50], [51, 52]))
    with pytest.raises(InputError) as caught:
        grants_by_performance(table, rule(**asked), payment_year=2013)
    assert words in str(caught.value)


def test_performance_says_all_that_is_wrong_at_once():
    table = table_of(*two_years([50, 50], [51, 52]), ("A", "work", "2012", 9), ("A", "population", "2012", 9))
    spec = rule("work", "worc", "population", envelope=0.5)
    with pytest.raises(InputError) as caught:
        grants_by_performance(table, spec, payment_year=2013, area_ids=["A", "A", "Q"])
    for words in (
        "0.5 kr is no whole number",
        "1 area code(s) occur more than once: 'A'",
        "1 code(s) are not among the areas: 'Q'",
        "key 'indicators[1].indicator': no indicator is called 'worc'. Hint: did you mean 'work'?",
        "key 'indicators[2].indicator': 'population' is neutral: no change of it is an improvement",
    ):
        assert words in str(caught.value)
    with pytest.raises(TableError, match="area 'A': the figure of work in 2012 occurs more than once"):
        grants_by_performance(table, rule(), payment_year=2013)
    negative = table_of(*two_years([50], [51]), ("A", "refugees", "2012", -4))
    with pytest.raises(TableError, match="the context 'refugees' is -4 in 2012"):
        grants_by_performance(negative, rule(context={"indicator": "refugees", "strength": 1}), payment_year=2013)
    with pytest.raises(SpecError, match="there are no areas"):
        grants_by_performance(table, rule(), payment_year=2013, area_ids=[])


def test_rules_are_tables_of_a_file():
    read = TypeAdapter(GrantSpec).validate_python
    assert isinstance(read({"kind": "need", "envelope": 99, "unit": "Mkr"}), NeedGrantSpec)
    whole = {"kind": "performance", "envelope": 99, "guaranteed": 0.1, "lag": 2, "indicators": [{"indicator": "work"}]}
    assert read(whole).indicators[0].weight == 1
    for wrong in (
        whole | {"guaranteed": 0},
        whole | {"indicators": []},
        whole | {"indicators": [{"indicator": "work"}, {"indicator": "work"}]},
        whole | {"unit": "MKr"},
        whole | {"lagg": 1},
        whole | {"envelope": -1},
        whole | {"indicators": [{"indicator": "work", "weight": 0}]},
    ):
        with pytest.raises(ValidationError):
            read(wrong)
    for model in (NeedGrantSpec, PerformanceGrantSpec):
        schema = model.model_json_schema()
        tables = [schema, *schema.get("$defs", {}).values()]
        for each in tables:
            fields = {} if each.get("title") == "Text" else each.get("properties", {})
            assert [name for name, field in fields.items() if "description" not in field] == []


# ---------------------------------------------------------------- what if, and rolling up


def test_what_if_by_hand():
    # A 2 points, B 1 point of 900: 600 and 300. With 53 in B it is 2 and 3: 360 and 540. The krona over of the 100
    # guaranteed goes to who earned most beyond: first A, then B.
    table = table_of(*two_years([50, 50, 50], [52, 51, 49]))
    change = grants_if(table, rule(), payment_year=2013, area_id="B", figures={"work": 53})
    assert change.lines(names={"B": "Bergsjön"})[0].startswith("If Bergsjön had work 53 in 2012: ")
    assert change.table["difference"].to_dict() == {"A": -241, "B": 241, "C": 0}
    assert change.lines(names={"A": "Alby"}) == [
        "If B had work 53 in 2012: 241 kr would move; 1 area unchanged.",
        "B: 574 kr in place of 333 kr, 241 kr more.",
        "Alby: 393 kr in place of 634 kr, 241 kr less.",
    ]
    assert table.data["value"].tolist() == [50, 50, 50, 52, 51, 49]


def test_what_if_of_a_figure_that_is_missing():
    # 99 guaranteed, 33 each, and 891 beyond: 297 and 594, then 148.5, 297 and 445.5; of equal remainders the
    # larger earner comes first.
    rows = [*two_years([50, 50], [51, 52]), ("C", "work", "2011", 50), ("C", "work", "2012", "suppressed")]
    change = grants_if(table_of(*rows), rule(envelope=990), payment_year=2013, area_id="C", figures={"work": 53})
    assert change.table["difference"].to_dict() == {"A": -149, "B": -297, "C": 446}


@settings(max_examples=40)
@given(LEVELS, st.integers(0, 100), st.data())
def test_what_if_moves_money_and_makes_none(work, value, data):
    table = levels_table(work, [(2, 1)] * len(work))
    who = data.draw(st.sampled_from([f"a{number}" for number in range(len(work))]))
    change = grants_if(table, rule("work", "welfare"), payment_year=2013, area_id=who, figures={"work": value})
    assert change.table["difference"].sum() == 0
    now = table.data.query("area_id == @who and indicator == 'work' and period == '2012'")
    true = 100 * float((now["numerator"] / now["denominator"]).iloc[0])
    own = change.table["difference"][who]
    assert own >= 0 if value >= true else own <= 0


def test_what_if_says_all_that_is_wrong_at_once():
    table = table_of(*two_years([50, 50], [52, 51]), *two_years([5, 5], [4, 4], "welfare"))
    with pytest.raises(InputError) as caught:
        grants_if(
            table, rule("work"), payment_year=2013, area_id="Q", figures={"work": 101, "welfare": 3, "nothing": 1}
        )
    for words in (
        "among the areas: 'Q'",
        "work cannot be 101. Expected: a number from 0 to 100",
        "no indicator that is paid for is called 'welfare'",
    ):
        assert words in str(caught.value)
    with pytest.raises(SpecError, match="there are no other figures"):
        grants_if(table, rule("work"), payment_year=2013, area_id="A", figures={})


def test_two_divisions_that_cannot_be_compared():
    one = grants_by_need(pd.Series({"a": 1, "b": 2}), need_rule())
    other = grants_by_need(pd.Series({"a": 1, "c": 2}), need_rule(envelope=9))
    with pytest.raises(InputError, match="the envelopes are 1,000 kr and 9 kr") as caught:
        compare_grants(one, other)
    assert "2 area(s) are in one of the two only: 'b', 'c'" in str(caught.value)


def test_rolling_up():
    payment = pd.Series({"a": 5, "b": 7, "c": 6})
    pairs = pd.DataFrame({"child_id": ["a", "b", "c", "d"], "parent_id": ["x", "x", "y", "y"]})
    made = roll_up_grants(payment, pairs)
    assert made.to_dict("index") == {
        "x": {"areas": 2, "payment": 12, "least": 5, "most": 7},
        "y": {"areas": 1, "payment": 6, "least": 6, "most": 6},
    }
    assert roll_up_grants(payment, pairs.set_index("child_id")["parent_id"]).equals(made)
    twice = pd.DataFrame({"child_id": ["a", "a", "b"], "parent_id": ["x", "y", None]})
    with pytest.raises(IdError) as caught:
        roll_up_grants(payment, twice)
    assert "1 area(s) belong to several parents: 'a'. Expected: exactly one for each" in str(caught.value)
    assert "2 area(s) have no parent: 'b', 'c'" in str(caught.value)
    with pytest.raises(IdError, match="occur more than once: 'a'"):
        roll_up_grants(pd.Series([1, 2], index=["a", "a"]), pd.Series({"a": "x"}))


# ---------------------------------------------------------------- does it reward noise?


def counted(rng, base, first, last, name="work"):
    """Binomial counts of two years among the same people, from the rates of each year."""
    rows = []
    for year, rate in (("2011", first), ("2012", last)):
        cases = rng.binomial(base, rate)
        rows += [(f"a{n:02}", name, year, int(y), int(of)) for n, (y, of) in enumerate(zip(cases, base, strict=True))]
    return rows


def noise_of(rows, spec=None, **more):
    return grant_noise(table_of(*rows), spec or rule(envelope=99_000_000), payment_year=2013, **({"draws": 300} | more))


def test_where_nothing_changed_all_is_chance_and_where_much_did_little_is():
    rng = np.random.default_rng(5)
    base = rng.integers(3000, 6000, 15)
    still = [noise_of(counted(rng, base, np.full(15, 0.5), np.full(15, 0.5))) for _ in range(40)]
    assert np.mean([noise.chance_share for noise in still]) > 0.85
    assert np.mean([noise.warn for noise in still]) == 1
    # The improvement is as likely above as below the middle of the draws, and rarely beyond nearly all of them.
    improved = np.array([noise.p_improved for noise in still])
    assert 0.3 < improved.mean() < 0.7
    assert (improved < 0.05).mean() < 0.15
    # So is what is moved between areas.
    inside = [noise.moved_low <= noise.moved <= noise.moved_high for noise in still]
    assert 0.75 <= np.mean(inside) <= 1
    assert np.mean([(noise.table["p_as_much"] <= 0.05).mean() for noise in still]) == pytest.approx(0.05, abs=0.03)

    much = noise_of(counted(rng, base, np.full(15, 0.40), np.linspace(0.42, 0.60, 15)))
    assert much.chance_share < 0.06
    assert not much.warn
    assert much.p_improved == 0
    assert (much.table["p_as_much"] <= 0.05).sum() >= 13
    assert not much.lines()[0].startswith("Warning")


def test_where_all_improve_alike_equal_payments_are_not_called_chance():
    # Payments hardly differ, far less than by chance alone; the improvements are true all the same.
    base = np.full(12, 5000)
    noise = noise_of(counted(np.random.default_rng(2), base, np.full(12, 0.40), np.full(12, 0.55)))
    assert noise.moved < noise.moved_by_chance
    assert noise.chance_share < 0.05
    assert noise.p_improved == 0
    assert (noise.table["p_as_much"] == 0).all()


def test_chance_adds_no_more_than_it_is_said_to():
    # The truth is known here: what counts beyond the true improvements is chance.
    rng = np.random.default_rng(8)
    base = rng.integers(500, 4000, 15)
    for gain in (0.0, 0.01, 0.03):
        first = np.full(15, 0.45)
        last = first + np.where(np.arange(15) % 2, gain, -gain)
        true = 100 * np.maximum(last - first, 0).sum()
        excess, said = [], []
        for _ in range(40):
            noise = noise_of(counted(rng, base, first, last), draws=100)
            excess.append(noise.indicators["counts"].iloc[0] - true)
            said.append(noise.indicators["by_chance"].iloc[0])
        error = np.std(np.subtract(said, excess)) / np.sqrt(40)
        assert np.mean(said) >= np.mean(excess) - 2 * error
        if not gain:
            assert np.mean(said) == pytest.approx(np.mean(excess), rel=0.15)


def test_the_mean_improvement_by_chance_is_that_of_theory():
    # A difference of two binomials: sd = 100·sqrt(2·p(1−p)/n); its positive part has the mean sd/sqrt(2π).
    rows = [("A", "work", "2011", 2000, 4000), ("A", "work", "2012", 2040, 4000)]
    noise = noise_of(rows, draws=40_000)
    expected = 100 * np.sqrt(2 * 0.505 * 0.495 / 4000) / np.sqrt(2 * np.pi)
    assert noise.indicators["by_chance"].iloc[0] == pytest.approx(expected, rel=0.02)
    assert noise.chance_share == pytest.approx(expected / 1.0, rel=0.02)  # of one point
    persons = noise_of(rows, rule(measure="persons", envelope=1000), draws=40_000)
    assert persons.indicators["by_chance"].iloc[0] == pytest.approx(40 * expected, rel=0.02)
    assert persons.indicators["counts"].iloc[0] == 40
    relative = noise_of(rows, rule(measure="relative", envelope=1000), draws=40_000)
    assert relative.indicators["by_chance"].iloc[0] == pytest.approx(expected / 50.5, rel=0.03)


def test_rates_and_counts_are_drawn_as_poisson():
    crime = item("crime", kind="rate", unit="per_1000")
    fires = item("fires", kind="count", unit="persons")
    for one, first, last in ((crime, (100, 1000), (80, 1000)), (fires, (100,), (80,))):
        table = table_of(("A", one.id, "2011", *first), ("A", one.id, "2012", *last), definitions={one.id: one})
        noise = grant_noise(table, rule(one.id), payment_year=2013, draws=20_000)
        assert noise.indicators["counts"].iloc[0] == 20
        assert noise.indicators["by_chance"].iloc[0] == pytest.approx(np.sqrt(2 * 90) / np.sqrt(2 * np.pi), rel=0.03)


def test_noise_is_the_same_in_any_order_and_from_the_same_seed():
    rng = np.random.default_rng(5)
    base = rng.integers(300, 6000, 6)
    half, tenth = np.full(6, 0.5), np.full(6, 0.1)
    rows = counted(rng, base, half, half) + counted(rng, base, tenth, tenth, "welfare")
    one = noise_of(rows, rule("work", "welfare"))
    two = noise_of(rows[::-1], rule("welfare", "work"))
    assert one.table.equals(two.table)
    assert one.chance_share == two.chance_share
    assert not one.table.equals(noise_of(rows, rule("work", "welfare"), seed=2).table)
    assert one.drawn.sum(axis=0) == pytest.approx(900)


def test_figures_without_counts_are_left_as_they_are_and_named():
    rows = [*two_years([50, 50], [52, 51]), ("C", "work", "2011", 500, 1000), ("C", "work", "2012", "suppressed")]
    noise = noise_of(rows)
    assert np.isnan(noise.chance_share)
    assert not noise.warn
    assert noise.without_noise == {"work": 2}
    assert noise.table.loc["C", ["expected", "high"]].tolist() == [0, 0]
    assert noise.table["p_as_much"].isna().all()
    assert noise.lines()[0] == "Nothing can be said of chance: no figure that is paid for has counts of single years."
    assert noise.lines()[1:] == ["work has no counts in 2 areas: their changes are as they were in every draw."]
    several = {"work": item("work", "higher_is_better", mean_years=2)}
    table = table_of(("A", "work", "2011", 5, 10), ("A", "work", "2012", 6, 10), definitions=several)
    assert grant_noise(table, rule(), payment_year=2013, draws=10).without_noise == {"work": 1}
    nobody = noise_of([("A", "work", "2011", 5, 10), ("A", "work", "2012", 5, 10)])
    assert nobody.chance_share == 0


def test_noise_in_words():
    rows = [("A", "work", "2011", 500, 1000), ("A", "work", "2012", 505, 1000)]
    rows += [("B", "work", "2011", 2500, 5000), ("B", "work", "2012", 2490, 5000)]
    noise = noise_of(rows)
    lines = noise.lines(names={"A": "Alby"})
    assert lines[0] == (
        "Warning: this payment rewards noise. Up to 100% of the 89,100,000 kr beyond the guaranteed (89,100,000 kr) is "
        "paid for chance: with the same underlying rates in both years there would be as much improvement as 100% of "
        f"work. There is as much in all in {100 * noise.p_improved:.0f} of 100 draws."
    )
    assert lines[1].startswith(
        "If nothing had changed anywhere, the rule would still pay 89,100,000 kr, and chance alone"
    )
    assert lines[-1].startswith("0 of 2 areas improved more than by chance alone in 95% of the draws")


def test_noise_says_all_that_is_wrong_at_once():
    rows = [("A", "work", "2011", 12, 10), ("A", "work", "2012", 5, 10)]
    with pytest.raises(TableError, match="area 'A': work has more cases than its base"):
        noise_of(rows)
    with pytest.raises(SpecError) as caught:
        noise_of(rows, draws=0, level=1, warn_above=2, seed=-1)
    for key in ("draws", "level", "warn_above", "seed"):
        assert f"key '{key}'" in str(caught.value)
