"""The published indices as presets, against tables with ties worked by hand and against other libraries."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.multivariate.factor import Factor

from geoplan.places import IndicatorTable
from geoplan.risk import risk_index
from geoplan.specs import IndexSpec, IndicatorSpec, index_preset, preset_names

# ---------------------------------------------------------------- the exponential family: five areas by hand
#
# E(R) = -23 ln(1 - R (1 - e^(-100/23))), with 1 - e^(-100/23) = 0.9870650986, worked out once for N = 5.

EXP = {
    0.0: 0.0,
    0.1: 2.390259732,
    0.2: 5.058045994,
    0.3: 8.076374642,
    0.4: 11.551504456,
    0.5: 15.646790073,
    0.6: 20.632706730,
    0.7: 27.007470908,
    0.8: 35.856824096,
    0.9: 50.426654274,
    1.0: 100.0,
}
AREAS = list("ABCDE")

# Scores of the domains, higher is worse, with ties in five of them. Ranks with rank 1 = highest:
#
#                   A    B    C    D    E     average ranks          lowest ranks
#   income          30   20   20   10   5     1   2.5 2.5 4   5      1 2 2 4 5
#   employment      12   12   9    6    3     1.5 1.5 3   4   5      1 1 3 4 5
#   health          0.1  1.5  0.7 -0.4 -0.4   3   1   2   4.5 4.5    3 1 2 4 4
#   education       20   20   20   40   1     3   3   3   1   5      2 2 2 1 5
#   access          1    2    3    4    5     5   4   3   2   1      the same
#   housing         8    7    6    5    4     1   2   3   4   5      the same
#   crime           3    9    3    1    7     3.5 1   3.5 5   2      3 1 3 5 2
#   environment     2    4    6    8    10    5   4   3   2   1      the same
DOMAINS = pd.DataFrame(
    {
        "income": [30.0, 20, 20, 10, 5],
        "employment": [12.0, 12, 9, 6, 3],
        "health": [0.1, 1.5, 0.7, -0.4, -0.4],
        "education": [20.0, 20, 20, 40, 1],
        "access": [1.0, 2, 3, 4, 5],
        "housing": [8.0, 7, 6, 5, 4],
        "crime": [3.0, 9, 3, 1, 7],
        "environment": [2.0, 4, 6, 8, 10],
    },
    index=pd.Index(AREAS, name="area_id"),
)
# (N + 1 - r)/N with average ranks.
AVERAGE = {
    "income": [1.0, 0.7, 0.7, 0.4, 0.2],
    "employment": [0.9, 0.9, 0.6, 0.4, 0.2],
    "health": [0.6, 1.0, 0.8, 0.3, 0.3],
    "education": [0.6, 0.6, 0.6, 1.0, 0.2],
    "access": [0.2, 0.4, 0.6, 0.8, 1.0],
    "housing": [1.0, 0.8, 0.6, 0.4, 0.2],
    "crime": [0.5, 1.0, 0.5, 0.2, 0.8],
    "environment": [0.2, 0.4, 0.6, 0.8, 1.0],
}
# (N + 1 - r)/N with the lowest rank to all of a tie.
LOWEST = AVERAGE | {
    "income": [1.0, 0.8, 0.8, 0.4, 0.2],
    "employment": [1.0, 1.0, 0.6, 0.4, 0.2],
    "health": [0.6, 1.0, 0.8, 0.4, 0.4],
    "education": [0.8, 0.8, 0.8, 1.0, 0.2],
    "crime": [0.6, 1.0, 0.6, 0.2, 0.8],
}
# (N - r)/N with average ranks: each R a fifth lower, so that the highest gets 0.8 and the lowest 0.
WITHOUT_ONE = {
    "income": [0.8, 0.5, 0.5, 0.2, 0.0],
    "employment": [0.7, 0.7, 0.4, 0.2, 0.0],
    "health": [0.4, 0.8, 0.6, 0.1, 0.1],
    "education": [0.4, 0.4, 0.4, 0.8, 0.0],
    "access": [0.0, 0.2, 0.4, 0.6, 0.8],
    "housing": [0.8, 0.6, 0.4, 0.2, 0.0],
    "crime": [0.3, 0.8, 0.3, 0.0, 0.6],
}


def by_hand(shares, weights):
    """Add up weight × E(R), area by area."""
    return [sum(weight * EXP[shares[name][place]] for name, weight in weights.items()) for place in range(len(AREAS))]


def test_the_worked_values_of_e():
    # E(0.5) = -23 ln(1 - 0.5 × 0.9870650986) = -23 ln(0.5064674507) = 23 × 0.6802952206.
    worked = {share: -23 * np.log1p(-share * 0.9870650986110502) for share in EXP}
    assert worked == pytest.approx(EXP, abs=1e-8)


WIMD = {"income": 0.22, "employment": 0.22, "health": 0.15, "education": 0.14, "access": 0.10, "housing": 0.07,
        "crime": 0.05, "environment": 0.05}  # fmt: skip
SIMD = {"income": 0.28, "employment": 0.28, "health": 0.14, "education": 0.14, "access": 0.09, "crime": 0.05,
        "housing": 0.02}  # fmt: skip
NIMDM = {"income": 0.25, "employment": 0.25, "health": 0.15, "education": 0.15, "access": 0.10, "environment": 0.05,
         "crime": 0.05}  # fmt: skip

# The same as published: the lowest rank to all of a tie, 1 the most deprived.
RANKS = pd.DataFrame(
    {
        "income": [1.0, 2, 2, 4, 5],
        "employment": [1.0, 1, 3, 4, 5],
        "health": [3.0, 1, 2, 4, 4],
        "education": [2.0, 2, 2, 1, 5],
        "access": [5.0, 4, 3, 2, 1],
        "housing": [1.0, 2, 3, 4, 5],
        "crime": [3.0, 1, 3, 5, 2],
        "environment": [5.0, 4, 3, 2, 1],
    },
    index=pd.Index(AREAS, name="area_id"),
)


def check(result, score, ranks):
    assert result.score.reindex(AREAS).tolist() == pytest.approx(score, abs=1e-7)
    assert result.ranking["rank"].reindex(AREAS).tolist() == ranks


def test_wimd_2019_gives_ties_the_lowest_rank():
    # A: 0.22 × 100 + 0.22 × 100 + 0.15 × 20.632707 + 0.14 × 35.856824 + 0.10 × 5.058046 + 0.07 × 100
    #    + 0.05 × 20.632707 + 0.05 × 5.058046 = 60.905204; average ranks would put D before C.
    frame = RANKS.rename(columns={"crime": "safety"})
    result = risk_index(frame, index_preset("wimd_2019"))
    assert by_hand(LOWEST, WIMD)[0] == pytest.approx(60.905204, abs=1e-6)
    check(result, by_hand(LOWEST, WIMD), [1, 2, 3, 4, 5])
    assert result.domains["income"].reindex(AREAS).tolist() == pytest.approx(
        [100, 35.856824096, 35.856824096, 11.551504456, 5.058045994]
    )
    averaged = risk_index(frame, index_preset("wimd_2019", ranks={"ties": "average"}))
    check(averaged, by_hand(AVERAGE, WIMD), [1, 2, 4, 3, 5])


def test_wimd_2019_also_takes_scores():
    columns = {"crime": "safety"}
    scores = dict.fromkeys(DOMAINS.rename(columns=columns), "higher_is_worse")
    result = risk_index(DOMAINS.rename(columns=columns), index_preset("wimd_2019", directions=scores))
    check(result, by_hand(LOWEST, WIMD), [1, 2, 3, 4, 5])


def test_simd_2012_counts_the_area_itself():
    # E: 0.28 × 5.058046 × 2 + 0.14 × (8.076375 + 5.058046) + 0.09 × 100 + 0.05 × 35.856824 + 0.02 × 5.058046
    #    = 15.565327
    assert by_hand(AVERAGE, SIMD)[4] == pytest.approx(15.565327, abs=1e-6)
    check(risk_index(RANKS, index_preset("simd_2012")), by_hand(AVERAGE, SIMD), [1, 2, 4, 3, 5])


@pytest.mark.parametrize("year", [2016, 2020])
def test_simd_2016_and_2020_count_the_areas_below(year):
    # A: 0.28 × (35.856824 + 27.007471) + 0.14 × (11.551504 + 11.551504) + 0.09 × 0 + 0.05 × 8.076375
    #    + 0.02 × 35.856824 = 21.957379; nobody reaches 100, and C passes D.
    assert by_hand(WITHOUT_ONE, SIMD)[0] == pytest.approx(21.957379, abs=1e-6)
    check(risk_index(RANKS, index_preset(f"simd_{year}")), by_hand(WITHOUT_ONE, SIMD), [1, 2, 3, 4, 5])


def test_nimdm_2017_averages_ties():
    # B: 0.25 × (27.007471 + 50.426654) + 0.15 × (100 + 20.632707) + 0.10 × 11.551504 + 0.05 × (11.551504 + 100)
    #    = 44.186163; with the lowest ranks B would be before A.
    frame = RANKS.rename(columns={"environment": "living_environment"})
    assert by_hand(AVERAGE, NIMDM)[1] == pytest.approx(44.186163, abs=1e-6)
    check(risk_index(frame, index_preset("nimdm_2017")), by_hand(AVERAGE, NIMDM), [1, 2, 4, 3, 5])
    lowest = risk_index(frame, index_preset("nimdm_2017", ranks={"ties": "lowest"}))
    check(lowest, by_hand(LOWEST, NIMDM), [2, 1, 3, 4, 5])


CONVENTIONS = {
    "imd_2019": ("average", 0), "imd_2025": ("average", 0), "simd_2012": ("average", 0), "simd_2016": ("average", 1),
    "simd_2020": ("average", 1), "wimd_2019": ("min", 0), "nimdm_2017": ("average", 0),
}  # fmt: skip


@pytest.mark.parametrize("preset", CONVENTIONS)
def test_the_exponential_family_written_another_way(preset):
    spec = index_preset(preset)
    ties, less = CONVENTIONS[preset]
    rng = np.random.default_rng(3)
    # Few different values, so that most areas tie in most domains.
    values = pd.DataFrame({name: rng.integers(0, 40, 200).astype(float) for name in spec.indicators})
    values.index = pd.Index([f"z{number:03}" for number in range(200)], name="area_id")
    score = 0.0
    for domain in spec.domains:
        (name,) = domain.indicators
        worst_first = values[name] * (1 if spec.directions.get(name) == "higher_is_better" else -1)
        share = (len(values) + 1 - less - stats.rankdata(worst_first, ties)) / len(values)
        score = score + domain.weight * -23 * np.log(1 - share * (1 - np.exp(-100 / 23)))
    ranking = risk_index(values, spec).ranking.reindex(values.index)
    assert ranking["score"].to_numpy() == pytest.approx(score, abs=1e-9)
    assert ranking["rank"].tolist() == stats.rankdata(-score.round(9), "min").tolist()


# ---------------------------------------------------------------- England, with sub-domains by hand
#
#                 A    B    C    D    E     R with average ranks            E(R), A to E
#   children      20   20   10   5    1     0.9 0.9 0.6 0.4 0.2    50.426654  50.426654  20.632707  11.551504   5.058046
#   adults        0.1  0.4  0.3  0.4  0.2   0.2 0.9 0.6 0.9 0.4     5.058046  50.426654  20.632707  50.426654  11.551504
#   education = half of each: 27.742350 50.426654 20.632707 30.989079 8.304775; ranked again  0.6 1.0 0.4 0.8 0.2
#
#   geographical  1    2    3    4    5     0.2 0.4 0.6 0.8 1.0     5.058046  11.551504  20.632707  35.856824        100
#   wider         9    9    9    9    1     0.7 0.7 0.7 0.7 0.2    27.007471  27.007471  27.007471  27.007471   5.058046
#   barriers = half of each: 16.032758 19.279488 23.820089 31.432148 52.529023                0.2 0.4 0.6 0.8 1.0
#
#   indoors       1    2    4    5    0     0.4 0.6 0.8 1.0 0.2    11.551504  20.632707  35.856824        100   5.058046
#   outdoors      3    2    4    1    5     0.6 0.4 0.8 0.2 1.0    20.632707  11.551504  35.856824   5.058046        100
#   living, 2019: two thirds and one: 14.578572 17.605639 35.856824 68.352682 36.705364       0.2 0.4 0.6 1.0 0.8
#   living, 2025: 0.7 and 0.3:        14.275865 17.908346 35.856824 71.517414 33.540632       0.2 0.4 0.8 1.0 0.6
# E is before C in 2019 and behind it in 2025.
SUBDOMAINS = pd.DataFrame(
    {
        "children": [20.0, 20, 10, 5, 1],
        "adult_skills": [0.1, 0.4, 0.3, 0.4, 0.2],
        "geographical_barriers": [1.0, 2, 3, 4, 5],
        "wider_barriers": [9.0, 9, 9, 9, 1],
        "indoors": [1.0, 2, 4, 5, 0],
        "outdoors": [3.0, 2, 4, 1, 5],
    },
    index=pd.Index(AREAS, name="area_id"),
)
ENGLAND = {"income": 0.225, "employment": 0.225, "education": 0.135, "health": 0.135, "crime": 0.093, "barriers": 0.093,
           "living_environment": 0.093}  # fmt: skip
BARRIERS = [0.2, 0.4, 0.6, 0.8, 1.0]
LIVING = {2019: [0.2, 0.4, 0.6, 1.0, 0.8], 2025: [0.2, 0.4, 0.8, 1.0, 0.6]}


@pytest.mark.parametrize("year", [2019, 2025])
def test_england_from_the_scores_of_its_domains(year):
    frame = DOMAINS.rename(columns={"access": "barriers", "environment": "living_environment"})
    shares = AVERAGE | {"barriers": AVERAGE["access"], "living_environment": AVERAGE["environment"]}
    result = risk_index(frame, index_preset(f"imd_{year}"))
    # A: 0.225 × (100 + 50.426654) + 0.135 × (20.632707 + 20.632707) + 0.093 × (15.646790 + 5.058046 + 5.058046)
    assert by_hand(shares, ENGLAND)[0] == pytest.approx(41.812776, abs=1e-6)
    check(result, by_hand(shares, ENGLAND), [2, 1, 5, 3, 4])


@pytest.mark.parametrize("year", [2019, 2025])
def test_weights_of_england_are_not_rescaled(year):
    spec = index_preset(f"imd_{year}")
    assert sum(domain.weight for domain in spec.domains) == pytest.approx(0.999)
    highest = pd.DataFrame({domain.id: [2.0, 1.0] for domain in spec.domains}, index=["A", "B"])
    # The first of both in everything has R = 1 and E = 100 everywhere.
    assert risk_index(highest, spec).score["A"] == pytest.approx(99.9)


@pytest.mark.parametrize("year", [2019, 2025])
def test_sub_domains_are_ranked_and_transformed_before_their_domain_is(year):
    frame = DOMAINS[["income", "employment", "health", "crime"]].join(SUBDOMAINS)
    shares = AVERAGE | {"education": [0.6, 1.0, 0.4, 0.8, 0.2], "barriers": BARRIERS,
                        "living_environment": LIVING[year]}  # fmt: skip
    result = risk_index(frame, index_preset(f"imd_{year}_subdomains"))
    assert result.domains["living_environment"].reindex(AREAS).tolist() == pytest.approx(
        [EXP[share] for share in LIVING[year]], abs=1e-7
    )
    score = by_hand(shares, ENGLAND)
    check(result, score, (len(AREAS) + 1 - stats.rankdata(score)).astype(int).tolist())


@pytest.mark.parametrize(
    ("year", "shares", "access"),
    [(2012, AVERAGE, [0.2, 0.4, 0.6, 1.0, 0.8]), *((y, WITHOUT_ONE, [0.0, 0.2, 0.6, 0.8, 0.4]) for y in (2016, 2020))],
)
def test_sub_domains_of_scotland_have_the_share_of_their_year(year, shares, access):
    # Drive time as indoors and public transport as outdoors above, two thirds and one. 2012 as England's 2019.
    # 2016, 2020: R one fifth lower.
    #   drive time          0.2 0.4 0.6 0.8 0.0     5.058046 11.551504 20.632707 35.856824  0
    #   public transport    0.4 0.2 0.6 0.0 0.8    11.551504  5.058046 20.632707  0        35.856824
    #   together            7.222532 9.387018 20.632707 23.904549 11.952275, ranked again: C before E, and
    #   access              0.0 0.2 0.6 0.8 0.4
    columns = {"indoors": "drive_time", "outdoors": "public_transport"}
    frame = RANKS.drop(columns="access").join(SUBDOMAINS.rename(columns=columns))
    result = risk_index(frame, index_preset(f"simd_{year}_subdomains"))
    expected = by_hand(shares | {"access": access}, SIMD)
    assert result.score.reindex(AREAS).tolist() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("name", [name for name in preset_names() if name.endswith("_subdomains")])
def test_presets_with_sub_domains_are_else_as_those_without(name):
    parted, plain = index_preset(name), index_preset(name.removesuffix("_subdomains"))
    assert [(d.id, d.label, d.weight) for d in parted.domains] == [(d.id, d.label, d.weight) for d in plain.domains]
    inputs = {d.id for d in parted.domains if not d.parts}
    assert {(d.id, *d.indicators) for d in parted.domains if not d.parts} == {(i, i) for i in inputs}
    assert parted.directions == {i: way for i, way in plain.directions.items() if i in inputs}
    ours = {"preset", "domains", "directions"}
    assert parted.model_dump(exclude=ours) == plain.model_dump(exclude=ours)


# ---------------------------------------------------------------- SIMD's domains: normal scores and one factor


def factor_table(areas=400, parts=5, seed=1):
    """Indicators with one common cause and a few gaps."""
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=(areas, 1))
    loadings = rng.uniform(0.4, 0.9, parts)
    values = np.exp(cause * loadings + rng.normal(size=(areas, parts)) * np.sqrt(1 - loadings**2))
    frame = pd.DataFrame(values, columns=[f"i{number}" for number in range(parts)])
    frame.index = pd.Index([f"a{number:03}" for number in range(areas)], name="area_id")
    return frame


def one_factor_spec(names, **combine):
    domains = [{"id": "health", "label": "Health", "indicators": list(names), "combine": {"weighting": "one_factor"}}]
    return IndexSpec(method="z_score", domains=domains, minimum_available=0.1, **combine)


def test_normal_scores_by_hand():
    # Five areas with a tie: ranks 1, 2.5, 2.5, 4, 5 of n = 5, shares r/6; a gap counts as the average, 0.
    found = stats.norm.ppf(np.array([1, 2.5, 2.5, 4, 5]) / 6)
    assert found == pytest.approx([-0.967422, -0.210428, -0.210428, 0.430727, 0.967422], abs=1e-6)


def test_one_factor_scores_are_those_of_scotlands_code():
    # openSIMD: weights of the factor divided by their sum, times the normal scores as they stand, gaps as 0. Gaps leave
    # a column with a smaller deviation, and dividing by it, as statsmodels does for its scores, would move ranks.
    frame = factor_table()
    gaps = np.random.default_rng(2).random(len(frame)) < 0.15
    frame.loc[gaps, "i1"] = np.nan
    result = risk_index(frame, one_factor_spec(frame.columns))
    normal = frame.apply(lambda column: stats.norm.ppf(column.rank() / (column.notna().sum() + 1))).fillna(0.0)
    weights = Factor(normal.to_numpy(), n_factor=1, method="ml").fit().factor_score_params("reg")[:, 0]
    expected = normal @ (weights / weights.sum())
    found = result.domains["health"].reindex(frame.index)
    assert np.corrcoef(found, expected)[0, 1] == pytest.approx(1, abs=1e-9)
    ranks = expected.round(9).rank(ascending=False, method="min")
    assert (result.ranking["rank"].reindex(frame.index).astype(float) == ranks).all()
    stretched = (normal / normal.std(ddof=0)) @ weights
    assert (stretched.rank(ascending=False) != expected.rank(ascending=False)).sum() > len(frame) / 4


# ---------------------------------------------------------------- the Social Vulnerability Index: seven areas by hand
#
# (lowest rank - 1)/6, rounded to four decimals: 0 0.1667 0.3333 0.5 0.6667 0.8333 1. What does not stand here is the
# same everywhere and gives 0 to all.
#
#                 A       B       C       D       E       F       G
#   ep_pov        10      20      20      30      40      50      60
#                 0       0.1667  0.1667  0.5     0.6667  0.8333  1
#   ep_unemp      7       6       5       4       3       2       1
#                 1       0.8333  0.6667  0.5     0.3333  0.1667  0
#   ep_pci        10      20      20      30      40      50      60      1 - its percentile rank
#                 1       0.8333  0.8333  0.5     0.3333  0.1667  0       (ranking -income would give B and C 0.6667)
#   theme 1       2       1.8333  1.6667  1.5     1.3333  1.1667  1
#   ep_age65      3       3       3       3       3       3       9
#   theme 2       0       0       0       0       0       0       1
#   ep_minrty     1       2       3       4       5       6       7
#   ep_limeng     7       6       5       4       3       2       1
#   theme 3       1       1       1       1       1       1       1       all tie, so all have percentile rank 0
#   ep_munit      1       2       3       3       3       3       3       and ep_mobile, ep_crowd
#                 0       0.1667  0.3333  0.3333  0.3333  0.3333  0.3333
#   ep_noveh      9       1       1       1       1       1       1
#   theme 4       1       0.5001  0.9999  0.9999  0.9999  0.9999  0.9999  A is alone on top only by rounding
#   all themes    4       3.3334  3.6666  3.4999  3.3332  3.1666  3.9999  B and E, A and G part only by rounding
#   its rank      7       3       5       4       2       1       6
SEVEN = list("ABCDEFG")
SVI_2018 = pd.DataFrame(
    {
        "ep_pov": [10.0, 20, 20, 30, 40, 50, 60],
        "ep_unemp": [7.0, 6, 5, 4, 3, 2, 1],
        "ep_pci": [10.0, 20, 20, 30, 40, 50, 60],
        "ep_nohsdp": 12.0,
        "ep_age65": [3.0, 3, 3, 3, 3, 3, 9],
        "ep_age17": 20.0,
        "ep_disabl": 10.0,
        "ep_sngpnt": 5.0,
        "ep_minrty": [1.0, 2, 3, 4, 5, 6, 7],
        "ep_limeng": [7.0, 6, 5, 4, 3, 2, 1],
        "ep_munit": [1.0, 2, 3, 3, 3, 3, 3],
        "ep_mobile": [1.0, 2, 3, 3, 3, 3, 3],
        "ep_crowd": [1.0, 2, 3, 3, 3, 3, 3],
        "ep_noveh": [9.0, 1, 1, 1, 1, 1, 1],
        "ep_groupq": 0.0,
    },
    index=pd.Index(SEVEN, name="area_id"),
)
OVERALL_2018 = [1.0, 0.3333, 0.6667, 0.5, 0.1667, 0.0, 0.8333]


def test_svi_2018_by_hand():
    result = risk_index(SVI_2018, index_preset("svi_2018"))
    assert result.score.reindex(SEVEN).tolist() == OVERALL_2018
    assert result.ranking["rank"].reindex(SEVEN).tolist() == [1, 5, 3, 4, 6, 7, 2]
    # A: unemployment, income, language, no vehicle; G: poverty, age, minority.
    assert result.flags["total"].reindex(SEVEN).tolist() == [4, 0, 0, 0, 0, 0, 3]
    assert result.relative["ep_pci"].reindex(SEVEN).tolist() == pytest.approx(
        [1, 0.8333, 0.8333, 0.5, 0.3333, 0.1667, 0]
    )


def test_svi_without_rounding_ties_what_rounding_parts():
    plain = index_preset("svi_2018", decimals=None, inside={"decimals": None})
    result = risk_index(SVI_2018, plain).ranking["rank"].reindex(SEVEN)
    assert (result["A"], result["B"], result["E"], result["G"]) == (1, 5, 5, 1)


def test_svi_2018_gives_no_rank_where_a_variable_is_missing():
    # A's income is -999 in the file. Without it A has no theme 1 and no overall rank; the six others are ranked among
    # themselves, and the five above C keep their order.
    frame = SVI_2018.copy()
    frame.loc["A", "ep_pci"] = np.nan
    result = risk_index(frame, index_preset("svi_2018"))
    assert result.ranking["rank"].isna().to_dict() == {area: area == "A" for area in result.ranking.index}
    # Incomes of six: 20 20 30 40 50 60, 1 - (rank - 1)/5: 1 1 0.6 0.4 0.2 0.
    assert result.relative["ep_pci"].reindex(SEVEN[1:]).tolist() == pytest.approx([1, 1, 0.6, 0.4, 0.2, 0])


def test_svi_2022_by_hand():
    # As 2018, but poverty at 150 %, housing costs and no insurance in theme 1, no income, language in theme 2:
    #   ep_pov150     0 0.1667 0.1667 0.5 0.6667 0.8333 1,  ep_unemp 1 0.8333 0.6667 0.5 0.3333 0.1667 0
    #   ep_hburd      6 5 5 4 3 2 1: ranks 7 5 5 4 3 2 1:   1 0.6667 0.6667 0.5 0.3333 0.1667 0
    #   theme 1       2 1.6667 1.5001 1.5 1.3333 1.1667 1
    #   theme 2       ep_age65 0 … 0 1, ep_limeng 1 … 0: 1 0.8333 0.6667 0.5 0.3333 0.1667 1
    #   theme 3       0 0.1667 0.3333 0.5 0.6667 0.8333 1
    #   theme 4       1 0.5001 0.9999 0.9999 0.9999 0.9999 0.9999
    #   all themes    4 3.1668 3.5 3.4999 3.3332 3.1666 3.9999: ranks 7 2 5 4 3 1 6
    frame = SVI_2018.drop(columns="ep_pci").rename(columns={"ep_pov": "ep_pov150"})
    frame["ep_hburd"], frame["ep_uninsur"] = [6.0, 5, 5, 4, 3, 2, 1], 9.0
    result = risk_index(frame, index_preset("svi_2022"))
    assert result.score.reindex(SEVEN).tolist() == [1.0, 0.1667, 0.6667, 0.5, 0.3333, 0.0, 0.8333]
    # A: unemployment, housing costs, language, no vehicle; G: poverty, age, minority.
    assert result.flags["total"].reindex(SEVEN).tolist() == [4, 0, 0, 0, 0, 0, 3]


def svi_by_pandas(frame, themes, reversed_names=()):
    """The same written another way: sorting and searching in place of ranking."""

    def rank(values):
        known = values.dropna().sort_values().round(9).to_numpy()
        place = np.searchsorted(known, values.round(9).to_numpy(), side="left") / (len(known) - 1)
        return pd.Series(place, values.index).where(values.notna())

    shares = frame.apply(rank)
    for name in reversed_names:
        shares[name] = 1 - shares[name]
    shares = shares.round(4)
    total = sum(shares[list(names)].sum(axis=1, skipna=False) for names in themes)
    return rank(total).round(4), (shares >= 0.9).sum(axis=1)


@pytest.mark.parametrize("preset", ["svi_2018", "svi_2022"])
def test_svi_written_another_way(preset):
    spec = index_preset(preset)
    rng = np.random.default_rng(7)
    # One decimal, as published, so that there are many ties.
    frame = pd.DataFrame({name: rng.gamma(2, 8, 300).round(1) for name in spec.indicators})
    frame.index = pd.Index([f"t{number:03}" for number in range(300)], name="area_id")
    frame.iloc[:5, 3] = np.nan
    result = risk_index(frame, spec)
    score, flags = svi_by_pandas(frame, [domain.indicators for domain in spec.domains], spec.directions)
    assert result.score.reindex(frame.index).to_numpy() == pytest.approx(score.to_numpy(), nan_ok=True, abs=1e-9)
    ranked = score.notna()
    assert result.flags["total"].reindex(frame.index)[ranked].tolist() == flags[ranked].tolist()


def test_svi_ranks_a_theme_among_all_who_have_it_and_leaves_out_who_has_no_people():
    # Two themes of one variable each; tract E has nobody in it. A lacks the first theme, and so the total.
    #   work   -  3  1  2  (9)   ranks of the three: 1, 0, 0.5
    #   home   4  1  2  3  (9)   ranks of the four:  1, 0, 0.3333, 0.6667; at or above 0.9 only A
    frame = pd.DataFrame(
        {"work": [np.nan, 3, 1, 2, 9], "home": [4.0, 1, 2, 3, 9], "E_TOTPOP": [900, 800, 700, 600, 0]},
        index=pd.Index(list("ABCDE"), name="FIPS"),
    )
    domains = [{"id": f"theme_{name}", "label": name, "indicators": [name]} for name in ("work", "home")]
    result = risk_index(frame, index_preset("svi_2022", domains=domains, population="E_TOTPOP"))
    assert result.domains.loc["A"].isna().tolist() == [True, False]
    assert result.domains["theme_work"].dropna().to_dict() == {"B": 1.0, "C": 0.0, "D": 0.5}
    assert result.domains["theme_home"].dropna().to_dict() == {"A": 1.0, "B": 0.0, "C": 0.3333, "D": 0.6667}
    # Sums of B, C, D: 1, 0.3333, 1.1667.
    assert result.score.dropna().to_dict() == {"B": 0.5, "C": 0.0, "D": 1.0}
    assert result.flags["theme_home"].dropna().to_dict() == {"A": 1, "B": 0, "C": 0, "D": 0}
    assert result.flags["total"].dropna().to_dict() == {"B": 1, "C": 0, "D": 0}
    assert result.ranking["reason"].to_dict() == {
        "B": "", "C": "", "D": "", "A": "domain_not_known", "E": "small_population",
    }  # fmt: skip


# ---------------------------------------------------------------- area types by standard deviations
#
# Eight areas, mean of three shares: 2 4 4 4 5 5 7 9. Mean 5; squares 9 1 1 1 0 0 4 16 = 32, / 8 = 4, so sd 2.
# Limits 9, 7, 5, 3: on a limit is above it. 9 is type 1, 7 type 2, 5 type 3, 4 type 4, 2 type 5.
# By N - 1 sd is 2.138: limits 9.276 and 7.138, and the two lose their types.
EIGHT = list("ABCDEFGH")
SHARES = pd.DataFrame(
    {
        "low_education": [1.0, 4, 5, 2, 5, 9, 7, 12],
        "low_economic_standard": [2.0, 4, 4, 6, 6, 3, 10, 9],
        "assistance_or_unemployed": [3.0, 4, 3, 4, 4, 3, 4, 6],
    },
    index=pd.Index(EIGHT, name="area_id"),
)


def test_scb_area_types_by_hand():
    result = risk_index(SHARES, index_preset("scb_area_types"))
    assert result.score.reindex(EIGHT).tolist() == pytest.approx([2, 4, 4, 4, 5, 5, 7, 9])
    assert result.ranking["status_class"].reindex(EIGHT).tolist() == [5, 4, 4, 4, 3, 3, 2, 1]
    sample = risk_index(SHARES, index_preset("scb_area_types", classes={"deviation": "sample"}))
    assert sample.ranking["status_class"].reindex(EIGHT).tolist() == [5, 4, 4, 4, 3, 3, 3, 2]


def test_scb_area_types_need_all_three_shares():
    frame = SHARES.copy()
    frame.loc["H", "low_education"] = np.nan
    assert np.isnan(risk_index(frame, index_preset("scb_area_types")).score["H"])


# ---------------------------------------------------------------- status and dynamics
#
# The same eight numbers as shares; z = (x - 5)/2. Two indicators alike, the third with its neighbours exchanged:
#   unemployment, transfer_recipients   2 4 4 4 5 5 7 9    z -1.5 -0.5 -0.5 -0.5 0 0 1 2
#   child_poverty                       4 2 4 4 5 5 9 7    z -0.5 -1.5 -0.5 -0.5 0 0 2 1
#   sum                                 -3.5 -2.5 -1.5 -1.5 0 0 4 5; squares 64, / 8 = 8, sd 2.828427
#   in sd                               -1.237 -0.884 -0.530 -0.530 0 0 1.414 1.768
# Berlin calls them high (< -1), medium, low (1 to 1.5) and very low (> 1.5).
STATUS = pd.DataFrame(
    {
        "unemployment": [2.0, 4, 4, 4, 5, 5, 7, 9],
        "transfer_recipients": [2.0, 4, 4, 4, 5, 5, 7, 9],
        "child_poverty": [4.0, 2, 4, 4, 5, 5, 9, 7],
    },
    index=pd.Index(EIGHT, name="area_id"),
)
# Change in percentage points over two years, in the same pattern: A +0 … F -3.5, G and H worse.
CHANGE = pd.DataFrame(
    {
        "unemployment": [0.0, 0, -1, -1, -1, -3, 2, 4],
        "transfer_recipients": [0.0, 0, -1, -1, -1, -3, 2, 4],
        "child_poverty": [0.0, 0, -1, -1, -3, -1, 4, 2],
    },
    index=pd.Index(EIGHT, name="area_id"),
)


def test_mss_berlin_status_by_hand():
    # A plain frame knows of one year only.
    result = risk_index(STATUS, index_preset("mss_berlin", dynamics=None))
    assert result.ranking["status_class"].reindex(EIGHT).tolist() == [1, 2, 2, 2, 2, 2, 3, 4]
    assert result.relative["child_poverty"].reindex(EIGHT).tolist() == [-0.5, -1.5, -0.5, -0.5, 0, 0, 2, 1]
    assert result.score.rank().reindex(EIGHT).tolist() == [1, 2, 3.5, 3.5, 5.5, 5.5, 7, 8]


def two_years():
    """Level now and two years before, as a tidy table: now minus the change."""
    rows = []
    for period, frame in (("2019", STATUS - CHANGE), ("2021", STATUS)):
        long = frame.rename_axis("area_id").melt(var_name="indicator", ignore_index=False).reset_index()
        rows.append(long.assign(period=period, numerator=np.nan, denominator=np.nan, status="observed"))
    kinds = {
        name: IndicatorSpec(id=name, label=name, kind="share", unit="pct", direction="higher_is_worse")
        for name in STATUS
    }
    return IndicatorTable(pd.concat(rows, ignore_index=True), kinds)


def test_mss_berlin_status_and_dynamics_by_hand():
    # Change: unemployment and transfers 0 0 -1 -1 -1 -3 2 4, mean 0, squares 32, / 8 = 4, z half of that;
    # child poverty 0 0 -1 -1 -3 -1 4 2 likewise. Sum 0 0 -1.5 -1.5 -2.5 -3.5 4 5, sd 2.828427:
    #   0 0 -0.530 -0.530 -0.884 -1.237 1.414 1.768; below -1 is improving, above 1 worsening.
    result = risk_index(two_years(), index_preset("mss_berlin"), period="2021")
    ranking = result.ranking.reindex(EIGHT)
    assert ranking["status_class"].tolist() == [1, 2, 2, 2, 2, 2, 3, 4]
    assert ranking["dynamics"].tolist() == pytest.approx(
        [0, 0, -0.5303301, -0.5303301, -0.8838835, -1.2374369, 1.4142136, 1.7677670], abs=1e-7
    )
    assert ranking["dynamics_class"].tolist() == ["±", "±", "±", "±", "±", "+", "−", "−"]
    assert ranking["class"].tolist() == ["1±", "2±", "2±", "2±", "2±", "2+", "3−", "4−"]


# ---------------------------------------------------------------- relative risk


def test_vastra_gotaland_by_hand():
    # The city: 60 of 400 = 15 %. A 50 of 200 = 25 %: 166.667; B 10 of 200 = 5 %: 33.333.
    rows = [
        ("A", "poor", 50.0, 200.0, 25.0),
        ("B", "poor", 10.0, 200.0, 5.0),
        ("A", "population", 200.0, np.nan, 200.0),
        ("B", "population", 200.0, np.nan, 200.0),
    ]
    data = pd.DataFrame(rows, columns=["area_id", "indicator", "numerator", "denominator", "value"])
    kinds = {"poor": ("share", "pct", "higher_is_worse"), "population": ("count", "persons", "neutral")}
    definitions = {
        name: IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=way)
        for name, (kind, unit, way) in kinds.items()
    }
    table = IndicatorTable(data.assign(period="2012", status="observed"), definitions)
    domains = [{"id": "livelihood", "label": "Livelihood", "indicators": ["poor"]}]
    result = risk_index(table, index_preset("vastra_gotaland", domains=domains), period="2012")
    assert result.score.to_dict() == pytest.approx({"A": 500 / 3, "B": 100 / 3})
