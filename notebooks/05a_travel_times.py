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
# # Travel times
#
# How long does it take to get from one door to another, on foot and by public transport? On which day, leaving when,
# how much does it vary from one minute to the next, and which way does one go? Nordhamra is fictional; its streets are
# tagged as in OpenStreetMap, and its timetable is a GTFS feed of 2012.

# %%
import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rasterio
from shapely import Point

import geoplan as gp

DATA = gp.home() / "data"
run = gp.open_run("scenarios/basomraden.toml")  # 128 basområden
areas, backdrop = run.areas(), run.backdrop()
INK, QUIET, ACCENT, BLUE = "#1a1a1a", "#5c666c", "#b35806", "#225ea8"
MADE_UP = "geoplan, fictional"

# %% [markdown]
# ## Streets

# %%
streets = gp.reach.read_streets(DATA / "nordhamra_streets.osm.pbf")
print(*streets.lines(), sep="\n")
streets.dropped.round(0)

# %% [markdown]
# What cannot be reached on foot from the rest is left out, and listed: here four short paths on an islet. The same file
# gives streets for cycling and driving; with a raster of heights, slopes count. Mean speeds on
# what may be used both ways, there and back:

# %%
source = DATA / "nordhamra_streets.osm.pbf"
flat = gp.reach.read_streets(source, mode="cycle")
hilly = gp.reach.read_streets(source, mode="cycle", elevation=DATA / "nordhamra_elevation.tif")
every = {"walk": streets, "cycle": flat, "cycle, with slopes": hilly}
both = {name: (kept.forward_ms < gp.reach.NEVER) & (kept.backward_ms < gp.reach.NEVER) for name, kept in every.items()}
hours = {
    name: (kept.forward_ms[both[name]].sum(dtype=float) + kept.backward_ms[both[name]].sum(dtype=float)) / 3.6e6
    for name, kept in every.items()
}
km = {name: kept.length_m[both[name]].sum() / 1000 for name, kept in every.items()}
pd.DataFrame({"km": km, "km/h": {name: 2 * km[name] / hours[name] for name in every}}).round(1)

# %% [markdown]
# ## The timetable
#
# Before anything is computed on it: what is in the feed, is it sound, and which day stands for the usual ones?

# %%
report = gp.reach.feed_report(DATA / "nordhamra_gtfs.zip")
print(report)

# %%
report.service.groupby("weekday", sort=False)["departures"].agg(["median", "min", "max"]).astype(int)

# %% [markdown]
# All stops by their departures on that day. A click is not needed: pointing at a stop, or going there with the tab key,
# says its name.

# %%
gp.show.explore_stops(report.stops, period=str(report.date), source=MADE_UP, backdrop=backdrop)

# %% [markdown]
# A date outside the feed is refused, with the feed's own range:

# %%
try:
    gp.reach.read_timetable(DATA / "nordhamra_gtfs.zip", date="2014-10-07")
except gp.GeoplanError as error:
    print(error)

# %% [markdown]
# Stops are put on the streets, and the walks between stops are found once:

# %%
timetable = gp.reach.read_timetable(DATA / "nordhamra_gtfs.zip", date="2012-10-09")
network = gp.reach.join_network(streets, timetable)
print(f"{network.record['stops']} stops, {network.record['stops_off_the_streets']} of them not near any street,",
      f"{network.record['walks_between_stops']:,} walks between stops")  # fmt: skip

# %% [markdown]
# ## From where, to where?
#
# The middle of an area may be a wood. Each area is given the point about which its residents live: the mean of the
# hundred-metre cells that they live in, moved to the nearest such cell. Two areas have no residents, and so no point.

# %%
with rasterio.open(DATA / "nordhamra_population_100m.tif") as raster:
    people = np.where(raster.read(1) > 0, raster.read(1), 0)
    row, column = np.nonzero(people)
    x, y = rasterio.transform.xy(raster.transform, row, column)
cells = gpd.GeoDataFrame({"people": people[row, column]}, geometry=gpd.points_from_xy(x, y), crs=areas.crs)
cells = cells.sjoin(areas[["geometry"]].rename_axis("area_id"), predicate="within")


def middle(own: gpd.GeoDataFrame) -> Point:
    """Return the cell nearest to the mean of where people live."""
    mean = [np.average(axis, weights=own["people"]) for axis in (own.geometry.x, own.geometry.y)]
    return own.geometry.loc[own.distance(Point(mean)).idxmin()]


