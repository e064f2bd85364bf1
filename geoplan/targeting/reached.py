"""Who is reached: how many of those in need live in the chosen areas, and how many who live there are in need."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SpecError, listed
from geoplan.places import IndicatorTable
from geoplan.specs import IndicatorSpec
from geoplan.targeting.curves import area_under, curve_of, levels_of
from geoplan.targeting.needs import Needs, added, completeness_of, efficiency_of, needs_of, tail_of
from geoplan.targeting.rules import Selection
from geoplan.targeting.wording import number

__all__ = ["Reached", "ReachedComparison", "compare_reached", "who_is_reached"]

Per = Literal["base", "residents"]
_PER = ("base", "residents")
_OUTSIDE = "outside"
_CHANCE = 0.05


@dataclass(frozen=True)
class Reached:
    """Who is reached by a choice of areas.

    Attributes
    ----------
    figures
        Index ``chosen``, ``outside``, ``whole``. Columns ``areas``, ``units`` (int: smallest areas), ``residents``,
        ``base`` (those who could be in need), ``need`` (people in need, an estimate where some are hidden),
        ``need_low``, ``need_high`` (float; the hidden ones counted as nobody, and as everybody whom they could be),
        ``share`` (need of base, 0-1), ``missing`` (int: units whose need is not known).
    completeness, completeness_low, completeness_high
        Share (0-1) of all people in need who live in chosen areas.
    efficiency, efficiency_low, efficiency_high
        Share (0-1) of the people in chosen areas who are in need; ``per`` says of whom.
    status
        ``observed`` when every count is known, else ``estimated``.
    missing
        Units whose need is not known: ``area, status, reason, residents, need_low, need_high, chosen`` (bool).
    levels
        Index: level, the smallest areas among them where the table has any. ``areas`` (int), ``chosen`` (int: those
        that hold a chosen one), ``residents, need, completeness, completeness_low, completeness_high, efficiency``: if
        whole areas of the level were chosen; ``best_completeness, best_efficiency`` (0-1): if the same number of people
        (``per``) were chosen at this level by their share in need, the last area in part.
    curve
        Areas in order. ``place`` (int, from 1), ``score``, ``chosen`` (bool), and of it with all before it
        ``residents, base, need, reach`` (share of all of ``per``), ``completeness, completeness_low,
        completeness_high, efficiency`` and ``best`` (the completeness of the best order, for as many people).
    best
        The same areas in the best order, by share in need: ``place, reach, completeness, efficiency``.
    area_under, area_under_best
        Area under both curves, completeness over reach; a choice by lot gives 0.5.
    pockets
        Units outside the chosen areas whose share in need is at least ``pocket_limit``: ``area, residents, base, need,
        share`` (0-1), ``chance`` (how likely so many or more would be, if its people were in need with that limit as
        their probability), ``sure`` (bool: ``chance`` is at most the given one), ``status``. Surest first.
    pocket_limit
        A share (0-1).
    looked_at
        Number of units outside whose share is known.
    chosen, undecided
        The areas that are chosen, and those of which the rule could not tell: they count as not chosen.
    need, period, per
        What was counted: the definition of the indicator, the period, and of whom efficiency is a share.
    complement
        Whether those are counted whom the indicator does not count.
    """

    figures: pd.DataFrame
    completeness: float
    completeness_low: float
    completeness_high: float
    efficiency: float
    efficiency_low: float
    efficiency_high: float
    status: Literal["observed", "estimated"]
    missing: pd.DataFrame = field(repr=False)
    levels: pd.DataFrame
    curve: pd.DataFrame = field(repr=False)
    best: pd.DataFrame = field(repr=False)
    area_under: float
    area_under_best: float
    pockets: pd.DataFrame = field(repr=False)
    pocket_limit: float
    looked_at: int
    chosen: tuple[str, ...]
    undecided: tuple[str, ...]
    need: IndicatorSpec = field(repr=False)
    period: str
    per: Per
    complement: bool

    @property
    def of_best(self) -> float:
        """Which part the order reaches of what the best order gains over a choice by lot; NaN where nothing is to gain.

        Below 0 it is worse than by lot.
        """
        gain = self.area_under_best - 0.5
        return (self.area_under - 0.5) / gain if gain > 0 else math.nan

    def lines(self, *, names: Mapping[str, str] | pd.Series | None = None, language: str = "en") -> list[str]:
        """Say in sentences who is reached, what is not known, what levels reach, and which pockets lie outside."""
        return _lines(self, dict(names) if names is not None else {}, language)


def who_is_reached(
    table: IndicatorTable,
    chosen: Selection | Iterable[str],
    need: str,
    *,
    period: str | int | None = None,
    population: str = "population",
    per: Per = "base",
    order: pd.Series | None = None,
    levels: Mapping[str, IndicatorTable | pd.Series] | None = None,
    pocket_limit: float | None = None,
    pocket_chance: float = _CHANCE,
    hidden_at_most: int | None = None,
) -> Reached:
    r"""Work out who is reached by a choice of areas, and who is left outside.

    With :math:`y_u` people in need of :math:`n_u` in the smallest areas *u*, and *C* those in the chosen areas,

    .. math::

        \text{completeness} = \frac{\sum_{u \in C} y_u}{\sum_u y_u}, \qquad
        \text{efficiency} = \frac{\sum_{u \in C} y_u}{\sum_{u \in C} n_u}

    A unit in two chosen areas counts once. A count that is missing is never zero: the shares are given as a range, from
    nobody there to everybody, and the estimate takes it that as many are in need as among the known ones of its area.

    Parameters
    ----------
    table
        The indicators of the areas; those merged from smaller ones keep these in ``parts``, and the smaller ones count.
    chosen
        What a rule says, or codes of areas.
    need
        A share with counts, or a count. Of a share that is better when higher, those are counted who are not in it.
    period
        The period; the selection's, or the table's only one, when left out.
    population
        The indicator that counts residents.
    per
        Of whom efficiency is a share: ``base``, the people of the indicator's base, such as those aged 20-64; or
        ``residents``, all of them. A count has residents as its base. It is the measure along the curve, too.
    order
        Area → score, the highest first, for the curve; the share in need when left out. Areas without one come last.
    levels
        Level → its areas: a table merged from the same smallest areas, or a series area (or smallest area) → the area
        of that level.
    pocket_limit
        Share in need (0-1) from which on a unit outside is a pocket; that of the chosen areas when left out.
    pocket_chance
        A pocket is sure when so high a count is no likelier than this by chance, if its people were in need with the
        limit as their probability: the binomial tail, exact, for each unit by itself.
    hidden_at_most
        A suppressed count is no larger than this, such as 4 where counts below 5 are hidden.

    Returns
    -------
    Reached

    Raises
    ------
    SpecError
        When the table lacks the indicator, the period or an area that is chosen, when the indicator does not count
        people, or an argument is out of range.
    IdError
        When a level shares no code with the table.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> run = open_run("scenarios/fjordbo.toml")
    >>> codes = run.areas().index[:4]
    >>> reached = who_is_reached(run.indicators(), codes, "outside_work_18_64", period=2012)
    >>> round(reached.completeness, 3), round(reached.efficiency, 3), len(reached.missing)
    (0.33, 0.406, 0)
    """
    when = _period(table, chosen, period)
    _in_range(per, pocket_limit, pocket_chance)
    needs = needs_of(table, need, period=when, population=population, hidden_at_most=hidden_at_most)
    codes, undecided = _codes(chosen, needs)
    inside = needs.inside(codes)
    own, outside = added(needs.units, inside), added(needs.units, ~inside)
    complete, efficient = completeness_of(own, outside), efficiency_of(own, per)
    curve, best = curve_of(needs, order, set(codes), per)
    limit = ratio_of(own) if pocket_limit is None else pocket_limit
    doubts = needs.units["status"].isin(["observed", "not_applicable"])
    return Reached(
        figures=_figures(needs, codes, own, outside),
        completeness=complete[0],
        completeness_low=complete[1],
        completeness_high=complete[2],
        efficiency=efficient[0],
        efficiency_low=efficient[1],
        efficiency_high=efficient[2],
        status="observed" if doubts.all() and needs.units["known"].all() else "estimated",
        missing=_missing(needs, inside),
        levels=levels_of(table, needs, inside, levels or {}, per, own),
        curve=curve,
        best=best,
        area_under=area_under(curve),
        area_under_best=area_under(best),
        pockets=_pockets(needs, inside, limit, pocket_chance),
        pocket_limit=limit,
        looked_at=int((~inside & needs.units["known"] & (needs.units["base"] > 0)).sum()),
        chosen=tuple(codes),
        undecided=undecided,
        need=needs.item,
        period=when,
        per=per,
        complement=needs.complement,
    )


# ---------------------------------------------------------------- what is handed in


def _period(table: IndicatorTable, chosen: Selection | Iterable[str], period: str | int | None) -> str:
    if period is not None:
        return str(period)
    if isinstance(chosen, Selection):
        return chosen.period
    periods = table.periods()
    if len(periods) != 1:
        what = f"the table has {len(periods)} periods: {checks.listed(periods)}"
        raise SpecError(Fault(what=what, key="period", expected="the one to count"))
    return periods[0]


def _in_range(per: str, limit: float | None, chance: float) -> None:
    if per not in _PER:
        raise checks.unknown_name("base of efficiency", per, _PER, key="per")
    if limit is not None and not 0 < limit <= 1:
        what = f"{limit:g} is no share of people in need"
        raise SpecError(Fault(what=what, key="pocket_limit", expected="a number above 0, at most 1"))
    if not 0 < chance < 1:
        what = f"{chance:g} is no probability to be sure by"
        raise SpecError(Fault(what=what, key="pocket_chance", expected="a number between 0 and 1, such as 0.05"))


def _codes(chosen: Selection | Iterable[str], needs: Needs) -> tuple[list[str], tuple[str, ...]]:
    """Return the chosen areas in the order of their codes, and those of which the rule could not tell."""
    if isinstance(chosen, str):
        what = f"one text is no list of areas: '{chosen}'"
        raise SpecError(Fault(what=what, key="chosen", expected="codes of areas, or what `select` returns"))
    undecided = tuple(chosen.unknown) if isinstance(chosen, Selection) else ()
    codes = sorted({str(code) for code in (chosen.chosen if isinstance(chosen, Selection) else chosen)})
    areas = set(needs.pairs["area"])
    for code in [*codes, *undecided]:
        if code not in areas:
            raise checks.unknown_name("area of the table", code, areas, key="chosen")
    return codes, undecided


def ratio_of(sums: Mapping[str, float]) -> float:
    """Return the share in need; NaN of nobody."""
    return sums["need"] / sums["base"] if sums["base"] > 0 else math.nan


def _figures(needs: Needs, codes: list[str], own: dict[str, float], outside: dict[str, float]) -> pd.DataFrame:
    whole = {name: own[name] + outside[name] for name in own}
    many = len(set(needs.pairs["area"]))
    rows = []
    for areas, sums in ((len(codes), own), (many - len(codes), outside), (many, whole)):
        told = {"areas": areas, "units": int(sums["units"]), "residents": sums["residents"], "base": sums["base"]}
        told |= {"need": sums["need"], "need_low": sums["low"], "need_high": sums["high"], "share": ratio_of(sums)}
        rows.append(told | {"missing": int(sums["missing"])})
    return pd.DataFrame(rows, index=["chosen", _OUTSIDE, "whole"])


def _missing(needs: Needs, inside: pd.Series) -> pd.DataFrame:
    units = needs.units.rename(columns={"low": "need_low", "high": "need_high"}).assign(chosen=inside)
    columns = ["area", "status", "reason", "residents", "need_low", "need_high", "chosen"]
    return units.loc[~units["known"], columns]


# ---------------------------------------------------------------- pockets


def _pockets(needs: Needs, inside: pd.Series, limit: float, chance: float) -> pd.DataFrame:
    """Find small areas outside in which as many are in need as inside."""
    units = needs.units[~inside & needs.units["known"] & (needs.units["base"] > 0)]
    own = units[["area", "residents", "base", "need"]].assign(share=units["need"] / units["base"])
    own["chance"] = tail_of(own["need"].to_numpy(), own["base"].to_numpy(), limit) if limit <= 1 else math.nan
    own["sure"] = own["chance"] <= chance
    own["status"] = units["status"]
    found = own[own["share"] >= limit].rename_axis("area_id").reset_index()
    return found.sort_values(["chance", "area_id"], kind="stable").set_index("area_id")


# ---------------------------------------------------------------- several choices


@dataclass(frozen=True)
class ReachedComparison:
    """Several choices side by side.

    Attributes
    ----------
    table
        Index: name of the choice, in the order given. ``areas`` (int), ``residents, need, need_low, need_high,
        completeness, completeness_low, completeness_high, efficiency, efficiency_low, efficiency_high`` (float),
        ``pockets``, ``sure_pockets``, ``undecided`` (int); and beside the first choice ``both``, ``only_first``,
        ``only_this`` (int, areas) and ``need_only_first``, ``need_only_this`` (float: people in need whom one reaches
        and the other does not).
    results
        Name → :class:`Reached`.
    """

    table: pd.DataFrame
    results: Mapping[str, Reached] = field(repr=False)

    def lines(self, *, language: str = "en") -> list[str]:
        """Say in a sentence each what the choices reach, and how they differ from the first."""
        first, said = self.table.index[0], []
        for name, row in self.table.iterrows():
            result = self.results[str(name)]
            who = _who(result, language)
            text = (
                f"{name}: {_many(int(row['areas']), 'area')}, {_percent(result, 'completeness')} of all in need ({who})"
            )
            text += f", {_percent(result, 'efficiency')} of those inside are"
            if name != first:
                text += f"; {_many(int(row['both']), 'area')} as in {first}, {_many(int(row['only_this']), 'other')}"
                text += f", without {int(row['only_first'])} of its areas"
            said.append(text)
        return said


def compare_reached(
    table: IndicatorTable, choices: Mapping[str, Selection | Iterable[str]], need: str, **options: Any
) -> ReachedComparison:
    """Put several choices side by side: what each reaches, and how far it agrees with the first.

    Parameters
    ----------
    table
        The indicators of the areas.
    choices
        Name, such as that of a rule → what the rule says, or codes of areas.
    need
        What is counted.
    **options
        As of :func:`who_is_reached`.

    Raises
    ------
    SpecError
        When there is no choice, or as :func:`who_is_reached`.

    Examples
    --------
    >>> from geoplan.run import open_run
    >>> table = open_run("scenarios/fjordbo.toml").indicators()
    >>> codes = sorted(table.data["area_id"].unique())
    >>> choices = {"three": codes[:3], "others": codes[2:4]}
    >>> compare_reached(table, choices, "outside_work_18_64", period=2012).table["both"].tolist()
    [3, 1]
    """
    if not choices:
        raise SpecError(Fault(what="there is no choice to compare", key="choices", expected="name → areas"))
    kept = {name: own if isinstance(own, Selection | str) else list(own) for name, own in choices.items()}
    results = {name: who_is_reached(table, own, need, **options) for name, own in kept.items()}
    head = next(iter(results.values()))
    places = needs_of(table, need, period=head.period, population=options.get("population", "population"),
                      hidden_at_most=options.get("hidden_at_most"))  # fmt: skip
    first = places.inside(head.chosen)
    rows = {}
    for name, result in results.items():
        here = places.inside(result.chosen)
        rows[name] = {
            "areas": len(result.chosen),
            **result.figures.loc["chosen", ["residents", "need", "need_low", "need_high"]].to_dict(),
            **{key: getattr(result, key) for key in ("completeness", "completeness_low", "completeness_high")},
            **{key: getattr(result, key) for key in ("efficiency", "efficiency_low", "efficiency_high")},
            "pockets": len(result.pockets),
            "sure_pockets": int(result.pockets["sure"].sum()),
            "undecided": len(result.undecided),
            "both": len(set(result.chosen) & set(head.chosen)),
            "only_first": len(set(head.chosen) - set(result.chosen)),
            "only_this": len(set(result.chosen) - set(head.chosen)),
            "need_only_first": float(places.units.loc[first & ~here, "need"].sum()),
            "need_only_this": float(places.units.loc[here & ~first, "need"].sum()),
        }
    return ReachedComparison(pd.DataFrame.from_dict(rows, orient="index").rename_axis("choice"), results)


# ---------------------------------------------------------------- in words


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _who(found: Reached, language: str) -> str:
    label = found.need.label.to(language)
    return f"not in: {label}" if found.complement else label


def _percent(found: Reached, what: str) -> str:
    low, mid, high = (100 * getattr(found, name) for name in (f"{what}_low", what, f"{what}_high"))
    if math.isnan(mid):
        return "not known what share"
    text = f"{mid:.1f} %"
    return text if high - low < 0.05 else f"{text} (from {low:.1f} to {high:.1f} %)"  # noqa: PLR2004  what one sees


def _lines(found: Reached, names: Mapping[str, str], language: str) -> list[str]:
    own, whole = found.figures.loc["chosen"], found.figures.loc["whole"]
    about = "about " if found.status == "estimated" else ""
    count = f"{about}{number(round(own['need']))} of {number(round(whole['need']))}"
    areas = f"the {int(own['areas'])} chosen of {_many(int(whole['areas']), 'area')}"
    who = f"{_who(found, language)}, {found.period}"
    said = [f"{who}: {count} live in {areas}: {_percent(found, 'completeness')}"]
    counted = "live in the chosen areas" if found.per == "residents" else "are counted in the chosen areas"
    said.append(
        f"{number(round(own[found.per]))} people {counted}: {_percent(found, 'efficiency')} of them are in need"
    )
    if len(found.missing):
        people = number(float(found.missing["residents"].sum()))
        verb = "area has" if len(found.missing) == 1 else "areas have"
        told = listed([names.get(code, code) for code in found.missing.index])
        said.append(f"{len(found.missing)} small {verb} no count ({people} residents), hence the range: {told}")
    if found.undecided:
        told = listed([names.get(code, code) for code in found.undecided])
        said.append(f"Counted as not chosen, since the rule cannot tell: {told}")
    for level, row in found.levels.iloc[1:].iterrows():
        if not row["chosen"]:
            said.append(f"{level}: none of {int(row['areas'])} holds a chosen one")
            continue
        said.append(
            f"{level}: {int(row['chosen'])} of {int(row['areas'])} hold a chosen one; whole, they reach "
            f"{100 * row['completeness']:.1f} % at {100 * row['efficiency']:.1f} %; the best choice at this level of "
            f"as many people as are chosen now reaches {100 * row['best_completeness']:.1f} %"
        )
    if not math.isnan(found.of_best):
        said.append(f"The order reaches {100 * found.of_best:.0f} % of what the best order gains over a choice by lot")
    return [*said, *_pocket_lines(found, names)]


def _pocket_lines(found: Reached, names: Mapping[str, str]) -> list[str]:
    """Name the pockets that are sure; count those that may be chance."""
    if math.isnan(found.pocket_limit):
        return ["No pockets were looked for: no area is chosen to compare with"]
    sure, many = found.pockets[found.pockets["sure"]], len(found.pockets)
    limit = f"{100 * found.pocket_limit:.1f} %"
    said = [f"Pockets outside, at {limit} or more: {many} of {found.looked_at} small areas, {len(sure)} of them surely"]
    for code, row in sure.iterrows():
        area = names.get(row["area"], row["area"])
        where = "" if row["area"] == code else f" in {area}"
        count = f"{number(round(row['need']))} of {number(round(row['base']))}"
        said.append(f"Pocket: {names.get(str(code), code)}{where}, {count} ({100 * row['share']:.1f} %)")
    if many > len(sure):
        more = "1 more lies" if many - len(sure) == 1 else f"{many - len(sure)} more lie"
        said.append(f"{more} as high, but with so few people that it may be chance")
    return said
