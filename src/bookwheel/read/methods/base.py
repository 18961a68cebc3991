"""One run of a reading method: the question, the evidence, and a model within a budget of calls and time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..._errors import ModelError
from ...language import Reply
from ...language.prompts import load_prompt
from ...language.remote import RemoteModel
from ..answer import Claim, Spent
from ..binding import Binder
from ..draft import Visible, nothing_found
from ..events import Token
from ..evidence import Evidence
from ..hostile import Fence, bare
from ..options import AskOptions
from ..protocols import Collection

__all__ = ["Final", "OutOfCalls", "Run", "model_context", "relevance"]

_SCORE = re.compile(r"\b(10|[0-9])(?:\s*/\s*10)?\b")


class OutOfCalls(ModelError):
    """The calls that were allowed are used up, but for the one that answers."""


class Final(Protocol):
    """Asks the question of some evidence in one prompt, and yields the pieces of the answer, which become the draft."""

    def __call__(self, evidence: Sequence[Evidence], reply: Reply | None = None) -> Iterator[Token]:
        """The pieces of the answer from ``evidence``; ``reply`` is filled in."""
        ...


@dataclass
class Run:
    """What a method works with."""

    model: Any
    collection: Collection
    question: str
    evidence: list[Evidence]
    """May be reordered, cut down or added to; numbers stay what they are, and new evidence takes new ones."""
    options: AskOptions
    final: Final
    write: Any
    """Takes a text, which becomes the draft."""
    deadline: float
    """A time of ``time.monotonic()``."""
    spent: Spent
    calls: int
    """Calls that are left."""
    quoted: Sequence[Claim] = ()
    """The quoting answer."""
    probability: float | None = None
    """That the evidence answers the question; None where that cannot be told."""
    stands: bool = False
    """Set by a method that leaves the answer to the quotes."""
    notes: list[str] = field(default_factory=list)
    """What is to be told, in words for people."""

    def ask(self, name: str, *, spare: int = 1, **values: str) -> str:
        """The answer to the prompt ``name``, where more than ``spare`` calls are left. Raises `OutOfCalls`, `ModelError`."""
        self.count(spare)
        prompt = load_prompt(name)
        text = prompt.fill(**values)
        most = prompt.number("max_tokens", 128)
        system = prompt.settings.get("system", "")
        (found,) = self.model.generate([text], system=system, max_tokens=most, deadline=self.deadline)
        lengths = self.model.count_tokens([system + text, found])
        self.spent += Spent(1, lengths[0], lengths[1])
        visible = Visible()
        return bare(visible.feed(found)).strip()

    def count(self, spare: int = 1) -> None:
        """Count one call. Raises `OutOfCalls`."""
        if self.calls <= spare or time.monotonic() >= self.deadline:
            raise OutOfCalls("no call of the language model is left")
        self.calls -= 1

    def of_passage(self, name: str, one: Evidence, *, spare: int = 1, **values: str) -> str:
        """The answer to a prompt about one passage, which is fenced off as data. Empty where it says that there is nothing."""
        return self.of_passages(name, [one], spare=spare, **values)

    def of_passages(self, name: str, some: Sequence[Evidence], *, spare: int = 1, **values: str) -> str:
        """As `of_passage`, for as many passages as fit, best first."""
        fence = Fence([one.text for one in some])
        given = {"secret": fence.secret, "question": bare(self.question), **values}
        texts = [fence.around(one, self.options.hidden) for one in some]
        prompt = load_prompt(name)
        room = model_context(self.model, self.options.context) - prompt.number("max_tokens", 128) - 60
        frame, *lengths = self.model.count_tokens([prompt.fill(passage="", **given), *texts])
        while len(lengths) > 1 and frame + sum(lengths) + 2 * len(lengths) > room:
            lengths.pop()
        found = self.ask(name, spare=spare, passage="\n\n".join(texts[: len(lengths)]), **given)
        return "" if nothing_found(found) else found

    def add(self, found: Sequence[Evidence]) -> list[Evidence]:
        """Add evidence that is not there yet, under new numbers; what was added."""
        known = {one.passage for one in self.evidence}
        added = []
        for one in found:
            if one.passage not in known:
                known.add(one.passage)
                added.append(replace(one, number=max((e.number for e in self.evidence), default=0) + 1))
                self.evidence.append(added[-1])
        return added

    def claims(self, text: str) -> list[Claim]:
        """The sentences of ``text`` that stored text supports."""
        return [claim for claim in self._binder().bind(text) if claim.status in ("quoted", "supported")]

    def said(self, claims: Sequence[Claim]) -> float:
        """How much of the question's terms ``claims`` say: 0 to 1."""
        return self._binder().said(claims)

    def _binder(self) -> Binder:
        return Binder(self.collection, self.question, self.evidence, hidden=self.options.hidden)


def model_context(model: Any, given: int | None) -> int:
    """Tokens of prompt and answer that the model takes: what it says, or ``given``, of which a model in this process may have less."""
    if given is not None and isinstance(model, RemoteModel):
        return given
    known = int(getattr(model, "context", 4096))
    return known if given is None else min(given, known)


def relevance(text: str) -> int | None:
    """The first number from 0 to 10 in what a model wrote; None where it wrote none."""
    found = _SCORE.search(text)
    return None if found is None else int(found[1])
