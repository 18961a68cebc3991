"""What is asked wrongly of a library on a server, and what a server answers wrongly, is told in a sentence, as at home."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from serve_processes import started

import bookwheel
from bookwheel import BookwheelError, InputError, Library, ModelError, RemoteLibrary, UsageError

HALF = "\ud800"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[tuple[Library, RemoteLibrary]]:
    folder = tmp_path_factory.mktemp("errors")
    records = folder / "records.jsonl"
    records.write_text("\n".join(json.dumps({"id": f"r{n}", "text": f"Record {n} of the herons."}) for n in range(250)))
    for name in ("own", "there"):
        with bookwheel.open(folder / name, create=True, encoder=None) as made:
            made.add([{"id": f"d{n}", "text": f"Document {n} of the owls."} for n in range(1500)])
            made.add({"id": "x" * 16_000, "text": "It has a long id."})
            made.index(records)
    with (
        bookwheel.open(folder / "own") as own,
        started(str(folder / "there"), environment=environment) as running,
        bookwheel.connect(running.url) as remote,
    ):
        yield own, remote


WRONG = {
    "half a character in a filter": lambda one: one.search("owl", where=f'id = "{HALF}"'),
    "bytes": lambda one: one.search(b"owl"),
    "queries that are one": lambda one: one.search_many("owl"),
    "an object for a model": lambda one: one.ask("What is an owl?", model=object()),
    "no number of seconds": lambda one: one.ask("What is an owl?", seconds=float("nan")),
    "a number for phrases": lambda one: one.find_all(5),
    "a number to remove": lambda one: one.remove(5),
    "a number in a list to remove": lambda one: one.remove([5]),
    "half a character to remove": lambda one: one.remove(HALF),
    "half a character to summarise": lambda one: one.summarise(HALF),
    "half a character for a field": lambda one: one.facets(HALF),
    "a number to get": lambda one: one.get(5),
    "a limit below 0": lambda one: one.get("d1", -1),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_asked_wrongly_is_told(both: tuple[Library, RemoteLibrary], name: str) -> None:
    for library in both:
        with pytest.raises(BookwheelError):
            WRONG[name](library)


def test_names_mean_the_same(both: tuple[Library, RemoteLibrary]) -> None:
    own, _ = both
    records = next(one.source for one in own.rows(1501, 1))
    for library in both:
        assert library.get(HALF) == []
        assert HALF not in library
        assert library.count(records) == 250
        assert [one.id for one in library.get(records)] == [f"r{n}" for n in range(250)]
        assert len(library.get(records, 120)) == 120
        assert library.get("d1", 0) == []
        assert library["x" * 16_000].text == library.piece("x" * 16_000).text == "It has a long id."


def test_many_are_removed_at_once_or_none(both: tuple[Library, RemoteLibrary]) -> None:
    for library in both:
        assert library.remove([]) == 0
        with pytest.raises(UsageError, match="nothing was removed"):
            library.remove([*(f"d{n}" for n in range(1200)), "none"])
        assert "d0" in library
        assert library.remove([f"d{n}" for n in range(1200)]) == 1200
        assert "d0" not in library


@pytest.mark.parametrize(
    "given",
    [
        {"url": 5},
        {"url": None},
        {"library": 5},
        {"timeout": -1},
        {"timeout": "x"},
        {"timeout": float("nan")},
        {"token": "SECRÉT"},
    ],
)
def test_what_cannot_be_connected_with_is_refused_at_once(given: dict) -> None:
    with pytest.raises(UsageError):
        bookwheel.connect(**{"url": "http://127.0.0.1:1", **given})


def test_no_part_of_a_token_is_in_an_error() -> None:
    with pytest.raises(UsageError) as told:
        bookwheel.connect("http://127.0.0.1:1", token="SECRET\nx")
    assert "SECRET" not in str(told.value)
    assert "token" in str(told.value)


class Odd(BaseHTTPRequestHandler):
    """Answers everything with the same bytes."""

    body = b""

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)


@pytest.fixture(scope="module")
def odd() -> Iterator[RemoteLibrary]:
    server = HTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with bookwheel.connect(f"http://127.0.0.1:{server.server_port}") as remote:
        yield remote
    server.shutdown()
    server.server_close()


ASKED = {
    "len": len,
    "get": lambda one: one.get("x"),
    "count": lambda one: one.count("x"),
    "rows": lambda one: one.rows(),
    "facets": lambda one: one.facets("x"),
    "facets_of": lambda one: one.facets_of(["x"]),
    "info": lambda one: one.info(),
    "version": lambda one: one.version,
    "recipes": lambda one: one.recipes,
    "encoders": lambda one: one.encoders(),
    "search": lambda one: one.search("x"),
    "search_many": lambda one: one.search_many(["x"]),
    "find_all": lambda one: one.find_all("x"),
    "ask": lambda one: one.ask("x"),
    "summarise": lambda one: one.summarise("x"),
    "piece": lambda one: one.piece("x"),
    "remove": lambda one: one.remove("x"),
    "add": lambda one: one.add("x"),
    "conversations": lambda one: one.conversations(),
    "turns": lambda one: one.conversation("x").turns,
    "forget": lambda one: one.conversation("x").forget(),
    "encode": lambda one: one.encode(["x"]),
    "embed": lambda one: one.embed(),
}


@pytest.mark.parametrize(
    "body", [b"[]", b"5", b"{}", b'{"libraries": 5}', b'{"libraries": [{}]}', b'{"found": [5], "documents": [5]}']
)
@pytest.mark.parametrize("name", ASKED)
def test_what_no_bookwheel_server_answers_is_told(odd: RemoteLibrary, name: str, body: bytes) -> None:
    Odd.body = body
    with pytest.raises((ModelError, InputError)):
        ASKED[name](odd)


@pytest.mark.parametrize(
    "body",
    [
        b"data: no json\n\n",
        b"data: 5\n\n",
        b'data: {"error": "x"}\n\n',
        b'data: {"error": {"code": "x"}}\n\n',
        b'data: {"text": "half a dra"}\n\n',
        b"",
    ],
)
def test_events_that_are_none_are_told_and_so_is_an_answer_that_does_not_come(odd: RemoteLibrary, body: bytes) -> None:
    Odd.body = body
    with pytest.raises(ModelError):
        list(odd.ask_events("x"))
