"""What goes into an index: the figures of one year, which of them can be used, and the city's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError, TableError
from geoplan.places import IndicatorTable, known_sums, totals, unit_scale
from geoplan.places.indicators import COLUMNS, KNOWN
from geoplan.risk.methods import How, between_domains, inside_domain, inside_part
from geoplan.risk.normalising import BY_RANK
from geoplan.risk.pipeline import Direction, oriented
from geoplan.risk.treatment import group_means
from geoplan.specs import DynamicsSpec, IndexSpec, IndicatorSpec

__all__ = [
    "Figures",
    "as_table",
    "at_period",
    "check_areas",
    "check_city",
    "check_spec",
    "check_targets",
    "city_values",
    "collect",
    "directions_of",
    "earlier_period",
    "fill",
    "measured_by_target",
    "must_be_indicators",
    "one_period",
    "relative_to",
    "relative_way",
    "rest_values",
]

UNSTATED = "unstated"
_MISSING_CODE = -999.0  # of the CDC/ATSDR and others
_AVERAGE_IS_0 = frozenset({"z_score", "normal_scores"})


@dataclass(frozen=True)
class Figures:
    """The figures of one period, areas × indicators.

    Attributes
    ----------
    usable
        Values that can be used; NaN where a figure is missing or its base too small.
    bases, statuses
        Denominators, and statuses as the table has them.
    population
        Residents by area; None where the table does not count them and nobody asked.
    small
        Indicator → areas whose base was under its minimum.
    """

    usable: pd.DataFrame
    bases: pd.DataFrame
    statuses: pd.DataFrame
    population: pd.Series | None
    small: Mapping[str, int]


# ---------------------------------------------------------------- the table


def as_table(frame: pd.DataFrame, spec: IndexSpec, period: str) -> IndicatorTable:
    """Read a plain frame, areas × indicators, as figures without counts.

    Raises
    ------
    SpecError
        When the index needs counts, or the columns are not its indicators.
    TableError
        When there are no rows, codes or columns stand twice, a column holds no finite numbers, or -999 in place of
        missing figures.
    """
    faults = Faults()
    for name in spec.indicators:
        if name not in frame:
            faults.add(checks.unknown_name("column", name, [str(c) for c in frame.columns], key="index.domains"))
    faults.raise_any()
    if frame.empty:
        raise TableError(Fault(what="the frame has no rows", expected="one row an area"))
    names = [*spec.indicators, *([spec.population] if spec.population in frame else [])]
    codes = _once_each(frame, names)
    for name in names:
        column = pd.to_numeric(frame[name], errors="coerce")
        if (column.isna() & frame[name].notna()).any():
            faults.add(
                TableError(Fault(what="the column holds texts", column=name, expected="numbers, NaN if missing"))
            )
        elif (column == _MISSING_CODE).any():
            what, hint = f"{int((column == _MISSING_CODE).sum())} areas have -999", "frame.replace(-999, float('nan'))"
            faults.add(TableError(Fault(what=what, column=name, expected="NaN where a figure is missing", hint=hint)))
        elif np.isinf(column.astype(float)).any():
            faults.add(TableError(Fault(what="the column holds infinite numbers", column=name, expected="finite ones")))
    faults.raise_any()
    wide = frame[names].astype(float)
    wide.index = codes
    data = wide.reset_index().melt("area_id", var_name="indicator", value_name="value")
    data["period"], data["numerator"], data["denominator"] = period, np.nan, np.nan
    data["status"] = np.where(data["value"].notna(), "observed", "not_collected")
    definitions = {name: _plain(name, spec) for name in names}
    return IndicatorTable(data[COLUMNS], definitions)


def _once_each(frame: pd.DataFrame, names: Sequence[str]) -> pd.Index:
    """Return the areas' codes; areas and columns must stand there once."""
    faults = Faults()
    for name in names:
        if list(frame.columns).count(name) > 1:
            fault = Fault(what="the column stands there twice", column=name, expected="one an indicator")
            faults.add(TableError(fault))
    codes = pd.Index(frame.index.astype(str), name="area_id")
    if codes.has_duplicates:
        code = codes[codes.duplicated()][0]
        faults.add(TableError(Fault(what="the area stands there twice", area=code, expected="one row an area")))
    faults.raise_any()
    return codes


def _plain(name: str, spec: IndexSpec) -> IndicatorSpec:
    """Define a bare column; its name may be written as no id of a file could be."""
    counts = name == spec.population
    direction = "neutral" if counts else spec.directions.get(name, "higher_is_worse")
    kind, unit = ("count", "persons") if counts else ("mean", "score")
    start = IndicatorSpec(id="x", label="x", kind=kind, unit=unit, direction=direction)  # type: ignore[arg-type]  # a text serves as a label
    return start.model_copy(update={"id": name})


