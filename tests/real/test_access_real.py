"""Jobs within reach of the inner districts of Helsinki, on a Tuesday between seven and eight, and what is not known."""

from types import SimpleNamespace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from geoplan.errors import InputError
from geoplan.reach import (
    Standard,
    access_status,
    area_access,
    area_of_points,
    beyond_reach,
    isochrones,
    join_network,
    opportunities,
    read_streets,
    read_timetable,
    service_scope,
    travel_times,
)

pytestmark = pytest.mark.real

MORNING = {"departure": "2022-02-22 07:00", "percentiles": 50, "max_min": 60}
WITHIN = (30, 45)
NEAR_M = 300
EAST = 25.0  # degrees: where the feed was cropped, as the README of the data says


@pytest.fixture(scope="module")
def town(real):
    """Grid points, postal areas, and the 14 that lie in the streets' extract."""
    folder = real / "helsinki"
    cells = gpd.read_file(folder / "ykr_grid_points_250m.gpkg", columns=["YKR_ID"])
    return SimpleNamespace(
        edges=gpd.read_file(folder / "streets_metropaccess.gpkg"),
        timetable=read_timetable(folder / "gtfs_hsl_2022-02-22.zip"),
        cells=cells.set_index(cells.pop("YKR_ID").astype(str)),
        areas=gpd.read_file(folder / "boundaries_postal_2023.gpkg").set_index("area_id"),
        inner=gpd.read_file(folder / "boundaries_inner_city.gpkg").set_index("area_id"),
    )


@pytest.fixture(scope="module")
def network(town):
    return join_network(read_streets(town.edges, length="length_m"), town.timetable, radius_m=NEAR_M)


@pytest.fixture(scope="module")
def scope(town, network):
    return service_scope(town.cells, network)


@pytest.fixture(scope="module")
def spread(town, scope):
    """Each area's people and jobs, alike over its points: in the inner areas over those with a street near.

    Where the extract does not reach, all points of an area take part, and those on no street count as beyond reach.
    """
    area_of = area_of_points(town.cells, town.areas)
    inside = area_of.isin(town.inner.index)
    takes = area_of.notna() & (scope.frame["status"].eq("observed") | ~inside)
    share = takes / takes.groupby(area_of).transform("sum")
    jobs, residents = (share.mul(area_of.map(town.areas[name])).fillna(0) for name in ("jobs", "population"))
    return pd.DataFrame({"area_id": area_of, "inside": inside, "jobs": jobs, "residents": residents})


@pytest.fixture(scope="module")
def jobs(spread):
    return spread.loc[spread["jobs"] > 0, "jobs"]


@pytest.fixture(scope="module")
def times(town, network, jobs):
    return travel_times(town.cells, town.cells.loc[jobs.index], network, **MORNING)


@pytest.fixture(scope="module")
def reach(times, jobs):
    return opportunities(times, jobs, within_min=WITHIN)


@pytest.fixture(scope="module")
def table(town, network, spread, scope, jobs, reach):
    middle = town.inner.set_geometry(town.inner.centroid)
    at_centroid = opportunities(
        travel_times(middle, town.cells.loc[jobs.index], network, **MORNING), jobs, within_min=WITHIN
    )
    own = spread[spread["inside"]]
    found = area_access(
        reach.loc[own.index],
        own["residents"],
        own["area_id"],
        standards=[Standard("30", at_least=150_000)],
        status=scope.frame.loc[own.index, "status"],
        at_centroid=at_centroid,
    )
    return found.set_index(["measure", "area_id"]), at_centroid


def metres_to_a_street(town, least=40):
    """Return how far each point is from a street that is no island, by shapely and networkx alone."""
    graph, ends = nx.Graph(), []
    for line in town.edges.geometry:
        ends.append(tuple(tuple(np.round(line.coords[at], 2)) for at in (0, -1)))
        graph.add_edge(*ends[-1])
    large = set().union(*(part for part in nx.connected_components(graph) if len(part) >= least))
    kept = [line for line, (one, _) in zip(town.edges.geometry, ends, strict=True) if one in large]
    return pd.Series(shapely.distance(town.cells.geometry.array, shapely.union_all(kept)), index=town.cells.index)


