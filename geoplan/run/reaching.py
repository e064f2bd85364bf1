"""What residents of a scenario reach: network, people, places, travel times, and the measures made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, SpecError
from geoplan.places import Grid
from geoplan.places.areas import as_ids
from geoplan.reach import (
    Decay,
    Equity,
    Network,
    Scope,
    Standard,
    TravelTimes,
    access_equity,
    access_status,
    area_access,
    area_of_points,
    beyond_reach,
    floating_catchment,
    gather_opportunities,
    gravity,
    join_network,
    load_streets,
    opportunities,
    read_streets,
    read_timetable,
    service_scope,
    time_to_nearest,
    travel_times,
)
from geoplan.run.datasets import read_features, read_weights
from geoplan.run.matching import layer_of_kind
from geoplan.run.travel_layers import WHERE_PEOPLE
from geoplan.specs import PointsLayer, RasterLayer, StreetsLayer, TimetableLayer
from geoplan.specs.travel import AccessSpec, CompetitionSpec, TravelSpec

if TYPE_CHECKING:
    from geoplan.reach import Streets
    from geoplan.run.story import Run

__all__ = ["Measure", "Reach"]

_SAVED = {".zip", ".streets"}


@dataclass(frozen=True)
class Measure:
    """One column of what points reach.

    Attributes
    ----------
    id
        The column, such as ``work_45``.
    opportunity
        The class it counts.
    kind
        ``within``, ``nearest``, ``gravity`` or ``competition``.
    minutes
        The limit in time; None where there is none.
    percentile
        Of the departures that keep the times.
    """

    id: str
    opportunity: str
    kind: str
    minutes: float | None
    percentile: float

    @property
    def unit(self) -> str:
        """``minutes``, ``per_person`` or ``number``."""
        return {"nearest": "minutes", "competition": "per_person"}.get(self.kind, "number")


@dataclass(frozen=True)
class Reach:
    """Travel and access of a run; nothing is computed before it is asked for.

    Attributes
    ----------
    run
        The run.
    """

    run: Run

    @property
    def spec(self) -> TravelSpec:
        """What the scenario says of travel."""
        if self.run.spec.travel is None:
            hint = "write a table [travel] with `streets` and `people`"
            raise SpecError(Fault(what="the scenario says nothing of travel", file=self.run.shown, hint=hint))
        return self.run.spec.travel

    @property
    def asked(self) -> AccessSpec:
        """What the scenario says of access."""
        if self.run.spec.access is None:
            hint = "write a table [access] with `opportunities`"
            raise SpecError(Fault(what="the scenario says nothing of access", file=self.run.shown, hint=hint))
        return self.run.spec.access

    # -------------------------------------------------------------- network and points

    @cached_property
    def network(self) -> Network:
        """Streets with the timetables of the service day on them.

        Raises
        ------
        InputError
            When a file is faulty, or the day is none of the timetable.
        """
        spec, catalogue = self.spec, self.run.catalogue
        dataset = layer_of_kind(catalogue, spec.streets, StreetsLayer, key="travel.streets")[0]
        heights = None
        if spec.elevation:
            heights = layer_of_kind(catalogue, spec.elevation, RasterLayer, key="travel.elevation")[0].verified()
        with Faults.located_at(dataset.shown, toml=dataset.toml):
            path = dataset.verified()
            if path.suffix.lower() in _SAVED:
                streets = load_streets(path)
            else:
                streets = read_streets(path, speed_kmh=spec.walk_kmh, elevation=heights, crs=str(self.run.areas().crs))
        if not spec.timetable:
            return join_network(streets)
        feeds = [
            layer_of_kind(catalogue, name, TimetableLayer, key="travel.timetable")[0].verified()
            for name in spec.timetable
        ]
        with Faults.located_at(self.run.shown):
            return join_network(streets, read_timetable(feeds, date=spec.date))

    @cached_property
    def cycling(self) -> Streets | None:
        """The streets for a bicycle; None where the layer was saved for one mode, or has lines of no kind.

        Raises
        ------
        InputError
            When the file is faulty.
        """
        dataset = layer_of_kind(self.run.catalogue, self.spec.streets, StreetsLayer, key="travel.streets")[0]
        path = dataset.verified()
        if not path.name.lower().endswith((".osm", ".pbf")):
            return None
        with Faults.located_at(dataset.shown, toml=dataset.toml):
            return read_streets(path, mode="cycle", crs=str(self.run.areas().crs))

    @cached_property
    def people(self) -> gpd.GeoDataFrame:
        """Where people live: ``residents``, and ``area`` of the ranked level; missing where a point lies in none.

        Raises
        ------
        InputError
            When the layer is faulty, or nobody lives in any area.
        """
        areas = self.run.areas()
        name = self.spec.people
        dataset, spec = layer_of_kind(self.run.catalogue, name, WHERE_PEOPLE, key="travel.people")
        found, column = read_weights(dataset, str(areas.crs))
        if isinstance(found, Grid):
            points = _cells(found).to_crs(areas.crs)
        else:
            assert isinstance(spec, PointsLayer)  # noqa: S101  a grid or points, and it is no grid
            ids = as_ids(found[spec.id_column], width=spec.id_width, pad=spec.id_pad)
            points = gpd.GeoDataFrame(
                {"residents": found[column].to_numpy(float)}, geometry=found.geometry.to_numpy(), crs=found.crs
            ).set_axis(pd.Index(ids.tolist(), name="from_id", dtype=object))
            points = points[points["residents"] > 0]
        points["area"] = area_of_points(points, areas)
        if points["area"].isna().all():
            what = f"none of the {len(points):,} points of the layer '{name}' where people live is in any area"
            raise SpecError(Fault(what=what, file=self.run.shown, key="travel.people"))
        return points

    @cached_property
    def places(self) -> gpd.GeoDataFrame:
        """What there is to reach: a point a place, a column of amounts a class."""
        classes = {}
        for kind, name in self.asked.opportunities.items():
            dataset, spec = layer_of_kind(self.run.catalogue, name, PointsLayer, key=f"access.opportunities.{kind}")
            frame = read_features(dataset, str(self.run.areas().crs))
            ids = as_ids(frame[spec.id_column], width=spec.id_width, pad=spec.id_pad)
            classes[kind] = (frame.set_axis(pd.Index(ids.tolist(), dtype=object)), spec.value_column)
        return gather_opportunities(classes, crs=str(self.run.areas().crs))

    # -------------------------------------------------------------- times

    def times_between(self, origins: gpd.GeoDataFrame, destinations: gpd.GeoDataFrame) -> TravelTimes:
        """Return travel times as the scenario travels, every percentile of it.

        Raises
        ------
        InputError
            As :func:`geoplan.reach.travel_times`.
        """
        spec = self.spec
        limits: dict[str, Any] = {"max_min": spec.max_min, "max_walk_min": spec.max_min}
        if self.network.timetable is not None:
            departure = f"{self.network.timetable.date.isoformat()} {spec.departure}"
            limits = {"max_min": spec.max_min, "max_walk_min": spec.max_walk_min, "rides": spec.rides}
            limits |= {"departure": departure, "window_min": spec.window_min, "slack_s": spec.slack_s}
            limits |= {"percentiles": tuple(sorted(spec.percentiles)), "seed": self.run.spec.seed}
        with Faults.located_at(self.run.shown):
            return travel_times(origins, destinations, self.network, **limits)

    @cached_property
    def times(self) -> TravelTimes:
        """Travel times from where people live to all places."""
        return self.times_between(self.people, self.places)

    @cached_property
    def scope(self) -> Scope:
        """Which of the points where people live streets and timetable speak of."""
        return service_scope(self.people, self.network, max_walk_min=self.spec.max_walk_min)

    @property
    def percentiles(self) -> tuple[float, ...]:
        """The scenario's percentiles, the one mapped first; 50 alone without a timetable."""
        return tuple(self.spec.percentiles) if self.network.timetable is not None else (50,)

    # -------------------------------------------------------------- measures

    @cached_property
    def _measured(self) -> tuple[list[Measure], pd.DataFrame, list[str]]:
        asked, times, people = self.asked, self.times, self.people["residents"]
        amounts = self.places[list(asked.opportunities)]
        found: dict[str, tuple[Measure, pd.Series]] = {}
        notes: list[str] = []

        def keep(measure: Measure, column: pd.Series) -> None:
            found[measure.id] = (measure, column)

        for share in self.percentiles:
            told = "" if share == self.percentiles[0] else f"_p{share:g}"
            for limit in asked.within_min:
                for kind, column in _columns(opportunities(times, amounts, within_min=limit, percentile=share)):
                    found[f"{kind}_{limit:g}{told}"] = (
                        Measure(f"{kind}_{limit:g}{told}", kind, "within", limit, share),
                        column,
                    )
            for kind, column in _columns(time_to_nearest(times, amounts, percentile=share)):
                found[f"{kind}_nearest{told}"] = Measure(f"{kind}_nearest{told}", kind, "nearest", None, share), column
        first = self.percentiles[0]
        if asked.decay is not None:
            decay = Decay.halving(asked.decay.kind, asked.decay.half_time_min)
            notes.append(f"nearer opportunities count more: {decay.describe()}")
            for kind, column in _columns(gravity(times, amounts, decay, percentile=first)):
                keep(Measure(f"{kind}_gravity", kind, "gravity", None, first), column)
        for item in asked.competition:
            caught = floating_catchment(
                times, amounts[item.opportunity], people, method=item.method, percentile=first, **_weights(item)
            )
            name = f"{item.opportunity}_competition"
            keep(Measure(name, item.opportunity, "competition", item.within_min, first), caught.access)
            notes += [f"{name}: {sentence}" for sentence in caught.lines()]
        table = pd.DataFrame({name: column for name, (_, column) in found.items()})
        return [measure for measure, _ in found.values()], table, notes

    def measures(self) -> list[Measure]:
        """Return what is measured, the main measure of each class first."""
        return self._measured[0]

    def by_point(self) -> pd.DataFrame:
        """Return what each point where people live reaches: a column a measure, see :meth:`measures`.

        Points that streets and timetable do not speak of are NaN in every column; :attr:`scope` says why.
        """
        known = self.scope.frame["status"].eq("observed").to_numpy()
        table = self._measured[1].copy()
        table.loc[~known] = np.nan
        return table

    def standards(self) -> list[Standard]:
        """Return the scenario's standards, by the columns they speak of."""
        made = []
        for item in self.asked.standards:
            if item.nearest_min is not None:
                made.append(Standard(f"{item.opportunity}_nearest", at_most=item.nearest_min))
            else:
                made.append(Standard(f"{item.opportunity}_{item.within_min:g}", at_least=item.at_least))
        return made

    @property
    def main(self) -> str:
        """The measure that is mapped: that of the first standard of the mapped class, or its first threshold."""
        kind = self.asked.map or next(iter(self.asked.opportunities))
        first = [own.measure for own in self.standards() if own.measure.rsplit("_", 1)[0] == kind]
        return first[0] if first else f"{kind}_{self.asked.within_min[0]:g}"

    def by_area(self, level: str | None = None) -> pd.DataFrame:
        """Return what residents of the areas of a level have, see :func:`geoplan.reach.area_access`.

        Beside each mean stands what one point in the middle of the area would have said.

        Raises
        ------
        InputError
            When the scenario has no such level.
        """
        name = level or self.run.spec.areas.level
        areas = self.run.areas(name)
        people = self.people
        own = people["area"] if name == self.run.spec.areas.level else area_of_points(people, areas)
        return area_access(
            self.by_point(),
            people["residents"],
            own,
            standards=self.standards(),
            status=self.scope.frame["status"],
            at_centroid=self._at_centroids(name),
        )

    def _at_centroids(self, level: str) -> pd.DataFrame:
        """Measure what a point inside each area reaches: what one would have without knowing where people live."""
        areas = self.run.areas(level)
        points = gpd.GeoDataFrame(geometry=areas.representative_point(), index=areas.index)
        times = self.times_between(points, self.places)
        amounts = self.places[list(self.asked.opportunities)]
        parts: dict[str, pd.Series] = {}
        share = self.percentiles[0]
        for limit in self.asked.within_min:
            found = _columns(opportunities(times, amounts, within_min=limit, percentile=share))
            parts |= {f"{kind}_{limit:g}": column for kind, column in found}
        nearest = _columns(time_to_nearest(times, amounts, percentile=share))
        parts |= {f"{kind}_nearest": column for kind, column in nearest}
        table = pd.DataFrame(parts).rename_axis("area_id")
        table.loc[access_status(times)["status"].eq("out_of_scope").to_numpy()] = np.nan
        return table

    def equity(self, measure: str | None = None) -> Equity:
        """Return how a measure is shared out by the risk index of the areas people live in.

        Raises
        ------
        InputError
            When there is no such measure, or nothing to compare.
        """
        name = measure or self.main
        known = {item.id: item for item in self.measures()}
        if name not in known:
            raise checks.unknown_name("measure of the scenario", name, known)
        points = self.people
        score = points["area"].map(self.run.index().score)
        standard = next((own for own in self.standards() if own.measure == name), None)
        return access_equity(
            self.by_point()[name],
            points["residents"],
            score,
            groups=self.groups(),
            standard=standard,
            higher_is_better=known[name].kind != "nearest",
        )

    def groups(self) -> pd.DataFrame | None:
        """Spread people of the scenario's groups over the points of their area, so many of the residents at each.

        An estimate, as nobody says where in an area they live. None where no group is asked for.

        Raises
        ------
        SpecError
            When an indicator is not there, or is no share of people.
        """
        if not self.asked.groups:
            return None
        table = self.run.counted()
        unknown = [name for name in self.asked.groups if name not in table.definitions]
        if unknown:
            raise checks.unknown_name("indicator", unknown[0], table.definitions, key="access.groups").located(
                file=self.run.shown
            )
        period = self.run.spec.period
        counts = [table.wide(period, column) for column in ("numerator", "denominator")]
        own = [count.reindex(columns=list(self.asked.groups)) for count in counts]
        share = own[0].astype(float) / own[1].astype(float)
        for name in self.asked.groups:
            if table.definitions[name].kind != "share" or share[name].isna().all():
                what = f"'{name}' has no counts of people in {period}"
                fault = Fault(what=what, file=self.run.shown, key="access.groups", expected="a share with both counts")
                raise SpecError(fault)
        of_points = share.reindex(self.people["area"]).set_axis(self.people.index)
        return of_points.mul(self.people["residents"], axis=0)

    def record(self) -> dict[str, Any]:
        """Return how access was measured, for the manifest: the day, the window, the measures, and who is left out."""
        timetable, status = self.network.timetable, self.scope.frame["status"]
        residents = self.people["residents"].groupby(status.to_numpy()).sum()
        return {
            "service_day": timetable.date.isoformat() if timetable is not None else None,
            "asked": self.spec.model_dump(mode="json"),
            "measures": [measure.id for measure in self.measures()],
            "points": len(self.people),
            "residents": {str(name): float(count) for name, count in residents.items()},
            "notes": self.notes(),
        }

    def notes(self) -> list[str]:
        """Return what a careful reader should know, as sentences."""
        timetable = self.network.timetable
        said = [*self.scope.lines(), *self._measured[2]]
        outside = self.people["area"].isna()
        if outside.any():
            many, people = int(outside.sum()), self.people.loc[outside, "residents"].sum()
            said.append(f"{many:,} points with {people:,.0f} residents lie in no area and are left out")
        amounts = self.places[list(self.asked.opportunities)]
        lost = beyond_reach(self.times, amounts, percentile=self.percentiles[0])
        said += _lost(lost)
        if timetable is not None:
            said.append(f"service day {timetable.date.isoformat()}: {timetable.record['reason']}")
            warnings: Any = timetable.record.get("warnings", [])
            said += [str(warning) for warning in warnings]
        return said


