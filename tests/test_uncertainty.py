"""How sure ranks are: on towns whose true ranks are known, against other libraries, and the laws it obeys."""

import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from geoplan.errors import SpecError
from geoplan.places import IndicatorTable
from geoplan.risk import RankUncertainty, choice_effects, rank_uncertainty, risk_index
from geoplan.risk.draws import Options, beliefs_of, chunks_of, each_chunk, ranks_of
from geoplan.risk.effects import sobol
from geoplan.risk.uncertainty import rank_ends
from geoplan.specs import CombineSpec, DomainSpec, IndexSpec, IndicatorSpec, PartSpec

COLUMNS = ["area_id", "indicator", "numerator", "denominator", "value"]
RESIDENTS = IndicatorSpec(id="population", label="Residents", kind="count", unit="persons", direction="neutral")


def share(name, direction="higher_is_worse", kind="share", unit="pct"):
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction)


def made(cases, base, *, value=None, kind="share", unit="pct", scale=100.0):
    """A table of counts, areas × indicators, with residents."""
    ids = [f"A{number:03}" for number in range(len(cases))]
    names = [f"i{number}" for number in range(cases.shape[1])]
    base = np.broadcast_to(np.asarray(base, dtype=float)[:, None], cases.shape)
    value = scale * cases / base if value is None else value
    frames = [
        pd.DataFrame(dict(zip(COLUMNS, (ids, name, cases[:, i].astype(float), base[:, i], value[:, i]), strict=True)))
        for i, name in enumerate(names)
    ]
    people = dict(zip(COLUMNS, (ids, "population", base[:, 0], np.nan, base[:, 0]), strict=True))
    data = pd.concat([*frames, pd.DataFrame(people)], ignore_index=True).assign(period="2012", status="observed")
    return IndicatorTable(data, {name: share(name, kind=kind, unit=unit) for name in names} | {"population": RESIDENTS})


def spec_of(*groups, **more):
    domains = [
        DomainSpec(id=f"d{number}", label="Domain", indicators=list(group)) for number, group in enumerate(groups)
    ]
    return IndexSpec(domains=domains, **more)


SIX = spec_of(["i0", "i1", "i2"], ["i3", "i4"], ["i5"])
ASKED = {"period": "2012", "draws": 400}


@pytest.fixture(scope="module")
def town():
    rng = np.random.default_rng(3)
    base = rng.integers(60, 3000, 30)
    return made(rng.binomial(base[:, None], rng.beta(4, 30, (30, 6))), base)


@pytest.fixture(scope="module")
def sure(town):
    return rank_uncertainty(town, SIX, top=5, line=100, **ASKED)


# ---------------------------------------------------------------- do the intervals cover the true ranks?


def beta_rates(rng, areas, indicators):
    """True rates as the prior has them: Beta, with any mean and strength."""
    centre, strength = rng.uniform(0.03, 0.4, indicators), rng.uniform(10, 150, indicators)
    return rng.beta(strength * centre, strength * (1 - centre), (areas, indicators))


def logit_rates(rng, areas, indicators):
    """True rates as the prior does not have them: logit-normal, and high together in the same areas."""
    centre, common = rng.uniform(0.03, 0.4, indicators), rng.standard_normal((areas, 1))
    own = rng.standard_normal((areas, indicators))
    return 1 / (1 + np.exp(-np.log(centre / (1 - centre)) - 0.3 * common - 0.4 * own))


def alike_rates(rng, areas, indicators):
    """True rates that go together in the same areas far more than each goes its own way."""
    centre, common = rng.uniform(0.03, 0.4, indicators), rng.standard_normal((areas, 1))
    own = rng.standard_normal((areas, indicators))
    return 1 / (1 + np.exp(-np.log(centre / (1 - centre)) - 0.45 * common - 0.25 * own))


def few_alike_rates(rng, areas, indicators):
    """The same of rarer ones, so that the counts of small areas say little of each."""
    centre, common = np.exp(rng.uniform(np.log(0.03), np.log(0.4), indicators)), rng.standard_normal((areas, 1))
    own = rng.standard_normal((areas, indicators))
    return 1 / (1 + np.exp(-np.log(centre) - 0.4 * common - 0.3 * own))


def gamma_rates(rng, areas, indicators):
    """True rates of events, a tenth of which have twice the rate of others."""
    centre, shape = rng.uniform(0.01, 0.2, indicators), rng.uniform(3, 20, indicators)
    high = 1 + (rng.random((areas, indicators)) < 0.1)
    return rng.gamma(shape, centre / shape, (areas, indicators)) * high


