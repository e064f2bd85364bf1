"""The open data that tests with the marker `real` use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "docs/examples/stockholm"


@pytest.fixture(scope="session")
def real():
    """The folder of real data; absent, the test is skipped, or fails where GEOPLAN_REQUIRE asks for it."""
    folder = Path(os.environ.get("GEOPLAN_REAL_DATA") or ROOT / "../shared/real").resolve()
    if not (folder / "sweden/scb_deso2018_indicators_2022.csv").is_file():
        reason = "the real data are not here; name their folder in GEOPLAN_REAL_DATA"
        if "real" in os.environ.get("GEOPLAN_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def project(real):
    """The example project of the documentation, its layers pointed at the real data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEOPLAN_REAL_DATA", str(real))
        yield PROJECT
