"""Charts of the index: what a reader sees of ranks, profiles, slopes, patterns and small multiples."""

from __future__ import annotations

import io
import re
from itertools import combinations

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from shapely import box

from geoplan.errors import GeoplanError, IdError, SpecError, TableError
from geoplan.risk import risk_index
from geoplan.show import make_style, plot_moran, plot_panels, plot_profile, plot_ranks, plot_slopes
from geoplan.show.page import fitted, spread, text_width, wrapped
from geoplan.show.printed import SAVED
from geoplan.show.style import INK, LINES, QUIET

few = settings(max_examples=8)
WIDTHS = (3.55, 9.2)  # a telephone's 390 pixels, and a sheet
LONG = "Skarpnäcks gårds och Pungpinans radhusområde vid den norra järnvägsövergången"


def _said(figure):
    """Return every text that a reader sees."""
    return [
        text.get_text()
        for part in (figure, *figure.axes)
        for text in part.texts
        if text.get_text() and text.get_visible()
    ]


def _foot(figure):
    return next(text.get_text() for text in figure.texts if "N: " in text.get_text()).replace("\n", " ")


def _boxes(figure):
    """Return every text with its place, without the stroke that leads to it."""
    figure.draw_without_rendering()
    texts = [text for part in (figure, *figure.axes) for text in part.texts if text.get_text()]
    return [(text.get_text(), mpl.text.Text.get_window_extent(text)) for text in texts]


def _overlapping(figure):
    """Return pairs of texts that cover each other by more than a hair."""
    found = []
    for (one, a), (two, b) in combinations(_boxes(figure), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > 1 and high > 0.35 * min(a.height, b.height):  # a box is as high as its line, letters are lower
            found.append((one, two))
    return found


def _outside(figure):
    page = figure.bbox
    return [
        text
        for text, place in _boxes(figure)
        if place.x0 < page.x0 - 1 or place.x1 > page.x1 + 1 or place.y0 < page.y0 - 1 or place.y1 > page.y1 + 1
    ]


def _bytes(figure, ending):
    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "geoplan"}):
        figure.savefig(stream, format=ending, **SAVED[ending])
    return stream.getvalue()


def _points(axes):
    """Return marker → number of points, of what is drawn as points."""
    lines = [line for line in axes.lines if line.get_linestyle() == "None"]
    found = {}
    for line in lines:
        key = line.get_marker(), line.get_markerfacecolor()
        found[key] = found.get(key, 0) + int(np.isfinite(np.asarray(line.get_ydata(), dtype=float)).sum())
    return found


# ---------------------------------------------------------------- the page


def test_names_stand_apart_as_near_to_their_places_as_they_can():
    # Two at 10 and one at 11, 4 apart and centred on them: the mean of 10, 10 - 4 and 11 - 8 is 6 1/3.
    places = spread(np.array([10.0, 11.0, 10.0]), 4, 0, 100)
    assert places == pytest.approx([19 / 3, 19 / 3 + 8, 19 / 3 + 4])
    assert spread(np.array([1.0, 50.0]), 4, 3, 100).tolist() == [3, 50]
    assert spread(np.array([99.0, 99.0]), 4, 3, 100).tolist() == [96, 100]
    assert spread(np.array([]), 4, 0, 1).tolist() == []


@given(st.lists(st.floats(-50, 150), max_size=12))
def test_names_are_apart_inside_and_in_order(wanted):
    places = spread(np.array(wanted), 5, 0, 100)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) >= 5 - 1e-9).all()
    assert ((places >= -1e-9) & (places <= 100 + 1e-9)).all()


@given(st.text(st.characters(codec="latin-1", exclude_categories=("C",)), max_size=80), st.floats(0.5, 5))
def test_text_fits_its_room(text, room):
    assert text_width(fitted(text, room, 9), 9) <= room
    assert all(text_width(line, 9) <= room for line in wrapped(text, room, 9))
    assert len(wrapped(text, room, 9, most=2)) <= 2


def test_a_text_is_divided_without_loss():
    assert " ".join(wrapped(LONG, 2, 9)) == LONG
    assert "".join(line.removesuffix("-") for line in wrapped("å" * 60, 1, 9)) == "å" * 60
    assert wrapped("one two,\N{NO-BREAK SPACE}%", 0.55, 9) == ["one", "two,\N{NO-BREAK SPACE}%"]


