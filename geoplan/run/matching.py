"""Joining by name: tables whose rows are keyed by what areas are called, and the report of one such join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, Faults, IdError, SpecError
from geoplan.places import NameMatch, as_aliases, as_names, match_names, name_labels
from geoplan.places.tidy import total_rows
from geoplan.run.folder import atomic_file
from geoplan.show import write_csv
from geoplan.sources import Catalogue, Dataset, read_table, read_vector
from geoplan.specs import AliasesLayer, AreasLayer, IndicatorsLayer, MembershipLayer

__all__ = [
    "layer_of_kind",
    "match_table",
    "read_aliases",
    "read_names",
    "siblings",
    "with_child_and_parent_codes",
    "with_codes",
    "write_matches",
]

KindT = TypeVar("KindT")


def layer_of_kind(
    catalogue: Catalogue, name: str, kind: type[KindT] | tuple[type[KindT], ...], *, key: str
) -> tuple[Dataset, KindT]:
    """Return a dataset and its spec, which must be of a kind, or one of several; ``key`` is what named it.

    Raises
    ------
    SpecError
        When there is no such layer, or it is of another kind.
    """
    dataset = catalogue.layer(name, key=key)
    if not isinstance(dataset.spec, kind):
        what = f"the layer '{name}' is of kind '{dataset.spec.kind}'"
        kinds = kind if isinstance(kind, tuple) else (kind,)
        named = " or ".join(f"'{one.__name__.removesuffix('Layer').lower()}'" for one in kinds)
        expected = f"a layer of kind {named}"
        raise SpecError(Fault(what=what, key=key, expected=expected))
    return dataset, dataset.spec


def siblings(dataset: Dataset) -> list[Dataset]:
    """Return the layers that a table of names is read with: those whose areas it names, and those of aliases.

    Raises
    ------
    SpecError
        When there is no such layer, or it is of another kind.
    """
    spec = dataset.spec
    wanted: list[tuple[str, str | None, type[AreasLayer | AliasesLayer]]] = []
    if isinstance(spec, IndicatorsLayer):
        wanted = [("match_layer", spec.match_layer, AreasLayer)]
        wanted += [("aliases", name, AliasesLayer) for name in spec.aliases]
    elif isinstance(spec, MembershipLayer):
        wanted = [("child_match_layer", spec.child_match_layer, AreasLayer)]
        wanted += [("parent_match_layer", spec.parent_match_layer, AreasLayer)]
    return [layer_of_kind(dataset.catalogue, name, kind, key=key)[0] for key, name, kind in wanted if name]


# ---------------------------------------------------------------- layers


def read_names(dataset: Dataset) -> pd.DataFrame:
    """Read what the areas of a layer are called: index ``area_id``, ``name``, and ``municipality`` where it says so."""
    spec = dataset.spec
    assert isinstance(spec, AreasLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        return as_names(
            read_vector(dataset.verified(), spec.layer),
            id_column=spec.id_column,
            name_column=spec.name_column,
            municipality_column=spec.municipality_column,
            id_width=spec.id_width,
            id_pad=spec.id_pad,
            where=spec.where,
        )


def read_aliases(dataset: Dataset) -> pd.DataFrame:
    """Read and check a layer of aliases, against its areas where it names them; a column ``file`` says where from."""
    spec = dataset.spec
    assert isinstance(spec, AliasesLayer)  # noqa: S101  the caller asked the catalogue for this kind
    with Faults.located_at(dataset.shown, toml=dataset.toml):
        table = as_aliases(
            read_table(dataset.verified(), sheet=spec.sheet, separator=spec.separator, encoding=spec.encoding),
            name_column=spec.name_column,
            known_as_column=spec.known_as_column,
            municipality_column=spec.municipality_column,
            from_column=spec.from_column,
            until_column=spec.until_column,
        )
        if spec.match_layer:
            areas, _ = layer_of_kind(dataset.catalogue, spec.match_layer, AreasLayer, key="match_layer")
            name_labels(read_names(areas), table)
    return table.assign(file=dataset.shown)


def _aliases(catalogue: Catalogue, names: Sequence[str]) -> pd.DataFrame | None:
    """Read several layers of aliases, all their faults at once."""
    faults, tables = Faults(), []
    for name in names:
        with faults.catch():
            tables.append(read_aliases(layer_of_kind(catalogue, name, AliasesLayer, key="aliases")[0]))
    faults.raise_any()
    return pd.concat(tables) if tables else None


# ---------------------------------------------------------------- tables


def with_codes(dataset: Dataset, frame: pd.DataFrame) -> tuple[pd.DataFrame, NameMatch | None]:
    """Put codes in the place of names, where a table of indicators is keyed by names.

    A name that no area has stays as it is, so that the join with the areas lists it; so does the code of a row of
    totals, which is no name.

    Raises
    ------
    InputError
        When a column or layer is absent, the layer is of another level, a name is ambiguous, a wide table has two rows
        for an area, or no name finds an area.
    """
    spec = dataset.spec
    assert isinstance(spec, IndicatorsLayer)  # noqa: S101  the caller asked the catalogue for this kind
    if spec.match_layer is None:
        return frame, None
    areas, layer = layer_of_kind(dataset.catalogue, spec.match_layer, AreasLayer, key="match_layer")
    if layer.level != spec.level:
        what = f"the layer '{areas.id}' is of level '{layer.level}', the table of '{spec.level}'"
        raise SpecError(Fault(what=what, key="match_layer", expected="the layer whose names the table has"))
    _must_have(frame, {"id_column": spec.id_column, "municipality_column": spec.municipality_column})
    named = frame[~total_rows(frame, spec)]
    match = match_names(
        named[spec.id_column],
        read_names(areas),
        municipality=named[spec.municipality_column] if spec.municipality_column else None,
        aliases=_aliases(dataset.catalogue, spec.aliases),
        on=named.get("period") if spec.shape == "tidy" else pd.Series(spec.period, index=named.index),
    )
    faults = match.faults(unmatched=False, once=spec.shape == "wide")
    if faults:
        raise IdError(faults)
    if match.matched.empty:
        raise checks.names_match_nothing(list(match.unmatched["name"]), list(match.areas))
    codes = match.codes.fillna(match.table["name"]).reindex(frame.index).fillna(frame[spec.id_column])
    return frame.assign(**{spec.id_column: codes}), match


def with_child_and_parent_codes(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Put codes in the place of names, where a membership table is keyed by names.

    Raises
    ------
    InputError
        With every name that no area has, or several.
    """
    spec = dataset.spec
    assert isinstance(spec, MembershipLayer)  # noqa: S101  the caller asked the catalogue for this kind
    faults = Faults()
    for key, column, name in (
        ("child_match_layer", spec.child_column, spec.child_match_layer),
        ("parent_match_layer", spec.parent_column, spec.parent_match_layer),
    ):
        with faults.catch():
            if name:
                _must_have(frame, {key.replace("match_layer", "column"): column})
                areas, _ = layer_of_kind(dataset.catalogue, name, AreasLayer, key=key)
                codes = match_names(frame[column], read_names(areas)).codes_or_raise(once=False)
                frame = frame.assign(**{column: codes})
    faults.raise_any()
    return frame


