"""One server as a client reaches it: requests, bounds on what is read, and errors as the library raises them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from .. import _errors, _sse
from .._errors import BookwheelError, InputError, ModelError, UsageError
from .._http_address import is_loopback, key_for
from .._http_told import told
from .._numbers import real

__all__ = ["Connection", "encoded"]

LARGEST = 256 << 20
"""The largest answer that is read, in bytes."""
ERRORS = {name: kind for name in _errors.__all__ if isinstance(kind := getattr(_errors, name), type)}
SENTENCE = 4000
"""The most characters of an error's sentence that are shown."""


def encoded(body: Any) -> bytes:
    """``body`` as JSON. Raises `InputError` for what JSON has no form for."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character: the server says what is wrong with it
        return json.dumps(body, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"a server cannot be sent that: {' '.join(str(error).split())[:200]}") from None


class Connection:
    """A server. Safe to use from several threads."""

    def __init__(self, url: str, *, token: str | None, timeout: float, unencrypted: bool) -> None:
        if not isinstance(url, str):
            raise UsageError(f"the address of a server is a string, not {type(url).__name__}")
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port
        except ValueError:
            host = ""
        if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username:
            raise UsageError(f"{url!r:.200} is no address of a server; write it as in http://127.0.0.1:1588")
        if parts.scheme == "http" and not is_loopback(host) and not unencrypted:
            raise UsageError(
                f"{host} is another machine, and http is not encrypted; use https, or say unencrypted=True where the network is yours"
            )
        self.url = url.rstrip("/")
        self._token = token if token is not None else key_for(url)
        if not isinstance(self._token, str) or not re.fullmatch(r"[!-~]*", self._token):
            raise UsageError(f"the token for {host} has spaces or characters that no token has; set it again")
        if (limit := real(timeout, "timeout")) <= 0 or math.isnan(limit):
            raise UsageError(f"timeout must be a number of seconds above 0, not {timeout!r}")
        self._timeout = None if math.isinf(limit) else limit
        self._loopback = is_loopback(host)
        self._client: Any = None

    def close(self) -> None:
        """Close the connections; what is asked next opens them again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _headers(self) -> dict[str, str]:
        return {"Accept-Encoding": "identity", **({"Authorization": f"Bearer {self._token}"} if self._token else {})}

    def _connection(self) -> Any:
        if self._client is None:
            try:
                import httpx
            except ImportError:
                raise ModelError("a server is asked by another package; type: pip install 'bookwheel[remote]'") from None
            # This machine is never asked by way of a proxy.
            self._client = httpx.Client(follow_redirects=False, trust_env=not self._loopback, timeout=self._timeout)
        return self._client

    def request(self, method: str, path: str, *, params: Any = None, body: Any = None, none: int = 0) -> tuple[int, Any]:
        """Status and JSON of an answer; of ``none``, a status that is no error, too. Raises `BookwheelError`."""
        client = self._connection()
        content = bytearray()
        headers = self._headers() | ({"Content-Type": "application/json"} if body is not None else {})
        asked = {"params": params, "content": None if body is None else encoded(body), "headers": headers}
        with _Told(self.url, self._token), client.stream(method, self.url + path, **asked) as response:
            for piece in response.iter_raw():
                content += piece
                if len(content) > LARGEST:
                    raise ModelError(f"{self.url} answered with more than {LARGEST:,} bytes; ask for less at a time")
        if response.status_code != 200 and response.status_code != none:
            self._raise(response.status_code, bytes(content), response.headers)
        return response.status_code, self._read(bytes(content))

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        """The data of server-sent events. Closing the iterator ends the server's work."""
        headers = {**self._headers(), "Accept": "text/event-stream", "Content-Type": "application/json"}
        content = encoded(body)
        client = self._connection()
        with _Told(self.url, self._token), client.stream("POST", self.url + path, content=content, headers=headers) as response:
            if response.status_code != 200:
                self._raise(response.status_code, response.read(), response.headers)
            for message in _sse.messages(response.iter_raw()):
                data = self._read(message)
                if "error" in data:
                    code = data["error"].get("code") if isinstance(data["error"], dict) else None
                    self._raise(code if isinstance(code, int) else 500, message.encode(), {})
                yield data

    def _read(self, content: bytes | str) -> dict[str, Any]:
        """The object that an answer is: all answers of a bookwheel server are. Raises `ModelError`."""
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ModelError(f"{self.url} answered with something else than a JSON object; check the address")
        return found

    def _raise(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Raise the error that the server tells."""
        try:
            given = json.loads(content)["error"]
            sentence, kind = told(given["message"], self._token, SENTENCE), ERRORS.get(str(given.get("kind")))
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
            raise ModelError(f"{self.url} answered {status}, and is no bookwheel server; check the address") from None
        if kind is None:
            kind = UsageError if 400 <= status < 500 else ModelError
        raise kind(sentence)


class _Told:
    """Turns what httpx raises into `ModelError`."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or isinstance(error, BookwheelError):
            return
        import httpx

        if isinstance(error, UnicodeEncodeError):  # of a parameter
            raise InputError(
                "what was asked has half characters (\\ud800 to \\udfff), which no id, path or filter has"
            ) from None
        if isinstance(error, httpx.TimeoutException):
            raise ModelError(f"{self.url} did not answer in time; allow more with timeout=, or ask for less") from None
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            why = told(str(error), self._token) or type(error).__name__
            raise ModelError(f"{self.url} cannot be reached ({why}); start it with: bookwheel serve") from None
