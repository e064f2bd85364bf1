"""Levels, loadings and peculiarities of the indicators of Nordhamra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import _plan as plan
import numpy as np
import shapely
from _people import YEARS, People, district_of
from _shapes import Noise
from _tables import Model, Setting, draw_table

if TYPE_CHECKING:
    import pandas as pd
    from _town import Town

MODELS = {
    "single_parent_families": Model("families", 0.22, 0.30),
    "overcrowded_households": Model("households", 0.075, 0.66, drift=0.01),
    "moved_in_last_year": Model("residents", 0.145, 0.18, inner=0.4),
    "youth_neet_20_24": Model("age_20_24", 0.115, 0.48),
    "not_eligible_upper_secondary": Model("grade_9", 0.125, 0.78, drift=0.02),
    "parents_low_education": Model("age_0_17", 0.06, 0.72),
    "election_turnout": Model("age_18_99", 0.81, -0.38, noise=0.05, drift=0.015),
    "preschool_enrolment_3_5": Model("age_3_5", 0.93, -0.55, drift=0.03),
    "sickness_days": Model("age_16_64", 27.0, 0.20, drift=-0.03, shift=(2009, -0.12)),
    "poor_self_rated_health": Model("respondents", 0.27, 0.28, survey=True),
    "life_satisfaction": Model("respondents", 7.3, -0.33, survey=True),
    "smoking_early_pregnancy": Model("age_0_2", 0.085, 0.48, drift=-0.04, sensitive=True),
    "caries_age_6": Model("six_years", 0.24, 0.48),
    "overweight_age_4": Model("four_years", 0.13, 0.32),
    "psychiatric_care_18_64": Model("age_18_64", 0.066, 0.24, drift=0.02, sensitive=True),
    "unsafe_evening": Model("respondents", 0.20, 0.50, inner=0.15, survey=True),
    "exposure_to_threats": Model("respondents", 0.06, 0.33, inner=0.2, survey=True),
    "violent_crime": Model("residents", 9.5, 0.38, noise=0.15, inner=0.9),
    "burglary": Model("dwellings", 8.5, 0.10, noise=0.25, inner=-0.3, drift=-0.02),
    "youth_suspects_15_20": Model("age_15_20", 0.052, 0.48, drift=-0.03, sensitive=True),
    "arson_fires": Model("residents", 1.8, 0.55, noise=0.2),
    "vandalism": Model("residents", 13.0, 0.36, noise=0.15, inner=0.5),
    "employment_20_64": Model("age_20_64", 0.765, -0.75, noise=0.05, shift=(2010, 0.083)),
    "long_term_assistance": Model("age_18_64", 0.031, 0.84, sensitive=True),
    "child_poverty": Model("age_0_17", 0.115, 0.75),
    "unemployment_18_64": Model("age_18_64", 0.07, 0.43),
    "mean_disposable_income": Model("age_20_99", 218.0, -0.16, noise=0.04, drift=0.03),
    "low_economic_standard": Model("residents", 0.135, 0.60),
    "youth_unemployment_18_24": Model("age_18_24", 0.105, 0.40, within="unemployment_18_64"),
    "long_term_unemployment": Model("age_18_64", 0.025, 0.48, within="unemployment_18_64"),
}


def latent(town: Town, people: People, rng: np.random.Generator) -> np.ndarray:
    """Return deprivation by area and year; mean 0 and deviation 1 over residents in 2012."""
    names = town.basomraden["name"].to_list()
    district = district_of(town)
    centres = shapely.get_coordinates(town.basomraden.geometry.centroid.to_numpy())
    level = np.array([plan.DISTRICTS[d].level for d in district])
    level = level + 0.2 * Noise.draw(rng, 5000)(centres) + rng.normal(0, 0.2, len(level))
    for name, own in plan.LEVELS.items():
        level[names.index(name)] = own
    trend = np.array([plan.DISTRICTS[d].trend for d in district])
    trend = trend + rng.normal(0, 0.012, len(trend))
    course = level[:, None] + trend[:, None] * (YEARS - 2009)
    weight = people.ages[:, -1].sum(axis=1)
    mean = np.average(course[:, -1], weights=weight)
    deviation = np.sqrt(np.average((course[:, -1] - mean) ** 2, weights=weight))
    return (course - mean) / deviation


def denominators(people: People, field: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Return every population base, all cut from the same table of ages."""
    ages = people.ages
    residents = ages.sum(axis=2)
    spans = [
        (0, 2), (0, 17), (3, 5), (15, 20), (16, 64), (18, 24), (18, 64),
        (18, 99), (20, 24), (20, 64), (20, 99),
    ]  # fmt: skip
    bases = {f"age_{low}_{high}": ages[:, :, low : high + 1].sum(axis=2) for low, high in spans}
    response = np.clip(0.13 * np.exp(-0.15 * field), 0.0, 0.3)
    return {
        **bases,
        "residents": residents,
        # single years of age are too few in a basområde: three cohorts are taken together
        "four_years": ages[:, :, 4:7].sum(axis=2),
        "six_years": ages[:, :, 6:9].sum(axis=2),
        "grade_9": ages[:, :, 15:18].sum(axis=2),
        "families": np.round(bases["age_0_17"] / 1.8).astype(np.int64),
        "households": people.households,
        "dwellings": np.ceil(people.households * 1.03).astype(np.int64),
        "respondents": rng.binomial(bases["age_18_99"], response),
    }


def indicators(town: Town, people: People, definitions: list[dict[str, Any]], rng: np.random.Generator) -> pd.DataFrame:
    """Draw the indicator table of the town."""
    field = latent(town, people, rng)
    bases = denominators(people, field, rng)
    missed = rng.choice(np.flatnonzero(bases["residents"][:, -1] > 300), 5, replace=False)
    islands = [n for n, kind in enumerate(people.kinds) if kind == "islands"]
    setting = Setting(
        area_ids=town.basomraden["area_id"].to_list(),
        years=YEARS,
        latent=field,
        inner=np.array([float(kind == "centre") for kind in people.kinds]),
        bases=bases,
        survey_years=(2006, 2009, 2012),
        missed=frozenset((int(n), 2009 if k < 3 else 2006) for k, n in enumerate(missed)),
        # the register of dwellings begins in 2010; nobody votes between elections
        estimated={
            "overcrowded_households": (2006, 2007, 2008, 2009),
            "election_turnout": (2007, 2008, 2009, 2011, 2012),
        },
        provisional=frozenset({"mean_disposable_income", "low_economic_standard"}),
        elections={"election_turnout": (2006, 2010)},
        # the fire service keeps no statistics for islands without a road
        out_of_scope={"arson_fires": tuple(islands)},
    )
    return draw_table(definitions, MODELS, setting, rng)