def covered(rates, *, towns, areas=40, indicators=6, kind="share", sizes=(100, 5000), of="rank", **options):
    """The share of true ranks inside their intervals, area by area of many towns."""
    rng = np.random.default_rng(5)
    spec = spec_of([f"i{number}" for number in range(indicators)])
    inside = []
    for number in range(towns):
        # Half of the towns have areas of all sizes alike, half mostly small ones.
        base = rng.integers(*sizes, areas)
        if number % 2:
            base = np.exp(rng.uniform(*np.log(sizes), areas)).round().astype(int)
        true = rates(rng, areas, indicators)
        counts = rng.poisson(base[:, None] * true) if kind == "rate" else rng.binomial(base[:, None], true)
        table = made(counts, base, kind=kind)
        found = rank_uncertainty(table, spec, period="2012", draws=600, seed=number, **options).table
        # The index of the true rates: each relative to the true rate of the city, and their mean.
        score = (true / (base @ true / base.sum())).mean(axis=1)
        true_one = 100 * score if of == "score" else stats.rankdata(-score, method="min")
        truth = pd.Series(true_one, index=table.wide("2012").index).reindex(found.index)
        inside.append(((found[f"{of}_low"] <= truth) & (truth <= found[f"{of}_high"])).mean())
    return float(np.mean(inside))


def test_ninety_per_cent_intervals_cover_the_true_ranks():
    assert 0.88 < covered(beta_rates, towns=60) < 0.92


@pytest.mark.slow
def test_they_cover_where_the_prior_is_not_what_the_rates_are():
    assert 0.88 < covered(logit_rates, towns=60) < 0.92


def test_they_cover_for_rates_of_events():
    assert 0.88 < covered(gamma_rates, towns=30, kind="rate") < 0.92


def test_they_cover_when_areas_are_drawn_towards_their_parents():
    def by_parent(rng, areas, indicators):
        centre = rng.beta(3, 20, (areas // 5, indicators))[np.arange(areas) % (areas // 5)]
        return rng.beta(60 * centre + 0.01, 60 * (1 - centre) + 0.01)

    parents = pd.Series([f"P{number % 8}" for number in range(40)], index=[f"A{number:03}" for number in range(40)])
    assert 0.88 < covered(by_parent, towns=30, shrink_towards="parent", parents=parents) < 0.92


@pytest.mark.slow
def test_they_cover_when_a_few_indicators_are_high_together():
    # The level of an area is not known exactly; taken as known, 0.864 of the ranks and 0.858 of the scores are covered.
    assert 0.88 < covered(few_alike_rates, towns=60, sizes=(100, 2000)) < 0.92
    assert 0.88 < covered(few_alike_rates, towns=60, sizes=(100, 2000), of="score") < 0.92


@pytest.mark.slow
def test_they_cover_when_many_indicators_are_high_together():
    # Drawn towards the city one indicator at a time, the areas far above it would be pulled back in every one.
    assert 0.87 < covered(alike_rates, towns=15, indicators=24, sizes=(100, 1500)) < 0.93
    scores = covered(alike_rates, towns=15, indicators=24, sizes=(100, 1500), of="score")
    assert 0.86 < scores < 0.93  # 0.66 without the common level, 0.82 where it is taken as known


def test_an_eighty_per_cent_interval_is_narrower_and_covers_eighty():
    assert 0.77 < covered(beta_rates, towns=30, level=0.80) < 0.83


# ---------------------------------------------------------------- the draws against scipy's distributions


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        ("share", lambda y, n, m, s: stats.beta(y + s * m, n - y + s * (1 - m))),
        ("rate", lambda y, n, m, s: stats.gamma(y + s * m, scale=1 / (n + s))),
    ],
)
def test_true_rates_are_drawn_from_their_posterior(kind, law):
    """Kolmogorov-Smirnov of 20,000 draws a cell against the mixture over the strengths, by hand from scipy's cdf."""
    cases, base = np.array([[0.0], [3.0], [40.0], [200.0], [5.0]]), np.array([30, 60, 200, 900, 5])
    table = made(
        cases, base, kind=kind, unit="pct" if kind == "share" else "per_1000", scale=1e3 if kind == "rate" else 1e2
    )
    beliefs, bare = beliefs_of(table, table.wide("2012")[["i0"]], "2012")
    assert bare == {}
    drawn = beliefs.draw(np.random.default_rng(1), 20_000)[:, :, 0] / beliefs.scale[0]
    chances = np.diff(beliefs.cumulated[0], prepend=0.0)
    assert chances.sum() == pytest.approx(1)
    for area in range(5):
        y, n = cases[area, 0], base[area]
        others = (cases.sum() - y) / (base.sum() - n)  # the centre leaves the area itself out
        assert beliefs.centre[area, 0] == pytest.approx(others)

        def cdf(x, y=y, n=n, others=others):
            parts = [law(y, n, others, s).cdf(x) * p for s, p in zip(beliefs.strengths[0], chances, strict=True)]
            return np.sum(parts, axis=0)

        assert stats.kstest(drawn[:, area], cdf).statistic < 0.015


