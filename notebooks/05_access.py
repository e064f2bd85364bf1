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
# # What can be reached
#
# A travel time is no use in itself. What do people get for it: how many jobs, how soon a school, how much of a job
# market that others are after, too? Who has little of it, and are they those who have little of all else? Nordhamra is
# fictional, and so are its people, jobs and timetable.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import geoplan as gp

DATA = gp.home() / "data"
run = gp.open_run("scenarios/baseline.toml")  # 32 stadsdelar
areas, backdrop, index = run.areas(), run.backdrop(), run.index()
names = areas["name"]
INK, QUIET, ACCENT, BLUE = "#1a1a1a", "#5c666c", "#b35806", "#225ea8"
MADE_UP, WHEN = "geoplan, fictional", "9 October 2012, leaving 07:00–07:59"

# %% [markdown]
# ## From where people live
#
# A district is not a point. Every hundred-metre cell with residents is a place from which somebody leaves.

# %%
people = gp.reach.open_raster(DATA / "nordhamra_population_100m.tif", unit="residents")
cells = gp.reach.cell_points(people, areas)
residents, district = cells["population"], cells["area_id"]
print(f"{len(cells):,} cells, {residents.sum():,.0f} residents, in {district.nunique()} of {len(areas)} districts")

# %% [markdown]
# ## To what
#
# Five classes of destinations: work, education, culture, leisure, retail. Regional cores are a sixth. A workplace
# counts by its jobs, a school by its places, a shop by its floor, a library by those who visit it, a core as one.

# %%
layers = ("education", "culture", "leisure", "retail", "regional_cores")
there = {name: gp.read_vector(DATA / "nordhamra_services.gpkg", name).set_index("service_id") for name in layers}
workplaces = gp.read_vector(DATA / "nordhamra_workplaces.gpkg").set_index("workplace_id")
places = gp.reach.gather_opportunities(
    {
        "work": (workplaces, "jobs"),
        "education": (there["education"], "places"),
        "culture": (there["culture"], "visits_per_day"),
        "leisure": (there["leisure"], "visits_per_day"),
        "retail": (there["retail"], "floor_m2"),
        "regional_cores": there["regional_cores"],
    }
)
amounts = places.drop(columns="geometry")
pd.DataFrame({"places": (amounts > 0).sum(), "in all": amounts.sum().astype(int)})

# %% [markdown]
# ## A weekday morning
#
# Streets and timetable are joined once ([travel times](05a_travel_times.py) tells how). All trips from all cells to all
# places are then found for each minute from 7 to 8. The 50th percentile is what half of the departures keep, the 90th
# what one can rely on.

# %%
network = gp.reach.join_network(
    gp.reach.read_streets(DATA / "nordhamra_streets.osm.pbf"),
    gp.reach.read_timetable(DATA / "nordhamra_gtfs.zip", date="2012-10-09"),
)
morning = {"departure": "2012-10-09 07:00", "window_min": 60}
times = gp.reach.travel_times(cells, places, network, **morning, percentiles=(50, 90))
print(times)

# %% [markdown]
# ## Who has no answer
#
# Before any figure: for whom can streets and timetable say nothing? A place without public transport has poor access,
# and that is an answer. Where the stops have no trips in the timetable, it is the timetable that is poor.

# %%
scope = gp.reach.service_scope(cells, network)
print(*scope.lines(), sep="\n")
silent = scope.frame[scope.frame["status"] != "observed"].join(cells)
silent.assign(district=silent["area_id"].map(names))[["district", "population", "status", "reason"]]

# %% [markdown]
# These residents are not scored. They are told in each table below, and are never 0.

# %% [markdown]
# ## How much in 30 minutes, how much in 45?

# %%
reached = gp.reach.opportunities(times, amounts, within_min=(30, 45), percentile=(50, 90))
scored = scope.frame["status"] == "observed"
share = 100 * reached.div(amounts.sum(), axis=1, level="opportunity")
mean = share[scored].mul(residents[scored], axis=0).sum() / residents[scored].sum()
mean.unstack(["within_min", "percentile"]).round(0).astype(int)

# %% [markdown]
# Per cent of all there is, for the mean resident. In 45 minutes half to three quarters of the town are in reach; in 30
# a fifth to two fifths, and less for those who miss a bus. Whom do 30 minutes tell apart?

# %%
jobs = reached["work"][30.0][50].rename("jobs in 30 min")
by_district = gp.reach.area_access(jobs, residents, district, status=scope.frame["status"]).set_index("area_id")
gp.explore(areas, by_district["mean"].reindex(areas.index), title="Jobs within 30 minutes", unit="jobs", cmap="YlGnBu",
           scheme="given", breaks=[1000, 5000, 10000, 20000],
           status=by_district["status"].reindex(areas.index), period=f"{WHEN}, median", source=MADE_UP, language="en",
           backdrop=backdrop)  # fmt: skip

