"""Asks a language model within a budget of calls and time; earlier answers come from a cache."""

from __future__ import annotations

import time

from .._deadline import until
from .._errors import ModelError
from .answer_cache import AnswerCache
from .prompts import Prompt
from .protocols import Generator

__all__ = ["Asker"]


class Asker:
    """Asks ``model`` for one query: at most ``calls`` prompts within ``seconds``.

    Answers from the cache count for neither.
    """

    def __init__(self, model: Generator, answers: AnswerCache, *, calls: int = 4, seconds: float = 20.0) -> None:
        self._model = model
        self._answers = answers
        self._left = calls
        self._calls = calls
        self._seconds = seconds
        self._until = until(seconds)

    def ask(self, prompt: Prompt, **values: str) -> str:
        """The answer to ``prompt`` filled in with ``values``, without white space around it.

        Raises `ModelError` for an empty answer, or if the budget is used up.
        """
        text = prompt.fill(**values)
        system = prompt.settings.get("system", "")
        most = prompt.number("max_tokens", 128)
        whole = f"{prompt.digest}\0{most}\0{system}\0{text}"
        answer = self._answers.get(self._model.name, whole)
        if answer is None:
            if self._left <= 0:
                raise ModelError(f"the query has used its {self._calls} calls of the language model; allow more")
            if time.monotonic() >= self._until:
                raise ModelError(f"the query has used its {self._seconds:g} s for the language model; allow more")
            self._left -= 1
            (answer,) = self._model.generate([text], system=system, max_tokens=most, deadline=self._until)
            # A server may send half a character, an unpaired surrogate.
            answer = answer.encode("utf-8", "replace").decode()
            # An answer that the deadline cut short is used, but not cached.
            if time.monotonic() < self._until and answer.strip():
                self._answers.put(self._model.name, prompt.name, whole, answer)
        if not answer.strip():
            raise ModelError(
                f"the language model {self._model.name!r} gave an empty answer to the prompt {prompt.name!r}; try another model"
            )
        return answer.strip()