def test_sampling_noise_is_binomial_and_poisson():
    cases, base = np.array([[10.0], [0.0]]), np.array([50, 40])
    table = made(cases, base)
    beliefs, _ = beliefs_of(table, table.wide("2012")[["i0"]], "2012", noise="sampling")
    drawn = beliefs.draw(np.random.default_rng(1), 20_000)[:, :, 0]
    assert drawn[:, 0].mean() == pytest.approx(20, abs=0.2)
    assert drawn[:, 0].var() == pytest.approx(100**2 * 0.2 * 0.8 / 50, rel=0.05)
    assert (drawn[:, 1] == 0).all()
    table = made(cases, base, kind="rate", unit="per_1000", scale=1000.0)
    beliefs, _ = beliefs_of(table, table.wide("2012")[["i0"]], "2012", noise="sampling")
    drawn = beliefs.draw(np.random.default_rng(1), 20_000)[:, 0, 0]
    assert drawn.var() == pytest.approx(1000**2 * 10 / 50**2, rel=0.05)


def test_zero_and_full_counts_keep_their_doubt():
    cases, base = np.array([[0.0], [30.0], [12.0]]), np.array([20, 30, 100])
    table = made(cases, base)
    beliefs, _ = beliefs_of(table, table.wide("2012")[["i0"]], "2012")
    drawn = beliefs.draw(np.random.default_rng(1), 4000)[:, :, 0]
    assert (drawn.std(axis=0) > 0.5).all()
    assert drawn.min() >= 0
    assert drawn.max() <= 100


def test_dirichlet_weights_have_the_mean_sum_and_spread_they_should():
    options = Options(np.array([1.0, 3.0]), np.array([1.0, 1.0, 2.0, 5.0]), ((0, 1, 2), (3,)), concentration=15.0)
    rngs = [np.random.default_rng(number) for number in range(4)]
    domains, indicators = options.weights_of(options.draw(rngs, 40_000))
    assert domains.sum(axis=1) == pytest.approx(np.full(40_000, 4.0))
    assert domains.mean(axis=0) == pytest.approx([1, 3], rel=0.01)
    assert (domains[:, 0] / 4).std() == pytest.approx(np.sqrt(0.25 * 0.75 / 16), rel=0.02)
    assert indicators[:, :3].sum(axis=1) == pytest.approx(np.full(40_000, 4.0))
    assert indicators.mean(axis=0) == pytest.approx([1, 1, 2, 5], rel=0.01)
    assert (indicators[:, 3] == 5).all()


def test_weights_of_sub_domains_are_drawn_too(town):
    """Two sub-domains of one indicator each: their weights, w and 1 - w, alone decide; each pair of ranks at some w."""
    parts = [PartSpec(id=f"p{number}", label="Part", indicators=[f"i{number}"]) for number in range(2)]
    spec = IndexSpec(domains=[DomainSpec(id="d", label="Domain", parts=parts)])
    made_so = {"period": "2012", "noise": "none", "weights_concentration": 8}
    found = rank_uncertainty(town, spec, draws=4000, **made_so)
    one, other = risk_index(town, spec, period="2012").relative.reindex(found.table.index).to_numpy().T
    # A over B where w (a0 - b0) + (1 - w)(a1 - b1) > 0, w from a Beta(4, 4): the Dirichlet of two.
    first, second = found.table.index[3], found.table.index[6]
    gain, loss = one[3] - one[6], other[3] - other[6]
    limit = -loss / (gain - loss)
    expected = stats.beta(4, 4).sf(limit) if gain > loss else stats.beta(4, 4).cdf(limit)
    assert found.worse(first, second) == pytest.approx(expected, abs=0.03)
    assert (found.table["rank_high"] > found.table["rank_low"]).sum() > 15
    effects = choice_effects(town, spec, n=64, **made_so)
    assert effects["total"]["weights"] == pytest.approx(1, abs=0.3)


# ---------------------------------------------------------------- intervals worked by hand


