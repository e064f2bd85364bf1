"""What publishers write in place of a number, and what it means: a status, and a reason where they tell one.

Each set is written down once, with its source. A layer names one by ``missing_signs``; its own ``missing_codes`` go
before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from geoplan.specs import IndicatorsLayer

__all__ = ["SIGNS", "Told", "signs_of"]

#: Status and reason. A true zero has the status ``observed``.
Told = tuple[str, str]

_ZERO: Told = ("observed", "")
_WITHHELD: Told = ("suppressed", "withheld")
_NOT_THERE: Told = ("not_collected", "not_available")
_CANNOT_BE: Told = ("not_applicable", "")

_MEANINGS: dict[str, Told] = {
    "suppressed": ("suppressed", ""),
    "not_collected": ("not_collected", ""),
    "not_applicable": ("not_applicable", ""),
    "out_of_scope": ("out_of_scope", ""),
    "zero": _ZERO,
    "dont_know": ("not_collected", "dont_know"),
    "not_relevant": ("not_applicable", "not_relevant"),
    "declined": ("not_collected", "declined"),
    "unanswered": ("not_collected", "unanswered"),
    "not_stated": ("not_collected", "not_stated"),
    "not_asked": ("not_collected", "not_asked"),
}

SIGNS: dict[str, Mapping[str, Told]] = {
    # The "Teckenförklaring" of Sweden's official statistics, as Trafikanalys prints it (trafa.se, Varuflöden): "–" noll
    # (inget finns att redovisa); "0" mindre än hälften av enheten, a number as any other; ".." uppgift inte tillgänglig
    # eller alltför osäker, which is also how small counts are kept secret; "." uppgift kan inte förekomma; "U"
    # undertryckt på grund av röjanderisk. The ellipsis is a habit of workbooks and in no key that we have seen.
    "scb": {
        "-": _ZERO,
        "\u2013": _ZERO,
        "..": _WITHHELD,
        ".": _CANNOT_BE,
        "u": _WITHHELD,
        "\u2026": _NOT_THERE,
        "...": _NOT_THERE,
    },
    # Statistics Denmark's "Signaturforklaring", from memory of its yearbook (no copy was at hand; a table's own notes
    # go before it): "-" nul; "0" mindre end ½ af den anvendte enhed, a number as any other; "." tal kan efter sagens
    # natur ikke forekomme; ".." oplysning for usikker til at kunne angives, eller diskretioneret; "…" oplysning
    # foreligger ikke. Beside a number "*" is foreløbige eller anslåede tal and "|" databrud: see cells.py.
    "statbank": {
        "-": _ZERO,
        "\u2013": _ZERO,
        ".": _CANNOT_BE,
        "..": _WITHHELD,
        "\u2026": _NOT_THERE,
        "...": _NOT_THERE,
    },
    # Kolada's API, as its users describe it: a value of null has the status Missing (no figure was handed in) or
    # Private (confidential, as the groups are small); a workbook leaves the cell empty.
    "kolada": {
        "": _NOT_THERE,
        "null": _NOT_THERE,
        "missing": _NOT_THERE,
        "saknas": _NOT_THERE,
        "private": _WITHHELD,
        "sekretess": _WITHHELD,
    },
    # The six non-answers of Danish surveys and reporting schemes: "ved ikke", "ønsker ikke at svare", "vil ikke svare"
    # and "uoplyst" as in code books of Statistics Denmark and of the Danish Data Archive (DDA-6301); the others as
    # questionnaires have them. A scheme with other words lists them under `missing_codes`.
    "danish_survey": {
        "ved ikke": _MEANINGS["dont_know"],
        "ikke relevant": _MEANINGS["not_relevant"],
        "ønsker ikke at svare": _MEANINGS["declined"],
        "ønsker ikke at oplyse": _MEANINGS["declined"],
        "vil ikke svare": _MEANINGS["declined"],
        "ubesvaret": _MEANINGS["unanswered"],
        "uoplyst": _MEANINGS["not_stated"],
        "ikke spurgt": _MEANINGS["not_asked"],
        "ikke opgjort": _MEANINGS["not_asked"],
    },
}


def signs_of(layer: IndicatorsLayer, cells: frozenset[str]) -> dict[str, Told]:
    """Return what those of the given texts mean that are signs in a layer; case counts in its own codes only."""
    named = SIGNS[layer.missing_signs] if layer.missing_signs else {}
    own = {code: _MEANINGS[meaning] for code, meaning in layer.missing_codes.items()}
    found = {cell: named[cell.casefold()] for cell in cells if cell.casefold() in named}
    return found | {cell: own[cell] for cell in cells if cell in own}
