"""map.html in real Chromium with the network off."""

import io

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

SIZES = [(390, 844), (1024, 768), (1600, 900)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["map.html", "map_livelihood.html"])
def test_polygons_and_legend_are_visible_and_nothing_is_asked_for(open_page, sample_folder, sample_run, name, size):
    path = sample_folder / name
    page = open_page(path, *size)
    outside = [url for url in page.asked if not url.startswith(("data:", path.resolve().as_uri()))]
    assert outside == []
    assert page.complained == []
    # A path for each area, in the colours of its class.
    _, style = sample_run.style("risk_index" if name == "map.html" else "livelihood")
    fills = page.eval_on_selector_all("path.leaflet-interactive", "all => all.map(path => path.getAttribute('fill'))")
    for colour, count in zip(style.colours, style.counts, strict=True):
        assert fills.count(colour) == count
    for missing in style.missing:
        assert fills.count(f"url(#gp-{missing.status})") == missing.count
    # The legend says the classes, from the highest, and the kinds of missing value.
    legend = page.locator(".gp-panel li").all_inner_texts()
    words = [text.split("\n")[0] for text in legend]
    assert words == [*reversed(style.labels), *(item.label for item in style.missing)]
    assert page.locator(".gp-panel").is_visible()


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_shows_the_colours(open_page, sample_folder, sample_run, size):
    page = open_page(sample_folder / "map.html", *size)
    page.wait_for_timeout(300)
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).reshape(-1, 3)
    _, style = sample_run.style("risk_index")
    for colour, count in zip(style.colours, style.counts, strict=True):
        wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        pixels = (np.abs(picture.astype(int) - wanted).max(axis=1) <= 2).sum()
        # The swatch in the legend (28 × 18 with its border), and where areas have the colour much more than it.
        assert pixels > (28 * 18 + 300 if count else 20 * 12), f"{colour} is hardly to be seen"


@pytest.mark.parametrize("size", SIZES)
def test_the_whole_town_fits_beside_the_panel(open_page, sample_folder, size):
    page = open_page(sample_folder / "map.html", *size)
    page.wait_for_timeout(300)
    boxes = page.eval_on_selector_all(
        "path.leaflet-interactive",
        "all => all.map(p => { const b = p.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })",
    )
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[2] for b in boxes), max(b[3] for b in boxes)
    assert left >= 0
    assert top >= 0
    assert right <= size[0]
    assert bottom <= size[1]
    panel = page.locator(".gp-panel").bounding_box()
    assert left >= panel["x"] + panel["width"] or bottom <= panel["y"]


def test_the_keyboard_reaches_every_area(open_page, sample_folder, sample_run):
    page = open_page(sample_folder / "map.html")
    seen = set()
    for _ in range(len(sample_run.areas()) + 6):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        if page.evaluate("document.activeElement.tagName") == "path":
            seen.add(label.split(":")[0])
            assert page.locator(".leaflet-tooltip").inner_text().startswith(label.split(":")[0])
    assert seen == set(sample_run.areas()["name"])


def test_pointing_at_an_area_shows_its_figures(open_page, sample_folder, sample_run):
    page = open_page(sample_folder / "map.html")
    ranking = sample_run.index().ranking
    first = sample_run.areas()["name"][ranking.index[0]]
    page.locator(f"path[aria-label^='{first}:']").hover()
    text = page.locator(".leaflet-tooltip").inner_text()
    assert first in text
    assert f"{ranking['score'].iloc[0]:.0f}" in text


@pytest.mark.parametrize("size", SIZES)
def test_a_click_opens_strengths_and_weaknesses_inside_the_window(open_page, sample_folder, size):
    page = open_page(sample_folder / "map.html", *size)
    for name in ("Almvreten", "Granhöjden", "Slaggmarken"):
        page.locator(f"path[aria-label^='{name}:']").click()
        page.wait_for_timeout(600)
        text = page.locator(".leaflet-popup-content").inner_text()
        assert text.startswith(name)
        assert {"Styrkor", "Svagheter"} <= {line.split("\t")[0] for line in text.split("\n")}
        box = page.locator(".leaflet-popup-content-wrapper").bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size[0]
        panel = page.locator(".gp-panel").bounding_box()
        assert box["x"] >= panel["x"] + panel["width"] or box["y"] + box["height"] <= panel["y"]
        page.keyboard.press("Escape")
        page.wait_for_function("!document.querySelector('.leaflet-popup')")
    assert page.complained == []


def test_enter_opens_what_a_click_does(open_page, sample_folder):
    page = open_page(sample_folder / "map.html")
    page.locator("path[aria-label^='Granhöjden:']").focus()
    assert "Styrkor" not in page.locator(".leaflet-tooltip").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)
    assert "Anlagda bränder" in page.locator(".leaflet-popup-content").inner_text()
    assert page.locator(".leaflet-tooltip").count() == 0


def test_hostile_names_do_nothing(open_page, tmp_path):
    import test_show  # noqa: PLC0415  its areas and its hostile text

    areas = test_show.squares(3).assign(name=test_show.HOSTILE)
    page_path = tmp_path / "hostile.html"
    test_show.explore(
        areas, test_show.series([1, 2, 3]), title=test_show.HOSTILE, source=test_show.HOSTILE, popup=["name"]
    ).save(page_path)
    page = open_page(page_path)
    page.locator("path.leaflet-interactive").last.click()
    assert "<img src=x" in page.locator(".leaflet-popup-content").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_timeout(600)  # the map slides to make room for the popup; what is hovered meanwhile slides away
    page.locator("path.leaflet-interactive").first.hover()
    assert page.complained == []
    assert page.locator("h1").inner_text().startswith("</script><img src=x onerror=alert(1)>{{ 7*7 }}")
    assert "<img src=x" in page.locator(".leaflet-tooltip").inner_text()
    assert page.locator("img[src='x']").count() == 0
