"""What is known of a document whatever is asked, for the stage ``prior``: see `rank.stages.qualities.QUALITIES`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged
from ..analysis.words import split_words
from ..documents.dates import date_of
from ..rank.stages.qualities import QUALITIES
from .results import StoredDocument
from .store import Store

__all__ = ["qualities", "qualities_of"]

REMEMBERED = 100_000
"""Documents whose qualities are held."""
_OPENING, _WORDS, _DEEPEST = 5_000, 500, 20
_SENTENCE = re.compile(r"[.!?。！？](?=\s|$)")
_LINK = re.compile(r"https?://|\]\(|\[\[")


def qualities(document: StoredDocument) -> NDArray[np.float32]:
    """The values of `QUALITIES` in their order: float32 (qualities,)."""
    opening = document.text[:_OPENING]
    words = split_words(opening)[:_WORDS]
    folders = 0 if document.source == "-" else min(document.source.count("/"), _DEEPEST)
    date = date_of(document.metadata, document.file)
    values = {
        "length": math.log10(len(document.text) + 1),
        "title": float(bool(document.title.strip())),
        "variety": len({word.casefold() for word in words}) / len(words) if words else 0.0,
        "digits": 10 * sum(map(str.isdecimal, opening)) / max(1, len(opening)),
        "sentences": 10 * len(_SENTENCE.findall(opening)) / max(1, len(split_words(opening))),
        "links": math.log10(1 + len(_LINK.findall(document.text))),
        "folders": folders / 10,
        "date": (int(date[:4]) - 2000) / 10 if date else 0.0,
    }
    return np.array([values[name] for name in QUALITIES], np.float32)


def qualities_of(store: Store, ids: Sequence[int], known: dict[int, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Those of the documents of passages ``ids``: float32 (n, qualities); ``known``: by the document's number, filled here.

    Zeros for a passage whose document is gone or damaged, which the search tells by itself.
    """
    found = np.zeros((len(ids), len(QUALITIES)), np.float32)
    documents = store.documents_of(ids, known=True)
    for row, passage in enumerate(ids):
        if passage not in documents:
            continue
        number = documents[passage][0]
        if number not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            try:
                known[number] = qualities(store.document(number))
            except LibraryDamaged:
                known[number] = np.zeros(len(QUALITIES), np.float32)
        found[row] = known[number]
    return found
