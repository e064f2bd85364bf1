"""Values to compare with that do not come from the areas: which a rule asks for, and those handed in in one form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.specs import CITY, RuleSpec

__all__ = ["REFERENCES", "as_references", "references_asked"]

REFERENCES = ["reference", "indicator", "period", "area_id", "value", "source"]


def references_asked(rule: RuleSpec) -> dict[str, set[str]]:
    """Return the references that a rule compares with: name → indicators of which a value may be handed in."""
    found: dict[str, set[str]] = {}
    for item in rule.criteria:
        if item.of:
            found.setdefault(item.of, set()).update({item.key, item.reference_indicator or item.key})
    return found


def as_references(given: pd.DataFrame | Mapping[str, Mapping[str, float]] | None, rule: RuleSpec) -> pd.DataFrame:
    """Return references in one form, those handed in before those of the rule book.

    Raises
    ------
    SpecError
        When columns are missing, a value is no number, or a reference is none that the rule asks for.
    """
    if given is None:
        own = pd.DataFrame(columns=REFERENCES)
    elif isinstance(given, pd.DataFrame):
        own = given.copy()
        absent = [name for name in ("reference", "indicator", "value") if name not in own]
        if absent:
            raise SpecError(
                fault for error in checks.absent_columns(absent, list(own.columns)) for fault in error.faults
            )
    else:
        rows = [(name, key, value) for name, values in given.items() for key, value in values.items()]
        own = pd.DataFrame(rows, columns=["reference", "indicator", "value"])
    own = own.reindex(columns=REFERENCES)
    own["value"] = pd.to_numeric(own["value"], errors="coerce")
    own["source"] = own["source"].astype(object).fillna("as handed in")
    asked = references_asked(rule)
    faults = Faults()
    for name in sorted(set(own["reference"]) - set(asked) - {CITY}):
        faults.add(checks.unknown_name("reference that the rule asks for", str(name), sorted(set(asked) - {CITY})))
    for name, key in sorted(set(zip(own["reference"], own["indicator"], strict=True))):
        if name in asked and key not in asked[name]:
            faults.add(checks.unknown_name(f"indicator that the rule compares with '{name}'", str(key), asked[name]))
    if not np.isfinite(own["value"].astype(float)).all():
        names = sorted(set(own.loc[~np.isfinite(own["value"].astype(float)), "reference"]))
        faults.add(SpecError(Fault(what=f"no number stands for {checks.listed(names)}", expected="finite numbers")))
    faults.raise_any()
    book = [item.model_dump() for item in rule.references]
    table = pd.concat([own, pd.DataFrame(book, columns=REFERENCES)], ignore_index=True) if book else own
    table[["period", "area_id"]] = (
        table[["period", "area_id"]].astype(object).where(table[["period", "area_id"]].notna(), "")
    )
    return table.astype({"period": str, "area_id": str}).reset_index(drop=True)