def one_period(table: IndicatorTable, period: str | None) -> str:
    """Return the period to rank; where none is named, the only one there is.

    Raises
    ------
    SpecError
        When there are several.
    """
    if period is not None:
        return str(period)
    periods = table.periods()
    if len(periods) != 1:
        what = f"the table has {len(periods)} periods: {checks.listed(periods)}"
        raise SpecError(Fault(what=what, key="period", expected="the one to rank"))
    return periods[0]


def earlier_period(period: str, dynamics: DynamicsSpec) -> str:
    """Return the year that a period is compared with.

    Raises
    ------
    SpecError
        When the period is no year.

    Examples
    --------
    >>> earlier_period("2012", DynamicsSpec(years=2))
    '2010'
    """
    if not period.isdecimal():
        what = f"the ranked period is '{period}': no year lies {dynamics.years} years before it"
        raise SpecError(Fault(what=what, key="index.dynamics", expected="a period that is one year, such as 2012"))
    return str(int(period) - dynamics.years)


def check_spec(table: IndicatorTable, spec: IndexSpec, period: str, *, counted: bool) -> None:
    """Refuse what the table cannot give.

    Raises
    ------
    SpecError
        With all that does not fit.
    """
    faults = Faults()
    present = set(table.data["indicator"].unique())
    for number, domain in enumerate(spec.domains):
        for name in domain.indicators:
            key = f"index.domains.{number}.indicators"
            if name not in table.definitions or name not in present:
                faults.add(checks.unknown_name("indicator", name, present, key=key))
            elif table.definitions[name].direction == "neutral" and name not in spec.directions:
                what = f"'{name}' is neutral: it is neither better nor worse when higher"
                faults.add(SpecError(Fault(what=what, key=key, hint="leave it out of the index")))
            elif table.definitions[name].kind == "count":
                what = f"'{name}' is a count: it grows with the area, and no area is near the city's"
                faults.add(SpecError(Fault(what=what, key=key, hint="give it a base, as a share or a rate")))
    if counted and spec.population not in present:
        faults.add(checks.unknown_name("indicator", spec.population, present, key="index.population"))
    _periods_fit(table, spec, period, faults)
    for fault in [*_methods_fit(spec), *_units_mixed(table, spec)]:
        faults.add(SpecError(fault))
    faults.raise_any()


def _periods_fit(table: IndicatorTable, spec: IndexSpec, period: str, faults: Faults) -> None:
    """Find periods that the table does not have."""
    periods = set(table.data["period"].unique())
    named = [("period", period), ("index.base", spec.base)]
    if spec.dynamics is not None:
        with faults.catch():
            named.append(("index.dynamics.years", earlier_period(period, spec.dynamics)))
    for key, value in named:
        if value is not None and value not in periods:
            faults.add(checks.unknown_name("period of the table", value, table.data["period"], key=key))


def _methods_fit(spec: IndexSpec) -> list[Fault]:
    """Find steps that make no sense together."""
    inside = [inside_part(spec, part.combine) for domain in spec.domains for part in domain.parts or (domain,)]
    nodes = [*inside, *(inside_domain(spec, d) for d in spec.domains if d.parts), between_domains(spec)]
    used = {how.normalisation for how in nodes}
    found = []
    lacking = [name for name in measured_by_target(spec) if name not in spec.targets]
    if lacking:
        what = f"no target for {checks.listed(lacking)}"
        found.append(Fault(what=what, key="index.targets", expected="the target of each indicator, in its unit"))
    if spec.base is not None and used & BY_RANK:
        what = f"a base year says nothing to {checks.listed(sorted(used & BY_RANK))}: ranks are made anew each year"
        found.append(Fault(what=what, key="index.base", hint="leave it out, or use relative, z_score or min_max"))
    if any(how.normalisation == "relative" for how in inside) and "log" in spec.treatment.outliers:
        what = "a logarithm is not relative to the city's value"
        found.append(Fault(what=what, key="index.treatment.outliers", expected="none or winsorise"))
    if spec.favourable == "after" and not {how.normalisation for how in inside} <= {"percentile", "min_max"}:
        what = "only percentile ranks and min_max can be turned after they have been made"
        found.append(Fault(what=what, key="index.favourable", expected="complement or reciprocal"))
    found += _ways_fit(spec, nodes)
    if between_domains(spec).normalisation == "relative":
        what = "domains have no city value to be normalised by"
        found.append(Fault(what=what, key="index.between.normalisation", expected="none, z_score, rank_exponential …"))
    if between_domains(spec).normalisation == "distance_to_target":
        what = "domains have no target"
        found.append(Fault(what=what, key="index.between.normalisation", expected="none, z_score, rank_exponential …"))
    return found


