"""Draw indicator tables from latent deprivation: counts first, rates follow from them.

What an indicator is called and measured in stands in ``layers/*.toml``; this module only
knows how large it is and how strongly it follows deprivation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

SMALLEST_SHOWN = 5
COLUMNS = ["area_id", "indicator", "period", "numerator", "denominator", "value", "status"]


@dataclass(frozen=True)
class Model:
    """How one indicator is drawn.

    Parameters
    ----------
    base
        Key of the denominators.
    city
        Level of the whole city in the last year: share 0 to 1, rate per 1,000, mean.
    loading
        Change on the link scale per standard deviation of deprivation.
    noise
        Spread of lasting differences between areas that deprivation does not explain.
    drift
        Change per year on the link scale.
    inner
        Addition in the city centre, where visitors add to what is counted.
    survey
        Given as value and number of respondents only.
    sensitive
        Counts of 1 to 4 are suppressed.
    within
        Indicator whose count this one cannot exceed.
    shift
        Year and size of a change of definition, on the link scale.
    """

    base: str
    city: float
    loading: float
    noise: float = 0.08
    drift: float = 0.0
    inner: float = 0.0
    survey: bool = False
    sensitive: bool = False
    within: str = ""
    shift: tuple[int, float] | None = None


@dataclass(frozen=True)
class Setting:
    """What all indicators of one place share.

    ``latent`` and every denominator have one row per area and one column per year.
    """

    area_ids: list[str]
    years: np.ndarray
    latent: np.ndarray
    inner: np.ndarray
    bases: dict[str, np.ndarray]
    survey_years: tuple[int, ...] = ()
    missed: frozenset[tuple[int, int]] = frozenset()
    """Area number and year in which the survey did not reach an area."""
    estimated: dict[str, tuple[int, ...]] = field(default_factory=dict)
    provisional: frozenset[str] = frozenset()
    elections: dict[str, tuple[int, ...]] = field(default_factory=dict)
    out_of_scope: dict[str, tuple[int, ...]] = field(default_factory=dict)


def linked(kind: str, unit: str, level: np.ndarray) -> np.ndarray:
    """Turn the link scale into expected share, rate per person or mean."""
    if kind == "share":
        return 1 / (1 + np.exp(-level))
    if kind == "rate":
        return np.exp(level) / 1000
    return level if unit == "score" else np.exp(level)


def intercept(kind: str, unit: str, model: Model, rest: np.ndarray, weight: np.ndarray) -> float:
    """Find the intercept that gives the city its level in the last year, by bisection."""
    goal = model.city / 1000 if kind == "rate" else model.city
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        mean = np.average(linked(kind, unit, middle + rest), weights=weight)
        low, high = (middle, high) if mean < goal else (low, middle)
    return (low + high) / 2


def expected(definition: dict[str, Any], model: Model, setting: Setting, rng: np.random.Generator) -> np.ndarray:
    """Return the expected share, rate or mean by area and year."""
    kind, unit = definition["kind"], definition["unit"]
    lasting = rng.normal(0, model.noise, len(setting.area_ids))
    since = setting.years - setting.years[-1]
    common = model.drift * since + rng.normal(0, 0.012, len(since)) * (since < 0)
    rest = model.loading * setting.latent + lasting[:, None] + common
    rest = rest + model.inner * setting.inner[:, None]
    if model.shift:
        rest = rest + np.where(setting.years >= model.shift[0], model.shift[1], 0.0)
    weight = np.maximum(setting.bases[model.base][:, -1], 1e-9)
    return linked(kind, unit, rest + intercept(kind, unit, model, rest[:, -1], weight))


def draw_counts(definition: dict[str, Any], mean: np.ndarray, base: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw numerators around their expectation."""
    if definition["kind"] == "share":
        return rng.binomial(base, mean)
    if definition["kind"] == "rate":
        return rng.poisson(base * mean)
    # sums of days or money: individual spread about as large as the mean itself
    spread = 0.6 * mean / np.sqrt(np.maximum(base, 1))
    return np.round(base * np.maximum(mean + rng.normal(0, 1, mean.shape) * spread, 0)).astype(int)


