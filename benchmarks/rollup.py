"""DeSO → RegSO → kommun for all of Sweden, against a bare pandas group-by in the same run.

Run with ``make bench``. Made-up figures of the size of SCB's table (5,984 areas × 39 indicators), or, where
GEOPLAN_REAL_DATA names a folder that holds them, SCB's own.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from main_job import seconds

import geoplan as gp
from geoplan.places import IndicatorTable
from geoplan.specs import IndicatorSpec

AREAS, MIDDLE, TOP, INDICATORS = 5_984, 3_363, 290, 39


def made_up() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return areas × figures, and which area lies in which."""
    rng = np.random.default_rng(1)
    ids = [f"{number:09}" for number in range(AREAS)]
    middle = np.sort(rng.integers(0, MIDDLE, AREAS))
    figures = pd.DataFrame(rng.integers(0, 2000, (AREAS, INDICATORS)).astype(float), index=ids)
    nesting = pd.DataFrame({"deso": ids, "regso": [f"R{n:05}" for n in middle]})
    return figures.add_prefix("i"), nesting.assign(kommun=[f"K{n * TOP // MIDDLE:03}" for n in middle])


def real(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return SCB's table and key in the same form."""
    figures = pd.read_csv(folder / "sweden/scb_deso2018_indicators_2022.csv", dtype={"deso": str}).set_index("deso")
    key = pd.read_csv(folder / "sweden/deso2018_regso2020.csv", dtype=str, encoding="utf-8-sig")
    nesting = key.rename(columns={"DeSO_2018": "deso", "RegSOkod_2020": "regso", "Kommun": "kommun"})
    return figures, nesting[["deso", "regso", "kommun"]]


def table_of(figures: pd.DataFrame) -> IndicatorTable:
    """Return every column as the numerator of a share of its largest value."""
    long = figures.rename_axis("area_id").reset_index().melt("area_id", var_name="indicator", value_name="numerator")
    long["denominator"] = long.groupby("indicator")["numerator"].transform("max")
    long = long.assign(period="2022", value=100 * long["numerator"] / long["denominator"])
    long["status"] = np.where(long["value"].notna(), "observed", "suppressed")
    definitions = {
        name: IndicatorSpec(id=name, label=name, kind="share", unit="pct", direction="higher_is_worse")
        for name in figures.columns
    }
    return IndicatorTable(long, definitions)


def main() -> None:
    """Climb two levels with everything that merged figures carry, and add up bare columns beside it."""
    folder = Path(os.environ.get("GEOPLAN_REAL_DATA", ""))
    figures, nesting = real(folder) if (folder / "sweden").is_dir() else made_up()
    table = table_of(figures)
    steps = [
        gp.places.as_membership(nesting, child_column=lower, parent_column=upper)
        for lower, upper in (("deso", "regso"), ("regso", "kommun"))
    ]
    membership = pd.concat(steps, ignore_index=True)
    middle, top = sorted(set(nesting["regso"])), sorted(set(nesting["kommun"]))

    def ours() -> IndicatorTable:
        lower = gp.roll_up(table, gp.places.pairs_at(membership, nesting["deso"], middle))
        return gp.roll_up(lower, gp.places.pairs_at(membership, middle, top))

    def peer() -> pd.Series:
        rows = table.data
        for upper in ("regso", "kommun"):
            parent = rows["area_id"].map(nesting.drop_duplicates().set_index("deso")[upper])
            sums = rows.groupby([parent, rows["indicator"], rows["period"]])[["numerator", "denominator"]].sum()
        return 100 * sums["numerator"] / sums["denominator"]

    started = time.perf_counter()
    merged = ours().data.set_index(["area_id", "indicator", "period"])["value"]
    first = time.perf_counter() - started
    bare = peer()
    known = merged.dropna()
    if not np.allclose(known, bare.loc[known.index]) and figures.notna().all(axis=None):
        raise SystemExit("the two disagree")
    mine, theirs = seconds(ours), seconds(peer)
    print(
        f"{len(figures):,} areas x {figures.shape[1]} indicators over {len(middle):,} into {len(top)}: {mine:.2f} s "
        f"(the first time {first:.2f} s), {mine / theirs:.1f} x a bare pandas group-by ({theirs:.2f} s), "
        "with status, children, lowest, highest and spread"
    )


if __name__ == "__main__":
    main()
