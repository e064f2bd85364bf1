from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import DisclosureError, SpecError, TableError
from geoplan.places import IndicatorTable, attack, parents_at, protect, roll_up, round_counts
from geoplan.places.attacks import blurred, unsafe
from geoplan.places.indicators import COLUMNS
from geoplan.places.membership import whole_pairs
from geoplan.places.sums import Structure, System, ranges
from geoplan.run import open_run
from geoplan.run.datasets import read_indicators
from geoplan.specs import DisclosureSpec, IndicatorSpec

SHARE = {"kind": "share", "unit": "pct", "direction": "higher_is_worse"}
KINDS = {
    "poor": SHARE,
    "crimes": {"kind": "rate", "unit": "per_1000", "direction": "higher_is_worse"},
    "income": {"kind": "mean", "unit": "tkr", "direction": "higher_is_better"},
    "homes": {"kind": "count", "unit": "persons", "direction": "neutral"},
}


def definitions(*names):
    return {name: IndicatorSpec(id=name, label=name, **KINDS[name]) for name in names}


def as_table(rows, **extra):
    """A table of (area, indicator, period, count, base)."""
    frame = pd.DataFrame(rows, columns=["area_id", "indicator", "period", "numerator", "denominator"])
    frame = frame.astype({"numerator": float, "denominator": float})
    items = definitions(*dict.fromkeys(frame["indicator"])) | extra
    scale = frame["indicator"].map({name: {"pct": 100, "per_1000": 1000}.get(i.unit, 1) for name, i in items.items()})
    counts = frame["indicator"].map({name: i.kind == "count" for name, i in items.items()})
    rate = frame["numerator"] / frame["denominator"] * scale
    frame["value"] = frame["numerator"].where(counts, rate)
    return IndicatorTable(frame.assign(status="observed")[COLUMNS], items)


def town(counts, bases, middle, period="2012", indicator="poor"):
    """Blocks with their counts, bases and districts, and the levels that hold them."""
    blocks = [f"b{number:02}" for number in range(len(counts))]
    table = as_table([(b, indicator, period, n, d) for b, n, d in zip(blocks, counts, bases, strict=True)])
    own = pd.Series(blocks, blocks)
    return table, {"block": own, "district": pd.Series(middle, blocks), "town": pd.Series("town", blocks)}


