"""Styles, maps, workbooks and QGIS files: what they say and what they refuse."""

import csv
import datetime as dt
import re
import sqlite3
from xml.etree import ElementTree as ET

import folium
import geopandas as gpd
import mapclassify
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from shapely import box

import geoplan as gp
from geoplan.errors import OfflineError, SpecError
from geoplan.show import Sheet, explore, make_style, outside_requests, plot, write_csv, write_geopackage, write_workbook
from geoplan.show.style import MISSING_PATTERNS
from geoplan.show.texts import format_number, texts

HOSTILE = "</script><img src=x onerror=alert(1)>{{ 7*7 }} {% raw %} \"'`$a_b$ å \u202e \U0001f600"


def squares(count, crs=3006):
    shapes = [box(674_000 + 500 * i, 6_580_000, 674_500 + 500 * i, 6_580_500) for i in range(count)]
    ids = pd.Index([f"{i:02}" for i in range(count)], name="area_id")
    return gpd.GeoDataFrame({"name": [f"Area {i}" for i in range(count)]}, index=ids, geometry=shapes, crs=crs)


def series(values):
    return pd.Series(values, index=[f"{i:02}" for i in range(len(values))], dtype=float)


# ---------------------------------------------------------------- style


def test_given_breaks_worked_by_hand():
    # 55 and 70 up to 70; 71 and 90 up to 90; 100; none to 130; 131 above.
    style = make_style(series([55, 70, 71, 90, 100, 131]), scheme="given", breaks=[70, 90, 110, 130], midpoint=100)
    assert style.classes.tolist() == [0, 0, 1, 1, 2, 4]
    assert style.counts == (2, 2, 1, 0, 1)
    assert style.labels == ("≤ 70", "71–90", "91–110", "111–130", "> 130")


def test_the_middle_class_of_a_diverging_map_is_neutral():
    values = [50, 80, 100, 120, 400]
    style = make_style(series(values), scheme="given", breaks=[70, 90, 110, 130], midpoint=100, cmap="PuOr_r")
    red, green, blue = (int(style.colours[2][place : place + 2], 16) for place in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) < 6


def test_given_classes_look_the_same_on_every_map():
    kwds = {"scheme": "given", "breaks": [70, 90, 110, 130], "midpoint": 100, "cmap": "PuOr_r"}
    wide, narrow = make_style(series([50, 80, 100, 120, 400]), **kwds), make_style(series([95, 101, 120]), **kwds)
    assert (wide.labels, wide.colours) == (narrow.labels, narrow.colours)
    assert narrow.counts == (0, 0, 2, 1, 0)


@pytest.mark.parametrize(("scheme", "peer"), [("quantiles", "Quantiles"), ("fisher_jenks", "FisherJenks")])
def test_classes_are_those_of_mapclassify(scheme, peer):
    values = series(np.random.default_rng(3).normal(1000, 300, 80).round())
    expected = getattr(mapclassify, peer)(values.to_numpy(), k=5)
    style = make_style(values, scheme=scheme, k=5)
    assert style.counts == tuple(expected.counts)
    assert style.classes.tolist() == expected.yb.tolist()


def test_each_kind_of_missing_value_stands_in_the_legend():
    values = series([1.0, np.nan, np.nan, np.nan, np.nan, np.nan])
    status = pd.Series(["observed", *MISSING_PATTERNS, "not_collected"], index=values.index)
    style = make_style(values, status=status, language="sv")
    counts = {item.status: item.count for item in style.missing}
    assert counts == {"suppressed": 1, "not_collected": 2, "not_applicable": 1, "out_of_scope": 1}
    assert len({item.label for item in style.missing}) == 4
    assert style.classes.tolist() == [0, -1, -1, -1, -1, -1]


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=40), st.integers(2, 7))
def test_every_value_has_one_class_and_the_counts_agree(values, k):
    style = make_style(series(values), scheme="quantiles", k=k)
    known = int(np.isfinite(values).sum())
    assert sum(style.counts) == known
    assert sum(item.count for item in style.missing) == len(values) - known
    assert len(style.colours) == len(style.labels) == len(style.counts) <= k
    assert list(style.bounds) == sorted(style.bounds)


@pytest.mark.parametrize("values", [[], [np.nan], [100.0], [5.0, 5.0, 5.0]])
def test_maps_of_nothing_one_and_equal_values_are_drawn(values):
    areas = squares(max(len(values), 1))
    style_kwds = {"midpoint": 100, "cmap": "PuOr_r"}
    column = series(values) if values else None
    assert plot(areas, column, **style_kwds).axes
    assert "<svg" in explore(areas, column, **style_kwds).to_html()


