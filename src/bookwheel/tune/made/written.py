"""Questions that a language model writes for passages, kept where searching them leads back to their document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._errors import ModelError
from ..._paths import cache
from ...encode.expansion import queries_of
from ...language import writer
from ...language.answer_cache import AnswerCache
from ...language.ask import Asker
from ...language.prompts import load_prompt
from ...language.protocols import Generator
from ...library.results import StoredDocument
from .drawn import Drawn
from .query import Draft, Taken
from .wording import one_line

__all__ = ["Described", "Written"]

CONSISTENT = 5
"""The question's own document must be among so many by one of the retrievers."""
PASSAGE = 1500
"""Characters of a passage that the model reads."""
SECONDS = 120.0
"""For one question."""


class Written:
    """One question for a passage of each document. Where the document says the question word for word, that is taken out.

    Round-trip consistency: a question stays only if words or vectors alone find its document among the best `CONSISTENT`. Either
    will do, so that the questions favour neither.
    """

    name = "written"
    prompt = "question"
    """What the model is asked."""
    copied = 1.0
    """The share of its telling words that may stand in the passage."""
    summary = "a question that a language model wrote for a passage; its document"
    source = (
        "Bonifacio, Abonizio, Fadaee and Nogueira, InPars (SIGIR 2022); Dai et al., Promptagator (ICLR 2023), whose round-trip "
        "filter it has"
    )
    needs = "model"

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`. Raises `ModelError` where the model cannot answer."""
        if drawn.model is None:
            return
        model = self._opened(drawn.model)
        prompt = load_prompt(self.prompt)
        answers = AnswerCache(cache() / "answers.sqlite")
        asked = 0
        for document in drawn.documents():
            passage = _passage(document, drawn)
            if passage is None:
                continue
            if drawn.over(asked):
                return
            asked += 1
            start, end = passage
            read = document.text[start : min(end, start + PASSAGE)]
            asker = Asker(self._reading(model, read), answers, calls=1, seconds=SECONDS)
            try:
                answer = asker.ask(prompt, passage=read)
            except ModelError as error:
                if "empty answer" in str(error):
                    continue
                raise
            question = next(iter(queries_of(answer)), "")
            question = one_line(question)
            if not drawn.wording.usable(question) or self._copies(drawn, question, read):
                continue
            if not consistent(drawn, question, document.id):
                continue
            taken = {document.number: Taken(phrases=(question,))}
            yield Draft(question, {document.number: 1}, taken, f"{document.id} {start}-{end}")

    def _opened(self, model: Any) -> Any:
        """``model``, a name or an object, as it is asked."""
        return writer(model) if isinstance(model, str) else model

    def _reading(self, model: Any, passage: str) -> Generator:
        """What is asked about ``passage``."""
        found: Generator = model
        return found

    def _copies(self, drawn: Drawn, question: str, passage: str) -> bool:
        """Whether more of the question's words than allowed are the passage's own."""
        words = drawn.wording.telling(question)
        own = set(drawn.wording.telling(passage))
        return sum(word in own for word in words) > self.copied * len(words)


class Described(Written):
    """Instead of a question, a description in general words: training on them, an encoder finds what people only remember vaguely.

    In part: theirs come with descriptions that a passage does not fit; here all other passages of a batch are what does not.
    """

    name = "described"
    prompt = "description"
    copied = 0.5
    summary = "a description that a language model wrote for a passage, in other words; its document"
    source = "Ravfogel, Pyatkin, Cohen, Manevich and Goldberg, Retrieving Texts based on Abstract Descriptions (2023)"


def _passage(document: StoredDocument, drawn: Drawn) -> tuple[int, int] | None:
    """The passage with the smallest hash of those with enough words."""
    long = [
        one
        for one in document.passages
        if len(drawn.wording.telling(document.text[one[0] : min(one[1], one[0] + PASSAGE)])) >= 5
    ]
    return min(long, key=lambda one: drawn.chance(document.number, one[0]), default=None)


def consistent(drawn: Drawn, question: str, document: str) -> bool:
    """Whether words alone, or the vectors alone, find ``document``."""
    library = drawn.library
    names = ["bm25", *(["dense"] if library._snapshot.manifest.settings.encoder is not None else [])]
    return any(document in dict(library.rank_documents([question], k=CONSISTENT, recipe=name)[0]) for name in names)
