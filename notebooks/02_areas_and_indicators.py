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
# # Areas and indicators
#
# Before areas are compared: do names and borders match, what does an average hide, which years can be compared, and
# what may be published? Nordhamra and the housing organisation Fjordbo are fictional, and so are their figures.

# %%
import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rasterio
from matplotlib.patches import Circle

import geoplan as gp

run = gp.open_run("scenarios/baseline.toml")  # 32 stadsdelar
fine = gp.open_run("scenarios/basomraden.toml")  # the same figures in 128 basområden
areas, small, tree = run.areas(), fine.areas(), run.membership()
table, parts = run.indicators(), fine.indicators()

INK, GREY, ACCENT = "#22272b", "#9aa3a8", "#c2570c"
BACKDROP = {"water": "#d9e7ef", "park": "#e6eedd"}

# %% [markdown]
# ## A table without codes
#
# A list from 1995, with names as people wrote them. Which districts do they mean?

# %%
listed = gp.read_table(gp.home() / "data" / "nordhamra_programme_names.csv")
match = gp.match_names(listed["stadsdel"], areas)
print(*match.lines(), sep="\n")

# %% [markdown]
# What is written alike but for case, hyphens and spaces is the same name. A misspelling is joined when only one
# district fits, and listed for somebody to confirm. The rest is left alone, with suggestions:

# %%
match.matched.query("how == 'variant'")[["name", "area", "how"]]

# %%
match.unmatched[["row", "name", "suggestions"]]

# %% [markdown]
# The town archive's list of other names and renames settles these. The year decides: until 1998 *Tjärhamnen* was the
# name of what is now Skeppsåker.

# %%
archive = gp.read_table(gp.home() / "data" / "nordhamra_aliases.csv")
aliases = gp.places.as_aliases(archive, from_column="since", until_column="until")
match = gp.match_names(listed["stadsdel"], areas, aliases=aliases, on=1995)
print(*match.lines(areas=False), sep="\n")

coded = listed.assign(area_id=match.codes_or_raise())  # a name without a district would stop here
coded.head(3)

# %% [markdown]
# ## What an indicator is
#
# Each has a sheet: unit, direction, base, source, and the years from which it is counted in another way.

# %%
sheet = gp.sheets(table.definitions).loc["employment_20_64"]
sheet[sheet != ""].to_frame("In work")

# %% [markdown]
# The town's definitions stand on the national ones. Where the town counts otherwise, it says why:

# %%
town, nation = gp.open_registry("nordhamra_registry"), gp.open_registry("sweden_core")
apart = gp.places.differences(town.indicators, nation.indicators)
apart[["indicator", "field", "core", "local", "reason"]].query(
    "indicator == 'employment_20_64' and field == 'breaks'"
).iloc[0].to_frame("")

# %% [markdown]
# ## Levels that overlap
#
# A basområde lies in a stadsdel, and in a police area that does not follow stadsdelar. Each is a relation of its own.

# %%
police = sorted(set(tree.loc[tree["relation"] == "in_police_area", "parent_id"]))
inside = gp.members(tree, "0099S09", of=small.index)
print(areas.loc["0099S09", "name"], "is made of", *inside)
gp.places.pairs_at(tree, inside, police)

# %% [markdown]
# How well do stadsdelar fit into police areas? In square metres and in people:

# %%
beat_of = gp.places.parents_at(tree, list(small.index), police)
beats = small[["geometry"]].dissolve(beat_of).rename_axis("area_id")
nesting = gp.check_nesting(areas, beats, population=run.population())
print(*nesting.lines(), sep="\n")
print(f"about {nesting.misplaced:.0%} of the residents live outside the police area that holds most of their stadsdel")
nesting.pieces[["area_id", "parent_id", "m2", "people"]].head(5).round()

# %% [markdown]
# ## The spread behind an average
#
# A figure made from smaller areas says how many they are, their lowest and highest value, and their spread (standard
# deviation, weighted by the number of people).

