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
# # Choosing areas
#
# A programme has money for some areas and not for others. Which ones, under which rule of which year, how close is
# each to the other side, how sure is that, who is left out, and what does the money do? Nordhamra and Fjordbo are
# fictional, and so are their figures; the rules are those of Swedish and Danish authorities. A word of a statute for
# an area stands only as a quotation.

# %%
import tomllib

import matplotlib.pyplot as plt
import pandas as pd

import geoplan as gp

run = gp.open_run("scenarios/baseline.toml")  # 32 stadsdelar
estates = gp.open_run("scenarios/fjordbo_omraader.toml")  # 6 Danish housing areas
areas, table, index = run.areas(), run.indicators(), run.index()
names = areas["name"]

SAID = {True: "yes", False: "–"}
INK, QUIET, GREY, ACCENT, BLUE = "#1a1a1a", "#5c666c", "#9aa3a8", "#b35806", "#225ea8"
pd.set_option("display.max_colwidth", None)

# %% [markdown]
# ## Which rule?
#
# A rule is a file: the law, who decided it, from when to when it was in force, its criteria, and where all this is
# written. These come with geoplan, and any of them can be put to the figures of any year.

# %%
print(*gp.specs.rule_names(), sep=", ")
chosen = run.chosen_rule()  # what the scenario names under [targeting]
print(*gp.targeting.rule_lines(chosen.rule), sep="\n")

# %% [markdown]
# ## Who qualifies?

# %%
gp.run.designation_map(run, language="en")

# %%
above = chosen.table.join(index.score).query("score > 100")
print(len(above), "areas lie above the town's average, and", len(chosen.chosen), "qualify")
above[above["qualified"] == False].join(names)[["name", "score", "reason"]].round(1)  # noqa: E712  not known is neither

# %% [markdown]
# Eight areas lie above the average, but Almvreten lies in a board that the town did not list, and no figure of its own
# can change that. Tegelvreten qualifies by its figures. The town nominated it, too; that is kept apart, and changes
# nothing.
#
# Close to the line, on both sides of it:

# %%
print(*chosen.explain("0099S08"), sep="\n")
margins = chosen.criteria.query("criterion == 'above_average'").set_index("area_id")
chosen.near(3).join([names, margins[["value", "margin", "margin_unit"]]]).drop(columns=["flips", "tips"]).round(2)

# %% [markdown]
# ### In people
#
# An index is held to its limit in points, and points are nobody's. A rule with criteria of its own says it in people.
# The Swedish rule of 2012 has three criteria and at least 4,000 residents; all must hold.

# %%
swedish = run.selections()["se_2012"]
print(swedish.lines()[0])
wide = swedish.criteria.pivot(index="area_id", columns="criterion", values="margin")
nearest = swedish.table.query("met > 0 and reason == 'criteria'")
wide.loc[nearest.index].join(names).set_index("name").astype(int)

# %% [markdown]
# No area qualifies. Each number is the smallest change that would turn a criterion over. Granhöjden would meet all
# three with 14 people fewer in work and 23 pupils fewer who may go on to upper-secondary school; its long-term
# assistance meets its criterion, and would not with 138 people fewer.

# %% [markdown]
# ## The same figures under four versions of an act
#
# Six housing areas in Fjordbo, their figures of 2012, and the Danish act in its versions of 2010, 2014, 2018 and 2021.
# Each version has a list, and the later ones have lists on top of it.

# %%
versions = estates.selections()
held = {
    (name, found.rule.status(status).label.to("en")): found.statuses[status].map(SAID).fillna("not known")
    for name, found in versions.items()
    for status in found.statuses
}
pd.DataFrame(held).rename(index=estates.areas()["name"]).T

# %% [markdown]
# The first list is the same under all four, yet not for the same reasons. What changed from 2014 to 2018:

# %%
print(*gp.targeting.difference_lines(versions["dk_2014"].rule, versions["dk_2018"].rule), sep="\n")

# %% [markdown]
# Before 2018 the statutory criterion on background was one of several. Since then it decides between two lists.
# Hejrelyngen does not meet it, by four people: that made no difference before, and keeps it off the second list after.

# %%
one = {name: found.criteria.query("area_id == 'FBO-1'").set_index("criterion") for name, found in versions.items()}
every = pd.concat(one).rename_axis(["rule", "criterion"])
every = every[["value", "numerator", "denominator", "years", "limit", "meets", "margin", "margin_unit"]]
every.query("rule in ['dk_2014', 'dk_2021'] and criterion != 'population'").round(2)

