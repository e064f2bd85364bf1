"""Make the two pictures of the README from a run of the sample, and those of other pages; needs Chromium."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import draw_access
import draw_equity
import draw_isochrones
import draw_links
import draw_surfaces
import draw_travel_times
from PIL import Image
from playwright.sync_api import sync_playwright

import geoplan as gp

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 1100


def main() -> None:
    """Run the sample and write docs/pictures/map.png and docs/pictures/explore.png; draw the others."""
    PICTURES.mkdir(exist_ok=True)
    draw_travel_times.main()
    draw_access.main()
    draw_isochrones.main()
    draw_links.main()
    draw_equity.main()
    draw_surfaces.main()
    with tempfile.TemporaryDirectory() as folder:
        run = gp.write_run(gp.open_run("scenarios/baseline.toml"), Path(folder) / "baseline")
        printed = Image.open(run / "map.png").convert("RGB")
        printed = printed.resize((WIDTH, round(printed.height * WIDTH / printed.width)), Image.Resampling.LANCZOS)
        _save(printed, "map.png")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_context(viewport={"width": WIDTH, "height": 700}, offline=True).new_page()
            page.goto((run / "map.html").as_uri())
            page.locator("path[aria-label^='Granhöjden:']").hover()
            page.wait_for_timeout(300)
            page.screenshot(path=Path(folder) / "shot.png")
            browser.close()
        _save(Image.open(Path(folder) / "shot.png").convert("RGB"), "explore.png")


def _save(picture: Image.Image, name: str) -> None:
    """Write a picture with few colours: maps are flat, and the repository stays small."""
    picture.quantize(128, dither=Image.Dither.NONE).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    main()
