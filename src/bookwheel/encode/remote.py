"""Encoders elsewhere, over the OpenAI-compatible embeddings protocol: ``POST URL/embeddings``.

Source: OpenAI's API reference, "Create embeddings"; llama.cpp, Ollama, vLLM, text-embeddings-inference and others speak it too.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError, UsageError
from .protocols import check_vectors, unit

__all__ = ["Estimate", "RemoteEncoder"]

KEYS = ("BOOKWHEEL_API_KEY", "OPENAI_API_KEY")
"""Environment variables in which a key is looked for."""
LATER = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""Answers that may be others when asked again."""
CHARACTERS = 4
"""Characters a token, for estimates: what English has in the tokenizers of today."""
LONGEST_WAIT = 60.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Estimate:
    """What encoding some texts would take; ``cost`` in the currency of the price, None without one."""

    texts: int
    tokens: int
    requests: int
    seconds: float | None
    cost: float | None

    def __str__(self) -> str:
        parts = [f"{self.texts:,} texts, about {self.tokens:,} tokens in {self.requests:,} requests"]
        if self.cost is not None:
            parts.append(f"about {self.cost:.2f} at the price given")
        if self.seconds is not None:
            parts.append(f"at least {self.seconds:,.0f} s at the rates allowed")
        return ", ".join(parts)