def _contrast(colour):
    """Return the contrast on white (WCAG 2.1)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_text_has_the_contrast_that_weak_eyes_need():
    assert min(_contrast(colour) for colour in (INK, QUIET, *LINES)) >= 4.5


# ---------------------------------------------------------------- what all have in common


def _table(count, *, missing=0):
    """Return ranks whose interval reaches two places to both sides; the last areas have none."""
    rank = np.arange(1.0, count + 1)
    rank[count - missing :] = np.nan
    known = count - missing
    return pd.DataFrame(
        {
            "rank": rank,
            "rank_low": np.maximum(rank - 2, 1),
            "rank_high": np.minimum(rank + 2, known),
            "rank_median": rank,
            "p_top": np.clip((known - rank) / known, 0, 1),
            "status": ["observed"] * known + ["out_of_scope"] * missing,
        },
        index=pd.Index([f"{number:04}" for number in range(count)], name="area_id"),
    )


_OK = "observed"
PROFILE = pd.DataFrame(
    [
        ("work", "Förvärvsarbetande 20–64 år", "Försörjning", "pct", 52.4, 76.4, 202.0, 130.0, 20, 250, 900, "", _OK),
        ("crime", "Våldsbrott", "Trygghet", "per_1000", 9.7, 9.7, 100.0, 100.0, 40, 180, 1000, "", _OK),
        ("poor", "Låg standard", "Försörjning", "pct", 12.0, 13.5, 89.0, 95.0, 30, 210, 880, "as the city", _OK),
        ("fires", "Anlagda bränder", "Trygghet", "per_1000", None, 1.9, None, None, 0, 240, None, "", "suppressed"),
        ("views", "Tillit", "Trygghet", "pct", 3.0, 20.0, None, None, 30, 210, 12, "not comparable", _OK),
    ],
    columns=[
        "indicator", "label", "domain", "unit", "value", "city", "relative", "relative_surroundings",
        "relative_minimum", "relative_maximum", "denominator", "kind", "status",
    ],
)  # fmt: skip
SCORES = pd.DataFrame(
    {2006: [120.0, 90.0, 60.0, np.nan], 2009: [130.0, np.nan, 61.0, np.nan], 2012: [110.0, 91.0, 62.0, np.nan]},
    index=["0101", "0102", "0103", "0104"],
)
LOCAL = pd.DataFrame(
    {
        "value": [130.0, 125.0, 80.0, 100.0, 99.0, np.nan],
        "surroundings": [120.0, 122.0, 85.0, 101.0, np.nan, np.nan],
        "class": ["high among high", "high among high", "low among low", "not distinguishable", "no class", "no class"],
        "reason": ["", "", "", "may_be_chance", "no_neighbour", "value_missing"],
    },
    index=[f"010{number}" for number in range(1, 7)],
)
NAMES = {f"010{number}": f"Område {number}" for number in range(1, 7)}


def _squares(count):
    shapes = [box(674_000 + 500 * i, 6_580_000, 674_500 + 500 * i, 6_580_900) for i in range(count)]
    return gpd.GeoDataFrame(
        index=pd.Index([f"010{i}" for i in range(1, count + 1)], name="area_id"), geometry=shapes, crs=3006
    )


GIVEN = {"scheme": "given", "breaks": [80, 110]}
DRAWINGS = {
    "ranks": lambda **kwds: plot_ranks(_table(12, missing=2), top=4, title="T", period="2012", **kwds),
    "strip": lambda **kwds: plot_ranks(
        _table(80, missing=2), top=9, highlight=["0003", "0040"], title="T", period="2012", **kwds
    ),
    "profile": lambda **kwds: plot_profile(PROFILE, title="T", period="2012", **kwds),
    "slopes": lambda **kwds: plot_slopes(SCORES, names=NAMES, highlight=["0101"], breaks=[2009], title="T", **kwds),
    "moran": lambda **kwds: plot_moran(LOCAL, names=NAMES, statistic=0.5, title="T", period="2012", **kwds),
    "panels": lambda **kwds: plot_panels(_squares(4), SCORES, title="T", period="2012", **GIVEN, **kwds),
}
SOURCE = {"sv": "Källa: S", "da": "Kilde: S", "en": "Source: S"}
METHOD = {"sv": "Metod: M", "da": "Metode: M", "en": "Method: M"}


@pytest.mark.parametrize("language", ["sv", "da", "en"])
@pytest.mark.parametrize("name", DRAWINGS)
def test_every_chart_says_source_year_number_and_method(name, language):
    figure = DRAWINGS[name](language=language, source="S", method="M", note="A note.")
    told = _foot(figure)
    assert told.find(SOURCE[language]) < told.find("N: ") < told.find(METHOD[language]) < told.find("A note.")
    assert "2012" in figure.texts[1].get_text()
    assert figure.texts[0].get_text() == "T"
    assert not _outside(figure)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", DRAWINGS)
def test_words_cover_no_other_words_and_stay_on_the_page(name, width):
    figure = DRAWINGS[name](width=width, source=f"{LONG}; {LONG}", language="sv")
    assert figure.get_size_inches()[0] == width
    assert _overlapping(figure) == []
    assert _outside(figure) == []


@pytest.mark.parametrize("ending", SAVED)
@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_is_the_same_to_the_byte_each_time(name, ending):
    assert _bytes(DRAWINGS[name](), ending) == _bytes(DRAWINGS[name](), ending)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_width_that_cannot_be_is_refused(name):
    with pytest.raises(SpecError) as caught:
        DRAWINGS[name](width=2)
    assert str(caught.value) == "key 'width': a chart 2 inches wide. Expected: 3.4 to 20 inches."


def test_hostile_names_are_text():
    names = dict.fromkeys(NAMES, "$a_b$ </svg>\n{x} å") | {"0101": None}
    for figure in (
        plot_slopes(SCORES, names=names),
        plot_moran(LOCAL, names=names),
        plot_ranks(_table(3).set_axis(["0101", "0102", "0103"]), names=names, title="$x_1$"),
    ):
        assert _bytes(figure, "svg")
        assert any("$a_b$ </svg> {x} å" in text for text in _said(figure))


# ---------------------------------------------------------------- ranks


def test_an_area_whose_interval_crosses_the_line_is_not_decided():
    # Ranks ± 2 and a line after 4: 1 and 2 reach to 3 and 4; 3 to 6 cross it; 7 and on begin at 5 or later.
    figure = plot_ranks(_table(10), top=4, language="en")
    said = _said(figure)
    assert "whole interval among the 4 (2)" in said
    assert "not decided, the interval crosses the line (4)" in said
    assert "whole interval outside (4)" in said
    assert "line: the 4 ranked highest" in said
    axes = figure.axes[1]
    found = _points(axes)
    assert {face: number for (marker, face), number in found.items() if marker == "o"} == {
        LINES[0]: 2,
        "white": 4,
        "#6f6f6a": 4,
    }
    line = next(part for part in axes.collections if part.get_linestyle()[0][1] is not None)
    assert {x for segment in line.get_segments() for x, _ in segment} == {4.5}


def test_areas_stand_by_rank_with_their_names_numbers_and_chances():
    table = _table(4, missing=1).iloc[[2, 0, 3, 1]]
    figure = plot_ranks(table, names={"0000": "Norr", "0003": "Holmen"}, top=2, language="sv")
    texts = {text.get_text(): text.xy[1] for text in figure.axes[1].texts}
    assert [texts[name] for name in ("Norr", "0001", "0002", "Holmen")] == [0, 1, 2, 3]
    assert [texts[number] for number in ("1", "2", "3")] == [0, 1, 2]
    assert [texts[chance] for chance in ("67", "33", "0")] == [0, 1, 2]
    assert texts["Utan plats – För litet underlag"] == 3
    assert "bland de 2,\ngånger av 100" in texts
    assert "N: 3 av 4 områden" in _foot(figure)


def test_a_chance_is_never_written_as_none_or_all_unless_it_is():
    table = _table(5).assign(p_top=[1.0, 0.999, 0.5, 0.001, 0.0])
    said = _said(plot_ranks(table, top=2))
    assert {"100", "> 99", "50", "< 1", "0"} <= set(said)


def test_scores_are_drawn_against_a_line_of_scores():
    table = pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "score": [150.0, 118.0, 90.0],
            "score_low": [130.0, 101.0, 80.0],
            "score_high": [170.0, 131.0, 100.0],
            "p_above": [1.0, 0.4, 0.0],
        },
        index=list("abc"),
    )
    figure = plot_ranks(table, line=120, language="en")
    said = _said(figure)
    assert {
        "whole interval above the line (1)",
        "not decided, the interval crosses the line (1)",
        "whole interval up to the line (1)",
        "line: 120 points",
    } <= set(said)
    points = [line.get_xdata()[0] for line in figure.axes[1].lines if line.get_marker() == "o"]
    assert sorted(points) == [90, 118, 150]


@pytest.mark.parametrize("count", [20, 128, 1287])
@pytest.mark.parametrize("width", WIDTHS)
def test_ranks_can_be_read_of_few_and_of_many_areas(count, width):
    marked = ["0003", "0004", "0010", "0019"]
    names = {code: f"{LONG} {code}" for code in marked}
    figure = plot_ranks(_table(count, missing=2), names=names, highlight=marked, top=6, width=width, language="sv")
    assert figure.get_size_inches()[1] < 12.5
    assert _overlapping(figure) == []
    assert _outside(figure) == []
    axes = figure.axes[1]
    assert sum(number for (marker, _), number in _points(axes).items() if marker == "o") == count - 2
    named = [text.get_text() for text in axes.texts if text.get_text().startswith("Skarp")]
    assert len(named) == 4
    if count > 50:
        assert "plats 4, mellan 2 och 6" in " ".join(named[0].split())
        assert figure.texts[-1].get_text().startswith("Utan plats (2): För litet underlag: ")


def test_numbers_of_areas_are_written_as_in_the_language():
    figure = plot_ranks(_table(1287), top=6, language="en")
    assert "whole interval outside (1,279)" in _said(figure)
    codes = pd.Index([f"{number:04}" for number in range(1100)], name="area_id")
    local = pd.DataFrame({"value": np.arange(1100.0), "surroundings": 5.0, "class": "not distinguishable"}, index=codes)
    assert "no clear pattern (1,100)" in _said(plot_moran(local, language="en"))


def test_an_area_without_an_interval_has_a_cross():
    table = _table(6)
    table.loc["0002", ["rank_low", "rank_high"]] = np.nan
    figure = plot_ranks(table, top=2, language="en")
    assert "without an interval (1)" in _said(figure)
    assert [number for (marker, _), number in _points(figure.axes[1]).items() if marker == "x"] == [1]


def test_without_a_line_nothing_is_decided():
    said = _said(plot_ranks(_table(6), level=0.8, draws=2000, language="en"))
    assert "rank, interval: 80 of 100 draws" in said
    assert not any("whole interval" in text or "times in 100" in text for text in said)
    assert "Method: intervals that hold about 80 of 100 draws, 2,000 draws" in _foot(
        plot_ranks(_table(6), level=0.8, draws=2000, language="en")
    )


def test_ranks_that_all_tie_and_one_area_are_drawn():
    table = _table(5).assign(rank=1, rank_low=1, rank_high=1)
    assert plot_ranks(table, top=1).axes[1].get_xlim()[0] < 1
    assert plot_ranks(_table(1)).axes[1].lines


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_axis_of_few_ranks_has_each_of_them_once(count, width):
    table = _table(count).assign(rank_low=1, rank_high=count)
    assert list(plot_ranks(table, top=1, width=width).axes[1].get_xticks()) == list(range(1, count + 1))


# ---------------------------------------------------------------- profile


def test_a_profile_groups_by_domain_and_keeps_missing_ones_in_their_place():
    figure = plot_profile(PROFILE, name="Granhöjden", language="sv")
    texts = {text.get_text(): text.xy[1] for text in figure.axes[1].texts if text.xy[0] == 0}
    order = sorted(texts, key=texts.get)
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in order] == [
        "Försörjning",
        "Förvärvsarbetande 20–64 år, %",
        "Låg standard, %",
        "Trygghet",
        "Våldsbrott, per 1 000",
        *(("Anlagda bränder, per 1 000", "Skyddad uppgift") if texts["Skyddad uppgift"] >= texts[order[5]] else ()),
        "Tillit, %",
        "jämförs inte",
    ]
    assert figure.texts[0].get_text() == "Granhöjden"
    assert "N: 3 av 5 indikatorer, bas 880–1\xa0000" in _foot(figure)


def test_the_shape_of_a_point_tells_its_side_of_the_city():
    found = _points(plot_profile(PROFILE, language="en").axes[1])
    assert found == {
        (">", LINES[1]): 1,  # 202 above the city
        ("<", "white"): 1,  # 89 below it, within its noise
        ("o", INK): 1,  # 100 on its line
        ("D", "white"): 3,  # the neighbours
    }
    said = _said(plot_profile(PROFILE, language="en"))
    assert {
        "the area: more risk",
        "the area: the same",
        "the area: less risk",
        "hollow: as the city (the difference is small, or within its noise)",
        "the areas around it",
        "all areas, lowest to highest",
        "the city = 100",
        "52.4",
        "76.4",
    } <= set(said)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_profile_of_long_labels_and_large_values_can_be_read(width):
    rows = pd.DataFrame({"indicator": ["a", "b"], "label": [LONG + " " + LONG, "Income"], "unit": ["per_1000", "SEK"],
                         "relative": [130.0, 90.0], "value": [12.0, 1234567.0], "city": [9.0, 1345678.0]})  # fmt: skip
    figure = plot_profile(rows, name="Norr", language="sv", width=width)
    label = next(text for text in _said(figure) if text.startswith("Skarpnäcks"))
    assert label.count("\n") == 1
    assert label.replace("\N{NO-BREAK SPACE}", " ").endswith("…, per 1 000")
    assert _overlapping(figure) == []
    assert _outside(figure) == []


def test_an_indicator_without_a_figure_has_words_and_no_bar():
    both = {"indicator": ["a", "b"], "relative_minimum": [60.0, 60.0], "relative_maximum": [150.0, 150.0]}
    figure = plot_profile(pd.DataFrame({**both, "relative": [130.0, None], "status": ["observed", "suppressed"]}))
    bars = [part for part in figure.axes[1].collections if part.get_linewidth()[0] == 6]
    assert len(bars) == 1


def test_the_spread_of_all_areas_is_read_off_a_profile_of_all():
    rows = [("a", "poor", 150.0), ("b", "poor", 40.0), ("c", "poor", 100.0), ("a", "work", 90.0), ("b", "work", None)]
    everything = pd.DataFrame(rows, columns=["area_id", "indicator", "relative"])
    axes = plot_profile(everything, "a").axes[1]
    spans = [part.get_segments()[0][:, 0].tolist() for part in axes.collections if part.get_linewidth()[0] == 6]
    assert spans == [[40, 150], [90, 90]]


def test_what_lies_far_beyond_the_area_is_marked_and_said():
    far = PROFILE.assign(relative_maximum=[250, 180, 4000, 240, 210])
    figure = plot_profile(far, language="en")
    assert "▸ goes beyond the picture" in _said(figure)
    assert figure.axes[1].get_xlim()[1] < 400


def test_positions_are_drawn_in_per_cent_of_the_areas():
    frame = pd.DataFrame({"indicator": ["a", "b"], "position": [0.9, 0.2]})
    figure = plot_profile(frame, language="en")
    assert figure.axes[1].get_xlim() == (0, 100)
    assert sorted(line.get_xdata()[0] for line in figure.axes[1].lines if line.get_linestyle() == "None") == [20, 90]
    assert "middle of the areas = 50" in _said(figure)


def test_the_sample_has_a_profile_in_three_languages(sample_run):
    index = sample_run.index()
    area = index.ranking.index[0]
    rows = [
        {"indicator": name, "relative": index.relative.loc[area, name], "domain": domain.id, "unit": "pct"}
        for domain in sample_run.spec.index.domains
        for name in domain.indicators
    ]
    for language in ("sv", "da", "en"):
        labels = {name: item.label.to(language) for name, item in sample_run.indicators().definitions.items()}
        labels |= {domain.id: domain.label.to(language) for domain in sample_run.spec.index.domains}
        figure = plot_profile(
            pd.DataFrame(rows), area, labels=pd.Series(labels), language=language, width=WIDTHS[language == "sv"]
        )
        assert _overlapping(figure) == []
        assert _outside(figure) == []
        assert {domain.label.to(language) for domain in sample_run.spec.index.domains} <= set(_said(figure))


# ---------------------------------------------------------------- slopes


def _strokes(figure):
    axes = next(axes for axes in figure.axes if any(text.get_text() == "2006" for text in axes.texts))
    return [
        (
            line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else list(line.get_xdata()),
            line.get_linestyle(),
        )
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_linestyle() != "None" and line.get_marker() == "None"
    ]


def test_no_slope_crosses_a_missing_year_and_a_break_is_dashed():
    figure = plot_slopes(SCORES, names=NAMES, breaks=[2009], language="en")
    assert sorted(_strokes(figure)) == [
        ([2006, 2009], "--"),
        ([2006, 2009], "--"),
        ([2009, 2012], "-"),
        ([2009, 2012], "-"),
    ]
    said = _said(figure)
    assert "New definition 2009" in said
    assert "across a new definition" in said
    assert "no figure in a year: the line is interrupted" in said
    assert "Without a figure (1): No data: Område 4" in figure.texts[-1].get_text().replace("\n", " ")
    assert "N: 3 of 4 areas" in _foot(figure)


def test_both_ends_have_name_and_figure():
    said = _said(plot_slopes(SCORES, names=NAMES, language="en"))
    assert {"Område 1  120", "110  Område 1", "Område 2  90", "91  Område 2", "2006", "2009", "2012"} <= set(said)


def test_an_area_that_is_known_at_neither_end_tells_its_year():
    scores = pd.DataFrame({2006: [1.0, None], 2007: [2.0, 5.0], 2008: [3.0, None]}, index=["a", "b"])
    assert "5.00  b (2007)" in _said(plot_slopes(scores, language="en"))


def test_ranks_have_the_first_at_the_top():
    ranks = pd.DataFrame({"2006": [1, 2], "2012": [2, 1]}, index=["a", "b"])
    figure = plot_slopes(ranks, ranks=True, language="en")
    low, high = figure.axes[0].get_ylim()
    assert low > high
    assert "Rank (1 = highest index) · 2006–2012" in _said(figure)


@few
@given(st.lists(st.tuples(st.floats(50, 200) | st.none(), st.floats(50, 200) | st.none()), min_size=2, max_size=32))
def test_names_of_slopes_never_cover_each_other(values):
    scores = pd.DataFrame(values, columns=[2006, 2012], dtype=float)
    scores.index = [f"Område {number}" for number in range(len(scores))]
    if scores.isna().all(axis=None):
        return
    for width in WIDTHS:
        figure = plot_slopes(scores, width=width)
        assert _overlapping(figure) == []
        assert _outside(figure) == []
    both = int(scores.notna().all(axis=1).sum())
    assert len(_strokes(figure)) == both


def test_of_many_areas_the_highlighted_are_named():
    scores = pd.DataFrame(np.random.default_rng(1).normal(100, 20, (400, 2)), columns=[2006, 2012])
    scores.index = [f"A{number}" for number in range(400)]
    figure = plot_slopes(scores, highlight=["A7"], language="en")
    assert [text for text in _said(figure) if "A7" in text] == [
        f"A7  {scores.loc['A7', 2006]:.0f}",
        f"{scores.loc['A7', 2012]:.0f}  A7",
    ]
    assert "other areas (399)" in _said(figure)


# ---------------------------------------------------------------- Moran


def test_classes_have_colours_shapes_and_names_and_the_rest_is_counted():
    figure = plot_moran(LOCAL, names=NAMES, statistic=0.5, p=0.004, highlight=["0104"], language="en")
    said = _said(figure)
    assert {
        "high among high (2)",
        "low among low (1)",
        "no clear pattern (1)",
        "slope = Moran's I 0.50, p = 0.004",
        "Område 1",
        "Område 2",
        "Område 3",
        "Område 4",
    } <= set(said)
    assert _points(figure.axes[1]) == {("o", LINES[1]): 2, ("s", LINES[0]): 1, ("o", "white"): 1} | {
        key: 0 for key in _points(figure.axes[1]) if _points(figure.axes[1])[key] == 0
    }
    told = figure.texts[-1].get_text().replace("\n", " ")
    assert told.startswith("Without a class (2): no data: Område 6; no neighbour with a figure: Område 5")
    assert "N: 4 of 6 areas" in told


def test_the_line_goes_through_the_middle_with_the_slope_it_is_given():
    figure = plot_moran(LOCAL, statistic=0.5, centre=105)
    line = next(line for line in figure.axes[1].lines if isinstance(line, mpl.lines.AxLine))
    assert line.get_xy1() == (105, 105)
    assert line.get_slope() == 0.5
    assert not any(isinstance(line, mpl.lines.AxLine) for line in plot_moran(LOCAL).axes[1].lines)


def test_standardised_values_meet_at_nought():
    local = LOCAL.rename(columns={"value": "standardised"}).assign(standardised=[2.0, 1, -1, 0, 0, np.nan])
    figure = plot_moran(local, statistic=0.4, measure="Risk index", language="en")
    assert next(line for line in figure.axes[1].lines if isinstance(line, mpl.lines.AxLine)).get_xy1() == (0, 0)
    assert "Risk index, distance from the mean (standard deviations)" in _said(figure)


@pytest.mark.parametrize("width", WIDTHS)
def test_names_without_room_are_told(width):
    random = np.random.default_rng(2)
    values = random.normal(100, 5, 60)
    local = pd.DataFrame(
        {"value": values, "surroundings": 100 + random.normal(0, 2, 60), "class": "high among high"},
        index=[f"Område {number:02}" for number in range(60)],
    )
    figure = plot_moran(local, language="en", width=width)
    named = [text for text in _said(figure) if re.fullmatch(r"Område [0-9]{2}", text)]
    told = next(text for text in figure.texts[-1].get_text().split("\n") if text.startswith("Without a name"))
    missing = told.removeprefix("Without a name in the picture, for want of room: ")
    assert (int(missing) if missing.isdigit() else len(missing.split(", "))) == 60 - len(named) > 0
    assert _overlapping(figure) == []


def test_hot_and_cold_spots_have_their_words():
    said = _said(
        plot_moran(
            LOCAL.assign(**{"class": ["hot", "hot", "cold", "not distinguishable", "no class", "no class"]}),
            language="sv",
        )
    )
    assert {"höga värden samlade (2)", "låga värden samlade (1)"} <= set(said)


# ---------------------------------------------------------------- panels


def _fills(axes):
    """Return the fill of each area on a map, whichever have the same counted."""
    found = {}
    for part in axes.collections:
        for colour in part.get_facecolor() if len(part.get_facecolor()) else []:
            shade = mpl.colors.to_hex(colour)
            found[shade] = found.get(shade, 0) + len(part.get_paths())
    return found


def test_a_colour_means_the_same_on_every_map():
    values = pd.DataFrame({"2006": [60.0, 80, 100, 120], "2012": [100.0, 120, 140, np.nan]}, index=_squares(4).index)
    kwds = {"scheme": "given", "breaks": [70, 90, 110, 130], "midpoint": 100, "cmap": "PuOr_r"}
    figure = plot_panels(_squares(4), values, language="en", ncols=2, **kwds)
    colours = make_style(values.stack(), **kwds).colours
    maps = [axes for axes in figure.axes if axes.collections]
    assert len(maps) == 2
    assert _fills(maps[0]) == {colours[0]: 1, colours[1]: 1, colours[2]: 1, colours[3]: 1}
    assert _fills(maps[1]) == {colours[2]: 1, colours[3]: 1, colours[4]: 1, "#fbfbfa": 1}
    said = _said(figure)
    for entry in ("≤ 70 (1)", "71–90 (1)", "91–110 (2)", "111–130 (2)", "> 130 (1)", "No data (1)"):
        assert said.count(entry) == 1
    assert said.count("1 without a figure") == 1
    assert {"2006", "2012"} <= set(said)
    assert len({axes.get_xlim() + axes.get_ylim() for axes in maps}) == 1


def test_bars_below_the_maps_count_the_areas_of_each_class():
    values = pd.DataFrame({"a": [1.0, 1, 1, 2], "b": [2.0, 2, 1, np.nan]}, index=_squares(4).index)
    figure = plot_panels(_squares(4), values, scheme="given", breaks=[1.5])
    bars = [axes for axes in figure.axes if axes.patches and axes.get_xlim() == (0, 4)]
    widths = [[patch.get_width() for patch in axes.patches[:-1]] for axes in bars]
    assert widths == [[3, 1], [1, 2, 1]]
    assert [[text.get_text() for text in axes.texts] for axes in bars] == [["3", "1"], ["1", "2"]]
    assert bars[1].patches[2].get_hatch() == "///"


def test_each_kind_of_missing_value_has_its_hatch():
    values = pd.DataFrame({"a": [1.0, np.nan, np.nan, 2], "b": [2.0, np.nan, 1, 1]}, index=_squares(4).index)
    status = pd.DataFrame(
        {"a": ["", "suppressed", "out_of_scope", ""], "b": ["", "suppressed", "", ""]}, index=values.index
    )
    figure = plot_panels(_squares(4), values, status=status, language="en")
    said = _said(figure)
    assert {"Protected figure (2)", "Too few people (1)"} <= set(said)
    first = next(axes for axes in figure.axes if axes.collections)
    assert {part.get_hatch() for part in first.collections} == {None, "xxx", "---"}


def test_domains_make_rows_and_years_columns():
    columns = pd.MultiIndex.from_tuples([("Hälsa", 2006), ("Hälsa", 2012), ("Trygghet", 2012)])
    values = pd.DataFrame([[80.0, 90, 100], [110, 120, 130]], columns=columns, index=_squares(2).index)
    figure = plot_panels(_squares(2), values, language="sv", source="S")
    maps = [axes.get_position() for axes in figure.axes if axes.collections]
    assert maps[0].y0 == maps[1].y0 > maps[2].y0
    assert maps[0].x0 < maps[1].x0 == maps[2].x0
    said = _said(figure)
    assert {"Hälsa", "Trygghet"} <= set(said)
    assert said.count("2006") == said.count("2012") == 2
    assert said.count("Uppgift saknas") == 1  # in place of the map that is not there


def test_classes_that_a_method_gave_stay_all_of_them():
    values = pd.DataFrame({"2006": [1.0, 2.0], "2012": [2.0, 2.0]}, index=_squares(2).index)
    said = _said(plot_panels(_squares(2), values, categories={"A": "low", "B": "high", "C": "highest"}, language="en"))
    assert {"low (1)", "high (3)", "highest (0)"} <= set(said)
    assert any("the same classes on all maps: those of the method" in text.replace("\n", " ") for text in said)


def test_areas_that_the_values_do_not_have_are_without_a_figure():
    values = pd.DataFrame({"a": [1.0, 2.0]}, index=["0101", "0102"])
    said = _said(plot_panels(_squares(4), values, language="en"))
    assert "No data (2)" in said


def test_maps_without_any_value_are_hatched():
    values = pd.DataFrame({"a": [np.nan] * 2, "b": [np.nan] * 2}, index=["0101", "0102"])
    figure = plot_panels(_squares(2), values, language="en")
    assert "No data (4)" in _said(figure)


def test_the_sample_fits_a_sheet_and_a_telephone(sample_run):
    table, spec = sample_run.indicators(), sample_run.spec.index
    years = {year: risk_index(table, spec, period=year).domains for year in ("2006", "2012")}
    values = pd.concat(years, axis=1).swaplevel(axis=1).sort_index(axis=1)
    water = [part for part in sample_run.backdrop() if part[0] == "water"]
    for width in WIDTHS:
        figure = plot_panels(
            sample_run.areas(), values, backdrop=water, unit="index", midpoint=100, cmap="PuOr_r", width=width
        )
        assert _overlapping(figure) == []
        assert _outside(figure) == []
        if width > 5:
            assert figure.get_size_inches()[1] <= 1.45 * width
    assert len([axes for axes in figure.axes if axes.collections]) == 8


# ---------------------------------------------------------------- what cannot be drawn

EMPTY = pd.DataFrame(columns=["rank", "rank_low", "rank_high"])
FAULTS = {
    "ranks: no rows": (
        lambda: plot_ranks(EMPTY),
        SpecError,
        "there is nothing to draw: the table has no rows. Expected: at least one area.",
    ),
    "ranks: no column": (
        lambda: plot_ranks(_table(3).drop(columns="rank_low")),
        SpecError,
        "there is no column 'rank_low' in the data. Hint: did you mean 'rank'?",
    ),
    "ranks: none known": (
        lambda: plot_ranks(_table(3, missing=3)),
        SpecError,
        "none of these areas has a rank. Expected: at least one.",
    ),
    "ranks: an unknown area": (
        lambda: plot_ranks(_table(3), highlight=["0009"]),
        SpecError,
        "key 'highlight': no area of the table is called '0009'. Hint: did you mean '0002'?",
    ),
    "ranks: an area twice": (
        lambda: plot_ranks(pd.concat([_table(2), _table(1)])),
        IdError,
        (
            "column 'area_id': 1 area code(s) occur more than once: '0000'. Expected: each area once. Hint: merge the "
            "parts into one multipart area, or qualify the code by municipality"
        ),
    ),
    "ranks: text": (
        lambda: plot_ranks(_table(2).astype({"rank": object}).replace({"rank": {2.0: "second"}})),
        TableError,
        "column 'rank', area '0001': 'second' is not a number. Expected: numbers, or nothing.",
    ),
    "ranks: an interval backwards": (
        lambda: plot_ranks(_table(3).assign(rank_high=1, rank_low=[1, 3, 1])),
        TableError,
        "column 'rank_high', area '0001': the interval ends at 1, before it begins at 3.",
    ),
    "ranks: two lines": (
        lambda: plot_ranks(_table(3), top=1, line=100),
        SpecError,
        (
            "key 'top': a line after ranks and a line at a score are both asked for. Expected: `top` or `line`, one of "
            "them."
        ),
    ),
    "ranks: no top": (
        lambda: plot_ranks(_table(3), top=0),
        SpecError,
        "key 'top': a line after 0 ranks. Expected: at least 1.",
    ),
    "ranks: no level": (
        lambda: plot_ranks(_table(3), level=90),
        SpecError,
        "key 'level': 90 of the draws in an interval. Expected: between 0 and 1.",
    ),
    "profile: no rows": (
        lambda: plot_profile(PROFILE.iloc[:0]),
        SpecError,
        "there is nothing to draw: the profile has no rows. Expected: at least one indicator.",
    ),
    "profile: no indicator": (
        lambda: plot_profile(PROFILE.drop(columns="indicator")),
        SpecError,
        "there is no column 'indicator' in the data. Hint: did you mean 'denominator'?",
    ),
    "profile: no measure": (
        lambda: plot_profile(PROFILE[["indicator", "value"]]),
        SpecError,
        "there is no column 'relative' in the data. Hint: one of 'value'",
    ),
    "profile: several areas": (
        lambda: plot_profile(pd.concat([PROFILE.assign(area_id="a"), PROFILE.assign(area_id="b")])),
        SpecError,
        "key 'area_id': the profile holds 2 areas. Expected: the code of the one to draw.",
    ),
    "profile: another area": (
        lambda: plot_profile(PROFILE.assign(area_id="0101"), "0102"),
        SpecError,
        "key 'area_id': no area of the profile is called '0102'. Hint: did you mean '0101'?",
    ),
    "profile: nothing known": (
        lambda: plot_profile(PROFILE.assign(relative=np.nan)),
        SpecError,
        "no indicator of this area has a known figure. Expected: at least one.",
    ),
    "profile: an indicator twice": (
        lambda: plot_profile(pd.concat([PROFILE, PROFILE.iloc[:1]])),
        IdError,
        (
            "column 'indicator': 1 area code(s) occur more than once: 'work'. Expected: each area once. Hint: merge "
            "the parts into one multipart area, or qualify the code by municipality"
        ),
    ),
    "slopes: one year": (
        lambda: plot_slopes(SCORES[[2006]]),
        SpecError,
        "1 year(s) in a chart of slopes. Expected: at least two.",
    ),
    "slopes: no year": (
        lambda: plot_slopes(SCORES.rename(columns={2009: "score"})),
        SpecError,
        "the column 'score' is no year. Expected: a column a year.",
    ),
    "slopes: nothing known": (
        lambda: plot_slopes(SCORES * np.nan),
        SpecError,
        "none of these areas has a known figure. Expected: at least one.",
    ),
    "slopes: too many colours": (
        lambda: plot_slopes(
            pd.DataFrame(1.0, index=list("abcdefghi"), columns=[2006, 2012]), highlight=list("abcdefghi")
        ),
        SpecError,
        "key 'highlight': 9 areas in colours. Expected: at most 8, to tell them apart.",
    ),
    "moran: a class that is none": (
        lambda: plot_moran(LOCAL.assign(**{"class": "HH"})),
        SpecError,
        (
            "key 'class': no class of a local pattern is called 'HH'. Hint: one of 'cold', 'high among high', 'high "
            "among low', 'hot', 'low among high', 'low among low', 'no class', 'not distinguishable'"
        ),
    ),
    "moran: nothing classed": (
        lambda: plot_moran(LOCAL.assign(**{"class": "no class"})),
        SpecError,
        (
            "no area has a value, neighbours with one and a class. Expected: at least one. Hint: the column `reason` "
            "says why"
        ),
    ),
    "moran: endless": (
        lambda: plot_moran(LOCAL.assign(value=np.inf)),
        TableError,
        "column 'value', area '0101': 'inf' is not a number. Expected: numbers, or nothing.",
    ),
    "panels: no columns": (
        lambda: plot_panels(_squares(2), pd.DataFrame(index=["0101"])),
        SpecError,
        "there is no map to draw: the table has no columns. Expected: a column a map.",
    ),
    "panels: no areas": (
        lambda: plot_panels(_squares(2).iloc[:0], SCORES),
        SpecError,
        "there are no areas. Expected: at least one.",
    ),
    "panels: other areas": (
        lambda: plot_panels(_squares(2), SCORES),
        IdError,
        (
            "2 code(s) are not among the areas: '0103', '0104'. Expected: codes such as '0101', '0102'. Hint: look at "
            "the level and the leading zeros of both"
        ),
    ),
    "panels: a name twice": (
        lambda: plot_panels(_squares(4), SCORES.set_axis(["a", "b", "a"], axis=1)),
        SpecError,
        "key 'values': two maps are called 'a'. Expected: a name a map.",
    ),
    "panels: none side by side": (
        lambda: plot_panels(_squares(4), SCORES, ncols=0),
        SpecError,
        "key 'ncols': 0 maps side by side. Expected: at least 1.",
    ),
    "panels: a scheme that is none": (
        lambda: plot_panels(_squares(4), SCORES, scheme="quantile"),
        SpecError,
        "no scheme is called 'quantile'. Hint: did you mean 'quantiles'?",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_drawn_is_told(case):
    draw, kind, said = FAULTS[case]
    with pytest.raises(kind) as caught:
        draw()
    assert isinstance(caught.value, GeoplanError)
    assert str(caught.value) == said


def test_values_that_are_all_the_same_are_drawn():
    same = pd.DataFrame(100.0, index=SCORES.index, columns=[2006, 2012])
    assert "100  0101" in _said(plot_slopes(same))
    local = LOCAL.assign(value=100.0, surroundings=100.0)
    assert plot_moran(local).axes[1].lines
    assert "100 (8)" in _said(plot_panels(_squares(4), same))
    assert plot_profile(PROFILE.assign(relative=100.0)).axes[1].lines


# ---------------------------------------------------------------- whole results


class Result:
    """What a planner may hand over: all that a function of `risk` returned, in place of one of its tables."""


AREA = gpd.GeoDataFrame(geometry=[box(674000, 6580000, 674100, 6580100)], index=["a"], crs="EPSG:3006")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (plot_ranks, "key 'table': {} Hint: the `table` of rank_uncertainty(…)"),
        (plot_slopes, "key 'scores': {} Hint: the `scores` or `ranks` of index_series(…)"),
        (plot_profile, "key 'profile': {} Hint: what profile(table, …) returns"),
        (plot_moran, "key 'local': {} Hint: what local_pattern(…) returns"),
        (
            lambda result: plot_panels(AREA, result),
            "key 'values': {} Hint: a column a map, such as `domains` of risk_index(…); `plot` draws one map",
        ),
    ],
)
def test_a_whole_result_in_place_of_its_table_is_refused_with_the_way_out(draw, message):
    with pytest.raises(SpecError) as caught:
        draw(Result())
    assert str(caught.value) == message.format("Result is not a table. Expected: a DataFrame.")


def test_names_of_classes_cannot_be_mapped_as_numbers():
    with pytest.raises(TableError) as caught:
        make_style(pd.Series({"a": "high among high", "b": None}))
    assert str(caught.value) == (
        "area 'a': 'high among high' is not a number. Expected: numbers, NaN where missing. Hint: of classes their "
        "numbers 1, 2 …, with `categories`"
    )