# %% [markdown]
# ## How soon a school?

# %%
primary = there["education"].query("kind == 'primary_school'").index
to_school = times.between(to_ids="education:" + primary)
minutes = gp.reach.time_to_nearest(to_school, percentile=50).rename("school, min")
cores = gp.reach.time_to_nearest(times, amounts["regional_cores"], percentile=50).rename("core, min")
pd.DataFrame({
    name: gp.reach.weighted_quantile(found[scored].to_numpy(), residents[scored].to_numpy(), (0.1, 0.5, 0.9, 1.0))
    for name, found in (("primary school", minutes), ("regional core", cores))
}, index=["10 % have at most", "half have at most", "90 % have at most", "the last has"]).round(0)  # fmt: skip

# %% [markdown]
# The last have no time at all: nobody is taken to walk for more than half an hour, and they have neither a school nor a
# bus within that. NaN is not 0, and further down they are counted among those who have no school.
#
# ## One place, in one line
#
# What is reached from a place is no circle. It follows the streets and the lines, and islands lie around stops.

# %%
tallmohojden = gp.reach.weighted_points(cells, residents, district).loc[["0099S19"]].rename(names.to_dict())
bands = gp.reach.isochrones(tallmohojden, network, **morning, residents=cells, jobs=workplaces, water=backdrop[0][1])
gp.show.explore_isochrones(bands, places=tallmohojden, source=MADE_UP, backdrop=backdrop)

# %%
gp.show.plot_isochrones(bands, places=tallmohojden, source=MADE_UP, backdrop=backdrop)

# %%
bands[["band_min", "residents", "jobs", "stops", "area_km2"]].round(1)

# %% [markdown]
# From the deprived district of Tallmohöjden hardly any job lies within half an hour. Why, is what
# [nodes and links](06_nodes_and_links.py) is about.
#
# ## Jobs that others want, too
#
# Who reaches a job in the centre has many rivals. The balanced method divides each job among those who reach it, and
# each person among the jobs, so that nothing is given out twice. Beside it stand the people who are after the same
# jobs.

# %%
shared = gp.reach.floating_catchment(
    times, amounts["work"], residents, method="balanced", within_min=30, percentile=50
)  # fmt: skip
print(*shared.lines(), sep="\n")
rivals = gp.reach.population_balance(times, amounts["work"], residents, within_min=30, percentile=50)
both = pd.DataFrame({"jobs in reach": jobs, "rivals": rivals["rivals"],
                     "jobs per rival": rivals["opportunities_per_rival"],
                     "balanced, town = 1": shared.access / np.average(shared.access, weights=residents)})  # fmt: skip
found = gp.reach.area_access(both, residents, district, status=scope.frame["status"])
table = found.pivot(index="area_id", columns="measure", values="median")[list(both)].assign(index=index.score)
table.join(names).set_index("name").sort_values("index", ascending=False).head(6).round(2)

# %% [markdown]
# These are the median residents of the six districts with the highest index. In Granhöjden and Björkhamra three jobs
# are in reach for every ten who are after them; in Tallmohöjden and Stensvedjan six for every hundred.
#
# ### Jobs that the jobless can take
#
# Workplaces say what schooling their jobs ask for. Nobody counts the jobless of Nordhamra by schooling. A guess stands
# in here, to be replaced: as large a share of a district's jobless has low education as of the parents of its pupils.

# %%
figures = run.indicators().data.query("period == '2012'").pivot(index="area_id", columns="indicator")
jobless = figures["numerator"]["unemployment_18_64"]
low = figures["value"]["parents_low_education"] / 100
here = district.map(jobless) * residents / residents.groupby(district).transform("sum")
schooled = pd.DataFrame({"basic": here * district.map(low), "more": here * (1 - district.map(low))}).dropna()
levels = pd.DataFrame({"basic": workplaces["jobs_basic"],
                       "more": workplaces["jobs_secondary"] + workplaces["jobs_tertiary"]})  # fmt: skip
levels.index = "work:" + levels.index
to_work = times.between(from_ids=schooled.index, to_ids=levels.index)
matched = gp.reach.matched_jobs(to_work, levels, schooled, within_min=30, percentile=50)
found = gp.reach.area_access(matched[["jobs", "matched_jobs"]], matched["jobless"], district[schooled.index])
table = found.pivot(index="area_id", columns="measure", values="mean").assign(jobless=jobless, low=low)
table["share"] = table["matched_jobs"] / table["jobs"]
table.join(names).set_index("name").sort_values("low", ascending=False).head(6).round(2)

# %% [markdown]
# Schooling takes away a tenth of what is in reach. Where one lives takes away much more.

# %% [markdown]
# ## A standard, kept by how many?
#
# A mean hides who has nothing. So a standard is set, and the residents who have it are counted. The last columns say
# what would have come out of one point in the middle of each district.

