"""What the executed pages share: an empty folder, shell cells that print as a log file would, and tables of keys."""

import os
import subprocess
import tempfile
from typing import Any, get_args

from IPython.core.magic import register_cell_magic
from IPython.display import Markdown
from pydantic import BaseModel

__all__ = ["in_an_empty_folder", "keys", "tables"]


def in_an_empty_folder() -> None:
    """Go to a new temporary folder, and let ``%%bash`` print everything in one piece, without colours."""
    os.chdir(tempfile.mkdtemp())
    os.environ.pop("FORCE_COLOR", None)  # Jupyter asks for colours; a page has none

    @register_cell_magic
    def bash(_: str, cell: str) -> None:
        shell = ["bash", "-c", cell]
        done = subprocess.run(shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)  # noqa: S603  our own pages
        print(done.stdout, end="")  # noqa: T201  a page shows what is printed


def tables(*parts: str) -> Markdown:
    """Show tables one below the other."""
    return Markdown("\n\n".join(parts))


def keys(heading: str, model: type[BaseModel], besides: tuple[str, ...] = ()) -> str:
    """Return a table of the keys of a specification, as its model describes them; those that must be there in bold."""
    lines = [f"**{heading}**", "", "| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if name in besides:
            continue
        text = (field.description or "").replace("|", "\\|")
        choice = _values_of(field.annotation)
        text = " ".join(part for part in (text, f"One of {choice}." if choice and name != "kind" else "") if part)
        shown = f"**{name}**" if field.is_required() else name
        lines.append(f"| {shown} | {_default_of(field)} | {text} |")
    return "\n".join(lines)


def _default_of(field: Any) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _values_of(annotation: Any) -> str:
    found: list[str] = []
    for part in (annotation, *get_args(annotation)):
        if "Literal" in str(part)[:20]:
            found = [str(value) for value in get_args(part)]
    return ", ".join(f"`{value!r}`".replace("'", '"') for value in found)