def test_interval_ends_by_hand():
    """Ten draws each. F below + half of f at the rank, tails of 5 %, then the rarer end where the rest is nearer 90 %.

    1 1 1 1 1 1 1 1 1 1: only rank 1. 1 2 2 2 2 2 2 2 2 3: mid-P .05 at 1 and .95 at 3, so 1-3 holds 1.0; without the
    rarer end .9, which is nearer: the tie of 1 and 3 goes against the lower one. 1 1 1 1 1 2 2 2 2 2: .25 and .75, both
    stay, for .5 is no nearer than 1. The last has a rank in four draws alone: 2 3 3 4, mid-P .125, .5 and .875.
    """
    ordered = np.array([[1] * 10, [1, *[2] * 8, 3], [1] * 5 + [2] * 5, [0] * 6 + [2, 3, 3, 4]])
    low, high = rank_ends(ordered, np.array([0, 0, 0, 6]), 0.05)
    assert low.tolist() == [1, 2, 1, 2]
    assert high.tolist() == [1, 3, 2, 4]


@settings(max_examples=60, deadline=None)
@given(arrays(int, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=st.integers(1, 6)), st.floats(0.01, 0.4))
def test_an_interval_is_made_of_ranks_that_occur_and_holds_the_median(ranks, tail):
    ordered = np.sort(ranks, axis=1)
    low, high = rank_ends(ordered, np.zeros(len(ranks), dtype=int), tail)
    for row, one, other in zip(ordered, low, high, strict=True):
        assert one in row
        assert other in row
        assert one <= other


@settings(max_examples=80, deadline=None)
@given(
    arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.sampled_from([1.0, 2.5, 7.0, np.nan]))
)
def test_ranks_are_those_of_pandas(scores):
    expected = pd.DataFrame(scores).rank(axis=1, method="min", ascending=False).fillna(0).to_numpy()
    assert ranks_of(scores).tolist() == expected.tolist()


# ---------------------------------------------------------------- what a result says


def test_every_ranked_area_is_there_in_order_with_its_rank(town, sure):
    ranking = risk_index(town, SIX, period="2012").ranking
    assert sure.table.index.tolist() == ranking.index.tolist()
    assert sure.table["rank"].tolist() == ranking["rank"].tolist()
    assert sure.table["score"].tolist() == ranking["score"].tolist()
    assert sure.ranks.shape == (30, 400)
    assert sure.ranks.dtype == np.uint16
    assert sorted(sure.ranks[:, 7]) == list(range(1, 31))
    assert (sure.table["draws"] == 400).all()
    assert sure.failed.empty


def test_chances_and_comparisons_are_shares_of_the_draws(sure):
    top = (sure.ranks <= 5).mean(axis=1)
    assert sure.table["p_top"].to_numpy() == pytest.approx(top)
    assert sure.table["p_top"].sum() == pytest.approx(5)
    low, high = (sure.table[name].to_numpy()[:, None] for name in ("rank_low", "rank_high"))
    assert sure.table["inside"].to_numpy() == pytest.approx(((sure.ranks >= low) & (sure.ranks <= high)).mean(axis=1))
    first, last = sure.table.index[0], sure.table.index[-1]
    assert sure.worse(first, last) > 0.99
    assert sure.worse(last, first) == pytest.approx(1 - sure.worse(first, last))
    assert sure.worse(first, first) == 0.5
    pairs = sure.pairs(sure.table.index[:3])
    assert pairs.columns.tolist() == ["area_id", "other_id", "worse", "draws"]
    assert pairs["worse"].tolist() == [sure.worse(a, b) for a, b in pairs[["area_id", "other_id"]].to_numpy()]
    assert len(sure.pairs()) == 30 * 29 / 2


def test_a_score_above_the_line_is_counted_as_drawn(sure):
    assert sure.table["p_above"].iloc[0] > 0.95
    assert sure.table["p_above"].iloc[-1] < 0.05
    inside = sure.table["score"].between(sure.table["score_low"], sure.table["score_high"])
    assert inside.mean() > 0.8


