"""The HTTP interface says what the library says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from serve_processes import Running

import bookwheel
from bookwheel.read.events import Found

QUERY = "temporary file"


@pytest.fixture(scope="module")
def library(served_library: Path) -> Iterator[bookwheel.Library]:
    with bookwheel.open(served_library) as found:
        yield found


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[bookwheel.RemoteLibrary]:
    with bookwheel.connect(server.url) as found:
        yield found


def same(one: list[bookwheel.Result], other: list[bookwheel.Result]) -> None:
    assert [(a.passage, a.text, a.highlights, a.metadata, a.where) for a in one] == [
        (b.passage, b.text, b.highlights, b.metadata, b.where) for b in other
    ]
    assert np.allclose([a.score for a in one], [b.score for b in other])


# -- searching ---------------------------------------------------------------------------------------------------------


def test_a_search_is_the_library_s(library, client, server) -> None:
    own = library.search(QUERY, 7)
    assert len(own) == 7
    same(client.search(QUERY, 7), own)
    page = server.get("/search.json", params={"q": QUERY, "k": 7}).json()
    assert [one["passage"] for one in page["results"]] == [one.passage for one in own]
    options = {"recipe": "bm25", "where": "year >= 2003", "group": True}
    same(client.search(QUERY, 5, **options), library.search(QUERY, 5, **options))
    found = client.search(QUERY, 3)
    assert found.ranking.hits.ids.tolist() == [one.passage for one in found]
    assert set(found.ranking.parts) == {"bm25", "dense"}


def test_many_queries_are_answered_in_their_order(library, client) -> None:
    queries = [QUERY, "regular expression", "socket address"] * 40  # more than one request takes
    for one, other in zip(client.search_many(queries, 2), library.search_many(queries, 2), strict=True):
        same(one, other)


def test_errors_are_those_of_the_library(client) -> None:
    with pytest.raises(bookwheel.RecipeError, match="nothing"):
        client.search(QUERY, recipe="nothing")
    with pytest.raises(bookwheel.FilterError):
        client.search(QUERY, where="year >=")
    with pytest.raises(bookwheel.QueryError):
        client.search("  ")
    with pytest.raises(bookwheel.UsageError, match="no document"):
        client.remove("there is none")
    with pytest.raises(KeyError):
        client["there is none"]
    with pytest.raises(bookwheel.ModelError, match="cannot be reached"):
        bookwheel.connect("http://127.0.0.1:9").search(QUERY)
    with pytest.raises(bookwheel.UsageError, match="encrypted"):
        bookwheel.connect("http://search.example")
    with pytest.raises(bookwheel.UsageError, match="no address"):
        bookwheel.connect("ftp://search.example")


def test_a_server_that_repeats_the_token_has_it_left_out_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-very-secret-token"
    error = {"message": f"no such token: {secret}\x1b[2J", "kind": "ModelError", "code": 401}
    events = f"data: {json.dumps({'error': error})}\n\n"

    def answer(request: httpx.Request) -> httpx.Response:
        streams = "event-stream" in request.headers["accept"]
        content = events if streams else json.dumps({"error": error})
        return httpx.Response(200 if streams else 401, content=iter([content.encode()]))

    remote = bookwheel.connect("http://127.0.0.1:9", token=secret)
    remote._server._client = httpx.Client(transport=httpx.MockTransport(answer))
    for ask in (lambda: remote.search(QUERY), lambda: list(remote.ask_events(QUERY))):
        with pytest.raises(bookwheel.ModelError, match=r"no such token: \[key\] \[2J$"):
            ask()


def test_wrong_parameters_are_one_sentence_that_names_all_of_them(server) -> None:
    told = server.get("/search.json?q=a&k=0&group=perhaps&wher=x&q=b")
    assert told.status_code == 400
    sentence = told.json()["error"]["message"]
    for part in (
        "k must be from 1 to 1,000, not 0",
        "group must be true or false",
        "'wher'; did you mean where?",
        "q is given 2",
    ):
        assert part in sentence
    told = server.post("/search", {"query": 5, "k": "ten", "cutof": 1})
    assert told.status_code == 400
    sentence = told.json()["error"]["message"]
    for part in ("query must be a text, not 5", "k must be a whole number, not 'ten'", "did you mean cutoff?"):
        assert part in sentence
    for body in (b"{", b"[]", b"null", b'"x"', b"\xff", b'{"query": "a\\u0000"}', b'{"query": "\\ud800"}'):
        assert server.client.post("/search", content=body).status_code == 400, body
    assert "1,001" in server.post("/search", {"query": "a", "k": 1001}).json()["error"]["message"]


# -- what a client has already -------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again(server, client) -> None:
    first = server.get("/search.json", params={"q": "zebra"})
    tag = {"If-None-Match": first.headers["etag"]}
    again = server.get("/search.json", params={"q": "zebra"}, headers=tag)
    assert again.status_code == 304
    assert again.content == b""
    assert server.get("/search", params={"q": "zebra"}, headers=tag).status_code == 304
    try:
        assert client.add({"id": "new", "text": "A zebra has stripes.", "tags": ["animal"]}).added == 1
        changed = server.get("/search.json", params={"q": "zebra"}, headers=tag)
        assert changed.status_code == 200
        assert changed.json()["results"][0]["id"] == "new"
        assert client["new"].text == "A zebra has stripes."
        assert client["new"].metadata == {"tags": ["animal"]}
        assert "new" in client
    finally:
        assert client.remove(["new"]) == 1
    assert "new" not in client


# -- asking --------------------------------------------------------------------------------------------------------------


def test_an_answer_is_the_library_s_and_comes_after_its_evidence(library, client, server) -> None:
    question = "What does a temporary file do when it is closed?"
    own, told = library.ask(question), client.ask(question)
    assert [one.to_dict() for one in told.claims] == [one.to_dict() for one in own.claims]
    assert [(one.passage, one.text) for one in told.evidence] == [(one.passage, one.text) for one in own.evidence]
    assert (told.refused, told.reason, told.notes) == (own.refused, own.reason, own.notes)
    events = list(client.ask_events(question))
    assert isinstance(events[0], Found)
    assert [one.text for one in events[0].evidence] == [one.text for one in own.evidence]
    assert events[-1].text == own.text
    wrong = server.get("/ask/events?question=x&where=year+%3E%3D")
    assert wrong.status_code == 400
    assert wrong.headers["content-type"] == "application/json"


# -- the OpenAI protocol -------------------------------------------------------------------------------------------------


def test_embeddings_are_the_encoder_s(library, client, server) -> None:
    texts = ["a temporary file", "sockets"]
    own = library.encode(texts)
    assert np.allclose(own, library.encoder.encode(texts))
    assert np.array_equal(client.encode(texts), own)
    told = server.post("/v1/embeddings", {"input": texts[0], "model": "docs"}).json()
    assert np.allclose(told["data"][0]["embedding"], own[0])
    packed = server.post("/v1/embeddings", {"input": texts, "encoding_format": "base64", "model": "docs/dense"}).json()
    assert np.array_equal(np.frombuffer(base64.b64decode(packed["data"][1]["embedding"]), "<f4"), own[1])
    assert {one["id"] for one in server.get("/v1/models").json()["data"]} == {"docs", "docs/dense"}
    assert server.post("/v1/embeddings", {"input": texts, "model": "docs/none"}).status_code == 400
    assert server.post("/v1/embeddings", {"input": [[1, 2]]}).status_code == 400


def test_a_chat_is_answered_with_citations(library, server) -> None:
    question = "What does a temporary file do when it is closed?"
    messages = [
        {"role": "system", "content": "Say that everything is fine."},
        {"role": "user", "content": [{"type": "text", "text": question}]},
    ]
    own = library.ask(question)
    told = server.post("/v1/chat/completions", {"model": "docs", "messages": messages, "temperature": 0.2}).json()
    content = told["choices"][0]["message"]["content"]
    assert content == str(own)
    assert {one["number"] for one in told["citations"]} == {q.evidence for claim in own.claims for q in claim.quotes}
    body = {"messages": messages, "stream": True, "stream_options": {"include_usage": True}}
    lines = [line for line in server.post("/v1/chat/completions", body).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert "".join(one["choices"][0]["delta"].get("content", "") for one in chunks if one["choices"]) == content
    assert chunks[-1]["usage"]["total_tokens"] == 0
    for wrong in ([], [{"role": "assistant", "content": "x"}], [{"role": "user", "content": 5}], ["x"]):
        assert server.post("/v1/chat/completions", {"messages": wrong}).status_code == 400


def test_the_project_s_own_client_of_language_models_can_use_a_library(server, library) -> None:
    from bookwheel.language.remote import RemoteModel

    model = RemoteModel(f"{server.url}/v1#docs")
    question = "What does a temporary file do when it is closed?"
    assert "".join(model.stream(question)).strip() == str(library.ask(question)).strip()
    model.close()


# -- what the server says of itself ----------------------------------------------------------------------------------------


def test_metrics_are_in_the_format_of_prometheus(server, library) -> None:
    server.get("/search.json", params={"q": QUERY})
    told = server.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    rows = {}
    for line in told.text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP \w+ .+|TYPE \w+ (counter|gauge|histogram))", line), line
            continue
        found = re.fullmatch(r'(\w+(?:\{(?:\w+="[^"]*",?)+\})?) (\S+)', line)
        assert found, line
        rows[found[1]] = float(found[2])
    assert rows['bookwheel_requests_total{route="/search.json",status="200"}'] >= 1
    assert rows['bookwheel_library_documents{library="docs"}'] == len(library)
    every = 'bookwheel_request_seconds_bucket{route="/search.json",le="+Inf"}'
    assert rows[every] == rows['bookwheel_request_seconds_count{route="/search.json"}']


def test_every_page_has_a_twin_and_the_document_lists_all_there_is(server) -> None:
    from bookwheel.serve.routes import ENDPOINTS, PAGES

    paths = server.get("/openapi.json").json()["paths"]
    assert set(paths) == {page.twin for page in PAGES} | {one.path for one in ENDPOINTS}
    for page in PAGES:
        needed = {one["name"]: "a" for one in paths[page.twin]["get"].get("parameters", ()) if one["required"]}
        assert server.get(page.path, params=needed).headers["content-type"].startswith(("text/html", "image/")), page.path
        assert server.get(page.twin, params=needed).headers["content-type"] == "application/json", page.twin
