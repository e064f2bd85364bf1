"""One style, drawn by all: classes, colours, labels and the rule for missing values, computed once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from geoplan import checks
from geoplan.errors import Fault, SpecError, TableError
from geoplan.show.texts import Texts, format_number, texts

__all__ = [
    "BACKDROP",
    "HAIRLINE",
    "INK",
    "LINES",
    "MANY_AREAS",
    "MISSING_PATTERNS",
    "QUIET",
    "Missing",
    "Style",
    "decimals_of",
    "make_style",
    "values_of",
]

#: Scheme → the class of mapclassify that finds its limits.
_CLASSIFIERS = {
    "quantiles": "Quantiles",
    "equal_interval": "EqualInterval",
    "fisher_jenks": "FisherJenks",
    "pretty": "PrettyBreaks",
}
_REFUSED = {"RdYlGn", "RdGy", "Spectral", "jet", "rainbow", "hsv", "gist_rainbow", "nipy_spectral"}
_MIDDLE = 0.1  # a diverging map's middle class is "about the average": within a tenth of the midpoint
_LIGHTEST, _DARKEST = 0.08, 0.95
_REACH = 0.38  # of a diverging palette to each side: its ends are so dark that low values would shout

#: With more areas than this their borders are drawn finer.
MANY_AREAS = 250

#: Text, text of less weight, and thin lines.
INK, QUIET, HAIRLINE = "#1a1a1a", "#55554f", "#8f8f88"

#: Lines of a chart, dark enough for their labels too (contrast on white at least 4.5).
LINES = ("#225ea8", "#b35806", "#542788", "#01766c", "#b5246e", "#1a1a1a", "#7a5200", "#4f6f00")

#: Backdrop colours by role: fill and line.
BACKDROP = {
    "water": ("#dfe8f0", "#c3d3e0"),
    "park": ("#e9efe2", "#d5dfca"),
    "rail": ("none", "#8f8f88"),
    "road": ("none", "#c2c2bb"),
}

#: Status of a value that is not shown → matplotlib hatch; also the order in legends.
MISSING_PATTERNS = {
    "suppressed": "xxx",
    "not_collected": "///",
    "not_applicable": "|||",
    "out_of_scope": "---",
}


@dataclass(frozen=True)
class Missing:
    """The legend entry of one kind of missing value; the label counts the reasons, where they are known."""

    status: str
    label: str
    count: int


@dataclass(frozen=True)
class Style:
    """How a map looks and what its legend says.

    Attributes
    ----------
    title, unit, period, source, note, date
        Texts, in the style's language.
    suffix
        What follows a number in a sentence: the unit, or nothing for an index.
    bounds
        Class limits, one more than there are classes; a class holds values above its lower and up to its upper limit.
    colours, labels, counts
        One a class, from the lowest: hexadecimal colour, range in words, number of areas.
    missing
        The kinds of missing value that occur.
    classes
        Index ``area_id``: number of the class, -1 where the value is missing.
    statuses, reasons
        Index ``area_id``: the status of each value, and why exactly it is missing (empty where that is not known).
    decimals
        Decimals that numbers of this map are written with.
    marks
        One a class, short enough to stand on the map, where the classes were given; else empty.
    """

    title: str
    unit: str
    period: str
    source: str
    note: str
    date: str
    language: str
    suffix: str
    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    counts: tuple[int, ...]
    missing: tuple[Missing, ...]
    classes: pd.Series
    statuses: pd.Series
    reasons: pd.Series
    decimals: int
    marks: tuple[str, ...] = ()

    @property
    def subtitle(self) -> str:
        """Unit and year in one line."""
        return " · ".join(part for part in (self.unit, self.period) if part)


def make_style(
    values: pd.Series,
    *,
    status: pd.Series | None = None,
    reason: pd.Series | None = None,
    scheme: str = "quantiles",
    k: int = 5,
    breaks: Sequence[float] | None = None,
    categories: Mapping[str, str] | None = None,
    cmap: str = "YlGnBu",
    midpoint: float | None = None,
    title: str = "",
    unit: str = "",
    reference: str = "",
    period: str = "",
    source: str = "",
    note: str = "",
    date: str = "",
    language: str = "en",
) -> Style:
    """Choose classes, colours and labels for values.

    Parameters
    ----------
    values
        Index ``area_id``, numbers; NaN where missing.
    status
        Index ``area_id``: why a value is missing; ``not_collected`` when left out.
    scheme
        ``quantiles``, ``equal_interval``, ``fisher_jenks``, ``pretty`` (all by mapclassify) or ``given``. Given classes
        are the same on every map: the empty ones stay, and the outer ones are open.
    k
        Number of classes wanted; fewer when there are fewer different values.
    breaks
        Inner class limits of scheme ``given``.
    categories
        Where the values are the numbers of classes already, 1, 2 …: a short mark → the name of each. All of them stay.
    cmap
        A matplotlib palette; those that colour-blind readers cannot read are refused.
    status, reason
        Why values are missing: a status each, and more exactly one of :data:`~geoplan.places.REASONS`, or empty.
    unit, reference
        The unit, as indicators name it; for unit ``index`` the name of what scores 100, the city when left out.
    midpoint
        Value that a diverging palette is centred on. Its class reaches a tenth of the midpoint to both sides, and the
        scheme divides the values below and above it.

    Returns
    -------
    Style

    Raises
    ------
    SpecError
        For an unknown scheme or palette, a palette that is refused, or values that are no numbers of the categories.
    TableError
        When a value is a text.

    Examples
    --------
    >>> style = make_style(pd.Series({"a": 80.0, "b": 100.0, "c": 150.0}), scheme="given", breaks=[90, 110])
    >>> style.labels, style.counts
    (('≤ 90', '91–110', '> 110'), (1, 1, 1))
    """
    words = texts(language)
    values = _numbers(values)
    known = values.dropna()
    known = known[np.isfinite(known)]
    statuses = pd.Series("observed", index=values.index, dtype=object)
    gone = ~values.index.isin(known.index)
    given = status.reindex(values.index) if status is not None else pd.Series(index=values.index, dtype=object)
    statuses[gone] = given[gone].where(given[gone].isin(MISSING_PATTERNS), "not_collected")

    reasons = pd.Series("", index=values.index, dtype=object)
    if reason is not None:
        reasons[gone] = reason.reindex(values.index)[gone].astype(object).fillna("")

    decimals = decimals_of(known)
    if categories:
        _must_be_numbers_of(known, categories)
        bounds = tuple(number + 0.5 for number in range(len(categories) + 1))
        classes, labels = known.astype(int) - 1, tuple(categories.values())
    else:
        inner = _inner_breaks(known.to_numpy(), scheme, k, breaks, midpoint, decimals)
        bounds, classes = _classed(known, inner, decimals, keep_all=scheme == "given")
        labels = _labels(bounds, decimals, language, open_ends=scheme == "given")
    counts = tuple(int((classes == number).sum()) for number in range(len(bounds) - 1))
    occurring = statuses[gone].value_counts()
    return Style(
        title=title,
        unit=f"{reference} = 100" if unit == "index" and reference else words.unit(unit),
        period=period,
        source=source,
        note=note,
        date=date,
        language=language,
        suffix="" if unit == "index" else words.unit(unit),
        bounds=bounds,
        colours=_colours(cmap, bounds, midpoint),
        labels=labels,
        counts=counts,
        missing=tuple(
            Missing(name, _missing_label(words, name, reasons[gone & (statuses == name)]), int(occurring[name]))
            for name in MISSING_PATTERNS
            if name in occurring
        ),
        classes=classes.reindex(values.index).fillna(-1).astype(int),
        statuses=statuses,
        reasons=reasons,
        decimals=decimals,
        marks=tuple(categories or ()),
    )


def _numbers(values: pd.Series) -> pd.Series:
    """Return values as floats, NaN where missing."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = values.index[numbers.isna() & values.notna()]
    if len(wrong):
        what, hint = f"'{values[wrong[0]]}' is not a number", "of classes their numbers 1, 2 …, with `categories`"
        raise TableError(Fault(what=what, area=str(wrong[0]), expected="numbers, NaN where missing", hint=hint))
    return numbers


