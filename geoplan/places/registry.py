"""The indicator registry: definition sheets, what a city defines otherwise, domains from phase to phase, goals.

A registry defines indicators once. A layer, or a city's own registry, stands on it and records where it departs.
Domains change from one phase of a programme to the next; :func:`map_domains` tells what that does to each
indicator's weight, because a merged domain easily counts double or half.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geoplan import checks
from geoplan.errors import Fault, SpecError
from geoplan.specs import FILE_COLUMNS, DomainPhase, Goal, IndicatorSpec, RegistryLayer, Text

__all__ = [
    "SUBSTANTIVE",
    "DomainMap",
    "differences",
    "effective_weights",
    "goals_of",
    "indicators_of",
    "map_domains",
    "registry_notes",
    "sheets",
    "unexplained",
]

#: Fields that make another figure of an indicator; a local change of one asks for a reason.
SUBSTANTIVE = ("kind", "unit", "direction", "base", "ages", "mean_years", "breaks")
_FIELDS = tuple(name for name in IndicatorSpec.model_fields if name not in {"id", "difference", *FILE_COLUMNS})
_EVEN = 1e-9  # shares that differ by less are the same


# ---------------------------------------------------------------- definition sheets


def sheets(definitions: Iterable[IndicatorSpec] | Mapping[str, IndicatorSpec], language: str = "en") -> pd.DataFrame:
    """Return definition sheets as a table: one row an indicator, one column a field.

    Parameters
    ----------
    definitions
        Definitions, such as ``registry.indicators`` or ``table.definitions``.
    language
        ``sv``, ``da`` or ``en``, for labels, bases, differences and notes; a text that is not in it is given in the
        nearest there is.

    Returns
    -------
    pandas.DataFrame
        Index ``indicator`` (the id). Columns of text, empty where a definition says nothing: ``label, domain, kind,
        unit, direction, base, ages`` ("20–64"), ``source, vintage, breaks`` ("2010, 2019"), ``quality, distance,
        minimum_base`` (persons, households …), ``subject, plausible`` ("0–100", in ``unit``), ``mean_years`` (years),
        ``difference, note``.

    Examples
    --------
    >>> work = IndicatorSpec(id="work", label={"sv": "Arbete", "en": "Work"}, kind="share", unit="pct",
    ...                      direction="higher_is_better", ages=[20, 64])
    >>> sheets([work], "sv").loc["work", ["label", "ages", "source"]].tolist()
    ['Arbete', '20–64', '']
    """
    items = _items(definitions)
    columns = [name for name in _FIELDS if name != "note"] + ["difference", "note"]
    rows = [[_told(name, getattr(item, name), language) for name in columns] for item in items]
    return pd.DataFrame(rows, columns=columns, index=pd.Index([item.id for item in items], name="indicator"))


def differences(
    local: Iterable[IndicatorSpec] | Mapping[str, IndicatorSpec],
    core: Iterable[IndicatorSpec] | Mapping[str, IndicatorSpec],
    language: str = "en",
) -> pd.DataFrame:
    """Return where definitions depart from those of the registry they stand on.

    Parameters
    ----------
    local
        Definitions of a layer or of a city's registry.
    core
        Definitions of the registry. What only it defines is left out: nobody has to use every indicator.
    language
        ``sv``, ``da`` or ``en``; a text that differs only in another language is given in that one, with its name.

    Returns
    -------
    pandas.DataFrame
        One row a field that differs, in the order of ``local``. ``indicator`` (id), ``field``, ``core`` and ``local``
        (text; empty where nothing is said), ``change``: ``changed`` where both say something, ``filled`` where the
        registry leaves the field open, ``local`` for an indicator that the registry does not have (one row, without
        a field); ``reason``: the definition's `difference`. Columns of a file are no part of a definition.

    Examples
    --------
    >>> core = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better",
    ...                      ages=[20, 64])
    >>> local = core.model_copy(update={"ages": (16, 64), "quality": "A"})
    >>> differences([local], [core])[["field", "core", "local", "change"]].values.tolist()
    [['ages', '20–64', '16–64', 'changed'], ['quality', '', 'A', 'filled']]
    """
    known = {item.id: item for item in _items(core)}
    rows: list[tuple[str, ...]] = []
    for item in _items(local):
        reason = item.difference.to(language) if item.difference else ""
        if item.id not in known:
            rows.append((item.id, "", "", "", "local", reason))
            continue
        for name in _FIELDS:
            there, here = getattr(known[item.id], name), getattr(item, name)
            if there != here:
                change = "filled" if there is None else "changed"
                rows.append((item.id, name, *_both(name, there, here, language), change, reason))
    return pd.DataFrame(rows, columns=["indicator", "field", "core", "local", "change", "reason"])


def unexplained(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of :func:`differences` that make another figure of an indicator and give no reason.

    Examples
    --------
    >>> core = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better",
    ...                      ages=[20, 64])
    >>> local = core.model_copy(update={"ages": (16, 64), "quality": "A"})
    >>> unexplained(differences([local], [core]))["field"].tolist()
    ['ages']
    """
    return found[(found["change"] == "changed") & found["field"].isin(SUBSTANTIVE) & (found["reason"] == "")]


