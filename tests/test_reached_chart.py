"""The chart of who is reached: what a reader sees, at every width and wherever the choice lies."""

from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from geoplan.errors import SpecError, TableError
from geoplan.show import plot_reached
from geoplan.targeting import who_is_reached

WIDTHS = (3.4, 5.0, 9.2)
LANGUAGES = ("sv", "da", "en")
few = settings(max_examples=12, deadline=None)


@pytest.fixture(scope="module")
def curve():
    reach = np.linspace(0.05, 1, 20)
    complete = reach**0.6
    return pd.DataFrame({"reach": reach, "completeness": complete, "efficiency": 0.14 * complete / reach})


def _words(figure):
    """Return every text with its place, without its halo."""
    figure.draw_without_rendering()
    texts = [text for part in (figure, *figure.axes) for text in part.texts if text.get_text()]
    return [(text.get_text().replace("\n", " "), mpl.text.Text.get_window_extent(text)) for text in texts]


def _overlapping(found):
    pairs = []
    for (one, a), (two, b) in combinations(found, 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > 1 and high > 0.3 * min(a.height, b.height):
            pairs.append((one, two))
    return pairs


def _told(figure):
    return [text.get_text().replace("\n", " ") for text in figure.axes[-1].texts]


def _lines(figure):
    return [line for line in figure.axes[-1].lines if len(line.get_xdata()) > 1]


@few
@given(
    reach=st.floats(0, 1),
    complete=st.floats(0, 1),
    efficient=st.one_of(st.floats(0, 1), st.just(float("nan"))),
    width=st.sampled_from(WIDTHS),
    language=st.sampled_from(LANGUAGES),
)
def test_words_are_on_the_page_and_apart_wherever_the_choice_lies(curve, reach, complete, efficient, width, language):
    figure = plot_reached(curve, best=curve, chosen=(reach, complete, efficient), title="Who is reached?",
                          source="fictional", width=width, language=language)  # fmt: skip
    found, page = _words(figure), figure.bbox
    for text, place in found:
        assert place.x0 > page.x0 - 1, text
        assert place.x1 < page.x1 + 1, text
    assert not _overlapping(found)
    inside = figure.axes[-1].get_window_extent()
    for text in figure.axes[-1].texts:
        place = mpl.text.Text.get_window_extent(text)
        assert inside.x0 - 1 < place.x0 and place.x1 < inside.x1 + 1, text.get_text()  # noqa: PT018  one place


@pytest.mark.parametrize("chosen", [(0.0, 0.0, 0.0), (0.01, 0.02, 0.25), (0.99, 1.0, 0.14), (0.5, 0.58, 0.57)])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_higher_is_told_higher(curve, chosen, width):
    figure = plot_reached(curve, chosen=chosen, width=width, language="en")
    figure.draw_without_rendering()
    choice, complete, efficient = figure.axes[-1].texts
    assert choice.get_position()[1] > complete.get_position()[1]
    if chosen[1] > chosen[2]:
        assert complete.get_position()[1] > efficient.get_position()[1]


def test_the_choice_is_told_in_per_cent_as_the_language_writes_it(curve):
    figure = plot_reached(curve, chosen=(0.33, 0.537, 0.0284), language="da")
    assert _told(figure) == [
        "valgte områder: 33 % af alle",
        "54 % af de berørte nås",
        "2,8 % af dem, der nås, er berørte",
    ]
    assert not _told(plot_reached(curve, language="da"))


def test_nobody_chosen_has_no_share_in_need(curve):
    figure = plot_reached(curve, chosen=(0.0, 0.0, float("nan")), language="en")
    assert _told(figure) == ["chosen areas: 0 % of all", "0 % of those in need are reached"]


def test_lines_begin_where_nobody_is_chosen(curve):
    _, complete, efficient = _lines(plot_reached(curve, language="en"))
    assert (complete.get_xdata()[0], complete.get_ydata()[0]) == (0, 0)
    # A part of the first area has its share in need: the line is level up to it, as the other one is straight.
    assert efficient.get_xdata()[0] == 0
    assert efficient.get_ydata()[0] == efficient.get_ydata()[1] == pytest.approx(100 * curve["efficiency"].iloc[0])


def test_one_area_is_a_line_too():
    one = pd.DataFrame({"reach": [1.0], "completeness": [1.0], "efficiency": [0.3]})
    for width in WIDTHS:
        figure = plot_reached(one, best=one, chosen=(1.0, 1.0, 0.3), width=width)
        _, complete, efficient, best, line = _lines(figure)
        assert efficient.get_ydata().tolist() == pytest.approx([30, 30])
        assert complete.get_ydata().tolist() == best.get_ydata().tolist() == [0, 100]
        assert set(line.get_xdata()) == {100}
        points = [point for point in figure.axes[-1].lines if point.get_marker() == "o"]
        assert [point.get_clip_on() for point in points] == [False, False]  # half of each lies beyond the end


def test_the_best_order_is_seen_where_it_is_the_order_itself(curve):
    _, complete, _, best = _lines(plot_reached(curve, best=curve, language="en"))
    assert best.get_ydata().tolist() == complete.get_ydata().tolist()
    assert best.get_zorder() > complete.get_zorder()
    assert best.get_color() != complete.get_color()


def test_a_range_is_drawn_from_nobody_on(curve):
    band = curve.assign(completeness_low=0.9 * curve["completeness"], completeness_high=curve["completeness"])
    (shape,) = plot_reached(band, language="en").axes[-1].collections
    corners = shape.get_paths()[0].vertices
    assert corners.min() == 0
    assert corners.max() == pytest.approx(100)


def test_what_the_town_reaches_is_what_the_chart_says(sample_run):
    reached = who_is_reached(
        sample_run.indicators(), sample_run.areas().index[:4], "low_economic_standard", period=2012
    )
    base = reached.figures["base"]
    chosen = base["chosen"] / base["whole"], reached.completeness, reached.efficiency
    told = _told(plot_reached(reached.curve, best=reached.best, chosen=chosen, language="en"))
    for text, share in zip(told, chosen, strict=True):
        assert f"{100 * share:.0f} %" in text or f"{100 * share:.1f} %" in text


@pytest.mark.parametrize(
    "chosen", [(1.2, 0.5, 0.5), (0.5, -0.1, 0.5), (float("nan"), 0.5, 0.5), (float("inf"), 0.5, 0.5)]
)
def test_a_choice_that_is_no_share_is_refused(curve, chosen):
    with pytest.raises(SpecError, match="the choice is"):
        plot_reached(curve, chosen=chosen)


def test_what_is_no_curve_is_refused(curve):
    with pytest.raises(SpecError, match="is not a table"):
        plot_reached([0.1, 0.2])
    with pytest.raises(SpecError, match="completeness"):
        plot_reached(curve[["reach", "efficiency"]])
    with pytest.raises(SpecError, match="7 is no share"):
        plot_reached(curve.assign(efficiency=7.0))
    with pytest.raises(TableError, match="not a number"):
        plot_reached(curve.assign(reach="all"))
    with pytest.raises(SpecError, match="no area has a place"):
        plot_reached(curve.assign(reach=np.nan))
    with pytest.raises(SpecError, match="3 inches wide"):
        plot_reached(curve, width=3)
