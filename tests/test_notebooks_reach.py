"""The notebooks on travel, access, nodes and links run."""

import pytest
from stories import numbered, run


@pytest.mark.parametrize("path", numbered("05", "06"), ids=lambda path: path.stem)
def test_notebooks_run(path):
    run(path)
