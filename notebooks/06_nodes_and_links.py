# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Nodes and links
#
# Where could the outer town grow dense? Which neighbours are cut off from each other, by what, and what would a
# crossing do? Nordhamra is fictional.
#
# The Swedish word *tyngdpunkt* means two things, and they are kept apart here. *Tyngdpunkt* (statistics) is a
# **weighted centre**, one point for all. *Tyngdpunkt* (plan) is a **strategic node**, a place that is to be developed,
# of which a town has several.

# %%
import geopandas as gpd
import matplotlib.pyplot as plt
import pandas as pd

import geoplan as gp

DATA = gp.home() / "data"
run = gp.open_run("scenarios/baseline.toml")  # 32 stadsdelar
areas, backdrop, index = run.areas(), run.backdrop(), run.index()
names, water = areas["name"], backdrop[0][1]
INK, ACCENT, BLUE = "#1a1a1a", "#b35806", "#225ea8"
MADE_UP, WHEN = "geoplan, fictional", "9 October 2012"

people = gp.reach.open_raster(DATA / "nordhamra_population_100m.tif", unit="residents")
homes = gp.reach.cell_points(people, areas)
jobs = gp.read_vector(DATA / "nordhamra_workplaces.gpkg").set_index("workplace_id")

# %% [markdown]
# ## Weighted centres
#
# The mean centre is where a map of people would balance on a pin; the median centre is nearest to all, and hardly minds
# a few who live far out.

# %%
both = {"residents": (homes, "population"), "jobs": (jobs, "jobs")}
mean = {name: gp.reach.weighted_mean_centre(*own) for name, own in both.items()}
median = {name: gp.reach.weighted_median_centre(*own) for name, own in both.items()}
print(f"{mean['residents'].distance(mean['jobs']):.0f} m from the residents' mean centre to that of jobs")
pd.DataFrame({name: {
    "from mean to median centre, m": mean[name].distance(median[name]),
    "standard distance, m": gp.reach.standard_distance(*own),
    "longer axis, degrees from north": gp.reach.standard_ellipse(*own).bearing_deg,
} for name, own in both.items()}).round(0)  # fmt: skip

# %% [markdown]
# Jobs and residents have nearly the same centre, and spread around it very differently.
#
# Are they moving? A centre is one of amounts, and only districts count that have a figure in each year.

# %%
middles = gp.reach.weighted_points(homes, homes["population"], homes["area_id"])
moved = {
    what: gp.reach.centre_shift(middles, run.indicators(), indicator=indicator)
    for what, indicator in {"residents": "population", "the unemployed": "unemployment_18_64"}.items()
}
pd.concat(moved, names=["of"])[["shift_m", "bearing_deg", "from_first_m", "missing"]].round(1)

# %% [markdown]
# Residents move by three metres a year, to the south-south-east, slowly and steadily. The centre of the
# unemployed goes back and forth by a hundred metres, and after six years is nearly where it was. There a shift of one
# year says nothing.

# %% [markdown]
# ## Density
#
# A surface knows no borders. Each resident is spread over the land within 500 metres, and nobody into the water.

# %%
town = gp.read_vector(DATA / "nordhamra.gpkg", "kommun")
land = gpd.overlay(town, water, how="difference")
dense = {
    "Residents": gp.reach.kernel_density(people, unit="residents", bandwidth_m=500, within=land),
    "Jobs": gp.reach.kernel_density(jobs, weight="jobs", unit="jobs", bandwidth_m=500, within=land),
}
figure, charts = plt.subplots(1, 2, figsize=(9.2, 4.6), layout="constrained")
for chart, (title, surface) in zip(charts, dense.items(), strict=True):
    left, low, right, high = surface.lattice.bounds
    drawn = chart.imshow(surface.cells, cmap="YlGnBu", extent=(left, right, low, high), vmin=0)
    water.plot(ax=chart, color="#d7e3ea")
    for name, mark in (("residents", "o"), ("jobs", "s")):
        chart.plot(mean[name].x, mean[name].y, mark, color=ACCENT, markeredgecolor="white", markersize=9)
    figure.colorbar(drawn, ax=chart, orientation="horizontal", label=surface.unit, shrink=0.8)
    chart.set(xlim=(left, right), ylim=(low, high))
    chart.set_title(f"{title} (circle: residents' mean centre; square: that of jobs)", fontsize=9, loc="left")
    chart.set_axis_off()
