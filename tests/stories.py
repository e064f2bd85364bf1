"""Running a notebook as CI does."""

import os
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
EXECUTE = """
import sys, jupytext, nbclient
notebook = jupytext.read(sys.argv[1])
nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
for cell in notebook.cells:  # a planner sees results, not warnings of libraries
    for output in cell.get("outputs", ()):
        assert output.get("name") != "stderr", output["text"]
"""


def run(path):
    """Execute a notebook in a process of its own; nothing may be said on stderr."""
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


def numbered(*beginnings):
    """Return the notebooks whose names begin so, in order."""
    return sorted(path for path in NOTEBOOKS.glob("*.py") if path.stem.startswith(beginnings))
