import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from shapely import MultiPolygon, Point, box
from strategies import DEFINITIONS, SIDE, SOUTH, WEST, square

from geoplan.errors import IdError, SpecError
from geoplan.places import Grid, IndicatorTable, roll_up
from geoplan.risk import neighbours, risk_index
from geoplan.run import open_run
from geoplan.specs import DomainSpec, IndexSpec, RuleSpec
from geoplan.targeting import ready, redrawn
from geoplan.targeting.boundaries import boundary_policy
from geoplan.targeting.redrawing import shifted_figures, sources_of
from geoplan.targeting.rules import select

COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]
TOWN = {"A": (30, 100), "B": (10, 100), "C": (25, 100), "D": (15, 200)}


def figures(counts, *, period="2012", hidden=()):
    """Make a table of area → (poor, base), with as many residents as the base."""
    rows = []
    for area, (poor, base) in counts.items():
        rows.append((area, "population", period, base, np.nan, base, "observed"))
        known = area not in hidden
        top = poor if known else np.nan
        rows.append((area, "poor", period, top, base, 100 * top / base, "observed" if known else "suppressed"))
    return IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), DEFINITIONS)


def squares(*codes):
    """Place areas on squares of 500 m: A and B below, C and D above."""
    shapes = [square(number) for number in range(len(codes))]
    return gpd.GeoDataFrame(geometry=shapes, index=pd.Index(codes, name="area_id"), crs="EPSG:3006")


def rule(*criteria, **status):
    return RuleSpec.model_validate(
        {
            "title": "A test", "family": "test", "law": "none", "authority": "none", "source": "none",
            "criteria": [{"id": f"c{k}", "label": "c", **item} for k, item in enumerate(criteria)],
            "statuses": [{"id": "x", "label": "x", "criteria": [f"c{k}" for k in range(len(criteria))], **status}],
        }
    )  # fmt: skip


POOR = {"indicator": "poor", "compare": "above", "limit": 19}
AREAS = squares(*TOWN)
TABLE = figures(TOWN)


def drawn(*criteria, table=TABLE, areas=AREAS, kinds=("merged",), status=None, options=None, **more):
    selection = select(table, rule(*(criteria or (POOR,)), **(status or {})), **(options or {}))
    return boundary_policy(selection, areas, kinds=kinds, **more)


def rows_of(found, variant):
    return found.variants[found.variants["variant"] == variant].set_index("area_id")


# ---------------------------------------------------------------- merging


