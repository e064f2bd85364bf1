"""Joining by name on real names: programme districts, SCB's published key, and names spoilt on purpose.

The right answers come from the files' own keys, put together here by plain pandas.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import geoplan as gp

pytestmark = pytest.mark.real

# The districts named in the city's programme, as it writes them. Each is a stadsdel of the layer, Östberga too; two are
# written with one t more.
PROGRAMME = [
    "Rinkeby",
    "Husby",
    "Akalla",
    "Kista",
    "Tensta",
    "Vårberg",
    "Bredäng",
    "Sättra",
    "Skärholmen",
    "Hässelby gård",
    "Grimsta",
    "Hässelby Strand",
    "Rågsved",
    "Hagsättra",
    "Högdalen",
    "Bandhagen",
    "Östberga",
    "Farsta Strand",
    "Hökarängen",
    "Farsta",
    "Fagersjö",
]
REGSO = 3363


@pytest.fixture(scope="module")
def stadsdelar(real):
    frame = gpd.read_file(real / "stockholm/stadsdelar.geojson")
    return pd.DataFrame({"name": frame["name"]}).set_index(pd.Index(frame["name"], name="area_id"))


@pytest.fixture(scope="module")
def regso(real):
    nesting = pd.read_csv(real / "sweden/deso2018_regso2020.csv", dtype=str, encoding="utf-8-sig")
    frame = nesting.drop_duplicates("RegSOkod_2020").set_index("RegSOkod_2020").rename_axis("area_id")
    return frame.rename(columns={"RegSO_2020": "name", "Kommunnamn": "municipality"})[["name", "municipality"]]


def test_the_21_programme_districts_all_join(stadsdelar):
    match = gp.match_names(pd.Series(PROGRAMME, index=range(2, 23), name="stadsdel"), stadsdelar)
    # The layer has no codes: its capitals are its ids. What is not just the name in capitals stands here.
    expected = [{"Sättra": "SÄTRA", "Hagsättra": "HAGSÄTRA"}.get(name, name.upper()) for name in PROGRAMME]
    assert match.codes_or_raise().tolist() == expected
    assert match.how.value_counts().to_dict() == {"normalised": 19, "variant": 2}
    assert match.lines() == [
        "21 of 21 names find an area",
        "2 names read as a misspelling; please confirm: 'Sättra' = SÄTRA, 'Hagsättra' = HAGSÄTRA",
        "96 areas without a row: 'ABRAHAMSBERG', 'ALVIK', 'ASPUDDEN', 'BAGARMOSSEN', 'BECKOMBERGA' and 91 more",
    ]


def test_scb_s_published_key_finds_every_regso(real, regso):
    published = pd.read_csv(
        real / "sweden/regso_socioekonomisk_index_2022.csv", names=["key", "type"], header=0, dtype=str
    ).dropna()
    match = gp.match_names(published["key"], regso)
    key = pd.Series(regso.index, index=regso["municipality"] + " (" + regso["name"] + ")")
    assert len(published) == REGSO
    assert match.lines() == ["3,363 of 3,363 names find an area"]
    assert match.codes_or_raise().tolist() == key[published["key"]].tolist()


def test_regso_of_several_municipalities_need_theirs(regso):
    alone = gp.match_names(regso["name"], regso)
    shared = regso["name"].duplicated(keep=False)
    assert shared.sum() == 39
    assert (alone.how[shared] == "ambiguous").all()
    assert (alone.codes[~shared] == regso.index[~shared]).all()
    both = gp.match_names(regso["name"], regso, municipality=regso["municipality"])
    assert both.codes_or_raise().tolist() == list(regso.index)


def test_the_15_districts_of_2012_join_where_the_register_has_them(real, regso):
    """Six of the fifteen are a RegSO of 2020 by name; the others were divided or merged, and none is guessed."""
    districts = pd.read_csv(real / "published/se_urban15_districts_2012.csv")
    match = gp.match_names(districts["stadsdel"], regso, municipality=districts["kommun"])
    found = match.matched.set_index("name")["area"].to_dict()
    assert found == {
        "Norra Biskopsgården": "Norra Biskopsgården",
        "Gamlegården": "Gamlegården",
        "Centrum-Öster": "Landskrona centrum-Öster",
        "Rinkeby": "Rinkeby",
        "Tensta": "Tensta",
        "Hovsjö": "Hovsjö",
    }
    assert (regso.loc[match.codes.dropna(), "municipality"] == districts["kommun"][match.codes.notna()].array).all()
    suggested = match.unmatched.set_index("name")["suggestions"].to_dict()
    assert suggested["Gårdsten"][:2] == ("Gårdsten nordöstra", "Gårdsten sydvästra")
    assert suggested["Ronna"] == ("Ronna-Karlhov", "Ronna centrum-Ronna Park-Västra Ronna")
    assert suggested["Araby"] == ("Araby-Dalbo-Nydala",)
    assert match.ambiguous.empty


def test_no_name_of_sweden_is_taken_for_a_district_of_stockholm_by_misreading(regso, stadsdelar):
    elsewhere = regso[regso["municipality"] != "Stockholm"]
    match = gp.match_names(elsewhere["name"].iloc[::3], stadsdelar)
    assert set(match.how) == {"unmatched", "normalised"}


def test_spoilt_names_find_their_area_or_none(stadsdelar):
    """One letter exchanged, put in or left out, at random: joined to none but the right area, which is suggested."""
    rng = np.random.default_rng(2012)
    letters = list("ABCDEFGHIJKLMNOPQRSTUVWXYZÅÄÖ")
    rows = []
    for name in stadsdelar["name"]:
        for _ in range(6):
            at, letter = int(rng.integers(len(name))), rng.choice(letters)
            put = rng.choice([name[at], letter + name[at], letter, ""])
            rows.append((name, name[:at] + str(put) + name[at + 1 :]))
    spoilt = pd.DataFrame(rows, columns=["true", "written"])
    match = gp.match_names(spoilt["written"], stadsdelar)
    joined = match.codes.notna()
    wrong = spoilt[joined & (match.codes != spoilt["true"])]
    # What is left of Farsta without its F is Årsta without its ring, and said to be read so.
    assert wrong.to_numpy().tolist() == [["FARSTA", "ARSTA"]]
    assert match.how[wrong.index].tolist() == ["diacritics"]
    suggested = match.table["suggestions"][~joined]
    assert all(true in three for true, three in zip(spoilt["true"][~joined], suggested, strict=True))
