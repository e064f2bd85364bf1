"""Joining by name: what is the same name, what may be, and what is never taken for it."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from strategies import squares

import geoplan as gp
from geoplan.errors import IdError, InputError, SpecError, TableError
from geoplan.places import HOW, as_aliases, as_areas, as_names, match_names
from geoplan.places.aliases import days_of
from geoplan.places.spelling import one_edit_apart, plain, shapes, unaccented
from geoplan.run.matching import match_table, write_matches

TOWNS = pd.DataFrame(
    {
        "name": ["Centrum-Öster", "Centrum", "Centrum", "Gamlegården", "Sätra", "Haga", "Täby Centrum"],
        "municipality": ["Landskrona", "Borås", "Lund", "Kristianstad", "Stockholm", "Borås", "Täby"],
    },
    index=pd.Index(["L1", "B1", "U1", "K1", "S1", "B2", "T1"], name="area_id"),
)


def _areas(*names, **columns):
    return pd.DataFrame({"name": names, **columns}, index=[f"{n:02d}" for n in range(1, len(names) + 1)])


def _column(*names, name="district"):
    """Return names as a table reader does: rows numbered from 2."""
    return pd.Series(list(names), index=range(2, len(names) + 2), name=name, dtype=object)


def _aliases(*rows):
    columns = ["name", "known_as", "municipality", "since", "until"]
    frame = pd.DataFrame([(*row, "", "", "")[:5] for row in rows], columns=columns)
    frame.index = range(2, len(rows) + 2)
    return frame


def _as_aliases(*rows):
    return as_aliases(_aliases(*rows), municipality_column="municipality", from_column="since", until_column="until")


def _one(name, areas, **more):
    """Match one name: its code and how it was found."""
    match = match_names(_column(name), areas, **more)
    return match.codes.iloc[0], match.how.iloc[0]


def _fault(error):
    (fault,) = error.value.faults
    return str(fault)


# ---------------------------------------------------------------- spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SÄTRA", "Sätra"),
        ("Centrum Öster", "Centrum-Öster"),
        ("Centrum Öster", "Centrum–Öster"),
        ("Centrum Öster", "  centrum\u00a0 öster "),
        ("Centrum Öster", "CENTRUM_ÖSTER"),
        ("Östermalm", "O\u0308stermalm"),  # composed and decomposed
        ("Ångby", "\u212bngby"),  # the sign of the ångström
        ("Sätra", '"Sätra"'),
        ("Sätra", "»Sätra«"),
        ("Sankt Lars", "S:t Lars"),
        ("Sankt Hans", "Skt. Hans"),
        ("Sankta Maria", "S:ta Maria"),
        ("Norra Berga", "N:a Berga"),
        ("Vasa och Berg", "Vasa & Berg"),
        ("Vasa och Berg", "Vasa og Berg"),
        ("Centrum (Landskrona)", "Centrum, Landskrona"),
    ],
)
def test_the_same_name_written_otherwise(one, other):
    assert plain(one) == plain(other)


@pytest.mark.parametrize(("one", "other"), [("Arby", "Årby"), ("Norra Berga", "Södra Berga"), ("Stora", "S:t Ora")])
def test_names_that_are_not_the_same(one, other):
    assert plain(one) != plain(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Sättra", "Sattra"), ("Århus", "Aarhus"), ("Nørrebro", "Noerrebro"), ("Sæby", "Säby")]
)
def test_diacritics_are_another_matter(one, other):
    assert plain(one) != plain(other)
    assert unaccented(plain(one)) == unaccented(plain(other))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Gamlegirden", "Gamlegården"),
        ("Gamlegarden", "Gamlegården"),
        ("Rorma", "Ronna"),
        ("Sättra", "SÄTRA"),
        ("Hagsättra", "HAGSÄTRA"),
        ("R1nkeby", "Rinkeby"),
        ("RlNKEBY", "Rinkeby"),
        ("H0vsjö", "Hovsjö"),
        ("Bjömåsen", "Björnåsen"),
        ("Hässelbygård", "Hässelby gård"),
        ("Sodra Argarden", "Södra Ärgården"),
        ("Hårgirden", "Hårgården"),  # one ring of two
        ("Vvasaberg", "Wasaberg"),
        ("Fridhern", "Fridhem"),
    ],
)
def test_what_a_scanner_or_a_hurried_hand_mistakes(written, name):
    assert shapes(plain(written)) & shapes(plain(name))
    assert _one(written, _areas("Elsewhere", name))[0] == "02"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Block 1", "Block I"),
        ("Block 10", "Block 1O"),
        ("Kvarteret 5", "Kvarteret S"),
        ("Område 11", "Område 1"),
        ("Sundby", "Lundby"),
        ("Berga", "Bergs"),
        ("Östberga", "Västberga"),
        ("Norra Berga", "Södra Berga"),
        ("Irsta", "Årsta"),  # two places, in Västerås and Stockholm
        ("Ala", "Aia"),  # too short to tell
    ],
)
def test_what_is_never_a_misreading(one, other):
    assert not shapes(plain(one)) & shapes(plain(other))
    match = match_names(_column(one), _areas(other))
    assert match.codes.tolist() == [None]


words = st.text(alphabet="abå ", max_size=5)


def edits(word, letters="abå "):
    """Every word that is one edit away, made one by one."""
    cuts = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    return {
        *(a + b[1:] for a, b in cuts if b),
        *(a + c + b for a, b in cuts for c in letters),
        *(a + c + b[1:] for a, b in cuts if b for c in letters),
        *(a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
    }


@given(words, words)
def test_one_edit_apart_is_what_one_edit_makes(one, other):
    assert one_edit_apart(one, other) == (one == other or other in edits(one))


# ---------------------------------------------------------------- matching


@pytest.mark.parametrize(
    ("name", "code", "how"),
    [
        ("Gamlegården", "K1", "exact"),
        ("K1", "K1", "code"),
        ("GAMLEGÅRDEN", "K1", "normalised"),
        ("Gamlegarden", "K1", "diacritics"),
        ("Gamlegirden", "K1", "variant"),
        ("Centrum-Öster", "L1", "exact"),
        ("Centrum Öster", "L1", "normalised"),
        ("Landskrona Centrum Öster", "L1", "normalised"),
        ("Centrum (Borås)", "B1", "normalised"),
        ("Borås (Centrum)", "B1", "normalised"),
        ("Centrum, Lund", "U1", "normalised"),
        ("Lund Centrum", "U1", "normalised"),
        ("Lund: Centrum", "U1", "normalised"),
        ("Täby Centrum", "T1", "exact"),
        ("Täby (Täby Centrum)", "T1", "normalised"),
        ("Boras Centrum", "B1", "diacritics"),
        ("Centrum", None, "ambiguous"),
        ("Centrum (Kalmar)", None, "unmatched"),
        ("Hage", None, "unmatched"),
        ("", None, "empty"),
        ("–", None, "empty"),
        (None, None, "empty"),
    ],
)
def test_how_a_name_finds_its_area(name, code, how):
    assert _one(name, TOWNS) == (code, how)


@pytest.mark.parametrize(
    ("name", "municipality", "code"),
    [
        ("Centrum", "Borås", "B1"),
        ("Centrum", "BORÅS KOMMUN", "B1"),
        ("Centrum", "Boras", "B1"),
        ("Centrum", "Lunds kommun", "U1"),
        ("Centrum", "Täby", "T1"),  # which the layer calls Täby Centrum
        ("Centrum-Öster", "Landskrona", "L1"),
        ("Sättra", "Stockholms stad", "S1"),
        ("Centrum", "Kalmar", None),
        ("Gamlegården", "Borås", None),  # there is one, elsewhere
        ("Centrum", "", None),
    ],
)
def test_a_column_of_municipalities_decides(name, municipality, code):
    column = _column(municipality, name="kommun")
    assert match_names(_column(name), TOWNS, municipality=column).codes.tolist() == [code]
    if municipality:
        assert match_names(_column(name), TOWNS, municipality=municipality).codes.tolist() == [code]


def test_a_municipality_without_any_to_compare_with_is_a_fault():
    with pytest.raises(SpecError) as caught:
        match_names(_column("Centrum"), _areas("Centrum"), municipality="Lund")
    assert _fault(caught) == (
        "key 'municipality': the areas do not say which municipality they are in. Hint: name the column as "
        "`municipality_column` in the layer of areas"
    )


def test_names_that_differ_in_diacritics_only_are_kept_apart():
    areas = _areas("Arby", "Årby")
    assert [_one(name, areas) for name in ("Arby", "ÅRBY", "Àrby", "Aarby")] == [
        ("01", "exact"),
        ("02", "normalised"),
        (None, "ambiguous"),
        (None, "ambiguous"),
    ]


def test_names_that_differ_in_hyphens_only_are_told_apart_when_written_exactly():
    areas = _areas("Norra Berga", "Norra-Berga")
    assert [_one(name, areas) for name in ("Norra Berga", "Norra-Berga", "NORRA BERGA")] == [
        ("01", "exact"),
        ("02", "exact"),
        (None, "ambiguous"),
    ]


def test_a_name_that_several_municipalities_have_is_refused_however_it_is_written():
    areas = _areas("Centrum", "CENTRUM", municipality=["Borås", "Lund"])
    assert [_one(name, areas) for name in ("Centrum", "CENTRUM")] == [(None, "ambiguous")] * 2


def test_a_misreading_with_a_rival_is_a_suggestion_only():
    # "Halla" is "Hala" with a letter twice, and "Halle" with another letter: nobody can tell.
    match = match_names(_column("Halla"), _areas("Hala", "Halle"))
    assert match.how.tolist() == ["unmatched"]
    assert match.table["suggestions"].tolist() == [("Hala", "Halle")]
    assert _one("Halla", _areas("Hala", "Storby")) == ("01", "variant")


def test_a_misreading_that_fits_two_areas_is_a_suggestion_only():
    match = match_names(_column("Barnby"), _areas("Bamby", "Bambyy"))
    assert match.how.tolist() == ["unmatched"]
    assert set(match.table["suggestions"].iloc[0]) == {"Bamby", "Bambyy"}


def test_suggestions_are_the_nearest_and_those_with_words_added():
    areas = _areas("Norra Fäladen", "Södra Fäladen", "Fäladstorget", "Bergsjön centrala", "Bergsjön södra", "Kista")
    match = match_names(_column("Fäladen", "Bergsjön", "Xyz"), areas)
    assert match.table["suggestions"].tolist() == [
        ("Norra Fäladen", "Södra Fäladen", "Fäladstorget"),
        ("Bergsjön södra", "Bergsjön centrala"),
        (),
    ]


def test_areas_with_one_code_twice_are_refused():
    with pytest.raises(IdError, match=r"1 area code\(s\) occur more than once: '01'"):
        match_names(_column("A"), pd.DataFrame({"name": ["A", "B"]}, index=["01", "01"]))


def test_areas_without_a_name_are_found_by_code_only():
    match = match_names(_column("02", "nan"), _areas("Kista", None))
    assert match.codes.tolist() == ["02", None]
    match = match_names(_column("Kista"), _areas("Kista", "Kista", municipality=[float("nan")] * 2))
    assert match.table["suggestions"].tolist() == [("01", "02")]


# ---------------------------------------------------------------- the report


def test_the_report_accounts_for_every_row_and_every_area():
    match = match_names(
        _column("Sätra", "SÄTTRA", "Gamlegirden", "Gamlegirden", "Centrum", "Årsta", None, "Seved", "Staden"),
        TOWNS,
        aliases=_as_aliases(("Seved", "Haga"), ("Staden", "T1", "", "1950", "1970")),
        on=2012,
    )
    assert match.lines() == [
        "5 of 7 names find an area",
        "1 name read as another name of an area: 'Seved' = Haga",
        "1 name read as an earlier or later name of an area: 'Staden' = Täby Centrum",
        "2 names read as a misspelling; please confirm: 'SÄTTRA' = Sätra, 'Gamlegirden' = Gamlegården",
        "1 name used in a year in which it did not hold: 'Staden' in 2012",
        "'Centrum' is ambiguous: it may be Centrum (Borås), Centrum (Lund)",
        "no area is called 'Årsta'",
        "1 row has no name",
        "1 name more than once in the table: 'Gamlegirden'",
        "2 names mean the same area: 'Sätra', 'SÄTTRA'",
        "3 areas without a row: 'Centrum (Borås)', 'Centrum-Öster', 'Centrum (Lund)'",
    ]
    assert match.lines(areas=False) == match.lines()[:-1]
    assert match.without_row == ("B1", "L1", "U1")
    assert match.duplicates.to_dict("records") == [
        {"area_id": "K1", "names": ("Gamlegirden",), "rows": 2, "row": 5},
        {"area_id": "S1", "names": ("Sätra", "SÄTTRA"), "rows": 2, "row": 3},
    ]
    assert match.matched["rows"].sum() + match.unmatched["rows"].sum() + match.ambiguous["rows"].sum() == 9


def test_a_table_that_fits_says_so_and_gives_its_codes():
    match = match_names(_column("Haga"), TOWNS.loc[["B2"]])
    assert match.lines() == ["1 of 1 name finds an area"]
    assert match.codes_or_raise().to_dict() == {2: "B2"}


def test_a_strict_join_refuses_everything_at_once():
    names = _column("Sätra", "SÄTTRA", "Haga", "Haga", "Centrum", "Hage", "", "Xyz")
    with pytest.raises(IdError) as caught:
        match_names(names, TOWNS).codes_or_raise()
    assert [str(fault) for fault in caught.value.faults] == [
        (
            "row 6, column 'district': 2 areas are called 'Centrum'. Expected: a name that only one area has. "
            "Hint: write it as Centrum (Borås) or Centrum (Lund)"
        ),
        "row 7, column 'district': no area is called 'Hage'. Hint: did you mean Haga?",
        "row 8, column 'district': 1 row has no name. Expected: a name in every row.",
        "row 9, column 'district': no area is called 'Xyz'.",
        "row 5, column 'district': the name 'Haga' occurs 2 times. Expected: each area once.",
        "row 3, column 'district': 'Sätra', 'SÄTTRA' are the same area, Sätra. Expected: each area once.",
    ]
    with pytest.raises(IdError) as caught:
        match_names(names.iloc[:5], TOWNS).codes_or_raise(once=False)
    assert len(caught.value.faults) == 1


def test_an_unmatched_name_in_a_municipality_says_where_it_was_looked_for():
    match = match_names(_column("Hage"), TOWNS, municipality="Borås")
    with pytest.raises(IdError) as caught:
        match.codes_or_raise()
    assert _fault(caught) == "row 2, column 'district': no area in Borås is called 'Hage'. Hint: did you mean Haga?"
    assert match.lines()[1] == "no area in Borås is called 'Hage' (nearest: Haga)"


# ---------------------------------------------------------------- aliases and renames

RENAMED = (("Navestad", "Ringdansen", "", "", "1999"),)


@pytest.mark.parametrize(
    ("name", "on", "how", "outside"),
    [
        ("Navestad", 1995, "rename", False),
        ("NAVESTAD", "1995-12-31", "rename", False),
        ("Navestad", dt.date(1999, 12, 31), "rename", False),
        ("Navestad", None, "rename", False),
        ("Navestad", 2012, "rename", True),
        ("Navestad", "HT 2011/12", "rename", True),
        ("Ringdansen", 2012, "exact", False),
        ("Ringdansen", 1995, "exact", False),
    ],
)
def test_a_rename_finds_the_same_area_before_and_after(name, on, how, outside):
    areas = _areas("Ringdansen", "Hageby")
    match = match_names(_column(name), areas, aliases=_as_aliases(*RENAMED), on=on)
    assert match.codes.tolist() == ["01"]
    assert match.how.tolist() == [how]
    assert match.table["outside"].tolist() == [outside]


def test_a_layer_from_before_the_rename_is_found_by_the_name_from_after_it():
    areas = _areas("Navestad", "Hageby")
    match = match_names(_column("Navestad", "Ringdansen"), areas, aliases=_as_aliases(*RENAMED), on=2012)
    assert match.codes.tolist() == ["01", "01"]
    assert match.table["outside"].tolist() == [False, False]


def test_years_may_differ_from_row_to_row():
    # "Söder" was area 01 until 1980; since then area 02 is called so.
    areas = _areas("Gamla Söder", "Söder")
    aliases = _as_aliases(("Söder", "Gamla Söder", "", "1950", "1980"))
    match = match_names(_column(*["Söder"] * 3), areas, aliases=aliases, on=_column("1970", "1990", "", name="period"))
    assert match.codes.tolist() == ["01", "02", "02"]
    assert match.how.tolist() == ["rename", "exact", "exact"]


def test_a_name_that_passed_on_needs_a_year_when_no_area_has_it_today():
    aliases = _as_aliases(("Söder", "Berga", "", "1950", "1980"), ("Söder", "Haga", "", "1981", ""))
    areas = _areas("Berga", "Haga")
    assert _one("Söder", areas, aliases=aliases, on=1970) == ("01", "rename")
    assert _one("Söder", areas, aliases=aliases, on=1990) == ("02", "rename")
    assert _one("Söder", areas, aliases=aliases) == (None, "ambiguous")


def test_a_chain_of_renames_is_followed():
    rows = (("Ett", "Två", "", "", "1970"), ("Två", "Sju", "", "1971", "1990"), ("SJU", "sju"))
    areas = _areas("Sju", "Fyra")
    aliases = _as_aliases(*rows)
    assert match_names(_column("Ett", "två", "Sju"), areas, aliases=aliases).codes.tolist() == ["01"] * 3


def test_an_alias_may_name_the_code_and_hold_in_one_municipality_only():
    aliases = _as_aliases(("City", "B1", "Borås"), ("City", "U1", "Lunds kommun"), ("Gamlan", "Gamlegarden"))
    with pytest.raises(IdError, match="the alias 'Gamlan' means 'Gamlegarden', which no area is called"):
        match_names(_column("City"), TOWNS, aliases=aliases)
    aliases = aliases.iloc[:2]
    match = match_names(_column("City", "City (Borås)", "Lund, City"), TOWNS, aliases=aliases)
    assert match.codes.tolist() == [None, "B1", "U1"]
    assert match.how.tolist() == ["ambiguous", "alias", "alias"]
    assert match_names(_column("City"), TOWNS, aliases=aliases, municipality="Lund").codes.tolist() == ["U1"]


def test_an_area_s_own_name_goes_before_its_aliases():
    aliases = _as_aliases(("HAGA", "Haga", "Borås"))
    assert _one("HAGA", TOWNS, aliases=aliases) == ("B2", "normalised")


def test_a_year_that_is_none_is_refused():
    with pytest.raises(SpecError) as caught:
        match_names(_column("Haga"), TOWNS, on="spring")
    assert _fault(caught) == "key 'on': 'spring' names no year. Expected: a year or a date, such as 2012."


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2012", ("2012-01-01", "2012-12-31")),
        ("2012-02", ("2012-02-01", "2012-02-29")),
        ("2012-12", ("2012-12-01", "2012-12-31")),
        ("2012-06-30", ("2012-06-30", "2012-06-30")),
        ("2012-06-30 00:00:00", ("2012-06-30", "2012-06-30")),
        ("2012-13", None),
        ("2013-02-29", None),
        ("0000", None),
        ("9999-12", None),
        ("12", None),
        ("", None),
    ],
)
def test_days_of_a_year_a_month_or_a_date(text, days):
    assert days_of(text) == days


def test_every_fault_of_a_table_of_aliases_is_told_at_once():
    rows = [
        ("", "Haga", "", "", ""),
        ("City", None, "", "", ""),
        ("Söder", "Haga", "", "last year", ""),
        ("Norr", "Haga", "", "1990", "1980"),
    ]
    with pytest.raises(InputError) as caught:
        _as_aliases(*rows)
    assert [str(fault) for fault in caught.value.faults] == [
        "row 2, column 'name': there is no name.",
        "row 3, column 'known_as': there is no name.",
        (
            "row 4, column 'since': 'last year' is not a date. Expected: a year or a date, such as 1999 or "
            "1999-06-30, or nothing."
        ),
        (
            "row 5, column 'until': the name 'Norr' holds from 1990-01-01 until 1980-12-31. "
            "Expected: an end after the start."
        ),
    ]
    with pytest.raises(TableError):
        _as_aliases(rows[2])
    with pytest.raises(SpecError, match="key 'until_column': there is no column 'until_year' in the data"):
        as_aliases(_aliases(("City", "Haga")), until_column="until_year")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("Ett", "Två"), ("Två", "Sju"), ("SJU", "ett")],
            ("row 2: the names lead in a circle: 'Ett' → 'Två' → 'SJU' → 'Ett'. Expected: names that lead to an area."),
        ),
        (
            [("Noll", "Ett"), ("Ett", "Två"), ("Två", "Ett")],
            "row 3: the names lead in a circle: 'Ett' → 'Två' → 'Ett'. Expected: names that lead to an area.",
        ),
        (
            [("Ett", "Ett")],
            "row 2: the names lead in a circle: 'Ett' → 'Ett'. Expected: names that lead to an area.",
        ),
    ],
)
def test_names_that_lead_in_a_circle_are_refused(rows, message):
    with pytest.raises(IdError) as caught:
        _as_aliases(*rows)
    assert _fault(caught) == message


def test_a_circle_through_two_municipalities_is_none():
    _as_aliases(("Ett", "Två", "Borås"), ("Två", "Ett", "Lund"))


def test_the_same_alias_twice_is_one():
    assert len(_as_aliases(("City", "Haga"), ("City", "Haga"))) == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("City", "Hagga")],
            (
                "row 2: the alias 'City' means 'Hagga', which no area is called. Expected: an area's name or code. "
                "Hint: did you mean 'Haga'?"
            ),
        ),
        (
            [("City", "Centrum")],
            (
                "row 2: the alias 'City' means 'Centrum', which several areas are called: 'B1', 'U1'. "
                "Hint: give the area's code, or say in which municipality the name is meant"
            ),
        ),
        (
            [("City", "Haga"), ("CITY", "Sätra")],
            (
                "row 3: the alias 'CITY' means two areas at once: 'B2' and 'S1'. Expected: one area. "
                "Hint: row 2 says the other; give each its municipality, or years that do not overlap"
            ),
        ),
        (
            [("City", "Haga", "", "", "1990"), ("City", "Sätra", "", "1990", "")],
            (
                "row 3: the alias 'City' means two areas at once: 'B2' and 'S1'. Expected: one area. "
                "Hint: row 2 says the other; give each its municipality, or years that do not overlap"
            ),
        ),
        (
            [("SÄTRA", "Haga")],
            (
                "row 2: the alias 'SÄTRA' of area 'B2' is the name of area 'S1'. "
                "Hint: give the alias the years in which it held, or its municipality"
            ),
        ),
    ],
)
def test_aliases_that_do_not_fit_the_areas(rows, message):
    with pytest.raises(IdError) as caught:
        match_names(_column("Haga"), TOWNS, aliases=_as_aliases(*rows))
    assert _fault(caught) == message


# ---------------------------------------------------------------- laws

names = st.lists(
    st.text(alphabet="abåäöilr ", min_size=3, max_size=9).filter(lambda text: plain(text) and text == text.strip()),
    min_size=1,
    max_size=8,
    unique=True,
)
joints = st.sampled_from([" ", "-", "–", "_", "\u00a0", "  ", " - "])


def others(name):
    """Draw other writings of a name that keep its letters and diacritics."""
    parts = name.split()
    return st.tuples(joints, st.sampled_from([str.upper, str.lower, str.title, str])).map(
        lambda drawn: drawn[1](drawn[0].join(parts))
    )


@given(names, st.lists(st.text(alphabet="abåäöilr -", max_size=9), max_size=8), st.randoms())
def test_every_row_is_accounted_for_once_and_order_means_nothing(known, written, random):
    areas, column = _areas(*known), _column(*known, *written)
    match = match_names(column, areas)
    assert set(match.how) <= set(HOW)
    assert (match.codes.notna() == ~match.how.isin(["ambiguous", "unmatched", "empty"])).all()
    parts = [match.matched, match.unmatched, match.ambiguous]
    assert sum(part["rows"].sum() for part in parts) == len(column)
    assert set(match.without_row) | set(match.codes.dropna()) == set(areas.index)
    assert not set(match.without_row) & set(match.codes.dropna())
    mixed = column.sample(frac=1, random_state=random.randrange(2**32))
    assert match_names(mixed, areas).codes.sort_index().equals(match.codes)
    turned = match_names(column, areas.iloc[::-1])
    assert turned.codes.equals(match.codes)


@given(names)
def test_a_layer_s_own_names_are_never_joined_to_each_other(known):
    areas = _areas(*known)
    for code, name in areas["name"].items():
        assert _one(name, areas)[0] == code


@given(names, st.data())
def test_case_hyphens_and_blanks_do_not_matter(known, data):
    areas = _areas(*known)
    for name in known:
        written = data.draw(others(name))
        alike = [code for code, other in areas["name"].items() if plain(other) == plain(name)]
        if len(alike) == 1:
            assert _one(written, areas)[0] == alike[0]


@given(names, st.lists(st.text(alphabet="abåäöilr -", max_size=9), max_size=8))
def test_matching_what_was_matched_changes_nothing(known, written):
    areas = _areas(*known)
    match = match_names(_column(*written), areas)
    again = match_names(match.codes.map(areas["name"]).rename("district"), areas)
    assert again.codes.equals(match.codes)


# ---------------------------------------------------------------- layers


def test_areas_may_carry_their_municipality():
    frame = squares().assign(kommun=["Borås", "Lund", None, " Täby "])
    columns = {"id_column": "code", "name_column": "name", "municipality_column": "kommun"}
    areas, _ = as_areas(frame, level="stadsdel", **columns)
    assert list(areas.columns) == ["name", "level", "municipality", "geometry"]
    assert areas["municipality"].tolist() == ["Borås", "Lund", "", "Täby"]
    assert as_names(frame, **columns).equals(pd.DataFrame(areas[["name", "municipality"]]))
    with pytest.raises(SpecError, match="key 'municipality_column': there is no column 'kommmun' in the data"):
        as_areas(frame, id_column="code", level="stadsdel", municipality_column="kommmun")


CODES = {"0101": "SQUARE-1", "0102": "Square 2", "0103": "Squaree 3", "0104": "Norra rutan"}
ALIASES = 'kind = "aliases"\ntitle = "Other names"\npath = "../data/aliases.csv"\nsource = "s"\nlicence = "MIT"\n'


def _by_name(project, **more):
    """Key the project's figures by names, one of them an alias."""
    text = (project / project.figures).read_text(encoding="utf-8")
    for code, name in {**CODES, **more}.items():
        text = text.replace(code, name)
    (project / project.figures).write_text(text, encoding="utf-8")
    project.edit("layers/figures.toml", "id_width = 4\n", 'match_layer = "districts"\naliases = ["other_names"]\n')
    (project / "data/aliases.csv").write_text("name,known_as\nNorra rutan,Square 4\n", encoding="utf-8")
    (project / "layers/other_names.toml").write_text(f'{ALIASES}vintage = "2012"\n', encoding="utf-8")


