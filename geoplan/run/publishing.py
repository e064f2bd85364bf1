"""What a run may show to the public: disclosure control on every level of the scenario, tried by an attack."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import DisclosureError, Fault, SpecError, listed
from geoplan.places import IndicatorTable, Protection, pairs_at, protect
from geoplan.places.indicators import MISSING
from geoplan.risk import IndexResult
from geoplan.risk.inputs import earlier_period
from geoplan.specs import CITY, ScenarioSpec, index_preset

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = [
    "as_called",
    "as_public",
    "levels_of",
    "must_be_public",
    "periods_of",
    "protect_run",
    "rules_must_be_public",
    "run_must_be_public",
    "unnamed_levels",
    "without_names",
    "without_parts",
]

_KEYS = ["area_id", "indicator", "period"]
_WHOLE = 1 - 1e-9
_CITY = "the whole"


def protect_run(run: Run, table: IndicatorTable, *, on_step: Callable[[str], None] | None = None) -> Protection:
    """Decide what of a run's figures may be shown, on all levels of its scenario.

    Raises
    ------
    InputError
        When the scenario has no rules, or names a level that it does not have.
    """
    spec = run.spec
    if spec.disclosure is None:
        raise SpecError(
            Fault(
                what='the profile is "public", and the scenario does not say what may be shown',
                file=run.shown,
                key="disclosure",
                expected="a table [disclosure] with minimum_cell, minimum_base, rounding …",
                hint="an empty [disclosure] takes the usual rules: counts of 1-4 are hidden",
            )
        )
    return protect(
        table,
        spec.disclosure,
        levels=levels_of(run, table),
        seed=spec.seed,
        minimum_coverage=spec.indicators.minimum_coverage,
        periods=[period for period in periods_of(run) if period in table.periods()],
        on_step=on_step,
    )


def periods_of(run: Run) -> list[str]:
    """Return the scenario's period, and those whose figures its index and its rules need beside its own."""
    spec, index = run.spec, run.spec.index
    needed = [spec.period]
    if index.base is not None:
        needed.append(index.base)
    if index.dynamics is not None:
        needed.append(earlier_period(spec.period, index.dynamics))
    if spec.targeting is not None and spec.period.isdecimal():
        rules = [run.catalogue.rule(name) for name in (spec.targeting.rule, *spec.targeting.compare)]
        longest = max(item.mean_years for rule in rules for item in rule.criteria)
        needed += [str(int(spec.period) - back) for back in range(1, longest)]
    return list(dict.fromkeys(needed))


def levels_of(run: Run, table: IndicatorTable) -> dict[str, pd.DataFrame]:
    """Return which areas of each level the smallest areas of a table lie in: pairs ``child_id, parent_id``.

    Raises
    ------
    SpecError
        When the rules name a level that the scenario does not have.
    """
    spec, ranked = run.spec, run.spec.areas.level
    own = table.finest[["area_id", "parent"]].drop_duplicates().set_axis(["child_id", "parent_id"], axis=1)
    wanted = list(spec.disclosure.levels) if spec.disclosure and spec.disclosure.levels else run.levels()
    unknown = [name for name in wanted if name not in run.levels()]
    if unknown:
        what = f"no level of the scenario is called '{unknown[0]}'"
        expected = f"some of {', '.join(run.levels())}"
        raise SpecError(Fault(what=what, file=run.shown, key="disclosure.levels", expected=expected))
    found = {}
    for level in dict.fromkeys([*wanted, ranked]):
        if level == ranked:
            found[level] = own.reset_index(drop=True)
            continue
        pairs = pairs_at(run.merging, own["child_id"].unique(), run.areas(level).index)
        above = pairs_at(run.merging, own["parent_id"].unique(), run.areas(level).index)
        above = above.rename(columns={"child_id": "between"})
        higher = own.merge(above, left_on="parent_id", right_on="between", suffixes=("_own", ""))
        pairs = pd.concat([pairs, higher[["child_id", "parent_id", "share"]]])
        pairs = pairs[pairs["share"] >= _WHOLE][["child_id", "parent_id"]].drop_duplicates(ignore_index=True)
        if len(pairs):
            found[level] = pairs
    members = own[own["parent_id"].isin(run.reference_members())]
    return found | {_CITY: members.assign(parent_id=_CITY).drop_duplicates(ignore_index=True)}


def unnamed_levels(run: Run, levels: list[str]) -> set[str]:
    """Return the levels whose areas the public knows by their codes only: those below the first that is named.

    Raises
    ------
    SpecError
        When the scenario has no such level.
    """
    first = run.spec.targeting.named_from if run.spec.targeting else None
    if first is None or run.spec.profile == "internal":
        return set()
    if first not in levels:
        raise checks.unknown_name("level of the scenario", first, levels, key="targeting.named_from").located(
            file=run.shown
        )
    return set(levels[: levels.index(first)])


def as_public(table: IndicatorTable, protection: Protection, *, level: str, periods: list[str]) -> IndicatorTable:
    """Return the figures of a level with those emptied that must not be shown; the city still counts all of them.

    Only the periods that the run needs are kept: the others have not been protected. ``parts`` holds the true figures
    of the smallest areas: they go into the sums of the whole, and no further.
    """
    rows = table.data[table.data["period"].isin(periods)].reset_index(drop=True)
    safe = protection.tables[level].data.set_index(_KEYS)
    safe = safe.reindex(pd.MultiIndex.from_frame(rows[_KEYS]))
    for name in ("numerator", "denominator", "value", "minimum", "maximum", "spread"):
        if name in rows and name in safe:
            rows[name] = safe[name].to_numpy()
    hidden = (safe["status"] == "suppressed").to_numpy() & ~rows["status"].isin(MISSING).to_numpy()
    rows["status"] = np.where(hidden, "suppressed", rows["status"])
    parts = table.finest[table.finest["period"].isin(periods)].reset_index(drop=True)
    return IndicatorTable(rows, table.definitions, parts, profile="public")


