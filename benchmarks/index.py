"""How long it takes to say how sure the ranks of a country's small areas are, and how much memory.

6,976 areas × 38 shares × 10,000 draws, against the loop that one would write in pandas (a few draws of it, stated as
such) and against the time that numpy takes to write every drawn figure to memory once and to read it once. Run
``python benchmarks/index.py [draws]``.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import geoplan as gp
from geoplan.risk import rank_uncertainty

AREAS, INDICATORS, DRAWS, DOMAINS, LOOPS = 6976, 38, 10_000, 4, 3
COLUMNS = ["area_id", "indicator", "numerator", "denominator", "value"]


def country(seed: int) -> tuple[gp.IndicatorTable, gp.IndexSpec]:
    """Make areas of 300 to 3,000 people with shares that are high together in the same areas."""
    rng = np.random.default_rng(seed)
    ids, names = [f"{number:05}" for number in range(AREAS)], [f"i{number:02}" for number in range(INDICATORS)]
    people, common = rng.integers(300, 3000, AREAS), rng.standard_normal(AREAS)
    frames = [(ids, "population", people, np.nan, people)]
    for name in names:
        rate = 1 / (1 + np.exp(2 + rng.random() - 0.4 * common - 0.4 * rng.standard_normal(AREAS)))
        cases = rng.binomial(people, rate)
        frames.append((ids, name, cases, people, 100 * cases / people))
    data = pd.concat([pd.DataFrame(dict(zip(COLUMNS, frame, strict=True))) for frame in frames], ignore_index=True)
    data = data.assign(period="2024", status="observed")
    kind = {"kind": "share", "unit": "pct", "direction": "higher_is_worse"}
    items = {name: gp.IndicatorSpec(id=name, label=name, **kind) for name in names}
    counted = {"kind": "count", "unit": "persons", "direction": "neutral"}
    items["population"] = gp.IndicatorSpec(id="population", label="Residents", **counted)
    domains = [{"id": f"d{n}", "label": f"Domain {n}", "indicators": names[n::DOMAINS]} for n in range(DOMAINS)]
    return gp.IndicatorTable(data, items), gp.IndexSpec(domains=domains)


def pandas_loop(table: gp.IndicatorTable, spec: gp.IndexSpec, draws: int) -> pd.DataFrame:
    """Rank draws one after the other, as one would write it down; the prior's strength is a plain guess."""
    rng = np.random.default_rng(1)
    names = list(spec.indicators)
    cases, base = table.wide("2024", "numerator")[names], table.wide("2024", "denominator")[names]
    city, strength = cases.sum() / base.sum(), 40.0
    ranks = {}
    for draw in range(draws):
        rates = pd.DataFrame(index=cases.index)
        for name in names:
            first = cases[name] + strength * city[name]
            second = base[name] - cases[name] + strength * (1 - city[name])
            rates[name] = rng.beta(first, second)
        relative = 100 * rates / city
        domains = pd.DataFrame({domain.id: relative[list(domain.indicators)].mean(axis=1) for domain in spec.domains})
        ranks[draw] = domains.mean(axis=1).rank(method="min", ascending=False)
    return pd.DataFrame(ranks)


def bandwidth() -> float:
    """Return the bytes a second that numpy writes and reads, best of five copies of 256 MB."""
    source, target = np.ones(1 << 25), np.empty(1 << 25)
    best = min(_seconds(lambda: np.copyto(target, source)) for _ in range(5))
    return 2 * source.nbytes / best


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak() -> float:
    """Return the most memory the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the figures."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    table, spec = country(1)
    before = peak()
    started, busy = time.perf_counter(), time.process_time()
    sure = rank_uncertainty(table, spec, period="2024", draws=draws, top=100)
    took, busy, most = time.perf_counter() - started, time.process_time() - busy, peak()
    size = f"{AREAS:,} areas × {INDICATORS} indicators × {draws:,} draws"
    print(f"{size}: {took:.1f} s, {busy:.1f} s of processors, {1e3 * took / draws:.2f} ms a draw")
    print(f"peak memory {most:,.0f} MB ({before:,.0f} MB of it before the draws); {sure.failed['draws'].sum()} failed")
    loop = _seconds(lambda: pandas_loop(table, spec, LOOPS)) / LOOPS
    print(f"pandas loop: {1e3 * loop:.0f} ms a draw ({LOOPS} draws measured), {loop * draws / took:.1f} × the time")
    speed = bandwidth()
    least = draws * AREAS * INDICATORS * 8 * 2 / speed
    print(f"memory bound: {speed / 1e9:.1f} GB/s, so {least:.1f} s to write and read every figure once; we take "
          f"{took / least:.1f} × that")  # fmt: skip


if __name__ == "__main__":
    main()