# %%
work = table.data.query("indicator == 'employment_20_64' and period == '2012'").set_index("area_id")
work = work[work["value"].notna()].join(areas["name"])
behind = ["name", "value", "minimum", "maximum", "spread", "children"]
work[behind].sort_values("spread", ascending=False).head(5).round(1)

# %%
inside = parts.data.query("indicator == 'employment_20_64' and period == '2012'").set_index("area_id")["value"]
ordered = work.sort_values("value")
widest, height = ordered["spread"].idxmax(), np.arange(len(ordered))
colours = [ACCENT if code == widest else INK for code in ordered.index]
whole = gp.totals(table).loc[("employment_20_64", "2012"), "value"]

figure, (chart, plan) = plt.subplots(1, 2, figsize=(14, 8), width_ratios=[1, 1.5], layout="constrained")
chart.hlines(height, ordered["minimum"], ordered["maximum"], color=colours, linewidth=2.2, alpha=0.45)
chart.scatter(ordered["value"], height, c=colours, s=26, zorder=3)
chart.axvline(whole, color=GREY, linewidth=1, linestyle="--", zorder=0)
chart.text(whole, len(ordered) - 0.2, f"Nordhamra {whole:.0f}", color="#5c666c", fontsize=9, ha="center", va="bottom",
           backgroundcolor="white")  # fmt: skip
chart.set_yticks(height, ordered["name"], fontsize=9)
chart.get_yticklabels()[list(ordered.index).index(widest)].set(color=ACCENT, fontweight="bold")
chart.set(ylim=(-0.8, len(ordered) + 0.8), xlabel="per cent")
chart.set_title("Each stadsdel, with its lowest and highest basområde", fontsize=10.5, color=INK, loc="left")
chart.tick_params(length=0)
chart.spines[["top", "right", "left"]].set_visible(False)

for role, frame in run.backdrop():
    if role in BACKDROP:
        frame.plot(ax=plan, color=BACKDROP[role])
scale = {"label": "per cent in work", "orientation": "horizontal", "shrink": 0.4, "pad": 0.01, "aspect": 30}
small.assign(work=inside).plot(
    "work", ax=plan, cmap="YlGnBu_r", edgecolor="white", linewidth=0.3, legend=True, legend_kwds=scale,
    missing_kwds={"color": "#e8e8e6", "hatch": "////", "edgecolor": GREY, "linewidth": 0.3},
)  # fmt: skip
areas.boundary.plot(ax=plan, color=INK, linewidth=0.6)
areas.loc[[widest]].boundary.plot(ax=plan, color=ACCENT, linewidth=2.4)
spot = areas.loc[widest].geometry.representative_point()
plan.annotate(areas.loc[widest, "name"], (spot.x, spot.y), (-95, -95), textcoords="offset points", color=ACCENT,
              fontweight="bold", arrowprops={"arrowstyle": "-", "color": ACCENT})  # fmt: skip
plan.set_title("The 128 basområden; hatched: no figure", fontsize=10.5, color=INK, loc="left")
west, south, east, north = small.total_bounds
plan.set(xlim=(west - 200, east + 200), ylim=(south - 200, north + 200), anchor="N")
plan.set_axis_off()
figure.suptitle("In work, aged 20–64, 2012", fontsize=14, fontweight="bold", x=0.01, ha="left")
plt.show()

# %% [markdown]
# Ekvarpet's value is near the town's, and one of its basområden has the lowest in Nordhamra. A wide range alone may be
# a handful of people: Mossmarken's lowest value stands on a small base, which is why its spread is narrow.

# %%
lowest = parts.data.query("indicator == 'employment_20_64' and period == '2012'").set_index("area_id")
lowest.loc[gp.members(tree, "0099S17", of=small.index), ["numerator", "denominator", "value", "status"]].round(1)

# %% [markdown]
# ## How far a plan reaches
#
# Fjordbo's three plans cover estates in different parts of the town; one estate is in two plans.

# %%
fjordbo = gp.open_run("scenarios/fjordbo.toml")
estates, extent = fjordbo.areas(), fjordbo.extent("helhedsplan")
columns = ["name", "estates", "homes", "residents", "area_km2", "hull_km2", "parts", "largest_distance_m"]
extent[[*columns, "standard_distance_m"]].round(2).T