def test_unreadable_palettes_and_unknown_names_are_refused():
    with pytest.raises(SpecError, match="the palette 'RdYlGn' cannot be read by colour-blind readers"):
        make_style(series([1, 2]), cmap="RdYlGn")
    with pytest.raises(SpecError, match="no palette is called 'YlGnBlu'"):
        make_style(series([1, 2]), cmap="YlGnBlu")
    with pytest.raises(SpecError, match="did you mean 'quantiles'"):
        make_style(series([1, 2]), scheme="quantile")
    with pytest.raises(SpecError, match="no language is called 'no'"):
        make_style(series([1, 2]), language="no")


def test_the_three_languages_have_the_same_words():
    languages = [texts(name) for name in ("sv", "da", "en")]
    for part in ("words", "statuses", "units", "reasons"):
        assert len({frozenset(getattr(item, part)) for item in languages}) == 1
    assert format_number(1234.5, "sv", decimals=1) == "1\xa0234,5"
    assert format_number(1234.5, "da", decimals=1) == "1.234,5"


def test_no_word_of_ours_stigmatises():
    said = " ".join(word.lower() for name in ("sv", "da", "en") for word in texts(name).words.values())
    assert not re.search(r"ghetto|utanförskap|problem|utsatt|udsat|worst|värst|værst", said)


# ---------------------------------------------------------------- notebook maps


def test_a_map_is_a_folium_map_and_asks_for_nothing():
    page = explore(squares(3), series([80, 100, 120]), title="Index", unit="index", midpoint=100)
    assert isinstance(page, folium.Map)
    text = page.to_html()
    assert outside_requests(text.split("leaflet_js")[0]) == []
    assert "default-src 'none'" in text
    assert "srcdoc=" in page._repr_html_()


def test_tiles_are_refused_when_the_map_is_saved(tmp_path):
    page = explore(squares(2), series([1, 2]))
    folium.TileLayer("OpenStreetMap").add_to(page)
    with pytest.raises(OfflineError, match=r"the map would ask for 'https://tile\.openstreetmap\.org"):
        page.save(tmp_path / "map.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "markup",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href='//cdn.example/x.css'>",
        "<img alt='' src=http://example/x.png>",
        "<style>a { background: url('https://example/x.png') }</style>",
        '<style>@import "https://example/x.css";</style>',
        'L.tileLayer("https://{s}.tile.example/{z}/{x}/{y}.png")',
        "fetch('https://example/data.json')",
    ],
)
def test_every_way_to_ask_for_something_outside_is_found(markup):
    assert len(outside_requests(markup)) == 1


def test_hostile_text_stays_text():
    areas = squares(2).assign(name=HOSTILE)
    page = explore(areas, series([1, 2]), title=HOSTILE, source=HOSTILE, note=HOSTILE, tooltip=["name"]).to_html()
    assert "<img src=x" not in page
    assert "{{ 7*7 }}" in page  # neither run as a template nor lost
    assert page.lower().count("</script") == page.lower().count("<script")
    assert plot(areas, series([1, 2]), title=HOSTILE, source=HOSTILE).axes


def test_a_series_that_belongs_to_other_areas_is_refused():
    with pytest.raises(gp.InputError, match="none of the 1 area codes"):
        explore(squares(2), pd.Series({"x": 1.0}))
    with pytest.raises(SpecError, match="there is no column 'scor'"):
        explore(squares(2).assign(score=1.0), "scor")
    with pytest.raises(SpecError, match="there is no column 'inkomst'"):
        explore(squares(2), series([1, 2]), tooltip=["inkomst"])


def test_areas_without_a_system_are_refused():
    with pytest.raises(gp.InputError, match="no coordinate system"):
        explore(squares(2).set_crs(None, allow_override=True), series([1, 2]))


# ---------------------------------------------------------------- tables


def test_no_line_of_a_heading_is_cut(tmp_path):
    long = "För: Elever i årskurs 9 utan behörighet till gymnasiet (kr)"
    sheets = [Sheet("A", pd.DataFrame({"x": [1.0]}), {"x": long}, {"x": 0}), Sheet("B", pd.DataFrame({"x": [1.0]}))]
    write_workbook(tmp_path / "t.xlsx", sheets, title="t", date=dt.date(2013, 3, 15))
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert (
        book["A"].row_dimensions[1].height >= 7 * 15
    )  # behörighet and gymnasiet each fill a line of so narrow a column
    assert book["B"].row_dimensions[1].height == 4 * 15