def without_parts(table: IndicatorTable, *, merged: bool) -> IndicatorTable:
    """Return what may leave the run: the figures of the ranked areas, and of smaller ones only that they exist."""
    if not merged:
        return replace(table, parts=None)
    kept = table.finest.assign(numerator=np.nan, denominator=np.nan, value=np.nan, status="suppressed")
    told = [name for name in ("minimum", "maximum", "spread") if name in kept]
    return replace(table, parts=kept.drop(columns=told))


def without_names(text: str, codes: Mapping[str, str], *, keep: AbstractSet[str] = frozenset()) -> str:
    """Put codes in the place of names, where they stand as words of their own.

    Examples
    --------
    >>> without_names("Norr, Norra and Norrland", {"Norr": "01", "Norra": "02"})
    '01, 02 and Norrland'
    """
    names = sorted((name for name in codes if name and name not in keep), key=len, reverse=True)
    if not names:
        return text
    found = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(name) for name in names)})(?!\w)")
    return found.sub(lambda match: codes[match[0]], text)


def as_called(run: Run, text: str) -> str:
    """Return a text in which areas that the public knows by their codes only are called so."""
    shown = [level for level in run.levels() if level not in run.unnamed]
    return without_names(
        text,
        {name: code for level in run.unnamed for code, name in run.names_read(level).items()},
        keep={name for level in shown for name in run.names_read(level).values()},
    )


def must_be_public(spec: ScenarioSpec, table: IndicatorTable, index: IndexResult, protection: Protection) -> None:
    """Refuse to show a run to the public whose figures have not passed, or could be worked out.

    Raises
    ------
    DisclosureError
        When the table has not been through disclosure control, the attack recovered a figure, or a score stands on a
        hidden one.
    """
    if table.profile != "public":
        raise DisclosureError(
            "the figures have not been through disclosure control, and the profile is public. Nothing was written"
        )
    protection.attack.raise_any()
    cells = protection.cells
    whole = cells[(cells["level"] == _CITY) & (cells["why"] != "rounded")]
    gone = sorted(set(whole["indicator"]) & set(index.relative.columns))
    if gone:
        raise DisclosureError(
            f"the value of the whole for {listed(gone)} is hidden, and every score is relative to it. Nothing was "
            "written. Hint: leave the indicator out of the index"
        )
    hidden = table.wide(spec.period, "value").isna().reindex(index=index.relative.index, columns=index.relative.columns)
    used = index.weights.notna() & (index.weights != 0) & hidden.fillna(value=True)
    filled = used & index.imputed.reindex(index=used.index, columns=used.columns).notna()
    if filled.any(axis=None):
        area, name = next((a, n) for a in used.index for n in used.columns if filled.loc[a, n])
        raise DisclosureError(
            f"a figure was filled in for '{name}' of area '{area}' where one is hidden, and it would stand in its "
            'place. Nothing was written. Hint: treatment = { impute = "none" } under [index]'
        )
    if used.any(axis=None):
        area, name = next((a, n) for a in used.index for n in used.columns if used.loc[a, n])
        raise DisclosureError(
            f"the score of area '{area}' stands on '{name}', which is hidden: the rest of the score would give it "
            "away. Nothing was written"
        )


def rules_must_be_public(run: Run) -> None:
    """Refuse to show what a rule compares with where that is hidden: the value of the whole, or of an area above.

    Raises
    ------
    DisclosureError
        When a limit would give a hidden figure away.
    """
    protection = run.protection()
    cells = protection.cells[protection.cells["why"] != "rounded"]
    for name, found in run.selections().items():
        rule, uses = found.rule, found.given.uses
        preset = index_preset(rule.preset).indicators if rule.preset is not None else ()
        compared = {(_CITY, uses[key].indicator if key in uses else key) for key in preset}
        for item in rule.criteria:
            own = _CITY if item.of == CITY else str(item.of)
            whole = "the whole" if item.of == CITY else f"its {item.of}"
            limits = found.ready.limits.of[item.id].values()
            if item.index is None and any(limit and limit.source.startswith(whole) for limit in limits):
                use = uses[item.key].indicator if item.key in uses else item.key
                keys = [*item.numerators, *item.denominators] or [use]
                compared |= {(own, key.removesuffix(".denominator")) for key in keys}
        for level, key in sorted(compared):
            told = "the whole" if level == _CITY else f"an area of level '{level}'"
            if level not in protection.tables and level != _CITY:
                raise DisclosureError(
                    f"the rule '{name}' compares with '{key}' of {told}, and that level has not been through "
                    f"disclosure control. Nothing was written. Hint: add '{level}' to `levels` under [disclosure]"
                )
            if ((cells["level"] == level) & (cells["indicator"] == key)).any():
                raise DisclosureError(
                    f"the rule '{name}' compares with '{key}' of {told}, which is hidden: the limit would tell. "
                    "Nothing was written. Hint: hand the value in under [[targeting.references]], or leave the rule out"
                )


def run_must_be_public(run: Run) -> None:
    """Refuse to show a run to the public whose figures, scores or rules would give a hidden figure away.

    Raises
    ------
    DisclosureError
        As :func:`must_be_public` and :func:`rules_must_be_public`.
    """
    must_be_public(run.spec, run.indicators(), run.index(), run.protection())
    rules_must_be_public(run)
