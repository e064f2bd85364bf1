"""The drawings of equity: what a reader sees in three languages and at every width, and what is refused."""

from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from shapely import box

from geoplan.errors import CrsError, IdError, SpecError, TableError
from geoplan.reach import Standard, access_equity, deprivation_access_classes
from geoplan.show import explore_deprivation_access, plot_deprivation_access, plot_equity

WIDTHS = (3.4, 5.0, 7.4, 10.0)
LANGUAGES = ("sv", "da", "en")
UNITS = pd.Index([f"u{number}" for number in range(10)], name="area_id")
JOBS = pd.Series(1000.0 * np.arange(1, 11), index=UNITS)
PEOPLE = pd.Series(100, index=UNITS)
SCORE = pd.Series(200.0 - 10 * np.arange(10), index=UNITS)


@pytest.fixture(scope="module")
def found():
    groups = pd.DataFrame({"<b>without a car</b>": 10, "nobody $x$": 0}, index=UNITS)
    score = SCORE.mask(SCORE == 110)
    return access_equity(JOBS, PEOPLE, score, groups=groups, standard=Standard("jobs", at_least=4500))


@pytest.fixture(scope="module")
def areas():
    shapes = [box(1000 * at, 0, 1000 * at + 1000, 3000) for at in range(len(UNITS))]
    return gpd.GeoDataFrame({"name": [f"Place {name}" for name in UNITS]}, geometry=shapes, index=UNITS, crs=3006)


@pytest.fixture(scope="module")
def classes():
    return deprivation_access_classes(JOBS.mask(JOBS == 5000), SCORE)


def _draw(found, **other):
    told = {"by_group": found.by_group, "left_out": found.left_out, "standard": "4 500", "source": "a register"}
    return plot_equity(found.by_quantile, found.curve, found.measures, **{**told, **other})


def _texts(figure):
    every = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return [text for text in every if text.get_text()]


def _words(figure):
    return " ".join(" ".join(text.get_text().split()) for text in _texts(figure))