def test_a_table_keyed_by_names_gives_the_same_index_as_one_keyed_by_codes(project):
    by_code = gp.open_run(project / project.scenario).index().ranking
    _by_name(project)
    run = gp.open_run(project / project.scenario)
    pd.testing.assert_frame_equal(run.index().ranking, by_code)
    assert run.notes() == [
        "figures: 4 of 4 names find an area",
        "figures: 1 name read as another name of an area: 'Norra rutan' = Square 4",
        "figures: 1 name read as a misspelling; please confirm: 'Squaree 3' = Square 3",
    ]
    assert [dataset.id for dataset in run.datasets] == ["districts", "figures", "other_names"]


def test_check_tells_how_names_were_read(project, geoplan):
    _by_name(project)
    ended = geoplan("check", project.root, cwd=project.root)
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[:3] == [
        "layers/figures.toml: 4 of 4 names find an area.",
        "layers/figures.toml: 1 name read as another name of an area: 'Norra rutan' = Square 4.",
        "layers/figures.toml: 1 name read as a misspelling; please confirm: 'Squaree 3' = Square 3.",
    ]


def test_a_name_that_no_area_has_is_listed_and_not_dropped_silently(project):
    _by_name(project, **{"0104": "Hela staden"})
    run = gp.open_run(project / project.scenario)
    assert run.join_report().without_area == ("Hela staden",)
    assert run.notes()[:2] == ["1 area has no data: '0104'", "1 code of the table has no area: 'Hela staden'"]
    assert "figures: no area is called 'Hela staden'" in run.notes()


