"""What tests of the index share: specifications, plain frames, tables with counts, and what hypothesis draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from geoplan.places import IndicatorTable, unit_scale
from geoplan.places.indicators import COLUMNS
from geoplan.risk.pipeline import Direction
from geoplan.specs import IndexSpec, IndicatorSpec
from geoplan.specs.reading import parse_spec

METHODS = (
    "relative", "rank_exponential", "percentile", "sd_classes", "z_score", "min_max", "distance_to_target", "borda",
)  # fmt: skip
WITHOUT_CITY = METHODS[1:]
MEANS = ("arithmetic", "sum", "geometric", "harmonic")


def domain(name, indicators, weight=1.0, **more):
    """Return a domain as a TOML file has it."""
    of_parts = isinstance(indicators, list) and isinstance(indicators[0], dict)
    given = {"parts" if of_parts else "indicators": indicators}
    return {"id": name, "label": name, "weight": weight, **given, **more}


def part(name, indicators, weight=1.0, **more):
    """Return a sub-domain as a TOML file has it."""
    return {"id": name, "label": name, "weight": weight, "indicators": indicators, **more}


def index_spec(*domains, **more):
    """Return a specification, read as from a TOML file."""
    return parse_spec({"domains": list(domains), **more}, IndexSpec)


def towns_spec(method, *domains, **more):
    """Return a specification of any method; targets, where it wants them, are 0."""
    names = [name for item in domains for name in item.get("indicators", ())]
    names += [name for item in domains for inner in item.get("parts", ()) for name in inner["indicators"]]
    if method == "distance_to_target":
        more = {"targets": dict.fromkeys(names, 0.0), **more}
    return index_spec(*domains, method=method, **more)


def plain(**columns):
    """Return a frame of areas A, B, C …"""
    size = len(next(iter(columns.values())))
    return pd.DataFrame({name: [float(v) for v in values] for name, values in columns.items()}, index=codes(size))


def codes(size):
    return [chr(65 + number) for number in range(size)]


def counted(shares, *, bases=None, people=1000, period="2012", directions=None):
    """Return a table of shares in per cent on bases of 100 (or those given), with residents."""
    bases = {} if bases is None else bases
    rows = []
    for name in shares:
        for area, value in shares[name].items():
            base = bases.get(name, 100.0)
            known = not np.isnan(value)
            status = "observed" if known else "not_collected"
            rows.append((area, name, period, value * base / 100, base if known else np.nan, value, status))
    residents = people if isinstance(people, dict) else dict.fromkeys(shares.index, people)
    rows += [(area, "population", period, float(n), np.nan, float(n), "observed") for area, n in residents.items()]
    definitions = {"population": definition("population", kind="count", unit="persons", direction="neutral")}
    definitions |= {n: definition(n, direction=(directions or {}).get(n, "higher_is_worse")) for n in shares}
    return IndicatorTable(pd.DataFrame(rows, columns=COLUMNS), definitions)


def several_years(**tables):
    """Put tables of several years together: y2010=…, y2012=…"""
    first = next(iter(tables.values()))
    return IndicatorTable(pd.concat([t.data for t in tables.values()], ignore_index=True), first.definitions)


def definition(name, kind="share", unit="pct", direction="higher_is_worse", **more):
    assert unit_scale(unit)
    return IndicatorSpec(id=name, label=name, kind=kind, unit=unit, direction=direction, **more)


# ---------------------------------------------------------------- what hypothesis draws

_NAMES = ("a", "b", "c", "d", "e")
#: What fits together: method, then normalisations of its indicators and of its domains beside the method's own.
_INSIDE = {"relative": (None, "z_score", "min_max", "percentile"), "z_score": (None, "normal_scores"),
           "min_max": (None, "borda", "rank_exponential")}  # fmt: skip
_BETWEEN = (None, "none", "z_score", "min_max", "percentile", "rank_exponential", "borda", "normal_scores")


@st.composite
def figures(draw, *, missing=True, areas=(2, 8)):
    """Draw areas × 5 indicators of small whole numbers, with ties, with some or none missing."""
    size = draw(st.integers(*areas))
    cells = st.integers(1, 12).map(float)
    if missing:
        cells = st.one_of(cells, cells, cells, cells, st.just(np.nan))
    return np.array(draw(st.lists(st.lists(cells, min_size=5, max_size=5), min_size=size, max_size=size)))


@st.composite
def specifications(draw, *, methods=METHODS, means=MEANS, weightings=("given", "equal"), plain_domains=False):
    """Draw a specification of 5 indicators in 2 or 3 domains, one of them of sub-domains."""
    method = draw(st.sampled_from(methods))
    weight = st.sampled_from((0.5, 1.0, 2.0, 3.0))
    inside = {"weighting": draw(st.sampled_from(weightings))}
    if (found := draw(st.sampled_from(_INSIDE.get(method, (None,))))) is not None:
        inside["normalisation"] = found
    inside["aggregation"] = draw(st.sampled_from(means))
    between = {"aggregation": draw(st.sampled_from(means))}
    if (found := draw(st.sampled_from((None, None, *_BETWEEN)))) is not None:
        between["normalisation"] = found
    own = {"combine": {"aggregation": draw(st.sampled_from(means))}} if draw(st.booleans()) else {}
    first = domain("one", {"a": draw(weight), "b": draw(weight)}, draw(weight), **own)
    if not plain_domains and draw(st.booleans()):
        parts = [part("first", {"a": draw(weight)}, draw(weight)), part("other", {"b": draw(weight)}, draw(weight))]
        first = domain("one", parts, draw(weight))
    rest = [domain("two", {"c": draw(weight), "d": draw(weight)}, draw(weight)), domain("three", ["e"], draw(weight))]
    more = {"minimum_available": draw(st.sampled_from((0.2, 0.5, 1.0)))}
    return towns_spec(method, first, *rest, inside=inside, between=between, **more)


DIRECTIONS = {"as is": Direction("as is"), "complement": Direction("complement", 20.0)}


@st.composite
def cases(draw, *, missing=True, areas=(2, 8), **more):
    """Draw figures, a specification, directions and the city's values."""
    spec = draw(specifications(**more))
    values = draw(figures(missing=missing, areas=areas))
    directions = [DIRECTIONS[draw(st.sampled_from(tuple(DIRECTIONS)))] for _ in _NAMES]
    return values, spec, directions, np.array([6.0, 5.0, 4.0, 7.0, 8.0])
