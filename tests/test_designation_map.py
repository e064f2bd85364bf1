"""The map of a rule: what a reader sees of those who qualify, are on the border, or were nominated."""

from __future__ import annotations

import re

import matplotlib as mpl
import pandas as pd
import pytest

import geoplan as gp
from geoplan.errors import InputError, SpecError
from geoplan.run import designation_map, selection_for
from geoplan.run.designating import designation_style


@pytest.fixture(scope="module")
def town():
    return gp.open_run("scenarios/baseline.toml")


def _legend(figure):
    legend = figure.axes[1].get_legend()
    return {re.sub(r"\s+\(\d+\)$", "", text.get_text()).replace("\n", " "): patch.get_facecolor()
            for text, patch in zip(legend.get_texts(), legend.get_patches(), strict=True)}  # fmt: skip


def _beside(figure):
    return [text.get_text() for text in figure.axes[1].texts]


def test_one_line_draws_the_scenarios_own_rule(town):
    figure = designation_map(town, language="en")
    assert figure.axes[0].get_title(loc="left") == "Programme for a coherent city, districts of 2014"
    assert list(_legend(figure)) == [
        "Meets the conditions",
        "Meets the conditions, borderline",
        "Does not meet the conditions",
        "Not applicable: does not lie in a listed area",
        "Too few people: too few residents",
    ]
    heading, *named = _beside(figure)
    assert heading == "Areas that meet the conditions"
    assert len(named) == len(town.chosen_rule().chosen)
    assert named[-1] == "7  Tegelvreten  (borderline)"


def test_who_was_nominated_and_qualifies_is_said_under_the_map(town):
    _, style = designation_style(town, town.chosen_rule(), "en")
    assert "Nominated by Nordhamra stad: Tegelvreten." in style.note
    _, style = designation_style(town, town.selections()["se_2012"], "en")  # there it is a class of its own
    assert "Tegelvreten" not in style.note


def test_who_is_only_nominated_is_not_said_to_meet_the_conditions(town):
    figure = designation_map(town, "se_2012", language="en")
    assert not town.selections()["se_2012"].chosen
    assert _beside(figure) == ["Numbered areas", "1  Tegelvreten  (nominated)"]
    assert "Nominated, does not meet the conditions" in _legend(figure)


def test_an_outcome_has_the_same_colour_on_every_map(town):
    maps = [_legend(designation_map(town, name, language="en")) for name in town.selections()]
    for word in ("Meets the conditions", "Nominated", "Does not meet the conditions"):
        colours = {colour for legend in maps for text, colour in legend.items() if text.split(",")[0].startswith(word)
                   and "borderline" not in text}  # fmt: skip
        assert len(colours) == 1, word


def test_no_word_of_the_legend_leaves_the_page(town):
    for language in ("sv", "da", "en"):
        figure = designation_map(town, "index_quintile", language=language)
        figure.draw_without_rendering()
        for text in figure.axes[1].get_legend().get_texts():
            assert mpl.text.Text.get_window_extent(text).x1 < figure.bbox.x1, text.get_text()


@pytest.mark.parametrize("words", ["", "163.8", "(just outside)", "(lige udenfor)"])
def test_no_name_beside_the_map_leaves_the_page(town, words):
    areas = town.areas().iloc[:4].assign(name=["A", "Norra Hedgärdet", "W" * 30, "Skarpnäcks gårds radhusområde"])
    figure = gp.plot(areas, pd.Series(1.0, areas.index), named=dict.fromkeys(areas.index, words))
    figure.draw_without_rendering()
    _, *texts = figure.axes[1].texts
    assert texts[1].get_text() == f"2  Norra Hedgärdet  {words}".rstrip()
    assert texts[2].get_text().endswith(f"W…  {words}".rstrip())
    for text in texts:
        assert mpl.text.Text.get_window_extent(text).x1 < figure.bbox.x1, text.get_text()


def test_a_rule_is_given_by_its_result_or_its_name(town):
    found = selection_for(town, gp.specs.rule_book("se_2012"))
    assert _beside(designation_map(town, found)) == _beside(designation_map(town, "se_2012"))
    assert _beside(designation_map(town, "top_5_in_municipality"))[0] == "Områden med nummer"
    with pytest.raises(InputError, match="se_2012"):
        designation_map(town, "se_2021")
    with pytest.raises(SpecError, match="names no rule"):
        designation_map(gp.open_run("scenarios/basomraden.toml"))


def test_colours_follow_their_order(town):
    values, style = designation_style(town, town.chosen_rule())
    assert len(style.colours) == len(style.labels) == values.max() == 3
    lightness = pd.Series([sum(mpl.colors.to_rgb(colour)) for colour in style.colours])
    assert lightness.is_monotonic_decreasing