def test_every_pair_of_neighbours_is_merged_by_counts():
    # A+B 40/200, A+C 55/200, A+D 45/300 = 15 %, B+C 35/200 = 17.5 %, B+D 25/300, C+D 40/300: two are above 19 %.
    found = drawn()
    assert sorted(found.variants["variant"].unique()) == [
        f"merged: {one} + {other}" for one, other in ("AB", "AC", "AD", "BC", "BD", "CD")
    ]
    values = found.figures.set_index("variant")["value"]
    assert values["merged: A + B"] == pytest.approx(20.0)
    assert values["merged: B + C"] == pytest.approx(17.5)
    assert found.figures.set_index("variant").loc["merged: A + D", ["numerator", "denominator"]].tolist() == [45, 300]
    table = found.table
    assert table["now"].tolist() == [True, False, True, False]
    assert table["variants"].tolist() == table["known"].tolist() == [3, 3, 3, 3]
    assert table["survives"].iloc[[0, 2]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert table["survives"].iloc[[1, 3]].isna().all()
    assert table["gained"].tolist() == [0, 1, 0, 0]
    # The worst of A: 15 % where 19 is the limit.
    assert table.loc["A", "worst"] == "merged: A + D"
    assert table.loc["A", "worst_slack"] == pytest.approx((15 - 19) / 19)
    assert rows_of(found, "merged: A + B")["others"].to_dict() == {"A": "B", "B": "A"}


def test_what_happens_is_said():
    first, *others = drawn().lines(names={"A": "Hill", "B": "Brook"})
    assert first.startswith("2 of 4 areas are designated by the figures of 2012; 0 of them stay so however boundaries")
    assert others == [
        "Merged with a neighbour: they stay in 3 of 6 cases",
        "C: lost in 2 of 3 variants, worst 'merged: C + D'",
        "Hill: lost in 1 of 3 variants, worst 'merged: A + D'",
        "1 more would be designated in some way: 'Brook'",
    ]


def test_neighbours_may_be_given():
    found = drawn(neighbours=neighbours(AREAS, method="distance", distance_m=500))  # no diagonals
    assert found.variants["variant"].nunique() == 4
    assert found.table.loc["A", "survives"] == 1.0
    alone = drawn(areas=squares("A"))
    assert alone.variants.empty
    assert alone.table["survives"].isna().all()
    assert "Merged with a neighbour: no two areas are neighbours" in alone.lines()
    assert drawn(kinds=["split"]).lines()[1] == "Split into their parts: no area has several parts"


def test_merged_areas_reach_a_minimum_population():
    # Above 1,000: 300 residents. A alone is too small; with D it is large enough and 15 % only.
    found = drawn({**POOR, "limit": 14}, status={"minimum_population": 250})
    assert found.table["now"].tolist() == [False, False, False, False]
    assert found.table["gained"].tolist() == [1, 0, 0, 1]


def test_a_reference_made_of_the_areas_keeps_its_total():
    # The city: 80 of 500, 16 %. Above 1.2 times that, 19.2 %, whatever is merged.
    relative = {"indicator": "poor", "compare": "above", "factor": 1.2, "of": "city"}
    found = drawn(relative)
    assert found.figures["limit"].tolist() == pytest.approx([19.2] * 6)
    assert found.table["survives"].iloc[[0, 2]].tolist() == pytest.approx([2 / 3, 1 / 3])
    # Without the area: A + B against C and D, 40 of 300.
    apart = drawn({**relative, "includes_area": False})
    limits = apart.figures.set_index(["variant", "area_id"])["limit"]
    assert limits["merged: A + B", "A + B"] == pytest.approx(1.2 * 100 * 40 / 300)


def test_a_city_of_some_areas_counts_what_becomes_of_them():
    relative = {"indicator": "poor", "compare": "above", "factor": 1.0, "of": "city", "includes_area": False}
    found = drawn(relative, options={"reference_ids": ["A", "B", "C"]})
    reasons = found.not_computed.set_index("reason")["variants"].to_dict()
    assert reasons == {"one of the two lies outside the areas that make up the city": 3}
    limits = found.figures.set_index(["variant", "area_id"])["limit"]
    assert limits["merged: A + B", "A + B"] == pytest.approx(25.0)


def test_areas_that_are_compared_with_each_other_are_so_again():
    # The two highest: A and C. With A + B (20 %) in place of both, C (25) and it remain the two highest.
    found = drawn({"indicator": "poor", "top": 2})
    assert rows_of(found, "merged: A + B")["designated"].tolist() == [True, True]
    assert rows_of(found, "merged: A + D")["designated"].tolist() == [True, True]  # C 25, A + D 15, B 10
    assert rows_of(found, "merged: C + D")["designated"].tolist() == [True, True]  # A 30, C + D 13.3, B 10
    assert rows_of(found, "merged: B + D")["designated"].tolist() == [False, False]


def test_areas_above_must_be_the_same_where_the_rule_asks():
    inside = {"kommun": pd.Series({"A": "north", "B": "north", "C": "south", "D": "south"})}
    found = drawn({"indicator": "poor", "top": 1, "inside": "kommun"}, options={"inside": inside})
    assert found.variants.loc[found.variants["computed"], "variant"].unique().tolist() == [
        "merged: A + B", "merged: C + D",
    ]  # fmt: skip
    reason = "its parts lie in different areas of level kommun"
    assert found.not_computed.loc[0].tolist() == ["merged", reason, 4, "A, B, C, D"]
    assert found.table["variants"].tolist() == [3, 3, 3, 3]
    assert found.table["computed"].tolist() == [1, 1, 1, 1]
    assert any(text.startswith("Not computed: 4 variants merged, since its parts lie") for text in found.lines())


def test_two_listed_boards_are_listed_together():
    listing = rule(POOR).model_copy(update={"listed": "board", "listed_areas": ("north", "south")})
    boards = {"board": pd.Series({"A": "north", "B": "south", "C": "south", "D": "west"})}
    found = boundary_policy(select(TABLE, listing, inside=boards), AREAS, kinds=["merged"])
    assert rows_of(found, "merged: A + B")["designated"].tolist() == [True, True]
    assert found.not_computed["variants"].tolist() == [3]  # those with D


# ---------------------------------------------------------------- what is not known


def test_a_hidden_count_makes_a_verdict_unknown():
    found = drawn(table=figures(TOWN, hidden=["B"]))
    row = rows_of(found, "merged: A + B")
    assert row["computed"].all()
    assert row["designated"].isna().all()
    assert row["reason"].tolist() == ["c0 (suppressed)"] * 2
    assert found.table.loc["A", ["variants", "known", "designated"]].tolist() == [3, 2, 1]
    assert "Not known for want of figures: 6 verdicts, 'c0 (suppressed)'" in found.lines()


def test_a_rate_without_counts_cannot_be_merged():
    rates = pd.DataFrame([(area, "crime", "2012", np.nan, np.nan, 40.0, "observed") for area in TOWN], columns=COLUMNS)
    table = IndicatorTable(pd.concat([TABLE.data, rates], ignore_index=True), DEFINITIONS)
    found = drawn({"indicator": "crime", "compare": "above", "limit": 30}, POOR, table=table,
                  kinds=["merged", "shifted"])  # fmt: skip
    assert found.table["now"].tolist() == [True, False, True, False]
    open_ = found.variants[found.variants["designated"].isna()]
    assert set(open_["reason"]) == {"c0 (no counts)"}
    # Where the shares fail, the verdict is known whatever the rate is.
    assert rows_of(found, "merged: B + D")["designated"].tolist() == [False, False]
    assert open_["computed"].all()


def test_areas_without_geometry_are_named():
    found = drawn(areas=squares("A", "B"))
    assert found.variants["variant"].tolist() == ["merged: A + B"] * 2
    assert found.not_computed["areas"].tolist() == ["C, D"]
    assert found.lines()[-1] == "Not computed: everything, since the area has no geometry: 'C', 'D'"


def test_years_before_are_left_out():
    before = figures({area: (0, base) for area, (_, base) in TOWN.items()}, period="2011")
    table = IndicatorTable(pd.concat([before.data, TABLE.data], ignore_index=True), DEFINITIONS)
    found = drawn(table=table, status={"years": 2}, options={"period": 2012})
    assert found.table["qualified"].tolist() == [False] * 4
    assert found.table["now"].tolist() == [True, False, True, False]
    assert found.table.loc["A", "survives"] == pytest.approx(2 / 3)
    assert found.certificate["earlier years"].startswith("left out")


def test_means_of_several_years_are_made_of_new_areas():
    before = figures({"A": (10, 100), "B": (10, 100), "C": (25, 100), "D": (15, 200)}, period="2011")
    table = IndicatorTable(pd.concat([before.data, TABLE.data], ignore_index=True), DEFINITIONS)
    found = drawn({**POOR, "mean_years": 2}, table=table, options={"period": 2012})
    own = found.figures.set_index("variant").loc["merged: A + C"]
    assert own["value"] == pytest.approx(100 * (55 + 35) / 400)
    assert found.table["now"].tolist() == [True, False, True, False]


# ---------------------------------------------------------------- splitting


def island_town():
    """A lies on two squares, 30 poor of 100 evenly as far as anybody knows; B lies between."""
    first, second = square(0), box(WEST + 5 * SIDE, SOUTH, WEST + 5.5 * SIDE, SOUTH + SIDE)
    shapes = [MultiPolygon([second, first]), square(1)]
    return gpd.GeoDataFrame(geometry=shapes, index=pd.Index(["A", "B"], name="area_id"), crs="EPSG:3006")


def test_parts_are_areas_of_their_own_by_surface():
    # The parts are 500 by 500 and 250 by 500 m: two thirds and one third.
    found = drawn(table=figures({"A": (30, 90), "B": (1, 100)}), areas=island_town(), kinds=["split"])
    own = found.figures.set_index("area_id")
    assert own.loc[["A / 1", "A / 2"], "numerator"].tolist() == pytest.approx([20, 10])
    assert set(own["status"]) == {"estimated"}
    assert found.table.loc["A", ["variants", "designated", "survives"]].tolist() == [1, 1, 1.0]
    assert found.table.loc["B", "variants"] == 0
    assert set(found.variants["by"]) == {"areas, by surface"}


def test_parts_are_made_of_units_where_there_are_some():
    units = figures({"a1": (5, 60), "a2": (25, 30), "b": (1, 100)})
    table = roll_up(units, pd.Series({"a1": "A", "a2": "A", "b": "B"}))
    town = island_town()
    shapes = gpd.GeoDataFrame(
        geometry=[square(0), box(WEST + 5 * SIDE, SOUTH, WEST + 5.5 * SIDE, SOUTH + SIDE), square(1)],
        index=pd.Index(["a1", "a2", "b"], name="area_id"), crs="EPSG:3006",
    )  # fmt: skip
    found = drawn(table=table, areas=town, kinds=["split"], units=shapes)
    own = found.figures.set_index("area_id")
    assert own.loc[["A / 1", "A / 2"], "numerator"].tolist() == [5, 25]
    assert set(own["status"]) == {"observed"}
    # 5 of 60 is not above 19 %: one part loses it, and so the area does not survive.
    assert found.variants["designated"].tolist() == [False, True]
    assert found.table.loc["A", "survives"] == 0.0
    # The same when only the second table knows the units.
    plain = IndicatorTable(table.data, table.definitions)
    again = drawn(table=plain, areas=town, kinds=["split"], units=shapes, unit_table=units)
    assert again.figures.set_index("area_id")["numerator"].to_dict() == own["numerator"].to_dict()


def test_a_part_where_nobody_lives_is_no_loss():
    houses = gpd.GeoDataFrame(geometry=[Point(WEST + 100, SOUTH + 100)], crs="EPSG:3006")
    found = drawn(table=figures({"A": (30, 90), "B": (1, 100)}), areas=island_town(), kinds=["split"], weights=houses)
    assert found.variants.set_index("new_id").loc["A / 2", "reason"] == "nothing of its area's figures falls on it"
    assert found.table.loc["A", ["known", "survives"]].tolist() == [1, 1.0]
    assert found.figures["numerator"].tolist() == [30.0]


# ---------------------------------------------------------------- shifting


def test_boundaries_are_moved_eight_ways():
    # 100 m east: A keeps all of its own (its western strip is at the outer border) and gets a fifth of B.
    found = drawn(kinds=["shifted"])
    own = found.figures.set_index(["variant", "area_id"])
    east = own.loc["shifted: 100 m E"]
    assert east["numerator"].to_dict() == pytest.approx({"A": 32.0, "B": 8.0, "C": 28.0, "D": 12.0})
    assert east["denominator"].to_dict() == pytest.approx({"A": 120.0, "B": 80.0, "C": 140.0, "D": 160.0})
    # North-east: 70.7 m each way, s = 0.1414 of a side. A gets s (1 - s) of B and of C and s² of D besides.
    slant = own.loc[("shifted: 100 m NE", "A")]
    assert slant["numerator"] == pytest.approx(30 + 0.121421 * (10 + 25) + 0.02 * 15, rel=1e-6)
    assert slant["denominator"] == pytest.approx(100 + 0.121421 * (100 + 100) + 0.02 * 200, rel=1e-6)
    assert set(found.variants["towards"]) == {"N", "NE", "E", "SE", "S", "SW", "W", "NW"}
    assert found.table["variants"].tolist() == [8] * 4
    assert found.redrawn == ()


def test_units_say_where_people_live():
    # B's 10 poor live in its eastern half; the border of A that moves 100 m east takes 0.4 of the western one.
    counts = {"A": (30, 100), "Bw": (0, 50), "Be": (10, 50), "C": (25, 100), "D": (15, 200)}
    table = roll_up(figures(counts), pd.Series({"A": "A", "Bw": "B", "Be": "B", "C": "C", "D": "D"}))
    left, right = box(WEST + 500, SOUTH, WEST + 750, SOUTH + 500), box(WEST + 750, SOUTH, WEST + 1000, SOUTH + 500)
    shapes = [square(0), left, right, square(2), square(3)]
    units = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(list(counts), name="area_id"), crs="EPSG:3006")
    found = drawn(table=table, kinds=["shifted"], units=units)
    east = found.figures.set_index(["variant", "area_id"]).loc[("shifted: 100 m E", "A")]
    assert east[["numerator", "denominator"]].tolist() == pytest.approx([30.0, 120.0])


