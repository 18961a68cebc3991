"""The one HTTP client: JSON over the OpenAI-compatible protocol, for remote encoders and language models.

What it promises:

- Nothing goes to an address that this user has not allowed (`bookwheel._allowed`), unless a program gave it itself.
- Texts go over https only, except to this machine itself. Redirects are not followed.
- A key is sent only to the host it was given for, and never appears in an error.
- A reply is bounded in bytes and in time, however slowly it trickles in, as a whole or as a stream of events.
- Failures that may pass are tried again a bounded number of times, after a pause that doubles.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from . import _allowed, _deadline, _sse
from ._errors import ModelError
from ._http_address import checked_address, key_for, key_variable
from ._http_told import told
from ._http_usage import Usage

__all__ = ["Client", "cancelled_by"]

MAX_REPLY = 64 << 20
"""The largest reply that is read, in bytes."""
LONGEST_PAUSE = 60.0
"""The longest pause between two tries, in seconds, whatever the server asks for."""
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that may be others when asked again."""


OnCancel = Callable[[Callable[[], object]], object]
"""Keeps a function, and calls it (from any thread) where what asked is not wanted any more."""
_on_cancel: ContextVar[OnCancel | None] = ContextVar("bookwheel_on_cancel", default=None)


@contextmanager
def cancelled_by(on_cancel: OnCancel) -> Iterator[None]:
    """While in use, streams that this thread asks for are broken off when ``on_cancel`` calls what it is given.

    A read that waits for the server ends at once, with a `ModelError`; the server sees the connection close.
    """
    token = _on_cancel.set(on_cancel)
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator that is closed by another thread than the one it ran in
            _on_cancel.reset(token)