def _stand_apart(figure):
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
    for text, place in boxes:
        assert place.x0 > figure.bbox.x0 - 1, text
        assert place.x1 < figure.bbox.x1 + 1, text
    for (one, a), (two, b) in combinations(boxes, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert not (wide > 1 and high > 0.3 * min(a.height, b.height)), (one, two)


# ---------------------------------------------------------------- parts, curve and figures


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_words_stand_apart_and_on_the_page(found, width, language):
    _stand_apart(_draw(found, what="x" * 30, unit="jobs", percentile=50, language=language, width=width))


def test_what_was_handed_over_is_said(found):
    words = _words(
        _draw(found, what="Jobs within 45 min", unit="posts", percentile=85, period="2012", date="15 March 2013",
              note="a note", language="en")
    )  # fmt: skip
    for text in ("Jobs within 45 min", "posts", "at least 85", "2012", "15 March 2013", "a note", "a register"):
        assert text in words
    assert "<b>without a car</b>" in words
    assert "Left out: 1 places (no index 1)" in words


def test_figures_of_the_whole_have_sentences(found):
    words = _words(_draw(found, language="en"))
    told = found.measures
    assert told["concentration"] > 0.02
    assert "higher figures are found more where the index is low" in words
    assert f"{told['gini']:.2f}" in words
    assert f"{told['palma']:.2f}" in words
    assert f"{100 * told['share_below']:.0f} %" in words
    assert f"standard 4 500 ({told['below']:,.0f} people)" in words
    assert "on the whole no more" in _words(plot_equity(
        found.by_quantile, found.curve, {"concentration": -0.001}, language="en"))  # fmt: skip


def test_a_group_of_nobody_says_so_and_is_no_zero(found):
    figure = _draw(found, language="en")
    assert "nobody lives here" in _words(figure)
    dots = [
        line for axes in figure.axes for line in axes.lines if line.get_marker() == "o" and axes.get_xlim()[1] > 100
    ]
    assert len(dots) == 5 + 1 + 1  # parts, all, the one group that has people


def test_minutes_are_said_to_be_better_when_lower(found):
    figure = _draw(found, unit="min", higher_is_better=False, language="en")
    assert any("lower is better" in axes.get_xlabel() for axes in figure.axes)


def test_no_access_at_all_has_no_curve():
    found = access_equity(JOBS * 0, PEOPLE, SCORE)
    figure = plot_equity(found.by_quantile, found.curve, found.measures, language="en")
    assert "Not applicable" in _words(figure)
    assert "Gini" not in _words(figure)


def test_what_is_no_equity_is_refused(found):
    with pytest.raises(SpecError, match="Equity is not a table"):
        plot_equity(found, found.curve, found.measures)
    with pytest.raises(SpecError, match="p10"):
        plot_equity(found.by_quantile.drop(columns="p10"), found.curve, found.measures)
    with pytest.raises(SpecError, match="row of all residents is missing"):
        plot_equity(found.by_quantile.drop(index="all"), found.curve, found.measures)
    with pytest.raises(SpecError, match="no parts to compare"):
        plot_equity(found.by_quantile.loc[["all"]], found.curve, found.measures)
    with pytest.raises(SpecError, match="7 is no share"):
        plot_equity(found.by_quantile, found.curve.assign(access=7.0), found.measures)
    with pytest.raises(SpecError, match="holds no figures by name"):
        plot_equity(found.by_quantile, found.curve, [0.5])
    with pytest.raises(TableError, match="'much' is not a number"):
        plot_equity(found.by_quantile, found.curve, {"gini": "much"})
    with pytest.raises(SpecError, match="why units are left out"):
        _draw(found, left_out=pd.DataFrame({"other": [1]}))
    with pytest.raises(SpecError, match="3 inches wide"):
        _draw(found, width=3)


# ---------------------------------------------------------------- index and access on a map


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_square_stands_beside_the_map_or_below(areas, classes, width, language):
    figure = plot_deprivation_access(areas, classes, what="x" * 30, percentile=50, language=language, width=width)
    _stand_apart(figure)
    assert len(figure.axes) == 2


def test_counts_limits_and_names_are_told(areas, classes):
    figure = plot_deprivation_access(areas, classes, period="2012", source="a register", language="en")
    square = [text.get_text() for text in figure.axes[1].texts]
    counts = classes["class"].value_counts()
    assert [int(text) for text in square[1:10]] == [
        int(counts.get(f"{index}-{access}", 0)) for access in (1, 2, 3) for index in (1, 2, 3)
    ]
    assert "No data (1)" in square
    low, high = classes.attrs["limits"][1]
    assert square.index(f"{high:,.0f}") < square.index(f"{low:,.0f}")  # from good access down to poor
    words = _words(figure)
    assert "High index and poor access (3): Place u0, Place u1, Place u2" in words
    assert "N: 9 of 10 areas" in words
    assert "2012" in words


def test_limits_of_minutes_run_the_other_way(areas):
    classes = deprivation_access_classes(60 - JOBS / 1000, SCORE, higher_is_better=False)
    figure = plot_deprivation_access(areas, classes, higher_is_better=False, language="en")
    square = [text.get_text() for text in figure.axes[1].texts]
    low, high = (f"{limit:.0f}" for limit in classes.attrs["limits"][1])
    assert square.index(low) < square.index(high)


def test_an_area_that_is_not_in_the_classes_has_no_figure(areas, classes):
    words = _words(plot_deprivation_access(areas, classes.iloc[:4], language="da"))
    assert "N: 4 af 10 områder" in words
    assert "(6)" in words


def test_the_map_to_look_around_in(areas, classes):
    page = explore_deprivation_access(areas, classes, what="Jobs", percentile=50, source="a register", language="en")
    html = page.to_html()
    assert "high index, poor access" in html
    assert "a register" in html
    assert "#1c1c28" in html


#: What is left of linear RGB to readers who lack one kind of cone (Machado, Oliveira & Fernandes 2009).
SEEN = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def _lab(colour, seen):
    share = np.array(to_rgb(colour))
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen) @ linear, 0, 1)
    xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]] @ linear / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen", SEEN)
def test_nine_colours_stay_apart_to_readers_who_lack_one(areas, classes, seen):
    squares = plot_deprivation_access(areas, classes).axes[1].patches[:9]
    found = [_lab(square.get_facecolor(), SEEN[seen]) for square in squares]
    assert min(np.linalg.norm(one - two) for one, two in combinations(found, 2)) > 15


def test_what_is_no_map_of_classes_is_refused(areas, classes):
    with pytest.raises(SpecError, match="Series is not a table"):
        plot_deprivation_access(areas, classes["class"])
    with pytest.raises(SpecError, match="status"):
        plot_deprivation_access(areas, classes.drop(columns="status"))
    with pytest.raises(TableError, match="'4-1' is no class of index and access"):
        plot_deprivation_access(areas, classes.assign(**{"class": "4-1"}))
    with pytest.raises(IdError):
        plot_deprivation_access(areas.iloc[:5], classes)
    with pytest.raises(IdError):
        plot_deprivation_access(areas, pd.concat([classes, classes.iloc[:1]]))
    with pytest.raises(CrsError):
        plot_deprivation_access(areas.set_crs(None, allow_override=True), classes)
    with pytest.raises(SpecError, match="no areas"):
        plot_deprivation_access(areas.iloc[:0], classes.iloc[:0])
