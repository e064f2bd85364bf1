"""One scenario, from its file to its index; nothing is computed before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, InputError, SpecError
from geoplan.places import (
    AreaReport,
    Combination,
    Crosswalk,
    IndicatorTable,
    JoinReport,
    NestingReport,
    Protection,
    as_crs,
    assign_largest_overlap,
    check_membership,
    check_nesting,
    combine,
    crosswalk,
    moved_lines,
    parents_at,
)
from geoplan.risk import IndexResult, RankUncertainty, risk_index
from geoplan.run.certainty import uncertainty_of
from geoplan.run.choosing import certainty_of, rule_of, selections_of
from geoplan.run.datasets import (
    read_areas,
    read_crosswalk,
    read_features,
    read_membership,
    read_weights,
)
from geoplan.run.geography import Tie, extent_of, levels_above, nesting_of, notes_on
from geoplan.run.levelling import at_ranked_level, joined, level_of, people_of
from geoplan.run.matching import layer_of_kind, siblings
from geoplan.run.publishing import as_public, periods_of, protect_run, unnamed_levels, without_parts
from geoplan.run.standing import Standing, standing_of
from geoplan.run.styling import style_of
from geoplan.run.travel_layers import layers_of_travel
from geoplan.show import Style
from geoplan.sources import Catalogue, Dataset
from geoplan.specs import (
    AreasLayer,
    BackdropLayer,
    CrosswalkLayer,
    IndicatorsLayer,
    Layer,
    MapSpec,
    MembershipLayer,
    PointsLayer,
    RasterLayer,
    ScenarioSpec,
)
from geoplan.targeting import DesignationCertainty, Selection

if TYPE_CHECKING:
    from geoplan.run.reaching import Reach

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """A scenario with everything it refers to.

    Attributes
    ----------
    name, path
        The scenario's id and file.
    catalogue
        The project it belongs to.
    spec
        What it says.
    """

    name: str
    path: Path
    catalogue: Catalogue
    spec: ScenarioSpec

    # Each step is computed once, on first use; cached_property writes to __dict__, which a frozen dataclass allows.

    @cached_property
    def _datasets(self) -> dict[str, Dataset]:
        """Find every layer the scenario names, and check that each is of the kind its place asks for."""
        wanted: list[tuple[str, str, type[Layer]]] = []
        wanted += [("areas.layers", name, AreasLayer) for name in self.spec.areas.layers]
        wanted += [("areas.membership", name, MembershipLayer) for name in self.spec.areas.membership]
        wanted += [("areas.backdrop", name, BackdropLayer) for name in self.spec.areas.backdrop]
        wanted += [("indicators.layers", name, IndicatorsLayer) for name in self.spec.indicators.layers]
        wanted += [("areas.crosswalk", name, CrosswalkLayer) for name in self.spec.areas.crosswalk]
        assign = self.spec.areas.assign
        if assign:
            wanted.append(("areas.assign.layer", assign.layer, AreasLayer))
            if assign.weights:
                weights = RasterLayer if assign.method == "raster" else PointsLayer
                wanted.append(("areas.assign.weights", assign.weights, weights))
        faults, found = Faults(), {}
        for key, name, kind in [*wanted, *layers_of_travel(self.spec)]:
            with faults.catch(file=self.shown, key=key):
                found[name] = layer_of_kind(self.catalogue, name, kind, key=key)[0]
        for dataset in list(found.values()):
            with faults.catch(file=dataset.toml):
                found.update({item.id: item for item in siblings(dataset) if item.id not in found})
        for name in self.spec.output.maps:
            with faults.catch(file=self.shown, key="output.maps"):
                self.catalogue.map(name)
        faults.raise_any()
        return found

    @property
    def shown(self) -> str:
        """The scenario's file as faults name it."""
        return self.catalogue.shown(self.path)

    @property
    def datasets(self) -> list[Dataset]:
        """Every dataset the scenario uses, in the order it names them."""
        return list(self._datasets.values())

    @cached_property
    def _areas(self) -> dict[str, tuple[gpd.GeoDataFrame, AreaReport]]:
        layers = {}
        faults = Faults()
        if self.spec.areas.crs:
            with faults.catch(file=self.shown, key="areas.crs"):
                as_crs(self.spec.areas.crs)
        faults.raise_any()
        for name in self.spec.areas.layers:
            with faults.catch():
                areas, report = read_areas(self._datasets[name], self.spec.areas.crs)
                level = str(areas["level"].iloc[0])
                if level in layers:
                    what = f"several layers are of level '{level}'"
                    fault = Fault(what=what, file=self.shown, key="areas.layers", expected="one layer a level")
                    raise SpecError(fault)
                layers[level] = (areas, report)
        faults.raise_any()
        if self.spec.areas.level not in layers:
            raise checks.unknown_name(
                "level of the scenario's layers", self.spec.areas.level, layers, key="areas.level"
            ).located(file=self.shown)
        return layers

    def areas(self, level: str | None = None) -> gpd.GeoDataFrame:
        """Return the areas of a level; of the ranked one when left out.

        Raises
        ------
        InputError
            When the scenario has no such level, or a layer is faulty.
        """
        return self._level(level)[0]

    def area_report(self, level: str | None = None) -> AreaReport:
        """Return what was found and mended in the areas of a level."""
        return self._level(level)[1]

    def _level(self, level: str | None) -> tuple[gpd.GeoDataFrame, AreaReport]:
        name = level or self.spec.areas.level
        if name not in self._areas:
            raise checks.unknown_name("level of the scenario's layers", name, self._areas)
        areas, report = self._areas[name]
        return (areas.assign(name=areas.index), report) if name in self.unnamed else (areas, report)

    @cached_property
    def unnamed(self) -> set[str]:
        """The levels whose areas the public knows by their codes only."""
        return unnamed_levels(self, list(self._areas))

    def names_read(self, level: str) -> dict[str, str]:
        """Return code → name of the areas of a level as their layer has them: to read by, never to show."""
        return dict(self._areas[level][0]["name"].astype(str))

    @cached_property
    def _units(self) -> gpd.GeoDataFrame:
        """The areas of the table's level, where the scenario assigns them by their ground."""
        assign = self.spec.areas.assign
        assert assign is not None  # noqa: S101  the caller has seen to it
        return read_areas(self._datasets[assign.layer], str(self.areas().crs))[0]

    @cached_property
    def _membership(self) -> pd.DataFrame:
        parts = [read_membership(self._datasets[name]) for name in self.spec.areas.membership]
        assign = self.spec.areas.assign
        if assign and assign.method == "largest_overlap":
            parts.append(assign_largest_overlap(self._units, self.areas(), minimum_share=assign.minimum_share))
        if not parts:
            return pd.DataFrame(columns=["child_id", "parent_id", "relation", "share"])
        table = pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)
        try:
            check_membership(table, exclusive=self.exclusive)
        except InputError as error:
            raise error.located(file=self.shown, key="areas.membership") from error
        return table

    @property
    def exclusive(self) -> list[str]:
        """The relations that give an area exactly one parent."""
        layers = [self._datasets[name].spec for name in self.spec.areas.membership]
        return sorted({name for spec in layers if isinstance(spec, MembershipLayer) for name in spec.exclusive})

    @property
    def merging(self) -> pd.DataFrame:
        """The membership as figures follow it: an area assigned by overlap goes whole to where most of it lies."""
        overlapping = self._membership["relation"] == "largest_overlap"
        return self._membership.assign(share=self._membership["share"].where(~overlapping, 1.0))

    def membership(self) -> pd.DataFrame:
        """Return which area belongs to which: ``child_id, parent_id, relation, share``."""
        return self._membership

    @cached_property
    def _crosswalk(self) -> Crosswalk | None:
        """Work out how figures are divided among the ranked areas, where the scenario wants them divided."""
        assign = self.spec.areas.assign
        if assign is None or assign.method == "largest_overlap":
            return None
        crs = str(self.areas().crs)
        units = self._units
        weights, column = read_weights(self._datasets[assign.weights], crs) if assign.weights else (None, None)
        return crosswalk(
            units, self.areas(), weights=weights, weight_column=column, minimum_inside=assign.minimum_share
        )

    @cached_property
    def _changes(self) -> pd.DataFrame | None:
        layers = [read_crosswalk(self._datasets[name]) for name in self.spec.areas.crosswalk]
        return pd.concat(layers, ignore_index=True) if layers else None

    @cached_property
    def _indicators(self) -> tuple[Combination, JoinReport]:
        faults, tables, reports = Faults(), [], []
        for name in self.spec.indicators.layers:
            with faults.catch(file=self._datasets[name].shown):
                table, report = at_ranked_level(
                    self, self._datasets[name], changes=lambda: self._changes, divided=lambda: self._crosswalk
                )
                tables.append(table)
                reports.append(report)
        faults.raise_any()
        twice = [name for table in tables for name in table.definitions]
        repeated = sorted({name for name in twice if twice.count(name) > 1})
        if repeated and self.spec.indicators.precedence == "error":
            what = f"indicators are defined by several layers: {checks.listed(repeated)}"
            hint = 'with `precedence = "first"` under [indicators] the layer named first counts'
            raise SpecError(Fault(what=what, file=self.shown, key="indicators.layers", hint=hint))
        with Faults.located_at(self.shown):
            combined = combine(tables)
        return combined, joined(reports)

    def levels(self) -> list[str]:
        """Return the levels of the scenario's layers, as it names them: the smallest areas first."""
        return list(self._areas)

    def levels_above(self) -> list[str]:
        """Return what is made of other areas, and not below the ranked level: levels, and relations to bare codes."""
        return levels_above(self._frames, self._membership, self.spec.areas.level)

    @property
    def _frames(self) -> dict[str, gpd.GeoDataFrame]:
        return {level: self.areas(level) for level in self.levels()}

    @cached_property
    def _nesting(self) -> dict[Tie, NestingReport]:
        reports = nesting_of(self._frames, self._membership, self.population, self.exclusive)
        assign = self.spec.areas.assign
        if assign is None or level_of(self, assign.layer) in self._areas:
            return reports
        # Only those that are assigned: a table of a whole county is no gap in the city.
        ties = assign_largest_overlap(self._units, self.areas(), minimum_share=assign.minimum_share)
        inside = self._units.loc[ties["child_id"]]
        tie = Tie(level_of(self, assign.layer), self.spec.areas.level, "assign")
        report = check_nesting(inside, self.areas(), ties, population=people_of(self, inside.index))
        return {**reports, tie: report}

    def nesting(self) -> dict[Tie, NestingReport]:
        """Return how the levels that a membership ties lie in each other: gaps, overlaps, areas outside their parent.

        Raises
        ------
        InputError
            When areas, tables or memberships are faulty.
        """
        return self._nesting

    def extent(self, level: str | None = None) -> pd.DataFrame:
        """Return how large and scattered the areas of a level are, see :func:`geoplan.extent`; ``name`` comes first.

        Areas above the ranked level are made of the ranked ones that belong to them, or of smaller ones. For areas
        without a layer, such as boards, name the relation that leads to them in the place of the level.

        Raises
        ------
        InputError
            When there is no such level, or areas, tables or memberships are faulty.
        """
        ranked = self.spec.areas.level
        return extent_of(level or ranked, self._frames, ranked, self._membership, self.population)

    def population(self, level: str | None = None) -> pd.Series:
        """Return the residents of the areas of a level in the scenario's period; NaN where they are not known.

        Raises
        ------
        InputError
            When there is no such level, or a table is faulty.
        """
        areas, name = self.areas(level).index, self.spec.index.population
        if self.spec.profile == "public":
            shown = self.protection().tables.get(level or self.spec.areas.level)
            known = shown.wide(self.spec.period)[name] if shown else pd.Series(np.nan, index=areas, name=name)
            return known.reindex(areas)
        return people_of(self, areas)

    def indicators(self) -> IndicatorTable:
        """Return the indicators of the ranked areas, all periods.

        Raises
        ------
        InputError
            With the faults of every table.
        """
        table = self._indicators[0].table
        return (
            table if self.spec.profile == "internal" else without_parts(self._counted, merged=table.parts is not None)
        )

    @cached_property
    def _counted(self) -> IndicatorTable:
        """The figures that the index is made from: in public those shown, beside all that counts in the whole."""
        table = self._indicators[0].table
        if self.spec.profile == "internal":
            return table
        return as_public(table, self.protection(), level=self.spec.areas.level, periods=periods_of(self))

    def counted(self) -> IndicatorTable:
        """Return the figures that index and rules are made from: in public those shown, with all behind the whole.

        Raises
        ------
        InputError
            With the faults of every table.
        """
        return self._counted

    @cached_property
    def _protection(self) -> Protection:
        return protect_run(self, self._indicators[0].table)

    def protection(self) -> Protection:
        """Return what may be shown to the public, on every level, and what an attack on it found.

        Raises
        ------
        InputError
            When the scenario has no rules under [disclosure], or areas, tables or rules are faulty.
        """
        return self._protection

    def combination(self) -> Combination:
        """Return the indicators together with what was filled from a later source and where sources disagree."""
        return self._indicators[0]

    def join_report(self) -> JoinReport:
        """Return how tables and areas fit together."""
        return self._indicators[1]

    @cached_property
    def _index(self) -> IndexResult:
        members = self.reference_members()
        with Faults.located_at(self.shown):
            return risk_index(
                self._counted,
                self.spec.index,
                period=self.spec.period,
                area_ids=list(self.areas().index),
                reference_ids=members,
                reference_name=self._reference_label() or None,
                groups=self.groups(),
            )

    def groups(self) -> pd.Series | None:
        """Return the area whose mean fills the gaps of each ranked area, where the scenario wants gaps filled so.

        Raises
        ------
        InputError
            When the scenario has no such level.
        """
        level = self.spec.index.treatment.groups
        if level is None:
            return None
        if level not in self.levels():
            with Faults.located_at(self.shown):
                raise checks.unknown_name("level of the scenario", level, self.levels(), key="index.treatment.groups")
        return parents_at(self._membership, list(self.areas().index), list(self.areas(level).index))

    @cached_property
    def _uncertainty(self) -> RankUncertainty | None:
        if self.spec.uncertainty is None:
            return None
        with Faults.located_at(self.shown):
            return uncertainty_of(self, self._counted)

    def uncertainty(self) -> RankUncertainty | None:
        """Return how sure the ranks are; None where the scenario does not ask.

        Raises
        ------
        InputError
            When areas or tables are faulty, or what the scenario asks does not fit its index.
        """
        return self._uncertainty

    @cached_property
    def _selections(self) -> dict[str, Selection]:
        return selections_of(self)

    def selections(self) -> dict[str, Selection]:
        """Return what the rules of the scenario single out, its own first; empty where it names none.

        Raises
        ------
        InputError
            When areas or tables are faulty, or a rule asks for something that is not there.
        """
        return self._selections

    def chosen_rule(self) -> Selection:
        """Return what the scenario's own rule singles out.

        Raises
        ------
        InputError
            As :meth:`selections`; and when the scenario names no rule.
        """
        return self.selections()[rule_of(self)[0]]

    @cached_property
    def _certainty(self) -> DesignationCertainty | None:
        return None if self.spec.targeting is None else certainty_of(self)

    def certainty(self) -> DesignationCertainty | None:
        """Return how sure the designations of the scenario's own rule are; None where it does not ask.

        Raises
        ------
        InputError
            As :meth:`chosen_rule`, and when what the scenario asks does not fit its rule.
        """
        return self._certainty

    @cached_property
    def reach(self) -> Reach:
        """Travel and access of the scenario; nothing of it is computed before it is asked for."""
        from geoplan.run.reaching import Reach  # noqa: PLC0415  compiled kernels, which most runs do without

        return Reach(self)

    @cached_property
    def _standing(self) -> Standing:
        with Faults.located_at(self.shown):
            return standing_of(self, self._counted)

    def standing(self) -> Standing:
        """Return each area's strengths and weaknesses, and its score beside its neighbours' and the city's.

        Raises
        ------
        InputError
            When areas or tables are faulty.
        """
        return self._standing

    def reference_members(self) -> list[str]:
        """Return the ranked areas that make up what scores 100.

        Raises
        ------
        SpecError
            When no area belongs to the reference.
        """
        codes, reference = list(self.areas().index), self.spec.index.reference
        if reference is None:
            return codes
        with Faults.located_at(self.shown):
            members = list(parents_at(self._membership, codes, [reference]).dropna().index)
        if not members:
            known = sorted(set(self._membership["parent_id"]))
            raise checks.unknown_name("parent area", reference, known, key="index.reference").located(file=self.shown)
        return members

    def reference_name(self) -> str:
        """Return what scores 100 in the run's language, with its year where that is another; empty when not named."""
        year = self.spec.index.base if self.spec.index.base != self.spec.period else None
        return ", ".join(text for text in (self._reference_label(), year) if text)

    def _reference_label(self) -> str:
        label = self.spec.index.reference_label
        return label.to(self.spec.language) if label else self.spec.index.reference or ""

    def index(self) -> IndexResult:
        """Return the risk index of the scenario's period.

        Raises
        ------
        InputError
            When areas or tables are faulty, or the index is undefined.
        """
        return self._index

    def backdrop(self) -> list[tuple[str, gpd.GeoDataFrame]]:
        """Return water, parks and lines as pairs of role and frame, in the system of the areas."""
        layers: list[tuple[str, gpd.GeoDataFrame]] = []
        for name in self.spec.areas.backdrop:
            dataset = self._datasets[name]
            assert isinstance(dataset.spec, BackdropLayer)  # noqa: S101  checked when the layers were found
            layers.append((dataset.spec.role, read_features(dataset, str(self.areas().crs))))
        return layers

    def notes(self) -> list[str]:
        """Return what a careful reader should know of the run, as sentences: joins, gaps, repairs, overlaps."""
        least = self.spec.indicators.minimum_coverage
        gaps = [
            f"the value of the whole for '{name}' stands on {part:.0%} of its base; the rest is hidden or missing"
            for name, part in self.index().certificate.reference_coverage.items()
            if part < least
        ]
        divided = self._crosswalk.report.lines() if self._crosswalk else []
        moved = moved_lines(self.indicators(), self.spec.period)
        said = [*self.join_report().lines()[1:], *self._said_of_sources(), *divided, *moved, *notes_on(self)]
        return [*said, *gaps, *self.area_report().lines()]

    def _said_of_sources(self) -> list[str]:
        """Say what was protected and where sources disagree; to the public without figures that may be hidden."""
        public = self.spec.profile == "public"
        return [*(self.protection().lines() if public else []), *self.combination().lines(figures=not public)]

    def sources(self) -> str:
        """Return the sources of areas and figures in one line, each once."""
        drawn = (*self.spec.indicators.layers, *self.spec.areas.layers)
        named = [self._datasets[name].spec for name in drawn]
        return "; ".join(dict.fromkeys(f"{item.source} ({item.vintage}, {item.licence})" for item in named))

    def map_spec(self, name: str | None = None) -> MapSpec:
        """Return the definition of a map; of the scenario's first when left out."""
        return self.catalogue.map(name or self.spec.output.maps[0], key="output.maps")

    def style(self, name: str | None = None) -> tuple[pd.Series, Style]:
        """Return a map's values and the style that every output draws them with.

        Raises
        ------
        SpecError
            When the map shows something that the run does not have.
        """
        return style_of(self, name)
