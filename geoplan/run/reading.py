"""Reading a finished run: why an area scores as it does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from geoplan import checks
from geoplan.errors import Fault, SourceError, SpecError
from geoplan.run.folder import INDEX_FILE, MANIFEST

__all__ = ["Explanation", "explain_run", "find_area", "read_folder"]


@dataclass(frozen=True)
class Explanation:
    """Why an area scores as it does.

    Attributes
    ----------
    area
        One value each: ``area_id, name, level, period, rank, score, gap, score_rest, rank_rest, population, status``
        and ``reason``.
    ranked
        How many areas have a rank.
    domains
        ``label``, ``relative`` (city = 100), ``above_city`` (points of the score's distance from 100).
    indicators
        ``label, unit, unit_label, value, denominator, children, minimum, maximum, spread, city, relative,
        contribution, above_city, status``; ``children`` to ``spread`` tell of the smallest areas behind the figure;
        what lifts the score most above the city comes first.
    manifest
        The run's manifest.
    strengths, weaknesses
        Labels of the indicators in which the area clearly differs from the city, at most three each; None where
        nothing of it can be compared, and of a run of an older version, which does not say.
    """

    area: dict[str, Any]
    ranked: int
    domains: pd.DataFrame
    indicators: pd.DataFrame
    manifest: dict[str, Any]
    strengths: tuple[str, ...] | None
    weaknesses: tuple[str, ...] | None


def explain_run(folder: Path, area: str) -> Explanation:
    """Explain an area of a finished run.

    Parameters
    ----------
    folder
        A run folder.
    area
        The area's code, or its name in any case.

    Raises
    ------
    SourceError
        When the folder holds no run.
    SpecError
        When no area, or more than one, is called so.

    Examples
    --------
    >>> import tempfile
    >>> from geoplan.run import open_run, write_run
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = write_run(open_run("scenarios/fjordbo.toml"), Path(place) / "fjordbo")
    ...     explain_run(folder, "rylekrogen").area["area_id"]
    'FB-06'
    """
    manifest, table = read_folder(folder)
    scores = table[table["component"] == "index"].set_index("area_id")
    own = table[table["area_id"] == find_area(scores, area)]
    head = own[own["component"] == "index"].iloc[0].rename({"value": "score"})
    indicators = own[own["component"] == "indicator"].sort_values("above_city", ascending=False, na_position="last")
    domains = own[own["component"] == "domain"].set_index("id")[["label", "relative"]]
    domains["above_city"] = indicators.groupby("domain")["above_city"].sum(min_count=1)
    keys = ["area_id", "name", "level", "period", "rank", "score", "gap", "score_rest", "rank_rest", "population"]
    columns = [
        "label",
        "unit",
        "unit_label",
        "value",
        "denominator",
        "children",
        "minimum",
        "maximum",
        "spread",
        "city",
        "relative",
        "contribution",
        "above_city",
        "status",
        "source",
        "method",
        "reason",
    ]
    wanted = ("rank_low", "rank_high", "p_top", "p_above", "class", "rule", "decision", "because", "nearest",
              "p_designated")  # fmt: skip
    told = [name for name in wanted if name in head]
    return Explanation(
        area={name: _plain(head[name]) for name in (*keys, *told, "status", "reason")},
        ranked=int(scores["rank"].notna().sum()),
        domains=domains.sort_values("above_city", ascending=False).reset_index(drop=True),
        indicators=indicators.reindex(columns=columns).reset_index(drop=True),  # an older run lacks some
        manifest=manifest,
        strengths=_named(own, "strength"),
        weaknesses=_named(own, "weakness"),
    )


def _named(own: pd.DataFrame, kind: str) -> tuple[str, ...] | None:
    """Return the labels of what an area is named for; None where nothing of it is compared."""
    if "profile_clear" not in own or own["profile_clear"].isna().all():
        return None
    rows = own[(own["profile_kind"] == kind) & own["profile_named"].notna()]
    return tuple(rows.sort_values("profile_named")["label"])


def read_folder(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """Read a run's manifest and its table of scores and figures.

    Raises
    ------
    SourceError
        When the folder holds no run.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        table = pd.read_parquet(folder / INDEX_FILE)
    except (OSError, ValueError) as error:
        hint = "make one with `geoplan run scenarios/baseline.toml`"
        raise SourceError(Fault(what="this folder holds no run of geoplan", file=str(folder), hint=hint)) from error
    return manifest, table


def _plain(value: Any) -> Any:
    """Return a cell as Python's own text, number or None."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    return int(value) if float(value).is_integer() and not isinstance(value, float) else float(value)


def find_area(scores: pd.DataFrame, area: str) -> str:
    """Return the code of an area that is called by its code, or by its name in any case.

    Raises
    ------
    SpecError
        When no area, or more than one, is called so.
    """
    if area in scores.index:
        return area
    same = scores.index[scores["name"].str.casefold() == area.casefold()]
    if len(same) > 1:
        what = f"{len(same)} areas are called '{area}'"
        raise SpecError(Fault(what=what, hint=f"give the code: {checks.listed(same)}"))
    if same.empty:
        raise checks.unknown_name("area of the run", area, [*scores.index, *scores["name"]])
    return str(same[0])