def test_text_like_a_formula_stays_text(tmp_path):
    table = pd.DataFrame({"name": ["=1+1", "+46 8", "-x", "@SUM(A1)", "plain", None], "n": [1.0, 2, 3, 4, 5, np.nan]})
    write_workbook(tmp_path / "t.xlsx", [Sheet("T", table)], title="t", date=dt.date(2013, 3, 15))
    cells = list(openpyxl.load_workbook(tmp_path / "t.xlsx")["T"].iter_rows(min_row=2))
    assert [row[0].value for row in cells] == ["=1+1", "+46 8", "-x", "@SUM(A1)", "plain", None]
    assert [row[0].data_type for row in cells[:5]] == ["s"] * 5
    assert [row[1].value for row in cells] == [1, 2, 3, 4, 5, None]

    write_csv(tmp_path / "t.csv", table, separator=";", decimal=",")
    content = (tmp_path / "t.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+46 8", "'-x", "'@SUM(A1)", "plain", ""]


def test_csv_writes_numbers_as_the_reader_reads_them(tmp_path):
    table = pd.DataFrame({"a": [1234.56, -0.5], "b": ["x;y", 'say "å"']})
    write_csv(tmp_path / "t.csv", table, separator=";", decimal=",", decimals={"a": 1}, headings={"a": "Värde"})
    text = (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines() == ["Värde;b", '1234,6;"x;y"', '-0,5;"say ""å"""']


# ---------------------------------------------------------------- QGIS


def test_a_geopackage_carries_its_style(tmp_path):
    values = series([60, 80, 100, 150, np.nan, np.nan])
    status = pd.Series(["observed"] * 4 + ["suppressed", "not_collected"], index=values.index)
    style = make_style(values, status=status, scheme="given", breaks=[70, 90, 110], midpoint=100, title="Index å <b>")
    areas = squares(6).assign(score=values)
    path = tmp_path / "areas.gpkg"
    write_geopackage(path, areas, column="score", style=style, date=dt.date(2013, 3, 15))

    back = gpd.read_file(path, layer="areas").set_index("area_id")
    assert back.crs.to_epsg() == 3006
    assert back["score"].tolist() == pytest.approx(values.tolist(), nan_ok=True)
    missing = gpd.read_file(path, layer="areas_not_classed")
    assert missing["status_of_value"].tolist() == ["suppressed", "not_collected"]

    connection = sqlite3.connect(path)
    styles = dict(connection.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1"))
    stamps = {stamp for (stamp,) in connection.execute("SELECT last_change FROM gpkg_contents")}
    connection.close()
    assert stamps == {"2013-03-15T00:00:00.000Z"}
    renderer = ET.fromstring(styles["areas"].split("\n", 1)[1]).find("renderer-v2")  # noqa: S314  written by ourselves
    assert (renderer.get("type"), renderer.get("attr")) == ("graduatedSymbol", "score")
    ranges = renderer.findall("ranges/range")
    for number, item in enumerate(ranges):
        inside = [v for v in values.dropna() if float(item.get("lower")) < v <= float(item.get("upper"))]
        assert len(inside) == style.counts[number]
    colours = [
        option.get("value")
        for option in renderer.findall("symbols/symbol/layer/Option/Option")
        if option.get("name") == "color"
    ]
    expected = [",".join(str(int(c[i : i + 2], 16)) for i in (1, 3, 5)) + ",255" for c in style.colours]
    assert colours == expected
    assert "LinePatternFill" in styles["areas_not_classed"]


def test_a_map_numbers_no_more_areas_than_it_names():
    areas = squares(60)
    values = pd.Series(np.arange(60.0), index=areas.index)
    figure = plot(areas, values, title="T", named=dict.fromkeys(areas.index, ""), named_title="All")
    main, side = figure.axes[:2]
    beside = [text.get_text() for text in side.texts]
    numbers = [text.get_text() for text in main.texts if text.get_text().isdigit()]
    assert len(numbers) == len(beside) - 2  # a title, and how many there was no room for
    assert beside[-1] == f"… +{60 - len(numbers)}"
    assert not plot(areas, values, title="T", named={}).axes[1].texts


def test_long_names_of_classes_stay_on_the_page():
    areas = squares(4)
    kinds = {" ": "Does not meet the conditions of the rule at all", "x": "Meets them"}
    numbers = pd.Series([1.0, 1.0, 2.0, 2.0], index=areas.index)
    side = plot(areas, numbers, title="T", categories=kinds, cmap="YlGnBu").axes[1]
    labels = [text.get_text() for text in side.get_legend().get_texts()]
    assert labels == ["Meets them  (2)", "Does not meet the conditions\nof the rule at all  (2)"]
