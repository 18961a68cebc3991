"""How likely a passage is boilerplate, which no query will want, by its text alone: no labels, no model.

Query-agnostic quality as in Chang et al., "Neural Passage Quality Estimation for Static Pruning" (2024), by what can be counted: shares
of function words, digits, signs, capitals and different words (the information-to-noise ratio of Zhu and Gauch, "Incorporating quality
metrics in centralized/distributed information retrieval on the World Wide Web", 2000), short lines, ends of sentences, words of licences
and of navigation. They are put together by logistic regression, fitted to boilerplate and prose of Debian's manuals
(``bench/pruning.py fit``). That a passage repeats others is `repeats`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..analysis.scripts import UNSPACED, has_unspaced
from ..analysis.stop_words import stop_words
from ..analysis.words import split_words

__all__ = ["FEATURES", "LONGEST", "Estimate", "Kind", "estimate", "features"]

FEATURES = (
    "length",
    "function words",
    "sentences",
    "short lines",
    "columns",
    "digits",
    "signs",
    "capitals",
    "variety",
    "legal words",
    "pointers",
)
"""What `features` counts, in its order."""
LONGEST = 8_000
"""Characters of a passage that are looked at, ten times its usual length."""
FEWEST = 4
"""A passage of fewer words says nothing."""
_FULL = 7.0
"""Log2 of the words from which on more make no difference."""
_PROSE, _NEVER = -2.0, 1e9
"""Odds below which a paragraph is something to read, so that the passage is no boilerplate whatever else is in it: of
passages half prose and half licence (of the half that is fitted to) 2 in 100 are then taken for boilerplate."""
_BLOCK = 60
"""Characters of a paragraph from which on it says by itself what it is."""
_BLANK = re.compile(r"\n\s*\n|\f")
_SHORT = 6
"""A line of fewer words is a short one."""
_END = re.compile(r"[.!?:;\u3002\uff01\uff1f\u0964](?=[\s\"'\u201d\u2019)\]]|$)")
_COLUMNS = re.compile(r"\S(?:[ .\xb7]{3,}|\t+)\S|\S[^\n]*\s\(?(?:line\s+)?\d+\)?$|^(?:[*\u2022-] )?[^:\n]{1,60}::")
"""In a line of a table of contents or an index: leaders or columns, or a number at the end."""
_LEGAL_WORDS = (
    "agreement apache applicable binary bsd conditions contributor contributors copies copyright copyrighted copyrights covered"
    " damages derivative derivatives disclaimed disclaimer disclaims distribute distributed distribution express fee fitness granted"
    " gnu gpl grant herein hereby holder holders implied infringement law lgpl liable liability liabilities licence licences license"
    " licensed licensee licenses licensing licensor merchantability mit modification modified modify noninfringement notice notices"
    " notwithstanding obligation obligations party permission permissions permitted prohibited provided purpose reproduce reserved"
    " redistribute redistribution redistributions restriction rights sublicense terms third tort trademark trademarks warranties"
    " warranty"
)
_LEGAL = frozenset(_LEGAL_WORDS.split())
"""Words of which licences are made, in English, as nearly all of them are."""
_POINTER_WORDS = (
    "about back chapter click contact contents cookie cookies file home index line login menu navigation next node page pages prev"
    " previous privacy search section share sign sitemap skip subscribe table toc top up view"
)
_POINTERS = frozenset(_POINTER_WORDS.split())
"""Words that say where else to go."""
_WEIGHTS = np.array([-7.93, -7.163, -0.546, 0.925, 3.905, 14.301, -10.206, 4.686, -7.878, 60.701, 16.952])
"""Of `FEATURES`, fitted by ``bench/pruning.py fit``."""
_TYPICAL = np.array([0.783, 0.308, 0.618, 0.128, 0.108, 0.013, 0.066, 0.137, 0.758, 0.005, 0.015])
"""Their means in prose."""
_BIAS = 7.602
"""So that 1 in 100 paragraphs of prose has odds above 0."""
_LISTED = [at for at, name in enumerate(FEATURES) if name not in ("legal words", "pointers")]


class Kind:
    """Why a passage is left out; numbers are stored."""

    ORDINARY = 0
    REPEATED = 1
    EMPTY = 2
    LICENCE = 3
    NAVIGATION = 4
    LISTED = 5


class Estimate(NamedTuple):
    """What is thought of a passage."""

    odds: float
    """Logarithm of the odds that it is boilerplate; above 0 where that is likelier than not."""
    kind: int
    """What it would be: of `Kind`."""


def features(text: str, language: str | None) -> tuple[int, NDArray[np.float64]]:
    """The number of words of ``text``, and the values of `FEATURES`: float64 (features,).

    ``language``: the Snowball name of the language whose function words are counted; None for English.
    """
    shown = text[:LONGEST]
    unspaced = has_unspaced(shown)
    words = split_words(UNSPACED.sub(r" \g<0> ", shown) if unspaced else shown)
    count = len(words)
    if not count:
        return 0, np.zeros(len(FEATURES))
    lower = [word.lower() for word in words]
    functional = stop_words(language or "english") or stop_words("english")
    lines = [line for line in shown.split("\n") if line and not line.isspace()]
    short = (
        sum(line.count(" ") < _SHORT - 1 and len(line) < 12 * _SHORT for line in lines) / len(lines) if len(lines) > 2 else 0.0
    )
    columns = sum(_COLUMNS.search(line) is not None for line in lines) / len(lines) if len(lines) > 2 else 0.0
    solid = len(shown) - shown.count(" ") - shown.count("\n")
    digits = sum(map(str.isdigit, shown))
    letters = sum(map(len, words)) - digits
    return count, np.array(
        [
            min(_FULL, np.log2(1 + count)) / _FULL,
            sum(word in functional for word in lower) / count,
            min(2.0, 10 * len(_END.findall(shown)) / count),
            short,
            columns,
            digits / max(solid, 1),
            max(0, solid - digits - letters) / max(solid, 1),
            sum(word[0].isupper() for word in words) / count,
            len(set(lower)) / count,
            sum(word in _LEGAL for word in lower) / count,
            sum(word in _POINTERS for word in lower) / count,
        ]
    )


def estimate(text: str, language: str | None) -> Estimate:
    """What is thought of a passage of ``text`` (without its title) in a ``language`` (as of `features`)."""
    count, values = features(text, language)
    if count < FEWEST:
        return Estimate(_FULL, Kind.EMPTY)
    odds = float(values @ _WEIGHTS + _BIAS)
    if odds > _PROSE and "\n" in text:
        odds = min(odds, *_paragraphs(text[:LONGEST], language), _NEVER)
    parts = (values - _TYPICAL) * _WEIGHTS
    listed = sum(parts[at] for at in _LISTED)
    legal, pointing = parts[FEATURES.index("legal words")], parts[FEATURES.index("pointers")]
    kind = max(((legal, Kind.LICENCE), (pointing, Kind.NAVIGATION), (listed, Kind.LISTED)))[1]
    return Estimate(odds, kind)


def _paragraphs(text: str, language: str | None) -> Iterator[float]:
    """The odds of each paragraph of ``text``, of several, that is something to read."""
    blocks = _BLANK.split(text)
    for block in blocks if len(blocks) > 1 else ():
        if len(block) >= _BLOCK:
            odds = float(features(block, language)[1] @ _WEIGHTS + _BIAS)
            if odds < _PROSE:
                yield odds
