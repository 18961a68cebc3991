"""Remote encoders, over the OpenAI-compatible embeddings protocol: ``POST URL/embeddings``.

Source: OpenAI's API reference, "Create embeddings"; llama.cpp, Ollama, vLLM, text-embeddings-inference and others speak it too.
Such vectors can search, re-rank what BM25 found (``bm25 % 1000 >> interpolate(NAME)``) or be fused with it, the three uses that
Kamalloo et al. compare, "Evaluating Embedding APIs for Information Retrieval" (2023).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError, UsageError
from .._http import Client
from .._http_usage import CHARACTERS, Estimate, Pace, Usage
from .protocols import check_vectors, unit

__all__ = ["Estimate", "RemoteEncoder"]


class RemoteEncoder:
    """Vectors of model ``model`` at ``url``, the address before ``/embeddings``.

    ``key`` is the API key, by default that of the environment for this host (`bookwheel._http_address.key_for`).
    ``dimension`` asks for shorter vectors where the model can give them. ``batch`` texts go in a
    request, ``concurrent`` requests at a time. After a failure that may pass, there are up to
    ``retries`` more tries (one for queries), 1, 2, 4 … seconds apart or as the server asks. ``price``
    is for a million tokens; `usage` has the tokens that the server counted. Raises `UsageError` for
    invalid arguments, `ModelError` for an address that is not https or on this machine. Nothing is
    sent before the first text is encoded, or `dimension` is first asked for; nor then, unless the
    address is ``trusted``, before the user has allowed it (`bookwheel.allow`).
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
        trusted: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if min(batch, concurrent) < 1 or retries < 0 or timeout <= 0:
            raise UsageError(
                "batch and concurrent must be at least 1, retries at least 0, and timeout more than 0 seconds, not "
                f"{batch}, {concurrent}, {retries} and {timeout}"
            )
        self.url = url.rstrip("/")
        self.model = model
        self.name = f"{self.url}#{model}"
        self.revision = model
        self.max_tokens = max_tokens
        self.query_prefix, self.passage_prefix = query_prefix, passage_prefix
        self._asked, self._dimension = dimension, dimension
        settings = (self.url, model, dimension, query_prefix, passage_prefix)
        self.sha256 = hashlib.sha256(repr(settings).encode()).hexdigest()
        self._batch, self._concurrent, self._retries = batch, concurrent, retries
        self._rates = (requests_per_minute, tokens_per_minute)
        self._requests = Pace(requests_per_minute, sleep) if requests_per_minute else None
        self._tokens = Pace(tokens_per_minute, sleep) if tokens_per_minute else None
        self._price = price
        self._client = Client(self.url, who=self.name, key=key, timeout=timeout, trusted=trusted, sleep=sleep)

    @classmethod
    def named(cls, name: str, **overrides: Any) -> RemoteEncoder:
        """The encoder of ``URL#MODEL``, which must be allowed (`bookwheel.allow`) to be used; raises `UsageError`."""
        url, _, model = name.partition("#")
        if not model:
            raise UsageError(f"{name} names no model; write it after the address, {url.rstrip('/')}#MODEL")
        try:
            return cls(url, model, trusted=False, **overrides)
        except TypeError as error:
            raise UsageError(f"a remote encoder has no such setting ({error})") from error

    @property
    def dimension(self) -> int:
        """Of its vectors; learned from a first request where it was not given."""
        return self._learned(self._retries)

    def _learned(self, retries: int) -> int:
        if self._dimension is None:
            self._dimension = len(self._ask(["bookwheel"], None, retries)[0])
        return self._dimension

    def estimate(self, texts: Sequence[str]) -> Estimate:
        """What encoding ``texts`` would take; nothing is sent."""
        return self._estimate(len(texts), sum(len(text) // CHARACTERS + 1 for text in texts))

    def estimate_many(self, texts: int, characters: float) -> Estimate:
        """The same for a number of texts with so many characters on average."""
        return self._estimate(texts, round(texts * (characters / CHARACTERS + 0.5)))

    @property
    def here(self) -> bool:
        """Whether the address is this machine: texts stay here, and cost nothing."""
        return self._client.loopback

    @property
    def usage(self) -> Usage:
        """Requests and tokens so far, as the server counted them."""
        return self._client.usage

    def _estimate(self, texts: int, tokens: int) -> Estimate:
        requests = -(-texts // self._batch)
        times = [60 * n / rate for n, rate in zip((requests, tokens), self._rates, strict=True) if rate]
        cost = None if self._price is None else tokens * self._price / 1e6
        return Estimate(texts, tokens, requests, max(times) if times else None, cost)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of passages; raises `ModelError` where the server keeps failing."""
        return self._encode([self.passage_prefix + text for text in texts], self._retries)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of queries."""
        # A person waits for the answer to a query: one more try, where embedding a library has many.
        return self._encode([self.query_prefix + text for text in texts], min(1, self._retries))

    def _encode(self, texts: Sequence[str], retries: int) -> NDArray[np.float32]:
        dimension = self._learned(retries)
        batches = [list(texts[at : at + self._batch]) for at in range(0, len(texts), self._batch)]
        if len(batches) < 2:
            rows = [self._ask(batch, dimension, retries) for batch in batches]
        else:
            with ThreadPoolExecutor(self._concurrent, thread_name_prefix="remote") as pool:
                rows = list(pool.map(lambda batch: self._ask(batch, dimension, retries), batches))
        return unit(np.concatenate([np.empty((0, dimension), np.float32), *rows]))

    def _ask(self, texts: list[str], dimension: int | None, retries: int) -> NDArray[np.float32]:
        """The vectors of one request: float32 (n, d)."""
        # Most servers refuse an empty text; a blank says as little.
        body: dict[str, Any] = {"model": self.model, "input": [text or " " for text in texts], "encoding_format": "float"}
        if self._asked is not None:
            body["dimensions"] = self._asked
        tokens = sum(len(text) // CHARACTERS + 1 for text in body["input"])

        def paced() -> None:
            if self._requests:
                self._requests.wait()
            if self._tokens:
                self._tokens.wait(tokens)

        advice = "what was encoded is kept: start it, or wait, and run the same again"
        reply = self._client.post("embeddings", body, tries=retries + 1, advice=advice, before=paced)
        try:
            entries = sorted(reply["data"], key=lambda entry: entry.get("index", 0))
            rows = [entry["embedding"] for entry in entries]
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{self.name} answered something else than embeddings; check the address") from error
        if len(rows) != len(texts):
            raise ModelError(f"{self.name} gave {len(rows)} vectors for {len(texts)} texts; try it with batch=1")
        lengths = {len(row) for row in rows}
        if dimension is not None and lengths != {dimension}:
            other = next(n for n in lengths if n != dimension)
            raise ModelError(
                f"{self.name} gave vectors of {other} dimensions where {dimension} were expected: another model is at that "
                "address now; put the old one back, or replace the encoder"
            )
        try:
            vectors = np.array(rows, np.float32)
        except (TypeError, ValueError) as error:
            raise ModelError(f"{self.name} gave vectors that are not rows of numbers; check the model") from error
        return check_vectors(vectors, self.name, len(texts), len(rows[0]))
