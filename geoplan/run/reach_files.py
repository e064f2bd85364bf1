"""What files of nodes, links and surfaces share: pictures, where figures are from, what is not for the public."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from geoplan.show import Sheet, format_date, texts
from geoplan.show.printed import SAVED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geoplan.run.story import Run

__all__ = ["draw", "footer_of", "headings", "hidden_where_few", "least_shown", "moment_of", "notes_sheet", "sources_of"]


def draw(stem: Path, figure: Callable[[], Figure], endings: Sequence[str] = tuple(SAVED)) -> None:
    """Draw a picture for print in some formats, all when left out; the same bytes each time."""
    with mpl.rc_context({"svg.hashsalt": "geoplan"}):
        drawn = figure()
        for ending in endings:
            drawn.savefig(stem.with_suffix(f".{ending}"), **SAVED[ending])


def sources_of(run: Run, layers: Iterable[str | None]) -> str:
    """Return the sources of layers in one line, each once."""
    named = [run.catalogue.layer(name).spec for name in layers if name]
    return "; ".join(dict.fromkeys(f"{item.source} ({item.vintage}, {item.licence})" for item in named))


def moment_of(run: Run) -> str:
    """Say when the trips of a run leave, as readers write it; empty where there is no timetable."""
    timetable, spec = run.reach.network.timetable, run.reach.spec
    if timetable is None:
        return ""
    hour, minute = (int(part) for part in spec.departure.split(":"))
    until = hour * 60 + minute + int(spec.window_min)
    words = texts(run.spec.language).plan
    return words["moment"].format(
        date=format_date(timetable.date, run.spec.language),
        start=spec.departure,
        end=f"{until // 60:02}:{until % 60:02}",
        share=f"{run.reach.percentiles[0]:g}",
    )


def footer_of(run: Run, sources: str) -> str:
    """Return the text at the foot of printed sheets."""
    return f"{run.spec.title.to(run.spec.language)} · {run.spec.period} · {sources}"


def notes_sheet(run: Run, rows: Sequence[tuple[str, str]]) -> Sheet:
    """Return the sheet of what a reader should know: the scenario, and pairs of a heading and a sentence."""
    language, words = run.spec.language, texts(run.spec.language)
    first = [(run.spec.title.to(language), run.spec.note.to(language) if run.spec.note else "")]
    told = [*first, (words["date"], run.spec.date.isoformat()), (words["period"], run.spec.period), *rows]
    return Sheet(words["notes_sheet"], pd.DataFrame(told, columns=[words["notes_sheet"], ""]), widths=(38, 110))


def least_shown(run: Run) -> int:
    """Return of how many residents one must tell at least: 0 unless the run is for the public."""
    if run.spec.profile == "internal" or run.spec.disclosure is None:
        return 0
    return max(run.spec.disclosure.minimum_base, run.spec.disclosure.minimum_cell)


def hidden_where_few(frame: Any, columns: Sequence[str], least: int) -> Any:
    """Return a frame without the counts of residents that are too few to be told of; 0 stays.

    Examples
    --------
    >>> hidden_where_few(pd.DataFrame({"people": [0.0, 3.0, 40.0]}), ["people"], 30)["people"].tolist()
    [0.0, nan, 40.0]
    """
    if not least:
        return frame
    shown = frame.copy()
    for name in columns:
        values = shown[name].astype(float)
        shown[name] = values.mask((values > 0) & (values < least), np.nan)
    return shown


def headings(words: Mapping[str, str], prefix: str, columns: Iterable[str]) -> dict[str, str]:
    """Return column → heading: the word under ``<prefix>_<column>``, or under ``<column>``."""
    return {name: words.get(f"{prefix}_{name}", words.get(name, name)) for name in columns}