def _wide(project, *rows):
    (project / project.figures).write_text("\n".join(["code,people,town", *rows, ""]), encoding="utf-8")
    text = (project / "layers/figures.toml").read_text(encoding="utf-8").partition("[[indicators]]")[0]
    text += 'shape = "wide"\nperiod = 2012\n[[indicators]]\nid = "population"\nlabel = "Residents"\nkind = "count"\n'
    text += 'unit = "persons"\ndirection = "neutral"\nnumerator = "people"\n'
    (project / "layers/figures.toml").write_text(text, encoding="utf-8")
    project.edit("layers/figures.toml", "id_width = 4\n", 'match_layer = "districts"\n')
    (project / project.scenario).unlink()


WRONG = {
    "ambiguous": (
        lambda project: (
            project.put_areas(squares().assign(name=["Söder", "Söder", "Väster", "Öster"])),
            _wide(project, "Söder,10,", "Väster,10,"),
        ),
        [
            (
                "data/figures.csv, row 2, column 'code': 2 areas are called 'Söder'. Expected: a name that only one "
                "area has. Hint: write it as 0101 or 0102"
            )
        ],
    ),
    "twice": (
        lambda project: _wide(project, "Square 1,10,", "SQUARE 1,20,"),
        [
            (
                "data/figures.csv, row 3, column 'code': 'Square 1', 'SQUARE 1' are the same area, Square 1. "
                "Expected: each area once."
            )
        ],
    ),
    "no name fits": (
        lambda project: _wide(project, "Rutan,10,"),
        [
            (
                "data/figures.csv: no area has one of the 1 names of the table ('Rutan'); the 4 areas are called "
                "'Square 1', 'Square 2', 'Square 3' and 1 more. Hint: look at the column of names and at `match_layer`"
            )
        ],
    ),
    "no such layer": (
        lambda project: (
            _wide(project, "Square 1,10,"),
            project.edit("layers/figures.toml", 'match_layer = "districts"', 'match_layer = "district"'),
        ),
        ["layers/figures.toml, key 'match_layer': no layer is called 'district'. Hint: did you mean 'districts'?"],
    ),
    "another kind": (
        lambda project: (
            _wide(project, "Square 1,10,"),
            project.edit("layers/figures.toml", 'match_layer = "districts"', 'match_layer = "figures"'),
        ),
        [
            (
                "layers/figures.toml, key 'match_layer': the layer 'figures' is of kind 'indicators'. "
                "Expected: a layer of kind 'areas'."
            )
        ],
    ),
    "another level": (
        lambda project: (
            _wide(project, "Square 1,10,"),
            project.edit("layers/figures.toml", 'level = "stadsdel"', 'level = "deso"'),
        ),
        [
            (
                "layers/figures.toml, key 'match_layer': the layer 'districts' is of level 'stadsdel', the table of "
                "'deso'. Expected: the layer whose names the table has."
            )
        ],
    ),
    "no municipality in the areas": (
        lambda project: (
            _wide(project, "Square 1,10,Lund"),
            project.edit(
                "layers/figures.toml",
                'match_layer = "districts"\n',
                'match_layer = "districts"\nmunicipality_column = "town"\n',
            ),
        ),
        [
            (
                "layers/figures.toml, key 'municipality': the areas do not say which municipality they are in. Hint: "
                "name the column as `municipality_column` in the layer of areas"
            )
        ],
    ),
    "no such column": (
        lambda project: (
            _wide(project, "Square 1,10,"),
            project.edit("layers/figures.toml", 'id_column = "code"', 'id_column = "namn"'),
        ),
        [
            (
                "layers/figures.toml, key 'id_column': there is no column 'namn' in the data. "
                "Hint: one of 'code', 'people', 'town'"
            )
        ],
    ),
    "names and codes": (
        lambda project: project.edit(
            "layers/figures.toml", "id_width = 4\n", 'id_width = 4\nmatch_layer = "districts"\n'
        ),
        ["`match_layer` or `id_width` and `id_pad`, not both: a table has names or codes."],
    ),
    "aliases of codes": (
        lambda project: project.edit("layers/figures.toml", "id_width = 4\n", 'aliases = ["x"]\n'),
        ["`match_layer` beside `municipality_column` or `aliases`: they are for names."],
    ),
    "an alias of nothing": (
        lambda project: (
            _by_name(project),
            project.edit("data/aliases.csv", "Square 4", "Squares 9"),
            (project / project.scenario).unlink(),
        ),
        [
            (
                "data/aliases.csv, row 2: the alias 'Norra rutan' means 'Squares 9', which no area is called. "
                "Expected: an area's name or code. Hint: did you mean 'Square 4'?"
            )
        ],
    ),
    "an alias of nothing, alone": (
        lambda project: (
            _by_name(project),
            project.edit("data/aliases.csv", "Norra rutan,Square 4", "Norra rutan,Square 4\nCity,Squares 9"),
            (project / "layers/figures.toml").unlink(),
            (project / project.scenario).unlink(),
            project.edit(
                "layers/other_names.toml", 'vintage = "2012"\n', 'vintage = "2012"\nmatch_layer = "districts"\n'
            ),
        ),
        [
            (
                "data/aliases.csv, row 3: the alias 'City' means 'Squares 9', which no area is called. "
                "Expected: an area's name or code. Hint: did you mean 'Square 4'?"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_faults_of_tables_keyed_by_names(case, project, geoplan):
    alter, said = WRONG[case]
    alter(project)
    ended = geoplan("check", project.root, cwd=project.root)
    assert ended.code == 2
    assert all(any(line.endswith(end) for line in ended.faults) for end in said), ended.faults
    assert "Traceback" not in ended.err


def test_membership_may_be_keyed_by_names(project, geoplan):
    (project / "data/membership.csv").write_text("child,parent\nSQUARE 1,Square-2\n0103,Square 2\n", encoding="utf-8")
    layer = ALIASES.replace("aliases", "membership") + 'vintage = "2012"\nchild_column = "child"\n'
    layer += 'parent_column = "parent"\nchild_match_layer = "districts"\nparent_match_layer = "districts"\n'
    (project / "layers/members.toml").write_text(layer, encoding="utf-8")
    project.edit(project.scenario, 'layers = ["districts"]', 'layers = ["districts"]\nmembership = ["members"]')
    run = gp.open_run(project / project.scenario)
    assert run.membership()[["child_id", "parent_id"]].to_numpy().tolist() == [["0101", "0102"], ["0103", "0102"]]
    project.edit("data/membership.csv", "SQUARE 1", "Squara 1")
    ended = geoplan("check", project.root, cwd=project.root)
    assert ended.faults == [
        (
            "data/membership.csv, row 2, column 'child': no area is called 'Squara 1'. "
            "Hint: did you mean Square 1, Square 2 or Square 3?"
        )
    ]


# ---------------------------------------------------------------- the command


def test_match_prints_what_to_look_at_and_writes_every_row(project, geoplan):
    _by_name(project)
    (project / "data/names.csv").write_text('namn\nSquare 1\n"Squaree 2"\nNorra rutan\n=Rutan\n', encoding="utf-8")
    words = ("match", "data/names.csv", "districts", "--column", "namn", "--aliases", "other_names", "--out", "m.csv")
    ended = geoplan(*words, cwd=project.root)
    assert ended.code == 0, ended.err
    assert [line.rstrip() for line in ended.out.splitlines()] == [
        "name         row  area      how        it may be",
        "Squaree 2    3    Square 2  variant",
        "Norra rutan  4    Square 4  alias",
        "=Rutan       5              unmatched  Square 4",
        "3 of 4 names find an area.",
        "1 name read as another name of an area: 'Norra rutan' = Square 4.",
        "1 name read as a misspelling; please confirm: 'Squaree 2' = Square 2.",
        "no area is called '=Rutan' (nearest: Square 4).",
        "1 area without a row: 'Square 3'.",
        "Written to m.csv.",
    ]
    assert (project / "m.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "row,name,municipality,area_id,area,how,suggestions",
        "2,Square 1,,0101,Square 1,exact,",
        "3,Squaree 2,,0102,Square 2,variant,",
        "4,Norra rutan,,0104,Square 4,alias,",
        "5,'=Rutan,,,,unmatched,Square 4",
    ]
    assert not list(project.root.glob(".m.csv*"))


def test_match_reads_a_file_of_polygons_and_municipalities(project, geoplan):
    squares().assign(name=["Centrum", "Centrum", "Haga", "Berga"]).to_file(project / "data/towns.gpkg", layer="a")
    (project / "data/names.csv").write_text("namn;ort\nhaga;\nCentrum;\n", encoding="utf-8")
    words = ("match", "data/names.csv", "data/towns.gpkg", "--column", "namn", "--name-column", "name")
    ended = geoplan(*words, "--id-column", "code", cwd=project.root)
    assert ended.code == 0, ended.err
    assert "Centrum  3          ambiguous  0101, 0102" in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("data/names.csv", "district", "--column", "namn"),
            "key 'LAYER': no layer is called 'district'. Hint: did you mean 'districts'?",
        ),
        (
            ("data/names.csv", "districts", "--column", "name"),
            "data/names.csv, key '--column': there is no column 'name' in the data. Hint: did you mean 'namn'?",
        ),
        (
            ("data/names.csv", "data/areas.gpkg", "--column", "namn"),
            "data/areas.gpkg, key '--name-column': the key is missing. Expected: the column that holds the names.",
        ),
        (
            ("data/name.csv", "districts", "--column", "namn"),
            "data/name.csv: there is no such file.",
        ),
        (
            ("data/names.csv", "districts", "--column", "namn", "--on", "spring"),
            "data/names.csv, key 'on': 'spring' names no year. Expected: a year or a date, such as 2012.",
        ),
        (
            ("data/names.csv", "districts", "--column", "namn", "--aliases", "districts"),
            "key 'aliases': the layer 'districts' is of kind 'areas'. Expected: a layer of kind 'aliases'.",
        ),
    ],
)
def test_match_says_what_is_wrong(words, said, project, geoplan):
    (project / "data/names.csv").write_text("namn\nSquare 1\n", encoding="utf-8")
    before = project.snapshot()
    ended = geoplan("match", *words, cwd=project.root)
    assert ended.code == 2
    assert ended.faults == [said]
    assert project.snapshot() == before


def test_match_that_cannot_write_leaves_nothing(project, geoplan):
    (project / "data/names.csv").write_text("namn\nSquare 1\n", encoding="utf-8")
    before = project.snapshot()
    for place, reason in (("none/m.csv", "no such file or directory"), ("data", "is a directory")):
        ended = geoplan("match", "data/names.csv", "districts", "--column", "namn", "--out", place, cwd=project.root)
        assert ended.code == 2
        assert f"{place}: the file cannot be written ({reason})" in ended.err
    assert project.snapshot() == before


def test_the_sample_s_names_find_their_districts(tmp_path):
    table = gp.home() / "data/nordhamra_programme_names.csv"
    match = match_table(
        gp.home(), table, "nordhamra_stadsdelar", column="stadsdel", aliases=["nordhamra_aliases"], on="1995"
    )
    assert set(match.how) == {"exact", "normalised", "alias", "rename", "diacritics", "variant"}
    write_matches(match, tmp_path / "m.csv")
    assert len(gp.read_table(tmp_path / "m.csv")) == len(gp.read_table(table)) == 15
    # without the aliases some are not found, and none is found wrongly
    bare = match_table(gp.home(), table, "nordhamra_stadsdelar", column="stadsdel")
    assert (bare.codes.isna() | (bare.codes == match.codes)).all()
    assert bare.unmatched["name"].tolist() == ["Granhöijden", "Vretarna", "Tjärhamnen", "Mossarna"]
    assert bare.unmatched["suggestions"].iloc[0][0] == "Granhöjden"


def test_a_geodataframe_is_as_good_as_a_frame():
    areas, _ = as_areas(squares(), id_column="code", level="stadsdel", name_column="name")
    assert isinstance(areas, gpd.GeoDataFrame)
    assert match_names(_column("square 1"), areas).codes.tolist() == ["0101"]


def test_the_index_of_the_table_may_be_called_as_it_likes():
    for name in ("area_id", "name", None):
        match = match_names(pd.Series(["Haga", "Haga"], index=pd.Index(["x", "y"], name=name)), TOWNS)
        assert match.codes.to_dict() == {"x": "B2", "y": "B2"}
        assert len(match.distinct) == len(match.duplicates) == 1
        with pytest.raises(IdError) as caught:
            match.codes_or_raise()
        assert _fault(caught) == "the name 'Haga' occurs 2 times. Expected: each area once."


def test_rows_without_a_name_are_no_names():
    lines = match_names(_column("Sätra", None, "", " "), TOWNS).lines(areas=False)
    assert lines == ["1 of 1 name finds an area", "3 rows have no name"]


def test_of_a_table_of_another_place_the_first_names_are_told_and_the_rest_counted():
    lines = match_names(_column(*(f"Xyz{number:03d}q" for number in range(40)), None), TOWNS).lines(areas=False)
    assert len(lines) == 13
    assert lines[0] == "0 of 40 names find an area"
    assert lines[10:] == [
        "no area is called 'Xyz009q'",
        "30 more names without an area: 'Xyz010q', 'Xyz011q', 'Xyz012q', 'Xyz013q', 'Xyz014q' and 25 more",
        "1 row has no name",
    ]
