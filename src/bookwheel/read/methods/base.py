"""One run of a reading method: the question, the evidence, and a model within a budget of calls and time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._errors import ModelError
from ...language.prompts import load_prompt
from ..answer import Spent
from ..draft import Visible, nothing_found
from ..events import Token
from ..evidence import Evidence
from ..hostile import Fence, bare
from ..options import AskOptions
from ..protocols import Collection

__all__ = ["OutOfCalls", "Run", "relevance"]

_SCORE = re.compile(r"\b(10|[0-9])(?:\s*/\s*10)?\b")


class OutOfCalls(ModelError):
    """The calls that were allowed are used up, but for the one that answers."""


@dataclass
class Run:
    """What a method works with."""

    model: Any
    collection: Collection
    question: str
    evidence: list[Evidence]
    """May be reordered, cut down or added to; numbers stay what they are, and new evidence takes new ones."""
    options: AskOptions
    final: Callable[[Sequence[Evidence]], Iterator[Token]]
    """Asks the question of some evidence in one prompt, and yields the pieces of the answer, which become the draft."""
    write: Callable[[str], None]
    """Makes a text the draft."""
    deadline: float
    """A time of ``time.monotonic()``."""
    spent: Spent
    calls: int
    """Calls that are left."""

    def ask(self, name: str, **values: str) -> str:
        """The answer to the prompt ``name``. Raises `OutOfCalls`, `ModelError`."""
        if self.calls <= 1 or time.monotonic() >= self.deadline:
            raise OutOfCalls("no call of the language model is left")
        self.calls -= 1
        prompt = load_prompt(name)
        text = prompt.fill(**values)
        most = prompt.number("max_tokens", 128)
        system = prompt.settings.get("system", "")
        (found,) = self.model.generate([text], system=system, max_tokens=most, deadline=self.deadline)
        lengths = self.model.count_tokens([system + text, found])
        self.spent += Spent(1, lengths[0], lengths[1])
        visible = Visible()
        return bare(visible.feed(found)).strip()

    def of_passage(self, name: str, one: Evidence, **values: str) -> str:
        """The answer to a prompt about one passage, which is fenced off as data. Empty where it says that there is nothing."""
        fence = Fence([one.text])
        found = self.ask(
            name, passage=fence.around(one, self.options.hidden), secret=fence.secret, question=bare(self.question), **values
        )
        return "" if nothing_found(found) else found

    def add(self, found: Sequence[Evidence]) -> None:
        """Add evidence that is not there yet, under new numbers."""
        known = {one.passage for one in self.evidence}
        for one in found:
            if one.passage not in known:
                known.add(one.passage)
                self.evidence.append(replace(one, number=max((e.number for e in self.evidence), default=0) + 1))


def relevance(text: str) -> int | None:
    """The first number from 0 to 10 in what a model wrote; None where it wrote none."""
    found = _SCORE.search(text)
    return None if found is None else int(found[1])