class Client:
    """Requests to the server at ``base``, the address before ``/embeddings`` or ``/chat/completions``.

    ``who`` is what errors call the model. ``key`` is sent as a bearer token; without it, `key_for` looks
    for one. ``timeout`` bounds each try in seconds, the whole reply included, and ``largest`` the reply
    in bytes. Nothing is sent before the first `post`, nor then to an address that is not allowed, unless
    it is ``trusted``: given by the program itself, not named by a library or a recipe. Thread-safe. Raises
    `ModelError` for an address that is none, has a password in it, or is neither https nor on this machine.
    """

    def __init__(
        self,
        base: str,
        *,
        who: str,
        key: str | None = None,
        timeout: float = 60.0,
        largest: int = MAX_REPLY,
        trusted: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = base.rstrip("/")
        self.host, self.loopback = checked_address(base)
        self.who = who
        self.timeout = timeout
        self.largest = largest
        self.trusted = trusted
        self.usage = Usage()
        self._key = key or key_for(base)
        if not re.fullmatch(r"[!-~]*", self._key):
            raise ModelError(f"the key for {self.host} has spaces or characters that no key has; set it again")
        self._sleep = sleep
        self._lock = threading.Lock()
        self._client: Any = None
        self._closed = False

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        tries: int = 1,
        pause: float = 1.0,
        deadline: float | None = None,
        advice: str = "try again later",
        before: Callable[[], None] = lambda: None,
    ) -> Any:
        """The JSON reply to ``body``, posted to ``base/path`` at most ``tries`` times.

        ``pause`` is that before the second try, in seconds; it doubles, unless the server asks for
        another one (``Retry-After``). ``deadline`` is a time of ``time.monotonic()``. ``before`` runs
        ahead of each try. Raises `ModelError`, which ends with ``advice`` where trying again may help.
        """
        if not self.trusted:
            _allowed.check(self.base)
        problem = "was not asked: no time was left"
        tried = 0
        while tried < tries:
            if tried:
                wait = min(pause, LONGEST_PAUSE)
                if wait >= _left(deadline):
                    break
                self._sleep(wait)
                pause *= 2
            before()
            left = _left(deadline)
            if left <= 0:
                break
            tried += 1
            status, headers, content, failure = self._try(path, body, min(self.timeout, left))
            if failure:
                problem = failure
            elif status == 200:
                return self._parsed(content)
            elif status in RETRIED:
                problem = f"answered {status}{self._reason(content)}"
                pause = _asked(headers.get("retry-after"), pause)
            else:
                raise ModelError(f"{self.who} {self._refusal(status, content)}")
        times = {0: "", 1: "", 2: ", twice"}.get(tried, f", {tried} times")
        raise ModelError(f"{self.who} {problem}{times}; {advice}")

    def get(self, path: str, *, deadline: float) -> Any:
        """The JSON reply to ``GET base/path``, asked for once; ``../`` at its head is the folder above ``base``.

        None for any other status than 200, or something else than JSON. Raises `ModelError` where no answer comes in time.
        """
        if not self.trusted:
            _allowed.check(self.base)
        left = _left(deadline)
        if left <= 0:
            raise ModelError(f"{self.who} was not asked: no time was left")
        status, _, content, failure = self._try(path, None, min(self.timeout, left))
        if failure:
            raise ModelError(f"{self.who} {failure}")
        try:
            return json.loads(content) if status == 200 else None
        except (ValueError, RecursionError):
            return None

    def stream(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        idle: float = 60.0,
        deadline: float | None = None,
        advice: str = "try again later",
    ) -> Generator[Any, None, None]:
        """The JSON messages of a stream of events, as they come; a reply that is no stream is one message.

        ``idle`` bounds the seconds between two of them. The last of a stream, ``[DONE]``, is not among them. The reply is not asked
        for again. Raises `ModelError`, also in the middle; closing the iterator closes the connection.
        """
        if not self.trusted:
            _allowed.check(self.base)
        client, httpx = self._connection()
        headers = {"Accept-Encoding": "identity", "Accept": "text/event-stream, application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        left = min(self.timeout, _left(deadline))
        if left <= 0:
            raise ModelError(f"{self.who} was not asked: no time was left; {advice}")
        began = time.monotonic()
        wait = httpx.Timeout(min(idle, left), connect=min(10.0, left))
        on_cancel = _on_cancel.get()
        own: Any = None
        if on_cancel is not None:
            # A connection of its own, which can be cut before the server has answered anything.
            client = own = httpx.Client(follow_redirects=False, trust_env=not self.loopback)
        asked: dict[str, Any] = {
            "json": dict(body), "headers": headers, "timeout": wait, "extensions": {"trace": _deadline.watch(httpx, on_cancel)},
        }  # fmt: skip
        _deadline.clock.until = began + left
        try:
            with client.stream("POST", f"{self.base}/{path}", **asked) as response:
                pieces = self._bounded(response, began + left) if not response.is_redirect else iter(())
                if response.status_code != 200:
                    content = b"".join(pieces)
                    if response.status_code in RETRIED:
                        raise ModelError(f"{self.who} answered {response.status_code}{self._reason(content)}; {advice}")
                    raise ModelError(f"{self.who} {self._refusal(response.status_code, content)}")
                if "event-stream" not in response.headers.get("content-type", ""):
                    yield self._parsed(b"".join(pieces))
                    return
                for message in _sse.messages(pieces):
                    if message.strip() == "[DONE]":
                        return
                    try:
                        yield json.loads(message)
                    except (ValueError, RecursionError):
                        raise ModelError(f"{self.who} sent something else than JSON in its stream; {advice}") from None
        except httpx.TimeoutException:
            silent = time.monotonic() - max(began, _deadline.clock.heard)
            if time.monotonic() - began >= left > 2 * silent:
                raise ModelError(f"{self.who} did not come to an end within {left:.3g} s; allow more time") from None
            raise ModelError(
                f"{self.who} sent nothing for {min(idle, silent):.3g} s; allow more time, or see whether it still runs"
            ) from None
        except httpx.InvalidURL as error:
            raise ModelError(f"{self.base!r} is not an address ({error})") from None
        except httpx.ConnectError as error:
            raise ModelError(f"{self.who} cannot be reached ({self.told(str(error)) or 'no connection'}); {advice}") from None
        except httpx.HTTPError as error:
            why = self.told(str(error)) or type(error).__name__
            raise ModelError(f"{self.who} broke off its answer ({why}); {advice}") from None
        finally:
            if own is not None:
                own.close()

    def _bounded(self, response: Any, until: float) -> Iterator[bytes]:
        size, pieces = 0, response.iter_raw()
        while True:
            _deadline.clock.until = until  # another request may have been made by this thread in between
            if (piece := next(pieces, None)) is None:
                return
            size += len(piece)
            if size > self.largest:
                raise ModelError(f"{self.who} gave a reply larger than {self.largest:,} bytes; the rest is not read")
            yield piece
            if time.monotonic() > until:
                raise ModelError(f"{self.who} did not come to an end in time; allow more time")

    def close(self) -> None:
        """Close the connections; posting afterwards raises `ModelError`."""
        with self._lock:
            self._closed = True
            if self._client is not None:
                self._client.close()
                self._client = None

    def _try(self, path: str, body: Mapping[str, Any] | None, timeout: float) -> tuple[int, Mapping[str, str], bytes, str]:
        """Status, headers and body of one request, a GET without a body; or, last, what went wrong on the way."""
        client, httpx = self._connection()
        late = f"did not answer within {timeout:.3g} s"
        # Not compressed: what a few bytes unpack to is not bounded.
        headers = {"Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        began = time.monotonic()
        content = bytearray()
        try:
            address = f"{self.base}/{path}" if not path.startswith("../") else f"{self.base.rpartition('/')[0]}{path[2:]}"
            asked: dict[str, Any] = {"extensions": {"trace": _deadline.watch(httpx)}} | (
                {} if body is None else {"json": dict(body)}
            )
            _deadline.clock.until = began + timeout
            method = "GET" if body is None else "POST"
            with client.stream(method, address, headers=headers, timeout=timeout, **asked) as response:
                # Of a redirect nothing is read.
                for piece in response.iter_raw() if not response.is_redirect else ():
                    content += piece
                    if len(content) > self.largest:
                        raise ModelError(
                            f"{self.who} gave a reply larger than {self.largest:,} bytes, which is not read; check the address"
                        )
                    # A slow trickle never times out by itself.
                    if time.monotonic() - began > timeout:
                        return 0, {}, b"", late
                return response.status_code, response.headers, bytes(content), ""
        except httpx.TimeoutException:
            return 0, {}, b"", late
        except httpx.InvalidURL as error:
            raise ModelError(f"{self.base!r} is not an address ({error})") from None
        except httpx.HTTPError as error:
            return 0, {}, b"", f"cannot be reached ({self.told(str(error)) or type(error).__name__})"

    def _connection(self) -> tuple[Any, Any]:
        if self._closed:
            raise ModelError(f"{self.who} is closed; open it again")
        try:
            import httpx
        except ImportError as error:
            raise ModelError("a remote model needs another package; type: pip install 'bookwheel[remote]'") from error
        with self._lock:
            if self._client is None:
                if httpx.URL(self.base).host != self.host:  # what would be connected to is not what was checked
                    raise ModelError(f"{self.base!r} is not an address; write one as in https://api.example.com/v1")
                # This machine is never asked by way of a proxy.
                self._client = httpx.Client(follow_redirects=False, trust_env=not self.loopback)
            return self._client, httpx

    def _parsed(self, content: bytes) -> Any:
        try:
            reply = json.loads(content)
        except (ValueError, RecursionError):
            raise ModelError(f"{self.who} answered something else than JSON; check the address") from None
        with self._lock:
            self.usage.add(reply)
        return reply

    def _refusal(self, status: int, content: bytes) -> str:
        if status in (401, 403):
            return f"refuses the key ({status}){self._reason(content)}; set {self._variable()} to one that it takes"
        if 300 <= status < 400:
            return f"answered {status}, a redirect, which is not followed; give the address that it leads to"
        return f"answered {status}{self._reason(content)}; check the address, the model's name and the length of the texts"

    def _variable(self) -> str:
        return key_variable(self.host)

    def _reason(self, content: bytes) -> str:
        """The server's own words about an error, in brackets and on one line."""
        line = self.told(content)
        return f" ({line})" if line else ""

    def told(self, said: Any) -> str:
        """What a server says of an error, in the form of its bytes or of its JSON: one short line without the key."""
        return told(said, self._key)


def _left(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()


def _asked(header: str | None, otherwise: float) -> float:
    """Seconds that a ``Retry-After`` asks for; a date is not read."""
    try:
        return min(LONGEST_PAUSE, max(0.0, float(header))) if header else otherwise
    except ValueError:
        return otherwise
