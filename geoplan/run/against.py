"""One finished run against another: which areas moved, by how many places, and because of what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from geoplan.errors import Fault, Faults, SourceError, SpecError
from geoplan.risk.certificate import Certificate
from geoplan.risk.comparison import Comparison, basis_of, compare_bases
from geoplan.risk.switching import CAUSES, Basis
from geoplan.run.reading import find_area, read_folder
from geoplan.specs import IndexSpec, IndicatorSpec

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = ["Against", "Block", "compare_runs", "stored_conventions", "stored_figures"]

_KEY = "index"
_USED = ["used", "imputed", "used_in_base_year"]
_MOST = 10
#: Headings of the certificate that tell what came out, or repeat in words what another one says.
_NOT_TOLD = {
    "contributions", "domain weight sum", "excluded", "formula", "ranked", "reference coverage", "reference gaps",
    "rest of city", "same everywhere", "source", "too small bases",
}  # fmt: skip
_MAKE_AGAIN = "make the run again with `geoplan run`, which writes down what a comparison needs"


# ---------------------------------------------------------------- what a run stores


def stored_conventions(run: Run) -> dict[str, Any]:
    """Return what the manifest says of the index, so that its ranks can be made again; of a public run nothing."""
    if run.spec.profile == "public":
        return {}
    kinds = {
        name: run.indicators().definitions[name].model_dump(include={"kind", "unit", "direction"})
        for name in run.spec.index.indicators
    }
    return {_KEY: {"spec": run.spec.index.model_dump(mode="json"), "definitions": kinds}}


def stored_figures(run: Run) -> pd.DataFrame:
    """Return the figures as they entered the index, by ``area_id, id``; of a public run none.

    Returns
    -------
    pandas.DataFrame
        ``used`` (the figure; NaN where it is missing or its base too small), ``imputed`` (what was filled in then) and
        ``used_in_base_year``, all in the indicators' units.
    """
    names = list(run.spec.index.indicators)
    empty = pd.DataFrame(np.nan, index=run.areas().index.rename("area_id"), columns=pd.Index(names, name="id"))
    tables = dict.fromkeys(_USED, empty)
    if run.spec.profile == "internal":
        basis = basis_of(run.index(), run.indicators())
        found = (basis.usable, basis.imputed, basis.base_values)
        tables |= {name: table for name, table in zip(_USED, found, strict=True) if table is not None}
    long = {
        name: table.rename_axis(index="area_id", columns="id").stack(future_stack=True)
        for name, table in tables.items()
    }
    return pd.DataFrame(long)


def _basis(folder: Path, manifest: Mapping[str, Any], table: pd.DataFrame) -> Basis:
    """Read from a run's files what its ranks stand on.

    Raises
    ------
    SourceError
        When the run is a public one, or an older one that does not say it.
    """
    if manifest.get("profile") == "public":
        what = "this run is for the public: what is hidden in it is part of the ranks, and no file says it"
        hint = "compare the internal runs, made with --profile internal"
        raise SourceError(Fault(what=what, file=str(folder), hint=hint))
    rows = table[table["component"] == "indicator"]
    try:
        spec = IndexSpec.model_validate(manifest[_KEY]["spec"])
        certificate = Certificate(**manifest["certificate"])
        definitions = {
            name: IndicatorSpec.model_validate({"id": name, "label": name, **item})
            for name, item in manifest[_KEY]["definitions"].items()
        }
        used, imputed, based, bases = (
            rows.pivot(index="area_id", columns="id", values=name)[list(spec.indicators)].astype(float)
            for name in (*_USED, "denominator")
        )
        city = rows.groupby("id")["city"].first().astype(float).reindex(list(spec.indicators))
    except (LookupError, TypeError, ValueError, ValidationError) as error:
        what = "this run was made by another version of geoplan, and does not say what a comparison needs"
        raise SourceError(Fault(what=what, file=str(folder), hint=_MAKE_AGAIN)) from error
    ranking = (
        _scores_of(table).rename(columns={"value": "score"}).sort_index()[["rank", "score", "reason", "population"]]
    )
    people = ranking["population"].astype(float)
    everyone = pd.Series(data=True, index=ranking.index)
    return Basis(
        spec=spec,
        certificate=certificate,
        ranking=ranking[["rank", "score"]].assign(
            rank=ranking["rank"].astype("Int64"), reason=ranking["reason"].fillna("")
        ),
        usable=used,
        bases=bases,
        imputed=imputed,
        eligible=people >= max(spec.minimum_population, 1) if people.notna().any() else everyone,
        city=city,
        base_values=based if spec.base not in {None, certificate.period} else None,
        definitions=definitions,
    )


def _scores_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the index itself, one an area."""
    return table[table["component"] == "index"].set_index("area_id")


