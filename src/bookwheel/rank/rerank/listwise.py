"""Listwise reranking by generation: a language model is shown numbered passages and writes down their order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..._errors import ModelError, UsageError
from ...language.prompts import load_prompt
from ...language.protocols import Generator, remaining
from .base import Reranked

__all__ = ["ListwiseReranker", "read_order"]

_NUMBER = re.compile(r"\d+")


class ListwiseReranker:
    """Sun et al., "Is ChatGPT Good at Search?" (EMNLP 2023, RankGPT).

    A window of ``window`` passages goes from the last candidates to the first by ``step``, and each answer reorders its window;
    ``window=0`` shows all at once, for models of long context. What an answer leaves out follows in its old order, what it
    names twice or wrongly is ignored, and one without any number changes nothing (`malformed` counts them). Passages are cut to
    ``max_words`` words.
    """

    def __init__(
        self, model: Generator, *, window: int = 20, step: int = 10, prompt: str = "listwise", max_words: int = 100
    ) -> None:
        if window < 0 or window == 1 or (window and not 1 <= step < window):
            raise UsageError(
                f"a window of {window} with step {step} cannot pass over a list; give a window from 2 up and a smaller step"
            )
        self._model = model
        self._window = window
        self._step = step
        self._prompt = load_prompt(prompt)
        self._max_words = max_words
        self.malformed = 0
        """Answers so far that named no passage."""
        self.failure = ""
        """Why the last call stopped early, or nothing."""

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores n, n-1, … 1 in the order found. Windows that the deadline leaves out keep their order.

        Raises `ModelError` where the model answers not even once; later failures end the work with what was found so far.
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
        """On one line, without what could be taken for another passage's number."""
        words = text.split()[: self._max_words]
        return re.sub(r"\[(\d+)\]", r"(\1)", " ".join(words))


def read_order(answer: str, count: int) -> tuple[list[int], int]:
    """The order of ``count`` passages (numbers from 0) that an answer like ``[2] > [1]`` gives, and how many it names.

    Numbers out of range and repeats are ignored; passages not named follow in their old order. An answer may think aloud before
    it: where there are numbers in brackets, the others are not read.
    """
    numbers = re.findall(r"\[(\d+)\]", answer) or _NUMBER.findall(answer)
    named = [int(n) - 1 for n in numbers if len(n) < 7]
    order = list(dict.fromkeys(n for n in named if 0 <= n < count))
    chosen = set(order)
    return order + [n for n in range(count) if n not in chosen], len(order)
