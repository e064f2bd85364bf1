"""Grants as a scenario asks for them: who gets how much, what of it follows chance, and who receives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import KNOWN
from geoplan.run.choosing import parents_of
from geoplan.show import Sheet, texts
from geoplan.show.texts import Texts
from geoplan.specs.grants import NeedPaymentSpec, PerformancePaymentSpec
from geoplan.targeting import (
    GrantNoise,
    NeedGrants,
    PerformanceGrants,
    grant_noise,
    grants_by_need,
    grants_by_performance,
    roll_up_grants,
)

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["Paid", "grant_lines", "grant_record", "grant_sheets", "grants_of"]

_PERCENT = 100


@dataclass(frozen=True)
class Paid:
    """One grant of a scenario.

    Attributes
    ----------
    spec
        What the scenario says.
    grants
        Who gets how much.
    noise
        How much of a grant by performance may be paid for chance; None for one by need, and where it was not asked.
    received
        Area above → what its areas get together; None where the scenario names no level.
    """

    spec: NeedPaymentSpec | PerformancePaymentSpec
    grants: NeedGrants | PerformanceGrants
    noise: GrantNoise | None
    received: pd.DataFrame | None


def grants_of(run: Run, *, noise: bool = True) -> dict[str, Paid]:
    """Divide the envelopes of a scenario between the areas that its rule singles out.

    Parameters
    ----------
    run
        The run.
    noise
        Whether to draw how much is paid for chance.

    Returns
    -------
    dict
        Id of the grant → what is paid; none where no area is to be paid, and to the public: payments stand on figures
        of all areas and of earlier years, which have not been protected.

    Raises
    ------
    InputError
        With all that is wrong with any of them.
    """
    asked = run.spec.targeting
    if asked is None or run.spec.profile == "public":
        return {}
    faults, found = Faults(), {}
    for place, spec in enumerate(asked.grants):
        codes = _paid_areas(run, spec)
        with faults.catch(file=run.shown, key=f"targeting.grants.{place}"):
            if codes:
                found[spec.id] = _paid(run, spec, codes, noise=noise)
    faults.raise_any()
    return found


def _paid_areas(run: Run, spec: NeedPaymentSpec | PerformancePaymentSpec) -> list[str]:
    if spec.paid == "all":
        return [str(code) for code in run.areas().index]
    chosen = run.chosen_rule()
    return sorted({*chosen.chosen, *(chosen.nominated if spec.paid == "chosen_and_nominated" else [])})


def _paid(run: Run, spec: NeedPaymentSpec | PerformancePaymentSpec, codes: list[str], *, noise: bool) -> Paid:
    received, chance = None, None
    made: NeedGrants | PerformanceGrants
    if isinstance(spec, NeedPaymentSpec):
        ranking = run.index().ranking.reindex(codes)
        need = ranking["score"] if spec.measure == "index_times_population" else _people(run, spec).reindex(codes)
        made = grants_by_need(need, spec, population=ranking["population"])
    else:
        if not run.spec.period.isdecimal():
            what = f"the scenario's period is '{run.spec.period}'"
            raise SpecError(Fault(what=what, expected="a year, for a grant by performance"))
        when = {"payment_year": int(run.spec.period) + spec.lag, "area_ids": codes}
        table = run.counted()
        made = grants_by_performance(table, spec, **when)  # type: ignore[arg-type]  # two arguments of two kinds
        if noise:
            drawn: dict[str, Any] = {"draws": spec.draws, "warn_above": spec.warn_above, "seed": run.spec.seed}
            chance = grant_noise(table, spec, **when, **drawn)  # type: ignore[arg-type]  # as above
    if spec.roll_up is not None:
        received = roll_up_grants(made.table["payment"], parents_of(run, spec.roll_up))
    return Paid(spec, made, chance, received)


def _people(run: Run, spec: NeedPaymentSpec) -> pd.Series:
    """Return how many people are in need, by area."""
    asked, table = run.spec.targeting, run.counted()
    name = spec.need or (asked.need if asked else None)
    if name is None:
        what = "need_count asks who is in need"
        raise SpecError(Fault(what=what, expected="`need`, here or under [targeting]"))
    if name not in table.definitions:
        raise checks.unknown_name("indicator of the scenario", name, table.definitions)
    item = table.definitions[name]
    rows = table.data[(table.data["indicator"] == name) & (table.data["period"] == run.spec.period)]
    rows = rows[rows["status"].isin(KNOWN)].set_index("area_id")
    if item.kind == "count":
        return rows["value"]
    if item.kind != "share" or rows["numerator"].isna().all():
        what = f"'{name}' does not say how many people are in need"
        raise SpecError(Fault(what=what, expected="a share with counts, or a count of people"))
    better = item.direction == "higher_is_better"
    return rows["denominator"] - rows["numerator"] if better else rows["numerator"]


# ---------------------------------------------------------------- for people


def grant_sheets(run: Run, found: Mapping[str, Paid]) -> list[Sheet]:
    """Return one sheet a grant, and one more of what areas above receive."""
    words, sheets = texts(run.spec.language), []
    for name, paid in found.items():
        table, heads, decimals = _need(paid, words) if isinstance(paid.grants, NeedGrants) else _performance(run, paid)
        table = table.reset_index()
        table.insert(1, "name", table["area_id"].map(run.areas()["name"]))
        footer = _footer(run, name, paid)
        title = f"{words['grants_sheet']} {name}"
        sheets.append(Sheet(title, table, {**words.words, **heads}, decimals, frozen=2, footer=footer))
        if paid.received is not None:
            whole = paid.received.rename_axis("area_id").reset_index().rename(columns={"areas": "count_areas"})
            level = str(paid.spec.roll_up)
            names = run.areas(level)["name"] if level in run.levels() else pd.Series(dtype=object)
            whole.insert(1, "name", whole["area_id"].map(names).fillna(""))
            money = dict.fromkeys(("payment", "least", "most"), 0)
            sheets.append(Sheet(f"{title} Σ", whole, words.words, money, frozen=2, footer=footer))
    return sheets


def _footer(run: Run, name: str, paid: Paid) -> str:
    """Say what is divided, by which figures of when, and between how many areas."""
    words, spec = texts(run.spec.language), paid.spec
    title = spec.title.to(run.spec.language) if spec.title else f"{words['grants_sheet']} {name}"
    years = run.spec.period
    if isinstance(paid.grants, PerformanceGrants):
        years = f"{'–'.join(paid.grants.periods)} → {paid.grants.payment_year}"
    return f"{title}, {spec.envelope:g} {spec.unit} · {years} · N = {len(paid.grants.table)} · {run.sources()}"


def _need(paid: Paid, words: Texts) -> tuple[pd.DataFrame, dict[str, str], dict[str, int]]:
    spec = paid.spec
    assert isinstance(spec, NeedPaymentSpec)  # noqa: S101  the caller has seen to it
    table = paid.grants.table.assign(share=paid.grants.table["share"] * _PERCENT)
    table["bound"] = table["bound"].map(lambda text: words.limits.get(text, text))
    counted = spec.measure == "need_count"
    table["reason"] = [_unpaid(row, spec, words) if row.reason else "" for row in table.itertuples()]
    heads = {"need": words["count_need"] if counted else words["score"], "share": words["need_part"]}
    heads["reason"] = words["unpaid"]
    decimals = {"need": 0 if counted else 1, "population": 0, "share": 1, "payment": 0, "per_resident": 0}
    return table, heads, decimals


def _unpaid(row: Any, spec: NeedPaymentSpec, words: Texts) -> str:
    """Say in the run's language why an area gets nothing."""
    if np.isnan(row.need):
        return words.statuses["not_collected"]
    if spec.threshold is not None and row.need < spec.threshold:
        return words.limits["threshold"]
    return words.statuses["not_collected"] if np.isnan(row.population) else words.verdicts["small_population"]


def _performance(run: Run, paid: Paid) -> tuple[pd.DataFrame, dict[str, str], dict[str, int]]:
    """Put together what each area gets for what, and what chance alone would earn."""
    words, language = texts(run.spec.language), run.spec.language
    assert isinstance(paid.grants, PerformanceGrants)  # noqa: S101  the caller has seen to it
    parts = paid.grants.parts.pivot(index="area_id", columns="indicator", values="payment")
    parts = parts[list(paid.grants.pots.index)].add_prefix("for_")
    whole = paid.grants.table.assign(share=paid.grants.table["share"] * _PERCENT)
    table = whole[["payment", "share", "guaranteed"]].join(parts).join(whole[["factor", "missing"]])
    if getattr(paid.spec, "context", None) is None:
        table = table.drop(columns="factor")
    items = run.counted().definitions
    heads = {
        f"for_{name}": words["paid_for"].format(what=items[name].label.to(language)) for name in paid.grants.pots.index
    }
    heads |= {"share": words["money_part"], "missing": words["change_missing"]}
    decimals = dict.fromkeys(table.columns, 0) | {"share": 1, "factor": 2}
    if paid.noise is not None:
        chance = paid.noise.table[["expected", "low", "high", "p_as_much"]].add_prefix("chance_")
        table, decimals = table.join(chance), decimals | dict.fromkeys(chance.columns, 0) | {"chance_p_as_much": 2}
    return table, heads, decimals


def grant_lines(found: Mapping[str, Paid], names: Any) -> list[tuple[str, list[str]]]:
    """Return what is to be said of each grant, the warning of noise among it, and every convention."""
    told: list[tuple[str, list[str]]] = []
    for name, paid in found.items():
        told.append((f"grant {name}", paid.grants.lines(names=names)))
        if paid.noise is not None:
            told.append((f"grant {name}: chance", paid.noise.lines(names=names)))
        told += [(f"grant {name}: {head}", [text]) for head, text in paid.grants.conventions.items()]
    return told


def grant_record(found: Mapping[str, Paid]) -> dict[str, Any]:
    """Return the grants as the manifest holds them: the scheme, conventions and payments in kr."""
    told: dict[str, Any] = {}
    for name, paid in found.items():
        own: dict[str, Any] = {
            "scheme": paid.spec.model_dump(mode="json", exclude_none=True),
            "conventions": dict(paid.grants.conventions),
            "envelope_kr": paid.grants.envelope,
            "payments_kr": {str(code): int(kr) for code, kr in paid.grants.table["payment"].items()},
        }
        if paid.received is not None:
            own["received_kr"] = {str(code): int(kr) for code, kr in paid.received["payment"].items()}
        if paid.noise is not None and np.isfinite(paid.noise.chance_share):
            own["paid_for_chance"] = {"up_to_share": round(paid.noise.chance_share, 6), "warning": paid.noise.warn}
        told[name] = own
    return told
