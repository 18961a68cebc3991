"""A language model on a server that speaks the OpenAI-compatible protocol.

llama.cpp's server, vLLM, Ollama, LM Studio, OpenAI and others do: ``POST BASE/chat/completions``
for answers and, with some of them, ``POST BASE/completions`` with ``echo`` and ``logprobs`` for the
probabilities of a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .._http import Client, Usage
from .protocols import remaining, stopped

__all__ = ["RemoteModel"]

TRIES = 4
"""The most times that a request is sent."""
PAUSE = 0.5
"""Seconds before the second try, doubled for each further one.

A server can ask for another pause with ``Retry-After``.
"""
TIMEOUT = 120.0
"""The longest wait for one reply, in seconds."""
AT_ONCE = 4
"""The most requests at the same time."""
MAX_REPLY = 16 << 20
"""The largest reply that is read, in bytes."""


class RemoteModel:
    """The model called ``name``, which is ``BASE#MODEL``, as in
    ``http://localhost:8080/v1#smollm2``.

    ``key`` is sent as a bearer token, by default that of the environment for this host
    (`bookwheel._http.key_for`). `usage` has the tokens that the server counted. Raises `ModelError`
    for a name that is no such address, and for an address that is neither https nor on this machine.
    Unless the address is ``trusted``, nothing is sent before the user has allowed it (`bookwheel.allow`).
    """

    def __init__(
        self, name: str, *, key: str | None = None, timeout: float = TIMEOUT, tries: int = TRIES, trusted: bool = True
    ) -> None:
        base, _, model = name.partition("#")
        if not model:
            raise ModelError(
                f"{name!r} names no remote language model; write its address and name, as in 'http://localhost:8080/v1#MODEL'"
            )
        self.name = name
        self.model = model
        self._tries = tries
        self._client = Client(base, who="", key=key, timeout=timeout, largest=MAX_REPLY, trusted=trusted)
        self._client.who = f"the language model {model!r} at {self._client.host}"

    @property
    def usage(self) -> Usage:
        """Requests and tokens so far, as the server counted them."""
        return self._client.usage

    def generate(
        self,
        prompts: Sequence[str],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
    ) -> list[str]:
        """See `Generator.generate`. The requests of one call run in parallel, `AT_ONCE` at a time."""

        def one(prompt: str) -> str:
            messages = [{"role": "system", "content": system}] if system else []
            body: dict[str, Any] = {
                "model": self.model,
                "messages": [*messages, {"role": "user", "content": prompt}],
                "max_tokens": max_tokens,
                "temperature": 0,
            }
            if stop:
                body["stop"] = list(stop)[:4]
            reply = self._post("chat/completions", body, deadline)
            try:
                content = reply["choices"][0]["message"]["content"]
            except (KeyError, IndexError, TypeError):
                raise self._odd("it has no choices[0].message.content") from None
            if not isinstance(content, str):
                raise self._odd("its answer is not a text")
            return stopped(content, stop)

        return self._all(one, prompts)

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """See `Scorer.log_likelihoods`.

        It needs a server whose completions support ``echo`` with ``logprobs``, such as vLLM. A
        token that begins in the context and ends in the continuation belongs to the continuation.
        """

        def one(pair: tuple[str, str]) -> NDArray[np.float32] | None:
            if remaining(deadline) <= 0:
                return None
            context, continuation = pair
            body = {
                "model": self.model,
                "prompt": context + continuation,
                "echo": True,
                "logprobs": 1,
                "max_tokens": 1,
                "temperature": 0,
            }
            try:
                reply = self._post("completions", body, deadline)
            except ModelError:
                if remaining(deadline) <= 0:
                    return None
                raise
            return self._echoed(reply, len(context), len(context) + len(continuation))

        return self._all(one, list(zip(contexts, continuations, strict=True)))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Generator.count_tokens`: an estimate, since only the server knows its tokenizer."""
        return [-(-len(text.encode()) // 3) for text in texts]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _all(self, one: Any, items: Sequence[Any]) -> list[Any]:
        if len(items) < 2:
            return [one(item) for item in items]
        with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
            return list(pool.map(one, items))

    def _post(self, path: str, body: dict[str, Any], deadline: float | None) -> Any:
        advice = "check the address, the model's name and the key"
        return self._client.post(path, body, tries=self._tries, pause=PAUSE, deadline=deadline, advice=advice)

    def _echoed(self, reply: Any, start: int, end: int) -> NDArray[np.float32]:
        """The log-probabilities of the echoed tokens in characters ``start`` to ``end``."""
        try:
            table = reply["choices"][0]["logprobs"]
            tokens, offsets, values = table["tokens"], table["text_offset"], table["token_logprobs"]
            inside = [
                value
                for token, offset, value in zip(tokens, offsets, values, strict=True)
                if offset < end and offset + len(token) > start
            ]
            return np.array(inside, np.float32)
        except (KeyError, IndexError, TypeError, ValueError):
            raise self._odd("it echoes no log-probabilities (the server must know `echo` with `logprobs`)") from None

    def _odd(self, why: str) -> ModelError:
        return ModelError(f"the reply of {self._client.who} cannot be used: {why}; try another server or model")