def _must_be_numbers_of(known: pd.Series, categories: Mapping[str, str]) -> None:
    odd = known[~known.isin(range(1, len(categories) + 1))]
    if len(odd):
        what = f"{odd.iloc[0]:g} is no number of {len(categories)} categories"
        raise SpecError(Fault(what=what, area=str(odd.index[0]), expected=f"1-{len(categories)}"))


def _missing_label(words: Texts, status: str, reasons: pd.Series) -> str:
    """Return the words of a status and its reasons with their counts, as all of a status have one hatch."""
    counts = reasons[reasons != ""].value_counts()
    if counts.empty:
        return words.statuses[status]
    if len(counts) == 1 and int(counts.iloc[0]) == len(reasons):
        return words.missing(status, str(counts.index[0]))
    listed = ", ".join(
        f"{words.why.get(name, name)} {count}" for name, count in sorted(counts.items(), key=_most_first)
    )
    return f"{words.statuses[status]}: {listed}"


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def values_of(areas: gpd.GeoDataFrame, column: str | pd.Series | None) -> pd.Series:
    """Return the values to show, in the order of the areas."""
    if column is None:
        return pd.Series(np.nan, index=areas.index)
    if isinstance(column, str):
        if column not in areas:
            raise checks.absent_columns([column], [str(name) for name in areas.columns])[0]
        return areas[column]
    if not set(column.index) & set(areas.index):
        raise checks.ids_match_nothing([str(i) for i in column.index], [str(i) for i in areas.index])
    return column.reindex(areas.index)