def test_a_grid_says_where_people_live_in_what_is_cut():
    # All people of B live in its eastern 250 m, so that nothing moves to A by 100 m.
    cells = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]])
    grid = Grid(cells, west=WEST, north=SOUTH + 1000, width=250, height=250, crs="EPSG:3006")
    found = drawn(kinds=["shifted"], weights=grid)
    east = found.figures.set_index(["variant", "area_id"]).loc[("shifted: 100 m E", "A")]
    assert east["numerator"] == pytest.approx(30.0)
    assert set(found.variants["by"]) == {"areas, by the grid"}


def test_pieces_keep_their_names_and_what_is_known_of_them():
    sources = sources_of(TABLE, AREAS, units=None, unit_table=None, weights=None, weight_column=None)
    stay, east = shifted_figures(sources, AREAS, [(0.0, 0.0), (100.0, 0.0)], 0.8)
    assert set(stay.finest["area_id"]) == set(TOWN)
    assert set(stay.data["status"]) == {"observed"}
    assert set(east.finest["area_id"]) == {"A", "B > A", "B > B", "C", "D > C", "D > D"}
    assert east.data.set_index(["area_id", "indicator"]).loc[("B", "poor"), "status"] == "estimated"


def test_units_that_lie_elsewhere_are_told_apart_from_moved_boundaries():
    # By the register unit a2 belongs to B; it lies in A. Cut by the ground B has 10 of 100, and not 40 of 100.
    units = figures({"a": (10, 100), "a2": (30, 20), "b": (10, 80)})
    table = roll_up(units, pd.Series({"a": "A", "a2": "B", "b": "B"}))
    shapes = [box(WEST, SOUTH, WEST + 250, SOUTH + 500), box(WEST + 250, SOUTH, WEST + 500, SOUTH + 500), square(1)]
    ground = gpd.GeoDataFrame(geometry=shapes, index=pd.Index(["a", "a2", "b"], name="area_id"), crs="EPSG:3006")
    found = drawn(table=table, areas=squares("A", "B"), kinds=["shifted"], units=ground)
    assert found.redrawn == ("A", "B")
    assert found.lines()[-1] == "Already figures cut along the boundaries of now give another verdict for 'A', 'B'"