def register_rows(
    definition: dict[str, Any], model: Model, setting: Setting,
    counts: np.ndarray, base: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """Write counts as text with their status; value stays empty, it follows from the counts."""
    name = definition["id"]
    status = np.full(base.shape, "observed", dtype=object)
    for year in setting.estimated.get(name, ()):
        status[:, setting.years == year] = "estimated"
    if name in setting.provisional:
        status[:, -1] = "provisional"
    if model.sensitive:
        status[(counts > 0) & (counts < SMALLEST_SHOWN)] = "suppressed"
    status[base == 0] = "not_applicable"
    for number in setting.out_of_scope.get(name, ()):
        status[number] = "out_of_scope"
    empty = np.isin(status, ["not_applicable", "out_of_scope"])
    numerator = np.where(empty | (status == "suppressed"), "", counts.astype(str))
    denominator = np.where(empty, "", base.astype(str))
    cells = {"numerator": numerator, "denominator": denominator, "status": status}
    return long(setting, name, cells)


def survey_rows(
    definition: dict[str, Any], setting: Setting,
    mean: np.ndarray, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Write a survey result as value and respondents; no count is published."""
    answers = setting.bases["respondents"]
    if definition["kind"] == "share":
        value = 100 * rng.binomial(answers, mean) / np.maximum(answers, 1)
    else:
        value = mean + rng.normal(0, 1.9, mean.shape) / np.sqrt(np.maximum(answers, 1))
        value = np.clip(value, 1, 10)
    status = np.full(answers.shape, "observed", dtype=object)
    status[answers == 0] = "not_applicable"
    status[:, ~np.isin(setting.years, setting.survey_years)] = "not_collected"
    for number, year in setting.missed:
        status[number, setting.years == year] = "not_collected"
    shown = status == "observed"
    text = np.where(shown, np.char.mod("%.1f", value), "")
    respondents = np.where(shown, answers.astype(str), "")
    cells = {"denominator": respondents, "value": text, "status": status}
    return long(setting, definition["id"], cells)


def long(setting: Setting, name: str, cells: dict[str, np.ndarray | str]) -> pd.DataFrame:
    """Lay matrices of area by year out as rows, year after year; cells not given are empty."""
    shape = (len(setting.area_ids), len(setting.years))
    columns = {
        "area_id": np.array(setting.area_ids, dtype=object)[:, None],
        "indicator": name,
        "period": setting.years.astype(str).astype(object)[None, :],
        **cells,
    }
    laid = {
        column: np.broadcast_to(np.asarray(columns.get(column, ""), dtype=object), shape).T.ravel()
        for column in COLUMNS
    }
    return pd.DataFrame(laid)


def hold_elections(setting: Setting, name: str, matrix: np.ndarray) -> np.ndarray:
    """Carry the latest election forward to the years without one."""
    held = setting.elections.get(name)
    if not held:
        return matrix
    latest = [max(year for year in held if year <= y) for y in setting.years]
    return matrix[:, [int(np.flatnonzero(setting.years == y)[0]) for y in latest]]


def draw_table(
    definitions: list[dict[str, Any]], models: dict[str, Model], setting: Setting,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Draw the whole tidy table in the order of the definitions."""
    check_same(definitions, models)
    frames = []
    drawn: dict[str, np.ndarray] = {}
    for definition in definitions:
        name = definition["id"]
        if definition["kind"] == "count":
            persons = setting.bases["residents"].astype(str)
            cells = {"numerator": persons, "value": persons, "status": "observed"}
            frames.append(long(setting, name, cells))
            continue
        model = models[name]
        mean = expected(definition, model, setting, rng)
        if model.survey:
            frames.append(survey_rows(definition, setting, mean, rng))
            continue
        base = hold_elections(setting, name, setting.bases[model.base])
        counts = hold_elections(setting, name, draw_counts(definition, mean, setting.bases[model.base], rng))
        if name in setting.elections:
            # a carried-forward electorate must not exceed an area that has shrunk since
            base = np.minimum(base, setting.bases["residents"])
            counts = np.minimum(counts, base)
        if model.within:
            counts = np.minimum(counts, drawn[model.within])
        drawn[name] = counts
        frames.append(register_rows(definition, model, setting, counts, base))
    return pd.concat(frames, ignore_index=True)


def check_same(definitions: list[dict[str, Any]], models: dict[str, Model]) -> None:
    """Refuse to draw when the catalogue and the models have drifted apart."""
    catalogue = {d["id"] for d in definitions if d["kind"] != "count"}
    if catalogue != set(models):
        message = f"Indicators only in one place: {sorted(catalogue ^ set(models))}"
        raise ValueError(message)
    for definition in definitions:
        model = models.get(definition["id"])
        breaks = [model.shift[0]] if model and model.shift else []
        if breaks != definition.get("breaks", []):
            message = f"{definition['id']}: breaks {definition.get('breaks', [])}, drawn {breaks}"
            raise ValueError(message)
