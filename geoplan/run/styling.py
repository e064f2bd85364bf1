"""What a map of a run shows: the values, and the style that every output draws them with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places.indicators import KNOWN
from geoplan.risk import scores_are_relative
from geoplan.show import Style, format_date, make_style
from geoplan.specs import IndexSpec, MapSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["class_labels", "outline_of", "style_of"]

_CITY = 100.0


@dataclass(frozen=True)
class _Shown:
    """Values of the areas, why those that are missing are, their unit, and the names of classes that they number."""

    figures: pd.Series
    status: pd.Series
    reason: pd.Series | None
    unit: str
    categories: Mapping[str, str] | None = None


def style_of(run: Run, name: str | None = None) -> tuple[pd.Series, Style]:
    """Return a map's values and style; the scenario's first map when no name is given.

    Raises
    ------
    SpecError
        When the map shows something that the run does not have, or measures by a 100 that no city scores.
    """
    spec, language = run.map_spec(name), run.spec.language
    with Faults.located_at(f"maps/{name or run.spec.output.maps[0]}.toml"):
        shown = _shown(run, spec)
        style = make_style(
            shown.figures,
            status=shown.status,
            reason=shown.reason,
            scheme=spec.scheme,
            k=spec.k,
            breaks=spec.breaks,
            categories=shown.categories,
            cmap=_palette(spec, run.spec.index, shown),
            midpoint=spec.midpoint,
            title=spec.title.to(language),
            unit=shown.unit,
            reference=run.reference_name(),
            period=run.spec.period,
            source=run.sources(),
            note=" ".join(note.to(language) for note in (spec.note, run.spec.note) if note),
            date=format_date(run.spec.date, language),
            language=language,
        )
    return shown.figures, style


def outline_of(run: Run) -> gpd.GeoDataFrame | None:
    """Return the level above the ranked one when the scenario has it: the layer named right after it."""
    levels = [str(run.catalogue.layer(name).spec.level) for name in run.spec.areas.layers]  # type: ignore[union-attr]  # areas layers all have a level
    place = levels.index(run.spec.areas.level) + 1
    return run.areas(levels[place]) if place < len(levels) else None


def _palette(spec: MapSpec, index: IndexSpec, shown: _Shown) -> str:
    """Return the palette, turned where class 1 is the highest: dark is high on every map."""
    if not shown.categories or index.classes is None or index.classes.first == "lowest":
        return spec.palette
    return spec.palette.removesuffix("_r") if spec.palette.endswith("_r") else f"{spec.palette}_r"


def _shown(run: Run, spec: MapSpec) -> _Shown:
    value, index, areas = spec.value, run.index(), run.areas().index
    ranking = index.ranking.reindex(areas)
    if value == "score" or value in index.domains:
        relative = scores_are_relative(run.spec.index)
        if spec.midpoint == _CITY and not relative:
            what = f"the map is centred on 100, and by the method '{run.spec.index.method}' no city scores 100"
            hint = 'maps = ["score"] under [output], or a map of your own'
            raise SpecError(Fault(what=what, key="midpoint", hint=hint))
        column = ranking["score"] if value == "score" else index.domains[value].reindex(areas)
        return _Shown(column, ranking["status"], None, "index" if relative else "points")
    if value in {"class", "status_class", "dynamics"} and value in ranking:
        if value == "dynamics":
            return _Shown(ranking[value], ranking["status"], None, "deviations")
        labels = class_labels(run.spec.index, run.spec.language, both=value == "class")
        numbers = pd.Series({text: float(place) for place, text in enumerate(labels, start=1)})
        codes = ranking["class"] if value == "class" else ranking["status_class"].astype("string").fillna("")
        return _Shown(codes.map(numbers).astype(float), ranking["status"], None, "", labels)
    return _indicator(run, value)


def class_labels(spec: IndexSpec, language: str, *, both: bool = True) -> dict[str, str]:
    """Return the classes of an index in order, class 1 first: what the ranked list says → its name.

    Examples
    --------
    >>> from geoplan.specs import index_preset
    >>> class_labels(index_preset("scb_area_types"), "en")["5"]
    '5 very good socio-economic conditions'
    """
    if spec.classes is None:
        return {}
    names = [str(number) for number in range(1, len(spec.classes.limits) + 2)]
    told = {
        name: spec.classes.labels[place].to(language) if spec.classes.labels else name
        for place, name in enumerate(names)
    }
    if spec.dynamics is None or not both:
        return told
    # One name for both: a class is called by its number and sign where it has no name of its own.
    return {
        f"{name}{sign}": f"{text} {sign}" if text != name else f"{name}{sign}"
        for name, text in told.items()
        for sign in spec.dynamics.signs
    }


def _indicator(run: Run, value: str) -> _Shown:
    table, index, areas, period = run.indicators(), run.index(), run.areas().index, run.spec.period
    if value not in table.definitions:
        columns = [name for name in ("class", "status_class", "dynamics") if name in index.ranking]
        known = ["score", *columns, *index.domains, *table.definitions]
        raise checks.unknown_name("figure of the run", value, known, key="value")
    wide = table.wide(period).get(value, pd.Series(dtype=float))
    status = table.wide(period, "status").get(value, pd.Series(dtype=object))
    reason = table.wide(period, "reason").get(value, pd.Series(dtype=object)).astype(object).reindex(areas)
    known_only = wide.where(status.isin(KNOWN)).reindex(areas)
    return _Shown(known_only, status.reindex(areas), reason.fillna(""), table.definitions[value].unit)
