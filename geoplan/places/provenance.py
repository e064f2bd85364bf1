"""Where a figure comes from, how it was made, and why exactly it is missing: three columns that no step may lose.

``source`` is a text, several of them parted by ``" | "``. ``method`` is made of steps from :data:`METHODS`, in their
order and parted by ``"; "``. ``reason`` is one of :data:`REASONS`, or empty. All three are categorical: a table has a
few different texts in very many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

__all__ = ["METHODS", "PROVENANCE", "REASONS", "add_step", "concat_tables", "merge_provenance"]

#: The columns, in their order.
PROVENANCE = ["source", "method", "reason"]

#: The steps that make a figure. published: as the source gives it; converted: turned into another unit; from_counts:
#: a rate made from numerator and denominator; moved: between boundaries; rolled_up: merged from smaller areas;
#: mean_of_2_years … mean_of_10_years: made from the counts of so many years; shrunk: drawn towards a larger whole.
METHODS = (
    "published",
    "converted",
    "from_counts",
    "moved",
    "rolled_up",
    *(f"mean_of_{number}_years" for number in range(2, 11)),
    "shrunk",
)

#: Why exactly a figure is missing, where more is known than its status says. The first six are the non-answers of
#: Danish surveys and reporting schemes; the others are set by publishers' signs and by steps of geoplan.
REASONS = {
    "dont_know": "asked, and did not know (ved ikke)",
    "not_relevant": "the question does not concern those who were asked (ikke relevant)",
    "declined": "asked, and would not answer (ønsker ikke at svare)",
    "unanswered": "asked, and left the answer empty (ubesvaret)",
    "not_stated": "the register or form holds no entry (uoplyst)",
    "not_asked": "nobody was asked, or nothing was counted (ikke spurgt, ikke opgjort)",
    "withheld": "the publisher has it, and does not show it: too uncertain, or confidential",
    "not_available": "the publisher does not have it",
    "break": "the definition changed between the years that would be put together",
    "too_few_years": "not all of the years that would be put together are there",
}

_SOURCES, _STEPS = " | ", "; "


def add_step(method: pd.Series, step: str) -> pd.Series:
    """Return methods with one step more; a figure that is missing (an empty method) has none."""
    known = [str(text) for text in pd.unique(method.astype(object)) if isinstance(text, str)]
    longer = {text: _steps([text, step]) if text else "" for text in known}
    return method.astype(object).map(longer).astype("category")


def _steps(methods: Iterable[str]) -> str:
    found = {step for method in methods for step in method.split(_STEPS) if step}
    order = {step: place for place, step in enumerate(METHODS)}
    return _STEPS.join(sorted(found, key=lambda step: (order.get(step, len(order)), step)))


def _sources(sources: Iterable[str]) -> str:
    return _SOURCES.join(dict.fromkeys(part for source in sorted(sources) for part in source.split(_SOURCES)))


def _only(reasons: Sequence[str]) -> str:
    return reasons[0] if len(reasons) == 1 else ""


def merge_provenance(
    rows: pd.DataFrame, keys: list[pd.Series], known: pd.Series, missing: pd.Series, step: str
) -> pd.DataFrame:
    """Merge the provenance of rows that become one figure.

    Parameters
    ----------
    rows
        With any of the columns ``source, method, reason``; only those are merged.
    keys
        What the rows are grouped by, as in ``groupby(keys, sort=True)``.
    known
        Which rows hold a figure (bool). Sources and steps are those of the known parts, or of all where none is;
        a reason is kept where all missing parts agree on it.
    missing
        Index the groups: which of them have no figure (bool). The others have no reason, and these no method.
    step
        What this merge is called in ``method``.

    Returns
    -------
    pandas.DataFrame
        Index the groups, sorted; the columns of ``rows``, categorical.
    """
    groups = rows.groupby(keys, sort=True)
    number, index = groups.ngroup().to_numpy(), groups.size().index
    found, holds, gone = {}, known.to_numpy(dtype=bool), missing.reindex(index).to_numpy(dtype=bool)
    any_known = np.bincount(number[holds], minlength=len(index)) > 0
    counts = holds | ~any_known[number]
    if "source" in rows:
        found["source"] = _gathered(rows["source"], number, counts, len(index), _sources)
    if "method" in rows:
        found["method"] = add_step(_gathered(rows["method"], number, counts & ~gone[number], len(index), _steps), step)
    if "reason" in rows:
        # Parts that nobody belongs to say nothing of why the others are missing.
        speaks = ~holds & (rows["status"] != "not_applicable").to_numpy()
        says = speaks | (~holds & ~(np.bincount(number[speaks], minlength=len(index)) > 0)[number])
        found["reason"] = _gathered(rows["reason"], number, says & gone[number], len(index), _only, empty=True)
    return pd.DataFrame(found).set_axis(index)


def _gathered(
    column: pd.Series,
    number: np.ndarray,
    counts: np.ndarray,
    groups: int,
    together: Callable[[Sequence[str]], str],
    *,
    empty: bool = False,
) -> pd.Series:
    """Put the texts of each group together; ``empty`` counts an empty text as one of them."""
    code, words = pd.factorize(column.astype(object).fillna(""))
    taken = counts if empty else counts & np.array([word != "" for word in words], dtype=bool)[code]
    width = max(len(words), 1)
    pairs = np.unique(number[taken].astype(np.int64) * width + code[taken])
    group, word = pairs // width, pairs % width
    result = np.full(groups, "", dtype=object)
    alone = np.bincount(group, minlength=groups)[group] == 1
    result[group[alone]] = np.asarray(words, dtype=object)[word[alone]]
    group, word = group[~alone], word[~alone]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    cache: dict[bytes, str] = {}
    for part, first in zip(np.split(word, starts[1:]), group[starts], strict=True) if len(group) else ():
        key = part.tobytes()
        if key not in cache:
            cache[key] = together([str(words[place]) for place in part])
        result[first] = cache[key]
    return pd.Series(result).astype("category")


def concat_tables(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tidy frames below each other; columns of provenance stay categorical."""
    whole = pd.concat(
        [frame.astype({name: object for name in PROVENANCE if name in frame}) for frame in frames], ignore_index=True
    )
    return whole.assign(**{name: whole[name].fillna("").astype("category") for name in PROVENANCE if name in whole})