def test_sentences():
    """Two areas in ten draws, one of which failed: A is first in eight of nine."""
    columns = ["rank", "rank_low", "rank_median", "rank_high", "inside", "score", "score_low", "score_high"]
    table = pd.DataFrame(
        [
            [1, 1, 1, 1, 8 / 9, 120.0, 99.0, 130.0, 8 / 9, 0.999, 9],
            [2, 1, 2, 2, 1.0, 90.0, 80.0, 101.0, 1 / 9, 0.001, 9],
        ],
        columns=[*columns, "p_top", "p_above", "draws"],
        index=pd.Index(["A", "B"], name="area_id"),
    ).astype(dict.fromkeys(columns[:4], "Int64"))
    ranks = np.array([[1, 1, 1, 1, 2, 1, 1, 1, 1, 0], [2, 2, 2, 2, 1, 2, 2, 2, 2, 0]], dtype=np.uint16)
    said = RankUncertainty(
        table=table,
        ranks=ranks,
        scores=np.where(ranks > 0, 111.0 - ranks, np.nan),
        failed=pd.DataFrame({"reason": ["no area has a score"], "draws": [1]}),
        draws=10,
        varied={"counts": "as they are", "weights": "as the index has it", "left_out": "one indicator, or none"},
        without_noise={"income": 2},
        level=0.9,
        top=1,
        line=100.0,
    )
    assert said.lines() == [
        "10 draws (counts: as they are; left out: one indicator, or none)",
        "No noise, for want of counts: 'income'",
        "1 of 10 draws: no area has a score",
        "A: rank 1, at rank 1 in 89 of 100 draws, among the 1 highest in 89 of 100, above 100 in more than 99 of 100",
        (
            "B: rank 2, between rank 1 and 2 in 100 of 100 draws, among the 1 highest in 11 of 100, above 100 in fewer "
            "than 1 of 100"
        ),
    ]
    assert said.lines(["A"], names={"A": "Norr"})[-1].startswith("Norr: rank 1, at rank 1 in 89 of 100 draws")
    assert said.pairs().to_dict("records") == [{"area_id": "A", "other_id": "B", "worse": 8 / 9, "draws": 9}]
    with pytest.raises(SpecError, match=r"no ranked area is called 'AA'\. Hint: did you mean 'A'"):
        said.lines(["AA"])


def test_without_noise_every_draw_is_the_index(town):
    still = rank_uncertainty(town, SIX, noise="none", **ASKED)
    for name in ("rank_low", "rank_median", "rank_high"):
        assert still.table[name].tolist() == still.table["rank"].tolist()
    assert still.table["score_low"].to_numpy() == pytest.approx(still.table["score"].to_numpy(), rel=1e-6)
    assert still.without_noise == {}


def test_figures_without_counts_stay_and_are_listed(town):
    data = town.data.copy()
    data.loc[(data["indicator"] == "i1") & (data["area_id"] < "A010"), "numerator"] = np.nan
    found = rank_uncertainty(IndicatorTable(data, town.definitions), SIX, **ASKED)
    assert found.without_noise == {"i1": 10}
    assert found.lines([])[1] == "No noise, for want of counts: 'i1'"


def test_a_plain_frame_has_no_noise_at_all(town):
    frame = town.wide("2012")[list(SIX.indicators)]
    found = rank_uncertainty(frame, SIX.model_copy(update={"method": "z_score"}), draws=50, weights_concentration=30)
    assert found.without_noise == dict.fromkeys(SIX.indicators, 30)
    assert found.varied["counts"] == "as they are, for want of counts"
    assert (found.table["rank_high"] > found.table["rank_low"]).any()


# ---------------------------------------------------------------- the same on any number of threads


EVERYTHING = {
    "weights_concentration": 40,
    "normalisations": ["z_score", "min_max"],
    "aggregations": ["geometric"],
    "leave_one_out": True,
}


def test_the_same_seed_gives_the_same_draws_on_one_thread_or_three(town):
    options = {**EVERYTHING, "period": "2012", "draws": 1300, "top": 5}
    one = rank_uncertainty(town, SIX, threads=1, **options)
    three = rank_uncertainty(town, SIX, threads=3, **options)
    assert len(chunks_of(1300, 180)) == 3
    assert (one.ranks == three.ranks).all()
    pd.testing.assert_frame_equal(one.table, three.table)
    pd.testing.assert_frame_equal(one.failed, three.failed)
    assert not (one.ranks == rank_uncertainty(town, SIX, threads=1, seed=2, **options).ranks).all()


def test_varying_the_weights_does_not_disturb_the_counts(town, sure):
    wide = rank_uncertainty(town, SIX, weights_concentration=1e9, **ASKED)
    assert (wide.ranks == sure.ranks).mean() > 0.99


def test_progress_is_told_and_an_interruption_ends_the_rest():
    told, started = [], []
    chunks = chunks_of(3000, 1)
    each_chunk(lambda chunk, _: chunk, chunks, seed=1, factors=1, threads=2, on_step=lambda *step: told.append(step))
    assert told[-1] == (3000, 3000)
    assert len(told) == len(chunks) == 6

    def stop(chunk, _):
        started.append(chunk)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each_chunk(stop, [slice(n, n + 1) for n in range(1000)], seed=1, factors=1, threads=1)
    assert len(started) < 1000
    assert threading.active_count() < 10


# ---------------------------------------------------------------- failed draws