homes = gpd.GeoDataFrame(geometry=gpd.GeoSeries({code: middle(own) for code, own in cells.groupby("area_id")}),
                         crs=areas.crs)  # fmt: skip
residents = cells.groupby("area_id")["people"].sum()
jobs = gp.read_vector(DATA / "nordhamra_workplaces.gpkg").set_index("workplace_id")
cores = gp.read_vector(DATA / "nordhamra_services.gpkg", "regional_cores").set_index("service_id")
print(f"{residents.sum():,.0f} residents of {len(homes)} areas, {jobs['jobs'].sum():,} jobs at {len(jobs)} workplaces")

# %% [markdown]
# ## A window, not a moment
#
# Who leaves at 07:30 may just catch a bus, or just miss it. So the trip is asked for at each minute from 07:30 to
# 08:29, and a percentile says in which time it can be done: the 90th is kept by nine departures in ten, the 10th is for
# those who look at the timetable.

# %%
times = gp.reach.travel_times(homes, jobs, network, departure="2012-10-09 07:30", percentiles=(10, 50, 90))
print(times)
times.minutes(50).iloc[:4, :5].round(1)

# %%
spread = pd.DataFrame({f"{share}th": times.minutes(share).stack() for share in (10, 50, 90)}).dropna()
spread["90th − 10th"] = spread["90th"] - spread["10th"]
spread.describe(percentiles=[0.5]).loc[["mean", "50%", "max"]].round(1)

# %% [markdown]
# Points that are near no street would be listed in `times.unsnapped`, with the reason, and count as not reached.
# There are none here:

# %%
len(times.unsnapped)

# %% [markdown]
# ## How many minutes to the centre?

# %%
centre = cores.index[cores["name"] == "Centralen"]
to_centre = gp.reach.travel_times(homes, cores.loc[centre], network, departure="2012-10-09 07:30", max_min=240)
minutes = to_centre.minutes()[centre[0]].reindex(areas.index)
on_foot = gp.reach.travel_times(homes, cores.loc[centre], streets, max_min=240)
by_foot = on_foot.minutes()[centre[0]].reindex(areas.index)
why = pd.Series("not_applicable", index=areas.index)
hatched = "Hatched: nobody lives there, or no stop lies within a walk of 30 minutes"
gp.explore(areas, minutes, title="Minutes to the centre", unit="minutes", cmap="YlOrBr", scheme="given",
           breaks=[10, 20, 30, 45], status=why, note=hatched,
           period="9 October 2012, leaving 07:30–08:29, median", source=MADE_UP, language="en",
           backdrop=backdrop)  # fmt: skip

# %%
faster = by_foot - minutes
weights = residents.reindex(areas.index)
known = minutes.notna() & by_foot.notna()
pd.Series(
    {
        "mean resident, by public transport and on foot": np.average(minutes[known], weights=weights[known]),
        "mean resident, on foot alone": np.average(by_foot[known], weights=weights[known]),
        "areas where walking is as quick": (faster < 1).sum(),
    }
).round(1)

# %% [markdown]
# ## Jobs within 45 minutes


# %%
def jobs_within(limit: float, percentile: float) -> pd.Series:
    """Return the share of all jobs that can be reached from each area, per cent."""
    reached = times.minutes(percentile).le(limit).astype(float)
    return 100 * (reached @ jobs["jobs"].astype(float)) / jobs["jobs"].sum()


share = jobs_within(45, 50).reindex(areas.index)
gp.plot(areas, share, title="Jobs within 45 minutes", unit="% of all jobs", cmap="YlGnBu", scheme="given",
        breaks=[20, 40, 60, 80], status=why,
        period="9 October 2012, leaving 07:30–08:29, median", source=MADE_UP, language="en", backdrop=backdrop,
        named={})  # fmt: skip

# %% [markdown]
# The same for the three percentiles: how much of a district's reach hangs on looking at the timetable?

# %%
reach = pd.DataFrame({f"{share}th": jobs_within(45, share) for share in (10, 50, 90)})
ordered = reach.sort_values("50th").reset_index(drop=True)

figure, chart = plt.subplots(figsize=(9.2, 3.4), layout="constrained")
chart.fill_between(ordered.index, ordered["90th"], ordered["10th"], color=BLUE, alpha=0.25, linewidth=0)
chart.plot(ordered.index, ordered["50th"], color=BLUE, linewidth=2)
chart.set(xlim=(0, len(ordered) - 1), ylim=(0, 100), xlabel="areas, by the median", ylabel="% of all jobs")
chart.spines[["top", "right"]].set_visible(False)
chart.set_title("Jobs within 45 minutes: median, and from the 90th to the 10th percentile", loc="left", color=INK,
                fontweight="bold")  # fmt: skip
