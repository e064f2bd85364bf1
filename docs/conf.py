"""How the documentation is built: MyST pages whose examples are executed, without one outside request."""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib.mathtext
import sphinx.errors
from docutils import nodes
from matplotlib.font_manager import FontProperties

import geoplan

project = "geoplan"
author = "The geoplan founders"
project_copyright = author
version = release = geoplan.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = f"geoplan {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings: list[str] = []

# Pages run in the interpreter that builds them; the first fault stops the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_render_markdown_format = "myst"
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
if os.environ.get("GEOPLAN_REAL_DATA"):
    os.environ["GEOPLAN_REAL_DATA"] = str(Path(os.environ["GEOPLAN_REAL_DATA"]).resolve())

autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = True

# Formulas are drawn by matplotlib: MathJax would be fetched from a server when the page is read.
html_math_renderer = "drawn"


def _drawn(formula: str, *, size: int) -> str:
    """Return a formula as an image that lies inside the page."""
    plain = re.sub(r"\\text\{([^}]*)\}", lambda m: rf"\mathrm{{{m[1]}}}", " ".join(formula.split()))
    plain = re.sub(r"\\[bB]ig[lr]", "", plain)  # matplotlib knows brackets of one size
    plain = re.sub(r"\\[lr]vert\b", "|", plain)
    plain = re.sub(r"\\[lr]Vert\b", r"\\|", plain)
    plain = plain.replace(r"\tfrac", r"\frac")
    plain = re.sub(r"\\(le|ge)\b", r"\\\1q", plain)
    plain = re.sub(r"\\frac(\w)(\w)", r"\\frac{\1}{\2}", plain)
    picture = io.BytesIO()
    font = FontProperties(size=size, math_fontfamily="cm")
    matplotlib.mathtext.math_to_image(f"${plain}$", picture, prop=font, dpi=72, format="svg")
    data = base64.b64encode(picture.getvalue()).decode()
    text = plain.replace('"', "&quot;").replace("<", "&lt;")
    return f'<img class="formula" alt="{text}" src="data:image/svg+xml;base64,{data}">'


def _inline_formula(writer: Any, node: nodes.Element) -> None:
    writer.body.append(_drawn(node.astext(), size=12))
    raise nodes.SkipNode


def _block_formula(writer: Any, node: nodes.Element) -> None:
    writer.body.append(f"<p>{_drawn(node.astext(), size=17)}</p>")
    raise nodes.SkipNode


def _complete_reference(app: Any) -> None:
    """Make sure that reference.md names the whole public surface and nothing else."""
    text = (Path(app.srcdir) / "reference.md").read_text(encoding="utf-8")
    named = set(re.findall(r"auto(?:function|class|exception):: geoplan\.(\w+)$", text, flags=re.MULTILINE))
    if named != set(geoplan.__all__):
        raise sphinx.errors.ConfigError(
            f"reference.md and geoplan.__all__ differ: {sorted(named ^ set(geoplan.__all__))}"
        )


def setup(app: Any) -> None:
    """Register the renderer of formulas and the check of the reference."""
    app.add_html_math_renderer("drawn", (_inline_formula, None), (_block_formula, None))
    app.connect("builder-inited", _complete_reference)
