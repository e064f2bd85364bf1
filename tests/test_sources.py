"""Reading files: every format gives the same areas and figures, and damage is found before it is drawn."""

from __future__ import annotations

import shutil
import warnings

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal
from strategies import CODES, squares

from geoplan.errors import GeoplanError, IdError, InputError, SourceError, SpecError
from geoplan.places import as_areas, as_indicators
from geoplan.sources import Catalogue, check_raster, formats, home, list_layers, read_table, read_vector, sha256_of
from geoplan.specs import IndicatorsLayer, IndicatorSpec

ENDINGS = [".gpkg", ".geojson", ".shp", ".fgb", ".parquet", ".geoparquet"]
NORDIC = ("Ålsta", "Ärla Östra", "Ørby", "Æbelø")


def _nordic_squares():
    return squares().assign(name=list(NORDIC))


def _write_vector(frame, path):
    if "parquet" in path.suffix:
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


def _as_areas(path):
    return as_areas(read_vector(path), id_column="code", name_column="name", level="stadsdel", crs="EPSG:3006")


# ---------------------------------------------------------------- polygons


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_polygon_format_gives_the_same_areas(ending, tmp_path):
    # GeoJSON is in degrees by its standard; seven decimals of them are a centimetre, along 2 km of border 20 m².
    frame = _nordic_squares().to_crs(4326) if ending == ".geojson" else _nordic_squares()
    areas, report = _as_areas(_write_vector(frame, tmp_path / f"areas{ending}"))
    assert dict(areas["name"]) == dict(zip(CODES, NORDIC, strict=True))
    assert list(areas.index) == list(CODES)
    assert areas.crs == "EPSG:3006"
    assert areas.symmetric_difference(_as_areas_in_memory()).area.max() < (25 if ending == ".geojson" else 1e-6)
    assert report.lines() == []


def _as_areas_in_memory():
    return as_areas(_nordic_squares(), id_column="code", name_column="name", level="stadsdel")[0]


def test_rows_of_a_vector_file_are_counted_from_1(tmp_path):
    frame = read_vector(_write_vector(squares(), tmp_path / "a.gpkg"))
    assert list(frame.index) == [1, 2, 3, 4]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_vector_file_without_rows_is_refused(ending, tmp_path):
    path = _write_vector(squares().iloc[:0], tmp_path / f"a{ending}")
    with pytest.raises(SourceError, match="the layer has no rows"):
        read_vector(path)


def _two_layers(tmp_path):
    path = tmp_path / "town.gpkg"
    squares().to_file(path, layer="districts")
    squares().to_file(path, layer="water")
    return path


def test_the_layers_of_a_file_are_listed(tmp_path):
    assert list_layers(_two_layers(tmp_path)) == ["districts", "water"]
    assert list_layers(_write_vector(squares(), tmp_path / "areas.parquet")) == ["areas"]


def test_a_file_of_several_layers_wants_to_know_which(tmp_path):
    with pytest.raises(SpecError) as caught:
        read_vector(_two_layers(tmp_path))
    assert str(caught.value) == (
        "key 'layer': the file has several layers: 'districts', 'water'. Expected: the layer's name."
    )


def test_a_layer_that_is_not_in_the_file_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"no layer of the file is called 'watr'\. Hint: did you mean 'water'"):
        read_vector(_two_layers(tmp_path), "watr")


def test_a_layer_without_geometry_is_refused(tmp_path):
    import pyogrio  # noqa: PLC0415  only this test writes a table into a GeoPackage

    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"code": ["0101"]}), path, layer="figures")
    with pytest.raises(SourceError, match="layer 'figures' has no geometry"):
        read_vector(path)


def test_a_file_of_no_polygon_format_is_refused(tmp_path):
    (tmp_path / "a.dwg").write_bytes(b"AC1027")
    with pytest.raises(SourceError, match=r"'\.dwg' is not a format of map layers. Expected: '\.gpkg', '\.geojson'"):
        read_vector(tmp_path / "a.dwg")


