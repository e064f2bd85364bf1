"""What the README and the notebooks tell is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXECUTE = """
import sys, jupytext, nbclient
notebook = jupytext.read(sys.argv[1])
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
for cell in notebook.cells:  # a planner sees results, not warnings of libraries
    for output in cell.get("outputs", ()):
        assert output.get("name") != "stderr", output["text"]
"""
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


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks_run(path):
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(path)],
        cwd=path.parent,
        env={**os.environ, "JUPYTER_PLATFORM_DIRS": "1"},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