def decimals_of(known: pd.Series) -> int:
    """Choose decimals so that three digits tell areas apart."""
    spread = float(known.max() - known.min()) if len(known) else 0.0
    if spread == 0:
        return 0 if len(known) == 0 or float(known.iloc[0]).is_integer() else 1
    return int(np.clip(np.ceil(1 - np.log10(spread)) + (spread < 20), 0, 4))  # noqa: PLR2004  under 20 units whole numbers tie


def _inner_breaks(
    known: np.ndarray,
    scheme: str,
    k: int,
    breaks: Sequence[float] | None,
    midpoint: float | None,
    decimals: int,
) -> list[float]:
    if scheme == "given":
        if not breaks:
            raise SpecError(Fault(what="scheme 'given' has no breaks", expected="inner class limits in `breaks`"))
        return [float(limit) for limit in breaks]
    if scheme not in _CLASSIFIERS:
        raise checks.unknown_name("scheme", scheme, [*_CLASSIFIERS, "given"])
    if midpoint is None:
        limits = _split(known, scheme, k)
    else:
        low, high = midpoint * (1 - _MIDDLE), midpoint * (1 + _MIDDLE)
        side = max((k - 1) // 2, 1)
        limits = [
            *_split(known[known < low], scheme, side),
            low,
            high,
            *_split(known[known > high], scheme, side),
        ]
    return sorted({round(float(limit), decimals) for limit in limits})


def _split(values: np.ndarray, scheme: str, k: int) -> list[float]:
    """Return the inner limits that divide values into ``k`` classes, or into as many as they allow."""
    k = min(k, len(np.unique(values)))
    if k < 2:  # noqa: PLR2004  one class has no inner limit
        return []
    # mapclassify compiles code when imported (2 s), and maps with given breaks do without it.
    import mapclassify  # noqa: PLC0415  see above

    classifier = getattr(mapclassify, _CLASSIFIERS[scheme])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that ties make fewer classes is seen in the legend
        return [float(limit) for limit in classifier(values, k=k).bins[:-1]]


def _classed(
    known: pd.Series, inner: list[float], decimals: int, *, keep_all: bool
) -> tuple[tuple[float, ...], pd.Series]:
    """Return the limits with both ends, and the class of each value; empty end classes go unless all are kept."""
    if known.empty:
        return (), pd.Series(dtype=int)
    step = 10.0**-decimals
    low = float(np.floor(known.min() / step) * step)
    high = float(np.ceil(known.max() / step) * step)
    inner = [limit for limit in inner if keep_all or known.min() <= limit < known.max()]
    bounds = (min([low, *inner]), *inner, max([high, *inner]))
    return bounds, pd.Series(np.digitize(known, inner, right=True), index=known.index)


def _labels(bounds: tuple[float, ...], decimals: int, language: str, *, open_ends: bool) -> tuple[str, ...]:
    step = 10.0**-decimals
    labels = []
    for number, (low, high) in enumerate(pairwise(bounds)):
        first = low if number == 0 else low + step
        lower, upper = (format_number(limit, language, decimals=decimals) for limit in (first, high))
        labels.append(upper if lower == upper or first > high else f"{lower}–{upper}")
    if open_ends and len(labels) > 1:
        labels[0] = f"≤ {format_number(bounds[1], language, decimals=decimals)}"
        labels[-1] = f"> {format_number(bounds[-2], language, decimals=decimals)}"
    return tuple(labels)


def _colours(cmap: str, bounds: tuple[float, ...], midpoint: float | None) -> tuple[str, ...]:
    if cmap.removesuffix("_r") in _REFUSED:
        raise SpecError(
            Fault(
                what=f"the palette '{cmap}' cannot be read by colour-blind readers",
                expected="YlGnBu, cividis, PuOr or RdYlBu",
            )
        )
    if cmap not in mpl.colormaps:
        raise checks.unknown_name("palette", cmap, ["YlGnBu", "cividis", "PuOr", "PuOr_r", "RdYlBu", "RdYlBu_r"])
    palette = mpl.colormaps[cmap]
    count = len(bounds) - 1
    if count < 1:
        return ()
    if midpoint is None:
        places = np.linspace(_LIGHTEST, _DARKEST, count) if count > 1 else np.array([0.5])
    else:
        # Each side is graded by itself, so that the middle class is neutral however many lie on either side.
        middle = int(np.clip(np.searchsorted(bounds[1:-1], midpoint), 0, count - 1))
        below, above = middle, count - 1 - middle
        reach = max(below, above, 1)
        places = np.array([0.5 + _REACH * (number - middle) / reach for number in range(count)])
    return tuple(to_hex(palette(place)) for place in places)
