"""What no formula is made for: a defined result or a clear error, for every method; and scenarios with presets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from indexing import METHODS, WITHOUT_CITY, counted, domain, index_spec, part, plain, several_years, towns_spec

from geoplan.errors import SpecError, TableError
from geoplan.places import IndicatorTable
from geoplan.risk import risk_index
from geoplan.specs import index_preset

TWO = domain("one", ["a", "b"]), domain("two", ["c"])
#: The score of a part that is the same everywhere, and of a sum or mean of three such.
SAME = {"rank_exponential": None, "percentile": 0.0, "sd_classes": 3.0, "z_score": 0.0, "min_max": 50.0,
        "distance_to_target": 100.0, "relative": 100.0, "borda": 3.0}  # fmt: skip


def table(frame, **more):
    return counted(frame, **more)


def refused(kind, frame, spec, **more):
    with pytest.raises(kind) as caught:
        risk_index(frame, spec, **more)
    return str(caught.value)


# ---------------------------------------------------------------- towns without differences


@pytest.mark.parametrize("method", METHODS)
def test_all_areas_the_same_share_the_first_rank(method):
    frame = plain(a=[3, 3, 3], b=[3, 3, 3], c=[3, 3, 3])
    result = risk_index(table(frame), towns_spec(method, *TWO, classes={}))
    assert result.ranking["rank"].tolist() == [1, 1, 1]
    assert result.ranking["class"].tolist() == ["3", "3", "3"]
    # Three areas tied at average place 2: R = (3 + 1 - 2) / 3, in two domains.
    expected = -2 * 23 * np.log(1 - 2 / 3 * (1 - np.exp(-100 / 23))) if SAME[method] is None else SAME[method]
    assert result.score.tolist() == pytest.approx([expected] * 3)
    assert result.certificate.same_everywhere == ("a", "b", "c")
    assert result.contributions.sum(axis=1).tolist() == pytest.approx(result.ranking["composite"].tolist())


@pytest.mark.parametrize("method", METHODS)
def test_one_area_has_rank_1(method):
    result = risk_index(table(plain(a=[3], b=[3], c=[3])), towns_spec(method, *TWO, classes={}, flags=0.9))
    assert result.ranking.loc["A", ["rank", "class", "flags"]].tolist() == [1, "3", 0]
    one = {"rank_exponential": 200.0, "borda": 0.0}.get(method, SAME[method])
    assert result.score["A"] == pytest.approx(one)
    assert result.ranking.loc["A", "gap"] == pytest.approx(0)


@pytest.mark.parametrize("method", WITHOUT_CITY)
def test_a_town_where_nothing_is_deprived(method):
    frame = plain(a=[0, 0, 0], b=[0, 0, 0], c=[0, 0, 0])
    result = risk_index(table(frame), towns_spec(method, *TWO))
    assert result.ranking["rank"].tolist() == [1, 1, 1]
    assert result.ranking["score"].notna().all()
    if method == "distance_to_target":  # everybody has reached it
        assert result.score.tolist() == [0, 0, 0]


def test_a_town_where_nothing_is_deprived_is_relative_to_nothing():
    said = refused(TableError, table(plain(a=[0, 0, 0], b=[1, 2, 3], c=[0, 0, 0])), index_spec(*TWO))
    assert said.splitlines() == [
        "the city's value of 'a' is 0, so nothing is relative to it. Hint: leave it out",
        "the city's value of 'c' is 0, so nothing is relative to it. Hint: leave it out",
    ]


def test_a_town_where_everybody_is_well_is_relative_to_nothing():
    everybody = table(plain(a=[100, 100], b=[1, 2], c=[1, 2]), directions={"a": "higher_is_better"})
    said = refused(TableError, everybody, index_spec(*TWO))
    assert said == "the city's value of 'a' is 100: nobody is without it. Hint: leave the indicator out"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "harmonic"])
def test_an_indicator_that_is_the_same_everywhere_moves_no_rank(method, aggregation):
    if method == "z_score" and aggregation != "arithmetic":
        return  # z-scores are negative somewhere, see below
    frame = plain(a=[1, 2, 3, 9], b=[5, 5, 5, 5], c=[4, 4, 4, 4])
    steps = {"inside": {"aggregation": aggregation}, "between": {"aggregation": aggregation}}
    result = risk_index(table(frame), towns_spec(method, *TWO, **steps))
    # Only the mean of 0 and something is 0 under geometric and harmonic means, whatever the something.
    expected = [4, 3, 2, 1]
    if aggregation != "arithmetic" and method in {"percentile", "rank_exponential"}:
        expected = result.ranking["score"].sort_index().rank(ascending=False, method="min").tolist()
    assert result.ranking["rank"].sort_index().tolist() == expected
    assert result.certificate.same_everywhere == ("b", "c")


@pytest.mark.parametrize("aggregation", ["geometric", "harmonic"])
def test_a_zero_makes_a_geometric_or_harmonic_mean_zero(aggregation):
    frame = plain(a=[0, 2, 4], b=[5, 4, 4])
    spec = index_spec(domain("one", ["a", "b"]), method="sd_classes", inside={"aggregation": aggregation})
    result = risk_index(frame, spec)
    assert result.score["A"] == 0
    assert result.contributions.loc["A"].tolist() == [0, 0]
    assert result.score["C"] == pytest.approx(4)


# ---------------------------------------------------------------- negative values


NO_MEAN = 'Expected: values of at least 0. Hint: normalise by min_max, or take aggregation = "arithmetic"'


@pytest.mark.parametrize("aggregation", ["geometric", "harmonic"])
def test_negative_values_under_such_means_are_refused_with_area_and_indicator(aggregation):
    frame = plain(a=[1, 2, 6], b=[3, 3, 3], c=[1, 2, 3])
    said = refused(TableError, frame, index_spec(*TWO, method="z_score", inside={"aggregation": aggregation}))
    assert said == f"area 'A': 'a' enters the {aggregation} mean of 'one' as -0.926. {NO_MEAN}"
    # Between domains it is a domain that is negative.
    said = refused(TableError, frame, index_spec(*TWO, method="z_score", between={"aggregation": aggregation}))
    assert said == f"area 'A': 'two' enters the {aggregation} mean of 'index' as -1.22. {NO_MEAN}"


def test_a_harmonic_mean_that_is_infinite_is_refused_without_a_warning():
    # z-scores of -1 and 1 in both areas: 2 / (1/-1 + 1/1).
    ways = {name: {"aggregation": "harmonic"} for name in ("inside", "between")}
    spec = index_spec(domain("one", ["a", "b"]), domain("two", ["c"]), method="z_score", **ways)
    said = refused(TableError, plain(a=[1, 2], b=[2, 1], c=[1, 2]), spec)
    assert said == f"area 'A': 'a' enters the harmonic mean of 'one' as -1. {NO_MEAN}"


def test_parts_under_a_mean_are_named_as_well():
    parts = [part("first", ["a"]), part("other", ["b"])]
    spec = index_spec(domain("one", parts, combine={"aggregation": "geometric"}), method="sd_classes")
    said = refused(TableError, plain(a=[1, 2], b=[3, -4]), spec)
    assert said == f"area 'B': 'other' enters the geometric mean of 'one' as -4. {NO_MEAN}"


def test_a_negative_value_of_an_area_that_is_not_ranked_stops_nobody():
    frame = table(plain(a=[2, 8, -1], b=[2, 2, 4]), people={"A": 500, "B": 500, "C": 5})
    spec = index_spec(domain("one", ["a", "b"]), method="sd_classes", inside={"aggregation": "geometric"},
                      minimum_population=100)  # fmt: skip
    result = risk_index(frame, spec)
    assert result.score.tolist() == pytest.approx([2, 4, np.nan], nan_ok=True)
    assert result.ranking.loc["C", "reason"] == "small_population"


@pytest.mark.parametrize("aggregation", ["geometric", "harmonic"])
def test_the_mean_of_one_negative_value_is_that_value(aggregation):
    steps = {"inside": {"aggregation": aggregation}, "between": {"aggregation": aggregation}}
    frame = plain(a=[1, 2, 3])
    result = risk_index(frame, index_spec(domain("one", ["a"]), method="z_score", **steps))
    expected = risk_index(frame, index_spec(domain("one", ["a"]), method="z_score"))
    assert result.score.tolist() == pytest.approx(expected.score.tolist())
    assert result.contributions["a"].tolist() == pytest.approx(expected.contributions["a"].tolist())


# ---------------------------------------------------------------- missing figures


@pytest.mark.parametrize("method", METHODS)
def test_an_indicator_that_nobody_has_is_refused(method):
    frame = plain(a=[1, 2, 3], b=[3, 1, 2], c=[np.nan] * 3)
    said = refused(TableError, table(frame), towns_spec(method, *TWO))
    if method == "relative":
        assert said == (
            "the city's value of 'c' is not known. Hint: it is made from counts: give them, choose another period, "
            "or a method other than relative"
        )
    else:
        assert said == (
            "no area that is ranked has a figure of 'c'. Hint: leave the indicator out, or choose another period"
        )


@pytest.mark.parametrize("method", METHODS)
def test_an_area_without_a_domain_is_listed_and_the_others_are_ranked(method):
    frame = plain(a=[1, 2, 3], b=[3, 1, 2], c=[1, np.nan, 2])
    result = risk_index(table(frame), towns_spec(method, *TWO))
    assert result.excluded.index.tolist() == ["B"]
    row = result.ranking.loc["B"]
    assert row[["status", "reason", "reason_domain"]].tolist() == ["not_collected", "domain_not_known", "two"]
    assert result.ranking.loc[["A", "C"], "score"].notna().all()
    assert result.contributions.loc["B"].isna().all()


@pytest.mark.parametrize("method", METHODS)
def test_a_town_of_too_small_areas_only_has_no_ranks(method):
    frame = plain(a=[1, 2, 3], b=[3, 1, 2], c=[1, 5, 2])
    result = risk_index(table(frame, people=5), towns_spec(method, *TWO, minimum_population=100, classes={}, flags=0.9))
    assert result.ranking["rank"].isna().all()
    assert set(result.ranking["reason"]) == {"small_population"}
    assert result.ranking["class"].tolist() == ["", "", ""]
    assert (result.certificate.ranked, result.certificate.excluded) == (0, 3)


def test_a_missing_domain_that_counts_as_the_average():
    # z of a: -1.2247, 0, 1.2247 and the same of c, where B is missing: its score is that of a alone.
    frame = plain(a=[1, 2, 3], c=[1, np.nan, 3])
    spec = index_spec(domain("one", ["a"]), domain("two", ["c"]), method="z_score", between={"missing": "average"})
    result = risk_index(frame, spec)
    assert result.score.to_dict() == pytest.approx({"A": -1.224745 - 1, "B": 0, "C": 1.224745 + 1}, abs=1e-6)
    assert result.ranking.loc["B", ["rank", "reason"]].tolist() == [2, ""]
    assert np.isnan(result.domains.loc["B", "two"])
    assert result.certificate.missing == ("counts as the average, and one known is enough, in index")


@pytest.mark.parametrize(
    ("method", "where"),
    [("min_max", "inside"), ("sd_classes", "between"), ("relative", "inside"), ("borda", "between")],
)
def test_a_missing_part_is_no_average_where_0_is_not(method, where):
    said = refused(
        SpecError,
        table(plain(a=[1, 2], b=[2, 1], c=[1, 1])),
        towns_spec(method, *TWO, **{where: {"missing": "average"}}),
    )
    assert said == (
        f"key 'index.{where}.missing': a missing part can count as the average only where that is 0: of z_score and "
        "normal_scores. Expected: left_out."
    )


# ---------------------------------------------------------------- base years, targets, dynamics


@pytest.mark.parametrize(
    ("method", "then", "said"),
    [
        (
            "z_score", [5, 5, 5],
            "key 'index.base': in the base year 'a' is the same everywhere: there is no spread to measure by.",
        ),
        (
            "min_max", [5, 5, 5],
            "key 'index.base': in the base year 'a' is the same everywhere: there is no spread to measure by.",
        ),
        ("z_score", [np.nan] * 3, "key 'index.base': no area that is ranked has a figure of 'a' in the base year."),
        (
            "distance_to_target", [0, 0, 0],
            ("key 'index.base': in the base year all areas have reached the target of 'a': there is no distance to "
            "measure by."),
        ),
    ],
)  # fmt: skip
def test_a_base_year_without_a_measure_is_refused(method, then, said):
    years = several_years(y2010=table(plain(a=then), period="2010"), y2012=table(plain(a=[1, 2, 3])))
    found = refused(TableError, years, towns_spec(method, domain("one", ["a"]), base=2010), period="2012")
    assert found == f"{said} Hint: leave the indicator out, or choose another base"


@pytest.mark.parametrize("method", ["rank_exponential", "percentile", "borda"])
def test_a_base_year_says_nothing_to_ranks(method):
    years = several_years(y2010=table(plain(a=[1, 2, 3]), period="2010"), y2012=table(plain(a=[1, 2, 3])))
    assert refused(SpecError, years, towns_spec(method, domain("one", ["a"]), base=2010), period="2012") == (
        f"key 'index.base': a base year says nothing to '{method}': ranks are made anew each year. "
        "Hint: leave it out, or use relative, z_score or min_max"
    )


def test_targets_that_lack_or_cannot_be_turned_are_refused():
    frame = table(plain(a=[1, 2], b=[2, 1]), directions={"a": "higher_is_better"})
    spec = index_spec(
        domain("one", ["a", "b"]), method="distance_to_target", targets={"a": 0.0}, favourable="reciprocal"
    )
    assert refused(SpecError, frame, spec) == (
        "key 'index.targets': no target for 'b'. Expected: the target of each indicator, in its unit."
    )
    spec = index_spec(domain("one", ["a"]), method="distance_to_target", targets={"a": 0.0}, favourable="reciprocal")
    assert refused(SpecError, frame, spec) == (
        "key 'index.targets.a': the target of 'a' is 0, and city / area has no value there. Expected: more than 0. "
        'Hint: favourable = "complement" turns by sign'
    )


def test_targets_are_asked_of_those_that_are_measured_by_them_only():
    own = domain("two", ["b"], combine={"normalisation": "min_max"})
    spec = index_spec(domain("one", ["a"]), own, method="distance_to_target", targets={"a": 1.0})
    assert risk_index(plain(a=[1, 2], b=[2, 1]), spec).score.tolist() == [50, 50]


def test_dynamics_without_the_earlier_year_or_without_years_are_refused():
    spec = index_spec(domain("one", ["a"]), method="z_score", dynamics={"years": 2})
    assert refused(SpecError, table(plain(a=[1, 2])), spec) == (
        "key 'index.dynamics.years': no period of the table is called '2010'. Hint: did you mean '2012'?"
    )
    assert refused(SpecError, plain(a=[1, 2]), spec) == (
        "key 'index.dynamics': the ranked period is 'unstated': no year lies 2 years before it. "
        "Expected: a period that is one year, such as 2012."
    )


# ---------------------------------------------------------------- plain frames


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (plain(a=[1, 2]).iloc[:0], "the frame has no rows. Expected: one row an area."),
        (
            pd.DataFrame({"a": [1, 2, 3]}, index=[7, "7", "8"]),
            "area '7': the area stands there twice. Expected: one row an area.",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "column 'a': the column stands there twice. Expected: one an indicator.",
        ),
        (plain(a=[1, np.inf]), "column 'a': the column holds infinite numbers. Expected: finite ones."),
        (
            plain(a=[1, -999]),
            (
                "column 'a': 1 areas have -999. Expected: NaN where a figure is missing. "
                "Hint: frame.replace(-999, float('nan'))"
            ),
        ),
        (
            pd.DataFrame({"a": ["1", "many"]}),
            "column 'a': the column holds texts. Expected: numbers, NaN if missing.",
        ),
    ],
)
def test_frames_that_cannot_be_read_are_refused(frame, said):
    assert refused(TableError, frame, index_spec(domain("one", ["a"]), method="z_score")) == said


def test_no_area_to_rank_is_refused():
    said = refused(SpecError, plain(a=[1, 2]), index_spec(domain("one", ["a"]), method="z_score"), area_ids=[])
    assert said == "key 'area_ids': there is no area to rank. Expected: codes of areas."


def test_figures_without_counts_are_not_relative():
    assert refused(TableError, plain(a=[1, 2]), index_spec(domain("one", ["a"]))) == (
        "the city's value of 'a' is not known. Hint: it is made from counts: give them, choose another period, "
        "or a method other than relative"
    )


# ---------------------------------------------------------------- specifications


def wrong(*domains, **more):
    with pytest.raises(SpecError) as caught:
        index_spec(*domains, **more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("domains", "said"),
    [
        (
            [domain("one", [part("first", ["a"])]), domain("first", ["b"])],
            (
                "key 'domains': the list does not fit. Expected: parts under names of their own in the whole index; "
                "not so: 'first'."
            ),
        ),
        (
            [domain("one", [part("x", ["a"])]), domain("two", [part("x", ["b"])])],
            (
                "key 'domains': the list does not fit. Expected: parts under names of their own in the whole index; "
                "not so: 'x'."
            ),
        ),
        (
            [domain("total", ["a"])],
            "key 'domains': the list does not fit. Expected: domains under other names: 'total' stands for the whole.",
        ),
        (
            [domain("one", [part("A b", ["a"]), part("other", [])])],
            (
                "key 'domains.0.parts.0.id': 'A b' does not fit. Expected: small letters a-z, digits, - and _.\n"
                "key 'domains.0.parts.1.indicators': {} does not fit. Expected: at least 1."
            ),
        ),
        (
            [{"id": "one", "label": "one", "parts": [{"id": "x", "label": "x", "indicator": ["a"]}]}],
            (
                "key 'domains.0.parts.0.indicators': the key is missing. Expected: A list of indicator ids, or a table "
                "of id = weight.\n"
                "key 'domains.0.parts.0.indicator': unknown key 'indicator'. Hint: did you mean 'indicators'?"
            ),
        ),
        (
            [{**domain("one", [part("x", ["a"])]), "indicators": ["a"]}],
            "key 'domains.0': the table does not fit. Expected: either `indicators` or `parts`, not both.",
        ),
        (
            [domain("one", [part("x", ["a"]), part("y", ["a"])])],
            (
                "key 'domains.0': the table does not fit. Expected: each part and each indicator once in a domain; "
                "twice: 'a'."
            ),
        ),
    ],
)
def test_domains_that_do_not_fit_are_told_where_they_stand(domains, said):
    assert wrong(*domains) == said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"method": "percentil"},
            (
                "key 'method': 'percentil' does not fit. Expected: 'relative', 'rank_exponential', 'percentile', "
                "'sd_classes', 'z_score', 'min_max', 'distance_to_target' or 'borda'."
            ),
        ),
        (
            {"inside": {"aggregation": "median"}},
            (
                "key 'inside.aggregation': 'median' does not fit. "
                "Expected: 'arithmetic', 'sum', 'geometric' or 'harmonic'."
            ),
        ),
        (
            {"inside": {"scale": [100.0, 1.0]}},
            "key 'inside.scale': [100.0, 1.0] does not fit. Expected: two numbers, the lower first.",
        ),
        (
            {"ranks": {"tie": "lowest"}},
            "key 'ranks.tie': unknown key 'tie'. Hint: did you mean 'ties'?",
        ),
        (
            {"classes": {"limits": [1.0, 0.0]}},
            "key 'classes': {'limits': [1.0, 0.0]} does not fit. Expected: `limits` in rising order, each once.",
        ),
        (
            {"classes": {"limits": [0.0], "labels": ["high"]}},
            "key 'classes': {'limits': [0.0], 'labels': ['high']} does not fit. Expected: 2 labels for 1 limits.",
        ),
        (
            {"dynamics": {"signs": ["+", "-"]}},
            "key 'dynamics': {'signs': ['+', '-']} does not fit. Expected: 3 signs for 2 limits.",
        ),
        (
            {"targets": {"b": 1.0}},
            "the table does not fit. Expected: `targets` of the index's own indicators; there is no 'b'.",
        ),
        ({"flags": 90}, "key 'flags': 90 does not fit. Expected: less than or equal to 1."),
        ({"minimum_available": 0}, "key 'minimum_available': 0 does not fit. Expected: greater than 0."),
    ],
)
def test_wrong_keys_and_values_are_told(more, said):
    assert wrong(domain("one", ["a"]), **more) == said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"method": "percentile", "between": {"normalisation": "relative"}},
            (
                "key 'index.between.normalisation': domains have no city value to be normalised by. "
                "Expected: none, z_score, rank_exponential …."
            ),
        ),
        (
            {"method": "z_score", "between": {"normalisation": "distance_to_target"}},
            "key 'index.between.normalisation': domains have no target. Expected: none, z_score, rank_exponential ….",
        ),
        (
            {"method": "z_score", "favourable": "after"},
            (
                "key 'index.favourable': only percentile ranks and min_max can be turned after they have been made. "
                "Expected: complement or reciprocal."
            ),
        ),
    ],
)
def test_steps_that_make_no_sense_together_are_refused(more, said):
    assert refused(SpecError, plain(a=[1, 2]), index_spec(domain("one", ["a"]), **more)) == said


def test_parts_have_no_city_value():
    own = domain("one", [part("x", ["a"]), part("y", ["b"])], combine={"normalisation": "relative"})
    assert refused(SpecError, table(plain(a=[1, 2], b=[1, 2])), index_spec(own)) == (
        "key 'index.domains.combine': the parts of 'one' have no city value and no target to be normalised by. "
        "Expected: none, rank_exponential, z_score …."
    )


# ---------------------------------------------------------------- presets


def preset_wrong(name, **changes):
    with pytest.raises(SpecError) as caught:
        index_preset(name, **changes)
    return str(caught.value)


def test_other_weights_for_a_presets_own_indicators_keep_their_directions():
    # Ranks, 1 the most deprived, stay ranks when they are weighed in another way; figures of one's own are one's own.
    preset = index_preset("wimd_2019")
    even = [{"id": d.id, "label": "any", "indicators": list(d.indicators)} for d in preset.domains]
    changed = index_preset("wimd_2019", domains=even)
    assert changed.directions == preset.directions
    assert risk_index(plain(**{name: [1, 2, 3] for name in preset.indicators}), changed).ranking["rank"].to_dict() == {
        "A": 1, "B": 2, "C": 3,
    }  # fmt: skip
    assert index_preset("wimd_2019", domains=[domain("one", ["income", "poor"])]).directions == {}
    assert index_preset("wimd_2019", domains=even, directions={"income": "higher_is_worse"}).directions == {
        **preset.directions, "income": "higher_is_worse",
    }  # fmt: skip


def test_presets_that_do_not_exist_or_do_not_fit_are_refused():
    assert preset_wrong("imd_2091") == "key 'preset': no preset is called 'imd_2091'. Hint: did you mean 'imd_2019'?"
    assert preset_wrong("imd_2019", rank={}) == "an index has no field 'rank'. Hint: did you mean 'ranks'?"
    assert preset_wrong("imd_2019", preset="x") == "key 'preset': a preset cannot change its name."
    assert preset_wrong("imd_2019", domains=5) == (
        "preset imd_2019, key 'domains': 5 does not fit. Expected: a list in square brackets."
    )
    assert preset_wrong("imd_2019", ranks={"ties": "none"}) == (
        "preset imd_2019, key 'ranks.ties': 'none' does not fit. Expected: 'average', 'lowest' or 'highest'."
    )


PRESET = '[index]\npreset = "imd_2019"\n'


@pytest.fixture
def preset_project(project):
    project.edit(project.scenario, "[index]\n", PRESET)
    return project


def test_a_scenario_with_a_preset_and_domains_of_its_own_runs(preset_project, geoplan):
    for words in (
        ["check"],
        ["run", "scenarios/four.toml", "--out", "out"],
        ["explain", "out", "0101"],
    ):
        ended = geoplan(*words, cwd=preset_project.root)
        assert (ended.code, ended.err) == (0, "")
    certificate = risk_index_of(preset_project).certificate
    assert (certificate.preset, certificate.method) == ("imd_2019", "rank exponential")
    # livelihood: 10, 15, 20, 25 %; safety: 50, 40, 30, 20 per 1,000: mirror images. Every sum of E is symmetrical.
    ranks = risk_index_of(preset_project).ranking["rank"].sort_index().tolist()
    assert ranks == [1, 3, 3, 1]


def risk_index_of(project):
    from geoplan.run import open_run  # noqa: PLC0415  the roof is needed here only

    return open_run(project / project.scenario).index()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "imd_2019", "imd_2018",
            "scenarios/four.toml, key 'index.preset': no preset is called 'imd_2018'. Hint: did you mean 'imd_2019'?",
        ),
        (
            PRESET, '[index]\npreset = "imd_2019"\nrank = { ties = "lowest" }\n',
            "scenarios/four.toml, key 'index.rank': unknown key 'rank'. Hint: did you mean 'ranks'?",
        ),
        (
            PRESET, '[index]\npreset = "imd_2019"\nbase = 2011\n',
            ("scenarios/four.toml, key 'index.base': no period of the table is called '2011'. "
            "Hint: did you mean '2012'?"),
        ),
        (
            PRESET, '[index]\npreset = "imd_2019"\nphase = { registry = "x", version = "2012" }\n',
            ("scenarios/four.toml, key 'index.phase': the domains are given twice. "
            "Expected: either `phase` or [[index.domains]]."),
        ),
        (
            PRESET, '[index]\npreset = "imd_2019"\ntreatment = { groups = "stadsdel" }\n',
            ("scenarios/four.toml, key 'index.treatment.groups': groups are named and nothing is imputed. "
            'Expected: impute = "group_mean", or no groups.'),
        ),
    ],
)  # fmt: skip
def test_check_tells_what_is_wrong_with_a_preset(preset_project, geoplan, old, new, said):
    preset_project.edit(preset_project.scenario, old, new)
    ended = geoplan("check", cwd=preset_project.root)
    assert ended.code == 2
    assert ended.faults[0] == said


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_from_a_scenario(project, geoplan, method):
    more = "targets = { poor = 5.0, crime = 10.0 }\n" if method == "distance_to_target" else ""
    project.edit(project.scenario, "[index]\n", f'[index]\nmethod = "{method}"\n{more}')
    ended = geoplan("run", "scenarios/four.toml", "--out", "out", cwd=project.root)
    assert (ended.code, ended.err) == (0, "")
    ranked = pd.read_csv(project / "out" / "ranking.csv", dtype={"area_id": str})
    assert len(ranked) == 4


def test_a_table_is_not_changed_by_ranking_it():
    known = table(plain(a=[1, 2, np.nan], b=[3, 1, 2], c=[1, 5, 2]))
    before = known.data.copy()
    risk_index(known, towns_spec("z_score", *TWO, treatment={"impute": "group_mean", "outliers": "winsorise"}))
    pd.testing.assert_frame_equal(known.data, before)
    assert isinstance(known, IndicatorTable)