figure.supxlabel(f"Source: {MADE_UP}, 2012; {dense['Jobs'].method}", x=0.01, ha="left", fontsize=8)
plt.show()

# %% [markdown]
# ## Strategic nodes
#
# Stockholm's plan of 2010 looks for places in the outer city. The inner city is dense already, and would take the first
# ranks; so candidates are stations outside it with at least four departures an hour, and peaks of density there.

# %%
streets = gp.reach.read_streets(DATA / "nordhamra_streets.osm.pbf")
timetable = gp.reach.read_timetable(DATA / "nordhamra_gtfs.zip", date="2012-10-09")
network = gp.reach.join_network(streets, timetable)
everywhere = gp.reach.node_candidates(
    stations=gp.reach.stations(timetable, crs="EPSG:3006", least_per_hour=4),
    peaks=gp.reach.density_peaks(homes, "population", least_per_km2=2500),
    merge_m=700,
)
boards = gp.read_vector(DATA / "nordhamra.gpkg", "stadsdelsnamnder").set_index("area_id")
candidates = everywhere[gp.reach.area_of_points(everywhere, boards).map(boards["name"]) != "Inre staden"]
print(f"{len(candidates)} of {len(everywhere)} candidates are outside the inner city:",
      candidates["kinds"].value_counts().to_dict())  # fmt: skip

# %% [markdown]
# What is near each of them is counted along the streets: any layer of points will do, and any matrix of times.


# %%
def near(points: gpd.GeoDataFrame, value: str | list[str] | None, minutes: int = 10) -> gp.reach.Nearby:
    """Return what is within a walk of each candidate."""
    return gp.reach.nearby(points, value, candidates, streets, max_min=minutes)


by = {"culture": "visits_per_day", "leisure": "visits_per_day", "retail": "floor_m2", "education": "places"}
places = {name: gp.read_vector(DATA / "nordhamra_services.gpkg", name).set_index("service_id") for name in by}
parks = places["leisure"].query("kind == 'park'")
places["leisure"] = places["leisure"].drop(parks.index)
kinds = ["culture", "leisure", "retail"]
services = gp.reach.gather_opportunities({kind: (places[kind], by[kind]) for kind in kinds})
everybody = gp.reach.gather_opportunities({"residents": (homes, "population"), "jobs": (jobs, "jobs")})
room = gp.reach.spread_land(gp.read_vector(DATA / "nordhamra_land.gpkg").set_index("land_id"), ["homes"])
around = {
    "residents": near(homes, "population", 15),
    "jobs": near(jobs, "jobs"),
    "services": near(services, kinds),
    "schools": near(places["education"], "places"),
    "parks": near(parks, None),
    "land": near(room, "homes"),
    "reached": gp.reach.nearby(everybody, ["residents", "jobs"], candidates, network, from_nodes=True,
                               departure="2012-10-09 07:00", max_min=30, max_walk_min=10),
    "departures": gp.reach.node_departures(candidates, network),
    "walkable": gp.reach.walkable_share(candidates, streets),
}  # fmt: skip

# %% [markdown]
# What makes a node is a choice. Here transit and density weigh most; the eight first get a catchment of 15 minutes on
# foot.

# %%
weights = {"density": 3, "mix": 2, "transit": 3, "services": 2, "schools": 1, "parks": 1, "development": 2,
           "barriers": 1}  # fmt: skip
deprived = index.score.nlargest(6).index
nodes = gp.reach.strategic_nodes(
    candidates, **around, weights=weights, top=8, area_of=homes["area_id"], index=index.score, deprived=deprived
)
print(*nodes.lines(), sep="\n")

# %%
gp.show.explore_nodes(
    nodes.nodes, catchments=gp.reach.catchment_areas(nodes.catchments, homes, cell_m=100),
    districts=areas.loc[deprived], backdrop=backdrop, source=MADE_UP, period=f"{WHEN}, 15 minutes on foot",
)  # fmt: skip

# %%
gp.show.plot_nodes(
    nodes.nodes, catchments=gp.reach.catchment_areas(nodes.catchments, homes, cell_m=100),
    districts=areas.loc[deprived], backdrop=backdrop, source=MADE_UP, period=f"{WHEN}, 15 minutes on foot",
)  # fmt: skip

# %% [markdown]
# ### What carries them, and how sure is the rank?