def test_draws_without_a_score_are_counted_by_reason(town):
    """z-scores are negative somewhere, so their geometric mean is not defined: half of the draws, by two choices."""
    found = rank_uncertainty(
        town, SIX, period="2012", draws=1000, normalisations=["z_score"], aggregations=["geometric"], noise="none"
    )
    assert found.failed["reason"].str.startswith("a negative value under the geometric mean of").all()
    failed = found.failed["draws"].sum()
    assert 200 < failed < 300  # a quarter
    assert (found.table["draws"] == 1000 - failed).all()
    assert ((found.ranks == 0).all(axis=0).sum()) == failed
    assert found.table["score_low"].isna().all()
    assert f"{found.failed['draws'][0]:,} of 1,000 draws: {found.failed['reason'][0]}" in found.lines([])


def test_an_area_that_loses_its_score_in_some_draws_is_counted_by_itself(town):
    """Two of three indicators of a domain are known, and too few when one of the two is left out."""
    data = town.data.copy()
    gone = (data["area_id"] == "A003") & (data["indicator"] == "i0")
    data.loc[gone, ["numerator", "value"]] = np.nan
    data.loc[gone, "status"] = "suppressed"
    careful = IndexSpec(domains=SIX.domains, minimum_available=0.6)
    found = rank_uncertainty(
        IndicatorTable(data, town.definitions), careful, period="2012", draws=700, leave_one_out=True, noise="none"
    )
    lacking = 700 - found.table.loc["A003", "draws"]
    assert found.failed.to_dict("records") == [{"reason": "some areas have no score", "draws": lacking}]
    assert 130 < lacking < 270  # two of seven choices
    assert (found.table["draws"].drop("A003") == 700).all()
    assert found.table.loc["A003", "rank_low"] >= 1


def test_a_rate_drawn_as_nothing_has_no_inverse_and_is_counted():
    """One visit to the library in A000: chance alone makes none of it in e⁻¹ of the draws, and city / 0 is no score."""
    cases = np.array([[1.0, 9.0, 8.0], *[[400.0, 10.0, 9.0]] * 5])
    table = made(cases, np.full(6, 100), kind="rate", unit="per_1000", scale=1000.0)
    better = {**table.definitions, "i0": share("i0", "higher_is_better", kind="rate", unit="per_1000")}
    table, spec = IndicatorTable(table.data, better), spec_of(["i0", "i1"], ["i2"])
    asked = {"period": "2012", "draws": 4000, "noise": "sampling"}
    found = rank_uncertainty(table, spec, **asked)
    lost = 4000 - found.table.loc["A000", "draws"]
    assert lost == pytest.approx(4000 * np.exp(-1), abs=150)
    assert found.failed.to_dict("records") == [{"reason": "some areas have no score", "draws": lost}]
    assert (found.table["draws"].drop("A000") == 4000).all()
    # Where the indicator is the one left out, nothing is lacking.
    fewer = rank_uncertainty(table, spec, leave_one_out=True, **asked)
    assert 4000 - fewer.table.loc["A000", "draws"] == pytest.approx(0.75 * 4000 * np.exp(-1), abs=150)


def test_an_index_of_one_area_and_of_none():
    one = made(np.array([[5.0]]), np.array([50]))
    found = rank_uncertainty(one, spec_of(["i0"]), **ASKED)
    assert found.table[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1, 1]]
    assert found.pairs().empty
    none = rank_uncertainty(one, spec_of(["i0"], minimum_population=100), **ASKED)
    assert none.table.empty
    assert none.lines()[0].startswith("400 draws")


# ---------------------------------------------------------------- every method of the family


@pytest.mark.parametrize(
    "method", ["relative", "rank_exponential", "percentile", "sd_classes", "z_score", "min_max", "borda"]
)
def test_every_method_can_be_drawn(town, method):
    spec = IndexSpec(domains=SIX.domains, method=method)
    found = rank_uncertainty(town, spec, weights_concentration=50, leave_one_out=True, top=5, **ASKED)
    assert (found.table["draws"] == 400).all()
    assert (found.table["rank_low"] <= found.table["rank_high"]).all()
    middle = found.table["rank"].sub(found.table["rank_median"]).abs()
    assert middle.astype(float).mean() < 4
    if method == "percentile":
        assert found.table["score_high"].max() <= 1


def test_other_ways_are_drawn_besides_those_of_the_index(town):
    ways = rank_uncertainty(town, SIX, noise="none", normalisations=["relative", "percentile"], **ASKED)
    assert ways.varied["normalisation"] == "relative, percentile"
    shifted = (ways.ranks != ways.table["rank"].to_numpy(dtype=int)[:, None]).any(axis=0)
    assert 0.4 < shifted.mean() < 0.6  # `relative` is the index's own, and not drawn twice


