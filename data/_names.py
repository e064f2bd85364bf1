"""Names as people write them: a table of the town's programme without codes, and other names of its districts.

Nothing is drawn here. Every row shows one way in which a name in a table differs from the one in the register.
"""

from __future__ import annotations

import pandas as pd

_PROGRAMME = (  # name as written, homes, and of these rented from the municipality
    ("Gamla Hamra", 1840, 310),
    ("KVARNVRETEN", 1260, 540),
    ("klockängen", 980, 420),
    ("Lomma Torpvreten", 1410, 730),  # no hyphen
    ("Norra\u00a0Hedgärdet", 1130, 610),  # a no-break space
    ("Västra  Sjöhed", 1520, 690),  # two spaces
    ("Alhagen", 1710, 280),  # no ring
    ("Tallmohojden", 1190, 640),  # no dots
    ("Fågelisen", 760, 390),  # å read as i
    ("Bjömåsarna", 1340, 720),  # rn read as m
    ("Granhöijden", 1050, 580),  # beyond a misreading: mended by an alias
    ("Lövsveddjan", 920, 510),  # a letter written twice
    ("Vretarna", 1080, 560),  # what it is called in the town
    ("Tjärhamnen", 870, 450),  # its name from 1980 to 1998
    ("Mossarna", 690, 240),  # its name until 1987: out of use by the year of the table
)
_ALIASES = (  # the name, what it stands for, its first and last year
    ("Vretarna", "Östra Vretarna", "", ""),
    ("Granhöijden", "Granhöjden", "", ""),
    ("Mossarna", "Mossmarken", "", "1987"),
    ("Tjärkajen", "Tjärhamnen", "", "1979"),  # renamed twice
    ("Tjärhamnen", "0099S04", "1980", "1998"),
)


def programme_names() -> pd.DataFrame:
    """Return homes by the names of districts, as a colleague typed them."""
    return pd.DataFrame(_PROGRAMME, columns=["stadsdel", "homes", "rented"])


def aliases() -> pd.DataFrame:
    """Return other names of the districts, with the years in which those that were given up held."""
    return pd.DataFrame(_ALIASES, columns=["name", "known_as", "since", "until"])
