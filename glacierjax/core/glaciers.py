"""Spellings of glacier names: the only place that knows that `COL` in one data set is `Columbia` in the other."""

import re

# CaFFe's short names (Gourmelon et al. 2022), and how other data sets spell the same glaciers.
SPELLINGS = {
    "COL": ("Columbia", "ColumbiaGlacier"),
    "JAC": ("Jakobshavn", "JakobshavnIsbrae", "SermeqKujalleq"),
    "DBE": ("DinsmoorBombardierEdgeworth",),
    "SI": ("SjogrenInlet", "Sjogren"),
}


def glacier_key(name: str) -> str:
    """What all spellings of one glacier have in common, for comparing: case, hyphens, dots and blanks do not count."""
    folded = _fold(name)
    return _KEYS.get(folded, folded)


def canonical_glacier(name: str) -> str:
    """CaFFe's name of a glacier that it has, else the name as it is."""
    return _CANONICAL.get(glacier_key(name), name)


def _fold(name: str) -> str:
    return re.sub(r"[-.\s]", "", name).casefold()


_KEYS = {_fold(other): _fold(short) for short, others in SPELLINGS.items() for other in others}
_CANONICAL = {_fold(short): short for short in SPELLINGS}
