"""A language model on a server that speaks the OpenAI-compatible protocol.

llama.cpp's server, vLLM, Ollama, LM Studio, OpenAI and others do: ``POST BASE/chat/completions``
for answers and, with some of them, ``POST BASE/completions`` with ``echo`` and ``logprobs`` for the
probabilities of a text.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
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
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
OWN_KEYS = {"api.openai.com": "OPENAI_API_KEY"}
"""Hosts with an environment variable of their own for the key, which is sent to no other host."""
ANY_KEY = "BOOKWHEEL_LANGUAGE_KEY"
"""The environment variable with the key for any other host."""


class RemoteModel:
    """The model called ``name``, which is ``BASE#MODEL``, as in
    ``http://localhost:8080/v1#smollm2``.

    ``key`` is sent as a bearer token. Without it, the key comes from ``$OPENAI_API_KEY`` for
    api.openai.com and from ``$BOOKWHEEL_LANGUAGE_KEY`` for any other host, if they are set. A key
    is never sent over plain http to another machine. Raises `ModelError` for a name that is not
    such an address.
    """

    def __init__(self, name: str, *, key: str | None = None, timeout: float = TIMEOUT, tries: int = TRIES) -> None:
        base, _, model = name.partition("#")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or not model:
            raise ModelError(
                f"{name!r} names no remote language model; write its address and name, as in 'http://localhost:8080/v1#MODEL'"
            )
        if parts.username or parts.password:
            raise ModelError(f"an address must not hold a password; set {ANY_KEY} instead")
        self.name = name
        self.model = model
        self._base = base.rstrip("/")
        self._host = parts.hostname
        self._key = key or os.environ.get(OWN_KEYS.get(parts.hostname, ANY_KEY)) or ""
        if self._key and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ModelError(f"a key is not sent unencrypted to {parts.hostname}; use https://, or unset {ANY_KEY}")
        self._timeout = timeout
        self._tries = tries
        self._client: Any = None
        self._closed = False
        self._lock = threading.Lock()

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
        self._closed = True
        if self._client is not None:
            self._client.close()
            self._client = None

    def _all(self, one: Any, items: Sequence[Any]) -> list[Any]:
        if len(items) < 2:
            return [one(item) for item in items]
        with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
            return list(pool.map(one, items))

    def _post(self, path: str, body: Mapping[str, Any], deadline: float | None) -> Any:
        """The reply to one request, which is sent again after a temporary failure."""
        import httpx

        problem = "it was not asked: no time was left"
        for attempt in range(self._tries):
            left = remaining(deadline)
            if left <= 0:
                break
            pause = PAUSE * 2**attempt
            try:
                with self._connection().stream(
                    "POST",
                    f"{self._base}/{path}",
                    json=dict(body),
                    headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
                    timeout=min(self._timeout, left),
                ) as response:
                    content = self._read(response, deadline)
                if response.status_code == 200:
                    return self._parsed(content)
                problem = f"it replied {response.status_code}{_said(content)}"
                if response.status_code not in RETRIED:
                    break
                pause = _asked(response.headers.get("retry-after"), pause)
            except httpx.TimeoutException:
                problem = f"no reply came within {min(self._timeout, left):.1f} s"
            except httpx.HTTPError as error:
                problem = f"it cannot be reached ({type(error).__name__}: {error})"
            except httpx.InvalidURL as error:
                raise ModelError(
                    f"{self._base!r} is no address ({error}); write one as in 'http://localhost:8080/v1#MODEL'"
                ) from None
            if attempt + 1 == self._tries or pause >= remaining(deadline):
                break
            time.sleep(pause)
        raise ModelError(
            f"the language model {self.model!r} at {self._host} gave no answer: {problem}; check the address, the "
            "model's name and the key"
        )

    def _read(self, response: Any, deadline: float | None) -> bytes:
        """The body, within limits of size and time; a reply that trickles in would never time out."""
        content = bytearray()
        for piece in response.iter_bytes():
            content += piece
            if len(content) > MAX_REPLY:
                raise self._odd(f"it is larger than {MAX_REPLY >> 20} MiB")
            if remaining(deadline) <= 0:
                raise ModelError(
                    f"the language model {self.model!r} at {self._host} gave no answer within the time allowed; allow more"
                )
        return bytes(content)

    def _parsed(self, content: bytes) -> Any:
        import json

        try:
            return json.loads(content)
        except ValueError:
            raise self._odd("it is not JSON") from None

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
        return ModelError(
            f"the reply of the language model {self.model!r} at {self._host} cannot be used: {why}; try another server or model"
        )

    def _connection(self) -> Any:
        if self._closed:
            raise ModelError(f"the language model {self.model!r} is closed; load it again")
        with self._lock:
            if self._client is None:
                import httpx

                # Redirects are not followed: they would carry texts to a host that nobody named.
                self._client = httpx.Client(follow_redirects=False)
            return self._client


def _said(content: bytes) -> str:
    """The server's own message about an error, in parentheses, on one line."""
    import json

    try:
        said = json.loads(content)
        said = said.get("error", said.get("message", said)) if isinstance(said, dict) else said
        said = said.get("message", said) if isinstance(said, dict) else said
    except ValueError:
        said = content.decode("utf-8", "replace")
    line = " ".join(str(said).split())[:200]
    return f" ({line})" if line else ""


def _asked(header: str | None, otherwise: float) -> float:
    try:
        return min(60.0, max(0.0, float(header))) if header else otherwise
    except ValueError:  # an HTTP date
        return otherwise