def test_points_that_are_scored_are_those_with_a_street_near(town, network, scope, times):
    metres = metres_to_a_street(town)
    near = metres <= NEAR_M
    assert len(near) == 14_645
    assert near.sum() == 312
    assert (scope.frame["status"].eq("observed").to_numpy() == near).all()
    assert (access_status(times)["status"].to_numpy() == np.where(near, "observed", "out_of_scope")).all()
    wide = join_network(network.streets).snapped(town.cells)
    assert ((wide.piece >= 0) == (metres <= 1600)).all()
    assert (wide.piece >= 0).sum() == 593


def test_nobody_without_a_figure_has_zero(scope, reach):
    known = scope.frame["status"].eq("observed").to_numpy()
    assert reach[known].notna().all(axis=None)
    assert reach[~known].isna().all(axis=None)
    assert not (reach == 0).any(axis=None)
    assert (scope.frame["reason"].ne("").to_numpy() == ~known).all()


def test_jobs_are_those_of_a_plain_loop(reach, times, jobs, scope):
    known = scope.frame.index[scope.frame["status"] == "observed"]
    pairs = times.between(known).to_frame()
    for limit in WITHIN:
        counted = dict.fromkeys(known, 0.0)
        for row in pairs[pairs["minutes"] <= limit].itertuples():
            counted[row.from_id] += jobs[row.to_id]
        assert reach.loc[known, limit].to_dict() == pytest.approx(counted)


def test_jobs_on_no_street_are_counted(town, times, jobs, reach):
    left = beyond_reach(times, jobs).iloc[0]
    assert left["total"] == pytest.approx(town.areas["jobs"].sum())
    assert left["out_of_scope"] == pytest.approx(jobs[metres_to_a_street(town)[jobs.index] > NEAR_M].sum())
    assert left["out_of_scope_share"] == pytest.approx(0.4875, abs=5e-4)
    assert left["unreached"] == 0
    # Within 45 minutes the best place reaches all that there is on streets: more could not be found.
    assert reach[45].max() == pytest.approx(left["total"] - left["out_of_scope"])


def test_areas_are_means_over_their_residents(town, table, spread, reach):
    found, at_centroid = table
    assert set(found.index) == {(str(limit), name) for limit in WITHIN for name in town.inner.index}
    for (measure, name), row in found.iterrows():
        own = spread[(spread["area_id"] == name) & spread["inside"]]
        people, values = own["residents"].to_numpy(), reach.loc[own.index, int(measure)].to_numpy()
        there = people > 0
        assert row["mean"] == pytest.approx(np.average(values[there], weights=people[there]))
        assert row["points"] == there.sum()
        for share, column in ((10, "p10"), (90, "p90")):
            plain = np.percentile(values[there], share, method="inverted_cdf", weights=people[there])
            assert row[column] == pytest.approx(plain)
        assert row["centroid_difference"] == pytest.approx(row["mean"] - at_centroid.loc[name, int(measure)])
        assert row["scored"] == pytest.approx(town.inner.loc[name, "population"])
    assert (found["status"] == "observed").all()
    assert (found["not_scored"] == 0).all()
    share = found.loc["30", "share_meeting"]
    assert (share["00260"], share["00140"]) == (1, pytest.approx(0.1))


