"""Spelling: what two writings of one place name have in common, and how far others are apart.

Four forms of a name, each coarser than the one before: as written, plain (case, hyphens, punctuation), folded
(diacritics too), and its shape (what a scanner or a hurried hand mistakes for each other, too).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import numpy as np

__all__ = ["Speller", "Towns", "as_written", "one_edit_apart", "plain", "shapes", "unaccented"]

_QUOTES = dict.fromkeys(map(ord, "'\"`´‘’‚“”„«»‹›"))  # noqa: RUF001  quotation marks as people type them
_SHORT = {  # Swedish contractions with a colon, and the Danish ones of "sankt"; "st." may be "stora" and is left alone
    "s:ta": "sankta",
    "s:t": "sankt",
    "skt": "sankt",
    "sct": "sankt",
    "n:a": "norra",
    "s:a": "södra",
    "ö:a": "östra",
    "v:a": "västra",
    "g:a": "gamla",
    "l:a": "lilla",
    "st:a": "stora",
}
_SHORTENED = re.compile(rf"\b({'|'.join(sorted(_SHORT, key=len, reverse=True))})(?![\w:])\.?")
_LETTERS = str.maketrans({"ø": "o", "æ": "a", "ð": "d", "þ": "th", "ł": "l", "đ": "d"})
_DIGRAPHS = (("aa", "a"), ("ae", "a"), ("oe", "o"))  # Aarhus, Noerrebro
_MISREAD = (("vv", "w"), ("rn", "m"), ("rm", "n"), ("cl", "d"))  # rm for nn, of which one n is left
_ALIKE = str.maketrans({"1": "l", "i": "l", "0": "o", "5": "s", "8": "b", "c": "e"})
_WORD = re.compile(r"[^\W\d_]{3}")
_RING = re.compile(r"(?<=\w)å")
_MOST_RINGS = 4
_LEAST_LETTERS = 4
_OFFICE = re.compile(r" (?:kommun|kommune|stad)$")
_NEAR, _PART, _TRIED = 0.6, 0.3, 40


def as_written(text: str) -> str:
    """Return a name with its letters composed and no blanks around it."""
    return unicodedata.normalize("NFC", text).strip()


def plain(text: str) -> str:
    """Return a name without case, hyphens, punctuation, quotation marks and double spaces; diacritics stay.

    Examples
    --------
    >>> plain("CENTRUM-ÖSTER"), plain("S:t Lars"), plain("Vasa & Berg")
    ('centrum öster', 'sankt lars', 'vasa och berg')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    whole = _SHORTENED.sub(lambda match: _SHORT[match[1]], folded.translate(_QUOTES).replace("&", " och "))
    words = re.sub(r"[\W_]+", " ", whole).split()
    return " ".join("och" if word == "og" else word for word in words)


def unaccented(key: str) -> str:
    """Return a plain name without diacritics; Aa, Ae and Oe are taken for Å, Ä and Ö.

    Examples
    --------
    >>> unaccented("århus") == unaccented("aarhus"), unaccented("sätra")
    (True, 'satra')
    """
    bare = "".join(sign for sign in unicodedata.normalize("NFD", key) if not unicodedata.combining(sign))
    bare = bare.translate(_LETTERS)
    for pair, letter in _DIGRAPHS:
        bare = bare.replace(pair, letter)
    return bare


def shapes(key: str) -> set[str]:
    """Return what is left of a plain name when signs that are mistaken for each other count as one.

    Alike are l, i and 1; o and 0; s and 5; b and 8; c and e; rn and m; nn and rm; cl and d; vv and w; å and i, but not
    at the start of a word (Årsta and Irsta are two places); letters written once or twice; words written together or
    apart. Numbers, single letters and words of two are never mistaken: "Block 1" is not "Block I". A name of fewer than
    four letters has no shape.

    Examples
    --------
    >>> bool(shapes("gamlegirden") & shapes("gamlegården")), bool(shapes("rorma") & shapes("ronna"))
    (True, True)
    >>> bool(shapes("sättra") & shapes("sätra")), bool(shapes("norra berga") & shapes("södra berga"))
    (True, False)
    """
    rings = [match.start() for match in _RING.finditer(key)][:_MOST_RINGS]
    found = set()
    for letters in itertools.product("ai", repeat=len(rings)):
        name = list(key)
        for place, letter in zip(rings, letters, strict=True):
            name[place] = letter
        found.add("".join(_shape(word) for word in unaccented("".join(name)).split()))
    return {shape for shape in found if sum(sign.isalpha() for sign in shape) >= _LEAST_LETTERS}


def _shape(word: str) -> str:
    if not _WORD.search(word):
        return f"|{word}|"
    for signs, letter in _MISREAD:
        word = word.replace(signs, letter)
    return re.sub(r"([^\W\d_])\1+", r"\1", word).translate(_ALIKE)


def one_edit_apart(one: str, other: str) -> bool:
    """Tell whether two words are the same but for one letter put in, left out, exchanged or swapped with the next."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


class Towns:
    """The municipalities there are, and how else their names are written.

    Parameters
    ----------
    names
        As written; an empty one is none.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.keys = {_OFFICE.sub("", plain(name)) for name in names} - {""}
        self._bare: dict[str, list[str]] = defaultdict(list)
        for key in self.keys:
            self._bare[unaccented(key)].append(key)

    def key(self, text: str) -> str:
        """Return the plain name of a municipality; ``Lunds kommun`` and ``Malmo`` are found, too."""
        key = _OFFICE.sub("", plain(text))
        for town in (key, key.removesuffix("s")):
            alike = [town] if town in self.keys else self._bare.get(unaccented(town), [])
            if len(alike) == 1:
                return alike[0]
        return key


class Speller:
    """A list of names that the nearest ones are looked up in.

    Parameters
    ----------
    names
        Unaccented names.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._words = [frozenset(name.split()) for name in self._names]
        letters = sorted(set("".join(self._names)))
        self._place = {letter: number for number, letter in enumerate(letters)}
        self._bags = np.array([self._bag(name) for name in self._names]).reshape(len(self._names), len(letters))
        self._lengths = np.array([len(name) for name in self._names])

    def _bag(self, name: str) -> np.ndarray:
        """Count the letters of a name."""
        counts = np.zeros(len(self._place), dtype=np.int16)
        for letter in name:
            if letter in self._place:
                counts[self._place[letter]] += 1
        return counts

    def nearest(self, name: str, among: Sequence[int]) -> list[int]:
        """Return places in the list, best first: alike, or one the other with words added.

        ``among`` are the places to look at.
        """
        if not len(among):
            return []
        places = np.asarray(among)
        # Letters in common, in whatever order, bound the likeness from above: few need a closer look.
        bound = 2 * np.minimum(self._bags[places], self._bag(name)).sum(axis=1) / (self._lengths[places] + len(name))
        words = frozenset(name.split())
        part = np.array([words <= self._words[place] or self._words[place] <= words for place in places])
        order = np.argsort(-(bound + _PART * part), kind="stable")[:_TRIED]
        matcher = SequenceMatcher(b=name, autojunk=False)
        scored = []
        for number in order:
            matcher.set_seq1(self._names[places[number]])
            likeness = matcher.ratio() + _PART * bool(part[number])
            if likeness >= _NEAR or part[number]:
                scored.append((-likeness, int(places[number])))
        return [place for _, place in sorted(scored)]
