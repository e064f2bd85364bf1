"""Two indices mixed: any of their conventions from the one and the rest from the other, so that a rank can be traced.

What only one of the two has is taken from it, whichever way is switched: the figures of an indicator or an area that
the other does not know, and the weight of a part that the other does not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geoplan.errors import Fault, InputError, SpecError
from geoplan.places import IndicatorTable
from geoplan.risk.certificate import Certificate
from geoplan.risk.index import rank_of
from geoplan.risk.inputs import Figures, check_areas, check_city, check_spec, directions_of, fill
from geoplan.risk.methods import How, between_domains, inside_domain, inside_part, relative_indicators
from geoplan.risk.pipeline import composite, fit
from geoplan.specs import CombineSpec, DomainSpec, IndexSpec, IndicatorSpec, PartSpec, RanksSpec, TreatmentSpec

__all__ = ["CAUSES", "Basis", "Pair", "mixed_spec", "pair_of"]

Array = NDArray[np.float64]

#: What may differ between two indices, and what it is in words.
CAUSES = {
    "figures": "the figures of the areas",
    "city": "the city's values: whose they are, and of which year",
    "exclusion": "which areas are ranked",
    "domains": "which indicators, in which domains",
    "weights": "the weights, or how they are made",
    "direction": "which way indicators count, and how they are turned",
    "treatment": "what is done to outliers",
    "missing": "what is done where figures are missing",
    "normalisation": "how figures and domains are put on one scale",
    "aggregation": "how they are put together",
    "ties": "ties, the definition of R and its constant",
}
_OUTLIERS = ("outliers", "skewness", "kurtosis", "most_areas")
_GAPS = ("impute", "groups")


@dataclass(frozen=True)
class Basis:
    """What a ranking stands on, as far as its ranks can be made again from it.

    Attributes
    ----------
    ranking
        Index ``area_id``: ``rank`` (Int64), ``score``, ``reason`` (why there is no rank; else empty).
    usable, bases, imputed
        Areas × indicators: the figures that could be used, their denominators, and what was filled in where there was
        none; NaN elsewhere.
    eligible
        One an area: False where it is too small to be ranked, whatever its figures.
    city
        One an indicator: the reference's value, NaN where it is not known.
    base_values
        The figures of the base year; None where there is none.
    definitions
        Indicator → its definition; kind, unit and direction count.
    """

    spec: IndexSpec
    certificate: Certificate
    ranking: pd.DataFrame
    usable: pd.DataFrame
    bases: pd.DataFrame
    imputed: pd.DataFrame
    eligible: pd.Series
    city: pd.Series
    base_values: pd.DataFrame | None
    definitions: Mapping[str, IndicatorSpec]


@dataclass(frozen=True)
class Pair:
    """Two bases side by side, with the same areas and indicators in the same order; see :func:`pair_of`."""

    areas: pd.Index
    sides: tuple[Basis, Basis]
    _known: dict[str, tuple[Array, Array]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def _same(self) -> dict[str, bool]:
        """Whether the two have the same data, by what they are of."""
        before, after = self.sides
        based = [side.base_values for side in self.sides]
        return {
            "figures": before.usable.equals(after.usable) and before.bases.equals(after.bases),
            "city": before.city.equals(after.city)
            and (based[0] is based[1] or (based[0] is not None and based[0].equals(based[1]))),
            "exclusion": before.eligible.equals(after.eligible),
            "imputed": before.imputed.equals(after.imputed),
        }

    def causes(self) -> list[str]:
        """Return what the two do not agree on, as far as it can matter to a rank."""
        whole = frozenset(CAUSES)
        return [
            name
            for name in CAUSES
            if self._key(frozenset()) != self._key(frozenset({name})) or self._key(whole) != self._key(whole - {name})
        ]

    def scores(self, switched: frozenset[str]) -> tuple[Array, Array]:
        """Return ranks and composites of all areas with these causes as they are after, the others as before.

        NaN where an area has none; everywhere where the conventions do not go together.
        """
        key = self._key(switched)
        if key not in self._known:
            try:
                self._known[key] = self._evaluated(switched)
            except InputError:
                nothing = np.full(len(self.areas), np.nan)
                self._known[key] = (nothing, nothing)
        return self._known[key]

    def _key(self, switched: frozenset[str]) -> str:
        """Say in a text all that the scores depend on."""
        try:
            spec = mixed_spec(self.sides, switched)
        except InputError as error:
            return f"{sorted(switched)}: {error}"
        measured = bool(relative_indicators(spec)) or any(side.base_values is not None for side in self.sides)
        chosen = {name: name in switched and not self._same[name] for name in ("figures", "city", "exclusion")}
        chosen["city"] &= measured
        by_rules = self._same["figures"] and not self._same["imputed"]
        filled = "missing" in switched and by_rules and spec.treatment.groups is not None
        return json.dumps([spec.model_dump(mode="json"), chosen, filled])

    def _evaluated(self, switched: frozenset[str]) -> tuple[Array, Array]:
        spec = mixed_spec(self.sides, switched)
        names = list(spec.indicators)
        figures, city, exclusion = (self.sides[name in switched] for name in ("figures", "city", "exclusion"))
        definitions = {name: figures.definitions[name] for name in names}
        _must_fit(spec, definitions, city)
        directions = directions_of(spec, definitions)
        by_name = dict(zip(names, directions, strict=True))
        check_city(pd.DataFrame({"value": city.city[names]}), by_name, relative_indicators(spec))
        values = figures.usable[names]
        if spec.treatment.impute != "none":
            values = values.fillna(self._imputed(spec, figures, self.sides["missing" in switched]))
        check_areas(values[exclusion.eligible], by_name)
        eligible = exclusion.eligible.to_numpy(dtype=bool)
        fitted = fit(
            values.to_numpy(),
            spec,
            directions=directions,
            city=city.city[names].to_numpy(dtype=float),
            eligible=eligible,
            base_values=None if city.base_values is None else city.base_values[names].to_numpy(),
        )
        made = composite(fitted, values.to_numpy())
        ranked = eligible & ~np.isnan(made.domains).any(axis=1)
        scores = np.where(ranked, made.scores, np.nan)
        return rank_of(pd.Series(scores)).to_numpy(dtype=float, na_value=np.nan), scores

    def _imputed(self, spec: IndexSpec, figures: Basis, rules: Basis) -> pd.DataFrame:
        """Return what a rule fills into figures, which may be those of the other side."""
        if spec.treatment.groups is None:
            shown = figures.usable[list(spec.indicators)]
            unused = pd.DataFrame(index=shown.index)
            return fill(Figures(shown, figures.bases[list(shown)], unused, None, {}), spec, None)[0]
        if figures is not rules and not self._same["figures"]:
            before, after = (side.spec.treatment for side in self.sides)
            if (before.impute, before.groups) != (after.impute, after.groups):
                raise SpecError(Fault(what="which area lies in which group is not known"))
            return figures.imputed[list(spec.indicators)]
        return rules.imputed[list(spec.indicators)]


def pair_of(before: Basis, after: Basis) -> Pair:
    """Lay two bases side by side."""
    return Pair(before.ranking.index.union(after.ranking.index), (_aligned(before, after), _aligned(after, before)))


def _aligned(own: Basis, other: Basis) -> Basis:
    """Give a basis the areas and indicators of both."""
    areas = own.ranking.index.union(other.ranking.index)
    names = pd.Index(sorted({*own.spec.indicators, *other.spec.indicators}))
    named = names.isin(own.usable.columns)
    here = areas.isin(own.ranking.index)[:, None] & named[None, :]

    def both(mine: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
        return mine.reindex(index=areas, columns=names).where(here, others.reindex(index=areas, columns=names))

    based = own.base_values
    if based is not None:
        based = both(based, other.usable if other.base_values is None else other.base_values)
    return replace(
        own,
        ranking=own.ranking.reindex(areas),
        usable=both(own.usable, other.usable),
        bases=both(own.bases, other.bases),
        imputed=both(own.imputed, other.imputed),
        eligible=own.eligible.reindex(areas, fill_value=False),
        city=own.city.reindex(names).where(named, other.city.reindex(names)),
        base_values=based,
        definitions={**other.definitions, **own.definitions},
    )


def _must_fit(spec: IndexSpec, definitions: Mapping[str, IndicatorSpec], city: Basis) -> None:
    """Refuse conventions that do not go together."""
    rows = pd.DataFrame({"indicator": list(definitions)}).assign(period="")
    check_spec(IndicatorTable(rows, definitions), spec, "", counted=False)
    measured = definitions if city.base_values is not None else relative_indicators(spec)
    units = [name for name in sorted(measured) if definitions[name].unit != city.definitions[name].unit]
    if units:
        raise SpecError(Fault(what=f"'{units[0]}' of the areas and of the city stand in different units"))


# ---------------------------------------------------------------- conventions


def mixed_spec(sides: tuple[Basis, Basis], switched: frozenset[str]) -> IndexSpec:
    """Return the conventions of the first side, but for those switched; nothing is left to a method's defaults.

    Raises
    ------
    SpecError
        When the steps do not fit together.
    """
    taken = {name: sides[name in switched].spec for name in CAUSES}
    domains = [_domain(domain, taken) for domain in taken["domains"].domains]
    weights = _weights(*({item.id: item.weight for item in taken[name].domains} for name in ("domains", "weights")))
    names = [name for domain in domains for name in domain.indicators]
    treatment = {name: getattr(taken["treatment"].treatment, name) for name in _OUTLIERS}
    treatment |= {name: getattr(taken["missing"].treatment, name) for name in _GAPS}
    made = IndexSpec(
        method=taken["normalisation"].method,
        domains=tuple(domain.model_copy(update={"weight": weights[domain.id]}) for domain in domains),
        between=_combine({name: between_domains(spec) for name, spec in taken.items()}),
        treatment=TreatmentSpec(**treatment) if treatment["outliers"] != "none" else _gaps(treatment),
        directions=_directions(sides["direction" in switched], names),
        favourable=taken["direction"].favourable,
        minimum_available=taken["missing"].minimum_available,
        presentation="score",
    )
    normalised = {how.normalisation for how in _hows(made)}
    targets: dict[str, float] = {}
    if "distance_to_target" in normalised:
        first, second = sides["normalisation" not in switched].spec.targets, taken["normalisation"].targets
        targets = {name: value for name, value in {**first, **second}.items() if name in names}
    ranks = _ranks(sides, after="ties" in switched) if "rank_exponential" in normalised else RanksSpec()
    return made.model_copy(update={"targets": targets, "ranks": ranks})


def _gaps(treatment: Mapping[str, object]) -> TreatmentSpec:
    """Return the treatment of gaps alone: limits that nothing is measured by are no difference."""
    return TreatmentSpec(**{name: treatment[name] for name in _GAPS})  # type: ignore[arg-type]  # values of the model's own


def _directions(side: Basis, names: list[str]) -> dict[str, Any]:
    return {name: side.spec.directions.get(name, side.definitions[name].direction) for name in names}


def _ranks(sides: tuple[Basis, Basis], *, after: bool) -> RanksSpec:
    """Return the conventions of ranks; those of the only side that has any belong to the normalisation."""
    used = [any(how.normalisation == "rank_exponential" for how in _hows(side.spec)) for side in sides]
    return sides[after if all(used) else used[1]].spec.ranks


def _hows(spec: IndexSpec) -> Iterator[How]:
    yield between_domains(spec)
    for domain in spec.domains:
        if domain.parts:
            yield inside_domain(spec, domain)
        for part in domain.parts or (domain,):
            yield inside_part(spec, part.combine)


def _combine(hows: Mapping[str, How]) -> CombineSpec:
    """Put one step together of what each cause's side does."""
    scale = hows["normalisation"]
    how = replace(
        scale,
        weighting=hows["weights"].weighting,
        aggregation=hows["aggregation"].aggregation,
        missing=hows["missing"].missing,
        scale=scale.scale if scale.normalisation == "min_max" else How.scale,
        deviation=scale.deviation if scale.normalisation == "z_score" else How.deviation,
    )
    return CombineSpec(**vars(how))