def _items(definitions: Iterable[IndicatorSpec] | Mapping[str, IndicatorSpec]) -> list[IndicatorSpec]:
    return list(definitions.values() if isinstance(definitions, Mapping) else definitions)


def _told(name: str, value: Any, language: str) -> str:
    """Say a field's value as a reader writes it."""
    if value is None:
        return ""
    if isinstance(value, Text):
        return value.to(language)
    if isinstance(value, tuple):
        return (", " if name == "breaks" else "–").join(f"{part:.10g}" for part in dict.fromkeys(value))
    return str(value)


def _both(name: str, there: Any, here: Any, language: str) -> tuple[str, str]:
    """Say two values that differ so that the difference shows, whatever language it is in."""
    told = (_told(name, there, language), _told(name, here, language))
    if told[0] == told[1] and isinstance(there, Text) and isinstance(here, Text):
        other = next(key for key in Text.model_fields if getattr(there, key) != getattr(here, key))
        return f"{other}: {getattr(there, other) or ''}", f"{other}: {getattr(here, other) or ''}"
    return told


# ---------------------------------------------------------------- domains from phase to phase


@dataclass(frozen=True)
class DomainMap:
    """What becomes of domains and weights from one phase of a programme to another.

    Attributes
    ----------
    weights
        Index ``indicator``; columns ``from_domains, to_domains`` (ids, parted by commas), ``before, after`` (share of
        the whole index, 0-1; 0 where the phase does not have it; each adds up to 1), ``ratio`` (after / before).
    domains
        One row for domains that the crosswalk ties together: ``from_domains, to_domains`` (tuples of ids), ``before,
        after`` (share of the whole index, 0-1), ``factor``: how many times the weights of before, carried along,
        would count what the later phase gives, against the domains that were only carried over.
    notes
        What a careful reader should know, as sentences.
    """

    weights: pd.DataFrame
    domains: pd.DataFrame
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the notes as a list."""
        return list(self.notes)


def effective_weights(phase: DomainPhase) -> pd.DataFrame:
    """Return what each indicator weighs in the whole index of a phase.

    An indicator weighs its domain's share of the domains' weights times its own share of the weights in the domain; one
    that stands in two domains has a row for each.

    Returns
    -------
    pandas.DataFrame
        Columns ``indicator, domain, weight`` (share of the index, 0-1); the weights add up to 1.

    Examples
    --------
    >>> domains = [{"id": "work", "label": "Work", "indicators": ["a", "b"]},
    ...            {"id": "home", "label": "Home", "weight": 3, "indicators": ["c"]}]
    >>> effective_weights(DomainPhase(version="1", domains=domains))["weight"].tolist()
    [0.125, 0.125, 0.75]
    """
    whole = sum(domain.weight for domain in phase.domains)
    rows = [
        (name, domain.id, domain.weight / whole * own / sum(domain.indicators.values()))
        for domain in phase.domains
        for name, own in domain.indicators.items()
    ]
    return pd.DataFrame(rows, columns=["indicator", "domain", "weight"])


def map_domains(registry: RegistryLayer, from_version: str, to_version: str) -> DomainMap:
    """Follow domains and the weights of their indicators from one phase to another.

    Two domains of weight 1 that are merged leave two bad choices: with their weights added the new domain counts double
    against the others, with the weight of one it counts half of what the two did. A domain that is split counts double
    when both parts are given its weight. The sentences tell which of it happens.

    Parameters
    ----------
    registry
        A registry with phases and a crosswalk.
    from_version, to_version
        Two of its phases, by their ``version``, which the crosswalk ties directly.

    Returns
    -------
    DomainMap

    Raises
    ------
    SpecError
        When there is no such phase, no crosswalk between the two, or one that names a domain they do not have.

    Examples
    --------
    >>> def phase(version, **domains):
    ...     named = [{"id": name, "label": name, "indicators": used} for name, used in domains.items()]
    ...     return DomainPhase(version=version, domains=named)
    >>> def row(before, after):
    ...     return {"from_version": "1", "from_domain": before, "to_version": "2", "to_domain": after}
    >>> registry = RegistryLayer(kind="registry", title="R", source="s", licence="MIT", vintage="2012",
    ...     phases=[phase("1", work=["a"], theft=["b"], fear=["c"]), phase("2", work=["a"], safety=["b", "c"])],
    ...     crosswalk=[row("work", "work"), row("theft", "safety"), row("fear", "safety")])
    >>> map_domains(registry, "1", "2").weights[["before", "after"]].round(3).values.tolist()
    [[0.333, 0.5], [0.333, 0.25], [0.333, 0.25]]
    """
    phases = {phase.version: phase for phase in registry.phases}
    for version in (from_version, to_version):
        if version not in phases:
            raise checks.unknown_name("phase of the registry", version, phases)
    ties = [
        (row.from_domain, row.to_domain)
        for row in registry.crosswalk
        if (row.from_version, row.to_version) == (from_version, to_version)
    ]
    if not ties:
        what = f"no crosswalk leads from '{from_version}' to '{to_version}'"
        raise SpecError(Fault(what=what, key="crosswalk", expected="a [[crosswalk]] row for each domain"))
    before, after = (effective_weights(phases[version]) for version in (from_version, to_version))
    for side, (version, frame) in enumerate(((from_version, before), (to_version, after))):
        for name in (pair[side] for pair in ties):
            if name not in set(frame["domain"]):
                raise checks.unknown_name(f"domain of the phase '{version}'", name, frame["domain"], key="crosswalk")
    domains = _tied(ties, before, after)
    weights = _by_indicator(before, after)
    versions = (from_version, to_version)
    notes = [
        *_domain_notes(versions, domains, before, weights),
        *_loose_notes(versions, ties, before, after),
        *_indicator_notes(versions, weights, before, after),
    ]
    return DomainMap(weights=weights, domains=domains, notes=tuple(notes))


def _tied(ties: list[tuple[str, str]], before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Group the domains that rows of the crosswalk tie together, and compare their shares of the index."""
    old, new = (
        list(dict.fromkeys(("before", pair[0]) for pair in ties)),
        list(dict.fromkeys(("after", pair[1]) for pair in ties)),
    )
    place = {end: number for number, end in enumerate([*old, *new])}
    rows, columns = [place["before", pair[0]] for pair in ties], [place["after", pair[1]] for pair in ties]
    links = coo_array((np.ones(len(ties)), (rows, columns)), shape=(len(place), len(place)))
    _, group = connected_components(links, directed=False)
    weights = {
        (side, name): weight
        for side, frame in (("before", before), ("after", after))
        for name, weight in frame.groupby("domain")["weight"].sum().items()
    }
    ends = pd.DataFrame(list(place), columns=["side", "domain"]).assign(
        group=group, weight=[weights[end] for end in place]
    )
    sides = {side: part.groupby("group", sort=False) for side, part in ends.groupby("side")}
    table = pd.DataFrame(
        {
            "from_domains": sides["before"]["domain"].agg(tuple),
            "to_domains": sides["after"]["domain"].agg(tuple),
            "before": sides["before"]["weight"].sum(),
            "after": sides["after"]["weight"].sum(),
        }
    ).reset_index(drop=True)
    shrunk = table["before"] / table["after"]
    alone = (table["from_domains"].map(len) == 1) & (table["to_domains"].map(len) == 1)
    return table.assign(factor=shrunk / (shrunk[alone].median() if alone.any() else 1.0))