figure.supxlabel(f"Source: {MADE_UP}", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# ## One journey, explained
#
# A number can be asked how it came about. Of the trips to the centre, one with a change of vehicles:

# %%
told = {
    code: gp.reach.explain_trip(homes.loc[[code]], cores.loc[centre], network, departure="2012-10-09 07:30")
    for code in minutes.dropna().sort_values(ascending=False).index[:12]
}
code = max(told, key=lambda own: (told[own].rides, -told[own].minutes))
journey = told[code]
print(areas["name"][code], "→ Centralen,", journey)
journey.legs.drop(columns=["geometry", "start_s", "end_s"]).round(1)

# %% [markdown]
# Walks follow the streets; rides are drawn straight from stop to stop.

# %%
box = journey.legs.to_crs(streets.crs).total_bounds + np.array([-600, -600, 600, 600])
around = gpd.GeoDataFrame(geometry=gpd.GeoSeries(streets.shapes, crs=streets.crs).cx[box[0] : box[2], box[1] : box[3]])
ground = [*[layer for layer in backdrop if layer[0] != "road"], ("road", around)]
gp.show.explore_journey(journey.legs, title=f"{areas['name'][code]} to Centralen", source=MADE_UP, backdrop=ground,
                        below=f"9 October 2012, leaving 07:30: {journey.minutes:.0f} min")  # fmt: skip

# %%
gp.show.plot_journey(journey.legs, title=f"{areas['name'][code]} to Centralen", source=MADE_UP, backdrop=ground,
                     below=f"9 October 2012, leaving 07:30: {journey.minutes:.0f} min")  # fmt: skip

# %% [markdown]
# Leave a few minutes later, and it may be another trip. The steps are the departures; a long step is a long wait:

# %%
moments = pd.date_range("2012-10-09 07:30", periods=30, freq="2min")
later = [
    gp.reach.explain_trip(homes.loc[[code]], cores.loc[centre], network, departure=moment.to_pydatetime()).minutes
    for moment in moments
]
figure, chart = plt.subplots(figsize=(9.2, 2.6), layout="constrained")
chart.step(moments.strftime("%H:%M"), later, where="post", color=BLUE, linewidth=2)
chart.set_xticks(range(0, 30, 5))
chart.set(ylim=(0, None), xlabel="leaving at", ylabel="minutes")
chart.spines[["top", "right"]].set_visible(False)
chart.set_title(f"{areas['name'][code]} to Centralen, by departure", loc="left", color=INK, fontweight="bold")
plt.show()

# %% [markdown]
# ## To be there by a time
#
# School starts at 8. The same search runs backwards: when must one leave, to be there by 07:55, and at each of the nine
# minutes after?

# %%
schools = gp.read_vector(DATA / "nordhamra_services.gpkg", "education").set_index("service_id")
upper = schools[schools["kind"] == "upper_secondary_school"]
by_eight = gp.reach.travel_times(homes, upper, network, arrival="2012-10-09 07:55", window_min=10, percentiles=(50,))
nearest = by_eight.minutes().min(axis=1)
print(f"{len(upper)} upper-secondary schools; half of the areas are at most {nearest.median():.0f} minutes from one")
nearest.sort_values(ascending=False).head(5).round(0).rename("minutes").to_frame().join(areas["name"]).set_index("name")

# %% [markdown]
# ## Times that others computed
#
# A region may have a matrix of its own, from R5, OpenTripPlanner or a traffic model. It becomes the same type, and the
# same questions can be asked of it. What stands for "not reached" has to be said, for 999 may be a time.

# %%
theirs = pd.DataFrame({"Från": homes.index[:3], "Till": ["K001", "K002", "K002"], "Restid (min)": [12.5, 999, 7.25]})
foreign = gp.reach.read_travel_times(
    theirs,
    columns={"from_id": "Från", "to_id": "Till", "minutes": "Restid (min)"},
    unreached=[999],
    program="the region's model",
)
foreign.minutes()

# %% [markdown]
# Travel times know where they come from, and `times.write(file)` keeps that with them:

# %%
record = times.record["network"]
for source in [*record["streets"]["sources"], *record["timetable"]["feeds"]]:
    print(source["name"], source["sha256"][:12])
print(record["timetable"]["date"], "·", times.record["percentile"])

# %% [markdown]
# At the command line the same is `geoplan times matrix`, `geoplan times explain` and `geoplan feed report`.
