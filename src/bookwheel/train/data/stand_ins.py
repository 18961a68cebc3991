"""What stands for a query of a passage where nobody has asked one: its document's title, and sentences taken out of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...tune.made.masking import occurrences
from ...tune.made.wording import Wording, is_name, one_line
from .sentences import cloze

__all__ = ["StandIn", "StandIns"]

SENTENCES = 3
"""Of one passage."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """A query, and where it stands in the text that answers it: that is taken out of it."""

    query: str
    is_title: bool
    """A title is then no part of the answer."""
    spans: tuple[tuple[int, int], ...]
    """Start and end in the passage's text."""

    def answer(self, title: str, text: str) -> str:
        """The passage as it is indexed, without the query."""
        for start, end in reversed(self.spans):
            text = f"{text[:start]} {text[end:]}"
        return text if self.is_title or not title else f"{title}\n{text}"


@dataclass
class StandIns:
    """The title of each document once, for the first of its passages that is seen: it is a query for one of them, not for all."""

    wording: Wording
    seed: int
    _titled: set[int] = field(default_factory=set)

    def of(self, passage: int, document: int, title: str, text: str) -> Iterator[StandIn]:
        """Those of one passage; ``title`` is empty where it has none. What is drawn depends on the seed and its number alone."""
        line = one_line(title)
        if line and document not in self._titled and not is_name(line) and self.wording.usable(line):
            self._titled.add(document)
            yield StandIn(line, True, tuple(occurrences(text, line)))
        for start, end in cloze(text, SENTENCES, random.Random(f"{self.seed} {passage}")):
            yield StandIn(text[start:end], False, ((start, end),))