# ---------------------------------------------------------------- indices


INDEX = IndexSpec(domains=[DomainSpec(id="d", label="d", indicators=["poor"])])
ABOVE = {"index": "score", "compare": "above", "factor": 1.2, "of": "city"}


def test_an_index_is_made_anew_of_the_new_areas():
    # The city has 16 % poor: A scores 187.5, A + B 125, B + C 109.375; the limit is 120.
    index = risk_index(TABLE, INDEX, period="2012")
    found = drawn(ABOVE, options={"index": index})
    own = found.figures.set_index("variant")
    assert own.loc["merged: A + B", "value"] == pytest.approx(125.0)
    assert own.loc["merged: B + C", "value"] == pytest.approx(109.375)
    assert rows_of(found, "merged: A + B")["designated"].tolist() == [True, True]
    assert found.certificate["index"] == "relative, made anew of the new areas"


def test_one_by_one_and_all_together_say_the_same(monkeypatch):
    index = risk_index(TABLE, INDEX, period="2012")
    relative = {"indicator": "poor", "compare": "above", "factor": 1.1, "of": "city"}
    options = {"options": {"index": index}, "status": {"least": 2}}
    together = drawn(ABOVE, POOR, relative, **options)
    monkeypatch.setattr(redrawn.Judge, "apart", False)
    each = drawn(ABOVE, POOR, relative, **options)
    pd.testing.assert_frame_equal(together.variants, each.variants)
    pd.testing.assert_frame_equal(together.table, each.table)


