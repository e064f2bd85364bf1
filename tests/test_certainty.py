"""How sure designations are: against exact chances, on towns whose true rates are known, and the laws they obey."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from geoplan.errors import SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.risk import draws as risk_draws, rank_uncertainty, risk_index
from geoplan.specs import DomainSpec, IndexSpec, IndicatorSpec, RuleSpec
from geoplan.targeting import select
from geoplan.targeting.certainty import designation_certainty
from geoplan.targeting.noise import drawing_of
from geoplan.targeting.stability import stability

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
MANY = 10_000


def definition(name, kind="share", unit="pct", direction="higher_is_worse"):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction)


def made(figures, *, period="2012", people=5000, kinds=None):
    """A table of counts: indicator → list of (cases, base), None where missing, a number where there are no counts."""
    kinds = {"income": ("mean", "tkr")} | (kinds or {})
    rows, areas = [], 0
    for name, cells in figures.items():
        areas = max(areas, len(cells))
        for code, cell in zip(codes(len(cells)), cells, strict=True):
            if cell is None:
                rows.append((code, name, period, np.nan, np.nan, np.nan, "not_collected"))
            elif np.isscalar(cell):
                rows.append((code, name, period, np.nan, np.nan, float(cell), "observed"))
            else:
                scale = 1000 if kinds.get(name, ("share",))[0] == "rate" else 100
                rows.append((code, name, period, *map(float, cell), scale * cell[0] / cell[1], "observed"))
    people = np.broadcast_to(people, areas)
    rows += [
        (code, "population", period, n, np.nan, n, "observed") for code, n in zip(codes(areas), people, strict=True)
    ]
    items = {name: definition(name, *kinds.get(name, ())) for name in figures}
    items["population"] = definition("population", "count", "persons", "neutral")
    return IndicatorTable(pd.DataFrame(rows, columns=COLUMNS).astype({"value": float, "numerator": float}), items)


def codes(many):
    width = max(len(str(many - 1)), 2)
    return [f"A{number:0{width}}" for number in range(many)]


def several(*tables):
    return IndicatorTable(pd.concat([t.data for t in tables], ignore_index=True), tables[0].definitions)


def criterion(name, **test):
    given = {} if {"indicator", "index", "numerator"} & set(test) else {"indicator": name}
    return {"id": name, "label": name, **given, **test}


def rule(criteria, statuses=None, **more):
    statuses = statuses or [{"criteria": [item["id"] for item in criteria]}]
    statuses = [{"id": f"s{number}", "label": "Status", **item} for number, item in enumerate(statuses)]
    about = {"title": "A rule", "family": "test", "law": "none", "authority": "nobody", "source": "tests"}
    return RuleSpec.model_validate({**about, **more, "criteria": criteria, "statuses": statuses})


def spec_of(*groups, **more):
    domains = [DomainSpec(id=f"d{n}", label="Domain", indicators=list(group)) for n, group in enumerate(groups)]
    return IndexSpec(domains=domains, **more)


def near(found, expected, many=MANY):
    """Five standard errors, and a little for shares of nothing."""
    expected = np.asarray(expected, dtype=float)
    return np.abs(np.asarray(found, dtype=float) - expected) < 5 * np.sqrt(expected * (1 - expected) / many) + 1e-3


# ---------------------------------------------------------------- against exact probabilities


COUNTS = [(29, 50), (28, 50), (3, 10), (580, 1000), (400, 1000), (7, 7), (0, 12)]


@pytest.mark.parametrize("compare", ["above", "at_least", "below", "at_most"])
def test_sampling_has_the_tail_of_the_binomial_and_strictness_counts(compare):
    # 29 of 50 is the limit itself, and 29 / 50 * 100 is not 58 as a binary number.
    table = made({"poor": COUNTS})
    chosen = select(table, rule([criterion("poor", compare=compare, limit=58)]))
    found = designation_certainty(chosen, draws=MANY, noise="sampling")
    y, n = np.array(COUNTS).T
    limit = 58 * n // 100  # the most that is not above 58 %
    exact = (58 * n) % 100 == 0
    below = stats.binom.cdf(np.where(exact, limit - 1, limit), n, y / n)
    upto = stats.binom.cdf(limit, n, y / n)
    expected = {"above": 1 - upto, "at_least": 1 - below, "below": below, "at_most": upto}[compare]
    assert near(found.table["p_designated"], expected).all()
    assert found.criteria["poor"].equals(found.table["p_designated"].rename("poor"))


def test_rounded_figures_are_compared_as_rounded():
    table = made({"poor": [(29, 50), (30, 77)]})
    chosen = select(table, rule([criterion("poor", compare="at_least", limit=58, decimals=0)]))
    found = designation_certainty(chosen, draws=MANY, noise="sampling")
    expected = [stats.binom.sf(np.ceil(0.575 * n) - 1, n, y / n) for y, n in [(29, 50), (30, 77)]]
    assert near(found.table["p_designated"], expected).all()


def test_sampling_of_rates_has_the_tail_of_the_poisson():
    counts = [(3, 1000), (5, 1000), (12, 2500)]
    table = made({"crime": counts}, kinds={"crime": ("rate", "per_1000")})
    chosen = select(table, rule([criterion("crime", compare="above", limit=4)]))
    found = designation_certainty(chosen, draws=MANY, noise="sampling").table
    expected = [stats.poisson.sf(4 * n / 1000, y) for y, n in counts]
    assert near(found["p_designated"], expected).all()


def test_posterior_has_the_tail_of_the_beta(monkeypatch):
    strength = 80.0

    def known(*_args, **_more):
        return np.full(3, strength), np.array([0.2, 0.3, 0.5])

    monkeypatch.setattr(risk_draws, "believed_strength", known)
    table = made({"poor": COUNTS})
    chosen = select(table, rule([criterion("poor", compare="above", limit=45)]))
    found = designation_certainty(chosen, draws=MANY).table
    y, n = np.array(COUNTS).T
    centre = (y.sum() - y) / (n.sum() - n)  # of the others
    expected = stats.beta.sf(0.45, y + strength * centre, n - y + strength * (1 - centre))
    assert near(found["p_designated"], expected).all()


def test_years_count_together():
    one, other = made({"poor": [(20, 50), (10, 60)]}, period="2011"), made({"poor": [(31, 50), (30, 55)]})
    book = rule([criterion("poor", compare="above", limit=50, mean_years=2)])
    found = designation_certainty(select(several(one, other), book, period=2012), draws=MANY, noise="sampling")
    expected = [stats.binom.sf(50, 100, 0.51), stats.binom.sf(57, 115, 40 / 115)]
    assert near(found.table["p_designated"], expected).all()


# ---------------------------------------------------------------- m of n, statuses on top of others


THREE = {"a": [(9, 20), (5, 10), (11, 30)], "b": [(4, 20), (3, 10), (8, 30)], "c": [(12, 20), (7, 12), (19, 30)]}
TESTS = [criterion("a", compare="above", limit=40), criterion("b", compare="at_least", limit=25),
         criterion("c", compare="below", limit=60)]  # fmt: skip
STATUSES = [
    {"criteria": ["a", "b", "c"], "least": 2},
    {"criteria": ["b", "c"], "least": 1, "required": ["a"]},
    {"based_on": ["s0"], "without": ["s1"]},
    {"any_of": ["s1", "s2"], "required": ["c"]},
]


def brute(p):
    """The chances of the statuses above, by all that the three criteria can come out as."""
    total = np.zeros(4)
    for a, b, c in product([True, False], repeat=3):
        chance = np.prod([q if met else 1 - q for q, met in zip(p, (a, b, c), strict=True)])
        s0, s1 = a + b + c >= 2, a and (b or c)
        s2 = s0 and not s1
        total += chance * np.array([s0, s1, s2, (s1 or s2) and c])
    return total


@pytest.mark.parametrize("main", ["s0", "s3"])
def test_statuses_have_the_chances_that_enumeration_gives(main):
    chosen = select(made(THREE), rule(TESTS, STATUSES, main=main))
    found = designation_certainty(chosen, draws=MANY, noise="sampling")
    for place, code in enumerate(codes(3)):
        (ya, na), (yb, nb), (yc, nc) = (THREE[name][place] for name in "abc")
        p = [stats.binom.sf(0.4 * na + 1e-9, na, ya / na), stats.binom.sf(np.ceil(0.25 * nb) - 1, nb, yb / nb),
             stats.binom.cdf(np.ceil(0.6 * nc - 1e-9) - 1, nc, yc / nc)]  # fmt: skip
        assert near(found.criteria.loc[code], p).all()
        assert near(found.statuses.loc[code], brute(p)).all()
    assert found.table["p_designated"].equals(found.statuses[main].rename("p_designated"))


def test_a_figure_is_drawn_once_however_many_criteria_stand_on_it():
    tests = [
        criterion("low", indicator="poor", compare="above", limit=30),
        criterion("high", indicator="poor", compare="above", limit=40),
        criterion("others", indicator="rich", compare="below", limit=60),
    ]
    statuses = [{"criteria": ["low", "high"]}, {"criteria": ["high"]}, {"criteria": ["others"]}, {"criteria": ["low"]}]
    table = made({"poor": [(36, 100), (8, 20), (300, 1000)]})
    chosen = select(table, rule(tests, statuses), indicators={"rich": {"indicator": "poor", "complement": True}})
    for noise in ("posterior", "sampling"):
        p = designation_certainty(chosen, noise=noise).statuses
        assert p["s0"].equals(p["s1"].rename("s0"))
        assert p["s2"].equals(p["s1"].rename("s2"))
        assert (p["s3"] >= p["s1"]).all()
        assert (p["s3"] > p["s1"]).any()


# ---------------------------------------------------------------- is it right in the long run?


def calibration(rates, *, noise, limits, least, sizes, towns=20, areas=150):
    """Chances of designation and whether the true rates meet the rule, over towns whose true rates are known."""
    rng = np.random.default_rng(11)
    names = "abc"[: len(limits)]
    tests = [criterion(name, compare="above", limit=limit) for name, limit in zip(names, limits, strict=True)]
    book = rule(tests, [{"criteria": list(names), "least": least}])
    chances, truths = [], []
    for number in range(towns):
        base = np.exp(rng.uniform(*np.log(sizes), areas)).round().astype(int)
        true = rates(rng, areas)
        cases = rng.binomial(base[:, None], true)
        table = made({name: list(zip(cases[:, i], base, strict=True)) for i, name in enumerate(names)})
        found = designation_certainty(select(table, book), draws=300, noise=noise, seed=number)
        chances.append(found.table["p_designated"].to_numpy())
        truths.append((100 * true > np.array(limits)).sum(axis=1) >= least)
    return np.concatenate(chances), np.concatenate(truths)


def beta_rates(rng, areas):
    return rng.beta([5, 4, 8], [22, 30, 20], (areas, 3))


def alike_rates(rng, areas):
    """True rates as the prior does not have them: logit-normal, and high together in the same areas."""
    level = rng.standard_normal((areas, 1))
    return 1 / (1 + np.exp(-(np.array([-1.5, -2.1, -0.9]) + 0.4 * level + 0.2 * rng.standard_normal((areas, 3)))))


def gaps(chances, truths):
    """How far the share of areas that truly meet the rule is from what was said, by fifths of the chances."""
    place = np.minimum((5 * chances).astype(int), 4)
    return np.array([truths[place == k].mean() - chances[place == k].mean() for k in range(5)])


@pytest.mark.parametrize("rates", [beta_rates, alike_rates])
def test_of_areas_said_to_be_in_by_half_half_are(rates):
    chances, truths = calibration(rates, noise="posterior", limits=(20, 12, 30), least=2, sizes=(40, 2000))
    assert np.abs(gaps(chances, truths)).max() < 0.07
    middle = (chances > 0.35) & (chances < 0.65)
    assert middle.sum() > 200
    assert abs(truths[middle].mean() - chances[middle].mean()) < 0.07
    assert abs(truths.mean() - chances.mean()) < 0.015
    # What is clear is clear.
    assert truths[chances > 0.9].mean() > 0.94
    assert truths[chances < 0.1].mean() < 0.03


def test_other_counts_of_the_same_rates_are_no_chance_of_the_truth():
    how = {"limits": (25.0,), "least": 1, "sizes": (40, 200), "towns": 8}

    def homely(rng, areas):
        return rng.beta(40, 160, (areas, 1))

    said, truths = calibration(homely, noise="sampling", **how)
    posterior, same = calibration(homely, noise="posterior", **how)
    assert (truths == same).all()
    assert said.mean() > truths.mean() + 0.05  # many areas look extreme by chance
    half = said > 0.5
    assert truths[half].mean() < said[half].mean() - 0.25
    assert abs(posterior.mean() - truths.mean()) < 0.02
    # The areas that chance made look extreme are those that the posterior doubts.
    assert abs(posterior[half].mean() - truths[half].mean()) < 0.06


# ---------------------------------------------------------------- what must not matter


def town(seed=3, areas=30, names="abcd"):
    rng = np.random.default_rng(seed)
    base = rng.integers(50, 2000, areas)
    rate = rng.beta(4, 16, (areas, len(names)))
    cases = rng.binomial(base[:, None], rate)
    return {name: list(zip(cases[:, i], base, strict=True)) for i, name in enumerate(names)}


BOTH = rule([criterion("a", compare="above", limit=20), criterion("b", compare="above", limit=18)])


def test_the_seed_decides_and_threads_and_the_order_of_rows_do_not():
    table = made(town())
    shuffled = IndicatorTable(table.data.sample(frac=1, random_state=2), table.definitions)
    one = designation_certainty(select(table, BOTH), draws=1300, threads=1)
    for other in (
        designation_certainty(select(table, BOTH), draws=1300, threads=3),
        designation_certainty(select(shuffled, BOTH), draws=1300),
    ):
        pd.testing.assert_frame_equal(one.table, other.table)
        pd.testing.assert_frame_equal(one.criteria, other.criteria)
        assert (one.numbers == other.numbers).all()
    again = designation_certainty(select(table, BOTH), draws=1300, seed=2)
    assert not one.table["p_designated"].equals(again.table["p_designated"])
    assert near(again.table["p_designated"], one.table["p_designated"], 600).all()


def test_smaller_chunks_are_other_draws_of_the_same(monkeypatch):
    chosen = select(made(town()), BOTH)
    one = designation_certainty(chosen, draws=4000).table["p_designated"]
    monkeypatch.setattr(risk_draws, "_MOST", 70)
    steps = []
    other = designation_certainty(chosen, draws=4000, threads=1, on_step=lambda *done: steps.append(done))
    assert steps[-1] == (4000, 4000)
    assert len(steps) == 58
    assert near(other.table["p_designated"], one, 2000).all()


def test_only_some_areas_are_judged_and_all_speak():
    table = made(town())
    all_ = designation_certainty(select(table, BOTH), draws=MANY).table
    few = designation_certainty(select(table, BOTH, area_ids=codes(7)), draws=MANY).table
    assert list(few.index) == codes(7)
    assert near(few["p_designated"], all_["p_designated"].head(7), MANY / 2).all()


# ---------------------------------------------------------------- what is not known, and what has no noise


def test_a_missing_figure_leaves_draws_open():
    cells = {"a": [(9, 20), None, (19, 20), (1, 500), (8, 20)], "b": [(9, 20), (9, 20), None, None, (9, 20)]}
    table = made(cells | {"c": [None, None, (9, 20), (1, 500), None]})
    tests = [criterion(name, compare="above", limit=40) for name in "abc"]
    chosen = select(table, rule(tests, [{"criteria": ["a", "b", "c"], "least": 2}]))
    found = designation_certainty(chosen, draws=MANY, noise="sampling")
    p = stats.binom.sf(8, 20, 0.45)
    rows = found.table
    # Two known: in for sure where both are met, perhaps where one is.
    assert near(rows.loc["A00", ["p_low", "p_high"]], [p**2, 1 - (1 - p) ** 2]).all()
    assert np.isnan(rows.loc["A00", "p_designated"])
    assert rows.loc["A00", "open"] > 0
    assert rows.loc["A00", "draws"] + rows.loc["A00", "open"] == MANY
    # One known: never in for sure.
    assert rows.loc["A01", "p_low"] == 0
    assert rows.loc["A01", "p_high"] == 1
    # 19 of 20 is met nearly always, and the other half the time: not on the border for sure, as it may be always in.
    assert rows.loc["A02", "class"] == "unknown"
    assert rows.loc["A03", "class"] == "clear_out"
    assert near(found.criteria.loc["A00", "a"], p)
    assert np.isnan(found.criteria.loc["A00", "c"])
    # On the border, whatever the missing figure is, though today's figures do not tell.
    assert rows.loc["A04", "class"] == "borderline"
    assert found.near().index.tolist() == ["A00", "A04"]
    assert found.near().loc["A04", "words"] == "is not known as the figures stand, for want of c"
    assert any("A02" in line for line in found.lines() if line.startswith("Not known"))


def test_small_and_unlisted_areas_are_out_for_sure():
    table = made({"a": [(9, 20), (9, 20), None]}, people=[900, 5000, 900])
    book = rule(
        [criterion("a", compare="above", limit=40)], [{"criteria": ["a"], "minimum_population": 1000}], listed="board"
    )
    inside = {"board": pd.Series(["N", "S", "N"], index=codes(3))}
    found = designation_certainty(select(table, book, inside=inside, listed=["N"]))
    assert found.table["p_designated"].tolist() == [0, 0, 0]
    assert (found.table["class"] == "clear_out").all()
    assert found.without_noise == {"population": 3}


def test_figures_without_counts_stay_and_are_told():
    table = made({"income": [200.0, 260.0, 230.0], "a": [(9, 20), (9, 20), 45.0]})
    tests = [criterion("income", compare="below", limit=230), criterion("a", compare="above", limit=40)]
    found = designation_certainty(select(table, rule(tests, [{"criteria": ["income", "a"], "least": 1}])))
    assert found.without_noise == {"income": 3, "a": 1}
    assert found.criteria["income"].tolist() == [1, 0, 0]
    assert found.drawn["a"].tolist() == [True, True, False]
    assert found.criteria.loc["A02", "a"] == 1
    # The last area stands on figures that say nothing of chance.
    assert found.table["class"].tolist()[2] == "unknown"
    assert np.isnan(found.table.loc["A02", "p_designated"])
    assert "income (3), a (1)" in found.lines()[2]


def test_no_counts_at_all():
    chosen = select(made({"income": [200.0, 260.0]}), rule([criterion("income", compare="below", limit=230)]))
    found = designation_certainty(chosen)
    assert found.table["p_designated"].isna().all()
    assert (found.table["class"] == "unknown").all()
    assert found.criteria["income"].tolist() == [1, 0]
    assert found.near().empty
    assert found.lines()[-1] == "Not known: A00, A01"


def test_limits_made_of_the_areas_stay_as_they_are():
    cells = [(30, 100), (10, 100), (20, 100)]
    book = rule([criterion("a", compare="above", factor=1.25, of="city")])
    found = designation_certainty(select(made({"a": cells}), book), draws=MANY, noise="sampling").table
    assert near(found["p_designated"], [stats.binom.sf(25, 100, y / 100) for y in (30, 10, 20)]).all()


def test_one_area_and_nobody():
    one = select(made({"a": [(9, 20)]}), rule([criterion("a", compare="above", limit=40)]))
    assert 0.1 < designation_certainty(one).table["p_designated"].iloc[0] < 0.9
    nobody = select(made(town()), rule([criterion("a", compare="above", limit=99.9)]))
    found = designation_certainty(nobody)
    assert (found.table["p_designated"] == 0).all()
    assert found.near().empty
    assert found.lines()[2] == "0 of 30 areas qualify; in 9 of 10 draws it is 0"
    assert len(found.near(3)) == 3
    many = made({"a": [(40, 100)] * 30})
    lines = designation_certainty(select(many, rule([criterion("a", compare="at_least", limit=40)]))).lines()
    assert sum(line.startswith("On the border: A") for line in lines) == 10
    assert lines[-1] == "On the border, and not listed here: 20 areas"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"draws": 0}, "draws"),
        ({"threads": 0}, "threads"),
        ({"noise": "none"}, "noise"),
        ({"borderline": (0.9, 0.1)}, "borderline"),
        ({"borderline": (0.1,)}, "borderline"),
        ({"shrink_towards": "parent"}, "parents"),
        ({"shrink_towards": "moon"}, "towards"),
    ],
)
def test_bad_arguments(given, key):
    with pytest.raises(SpecError) as caught:
        designation_certainty(select(made(town()), BOTH), **given)
    assert caught.value.faults[0].key == key


def test_a_share_with_more_cases_than_people():
    with pytest.raises(TableError, match="30 cases of 20"):
        designation_certainty(select(made({"a": [(30, 20)]}), rule([criterion("a", compare="above", limit=1)])))


# ---------------------------------------------------------------- memory over years


def test_memory_stays_as_observed():
    before = made({"a": [(50, 100), (10, 100), (50, 100), None]}, period="2011")
    now = made({"a": [(45, 100), (45, 100), (5, 500), (45, 100)]})
    test = [criterion("a", compare="above", limit=40)]
    table = several(before, now)
    found = designation_certainty(
        select(table, rule(test, [{"criteria": ["a"], "years": 2}]), period=2012), draws=MANY, noise="sampling"
    ).table
    p = stats.binom.sf(40, 100, 0.45)
    assert near(found.loc["A00", "p_designated"], p)
    assert found.loc["A01", "p_designated"] == 0
    assert found.loc["A01", "class"] == "clear_out"
    assert found.loc["A02", "p_designated"] == 0
    # Nobody knows what was before: out for sure, or perhaps in.
    assert found.loc["A03", "p_low"] == 0
    assert near(found.loc["A03", "p_high"], p)
    leaving = rule(test, [{"criteria": ["a"], "exit_years": 2}])
    kept = designation_certainty(select(table, leaving, period=2012), draws=500).table
    assert kept.loc[["A00", "A02"], "p_designated"].tolist() == [1, 1]
    lists = pd.DataFrame({"area_id": ["A01"], "period": ["2011"], "status": ["s0"], "holds": [True]})
    chosen = select(now, rule(test, [{"criteria": ["a"], "years": 2}]), period=2012, earlier=lists)
    found = designation_certainty(chosen, draws=MANY, noise="sampling").table
    # Who was on the list last year stays while all holds; of who was not, nobody knows whether this is the second year.
    assert near(found.loc["A01", "p_designated"], p)
    assert found.loc["A02", "p_designated"] == 0
    for code in ("A00", "A03"):
        assert found.loc[code, "p_low"] == 0
        assert near(found.loc[code, "p_high"], p)


# ---------------------------------------------------------------- rules on the index


def test_an_indicator_in_the_index_and_in_a_criterion_is_drawn_once():
    table = made({"a": town()["a"]})
    spec = spec_of(["a"])
    index = risk_index(table, spec, period="2012")
    tests = [
        criterion("risk", index="score", compare="above", limit=110),
        criterion("a", compare="above", factor=1.1, of="city"),
    ]
    chosen = select(
        table, rule(tests, [{"criteria": ["risk", "a"], "least": 1}, {"criteria": ["risk", "a"]}]), index=index
    )
    for noise in ("posterior", "sampling"):
        p = designation_certainty(chosen, noise=noise)
        assert p.statuses["s0"].equals(p.statuses["s1"].rename("s0"))
        assert p.criteria["risk"].equals(p.criteria["a"].rename("risk"))
    assert p.drawn.all(axis=None)


def test_an_index_of_some_areas_and_a_criterion_on_all():
    table = made(town())
    index = risk_index(table, spec_of(["a", "b"]), period="2012", area_ids=codes(20))
    tests = [
        criterion("risk", index="score", compare="above", factor=1, of="city"),
        criterion("a", compare="above", limit=20),
    ]
    chosen = select(table, rule(tests, [{"criteria": ["risk", "a"]}, {"criteria": ["a"]}]), index=index)
    found = designation_certainty(chosen)
    assert found.criteria.loc[codes(30)[20:], "risk"].isna().all()
    assert found.criteria["a"].notna().all()
    assert (found.table.loc[codes(30)[20:], "p_low"] == 0).all()


@pytest.mark.parametrize("noise", ["posterior", "sampling"])
def test_the_highest_of_an_index_are_those_of_rank_uncertainty(noise):
    table, spec = made(town()), spec_of(["a", "b"], ["c", "d"])
    index = risk_index(table, spec, period="2012")
    book = rule([criterion("top", index="score", top=6)])
    found = designation_certainty(select(table, book, index=index), draws=1500, noise=noise, seed=4)
    sure = rank_uncertainty(table, spec, period="2012", draws=1500, noise=noise, seed=4, top=6, line=100).table
    assert np.allclose(found.table["p_designated"], sure["p_top"].reindex(found.table.index))
    line = rule([criterion("risk", index="score", compare="above", factor=1, of="city")])
    found = designation_certainty(select(table, line, index=index), draws=1500, noise=noise, seed=4)
    assert np.allclose(found.table["p_designated"], sure["p_above"].reindex(found.table.index))


SCB = {"low_education": "a", "low_economic_standard": "b", "assistance_or_unemployed": "c"}


def every_rule():
    table = made(town())
    yield select(table, "scb_area_types", indicators=SCB)
    yield select(table, BOTH)
    index = risk_index(table, spec_of(["a", "b"], ["c"], method="percentile"), period="2012")
    yield select(table, rule([criterion("risk", index="score", compare="at_least", limit=0.7)]), index=index)
    yield select(table, rule([criterion("a", top_share=0.2), criterion("risk", index="score", top=7)]), index=index)
    odd = made({"a": [(29, 50), (14, 50), (28, 50), None, 58.0]})
    yield select(odd, rule([criterion("a", compare="at_least", limit=58)]))
    counted = made({"a": [(29, 50), (14, 50), (28, 50), None]})
    yield select(counted, rule([criterion("a", compare="above", factor=1, of="city", includes_area=False)]))


def test_draws_without_noise_give_what_the_figures_give():
    for chosen in every_rule():
        drawing = drawing_of(chosen.ready, chosen.given, noise="none")
        meets, problems = drawing.draw([np.random.default_rng(n) for n in range(5)], 2)
        assert (problems == "").all()
        observed = chosen.ready.judge(chosen.ready.observed())
        for name, verdict in chosen.ready.judge(meets).items():
            assert (verdict.sure == observed[name].sure).all()
            assert (verdict.possible == observed[name].possible).all()


def test_classes_are_made_anew_in_each_draw():
    found = designation_certainty(select(made(town()), "scb_area_types", indicators=SCB), draws=600)
    p = found.statuses
    assert (p["great_challenges"] <= p["challenges"]).all()
    assert found.table["p_designated"].between(0.05, 0.95).any()
    # Classes are by standard deviations, so that about as many are in whatever the draw.
    assert found.numbers.std() < 3


def test_draws_that_the_index_cannot_score_are_counted():
    cells = [(1, 200), (40, 1000), (30, 1000), (50, 1000)]
    table = made({"a": cells}, kinds={"a": ("rate", "per_1000", "higher_is_better")})
    index = risk_index(table, spec_of(["a"]), period="2012")
    book = rule([criterion("risk", index="score", compare="above", factor=1, of="city")])
    found = designation_certainty(select(table, book, index=index), draws=4000, noise="sampling")
    nothing = int(found.failed["draws"].sum())  # no event in the first area: its reciprocal has no value
    assert near(nothing / 4000, np.exp(-1), 4000)
    assert found.failed["reason"].tolist() == ["some areas have no score"]
    assert found.table.loc["A00", "draws"] == 4000 - nothing
    assert found.table.loc["A00", "open"] == 0
    assert found.table.loc["A00", "p_designated"] == 1
    assert (found.table["draws"][1:] == 4000).all()
    assert (found.numbers == -1).sum() == nothing
    assert any("some areas have no score" in line for line in found.lines())


def test_an_index_of_another_table_is_refused():
    other = risk_index(made(town(seed=9)), spec_of(["a", "b"]), period="2012")
    chosen = select(made(town()), rule([criterion("risk", index="score", top=3)]), index=other)
    with pytest.raises(SpecError, match="does not follow from the table"):
        designation_certainty(chosen)


# ---------------------------------------------------------------- lists and words


def test_the_border_has_two_sides_with_margins_in_people():
    table = made({"a": [(43, 100), (38, 100), (900, 1000), (50, 1000), (405, 1000), (41, 100)]})
    found = designation_certainty(select(table, rule([criterion("a", compare="above", limit=40)])), noise="sampling")
    rows = found.near()
    assert list(rows.index) == ["A05", "A04", "A00", "A01"]
    assert rows["qualified"].tolist() == [True, True, True, False]
    assert rows["margin"].tolist() == [-1, -5, -3, 3]
    assert rows.loc["A01", "words"] == "does not qualify; it would with 3 more (a)"
    assert found.areas("clear_in") == ["A02"]
    assert found.areas("clear_out") == ["A03"]
    assert found.near(1).index.tolist() == ["A05", "A01"]
    lines = found.lines(names={"A01": "Havnen"})
    assert any(line.startswith("On the border: Havnen, in ") for line in lines)
    with pytest.raises(SpecError, match="clear_in"):
        found.areas("sure")


def test_who_qualifies_against_the_draws_is_told():
    cells = [(2, 4), *[(50, 1000)] * 30]
    found = designation_certainty(select(made({"a": cells}), rule([criterion("a", compare="above", limit=40)])))
    assert found.table.loc["A00", "qualified"]
    assert found.against == ["A00"]
    assert found.near().index.tolist() == ["A00"]
    assert any(line.startswith("Against its draws: A00") for line in found.lines())


# ---------------------------------------------------------------- other years and conventions


def test_the_rule_is_put_to_the_years_around():
    years = {"2010": [(9, 10), (9, 10), (1, 10)], "2012": [(9, 10), (1, 10), (1, 10)], "2013": [(9, 10), (9, 10), None]}
    table = several(*(made({"a": cells}, period=year) for year, cells in years.items()))
    chosen = select(table, rule([criterion("a", compare="above", limit=50)]), period=2012)
    found = stability(chosen)
    assert list(found.table) == ["years"]
    assert found.table["years"].tolist() == [1, 1, 0]
    assert found.same["years"].tolist() == [1, 0, 1]
    assert found.flips.to_numpy().tolist() == [["years", "2010", "A01", "in"], ["years", "2013", "A01", "in"]]
    assert found.variants["unknown"].tolist() == [0, 1]
    assert found.flipping() == found.flipping("years") == ["A01"]
    assert stability(chosen, periods=[2013]).variants["variant"].tolist() == ["2013"]
    assert any("A01 (out today, and in 0 % of the variants)" in line for line in found.lines())
    with pytest.raises(SpecError, match="2020"):
        stability(chosen, periods=["2020"])


def test_streaks_go_with_the_years():
    cells = {"2010": [(9, 10), (9, 10)], "2011": [(9, 10), (1, 10)]}
    cells |= {"2012": [(1, 10), (9, 10)], "2013": [(9, 10), (9, 10)]}
    table = several(*(made({"a": own}, period=year) for year, own in cells.items()))
    book = rule([criterion("a", compare="above", limit=50)], [{"criteria": ["a"], "years": 2}])
    found = stability(select(table, book, period=2012))
    assert found.flips.to_numpy().tolist() == [["years", "2011", "A00", "in"], ["years", "2013", "A01", "in"]]
    lists = pd.DataFrame({"area_id": ["A00"], "period": ["2012"], "status": ["s0"], "holds": [True]})
    told = select(table, book, period=2012, earlier=lists)
    with pytest.raises(SpecError, match="earlier"):
        stability(told)
    assert stability(told, earlier=lists).same.shape == (2, 1)


@pytest.fixture(scope="module")
def indexed():
    table = several(made(town(2), period="2011"), made(town(3)), made(town(4), period="2013"))
    spec = spec_of(["a", "b"], ["c", "d"])
    index = risk_index(table, spec, period="2012")
    return table, spec, select(table, rule([criterion("risk", index="score", top=6)]), period=2012, index=index)


def highest(index):
    return set(index.ranking.index[index.ranking["rank"] <= 6])


def test_conventions_of_the_index_one_by_one(indexed):
    table, spec, chosen = indexed
    found = stability(chosen, weight_draws=300)
    assert list(found.table) == ["years", "weights", "left_out", "normalisations", "aggregations"]
    today = set(chosen.chosen)

    def flipped(group, variant):
        rows = found.flips[(found.flips["group"] == group) & (found.flips["variant"] == variant)]
        return today ^ set(rows["area_id"])

    assert flipped("left_out", "a") == highest(risk_index(table, spec_of(["b"], ["c", "d"]), period="2012"))
    assert flipped("left_out", "d") == highest(risk_index(table, spec_of(["a", "b"], ["c"]), period="2012"))
    for name in ("z_score", "percentile", "min_max"):
        other = spec.model_copy(update={"inside": spec.inside.model_copy(update={"normalisation": name})})
        assert flipped("normalisations", name) == highest(risk_index(table, other, period="2012"))
    for name in ("geometric", "harmonic"):
        update = {key: getattr(spec, key).model_copy(update={"aggregation": name}) for key in ("inside", "between")}
        assert flipped("aggregations", name) == highest(
            risk_index(table, spec.model_copy(update=update), period="2012")
        )
    for period in ("2011", "2013"):
        assert flipped("years", period) == highest(risk_index(table, spec, period=period))
    sure = rank_uncertainty(table, spec, period="2012", draws=300, noise="none", weights_concentration=50, top=6).table
    assert np.allclose(found.table["weights"], sure["p_top"].reindex(found.table.index))
    assert found.failed.empty
    assert found.variants.groupby("group")["variants"].sum().to_dict() == {
        "aggregations": 2, "left_out": 4, "normalisations": 6, "weights": 300, "years": 2,
    }  # fmt: skip
    assert found.same.le(1).all(axis=None)
    assert len(found.lines()) == 6


def test_more_concentrated_weights_change_less(indexed):
    loose = stability(indexed[2], concentration=5, normalisations=(), aggregations=(), periods=[2011])
    tight = stability(indexed[2], concentration=5000, normalisations=(), aggregations=(), periods=[2011])
    assert tight.same["weights"].mean() > loose.same["weights"].mean()
    assert list(tight.table) == ["years", "weights", "left_out"]
    none = stability(indexed[2], weight_draws=0, normalisations=(), aggregations=["geometric"], periods=[])
    assert list(none.table) == ["left_out", "aggregations"]


def test_variants_that_fail_are_named(indexed):
    table, spec, _ = indexed
    index = risk_index(table, spec, period="2012")
    book = rule([criterion("risk", index="score", compare="above", limit=110)])
    found = stability(select(table, book, period=2012, index=index), periods=[])
    assert set(found.failed["group"]) == {"normalisations"}
    assert "another scale" in found.failed["reason"].iloc[0]
    assert "normalisations" not in found.table
    assert any("not made" in line for line in found.lines())
    asked = stability(select(table, book, period=2012, index=index), normalisations=["distance_to_target"], periods=[])
    assert asked.failed["variant"].tolist() == ["distance_to_target"]


def test_against_the_citys_average_the_average_is_made_anew(indexed):
    table, spec, _ = indexed
    index = risk_index(table, spec, period="2012")
    book = rule([criterion("risk", index="score", compare="above", factor=1, of="city")])
    found = stability(select(table, book, period=2012, index=index), normalisations=["z_score", "min_max"])
    assert found.failed.empty
    assert found.variants["designated"].between(5, 25).all()
    z = spec_of(["a", "b"], ["c", "d"], method="z_score")
    chosen = select(table, book, period=2012, index=risk_index(table, z, period="2012"))
    again = stability(chosen, periods=[])
    assert again.failed["variant"].tolist() == ["geometric", "harmonic"]  # z-scores are negative
    without = risk_index(table, spec_of(["b"], ["c", "d"], method="z_score"), period="2012").ranking
    expected = set(without.index[without["score"] > without["score"].mean()])
    rows = again.flips[(again.flips["group"] == "left_out") & (again.flips["variant"] == "a")]
    assert set(chosen.chosen) ^ set(rows["area_id"]) == expected


def test_stability_of_a_preset_and_of_nothing():
    found = stability(select(made(town()), "scb_area_types", indicators=SCB), weight_draws=50)
    assert {"weights", "left_out"} <= set(found.table)
    assert (found.failed["group"] == "left_out").all()  # all three must be known
    nothing = stability(select(made(town()), BOTH))
    assert nothing.table.shape == (30, 0)
    assert nothing.flipping() == []
    assert "nothing to vary" in nothing.lines()[-1]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"weight_draws": -1}, "weight_draws"),
        ({"concentration": 0.0}, "concentration"),
        ({"normalisations": ["moon"]}, "normalisations"),
        ({"aggregations": ["mean"]}, "aggregations"),
    ],
)
def test_bad_variants(indexed, given, key):
    with pytest.raises(SpecError) as caught:
        stability(indexed[2], **given)
    assert caught.value.faults[0].key == key
