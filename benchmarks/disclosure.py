"""What hiding costs: the cheapest pattern beside the one a careful clerk would draw, on the sample and a larger town.

The peer is greedy: where a sum leaves a hidden figure open to whoever subtracts, hide its smallest neighbour, and go on
until the same attack finds nothing. Both are tried by the same check. Run ``python benchmarks/disclosure.py``.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

import geoplan as gp
from geoplan.places import hiding, patterns
from geoplan.places.hiding import Problem
from geoplan.places.sums import ranges
from geoplan.run.publishing import levels_of


def greedy(problems: list[Problem], **_: object) -> list[np.ndarray]:
    """Hide the smallest neighbour of whatever can be worked out, until nothing can."""
    result = []
    for problem in problems:
        hidden = problem.forced.copy()
        while True:
            narrow = np.zeros(len(hidden), dtype=bool)
            for system, need in zip(problem.systems, problem.need, strict=True):
                own = system.hiding(hidden & (system.upper > system.lower))
                found = ranges([own], [need > 0])
                narrow |= own.hidden & (need > 0) & (found.width(0, own) < need - 1e-6)
            choice = None
            for system in problem.systems:
                for row in system.equations[(abs(system.equations) @ narrow) > 0]:
                    near = [cell for cell in row.indices if not hidden[cell] and problem.present[cell]]
                    best = min(near, key=lambda cell: problem.cost[cell], default=None)
                    if best is not None and (choice is None or problem.cost[best] < problem.cost[choice]):
                        choice = best
            if choice is None:
                break
            hidden[choice] = True
        result.append(hidden)
    return result


def town(blocks: int, seed: int) -> tuple[gp.IndicatorTable, dict[str, pd.Series]]:
    """Make a town of blocks, districts of about eight, boards of about five districts."""
    rng = np.random.default_rng(seed)
    codes = pd.Index([f"b{number:05}" for number in range(blocks)])
    base = rng.integers(40, 1600, blocks)
    rows = []
    for name, rate in (("poor", 0.08), ("assistance", 0.03), ("convicted", 0.01)):
        count = rng.binomial(base, rate)
        rows.append(pd.DataFrame({"area_id": codes, "indicator": name, "numerator": count, "denominator": base}))
    frame = pd.concat(rows, ignore_index=True).assign(period="2012", status="observed")
    frame["value"] = 100 * frame["numerator"] / frame["denominator"]
    kind = {"kind": "share", "unit": "pct", "direction": "higher_is_worse"}
    items = {name: gp.IndicatorSpec(id=name, label=name, **kind) for name in frame["indicator"].unique()}
    number = np.arange(blocks)
    levels = {
        "block": pd.Series(codes, codes),
        "district": pd.Series([f"d{n}" for n in number // 8], codes),
        "board": pd.Series([f"n{n}" for n in number // 40], codes),
        "town": pd.Series("town", codes),
    }
    return gp.IndicatorTable(frame, items), levels


def measured(table: gp.IndicatorTable, levels: dict[str, object], rules: gp.DisclosureSpec) -> tuple[float, pd.Series]:
    """Return the seconds it took, and how many figures were hidden beside the unsafe, and how many worked out."""
    started = time.perf_counter()
    safe = gp.protect(table, rules, levels=levels, minimum_coverage=0.6, periods=["2012"])
    took = time.perf_counter() - started
    more = safe.cells[safe.cells["why"] == "secondary"]
    return took, pd.Series({"more": len(more), "worked out": len(safe.attack.recovered)})


def main() -> None:
    """Print the figures."""
    run = gp.open_run("scenarios/basomraden.toml")
    sample = (run.indicators(), levels_of(run, run.indicators()), gp.DisclosureSpec(minimum_base=30))
    cases = {"sample, 31 indicators × 167 areas": sample}
    for blocks in (400, 1600):
        cases[f"town of {blocks:,} blocks, 3 indicators"] = (*town(blocks, 1), gp.DisclosureSpec())
    best, plain = hiding.hide, greedy
    for name, case in cases.items():
        results = {}
        for way, function in (("cheapest", best), ("greedy", plain)):
            patterns.hide = function
            results[way] = measured(*case)
        patterns.hide = best
        (ours, cheap), (theirs, peer) = results["cheapest"], results["greedy"]
        print(
            f"{name}: {ours:.1f} s, {cheap['more']} further figures hidden, {cheap['worked out']} worked out; "
            f"greedy {theirs:.1f} s, {peer['more']} ({peer['more'] / max(cheap['more'], 1):.2f} ×), "
            f"{peer['worked out']} worked out; time {ours / theirs:.2f} ×",
            flush=True,
        )


if __name__ == "__main__":
    main()