def test_jobs_of_the_inner_areas(table):
    within = table[0]["mean"].unstack("measure")
    assert within["30"][["00100", "00260", "00530", "00140", "00220"]].tolist() == pytest.approx(
        [194_082, 198_714, 187_399, 106_740, 111_728], rel=0.01
    )
    assert within["45"].between(195_000, 209_700).all()
    assert (within["45"] > within["30"]).all()
    # The middle of Kamppi-Ruoholahti lies at a metro station, that of Kaivopuisto-Ullanlinna 400 m from any stop.
    apart = table[0]["centroid_difference"].unstack("measure")["30"]
    assert apart["00180"] == pytest.approx(-29_100, rel=0.02)
    assert apart["00140"] == pytest.approx(23_360, rel=0.02)


def test_the_edge_of_the_feed_is_told(scope):
    said = scope.lines()
    assert any("cut off at 25.00° E in the east" in line for line in said)
    assert "14,333 of 14,645 points are not scored: no street is near enough" in said
    assert any(line.startswith("50 points that are scored lie within 30 min of where the timetable") for line in said)


def test_no_isochrone_starts_off_the_streets(network):
    pasila = gpd.GeoDataFrame(geometry=gpd.points_from_xy([24.9338], [60.1988]), index=["Pasila"], crs=4326)
    with pytest.raises(InputError, match="671 m from the nearest street, farther than 300 m"):
        isochrones(pasila, network, departure=MORNING["departure"])


@pytest.fixture(scope="module")
def lattice(town):
    """Streets that nobody built, from each grid point to its four neighbours: what if streets did not end?"""
    spots = town.cells.geometry.array
    one, two = shapely.STRtree(spots).query(spots, predicate="dwithin", distance=260)
    xy = shapely.get_coordinates(spots).round()
    lines = shapely.linestrings(np.stack([xy[one], xy[two]], axis=1)[one < two])
    streets = read_streets(gpd.GeoDataFrame(geometry=lines, crs=town.cells.crs))
    return join_network(streets, town.timetable, radius_m=NEAR_M)


def test_places_without_service_are_not_poor(town, lattice, spread, jobs):
    """With streets everywhere, the feed alone decides: beyond its edges nothing is known."""
    scope = service_scope(town.cells, lattice)
    status = scope.frame["status"]
    assert status.value_counts().to_dict() == {"not_collected": 12_568, "observed": 2_047, "out_of_scope": 30}
    silent = status.eq("not_collected")
    # All that are scored have a stop that is served within half an hour, as the crow flies at least.
    stops = town.timetable.stops.to_crs(town.cells.crs).geometry.union_all()
    metres = pd.Series(shapely.distance(town.cells.geometry.array, stops), index=town.cells.index)
    assert metres[status.eq("observed")].max() < 30 * 78
    assert (silent | status.eq("out_of_scope"))[metres > 30 * 78].all()
    east = pd.Series(town.cells.to_crs(4326).geometry.x.to_numpy() > EAST, index=town.cells.index)
    assert (silent & east).sum() == 3_882
    assert scope.frame.loc[east & status.eq("observed"), "near_edge"].all()
    assert scope.frame.loc[silent, "reason"].eq("the timetable is cut off before it").all()

    # In the east few jobs are within reach on foot. As a score that would be wrong, so the areas have none.
    of_areas = east.groupby(spread["area_id"]).agg(["mean", "sum"])
    far = of_areas.index[
        of_areas["mean"].eq(1) & silent.groupby(spread["area_id"]).mean().reindex(of_areas.index).eq(1)
    ]
    assert len(far) > 10
    own = spread[spread["area_id"].isin([*far, "00530"])]
    times = travel_times(town.cells.loc[own.index], town.cells.loc[jobs.index], lattice, **MORNING)
    reach = opportunities(times, jobs, within_min=45)
    assert reach[own["area_id"] != "00530"].max() < 0.1 * reach[own["area_id"] == "00530"].min()
    table = area_access(reach, own["residents"], own["area_id"], status=status[own.index]).set_index("area_id")
    assert (table.loc[far, "status"] == "not_collected").all()
    assert table.loc[far, ["mean", "median", "p10"]].isna().all(axis=None)
    assert table.loc["00530", "status"] == "observed"
