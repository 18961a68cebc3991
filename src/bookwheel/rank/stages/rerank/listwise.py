"""``bm25 >> listwise(20, model="http://localhost:8080/v1#MODEL")``: a language model writes down
the order of the passages.

All in one pass (``window=0``) rather than by windows: Liu et al., "Sliding Windows Are Not the End:
Exploring Full Ranking with Long-Context Large Language Models" (2024). In part: the ranking, not
the tuning on whole lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...._errors import ModelError, RecipeError, UsageError
from ....hits import Hits
from ....language import language_model
from ....language.prompts import load_prompt
from ....language.protocols import Generator, remaining
from ...query import Query
from ..base import Rerank
from ..context import Context
from ..parameters import check_model, check_number, check_whole
from ..reranking import Reranked, rerank_with

__all__ = ["Listwise", "ListwiseReranker", "read_order"]

_NUMBER = re.compile(r"\d+")


class ListwiseReranker:
    """Shows a language model numbered passages and reads the order that it writes.

    Sun et al., "Is ChatGPT Good at Search?" (EMNLP 2023, RankGPT). A window of ``window`` passages
    moves from the last candidates to the first by ``step``, and each answer reorders its window;
    ``window=0`` shows all at once, for models with a long context. Passages that an answer leaves
    out follow in their old order, repeats and wrong numbers are ignored, and an answer without any
    number changes nothing (`malformed` counts these). Passages are cut to ``max_words`` words.
    """

    def __init__(
        self, model: Generator, *, window: int = 20, step: int = 10, prompt: str = "listwise", max_words: int = 100
    ) -> None:
        if window < 0 or window == 1 or (window and not 1 <= step < window):
            raise UsageError(
                f"a window of {window} with step {step} cannot pass over a list; use a window of 2 or more and a smaller step"
            )
        self._model = model
        self._window = window
        self._step = step
        self._prompt = load_prompt(prompt)
        self._max_words = max_words
        self.malformed = 0
        """Answers so far that named no passage."""
        self.failure = ""
        """Why the last call ended early, or nothing."""

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores n, n-1, … 1 in the order found. Windows that the deadline leaves out keep their
        order.

        Raises `ModelError` if the model never answers; a later failure ends the reranking with what
        was found so far.
        """
        order = list(range(len(texts)))
        done = 0
        self.failure = ""
        for first, last in self._windows(len(order)):
            if remaining(deadline) <= 0:
                break
            try:
                order[first:last] = self._reordered(query, texts, order[first:last], deadline)
            except ModelError as error:
                if not done and remaining(deadline) > 0:
                    raise
                self.failure = str(error)
                break
            done += 1
        if not done and len(order) > 1:
            return Reranked.of([None] * len(texts))
        scores = [0.0] * len(order)
        for rank, number in enumerate(order):
            scores[number] = float(len(order) - rank)
        return Reranked.of(scores)

    def _windows(self, count: int) -> list[tuple[int, int]]:
        if count < 2:
            return []
        if not self._window or count <= self._window:
            return [(0, count)]
        found = []
        first = count - self._window
        while first > 0:
            found.append((first, first + self._window))
            first -= self._step
        return [*found, (0, self._window)]

    def _reordered(self, query: str, texts: Sequence[str], numbers: list[int], deadline: float | None) -> list[int]:
        passages = "\n".join(f"[{rank}] {self._cut(texts[number])}" for rank, number in enumerate(numbers, 1))
        prompt = self._prompt.fill(query=" ".join(query.split()), passages=passages, count=str(len(numbers)))
        (answer,) = self._model.generate(
            [prompt],
            system=self._prompt.settings.get("system", ""),
            max_tokens=self._prompt.number("max_tokens", 160),
            deadline=deadline,
        )
        order, named = read_order(answer, len(numbers))
        self.malformed += not named
        return [numbers[i] for i in order]

    def _cut(self, text: str) -> str:
        """``text`` on one line, without anything that could be taken for another passage's number."""
        words = text.split()[: self._max_words]
        return re.sub(r"\[(\d+)\]", r"(\1)", " ".join(words))


def read_order(answer: str, count: int) -> tuple[list[int], int]:
    """The order of ``count`` passages (numbers from 0) in an answer such as ``[2] > [1]``, and how
    many it names.

    Numbers out of range and repeats are ignored; passages that are not named follow in their old
    order. An answer may think aloud first: if it has numbers in brackets, other numbers are not
    read.
    """
    numbers = re.findall(r"\[(\d+)\]", answer) or _NUMBER.findall(answer)
    named = [int(n) - 1 for n in numbers if len(n) < 7]
    order = list(dict.fromkeys(n for n in named if 0 <= n < count))
    chosen = set(order)
    return order + [n for n in range(count) if n not in chosen], len(order)


@dataclass(frozen=True, slots=True)
class Listwise(Rerank):
    """Has a language model write down the order of the candidates, one window at a time
    (``window=0``: all at once).
    """

    name = "listwise"
    summary = "has a language model write down the order of the passages"
    source = "Sun et al., Is ChatGPT Good at Search?, EMNLP 2023 (RankGPT)"
    needs = ("a language model", "texts")
    cost = "one answer of the model per window; models with less than a few billion parameters cannot do it"

    candidates: int = 20
    model: str = "smollm2"
    window: int = 20
    step: int = 10
    weight: float = 1.0
    seconds: float = math.inf

    def check_parameters(self) -> None:
        """Check all of them."""
        check_model(self.model)
        check_whole("candidates", self.candidates, 1, 1000)
        check_whole("window", self.window, 0, 1000)
        if self.window == 1:
            raise RecipeError("a window of 1 passage has no order; use window=0 for all at once, or 2 and more")
        check_whole("step", self.step, 1, 999)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates that are read, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def make() -> ListwiseReranker:
            step = min(self.step, max(1, self.window - 1))
            return ListwiseReranker(language_model(self.model), window=self.window, step=step)

        return rerank_with(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )
