"""Pairs of the ways by which queries are made where nobody has judged: questions of sentences, links, threads, and a model's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from ..._errors import LibraryDamaged
from ...library.results import StoredDocument
from ...tune.made.base import Way
from ...tune.made.copied import Copied
from ...tune.made.drawn import Drawn
from ...tune.made.masking import occurrences, without
from ...tune.made.query import Draft, Taken
from ...tune.made.registry import WAYS
from ...tune.made.written import Described
from .material import Material
from .pairs import LONGEST, Pair

__all__ = ["ASKED", "MADE", "made"]

MADE: Mapping[str, Way] = MappingProxyType(
    {name: WAYS[name] for name in ("cloze", "links", "replies", "written")} | {"copied": Copied(), "described": Described()}
)
"""The ways that are sources of pairs under their own names; ``titles`` has titles, headings and sentences at once. Descriptions are no
queries to judge by, and copied questions favour words as queries to judge by must not, so that they are sources of pairs alone."""
ASKED = tuple(name for name, way in MADE.items() if way.needs == "model")
"""Those that ask a language model."""
_PLACE = re.compile(r" (\d+)-(\d+)$")


@dataclass(frozen=True)
class made:  # noqa: N801  # a source is a function; this one has a parameter
    """The source of one way. Its drafts are those of the copy, whose documents have lost what held-out queries were made of.

    An answer is the passage that the query was made from (of a link or a thread: the first one), without what the way takes out of
    it, so that the query's words alone do not give it away. ``written``, ``copied`` and ``described`` ask a model for one text after
    the other until the time for it is over, or as often as before the run was stopped; answers are kept in the user's cache.
    """

    way: str

    def __call__(self, material: Material, path: str) -> Iterator[Pair]:
        """Raises `ModelError` where the model cannot answer."""
        drawn = Drawn.of(material.copy, material.seed, model=path or None, over=partial(material.asking.over, self.way))
        for draft in MADE[self.way].drafts(drawn):
            for number in draft.relevant:
                try:
                    document = material.copy.document(number)
                except (KeyError, LibraryDamaged):
                    continue
                answer = _answer(document, draft)
                if drawn.wording.usable(draft.text) and len(drawn.wording.telling(answer)) >= LEAST:
                    yield Pair(draft.text[:LONGEST], answer, number)


LEAST = 5
"""Telling words of an answer."""


def _answer(document: StoredDocument, draft: Draft) -> str:
    """The passage that ``draft`` was made from, as it is indexed, without what is taken out of it."""
    taken = draft.taken.get(document.number, Taken())
    told = _PLACE.search(draft.source) if draft.source.startswith(f"{document.id} ") else None
    place = taken.spans[0][0] if taken.spans else int(told[1]) if told else 0
    start, end = next(((a, b) for a, b in document.passages if a <= place < b), (0, len(document.text)))
    text = document.text[start:end]
    cut = [(a - start, b - start) for a, b in taken.spans]
    for phrase in (*taken.phrases, draft.text):
        cut += occurrences(text, phrase)
    text = without(text, cut)
    title = "" if taken.title or occurrences(document.title, draft.text) else document.title
    return (f"{title}\n{text}" if title else text)[:LONGEST]