# %%
sure = gp.reach.node_uncertainty(nodes, top=8, concentration=30)
gp.show.plot_node_parts(nodes.contributions(), sure.table, top=14, source=MADE_UP, period=WHEN,
                        method="2,000 draws of the weights (Dirichlet, concentration 30)")  # fmt: skip

# %%
print(*sure.lines(8), sep="\n")

# %% [markdown]
# The eight lie close together, and their order is a matter of taste. That it is these eight is less so: the ninth is
# five points behind, and each of them is among the first eight in more than 80 of 100 draws.

# %% [markdown]
# ### Whom would they serve?

# %%
served = nodes.districts.assign(
    district=nodes.districts["area_id"].map(names),
    node=nodes.districts["node_id"].map(nodes.nodes["name"]).fillna("none in reach"),
)
served[["district", "node", "residents", "share", "minutes"]].round(2)  # fmt: skip

# %% [markdown]
# The hatched districts are the six with the highest index. Five of them have a node in reach, most of them their own
# station. Tallmohöjden has none: no line runs often there, and no part of it is dense.

# %% [markdown]
# ## Links between districts
#
# Two districts can lie side by side and be far apart. For each pair of neighbours: the time on foot and by bicycle,
# how much longer the way is than the straight line, how many crossings the border has, and what is in the way.

# %%
layer = {name: gp.read_vector(DATA / "nordhamra.gpkg", name) for name in ("rail", "roads")}
motorway = layer["roads"].query("kind == 'motorway'")
barriers = gp.reach.gather_barriers({"water": water, "railway": layer["rail"], "motorway": motorway})
found = gp.reach.links(
    areas, homes, streets, cycle=gp.reach.read_streets(DATA / "nordhamra_streets.osm.pbf", mode="cycle"),
    network=network, departure="2012-10-09 07:00", barriers=barriers, index=index.score,
)  # fmt: skip
print(*found.lines(), sep="\n")

# %%
worst = found.pairs.sort_values("people_detour", ascending=False)
worst[["name_a", "name_b", "crossings", "longest_gap_m", "people_walk_min", "people_detour", "cause",
       "index_difference"]].head(6).round(1)  # fmt: skip

# %% [markdown]
# The four worst all lead from Tallmohöjden over the river Hamraån; its border with Åkersvallen has no bridge on 2.2
# kilometres. There, people who live 940 metres from each other walk 6.7 kilometres, and the index differs by 70 points.
# That is how the town was made: its README says that no bridge leads there. Where no cause is named, none of the
# barriers handed in lies there.

# %% [markdown]
# ### What would a crossing do?

# %%
options = gp.reach.candidate_crossings(worst.head(1), streets, spacing_m=300, reach_m=400)
effects = gp.reach.crossing_effects(found, options, streets)
print(*effects.lines(), sep="\n")

# %%
gp.show.plot_links(found.straight(), areas=found.areas, crossings=found.crossings, barriers=barriers,
                   candidates=effects.frame, best=3, source=MADE_UP, period=WHEN, backdrop=backdrop)  # fmt: skip

# %%
gp.show.explore_links(found.straight(), areas=found.areas, crossings=found.crossings, barriers=barriers,
                      candidates=effects.frame, best=3, source=MADE_UP, period=WHEN, backdrop=backdrop)  # fmt: skip

# %% [markdown]
# The wider a line, the more crossings; the darker, the longer the way round.
#
# ### Who is cut off?
#
# `min_cut` is how many crossings would have to be closed to part a district from half of all others' residents. Shares
# are of the town's residents, within half an hour.

# %%
columns = ["residents", "neighbours", "links", "crossings", "min_cut", "walk_share", "cycle_share", "transit_share"]
cut_off = found.isolation.set_index("name", append=True).sort_values("transit_share")[columns]
cut_off.loc[list(deprived)].droplevel("area_id").sort_values("transit_share").round(2)

# %%
cut_off.droplevel("area_id").head(6).round(2)

# %% [markdown]
# Of the six Tallmohöjden is cut off most: public transport brings nobody nearer within half an hour than
# feet do. Farther out are small districts of villas, and an island.
#
# At the command line, sections `[nodes]` and `[links]` in a scenario do the same: `geoplan nodes
# scenarios/access.toml`, `geoplan links scenarios/access.toml`, and all files with `geoplan run`.