def _by_indicator(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Put the weights of two phases side by side; an indicator of several domains has their sum."""
    ends = {}
    for side, name, frame in (("from", "before", before), ("to", "after", after)):
        grouped = frame.groupby("indicator", sort=False)
        ends[f"{side}_domains"], ends[name] = grouped["domain"].agg(", ".join), grouped["weight"].sum()
    order = dict.fromkeys([*before["indicator"], *after["indicator"]])
    table = pd.DataFrame(ends).reindex(list(order)).rename_axis("indicator")
    table = table.fillna({"from_domains": "", "to_domains": "", "before": 0.0, "after": 0.0})
    ratio = (table["after"] / table["before"]).where(table["before"] > 0)
    return table.assign(ratio=ratio)[["from_domains", "to_domains", "before", "after", "ratio"]]


def _domain_notes(
    versions: tuple[str, str], table: pd.DataFrame, before: pd.DataFrame, weights: pd.DataFrame
) -> Iterator[str]:
    """Tell of merged and split domains whose weight the change multiplies."""
    others = "against the domains that were only carried over"
    for old, new, share, now, factor in table.itertuples(index=False):
        if len(old) == len(new) == 1 or abs(factor - 1) < _EVEN:
            continue
        earlier, later = f"{_and(old)} ({versions[0]})", f"{_and(new)} ({versions[1]})"
        inside = weights.loc[before["indicator"][before["domain"].isin(old)].unique(), "ratio"]
        ratios = " to ".join(dict.fromkeys(f"{ratio:.2f}" for ratio in (inside.min(), inside.max())))
        figures = f"{share:.1%} of the index before, {now:.1%} now; an indicator {ratios} times what it was"
        if len(new) == 1:
            yield (
                f"{later} merges {earlier}: {others} it would count {_times(factor)} with their weights added, and "
                f"counts {_times(1 / factor)} with the weight it has ({figures})"
            )
        else:
            became = "is split into" if len(old) == 1 else "became"
            yield f"{earlier} {became} {later}: together they count {_times(1 / factor)} {others} ({figures})"


def _loose_notes(
    versions: tuple[str, str], ties: list[tuple[str, str]], before: pd.DataFrame, after: pd.DataFrame
) -> Iterator[str]:
    """Tell of domains that the crosswalk says nothing about."""
    way = f"the crosswalk from {versions[0]} to {versions[1]}"
    left = [name for name in dict.fromkeys(before["domain"]) if name not in {pair[0] for pair in ties}]
    new = [name for name in dict.fromkeys(after["domain"]) if name not in {pair[1] for pair in ties}]
    if left:
        yield f"{way} does not say what became of {_and(left)}"
    if new:
        yield f"{way} does not say where {_and(new)} came from"


def _indicator_notes(
    versions: tuple[str, str], weights: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame
) -> Iterator[str]:
    """Tell of indicators that count in two domains, are given up, or are new."""
    for version, frame, column in zip(versions, (before, after), ("before", "after"), strict=True):
        twice = frame[frame["indicator"].duplicated(keep=False)]
        for name, rows in twice.groupby("indicator", sort=False):
            share = f"{weights.loc[name, column]:.1%} of the index in all"
            yield f"'{name}' stands in {_and(rows['domain'])} ({version}) and counts in each of them, {share}"
    for column, version in (("after", versions[1]), ("before", versions[0])):
        names = list(weights.index[weights[column] == 0])
        if names:
            yield f"{_and(names)} {'has' if len(names) == 1 else 'have'} no place in {version}"


def _and(names: Iterable[str]) -> str:
    """Quote names as a sentence lists them: ``'a', 'b' and 'c'``."""
    quoted = [f"'{name}'" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _times(factor: float) -> str:
    """Say a factor in words where there is one."""
    words = {2.0: "double", 3.0: "threefold", 0.5: "half"}
    return words.get(round(factor, 6)) or f"{factor:.2f} times as much"


# ---------------------------------------------------------------- goals


def goals_of(registry: RegistryLayer, indicator: str) -> tuple[Goal, ...]:
    """Return the goals that an indicator speaks of.

    Raises
    ------
    SpecError
        When the registry has no such indicator.

    Examples
    --------
    >>> work = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better")
    >>> registry = RegistryLayer(kind="registry", title="R", source="s", licence="MIT", vintage="2012",
    ...     indicators=[work], goals=[Goal(id="jobs", label="More people in work", indicators=["work"])])
    >>> [goal.label.to("en") for goal in goals_of(registry, "work")]
    ['More people in work']
    """
    known = [item.id for item in registry.indicators]
    if indicator not in known:
        raise checks.unknown_name("indicator of the registry", indicator, known)
    return tuple(goal for goal in registry.goals if indicator in goal.indicators)


def indicators_of(registry: RegistryLayer, goal: str) -> tuple[IndicatorSpec, ...]:
    """Return the indicators that speak of a goal, in the goal's order.

    Raises
    ------
    SpecError
        When the registry has no such goal.

    Examples
    --------
    >>> work = IndicatorSpec(id="work", label="In work", kind="share", unit="pct", direction="higher_is_better")
    >>> registry = RegistryLayer(kind="registry", title="R", source="s", licence="MIT", vintage="2012",
    ...     indicators=[work], goals=[Goal(id="jobs", label="More people in work", indicators=["work"])])
    >>> [item.id for item in indicators_of(registry, "jobs")]
    ['work']
    """
    goals = {item.id: item for item in registry.goals}
    if goal not in goals:
        raise checks.unknown_name("goal of the registry", goal, goals)
    defined = {item.id: item for item in registry.indicators}
    return tuple(defined[name] for name in goals[goal].indicators)


def registry_notes(registry: RegistryLayer) -> list[str]:
    """Return what a careful reader of a registry should know, as sentences.

    Merged, split and forgotten domains, phases that no crosswalk ties, indicators without a goal (where the registry
    has goals at all), goals without an indicator.

    Examples
    --------
    >>> registry = RegistryLayer(kind="registry", title="R", source="s", licence="MIT", vintage="2012",
    ...     goals=[Goal(id="jobs", label="More people in work")])
    >>> registry_notes(registry)
    ["no indicator speaks of the goal 'jobs'"]
    """
    pairs = dict.fromkeys((row.from_version, row.to_version) for row in registry.crosswalk)
    said = [line for pair in pairs for line in map_domains(registry, *pair).notes]
    for earlier, later in pairwise(phase.version for phase in registry.phases):
        if (earlier, later) not in pairs:
            said.append(f"no crosswalk tells what became of the domains of '{earlier}' in '{later}'")
    used = {name for goal in registry.goals for name in goal.indicators}
    bare = [item.id for item in registry.indicators if item.id not in used]
    if registry.goals and bare:
        said.append(f"{len(bare)} of {len(registry.indicators)} indicators speak of no goal: {checks.listed(bare)}")
    said += [f"no indicator speaks of the goal '{goal.id}'" for goal in registry.goals if not goal.indicators]
    return said