# %% [markdown]
# Figures of two years are added up, and so is the margin: 81 fewer of 1,028, which is the count of two years together.

# %% [markdown]
# ### What is not known
#
# A hidden figure is not nought. Where it decides, the answer is "not known", and what would settle it is told; where
# it does not, the answer stands without it.

# %%
print(*versions["dk_2021"].explain("FBO-2"), sep="\n")

# %% [markdown]
# How many were convicted in Strandskadelyng may not be told. It fails the first list whatever that number is, for no
# other criterion of it is met. Of the last list nobody can say: there it meets one, and two are asked for.

# %% [markdown]
# ## How sure?
#
# Figures of a few hundred people vary by chance. The true rates are drawn 2,000 times given the counts, and the rule
# is put to each draw.

# %%
sure = run.certainty()
print(*sure.lines(names=names), sep="\n")

# %%
ranges, both = run.uncertainty().table, [*chosen.near(4).index, "0099S15"]
both = sorted(both, key=lambda code: ranges["score"][code])

figure, chart = plt.subplots(figsize=(9.2, 4.2), layout="constrained")
for row, code in enumerate(both):
    score, low, high = ranges.loc[code, ["score", "score_low", "score_high"]]
    likely, reason = sure.table["p_designated"][code], chosen.table["reason"][code]
    colour = {"clear_in": BLUE, "borderline": ACCENT}.get(sure.table["class"][code], QUIET)
    chart.hlines(row, low, high, color=colour, linewidth=5, alpha=0.4)
    chart.plot(score, row, "o", color=colour, markersize=7, markeredgecolor="white", zorder=3)
    told = "board not listed" if reason == "not_listed" else f"in {100 * likely:.0f} of 100 draws"
    chart.text(146, row, told, color=colour, va="center")
