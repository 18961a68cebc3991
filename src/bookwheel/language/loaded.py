"""A model of transformers that was loaded: its texts as tokens, its pace, its end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from .._errors import ModelError
from .protocols import remaining
from .sampling import TOP, Rows, sampled

__all__ = ["LoadedModel"]


class LoadedModel:
    """A model and its tokenizer: what models of this process have in common, however they read and write.

    One thread at a time runs it; others wait.
    """

    context: int
    """The most tokens that it can attend to."""

    def __init__(self, name: str, model: Any, tokenizer: Any, *, precision: str = "float32") -> None:
        self.name = name
        self.precision = precision
        model.eval()
        self._model: Any = model
        self._tokenizer: Any = tokenizer
        self._lock = threading.RLock()
        self._pace = 0.0  # seconds per token, recently
        self.parameters: int = sum(one.numel() for one in model.parameters())

    # -- texts ---------------------------------------------------------------------------------------------------------

    def tokens(self, text: str) -> list[int]:
        """The ids of the tokens of ``text``.

        No special tokens are added; those written out in the text are recognised.
        """
        return list(self._open_tokenizer()(text, add_special_tokens=False)["input_ids"])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Generator.count_tokens`; exact."""
        return [len(self.tokens(text)) for text in texts]

    def _text(self, answer: Sequence[int]) -> str:
        made: str = self._tokenizer.decode(answer, skip_special_tokens=True)
        return made

    def _ends(self) -> set[int]:
        """The tokens that end an answer."""
        ends = self._model.generation_config.eos_token_id if self._model.generation_config else None
        found = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
        if self._tokenizer.eos_token_id is not None:
            found.add(self._tokenizer.eos_token_id)
        return found

    # -- drawing -------------------------------------------------------------------------------------------------------

    def sample(
        self,
        prompt: str,
        count: int,
        *,
        system: str = "",
        max_tokens: int = 128,
        top: int = TOP,
        seed: int = 0,
        deadline: float | None = None,
    ) -> list[str]:
        """See `Sampler.sample`. The prompt is read once."""
        with self._lock:
            ids = self._chat(system, prompt)
            self._room(len(ids), max_tokens)
            found = sampled(
                self._rows(ids, count), self._text, self._ends().__contains__, count, most=max_tokens, top=top, seed=seed,
                deadline=deadline,
            )  # fmt: skip
        return [one.strip() for one in found]

    def _chat(self, system: str, prompt: str) -> list[int]:
        """The tokens that are read of a prompt."""
        raise NotImplementedError

    def _room(self, prompt: int, answer: int) -> None:
        """Raise `ModelError` where so many tokens of a prompt and of its answer are too many."""
        raise NotImplementedError

    def _rows(self, ids: list[int], count: int) -> Rows:
        """What reads ``ids`` once and then goes on in ``count`` ways."""
        raise NotImplementedError

    # -- time ----------------------------------------------------------------------------------------------------------

    def seconds(self, tokens: int) -> float:
        """An estimate of the seconds to read this many tokens, from the last passes; 0 before any."""
        return self._pace * tokens

    def _in_time(self, tokens: int, deadline: float | None) -> bool:
        return remaining(deadline) > self.seconds(tokens)

    def _took(self, seconds: float, tokens: int) -> None:
        """A pass over ``tokens`` took so long."""
        pace = seconds / tokens
        self._pace = pace if not self._pace else 0.7 * self._pace + 0.3 * pace

    # -- life ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See `Generator.close`."""
        with self._lock:
            self._model = self._tokenizer = None

    def _open_model(self) -> Any:
        if self._model is None:
            raise ModelError(f"the language model {self.name!r} is closed; load it again")
        return self._model

    def _open_tokenizer(self) -> Any:
        self._open_model()
        return self._tokenizer