# ---------------------------------------------------------------- what is said of it


@dataclass(frozen=True)
class Block:
    """A table to print: headings, rows of texts, and how many of its columns are texts."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int


@dataclass(frozen=True)
class Against:
    """A run against an earlier one, or against another of the same areas.

    Attributes
    ----------
    before, after
        Folder, title and period of each, as ``folder, title, period``.
    level
        The level of the areas.
    area
        The code of the area asked for; None for all.
    names
        Area → its name.
    comparison
        What differs, and what it did.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    level: str
    area: str | None
    names: Mapping[str, str]
    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values: of the area asked for, or of all."""
        found = self.comparison
        codes = list(found.areas.index) if self.area is None else [self.area]
        areas = []
        for code in codes:
            row = {name: _plain(value) for name, value in found.areas.loc[code].items()}
            told = {"area_id": code, "name": self.names[code], **row, "causes": _known(found.causes.loc[code])}
            if found.scores is not None:
                told["score_causes"] = _known(found.scores.loc[code])
            areas.append(told)
        return {
            "before": dict(self.before),
            "after": dict(self.after),
            "level": self.level,
            "conventions": found.conventions.to_dict("records"),
            "ranked_in_both": found.both,
            "moved": found.moved,
            "rank_correlation": _plain(found.correlation),
            "joined": list(found.joined),
            "areas": areas,
        }

    def blocks(self) -> Iterator[str | Block]:
        """Say it in sentences and tables, in the order they are printed."""
        for name, head in (("before", self.before), ("after", self.after)):
            yield f"{name + ':':<8}{head['title']}, {head['period']} ({head['folder']})"
        if self.area is not None:
            yield from self._of_area(self.area)
        yield from self._of_conventions()
        yield from self._of_all()

    def _of_area(self, code: str) -> Iterator[str | Block]:
        row, found = self.comparison.areas.loc[code], self.comparison
        yield ""
        yield f"{self.names[code]} ({code}), {self.level}"
        if pd.isna(row["shift"]):
            yield f"{_placed(row, 'before')} before, {_placed(row, 'after')} after: nothing to compare."
            return
        score = f"score {row['score_before']:,.1f} before, {row['score_after']:,.1f} after"
        score += "" if found.scores is not None else ", on another scale"
        yield f"Rank {row['rank_before']} before, {row['rank_after']} after: {_steps(int(row['shift']))}; {score}."
        ranks = found.causes.loc[code].dropna()
        if ranks.empty:
            return
        points = None if found.scores is None else found.scores.loc[code]
        rows = [
            (name, _meaning(name), _signed(value), *([] if points is None else [_signed(points[name])]))
            for name, value in ranks.items()
        ]
        total = ("together", "", _signed(float(row["shift"])))
        whole = row["score_after"] - row["score_before"]
        yield ""
        yield Block(
            ("cause", "", "places", *([] if points is None else ["score"])),
            (*rows, (*total, *([] if points is None else [_signed(whole)]))),
            left=2,
        )
        yield (
            "places: what it moved the rank by, - towards rank 1 (the highest risk); the mean over all orders in "
            "which the causes can be switched from before to after, so that they add up."
        )
        yield from (_why_joined(name) for name in found.joined if name in ranks.index)

    def _of_conventions(self) -> Iterator[str | Block]:
        table = self.comparison.conventions
        told = table[~table["convention"].isin(_NOT_TOLD)]
        own_base = (told["before"] == self.before["period"]) & (told["after"] == self.after["period"])
        told = told[(told["convention"] != "base") | ~own_base]  # each year's own city, as goes without saying
        yield ""
        if told.empty:
            yield "Both have the same conventions."
            return
        rows = []
        for (convention, before, after), group in told.groupby(["convention", "before", "after"], sort=False):
            of = [name for name in group["of"] if name]
            rows.append((f"{convention}: {_few(of)}" if of else convention, before, after))
        yield Block(("conventions that differ", "before", "after"), tuple(rows), left=3)

    def _of_all(self) -> Iterator[str | Block]:
        found = self.comparison
        only = {
            name: int((found.areas[f"rank_{name}"].notna() & found.areas["shift"].isna()).sum())
            for name in ("before", "after")
        }
        yield ""
        if not found.both:
            yield "No area is ranked in both."
            return
        together = "" if math.isnan(found.correlation) else f"; Spearman's rank correlation {found.correlation:.3f}"
        yield f"{found.moved} of the {found.both} areas ranked in both changed their rank{together}."
        yield from (f"Ranked {name} only: {number}." for name, number in only.items() if number)
        movers = found.areas[found.areas["shift"].fillna(0) != 0]
        if movers.empty:
            return
        order = movers["shift"].abs().sort_values(ascending=False, kind="stable").index
        main = found.main
        rows = []
        for code in order[:_MOST]:
            row, cause = movers.loc[code], main[code]
            share = f"{cause} ({_signed(found.causes.loc[code, cause])})" if cause else ""
            ranks = (f"{row['rank_before']}", f"{row['rank_after']}", _signed(float(row["shift"])))
            rows.append((self.names[code], code, share, *ranks))
        yield Block(("largest moves", "code", "main cause", "before", "after", "places"), tuple(rows), left=3)
        if len(order) > _MOST:
            yield f"… and {len(order) - _MOST} more; --json has them all."
        if self.area is None:
            yield "places: - towards rank 1 (the highest risk); in brackets what the main cause moved the area by."
            yield from (_why_joined(name) for name in found.joined)


def _placed(row: pd.Series, when: str) -> str:
    if pd.notna(row[f"rank_{when}"]):
        return f"Rank {row[f'rank_{when}']}"
    reason = str(row[f"reason_{when}"])
    return "Not in the run" if reason == "not_in_run" else f"No rank ({reason})"


def _steps(shift: int) -> str:
    if shift == 0:
        return "the same place"
    side = "towards" if shift < 0 else "away from"
    return f"{abs(shift)} place{'s' if abs(shift) > 1 else ''} {side} rank 1"


def _meaning(cause: str) -> str:
    return CAUSES.get(cause, "")


def _why_joined(cause: str) -> str:
    return f"{cause} are told together: with one of them alone there would be no index, or no score of the area."


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"  # noqa: PLR2004  what a line holds


def _signed(value: float) -> str:
    """Write places and points with their sign; whole numbers without decimals."""
    rounded = round(value, 1)
    if rounded == 0:
        return "0"
    return f"{rounded:+,.0f}" if rounded == round(rounded) and abs(value - rounded) < 1e-9 else f"{rounded:+,.1f}"  # noqa: PLR2004  but for arithmetic


def _plain(value: Any) -> Any:
    """Return a cell as JSON holds it."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    return float(value) if isinstance(value, float) else int(value)


