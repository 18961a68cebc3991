"""How a causal language model of this process writes: greedily, copying from a source, over several prompts, or by drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .copying import copying_step, source_tokens
from .decoding import Step, decoded, log_softmax, mixed, shares
from .forward import ForwardModel, cache_argument
from .protocols import OneByOne, Reply, stopped
from .sampling import Rows

__all__ = ["WritingModel", "common"]

SHARED = 32
"""Tokens that two prompts must begin with alike for the second to go on from the first."""


class WritingModel(ForwardModel, OneByOne):
    """The part of `LocalModel` that answers prompts. One thread at a time runs it; others wait."""

    def chat_text(self, prompt: str, system: str = "") -> str:
        """The whole text that is read of ``prompt``, after which the answer is written: as the model's own template has it."""
        tokenizer = self._open_tokenizer()
        if not tokenizer.chat_template:
            return f"{system}\n\n{prompt}\n" if system else f"{prompt}\n"
        messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": prompt}]
        text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return text

    def _chat(self, system: str, prompt: str) -> list[int]:
        return self.tokens(self.chat_text(prompt, system))

    def stream(
        self,
        prompt: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Streamer.stream`. What the prompt and the last one begin with alike is not read again."""
        with self._lock:
            yield from self._pieces(self._chat(system, prompt), max_tokens, stop, deadline, reply or Reply())

    def copying(
        self,
        prompt: str,
        source: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Copier.copying`. What the prompt and the last one begin with alike is not read again."""
        told = reply or Reply()
        with self._lock:
            text = self.chat_text(prompt, system)
            ids, places = source_tokens(self._open_tokenizer(), text, prompt, source)
            self._room(len(ids), max_tokens)
            stopped("", stop)
            told.prompt_tokens = len(ids)
            cache, known = self._kept_for(ids)
            step = copying_step(self.name, self._open_model(), ids, known, cache, places)
            yield from self._decoded(step, max_tokens, stop, deadline, told)
            self._kept = (ids, cache)

    def ensemble(
        self,
        prompts: Sequence[str],
        weights: Sequence[float],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Ensemble.ensemble`."""
        from transformers import DynamicCache

        parts = shares(weights, len(prompts))
        told = reply or Reply()
        with self._lock:
            rows = [self._chat(system, prompt) for prompt in prompts]
            self._room(max(map(len, rows)), max_tokens)
            told.prompt_tokens = sum(map(len, rows))
            caches = [DynamicCache() for _ in rows]

            def step(last: int | None) -> tuple[int, float]:
                pairs = zip(rows, caches, strict=True)
                return mixed([log_softmax(self._next(ids if last is None else [last], cache)) for ids, cache in pairs], parts)

            yield from self._decoded(step, max_tokens, stop, deadline, told)

    def _rows(self, ids: list[int], count: int) -> Rows:
        """See `LoadedModel`."""
        from transformers import DynamicCache

        cache = DynamicCache()

        def step(last: Sequence[int] | None) -> NDArray[np.float32]:
            if last is not None:
                return self._logits([[token] for token in last], cache)
            first = self._logits([ids], cache)
            if count > 1:
                cache.batch_repeat_interleave(count)
            many: NDArray[np.float32] = np.repeat(first, count, 0)
            return many

        return step

    def _pieces(self, ids: list[int], most: int, stop: Sequence[str], deadline: float | None, reply: Reply) -> Iterator[str]:
        """The pieces of the answer to ``ids``. What was read of the prompt is kept for the next one."""
        self._room(len(ids), most)
        stopped("", stop)
        reply.prompt_tokens = len(ids)
        cache, known = self._kept_for(ids)

        def step(last: int | None) -> tuple[int, float]:
            logits = self._next(ids[known:] if last is None else [last], cache)
            token = int(logits.argmax())
            return token, float(log_softmax(logits)[token]) if reply.probabilities else 0.0

        yield from self._decoded(step, most, stop, deadline, reply)
        self._kept = (ids, cache)

    def _decoded(self, step: Step, most: int, stop: Sequence[str], deadline: float | None, reply: Reply) -> Iterator[str]:
        return decoded(step, self._text, self._ends().__contains__, most=most, stop=stop, deadline=deadline, reply=reply)

    def _next(self, ids: list[int], cache: Any) -> NDArray[np.float32]:
        """The logits of the next token after ``ids``, which are read behind what ``cache`` has: float32 (vocabulary,)."""
        found: NDArray[np.float32] = self._logits([ids], cache)[0]
        return found

    def _logits(self, rows: Sequence[Sequence[int]], cache: Any) -> NDArray[np.float32]:
        """The logits of the token after each of ``rows``, which are of one length: float32 (rows, vocabulary)."""
        import torch

        model = self._open_model()
        with torch.inference_mode():
            out = model(torch.tensor(rows), use_cache=True, logits_to_keep=1, **{cache_argument(model): cache})
        return np.asarray(out.logits[:, -1].float().numpy(), np.float32)

    def _room(self, prompt: int, answer: int) -> None:
        self._whole()
        if prompt + answer > self.context:
            raise ModelError(
                f"a prompt of {prompt} tokens and an answer of {answer} exceed the context of {self.name!r}, {self.context} "
                "tokens; give fewer or shorter passages"
            )

    def _kept_for(self, ids: list[int]) -> tuple[Any, int]:
        """A cache with the tokens that ``ids`` and the last prompt begin with alike, and their number."""
        from transformers import DynamicCache

        held, self._kept = self._kept, None  # the pieces of an answer that is given up leave nothing behind
        if held is not None:
            before, cache = held
            shared = common([before, ids], min(len(before), len(ids) - 1))
            extra = cache.get_seq_length() - shared
            if shared >= SHARED and extra > 0:
                try:
                    cache.crop(-extra)
                except (ValueError, RuntimeError, TypeError):  # a kind of cache that cannot be cropped
                    return DynamicCache(), 0
                if cache.get_seq_length() == shared:
                    return cache, shared
        return DynamicCache(), 0


def common(lists: Sequence[Sequence[int]], most: int) -> int:
    """The number of first items that all lists share, at most ``most``; 0 for a single list."""
    if len(lists) < 2:
        return 0
    count = 0
    while count < most and all(one[count] == lists[0][count] for one in lists):
        count += 1
    return count
