"""What the README tells is true; the notebooks have files of their own, for two workers to share."""

import re
from pathlib import Path

from stories import NOTEBOOKS, numbered

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_notebook_example_of_the_readme_runs():
    (code,) = re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL)
    names = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102  our own README is what is tested
    assert "Granh" in names["gp"].explore(names["run"].areas(), names["index"].score).to_html()
    assert len([line for line in code.splitlines() if line.strip()]) <= 5


def test_the_files_and_commands_of_the_readme_exist(sample_folder):
    for name in re.findall(r"\]\((docs/[^)]+)\)|`((?:docs|notebooks|scenarios|data)/[\w./-]+)`", README):
        assert (ROOT / (name[0] or name[1])).exists(), name
    table = README.split("| Out, in")[1].split("\n\n")[0]
    for name in re.findall(r"`([\w.]+\.[a-z]+)`", table):
        assert (sample_folder / name).is_file(), name
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for target in re.findall(r"(?:^|`)make (\w+)", README, flags=re.MULTILINE):
        assert target in targets


def test_every_notebook_is_run():
    assert set(numbered("01", "02", "03", "04", "05", "06")) == set(NOTEBOOKS.glob("*.py"))