def _must_have(frame: pd.DataFrame, columns: Mapping[str, str | None]) -> None:
    faults = Faults()
    for key, name in columns.items():
        if name is not None:
            for error in checks.absent_columns({name} - set(frame.columns), list(frame.columns), key=key):
                faults.add(error)
    faults.raise_any()


# ---------------------------------------------------------------- one join, at the command line


def match_table(
    root: Path,
    table: Path,
    layer: str,
    *,
    column: str,
    municipality: str | None = None,
    aliases: Sequence[str] = (),
    on: str | None = None,
    name_column: str | None = None,
    id_column: str | None = None,
) -> NameMatch:
    """Find the areas that the names of a table mean.

    Parameters
    ----------
    root
        The project whose layers are meant.
    table
        A text file or workbook.
    layer
        An areas layer of the project, or a file of polygons with a ``name_column``.
    column, municipality
        The table's columns of names and of municipalities.
    aliases
        Aliases layers of the project.
    on
        The year or date the names are meant in.
    name_column, id_column
        The columns of a file of polygons; the names serve as codes when there are none.

    Raises
    ------
    InputError
        When a file, layer or column is absent or faulty.

    Examples
    --------
    >>> from geoplan.sources import home
    >>> table = home() / "data" / "nordhamra_programme_names.csv"
    >>> match = match_table(home(), table, "nordhamra_stadsdelar", column="stadsdel", aliases=["nordhamra_aliases"])
    >>> match.lines()[0]
    '15 of 15 names find an area'
    """
    catalogue = Catalogue(root.resolve())
    places = _places(catalogue, layer, name_column, id_column)
    known = _aliases(catalogue, aliases)
    with Faults.located_at(str(table)):
        frame = read_table(table)
        _must_have(frame, {"--column": column, "--municipality": municipality})
        return match_names(
            frame[column], places, municipality=frame[municipality] if municipality else None, aliases=known, on=on
        )


def _places(catalogue: Catalogue, layer: str, name_column: str | None, id_column: str | None) -> pd.DataFrame:
    """Return what the areas of a layer of the project, or of a file, are called."""
    if layer in catalogue.names("layers") or not Path(layer).is_file():
        return read_names(layer_of_kind(catalogue, layer, AreasLayer, key="LAYER")[0])
    if name_column is None:
        expected = "the column that holds the names"
        raise SpecError(Fault(what="the key is missing", file=layer, key="--name-column", expected=expected))
    with Faults.located_at(layer):
        return as_names(read_vector(Path(layer)), id_column=id_column or name_column, name_column=name_column)


def write_matches(match: NameMatch, path: Path) -> None:
    """Write one row a row of the table: ``row, name, municipality, area_id, area, how, suggestions``; all or nothing.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    table = match.table.reset_index()
    table["suggestions"] = table["suggestions"].map("; ".join)
    with atomic_file(path) as target:
        write_csv(target, table[["row", "name", "municipality", "area_id", "area", "how", "suggestions"]])
