"""A language model on a server that speaks the OpenAI-compatible protocol.

llama.cpp's server, vLLM, Ollama, LM Studio, OpenAI and others do: ``POST BASE/chat/completions``
for answers and, with some of them, ``POST BASE/completions`` with ``echo`` and ``logprobs`` for the
probabilities of a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .._http import Client
from .._http_usage import Usage, counted
from ..analysis.scripts import UNSPACED, has_unspaced
from .protocols import Reply, remaining, stopped
from .server_context import context_of

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
IDLE = 60.0
"""The longest silence within a streamed answer, in seconds; reading a long prompt on a few cores is silent, too."""
CONTEXT = 4096
"""Tokens of prompt and answer that a server is expected to take that says nothing: Ollama's default."""
STREAMED = 4 << 20
"""The most characters of a streamed answer that are read."""
MAX_REPLY = 16 << 20
"""The largest reply that is read, in bytes."""
ADVICE = "check the address, the model's name and the key"


class _Refused(ModelError):
    """The server refused a request before it answered anything."""


class RemoteModel:
    """The model called ``name``, which is ``BASE#MODEL``, as in
    ``http://localhost:8080/v1#smollm2``.

    ``key`` is sent as a bearer token, by default that of the environment for this host
    (`bookwheel._http_address.key_for`). `usage` has the tokens that the server counted. Raises `ModelError`
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
        self._context: int | None = None
        self._refused: set[str] = set()
        self._tries = tries
        self._client = Client(base, who="", key=key, timeout=timeout, largest=MAX_REPLY, trusted=trusted)
        self._client.who = f"the language model {model!r} at {self._client.host}"

    @property
    def usage(self) -> Usage:
        """Requests and tokens so far, as the server counted them."""
        return self._client.usage

    @property
    def context(self) -> int:
        """Tokens of prompt and answer that the model takes: as the server says, which is asked once, otherwise `CONTEXT`."""
        if self._context is None:
            try:
                self._context = context_of(self._client, self.model) or CONTEXT
            except ModelError:  # it may answer the next time
                return CONTEXT
        return self._context

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
            while True:
                body = self._body(prompt, system, max_tokens, stop)
                try:
                    reply = self._post("chat/completions", body, deadline)
                    break
                except ModelError as error:
                    if not self._adapts(body, str(error)):
                        raise
            return stopped(self._content(reply), stop)

        return self._all(one, prompts)

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
        """See `Streamer.stream`. Thoughts (``reasoning_content``) and calls of tools are passed over."""
        told = reply or Reply()
        while True:
            body = self._body(prompt, system, max_tokens, stop) | {"stream": True, "stream_options": {"include_usage": True}}
            if told.probabilities:
                body["logprobs"] = True
            for name in self._refused & {"stream", "stream_options", "logprobs"}:
                body.pop(name, None)
            try:
                yield from self._pieces(body, stop, max_tokens, deadline, told)
                break
            except _Refused as error:
                if not self._adapts(body, str(error)):
                    raise ModelError(str(error)) from None
        if told.prompt_tokens and told.prompt_tokens < (least := _least_tokens(f"{system} {prompt}")):
            told.notes.append(
                f"the server read {told.prompt_tokens:,} tokens of a prompt of more than {least:,}: it cuts prompts to its context; "
                "raise it (Ollama: num_ctx, or OLLAMA_CONTEXT_LENGTH), or ask with fewer passages"
            )

    def _pieces(
        self, body: dict[str, Any], stop: Sequence[str], most: int, deadline: float | None, told: Reply
    ) -> Iterator[str]:
        """The pieces of one request. Raises `_Refused` before the first of them where the server answers with an error."""
        text, sent, thought, tool = "", 0, False, False
        longest = max(map(len, stop), default=1) - 1
        messages = self._client.stream("chat/completions", body, idle=IDLE, deadline=deadline, advice=ADVICE)
        try:
            while True:
                try:
                    message = next(messages, None)
                except ModelError as error:
                    if text or thought:
                        raise
                    raise _Refused(str(error)) from None
                if message is None:
                    break
                if isinstance(message, dict) and message.get("error") is not None:
                    raise (ModelError if text else _Refused)(
                        f"{self._client.who} answered with an error ({self._client.told(message['error'])}); {ADVICE}"
                    )
                piece, why = self._delta(message, told)
                thought = thought or piece is None
                tool = tool or why in ("tool_calls", "function_call")
                text += piece or ""
                if any(mark in text for mark in stop):
                    told.finish = "stop"
                    break
                if len(text) > min(STREAMED, 40 * most):
                    told.notes.append(f"the model went on after {len(text):,} characters; the rest is not read")
                    told.finish = "length"
                    break
                ready = len(text) - longest
                if ready > sent:
                    yield text[sent:ready]
                    sent = ready
                if why:
                    told.finish = "length" if why == "length" else "stop"
        finally:
            messages.close()
        if rest := stopped(text, stop)[sent:]:
            yield rest
        if not text.strip():
            if tool:
                told.notes.append("the model asked for a tool instead of answering; none was offered")
            elif thought:
                told.notes.append(f"the model used its {most:,} tokens for thinking; allow more, or turn its thinking off")
        if text and not told.finish:
            told.notes.append("the server ended its stream before the answer was finished")

    def _delta(self, message: Any, told: Reply) -> tuple[str | None, str]:
        """The piece of text in one message, None where it is thought instead, and why the answer ends, if it does."""
        if not isinstance(message, dict):
            raise self._odd("a message of its stream is no object")
        usage = message.get("usage")
        if isinstance(usage, dict):
            for name in ("prompt_tokens", "completion_tokens"):
                if count := counted(usage.get(name)):
                    setattr(told, name, count)
        choices = message.get("choices")
        if not choices:  # only the usage, or a greeting
            return "", ""
        try:
            choice = choices[0]
            delta = choice.get("delta") or choice.get("message") or {}
            content, why = delta.get("content"), choice.get("finish_reason")
            thought = bool(delta.get("reasoning_content") or delta.get("reasoning"))
        except (KeyError, IndexError, TypeError, AttributeError):
            raise self._odd("its stream has no choices[0].delta") from None
        if told.probabilities:
            told.tokens += _chances(choice.get("logprobs"))
        if content is None and thought:
            return None, why if isinstance(why, str) else ""
        return (content if isinstance(content, str) else ""), why if isinstance(why, str) else ""

    def _body(self, prompt: str, system: str, most: int, stop: Sequence[str]) -> dict[str, Any]:
        messages = [{"role": "system", "content": system}] if system else []
        if "system" in self._refused and system:
            messages, prompt = [], f"{system}\n\n{prompt}"
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [*messages, {"role": "user", "content": prompt}],
            "temperature": 0,
        }
        body["max_completion_tokens" if "max_tokens" in self._refused else "max_tokens"] = most
        if stop:
            body["stop"] = list(stop)[:4]
        for name in self._refused - {"max_tokens"}:
            body.pop(name, None)
        return body

    def _adapts(self, body: dict[str, Any], told: str) -> bool:
        """Whether the error names something of ``body`` that can be left out or said otherwise; that is remembered."""
        for name in ("stream_options", "logprobs", "max_tokens", "temperature", "stop", "system"):
            asked = name in body or (name == "system" and len(body["messages"]) > 1)
            words = rf"\b{name}\b" if name != "system" else r"\bsystem (?:role|message|prompt)"
            if asked and name not in self._refused and re.search(words, told, re.IGNORECASE):
                self._refused.add(name)
                return True
        return False

    def _content(self, reply: Any) -> str:
        try:
            content = reply["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            raise self._odd("it has no choices[0].message.content") from None
        if not isinstance(content, str):
            raise self._odd("its answer is not a text")
        return content

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
        return self._client.post(path, body, tries=self._tries, pause=PAUSE, deadline=deadline, advice=ADVICE)

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


def _chances(told: Any) -> list[tuple[str, float]]:
    """Tokens and their log-probabilities as a server streams them; none where they are told in another form."""
    rows = told.get("content") if isinstance(told, dict) else None
    found = []
    for row in rows if isinstance(rows, list) else ():
        text, value = (row.get("token"), row.get("logprob")) if isinstance(row, dict) else (None, None)
        if isinstance(text, str) and isinstance(value, int | float) and value == value:
            found.append((text, min(float(value), 0.0)))
    return found


def _least_tokens(text: str) -> int:
    """Tokens that ``text`` has at least, whatever the tokenizer: one a word, and one for four characters of a script without spaces."""
    return len(text.split()) + len(UNSPACED.findall(text)) // 4 if has_unspaced(text) else len(text.split())