def test_an_indicator_left_out_is_an_index_without_it(town):
    found = rank_uncertainty(town, SIX, noise="none", leave_one_out=True, **ASKED)
    ids = found.table.index
    expected = {tuple(found.table["rank"])}
    for name in SIX.indicators:
        domains = [
            DomainSpec(id=domain.id, label="Domain", indicators=[item for item in domain.indicators if item != name])
            for domain in SIX.domains
            if set(domain.indicators) != {name}
        ]
        expected.add(tuple(risk_index(town, IndexSpec(domains=domains), period="2012").ranking["rank"].reindex(ids)))
    assert {tuple(ranks) for ranks in found.ranks.T.tolist()} == expected


def test_a_common_factor_keeps_its_indicators_and_weights(town):
    factor = DomainSpec(id="f", label="F", indicators=["i0", "i1", "i2"], combine=CombineSpec(weighting="one_factor"))
    other = DomainSpec(id="o", label="O", indicators=["i3"])
    spec = IndexSpec(domains=[factor, other], method="z_score")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of independent figures a factor converges slowly
        found = rank_uncertainty(town, spec, noise="none", leave_one_out=True, **ASKED)
        assert len(np.unique(found.ranks, axis=1).T) == 2  # all, and without i3
        with pytest.raises(SpecError, match="every indicator is part of a common factor, and nothing is left without"):
            rank_uncertainty(town, IndexSpec(domains=[factor], method="z_score"), leave_one_out=True, **ASKED)


# ---------------------------------------------------------------- which choice moves the ranks


def ishigami(x, a=7.0, b=0.1):
    return np.sin(x[..., 0]) + a * np.sin(x[..., 1]) ** 2 + b * x[..., 2] ** 4 * np.sin(x[..., 0])


def test_sobol_indices_are_those_of_a_function_known_in_closed_form():
    """Ishigami & Homma 1990, a = 7, b = 0.1 on (-π, π): S = .3139, .4424, 0; T = .5576, .4424, .2437."""
    rng = np.random.default_rng(1)
    one, other = rng.uniform(-np.pi, np.pi, (2, 200_000, 3))
    mixed = []
    for factor in range(3):
        both = one.copy()
        both[:, factor] = other[:, factor]
        mixed.append(ishigami(both))
    runs = ishigami(one), ishigami(other), np.array(mixed)
    first, total = sobol(*runs, np.ones(200_000, dtype=bool))
    assert first == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert total == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    few = [run[..., :1024] for run in runs]
    peer = stats.sobol_indices(func={"f_A": few[0][None], "f_B": few[1][None], "f_AB": few[2][:, None]}, n=1024)
    first, total = sobol(*few, np.ones(1024, dtype=bool))
    assert first == pytest.approx(np.ravel(peer.first_order))
    assert total == pytest.approx(np.ravel(peer.total_order))


def test_effects_of_the_choices(town):
    found = choice_effects(town, SIX, period="2012", n=256, noise="none", leave_one_out=True, weights_concentration=1e9)
    assert found.index.tolist() == ["weights", "left_out"]
    assert found.columns.tolist() == [
        "first_order", "first_order_low", "first_order_high", "total", "total_low", "total_high", "draws", "failed",
    ]  # fmt: skip
    # Weights that hardly move explain nothing, and what is left out explains all.
    assert found["total"]["weights"] < 0.02
    assert found["first_order"]["left_out"] == pytest.approx(1, abs=0.15)
    assert found["total"]["left_out"] == pytest.approx(1, abs=0.1)
    assert found["total"].between(found["total_low"], found["total_high"]).all()
    assert found["draws"].tolist() == [256, 256]


def test_effects_by_area_are_of_its_own_rank(town):
    found = choice_effects(town, SIX, period="2012", n=512, by_area=True, weights_concentration=30, threads=1)
    again = choice_effects(town, SIX, period="2012", n=512, by_area=True, weights_concentration=30, threads=2)
    pd.testing.assert_frame_equal(found, again)
    assert found.index.names == ["area_id", "factor"]
    assert len(found) == 60
    # Two factors: what one does not explain, alone or together, the other does.
    wide = found["first_order"].unstack()
    total = found["total"].unstack()
    assert (wide["counts"] + total["weights"]).mean() == pytest.approx(1, abs=0.1)
    # The more people an area has, the less its counts matter.
    people = town.wide("2012")["population"].reindex(total.index)
    assert total["counts"][people < 700].mean() > total["counts"][people > 2000].mean()


