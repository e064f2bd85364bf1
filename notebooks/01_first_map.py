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
# # A first map
#
# Which districts of a town are worst off, why, and what does the average hide? The town is Nordhamra, which does not
# exist; its figures are invented. Everything below works the same on your own scenario.

# %%
from dataclasses import replace

import pandas as pd

import geoplan as gp

run = gp.open_run("scenarios/baseline.toml")  # nothing is computed yet
run.spec.title.to("en"), run.spec.areas.level, run.spec.period

# %% [markdown]
# ## The areas
#
# Polygons in a metric system, with a code, a name and a level. The scenario has four levels; `stadsdel` is ranked.

# %%
areas = run.areas()
print(len(areas), "stadsdelar in", areas.crs, "and", len(run.areas("basomrade")), "basområden beneath them")
areas.head(3)

# %% [markdown]
# ## The indicators
#
# One row an area, indicator and year. Rates are made from counts when areas are merged.

# %%
table = run.indicators()
table.data[table.data["indicator"] == "employment_20_64"].tail(4)

# %% [markdown]
# Missing is never zero: each gap says why it is there.

# %%
now = table.data[table.data["period"] == run.spec.period]
now["status"].value_counts()

# %%
now[now["value"].isna()].head(5)

# %% [markdown]
# ## The index
#
# Each indicator against the town's value, the mean in each domain, the mean of the domains. The town is 100, higher is
# worse. `score_rest` compares with the rest of the town.

# %%
index = run.index()
ranking = index.ranking.join(areas["name"])
ranking[["rank", "name", "score", "score_rest", "population", "status"]].head(8).round(1)

# %% [markdown]
# Areas without a rank are listed with the reason.

# %%
index.excluded.join(areas["name"])

# %% [markdown]
# ## A map to look around in
#
# One line. The saved page opens without internet: `gp.explore(…).save("map.html")`.

# %%
gp.explore(areas, index.score, title="Risk index 2012", unit="Nordhamra = 100", midpoint=100, cmap="PuOr_r")

# %% [markdown]
# ## A map for print
#
# Classes, colours and texts come from the scenario's map definition, so that years and scenarios can be compared.

# %%
values, style = run.style()
gp.plot(areas, values, style=style, backdrop=run.backdrop(), outline=run.areas("stadsdelsnamnd"))

# %% [markdown]
# ## Why is the first one first?
#
# `above_city` is in points of the score and adds up to its distance from 100.

# %%
first = index.ranking.index[0]
why = gp.explain(index, table, first)
print(areas.loc[first, "name"], round(index.score[first], 1))
why[["domain", "indicator", "value", "unit", "city", "relative", "above_city"]].head(8).round(1)

# %% [markdown]
# ## What the average hides
#
# Ekvarpet is about as the town is. Its five basområden are not: the same scenario, one level down.

# %%
beneath = run.spec.areas.model_copy(update={"level": "basomrade"})
small = replace(run, spec=run.spec.model_copy(update={"areas": beneath}))
parts = run.membership().query("parent_id == '0099S29'")["child_id"]
inside = small.index().ranking.loc[parts].join(small.areas()["name"])

print(f"Ekvarpet: index {index.score['0099S29']:.1f}, rank {index.ranking.loc['0099S29', 'rank']} of {len(areas)}")
inside[["name", "rank", "score", "population"]].round(1)

# %% [markdown]
# Plommongården is among the worst off of all basområden, and no ranking of stadsdelar will ever find it. Look one level
# down before you choose, and remember that small areas swing more by chance.

# %%
estate = gp.explain(small.index(), small.indicators(), "00992905")
estate[["domain", "indicator", "value", "city", "denominator", "above_city"]].head(5).round(1)

# %% [markdown]
# ## Other weights
#
# The four domains weigh the same in the scenario. What moves when livelihood counts for half?

# %%
domains = tuple(
    item.model_copy(update={"weight": 3.0 if item.id == "livelihood" else 1.0}) for item in run.spec.index.domains
)
own = run.spec.index.model_copy(update={"domains": domains})
other = gp.risk_index(table, own, period=run.spec.period, area_ids=areas.index)

moved = pd.DataFrame({"name": areas["name"], "before": index.ranking["rank"], "after": other.ranking["rank"]})
moved["places"] = moved["before"] - moved["after"]
moved.dropna().sort_values("places", key=abs, ascending=False).head(6)

# %% [markdown]
# A place that depends on a choice of weights is not a fact about the area. The first ones should hold either way:

# %%
set(index.ranking.index[:5]) ^ set(other.ranking.index[:5]) or "the same five first"

# %% [markdown]
# ## Keep it
#
# `gp.write_run(run)` writes maps, workbook, GeoPackage and manifest to `build/baseline`. The certificate says how the
# figures were made:

# %%
for heading, text in index.certificate.lines()[:4]:
    print(f"{heading}: {text}")
