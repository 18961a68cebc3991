"""`bookwheel.connect`: a library on a server, with the methods of `Library`.

    library = bookwheel.connect("http://127.0.0.1:1588")
    for result in library.search("block maxima"):
        print(result.place, result.text)

It needs the package httpx (``pip install 'bookwheel[remote]'``). The token is sent to the server's host alone: redirects are not
followed. Text goes to another machine unencrypted only where the program says so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from .. import _errors, _sse
from .._errors import BookwheelError, InputError, ModelError, UsageError
from .._http import is_loopback, key_for
from ..library.results import EncoderStatus, IndexReport, Results, StoredDocument
from ..library.search_options import SearchOptions, with_options
from ..read.answer import Answer
from ..read.answering import Event
from .received import answer_from, document_from, event_from, report_from, results_from

__all__ = ["RemoteLibrary", "connect"]

TIMEOUT = 120.0
"""Seconds that an answer may take."""
LARGEST = 256 << 20
"""The largest answer that is read, in bytes."""
ERRORS = {name: kind for name in _errors.__all__ if isinstance(kind := getattr(_errors, name), type)}


def connect(
    url: str, library: str = "", *, token: str | None = None, timeout: float = TIMEOUT, unencrypted: bool = False
) -> RemoteLibrary:
    """The library ``library`` (the first one where it is empty) of the server at ``url``, as `bookwheel serve` prints it.

    ``token``: what the server asks for; without it, that of the environment for this host (``BOOKWHEEL_API_KEY``, as
    ``HOST=TOKEN``). ``timeout``: seconds that each answer may take. ``unencrypted``: whether texts and the token may go to
    another machine over http. Nothing is sent before it is asked something. Raises `UsageError` for what is no address.
    """
    return RemoteLibrary(url, library, token=token, timeout=timeout, unencrypted=unencrypted)


class RemoteLibrary:
    """One library of a server. Use `bookwheel.connect` to get one. Safe to use from several threads.

    Its methods take and give what those of `Library` do, and raise the same errors; `ModelError` also where the server cannot be
    reached or does not answer in time.
    """

    def __init__(self, url: str, library: str, *, token: str | None, timeout: float, unencrypted: bool) -> None:
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
        self.name = library
        """Of the library on the server; empty for its first one."""
        self._token = token if token is not None else key_for(url)
        self._timeout = timeout
        self._loopback = is_loopback(host)
        self._client: Any = None

    # -- searching -----------------------------------------------------------------------------------------------------

    @with_options(SearchOptions)
    def search(self, query: str, options: SearchOptions) -> Results:
        """As `Library.search`; ``ranking`` has the ids and scores of what was found, and no more. ``trace`` stays at home."""
        return results_from(self._post("/search", {"query": query, **_search(options)}))

    @with_options(SearchOptions)
    def search_many(self, queries: Iterable[str], options: SearchOptions) -> list[Results]:
        """As `Library.search_many`, a hundred queries a request."""
        asked = list(queries)
        found: list[Results] = []
        for start in range(0, len(asked), BATCH):
            reply = self._post("/search", {"queries": asked[start : start + BATCH], **_search(options)})
            found += [results_from(one) for one in reply["searches"]]
        return found

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, question: str, **options: Any) -> Answer:
        """As `Library.ask`, with the options of `AskOptions` but ``model``: the server's own writes, unless ``write=False``.

        ``conversation="NAME"`` keeps the question on the server, and understands it by those before.
        """
        return answer_from(self._post("/ask", {"question": question, **_options(**options)}))

    def ask_events(self, question: str, **options: Any) -> Iterator[Event]:
        """As `Library.ask_events`. Closing the iterator ends the server's work."""
        body = {"question": question, **_options(**options), **self._named()}
        client = self._connection()
        headers = {**self._headers(), "Accept": "text/event-stream"}
        with self._told(), client.stream("POST", f"{self.url}/ask", json=body, headers=headers) as response:
            if response.status_code != 200:
                self._raise(response.status_code, response.read(), response.headers)
            for message in _sse.messages(response.iter_raw()):
                data = json.loads(message)
                if "error" in data:
                    self._raise(data["error"].get("code", 500), message.encode(), {})
                yield event_from(data)

    # -- documents -----------------------------------------------------------------------------------------------------

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """As `Library.get`; ten documents where ``limit`` is None."""
        status, reply = self._request(
            "GET", "/documents", params={"id": name, **_options(limit=limit), **self._named()}, none=404
        )
        return [] if status == 404 else [document_from(one) for one in reply["documents"]]

    def __getitem__(self, name: str) -> StoredDocument:
        """The first of `get`. Raises `KeyError` where there is none."""
        if found := self.get(name, 1):
            return found[0]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a document with this id, or from the file of this path."""
        return isinstance(name, str) and bool(self.get(name, 1))

    def __len__(self) -> int:
        """Number of documents."""
        return int(self.state()["documents"])

    def __bool__(self) -> bool:
        return True

    def add(self, documents: Any) -> IndexReport:
        """As `Library.add`, for texts and dictionaries; a thousand documents a request. The library is made where there is none."""
        given = [documents] if isinstance(documents, str | Mapping) else list(documents)
        total = IndexReport()
        for start in range(0, len(given), DOCUMENTS):
            some = [_plain(one) for one in given[start : start + DOCUMENTS]]
            report_from(self._post("/documents", {"documents": some}), total)
        return total

    def index(self, paths: Any, *, prune: bool = True) -> IndexReport:
        """As `Library.index`, for paths on the server's machine, in folders that it was started with."""
        given = [str(paths)] if not isinstance(paths, list | tuple) else list(map(str, paths))
        return report_from(self._post("/documents", {"paths": given, "prune": prune}), IndexReport())

    def remove(self, names: str | Path | Sequence[str | Path]) -> int:
        """As `Library.remove`."""
        given = [str(names)] if isinstance(names, (str, Path)) else [str(name) for name in names]
        _, reply = self._request("DELETE", "/documents", params={"id": given, **self._named()})
        return int(reply["removed"])

    # -- embedding -----------------------------------------------------------------------------------------------------

    def embed(
        self, names: str | Sequence[str] | None = None, *, cpu: float = 0.5, minutes: float = 1.0, passages: int = 1000
    ) -> list[EncoderStatus]:
        """As `Library.embed`, some passages at a time: call it until each encoder is complete."""
        given = [names] if isinstance(names, str) else names
        reply = self._post("/embed", {**_options(names=given), "cpu": cpu, "minutes": minutes, "passages": passages})
        return [EncoderStatus(**one) for one in reply["encoders"]]

    def encode(self, texts: Sequence[str], name: str = "dense", *, queries: bool = False) -> NDArray[np.float32]:
        """As `Library.encode`: unit vectors (n, dimension), float32; a hundred texts a request."""
        given, rows = list(texts), []
        model = f"{self.name or self.state()['name']}/{name}"
        for start in range(0, len(given), BATCH):
            body = {"input": given[start : start + BATCH], "model": model, "encoding_format": "base64"}
            body["input_type"] = "query" if queries else "passage"
            _, reply = self._request("POST", "/v1/embeddings", body=body)
            rows += [np.frombuffer(base64.b64decode(one["embedding"]), "<f4") for one in reply["data"]]
        return np.stack(rows).astype(np.float32) if rows else np.empty((0, 0), np.float32)

    def state(self) -> dict[str, Any]:
        """What the server says of the library: name, id, generation, documents, passages, recipes, encoders. Raises `InputError`."""
        _, reply = self._request("GET", "/libraries")
        found = [one for one in reply["libraries"] if self.name in ("", one["name"])]
        if not found or found[0]["problem"]:
            raise InputError(found[0]["problem"] if found else f"there is no library {self.name!r} at {self.url}")
        return dict(found[0])

    def encoders(self) -> list[EncoderStatus]:
        """As `Library.encoders`."""
        return [EncoderStatus(**one) for one in self.state()["encoders"]]

    @property
    def generation(self) -> int:
        """Number of the newest commit."""
        return int(self.state()["generation"])

    @property
    def document_count(self) -> int:
        """Number of documents."""
        return len(self)

    @property
    def passage_count(self) -> int:
        """Number of passages."""
        return int(self.state()["passages"])

    # -- the connection ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; what is asked next opens them again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<bookwheel.RemoteLibrary {self.name!r} at {self.url}>"

    def _named(self) -> dict[str, str]:
        return {"library": self.name} if self.name else {}

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

    def _told(self) -> _Told:
        return _Told(self.url)

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._request("POST", path, body={**body, **self._named()})[1]

    def _request(self, method: str, path: str, *, params: Any = None, body: Any = None, none: int = 0) -> tuple[int, Any]:
        client = self._connection()
        content = bytearray()
        asked = {"params": params, "json": body, "headers": self._headers()}
        with self._told(), client.stream(method, self.url + path, **asked) as response:
            for piece in response.iter_raw():
                content += piece
                if len(content) > LARGEST:
                    raise ModelError(f"{self.url} answered with more than {LARGEST:,} bytes; ask for less at a time")
        if response.status_code != 200 and response.status_code != none:
            self._raise(response.status_code, bytes(content), response.headers)
        try:
            return response.status_code, json.loads(content)
        except (ValueError, RecursionError):
            raise ModelError(f"{self.url} answered with something else than JSON; check the address") from None

    def _raise(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Raise the error that the server tells."""
        try:
            told = json.loads(content)["error"]
            sentence, kind = str(told["message"]), ERRORS.get(str(told.get("kind")))
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
            raise ModelError(f"{self.url} answered {status}, and is no bookwheel server; check the address") from None
        if kind is None:
            kind = UsageError if 400 <= status < 500 else ModelError
        raise kind(sentence)


BATCH = 100
"""Queries or texts of one request."""
DOCUMENTS = 1000
"""Documents of one request."""


class _Told:
    """Turns what httpx raises into `ModelError`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or isinstance(error, BookwheelError):
            return
        import httpx

        if isinstance(error, httpx.TimeoutException):
            raise ModelError(f"{self.url} did not answer in time; allow more with timeout=, or ask for less") from None
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            why = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(f"{self.url} cannot be reached ({why}); start it with: bookwheel serve") from None


def _search(options: SearchOptions) -> dict[str, Any]:
    """The options of a search that a server takes, those that are not as usual."""
    taken = ("k", "recipe", "where", "group", "seconds", "cutoff", "offset", "fold", "sort")
    usual = SearchOptions()
    return _options(**{name: value for name in taken if (value := getattr(options, name)) != getattr(usual, name)})


def _options(**given: Any) -> dict[str, Any]:
    """What was given, for JSON; recipes as they are written."""
    plain = {name: value for name, value in given.items() if value is not None}
    if "recipe" in plain:
        plain["recipe"] = str(plain["recipe"])
    return plain


def _plain(document: Any) -> dict[str, Any]:
    """A document as JSON has it. Raises `InputError`."""
    if isinstance(document, str):
        return {"text": document}
    if isinstance(document, Mapping):
        return {str(key): value.isoformat() if hasattr(value, "isoformat") else value for key, value in document.items()}
    if hasattr(document, "id") and hasattr(document, "text"):
        return {"id": document.id, "title": document.title, "text": document.text, **dict(document.metadata)}
    raise InputError(f"a document for a server is a text or a dictionary, not {type(document).__name__}")