def test_an_area_that_never_moves_has_no_effects():
    cases = np.array([[900.0, 900.0], [10.0, 400.0], [100.0, 10.0], [90.0, 150.0]])
    table = made(cases, np.full(4, 1000))
    found = choice_effects(
        table, spec_of(["i0"], ["i1"]), period="2012", n=64, noise="none", weights_concentration=5, by_area=True
    )
    assert found.loc["A000", ["first_order", "total"]].isna().all(axis=None)
    assert found.loc["A001", "total"].notna().all()


def test_draws_that_fail_are_left_out_of_the_effects_and_counted(town):
    found = choice_effects(
        town, SIX, period="2012", n=256, noise="none", normalisations=["z_score"], aggregations=["geometric"]
    )
    assert found["failed"].iloc[0] > 64
    assert (found["draws"] + found["failed"] == 256).all()


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 0}, "key 'draws': 0 is too few. Expected: a whole number from 1 up."),
        ({"top": 0}, "key 'top': 0 is too few. Expected: a whole number from 1 up."),
        ({"draws": 2.5}, "key 'draws': 2.5 is no whole number. Expected: a whole number from 1 up."),
        ({"draws": "100"}, "key 'draws': '100' is no whole number. Expected: a whole number from 1 up."),
        ({"top": 2.5}, "key 'top': 2.5 is no whole number. Expected: a whole number from 1 up."),
        ({"seed": -1}, "key 'seed': -1 is below 0. Expected: a whole number from 0 up."),
        ({"seed": 1.5}, "key 'seed': 1.5 is no whole number. Expected: a whole number from 0 up."),
        ({"level": "0.9"}, "key 'level': '0.9' is not a share of the draws. Expected: a number between 0 and 1."),
        (
            {"weights_concentration": "50"},
            (
                "key 'weights_concentration': '50' is no concentration of weights. Expected: a number above 0, such as "
                "50; the larger, the nearer to the index's own weights."
            ),
        ),
        ({"level": 90}, "key 'level': 90 is not a share of the draws. Expected: a number between 0 and 1."),
        ({"line": np.nan}, "key 'line': nan is no score. Expected: a number such as 100."),
        ({"noise": "postrior"}, "key 'noise': no kind of noise is called 'postrior'. Hint: did you mean 'posterior'?"),
        (
            {"weights_concentration": 0},
            (
                "key 'weights_concentration': 0 is no concentration of weights. Expected: a number above 0, such as "
                "50; the larger, the nearer to the index's own weights."
            ),
        ),
        (
            {"normalisations": ["z_scores"]},
            "key 'normalisations': no normalisation is called 'z_scores'. Hint: did you mean 'z_score'?",
        ),
        (
            {"normalisations": "distance_to_target"},
            "key 'normalisations': no target for 'i0', 'i1', 'i2', 'i3', 'i4' and 1 more. Hint: give `index.targets`",
        ),
        (
            {"aggregations": ["geometrical"]},
            "key 'aggregations': no aggregation is called 'geometrical'. Hint: did you mean 'geometric'?",
        ),
        (
            {"line": 100, "normalisations": ["z_score"]},
            (
                "key 'line': a line is a score, and scores of several normalisations cannot be compared. Hint: ask "
                "with `top`, which is a rank"
            ),
        ),
    ],
)
def test_faults_are_said_in_full(town, options, message):
    with pytest.raises(SpecError) as caught:
        rank_uncertainty(town, SIX, **{"period": "2012", **options})
    assert str(caught.value) == message


def test_faults_are_collected(town):
    with pytest.raises(SpecError) as caught:
        rank_uncertainty(town, SIX, period="2012", normalisations=["x"], aggregations=["y"], weights_concentration=-1)
    assert [fault.key for fault in caught.value.faults] == ["weights_concentration", "normalisations", "aggregations"]


def test_effects_of_nothing(town):
    with pytest.raises(SpecError, match=r"^nothing is varied, so nothing can have an effect"):
        choice_effects(town, SIX, period="2012", noise="none")
    with pytest.raises(SpecError, match=r"leave_one_out.*the index has one indicator, and nothing is left without it"):
        choice_effects(town, spec_of(["i0"]), period="2012", leave_one_out=True)
    with pytest.raises(SpecError, match=r"key 'n': 4 is too few\. Expected: a whole number from 8 up"):
        choice_effects(town, SIX, period="2012", n=4)
    with pytest.raises(SpecError) as caught:
        choice_effects(town, SIX, period="2012", n=64.5, seed=-1, level=0)
    assert [fault.key for fault in caught.value.faults] == ["n", "seed", "level"]
