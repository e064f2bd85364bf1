"""Fixtures: a project of four square areas that a test may break, and one run of the shipped sample."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings
from strategies import snapshot, squares

import geoplan as gp
from geoplan import cli
from geoplan.run import open_run

mpl.use("agg")  # a test draws to files only, whatever the machine has

# No deadline: a machine under load is no bug. Derandomised: a test run says the same each time.
settings.register_profile("geoplan", deadline=None, max_examples=100, derandomize=True)
settings.load_profile("geoplan")

_AREAS = """\
kind = "areas"
title = "Districts"
path = "../data/areas.gpkg"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
crs = "EPSG:3006"
level = "stadsdel"
id_column = "code"
id_width = 4
name_column = "name"
"""

_FIGURES = """\
kind = "indicators"
title = "Figures"
path = "../data/figures.csv"
source = "Made up for a test"
licence = "MIT"
vintage = "2012-12-31"
level = "stadsdel"
id_column = "code"
id_width = 4

[[indicators]]
id = "population"
label = "Residents"
kind = "count"
unit = "persons"
direction = "neutral"

[[indicators]]
id = "poor"
label = "Low income"
kind = "share"
unit = "pct"
direction = "higher_is_worse"

[[indicators]]
id = "crime"
label = "Reported crimes"
subject = "safety"
kind = "rate"
unit = "per_1000"
direction = "higher_is_worse"
"""

_CSV = """\
code,indicator,period,numerator,denominator,value,status
0101,population,2012,1000,,,
0102,population,2012,2000,,,
0103,population,2012,3000,,,
0104,population,2012,4000,,,
0101,poor,2012,100,1000,,
0102,poor,2012,300,2000,,
0103,poor,2012,600,3000,,
0104,poor,2012,1000,4000,,
0101,crime,2012,50,1000,,
0102,crime,2012,80,2000,,
0103,crime,2012,90,3000,,
0104,crime,2012,80,4000,,
"""

_SCENARIO = """\
title = "Four squares"
date = 2013-03-15
period = 2012
language = "en"

[areas]
level = "stadsdel"
layers = ["districts"]

[indicators]
layers = ["figures"]

[index]

[[index.domains]]
id = "livelihood"
label = "Livelihood"
indicators = ["poor"]

[[index.domains]]
id = "safety"
label = "Safety"
indicators = ["crime"]

[output]
maps = ["plain"]
"""

_MAP = """\
title = "Risk index"
value = "score"
scheme = "equal_interval"
k = 3
"""


@dataclass(frozen=True)
class Project:
    """A folder with layers/, scenarios/, maps/ and data/, whole until a test alters one thing."""

    root: Path

    scenario = "scenarios/four.toml"
    areas = "data/areas.gpkg"
    figures = "data/figures.csv"

    def __truediv__(self, name):
        return self.root / name

    def edit(self, name, old, new):
        """Replace a text that stands once in a file."""
        text = (self / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        (self / name).write_text(text.replace(old, new), encoding="utf-8")

    def put_areas(self, frame, name=None):
        """Write other areas in the place of the four squares."""
        path = self / (name or self.areas)
        path.unlink(missing_ok=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "'crs' was not provided")  # a missing system is what some tests are for
            frame.to_file(path, layer="districts")

    def cut(self, name, length):
        """Keep the first bytes of a file; a negative length cuts as many off its end."""
        content = (self / name).read_bytes()
        (self / name).write_bytes(content[:length])

    def snapshot(self):
        """Return every file and folder of the project, with its bytes."""
        return snapshot(self.root)


@pytest.fixture(scope="session")
def _template(tmp_path_factory):
    root = tmp_path_factory.mktemp("four")
    for folder in ("layers", "scenarios", "maps", "data"):
        (root / folder).mkdir()
    texts = {
        "layers/districts.toml": _AREAS,
        "layers/figures.toml": _FIGURES,
        "scenarios/four.toml": _SCENARIO,
        "maps/plain.toml": _MAP,
        "data/figures.csv": _CSV,
    }
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    squares().to_file(root / "data/areas.gpkg", layer="districts")
    return Project(root).snapshot()


@pytest.fixture
def project(tmp_path, _template):
    """Give a valid project of four areas to break."""
    root = tmp_path / "project"
    root.mkdir()
    for name, content in _template.items():
        if content is None:
            (root / name).mkdir()
        else:
            (root / name).write_bytes(content)
    return Project(root)


@dataclass(frozen=True)
class Ended:
    """What a command left behind: its exit code and its words."""

    code: int
    out: str
    err: str

    @property
    def faults(self):
        """The faults as printed, one a line, below their heading."""
        return [line.strip() for line in self.err.splitlines()[1:]]


@pytest.fixture
def geoplan(capsys, monkeypatch):
    """Run a command line inside this process, which is quick; returns a function."""

    def run(*words, cwd):
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            patch.setattr(sys, "argv", ["geoplan", *map(str, words)])
            before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                with pytest.raises(SystemExit) as ended:
                    cli.main()
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def command():
    """Start a command line as its user does, in a process of its own; returns a function."""

    def start(*words, cwd):
        # The checkout is on the path, so that the project folder may be the current one.
        paths = [str(Path(gp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        return subprocess.Popen(
            [sys.executable, "-m", "geoplan.cli", *map(str, words)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    return start


@pytest.fixture(scope="session")
def sample_run():
    """The main job on the shipped sample, opened once; a test must not change what it holds."""
    return open_run("scenarios/baseline.toml")


@pytest.fixture(scope="session")
def sample_folder(sample_run, tmp_path_factory):
    """The run folder of the sample, written once; a test must not change it."""
    return gp.write_run(sample_run, tmp_path_factory.mktemp("build") / "baseline")