chart.axvline(100, color=INK, linewidth=1, linestyle="--", zorder=0)
chart.set_yticks(range(len(both)), names[both])
chart.tick_params(length=0)
chart.set(xlabel="risk index (dashed: the town's average)", xlim=(70, 165), ylim=(-0.6, len(both) - 0.4))
chart.set_xticks(range(70, 150, 10))
chart.spines[["top", "right", "left"]].set_visible(False)
chart.set_title("The index, and where the true one lies in 90 of 100 draws", loc="left", fontweight="bold", color=INK)
figure.supxlabel(f"Source: {run.sources()}", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# Six areas are in, whatever chance does. Tegelvreten meets the rule in 32 of 100 draws only: several of its figures
# are probably a little higher than what is behind them. It qualifies all the same, for the rule asks for figures. But
# nobody should say that it is worse off than the town's average. Ekvarpet is as close to the line on the other side,
# and over it in 1 of 100 draws.

# %% [markdown]
# ## Other years, other weights
#
# Chance is one thing, choices another. The same rule in the two earlier years that have an index, under other weights,
# with one indicator left out, and with other methods: the share of these in which the outcome is as it is today.

# %%
stable = gp.targeting.stability(chosen, periods=["2006", "2009"])
stable.same[stable.same.min(axis=1) < 1].join(names).set_index("name").round(2)

# %%
stable.flips.assign(name=stable.flips["area_id"].map(names)).groupby(["group", "name", "to"])["variant"].agg(", ".join)

# %% [markdown]
# The other 29 areas never change sides. Tegelvreten was out in both earlier years, and falls out when averages are
# geometric or harmonic. Ekvarpet comes in under about one in five of the weights, without one indicator, and like
# Östra Vretarna under half of the other ways to put figures on one scale.

# %% [markdown]
# ## A rule of one's own
#
# Without code: a text, or a file that `gp.specs.read_rule` reads or a project keeps in its folder `rules/`.

# %%
OWN = """
title = { sv = "2 av 3", da = "2 af 3", en = "Two of three" }
family = "nordhamra"
law = "Example"
authority = "Nordhamra"
source = "Made up for this notebook"

[[criteria]]
id = "children"
label = { sv = "Barnfattigdom", da = "Børnefattigdom", en = "Child poverty at least 1.25 times the town's" }
indicator = "child_poverty"
compare = "at_least"
factor = 1.25
of = "city"

[[criteria]]
id = "assistance"
label = { sv = "Långvarigt bistånd", da = "Langvarig hjælp", en = "Long-term assistance above 5 per cent" }
indicator = "long_term_assistance"
compare = "above"
limit = 5

[[criteria]]
id = "young"
label = { sv = "Unga utanför", da = "Unge uden job", en = "Neither work nor studies at 20–24, 1.3 times the town's" }
indicator = "youth_neet_20_24"
compare = "at_least"
factor = 1.3
of = "city"

[[statuses]]
id = "programme_area"
label = { sv = "Programområde", da = "Programområde", en = "Programme area" }
minimum_population = 1000
criteria = ["children", "assistance", "young"]
least = 2
"""
own_rule = gp.specs.parse_spec(tomllib.loads(OWN), gp.specs.RuleSpec, file="own rule")
own = gp.select(table, own_rule, period=2012)
print(*own.lines(names=names), sep="\n")

# %% [markdown]
# A slip is told, with the place and what may have been meant:

# %%
try:
    gp.specs.parse_spec(tomllib.loads(OWN.replace("least = 2", "at_least = 2")), gp.specs.RuleSpec, file="own rule")
except gp.GeoplanError as error:
    print(error)

# %% [markdown]
# ## Who came and went
#
# The same rule in each year from 2006 to 2012. Why did an area come in or leave: through its own figures, because the
# limit moved (it follows the town's value), or because the rule was changed?

# %%
years = gp.targeting.status_history(table, own_rule)
print(*years.lines(names=names), sep="\n")

# %%
slow_text = OWN.replace("least = 2", "least = 2\nexit_years = 2")
slow_rule = gp.specs.parse_spec(tomllib.loads(slow_text), gp.specs.RuleSpec, file="own rule")
slow = gp.targeting.status_history(table, slow_rule)

figure, charts = plt.subplots(1, 2, figsize=(9.2, 3.0), layout="constrained", sharey=True)
for chart, (title, found) in zip(charts, {"as it is": years, "out after two years": slow}.items(), strict=True):
    shown = found.wide().loc[lambda rows: rows.eq(other=True).fillna(value=False).any(axis=1)].iloc[::-1]
    for row, holds in enumerate(shown.to_numpy(dtype=object)):
        for place, value in enumerate(holds):
            fill = GREY if pd.isna(value) else BLUE if value else "white"
            chart.plot(place, row, "s", markersize=13, markerfacecolor=fill, markeredgecolor=GREY)
    chart.set_yticks(range(len(shown)), names[shown.index])
    chart.set_xticks(range(len(shown.columns)), shown.columns)
    chart.tick_params(length=0)
    chart.spines[:].set_visible(False)
    chart.set(xlim=(-0.6, len(shown.columns) - 0.4), ylim=(-0.6, len(shown) - 0.4))
    chart.set_title(title, loc="left", fontsize=10.5, color=INK)
figure.suptitle("Two of three (blue: programme area; grey: not known)", x=0.01, ha="left", fontweight="bold")
figure.supxlabel(f"Source: {run.sources()}", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# Västra Sjöhed went out twice and came in twice, now through its own figures, now because the town's value moved. With
# one more line, `exit_years = 2`, an area leaves when it has failed in two years on end, and Västra Sjöhed stays in.
# Of the first year nobody can say all, for an area that fails may still be in from the years before.
#
# A change of the rule is a cause of its own. Had the Danish act of 2018 come in 2011:

# %%
acts = {2009: "dk_2014", 2010: "dk_2014", 2011: "dk_2018", 2012: "dk_2018"}
abroad = {"national": {"convicted_18_plus": 0.8}, "region": {"mean_gross_income_15_64": 300.0}}
lists = gp.targeting.status_history(estates.indicators(), acts, references=abroad)
print(*lists.lines(status="listed", names=estates.areas()["name"]), sep="\n")

# %% [markdown]
# ## Who is reached?
#
# People live in areas, and not all who are in need live in those that were chosen. *Completeness*: of all people with a
# low economic standard, how many live in a chosen area? *Efficiency*: of the people there, how many have one?

# %%
reached = gp.targeting.who_is_reached(table, chosen, "low_economic_standard", order=index.score)
print(*reached.lines(names=names), sep="\n")
reached.figures[["areas", "residents", "need", "share"]].round(3)

# %%
everybody = reached.figures["base"]
gp.plot_reached(
    reached.curve,
    best=reached.best,
    chosen=(everybody["chosen"] / everybody["whole"], reached.completeness, reached.efficiency),
    title="Seven areas reach half of those in need",
    what="Low economic standard",
    period="2012",
    source=run.sources(),
    language="en",
)

# %% [markdown]
# A third of the town lives in the seven areas, and 54 per cent of those in need. Nearly four in five of those who are
# reached are not in need, and 6,007 who are live elsewhere. No other order of districts does much better: the curve
# runs along the best one. Smaller areas would help a little:

# %%
reached.levels[["areas", "chosen", "best_completeness", "best_efficiency"]].round(3)

# %% [markdown]
# A pocket is a small area outside with as large a share in need as inside. One is sure, in Ekvarpet: the district's
# average hides it.

# %%
reached.pockets.assign(area=reached.pockets["area"].map(names)).round(3)

# %%
rules = gp.targeting.compare_reached(table, run.selections() | {"own": own}, "low_economic_standard")
rules.table[["areas", "need", "completeness", "efficiency", "both", "only_first", "only_this"]].round(3)

# %% [markdown]
# Is it getting better? The three questions that the Swedish policy of 2008 asked of itself, under the rule of our own:
# how many people in such areas, how many such areas, and in how many does the number grow?

# %%
flags = {year: own_year.index[own_year == True] for year, own_year in years.wide().items()}  # noqa: E712  as above
counters = gp.targeting.policy_counters(table, flags, "low_economic_standard")
counters.table[["people_flagged", "people_city", "share", "flagged", "growing_flagged", "growing_flagged_sure"]].round(
    3
)

# %% [markdown]
# The town's number hardly changes. That of the flagged areas jumps as Västra Sjöhed comes and goes: a count of people
# in areas says as much of the areas as of the people. By more than chance it grew in one of them in 2008, and in one
# in 2010.

# %% [markdown]
# ## Other boundaries
#
# Who drew the districts, and would another line have chosen others? All pairs of neighbours become one area, and all
# boundaries are moved by 100 m in eight directions, with figures of the 128 basområden.

# %%
drawn = gp.targeting.boundary_policy(
    chosen, areas, kinds=["merged", "shifted"], units=run.areas("basomrade"), index_spec=run.spec.index
)
print(*drawn.lines(names=names), sep="\n")
tried = drawn.variants.query("area_id == '0099S08' and computed")
tried = tried.assign(others=tried["others"].map(names).fillna(""))
tried[["kind", "others", "towards", "designated", "slack"]].round(4)

# %% [markdown]
# Six designations stay in all drawings. Tegelvreten's is lost when it becomes one area with Ålhagen, and in four of
# the eight directions. Neighbours in two boards were not made one area, as the rule asks in which board an area lies.

# %% [markdown]
# ## The best choice there is
#
# If seven areas may be chosen, which reach the most people in need? Found by optimisation, and proven: no other seven
# reach more. Then with conditions, each of which has its price.

# %%
need = table.data.query("indicator == 'low_economic_standard' and period == '2012'").set_index("area_id")["numerator"]
close = gp.neighbours(areas, bridges=dict(run.backdrop())["road"])
boards = run.areas("stadsdelsnamnd")
board = gp.places.parents_at(run.membership(), list(areas.index), list(boards.index)).map(boards["name"])
asked = {
    "seven areas": {},
    "in two connected groups": {"neighbours": close, "groups": 2},
    "in one connected group": {"neighbours": close, "groups": 1},
    "one in every board": {"within": board, "at_least": 1},
}
best = {name: gp.targeting.choose_areas(need, k=7, **rules_of) for name, rules_of in asked.items()}
print(*best["seven areas"].lines(names=names), sep="\n")
pd.DataFrame(
    {
        name: {
            "reached": choice.reached,
            "share": round(choice.share, 3),
            "not in the rule's choice": ", ".join(names[sorted(set(choice.chosen) - set(chosen.chosen))]),
            "left out of it": ", ".join(names[sorted(set(chosen.chosen) - set(choice.chosen))]),
        }
        for name, choice in best.items()
    }
).T

# %% [markdown]
# The rule's own seven reach 6,962; the best seven 48 more, with Östra Vretarna in the place of Tegelvreten. Asking for
# one connected group costs 837 people.

# %% [markdown]
# ## What the money does
#
# Sweden paid 99 million kronor a year to 15 districts, 6.6 million each on average. As much for Nordhamra's seven is
# 46.2 million. *By need*: in proportion to index × residents, at least 3 and at most 9 million each. *By performance*:
# for what changed for the better, a fifth of it in equal parts. How the Swedish state weighed its indicators was not
# published; these weights are examples.

# %%
BY_NEED = """
kind = "need"
envelope = 46.2
unit = "Mkr"
floor = 3
cap = 9
"""
BY_PERFORMANCE = """
kind = "performance"
envelope = 46.2
unit = "Mkr"
guaranteed = 0.2
lag = 2
indicators = [
    { indicator = "employment_20_64", weight = 2 },
    { indicator = "child_poverty" },
    { indicator = "not_eligible_upper_secondary" },
]
"""
seven = index.ranking.loc[chosen.chosen]
by_need = gp.targeting.grants_by_need(
    seven["score"],
    gp.specs.parse_spec(tomllib.loads(BY_NEED), gp.specs.NeedGrantSpec, file="by need"),
    population=seven["population"],
)
paying = gp.specs.parse_spec(tomllib.loads(BY_PERFORMANCE), gp.specs.PerformanceGrantSpec, file="by performance")
by_change = gp.targeting.grants_by_performance(table, paying, payment_year=2014, area_ids=chosen.chosen)
print(*by_change.lines(names=names), sep="\n")

# %%
both_ways = pd.DataFrame({"by need": by_need.table["payment"], "by performance": by_change.table["payment"]})
print("The payments add up to", f"{both_ways.sum().unique()[0]:,} kr, to the krona, both ways")
both_ways.join(names).set_index("name")

# %%
noise = gp.targeting.grant_noise(table, paying, payment_year=2014, area_ids=chosen.chosen)
ordered = both_ways.sort_values("by need").join(noise.table[["low", "high"]])
sure_of = by_change.table["guaranteed"].loc[ordered.index]

figure, chart = plt.subplots(figsize=(9.2, 4.0), layout="constrained")
rows = range(len(ordered))
chart.hlines(rows, (sure_of + ordered["low"]) / 1e6, (sure_of + ordered["high"]) / 1e6, color=GREY, linewidth=9,
             alpha=0.4, label="by performance, if nothing had changed: 90 of 100 draws")  # fmt: skip
chart.scatter(ordered["by need"] / 1e6, rows, marker="D", s=40, color=BLUE, zorder=3, label="by need")
chart.scatter(ordered["by performance"] / 1e6, rows, s=52, color=ACCENT, zorder=3, label="by performance")
chart.set_yticks(rows, names[ordered.index])
chart.set(xlabel="million kronor", xlim=(0, 16), ylim=(-0.6, len(ordered) + 1.1))
chart.tick_params(length=0)
chart.legend(frameon=False, loc="upper left", fontsize=9, ncols=3, columnspacing=1.2)
chart.spines[["top", "right", "left"]].set_visible(False)
chart.set_title("46.2 million kronor, divided in two ways", loc="left", fontweight="bold", color=INK)
figure.supxlabel(f"Source: {run.sources()}", x=0.01, ha="left", fontsize=8.5)
plt.show()

# %% [markdown]
# By need, Granhöjden gets most; the cap holds it at 9 million. By performance Björkhamra and Tallmohöjden get more than
# the other five together. How much of that is paid for chance? Both years are drawn anew from the same rate, as if
# nothing had changed, and the rule pays:

# %%
print(*noise.lines(names=names), sep="\n")
behind = table.data[table.data["area_id"].isin(chosen.chosen) & table.data["period"].isin(by_change.periods)]
behind.groupby("indicator")["denominator"].agg(["min", "max"]).loc[by_change.pots.index].astype(int)

# %% [markdown]
# A year is short and areas are small: the share of pupils stands on 130 to 263 of them. Two areas improved by more than
# chance would let them. What is a little luck worth? With Granhöjden's employment one point higher:

# %%
work = table.data.query("indicator == 'employment_20_64' and period == '2012'").set_index("area_id").loc["0099S18"]
print(f"One point is {work['denominator'] / 100:.0f} people in work")
lucky = {"employment_20_64": work["value"] + 1}
luck = gp.targeting.grants_if(
    table, paying, payment_year=2014, area_id="0099S18", figures=lucky, area_ids=chosen.chosen
)
print(*luck.lines(names=names)[:2], sep="\n")

# %% [markdown]
# `gp.write_run(run)` writes all this for the scenario: the map of who qualifies, a workbook with every margin, the
# chart of who is reached, and a log with rule, date and who nominated whom.