@pytest.mark.parametrize("read", [read_vector, read_table, list_layers])
def test_a_file_that_is_not_there_and_a_folder_are_told_apart(read, tmp_path):
    (tmp_path / "folder.gpkg").mkdir()
    with pytest.raises(SourceError, match="there is no such file"):
        read(tmp_path / "none.gpkg")
    with pytest.raises(SourceError, match="this is a folder, not a file"):
        read(tmp_path / "folder.gpkg")


@pytest.mark.parametrize("part", [".dbf", ".shx"])
def test_a_shapefile_without_one_of_its_files_is_refused(part, tmp_path):
    path = _write_vector(squares(), tmp_path / "areas.shp")
    path.with_suffix(part).unlink()
    with pytest.raises(SourceError, match=rf"the file areas\{part} is not beside it. Hint: a Shapefile is several"):
        read_vector(path)


def test_a_shapefile_without_its_projection_has_no_coordinate_system(tmp_path):
    path = _write_vector(squares(), tmp_path / "areas.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match="the geometries have no coordinate system"):
        _as_areas(path)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Each format with 300 areas: long enough that a cut may fall between two of them."""
    folder = tmp_path_factory.mktemp("many")
    frame = gpd.GeoDataFrame(pd.concat([squares()] * 75, ignore_index=True), crs=3006)
    return {ending: _write_vector(frame, folder / f"areas{ending}") for ending in ENDINGS}


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=40)
@given(kept=st.floats(0, 0.9999))
def test_a_file_cut_anywhere_is_refused_and_never_read_in_part(many, ending, kept):
    # A GeoJSON lacking only white space or its last bracket may be read whole; never a part of it.
    whole = many[ending].read_bytes()
    cut = many[ending].with_name(f"cut{ending}")
    for other in (".shx", ".dbf", ".prj", ".cpg"):
        if ending == ".shp":
            shutil.copyfile(many[ending].with_suffix(other), cut.with_suffix(other))
    cut.write_bytes(whole[: int(kept * len(whole))])
    try:
        read = len(read_vector(cut))
    except GeoplanError:
        return
    assert (ending, read) == (".geojson", 300)


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=60)
@given(content=st.binary(max_size=300))
def test_rubbish_in_place_of_polygons_is_refused(tmp_path_factory, ending, content):
    path = tmp_path_factory.getbasetemp() / f"rubbish{ending}"
    path.write_bytes(content)
    with pytest.raises(GeoplanError):
        read_vector(path)


@settings(max_examples=40)
@given(place=st.integers(100, 98_000), rubbish=st.binary(min_size=1, max_size=64))
def test_a_geopackage_with_some_bytes_overwritten_is_read_or_refused(many, place, rubbish):
    content = bytearray(many[".gpkg"].read_bytes())
    content[place : place + len(rubbish)] = rubbish
    path = many[".gpkg"].with_name("broken.gpkg")
    path.write_bytes(content)
    try:
        read = len(read_vector(path))
    except GeoplanError:
        return
    assert read == 300


def test_the_formats_listed_are_the_ones_read():
    assert set(ENDINGS) <= set(formats())


# ---------------------------------------------------------------- tables

LAYER = {
    "kind": "indicators",
    "title": "Figures",
    "path": "x",
    "source": "s",
    "licence": "MIT",
    "vintage": "2012",
    "level": "stadsdel",
    "id_column": "område",
    "shape": "wide",
    "period": 2012,
}
INDICATORS = (
    {"id": "poor", "label": "P", "kind": "share", "unit": "pct", "direction": "higher_is_worse"}
    | {"numerator": "låg inkomst", "denominator": "folkmängd"},
    {"id": "income", "label": "I", "kind": "mean", "unit": "tkr", "direction": "higher_is_better"}
    | {"value": "medelinkomst", "denominator": "folkmängd"},
)
ROWS = [
    ("Ålsta", "100", "1000", "250.5"),
    ("Ärla Östra", "300", "2000", "210.25"),
    ("Ørby", "..", "3000", "1234.5"),
]
HEADER = ("område", "låg inkomst", "folkmängd", "medelinkomst")


def _layer(**changes):
    indicators = tuple(IndicatorSpec(**item) for item in INDICATORS)
    return IndicatorsLayer(**{**LAYER, "indicators": indicators, "missing_codes": {"..": "suppressed"}, **changes})


def _text(separator=",", *, decimal=".", quoted=False):
    mark = '"' if quoted else ""
    lines = [HEADER, *((*row[:3], row[3].replace(".", decimal)) for row in ROWS)]
    return "".join(separator.join(f"{mark}{cell}{mark}" for cell in line) + "\r\n" for line in lines)


def _workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def _number(text):
    return text if text == ".." else float(text)


def _write_xlsx(path):
    _workbook(path, [HEADER, *((row[0], *map(_number, row[1:])) for row in ROWS)])


def _write_parquet(path):
    pd.DataFrame(
        {
            "område": [row[0] for row in ROWS],
            "låg inkomst": [row[1] for row in ROWS],  # text, for the code of what is suppressed
            "folkmängd": [int(row[2]) for row in ROWS],
            "medelinkomst": [float(row[3]) for row in ROWS],
        }
    ).to_parquet(path)


FORMS = {
    "commas": ("a.csv", lambda p: p.write_bytes(_text().encode()), {}),
    "commas, quoted": ("a.csv", lambda p: p.write_bytes(_text(quoted=True).encode()), {}),
    "semicolons and decimal commas": (
        "a.csv",
        lambda p: p.write_bytes(_text(";", decimal=",").encode()),
        {"decimal": ","},
    ),
    "commas, quoted decimal commas": (
        "a.csv",
        lambda p: p.write_bytes(_text(decimal=",", quoted=True).encode()),
        {"decimal": ","},
    ),
    "tabs": ("a.tsv", lambda p: p.write_bytes(_text("\t").encode()), {}),
    "byte order mark": ("a.csv", lambda p: p.write_bytes(_text().encode("utf-8-sig")), {}),
    "Latin-1": ("a.txt", lambda p: p.write_bytes(_text(";").encode("latin-1")), {}),
    "UTF-16 from Excel": ("a.txt", lambda p: p.write_bytes(_text("\t").encode("utf-16")), {}),
    "old Macintosh line ends": ("a.csv", lambda p: p.write_bytes(_text().replace("\r\n", "\r").encode()), {}),
    "blank lines": ("a.csv", lambda p: p.write_bytes(_text().replace("\r\n", "\r\n\r\n").encode()), {}),
    "workbook": ("a.xlsx", _write_xlsx, {}),
    "workbook, decimal commas in its text": ("a.xlsx", _write_xlsx, {"decimal": ","}),
    "Parquet": ("a.parquet", _write_parquet, {}),
    "Parquet, decimal commas in its text": ("a.parquet", _write_parquet, {"decimal": ","}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_table_format_gives_the_same_indicators(form, tmp_path):
    name, write, changes = FORMS[form]
    write(tmp_path / name)
    table = as_indicators(read_table(tmp_path / name), _layer(**changes)).data
    expected = pd.DataFrame(
        [
            ("Ålsta", "income", None, 1000, 250.5, "observed"),
            ("Ålsta", "poor", 100, 1000, 10.0, "observed"),
            ("Ärla Östra", "income", None, 2000, 210.25, "observed"),
            ("Ärla Östra", "poor", 300, 2000, 15.0, "observed"),
            ("Ørby", "income", None, 3000, 1234.5, "observed"),
            ("Ørby", "poor", None, 3000, None, "suppressed"),
        ],
        columns=["area_id", "indicator", "numerator", "denominator", "value", "status"],
    )
    expected = expected.astype({"numerator": float, "denominator": float})
    found = table[[*expected.columns]]
    found = found.set_index(["area_id", "indicator"]).loc[list(zip(expected.area_id, expected.indicator, strict=True))]
    assert_frame_equal(found.reset_index(), expected, check_dtype=False)


def test_windows_dashes_and_quotation_marks_survive(tmp_path):
    (tmp_path / "a.csv").write_bytes("namn\nÖsterås–Västby ’norra’\n".encode("cp1252"))
    assert read_table(tmp_path / "a.csv")["namn"].tolist() == ["Österås–Västby ’norra’"]


def test_a_separator_inside_quotation_marks_belongs_to_the_value(tmp_path):
    (tmp_path / "a.csv").write_text('code,name\n0101,"Ålsta, norra"\n0102,"the ""old"" town"\n', encoding="utf-8")
    assert read_table(tmp_path / "a.csv")["name"].tolist() == ["Ålsta, norra", 'the "old" town']


def test_text_keeps_its_leading_zeros_and_an_empty_cell_is_empty_text(tmp_path):
    (tmp_path / "a.csv").write_text("code,n\n0101,\n0102,NA\n", encoding="utf-8")
    assert read_table(tmp_path / "a.csv").to_numpy().tolist() == [["0101", ""], ["0102", "NA"]]


def test_every_ragged_row_is_told_with_its_number(tmp_path):
    # Row 3 is blank and row 4 holds a line break: a spreadsheet counts both as one row.
    (tmp_path / "a.csv").write_text('code,n\n0101,1\n\n"01\n02",2\n0103,3,5\n0104\n', encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        read_table(tmp_path / "a.csv")
    hint = "Hint: a value that contains ',' must stand in quotation marks"
    assert str(caught.value).splitlines() == [
        f"row 5: the row has 3 values but the header has 2. {hint}",
        f"row 6: the row has 1 values but the header has 2. {hint}",
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_blank_rows_are_left_out_but_counted(name, tmp_path):
    rows = [["code", "n"], ["0101", "1"], [None, None], ["0102", "x"]]
    if name == "a.xlsx":
        _workbook(tmp_path / name, rows)
    else:
        (tmp_path / name).write_text("code,n\n0101,1\n\n0102,x\n", encoding="utf-8")
    assert read_table(tmp_path / name)["code"].to_dict() == {2: "0101", 4: "0102"}


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_rows(tmp_path):
    (tmp_path / "a.csv").write_text('code,name\n0101,"Ålsta\n0102,Ärla\n', encoding="utf-8")
    with pytest.raises(SourceError, match="the file cannot be read: line 3: unexpected end of data"):
        read_table(tmp_path / "a.csv")


def test_a_column_that_occurs_twice_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("code,n,n\n0101,1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="row 1: columns occur twice in the header: 'n'"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty: it has 0 bytes"),
        (" \n\n", "the file has no text. Expected: a header and rows"),
        ("code,n\n", "the table has no rows. Expected: at least one row below the header"),
    ],
)
def test_a_table_without_rows_is_refused(content, said, tmp_path):
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        read_table(tmp_path / "a.csv")


def test_a_declared_encoding_that_does_not_fit_is_told(tmp_path):
    (tmp_path / "a.csv").write_bytes("code\nÅ\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"the file is not utf-8 \(byte 5\). Hint: leave `encoding` out of the layer"):
        read_table(tmp_path / "a.csv", encoding="utf-8")


def test_a_sheet_that_is_not_in_the_workbook_is_named(tmp_path):
    _workbook(tmp_path / "a.xlsx", [["code"], ["0101"]])
    with pytest.raises(SpecError, match=r"key 'sheet': no sheet of the workbook is called 'Shet'\. Hint: did you mean"):
        read_table(tmp_path / "a.xlsx", sheet="Shet")


def test_zeros_that_excel_dropped_are_found_and_put_back_only_when_asked_for(tmp_path):
    # Excel turns a code such as 0180 into the number 180 as soon as the file is opened in it.
    _workbook(tmp_path / "a.xlsx", [HEADER, [101, 100, 1000, 250.5], [102, 300, 2000, 210.25]])
    frame = read_table(tmp_path / "a.xlsx")
    with pytest.raises(IdError) as caught:
        as_indicators(frame, _layer(id_width=4))
    assert str(caught.value) == (
        "row 2, column 'område': 2 area code(s) are shorter than 4 characters: '101', '102'. Expected: codes of 4 "
        "characters; their leading zeros are probably lost. Hint: export the column as text from the source; if you "
        "are sure, `id_pad = true` in the layer's TOML puts the zeros back"
    )
    padded = as_indicators(frame, _layer(id_width=4, id_pad=True))
    assert sorted(set(padded.data["area_id"])) == ["0101", "0102"]


def test_what_pandas_keeps_as_an_index_is_a_column_of_a_parquet_file(tmp_path):
    frame = pd.DataFrame({"value": [1.0, 2.0]}, index=pd.Index(["01", "02"], name="code"))
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table["code"].tolist() == ["01", "02"]
    assert table.index.tolist() == [2, 3]


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
@settings(max_examples=100)
@given(content=st.binary(max_size=200))
def test_rubbish_in_place_of_a_table_is_read_or_refused(tmp_path_factory, ending, content):
    path = tmp_path_factory.getbasetemp() / f"rubbish{ending}"
    path.write_bytes(content)
    try:
        read_table(path)
    except GeoplanError:
        return
    assert ending == ".csv"  # any bytes are a text; a workbook or a Parquet file is more


@settings(max_examples=100)
@given(content=st.text(alphabet='ab01,;"\n\r\t é', max_size=60), decimal=st.sampled_from(",."))
def test_a_text_of_any_shape_becomes_indicators_or_a_fault(tmp_path_factory, content, decimal):
    path = tmp_path_factory.getbasetemp() / "shape.csv"
    path.write_text(",".join(HEADER) + "\n" + content, encoding="utf-8", newline="")
    try:
        as_indicators(read_table(path), _layer(decimal=decimal))
    except GeoplanError:
        return


# ---------------------------------------------------------------- the catalogue


def test_a_path_may_take_an_environment_variable_with_a_default(project, monkeypatch):
    project.edit("layers/figures.toml", "../data", "${GEOPLAN_TEST_DATA:-../data}")
    catalogue = Catalogue(project.root)
    assert catalogue.layer("figures").path == project / project.figures
    monkeypatch.setenv("GEOPLAN_TEST_DATA", str(project / "elsewhere"))
    assert catalogue.layer("figures").path == project / "elsewhere/figures.csv"


def test_a_file_outside_the_project_is_shown_relative_to_it(project):
    project.edit("layers/figures.toml", "../data", "../../shared")
    dataset = Catalogue(project.root).layer("figures")
    assert (dataset.shown, dataset.toml) == ("../shared/figures.csv", "layers/figures.toml")


def test_a_right_checksum_lets_a_file_through(project):
    digest = sha256_of(project / project.figures)
    project.edit("layers/figures.toml", "id_width = 4", f'id_width = 4\nsha256 = "{digest}"')
    assert Catalogue(project.root).layer("figures").verified() == project / project.figures


def test_a_map_the_project_lacks_is_taken_from_the_shipped_ones(project):
    assert Catalogue(project.root).map("risk_index").value == "score"


def test_the_shipped_raster_is_sound_and_a_damaged_one_is_refused(tmp_path):
    whole = home() / "data/nordhamra_population_100m.tif"
    check_raster(whole, crs="EPSG:3006", band=1)
    with pytest.raises(InputError, match="the file is in EPSG:3006 but the layer declares EPSG:25832"):
        check_raster(whole, crs="EPSG:25832", band=1)
    with pytest.raises(SpecError, match=r"key 'band': the grid has 1 band\(s\). Expected: 1 to 1"):
        check_raster(whole, crs="EPSG:3006", band=2)
    content = whole.read_bytes()
    for kept in (100, len(content) // 2, len(content) - 50):
        (tmp_path / "cut.tif").write_bytes(content[:kept])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL tells of the damage in its own way besides
            with pytest.raises(SourceError, match="the file cannot be read"):
                check_raster(tmp_path / "cut.tif", crs="EPSG:3006", band=1)


def test_a_column_without_a_name_is_called_after_its_place_or_left_out_when_empty(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(",2022,\nNorr,4,\nSyd,5,\n", encoding="utf-8")
    assert read_table(path).to_dict("list") == {"column 1": ["Norr", "Syd"], "2022": ["4", "5"]}
