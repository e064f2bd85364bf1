"""The house rules that a machine can hold."""

import ast
import doctest
import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import geoplan as gp
from geoplan.specs import json_schemas

ROOT = Path(__file__).parents[1]
MODULES = sorted(item.name for item in pkgutil.walk_packages(gp.__path__, "geoplan.") if "_home" not in item.name)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


#: What a planner may type although it does not stand on top: ``gp.places.segments``.
BELOW = {
    "errors": ("DisclosureError", "OutputError"),
    "places": (
        "as_aliases", "as_crosswalk", "as_membership", "assign_largest_overlap", "attack", "belongs_to", "carry",
        "combine", "differences", "join_report", "lint_table", "map_domains", "pairs_at", "parents_at", "segments",
    ),
    "reach": (
        "CrossingEffects", "Dasymetric", "Equity", "FloatingCatchment", "Lattice", "Links", "RasterFile", "Scope",
        "Standard", "StrategicNodes", "Surface", "TravelTimes", "access_equity", "access_raster", "access_status",
        "area_access", "area_of_points", "beyond_reach", "calibrate", "candidate_crossings", "catchment_areas",
        "cell_points", "centre_shift", "compare_nodes", "contours", "crossing_effects", "cut_edges", "dasymetric",
        "density_peaks", "deprivation_access_classes", "dual_access", "feed_report", "floating_catchment",
        "gather_barriers", "gather_opportunities", "gravity", "isochrone_notes", "isochrones", "jobs_by",
        "kernel_density", "links", "load_streets", "matched_jobs", "node_candidates", "node_uncertainty",
        "open_raster", "opportunities", "population_balance", "r5_travel_times", "read_streets", "read_times",
        "read_timetable", "read_travel_times", "service_scope", "snap", "standard_distance", "standard_ellipse",
        "strategic_nodes", "time_to_nearest", "time_to_share", "weighted_mean_centre", "weighted_median_centre",
        "weighted_points", "weighted_quantile", "windows", "with_crossings", "write_raster", "zonal_statistics",
    ),
    "show": (
        "explore_deprivation_access", "explore_isochrones", "explore_journey", "explore_links", "explore_stops",
        "plot_deprivation_access", "plot_equity", "plot_isochrones", "plot_journey", "plot_links", "plot_stops",
        "write_isochrones",
    ),
    "sources": ("list_layers",),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [*sorted(gp.__all__), *(f"{wing}.{name}" for wing, names in BELOW.items() for name in names)]
)
def test_public_names_are_documented(name):
    wing, _, own = name.rpartition(".")
    thing = getattr(getattr(gp, wing), own) if wing else getattr(gp, name)
    assert thing.__doc__, name
    if callable(thing) and not isinstance(thing, type):
        assert ">>>" in thing.__doc__, f"{name} has no executed example"
        assert "Raises" in thing.__doc__ or own in NEVER_RAISES, f"{name} does not say what it raises"


NEVER_RAISES = {
    "breakdown", "cut_edges", "differences", "find_overlaps", "home", "isochrone_notes", "sheets", "weighted_quantile",
}  # fmt: skip


def test_the_public_surface_stays_small_and_sorted():
    assert len(gp.__all__) <= 60
    assert gp.__all__ == sorted(gp.__all__)
    assert set(gp.__all__) == set(gp._HOMES)


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_exported_schemas_are_current(name):
    stored = json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert stored == json_schemas()[name], "run `make schemas`"


def test_the_sample_is_what_its_script_makes(tmp_path):
    made = tmp_path / "data"
    subprocess.run(
        [sys.executable, str(ROOT / "data" / "generate.py"), "--out", str(made)], check=True, capture_output=True
    )
    files = sorted(path for path in made.rglob("*") if path.is_file())
    assert files
    for path in files:
        assert path.read_bytes() == (ROOT / "data" / path.relative_to(made)).read_bytes(), path.name
    total = sum(path.stat().st_size for path in (ROOT / "data").iterdir() if path.is_file())
    assert total < 5_000_000


@pytest.mark.parametrize(
    ("lacks", "line"),
    [
        ("ensurepip", "Python's venv module is missing; on Debian: apt-get install python3-venv"),
        ("version_info", "geoplan needs Python 3.11 or newer as"),
    ],
)
def test_make_says_in_one_line_what_is_missing(tmp_path, lacks, line):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *{lacks}*) exit 1;; esac\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    make = [shutil.which("make") or "make", "demo", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"]
    # A make inside `make test` would announce its folder, and share the outer one's flags.
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(make, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert len(done.stdout.splitlines()) == 1
    assert line in done.stdout
    assert not (tmp_path / "venv").exists()


@pytest.mark.slow
def test_an_installed_copy_has_its_catalogue_and_sample(tmp_path):
    place = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), str(ROOT)]
    subprocess.run(install, check=True, capture_output=True)
    code = f"import sys; sys.path.insert(0, {str(place)!r}); from geoplan.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "demo" / "map.html").is_file()


def tracked():
    """Return the checkout's own text files."""
    skipped = {".git", ".venv", "build", "dist", "_build", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)]


def test_files_and_functions_stay_short():
    long_files, long_functions = {}, {}
    for path in (path for path in tracked() if path.suffix in {".py", ".js"}):
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT))
        if len(text.splitlines()) > 600 and not name.startswith("tests"):
            long_files[name] = len(text.splitlines())
        if path.suffix == ".py" and name.startswith("geoplan"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    body = node.body[ast.get_docstring(node) is not None :]
                    lines = node.end_lineno - body[0].lineno + 1 if body else 0
                    if lines > 60:
                        long_functions[f"{name}:{node.name}"] = lines
    assert long_files == {}
    assert long_functions == {}


def test_nothing_committed_names_a_machine_or_a_registry():
    pattern = re.compile(r"(?<![\w.])/(?:work|home/\w+|root|Users/\w+)/\w|index-url|pypi\.org/simple|registry\.npmjs")
    own = Path(__file__).name
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path.name != own and path.suffix in {".py", ".toml", ".md", ".cfg", ".yaml", ".yml", ".lock", ".sh", ""}
        if (match := pattern.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert found == []


def test_nothing_is_left_to_fill_in():
    left = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix == ".md" and re.search(r"@[A-Z]+@|TODO|FIXME", path.read_text(encoding="utf-8"))
    ]
    assert left == []
