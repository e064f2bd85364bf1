"""What many drawings of boundaries add up to: how often each designation survives, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import pandas as pd

from geoplan.errors import listed
from geoplan.targeting.rules import Selection

if TYPE_CHECKING:
    from geoplan.targeting.boundaries import BoundaryPolicy

__all__ = ["EMPTY", "KINDS", "Kind", "not_computed_of", "policy_lines", "summary_of"]

Kind = Literal["merged", "split", "shifted"]
KINDS: tuple[Kind, ...] = ("merged", "split", "shifted")
#: Why a part of an area has no verdict that counts.
EMPTY = "nothing of its area's figures falls on it"


def whole_of(rows: pd.Series) -> bool | None:
    """Tell whether all that an area became is designated; None where nobody can tell."""
    known = rows.dropna()
    if not known.all():
        return False
    return None if rows.isna().any() or known.empty else True


def summary_of(selection: Selection, now: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Count the variants of each area."""
    lived_in = variants[variants["reason"] != EMPTY]
    by = lived_in.groupby(["area_id", "variant", "kind"], sort=True)
    whole = pd.DataFrame(
        {"computed": by["computed"].all(), "designated": by["designated"].agg(whole_of), "slack": by["slack"].min()}
    ).reset_index()
    whole["designated"] = whole["designated"].astype("boolean")
    table = pd.DataFrame({"qualified": selection.table["qualified"], "now": now["designated"]})
    held = table["now"].fillna(value=False).astype(bool)
    counts = whole.assign(known=whole["designated"].notna()).groupby("area_id")
    table["variants"], table["computed"] = counts.size(), counts["computed"].sum()
    table["known"], table["designated"] = counts["known"].sum(), counts["designated"].sum()
    names = ["variants", "computed", "known", "designated"]
    table[names] = table[names].fillna(0).astype(int)
    table["survives"] = (table["designated"] / table["known"].where(table["known"] > 0)).where(held)
    table["gained"] = table["designated"].where((table["now"] == False).fillna(value=False), 0)  # noqa: E712  <NA> is neither
    for kind in KINDS:
        own = whole[(whole["kind"] == kind) & whole["designated"].notna()]
        share = own["designated"].astype(float).groupby(own["area_id"]).mean()
        table[f"survives_{kind}"] = share.reindex(table.index).where(held)
    known = whole[whole["designated"].notna() & whole["slack"].notna()]
    worst = known.sort_values(["slack", "variant"]).drop_duplicates("area_id").set_index("area_id")
    told = worst["variant"].to_dict()
    table["worst"] = pd.Series([told.get(code, "") for code in table.index], index=table.index, dtype=object)
    table["worst_slack"] = worst["slack"].reindex(table.index)
    return table


def not_computed_of(variants: pd.DataFrame, nowhere: list[str]) -> pd.DataFrame:
    """Count what could not be computed, by reason; nothing is dropped."""
    own = variants[~variants["computed"]]
    rows = [
        {"kind": kind, "reason": reason, "variants": rows["variant"].nunique(),
         "areas": ", ".join(sorted(rows["area_id"].unique()))}
        for (kind, reason), rows in own.groupby(["kind", "reason"], sort=True)
    ]  # fmt: skip
    if nowhere:
        rows.append({"kind": "all", "reason": "the area has no geometry", "variants": 0, "areas": ", ".join(nowhere)})
    return pd.DataFrame(rows, columns=["kind", "reason", "variants", "areas"])


# ---------------------------------------------------------------- in words


def policy_lines(found: BoundaryPolicy, names: Mapping[str, str]) -> list[str]:
    """Say which designations survive, by what they are lost, and what could not be computed."""
    table = found.table
    held = table[table["now"].fillna(value=False).astype(bool)]
    tried = held[held["known"] > 0]
    safe = tried[tried["survives"] == 1]
    now = f"{len(held)} of {len(table)} areas are designated by the figures of {found.certificate['period']}"
    said = [f"{now}; {len(safe)} of them stay so however boundaries were drawn, {len(tried) - len(safe)} not always"]
    said += _kind_lines(found, set(held.index))
    for code, row in tried[tried["survives"] < 1].sort_values("survives", kind="stable").iterrows():
        lost = row["known"] - row["designated"]
        said.append(f"{names.get(str(code), code)}: lost in {lost} of {row['known']} variants, worst '{row['worst']}'")
    gained = table[table["gained"] > 0]
    if len(gained):
        told = listed([names.get(str(code), code) for code in gained.index], shown=12)
        said.append(f"{len(gained)} more would be designated in some way: {told}")
    unknown = found.variants[found.variants["computed"] & found.variants["designated"].isna()]
    unknown = unknown[unknown["reason"] != EMPTY]
    if len(unknown):
        said.append(f"Not known for want of figures: {len(unknown)} verdicts, {listed(unknown['reason'].unique())}")
    for row in found.not_computed.itertuples():
        many = f"{row.variants} variants {row.kind}" if row.variants else "everything"
        codes = [names.get(code, code) for code in str(row.areas).split(", ")]
        said.append(f"Not computed: {many}, since {row.reason}: {listed(codes)}")
    if found.redrawn:
        told = listed([names.get(code, code) for code in found.redrawn])
        said.append(f"Already figures cut along the boundaries of now give another verdict for {told}")
    return said


def _kind_lines(found: BoundaryPolicy, held: set[str]) -> list[str]:
    """Say of each kind how often designations survive, area by area."""
    said = []
    texts = {"merged": "Merged with a neighbour", "split": "Split into their parts", "shifted": "With boundaries moved"}
    nothing = {
        "merged": "no two areas are neighbours",
        "split": "no area has several parts",
        "shifted": "nothing to move",
    }
    for kind in [name for name in KINDS if name in found.certificate["tried"].split(", ")]:
        own = found.variants[found.variants["kind"] == kind]
        if own.empty:
            said.append(f"{texts[kind]}: {nothing[kind]}")
        rows = own[own["area_id"].isin(held)]
        rows = rows[rows["reason"] != EMPTY]
        whole = rows.groupby(["area_id", "variant"])["designated"].agg(whole_of).astype("boolean").dropna()
        if len(whole):
            said.append(f"{texts[kind]}: they stay in {int(whole.sum())} of {len(whole)} cases")
    return said