# %%
middles = areas.set_geometry(areas.centroid)
from_middles = gp.reach.travel_times(middles, places, network, **morning, percentiles=(50,))
at_centroid = pd.DataFrame({
    "jobs in 30 min": gp.reach.opportunities(from_middles, amounts["work"], within_min=30),
    "school, min": gp.reach.time_to_nearest(from_middles.between(to_ids="education:" + primary)),
})  # fmt: skip
standards = [gp.reach.Standard("jobs in 30 min", at_least=10_000), gp.reach.Standard("school, min", at_most=15)]
had = gp.reach.area_access(
    pd.concat([jobs, minutes], axis=1), residents, district,
    standards=standards, status=scope.frame["status"], at_centroid=at_centroid,
)  # fmt: skip
kept = had.groupby("standard")[["meeting", "scored", "not_scored", "not_reached"]].sum()
kept.assign(share=kept["meeting"] / kept["scored"]).round(2)

# %%
worst_off = had[had["measure"] == "jobs in 30 min"].set_index("area_id").join([names, index.score.rename("index")])
worst_off.sort_values("index", ascending=False).head(8).set_index("name")[
    ["index", "p10", "median", "p90", "share_meeting", "mean", "centroid", "centroid_difference"]
].round(2)

# %% [markdown]
# In Granhöjden the middle reaches nearly twice as many jobs as the mean resident, for that is where the station is. The
# bars say how different neighbours are:

# %%
off = worst_off.dropna(subset=["centroid"])
figure, chart = plt.subplots(figsize=(9.2, 5.6), layout="constrained")
ordered = off.sort_values("median").reset_index()
chart.hlines(ordered.index, ordered["p10"], ordered["p90"], color=BLUE, linewidth=5, alpha=0.35)
chart.plot(ordered["median"], ordered.index, "o", color=BLUE, label="median resident (bar: from the 10th to the 90th)")
chart.plot(ordered["centroid"], ordered.index, "x", color=ACCENT, label="one point in the middle of the district")
chart.set_yticks(ordered.index, ordered["name"], fontsize=8)
chart.set(xlabel="jobs within 30 minutes", xlim=(0, None))
chart.tick_params(length=0)
chart.legend(frameon=False, loc="lower right")
chart.spines[["top", "right", "left"]].set_visible(False)
chart.set_title("A district is not a point", loc="left", fontweight="bold", color=INK)
figure.supxlabel(f"Source: {MADE_UP}. {WHEN}, median", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# ## Do those who have least reach least?
#
# Residents are put in order by the risk index of their district, and in five parts of as many people.

# %%
score = district.map(index.score).rename("score")
equity = gp.reach.access_equity(
    jobs.where(scored), residents, score, standard=gp.reach.Standard("jobs in 30 min", at_least=10_000)
)
print(*equity.notes, sep="\n")
equity.by_quantile.round(2)

# %%
gp.show.plot_equity(
    equity.by_quantile,
    equity.curve,
    equity.measures,
    what="jobs within 30 minutes",
    unit="jobs",
    percentile=50,
    period="2012",
    source=MADE_UP,
    method=f"from where people live, {WHEN}, median",
    language="en",
)

# %%
pd.Series(equity.measures).round(2)

# %%
equity.left_out.join(residents).groupby("reason")["population"].agg(["size", "sum"])

# %% [markdown]
# The concentration index is 0, as if access had nothing to do with deprivation. The fifths say otherwise. Those in the
# middle live in the inner city; the two most deprived fifths reach seven tenths of what the mean resident does, and the
# least deprived one, out by the shore, still less. No single number tells that, and none here tells who has a car.
#
# ## Both at once
#
# Districts by third of the index and third of access. Where both are worst, a programme has to do with travel, too.

# %%
classes = gp.reach.deprivation_access_classes(by_district["mean"].rename("jobs"), index.score)
pd.crosstab(classes["deprivation"], classes["poor_access"])

# %%
worst = classes.index[classes["class"] == "3-3"]
mean_jobs = by_district["mean"].reindex(areas.index)
gp.plot(areas, mean_jobs, title="Jobs within 30 minutes", unit="jobs", cmap="YlGnBu", scheme="given",
        breaks=[1000, 5000, 10000, 20000], period=f"{WHEN}, median", source=MADE_UP, language="en", backdrop=backdrop,
        named={code: f"{index.score[code]:.0f}" for code in index.score[worst].sort_values(ascending=False).index},
        named_title="In the worst third of both, and the index")  # fmt: skip

# %% [markdown]
# Two of the three are about as the town is. In Tallmohöjden both are bad: one bus an hour, and a river in the way.
#
# At the command line, a section `[access]` in a scenario does the same: `geoplan run scenarios/access.toml`.
