"""Three counters of a policy for areas: people below the line in flagged areas, flagged areas, growing areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError, listed
from geoplan.places import IndicatorTable
from geoplan.specs import IndicatorSpec
from geoplan.targeting.needs import Needs, added, completeness_of, needs_of, tail_of
from geoplan.targeting.rules import Selection
from geoplan.targeting.wording import number

__all__ = ["PolicyCounters", "policy_counters"]

_CHANCE = 0.05
_HALF = 0.5
Flagged = Selection | Iterable[str]


@dataclass(frozen=True)
class PolicyCounters:
    """The three counters over periods, each beside the whole city.

    Attributes
    ----------
    table
        Index: period. ``people_flagged`` (people below the line in flagged areas) and ``people_city``, each with
        ``_low`` and ``_high``; ``share`` of the city's who live in flagged areas (0-1), with ``share_low`` and
        ``share_high``; ``flagged`` and ``areas`` (Int64: flagged areas, and all); ``undecided`` (Int64: areas of which
        the rule could not tell); ``growing_flagged`` and ``growing_city`` (Int64: areas in which the count grew since
        the period before in the table), of which ``growing_flagged_sure`` and ``growing_city_sure`` by more than
        chance; ``unknown_flagged`` and ``unknown_city`` (Int64: areas of which nobody can tell whether it grew). <NA>
        for growth in the first period.
    areas
        One row an area and period from the second on: ``area_id, period, before`` (the period before), ``earlier,
        later`` (counts; estimates where hidden), ``grew`` (nullable boolean), ``chance, sure`` and ``flagged`` (bool,
        in this period).
    need
        The definition of the indicator whose counts these are.
    complement
        Whether those are counted whom the indicator does not count.
    """

    table: pd.DataFrame
    areas: pd.DataFrame = field(repr=False)
    need: IndicatorSpec = field(repr=False)
    complement: bool

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None, language: str = "en") -> list[str]:
        """Say the three counters of each period in a sentence, and name the areas that surely grow in the last one."""
        label = self.need.label.to(language)
        said = [f"Counted below the line: {'not in: ' if self.complement else ''}{label}"]
        for period, row in self.table.iterrows():
            text = (
                f"{period}: {_counted(row, 'people_flagged')} of the city's {_counted(row, 'people_city')} below the "
                f"line live in {int(row['flagged'])} flagged of {int(row['areas'])} areas"
            )
            if not pd.isna(row["growing_city"]):
                text += (
                    f"; the count grew in {int(row['growing_flagged'])} of the flagged ones, in "
                    f"{int(row['growing_flagged_sure'])} by more than chance, and in {int(row['growing_city'])} of all "
                    f"({int(row['growing_city_sure'])})"
                )
            if row["unknown_city"] > 0 if not pd.isna(row["unknown_city"]) else False:
                text += f"; of {int(row['unknown_city'])} areas nobody can tell"
            said.append(text)
        last = self.areas[(self.areas["period"] == self.table.index[-1]) & self.areas["sure"] & self.areas["flagged"]]
        called = dict(names) if names is not None else {}
        if len(last):
            told = listed([called.get(code, code) for code in last["area_id"]], shown=12)
            said.append(f"Flagged and growing by more than chance: {told}")
        return said


def policy_counters(
    table: IndicatorTable,
    flagged: Flagged | Mapping[str, Flagged],
    need: str,
    *,
    periods: Iterable[str | int] | None = None,
    population: str = "population",
    chance: float = _CHANCE,
    hidden_at_most: int | None = None,
) -> PolicyCounters:
    r"""Count people below the line in flagged areas, flagged areas and growing areas, and the same of the whole city.

    These are the three questions that the Swedish urban policy of 2008 asked of itself: do fewer people live there who
    are below the line, are there fewer such areas, and in how many does it still become worse?

    An area is *growing* when its count of people below the line is higher than in the period before among those asked
    for: the count, not the share, so that an area to which people move may grow and become no worse. It is flagged as
    of the later period. It grows by *more than chance* when

    .. math:: P\left(X \ge y_2\right) \le \alpha, \qquad X \sim \text{Bin}(y_1 + y_2, \tfrac12)

    for the counts :math:`y_1` and :math:`y_2`: the exact test of two counts. Where counts are hidden an area has grown
    if it has whatever they are, has not if it cannot have, and else nobody can tell.

    Parameters
    ----------
    table
        The indicators of the areas, several periods.
    flagged
        The areas, the same in every period; or period → areas (what a rule says, or codes).
    need
        A share with counts, or a count, as of :func:`~geoplan.targeting.reached.who_is_reached`.
    periods
        The periods, in order; those of ``flagged`` where it has some, else all of the table.
    population
        The indicator that counts residents.
    chance
        The probability :math:`\alpha`.
    hidden_at_most
        A suppressed count is no larger than this.

    Returns
    -------
    PolicyCounters

    Raises
    ------
    SpecError
        When the table lacks the indicator, a period or a flagged area, or a period has no flags.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/baseline.toml")
    >>> found = policy_counters(run.indicators(), ["0099S18", "0099S24"], "employment_20_64", periods=[2008, 2012])
    >>> found.table[["people_flagged", "people_city"]].values.tolist()
    [[3099.0, 14623.0], [2972.0, 13666.0]]
    """
    if not 0 < chance < 1:
        what = f"{chance:g} is no probability to be sure by"
        raise SpecError(Fault(what=what, key="chance", expected="a number between 0 and 1, such as 0.05"))
    when = _periods(table, flagged, periods)
    rows, areas, last = {}, [], None
    for period in when:
        needs = needs_of(table, need, period=period, population=population, hidden_at_most=hidden_at_most)
        codes, undecided = _flags(flagged, period, needs)
        rows[period] = _people(needs, codes, undecided)
        own = _by_area(needs)
        if last is not None:
            grown = _growth(last[1], own, chance)
            grown["flagged"] = grown["area_id"].isin(codes)
            areas.append(grown.assign(period=period, before=last[0]))
            rows[period] |= _growing(grown)
        last = (period, own)
    order = ["area_id", "period", "before", "earlier", "later", "grew", "chance", "sure", "flagged"]
    detail = pd.concat(areas, ignore_index=True)[order] if areas else pd.DataFrame(columns=order)
    whole = pd.DataFrame.from_dict(rows, orient="index").rename_axis("period")
    whole = whole.reindex(columns=[*_people(needs, [], 0), *_GROWTH])
    counts = ["flagged", "areas", "undecided", *_GROWTH]
    return PolicyCounters(whole.astype(dict.fromkeys(counts, "Int64")), detail, needs.item, needs.complement)


_GROWTH = [
    *("growing_flagged", "growing_flagged_sure", "growing_city", "growing_city_sure"),
    *("unknown_flagged", "unknown_city"),
]


def _periods(
    table: IndicatorTable, flagged: Flagged | Mapping[str, Flagged], periods: Iterable[str | int] | None
) -> list[str]:
    if periods is not None:
        found = sorted({str(period) for period in periods})
    elif isinstance(flagged, Mapping):
        found = sorted(str(period) for period in flagged)
    else:
        found = table.periods()
    if not found:
        raise SpecError(Fault(what="there is no period to count in", key="periods"))
    if isinstance(flagged, Mapping):
        known = {str(period) for period in flagged}
        lacking = [period for period in found if period not in known]
        if lacking:
            what = f"no areas are flagged for {checks.listed(lacking)}"
            raise SpecError(Fault(what=what, key="flagged", expected="areas for each period, an empty list for none"))
    return found


def _flags(flagged: Flagged | Mapping[str, Flagged], period: str, needs: Needs) -> tuple[list[str], int]:
    own = flagged
    if isinstance(flagged, Mapping):
        own = next(value for key, value in flagged.items() if str(key) == period)
    undecided = len(own.unknown) if isinstance(own, Selection) else 0
    codes = sorted({str(code) for code in (own.chosen if isinstance(own, Selection) else own)})
    areas = set(needs.pairs["area"])
    for code in codes:
        if code not in areas:
            raise checks.unknown_name("area of the table", code, areas, key="flagged")
    return codes, undecided


def _people(needs: Needs, codes: list[str], undecided: int) -> dict[str, float]:
    inside = needs.inside(codes)
    own, rest = added(needs.units, inside), added(needs.units, ~inside)
    share = completeness_of(own, rest)
    names = (("", "need"), ("_low", "low"), ("_high", "high"))
    return {
        **{f"people_flagged{end}": own[name] for end, name in names},
        **{f"people_city{end}": own[name] + rest[name] for end, name in names},
        **dict(zip(("share", "share_low", "share_high"), share, strict=True)),
        "flagged": len(codes),
        "areas": len(set(needs.pairs["area"])),
        "undecided": undecided,
    }


def _by_area(needs: Needs) -> pd.DataFrame:
    sums = ["need", "low", "high"]
    return needs.pairs.join(needs.units[sums], on="unit").groupby("area")[sums].sum()


def _growth(before: pd.DataFrame, after: pd.DataFrame, chance: float) -> pd.DataFrame:
    """Tell which areas have grown: for sure whatever is hidden, and by more than chance."""
    areas = before.index.union(after.index)
    old, new = before.reindex(areas), after.reindex(areas)
    yes, no = new["low"] > old["high"], new["high"] <= old["low"]
    # The least growth that may be is what has to be more than chance.
    tail = tail_of(new["low"].to_numpy(), (new["low"] + old["high"]).to_numpy(), _HALF)
    return pd.DataFrame(
        {
            "area_id": areas,
            "earlier": old["need"].to_numpy(),
            "later": new["need"].to_numpy(),
            "grew": pd.array(yes, dtype="boolean"),
            "chance": np.where(yes, tail, 1.0),
            "sure": yes.to_numpy() & (tail <= chance),
        }
    ).assign(grew=lambda rows: rows["grew"].mask(~(yes | no).to_numpy(), pd.NA))


def _growing(grown: pd.DataFrame) -> dict[str, int]:
    found = {}
    for end, own in (("flagged", grown[grown["flagged"]]), ("city", grown)):
        found[f"growing_{end}"] = int(own["grew"].fillna(value=False).sum())
        found[f"growing_{end}_sure"] = int(own["sure"].sum())
        found[f"unknown_{end}"] = int(own["grew"].isna().sum())
    return found


def _counted(row: pd.Series, name: str) -> str:
    text = number(round(row[name]))
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return text if low == high else f"about {text} ({number(low)} to {number(high)})"
