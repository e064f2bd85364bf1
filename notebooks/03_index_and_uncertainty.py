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
# # The index, and how sure it is
#
# A rank decides where money goes. Which index made it, how sure is it, what changed over the years, why is an area
# where it is, and do its neighbours share it? First on Nordhamra, which does not exist and whose figures are invented;
# then on the 1,287 small areas of Stockholm county.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import geoplan as gp

run = gp.open_run("scenarios/baseline.toml")  # 32 stadsdelar
fine = gp.open_run("scenarios/basomraden.toml")  # the same town in 128 basområden
areas, table, index = run.areas(), run.indicators(), run.index()
small, parts, detail = fine.areas(), fine.indicators(), fine.index()
names = areas["name"]

# what domains and indicators are called in tables and pictures
WORDS = {domain.id: domain.label.to("en") for domain in run.spec.index.domains}
WORDS |= gp.sheets(table.definitions)["label"].to_dict()
INK, GREY, ACCENT = "#1a1a1a", "#9aa3a8", "#b35806"
MAP = {"scheme": "given", "breaks": [70, 90, 110, 140], "midpoint": 100, "cmap": "PuOr_r", "language": "en"}

# %% [markdown]
# ## Which index?
#
# Cities rank by different rules. The scenario divides by the town's value (city = 100). Here are the same figures and
# domains by five other methods; `spread` is how many places an area moves between them.

# %%
ways = {way: {"method": way} for way in ("relative", "rank_exponential", "percentile", "z_score", "min_max", "borda")}
ways["rank_exponential"]["inside"] = gp.specs.CombineSpec(normalisation="z_score")  # domains of unlike units
made = {
    way: gp.risk_index(table, run.spec.index.model_copy(update=changed), period="2012", area_ids=areas.index)
    for way, changed in ways.items()
}
ranks = pd.DataFrame({way: result.ranking["rank"] for way, result in made.items()}).dropna().astype(int)
ranks["spread"] = ranks.max(axis=1) - ranks.min(axis=1)
first = [set(ranks.nsmallest(8, way).index) for way in ways]
print(len(set.intersection(*first)), "areas are among the eight highest by every method")
ranks.join(names).set_index("name").sort_values("spread", ascending=False).head(8)

# %% [markdown]
# Here the method hardly matters for those at the top, more in the middle. Where an area moves, the cause can be named.
# Negative: towards rank 1.

# %%
other = made["rank_exponential"]
moved = gp.compare_results(index, table, other)
print(f"{moved.moved} of {moved.both} areas have another rank; rank correlation {moved.correlation:.3f}")
furthest = moved.areas["shift"].abs().sort_values(ascending=False).index[:4]
moved.areas.loc[furthest, ["rank_before", "rank_after", "shift"]].join(moved.causes.round(1)).join(names)

# %% [markdown]
# Published indices can be taken whole, with their weights, ties and classes:

# %%
print(*gp.specs.preset_names(), sep=", ")
wales = gp.index_preset("wimd_2019")
pd.Series({domain.id: domain.weight for domain in wales.domains}, name="weights of wimd_2019").to_frame().T

# %% [markdown]
# Every result carries a certificate: what was decided, whether somebody decided it or not.

# %%
for heading, text in index.certificate.lines():
    if heading in {"formula", "reference", "missing", "exclusion", "ties", "domain weights", "excluded"}:
        print(f"{heading}: {text}")

# %% [markdown]
# ## How sure is a rank?
#
# Figures of a few hundred people vary by chance. The true rates are drawn 2,000 times given the counts, and each draw
# is ranked. The line is after the eighth place, for eight areas can have money.

# %%
sure = gp.rank_uncertainty(table, run.spec.index, period="2012", area_ids=areas.index, draws=2000, top=8, line=100)
print(*sure.lines(["0099S18", "0099S15", "0099S29"], names=names), sep="\n")

# %%
gp.plot_ranks(
    sure.table,
    names=names,
    highlight=["0099S16"],
    top=8,
    draws=sure.draws,
    title="How sure are the ranks?",
    period="2012",
    source=run.sources(),
    language="en",
)

