"""What the executed pages share: an empty folder to work in, and shell cells that print as a log file would."""

import os
import subprocess
import tempfile

from IPython.core.magic import register_cell_magic

__all__ = ["in_an_empty_folder"]


def in_an_empty_folder() -> None:
    """Go to a new temporary folder, and let ``%%bash`` print everything in one piece, without colours."""
    os.chdir(tempfile.mkdtemp())
    os.environ.pop("FORCE_COLOR", None)  # Jupyter asks for colours; a page has none

    @register_cell_magic
    def bash(_: str, cell: str) -> None:
        shell = ["bash", "-c", cell]
        done = subprocess.run(shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)  # noqa: S603  our own pages
        print(done.stdout, end="")  # noqa: T201  a page shows what is printed