def test_a_rules_own_index_is_measured_against_the_city_that_is_asked_for(monkeypatch):
    # A, B and C: 65 of 300, 21.67 %. A has 30 %, so it scores 138.5; A + B, 20 %, 92.3.
    monkeypatch.setattr(ready, "index_preset", lambda _: INDEX)
    monkeypatch.setattr(redrawn, "index_preset", lambda _: INDEX)
    own = rule(ABOVE).model_copy(update={"preset": "ours"})
    selection = select(TABLE, own, reference_ids=["A", "B", "C"])
    assert selection.criteria.set_index("area_id").loc["A", "value"] == pytest.approx(100 * 30 / (6500 / 300))
    found = boundary_policy(selection, AREAS, kinds=["merged"])
    assert found.figures.set_index("variant").loc["merged: A + B", "value"] == pytest.approx(100 * 20 / (6500 / 300))


def test_an_index_by_standard_deviations_needs_all_areas():
    spec = INDEX.model_copy(update={"method": "z_score"})
    index = risk_index(TABLE, spec, period="2012")
    found = drawn({"index": "score", "top": 1}, options={"index": index})
    # C + D in place of C and D: 30, 10 and 13.3 %; A stays the first.
    assert rows_of(found, "merged: C + D")["designated"].tolist() == [False, False]
    # The mean of 30, 10 and 40/3 is 160/9, their deviation sqrt(((110/9)² + (70/9)² + (40/9)²) / 3) = 8.749.
    value = found.figures.set_index(["variant", "area_id"]).loc[("merged: C + D", "C + D"), "value"]
    assert value == pytest.approx(-(40 / 9) / np.sqrt((110**2 + 70**2 + 40**2) / 243), rel=1e-6)