# %%
tied = gp.places.pairs_at(fjordbo.membership(), estates.index, extent.index)
people = fjordbo.population()
spots = estates.centroid
PLANS = dict(zip(extent.index, ["#1b6ca8", "#b5530a", "#5b3f8c"], strict=True))

figure, (plan, legend) = plt.subplots(1, 2, figsize=(13, 7.2), width_ratios=[3, 1], layout="constrained")
for role, frame in fjordbo.backdrop():
    if role in BACKDROP:
        frame.plot(ax=plan, color=BACKDROP[role], zorder=0)
shared = tied["child_id"][tied["child_id"].duplicated()]
for row, (code, colour) in enumerate(PLANS.items()):
    own = tied.loc[tied["parent_id"] == code, "child_id"]
    ground = estates.loc[own].union_all()
    x, y = (np.average(axis.loc[own], weights=people.loc[own]) for axis in (spots.x, spots.y))
    gpd.GeoSeries([ground.convex_hull], crs=estates.crs).plot(ax=plan, color=colour, alpha=0.10)
    gpd.GeoSeries([ground.convex_hull.boundary], crs=estates.crs).plot(ax=plan, color=colour, linewidth=1)
    gpd.GeoSeries([ground], crs=estates.crs).plot(ax=plan, color=colour, alpha=0.85)
    plan.add_patch(Circle((x, y), extent.loc[code, "standard_distance_m"], fill=False, edgecolor=colour, linestyle=":"))
    plan.plot(x, y, marker="+", color=colour, markersize=13, markeredgewidth=2.4)
    of = extent.loc[code]
    name = of["name"].removeprefix("Helhedsplan ")
    plan.annotate(
        name, (x, y), (0, -20), textcoords="offset points", color=colour, fontweight="bold", fontsize=9.5, ha="center"
    )
    told = (
        f"{of['estates']} estates, {of['homes']:,.0f} homes\n{of['residents']:,.0f} residents\n"
        f"{of['parts']} parts, up to {of['largest_distance_m'] / 1000:.1f} km apart\n"
        f"standard distance {of['standard_distance_m'] / 1000:.2f} km"
    )
    legend.text(0, 0.97 - 0.25 * row, name, color=colour, fontweight="bold", fontsize=11, va="top")
    legend.text(0, 0.93 - 0.25 * row, told, color=INK, fontsize=10, va="top", linespacing=1.5)
estates.loc[shared].plot(ax=plan, facecolor=PLANS["FBH-1"], edgecolor=PLANS["FBH-2"], hatch="////", linewidth=1.6)
spot = estates.loc[shared.iloc[0]].geometry.representative_point()
plan.annotate("in two plans", (spot.x, spot.y), (40, 22), textcoords="offset points", fontsize=9.5, color=INK,
              arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8})  # fmt: skip
signs = "shaded: convex hull\n+  weighted mean centre\ndotted: standard distance"
legend.text(0, 0.2, signs, color="#5c666c", fontsize=9.5, va="top", linespacing=1.5)
legend.set(xlim=(0, 1), ylim=(0, 1))
legend.set_axis_off()
west, south, east, north = estates.total_bounds
plan.set(xlim=(west - 400, east + 400), ylim=(south - 300, north + 300))
plan.plot([west - 200, west + 800], [south - 150, south - 150], color=INK, linewidth=2, solid_capstyle="butt")
plan.text(west + 300, south - 100, "1 km", color=INK, fontsize=9, ha="center")
plan.set_axis_off()
plan.set_title("Three plans and the ground they hold", fontsize=14, fontweight="bold", color=INK, loc="left")
plt.show()

# %% [markdown]
# ## Boundaries that do not match
#
# Suppose only stadsdelar had figures, and the police areas ask for theirs. The stadsdelar that are cut can be divided
# by surface, or by where people live: a grid of residents, 100 m by 100 m.

# %%
with rasterio.open(gp.home() / "data" / "nordhamra_population_100m.tif") as file:
    cells, corner = file.read(1, masked=True).astype(float).filled(np.nan), file.transform
