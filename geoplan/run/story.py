"""One scenario, from its file to its index; nothing is computed before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import (
    AreaReport,
    Combination,
    IndicatorTable,
    JoinReport,
    as_areas,
    as_crs,
    as_indicators,
    as_membership,
    assign_largest_overlap,
    check_points,
    combine,
    join_report,
    multi_year_mean,
    parents_at,
    roll_up,
    with_crs,
    working_crs,
)
from geoplan.places.indicators import KNOWN
from geoplan.risk import IndexResult, risk_index
from geoplan.show import Style, format_date, make_style
from geoplan.sources import Catalogue, Dataset, home, read_table, read_vector
from geoplan.specs import (
    AreasLayer,
    BackdropLayer,
    IndicatorsLayer,
    Layer,
    MapSpec,
    MembershipLayer,
    PointsLayer,
    ScenarioSpec,
)

__all__ = ["Run", "open_run", "read_areas", "read_features", "read_indicators", "read_membership"]


def open_run(scenario: str | Path) -> Run:
    """Open a scenario; its layers are found, nothing is computed yet.

    Parameters
    ----------
    scenario
        A file in the ``scenarios/`` folder of a project. One that is not there is looked for in the sample that geoplan
        ships, so that ``scenarios/baseline.toml`` works anywhere.

    Raises
    ------
    SpecError
        When there is no such file, or it is faulty.

    Examples
    --------
    >>> open_run("scenarios/baseline.toml").name
    'baseline'
    """
    path = Path(scenario)
    if not path.is_file() and (home() / path).is_file():
        path = home() / path
    path = path.resolve()
    if not path.is_file():
        beside = [Path(scenario).with_name(other.name).as_posix() for other in path.parent.glob("*.toml")]
        hint = checks.did_you_mean(Path(scenario).as_posix(), beside)
        raise SpecError(Fault(what="there is no such scenario", file=str(scenario), hint=hint))
    if path.parent.name != "scenarios" or path.suffix != ".toml":
        expected = "a .toml file in the scenarios/ folder of a project, beside layers/ and maps/"
        raise SpecError(Fault(what="this is not where a scenario lies", file=str(scenario), expected=expected))
    catalogue = Catalogue(path.parent.parent)
    return Run(name=path.stem, path=path, catalogue=catalogue, spec=catalogue.scenario(path.stem))


# ---------------------------------------------------------------- datasets


def read_areas(dataset: Dataset, crs: str | None) -> tuple[gpd.GeoDataFrame, AreaReport]:
    """Read and check a layer of areas."""
    spec = dataset.spec
    assert isinstance(spec, AreasLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        return as_areas(
            read_vector(dataset.verified(), spec.layer),
            id_column=spec.id_column,
            level=spec.level,
            name_column=spec.name_column,
            crs=crs,
            published_crs=spec.crs,
            assign_crs=spec.assign_crs,
            id_width=spec.id_width,
            id_pad=spec.id_pad,
            where=spec.where,
        )


def read_features(dataset: Dataset, crs: str | None) -> gpd.GeoDataFrame:
    """Read and check a layer that is drawn or counted but has no levels: water, roads, points."""
    spec = dataset.spec
    assert isinstance(spec, BackdropLayer | PointsLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        frame = read_vector(dataset.verified(), spec.layer)
        if isinstance(spec, PointsLayer):
            check_points(
                frame,
                id_column=spec.id_column,
                value_column=spec.value_column,
                id_width=spec.id_width,
                id_pad=spec.id_pad,
            )
        return working_crs(with_crs(frame, spec.crs, assign=spec.assign_crs), crs)


def read_indicators(dataset: Dataset) -> IndicatorTable:
    """Read and check an indicator table."""
    spec = dataset.spec
    assert isinstance(spec, IndicatorsLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        return as_indicators(_table(dataset, spec), spec)


def read_membership(dataset: Dataset) -> pd.DataFrame:
    """Read and check a membership table."""
    spec = dataset.spec
    assert isinstance(spec, MembershipLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        return as_membership(
            _table(dataset, spec),
            child_column=spec.child_column,
            parent_column=spec.parent_column,
            relation_column=spec.relation_column,
            share_column=spec.share_column,
            child_width=spec.child_width,
            parent_width=spec.parent_width,
            decimal=spec.decimal,
        )


def _table(dataset: Dataset, spec: IndicatorsLayer | MembershipLayer) -> pd.DataFrame:
    return read_table(dataset.verified(), sheet=spec.sheet, separator=spec.separator, encoding=spec.encoding)


# ---------------------------------------------------------------- the run


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
        if self.spec.areas.assign:
            wanted.append(("areas.assign.layer", self.spec.areas.assign.layer, AreasLayer))
        faults, found = Faults(), {}
        for key, name, kind in wanted:
            with faults.catch(file=self.shown, key=key):
                dataset = self.catalogue.layer(name, key=key)
                if not isinstance(dataset.spec, kind):
                    what = f"the layer '{name}' is of kind '{dataset.spec.kind}'"
                    raise SpecError(
                        Fault(what=what, expected=f"a layer of kind '{kind.__name__.removesuffix('Layer').lower()}'")
                    )
                found[name] = dataset
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
        return self._areas[name]

    @cached_property
    def _membership(self) -> pd.DataFrame:
        parts = [read_membership(self._datasets[name]) for name in self.spec.areas.membership]
        assign = self.spec.areas.assign
        if assign:
            units = read_areas(self._datasets[assign.layer], str(self.areas().crs))[0]
            parts.append(assign_largest_overlap(units, self.areas(), minimum_share=assign.minimum_share))
        empty = pd.DataFrame(columns=["child_id", "parent_id", "relation", "share"])
        return pd.concat(parts, ignore_index=True) if parts else empty

    def membership(self) -> pd.DataFrame:
        """Return which area belongs to which: ``child_id, parent_id, relation, share``."""
        return self._membership

    @cached_property
    def _indicators(self) -> tuple[Combination, JoinReport]:
        faults, tables, reports = Faults(), [], []
        for name in self.spec.indicators.layers:
            with faults.catch(file=self._datasets[name].shown):
                table, report = self._at_ranked_level(self._datasets[name])
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
        report = JoinReport(
            matched=tuple(sorted({code for item in reports for code in item.matched})),
            without_data=tuple(sorted(set.intersection(*[set(item.without_data) for item in reports]))),
            without_area=tuple(sorted({code for item in reports for code in item.without_area})),
        )
        return combined, report

    def _at_ranked_level(self, dataset: Dataset) -> tuple[IndicatorTable, JoinReport]:
        """Read a table, make its means of several years, and bring it to the ranked level."""
        table = multi_year_mean(read_indicators(dataset))
        ranked = list(self.areas().index)
        assert isinstance(dataset.spec, IndicatorsLayer)  # noqa: S101  the caller asked the catalogue for this kind
        if dataset.spec.level == self.spec.areas.level:
            report = join_report(ranked, table)
            kept = table.data[table.data["area_id"].isin(report.matched)].reset_index(drop=True)
            return IndicatorTable(kept, table.definitions), report
        if self._membership.empty:
            what = f"the table is of level '{dataset.spec.level}', the scenario ranks '{self.spec.areas.level}'"
            hint = "name the table that ties them as `membership` under [areas]"
            raise SpecError(Fault(what=what, file=self.shown, key="areas.membership", hint=hint))
        membership = self._membership
        overlapping = membership["relation"] == "largest_overlap"
        parents = parents_at(
            membership.assign(share=membership["share"].where(~overlapping, 1.0)),
            sorted(set(table.data["area_id"].unique())),
            ranked,
        )
        if parents.isna().all():
            raise checks.ids_match_nothing(list(parents.index), sorted(set(membership["child_id"])))
        report = JoinReport(
            matched=tuple(sorted(set(parents.dropna()))),
            without_data=tuple(sorted(set(ranked) - set(parents))),
            without_area=tuple(sorted(parents.index[parents.isna()])),
        )
        merged = roll_up(
            table,
            parents,
            minimum_coverage=self.spec.indicators.minimum_coverage,
            estimated=bool(self.spec.areas.assign),
        )
        return merged, report

    def indicators(self) -> IndicatorTable:
        """Return the indicators of the ranked areas, all periods.

        Raises
        ------
        InputError
            With the faults of every table.
        """
        return self._indicators[0].table

    def combination(self) -> Combination:
        """Return the indicators together with what was filled from a later source and where sources disagree."""
        return self._indicators[0]

    def join_report(self) -> JoinReport:
        """Return how tables and areas fit together."""
        return self._indicators[1]

    @cached_property
    def _index(self) -> IndexResult:
        spec, areas = self.spec.index, self.areas()
        members = None
        if spec.reference is not None:
            parents = parents_at(self._membership, list(areas.index), [spec.reference])
            members = list(parents.dropna().index)
            if not members:
                known = sorted(set(self._membership["parent_id"]))
                raise checks.unknown_name("parent area", spec.reference, known, key="index.reference").located(
                    file=self.shown
                )
        with Faults.located_at(self.shown):
            return risk_index(
                self.indicators(),
                spec,
                period=self.spec.period,
                area_ids=list(areas.index),
                reference_ids=members if members is not None else list(areas.index),
                reference_name=self.reference_name() or None,
            )

    def reference_name(self) -> str:
        """Return what scores 100 in the run's language; empty when the scenario does not name it."""
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
        sources = self.combination().lines()
        return [*self.join_report().lines()[1:], *sources, *gaps, *self.area_report().lines()]

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
        spec, language = self.map_spec(name), self.spec.language
        with Faults.located_at(f"maps/{name or self.spec.output.maps[0]}.toml"):
            values, status, reason, unit = self._mapped(spec.value)
            style = make_style(
                values,
                status=status,
                reason=reason,
                scheme=spec.scheme,
                k=spec.k,
                breaks=spec.breaks,
                cmap=spec.palette,
                midpoint=spec.midpoint,
                title=spec.title.to(language),
                unit=unit,
                reference=self.reference_name(),
                period=self.spec.period,
                source=self.sources(),
                note=" ".join(note.to(language) for note in (spec.note, self.spec.note) if note),
                date=format_date(self.spec.date, language),
                language=language,
            )
        return values, style

    def _mapped(self, value: str) -> tuple[pd.Series, pd.Series, pd.Series | None, str]:
        index, areas = self.index(), self.areas().index
        ranking = index.ranking.reindex(areas)
        if value == "score" or value in index.domains:
            column = ranking["score"] if value == "score" else index.domains[value].reindex(areas)
            return column, ranking["status"], None, "index"
        table = self.indicators()
        if value not in table.definitions:
            known = ["score", *index.domains, *table.definitions]
            raise checks.unknown_name("figure of the run", value, known, key="value")
        wide = table.wide(self.spec.period).get(value, pd.Series(dtype=float))
        status = table.wide(self.spec.period, "status").get(value, pd.Series(dtype=object))
        known_only = wide.where(status.isin(KNOWN)).reindex(areas)
        reason = (
            table.wide(self.spec.period, "reason").get(value, pd.Series(dtype=object)).astype(object).reindex(areas)
        )
        return known_only, status.reindex(areas), reason.fillna(""), table.definitions[value].unit