def _units_mixed(table: IndicatorTable, spec: IndexSpec) -> list[Fault]:
    """Find indicators of unlike units that would be added up as they are."""
    found = []
    for number, domain in enumerate(spec.domains):
        for part in domain.parts or (domain,):
            units = {table.definitions[name].unit for name in part.indicators if name in table.definitions}
            if len(units) > 1 and inside_part(spec, part.combine).normalisation == "none":
                what = f"the indicators of '{part.id}' have unlike units: {checks.listed(sorted(units))}"
                hint = 'inside = { normalisation = "z_score" } under [index] puts them on one scale'
                found.append(Fault(what=what, key=f"index.domains.{number}.indicators", hint=hint))
    return found


def _ways_fit(spec: IndexSpec, nodes: Sequence[How]) -> list[Fault]:
    """Find ways of weighing, and of missing parts, that are not those of the figures they meet."""
    found = []
    of_factor = [how for how in nodes if how.weighting == "one_factor"]
    if any(how.normalisation not in _AVERAGE_IS_0 for how in of_factor):
        what = "one_factor is made from standardised figures"
        found.append(Fault(what=what, key="index.inside.normalisation", expected="normal_scores or z_score"))
    if any(how.aggregation != "sum" for how in of_factor):
        what = "scores of one_factor are sums of the figures times their coefficients"
        found.append(Fault(what=what, key="index.inside.aggregation", expected="sum, or nothing"))
    if key := _zero_not_average(spec):
        what = "a missing part can count as the average only where that is 0: of z_score and normal_scores"
        found.append(Fault(what=what, key=key, expected="left_out"))
    if spec.treatment.groups is not None and spec.treatment.impute == "none":
        what = "groups are named and nothing is imputed"
        found.append(Fault(what=what, key="index.treatment.groups", expected='impute = "group_mean", or no groups'))
    return found


def _zero_not_average(spec: IndexSpec) -> str:
    """Return the key of a step where a missing part counts as 0 and 0 is not the average; empty where all fit."""
    every = True
    for number, domain in enumerate(spec.domains):
        hows = [inside_part(spec, part.combine) for part in domain.parts or (domain,)]
        centred = [how.normalisation in _AVERAGE_IS_0 for how in hows]
        if any(how.missing == "average" and not fits for how, fits in zip(hows, centred, strict=True)):
            own = any(part.combine for part in domain.parts or (domain,))
            return f"index.domains.{number}.combine.missing" if own else "index.inside.missing"
        above = inside_domain(spec, domain) if domain.parts else How()
        whole = above.normalisation in _AVERAGE_IS_0 or (above.normalisation == "none" and all(centred))
        if above.missing == "average" and not whole:
            return f"index.domains.{number}.combine.missing"
        every &= whole
    top = between_domains(spec)
    fits = top.normalisation in _AVERAGE_IS_0 or (top.normalisation == "none" and every)
    return "" if fits or top.missing != "average" else "index.between.missing"


def measured_by_target(spec: IndexSpec) -> list[str]:
    """Return the indicators whose distance to a target is taken."""
    parts = [part for domain in spec.domains for part in domain.parts or (domain,)]
    by_target = [part for part in parts if inside_part(spec, part.combine).normalisation == "distance_to_target"]
    return [name for part in by_target for name in part.indicators]


def check_targets(spec: IndexSpec, directions: Mapping[str, Direction]) -> None:
    """Refuse a target that has no value when it is turned as the figures are.

    Raises
    ------
    SpecError
        With all such targets.
    """
    faults = Faults()
    for name in measured_by_target(spec):
        if directions[name].way == "reciprocal" and spec.targets[name] <= 0:
            what = f"the target of '{name}' is {spec.targets[name]:g}, and city / area has no value there"
            hint = 'favourable = "complement" turns by sign'
            faults.add(SpecError(Fault(what=what, key=f"index.targets.{name}", expected="more than 0", hint=hint)))
    faults.raise_any()


# ---------------------------------------------------------------- figures


def at_period(table: IndicatorTable, period: str) -> IndicatorTable:
    """Keep one period."""
    parts = table.parts
    if parts is not None:
        parts = parts[parts["period"] == period]
    return IndicatorTable(table.data[table.data["period"] == period], table.definitions, parts)


