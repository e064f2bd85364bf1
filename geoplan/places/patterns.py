"""Which figures of a table are hidden, indicator by indicator: unsafe ones, and those that would give them away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from geoplan.places.attacks import Seen, unsafe
from geoplan.places.hiding import Problem, hide
from geoplan.places.indicators import IndicatorTable
from geoplan.places.ledger import Ledger, period_blocks
from geoplan.places.sums import System
from geoplan.specs import DisclosureSpec

__all__ = ["Patterns", "chance"]

_OTHER_YEARS = 0.7  # a figure that is unsafe in another year is hidden rather than a neighbour: fewer areas with gaps
_TINY = 0.01
_VAGUE = 0.1  # of a hidden mean or sum of money, a tenth must stay open
Step = Callable[[str], None]


def chance(text: str) -> float:
    """Turn a text into a number from 0 up to 1 that looks random and never changes."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64


class Patterns:
    """What is hidden, and why; filled by :meth:`find`."""

    def __init__(
        self,
        ledger: Ledger,
        rules: DisclosureSpec,
        possible: Mapping[str, IndicatorTable],
        seed: int,
        sums: Mapping[str, Sequence[str]],
    ) -> None:
        self.ledger, self.rules, self.seed, self.sums = ledger, rules, seed, sums
        self.could = Seen.of(ledger, possible)
        blank = pd.DataFrame("", ledger.count.index, ledger.count.columns, dtype=object)
        self.why = {"count": blank, "base": blank.copy()}
        reasons: dict[str, dict[tuple[str, str], np.ndarray]] = {"count": {}, "base": {}}
        for name, period in ledger.count.columns:
            count, base = ledger.count[name, period].to_numpy(), ledger.base[name, period].to_numpy()
            item = ledger.definitions[name]
            reasons["count"][name, period] = unsafe(count, base, item, rules)
            few = (base > 0) & (base < rules.minimum_cell) & (item.kind != "count")
            reasons["base"][name, period] = np.where(few, "base", "").astype(object)
        self.reasons = {figure: pd.DataFrame(found, index=blank.index) for figure, found in reasons.items()}

    def find(self, periods: Sequence[str], on_step: Step | None, *, bases: bool = True) -> None:
        """Choose what to hide: first the bases (and counts, which are others' bases), then what stands on them."""
        blocks = period_blocks(periods, self.sums)
        if bases:
            groups = [(block, names) for block in blocks for names in self._same_bases(block)]
            problems = [self._problem(block, names, "base") for block, names in groups]
            for (block, names), hidden in zip(groups, self._hidden(problems, on_step), strict=True):
                for name in names:
                    self._keep(name, block, "base", hidden, names)
                    self._keep(name, block, "count", hidden, names)
        rates = [(b, [n]) for b in blocks for n in self._indicators(b) if self.ledger.kind(n) != "count"]
        problems = [self._problem(block, names, "count") for block, names in rates]
        for (block, names), hidden in zip(rates, self._hidden(problems, on_step), strict=True):
            self._keep(names[0], block, "count", hidden, names)

    def _hidden(self, problems: list[Problem], on_step: Step | None) -> list[np.ndarray]:
        return hide(problems, on_step=on_step) if self.rules.secondary else [item.forced for item in problems]

    def _indicators(self, block: Sequence[str]) -> list[str]:
        columns = self.ledger.count.columns
        return [n for n in dict.fromkeys(columns.get_level_values(0)) if all((n, p) in columns for p in block)]

    def _same_bases(self, block: Sequence[str]) -> list[list[str]]:
        """Put indicators together whose bases are the same people, a count among them: all show or hide the same."""
        groups: list[list[str]] = []
        for name in self._indicators(block):
            same = [group for group in groups if any(self._same(name, other, block) for other in group)]
            groups = [group for group in groups if group not in same]
            groups.append([*(item for group in same for item in group), name])
        return groups

    def _same(self, first: str, second: str, block: Sequence[str]) -> bool:
        """Tell whether two bases are called the same, or are the same in every area."""
        one, two = self.ledger.definitions[first], self.ledger.definitions[second]
        if (
            one.base is not None
            and (one.base, one.ages) == (two.base, two.ages)
            and "count" not in {one.kind, two.kind}
        ):
            return True
        values = []
        for name in (first, second):
            frame = self.ledger.count if self.ledger.kind(name) == "count" else self.ledger.base
            values.append(
                (self.ledger.column(frame, name, block), self.ledger.column(self.ledger.present, name, block))
            )
        common = (values[0][1] > 0) & (values[0][1] == values[1][1])
        return bool(common.any() and np.array_equal(values[0][0][common], values[1][0][common]))

    def _problem(self, block: Sequence[str], names: Sequence[str], figure: str) -> Problem:
        """Set out one table: its sums, what must be hidden, and what hiding costs."""
        systems: list[System] = []
        needs: list[np.ndarray] = []
        size = len(self.ledger.count) * len(block)
        forced, cost = np.zeros(size, dtype=bool), np.zeros(size)
        for name in names:
            role = "count" if self.ledger.kind(name) == "count" else figure
            base_hidden = self.ledger.column(self.why["base"], name, block) != ""
            unseen = base_hidden | ~self.ledger.column(self.could.flags["base"], name, block)
            system = self.ledger.system(name, block, self.sums, role=role, base_hidden=unseen)
            could = self.ledger.column(self.could.flags[role], name, block)
            reason = self.ledger.column(self.reasons[role], name, block) != ""
            there = system.upper > system.lower
            forced |= there & (reason | ~could | (base_hidden & (figure == "count")))
            cost += self._cost(name, block, role) * could
            need = self._need(system, reason, could) * there
            if not any(np.array_equal(system.value, other.value) for other in systems):
                systems.append(system)
                needs.append(need)
        return Problem(systems, forced, needs, cost)

    def _need(self, system: System, reason: np.ndarray, could: np.ndarray) -> np.ndarray:
        """How much must stay open of a figure if it is hidden: much of an unsafe one, something of any other."""
        size = np.abs(system.value)
        much = np.full(len(size), float(self.rules.minimum_cell)) if system.whole else np.maximum(_VAGUE * size, _TINY)
        some = np.ones(len(size)) if system.whole else np.maximum(2 * _TINY * size, _TINY)
        wanted = np.where(reason, much, np.where(could, some, 0.0))
        return np.asarray(np.minimum(wanted, system.upper - system.lower))

    def _cost(self, name: str, block: Sequence[str], role: str) -> np.ndarray:
        """Say what hiding a figure loses: what it tells of how many; less where it is unsafe in other years anyway."""
        frame = self.ledger.count if self.ledger.kind(name) == "count" else self.ledger.base
        people = np.maximum(self.ledger.column(frame, name, block), 0.0)
        people = people / max(float(people[people > 0].mean()) if (people > 0).any() else 1.0, 1.0)
        often = (self.reasons[role][name] != "").any(axis=1).to_numpy()
        keys = [f"{self.seed}|{level}|{area}|{name}" for level, area in self.ledger.count.index]
        one = np.where(often, _OTHER_YEARS, 1.0) * (1 + _TINY * np.array([chance(key) for key in keys]))
        return np.asarray((_TINY + people) * np.tile(one, len(block)))

    def _keep(self, name: str, block: Sequence[str], figure: str, hidden: np.ndarray, group: Sequence[str]) -> None:
        """Note what is hidden, and why: its own fault, its base's, or for the sake of another."""
        for period, mask in zip(block, np.split(hidden, len(block)), strict=True):
            shown = mask & self.could.flags[figure][name, period].to_numpy()
            own = self.reasons[figure][name, period].to_numpy()
            small = np.any([self.reasons["base"][item, period] != "" for item in group], axis=0)
            why = np.where(own != "", own, np.where(small, "base", "secondary"))
            kept = self.why[figure].loc[shown, (name, period)]
            self.why[figure].loc[shown, (name, period)] = np.where(kept == "", why[shown], kept)

    def cells(self) -> pd.DataFrame:
        """List what is hidden: figures with their count, and bases."""
        parts = []
        for figure, frame in self.why.items():
            places, lines = np.nonzero(frame.to_numpy() != "")
            found = frame.columns.to_frame(index=False).iloc[lines].reset_index(drop=True)
            areas = frame.index.to_frame(index=False).iloc[places].reset_index(drop=True)
            parts.append(
                pd.DataFrame(
                    {
                        "area_id": areas["area_id"],
                        "level": areas["level"],
                        "indicator": found["indicator"],
                        "period": found["period"],
                        "figure": figure,
                        "why": frame.to_numpy()[places, lines],
                    }
                )
            )
        keys = ["indicator", "period", "level", "area_id", "figure"]
        return pd.concat(parts, ignore_index=True).sort_values(keys, ignore_index=True)

    def without(self, table: IndicatorTable, level: str, periods: Sequence[str]) -> IndicatorTable:
        """Return the figures of a level with the hidden ones emptied."""
        rows = table.data[table.data["period"].isin(periods)].reset_index(drop=True)
        places, lines, there = self.ledger.positions(level, rows)
        hidden = {name: np.zeros(len(rows), dtype=bool) for name in self.why}
        for name, frame in self.why.items():
            hidden[name][there] = (frame.to_numpy() != "")[places, lines]
        rows["denominator"] = rows["denominator"].mask(hidden["base"])
        gone = hidden["count"] | hidden["base"]
        rows.loc[gone, ["numerator", "value"]] = np.nan
        rows["status"] = rows["status"].mask(gone, "suppressed")
        return IndicatorTable(rows, table.definitions, profile="public")
