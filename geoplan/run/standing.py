"""Where each area of a run stands: its strengths and weaknesses, and its score beside its neighbours and the city's.

Everything is made from the figures that the run shows; what the city has together is what the scores are relative to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geoplan.places import IndicatorTable
from geoplan.risk import contrast_scores, neighbours, profile
from geoplan.risk.inputs import at_period, city_values
from geoplan.run.ranking import ranking_table, score_decimals
from geoplan.show import Sheet, format_number, texts

if TYPE_CHECKING:
    from geoplan.run.story import Run

__all__ = [
    "Standing",
    "named_sides",
    "shown_sides",
    "standing_notes",
    "standing_of",
    "standing_sheet",
    "stored_profile",
]

_MOST, _GAP = 3, 10.0  # of each named; points from the city
# Every indicator of every area is looked at. On a town of 120 small areas that are all alike 0.95 would name 70 sides,
# of which none is one; 0.99 names 17, and in the sample, whose areas do differ, 277.
_SURE = 0.99
_NOT_COMPARABLE = "not comparable"
_SIDES = {"strength": "strengths", "weakness": "weaknesses"}


@dataclass(frozen=True)
class Standing:
    """Where each area of a run stands.

    Attributes
    ----------
    profile
        A row an area and indicator of the index, as :func:`~geoplan.risk.profile` has it, and ``named``
        (Int64: 1 to 3, the area's chief strengths or weaknesses among those that are clear). Of an area too small to be
        ranked nothing is compared (``reason`` is ``small_population``).
    scores
        As :func:`~geoplan.risk.contrast_scores` has it; ``clear`` is known where the scenario draws how sure ranks are.
    weighted
        Whether means of scores are weighted by residents; all count the same where residents are not known.
    """

    profile: pd.DataFrame
    scores: pd.DataFrame
    weighted: bool


def standing_of(run: Run, table: IndicatorTable) -> Standing:
    """Compare a run's areas with their neighbours and the city.

    Parameters
    ----------
    run
        The run.
    table
        The figures that its index is made from; only what they have together is taken from them, where the index
        itself is relative to another year.
    """
    result, sure = run.index(), run.uncertainty()
    scored = result.ranking["population"].reindex(result.score.dropna().index)
    weighted = bool((scored > 0).all())
    scores = contrast_scores(
        result.score,
        neighbours(run.areas()).pairs,
        result.ranking["population"] if weighted else None,
        reference_ids=run.reference_members(),
        draws=None if sure is None else pd.DataFrame(sure.scores, sure.table.index),
        level=0.9 if sure is None else sure.level,
    )
    return Standing(_profile(run, table), scores, weighted)


def _profile(run: Run, table: IndicatorTable) -> pd.DataFrame:
    shown, spec, result = run.indicators(), run.spec, run.index()
    turned = {
        name: item.model_copy(update={"direction": spec.index.directions.get(name, item.direction)})
        for name, item in shown.definitions.items()
    }
    city = result.reference
    if spec.index.base not in {None, spec.period}:
        members = pd.Index(run.reference_members())
        city = city_values(at_period(table, spec.period), spec.index, members, spec.period, counted=True)
    found = profile(
        IndicatorTable(shown.data, turned),
        period=spec.period,
        area_ids=run.areas().index,
        reference_ids=run.reference_members(),
        city=city,
        indicators=list(spec.index.indicators),
        favourable="reciprocal" if spec.index.favourable == "reciprocal" else "complement",
        level=_SURE,
        minimum_gap=_GAP,
    )
    reason = result.ranking["reason"]
    small = found["area_id"].isin(reason.index[reason == "small_population"])
    found["kind"] = found["kind"].mask(small, _NOT_COMPARABLE)
    found["reason"] = found["reason"].mask(small, "small_population")
    found["clear"] = found["clear"].mask(small)
    # A figure without counts may differ by chance alone; it is compared, and not named.
    clear = found[found["clear"].fillna(value=False) & found["kind"].isin(list(_SIDES))]
    # The rule of `strengths`, for all areas at once.
    far = clear["relative"].where(clear["kind"] == "strength", -clear["relative"])
    order = clear.assign(far=far).sort_values(["area_id", "kind", "far"], kind="stable")
    place = order.groupby(["area_id", "kind"]).cumcount() + 1
    return found.assign(named=place[place <= _MOST].reindex(found.index).astype("Int64"))


def stored_profile(run: Run) -> pd.DataFrame:
    """Return what the analysis table keeps of the profile, by ``area_id, id``.

    Returns
    -------
    pandas.DataFrame
        ``profile_kind`` (``strength``, ``as the city``, ``weakness`` or ``not comparable``), ``profile_clear``
        (boolean: the difference exceeds its noise) and ``profile_named`` (Int64: the place among those that are named).
    """
    found = run.standing().profile.rename(columns={"indicator": "id"}).set_index(["area_id", "id"])
    return found[["kind", "clear", "named"]].add_prefix("profile_")


def named_sides(run: Run) -> pd.DataFrame:
    """Return each area's strengths and weaknesses in words.

    Returns
    -------
    pandas.DataFrame
        Index ``area_id``; ``strengths`` and ``weaknesses`` (labels, or that none is clear; empty where nothing is
        compared) and ``reason`` (why nothing is compared: ``small_population``, ``figures_not_known`` or
        ``figures_without_noise``; else empty).
    """
    language, words = run.spec.language, texts(run.spec.language)
    rows = run.standing().profile
    labels = {name: item.label.to(language) for name, item in run.indicators().definitions.items()}
    areas = run.areas().index
    by = rows.groupby("area_id")
    small = (rows["reason"] == "small_population").groupby(rows["area_id"]).any().reindex(areas, fill_value=False)
    none = by["kind"].agg(lambda kinds: (kinds == _NOT_COMPARABLE).all()).reindex(areas, fill_value=True)
    unsure = by["clear"].agg(lambda clear: clear.isna().all()).reindex(areas, fill_value=True)
    reason = pd.Series("", index=areas, dtype=object).mask(unsure.astype(bool), "figures_without_noise")
    reason = reason.mask(none.astype(bool), "figures_not_known").mask(small.astype(bool), "small_population")
    told = {}
    for kind, column in _SIDES.items():
        own = rows[(rows["kind"] == kind) & rows["named"].notna()].sort_values(["area_id", "named"])
        said = own["indicator"].map(labels).groupby(own["area_id"]).agg("; ".join).reindex(areas)
        told[column] = said.fillna(words["none_clear"]).where(reason == "", "")
    return pd.DataFrame({**told, "reason": reason}, index=areas)


def shown_sides(run: Run) -> pd.DataFrame:
    """Return ``strengths`` and ``weaknesses`` in words; where nothing is compared, why not stands in their place."""
    found, unranked = named_sides(run), ranking_table(run).set_index("area_id")["reason"]
    words = texts(run.spec.language).contrasts
    why = pd.Series(
        [
            unranked[area] if name == "small_population" else words.get(name, "")
            for area, name in found["reason"].items()
        ],
        index=found.index,
        dtype=object,
    )
    return found[list(_SIDES.values())].where(found["reason"] == "", why, axis=0)


# ---------------------------------------------------------------- the workbook


def standing_sheet(run: Run) -> Sheet:
    """Return the sheet of strengths, weaknesses and neighbours, one row an area, in the order of the ranked list."""
    words, found = texts(run.spec.language), run.standing()
    ranking = ranking_table(run).set_index("area_id")
    sides, scores = named_sides(run).reindex(ranking.index), found.scores.reindex(ranking.index)
    table = ranking[["name"]].join(sides[["strengths", "weaknesses"]])
    table["population"] = ranking["population"]
    plain = ["score", "neighbours", "neighbours_score", "difference", "clear", "rest_score", "difference_rest"]
    table = table.join(scores[[*plain, "clear_rest"]])
    answers = {True: words.verdicts["yes"], False: words.verdicts["no"]}
    for side, suffix in (("difference", ""), ("difference_rest", "_rest")):
        clear = scores[f"clear{suffix}"].astype(object).map(answers).fillna(words.verdicts["unknown"])
        table[f"clear{suffix}"] = clear.where(scores[side].notna(), "")
    table["why_uncompared"] = _why(run, sides["reason"], scores, ranking["reason"])
    table = table.assign(period=run.spec.period, source=run.sources()).reset_index()
    points = ["score", "neighbours_score", "difference", "rest_score", "difference_rest"]
    return Sheet(
        words["profile_sheet"],
        table,
        words.words,
        {**dict.fromkeys(points, score_decimals(run.spec.index)), "population": 0, "neighbours": 0},
        frozen=2,
        widths=(10, 22, 46, 46),
        printed=len(table.columns) - 2,
        footer=f"{run.spec.title.to(run.spec.language)} · {run.spec.period} · {run.sources()}",
    )


def _why(run: Run, sides: pd.Series, scores: pd.DataFrame, unranked: pd.Series) -> list[str]:
    """Say in the run's language what of each area is not compared, and why."""
    words = texts(run.spec.language)
    drawn = run.uncertainty() is not None
    said = []
    for area, side in sides.items():
        why = [side, *scores.loc[area, ["reason", "reason_rest"]]]
        why += ["no_draws"] if not drawn and not all(why[1:]) else []
        told = [
            unranked[area] if reason in {"score_not_known", "small_population"} else words.contrasts[reason]
            for reason in why
            if reason
        ]
        said.append("; ".join(dict.fromkeys(told)))
    return said


def standing_notes(run: Run) -> list[str]:
    """Return by what rules an area's sides are named and a difference is called clear."""
    words, sure = texts(run.spec.language), run.uncertainty()
    said = [
        words["profile_rule"].format(gap=f"{_GAP:g}", share=f"{100 * _SURE:g}", most=_MOST),
        words["neighbour_rule"],
        words["mean_by_residents" if run.standing().weighted else "mean_of_all"],
    ]
    if sure is not None:
        share = format_number(50 * (1 + sure.level), run.spec.language, decimals=0 if sure.level * 50 % 1 == 0 else 1)
        said.append(words["clear_rule"].format(share=share))
    return said
