"""A remote model that fails in the middle of embedding, in every way: one sentence, nothing lost, and it goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_vectors_dense import documents, make
from vectors_encoders import Rotated, texts_of

import bookwheel
from bookwheel.cli.main import main
from bookwheel.encode.remote import RemoteEncoder
from bookwheel.library.vectors.stored import passage_vectors

pytest.importorskip("httpx", reason="the extra `remote` is not installed")

INNER = Rotated(3, 32)


class Endpoint:
    """Answers with real vectors until ``good`` requests were served, then does what ``fault`` says."""

    url = ""
    good = 3
    fault = "none"
    seen: tuple[str, ...] = ()
    """Texts it was sent."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            rows: list[Any] = INNER.encode(asked["input"]).tolist()
            state.seen += tuple(asked["input"])
            status, fault = 200, state.fault if state.good <= 0 else "none"
            state.good -= 1
            if fault == "down":
                self.connection.close()
                return
            if fault in ("429", "503", "401"):
                status, rows = int(fault), []
            elif fault == "fewer":
                rows = rows[1:]
            elif fault == "dimension":
                rows = [row[:-1] for row in rows]
            elif fault == "nan":
                rows[0][0] = float("nan")
            body = {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]}
            data = json.dumps(body if status == 200 else {"error": {"message": "no"}}).encode()
            if fault == "html":
                data = b"<html>gateway</html>"
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
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


@pytest.mark.parametrize("fault", ["down", "429", "503", "401", "fewer", "dimension", "nan", "html"])
def test_a_failing_endpoint_loses_nothing(
    tmp_path: Path, prose: list[tuple[str, str]], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.BATCH", 16)
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    encoder = RemoteEncoder(endpoint.url, "m", dimension=32, retries=1, concurrent=1, sleep=lambda seconds: None)
    library.add_encoder("remote", encoder)
    endpoint.fault = fault
    with pytest.raises(bookwheel.ModelError) as caught:
        library.embed()
    assert "\n" not in str(caught.value)
    library.refresh()
    assert library.encoders()[0].embedded == 48
    assert library.check() == []
    assert library.search("open a file", recipe="bm25")
    endpoint.good = 1 << 30
    (report,) = library.embed()
    assert report.complete
    assert report.encoded == library.passage_count - 48
    vectors = passage_vectors(library._encoders, library._snapshot, "remote", np.arange(1, 5))
    wanted = INNER.encode(texts_of(library, np.arange(1, 5)))
    np.testing.assert_allclose(vectors, wanted, atol=1e-3)


def test_what_a_model_elsewhere_would_cost_is_told_and_asked_before_any_text_is_sent(
    tmp_path: Path,
    prose: list[tuple[str, str]],
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    endpoint.good = 1 << 30
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    library.add_encoder("remote", f"{endpoint.url}#m")
    ((name, (encoder, estimate)),) = library.embedding_cost(passages=40).items()
    assert name == "remote"
    assert encoder.here
    assert (estimate.texts, estimate.requests) == (40, 1)
    texts = texts_of(library, np.concatenate([s.ids for s in library._snapshot.segments]))
    ((_, whole),) = library.embedding_cost("remote").values()
    assert whole.tokens == pytest.approx(encoder.estimate(texts).tokens, rel=0.08), "by a sample of the passages"
    assert library.embedding_cost("other") == {}
    library.close()
    # The endpoint stands for one on another machine.
    monkeypatch.setattr("bookwheel.encode.remote.RemoteEncoder.here", False)
    command = ["embed", "--library", str(tmp_path / "x")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "texts, about" in said
    assert "add --yes" in said
    assert set(endpoint.seen) == {"bookwheel"}, "what it takes to learn the dimension, and no text"
    assert main([*command, "--yes"]) == 0
    assert "texts, about" in capsys.readouterr().err
    assert len(set(endpoint.seen)) > 50
    with bookwheel.open(tmp_path / "x") as opened:
        assert opened.encoders()[0].complete
        assert opened.embedding_cost() == {}