def random_town(seed):
    """A town of one to three levels above its blocks, some of which overlap; several years, one the sum of others."""
    rng = np.random.default_rng(seed)
    blocks = [f"b{number:02}" for number in range(rng.integers(5, 15))]
    rows = []
    for indicator, period in product(["poor", "crimes"][: rng.integers(1, 3)], ["2010", "2011"]):
        base = rng.integers(2, 120, len(blocks))
        part = rng.binomial(base, rng.uniform(0.02, 0.3))
        rows += [(b, indicator, period, n, d) for b, n, d in zip(blocks, part, base, strict=True)]
    years = {}
    if seed % 3 == 0:
        years = {"2010-2011": ["2010", "2011"]}
        frame = pd.DataFrame(rows).groupby([0, 1], as_index=False)[[3, 4]].sum()
        rows += [(b, i, "2010-2011", n, d) for b, i, n, d in frame.itertuples(index=False)]
    district = rng.integers(0, max(2, len(blocks) // 4), len(blocks))
    levels = {
        "block": pd.Series(blocks, blocks),
        "district": pd.Series([f"d{n}" for n in district], blocks),
        "board": pd.Series([f"n{n // 2}" for n in district], blocks),
        "town": pd.Series("town", blocks),
    }
    if seed % 4 == 0:  # police areas overlap with districts and nest in the town only
        levels["police"] = pd.Series([f"p{n}" for n in rng.integers(0, 3, len(blocks))], blocks)
    if seed % 5 == 0:
        del levels["block"]
    return as_table(rows), levels, years


# ---------------------------------------------------------------- what is unsafe


def test_few_people_few_others_and_small_bases_are_unsafe():
    count, base = np.array([0, 1, 4, 5, 28, 30, 9]), np.array([90, 90, 90, 90, 30, 30, 15])
    rules = DisclosureSpec(minimum_base=20)
    items = definitions(*KINDS)
    assert unsafe(count, base, items["poor"], rules).tolist() == ["", "cell", "cell", "", "complement", "", "base"]
    assert unsafe(count, base, items["crimes"], rules).tolist() == ["", "cell", "cell", "", "", "", "base"]
    assert unsafe(count, base, items["income"], rules).tolist() == ["", "", "", "", "", "", "base"]
    assert unsafe(count, base, items["homes"], rules).tolist() == ["", "cell", "cell", "", "", "", ""]
    open_rules = DisclosureSpec(minimum_base=20, complement=False)
    assert unsafe(count, base, items["poor"], open_rules)[4] == ""


# ---------------------------------------------------------------- ranges, against enumeration


def enumerated(system):
    """Every way to fill the hidden figures with whole numbers, by trying them all."""
    places = np.flatnonzero(system.hidden)
    choices = [range(int(system.lower[p]), int(system.upper[p]) + 1) for p in places]
    found = []
    for guess in product(*choices):
        value = system.value.copy()
        value[places] = guess
        if np.allclose(system.equations @ value, 0):
            found.append(guess)
    return places, np.array(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=5), st.data())
def test_ranges_are_those_found_by_trying_every_number(values, data):
    blocks = [f"b{n}" for n in range(len(values))]
    middle = data.draw(st.lists(st.sampled_from("xy"), min_size=len(values), max_size=len(values)))
    levels = {"block": pd.Series(blocks, blocks), "town": pd.Series("t", blocks), "part": pd.Series(middle, blocks)}
    structure = Structure.of(blocks, {name: whole_pairs(codes) for name, codes in levels.items()})
    value = structure.sums(pd.DataFrame(values, index=blocks, dtype=float)).ravel()
    hidden = np.array(data.draw(st.lists(st.booleans(), min_size=len(value), max_size=len(value))))
    hidden &= np.cumsum(hidden) <= 4
    system = System(
        area=np.arange(len(value)), period=np.full(len(value), "2012"), value=value, hidden=hidden,
        lower=np.zeros(len(value)), upper=np.full(len(value), 5.0).clip(min=value), equations=structure.equations,
    )  # fmt: skip
    found = ranges([system])
    places, every = enumerated(system)
    for number, place in enumerate(places):
        assert found.lowest[0][place] == pytest.approx(every[:, number].min(), abs=1e-6)
        assert found.highest[0][place] == pytest.approx(every[:, number].max(), abs=1e-6)
    shown = ~hidden
    assert (found.lowest[0][shown] == value[shown]).all()
    assert (found.highest[0][shown] == value[shown]).all()


def test_shown_totals_that_contradict_their_parts_are_refused():
    codes = ["a", "b"]
    levels = {"block": pd.Series(codes, codes), "town": pd.Series("t", codes)}
    structure = Structure.of(codes, {name: whole_pairs(parents) for name, parents in levels.items()})
    value = np.array([3.0, 4.0, 2.0])  # the total is less than one of its parts
    system = System(
        area=np.arange(3), period=np.full(3, "2012"), value=value, hidden=np.array([False, True, False]),
        lower=np.zeros(3), upper=np.full(3, 99.0), equations=structure.equations,
    )  # fmt: skip
    with pytest.raises(TableError) as caught:
        ranges([system])
    assert str(caught.value) == (
        "the figures shown contradict each other. Expected: totals that are the sums of their parts."
    )


# ---------------------------------------------------------------- hiding


def test_a_hidden_count_is_not_hidden_alone():
    # Worked by hand: b00 has 3 of 90 and is hidden. Its district shows 32, so that one more block must go: b01 with 9
    # tells of fewer people than b02, and leaves 0 to 12 for each of the two.
    table, levels = town([3, 9, 20, 30, 40], [90, 60, 90, 90, 90], ["d1", "d1", "d1", "d2", "d2"])
    safe = protect(table, DisclosureSpec(), levels=levels)
    assert safe.cells[["area_id", "level", "figure", "why"]].to_numpy().tolist() == [
        ["b00", "block", "count", "cell"],
        ["b01", "block", "count", "secondary"],
    ]
    shown = safe.tables["block"].data.set_index("area_id")
    assert shown.loc[["b00", "b01"], "status"].tolist() == ["suppressed", "suppressed"]
    assert shown.loc["b00", ["numerator", "value"]].isna().all()
    assert shown.loc["b00", "denominator"] == 90  # how many live there is no secret
    assert shown.loc["b02", "numerator"] == 20
    assert safe.tables["town"].data["numerator"].tolist() == [102]
    assert all(item.profile == "public" for item in safe.tables.values())
    assert safe.lines() == [
        "2 figures are hidden: 1 for a count of 1-4, 1 so that sums do not give others away",
        "the attack check tried 2 hidden figures in 1 table and could work out none of them",
    ]


def test_two_small_counts_are_not_enough_when_their_sum_is_small():
    # 1 + 1 = 2: each would be known to lie between 0 and 2. The rule asks for a range of five.
    table, levels = town([1, 1, 20, 30], [90, 90, 90, 90], ["d1", "d1", "d1", "d2"])
    safe = protect(table, DisclosureSpec(), levels=levels)
    blocks = safe.cells[safe.cells["level"] == "block"]
    assert blocks["area_id"].tolist() == ["b00", "b01", "b02"]


def test_a_district_of_one_block_is_hidden_with_it():
    table, levels = town([3, 40, 60], [90, 90, 90], ["d1", "d2", "d3"])
    safe = protect(table, DisclosureSpec(), levels=levels)
    hidden = set(zip(safe.cells["level"], safe.cells["area_id"], strict=True))
    assert {("block", "b00"), ("district", "d1")} <= hidden
    assert len(hidden) == 4  # and one more pair, for the sake of the town's sum


def test_a_table_without_unsafe_figures_is_left_alone():
    table, levels = town([30, 40], [90, 90], ["d1", "d2"])
    safe = protect(table, DisclosureSpec(), levels=levels)
    assert safe.cells.empty
    assert safe.lines() == [
        "no figure had to be hidden",
        "the attack check tried 0 hidden figures in 0 tables and could work out none of them",
    ]
    pd.testing.assert_frame_equal(safe.tables["block"].data, table.data)


def test_a_base_of_a_few_people_is_hidden_wherever_it_stands():
    rows = [
        (b, i, "2012", n, d) for i in ("poor", "crimes") for b, n, d in [("b0", 0, 3), ("b1", 9, 80), ("b2", 8, 70)]
    ]
    rows += [(b, "homes", "2012", n, None) for b, n in [("b0", 3), ("b1", 80), ("b2", 70)]]
    codes = pd.Index(["b0", "b1", "b2"])
    levels = {"block": pd.Series(codes, codes), "town": pd.Series("town", codes)}
    safe = protect(as_table(rows), DisclosureSpec(), levels=levels)
    shown = safe.tables["block"].data.set_index(["indicator", "area_id"])
    assert shown.loc[("poor", "b0"), ["numerator", "denominator", "value"]].isna().all()
    assert np.isnan(shown.loc[("homes", "b0"), "value"])
    # the same people stand behind all three, so the same second block is hidden in all three
    hidden = safe.cells[safe.cells["why"] == "secondary"].groupby(["indicator", "figure"])["area_id"].agg(set)
    assert len({frozenset(areas) for areas in hidden}) == 1
    assert safe.attack.recovered.empty


def test_zonings_that_nearly_agree_give_nothing_away():
    # Police area p1 is district d1 and one block more, of which three are poor; no block is shown itself.
    table, levels = town([20, 30, 3, 40], [90, 90, 90, 90], ["d1", "d1", "d2", "d2"])
    del levels["block"]
    levels["police"] = pd.Series(["p1", "p1", "p1", "p2"], table.data["area_id"])
    bare = {name: roll_up(table, codes) for name, codes in levels.items()}
    found = attack(table, bare, levels=levels, rules=DisclosureSpec())
    assert found.recovered[["level", "lowest", "highest"]].to_numpy().tolist() == [["", 3.0, 3.0]]
    safe = protect(table, DisclosureSpec(), levels=levels)
    assert safe.attack.recovered.empty
    assert len(safe.cells)


#: Two hundred towns; seven in ten are for the slow tests, which CI runs as well.
TOWNS = [
    pytest.param(range(start, start + 20), marks=pytest.mark.slow if start >= 20 else ()) for start in range(0, 200, 20)
]


@pytest.mark.parametrize("seeds", TOWNS, ids=str)
def test_nothing_is_worked_out_on_random_nested_tables(seeds):
    given_away = 0
    for seed in seeds:
        table, levels, years = random_town(seed)
        rules = DisclosureSpec(minimum_base=10, year_sums=years)
        safe = protect(table, rules, levels=levels, seed=seed)
        again = attack(table, safe.tables, levels=levels, rules=rules, year_sums=years)
        assert again.recovered.empty, f"seed {seed}"
        if seed % 4 == 1:
            open_rules = rules.model_copy(update={"secondary": False})
            given_away += len(protect(table, open_rules, levels=levels, seed=seed).attack.recovered)
    assert given_away > 0


@settings(max_examples=12, deadline=None)
@given(st.integers(1000, 9999))
def test_laws_of_protection(seed):
    table, levels, years = random_town(seed)
    rules = DisclosureSpec(minimum_base=10, year_sums=years)
    safe = protect(table, rules, levels=levels, seed=1)
    for level, codes in levels.items():
        own = (codes == codes.index).all()
        truth = (table if own else roll_up(table, codes)).data.set_index(["area_id", "indicator", "period"])
        shown = safe.tables[level].data.set_index(["area_id", "indicator", "period"])
        assert len(shown) == len(truth)  # nothing is dropped
        visible = shown["value"].notna()
        assert (shown["value"][visible] == truth["value"][shown.index[visible]]).all()  # what is shown is true
        assert (shown["status"][~visible] == "suppressed").all()
        for name, rows in truth.groupby("indicator"):
            bad = unsafe(rows["numerator"].to_numpy(), rows["denominator"].to_numpy(), table.definitions[name], rules)
            assert shown["value"][rows.index[bad != ""]].isna().all()  # what is unsafe is hidden


@pytest.mark.parametrize("rounding", ["none", "stockholm", "base_5"])
def test_the_pattern_does_not_depend_on_the_order_of_rows_or_on_the_periods_asked_for(rounding):
    table, levels, _ = random_town(7)
    rules = DisclosureSpec(minimum_base=10, rounding=rounding)
    levels.pop("police", None)
    whole = protect(table, rules, levels=levels, seed=3)
    mixed = IndicatorTable(table.data.sample(frac=1, random_state=1), table.definitions)
    other = protect(mixed, rules, levels=levels, seed=3, periods=["2011"])
    for level, item in other.tables.items():
        wanted = whole.tables[level].data
        keys = ["area_id", "indicator", "period"]
        wanted = wanted[wanted["period"] == "2011"].sort_values(keys, ignore_index=True)
        pd.testing.assert_frame_equal(item.data.sort_values(keys, ignore_index=True), wanted)


def test_the_seed_decides_between_equally_good_choices():
    table, levels = town([3, 20, 20, 20, 20, 40], [90] * 6, ["d1"] * 5 + ["d2"])
    chosen = {
        tuple(protect(table, DisclosureSpec(), levels=levels, seed=seed).cells["area_id"]) for seed in range(1, 9)
    }
    assert len(chosen) > 1


# ---------------------------------------------------------------- years and scores


def test_a_sum_over_years_gives_a_year_away_unless_it_is_protected_too():
    rows = [("a", "poor", "2010", 3, 90), ("a", "poor", "2011", 30, 90), ("a", "poor", "2010-2011", 33, 180)]
    table, codes = as_table(rows), pd.Series(["a"], ["a"])
    years = {"2010-2011": ["2010", "2011"]}
    off = DisclosureSpec(secondary=False, year_sums=years)
    found = protect(table, off, levels={"block": codes}).attack.recovered
    assert found[["period", "lowest", "highest", "through"]].to_numpy().tolist() == [["2010", 3.0, 3.0, "sums"]]
    safe = protect(table, DisclosureSpec(year_sums=years), levels={"block": codes})
    assert safe.attack.recovered.empty
    assert set(safe.cells["period"]) == {"2010", "2011"} or set(safe.cells["period"]) == {"2010", "2010-2011"}


def test_a_sum_over_years_that_are_not_there_is_refused():
    table, levels = town([3, 9], [90, 90], ["d1", "d1"])
    with pytest.raises(TableError) as caught:
        protect(table, DisclosureSpec(year_sums={"2012": ["2008"]}), levels=levels)
    assert str(caught.value) == "the period '2012' is said to sum periods that are not there: 2008."


def test_a_published_score_gives_away_the_only_hidden_figure_in_it():
    table, levels = town([3, 9, 20], [90, 60, 90], ["d1", "d1", "d1"])
    safe = protect(table, DisclosureSpec(), levels=levels)
    scores = pd.DataFrame(
        [("b00", "block", "livelihood", "poor", "2012"), ("b02", "block", "livelihood", "poor", "2012")],
        columns=["area_id", "level", "sum", "indicator", "period"],
    )
    found = attack(table, safe.tables, levels=levels, scores=scores)
    assert found.recovered[["area_id", "through", "lowest"]].to_numpy().tolist() == [["b00", "index", 3.0]]
    two = pd.concat([scores, scores.assign(indicator="poor", area_id="b00").iloc[:1]])
    assert attack(table, safe.tables, levels=levels, scores=two).recovered.empty


def test_the_attack_says_what_it_could_work_out():
    table, levels = town([3, 9, 20], [90, 90, 90], ["d1", "d1", "d1"])
    report = protect(table, DisclosureSpec(secondary=False), levels=levels).attack
    with pytest.raises(DisclosureError) as caught:
        report.raise_any()
    assert str(caught.value) == (
        "the attack check tried 1 hidden figure in 1 table and could work out 1 of them (first: count of 'poor' 2012 "
        "in area 'b00', through sums). Nothing was written. Indicators concerned: 'poor'. Hint: keep "
        "`secondary = true` under [disclosure], or hide more with a larger `minimum_cell`"
    )


def test_a_mean_on_a_small_base_is_hidden_with_another():
    table, levels = town([2400, 9000, 21000], [8, 30, 70], ["d1", "d1", "d1"], indicator="income")
    safe = protect(table, DisclosureSpec(minimum_base=10), levels=levels)
    assert safe.cells[["area_id", "why"]].to_numpy().tolist() == [["b00", "base"], ["b01", "secondary"]]
    assert safe.attack.recovered.empty


# ---------------------------------------------------------------- rounding


def test_stockholms_rule():
    counts = pd.Series([0, 1, 2, 3, 4, 5, 6, 17, None])
    rounded = round_counts(counts, "stockholm", keys=[str(n) for n in range(9)])
    assert rounded[:8].tolist() == [0, 0, 0, 5, 5, 5, 6, 17]
    assert np.isnan(rounded[8])


@given(st.sampled_from(["base_3", "base_5", "base_10"]), st.integers(0, 5000), st.integers(0, 99))
def test_random_rounding_goes_to_a_neighbouring_multiple_and_never_changes(rounding, count, seed):
    step = int(rounding.split("_")[1])
    once, twice = (round_counts(pd.Series([count]), rounding, keys=["a|2012"], seed=seed)[0] for _ in range(2))
    assert once == twice
    assert once % step == 0
    assert abs(once - count) < step
    low, high = blurred(np.array([once]), rounding)
    assert low[0] <= count <= high[0]


def test_random_rounding_keeps_the_mean():
    # 7 becomes 5 in three of five cases and 10 in two: 7 on average; with 20,000 draws the standard error is 0.017.
    drawn = round_counts(pd.Series([7.0] * 20_000), "base_5", keys=[str(n) for n in range(20_000)])
    assert drawn.mean() == pytest.approx(7, abs=0.07)


@pytest.mark.parametrize("rounding", ["stockholm", "base_3", "base_5", "base_10"])
def test_rounded_totals_are_the_sums_of_rounded_parts(rounding):
    table, levels = town([1, 2, 3, 4, 9, 88], [90, 80, 70, 60, 50, 90], ["d1", "d1", "d1", "d2", "d2", "d2"])
    safe = protect(table, DisclosureSpec(rounding=rounding), levels=levels)
    parts = safe.tables["block"].data["numerator"].sum()
    assert safe.tables["town"].data["numerator"].tolist() == [parts]
    assert safe.tables["district"].data["numerator"].sum() == parts
    assert safe.attack.recovered.empty
    assert set(safe.cells["why"]) == {"rounded"}


def test_true_totals_beside_rounded_parts_give_counts_away():
    table, levels = town([4, 9, 7], [90, 90, 90], ["d1", "d1", "d1"])
    del levels["district"]
    rules = DisclosureSpec(rounding="stockholm")
    safe = protect(table, rules, levels=levels)
    mixed = {**safe.tables, "town": roll_up(table, levels["town"])}
    found = attack(table, mixed, levels=levels, rules=rules, summed=False)
    assert found.recovered[["area_id", "lowest", "highest"]].to_numpy().tolist() == [["b00", 4.0, 4.0]]


def test_the_few_who_are_not_counted_are_rounded_too():
    table, levels = town([88, 86, 30], [90, 90, 90], ["d1", "d1", "d1"])
    shown = protect(table, DisclosureSpec(rounding="stockholm"), levels=levels).tables["block"].data
    assert shown["numerator"].tolist() == [90, 85, 30]  # 2 others become 0, 4 become 5


def test_rates_without_counts_and_means_are_hidden_even_where_counts_are_rounded():
    rows = [("b0", "income", "2012", 900, 8), ("b1", "income", "2012", 9000, 60), ("b2", "income", "2012", 12000, 80)]
    rows += [("b0", "poor", "2012", 1, 8), ("b1", "poor", "2012", 3, 60), ("b2", "poor", "2012", 8, 80)]
    codes = pd.Index(["b0", "b1", "b2"])
    levels = {"block": pd.Series(codes, codes), "town": pd.Series("town", codes)}
    safe = protect(as_table(rows), DisclosureSpec(minimum_base=10, rounding="stockholm"), levels=levels)
    shown = safe.tables["block"].data.set_index(["indicator", "area_id"])
    assert shown["status"]["income"].tolist() == ["suppressed", "suppressed", "observed"]
    assert shown["numerator"]["poor"].tolist()[1:] == [5, 8]
    assert shown["status"]["poor"].tolist() == ["suppressed", "observed", "observed"]
    assert safe.attack.recovered.empty


def test_levels_that_do_not_nest_cannot_be_rounded_together():
    table, levels = town([3, 9, 20, 30], [90] * 4, ["d1", "d1", "d2", "d2"])
    del levels["block"]
    levels["police"] = pd.Series(["p1", "p2", "p2", "p2"], table.data["area_id"])
    with pytest.raises(SpecError) as caught:
        protect(table, DisclosureSpec(rounding="base_5"), levels=levels)
    assert str(caught.value) == (
        "key 'disclosure.rounding': 'police' and 'district' cannot be rounded together: 'district' is not made of "
        "'police'. Hint: hide instead (`rounding = \"none\"`), or name fewer `levels`"
    )


# ---------------------------------------------------------------- the sample


@pytest.fixture(scope="module")
def nordhamra():
    run = open_run("scenarios/basomraden.toml")
    table = read_indicators(run.catalogue.layer("nordhamra_indicators"))
    steps, codes = run.membership(), sorted(table.data["area_id"].unique())
    above = {mark: sorted({c for c in steps["parent_id"] if mark in c}) for mark in "SN"}
    levels = {
        "basomrade": pd.Series(codes, codes),
        "stadsdel": parents_at(steps, codes, above["S"]),
        "stadsdelsnamnd": parents_at(steps, codes, above["N"]),
        "kommun": parents_at(steps, codes, ["0099"]),
    }
    return table, levels


@pytest.mark.parametrize("rounding", ["none", "stockholm", "base_5"])
def test_nothing_hidden_is_worked_out_on_the_sample(nordhamra, rounding):
    table, levels = nordhamra
    rules = DisclosureSpec(minimum_base=30, rounding=rounding)
    safe = protect(table, rules, levels=levels, minimum_coverage=0.6, periods=["2012"])
    assert safe.attack.recovered.empty
    assert safe.attack.hidden > 500
    if rounding == "none":
        again = attack(table, safe.tables, levels=levels, rules=rules, minimum_coverage=0.6)
        assert again.recovered.empty


def test_without_secondary_suppression_the_sample_gives_figures_away(nordhamra):
    table, levels = nordhamra
    rules = DisclosureSpec(minimum_base=30, secondary=False)
    found = protect(table, rules, levels=levels, minimum_coverage=0.6, periods=["2012"]).attack
    assert len(found.recovered) > 100
    truth = table.data.set_index(["area_id", "indicator", "period"])["numerator"]
    own = found.recovered.query("level == 'basomrade' and figure == 'count'")
    known = truth.reindex(pd.MultiIndex.from_frame(own[["area_id", "indicator", "period"]])).to_numpy()
    exact = (own["highest"] - own["lowest"] < 0.5).to_numpy() & ~np.isnan(known)
    assert exact.sum() > 50
    assert np.allclose(own["lowest"].to_numpy()[exact], known[exact])  # what it works out is the truth


def test_areas_that_are_not_shown_do_not_drag_the_shown_ones_along():
    # The blocks are not published, so that districts d2 and d3, which say nothing of anybody, stay as they are.
    table, levels = town(
        [1, 1, 20, 30, 40, 50, 60], [90, 90, 90, 90, 90, 300, 400], ["d1", "d1", "d2", "d2", "d3", "d4", "d5"]
    )
    del levels["block"]
    safe = protect(table, DisclosureSpec(), levels=levels)
    assert safe.cells[["area_id", "why"]].to_numpy().tolist() == [["d1", "cell"], ["d3", "secondary"]]
    assert safe.attack.recovered.empty
