"""The notebooks on areas, index and choice run."""

import pytest
from stories import numbered, run


@pytest.mark.parametrize("path", numbered("01", "02", "03", "04"), ids=lambda path: path.stem)
def test_notebooks_run(path):
    run(path)