def _known(row: pd.Series) -> dict[str, float]:
    return {str(name): float(value) for name, value in row.dropna().items()}


# ---------------------------------------------------------------- two folders


def compare_runs(folder: Path, against: Path, area: str | None = None) -> Against:
    """Compare a finished run with another, of the same areas.

    Parameters
    ----------
    folder
        A run folder: what is after.
    against
        Another: what was before.
    area
        An area's code, or its name in any case; all when left out.

    Raises
    ------
    SourceError
        When a folder holds no run, one for the public, or one of an older version without what is needed.
    SpecError
        When the runs are of different levels, have no area in common, or no area is called so.

    Examples
    --------
    >>> import tempfile
    >>> from geoplan.run import open_run, write_run
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = write_run(open_run("scenarios/fjordbo.toml"), Path(place) / "fjordbo")
    ...     compare_runs(folder, folder).comparison.moved
    0
    """
    faults, read = Faults(), {}
    for name, place in (("after", folder), ("before", against)):
        with faults.catch():
            manifest, table = read_folder(place)
            read[name] = (place, manifest, table, _basis(place, manifest, table))
    faults.raise_any()
    levels = {name: str(item[2]["level"].iloc[0]) for name, item in read.items()}
    if levels["before"] != levels["after"]:
        what = f"the one run ranks areas of level '{levels['after']}', the other of level '{levels['before']}'"
        raise SpecError(Fault(what=what, file=str(against), expected="two runs of the same level"))
    scores = pd.concat([_scores_of(read[name][2]) for name in ("after", "before")])
    scores = scores[~scores.index.duplicated()]
    code = None if area is None else find_area(scores, area)
    found = compare_bases(read["before"][3], read["after"][3])
    return Against(
        before=_head(*read["before"][:2]),
        after=_head(*read["after"][:2]),
        level=levels["after"],
        area=code,
        names=scores["name"].to_dict(),
        comparison=found,
    )


def _head(folder: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    scenario, certificate = manifest["scenario"], manifest["certificate"]
    return {"folder": str(folder), "title": scenario["title"], "period": certificate["period"]}