def collect(now: IndicatorTable, spec: IndexSpec, areas: pd.Index, period: str, *, counted: bool) -> Figures:
    """Take the figures that are known and stand on a base large enough."""
    names = list(spec.indicators)
    wanted = [*names, spec.population] if counted else names
    cells = {
        column: now.wide(period, column).reindex(index=areas, columns=wanted)
        for column in ("value", "denominator", "status")
    }
    values = cells["value"][names].where(cells["status"][names].isin(KNOWN)).astype(float)
    bases = cells["denominator"][names].astype(float)
    small = {}
    for name in names:
        under = bases[name] < float(now.definitions[name].minimum_base or 0)
        under &= values[name].notna()
        values.loc[under, name] = np.nan
        if under.any():
            small[name] = int(under.sum())
    population = cells["value"][spec.population] if counted else None
    return Figures(values, bases, cells["status"][names], population, small)


def directions_of(spec: IndexSpec, definitions: Mapping[str, IndicatorSpec]) -> list[Direction]:
    """Return how each indicator enters, so that higher is worse."""
    relative = {
        name: inside_part(spec, part.combine).normalisation == "relative"
        for domain in spec.domains
        for part in domain.parts or (domain,)
        for name in part.indicators
    }
    found = []
    for name in spec.indicators:
        item = definitions[name]
        top = unit_scale(item.unit)
        if spec.directions.get(name, item.direction) == "higher_is_worse":
            way = "as is"
        elif spec.favourable == "after":
            way = "after"
        elif spec.favourable == "complement" and item.kind == "share":
            way = "complement"
        else:
            way = "reciprocal" if relative[name] or spec.favourable == "reciprocal" else "negative"
        found.append(Direction(way, top))
    return found


def relative_way(item: IndicatorSpec, spec: IndexSpec) -> str:
    """Return how an indicator enters where it is put relative to the city: see :class:`Direction`."""
    if item.direction == "higher_is_worse":
        return "as is"
    return "complement" if item.kind == "share" and spec.favourable == "complement" else "reciprocal"


def relative_to(
    values: pd.DataFrame,
    city: pd.DataFrame | pd.Series,
    ways: Mapping[str, str],
    definitions: Mapping[str, IndicatorSpec],
) -> pd.DataFrame:
    """Put values relative to the city's (a Series), or to an area's own measure (a frame like ``values``): 100 × ratio.

    Examples
    --------
    >>> poor = IndicatorSpec(id="poor", label="Poor", kind="share", unit="pct", direction="higher_is_worse")
    >>> values = pd.DataFrame({"poor": [20.0, 5.0]})
    >>> relative_to(values, pd.Series({"poor": 10.0}), {"poor": "as is"}, {"poor": poor})["poor"].tolist()
    [200.0, 50.0]
    """
    names = list(ways)
    directions = [Direction(ways[name], unit_scale(definitions[name].unit)) for name in names]
    with np.errstate(divide="ignore", invalid="ignore"):
        against = oriented(city[names].to_numpy(dtype=float), directions)
        ratio = 100 * oriented(values[names].to_numpy(dtype=float), directions) / against
    return pd.DataFrame(np.where(np.isfinite(ratio), ratio, np.nan), values.index, names)


def fill(figures: Figures, spec: IndexSpec, groups: pd.Series | None) -> tuple[pd.DataFrame, dict[str, int]]:
    """Fill gaps with the mean of the group, in domains of which enough is known without; return what was filled.

    Raises
    ------
    SpecError
        When groups are named and not given, or an area lies in two.
    """
    nothing = figures.usable.where(figures.usable.isna() & figures.usable.notna())
    if spec.treatment.impute == "none":
        return nothing, {}
    if spec.treatment.groups is not None and groups is None:
        what = f"which area lies in which '{spec.treatment.groups}' is not known"
        raise SpecError(Fault(what=what, key="index.treatment.groups", hint="give `groups`, area → group"))
    codes = np.zeros(len(figures.usable), dtype=int)
    if groups is not None:
        if groups.index.has_duplicates:
            area = str(groups.index[groups.index.duplicated()][0])
            what = "the area lies in two groups"
            raise SpecError(Fault(what=what, key="index.treatment.groups", area=area, expected="one group an area"))
        codes = pd.factorize(groups.reindex(figures.usable.index))[0]  # -1 for none
    complete = group_means(figures.usable.to_numpy(), figures.bases.to_numpy(), codes)
    filled = pd.DataFrame(complete, figures.usable.index, figures.usable.columns).where(figures.usable.isna())
    for domain in spec.domains:
        names, weights = list(domain.indicators), np.array(list(domain.indicators.values()))
        have = figures.usable[names].notna().to_numpy() @ weights
        filled.loc[have < spec.minimum_available * weights.sum() - 1e-12, names] = np.nan
    return filled, {str(name): int(count) for name, count in filled.notna().sum().items() if count}