def test_an_index_that_cannot_be_made_leaves_everything_unknown():
    index = risk_index(figures({**TOWN, "A": (40, 100)}), INDEX, period="2012")
    found = drawn(ABOVE, options={"index": index}, kinds=["merged", "split", "shifted"])
    assert not found.variants["computed"].any()
    assert found.variants["designated"].isna().all()
    assert found.not_computed["variants"].tolist() == [6, 8]
    reason = "made from the table, the index of 4 areas is another than the one handed in"
    assert set(found.not_computed["reason"]) == {reason}
    assert found.table["variants"].tolist() == [11] * 4
    assert found.table["known"].tolist() == [0] * 4


# ---------------------------------------------------------------- what always holds


counts = st.integers(1, 400).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base)))


@settings(max_examples=5)
@given(st.tuples(counts, counts, counts, counts), st.floats(1.0, 240.0))
def test_counts_add_up_however_boundaries_are_drawn(four, tolerance):
    town = dict(zip(TOWN, four, strict=True))
    found = drawn(table=figures(town), kinds=["merged", "shifted"], tolerance_m=tolerance)
    merged = found.figures[found.figures["variant"].str.startswith("merged")].set_index("area_id")
    for name, row in merged.iterrows():
        poor, base = np.sum([town[code] for code in str(name).split(" + ")], axis=0)
        assert (row["numerator"], row["denominator"]) == (poor, base)
    shifted = found.figures[found.figures["variant"].str.startswith("shifted")].groupby("variant")
    for column, whole in (("numerator", sum(p for p, _ in four)), ("denominator", sum(n for _, n in four))):
        assert shifted[column].sum().to_numpy() == pytest.approx(np.full(8, whole))
    held = found.table["now"].fillna(value=False).astype(bool)
    assert found.table.loc[held, "survives"].dropna().between(0, 1).all()
    assert found.table.loc[~held, "survives"].isna().all()


def test_the_order_of_areas_and_rows_does_not_matter():
    mixed = IndicatorTable(TABLE.data.sample(frac=1, random_state=3).reset_index(drop=True), DEFINITIONS)
    one = drawn(kinds=["merged", "shifted"], tolerance_m=60)
    other = drawn(table=mixed, areas=AREAS.iloc[[2, 0, 3, 1]], kinds=["shifted", "merged"], tolerance_m=60)
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.variants, other.variants)


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"kinds": ["bent"]}, SpecError, "no way to draw boundaries is called 'bent'"),
        ({"kinds": []}, SpecError, "nothing is to be tried"),
        ({"tolerance_m": 0}, SpecError, "boundaries cannot be moved by 0 m"),
        ({"minimum_coverage": 80}, SpecError, "80 is not a share"),
        ({"areas": squares("X", "Y")}, IdError, "'X'"),
        ({"kinds": ["shifted"], "unit_table": TABLE}, SpecError, "nothing says where they lie"),
        ({"kinds": ["shifted"], "units": squares("X")}, IdError, "'X'"),
        ({"neighbours": neighbours(squares("X", "Y"))}, IdError, "'X'"),
    ],
)
def test_faults_are_said(arguments, kind, message):
    with pytest.raises(kind, match=message):
        drawn(**arguments)


# ---------------------------------------------------------------- the sample


def test_the_sample_town_is_drawn_otherwise():
    run = open_run("scenarios/baseline.toml")
    weak = rule(
        {"indicator": "employment_20_64", "compare": "below", "limit": 75},
        {"indicator": "long_term_assistance", "compare": "above", "factor": 1.5, "of": "city"},
        minimum_population=1000,
    )
    selection = select(run.indicators(), weak, period=2012)
    found = boundary_policy(selection, run.areas(), units=run.areas("basomrade"), minimum_coverage=0.6)
    assert found.variants.groupby("kind")["variant"].nunique().to_dict() == {"merged": 60, "shifted": 8, "split": 4}
    assert found.redrawn == ()
    assert found.table["now"].fillna(value=False).sum() == 5
    assert found.table["survives_shifted"].dropna().tolist() == [1.0] * 5
    assert (found.table["survives"] == 1).sum() == 2
    assert found.not_computed.empty
    limits = found.figures[found.figures["criterion"] == "c1"]["limit"]
    assert limits.max() == pytest.approx(limits.min())