def _weights(item: CompetitionSpec) -> dict[str, Any]:
    """Return the weights of a catchment: the enhanced one has three bands of equal width, each counting less."""
    if item.method != "e2sfca":
        return {"within_min": item.within_min}
    third = item.within_min / 3
    return {"bands": {third: 1.0, 2 * third: 0.68, 3 * third: 0.22}}  # the first set of Luo & Qi (2009)


def _lost(table: pd.DataFrame) -> list[str]:
    """Say of what share nobody can tell who reaches it."""
    said = []
    for name, row in table.iterrows():
        if row["out_of_scope"] > 0:
            said.append(f"{row['out_of_scope_share']:.1%} of '{name}' is on no street: nobody can tell who reaches it")
    return said


def _columns(found: pd.Series | pd.DataFrame) -> list[tuple[str, pd.Series]]:
    frame = found.to_frame() if isinstance(found, pd.Series) else found
    return [(str(name), frame[name]) for name in frame.columns]


def _cells(grid: Grid) -> gpd.GeoDataFrame:
    """Return the middles of the cells where people live."""
    row, column = np.nonzero(np.nan_to_num(grid.cells) > 0)
    x, y = grid.west + (column + 0.5) * grid.width, grid.north - (row + 0.5) * grid.height
    ids = pd.Index([f"r{one}c{other}" for one, other in zip(row, column, strict=True)], name="from_id", dtype=object)
    return gpd.GeoDataFrame(
        {"residents": grid.cells[row, column]}, geometry=gpd.points_from_xy(x, y), index=ids, crs=grid.crs
    )