# %% [markdown]
# The intervals of seven areas lie wholly among the eight, and the eighth place lies between two. Whom to choose there
# is not a question of statistics.
#
# Lomma-Torpvreten has rank 28 and its interval ends at 27. That is no mistake: it has 899 residents, and some of its
# favourable figures are taken for luck. An interval says where the rank of the true rates is likely to be; the
# observed one may lie outside.

# %%
sure.table.loc[["0099S16", "0099S11"], ["rank", "rank_low", "rank_high"]].join(index.ranking["population"]).join(names)

# %% [markdown]
# ### Is A really worse off than B?
#
# The share of the draws in which the first is ranked above the second. Near one half, nobody knows.

# %%
pairs = sure.pairs(["0099S18", "0099S24", "0099S19", "0099S09"])
pairs.assign(area=pairs["area_id"].map(names), other=pairs["other_id"].map(names))[["area", "other", "worse"]].round(2)

# %% [markdown]
# Tallmohöjden is ranked fourth and Björkhamra fifth, a hundredth of a point apart. Neither is above the other in
# 95 of 100 draws, so that nobody knows for sure which of the two is worse off.

# %% [markdown]
# ### Which choice moves most?
#
# Besides chance, people chose: weights, how figures are put on one scale, which indicators are in. All are drawn
# together, and the variance of the mean shift in rank is divided among them. `first_order` is what a choice moves
# alone, `total` what it moves together with the others; low and high are 90 % intervals.

# %%
open_choices = {
    "weights_concentration": 50,
    "normalisations": ["rank_exponential", "z_score"],
    "leave_one_out": True,
}
effects = gp.choice_effects(table, run.spec.index, period="2012", area_ids=areas.index, n=512, **open_choices)
effects[["first_order", "first_order_low", "first_order_high", "total", "total_low", "total_high"]].round(2)

# %% [markdown]
# Chance in the counts comes first, the weights second; the method and single indicators matter less. Who doubts the
# rank should ask about the weights before asking for another method.

# %%
wider = gp.rank_uncertainty(
    table, run.spec.index, period="2012", area_ids=areas.index, draws=2000, top=8, **open_choices
)
both = pd.DataFrame({"chance alone": sure.table["p_top"], "and the choices": wider.table["p_top"]})
both.loc[both.max(axis=1).between(0.005, 0.995)].join(names).set_index("name").round(2)

# %% [markdown]
# ## Small areas
#
# Nought of seven children is not "no poverty". Where a single small area is looked at, its rate can be drawn towards
# the town's: much where few people are behind it, hardly where many are.

# %%
shrunk = gp.shrink(parts, "child_poverty", periods=["2012"])
one = "indicator == 'child_poverty' and period == '2012'"
before, after = (item.data.query(one).set_index("area_id") for item in (parts, shrunk))
pair = pd.DataFrame({"children": before["denominator"], "observed": before["value"], "drawn": after["value"]}).dropna()
town = gp.totals(parts).loc[("child_poverty", "2012"), "value"]

