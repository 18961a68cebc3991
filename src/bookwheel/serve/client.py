"""`bookwheel.connect`: a library on a server, with the methods of `Library`.

    library = bookwheel.connect("http://127.0.0.1:1588")
    for result in library.search("block maxima"):
        print(result.place, result.text)

It needs the package httpx (``pip install 'bookwheel[remote]'``). The token is sent to the server's host alone: redirects are not
followed. Text goes to another machine unencrypted only where the program says so.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .._errors import InputError, LibraryChanged, ModelError, UsageError
from ..hits import Hits
from ..library.conversations import ConversationInfo
from ..library.document_rows import DocumentRow
from ..library.facet_counts import Facets
from ..library.facets import DEPTH
from ..library.inputs import Documents
from ..library.naming import is_name
from ..library.pieces import Piece
from ..library.results import EncoderStatus, IndexReport, Info, Results, StoredDocument
from ..library.search_options import SearchOptions, with_options
from ..library.settings import Settings
from ..read.answer import Answer
from ..read.answering import Event
from .adding import add
from .connection import Connection
from .received import (
    answer_from,
    event_from,
    facets_from,
    info_from,
    piece_from,
    received,
    report_from,
    results_from,
    row_from,
)
from .remote_conversation import RemoteConversation
from .remote_documents import counted, documents
from .remote_mentions import RemoteMentions
from .sent import given_fields, search_fields, several

__all__ = ["RemoteLibrary", "connect"]

TIMEOUT = 120.0
"""Seconds that an answer may take."""
BATCH = 100
"""Queries or texts of one request."""


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
    reached or does not answer in time. What `Library` does beside (numbers of passages, changes of settings and encoders, checks
    of what is on disk) is done where the library is.
    """

    def __init__(self, url: str, library: str, *, token: str | None, timeout: float, unencrypted: bool) -> None:
        if not isinstance(library, str):
            raise UsageError(f"the name of a library is a string, not {library!r:.80}")
        self._server = Connection(url, token=token, timeout=timeout, unencrypted=unencrypted)
        self.url = self._server.url
        self.name = library
        """Of the library on the server; empty for its first one."""

    # -- searching -----------------------------------------------------------------------------------------------------

    @with_options(SearchOptions)
    def search(self, query: str, options: SearchOptions) -> Results:
        """As `Library.search`; ``ranking`` has the ids and scores of what was found, and no more. ``trace`` stays at home."""
        return results_from(self._post("/search", {"query": query, **search_fields(options)}))

    @with_options(SearchOptions)
    def search_many(self, queries: Iterable[str], options: SearchOptions) -> list[Results]:
        """As `Library.search_many`, a hundred queries a request."""
        asked = several(queries, "queries")
        found: list[Results] = []
        for start in range(0, len(asked), BATCH):
            reply = self._post("/search", {"queries": asked[start : start + BATCH], **search_fields(options)})
            found += received(lambda told: [results_from(one) for one in told["searches"]], reply)
        return found

    def rank(
        self, query: str, k: int = 10, *, recipe: Any = None, where: str | None = None, seconds: float | None = None
    ) -> Hits:
        """As `Library.rank`; a server gives at most a thousand."""
        return self.search(query, k, recipe=recipe, where=where, seconds=seconds).ranking.hits

    def rank_many(
        self, queries: Iterable[str], k: int = 10, recipe: Any = None, where: str | None = None, *, threads: int = 1
    ) -> list[Hits]:
        """As `Library.rank_many`; the server decides on ``threads``."""
        return [found.ranking.hits for found in self.search_many(queries, k, recipe=recipe, where=where)]

    @with_options(SearchOptions)
    def rank_documents(self, queries: Iterable[str], options: SearchOptions) -> list[list[tuple[str, float]]]:
        """As `Library.rank_documents`."""
        taken = {**search_fields(options), "group": True}
        return [[(one.id, one.score) for one in found] for found in self.search_many(queries, **taken)]

    @property
    def recipes(self) -> Mapping[str, str]:
        """As `Library.recipes`."""
        return received(lambda: dict(self.state()["recipes"]))

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, question: str, **options: Any) -> Answer:
        """As `Library.ask`, with the options of `AskOptions` but ``model``: the server's own writes, unless ``write=False``.

        ``conversation="NAME"`` keeps the question on the server, and understands it by those before.
        """
        return answer_from(self._post("/ask", {"question": question, **given_fields(**options)}))

    def ask_events(self, question: str, **options: Any) -> Iterator[Event]:
        """As `Library.ask_events`. Closing the iterator ends the server's work."""
        body = {"question": question, **given_fields(**options), **self._named()}
        done = False
        for data in self._server.events("/ask", body):
            event = event_from(data)
            done = isinstance(event, Answer)
            yield event
        if not done:
            raise ModelError(f"{self.url} ended before it had answered; ask again")

    def conversation(self, name: str) -> RemoteConversation:
        """As `Library.conversation`; it is kept on the server."""
        return RemoteConversation(self, name)

    def conversations(self) -> list[ConversationInfo]:
        """As `Library.conversations`."""
        reply = self._get("/conversations.json")
        return received(lambda: [ConversationInfo(**one) for one in reply["conversations"]])

    def forget_conversations(self, names: str | Sequence[str] | None = None) -> int:
        """As `Library.forget_conversations`."""
        known = [one.name for one in self.conversations()]
        wanted = known if names is None else [names] if isinstance(names, str) else list(names)
        if missing := [name for name in wanted if name not in known]:
            raise UsageError(f"there is no conversation {', '.join(map(repr, missing))}; nothing was forgotten")
        return sum(self.conversation(name).forget() for name in wanted)

    def find_all(
        self, phrases: str | Sequence[str], *, where: str | None = None, together: str = "all", exact: bool = False
    ) -> RemoteMentions:
        """As `Library.find_all`; documents come a hundred at a time, as they are looked at."""
        given = list(phrases) if isinstance(phrases, list | tuple) else [phrases]
        asked = {"phrases": given, **given_fields(where=where), "together": together, "exact": exact}

        def ask(offset: int, limit: int) -> Any:
            return self._post("/mentions", {**asked, "offset": offset, "limit": limit})

        return RemoteMentions(ask)

    def summarise(
        self,
        names: str | Sequence[str] = (),
        *,
        where: str | None = None,
        sentences: int = 5,
        words: int | None = None,
        query: str = "",
        hidden: bool = False,
        write: bool = False,
        calls: int = 16,
        seconds: float | None = None,
        unsupported: str = "omit",
    ) -> Answer:
        """As `Library.summarise`; with ``write`` the server's own model writes it."""
        given = [names] if isinstance(names, str) else several(names, "names")
        options = given_fields(where=where, words=words, seconds=seconds)
        options |= {"sentences": sentences, "query": query, "hidden": hidden, "write": write, "calls": calls}
        return answer_from(self._post("/summary", {"names": given, **options, "unsupported": unsupported}))

    # -- documents -----------------------------------------------------------------------------------------------------

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """As `Library.get`, a hundred documents a request. Raises `LibraryChanged` where they changed meanwhile."""
        return documents(self._called(name), limit)

    def _called(self, name: str) -> Callable[[int, int], Any]:
        """Asks for some of the documents that ``name`` stands for. Raises `InputError` for what is no string."""
        possible = is_name(name)

        def ask(offset: int, limit: int) -> Any:
            if not possible or limit < 1:
                return None
            params = {"id": name, "offset": offset, "limit": limit, **self._named()}
            status, reply = self._server.request("GET", "/documents", params=params, none=404)
            return None if status == 404 else reply

        return ask

    def __getitem__(self, name: str) -> StoredDocument:
        """The first of `get`. Raises `KeyError` where there is none."""
        if found := self.get(name, 1):
            return found[0]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a document with this id, or from the file of this path."""
        return isinstance(name, str) and bool(self.get(name, 1))

    def __iter__(self) -> Iterator[StoredDocument]:
        """As of `Library`: all documents, in the order in which they were added. Raises `LibraryChanged` where one went meanwhile."""
        at = 0
        while rows := self.rows(at, BATCH):
            for row in rows:
                address = row.name if row.source in ("", "-", row.name) else f"{row.source}::{row.name}"
                found = self.get(address) or self.get(row.name)
                chosen = [one for one in found if one.id == row.name and one.source == row.source]
                if not chosen:
                    raise LibraryChanged(f"the document {row.name!r:.200} is not there any more; begin again")
                yield chosen[0]
            at += len(rows)

    def count(self, name: str) -> int:
        """As `Library.count`."""
        return counted(self._called(name))

    def rows(self, start: int = 0, count: int = 100, *, where: str | None = None) -> list[DocumentRow]:
        """As `Library.rows`, at most a thousand."""
        reply = self._get("/rows", start=start, count=count, **given_fields(where=where))
        return received(lambda: [row_from(one) for one in reply["rows"]])

    def piece(self, name: str, start: int = 0, characters: int = 10_000, *, line: int | None = None, lines: int = 100) -> Piece:
        """As `Library.piece`, of a document's id."""
        params = {
            "id": name,
            "start": start,
            "characters": characters,
            "lines": lines,
            **given_fields(line=line),
            **self._named(),
        }
        status, reply = self._server.request("GET", "/piece", params=params, none=404)
        if status == 404:
            raise KeyError(name)
        return piece_from(reply)

    def facets(
        self,
        field: str,
        query: str | None = None,
        *,
        where: str | None = None,
        k: int = 100,
        recipe: Any = None,
        depth: int = DEPTH,
    ) -> Facets:
        """As `Library.facets`."""
        options = given_fields(q=query, where=where, recipe=recipe)
        reply = self._get("/facets", field=field, k=k, depth=depth, **options)
        return received(lambda: facets_from(reply["facets"][field]))

    def facets_of(
        self,
        fields: Iterable[str],
        query: str | None = None,
        *,
        where: str | None = None,
        k: int = 100,
        recipe: Any = None,
        depth: int = DEPTH,
    ) -> dict[str, Facets]:
        """As `Library.facets_of`."""
        options = given_fields(q=query, where=where, recipe=recipe)
        reply = self._get("/facets", field=several(fields, "fields"), k=k, depth=depth, known="true", **options)
        return received(lambda: {name: facets_from(one) for name, one in reply["facets"].items()})

    def __len__(self) -> int:
        """Number of documents."""
        return received(lambda: int(self.state()["documents"]))

    def __bool__(self) -> bool:
        return True

    def add(self, documents: Documents) -> IndexReport:
        """As `Library.add`, some documents a request; those of earlier requests stay where a later one fails.

        The library is made where there is none.
        """
        return add(documents, lambda body: self._post("/documents", body))

    def index(self, paths: Any, *, prune: bool = True) -> IndexReport:
        """As `Library.index`, for paths on the server's machine, in folders that it was started with."""
        given = [str(paths)] if not isinstance(paths, list | tuple) else list(map(str, paths))
        return report_from(self._post("/documents", {"paths": given, "prune": prune}), IndexReport())

    def remove(self, names: str | Path | Sequence[str | Path]) -> int:
        """As `Library.remove`."""
        given = [names] if isinstance(names, (str, Path)) else several(names, "ids")
        wanted = [str(name) if isinstance(name, Path) else name for name in given]
        if not wanted:
            return 0
        reply = self._post("/documents/remove", {"id": wanted})
        return received(lambda: int(reply["removed"]))

    # -- embedding -----------------------------------------------------------------------------------------------------

    def embed(
        self, names: str | Sequence[str] | None = None, *, cpu: float = 0.5, minutes: float = 1.0, passages: int = 1000
    ) -> list[EncoderStatus]:
        """As `Library.embed`, some passages at a time: call it until each encoder is complete."""
        given = [names] if isinstance(names, str) else names
        reply = self._post("/embed", {**given_fields(names=given), "cpu": cpu, "minutes": minutes, "passages": passages})
        return received(lambda: [EncoderStatus(**one) for one in reply["encoders"]])

    def encode(self, texts: Sequence[str], name: str = "dense", *, queries: bool = False) -> NDArray[np.float32]:
        """As `Library.encode`: unit vectors (n, dimension), float32; a hundred texts a request."""
        given, rows = several(texts, "texts"), list[NDArray[np.float32]]()
        model = f"{self.name or self.state()['name']}/{name}"
        for start in range(0, len(given), BATCH):
            body = {"input": given[start : start + BATCH], "model": model, "encoding_format": "base64"}
            body["input_type"] = "query" if queries else "passage"
            _, reply = self._server.request("POST", "/v1/embeddings", body=body)
            rows += received(
                lambda told: [np.frombuffer(base64.b64decode(one["embedding"]), "<f4") for one in told["data"]], reply
            )
        return np.stack(rows).astype(np.float32) if rows else np.empty((0, 0), np.float32)

    def state(self) -> dict[str, Any]:
        """What the server says of the library: name, id, generation, documents, passages, recipes, encoders. Raises `InputError`."""
        _, reply = self._server.request("GET", "/libraries")
        found = received(lambda: [dict(one) for one in reply["libraries"] if self.name in ("", one["name"])])
        if not found or found[0].get("problem"):
            raise InputError(str(found[0]["problem"]) if found else f"there is no library {self.name!r} at {self.url}")
        return found[0]

    def encoders(self) -> list[EncoderStatus]:
        """As `Library.encoders`."""
        return received(lambda: [EncoderStatus(**one) for one in self.state()["encoders"]])

    def info(self) -> Info:
        """As `Library.info`; the path is the server's."""
        return info_from(self._get("/info"))

    @property
    def settings(self) -> Settings:
        """As `Library.settings`."""
        return self.info().settings

    def refresh(self) -> None:
        """Nothing: a server reads the newest generation for each request."""

    @property
    def version(self) -> tuple[str, int]:
        """As `Library.version`."""
        state = self.state()
        return received(lambda: (str(state["id"]), int(state["generation"])))

    @property
    def generation(self) -> int:
        """Number of the newest commit."""
        return self.version[1]

    @property
    def document_count(self) -> int:
        """Number of documents."""
        return len(self)

    @property
    def passage_count(self) -> int:
        """Number of passages."""
        return received(lambda: int(self.state()["passages"]))

    # -- the connection ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections; what is asked next opens them again."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<bookwheel.RemoteLibrary {self.name!r} at {self.url}>"

    def _named(self) -> dict[str, str]:
        return {"library": self.name} if self.name else {}

    def _get(self, path: str, **params: Any) -> Any:
        return self._server.request("GET", path, params={**params, **self._named()})[1]

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._server.request("POST", path, body={**body, **self._named()})[1]