residents = gp.Grid(cells, west=corner.c, north=corner.f, width=corner.a, height=-corner.e, crs="EPSG:3006")

by_surface = gp.crosswalk(areas, beats)
by_people = gp.crosswalk(areas, beats, weights=residents)
print(*by_people.report.lines(), sep="\n")

# %% [markdown]
# Here the true figures can be looked up, for the police areas are made of whole basområden:

# %%
ways = {
    "true": gp.roll_up(parts, beat_of),
    "by surface": gp.transfer(table, by_surface),
    "by people": gp.transfer(table, by_people),
}
found = pd.concat(
    {
        way: item.data.query("period == '2012'").set_index(["indicator", "area_id"])["value"]
        for way, item in ways.items()
    },
    axis=1,
)
residents_in = found.loc["population"]
for way in ("by surface", "by people"):
    residents_in[f"{way}, off by"] = residents_in[way] - residents_in["true"]
residents_in.round()

# %% [markdown]
# By surface, hundreds of residents end up on the wrong side of a border; by people, some tens. A rate is another
# matter: each piece keeps the rate of its whole stadsdel, for no grid of residents tells where in it the unemployed
# live.

# %%
found.loc["unemployment_18_64"].round(2)

# %% [markdown]
# Each figure says that it is estimated, and how much of it was moved:

# %%
moved = ways["by people"].data.query("indicator == 'unemployment_18_64' and period == '2012'")
moved[["area_id", "value", "status", "method", "moved_share"]].round(2)

# %% [markdown]
# ## Years that can be compared
#
# From 2010 employment is counted in another way. No line is drawn across the break, and no change is told.

# %%
gp.plot_series(
    table,
    "employment_20_64",
    areas=["0099S18", "0099S24", "0099S09", "0099S29"],
    names=areas["name"],
    compare=gp.totals(table).loc["employment_20_64"],
    compare_name="Nordhamra",
    language="en",
)

# %%
across = gp.change(table, 2008, 2012).query("area_id == '0099S29'").set_index("indicator")
across.loc[["employment_20_64", "child_poverty"]].T

# %% [markdown]
# ## What may be published
#
# Counts of one to four people, and rates on fewer than twenty, are hidden. That is not enough: what is hidden in one
# basområde is the stadsdel less the others. So a few more figures are hidden, and the result is attacked.

# %%
names = ["child_poverty", "long_term_assistance", "violent_crime", "youth_neet_20_24"]
wanted = gp.IndicatorTable(
    parts.data[parts.data["indicator"].isin(names)].reset_index(drop=True),
    {name: parts.definitions[name] for name in names},
)
levels = {
    "basomrade": pd.Series(small.index, small.index),
    "stadsdel": gp.places.parents_at(tree, list(small.index), list(areas.index)),
    "kommun": gp.places.parents_at(tree, list(small.index), ["0099"]),
}
rules = gp.DisclosureSpec(minimum_cell=5, minimum_base=20)
safe = gp.protect(wanted, rules, levels=levels, periods=["2012"])
print(*safe.lines(), sep="\n")

# %% [markdown]
# The same without the further ones:

# %%
unsafe = gp.protect(wanted, rules.model_copy(update={"secondary": False}), levels=levels, periods=["2012"])
print(*unsafe.lines(), sep="\n")

# %% [markdown]
# How the first one is found:

# %%
first = unsafe.attack.recovered.iloc[0]
stadsdel = levels["stadsdel"][first["area_id"]]
shown = pd.concat([unsafe.tables["basomrade"].data, unsafe.tables["stadsdel"].data])
shown = shown.query("indicator == @first.indicator and period == '2012'").set_index("area_id")
shown.loc[[*gp.members(tree, stadsdel, of=small.index), stadsdel], ["numerator", "denominator", "status"]]

# %% [markdown]
# The hidden figure is what the stadsdel's count leaves when the others are taken away:

# %%
first[["area_id", "indicator", "lowest", "highest"]].to_frame("worked out")