# ---------------------------------------------------------------- the table


def must_be_indicators(table: object) -> None:
    """Refuse what is no table of indicators, such as its rows alone, which do not say what they count.

    Raises
    ------
    SpecError
        When it is anything else.
    """
    if not isinstance(table, IndicatorTable):
        hint = "hand in the table itself, not its `.data`" if isinstance(table, pd.DataFrame) else None
        what = f"{type(table).__name__} is no table of indicators"
        raise SpecError(Fault(what=what, key="table", expected="an IndicatorTable", hint=hint))


# ---------------------------------------------------------------- the city


def city_values(now: IndicatorTable, spec: IndexSpec, group: pd.Index, period: str, *, counted: bool) -> pd.DataFrame:
    """Return what the reference areas have together, one row an indicator; without counts nothing is known of it."""
    names = [*spec.indicators, *([spec.population] if counted else [])]
    rows = now.finest[now.finest["indicator"].isin(names)]
    kinds = rows["indicator"].map({name: item.kind for name, item in now.definitions.items()})
    bare = rows["status"].isin(KNOWN) & (kinds != "count") & rows["denominator"].isna()
    bare_names = set(rows.loc[bare, "indicator"])
    usable = IndicatorTable(
        now.data[~now.data["indicator"].isin(bare_names)],
        now.definitions,
        None if now.parts is None else now.parts[~now.parts["indicator"].isin(bare_names)],
    )
    if not len(usable.data):
        columns = ["numerator", "denominator", "value", "status", "areas", "areas_missing", "coverage"]
        return pd.DataFrame(index=pd.Index(names, name="indicator"), columns=columns).astype({"value": float})
    return totals(usable, group).xs(period, level="period").reindex(names)


def check_city(city: pd.DataFrame, directions: Mapping[str, Direction], relative: set[str]) -> None:
    """Refuse an indicator that the city's value makes meaningless.

    Raises
    ------
    TableError
        With all such indicators.
    """
    faults = Faults()
    for name, row in city.iterrows():
        if str(name) not in relative:
            continue
        value, how = row["value"], directions[str(name)]
        if pd.isna(value):
            what, hint = (
                f"the city's value of '{name}' is not known",
                "it is made from counts: give them, choose another period, or a method other than relative",
            )
        elif how.way == "complement" and value >= how.top:
            what, hint = f"the city's value of '{name}' is {value:g}: nobody is without it", "leave the indicator out"
        elif how.way != "complement" and value <= 0:
            what, hint = f"the city's value of '{name}' is {value:g}, so nothing is relative to it", "leave it out"
        else:
            continue
        faults.add(TableError(Fault(what=what, hint=hint)))
    faults.raise_any()


def check_areas(values: pd.DataFrame, directions: Mapping[str, Direction]) -> None:
    """Refuse figures that cannot enter as they should, and indicators of which nothing is known.

    Raises
    ------
    TableError
        With one area an indicator.
    """
    faults = Faults()
    for name, how in directions.items():
        known = values[name].dropna()
        if known.empty:
            hint = "leave the indicator out, or choose another period"
            faults.add(TableError(Fault(what=f"no area that is ranked has a figure of '{name}'", hint=hint)))
        zero = known.index[known <= 0]
        if how.way == "reciprocal" and len(zero):
            fault = Fault(
                what=f"'{name}' is {known[zero[0]]:g} and is better when higher: city / area has no value",
                area=str(zero[0]),
                hint="give the cell a status, or leave the indicator out of the index",
            )
            faults.add(TableError(fault))
    faults.raise_any()


def rest_values(now: IndicatorTable, values: pd.DataFrame, city: pd.DataFrame, group: pd.Index) -> pd.DataFrame:
    """Return the value of the city without the area itself, area by area."""
    own = known_sums(now)
    period = str(now.data["period"].iloc[0])
    base = own.wide(period, "denominator").reindex_like(values).astype(float)
    value = own.wide(period).reindex_like(values).astype(float)
    # An area outside the city, or one that brings nothing known to it, leaves the city as it is.
    brings = pd.DataFrame(values.index.isin(group)[:, None] & value.notna(), values.index, values.columns)
    base, value = base.where(brings, 0.0), value.where(brings, 0.0)
    whole = city.loc[list(values.columns)]
    left = whole["denominator"] - base
    rest = whole["value"] * whole["denominator"] - value * base
    return (rest / left).where(left > 0)
