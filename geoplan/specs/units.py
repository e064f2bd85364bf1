"""Units of one kind, and what turns one into another."""

from __future__ import annotations

__all__ = ["UNITS", "unit_factor", "units_like"]

#: Unit → its kind, and how much of the kind's basic unit it is.
UNITS: dict[str, tuple[str, float]] = {
    "share": ("share", 1.0),
    "pct": ("share", 1e-2),
    "per_mille": ("share", 1e-3),
    "per_1000": ("share", 1e-3),
    "per_10000": ("share", 1e-4),
    "per_100000": ("share", 1e-5),
    "kr": ("money", 1.0),
    "tkr": ("money", 1e3),
    "mkr": ("money", 1e6),
    "persons": ("number", 1.0),
    "thousands": ("number", 1e3),
    "days": ("days", 1.0),
    "score": ("score", 1.0),
}
# As publishers write them.
_OTHER_NAMES = {
    "%": "pct",
    "percent": "pct",
    "per cent": "pct",
    "procent": "pct",
    "‰": "per_mille",
    "promille": "per_mille",
    "andel": "share",
    "1": "share",
    "kronor": "kr",
    "kroner": "kr",
    "sek": "kr",
    "dkk": "kr",
    "t.kr.": "tkr",
    "1000 kr": "tkr",
    "mio. kr.": "mkr",
    "mnkr": "mkr",
    "antal": "persons",
    "tusental": "thousands",
}


def _known(unit: str) -> tuple[str, float] | None:
    name = unit.strip().casefold()
    return UNITS.get(_OTHER_NAMES.get(name, name))


def unit_factor(published: str, unit: str) -> float | None:
    """Return what a value in one unit is multiplied by to stand in another; None when there is no way.

    Examples
    --------
    >>> unit_factor("kr", "tkr"), unit_factor("share", "pct"), unit_factor("kr", "pct")
    (0.001, 100.0, None)
    """
    if published == unit:
        return 1.0
    one, other = _known(published), _known(unit)
    if one is None or other is None or one[0] != other[0]:
        return None
    factor = one[1] / other[1]
    return float(round(factor)) if factor >= 1 else 1 / round(1 / factor)  # whole powers of ten, free of binary dust


def units_like(unit: str) -> list[str]:
    """Return the other units of the same kind, such as ``kr`` and ``mkr`` for ``tkr``.

    Examples
    --------
    >>> units_like("tkr"), units_like("persons per km2")
    (['kr', 'mkr'], [])
    """
    known = _known(unit)
    return [name for name, (kind, _) in UNITS.items() if known and kind == known[0] and UNITS[name] != known]
