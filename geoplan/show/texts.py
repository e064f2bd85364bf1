"""The words and number forms of the three languages; the words stand in ``texts.toml``."""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

from babel.dates import format_date as _babel_date
from babel.numbers import format_decimal as _babel_decimal

from geoplan import checks

__all__ = ["Texts", "format_date", "format_number", "texts"]

_LOCALES = {"sv": "sv_SE", "da": "da_DK", "en": "en_GB"}


@dataclass(frozen=True)
class Texts:
    """The words of one language."""

    language: str
    words: dict[str, str]
    statuses: dict[str, str]
    units: dict[str, str]
    kinds: dict[str, str]
    reasons: dict[str, str]
    methods: dict[str, str]
    why: dict[str, str]
    patterns: dict[str, str]
    uncompared: dict[str, str]
    contrasts: dict[str, str]
    verdicts: dict[str, str]
    limits: dict[str, str]
    reach: dict[str, str]
    plan: dict[str, str]

    def __getitem__(self, key: str) -> str:
        return self.words[key]

    def unit(self, unit: str) -> str:
        """Return a unit as readers write it; one that is not in the file stands for itself."""
        return self.units.get(unit, unit)

    def method(self, method: str) -> str:
        """Return the steps that made a figure as readers write them: ``from counts, merged from smaller areas``."""
        return ", ".join(self._step(step) for step in method.split("; ") if step)

    def _step(self, step: str) -> str:
        years = re.fullmatch(r"mean_of_(\d+)_years", step)
        return self.methods["mean_of_years"].format(years=years[1]) if years else self.methods.get(step, step)

    def limit_source(self, source: str) -> str:
        """Return where a limit comes from as readers write it; a publisher's own words stand for themselves."""
        whole = source.removesuffix(" without the area")
        if whole != source:
            return self.limits["without"].format(what=self.limit_source(whole))
        if level := re.fullmatch(r"its (\w+)", source):
            return self.limits["its"].format(level=level[1])
        if among := re.fullmatch(r"the areas themselves: (.+) of them", source):
            return self.limits["the areas themselves"].format(many=among[1])
        return self.limits.get(source, source)

    def missing(self, status: str, reason: str) -> str:
        """Return why a figure is missing: its status, and the reason where one is known."""
        label = self.statuses.get(status, status)
        return f"{label}: {self.why.get(reason, reason)}" if reason else label


@cache
def texts(language: str) -> Texts:
    """Return the words of a language: ``sv``, ``da`` or ``en``.

    Raises
    ------
    SpecError
        For any other language.

    Examples
    --------
    >>> texts("sv").statuses["suppressed"]
    'Skyddad uppgift'
    """
    content = tomllib.loads(resources.files("geoplan.show").joinpath("texts.toml").read_text(encoding="utf-8"))
    if language not in content:
        raise checks.unknown_name("language", language, content, key="language")
    own = dict(content[language])
    parts = [item.name for item in fields(Texts) if item.name not in {"language", "words"}]
    return Texts(language, words=own, **{part: own.pop(part) for part in parts})


def format_number(value: float | None, language: str, *, decimals: int = 0) -> str:
    """Write a number as the language does; a missing one is a dash.

    Examples
    --------
    >>> format_number(1234.5, "da", decimals=1), format_number(float("nan"), "sv")
    ('1.234,5', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(_babel_decimal(value, format=pattern, locale=_LOCALES[language]))


def format_date(date: dt.date, language: str) -> str:
    """Write a date as the language does.

    Examples
    --------
    >>> format_date(dt.date(2013, 3, 15), "sv")
    '15 mars 2013'
    """
    return str(_babel_date(date, format="long", locale=_LOCALES[language]))