figure, chart = plt.subplots(figsize=(9.2, 4.6), layout="constrained")
chart.vlines(pair["children"], pair["observed"], pair["drawn"], color=GREY, linewidth=1.2)
chart.scatter(pair["children"], pair["observed"], s=22, facecolor="white", edgecolor=GREY, label="observed", zorder=3)
chart.scatter(pair["children"], pair["drawn"], s=14, color=ACCENT, label="drawn towards the town", zorder=4)
chart.axhline(town, color=INK, linewidth=1, linestyle="--")
chart.annotate(
    f"Nordhamra {town:.1f} %", (pair["children"].min(), town), (0, 4), textcoords="offset points", fontsize=9
)
chart.set(xscale="log", xlabel="children in the basområde (logarithmic)", ylabel="in families with low income, %")
chart.xaxis.set_major_formatter("{x:g}")
chart.legend(frameon=False, loc="upper left", fontsize=9)
chart.spines[["top", "right"]].set_visible(False)
chart.set_title(f"Child poverty in {len(pair)} basområden, 2012", loc="left", fontweight="bold", color=INK)
figure.supxlabel(f"Source: {fine.sources()}", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# Use these for looking at areas, not for another index: drawn figures differ too little from each other. The ranks
# above are made from draws, which do not have that fault.

# %% [markdown]
# ## Years
#
# Two questions with two answers. Against *each year's* town: has the area's place changed? Against the town of *2006*:
# has life in the area changed?

# %%
moving = gp.index_series(table, run.spec.index, area_ids=areas.index)
fixed = gp.index_series(table, run.spec.index, base="fixed", area_ids=areas.index)
print(*fixed.lines(), sep="\n")
pd.DataFrame({"each year's town": moving.city, "the town of 2006": fixed.city}).T.round(1)

# %%
shown = ["0099S25", "0099S09", "0099S18"]
change = pd.DataFrame({"moving": moving.change["points"], "fixed": fixed.change["points"]}).loc[shown]
change.join(names).set_index("name").round(1)

# %%
gp.plot_slopes(
    fixed.scores,
    names=names,
    highlight=shown,
    status=index.ranking["status"],
    breaks=sorted({int(year) for year in fixed.breaks["period"]}),
    title="Two areas that changed, and one that stayed",
    source=run.sources(),
    method="the town of 2006 = 100, the same 26 indicators in all years",
    language="en",
)

# %% [markdown]
# Employment and sick days are counted in another way from 2010 and 2009 on: the lines are dashed there. What is
# Stensvedjan's rise made of? The parts add up to the change, without a rest.

# %%
told = gp.decompose_change(table, run.spec.index, periods=("2006", "2012"), area_ids=areas.index)
print(names["0099S25"], *told.lines("0099S25", labels=WORDS), sep="\n")
told.parts.loc[shown, ["score_before", "score_after", "own", "reference", "availability", "not_separable"]].round(1)

# %% [markdown]
# ## Why is it there?
#
# Each indicator against the town. A hollow arrow is a difference that is small, or that chance alone may have made.

# %%
near = gp.neighbours(areas, bridges=dict(run.backdrop())["road"])
profile = gp.profile(table, period="2012", area_ids=areas.index, indicators=run.spec.index.indicators)
gp.plot_profile(
    profile, "0099S25", labels=WORDS, name=names["0099S25"], period="2012", source=run.sources(), language="en"
)

# %%
strong, weak = gp.risk.strengths(profile, "0099S29")
print(f"{names['0099S29']}: rank {index.ranking.loc['0099S29', 'rank']}, about as the town, and yet")
lists = pd.concat([weak, strong]).assign(indicator=lambda rows: rows["indicator"].map(WORDS))
lists[["kind", "indicator", "value", "city", "relative", "place", "among"]].round(1)

# %% [markdown]
# ### Against the neighbours
#
# Roads and bridges join what the river parts. Where is the step from one area to the next the largest?

# %%
print(*near.lines(), sep="\n")
steps = gp.risk.contrast_scores(index.score, near)
steps["neighbour"] = steps["largest_neighbour"].map(names)
largest = steps.sort_values("largest_difference", ascending=False).join(names)
largest[["name", "score", "neighbours_score", "largest_difference", "neighbour"]].head(5).round(1)

# %% [markdown]
# A step of a hundred points between two areas that share a border: what does it consist of? `clear` says that a
# difference is larger than its noise.

# %%
across = gp.contrast(table, near, period="2012", indicators=run.spec.index.indicators, area_ids=["0099S18"])
across["indicator"] = across["indicator"].map(WORDS)
across = across[across["clear"].fillna(value=False).astype(bool)].sort_values("difference", key=abs, ascending=False)
across[["indicator", "unit", "value", "neighbours_value", "difference", "standard_error"]].head(6).round(1)

# %% [markdown]
# ## Do high values lie together?
#
# Among the 32 stadsdelar: no. They are a patchwork, and a map of them can look like a pattern all the same.

# %%
print(gp.global_pattern(index.score, near).lines()[0])

# %% [markdown]
# One level down they do:

# %%
close = gp.neighbours(small, bridges=dict(fine.backdrop())["road"])
whole = gp.global_pattern(detail.score, close)
local = gp.local_pattern(detail.score, close)
print(whole.lines()[0])
local["class"].value_counts().to_frame("basområden")

# %%
moran = whole.measures.loc["moran"]
gp.plot_moran(
    local,
    statistic=moran["statistic"],
    p=moran["p"],
    names=small["name"],
    measure="Risk index",
    title="Each basområde and its neighbours",
    period="2012",
    source=fine.sources(),
    language="en",
)

# %%
PATTERN = {
    "LL": "low among low",
    "LH": "low among high",
    "–": "not distinguishable",
    "HL": "high among low",
    "HH": "high among high",
}

CLASSES = {"categories": PATTERN, "midpoint": 3, "cmap": "PuOr_r", "top": 0, "language": "en"}
number = {name: place for place, name in enumerate(PATTERN.values(), start=1)}

alone = local["reason"] == "no_neighbour"  # it has a figure, and nobody beside it has one
gp.plot(
    small,
    local["class"].map(number),
    status=detail.ranking["status"].mask(alone, "not_applicable"),
    backdrop=fine.backdrop(),
    outline=areas,
    title="High among high, low among low",
    unit="risk index, class",
    period="2012",
    source=fine.sources(),
    **CLASSES,
)

# %% [markdown]
# Few areas have a class: it takes a value and surroundings well off the mean, and a pattern that chance seldom makes
# among so many areas. A white area is not "average"; nothing can be said of what is around it.

# %% [markdown]
# ### Do people with low incomes live apart?
#
# Dissimilarity is the share of the group that would have to move for an even spread. Small areas make it large by
# chance alone, so it is corrected. Smaller areas show more of it: compare years, never levels.

# %%
parents = gp.places.parents_at(fine.membership(), list(small.index), list(areas.index))
apart = gp.segregation(parts, "low_economic_standard", parents={"stadsdel": parents})
apart["level"] = apart["level"].replace("areas", "basomrade")
uneven = apart.pivot(index="period", columns="level", values="dissimilarity_corrected")
lived_in = apart.groupby("level")["areas"].last()

figure, chart = plt.subplots(figsize=(9.2, 3.4), layout="constrained")
for level, colour, word, up in (
    ("basomrade", ACCENT, "basområden", 4),
    ("stadsdel", "#225ea8", "stadsdelar", -4),
):
    chart.plot(uneven.index, uneven[level], color=colour, marker="o", linewidth=2)
    end = uneven.index[-1], uneven[level].iloc[-1]
    chart.annotate(f"{lived_in[level]} {word}", end, (10, up), textcoords="offset points", color=colour,
                   va="center", annotation_clip=False)  # fmt: skip
chart.set(ylim=(0, 0.35), ylabel="dissimilarity (0–1)")
chart.spines[["top", "right"]].set_visible(False)
chart.set_title("Low economic standard: hardly any change", loc="left", fontweight="bold", color=INK)
figure.supxlabel(f"Source: {fine.sources()}", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# ## Domains and years on one page
#
# The same classes on all maps, against the town of 2006.

# %%
chosen = (
    fixed.domains.loc[:, (slice(None), ["2006", "2009", "2012"])].reindex(areas.index).rename(columns=WORDS, level=0)
)
gp.plot_panels(
    areas,
    chosen,
    status=pd.DataFrame(dict.fromkeys(chosen, index.ranking["status"])),
    title="Four domains, three years",
    unit="index",
    reference="Nordhamra 2006",
    source=run.sources(),
    **MAP,
)

# %% [markdown]
# # Stockholm
#
# The same on open data: 1,287 DeSO of Stockholm county with Statistics Sweden's figures for 2022, the municipality of
# Stockholm = 100. The data are not in the repository; `docs/stockholm.md` says which files go into the folder that
# `GEOPLAN_REAL_DATA` names.

# %%
PROJECT = next(
    (folder / "docs/examples/stockholm" for folder in (Path.cwd(), *Path.cwd().parents)
     if (folder / "docs/examples/stockholm").is_dir()),
    None,
)  # fmt: skip
DATA = Path(os.environ.get("GEOPLAN_REAL_DATA") or (PROJECT or Path()) / "layers/../../../../../shared/real")
FOUND = PROJECT is not None and (DATA / "sweden/scb_deso2018_indicators_2022.csv").is_file()
print("The data were found." if FOUND else "The data were not found: the cells below are left out.")

# %% [markdown]
# Suppose a tenth of the areas, 129, can be chosen. How many are certain?

# %%
if FOUND:
    county = gp.open_run(PROJECT / "scenarios/deso_stockholm.toml")
    deso, scb, scores = county.areas(), county.indicators(), county.index()
    drawn = gp.rank_uncertainty(
        scb,
        county.spec.index,
        period="2022",
        area_ids=deso.index,
        reference_ids=county.reference_members(),
        draws=1000,
        top=129,
    )
    edge = [drawn.table.index[place] for place in (1, 120, 140)]
    print(*drawn.lines(edge, names=deso["name"]), sep="\n")
    show = gp.plot_ranks(
        drawn.table,
        names=deso["name"],
        highlight=edge,
        top=129,
        draws=drawn.draws,
        title="Which of 1,285 DeSO are among the 129 highest?",
        period="2022",
        source=county.sources(),
        language="en",
    )
else:
    show = "left out"
show

# %%
if FOUND:
    certain, undecided = (drawn.table.query(rule) for rule in ("rank_high <= 129", "rank_low <= 129 < rank_high"))
    residents = scores.ranking.loc[undecided.index, "population"].sum()
    print(f"{len(certain)} areas are among the 129 highest with their whole interval.")
    print(f"{len(undecided)} can be in or out, with {residents:,.0f} residents.")
    width = (drawn.table["rank_high"] - drawn.table["rank_low"]).astype(float)
    middle, first = width.iloc[500:800].median(), width.iloc[:100].median()
    print(f"An interval is {middle:.0f} places wide in the middle of the list, {first:.0f} among the first hundred.")

# %% [markdown]
# High and low values lie together in Stockholm, beyond any doubt. The county is compared as a whole; the map shows the
# municipality.

# %%
if FOUND:
    beside = gp.neighbours(deso)
    print(gp.global_pattern(scores.score, beside).lines()[0])
    lie = gp.local_pattern(scores.score, beside)
    print(lie["class"].value_counts().to_string())
    inside = deso[deso.index.str.startswith("0180")]
    show = gp.plot(
        inside,
        lie["class"].map(number).reindex(inside.index),
        status=scores.ranking["status"],
        backdrop=county.backdrop(),
        title="High among high, low among low",
        unit="risk index of 1,287 DeSO in the county, class",
        period="2022",
        source=county.sources(),
        **CLASSES,
    )
else:
    show = "left out"
show

# %% [markdown]
# What the score is made of, with the same classes:

# %%
if FOUND:
    words = {domain.id: domain.label.to("en") for domain in county.spec.index.domains}
    values = scores.domains.reindex(inside.index).rename(columns=words)
    show = gp.plot_panels(
        inside,
        values,
        status=pd.DataFrame(dict.fromkeys(values, scores.ranking["status"])),
        ncols=3,
        backdrop=county.backdrop(),
        title="Three domains of Stockholm's DeSO",
        unit="index",
        reference="municipality",
        period="2022",
        source=county.sources(),
        **MAP | {"breaks": [60, 85, 115, 160, 240]},
    )
else:
    show = "left out"
show

# %% [markdown]
# The steepest steps between neighbours:

# %%
if FOUND:
    steps = gp.risk.contrast_scores(scores.score, beside).join(deso["name"])
    steps["neighbour"] = steps["largest_neighbour"].map(deso["name"])
    columns = ["name", "score", "neighbour", "largest_difference", "neighbours"]
    show = steps.sort_values("largest_difference", ascending=False)[columns].head(6).round(0)
else:
    show = "left out"
show

# %% [markdown]
# Neighbours are areas that touch; a motorway, a railway or a bay between them is not seen. Names are those of the
# RegSO, without å, ä and ö as in the file.