class _Pace:
    """Lets so many units a minute through; `wait` sleeps until the next may go."""

    def __init__(self, per_minute: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._each = 60.0 / per_minute
        self._next = 0.0
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()

    def wait(self, units: float = 1) -> None:
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + units * self._each
        if start > now:
            self._sleep(start - now)


class RemoteEncoder:
    """Vectors of model ``model`` at ``url``, which ends before ``/embeddings``.

    ``key`` is the API key, else $BOOKWHEEL_API_KEY or $OPENAI_API_KEY; ``dimension`` asks for shorter vectors where the model can;
    ``batch`` texts a request, ``concurrent`` requests at a time; ``retries`` after a failure that may pass (one for queries),
    waiting 1, 2, 4 … seconds or as long as the answer says; ``price`` is for a million tokens. Raises `UsageError` for arguments
    that make no sense; nothing is asked of the network before the first text or the first look at `dimension`.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None = None,
        dimension: int | None = None,
        batch: int = 64,
        concurrent: int = 2,
        timeout: float = 60.0,
        retries: int = 5,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        price: float | None = None,
        query_prefix: str = "",
        passage_prefix: str = "",
        max_tokens: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"{url!r} is no address of a model; it begins with http:// or https://")
        if min(batch, concurrent) < 1 or retries < 0 or timeout <= 0:
            raise UsageError(
                "batch and concurrent are whole numbers from 1 up, retries from 0, and timeout is more than 0 seconds"
            )
        self.url = url.rstrip("/")
        self.model = model
        self.name = f"{self.url}#{model}"
        self.revision = model
        self.max_tokens = max_tokens
        self.query_prefix, self.passage_prefix = query_prefix, passage_prefix
        self._asked, self._dimension = dimension, dimension
        told = (self.url, model, dimension, query_prefix, passage_prefix)
        self.sha256 = hashlib.sha256(repr(told).encode()).hexdigest()
        self._key = key or next((os.environ[name] for name in KEYS if os.environ.get(name)), None)
        self._batch, self._concurrent, self._timeout, self._retries = batch, concurrent, timeout, retries
        self._rates = (requests_per_minute, tokens_per_minute)
        self._requests = _Pace(requests_per_minute, time.monotonic, sleep) if requests_per_minute else None
        self._tokens = _Pace(tokens_per_minute, time.monotonic, sleep) if tokens_per_minute else None
        self._price = price
        self._sleep = sleep
        self._client: Any = None

    @classmethod
    def named(cls, name: str, **overrides: Any) -> RemoteEncoder:
        """The encoder of ``URL#MODEL``; raises `UsageError`."""
        url, _, model = name.partition("#")
        if not model:
            raise UsageError(f"{name} names no model; write it behind the address, {url.rstrip('/')}#MODEL")
        try:
            return cls(url, model, **overrides)
        except TypeError as error:
            raise UsageError(f"a remote encoder has no such setting: {error}") from error

    @property
    def dimension(self) -> int:
        """Of its vectors; learnt from a first request where it was not given."""
        return self._learnt(self._retries)

    def _learnt(self, retries: int) -> int:
        if self._dimension is None:
            self._dimension = len(self._ask(["bookwheel"], None, retries)[0])
        return self._dimension

    def estimate(self, texts: Sequence[str]) -> Estimate:
        """What encoding ``texts`` would take, told before any request."""
        return self._estimate(len(texts), sum(len(text) // CHARACTERS + 1 for text in texts))

    def estimate_many(self, texts: int, characters: float) -> Estimate:
        """The same for so many texts of ``characters`` each, on average."""
        return self._estimate(texts, round(texts * (characters / CHARACTERS + 0.5)))

    @property
    def here(self) -> bool:
        """Whether the address is this machine's own: what is sent there leaves it for nobody, and costs nothing."""
        return (urlsplit(self.url).hostname or "") in LOOPBACK

    def _estimate(self, texts: int, tokens: int) -> Estimate:
        requests = -(-texts // self._batch)
        times = [60 * n / rate for n, rate in zip((requests, tokens), self._rates, strict=True) if rate]
        cost = None if self._price is None else tokens * self._price / 1e6
        return Estimate(texts, tokens, requests, max(times) if times else None, cost)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of passages; raises `ModelError` where the endpoint fails for good."""
        return self._encode([self.passage_prefix + text for text in texts], self._retries)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of queries."""
        # Somebody waits for a query's answer: one more try, where a long piece of work has many.
        return self._encode([self.query_prefix + text for text in texts], min(1, self._retries))

    def _encode(self, texts: Sequence[str], retries: int) -> NDArray[np.float32]:
        dimension = self._learnt(retries)
        batches = [list(texts[at : at + self._batch]) for at in range(0, len(texts), self._batch)]
        if len(batches) < 2:
            rows = [self._ask(batch, dimension, retries) for batch in batches]
        else:
            with ThreadPoolExecutor(self._concurrent, thread_name_prefix="remote") as pool:
                rows = list(pool.map(lambda batch: self._ask(batch, dimension, retries), batches))
        return unit(np.concatenate([np.empty((0, dimension), np.float32), *rows]))

    def _ask(self, texts: list[str], dimension: int | None, retries: int) -> NDArray[np.float32]:
        """The vectors of one request."""
        # An empty text is refused by most endpoints; a blank says as little.
        body: dict[str, Any] = {"model": self.model, "input": [text or " " for text in texts], "encoding_format": "float"}
        if self._asked is not None:
            body["dimensions"] = self._asked
        answer = self._post(body, retries)
        try:
            entries = sorted(answer["data"], key=lambda entry: entry.get("index", 0))
            rows = [entry["embedding"] for entry in entries]
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{self.name} answered something else than embeddings; check that the address is right") from error
        if len(rows) != len(texts):
            raise ModelError(f"{self.name} gave {len(rows)} vectors for {len(texts)} texts; try it with batch=1")
        lengths = {len(row) for row in rows}
        if dimension is not None and lengths != {dimension}:
            other = next(n for n in lengths if n != dimension)
            raise ModelError(
                f"{self.name} gave vectors of {other} dimensions where {dimension} were expected: the model behind that "
                "address is another one now; put the old one back, or make a new library"
            )
        try:
            vectors = np.array(rows, np.float32)
        except (TypeError, ValueError) as error:
            raise ModelError(f"{self.name} gave vectors that are not rows of numbers; check the model") from error
        return check_vectors(vectors, self.name, len(texts), len(rows[0]))

    def _post(self, body: dict[str, Any], retries: int) -> Any:
        try:
            import httpx
        except ImportError as error:
            raise ModelError("a remote encoder needs another package; type: pip install 'bookwheel[remote]'") from error
        if self._client is None:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._client = httpx.Client(timeout=self._timeout, headers=headers)
        problem = ""
        wait = 1.0
        for tried in range(retries + 1):
            if tried:
                self._sleep(min(wait, LONGEST_WAIT))
                wait *= 2
            if self._requests:
                self._requests.wait()
            if self._tokens:
                self._tokens.wait(sum(len(text) // CHARACTERS + 1 for text in body["input"]))
            try:
                answer = self._client.post(f"{self.url}/embeddings", json=body)
            except httpx.TimeoutException:
                problem = f"did not answer within {self._timeout:g} s"
                continue
            except httpx.HTTPError as error:
                problem = f"cannot be reached ({' '.join(str(error).split()) or type(error).__name__})"
                continue
            if answer.status_code == 200:
                try:
                    return answer.json()
                except ValueError as error:
                    raise ModelError(
                        f"{self.name} answered something else than JSON; check that the address is right"
                    ) from error
            if answer.status_code in (401, 403):
                raise ModelError(f"{self.name} refuses the key ({answer.status_code}); set {KEYS[0]} to one that it takes")
            problem = f"answered {answer.status_code} ({_reason(answer)})"
            if answer.status_code not in LATER:
                raise ModelError(f"{self.name} {problem}; check the model's name and the texts' length")
            wait = _wait(answer.headers.get("retry-after"), wait)
        raise ModelError(
            f"{self.name} {problem}, {_times(retries + 1)}; what was encoded is kept: start it, or wait, and run the same again"
        )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _wait(told: str | None, otherwise: float) -> float:
    """Seconds that the answer asks to wait; a date is not worth reading, the usual wait will do."""
    try:
        return max(0.0, float(told)) if told is not None else otherwise
    except ValueError:
        return otherwise


def _reason(answer: Any) -> str:
    """What the endpoint says went wrong, in few words."""
    try:
        error = answer.json()["error"]
        text = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError):
        text = answer.text
    return " ".join(str(text).split())[:150] or "no reason given"
