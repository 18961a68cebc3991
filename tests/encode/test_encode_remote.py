"""Remote encoders against a real HTTP server on this machine that does what real ones do, failures included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from bookwheel._allowed import allow
from bookwheel._errors import ModelError, UsageError
from bookwheel.encode import encode_queries, load_encoder
from bookwheel.encode.protocols import DenseEncoder
from bookwheel.encode.remote import RemoteEncoder

pytest.importorskip("httpx", reason="the extra `remote` is not installed")


@dataclass
class Endpoint:
    """What the server answers; ``requests`` is what it was asked."""

    url: str = ""
    dimension: int = 4
    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    key: str | None = None
    fewer: int = 0
    delay: float = 0.0
    value: float | None = None
    body: bytes | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    def vector(self, text: str) -> list[float]:
        base = [float(len(text) + 1), float(text.count("a")), 1.0, 0.5, 0.25, 0.125]
        return base[: self.dimension] if self.value is None else [self.value] * self.dimension


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.requests.append({**asked, "path": self.path})
            time.sleep(state.delay)
            if state.key and self.headers.get("authorization") != f"Bearer {state.key}":
                return self.answer(401, {"error": {"message": "bad key"}})
            if state.statuses:
                status, headers = state.statuses.pop(0)
                return self.answer(status, {"error": {"message": "try later"}}, headers)
            rows = [{"index": n, "embedding": state.vector(text)} for n, text in enumerate(asked["input"])]
            # In any order: the index says which is which.
            self.answer(200, {"data": rows[::-1][state.fewer :], "usage": {"prompt_tokens": 1}})

        def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            data = state.body if state.body is not None and status == 200 else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def _encoder(endpoint: Endpoint, **settings: Any) -> RemoteEncoder:
    settings.setdefault("sleep", lambda seconds: None)
    return RemoteEncoder(endpoint.url, "tiny", **settings)


def _expected(endpoint: Endpoint, texts: list[str]) -> np.ndarray:
    rows = np.array([endpoint.vector(text) for text in texts], np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


TEXTS = [f"{'a' * n} text" for n in range(11)]


def test_vectors_come_back_in_order(endpoint: Endpoint) -> None:
    allow(endpoint.url)
    encoder = load_encoder(f"{endpoint.url}#tiny", batch=3, concurrent=3)
    assert not endpoint.requests  # nothing is asked before it must be
    assert isinstance(encoder, DenseEncoder)
    np.testing.assert_allclose(encoder.encode(TEXTS), _expected(endpoint, TEXTS), rtol=1e-6)
    assert {request["path"] for request in endpoint.requests} == {"/v1/embeddings"}
    assert sorted(len(request["input"]) for request in endpoint.requests) == [1, 2, 3, 3, 3]
    assert encoder.encode([]).shape == (0, 4)


def test_prefixes_and_dimensions(endpoint: Endpoint) -> None:
    encoder = _encoder(endpoint, query_prefix="q: ", passage_prefix="p: ", dimension=4)
    np.testing.assert_allclose(encode_queries(encoder, ["a"]), _expected(endpoint, ["q: a"]), rtol=1e-6)
    encoder.encode(["", "b"])
    assert endpoint.requests[0]["dimensions"] == 4
    assert endpoint.requests[1]["input"] == ["p: ", "p: b"]
    assert encoder.sha256 != _encoder(endpoint).sha256


def test_what_may_pass_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.statuses = [(429, {"retry-after": "7"}), (503, {}), (500, {})]
    waits: list[float] = []
    encoder = _encoder(endpoint, sleep=waits.append, dimension=4)
    np.testing.assert_allclose(encoder.encode(["x"]), _expected(endpoint, ["x"]), rtol=1e-6)
    assert waits == [7.0, 14.0, 28.0]


def test_what_keeps_failing_is_told(endpoint: Endpoint) -> None:
    endpoint.statuses = [(503, {})] * 10
    with pytest.raises(ModelError, match=r"answered 503 \(try later\), 3 times; what was encoded is kept"):
        _encoder(endpoint, retries=2).encode(["x"])
    endpoint.statuses = [(400, {})]
    endpoint.requests.clear()
    with pytest.raises(ModelError, match=r"answered 400 \(try later\); check the address, the model's name"):
        _encoder(endpoint, retries=2).encode(["x"])
    assert len(endpoint.requests) == 1


def test_a_query_waits_for_one_more_try_only(endpoint: Endpoint) -> None:
    endpoint.statuses = [(503, {})] * 10
    waits: list[float] = []
    with pytest.raises(ModelError, match="twice"):
        encode_queries(_encoder(endpoint, sleep=waits.append), ["x"])
    assert waits == [1.0]


def test_an_endpoint_that_is_down_or_slow(endpoint: Endpoint) -> None:
    with pytest.raises(ModelError, match=r"cannot be reached \(.*\), twice"):
        RemoteEncoder("http://127.0.0.1:9/v1", "tiny", retries=1, sleep=lambda seconds: None).encode(["x"])
    endpoint.delay = 0.5
    with pytest.raises(ModelError, match=r"did not answer within 0\.05 s, twice"):
        _encoder(endpoint, timeout=0.05, retries=1).encode(["x"])


def test_an_endpoint_that_refuses_the_key(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.key = "right"
    with pytest.raises(
        ModelError, match=r"refuses the key \(401\) \(bad key\); set BOOKWHEEL_API_KEY='127.0.0.1=KEY'"
    ) as caught:
        _encoder(endpoint, key="wrong-secret").encode(["x"])
    assert "wrong-secret" not in str(caught.value)
    monkeypatch.setenv("BOOKWHEEL_API_KEY", "127.0.0.1=right")
    assert _encoder(endpoint).encode(["x"]).shape == (1, 4)


def test_answers_that_are_no_vectors(endpoint: Endpoint) -> None:
    encoder = _encoder(endpoint, dimension=4)
    endpoint.fewer = 2
    with pytest.raises(ModelError, match="gave 3 vectors for 5 texts"):
        encoder.encode(list("abcde"))
    endpoint.fewer, endpoint.dimension = 0, 3
    with pytest.raises(ModelError, match="vectors of 3 dimensions where 4 were expected"):
        encoder.encode(["x"])
    endpoint.dimension, endpoint.value = 4, float("nan")
    with pytest.raises(ModelError, match="not finite for text 1 of 1"):
        encoder.encode(["x"])
    for body, message in ((b"<html>", "something else than JSON"), (b'{"ok": 1}', "something else than embeddings")):
        endpoint.body = body
        with pytest.raises(ModelError, match=message):
            encoder.encode(["x"])


def test_rates_are_kept(endpoint: Endpoint) -> None:
    waits: list[float] = []
    encoder = _encoder(endpoint, dimension=4, batch=1, concurrent=1, requests_per_minute=60, sleep=waits.append)
    encoder.encode(["a", "b", "c"])
    # One a second: the second waits about one second, the third about two, since no time passes while this test sleeps.
    assert [round(wait) for wait in waits] == [1, 2]


def test_the_cost_is_told_before_any_request(endpoint: Endpoint) -> None:
    encoder = _encoder(endpoint, batch=4, price=0.02, requests_per_minute=6)
    estimate = encoder.estimate(["x" * 399] * 10)
    assert (estimate.texts, estimate.tokens, estimate.requests, estimate.seconds) == (10, 1000, 3, 30.0)
    assert estimate.cost == pytest.approx(2e-5)
    assert (
        str(estimate)
        == "10 texts, about 1,000 tokens in 3 requests, about 0.00 at the price given, at least 30 s at the rates allowed"
    )
    assert not endpoint.requests


def test_names_and_settings_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="names no model; write it after the address, http://localhost/v1#MODEL"):
        load_encoder("http://localhost/v1")
    with pytest.raises(UsageError, match="a remote encoder has no such setting"):
        load_encoder("http://localhost/v1#m", precision="int8")
    with pytest.raises(ModelError, match="a remote model gives dense vectors only"):
        load_encoder("http://localhost/v1#m", "sparse")