def _domain(domain: DomainSpec, taken: Mapping[str, IndexSpec]) -> DomainSpec:
    """Give a domain's steps, and those of its parts, to the sides they are taken from."""
    same = {name: _same_domain(spec, domain) for name, spec in taken.items()}
    if not domain.parts:
        hows = {name: inside_part(spec, same[name].combine) for name, spec in taken.items()}
        weights = _weights(domain.indicators, same["weights"].indicators)
        return DomainSpec(id=domain.id, label=domain.label, indicators=weights, combine=_combine(hows))
    parts = []
    for part in domain.parts:
        alike = {name: next((p for p in own.parts if p.id == part.id), None) for name, own in same.items()}
        hows = {name: inside_part(spec, p.combine if (p := alike[name]) else None) for name, spec in taken.items()}
        theirs = alike["weights"]
        weights = _weights(part.indicators, theirs.indicators if theirs else {})
        parts.append(PartSpec(id=part.id, label=part.label, indicators=weights, combine=_combine(hows)))
    hows = {name: inside_domain(spec, same[name]) for name, spec in taken.items()}
    shares = _weights(*({part.id: part.weight for part in own.parts} for own in (domain, same["weights"])))
    weighed = tuple(part.model_copy(update={"weight": shares[part.id]}) for part in parts)
    return DomainSpec.model_validate(
        {"id": domain.id, "label": domain.label, "parts": weighed, "combine": _combine(hows)}
    )


def _same_domain(spec: IndexSpec, domain: DomainSpec) -> DomainSpec:
    """Return a specification's own domain of the same id and build, or the domain without ways of its own."""
    found = next((item for item in spec.domains if item.id == domain.id), None)
    if found is not None and bool(found.parts) == bool(domain.parts):
        return found
    return domain.model_copy(update={"combine": None})


def _weights(own: Mapping[str, float], others: Mapping[str, float]) -> dict[str, float]:
    """Weigh parts as the others do; where not all are known there, the known ones keep their weight together.

    Examples
    --------
    >>> _weights({"a": 1.0, "b": 1.0, "c": 2.0}, {"a": 30.0, "b": 10.0})
    {'a': 1.5, 'b': 0.5, 'c': 2.0}
    """
    if set(own) == set(others):
        return {name: others[name] for name in own}
    common = [name for name in own if name in others]
    if not common:
        return dict(own)
    scale = sum(own[name] for name in common) / sum(others[name] for name in common)
    return {name: scale * others[name] if name in others else weight for name, weight in own.items()}
